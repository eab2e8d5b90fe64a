// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    IExecutionProvider,
    PinPayload,
    Reasons,
    RequestOptions
} from "../../../contracts/interfaces/IExecutionProvider.sol";
import { Oracle } from "../../../contracts/oracle/Oracle.sol";
import { PinnedNote } from "../../../contracts/samples/PinnedNote.sol";
import { RevertingNote } from "../../../contracts/samples/RevertingNote.sol";
import { Base } from "../Base.t.sol";
import { Consumer } from "../mocks/Consumers.sol";

contract SamplesTest is Base {
    PinnedNote internal note;
    RevertingNote internal stubborn;

    function setUp() public override {
        super.setUp();
        note = new PinnedNote(provider, 100_000);
        stubborn = new RevertingNote(provider, 100_000);
    }

    // ----------------------------------------------------------------- Oracle

    function test_Oracle_RevertWhen_NoProvider() public {
        vm.expectRevert(Oracle.Oracle_ZeroProvider.selector);
        new PinnedNote(IExecutionProvider(address(0)), 100_000);
    }

    function test_Oracle_RevertWhen_CalledBackByAnother() public {
        vm.expectRevert(abi.encodeWithSelector(Oracle.Oracle_NotProvider.selector, address(this)));
        note.onOracleResult(0, abi.encode(0), 1, 0, "");
    }

    function test_Oracle_AsksAtTheQuoteOutOfItsBalance() public {
        Consumer consumer = new Consumer(provider);
        vm.deal(address(consumer), 1 ether);
        (uint96 fee,) = provider.quote(2, 0, 0, 50_000);
        (bytes32 id, uint96 paid) = consumer.askQuoted("ctx", _options(50_000, address(consumer)));
        assertEq(paid, fee);
        assertEq(address(consumer).balance, 1 ether - fee);
        _stateIs(id, IExecutionProvider.RequestState.Open);
    }

    function test_Oracle_PassesCancelRefundAndWithdrawOn() public {
        Consumer consumer = new Consumer(provider);
        RequestOptions memory options = _options(0, address(consumer));
        vm.recordLogs();
        consumer.ask{ value: 0.01 ether }("ctx", options);
        Ask memory ask = _lastAsk();
        consumer.cancel(ask.terms);
        skip(1 hours);
        assertEq(consumer.refund(ask.terms), 0.01 ether);
        assertEq(consumer.withdrawCredit(payable(bob)), 0.01 ether);
        assertEq(bob.balance, 1000 ether + 0.01 ether);
    }

    // ------------------------------------------------------------- PinnedNote

    function test_PinnedNote_PublishAsks() public {
        Ask memory ask = _publish(note);
        PinPayload memory pin = abi.decode(ask.payload, (PinPayload));
        assertEq(pin.cid, HELLO_BYTES);
        assertEq(pin.requester, alice);
        assertEq(ask.context, abi.encode(uint256(0)));
        assertEq(ask.terms.refundTo, alice);
        assertEq(note.count(), 1);
        assertEq(note.noteOf(0).author, alice);
        assertEq(uint8(note.noteOf(0).state), uint8(PinnedNote.State.Waiting));
    }

    function test_PinnedNote_StoresTheAnswer() public {
        Ask memory first = _publish(note);
        Ask memory second = _publish(note);
        _fulfill(_pinned(second));
        _fulfill(_failure(first, Reasons.INVALID_CONTENT));
        PinnedNote.Note memory n = note.noteOf(1);
        assertEq(uint8(n.state), uint8(PinnedNote.State.Pinned));
        assertEq(n.blocks, 26);
        assertEq(n.size, 6_400_000);
        n = note.noteOf(0);
        assertEq(uint8(n.state), uint8(PinnedNote.State.Failed));
        assertEq(n.reason, Reasons.INVALID_CONTENT);
    }

    function test_PinnedNote_OnlyTheAuthorWithdrawsItsRequest() public {
        Ask memory ask = _publish(note);
        vm.expectRevert(abi.encodeWithSelector(PinnedNote.PinnedNote_NotAuthor.selector, bob));
        vm.prank(bob);
        note.withdrawRequest(ask.terms);
        vm.prank(alice);
        note.withdrawRequest(ask.terms);
        skip(1 hours);
        provider.refund(ask.terms);
        assertEq(provider.creditOf(alice), ask.terms.fee);
    }

    // ---------------------------------------------------------- RevertingNote

    function test_RevertingNote_LosesNothing() public {
        Ask memory ask = _publish(stubborn);
        _fulfill(_pinned(ask));
        _stateIs(ask.id, IExecutionProvider.RequestState.CallbackFailed);
        assertEq(provider.creditOf(vm.addr(keys[0])), ask.terms.fee, "the work was done");
        bytes memory said = abi.encodeWithSelector(RevertingNote.RevertingNote_NotAccepting.selector);
        vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_CallbackReverted.selector, said));
        provider.retryCallback(_pinned(ask));
        stubborn.setAccepting(true);
        vm.prank(bob);
        provider.retryCallback(_pinned(ask));
        assertEq(uint8(stubborn.noteOf(0).state), uint8(PinnedNote.State.Pinned));
        _stateIs(ask.id, IExecutionProvider.RequestState.Answered);
    }

    function test_RevertingNote_RevertWhen_NotOwner() public {
        vm.expectRevert(abi.encodeWithSelector(RevertingNote.RevertingNote_NotOwner.selector, alice));
        vm.prank(alice);
        stubborn.setAccepting(true);
    }

    function _publish(PinnedNote to) private returns (Ask memory) {
        uint96 fee = to.quote();
        vm.recordLogs();
        vm.prank(alice);
        to.publish{ value: fee }(HELLO_BYTES);
        return _lastAsk();
    }
}
