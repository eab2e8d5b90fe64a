// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { CidHash, IEstuaryPinning, PinOptions } from "../../../contracts/interfaces/IEstuaryPinning.sol";
import {
    Actions,
    IExecutionProvider,
    PinPayload,
    Reasons,
    UnpinPayload
} from "../../../contracts/interfaces/IExecutionProvider.sol";
import { Oracle } from "../../../contracts/oracle/Oracle.sol";
import { Cids } from "../../../contracts/pinning/Cids.sol";
import { EstuaryPinning, PinningConfig } from "../../../contracts/pinning/EstuaryPinning.sol";
import { Base } from "../Base.t.sol";

contract EstuaryPinningTest is Base {
    bytes internal hello = HELLO_BYTES;

    // ----------------------------------------------------------- pinToEstuary

    function test_Pin_ByTextAsksForCanonicalBytes() public {
        Ask memory ask = _askPin(alice, HELLO);
        PinPayload memory pin = abi.decode(ask.payload, (PinPayload));
        assertEq(ask.payload, abi.encode(pin), "as the compiler encodes it");
        assertEq(pin.cid, HELLO_BYTES);
        assertEq(pin.requester, alice);
        assertEq(pin.maxBytes, MAX_BYTES);
        assertEq(pin.expiry, block.timestamp + 180 days);
        assertEq(ask.terms.consumer, address(pinning));
        assertEq(ask.terms.action, Actions.PIN);
        assertEq(ask.terms.refundTo, alice);
        assertEq(ask.terms.deadline, block.timestamp + 1 days);
        _isOf(alice, IEstuaryPinning.PinStatus.Requested, 0, 0);
    }

    function test_Pin_EmitsPinRequested() public {
        (uint96 fee,) = pinning.quotePin();
        uint64 seq = pinning.nextSeq();
        (CidHash hash,) = pinning.cidHashOf(HELLO);
        vm.expectEmit(false, true, true, true, address(pinning));
        emit IEstuaryPinning.PinRequested(
            0, hash, alice, seq, HELLO_BYTES, MAX_BYTES, uint40(block.timestamp) + 180 days
        );
        vm.prank(alice);
        pinning.pinToEstuary{ value: fee }(HELLO);
        assertEq(pinning.nextSeq(), seq + 1);
    }

    function test_Pin_VersionsOfOneBlockAreOnePin() public {
        Ask memory ask = _askPin(alice, EMPTY_V0);
        assertEq(abi.decode(ask.payload, (PinPayload)).cid.length, 34, "as it was asked for");
        assertEq(uint8(pinning.statusOf(EMPTY_V1)), uint8(IEstuaryPinning.PinStatus.Requested));
        (uint96 fee,) = pinning.quotePin();
        vm.expectPartialRevert(IEstuaryPinning.EstuaryPinning_AlreadyRequested.selector);
        vm.prank(alice);
        pinning.pinToEstuary{ value: fee }(EMPTY_V1);
    }

    function test_Pin_WithOptions() public {
        PinOptions memory options;
        options.origins = new string[](2);
        options.origins[0] = "/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWA";
        options.origins[1] = "/dns4/example.org/tcp/4001/p2p/12D3KooWB";
        options.name = "a name";
        options.maxBytes = 5 * GIGABYTE;
        options.expiry = uint40(block.timestamp) + 2 hours;
        options.replicas = 1;
        (uint96 fee,) = pinning.quotePin(options.maxBytes, options.expiry);
        vm.recordLogs();
        vm.prank(alice);
        pinning.pinToEstuary{ value: fee }(hello, options);
        Ask memory ask = _lastAsk();
        PinPayload memory pin = abi.decode(ask.payload, (PinPayload));
        assertEq(abi.encode(pin.origins), abi.encode(options.origins));
        assertEq(pin.name, "a name");
        assertEq(pin.maxBytes, 5 * GIGABYTE);
        assertEq(pin.expiry, options.expiry);
        assertEq(ask.terms.fee, fee);
    }

    function test_Pin_RevertWhen_Malformed() public {
        vm.startPrank(alice);
        vm.expectRevert(Cids.Cids_Empty.selector);
        pinning.pinToEstuary{ value: 1 ether }("");
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_UnknownBase.selector, bytes1("h")));
        pinning.pinToEstuary{ value: 1 ether }("hello");
        PinOptions memory options;
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_BadDigestLength.selector, 32, 31));
        pinning.pinToEstuary{ value: 1 ether }(
            hex"01551220b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcd", options
        );
    }

    function test_Pin_RevertWhen_OptionsOutOfRange() public {
        PinOptions memory options;
        options.origins = new string[](6);
        _expectRefusal(abi.encodeWithSelector(IEstuaryPinning.EstuaryPinning_TooManyOrigins.selector, 6, 5), options);
        options.origins = new string[](1);
        options.origins[0] = string(new bytes(257));
        _expectRefusal(abi.encodeWithSelector(IEstuaryPinning.EstuaryPinning_OriginTooLong.selector, 257, 256), options);
        delete options.origins;
        options.name = string(new bytes(256));
        _expectRefusal(abi.encodeWithSelector(IEstuaryPinning.EstuaryPinning_NameTooLong.selector, 256, 255), options);
        options.name = "";
        options.replicas = 2;
        _expectRefusal(abi.encodeWithSelector(IEstuaryPinning.EstuaryPinning_ReplicasUnsupported.selector, 2), options);
        options.replicas = 0;
        options.maxBytes = 32 * GIGABYTE + 1;
        _expectRefusal(
            abi.encodeWithSelector(
                IEstuaryPinning.EstuaryPinning_SizeOutOfRange.selector, options.maxBytes, 32 * GIGABYTE
            ),
            options
        );
        options.maxBytes = 0;
        uint40 earliest = uint40(block.timestamp) + 1 hours;
        uint40 latest = uint40(block.timestamp) + 540 days;
        options.expiry = earliest - 1;
        _expectRefusal(_expiryError(options.expiry, earliest, latest), options);
        options.expiry = latest + 1;
        _expectRefusal(_expiryError(options.expiry, earliest, latest), options);
    }

    function test_Pin_LargestOptionsFitAPayload() public {
        PinOptions memory options;
        options.origins = new string[](5);
        for (uint256 i = 0; i < 5; ++i) {
            options.origins[i] = string(new bytes(256));
        }
        options.name = string(new bytes(255));
        // An identity CID of the largest kind: codec and hash code cannot be longer either.
        bytes memory cid = bytes.concat(hex"01ffffffffffffffff7f008001", new bytes(128));
        vm.prank(alice);
        pinning.pinToEstuary{ value: 1 ether }(cid, options);
    }

    function test_Pin_RevertWhen_Underpaid() public {
        (uint96 fee,) = pinning.quotePin();
        vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_Underpaid.selector, fee - 1, fee));
        vm.prank(alice);
        pinning.pinToEstuary{ value: fee - 1 }(HELLO);
    }

    function test_Pin_RevertWhen_AlreadyPinned() public {
        _pinned(alice, HELLO);
        (CidHash hash,) = pinning.cidHashOf(HELLO);
        bytes4 selector = IEstuaryPinning.EstuaryPinning_AlreadyRequested.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, hash, alice));
        vm.prank(alice);
        pinning.pinToEstuary{ value: 1 ether }(HELLO);
    }

    function test_Pin_AgainAfterFailureExpiryUnpinAndLapse() public {
        Ask memory ask = _askPin(alice, HELLO);
        _fulfill(_failure(ask, Reasons.INVALID_CONTENT));
        _isOf(alice, IEstuaryPinning.PinStatus.Failed, 0, Reasons.INVALID_CONTENT);
        _pinned(alice, HELLO);
        skip(180 days);
        _isOf(alice, IEstuaryPinning.PinStatus.Expired, uint40(block.timestamp), 0);
        _pinned(alice, HELLO);
        _unpin(alice);
        _askPin(alice, HELLO);
        skip(1 days + 1);
        _isOf(alice, IEstuaryPinning.PinStatus.Failed, 0, Reasons.EXPIRED);
        _pinned(alice, HELLO);
    }

    function test_Pin_SurplusIsTheCallersCredit() public {
        (uint96 fee,) = pinning.quotePin();
        vm.prank(alice);
        pinning.pinToEstuary{ value: fee + 5 }(HELLO);
        assertEq(provider.creditOf(alice), 5);
        assertEq(address(pinning).balance, 0);
    }

    // --------------------------------------------------------------- pinBatch

    function test_Batch_RevertWhen_EmptyLargeOrUnderpaid() public {
        (uint96 fee,) = pinning.quotePin();
        vm.startPrank(alice);
        vm.expectRevert(IEstuaryPinning.EstuaryPinning_EmptyBatch.selector);
        pinning.pinBatch{ value: 1 ether }(new bytes[](0));
        vm.expectRevert(abi.encodeWithSelector(IEstuaryPinning.EstuaryPinning_BatchTooLarge.selector, 65, 64));
        pinning.pinBatch{ value: 1 ether }(new bytes[](65));
        bytes[] memory cids = _cids(3);
        bytes4 selector = IExecutionProvider.EstuaryProvider_Underpaid.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, 3 * fee - 1, 3 * fee));
        pinning.pinBatch{ value: 3 * fee - 1 }(cids);
        cids[2] = cids[0];
        vm.expectPartialRevert(IEstuaryPinning.EstuaryPinning_AlreadyRequested.selector);
        pinning.pinBatch{ value: 3 * fee }(cids);
    }

    function test_Batch_AsksOneEachAndCreditsTheSurplus() public {
        (uint96 fee,) = pinning.quotePin();
        vm.recordLogs();
        vm.prank(alice);
        bytes32[] memory ids = pinning.pinBatch{ value: 64 * fee + 9 }(_cids(64));
        Ask[] memory asks = _asks();
        assertEq(ids.length, 64);
        assertEq(asks.length, 64);
        for (uint256 i = 0; i < 64; ++i) {
            assertEq(asks[i].id, ids[i]);
            assertEq(asks[i].terms.fee, fee);
        }
        assertEq(provider.creditOf(alice), 9);
        assertEq(address(pinning).balance, 0);
    }

    // -------------------------------------------------------------- the answer

    function test_Answer_Success() public {
        Ask memory ask = _askPin(alice, HELLO);
        (CidHash hash,) = pinning.cidHashOf(HELLO);
        uint40 expiry = uint40(block.timestamp) + 180 days;
        uint64 seq = pinning.nextSeq();
        vm.expectEmit(address(pinning));
        emit IEstuaryPinning.PinStatusChanged(hash, alice, ask.id, seq, IEstuaryPinning.PinStatus.Pinned, 0, expiry);
        _fulfill(_pinned(ask));
        _isOf(alice, IEstuaryPinning.PinStatus.Pinned, expiry, 0);
        assertEq(uint8(pinning.statusOf(HELLO)), uint8(IEstuaryPinning.PinStatus.Pinned));
    }

    function test_Answer_RevertWhen_NotFromTheProvider() public {
        Ask memory ask = _askPin(alice, HELLO);
        vm.expectRevert(abi.encodeWithSelector(Oracle.Oracle_NotProvider.selector, alice));
        vm.prank(alice);
        pinning.onOracleResult(ask.id, ask.context, 1, 0, "");
    }

    function test_Answer_NeedsLessThanThePromisedGas() public {
        // The dearest: not the first requester, all slots cold (setUp's call is another transaction's), tally of one.
        _askPin(bob, HELLO);
        Ask memory ask = _askPin(alice, HELLO);
        vm.cool(address(pinning));
        vm.prank(address(provider));
        pinning.onOracleResult(ask.id, ask.context, 1, 0, abi.encode(uint64(1), uint64(1)));
        // Slots that this transaction wrote before are cheaper: four of them, by at most 20,000 each for a new one.
        assertLt(vm.lastCallGas().gasTotalUsed + 4 * 5000, _pinningConfig().callbackGas);
    }

    // ----------------------------------------------------------------- extend

    function test_Extend_RevertWhen_NothingToExtend() public {
        (CidHash hash,) = pinning.cidHashOf(HELLO);
        bytes memory err = abi.encodeWithSelector(IEstuaryPinning.EstuaryPinning_NothingToExtend.selector, hash, alice);
        uint40 expiry = uint40(block.timestamp) + 365 days;
        _expectNoExtension(err, expiry);
        Ask memory ask = _askPin(alice, HELLO);
        _expectNoExtension(err, expiry);
        _fulfill(_pinned(ask));
        skip(180 days);
        _expectNoExtension(err, expiry);
    }

    function test_Extend_RevertWhen_NotLater() public {
        _pinned(alice, HELLO);
        uint40 expiry = uint40(block.timestamp) + 180 days;
        _expectNoExtension(_expiryError(expiry, expiry + 1, uint40(block.timestamp) + 540 days), expiry);
        PinOptions memory options;
        vm.expectRevert(_expiryError(0, expiry + 1, uint40(block.timestamp) + 540 days));
        vm.prank(alice);
        pinning.extend{ value: 1 ether }(hello, options);
    }

    function test_Extend_OldPinStandsUntilTheAnswer() public {
        _pinned(alice, HELLO);
        uint40 old = uint40(block.timestamp) + 180 days;
        Ask memory ask = _extend(alice, old + 100 days);
        _isOf(alice, IEstuaryPinning.PinStatus.Pinned, old, 0);
        _fulfill(_pinned(ask));
        _isOf(alice, IEstuaryPinning.PinStatus.Pinned, old + 100 days, 0);
    }

    function test_Extend_FailureKeepsThePin() public {
        _pinned(alice, HELLO);
        uint40 old = uint40(block.timestamp) + 180 days;
        Ask memory ask = _extend(alice, old + 100 days);
        (CidHash hash,) = pinning.cidHashOf(HELLO);
        uint64 seq = pinning.nextSeq();
        skip(1 hours);
        vm.expectEmit(address(pinning));
        emit IEstuaryPinning.PinStatusChanged(
            hash, alice, ask.id, seq, IEstuaryPinning.PinStatus.Pinned, Reasons.NOT_FOUND, old
        );
        _fulfill(_failure(ask, Reasons.NOT_FOUND));
        _isOf(alice, IEstuaryPinning.PinStatus.Pinned, old, 0);
    }

    function test_Extend_LatestExpiryInWhateverOrder() public {
        _pinned(alice, HELLO);
        uint40 old = uint40(block.timestamp) + 180 days;
        Ask memory shorter = _extend(alice, old + 10 days);
        Ask memory longer = _extend(alice, old + 20 days);
        _fulfill(_pinned(longer));
        _fulfill(_pinned(shorter));
        _isOf(alice, IEstuaryPinning.PinStatus.Pinned, old + 20 days, 0);
    }

    function test_Extend_AnsweredAfterTheOldExpiryRevives() public {
        _pinned(alice, HELLO);
        skip(180 days - 1 hours);
        Ask memory ask = _extend(alice, uint40(block.timestamp) + 100 days);
        skip(2 hours);
        pinning.expire(hello, alice);
        _isOf(alice, IEstuaryPinning.PinStatus.Expired, uint40(block.timestamp) - 1 hours, 0);
        _fulfill(_pinned(ask));
        _isOf(alice, IEstuaryPinning.PinStatus.Pinned, uint40(block.timestamp) + 100 days - 2 hours, 0);
    }

    function test_Extend_WithALargerCap() public {
        _pinned(alice, HELLO);
        PinOptions memory options;
        options.maxBytes = GIGABYTE;
        options.expiry = uint40(block.timestamp) + 300 days;
        vm.recordLogs();
        vm.prank(alice);
        pinning.extend{ value: 2 ether }(hello, options);
        assertEq(abi.decode(_lastAsk().payload, (PinPayload)).maxBytes, GIGABYTE);
    }

    // ------------------------------------------------------------------ unpin

    function test_Unpin_RevertWhen_NothingToUnpin() public {
        (CidHash hash,) = pinning.cidHashOf(HELLO);
        bytes memory err = abi.encodeWithSelector(IEstuaryPinning.EstuaryPinning_NothingToUnpin.selector, hash, alice);
        _expectNoUnpin(err);
        _fulfill(_failure(_askPin(alice, HELLO), Reasons.INVALID_CONTENT));
        _expectNoUnpin(err);
        _pinned(alice, HELLO);
        _unpin(alice);
        _expectNoUnpin(err);
    }

    function test_Unpin_OfAPin() public {
        _pinned(alice, HELLO);
        (CidHash hash,) = pinning.cidHashOf(HELLO);
        uint64 seq = pinning.nextSeq();
        vm.expectEmit(false, true, true, true, address(pinning));
        emit IEstuaryPinning.UnpinRequested(0, hash, alice, seq, HELLO_BYTES);
        vm.expectEmit(true, true, false, true, address(pinning));
        emit IEstuaryPinning.PinStatusChanged(hash, alice, 0, seq + 1, IEstuaryPinning.PinStatus.None, 0, 0);
        Ask memory ask = _unpin(alice);
        assertEq(ask.terms.action, Actions.UNPIN);
        assertEq(ask.payload, abi.encode(UnpinPayload(HELLO_BYTES, alice)));
        assertEq(pinning.nextSeq(), seq + 2);
        _isOf(alice, IEstuaryPinning.PinStatus.None, 0, 0);
        assertEq(_fulfill(_success(ask, "")), 1);
        _isOf(alice, IEstuaryPinning.PinStatus.None, 0, 0);
    }

    function test_Unpin_OfARequestMakesItsLateAnswerCountForNothing() public {
        Ask memory ask = _askPin(alice, HELLO);
        _unpin(alice);
        _isOf(alice, IEstuaryPinning.PinStatus.None, 0, 0);
        _fulfill(_pinned(ask));
        _isOf(alice, IEstuaryPinning.PinStatus.None, 0, 0);
        _stateIs(ask.id, IExecutionProvider.RequestState.Answered);
    }

    function test_Unpin_OfARequestLeavesItsFeeToBeTakenBack() public {
        Ask memory ask = _askPin(alice, HELLO);
        _unpin(alice);
        vm.prank(alice);
        pinning.cancelRequest(ask.terms, ask.context);
        skip(1 hours);
        uint64 seq = pinning.nextSeq();
        pinning.settleRequest(ask.terms, ask.context);
        assertEq(provider.creditOf(alice), ask.terms.fee);
        assertEq(pinning.nextSeq(), seq, "nothing changed here");
    }

    function test_Unpin_ALateAnswerDoesNotTouchANewerRequest() public {
        Ask memory first = _askPin(alice, HELLO);
        _unpin(alice);
        Ask memory second = _askPin(alice, HELLO);
        _fulfill(_failure(first, Reasons.INVALID_CONTENT));
        _isOf(alice, IEstuaryPinning.PinStatus.Requested, 0, 0);
        _fulfill(_pinned(second));
        _isOf(alice, IEstuaryPinning.PinStatus.Pinned, uint40(block.timestamp) + 180 days, 0);
    }

    function test_Unpin_LeavesThePinsOfOthers() public {
        _pinned(alice, HELLO);
        _pinned(bob, HELLO);
        _unpin(alice);
        assertEq(uint8(pinning.statusOf(HELLO)), uint8(IEstuaryPinning.PinStatus.Pinned));
        _unpin(bob);
        assertEq(uint8(pinning.statusOf(HELLO)), uint8(IEstuaryPinning.PinStatus.None));
    }

    // ------------------------------------------------------ cancel and settle

    function test_Cancel_RevertWhen_ByAnotherOrWithAnotherContext() public {
        Ask memory ask = _askPin(alice, HELLO);
        vm.expectRevert(abi.encodeWithSelector(IEstuaryPinning.EstuaryPinning_NotRequester.selector, bob, alice));
        vm.prank(bob);
        pinning.cancelRequest(ask.terms, ask.context);
        vm.startPrank(alice);
        vm.expectRevert(IEstuaryPinning.EstuaryPinning_ContextMismatch.selector);
        pinning.cancelRequest(ask.terms, "");
        bytes memory context = ask.context;
        context[0] ^= 0x01;
        vm.expectRevert(IEstuaryPinning.EstuaryPinning_ContextMismatch.selector);
        pinning.cancelRequest(ask.terms, context);
        context[0] ^= 0x01;
        ask.terms.consumer = alice;
        vm.expectRevert(IEstuaryPinning.EstuaryPinning_ContextMismatch.selector);
        pinning.cancelRequest(ask.terms, context);
    }

    function test_Cancel_ThenSettledIsNone() public {
        Ask memory ask = _askPin(alice, HELLO);
        vm.prank(alice);
        pinning.cancelRequest(ask.terms, ask.context);
        _isOf(alice, IEstuaryPinning.PinStatus.Requested, 0, 0);
        skip(1 hours);
        pinning.settleRequest(ask.terms, ask.context);
        _isOf(alice, IEstuaryPinning.PinStatus.None, 0, 0);
        assertEq(provider.creditOf(alice), ask.terms.fee);
        _pinned(alice, HELLO);
    }

    function test_Cancel_AnAnswerInsideTheDelayWins() public {
        Ask memory ask = _askPin(alice, HELLO);
        vm.prank(alice);
        pinning.cancelRequest(ask.terms, ask.context);
        _fulfill(_pinned(ask));
        _isOf(alice, IEstuaryPinning.PinStatus.Pinned, uint40(block.timestamp) + 180 days, 0);
        skip(1 hours);
        vm.expectPartialRevert(IExecutionProvider.EstuaryProvider_NotOpen.selector);
        pinning.settleRequest(ask.terms, ask.context);
    }

    function test_Settle_RevertWhen_ItCanStillBeAnswered() public {
        Ask memory ask = _askPin(alice, HELLO);
        skip(1 days);
        vm.expectPartialRevert(IExecutionProvider.EstuaryProvider_NotRefundable.selector);
        pinning.settleRequest(ask.terms, ask.context);
    }

    function test_Settle_AfterTheDeadlineIsFailed() public {
        Ask memory ask = _askPin(alice, HELLO);
        skip(1 days + 1);
        provider.refund(ask.terms);
        pinning.settleRequest(ask.terms, ask.context);
        assertEq(provider.creditOf(alice), ask.terms.fee);
        _isOf(alice, IEstuaryPinning.PinStatus.Failed, 0, Reasons.EXPIRED);
        uint64 seq = pinning.nextSeq();
        pinning.settleRequest(ask.terms, ask.context);
        assertEq(pinning.nextSeq(), seq);
    }

    function test_Settle_OfAnOldRequestLeavesTheNewerOne() public {
        Ask memory old = _askPin(alice, HELLO);
        skip(1 days + 1);
        _askPin(alice, HELLO);
        pinning.settleRequest(old.terms, old.context);
        _isOf(alice, IEstuaryPinning.PinStatus.Requested, 0, 0);
    }

    function test_Answer_RetriedLateStillCounts() public {
        // The callback failed once for want of promised gas; meanwhile the request lapsed in the eyes of this contract.
        Ask memory ask = _askPin(alice, HELLO);
        vm.mockCallRevert(address(pinning), abi.encodePacked(Oracle.onOracleResult.selector), "");
        _fulfill(_pinned(ask));
        vm.clearMockedCalls();
        skip(2 days);
        pinning.expire(hello, alice);
        _isOf(alice, IEstuaryPinning.PinStatus.Failed, 0, Reasons.EXPIRED);
        provider.retryCallback(_pinned(ask));
        _isOf(alice, IEstuaryPinning.PinStatus.Pinned, uint40(block.timestamp) + 178 days, 0);
    }

    // ----------------------------------------------------------------- expire

    function test_Expire_RevertWhen_NothingIsOver() public {
        _expectNotExpired();
        Ask memory ask = _askPin(alice, HELLO);
        _expectNotExpired();
        _fulfill(_pinned(ask));
        _expectNotExpired();
        skip(180 days);
        pinning.expire(hello, alice);
        _isOf(alice, IEstuaryPinning.PinStatus.Expired, uint40(block.timestamp), 0);
        _expectNotExpired();
    }

    // --------------------------------------------------------------- statusOf

    function test_StatusOf_IsTheBestOfAll() public {
        _bestIs(IEstuaryPinning.PinStatus.None);
        _fulfill(_failure(_askPin(alice, HELLO), Reasons.INVALID_CONTENT));
        _bestIs(IEstuaryPinning.PinStatus.Failed);
        Ask memory ask = _askPin(bob, HELLO);
        _bestIs(IEstuaryPinning.PinStatus.Requested);
        _fulfill(_pinned(ask));
        _bestIs(IEstuaryPinning.PinStatus.Pinned);
        skip(180 days);
        _bestIs(IEstuaryPinning.PinStatus.Expired);
        _askPin(alice, HELLO);
        _bestIs(IEstuaryPinning.PinStatus.Requested);
    }

    function test_StatusOf_OthersLapse() public {
        _fulfill(_failure(_askPin(alice, HELLO), Reasons.INVALID_CONTENT));
        _askPin(bob, HELLO);
        skip(1 days);
        _bestIs(IEstuaryPinning.PinStatus.Requested);
        skip(1);
        _bestIs(IEstuaryPinning.PinStatus.Failed);
    }

    function test_StatusOf_IsExactAfterExpireWhenTheLongestWasDropped() public {
        address carol = makeAddr("carol");
        vm.deal(carol, 1 ether);
        _fulfill(_failure(_askPin(alice, HELLO), Reasons.INVALID_CONTENT));
        _pinned(bob, HELLO);
        skip(10 days);
        _pinned(carol, HELLO); // ten days longer than bob's
        _unpin(carol);
        skip(170 days); // bob's is over, the bound is carol's
        _bestIs(IEstuaryPinning.PinStatus.Pinned);
        pinning.expire(hello, bob);
        _bestIs(IEstuaryPinning.PinStatus.Expired);
    }

    // ----------------------------------------------------------- construction

    function test_Constructor_RevertWhen_OutOfRange() public {
        PinningConfig memory c = _pinningConfig();
        c.defaultMaxBytes = 0;
        _expectConfig("defaultMaxBytes", c);
        c = _pinningConfig();
        c.mostMaxBytes = c.defaultMaxBytes - 1;
        _expectConfig("defaultMaxBytes", c);
        c = _pinningConfig();
        c.minTerm = 0;
        _expectConfig("minTerm", c);
        c = _pinningConfig();
        c.defaultTerm = c.maxTerm + 1;
        _expectConfig("defaultTerm", c);
        c = _pinningConfig();
        c.maxTerm = 36_500 days + 1;
        _expectConfig("maxTerm", c);
        c = _pinningConfig();
        c.requestTerm = 8 hours - 1;
        _expectConfig("requestTerm", c);
        c = _pinningConfig();
        c.callbackGas = 2_000_001;
        _expectConfig("callbackGas", c);
        vm.expectRevert(Oracle.Oracle_ZeroProvider.selector);
        factory.pinning(IExecutionProvider(address(0)), _pinningConfig());
    }

    // ----------------------------------------------------------------- helpers

    function _pinned(address who, string memory cid) private {
        _fulfill(_pinned(_askPin(who, cid)));
    }

    function _extend(address who, uint40 expiry) private returns (Ask memory) {
        vm.recordLogs();
        vm.prank(who);
        pinning.extend{ value: 1 ether }(hello, expiry);
        return _lastAsk();
    }

    function _unpin(address who) private returns (Ask memory) {
        (uint96 fee,) = pinning.quoteUnpin();
        vm.recordLogs();
        vm.prank(who);
        pinning.unpin{ value: fee }(hello);
        return _lastAsk();
    }

    function _cids(uint256 count) private pure returns (bytes[] memory cids) {
        cids = new bytes[](count);
        for (uint256 i = 0; i < count; ++i) {
            cids[i] = abi.encodePacked(hex"01701220", keccak256(abi.encode(i)));
        }
    }

    function _isOf(address who, IEstuaryPinning.PinStatus status, uint40 expiry, uint8 reason) private view {
        (IEstuaryPinning.PinStatus is_, uint40 until, uint8 why) = pinning.statusOf(hello, who);
        assertEq(uint8(is_), uint8(status), "status");
        assertEq(until, expiry, "expiry");
        assertEq(why, reason, "reason");
    }

    function _bestIs(IEstuaryPinning.PinStatus status) private view {
        assertEq(uint8(pinning.statusOf(HELLO)), uint8(status), "best");
        assertEq(uint8(pinning.statusOf(hello)), uint8(status), "best by bytes");
    }

    function _expiryError(uint40 expiry, uint40 earliest, uint40 latest) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IEstuaryPinning.EstuaryPinning_ExpiryOutOfRange.selector, expiry, earliest, latest);
    }

    function _expectRefusal(bytes memory err, PinOptions memory options) private {
        vm.expectRevert(err);
        vm.prank(alice);
        pinning.pinToEstuary{ value: 1 ether }(hello, options);
    }

    function _expectNoExtension(bytes memory err, uint40 expiry) private {
        vm.expectRevert(err);
        vm.prank(alice);
        pinning.extend{ value: 1 ether }(hello, expiry);
    }

    function _expectNoUnpin(bytes memory err) private {
        vm.expectRevert(err);
        vm.prank(alice);
        pinning.unpin{ value: 1 ether }(hello);
    }

    function _expectNotExpired() private {
        vm.expectPartialRevert(IEstuaryPinning.EstuaryPinning_NotExpired.selector);
        pinning.expire(hello, alice);
    }

    function _expectConfig(bytes32 field, PinningConfig memory c) private {
        vm.expectRevert(abi.encodeWithSelector(IEstuaryPinning.EstuaryPinning_ConfigOutOfRange.selector, field));
        factory.pinning(provider, c);
    }
}
