// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DataDAO } from "../../../contracts/dao/DataDAO.sol";
import {
    AddData,
    Attested,
    CidAction,
    DaoParams,
    Draft,
    IDataDAO,
    ProposalState
} from "../../../contracts/interfaces/IDataDAO.sol";
import { CidHash, IEstuaryPinning } from "../../../contracts/interfaces/IEstuaryPinning.sol";
import { Actions, PinPayload, Reasons, UnpinPayload } from "../../../contracts/interfaces/IExecutionProvider.sol";
import { Oracle } from "../../../contracts/oracle/Oracle.sol";
import { DaoBase } from "../DaoBase.t.sol";
import { DaoGreedy } from "../mocks/DaoMocks.sol";
import { Vm } from "forge-std/Vm.sol";

contract DaoExecuteTest is DaoBase {
    function _notReady(uint256 id, ProposalState state) private {
        _stateIs(id, state);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NotReady.selector, id, state));
        _execute(id, "");
    }

    // ----------------------------------------------------------------- states

    function test_Execute_RevertWhen_NotReady() public {
        _notReady(9, ProposalState.None);
        uint256 id = _proposeBy(founders[0], _draft(CidAction.Add, _cid(1), 1 ether, ""));
        _vote(id, 1, 3, true);
        _notReady(id, ProposalState.Active);
        vm.warp(block.timestamp + 1 days);
        _notReady(id, ProposalState.Queued);
        vm.warp(block.timestamp + 1 days - 1);
        _notReady(id, ProposalState.Queued);
        vm.warp(block.timestamp + 1);
        uint256 ready = vm.snapshotState();
        _execute(id, "");
        _notReady(id, ProposalState.Executed);
        vm.revertToState(ready);
        vm.warp(block.timestamp + 7 days - 1);
        _stateIs(id, ProposalState.Ready);
        vm.warp(block.timestamp + 1);
        _notReady(id, ProposalState.Expired);
    }

    function test_Execute_RevertWhen_LostOrBelowQuorum() public {
        uint256 lost = _propose(_cid(1));
        uint256 tied = _propose(_cid(2));
        uint256 silent = _propose(_cid(3));
        uint256 few = _proposeBy(founders[4], _draft(CidAction.Add, _cid(4), 1, ""));
        _vote(lost, 0, 1, true);
        _vote(lost, 1, 2, false);
        _vote(tied, 0, 1, true);
        _vote(tied, 1, 1, false);
        _vote(few, 0, 2, true);
        vm.warp(block.timestamp + 1 hours);
        _notReady(lost, ProposalState.Defeated);
        _notReady(tied, ProposalState.Defeated);
        _notReady(silent, ProposalState.Defeated);
        vm.warp(block.timestamp + 1 days);
        _notReady(few, ProposalState.Defeated);
    }

    // -------------------------------------------------------------------- Add

    function test_Add_AcceptsAndAsksForThePin() public {
        uint256 id = _propose(_cid(1));
        _vote(id, 0, 3, true);
        assertFalse(dao.cidSet(_cid(1)));
        _untilReady(id);
        (uint96 fee,) = pinning.quotePin(SIZE, uint40(block.timestamp) + 180 days);
        vm.recordLogs();
        _execute(id, "");
        Ask memory ask = _lastAsk();
        PinPayload memory pin = abi.decode(ask.payload, (PinPayload));
        assertEq(pin.cid, _cid(1));
        assertEq(pin.requester, address(dao));
        assertEq(pin.maxBytes, SIZE, "what was proposed is the cap: a lie fails");
        assertEq(pin.expiry, block.timestamp + 180 days);
        assertEq(ask.terms.fee, fee);
        assertEq(ask.terms.refundTo, address(dao));
        assertTrue(dao.cidSet(_cid(1)));
        assertTrue(dao.cidSet(abi.encodePacked(hex"1220", keccak256(abi.encode(uint256(1))))), "as CIDv0 too");
        assertEq(dao.cidSizes(_cid(1)), SIZE);
        assertEq(dao.acceptedBy(_cid(1)), id);
        assertEq(dao.creditOf(keeper), 5 ether - fee, "the rest of the value");
        assertEq(dao.creditOf(sp), 0.5 ether, "the deposit");
        assertEq(dao.treasury(), 100 ether);
        _fulfill(_pinned(ask));
        (IEstuaryPinning.PinStatus status,,) = pinning.statusOf(_cid(1), address(dao));
        assertEq(uint8(status), uint8(IEstuaryPinning.PinStatus.Pinned));

        vm.prank(keeper);
        dao.withdraw(payable(keeper));
        assertEq(keeper.balance, 100 ether - fee);
        vm.prank(sp);
        dao.withdraw(payable(sp));
        assertEq(sp.balance, 100 ether);
        assertEq(address(dao).balance, 100 ether);
    }

    function test_Add_TakesOriginsAndExpiryFromTheData() public {
        AddData memory add;
        add.origins = new string[](1);
        add.origins[0] = "/ip4/203.0.113.7/tcp/4001/p2p/12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf";
        add.expiry = uint40(block.timestamp) + 30 days;
        bytes memory data = abi.encode(add);
        uint256 id = _proposeBy(founders[0], _draft(CidAction.Add, _cid(1), 0, data));
        _vote(id, 1, 2, true);
        _untilReady(id);
        vm.expectRevert(IDataDAO.DataDAO_BadData.selector);
        _execute(id, "");
        add.expiry++;
        vm.expectRevert(IDataDAO.DataDAO_BadData.selector);
        _execute(id, abi.encode(add));
        vm.recordLogs();
        _execute(id, data);
        PinPayload memory pin = abi.decode(_lastAsk().payload, (PinPayload));
        assertEq(pin.origins[0], add.origins[0]);
        assertEq(pin.expiry, add.expiry - 1);
    }

    function test_Add_RevertWhen_Underpaid() public {
        uint256 id = _propose(_cid(1));
        _vote(id, 0, 3, true);
        _untilReady(id);
        (uint96 fee,) = pinning.quotePin(SIZE, uint40(block.timestamp) + 180 days);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_Underpaid.selector, fee - 1, fee));
        dao.executeCIDProposal{ value: fee - 1 }(id);
        dao.executeCIDProposal{ value: fee }(id);
        assertEq(dao.creditOf(address(this)), 0);
    }

    function test_Add_NotOneAttoFilTooMuchIsKept() public {
        uint256 id = _propose(_cid(1));
        _vote(id, 0, 3, true);
        _untilReady(id);
        (uint96 fee,) = pinning.quotePin(SIZE, uint40(block.timestamp) + 180 days);
        dao.executeCIDProposal{ value: fee + 1 }(id);
        assertEq(dao.creditOf(address(this)), 1);
    }

    function test_Add_TheTreasuryPaysWithinTheBudget() public {
        (uint96 fee,) = pinning.quotePin(SIZE, uint40(block.timestamp) + 180 days);
        uint256 id = _proposeBy(founders[0], _draft(CidAction.Add, _cid(1), fee, ""));
        uint256 tight = _proposeBy(founders[0], _draft(CidAction.Add, _cid(2), fee - 1, ""));
        _vote(id, 1, 3, true);
        _vote(tight, 1, 3, true);
        _untilReady(id);
        _execute(id, "");
        assertEq(dao.treasury(), 100 ether - fee);
        assertEq(dao.creditOf(keeper), 5 ether, "the value was not needed");
        assertEq(dao.spendable(), 3 ether - fee);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_BudgetExceeded.selector, fee, fee - 1));
        _execute(tight, "");
    }

    function test_Add_RevertWhen_TheTreasuryIsEmpty() public {
        vm.prank(owner);
        dao = DataDAO(payable(daos.createDAO(_params(), founders, address(0))));
        uint256 id = _proposeBy(founders[0], _draft(CidAction.Add, _cid(1), 1 ether, ""));
        _propose(_cid(2)); // a deposit is held, and is not the treasury's
        _vote(id, 1, 3, true);
        _untilReady(id);
        _says(IDataDAO.DataDAO_TreasuryTooSmall.selector);
        _execute(id, "");
    }

    function test_Add_TheTreasuryPaysToTheLast() public {
        (uint96 fee,) = pinning.quotePin(SIZE, uint40(block.timestamp) + 180 days);
        vm.deal(owner, fee);
        vm.prank(owner);
        dao = DataDAO(payable(daos.createDAO{ value: fee }(_params(), founders, address(0))));
        uint256 id = _proposeBy(founders[0], _draft(CidAction.Add, _cid(1), 1 ether, ""));
        _propose(_cid(2));
        _vote(id, 1, 3, true);
        _untilReady(id);
        _execute(id, "");
        assertTrue(dao.cidSet(_cid(1)));
        assertEq(dao.treasury(), 0);
        assertEq(address(dao).balance, 5.5 ether, "the executor's value and a deposit");
    }

    function test_Add_OfAPieceAsksNothing() public {
        bytes memory piece = abi.encodePacked(hex"0181e203922020", bytes32(uint256(0xabc0) << 8));
        vm.prank(founders[0]);
        uint256 id = dao.createCIDProposal(piece, 1024);
        _vote(id, 1, 2, true);
        _untilReady(id);
        dao.executeCIDProposal(id);
        assertTrue(dao.cidSet(piece));
        assertEq(dao.cidSizes(piece), 1024);
    }

    function test_Add_RevertWhen_AddedMeanwhile() public {
        uint256 id = _propose(_cid(1));
        vm.prank(founders[4]);
        uint256 other = dao.createCIDProposal(_cid(1), SIZE + 1);
        _vote(id, 0, 3, true);
        _vote(other, 0, 3, true);
        _untilReady(id);
        _execute(other, "");
        _says(IDataDAO.DataDAO_CidAlreadySet.selector);
        _execute(id, "");
        assertEq(dao.cidSizes(_cid(1)), SIZE + 1);
    }

    // --------------------------------------------------------- Remove, Renew

    function _weighty(CidAction action, bytes memory cid, bytes memory data) private returns (uint256 id) {
        id = _proposeBy(founders[0], _draft(action, cid, 1 ether, data));
        _vote(id, 1, 3, true);
        _untilReady(id);
    }

    function test_Remove_UnpinsAndForgets() public {
        vm.recordLogs();
        _accept(_cid(1));
        _fulfill(_pinned(_lastAsk()));
        // Named as CIDv0; what was accepted is unpinned.
        bytes memory v0 = abi.encodePacked(hex"1220", keccak256(abi.encode(uint256(1))));
        uint256 id = _weighty(CidAction.Remove, v0, "");
        vm.recordLogs();
        _execute(id, "");
        Ask memory ask = _lastAsk();
        assertEq(ask.terms.action, Actions.UNPIN);
        assertEq(abi.decode(ask.payload, (UnpinPayload)).cid, _cid(1));
        assertEq(dao.treasury(), 100 ether - ask.terms.fee);
        assertFalse(dao.cidSet(_cid(1)));
        assertEq(dao.cidSizes(_cid(1)), 0);
        assertEq(dao.acceptedBy(_cid(1)), 0);
        _accept(_cid(1)); // and may come back
    }

    function test_Remove_OfWhatIsNotPinnedAsksNothing() public {
        vm.recordLogs();
        _accept(_cid(1));
        Ask memory ask = _lastAsk();
        vm.warp(block.timestamp + 1 hours);
        _fulfill(_failure(ask, Reasons.NOT_FOUND));
        uint256 id = _weighty(CidAction.Remove, _cid(1), "");
        vm.recordLogs();
        dao.executeCIDProposal(id);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs[logs.length - 1].topics[0], IDataDAO.ProposalExecuted.selector);
        (,, bytes32 requestId, uint256 paid) =
            abi.decode(logs[logs.length - 1].data, (uint64, CidAction, bytes32, uint256));
        assertEq(requestId, 0);
        assertEq(paid, 0);
        assertFalse(dao.cidSet(_cid(1)));
        assertEq(dao.treasury(), 100 ether);
    }

    function test_Renew_ExtendsOrPinsAnew() public {
        vm.recordLogs();
        _accept(_cid(1));
        _fulfill(_pinned(_lastAsk()));
        uint40 expiry = uint40(block.timestamp) + 300 days;
        uint256 id = _weighty(CidAction.Renew, _cid(1), abi.encode(expiry));
        vm.recordLogs();
        _execute(id, abi.encode(expiry));
        Ask memory ask = _lastAsk();
        assertEq(abi.decode(ask.payload, (PinPayload)).expiry, expiry);
        _fulfill(_pinned(ask));
        (, uint40 until,) = pinning.statusOf(_cid(1), address(dao));
        assertEq(until, expiry);

        vm.warp(expiry);
        expiry += 300 days;
        id = _weighty(CidAction.Renew, _cid(1), abi.encode(expiry));
        vm.recordLogs();
        _execute(id, abi.encode(expiry));
        ask = _lastAsk();
        assertEq(abi.decode(ask.payload, (PinPayload)).maxBytes, SIZE);
        (IEstuaryPinning.PinStatus status,,) = pinning.statusOf(_cid(1), address(dao));
        assertEq(uint8(status), uint8(IEstuaryPinning.PinStatus.Requested));
    }

    function test_Renew_RevertWhen_RemovedMeanwhile() public {
        _accept(_cid(1));
        bytes memory data = abi.encode(uint40(block.timestamp) + 300 days);
        uint256 renew = _proposeBy(founders[0], _draft(CidAction.Renew, _cid(1), 1 ether, data));
        uint256 remove = _proposeBy(founders[0], _draft(CidAction.Remove, _cid(1), 1 ether, ""));
        _vote(renew, 1, 3, true);
        _vote(remove, 1, 3, true);
        _untilReady(renew);
        _execute(remove, "");
        _says(IDataDAO.DataDAO_CidNotSet.selector);
        _execute(renew, data);
    }

    // ------------------------------------------------------ cancel and close

    function test_Cancel_ByProposerWhileMembersVote() public {
        uint256 id = _propose(_cid(1));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NotCanceller.selector, founders[0]));
        vm.prank(founders[0]);
        dao.cancelProposal(id);
        vm.prank(sp);
        dao.cancelProposal(id);
        _stateIs(id, ProposalState.Cancelled);
        assertEq(dao.creditOf(sp), 0, "below quorum the deposit is lost");
        assertEq(dao.treasury(), 100.5 ether);
        _says(IDataDAO.DataDAO_VotingExpired.selector);
        vm.prank(founders[0]);
        dao.voteCIDProposal(id, true);

        id = _propose(_cid(1)); // may be proposed again
        _vote(id, 0, 3, true);
        _untilReady(id);
        _says(IDataDAO.DataDAO_NotCanceller.selector);
        vm.prank(sp);
        dao.cancelProposal(id);
    }

    function test_Cancel_ByGuardianUntilItsEndDate() public {
        uint256 id = _propose(_cid(1));
        vm.prank(guard);
        dao.cancelProposal(id);
        assertEq(dao.creditOf(sp), 0.5 ether, "no fault of the proposer's");
        id = _proposeBy(founders[0], _draft(CidAction.Add, _cid(2), 1 ether, ""));
        _vote(id, 1, 3, true);
        vm.warp(block.timestamp + 1 days);
        _stateIs(id, ProposalState.Queued);
        uint256 queued = vm.snapshotState();
        vm.prank(guard);
        dao.cancelProposal(id);
        vm.warp(block.timestamp + 1 days);
        _notReady(id, ProposalState.Cancelled);

        vm.revertToState(queued);
        _untilReady(id);
        _execute(id, "");
        _says(IDataDAO.DataDAO_NotClosable.selector);
        vm.prank(guard);
        dao.cancelProposal(id);

        (, uint40 until) = dao.guardian();
        vm.warp(until);
        id = _propose(_cid(3));
        _says(IDataDAO.DataDAO_NotCanceller.selector);
        vm.prank(guard);
        dao.cancelProposal(id);
    }

    function test_Guardian_MayResign() public {
        _says(IDataDAO.DataDAO_NotCanceller.selector);
        dao.resignGuardian();
        vm.prank(guard);
        dao.resignGuardian();
        uint256 id = _propose(_cid(1));
        _says(IDataDAO.DataDAO_NotCanceller.selector);
        vm.prank(guard);
        dao.cancelProposal(id);
        (address account, uint40 until) = dao.guardian();
        assertEq(account, address(0));
        assertEq(until, 0);
    }

    function test_Close_RecordsTheEndOnce() public {
        uint256 defeated = _propose(_cid(1));
        uint256 expired = _propose(_cid(2));
        _vote(expired, 0, 2, true);
        _says(IDataDAO.DataDAO_NotClosable.selector);
        dao.closeProposal(defeated);
        _untilReady(expired);
        _says(IDataDAO.DataDAO_NotClosable.selector);
        dao.closeProposal(expired);
        dao.closeProposal(defeated);
        vm.warp(block.timestamp + 7 days);
        dao.closeProposal(expired);
        _stateIs(defeated, ProposalState.Defeated);
        _stateIs(expired, ProposalState.Expired);
        assertEq(dao.creditOf(sp), 0.5 ether, "the quorum voted on one of them");
        assertEq(dao.treasury(), 100.5 ether);
        _says(IDataDAO.DataDAO_NotClosable.selector);
        dao.closeProposal(expired);
        _says(IDataDAO.DataDAO_NotClosable.selector);
        dao.closeProposal(9);
    }

    // ------------------------------------------------------------------- size

    function test_Size_ThatIsTrueStays() public {
        uint256 id = _propose(_cid(1));
        _says(IDataDAO.DataDAO_NotAttested.selector);
        dao.reportSize(id);
        _attest(id, SIZE);
        Attested memory a = dao.attestedOf(id);
        assertEq(a.size, SIZE);
        assertEq(a.carSize, SIZE + 100);
        assertEq(a.paddedSize, 2 << 20);
        assertEq(a.commitment, bytes32(uint256(0xabc0) << 8));
        dao.reportSize(id);
        _stateIs(id, ProposalState.Active);
        _says(IDataDAO.DataDAO_AlreadyAttested.selector);
        dao.requestSize{ value: 1 ether }(id, SIZE);
        _vote(id, 0, 3, true);
        _untilReady(id);
        _execute(id, "");
        _says(IDataDAO.DataDAO_NotClosable.selector);
        dao.reportSize(id);
    }

    function test_Size_ThatIsALieShows() public {
        uint256 id = _propose(_cid(1));
        _vote(id, 0, 3, true);
        _attest(id, SIZE + 1);
        _untilReady(id);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_WrongSize.selector, SIZE, SIZE + 1));
        _execute(id, "");
        vm.expectEmit(address(dao));
        emit IDataDAO.SizeReported(
            id,
            CidHash.wrap(keccak256(abi.encodePacked(hex"1220", keccak256(abi.encode(uint256(1)))))),
            dao.nextSeq(),
            SIZE,
            SIZE + 1
        );
        dao.reportSize(id);
        _notReady(id, ProposalState.Refuted);
        assertEq(dao.treasury(), 100.5 ether, "the deposit is lost, whatever voted");
        assertFalse(dao.cidSet(_cid(1)));
        vm.prank(founders[0]);
        dao.createCIDProposal(_cid(1), SIZE); // its content may be proposed again
    }

    function test_Size_AFailureAttestsNothing() public {
        uint256 id = _propose(_cid(1));
        _says(IDataDAO.DataDAO_UnknownProposal.selector);
        dao.requestSize{ value: 1 ether }(9, SIZE);
        vm.recordLogs();
        dao.requestSize{ value: 1 ether }(id, SIZE);
        Ask memory first = _lastAsk();
        assertEq(first.terms.refundTo, address(this));
        vm.recordLogs();
        dao.requestSize{ value: 1 ether }(id, SIZE);
        Ask memory second = _lastAsk();
        vm.warp(block.timestamp + 1 hours);
        _fulfill(_failure(first, Reasons.TOO_LARGE));
        assertEq(dao.attestedOf(id).size, 0);
        bytes memory piece = abi.encodePacked(hex"0181e203922020", bytes32(uint256(0xabc0) << 8));
        _fulfill(_success(second, abi.encode(piece, uint64(128), uint64(9), uint64(8))));
        assertEq(dao.attestedOf(id).size, 8);
        _fulfill(_success(second, abi.encode(piece, uint64(128), uint64(9), uint64(7))));
        assertEq(dao.attestedOf(id).size, 8, "an answered request is closed");
    }

    function test_Size_IsTheProvidersAloneToSay() public {
        uint256 id = _propose(_cid(1));
        vm.expectRevert(abi.encodeWithSelector(Oracle.Oracle_NotProvider.selector, address(this)));
        dao.onOracleResult(0, abi.encode(id), 1, 0, "");
    }

    // ------------------------------------------------------------------ money

    function test_Withdraw_PaysOnceAlsoAReentrantCaller() public {
        DaoGreedy greedy = new DaoGreedy(dao);
        uint256 id = _propose(_cid(1));
        _vote(id, 0, 3, true);
        _untilReady(id);
        greedy.execute{ value: 5 ether }(id);
        uint256 credit = dao.creditOf(address(greedy));
        assertGt(credit, 4 ether);
        greedy.take();
        assertEq(address(greedy).balance, credit);
        assertNotEq(greedy.err().length, 0, "the second withdrawal was refused");
        assertEq(dao.creditOf(address(greedy)), 0);
        assertEq(dao.treasury(), 100 ether);
        _says(IDataDAO.DataDAO_NothingToWithdraw.selector);
        dao.withdraw(payable(address(this)));
        vm.prank(sp);
        _says(IDataDAO.DataDAO_TransferFailed.selector);
        dao.withdraw(payable(address(0)));
        vm.prank(sp);
        _says(IDataDAO.DataDAO_TransferFailed.selector);
        dao.withdraw(payable(address(provider))); // takes no money
    }

    function test_CollectRefunds_BringsBackWhatWasNotAnswered() public {
        (uint96 fee,) = pinning.quotePin(SIZE, uint40(block.timestamp) + 180 days);
        uint256 id = _proposeBy(founders[0], _draft(CidAction.Add, _cid(1), 1 ether, ""));
        _vote(id, 1, 3, true);
        _untilReady(id);
        vm.recordLogs();
        _execute(id, "");
        Ask memory ask = _lastAsk();
        vm.warp(block.timestamp + 2 days);
        pinning.settleRequest(ask.terms, ask.context);
        assertEq(dao.collectRefunds(), fee);
        assertEq(dao.treasury(), 100 ether);
    }

    function test_Treasury_TakesMoneyFromAnyone() public {
        vm.expectEmit(address(dao));
        emit IDataDAO.TreasuryFunded(alice, dao.nextSeq(), 1 ether);
        vm.prank(alice);
        (bool ok,) = address(dao).call{ value: 1 ether }("");
        assertTrue(ok);
        assertEq(dao.treasury(), 101 ether);
    }
}
