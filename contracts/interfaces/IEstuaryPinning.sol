// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { Terms } from "./IExecutionProvider.sol";

/// @notice keccak256 of the multihash of a CID's block: CIDv0 and CIDv1 of one block agree.
type CidHash is bytes32;

/// @notice Options of a pin beyond the defaults.
struct PinOptions {
    string[] origins; // multiaddrs ending in /p2p/…, at most 5, 256 bytes each
    string name; // at most 255 bytes
    uint64 maxBytes; // cap on unique block bytes; 0 = default
    uint40 expiry; // unix seconds; 0 = now + default term
    uint8 replicas; // copies asked for; the operators of one provider hold one each, so 0 or 1 today
}

/// @title IEstuaryPinning
/// @notice Pins CIDs for whoever pays. A pin belongs to (cidHash, requester).
interface IEstuaryPinning {
    enum PinStatus {
        None,
        Requested,
        Pinned,
        Failed,
        Expired
    }

    event PinRequested(
        bytes32 indexed requestId,
        CidHash indexed cidHash,
        address indexed requester,
        uint64 seq,
        bytes cid,
        uint64 maxBytes,
        uint40 expiry
    );
    event UnpinRequested(
        bytes32 indexed requestId, CidHash indexed cidHash, address indexed requester, uint64 seq, bytes cid
    );
    /// @notice The pin of (cidHash, requester) is now `status`; `reason` is one of `Reasons`.
    event PinStatusChanged(
        CidHash indexed cidHash,
        address indexed requester,
        bytes32 indexed requestId,
        uint64 seq,
        PinStatus status,
        uint8 reason,
        uint40 expiry
    );

    error EstuaryPinning_NothingToUnpin(CidHash cidHash, address requester);
    error EstuaryPinning_NothingToExtend(CidHash cidHash, address requester);
    error EstuaryPinning_AlreadyRequested(CidHash cidHash, address requester);
    error EstuaryPinning_ExpiryOutOfRange(uint40 expiry, uint40 earliest, uint40 latest);
    error EstuaryPinning_TooManyOrigins(uint256 given, uint256 most);
    error EstuaryPinning_OriginTooLong(uint256 size, uint256 most);
    error EstuaryPinning_NameTooLong(uint256 size, uint256 most);
    error EstuaryPinning_ReplicasUnsupported(uint8 replicas);
    error EstuaryPinning_SizeOutOfRange(uint64 maxBytes, uint64 most);
    error EstuaryPinning_BatchTooLarge(uint256 size, uint256 most);
    error EstuaryPinning_EmptyBatch();
    error EstuaryPinning_NotExpired(CidHash cidHash, address requester);
    error EstuaryPinning_NotRequester(address caller, address requester);
    error EstuaryPinning_ContextMismatch();
    error EstuaryPinning_ConfigOutOfRange(bytes32 field);

    /// @notice Pins a CID given as text (base58btc, base32 or base16) with the default size cap and term.
    function pinToEstuary(string calldata cid) external payable returns (bytes32 requestId);
    /// @notice Pins a CID given as bytes, with options.
    function pinToEstuary(bytes calldata cid, PinOptions calldata options) external payable returns (bytes32 requestId);
    /// @notice Pins several CIDs with the default cap and term; the value is for all of them.
    function pinBatch(bytes[] calldata cids) external payable returns (bytes32[] memory requestIds);
    /// @notice Makes the caller's pin last until `expiry`: asks again for the same CID.
    function extend(bytes calldata cid, uint40 expiry) external payable returns (bytes32 requestId);
    /// @notice The same with options, for a pin that needs more than the default size cap or has origins; `options.expiry`
    /// may not be 0.
    function extend(bytes calldata cid, PinOptions calldata options) external payable returns (bytes32 requestId);
    /// @notice Drops the caller's pin, or what becomes of its request: nothing of it is pinned from now on, whatever is
    /// answered. An open request keeps its fee in escrow: take it back with `cancelRequest`, unless operators answer first.
    function unpin(bytes calldata cid) external payable returns (bytes32 requestId);

    /// @notice Withdraws the caller's open request: unless it is answered within the provider's cancel delay, `settleRequest`
    /// (or `refund` at the provider) then credits the whole fee to the caller.
    /// @param terms as in the request's `OracleRequested`
    /// @param context as in the request's `OracleRequested`
    function cancelRequest(Terms calldata terms, bytes calldata context) external;
    /// @notice Refunds a request that was cancelled or whose deadline passed, if nobody has, and closes what waited for it: a
    /// cancelled pin is then None, another one Failed (EXPIRED). By anyone.
    function settleRequest(Terms calldata terms, bytes calldata context) external;
    /// @notice Records that a pin is over, or that its request can no longer be answered. By anyone; changes no `statusOf` of
    /// the requester, and makes that of the CID exact (see there).
    function expire(bytes calldata cid, address requester) external;

    /// @notice What a default pin costs now.
    function quotePin() external view returns (uint96 fee, uint96 attemptFee);
    /// @notice What a pin with these options costs now.
    function quotePin(uint64 maxBytes, uint40 expiry) external view returns (uint96 fee, uint96 attemptFee);
    function quoteUnpin() external view returns (uint96 fee, uint96 attemptFee);

    /// @notice The best status that any requester's pin of this CID has, in the order Pinned, Requested, Expired, Failed, None.
    /// @dev Exact while the CID has one requester. With more, the first is exact and the others are counted, with the latest
    /// expiry and the latest deadline that any of them had: where the one with the latest was dropped and a shorter one is over, this
    /// may still say Pinned (or Requested) until that time or until somebody calls `expire` for the one that is over. It never
    /// says less than is true.
    function statusOf(string calldata cid) external view returns (PinStatus);
    function statusOf(bytes calldata cid) external view returns (PinStatus);
    /// @notice The exact status of one requester's pin. `expiry` is 0 unless Pinned or Expired; `reason` is of a failure.
    function statusOf(bytes calldata cid, address requester)
        external
        view
        returns (PinStatus status, uint40 expiry, uint8 reason);
    function cidHashOf(string calldata cid) external pure returns (CidHash, bytes memory canonical);
    function defaultMaxBytes() external view returns (uint64);
    function defaultTerm() external view returns (uint40);
    function nextSeq() external view returns (uint64);
}
