// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { FilAddress } from "../fvm/FilAddress.sol";
import { IPerpetualStorage, PublishedDeal, SectorPiece } from "../interfaces/IPerpetualStorage.sol";
import { ClaimFacts, DealFacts, IFilecoinFacts } from "../interfaces/IStorageGate.sol";
import { Book, Books, Deal, Slot } from "./Book.sol";
import { Claimant, Offers } from "./Offers.sol";
import { Rules } from "./Rules.sol";

/// @title Slots
/// @notice How slots are claimed, given back, published and activated: one of the libraries that PerpetualStorage is linked with.
/// @dev What comes from an actor's call (`published`, `activated`) refuses by its result and reverts for nothing that a stranger
/// could bring about.
library Slots {
    using Books for Book;
    using Books for Deal;
    using Offers for Book;

    // ----------------------------------------------------------------- claims

    function claim(Book storage b, uint64 dealId, uint8 index, uint64 minerId, uint256 value) external {
        if (b.paused) revert IPerpetualStorage.PerpetualStorage_IntakePaused();
        (uint64 ownerId, bool controls) = b.facts.minerFacts(minerId, msg.sender);
        if (!controls) revert IPerpetualStorage.PerpetualStorage_NotController(minerId, msg.sender);
        address payee = FilAddress.normalize(msg.sender);
        (uint64 slotId,) = b.find(dealId, index, minerId);
        if (slotId == 0) {
            b.creditAside(payee, value);
            emit IPerpetualStorage.NothingOpen(dealId, minerId, b.takeSeq(), b.nextOpening(dealId), value);
            return;
        }
        Claimant memory c = Claimant(minerId, ownerId, b.registry.organisationOf(minerId));
        _checkDistinct(b, slotId, c);
        uint80 bond = _bondOf(b, slotId);
        if (value < bond) revert IPerpetualStorage.PerpetualStorage_BondTooLow(value, bond);
        _take(b, slotId, c, payee, bond);
        b.creditAside(payee, value - bond);
    }

    function release(Book storage b, uint64 slotId) external {
        Slot storage s = _in(b, slotId, IPerpetualStorage.SlotState.Claimed);
        _onlyController(b, s.minerId);
        uint32 until = s.sealDeadline - b.deals[Books.dealOf(slotId)].sealWindow + uint32(Rules.FETCH_WINDOW);
        if (block.number > until) revert IPerpetualStorage.PerpetualStorage_FetchWindowOver(until);
        // No bond is below Rules.MIN_BOND, which is above the fee.
        uint96 fee = uint96(Rules.RELEASE_FEE);
        b.burnable += fee;
        b.credit(s.payee, s.bond - fee);
        emit IPerpetualStorage.ClaimReleased(Books.dealOf(slotId), slotId, s.minerId, b.takeSeq(), fee);
        _reopen(b, slotId, s);
        s.minerId = 0;
    }

    function expire(Book storage b, uint64 slotId) external {
        Slot storage s = b.slots[slotId];
        IPerpetualStorage.SlotState state = s.state;
        uint32 from = s.sealDeadline + uint32(Rules.EXPIRE_GRACE) + 1;
        bool isPublished = state == IPerpetualStorage.SlotState.Published;
        if (!isPublished && state != IPerpetualStorage.SlotState.Claimed) {
            revert IPerpetualStorage.PerpetualStorage_WrongState(slotId, state);
        }
        if (block.number < from) revert IPerpetualStorage.PerpetualStorage_TooEarly(from);
        if (isPublished) {
            // It may have been sealed and nobody told us; then `proveActive` is what is wanted.
            IFilecoinFacts.DealState is_ = b.facts.dealFacts(s.evidence).state;
            if (is_ == IFilecoinFacts.DealState.Active) revert IPerpetualStorage.PerpetualStorage_Refused("active");
            if (is_ == IFilecoinFacts.DealState.Unknown) revert IPerpetualStorage.PerpetualStorage_NotProven(slotId);
        }
        (uint96 burnt, uint96 tip) = b.forfeit(s, s.bond, true);
        emit IPerpetualStorage.ClaimExpired(Books.dealOf(slotId), slotId, s.minerId, b.takeSeq(), burnt, tip);
        _reopen(b, slotId, s);
        if (isPublished) s.minerId = 0;
    }

    // ------------------------------------------------------------ publication

    /// @notice f05 says that it published a deal for a slot.
    function published(Book storage b, uint64 slotId, PublishedDeal calldata p) external returns (bool) {
        if (b.whyNot(slotId, p) != 0 || b.dealUse[p.f05DealId] != 0) return false;
        Slot storage s = b.slots[slotId];
        if (s.state == IPerpetualStorage.SlotState.Open) {
            (uint64 ownerId,) = b.facts.minerFacts(p.minerId, address(0));
            address payee = FilAddress.normalize(FilAddress.masked(ownerId));
            _take(b, slotId, Claimant(p.minerId, ownerId, b.registry.organisationOf(p.minerId)), payee, 0);
        }
        _publish(b, slotId, s, p.f05DealId, uint64(p.start));
        return true;
    }

    function publishDeal(Book storage b, uint64 slotId, uint64 f05DealId) external {
        Slot storage s = _in(b, slotId, IPerpetualStorage.SlotState.Claimed);
        _onlyController(b, s.minerId);
        DealFacts memory f = b.facts.dealFacts(f05DealId);
        Deal storage d = b.deals[Books.dealOf(slotId)];
        if (f.state != IFilecoinFacts.DealState.Published && f.state != IFilecoinFacts.DealState.Active) {
            revert IPerpetualStorage.PerpetualStorage_NotProven(slotId);
        }
        if (!f.ours) _refuse("client");
        if (f.provider != s.minerId) _refuse("provider");
        if (f.commP != d.commP || f.paddedSize != uint64(1) << d.log2Size) _refuse("piece");
        if (f.verified != (d.flags & Books.VERIFIED != 0)) _refuse("verified");
        if (f.providerCollateral < d.minCollateral) _refuse("provider collateral");
        if (f.start < 0 || uint64(f.start) > s.sealDeadline) _refuse("start");
        uint256 from = b.payFrom(slotId, uint64(f.start));
        if (f.duration < 0 || uint256(uint64(f.start)) + uint64(f.duration) < from + s.term) _refuse("term");
        if (b.dealUse[f05DealId] != 0) _refuse("used");
        _publish(b, slotId, s, f05DealId, uint64(f.start));
    }

    // ------------------------------------------------------------- activation

    /// @notice A miner's sector holds a piece for a slot.
    function activated(Book storage b, uint64 slotId, SectorPiece calldata p) external returns (bool) {
        (bool lives,) = b.place(slotId);
        if (!lives) return false;
        Slot storage s = b.slots[slotId];
        Deal storage d = b.deals[Books.dealOf(slotId)];
        bytes32 key = Books.sectorKey(p.minerId, p.sector, p.commP);
        if (s.state == IPerpetualStorage.SlotState.Active) return b.sectorUse[key] == slotId;
        if (s.minerId != p.minerId || p.minerId == 0) return false;
        if (p.commP != d.commP || p.paddedSize != uint64(1) << d.log2Size) return false;
        if (b.sectorUse[key] != 0) return false;
        if (d.flags & Books.VERIFIED != 0 && !_isVerified(b, p)) return false;
        uint256 from = b.payFrom(slotId, 0);
        if (p.minimumCommitment < 0 || uint64(p.minimumCommitment) < from + d.term) return false;
        if (s.state == IPerpetualStorage.SlotState.Open) {
            if (!_takeLate(b, slotId, s, d)) return false;
        } else if (s.state != IPerpetualStorage.SlotState.Claimed) {
            return false;
        }
        (s.start, s.end, s.lastProof) = (uint32(from), uint32(from) + s.term, uint32(block.number));
        _activate(b, slotId, s, IPerpetualStorage.Route.Sector, p.sector, key);
        return true;
    }

    function activateByClaim(Book storage b, uint64 slotId, uint64 claimId) external {
        Slot storage s = _in(b, slotId, IPerpetualStorage.SlotState.Claimed);
        _onlyController(b, s.minerId);
        Deal storage d = b.deals[Books.dealOf(slotId)];
        ClaimFacts memory f = b.facts.claimFacts(s.minerId, claimId);
        if (!f.known) revert IPerpetualStorage.PerpetualStorage_NotProven(slotId);
        if (!f.ours) _refuse("client");
        if (f.commP != d.commP || f.paddedSize != uint64(1) << d.log2Size) _refuse("piece");
        uint256 from = b.payFrom(slotId, 0);
        if (f.termStart < 0 || f.termMin < 0) _refuse("term");
        if (b.facts.sectorExpiration(s.minerId, f.sector) < from + s.term) _refuse("term");
        bytes32 key = Books.sectorKey(s.minerId, f.sector, f.commP);
        if (b.sectorUse[key] != 0 || b.claimUse[claimId] != 0) _refuse("used");
        b.claimUse[claimId] = slotId;
        (s.evidence, s.start, s.end) = (claimId, uint32(from), uint32(from + s.term));
        s.lastProof = uint32(block.number);
        _activate(b, slotId, s, IPerpetualStorage.Route.Claim, f.sector, key);
    }

    /// @notice Activates a Published slot if its f05 deal is active. Reverts otherwise.
    function activateMarket(Book storage b, uint64 slotId) external {
        Slot storage s = b.slots[slotId];
        DealFacts memory f = b.facts.dealFacts(s.evidence);
        if (f.state != IFilecoinFacts.DealState.Active || f.provider != s.minerId) {
            revert IPerpetualStorage.PerpetualStorage_NotProven(slotId);
        }
        bytes32 key = Books.sectorKey(s.minerId, f.sector, b.deals[Books.dealOf(slotId)].commP);
        if (b.sectorUse[key] != 0) _refuse("used");
        // Active then, by the market's record, and still now; nothing before `start` is paid.
        s.lastProof = uint32(uint64(f.activated));
        _activate(b, slotId, s, IPerpetualStorage.Route.Market, f.sector, key);
    }

    // ----------------------------------------------------------------- inside

    function _checkDistinct(Book storage b, uint64 slotId, Claimant memory c) private view {
        (bytes32 why, uint8 other) = b.whyNotDistinct(slotId, c);
        if (why == "client") revert IPerpetualStorage.PerpetualStorage_ClientIsProvider(c.ownerId);
        if (why != 0) {
            revert IPerpetualStorage.PerpetualStorage_NotDistinct(Books.dealOf(slotId), c.minerId, other);
        }
    }

    function _bondOf(Book storage b, uint64 slotId) private view returns (uint80) {
        Deal storage d = b.deals[Books.dealOf(slotId)];
        return d.bondOf(d.bountyOf(b.slots[slotId]));
    }

    /// @dev An open slot becomes a miner's, and its pay is reserved. The caller has seen to it that it may.
    function _take(Book storage b, uint64 slotId, Claimant memory c, address payee, uint80 bond) private {
        Slot storage s = b.slots[slotId];
        Deal storage d = b.deals[Books.dealOf(slotId)];
        uint96 obligation = d.obligationOf(d.bountyOf(s));
        d.free -= obligation;
        (s.state, s.minerId, s.ownerId) = (IPerpetualStorage.SlotState.Claimed, c.minerId, c.ownerId);
        (s.mark, s.organisation) = (d.clockOf() - s.mark, c.organisation);
        s.sealDeadline = uint32(block.number) + d.sealWindow;
        (s.payee, s.bond) = (payee, bond);
        (s.obligation, s.earned, s.proven, s.term) = (obligation, 0, 0, d.term);
        b.claimed(slotId, s);
    }

    /// @dev A claimant whose claim has lapsed comes with the sector before anyone else has claimed: on the terms of that claim, if the
    /// deal still has the money. Its bond is burnt.
    function _takeLate(Book storage b, uint64 slotId, Slot storage s, Deal storage d) private returns (bool) {
        if (d.status != IPerpetualStorage.DealStatus.Open || d.free < s.obligation) return false;
        if (Books.indexOf(slotId) >= d.replicas) return false;
        (bytes32 why,) = b.whyNotDistinct(slotId, Claimant(s.minerId, s.ownerId, s.organisation));
        if (why != 0) return false;
        d.free -= s.obligation;
        s.mark = d.clockOf() - s.mark;
        s.term = d.term;
        b.claimed(slotId, s);
        return true;
    }

    /// @dev Whether a sector claimed DataCap for its piece, from the allocation that the gate made: miners claim before they notify.
    function _isVerified(Book storage b, SectorPiece calldata p) private view returns (bool) {
        ClaimFacts memory f = b.facts.claimFacts(p.minerId, p.allocationId);
        return f.known && f.ours && f.commP == p.commP && f.paddedSize == p.paddedSize && f.sector == p.sector;
    }

    /// @dev A claim is over: the pay goes back, and the bounty goes on from where it was.
    function _reopen(Book storage b, uint64 slotId, Slot storage s) private {
        Deal storage d = b.deals[Books.dealOf(slotId)];
        b.giveBack(d, s.obligation);
        (s.state, s.mark, s.bond) = (IPerpetualStorage.SlotState.Open, d.clockOf() - s.mark, 0);
        (s.start, s.end, s.evidence) = (0, 0, 0);
    }

    function _publish(Book storage b, uint64 slotId, Slot storage s, uint64 f05DealId, uint64 start) private {
        b.dealUse[f05DealId] = slotId;
        uint32 from = uint32(b.payFrom(slotId, start));
        s.state = IPerpetualStorage.SlotState.Published;
        (s.start, s.end, s.evidence) = (from, from + s.term, f05DealId);
        emit IPerpetualStorage.SlotPublished(
            Books.dealOf(slotId), slotId, s.minerId, b.takeSeq(), f05DealId, from, s.end
        );
    }

    /// @dev A slot is Active: all but a fifth of the bond goes back.
    function _activate(
        Book storage b,
        uint64 slotId,
        Slot storage s,
        IPerpetualStorage.Route route,
        uint64 sector,
        bytes32 key
    ) private {
        b.sectorUse[key] = slotId;
        (s.state, s.route, s.sector) = (IPerpetualStorage.SlotState.Active, route, sector);
        uint80 retained = uint80(uint256(s.bond) * Rules.RETAINED_BPS / 10_000);
        b.credit(s.payee, s.bond - retained);
        s.bond = retained;
        b.activated(slotId, s);
    }

    function _in(Book storage b, uint64 slotId, IPerpetualStorage.SlotState state)
        private
        view
        returns (Slot storage s)
    {
        s = b.slots[slotId];
        if (s.state != state) revert IPerpetualStorage.PerpetualStorage_WrongState(slotId, s.state);
    }

    function _onlyController(Book storage b, uint64 minerId) private view {
        (, bool controls) = b.facts.minerFacts(minerId, msg.sender);
        if (!controls) revert IPerpetualStorage.PerpetualStorage_NotController(minerId, msg.sender);
    }

    function _refuse(bytes32 why) private pure {
        revert IPerpetualStorage.PerpetualStorage_Refused(why);
    }
}
