// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { ActorCall } from "./ActorCall.sol";
import { Actors, Exit, Methods } from "./Actors.sol";
import { CborReader, Reader } from "./CborReader.sol";
import { CborWriter } from "./CborWriter.sol";
import { FilAddress } from "./FilAddress.sol";

/// @notice What a miner says of a sector (FIP-0112), by its numbers there.
enum SectorStatus {
    Dead,
    Active,
    Faulty
}

/// @title MinerActor
/// @notice What a miner says of itself and of its sectors, and whether an actor is a miner at all.
/// @dev Any contract can answer to these methods as it likes. So ask `isMiner` of an id before the first of the others; an id
/// that is a miner stays one.
library MinerActor {
    using CborReader for Reader;

    /// @notice Whether the power actor f04 knows a miner with this id.
    function isMiner(uint64 id) internal view returns (bool) {
        (int256 exit, bytes memory reply) = ActorCall.read(Actors.POWER, Methods.MINER_POWER, CborWriter.u64(id));
        return exit == Exit.OK && reply.length != 0;
    }

    /// @notice The actor that owns a miner.
    function owner(uint64 miner) internal view returns (int256 exit, uint64 ownerId) {
        bytes memory reply;
        (exit, reply) = ActorCall.read(miner, Methods.GET_OWNER, "");
        Reader memory r = CborReader.open(reply);
        r.tuple(2);
        bool ok;
        (ok, ownerId) = FilAddress.readId(r.byteString());
        if (!r.isNull()) r.byteString(); // the owner to be
        if ((exit = ActorCall.checked(exit, ok && r.done())) != Exit.OK) return (exit, 0);
    }

    /// @notice Whether an account is owner, worker or control address of a miner.
    /// @param account an Ethereum address or a masked id
    function isControlling(uint64 miner, address account) internal view returns (int256 exit, bool controlling) {
        return _boolean(miner, Methods.IS_CONTROLLING_ADDRESS, CborWriter.byteString(FilAddress.toBytes(account)));
    }

    /// @notice Whether a sector has a status now.
    /// @dev `Dead` is true of every sector that the miner never had. A location that no longer holds (partitions are compacted)
    /// gives a code other than 0, which says nothing of the sector.
    /// @param location CBOR `[deadline, partition]` from GenerateSectorLocation, asked off chain; see `sectorLocation`
    function hasStatus(uint64 miner, uint64 sector, SectorStatus status, bytes memory location)
        internal
        view
        returns (int256 exit, bool holds)
    {
        return _boolean(
            miner,
            Methods.VALIDATE_SECTOR_STATUS,
            abi.encodePacked(
                CborWriter.array(3),
                CborWriter.u64(sector),
                CborWriter.u64(uint64(status)),
                CborWriter.byteString(location)
            )
        );
    }

    /// @notice Where a sector is, as `hasStatus` takes it; both −1 for one that is no longer there.
    function sectorLocation(int64 deadline, int64 partition) internal pure returns (bytes memory) {
        return abi.encodePacked(CborWriter.array(2), CborWriter.i64(deadline), CborWriter.i64(partition));
    }

    /// @notice The epoch until which a sector is committed; the same after it was terminated early. 17 where it is gone.
    function sectorExpiration(uint64 miner, uint64 sector) internal view returns (int256 exit, int64 epoch) {
        bytes memory reply;
        (exit, reply) = ActorCall.read(miner, Methods.GET_NOMINAL_SECTOR_EXPIRATION, CborWriter.u64(sector));
        Reader memory r = CborReader.open(reply);
        epoch = r.i64();
        if ((exit = ActorCall.checked(exit, r.done())) != Exit.OK) return (exit, 0);
    }

    function _boolean(uint64 miner, uint64 method, bytes memory params) private view returns (int256 exit, bool value) {
        bytes memory reply;
        (exit, reply) = ActorCall.read(miner, method, params);
        Reader memory r = CborReader.open(reply);
        value = r.boolean();
        if ((exit = ActorCall.checked(exit, r.done())) != Exit.OK) return (exit, false);
    }
}
