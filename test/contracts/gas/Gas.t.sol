// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IEstuaryPinning, PinOptions } from "../../../contracts/interfaces/IEstuaryPinning.sol";
import { IExecutionProvider, Report } from "../../../contracts/interfaces/IExecutionProvider.sol";
import { PinnedNote } from "../../../contracts/samples/PinnedNote.sol";
import { RevertingNote } from "../../../contracts/samples/RevertingNote.sol";
import { Base } from "../Base.t.sol";
import { Pen } from "../Pen.sol";

/// @notice What a wallet and an operator pay for a whole transaction: the execution from cold storage, the base cost and the
/// calldata. Gas has a price, so the sender is paid; the sender is not the signer, and both have credits already. All is
/// prepared in `setUp`, which is another transaction. Numbers are in snapshots/; the project's ceilings are asserted here.
contract GasTest is Base {
    struct Prepared {
        address from;
        address to;
        uint256 value;
        bytes data;
        bytes32 answered; // a request that is Answered afterwards, or 0
    }

    mapping(string name => Prepared) private _prepared;
    Report[] private _direct;
    Report[] private _toPinning;

    function setUp() public override {
        super.setUp();
        vm.txGasPrice(1 gwei);
        // Somebody has used it all before: counters and credits are no longer zero.
        _fulfill(_pinned(_askPin(bob, README_V1)));
        for (uint256 i = 0; i < 50; ++i) {
            _direct.push(_pinned(_askDirect(alice, 0, "")));
            _toPinning.push(_pinned(_askPinBytes(alice, abi.encodePacked(hex"01551220", keccak256(abi.encode(i))))));
        }
        _prepareAsks();
        _prepareAnswer("one, no callback", _direct, 1, sender);
        _prepareAnswer("one, no callback, sender is the signer", _direct, 1, vm.addr(keys[0]));
        _prepareAnswer("one, to EstuaryPinning", _toPinning, 1, sender);
        _prepareAnswer("fifty, no callback", _direct, 50, sender);
        _prepareAnswer("fifty, to EstuaryPinning", _toPinning, 50, sender);
    }

    function test_AskByBytes() public {
        assertLe(_measure("Ask", "by bytes"), 115_000);
    }

    function test_AskByString() public {
        assertLe(_measure("Ask", "by string, base32"), 130_000);
    }

    function test_AskByStringV0() public {
        assertLe(_measure("Ask", "by string, base58 (CIDv0)"), 130_000);
    }

    function test_AskAsSecondRequester() public {
        assertLe(_measure("Ask", "by string, second requester of a CID"), 150_000);
    }

    function test_AskUnpin() public {
        assertLe(_measure("Ask", "unpin"), 100_000);
    }

    function test_AnswerWithoutCallback() public {
        assertLe(_measure("Answer", "one, no callback"), 65_000);
    }

    function test_AnswerWithoutCallbackByTheSigner() public {
        assertLe(_measure("Answer", "one, no callback, sender is the signer"), 65_000);
    }

    function test_AnswerToPinning() public {
        assertLe(_measure("Answer", "one, to EstuaryPinning"), 90_000);
    }

    function test_AnswerFiftyWithoutCallback() public {
        assertLe(_measure("Answer", "fifty, no callback"), 50 * 25_000);
    }

    function test_AnswerFiftyToPinning() public {
        assertLe(_measure("Answer", "fifty, to EstuaryPinning"), 50 * 32_000);
    }

    function test_Sizes() public {
        _size("EstuaryProvider", address(provider));
        _size("EstuaryPinning", address(pinning));
        _size("PinnedNote", address(new PinnedNote(provider, 100_000)));
        _size("RevertingNote", address(new RevertingNote(provider, 100_000)));
    }

    function _size(string memory name, address where) private {
        vm.snapshotValue("Sizes", name, where.code.length);
        assertLt(where.code.length, 24_576);
    }

    function _prepareAsks() private {
        (uint96 fee,) = pinning.quotePin();
        PinOptions memory options;
        _prepareAsk(
            "by bytes",
            alice,
            fee,
            abi.encodeWithSignature("pinToEstuary(bytes,(string[],string,uint64,uint40,uint8))", HELLO_BYTES, options)
        );
        _prepareAsk("by string, base32", alice, fee, abi.encodeWithSignature("pinToEstuary(string)", HELLO));
        _prepareAsk("by string, base58 (CIDv0)", alice, fee, abi.encodeWithSignature("pinToEstuary(string)", EMPTY_V0));
        _prepareAsk(
            "by string, second requester of a CID",
            alice,
            fee,
            abi.encodeWithSignature("pinToEstuary(string)", README_V1)
        );
        (uint96 unpinFee,) = pinning.quoteUnpin();
        (, bytes memory cid) = pinning.cidHashOf(README_V1);
        _prepareAsk("unpin", bob, unpinFee, abi.encodeCall(IEstuaryPinning.unpin, cid));
    }

    function _prepareAsk(string memory name, address from, uint256 fee, bytes memory data) private {
        _prepared[name] = Prepared(from, address(pinning), fee, data, 0);
    }

    function _prepareAnswer(string memory name, Report[] memory all, uint256 count, address from) private {
        Report[] memory reports = new Report[](count);
        for (uint256 i = 0; i < count; ++i) {
            reports[i] = all[i];
        }
        bytes32 digest = provider.configDigest();
        bytes[] memory signatures = Pen.sign(address(provider), digest, reports, _keys(0, 1));
        bytes memory data = abi.encodeCall(provider.fulfill, (digest, reports, signatures));
        bytes32 last = Pen.idOf(address(provider), reports[count - 1].terms);
        _prepared[name] = Prepared(from, address(provider), 0, data, last);
    }

    function _measure(string memory group, string memory name) private returns (uint256 gas) {
        Prepared memory p = _prepared[name];
        vm.prank(p.from);
        (bool ok,) = p.to.call{ value: p.value }(p.data);
        gas = vm.lastCallGas().gasTotalUsed + 21_000;
        assertTrue(ok, "call");
        for (uint256 i = 0; i < p.data.length; ++i) {
            gas += p.data[i] == 0 ? 4 : 16;
        }
        if (p.answered != 0) _stateIs(p.answered, IExecutionProvider.RequestState.Answered);
        vm.snapshotValue(group, name, gas);
    }

    function _askPinBytes(address who, bytes memory cid) private returns (Ask memory) {
        (uint96 fee,) = pinning.quotePin();
        PinOptions memory options;
        vm.recordLogs();
        vm.prank(who);
        pinning.pinToEstuary{ value: fee }(cid, options);
        return _lastAsk();
    }
}
