// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Codec, Exit, Methods } from "../fvm/Actors.sol";
import { Epochs } from "../fvm/Epochs.sol";
import { FilAddress } from "../fvm/FilAddress.sol";
import { Hooks, IFilecoinMethod, SectorChange } from "../fvm/Hooks.sol";
import { MarketActor } from "../fvm/MarketActor.sol";
import { MinerActor, SectorStatus } from "../fvm/MinerActor.sol";
import { Claim, VerifregActor } from "../fvm/VerifregActor.sol";
import { DealRef, IDealStatusOracle } from "../interfaces/IDealStatusOracle.sol";
import { IOperatorSet } from "../interfaces/IOperatorSet.sol";
import { Replicas } from "./Replicas.sol";

/// @title DealStatusOracle
/// @notice See IDealStatusOracle. It holds no money and has no owner.
/// @dev This part asks the actors; `Replicas` keeps what is listed for CIDs and what operators say.
contract DealStatusOracle is Replicas, IFilecoinMethod {
    uint32 private constant FORBIDDEN = 18;
    uint32 private constant SERIALIZATION = 21;
    uint32 private constant UNHANDLED = 22;

    /// @param operators whose configuration says who the operators are and how many are needed
    constructor(IOperatorSet operators) Replicas(operators) { }

    // ------------------------------------------------------------------ status

    /// @inheritdoc IDealStatusOracle
    function refresh(DealRef calldata ref, bytes calldata location) external returns (Status status) {
        return _refresh(ref, location);
    }

    /// @inheritdoc IDealStatusOracle
    function refreshMany(DealRef[] calldata refs, bytes[] calldata locations)
        external
        returns (Status[] memory statuses)
    {
        if (refs.length != locations.length) {
            revert DealStatusOracle_LengthsDiffer(refs.length, locations.length);
        }
        statuses = new Status[](refs.length);
        for (uint256 i = 0; i < refs.length; ++i) {
            statuses[i] = _refresh(refs[i], locations[i]);
        }
    }

    /// @dev Writes what was found, if the actors said something that the table has.
    function _refresh(DealRef memory ref, bytes memory location) internal override returns (Status) {
        bytes32 hash = _hashOf(ref);
        Record memory r = _records[hash];
        Status previous = r.status;
        bool found = ref.miner == 0 ? _pullDeal(ref.dealId, location, r) : _pullSector(ref, location, r);
        if (!found) return previous;
        r.source = Source.ActorPull;
        r.epoch = Epochs.current();
        _records[hash] = r;
        emit DealStatusChanged(hash, r.miner, r.status, _takeSeq(), previous, Source.ActorPull, r.epoch, r.start, r.end);
        return r.status;
    }

    /// @inheritdoc Replicas
    function _live(uint64 dealId) internal view override returns (bool active, uint64 end) {
        Record memory r;
        active = _pullDeal(dealId, "", r) && r.status == Status.Active;
        end = r.end;
    }

    /// @dev What f05 says now, into the record. False where the table has nothing for it.
    function _pullDeal(uint64 id, bytes memory location, Record memory r) private view returns (bool found) {
        (int256 exit, int64 start, int64 duration) = MarketActor.dealTerm(id);
        uint64 epoch = Epochs.current();
        if (exit == Exit.NOT_FOUND) {
            (r.status, r.miner, r.start, r.end) = (Status.None, 0, 0, 0);
            return true;
        }
        if (exit == Exit.DEAL_EXPIRED) {
            if (r.end == 0) return false; // its term was never seen, so it cannot be told from what it ended
            // What was found lost is not found again; it is never `Ended` afterwards.
            if (r.status != Status.Lost) r.status = epoch < r.end ? Status.Lost : Status.Ended;
            return true;
        }
        (bool ok, uint64 end) = Epochs.end(start, duration);
        if (exit != Exit.OK || !ok) return false;
        uint64 miner;
        int64 activated;
        (exit, miner) = MarketActor.dealProvider(id);
        if (exit != Exit.OK) return false;
        (exit, activated,) = MarketActor.dealActivation(id);
        if (exit != Exit.OK) return false;
        (r.miner, r.start, r.end) = (miner, uint64(start), end);
        if (activated < 0) r.status = epoch > r.start ? Status.Lost : Status.Published;
        else if (epoch >= end) r.status = Status.Ended;
        else r.status = _health(id, miner, location, r.status);
        return true;
    }

    /// @dev Of an active deal: what its sector's location shows. Where it shows nothing, a fault that was seen stays.
    function _health(uint64 dealId, uint64 miner, bytes memory location, Status before)
        private
        view
        returns (Status unknown)
    {
        unknown = before == Status.Faulty ? Status.Faulty : Status.Active;
        if (location.length == 0) return unknown;
        (int256 exit, uint64 sector) = MarketActor.dealSector(dealId);
        if (exit != Exit.OK) return unknown;
        bool faulty;
        (exit, faulty) = MinerActor.hasStatus(miner, sector, SectorStatus.Faulty, location);
        if (exit != Exit.OK) return unknown;
        return faulty ? Status.Faulty : Status.Active;
    }

    /// @dev What the miner says now of a sector that was shown to hold the piece.
    function _pullSector(DealRef memory ref, bytes memory location, Record memory r) private view returns (bool found) {
        // A dead sector stays dead, and numbers are not given out again.
        if (r.miner == 0 || r.status == Status.Ended || r.status == Status.Lost) return false;
        uint64 epoch = Epochs.current();
        for (uint8 s = 0; s < 3; ++s) {
            (int256 exit, bool holds) = MinerActor.hasStatus(ref.miner, ref.sector, SectorStatus(s), location);
            if (exit != Exit.OK) return false;
            if (!holds) continue;
            if (SectorStatus(s) == SectorStatus.Dead) {
                r.status = epoch < r.end ? Status.Lost : Status.Ended;
                return true;
            }
            int64 expiration;
            (exit, expiration) = MinerActor.sectorExpiration(ref.miner, ref.sector);
            if (exit != Exit.OK || expiration < 0) return false;
            r.end = uint64(expiration);
            if (epoch >= r.end) r.status = Status.Ended;
            else r.status = SectorStatus(s) == SectorStatus.Active ? Status.Active : Status.Faulty;
            return true;
        }
        return false;
    }

    // ----------------------------------------------------------------- sectors

    /// @inheritdoc IDealStatusOracle
    function proveByClaim(uint64 miner, uint64 claimId) external returns (DealRef memory ref) {
        (int256 exit, Claim memory c) = VerifregActor.claim(miner, claimId);
        if (exit != Exit.OK) revert DealStatusOracle_ActorRefused(exit);
        ref = DealRef(0, miner, c.sector, c.commitment);
        _prove(ref, c.size, _expiration(miner, c.sector));
    }

    /// @inheritdoc IDealStatusOracle
    function proveByDeal(uint64 dealId) external returns (DealRef memory ref) {
        (int256 exit, uint64 sector) = MarketActor.dealSector(dealId);
        if (exit != Exit.OK) revert DealStatusOracle_ActorRefused(exit);
        uint64 miner;
        (exit, miner) = MarketActor.dealProvider(dealId);
        if (exit != Exit.OK) revert DealStatusOracle_ActorRefused(exit);
        (bytes32 commitment, uint64 size) = _pieceOf(dealId);
        ref = DealRef(0, miner, sector, commitment);
        _prove(ref, size, _expiration(miner, sector));
    }

    function _expiration(uint64 miner, uint64 sector) private view returns (uint64 epoch) {
        (int256 exit, int64 expiration) = MinerActor.sectorExpiration(miner, sector);
        if (exit != Exit.OK) revert DealStatusOracle_ActorRefused(exit);
        bool ok;
        (ok, epoch) = Epochs.read(expiration);
        if (!ok) revert DealStatusOracle_ActorRefused(Exit.BAD_REPLY);
    }

    /// @dev Remembers that a sector holds a piece; the first time counts.
    function _prove(DealRef memory ref, uint64 size, uint64 end) private returns (bytes32 hash, bool first) {
        hash = _hashOf(ref);
        Record storage r = _records[hash];
        if (r.miner != 0) return (hash, false);
        (r.miner, r.start, r.end, r.size) = (ref.miner, Epochs.current(), end, size);
        emit SectorProven(hash, ref.miner, _takeSeq(), ref.sector, ref.commitment);
        return (hash, true);
    }

    // ----------------------------------------------------------- notifications

    /// @notice Miners tell here of sectors with pieces (SectorContentChanged). Nothing here reverts for what they send.
    /// @inheritdoc IFilecoinMethod
    function handle_filecoin_method(uint64 method, uint64 codec, bytes calldata params)
        external
        returns (uint32 exitCode, uint64 returnCodec, bytes memory returnData)
    {
        if (method != Methods.SECTOR_CONTENT_CHANGED) return (UNHANDLED, Codec.NONE, "");
        (bool isMasked, uint64 miner) = FilAddress.unmask(msg.sender);
        if (!isMasked || !MinerActor.isMiner(miner)) return (FORBIDDEN, Codec.NONE, "");
        (bool ok, SectorChange[] memory sectors) = Hooks.sectorContentChanged(params);
        if (!ok || codec != Codec.CBOR) return (SERIALIZATION, Codec.NONE, "");
        bool[][] memory accepted = new bool[][](sectors.length);
        for (uint256 i = 0; i < sectors.length; ++i) {
            accepted[i] = _told(miner, sectors[i]);
        }
        return (0, Codec.CBOR, Hooks.sectorContentReply(accepted));
    }

    function _told(uint64 miner, SectorChange memory s) private returns (bool[] memory accepted) {
        accepted = new bool[](s.added.length);
        (bool ok, uint64 end) = Epochs.read(s.minimumCommitmentEpoch);
        if (!ok) return accepted;
        for (uint256 i = 0; i < accepted.length; ++i) {
            accepted[i] = true;
            DealRef memory ref = DealRef(0, miner, s.sector, s.added[i].commitment);
            (bytes32 hash, bool first) = _prove(ref, s.added[i].size, end);
            if (!first) continue;
            Record storage r = _records[hash];
            (r.status, r.source, r.epoch) = (Status.Active, Source.SectorNotify, r.start);
            emit DealStatusChanged(
                hash, miner, Status.Active, _takeSeq(), Status.None, Source.SectorNotify, r.start, r.start, end
            );
        }
    }
}
