// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title BountyCurve
/// @notice base + (max − base) · (t / ramp)², and max from ramp on: slow at first, so that a provider who is nearly willing waits in
/// vain for more and one who is far from it is reached in the end.
library BountyCurve {
    /// @param base at t = 0
    /// @param max from t = ramp on, at least base
    /// @param ramp epochs; 0 = at once
    /// @param t epochs on offer
    function at(uint80 base, uint80 max, uint32 ramp, uint32 t) internal pure returns (uint80) {
        if (t >= ramp) return max;
        // Below 2^80 · 2^32 · 2^32.
        return base + uint80(uint256(max - base) * t * t / (uint256(ramp) * ramp));
    }
}
