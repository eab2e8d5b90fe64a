// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { CidHash, IEstuaryPinning } from "../interfaces/IEstuaryPinning.sol";
import { Reasons } from "../interfaces/IExecutionProvider.sol";

/// @title PinBook
/// @notice Who has which pin: a record for each (CID, requester), and the best of them for each CID without a loop.
/// @dev The first requester of a CID has the CID's own slot for ever. Later ones have a slot each and are counted in a
/// tally, whose `lastDeadline` and `lastExpiry` are bounds from above while anything is counted. So the first pin of a
/// CID costs one new slot, and a CID with one requester is always exact.
library PinBook {
    /// @notice A record. It shares its slot with the requester's address: requester | until | since | status | reason.
    struct Pin {
        IEstuaryPinning.PinStatus status; // as last recorded: `at` says what it is now
        uint8 reason; // below 16
        uint40 until; // while Requested the deadline of the request, while Pinned or Expired the expiry, else 0
        uint48 since; // answers to requests with a lower seq no longer count
    }

    /// @notice How many of the later requesters of a CID are recorded as what.
    struct Tally {
        uint32 requested;
        uint32 pinned;
        uint32 failed;
        uint32 expired;
        uint40 lastDeadline;
        uint40 lastExpiry;
    }

    struct Book {
        mapping(CidHash => uint256) first;
        mapping(CidHash => mapping(address requester => uint256)) others;
        mapping(CidHash => Tally) tallies;
    }

    function get(Book storage book, CidHash cidHash, address requester) internal view returns (Pin memory) {
        uint256 slot = book.first[cidHash];
        if (slot >> 96 != uint160(requester)) slot = book.others[cidHash][requester];
        return _unpack(slot);
    }

    /// @param old what `get` returned
    function set(Book storage book, CidHash cidHash, address requester, Pin memory old, Pin memory pin) internal {
        uint256 slot = uint256(uint160(requester)) << 96 | uint256(pin.until) << 56 | uint256(pin.since) << 8
            | uint256(pin.status) << 4 | pin.reason;
        uint256 holder = book.first[cidHash] >> 96;
        if (holder == 0 || holder == uint160(requester)) {
            book.first[cidHash] = slot;
            return;
        }
        book.others[cidHash][requester] = slot;
        Tally memory tally = book.tallies[cidHash];
        _leave(tally, old);
        _enter(tally, pin);
        book.tallies[cidHash] = tally;
    }

    /// @notice The best status of all requesters, in the order Pinned, Requested, Expired, Failed, None.
    function best(Book storage book, CidHash cidHash) internal view returns (IEstuaryPinning.PinStatus) {
        (IEstuaryPinning.PinStatus first,) = at(_unpack(book.first[cidHash]), block.timestamp);
        if (first == IEstuaryPinning.PinStatus.Pinned) return first;
        Tally memory tally = book.tallies[cidHash];
        bool someoneWaits = tally.requested != 0 && block.timestamp <= tally.lastDeadline;
        if (tally.pinned != 0 && block.timestamp < tally.lastExpiry) return IEstuaryPinning.PinStatus.Pinned;
        if (first == IEstuaryPinning.PinStatus.Requested || someoneWaits) return IEstuaryPinning.PinStatus.Requested;
        if (first == IEstuaryPinning.PinStatus.Expired || tally.pinned != 0 || tally.expired != 0) {
            return IEstuaryPinning.PinStatus.Expired;
        }
        if (tally.requested != 0 || tally.failed != 0) return IEstuaryPinning.PinStatus.Failed;
        return first;
    }

    /// @notice What a record means at `time`: a request past its deadline can no longer be answered, a pin ends at its expiry.
    function at(Pin memory pin, uint256 time) internal pure returns (IEstuaryPinning.PinStatus status, uint8 reason) {
        if (pin.status == IEstuaryPinning.PinStatus.Requested && time > pin.until) {
            return (IEstuaryPinning.PinStatus.Failed, Reasons.EXPIRED);
        }
        if (pin.status == IEstuaryPinning.PinStatus.Pinned && time >= pin.until) {
            return (IEstuaryPinning.PinStatus.Expired, Reasons.NONE);
        }
        return (pin.status, pin.reason);
    }

    function _unpack(uint256 slot) private pure returns (Pin memory) {
        return Pin(IEstuaryPinning.PinStatus((slot >> 4) & 15), uint8(slot & 15), uint40(slot >> 56), uint48(slot >> 8));
    }

    function _leave(Tally memory tally, Pin memory pin) private pure {
        if (pin.status == IEstuaryPinning.PinStatus.Requested) {
            if (--tally.requested == 0) tally.lastDeadline = 0;
        } else if (pin.status == IEstuaryPinning.PinStatus.Pinned) {
            if (--tally.pinned == 0) tally.lastExpiry = 0;
        } else if (pin.status == IEstuaryPinning.PinStatus.Failed) {
            --tally.failed;
        } else if (pin.status == IEstuaryPinning.PinStatus.Expired) {
            --tally.expired;
        }
    }

    function _enter(Tally memory tally, Pin memory pin) private pure {
        if (pin.status == IEstuaryPinning.PinStatus.Requested) {
            ++tally.requested;
            if (pin.until > tally.lastDeadline) tally.lastDeadline = pin.until;
        } else if (pin.status == IEstuaryPinning.PinStatus.Pinned) {
            ++tally.pinned;
            if (pin.until > tally.lastExpiry) tally.lastExpiry = pin.until;
        } else if (pin.status == IEstuaryPinning.PinStatus.Failed) {
            ++tally.failed;
        } else if (pin.status == IEstuaryPinning.PinStatus.Expired) {
            ++tally.expired;
        }
    }
}
