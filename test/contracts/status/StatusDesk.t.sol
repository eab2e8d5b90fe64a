// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DealRef, IDealStatusOracle } from "../../../contracts/interfaces/IDealStatusOracle.sol";
import {
    Actions,
    IExecutionProvider,
    Outcomes,
    RequestOptions
} from "../../../contracts/interfaces/IExecutionProvider.sol";
import { IStatusDesk } from "../../../contracts/interfaces/IStatusDesk.sol";
import { Oracle } from "../../../contracts/oracle/Oracle.sol";
import { StatusDesk } from "../../../contracts/status/StatusDesk.sol";
import { StatusBase } from "./StatusBase.sol";

/// @dev Takes one request and gives what the test answers.
contract Provider {
    uint40 public constant minDeadline = 1 hours;
    uint16 public action;
    uint256 public sized; // 0: neither bytes nor an expiry
    uint256 public paid;
    bytes public payload;
    bytes public context;
    RequestOptions public options;

    function quote(uint16 a, uint64 maxBytes, uint40 expiry, uint32 gas_) external pure returns (uint96, uint96) {
        return (uint96(a) * 1000 + gas_ + 1e6 * uint96(maxBytes) + 1e9 * uint96(expiry), 0);
    }

    function request(uint16 a, uint64 m, uint40 e, bytes calldata p, bytes calldata c, RequestOptions calldata o)
        external
        payable
        returns (bytes32)
    {
        sized = uint256(m) + e;
        (action, paid, payload, context, options) = (a, msg.value, p, c, o);
        return keccak256("request");
    }

    function answer(StatusDesk desk, uint8 outcome, uint8 reason, bytes calldata result) external {
        desk.onOracleResult(keccak256("request"), context, outcome, reason, result);
    }
}

contract StatusDeskTest is StatusBase {
    bytes32 private constant ID = keccak256("request");
    Provider private provider = new Provider();
    StatusDesk private desk;

    function setUp() public override {
        super.setUp();
        desk = new StatusDesk(IExecutionProvider(address(provider)), oracle);
    }

    function _ask(DealRef memory ref) private {
        desk.ask{ value: 5 }(ref, 7, address(this));
    }

    function _answer(IDealStatusOracle.Status word, uint64 epoch, bytes memory location) private {
        provider.answer(desk, Outcomes.SUCCEEDED, 0, abi.encode(word, epoch, location));
    }

    function _has(DealRef memory ref, IDealStatusOracle.Status status, uint64 epoch, bool proven) private view {
        IStatusDesk.Answer memory a = desk.answerOf(ref);
        assertEq(uint8(a.status), uint8(status), "status");
        assertEq(a.epoch, epoch, "epoch");
        assertEq(a.proven, proven, "proven");
    }

    function test_Ask() public {
        DealRef memory ref = _deal(1);
        vm.expectEmit(address(desk));
        emit IStatusDesk.StatusRequested(ID, oracle.refHashOf(ref), address(this), 0, ref);
        _ask(ref);
        assertEq(provider.action(), Actions.DEAL_STATUS);
        assertEq(provider.sized(), 0);
        assertEq(provider.paid(), 5);
        assertEq(provider.payload(), abi.encode(ref));
        assertEq(provider.context(), abi.encode(ref));
        (uint32 gas_, uint40 deadline, address refundTo) = provider.options();
        assertEq(gas_, 7);
        assertEq(deadline, block.timestamp + 2 hours);
        assertEq(refundTo, address(this));
        assertEq(desk.quote(7), 5007);
        assertEq(desk.nextSeq(), 1);
    }

    function test_Ask_RevertWhen_BadRef() public {
        vm.expectRevert(IDealStatusOracle.DealStatusOracle_BadRef.selector);
        _ask(DealRef(1, 2, 3, 0));
    }

    function test_Ask_RevertWhen_NoRefundee() public {
        vm.expectRevert(IStatusDesk.StatusDesk_NoRefundee.selector);
        desk.ask(_deal(1), 7, address(0));
    }

    function test_Answer_RevertWhen_NotProvider() public {
        vm.expectRevert(abi.encodeWithSelector(Oracle.Oracle_NotProvider.selector, address(this)));
        desk.onOracleResult(ID, abi.encode(_deal(1)), Outcomes.SUCCEEDED, 0, "");
    }

    function test_Answer_ProvenByTheActors() public {
        DealRef memory ref = _deal(_active());
        _ask(ref);
        vm.roll(START + 1);
        _answer(IDealStatusOracle.Status.Lost, START, ""); // whatever the operators say
        _has(ref, IDealStatusOracle.Status.Active, START + 1, true);
        (IDealStatusOracle.Status found, uint64 epoch,) = oracle.statusOf(ref);
        assertEq(uint8(found), uint8(IDealStatusOracle.Status.Active));
        assertEq(epoch, START + 1);
        vm.roll(END);
        _answer(IDealStatusOracle.Status.Active, START, "");
        _has(ref, IDealStatusOracle.Status.Ended, END, true);
    }

    function test_Answer_TheWordWhereTheLocationShowsNothing() public {
        assertTrue(_tell(7, END));
        DealRef memory ref = _sector(7);
        _ask(ref);
        vm.roll(START);
        _answer(IDealStatusOracle.Status.Faulty, START - 1, hex"ff");
        _has(ref, IDealStatusOracle.Status.Faulty, START - 1, false);
        // What is older is told, and not kept.
        vm.expectEmit(address(desk));
        emit IStatusDesk.StatusAnswered(ID, oracle.refHashOf(ref), IDealStatusOracle.Status.Active, 2, START - 2, false);
        _answer(IDealStatusOracle.Status.Active, START - 2, hex"ff");
        _has(ref, IDealStatusOracle.Status.Faulty, START - 1, false);
    }

    function test_Answer_WhatWasToldAnEpochAgoProvesNothing() public {
        assertTrue(_tell(7, END));
        DealRef memory ref = _sector(7);
        _ask(ref);
        vm.roll(block.number + 1);
        _answer(IDealStatusOracle.Status.Lost, uint64(block.number), hex"ff"); // the last word that there is, of now
        _has(ref, IDealStatusOracle.Status.Lost, uint64(block.number), false);
        _answer(IDealStatusOracle.Status.Faulty, uint64(block.number), hex"ff");
        _has(ref, IDealStatusOracle.Status.Faulty, uint64(block.number), false); // of one epoch the later counts
    }

    function test_Answer_UnknownWhereNobodyKnows() public {
        DealRef memory ref = _sector(9); // never shown
        _ask(ref);
        bytes32 hash = oracle.refHashOf(ref);
        bytes[3] memory results = [
            abi.encode(uint8(255), uint64(10_000), bytes("")),
            abi.encode(uint8(6), uint64(10_000), bytes("")),
            abi.encode(uint8(2), uint64(10_001), bytes(""))
        ];
        for (uint64 i = 0; i < results.length; ++i) {
            vm.expectEmit(address(desk));
            emit IStatusDesk.StatusUnknown(ID, hash, 1 + i, 0);
            provider.answer(desk, Outcomes.SUCCEEDED, 0, results[i]);
        }
        _has(ref, IDealStatusOracle.Status.None, 0, false);
    }

    function test_Answer_AFailure() public {
        DealRef memory ref = _deal(_active());
        _ask(ref);
        vm.expectEmit(address(desk));
        emit IStatusDesk.StatusUnknown(ID, oracle.refHashOf(ref), 1, 8);
        provider.answer(desk, Outcomes.FAILED, 8, "");
        _has(ref, IDealStatusOracle.Status.None, 0, false);
    }
}
