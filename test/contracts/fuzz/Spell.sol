// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice Spells CIDs, by the schoolbook and one digit at a time, so that it shares nothing with what it checks.
library Spell {
    bytes internal constant BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    bytes internal constant BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
    bytes internal constant BASE16 = "0123456789abcdef";

    function base58(bytes memory data) internal pure returns (string memory) {
        uint8[] memory digits = new uint8[](data.length * 2);
        uint256 used;
        for (uint256 i = 0; i < data.length; ++i) {
            uint256 carry = uint8(data[i]);
            for (uint256 j = 0; j < used || carry != 0; ++j) {
                carry += uint256(digits[j]) * 256;
                digits[j] = uint8(carry % 58);
                carry /= 58;
                if (j == used) ++used;
            }
        }
        uint256 zeros;
        while (zeros < data.length && data[zeros] == 0) ++zeros;
        bytes memory out = new bytes(zeros + used);
        for (uint256 i = 0; i < zeros; ++i) {
            out[i] = "1";
        }
        for (uint256 i = 0; i < used; ++i) {
            out[zeros + i] = BASE58[digits[used - 1 - i]];
        }
        return string(out);
    }

    function base32(bytes memory data) internal pure returns (string memory) {
        return _bits(data, 5, BASE32);
    }

    function base16(bytes memory data) internal pure returns (string memory) {
        return _bits(data, 4, BASE16);
    }

    function upper(string memory text) internal pure returns (string memory) {
        bytes memory out = bytes(string.concat(text));
        for (uint256 i = 0; i < out.length; ++i) {
            if (out[i] >= "a" && out[i] <= "z") out[i] = bytes1(uint8(out[i]) - 32);
        }
        return string(out);
    }

    function varint(uint256 value) internal pure returns (bytes memory out) {
        while (value >= 128) {
            out = abi.encodePacked(out, uint8(value % 128 + 128));
            value /= 128;
        }
        out = abi.encodePacked(out, uint8(value));
    }

    function _bits(bytes memory data, uint256 width, bytes memory alphabet) private pure returns (string memory) {
        uint256 count = (data.length * 8 + width - 1) / width;
        bytes memory out = new bytes(count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 digit;
            for (uint256 k = 0; k < width; ++k) {
                uint256 bit = i * width + k;
                uint256 set = bit / 8 < data.length ? (uint8(data[bit / 8]) >> (7 - bit % 8)) & 1 : 0;
                digit = digit * 2 + set;
            }
            out[i] = alphabet[digit];
        }
        return string(out);
    }
}
