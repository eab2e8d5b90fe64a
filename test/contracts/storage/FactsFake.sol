// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IPerpetualStorage, PublishedDeal, SectorPiece } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { ClaimFacts, DealFacts, IFilecoinFacts } from "../../../contracts/interfaces/IStorageGate.sol";

/// @notice Filecoin as PerpetualStorage sees it, for tests of money and states: miners with owners and controllers, sectors with a
/// status, f05 deals. It also plays the gate's part of passing notifications on.
contract FactsFake is IFilecoinFacts {
    mapping(uint64 minerId => uint64) public ownerOf;
    mapping(uint64 minerId => mapping(address => bool)) public controls;
    mapping(bytes32 => uint8) private _status; // 1 + status; 0 = the miner says nothing
    mapping(bytes32 => uint64) private _expiration;
    mapping(uint64 => DealFacts) private _deals;
    mapping(bytes32 => ClaimFacts) private _claims;

    function setMiner(uint64 minerId, uint64 ownerId, address controller) external {
        ownerOf[minerId] = ownerId;
        controls[minerId][controller] = true;
    }

    function setSector(uint64 minerId, uint64 sector, uint8 status, uint64 expiration) external {
        _status[_key(minerId, sector)] = status + 1;
        _expiration[_key(minerId, sector)] = expiration;
    }

    /// @notice From now on the miner's calls about this sector end with an exit code.
    function silence(uint64 minerId, uint64 sector) external {
        _status[_key(minerId, sector)] = 0;
    }

    function setDeal(uint64 f05DealId, DealFacts calldata facts) external {
        _deals[f05DealId] = facts;
    }

    function setClaim(uint64 minerId, uint64 claimId, ClaimFacts calldata facts) external {
        _claims[_key(minerId, claimId)] = facts;
    }

    function publish(IPerpetualStorage to, uint64 slotId, PublishedDeal calldata deal) external returns (bool) {
        return to.onPublished(slotId, deal);
    }

    function activate(IPerpetualStorage to, uint64 slotId, SectorPiece calldata piece) external returns (bool) {
        return to.onActivated(slotId, piece);
    }

    function minerFacts(uint64 minerId, address caller) external view returns (uint64, bool) {
        return (ownerOf[minerId], controls[minerId][caller]);
    }

    function sectorIs(uint64 minerId, uint64 sector, uint8 status, bytes calldata aux) external view returns (bool) {
        return aux.length != 0 && _status[_key(minerId, sector)] == status + 1;
    }

    function sectorExpiration(uint64 minerId, uint64 sector) external view returns (uint64) {
        return _expiration[_key(minerId, sector)];
    }

    function dealFacts(uint64 f05DealId) external view returns (DealFacts memory) {
        return _deals[f05DealId];
    }

    function missedStart(uint64 f05DealId) external view returns (bool) {
        DealFacts memory f = _deals[f05DealId];
        return f.state == DealState.Published && f.start < int64(uint64(block.number));
    }

    function claimFacts(uint64 minerId, uint64 claimId) external view returns (ClaimFacts memory) {
        return _claims[_key(minerId, claimId)];
    }

    function _key(uint64 minerId, uint64 other) private pure returns (bytes32) {
        return keccak256(abi.encode(minerId, other));
    }
}

/// @notice Organisations and retrieval endpoints of miners, settable by anyone.
contract RegistryFake {
    mapping(uint64 minerId => uint24) public organisationOf;

    function attest(uint64 minerId, uint24 organisation) external {
        organisationOf[minerId] = organisation;
    }

    function retrievalOf(uint64 minerId) external pure returns (string memory) {
        return minerId % 2 == 0 ? "https://even.example/piece/" : "";
    }
}
