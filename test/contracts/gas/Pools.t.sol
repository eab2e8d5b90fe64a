// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { PoolsBase } from "../storage/PoolsBase.sol";

/// @notice What members of a pool of two copies pay for gas in the call, without the transaction's base cost and calldata.
contract PoolsGasTest is PoolsBase {
    function test_JoinPayLeave() public {
        uint64 dealId = _funded(30 ether, 30 ether);
        _claimed(dealId, 0, M1, sp1);
        _join(dealId, stranger, 2, 5 ether);
        vm.snapshotGasLastCall("Pools", "join, four pieces in 1 MiB");
        _pay(dealId, stranger, 1 ether);
        vm.snapshotGasLastCall("Pools", "pay");
        uint256 shares = pools.sharesOf(dealId, stranger);
        vm.prank(stranger);
        pools.leave(dealId, shares);
        vm.snapshotGasLastCall("Pools", "leave");
        vm.snapshotValue("Pools", "size of StoragePools", address(pools).code.length);
        assertLt(address(pools).code.length, 24_576);
    }
}
