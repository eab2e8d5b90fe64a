// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { InclusionVerifier } from "../../../contracts/fvm/InclusionVerifier.sol";
import { PieceCid } from "../../../contracts/fvm/PieceCid.sol";
import { Podsi } from "../../../contracts/fvm/Podsi.sol";
import {
    InclusionAuxData,
    InclusionProof,
    InclusionVerifierData
} from "../../../contracts/interfaces/IInclusionVerifier.sol";
import { Vectors } from "../fvm/Vectors.sol";

/// @notice What it costs to check an inclusion proof: inside a contract that carries the library, and by the verifier as a
/// call from a contract (without the transaction's base cost).
contract PodsiGasTest is Vectors {
    InclusionVerifier private verifier = new InclusionVerifier();

    function byLibrary(InclusionProof calldata proof, bytes32 commPc, uint64 sizePc, bytes32 commPa, uint64 sizePa)
        external
        view
        returns (uint256 gas)
    {
        gas = gasleft();
        Podsi.requireIncluded(proof, commPc, sizePc, commPa, sizePa);
        gas -= gasleft();
    }

    function test_Library() public {
        assertLe(_byLibrary("library, 128 bytes in 512", 0), 9000);
        assertLe(_byLibrary("library, a small piece in 32 GiB", 11), 30_000);
    }

    function test_Verifier() public {
        Inclusion memory v = _inclusions(".cases")[11];
        InclusionVerifierData memory piece = InclusionVerifierData(PieceCid.v1(v.commPc), v.sizePc);
        verifier.requireIncluded(_proof(v), piece, InclusionAuxData(PieceCid.v1(v.commPa), v.sizePa));
        vm.snapshotGasLastCall("Podsi", "verifier, a small piece in 32 GiB");
        vm.snapshotValue("Podsi", "size of the verifier", address(verifier).code.length);
    }

    function _byLibrary(string memory name, uint256 which) private returns (uint256 gas) {
        Inclusion memory v = _inclusions(".cases")[which];
        gas = this.byLibrary(_proof(v), v.commPc, v.sizePc, v.commPa, v.sizePa);
        vm.snapshotValue("Podsi", name, gas);
    }
}
