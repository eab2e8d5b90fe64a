// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IExecutionProvider } from "../../../contracts/interfaces/IExecutionProvider.sol";
import { EstuaryProvider } from "../../../contracts/oracle/EstuaryProvider.sol";
import { Consumer } from "../mocks/Consumers.sol";
import { Handler } from "./Handler.sol";
import { Test } from "forge-std/Test.sol";

/// @notice The invariants of README.md, by number. 7, 8 and 10 are asserted by the handler as it goes.
contract Invariants is Test {
    Handler internal handler;
    EstuaryProvider internal provider;

    function setUp() public {
        handler = Handler(vm.deployCode("Handler.sol:Handler"));
        provider = EstuaryProvider(handler.theProvider());
        bytes4[] memory actions = new bytes4[](15);
        actions[0] = handler.ask.selector;
        actions[1] = handler.answer.selector;
        actions[2] = handler.answerWithLittleGas.selector;
        actions[3] = handler.cancel.selector;
        actions[4] = handler.refund.selector;
        actions[5] = handler.retry.selector;
        actions[6] = handler.withdraw.selector;
        actions[7] = handler.changeMood.selector;
        actions[8] = handler.pause.selector;
        actions[9] = handler.rotate.selector;
        actions[10] = handler.pass.selector;
        actions[11] = handler.pin.selector;
        actions[12] = handler.extend.selector;
        actions[13] = handler.unpin.selector;
        actions[14] = handler.expire.selector;
        targetSelector(FuzzSelector(address(handler), actions));
        targetContract(address(handler));
    }

    function invariant_1_Solvency() public view {
        assertEq(address(provider).balance, handler.openFees() + handler.credits());
    }

    function invariant_2_Conservation() public view {
        assertEq(handler.received(), address(provider).balance + handler.withdrawn());
    }

    function invariant_3_NoRequestPaidAndRefunded() public view {
        bytes32[] memory ids = handler.allIds();
        for (uint256 i = 0; i < ids.length; ++i) {
            bytes32 id = ids[i];
            uint256 ends = handler.answeredEvents(id) + handler.refundedEvents(id);
            assertLe(ends, 1);
            IExecutionProvider.RequestState state = provider.stateOf(id);
            bool open =
                state == IExecutionProvider.RequestState.Open || state == IExecutionProvider.RequestState.Cancelling;
            assertEq(ends, open ? 0 : 1);
        }
    }

    function invariant_4_EveryRequestEnds() public {
        uint256 snapshot = vm.snapshotState();
        handler.endAll();
        vm.revertToState(snapshot);
    }

    function invariant_5_SeqHasNoGap() public view {
        assertEq(handler.seqSeen(), provider.nextSeq());
    }

    function invariant_6_ACallbackSucceedsAtMostOnce() public view {
        bytes32[] memory ids = handler.allIds();
        for (uint256 i = 0; i < ids.length; ++i) {
            bytes32 id = ids[i];
            address consumer = handler.entry(id).ask.terms.consumer;
            assertLe(handler.delivered(id), 1);
            bool isOurs;
            for (uint256 k = 0; k < 6; ++k) {
                if (address(handler.consumers(k)) == consumer) isOurs = true;
            }
            if (!isOurs) continue;
            assertEq(Consumer(payable(consumer)).callsOf(id), handler.delivered(id));
            if (handler.refundedEvents(id) != 0) assertEq(handler.delivered(id), 0);
        }
    }

    function invariant_8_StatesAreAsBooked() public view {
        bytes32[] memory ids = handler.allIds();
        for (uint256 i = 0; i < ids.length; ++i) {
            bytes32 id = ids[i];
            assertEq(uint8(provider.stateOf(id)), uint8(handler.entry(id).state));
        }
    }

    function invariant_9_PinsAreAsModelled() public {
        uint256 snapshot = vm.snapshotState();
        handler.checkPins();
        vm.revertToState(snapshot);
    }
}
