// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { ActorCall } from "./ActorCall.sol";
import { Actors, Exit, Methods } from "./Actors.sol";
import { CborReader, Reader } from "./CborReader.sol";
import { CborWriter } from "./CborWriter.sol";
import { FilAddress } from "./FilAddress.sol";
import { VerifregActor } from "./VerifregActor.sol";

/// @notice DataCap to be set aside for a piece, which `provider` may claim by sealing it. See AllocationRequest in FIP-0045.
struct Allocation {
    uint64 provider;
    bytes32 commitment;
    uint64 size; // padded bytes
    int64 termMin; // epochs
    int64 termMax;
    int64 expiration; // epoch before which it must be sealed
}

/// @title DataCapActor
/// @notice The DataCap token f07, as its holder. A byte of DataCap is 10^18 of its units.
library DataCapActor {
    using CborReader for Reader;

    uint256 internal constant UNITS_PER_BYTE = 1e18;

    /// @notice Units of DataCap of an account, an Ethereum address or a masked id.
    function balance(address account) internal view returns (int256 exit, uint256 units) {
        bytes memory reply;
        (exit, reply) =
            ActorCall.read(Actors.DATACAP, Methods.BALANCE, CborWriter.byteString(FilAddress.toBytes(account)));
        return _amount(exit, reply);
    }

    /// @notice What the market may still take of the DataCap of `holder` for verified deals.
    function marketAllowance(address holder) internal view returns (int256 exit, uint256 units) {
        bytes memory reply;
        (exit, reply) = ActorCall.read(
            Actors.DATACAP,
            Methods.ALLOWANCE,
            abi.encodePacked(CborWriter.array(2), CborWriter.byteString(FilAddress.toBytes(holder)), _market())
        );
        return _amount(exit, reply);
    }

    /// @notice Lets the market take so much more of the caller's DataCap. Gives what it may take now.
    function increaseMarketAllowance(uint256 units) internal returns (int256 exit, uint256 allowance) {
        return _changeAllowance(Methods.INCREASE_ALLOWANCE, units);
    }

    /// @notice Lets the market take so much less of the caller's DataCap, down to nothing. Gives what it may take now.
    function decreaseMarketAllowance(uint256 units) internal returns (int256 exit, uint256 allowance) {
        return _changeAllowance(Methods.DECREASE_ALLOWANCE, units);
    }

    /// @notice Spends the caller's DataCap on a piece. Gives the allocation's id, which will be that of the provider's claim.
    function allocate(Allocation memory a) internal returns (int256 exit, uint64 allocationId) {
        bytes memory piece =
            abi.encodePacked(CborWriter.u64(a.provider), CborWriter.pieceCid(a.commitment), CborWriter.u64(a.size));
        bytes memory requests = abi.encodePacked(
            bytes3(0x828186), // two lists, the first of one, of six
            piece,
            CborWriter.i64(a.termMin),
            CborWriter.i64(a.termMax),
            CborWriter.i64(a.expiration),
            CborWriter.array(0)
        );
        Reader memory r;
        bool ok;
        (exit, ok, r) = _spend(a.size, requests);
        (uint64 successes, int256 code) = VerifregActor.readBatch(r, 1);
        VerifregActor.readBatch(r, 0);
        r.tuple(successes);
        if (successes == 1) allocationId = r.u64();
        exit = ActorCall.checked(exit, ok && r.done());
        if (exit == Exit.OK) exit = code;
        if (exit != Exit.OK) return (exit, 0);
    }

    /// @notice Spends the caller's DataCap on a longer term of a claim. Whose claim it was does not matter.
    /// @param size padded bytes of the claimed piece
    /// @param termMax epochs from the claim's start
    function extend(uint64 provider, uint64 claimId, uint64 size, int64 termMax) internal returns (int256 exit) {
        bytes memory requests = abi.encodePacked(
            bytes4(0x82808183), // two lists, the second of one, of three
            CborWriter.u64(provider),
            CborWriter.u64(claimId),
            CborWriter.i64(termMax)
        );
        Reader memory r;
        bool ok;
        (exit, ok, r) = _spend(size, requests);
        VerifregActor.readBatch(r, 0);
        (, int256 code) = VerifregActor.readBatch(r, 1);
        r.tuple(0);
        exit = ActorCall.checked(exit, ok && r.done());
        if (exit == Exit.OK) exit = code;
    }

    /// @dev Transfers to f06, whose answer comes back as the third of three.
    function _spend(uint64 size, bytes memory requests) private returns (int256 exit, bool ok, Reader memory r) {
        bytes memory reply;
        (exit, reply) = ActorCall.call(
            Actors.DATACAP,
            Methods.TRANSFER,
            0,
            abi.encodePacked(
                CborWriter.array(3),
                CborWriter.byteString(FilAddress.fromId(Actors.VERIFREG)),
                CborWriter.amount(uint256(size) * UNITS_PER_BYTE),
                CborWriter.byteString(requests)
            )
        );
        Reader memory outer = CborReader.open(reply);
        outer.tuple(3);
        outer.amount(); // left to us
        outer.amount(); // held by f06
        r = CborReader.open(outer.byteString());
        ok = outer.done();
        r.tuple(3);
    }

    function _changeAllowance(uint64 method, uint256 units) private returns (int256 exit, uint256 allowance) {
        bytes memory reply;
        (exit, reply) = ActorCall.call(
            Actors.DATACAP, method, 0, abi.encodePacked(CborWriter.array(2), _market(), CborWriter.amount(units))
        );
        return _amount(exit, reply);
    }

    function _market() private pure returns (bytes memory) {
        return CborWriter.byteString(FilAddress.fromId(Actors.MARKET));
    }

    function _amount(int256 exit, bytes memory reply) private pure returns (int256, uint256 value) {
        Reader memory r = CborReader.open(reply);
        value = r.amount();
        exit = ActorCall.checked(exit, r.done());
        return (exit, exit == Exit.OK ? value : 0);
    }
}
