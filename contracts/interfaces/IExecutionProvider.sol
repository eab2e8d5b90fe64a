// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Outcomes of a request, as reported by operators.
library Outcomes {
    uint8 internal constant NONE = 0;
    uint8 internal constant SUCCEEDED = 1;
    uint8 internal constant FAILED = 2;
}

/// @title Reasons of a failure: a closed enumeration, the same numbers off chain.
library Reasons {
    uint8 internal constant NONE = 0;
    uint8 internal constant INVALID_CONTENT = 1;
    uint8 internal constant NOT_FOUND = 2;
    uint8 internal constant STALLED = 3;
    uint8 internal constant TOO_LARGE = 4;
    uint8 internal constant TOO_MANY_BLOCKS = 5;
    uint8 internal constant REFUSED = 6;
    uint8 internal constant EXPIRED = 7;
    uint8 internal constant UNREACHABLE = 8;
}

/// @title Actions that operators may offer. A number is never reused.
library Actions {
    uint16 internal constant PIN = 1;
    uint16 internal constant UNPIN = 2;
    uint16 internal constant PREPARE = 3;
    uint16 internal constant SERVED = 4;
    uint16 internal constant DEAL_STATUS = 5;
}

/// @notice Payload of `Actions.PIN`: `abi.encode(PinPayload)`.
struct PinPayload {
    bytes cid; // canonical CID bytes (CIDv0: 34 bytes 0x1220…)
    address requester; // who asked the consumer; the owner of the pin
    uint64 maxBytes; // cap on unique block bytes
    uint40 expiry; // unix seconds at which the pin ends
    string[] origins; // multiaddrs ending in /p2p/…, at most 5
    string name; // free text, at most 255 bytes
}

/// @notice Payload of `Actions.UNPIN`: `abi.encode(UnpinPayload)`. Drops what `requester` holds of the CID
/// through the same consumer by requests with a lower seq.
struct UnpinPayload {
    bytes cid;
    address requester;
}

/// @notice What a consumer chooses beside the payload.
struct RequestOptions {
    uint32 callbackGas; // gas promised to `onOracleResult`, in the chain's own unit; 0 = no callback
    uint40 deadline; // unix seconds; after it anyone may refund
    address refundTo; // whose credit grows by what is not earned
}

/// @notice Everything a request id commits to. Comes back in calldata; only its hash is stored.
struct Terms {
    uint64 seq; // the provider's single event counter at the request
    address consumer;
    uint16 action;
    uint32 callbackGas;
    uint40 deadline;
    uint40 attemptUntil; // before it, `failed` is refused unless INVALID_CONTENT
    address refundTo;
    uint96 fee; // escrowed
    uint96 attemptFee; // earned when the answer is `failed`
    bytes32 payloadHash; // keccak256(payload)
    bytes32 contextHash; // keccak256(context)
}

/// @notice One answer, with what is needed to check it against the stored commitment.
struct Report {
    Terms terms;
    uint8 outcome;
    uint8 reason;
    bytes result; // at most 1 KiB; empty for a failure
    bytes context; // given back to the consumer
}

/// @title IExecutionProvider
/// @notice What a consumer needs of a provider of off-chain work. `Oracle.sol` takes it as a parameter.
interface IExecutionProvider {
    /// @notice Why a report in a batch was skipped rather than applied.
    enum Skip {
        None,
        Unknown, // no such open request: never made, or the terms do not hash to it
        Closed, // answered, refunded or cancelled before
        TooEarly, // `failed` before attemptUntil
        PastDeadline,
        BadReport // outcome, reason or result size not allowed
    }

    enum RequestState {
        None,
        Open,
        Cancelling,
        Answered,
        CallbackFailed, // answered, the callback reverted and may be retried
        Refunded
    }

    /// @notice A consumer asked. The payload and context are only here.
    event OracleRequested(
        bytes32 indexed requestId,
        address indexed consumer,
        uint16 indexed action,
        Terms terms,
        bytes payload,
        bytes context
    );
    /// @notice A request was answered and is closed.
    event OracleAnswered(
        bytes32 indexed requestId, uint64 seq, uint8 outcome, uint8 reason, bytes32 resultHash, uint256 signers
    );
    /// @notice The callback of an answered request reverted or ran out of its gas; anyone may `retryCallback`.
    event CallbackFailed(bytes32 indexed requestId, uint64 seq, bytes returned);
    /// @notice A kept callback went through.
    event CallbackRetried(bytes32 indexed requestId, uint64 seq);
    /// @notice A report was left out of a batch; the others stand. Carries no state change.
    event ReportSkipped(bytes32 indexed requestId, uint64 seq, Skip reason);
    /// @notice The consumer asked to cancel; an answer before `effectiveAt` still wins.
    event CancelRequested(bytes32 indexed requestId, uint64 seq, uint40 effectiveAt);
    /// @notice The escrow went back; the request is closed without an answer.
    event OracleRefunded(
        bytes32 indexed requestId, uint64 seq, address indexed refundTo, uint96 amount, bool cancelled
    );
    /// @notice A payee took its credit.
    event Withdrawn(address indexed account, uint64 seq, address to, uint256 amount);

    error EstuaryProvider_NotOffered(uint16 action);
    error EstuaryProvider_Underpaid(uint256 sent, uint256 needed);
    error EstuaryProvider_DeadlineTooNear(uint40 deadline, uint40 earliest);
    error EstuaryProvider_PayloadTooLarge(uint256 size, uint256 most);
    error EstuaryProvider_CallbackGasTooHigh(uint32 asked, uint32 most);
    error EstuaryProvider_NotOpen(bytes32 requestId);
    error EstuaryProvider_NotConsumer(address caller);
    error EstuaryProvider_NotRefundable(bytes32 requestId, uint40 from);
    error EstuaryProvider_NoKeptCallback(bytes32 requestId);
    error EstuaryProvider_CallbackReverted(bytes returned);
    error EstuaryProvider_GasTooLow(uint256 left, uint256 needed);
    error EstuaryProvider_NothingToWithdraw(address account);
    error EstuaryProvider_TransferFailed(address to);
    error EstuaryProvider_EmptyBatch();

    /// @notice The price of a request.
    /// @param action one of `Actions`
    /// @param maxBytes cap on unique block bytes (0 where the action has none)
    /// @param expiry unix seconds until which the work is to last (0 where the action has none)
    /// @param callbackGas gas promised to the callback
    /// @return fee what `request` must be paid
    /// @return attemptFee what of it is earned by an honest failure; at most a tenth of `fee`
    function quote(uint16 action, uint64 maxBytes, uint40 expiry, uint32 callbackGas)
        external
        view
        returns (uint96 fee, uint96 attemptFee);

    /// @notice Asks for off-chain work. `msg.sender` is the consumer. What is paid above the quote is credited to `refundTo`.
    function request(
        uint16 action,
        uint64 maxBytes,
        uint40 expiry,
        bytes calldata payload,
        bytes calldata context,
        RequestOptions calldata options
    ) external payable returns (bytes32 requestId);

    /// @notice Answers requests with a batch signed by k operators. See `OperatorSet` for the digest.
    /// @param configDigest the operator configuration that signed
    /// @param signatures 65 bytes each, ascending by signer address
    /// @return applied how many reports were applied; the others emitted `ReportSkipped`
    function fulfill(bytes32 configDigest, Report[] calldata reports, bytes[] calldata signatures)
        external
        returns (uint256 applied);

    /// @notice Starts a cancellation; only the consumer. Takes effect after `cancelDelay`; then anyone may `refund`.
    function cancel(Terms calldata terms) external;

    /// @notice Gives the escrow back after the deadline or a cancellation that took effect. By anyone.
    function refund(Terms calldata terms) external returns (uint96 amount);

    /// @notice Runs a kept callback again, with at least the promised gas. By anyone. Reverts with what the consumer said.
    function retryCallback(Report calldata report) external;

    /// @notice Pays out `msg.sender`'s credit to `to`.
    function withdraw(address payable to) external returns (uint256 amount);

    function creditOf(address account) external view returns (uint256);
    function stateOf(bytes32 requestId) external view returns (RequestState);
    function idOf(Terms calldata terms) external view returns (bytes32);
    /// @notice The seq that the next event will carry. Events have no gap below it.
    function nextSeq() external view returns (uint64);
    function minDeadline() external view returns (uint40);
    function cancelDelay() external view returns (uint40);
    function minAttempt() external view returns (uint40);
    function maxCallbackGas() external view returns (uint32);
}
