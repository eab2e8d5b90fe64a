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
    /// @notice Whether f05 still has a deal that was not activated by its start, and so never will be.
    function missedStart(uint64 f05DealId) external view returns (bool);
    function claimFacts(uint64 minerId, uint64 claimId) external view returns (ClaimFacts memory);
}

/// @notice What Curio asks a contract about (market/mk20/contract).
interface ICurioDealView {
    enum CurioState {
        Open, // may be sent to a provider
        Active,
        Finalized
    }

    struct CurioDealView {
        uint256 dealId;
        CurioState state;
        uint256 providerActorId;
        bytes clientId;
        bytes pieceCidV2;
        uint256 startEpoch; // 0 = not said
        uint256 duration;
        uint256 allocationId; // 0 = none
        uint256 finalizedEpoch; // 0 while it lives
    }

    error DealNotFound(uint256 dealId);

    function version() external pure returns (uint256);
    /// @notice Whether a provider may take this deal in: a slot that its miner has claimed, with the piece and the term.
    function verifyDeal(CurioDealView calldata deal) external view returns (bool);
    function getDealState(uint256 dealId) external view returns (CurioState);
}

/// @title IStorageGate
/// @notice The face that PerpetualStorage shows to Filecoin: client of f05 deals, notifee of sectors, holder of DataCap, and the
/// views that Boost and Curio read. It holds no FIL and decides nothing about money. For all of them a deal's id is the slot's.
///
/// An f05 deal says its slot in its label, `<slot id>/ipfs/<cid>`, which Boost and Lotus read as the CID. The label only points:
/// everything that counts is compared with the slot. A sector's piece says its slot in its payload: the id as a CBOR number.
interface IStorageGate is ICurioDealView {
    /// @notice Boost's event: a slot can be had; `getDealProposal(id)` and `getExtraParams(id)` say the rest. `id` is the slot's.
    event DealProposalCreate(bytes32 indexed id, uint64 size, bool indexed verified, uint256 price);
    /// @notice f05 published a deal of ours that is no slot's; nothing is paid for it. `slotId` as its label says, or 0.
    event DealIgnored(uint64 indexed f05DealId, uint64 indexed slotId, uint64 seq);
    /// @notice A piece was offered for a slot and not taken. `slotId` as its payload says, or 0.
    event PieceRefused(uint64 indexed minerId, uint64 indexed slotId, uint64 seq, uint64 sector);
    /// @notice DataCap came in for a deal. Deal 0: without a name, or back from allocations that ran out.
    event DataCapCredited(uint64 indexed dealId, uint64 seq, uint256 bytes_);
    /// @notice DataCap was set aside for a claim: allowed to the market (`allocationId` 0), or as an allocation.
    event DataCapSpent(uint64 indexed dealId, uint64 indexed slotId, uint64 seq, uint256 bytes_, uint64 allocationId);
    /// @notice DataCap that a claim did not use is the deal's again.
    event DataCapReturned(uint64 indexed dealId, uint64 indexed slotId, uint64 seq, uint256 bytes_);
    event Attached(uint64 seq, address perpetualStorage);

    error StorageGate_NotDeployer(address caller);
    error StorageGate_WrongStorage(address perpetualStorage);
    error StorageGate_NotClaimable(uint64 slotId, bytes32 why);
    error StorageGate_AnnouncedLately(uint64 slotId, uint32 again);
    error StorageGate_NotController(uint64 minerId, address caller);
    error StorageGate_NoDataCap(uint64 dealId, uint256 has, uint256 needed);
    error StorageGate_NotSteward(address caller);
    error StorageGate_WrongState(uint64 slotId);
    error StorageGate_ActorFailed(int256 exit);

    /// @notice Binds the gate to the PerpetualStorage that was built with it, for good. By the deployer, once.
    function attach(address perpetualStorage) external;
    /// @notice Tells Boost of a slot that can be claimed, at most once in 2,880 epochs for each slot. By anyone.
    function announce(uint64 slotId) external;
    /// @notice Boost: CBOR of the f05 proposal for a slot; the provider puts itself in.
    function getDealProposal(bytes32 id) external view returns (bytes memory);
    /// @notice Boost: CBOR `[url, CAR size, skip announcement, drop the unsealed copy]`.
    function getExtraParams(bytes32 id) external view returns (bytes memory);

    /// @notice Says which deal DataCap that came without a name is for. By the steward.
    function assignDataCap(uint64 dealId, uint256 bytes_) external;
    /// @notice Lets the market take DataCap for the f05 deal of a verified claim. By a controller of its miner, once a claim.
    function grantDataCap(uint64 slotId) external;
    /// @notice Makes the allocation for a verified claim that will be sealed as direct data. By a controller of its miner, once a claim.
    function allocateDataCap(uint64 slotId) external returns (uint64 allocationId);
    /// @notice Gives DataCap of a claim that is over back to the deal. By anyone. What an allocation held comes back when somebody
    /// has removed it from the verified registry after its expiration; what the market drew, while f05 still has the deal that
    /// missed its start. Once f05 has forgotten it, it cannot be told from one that was sealed, and the steward has to say.
    function reclaimDataCap(uint64 slotId) external;
    /// @notice Lengthens the verified claim of a slot to the most that is allowed, with the deal's DataCap. By a controller.
    function extendClaim(uint64 slotId, uint64 claimId) external;
    /// @notice DataCap of a deal that is not set aside, in bytes.
    function dataCapOf(uint64 dealId) external view returns (uint256);
    function perpetualStorage() external view returns (address);
    /// @notice The seq that the next event will carry; DealProposalCreate, whose form is Boost's, carries none.
    function nextSeq() external view returns (uint64);
}
