// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { CidAction, DaoParams, ProposalState } from "../../../contracts/interfaces/IDataDAO.sol";
import { DealView, IPerpetualStorage } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { DaoBase } from "../DaoBase.t.sol";
import { DaoHandler } from "./DaoHandler.sol";

/// @notice Numbers as in README.md beside this file.
contract DaoInvariantsTest is DaoBase {
    DaoHandler private handler;

    function setUp() public override {
        super.setUp();
        // A cap that a few pins reach.
        DaoParams memory p = _params();
        (p.maxPerProposal, p.maxPer30Days, p.tip) = (0.1 ether, 0.15 ether, 0.02 ether);
        dao = _makeDao(p, founders, address(0));
        vm.recordLogs();
        handler = new DaoHandler(dao, store, guard, founders);
        targetContract(address(handler));
    }

    /// @dev Called by the handler.
    function attest(uint256 id) external {
        vm.deal(keeper, 100 ether);
        _attest(id, 1000);
    }

    /// D1
    function invariant_VotesCountedAreThePowerOfWhoVoted() public view {
        for (uint256 id = 1; id <= handler.count(); ++id) {
            DaoHandler.Ghost memory g = handler.ghost(id);
            (,,,, uint256 up, uint256 down,,) = dao.proposals(id);
            assertEq(up, g.up);
            assertEq(down, g.down);
            (, uint256 quorum,,,,) = dao.rulesOf(id);
            assertEq(quorum, g.quorum, "fixed at creation");
            for (uint256 i = 0; i < 12; ++i) {
                address who = handler.people(i);
                assertEq(dao.hasVotedForProposal(who, id), handler.voted(who, id));
            }
        }
    }

    /// D2
    function invariant_NoCidIsAcceptedWithoutQuorumAndMajority() public view {
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory cid = handler.cids(i);
            uint256 by = dao.acceptedBy(cid);
            assertEq(by, handler.acceptedBy(keccak256(cid)));
            assertEq(dao.cidSet(cid), by != 0);
            if (by == 0) continue;
            DaoHandler.Ghost memory g = handler.ghost(by);
            assertEq(uint8(g.draft.action), uint8(CidAction.Add));
            assertEq(g.draft.cid, cid);
            assertGt(g.up, g.down);
            assertGe(g.up + g.down, g.quorum);
            assertEq(uint8(dao.stateOf(by)), uint8(ProposalState.Executed));
        }
    }

    /// D3
    function invariant_TheTreasuryIsSolventAndWithinItsCaps() public view {
        assertEq(address(dao).balance, handler.received() - handler.paidOut(), "all money is accounted for");
        uint256 owed = handler.depositsHeld() + handler.credits();
        assertGe(address(dao).balance, owed);
        assertEq(dao.treasury(), address(dao).balance - owed);
        // In any 30 days that end with a payment.
        uint256 count = handler.spendCount();
        for (uint256 i = 0; i < count; ++i) {
            uint256 sum;
            for (uint256 j = 0; j <= i; ++j) {
                if (handler.spendTimes(j) + 30 days > handler.spendTimes(i)) sum += handler.spendAmounts(j);
            }
            assertLe(sum, 0.15 ether);
        }
    }

    /// D4
    function invariant_EachProposalEndsOnce() public view {
        for (uint256 id = 1; id <= handler.count(); ++id) {
            DaoHandler.Ghost memory g = handler.ghost(id);
            assertLe(g.ended, 1);
            ProposalState state = dao.stateOf(id);
            assertEq(state == ProposalState.Executed, g.executed);
            if (state == ProposalState.Active || state == ProposalState.Queued || state == ProposalState.Ready) {
                assertEq(g.ended, 0);
            }
            if (state == ProposalState.Executed || state == ProposalState.Cancelled) assertEq(g.ended, 1);
        }
    }

    /// D5
    function invariant_TheRegisterIsWhoJoined() public view {
        assertEq(dao.memberCount(), handler.members());
        address[] memory list = dao.membersPage(0, 100);
        assertEq(list.length, handler.members());
        for (uint256 i = 0; i < list.length; ++i) {
            (, uint40 from) = dao.memberOf(list[i]);
            assertEq(from, handler.votesFrom(list[i]));
            assertGt(from, 0);
            assertEq(dao.placeOf(list[i]), i);
        }
    }

    /// D6
    function invariant_WhatWasGivenForStorageIsInDealsOfAcceptedCids() public view {
        uint256 sum = store.creditOf(address(dao));
        uint64 next = store.nextDeal();
        for (uint64 i = 1; i < next; ++i) {
            DealView memory deal = store.dealOf(i);
            assertEq(deal.client, address(dao));
            assertEq(deal.commP, PIECE_ROOT, "the piece that was attested");
            bool open = deal.status == IPerpetualStorage.DealStatus.Open;
            assertEq(open, dao.cidSet(deal.cid) && dao.storageOf(deal.cid) == i);
            sum += deal.free;
        }
        assertEq(sum, handler.stored() - handler.collected());
    }

    /// @dev Not vacuous: what the handler does reaches executions, from the treasury and from the value.
    function test_TheHandlerReachesExecution() public {
        uint256 signing = 0xdddddddddddd0fff;
        for (uint256 n = 0; n < 4; ++n) {
            handler.propose(0, n, n * 3 % 4);
            handler.vote(n % 2 == 0 ? type(uint256).max : signing, 0, true);
            vm.warp(block.timestamp + 1 days);
            handler.attest(n);
            handler.execute(7, n);
        }
        assertEq(handler.calls("voted"), 16);
        assertEq(handler.calls("executed"), 4);
        assertEq(handler.calls("stored"), 2);
        assertGt(handler.spent(), 0);
        assertGt(handler.calls("tipped"), 0);
        assertGt(handler.calls("signed"), 0);
        // The third is stored too, and the first removed again.
        handler.propose(0, 2, 2);
        handler.vote(type(uint256).max, 0, true);
        vm.warp(block.timestamp + 1 days);
        handler.execute(7, 4);
        handler.propose(0, 0, 0);
        handler.vote(type(uint256).max, 0, true);
        vm.warp(block.timestamp + 1 days);
        handler.execute(7, 5);
        assertEq(handler.calls("executed"), 6);
        assertEq(handler.stored(), 0.06 ether);
        handler.collect();
        assertEq(handler.collected(), 0.02 ether);
        invariant_WhatWasGivenForStorageIsInDealsOfAcceptedCids();
        invariant_VotesCountedAreThePowerOfWhoVoted();
        invariant_NoCidIsAcceptedWithoutQuorumAndMajority();
        invariant_TheTreasuryIsSolventAndWithinItsCaps();
        invariant_EachProposalEndsOnce();
    }
}
