// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { CidHash } from "../../../contracts/interfaces/IEstuaryPinning.sol";
import { Cids } from "../../../contracts/pinning/Cids.sol";
import { Spell } from "./Spell.sol";
import { Test } from "forge-std/Test.sol";

contract CidsTest is Test {
    // Written by Kubo.
    string internal constant EMPTY_V0 = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";
    string internal constant EMPTY_V1 = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
    string internal constant README_V0 = "QmS4ustL54uo8FzR9455qaxZwuMiUhyvMcX9Ba8nUH4uVv";
    string internal constant README_V1 = "bafybeibxm2nsadl3fnxv2sxcxmxaco2jl53wpeorjdzidjwf5aqdg7wa6u";
    string internal constant HELLO = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

    function parse(bytes memory text) public pure returns (bytes memory cid, CidHash hash) {
        return Cids.fromText(text);
    }

    function check(bytes memory cid) public pure returns (CidHash) {
        return Cids.hashOf(cid);
    }

    // ------------------------------------------------------------ well-formed

    function test_FromText_KnownToKubo() public view {
        bytes32 empty = 0x59948439065f29619ef41280cbb932be52c56d99c5966b65e0111239f098bbef;
        _is(EMPTY_V0, abi.encodePacked(hex"1220", empty));
        _is(EMPTY_V1, abi.encodePacked(hex"01701220", empty));
        bytes32 readme = 0x37669b200d7b2b6f5d4ae2bb2e013b495f776791d148f281a6c5e820337ec0f5;
        _is(README_V0, abi.encodePacked(hex"1220", readme));
        _is(README_V1, abi.encodePacked(hex"01701220", readme));
        _is(HELLO, abi.encodePacked(hex"01551220", sha256("hello world")));
        _is(
            "f01551220b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
            abi.encodePacked(hex"01551220", sha256("hello world"))
        );
        _is("zdj7WbTaiJT1fgatdet9Ei9iDB5hdCxkbVyhyh8YTUnXMiwYi", abi.encodePacked(hex"01701220", empty));
    }

    function test_HashOf_VersionsOfOneBlockAgree() public view {
        (, CidHash v0) = this.parse(bytes(EMPTY_V0));
        (, CidHash v1) = this.parse(bytes(EMPTY_V1));
        assertEq(CidHash.unwrap(v0), CidHash.unwrap(v1));
        assertEq(
            CidHash.unwrap(v0), keccak256(hex"122059948439065f29619ef41280cbb932be52c56d99c5966b65e0111239f098bbef")
        );
    }

    function testFuzz_FromText_EveryBaseGivesTheBytes(uint64 codec, uint64 code, bytes memory digest) public view {
        bytes memory cid = _cid(codec, code, digest);
        bytes32 hash = CidHash.unwrap(this.check(cid));
        string[5] memory texts = [
            string.concat("z", Spell.base58(cid)),
            string.concat("b", Spell.base32(cid)),
            Spell.upper(string.concat("b", Spell.base32(cid))),
            string.concat("f", Spell.base16(cid)),
            Spell.upper(string.concat("f", Spell.base16(cid)))
        ];
        for (uint256 i = 0; i < texts.length; ++i) {
            (bytes memory got, CidHash gotHash) = this.parse(bytes(texts[i]));
            assertEq(got, cid, texts[i]);
            assertEq(CidHash.unwrap(gotHash), hash);
        }
    }

    function testFuzz_FromText_V0(bytes32 digest) public view {
        _is(Spell.base58(abi.encodePacked(hex"1220", digest)), abi.encodePacked(hex"1220", digest));
    }

    function test_FromText_EveryLengthOfIdentity() public view {
        for (uint256 size = 1; size <= 128; ++size) {
            bytes memory digest = new bytes(size);
            for (uint256 i = 0; i < size; ++i) {
                digest[i] = bytes1(uint8(255 - i));
            }
            bytes memory cid = bytes.concat(hex"015500", Spell.varint(size), digest);
            _is(string.concat("z", Spell.base58(cid)), cid);
            _is(string.concat("b", Spell.base32(cid)), cid);
        }
    }

    function testFuzz_FromText_LeavesMemoryClean(bytes32 digest, bytes memory after_) public pure {
        // What is allocated next must not overlap what was decoded, nor find it dirty.
        bytes memory cid = abi.encodePacked(hex"01551220", digest);
        (bytes memory got,) = Cids.fromText(bytes(string.concat("b", Spell.base32(cid))));
        bytes memory copy = bytes.concat(after_);
        uint256[] memory fresh = new uint256[](8);
        for (uint256 i = 0; i < 8; ++i) {
            assertEq(fresh[i], 0);
        }
        assertEq(got, cid);
        assertEq(copy, after_);
        (got,) = Cids.fromText(bytes(string.concat("z", Spell.base58(cid))));
        copy = bytes.concat(after_);
        assertEq(got, cid);
        assertEq(copy, after_);
    }

    // --------------------------------------------------------- malformed text

    function test_FromText_RevertWhen_EmptyOrLong() public {
        vm.expectRevert(Cids.Cids_Empty.selector);
        this.parse("");
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_TooLong.selector, 321, 320));
        this.parse(new bytes(321));
    }

    function test_FromText_RevertWhen_OnlyAPrefix() public {
        bytes5 prefixes = "bBfFz";
        for (uint256 i = 0; i < 5; ++i) {
            vm.expectRevert(Cids.Cids_Empty.selector);
            this.parse(abi.encodePacked(prefixes[i]));
        }
    }

    function test_FromText_RevertWhen_AnotherBase() public {
        for (uint256 i = 0; i < 256; ++i) {
            bytes1 c = bytes1(uint8(i));
            if (c == "b" || c == "B" || c == "f" || c == "F" || c == "z" || c == "Q") continue;
            vm.expectRevert(abi.encodeWithSelector(Cids.Cids_UnknownBase.selector, c));
            this.parse(abi.encodePacked(c, "afkrei"));
        }
    }

    function test_FromText_RevertWhen_CharacterOutsideTheAlphabet() public {
        _everyBadCharacter(bytes(HELLO), Spell.BASE32, true);
        _everyBadCharacter(bytes("zdj7WbTaiJT1fgatdet9Ei9iDB5hdCxkbVyhyh8YTUnXMiwYi"), Spell.BASE58, false);
        _everyBadCharacter(
            bytes("f01551220b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"), Spell.BASE16, true
        );
    }

    function test_FromText_RevertWhen_BitsAreLeftOver() public {
        // 36 bytes are 58 characters of base32 with two bits to spare: the last one may only end in 00.
        bytes memory text = bytes(HELLO);
        for (uint8 add = 1; add < 4; ++add) {
            bytes memory other = bytes.concat(text);
            other[58] = bytes1(uint8(text[58]) + add); // e → f, g, h
            vm.expectRevert(Cids.Cids_BadPadding.selector);
            this.parse(other);
        }
    }

    function test_FromText_RevertWhen_ACharacterTooMany() public {
        vm.expectRevert(Cids.Cids_BadPadding.selector);
        this.parse(bytes.concat(bytes(HELLO), "a"));
        vm.expectRevert(Cids.Cids_BadPadding.selector);
        this.parse("f015512200");
        vm.expectRevert(Cids.Cids_BadPadding.selector);
        this.parse("baf7");
    }

    function test_FromText_RevertWhen_V0BehindAPrefixOrV1WithoutOne() public {
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_BadVersion.selector, 0x12));
        this.parse(bytes.concat("z", bytes(EMPTY_V0)));
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_BadVersion.selector, 0x12));
        this.parse(bytes(string.concat("b", Spell.base32(abi.encodePacked(hex"1220", keccak256(""))))));
        // Text that begins with Q and is no CIDv0: a character short, a character long, something else.
        bytes memory text = bytes(EMPTY_V0);
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_UnknownBase.selector, bytes1("Q")));
        this.parse(bytes.concat(text, "1"));
        assembly {
            mstore(text, 45)
        }
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_UnknownBase.selector, bytes1("Q")));
        this.parse(text);
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_UnknownBase.selector, bytes1("Q")));
        this.parse("QQQQ");
    }

    function test_FromText_RevertWhen_LeadingOneInBase58() public {
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_BadVersion.selector, 0));
        this.parse(bytes(string.concat("z1", Spell.base58(abi.encodePacked(hex"01551220", keccak256(""))))));
    }

    // -------------------------------------------------------- malformed bytes

    function testFuzz_HashOf_RevertWhen_Cut(bytes32 digest, uint256 size) public {
        bytes memory cid = abi.encodePacked(hex"01551220", digest);
        size = bound(size, 0, 35);
        assembly {
            mstore(cid, size)
        }
        vm.expectRevert();
        this.check(cid);
    }

    function testFuzz_HashOf_RevertWhen_Appended(uint64 codec, uint64 code, bytes memory digest, bytes1 more) public {
        vm.expectRevert();
        this.check(bytes.concat(_cid(codec, code, digest), more));
    }

    function test_HashOf_RevertWhen_AnotherVersion() public {
        for (uint256 version = 0; version < 256; ++version) {
            if (version == 1 || version == 0x12) continue;
            vm.expectRevert(abi.encodeWithSelector(Cids.Cids_BadVersion.selector, version));
            this.check(abi.encodePacked(uint8(version), hex"551220", keccak256("")));
        }
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_BadDigestLength.selector, 32, 33));
        this.check(abi.encodePacked(hex"1220", keccak256(""), hex"00"));
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_BadDigestLength.selector, 32, 0));
        this.check(hex"12");
    }

    function test_HashOf_RevertWhen_VarintBad() public {
        bytes32 d = keccak256("");
        _badVarint(abi.encodePacked(hex"01d5001220", d), 1); // 0x55 in two bytes
        _badVarint(abi.encodePacked(hex"0155920020", d), 2);
        _badVarint(abi.encodePacked(hex"015512a000", d), 3);
        _badVarint(abi.encodePacked(hex"01ffffffffffffffffff01", hex"1220", d), 1); // ten bytes
        _badVarint(hex"0155", 2);
        _badVarint(hex"0180", 1);
        _badVarint(hex"01551280", 3);
        // Nine bytes are the most.
        this.check(abi.encodePacked(hex"01ffffffffffffffff7f", hex"1220", d));
    }

    function test_HashOf_RevertWhen_DigestLengthBad() public {
        _badLength(hex"01551200", 0, 0);
        _badLength(hex"01550000", 0, 0);
        _badLength(hex"0155120200", 2, 1);
        _badLength(hex"015512020000aa", 2, 3);
        _badLength(bytes.concat(hex"01551241", new bytes(65)), 65, 65);
        _badLength(bytes.concat(hex"0155008101", new bytes(129)), 129, 129);
        this.check(bytes.concat(hex"01551240", new bytes(64)));
        this.check(bytes.concat(hex"0155008001", new bytes(128)));
        vm.expectPartialRevert(Cids.Cids_TooLong.selector);
        this.check(new bytes(200));
    }

    /// @dev Canonical: whatever parses is version 1 or 0, and spelling its parts again gives the same bytes.
    function testFuzz_HashOf_WhatParsesIsCanonical(bytes memory junk, uint256 shape) public view {
        bytes memory cid = junk;
        if (shape % 4 == 1) cid = bytes.concat(hex"01", junk);
        if (shape % 4 == 2) cid = bytes.concat(hex"015512", junk);
        if (shape % 4 == 3 && junk.length < 128) cid = bytes.concat(hex"015500", bytes1(uint8(junk.length)), junk);
        try this.check(cid) returns (CidHash hash) {
            uint256 at = Cids.multihashAt(cid);
            bytes memory multihash = new bytes(cid.length - at);
            for (uint256 i = 0; i < multihash.length; ++i) {
                multihash[i] = cid[at + i];
            }
            assertEq(CidHash.unwrap(hash), keccak256(multihash));
            (bytes memory again,) =
                this.parse(bytes(at == 0 ? Spell.base58(cid) : string.concat("b", Spell.base32(cid))));
            assertEq(again, cid);
        } catch { }
    }

    /// @dev Nothing that is parsed panics or runs away: errors are the library's own.
    function testFuzz_FromText_AnyTextParsesOrIsRefusedByName(bytes memory text, uint256 base) public view {
        bytes5 prefixes = "bfzQB";
        if (text.length > 0) text[0] = prefixes[base % 5];
        try this.parse(text) { }
        catch (bytes memory err) {
            assertNotEq(bytes4(err), bytes4(keccak256("Panic(uint256)")));
            assertGe(err.length, 4);
        }
    }

    // ----------------------------------------------------------------- helpers

    function _is(string memory text, bytes memory cid) private view {
        (bytes memory got, CidHash hash) = this.parse(bytes(text));
        assertEq(got, cid, text);
        assertEq(CidHash.unwrap(hash), CidHash.unwrap(this.check(cid)));
    }

    function _cid(uint64 codec, uint64 code, bytes memory digest) private pure returns (bytes memory) {
        uint256 most = code == 0 ? 128 : 64;
        uint256 size = digest.length == 0 ? 1 : digest.length > most ? most : digest.length;
        bytes memory cut = new bytes(size);
        for (uint256 i = 0; i < size && i < digest.length; ++i) {
            cut[i] = digest[i];
        }
        return bytes.concat(hex"01", Spell.varint(codec >> 1), Spell.varint(code >> 1), Spell.varint(size), cut);
    }

    function _everyBadCharacter(bytes memory text, bytes memory alphabet, bool eitherCase) private {
        for (uint256 i = 0; i < 256; ++i) {
            bytes1 c = bytes1(uint8(i));
            bool known;
            for (uint256 k = 0; k < alphabet.length; ++k) {
                if (alphabet[k] == c) known = true;
                if (eitherCase && alphabet[k] >= "a" && uint8(alphabet[k]) - 32 == i) known = true;
            }
            if (known) continue;
            bytes memory other = bytes.concat(text);
            other[1 + i % (text.length - 1)] = c;
            vm.expectRevert(Cids.Cids_BadCharacter.selector);
            this.parse(other);
        }
    }

    function _badVarint(bytes memory cid, uint256 at) private {
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_BadVarint.selector, at));
        this.check(cid);
    }

    function _badLength(bytes memory cid, uint256 said, uint256 is_) private {
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_BadDigestLength.selector, said, is_));
        this.check(cid);
    }
}
