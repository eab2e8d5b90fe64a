// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Actors } from "../../../contracts/fvm/Actors.sol";
import { FilAddress } from "../../../contracts/fvm/FilAddress.sol";
import { MarketStandIn } from "./standins/MarketStandIn.sol";
import { MinerStandIn } from "./standins/MinerStandIn.sol";
import { DataCapStandIn, PowerStandIn, VerifregStandIn } from "./standins/Natives.sol";
import { CallActorByAddress, CallActorById, LookupDelegated, ResolveAddress } from "./standins/Precompiles.sol";
import { WORLD, World } from "./standins/World.sol";
import { Test } from "forge-std/Test.sol";

/// @notice A chain with stand-ins for Filecoin's precompiles and native actors. `_startFvm` in setUp; then contracts under test are
/// registered (`world.register`), since what has no id can neither be a client nor be found.
abstract contract FvmTest is Test {
    World internal constant world = World(WORLD);
    MarketStandIn internal constant market = MarketStandIn(0xff00000000000000000000000000000000000005);
    PowerStandIn internal constant power = PowerStandIn(0xFf00000000000000000000000000000000000004);
    VerifregStandIn internal constant verifreg = VerifregStandIn(0xFF00000000000000000000000000000000000006);
    DataCapStandIn internal constant datacap = DataCapStandIn(0xfF00000000000000000000000000000000000007);

    function _startFvm() internal {
        vm.etch(WORLD, address(new World()).code);
        vm.etch(0xFE00000000000000000000000000000000000001, address(new ResolveAddress()).code);
        vm.etch(0xfE00000000000000000000000000000000000002, address(new LookupDelegated()).code);
        vm.etch(0xfe00000000000000000000000000000000000003, address(new CallActorByAddress()).code);
        vm.etch(0xfe00000000000000000000000000000000000005, address(new CallActorById()).code);
        vm.etch(address(market), address(new MarketStandIn()).code);
        vm.etch(address(power), address(new PowerStandIn()).code);
        vm.etch(address(verifreg), address(new VerifregStandIn()).code);
        vm.etch(address(datacap), address(new DataCapStandIn()).code);
        for (uint64 id = Actors.POWER; id <= Actors.DATACAP; ++id) {
            world.found(id);
        }
        world.found(Actors.BURNT_FUNDS);
    }

    /// @notice A miner with this id, its owner and worker.
    function _newMiner(uint64 id, uint64 owner, uint64 worker) internal returns (MinerStandIn miner) {
        miner = MinerStandIn(FilAddress.masked(id));
        vm.etch(address(miner), address(new MinerStandIn()).code);
        world.found(id);
        power.claim(id, 0);
        miner.setOwner(owner, worker);
    }

    /// @notice A native account (f1) with the id that it got; it sends from its masked id.
    function _newAccount(bytes20 key) internal returns (uint64 id, address from) {
        id = world.account(abi.encodePacked(bytes1(0x01), key));
        from = FilAddress.masked(id);
    }
}
