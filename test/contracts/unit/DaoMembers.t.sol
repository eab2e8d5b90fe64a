// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DataDAO } from "../../../contracts/dao/DataDAO.sol";
import { CidAction, DaoParams, IDataDAO, ProposalState } from "../../../contracts/interfaces/IDataDAO.sol";
import { IDataDAOFactory } from "../../../contracts/interfaces/IDataDAOFactory.sol";
import { DaoBase } from "../DaoBase.t.sol";
import { BlockToken, TimeToken } from "../mocks/DaoMocks.sol";

contract DaoMembersTest is DaoBase {
    // ---------------------------------------------------------------- factory

    function test_Create_MakesADaoInOneTransaction() public {
        vm.recordLogs();
        vm.prank(alice);
        address made = daos.createDAO{ value: 3 ether }(_params(), founders, address(0));
        DataDAO d = DataDAO(payable(made));
        assertEq(d.owner(), alice);
        assertFalse(d.isMember(alice), "the owner only if listed");
        assertEq(d.treasury(), 3 ether);
        assertEq(d.memberCount(), 5);
        assertEq(d.membersPage(0, 100).length, 5);
        assertEq(d.membersPage(1, 2)[1], founders[2]);
        assertEq(d.membersPage(4, 9).length, 1);
        assertEq(d.membersPage(5, 9).length, 0);
        assertEq(abi.encode(d.params()), abi.encode(_params()));
        assertEq(d.nextSeq(), vm.getRecordedLogs().length - 1, "each event of the DAO has a seq");
        assertTrue(daos.isDAO(made));
        assertFalse(daos.isDAO(daos.implementation()));
        assertEq(daos.daoCount(), 2);
        assertEq(daos.daoAt(1), made);
        assertLt(made.code.length, 46);
        (uint40 joinedAt, uint40 votesFrom) = d.memberOf(founders[0]);
        assertEq(joinedAt, votesFrom);
    }

    function test_Create_RevertWhen_ParamsOutOfRange() public {
        DaoParams[13] memory bad;
        bytes32[13] memory field = [
            bytes32("votingPeriod"),
            "weightyPeriod",
            "executionDelay",
            "executionWindow",
            "membershipAge",
            "invitePeriod",
            "quorumBps",
            "weightyQuorumBps",
            "maxPerProposal",
            "guardianUntil",
            "guardianUntil",
            "guardianUntil",
            "tip"
        ];
        for (uint256 i = 0; i < 13; ++i) {
            bad[i] = _params();
        }
        bad[0].votingPeriod = 10 minutes - 1;
        bad[1].weightyPeriod = 1 days - 1;
        bad[2].executionDelay = 1 days - 1;
        bad[3].executionWindow = 90 days + 1;
        bad[4].membershipAge = 1 days - 1;
        bad[5].invitePeriod = 1 days - 1;
        bad[6].quorumBps = 0;
        bad[7].weightyQuorumBps = 1999;
        bad[8].maxPerProposal = 3 ether + 1;
        bad[9].guardianUntil = uint40(block.timestamp);
        bad[10].guardianUntil = uint40(block.timestamp) + 3 * 365 days + 1;
        bad[11].guardian = address(0);
        bad[12].tip = 1 ether + 1;
        for (uint256 i = 0; i < 13; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_ParamOutOfRange.selector, field[i]));
            daos.createDAO(bad[i], founders, address(0));
        }
    }

    function test_Create_RevertWhen_FoundersOrTokenBad() public {
        address[] memory who = new address[](0);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_ParamOutOfRange.selector, bytes32("founders")));
        daos.createDAO(_params(), who, address(0));
        who = new address[](65);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_ParamOutOfRange.selector, bytes32("founders")));
        daos.createDAO(_params(), who, address(0));
        who = new address[](2);
        who[0] = alice;
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_BadFounder.selector, address(0)));
        daos.createDAO(_params(), who, address(0));
        who[1] = alice;
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_BadFounder.selector, alice));
        daos.createDAO(_params(), who, address(0));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_ParamOutOfRange.selector, bytes32("token")));
        daos.createDAO(_params(), who, bob);
        address token = address(new BlockToken());
        vm.expectRevert(IDataDAO.DataDAO_NotRegister.selector);
        daos.createDAO(_params(), founders, token);
    }

    function test_Initialize_RevertWhen_Again() public {
        vm.expectRevert(IDataDAO.DataDAO_AlreadyInitialized.selector);
        dao.initialize(_params(), alice, founders, address(0));
        DataDAO implementation = DataDAO(payable(daos.implementation()));
        vm.expectRevert(IDataDAO.DataDAO_AlreadyInitialized.selector);
        implementation.initialize(_params(), alice, founders, address(0));
    }

    // --------------------------------------------------------------- register

    function test_Invite_RevertWhen_Refused() public {
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NotMember.selector, alice));
        vm.prank(alice);
        dao.invite(bob);
        vm.startPrank(founders[0]);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_BadInvitee.selector, address(0)));
        dao.invite(address(0));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_BadInvitee.selector, address(dao)));
        dao.invite(address(dao));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_AlreadyMember.selector, founders[1]));
        dao.invite(founders[1]);
        dao.invite(alice);
        dao.invite(bob);
        uint40 next = uint40(block.timestamp) + 7 days;
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_InvitesUsed.selector, founders[0], next));
        dao.invite(sp);
        vm.warp(next);
        dao.invite(sp);
        vm.stopPrank();
        vm.startPrank(alice);
        dao.join();
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_TooYoung.selector, alice, next + 1 days));
        dao.invite(keeper);
        vm.warp(next + 1 days);
        dao.invite(keeper);
    }

    function test_Join_MakesAMemberThatVotesOnWhatComesLater() public {
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NotInvited.selector, alice));
        vm.prank(alice);
        dao.join();
        vm.startPrank(founders[0]);
        dao.invite(alice);
        dao.invite(bob);
        vm.stopPrank();
        uint256 before = _propose(_cid(1));
        vm.prank(alice);
        dao.join();
        assertTrue(dao.isMember(alice));
        assertEq(dao.powerOf(before, alice), 0);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NotInvited.selector, alice));
        vm.prank(alice);
        dao.join();
        vm.warp(block.timestamp + 1 days - 1);
        assertEq(dao.powerOf(_propose(_cid(2)), alice), 0);
        vm.warp(block.timestamp + 1);
        assertEq(dao.powerOf(_propose(_cid(3)), alice), 1);
        vm.warp(block.timestamp + 13 days);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NotInvited.selector, bob));
        vm.prank(bob);
        dao.join();
    }

    function test_Leave_KeepsTheOthers() public {
        _says(IDataDAO.DataDAO_NotMember.selector);
        dao.leave();
        uint8[5] memory order = [1, 4, 0, 3, 2];
        for (uint256 i = 0; i < 5; ++i) {
            vm.prank(founders[order[i]]);
            dao.leave();
            assertEq(dao.memberCount(), 4 - i);
            address[] memory left = dao.membersPage(0, 9);
            for (uint256 j = 0; j < left.length; ++j) {
                assertTrue(dao.isMember(left[j]));
                assertEq(dao.placeOf(left[j]), j);
                for (uint256 k = 0; k < j; ++k) {
                    assertNotEq(left[j], left[k]);
                }
            }
        }
    }

    // ------------------------------------------------------------------ token

    function test_Token_InItsClockOfBlocks() public {
        _tokenStory(new BlockToken(), 1000, 1);
    }

    function test_Token_InItsClockOfTimestamps() public {
        _tokenStory(new TimeToken(), block.timestamp, 12);
    }

    function _tokenStory(BlockToken token, uint256 clock, uint256 tick) private {
        vm.roll(1000);
        dao = _makeDao(_params(), new address[](0), address(token));
        assertEq(dao.token(), address(token));
        token.mint(alice, 90e18);
        token.mint(bob, 10e18);
        vm.prank(alice);
        token.delegate(alice);
        vm.prank(bob);
        token.delegate(bob);
        // Nothing is in the past yet: alice has no power, and the supply none to ask a quorum of.
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_DepositMismatch.selector, 0, 0.5 ether));
        dao.createCIDProposal(_cid(1), SIZE);

        vm.roll(1001);
        vm.warp(block.timestamp + 12);
        vm.prank(alice);
        uint256 id = dao.createCIDProposal(_cid(1), SIZE);
        (, uint256 quorum, uint256 snapshot,,,) = dao.rulesOf(id);
        assertEq(snapshot, clock + tick - 1);
        assertEq(quorum, 10e18);
        // What moves now, votes elsewhere.
        vm.prank(alice);
        assertTrue(token.transfer(sp, 90e18));
        vm.prank(sp);
        token.delegate(sp);
        vm.roll(1002);
        vm.warp(block.timestamp + 12);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NoPower.selector, id, sp));
        vm.prank(sp);
        dao.voteCIDProposal(id, true);
        assertEq(dao.powerOf(id, alice), 0, "its own proposal");
        vm.prank(bob);
        dao.voteCIDProposal(id, true);
        (,,,, uint256 up,,,) = dao.proposals(id);
        assertEq(up, 10e18);
        _untilReady(id);
        _execute(id, "");
        assertTrue(dao.cidSet(_cid(1)));

        _says(IDataDAO.DataDAO_NotRegister.selector);
        vm.prank(alice);
        dao.invite(keeper);
    }

    function test_Token_PowerHas96Bits() public {
        BlockToken token = new BlockToken();
        dao = _makeDao(_params(), new address[](0), address(token));
        token.mint(alice, uint256(type(uint96).max) + 1);
        vm.prank(alice);
        token.delegate(alice);
        vm.roll(block.number + 1);
        uint256 id = _propose(_cid(1));
        vm.expectRevert(
            abi.encodeWithSelector(IDataDAO.DataDAO_PowerOutOfRange.selector, uint256(type(uint96).max) + 1)
        );
        vm.prank(alice);
        dao.voteCIDProposal(id, true);
    }

    function test_Token_QuorumHas104Bits() public {
        BlockToken token = new BlockToken();
        dao = _makeDao(_params(), new address[](0), address(token));
        // A tenth is asked for.
        token.mint(alice, uint256(type(uint104).max) * 10);
        vm.roll(block.number + 1);
        (, uint256 quorum,,,,) = dao.rulesOf(_propose(_cid(1)));
        assertEq(quorum, type(uint104).max);
        token.mint(alice, 1);
        vm.roll(block.number + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IDataDAO.DataDAO_PowerOutOfRange.selector, uint256(type(uint104).max) + 1)
        );
        _propose(_cid(2));
    }
}
