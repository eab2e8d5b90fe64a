// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { FilAddress } from "../fvm/FilAddress.sol";
import { IPerpetualStorage } from "../interfaces/IPerpetualStorage.sol";
import { Book, Books, Deal, Seat, Slot } from "./Book.sol";
import { Offers } from "./Offers.sol";
import { Rules } from "./Rules.sol";
import { Slots } from "./Slots.sol";

/// @title Proofs
/// @notice What Active slots earn, how they end and how they are followed: one of the libraries that PerpetualStorage is linked with.
/// @dev A proof shows a sector as it is now (FIP-0112). Time between two proofs counts if both say Active and nobody showed it faulty
/// between them; of a longer time than Rules.MAX_PROOF_GAP, only so much. What cannot be shown changes nothing.
library Proofs {
    using Books for Book;
    using Books for Deal;
    using Offers for Book;

    function proveActive(Book storage b, uint64[] calldata slotIds, bytes[] calldata aux) external {
        if (slotIds.length != aux.length) revert IPerpetualStorage.PerpetualStorage_LengthMismatch();
        for (uint256 i = 0; i < slotIds.length; ++i) {
            if (b.slots[slotIds[i]].state == IPerpetualStorage.SlotState.Published) {
                Slots.activateMarket(b, slotIds[i]);
                if (aux[i].length == 0) continue;
            }
            _prove(b, slotIds[i], aux[i]);
        }
    }

    function check(Book storage b, uint64 slotId, uint8 status, bytes calldata aux) external {
        bytes32 why = _check(b, slotId, status, aux);
        if (why == "state") revert IPerpetualStorage.PerpetualStorage_WrongState(slotId, b.slots[slotId].state);
        if (why != 0) revert IPerpetualStorage.PerpetualStorage_NotProven(slotId);
    }

    function checkMany(Book storage b, uint64[] calldata slotIds, uint8[] calldata statuses, bytes[] calldata aux)
        external
    {
        if (slotIds.length != statuses.length || slotIds.length != aux.length) {
            revert IPerpetualStorage.PerpetualStorage_LengthMismatch();
        }
        for (uint256 i = 0; i < slotIds.length; ++i) {
            _check(b, slotIds[i], statuses[i], aux[i]);
        }
    }

    function terminate(Book storage b, uint64 slotId) external {
        Slot storage s = _active(b, slotId);
        _onlyController(b, s.minerId);
        if (block.number >= s.end) b.close(slotId, IPerpetualStorage.SlotState.Ended, true, false);
        else b.close(slotId, IPerpetualStorage.SlotState.Terminated, false, false);
    }

    function openRenewal(Book storage b, uint64 dealId, uint8 index) external returns (uint64 slotId) {
        Seat storage seat = b.seatAt(dealId, index);
        if (seat.hasNext) revert IPerpetualStorage.PerpetualStorage_Refused("has next");
        _checkRenewal(b, dealId, index);
        return _openNext(b, seat, dealId, index);
    }

    function renewByExtension(Book storage b, uint64 slotId, bytes calldata aux, uint256 value) external {
        Slot storage s = _active(b, slotId);
        _onlyController(b, s.minerId);
        if (s.route == IPerpetualStorage.Route.Market) revert IPerpetualStorage.PerpetualStorage_Refused("route");
        (uint64 dealId, uint8 index) = (Books.dealOf(slotId), Books.indexOf(slotId));
        Seat storage seat = b.seatAt(dealId, index);
        if (seat.current != uint16(slotId)) revert IPerpetualStorage.PerpetualStorage_Refused("not current");
        _checkRenewal(b, dealId, index);
        if (s.faulty || !b.facts.sectorIs(s.minerId, s.sector, Rules.ACTIVE, aux)) {
            revert IPerpetualStorage.PerpetualStorage_NotProven(slotId);
        }
        Deal storage d = b.deals[dealId];
        if (b.facts.sectorExpiration(s.minerId, s.sector) < uint256(s.end) + d.term) {
            revert IPerpetualStorage.PerpetualStorage_Refused("expiration");
        }
        uint64 nextId = seat.hasNext ? Books.slotIdOf(dealId, index, seat.next) : _openNext(b, seat, dealId, index);
        _extend(b, slotId, nextId, value);
    }

    function setPayee(Book storage b, uint64[] calldata slotIds, address payee) external {
        if (payee == address(0)) revert IPerpetualStorage.PerpetualStorage_TransferFailed(payee);
        payee = FilAddress.normalize(payee);
        (bool found, uint64 callerId) = FilAddress.idOf(msg.sender);
        for (uint256 i = 0; i < slotIds.length; ++i) {
            Slot storage s = b.slots[slotIds[i]];
            (uint64 ownerId,) = b.facts.minerFacts(s.minerId, msg.sender);
            if (!found || ownerId == 0 || ownerId != callerId) {
                revert IPerpetualStorage.PerpetualStorage_NotOwnerOfMiner(s.minerId, msg.sender);
            }
            s.payee = payee;
            emit IPerpetualStorage.PayeeChanged(Books.dealOf(slotIds[i]), slotIds[i], b.takeSeq(), payee);
        }
    }

    // ----------------------------------------------------------------- inside

    function _prove(Book storage b, uint64 slotId, bytes calldata aux) private {
        Slot storage s = _active(b, slotId);
        if (!b.facts.sectorIs(s.minerId, s.sector, Rules.ACTIVE, aux)) {
            revert IPerpetualStorage.PerpetualStorage_NotProven(slotId);
        }
        uint32 now_ = uint32(block.number);
        if (s.faulty) s.faulty = false;
        else s.proven += _counted(s, now_);
        s.lastProof = now_;
        uint96 earned = uint96(uint256(s.obligation) * s.proven / s.term);
        b.credit(s.payee, earned - s.earned);
        s.earned = earned;
        emit IPerpetualStorage.SlotProven(Books.dealOf(slotId), slotId, b.takeSeq(), now_, s.proven, earned);
        if (now_ >= s.end) b.close(slotId, IPerpetualStorage.SlotState.Ended, true, false);
    }

    /// @dev Epochs between the last proof and this one, as far as they are of the term and of the longest gap.
    function _counted(Slot storage s, uint32 now_) private view returns (uint32) {
        uint32 from = s.lastProof > s.start ? s.lastProof : s.start;
        uint32 to = now_ < s.end ? now_ : s.end;
        if (to <= from) return 0;
        return to - from < Rules.MAX_PROOF_GAP ? to - from : uint32(Rules.MAX_PROOF_GAP);
    }

    /// @return why 0; "state" or "not proven" when nothing was done
    function _check(Book storage b, uint64 slotId, uint8 status, bytes calldata aux) private returns (bytes32 why) {
        Slot storage s = b.slots[slotId];
        if (s.state != IPerpetualStorage.SlotState.Active) return "state";
        if (block.number >= s.end) {
            b.close(slotId, IPerpetualStorage.SlotState.Ended, true, false);
            return 0;
        }
        if (status != Rules.DEAD && (status != Rules.FAULTY || s.faulty)) return "not proven";
        if (!b.facts.sectorIs(s.minerId, s.sector, status, aux)) return "not proven";
        if (status == Rules.DEAD) {
            b.close(slotId, IPerpetualStorage.SlotState.Lost, false, true);
        } else {
            s.faulty = true;
            emit IPerpetualStorage.SlotFaulty(Books.dealOf(slotId), slotId, b.takeSeq(), uint32(block.number));
        }
    }

    function _checkRenewal(Book storage b, uint64 dealId, uint8 index) private view {
        Deal storage d = b.deals[dealId];
        if (b.paused) revert IPerpetualStorage.PerpetualStorage_IntakePaused();
        if (d.status != IPerpetualStorage.DealStatus.Open || d.flags & Books.SUSPENDED != 0) {
            revert IPerpetualStorage.PerpetualStorage_WrongStatus(dealId, d.status);
        }
        if (index >= d.replicas) revert IPerpetualStorage.PerpetualStorage_Refused("no such seat");
        Slot storage s = _active(b, Books.slotIdOf(dealId, index, b.seatAt(dealId, index).current));
        if (d.endEpoch != 0 && s.end >= d.endEpoch) revert IPerpetualStorage.PerpetualStorage_Refused("ended");
        if (block.number >= s.end) revert IPerpetualStorage.PerpetualStorage_Refused("over");
        uint32 from = s.end > d.renewWindow ? s.end - d.renewWindow : 0;
        if (block.number < from) revert IPerpetualStorage.PerpetualStorage_TooEarly(from);
    }

    function _openNext(Book storage b, Seat storage seat, uint64 dealId, uint8 index) private returns (uint64 slotId) {
        uint16 generation = seat.last + 1;
        (seat.next, seat.last, seat.hasNext) = (generation, generation, true);
        slotId = Books.slotIdOf(dealId, index, generation);
        b.slots[slotId].mark = b.deals[dealId].clockOf();
        emit IPerpetualStorage.SlotOpened(dealId, slotId, b.takeSeq(), true);
    }

    /// @dev The follower is Active at once by the same sector; of its bond only what would be retained is asked.
    function _extend(Book storage b, uint64 slotId, uint64 nextId, uint256 value) private {
        (Slot storage s, Slot storage n) = (b.slots[slotId], b.slots[nextId]);
        if (n.state != IPerpetualStorage.SlotState.Open) {
            revert IPerpetualStorage.PerpetualStorage_WrongState(nextId, n.state);
        }
        uint64 dealId = Books.dealOf(slotId);
        Deal storage d = b.deals[dealId];
        uint80 bounty = d.bountyOf(n);
        uint96 obligation = d.obligationOf(bounty);
        if (d.free < obligation) revert IPerpetualStorage.PerpetualStorage_Refused("not funded");
        uint80 bond = uint80(uint256(d.bondOf(bounty)) * Rules.RETAINED_BPS / 10_000);
        if (value < bond) revert IPerpetualStorage.PerpetualStorage_BondTooLow(value, bond);
        b.creditAside(FilAddress.normalize(msg.sender), value - bond);
        d.free -= obligation;
        (n.state, n.route) = (IPerpetualStorage.SlotState.Active, IPerpetualStorage.Route.Extension);
        (n.minerId, n.ownerId, n.organisation) = (s.minerId, s.ownerId, s.organisation);
        n.mark = d.clockOf() - n.mark;
        (n.payee, n.bond, n.obligation, n.term) = (s.payee, bond, obligation, d.term);
        (n.start, n.end, n.lastProof, n.sector) = (s.end, s.end + d.term, uint32(block.number), s.sector);
        b.sectorUse[Books.sectorKey(s.minerId, s.sector, d.commP)] = nextId;
        b.claimed(nextId, n);
        b.activated(nextId, n);
    }

    function _active(Book storage b, uint64 slotId) private view returns (Slot storage s) {
        s = b.slots[slotId];
        if (s.state != IPerpetualStorage.SlotState.Active) {
            revert IPerpetualStorage.PerpetualStorage_WrongState(slotId, s.state);
        }
    }

    function _onlyController(Book storage b, uint64 minerId) private view {
        (, bool controls) = b.facts.minerFacts(minerId, msg.sender);
        if (!controls) revert IPerpetualStorage.PerpetualStorage_NotController(minerId, msg.sender);
    }
}
