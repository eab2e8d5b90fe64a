// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { ActorCall } from "./ActorCall.sol";
import { Actors, Exit } from "./Actors.sol";

/// @title FilAddress
/// @notice The two kinds of address on Filecoin and the ways between them.
/// @dev Solidity's 20 bytes: an Ethereum address, or a *masked id* (0xff, eleven zero bytes, the actor's id) for whatever has none:
/// accounts f1 and f3, multisigs, miners. A contract or Ethereum account can be called by both, so an address is normalised
/// before it is a key: the Ethereum form where there is one.
///
/// Filecoin's bytes: f0 = 0, id as varint; f1 = 1, 20 bytes; f2 = 2, 20 bytes; f3 = 3, 48 bytes; f4 = 4, namespace as varint, up to
/// 54 bytes; f410 = 4, 10 and an Ethereum address.
///
/// The id of an actor made lately can change when the chain is rewritten; Ethereum addresses do not.
library FilAddress {
    /// @notice More than an id may have.
    error FilAddress_BadId(uint256 id);

    address private constant RESOLVE = 0xFE00000000000000000000000000000000000001;
    address private constant LOOKUP = 0xfE00000000000000000000000000000000000002;
    uint256 private constant MASK = 0xff0000000000000000000000;
    /// @dev Ids are below 2^63: a varint of nine bytes at most.
    uint64 internal constant MAX_ID = type(uint64).max >> 1;

    // ---------------------------------------------------------------- 20 bytes

    /// @notice The masked id of an actor.
    function masked(uint64 id) internal pure returns (address) {
        return address(uint160(MASK << 64 | id));
    }

    /// @notice Whether an address is a masked id, and of which actor.
    function unmask(address account) internal pure returns (bool isMasked, uint64 id) {
        if (uint160(account) >> 64 != MASK) return (false, 0);
        return (true, uint64(uint160(account)));
    }

    /// @notice The id of the actor with this address, of either kind.
    function idOf(address account) internal view returns (bool found, uint64 id) {
        (found, id) = unmask(account);
        if (!found) (found, id) = resolve(toBytes(account));
    }

    /// @notice The one form of an address that is fit for a key: Ethereum's where there is one, else the masked id.
    function normalize(address account) internal view returns (address) {
        (bool isMasked, uint64 id) = unmask(account);
        if (!isMasked) return account;
        (bool found, address eth) = ethOf(id);
        return found ? eth : account;
    }

    /// @notice The Ethereum address of an actor, if it has one.
    function ethOf(uint64 id) internal view returns (bool found, address eth) {
        (bool ok, bytes memory out) = LOOKUP.staticcall(abi.encode(id));
        if (!ok || out.length != 22 || bytes2(bytes32(out)) != 0x040a) return (false, address(0));
        return (true, address(bytes20(bytes32(out) << 16)));
    }

    // --------------------------------------------------------- Filecoin's bytes

    /// @notice f0 of an id. Reverts for an id of 2^63 or more.
    function fromId(uint64 id) internal pure returns (bytes memory out) {
        if (id > MAX_ID) revert FilAddress_BadId(id);
        out = hex"00";
        while (id >= 0x80) {
            out = abi.encodePacked(out, uint8(id | 0x80));
            id >>= 7;
        }
        out = abi.encodePacked(out, uint8(id));
    }

    /// @notice The id that an f0 address says, in its shortest form alone.
    function readId(bytes memory addr) internal pure returns (bool ok, uint64 id) {
        uint256 size = addr.length;
        if (size < 2 || size > 10 || addr[0] != 0) return (false, 0);
        for (uint256 i = 1; i < size; ++i) {
            uint256 b = uint8(addr[i]);
            // The last byte, and it alone, has no continuation bit; it is zero in the varint of 0 alone.
            if ((b < 0x80) != (i == size - 1) || (b == 0 && i > 1)) return (false, 0);
            id |= uint64((b & 0x7f) << (7 * (i - 1)));
        }
        return (true, id);
    }

    /// @notice f410 of an Ethereum address; f0 of a masked id.
    function toBytes(address account) internal pure returns (bytes memory) {
        (bool isMasked, uint64 id) = unmask(account);
        return isMasked && id <= MAX_ID ? fromId(id) : abi.encodePacked(bytes2(0x040a), account);
    }

    /// @notice Whether bytes have the form of an address of any of the five kinds.
    function isValid(bytes memory addr) internal pure returns (bool ok) {
        uint256 size = addr.length;
        if (size < 2) return false;
        uint256 kind = uint8(addr[0]);
        if (kind == 0) (ok,) = readId(addr);
        else if (kind == 1 || kind == 2) ok = size == 21;
        else if (kind == 3) ok = size == 49;
        // Of the namespaces only those of one byte are in use; the others are not taken.
        else if (kind == 4) ok = size <= 56 && uint8(addr[1]) < 0x80;
    }

    /// @notice The id of the actor with this address.
    /// @return found false where there is no such actor, or where the bytes are no address
    /// @return id of the actor
    function resolve(bytes memory addr) internal view returns (bool found, uint64 id) {
        (bool ok, bytes memory out) = RESOLVE.staticcall(addr);
        if (!ok || out.length != 32) return (false, 0);
        uint256 word = uint256(bytes32(out));
        return word > MAX_ID ? (false, 0) : (true, uint64(word));
    }

    // ------------------------------------------------------------------ paying

    /// @notice Pays an account of either kind: an Ethereum address by CALL, where its `receive` runs; a masked id by a bare
    /// transfer, which runs nothing and is the only one that native accounts take.
    /// @return exit `Exit.OK`, or why not; nothing has moved then
    function pay(address to, uint256 value) internal returns (int256 exit) {
        (bool isMasked, uint64 id) = unmask(to);
        if (isMasked) return ActorCall.send(id, value);
        bool ok;
        // What the payee returns is not copied.
        assembly ("memory-safe") {
            ok := call(gas(), to, value, 0, 0, 0, 0)
        }
        return ok ? Exit.OK : Exit.REVERTED;
    }

    /// @notice Destroys attoFIL of the calling contract.
    function burn(uint256 value) internal returns (int256 exit) {
        return ActorCall.send(Actors.BURNT_FUNDS, value);
    }
}
