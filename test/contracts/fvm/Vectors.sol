// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { InclusionProof, ProofData } from "../../../contracts/interfaces/IInclusionVerifier.sol";
import { Test } from "forge-std/Test.sol";

/// @notice Reads the vectors that scripts/fvmvectors writes.
abstract contract Vectors is Test {
    string internal constant DIR = "test/contracts/fvm/vectors/";

    /// @dev As the JSON says it; see scripts/fvmvectors/podsi.go.
    struct Inclusion {
        string name;
        bytes32 commPc;
        uint64 sizePc;
        bytes32 commPa;
        uint64 sizePa;
        uint64 offset;
        uint64 subtreeIndex;
        bytes32[] subtreePath;
        uint64 indexIndex;
        bytes32[] indexPath;
    }

    string private constant INCLUSION =
        "Inclusion(string name,bytes32 commPc,uint64 sizePc,bytes32 commPa,uint64 sizePa,uint64 offset,uint64 subtreeIndex,bytes32[] subtreePath,uint64 indexIndex,bytes32[] indexPath)";

    function _inclusions(string memory key) internal view returns (Inclusion[] memory list) {
        string memory json = vm.readFile(string.concat(DIR, "podsi.json"));
        list = abi.decode(vm.parseJsonTypeArray(json, key, INCLUSION), (Inclusion[]));
        assertGt(list.length, 0, "no vectors");
    }

    function _proof(Inclusion memory v) internal pure returns (InclusionProof memory) {
        return InclusionProof(ProofData(v.subtreeIndex, v.subtreePath), ProofData(v.indexIndex, v.indexPath));
    }
}
