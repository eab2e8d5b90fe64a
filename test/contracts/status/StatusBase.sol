// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { FilAddress } from "../../../contracts/fvm/FilAddress.sol";
import { DealProposal, PieceChange, SectorChange } from "../../../contracts/fvm/Hooks.sol";
import { PieceCid } from "../../../contracts/fvm/PieceCid.sol";
import { DealRef, IDealStatusOracle } from "../../../contracts/interfaces/IDealStatusOracle.sol";
import { IOperatorSet } from "../../../contracts/interfaces/IOperatorSet.sol";
import { DealStatusOracle } from "../../../contracts/status/DealStatusOracle.sol";
import { FvmTest } from "../fvm/FvmTest.sol";
import { MinerStandIn } from "../fvm/standins/MinerStandIn.sol";

/// @dev Three operators of whom two are needed.
contract Operators {
    address[] private _operators = [address(0xa1), address(0xa2), address(0xa3)];
    bytes32 public configDigest = keccak256("one");
    uint8 public constant threshold = 2;

    function operators() external view returns (address[] memory) {
        return _operators;
    }

    function rotate() external {
        configDigest = keccak256("two");
    }
}

abstract contract StatusBase is FvmTest {
    bytes32 internal constant ROOT = bytes32(uint256(0xabcd) << 200);
    uint64 internal constant MINER = 2000;
    uint64 internal constant START = 12_000;
    uint64 internal constant END = 12_000 + 600_000;

    Operators internal operators = new Operators();
    DealStatusOracle internal oracle;
    MinerStandIn internal miner;
    bytes internal piece = PieceCid.v1(ROOT);

    function setUp() public virtual {
        _startFvm();
        vm.roll(10_000);
        oracle = new DealStatusOracle(IOperatorSet(address(operators)));
        world.register(address(oracle));
        (uint64 ownerId,) = _newAccount("owner");
        miner = _newMiner(MINER, ownerId, ownerId);
        world.found(1);
    }

    function _put(bytes32 root, uint64 size) internal returns (uint64 id) {
        DealProposal memory p;
        (p.commitment, p.pieceSize) = (root, size);
        (p.client, p.provider) = (FilAddress.fromId(1), FilAddress.fromId(MINER));
        (p.startEpoch, p.endEpoch) = (int64(START), int64(END));
        id = market.put(p);
    }

    function _active() internal returns (uint64 id) {
        id = _put(ROOT, 1 << 20);
        miner.commit(7, int64(END + 5000));
        market.activate(id, 7);
    }

    function _deal(uint64 id) internal pure returns (DealRef memory) {
        return DealRef(id, 0, 0, 0);
    }

    function _sector(uint64 number) internal pure returns (DealRef memory) {
        return DealRef(0, MINER, number, ROOT);
    }

    function _refresh(DealRef memory ref, bytes memory location) internal returns (IDealStatusOracle.Status) {
        return oracle.refresh(ref, location);
    }

    function _is(DealRef memory ref, IDealStatusOracle.Status wanted) internal {
        assertEq(uint8(_refresh(ref, "")), uint8(wanted));
        _stored(ref, wanted);
    }

    function _is(DealRef memory ref, bytes memory location, IDealStatusOracle.Status wanted) internal {
        assertEq(uint8(_refresh(ref, location)), uint8(wanted));
        _stored(ref, wanted);
    }

    function _stored(DealRef memory ref, IDealStatusOracle.Status wanted) internal view {
        (IDealStatusOracle.Status status,,) = oracle.statusOf(ref);
        assertEq(uint8(status), uint8(wanted));
    }

    /// @dev The miner tells of a sector with the piece that stays until then.
    function _tell(uint64 sector, uint64 until) internal returns (bool) {
        SectorChange[] memory changes = new SectorChange[](1);
        changes[0] = SectorChange(sector, int64(until), new PieceChange[](1));
        changes[0].added[0] = PieceChange(ROOT, 1 << 20, "hello");
        return miner.notify(address(oracle), changes, true);
    }
}
