// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @notice What a storage provider says of itself. Nothing of it is proven but who said it.
struct ProviderEntry {
    uint64 minPieceSize; // padded bytes
    uint64 maxPieceSize;
    uint64 minRate; // attoFIL an epoch for a GiB
    bytes2 region; // ISO 3166-1, advisory
    string market; // MK20 base URL
    string retrieval; // where pieces can be fetched; ends in '/': the piece CID is appended
}

/// @title IProviderRegistry
/// @notice Who offers storage, where, and which miners are one organisation. Providers enter themselves; that miners belong to one
/// organisation is attested by the registry's owner.
interface IProviderRegistry {
    event ProviderRegistered(uint64 indexed minerId, uint64 seq, ProviderEntry entry);
    event ProviderRemoved(uint64 indexed minerId, uint64 seq);
    /// @notice The miner belongs to organisation `organisation`; 0 = to none that is known.
    event OrganisationAttested(uint64 indexed minerId, uint64 seq, uint24 organisation);

    error ProviderRegistry_NotController(uint64 minerId, address caller);
    error ProviderRegistry_Unknown(uint64 minerId);
    error ProviderRegistry_OutOfRange(bytes32 field);

    /// @notice Enters a miner or replaces its entry. By one of its controlling addresses.
    function register(uint64 minerId, ProviderEntry calldata entry) external;
    /// @notice Takes a miner out; its organisation stays attested. By one of its controlling addresses.
    function remove(uint64 minerId) external;
    /// @notice Says which organisation miners belong to. By the owner. Counts for claims made after it.
    function attest(uint64[] calldata minerIds, uint24 organisation) external;

    function entryOf(uint64 minerId) external view returns (ProviderEntry memory);
    function organisationOf(uint64 minerId) external view returns (uint24);
    function retrievalOf(uint64 minerId) external view returns (string memory);
    function providerCount() external view returns (uint256);
    /// @notice Miners `from` … of the list. Removals reorder it.
    function providersPage(uint256 from, uint256 limit) external view returns (uint64[] memory minerIds);
    function nextSeq() external view returns (uint64);
}
