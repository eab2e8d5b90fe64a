// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Codec } from "../../../../contracts/fvm/Actors.sol";
import { FilAddress } from "../../../../contracts/fvm/FilAddress.sol";
import { IFilecoinMethod } from "../../../../contracts/fvm/Hooks.sol";
import { ActorExit, INative, InWorld, World } from "./World.sol";

/// @dev What both call precompiles do. The rules are those of builtin-actors, actors/evm/src/interpreter/precompiles/fvm.rs; a
/// precompile that fails gives no data, as here.
abstract contract CallPrecompile is InWorld {
    uint64 private constant READ_ONLY = 1;
    uint64 private constant MOST_RESERVED = 1023;

    int256 internal constant NO_FUNDS = -5;
    int256 internal constant NO_ACTOR = -6;
    int256 internal constant READ_ONLY_ERROR = -13;
    uint256 private constant SERIALIZATION = 21;
    uint256 private constant FORBIDDEN = 18;
    uint256 private constant REVERTED = 33;

    struct Call {
        uint64 method;
        uint256 value;
        uint64 flags;
        uint64 codec;
        bytes params;
    }

    function _run(Call memory c, bool found, uint64 id) internal returns (bytes memory) {
        _check(c);
        World world = _world();
        if (!found || !world.exists(id)) return _answer(NO_ACTOR, 0, "");
        bool readOnly = c.flags == READ_ONLY;
        if (readOnly && c.value != 0) return _answer(READ_ONLY_ERROR, 0, "");
        if (address(this).balance < c.value) return _answer(NO_FUNDS, 0, "");
        address place = world.placeOf(id);
        if (c.method == 0) return _pay(place, c.value);
        if (world.ethOf(id) != address(0)) return _contract(place, c, readOnly);
        // An account takes every exported method, and does nothing.
        if (place.code.length == 0) return _answer(c.method < 1 << 24 ? int256(FORBIDDEN) : int256(0), 0, "");
        return _native(place, c, readOnly);
    }

    function _check(Call memory c) internal pure {
        bool codecOk = c.codec == Codec.CBOR || (c.codec == Codec.NONE && c.params.length == 0);
        if (c.flags > READ_ONLY || !codecOk || (c.method != 0 && c.method <= MOST_RESERVED)) _fail();
    }

    function _answer(int256 exit, uint64 codec, bytes memory data) internal pure returns (bytes memory) {
        return abi.encode(exit, codec, data);
    }

    function _fail() internal pure {
        assembly ("memory-safe") {
            revert(0, 0)
        }
    }

    /// @dev No code of the payee runs: a contract that is made and undone at once leaves it the value.
    function _pay(address to, uint256 value) private returns (bytes memory) {
        bytes memory code = abi.encodePacked(bytes1(0x73), to, bytes1(0xff)); // PUSH20 to SELFDESTRUCT
        address made;
        assembly ("memory-safe") {
            made := create(value, add(code, 0x20), mload(code))
        }
        if (made == address(0)) _fail();
        return _answer(0, 0, "");
    }

    function _native(address to, Call memory c, bool readOnly) private returns (bytes memory) {
        bytes memory input = abi.encodeCall(INative.invoke, (c.method, c.codec, c.params));
        (bool ok, bytes memory out) = readOnly ? to.staticcall(input) : to.call{ value: c.value }(input);
        if (ok) {
            (uint64 codec, bytes memory data) = abi.decode(out, (uint64, bytes));
            return _answer(0, codec, data);
        }
        if (out.length == 36 && bytes4(out) == ActorExit.selector) {
            uint256 code;
            assembly ("memory-safe") {
                code := mload(add(out, 0x24))
            }
            return _answer(int256(code), 0, "");
        }
        // Anything else is a mistake of the stand-in or of the test, which no exit code may hide.
        assembly ("memory-safe") {
            revert(add(out, 0x20), mload(out))
        }
    }

    function _contract(address to, Call memory c, bool readOnly) private returns (bytes memory) {
        // A delegated account takes every method of 2^24 and more, and does nothing.
        if (to.code.length == 0) return _answer(0, 0, "");
        bytes memory input = abi.encodeCall(IFilecoinMethod.handle_filecoin_method, (c.method, c.codec, c.params));
        (bool ok, bytes memory out) = readOnly ? to.staticcall(input) : to.call{ value: c.value }(input);
        if (!ok) return _answer(int256(REVERTED), 0, "");
        if (out.length == 0) return _answer(0, 0, "");
        if (out.length < 128) return _answer(int256(SERIALIZATION), 0, "");
        (uint32 exit, uint64 codec, bytes memory data) = abi.decode(out, (uint32, uint64, bytes));
        if (codec != Codec.CBOR && !(codec == Codec.NONE && data.length == 0)) {
            return _answer(int256(SERIALIZATION), 0, "");
        }
        return _answer(int256(uint256(exit)), codec, data);
    }

    function _return(bytes memory out) internal pure {
        assembly ("memory-safe") {
            return(add(out, 0x20), mload(out))
        }
    }
}

/// @notice 0xfe…05: calls an actor by its id.
contract CallActorById is CallPrecompile {
    address private constant AT = 0xfe00000000000000000000000000000000000005;

    fallback() external payable {
        if (address(this) == AT) _fail(); // DELEGATECALL only
        Call memory c;
        uint64 id;
        (c.method, c.value, c.flags, c.codec, c.params, id) =
            abi.decode(msg.data, (uint64, uint256, uint64, uint64, bytes, uint64));
        _return(_run(c, true, id));
    }
}

/// @notice 0xfe…03: calls an actor by its address.
contract CallActorByAddress is CallPrecompile {
    address private constant AT = 0xfe00000000000000000000000000000000000003;

    fallback() external payable {
        if (address(this) == AT) _fail();
        Call memory c;
        bytes memory addr;
        (c.method, c.value, c.flags, c.codec, c.params, addr) =
            abi.decode(msg.data, (uint64, uint256, uint64, uint64, bytes, bytes));
        if (!FilAddress.isValid(addr)) _fail();
        World world = _world();
        uint64 id = world.idOf(addr);
        bool found = world.exists(id);
        // A transfer to an Ethereum address or to a key that nobody used yet makes the account.
        if (!found && c.method == 0 && (addr[0] == 0x01 || addr[0] == 0x03 || bytes2(addr) == 0x040a)) {
            _check(c);
            if (address(this).balance < c.value) _return(_answer(NO_FUNDS, 0, ""));
            id = bytes2(addr) == 0x040a ? world.register(_eth(addr)) : world.account(addr);
            found = true;
        }
        _return(_run(c, found, id));
    }

    function _eth(bytes memory addr) private pure returns (address) {
        return address(bytes20(bytes32(addr) << 16));
    }
}

/// @notice 0xfe…01: the id of an address, or nothing.
contract ResolveAddress is InWorld {
    fallback(bytes calldata addr) external returns (bytes memory) {
        if (!FilAddress.isValid(addr)) {
            assembly ("memory-safe") {
                revert(0, 0)
            }
        }
        World world = _world();
        uint64 id = world.idOf(addr);
        // f0 is its own answer, whether there is such an actor or not.
        if (addr[0] != 0 && !world.exists(id)) return "";
        return abi.encode(id);
    }
}

/// @notice 0xfe…02: the delegated address of an id, or nothing.
contract LookupDelegated is InWorld {
    fallback(bytes calldata word) external returns (bytes memory) {
        address eth = _world().ethOf(abi.decode(word, (uint64)));
        return eth == address(0) ? bytes("") : abi.encodePacked(bytes2(0x040a), eth);
    }
}
