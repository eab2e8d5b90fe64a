// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { DealRef, IDealStatusOracle } from "./IDealStatusOracle.sol";

/// @title IStatusDesk
/// @notice Where a contract asks what became of a deal or a sector, without knowing anything that is off chain.
/// @dev Operators answer with the location of the sector, which no contract can find, and with their word on the status at the
/// epoch of the request. With the location DealStatusOracle asks the actors, in the very call that brings the answer: what they say is
/// stored there, proven. Only where they say nothing that its table has, the operators' word stands, and is marked as such.
///
/// The payload of `Actions.DEAL_STATUS` is `abi.encode(DealRef)`, its result `abi.encode(uint8 status, uint64 epoch, bytes location)`: what
/// the actors said at the epoch of the request, as IDealStatusOracle numbers it and 255 where they said nothing, and
/// where the sector was. Contracts that want the answer in a call of their own ask the provider themselves, as StatusDesk does.
interface IStatusDesk {
    /// @notice The last answer for a reference. All 0: none yet.
    struct Answer {
        IDealStatusOracle.Status status;
        uint64 epoch; // at which it held
        bool proven; // by the actors; else k operators say so
    }

    event StatusRequested(
        bytes32 indexed requestId, bytes32 indexed refHash, address indexed asker, uint64 seq, DealRef ref
    );
    event StatusAnswered(
        bytes32 indexed requestId,
        bytes32 indexed refHash,
        IDealStatusOracle.Status indexed status,
        uint64 seq,
        uint64 epoch,
        bool proven
    );
    /// @notice Neither the actors nor the operators can say it. `reason` is one of `Reasons`, NONE where operators could look.
    event StatusUnknown(bytes32 indexed requestId, bytes32 indexed refHash, uint64 seq, uint8 reason);

    error StatusDesk_NoRefundee();

    /// @notice What `ask` must be paid.
    function quote(uint32 callbackGas) external view returns (uint96 fee);

    /// @notice Asks. Anyone may.
    /// @param callbackGas for the answer, in the chain's own unit: the actors are asked with it. Where it does not suffice, the answer is
    /// kept, and anyone may `retryCallback` at the provider with more
    /// @param refundTo gets credit at the provider for what is paid above the quote, and for the fee if nobody answers
    function ask(DealRef calldata ref, uint32 callbackGas, address refundTo)
        external
        payable
        returns (bytes32 requestId);

    function answerOf(DealRef calldata ref) external view returns (Answer memory);

    /// @notice The seq that the next event will carry.
    function nextSeq() external view returns (uint64);
}
