// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { FilAddress } from "../fvm/FilAddress.sol";
import { DealProposal, Hooks } from "../fvm/Hooks.sol";
import { PieceCid } from "../fvm/PieceCid.sol";
import { DealView, IPerpetualStorage, SlotView } from "../interfaces/IPerpetualStorage.sol";
import { ICurioDealView, IFilecoinFacts, IStorageGate } from "../interfaces/IStorageGate.sol";
import { Spelling } from "./Spelling.sol";

/// @title MarketViews
/// @notice What Boost and Curio read of a slot.
abstract contract MarketViews is IStorageGate {
    IPerpetualStorage internal _storage;
    IFilecoinFacts internal _facts;
    uint64 internal _seq;

    /// @dev Boost puts itself in place of this provider, f00.
    bytes private constant NOBODY = hex"0000";

    // ------------------------------------------------------------------ Boost

    /// @inheritdoc IStorageGate
    function getDealProposal(bytes32 id) external view returns (bytes memory) {
        (uint64 slotId, DealView memory deal, SlotView memory slot) = _read(uint256(id));
        bool claimed = slot.state == IPerpetualStorage.SlotState.Claimed;
        if (!claimed && slot.state != IPerpetualStorage.SlotState.Open) revert DealNotFound(uint256(id));
        uint64 start = claimed ? slot.sealDeadline : uint64(block.number) + deal.terms.sealWindow;
        DealProposal memory p;
        (p.commitment, p.pieceSize, p.verified) = (deal.commP, deal.paddedSize, deal.terms.verified);
        (p.client, p.provider) = (FilAddress.toBytes(address(this)), NOBODY);
        (p.label, p.labelIsText) = (Spelling.label(slotId, deal.cid), true);
        p.startEpoch = int64(start);
        p.endEpoch = int64(_payFrom(slotId, start) + deal.terms.term);
        p.providerCollateral = deal.terms.minCollateral;
        return Hooks.encode(p);
    }

    /// @inheritdoc IStorageGate
    function getExtraParams(bytes32 id) external view returns (bytes memory) {
        (, DealView memory deal,) = _read(uint256(id));
        return Spelling.boostParams(deal.terms.endpoint, deal.commP, deal.carSize);
    }

    // ------------------------------------------------------------------ Curio

    /// @inheritdoc ICurioDealView
    function version() external pure returns (uint256) {
        return 1;
    }

    /// @inheritdoc ICurioDealView
    function verifyDeal(CurioDealView calldata v) external view returns (bool) {
        (uint64 slotId, DealView memory deal, SlotView memory slot) = _read(v.dealId);
        if (slot.state != IPerpetualStorage.SlotState.Claimed || slot.minerId != v.providerActorId) return false;
        if (v.state != CurioState.Open || v.finalizedEpoch != 0) return false;
        if (v.allocationId != _allocationOf(slotId)) return false;
        if (!_isPiece(v.pieceCidV2, deal)) return false;
        uint256 start = v.startEpoch == 0 ? block.number : v.startEpoch;
        if (start < block.number || start > slot.sealDeadline || v.duration > type(uint64).max) return false;
        return start + v.duration >= _payFrom(slotId, uint64(start)) + slot.term;
    }

    /// @inheritdoc ICurioDealView
    function getDealState(uint256 dealId) external view returns (CurioState) {
        (,, SlotView memory slot) = _read(dealId);
        if (slot.state == IPerpetualStorage.SlotState.Active) return CurioState.Active;
        return slot.state > IPerpetualStorage.SlotState.Active ? CurioState.Finalized : CurioState.Open;
    }

    // ----------------------------------------------------------------- inside

    /// @dev The allocation that was made for a slot's claim; 0 where there is none.
    function _allocationOf(uint64 slotId) internal view virtual returns (uint64);

    function _takeSeq() internal returns (uint64 seq) {
        seq = _seq;
        _seq = seq + 1;
    }

    /// @dev A slot that there is or was.
    function _read(uint256 id) internal view returns (uint64 slotId, DealView memory deal, SlotView memory slot) {
        if (id > type(uint64).max) revert DealNotFound(id);
        slotId = uint64(id);
        slot = _storage.slotOf(slotId);
        deal = _storage.dealOf(slotId >> 24);
        if (slot.state != IPerpetualStorage.SlotState.Open || slot.minerId != 0) return (slotId, deal, slot);
        (uint64 current, uint64 next) = _storage.seatOf(slotId >> 24, uint8(slotId >> 16));
        bool open = deal.status == IPerpetualStorage.DealStatus.Open && uint8(slotId >> 16) < deal.terms.replicas;
        if (!open || (slotId != current && slotId != next)) revert DealNotFound(id);
    }

    function _payFrom(uint64 slotId, uint64 start) internal view returns (uint64 from) {
        from = start;
        (uint64 current, uint64 next) = _storage.seatOf(slotId >> 24, uint8(slotId >> 16));
        if (slotId != next) return from;
        uint64 end = _storage.slotOf(current).end;
        if (end > from) from = end;
    }

    function _isPiece(bytes calldata pieceCid, DealView memory deal) private pure returns (bool) {
        // Curio has checked the form; a malformed one has no business here and may revert.
        (bytes32 commP, uint64 paddedSize,) = PieceCid.read(pieceCid);
        return commP == deal.commP && (paddedSize == 0 || paddedSize == deal.paddedSize);
    }
}
