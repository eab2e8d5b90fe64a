// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    DealTerms,
    IPerpetualStorage,
    OpenSlot,
    PublishedDeal,
    SectorPiece,
    SlotView
} from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { ClaimFacts, DealFacts, IFilecoinFacts } from "../../../contracts/interfaces/IStorageGate.sol";
import { StorageBase } from "./StorageBase.sol";

contract SlotsTest is StorageBase {
    // ------------------------------------------------------------------ claim

    function test_Claim_ReservesThePayAndTakesTheBond() public {
        uint64 dealId = _deal();
        uint64 slotId = _slot(dealId, 0, 0);
        uint96 obligation = BASE + uint96(RATE) * TERM;
        (bytes32 why, uint96 bond, uint96 quoted) = store.previewClaim(slotId, M1, sp1);
        assertEq(why, 0);
        assertEq(quoted, obligation);
        assertEq(bond, MAX - BASE + FLOOR);
        registry.attest(M1, 7);
        vm.expectEmit(address(store));
        emit IPerpetualStorage.SlotClaimed(
            dealId, slotId, M1, store.nextSeq(), sp1, obligation, uint80(bond), uint32(block.number) + SEAL, 2001, 7
        );
        vm.expectEmit(address(store));
        emit IPerpetualStorage.Credited(sp1, store.nextSeq() + 1, 3);
        vm.prank(sp1);
        store.claimDeal{ value: bond + 3 }(dealId, 0, M1);
        SlotView memory s = store.slotOf(slotId);
        assertEq(s.minerId, M1);
        assertEq(s.ownerId, 2001);
        assertEq(s.payee, sp1);
        assertEq(s.bond, bond);
        assertEq(s.obligation, obligation);
        assertEq(s.sealDeadline, block.number + SEAL);
        assertEq(_free(dealId), 100 ether - obligation);
        assertEq(store.creditOf(sp1), 3, "what was too much");
        uint64 seq = store.nextSeq();
        _claim(dealId, 1, M2, sp2);
        assertEq(store.nextSeq(), seq + 1, "nothing was too much, and nothing says so");
    }

    function test_Claim_TheBondShrinksAsTheBountyGrows() public {
        uint64 dealId = _deal();
        _pass(RAMP / 2);
        uint64 slotId = _slot(dealId, 0, 0);
        uint96 bounty = store.quoteBounty(slotId);
        assertEq(bounty, 2 ether);
        assertEq(_bond(slotId), MAX - bounty + FLOOR);
        vm.prank(sp1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPerpetualStorage.PerpetualStorage_BondTooLow.selector, MAX - bounty + FLOOR - 1, MAX - bounty + FLOOR
            )
        );
        store.claimDeal{ value: MAX - bounty + FLOOR - 1 }(dealId, 0, M1);
    }

    function test_Claim_AnySeat() public {
        uint64 dealId = _deal();
        _claim(dealId, 0, M1, sp1);
        vm.prank(sp2);
        store.claimDeal{ value: 9 ether }(dealId, 255, M2);
        assertEq(store.slotOf(_slot(dealId, 1, 0)).minerId, M2);
        // None is open any more.
        vm.prank(client);
        store.suspend(dealId);
        vm.expectEmit(address(store));
        emit IPerpetualStorage.Credited(sp3, store.nextSeq(), 9 ether);
        vm.expectEmit(address(store));
        emit IPerpetualStorage.NothingOpen(dealId, M3, store.nextSeq() + 1, 0, 9 ether);
        vm.prank(sp3);
        store.claimDeal{ value: 9 ether }(dealId, 255, M3);
        assertEq(store.creditOf(sp3), 9 ether);
        assertEq(store.slotOf(_slot(dealId, 2, 0)).minerId, 0);
    }

    function test_Claim_WhenNothingIsOpenTheValueIsCredited() public {
        uint64 dealId = _deal();
        uint64 slotId = _active(dealId, 0, M1, sp1);
        vm.expectEmit(address(store));
        emit IPerpetualStorage.Credited(sp2, store.nextSeq(), 9 ether);
        vm.expectEmit(address(store));
        emit IPerpetualStorage.NothingOpen(dealId, M2, store.nextSeq() + 1, uint32(block.number), 9 ether);
        vm.prank(sp2);
        store.claimDeal{ value: 9 ether }(dealId, 0, M2);
        assertEq(store.creditOf(sp2), 9 ether);
        assertEq(store.slotOf(slotId).minerId, M1);
    }

    function test_Claim_NothingIsOpenBeforeItIsServedOrFunded() public {
        uint64 dealId = _dealWith(_terms(), 100 ether);
        (bytes32 why,,) = store.previewClaim(_slot(dealId, 0, 0), M1, sp1);
        assertEq(why, "not served", "a client that never serves the CAR gets no bond");
        vm.prank(sp1);
        store.claimDeal{ value: 9 ether }(dealId, 0, M1);
        assertEq(store.creditOf(sp1), 9 ether);

        uint64 poor = _dealWith(_terms(), BASE + uint256(RATE) * TERM - 1);
        _serve(poor);
        (why,,) = store.previewClaim(_slot(poor, 0, 0), M1, sp1);
        assertEq(why, "not funded");
        store.fund{ value: 1 }(poor);
        _claim(poor, 0, M1, sp1);
        (why,,) = store.previewClaim(_slot(poor, 1, 0), M2, sp2);
        assertEq(why, "not funded");
        (OpenSlot[] memory list,) = store.openSlots(poor, 1);
        assertEq(list.length, 0);
    }

    function test_Claim_NothingIsOpenAfterTheEnd() public {
        DealTerms memory t = _terms();
        t.endEpoch = uint32(block.number) + 100;
        uint64 dealId = _dealWith(t, 100 ether);
        _serve(dealId);
        _pass(99);
        (bytes32 why,,) = store.previewClaim(_slot(dealId, 0, 0), M1, sp1);
        assertEq(why, 0);
        _pass(1);
        (why,,) = store.previewClaim(_slot(dealId, 0, 0), M1, sp1);
        assertEq(why, "ended");
        (why,,) = store.previewClaim(_slot(dealId, 3, 0), M1, sp1);
        assertEq(why, "no such seat");
        (why,,) = store.previewClaim(_slot(77, 0, 0), M1, sp1);
        assertEq(why, "not open");
    }

    /// @dev A seat whose next slot has been claimed too has nothing left to claim.
    function test_Claim_NothingIsOpenWhereTheNextIsTaken() public {
        uint64 dealId = _deal();
        uint64 next = _renewing(dealId, _active(dealId, 0, M1, sp1));
        _claim(dealId, 0, M1, sp1);
        (bytes32 why,,) = store.previewClaim(next, M2, sp2);
        assertEq(why, "taken");
        vm.prank(sp2);
        store.claimDeal{ value: 9 ether }(dealId, 0, M2);
        assertEq(store.creditOf(sp2), 9 ether);
        assertEq(store.slotOf(next).minerId, M1);
        (OpenSlot[] memory list,) = store.openSlots(dealId, 1);
        assertEq(list.length, 2, "the other seats");
    }

    function test_Claim_RevertWhen_NotAController() public {
        uint64 dealId = _deal();
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotController.selector, M1, stranger));
        store.claimDeal{ value: 9 ether }(dealId, 0, M1);
    }

    function test_Claim_CopiesLieWithDifferentOwnersAndOrganisations() public {
        uint64 dealId = _deal();
        _claim(dealId, 0, M1, sp1);
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotDistinct.selector, dealId, M1, 0));
        store.claimDeal{ value: 9 ether }(dealId, 1, M1);
        // Another miner of the same owner.
        facts.setMiner(1099, 2001, sp1);
        vm.prank(sp1);
        vm.expectRevert(
            abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotDistinct.selector, dealId, 1099, 0)
        );
        store.claimDeal{ value: 9 ether }(dealId, 1, 1099);
        // One organisation, two owners.
        registry.attest(M2, 7);
        registry.attest(M3, 7);
        _claim(dealId, 1, M2, sp2);
        vm.prank(sp3);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotDistinct.selector, dealId, M3, 1));
        store.claimDeal{ value: 9 ether }(dealId, 2, M3);
        registry.attest(M3, 0);
        _claim(dealId, 2, M3, sp3);
    }

    function test_Claim_RevertWhen_TheClientOwnsTheMiner() public {
        address self = _masked(2001);
        vm.deal(self, 200 ether);
        vm.prank(self);
        uint64 dealId = store.createDeal{ value: 100 ether }(HELLO_BYTES, PIECE, GIB, CAR_SIZE, _terms());
        _serve(dealId);
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_ClientIsProvider.selector, 2001));
        store.claimDeal{ value: 9 ether }(dealId, 0, M1);
    }

    // ---------------------------------------------------------------- release

    function test_Release_CostsTheFeeWithinADay() public {
        uint64 dealId = _deal();
        _pass(100);
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        uint96 bond = store.slotOf(slotId).bond;
        uint96 bounty = BASE + uint96(store.slotOf(slotId).obligation - BASE - uint96(RATE) * TERM);
        vm.prank(stranger);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_NotController.selector);
        store.releaseClaim(slotId);
        _pass(DAY);
        vm.prank(sp1);
        store.releaseClaim(slotId);
        assertEq(store.creditOf(sp1), bond - 0.01 ether);
        assertEq(store.burnable(), 0.01 ether);
        assertEq(_free(dealId), 100 ether);
        _stateOf(slotId, IPerpetualStorage.SlotState.Open);
        assertEq(store.quoteBounty(slotId), bounty, "the clock stood still while it was claimed");
        // What was released is nobody's: the sector comes too late.
        assertEq(store.slotOf(slotId).minerId, 0);
        assertFalse(facts.activate(store, slotId, _piece(M1, 5)));
    }

    function test_Release_RevertWhen_TheFetchWindowIsOver() public {
        uint64 dealId = _deal();
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        uint256 at = block.number;
        _pass(DAY + 1);
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_FetchWindowOver.selector, at + DAY));
        store.releaseClaim(slotId);
        vm.prank(sp1);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_WrongState.selector);
        store.releaseClaim(_slot(dealId, 1, 0));
    }

    // ----------------------------------------------------------------- expire

    function test_Expire_BurnsTheBondButForTheTip() public {
        uint64 dealId = _deal();
        _pass(RAMP / 2);
        _serve(dealId);
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        uint256 bond = store.slotOf(slotId).bond;
        _pass(SEAL + DAY);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_TooEarly.selector, block.number + 1));
        store.expireClaim(slotId);
        _pass(1);
        vm.prank(keeper);
        store.expireClaim(slotId);
        assertEq(store.creditOf(keeper), bond / 10);
        assertEq(store.burnable(), bond - bond / 10);
        assertEq(store.creditOf(client), 0, "never to the client");
        assertEq(_free(dealId), 100 ether);
        _stateOf(slotId, IPerpetualStorage.SlotState.Open);
        assertEq(store.quoteBounty(slotId), 2 ether, "where it was: two accomplices ratchet nothing");
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_WrongState.selector);
        store.expireClaim(slotId);
    }

    function test_Expire_NoTipForTheClaimantsOwn() public {
        uint64 dealId = _deal();
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        uint256 bond = store.slotOf(slotId).bond;
        _pass(SEAL + DAY + 1);
        uint256 before = vm.snapshotState();
        address control = _masked(4001);
        facts.setMiner(M1, 2001, control);
        address[2] memory own = [_masked(2001), control]; // the owner; a controller who is neither owner nor payee
        for (uint256 i = 0; i < own.length; ++i) {
            vm.prank(own[i]);
            store.expireClaim(slotId);
            assertEq(store.creditOf(own[i]), 0);
            assertEq(store.burnable(), bond);
            vm.revertToState(before);
            facts.setMiner(M1, 2001, control);
        }
        // Who owns the miner is not known any more: whoever asks might.
        facts.setMiner(M1, 0, control);
        vm.prank(keeper);
        store.expireClaim(slotId);
        assertEq(store.creditOf(keeper), 0);
    }

    function test_Expire_LateSectorIsTakenUntilAnotherClaims() public {
        uint64 dealId = _deal();
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        uint96 obligation = store.slotOf(slotId).obligation;
        _pass(SEAL + DAY + 1);
        vm.prank(keeper);
        store.expireClaim(slotId);
        // Front-run by expireClaim: the bond is gone, the slot is not.
        _seal(slotId, M1, 100);
        assertEq(store.slotOf(slotId).obligation, obligation);
        assertEq(store.slotOf(slotId).bond, 0);
        assertEq(_free(dealId), 100 ether - obligation);

        uint64 other = _claim(dealId, 1, M2, sp2);
        _pass(SEAL + DAY + 1);
        store.expireClaim(other);
        _serve(dealId);
        _claim(dealId, 1, M3, sp3);
        assertFalse(facts.activate(store, other, _piece(M2, 200)), "somebody else has claimed");
        assertTrue(facts.activate(store, other, _piece(M3, 300)));
    }

    function test_Expire_LateSectorNeedsTheDealsMoney() public {
        uint64 dealId = _deal();
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        _pass(SEAL + DAY + 1);
        store.expireClaim(slotId);
        vm.prank(client);
        store.withdrawSurplus(dealId, 100 ether);
        assertFalse(facts.activate(store, slotId, _piece(M1, 100)));
        vm.prank(client);
        store.cancel(dealId);
        assertFalse(facts.activate(store, slotId, _piece(M1, 100)));
    }

    /// @dev One that lapsed and took another seat meanwhile has its copy there.
    function test_Expire_LateSectorIsNoSecondCopy() public {
        uint64 dealId = _deal();
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        _pass(SEAL + DAY + 1);
        store.expireClaim(slotId);
        _serve(dealId);
        uint64 other = _claim(dealId, 1, M1, sp1);
        uint256 free = _free(dealId);
        assertFalse(facts.activate(store, slotId, _piece(M1, 100)));
        assertEq(_free(dealId), free, "nothing is set aside for it");
        _stateOf(slotId, IPerpetualStorage.SlotState.Open);
        assertTrue(facts.activate(store, other, _piece(M1, 100)));
    }

    function test_Expire_LateSectorNeedsItsSeat() public {
        uint64 dealId = _deal();
        uint64 slotId = _claim(dealId, 2, M1, sp1);
        _pass(SEAL + DAY + 1);
        store.expireClaim(slotId);
        vm.prank(client);
        store.changeReplicas(dealId, 2);
        assertFalse(facts.activate(store, slotId, _piece(M1, 100)), "the client wants two copies");
        assertEq(_free(dealId), 100 ether);
        vm.prank(client);
        store.changeReplicas(dealId, 3);
        _seal(slotId, M1, 100);
    }

    function test_Expire_PublishedAsksTheMarket() public {
        uint64 dealId = _deal();
        PublishedDeal memory p = _f05(M1, 0);
        uint64 slotId = _slot(dealId, 0, 0);
        assertTrue(facts.publish(store, slotId, p));
        _pass(SEAL + DAY + 1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, slotId));
        store.expireClaim(slotId);
        facts.setDeal(0, _factsOf(p, IFilecoinFacts.DealState.Active, p.start, 9));
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, bytes32("active")));
        store.expireClaim(slotId);
        facts.setDeal(0, _factsOf(p, IFilecoinFacts.DealState.Gone, 0, 0));
        store.expireClaim(slotId);
        _stateOf(slotId, IPerpetualStorage.SlotState.Open);
        assertEq(_free(dealId), 100 ether);
        assertFalse(facts.activate(store, slotId, _piece(M1, 5)), "a published claim has no late sector");
        assertEq(store.slotOf(slotId).minerId, 0);
    }

    // ---------------------------------------------------------------- publish

    function test_Published_ClaimsAnOpenSlotAtOnce() public {
        uint64 dealId = _deal();
        PublishedDeal memory p = _f05(M1, 0); // f05's ids begin at 0
        uint64 slotId = _slot(dealId, 0, 0);
        assertEq(store.whyNot(slotId, p), 0);
        assertTrue(facts.publish(store, slotId, p));
        SlotView memory s = store.slotOf(slotId);
        assertEq(uint8(s.state), uint8(IPerpetualStorage.SlotState.Published));
        assertEq(s.payee, _masked(2001), "the owner is paid");
        assertEq(s.bond, 0);
        assertEq(s.start, uint64(p.start));
        assertEq(s.end, uint64(p.start) + TERM);
        assertEq(store.whyNot(slotId, p), "taken");
        assertEq(store.whyNot(_slot(dealId, 1, 0), p), "not distinct");
        // One f05 deal for two slots.
        p.minerId = M2;
        assertFalse(facts.publish(store, _slot(dealId, 1, 0), p));
    }

    function test_Published_RefusesWhatDiffers() public {
        uint64 dealId = _deal();
        uint64 slotId = _slot(dealId, 0, 0);
        PublishedDeal memory p = _f05(M1, 1);
        p.commP = bytes32(uint256(1));
        _refusesDeal(slotId, p, "piece");
        p = _f05(M1, 1);
        p.paddedSize = GIB / 2;
        _refusesDeal(slotId, p, "piece");
        p = _f05(M1, 1);
        p.pricePerEpoch = 1;
        _refusesDeal(slotId, p, "price");
        p = _f05(M1, 1);
        p.clientCollateral = 1;
        _refusesDeal(slotId, p, "client collateral");
        p = _f05(M1, 1);
        p.providerCollateral = 0.2 ether - 1;
        _refusesDeal(slotId, p, "provider collateral");
        p = _f05(M1, 1);
        p.verified = true;
        _refusesDeal(slotId, p, "verified");
        p = _f05(M1, 1);
        p.start = int64(uint64(block.number)) - 1;
        _refusesDeal(slotId, p, "start");
        p.start = -1;
        _refusesDeal(slotId, p, "start");
        p = _f05(M1, 1);
        p.start += 1;
        p.end += 1;
        _refusesDeal(slotId, p, "start");
        p = _f05(M1, 1);
        p.end -= 1;
        _refusesDeal(slotId, p, "term");
        p.end = -1;
        _refusesDeal(slotId, p, "term");
        p = _f05(999, 1);
        _refusesDeal(slotId, p, "client");
        p = _f05(M1, 1);
        _refusesDeal(_slot(dealId, 0, 1), p, "unknown slot");
        _refusesDeal(_slot(9, 0, 0), p, "unknown slot");
        _claim(dealId, 0, M2, sp2);
        _refusesDeal(slotId, p, "provider");
        vm.prank(client);
        store.suspend(dealId);
        _refusesDeal(_slot(dealId, 1, 0), p, "suspended");
        vm.prank(owner);
        store.setIntakePaused(true);
        _refusesDeal(_slot(dealId, 1, 0), p, "paused");
    }

    function test_Published_VerifiedOnlyAsClaimedToTheLetter() public {
        DealTerms memory t = _terms();
        t.verified = true;
        uint64 dealId = _dealWith(t, 100 ether);
        _serve(dealId);
        uint64 slotId = _slot(dealId, 0, 0);
        PublishedDeal memory p = _f05(M1, 1);
        p.verified = true;
        _refusesDeal(slotId, p, "claim first");
        _claim(dealId, 0, M1, sp1);
        assertEq(store.whyNot(slotId, p), 0);
        p.end += 1;
        _refusesDeal(slotId, p, "not exact");
        p.end -= 1;
        p.providerCollateral += 1;
        _refusesDeal(slotId, p, "not exact");
        p.providerCollateral -= 1;
        p.start -= 1;
        _refusesDeal(slotId, p, "not exact");
        p.start += 1;
        assertTrue(facts.publish(store, slotId, p));
    }

    function test_PublishDeal_ShowsAMissedNotification() public {
        uint64 dealId = _deal();
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        PublishedDeal memory p = _f05(M1, 4);
        vm.prank(stranger);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_NotController.selector);
        store.publishDeal(slotId, 4);
        _publishRefused(slotId, "");
        DealFacts memory f = _factsOf(p, IFilecoinFacts.DealState.Published, -1, 0);
        f.ours = false;
        facts.setDeal(4, f);
        _publishRefused(slotId, "client");
        f.ours = true;
        f.provider = M2;
        facts.setDeal(4, f);
        _publishRefused(slotId, "provider");
        f.provider = M1;
        f.commP = 0;
        facts.setDeal(4, f);
        _publishRefused(slotId, "piece");
        f.commP = COMMP;
        f.paddedSize = 128;
        facts.setDeal(4, f);
        _publishRefused(slotId, "piece");
        f.paddedSize = GIB;
        f.verified = true;
        facts.setDeal(4, f);
        _publishRefused(slotId, "verified");
        f.verified = false;
        f.providerCollateral = 0;
        facts.setDeal(4, f);
        _publishRefused(slotId, "provider collateral");
        f.providerCollateral = 1 ether;
        f.start += 1;
        facts.setDeal(4, f);
        _publishRefused(slotId, "start");
        f.start -= 1;
        f.duration -= 1;
        facts.setDeal(4, f);
        _publishRefused(slotId, "term");
        f.duration += 1;
        facts.setDeal(4, f);
        vm.prank(sp1);
        store.publishDeal(slotId, 4);
        _stateOf(slotId, IPerpetualStorage.SlotState.Published);

        uint64 second = _claim(dealId, 1, M2, sp2);
        f.provider = M2;
        facts.setDeal(4, f);
        vm.prank(sp2);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, bytes32("used")));
        store.publishDeal(second, 4);
    }

    function test_PublishDeal_PaysNothingBackwards() public {
        uint64 dealId = _deal();
        PublishedDeal memory p = _f05(M1, 4);
        p.end += int64(uint64(SEAL));
        _pass(SEAL);
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        _pass(100);
        facts.setDeal(4, _factsOf(p, IFilecoinFacts.DealState.Active, p.start, 9));
        vm.prank(sp1);
        store.publishDeal(slotId, 4);
        assertEq(store.slotOf(slotId).start, block.number);
    }

    // --------------------------------------------------------------- activate

    function test_Activated_ByASector() public {
        uint64 dealId = _deal();
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        uint256 bond = store.slotOf(slotId).bond;
        vm.expectEmit(address(store));
        emit IPerpetualStorage.SlotActivated(
            dealId,
            slotId,
            M1,
            store.nextSeq(),
            IPerpetualStorage.Route.Sector,
            42,
            uint32(block.number),
            uint32(block.number) + TERM,
            0,
            uint32(block.number),
            uint80(bond / 5)
        );
        assertTrue(facts.activate(store, slotId, _piece(M1, 42)));
        assertEq(store.creditOf(sp1), bond - bond / 5, "four fifths of the bond");
        assertEq(store.slotOf(slotId).bond, bond / 5);
        // Several notify entries of one manifest count once.
        uint64 seq = store.nextSeq();
        assertTrue(facts.activate(store, slotId, _piece(M1, 42)));
        assertEq(store.nextSeq(), seq, "nothing happened");
        assertFalse(facts.activate(store, slotId, _piece(M1, 43)));
    }

    function test_Activated_RefusesWhatDiffers() public {
        uint64 dealId = _deal();
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        SectorPiece memory p = _piece(M2, 1);
        assertFalse(facts.activate(store, slotId, p), "another miner");
        p = _piece(M1, 1);
        p.commP = bytes32(uint256(5));
        assertFalse(facts.activate(store, slotId, p), "another piece: whatever a label says");
        p = _piece(M1, 1);
        p.paddedSize = GIB / 2;
        assertFalse(facts.activate(store, slotId, p), "another size");
        p = _piece(M1, 1);
        p.minimumCommitment = int64(uint64(block.number) + TERM) - 1;
        assertFalse(facts.activate(store, slotId, p), "too short");
        p.minimumCommitment = -1;
        assertFalse(facts.activate(store, slotId, p), "no epoch");
        assertFalse(facts.activate(store, _slot(dealId, 1, 0), _piece(M1, 1)), "an open slot");
        assertFalse(facts.activate(store, _slot(dealId, 1, 9), _piece(M1, 1)), "no such slot");
        assertFalse(facts.activate(store, _slot(dealId, 1, 0), _piece(0, 1)), "no miner");
        p = _piece(M1, 1);
        p.minimumCommitment = int64(uint64(block.number) + TERM);
        assertTrue(facts.activate(store, slotId, p));
    }

    function test_Activated_OneSectorForTwoSlotsOfTwoDeals() public {
        (uint64 first, uint64 second) = (_deal(), _deal());
        uint64 a = _claim(first, 0, M1, sp1);
        uint64 b = _claim(second, 0, M1, sp1);
        assertTrue(facts.activate(store, a, _piece(M1, 42)));
        assertFalse(facts.activate(store, b, _piece(M1, 42)), "the same route");
        PublishedDeal memory p = _f05(M1, 8);
        assertTrue(facts.publish(store, b, p));
        facts.setDeal(8, _factsOf(p, IFilecoinFacts.DealState.Active, p.start, 42));
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, bytes32("used")));
        _prove(b);
        facts.setDeal(8, _factsOf(p, IFilecoinFacts.DealState.Active, p.start, 43));
        facts.setSector(M1, 43, 1, type(uint64).max);
        _prove(b);
        _stateOf(b, IPerpetualStorage.SlotState.Active);
    }

    function test_Activated_OfADealWithDataCapOnlyWhereItWasClaimed() public {
        DealTerms memory t = _terms();
        t.verified = true;
        uint64 dealId = _dealWith(t, 100 ether);
        _serve(dealId);
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        assertFalse(facts.activate(store, slotId, _piece(M1, 42)), "a plain sector");
        SectorPiece memory piece = _piece(M1, 42);
        piece.allocationId = 5;
        assertFalse(facts.activate(store, slotId, piece), "an allocation that nobody claimed");
        ClaimFacts memory good =
            ClaimFacts(true, true, COMMP, GIB, int64(uint64(block.number)), int64(uint64(TERM)), 42);
        for (uint256 i = 0; i < 5; ++i) {
            ClaimFacts memory f = abi.decode(abi.encode(good), (ClaimFacts));
            if (i == 0) f.ours = false;
            if (i == 1) f.commP = 0;
            if (i == 2) f.paddedSize = GIB / 2;
            if (i == 3) f.sector = 43;
            if (i == 4) f.known = false;
            facts.setClaim(M1, 5, f);
            assertFalse(facts.activate(store, slotId, piece), "another claim");
        }
        facts.setClaim(M1, 5, good);
        uint64 other = _claim(dealId, 1, M2, sp2);
        SectorPiece memory theirs = _piece(M2, 42);
        theirs.allocationId = 5;
        assertFalse(facts.activate(store, other, theirs), "another miner's claim");
        assertTrue(facts.activate(store, slotId, piece));
        _stateOf(slotId, IPerpetualStorage.SlotState.Active);
    }

    function test_Activated_ByAVerifiedClaim() public {
        uint64 dealId = _deal();
        uint64 slotId = _claim(dealId, 0, M1, sp1);
        ClaimFacts memory f = ClaimFacts(true, true, COMMP, GIB, int64(uint64(block.number)), int64(uint64(TERM)), 77);
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, slotId));
        store.activateByClaim(slotId, 5);
        facts.setClaim(M1, 5, f);
        facts.setSector(M1, 77, 1, uint64(block.number) + TERM - 1);
        _claimRefused(slotId, "term");
        facts.setSector(M1, 77, 1, uint64(block.number) + TERM);
        f.ours = false;
        facts.setClaim(M1, 5, f);
        _claimRefused(slotId, "client");
        f.ours = true;
        f.commP = 0;
        facts.setClaim(M1, 5, f);
        _claimRefused(slotId, "piece");
        f.commP = COMMP;
        facts.setClaim(M1, 5, f);
        vm.prank(stranger);
        vm.expectPartialRevert(IPerpetualStorage.PerpetualStorage_NotController.selector);
        store.activateByClaim(slotId, 5);
        _pass(100);
        facts.setSector(M1, 77, 1, uint64(block.number) + TERM);
        vm.expectEmit(address(store));
        emit IPerpetualStorage.SlotActivated(
            dealId,
            slotId,
            M1,
            store.nextSeq(),
            IPerpetualStorage.Route.Claim,
            77,
            uint32(block.number),
            uint32(block.number) + TERM,
            5,
            uint32(block.number),
            store.slotOf(slotId).bond / 5
        );
        vm.prank(sp1);
        store.activateByClaim(slotId, 5);
        SlotView memory s = store.slotOf(slotId);
        assertEq(uint8(s.route), uint8(IPerpetualStorage.Route.Claim));
        assertEq(s.sector, 77);
        assertEq(s.start, block.number, "paid from now on");
        assertEq(s.end, block.number + TERM);
        assertEq(s.lastProof, block.number);
        uint64 other = _claim(_deal(), 0, M1, sp1);
        _claimRefused(other, "used");
    }

    function test_Gate_RevertWhen_AnybodyElse() public {
        uint64 slotId = _claim(_deal(), 0, M1, sp1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotGate.selector, sp1));
        vm.prank(sp1);
        store.onActivated(slotId, _piece(M1, 1));
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotGate.selector, sp1));
        vm.prank(sp1);
        store.onPublished(slotId, _f05(M1, 1));
    }

    // ------------------------------------------------------------------ views

    function test_OpenSlots_ListsWhatTheMoneyCovers() public {
        DealTerms memory t = _terms();
        uint96 one = BASE + uint96(RATE) * TERM;
        uint64 a = _dealWith(t, 2 * one);
        _serve(a);
        uint64 b = _deal();
        _claim(b, 1, M1, sp1);
        (OpenSlot[] memory list, uint64 next) = store.openSlots(0, 1);
        assertEq(list.length, 2, "three are open and two are paid for");
        assertEq(list[0].slotId, _slot(a, 0, 0));
        assertEq(list[0].obligation, one);
        assertEq(next, b);
        (list, next) = store.openSlots(next, 1000);
        assertEq(list.length, 2);
        assertEq(list[0].slotId, _slot(b, 0, 0));
        assertEq(list[1].slotId, _slot(b, 2, 0));
        assertEq(next, 0);
        (list, next) = store.openSlots(500, 10);
        assertEq(list.length + next, 0);
    }

    function test_Sources_AreWhoStoresItNow() public {
        uint64 dealId = _deal();
        _active(dealId, 0, M1, sp1);
        uint64 second = _active(dealId, 1, M2, sp2);
        _claim(dealId, 2, M3, sp3);
        (uint64[] memory miners, string[] memory endpoints) = store.sourcesOf(dealId);
        assertEq(miners.length, 2);
        assertEq(miners[0], M1);
        assertEq(miners[1], M2);
        assertEq(endpoints[1], "https://even.example/piece/");
        facts.setSector(M2, 101, 2, 0);
        store.checkDeal(second, 2, AUX);
        (miners,) = store.sourcesOf(dealId);
        assertEq(miners.length, 1, "a faulty one is no source");
    }

    function test_Sources_OfASeatWithANext() public {
        uint64 dealId = _deal();
        uint64 slotId = _active(dealId, 0, M1, sp1);
        uint64 next = _renewing(dealId, slotId);
        _sourcesAre(dealId, M1, 0); // the next is open
        _claim(dealId, 0, M1, sp1);
        _sourcesAre(dealId, M1, 0); // and not sealed
        _seal(next, M1, 200);
        _sourcesAre(dealId, M1, 0); // who stores it twice is named once
        _faulty(slotId, M1, 100);
        _sourcesAre(dealId, M1, 0); // by the next
        _faulty(next, M1, 200);
        _sourcesAre(dealId, 0, 0);

        dealId = _deal();
        slotId = _claim(dealId, 0, M1, sp1);
        _seal(slotId, M1, 101);
        next = _renewing(dealId, slotId);
        _pass(RENEW / 3);
        _serve(dealId);
        _claim(dealId, 0, M2, sp2);
        _seal(next, M2, 200);
        _sourcesAre(dealId, M1, M2);
        _faulty(next, M2, 200);
        _sourcesAre(dealId, M1, 0);
    }

    // ----------------------------------------------------------------- inside

    /// @dev The slot that follows an Active one, as early as it can be opened.
    function _renewing(uint64 dealId, uint64 slotId) private returns (uint64) {
        _pass(store.slotOf(slotId).end - RENEW - block.number);
        _serve(dealId);
        return store.openRenewal(dealId, uint8(slotId >> 16));
    }

    function _faulty(uint64 slotId, uint64 minerId, uint64 sector) private {
        facts.setSector(minerId, sector, 2, 0);
        store.checkDeal(slotId, 2, AUX);
    }

    function _sourcesAre(uint64 dealId, uint64 first, uint64 second) private view {
        (uint64[] memory miners, string[] memory endpoints) = store.sourcesOf(dealId);
        assertEq(miners.length, second != 0 ? 2 : first != 0 ? 1 : 0);
        assertEq(endpoints.length, miners.length);
        if (first != 0) assertEq(miners[0], first);
        if (second != 0) assertEq(miners[1], second);
        for (uint256 i = 0; i < miners.length; ++i) {
            assertEq(endpoints[i], registry.retrievalOf(miners[i]));
        }
    }

    function _refusesDeal(uint64 slotId, PublishedDeal memory p, bytes32 why) private {
        assertEq(store.whyNot(slotId, p), why);
        assertFalse(facts.publish(store, slotId, p));
    }

    function _publishRefused(uint64 slotId, bytes32 why) private {
        vm.prank(sp1);
        if (why == 0) {
            vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotProven.selector, slotId));
        } else {
            vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, why));
        }
        store.publishDeal(slotId, 4);
    }

    function _claimRefused(uint64 slotId, bytes32 why) private {
        vm.prank(sp1);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_Refused.selector, why));
        store.activateByClaim(slotId, 5);
    }
}
