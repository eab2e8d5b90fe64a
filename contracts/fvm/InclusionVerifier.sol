// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    IInclusionVerifier,
    InclusionAuxData,
    InclusionProof,
    InclusionVerifierData
} from "../interfaces/IInclusionVerifier.sol";
import { PieceCid } from "./PieceCid.sol";
import { Podsi } from "./Podsi.sol";

/// @title InclusionVerifier
/// @notice See IInclusionVerifier. It has neither state nor owner; whoever wants a proof checked by eth_call or from a
/// contract that does not carry the library itself calls this.
contract InclusionVerifier is IInclusionVerifier {
    /// @notice The piece CID v2 says another size than was given beside it.
    error InclusionVerifier_SizeMismatch(uint64 byCid, uint64 given);

    /// @inheritdoc IInclusionVerifier
    function computeExpectedAuxData(InclusionProof calldata proof, InclusionVerifierData calldata piece)
        external
        view
        returns (InclusionAuxData memory aggregate)
    {
        bytes32 commPa;
        (commPa, aggregate.sizePa,) = Podsi.compute(proof, _commitment(piece.commPc, piece.sizePc), piece.sizePc);
        aggregate.commPa = PieceCid.v1(commPa);
    }

    /// @inheritdoc IInclusionVerifier
    function requireIncluded(
        InclusionProof calldata proof,
        InclusionVerifierData calldata piece,
        InclusionAuxData calldata aggregate
    ) external view returns (uint64 offset) {
        return Podsi.requireIncluded(
            proof,
            _commitment(piece.commPc, piece.sizePc),
            piece.sizePc,
            _commitment(aggregate.commPa, aggregate.sizePa),
            aggregate.sizePa
        );
    }

    function _commitment(bytes calldata cid, uint64 size) private pure returns (bytes32 commitment) {
        uint64 byCid;
        (commitment, byCid,) = PieceCid.read(cid);
        if (byCid != 0 && byCid != size) revert InclusionVerifier_SizeMismatch(byCid, size);
    }
}
