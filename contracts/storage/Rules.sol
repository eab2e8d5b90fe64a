// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Rules
/// @notice The numbers of PerpetualStorage that are the same for every deal. An epoch is 30 s.
library Rules {
    uint256 internal constant DAY = 2880;
    /// @dev builtin-actors, market policy: 180 and 1,278 days.
    uint256 internal constant MIN_TERM = 180 * DAY;
    uint256 internal constant MAX_TERM = 1278 * DAY;
    uint256 internal constant MIN_SEAL_WINDOW = DAY;
    uint256 internal constant MAX_SEAL_WINDOW = 60 * DAY;
    uint256 internal constant MAX_REPLICAS = 16;
    uint256 internal constant MAX_ENDPOINT = 256;
    /// @dev How long a claim may be given back for a small fee.
    uint256 internal constant FETCH_WINDOW = DAY;
    uint256 internal constant RELEASE_FEE = 0.01 ether;
    /// @dev How long after its deadline a claim is safe from being expired.
    uint256 internal constant EXPIRE_GRACE = DAY;
    /// @dev Longest time between two proofs that counts in full.
    uint256 internal constant MAX_PROOF_GAP = 30 * DAY;
    /// @dev How long the word of operators counts that a piece is served.
    uint256 internal constant SERVED_TERM = 7 * DAY;
    uint256 internal constant MIN_BOND = 0.1 ether;
    /// @dev What stays of a bond until the term ends.
    uint256 internal constant RETAINED_BPS = 2000;
    uint256 internal constant TIP_BPS = 1000;
    uint256 internal constant MAX_PAGE = 256;
    uint8 internal constant ANY_INDEX = 255;

    // As FIP-0112 numbers them.
    uint8 internal constant DEAD = 0;
    uint8 internal constant ACTIVE = 1;
    uint8 internal constant FAULTY = 2;
}
