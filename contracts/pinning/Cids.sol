// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { CidHash } from "../interfaces/IEstuaryPinning.sol";

/// @title Cids
/// @notice Reads content identifiers, as text or as bytes, and takes nothing that has a second spelling in bytes.
/// @dev Text: CIDv0 (`Qm…`, 46 characters of base58btc) and CIDv1 in multibase `z` (base58btc), `b` or `B` (base32), `f` or `F`
/// (base16); like the reference implementations, base32 and base16 are read in either case. Bytes: CIDv0 is the 34 bytes of a
/// sha2-256 multihash; CIDv1 is version, codec, hash code and digest length as minimal varints, then the digest, and
/// nothing after it. Digests are 1 to 64 bytes, up to 128 for the identity hash. The codec and the hash code may be any varint
/// below 2^63: what is supported is for the operators to say.
///
/// The hash of a CID is that of its multihash alone, so v0 and v1 of one block agree, and so do CIDs of one block under
/// two codecs.
library Cids {
    error Cids_Empty();
    error Cids_TooLong(uint256 size, uint256 most);
    error Cids_UnknownBase(bytes1 prefix);
    error Cids_BadCharacter();
    error Cids_BadPadding();
    error Cids_BadVersion(uint256 version);
    error Cids_BadVarint(uint256 at);
    error Cids_BadDigestLength(uint256 said, uint256 is_);

    uint256 internal constant MAX_TEXT = 320;
    uint256 internal constant MAX_DIGEST = 64;
    uint256 internal constant MAX_IDENTITY = 128;
    /// @dev Version 1, codec and hash code of at most 9 bytes, length of 2, digest.
    uint256 internal constant MAX_BYTES = 1 + 9 + 9 + 2 + MAX_IDENTITY;

    // Tables for `decode`: the value of the character 32·i + j is byte j of word i; 0xff where there is none.
    bytes32 private constant NO_VALUE = bytes32(type(uint256).max);
    bytes32 private constant BASE58_1 = 0xffffffffffffffffffffffffffffffffff000102030405060708ffffffffffff;
    bytes32 private constant BASE58_2 = 0xff090a0b0c0d0e0f10ff1112131415ff161718191a1b1c1d1e1f20ffffffffff;
    bytes32 private constant BASE58_3 = 0xff2122232425262728292a2bff2c2d2e2f30313233343536373839ffffffffff;
    bytes32 private constant BASE32_1 = 0xffffffffffffffffffffffffffffffffffff1a1b1c1d1e1fffffffffffffffff;
    bytes32 private constant BASE32_2 = 0xff000102030405060708090a0b0c0d0e0f10111213141516171819ffffffffff;
    bytes32 private constant BASE16_1 = 0xffffffffffffffffffffffffffffffff00010203040506070809ffffffffffff;
    bytes32 private constant BASE16_2 = 0xff0a0b0c0d0e0fffffffffffffffffffffffffffffffffffffffffffffffffff;

    /// @notice The canonical bytes of a CID given as text, and their hash.
    function fromText(bytes memory text) internal pure returns (bytes memory cid, CidHash hash) {
        uint256 size = text.length;
        if (size == 0) revert Cids_Empty();
        if (size > MAX_TEXT) revert Cids_TooLong(size, MAX_TEXT);
        bytes1 prefix = text[0];
        if (prefix == "b" || prefix == "B") {
            cid = _decodeBits(text, 5, BASE32_1, BASE32_2);
        } else if (prefix == "Q") {
            // CIDv0 has no multibase prefix; the length is checked with the bytes.
            cid = _decodeBase58(text, 0);
            if (cid.length == 0 || cid[0] != 0x12) revert Cids_UnknownBase(prefix);
            return (cid, hashOf(cid));
        } else if (prefix == "z") {
            cid = _decodeBase58(text, 1);
        } else if (prefix == "f" || prefix == "F") {
            cid = _decodeBits(text, 4, BASE16_1, BASE16_2);
        } else {
            revert Cids_UnknownBase(prefix);
        }
        if (cid.length == 0) revert Cids_Empty();
        // A multibase prefix announces CIDv1.
        if (cid[0] != 0x01) revert Cids_BadVersion(uint8(cid[0]));
        hash = hashOf(cid);
    }

    /// @notice Checks the bytes of a CID and gives the hash of its multihash.
    function hashOf(bytes memory cid) internal pure returns (CidHash hash) {
        uint256 at = multihashAt(cid);
        assembly ("memory-safe") {
            hash := keccak256(add(add(cid, 0x20), at), sub(mload(cid), at))
        }
    }

    /// @notice Checks the bytes of a CID and says where its multihash begins; it ends where they end.
    function multihashAt(bytes memory cid) internal pure returns (uint256 at) {
        uint256 size = cid.length;
        if (size == 0) revert Cids_Empty();
        if (size > MAX_BYTES) revert Cids_TooLong(size, MAX_BYTES);
        // Nearly all: CIDv1, raw or dag-pb, sha2-256.
        bytes4 head = bytes4(bytes32(cid));
        if (size == 36 && (head == 0x01551220 || head == 0x01701220)) return 2;
        uint8 first = uint8(cid[0]);
        if (first == 0x12) {
            if (size < 2 || cid[1] != 0x20 || size != 34) revert Cids_BadDigestLength(32, size < 2 ? 0 : size - 2);
            return 0;
        }
        if (first != 0x01) revert Cids_BadVersion(first);
        (, at) = _varint(cid, 1);
        (uint256 code, uint256 next) = _varint(cid, at);
        (uint256 said, uint256 digestAt) = _varint(cid, next);
        uint256 most = code == 0 ? MAX_IDENTITY : MAX_DIGEST;
        if (said == 0 || said > most || said != size - digestAt) revert Cids_BadDigestLength(said, size - digestAt);
    }

    /// @dev An unsigned varint of at most 9 bytes in its shortest form.
    function _varint(bytes memory data, uint256 from) private pure returns (uint256 value, uint256 next) {
        uint256 size = data.length;
        next = from;
        for (uint256 shift = 0; shift < 63; shift += 7) {
            if (next >= size) revert Cids_BadVarint(from);
            uint256 b = uint8(data[next++]);
            value |= (b & 0x7f) << shift;
            if (b < 0x80) {
                if (b == 0 && shift != 0) revert Cids_BadVarint(from);
                return (value, next);
            }
        }
        revert Cids_BadVarint(from);
    }

    /// @dev Decodes all characters but the first, `width` bits each, most significant first. Bits that do not fill a byte must be
    /// zero, and too few to hold a character. 32 characters at a time fill a whole number of bytes.
    function _decodeBits(bytes memory text, uint256 width, bytes32 digits, bytes32 letters)
        private
        pure
        returns (bytes memory out)
    {
        uint256 bits = (text.length - 1) * width;
        uint256 spare = bits % 8;
        if (spare >= width) revert Cids_BadPadding();
        out = new bytes(bits / 8 + 32); // room for a whole last word; cut below
        uint256 table = _table(digits, letters, letters);
        uint256 value;
        uint256 to;
        for (uint256 from = 1; from < text.length; from += 32) {
            uint256 count = _atMost(text.length - from, 32);
            value = _group(text, from, count, table, 1 << width);
            assembly ("memory-safe") {
                mstore(add(add(out, 0x20), to), shl(sub(256, mul(width, count)), value))
                to := add(to, mul(width, 4))
            }
        }
        assembly ("memory-safe") {
            mstore(out, shr(3, bits))
        }
        if (value & ((1 << spare) - 1) != 0) revert Cids_BadPadding();
    }

    /// @dev Decodes base58btc from character `from` on. Groups of 21 characters are numbers below 2^124; they are gathered in
    /// limbs of 128 bits, least first, so that no product exceeds 256 bits. A leading `1` is a zero byte, with which no CID begins.
    function _decodeBase58(bytes memory text, uint256 from) private pure returns (bytes memory out) {
        if (from == text.length) revert Cids_Empty();
        if (text[from] == "1") revert Cids_BadVersion(0);
        uint256 table = _table(BASE58_1, BASE58_2, BASE58_3);
        uint256[] memory limbs = new uint256[](text.length / 21 + 1);
        uint256 used;
        for (; from < text.length; from += 21) {
            uint256 count = _atMost(text.length - from, 21);
            uint256 carry = _group(text, from, count, table, 58);
            assembly ("memory-safe") {
                let scale := exp(58, count)
                let limb := add(limbs, 0x20)
                let beyond := add(limb, mul(used, 0x20))
                for { } lt(limb, beyond) { limb := add(limb, 0x20) } {
                    let sum := add(mul(mload(limb), scale), carry)
                    mstore(limb, and(sum, 0xffffffffffffffffffffffffffffffff))
                    carry := shr(128, sum)
                }
                if carry {
                    mstore(beyond, carry)
                    used := add(used, 1)
                }
            }
        }
        return _fromLimbs(limbs, used);
    }

    /// @dev The number that `count` (at most 32) characters from `from` on are in `base`, most significant first.
    function _group(bytes memory text, uint256 from, uint256 count, uint256 table, uint256 base)
        private
        pure
        returns (uint256 sum)
    {
        uint256 bad;
        assembly ("memory-safe") {
            let word := mload(add(add(text, 0x20), from))
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                let char := byte(i, word)
                let value := byte(0, mload(add(table, char)))
                bad := or(bad, or(value, char))
                sum := add(mul(sum, base), value)
            }
        }
        // No value has its top bit set but 0xff, and no character of a table has: see `_table`.
        if (bad & 0x80 != 0) revert Cids_BadCharacter();
    }

    /// @dev The bytes of a number in limbs of 128 bits, least first, without leading zeros. The top limb is not zero.
    function _fromLimbs(uint256[] memory limbs, uint256 used) private pure returns (bytes memory out) {
        uint256 top = limbs[used - 1];
        uint256 lead;
        while (top >> (8 * lead) != 0) ++lead;
        out = new bytes(lead + 16 * (used - 1) + 32);
        assembly ("memory-safe") {
            let to := add(out, 0x20)
            mstore(to, shl(sub(256, mul(8, lead)), top))
            to := add(to, lead)
            for { let i := sub(used, 1) } gt(i, 0) { i := sub(i, 1) } {
                mstore(to, shl(128, mload(add(limbs, mul(i, 0x20)))))
                to := add(to, 16)
            }
            mstore(out, sub(to, add(out, 0x20)))
        }
    }

    function _atMost(uint256 value, uint256 most) private pure returns (uint256) {
        return value < most ? value : most;
    }

    /// @dev Lays a table out in memory. A character of 128 and more reads beyond it; `_group` refuses it by its top bit.
    function _table(bytes32 digits, bytes32 upper, bytes32 lower) private pure returns (uint256 at) {
        bytes memory room = abi.encodePacked(NO_VALUE, digits, upper, lower);
        assembly ("memory-safe") {
            at := add(room, 0x20)
        }
    }
}
