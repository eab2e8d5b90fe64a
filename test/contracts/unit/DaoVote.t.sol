// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DataDAO } from "../../../contracts/dao/DataDAO.sol";
import {
    Ballot,
    CidAction,
    DaoParams,
    Draft,
    IDataDAO,
    ProposalState
} from "../../../contracts/interfaces/IDataDAO.sol";
import { Cids } from "../../../contracts/pinning/Cids.sol";
import { DaoBase } from "../DaoBase.t.sol";
import { Wallet1271 } from "../mocks/DaoMocks.sol";

contract DaoVoteTest is DaoBase {
    // ------------------------------------------------------ createCIDProposal

    function test_Create_MembersPayNothingOthersTheDeposit() public {
        vm.prank(founders[0]);
        assertEq(dao.createCIDProposal(_cid(1), SIZE), 1);
        assertEq(dao.treasury(), 100 ether);
        _propose(_cid(2));
        assertEq(dao.proposalCount(), 2);
        assertEq(dao.treasury(), 100 ether, "a deposit is not the treasury's");

        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_DepositMismatch.selector, 0, 0.5 ether));
        vm.prank(sp);
        dao.createCIDProposal(_cid(3), SIZE);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_DepositMismatch.selector, 0.5 ether, 0));
        vm.prank(founders[0]);
        dao.createCIDProposal{ value: 0.5 ether }(_cid(3), SIZE);

        // A member that is not of age is as good as none.
        vm.prank(founders[0]);
        dao.invite(alice);
        vm.startPrank(alice);
        dao.join();
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_DepositMismatch.selector, 0, 0.5 ether));
        dao.createCIDProposal(_cid(3), SIZE);
        vm.warp(block.timestamp + 1 days);
        dao.createCIDProposal(_cid(3), SIZE);
    }

    function test_Create_RevertWhen_Malformed() public {
        vm.startPrank(founders[0]);
        vm.expectRevert(Cids.Cids_Empty.selector);
        dao.createCIDProposal("", SIZE);
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_BadVersion.selector, 2));
        dao.createCIDProposal(hex"0200", SIZE);
        vm.expectRevert(IDataDAO.DataDAO_ZeroSize.selector);
        dao.createCIDProposal(_cid(1), 0);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_SizeOutOfRange.selector, 1 << 64));
        dao.createCIDProposal(_cid(1), 1 << 64);
    }

    function test_Create_PiecesSayTheirPaddedSize() public {
        vm.startPrank(founders[0]);
        bytes memory v1 = abi.encodePacked(hex"0181e203922020", bytes32(uint256(0xabc0) << 8));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_WrongSize.selector, 1000, 0));
        dao.createCIDProposal(v1, 1000);
        dao.createCIDProposal(v1, 1024);
        // FRC-0069: no padding, height 4: 127 · 2^2 bytes in 512.
        bytes memory v2 = abi.encodePacked(hex"015591202200", hex"04", bytes32(uint256(0xabc0) << 8));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_WrongSize.selector, 1024, 512));
        dao.createCIDProposal(v2, 1024);
        uint256 id = dao.createCIDProposal(v2, 512);
        (,, bytes memory cid,,,,,) = dao.proposals(id);
        assertEq(cid, v2);
    }

    function test_Create_OneLiveProposalOfEachContent() public {
        uint256 first = _propose(_cid(1));
        vm.startPrank(founders[0]);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_AlreadyProposed.selector, first));
        dao.createCIDProposal(_cid(1), SIZE);
        // CIDv0 of the same block is the same content.
        bytes memory v0 = abi.encodePacked(hex"1220", keccak256(abi.encode(uint256(1))));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_AlreadyProposed.selector, first));
        dao.createCIDProposal(v0, SIZE);
        dao.createCIDProposal(_cid(1), SIZE + 1); // another size is another proposal

        vm.warp(block.timestamp + 1 hours);
        _stateIs(first, ProposalState.Defeated);
        vm.expectEmit(address(dao));
        emit IDataDAO.DepositSettled(first, sp, dao.nextSeq(), false, 0.5 ether);
        dao.createCIDProposal(v0, SIZE);
        assertEq(dao.treasury(), 100.5 ether, "the first one's deposit is lost");
        _says(IDataDAO.DataDAO_NotClosable.selector);
        dao.closeProposal(first);
    }

    function test_Create_RevertWhen_Accepted() public {
        _accept(_cid(1));
        _says(IDataDAO.DataDAO_CidAlreadySet.selector);
        vm.prank(founders[0]);
        dao.createCIDProposal(_cid(1), SIZE + 1);
    }

    function test_Proposals_AreAsTheFirstDraftHadThem() public {
        bytes32 digest = keccak256("x");
        bytes[6] memory cids = [
            abi.encodePacked(hex"01551220", digest),
            abi.encodePacked(hex"01701220", keccak256("y")),
            abi.encodePacked(hex"1220", keccak256("z")),
            abi.encodePacked(hex"01711220", keccak256("w")),
            abi.encodePacked(hex"015512145678901234567890123456789012345678901234"),
            bytes(hex"01550003616263") // identity
        ];
        for (uint256 i = 0; i < cids.length; ++i) {
            _propose(cids[i]);
            (
                uint256 id,
                address who,
                bytes memory cid,
                uint256 size,
                uint256 up,
                uint256 down,
                uint256 at,
                uint256 until
            ) = dao.proposals(i + 1);
            assertEq(id, i + 1);
            assertEq(who, sp);
            assertEq(cid, cids[i]);
            assertEq(size, SIZE);
            assertEq(up + down, 0);
            assertEq(at, block.timestamp);
            assertEq(until, block.timestamp + 1 hours);
            assertFalse(dao.cidSet(cids[i]), "only accepted CIDs are set");
            assertEq(dao.cidSizes(cids[i]), 0);
        }
        _says(IDataDAO.DataDAO_UnknownProposal.selector);
        dao.proposals(7);
        _says(IDataDAO.DataDAO_UnknownProposal.selector);
        dao.proposals(0);
        _says(IDataDAO.DataDAO_UnknownProposal.selector);
        dao.rulesOf(7);
        _says(IDataDAO.DataDAO_UnknownProposal.selector);
        dao.powerOf(7, founders[0]);
        assertEq(dao.AUTHORIZE_MESSAGE_METHOD_NUM(), 2_643_134_072);
        assertEq(dao.owner(), owner);
    }

    // --------------------------------------------------------------- propose

    function test_Propose_WhatSpendsIsWeighty() public {
        uint256 id = _proposeBy(founders[0], _draft(CidAction.Add, _cid(1), 1 ether, ""));
        (CidAction action, uint256 quorum, uint256 snapshot, uint40 readyAt, uint40 until, uint96 budget) =
            dao.rulesOf(id);
        assertEq(uint8(action), uint8(CidAction.Add));
        assertEq(quorum, 3, "20 % of 5 are 1, and 3 at least");
        assertEq(snapshot, 0);
        assertEq(readyAt, block.timestamp + 2 days);
        assertEq(until, block.timestamp + 9 days);
        assertEq(budget, 1 ether);
        _says(IDataDAO.DataDAO_BudgetTooHigh.selector);
        _proposeBy(founders[0], _draft(CidAction.Add, _cid(1), 1 ether + 1, ""));

        // One attoFIL is a budget.
        id = _proposeBy(founders[0], _draft(CidAction.Add, _cid(1), 1, ""));
        (, quorum,,,, budget) = dao.rulesOf(id);
        assertEq(quorum, 3);
        assertEq(budget, 1);

        (, quorum,, readyAt,,) = dao.rulesOf(_propose(_cid(1)));
        assertEq(quorum, 1);
        assertEq(readyAt, block.timestamp + 1 hours);
    }

    function test_Propose_RevertWhen_TheTreasuryIsNotToPay() public {
        DaoParams memory p = _params();
        (p.maxPerProposal, p.maxPer30Days) = (0, 0);
        dao = _makeDao(p, founders, address(0));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_BudgetTooHigh.selector, 1, 0));
        _proposeBy(founders[0], _draft(CidAction.Add, _cid(1), 1, ""));
        _proposeBy(founders[0], _draft(CidAction.Add, _cid(1), 0, ""));
    }

    function test_Propose_RevertWhen_DraftCouldNeverBeExecuted() public {
        vm.startPrank(founders[0]);
        _says(IDataDAO.DataDAO_CidNotSet.selector);
        dao.propose(_draft(CidAction.Remove, _cid(1), 0, ""));
        vm.expectRevert();
        dao.propose(_draft(CidAction.Add, _cid(1), 0, hex"01"));
        vm.stopPrank();

        _accept(_cid(1));
        vm.startPrank(founders[0]);
        _says(IDataDAO.DataDAO_BadData.selector);
        dao.propose(_draft(CidAction.Remove, _cid(1), 0, hex"01"));
        _says(IDataDAO.DataDAO_BadData.selector);
        dao.propose(_draft(CidAction.Renew, _cid(1), 0, ""));
        vm.expectRevert();
        dao.propose(_draft(CidAction.Renew, _cid(1), 0, abi.encode(uint256(1) << 40)));
        Draft memory draft = _draft(CidAction.Remove, _cid(1), 0, "");
        draft.size = 7;
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_WrongSize.selector, 7, SIZE));
        dao.propose(draft);
    }

    // ---------------------------------------------------------------- voting

    function test_Vote_RevertWhen_Refused() public {
        uint256 id = _propose(_cid(1));
        uint256 own = _proposeBy(founders[0], _draft(CidAction.Add, _cid(2), 0, ""));
        vm.prank(founders[1]);
        dao.invite(alice);
        vm.prank(alice);
        dao.join();

        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_UnknownProposal.selector, 9));
        vm.prank(founders[0]);
        dao.voteCIDProposal(9, true);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_OwnProposal.selector, own));
        vm.prank(founders[0]);
        dao.voteCIDProposal(own, true);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_OwnProposal.selector, id));
        vm.prank(sp);
        dao.voteCIDProposal(id, true);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NotMember.selector, bob));
        vm.prank(bob);
        dao.voteCIDProposal(id, true);
        vm.expectRevert(
            abi.encodeWithSelector(IDataDAO.DataDAO_TooYoung.selector, alice, uint40(block.timestamp) + 1 days)
        );
        vm.prank(alice);
        dao.voteCIDProposal(id, true);
        _vote(id, 0, 1, true);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_AlreadyVoted.selector, id, founders[0]));
        vm.prank(founders[0]);
        dao.voteCIDProposal(id, false);

        vm.warp(block.timestamp + 1 hours - 1);
        assertFalse(dao.votingIsExpired(id));
        _vote(id, 1, 1, true);
        vm.warp(block.timestamp + 1);
        assertTrue(dao.votingIsExpired(id));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_VotingExpired.selector, id, uint40(block.timestamp)));
        vm.prank(founders[2]);
        dao.voteCIDProposal(id, true);
        _says(IDataDAO.DataDAO_UnknownProposal.selector);
        dao.votingIsExpired(9);
    }

    function test_Vote_IsCounted() public {
        uint256 id = _propose(_cid(1));
        assertEq(dao.powerOf(id, founders[0]), 1);
        assertEq(dao.powerOf(id, sp), 0);
        assertFalse(dao.hasVotedForProposal(founders[0], id));
        vm.expectEmit(address(dao));
        emit IDataDAO.VoteCast(id, founders[0], dao.nextSeq(), true, 1);
        _vote(id, 0, 1, true);
        _vote(id, 1, 2, false);
        assertTrue(dao.hasVotedForProposal(founders[0], id));
        (,,,, uint256 up, uint256 down,,) = dao.proposals(id);
        assertEq(up, 1);
        assertEq(down, 2);
    }

    function test_Vote_WhoLeavesVotesNoMoreAndWhatWasCastStays() public {
        uint256 id = _propose(_cid(1));
        _vote(id, 0, 1, true);
        vm.prank(founders[0]);
        dao.leave();
        vm.prank(founders[1]);
        dao.leave();
        _says(IDataDAO.DataDAO_NotMember.selector);
        vm.prank(founders[1]);
        dao.voteCIDProposal(id, true);
        (,,,, uint256 up,,,) = dao.proposals(id);
        assertEq(up, 1);
        // Coming back does not bring the old power back.
        vm.prank(founders[2]);
        dao.invite(founders[1]);
        vm.startPrank(founders[1]);
        dao.join();
        _says(IDataDAO.DataDAO_TooYoung.selector);
        dao.voteCIDProposal(id, true);
    }

    function test_VoteAt_CountsWithAnyPlace() public {
        uint256 id = _propose(_cid(1));
        uint256[5] memory places = [uint256(0), 4, 5, 1 << 251, type(uint256).max];
        for (uint256 i = 0; i < 5; ++i) {
            vm.expectEmit();
            emit IDataDAO.VoteCast(id, founders[i], dao.nextSeq(), true, 1);
            vm.prank(founders[i]);
            dao.voteCIDProposalAt(id, true, places[i]);
            assertTrue(dao.hasVotedForProposal(founders[i], id));
        }
        (,,,, uint256 up,,,) = dao.proposals(id);
        assertEq(up, 5);
    }

    function test_VoteAt_RevertWhen_Refused() public {
        uint256 id = _propose(_cid(1));
        // Another's place is no membership.
        for (uint256 i = 0; i < 7; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NotMember.selector, alice));
            vm.prank(alice);
            dao.voteCIDProposalAt(id, true, i);
        }
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NotMember.selector, alice));
        dao.placeOf(alice);
        // One vote, whichever way it is cast, and from whatever place.
        _vote(id, 1, 1, true);
        vm.prank(founders[2]);
        dao.voteCIDProposalAt(id, true, 2);
        for (uint256 i = 0; i < 7; ++i) {
            for (uint256 j = 1; j < 3; ++j) {
                vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_AlreadyVoted.selector, id, founders[j]));
                vm.prank(founders[j]);
                dao.voteCIDProposalAt(id, false, i);
            }
        }
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_AlreadyVoted.selector, id, founders[2]));
        vm.prank(founders[2]);
        dao.voteCIDProposal(id, false);
        // Its own proposal, and one that is older than its membership.
        id = _proposeBy(founders[0], _draft(CidAction.Add, _cid(2), 0, ""));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_OwnProposal.selector, id));
        vm.prank(founders[0]);
        dao.voteCIDProposalAt(id, true, 0);
        vm.prank(founders[0]);
        dao.invite(alice);
        vm.startPrank(alice);
        dao.join();
        assertEq(dao.placeOf(alice), 5);
        vm.expectRevert(
            abi.encodeWithSelector(IDataDAO.DataDAO_TooYoung.selector, alice, uint40(block.timestamp + 1 days))
        );
        dao.voteCIDProposalAt(id, true, 5);
        vm.stopPrank();
    }

    function test_VoteAt_WhoLeavesGivesItsPlaceToTheLast() public {
        uint256 id = _propose(_cid(1));
        vm.prank(founders[1]);
        dao.leave();
        assertEq(dao.placeOf(founders[4]), 1);
        for (uint256 i = 0; i < 6; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NotMember.selector, founders[1]));
            vm.prank(founders[1]);
            dao.voteCIDProposalAt(id, true, i);
        }
        vm.prank(founders[4]);
        dao.voteCIDProposalAt(id, true, 4); // its place before
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_AlreadyVoted.selector, id, founders[4]));
        vm.prank(founders[4]);
        dao.voteCIDProposalAt(id, true, 1);
    }

    function test_VoteMany_AllOrNone() public {
        uint256[] memory ids = new uint256[](2);
        bool[] memory support = new bool[](2);
        (ids[0], ids[1]) = (_propose(_cid(1)), _propose(_cid(2)));
        support[1] = true;
        vm.startPrank(founders[0]);
        dao.voteCIDProposals(ids, support);
        (,,,,, uint256 down,,) = dao.proposals(1);
        assertEq(down, 1);
        (,,,, uint256 up,,,) = dao.proposals(2);
        assertEq(up, 1);
        vm.expectRevert(IDataDAO.DataDAO_LengthMismatch.selector);
        dao.voteCIDProposals(ids, new bool[](1));
        vm.stopPrank();
        ids[1] = 9;
        _says(IDataDAO.DataDAO_UnknownProposal.selector);
        vm.prank(founders[1]);
        dao.voteCIDProposals(ids, support);
        assertFalse(dao.hasVotedForProposal(founders[1], 1));
    }

    // ------------------------------------------------------------- signatures

    function test_Signature_CountsWhoeverSendsIt() public {
        uint256 id = _propose(_cid(1));
        Ballot[] memory list = new Ballot[](2);
        (list[0], list[1]) = (_ballot(id, 0, true), _ballot(id, 1, false));
        vm.prank(keeper);
        dao.voteBySignature(list);
        (,,,, uint256 up, uint256 down,,) = dao.proposals(id);
        assertEq(up, 1);
        assertEq(down, 1);
        uint256 id2 = _propose(_cid(2));
        dao.voteBySignature(_ballots(_ballot(id2, 0, true)));
    }

    function test_Signature_CountsWithAnyPlace() public {
        uint256 id = _propose(_cid(1));
        uint256[5] memory places = [uint256(0), 4, 5, 1 << 251, type(uint256).max];
        Ballot[] memory list = new Ballot[](5);
        for (uint256 i = 0; i < 5; ++i) {
            list[i] = _ballot(id, i, true);
            list[i].place = places[i]; // after it was signed
        }
        dao.voteBySignature(list);
        (,,,, uint256 up,,,) = dao.proposals(id);
        assertEq(up, 5);
        // From no place a second time.
        for (uint256 i = 0; i < 5; ++i) {
            list[1].place = places[i];
            vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_AlreadyVoted.selector, id, founders[1]));
            dao.voteBySignature(_ballots(list[1]));
        }
    }

    function test_Signature_RevertWhen_ReplayedExpiredOrAnothers() public {
        uint256 id = _propose(_cid(1));
        Ballot memory b = _ballot(id, 0, true);
        dao.voteBySignature(_ballots(b));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_AlreadyVoted.selector, id, founders[0]));
        dao.voteBySignature(_ballots(b));
        // Nor when its voter left and came back, nor one that says the contrary.
        vm.prank(founders[0]);
        dao.leave();
        vm.prank(founders[1]);
        dao.invite(founders[0]);
        vm.prank(founders[0]);
        dao.join();
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_AlreadyVoted.selector, id, founders[0]));
        dao.voteBySignature(_ballots(b));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_AlreadyVoted.selector, id, founders[0]));
        dao.voteBySignature(_ballots(_ballot(id, 0, false)));
        // Who voted itself has spent the ballot that it signed.
        b = _ballot(id, 3, true);
        _vote(id, 3, 1, false);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_AlreadyVoted.selector, id, founders[3]));
        dao.voteBySignature(_ballots(b));
        // The same words for another proposal are another ballot.
        uint256 id2 = _propose(_cid(2));
        b = _ballot(id, 1, true);
        b.proposalId = id2;
        _says(IDataDAO.DataDAO_BadSignature.selector);
        dao.voteBySignature(_ballots(b));
        b = _ballot(id, 1, true);
        b.support = false;
        _says(IDataDAO.DataDAO_BadSignature.selector);
        dao.voteBySignature(_ballots(b));
        b = _ballot(id, 1, true);
        b.voter = founders[2];
        _says(IDataDAO.DataDAO_BadSignature.selector);
        dao.voteBySignature(_ballots(b));
        b = _ballot(id, 1, true);
        vm.warp(b.deadline + 1);
        _says(IDataDAO.DataDAO_BallotExpired.selector);
        dao.voteBySignature(_ballots(b));
    }

    function test_Signature_RevertWhen_ForAnotherDao() public {
        DataDAO first = dao;
        uint256 id = _propose(_cid(1));
        Ballot memory b = _ballot(id, 0, true);
        dao = _makeDao(_params(), founders, address(0));
        assertEq(_propose(_cid(1)), id);
        _says(IDataDAO.DataDAO_BadSignature.selector);
        dao.voteBySignature(_ballots(b));
        first.voteBySignature(_ballots(b));
    }

    function test_Signature_OneBadBallotRefusesAll() public {
        uint256 id = _propose(_cid(1));
        Ballot[] memory list = new Ballot[](2);
        (list[0], list[1]) = (_ballot(id, 0, true), _ballot(id, 1, true));
        ++list[1].deadline;
        _says(IDataDAO.DataDAO_BadSignature.selector);
        dao.voteBySignature(list);
        assertFalse(dao.hasVotedForProposal(founders[0], id));
    }

    function test_Signature_OfAContract() public {
        (address signer, uint256 key) = makeAddrAndKey("signer of a wallet");
        Wallet1271 wallet = new Wallet1271(signer);
        address[] memory who = new address[](1);
        who[0] = address(wallet);
        dao = _makeDao(_params(), who, address(0));
        uint256 id = _propose(_cid(1));
        dao.voteBySignature(_ballots(_ballotOf(id, address(wallet), key, true)));
        (,,,, uint256 up,,,) = dao.proposals(id);
        assertEq(up, 1);
    }

    function test_Signature_RevertWhen_MaskedId() public {
        // On Filecoin a contract answers under its masked ID too: as if the wallet lay there.
        (address signer, uint256 key) = makeAddrAndKey("signer of a wallet");
        address masked = address(uint160(0xff00000000000000000000000000000000000064));
        vm.etch(masked, address(new Wallet1271(signer)).code);
        address[] memory who = new address[](1);
        who[0] = masked;
        dao = _makeDao(_params(), who, address(0));
        uint256 id = _propose(_cid(1));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_BadSignature.selector, masked));
        dao.voteBySignature(_ballots(_ballotOf(id, masked, key, true)));
        vm.prank(masked); // an actor that calls so is a member like any other
        dao.voteCIDProposal(id, true);
    }
}
