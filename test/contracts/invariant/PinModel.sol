// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { CidHash } from "../../../contracts/interfaces/IEstuaryPinning.sol";
import { Cids } from "../../../contracts/pinning/Cids.sol";

/// @title PinModel
/// @notice What EstuaryPinning should say, kept in the plainest way: one wide record a pin, nothing packed or counted.
library PinModel {
    uint8 internal constant NONE = 0;
    uint8 internal constant REQUESTED = 1;
    uint8 internal constant PINNED = 2;
    uint8 internal constant FAILED = 3;
    uint8 internal constant EXPIRED = 4;

    struct Record {
        uint8 status; // as recorded; what time makes of it is left to `read`
        uint8 reason;
        uint256 deadline;
        uint256 expiry;
        uint256 born; // seq of the request, or of the unpin, that began this
    }

    struct Model {
        mapping(bytes32 cidHash => mapping(address requester => Record)) records;
    }

    function mayPin(Model storage m, bytes memory cid, address who) internal view returns (bool) {
        (uint8 status,,) = read(m, cid, who);
        return status != REQUESTED && status != PINNED;
    }

    function mayExtend(Model storage m, bytes memory cid, address who, uint40 expiry) internal view returns (bool) {
        (uint8 status, uint40 until,) = read(m, cid, who);
        return status == PINNED && expiry > until;
    }

    function mayUnpin(Model storage m, bytes memory cid, address who) internal view returns (bool) {
        // As recorded: a request that lapsed can be dropped until somebody records that it failed.
        uint8 status = _at(m, cid, who).status;
        return status != FAILED && status != NONE;
    }

    function asked(Model storage m, bytes memory cid, address who, uint64 seq, uint40 deadline) internal {
        Record storage r = _at(m, cid, who);
        (r.status, r.reason, r.deadline, r.born) = (REQUESTED, 0, deadline, seq);
    }

    function unpinned(Model storage m, bytes memory cid, address who, uint64 seq) internal {
        Record storage r = _at(m, cid, who);
        (r.status, r.reason, r.born) = (NONE, 0, seq);
    }

    function answered(Model storage m, bytes memory context, bool succeeded, uint8 reason) internal {
        (Record storage r, uint256 seq, uint256 expiry) = _asked(m, context);
        if (seq < r.born) return;
        if (succeeded) {
            bool had = r.status == PINNED || r.status == EXPIRED;
            if (!had || expiry > r.expiry) r.expiry = expiry;
            (r.status, r.reason) = (PINNED, 0);
        } else if (seq == r.born) {
            (r.status, r.reason) = (FAILED, reason);
        }
    }

    function settled(Model storage m, bytes memory context, bool late) internal {
        (Record storage r, uint256 seq,) = _asked(m, context);
        if (r.status != REQUESTED || seq != r.born) return;
        (r.status, r.reason) = late ? (FAILED, 7) : (NONE, 0);
    }

    /// @notice Records what time has made of a pin or a request, as `expire` does.
    function ended(Model storage m, bytes memory cid, address who) internal {
        Record storage r = _at(m, cid, who);
        (r.status,, r.reason) = read(m, cid, who);
    }

    /// @notice What is true now.
    function read(Model storage m, bytes memory cid, address who)
        internal
        view
        returns (uint8 status, uint40 expiry, uint8 reason)
    {
        Record storage r = _at(m, cid, who);
        (status, reason) = (r.status, r.reason);
        if (status == REQUESTED && block.timestamp > r.deadline) return (FAILED, 0, 7);
        if (status == PINNED || status == EXPIRED) {
            expiry = uint40(r.expiry);
            if (block.timestamp >= r.expiry) status = EXPIRED;
        }
    }

    /// @notice Whether time has made of the record something else than was last recorded in the model.
    function isOver(Model storage m, bytes memory cid, address who) internal view returns (bool) {
        (uint8 status,,) = read(m, cid, who);
        return status != _at(m, cid, who).status;
    }

    function rank(uint8 status) internal pure returns (uint256) {
        uint8[5] memory ranks = [0, 3, 4, 1, 2];
        return ranks[status];
    }

    function _at(Model storage m, bytes memory cid, address who) private view returns (Record storage) {
        return m.records[CidHash.unwrap(Cids.hashOf(cid))][who];
    }

    function _asked(Model storage m, bytes memory context)
        private
        view
        returns (Record storage r, uint256 seq, uint256 expiry)
    {
        (bytes32 hash, uint256 word) = abi.decode(context, (bytes32, uint256));
        r = m.records[hash][address(uint160(word >> 96))];
        seq = uint48(word >> 8);
        expiry = uint40(word >> 56);
    }
}
