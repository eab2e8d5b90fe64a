// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { CidHash, IEstuaryPinning } from "../interfaces/IEstuaryPinning.sol";
import { Reasons } from "../interfaces/IExecutionProvider.sol";

/// @notice The record of one requester's pin of one CID, in one slot:
/// requester 160 | until 40 | since 48 | status 4 | reason 4.
/// - status: as last recorded; `nowIs` says what it is now;
/// - until: while Requested the deadline of the request, while Pinned or Expired the expiry, else 0;
/// - since: answers to requests with a lower seq no longer count.
type Pin is uint256;

using Pins for Pin global;

/// @title Pins
/// @notice Makes and reads a Pin.
library Pins {
    function make(address requester_, IEstuaryPinning.PinStatus status_, uint8 reason_, uint40 until_, uint48 since_)
        internal
        pure
        returns (Pin)
    {
        return Pin.wrap(
            uint256(uint160(requester_)) << 96 | uint256(until_) << 56 | uint256(since_) << 8 | uint256(status_) << 4
                | (reason_ & 15)
        );
    }

    function status(Pin pin) internal pure returns (IEstuaryPinning.PinStatus) {
        return IEstuaryPinning.PinStatus((Pin.unwrap(pin) >> 4) & 15);
    }

    function reason(Pin pin) internal pure returns (uint8) {
        return uint8(Pin.unwrap(pin) & 15);
    }

    function until(Pin pin) internal pure returns (uint40) {
        return uint40(Pin.unwrap(pin) >> 56);
    }

    function since(Pin pin) internal pure returns (uint48) {
        return uint48(Pin.unwrap(pin) >> 8);
    }

    function requester(Pin pin) internal pure returns (address) {
        return address(uint160(Pin.unwrap(pin) >> 96));
    }

    /// @notice What the record means now: a request past its deadline can no longer be answered, a pin ends at its expiry.
    function nowIs(Pin pin) internal view returns (IEstuaryPinning.PinStatus status_, uint8 reason_) {
        status_ = pin.status();
        if (status_ == IEstuaryPinning.PinStatus.Requested && block.timestamp > pin.until()) {
            return (IEstuaryPinning.PinStatus.Failed, Reasons.EXPIRED);
        }
        if (status_ == IEstuaryPinning.PinStatus.Pinned && block.timestamp >= pin.until()) {
            return (IEstuaryPinning.PinStatus.Expired, Reasons.NONE);
        }
        return (status_, pin.reason());
    }
}

/// @title PinBook
/// @notice Who has which pin, and the best of them for each CID without a loop.
/// @dev The first requester of a CID has the CID's own slot for ever. Later ones have a slot each and are counted in a
/// tally, whose `lastDeadline` and `lastExpiry` are bounds from above while anything is counted. So the first pin of a
/// CID costs one new slot, and a CID with one requester is always exact.
library PinBook {
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
        mapping(CidHash => Pin) first;
        mapping(CidHash => mapping(address requester => Pin)) others;
        mapping(CidHash => Tally) tallies;
    }

    function get(Book storage book, CidHash cidHash, address requester) internal view returns (Pin pin) {
        pin = book.first[cidHash];
        address holder = pin.requester();
        // Where nobody was first there are no others.
        if (holder != requester && holder != address(0)) pin = book.others[cidHash][requester];
    }

    /// @param old what `get` returned for the requester of `pin`
    function set(Book storage book, CidHash cidHash, Pin old, Pin pin) internal {
        address requester = pin.requester();
        if (old.requester() != requester) {
            // New here: first of all, or one more of the others.
            if (book.first[cidHash].requester() == address(0)) {
                book.first[cidHash] = pin;
                return;
            }
        } else if (book.first[cidHash].requester() == requester) {
            book.first[cidHash] = pin;
            return;
        }
        book.others[cidHash][requester] = pin;
        Tally memory tally = book.tallies[cidHash];
        _leave(tally, old);
        _enter(tally, pin);
        book.tallies[cidHash] = tally;
    }

    /// @notice The best status of all requesters, in the order Pinned, Requested, Expired, Failed, None.
    function best(Book storage book, CidHash cidHash) internal view returns (IEstuaryPinning.PinStatus) {
        (IEstuaryPinning.PinStatus first,) = book.first[cidHash].nowIs();
        if (first == IEstuaryPinning.PinStatus.Pinned) return first;
        Tally memory tally = book.tallies[cidHash];
        if (tally.pinned != 0 && block.timestamp < tally.lastExpiry) return IEstuaryPinning.PinStatus.Pinned;
        bool someoneWaits = tally.requested != 0 && block.timestamp <= tally.lastDeadline;
        if (first == IEstuaryPinning.PinStatus.Requested || someoneWaits) return IEstuaryPinning.PinStatus.Requested;
        if (first == IEstuaryPinning.PinStatus.Expired || tally.pinned != 0 || tally.expired != 0) {
            return IEstuaryPinning.PinStatus.Expired;
        }
        if (tally.requested != 0 || tally.failed != 0) return IEstuaryPinning.PinStatus.Failed;
        return first;
    }

    function _leave(Tally memory tally, Pin pin) private pure {
        IEstuaryPinning.PinStatus status = pin.status();
        if (status == IEstuaryPinning.PinStatus.Requested) {
            if (--tally.requested == 0) tally.lastDeadline = 0;
        } else if (status == IEstuaryPinning.PinStatus.Pinned) {
            if (--tally.pinned == 0) tally.lastExpiry = 0;
        } else if (status == IEstuaryPinning.PinStatus.Failed) {
            --tally.failed;
        } else if (status == IEstuaryPinning.PinStatus.Expired) {
            --tally.expired;
        }
    }

    function _enter(Tally memory tally, Pin pin) private pure {
        IEstuaryPinning.PinStatus status = pin.status();
        uint40 until = pin.until();
        if (status == IEstuaryPinning.PinStatus.Requested) {
            ++tally.requested;
            if (until > tally.lastDeadline) tally.lastDeadline = until;
        } else if (status == IEstuaryPinning.PinStatus.Pinned) {
            ++tally.pinned;
            if (until > tally.lastExpiry) tally.lastExpiry = until;
        } else if (status == IEstuaryPinning.PinStatus.Failed) {
            ++tally.failed;
        } else if (status == IEstuaryPinning.PinStatus.Expired) {
            ++tally.expired;
        }
    }
}
