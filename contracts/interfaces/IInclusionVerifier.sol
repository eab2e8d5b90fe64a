// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @notice A path in a tree of SHA-256 nodes whose two top bits are cleared.
struct ProofData {
    uint64 index; // position among the nodes of its level, the leftmost is 0
    bytes32[] path; // the sibling at each level, from the bottom up; at most 57
}

/// @notice That a piece lies in an aggregate (FRC-0058): once as data, once as an entry of the aggregate's index.
struct InclusionProof {
    ProofData proofSubtree; // from the root of the piece to the root of the aggregate
    ProofData proofIndex; // from the index entry, two leaves, to the root of the aggregate
}

/// @notice What the owner of the piece knows of it.
struct InclusionVerifierData {
    bytes commPc; // piece CID, v1 or v2
    uint64 sizePc; // padded bytes, a power of two, at least 128
}

/// @notice What must hold of the aggregate on the chain, for the proof to mean anything.
struct InclusionAuxData {
    bytes commPa; // piece CID v1
    uint64 sizePa; // padded bytes
}

/// @title IInclusionVerifier
/// @notice Proofs of data segment inclusion (PoDSI, FRC-0058).
/// @dev A proof says: IF an aggregate with this commitment and this size is stored, THEN the piece is in it and can be found
/// by the aggregate's index. Whether it is stored is for the caller to ask of the chain (a deal, or an active sector), and
/// without that a proof says nothing: anybody can build an aggregate.
interface IInclusionVerifier {
    /// @notice Computes the aggregate that a proof speaks of.
    /// @param proof both paths
    /// @param piece CID and padded size of the piece
    /// @return aggregate CID (v1) and padded size of the aggregate, to be compared with the chain
    function computeExpectedAuxData(InclusionProof calldata proof, InclusionVerifierData calldata piece)
        external
        view
        returns (InclusionAuxData memory aggregate);

    /// @notice Reverts unless the proof shows that the piece lies in this very aggregate.
    /// @param aggregate CID (v1 or v2) and padded size of the aggregate
    /// @return offset where the piece begins in the aggregate, in padded bytes
    function requireIncluded(
        InclusionProof calldata proof,
        InclusionVerifierData calldata piece,
        InclusionAuxData calldata aggregate
    ) external view returns (uint64 offset);
}
