// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { CidAction, DaoParams, IDataDAO, ProposalState } from "../../../contracts/interfaces/IDataDAO.sol";
import { DaoBase } from "../DaoBase.t.sol";
import { BlockToken } from "../mocks/DaoMocks.sol";

contract DaoTakeoverTest is DaoBase {
    address[] private gang;

    /// @dev The first founder is the traitor: it invites as many of ten as it can, they invite the rest.
    function _infiltrate() private {
        for (uint256 i = 0; i < 10; ++i) {
            address a = makeAddr(string.concat("gang", vm.toString(i)));
            vm.prank(founders[0]);
            if (i < 2) {
                dao.invite(a);
                vm.prank(a);
                dao.join();
                gang.push(a);
            } else {
                vm.expectPartialRevert(IDataDAO.DataDAO_InvitesUsed.selector);
                dao.invite(a);
                vm.expectPartialRevert(IDataDAO.DataDAO_TooYoung.selector);
                vm.prank(gang[i % 2]);
                dao.invite(a);
                vm.expectPartialRevert(IDataDAO.DataDAO_NotInvited.selector);
                vm.prank(a);
                dao.join();
            }
        }
    }

    function test_Drain_RevertWhen_WithinAnHour() public {
        _infiltrate();
        uint256 id = _proposeBy(founders[1], _draft(CidAction.Add, _cid(1), 1 ether, ""));
        for (uint256 i = 0; i < gang.length; ++i) {
            _says(IDataDAO.DataDAO_TooYoung.selector);
            vm.prank(gang[i]);
            dao.voteCIDProposal(id, true);
        }
        _vote(id, 0, 1, true);
        vm.warp(block.timestamp + 1 hours);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NotReady.selector, id, ProposalState.Active));
        _execute(id, "");
        assertEq(dao.treasury(), 100 ether);
    }

    function test_Drain_RevertWhen_WithinADay() public {
        _infiltrate();
        vm.deal(gang[0], 10 ether);
        vm.prank(gang[0]); // not of age: pays the deposit
        uint256 id = dao.propose{ value: 0.5 ether }(_draft(CidAction.Add, _cid(1), 1 ether, ""));
        _vote(id, 0, 1, true);
        vm.warp(block.timestamp + 1 days - 1);
        _says(IDataDAO.DataDAO_TooYoung.selector);
        vm.prank(gang[1]);
        dao.voteCIDProposal(id, true);
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NotReady.selector, id, ProposalState.Defeated));
        _execute(id, "");
        // A day later two newcomers and the traitor are three of seven: the vote takes a day, the delay another,
        // in which the others vote against it or the guardian cancels.
        vm.prank(gang[0]);
        id = dao.propose(_draft(CidAction.Add, _cid(1), 1 ether, ""));
        vm.prank(gang[1]);
        dao.voteCIDProposal(id, true);
        _vote(id, 0, 1, true);
        _vote(id, 1, 2, false);
        vm.warp(block.timestamp + 1 days);
        _stateIs(id, ProposalState.Defeated);
        assertEq(dao.treasury(), 100.5 ether);
    }

    function test_Drain_RevertWhen_ByManySmallProposals() public {
        // The worst case: a majority has been won over. 3 of 100 FIL in any 30 days is all it gets.
        DaoParams memory p = _params();
        p.executionWindow = 90 days;
        dao = _makeDao(p, founders, address(0));
        uint256 first = 1;
        vm.deal(keeper, 10_000 ether);
        for (uint256 n = 0; n < 160; ++n) {
            _proposeBy(founders[0], _draft(CidAction.Add, _cid(n), 1 ether, ""));
            _vote(first + n, 1, 3, true);
        }
        _untilReady(first);
        // Late in one window of six days, so that the rest falls into the next.
        vm.warp((block.timestamp / 6 days + 1) * 6 days - 1);
        uint256 start = block.timestamp;
        uint256 fee = _executeUntilRefused(first);
        uint256 spent = 100 ether - dao.treasury();
        assertLe(spent, 3 ether);
        assertGt(spent + fee, 3 ether, "it was the cap that refused");
        uint256 i = spent / fee;
        for (uint256 day = 1; day <= 5; ++day) {
            vm.warp(start + day * 1 days);
            _says(IDataDAO.DataDAO_CapReached.selector);
            _execute(first + i, "");
        }
        assertLt(dao.spendable(), fee);
        vm.warp(start + 30 days);
        assertLt(dao.spendable(), fee, "in any 30 days");
        vm.warp(start + 36 days);
        assertEq(dao.spendable(), 3 ether);
    }

    function _executeUntilRefused(uint256 first) private returns (uint256 fee) {
        uint256 i;
        uint256 before = dao.treasury();
        _execute(first + i, "");
        fee = before - dao.treasury();
        while (dao.spendable() >= fee) {
            _execute(first + ++i, "");
        }
        _says(IDataDAO.DataDAO_CapReached.selector);
        _execute(first + i + 1, "");
    }

    function test_Drain_AddingWithoutABudgetCostsTheTreasuryNothing() public {
        for (uint256 i = 0; i < 20; ++i) {
            uint256 id = _proposeBy(founders[0], _draft(CidAction.Add, _cid(i), 0, ""));
            _vote(id, 1, 1, true);
            _untilReady(id);
            _says(IDataDAO.DataDAO_Underpaid.selector);
            dao.executeCIDProposal(id);
            _execute(id, "");
        }
        assertEq(dao.treasury(), 100 ether);
    }

    function test_Quorum_IsFixedAtCreation() public {
        uint256 id = _proposeBy(founders[0], _draft(CidAction.Add, _cid(1), 1 ether, ""));
        _vote(id, 1, 2, true);
        for (uint256 i = 2; i < 5; ++i) {
            vm.prank(founders[i]);
            dao.leave();
        }
        (, uint256 quorum,,,,) = dao.rulesOf(id);
        assertEq(quorum, 3);
        vm.warp(block.timestamp + 1 days);
        _stateIs(id, ProposalState.Defeated);
        // And stays so when the register is smaller still, or larger again.
        vm.prank(founders[0]);
        dao.invite(alice);
        vm.prank(alice);
        dao.join();
        _stateIs(id, ProposalState.Defeated);
    }

    function test_Copies_StopNobodyForGood() public {
        // Somebody sees a proposal coming, makes it first and cancels it.
        vm.startPrank(sp);
        uint256 copy = dao.createCIDProposal{ value: 0.5 ether }(_cid(1), SIZE);
        dao.cancelProposal(copy);
        vm.stopPrank();
        vm.prank(founders[0]);
        dao.createCIDProposal(_cid(1), SIZE);
        assertEq(dao.treasury(), 100.5 ether, "it paid for it");
    }

    function test_Cancelled_NeverExecutes() public {
        uint256 id = _propose(_cid(1));
        _vote(id, 0, 3, true);
        vm.prank(sp);
        dao.cancelProposal(id);
        vm.warp(block.timestamp + 1 hours);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NotReady.selector, id, ProposalState.Cancelled));
        _execute(id, "");
        assertEq(dao.creditOf(sp), 0.5 ether, "the quorum had voted");
    }

    function test_Borrowed_TokensDoNotVote() public {
        BlockToken token = new BlockToken();
        dao = _makeDao(_params(), new address[](0), address(token));
        token.mint(alice, 100e18);
        vm.prank(alice);
        token.delegate(alice);
        vm.roll(block.number + 1);
        // In one transaction: borrow, propose, vote.
        vm.startPrank(bob);
        token.delegate(bob);
        vm.stopPrank();
        vm.prank(alice);
        assertTrue(token.transfer(bob, 100e18));
        uint256 id = _propose(_cid(1));
        _says(IDataDAO.DataDAO_NoPower.selector);
        vm.prank(bob);
        dao.voteCIDProposal(id, true);
        assertEq(dao.powerOf(id, alice), 100e18);
    }
}
