// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { InclusionProof, ProofData } from "../interfaces/IInclusionVerifier.sol";

/// @title Podsi
/// @notice Verifies proofs of data segment inclusion (FRC-0058).
/// @dev An aggregate is a tree of 32-byte leaves. Its pieces are sub-trees; its last part is an index with one entry of two
/// leaves for each piece: commitment | offset, size (little-endian, 8 bytes each) | checksum of these (16 bytes). Every inner
/// node is the SHA-256 of its children with the two top bits (of its last byte) cleared, and no leaf has those bits.
///
/// What is checked: both paths lead to the same root; both give the same size of the aggregate; the entry names the
/// piece's own commitment, offset and size; the entry lies within the index. The caller compares root and size with
/// the chain.
library Podsi {
    /// @notice The size of a piece is no power of two of at least 128, or an aggregate is smaller than its index.
    error Podsi_BadSize(uint256 size);
    /// @notice A commitment has bits set that no node has.
    error Podsi_BadCommitment(bytes32 commitment);
    /// @notice A path is longer than a tree is high.
    error Podsi_PathTooLong(uint256 length, uint256 most);
    /// @notice The index is not below 2^length of its path.
    error Podsi_IndexOutOfRange(uint64 index, uint256 pathLength);
    /// @notice The paths say that the aggregate has different sizes.
    error Podsi_SizesDiffer(uint256 bySubtree, uint256 byIndex);
    /// @notice The entry lies before the index of an aggregate of this size.
    error Podsi_OutsideIndex(uint256 entryOffset, uint256 indexStart);
    /// @notice The paths lead to different roots.
    error Podsi_RootsDiffer(bytes32 bySubtree, bytes32 byIndex);
    /// @notice The proof is of another aggregate.
    error Podsi_OtherAggregate(bytes32 commitment, uint64 size);

    /// @notice Bytes of an index entry.
    uint256 internal constant ENTRY_SIZE = 64;
    uint256 internal constant MIN_SIZE = 128;
    /// @dev From an entry to the root of an aggregate of 2^63 bytes. Two paths that agree on the size give no larger one.
    uint256 internal constant MAX_PATH = 57;
    uint256 private constant LEAST_ENTRIES = 4;
    /// @dev One entry for so many bytes of an aggregate.
    uint256 private constant BYTES_PER_ENTRY = 2048 * ENTRY_SIZE;
    /// @dev The two bits that a node has not: the top ones of its last byte.
    uint256 private constant SPARE_BITS = 0xc0;

    /// @notice Reverts unless the proof shows that the piece lies in this very aggregate.
    /// @param commPc root of the piece, `sizePc` its padded bytes
    /// @param commPa root of the aggregate, `sizePa` its padded bytes, both from the chain
    /// @return offset where the piece begins in the aggregate, in padded bytes
    function requireIncluded(
        InclusionProof calldata proof,
        bytes32 commPc,
        uint64 sizePc,
        bytes32 commPa,
        uint64 sizePa
    ) internal view returns (uint64 offset) {
        bytes32 root;
        uint64 size;
        (root, size, offset) = compute(proof, commPc, sizePc);
        if (root != commPa || size != sizePa) revert Podsi_OtherAggregate(root, size);
    }

    /// @notice The aggregate that a proof speaks of, and where in it the piece begins. Reverts when the proof contradicts itself.
    /// @return commPa root of the aggregate
    /// @return sizePa padded bytes of the aggregate
    /// @return offset padded bytes before the piece
    function compute(InclusionProof calldata proof, bytes32 commPc, uint64 sizePc)
        internal
        view
        returns (bytes32 commPa, uint64 sizePa, uint64 offset)
    {
        if (sizePc < MIN_SIZE || sizePc & (sizePc - 1) != 0) revert Podsi_BadSize(sizePc);
        if (uint256(commPc) & SPARE_BITS != 0) revert Podsi_BadCommitment(commPc);
        _checkPath(proof.proofSubtree);
        _checkPath(proof.proofIndex);

        uint256 size = uint256(sizePc) << proof.proofSubtree.path.length;
        uint256 sizeByIndex = ENTRY_SIZE << proof.proofIndex.path.length;
        if (size != sizeByIndex) revert Podsi_SizesDiffer(size, sizeByIndex);
        uint256 entryOffset = ENTRY_SIZE * proof.proofIndex.index;
        uint256 start = indexStart(size);
        if (entryOffset < start) revert Podsi_OutsideIndex(entryOffset, start);

        // Below 2^(length of path) by `_checkPath`, so below the size of the aggregate.
        offset = uint64(proof.proofSubtree.index * sizePc);
        sizePa = uint64(size);
        commPa = _root(proof.proofSubtree, commPc);
        bytes32 other = _root(proof.proofIndex, entryNode(commPc, offset, sizePc));
        if (commPa != other) revert Podsi_RootsDiffer(commPa, other);
    }

    /// @notice Where the index of an aggregate begins: it has room for one entry for every 128 KiB, at least four.
    /// @param size padded bytes of the aggregate, a power of two
    function indexStart(uint256 size) internal pure returns (uint256) {
        uint256 entries = size / BYTES_PER_ENTRY;
        if (entries < LEAST_ENTRIES) entries = LEAST_ENTRIES;
        uint256 room = entries * ENTRY_SIZE;
        if (room > size) revert Podsi_BadSize(size);
        return size - room;
    }

    /// @notice The node above the two leaves of the index entry of a piece.
    function entryNode(bytes32 commPc, uint64 offset, uint64 sizePc) internal view returns (bytes32 node) {
        uint256 place = uint256(_littleEndian(offset)) << 192 | uint256(_littleEndian(sizePc)) << 128;
        // 126 bits of the hash of the entry without its checksum.
        uint256 checksum = (uint256(_hash(commPc, bytes32(place))) >> 128) & ~SPARE_BITS;
        node = bytes32(uint256(_hash(commPc, bytes32(place | checksum))) & ~SPARE_BITS);
    }

    function _checkPath(ProofData calldata proof) private pure {
        uint256 length = proof.path.length;
        if (length > MAX_PATH) revert Podsi_PathTooLong(length, MAX_PATH);
        if (proof.index >> length != 0) revert Podsi_IndexOutOfRange(proof.index, length);
    }

    /// @dev The root that a path leads to.
    function _root(ProofData calldata proof, bytes32 node) private view returns (bytes32 root) {
        bytes32[] calldata path = proof.path;
        uint256 index = proof.index;
        bool ok = true;
        assembly ("memory-safe") {
            root := node
            let from := path.offset
            let end := add(from, shl(5, path.length))
            for { } lt(from, end) { from := add(from, 0x20) } {
                // In scratch space: our node on the right where the index is odd.
                let odd := shl(5, and(index, 1))
                mstore(odd, root)
                mstore(xor(odd, 0x20), calldataload(from))
                ok := and(ok, staticcall(gas(), 0x02, 0, 0x40, 0, 0x20))
                root := and(mload(0), not(0xc0))
                index := shr(1, index)
            }
        }
        assert(ok); // SHA-256 fails for want of gas only
    }

    function _hash(bytes32 left, bytes32 right) private view returns (bytes32 hash) {
        bool ok;
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(0x20, right)
            ok := staticcall(gas(), 0x02, 0, 0x40, 0, 0x20)
            hash := mload(0)
        }
        assert(ok);
    }

    /// @dev The eight bytes of a number in reverse order.
    function _littleEndian(uint64 x) private pure returns (uint64) {
        x = (x & 0xff00ff00ff00ff00) >> 8 | (x & 0x00ff00ff00ff00ff) << 8;
        x = (x & 0xffff0000ffff0000) >> 16 | (x & 0x0000ffff0000ffff) << 16;
        return x >> 32 | x << 32;
    }
}
