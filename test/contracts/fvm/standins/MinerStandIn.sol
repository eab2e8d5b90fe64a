// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Methods } from "../../../../contracts/fvm/Actors.sol";
import { CborReader, Reader } from "../../../../contracts/fvm/CborReader.sol";
import { CborWriter } from "../../../../contracts/fvm/CborWriter.sol";
import { FilAddress } from "../../../../contracts/fvm/FilAddress.sol";
import { SectorChange } from "../../../../contracts/fvm/Hooks.sol";
import { SectorStatus } from "../../../../contracts/fvm/MinerActor.sol";
import { Native } from "./Natives.sol";

/// @title MinerStandIn
/// @notice A miner: who controls it, its sectors and their places, and the notifications that it sends.
/// @dev A terminated sector stays in its partition, and in the list of sectors, until `compact`; then nobody finds it.
contract MinerStandIn is Native {
    using CborReader for Reader;

    struct Sector {
        bool listed; // in the list of sectors
        bool placed; // in its partition
        bool faulty;
        bool terminated;
        int64 deadline;
        int64 partition;
        int64 expiration;
    }

    uint64 public owner;
    uint64 public worker;
    mapping(uint64 id => bool) public controls;
    mapping(uint64 number => Sector) public sectors;

    int64 private constant DEADLINES = 48;

    function setOwner(uint64 owner_, uint64 worker_) external {
        (owner, worker) = (owner_, worker_);
    }

    function setControl(uint64 id, bool holds) external {
        controls[id] = holds;
    }

    // ------------------------------------------------------------------ sectors

    /// @notice A sector was proven.
    function commit(uint64 number, int64 expiration) external {
        sectors[number] = Sector(true, true, false, false, int64(uint64(number % 48)), 0, expiration);
    }

    function setPlace(uint64 number, int64 deadline, int64 partition) external {
        (sectors[number].deadline, sectors[number].partition) = (deadline, partition);
    }

    function setFaulty(uint64 number, bool faulty) external {
        sectors[number].faulty = faulty;
    }

    /// @notice The sector was terminated. A faulty one is no longer counted as such.
    function terminate(uint64 number) external {
        (sectors[number].terminated, sectors[number].faulty) = (true, false);
    }

    function extend(uint64 number, int64 expiration) external {
        sectors[number].expiration = expiration;
    }

    /// @notice Partitions were compacted: a live sector moves, a dead one is gone.
    function compact(uint64 number) external {
        Sector storage s = sectors[number];
        if (s.terminated) delete sectors[number];
        else ++s.partition;
    }

    /// @notice What GenerateSectorLocation would give.
    function location(uint64 number) external view returns (bytes memory) {
        Sector storage s = sectors[number];
        return s.listed ? _location(s.deadline, s.partition) : _location(-1, -1);
    }

    // ------------------------------------------------------------ notifications

    /// @notice Tells a contract that pieces are in sectors now, as ProveCommitSectors3 does.
    /// @param requireSuccess as the provider chose: then a refusal undoes the whole call
    /// @return accepted whether it answered that it took every piece
    function notify(address to, SectorChange[] calldata changes, bool requireSuccess) external returns (bool accepted) {
        (bool ok, bytes memory reply) = _tell(to, Methods.SECTOR_CONTENT_CHANGED, encodeChanges(changes), false);
        accepted = ok && _accepts(changes, reply);
        if (requireSuccess && !accepted) _exit(ILLEGAL_ARGUMENT);
    }

    function encodeChanges(SectorChange[] calldata changes) public pure returns (bytes memory out) {
        out = CborWriter.array(changes.length);
        for (uint256 i = 0; i < changes.length; ++i) {
            out = abi.encodePacked(
                out,
                bytes1(0x83),
                CborWriter.u64(changes[i].sector),
                CborWriter.i64(changes[i].minimumCommitmentEpoch),
                CborWriter.array(changes[i].added.length)
            );
            for (uint256 j = 0; j < changes[i].added.length; ++j) {
                out = abi.encodePacked(
                    out,
                    bytes1(0x83),
                    CborWriter.pieceCid(changes[i].added[j].commitment),
                    CborWriter.u64(changes[i].added[j].size),
                    CborWriter.byteString(changes[i].added[j].payload)
                );
            }
        }
    }

    function _accepts(SectorChange[] calldata changes, bytes memory reply) private pure returns (bool all) {
        Reader memory r = CborReader.open(reply);
        r.tuple(changes.length);
        all = true;
        for (uint256 i = 0; i < changes.length; ++i) {
            r.tuple(changes[i].added.length);
            for (uint256 j = 0; j < changes[i].added.length; ++j) {
                all = r.boolean() && all;
            }
        }
        all = all && r.done();
    }

    // ------------------------------------------------------------------ methods

    function _invoke(uint64 method, bytes calldata params) internal view override returns (bytes memory) {
        if (method == Methods.GET_OWNER) {
            return abi.encodePacked(bytes1(0x82), CborWriter.byteString(FilAddress.fromId(owner)), bytes1(0xf6));
        }
        if (method == Methods.IS_CONTROLLING_ADDRESS) return _isControlling(params);
        if (method == Methods.VALIDATE_SECTOR_STATUS) return _hasStatus(params);
        if (method == Methods.GET_NOMINAL_SECTOR_EXPIRATION) {
            Sector storage s = sectors[_id(params)];
            if (!s.listed) _exit(NOT_FOUND);
            return CborWriter.i64(s.expiration);
        }
        _exit(UNHANDLED);
    }

    function _isControlling(bytes calldata params) private view returns (bytes memory) {
        Reader memory r = CborReader.open(params);
        bytes memory addr = r.byteString();
        if (!FilAddress.isValid(addr)) _exit(SERIALIZATION);
        _parsed(r);
        uint64 id = _world().idOf(addr);
        return CborWriter.boolean(id != 0 && (id == owner || id == worker || controls[id]));
    }

    function _hasStatus(bytes calldata params) private view returns (bytes memory) {
        Reader memory r = CborReader.open(params);
        r.tuple(3);
        (uint64 number, uint64 status, bytes memory aux) = (r.u64(), r.u64(), r.byteString());
        if (status > uint64(SectorStatus.Faulty)) _exit(SERIALIZATION);
        _parsed(r);
        r = CborReader.open(aux);
        r.tuple(2);
        (int64 deadline, int64 partition) = (r.i64(), r.i64());
        if (!r.done() || (deadline == -1) != (partition == -1)) _exit(ILLEGAL_ARGUMENT);

        Sector storage s = sectors[number];
        if (deadline == -1) {
            if (s.listed) _exit(NOT_FOUND);
            return CborWriter.boolean(status == uint64(SectorStatus.Dead));
        }
        if (deadline < 0 || deadline >= DEADLINES) _exit(ILLEGAL_ARGUMENT);
        if (!s.placed || s.deadline != deadline || s.partition != partition) _exit(NOT_FOUND);
        SectorStatus now_ = s.terminated ? SectorStatus.Dead : s.faulty ? SectorStatus.Faulty : SectorStatus.Active;
        return CborWriter.boolean(status == uint64(now_));
    }

    function _location(int64 deadline, int64 partition) private pure returns (bytes memory) {
        return abi.encodePacked(bytes1(0x82), CborWriter.i64(deadline), CborWriter.i64(partition));
    }
}
