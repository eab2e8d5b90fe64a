// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IOracleConsumer
/// @notice What a provider calls back. `Oracle.sol` implements it and checks the caller.
interface IOracleConsumer {
    /// @param requestId the request that is answered
    /// @param context what the consumer gave with the request
    /// @param outcome one of `Outcomes`
    /// @param reason one of `Reasons`; NONE unless the outcome is FAILED
    /// @param result the action's result bytes; empty for a failure
    function onOracleResult(
        bytes32 requestId,
        bytes calldata context,
        uint8 outcome,
        uint8 reason,
        bytes calldata result
    ) external;
}
