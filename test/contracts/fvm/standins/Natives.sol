// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Actors, Codec, Methods } from "../../../../contracts/fvm/Actors.sol";
import { CborReader, Reader } from "../../../../contracts/fvm/CborReader.sol";
import { CborWriter } from "../../../../contracts/fvm/CborWriter.sol";
import { FilAddress } from "../../../../contracts/fvm/FilAddress.sol";
import { IFilecoinMethod } from "../../../../contracts/fvm/Hooks.sol";
import { INative, InWorld } from "./World.sol";

/// @dev What native actors have in common.
abstract contract Native is INative, InWorld {
    using CborReader for Reader;

    uint32 internal constant ILLEGAL_ARGUMENT = 16;
    uint32 internal constant NOT_FOUND = 17;
    uint32 internal constant FORBIDDEN = 18;
    uint32 internal constant INSUFFICIENT_FUNDS = 19;
    uint32 internal constant SERIALIZATION = 21;
    uint32 internal constant UNHANDLED = 22;

    /// @inheritdoc INative
    function invoke(uint64 method, uint64 codec, bytes calldata params)
        external
        payable
        returns (uint64 returnCodec, bytes memory data)
    {
        // Only exported methods are for contracts.
        if (method < 1 << 24) _exit(FORBIDDEN);
        data = _invoke(method, codec == Codec.CBOR ? params : params[:0]);
        returnCodec = data.length == 0 ? Codec.NONE : Codec.CBOR;
    }

    /// @dev Ends with `_exit`, or gives CBOR.
    function _invoke(uint64 method, bytes calldata params) internal virtual returns (bytes memory);

    /// @dev Parameters that are not as the method has them end the call as they do in an actor.
    function _parsed(Reader memory r) internal pure {
        if (!r.done()) _exit(SERIALIZATION);
    }

    function _id(bytes calldata params) internal pure returns (uint64 id) {
        Reader memory r = CborReader.open(params);
        id = r.u64();
        _parsed(r);
    }

    /// @dev Calls a contract as an actor does.
    /// @return ok false where it reverted, or gave an exit code or a codec that is none
    function _tell(address to, uint64 method, bytes memory params, bool readOnly)
        internal
        returns (bool ok, bytes memory data)
    {
        bytes memory input = abi.encodeCall(IFilecoinMethod.handle_filecoin_method, (method, Codec.CBOR, params));
        bytes memory out;
        (ok, out) = readOnly ? to.staticcall(input) : to.call(input);
        if (!ok || out.length == 0) return (ok, "");
        uint32 exit;
        uint64 codec;
        (exit, codec, data) = abi.decode(out, (uint32, uint64, bytes));
        ok = exit == 0 && (codec == Codec.CBOR || (codec == Codec.NONE && data.length == 0));
    }

    function _batch(uint32 code) internal pure returns (bytes memory) {
        if (code == 0) return hex"820180";
        return abi.encodePacked(bytes5(0x8200818200), CborWriter.u64(code));
    }
}

/// @title PowerStandIn
/// @notice f04: which actors are miners.
contract PowerStandIn is Native {
    mapping(uint64 id => uint256) private _power; // raw bytes + 1

    /// @notice Says that an actor is a miner.
    function claim(uint64 id, uint256 rawPower) external {
        _power[id] = rawPower + 1;
    }

    function isMiner(uint64 id) external view returns (bool) {
        return _power[id] != 0;
    }

    function _invoke(uint64 method, bytes calldata params) internal view override returns (bytes memory) {
        if (method != Methods.MINER_POWER) _exit(UNHANDLED);
        uint256 power = _power[_id(params)];
        if (power == 0) _exit(NOT_FOUND);
        return abi.encodePacked(bytes1(0x82), CborWriter.amount(power - 1), CborWriter.amount(power - 1));
    }
}

/// @title VerifregStandIn
/// @notice f06: allocations and claims.
contract VerifregStandIn is Native {
    using CborReader for Reader;

    struct Entry {
        uint64 provider;
        uint64 client;
        bytes32 commitment;
        uint64 size;
        int64 termMin;
        int64 termMax;
        int64 termStart;
        uint64 sector;
        int64 expiration;
        bool allocated; // and not claimed yet
        bool claimed;
    }

    mapping(uint64 id => Entry) private _entries;
    uint64 public nextId;

    uint64 private constant LEAST_SIZE = 1 << 20;
    uint64 private _leastSize; // 0: LEAST_SIZE
    int64 private constant LEAST_TERM = 518_400;
    int64 private constant MOST_TERM = 5_259_485; // five years of 31,556,925 seconds
    int64 private constant MOST_EXPIRATION = 172_800;
    uint256 private constant UNIT = 1e18;

    /// @notice Development networks allow smaller pieces.
    function setLeastSize(uint64 size) external {
        _leastSize = size;
    }

    /// @notice A provider sealed the piece of an allocation.
    function seal(uint64 id, uint64 sector) external {
        Entry storage e = _entries[id];
        require(e.allocated, "VerifregStandIn: no such allocation");
        (e.allocated, e.claimed, e.sector, e.termStart) = (false, true, sector, int64(uint64(block.number)));
        DataCapStandIn(FilAddress.masked(Actors.DATACAP)).burn(e.size * UNIT);
    }

    /// @notice RemoveExpiredAllocations, which anybody may call: what nobody sealed goes back to its client.
    function removeExpired(uint64 id) external {
        Entry storage e = _entries[id];
        require(e.allocated && int64(uint64(block.number)) > e.expiration, "VerifregStandIn: it can still be sealed");
        e.allocated = false;
        DataCapStandIn(FilAddress.masked(Actors.DATACAP)).giveBack(e.client, e.size * UNIT);
    }

    /// @notice Puts a claim there, as if it had been allocated and sealed.
    function put(Entry calldata e) external returns (uint64 id) {
        id = ++nextId;
        _entries[id] = e;
    }

    /// @notice Takes a claim away, as after its term.
    function drop(uint64 id) external {
        delete _entries[id];
    }

    function entryOf(uint64 id) external view returns (Entry memory) {
        return _entries[id];
    }

    /// @notice What f07 calls with DataCap that was transferred here.
    function received(uint64 client, uint256 amount, bytes calldata requests) external returns (bytes memory) {
        Reader memory r = CborReader.open(requests);
        r.tuple(2);
        bytes memory ids;
        uint256 allocations = r.array(7);
        uint256 spent;
        for (uint256 i = 0; i < allocations; ++i) {
            spent += _allocate(client, r);
            ids = abi.encodePacked(ids, CborWriter.u64(nextId));
        }
        uint256 extensions = r.array(4);
        uint256 burnt;
        for (uint256 i = 0; i < extensions; ++i) {
            burnt += _extend(r);
        }
        spent += burnt;
        _parsed(r);
        if (spent * UNIT != amount) _exit(ILLEGAL_ARGUMENT);
        if (burnt != 0) DataCapStandIn(msg.sender).burn(burnt * UNIT);
        return abi.encodePacked(
            bytes1(0x83), _successes(allocations), _successes(extensions), CborWriter.array(allocations), ids
        );
    }

    function _successes(uint256 items) private pure returns (bytes memory) {
        return abi.encodePacked(bytes1(0x82), CborWriter.u64(uint64(items)), bytes1(0x80));
    }

    function _allocate(uint64 client, Reader memory r) private returns (uint64 size) {
        r.tuple(6);
        Entry memory e;
        (e.provider, e.commitment, e.size) = (r.u64(), r.pieceCid(), r.u64());
        (e.termMin, e.termMax, e.expiration) = (r.i64(), r.i64(), r.i64());
        if (r.bad) _exit(SERIALIZATION);
        bool inBounds = e.size >= (_leastSize == 0 ? LEAST_SIZE : _leastSize) && e.termMin >= LEAST_TERM
            && e.termMax <= MOST_TERM && e.termMin <= e.termMax && e.expiration >= int64(uint64(block.number))
            && e.expiration <= int64(uint64(block.number)) + MOST_EXPIRATION;
        if (!inBounds || !_world().exists(e.provider)) _exit(ILLEGAL_ARGUMENT);
        e.client = client;
        e.allocated = true;
        _entries[++nextId] = e;
        return e.size;
    }

    function _extend(Reader memory r) private returns (uint64 size) {
        r.tuple(3);
        (uint64 provider, uint64 id, int64 termMax) = (r.u64(), r.u64(), r.i64());
        Entry storage e = _entries[id];
        if (r.bad) _exit(SERIALIZATION);
        if (!e.claimed || e.provider != provider) _exit(NOT_FOUND);
        if (termMax < e.termMax || termMax > int64(uint64(block.number)) - e.termStart + MOST_TERM) {
            _exit(ILLEGAL_ARGUMENT);
        }
        e.termMax = termMax;
        return e.size;
    }

    function _invoke(uint64 method, bytes calldata params) internal override returns (bytes memory) {
        if (method == Methods.GET_CLAIMS) return _getClaims(params);
        if (method == Methods.EXTEND_CLAIM_TERMS) return _extendTerms(params);
        _exit(UNHANDLED);
    }

    function _getClaims(bytes calldata params) private view returns (bytes memory) {
        Reader memory r = CborReader.open(params);
        r.tuple(2);
        uint64 provider = r.u64();
        uint256 count = r.array(1);
        bytes memory fails;
        bytes memory claims;
        uint64 failures;
        for (uint64 i = 0; i < count; ++i) {
            Entry memory e = _entries[r.u64()];
            if (e.claimed && e.provider == provider) {
                claims = abi.encodePacked(claims, _encode(e));
            } else {
                ++failures;
                fails = abi.encodePacked(fails, bytes1(0x82), CborWriter.u64(i), CborWriter.u64(NOT_FOUND));
            }
        }
        _parsed(r);
        return abi.encodePacked(
            bytes2(0x8282),
            CborWriter.u64(uint64(count) - failures),
            CborWriter.array(failures),
            fails,
            CborWriter.array(count - failures),
            claims
        );
    }

    function _extendTerms(bytes calldata params) private returns (bytes memory) {
        Reader memory r = CborReader.open(params);
        r.tuple(1);
        if (r.array(4) != 1) _exit(ILLEGAL_ARGUMENT);
        r.tuple(3);
        (uint64 provider, uint64 id, int64 termMax) = (r.u64(), r.u64(), r.i64());
        _parsed(r);
        Entry storage e = _entries[id];
        if (!e.claimed || e.provider != provider) return _batch(NOT_FOUND);
        if (e.client != _world().callerId(msg.sender)) return _batch(FORBIDDEN);
        if (termMax < e.termMax || termMax > MOST_TERM) return _batch(ILLEGAL_ARGUMENT);
        e.termMax = termMax;
        return _batch(0);
    }

    function _encode(Entry memory e) private pure returns (bytes memory) {
        bytes memory first = abi.encodePacked(
            bytes1(0x88),
            CborWriter.u64(e.provider),
            CborWriter.u64(e.client),
            CborWriter.pieceCid(e.commitment),
            CborWriter.u64(e.size)
        );
        return abi.encodePacked(
            first,
            CborWriter.i64(e.termMin),
            CborWriter.i64(e.termMax),
            CborWriter.i64(e.termStart),
            CborWriter.u64(e.sector)
        );
    }
}

/// @title DataCapStandIn
/// @notice f07: the DataCap token. It can be moved to f06 alone.
contract DataCapStandIn is Native {
    using CborReader for Reader;

    mapping(uint64 id => uint256) public balanceOf;
    mapping(uint64 holder => mapping(uint64 operator => uint256)) public allowanceOf;

    uint256 private constant UNIT = 1e18;

    /// @notice Gives DataCap to an account, which a contract must accept by its receiver's hook. As f06 does for a verifier.
    function mint(uint64 to, uint256 amount, bytes calldata operatorData) external {
        if (amount % UNIT != 0) _exit(ILLEGAL_ARGUMENT);
        balanceOf[to] += amount;
        _tellReceived(Actors.DATACAP, to, amount, operatorData);
    }

    /// @notice f06 moves DataCap of its own, and says nothing with it.
    function giveBack(uint64 to, uint256 amount) external {
        balanceOf[Actors.VERIFREG] -= amount;
        balanceOf[to] += amount;
        _tellReceived(Actors.VERIFREG, to, amount, "");
    }

    /// @notice An allowance, as whatever gave it.
    function allow(uint64 holder, uint64 operator, uint256 amount) external {
        allowanceOf[holder][operator] = amount;
    }

    function _tellReceived(uint64 from, uint64 to, uint256 amount, bytes memory operatorData) private {
        address place = _world().placeOf(to);
        if (_world().ethOf(to) == address(0) || place.code.length == 0) return;
        (bool ok,) = _tell(place, Methods.UNIVERSAL_RECEIVER_HOOK, _hook(from, to, amount, operatorData), false);
        if (!ok) _exit(FORBIDDEN);
    }

    /// @notice f06 destroys what was claimed or spent on a term.
    function burn(uint256 amount) external {
        balanceOf[Actors.VERIFREG] -= amount;
    }

    function _hook(uint64 from, uint64 to, uint256 amount, bytes memory operatorData)
        private
        pure
        returns (bytes memory)
    {
        bytes memory received = abi.encodePacked(
            bytes1(0x86),
            CborWriter.u64(from),
            CborWriter.u64(to),
            CborWriter.u64(Actors.VERIFREG),
            CborWriter.amount(amount),
            CborWriter.byteString(operatorData),
            bytes1(0x40)
        );
        return abi.encodePacked(bytes1(0x82), CborWriter.u64(0x85223bdf), CborWriter.byteString(received));
    }

    function _invoke(uint64 method, bytes calldata params) internal override returns (bytes memory) {
        Reader memory r = CborReader.open(params);
        uint64 caller = _world().callerId(msg.sender);
        if (method == Methods.TRANSFER) return _transfer(caller, r);
        if (method == Methods.BALANCE) {
            bytes memory owner = r.byteString();
            _parsed(r);
            return CborWriter.amount(balanceOf[_world().idOf(owner)]);
        }
        if (method == Methods.ALLOWANCE) {
            r.tuple(2);
            (bytes memory owner, bytes memory operator) = (r.byteString(), r.byteString());
            _parsed(r);
            return CborWriter.amount(allowanceOf[_world().idOf(owner)][_world().idOf(operator)]);
        }
        if (method != Methods.INCREASE_ALLOWANCE && method != Methods.DECREASE_ALLOWANCE) _exit(UNHANDLED);
        return _changeAllowance(caller, method == Methods.INCREASE_ALLOWANCE, r);
    }

    function _changeAllowance(uint64 holder, bool up, Reader memory r) private returns (bytes memory) {
        r.tuple(2);
        (bytes memory operator, uint256 change) = (r.byteString(), r.amount());
        _parsed(r);
        uint64 id = _world().idOf(operator);
        uint256 allowance = allowanceOf[holder][id];
        if (up) allowance += change;
        else allowance = change > allowance ? 0 : allowance - change;
        allowanceOf[holder][id] = allowance;
        return CborWriter.amount(allowance);
    }

    function _transfer(uint64 from, Reader memory r) private returns (bytes memory) {
        r.tuple(3);
        (bytes memory to, uint256 amount, bytes memory data) = (r.byteString(), r.amount(), r.byteString());
        _parsed(r);
        if (_world().idOf(to) != Actors.VERIFREG) _exit(FORBIDDEN);
        if (amount % UNIT != 0) _exit(ILLEGAL_ARGUMENT);
        if (balanceOf[from] < amount) _exit(INSUFFICIENT_FUNDS);
        balanceOf[from] -= amount;
        balanceOf[Actors.VERIFREG] += amount;
        // f07 tells the balance as it was before f06 destroyed anything.
        bytes memory held = CborWriter.amount(balanceOf[Actors.VERIFREG]);
        bytes memory reply = VerifregStandIn(FilAddress.masked(Actors.VERIFREG)).received(from, amount, data);
        return abi.encodePacked(bytes1(0x83), CborWriter.amount(balanceOf[from]), held, CborWriter.byteString(reply));
    }
}
