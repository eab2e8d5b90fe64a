// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { Codec, Exit, Methods } from "./Actors.sol";

/// @title ActorCall
/// @notice Calls built-in actors through the precompiles of the FEVM. What an actor ends with comes back as a value (see `Exit`);
/// nothing here reverts.
/// @dev For the typed libraries beside it only (MarketActor, MinerActor, …): contracts call those, whose actors and methods
/// are fixed, so that no caller of a contract ever chooses what is called in the contract's name.
///
/// The precompiles run by DELEGATECALL alone, which Solidity does not let a `view` function do; `read` does it all the
/// same: the READ_ONLY flag makes the machine refuse every write below, so the promise of `view` is kept.
library ActorCall {
    address private constant CALL_BY_ADDRESS = 0xfe00000000000000000000000000000000000003;
    address private constant CALL_BY_ID = 0xfe00000000000000000000000000000000000005;
    uint64 private constant READ_ONLY = 1;

    /// @notice Calls an actor, which may write.
    /// @param value attoFIL from the calling contract's balance
    /// @return exit see `Exit`
    /// @return reply CBOR; empty where `exit` is not 0
    function call(uint64 actor, uint64 method, uint256 value, bytes memory params)
        internal
        returns (int256 exit, bytes memory reply)
    {
        return _byId(actor, method, value, 0, params);
    }

    /// @notice Asks an actor, which may not write.
    function read(uint64 actor, uint64 method, bytes memory params)
        internal
        view
        returns (int256 exit, bytes memory reply)
    {
        return _asView(_read)(actor, method, params);
    }

    /// @notice Sends attoFIL to an actor by its id. Runs no code there.
    function send(uint64 actor, uint256 value) internal returns (int256 exit) {
        (exit,) = _byId(actor, Methods.SEND, value, 0, "");
    }

    /// @notice Sends attoFIL to a Filecoin address (see FilAddress). Runs no code there. An account that is not there yet is made.
    function send(bytes memory to, uint256 value) internal returns (int256 exit) {
        (exit,) = _decode(CALL_BY_ADDRESS, abi.encode(Methods.SEND, value, uint64(0), Codec.NONE, bytes(""), to));
    }

    /// @notice The exit of a call after its reply was read: a reply that was not understood counts as `BAD_REPLY`.
    function checked(int256 exit, bool understood) internal pure returns (int256) {
        return exit == Exit.OK && !understood ? Exit.BAD_REPLY : exit;
    }

    function _read(uint64 actor, uint64 method, bytes memory params) private returns (int256, bytes memory) {
        return _byId(actor, method, 0, READ_ONLY, params);
    }

    function _byId(uint64 actor, uint64 method, uint256 value, uint64 flags, bytes memory params)
        private
        returns (int256, bytes memory)
    {
        uint64 codec = params.length == 0 ? Codec.NONE : Codec.CBOR;
        return _decode(CALL_BY_ID, abi.encode(method, value, flags, codec, params, actor));
    }

    function _decode(address precompile, bytes memory input) private returns (int256 exit, bytes memory reply) {
        (bool ok, bytes memory output) = precompile.delegatecall(input);
        // Exit code, codec, the offset 96, then the length and the bytes.
        if (!ok || output.length < 128) return (Exit.NO_CALL, "");
        uint256 codec;
        uint256 offset;
        uint256 size;
        assembly ("memory-safe") {
            exit := mload(add(output, 0x20))
            codec := mload(add(output, 0x40))
            offset := mload(add(output, 0x60))
            size := mload(add(output, 0x80))
        }
        if (exit != Exit.OK) return (exit, "");
        if (offset != 96 || size > output.length - 128 || (size != 0 && codec != Codec.CBOR)) {
            return (Exit.BAD_REPLY, "");
        }
        assembly ("memory-safe") {
            reply := add(output, 0x80)
        }
    }

    function _asView(function(uint64, uint64, bytes memory) internal returns (int256, bytes memory) fn)
        private
        pure
        returns (function(uint64, uint64, bytes memory) internal view returns (int256, bytes memory) out)
    {
        assembly ("memory-safe") {
            out := fn
        }
    }
}
