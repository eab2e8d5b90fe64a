// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { InclusionAuxData, InclusionProof, InclusionVerifierData } from "./IInclusionVerifier.sol";

/// @title IAggregatorOracle
/// @notice The calls by which replication services on Filecoin ask for deals of a CID and report them, with the selectors and
/// returns that their clients know.
interface IAggregatorOracle {
    struct Deal {
        uint64 dealId;
        uint64 minerId;
    }

    event SubmitAggregatorRequest(uint256 indexed id, bytes cid);
    event SubmitAggregatorRequestWithRaaS(
        uint256 indexed id, bytes cid, uint256 _replication_target, uint256 _repair_threshold, uint256 _renew_threshold
    );
    event CompleteAggregatorRequest(uint256 indexed id, uint64 indexed dealId);

    /// @notice Asks for deals of a CID.
    function submit(bytes memory cid) external returns (uint256 id);

    /// @notice The same with wishes, which are only passed on: replicas, and epochs before which to repair and to renew.
    function submitRaaS(
        bytes memory cid,
        uint256 _replication_target,
        uint256 _repair_threshold,
        uint256 _renew_threshold
    ) external returns (uint256 id);

    /// @notice Says that a deal of f05 holds the CID of a request, as a piece of an aggregate.
    function complete(
        uint256 id,
        uint64 dealId,
        InclusionProof calldata proof,
        InclusionVerifierData calldata verifierData
    ) external returns (InclusionAuxData memory);

    /// @notice The same, naming the miner.
    function complete(
        uint256 id,
        uint64 dealId,
        uint64 minerId,
        InclusionProof calldata proof,
        InclusionVerifierData calldata verifierData
    ) external returns (InclusionAuxData memory);

    /// @notice Deals that were listed for a CID: the newest 100.
    function getAllDeals(bytes memory cid) external view returns (Deal[] memory);
    /// @notice Those of them that are active now.
    function getActiveDeals(bytes memory cid) external view returns (Deal[] memory);
    /// @notice Those of them that are active and end within so many epochs.
    function getExpiringDeals(bytes memory cid, uint64 epochs) external view returns (Deal[] memory);
}
