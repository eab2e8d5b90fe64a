// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { FilecoinFacts } from "../../../contracts/storage/FilecoinFacts.sol";
import { ProviderRegistry } from "../../../contracts/storage/ProviderRegistry.sol";
import { StorageGate } from "../../../contracts/storage/StorageGate.sol";
import { StorageBase } from "../storage/StorageBase.sol";

/// @notice What the storage contracts cost as whole transactions, without what actors charge: facts are free here but for the call that
/// asks for them. Numbers are in snapshots/; the project's ceilings are asserted.
contract StorageGasTest is StorageBase {
    uint64 private _dealId;
    uint64 private _activeSlot;

    function setUp() public override {
        super.setUp();
        _dealId = _deal();
        _activeSlot = _active(_dealId, 1, M2, sp2);
        _pass(DAY);
        _prove(_activeSlot);
        _pass(DAY);
        _deal();
    }

    function test_CreateDeal() public {
        bytes memory data = abi.encodeCall(store.createDeal, (HELLO_BYTES, PIECE, GIB, CAR_SIZE, _terms()));
        assertLe(_measure("create a deal", client, 10 ether, data), 190_000);
    }

    function test_Claim() public {
        bytes memory data = abi.encodeCall(store.claimDeal, (_dealId, 0, M1));
        assertLe(_measure("claim", sp1, _bond(_slot(_dealId, 0, 0)), data), 130_000);
    }

    function test_Prove() public {
        uint64[] memory ids = new uint64[](1);
        bytes[] memory aux = new bytes[](1);
        (ids[0], aux[0]) = (_activeSlot, AUX);
        assertLe(_measure("prove and earn", sp2, 0, abi.encodeCall(store.proveActive, (ids, aux))), 110_000);
    }

    function test_Withdraw() public {
        assertLe(_measure("withdraw", sp2, 0, abi.encodeCall(store.withdrawEarned, (address(0xbeef)))), 80_000);
    }

    function test_Sizes() public {
        _size("PerpetualStorage", address(store));
        _size("StorageGate", address(new StorageGate(owner)));
        _size("FilecoinFacts", address(new FilecoinFacts(owner)));
        _size("ProviderRegistry", address(new ProviderRegistry(facts, owner)));
    }

    function _size(string memory name, address where) private {
        vm.snapshotValue("Storage", string.concat("size of ", name), where.code.length);
        assertLt(where.code.length, 24_576);
    }

    function _measure(string memory name, address from, uint256 value, bytes memory data)
        private
        returns (uint256 gas)
    {
        vm.prank(from);
        (bool ok,) = address(store).call{ value: value }(data);
        gas = vm.lastCallGas().gasTotalUsed + 21_000;
        assertTrue(ok, "call");
        for (uint256 i = 0; i < data.length; ++i) {
            gas += data[i] == 0 ? 4 : 16;
        }
        vm.snapshotValue("Storage", name, gas);
    }
}
