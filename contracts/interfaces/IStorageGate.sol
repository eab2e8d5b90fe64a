// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @notice What the market actor says of a deal. Unknown and Gone say nothing else.
struct DealFacts {
    IFilecoinFacts.DealState state;
    bool ours; // the gate is the client
    bool verified;
    uint64 provider;
    bytes32 commP;
    uint64 paddedSize;
    int64 start;
    int64 duration;
    uint256 providerCollateral;
    int64 activated; // epoch; of an Active deal
    uint64 sector; // where it is active
}

/// @notice What the verified registry says of a claim.
struct ClaimFacts {
    bool known;
    bool ours; // the gate is the client
    bytes32 commP;
    uint64 paddedSize;
    int64 termStart;
    int64 termMin;
    uint64 sector;
}

/// @title IFilecoinFacts
/// @notice What the storage contracts ask of Filecoin's actors. A call that does not answer with exit code 0 gives no fact.
interface IFilecoinFacts {
    enum DealState {
        Unknown, // some call ended with an exit code that says nothing
        Published,
        Active,
        Gone // over, timed out or terminated: exit code 32
    }

    /// @notice The actor that owns a miner (0: unknown), and whether `caller` is one of the miner's controlling addresses.
    function minerFacts(uint64 minerId, address caller) external view returns (uint64 ownerId, bool controls);
    /// @notice Whether the miner actor confirms that a sector is dead (0), active (1) or faulty (2).
    function sectorIs(uint64 minerId, uint64 sector, uint8 status, bytes calldata aux) external view returns (bool);
    /// @notice Until when a sector is committed, as far as the miner actor says; 0 where it does not.
    function sectorExpiration(uint64 minerId, uint64 sector) external view returns (uint64);
    function dealFacts(uint64 f05DealId) external view returns (DealFacts memory);
    function claimFacts(uint64 minerId, uint64 claimId) external view returns (ClaimFacts memory);
}

/// @title IStorageGate
/// @notice The face that PerpetualStorage shows to Filecoin: client of f05 deals, notifee of sectors, holder of DataCap, and the
/// views that Boost and Curio read. It holds no FIL and decides nothing about money.
interface IStorageGate is IFilecoinFacts {
    /// @notice Curio: what a contract says of a deal that a provider was offered (market/mk20/contract).
    struct CurioDealView {
        uint256 dealId;
        uint8 state; // CurioDealState
        uint64 providerActorId;
        bytes clientId;
        bytes pieceCidV2;
        int64 startEpoch; // 0 = not set
        int64 duration;
        uint64 allocationId; // 0 = none
        int64 finalizedEpoch; // 0 while it lives
    }

    enum CurioDealState {
        Open,
        Active,
        Finalized
    }

    /// @notice Boost's event: a slot can be had; `getDealProposal(id)` and `getExtraParams(id)` say the rest. `id` is the slot's.
    event DealProposalCreate(bytes32 indexed id, uint64 size, bool indexed verified, uint256 price);
    /// @notice f05 published a deal of ours that is no slot's (`why`); nothing is paid for it.
    event DealIgnored(uint64 indexed f05DealId, uint64 indexed minerId, uint64 seq, uint64 slotId, bytes32 why);
    /// @notice A miner's piece was offered for a slot and not taken.
    event PieceRefused(uint64 indexed minerId, uint64 indexed slotId, uint64 seq, uint64 sector);
    event DataCapCredited(uint64 indexed dealId, uint64 seq, uint256 amount);
    event DataCapSpent(uint64 indexed dealId, uint64 indexed slotId, uint64 seq, uint256 amount, uint64 allocationId);
    event DataCapReturned(uint64 indexed dealId, uint64 indexed slotId, uint64 seq, uint256 amount);
    event BaseUrlChanged(uint64 seq, string baseUrl);
    event Attached(uint64 seq, address storage_);

    error StorageGate_NotAttached();
    error StorageGate_AlreadyAttached();
    error StorageGate_NotStorage(address caller);
    error StorageGate_WrongStorage(address storage_);
    error StorageGate_NotClaimable(uint64 slotId, bytes32 why);
    error StorageGate_AnnouncedLately(uint64 slotId, uint32 again);
    error StorageGate_UnknownMethod(uint64 method);
    error DealNotFound(uint256 dealId);
}
