// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    DealTerms,
    DealView,
    IPerpetualStorage,
    OpenSlot,
    PublishedDeal,
    SlotView
} from "../interfaces/IPerpetualStorage.sol";
import { Book, Books, Deal, Seat, Slot } from "./Book.sol";
import { Claimant, Offers } from "./Offers.sol";
import { Rules } from "./Rules.sol";

/// @title Listing
/// @notice What PerpetualStorage shows: one of the libraries that it is linked with. Changes nothing.
library Listing {
    using Books for Book;
    using Books for Deal;
    using Offers for Book;

    function dealOf(Book storage b, uint64 dealId) external view returns (DealView memory v) {
        Deal storage d = b.deals[dealId];
        v.client = d.client;
        v.status = d.status;
        v.suspended = d.flags & Books.SUSPENDED != 0;
        if (d.client != address(0)) {
            v.cid = bytes2(d.cidHead) == 0x1220
                ? abi.encodePacked(bytes2(d.cidHead), d.cidDigest)
                : abi.encodePacked(d.cidHead, d.cidDigest);
        }
        v.commP = d.commP;
        v.paddedSize = d.log2Size == 0 ? 0 : uint64(1) << d.log2Size;
        v.carSize = d.carSize;
        v.free = d.free;
        v.servedUntil = d.servedUntil;
        v.clock = d.clockOf();
        v.terms = DealTerms({
            replicas: d.replicas,
            verified: d.flags & Books.VERIFIED != 0,
            term: d.term,
            sealWindow: d.sealWindow,
            renewWindow: d.renewWindow,
            ramp: d.ramp,
            endEpoch: d.endEpoch,
            baseBounty: d.baseBounty,
            maxBounty: d.maxBounty,
            rate: d.rate,
            bondFloor: d.bondFloor,
            minCollateral: d.minCollateral,
            endpoint: d.endpoint
        });
    }

    function slotOf(Book storage b, uint64 slotId) external view returns (SlotView memory v) {
        Slot storage s = b.slots[slotId];
        v.state = s.state;
        v.minerId = s.minerId;
        v.ownerId = s.ownerId;
        v.organisation = s.organisation;
        (v.payee, v.bond) = (s.payee, s.bond);
        (v.obligation, v.earned, v.proven, v.term) = (s.obligation, s.earned, s.proven, s.term);
        v.sealDeadline = s.sealDeadline;
        (v.route, v.faulty) = (s.route, s.faulty);
        (v.start, v.end, v.lastProof) = (s.start, s.end, s.lastProof);
        (v.f05DealId, v.sector) = (s.evidence, s.sector);
    }

    function quoteBounty(Book storage b, uint64 slotId) external view returns (uint96) {
        Slot storage s = b.slots[slotId];
        if (s.state != IPerpetualStorage.SlotState.Open) return 0;
        return b.deals[Books.dealOf(slotId)].bountyOf(s);
    }

    function previewClaim(Book storage b, uint64 slotId, uint64 minerId, address caller)
        external
        view
        returns (bytes32 why, uint96 bond, uint96 obligation)
    {
        Deal storage d = b.deals[Books.dealOf(slotId)];
        Slot storage s = b.slots[slotId];
        if (s.state == IPerpetualStorage.SlotState.Open && d.client != address(0)) {
            uint80 bounty = d.bountyOf(s);
            (bond, obligation) = (d.bondOf(bounty), d.obligationOf(bounty));
        }
        why = _whyNotClaim(b, slotId, minerId, caller);
    }

    function openSlots(Book storage b, uint64 cursor, uint256 limit)
        external
        view
        returns (OpenSlot[] memory list, uint64 next)
    {
        (cursor, next) = _page(b, cursor, limit);
        list = new OpenSlot[]((next - cursor) * Rules.MAX_REPLICAS);
        uint256 count;
        for (uint64 dealId = cursor; dealId < next; ++dealId) {
            count = _openOf(b, dealId, list, count);
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
        if (next == b.nextDeal) next = 0;
    }

    function checker(Book storage b, uint64 cursor, uint256 limit) external view returns (bool, bytes memory) {
        uint64 end;
        (cursor, end) = _page(b, cursor, limit);
        for (; cursor < end; ++cursor) {
            Deal storage d = b.deals[cursor];
            for (uint8 i = 0; i < d.seats; ++i) {
                bytes memory call = _due(b, d, cursor, i);
                if (call.length != 0) return (true, call);
            }
        }
        return (false, "");
    }

    function sourcesOf(Book storage b, uint64 dealId)
        external
        view
        returns (uint64[] memory minerIds, string[] memory endpoints)
    {
        uint8 seats = b.deals[dealId].seats;
        (minerIds, endpoints) = (new uint64[](2 * seats), new string[](2 * seats));
        uint256 count;
        for (uint8 i = 0; i < seats; ++i) {
            Seat storage seat = b.seatAt(dealId, i);
            Slot storage s = b.slots[Books.slotIdOf(dealId, i, seat.current)];
            uint64 minerId = s.minerId;
            bool has = s.state == IPerpetualStorage.SlotState.Active && !s.faulty;
            if (has) (minerIds[count], endpoints[count++]) = (minerId, b.registry.retrievalOf(minerId));
            if (!seat.hasNext) continue;
            s = b.slots[Books.slotIdOf(dealId, i, seat.next)];
            if (s.state != IPerpetualStorage.SlotState.Active || s.faulty || (has && s.minerId == minerId)) continue;
            (minerIds[count], endpoints[count++]) = (s.minerId, b.registry.retrievalOf(s.minerId));
        }
        assembly ("memory-safe") {
            mstore(minerIds, count)
            mstore(endpoints, count)
        }
    }

    function nextOpening(Book storage b, uint64 dealId) external view returns (uint32) {
        return b.nextOpening(dealId);
    }

    function whyNot(Book storage b, uint64 slotId, PublishedDeal calldata p) external view returns (bytes32) {
        return b.whyNot(slotId, p);
    }

    // ----------------------------------------------------------------- inside

    function _whyNotClaim(Book storage b, uint64 slotId, uint64 minerId, address caller)
        private
        view
        returns (bytes32 why)
    {
        uint64 found;
        (found, why) = b.offer(Books.dealOf(slotId), Books.indexOf(slotId), minerId);
        if (why == 0 && found != slotId) why = "taken";
        if (why == 0 && b.paused) why = "paused";
        if (why != 0) return why;
        (uint64 ownerId, bool controls) = b.facts.minerFacts(minerId, caller);
        if (!controls) return "not controller";
        (why,) = b.whyNotDistinct(slotId, Claimant(minerId, ownerId, b.registry.organisationOf(minerId)));
    }

    /// @dev The slots of a deal that can be claimed, as many as its money covers together.
    function _openOf(Book storage b, uint64 dealId, OpenSlot[] memory list, uint256 count)
        private
        view
        returns (uint256)
    {
        Deal storage d = b.deals[dealId];
        uint96 free = d.free;
        for (uint8 i = 0; i < d.replicas; ++i) {
            Seat storage seat = b.seatAt(dealId, i);
            uint64 incumbent =
                seat.hasNext ? Offers.incumbentOf(d, b.slots[Books.slotIdOf(dealId, i, seat.current)]) : 0;
            (uint64 slotId, bytes32 why) = b.offer(dealId, i, incumbent);
            if (why != 0) continue;
            uint80 bounty = d.bountyOf(b.slots[slotId]);
            uint96 obligation = d.obligationOf(bounty);
            if (obligation > free) continue;
            free -= obligation;
            list[count++] = OpenSlot({
                slotId: slotId,
                incumbent: incumbent,
                commP: d.commP,
                paddedSize: uint64(1) << d.log2Size,
                carSize: d.carSize,
                verified: d.flags & Books.VERIFIED != 0,
                term: d.term,
                bounty: bounty,
                obligation: obligation,
                bond: d.bondOf(bounty)
            });
        }
        return count;
    }

    /// @dev What a keeper can do now for a seat, as the call; empty where there is nothing.
    function _due(Book storage b, Deal storage d, uint64 dealId, uint8 index) private view returns (bytes memory) {
        Seat storage seat = b.seatAt(dealId, index);
        uint64 slotId = Books.slotIdOf(dealId, index, seat.current);
        Slot storage s = b.slots[slotId];
        if (_expired(s)) return abi.encodeCall(IPerpetualStorage.expireClaim, (slotId));
        if (s.state == IPerpetualStorage.SlotState.Active) {
            if (block.number >= s.end) return abi.encodeCall(IPerpetualStorage.checkDeal, (slotId, Rules.DEAD, ""));
            bool renew = !seat.hasNext && index < d.replicas && d.status == IPerpetualStorage.DealStatus.Open
                && d.flags & Books.SUSPENDED == 0 && !b.paused && (d.endEpoch == 0 || s.end < d.endEpoch)
                && block.number + d.renewWindow >= s.end;
            if (renew) return abi.encodeCall(IPerpetualStorage.openRenewal, (dealId, index));
        }
        if (seat.hasNext) {
            slotId = Books.slotIdOf(dealId, index, seat.next);
            if (_expired(b.slots[slotId])) return abi.encodeCall(IPerpetualStorage.expireClaim, (slotId));
        }
        return "";
    }

    function _expired(Slot storage s) private view returns (bool) {
        bool held = s.state == IPerpetualStorage.SlotState.Claimed || s.state == IPerpetualStorage.SlotState.Published;
        return held && block.number > s.sealDeadline + Rules.EXPIRE_GRACE;
    }

    function _page(Book storage b, uint64 cursor, uint256 limit) private view returns (uint64 from, uint64 to) {
        if (limit > Rules.MAX_PAGE) limit = Rules.MAX_PAGE;
        from = cursor == 0 ? 1 : cursor;
        if (from > b.nextDeal) from = b.nextDeal;
        to = from + uint64(limit);
        if (to > b.nextDeal) to = b.nextDeal;
    }
}
