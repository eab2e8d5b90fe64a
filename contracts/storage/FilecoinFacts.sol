// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Exit } from "../fvm/Actors.sol";
import { FilAddress } from "../fvm/FilAddress.sol";
import { MarketActor } from "../fvm/MarketActor.sol";
import { MinerActor, SectorStatus } from "../fvm/MinerActor.sol";
import { Claim, VerifregActor } from "../fvm/VerifregActor.sol";
import { ClaimFacts, DealFacts, IFilecoinFacts } from "../interfaces/IStorageGate.sol";

/// @title FilecoinFacts
/// @notice See IFilecoinFacts: what actors say, boiled down to what the storage contracts need. It has neither state nor owner.
contract FilecoinFacts is IFilecoinFacts {
    /// @notice Whose deals and claims are ours.
    address public immutable gate;

    constructor(address gate_) {
        gate = gate_;
    }

    /// @inheritdoc IFilecoinFacts
    function minerFacts(uint64 minerId, address caller) external view returns (uint64 ownerId, bool controls) {
        if (!MinerActor.isMiner(minerId)) return (0, false);
        int256 exit;
        (exit, ownerId) = MinerActor.owner(minerId);
        if (exit != Exit.OK || caller == address(0)) return (ownerId, false);
        (exit, controls) = MinerActor.isControlling(minerId, caller);
        if (exit != Exit.OK) controls = false;
    }

    /// @inheritdoc IFilecoinFacts
    function sectorIs(uint64 minerId, uint64 sector, uint8 status, bytes calldata aux) external view returns (bool) {
        if (status > uint8(type(SectorStatus).max)) return false;
        (int256 exit, bool holds) = MinerActor.hasStatus(minerId, sector, SectorStatus(status), aux);
        return exit == Exit.OK && holds;
    }

    /// @inheritdoc IFilecoinFacts
    function sectorExpiration(uint64 minerId, uint64 sector) external view returns (uint64) {
        (int256 exit, int64 epoch) = MinerActor.sectorExpiration(minerId, sector);
        return exit == Exit.OK && epoch > 0 ? uint64(epoch) : 0;
    }

    /// @inheritdoc IFilecoinFacts
    function dealFacts(uint64 id) external view returns (DealFacts memory f) {
        (int256 exit, int64 activated,) = MarketActor.dealActivation(id);
        if (exit == Exit.DEAL_EXPIRED) f.state = DealState.Gone;
        if (exit != Exit.OK) return f;
        f.state = activated < 0 ? DealState.Published : DealState.Active;
        f.activated = activated;
        if (!_readDeal(id, f)) delete f;
    }

    /// @inheritdoc IFilecoinFacts
    function missedStart(uint64 id) external view returns (bool) {
        (int256 exit, int64 activated,) = MarketActor.dealActivation(id);
        if (exit != Exit.OK || activated >= 0) return false;
        int64 start;
        (exit, start,) = MarketActor.dealTerm(id);
        return exit == Exit.OK && start < int64(uint64(block.number));
    }

    /// @inheritdoc IFilecoinFacts
    function claimFacts(uint64 minerId, uint64 claimId) external view returns (ClaimFacts memory f) {
        (int256 exit, Claim memory c) = VerifregActor.claim(minerId, claimId);
        if (exit != Exit.OK) return f;
        f = ClaimFacts(true, c.client == _self(), c.commitment, c.size, c.termStart, c.termMin, c.sector);
    }

    function _readDeal(uint64 id, DealFacts memory f) private view returns (bool) {
        int256 exit;
        uint64 client;
        (exit, client) = MarketActor.dealClient(id);
        if (exit != Exit.OK) return false;
        f.ours = client == _self();
        (exit, f.provider) = MarketActor.dealProvider(id);
        if (exit != Exit.OK) return false;
        (exit, f.commP, f.paddedSize) = MarketActor.dealPiece(id);
        if (exit != Exit.OK) return false;
        (exit, f.start, f.duration) = MarketActor.dealTerm(id);
        if (exit != Exit.OK) return false;
        (exit, f.verified) = MarketActor.dealVerified(id);
        if (exit != Exit.OK) return false;
        (exit, f.providerCollateral) = MarketActor.dealProviderCollateral(id);
        if (exit != Exit.OK) return false;
        if (f.state == DealState.Active) (exit, f.sector) = MarketActor.dealSector(id);
        return exit == Exit.OK;
    }

    /// @dev The id of the gate's actor; 0 is the system's, so nothing is ours where it is not known.
    function _self() private view returns (uint64 id) {
        (, id) = FilAddress.idOf(gate);
    }
}
