// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DealView, IPerpetualStorage } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { ShareToken } from "../../../contracts/samples/ShareToken.sol";
import { StorageGovernor } from "../../../contracts/samples/StorageGovernor.sol";
import { StorageBase } from "../storage/StorageBase.sol";

contract StorageGovernorTest is StorageBase {
    StorageGovernor private governor;

    function setUp() public override {
        super.setUp();
        address[] memory holders = new address[](2);
        (holders[0], holders[1]) = (alice, bob);
        ShareToken token = new ShareToken(holders, 100 ether);
        governor = new StorageGovernor(token, 1 hours, 1 days, 1 ether, 20);
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(holders[i]);
            token.delegate(holders[i]);
        }
        vm.deal(address(governor), 100 ether);
        vm.warp(block.timestamp + 1);
    }

    /// @dev Alice proposes a call of PerpetualStorage, both vote for it, and anyone executes.
    function _pass(uint256 value, bytes memory data) private {
        (address[] memory to, uint256[] memory values) = (new address[](1), new uint256[](1));
        bytes[] memory calls = new bytes[](1);
        (to[0], values[0], calls[0]) = (address(store), value, data);
        vm.prank(alice);
        uint256 id = governor.propose(to, values, calls, "storage");
        vm.warp(block.timestamp + 1 hours + 1);
        vm.prank(alice);
        governor.castVote(id, 1);
        vm.prank(bob);
        governor.castVote(id, 1);
        vm.warp(block.timestamp + 1 days);
        governor.execute(to, values, calls, keccak256("storage"));
    }

    function test_AGovernorOwnsPerpetualStorage() public {
        uint96 fee = store.quotePrepare(1 << 20);
        vm.recordLogs();
        _pass(20 ether, abi.encodeCall(store.prepareDeal, (HELLO_BYTES, 1 << 20, fee, _terms())));
        _fulfill(_success(_lastAsk(), abi.encode(PIECE, GIB, CAR_SIZE, uint64(1000))));
        DealView memory deal = store.dealOf(1);
        assertEq(deal.client, address(governor));
        assertEq(uint8(deal.status), uint8(IPerpetualStorage.DealStatus.Open));
        assertEq(deal.free, 20 ether - fee);
        assertEq(address(governor).balance, 80 ether);

        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotClient.selector, alice));
        store.changeReplicas(1, 5);
        _pass(0, abi.encodeCall(store.changeReplicas, (1, 5)));
        assertEq(store.dealOf(1).terms.replicas, 5);

        _pass(0, abi.encodeCall(store.cancel, (1)));
        _pass(0, abi.encodeCall(store.withdrawEarned, (address(governor))));
        assertEq(address(governor).balance, 100 ether - fee);
    }
}
