// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { CidHash } from "./IEstuaryPinning.sol";
import { InclusionProof } from "./IInclusionVerifier.sol";
import { DealTerms } from "./IPerpetualStorage.sol";

/// @notice A small piece that a member wants kept in a pool.
struct PooledPiece {
    bytes cid; // of what the piece holds, as the member says
    bytes pieceCid; // v1 or v2
    uint64 paddedSize; // a power of two, at least 128
}

/// @notice A pool as it stands. Money is in attoFIL.
struct PoolView {
    bytes32 commP; // of the aggregate
    uint64 paddedSize;
    uint32 pieces; // that were shown to lie in it
    uint256 shares; // of all members
    uint256 free; // what is neither reserved for a slot nor paid
    uint256 value; // free, and what running slots have reserved and not earned
    uint8 active; // copies that are Active and not faulty now
    uint32 until; // when the first of these ends; 0 where there is none
}

/// @title IStoragePools
/// @notice Small pieces that are stored as one and share its cost.
///
/// A pool is a deal of PerpetualStorage for an aggregate (FRC-0058) whose client is this contract, and has that deal's id. Its slots
/// are those of any deal: a provider seals the aggregate, and has nothing to show for the pieces in it. A member shows by a proof of
/// inclusion (PoDSI) that a piece of its own lies in the aggregate, and pays at least that piece's part, by size, of all copies for one
/// term. So the piece is stored as often, and as long, as the aggregate's slots are Active.
///
/// What members paid belongs to them in shares. A share is worth its part of what the deal has free and of what its running slots may
/// still give back; as slots earn, all shares lose alike. Nobody can change a pool's terms, cancel or suspend it, or take what is not
/// his part: whoever wants other terms leaves, and opens another pool. Copies are renewed for as long as there is money, as in any deal.
interface IStoragePools {
    event PoolOpened(
        uint64 indexed dealId, address indexed opener, bytes32 indexed commP, uint64 seq, uint64 paddedSize
    );
    /// @notice A piece was shown to lie in the aggregate, from padded byte `offset` on.
    event PieceJoined(
        uint64 indexed dealId,
        address indexed member,
        CidHash indexed cidHash,
        uint64 seq,
        bytes cid,
        bytes32 commP,
        uint64 paddedSize,
        uint64 offset
    );
    event SharePaid(
        uint64 indexed dealId, address indexed member, uint64 seq, address from, uint256 amount, uint256 shares
    );
    event ShareLeft(uint64 indexed dealId, address indexed member, uint64 seq, uint256 shares, uint256 amount);
    /// @notice What was left of a pool's value was next to nothing, so that shares begin anew; those of before are void.
    event RoundBegun(uint64 indexed dealId, uint64 seq, uint32 round);
    event PoolWithdrawn(address indexed account, uint64 seq, address to, uint256 amount);

    error StoragePools_NotStorage(address caller);
    error StoragePools_UnknownPool(uint64 dealId);
    error StoragePools_AlreadyJoined(uint64 dealId, address member, bytes32 commP);
    error StoragePools_SizeMismatch(uint64 byCid, uint64 given);
    error StoragePools_PriceNotPaid(uint256 sent, uint256 price);
    error StoragePools_NoShares(uint256 asked, uint256 held);
    error StoragePools_NothingFree(uint64 dealId);
    error StoragePools_NothingToWithdraw(address account);
    error StoragePools_TransferFailed(address to);

    /// @notice Opens a pool for an aggregate; the value, if any, is the opener's share. The opener has no say in it afterwards.
    /// @param cid of the aggregate, as `IPerpetualStorage.createDeal` takes it; `pieceCid`, sizes and terms likewise
    /// @return dealId of PerpetualStorage, by which the pool is known
    function openPool(
        bytes calldata cid,
        bytes calldata pieceCid,
        uint64 paddedSize,
        uint64 carSize,
        DealTerms calldata terms
    ) external payable returns (uint64 dealId);
    /// @notice Joins with a piece of one's own, for at least `priceOf` it.
    /// @param proof that the piece lies in this pool's aggregate
    function join(uint64 dealId, PooledPiece calldata piece, InclusionProof calldata proof) external payable;
    /// @notice Pays more into a pool; the shares are `member`'s. By anyone, at any time.
    function pay(uint64 dealId, address member) external payable;
    /// @notice Gives shares up for their part of what the pool has free, which becomes the caller's credit. Their part of what is
    /// reserved for running slots stays with those who stay; who holds all shares keeps them while something may still come back.
    function leave(uint64 dealId, uint256 shares) external returns (uint256 amount);
    /// @notice Pays all of the caller's credit to `to`, which may be a masked ID address.
    function withdraw(address to) external returns (uint256 amount);

    function poolOf(uint64 dealId) external view returns (PoolView memory);
    function sharesOf(uint64 dealId, address member) external view returns (uint256);
    /// @notice What a piece of this padded size pays at least to join: its part, by size, of what all copies cost at most for a term.
    function priceOf(uint64 dealId, uint64 paddedSize) external view returns (uint256);
    /// @notice Whether a member showed a piece to lie in the pool's aggregate, and where it begins there, in padded bytes.
    function pieceOf(uint64 dealId, address member, bytes32 commP) external view returns (bool joined, uint64 offset);
    function creditOf(address account) external view returns (uint256);
    function perpetualStorage() external view returns (address);
    /// @notice The seq that the next event will carry. Events have no gap below it.
    function nextSeq() external view returns (uint64);
}
