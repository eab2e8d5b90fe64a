// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Exit } from "../fvm/Actors.sol";
import { FilAddress } from "../fvm/FilAddress.sol";
import { PieceCid } from "../fvm/PieceCid.sol";
import {
    Actions,
    IExecutionProvider,
    Outcomes,
    PinPayload,
    RequestOptions,
    Terms
} from "../interfaces/IExecutionProvider.sol";
import {
    DealTerms,
    DealView,
    IPerpetualStorage,
    OpenSlot,
    PublishedDeal,
    SectorPiece,
    SlotView
} from "../interfaces/IPerpetualStorage.sol";
import { IProviderRegistry } from "../interfaces/IProviderRegistry.sol";
import { IFilecoinFacts } from "../interfaces/IStorageGate.sol";
import { Oracle } from "../oracle/Oracle.sol";
import { Book, Books, Deal } from "./Book.sol";
import { Deals, Piece } from "./Deals.sol";
import { Listing } from "./Listing.sol";
import { Proofs } from "./Proofs.sol";
import { Slots } from "./Slots.sol";
import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @notice What PerpetualStorage is built with; none of it changes later.
struct StorageConfig {
    address gate; // StorageGate
    IFilecoinFacts facts; // of that gate
    IProviderRegistry registry;
    address owner; // may pause the intake, and nothing else
    string baseUrl; // where pieces of deals without an endpoint are fetched; ends in '/'
    uint64 mostMaxBytes; // highest size cap of a `prepareDeal`
    uint40 requestTerm; // seconds until a request that was not answered is refunded
    uint32 callbackGas; // promised to the callback of an answer, in the chain's own unit: 250,000 on an EVM
}

/// @title PerpetualStorage
/// @notice See IPerpetualStorage. The money is here; what happens to it is in the libraries Deals, Slots and Proofs, what is shown in
/// Listing, all linked and working on one Book.
/// @dev balance ≥ Σ free + Σ (obligation − earned) of Claimed, Published and Active slots + Σ bonds + Σ credits + burnable, and
/// equal unless somebody forced money in. Every entry point that changes something is guarded against reentrancy; the gate takes
/// a refusal for that like any other. The owner can stop deals, claims and renewals from being begun; it reaches no money.
contract PerpetualStorage is IPerpetualStorage, Oracle, Ownable, ReentrancyGuardTransient {
    using Books for Book;

    uint64 public immutable mostMaxBytes;
    uint40 public immutable requestTerm;
    uint32 public immutable callbackGas;

    Book private _book;
    string private _baseUrl;

    constructor(IExecutionProvider provider_, StorageConfig memory c) Oracle(provider_) Ownable(c.owner) {
        if (c.gate == address(0)) revert PerpetualStorage_TermsOutOfRange("gate");
        if (address(c.facts) == address(0)) revert PerpetualStorage_TermsOutOfRange("facts");
        if (address(c.registry) == address(0)) revert PerpetualStorage_TermsOutOfRange("registry");
        if (c.requestTerm < provider_.minDeadline()) revert PerpetualStorage_TermsOutOfRange("requestTerm");
        if (c.callbackGas == 0 || c.callbackGas > provider_.maxCallbackGas()) {
            revert PerpetualStorage_TermsOutOfRange("callbackGas");
        }
        (_book.gate, _book.facts, _book.registry, _book.nextDeal) = (c.gate, c.facts, c.registry, 1);
        _baseUrl = c.baseUrl;
        (mostMaxBytes, requestTerm, callbackGas) = (c.mostMaxBytes, c.requestTerm, c.callbackGas);
    }

    // ---------------------------------------------------------------- clients

    /// @inheritdoc IPerpetualStorage
    function createDeal(
        bytes calldata cid,
        bytes calldata pieceCid,
        uint64 paddedSize,
        uint64 carSize,
        DealTerms calldata terms
    ) external payable nonReentrant returns (uint64 dealId) {
        return _create(msg.sender, cid, pieceCid, paddedSize, carSize, terms);
    }

    /// @inheritdoc IPerpetualStorage
    function createDealFor(
        address client,
        bytes calldata cid,
        bytes calldata pieceCid,
        uint64 paddedSize,
        uint64 carSize,
        DealTerms calldata terms
    ) external payable nonReentrant returns (uint64 dealId) {
        return _create(client, cid, pieceCid, paddedSize, carSize, terms);
    }

    /// @inheritdoc IPerpetualStorage
    function prepareDeal(bytes calldata cid, uint64 maxBytes, uint96 prepareFee, DealTerms calldata terms)
        external
        payable
        nonReentrant
        returns (uint64 dealId, bytes32 requestId)
    {
        if (prepareFee > msg.value) revert PerpetualStorage_AmountTooLarge(prepareFee, msg.value);
        if (maxBytes == 0 || maxBytes > mostMaxBytes) revert PerpetualStorage_TermsOutOfRange("maxBytes");
        dealId = Deals.create(_book, msg.sender, cid, Piece(0, 0, 0), msg.value - prepareFee, terms);
        PinPayload memory payload;
        (payload.cid, payload.requester, payload.maxBytes) = (cid, msg.sender, maxBytes);
        requestId = _request(
            Actions.PREPARE,
            maxBytes,
            0,
            abi.encode(payload),
            abi.encode(Actions.PREPARE, dealId),
            _options(),
            prepareFee
        );
    }

    /// @inheritdoc IPerpetualStorage
    function settlePrepare(Terms calldata terms, bytes calldata context) external nonReentrant {
        if (terms.consumer != address(this) || keccak256(context) != terms.contextHash) {
            revert PerpetualStorage_Refused("context");
        }
        (uint16 action, uint64 dealId) = abi.decode(context, (uint16, uint64));
        if (action != Actions.PREPARE) revert PerpetualStorage_Refused("context");
        if (provider.stateOf(provider.idOf(terms)) != IExecutionProvider.RequestState.Refunded) _refund(terms);
        Deals.bindPiece(_book, dealId, Piece(0, 0, 0));
    }

    /// @inheritdoc IPerpetualStorage
    function requestServed(uint64 dealId) external payable nonReentrant returns (bytes32 requestId) {
        Deal storage d = _book.deals[dealId];
        if (d.status != DealStatus.Open) revert PerpetualStorage_WrongStatus(dealId, d.status);
        string memory endpoint = bytes(d.endpoint).length == 0 ? _baseUrl : d.endpoint;
        uint64 maxBytes = uint64(1) << d.log2Size;
        requestId = _request(
            Actions.SERVED,
            maxBytes,
            0,
            abi.encode(ServedPayload(PieceCid.v1(d.commP), msg.sender, endpoint)),
            abi.encode(Actions.SERVED, dealId),
            _options(),
            msg.value
        );
    }

    /// @inheritdoc IPerpetualStorage
    function fund(uint64 dealId) external payable nonReentrant {
        Deals.fund(_book, dealId, msg.value);
    }

    /// @inheritdoc IPerpetualStorage
    function fundMany(uint64[] calldata dealIds, uint96[] calldata amounts) external payable nonReentrant {
        Deals.fundMany(_book, dealIds, amounts, msg.value);
    }

    /// @inheritdoc IPerpetualStorage
    function changeBounty(uint64 dealId, uint80 baseBounty, uint32 ramp) external nonReentrant {
        Deals.changeBounty(_book, dealId, baseBounty, ramp);
    }

    /// @inheritdoc IPerpetualStorage
    function changeMaxPrice(uint64 dealId, uint80 maxBounty, uint64 rate) external nonReentrant {
        Deals.changeMaxPrice(_book, dealId, maxBounty, rate);
    }

    /// @inheritdoc IPerpetualStorage
    function changeReplicas(uint64 dealId, uint8 replicas) external nonReentrant {
        Deals.changeReplicas(_book, dealId, replicas);
    }

    /// @inheritdoc IPerpetualStorage
    function changeEndEpoch(uint64 dealId, uint32 endEpoch) external nonReentrant {
        Deals.changeEndEpoch(_book, dealId, endEpoch);
    }

    /// @inheritdoc IPerpetualStorage
    function changeDataCap(uint64 dealId, bool verified) external nonReentrant {
        Deals.changeDataCap(_book, dealId, verified);
    }

    /// @inheritdoc IPerpetualStorage
    function suspend(uint64 dealId) external nonReentrant {
        Deals.suspend(_book, dealId);
    }

    /// @inheritdoc IPerpetualStorage
    function resume(uint64 dealId) external nonReentrant {
        Deals.resume(_book, dealId);
    }

    /// @inheritdoc IPerpetualStorage
    function cancel(uint64 dealId) external nonReentrant {
        Deals.cancel(_book, dealId);
    }

    /// @inheritdoc IPerpetualStorage
    function withdrawSurplus(uint64 dealId, uint96 amount) external nonReentrant {
        Deals.withdrawSurplus(_book, dealId, amount);
    }

    // -------------------------------------------------------------- providers

    /// @inheritdoc IPerpetualStorage
    function claimDeal(uint64 dealId, uint8 index, uint64 minerId) external payable nonReentrant {
        Slots.claim(_book, dealId, index, minerId, msg.value);
    }

    /// @inheritdoc IPerpetualStorage
    function releaseClaim(uint64 slotId) external nonReentrant {
        Slots.release(_book, slotId);
    }

    /// @inheritdoc IPerpetualStorage
    function publishDeal(uint64 slotId, uint64 f05DealId) external nonReentrant {
        Slots.publishDeal(_book, slotId, f05DealId);
    }

    /// @inheritdoc IPerpetualStorage
    function activateByClaim(uint64 slotId, uint64 claimId) external nonReentrant {
        Slots.activateByClaim(_book, slotId, claimId);
    }

    /// @inheritdoc IPerpetualStorage
    function proveActive(uint64[] calldata slotIds, bytes[] calldata aux) external nonReentrant {
        Proofs.proveActive(_book, slotIds, aux);
    }

    /// @inheritdoc IPerpetualStorage
    function terminateDeal(uint64 slotId) external nonReentrant {
        Proofs.terminate(_book, slotId);
    }

    /// @inheritdoc IPerpetualStorage
    function renewByExtension(uint64 slotId, bytes calldata aux) external payable nonReentrant {
        Proofs.renewByExtension(_book, slotId, aux, msg.value);
    }

    /// @inheritdoc IPerpetualStorage
    function setPayee(uint64[] calldata slotIds, address payee) external nonReentrant {
        Proofs.setPayee(_book, slotIds, payee);
    }

    /// @inheritdoc IPerpetualStorage
    function withdrawEarned(address to) external nonReentrant returns (uint256 amount) {
        address account = FilAddress.normalize(msg.sender);
        amount = _book.credits[account];
        if (amount == 0) revert PerpetualStorage_NothingToWithdraw(account);
        if (to == address(0)) revert PerpetualStorage_TransferFailed(to);
        _book.credits[account] = 0;
        emit Withdrawn(account, _book.takeSeq(), to, amount);
        if (FilAddress.pay(to, amount) != Exit.OK) revert PerpetualStorage_TransferFailed(to);
    }

    // ----------------------------------------------------------------- anyone

    /// @inheritdoc IPerpetualStorage
    function expireClaim(uint64 slotId) external nonReentrant {
        Slots.expire(_book, slotId);
    }

    /// @inheritdoc IPerpetualStorage
    function checkDeal(uint64 slotId, uint8 status, bytes calldata aux) external nonReentrant {
        Proofs.check(_book, slotId, status, aux);
    }

    /// @inheritdoc IPerpetualStorage
    function checkMany(uint64[] calldata slotIds, uint8[] calldata statuses, bytes[] calldata aux)
        external
        nonReentrant
    {
        Proofs.checkMany(_book, slotIds, statuses, aux);
    }

    /// @inheritdoc IPerpetualStorage
    function openRenewal(uint64 dealId, uint8 index) external nonReentrant returns (uint64 slotId) {
        return Proofs.openRenewal(_book, dealId, index);
    }

    /// @inheritdoc IPerpetualStorage
    function burn() external nonReentrant {
        uint96 amount = _book.burnable;
        if (amount == 0) revert PerpetualStorage_ZeroAmount();
        _book.burnable = 0;
        emit Burnt(_book.takeSeq(), amount);
        if (FilAddress.burn(amount) != Exit.OK) revert PerpetualStorage_TransferFailed(FilAddress.masked(99));
    }

    /// @notice Stops new deals, claims and renewals, or lets them begin again. Everything else goes on.
    function setIntakePaused(bool paused) external onlyOwner nonReentrant {
        _book.paused = paused;
        emit IntakePausedChanged(_book.takeSeq(), paused);
    }

    // --------------------------------------------------------------- the gate

    /// @inheritdoc IPerpetualStorage
    function onPublished(uint64 slotId, PublishedDeal calldata deal) external nonReentrant returns (bool accepted) {
        _onlyGate();
        return Slots.published(_book, slotId, deal);
    }

    /// @inheritdoc IPerpetualStorage
    function onActivated(uint64 slotId, SectorPiece calldata piece) external nonReentrant returns (bool accepted) {
        _onlyGate();
        return Slots.activated(_book, slotId, piece);
    }

    /// @inheritdoc IPerpetualStorage
    function whyNot(uint64 slotId, PublishedDeal calldata deal) external view returns (bytes32) {
        if (_reentrancyGuardEntered()) return "busy";
        return Listing.whyNot(_book, slotId, deal);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IPerpetualStorage
    function dealOf(uint64 dealId) external view returns (DealView memory view_) {
        view_ = Listing.dealOf(_book, dealId);
        if (bytes(view_.terms.endpoint).length == 0) view_.terms.endpoint = _baseUrl;
    }

    /// @inheritdoc IPerpetualStorage
    function slotOf(uint64 slotId) external view returns (SlotView memory) {
        return Listing.slotOf(_book, slotId);
    }

    /// @inheritdoc IPerpetualStorage
    function seatOf(uint64 dealId, uint8 index) external view returns (uint64 current, uint64 next) {
        current = Books.slotIdOf(dealId, index, _book.seatAt(dealId, index).current);
        if (_book.seatAt(dealId, index).hasNext) {
            next = Books.slotIdOf(dealId, index, _book.seatAt(dealId, index).next);
        }
    }

    /// @inheritdoc IPerpetualStorage
    function creditOf(address account) external view returns (uint256) {
        return _book.credits[FilAddress.normalize(account)];
    }

    /// @inheritdoc IPerpetualStorage
    function quoteBounty(uint64 slotId) external view returns (uint96) {
        return Listing.quoteBounty(_book, slotId);
    }

    /// @inheritdoc IPerpetualStorage
    function previewClaim(uint64 slotId, uint64 minerId, address caller)
        external
        view
        returns (bytes32 reason, uint96 bond, uint96 obligation)
    {
        return Listing.previewClaim(_book, slotId, minerId, caller);
    }

    /// @inheritdoc IPerpetualStorage
    function openSlots(uint64 cursor, uint256 limit) external view returns (OpenSlot[] memory list, uint64 next) {
        return Listing.openSlots(_book, cursor, limit);
    }

    /// @inheritdoc IPerpetualStorage
    function nextOpening(uint64 dealId) external view returns (uint32 epoch) {
        return Listing.nextOpening(_book, dealId);
    }

    /// @inheritdoc IPerpetualStorage
    function sourcesOf(uint64 dealId) external view returns (uint64[] memory minerIds, string[] memory endpoints) {
        return Listing.sourcesOf(_book, dealId);
    }

    /// @inheritdoc IPerpetualStorage
    function checker(uint64 cursor, uint256 limit) external view returns (bool canExec, bytes memory execPayload) {
        return Listing.checker(_book, cursor, limit);
    }

    /// @inheritdoc IPerpetualStorage
    function quotePrepare(uint64 maxBytes) external view returns (uint96 fee) {
        (fee,) = _quote(Actions.PREPARE, maxBytes, 0, callbackGas);
    }

    /// @inheritdoc IPerpetualStorage
    function quoteServed(uint64 dealId) external view returns (uint96 fee) {
        (fee,) = _quote(Actions.SERVED, uint64(1) << _book.deals[dealId].log2Size, 0, callbackGas);
    }

    /// @inheritdoc IPerpetualStorage
    function burnable() external view returns (uint256) {
        return _book.burnable;
    }

    /// @inheritdoc IPerpetualStorage
    function nextSeq() external view returns (uint64) {
        return _book.seq;
    }

    /// @inheritdoc IPerpetualStorage
    function nextDeal() external view returns (uint64) {
        return _book.nextDeal;
    }

    /// @inheritdoc IPerpetualStorage
    function gate() external view returns (address) {
        return _book.gate;
    }

    /// @inheritdoc IPerpetualStorage
    function facts() external view returns (address) {
        return address(_book.facts);
    }

    /// @inheritdoc IPerpetualStorage
    function registry() external view returns (address) {
        return address(_book.registry);
    }

    // ----------------------------------------------------------------- inside

    function _create(
        address client,
        bytes calldata cid,
        bytes calldata pieceCid,
        uint64 paddedSize,
        uint64 carSize,
        DealTerms calldata terms
    ) private returns (uint64) {
        (bytes32 commP, uint64 said,) = PieceCid.read(pieceCid);
        if (commP == 0 || (said != 0 && said != paddedSize)) revert PerpetualStorage_TermsOutOfRange("pieceCid");
        return Deals.create(_book, client, cid, Piece(commP, paddedSize, carSize), msg.value, terms);
    }

    /// @dev Answers to `prepare` and `served`. One that says nothing sensible counts as a failure.
    function _onResult(bytes32, bytes calldata context, uint8 outcome, uint8, bytes calldata result)
        internal
        override
        nonReentrant
    {
        (uint16 action, uint64 dealId) = abi.decode(context, (uint16, uint64));
        bool good = outcome == Outcomes.SUCCEEDED;
        if (action == Actions.SERVED) {
            if (good && _book.deals[dealId].status == DealStatus.Open) Deals.served(_book, dealId);
            return;
        }
        if (!good) return Deals.bindPiece(_book, dealId, Piece(0, 0, 0));
        (bytes memory pieceCid, uint64 paddedSize, uint64 carSize) = abi.decode(result, (bytes, uint64, uint64));
        (bytes32 commP,,) = PieceCid.read(pieceCid);
        Deals.bindPiece(_book, dealId, Piece(commP, paddedSize, carSize));
    }

    function _options() private view returns (RequestOptions memory options) {
        options.callbackGas = callbackGas;
        options.deadline = uint40(block.timestamp) + requestTerm;
        options.refundTo = msg.sender;
    }

    function _onlyGate() private view {
        if (msg.sender != _book.gate) revert PerpetualStorage_NotGate(msg.sender);
    }
}

/// @notice Payload of `Actions.SERVED`: `abi.encode(ServedPayload)`.
struct ServedPayload {
    bytes pieceCid;
    address requester;
    string endpoint;
}
