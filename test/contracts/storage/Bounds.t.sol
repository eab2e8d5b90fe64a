// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    DealTerms,
    IPerpetualStorage,
    PublishedDeal,
    SlotView
} from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { ClaimFacts, IFilecoinFacts } from "../../../contracts/interfaces/IStorageGate.sol";
import { StorageBase } from "./StorageBase.sol";

/// @notice Where what is taken borders on what is not.
contract BoundsTest is StorageBase {
    function test_Create_TheCarMayFillThePiece() public {
        vm.startPrank(client);
        uint64 most = GIB / 128 * 127;
        uint64 dealId = store.createDeal(HELLO_BYTES, PIECE, GIB, most, _terms());
        assertEq(store.dealOf(dealId).carSize, most);
        vm.expectRevert(
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TermsOutOfRange.selector, bytes32("carSize"))
        );
        store.createDeal(HELLO_BYTES, PIECE, GIB, most + 1, _terms());
    }

    function test_Create_TermsAtTheirBounds() public {
        DealTerms memory t = _terms();
        t.replicas = 16;
        (t.term, t.renewWindow, t.sealWindow) = (518_400, 518_399, 2880);
        (t.baseBounty, t.bondFloor) = (t.maxBounty, 0.1 ether);
        t.ramp = 3_680_640;
        t.endpoint = string(new bytes(256));
        uint64 dealId = _dealWith(t, 0);
        assertEq(abi.encode(store.dealOf(dealId).terms), abi.encode(t));
        (t.term, t.sealWindow) = (3_680_640, 172_800);
        t.maxBounty = type(uint80).max - t.bondFloor;
        dealId = _dealWith(t, 0);
        assertEq(abi.encode(store.dealOf(dealId).terms), abi.encode(t));
    }

    function test_Fund_AllThatFitsIn96Bits() public {
        uint256 most = type(uint96).max;
        vm.deal(client, most + 1);
        uint64 dealId = _dealWith(_terms(), 0);
        vm.startPrank(client);
        vm.expectRevert(
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_AmountTooLarge.selector, most + 1, most)
        );
        store.fund{ value: most + 1 }(dealId);
        store.fund{ value: most }(dealId);
        assertEq(_free(dealId), most);
    }

    function test_PrepareDeal_RevertWhen_TheFeeIsMoreThanTheValue() public {
        vm.startPrank(client);
        vm.expectRevert(
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_AmountTooLarge.selector, 1 ether + 1, 1 ether)
        );
        store.prepareDeal{ value: 1 ether }(HELLO_BYTES, 1 << 30, 1 ether + 1, _terms());
    }

    function test_PrepareDeal_RevertWhen_TheSizeIsZeroOrTooLarge() public {
        uint64 most = store.mostMaxBytes();
        uint96 fee = store.quotePrepare(most);
        vm.startPrank(client);
        bytes memory err =
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TermsOutOfRange.selector, bytes32("maxBytes"));
        vm.expectRevert(err);
        store.prepareDeal{ value: fee }(HELLO_BYTES, 0, fee, _terms());
        vm.expectRevert(err);
        store.prepareDeal{ value: fee }(HELLO_BYTES, most + 1, fee, _terms());
        store.prepareDeal{ value: fee }(HELLO_BYTES, most, fee, _terms());
    }

    function test_Activated_NoMinerZeroForASlotThatNobodyClaimed() public {
        uint64 dealId = _deal();
        (uint64 slotId,) = store.seatOf(dealId, 0);
        assertFalse(facts.activate(store, slotId, _piece(0, 5)));
        _stateOf(slotId, IPerpetualStorage.SlotState.Open);
        // Any other id is one, the first of them too.
        facts.setMiner(1, 2009, sp1);
        assertEq(_claim(dealId, 0, 1, sp1), slotId);
        assertTrue(facts.activate(store, slotId, _piece(1, 5)));
    }

    function test_Activated_NotOnceItIsPublished() public {
        uint64 slotId = _claim(_deal(), 0, M1, sp1);
        assertTrue(facts.publish(store, slotId, _f05(M1, 9)));
        assertFalse(facts.activate(store, slotId, _piece(M1, 5)), "of an f05 deal the market says that it is active");
        _stateOf(slotId, IPerpetualStorage.SlotState.Published);
    }

    function test_ActivateByClaim_TermsFromZeroOn() public {
        uint64 slotId = _claim(_deal(), 0, M1, sp1);
        facts.setSector(M1, 77, 1, uint64(block.number) + TERM);
        facts.setClaim(M1, 5, ClaimFacts(true, true, COMMP, GIB, -1, 0, 77));
        _claimIsRefused(slotId);
        facts.setClaim(M1, 5, ClaimFacts(true, true, COMMP, GIB, 0, -1, 77));
        _claimIsRefused(slotId);
        facts.setClaim(M1, 5, ClaimFacts(true, true, COMMP, GIB, 0, 0, 77));
        vm.prank(sp1);
        store.activateByClaim(slotId, 5);
        _stateOf(slotId, IPerpetualStorage.SlotState.Active);
    }

    function test_ActivateByClaim_AClaimCountsOnceWhateverItsSector() public {
        uint64 slotId = _claim(_deal(), 0, M1, sp1);
        facts.setSector(M1, 77, 1, uint64(block.number) + TERM);
        facts.setSector(M1, 78, 1, uint64(block.number) + TERM);
        facts.setClaim(M1, 5, ClaimFacts(true, true, COMMP, GIB, 0, 0, 77));
        vm.prank(sp1);
        store.activateByClaim(slotId, 5);
        uint64 other = _claim(_deal(), 0, M1, sp1);
        facts.setClaim(M1, 5, ClaimFacts(true, true, COMMP, GIB, 0, 0, 78));
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, bytes32("used")));
        store.activateByClaim(other, 5);
    }

    function test_Expire_APublishedSlotIsAsNew() public {
        uint64 slotId = _claim(_deal(), 0, M1, sp1);
        PublishedDeal memory p = _f05(M1, 9);
        assertTrue(facts.publish(store, slotId, p));
        facts.setDeal(9, _factsOf(p, IFilecoinFacts.DealState.Gone, 0, 0));
        _pass(SEAL + DAY + 1);
        store.expireClaim(slotId);
        SlotView memory s = store.slotOf(slotId);
        assertEq(uint8(s.state), uint8(IPerpetualStorage.SlotState.Open));
        assertEq(uint256(s.start) + s.end + s.bond, 0);
        assertEq(s.minerId, 0);
        assertEq(s.f05DealId, 0);
    }

    function test_Expire_WithoutABondNothingIsBurnt() public {
        uint64 dealId = _deal();
        uint64 slotId = _slot(dealId, 0, 0);
        PublishedDeal memory p = _f05(M1, 9);
        assertTrue(facts.publish(store, slotId, p));
        facts.setDeal(9, _factsOf(p, IFilecoinFacts.DealState.Gone, 0, 0));
        _pass(SEAL + DAY + 1);
        vm.expectEmit(address(store));
        emit IPerpetualStorage.ClaimExpired(dealId, slotId, M1, store.nextSeq(), 0, 0);
        vm.prank(keeper);
        store.expireClaim(slotId);
        assertEq(store.burnable() + store.creditOf(keeper), 0);
    }

    /// The owner when the slot was claimed is of its side, and so is the owner of now.
    function test_Expire_NoTipForTheOwnerThenOrNow() public {
        uint64 minerId = 1009;
        address worker = _masked(3009);
        vm.deal(worker, 100 ether);
        facts.setMiner(minerId, 2009, worker); // the owner controls nothing
        uint64 slotId = _claim(_deal(), 0, minerId, worker);
        uint256 bond = store.slotOf(slotId).bond;
        facts.setMiner(minerId, 2010, worker); // sold
        _pass(SEAL + DAY + 1);
        uint256 before = vm.snapshotState();
        address[2] memory owners = [_masked(2009), _masked(2010)];
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(owners[i]);
            store.expireClaim(slotId);
            assertEq(store.creditOf(owners[i]), 0);
            assertEq(store.burnable(), bond);
            vm.revertToState(before);
        }
        vm.prank(_masked(2011));
        store.expireClaim(slotId);
        assertEq(store.creditOf(_masked(2011)), bond / 10);
    }

    function test_Bounty_StaysAtItsMaximum() public {
        uint64 dealId = _deal();
        _pass(6 * DAY);
        _serve(dealId);
        _pass(6 * DAY);
        (uint64 slotId,) = store.seatOf(dealId, 0);
        assertEq(store.quoteBounty(slotId), MAX, "after the ramp");
        DealTerms memory t = _terms();
        t.ramp = 0;
        dealId = _dealWith(t, 100 ether);
        (slotId,) = store.seatOf(dealId, 0);
        assertEq(store.quoteBounty(slotId), MAX, "without a ramp");
    }

    function test_ChangeReplicas_TheNextOfAReturningSeatBeginsAtTheBase() public {
        uint64 dealId = _deal();
        _active(dealId, 1, M2, sp2);
        _pass(TERM - RENEW);
        uint64 next = store.openRenewal(dealId, 1);
        _serve(dealId);
        _pass(DAY);
        vm.prank(client);
        store.changeReplicas(dealId, 1);
        assertGt(store.quoteBounty(next), BASE);
        vm.prank(client);
        store.changeReplicas(dealId, 2);
        assertEq(store.quoteBounty(next), BASE);
    }

    function test_Burn_RevertWhen_ThereIsNothing() public {
        vm.expectRevert(IPerpetualStorage.PerpetualStorage_ZeroAmount.selector);
        store.burn();
    }

    function _claimIsRefused(uint64 slotId) private {
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, bytes32("term")));
        store.activateByClaim(slotId, 5);
    }
}
