// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { ActorCall } from "./ActorCall.sol";
import { Actors, Exit, Methods } from "./Actors.sol";
import { CborReader, Reader } from "./CborReader.sol";
import { CborWriter } from "./CborWriter.sol";

/// @notice A piece that a provider sealed for DataCap.
struct Claim {
    uint64 provider;
    uint64 client; // whose DataCap it was
    bytes32 commitment;
    uint64 size; // padded bytes
    int64 termMin; // epochs
    int64 termMax;
    int64 termStart; // epoch
    uint64 sector;
}

/// @title VerifregActor
/// @notice Claims in the verified registry f06. A claim stays there for a while after its sector is gone: it proves that the
/// piece was sealed, not that it is still there.
library VerifregActor {
    using CborReader for Reader;

    /// @notice A claim of a provider. 17 where there is none with this id.
    function claim(uint64 provider, uint64 claimId) internal view returns (int256 exit, Claim memory c) {
        bytes memory reply;
        (exit, reply) = ActorCall.read(
            Actors.VERIFREG,
            Methods.GET_CLAIMS,
            abi.encodePacked(bytes1(0x82), CborWriter.u64(provider), bytes1(0x81), CborWriter.u64(claimId))
        );
        Reader memory r = CborReader.open(reply);
        r.tuple(2);
        (uint64 successes, int256 code) = readBatch(r, 1);
        r.tuple(successes);
        if (successes == 1) {
            r.tuple(8);
            c = Claim(r.u64(), r.u64(), r.pieceCid(), r.u64(), r.i64(), r.i64(), r.i64(), r.u64());
        }
        exit = ActorCall.checked(exit, r.done());
        if (exit == Exit.OK) exit = code;
        if (exit != Exit.OK) delete c;
    }

    /// @notice Lengthens the longest term of a claim of the caller's, up to what its allocation could have had at most.
    function extendClaim(uint64 provider, uint64 claimId, int64 termMax) internal returns (int256 exit) {
        bytes memory reply;
        (exit, reply) = ActorCall.call(
            Actors.VERIFREG,
            Methods.EXTEND_CLAIM_TERMS,
            0,
            abi.encodePacked(
                bytes3(0x818183), // one parameter, a list of one, of three
                CborWriter.u64(provider),
                CborWriter.u64(claimId),
                CborWriter.i64(termMax)
            )
        );
        Reader memory r = CborReader.open(reply);
        (, int256 code) = readBatch(r, 1);
        exit = ActorCall.checked(exit, r.done());
        if (exit == Exit.OK) exit = code;
    }

    /// @notice How a batch of none or one went: `[successes, [[index, code]…]]`.
    function readBatch(Reader memory r, uint64 items) internal pure returns (uint64 successes, int256 code) {
        r.tuple(2);
        successes = r.u64();
        uint256 failures = r.array(3);
        if (successes > items || successes + failures != items) r.bad = true;
        if (failures == 1) {
            r.tuple(2);
            uint64 index = r.u64();
            uint64 number = r.u64();
            if (index != 0 || number == 0 || number > type(uint32).max) r.bad = true;
            code = int256(uint256(number));
        }
    }
}
