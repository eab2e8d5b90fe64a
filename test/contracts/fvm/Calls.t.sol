// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { ActorHarness } from "./ActorHarness.sol";
import { Vectors } from "./Vectors.sol";

/// @dev What a precompile is to be given next, and what it answers.
contract Script {
    bytes32 private _input;
    bytes private _output;

    function set(bytes calldata input, bytes calldata output) external {
        (_input, _output) = (keccak256(input), output);
    }

    function play(bytes calldata input) external view returns (bytes memory) {
        require(keccak256(input) == _input, "Script: another call");
        return _output;
    }
}

/// @dev Stands where a precompile is. It has no storage, so that it can be called in whichever way.
contract Player {
    Script private immutable script;

    constructor(Script script_) {
        script = script_;
    }

    fallback(bytes calldata input) external payable returns (bytes memory) {
        return script.play(input);
    }
}

/// @notice Every call that contracts make of an actor or a precompile: its bytes are those that Go writes, by its own types of
/// parameters, and what Go answers is read as the same.
contract CallsTest is Vectors {
    struct Exchange {
        string name;
        uint64 precompile;
        bytes call;
        bytes input;
        bytes output;
        bytes result;
    }

    string private constant EXCHANGE =
        "Exchange(string name,uint64 precompile,bytes call,bytes input,bytes output,bytes result)";

    ActorHarness private harness = new ActorHarness();
    Script private script = new Script();
    mapping(uint64 method => bool) private _called;

    function setUp() public {
        bytes memory code = address(new Player(script)).code;
        uint8[4] memory at = [1, 2, 3, 5];
        for (uint256 i = 0; i < at.length; ++i) {
            vm.etch(_precompile(at[i]), code);
        }
    }

    function test_EveryCallIsAsGoWritesIt() public {
        Exchange[] memory list = abi.decode(_load("calls.json", ".calls", EXCHANGE), (Exchange[]));
        assertGt(list.length, 80);
        for (uint256 i = 0; i < list.length; ++i) {
            Exchange memory e = list[i];
            script.set(e.input, e.output);
            (bool ok, bytes memory result) = address(harness).call(e.call);
            assertTrue(ok, e.name);
            assertEq(result, e.result, e.name);
            if (e.precompile == 5) _called[uint64(uint256(bytes32(e.input)))] = true;
            // Nothing but these bytes to this precompile gives that.
            vm.etch(_precompile(e.precompile), "");
            (ok, result) = address(harness).call(e.call);
            assertNotEq(result, e.result, e.name);
            vm.etch(_precompile(e.precompile), address(new Player(script)).code);
        }
        Method[] memory methods = abi.decode(_load("cbor.json", ".methods", METHOD), (Method[]));
        // The first four are called by actors.
        for (uint256 i = 4; i < methods.length; ++i) {
            assertTrue(_called[methods[i].number], methods[i].name);
        }
    }

    function _precompile(uint64 number) private pure returns (address) {
        return address((uint160(0xfe) << 152) | number);
    }
}
