// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { IExecutionProvider } from "./IExecutionProvider.sol";

/// @notice What a provider is built with; none of it changes later.
/// @dev Times in seconds. Gas in the chain's own unit: on FEVM `gasleft()` counts FVM gas, a hundred times and more
/// what an EVM counts. Filecoin mainnet: minDeadline 8 hours (finality may fall 900 epochs of 30 s = 27,000 s behind, so
/// it must be above that), maxDeadline 30 days, cancelDelay 1 hour, minAttempt 30 minutes, activationDelay 2 days,
/// drainWindow 1 day, maxCallbackGas 1e9, callOverhead 20e6, reportGas 40e6, baseGas 10e6, byteGas 1,300.
/// An EVM: maxCallbackGas 2e6, callOverhead 10,000, reportGas 80,000, baseGas 35,000, byteGas 12.
struct ProviderConfig {
    uint40 minDeadline; // a request may not be due earlier than this from now
    uint40 maxDeadline; // nor later than this
    uint40 cancelDelay; // how long an answer still beats a cancellation
    uint40 minAttempt; // how long operators must try before they may report a failure
    uint40 activationDelay; // between announcing operators and putting them in force
    uint40 drainWindow; // how long the operators before may still answer
    uint32 maxCallbackGas; // most gas that a request may promise to its callback
    uint32 callOverhead; // gas that a call costs besides what the callee gets
    uint32 reportGas; // gas of reporting one answer, without its callback; caps the attempt fee
    uint32 baseGas; // of a fulfil transaction, what the contract cannot measure: its base cost and its last steps
    uint16 byteGas; // of one byte of calldata, on average
}

/// @notice The price of an action, in wei.
struct Price {
    uint96 base;
    uint64 perMiB; // each MiB of `maxBytes`, rounded up
    uint64 perMiBMonth; // each MiB of `maxBytes` for 30 days of `expiry − now`
    uint16 attemptBps; // of the fee, earned by an honest failure; at most 1,000
    bool offered;
}

/// @title IEstuaryProvider
/// @notice What the owner of an EstuaryProvider does, and what it says about it. Consumers need only `IExecutionProvider`.
interface IEstuaryProvider is IExecutionProvider {
    /// @notice The price of `action` is now `price`; not offered when `price.offered` is false.
    event PriceChanged(uint16 indexed action, uint64 seq, Price price);
    /// @notice A unit of gas is now priced, and paid back to senders, at no more than `gasPriceCap` wei.
    event GasPriceCapChanged(uint64 seq, uint64 gasPriceCap);
    /// @notice New requests are refused (`paused`) or taken again. Everything else goes on.
    event IntakePausedChanged(uint64 seq, bool paused);
    /// @notice More was paid than the quote; the rest was credited.
    event SurplusCredited(bytes32 indexed requestId, uint64 seq, address indexed account, uint256 amount);
    /// @notice What the answers of one batch earned: `toSender` for its gas, `toSigners` split equally among the signers of the
    /// batch (its `OracleAnswered` name them), the remainder of the division to the one with the lowest address.
    event FeesEarned(address indexed sender, uint64 seq, uint256 toSender, uint256 toSigners);

    error EstuaryProvider_ConfigOutOfRange(bytes32 field);
    error EstuaryProvider_PriceOutOfRange();
    error EstuaryProvider_GasPriceCapOutOfRange(uint64 gasPriceCap, uint64 most);
    error EstuaryProvider_IntakePaused();
    error EstuaryProvider_DeadlineTooFar(uint40 deadline, uint40 latest);
    error EstuaryProvider_ContextTooLarge(uint256 size, uint256 most);
    error EstuaryProvider_ZeroRefundTo();
    /// @notice The payload of a pin is not `abi.encode(PinPayload)` with the size cap and expiry that were paid for.
    error EstuaryProvider_PayloadMismatch();

    /// @notice Sets the price of an action (owner). `offered = false` withdraws it; open requests are not touched.
    function setPrice(uint16 action, Price calldata price) external;
    /// @notice Sets the highest gas price that quotes count with and that senders get back (owner).
    function setGasPriceCap(uint64 gasPriceCap) external;
    /// @notice Stops or restarts the intake of requests (owner). Answers, refunds, cancellations, retries and
    /// withdrawals always work.
    function setIntakePaused(bool paused) external;
    function priceOf(uint16 action) external view returns (Price memory);
    function gasPriceCap() external view returns (uint64);
    function intakePaused() external view returns (bool);
    function config() external view returns (ProviderConfig memory);
}
