// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Methods } from "../../../contracts/fvm/Actors.sol";
import { CborWriter } from "../../../contracts/fvm/CborWriter.sol";
import { DealProposal, Hooks } from "../../../contracts/fvm/Hooks.sol";
import { IPerpetualStorage, SlotView } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { IStorageGate } from "../../../contracts/interfaces/IStorageGate.sol";
import { StorageGate } from "../../../contracts/storage/StorageGate.sol";
import { VerifregStandIn } from "../fvm/standins/Natives.sol";
import { ActorExit } from "../fvm/standins/World.sol";
import { GateBase } from "./GateBase.sol";

/// @notice DataCap, from where it comes to what becomes of it, on stand-ins of Filecoin's actors.
contract DataCapTest is GateBase {
    function test_DataCap_IsCreditedToTheDealItNames() public {
        uint64 dealId = _deal(true);
        uint64 gateId = _id(address(gate));
        datacap.mint(gateId, uint256(GIB) * 1e18, CborWriter.u64(dealId));
        assertEq(gate.dataCapOf(dealId), GIB);
        // As f06 mints it: without a name.
        datacap.mint(gateId, uint256(GIB) * 1e18, "");
        assertEq(gate.dataCapOf(dealId), GIB);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_NotSteward.selector, address(this)));
        gate.assignDataCap(dealId, GIB);
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_NoDataCap.selector, 0, GIB, GIB + 1));
        gate.assignDataCap(dealId, GIB + 1);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_WrongState.selector, uint64(99) << 24));
        gate.assignDataCap(99, GIB); // no such deal, so none that is verified
        gate.assignDataCap(dealId, GIB);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_NoDataCap.selector, 0, 0, 1));
        gate.assignDataCap(dealId, 1); // it is assigned once
        vm.stopPrank();
        assertEq(gate.dataCapOf(dealId), 2 * GIB);
        vm.expectRevert();
        datacap.mint(gateId, uint256(GIB) * 1e18 + 1, CborWriter.u64(dealId));
        uint64 plain = _deal(false);
        vm.expectRevert();
        datacap.mint(gateId, uint256(GIB) * 1e18, CborWriter.u64(plain));
        // A gate without a steward refuses what has no name.
        StorageGate other = new StorageGate(address(0));
        uint64 otherId = world.register(address(other));
        vm.expectRevert();
        datacap.mint(otherId, uint256(GIB) * 1e18, "");
    }

    function test_DataCap_NoProviderSpendsThatOfAnotherDeal() public {
        (uint64 a, uint64 b) = (_deal(true), _deal(true));
        uint64 gateId = _id(address(gate));
        datacap.mint(gateId, uint256(GIB) * 1e18, CborWriter.u64(a));
        datacap.mint(gateId, uint256(GIB) * 1e18, CborWriter.u64(b));
        _notPublished(_offered(a << 24, M1)); // not claimed
        _claim(a, M1, sp1);
        _notPublished(_offered(a << 24, M1)); // not granted
        vm.prank(sp2);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_NotController.selector, M1, sp2));
        gate.grantDataCap(a << 24);
        vm.prank(sp1);
        gate.grantDataCap(a << 24);
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_WrongState.selector, a << 24));
        gate.grantDataCap(a << 24);
        assertEq(gate.dataCapOf(a), 0);
        assertEq(gate.dataCapOf(b), GIB);
        assertEq(datacap.allowanceOf(gateId, 5), uint256(GIB) * 1e18, "as much as was granted");
        // Two proposals in one message differ in something, and then one of them is not to the letter.
        DealProposal[] memory list = new DealProposal[](4);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = _offered(a << 24, M1);
        }
        list[1].endEpoch += 1;
        list[2].label = abi.encodePacked(list[2].label, "?");
        list[3].labelIsText = false;
        assertEq(market.publish(list).length, 1);
        list[0].providerCollateral += 1;
        _notPublished(list[0]); // nor any more afterwards
        // What was drawn is granted no more: another deal's grant is all that the market may draw.
        _claim(b, M2, sp2);
        vm.prank(sp2);
        gate.grantDataCap(b << 24);
        assertEq(datacap.allowanceOf(gateId, 5), uint256(GIB) * 1e18);
    }

    function test_DataCap_AllocationsAndClaims() public {
        uint64 dealId = _claimedWithDataCap(1);
        vm.prank(sp1);
        uint64 allocation = gate.allocateDataCap(dealId << 24);
        assertEq(gate.dataCapOf(dealId), 0);
        verifreg.seal(allocation, 42);
        miner1.commit(42, int64(uint64(block.number) + 2 * TERM));
        vm.prank(sp1);
        store.activateByClaim(dealId << 24, allocation);
        SlotView memory s = store.slotOf(dealId << 24);
        assertEq(uint8(s.route), uint8(IPerpetualStorage.Route.Claim));
        assertEq(s.sector, 42);
        _pass(DAY);
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_NoDataCap.selector, dealId, 0, GIB));
        gate.extendClaim(dealId << 24, allocation);
        _dataCapFor(dealId, 1);
        vm.prank(sp1);
        gate.extendClaim(dealId << 24, allocation);
        assertEq(verifreg.entryOf(allocation).termMax, 5_256_000 + int64(uint64(DAY)));
    }

    /// @dev A sector of a deal with DataCap is taken from the notification where it claimed the slot's allocation, and not otherwise.
    function test_DataCap_ASectorWithoutTheClaimIsNotTaken() public {
        uint64 slotId = _claimedWithDataCap(1) << 24;
        assertFalse(miner1.notify(address(gate), _changes(slotId, 42, 1), false), "nothing allocated");
        vm.prank(sp1);
        uint64 allocation = gate.allocateDataCap(slotId);
        assertFalse(miner1.notify(address(gate), _changes(slotId, 42, 1), false), "sealed without");
        verifreg.seal(allocation, 42);
        assertFalse(miner1.notify(address(gate), _changes(slotId, 43, 1), false), "in another sector");
        assertTrue(miner1.notify(address(gate), _changes(slotId, 42, 1), true));
        assertEq(uint8(store.slotOf(slotId).state), uint8(IPerpetualStorage.SlotState.Active));
    }

    /// @dev A longer term is bought for a verified deal's slot, and while it is Active.
    function test_DataCap_ExtendClaim_RevertWhen_NotActiveOrNotVerified() public {
        uint64 slotId = _claimedWithDataCap(2) << 24;
        vm.prank(sp1);
        uint64 allocation = gate.allocateDataCap(slotId);
        verifreg.seal(allocation, 42);
        miner1.commit(42, int64(uint64(block.number) + 2 * TERM));
        bytes memory wrong = abi.encodeWithSelector(IStorageGate.StorageGate_WrongState.selector, slotId);
        vm.prank(sp1);
        vm.expectRevert(wrong); // still Claimed
        gate.extendClaim(slotId, allocation);
        vm.prank(sp1);
        store.activateByClaim(slotId, allocation);
        vm.prank(client);
        store.changeDataCap(slotId >> 24, false);
        vm.prank(sp1);
        vm.expectRevert(wrong); // the client wants no more of it
        gate.extendClaim(slotId, allocation);
        assertEq(gate.dataCapOf(slotId >> 24), GIB);
        vm.prank(client);
        store.changeDataCap(slotId >> 24, true);
        _pass(DAY);
        vm.prank(sp1);
        gate.extendClaim(slotId, allocation);
        assertEq(gate.dataCapOf(slotId >> 24), 0);
    }

    /// @dev What the verified registry refuses, costs the deal no DataCap.
    function test_DataCap_RevertWhen_TheRegistryRefuses() public {
        uint64 slotId = _claimedWithDataCap(2) << 24;
        verifreg.setLeastSize(GIB + 1);
        vm.prank(sp1);
        vm.expectPartialRevert(IStorageGate.StorageGate_ActorFailed.selector);
        gate.allocateDataCap(slotId);
        assertEq(gate.dataCapOf(slotId >> 24), 2 * GIB);
        verifreg.setLeastSize(0);
        vm.prank(sp1);
        uint64 allocation = gate.allocateDataCap(slotId);
        verifreg.seal(allocation, 42);
        miner1.commit(42, int64(uint64(block.number) + 2 * TERM));
        vm.prank(sp1);
        store.activateByClaim(slotId, allocation);
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_WrongState.selector, slotId));
        gate.extendClaim(slotId, allocation + 1); // no claim
        VerifregStandIn.Entry memory e = verifreg.entryOf(allocation);
        e.termMax = type(int64).max;
        uint64 longer = verifreg.put(e);
        vm.prank(sp1);
        vm.expectPartialRevert(IStorageGate.StorageGate_ActorFailed.selector);
        gate.extendClaim(slotId, longer); // it lasts longer already
        assertEq(gate.dataCapOf(slotId >> 24), GIB);
    }

    /// @dev Whatever the market says of a slot whose DataCap was allocated, it drew none.
    function test_DataCap_ThatWasAllocatedIsNotDrawnByTheMarket() public {
        uint64 slotId = _claimedWithDataCap(1) << 24;
        vm.prank(sp1);
        uint64 allocation = gate.allocateDataCap(slotId);
        DealProposal memory p = _offered(slotId, M1);
        p.endEpoch += 1;
        vm.prank(Hooks.MARKET);
        (uint32 exit,,) = gate.handle_filecoin_method(
            4_186_741_094,
            0x51,
            abi.encodePacked(bytes1(0x82), CborWriter.byteString(Hooks.encode(p)), CborWriter.u64(7))
        );
        assertEq(exit, 0);
        verifreg.seal(allocation, 42);
        miner1.commit(42, int64(uint64(block.number) + 2 * TERM));
        vm.prank(sp1);
        store.activateByClaim(slotId, allocation);
    }

    function test_DataCap_OfALapsedClaimIsTheDealsAgain() public {
        uint64 dealId = _claimedWithDataCap(1);
        vm.prank(sp1);
        gate.grantDataCap(dealId << 24);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_WrongState.selector, dealId << 24));
        gate.reclaimDataCap(dealId << 24);
        _pass(SEAL + DAY + 1);
        store.expireClaim(dealId << 24);
        gate.reclaimDataCap(dealId << 24);
        assertEq(gate.dataCapOf(dealId), GIB);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_WrongState.selector, dealId << 24));
        gate.reclaimDataCap(dealId << 24);
    }

    /// @dev The provider seals what was allocated and lets its claim of the slot lapse.
    function test_DataCap_ReclaimDataCap_RevertWhen_TheAllocationWasClaimed() public {
        uint64 dealId = _claimedWithDataCap(1);
        vm.prank(sp1);
        uint64 allocation = gate.allocateDataCap(dealId << 24);
        verifreg.seal(allocation, 42);
        _pass(SEAL + DAY + 1);
        store.expireClaim(dealId << 24);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_WrongState.selector, dealId << 24));
        gate.reclaimDataCap(dealId << 24);
    }

    /// @dev An allocation can be sealed until the deadline, though its claim was given back before.
    function test_DataCap_ReclaimDataCap_RevertWhen_TheAllocationCanStillBeSealed() public {
        uint64 dealId = _claimedWithDataCap(1);
        vm.startPrank(sp1);
        gate.allocateDataCap(dealId << 24);
        store.releaseClaim(dealId << 24);
        vm.stopPrank();
        _pass(SEAL);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_WrongState.selector, dealId << 24));
        gate.reclaimDataCap(dealId << 24);
        _pass(1);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_NoDataCap.selector, dealId, 0, GIB));
        gate.reclaimDataCap(dealId << 24); // nothing has come back
    }

    /// @dev What the market drew is given back for a deal that it still has and that missed its start; else the steward says.
    function test_DataCap_ReclaimDataCap_OfTheMarketOnlyWhereTheStartWasMissed() public {
        uint64[2] memory deals = [_deal(true), _deal(true)];
        uint64[2] memory ids;
        for (uint256 i = 0; i < 2; ++i) {
            datacap.mint(_id(address(gate)), uint256(GIB) * 1e18, CborWriter.u64(deals[i]));
            _claim(deals[i], M1, sp1);
            vm.prank(sp1);
            gate.grantDataCap(deals[i] << 24);
            DealProposal[] memory list = new DealProposal[](1);
            list[0] = _offered(deals[i] << 24, M1);
            ids[i] = market.publish(list)[0];
        }
        market.activate(ids[0], 42);
        market.terminate(ids[0]);
        _pass(SEAL + DAY + 1);
        bytes memory no0 = abi.encodeWithSelector(IStorageGate.StorageGate_WrongState.selector, deals[0] << 24);
        bytes memory none1 = abi.encodeWithSelector(IStorageGate.StorageGate_NoDataCap.selector, deals[1], 0, GIB);
        bytes memory no1 = abi.encodeWithSelector(IStorageGate.StorageGate_WrongState.selector, deals[1] << 24);
        for (uint256 i = 0; i < 2; ++i) {
            store.expireClaim(deals[i] << 24);
        }
        vm.expectRevert(no0);
        gate.reclaimDataCap(deals[0] << 24);
        vm.expectRevert(none1); // it may, once something has come back
        gate.reclaimDataCap(deals[1] << 24);
        market.settle(ids[1]);
        vm.expectRevert(no1); // forgotten
        gate.reclaimDataCap(deals[1] << 24);
        vm.prank(owner);
        vm.expectRevert(none1);
        gate.reclaimDataCap(deals[1] << 24);
    }

    /// @dev What the allocation asks of its provider, for a slot that begins now and for one that follows another.
    function test_DataCap_AnAllocationIsForTheSlotsTerm() public {
        uint64 dealId = _deal(true);
        _dataCapFor(dealId, 2);
        _claim(dealId, M1, sp1);
        uint64 slotId = dealId << 24;
        vm.prank(sp1);
        uint64 allocation = gate.allocateDataCap(slotId);
        VerifregStandIn.Entry memory e = verifreg.entryOf(allocation);
        assertEq(e.provider, M1);
        assertEq(e.client, _id(address(gate)));
        assertEq(e.commitment, COMMP);
        assertEq(e.size, GIB);
        assertEq(e.termMin, int64(uint64(TERM)));
        assertEq(e.termMax, 5_256_000);
        assertEq(e.expiration, int64(uint64(store.slotOf(slotId).sealDeadline)));
        verifreg.seal(allocation, 42);
        miner1.commit(42, int64(uint64(block.number) + 2 * TERM));
        vm.prank(sp1);
        store.activateByClaim(slotId, allocation);

        _pass(TERM - 1000);
        uint64 next = store.openRenewal(dealId, 0);
        _serve(dealId);
        _claim(dealId, M1, sp1, next);
        vm.prank(sp1);
        allocation = gate.allocateDataCap(next);
        assertEq(verifreg.entryOf(allocation).termMin, int64(1000 + uint64(TERM)), "it is paid from the other's end");
    }

    function test_DataCap_Grant_RevertWhen_NotClaimedOrNotVerified() public {
        uint64 dealId = _deal(true);
        uint64 slotId = dealId << 24;
        _dataCapFor(dealId, 1);
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_NotController.selector, 0, sp1));
        gate.grantDataCap(slotId); // nobody's
        _claim(dealId, M1, sp1);
        _pass(SEAL + DAY + 1);
        store.expireClaim(slotId);
        _spendsNothing(slotId); // its claim has lapsed
        _serve(dealId);
        _claim(dealId, M1, sp1);
        vm.prank(sp1);
        uint64 allocation = gate.allocateDataCap(slotId);
        verifreg.seal(allocation, 42);
        miner1.commit(42, int64(uint64(block.number) + 2 * TERM));
        vm.prank(sp1);
        store.activateByClaim(slotId, allocation);
        _dataCapFor(dealId, 1);
        _spendsNothing(slotId); // it is stored
        assertEq(gate.dataCapOf(dealId), GIB);
        uint64 plain = _deal(false);
        _claim(plain, M1, sp1);
        _spendsNothing(plain << 24); // its client wants none
    }

    /// @dev What the DataCap actor refuses, costs the deal nothing and grants nothing.
    function test_DataCap_Grant_RevertWhen_TheAllowanceIsRefused() public {
        uint64 dealId = _deal(true);
        _dataCapFor(dealId, 1);
        _claim(dealId, M1, sp1);
        uint64[2] memory methods = [Methods.ALLOWANCE, Methods.INCREASE_ALLOWANCE];
        for (uint256 i = 0; i < 2; ++i) {
            _refuses(address(datacap), methods[i], 20);
            vm.prank(sp1);
            vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_ActorFailed.selector, int256(20)));
            gate.grantDataCap(dealId << 24);
            vm.clearMockedCalls();
        }
        assertEq(gate.dataCapOf(dealId), GIB);
        vm.prank(sp1);
        gate.grantDataCap(dealId << 24);
        assertEq(datacap.allowanceOf(_id(address(gate)), 5), uint256(GIB) * 1e18);
    }

    /// @dev Nor is it taken back while the market could still draw it.
    function test_DataCap_ReclaimDataCap_RevertWhen_TheAllowanceIsRefused() public {
        uint64 dealId = _deal(true);
        _dataCapFor(dealId, 1);
        _claim(dealId, M1, sp1);
        vm.startPrank(sp1);
        gate.grantDataCap(dealId << 24);
        store.releaseClaim(dealId << 24);
        vm.stopPrank();
        uint64[2] memory methods = [Methods.ALLOWANCE, Methods.DECREASE_ALLOWANCE];
        for (uint256 i = 0; i < 2; ++i) {
            _refuses(address(datacap), methods[i], 20);
            vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_ActorFailed.selector, int256(20)));
            gate.reclaimDataCap(dealId << 24);
            vm.clearMockedCalls();
        }
        assertEq(gate.dataCapOf(dealId), 0);
        // The claim was given back before its deadline; the market cannot draw what it may no longer.
        gate.reclaimDataCap(dealId << 24);
        assertEq(gate.dataCapOf(dealId), GIB);
        assertEq(datacap.allowanceOf(_id(address(gate)), 5), 0);
    }

    /// @dev The hook refuses, and so f07 moves nothing, where the market's allowance cannot be held to what was granted.
    function test_DataCap_IsNotTakenWhereTheAllowanceCannotBeCutBack() public {
        uint64 dealId = _deal(true);
        uint64 gateId = _id(address(gate));
        _refuses(address(datacap), Methods.ALLOWANCE, 20);
        vm.expectRevert(abi.encodeWithSelector(ActorExit.selector, uint32(18)));
        datacap.mint(gateId, uint256(GIB) * 1e18, CborWriter.u64(dealId));
        vm.clearMockedCalls();
        assertEq(gate.dataCapOf(dealId), 0);
        // f06 mints with an allowance without end for the market.
        datacap.allow(gateId, 5, type(uint256).max);
        _dataCapFor(dealId, 1);
        assertEq(datacap.allowanceOf(gateId, 5), 0);
    }

    /// @dev f07 has no parts of a byte; whoever it were that sent some, they are not taken.
    function test_DataCap_PartsOfAByteAreNotTaken() public {
        bytes memory received = abi.encodePacked(
            hex"86070807",
            CborWriter.amount(uint256(GIB) * 1e18 + 1),
            CborWriter.byteString(""),
            CborWriter.byteString("")
        );
        bytes memory params = abi.encodePacked(hex"82", CborWriter.u64(Hooks.FRC46), CborWriter.byteString(received));
        vm.prank(Hooks.DATACAP);
        (uint32 exit,,) = gate.handle_filecoin_method(3_726_118_371, 0x51, params);
        assertEq(exit, 16);
        assertEq(gate.unnamedDataCap(), 0);
    }

    /// @dev The registry gives back what nobody sealed, and then the deal has it again: once, and as much as came.
    function test_DataCap_ThatTheRegistryGaveBackIsTheDealsAgain() public {
        uint64 dealId = _deal(true);
        _dataCapFor(dealId, 1);
        _claim(dealId, M1, sp1);
        vm.prank(sp1);
        uint64 allocation = gate.allocateDataCap(dealId << 24);
        _pass(SEAL + DAY + 1);
        store.expireClaim(dealId << 24);
        vm.expectEmit(address(gate));
        emit IStorageGate.DataCapCredited(0, gate.nextSeq(), GIB);
        verifreg.removeExpired(allocation);
        assertEq(gate.returnedDataCap(), GIB);
        assertEq(gate.unnamedDataCap(), 0, "not for the steward to give");
        vm.expectEmit(address(gate));
        emit IStorageGate.DataCapReturned(dealId, dealId << 24, gate.nextSeq(), GIB);
        gate.reclaimDataCap(dealId << 24);
        assertEq(gate.returnedDataCap(), 0);
        assertEq(gate.dataCapOf(dealId), GIB);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_WrongState.selector, dealId << 24));
        gate.reclaimDataCap(dealId << 24);
        // It can be spent again.
        _serve(dealId);
        _claim(dealId, M2, sp2);
        vm.prank(sp2);
        gate.allocateDataCap(dealId << 24);
        assertEq(gate.dataCapOf(dealId), 0);
    }

    /// @dev Somebody else's claim of the same slot is not in the way, nor what that claim was given.
    function test_DataCap_ReclaimDataCap_WhileAnotherHasTheSlot() public {
        uint64 dealId = _deal(true);
        uint64 slotId = dealId << 24;
        _dataCapFor(dealId, 1);
        _claim(dealId, M1, sp1);
        vm.prank(sp1);
        gate.grantDataCap(slotId);
        _pass(SEAL + DAY + 1);
        store.expireClaim(slotId);
        _serve(dealId);
        _claim(dealId, M2, sp2);
        gate.reclaimDataCap(slotId);
        assertEq(gate.dataCapOf(dealId), GIB);
        vm.prank(sp2);
        gate.grantDataCap(slotId);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_WrongState.selector, slotId));
        gate.reclaimDataCap(slotId);
    }

    /// @dev A longer term is for the claim of the slot's own piece in its own sector.
    function test_DataCap_ExtendClaim_RevertWhen_TheClaimIsOfSomethingElse() public {
        uint64 slotId = _deal(true) << 24;
        _dataCapFor(slotId >> 24, 2);
        _claim(slotId >> 24, M1, sp1);
        vm.prank(sp1);
        uint64 allocation = gate.allocateDataCap(slotId);
        verifreg.seal(allocation, 42);
        miner1.commit(42, int64(uint64(block.number) + 2 * TERM));
        vm.prank(sp1);
        store.activateByClaim(slotId, allocation);
        for (uint256 i = 0; i < 3; ++i) {
            VerifregStandIn.Entry memory e = verifreg.entryOf(allocation);
            if (i == 0) e.commitment = bytes32(uint256(7) << 100);
            if (i == 1) e.size = GIB / 2;
            if (i == 2) e.sector = 43;
            uint64 other = verifreg.put(e);
            vm.prank(sp1);
            vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_WrongState.selector, slotId));
            gate.extendClaim(slotId, other);
        }
        vm.prank(sp2);
        vm.expectRevert(abi.encodeWithSelector(IStorageGate.StorageGate_NotController.selector, M1, sp2));
        gate.extendClaim(slotId, allocation);
        assertEq(gate.dataCapOf(slotId >> 24), GIB);
    }

    // ----------------------------------------------------------------- inside

    function _claimedWithDataCap(uint256 pieces) private returns (uint64 dealId) {
        dealId = _deal(true);
        _dataCapFor(dealId, pieces);
        _claim(dealId, M1, sp1);
    }

    function _dataCapFor(uint64 dealId, uint256 pieces) private {
        datacap.mint(_id(address(gate)), pieces * GIB * 1e18, CborWriter.u64(dealId));
    }

    /// @dev Neither grants nor allocates, whoever its miner's controller is.
    function _spendsNothing(uint64 slotId) private {
        bytes memory wrong = abi.encodeWithSelector(IStorageGate.StorageGate_WrongState.selector, slotId);
        vm.startPrank(sp1);
        vm.expectRevert(wrong);
        gate.grantDataCap(slotId);
        vm.expectRevert(wrong);
        gate.allocateDataCap(slotId);
        vm.stopPrank();
    }
}
