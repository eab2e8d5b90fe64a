// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IExecutionProvider, Report } from "../../../contracts/interfaces/IExecutionProvider.sol";
import { Base } from "../Base.t.sol";
import { Consumer, Greedy, Miser } from "../mocks/Consumers.sol";

contract EscrowTest is Base {
    // ----------------------------------------------------------------- cancel

    function test_Cancel_RevertWhen_CallerIsNotTheConsumer() public {
        Ask memory ask = _askDirect(alice, 0, "");
        vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_NotConsumer.selector, bob));
        vm.prank(bob);
        provider.cancel(ask.terms);
    }

    function test_Cancel_RevertWhen_NotOpen() public {
        Ask memory ask = _askDirect(alice, 0, "");
        _fulfill(_success(ask, ""));
        _expectNotOpen(ask.id);
        vm.prank(alice);
        provider.cancel(ask.terms);

        ask = _askDirect(alice, 0, "");
        vm.prank(alice);
        provider.cancel(ask.terms);
        _expectNotOpen(ask.id);
        vm.prank(alice);
        provider.cancel(ask.terms);

        ask.terms.fee = 0;
        _expectNotOpen(provider.idOf(ask.terms));
        vm.prank(alice);
        provider.cancel(ask.terms);
    }

    function test_Cancel_TakesEffectAfterTheDelay() public {
        Ask memory ask = _askDirect(alice, 0, "");
        uint64 seq = provider.nextSeq();
        vm.expectEmit(address(provider));
        emit IExecutionProvider.CancelRequested(ask.id, seq, uint40(block.timestamp) + 1 hours);
        vm.prank(alice);
        provider.cancel(ask.terms);
        _stateIs(ask.id, IExecutionProvider.RequestState.Cancelling);
    }

    // ----------------------------------------------------------------- refund

    function test_Refund_RevertWhen_NotOpen() public {
        Ask memory ask = _askDirect(alice, 0, "");
        _fulfill(_success(ask, ""));
        skip(2 days);
        _expectNotOpen(ask.id);
        provider.refund(ask.terms);
        ask.terms.fee += 1;
        _expectNotOpen(provider.idOf(ask.terms));
        provider.refund(ask.terms);
    }

    function test_Refund_RevertWhen_TooEarly() public {
        Ask memory ask = _askDirect(alice, 0, "");
        skip(1 days);
        _expectNotRefundable(ask.id, ask.terms.deadline + 1);
        provider.refund(ask.terms);

        ask = _askDirect(alice, 0, "");
        vm.prank(alice);
        provider.cancel(ask.terms);
        _expectNotRefundable(ask.id, uint40(block.timestamp) + 1 hours);
        provider.refund(ask.terms);
    }

    function test_Refund_AfterTheDeadlineByAnyoneOnce() public {
        Ask memory ask = _askDirect(alice, 0, "");
        skip(1 days + 1);
        uint64 seq = provider.nextSeq();
        vm.expectEmit(address(provider));
        emit IExecutionProvider.OracleRefunded(ask.id, seq, alice, ask.terms.fee, false);
        vm.prank(bob);
        assertEq(provider.refund(ask.terms), ask.terms.fee);
        assertEq(provider.creditOf(alice), ask.terms.fee);
        _stateIs(ask.id, IExecutionProvider.RequestState.Refunded);
        _expectNotOpen(ask.id);
        provider.refund(ask.terms);
    }

    function test_Refund_AfterACancellation() public {
        Ask memory ask = _askDirect(alice, 0, "");
        vm.prank(alice);
        provider.cancel(ask.terms);
        skip(1 hours);
        uint64 seq = provider.nextSeq();
        vm.expectEmit(address(provider));
        emit IExecutionProvider.OracleRefunded(ask.id, seq, alice, ask.terms.fee, true);
        provider.refund(ask.terms);
        assertEq(provider.creditOf(alice), ask.terms.fee);
    }

    function test_Refund_AtTheDeadlineWhenItComesBeforeTheCancellation() public {
        Ask memory ask = _askDirect(alice, 0, "");
        skip(1 days - 10);
        vm.prank(alice);
        provider.cancel(ask.terms);
        skip(11);
        uint64 seq = provider.nextSeq();
        vm.expectEmit(address(provider));
        emit IExecutionProvider.OracleRefunded(ask.id, seq, alice, ask.terms.fee, false);
        provider.refund(ask.terms);
    }

    function test_Refund_AtTheDeadlineWhenTheCancellationComesWithIt() public {
        Ask memory ask = _askDirect(alice, 0, "");
        skip(1 days + 1 - 1 hours);
        vm.prank(alice);
        provider.cancel(ask.terms);
        skip(1 hours);
        uint64 seq = provider.nextSeq();
        vm.expectEmit(address(provider));
        emit IExecutionProvider.OracleRefunded(ask.id, seq, alice, ask.terms.fee, false);
        provider.refund(ask.terms);
    }

    // --------------------------------------------------------------- withdraw

    function test_Withdraw_RevertWhen_NoCredit() public {
        vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_NothingToWithdraw.selector, bob));
        vm.prank(bob);
        provider.withdraw(payable(bob));
    }

    function test_Withdraw_RevertWhen_ReceiverRefuses() public {
        Miser miser = new Miser();
        uint96 credit = _credit(address(miser));
        vm.expectRevert(
            abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_TransferFailed.selector, address(miser))
        );
        miser.withdrawFrom(provider);
        assertEq(provider.creditOf(address(miser)), credit);
    }

    function test_Withdraw_RevertWhen_ReceiverIsZero() public {
        _credit(alice);
        vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_TransferFailed.selector, address(0)));
        vm.prank(alice);
        provider.withdraw(payable(0));
    }

    function test_Withdraw_PaysTheGreedyOnce() public {
        Greedy greedy = new Greedy(provider);
        uint96 credit = _credit(address(greedy));
        _credit(alice); // something more to steal
        greedy.take();
        assertEq(address(greedy).balance, credit);
        assertGt(greedy.err().length, 0);
    }

    function test_Withdraw_PaysTheCallersCreditToTheReceiver() public {
        uint96 credit = _credit(alice);
        address cold = makeAddr("cold wallet");
        uint64 seq = provider.nextSeq();
        vm.expectEmit(address(provider));
        emit IExecutionProvider.Withdrawn(alice, seq, cold, credit);
        vm.prank(alice);
        assertEq(provider.withdraw(payable(cold)), credit);
        assertEq(cold.balance, credit);
        assertEq(provider.creditOf(alice), 0);
    }

    // ------------------------------------------------------------------ pause

    function test_Paused_EverythingButIntakeGoesOn() public {
        Consumer consumer = new Consumer(provider);
        consumer.setMood(Consumer.Mood.Revert);
        Ask memory answered = _askDirect(address(consumer), 200_000, "");
        Ask memory cancelled = _askDirect(alice, 0, "");
        Ask memory late = _askDirect(alice, 0, "");
        vm.prank(owner);
        provider.setIntakePaused(true);

        assertEq(_fulfill(_success(answered, "")), 1);
        consumer.setMood(Consumer.Mood.Record);
        provider.retryCallback(_success(answered, ""));
        vm.prank(alice);
        provider.cancel(cancelled.terms);
        skip(1 days + 1);
        provider.refund(cancelled.terms);
        provider.refund(late.terms);
        vm.prank(alice);
        assertEq(provider.withdraw(payable(alice)), cancelled.terms.fee + late.terms.fee);
        vm.prank(vm.addr(keys[0]));
        provider.withdraw(payable(bob));

        vm.prank(owner);
        provider.setIntakePaused(false);
        _askDirect(alice, 0, "");
    }

    function test_Receive_RevertWhen_PlainTransfer() public {
        (bool ok,) = address(provider).call{ value: 1 }("");
        assertFalse(ok);
    }

    // ----------------------------------------------------------------- helpers

    function _credit(address account) private returns (uint96) {
        Ask memory ask = _askDirect(account, 0, "");
        skip(1 days + 1);
        return provider.refund(ask.terms);
    }

    function _expectNotOpen(bytes32 id) private {
        vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_NotOpen.selector, id));
    }

    function _expectNotRefundable(bytes32 id, uint40 from) private {
        vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_NotRefundable.selector, id, from));
    }
}
