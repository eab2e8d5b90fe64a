// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Actors, Exit } from "../fvm/Actors.sol";
import { CborReader, Reader } from "../fvm/CborReader.sol";
import { Allocation, DataCapActor } from "../fvm/DataCapActor.sol";
import { TokensReceived } from "../fvm/Hooks.sol";
import { DealView, IPerpetualStorage, SlotView } from "../interfaces/IPerpetualStorage.sol";
import { ClaimFacts, IStorageGate } from "../interfaces/IStorageGate.sol";
import { MarketViews } from "./MarketViews.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title DataCapPurse
/// @notice DataCap that was sent for deals, deal by deal, and what claims were given of it.
/// @dev Who gives DataCap to a contract cannot say what for: f06 mints it with no operator's data, and with an allowance without end for the
/// market. So what comes without a name is nobody's until the steward says whose it is, and the allowance is cut back at once.
/// The market draws on one allowance for all deals of a client. So it is never more than what claims were granted, each once; and
/// a verified deal is authenticated for a granted claim alone and only to the letter (`Offers.whyNot`, and its label), so that a
/// provider cannot have two proposals for one grant: the market drops the second as a duplicate.
abstract contract DataCapPurse is MarketViews, ReentrancyGuardTransient {
    using CborReader for Reader;

    /// @dev builtin-actors, verifreg policy: 5 years.
    int64 private constant MAX_CLAIM_TERM = 5_256_000;

    /// @dev The market has taken it.
    uint64 private constant DRAWN = 1 << 63;

    /// @dev What a claim was given. The deadline tells it from other claims of the same slot.
    struct Grant {
        uint32 sealDeadline;
        uint64 size; // bytes; 0 = nothing
        uint64 id; // of the allocation, or DRAWN and the f05 deal's; 0 = allowed to the market
        uint64 minerId;
    }

    /// @inheritdoc IStorageGate
    mapping(uint64 dealId => uint256 bytes_) public dataCapOf;
    /// @notice DataCap that came back from the verified registry and has not been given to a deal again, in bytes.
    uint256 public returnedDataCap;
    /// @notice DataCap that came without a name and waits for the steward, in bytes.
    uint256 public unnamedDataCap;
    /// @dev What claims were granted and the market has not drawn, in bytes: all that it may draw.
    uint256 private _granted;
    /// @notice Who says whose unnamed DataCap is; where nobody does (0), it is refused.
    address public immutable steward;
    mapping(uint64 slotId => Grant) internal _grants;

    constructor(address steward_) {
        steward = steward_;
    }

    /// @inheritdoc IStorageGate
    function assignDataCap(uint64 dealId, uint256 bytes_) external nonReentrant {
        if (msg.sender != steward) revert StorageGate_NotSteward(msg.sender);
        if (unnamedDataCap < bytes_) revert StorageGate_NoDataCap(0, unnamedDataCap, bytes_);
        if (!_storage.dealOf(dealId).terms.verified) revert StorageGate_WrongState(dealId << 24);
        unnamedDataCap -= bytes_;
        dataCapOf[dealId] += bytes_;
        emit DataCapCredited(dealId, _takeSeq(), bytes_);
    }

    /// @inheritdoc IStorageGate
    function grantDataCap(uint64 slotId) external nonReentrant {
        (SlotView memory slot, uint64 size) = _spend(slotId);
        _given(slotId, slot, size, 0);
        _granted += size;
        int256 exit = _limitMarket();
        if (exit != Exit.OK) revert StorageGate_ActorFailed(exit);
    }

    /// @inheritdoc IStorageGate
    function allocateDataCap(uint64 slotId) external nonReentrant returns (uint64 allocationId) {
        (SlotView memory slot, uint64 size) = _spend(slotId);
        int64 termMin = int64(_payFrom(slotId, uint64(block.number)) - uint64(block.number) + slot.term);
        int256 exit;
        (exit, allocationId) = DataCapActor.allocate(
            Allocation({
                provider: slot.minerId,
                commitment: _storage.dealOf(slotId >> 24).commP,
                size: size,
                termMin: termMin,
                termMax: MAX_CLAIM_TERM,
                expiration: int64(uint64(slot.sealDeadline))
            })
        );
        if (exit != Exit.OK) revert StorageGate_ActorFailed(exit);
        _given(slotId, slot, size, allocationId);
    }

    /// @inheritdoc IStorageGate
    function reclaimDataCap(uint64 slotId) external nonReentrant {
        Grant memory grant = _grants[slotId];
        SlotView memory slot = _storage.slotOf(slotId);
        bool over = slot.state == IPerpetualStorage.SlotState.Open || slot.sealDeadline != grant.sealDeadline;
        if (grant.size == 0 || !over || _mayBeSpent(grant)) revert StorageGate_WrongState(slotId);
        delete _grants[slotId];
        if (grant.id != 0) {
            if (returnedDataCap < grant.size) {
                revert StorageGate_NoDataCap(slotId >> 24, returnedDataCap, grant.size);
            }
            returnedDataCap -= grant.size;
        } else {
            _granted -= grant.size;
            int256 exit = _limitMarket();
            if (exit != Exit.OK) revert StorageGate_ActorFailed(exit);
        }
        dataCapOf[slotId >> 24] += grant.size;
        emit DataCapReturned(slotId >> 24, slotId, _takeSeq(), grant.size);
    }

    /// @inheritdoc IStorageGate
    function extendClaim(uint64 slotId, uint64 claimId) external nonReentrant {
        (, DealView memory deal, SlotView memory slot) = _read(slotId);
        _onlyController(slot.minerId);
        if (slot.state != IPerpetualStorage.SlotState.Active || !deal.terms.verified) {
            revert StorageGate_WrongState(slotId);
        }
        ClaimFacts memory f = _claim(slot.minerId, claimId);
        bool fits = f.known && f.commP == deal.commP && f.paddedSize == deal.paddedSize && f.sector == slot.sector;
        if (!fits) revert StorageGate_WrongState(slotId);
        _draw(slotId >> 24, deal.paddedSize);
        emit DataCapSpent(slotId >> 24, slotId, _takeSeq(), deal.paddedSize, claimId);
        int64 termMax = int64(uint64(block.number)) - f.termStart + MAX_CLAIM_TERM;
        int256 exit = DataCapActor.extend(slot.minerId, claimId, deal.paddedSize, termMax);
        if (exit != Exit.OK) revert StorageGate_ActorFailed(exit);
    }

    // ----------------------------------------------------------------- inside

    /// @dev DataCap for a deal says so: its id as a CBOR number in the operator's data. What the verified registry gives back says
    /// nothing, and is kept for the claims that it was of.
    function _creditDataCap(TokensReceived memory t) internal returns (bool) {
        if (t.amount % DataCapActor.UNITS_PER_BYTE != 0) return false;
        uint256 size = t.amount / DataCapActor.UNITS_PER_BYTE;
        uint64 dealId;
        if (t.from == Actors.VERIFREG) {
            returnedDataCap += size;
        } else if (t.operatorData.length == 0 && steward != address(0)) {
            unnamedDataCap += size;
        } else {
            Reader memory r = CborReader.open(t.operatorData);
            dealId = r.u64();
            if (!r.done() || !_storage.dealOf(dealId).terms.verified) return false;
            dataCapOf[dealId] += size;
        }
        emit DataCapCredited(dealId, _takeSeq(), size);
        return _limitMarket() == Exit.OK;
    }

    /// @dev Whether what was taken for a grant may have been sealed with, or still be: then what came back is another's, though the
    /// slot lapsed. An allocation can be sealed until its deadline, and is then a claim; the market's cannot be asked for, so its
    /// deal is: f05 forgets one that was activated and terminated like one that never was.
    function _mayBeSpent(Grant memory grant) private view returns (bool) {
        if (grant.id == 0) return false;
        if (grant.id >= DRAWN) return msg.sender != steward && !_facts.missedStart(grant.id ^ DRAWN);
        return block.number <= grant.sealDeadline || _claim(grant.minerId, grant.id).known;
    }

    /// @dev Lets the market draw what was granted and not an atom more, whatever it could before.
    function _limitMarket() private returns (int256 exit) {
        uint256 now_;
        (exit, now_) = DataCapActor.marketAllowance(address(this));
        if (exit != Exit.OK) return exit;
        uint256 wanted = _granted * DataCapActor.UNITS_PER_BYTE;
        if (now_ > wanted) (exit,) = DataCapActor.decreaseMarketAllowance(now_ - wanted);
        else if (now_ < wanted) (exit,) = DataCapActor.increaseMarketAllowance(wanted - now_);
    }

    /// @dev Whether the market may draw the DataCap of a slot's claim now.
    function _isGranted(uint64 slotId) internal view returns (bool) {
        Grant storage grant = _grants[slotId];
        return grant.size != 0 && grant.id == 0 && grant.sealDeadline == _storage.slotOf(slotId).sealDeadline;
    }

    function _drawn(uint64 slotId, uint64 f05DealId) internal {
        Grant storage grant = _grants[slotId];
        if (grant.size == 0 || grant.id != 0) return;
        grant.id = DRAWN | f05DealId;
        _granted -= grant.size;
    }

    /// @inheritdoc MarketViews
    function _allocationOf(uint64 slotId) internal view override returns (uint64) {
        Grant storage grant = _grants[slotId];
        return grant.id < DRAWN && grant.sealDeadline == _storage.slotOf(slotId).sealDeadline ? grant.id : 0;
    }

    /// @dev Takes the DataCap for a verified claim from its deal.
    function _spend(uint64 slotId) private returns (SlotView memory slot, uint64 size) {
        DealView memory deal;
        (, deal, slot) = _read(slotId);
        _onlyController(slot.minerId);
        if (slot.state != IPerpetualStorage.SlotState.Claimed || !deal.terms.verified) {
            revert StorageGate_WrongState(slotId);
        }
        if (_grants[slotId].size != 0) revert StorageGate_WrongState(slotId);
        size = deal.paddedSize;
        _draw(slotId >> 24, size);
    }

    function _given(uint64 slotId, SlotView memory slot, uint64 size, uint64 allocationId) private {
        _grants[slotId] = Grant(slot.sealDeadline, size, allocationId, slot.minerId);
        emit DataCapSpent(slotId >> 24, slotId, _takeSeq(), size, allocationId);
    }

    function _claim(uint64 minerId, uint64 claimId) private view returns (ClaimFacts memory) {
        return _facts.claimFacts(minerId, claimId);
    }

    function _draw(uint64 dealId, uint64 size) private {
        uint256 has = dataCapOf[dealId];
        if (has < size) revert StorageGate_NoDataCap(dealId, has, size);
        dataCapOf[dealId] = has - size;
    }

    function _onlyController(uint64 minerId) private view {
        (, bool controls) = _facts.minerFacts(minerId, msg.sender);
        if (!controls) revert StorageGate_NotController(minerId, msg.sender);
    }
}
