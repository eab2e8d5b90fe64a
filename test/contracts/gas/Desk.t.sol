// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DealRef, IDealStatusOracle } from "../../../contracts/interfaces/IDealStatusOracle.sol";
import { Price, ProviderConfig } from "../../../contracts/interfaces/IEstuaryProvider.sol";
import {
    Actions,
    IExecutionProvider,
    Outcomes,
    Report,
    Terms
} from "../../../contracts/interfaces/IExecutionProvider.sol";
import { IStatusDesk } from "../../../contracts/interfaces/IStatusDesk.sol";
import { EstuaryProvider } from "../../../contracts/oracle/EstuaryProvider.sol";
import { StatusDesk } from "../../../contracts/status/StatusDesk.sol";
import { Pen } from "../Pen.sol";
import { Factory } from "../mocks/Factory.sol";
import { StatusBase } from "../status/StatusBase.sol";
import { Vm } from "forge-std/Vm.sol";

/// @notice What asking StatusDesk costs, at a real provider, without the transaction's base cost and calldata; and its answer, of two
/// operators of three, in which stand-ins are asked that cost other than actors do.
contract DeskGasTest is StatusBase {
    uint32 private constant CALLBACK_GAS = 1_000_000;

    EstuaryProvider private provider;
    StatusDesk private desk;
    uint256[] private keys; // ascending by address

    function setUp() public override {
        super.setUp();
        vm.warp(1_800_000_000);
        address[] memory signers = new address[](3);
        for (uint256 i = 0; i < 3; ++i) {
            (address signer, uint256 key) = makeAddrAndKey(string.concat("desk", vm.toString(i)));
            keys.push(key);
            signers[i] = signer;
            for (uint256 j = i; j > 0 && signers[j - 1] > signers[j]; --j) {
                (signers[j - 1], signers[j]) = (signers[j], signers[j - 1]);
                (keys[j - 1], keys[j]) = (keys[j], keys[j - 1]);
            }
        }
        keys.pop(); // two are enough
        ProviderConfig memory config = ProviderConfig({
            minDeadline: 8 hours,
            maxDeadline: 30 days,
            cancelDelay: 1 hours,
            minAttempt: 30 minutes,
            activationDelay: 2 days,
            drainWindow: 1 days,
            maxCallbackGas: 2_000_000,
            callOverhead: 10_000,
            reportGas: 80_000,
            baseGas: 35_000,
            byteGas: 12
        });
        provider = Factory(vm.deployCode("Factory.sol:Factory")).provider(config, address(this), signers, 2, 100 gwei);
        provider.setPrice(Actions.DEAL_STATUS, Price(0.01 ether, 0, 0, 1000, true));
        desk = new StatusDesk(provider, oracle);
        vm.deal(address(this), 100 ether);
    }

    function test_AskAndAnswer() public {
        DealRef memory ref = _deal(_active());
        oracle.refresh(ref, ""); // that it stands is known; the answer says that it stands still
        _asked(ref, "first");
        (Report[] memory reports, bytes[] memory signatures) = _asked(ref, "again");
        bytes[] memory one = new bytes[](1);
        one[0] = signatures[0];
        bytes32 config = provider.configDigest();
        vm.expectRevert();
        provider.fulfill(config, reports, one);
        vm.roll(START + 1);
        provider.fulfill(config, reports, signatures);
        vm.snapshotGasLastCall("Status", "StatusDesk: an answer of two operators of three, proven by stand-ins");
        IStatusDesk.Answer memory a = desk.answerOf(ref);
        assertEq(uint8(a.status), uint8(IDealStatusOracle.Status.Active));
        assertTrue(a.proven, "proven");
        assertEq(a.epoch, START + 1);
        bytes32 id = Pen.idOf(address(provider), reports[0].terms);
        assertEq(uint8(provider.stateOf(id)), uint8(IExecutionProvider.RequestState.Answered));
    }

    function test_Size() public {
        vm.snapshotValue("Status", "size of StatusDesk", address(desk).code.length);
        assertLe(address(desk).code.length, 24_576);
    }

    /// @dev Asks, and gives the answer that the operators sign.
    function _asked(DealRef memory ref, string memory when)
        private
        returns (Report[] memory reports, bytes[] memory signatures)
    {
        uint96 fee = desk.quote(CALLBACK_GAS);
        vm.recordLogs();
        desk.ask{ value: fee }(ref, CALLBACK_GAS, address(this));
        vm.snapshotGasLastCall("Status", string.concat("StatusDesk: ask, ", when));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        reports = new Report[](1);
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IExecutionProvider.OracleRequested.selector) continue;
            (Terms memory terms,, bytes memory context) = abi.decode(logs[i].data, (Terms, bytes, bytes));
            bytes memory result = abi.encode(IDealStatusOracle.Status.Active, START, bytes(""));
            reports[0] = Report(terms, Outcomes.SUCCEEDED, 0, result, context);
        }
        signatures = Pen.sign(address(provider), provider.configDigest(), reports, keys);
    }
}
