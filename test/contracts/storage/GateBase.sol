// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { CborWriter } from "../../../contracts/fvm/CborWriter.sol";
import { FilAddress } from "../../../contracts/fvm/FilAddress.sol";
import { DealProposal, Hooks, PieceChange, SectorChange } from "../../../contracts/fvm/Hooks.sol";
import { PieceCid } from "../../../contracts/fvm/PieceCid.sol";
import { Price } from "../../../contracts/interfaces/IEstuaryProvider.sol";
import { Actions } from "../../../contracts/interfaces/IExecutionProvider.sol";
import { DealTerms, IPerpetualStorage } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { FilecoinFacts } from "../../../contracts/storage/FilecoinFacts.sol";
import { PerpetualStorage, StorageConfig } from "../../../contracts/storage/PerpetualStorage.sol";
import { ProviderRegistry } from "../../../contracts/storage/ProviderRegistry.sol";
import { StorageGate } from "../../../contracts/storage/StorageGate.sol";
import { Base } from "../Base.t.sol";
import { FvmTest } from "../fvm/FvmTest.sol";
import { MinerStandIn } from "../fvm/standins/MinerStandIn.sol";
import { ActorExit, INative } from "../fvm/standins/World.sol";
import { StorageFactory } from "./StorageFactory.sol";

/// @notice The whole suite on stand-ins of Filecoin's actors.
abstract contract GateBase is Base, FvmTest {
    uint256 internal constant DAY = 2880;
    uint32 internal constant TERM = 518_400;
    uint32 internal constant SEAL = 5760;
    uint64 internal constant GIB = 1 << 30;
    bytes32 internal constant COMMP = 0x0101010101010101010101010101010101010101010101010101010101010101;
    uint64 internal constant M1 = 5001;
    uint64 internal constant M2 = 5002;

    StorageGate internal gate;
    FilecoinFacts internal facts;
    ProviderRegistry internal registry;
    PerpetualStorage internal store;
    address internal client = makeAddr("client");
    MinerStandIn internal miner1;
    MinerStandIn internal miner2;
    address internal sp1 = FilAddress.masked(3001);
    address internal sp2 = FilAddress.masked(3002);

    function setUp() public override {
        super.setUp();
        vm.roll(1_000_000);
        _startFvm();
        for (uint64 id = 1; id <= 2; ++id) {
            world.found(2000 + id);
            world.found(3000 + id);
            vm.deal(FilAddress.masked(3000 + id), 1000 ether);
        }
        miner1 = _newMiner(M1, 2001, 3001);
        miner2 = _newMiner(M2, 2002, 3002);
        StorageFactory made = StorageFactory(vm.deployCode("StorageFactory.sol:StorageFactory"));
        gate = new StorageGate(owner);
        facts = new FilecoinFacts(address(gate));
        registry = new ProviderRegistry(facts, owner);
        store = made.make(
            provider,
            StorageConfig(
                address(gate), facts, registry, owner, "https://gate.example/piece/", 32 << 30, 1 days, 300_000
            )
        );
        gate.attach(address(store));
        world.register(address(gate));
        world.register(address(store));
        world.register(client);
        vm.prank(owner);
        provider.setPrice(Actions.SERVED, Price(0.01 ether, 0, 0, 1000, true));
        vm.deal(client, 1_000_000 ether);
    }

    // ----------------------------------------------------------------- inside

    function _deal(bool verified) internal returns (uint64 dealId) {
        DealTerms memory t =
            DealTerms(3, verified, TERM, SEAL, 86_400, 28_800, 0, 1 ether, 5 ether, 1e12, 0.5 ether, 0.2 ether, "");
        vm.prank(client);
        dealId = store.createDeal{ value: 100 ether }(HELLO_BYTES, PieceCid.v1(COMMP), GIB, 900_000_000, t);
        _serve(dealId);
    }

    function _serve(uint64 dealId) internal {
        uint96 fee = store.quoteServed(dealId);
        vm.recordLogs();
        vm.prank(client);
        store.requestServed{ value: fee }(dealId);
        assertEq(_fulfill(_success(_lastAsk(), "")), 1);
    }

    function _claim(uint64 dealId, uint64 minerId, address sp) internal {
        _claim(dealId, minerId, sp, dealId << 24);
    }

    function _claim(uint64 dealId, uint64 minerId, address sp, uint64 slotId) internal {
        vm.prank(sp);
        store.claimDeal{ value: 9 ether }(dealId, 0, minerId);
        assertEq(store.slotOf(slotId).minerId, minerId);
        assertEq(uint8(store.slotOf(slotId).state), uint8(IPerpetualStorage.SlotState.Claimed));
    }

    /// @dev From now on an actor ends a method with an exit code, until `vm.clearMockedCalls`.
    function _refuses(address actor, uint64 method, uint32 code) internal {
        vm.mockCallRevert(
            actor,
            abi.encodeWithSelector(INative.invoke.selector, method),
            abi.encodeWithSelector(ActorExit.selector, code)
        );
    }

    /// @dev As Boost makes it of what the gate says.
    function _offered(uint64 slotId, uint64 minerId) internal view returns (DealProposal memory p) {
        (, p) = Hooks.dealProposal(gate.getDealProposal(bytes32(uint256(slotId))));
        p.provider = FilAddress.fromId(minerId);
    }

    function _proposal(uint64 slotId, uint64 minerId) internal view returns (DealProposal memory) {
        return _offered(slotId, minerId);
    }

    function _publish(uint64 slotId, uint64 minerId) internal returns (uint64) {
        DealProposal[] memory list = new DealProposal[](1);
        list[0] = _proposal(slotId, minerId);
        return market.publish(list)[0];
    }

    function _notPublished(DealProposal memory p) internal {
        DealProposal[] memory list = new DealProposal[](1);
        list[0] = p;
        vm.expectRevert();
        market.publish(list);
    }

    function _changes(uint64 slotId, uint64 sector, uint256 times) internal view returns (SectorChange[] memory list) {
        list = new SectorChange[](1);
        list[0].sector = sector;
        list[0].minimumCommitmentEpoch = int64(uint64(block.number) + TERM);
        list[0].added = new PieceChange[](times);
        for (uint256 i = 0; i < times; ++i) {
            list[0].added[i] = PieceChange(COMMP, GIB, CborWriter.u64(slotId));
        }
    }

    function _prove(uint64 slotId, MinerStandIn miner, uint64 sector) internal {
        uint64[] memory ids = new uint64[](1);
        bytes[] memory aux = new bytes[](1);
        (ids[0], aux[0]) = (slotId, miner.location(sector));
        store.proveActive(ids, aux);
    }

    function _pass(uint256 epochs) internal {
        vm.roll(block.number + epochs);
        vm.warp(block.timestamp + epochs * 30);
    }

    function _id(address account) internal view returns (uint64 id) {
        (, id) = FilAddress.idOf(account);
    }
}
