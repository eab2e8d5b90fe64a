// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Epochs
/// @notice Filecoin's clock: `block.number` is the epoch, one every 30 seconds. Terms are half open: the end is outside.
library Epochs {
    uint64 internal constant DAY = 2880;
    /// @notice The shortest and the longest term of a deal in f05, both allowed (180 and 1278 days).
    uint64 internal constant MIN_TERM = 180 * DAY;
    uint64 internal constant MAX_TERM = 1278 * DAY;
    /// @notice So far behind the head the chain may still be rewritten, at worst.
    uint64 internal constant FINALITY = 900;

    function current() internal view returns (uint64) {
        return uint64(block.number);
    }

    /// @notice An epoch as actors say it; before epoch 0 counts as none.
    function read(int64 epoch) internal pure returns (bool ok, uint64 value) {
        return epoch < 0 ? (false, 0) : (true, uint64(epoch));
    }

    /// @notice Where a term ends that f05 gives as start and duration.
    function end(int64 start, int64 duration) internal pure returns (bool ok, uint64 value) {
        if (start < 0 || duration < 0) return (false, 0);
        return (true, uint64(start) + uint64(duration));
    }
}
