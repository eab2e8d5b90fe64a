// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Actions } from "../../../contracts/interfaces/IExecutionProvider.sol";
import {
    DealTerms,
    IPerpetualStorage,
    PublishedDeal,
    SlotView
} from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { ClaimFacts, IFilecoinFacts } from "../../../contracts/interfaces/IStorageGate.sol";
import { StorageBase } from "./StorageBase.sol";
import { Vm } from "forge-std/Vm.sol";

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

    function test_Create_TheCarHasLessThanTwoToThe48Bytes() public {
        vm.startPrank(client);
        uint64 dealId = store.createDeal(HELLO_BYTES, PIECE, 1 << 49, (1 << 48) - 1, _terms());
        assertEq(store.dealOf(dealId).carSize, (1 << 48) - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TermsOutOfRange.selector, bytes32("carSize"))
        );
        store.createDeal(HELLO_BYTES, PIECE, 1 << 49, 1 << 48, _terms());
    }

    function test_Published_MayStartInTheEpochOfItsPublication() public {
        uint64 slotId = _slot(_deal(), 0, 0);
        PublishedDeal memory p = _f05(M1, 1);
        (p.start, p.end) = (int64(uint64(block.number)), p.end - p.start + int64(uint64(block.number)));
        assertEq(store.whyNot(slotId, p), 0);
        assertTrue(facts.publish(store, slotId, p));
        assertEq(store.slotOf(slotId).start, block.number);
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

    /// What cannot be burnt stays to be burnt; here nobody takes it.
    function test_Burn_RevertWhen_ItIsNotTaken() public {
        uint64 slotId = _claim(_deal(), 0, M1, sp1);
        vm.prank(sp1);
        store.releaseClaim(slotId);
        bytes memory err =
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TransferFailed.selector, _masked(99));
        vm.expectRevert(err);
        store.burn();
        assertEq(store.burnable(), 0.01 ether);
    }

    function test_Withdraw_ToTheLastAttoAndToSomebody() public {
        uint64 dealId = _dealWith(_terms(), 1);
        vm.startPrank(client);
        store.withdrawSurplus(dealId, 1);
        bytes memory err =
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TransferFailed.selector, address(0));
        vm.expectRevert(err);
        store.withdrawEarned(address(0));
        assertEq(store.withdrawEarned(address(1)), 1);
        assertEq(store.creditOf(client), 0);
        err = abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NothingToWithdraw.selector, client);
        vm.expectRevert(err);
        store.withdrawEarned(client);
    }

    function test_Withdraw_RevertWhen_TheReceiverRefuses() public {
        uint64 dealId = _dealWith(_terms(), 1 ether);
        vm.startPrank(client);
        store.withdrawSurplus(dealId, 1 ether);
        bytes memory err =
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TransferFailed.selector, address(facts));
        vm.expectRevert(err);
        store.withdrawEarned(address(facts)); // takes no money
        assertEq(store.creditOf(client), 1 ether);
        assertEq(store.withdrawEarned(keeper), 1 ether);
    }

    function test_PrepareDeal_AllOfTheValueMayBeTheFee_OfASingleByte() public {
        uint96 fee = store.quotePrepare(1);
        uint64 dealId = store.nextDeal();
        vm.recordLogs();
        vm.prank(client);
        store.prepareDeal{ value: fee }(HELLO_BYTES, 1, fee, _terms());
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs[0].topics[0], IPerpetualStorage.DealCreated.selector);
        (,, bytes32 commP, uint64 paddedSize, uint64 carSize) =
            abi.decode(logs[0].data, (uint64, bytes, bytes32, uint64, uint64));
        assertEq(uint256(commP) + paddedSize + carSize, 0, "nothing is known of the piece");
        assertEq(store.dealOf(dealId).carSize, 0);
        assertEq(_free(dealId), 0);
    }

    /// An answer that is no piece binds nothing: the client takes its money back.
    function test_PrepareDeal_AnAnswerThatIsNoPieceBindsNothing() public {
        (uint64 dealId, Ask memory ask) = _prepare();
        assertEq(_fulfill(_success(ask, abi.encode(PIECE, GIB, GIB))), 1); // a CAR that does not fit
        assertEq(uint8(store.dealOf(dealId).status), uint8(IPerpetualStorage.DealStatus.Preparing));
        vm.prank(client);
        store.cancel(dealId);
        assertEq(store.creditOf(client), 10 ether);
    }

    /// Nobody cancels another's deal by a request of its own that says the same.
    function test_SettlePrepare_RevertWhen_ItIsNotTheStoresRequest() public {
        (uint64 dealId, Ask memory ask) = _prepare();
        uint96 fee;
        (fee,) = provider.quote(Actions.UNPIN, 0, 0, 0);
        vm.recordLogs();
        vm.prank(stranger);
        provider.request{ value: fee }(Actions.UNPIN, 0, 0, hex"01", ask.context, _options(0, stranger));
        Ask memory own = _lastAsk();
        vm.warp(ask.terms.deadline + 2 days);
        bytes memory err =
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, bytes32("context"));
        vm.expectRevert(err);
        store.settlePrepare(own.terms, ask.context);
        vm.expectRevert(err);
        store.settlePrepare(ask.terms, abi.encode(Actions.PREPARE, dealId + 1));
        assertEq(uint8(store.dealOf(dealId).status), uint8(IPerpetualStorage.DealStatus.Preparing));
        // It is one whose money has gone back already, too.
        provider.refund(ask.terms);
        vm.expectEmit(address(store));
        emit IPerpetualStorage.DealCancelled(dealId, store.nextSeq(), 10 ether);
        vm.expectEmit(address(store));
        emit IPerpetualStorage.DealPrepared(dealId, store.nextSeq() + 1, 0, 0, 0);
        store.settlePrepare(ask.terms, ask.context);
    }

    function test_SettlePrepare_RevertWhen_ItAskedWhetherThePieceIsServed() public {
        uint64 dealId = _dealWith(_terms(), 1 ether);
        uint96 fee = store.quoteServed(dealId);
        vm.recordLogs();
        store.requestServed{ value: fee }(dealId);
        Ask memory ask = _lastAsk();
        vm.warp(ask.terms.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, bytes32("context")));
        store.settlePrepare(ask.terms, ask.context);
    }

    function test_ChangeReplicas_LeavesTheSeatsBeyondAlone() public {
        uint64 dealId = _deal();
        vm.prank(client);
        store.changeReplicas(dealId, 1);
        _pass(DAY);
        uint256 was = store.quoteBounty(_slot(dealId, 2, 0));
        assertGt(was, BASE);
        vm.prank(client);
        store.changeReplicas(dealId, 2);
        assertEq(store.quoteBounty(_slot(dealId, 1, 0)), BASE);
        assertEq(store.quoteBounty(_slot(dealId, 2, 0)), was);
    }

    /// Each end says in its event where the money went.
    function test_Ends_SayWhereTheMoneyWent() public {
        uint64 dealId = _deal();
        uint96 kept = (MAX - BASE + FLOOR) / 5;
        uint96 all = BASE + uint96(RATE) * TERM;
        uint64[3] memory slots = [_active(dealId, 0, M1, sp1), _active(dealId, 1, M2, sp2), _active(dealId, 2, M3, sp3)];
        facts.setSector(M1, 100, 0, 0);
        vm.expectEmit(address(store)); // the tip is credited by an event before it
        emit IPerpetualStorage.SlotClosed(
            dealId,
            slots[0],
            M1,
            store.nextSeq() + 1,
            IPerpetualStorage.SlotState.Lost,
            all,
            0,
            kept - kept / 10,
            kept / 10
        );
        vm.prank(keeper);
        store.checkDeal(slots[0], 0, AUX);
        vm.expectEmit(address(store));
        emit IPerpetualStorage.SlotClosed(
            dealId, slots[1], M2, store.nextSeq(), IPerpetualStorage.SlotState.Terminated, all, 0, kept, 0
        );
        vm.prank(sp2);
        store.terminateDeal(slots[1]);
        vm.roll(store.slotOf(slots[2]).end);
        vm.expectEmit(address(store));
        emit IPerpetualStorage.SlotClosed(
            dealId, slots[2], M3, store.nextSeq(), IPerpetualStorage.SlotState.Ended, all, kept, 0, 0
        );
        vm.prank(keeper);
        store.checkDeal(slots[2], 0, AUX);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(store.slotOf(slots[i]).bond, 0);
            assertFalse(store.slotOf(slots[i]).faulty);
        }
    }

    function test_Published_AnOpenSlotIsTakenOnlyAsAClaimWould() public {
        uint64 dealId = _deal();
        assertTrue(facts.publish(store, _slot(dealId, 0, 0), _f05(M1, 1)));
        uint64 slotId = _slot(dealId, 1, 0);
        assertFalse(facts.publish(store, slotId, _f05(M1, 2)), "not distinct");
        facts.setMiner(1009, 0, stranger);
        assertEq(store.whyNot(slotId, _f05(1009, 2)), "client", "nobody knows whose it is");
        assertFalse(facts.publish(store, slotId, _f05(1009, 2)));
        // An owner with the first id is one.
        facts.setMiner(1010, 1, stranger);
        assertTrue(facts.publish(store, slotId, _f05(1010, 2)));
        assertEq(store.slotOf(slotId).bond, 0);
        assertEq(store.slotOf(slotId).earned, 0);
        assertEq(store.slotOf(slotId).proven, 0);
    }

    function _prepare() private returns (uint64 dealId, Ask memory ask) {
        uint96 fee = store.quotePrepare(1 << 30);
        vm.recordLogs();
        vm.prank(client);
        (dealId,) = store.prepareDeal{ value: fee + 10 ether }(HELLO_BYTES, 1 << 30, fee, _terms());
        ask = _lastAsk();
    }

    function _claimIsRefused(uint64 slotId) private {
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, bytes32("term")));
        store.activateByClaim(slotId, 5);
    }
}
