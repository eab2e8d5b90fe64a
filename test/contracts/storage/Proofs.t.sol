// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    DealTerms,
    IPerpetualStorage,
    OpenSlot,
    PublishedDeal,
    SlotView
} from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { DealFacts, IFilecoinFacts } from "../../../contracts/interfaces/IStorageGate.sol";
import { StorageBase } from "./StorageBase.sol";

contract ProofsTest is StorageBase {
    uint64 internal dealId;
    uint64 internal slotId;
    uint256 internal began;
    uint96 internal obligation;

    function setUp() public override {
        super.setUp();
        dealId = _deal();
        slotId = _active(dealId, 0, M1, sp1);
        began = block.number;
        obligation = store.slotOf(slotId).obligation;
        vm.prank(sp1);
        store.withdrawEarned(sp1Out());
    }

    function sp1Out() internal pure returns (address) {
        return address(0xbeef);
    }

    // ---------------------------------------------------------------- earning

    function test_Prove_EarnsEvenlyOverTheTerm() public {
        _pass(10 * DAY);
        vm.expectEmit(address(store));
        uint96 earned = uint96(uint256(obligation) * 10 * DAY / TERM);
        emit IPerpetualStorage.SlotProven(
            dealId, slotId, store.nextSeq(), uint32(block.number), uint32(10 * DAY), earned
        );
        vm.prank(stranger); // whoever brings it, the payee is paid
        _prove(slotId);
        assertEq(store.creditOf(sp1), earned);
        _prove(slotId);
        assertEq(store.creditOf(sp1), earned, "no epoch counts twice");
    }

    function test_Prove_AWholeTermPaysAllToTheLastAtto() public {
        for (uint256 i = 0; i < 6; ++i) {
            _pass(30 * DAY);
            _prove(slotId);
        }
        SlotView memory s = store.slotOf(slotId);
        assertEq(uint8(s.state), uint8(IPerpetualStorage.SlotState.Ended));
        assertEq(s.earned, obligation);
        assertEq(store.creditOf(sp1), obligation + (MAX - BASE + FLOOR) / 5, "all, and what was kept of the bond");
        assertEq(_free(dealId), 100 ether - obligation);
        (uint64 current,) = store.seatOf(dealId, 0);
        assertEq(current, _slot(dealId, 0, 1), "a new slot has opened");
        assertEq(store.quoteBounty(current), BASE);
    }

    function test_Prove_ALongGapEarnsTheMaximum() public {
        _pass(30 * DAY + 1);
        _prove(slotId);
        assertEq(store.slotOf(slotId).proven, 30 * DAY);
        _pass(50 * DAY);
        _prove(slotId);
        assertEq(store.slotOf(slotId).proven, 60 * DAY);
    }

    function test_Prove_NothingCountsAcrossAFault() public {
        _pass(DAY);
        _prove(slotId);
        _pass(DAY);
        facts.setSector(M1, 100, 2, type(uint64).max);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, slotId));
        _prove(slotId);
        vm.prank(keeper);
        store.checkDeal(slotId, 2, AUX);
        assertTrue(store.slotOf(slotId).faulty);
        assertEq(store.creditOf(keeper), 0, "no tip for a flag");
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, slotId));
        store.checkDeal(slotId, 2, AUX);
        _pass(DAY);
        facts.setSector(M1, 100, 1, type(uint64).max);
        _prove(slotId);
        assertFalse(store.slotOf(slotId).faulty);
        assertEq(store.slotOf(slotId).proven, DAY, "what lies before the fault's report is lost too");
        _pass(DAY);
        _prove(slotId);
        assertEq(store.slotOf(slotId).proven, 2 * DAY);
    }

    function test_Prove_RevertWhen_NotActiveOrMalformed() public {
        uint64 claimed = _claim(dealId, 1, M2, sp2);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_WrongState.selector);
        _prove(claimed);
        vm.expectRevert(IPerpetualStorage.PerpetualStorage_LengthMismatch.selector);
        store.proveActive(new uint64[](1), new bytes[](2));
        facts.silence(M1, 100);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, slotId));
        _prove(slotId);
    }

    function test_Prove_F05IsActivatedByTheMarketAndProvenBySector() public {
        PublishedDeal memory p = _f05(M2, 3);
        uint64 id = _slot(dealId, 1, 0);
        assertTrue(facts.publish(store, id, p));
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, id));
        _prove(id);
        facts.setDeal(3, _factsOf(p, IFilecoinFacts.DealState.Published, -1, 0));
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, id));
        _prove(id); // published, and not sealed
        _pass(SEAL / 2);
        uint256 activated = block.number;
        DealFacts memory f = _factsOf(p, IFilecoinFacts.DealState.Active, int64(uint64(activated)), 55);
        f.provider = M1;
        facts.setDeal(3, f);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, id));
        _prove(id); // another miner's
        f.provider = M2;
        facts.setDeal(3, f);
        _pass(SEAL / 2 + 100);
        uint64[] memory ids = new uint64[](1);
        ids[0] = id;
        store.proveActive(ids, new bytes[](1)); // without a proof of the sector it is only activated
        SlotView memory s = store.slotOf(id);
        assertEq(uint8(s.route), uint8(IPerpetualStorage.Route.Market));
        assertEq(s.sector, 55);
        assertEq(s.lastProof, activated);
        assertEq(s.earned, 0);
        facts.setSector(M2, 55, 1, type(uint64).max);
        _prove(id);
        assertEq(store.slotOf(id).proven, 100, "from the deal's start, not from its activation");
    }

    // ------------------------------------------------------------------- ends

    function test_Check_DeadBeforeTheEndIsLost() public {
        _pass(DAY);
        _prove(slotId);
        uint96 earned = store.slotOf(slotId).earned;
        uint256 kept = store.slotOf(slotId).bond;
        facts.setSector(M1, 100, 0, 0);
        vm.prank(keeper);
        store.checkDeal(slotId, 0, AUX);
        _stateOf(slotId, IPerpetualStorage.SlotState.Lost);
        assertEq(store.creditOf(keeper), kept / 10);
        assertEq(store.burnable(), kept - kept / 10);
        assertEq(_free(dealId), 100 ether - earned);
        assertEq(store.creditOf(sp1), earned, "what it had earned it keeps");
        (uint64 current,) = store.seatOf(dealId, 0);
        assertEq(current, _slot(dealId, 0, 1));
        _serve(dealId);
        _claim(dealId, 0, M1, sp1);
        assertFalse(facts.activate(store, current, _piece(M1, 100)), "a sector backs one slot, ever");
    }

    function test_Check_WhatCannotBeShownChangesNothing() public {
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, slotId));
        store.checkDeal(slotId, 0, AUX);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, slotId));
        store.checkDeal(slotId, 1, AUX);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, slotId));
        store.checkDeal(slotId, 9, AUX);
        facts.silence(M1, 100);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, slotId));
        store.checkDeal(slotId, 0, AUX);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_WrongState.selector);
        store.checkDeal(_slot(dealId, 1, 0), 0, AUX);
        _stateOf(slotId, IPerpetualStorage.SlotState.Active);
    }

    function test_Check_FromTheEndOnItIsEnded() public {
        _pass(TERM - 1);
        facts.setSector(M1, 100, 0, 0);
        uint256 snapshot = vm.snapshotState();
        store.checkDeal(slotId, 0, AUX);
        _stateOf(slotId, IPerpetualStorage.SlotState.Lost);
        vm.revertToState(snapshot);
        _pass(1);
        store.checkDeal(slotId, 0, AUX);
        _stateOf(slotId, IPerpetualStorage.SlotState.Ended);
        assertEq(store.creditOf(sp1), (MAX - BASE + FLOOR) / 5, "the bond is back, and nothing was proven");
        assertEq(_free(dealId), 100 ether);
    }

    function test_CheckMany_PassesOverWhatIsNotShown() public {
        uint64 second = _active(dealId, 1, M2, sp2);
        facts.setSector(M2, 101, 0, 0);
        uint64[] memory ids = new uint64[](3);
        uint8[] memory statuses = new uint8[](3);
        bytes[] memory aux = new bytes[](3);
        (ids[0], ids[1], ids[2]) = (slotId, 777, second);
        (aux[0], aux[1], aux[2]) = (AUX, AUX, AUX);
        store.checkMany(ids, statuses, aux);
        _stateOf(slotId, IPerpetualStorage.SlotState.Active);
        _stateOf(second, IPerpetualStorage.SlotState.Lost);
        vm.expectRevert(IPerpetualStorage.PerpetualStorage_LengthMismatch.selector);
        store.checkMany(ids, new uint8[](2), aux);
        vm.expectRevert(IPerpetualStorage.PerpetualStorage_LengthMismatch.selector);
        store.checkMany(ids, statuses, new bytes[](2));
    }

    function test_Terminate_CostsTheRestOfTheBond() public {
        _pass(DAY);
        _prove(slotId);
        uint256 kept = store.slotOf(slotId).bond;
        vm.prank(stranger);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_NotController.selector);
        store.terminateDeal(slotId);
        vm.prank(sp1);
        store.terminateDeal(slotId);
        _stateOf(slotId, IPerpetualStorage.SlotState.Terminated);
        assertEq(store.burnable(), kept);
        assertEq(store.creditOf(sp1), store.slotOf(slotId).earned);
        vm.prank(sp1);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_WrongState.selector);
        store.terminateDeal(slotId);
    }

    function test_Terminate_AtTheEndIsTheEnd() public {
        _pass(TERM);
        vm.prank(sp1);
        store.terminateDeal(slotId);
        _stateOf(slotId, IPerpetualStorage.SlotState.Ended);
        assertEq(store.burnable(), 0);
    }

    // ---------------------------------------------------------------- renewal

    function test_Renewal_TheNextIsSealedBeforeTheCurrentEnds() public {
        _toRenewal();
        uint64 next = store.openRenewal(dealId, 0);
        assertEq(next, _slot(dealId, 0, 1));
        (bytes32 why,,) = store.previewClaim(next, M2, sp2);
        assertEq(why, "first refusal");
        _pass(RENEW / 3);
        _serve(dealId);
        (why,,) = store.previewClaim(next, M2, sp2);
        assertEq(why, 0, "after a third of the window it is open to all");
        _claim(dealId, 0, M2, sp2);
        _seal(next, M2, 500);
        SlotView memory n = store.slotOf(next);
        SlotView memory s = store.slotOf(slotId);
        assertEq(n.start, s.end, "pay never overlaps");
        assertEq(n.end, s.end + TERM);
        _pass(DAY);
        _proveOther(next);
        assertEq(store.slotOf(next).earned, 0);
        vm.roll(s.end + DAY);
        _prove(slotId);
        _proveOther(next);
        assertEq(store.slotOf(next).proven, DAY);
        (uint64 current, uint64 after_) = store.seatOf(dealId, 0);
        assertEq(current, next);
        assertEq(after_, 0);
    }

    function test_Renewal_TheIncumbentIsFirst() public {
        _toRenewal();
        uint64 next = store.openRenewal(dealId, 0);
        (OpenSlot[] memory list,) = store.openSlots(dealId, 1);
        assertEq(list[0].slotId, next);
        assertEq(list[0].incumbent, M1);
        assertEq(list[0].bounty, BASE, "at the base price");
        assertEq(_claim(dealId, 0, M1, sp1), next);
        assertFalse(facts.activate(store, next, _piece(M1, 100)), "the same sector for two slots");
        assertTrue(facts.activate(store, next, _piece(M1, 600)));
        vm.expectRevert(
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, bytes32("has next"))
        );
        store.openRenewal(dealId, 0);
    }

    function test_Renewal_AnF05DealHasToCoverWhatFollows() public {
        _toRenewal();
        uint64 next = store.openRenewal(dealId, 0);
        PublishedDeal memory p = _f05(M1, 3);
        assertEq(store.whyNot(next, p), "term");
        uint64 end = store.slotOf(slotId).end;
        p.end = int64(end + TERM - 1);
        assertEq(store.whyNot(next, p), "term");
        p.end += 1;
        assertTrue(facts.publish(store, next, p));
        assertEq(store.slotOf(next).start, end);
    }

    function test_Renewal_IfTheCurrentIsLostTheNextTakesItsPlace() public {
        _toRenewal();
        uint64 next = store.openRenewal(dealId, 0);
        _claim(dealId, 0, M1, sp1);
        facts.setSector(M1, 100, 0, 0);
        store.checkDeal(slotId, 0, AUX);
        (uint64 current,) = store.seatOf(dealId, 0);
        assertEq(current, next);
        _seal(next, M1, 600);
        assertEq(store.slotOf(next).start, block.number, "there is nothing to wait for");
    }

    function test_Renewal_ANextThatEndsEarlyLeavesTheSeat() public {
        _toRenewal();
        uint64 next = store.openRenewal(dealId, 0);
        _claim(dealId, 0, M1, sp1);
        _seal(next, M1, 600);
        vm.prank(sp1);
        store.terminateDeal(next);
        (uint64 current, uint64 after_) = store.seatOf(dealId, 0);
        assertEq(current, slotId);
        assertEq(after_, 0);
        assertEq(store.openRenewal(dealId, 0), _slot(dealId, 0, 2));
    }

    function test_Renewal_RevertWhen_ItIsNotTime() public {
        uint64 end = store.slotOf(slotId).end;
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TooEarly.selector, end - RENEW));
        store.openRenewal(dealId, 0);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_WrongState.selector);
        store.openRenewal(dealId, 1);
        _renewalRefused(3, "no such seat");
        _toRenewal();
        vm.prank(client);
        store.suspend(dealId);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_WrongStatus.selector);
        store.openRenewal(dealId, 0);
        vm.startPrank(client);
        store.resume(dealId);
        store.changeEndEpoch(dealId, uint32(end));
        vm.stopPrank();
        _renewalRefused(0, "ended");
        vm.prank(client);
        store.changeEndEpoch(dealId, uint32(end) + 1);
        vm.prank(owner);
        store.setIntakePaused(true);
        vm.expectRevert(IPerpetualStorage.PerpetualStorage_IntakePaused.selector);
        store.openRenewal(dealId, 0);
        vm.prank(owner);
        store.setIntakePaused(false);
        vm.roll(end);
        _renewalRefused(0, "over");
        vm.roll(end - 1);
        store.openRenewal(dealId, 0);
    }

    function test_Extension_TheSameSectorFollowsItself() public {
        _toRenewal();
        uint64 end = store.slotOf(slotId).end;
        facts.setSector(M1, 100, 1, end + TERM);
        uint256 bond = uint256(MAX - BASE + FLOOR) / 5;
        vm.expectEmit(address(store));
        uint64 next = _slot(dealId, 0, 1);
        emit IPerpetualStorage.SlotOpened(dealId, next, store.nextSeq(), true);
        vm.expectEmit(true, true, true, false, address(store)); // whose it is; the rest is read below
        emit IPerpetualStorage.SlotActivated(
            dealId, next, M1, 0, IPerpetualStorage.Route.Extension, 100, uint32(end), uint32(end) + TERM, 0, 0, 0
        );
        vm.prank(sp1);
        store.renewByExtension{ value: bond + 1 }(slotId, AUX);
        SlotView memory n = store.slotOf(next);
        assertEq(uint8(n.state), uint8(IPerpetualStorage.SlotState.Active));
        assertEq(uint8(n.route), uint8(IPerpetualStorage.Route.Extension));
        assertEq(n.start, end);
        assertEq(n.end, end + TERM);
        assertEq(n.bond, bond);
        assertEq(n.obligation, obligation);
        assertEq(n.sector, 100);
        assertEq(store.creditOf(sp1), 1);
        assertEq(_free(dealId), 100 ether - 2 * uint256(obligation));
        vm.roll(end + DAY);
        facts.setSector(M1, 100, 1, end + TERM);
        _prove(slotId);
        _prove(next);
        assertEq(store.slotOf(next).proven, DAY);
        assertTrue(facts.activate(store, next, _piece(M1, 100)));
        assertFalse(facts.activate(store, slotId, _piece(M1, 100)));
    }

    function test_Extension_RevertWhen_ItDoesNotHold() public {
        uint64 end = store.slotOf(slotId).end;
        facts.setSector(M1, 100, 1, end + TERM);
        vm.prank(sp1);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_TooEarly.selector);
        store.renewByExtension{ value: 1 ether }(slotId, AUX);
        _toRenewal();
        vm.deal(stranger, 2 ether);
        vm.prank(stranger);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_NotController.selector);
        store.renewByExtension{ value: 1 ether }(slotId, AUX);
        facts.setSector(M1, 100, 1, end + TERM - 1);
        _extensionRefused("expiration");
        facts.setSector(M1, 100, 2, end + TERM);
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, slotId));
        store.renewByExtension{ value: 1 ether }(slotId, AUX);
        facts.setSector(M1, 100, 1, end + TERM);
        vm.prank(sp1);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_BondTooLow.selector);
        store.renewByExtension{ value: 0.9 ether - 1 }(slotId, AUX);
        uint96 free = uint96(_free(dealId));
        vm.prank(client);
        store.withdrawSurplus(dealId, free - obligation + 1);
        _extensionRefused("not funded");
        store.fund{ value: 1 }(dealId);
        store.openRenewal(dealId, 0); // opened by a keeper before
        vm.prank(sp1);
        store.renewByExtension{ value: 0.9 ether }(slotId, AUX);
        vm.prank(sp1);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_WrongState.selector);
        store.renewByExtension{ value: 0.9 ether }(slotId, AUX);
        uint64 next = _slot(dealId, 0, 1);
        vm.prank(sp1);
        vm.expectRevert(
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, bytes32("not current"))
        );
        store.renewByExtension{ value: 0.9 ether }(next, AUX);
    }

    /// @dev An f05 deal ends when it ends, however long its sector lasts.
    function test_Extension_RevertWhen_TheSlotIsAnF05Deals() public {
        PublishedDeal memory p = _f05(M2, 3);
        uint64 id = _slot(dealId, 1, 0);
        assertTrue(facts.publish(store, id, p));
        _pass(SEAL);
        facts.setDeal(3, _factsOf(p, IFilecoinFacts.DealState.Active, int64(uint64(block.number)), 55));
        facts.setSector(M2, 55, 1, type(uint64).max);
        _prove(id);
        vm.roll(store.slotOf(id).end - RENEW);
        vm.prank(sp2);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, bytes32("route")));
        store.renewByExtension{ value: 1 ether }(id, AUX);
    }

    /// @dev Who follows on one seat has a copy, though the one before still runs.
    function test_OpenRenewal_WhoFollowsHasNoOtherCopy() public {
        _toRenewal();
        uint64 next = store.openRenewal(dealId, 0);
        _pass(RENEW / 3 + 1);
        _serve(dealId);
        assertEq(_claim(dealId, 0, M2, sp2), next);
        vm.prank(sp2);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotDistinct.selector, dealId, M2, 0));
        store.claimDeal{ value: 9 ether }(dealId, 1, M2);
        _claim(dealId, 1, M3, sp3);
    }

    // ------------------------------------------------------- payees and keepers

    function test_SetPayee_ByTheOwnerAlone() public {
        uint64[] memory ids = new uint64[](1);
        ids[0] = slotId;
        vm.prank(sp1); // a worker
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotOwnerOfMiner.selector, M1, sp1));
        store.setPayee(ids, stranger);
        vm.prank(_masked(2001));
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TransferFailed.selector, address(0)));
        store.setPayee(ids, address(0));
        vm.prank(_masked(2001));
        store.setPayee(ids, stranger);
        _pass(DAY);
        _prove(slotId);
        assertGt(store.creditOf(stranger), 0);
        assertEq(store.creditOf(sp1), 0);
        // After the miner was sold, it is the new owner's to say.
        facts.setMiner(M1, 2099, _masked(2099));
        vm.prank(_masked(2001));
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_NotOwnerOfMiner.selector);
        store.setPayee(ids, sp1);
        // Whose owner is not known, nobody's: not the system's either, whose id is 0. From 1 on an id is somebody's.
        facts.setMiner(M1, 0, sp1);
        vm.prank(_masked(0));
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_NotOwnerOfMiner.selector);
        store.setPayee(ids, sp1);
        facts.setMiner(M1, 1, sp1);
        vm.prank(_masked(1));
        store.setPayee(ids, sp1);
        assertEq(store.slotOf(slotId).payee, sp1);
    }

    function test_Checker_SaysWhatKeepersCanDo() public {
        (bool can,) = store.checker(0, 10);
        assertFalse(can);
        uint64 claimed = _claim(dealId, 1, M2, sp2);
        _pass(SEAL + DAY + 1);
        _due(abi.encodeCall(store.expireClaim, (claimed)));
        _toRenewal();
        _due(abi.encodeCall(store.openRenewal, (dealId, 0)));
        _serve(dealId);
        uint64 next = _claim(dealId, 0, M1, sp1);
        _pass(SEAL + DAY + 1);
        _due(abi.encodeCall(store.expireClaim, (next)));
        vm.roll(store.slotOf(slotId).end);
        _due(abi.encodeCall(store.checkDeal, (slotId, 0, "")));
        (can,) = store.checker(0, 10);
        assertFalse(can);
        _stateOf(slotId, IPerpetualStorage.SlotState.Ended);
    }

    function test_NextOpening_ForeseesRenewals() public {
        _claim(dealId, 1, M2, sp2);
        _claim(dealId, 2, M3, sp3);
        uint32 end = store.slotOf(slotId).end;
        assertEq(store.nextOpening(dealId), end - RENEW);
        _toRenewal();
        assertEq(store.nextOpening(dealId), block.number);
        store.openRenewal(dealId, 0);
        assertEq(store.nextOpening(dealId), end - RENEW + RENEW / 3);
        vm.prank(client);
        store.cancel(dealId);
        assertEq(store.nextOpening(dealId), 0);
    }

    function testFuzz_Conservation(uint256[12] calldata steps) public {
        uint64[] memory deals = new uint64[](1);
        deals[0] = dealId;
        address[] memory accounts = new address[](6);
        (accounts[0], accounts[1], accounts[2], accounts[3]) = (client, sp1, sp2, keeper);
        (accounts[4], accounts[5]) = (_masked(2001), _masked(2002));
        uint64[] memory slots = new uint64[](24);
        for (uint256 i = 0; i < 24; ++i) {
            slots[i] = _slot(dealId, uint8(i % 2), uint16(i / 2));
        }
        for (uint256 i = 0; i < steps.length; ++i) {
            _step(steps[i], i);
            _conserved(deals, slots, accounts);
        }
    }

    // ----------------------------------------------------------------- inside

    function _step(uint256 seed, uint256 n) private {
        _pass(bound(seed >> 8, 0, 200 * DAY));
        uint8 index = uint8(seed >> 16 & 1);
        (uint64 id,) = store.seatOf(dealId, index);
        (uint64 miner, address sp) = index == 0 ? (M1, sp1) : (M2, sp2);
        uint256 act = seed % 10;
        vm.startPrank(act < 6 ? sp : act < 9 ? keeper : client);
        vm.deal(sp, 100 ether);
        facts.setSector(miner, 1000 + uint64(n), uint8(seed >> 24 & 1), type(uint64).max);
        uint64 sector = store.slotOf(id).sector;
        facts.setSector(miner, sector, act == 7 ? 0 : act == 8 ? 2 : 1, type(uint64).max);
        bytes memory call;
        if (act == 0) call = abi.encodeCall(store.claimDeal, (dealId, index, miner));
        if (act == 1) call = abi.encodeCall(store.releaseClaim, (id));
        if (act == 2) facts.activate(store, id, _piece(miner, 1000 + uint64(n)));
        if (act == 3 || act == 4) {
            uint64[] memory ids = new uint64[](1);
            bytes[] memory aux = new bytes[](1);
            (ids[0], aux[0]) = (id, AUX);
            call = abi.encodeCall(store.proveActive, (ids, aux));
        }
        if (act == 5) call = abi.encodeCall(store.terminateDeal, (id));
        if (act == 6) call = abi.encodeCall(store.expireClaim, (id));
        if (act == 7) call = abi.encodeCall(store.checkDeal, (id, 0, AUX));
        if (act == 8) call = abi.encodeCall(store.checkDeal, (id, 2, AUX));
        if (act == 9) call = abi.encodeCall(store.withdrawSurplus, (dealId, uint96(seed % 1 ether)));
        if (call.length != 0) {
            (bool ok,) = address(store).call{ value: act == 0 ? 9 ether : 0 }(call);
            ok; // what is refused leaves everything as it was
        }
        vm.stopPrank();
        if (seed >> 200 & 1 == 1) _serve(dealId);
    }

    function _toRenewal() private {
        uint256 at = store.slotOf(slotId).end - RENEW;
        vm.warp(block.timestamp + (at - block.number) * 30);
        vm.roll(at);
        _serve(dealId);
    }

    function _proveOther(uint64 id) private {
        facts.setSector(M2, 500, 1, type(uint64).max);
        _prove(id);
    }

    function _due(bytes memory call) private {
        (bool can, bytes memory payload) = store.checker(0, 10);
        assertTrue(can);
        assertEq(payload, call);
        (bool ok,) = address(store).call(payload);
        assertTrue(ok, "what is due goes through");
    }

    function _renewalRefused(uint8 index, bytes32 why) private {
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, why));
        store.openRenewal(dealId, index);
    }

    function _extensionRefused(bytes32 why) private {
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, why));
        store.renewByExtension{ value: 1 ether }(slotId, AUX);
    }
}
