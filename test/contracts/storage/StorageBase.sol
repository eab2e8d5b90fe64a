// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Price } from "../../../contracts/interfaces/IEstuaryProvider.sol";
import { Actions } from "../../../contracts/interfaces/IExecutionProvider.sol";
import {
    DealTerms,
    IPerpetualStorage,
    PublishedDeal,
    SectorPiece,
    SlotView
} from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { IProviderRegistry } from "../../../contracts/interfaces/IProviderRegistry.sol";
import { DealFacts, IFilecoinFacts } from "../../../contracts/interfaces/IStorageGate.sol";
import { PerpetualStorage, StorageConfig } from "../../../contracts/storage/PerpetualStorage.sol";
import { Base } from "../Base.t.sol";
import { FactsFake, RegistryFake } from "./FactsFake.sol";
import { StorageFactory } from "./StorageFactory.sol";

/// @notice What tests of PerpetualStorage start from: the contract on a Filecoin that does as it is told, three providers, and a
/// client with a deal.
abstract contract StorageBase is Base {
    uint256 internal constant DAY = 2880;
    uint32 internal constant TERM = 518_400;
    uint32 internal constant SEAL = 5760;
    uint32 internal constant RENEW = 86_400;
    uint32 internal constant RAMP = 28_800;
    uint80 internal constant BASE = 1 ether;
    uint80 internal constant MAX = 5 ether;
    uint64 internal constant RATE = 1e12;
    uint80 internal constant FLOOR = 0.5 ether;
    uint64 internal constant GIB = 1 << 30;
    uint64 internal constant CAR_SIZE = 900_000_000;
    bytes32 internal constant COMMP = 0x0101010101010101010101010101010101010101010101010101010101010101;
    bytes internal constant PIECE = abi.encodePacked(hex"0181e203922020", COMMP);
    bytes internal constant AUX = hex"820001";

    uint64 internal constant M1 = 1001;
    uint64 internal constant M2 = 1002;
    uint64 internal constant M3 = 1003;

    FactsFake internal facts;
    RegistryFake internal registry;
    PerpetualStorage internal store;
    address internal client = makeAddr("client");
    address internal keeper = makeAddr("keeper");
    address internal stranger = makeAddr("stranger");
    // Providers have keys of Filecoin's own, so contracts see masked ids: the owner of 1001 is 2001, its worker 3001, and so on.
    address internal sp1 = _masked(3001);
    address internal sp2 = _masked(3002);
    address internal sp3 = _masked(3003);

    function setUp() public virtual override {
        super.setUp();
        vm.roll(1_000_000);
        facts = new FactsFake();
        registry = new RegistryFake();
        StorageFactory made = StorageFactory(vm.deployCode("StorageFactory.sol:StorageFactory"));
        store = made.make(provider, _storageConfig());
        vm.startPrank(owner);
        provider.setPrice(Actions.PREPARE, Price(0.02 ether, 0, 0, 1000, true));
        provider.setPrice(Actions.SERVED, Price(0.01 ether, 0, 0, 1000, true));
        vm.stopPrank();
        for (uint64 i = 1; i <= 3; ++i) {
            facts.setMiner(1000 + i, 2000 + i, _masked(3000 + i));
            facts.setMiner(1000 + i, 2000 + i, _masked(2000 + i));
            vm.deal(_masked(3000 + i), 1000 ether);
        }
        vm.deal(client, 1_000_000 ether);
        vm.deal(keeper, 10 ether);
        vm.deal(stranger, 1000 ether);
    }

    function _storageConfig() internal view returns (StorageConfig memory) {
        return StorageConfig({
            gate: address(facts),
            facts: facts,
            registry: IProviderRegistry(address(registry)),
            owner: owner,
            baseUrl: "https://gate.example/piece/",
            mostMaxBytes: 32 << 30,
            requestTerm: 1 days,
            callbackGas: 300_000
        });
    }

    function _masked(uint64 id) internal pure returns (address) {
        return address(uint160(0xff) << 152 | id);
    }

    function _terms() internal pure returns (DealTerms memory) {
        return DealTerms({
            replicas: 3,
            verified: false,
            term: TERM,
            sealWindow: SEAL,
            renewWindow: RENEW,
            ramp: RAMP,
            endEpoch: 0,
            baseBounty: BASE,
            maxBounty: MAX,
            rate: RATE,
            bondFloor: FLOOR,
            minCollateral: 0.2 ether,
            endpoint: ""
        });
    }

    /// @dev A deal with money for everything, which operators have just fetched.
    function _deal() internal returns (uint64 dealId) {
        dealId = _dealWith(_terms(), 100 ether);
        _serve(dealId);
    }

    function _dealWith(DealTerms memory terms, uint256 value) internal returns (uint64) {
        vm.prank(client);
        return store.createDeal{ value: value }(HELLO_BYTES, PIECE, GIB, CAR_SIZE, terms);
    }

    function _serve(uint64 dealId) internal {
        uint96 fee = store.quoteServed(dealId);
        vm.recordLogs();
        vm.prank(client);
        store.requestServed{ value: fee }(dealId);
        assertEq(_fulfill(_success(_lastAsk(), "")), 1);
    }

    function _slot(uint64 dealId, uint8 index, uint16 generation) internal pure returns (uint64) {
        return dealId << 24 | uint64(index) << 16 | generation;
    }

    function _bond(uint64 slotId) internal view returns (uint96 bond) {
        (, bond,) = store.previewClaim(slotId, M1, sp1);
    }

    function _claim(uint64 dealId, uint8 index, uint64 minerId, address by) internal returns (uint64 slotId) {
        (uint64 current, uint64 next) = store.seatOf(dealId, index);
        slotId = next == 0 ? current : next;
        uint96 bond = _bond(slotId);
        vm.prank(by);
        store.claimDeal{ value: bond }(dealId, index, minerId);
        _stateOf(slotId, IPerpetualStorage.SlotState.Claimed);
    }

    function _piece(uint64 minerId, uint64 sector) internal view returns (SectorPiece memory) {
        return SectorPiece(minerId, sector, COMMP, GIB, int64(uint64(block.number) + 3 * TERM), 0);
    }

    /// @dev The sector is committed and active, and the miner says so.
    function _seal(uint64 slotId, uint64 minerId, uint64 sector) internal {
        facts.setSector(minerId, sector, 1, uint64(block.number) + 3 * TERM);
        assertTrue(facts.activate(store, slotId, _piece(minerId, sector)), "activation");
        _stateOf(slotId, IPerpetualStorage.SlotState.Active);
    }

    function _active(uint64 dealId, uint8 index, uint64 minerId, address by) internal returns (uint64 slotId) {
        slotId = _claim(dealId, index, minerId, by);
        _seal(slotId, minerId, 100 + index);
    }

    function _f05(uint64 minerId, uint64 id) internal view returns (PublishedDeal memory) {
        return PublishedDeal({
            minerId: minerId,
            f05DealId: id,
            commP: COMMP,
            paddedSize: GIB,
            start: int64(uint64(block.number) + SEAL),
            end: int64(uint64(block.number) + SEAL + TERM),
            verified: false,
            pricePerEpoch: 0,
            providerCollateral: 0.2 ether,
            clientCollateral: 0
        });
    }

    function _factsOf(PublishedDeal memory p, IFilecoinFacts.DealState state, int64 activated, uint64 sector)
        internal
        pure
        returns (DealFacts memory)
    {
        return DealFacts({
            state: state,
            ours: true,
            verified: p.verified,
            provider: p.minerId,
            commP: p.commP,
            paddedSize: p.paddedSize,
            start: p.start,
            duration: p.end - p.start,
            providerCollateral: p.providerCollateral,
            activated: activated,
            sector: sector
        });
    }

    function _prove(uint64 slotId) internal {
        uint64[] memory ids = new uint64[](1);
        bytes[] memory aux = new bytes[](1);
        (ids[0], aux[0]) = (slotId, AUX);
        store.proveActive(ids, aux);
    }

    function _pass(uint256 epochs) internal {
        vm.roll(block.number + epochs);
        vm.warp(block.timestamp + epochs * 30);
    }

    function _stateOf(uint64 slotId, IPerpetualStorage.SlotState state) internal view {
        assertEq(uint8(store.slotOf(slotId).state), uint8(state), "state of slot");
    }

    function _free(uint64 dealId) internal view returns (uint256) {
        return store.dealOf(dealId).free;
    }

    /// @dev What bounds the money from below, of the slots named: equality, since nobody forces money in here.
    function _conserved(uint64[] memory deals, uint64[] memory slots, address[] memory accounts) internal view {
        uint256 sum = store.burnable();
        for (uint256 i = 0; i < deals.length; ++i) {
            sum += _free(deals[i]);
        }
        for (uint256 i = 0; i < slots.length; ++i) {
            SlotView memory s = store.slotOf(slots[i]);
            sum += s.bond;
            bool holds = s.state > IPerpetualStorage.SlotState.Open && s.state < IPerpetualStorage.SlotState.Ended;
            if (holds) sum += s.obligation - s.earned;
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            sum += store.creditOf(accounts[i]);
        }
        assertEq(address(store).balance, sum, "held");
    }
}
