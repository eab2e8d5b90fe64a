// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { FilAddress } from "../fvm/FilAddress.sol";
import { IPerpetualStorage } from "../interfaces/IPerpetualStorage.sol";
import { IProviderRegistry } from "../interfaces/IProviderRegistry.sol";
import { IFilecoinFacts } from "../interfaces/IStorageGate.sol";
import { BountyCurve } from "./BountyCurve.sol";
import { Rules } from "./Rules.sol";

/// @notice A deal in seven words, the last of which is empty for most.
struct Deal {
    address client;
    IPerpetualStorage.DealStatus status;
    uint8 replicas;
    uint8 flags; // VERIFIED, SUSPENDED
    uint8 log2Size; // of the padded piece
    uint32 term;
    bytes4 cidHead; // what is before the digest: 4 bytes of a CIDv1, or 0x1220 for a CIDv0
    // ---
    uint96 free;
    uint8 seats; // the most replicas that there ever were
    uint48 carSize;
    uint32 endEpoch;
    uint32 sealWindow;
    uint32 renewWindow;
    // ---
    uint80 baseBounty;
    uint80 maxBounty;
    uint64 rate;
    uint32 ramp;
    // ---
    uint80 bondFloor;
    uint80 minCollateral;
    uint32 clock; // epochs on offer until `since`
    uint32 since;
    uint32 servedUntil;
    // ---
    bytes32 commP;
    bytes32 cidDigest;
    string endpoint;
}

/// @notice A slot in four words. All zero, it is Open and has been since its deal began.
struct Slot {
    IPerpetualStorage.SlotState state;
    bool faulty;
    IPerpetualStorage.Route route;
    uint64 minerId; // of an Open slot: who claimed it in vain and may still come late
    uint64 ownerId;
    uint32 mark; // Open: the deal's clock when the bounty was at its base. Else: epochs on offer until it was claimed
    uint32 sealDeadline;
    uint24 organisation;
    // ---
    address payee;
    uint80 bond;
    // ---
    uint96 obligation;
    uint96 earned;
    uint32 proven;
    uint32 term;
    // ---
    uint32 start;
    uint32 end;
    uint32 lastProof;
    uint64 evidence; // f05 deal or claim id
    uint64 sector;
}

/// @notice The slots of a copy: which generation is current, and which follows it.
struct Seat {
    uint16 current;
    uint16 next;
    uint16 last; // highest generation so far
    bool hasNext;
}

/// @notice Everything that PerpetualStorage remembers. Its libraries work on it.
struct Book {
    uint64 seq;
    uint64 nextDeal;
    uint96 burnable;
    bool paused;
    address gate;
    IFilecoinFacts facts;
    IProviderRegistry registry;
    mapping(uint64 dealId => Deal) deals;
    mapping(uint64 slotId => Slot) slots;
    mapping(uint64 seatKey => Seat) seats;
    mapping(address account => uint256) credits;
    /// @dev keccak256(miner, sector, commP) → the slot that it backs.
    mapping(bytes32 sectorKey => uint64 slotId) sectorUse;
    /// @dev f05 deal → the slot that it backs.
    mapping(uint64 f05DealId => uint64 slotId) dealUse;
    /// @dev Claim of the verified registry → the slot that it backs.
    mapping(uint64 claimId => uint64 slotId) claimUse;
}

/// @dev Where the money of a slot that is over went.
struct Ending {
    uint96 refund;
    uint96 returned;
    uint96 burnt;
    uint96 tip;
}

/// @title Books
/// @notice What all libraries of PerpetualStorage do with a Book: ids, the clock, prices, seats, and the ends of slots.
library Books {
    uint8 internal constant VERIFIED = 1;
    uint8 internal constant SUSPENDED = 2;

    // -------------------------------------------------------------------- ids

    function dealOf(uint64 slotId) internal pure returns (uint64) {
        return slotId >> 24;
    }

    function indexOf(uint64 slotId) internal pure returns (uint8) {
        return uint8(slotId >> 16);
    }

    function slotIdOf(uint64 dealId, uint8 index, uint16 generation) internal pure returns (uint64) {
        return dealId << 24 | uint64(index) << 16 | generation;
    }

    function seatAt(Book storage b, uint64 dealId, uint8 index) internal view returns (Seat storage) {
        return b.seats[dealId << 8 | index];
    }

    function seatOf(Book storage b, uint64 slotId) internal view returns (Seat storage) {
        return b.seats[slotId >> 16];
    }

    function takeSeq(Book storage b) internal returns (uint64 seq) {
        seq = b.seq;
        b.seq = seq + 1;
    }

    /// @notice Whether a slot is of its seat now, as current or as next, and which.
    function place(Book storage b, uint64 slotId) internal view returns (bool lives, bool isNext) {
        Seat storage seat = seatOf(b, slotId);
        uint16 generation = uint16(slotId);
        if (seat.current == generation) return (b.deals[dealOf(slotId)].client != address(0), false);
        isNext = seat.hasNext && seat.next == generation;
        return (isNext, isNext);
    }

    // --------------------------------------------------------- clock and price

    /// @notice Epochs for which a deal has been on offer: neither suspended, cancelled nor without an operators' word that it is
    /// served. A bounty rises with this clock, so that it does not while nobody could claim.
    function clockOf(Deal storage d) internal view returns (uint32 clock) {
        clock = d.clock;
        if (d.status != IPerpetualStorage.DealStatus.Open || d.flags & SUSPENDED != 0) return clock;
        uint256 until = block.number < d.servedUntil ? block.number : d.servedUntil;
        if (until > d.since) clock += uint32(until - d.since);
    }

    /// @notice Puts the clock's reading down, before something changes whether it runs.
    function settleClock(Deal storage d) internal {
        d.clock = clockOf(d);
        d.since = uint32(block.number);
    }

    function bountyOf(Deal storage d, Slot storage s) internal view returns (uint80) {
        return BountyCurve.at(d.baseBounty, d.maxBounty, d.ramp, clockOf(d) - s.mark);
    }

    function obligationOf(Deal storage d, uint80 bounty) internal view returns (uint96) {
        return bounty + uint96(d.rate) * d.term; // below 2^80 + 2^96: `Deals` bounds it
    }

    /// @notice What a claim costs: whatever the bounty might still rise by, so that nobody gains by letting a claim lapse.
    function bondOf(Deal storage d, uint80 bounty) internal view returns (uint80) {
        return d.maxBounty - bounty + d.bondFloor;
    }

    // ------------------------------------------------------------------ money

    function credit(Book storage b, address account, uint256 amount) internal {
        if (amount != 0) b.credits[account] += amount;
    }

    /// @notice Credits what no event of a deal or slot says whose it is.
    function creditAside(Book storage b, address account, uint256 amount) internal {
        if (amount == 0) return;
        b.credits[account] += amount;
        emit IPerpetualStorage.Credited(account, takeSeq(b), amount);
    }

    /// @notice Gives back to a deal what was reserved and not earned.
    function giveBack(Book storage b, Deal storage d, uint96 amount) internal {
        if (d.status == IPerpetualStorage.DealStatus.Cancelled) credit(b, d.client, amount);
        else d.free += amount;
    }

    /// @notice Burns a bond but for a tip to whoever brought it about, unless the caller is of the slot's own side.
    function forfeit(Book storage b, Slot storage s, uint80 bond, bool tipped)
        internal
        returns (uint96 burnt, uint96 tip)
    {
        burnt = bond;
        if (bond == 0) return (0, 0);
        if (tipped) {
            address caller = FilAddress.normalize(msg.sender);
            if (caller != s.payee && !_isOf(b, s, msg.sender)) {
                tip = uint96(uint256(bond) * Rules.TIP_BPS / 10_000);
                burnt -= tip;
                creditAside(b, caller, tip);
            }
        }
        b.burnable += burnt;
    }

    /// @dev Whether an account is the miner's: its owner, then or now, or a controller. Where nobody can say, it is.
    function _isOf(Book storage b, Slot storage s, address account) private view returns (bool) {
        (uint64 ownerId, bool controls) = b.facts.minerFacts(s.minerId, account);
        if (controls || ownerId == 0) return true;
        (bool found, uint64 id) = FilAddress.idOf(account);
        return found && (id == ownerId || id == s.ownerId);
    }

    // ------------------------------------------------------------------ seats

    /// @notice Says that a slot has been claimed as it stands now.
    function claimed(Book storage b, uint64 slotId, Slot storage s) internal {
        emit IPerpetualStorage.SlotClaimed(
            dealOf(slotId),
            slotId,
            s.minerId,
            takeSeq(b),
            s.payee,
            s.obligation,
            s.bond,
            s.sealDeadline,
            s.ownerId,
            s.organisation
        );
    }

    /// @notice Says that a slot is Active as it stands now.
    function activated(Book storage b, uint64 slotId, Slot storage s) internal {
        emit IPerpetualStorage.SlotActivated(
            dealOf(slotId),
            slotId,
            s.minerId,
            takeSeq(b),
            s.route,
            s.sector,
            s.start,
            s.end,
            s.evidence,
            s.lastProof,
            s.bond
        );
    }

    /// @notice Puts the follower of a slot that is over into its place, or opens a new one.
    function advance(Book storage b, uint64 slotId) internal {
        Seat storage seat = seatOf(b, slotId);
        uint64 dealId = dealOf(slotId);
        if (seat.hasNext) {
            (seat.current, seat.hasNext) = (seat.next, false);
            return;
        }
        uint16 generation = seat.last + 1;
        (seat.current, seat.last) = (generation, generation);
        uint64 opened = slotIdOf(dealId, indexOf(slotId), generation);
        b.slots[opened].mark = clockOf(b.deals[dealId]);
        emit IPerpetualStorage.SlotOpened(dealId, opened, takeSeq(b), false);
    }

    /// @notice Ends an Active slot: what was not earned goes back, the bond to the payee or into the fire.
    /// @param returned whether the bond is the payee's
    /// @param tipped whether the caller may have a tip of a bond that is not
    function close(Book storage b, uint64 slotId, IPerpetualStorage.SlotState state, bool returned, bool tipped)
        internal
    {
        (bool lives, bool isNext) = place(b, slotId);
        assert(lives);
        Slot storage s = b.slots[slotId];
        Ending memory end;
        end.refund = s.obligation - s.earned;
        if (returned) {
            end.returned = s.bond;
            credit(b, s.payee, s.bond);
        } else {
            (end.burnt, end.tip) = forfeit(b, s, s.bond, tipped);
        }
        (s.state, s.faulty, s.bond) = (state, false, 0);
        giveBack(b, b.deals[dealOf(slotId)], end.refund);
        _closed(b, slotId, s, end);
        if (isNext) seatOf(b, slotId).hasNext = false;
        else advance(b, slotId);
    }

    function _closed(Book storage b, uint64 slotId, Slot storage s, Ending memory end) private {
        uint64 seq = takeSeq(b);
        emit IPerpetualStorage.SlotClosed(
            dealOf(slotId), slotId, s.minerId, seq, s.state, end.refund, end.returned, end.burnt, end.tip
        );
    }

    /// @notice The key under which a sector's piece is remembered.
    function sectorKey(uint64 minerId, uint64 sector, bytes32 commP) internal pure returns (bytes32) {
        return keccak256(abi.encode(minerId, sector, commP));
    }
}
