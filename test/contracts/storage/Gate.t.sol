// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Methods } from "../../../contracts/fvm/Actors.sol";
import { CborWriter } from "../../../contracts/fvm/CborWriter.sol";
import { FilAddress } from "../../../contracts/fvm/FilAddress.sol";
import { DealProposal, Hooks, SectorChange } from "../../../contracts/fvm/Hooks.sol";
import { PieceCid } from "../../../contracts/fvm/PieceCid.sol";
import { IPerpetualStorage, SlotView } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { IProviderRegistry, ProviderEntry } from "../../../contracts/interfaces/IProviderRegistry.sol";
import {
    DealFacts,
    ICurioDealView,
    IFilecoinFacts,
    IStorageGate
} from "../../../contracts/interfaces/IStorageGate.sol";
import { Spelling } from "../../../contracts/storage/Spelling.sol";
import { StorageGate } from "../../../contracts/storage/StorageGate.sol";
import { GateBase } from "./GateBase.sol";
import { Vm } from "forge-std/Vm.sol";

/// @notice The whole suite on stand-ins of Filecoin's actors: what they call, what is asked of them.
contract GateTest is GateBase {
    // --------------------------------------------------------------- numbers

    /// @dev reference: filecoin-fevm.md sections 1.1, 1.3 and 1.5.
    function test_Selectors() public pure {
        assertEq(StorageGate.handle_filecoin_method.selector, bytes4(0x868e10c4));
        assertEq(IStorageGate.getDealProposal.selector, bytes4(0xf4b2e4d8));
        assertEq(IStorageGate.getExtraParams.selector, bytes4(0x4634aed5));
        assertEq(ICurioDealView.version.selector, bytes4(keccak256("version()")));
        assertEq(ICurioDealView.verifyDeal.selector, bytes4(0x2e9b812d));
        assertEq(ICurioDealView.getDealState.selector, bytes4(0xee84880d));
        assertEq(ICurioDealView.DealNotFound.selector, bytes4(0xcb58af1f));
        assertEq(
            IStorageGate.DealProposalCreate.selector,
            bytes32(0xfd6419d07e4c269e58d0c63969756c2124155b4a8d6dd08b8cd46e3a9acbf625)
        );
    }

    /// @dev As others read and write them, word by word: what is indexed, and what stands where.
    function test_Shapes() public {
        uint64 dealId = _deal(false);
        uint64 slotId = dealId << 24;
        vm.recordLogs();
        gate.announce(slotId);
        Vm.Log memory log = vm.getRecordedLogs()[0];
        assertEq(log.topics.length, 3);
        assertEq(uint256(log.topics[1]), slotId, "id");
        assertEq(uint256(log.topics[2]), 0, "verified");
        assertEq(log.data, abi.encode(GIB, 0), "size, price");

        _claim(dealId, M1, sp1);
        bytes memory client_ = abi.encodePacked(hex"040a", address(gate));
        bytes memory view_ = abi.encode(
            uint256(slotId), // deal
            uint256(0), // Open
            uint256(M1), // provider
            client_,
            PieceCid.v2(COMMP, 900_000_000),
            block.number + SEAL, // start
            uint256(TERM), // duration
            uint256(0), // allocation
            uint256(0) // epoch of its end
        );
        (bool ok, bytes memory reply) = address(gate).call(abi.encodePacked(bytes4(0x2e9b812d), uint256(32), view_));
        assertTrue(ok);
        assertEq(reply, abi.encode(true));
        (ok, reply) = address(gate).call(abi.encodePacked(bytes4(0xee84880d), uint256(slotId)));
        assertEq(reply, abi.encode(uint256(0)), "Open");
        miner1.notify(address(gate), _changes(slotId, 42, 1), true);
        (ok, reply) = address(gate).call(abi.encodePacked(bytes4(0xee84880d), uint256(slotId)));
        assertEq(reply, abi.encode(uint256(1)), "Active");
        vm.prank(sp1);
        store.terminateDeal(slotId);
        (ok, reply) = address(gate).call(abi.encodePacked(bytes4(0xee84880d), uint256(slotId)));
        assertEq(reply, abi.encode(uint256(2)), "Finalized");
        (ok, reply) = address(gate).call(abi.encodePacked(bytes4(0xee84880d), uint256(5)));
        assertFalse(ok);
        assertEq(reply, abi.encodePacked(bytes4(0xcb58af1f), uint256(5)));
    }

    /// @dev What a contract answers an actor: exit code, codec and data, as ABI has them without more.
    function test_Answers() public {
        uint64 slotId = _deal(false) << 24;
        bytes memory proposal = CborWriter.byteString(Hooks.encode(_proposal(slotId, M1)));
        vm.startPrank(Hooks.MARKET);
        assertEq(
            _answer(2_643_134_072, abi.encodePacked(hex"8240", proposal)),
            abi.encode(uint256(0), uint256(0x51), bytes(hex"f5")),
            "it authenticates"
        );
        bytes memory nothing = abi.encode(uint256(0), uint256(0), bytes(""));
        assertEq(_answer(4_186_741_094, abi.encodePacked(hex"82", proposal, hex"07")), nothing, "it is told");
        assertEq(store.slotOf(slotId).f05DealId, 7);
        assertEq(_answer(1024, hex"80"), abi.encode(uint256(22), uint256(0), bytes("")), "it has no such method");
        vm.stopPrank();
        uint64 other = _deal(false) << 24;
        _claim(other >> 24, M1, sp1);
        bytes memory changes = miner1.encodeChanges(_changes(other, 42, 2));
        vm.prank(address(miner1));
        assertEq(
            _answer(2_034_386_435, changes), abi.encode(uint256(0), uint256(0x51), bytes(hex"8182f5f5")), "one by one"
        );
        uint64 verified = _deal(true);
        bytes memory received = abi.encodePacked(
            hex"86", // from f07, to somebody, by f06
            hex"070806",
            CborWriter.amount(uint256(GIB) * 1e18),
            CborWriter.byteString(CborWriter.u64(verified)),
            hex"40"
        );
        vm.prank(Hooks.DATACAP);
        assertEq(
            _answer(3_726_118_371, abi.encodePacked(hex"82", hex"1a85223bdf", CborWriter.byteString(received))), nothing
        );
        assertEq(gate.dataCapOf(verified), GIB);
    }

    function _answer(uint64 method, bytes memory params) private returns (bytes memory reply) {
        bool ok;
        (ok, reply) = address(gate)
            .call(abi.encodePacked(bytes4(0x868e10c4), abi.encode(uint256(method), uint256(0x51), params)));
        assertTrue(ok);
    }

    function test_Attach_OnceByTheDeployerToItsOwn() public {
        StorageGate other = new StorageGate(address(0));
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_WrongStorage.selector, address(store)));
        other.attach(address(store));
        vm.prank(client);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_NotDeployer.selector, client));
        other.attach(address(store));
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_NotDeployer.selector, address(this)));
        gate.attach(address(store));
        assertEq(gate.perpetualStorage(), address(store));
    }

    // ------------------------------------------------------------- f05 deals

    function test_F05_FromTheEventToThePay() public {
        uint64 slotId = _deal(false) << 24;
        vm.expectEmit(address(gate));
        emit IStorageGate.DealProposalCreate(bytes32(uint256(slotId)), GIB, false, 0);
        gate.announce(slotId);
        vm.expectRevert(
            abi.encodeWithSelector(IStorageGate.StorageGate_AnnouncedLately.selector, slotId, block.number + DAY)
        );
        gate.announce(slotId);

        uint64 id = _publish(slotId, M1);
        SlotView memory s = store.slotOf(slotId);
        assertEq(uint8(s.state), uint8(IPerpetualStorage.SlotState.Published), "claimed and published in one step");
        assertEq(s.f05DealId, id);
        assertEq(s.payee, FilAddress.masked(2001));
        vm.expectRevert();
        gate.announce(slotId);

        _pass(SEAL);
        market.activate(id, 55);
        miner1.commit(55, int64(uint64(block.number) + 2 * TERM));
        _pass(100);
        _prove(slotId, miner1, 55);
        uint256 earned = store.slotOf(slotId).earned;
        assertEq(earned, uint256(s.obligation) * 100 / TERM);
        // A native account is paid by a bare transfer.
        uint256 before = FilAddress.masked(2001).balance;
        vm.prank(FilAddress.masked(2001));
        store.withdrawEarned(FilAddress.masked(2001));
        assertEq(FilAddress.masked(2001).balance, before + earned);
    }

    /// @dev A payee has one form, by whatever address its owner names it.
    function test_SetPayee_AnIdIsTheAccountThatItIs() public {
        uint64 slotId = _deal(false) << 24;
        _claim(slotId >> 24, M1, sp1);
        uint64[] memory ids = new uint64[](1);
        ids[0] = slotId;
        address asId = FilAddress.masked(_id(client));
        vm.prank(FilAddress.masked(2001));
        store.setPayee(ids, asId);
        assertEq(store.slotOf(slotId).payee, client);
    }

    function test_F05_OnlyTheDealThatWasOffered() public {
        uint64 slotId = _deal(false) << 24;
        DealProposal memory p = _proposal(slotId, M1);
        p.pricePerEpoch = 1;
        _notPublished(p);
        p = _proposal(slotId, M1);
        p.commitment = bytes32(uint256(7) << 100);
        _notPublished(p);
        p = _proposal(slotId, M1);
        p.label = Spelling.label(99 << 24, HELLO_BYTES);
        _notPublished(p);
        p.label = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
        _notPublished(p);
        p = _proposal(slotId, M1);
        p.provider = FilAddress.fromId(777); // no miner
        _notPublished(p);
        _publish(slotId, M1);
    }

    /// @dev Both are authenticated before either is told, and differ by an epoch. The second is ignored, and the batch stands.
    function test_F05_TwoProposalsForASlotInOneBatch() public {
        uint64 slotId = _deal(false) << 24;
        DealProposal[] memory list = new DealProposal[](2);
        (list[0], list[1]) = (_proposal(slotId, M1), _proposal(slotId, M1));
        list[1].startEpoch -= 1;
        vm.expectEmit(address(gate));
        emit IStorageGate.DealIgnored(1, slotId, gate.nextSeq());
        uint64[] memory ids = market.publish(list);
        assertEq(ids.length, 2);
        assertEq(store.slotOf(slotId).f05DealId, ids[0]);
    }

    function test_F05_MissedNotificationIsShownByTheProvider() public {
        uint64 dealId = _deal(false);
        uint64 slotId = dealId << 24;
        _claim(dealId, M1, sp1);
        DealProposal memory p = _proposal(slotId, M1);
        p.client = FilAddress.fromId(_id(address(gate)));
        uint64 id = market.put(p);
        vm.prank(sp1);
        store.publishDeal(slotId, id);
        assertEq(uint8(store.slotOf(slotId).state), uint8(IPerpetualStorage.SlotState.Published));
        p.client = FilAddress.fromId(_id(client));
        uint64 foreign = market.put(p);
        uint64 other = _deal(false);
        _claim(other, M1, sp1);
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, bytes32("client")));
        store.publishDeal(other << 24, foreign);
    }

    function test_F05_GoneBeforeItsStartIsExpired() public {
        uint64 slotId = _deal(false) << 24;
        uint64 id = _publish(slotId, M1);
        _pass(SEAL + DAY + 1);
        market.settle(id);
        store.expireClaim(slotId);
        assertEq(uint8(store.slotOf(slotId).state), uint8(IPerpetualStorage.SlotState.Open));
    }

    function test_Hooks_FromAnybodyElseDoNothing() public {
        uint64 slotId = _deal(false) << 24;
        DealProposal memory p = _proposal(slotId, M1);
        bytes memory params = abi.encodePacked(hex"82", hex"40", CborWriter.byteString(Hooks.encode(p)));
        (uint32 exit, uint64 codec, bytes memory data) = gate.handle_filecoin_method(2_643_134_072, 0x51, params);
        assertEq(exit, 0);
        assertEq(codec, 0x51);
        assertEq(data, hex"f4");
        params = abi.encodePacked(hex"82", CborWriter.byteString(Hooks.encode(p)), hex"00");
        (exit,,) = gate.handle_filecoin_method(4_186_741_094, 0x51, params);
        assertEq(exit, 18);
        (exit,,) = gate.handle_filecoin_method(2_034_386_435, 0x51, hex"80");
        assertEq(exit, 18);
        // A masked address that is no miner's.
        vm.prank(sp1);
        (exit,,) = gate.handle_filecoin_method(2_034_386_435, 0x51, hex"80");
        assertEq(exit, 18);
        (exit,,) = gate.handle_filecoin_method(3_726_118_371, 0x51, hex"80");
        assertEq(exit, 18);
        (exit,,) = gate.handle_filecoin_method(1 << 30, 0x51, hex"80");
        assertEq(exit, 22);
        assertEq(uint8(store.slotOf(slotId).state), uint8(IPerpetualStorage.SlotState.Open));
    }

    function testFuzz_Hooks_NeverRevertForWhatActorsSend(uint256 which, bytes calldata params) public {
        uint64[4] memory methods = [uint64(2_643_134_072), 4_186_741_094, 2_034_386_435, 3_726_118_371];
        address[4] memory senders = [Hooks.MARKET, Hooks.MARKET, FilAddress.masked(M1), Hooks.DATACAP];
        which %= 4;
        vm.prank(senders[which]);
        gate.handle_filecoin_method(methods[which], 0x51, params);
    }

    // ---------------------------------------------------------- direct data

    function test_Sector_ActivatesAClaimedSlot() public {
        uint64 dealId = _deal(false);
        _claim(dealId, M1, sp1);
        assertTrue(miner1.notify(address(gate), _changes(dealId << 24, 42, 1), true));
        SlotView memory s = store.slotOf(dealId << 24);
        assertEq(uint8(s.state), uint8(IPerpetualStorage.SlotState.Active));
        assertEq(s.sector, 42);
        miner1.commit(42, int64(uint64(block.number) + 2 * TERM));
        _pass(DAY);
        _prove(dealId << 24, miner1, 42);
        miner1.setFaulty(42, true);
        store.checkDeal(dealId << 24, 2, miner1.location(42));
        miner1.setFaulty(42, false);
        _prove(dealId << 24, miner1, 42);
        bytes memory stale = miner1.location(42);
        miner1.compact(42);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_NotProven.selector);
        store.checkDeal(dealId << 24, 0, stale);
        miner1.terminate(42);
        store.checkDeal(dealId << 24, 0, miner1.location(42));
        assertEq(uint8(store.slotOf(dealId << 24).state), uint8(IPerpetualStorage.SlotState.Lost));
        uint256 burnable = store.burnable();
        assertGt(burnable, 0);
        uint256 before = FilAddress.masked(99).balance;
        store.burn();
        assertEq(FilAddress.masked(99).balance, before + burnable);
        assertEq(store.burnable(), 0);
        vm.expectRevert(IPerpetualStorage.PerpetualStorage_ZeroAmount.selector);
        store.burn(); // what is burnt is burnt once
    }

    function test_Sector_OneManifestWithTwoEntriesCountsOnce() public {
        uint64 dealId = _deal(false);
        _claim(dealId, M1, sp1);
        assertTrue(miner1.notify(address(gate), _changes(dealId << 24, 42, 2), true));
        uint64 other = _deal(false);
        _claim(other, M1, sp1);
        // The same sector, one entry for each of two deals.
        SectorChange[] memory changes = _changes(dealId << 24, 42, 2);
        changes[0].added[1].payload = CborWriter.u64(other << 24);
        assertFalse(miner1.notify(address(gate), changes, false));
        assertEq(uint8(store.slotOf(other << 24).state), uint8(IPerpetualStorage.SlotState.Claimed));
    }

    function test_Sector_RefusesWithoutReverting() public {
        uint64 dealId = _deal(false);
        _claim(dealId, M1, sp1);
        assertFalse(miner2.notify(address(gate), _changes(dealId << 24, 42, 1), false), "another miner");
        assertFalse(miner1.notify(address(gate), _changes(77 << 24, 42, 1), false), "no such slot");
        SectorChange[] memory changes = _changes(dealId << 24, 42, 1);
        changes[0].added[0].payload = "what is this";
        assertFalse(miner1.notify(address(gate), changes, false), "no slot in the payload");
        vm.expectRevert();
        miner1.notify(address(gate), changes, true);
        changes = _changes(dealId << 24, 42, 1);
        changes[0].minimumCommitmentEpoch = int64(uint64(block.number) + TERM) - 1;
        assertFalse(miner1.notify(address(gate), changes, false), "too short");
    }

    /// @dev Pieces that cost most: each activates a slot.
    function test_Sector_GasIsLinearInPieces() public {
        uint256 five = _notifyGas(5);
        uint256 ten = _notifyGas(10);
        uint256 twenty = _notifyGas(20);
        uint256 perPiece = (ten - five) / 5;
        assertLt(perPiece, 170_000);
        assertApproxEqRel((twenty - ten) / 10, perPiece, 0.05e18);
    }

    // ------------------------------------------------------------------ facts

    /// @dev Of a deal of which f05 leaves one thing unsaid nothing is believed, and nothing is paid.
    function test_Facts_OfADealAreWholeOrNone() public {
        uint64 slotId = _deal(false) << 24;
        uint64 id = _publish(slotId, M1);
        uint64[8] memory methods = [
            Methods.GET_DEAL_ACTIVATION,
            Methods.GET_DEAL_CLIENT,
            Methods.GET_DEAL_PROVIDER,
            Methods.GET_DEAL_DATA_COMMITMENT,
            Methods.GET_DEAL_TERM,
            Methods.GET_DEAL_VERIFIED,
            Methods.GET_DEAL_PROVIDER_COLLATERAL,
            Methods.GET_DEAL_SECTOR
        ];
        DealFacts memory f = facts.dealFacts(id);
        assertEq(uint8(f.state), uint8(IFilecoinFacts.DealState.Published));
        _refuses(address(market), Methods.GET_DEAL_SECTOR, 33);
        assertEq(abi.encode(facts.dealFacts(id)), abi.encode(f), "it has no sector yet");
        vm.clearMockedCalls();
        market.activate(id, 55);
        miner1.commit(55, int64(uint64(block.number) + 2 * TERM));
        DealFacts memory none;
        uint64[] memory ids = new uint64[](1);
        bytes[] memory aux = new bytes[](1);
        (ids[0], aux[0]) = (slotId, miner1.location(55));
        for (uint256 i = 0; i < methods.length; ++i) {
            _refuses(address(market), methods[i], 7);
            assertEq(abi.encode(facts.dealFacts(id)), abi.encode(none));
            vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, slotId));
            store.proveActive(ids, aux);
            vm.clearMockedCalls();
        }
        store.proveActive(ids, aux);
        assertEq(uint8(store.slotOf(slotId).state), uint8(IPerpetualStorage.SlotState.Active));
    }

    // ------------------------------------------------------------------ views

    function test_Boost_ReadsProposalAndParameters() public {
        uint64 slotId = _deal(false) << 24;
        (bool ok, DealProposal memory p) = Hooks.dealProposal(gate.getDealProposal(bytes32(uint256(slotId))));
        assertTrue(ok);
        assertEq(
            string(p.label),
            string.concat(vm.toString(slotId), "/ipfs/bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e")
        );
        assertEq(p.client, abi.encodePacked(hex"040a", address(gate)));
        assertEq(p.provider, hex"0000");
        assertEq(p.endEpoch - p.startEpoch, int64(uint64(TERM)));
        string memory url = string.concat("https://gate.example/piece/", string(Spelling.cidText(PieceCid.v1(COMMP))));
        assertEq(
            gate.getExtraParams(bytes32(uint256(slotId))),
            abi.encodePacked(hex"84", CborWriter.text(bytes(url)), CborWriter.u64(900_000_000), hex"f4f4")
        );
        vm.expectRevert(abi.encodeWithSelector(ICurioDealView.DealNotFound.selector, 5));
        gate.getDealProposal(bytes32(uint256(5)));
        vm.expectRevert(abi.encodeWithSelector(ICurioDealView.DealNotFound.selector, type(uint256).max));
        gate.getDealProposal(bytes32(type(uint256).max));
    }

    function test_Curio_VerifiesAClaimedSlot() public {
        uint64 dealId = _deal(false);
        uint256 id = dealId << 24;
        ICurioDealView.CurioDealView memory v = ICurioDealView.CurioDealView({
            dealId: id,
            state: ICurioDealView.CurioState.Open,
            providerActorId: M1,
            clientId: "",
            pieceCidV2: PieceCid.v2(COMMP, 900_000_000),
            startEpoch: 0,
            duration: TERM,
            allocationId: 0,
            finalizedEpoch: 0
        });
        assertEq(gate.version(), 1);
        assertFalse(gate.verifyDeal(v), "not claimed");
        assertEq(uint8(gate.getDealState(id)), uint8(ICurioDealView.CurioState.Open));
        _claim(dealId, M1, sp1);
        assertTrue(gate.verifyDeal(v));
        v.duration = TERM - 1;
        assertFalse(gate.verifyDeal(v));
        v.duration = TERM;
        v.startEpoch = block.number + SEAL + 1;
        assertFalse(gate.verifyDeal(v));
        v.startEpoch = 0;
        v.providerActorId = M2;
        assertFalse(gate.verifyDeal(v));
        v.providerActorId = M1;
        v.allocationId = 3;
        assertFalse(gate.verifyDeal(v));
        v.allocationId = 0;
        v.pieceCidV2 = PieceCid.v2(COMMP, 400_000_000);
        assertFalse(gate.verifyDeal(v));
        v.dealId = 5;
        vm.expectRevert(abi.encodeWithSelector(ICurioDealView.DealNotFound.selector, 5));
        gate.verifyDeal(v);
        miner1.notify(address(gate), _changes(uint64(id), 42, 1), true);
        assertEq(uint8(gate.getDealState(id)), uint8(ICurioDealView.CurioState.Active));
        vm.prank(sp1);
        store.terminateDeal(uint64(id));
        assertEq(uint8(gate.getDealState(id)), uint8(ICurioDealView.CurioState.Finalized));
    }

    function testFuzz_Labels_PointBackToTheirSlot(uint64 slotId, bytes32 digest, uint256 shape) public pure {
        vm.assume(slotId != 0);
        bytes memory cid =
            shape % 2 == 0 ? abi.encodePacked(hex"1220", digest) : abi.encodePacked(hex"01551220", digest);
        assertEq(Spelling.slotIn(Spelling.label(slotId, cid)), slotId);
    }

    function test_Labels_HaveOneSpelling() public pure {
        assertEq(Spelling.slotIn("16777216/ipfs/x"), 1 << 24);
        string[9] memory none = ["", "/", "016777216/", "0/", "16777216", "+1/", "18446744073709551616/", "1 /", "a/"];
        for (uint256 i = 0; i < none.length; ++i) {
            assertEq(Spelling.slotIn(bytes(none[i])), 0, none[i]);
        }
        assertEq(Spelling.slotIn("18446744073709551615/"), type(uint64).max);
    }

    // --------------------------------------------------------------- registry

    function test_Registry_EntriesAreTheProvidersOwn() public {
        ProviderEntry memory e = ProviderEntry(1 << 20, 32 << 30, 5, "DE", "https://m/market/mk20", "https://m/piece/");
        vm.expectPartialRevert(bytes4(keccak256("ProviderRegistry_NotController(uint64,address)")));
        registry.register(M1, e);
        vm.prank(sp1);
        registry.register(M1, e);
        vm.prank(sp2);
        registry.register(M2, e);
        vm.prank(sp1);
        registry.register(M1, e);
        assertEq(registry.providerCount(), 2);
        assertEq(abi.encode(registry.entryOf(M1)), abi.encode(e));
        uint64[] memory page = registry.providersPage(1, 5);
        assertEq(page.length, 1);
        assertEq(page[0], M2);
        vm.prank(sp1);
        registry.remove(M1);
        assertEq(registry.providersPage(0, 9)[0], M2);
        assertEq(registry.providersPage(1, 9).length, 0);
        vm.prank(sp1);
        vm.expectPartialRevert(bytes4(keccak256("ProviderRegistry_Unknown(uint64)")));
        registry.remove(M1);
        e.minPieceSize = e.maxPieceSize + 1;
        vm.prank(sp1);
        vm.expectPartialRevert(bytes4(keccak256("ProviderRegistry_OutOfRange(bytes32)")));
        registry.register(M1, e);
        e.minPieceSize = 0;
        string memory most = _text(registry.MAX_URL());
        string memory more = _text(registry.MAX_URL() + 1);
        (e.market, e.retrieval) = (more, most);
        vm.prank(sp1);
        vm.expectRevert(
            abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_OutOfRange.selector, bytes32("market"))
        );
        registry.register(M1, e);
        (e.market, e.retrieval) = (most, more);
        vm.prank(sp1);
        vm.expectRevert(
            abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_OutOfRange.selector, bytes32("retrieval"))
        );
        registry.register(M1, e);
        vm.expectRevert(abi.encodeWithSelector(IProviderRegistry.ProviderRegistry_Unknown.selector, M1));
        registry.entryOf(M1);
        e.retrieval = most;
        vm.prank(sp1);
        registry.register(M1, e);
        assertEq(registry.retrievalOf(M1), most);
        assertEq(registry.providersPage(0, 1).length, 1, "of two");
        uint64[] memory ids = new uint64[](1);
        ids[0] = M1;
        vm.expectRevert();
        registry.attest(ids, 7);
        vm.prank(owner);
        registry.attest(ids, 7);
        assertEq(registry.organisationOf(M1), 7);
    }

    // ----------------------------------------------------------------- inside

    function _text(uint256 length) private pure returns (string memory) {
        return string(new bytes(length));
    }

    function _notifyGas(uint256 pieces) private returns (uint256 gas) {
        SectorChange[] memory list = new SectorChange[](pieces);
        for (uint256 i = 0; i < pieces; ++i) {
            uint64 dealId = _deal(false);
            _claim(dealId, M1, sp1);
            list[i] = _changes(dealId << 24, uint64(1000 * pieces + i), 1)[0];
        }
        bytes memory params = miner1.encodeChanges(list);
        vm.prank(address(miner1));
        (,, bytes memory reply) = gate.handle_filecoin_method(2_034_386_435, 0x51, params);
        gas = vm.lastCallGas().gasTotalUsed;
        assertEq(uint8(reply[reply.length - 1]), 0xf5);
    }
}
