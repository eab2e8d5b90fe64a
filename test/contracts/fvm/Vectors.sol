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

    struct Method {
        string name;
        uint64 number;
    }

    struct Value {
        string kind;
        bytes solidity;
        bytes data;
    }

    struct Reply {
        uint64[] pieces;
        bytes data;
    }

    struct Address {
        bytes data;
        bool valid;
        bool isId;
        uint64 id;
    }

    struct Verdict {
        string kind;
        bytes data;
        bool accepted;
    }

    string internal constant METHOD = "Method(string name,uint64 number)";
    string internal constant VALUE = "Value(string kind,bytes solidity,bytes data)";
    string internal constant REPLY = "Reply(uint64[] pieces,bytes data)";
    string internal constant ADDRESS = "Address(bytes data,bool valid,bool isId,uint64 id)";
    string internal constant VERDICT = "Verdict(string kind,bytes data,bool accepted)";

    /// @dev A list of a file, of scripts/fvmvectors/cbor.go.
    function _load(string memory file, string memory key, string memory type_) internal view returns (bytes memory) {
        return vm.parseJsonTypeArray(vm.readFile(string.concat(DIR, file)), key, type_);
    }

    function _inclusions(string memory key) internal view returns (Inclusion[] memory list) {
        string memory json = vm.readFile(string.concat(DIR, "podsi.json"));
        list = abi.decode(vm.parseJsonTypeArray(json, key, INCLUSION), (Inclusion[]));
        assertGt(list.length, 0, "no vectors");
    }

    function _proof(Inclusion memory v) internal pure returns (InclusionProof memory) {
        return InclusionProof(ProofData(v.subtreeIndex, v.subtreePath), ProofData(v.indexIndex, v.indexPath));
    }
}
