// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { CidHash } from "../../../contracts/interfaces/IEstuaryPinning.sol";
import { Actions, PinPayload } from "../../../contracts/interfaces/IExecutionProvider.sol";
import { DealTerms, DealView, IPerpetualStorage } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { IProviderRegistry } from "../../../contracts/interfaces/IProviderRegistry.sol";
import { IFilecoinFacts } from "../../../contracts/interfaces/IStorageGate.sol";
import { StorageConfig } from "../../../contracts/storage/PerpetualStorage.sol";
import { StorageBase } from "./StorageBase.sol";
import { StorageFactory } from "./StorageFactory.sol";
import { Vm } from "forge-std/Vm.sol";

contract DealsTest is StorageBase {
    function test_Create_KeepsWhatWasGiven() public {
        DealTerms memory t = _terms();
        t.endpoint = "https://client.example/piece/";
        uint64 dealId = _dealWith(t, 7 ether);
        assertEq(dealId, 1);
        DealView memory v = store.dealOf(dealId);
        assertEq(v.client, client);
        assertEq(uint8(v.status), uint8(IPerpetualStorage.DealStatus.Open));
        assertEq(v.cid, HELLO_BYTES);
        assertEq(v.commP, COMMP);
        assertEq(v.paddedSize, GIB);
        assertEq(v.carSize, CAR_SIZE);
        assertEq(v.free, 7 ether);
        assertEq(abi.encode(v.terms), abi.encode(t));
    }

    function test_Create_ForAnotherBelongsToIt() public {
        vm.prank(stranger);
        uint64 dealId = store.createDealFor{ value: 1 ether }(client, HELLO_BYTES, PIECE, GIB, CAR_SIZE, _terms());
        assertEq(store.dealOf(dealId).client, client);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotClient.selector, stranger));
        store.cancel(dealId);
    }

    function test_Create_RevertWhen_ForNobody() public {
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotClient.selector, address(0)));
        store.createDealFor{ value: 1 ether }(address(0), HELLO_BYTES, PIECE, GIB, CAR_SIZE, _terms());
    }

    function test_Construct_RevertWhen_APartIsMissing() public {
        StorageFactory made = StorageFactory(vm.deployCode("StorageFactory.sol:StorageFactory"));
        bytes32[6] memory fields = [bytes32("gate"), "facts", "registry", "requestTerm", "callbackGas", "callbackGas"];
        for (uint256 i = 0; i < fields.length; ++i) {
            StorageConfig memory c = _storageConfig();
            if (i == 0) c.gate = address(0);
            if (i == 1) c.facts = IFilecoinFacts(address(0));
            if (i == 2) c.registry = IProviderRegistry(address(0));
            if (i == 3) c.requestTerm = uint40(provider.minDeadline()) - 1;
            if (i == 4) c.callbackGas = 0;
            if (i == 5) c.callbackGas = uint32(provider.maxCallbackGas()) + 1;
            vm.expectRevert(
                abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TermsOutOfRange.selector, fields[i])
            );
            made.make(provider, c);
        }
        StorageConfig memory least = _storageConfig();
        least.requestTerm = uint40(provider.minDeadline());
        least.callbackGas = uint32(provider.maxCallbackGas());
        assertEq(made.make(provider, least).callbackGas(), provider.maxCallbackGas());
    }

    function test_Create_HashesTheCidAsPinningDoes() public {
        (CidHash hash,) = pinning.cidHashOf(HELLO);
        vm.recordLogs();
        _dealWith(_terms(), 1);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs[0].topics[0], IPerpetualStorage.DealCreated.selector);
        assertEq(logs[0].topics[3], CidHash.unwrap(hash));
    }

    function test_Create_KeepsBothVersionsOfCids() public {
        bytes memory v0 = abi.encodePacked(hex"1220", keccak256("x"));
        vm.prank(client);
        uint64 dealId = store.createDeal(v0, PIECE, GIB, CAR_SIZE, _terms());
        assertEq(store.dealOf(dealId).cid, v0);
        bytes memory dagPb = abi.encodePacked(hex"01701220", keccak256("x"));
        dealId = store.createDeal(dagPb, PIECE, GIB, CAR_SIZE, _terms());
        assertEq(store.dealOf(dealId).cid, dagPb);
    }

    function test_Create_RevertWhen_CidOrPieceIsNotTaken() public {
        bytes memory blake = abi.encodePacked(hex"0171a0e40220", keccak256("x"));
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_UnsupportedCid.selector, blake));
        store.createDeal(blake, PIECE, GIB, CAR_SIZE, _terms());
        bytes memory zero = abi.encodePacked(hex"0181e203922020", bytes32(0));
        _refuses("pieceCid", zero, GIB, CAR_SIZE);
        _refuses("paddedSize", PIECE, GIB - 1, CAR_SIZE);
        _refuses("carSize", PIECE, GIB, 0);
        _refuses("carSize", PIECE, GIB, GIB / 128 * 127 + 1);
        // A version 2 piece CID says its size, which has to be the one given.
        bytes memory v2 = abi.encodePacked(hex"015591202200", uint8(25), COMMP);
        _refuses("pieceCid", v2, 2 * GIB, CAR_SIZE);
        store.createDeal(HELLO_BYTES, v2, GIB, CAR_SIZE, _terms());
    }

    function test_Create_RevertWhen_TermsAreOutOfRange() public {
        DealTerms memory t = _terms();
        t.replicas = 0;
        _refusesTerms("replicas", t);
        t.replicas = 17;
        _refusesTerms("replicas", t);
        t = _terms();
        t.term = 518_399;
        _refusesTerms("term", t);
        t.term = 3_680_641;
        _refusesTerms("term", t);
        t = _terms();
        t.sealWindow = 2879;
        _refusesTerms("sealWindow", t);
        t.sealWindow = 172_801;
        _refusesTerms("sealWindow", t);
        t = _terms();
        t.renewWindow = t.term;
        _refusesTerms("renewWindow", t);
        t = _terms();
        t.ramp = 3_680_641;
        _refusesTerms("ramp", t);
        t = _terms();
        t.baseBounty = t.maxBounty + 1;
        _refusesTerms("baseBounty", t);
        t = _terms();
        t.bondFloor = 0.1 ether - 1;
        _refusesTerms("bondFloor", t);
        t = _terms();
        t.maxBounty = type(uint80).max - t.bondFloor + 1;
        _refusesTerms("maxBounty", t);
        t = _terms();
        t.endpoint = string(new bytes(257));
        _refusesTerms("endpoint", t);
    }

    function test_Fund_AddsAndBelongsToTheDeal() public {
        uint64 dealId = _dealWith(_terms(), 1 ether);
        vm.expectEmit(address(store));
        emit IPerpetualStorage.DealFunded(dealId, stranger, store.nextSeq(), 2 ether);
        vm.prank(stranger);
        store.fund{ value: 2 ether }(dealId);
        assertEq(_free(dealId), 3 ether);
        vm.expectRevert(IPerpetualStorage.PerpetualStorage_ZeroAmount.selector);
        store.fund(dealId);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_WrongStatus.selector);
        store.fund{ value: 1 }(99);
    }

    function test_FundMany_TakesExactlyTheSum() public {
        uint64[] memory ids = new uint64[](2);
        (ids[0], ids[1]) = (_dealWith(_terms(), 0), _dealWith(_terms(), 0));
        uint96[] memory amounts = new uint96[](2);
        (amounts[0], amounts[1]) = (1 ether, 2 ether);
        store.fundMany{ value: 3 ether }(ids, amounts);
        assertEq(_free(ids[0]), 1 ether);
        assertEq(_free(ids[1]), 2 ether);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_AmountTooLarge.selector);
        store.fundMany{ value: 3 ether - 1 }(ids, amounts);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_AmountTooLarge.selector);
        store.fundMany{ value: 3 ether + 1 }(ids, amounts);
        vm.expectRevert(IPerpetualStorage.PerpetualStorage_LengthMismatch.selector);
        store.fundMany{ value: 3 ether }(ids, new uint96[](1));
    }

    function test_ChangeDataCap_RevertWhen_WhatFollowsIsClaimed() public {
        uint64 dealId = _deal();
        _active(dealId, 0, M1, sp1);
        _pass(TERM - RENEW);
        store.openRenewal(dealId, 0);
        _serve(dealId);
        uint64 next = _claim(dealId, 0, M1, sp1);
        vm.prank(client);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPerpetualStorage.PerpetualStorage_WrongState.selector, next, IPerpetualStorage.SlotState.Claimed
            )
        );
        store.changeDataCap(dealId, true);
    }

    function test_Change_TouchesOpenSlotsOnly() public {
        uint64 dealId = _deal();
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        uint96 reserved = store.slotOf(slotId).obligation;
        assertEq(reserved, BASE + uint96(RATE) * TERM);
        vm.startPrank(client);
        store.changeMaxPrice(dealId, 9 ether, 2 * RATE);
        store.changeBounty(dealId, 3 ether, 10);
        store.changeEndEpoch(dealId, 5_000_000);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPerpetualStorage.PerpetualStorage_WrongState.selector, slotId, IPerpetualStorage.SlotState.Claimed
            )
        );
        store.changeDataCap(dealId, true); // whoever claimed may be sealing without
        vm.stopPrank();
        _seal(slotId, M1, 7);
        vm.prank(client);
        store.changeDataCap(dealId, true);
        assertEq(store.slotOf(slotId).obligation, reserved);
        DealTerms memory t = store.dealOf(dealId).terms;
        assertEq(t.maxBounty, 9 ether);
        assertEq(t.rate, 2 * RATE);
        assertEq(t.baseBounty, 3 ether);
        assertEq(t.ramp, 10);
        assertEq(t.endEpoch, 5_000_000);
        assertTrue(t.verified);
        assertEq(store.quoteBounty(_slot(dealId, 1, 0)), 3 ether);
        _pass(10);
        assertEq(store.quoteBounty(_slot(dealId, 1, 0)), 9 ether);
    }

    function test_Change_RevertWhen_OutOfRangeOrNotClient() public {
        uint64 dealId = _deal();
        vm.startPrank(client);
        vm.expectRevert(
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TermsOutOfRange.selector, bytes32("baseBounty"))
        );
        store.changeBounty(dealId, MAX + 1, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TermsOutOfRange.selector, bytes32("ramp"))
        );
        store.changeBounty(dealId, MAX, 3_680_641);
        vm.expectRevert(
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TermsOutOfRange.selector, bytes32("maxBounty"))
        );
        store.changeMaxPrice(dealId, BASE - 1, RATE);
        vm.expectRevert(
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TermsOutOfRange.selector, bytes32("maxBounty"))
        );
        store.changeMaxPrice(dealId, type(uint80).max, RATE);
        vm.expectRevert(
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TermsOutOfRange.selector, bytes32("replicas"))
        );
        store.changeReplicas(dealId, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TermsOutOfRange.selector, bytes32("replicas"))
        );
        store.changeReplicas(dealId, 17);
        vm.stopPrank();
        bytes[] memory calls = new bytes[](9);
        calls[0] = abi.encodeCall(store.changeBounty, (dealId, 1, 1));
        calls[1] = abi.encodeCall(store.changeMaxPrice, (dealId, MAX, 1));
        calls[2] = abi.encodeCall(store.changeReplicas, (dealId, 2));
        calls[3] = abi.encodeCall(store.changeEndEpoch, (dealId, 1));
        calls[4] = abi.encodeCall(store.changeDataCap, (dealId, true));
        calls[5] = abi.encodeCall(store.suspend, (dealId));
        calls[6] = abi.encodeCall(store.resume, (dealId));
        calls[7] = abi.encodeCall(store.cancel, (dealId));
        calls[8] = abi.encodeCall(store.withdrawSurplus, (dealId, 1));
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(stranger);
            (bool ok, bytes memory err) = address(store).call(calls[i]);
            assertFalse(ok);
            assertEq(err, abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotClient.selector, stranger));
        }
        vm.prank(client);
        store.cancel(dealId);
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(client);
            (bool ok, bytes memory err) = address(store).call(calls[i]);
            assertFalse(ok);
            assertEq(bytes4(err), IPerpetualStorage.PerpetualStorage_WrongStatus.selector);
        }
    }

    function test_ChangeReplicas_NewSeatsBeginAtTheBase() public {
        uint64 dealId = _deal();
        _pass(RAMP / 2);
        _serve(dealId);
        _pass(RAMP / 2);
        assertEq(store.quoteBounty(_slot(dealId, 0, 0)), MAX);
        vm.prank(client);
        store.changeReplicas(dealId, 2);
        vm.prank(client);
        store.changeReplicas(dealId, 4);
        assertEq(store.quoteBounty(_slot(dealId, 1, 0)), MAX);
        assertEq(store.quoteBounty(_slot(dealId, 2, 0)), BASE, "a seat that comes back");
        assertEq(store.quoteBounty(_slot(dealId, 3, 0)), BASE, "a new seat");
    }

    function test_Suspend_StopsClaimsAndTheClock() public {
        uint64 dealId = _deal();
        _pass(RAMP / 2);
        uint96 before = store.quoteBounty(_slot(dealId, 0, 0));
        assertEq(before, BASE + (MAX - BASE) / 4, "half way, a quarter of the rise");
        vm.prank(client);
        store.suspend(dealId);
        _pass(RAMP / 4);
        assertEq(store.quoteBounty(_slot(dealId, 0, 0)), before);
        vm.prank(sp1);
        store.claimDeal{ value: 9 ether }(dealId, 0, M1);
        assertEq(store.creditOf(sp1), 9 ether, "credited back");
        vm.prank(client);
        store.resume(dealId);
        _serve(dealId);
        assertEq(store.quoteBounty(_slot(dealId, 0, 0)), before);
        _pass(1);
        assertGt(store.quoteBounty(_slot(dealId, 0, 0)), before);
        _claim(dealId, 0, M1, sp1);
    }

    function test_Clock_RunsOnlyWhileThePieceIsServed() public {
        uint64 dealId = _dealWith(_terms(), 100 ether);
        _pass(RAMP);
        assertEq(store.quoteBounty(_slot(dealId, 0, 0)), BASE, "nobody could claim");
        _serve(dealId);
        _pass(7 * DAY);
        uint96 last = store.quoteBounty(_slot(dealId, 0, 0));
        assertGt(last, BASE);
        _pass(30 * DAY);
        assertEq(store.quoteBounty(_slot(dealId, 0, 0)), last);
        _serve(dealId);
        assertEq(store.quoteBounty(_slot(dealId, 0, 0)), last);
        assertEq(store.dealOf(dealId).clock, 7 * DAY);
    }

    /// @dev What was on offer until then counts: a claim that is given back afterwards goes by it.
    function test_Cancel_TheClockStandsStill() public {
        uint64 dealId = _deal();
        _pass(DAY);
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        vm.prank(client);
        store.cancel(dealId);
        assertEq(store.dealOf(dealId).clock, DAY);
        _pass(DAY);
        assertEq(store.dealOf(dealId).clock, DAY);
        vm.prank(sp1);
        store.releaseClaim(slotId);
        assertEq(store.creditOf(client), 100 ether);
    }

    function test_Cancel_RefundsWhatIsNotReserved() public {
        uint64 dealId = _deal();
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        uint96 obligation = store.slotOf(slotId).obligation;
        vm.prank(client);
        store.cancel(dealId);
        assertEq(store.creditOf(client), 100 ether - obligation);
        assertEq(_free(dealId), 0);
        // Cancelled right after the provider committed: it seals and is paid all the same.
        _seal(slotId, M1, 100);
        _pass(DAY);
        _prove(slotId);
        assertEq(store.slotOf(slotId).earned, uint256(obligation) * DAY / TERM);
        // What it does not earn goes to the client's credit, not to the deal.
        vm.prank(sp1);
        store.terminateDeal(slotId);
        assertEq(store.creditOf(client), 100 ether - store.slotOf(slotId).earned);
        vm.prank(sp2);
        store.claimDeal{ value: 9 ether }(dealId, 255, M2);
        assertEq(store.creditOf(sp2), 9 ether);
    }

    function test_WithdrawSurplus_GivesWhatIsFree() public {
        uint64 dealId = _dealWith(_terms(), 5 ether);
        vm.startPrank(client);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_AmountTooLarge.selector);
        store.withdrawSurplus(dealId, 5 ether + 1);
        vm.expectRevert(IPerpetualStorage.PerpetualStorage_ZeroAmount.selector);
        store.withdrawSurplus(dealId, 0);
        store.withdrawSurplus(dealId, 2 ether);
        uint256 before = client.balance;
        assertEq(store.withdrawEarned(client), 2 ether);
        assertEq(client.balance, before + 2 ether);
        assertEq(_free(dealId), 3 ether);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NothingToWithdraw.selector, client));
        store.withdrawEarned(client);
    }

    function test_Pause_StopsIntakeOnly() public {
        uint64 dealId = _deal();
        uint64 slotId = _active(dealId, 0, M1, sp1);
        vm.expectRevert();
        vm.prank(stranger);
        store.setIntakePaused(true);
        vm.prank(owner);
        store.setIntakePaused(true);
        vm.expectRevert(IPerpetualStorage.PerpetualStorage_IntakePaused.selector);
        store.createDeal(HELLO_BYTES, PIECE, GIB, CAR_SIZE, _terms());
        vm.expectRevert(IPerpetualStorage.PerpetualStorage_IntakePaused.selector);
        vm.prank(sp2);
        store.claimDeal{ value: 9 ether }(dealId, 1, M2);
        _pass(DAY);
        _prove(slotId);
        vm.prank(sp1);
        store.terminateDeal(slotId);
        vm.prank(client);
        store.cancel(dealId);
        vm.prank(client);
        store.withdrawEarned(client);
    }

    // ---------------------------------------------------------------- prepare

    function test_Prepare_BindsThePiece() public {
        (uint64 dealId, Ask memory ask) = _prepare();
        assertEq(uint8(store.dealOf(dealId).status), uint8(IPerpetualStorage.DealStatus.Preparing));
        assertEq(_free(dealId), 10 ether);
        assertEq(ask.terms.consumer, address(store));
        assertEq(ask.terms.action, Actions.PREPARE);
        PinPayload memory asked = abi.decode(ask.payload, (PinPayload));
        assertEq(asked.cid, HELLO_BYTES);
        assertEq(asked.requester, client);
        assertEq(asked.maxBytes, 1 << 30);
        assertEq(_fulfill(_success(ask, abi.encode(PIECE, GIB, CAR_SIZE))), 1);
        DealView memory v = store.dealOf(dealId);
        assertEq(uint8(v.status), uint8(IPerpetualStorage.DealStatus.Open));
        assertEq(v.commP, COMMP);
        assertEq(v.carSize, CAR_SIZE);
        assertEq(v.free, 10 ether);
    }

    function test_Prepare_FailureCancelsAndRefunds() public {
        (uint64 dealId, Ask memory ask) = _prepare();
        assertEq(_fulfill(_failure(ask, 1)), 1);
        assertEq(uint8(store.dealOf(dealId).status), uint8(IPerpetualStorage.DealStatus.Cancelled));
        assertEq(store.creditOf(client), 10 ether);
    }

    function test_Prepare_AnAnswerAfterTheCancellationOpensNothing() public {
        (uint64 dealId, Ask memory ask) = _prepare();
        vm.prank(client);
        store.cancel(dealId);
        assertEq(store.creditOf(client), 10 ether);
        assertEq(_fulfill(_success(ask, abi.encode(PIECE, GIB, CAR_SIZE))), 1);
        assertEq(uint8(store.dealOf(dealId).status), uint8(IPerpetualStorage.DealStatus.Cancelled));
        assertEq(_free(dealId), 0);
        assertEq(store.creditOf(client), 10 ether, "once");
    }

    function test_Prepare_LateIsSettledByAnyone() public {
        (uint64 dealId, Ask memory ask) = _prepare();
        vm.expectPartialRevert(bytes4(keccak256("EstuaryProvider_NotRefundable(bytes32,uint40)")));
        store.settlePrepare(ask.terms, ask.context);
        vm.warp(ask.terms.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, bytes32("context")));
        store.settlePrepare(ask.terms, "");
        vm.prank(stranger);
        store.settlePrepare(ask.terms, ask.context);
        assertEq(uint8(store.dealOf(dealId).status), uint8(IPerpetualStorage.DealStatus.Cancelled));
        assertEq(store.creditOf(client), 10 ether);
        assertEq(provider.creditOf(client), ask.terms.fee);
    }

    function test_Prepare_CallbackFitsThePromisedGas() public {
        (, Ask memory ask) = _prepare();
        vm.prank(address(provider));
        uint256 before = gasleft();
        store.onOracleResult(ask.id, ask.context, 1, 0, abi.encode(PIECE, GIB, CAR_SIZE));
        assertLt(before - gasleft(), 300_000);
    }

    function test_Served_RevertWhen_NotOpen() public {
        (uint64 dealId,) = _prepare();
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_WrongStatus.selector);
        store.requestServed{ value: 1 ether }(dealId);
    }

    function test_Served_FailureChangesNothing() public {
        uint64 dealId = _dealWith(_terms(), 100 ether);
        vm.recordLogs();
        store.requestServed{ value: store.quoteServed(dealId) }(dealId);
        Ask memory ask = _lastAsk();
        (bytes memory piece,, string memory endpoint) = _servedPayload(ask.payload);
        assertEq(piece, PIECE);
        assertEq(endpoint, "https://gate.example/piece/");
        assertEq(_fulfill(_failure(ask, 1)), 1);
        assertEq(store.dealOf(dealId).servedUntil, 0);
    }

    function test_Callback_RevertWhen_NotFromTheProvider() public {
        vm.expectRevert();
        vm.prank(stranger);
        store.onOracleResult(0, abi.encode(uint16(4), uint64(1)), 1, 0, "");
    }

    // ----------------------------------------------------------------- inside

    function _servedPayload(bytes memory payload) private pure returns (bytes memory, address, string memory) {
        // One struct: its offset first.
        bytes memory body = new bytes(payload.length - 32);
        for (uint256 i = 0; i < body.length; ++i) {
            body[i] = payload[i + 32];
        }
        return abi.decode(body, (bytes, address, string));
    }

    function _prepare() private returns (uint64 dealId, Ask memory ask) {
        uint96 fee = store.quotePrepare(1 << 30);
        vm.recordLogs();
        vm.prank(client);
        (dealId,) = store.prepareDeal{ value: fee + 10 ether }(HELLO_BYTES, 1 << 30, fee, _terms());
        ask = _lastAsk();
    }

    function _refuses(bytes32 field, bytes memory piece, uint64 size, uint64 carSize) private {
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TermsOutOfRange.selector, field));
        store.createDeal(HELLO_BYTES, piece, size, carSize, _terms());
    }

    function _refusesTerms(bytes32 field, DealTerms memory t) private {
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TermsOutOfRange.selector, field));
        store.createDeal(HELLO_BYTES, PIECE, GIB, CAR_SIZE, t);
    }
}
