// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { PieceCid } from "./PieceCid.sol";

/// @title CborWriter
/// @notice Writes canonical CBOR piece by piece; callers put the pieces in line with abi.encodePacked.
library CborWriter {
    uint256 private constant UINT = 0;
    uint256 private constant NEGATIVE = 1;
    uint256 private constant BYTES = 2;
    uint256 private constant TEXT = 3;
    uint256 private constant ARRAY = 4;

    function u64(uint64 value) internal pure returns (bytes memory) {
        return _head(UINT, value);
    }

    function i64(int64 value) internal pure returns (bytes memory) {
        return value < 0 ? _head(NEGATIVE, uint64(-1 - value)) : _head(UINT, uint64(value));
    }

    function boolean(bool value) internal pure returns (bytes memory) {
        return abi.encodePacked(value ? bytes1(0xf5) : bytes1(0xf4));
    }

    function byteString(bytes memory data) internal pure returns (bytes memory) {
        return abi.encodePacked(_head(BYTES, data.length), data);
    }

    function text(bytes memory data) internal pure returns (bytes memory) {
        return abi.encodePacked(_head(TEXT, data.length), data);
    }

    /// @notice The head of an array; its items follow.
    function array(uint256 items) internal pure returns (bytes memory) {
        return _head(ARRAY, items);
    }

    /// @notice A piece CID v1 (tag 42). Reverts for what is no commitment.
    function pieceCid(bytes32 commitment) internal pure returns (bytes memory) {
        return abi.encodePacked(bytes5(0xd82a582800), PieceCid.v1(commitment));
    }

    /// @notice A big integer: see CborReader.amount.
    function amount(uint256 value) internal pure returns (bytes memory) {
        if (value == 0) return hex"40";
        uint256 size = 0;
        for (uint256 rest = value; rest != 0; rest >>= 8) {
            ++size;
        }
        bytes memory magnitude = new bytes(size);
        assembly ("memory-safe") {
            mstore(add(magnitude, 0x20), shl(sub(256, shl(3, size)), value))
        }
        return abi.encodePacked(_head(BYTES, size + 1), uint8(0), magnitude);
    }

    function _head(uint256 major, uint256 value) private pure returns (bytes memory) {
        major <<= 5;
        if (value < 24) return abi.encodePacked(uint8(major | value));
        if (value <= type(uint8).max) return abi.encodePacked(uint8(major | 24), uint8(value));
        if (value <= type(uint16).max) return abi.encodePacked(uint8(major | 25), uint16(value));
        if (value <= type(uint32).max) return abi.encodePacked(uint8(major | 26), uint32(value));
        return abi.encodePacked(uint8(major | 27), uint64(value));
    }
}
