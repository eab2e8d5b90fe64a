// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { CborReader, Reader } from "./CborReader.sol";
import { CborWriter } from "./CborWriter.sol";
import { FilAddress } from "./FilAddress.sol";

/// @notice How Filecoin calls a contract with a method that is not the EVM's. By anyone: ask who `msg.sender` is.
interface IFilecoinMethod {
    /// @param method see `Methods`; never below 1024
    /// @param codec 0x51 (CBOR), or 0 with empty params
    /// @return exitCode 0, or what the caller is to see as the exit code
    /// @return returnCodec 0x51, or 0 with empty data; anything else fails the call
    function handle_filecoin_method(uint64 method, uint64 codec, bytes calldata params)
        external
        returns (uint32 exitCode, uint64 returnCodec, bytes memory returnData);
}

/// @notice A deal as its two sides propose it to f05 (11-tuple).
struct DealProposal {
    bytes32 commitment; // of the piece
    uint64 pieceSize; // padded bytes
    bool verified;
    bytes client; // address; f0 in MarketNotifyDeal, as its sender wrote it in AuthenticateMessage
    bytes provider;
    bytes label;
    bool labelIsText;
    int64 startEpoch;
    int64 endEpoch;
    uint256 pricePerEpoch; // attoFIL
    uint256 providerCollateral;
    uint256 clientCollateral;
}

/// @notice A piece of which a miner says that it is in a sector since now.
struct PieceChange {
    bytes32 commitment;
    uint64 size; // padded bytes
    bytes payload; // whatever the provider wrote
}

struct SectorChange {
    uint64 sector;
    int64 minimumCommitmentEpoch; // the sector stays until then, unless it is terminated
    PieceChange[] added;
}

/// @notice Tokens that f07 moved to the contract (FRC-0046).
struct TokensReceived {
    uint64 from;
    uint64 to;
    uint64 operator;
    uint256 amount; // for DataCap 10^18 a byte
    bytes operatorData; // whatever the operator wrote
    bytes tokenData;
}

/// @title Hooks
/// @notice What actors tell and ask contracts: parameters read, replies written. Nothing here reverts for what it reads: where
/// `ok` is false the parameters are not what the method has, and the rest means nothing.
/// @dev Memory and gas are linear in the bytes of the parameters.
library Hooks {
    using CborReader for Reader;

    address internal constant MARKET = 0xff00000000000000000000000000000000000005;
    address internal constant DATACAP = 0xfF00000000000000000000000000000000000007;

    /// @notice CBOR `true`, the only reply to AuthenticateMessage that authorises.
    bytes1 internal constant TRUE = 0xf5;
    /// @notice The type of token hook that f07 calls with (FRC-0046).
    uint64 internal constant FRC46 = 0x85223bdf;

    /// @dev Fewest bytes of a sector and of a piece in SectorContentChanged.
    uint256 private constant LEAST_SECTOR = 4;
    uint256 private constant LEAST_PIECE = 47;

    /// @notice Parameters of AuthenticateMessage as f05 sends them: what the provider put where a client's signature would be,
    /// and the proposal.
    function authenticateMessage(bytes memory params)
        internal
        pure
        returns (bool ok, bytes memory signature, DealProposal memory proposal)
    {
        Reader memory r = CborReader.open(params);
        r.tuple(2);
        signature = r.byteString();
        bytes memory message = r.byteString();
        if (!r.done()) return (false, "", proposal);
        (ok, proposal) = dealProposal(message);
    }

    /// @notice Parameters of MarketNotifyDeal.
    function marketNotifyDeal(bytes memory params)
        internal
        pure
        returns (bool ok, DealProposal memory proposal, uint64 dealId)
    {
        Reader memory r = CborReader.open(params);
        r.tuple(2);
        bytes memory message = r.byteString();
        dealId = r.u64();
        if (!r.done()) return (false, proposal, 0);
        (ok, proposal) = dealProposal(message);
    }

    /// @notice Parameters of SectorContentChanged, all transparent: `[[sector, epoch, [[piece, size, payload]…]]…]`.
    function sectorContentChanged(bytes memory params) internal pure returns (bool ok, SectorChange[] memory sectors) {
        Reader memory r = CborReader.open(params);
        sectors = new SectorChange[](r.array(LEAST_SECTOR));
        for (uint256 i = 0; i < sectors.length; ++i) {
            r.tuple(3);
            sectors[i].sector = r.u64();
            sectors[i].minimumCommitmentEpoch = r.i64();
            PieceChange[] memory added = new PieceChange[](r.array(LEAST_PIECE));
            if (r.bad) return (false, new SectorChange[](0));
            sectors[i].added = added;
            for (uint256 j = 0; j < added.length; ++j) {
                r.tuple(3);
                added[j].commitment = r.pieceCid();
                added[j].size = r.u64();
                added[j].payload = r.byteString();
                if (r.bad) return (false, new SectorChange[](0));
            }
        }
        ok = r.done();
    }

    /// @notice The reply to SectorContentChanged: whether each piece was taken, in the order of the parameters.
    function sectorContentReply(bool[][] memory accepted) internal pure returns (bytes memory out) {
        bytes memory head = CborWriter.array(accepted.length);
        bytes[] memory heads = new bytes[](accepted.length);
        uint256 size = head.length;
        for (uint256 i = 0; i < accepted.length; ++i) {
            heads[i] = CborWriter.array(accepted[i].length);
            size += heads[i].length + accepted[i].length;
        }
        out = new bytes(size);
        uint256 at = _put(out, 0, head);
        for (uint256 i = 0; i < accepted.length; ++i) {
            at = _put(out, at, heads[i]);
            for (uint256 j = 0; j < accepted[i].length; ++j) {
                out[at++] = accepted[i][j] ? bytes1(0xf5) : bytes1(0xf4);
            }
        }
    }

    /// @notice Parameters of the universal receiver hook (FRC-0046): `[type, payload]`. Not `ok` for another type of token too.
    function tokensReceived(bytes memory params) internal pure returns (bool ok, TokensReceived memory t) {
        Reader memory r = CborReader.open(params);
        r.tuple(2);
        uint64 kind = r.u64();
        bytes memory payload = r.byteString();
        if (!r.done() || kind != FRC46) return (false, t);
        r = CborReader.open(payload);
        r.tuple(6);
        t = TokensReceived(r.u64(), r.u64(), r.u64(), r.amount(), r.byteString(), r.byteString());
        ok = r.done();
    }

    /// @notice Reads a DealProposal.
    function dealProposal(bytes memory data) internal pure returns (bool ok, DealProposal memory p) {
        Reader memory r = CborReader.open(data);
        r.tuple(11);
        p.commitment = r.pieceCid();
        p.pieceSize = r.u64();
        p.verified = r.boolean();
        p.client = r.byteString();
        p.provider = r.byteString();
        (p.label, p.labelIsText) = r.label();
        p.startEpoch = r.i64();
        p.endEpoch = r.i64();
        p.pricePerEpoch = r.amount();
        p.providerCollateral = r.amount();
        p.clientCollateral = r.amount();
        ok = r.done() && FilAddress.isValid(p.client) && FilAddress.isValid(p.provider);
    }

    /// @notice Writes a DealProposal, as contracts offer it to providers (`getDealProposal` of Boost).
    function encode(DealProposal memory p) internal pure returns (bytes memory) {
        bytes memory parties = abi.encodePacked(
            CborWriter.byteString(p.client),
            CborWriter.byteString(p.provider),
            p.labelIsText ? CborWriter.text(p.label) : CborWriter.byteString(p.label)
        );
        bytes memory money = abi.encodePacked(
            CborWriter.amount(p.pricePerEpoch),
            CborWriter.amount(p.providerCollateral),
            CborWriter.amount(p.clientCollateral)
        );
        return abi.encodePacked(
            abi.encodePacked(CborWriter.array(11), CborWriter.pieceCid(p.commitment), CborWriter.u64(p.pieceSize)),
            CborWriter.boolean(p.verified),
            parties,
            CborWriter.i64(p.startEpoch),
            CborWriter.i64(p.endEpoch),
            money
        );
    }

    /// @notice Writes the 4-tuple that Boost asks `getExtraParams` for.
    /// @param url where the CAR is got by HTTP GET
    /// @param carSize its bytes, exactly
    function boostParams(string memory url, uint64 carSize, bool skipIpniAnnounce, bool removeUnsealedCopy)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(
            CborWriter.array(4),
            CborWriter.text(bytes(url)),
            CborWriter.u64(carSize),
            CborWriter.boolean(skipIpniAnnounce),
            CborWriter.boolean(removeUnsealedCopy)
        );
    }

    function _put(bytes memory out, uint256 at, bytes memory part) private pure returns (uint256) {
        assembly ("memory-safe") {
            mcopy(add(add(out, 0x20), at), add(part, 0x20), mload(part))
        }
        return at + part.length;
    }
}
