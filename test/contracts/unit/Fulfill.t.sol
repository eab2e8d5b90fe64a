// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Price } from "../../../contracts/interfaces/IEstuaryProvider.sol";
import {
    Actions,
    IExecutionProvider,
    Outcomes,
    Reasons,
    Report
} from "../../../contracts/interfaces/IExecutionProvider.sol";
import { IOperatorSet } from "../../../contracts/interfaces/IOperatorSet.sol";
import { EstuaryProvider } from "../../../contracts/oracle/EstuaryProvider.sol";
import { Base } from "../Base.t.sol";
import { Pen } from "../Pen.sol";
import { Vm } from "forge-std/Vm.sol";

contract FulfillTest is Base {
    uint256 internal constant N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    // ---------------------------------------------------------- authorisation

    function test_Fulfill_RevertWhen_BatchEmpty() public {
        bytes32 digest = provider.configDigest();
        vm.expectRevert(IExecutionProvider.EstuaryProvider_EmptyBatch.selector);
        provider.fulfill(digest, new Report[](0), new bytes[](0));
    }

    function test_Fulfill_RevertWhen_ConfigUnknown() public {
        Report[] memory reports = _reports(1);
        bytes32 digest = keccak256("another configuration");
        bytes[] memory signatures = Pen.sign(address(provider), digest, reports, _keys(0, 1));
        _expectRefusal(
            abi.encodeWithSelector(IOperatorSet.OperatorSet_UnknownConfig.selector, digest), digest, reports, signatures
        );
        signatures = new bytes[](0);
        _expectRefusal(
            abi.encodeWithSelector(IOperatorSet.OperatorSet_UnknownConfig.selector, digest), digest, reports, signatures
        );
    }

    function test_Fulfill_RevertWhen_SignatureCountIsNotK() public {
        provider = _deployProvider(2, 3);
        Report[] memory reports = _reports(1);
        for (uint256 given = 0; given <= 3; ++given) {
            if (given == 2) continue;
            bytes[] memory signatures = Pen.sign(address(provider), provider.configDigest(), reports, _keys(0, given));
            bytes4 selector = IOperatorSet.OperatorSet_WrongSignatureCount.selector;
            _expectRefusal(abi.encodeWithSelector(selector, given, 2), provider.configDigest(), reports, signatures);
        }
    }

    function test_Fulfill_RevertWhen_SignatureCountIsAbsurd() public {
        Report[] memory reports = _reports(1);
        bytes[] memory signatures = new bytes[](65);
        _expectRefusal(
            abi.encodeWithSelector(IOperatorSet.OperatorSet_TooManyOperators.selector, 65, 64),
            provider.configDigest(),
            reports,
            signatures
        );
    }

    function test_Fulfill_RevertWhen_SignerIsNoOperator() public {
        Report[] memory reports = _reports(1);
        bytes[] memory signatures = Pen.sign(address(provider), provider.configDigest(), reports, _keys(3, 1));
        bytes4 selector = IOperatorSet.OperatorSet_NotAnOperator.selector;
        _expectRefusal(abi.encodeWithSelector(selector, vm.addr(keys[3])), provider.configDigest(), reports, signatures);
    }

    function test_Fulfill_RevertWhen_SignatureMalleable() public {
        (bytes32 r, bytes32 s, uint8 v, Report[] memory reports) = _signedParts();
        _expectNobody(reports, abi.encodePacked(r, bytes32(N - uint256(s)), v == 27 ? uint8(28) : uint8(27)));
    }

    function test_Fulfill_RevertWhen_SignatureHasABadV() public {
        (bytes32 r, bytes32 s, uint8 v, Report[] memory reports) = _signedParts();
        _expectNobody(reports, abi.encodePacked(r, s, v - 27));
        _expectNobody(reports, abi.encodePacked(r, s, v + 2));
    }

    function test_Fulfill_RevertWhen_SignatureHasABadLength() public {
        (bytes32 r, bytes32 s, uint8 v, Report[] memory reports) = _signedParts();
        _expectNobody(reports, abi.encodePacked(r, s, v, uint8(0)));
        _expectNobody(reports, abi.encodePacked(r, s));
        _expectNobody(reports, abi.encodePacked(r, bytes32(uint256(s) | (uint256(v - 27) << 255))));
        _expectNobody(reports, "");
    }

    function test_Fulfill_RevertWhen_SignaturesUnsorted() public {
        provider = _deployProvider(2, 3);
        Report[] memory reports = _reports(1);
        uint256[] memory by = _keys(0, 2);
        (by[0], by[1]) = (by[1], by[0]);
        _expectUnsorted(reports, by);
    }

    function test_Fulfill_RevertWhen_OneSignsTwice() public {
        provider = _deployProvider(2, 3);
        Report[] memory reports = _reports(1);
        uint256[] memory by = _keys(0, 2);
        by[1] = by[0];
        _expectUnsorted(reports, by);
    }

    function test_Fulfill_RevertWhen_ReportChangedAfterSigning() public {
        Report[] memory reports = _reports(2);
        bytes32 digest = provider.configDigest();
        bytes[] memory signatures = Pen.sign(address(provider), digest, reports, _keys(0, 1));
        reports[1].result = abi.encode(uint64(26), uint64(6_400_001));
        _expectSomebodyElse(digest, reports, signatures);
        reports[1].result = reports[0].result;
        reports[0].outcome = Outcomes.FAILED;
        _expectSomebodyElse(digest, reports, signatures);
        reports[0].outcome = Outcomes.SUCCEEDED;
        (reports[0], reports[1]) = (reports[1], reports[0]);
        _expectSomebodyElse(digest, reports, signatures);
        (reports[0], reports[1]) = (reports[1], reports[0]);
        reports[0].terms.refundTo = bob;
        _expectSomebodyElse(digest, reports, signatures);
    }

    function test_Fulfill_RevertWhen_SignedForAnotherChain() public {
        Report[] memory reports = _reports(1);
        bytes32 digest = provider.configDigest();
        uint256 here = block.chainid;
        vm.chainId(here + 1);
        bytes[] memory signatures = Pen.sign(address(provider), digest, reports, _keys(0, 1));
        vm.chainId(here);
        _expectSomebodyElse(digest, reports, signatures);
    }

    function test_Fulfill_RevertWhen_SignedForAnotherProvider() public {
        EstuaryProvider other = provider;
        Report[] memory reports = _reports(1);
        bytes[] memory signatures = Pen.sign(address(other), other.configDigest(), reports, _keys(0, 1));
        provider = _deployProvider(1, 1);
        bytes32 digest = other.configDigest();
        assertNotEq(digest, provider.configDigest());
        _expectRefusal(
            abi.encodeWithSelector(IOperatorSet.OperatorSet_UnknownConfig.selector, digest), digest, reports, signatures
        );
        _expectSomebodyElse(provider.configDigest(), reports, signatures);
    }

    function test_Fulfill_AnyoneMaySendWhatKOperatorsSigned() public {
        provider = _deployProvider(2, 3);
        Report[] memory reports = _reports(1);
        uint256[] memory by = _keys(1, 2); // the second and the third
        vm.recordLogs();
        assertEq(_fulfill(reports, by), 1);
        Vm.Log memory log = vm.getRecordedLogs()[0];
        assertEq(log.topics[0], IExecutionProvider.OracleAnswered.selector);
        (,,, bytes32 resultHash, uint256 signers) = abi.decode(log.data, (uint64, uint8, uint8, bytes32, uint256));
        assertEq(resultHash, keccak256(reports[0].result));
        assertEq(signers, 6, "bits of the second and the third place");
    }

    // ---------------------------------------------------------------- skipping

    function test_Fulfill_SkipsUnknown() public {
        Report[] memory reports = _reports(3);
        reports[1].terms.fee += 1;
        _oneSkipped(reports, IExecutionProvider.Skip.Unknown);
        _stateIs(provider.idOf(reports[1].terms), IExecutionProvider.RequestState.None);
    }

    function test_Fulfill_SkipsAnswered() public {
        Report[] memory reports = _reports(3);
        _fulfill(reports[1]);
        _oneSkipped(reports, IExecutionProvider.Skip.Closed);
    }

    function test_Fulfill_SkipsTheSecondOfTwins() public {
        Report[] memory reports = _reports(3);
        reports[2] = reports[0];
        _oneSkipped(reports, IExecutionProvider.Skip.Closed);
    }

    function test_Fulfill_SkipsRefunded() public {
        Report[] memory reports = _reports(3);
        vm.prank(alice);
        provider.cancel(reports[1].terms);
        skip(1 hours);
        provider.refund(reports[1].terms);
        _oneSkipped(reports, IExecutionProvider.Skip.Closed);
        assertEq(provider.creditOf(alice), reports[1].terms.fee);
    }

    function test_Fulfill_SkipsWhenCancellationTookEffect() public {
        Report[] memory reports = _reports(3);
        vm.prank(alice);
        provider.cancel(reports[1].terms);
        skip(1 hours);
        _oneSkipped(reports, IExecutionProvider.Skip.Closed);
        _stateIs(provider.idOf(reports[1].terms), IExecutionProvider.RequestState.Cancelling);
        provider.refund(reports[1].terms);
    }

    function test_Fulfill_AppliesBeforeCancellationTakesEffect() public {
        Ask memory ask = _askDirect(alice, 0, "");
        vm.prank(alice);
        provider.cancel(ask.terms);
        skip(1 hours - 1);
        assertEq(_fulfill(_success(ask, "")), 1);
        vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_NotOpen.selector, ask.id));
        provider.refund(ask.terms);
    }

    function test_Fulfill_SkipsFailureTooEarly() public {
        Report[] memory reports = _reports(3);
        (reports[1].outcome, reports[1].reason, reports[1].result) = (Outcomes.FAILED, Reasons.NOT_FOUND, "");
        skip(30 minutes - 1);
        _oneSkipped(reports, IExecutionProvider.Skip.TooEarly);
        skip(1);
        assertEq(_fulfill(reports[1]), 1);
    }

    function test_Fulfill_AppliesInvalidContentAtOnce() public {
        Ask memory ask = _askDirect(alice, 0, "");
        assertEq(_fulfill(_failure(ask, Reasons.INVALID_CONTENT)), 1);
        _stateIs(ask.id, IExecutionProvider.RequestState.Answered);
    }

    function test_Fulfill_SkipsPastDeadline() public {
        Report[] memory reports = _reports(3);
        skip(1 days);
        assertEq(_fulfill(reports[0]), 1, "at the deadline");
        skip(1);
        vm.recordLogs();
        assertEq(_fulfill(reports[1]), 0);
        _skippedAs(IExecutionProvider.Skip.PastDeadline);
    }

    function test_Fulfill_SkipsBadReports() public {
        Ask memory ask = _askDirect(alice, 0, "context");
        skip(1 hours);
        Report[] memory bad = new Report[](9);
        for (uint256 i = 0; i < bad.length; ++i) {
            bad[i] = _success(ask, "");
        }
        bad[0].outcome = 0;
        bad[1].outcome = 3;
        bad[2].reason = Reasons.NOT_FOUND;
        bad[3].result = new bytes(1025);
        bad[4] = _failure(ask, Reasons.NONE);
        bad[5] = _failure(ask, 9);
        bad[6] = _failure(ask, Reasons.NOT_FOUND);
        bad[6].result = hex"00";
        bad[7].context = "contexT";
        bad[8].context = "";
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.recordLogs();
            assertEq(_fulfill(bad[i]), 0);
            _skippedAs(IExecutionProvider.Skip.BadReport);
        }
        assertEq(_fulfill(_success(ask, new bytes(1024))), 1);
    }

    function test_Fulfill_ContextIsNotSignedButChecked() public {
        Report[] memory reports = _reports(1);
        bytes32 digest = provider.configDigest();
        bytes[] memory signatures = Pen.sign(address(provider), digest, reports, _keys(0, 1));
        reports[0].context = "forged";
        assertEq(provider.fulfill(digest, reports, signatures), 0);
        reports[0].context = "ctx";
        assertEq(provider.fulfill(digest, reports, signatures), 1);
    }

    // ------------------------------------------------------------------- money

    function test_Fulfill_PaysSenderItsGasAndSignersTheRest() public {
        provider = _deployProvider(3, 3);
        Report[] memory reports = _reports(2);
        uint256 earned = uint256(reports[0].terms.fee) * 2;
        vm.txGasPrice(3 gwei);
        _fulfill(reports, _keys(0, 3));
        uint256 paid = provider.creditOf(sender);
        assertEq(paid % 3 gwei, 0);
        assertGt(paid, 50_000 * 3 gwei);
        uint256 share = (earned - paid) / 3;
        assertEq(provider.creditOf(vm.addr(keys[1])), share);
        assertEq(provider.creditOf(vm.addr(keys[2])), share);
        assertEq(provider.creditOf(vm.addr(keys[0])), earned - paid - 2 * share, "the odd wei");
        assertEq(address(provider).balance, earned);
    }

    function test_Fulfill_ReimbursesWhatATransactionCosts() public {
        Report[] memory reports = _reports(4);
        bytes32 digest = provider.configDigest();
        bytes[] memory signatures = Pen.sign(address(provider), digest, reports, _keys(0, 1));
        bytes memory data = abi.encodeCall(provider.fulfill, (digest, reports, signatures));
        vm.txGasPrice(1 gwei);
        vm.prank(sender);
        (bool ok,) = address(provider).call(data);
        assertTrue(ok);
        uint256 cost = vm.lastCallGas().gasTotalUsed + 21_000;
        for (uint256 i = 0; i < data.length; ++i) {
            cost += data[i] == 0 ? 4 : 16;
        }
        assertApproxEqRel(provider.creditOf(sender) / 1 gwei, cost, 0.2e18);
    }

    function test_Fulfill_SenderIsPaidAtTheCapAtMost() public {
        Report[] memory reports = _reports(2);
        vm.prank(owner);
        provider.setGasPriceCap(2 gwei);
        vm.txGasPrice(200 gwei);
        _fulfill(reports);
        assertLt(provider.creditOf(sender), 200_000 * 2 gwei);
        assertGt(provider.creditOf(sender), 50_000 * 2 gwei);
    }

    function test_Fulfill_SenderIsPaidTheFeesAtMost() public {
        Report[] memory reports = _reports(1);
        vm.prank(owner);
        provider.setGasPriceCap(10_000 gwei);
        vm.txGasPrice(10_000 gwei);
        _fulfill(reports);
        assertEq(provider.creditOf(sender), reports[0].terms.fee);
        assertEq(provider.creditOf(vm.addr(keys[0])), 0);
    }

    /// The last atto of a fee is somebody's: the signers', or the sender's.
    function test_Fulfill_PaysASingleAtto() public {
        vm.prank(owner);
        provider.setPrice(Actions.UNPIN, Price(1, 0, 0, 0, true));
        Ask[2] memory asks = [_askDirect(alice, 0, "1"), _askDirect(alice, 0, "2")];
        assertEq(asks[0].terms.fee, 1);
        vm.txGasPrice(0);
        _fulfill(_success(asks[0], ""));
        assertEq(provider.creditOf(vm.addr(keys[0])), 1);
        vm.txGasPrice(1 gwei);
        _fulfill(_success(asks[1], ""));
        assertEq(provider.creditOf(sender), 1);
    }

    function test_Fulfill_FailureEarnsTheAttemptFeeOnly() public {
        Ask memory ask = _askDirect(alice, 0, "");
        skip(30 minutes);
        _fulfill(_failure(ask, Reasons.NOT_FOUND));
        assertEq(provider.creditOf(vm.addr(keys[0])), ask.terms.attemptFee);
        assertEq(provider.creditOf(alice), ask.terms.fee - ask.terms.attemptFee);
    }

    function test_Fulfill_AttachedCalldataEarnsNothing() public {
        Report[] memory reports = _reports(2);
        bytes32 digest = provider.configDigest();
        uint256[2] memory paid;
        for (uint256 i = 0; i < 2; ++i) {
            Report[] memory one = _one(reports[i]);
            bytes memory data =
                abi.encodeCall(provider.fulfill, (digest, one, Pen.sign(address(provider), digest, one, _keys(0, 1))));
            if (i == 1) data = bytes.concat(data, new bytes(10_000));
            vm.txGasPrice(1 gwei);
            address from = makeAddr(i == 0 ? "plain" : "padded");
            vm.prank(from);
            (bool ok,) = address(provider).call(data);
            assertTrue(ok);
            paid[i] = provider.creditOf(from);
        }
        assertLe(paid[1], paid[0], "the second found more warm than the first");
    }

    function test_Fulfill_NothingAppliedEarnsNothing() public {
        Report[] memory reports = _reports(1);
        _fulfill(reports);
        address late = makeAddr("late");
        bytes[] memory signatures = Pen.sign(address(provider), provider.configDigest(), reports, _keys(0, 1));
        bytes32 digest = provider.configDigest();
        uint64 seq = provider.nextSeq();
        vm.txGasPrice(1 gwei);
        vm.prank(late);
        assertEq(provider.fulfill(digest, reports, signatures), 0);
        assertEq(provider.creditOf(late), 0);
        assertEq(provider.nextSeq(), seq + 1, "only ReportSkipped");
    }

    // ----------------------------------------------------------------- helpers

    function _reports(uint256 count) private returns (Report[] memory reports) {
        reports = new Report[](count);
        for (uint256 i = 0; i < count; ++i) {
            reports[i] = _pinned(_askDirect(alice, 0, "ctx"));
        }
    }

    /// @dev Sends three reports, of which one must be skipped and two applied.
    function _oneSkipped(Report[] memory reports, IExecutionProvider.Skip why) private {
        vm.recordLogs();
        assertEq(_fulfill(reports), 2);
        _skippedAs(why);
    }

    function _signedParts() private returns (bytes32 r, bytes32 s, uint8 v, Report[] memory reports) {
        reports = _reports(1);
        (v, r, s) = vm.sign(keys[0], Pen.digest(address(provider), provider.configDigest(), reports));
    }

    function _expectNobody(Report[] memory reports, bytes memory signature) private {
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = signature;
        bytes4 selector = IOperatorSet.OperatorSet_NotAnOperator.selector;
        _expectRefusal(abi.encodeWithSelector(selector, address(0)), provider.configDigest(), reports, signatures);
    }

    function _expectUnsorted(Report[] memory reports, uint256[] memory by) private {
        bytes[] memory signatures = Pen.sign(address(provider), provider.configDigest(), reports, by);
        bytes memory err = abi.encodeWithSelector(IOperatorSet.OperatorSet_SignaturesUnsorted.selector);
        _expectRefusal(err, provider.configDigest(), reports, signatures);
    }

    /// @dev Another digest recovers to some address that is no operator.
    function _expectSomebodyElse(bytes32 digest, Report[] memory reports, bytes[] memory signatures) private {
        vm.expectPartialRevert(IOperatorSet.OperatorSet_NotAnOperator.selector);
        provider.fulfill(digest, reports, signatures);
    }

    function _expectRefusal(bytes memory err, bytes32 digest, Report[] memory reports, bytes[] memory signatures)
        private
    {
        vm.expectRevert(err);
        provider.fulfill(digest, reports, signatures);
    }
}
