// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Report, Terms } from "../../contracts/interfaces/IExecutionProvider.sol";
import { Vm, VmSafe } from "forge-std/Vm.sol";

/// @notice How operators sign, written apart from the contracts: type strings, domain and hashes are spelled out here again.
library Pen {
    VmSafe internal constant vm = VmSafe(address(uint160(uint256(keccak256("hevm cheat code")))));

    function idOf(address provider, Terms memory t) internal view returns (bytes32) {
        bytes memory head = abi.encode(block.chainid, provider, t.seq, t.consumer, t.action, t.callbackGas);
        bytes memory tail =
            abi.encode(t.deadline, t.attemptUntil, t.refundTo, t.fee, t.attemptFee, t.payloadHash, t.contextHash);
        return keccak256(bytes.concat(head, tail));
    }

    function digest(address provider, bytes32 configDigest, Report[] memory reports) internal view returns (bytes32) {
        bytes memory items;
        for (uint256 i = 0; i < reports.length; ++i) {
            Report memory r = reports[i];
            items = bytes.concat(
                items,
                keccak256(
                    abi.encode(
                        keccak256("ReportItem(bytes32 requestId,uint8 outcome,uint8 reason,bytes32 resultHash)"),
                        idOf(provider, r.terms),
                        r.outcome,
                        r.reason,
                        keccak256(r.result)
                    )
                )
            );
        }
        bytes32 batch = keccak256(
            abi.encode(
                keccak256(
                    "ReportBatch(bytes32 configDigest,ReportItem[] reports)ReportItem(bytes32 requestId,uint8 outcome,uint8 reason,bytes32 resultHash)"
                ),
                configDigest,
                keccak256(items)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain(provider, block.chainid), batch));
    }

    function domain(address provider, uint256 chainId) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Tidegate"),
                keccak256("1"),
                chainId,
                provider
            )
        );
    }

    function sign(address provider, bytes32 configDigest, Report[] memory reports, uint256[] memory keys)
        internal
        view
        returns (bytes[] memory signatures)
    {
        bytes32 signed = digest(provider, configDigest, reports);
        signatures = new bytes[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[i], signed);
            signatures[i] = abi.encodePacked(r, s, v);
        }
    }
}
