// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { FilAddress } from "../fvm/FilAddress.sol";
import { PieceCid } from "../fvm/PieceCid.sol";
import { DealsState, IDealDesk } from "../interfaces/IDealDesk.sol";
import { IEstuaryPinning } from "../interfaces/IEstuaryPinning.sol";
import {
    Actions,
    IExecutionProvider,
    Outcomes,
    PinPayload,
    RequestOptions,
    Terms
} from "../interfaces/IExecutionProvider.sol";
import { DealTerms, IPerpetualStorage } from "../interfaces/IPerpetualStorage.sol";
import { Oracle } from "../oracle/Oracle.sol";
import { Cids } from "../pinning/Cids.sol";

/// @title DealDesk
/// @notice See IDealDesk: deals for a CID whose piece nobody knows yet. What is kept of an order is who pays, how much, a hash of CID
/// and terms, and the answer.
/// @dev The escrow is this contract's balance: balance ≥ Σ value of orders that are Asked or Prepared + Σ credits.
abstract contract DealDesk is IDealDesk, Oracle {
    struct Order {
        address client;
        uint96 value;
        bytes32 commitment; // keccak256(abi.encode(cid, terms))
        bytes32 commP;
        DealsState state;
        uint64 paddedSize;
        uint64 carSize;
    }

    /// @inheritdoc IDealDesk
    IPerpetualStorage public immutable perpetualStorage;
    mapping(bytes32 requestId => Order) private _orders;
    mapping(address account => uint256) private _credits;

    constructor(IPerpetualStorage perpetualStorage_) {
        perpetualStorage = perpetualStorage_;
    }

    /// @inheritdoc IDealDesk
    function dealsOf(bytes32 requestId)
        external
        view
        returns (
            DealsState state,
            address client,
            uint96 value,
            bytes memory pieceCid,
            uint64 paddedSize,
            uint64 carSize
        )
    {
        Order storage o = _orders[requestId];
        pieceCid = o.commP == 0 ? bytes("") : PieceCid.v1(o.commP);
        return (o.state, o.client, o.value, pieceCid, o.paddedSize, o.carSize);
    }

    /// @inheritdoc IDealDesk
    function escrowCreditOf(address account) external view returns (uint256) {
        return _credits[account];
    }

    // ----------------------------------------------------------------- inside

    /// @param seq of the event
    function _makeDeals(
        bytes calldata cid,
        DealTerms calldata terms,
        uint64 maxBytes,
        RequestOptions memory options,
        uint64 seq
    ) internal returns (bytes32 requestId) {
        if (address(perpetualStorage) == address(0)) revert EstuaryPinning_NoDeals();
        uint96 value;
        (requestId, value) = _askPiece(cid, maxBytes, options);
        Order storage o = _orders[requestId];
        (o.client, o.value, o.state) = (msg.sender, value, DealsState.Asked);
        o.commitment = keccak256(abi.encode(cid, terms));
        emit DealsRequested(requestId, Cids.hashOf(cid), msg.sender, seq, cid, value, terms);
    }

    function _askPiece(bytes calldata cid, uint64 maxBytes, RequestOptions memory options)
        private
        returns (bytes32 requestId, uint96 value)
    {
        (uint96 fee,) = _quote(Actions.PREPARE, maxBytes, 0, options.callbackGas);
        if (msg.value < fee) revert IExecutionProvider.EstuaryProvider_Underpaid(msg.value, fee);
        if (msg.value - fee > type(uint96).max) revert EstuaryPinning_ValueTooLarge(msg.value - fee);
        value = uint96(msg.value - fee);
        PinPayload memory payload;
        (payload.cid, payload.requester, payload.maxBytes) = (cid, msg.sender, maxBytes);
        requestId = _request(
            Actions.PREPARE, maxBytes, 0, abi.encode(payload), abi.encode(uint256(Actions.PREPARE)), options, fee
        );
    }

    /// @dev The answer only writes down the piece, or gives the money back.
    function _prepared(bytes32 requestId, uint8 outcome, bytes calldata result, uint64 seq) internal {
        Order storage o = _orders[requestId];
        if (o.state != DealsState.Asked) revert EstuaryPinning_WrongDealsState(requestId, o.state);
        if (outcome != Outcomes.SUCCEEDED) return _refundDeals(requestId, o, seq);
        (bytes memory pieceCid, uint64 paddedSize, uint64 carSize) = abi.decode(result, (bytes, uint64, uint64));
        (bytes32 commP,,) = PieceCid.read(pieceCid);
        (o.state, o.commP, o.paddedSize, o.carSize) = (DealsState.Prepared, commP, paddedSize, carSize);
        emit DealsPrepared(requestId, seq, pieceCid, paddedSize, carSize);
    }

    function _openDeal(bytes32 requestId, bytes calldata cid, DealTerms calldata terms, uint64 seq)
        internal
        returns (uint64 dealId)
    {
        Order storage o = _orders[requestId];
        if (o.state != DealsState.Prepared) revert EstuaryPinning_WrongDealsState(requestId, o.state);
        if (keccak256(abi.encode(cid, terms)) != o.commitment) revert IEstuaryPinning.EstuaryPinning_ContextMismatch();
        (address client, uint96 value) = (o.client, o.value);
        (o.state, o.value) = (DealsState.Opened, 0);
        dealId = perpetualStorage.createDealFor{ value: value }(
            client, cid, PieceCid.v1(o.commP), o.paddedSize, o.carSize, terms
        );
        emit DealOpened(requestId, dealId, client, seq);
    }

    function _settleDeals(Terms calldata terms, uint64 seq) internal {
        bytes32 requestId = provider.idOf(terms);
        Order storage o = _orders[requestId];
        if (o.state != DealsState.Asked) revert EstuaryPinning_WrongDealsState(requestId, o.state);
        if (provider.stateOf(requestId) != IExecutionProvider.RequestState.Refunded) _refund(terms);
        _refundDeals(requestId, o, seq);
    }

    function _abandonDeals(bytes32 requestId, uint64 seq) internal {
        Order storage o = _orders[requestId];
        if (o.client != msg.sender) revert IEstuaryPinning.EstuaryPinning_NotRequester(msg.sender, o.client);
        if (o.state != DealsState.Prepared) revert EstuaryPinning_WrongDealsState(requestId, o.state);
        _refundDeals(requestId, o, seq);
    }

    function _withdrawEscrow(address to, uint64 seq) internal returns (uint256 amount) {
        amount = _credits[msg.sender];
        if (amount == 0) revert IExecutionProvider.EstuaryProvider_NothingToWithdraw(msg.sender);
        if (to == address(0)) revert IExecutionProvider.EstuaryProvider_TransferFailed(to);
        _credits[msg.sender] = 0;
        emit EscrowWithdrawn(msg.sender, seq, to, amount);
        if (FilAddress.pay(to, amount) != 0) revert IExecutionProvider.EstuaryProvider_TransferFailed(to);
    }

    function _refundDeals(bytes32 requestId, Order storage o, uint64 seq) private {
        uint96 value = o.value;
        (o.state, o.value) = (DealsState.Refunded, 0);
        _credits[o.client] += value;
        emit DealsRefunded(requestId, o.client, seq, value);
    }
}
