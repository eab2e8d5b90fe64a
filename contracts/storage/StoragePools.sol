// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Exit } from "../fvm/Actors.sol";
import { FilAddress } from "../fvm/FilAddress.sol";
import { PieceCid } from "../fvm/PieceCid.sol";
import { Podsi } from "../fvm/Podsi.sol";
import { CidHash } from "../interfaces/IEstuaryPinning.sol";
import { InclusionProof } from "../interfaces/IInclusionVerifier.sol";
import { DealTerms, DealView, IPerpetualStorage, SlotView } from "../interfaces/IPerpetualStorage.sol";
import { IStoragePools, PoolView, PooledPiece } from "../interfaces/IStoragePools.sol";
import { Cids } from "../pinning/Cids.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title StoragePools
/// @notice See IStoragePools. The money is PerpetualStorage's but for credits.
/// @dev A client like any other: PerpetualStorage knows nothing of pools. It never cancels a deal, so that all that PerpetualStorage
/// ever credits it is what `leave` takes; balance ≥ Σ credits. A share's price is value / shares. `value` counts what running slots
/// reserved and have not earned, so that nobody gains by coming just before a slot is lost and its money comes back.
contract StoragePools is IStoragePools, ReentrancyGuardTransient {
    /// @dev Shares for an attoFIL at the beginning of a round: as many as make rounding, which a gift to a deal with few shares could
    /// turn to account, worth nothing.
    uint256 private constant PER_ATTO = 1e18;
    /// @dev A share that has lost all but so small a part of its price is void, lest numbers grow without end.
    uint256 private constant MOST_LOSS = 1e9;

    struct Pool {
        bool open;
        uint8 copies;
        uint32 pieces;
        uint32 round;
        uint64 paddedSize;
        bytes32 commP;
        uint256 shares;
        mapping(uint32 round => mapping(address member => uint256)) sharesOf;
        mapping(address member => mapping(bytes32 commP => uint256 offsetAndOne)) joined;
    }

    IPerpetualStorage private immutable _storage;
    /// @inheritdoc IStoragePools
    uint64 public nextSeq;
    mapping(uint64 dealId => Pool) private _pools;
    mapping(address account => uint256) private _credits;

    constructor(IPerpetualStorage storage_) {
        _storage = storage_;
    }

    /// @notice From PerpetualStorage alone.
    receive() external payable {
        if (msg.sender != address(_storage)) revert StoragePools_NotStorage(msg.sender);
    }

    /// @inheritdoc IStoragePools
    function openPool(
        bytes calldata cid,
        bytes calldata pieceCid,
        uint64 paddedSize,
        uint64 carSize,
        DealTerms calldata terms
    ) external payable nonReentrant returns (uint64 dealId) {
        dealId = _storage.createDeal{ value: msg.value }(cid, pieceCid, paddedSize, carSize, terms);
        (bytes32 commP,,) = PieceCid.read(pieceCid);
        Pool storage p = _pools[dealId];
        (p.open, p.copies, p.paddedSize, p.commP) = (true, terms.replicas, paddedSize, commP);
        address opener = FilAddress.normalize(msg.sender);
        emit PoolOpened(dealId, opener, commP, _takeSeq(), paddedSize);
        if (msg.value != 0) _mint(dealId, p, opener, msg.value, 0);
    }

    /// @inheritdoc IStoragePools
    function join(uint64 dealId, PooledPiece calldata piece, InclusionProof calldata proof)
        external
        payable
        nonReentrant
    {
        Pool storage p = _pool(dealId);
        address member = FilAddress.normalize(msg.sender);
        (DealView memory deal, uint256 value) = _valueOf(dealId, p);
        uint256 price = _priceOf(deal, piece.paddedSize);
        if (msg.value < price || msg.value == 0) revert StoragePools_PriceNotPaid(msg.value, price);
        _include(dealId, p, member, piece, proof);
        _mint(dealId, p, member, msg.value, value);
        _storage.fund{ value: msg.value }(dealId);
    }

    /// @inheritdoc IStoragePools
    function pay(uint64 dealId, address member) external payable nonReentrant {
        Pool storage p = _pool(dealId);
        (, uint256 value) = _valueOf(dealId, p);
        _mint(dealId, p, FilAddress.normalize(member), msg.value, value);
        _storage.fund{ value: msg.value }(dealId);
    }

    /// @inheritdoc IStoragePools
    function leave(uint64 dealId, uint256 shares) external nonReentrant returns (uint256 amount) {
        Pool storage p = _pool(dealId);
        address member = FilAddress.normalize(msg.sender);
        uint256 held = p.sharesOf[p.round][member];
        if (shares == 0 || shares > held) revert StoragePools_NoShares(shares, held);
        (DealView memory deal, uint256 value) = _valueOf(dealId, p);
        amount = Math.mulDiv(deal.free, shares, p.shares);
        if (amount == 0) revert StoragePools_NothingFree(dealId);
        uint256 given = shares;
        // There is nobody to whom the rest could be left.
        if (shares == p.shares && value != deal.free) given = 0;
        p.sharesOf[p.round][member] = held - given;
        p.shares -= given;
        _credits[member] += amount;
        emit ShareLeft(dealId, member, _takeSeq(), given, amount);
        _storage.withdrawSurplus(dealId, uint96(amount)); // at most `free`
        _storage.withdrawEarned(address(this));
    }

    /// @inheritdoc IStoragePools
    function withdraw(address to) external nonReentrant returns (uint256 amount) {
        address account = FilAddress.normalize(msg.sender);
        amount = _credits[account];
        if (amount == 0) revert StoragePools_NothingToWithdraw(account);
        if (to == address(0)) revert StoragePools_TransferFailed(to);
        _credits[account] = 0;
        emit PoolWithdrawn(account, _takeSeq(), to, amount);
        if (FilAddress.pay(to, amount) != Exit.OK) revert StoragePools_TransferFailed(to);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IStoragePools
    function poolOf(uint64 dealId) external view returns (PoolView memory view_) {
        Pool storage p = _pool(dealId);
        (view_.commP, view_.paddedSize, view_.pieces, view_.shares) = (p.commP, p.paddedSize, p.pieces, p.shares);
        DealView memory deal;
        (deal, view_.value) = _valueOf(dealId, p);
        view_.free = deal.free;
        for (uint8 i = 0; i < p.copies; ++i) {
            (uint64 current,) = _storage.seatOf(dealId, i);
            SlotView memory s = _storage.slotOf(current);
            if (s.state != IPerpetualStorage.SlotState.Active || s.faulty || s.end <= block.number) continue;
            ++view_.active;
            if (view_.until == 0 || s.end < view_.until) view_.until = s.end;
        }
    }

    /// @inheritdoc IStoragePools
    function sharesOf(uint64 dealId, address member) external view returns (uint256) {
        Pool storage p = _pool(dealId);
        return p.sharesOf[p.round][FilAddress.normalize(member)];
    }

    /// @inheritdoc IStoragePools
    function priceOf(uint64 dealId, uint64 paddedSize) external view returns (uint256) {
        _pool(dealId);
        return _priceOf(_storage.dealOf(dealId), paddedSize);
    }

    /// @inheritdoc IStoragePools
    function pieceOf(uint64 dealId, address member, bytes32 commP) external view returns (bool joined, uint64 offset) {
        uint256 word = _pool(dealId).joined[FilAddress.normalize(member)][commP];
        return word == 0 ? (false, 0) : (true, uint64(word - 1));
    }

    /// @inheritdoc IStoragePools
    function creditOf(address account) external view returns (uint256) {
        return _credits[FilAddress.normalize(account)];
    }

    /// @inheritdoc IStoragePools
    function perpetualStorage() external view returns (address) {
        return address(_storage);
    }

    // ----------------------------------------------------------------- inside

    function _pool(uint64 dealId) private view returns (Pool storage p) {
        p = _pools[dealId];
        if (!p.open) revert StoragePools_UnknownPool(dealId);
    }

    /// @dev A pool's deal, and what its shares are worth together: what is free, and what its slots have reserved and not earned. Its
    /// seats are as many as they were, since nobody changes a pool's terms: at most 16.
    function _valueOf(uint64 dealId, Pool storage p) private view returns (DealView memory deal, uint256 value) {
        deal = _storage.dealOf(dealId);
        value = deal.free;
        for (uint8 i = 0; i < p.copies; ++i) {
            (uint64 current, uint64 next) = _storage.seatOf(dealId, i);
            value += _heldFor(current);
            if (next != 0) value += _heldFor(next);
        }
    }

    function _heldFor(uint64 slotId) private view returns (uint256) {
        SlotView memory s = _storage.slotOf(slotId);
        bool holds = s.state == IPerpetualStorage.SlotState.Claimed || s.state == IPerpetualStorage.SlotState.Published
            || s.state == IPerpetualStorage.SlotState.Active;
        return holds ? s.obligation - s.earned : 0;
    }

    function _priceOf(DealView memory deal, uint64 paddedSize) private pure returns (uint256) {
        DealTerms memory t = deal.terms;
        // Below 2^4 · 2^97 · 2^64.
        uint256 cost = t.replicas * (t.maxBounty + uint256(t.rate) * t.term);
        return Math.ceilDiv(cost * paddedSize, deal.paddedSize);
    }

    /// @dev A member's piece lies in the pool's aggregate, or this reverts.
    function _include(
        uint64 dealId,
        Pool storage p,
        address member,
        PooledPiece calldata piece,
        InclusionProof calldata proof
    ) private {
        (bytes32 commP, uint64 byCid,) = PieceCid.read(piece.pieceCid);
        if (byCid != 0 && byCid != piece.paddedSize) revert StoragePools_SizeMismatch(byCid, piece.paddedSize);
        if (p.joined[member][commP] != 0) revert StoragePools_AlreadyJoined(dealId, member, commP);
        uint64 offset = Podsi.requireIncluded(proof, commP, piece.paddedSize, p.commP, p.paddedSize);
        p.joined[member][commP] = uint256(offset) + 1;
        ++p.pieces;
        _joined(dealId, member, piece, commP, offset);
    }

    function _joined(uint64 dealId, address member, PooledPiece calldata piece, bytes32 commP, uint64 offset) private {
        uint64 seq = _takeSeq();
        CidHash cidHash = Cids.hashOf(piece.cid);
        emit PieceJoined(dealId, member, cidHash, seq, piece.cid, commP, piece.paddedSize, offset);
    }

    /// @dev Shares for what is about to be paid, at the price of before.
    function _mint(uint64 dealId, Pool storage p, address member, uint256 amount, uint256 value) private {
        uint256 shares;
        if (p.shares == 0 || value * PER_ATTO * MOST_LOSS < p.shares) {
            (p.round, p.shares) = (p.round + 1, 0);
            emit RoundBegun(dealId, _takeSeq(), p.round);
            shares = amount * PER_ATTO;
        } else {
            shares = Math.mulDiv(amount, p.shares, value);
        }
        p.sharesOf[p.round][member] += shares;
        p.shares += shares;
        emit SharePaid(dealId, member, _takeSeq(), msg.sender, amount, shares);
    }

    function _takeSeq() private returns (uint64 seq) {
        seq = nextSeq;
        nextSeq = seq + 1;
    }
}
