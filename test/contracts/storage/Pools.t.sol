// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { PieceCid } from "../../../contracts/fvm/PieceCid.sol";
import { Podsi } from "../../../contracts/fvm/Podsi.sol";
import { CidHash } from "../../../contracts/interfaces/IEstuaryPinning.sol";
import {
    DealTerms,
    DealView,
    IPerpetualStorage,
    PublishedDeal,
    SectorPiece,
    SlotView
} from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { IStoragePools, PoolView, PooledPiece } from "../../../contracts/interfaces/IStoragePools.sol";
import { StoragePools } from "../../../contracts/storage/StoragePools.sol";
import { Vectors } from "../fvm/Vectors.sol";
import { PoolsBase } from "./PoolsBase.sol";
import { Vm } from "forge-std/Vm.sol";

contract PoolsTest is PoolsBase {
    // ------------------------------------------------------------------- open

    function test_Open_IsADealOfThePoolsWhoseTermsStand() public {
        vm.expectEmit();
        emit IStoragePools.PoolOpened(1, stranger, whole, 0, wholeSize);
        uint64 dealId = _open(_poolTerms(), 3 ether);
        DealView memory deal = store.dealOf(dealId);
        assertEq(deal.client, address(pools), "client");
        assertEq(deal.free, 3 ether);
        assertEq(pools.sharesOf(dealId, stranger), 3 ether * 1e18);
        PoolView memory p = pools.poolOf(dealId);
        assertEq(p.commP, whole);
        assertEq(p.paddedSize, wholeSize);
        assertEq(p.value, 3 ether);
        vm.startPrank(stranger);
        bytes4 no = IPerpetualStorage.PerpetualStorage_NotClient.selector;
        vm.expectPartialRevert(no);
        store.changeMaxPrice(dealId, 100 ether, RATE);
        vm.expectPartialRevert(no);
        store.cancel(dealId);
        vm.expectPartialRevert(no);
        store.withdrawSurplus(dealId, 1);
    }

    function test_Open_WithoutValueGivesNoShares() public {
        uint64 dealId = _open(_poolTerms(), 0);
        assertEq(pools.sharesOf(dealId, stranger), 0);
        assertEq(pools.poolOf(dealId).shares, 0);
    }

    function test_Open_RevertWhen_StorageRefuses() public {
        DealTerms memory t = _poolTerms();
        t.replicas = 0;
        vm.expectRevert(
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TermsOutOfRange.selector, bytes32("replicas"))
        );
        pools.openPool(HELLO_BYTES, PieceCid.v1(whole), wholeSize, 900_000, t);
        vm.prank(owner);
        store.setIntakePaused(true);
        vm.expectRevert(IPerpetualStorage.PerpetualStorage_IntakePaused.selector);
        pools.openPool(HELLO_BYTES, PieceCid.v1(whole), wholeSize, 900_000, _poolTerms());
    }

    // ------------------------------------------------------------------- join

    function test_Join_ShowsThePieceAndPaysItsPart() public {
        uint64 dealId = _open(_poolTerms(), 0);
        for (uint256 i = 0; i < 4; ++i) {
            uint256 price = pools.priceOf(dealId, pieces[i].sizePc);
            uint256 cost = 2 * (uint256(MAX) + uint256(RATE) * TERM);
            assertEq(price, (cost * pieces[i].sizePc + wholeSize - 1) / wholeSize, "price");
            uint64 seq = pools.nextSeq();
            vm.expectEmit(address(pools));
            emit IStoragePools.PieceJoined(
                dealId,
                alice,
                CidHash.wrap(keccak256(_tail(HELLO_BYTES))),
                seq,
                HELLO_BYTES,
                pieces[i].commPc,
                pieces[i].sizePc,
                pieces[i].offset
            );
            _join(dealId, alice, i, price);
            (bool joined, uint64 offset) = pools.pieceOf(dealId, alice, pieces[i].commPc);
            assertTrue(joined);
            assertEq(offset, pieces[i].offset);
            (joined,) = pools.pieceOf(dealId, bob, pieces[i].commPc);
            assertFalse(joined, "another's");
        }
        assertEq(pools.poolOf(dealId).pieces, 4);
        assertEq(pools.poolOf(dealId).value, _free(dealId));
        // Two may want the same kept.
        _join(dealId, bob, 0, pools.priceOf(dealId, pieces[0].sizePc));
        assertEq(pools.poolOf(dealId).pieces, 5);
    }

    function test_Join_TakesPieceCidsV2() public {
        uint64 dealId = _open(_poolTerms(), 0);
        uint64 size = pieces[0].sizePc;
        bytes memory v2 = PieceCid.v2(pieces[0].commPc, size / 128 * 127);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStoragePools.StoragePools_SizeMismatch.selector, size, size * 2));
        pools.join{ value: 10 ether }(dealId, PooledPiece(HELLO_BYTES, v2, size * 2), _proof(pieces[0]));
        pools.join{ value: 10 ether }(dealId, PooledPiece(HELLO_BYTES, v2, size), _proof(pieces[0]));
        vm.stopPrank();
        (bool joined,) = pools.pieceOf(dealId, alice, pieces[0].commPc);
        assertTrue(joined);
    }

    function test_Join_RevertWhen_TheProofIsNotOfThisPieceInThisAggregate() public {
        uint64 dealId = _open(_poolTerms(), 0);
        PooledPiece memory mine = _pooled(pieces[1]);
        vm.startPrank(alice);
        // Of another piece of the same aggregate.
        vm.expectRevert();
        pools.join{ value: 10 ether }(dealId, mine, _proof(pieces[2]));
        // At another place.
        Inclusion memory v = _copyOf(pieces[1]);
        v.subtreeIndex ^= 1;
        vm.expectPartialRevert(Podsi.Podsi_RootsDiffer.selector);
        pools.join{ value: 10 ether }(dealId, mine, _proof(v));
        v = _copyOf(pieces[1]);
        v.indexIndex -= 1;
        vm.expectPartialRevert(Podsi.Podsi_RootsDiffer.selector);
        pools.join{ value: 10 ether }(dealId, mine, _proof(v));
        // Of another aggregate, true there.
        v = _inclusions(".cases")[2];
        mine = _pooled(v);
        vm.expectRevert(abi.encodeWithSelector(Podsi.Podsi_OtherAggregate.selector, v.commPa, v.sizePa));
        pools.join{ value: 10 ether }(dealId, mine, _proof(v));
        // The aggregate itself is not in itself.
        v.commPc = whole;
        v.sizePc = wholeSize;
        v.subtreePath = new bytes32[](0);
        v.subtreeIndex = 0;
        mine = _pooled(v);
        vm.expectRevert();
        pools.join{ value: 10 ether }(dealId, mine, _proof(v));
    }

    function test_Join_RevertWhen_UnderpaidTwiceOrUnknown() public {
        uint64 dealId = _open(_poolTerms(), 0);
        PooledPiece memory mine = _pooled(pieces[0]);
        uint256 price = pools.priceOf(dealId, mine.paddedSize);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStoragePools.StoragePools_PriceNotPaid.selector, price - 1, price));
        pools.join{ value: price - 1 }(dealId, mine, _proof(pieces[0]));
        pools.join{ value: price }(dealId, mine, _proof(pieces[0]));
        vm.expectRevert(
            abi.encodeWithSelector(IStoragePools.StoragePools_AlreadyJoined.selector, dealId, alice, pieces[0].commPc)
        );
        pools.join{ value: price }(dealId, mine, _proof(pieces[0]));
        vm.expectRevert(abi.encodeWithSelector(IStoragePools.StoragePools_UnknownPool.selector, dealId + 1));
        pools.join{ value: price }(dealId + 1, mine, _proof(pieces[0]));
        vm.stopPrank();
        // A deal of PerpetualStorage that is no pool.
        uint64 other = _dealWith(_terms(), 1 ether);
        vm.expectPartialRevert(IStoragePools.StoragePools_UnknownPool.selector);
        pools.pay{ value: 1 ether }(other, alice);
        vm.expectPartialRevert(IStoragePools.StoragePools_UnknownPool.selector);
        pools.leave(other, 1);
        vm.expectPartialRevert(IStoragePools.StoragePools_UnknownPool.selector);
        pools.poolOf(other);
    }

    function test_Join_RevertWhen_NothingIsPaidForNothing() public {
        DealTerms memory t = _poolTerms();
        (t.baseBounty, t.maxBounty, t.rate) = (0, 0, 0);
        uint64 dealId = _open(t, 0);
        PooledPiece memory mine = _pooled(pieces[0]);
        vm.expectRevert(abi.encodeWithSelector(IStoragePools.StoragePools_PriceNotPaid.selector, 0, 0));
        vm.prank(alice);
        pools.join(dealId, mine, _proof(pieces[0]));
    }

    // -------------------------------------------------- what slots do to shares

    function test_Slots_AreTheAggregates_AndSharesLoseAlike() public {
        uint64 dealId = _funded(30 ether, 10 ether);
        uint64 slot = _claimed(dealId, 0, M1, sp1);
        SlotView memory s = store.slotOf(slot);
        PoolView memory p = pools.poolOf(dealId);
        assertEq(p.value, 40 ether, "what is reserved is not lost");
        assertEq(p.free, 40 ether - s.obligation);
        assertEq(p.active, 0);
        assertTrue(_tell(slot, M1, 100), "the aggregate's sector");
        p = pools.poolOf(dealId);
        assertEq(p.active, 1);
        assertEq(p.until, store.slotOf(slot).end);
        _pass(20 * DAY);
        facts.setSector(M1, 100, 1, uint64(block.number) + 3 * TERM);
        _prove(slot);
        uint256 earned = store.slotOf(slot).earned;
        assertGt(earned, 0);
        p = pools.poolOf(dealId);
        assertEq(p.value, 40 ether - earned);
        // Who comes now pays the price of now.
        _pay(dealId, stranger, 8 ether);
        uint256 worth = p.value * pools.sharesOf(dealId, alice) / p.shares;
        assertApproxEqAbs(worth, (40 ether - earned) * 3 / 4, 100);
        assertApproxEqAbs(pools.sharesOf(dealId, stranger) * p.value / p.shares, 8 ether, 100);
    }

    function test_Slots_OneSectorCountsOnce() public {
        uint64 dealId = _funded(30 ether, 30 ether);
        uint64 slot = _claimed(dealId, 0, M1, sp1);
        uint64 twin = _funded(30 ether, 30 ether);
        uint64 other = _claimed(twin, 0, M1, sp1);
        assertTrue(_tell(slot, M1, 100));
        assertFalse(_tell(other, M1, 100), "for a pool of the same aggregate");
        // Nor has the miner two copies of one pool.
        (bytes32 why,,) = store.previewClaim(_slot(dealId, 1, 0), M1, sp1);
        assertEq(why, "not distinct");
        // Nor is a part of the aggregate the aggregate.
        uint64 second = _claimed(dealId, 1, M2, sp2);
        facts.setSector(M2, 7, 1, type(uint64).max);
        SectorPiece memory part = SectorPiece(M2, 7, pieces[2].commPc, pieces[2].sizePc, type(int64).max, 0);
        assertFalse(facts.activate(store, second, part));
        assertEq(pools.poolOf(dealId).active, 1);
    }

    function test_Slots_ATerminatedSectorIsNoCopyAndItsMoneyIsThePools() public {
        uint64 dealId = _funded(30 ether, 10 ether);
        uint64 slot = _claimed(dealId, 0, M1, sp1);
        _tell(slot, M1, 100);
        _pass(DAY);
        _prove(slot);
        uint256 value = pools.poolOf(dealId).value;
        facts.setSector(M1, 100, 2, type(uint64).max);
        store.checkDeal(slot, 2, AUX);
        assertEq(pools.poolOf(dealId).active, 0, "a faulty one is none either");
        facts.setSector(M1, 100, 0, 0);
        store.checkDeal(slot, 0, AUX);
        _stateOf(slot, IPerpetualStorage.SlotState.Lost);
        PoolView memory p = pools.poolOf(dealId);
        assertEq(p.active, 0);
        assertEq(p.value, value);
        assertEq(p.free, value, "all of it is free again");
        _claimed(dealId, 0, M2, sp2);
    }

    function test_Slots_OfF05CountLikeOthers() public {
        uint64 dealId = _funded(30 ether, 10 ether);
        uint64 slot = _slot(dealId, 0, 0);
        PublishedDeal memory p = _f05(M1, 77);
        (p.commP, p.paddedSize) = (whole, wholeSize);
        assertTrue(facts.publish(store, slot, p));
        _stateOf(slot, IPerpetualStorage.SlotState.Published);
        assertEq(pools.poolOf(dealId).value, 40 ether);
        assertEq(pools.poolOf(dealId).active, 0);
    }

    function test_Price_IsRoundedUp() public {
        DealTerms memory t = _poolTerms();
        t.rate += 1;
        uint64 dealId = _open(t, 0);
        uint256 cost = 2 * (uint256(MAX) + uint256(RATE + 1) * TERM) * 128;
        assertGt(cost % wholeSize, 0);
        assertEq(pools.priceOf(dealId, 128), cost / wholeSize + 1);
    }

    function test_Slots_GoOnToTheNextTerm() public {
        uint64 dealId = _funded(40 ether, 40 ether);
        uint64 slot = _claimed(dealId, 0, M1, sp1);
        _tell(slot, M1, 100);
        vm.roll(store.slotOf(slot).end - RENEW);
        _serve(dealId);
        uint64 next = store.openRenewal(dealId, 0);
        _claimed(dealId, 0, M1, sp1);
        PoolView memory p = pools.poolOf(dealId);
        assertEq(p.value, 80 ether, "what the next one reserved counts");
        assertEq(p.free, 80 ether - store.slotOf(slot).obligation - store.slotOf(next).obligation);
    }

    // ------------------------------------------------------------ pay and leave

    function test_Pay_ForAnybody() public {
        uint64 dealId = _funded(10 ether, 10 ether);
        vm.prank(stranger);
        pools.pay{ value: 5 ether }(dealId, bob);
        assertEq(pools.sharesOf(dealId, bob), 15 ether * 1e18);
        assertEq(pools.sharesOf(dealId, stranger), 0);
        assertEq(_free(dealId), 25 ether);
        vm.expectRevert(IPerpetualStorage.PerpetualStorage_ZeroAmount.selector);
        pools.pay(dealId, bob);
    }

    function test_Leave_TakesItsPartOfWhatIsFree() public {
        uint64 dealId = _funded(30 ether, 10 ether);
        uint256 shares = pools.sharesOf(dealId, bob);
        vm.prank(bob);
        assertEq(pools.leave(dealId, shares), 10 ether);
        assertEq(pools.creditOf(bob), 10 ether);
        assertEq(address(pools).balance, 10 ether);
        assertEq(pools.sharesOf(dealId, bob), 0);
        assertEq(_free(dealId), 30 ether);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStoragePools.StoragePools_NoShares.selector, 1, 0));
        pools.leave(dealId, 1);
        vm.prank(alice);
        vm.expectPartialRevert(IStoragePools.StoragePools_NoShares.selector);
        pools.leave(dealId, 0);
    }

    function test_Leave_GivesUpItsPartOfWhatIsReserved_ButNotTheLast() public {
        uint64 dealId = _funded(20 ether, 20 ether);
        uint64 slot = _claimed(dealId, 0, M1, sp1);
        uint256 obligation = store.slotOf(slot).obligation;
        uint256 half = pools.sharesOf(dealId, bob);
        vm.prank(bob);
        assertEq(pools.leave(dealId, half), (40 ether - obligation) / 2);
        uint256 all = pools.sharesOf(dealId, alice);
        vm.startPrank(alice);
        pools.leave(dealId, all);
        assertEq(pools.sharesOf(dealId, alice), all, "kept while something may come back");
        vm.expectRevert(abi.encodeWithSelector(IStoragePools.StoragePools_NothingFree.selector, dealId));
        pools.leave(dealId, all);
        vm.stopPrank();
        vm.prank(sp1);
        store.releaseClaim(slot);
        vm.prank(alice);
        assertEq(pools.leave(dealId, all), obligation);
        assertEq(pools.sharesOf(dealId, alice), 0);
        assertEq(pools.poolOf(dealId).value, 0);
        assertEq(pools.creditOf(alice) + pools.creditOf(bob), 40 ether, "nothing stays behind");
    }

    function test_Withdraw_PaysTheCredit() public {
        uint64 dealId = _funded(10 ether, 10 ether);
        uint256 shares = pools.sharesOf(dealId, bob);
        vm.startPrank(bob);
        pools.leave(dealId, shares);
        vm.expectRevert(abi.encodeWithSelector(IStoragePools.StoragePools_TransferFailed.selector, address(0)));
        pools.withdraw(address(0));
        vm.expectRevert(abi.encodeWithSelector(IStoragePools.StoragePools_TransferFailed.selector, address(store)));
        pools.withdraw(address(store)); // takes no bare payment
        pools.withdraw(address(0xcafe));
        assertEq(address(0xcafe).balance, 10 ether);
        vm.expectRevert(abi.encodeWithSelector(IStoragePools.StoragePools_NothingToWithdraw.selector, bob));
        pools.withdraw(bob);
    }

    function test_Receive_FromStorageAlone() public {
        vm.prank(alice);
        (bool ok, bytes memory why) = address(pools).call{ value: 1 }("");
        assertFalse(ok);
        assertEq(why, abi.encodeWithSelector(IStoragePools.StoragePools_NotStorage.selector, alice));
    }

    function test_Round_BeginsAnewWhereNothingIsLeft() public {
        DealTerms memory t = _poolTerms();
        (t.replicas, t.ramp) = (1, 0);
        uint64 dealId = _open(t, 0);
        uint256 obligation = uint256(MAX) + uint256(RATE) * TERM;
        _pay(dealId, alice, obligation);
        _serve(dealId);
        uint64 slot = _claimed(dealId, 0, M1, sp1);
        _tell(slot, M1, 100);
        facts.setSector(M1, 100, 1, type(uint64).max);
        _earnAll(slot);
        assertEq(pools.poolOf(dealId).value, 0, "all is earned");
        vm.expectEmit(address(pools));
        emit IStoragePools.RoundBegun(dealId, pools.nextSeq(), 2);
        _pay(dealId, bob, 2 ether);
        assertEq(pools.sharesOf(dealId, alice), 0);
        assertEq(pools.sharesOf(dealId, bob), 2 ether * 1e18);
        vm.prank(bob);
        assertEq(pools.leave(dealId, 2 ether * 1e18), 2 ether);
    }

    /// @dev At a billionth of what was paid shares go on, and below that they begin anew.
    function test_Round_GoesOnDownToABillionth() public {
        DealTerms memory t = _poolTerms();
        (t.replicas, t.ramp) = (1, 0);
        for (uint64 i = 0; i < 2; ++i) {
            t.baseBounty = uint80(5 ether - 5 gwei - uint256(RATE) * TERM + i);
            t.maxBounty = t.baseBounty;
            uint64 dealId = _open(t, 0);
            _pay(dealId, alice, 5 ether);
            _serve(dealId);
            uint64 slot = _claimed(dealId, 0, M1, sp1);
            assertTrue(_tell(slot, M1, 100 + i));
            _earnAll(slot);
            assertEq(pools.poolOf(dealId).value, 5 gwei - i);
            _pay(dealId, bob, 2 ether);
            assertEq(pools.sharesOf(dealId, alice), i == 0 ? 5 ether * 1e18 : 0);
        }
    }

    // ---------------------------------------------------------------- attacks

    /// @dev With a price of what is free alone, dust would buy all of what comes back.
    function test_Attack_ComingJustBeforeASlotIsLostGainsNothing() public {
        DealTerms memory t = _poolTerms();
        (t.replicas, t.ramp) = (1, 0);
        uint64 dealId = _open(t, 0);
        _pay(dealId, alice, uint256(MAX) + uint256(RATE) * TERM);
        _serve(dealId);
        uint64 slot = _claimed(dealId, 0, M1, sp1);
        _tell(slot, M1, 100);
        assertEq(pools.poolOf(dealId).free, 0);
        _pay(dealId, stranger, 1000);
        facts.setSector(M1, 100, 0, 0);
        store.checkDeal(slot, 0, AUX);
        uint256 shares = pools.sharesOf(dealId, stranger);
        vm.prank(stranger);
        assertLe(pools.leave(dealId, shares), 1000);
    }

    /// @dev The first share is dear after a gift; what rounding then takes from a victim is less than the gift lost.
    function test_Attack_AGiftToFewSharesGainsNothing() public {
        uint64 dealId = _open(_poolTerms(), 0);
        _pay(dealId, stranger, 1);
        vm.prank(stranger);
        store.fund{ value: 100 ether }(dealId);
        _pay(dealId, alice, 150 ether);
        uint256 shares = pools.sharesOf(dealId, stranger);
        vm.prank(stranger);
        assertLe(pools.leave(dealId, shares), 100 ether + 101, "at most the price of a share: 100 atto");
        shares = pools.sharesOf(dealId, alice);
        vm.prank(alice);
        assertGe(pools.leave(dealId, shares), 150 ether - 101);
    }

    /// @dev A miner's owner can make the pools a slot's payee. What they then earn is nobody's, and stops nobody.
    function test_Attack_APayeeOfItsOwnChangesNoAccounts() public {
        uint64 dealId = _funded(30 ether, 10 ether);
        uint64 mine = _deal();
        uint64 slot = _active(mine, 0, M1, sp1);
        uint64[] memory ids = new uint64[](1);
        ids[0] = slot;
        vm.prank(_masked(2001));
        store.setPayee(ids, address(pools));
        _pass(DAY);
        facts.setSector(M1, 100, 1, type(uint64).max);
        _prove(slot);
        uint256 strange = store.creditOf(address(pools));
        assertGt(strange, 0);
        uint256 shares = pools.sharesOf(dealId, bob);
        vm.prank(bob);
        assertEq(pools.leave(dealId, shares), 10 ether);
        assertEq(address(pools).balance, 10 ether + strange);
        vm.prank(bob);
        pools.withdraw(bob);
        assertEq(address(pools).balance, strange);
    }

    // ------------------------------------------------------------------ whole

    function test_EventsHaveNoGap() public {
        vm.recordLogs();
        uint64 dealId = _open(_poolTerms(), 0);
        _join(dealId, alice, 0, 30 ether);
        _join(dealId, bob, 1, 10 ether);
        _pay(dealId, stranger, 1 ether);
        uint256 shares = pools.sharesOf(dealId, bob);
        vm.startPrank(bob);
        pools.leave(dealId, shares);
        pools.withdraw(bob);
        vm.stopPrank();
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint64 seen;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(pools)) continue;
            assertEq(uint64(uint256(bytes32(logs[i].data))), seen, "seq");
            ++seen;
        }
        assertEq(seen, pools.nextSeq());
    }

    /// @dev Whatever happens in whatever order: shares sum up, what members can have is not more than there is, and nobody who
    /// only pays and leaves gets more than was paid in all.
    /// forge-config: default.fuzz.runs = 128
    function testFuzz_SharesAndMoneyAddUp(uint256[24] calldata seeds) public {
        uint64 dealId = _funded(30 ether, 30 ether);
        uint256 paid = 60 ether;
        uint64 sector = 100;
        for (uint256 i = 0; i < seeds.length; ++i) {
            uint256 seed = seeds[i];
            address who = [alice, bob, stranger][seed % 3];
            uint8 act = uint8(seed >> 8) % 6;
            if (act == 0) {
                uint256 amount = 1 + (seed >> 16) % 5 ether;
                _pay(dealId, who, amount);
                paid += amount;
            } else if (act == 1) {
                _leaveSome(dealId, who, seed >> 16);
            } else if (act == 2) {
                _claimAny(dealId, seed >> 16);
            } else {
                _turn(dealId, act, seed >> 16, ++sector);
            }
            _addsUp(dealId);
        }
        uint256 out = pools.creditOf(alice) + pools.creditOf(bob) + pools.creditOf(stranger);
        assertLe(out, paid);
        assertEq(address(pools).balance, out);
    }

    /// forge-config: default.fuzz.runs = 128
    function testFuzz_ComingAndGoingGainsNothing(uint96 before, uint96 amount, bool reserved, bool gift) public {
        before = uint96(bound(before, 1, 100 ether));
        amount = uint96(bound(amount, 1, 500 ether));
        uint64 dealId = _open(_poolTerms(), 0);
        _pay(dealId, alice, before);
        if (gift) _payTo(dealId, 1 ether);
        _serve(dealId);
        if (reserved) _claimAny(dealId, 0);
        _pay(dealId, stranger, amount);
        uint256 shares = pools.sharesOf(dealId, stranger);
        if (shares == 0) return;
        PoolView memory p = pools.poolOf(dealId);
        if (uint256(p.free) * shares / p.shares == 0) return;
        vm.prank(stranger);
        assertLe(pools.leave(dealId, shares), amount);
    }

    function _addsUp(uint64 dealId) private view {
        PoolView memory p = pools.poolOf(dealId);
        uint256 sum = pools.sharesOf(dealId, alice) + pools.sharesOf(dealId, bob) + pools.sharesOf(dealId, stranger);
        assertEq(sum, p.shares, "shares");
        uint256 held = _free(dealId);
        for (uint8 i = 0; i < 2; ++i) {
            (uint64 current,) = store.seatOf(dealId, i);
            SlotView memory s = store.slotOf(current);
            if (s.state == IPerpetualStorage.SlotState.Claimed || s.state == IPerpetualStorage.SlotState.Active) {
                held += s.obligation - s.earned;
            }
        }
        assertEq(p.value, held, "value");
    }
}
