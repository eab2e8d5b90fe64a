// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { IAggregatorOracle } from "./IAggregatorOracle.sol";

/// @notice What holds a piece: a deal of f05, or a sector of a miner.
struct DealRef {
    uint64 dealId; // of f05; 0 for a sector
    uint64 miner; // id; 0 for a deal
    uint64 sector; // 0 for a deal
    bytes32 commitment; // of the piece; 0 for a deal, which f05 knows
}

/// @title IDealStatusOracle
/// @notice Whether data is stored, as Filecoin's own actors say it at a certain epoch.
/// @dev Anyone may have the actors asked; nobody's word changes a status. Actors' exit codes are read by a closed table:
///
/// | f05 says | meaning |
/// |---|---|
/// | 0, activated −1, start not passed | Published |
/// | 0, activated −1, start passed | Lost: it can no longer be activated, though f05 keeps it for up to 30 days |
/// | 0, activated, end not reached | Active, or Faulty if the sector is |
/// | 0, activated, end reached | Ended, though nobody settled it |
/// | 32, and its term was seen before | Ended at or after its end, else Lost |
/// | 17 | None: never published, or a rewritten chain took it back |
/// | anything else, and 32 of a deal that was never seen | nothing changes |
///
/// A sector is asked for each status at a location found off chain; any exit code but 0 changes nothing, so that a stale
/// location never makes a sector dead. A sector counts only after it was shown to hold the piece: by its miner's notification, by
/// a claim, or by a deal. For it was dead before it was committed.
///
/// What is stored is a status *at an epoch*: between two of them anything may have happened. `isFresh` says how old it is.
interface IDealStatusOracle is IAggregatorOracle {
    enum Status {
        None,
        Published,
        Active,
        Faulty,
        Ended,
        Lost
    }

    /// @notice Where a status is from.
    enum Source {
        None,
        ActorPull, // the actors were asked
        SectorNotify // the miner told of the sector
    }

    /// @notice A status was found, the same or another. `start` and `end` are epochs; the end is outside.
    event DealStatusChanged(
        bytes32 indexed refHash,
        uint64 indexed minerId,
        Status indexed status,
        uint64 seq,
        Status previous,
        Source source,
        uint64 epoch,
        uint64 start,
        uint64 end
    );
    /// @notice A sector was shown to hold a piece.
    event SectorProven(bytes32 indexed refHash, uint64 indexed minerId, uint64 seq, uint64 sector, bytes32 commitment);
    /// @notice Somebody asks for deals of a CID. Beside the older event of the same.
    event ReplicasRequested(uint256 indexed requestId, bytes32 indexed cidKey, uint64 seq, bytes cid);
    /// @notice A deal or sector was shown to hold a CID.
    event ReplicaListed(bytes32 indexed cidKey, bytes32 indexed refHash, uint64 seq, DealRef ref);
    /// @notice k operators say that a payload CID is in a piece.
    event PieceBound(bytes32 indexed cidKey, bytes32 indexed commitment, uint64 seq);
    /// @notice k operators think that a status is another. It changes none: it is a reason to `refresh`.
    event StatusHinted(bytes32 indexed refHash, Status indexed status, uint64 seq, uint64 epoch);
    /// @notice One operator said something that needs k; `topic` is what.
    event Voted(bytes32 indexed topic, address indexed operator, uint64 seq, uint256 votes);

    error DealStatusOracle_BadRef();
    error DealStatusOracle_LengthsDiffer(uint256 refs, uint256 locations);
    error DealStatusOracle_UnknownRequest(uint256 id);
    error DealStatusOracle_ActorRefused(int256 exit);
    error DealStatusOracle_NotAMiner(uint64 id);
    error DealStatusOracle_OtherMiner(uint64 given, uint64 actual);
    error DealStatusOracle_NotStored(Status status);
    error DealStatusOracle_NotProven(bytes32 refHash);
    error DealStatusOracle_AlreadyListed(bytes32 refHash);
    error DealStatusOracle_PieceNotBound(bytes32 commitment);
    error DealStatusOracle_NotAnOperator(address caller);
    error DealStatusOracle_AlreadyVoted(address operator);
    error DealStatusOracle_SizeMismatch(uint64 byCid, uint64 given);

    // ------------------------------------------------------------------ status

    /// @notice Asks the actors for the status of a deal or a sector.
    /// @param location for a sector, CBOR `[deadline, partition]` from GenerateSectorLocation; for a deal the same of its sector, by
    /// which a fault is seen and its end, or nothing
    /// @return status as it is stored now; the same as before where the actors said nothing that the table has
    function refresh(DealRef calldata ref, bytes calldata location) external returns (Status status);

    /// @notice The same for many, each by itself.
    function refreshMany(DealRef[] calldata refs, bytes[] calldata locations) external returns (Status[] memory);

    /// @notice The last status found, the epoch at which it held, and where it is from.
    function statusOf(DealRef calldata ref) external view returns (Status status, uint64 epoch, Source source);

    /// @notice Whether the status was found at most `maxAge` epochs ago, or cannot change any more.
    function isFresh(DealRef calldata ref, uint64 maxAge) external view returns (bool);

    /// @notice The miner and the term last seen. All 0 before a status was found.
    function termOf(DealRef calldata ref) external view returns (uint64 minerId, uint64 start, uint64 end);

    /// @notice The key of a reference in events.
    function refHashOf(DealRef calldata ref) external pure returns (bytes32);

    // ----------------------------------------------------------------- sectors

    /// @notice Shows by a claim of verified data that a sector holds a piece.
    function proveByClaim(uint64 miner, uint64 claimId) external returns (DealRef memory ref);

    /// @notice Shows by an active deal that a sector holds its piece, so that the sector can be followed once the deal is gone.
    function proveByDeal(uint64 dealId) external returns (DealRef memory ref);

    // ---------------------------------------------------------------- replicas

    /// @notice Lists a deal or a proven sector whose piece is itself that of the CID. `complete` is for pieces in aggregates.
    function addReplica(bytes calldata cid, DealRef calldata ref) external;

    /// @notice One operator says that a payload CID is in a piece; k of them bind it for good. A piece CID needs no binding.
    function attestPiece(bytes calldata cid, bytes calldata pieceCid) external;

    /// @notice One operator says that a status may be another at an epoch; k of them make a hint.
    function hint(DealRef calldata ref, Status status, uint64 epoch) external;

    /// @notice The last hint. It proves nothing.
    function hintOf(DealRef calldata ref) external view returns (Status status, uint64 epoch);

    /// @notice How many of the newest 100 replicas of a CID were found Active at most `maxAge` epochs ago and have not ended.
    /// @return active deals and sectors, of which several may be of one miner
    /// @return until the first epoch at which one of them ends; 0 where there is none
    function replicasOf(bytes calldata cid, uint64 maxAge) external view returns (uint256 active, uint64 until);

    /// @notice What is listed for a CID, oldest first; `next` is where to go on, 0 at the end.
    function replicasPage(bytes calldata cid, uint256 cursor, uint256 limit)
        external
        view
        returns (DealRef[] memory refs, uint256 next);

    /// @notice As `getAllDeals`, oldest first, of so many replicas from the cursor on. `next` is 0 at the end.
    function getAllDealsPage(bytes calldata cid, uint256 cursor, uint256 limit)
        external
        view
        returns (Deal[] memory deals, uint256 next);
    function getActiveDealsPage(bytes calldata cid, uint256 cursor, uint256 limit)
        external
        view
        returns (Deal[] memory deals, uint256 next);
    function getExpiringDealsPage(bytes calldata cid, uint64 epochs, uint256 cursor, uint256 limit)
        external
        view
        returns (Deal[] memory deals, uint256 next);

    /// @notice The key under which a CID is listed: v0 and v1 of a block have one, and so have v1 and v2 of a piece.
    function cidKeyOf(bytes calldata cid) external pure returns (bytes32);

    /// @notice The seq that the next event will carry. The events of `IAggregatorOracle` carry none.
    function nextSeq() external view returns (uint64);
}
