// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { FilAddress } from "../../../../contracts/fvm/FilAddress.sol";

address constant WORLD = address(uint160(uint256(keccak256("tidegate stand-ins: world"))));

/// @notice An actor's way to end with an exit code: what it did is undone.
error ActorExit(uint32 code);

/// @notice A stand-in for a native actor, etched at its masked id. A payment of method 0 never comes here.
interface INative {
    /// @dev `msg.sender` is the calling actor: a contract, or a masked id.
    function invoke(uint64 method, uint64 codec, bytes calldata params)
        external
        payable
        returns (uint64 returnCodec, bytes memory data);
}

/// @title World
/// @notice Which actors there are: the table that the init actor keeps on Filecoin. Etched at `WORLD`.
/// @dev Contracts and Ethereum accounts are known only once a test registers them; native ones by their masked id.
contract World {
    mapping(uint64 id => address) public ethOf;
    mapping(bytes32 addressHash => uint64) private _ids;
    mapping(uint64 id => bool) public exists;
    uint64 public nextId;

    /// @notice Gives a contract or an Ethereum account its id.
    function register(address eth) external returns (uint64 id) {
        bytes memory addr = FilAddress.toBytes(eth);
        id = _ids[keccak256(addr)];
        if (id != 0) return id;
        id = _next();
        ethOf[id] = eth;
        _ids[keccak256(addr)] = id;
    }

    /// @notice Makes a native account with a key address (f1, f3) or a robust one (f2).
    function account(bytes calldata addr) external returns (uint64 id) {
        id = _next();
        _ids[keccak256(addr)] = id;
    }

    /// @notice Gives an id to an address of whatever kind.
    function put(uint64 id, bytes calldata addr) external {
        _ids[keccak256(addr)] = id;
        exists[id] = true;
        if (addr.length == 22 && bytes2(addr) == 0x040a) ethOf[id] = address(bytes20(addr[2:]));
    }

    /// @notice Says that there is a native actor with this id.
    function found(uint64 id) external {
        exists[id] = true;
    }

    /// @notice What the precompile answers: 0 where there is none.
    function idOf(bytes calldata addr) external view returns (uint64 id) {
        (bool ok, uint64 said) = FilAddress.readId(addr);
        return ok ? said : _ids[keccak256(addr)];
    }

    /// @notice The id of a caller.
    function callerId(address caller) external view returns (uint64 id) {
        (bool isMasked, uint64 said) = FilAddress.unmask(caller);
        return isMasked ? said : _ids[keccak256(FilAddress.toBytes(caller))];
    }

    /// @notice Where the code and the balance of an actor are in this EVM.
    function placeOf(uint64 id) external view returns (address) {
        address eth = ethOf[id];
        return eth == address(0) ? FilAddress.masked(id) : eth;
    }

    function _next() private returns (uint64 id) {
        id = nextId == 0 ? 1000 : nextId;
        nextId = id + 1;
        exists[id] = true;
    }
}

/// @dev Where the world is, for those etched beside it.
abstract contract InWorld {
    function _world() internal pure returns (World) {
        return World(WORLD);
    }

    function _exit(uint32 code) internal pure {
        revert ActorExit(code);
    }
}
