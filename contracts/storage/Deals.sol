// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { FilAddress } from "../fvm/FilAddress.sol";
import { PieceCid } from "../fvm/PieceCid.sol";
import { CidHash } from "../interfaces/IEstuaryPinning.sol";
import { DealTerms, IPerpetualStorage } from "../interfaces/IPerpetualStorage.sol";
import { Book, Books, Deal, Seat, Slot } from "./Book.sol";
import { Rules } from "./Rules.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

/// @notice A piece and the CAR in it.
struct Piece {
    bytes32 commP;
    uint64 paddedSize;
    uint64 carSize;
}

/// @title Deals
/// @notice What clients do with their deals: the first of the libraries that PerpetualStorage is linked with.
library Deals {
    using Books for Book;
    using Books for Deal;

    /// @notice Creates a deal. A `commP` of 0 leaves it Preparing.
    function create(
        Book storage b,
        address client,
        bytes calldata cid,
        Piece memory piece,
        uint256 value,
        DealTerms memory terms
    ) external returns (uint64 dealId) {
        if (b.paused) revert IPerpetualStorage.PerpetualStorage_IntakePaused();
        if (client == address(0)) revert IPerpetualStorage.PerpetualStorage_NotClient(client);
        client = FilAddress.normalize(client);
        _checkTerms(terms);
        dealId = b.nextDeal++;
        Deal storage d = b.deals[dealId];
        (bytes4 cidHead, CidHash cidHash) = _setCid(d, cid);
        if (piece.commP != 0) {
            _checkPiece(piece);
            d.commP = piece.commP;
        }
        _setWho(d, client, cidHead, piece, terms);
        _setTerms(d, _amount(value), piece, terms);
        if (bytes(terms.endpoint).length != 0) d.endpoint = terms.endpoint;
        _created(b, dealId, client, cidHash, cid, piece, uint96(value), terms);
    }

    /// @notice Records the piece of a deal that was Preparing; commP 0 cancels it.
    function bindPiece(Book storage b, uint64 dealId, Piece memory piece) external {
        Deal storage d = b.deals[dealId];
        if (d.status != IPerpetualStorage.DealStatus.Preparing) return;
        if (piece.commP == 0) _cancel(b, dealId);
        else _bind(d, piece);
        emit IPerpetualStorage.DealPrepared(dealId, b.takeSeq(), piece.commP, piece.paddedSize, piece.carSize);
    }

    /// @notice Operators fetched the piece just now.
    function served(Book storage b, uint64 dealId) external {
        Deal storage d = b.deals[dealId];
        d.settleClock();
        uint32 until = uint32(block.number + Rules.SERVED_TERM);
        d.servedUntil = until;
        emit IPerpetualStorage.DealServed(dealId, b.takeSeq(), until);
    }

    function fund(Book storage b, uint64 dealId, uint256 value) external {
        _fund(b, dealId, value);
    }

    function fundMany(Book storage b, uint64[] calldata dealIds, uint96[] calldata amounts, uint256 value) external {
        if (dealIds.length != amounts.length) revert IPerpetualStorage.PerpetualStorage_LengthMismatch();
        uint256 sum;
        for (uint256 i = 0; i < dealIds.length; ++i) {
            sum += amounts[i];
            _fund(b, dealIds[i], amounts[i]);
        }
        if (sum != value) revert IPerpetualStorage.PerpetualStorage_AmountTooLarge(sum, value);
    }

    function changeBounty(Book storage b, uint64 dealId, uint80 baseBounty, uint32 ramp) external {
        Deal storage d = _mine(b, dealId);
        if (baseBounty > d.maxBounty) revert IPerpetualStorage.PerpetualStorage_TermsOutOfRange("baseBounty");
        if (ramp > Rules.MAX_TERM) revert IPerpetualStorage.PerpetualStorage_TermsOutOfRange("ramp");
        (d.baseBounty, d.ramp) = (baseBounty, ramp);
        emit IPerpetualStorage.BountyChanged(dealId, b.takeSeq(), baseBounty, ramp);
    }

    function changeMaxPrice(Book storage b, uint64 dealId, uint80 maxBounty, uint64 rate) external {
        Deal storage d = _mine(b, dealId);
        if (maxBounty < d.baseBounty) revert IPerpetualStorage.PerpetualStorage_TermsOutOfRange("maxBounty");
        _checkBond(maxBounty, d.bondFloor);
        (d.maxBounty, d.rate) = (maxBounty, rate);
        emit IPerpetualStorage.MaxPriceChanged(dealId, b.takeSeq(), maxBounty, rate);
    }

    /// @dev A seat that comes back, or comes new, begins at the base bounty.
    function changeReplicas(Book storage b, uint64 dealId, uint8 replicas) external {
        Deal storage d = _mine(b, dealId);
        if (replicas == 0 || replicas > Rules.MAX_REPLICAS) {
            revert IPerpetualStorage.PerpetualStorage_TermsOutOfRange("replicas");
        }
        for (uint8 index = d.replicas; index < replicas; ++index) {
            Seat storage seat = b.seatAt(dealId, index);
            Slot storage s = b.slots[Books.slotIdOf(dealId, index, seat.current)];
            if (s.state == IPerpetualStorage.SlotState.Open) s.mark = d.clockOf();
            if (seat.hasNext) {
                s = b.slots[Books.slotIdOf(dealId, index, seat.next)];
                if (s.state == IPerpetualStorage.SlotState.Open) s.mark = d.clockOf();
            }
        }
        d.replicas = replicas;
        if (replicas > d.seats) d.seats = replicas;
        emit IPerpetualStorage.ReplicasChanged(dealId, b.takeSeq(), replicas);
    }

    function changeEndEpoch(Book storage b, uint64 dealId, uint32 endEpoch) external {
        _mine(b, dealId).endEpoch = endEpoch;
        emit IPerpetualStorage.EndEpochChanged(dealId, b.takeSeq(), endEpoch);
    }

    function changeDataCap(Book storage b, uint64 dealId, bool verified) external {
        Deal storage d = _mine(b, dealId);
        for (uint8 index = 0; index < d.seats; ++index) {
            Seat storage seat = b.seatAt(dealId, index);
            _notClaimed(b, Books.slotIdOf(dealId, index, seat.current));
            if (seat.hasNext) _notClaimed(b, Books.slotIdOf(dealId, index, seat.next));
        }
        d.flags = verified ? d.flags | Books.VERIFIED : d.flags & ~Books.VERIFIED;
        emit IPerpetualStorage.DataCapChanged(dealId, b.takeSeq(), verified);
    }

    function suspend(Book storage b, uint64 dealId) external {
        Deal storage d = _mine(b, dealId);
        d.settleClock();
        d.flags |= Books.SUSPENDED;
        emit IPerpetualStorage.DealSuspended(dealId, b.takeSeq());
    }

    function resume(Book storage b, uint64 dealId) external {
        Deal storage d = _mine(b, dealId);
        d.settleClock();
        d.flags &= ~Books.SUSPENDED;
        emit IPerpetualStorage.DealResumed(dealId, b.takeSeq());
    }

    function cancel(Book storage b, uint64 dealId) external {
        _mine(b, dealId);
        _cancel(b, dealId);
    }

    function withdrawSurplus(Book storage b, uint64 dealId, uint96 amount) external {
        Deal storage d = _mine(b, dealId);
        if (amount == 0) revert IPerpetualStorage.PerpetualStorage_ZeroAmount();
        if (amount > d.free) revert IPerpetualStorage.PerpetualStorage_AmountTooLarge(amount, d.free);
        d.free -= amount;
        b.credit(d.client, amount);
        emit IPerpetualStorage.SurplusWithdrawn(dealId, b.takeSeq(), amount);
    }

    // ----------------------------------------------------------------- inside

    function _fund(Book storage b, uint64 dealId, uint256 value) private {
        Deal storage d = b.deals[dealId];
        if (d.status != IPerpetualStorage.DealStatus.Open && d.status != IPerpetualStorage.DealStatus.Preparing) {
            revert IPerpetualStorage.PerpetualStorage_WrongStatus(dealId, d.status);
        }
        if (value == 0) revert IPerpetualStorage.PerpetualStorage_ZeroAmount();
        uint96 amount = _amount(value);
        d.free += amount;
        emit IPerpetualStorage.DealFunded(dealId, msg.sender, b.takeSeq(), amount);
    }

    function _cancel(Book storage b, uint64 dealId) private {
        Deal storage d = b.deals[dealId];
        d.settleClock();
        uint96 refund = d.free;
        (d.free, d.status) = (0, IPerpetualStorage.DealStatus.Cancelled);
        b.credit(d.client, refund);
        emit IPerpetualStorage.DealCancelled(dealId, b.takeSeq(), refund);
    }

    /// @dev A deal that the caller owns and that is neither over nor unknown.
    function _mine(Book storage b, uint64 dealId) private view returns (Deal storage d) {
        d = b.deals[dealId];
        if (d.client != FilAddress.normalize(msg.sender)) {
            revert IPerpetualStorage.PerpetualStorage_NotClient(msg.sender);
        }
        if (d.status == IPerpetualStorage.DealStatus.Cancelled) {
            revert IPerpetualStorage.PerpetualStorage_WrongStatus(dealId, d.status);
        }
    }

    function _notClaimed(Book storage b, uint64 slotId) private view {
        IPerpetualStorage.SlotState state = b.slots[slotId].state;
        if (state == IPerpetualStorage.SlotState.Claimed) {
            revert IPerpetualStorage.PerpetualStorage_WrongState(slotId, state);
        }
    }

    function _amount(uint256 value) private pure returns (uint96) {
        if (value > type(uint96).max) {
            revert IPerpetualStorage.PerpetualStorage_AmountTooLarge(value, type(uint96).max);
        }
        return uint96(value);
    }

    function _checkBond(uint80 maxBounty, uint80 bondFloor) private pure {
        // A bond is at most maxBounty + bondFloor, and is kept in 80 bits.
        if (uint256(maxBounty) + bondFloor > type(uint80).max) {
            revert IPerpetualStorage.PerpetualStorage_TermsOutOfRange("maxBounty");
        }
    }

    function _checkTerms(DealTerms memory t) private pure {
        if (t.replicas == 0 || t.replicas > Rules.MAX_REPLICAS) _outOfRange("replicas");
        if (t.term < Rules.MIN_TERM || t.term > Rules.MAX_TERM) _outOfRange("term");
        if (t.sealWindow < Rules.MIN_SEAL_WINDOW || t.sealWindow > Rules.MAX_SEAL_WINDOW) _outOfRange("sealWindow");
        if (t.renewWindow >= t.term) _outOfRange("renewWindow");
        if (t.ramp > Rules.MAX_TERM) _outOfRange("ramp");
        if (t.baseBounty > t.maxBounty) _outOfRange("baseBounty");
        if (t.bondFloor < Rules.MIN_BOND) _outOfRange("bondFloor");
        if (bytes(t.endpoint).length > Rules.MAX_ENDPOINT) _outOfRange("endpoint");
        _checkBond(t.maxBounty, t.bondFloor);
    }

    function _outOfRange(bytes32 field) private pure {
        revert IPerpetualStorage.PerpetualStorage_TermsOutOfRange(field);
    }

    /// @dev The first word of a Deal, written at once; see there for what is where.
    function _setWho(Deal storage d, address client, bytes4 cidHead, Piece memory piece, DealTerms memory t) private {
        uint256 word = uint256(uint160(client)) | uint256(t.replicas) << 168 | uint256(t.term) << 192
            | uint256(uint32(cidHead)) << 224;
        if (t.verified) word |= uint256(Books.VERIFIED) << 176;
        if (piece.commP == 0) word |= uint256(IPerpetualStorage.DealStatus.Preparing) << 160;
        else word |= uint256(IPerpetualStorage.DealStatus.Open) << 160 | Math.log2(piece.paddedSize) << 184;
        assembly ("memory-safe") {
            sstore(d.slot, word)
        }
    }

    /// @dev The next three words. The clock stands still until there is a piece.
    function _setTerms(Deal storage d, uint96 value, Piece memory piece, DealTerms memory t) private {
        uint256 when = uint256(value) | uint256(t.replicas) << 96 | uint256(piece.carSize) << 104 | uint256(t.endEpoch)
            << 152 | uint256(t.sealWindow) << 184 | uint256(t.renewWindow) << 216;
        uint256 price =
            uint256(t.baseBounty) | uint256(t.maxBounty) << 80 | uint256(t.rate) << 160 | uint256(t.ramp) << 224;
        uint256 bond = uint256(t.bondFloor) | uint256(t.minCollateral) << 80;
        if (piece.commP != 0) bond |= uint256(uint32(block.number)) << 192;
        assembly ("memory-safe") {
            sstore(add(d.slot, 1), when)
            sstore(add(d.slot, 2), price)
            sstore(add(d.slot, 3), bond)
        }
    }

    /// @dev CIDv0, and CIDv1 with a one-byte codec, of a SHA-256: all but a few, in one word and four bytes.
    function _setCid(Deal storage d, bytes calldata cid) private returns (bytes4 head, CidHash) {
        bytes32 digest;
        if (cid.length == 34 && bytes2(cid) == 0x1220) {
            head = bytes4(bytes2(0x1220));
        } else if (cid.length == 36 && cid[0] == 0x01 && cid[1] < 0x80 && bytes2(cid[2:4]) == 0x1220) {
            head = bytes4(cid);
        } else {
            revert IPerpetualStorage.PerpetualStorage_UnsupportedCid(cid);
        }
        assembly ("memory-safe") {
            digest := calldataload(add(cid.offset, sub(cid.length, 32)))
        }
        d.cidDigest = digest;
        // Of the multihash, as Cids.hashOf.
        return (head, CidHash.wrap(keccak256(abi.encodePacked(bytes2(0x1220), digest))));
    }

    function _checkPiece(Piece memory piece) private pure {
        (uint64 paddedSize, uint64 carSize) = (piece.paddedSize, piece.carSize);
        if (!PieceCid.isPaddedSize(paddedSize)) _outOfRange("paddedSize");
        if (carSize == 0 || carSize > uint256(paddedSize) / 128 * 127) _outOfRange("carSize");
        if (carSize > type(uint48).max) _outOfRange("carSize");
    }

    /// @dev A deal that was Preparing has its piece.
    function _bind(Deal storage d, Piece memory piece) private {
        _checkPiece(piece);
        d.commP = piece.commP;
        (d.status, d.log2Size) = (IPerpetualStorage.DealStatus.Open, uint8(Math.log2(piece.paddedSize)));
        d.carSize = uint48(piece.carSize);
        d.since = uint32(block.number);
    }

    function _created(
        Book storage b,
        uint64 dealId,
        address client,
        CidHash cidHash,
        bytes calldata cid,
        Piece memory piece,
        uint96 funded,
        DealTerms memory terms
    ) private {
        uint64 seq = b.takeSeq();
        emit IPerpetualStorage.DealCreated(
            dealId, client, cidHash, seq, cid, piece.commP, piece.paddedSize, piece.carSize, funded, terms
        );
    }
}
