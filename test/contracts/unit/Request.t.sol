// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IEstuaryProvider, Price } from "../../../contracts/interfaces/IEstuaryProvider.sol";
import {
    Actions,
    IExecutionProvider,
    PinPayload,
    RequestOptions
} from "../../../contracts/interfaces/IExecutionProvider.sol";
import { Base } from "../Base.t.sol";
import { Pen } from "../Pen.sol";
import { Vm } from "forge-std/Vm.sol";

contract RequestTest is Base {
    // ------------------------------------------------------------------ quote

    function test_Quote_RevertWhen_ActionNotOffered() public {
        vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_NotOffered.selector, Actions.SERVED));
        provider.quote(Actions.SERVED, 0, 0, 0);
    }

    function test_Quote_RevertWhen_PriceWithdrawn() public {
        Price memory price = _price();
        price.offered = false;
        vm.prank(owner);
        provider.setPrice(Actions.PIN, price);
        vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_NotOffered.selector, Actions.PIN));
        provider.quote(Actions.PIN, 1, 0, 0);
    }

    function test_Quote_AddsItsPartsRoundedUp() public view {
        uint40 inAMonth = uint40(block.timestamp) + 30 days;
        (uint96 fee,) = provider.quote(Actions.PIN, 1, inAMonth, 1000);
        assertEq(fee, 0.02 ether + 0.0001 ether + 0.0001 ether + 1000 * uint256(CAP), "one byte is one MiB");
        (fee,) = provider.quote(Actions.PIN, (3 << 20) + 1, inAMonth + 15 days, 0);
        assertEq(fee, 0.02 ether + 4 * 0.0001 ether + 6 * 0.0001 ether, "4 MiB for one month and a half");
        (fee,) = provider.quote(Actions.PIN, 1, uint40(block.timestamp) + 1, 0);
        assertEq(fee, 0.02 ether + 0.0001 ether + uint256(0.0001 ether) / 30 days + 1, "a second");
    }

    function test_Quote_APartOfAnAttoIsOne() public {
        vm.prank(owner);
        provider.setPrice(Actions.PIN, Price(0, 0, 1, 1000, true));
        (uint96 fee,) = provider.quote(Actions.PIN, 1, uint40(block.timestamp) + 1, 0);
        assertEq(fee, 1);
        (fee,) = provider.quote(Actions.PIN, 1, uint40(block.timestamp) + 30 days, 0);
        assertEq(fee, 1);
        (fee,) = provider.quote(Actions.PIN, 1, uint40(block.timestamp) + 30 days + 1, 0);
        assertEq(fee, 2);
    }

    function test_Quote_ChargesNoTermForAPastExpiry() public view {
        (uint96 fee,) = provider.quote(Actions.PIN, 1 << 20, 0, 0);
        assertEq(fee, 0.02 ether + 0.0001 ether);
    }

    function test_Quote_AttemptFeeIsAShareOfTheFee() public view {
        (uint96 fee, uint96 attemptFee) = provider.quote(Actions.UNPIN, 0, 0, 0);
        assertEq(attemptFee, fee / 10);
    }

    function test_Quote_AttemptFeeIsAtMostWhatReportingCosts() public view {
        (, uint96 attemptFee) = provider.quote(Actions.PIN, 32 * GIGABYTE, uint40(block.timestamp) + 360 days, 5000);
        assertEq(attemptFee, (uint256(_config().reportGas) + 5000) * CAP);
    }

    function testFuzz_Quote_AttemptFeeIsBounded(uint64 maxBytes, uint40 expiry, uint32 callbackGas, uint16 bps) public {
        maxBytes = uint64(bound(maxBytes, 0, 1 << 50));
        Price memory price = _price();
        price.attemptBps = uint16(bound(bps, 0, 1000));
        vm.prank(owner);
        provider.setPrice(Actions.PIN, price);
        (uint96 fee, uint96 attemptFee) = provider.quote(Actions.PIN, maxBytes, expiry, callbackGas);
        assertLe(attemptFee, fee / 10);
        assertLe(attemptFee, (uint256(_config().reportGas) + callbackGas) * CAP);
    }

    // ---------------------------------------------------------------- request

    function test_Request_RevertWhen_Paused() public {
        vm.prank(owner);
        provider.setIntakePaused(true);
        _expectRefusal(abi.encodeWithSelector(IEstuaryProvider.EstuaryProvider_IntakePaused.selector), 1 ether, _ok());
    }

    function test_Request_RevertWhen_NotOffered() public {
        vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_NotOffered.selector, 9));
        provider.request{ value: 1 ether }(9, 0, 0, "", "", _ok());
    }

    function test_Request_RevertWhen_Underpaid() public {
        (uint96 fee,) = provider.quote(Actions.UNPIN, 0, 0, 0);
        bytes memory err = abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_Underpaid.selector, fee - 1, fee);
        _expectRefusal(err, fee - 1, _ok());
    }

    function test_Request_RevertWhen_DeadlineTooNear() public {
        RequestOptions memory options = _ok();
        uint40 earliest = uint40(block.timestamp) + 8 hours;
        options.deadline = earliest - 1;
        bytes4 selector = IExecutionProvider.EstuaryProvider_DeadlineTooNear.selector;
        _expectRefusal(abi.encodeWithSelector(selector, earliest - 1, earliest), 1 ether, options);
    }

    function test_Request_RevertWhen_DeadlineTooFar() public {
        RequestOptions memory options = _ok();
        uint40 latest = uint40(block.timestamp) + 30 days;
        options.deadline = latest + 1;
        bytes4 selector = IEstuaryProvider.EstuaryProvider_DeadlineTooFar.selector;
        _expectRefusal(abi.encodeWithSelector(selector, latest + 1, latest), 1 ether, options);
    }

    function test_Request_RevertWhen_CallbackGasTooHigh() public {
        RequestOptions memory options = _ok();
        options.callbackGas = 2_000_001;
        bytes4 selector = IExecutionProvider.EstuaryProvider_CallbackGasTooHigh.selector;
        _expectRefusal(abi.encodeWithSelector(selector, 2_000_001, 2_000_000), 1 ether, options);
    }

    function test_Request_RevertWhen_RefundToIsZero() public {
        RequestOptions memory options = _ok();
        options.refundTo = address(0);
        _expectRefusal(abi.encodeWithSelector(IEstuaryProvider.EstuaryProvider_ZeroRefundTo.selector), 1 ether, options);
    }

    function test_Request_RevertWhen_PayloadTooLarge() public {
        vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_PayloadTooLarge.selector, 4097, 4096));
        provider.request{ value: 1 ether }(Actions.UNPIN, 0, 0, new bytes(4097), "", _ok());
    }

    function test_Request_RevertWhen_ContextTooLarge() public {
        vm.expectRevert(abi.encodeWithSelector(IEstuaryProvider.EstuaryProvider_ContextTooLarge.selector, 1025, 1024));
        provider.request{ value: 1 ether }(Actions.UNPIN, 0, 0, "", new bytes(1025), _ok());
    }

    function test_Request_RevertWhen_PinPayloadTooShort() public {
        vm.expectRevert(IEstuaryProvider.EstuaryProvider_PayloadMismatch.selector);
        provider.request{ value: 1 ether }(Actions.PIN, 0, 0, new bytes(223), "", _ok());
    }

    function test_Request_RevertWhen_PinPayloadSaysMoreThanPriced() public {
        PinPayload memory pin = _pin();
        _expectMismatch(pin.maxBytes - 1, pin.expiry, abi.encode(pin));
        _expectMismatch(pin.maxBytes, pin.expiry - 1, abi.encode(pin));
    }

    function test_Request_RevertWhen_PinPayloadBeginsElsewhere() public {
        PinPayload memory pin = _pin();
        // Same words where they are looked for, but a decoder is led to another struct behind them.
        bytes memory payload = bytes.concat(abi.encode(pin), abi.encode(pin));
        payload[31] = 0x40;
        _expectMismatch(pin.maxBytes, pin.expiry, payload);
    }

    function test_Request_StoresOpenUnderTheHashOfItsTerms() public {
        Ask memory ask = _askDirect(alice, 0, "context");
        assertEq(ask.id, Pen.idOf(address(provider), ask.terms));
        assertEq(ask.id, provider.idOf(ask.terms));
        _stateIs(ask.id, IExecutionProvider.RequestState.Open);
        assertEq(ask.terms.consumer, alice);
        assertEq(ask.terms.payloadHash, keccak256(hex"01"));
        assertEq(ask.terms.contextHash, keccak256("context"));
        assertEq(ask.terms.attemptUntil, block.timestamp + 30 minutes);
    }

    function test_Request_TakesTheNextSeq() public {
        uint64 seq = provider.nextSeq();
        assertEq(_askDirect(alice, 0, "").terms.seq, seq);
        assertEq(provider.nextSeq(), seq + 1);
    }

    function test_Request_CreditsTheSurplus() public {
        (uint96 fee,) = provider.quote(Actions.UNPIN, 0, 0, 0);
        uint64 seq = provider.nextSeq();
        RequestOptions memory options = _ok();
        options.refundTo = bob;
        vm.recordLogs();
        provider.request{ value: fee + 7 }(Actions.UNPIN, 0, 0, "", "", options);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs[1].topics[0], IEstuaryProvider.SurplusCredited.selector);
        assertEq(logs[1].topics[2], bytes32(uint256(uint160(bob))));
        assertEq(logs[1].data, abi.encode(seq + 1, uint256(7)));
        assertEq(provider.creditOf(bob), 7);
        assertEq(provider.nextSeq(), seq + 2);
    }

    function test_Request_GivesEqualRequestsDifferentIds() public {
        assertNotEq(_askDirect(alice, 0, "x").id, _askDirect(alice, 0, "x").id);
    }

    function test_Request_LargestEventIsUnderEightKiB() public {
        vm.recordLogs();
        provider.request{ value: 1 ether }(Actions.UNPIN, 0, 0, new bytes(4096), new bytes(1024), _ok());
        assertLt(vm.getRecordedLogs()[0].data.length, 8192);
    }

    function testFuzz_Request_EmitsWhatWasAsked(bytes calldata payload, bytes calldata context, uint32 callbackGas)
        public
    {
        vm.assume(payload.length <= 4096 && context.length <= 1024);
        callbackGas = uint32(bound(callbackGas, 0, 2_000_000));
        (uint96 fee,) = provider.quote(Actions.UNPIN, 0, 0, callbackGas);
        RequestOptions memory options = _options(callbackGas, bob);
        vm.recordLogs();
        vm.prank(alice);
        bytes32 id = provider.request{ value: fee }(Actions.UNPIN, 0, 0, payload, context, options);
        Vm.Log memory log = vm.getRecordedLogs()[0];
        Ask memory ask;
        ask.terms.seq = provider.nextSeq() - 1;
        ask.terms.consumer = alice;
        ask.terms.action = Actions.UNPIN;
        ask.terms.callbackGas = callbackGas;
        ask.terms.deadline = options.deadline;
        ask.terms.attemptUntil = uint40(block.timestamp) + 30 minutes;
        ask.terms.refundTo = bob;
        (ask.terms.fee, ask.terms.attemptFee) = provider.quote(Actions.UNPIN, 0, 0, callbackGas);
        ask.terms.payloadHash = keccak256(payload);
        ask.terms.contextHash = keccak256(context);
        assertEq(log.data, abi.encode(ask.terms, payload, context), "as the compiler encodes it");
        assertEq(log.topics[1], id);
        assertEq(log.topics[2], bytes32(uint256(uint160(alice))));
        assertEq(log.topics[3], bytes32(uint256(Actions.UNPIN)));
        assertEq(id, Pen.idOf(address(provider), ask.terms));
    }

    // ----------------------------------------------------------------- helpers

    function _ok() private view returns (RequestOptions memory) {
        return _options(0, alice);
    }

    function _pin() private view returns (PinPayload memory pin) {
        pin.cid = HELLO_BYTES;
        pin.maxBytes = 1 << 20;
        pin.expiry = uint40(block.timestamp) + 30 days;
    }

    function _expectRefusal(bytes memory err, uint256 value, RequestOptions memory options) private {
        vm.expectRevert(err);
        provider.request{ value: value }(Actions.UNPIN, 0, 0, "", "", options);
    }

    function _expectMismatch(uint64 maxBytes, uint40 expiry, bytes memory payload) private {
        vm.expectRevert(IEstuaryProvider.EstuaryProvider_PayloadMismatch.selector);
        provider.request{ value: 1 ether }(Actions.PIN, maxBytes, expiry, payload, "", _ok());
    }
}
