// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DealsState, IDealDesk } from "../../../contracts/interfaces/IDealDesk.sol";
import { IEstuaryPinning } from "../../../contracts/interfaces/IEstuaryPinning.sol";
import { Outcomes, PinPayload } from "../../../contracts/interfaces/IExecutionProvider.sol";
import { DealTerms, IPerpetualStorage } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { EstuaryPinning } from "../../../contracts/pinning/EstuaryPinning.sol";
import { StorageBase } from "./StorageBase.sol";

contract DealDeskTest is StorageBase {
    EstuaryPinning internal desk;

    function setUp() public override {
        super.setUp();
        desk = factory.pinning(provider, _pinningConfig(), store);
    }

    function test_MakeDeals_TheAnswerBindsAndAnyoneOpens() public {
        Ask memory ask = _order(10 ether);
        assertEq(address(desk).balance, 10 ether);
        PinPayload memory asked = abi.decode(ask.payload, (PinPayload));
        assertEq(asked.cid, HELLO_BYTES);
        assertEq(asked.requester, client);
        assertGt(asked.maxBytes, 0);
        assertEq(_fulfill(_success(ask, abi.encode(PIECE, GIB, CAR_SIZE))), 1);
        _dealsAre(ask.id, DealsState.Prepared);
        (,,, bytes memory pieceCid, uint64 padded, uint64 car) = desk.dealsOf(ask.id);
        assertEq(pieceCid, PIECE);
        assertEq(padded, GIB);
        assertEq(car, CAR_SIZE);
        vm.prank(stranger);
        uint64 dealId = desk.openDeal(ask.id, HELLO_BYTES, _terms());
        assertEq(store.dealOf(dealId).client, client, "the deal is the caller's of makeDealsForCid");
        assertEq(_free(dealId), 10 ether);
        assertEq(address(desk).balance, 0);
        (,, uint96 left,,,) = desk.dealsOf(ask.id);
        assertEq(left, 0);
        vm.expectPartialRevert(IDealDesk.EstuaryPinning_WrongDealsState.selector);
        desk.openDeal(ask.id, HELLO_BYTES, _terms());
    }

    function test_OpenDeal_RevertWhen_TermsAreOthers() public {
        Ask memory ask = _order(10 ether);
        vm.expectPartialRevert(IDealDesk.EstuaryPinning_WrongDealsState.selector);
        desk.openDeal(ask.id, HELLO_BYTES, _terms());
        _fulfill(_success(ask, abi.encode(PIECE, GIB, CAR_SIZE)));
        DealTerms memory t = _terms();
        t.rate += 1;
        vm.expectRevert(IEstuaryPinning.EstuaryPinning_ContextMismatch.selector);
        desk.openDeal(ask.id, HELLO_BYTES, t);
        vm.expectRevert(IEstuaryPinning.EstuaryPinning_ContextMismatch.selector);
        desk.openDeal(ask.id, abi.encodePacked(hex"1220", bytes32(0)), _terms());
    }

    function test_MakeDeals_FailureRefundsTheClient() public {
        Ask memory ask = _order(10 ether);
        assertEq(_fulfill(_failure(ask, 1)), 1);
        _dealsAre(ask.id, DealsState.Refunded);
        (,, uint96 held,,,) = desk.dealsOf(ask.id);
        assertEq(held, 0);
        _takesBack(10 ether);
    }

    function test_MakeDeals_LateIsSettledByAnyone() public {
        Ask memory ask = _order(10 ether);
        vm.expectPartialRevert(bytes4(keccak256("EstuaryProvider_NotRefundable(bytes32,uint40)")));
        desk.settleDeals(ask.terms);
        vm.warp(ask.terms.deadline + 1);
        vm.prank(stranger);
        desk.settleDeals(ask.terms);
        vm.expectPartialRevert(IDealDesk.EstuaryPinning_WrongDealsState.selector);
        desk.settleDeals(ask.terms);
        assertEq(provider.creditOf(client), ask.terms.fee, "the fee is the client's at the provider");
        _takesBack(10 ether);
    }

    function test_AbandonDeals_ByTheClientOncePrepared() public {
        Ask memory ask = _order(10 ether);
        vm.prank(client);
        vm.expectPartialRevert(IDealDesk.EstuaryPinning_WrongDealsState.selector);
        desk.abandonDeals(ask.id);
        _fulfill(_success(ask, abi.encode(PIECE, GIB, CAR_SIZE)));
        // Nothing can be opened while the intake is paused; the money can be had back.
        vm.prank(owner);
        store.setIntakePaused(true);
        vm.expectRevert(IPerpetualStorage.PerpetualStorage_IntakePaused.selector);
        desk.openDeal(ask.id, HELLO_BYTES, _terms());
        vm.prank(stranger);
        vm.expectPartialRevert(IEstuaryPinning.EstuaryPinning_NotRequester.selector);
        desk.abandonDeals(ask.id);
        vm.prank(client);
        desk.abandonDeals(ask.id);
        _takesBack(10 ether);
    }

    function test_WithdrawEscrow_RevertWhen_NobodyTakesIt() public {
        _fulfill(_failure(_order(10 ether), 1));
        address[2] memory nobody = [address(0), address(facts)]; // the latter takes no money
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(client);
            vm.expectRevert(
                abi.encodeWithSelector(bytes4(keccak256("EstuaryProvider_TransferFailed(address)")), nobody[i])
            );
            desk.withdrawEscrow(nobody[i]);
        }
        _takesBack(10 ether);
    }

    function test_MakeDeals_RevertWhen_UnderpaidOrNotOffered() public {
        uint96 fee = desk.quoteDeals();
        vm.expectPartialRevert(bytes4(keccak256("EstuaryProvider_Underpaid(uint256,uint256)")));
        desk.makeDealsForCid{ value: fee - 1 }(HELLO_BYTES, _terms());
        vm.expectRevert(IDealDesk.EstuaryPinning_NoDeals.selector);
        pinning.makeDealsForCid{ value: 1 ether }(HELLO_BYTES, _terms());
        vm.expectRevert();
        desk.withdrawEscrow(stranger);
    }

    function test_MakeDeals_TheFeeAloneUpToAllThatFitsIn96Bits() public {
        Ask memory ask = _order(0);
        _holds(ask.id, 0);
        uint256 most = type(uint96).max;
        uint96 fee = desk.quoteDeals();
        vm.deal(client, 2 * most);
        ask = _order(most);
        _holds(ask.id, most);
        vm.deal(client, 2 * most);
        vm.prank(client);
        vm.expectRevert(abi.encodeWithSelector(IDealDesk.EstuaryPinning_ValueTooLarge.selector, most + 1));
        desk.makeDealsForCid{ value: fee + most + 1 }(HELLO_BYTES, _terms());
    }

    /// @dev EstuaryProvider answers a request once, and a pin's context is longer. Whatever it said beyond that moves no money.
    function test_Prepared_RevertWhen_NothingWasAskedOrItWasAnswered() public {
        Ask memory ask = _order(10 ether);
        _fulfill(_success(ask, abi.encode(PIECE, GIB, CAR_SIZE)));
        vm.startPrank(address(provider));
        vm.expectRevert(
            abi.encodeWithSelector(
                IDealDesk.EstuaryPinning_WrongDealsState.selector, ask.id, uint8(DealsState.Prepared)
            )
        );
        desk.onOracleResult(ask.id, ask.context, Outcomes.FAILED, 1, "");
        vm.expectRevert(
            abi.encodeWithSelector(
                IDealDesk.EstuaryPinning_WrongDealsState.selector, bytes32("no order"), uint8(DealsState.None)
            )
        );
        desk.onOracleResult("no order", ask.context, Outcomes.SUCCEEDED, 0, abi.encode(PIECE, GIB, CAR_SIZE));
        vm.stopPrank();
        _dealsAre(ask.id, DealsState.Prepared);
        assertEq(desk.escrowCreditOf(client), 0);
    }

    function test_MakeDeals_EventsHaveNoGap() public {
        uint64 seq = desk.nextSeq();
        Ask memory ask = _order(1 ether);
        assertEq(desk.nextSeq(), seq + 1);
        _fulfill(_success(ask, abi.encode(PIECE, GIB, CAR_SIZE)));
        assertEq(desk.nextSeq(), seq + 2);
        desk.openDeal(ask.id, HELLO_BYTES, _terms());
        assertEq(desk.nextSeq(), seq + 3);
    }

    function _order(uint256 value) private returns (Ask memory) {
        uint96 fee = desk.quoteDeals();
        vm.recordLogs();
        vm.prank(client);
        desk.makeDealsForCid{ value: fee + value }(HELLO_BYTES, _terms());
        return _lastAsk();
    }

    function _dealsAre(bytes32 id, DealsState expected) private view {
        (DealsState state,,,,,) = desk.dealsOf(id);
        assertEq(uint8(state), uint8(expected));
    }

    function _holds(bytes32 id, uint256 value) private view {
        _dealsAre(id, DealsState.Asked);
        (,, uint96 held,,,) = desk.dealsOf(id);
        assertEq(held, value);
    }

    function _takesBack(uint256 value) private {
        assertEq(desk.escrowCreditOf(client), value);
        uint256 before = client.balance;
        vm.prank(client);
        assertEq(desk.withdrawEscrow(client), value);
        assertEq(client.balance, before + value);
        assertEq(address(desk).balance, 0);
    }
}
