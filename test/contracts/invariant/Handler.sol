// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    IExecutionProvider,
    Outcomes,
    Reasons,
    Report,
    Terms
} from "../../../contracts/interfaces/IExecutionProvider.sol";
import { EstuaryPinning, PinningConfig } from "../../../contracts/pinning/EstuaryPinning.sol";
import { Base } from "../Base.t.sol";
import { Pen } from "../Pen.sol";
import { Consumer } from "../mocks/Consumers.sol";
import { PinModel } from "./PinModel.sol";
import { Vm } from "forge-std/Vm.sol";

/// @notice Does everything that users, consumers, operators and the owner do, in any order, and keeps books from outside.
/// @dev Also the fixture: `setUp` of the invariant test deploys this, which deploys the rest.
contract Handler is Base {
    using PinModel for PinModel.Model;

    enum Fault {
        None,
        Invalid, // failed, INVALID_CONTENT
        NotFound, // failed, NOT_FOUND
        WrongContext,
        WrongTerms,
        BigResult
    }

    /// @dev A request as the books know it.
    struct Entry {
        Ask ask;
        IExecutionProvider.RequestState state;
        uint40 cancelAt;
        Report kept; // the answer whose callback failed
    }

    uint32 internal constant PROMISED = 400_000;

    uint256 public received;
    uint256 public withdrawn;
    uint64 public seqSeen;
    uint64 public pinSeqSeen;

    Consumer[] public consumers;
    address[] public accounts;
    address[] internal requesters;
    bytes[] internal cids;
    uint256 internal firstOperator;

    bytes32[] public ids;
    mapping(bytes32 id => Entry) internal entries;
    mapping(bytes32 id => uint256) public answeredEvents;
    mapping(bytes32 id => uint256) public refundedEvents;
    mapping(bytes32 id => uint256) public delivered;
    PinModel.Model internal model;

    /// @dev Every action's logs are read to its end: seqs must follow each other.
    modifier logged() {
        vm.recordLogs();
        _;
        _readLogs();
    }

    constructor() {
        vm.recordLogs();
        Base.setUp();
        PinningConfig memory c = _pinningConfig();
        c.defaultTerm = 3 days;
        pinning = factory.pinning(provider, c);
        for (uint256 i = 0; i < 6; ++i) {
            consumers.push(new Consumer(provider));
            accounts.push(address(consumers[i]));
        }
        consumers[1].setMood(Consumer.Mood.Revert);
        consumers[2].setMood(Consumer.Mood.BurnAll);
        consumers[3].setMood(Consumer.Mood.Bomb);
        consumers[4].setMood(Consumer.Mood.BombSuccess);
        consumers[5].setReentry(address(provider), abi.encodeCall(provider.withdraw, (payable(address(consumers[5])))));
        requesters.push(alice);
        requesters.push(bob);
        requesters.push(makeAddr("carol"));
        for (uint256 i = 0; i < 3; ++i) {
            accounts.push(requesters[i]);
            vm.deal(requesters[i], 1_000_000 ether);
            cids.push(abi.encodePacked(hex"01701220", keccak256(abi.encode(i))));
        }
        for (uint256 i = 0; i < 5; ++i) {
            accounts.push(vm.addr(keys[i]));
        }
        accounts.push(sender);
        vm.txGasPrice(2 gwei);
        _readLogs();
    }

    function setUp() public pure override { }

    // --------------------------------------------------------------- actions

    function ask(uint256 who, bool callback, uint256 surplus) external logged {
        if (provider.intakePaused()) return;
        who = bound(who, 0, consumers.length);
        address consumer = who == consumers.length ? alice : address(consumers[who]);
        uint32 gas = callback && who != consumers.length ? PROMISED : 0;
        surplus = surplus % 3 == 0 ? bound(surplus, 1, 1 ether) : 0;
        (uint96 fee,) = provider.quote(2, 0, 0, gas);
        vm.deal(consumer, consumer.balance + fee + surplus);
        received += fee + surplus;
        vm.prank(consumer);
        provider.request{ value: fee + surplus }(2, 0, 0, hex"01", abi.encode(who), _options(gas, consumer));
    }

    function answer(uint256[5] calldata which, uint256[5] calldata faults, uint256 count) external logged {
        if (ids.length == 0) return;
        count = bound(count, 1, 5);
        Report[] memory reports = new Report[](count);
        IExecutionProvider.Skip[] memory expected = new IExecutionProvider.Skip[](count);
        uint256 applied;
        for (uint256 i = 0; i < count; ++i) {
            Fault fault = Fault(faults[i] % 12 > 5 ? 0 : faults[i] % 6);
            bytes32 id = _near(which[i]);
            reports[i] = _report(entries[id].ask, fault);
            expected[i] = _predict(entries[id], fault);
            if (expected[i] == IExecutionProvider.Skip.None) {
                ++applied;
                _book(id, reports[i]);
            }
        }
        assertEq(_fulfill(reports, _keys(firstOperator, provider.threshold())), applied, "7: applied");
        _checkBatch(reports, expected);
    }

    function answerWithLittleGas(uint256 which, uint256 gasGiven) external {
        if (ids.length == 0) return;
        vm.recordLogs();
        bytes32 id = _near(which);
        Report[] memory reports = _one(_report(entries[id].ask, Fault.None));
        bytes32 digest = provider.configDigest();
        bytes[] memory signatures =
            Pen.sign(address(provider), digest, reports, _keys(firstOperator, provider.threshold()));
        gasGiven = bound(gasGiven, 30_000, PROMISED + 100_000);
        vm.prank(sender);
        try provider.fulfill{ gas: gasGiven }(digest, reports, signatures) returns (uint256 applied) {
            assertEq(applied == 1, _predict(entries[id], Fault.None) == IExecutionProvider.Skip.None);
            if (applied == 1) _book(id, reports[0]);
            _readLogs();
        } catch {
            _forgetLogs();
        }
        assertEq(uint8(provider.stateOf(id)), uint8(entries[id].state), "6: marked for want of gas");
    }

    function cancel(uint256 which) external logged {
        if (ids.length == 0) return;
        bytes32 id = _near(which);
        Entry storage e = entries[id];
        if (e.ask.terms.consumer == address(pinning)) return _cancelPin(e);
        bool open = e.state == IExecutionProvider.RequestState.Open;
        if (!open) vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_NotOpen.selector, id));
        vm.prank(e.ask.terms.consumer);
        provider.cancel(e.ask.terms);
        if (!open) return _forgetLogs();
        _cancelled(e);
    }

    function refund(uint256 which, bool throughPinning) external logged {
        if (ids.length == 0) return;
        bytes32 id = _near(which);
        Entry storage e = entries[id];
        if (!_refundable(e)) {
            vm.expectRevert();
            provider.refund(e.ask.terms);
            _forgetLogs();
            return;
        }
        bool late = block.timestamp > e.ask.terms.deadline;
        e.state = IExecutionProvider.RequestState.Refunded;
        if (throughPinning && e.ask.terms.consumer == address(pinning) && e.ask.terms.action == 1) {
            pinning.settleRequest(e.ask.terms, e.ask.context);
            model.settled(e.ask.context, late);
            return;
        }
        provider.refund(e.ask.terms);
    }

    function retry(uint256 which) external logged {
        if (ids.length == 0) return;
        bytes32 id = _near(which);
        Entry storage e = entries[id];
        if (e.state != IExecutionProvider.RequestState.CallbackFailed) return;
        Report memory kept = e.kept;
        Consumer consumer = Consumer(payable(e.ask.terms.consumer));
        if (!_accepts(address(consumer))) {
            vm.expectPartialRevert(IExecutionProvider.EstuaryProvider_CallbackReverted.selector);
            provider.retryCallback{ gas: 2_000_000 }(kept);
            _forgetLogs();
            return;
        }
        provider.retryCallback(kept);
        e.state = IExecutionProvider.RequestState.Answered;
        ++delivered[id];
    }

    function withdraw(uint256 who) external logged {
        address account = accounts[who % accounts.length];
        uint256 credit = provider.creditOf(account);
        if (credit == 0) return;
        vm.prank(account);
        assertEq(provider.withdraw(payable(makeAddr("purse"))), credit);
        withdrawn += credit;
    }

    function changeMood(uint256 who, uint256 mood) external {
        consumers[bound(who, 0, 4)].setMood(Consumer.Mood(mood % 5));
    }

    function pause(bool paused) external logged {
        vm.prank(owner);
        provider.setIntakePaused(paused);
    }

    function rotate(uint256 from, uint256 n, uint256 k) external logged {
        n = bound(n, 1, 3);
        from = bound(from, 0, 5 - n);
        k = bound(k, 1, n);
        vm.prank(owner);
        provider.proposeOperators(_operators(from, n), uint8(k));
        skip(2 days);
        provider.activateOperators();
        firstOperator = from;
    }

    function pass(uint256 time) external {
        skip(time % 4 == 0 ? bound(time, 1 hours, 2 days) : bound(time, 1, 1 hours));
    }

    // ------------------------------------------------------------ the pinning

    function pin(uint256 who, uint256 what) external logged {
        if (provider.intakePaused()) return;
        (address requester, bytes memory cid) = _pair(who, what);
        (uint96 fee,) = pinning.quotePin();
        bytes[] memory one = new bytes[](1);
        one[0] = cid;
        bool free = model.mayPin(cid, requester);
        uint64 seq = pinning.nextSeq();
        if (!free) vm.expectRevert();
        else received += fee;
        vm.prank(requester);
        pinning.pinBatch{ value: fee }(one);
        if (!free) return _forgetLogs();
        model.asked(cid, requester, seq, uint40(block.timestamp) + 1 days);
    }

    function extend(uint256 who, uint256 what, uint256 more) external logged {
        if (provider.intakePaused()) return;
        (address requester, bytes memory cid) = _pair(who, what);
        uint40 expiry = uint40(block.timestamp) + uint40(bound(more, 1 hours, 20 days));
        (uint96 fee,) = pinning.quotePin(0, expiry);
        bool may = model.mayExtend(cid, requester, expiry);
        if (!may) vm.expectRevert();
        else received += fee;
        vm.prank(requester);
        pinning.extend{ value: fee }(cid, expiry);
        if (!may) _forgetLogs();
    }

    function unpin(uint256 who, uint256 what) external logged {
        if (provider.intakePaused()) return;
        (address requester, bytes memory cid) = _pair(who, what);
        (uint96 fee,) = pinning.quoteUnpin();
        bool may = model.mayUnpin(cid, requester);
        uint64 seq = pinning.nextSeq();
        if (!may) vm.expectRevert();
        else received += fee;
        vm.prank(requester);
        pinning.unpin{ value: fee }(cid);
        if (!may) return _forgetLogs();
        model.unpinned(cid, requester, seq);
    }

    function expire(uint256 who, uint256 what) external logged {
        (address requester, bytes memory cid) = _pair(who, what);
        bool over = model.isOver(cid, requester);
        if (!over) vm.expectRevert();
        pinning.expire(cid, requester);
        if (!over) return _forgetLogs();
        model.ended(cid, requester);
    }

    // ---------------------------------------------------------------- reading

    function allIds() external view returns (bytes32[] memory) {
        return ids;
    }

    function entry(bytes32 id) external view returns (Entry memory) {
        return entries[id];
    }

    function theProvider() external view returns (address) {
        return address(provider);
    }

    function openFees() public view returns (uint256 sum) {
        for (uint256 i = 0; i < ids.length; ++i) {
            if (_isOpen(entries[ids[i]])) sum += entries[ids[i]].ask.terms.fee;
        }
    }

    function credits() public view returns (uint256 sum) {
        for (uint256 i = 0; i < accounts.length; ++i) {
            sum += provider.creditOf(accounts[i]);
        }
    }

    /// @dev Invariant 4: closes everything and takes all money out. To be called in a snapshot.
    function endAll() external {
        vm.prank(owner);
        provider.setIntakePaused(true);
        skip(31 days);
        for (uint256 i = 0; i < ids.length; ++i) {
            if (_isOpen(entries[ids[i]])) provider.refund(entries[ids[i]].ask.terms);
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (provider.creditOf(accounts[i]) == 0) continue;
            vm.prank(accounts[i]);
            provider.withdraw(payable(makeAddr("purse")));
        }
        assertEq(address(provider).balance, 0, "4: money left over");
    }

    /// @dev Invariant 9, and 10's first half.
    function checkPins() external {
        assertEq(address(pinning).balance, 0, "10");
        for (uint256 c = 0; c < cids.length; ++c) {
            uint8 best;
            for (uint256 r = 0; r < requesters.length; ++r) {
                (uint8 status, uint40 expiry, uint8 reason) = model.read(cids[c], requesters[r]);
                (uint8 got, uint40 gotExpiry, uint8 gotReason) = _statusOf(cids[c], requesters[r]);
                assertEq(got, status, "9: status");
                assertEq(gotExpiry, expiry, "9: expiry");
                assertEq(gotReason, reason, "9: reason");
                if (PinModel.rank(status) > PinModel.rank(best)) best = status;
            }
            uint8 said = uint8(pinning.statusOf(cids[c]));
            assertGe(PinModel.rank(said), PinModel.rank(best), "9: below the best");
            for (uint256 r = 0; r < requesters.length; ++r) {
                if (model.isOver(cids[c], requesters[r])) pinning.expire(cids[c], requesters[r]);
            }
            assertEq(uint8(pinning.statusOf(cids[c])), best, "9: not exact after expire");
        }
    }

    // ----------------------------------------------------------------- inside

    function _cancelPin(Entry storage e) private {
        if (e.ask.terms.action != 1 || e.state != IExecutionProvider.RequestState.Open) return;
        vm.prank(e.ask.terms.refundTo);
        pinning.cancelRequest(e.ask.terms, e.ask.context);
        _cancelled(e);
    }

    function _cancelled(Entry storage e) private {
        e.state = IExecutionProvider.RequestState.Cancelling;
        e.cancelAt = uint40(block.timestamp) + 1 hours;
    }

    function _pair(uint256 who, uint256 what) private view returns (address, bytes memory) {
        return (requesters[who % requesters.length], cids[what % cids.length]);
    }

    function _statusOf(bytes memory cid, address requester) private view returns (uint8, uint40, uint8) {
        (bool ok, bytes memory out) =
            address(pinning).staticcall(abi.encodeWithSignature("statusOf(bytes,address)", cid, requester));
        require(ok);
        return abi.decode(out, (uint8, uint40, uint8));
    }

    /// @dev One of the latest dozen, mostly.
    function _near(uint256 which) private view returns (bytes32) {
        uint256 n = ids.length;
        uint256 back = which % 8 == 0 ? which % n : (which / 8) % (n < 12 ? n : 12);
        return ids[n - 1 - back];
    }

    function _report(Ask memory a, Fault fault) private pure returns (Report memory report) {
        report = _pinned(a);
        if (fault == Fault.Invalid) return _failure(a, Reasons.INVALID_CONTENT);
        if (fault == Fault.NotFound) return _failure(a, Reasons.NOT_FOUND);
        if (fault == Fault.WrongContext) report.context = bytes.concat(a.context, hex"00");
        if (fault == Fault.WrongTerms) report.terms = abi.decode(abi.encode(a.terms), (Terms));
        if (fault == Fault.WrongTerms) report.terms.fee += 1;
        if (fault == Fault.BigResult) report.result = new bytes(1025);
    }

    function _predict(Entry storage e, Fault fault) private view returns (IExecutionProvider.Skip) {
        if (fault == Fault.WrongTerms) return IExecutionProvider.Skip.Unknown;
        bool cancelled = e.state == IExecutionProvider.RequestState.Cancelling && block.timestamp >= e.cancelAt;
        if (!_isOpen(e) || cancelled) return IExecutionProvider.Skip.Closed;
        if (block.timestamp > e.ask.terms.deadline) return IExecutionProvider.Skip.PastDeadline;
        if (fault == Fault.WrongContext || fault == Fault.BigResult) return IExecutionProvider.Skip.BadReport;
        if (fault == Fault.NotFound && block.timestamp < e.ask.terms.attemptUntil) {
            return IExecutionProvider.Skip.TooEarly;
        }
        return IExecutionProvider.Skip.None;
    }

    /// @dev Books an answer that will be applied.
    function _book(bytes32 id, Report memory report) private {
        Entry storage e = entries[id];
        address consumer = e.ask.terms.consumer;
        if (e.ask.terms.callbackGas == 0) {
            e.state = IExecutionProvider.RequestState.Answered;
        } else if (consumer == address(pinning)) {
            e.state = IExecutionProvider.RequestState.Answered;
            model.answered(e.ask.context, report.outcome == Outcomes.SUCCEEDED, report.reason);
        } else if (_accepts(consumer)) {
            e.state = IExecutionProvider.RequestState.Answered;
            ++delivered[id];
        } else {
            e.state = IExecutionProvider.RequestState.CallbackFailed;
            e.kept = report;
        }
    }

    function _accepts(address consumer) private view returns (bool) {
        Consumer.Mood mood = Consumer(payable(consumer)).mood();
        return mood == Consumer.Mood.Record || mood == Consumer.Mood.Call;
    }

    function _isOpen(Entry storage e) private view returns (bool) {
        return e.state == IExecutionProvider.RequestState.Open || e.state == IExecutionProvider.RequestState.Cancelling;
    }

    function _refundable(Entry storage e) private view returns (bool) {
        if (!_isOpen(e)) return false;
        bool cancelled = e.state == IExecutionProvider.RequestState.Cancelling && block.timestamp >= e.cancelAt;
        return cancelled || block.timestamp > e.ask.terms.deadline;
    }

    /// @dev Invariants 7 and 8 for a batch: every report did what was predicted of it alone.
    function _checkBatch(Report[] memory reports, IExecutionProvider.Skip[] memory expected) private {
        for (uint256 i = 0; i < reports.length; ++i) {
            bytes32 id = Pen.idOf(address(provider), reports[i].terms);
            assertEq(uint8(provider.stateOf(id)), uint8(entries[id].state), "8: state");
        }
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 at;
        for (uint256 i = 0; i < logs.length; ++i) {
            _readLog(logs[i]);
            bool skipped = logs[i].topics[0] == IExecutionProvider.ReportSkipped.selector;
            if (!skipped && logs[i].topics[0] != IExecutionProvider.OracleAnswered.selector) continue;
            assertEq(logs[i].topics[1], Pen.idOf(address(provider), reports[at].terms), "7: order");
            uint8 why = skipped ? uint8(logs[i].data[63]) : 0;
            assertEq(why, uint8(expected[at++]), "7: skipped as predicted");
        }
        assertEq(at, reports.length, "7: one event for each report");
    }

    /// @dev After a call that reverted: what it logged is recorded all the same, though it never was.
    function _forgetLogs() private {
        vm.getRecordedLogs();
    }

    function _readLogs() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            _readLog(logs[i]);
        }
    }

    /// @dev Every event of ours begins its data with its seq.
    function _readLog(Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (log.emitter == address(pinning)) {
            assertEq(uint64(uint256(bytes32(log.data))), pinSeqSeen++, "10: gap");
        } else if (log.emitter == address(provider) && topic != keccak256("OwnershipTransferred(address,address)")) {
            assertEq(uint64(uint256(bytes32(log.data))), seqSeen++, "5: gap");
            bytes32 id = log.topics.length > 1 ? log.topics[1] : bytes32(0);
            if (topic == IExecutionProvider.OracleAnswered.selector) ++answeredEvents[id];
            if (topic == IExecutionProvider.OracleRefunded.selector) ++refundedEvents[id];
            if (topic == IExecutionProvider.OracleRequested.selector) _enter(log);
        }
    }

    function _enter(Vm.Log memory log) private {
        bytes32 id = log.topics[1];
        Entry storage e = entries[id];
        (Terms memory terms, bytes memory payload, bytes memory context) = abi.decode(log.data, (Terms, bytes, bytes));
        e.ask = Ask(id, terms, payload, context);
        e.state = IExecutionProvider.RequestState.Open;
        ids.push(id);
    }
}
