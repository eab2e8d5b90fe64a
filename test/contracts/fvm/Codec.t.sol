// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Actors, Codec, Exit, Methods } from "../../../contracts/fvm/Actors.sol";
import { Epochs } from "../../../contracts/fvm/Epochs.sol";
import { FilAddress } from "../../../contracts/fvm/FilAddress.sol";
import { DealProposal, Hooks, IFilecoinMethod } from "../../../contracts/fvm/Hooks.sol";
import { PieceCid } from "../../../contracts/fvm/PieceCid.sol";
import { CodecHarness } from "./Harness.sol";
import { Vectors } from "./Vectors.sol";

contract CodecTest is Vectors {
    CodecHarness private codec = new CodecHarness();

    // --------------------------------------------------------- of the reference

    function test_MethodNumbersAreThoseOfTheirNames() public view {
        Method[] memory list = abi.decode(_load("cbor.json", ".methods", METHOD), (Method[]));
        uint64[27] memory ours = [
            Methods.AUTHENTICATE_MESSAGE,
            Methods.MARKET_NOTIFY_DEAL,
            Methods.SECTOR_CONTENT_CHANGED,
            Methods.UNIVERSAL_RECEIVER_HOOK,
            Methods.GET_DEAL_DATA_COMMITMENT,
            Methods.GET_DEAL_CLIENT,
            Methods.GET_DEAL_PROVIDER,
            Methods.GET_DEAL_LABEL,
            Methods.GET_DEAL_TERM,
            Methods.GET_DEAL_TOTAL_PRICE,
            Methods.GET_DEAL_CLIENT_COLLATERAL,
            Methods.GET_DEAL_PROVIDER_COLLATERAL,
            Methods.GET_DEAL_VERIFIED,
            Methods.GET_DEAL_ACTIVATION,
            Methods.GET_DEAL_SECTOR,
            Methods.GET_OWNER,
            Methods.IS_CONTROLLING_ADDRESS,
            Methods.VALIDATE_SECTOR_STATUS,
            Methods.GET_NOMINAL_SECTOR_EXPIRATION,
            Methods.MINER_POWER,
            Methods.GET_CLAIMS,
            Methods.EXTEND_CLAIM_TERMS,
            Methods.TRANSFER,
            Methods.BALANCE,
            Methods.INCREASE_ALLOWANCE,
            Methods.DECREASE_ALLOWANCE,
            Methods.ALLOWANCE
        ];
        assertEq(list.length, ours.length);
        for (uint256 i = 0; i < ours.length; ++i) {
            assertEq(ours[i], list[i].number, list[i].name);
        }
    }

    function test_ValuesOfTheReference() public view {
        Value[] memory list = abi.decode(_load("cbor.json", ".values", VALUE), (Value[]));
        assertGt(list.length, 350);
        for (uint256 i = 0; i < list.length; ++i) {
            Value memory v = list[i];
            (bool ok, bytes memory got) = codec.read(v.kind, v.data);
            assertTrue(ok, v.kind);
            assertEq(got, v.solidity, v.kind);
            if (_isWritten(v.kind)) assertEq(codec.write(v.kind, v.solidity), v.data, v.kind);
        }
    }

    function test_RepliesOfTheReference() public view {
        Reply[] memory list = abi.decode(_load("cbor.json", ".replies", REPLY), (Reply[]));
        assertGt(list.length, 10);
        for (uint256 i = 0; i < list.length; ++i) {
            bool[][] memory accepted = new bool[][](list[i].pieces.length);
            for (uint256 j = 0; j < accepted.length; ++j) {
                accepted[j] = new bool[](list[i].pieces[j]);
                for (uint256 k = 0; k < accepted[j].length; k += 2) {
                    accepted[j][k] = true;
                }
            }
            assertEq(codec.sectorContentReply(accepted), list[i].data);
        }
    }

    function test_AddressesOfTheReference() public view {
        Address[] memory list = abi.decode(_load("cbor.json", ".addresses", ADDRESS), (Address[]));
        assertGt(list.length, 90);
        for (uint256 i = 0; i < list.length; ++i) {
            Address memory a = list[i];
            assertEq(codec.isValid(a.data), a.valid, vm.toString(a.data));
            (bool isId, uint64 id) = codec.readId(a.data);
            assertEq(isId, a.isId, vm.toString(a.data));
            assertEq(id, a.id, vm.toString(a.data));
            if (a.isId) assertEq(codec.fromId(a.id), a.data);
        }
    }

    /// @dev Whole bytes and spoilt ones: taken here just where the decoder in Go takes them.
    function test_VerdictsOfTheReference() public view {
        Verdict[] memory list = abi.decode(_load("cbor.json", ".verdicts", VERDICT), (Verdict[]));
        uint256 accepted = 0;
        for (uint256 i = 0; i < list.length; ++i) {
            (bool ok,) = codec.read(list[i].kind, list[i].data);
            assertEq(ok, list[i].accepted, string.concat(list[i].kind, " ", vm.toString(list[i].data)));
            if (ok) ++accepted;
        }
        assertGt(accepted, 100);
        assertGt(list.length - accepted, 500);
    }

    // ---------------------------------------------------------- for the reference

    /// @dev What is written here is kept in a file, which scripts/fvmvectors has Go read. TIDEGATE_UPDATE=1 writes it.
    function test_WritesWhatGoReads() public {
        string memory list;
        uint256 seed = 0x7469646567617465;
        for (uint256 i = 0; i < 120; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            (string memory kind, bytes memory value) = _random(i, seed);
            list = string.concat(list, i == 0 ? "[\n" : ",\n", _row(kind, value, codec.write(kind, value)));
        }
        list = string.concat(list, "\n]\n");
        string memory file = string.concat(DIR, "solidity.json");
        if (vm.envOr("TIDEGATE_UPDATE", false)) vm.writeFile(file, list);
        assertEq(vm.readFile(file), list, "TIDEGATE_UPDATE=1 writes the file anew");
    }

    function _random(uint256 i, uint256 seed) private pure returns (string memory kind, bytes memory value) {
        uint256 kinds = i % 8;
        uint256 number = seed >> (seed % 256);
        bytes memory data = new bytes(seed % 300);
        for (uint256 j = 0; j < data.length; ++j) {
            data[j] = bytes1(uint8((seed >> (j % 31)) & 0x7f));
        }
        if (kinds == 0) return ("u64", abi.encode(uint64(number)));
        if (kinds == 1) return ("i64", abi.encode(int64(int256(seed) >> (192 + seed % 60))));
        if (kinds == 2) return ("amount", abi.encode(number));
        if (kinds == 3) return ("bytes", abi.encode(data));
        if (kinds == 4) return ("text", abi.encode(data));
        bytes32 root = bytes32(seed & ~uint256(0xc0));
        if (kinds == 5) return ("piece", abi.encode(root));
        DealProposal memory p;
        (p.commitment, p.pieceSize, p.verified) = (root, uint64(number), seed % 2 == 0);
        p.client = FilAddress.fromId(uint64(number) >> 1);
        p.provider = FilAddress.toBytes(address(uint160(seed)));
        (p.label, p.labelIsText) = (data, kinds == 6);
        (p.startEpoch, p.endEpoch) = (int64(uint64(number) >> 1), -int64(uint64(seed) >> 1));
        (p.pricePerEpoch, p.providerCollateral) = (number, seed);
        return ("proposal", abi.encode(p));
    }

    function _row(string memory kind, bytes memory value, bytes memory data) private pure returns (string memory) {
        return string.concat(
            '{"kind":"',
            kind,
            '","solidity":"',
            vm.toString(value),
            string.concat('","data":"', vm.toString(data), '"}')
        );
    }

    /// @dev Numbers of the platform as it documents them; methods are above.
    function test_NumbersOfThePlatform() public pure {
        assertEq(IFilecoinMethod.handle_filecoin_method.selector, bytes4(0x868e10c4));
        assertEq(Hooks.MARKET, FilAddress.masked(Actors.MARKET));
        assertEq(Hooks.DATACAP, FilAddress.masked(Actors.DATACAP));
        assertEq(Hooks.MARKET, 0xff00000000000000000000000000000000000005);
        assertEq(FilAddress.masked(Actors.BURNT_FUNDS), 0xff00000000000000000000000000000000000063);
        assertEq(Actors.POWER, 4);
        assertEq(Actors.VERIFREG, 6);
        assertEq(Hooks.FRC46, 2_233_613_279);
        assertEq(Codec.CBOR, 0x51);
        assertEq(Epochs.MIN_TERM, 518_400);
        assertEq(Epochs.MAX_TERM, 3_680_640);
        assertEq(Methods.SEND, 0);
        assertEq(Exit.NOT_FOUND, 17);
        assertEq(Exit.DEAL_EXPIRED, 32);
        assertEq(Exit.DEAL_NOT_ACTIVATED, 33);
    }

    // -------------------------------------------------------------------- hooks

    /// @dev A reader of parameters takes none of another shape.
    function test_HooksRefuse() public view {
        Value[] memory list = abi.decode(_load("cbor.json", ".values", VALUE), (Value[]));
        uint256 tried = 0;
        for (uint256 i = 0; i < list.length; ++i) {
            bytes32 k = keccak256(bytes(list[i].kind));
            if (k != keccak256("authenticate") && k != keccak256("notify") && k != keccak256("tokens")) continue;
            ++tried;
            _refuses(list[i].kind, bytes.concat(list[i].data, hex"00"), "trailing");
            bytes memory data = bytes.concat(list[i].data);
            data[0] = 0x83;
            _refuses(list[i].kind, data, "three");
            data[0] = 0x82;
            data[5] ^= 0x01; // of a signature, of a proposal's head, of the type of token
            if (k != keccak256("authenticate")) _refuses(list[i].kind, data, "another");
        }
        assertEq(tried, 18);
    }

    function test_PieceCidV2HasOneSpelling() public {
        bytes32 root = bytes32(uint256(1) << 200);
        bytes memory cid = PieceCid.v2(root, 127);
        assertEq(cid, bytes.concat(hex"0155912022", hex"00", hex"02", root));
        (bytes32 got, uint64 padded, uint64 payload) = codec.pieceOf(cid);
        assertEq(got, root);
        assertEq(padded, 128);
        assertEq(payload, 127);
        bytes[3] memory others = [
            bytes.concat(hex"0155912023", hex"8000", hex"02", root), // the same padding in two bytes
            bytes.concat(hex"0155912024", hex"808000", hex"02", root),
            bytes.concat(hex"0155912023", hex"ff01", hex"03", root) // a tree of which half is padding
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(PieceCid.PieceCid_Malformed.selector, others[i]));
            codec.pieceOf(others[i]);
        }
    }

    function test_BoostParams() public view {
        assertEq(
            codec.boostParams("http://a", 1000, true, false),
            bytes.concat(hex"84", hex"68", "http://a", hex"1903e8", hex"f5", hex"f4")
        );
    }

    // --------------------------------------------------------------------- fuzz

    function testFuzz_ScalarsComeBack(uint64 u, int64 i, uint256 amount, bytes calldata data, bool b) public view {
        _roundTrip("u64", abi.encode(u));
        _roundTrip("i64", abi.encode(i));
        _roundTrip("amount", abi.encode(amount));
        _roundTrip("bytes", abi.encode(data));
        _roundTrip("text", abi.encode(data));
        _roundTrip("bool", abi.encode(b));
    }

    function testFuzz_ProposalsComeBack(DealProposal memory p) public view {
        p.commitment &= ~bytes32(uint256(0xc0));
        p.client = codec.fromId(uint64(uint256(keccak256(p.client)) >> 193));
        p.provider = abi.encodePacked(bytes2(0x040a), bytes20(keccak256(p.provider)));
        _roundTrip("proposal", abi.encode(p));
    }

    /// @dev Whatever the bytes, nothing reverts, and what is taken is written the same again.
    function testFuzz_ReadersNeverRevert(bytes calldata data) public view {
        string[12] memory kinds = [
            "authenticate",
            "notify",
            "tokens",
            "proposal",
            "sectors",
            "commitment",
            "epochs",
            "owner",
            "u64",
            "amount",
            "piece",
            "text"
        ];
        for (uint256 i = 0; i < kinds.length; ++i) {
            (bool ok, bytes memory value) = codec.read(kinds[i], data);
            if (ok && i >= 8) assertEq(codec.write(kinds[i], value), data, kinds[i]);
        }
        codec.isValid(data);
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_SpoiltProposalsNeverRevert(uint256 which, uint256 at, uint8 byte_) public view {
        Verdict[] memory list = abi.decode(_load("cbor.json", ".verdicts", VERDICT), (Verdict[]));
        bytes memory data = list[which % list.length].data;
        if (data.length == 0) return;
        data[at % data.length] = bytes1(byte_);
        (bool ok, bytes memory value) = codec.read("proposal", data);
        if (ok) assertEq(codec.write("proposal", value), data);
    }

    function test_AnArrayOfAMillionTakesNoMemory() public view {
        uint256 before = gasleft();
        (bool ok,) = codec.read("sectors", hex"9a000f4240");
        assertFalse(ok);
        (ok,) = codec.read("sectors", hex"8183000a9a000f4240");
        assertFalse(ok);
        assertLt(before - gasleft(), 100_000);
    }

    /// @dev Reading, and answering, costs the same for every piece more.
    function test_NotificationsAreLinear() public {
        uint256[3] memory gasOf;
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory params = _pieces(30 * (i + 1));
            (bool ok, bytes memory value) = codec.read("sectors", params);
            gasOf[i] = vm.lastCallGas().gasTotalUsed;
            assertTrue(ok);
            assertGt(value.length, 30 * (i + 1) * 160, "all of them");
        }
        uint256 first = gasOf[1] - gasOf[0];
        uint256 second = gasOf[2] - gasOf[1];
        emit log_named_uint("gas of 30 pieces, with the ABI's copies", first);
        assertApproxEqRel(second, first, 0.1e18);
    }

    /// @dev One sector with so many pieces, 24 to 255.
    function _pieces(uint256 count) private view returns (bytes memory out) {
        bytes memory cid = codec.write("piece", abi.encode(bytes32(uint256(1) << 200)));
        bytes memory piece = bytes.concat(hex"83", cid, hex"188040");
        out = abi.encodePacked(bytes4(0x8183000a), bytes1(0x98), uint8(count));
        for (uint256 i = 0; i < count; ++i) {
            out = bytes.concat(out, piece);
        }
    }

    function _roundTrip(string memory kind, bytes memory value) private view {
        (bool ok, bytes memory got) = codec.read(kind, codec.write(kind, value));
        assertTrue(ok, kind);
        assertEq(got, value, kind);
    }

    function _refuses(string memory kind, bytes memory data, string memory why) private view {
        (bool ok,) = codec.read(kind, data);
        assertFalse(ok, string.concat(kind, ": ", why));
    }

    function _isWritten(string memory kind) private pure returns (bool) {
        bytes32 k = keccak256(bytes(kind));
        return k != keccak256("sectors") && k != keccak256("authenticate") && k != keccak256("notify")
            && k != keccak256("tokens");
    }
}
