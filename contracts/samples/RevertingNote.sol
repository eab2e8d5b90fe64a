// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IExecutionProvider } from "../interfaces/IExecutionProvider.sol";
import { PinnedNote } from "./PinnedNote.sol";

/// @title RevertingNote
/// @notice A PinnedNote that refuses answers until its owner lets them in: it shows that a callback which reverts loses
/// nothing.
/// @dev The request is answered and paid all the same; the provider keeps the answer and emits `CallbackFailed`. Once the
/// cause is mended (here: `setAccepting(true)`), anyone calls `retryCallback` at the provider with the same report.
contract RevertingNote is PinnedNote {
    event AcceptingChanged(bool accepting);

    error RevertingNote_NotAccepting();
    error RevertingNote_NotOwner(address caller);

    address public immutable owner;
    bool public accepting;

    constructor(IExecutionProvider provider_, uint32 callbackGas_) PinnedNote(provider_, callbackGas_) {
        owner = msg.sender;
    }

    /// @notice Lets answers in, or refuses them again.
    function setAccepting(bool accepting_) external {
        if (msg.sender != owner) revert RevertingNote_NotOwner(msg.sender);
        accepting = accepting_;
        emit AcceptingChanged(accepting_);
    }

    function _onResult(bytes32 requestId, bytes calldata context, uint8 outcome, uint8 reason, bytes calldata result)
        internal
        override
    {
        if (!accepting) revert RevertingNote_NotAccepting();
        super._onResult(requestId, context, outcome, reason, result);
    }
}
