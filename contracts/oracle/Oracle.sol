// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {
    Actions,
    IExecutionProvider,
    PinPayload,
    RequestOptions,
    Terms,
    UnpinPayload
} from "../interfaces/IExecutionProvider.sol";
import { IOracleConsumer } from "../interfaces/IOracleConsumer.sol";

/// @title Oracle
/// @notice Inherit this to ask operators for off-chain work and to get their answer in `_onResult`.
/// @dev How to use it:
/// 1. pass the provider's address to the constructor;
/// 2. ask with `_requestPin`, `_requestUnpin` or `_request`, paying at least what `_quote` says. What is paid above it
///    is credited to `options.refundTo` at the provider, which that account takes with `withdraw`;
/// 3. put what you need to understand the answer into `context`: it comes back to `_onResult`, so no mapping from
///    request to thing is needed;
/// 4. in `_onResult`, look at the outcome before the result. It runs with `options.callbackGas`. If it reverts, the answer is
///    kept, and anyone may call `retryCallback` at the provider. It cannot ask anything itself: the provider takes no
///    request while it answers one.
/// Only the consumer may cancel a request, so offer a guarded function that calls `_cancel`.
abstract contract Oracle is IOracleConsumer {
    IExecutionProvider public immutable provider;

    error Oracle_ZeroProvider();
    error Oracle_NotProvider(address caller);

    constructor(IExecutionProvider provider_) {
        if (address(provider_) == address(0)) revert Oracle_ZeroProvider();
        provider = provider_;
    }

    /// @inheritdoc IOracleConsumer
    function onOracleResult(
        bytes32 requestId,
        bytes calldata context,
        uint8 outcome,
        uint8 reason,
        bytes calldata result
    ) external {
        if (msg.sender != address(provider)) revert Oracle_NotProvider(msg.sender);
        _onResult(requestId, context, outcome, reason, result);
    }

    /// @notice The answer to a request of this contract, at most once successfully for each.
    /// @param requestId what `_request` returned
    /// @param context what was given to `_request`
    /// @param outcome one of `Outcomes`
    /// @param reason one of `Reasons`; NONE unless the outcome is FAILED
    /// @param result for a pin `abi.encode(uint64 blocks, uint64 bytes)`; empty for an unpin and for a failure
    function _onResult(bytes32 requestId, bytes calldata context, uint8 outcome, uint8 reason, bytes calldata result)
        internal
        virtual;

    /// @notice What a request costs now, and what of it an honest failure earns.
    function _quote(uint16 action, uint64 maxBytes, uint40 expiry, uint32 callbackGas)
        internal
        view
        returns (uint96 fee, uint96 attemptFee)
    {
        return provider.quote(action, maxBytes, expiry, callbackGas);
    }

    /// @notice Asks and pays `value`, which must be at least the quote.
    function _request(
        uint16 action,
        uint64 maxBytes,
        uint40 expiry,
        bytes memory payload,
        bytes memory context,
        RequestOptions memory options,
        uint256 value
    ) internal returns (bytes32 requestId) {
        return provider.request{ value: value }(action, maxBytes, expiry, payload, context, options);
    }

    /// @notice Asks and pays exactly the quote out of this contract's balance.
    function _requestQuoted(
        uint16 action,
        uint64 maxBytes,
        uint40 expiry,
        bytes memory payload,
        bytes memory context,
        RequestOptions memory options
    ) internal returns (bytes32 requestId, uint96 fee) {
        (fee,) = _quote(action, maxBytes, expiry, options.callbackGas);
        requestId = _request(action, maxBytes, expiry, payload, context, options, fee);
    }

    /// @notice Asks to pin `pin.cid` until `pin.expiry`.
    function _requestPin(PinPayload memory pin, bytes memory context, RequestOptions memory options, uint256 value)
        internal
        returns (bytes32 requestId)
    {
        return _request(Actions.PIN, pin.maxBytes, pin.expiry, abi.encode(pin), context, options, value);
    }

    /// @notice Asks to drop what `unpin.requester` holds of `unpin.cid` through this contract.
    function _requestUnpin(
        UnpinPayload memory unpin,
        bytes memory context,
        RequestOptions memory options,
        uint256 value
    ) internal returns (bytes32 requestId) {
        return _request(Actions.UNPIN, 0, 0, abi.encode(unpin), context, options, value);
    }

    /// @notice Starts the cancellation of a request of this contract. `terms` are in its `OracleRequested` event.
    function _cancel(Terms memory terms) internal {
        provider.cancel(terms);
    }

    /// @notice Closes a request whose deadline has passed or whose cancellation took effect; its fee is credited to
    /// `terms.refundTo`. Anyone may also do this at the provider.
    function _refund(Terms memory terms) internal returns (uint96 amount) {
        return provider.refund(terms);
    }

    /// @notice Takes what this contract has been credited at the provider, if it was somebody's `refundTo`.
    function _withdrawCredit(address payable to) internal returns (uint256 amount) {
        return provider.withdraw(to);
    }
}
