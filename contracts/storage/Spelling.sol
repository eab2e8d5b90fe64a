// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Hooks } from "../fvm/Hooks.sol";
import { PieceCid } from "../fvm/PieceCid.sol";

/// @title Spelling
/// @notice CIDs and slot ids as text, as labels and addresses of pieces have them. StorageGate is linked with it.
library Spelling {
    bytes32 private constant BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

    /// @notice A CIDv1 in base32 with its prefix `b`.
    function cidText(bytes memory cid) internal pure returns (bytes memory out) {
        uint256 bits = cid.length * 8;
        uint256 size = (bits + 4) / 5;
        out = new bytes(size + 1);
        out[0] = "b";
        uint256 buffer;
        uint256 held;
        uint256 at = 1;
        for (uint256 i = 0; i < cid.length; ++i) {
            buffer = (buffer << 8 | uint8(cid[i])) & 0xffff;
            held += 8;
            while (held >= 5) {
                held -= 5;
                out[at++] = BASE32[buffer >> held & 31];
            }
        }
        if (held != 0) out[at] = BASE32[buffer << (5 - held) & 31];
    }

    /// @notice The CIDv1 of the same block: a CIDv0 is one of dag-pb.
    function asV1(bytes memory cid) internal pure returns (bytes memory) {
        return cid.length == 34 ? abi.encodePacked(bytes2(0x0170), cid) : cid;
    }

    /// @notice `<slot id>/ipfs/<cid>`.
    function label(uint64 slotId, bytes memory cid) external pure returns (bytes memory) {
        return abi.encodePacked(decimal(slotId), "/ipfs/", cidText(asV1(cid)));
    }

    /// @notice What Boost asks `getExtraParams` for: where the CAR in a piece is fetched, and its bytes.
    /// @param endpoint where it ends in '/', the piece CID is appended
    function boostParams(string memory endpoint, bytes32 commP, uint64 carSize) external pure returns (bytes memory) {
        uint256 size = bytes(endpoint).length;
        if (size != 0 && bytes(endpoint)[size - 1] == "/") {
            endpoint = string.concat(endpoint, string(cidText(PieceCid.v1(commP))));
        }
        return Hooks.boostParams(endpoint, carSize, false, false);
    }

    /// @notice The slot id at the beginning of a label; 0 where there is none in its only spelling.
    function slotIn(bytes memory text) internal pure returns (uint64 slotId) {
        uint256 value;
        for (uint256 i = 0; i < text.length && i <= 20; ++i) {
            bytes1 c = text[i];
            if (c == "/") return i == 0 || text[0] == "0" || value > type(uint64).max ? 0 : uint64(value);
            if (c < "0" || c > "9") return 0;
            value = value * 10 + uint8(c) - 48;
        }
    }

    function decimal(uint64 value) internal pure returns (bytes memory out) {
        uint256 size = 1;
        for (uint64 rest = value / 10; rest != 0; rest /= 10) {
            ++size;
        }
        out = new bytes(size);
        while (size != 0) {
            out[--size] = bytes1(uint8(48 + value % 10));
            value /= 10;
        }
    }
}
