// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { Report, Terms } from "../interfaces/IExecutionProvider.sol";

/// @title Reports
/// @notice Reads reports where they lie in calldata, without the checks that the compiler makes at every access.
/// @dev Why that is safe: whatever is read is compared with a hash before it counts. Outcome, reason and result are in the
/// operators' signature, the terms hash to the id of a stored request, the context hashes to a word of the terms. Offsets that
/// lead elsewhere, lengths that are too long and words with dirty upper bits therefore give a hash that nobody signed or
/// stored; what lies beyond the calldata reads as zeros. Every function derives what it reads from the same offsets.
library Reports {
    uint256 private constant OUTCOME = 0x160;
    uint256 private constant REASON = 0x180;
    uint256 private constant RESULT = 0x1a0;
    uint256 private constant CONTEXT = 0x1c0;

    function at(Report[] calldata reports, uint256 index) internal pure returns (Report calldata report) {
        assembly ("memory-safe") {
            report := add(reports.offset, calldataload(add(reports.offset, mul(index, 0x20))))
        }
    }

    function outcomeOf(Report calldata report) internal pure returns (uint256 outcome) {
        assembly ("memory-safe") {
            outcome := calldataload(add(report, OUTCOME))
        }
    }

    function reasonOf(Report calldata report) internal pure returns (uint256 reason) {
        assembly ("memory-safe") {
            reason := calldataload(add(report, REASON))
        }
    }

    function resultOf(Report calldata report) internal pure returns (bytes calldata result) {
        assembly ("memory-safe") {
            let from := add(report, calldataload(add(report, RESULT)))
            result.offset := add(from, 0x20)
            result.length := calldataload(from)
        }
    }

    function contextOf(Report calldata report) internal pure returns (bytes calldata context) {
        assembly ("memory-safe") {
            let from := add(report, calldataload(add(report, CONTEXT)))
            context.offset := add(from, 0x20)
            context.length := calldataload(from)
        }
    }

    /// @notice keccak256(abi.encode(block.chainid, address(this), terms)): terms are static, so they lie as they are encoded.
    function idOf(Terms calldata terms) internal view returns (bytes32 requestId) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, chainid())
            mstore(add(p, 0x20), address())
            calldatacopy(add(p, 0x40), terms, 0x160)
            requestId := keccak256(p, 0x1a0)
        }
    }

    function hashOf(bytes calldata data) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            calldatacopy(p, data.offset, data.length)
            hash := keccak256(p, data.length)
        }
    }

    /// @notice keccak256(abi.encode(a, b, c, d, e))
    function hash5(bytes32 a, bytes32 b, uint256 c, uint256 d, bytes32 e) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, a)
            mstore(add(p, 0x20), b)
            mstore(add(p, 0x40), c)
            mstore(add(p, 0x60), d)
            mstore(add(p, 0x80), e)
            hash := keccak256(p, 0xa0)
        }
    }

    /// @notice What the signature over a batch says of its reports: the hash of the EIP-712 hashes of all items.
    function itemsHash(Report[] calldata reports, bytes32 itemTypehash) internal view returns (bytes32 hash) {
        uint256 items;
        uint256 count = reports.length;
        assembly ("memory-safe") {
            items := mload(0x40)
            mstore(0x40, add(items, mul(count, 0x20)))
        }
        for (uint256 i = 0; i < count; ++i) {
            Report calldata report = at(reports, i);
            bytes32 item = hash5(
                itemTypehash, idOf(report.terms), outcomeOf(report), reasonOf(report), hashOf(resultOf(report))
            );
            assembly ("memory-safe") {
                mstore(add(items, mul(i, 0x20)), item)
            }
        }
        assembly ("memory-safe") {
            hash := keccak256(items, mul(count, 0x20))
        }
    }

    /// @notice abi.encodeWithSelector(selector, requestId, context, outcome, reason, result), laid out in free memory without
    /// taking it: it holds until memory is next allocated.
    function callback(Report calldata report, bytes32 requestId, bytes4 selector)
        internal
        pure
        returns (uint256 from, uint256 size)
    {
        bytes calldata context = contextOf(report);
        bytes calldata result = resultOf(report);
        assembly ("memory-safe") {
            function tail(to, offset, length) -> next {
                next := add(add(to, 0x20), and(add(length, 0x1f), not(0x1f)))
                mstore(sub(next, 0x20), 0)
                mstore(to, length)
                calldatacopy(add(to, 0x20), offset, length)
            }
            from := mload(0x40)
            let args := add(from, 4)
            mstore(from, selector)
            mstore(args, requestId)
            mstore(add(args, 0x20), 0xa0)
            calldatacopy(add(args, 0x40), add(report, OUTCOME), 0x40) // outcome, reason
            let next := tail(add(args, 0xa0), context.offset, context.length)
            mstore(add(args, 0x80), sub(next, args))
            size := sub(tail(next, result.offset, result.length), from)
        }
    }
}
