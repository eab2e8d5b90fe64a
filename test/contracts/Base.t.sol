// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Price, ProviderConfig } from "../../contracts/interfaces/IEstuaryProvider.sol";
import {
    Actions,
    IExecutionProvider,
    Outcomes,
    Reasons,
    Report,
    RequestOptions,
    Terms
} from "../../contracts/interfaces/IExecutionProvider.sol";
import { EstuaryProvider } from "../../contracts/oracle/EstuaryProvider.sol";
import { EstuaryPinning, PinningConfig } from "../../contracts/pinning/EstuaryPinning.sol";
import { Pen } from "./Pen.sol";
import { Factory } from "./mocks/Factory.sol";
import { Test } from "forge-std/Test.sol";
import { Vm } from "forge-std/Vm.sol";

/// @notice What every test starts from: a provider with five keyed operators to choose from, the pinning contract, and a
/// way to ask and to answer.
abstract contract Base is Test {
    uint64 internal constant CAP = 100 gwei;
    uint64 internal constant MAX_BYTES = 32 << 20;
    uint64 internal constant GIGABYTE = 1 << 30;

    // As Kubo writes them: an empty directory in both versions, the readme directory, and the raw block "hello world".
    string internal constant EMPTY_V0 = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";
    string internal constant EMPTY_V1 = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
    string internal constant README_V0 = "QmS4ustL54uo8FzR9455qaxZwuMiUhyvMcX9Ba8nUH4uVv";
    string internal constant README_V1 = "bafybeibxm2nsadl3fnxv2sxcxmxaco2jl53wpeorjdzidjwf5aqdg7wa6u";
    string internal constant HELLO = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    bytes internal constant HELLO_BYTES = hex"01551220b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";

    struct Ask {
        bytes32 id;
        Terms terms;
        bytes payload;
        bytes context;
    }

    Factory internal factory;
    EstuaryProvider internal provider;
    EstuaryPinning internal pinning;
    address internal owner = makeAddr("owner");
    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");
    address internal sender = makeAddr("sender");
    uint256[] internal keys; // ascending by address

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        keys = _sortedKeys("operator", 5);
        factory = Factory(vm.deployCode("Factory.sol:Factory"));
        provider = _deployProvider(1, 1);
        pinning = factory.pinning(provider, _pinningConfig());
        vm.deal(alice, 1000 ether);
        vm.deal(bob, 1000 ether);
        vm.deal(sender, 1000 ether);
        vm.deal(address(this), 1000 ether);
    }

    // ---------------------------------------------------------------- set-up

    function _config() internal pure returns (ProviderConfig memory) {
        return ProviderConfig({
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
    }

    function _pinningConfig() internal pure returns (PinningConfig memory) {
        return PinningConfig({
            defaultMaxBytes: MAX_BYTES,
            mostMaxBytes: 32 * GIGABYTE,
            defaultTerm: 180 days,
            minTerm: 1 hours,
            maxTerm: 540 days,
            requestTerm: 1 days,
            callbackGas: 80_000
        });
    }

    /// @dev A provider whose operators are the first `n` keys, k of which must sign, with both actions priced.
    function _deployProvider(uint8 k, uint256 n) internal returns (EstuaryProvider made) {
        made = factory.provider(_config(), owner, _operators(0, n), k, CAP);
        vm.startPrank(owner);
        made.setPrice(Actions.PIN, _price());
        made.setPrice(Actions.UNPIN, Price(0.01 ether, 0, 0, 1000, true));
        vm.stopPrank();
    }

    function _price() internal pure returns (Price memory) {
        return
            Price({
                base: 0.02 ether, perMiB: 0.0001 ether, perMiBMonth: 0.0001 ether, attemptBps: 1000, offered: true
            });
    }

    function _sortedKeys(string memory name, uint256 count) internal returns (uint256[] memory list) {
        list = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            (, list[i]) = makeAddrAndKey(string.concat(name, vm.toString(i)));
            for (uint256 j = i; j > 0 && vm.addr(list[j - 1]) > vm.addr(list[j]); --j) {
                (list[j - 1], list[j]) = (list[j], list[j - 1]);
            }
        }
    }

    function _operators(uint256 from, uint256 count) internal view returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = vm.addr(keys[from + i]);
        }
    }

    // ----------------------------------------------------------------- asking

    function _options(uint32 callbackGas, address refundTo) internal view returns (RequestOptions memory) {
        return RequestOptions(callbackGas, uint40(block.timestamp) + 1 days, refundTo);
    }

    /// @dev An unpin asked straight at the provider by `consumer`, with its context: the smallest request there is.
    function _askDirect(address consumer, uint32 callbackGas, bytes memory context) internal returns (Ask memory) {
        (uint96 fee,) = provider.quote(Actions.UNPIN, 0, 0, callbackGas);
        vm.deal(consumer, consumer.balance + fee);
        vm.recordLogs();
        vm.prank(consumer);
        provider.request{ value: fee }(Actions.UNPIN, 0, 0, hex"01", context, _options(callbackGas, consumer));
        return _lastAsk();
    }

    function _askPin(address who, string memory cid) internal returns (Ask memory) {
        (uint96 fee,) = pinning.quotePin();
        vm.recordLogs();
        vm.prank(who);
        pinning.pinToEstuary{ value: fee }(cid);
        return _lastAsk();
    }

    /// @dev What the last OracleRequested among the recorded logs says, as an operator reads it.
    function _lastAsk() internal returns (Ask memory ask) {
        Ask[] memory all = _asks();
        assertGt(all.length, 0, "no OracleRequested");
        return all[all.length - 1];
    }

    function _asks() internal returns (Ask[] memory list) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 count;
        list = new Ask[](logs.length);
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IExecutionProvider.OracleRequested.selector) continue;
            Ask memory ask = list[count++];
            ask.id = logs[i].topics[1];
            (ask.terms, ask.payload, ask.context) = abi.decode(logs[i].data, (Terms, bytes, bytes));
        }
        assembly {
            mstore(list, count)
        }
    }

    // -------------------------------------------------------------- answering

    function _success(Ask memory ask, bytes memory result) internal pure returns (Report memory) {
        return Report(ask.terms, Outcomes.SUCCEEDED, Reasons.NONE, result, ask.context);
    }

    function _failure(Ask memory ask, uint8 reason) internal pure returns (Report memory) {
        return Report(ask.terms, Outcomes.FAILED, reason, "", ask.context);
    }

    function _pinned(Ask memory ask) internal pure returns (Report memory) {
        return _success(ask, abi.encode(uint64(26), uint64(6_400_000)));
    }

    function _one(Report memory report) internal pure returns (Report[] memory list) {
        list = new Report[](1);
        list[0] = report;
    }

    function _keys(uint256 from, uint256 count) internal view returns (uint256[] memory list) {
        list = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = keys[from + i];
        }
    }

    function _fulfill(Report memory report) internal returns (uint256) {
        return _fulfill(_one(report));
    }

    function _fulfill(Report[] memory reports) internal returns (uint256) {
        return _fulfill(reports, _keys(0, provider.threshold()));
    }

    function _fulfill(Report[] memory reports, uint256[] memory by) internal returns (uint256 applied) {
        bytes32 digest = provider.configDigest();
        bytes[] memory signatures = Pen.sign(address(provider), digest, reports, by);
        vm.prank(sender);
        return provider.fulfill(digest, reports, signatures);
    }

    function _stateIs(bytes32 id, IExecutionProvider.RequestState state) internal view {
        assertEq(uint8(provider.stateOf(id)), uint8(state), "state");
    }

    /// @dev The reason in the only ReportSkipped among the recorded logs; None when there is none.
    function _skipped() internal returns (IExecutionProvider.Skip) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IExecutionProvider.ReportSkipped.selector) continue;
            (, IExecutionProvider.Skip why) = abi.decode(logs[i].data, (uint64, IExecutionProvider.Skip));
            return why;
        }
        return IExecutionProvider.Skip.None;
    }

    function _skippedAs(IExecutionProvider.Skip why) internal {
        assertEq(uint8(_skipped()), uint8(why), "skip");
    }
}
