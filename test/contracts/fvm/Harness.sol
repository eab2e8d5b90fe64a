// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { CborReader, Reader } from "../../../contracts/fvm/CborReader.sol";
import { CborWriter } from "../../../contracts/fvm/CborWriter.sol";
import { FilAddress } from "../../../contracts/fvm/FilAddress.sol";
import { DealProposal, Hooks, SectorChange, TokensReceived } from "../../../contracts/fvm/Hooks.sol";
import { PieceCid } from "../../../contracts/fvm/PieceCid.sol";

/// @notice The readers and writers of contracts/fvm, each by its name: what tests call and Go compares with.
contract CodecHarness {
    using CborReader for Reader;

    /// @notice Whether the bytes are one value of a kind and nothing else, and if so the value as ABI has it.
    function read(string calldata kind, bytes calldata data) external pure returns (bool ok, bytes memory value) {
        bytes32 k = keccak256(bytes(kind));
        if (k == keccak256("proposal")) {
            DealProposal memory p;
            (ok, p) = Hooks.dealProposal(data);
            return (ok, abi.encode(p));
        }
        if (k == keccak256("authenticate")) {
            bytes memory signature;
            DealProposal memory p;
            (ok, signature, p) = Hooks.authenticateMessage(data);
            return (ok, abi.encode(signature, p));
        }
        if (k == keccak256("notify")) {
            DealProposal memory p;
            uint64 id;
            (ok, p, id) = Hooks.marketNotifyDeal(data);
            return (ok, abi.encode(p, id));
        }
        if (k == keccak256("tokens")) {
            TokensReceived memory t;
            (ok, t) = Hooks.tokensReceived(data);
            return (ok, abi.encode(t));
        }
        if (k == keccak256("sectors")) {
            SectorChange[] memory s;
            (ok, s) = Hooks.sectorContentChanged(data);
            return (ok, abi.encode(s));
        }
        return _rest(k, CborReader.open(data));
    }

    function _rest(bytes32 k, Reader memory r) private pure returns (bool ok, bytes memory value) {
        if (k == keccak256("commitment")) {
            r.tuple(2);
            value = abi.encode(r.pieceCid(), r.u64());
        } else if (k == keccak256("epochs")) {
            r.tuple(2);
            value = abi.encode(r.i64(), r.i64());
        } else if (k == keccak256("owner")) {
            r.tuple(2);
            (bool isId, uint64 id) = FilAddress.readId(r.byteString());
            bytes memory next;
            if (!r.isNull()) {
                next = r.byteString();
                isId = isId && FilAddress.isValid(next);
            }
            return (isId && r.done(), abi.encode(id));
        } else {
            value = _scalar(k, r);
        }
        ok = r.done();
    }

    function _scalar(bytes32 k, Reader memory r) private pure returns (bytes memory value) {
        if (k == keccak256("u64")) return abi.encode(r.u64());
        if (k == keccak256("i64")) return abi.encode(r.i64());
        if (k == keccak256("bool")) return abi.encode(r.boolean());
        if (k == keccak256("amount")) return abi.encode(r.amount());
        if (k == keccak256("bytes")) return abi.encode(r.byteString());
        if (k == keccak256("piece")) return abi.encode(r.pieceCid());
        if (k == keccak256("text")) {
            (bytes memory text, bool isText) = r.label();
            if (!isText) r.bad = true;
            return abi.encode(text);
        }
        revert("CodecHarness: no such kind");
    }

    /// @notice The CBOR of a value as ABI has it.
    function write(string calldata kind, bytes calldata value) external pure returns (bytes memory) {
        bytes32 k = keccak256(bytes(kind));
        if (k == keccak256("u64")) return CborWriter.u64(abi.decode(value, (uint64)));
        if (k == keccak256("i64")) return CborWriter.i64(abi.decode(value, (int64)));
        if (k == keccak256("bool")) return CborWriter.boolean(abi.decode(value, (bool)));
        if (k == keccak256("amount")) return CborWriter.amount(abi.decode(value, (uint256)));
        if (k == keccak256("bytes")) return CborWriter.byteString(abi.decode(value, (bytes)));
        if (k == keccak256("text")) return CborWriter.text(abi.decode(value, (bytes)));
        if (k == keccak256("piece")) return CborWriter.pieceCid(abi.decode(value, (bytes32)));
        if (k == keccak256("proposal")) return Hooks.encode(abi.decode(value, (DealProposal)));
        revert("CodecHarness: no such kind");
    }

    function sectorContentReply(bool[][] calldata accepted) external pure returns (bytes memory) {
        return Hooks.sectorContentReply(accepted);
    }

    function boostParams(string calldata url, uint64 carSize, bool skip, bool remove)
        external
        pure
        returns (bytes memory)
    {
        return Hooks.boostParams(url, carSize, skip, remove);
    }

    function pieceOf(bytes calldata cid) external pure returns (bytes32, uint64, uint64) {
        return PieceCid.read(cid);
    }

    function isValid(bytes calldata addr) external pure returns (bool) {
        return FilAddress.isValid(addr);
    }

    function readId(bytes calldata addr) external pure returns (bool ok, uint64 id) {
        return FilAddress.readId(addr);
    }

    function fromId(uint64 id) external pure returns (bytes memory) {
        return FilAddress.fromId(id);
    }
}
