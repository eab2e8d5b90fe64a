// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @notice What every event and every answer of a provider has to know, in one word and so in one slot:
/// paused 8 | previousThreshold 8 | threshold 8 | previous 32 | current 32 | drainUntil 40 | gasPriceCap 64 | seq 64.
type Head is uint256;

using Heads for Head global;

/// @title Heads
/// @notice Reads and changes the parts of a Head.
library Heads {
    uint256 private constant SEQ_MASK = type(uint64).max;
    uint256 private constant CAP_MASK = uint256(type(uint64).max) << 64;
    uint256 private constant PAUSED_MASK = uint256(type(uint8).max) << 248;

    /// @notice What the next event will carry.
    function seq(Head head) internal pure returns (uint64) {
        return uint64(Head.unwrap(head));
    }

    /// @notice Wei for a unit of gas.
    function gasPriceCap(Head head) internal pure returns (uint64) {
        return uint64(Head.unwrap(head) >> 64);
    }

    /// @notice Until when the configuration before may answer.
    function drainUntil(Head head) internal pure returns (uint40) {
        return uint40(Head.unwrap(head) >> 128);
    }

    /// @notice The number of the configuration in force.
    function current(Head head) internal pure returns (uint32) {
        return uint32(Head.unwrap(head) >> 168);
    }

    /// @notice The number of the configuration before; 0 = none.
    function previous(Head head) internal pure returns (uint32) {
        return uint32(Head.unwrap(head) >> 200);
    }

    function threshold(Head head) internal pure returns (uint8) {
        return uint8(Head.unwrap(head) >> 232);
    }

    function previousThreshold(Head head) internal pure returns (uint8) {
        return uint8(Head.unwrap(head) >> 240);
    }

    function paused(Head head) internal pure returns (bool) {
        return Head.unwrap(head) >> 248 != 0;
    }

    function withSeq(Head head, uint64 seq_) internal pure returns (Head) {
        return Head.wrap((Head.unwrap(head) & ~SEQ_MASK) | seq_);
    }

    function withGasPriceCap(Head head, uint64 cap) internal pure returns (Head) {
        return Head.wrap((Head.unwrap(head) & ~CAP_MASK) | uint256(cap) << 64);
    }

    function withPaused(Head head, bool paused_) internal pure returns (Head) {
        return Head.wrap((Head.unwrap(head) & ~PAUSED_MASK) | uint256(paused_ ? 1 : 0) << 248);
    }

    /// @notice Puts a configuration in force; the one that was becomes the previous one.
    function withConfiguration(Head head, uint32 number, uint8 threshold_, uint40 drainUntil_)
        internal
        pure
        returns (Head)
    {
        uint256 kept = Head.unwrap(head) & (PAUSED_MASK | CAP_MASK | SEQ_MASK);
        return Head.wrap(
            kept | uint256(head.threshold()) << 240 | uint256(threshold_) << 232 | uint256(head.current()) << 200
                | uint256(number) << 168 | uint256(drainUntil_) << 128
        );
    }
}
