// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title PackedCid
/// @notice A CID in one word and a small number: its digest, and which of a few heads stands before it.
library PackedCid {
    /// @dev 0 is for what has none of these heads.
    uint8 internal constant LONG = 0;
    uint8 private constant RAW = 1; // CIDv1, raw, sha2-256
    uint8 private constant DAG_PB = 2; // CIDv1, dag-pb, sha2-256
    uint8 private constant V0 = 3;
    uint8 private constant DAG_CBOR = 4; // CIDv1, dag-cbor, sha2-256
    uint8 private constant PIECE = 5; // CIDv1, fil-commitment-unsealed, sha2-256-trunc254-padded

    bytes7 private constant PIECE_HEAD = 0x0181e203922020;

    /// @notice The form and digest of a valid CID; LONG and 0 where no form fits.
    function pack(bytes memory cid) internal pure returns (uint8 form, bytes32 digest) {
        bytes4 head = bytes4(bytes32(cid));
        if (cid.length == 36) {
            if (head == 0x01551220) form = RAW;
            else if (head == 0x01701220) form = DAG_PB;
            else if (head == 0x01711220) form = DAG_CBOR;
        } else if (cid.length == 34 && bytes2(head) == 0x1220) {
            form = V0;
        } else if (cid.length == 39 && bytes7(bytes32(cid)) == PIECE_HEAD) {
            form = PIECE;
        }
        if (form == LONG) return (LONG, 0);
        assembly ("memory-safe") {
            digest := mload(add(cid, mload(cid)))
        }
    }

    /// @notice The CID of a form other than LONG.
    function unpack(uint8 form, bytes32 digest) internal pure returns (bytes memory) {
        if (form == RAW) return abi.encodePacked(bytes4(0x01551220), digest);
        if (form == DAG_PB) return abi.encodePacked(bytes4(0x01701220), digest);
        if (form == V0) return abi.encodePacked(bytes2(0x1220), digest);
        if (form == DAG_CBOR) return abi.encodePacked(bytes4(0x01711220), digest);
        return abi.encodePacked(PIECE_HEAD, digest);
    }

    /// @notice Whether a valid CID is of a piece, of either version.
    function isPiece(bytes memory cid) internal pure returns (bool) {
        return bytes4(bytes32(cid)) == 0x01559120 || bytes7(bytes32(cid)) == PIECE_HEAD;
    }
}
