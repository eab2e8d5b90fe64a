// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { PieceCid } from "./PieceCid.sol";

/// @notice A place in CBOR. Made by `CborReader.open`; `at` and `end` are places in memory.
struct Reader {
    uint256 at;
    uint256 end;
    bool bad;
}

/// @title CborReader
/// @notice Reads the canonical CBOR of actors: definite lengths, the shortest form of every number, nothing after the end.
/// @dev Never reverts: the first thing that is not as asked makes the reader bad for good; from then on every read gives zero or
/// nothing. So a caller reads all and asks `done` once, and hooks that may not revert can read what strangers wrote.
library CborReader {
    uint256 private constant UINT = 0;
    uint256 private constant NEGATIVE = 1;
    uint256 private constant BYTES = 2;
    uint256 private constant TEXT = 3;
    uint256 private constant ARRAY = 4;
    uint256 private constant SIMPLE = 7;
    uint256 private constant NONE = 255;

    /// @dev Tag 42, then a byte string of 40 bytes of which the first is 0, then a piece CID v1.
    bytes5 private constant CID_HEAD = 0xd82a582800;
    uint256 private constant CID_SIZE = 44;

    function open(bytes memory data) internal pure returns (Reader memory r) {
        assembly ("memory-safe") {
            let from := add(data, 0x20)
            mstore(r, from)
            mstore(add(r, 0x20), add(from, mload(data)))
        }
    }

    /// @notice Whether all was as asked and nothing is left.
    function done(Reader memory r) internal pure returns (bool) {
        return !r.bad && r.at == r.end;
    }

    /// @notice Begins an array of just so many items.
    function tuple(Reader memory r, uint256 items) internal pure {
        (uint256 major, uint256 value) = _head(r);
        if (major != ARRAY || value != items) r.bad = true;
    }

    /// @notice Begins an array whose items have `least` bytes each, or more.
    /// @return items how many; never more than there is room for in what is left
    function array(Reader memory r, uint256 least) internal pure returns (uint256 items) {
        items = _length(r, ARRAY);
        if (items > (r.end - r.at) / least) {
            r.bad = true;
            return 0;
        }
    }

    function u64(Reader memory r) internal pure returns (uint64) {
        (uint256 major, uint256 value) = _head(r);
        if (major != UINT) {
            r.bad = true;
            return 0;
        }
        return uint64(value);
    }

    function i64(Reader memory r) internal pure returns (int64) {
        (uint256 major, uint256 value) = _head(r);
        if (major > NEGATIVE || value > uint64(type(int64).max)) {
            r.bad = true;
            return 0;
        }
        return major == UINT ? int64(uint64(value)) : -1 - int64(uint64(value));
    }

    function boolean(Reader memory r) internal pure returns (bool) {
        (uint256 major, uint256 value) = _head(r);
        if (major != SIMPLE || (value != 20 && value != 21)) {
            r.bad = true;
            return false;
        }
        return value == 21;
    }

    /// @notice Takes a null if there is one here.
    function isNull(Reader memory r) internal pure returns (bool) {
        if (r.bad || r.at >= r.end) return false;
        uint256 first;
        uint256 at = r.at;
        assembly ("memory-safe") {
            first := byte(0, mload(at))
        }
        if (first != 0xf6) return false;
        r.at = at + 1;
        return true;
    }

    function byteString(Reader memory r) internal pure returns (bytes memory) {
        return _copy(r, _length(r, BYTES));
    }

    /// @notice A text or a byte string, as labels of deals are. That a text is UTF-8 is not checked.
    function label(Reader memory r) internal pure returns (bytes memory data, bool isText) {
        (uint256 major, uint256 value) = _head(r);
        if ((major != TEXT && major != BYTES) || value > r.end - r.at) {
            r.bad = true;
            return ("", false);
        }
        return (_copy(r, value), major == TEXT);
    }

    /// @notice The commitment in a piece CID v1. Any other CID is refused.
    function pieceCid(Reader memory r) internal pure returns (bytes32 commitment) {
        uint256 at = r.at;
        if (r.bad || r.end - at < CID_SIZE) {
            r.bad = true;
            return 0;
        }
        bytes32 head;
        assembly ("memory-safe") {
            head := mload(at)
            commitment := mload(add(at, 12))
        }
        if (bytes5(head) != CID_HEAD || bytes7(head << 40) != PieceCid.V1_HEAD || !PieceCid.isCommitment(commitment)) {
            r.bad = true;
            return 0;
        }
        r.at = at + CID_SIZE;
    }

    /// @notice A big integer that is not negative: a byte string, empty for 0, else 0 and the magnitude, big-endian, without leading
    /// zeros. Above 2^256 − 1 it is refused.
    function amount(Reader memory r) internal pure returns (uint256 value) {
        uint256 size = _length(r, BYTES);
        if (size == 0) return 0;
        uint256 at = r.at;
        uint256 sign;
        uint256 first;
        assembly ("memory-safe") {
            let word := mload(at)
            sign := byte(0, word)
            first := byte(1, word)
            value := shr(sub(256, shl(3, sub(size, 1))), mload(add(at, 1)))
        }
        if (sign != 0 || size < 2 || size > 33 || first == 0) {
            r.bad = true;
            return 0;
        }
        r.at = at + size;
    }

    /// @dev The length of what has as many bytes at least.
    function _length(Reader memory r, uint256 wanted) private pure returns (uint256) {
        (uint256 major, uint256 value) = _head(r);
        if (major != wanted || value > r.end - r.at) {
            r.bad = true;
            return 0;
        }
        return value;
    }

    function _copy(Reader memory r, uint256 size) private pure returns (bytes memory out) {
        out = new bytes(size);
        uint256 at = r.at;
        assembly ("memory-safe") {
            mcopy(add(out, 0x20), at, size)
        }
        r.at = at + size;
    }

    function _head(Reader memory r) private pure returns (uint256 major, uint256 value) {
        uint256 at = r.at;
        uint256 left = r.end - at;
        if (r.bad || left == 0) {
            r.bad = true;
            return (NONE, 0);
        }
        uint256 word;
        assembly ("memory-safe") {
            word := mload(at)
        }
        major = word >> 253;
        value = (word >> 248) & 31;
        uint256 size = 0;
        if (value > 23) {
            // 24 to 27: 1, 2, 4 or 8 bytes follow, and no shorter form would do.
            size = value < 28 ? 1 << (value - 24) : left;
            if (size >= left) {
                r.bad = true;
                return (NONE, 0);
            }
            value = (word << 8) >> (256 - 8 * size);
            if (value < (size == 1 ? 24 : 1 << (4 * size))) {
                r.bad = true;
                return (NONE, 0);
            }
        }
        r.at = at + 1 + size;
    }
}
