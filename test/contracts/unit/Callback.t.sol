// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    IExecutionProvider,
    Outcomes,
    Reasons,
    Report,
    Terms
} from "../../../contracts/interfaces/IExecutionProvider.sol";
import { Oracle } from "../../../contracts/oracle/Oracle.sol";
import { Base } from "../Base.t.sol";
import { Pen } from "../Pen.sol";
import { Consumer } from "../mocks/Consumers.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { Vm } from "forge-std/Vm.sol";

contract CallbackTest is Base {
    uint32 internal constant PROMISED = 300_000;
    Consumer internal consumer;

    function setUp() public override {
        super.setUp();
        consumer = new Consumer(provider);
    }

    // ---------------------------------------------------------------- fulfill

    function test_Fulfill_NoCallbackWithoutPromisedGas() public {
        Ask memory ask = _askDirect(address(consumer), 0, "ctx");
        _fulfill(_success(ask, "r"));
        assertEq(consumer.calls(), 0);
        _stateIs(ask.id, IExecutionProvider.RequestState.Answered);
    }

    function testFuzz_Fulfill_GivesTheConsumerTheAnswer(bytes memory context, bytes memory result) public {
        vm.assume(context.length <= 1024 && result.length <= 1024);
        Ask memory ask = _askDirect(address(consumer), 2_000_000, context);
        _fulfill(_success(ask, result));
        assertEq(consumer.lastId(), ask.id);
        assertEq(consumer.lastContext(), context);
        assertEq(consumer.lastResult(), result);
        assertEq(consumer.lastOutcome(), Outcomes.SUCCEEDED);
    }

    function test_Fulfill_GivesTheConsumerTheReasonOfAFailure() public {
        Ask memory ask = _ask();
        _fulfill(_failure(ask, Reasons.INVALID_CONTENT));
        assertEq(consumer.lastOutcome(), Outcomes.FAILED);
        assertEq(consumer.lastReason(), Reasons.INVALID_CONTENT);
        assertEq(consumer.lastResult(), "");
    }

    function test_Fulfill_ConsumerHasExactlyThePromisedGas() public {
        _fulfill(_success(_ask(), ""));
        assertLe(consumer.gasSeen(), PROMISED);
        assertGt(consumer.gasSeen(), PROMISED - 2000, "dispatch alone is missing");
    }

    function test_Fulfill_KeepsTheAnswerWhenTheCallbackReverts() public {
        consumer.setMood(Consumer.Mood.Revert);
        Ask memory ask = _ask();
        vm.recordLogs();
        assertEq(_fulfill(_success(ask, "r")), 1);
        _stateIs(ask.id, IExecutionProvider.RequestState.CallbackFailed);
        assertEq(_returned(), abi.encodeWithSelector(Consumer.Consumer_Refuses.selector, 42));
        assertEq(provider.creditOf(vm.addr(keys[0])) + provider.creditOf(sender), ask.terms.fee);
    }

    function test_Fulfill_ABadCallbackLeavesTheBatchAlone() public {
        Consumer.Mood[4] memory moods =
            [Consumer.Mood.Revert, Consumer.Mood.BurnAll, Consumer.Mood.Bomb, Consumer.Mood.BombSuccess];
        for (uint256 i = 0; i < moods.length; ++i) {
            Consumer good = new Consumer(provider);
            Consumer bad = new Consumer(provider);
            bad.setMood(moods[i]);
            Report[] memory reports = new Report[](3);
            reports[0] = _success(_askDirect(address(good), PROMISED, "1"), "r");
            reports[1] = _success(_askDirect(address(bad), PROMISED, "2"), "r");
            reports[2] = _success(_askDirect(address(good), PROMISED, "3"), "r");
            assertEq(_fulfill(reports), 3);
            assertEq(good.calls(), 2);
            assertEq(good.lastContext(), "3");
        }
    }

    function test_Fulfill_CopiesAtMost256BytesOfABomb() public {
        consumer.setMood(Consumer.Mood.Bomb);
        Ask memory ask = _askDirect(address(consumer), 2_000_000, "");
        vm.recordLogs();
        uint256 before = gasleft();
        _fulfill(_success(ask, ""));
        assertLt(before - gasleft(), 2_000_000 + 400_000);
        assertEq(_returned().length, 0, "it could not even pay for its megabyte");
        consumer = new Consumer(provider);
        vm.mockCallRevert(address(consumer), abi.encodePacked(Oracle.onOracleResult.selector), new bytes(1000));
        ask = _ask();
        vm.recordLogs();
        _fulfill(_success(ask, ""));
        assertEq(_returned(), new bytes(256));
    }

    function test_Fulfill_KeepsTheAnswerForAConsumerWithoutCode() public {
        Ask memory ask = _askDirect(alice, PROMISED, "ctx");
        vm.recordLogs();
        assertEq(_fulfill(_success(ask, "r")), 1);
        assertEq(_returned().length, 0);
        _stateIs(ask.id, IExecutionProvider.RequestState.CallbackFailed);
        vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_CallbackReverted.selector, ""));
        provider.retryCallback(_success(ask, "r"));
        vm.etch(alice, address(consumer).code);
        provider.retryCallback(_success(ask, "r"));
        assertEq(Consumer(payable(alice)).lastContext(), "ctx");
    }

    function testFuzz_Fulfill_TooLittleGasNeverMarksACallbackFailed(uint256 gasGiven) public {
        Report[] memory reports = _one(_success(_ask(), "r"));
        bytes32 digest = provider.configDigest();
        bytes[] memory signatures = Pen.sign(address(provider), digest, reports, _keys(0, 1));
        gasGiven = bound(gasGiven, 25_000, 500_000);
        vm.prank(sender);
        try provider.fulfill{ gas: gasGiven }(digest, reports, signatures) returns (uint256 applied) {
            assertEq(applied, 1);
            assertEq(consumer.calls(), 1);
            assertGt(consumer.gasSeen(), PROMISED - 2000);
        } catch {
            _stateIs(provider.idOf(reports[0].terms), IExecutionProvider.RequestState.Open);
        }
    }

    function test_Fulfill_RevertWhen_TooLittleGasForTheCallback() public {
        Report[] memory reports = _one(_success(_ask(), "r"));
        bytes32 digest = provider.configDigest();
        bytes[] memory signatures = Pen.sign(address(provider), digest, reports, _keys(0, 1));
        vm.expectPartialRevert(IExecutionProvider.EstuaryProvider_GasTooLow.selector);
        provider.fulfill{ gas: PROMISED + 20_000 }(digest, reports, signatures);
    }

    function test_Fulfill_CallbackCanChangeNothingHere() public {
        Ask memory other = _askDirect(alice, 0, "");
        Report[] memory reports = _one(_success(other, ""));
        bytes32 digest = provider.configDigest();
        bytes[] memory signatures = Pen.sign(address(provider), digest, reports, _keys(0, 1));
        bytes[] memory entries = new bytes[](8);
        entries[0] = abi.encodeCall(provider.fulfill, (digest, reports, signatures));
        entries[1] = abi.encodeCall(provider.request, (2, 0, 0, "", "", _options(0, alice)));
        entries[2] = abi.encodeCall(provider.cancel, (other.terms));
        entries[3] = abi.encodeCall(provider.refund, (other.terms));
        entries[4] = abi.encodeCall(provider.retryCallback, (reports[0]));
        entries[5] = abi.encodeCall(provider.withdraw, (payable(alice)));
        entries[6] = abi.encodeCall(provider.activateOperators, ());
        entries[7] = abi.encodeCall(provider.setGasPriceCap, (1));
        vm.prank(owner);
        provider.transferOwnership(address(consumer));
        vm.prank(address(consumer));
        provider.acceptOwnership();
        for (uint256 i = 0; i < entries.length; ++i) {
            consumer.setReentry(address(provider), entries[i]);
            _fulfill(_success(_askDirect(address(consumer), 2_000_000, ""), ""));
            bytes memory err = consumer.reentryError();
            assertEq(bytes4(err), ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector, vm.toString(i));
        }
        assertEq(consumer.calls(), entries.length);
    }

    // ------------------------------------------------------------------ retry

    function test_Retry_RevertWhen_NothingKept() public {
        Report memory report = _success(_ask(), "r");
        bytes memory err = abi.encodeWithSelector(
            IExecutionProvider.EstuaryProvider_NoKeptCallback.selector, provider.idOf(report.terms)
        );
        vm.expectRevert(err);
        provider.retryCallback(report);
        _fulfill(report);
        vm.expectRevert(err);
        provider.retryCallback(report);
    }

    function test_Retry_RevertWhen_AnswerDiffersFromTheKeptOne() public {
        (, Report memory report) = _kept();
        consumer.setMood(Consumer.Mood.Record);
        Report memory other = _copy(report);
        other.outcome = Outcomes.FAILED;
        _expectNoneKept(other);
        other = _copy(report);
        other.reason = 1;
        _expectNoneKept(other);
        other = _copy(report);
        other.result = "R";
        _expectNoneKept(other);
        other = _copy(report);
        other.context = "CTX";
        _expectNoneKept(other);
        other = _copy(report);
        other.terms.callbackGas = 0;
        _expectNoneKept(other);
        provider.retryCallback(report);
    }

    function test_Retry_RevertWhen_ConsumerStillReverts() public {
        (bytes32 id, Report memory report) = _kept();
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutionProvider.EstuaryProvider_CallbackReverted.selector,
                abi.encodeWithSelector(Consumer.Consumer_Refuses.selector, 42)
            )
        );
        provider.retryCallback(report);
        _stateIs(id, IExecutionProvider.RequestState.CallbackFailed);
    }

    function test_Retry_RevertWhen_LessGasThanPromised() public {
        (bytes32 id, Report memory report) = _kept();
        consumer.setMood(Consumer.Mood.Record);
        vm.expectPartialRevert(IExecutionProvider.EstuaryProvider_GasTooLow.selector);
        provider.retryCallback{ gas: PROMISED }(report);
        _stateIs(id, IExecutionProvider.RequestState.CallbackFailed);
    }

    function test_Retry_MayGiveMoreGasThanWasPromised() public {
        Ask memory ask = _askDirect(address(consumer), 10_000, "ctx");
        _fulfill(_success(ask, "r"));
        _stateIs(ask.id, IExecutionProvider.RequestState.CallbackFailed);
        provider.retryCallback(_success(ask, "r"));
        assertEq(consumer.calls(), 1);
        assertGt(consumer.gasSeen(), 1_000_000);
    }

    function test_Retry_GoesThroughOnceOnly() public {
        (bytes32 id, Report memory report) = _kept();
        consumer.setMood(Consumer.Mood.Record);
        uint64 seq = provider.nextSeq();
        vm.expectEmit(address(provider));
        emit IExecutionProvider.CallbackRetried(id, seq);
        vm.prank(makeAddr("anyone"));
        provider.retryCallback(report);
        assertEq(consumer.calls(), 1);
        _stateIs(id, IExecutionProvider.RequestState.Answered);
        _expectNoneKept(report);
        _fulfill(report);
        assertEq(consumer.calls(), 1);
    }

    // ----------------------------------------------------------------- helpers

    function _ask() private returns (Ask memory) {
        return _askDirect(address(consumer), PROMISED, "ctx");
    }

    function _kept() private returns (bytes32 id, Report memory report) {
        consumer.setMood(Consumer.Mood.Revert);
        report = _success(_ask(), "r");
        id = provider.idOf(report.terms);
        _fulfill(report);
    }

    function _copy(Report memory report) private pure returns (Report memory) {
        return abi.decode(abi.encode(report), (Report));
    }

    function _expectNoneKept(Report memory report) private {
        vm.expectPartialRevert(IExecutionProvider.EstuaryProvider_NoKeptCallback.selector);
        provider.retryCallback(report);
    }

    /// @dev What the only CallbackFailed among the recorded logs says came back.
    function _returned() private returns (bytes memory) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IExecutionProvider.CallbackFailed.selector) continue;
            (, bytes memory returned) = abi.decode(logs[i].data, (uint64, bytes));
            return returned;
        }
        revert("no CallbackFailed");
    }
}
