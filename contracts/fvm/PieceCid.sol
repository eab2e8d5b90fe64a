// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title PieceCid
/// @notice Piece CIDs: v1 (`baga6ea4seaq…`, a commitment alone) and v2 (`bafkzcib…`, FRC-0069: commitment, height of its tree
/// and how much of it is padding). Each piece has one spelling in either, and only that is taken.
/// @dev v1: CIDv1, codec fil-commitment-unsealed, multihash sha2-256-trunc254-padded, 32 bytes.
/// v2: CIDv1, codec raw, multihash fr32-sha256-trunc254-padbintree, digest = padding as a minimal varint | height | 32 bytes.
/// A tree of height h has 2^h leaves of 32 bytes and holds 127·2^(h−2) bytes of payload; h is the least that holds it.
library PieceCid {
    /// @notice Neither a piece CID v1 nor v2.
    error PieceCid_Malformed(bytes cid);
    /// @notice The two top bits of a commitment's last byte are never set.
    error PieceCid_BadCommitment(bytes32 commitment);
    /// @notice No tree of a piece has this payload or this padded size.
    error PieceCid_BadSize(uint256 size);

    bytes7 internal constant V1_HEAD = 0x0181e203922020;
    bytes4 internal constant V2_HEAD = 0x01559120;
    uint256 internal constant V1_SIZE = 39;
    /// @dev CIDv1, raw, hash code of two bytes, length; then varint of 1 to 9 bytes, height, commitment.
    uint256 private constant V2_LEAST = 5 + 34;
    uint256 private constant V2_MOST = 5 + 42;
    uint256 private constant LEAST_HEIGHT = 2;
    uint256 private constant MOST_HEIGHT = 58;
    uint256 private constant SPARE_BITS = 0xc0;

    /// @notice What a piece CID says.
    /// @return commitment root of the piece's tree
    /// @return paddedSize bytes of that tree, a power of two; 0 where the CID is v1, which does not say
    /// @return payloadSize bytes before padding; 0 where the CID is v1
    function read(bytes memory cid) internal pure returns (bytes32 commitment, uint64 paddedSize, uint64 payloadSize) {
        uint256 size = cid.length;
        if (size == V1_SIZE && bytes7(bytes32(cid)) == V1_HEAD) {
            commitment = _tail(cid);
        } else if (size >= V2_LEAST && size <= V2_MOST && bytes4(bytes32(cid)) == V2_HEAD && uint8(cid[4]) == size - 5)
        {
            uint256 padding;
            (padding, paddedSize) = _readTree(cid);
            uint256 room = uint256(paddedSize) / 128 * 127;
            // Half of the tree or more would be padding: a lower tree holds the payload.
            if (padding >= room / 2) revert PieceCid_Malformed(cid);
            payloadSize = uint64(room - padding);
            commitment = _tail(cid);
        } else {
            revert PieceCid_Malformed(cid);
        }
        if (uint256(commitment) & SPARE_BITS != 0) revert PieceCid_BadCommitment(commitment);
    }

    /// @notice The piece CID v1 of a commitment.
    function v1(bytes32 commitment) internal pure returns (bytes memory) {
        if (uint256(commitment) & SPARE_BITS != 0) revert PieceCid_BadCommitment(commitment);
        return abi.encodePacked(V1_HEAD, commitment);
    }

    /// @notice The piece CID v2 of a commitment.
    /// @param payloadSize bytes before padding, at least 127 as in FRC-0069
    function v2(bytes32 commitment, uint64 payloadSize) internal pure returns (bytes memory) {
        if (uint256(commitment) & SPARE_BITS != 0) revert PieceCid_BadCommitment(commitment);
        if (payloadSize < 127) revert PieceCid_BadSize(payloadSize);
        uint256 height = LEAST_HEIGHT;
        while (uint256(127) << (height - LEAST_HEIGHT) < payloadSize) ++height;
        if (height > MOST_HEIGHT) revert PieceCid_BadSize(payloadSize);
        bytes memory padding = _varint((uint256(127) << (height - LEAST_HEIGHT)) - payloadSize);
        return abi.encodePacked(V2_HEAD, uint8(padding.length + 33), padding, uint8(height), commitment);
    }

    /// @notice Whether a word can be the root of a piece: its two spare bits are clear.
    function isCommitment(bytes32 commitment) internal pure returns (bool) {
        return uint256(commitment) & SPARE_BITS == 0;
    }

    /// @notice Whether a number is the padded size of a piece: a power of two from 128 to 2^63.
    function isPaddedSize(uint64 size) internal pure returns (bool) {
        return size >= 128 && size & (size - 1) == 0;
    }

    /// @dev Padding and padded size in the digest of a v2 CID, which fill what is before the commitment.
    function _readTree(bytes memory cid) private pure returns (uint256 padding, uint64 paddedSize) {
        uint256 at = 5;
        uint256 heightAt = cid.length - 33;
        for (uint256 shift = 0; at < heightAt; shift += 7) {
            uint256 b = uint8(cid[at++]);
            padding |= (b & 0x7f) << shift;
            // The last byte of the varint, and it alone, has no continuation bit; it is zero in the varint of 0 alone.
            if ((b < 0x80) != (at == heightAt) || (b == 0 && shift != 0)) revert PieceCid_Malformed(cid);
        }
        uint256 height = uint8(cid[heightAt]);
        if (height < LEAST_HEIGHT || height > MOST_HEIGHT) revert PieceCid_Malformed(cid);
        paddedSize = uint64(32 << height);
    }

    function _varint(uint256 value) private pure returns (bytes memory out) {
        while (value >= 0x80) {
            out = abi.encodePacked(out, uint8(value | 0x80));
            value >>= 7;
        }
        out = abi.encodePacked(out, uint8(value));
    }

    function _tail(bytes memory cid) private pure returns (bytes32 commitment) {
        assembly ("memory-safe") {
            commitment := mload(add(cid, mload(cid)))
        }
    }
}
