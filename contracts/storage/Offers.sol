// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { FilAddress } from "../fvm/FilAddress.sol";
import { IPerpetualStorage, PublishedDeal } from "../interfaces/IPerpetualStorage.sol";
import { Book, Books, Deal, Seat, Slot } from "./Book.sol";
import { Rules } from "./Rules.sol";

/// @notice Who would have a slot.
struct Claimant {
    uint64 minerId;
    uint64 ownerId;
    uint24 organisation; // 0 = none that is known
}

/// @title Offers
/// @notice What can be claimed, by whom, and which f05 deals fit. Reads only.
library Offers {
    using Books for Book;
    using Books for Deal;

    // ------------------------------------------------------------ what is open

    /// @notice Whether a seat has a slot that a miner could claim now, leaving its neighbours aside.
    /// @return slotId the slot in question, 0 where there is none
    /// @return why 0, or what is against it
    function offer(Book storage b, uint64 dealId, uint8 index, uint64 minerId)
        internal
        view
        returns (uint64 slotId, bytes32 why)
    {
        Deal storage d = b.deals[dealId];
        if (d.status != IPerpetualStorage.DealStatus.Open) return (0, "not open");
        if (index >= d.replicas) return (0, "no such seat");
        Seat storage seat = b.seatAt(dealId, index);
        slotId = Books.slotIdOf(dealId, index, seat.current);
        uint256 begins = block.number;
        Slot storage s = b.slots[slotId];
        if (s.state != IPerpetualStorage.SlotState.Open) {
            if (!seat.hasNext) return (0, "taken");
            Slot storage current = s;
            slotId = Books.slotIdOf(dealId, index, seat.next);
            s = b.slots[slotId];
            if (s.state != IPerpetualStorage.SlotState.Open) return (0, "taken");
            if (incumbentOf(d, current) != 0 && current.minerId != minerId) return (slotId, "first refusal");
            begins = current.end;
        }
        if (d.flags & Books.SUSPENDED != 0) return (slotId, "suspended");
        if (d.endEpoch != 0 && begins >= d.endEpoch) return (slotId, "ended");
        if (block.number > d.servedUntil) return (slotId, "not served");
        if (d.free < d.obligationOf(d.bountyOf(s))) return (slotId, "not funded");
    }

    /// @notice The miner that alone may claim what follows this slot now; 0 = none.
    function incumbentOf(Deal storage d, Slot storage current) internal view returns (uint64) {
        return current.state == IPerpetualStorage.SlotState.Active
            && block.number + d.renewWindow - d.renewWindow / 3 < current.end
            ? current.minerId
            : 0;
    }

    /// @notice A slot that a miner could claim: that of a seat, or of the first seat that has one.
    /// @return slotId 0 where there is none, and then `why`: of the seat, or of the last one
    function find(Book storage b, uint64 dealId, uint8 index, uint64 minerId)
        internal
        view
        returns (uint64 slotId, bytes32 why)
    {
        if (index != Rules.ANY_INDEX) {
            (slotId, why) = offer(b, dealId, index, minerId);
            return why == 0 ? (slotId, why) : (0, why);
        }
        uint8 replicas = b.deals[dealId].replicas;
        why = "not open";
        for (uint8 i = 0; i < replicas; ++i) {
            (slotId, why) = offer(b, dealId, i, minerId);
            if (why == 0) return (slotId, why);
        }
        return (0, why);
    }

    /// @notice When something of a deal opens next: now, in the renewal window of a slot, or 0 where that is not to be foreseen.
    function nextOpening(Book storage b, uint64 dealId) internal view returns (uint32 epoch) {
        Deal storage d = b.deals[dealId];
        if (d.status != IPerpetualStorage.DealStatus.Open) return 0;
        uint32 now_ = uint32(block.number);
        for (uint8 i = 0; i < d.replicas; ++i) {
            (, bytes32 why) = offer(b, dealId, i, 0);
            Slot storage s = b.slots[Books.slotIdOf(dealId, i, b.seatAt(dealId, i).current)];
            uint32 at;
            if (why == 0) {
                at = now_;
            } else if (why == "first refusal") {
                at = s.end - d.renewWindow + d.renewWindow / 3;
            } else if (why == "taken" && s.state == IPerpetualStorage.SlotState.Active) {
                if (b.seatAt(dealId, i).hasNext || (d.endEpoch != 0 && s.end >= d.endEpoch)) continue;
                at = s.end - d.renewWindow;
            } else {
                continue;
            }
            if (at < now_) at = now_;
            if (epoch == 0 || at < epoch) epoch = at;
        }
    }

    // ----------------------------------------------------------- who may claim

    /// @notice Copies of a deal lie with different owners and organisations, and none with the client. A miner may follow itself.
    /// @return why 0, "client" or "not distinct", and then the seat of the other
    function whyNotDistinct(Book storage b, uint64 slotId, Claimant memory c)
        internal
        view
        returns (bytes32 why, uint8 other)
    {
        uint64 dealId = Books.dealOf(slotId);
        Deal storage d = b.deals[dealId];
        if (c.ownerId == 0 || _isClient(d, c.ownerId)) return ("client", 0);
        uint8 own = Books.indexOf(slotId);
        uint8 seats = d.seats;
        for (other = 0; other < seats; ++other) {
            if (other == own) continue;
            Seat storage seat = b.seatAt(dealId, other);
            if (_meets(b.slots[Books.slotIdOf(dealId, other, seat.current)], c)) return ("not distinct", other);
            if (!seat.hasNext) continue;
            if (_meets(b.slots[Books.slotIdOf(dealId, other, seat.next)], c)) return ("not distinct", other);
        }
        other = 0;
    }

    function _isClient(Deal storage d, uint64 ownerId) private view returns (bool) {
        (bool found, uint64 clientId) = FilAddress.idOf(d.client);
        return found && clientId == ownerId;
    }

    function _meets(Slot storage s, Claimant memory c) private view returns (bool) {
        IPerpetualStorage.SlotState state = s.state;
        if (state == IPerpetualStorage.SlotState.Open || state > IPerpetualStorage.SlotState.Active) return false;
        return
            s.minerId == c.minerId || s.ownerId == c.ownerId
                || (c.organisation != 0 && s.organisation == c.organisation);
    }

    // ------------------------------------------------------- what f05 may hold

    /// @notice The epoch from which a slot would be paid: not before it is stored, nor before the slot ahead of it ends.
    function payFrom(Book storage b, uint64 slotId, uint64 start) internal view returns (uint256 from) {
        from = start > block.number ? start : block.number;
        (, bool isNext) = b.place(slotId);
        if (!isNext) return from;
        uint64 seatBase = slotId >> 16 << 16;
        uint256 end = b.slots[seatBase | b.seatOf(slotId).current].end;
        if (end > from) from = end;
    }

    /// @notice Why an f05 deal does not fit a slot; 0 = it does. Asked before it is published, and again when it is.
    function whyNot(Book storage b, uint64 slotId, PublishedDeal calldata p) internal view returns (bytes32) {
        (bool lives,) = b.place(slotId);
        if (!lives) return "unknown slot";
        Deal storage d = b.deals[Books.dealOf(slotId)];
        Slot storage s = b.slots[slotId];
        if (p.commP != d.commP || p.paddedSize != uint64(1) << d.log2Size) return "piece";
        if (p.pricePerEpoch != 0) return "price";
        if (p.clientCollateral != 0) return "client collateral";
        if (p.providerCollateral < d.minCollateral) return "provider collateral";
        bool verified = d.flags & Books.VERIFIED != 0;
        if (p.verified != verified) return "verified";
        uint256 deadline = s.sealDeadline;
        if (s.state == IPerpetualStorage.SlotState.Claimed) {
            if (s.minerId != p.minerId) return "provider";
        } else if (s.state == IPerpetualStorage.SlotState.Open) {
            // What binds a verified deal is fixed at the claim.
            if (verified) return "claim first";
            bytes32 why = _whyNotTake(b, slotId, p.minerId);
            if (why != 0) return why;
            deadline = block.number + d.sealWindow;
        } else {
            return "taken";
        }
        if (p.start < 0 || uint64(p.start) < block.number || uint64(p.start) > deadline) return "start";
        uint256 end = payFrom(b, slotId, uint64(p.start)) + d.term;
        if (p.end < 0 || uint64(p.end) < end) return "term";
        // One possible proposal for a claim, so that the DataCap granted for it cannot be drawn twice.
        if (
            verified && (uint64(p.start) != deadline || uint64(p.end) != end || p.providerCollateral != d.minCollateral)
        ) {
            return "not exact";
        }
        return 0;
    }

    /// @dev Why a miner may not have an open slot without a claim.
    function _whyNotTake(Book storage b, uint64 slotId, uint64 minerId) private view returns (bytes32 why) {
        if (b.paused) return "paused";
        uint64 offered;
        (offered, why) = offer(b, Books.dealOf(slotId), Books.indexOf(slotId), minerId);
        if (why != 0) return why;
        if (offered != slotId) return "taken";
        (uint64 ownerId,) = b.facts.minerFacts(minerId, address(0));
        (why,) = whyNotDistinct(b, slotId, Claimant(minerId, ownerId, b.registry.organisationOf(minerId)));
    }
}
