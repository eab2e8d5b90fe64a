// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IProviderRegistry, ProviderEntry } from "../interfaces/IProviderRegistry.sol";
import { IFilecoinFacts } from "../interfaces/IStorageGate.sol";
import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";

/// @title ProviderRegistry
/// @notice See IProviderRegistry. It holds no money and calls nobody but for facts.
contract ProviderRegistry is IProviderRegistry, Ownable {
    uint256 public constant MAX_URL = 256;

    IFilecoinFacts public immutable facts;
    /// @inheritdoc IProviderRegistry
    uint64 public nextSeq;
    uint64[] private _list;
    /// @dev Place in the list + 1.
    mapping(uint64 minerId => uint256) private _place;
    mapping(uint64 minerId => ProviderEntry) private _entries;
    /// @inheritdoc IProviderRegistry
    mapping(uint64 minerId => uint24) public organisationOf;

    constructor(IFilecoinFacts facts_, address owner_) Ownable(owner_) {
        if (address(facts_) == address(0)) revert ProviderRegistry_OutOfRange("facts");
        facts = facts_;
    }

    /// @inheritdoc IProviderRegistry
    function register(uint64 minerId, ProviderEntry calldata entry) external {
        _onlyController(minerId);
        if (entry.minPieceSize > entry.maxPieceSize) revert ProviderRegistry_OutOfRange("minPieceSize");
        if (bytes(entry.market).length > MAX_URL) revert ProviderRegistry_OutOfRange("market");
        if (bytes(entry.retrieval).length > MAX_URL) revert ProviderRegistry_OutOfRange("retrieval");
        if (_place[minerId] == 0) {
            _list.push(minerId);
            _place[minerId] = _list.length;
        }
        ProviderEntry memory kept = entry;
        _entries[minerId] = kept;
        emit ProviderRegistered(minerId, nextSeq++, kept);
    }

    /// @inheritdoc IProviderRegistry
    function remove(uint64 minerId) external {
        _onlyController(minerId);
        uint256 place = _place[minerId];
        if (place == 0) revert ProviderRegistry_Unknown(minerId);
        uint64 last = _list[_list.length - 1];
        (_list[place - 1], _place[last]) = (last, place);
        _list.pop();
        delete _place[minerId];
        delete _entries[minerId];
        emit ProviderRemoved(minerId, nextSeq++);
    }

    /// @inheritdoc IProviderRegistry
    function attest(uint64[] calldata minerIds, uint24 organisation) external onlyOwner {
        for (uint256 i = 0; i < minerIds.length; ++i) {
            organisationOf[minerIds[i]] = organisation;
            emit OrganisationAttested(minerIds[i], nextSeq++, organisation);
        }
    }

    /// @inheritdoc IProviderRegistry
    function entryOf(uint64 minerId) external view returns (ProviderEntry memory) {
        if (_place[minerId] == 0) revert ProviderRegistry_Unknown(minerId);
        return _entries[minerId];
    }

    /// @inheritdoc IProviderRegistry
    function retrievalOf(uint64 minerId) external view returns (string memory) {
        return _entries[minerId].retrieval;
    }

    /// @inheritdoc IProviderRegistry
    function providerCount() external view returns (uint256) {
        return _list.length;
    }

    /// @inheritdoc IProviderRegistry
    function providersPage(uint256 from, uint256 limit) external view returns (uint64[] memory minerIds) {
        if (from >= _list.length) return minerIds;
        uint256 count = _list.length - from;
        if (limit < count) count = limit;
        minerIds = new uint64[](count);
        for (uint256 i = 0; i < count; ++i) {
            minerIds[i] = _list[from + i];
        }
    }

    function _onlyController(uint64 minerId) private view {
        (, bool controls) = facts.minerFacts(minerId, msg.sender);
        if (!controls) revert ProviderRegistry_NotController(minerId, msg.sender);
    }
}
