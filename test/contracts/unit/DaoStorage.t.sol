// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DataDAO } from "../../../contracts/dao/DataDAO.sol";
import {
    AddData,
    CidAction,
    Draft,
    IDataDAO,
    ProposalState,
    StoreData
} from "../../../contracts/interfaces/IDataDAO.sol";
import { Price } from "../../../contracts/interfaces/IEstuaryProvider.sol";
import { Actions } from "../../../contracts/interfaces/IExecutionProvider.sol";
import {
    DealTerms,
    DealView,
    IPerpetualStorage,
    SectorPiece,
    SlotView
} from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { Cids } from "../../../contracts/pinning/Cids.sol";
import { DaoBase } from "../DaoBase.t.sol";
import { DaoMaker } from "../mocks/DaoMaker.sol";

contract DaoStorageTest is DaoBase {
    uint96 private constant AMOUNT = 0.5 ether;

    /// @dev Proposed by a founder, voted for by three others, and waited for.
    function _pass(Draft memory draft) private returns (uint256 id) {
        id = _proposeBy(founders[4], draft);
        _vote(id, 0, 3, true);
        _untilReady(id);
    }

    function _do(CidAction action, bytes memory cid, uint96 budget, bytes memory data) private returns (uint256 id) {
        id = _pass(_draft(action, cid, budget, data));
        _execute(id, data);
    }

    /// @dev Accepted, attested, and stored with a second proposal.
    function _stored(bytes memory cid) private returns (uint64) {
        _attest(_accept(cid), SIZE);
        _do(CidAction.Store, cid, 1 ether, _storeData(AMOUNT));
        return dao.storageOf(cid);
    }

    // ------------------------------------------------------------- proposing

    function test_Propose_RevertWhen_DataDoesNotFit() public {
        bytes memory piece = abi.encodePacked(hex"0181e203922020", PIECE_ROOT);
        vm.startPrank(founders[0]);
        _says(IDataDAO.DataDAO_BadData.selector);
        dao.propose(Draft(CidAction.Add, piece, 1 << 20, 1 ether, _addData(_storeData(AMOUNT))));
        vm.expectRevert(); // no StoreData
        dao.propose(Draft(CidAction.Add, _cid(1), SIZE, 1 ether, _addData(hex"01")));
        _says(IDataDAO.DataDAO_CidNotSet.selector);
        dao.propose(Draft(CidAction.Store, _cid(1), SIZE, 1 ether, _storeData(AMOUNT)));
        vm.stopPrank();
        _accept(_cid(1));
        vm.startPrank(founders[0]);
        CidAction[4] memory actions =
            [CidAction.Store, CidAction.RenewStorage, CidAction.ChangeBounty, CidAction.ChangeReplicas];
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert();
            dao.propose(Draft(actions[i], _cid(1), SIZE, 0, ""));
            vm.expectRevert();
            dao.propose(Draft(actions[i], _cid(1), SIZE, 0, abi.encode(type(uint256).max, type(uint256).max)));
        }
        vm.stopPrank();
    }

    function _refusedTerms(bytes32 field, CidAction action, bytes memory data) private {
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_TermsOutOfRange.selector, field));
        dao.propose(_draft(action, _cid(1), 1 ether, data));
    }

    /// @dev Terms that no execution could make a deal of never come to a vote.
    function test_Propose_RevertWhen_AnAcceptedPieceIsToBePinnedOrStored() public {
        bytes memory piece = abi.encodePacked(hex"0181e203922020", PIECE_ROOT);
        vm.startPrank(founders[0]);
        uint256 id = dao.createCIDProposal(piece, 1 << 20);
        vm.stopPrank();
        _vote(id, 1, 2, true);
        _untilReady(id);
        _execute(id, "");
        vm.startPrank(founders[0]);
        _says(IDataDAO.DataDAO_BadData.selector);
        dao.propose(Draft(CidAction.Store, piece, 1 << 20, 1 ether, _storeData(AMOUNT)));
        _says(IDataDAO.DataDAO_BadData.selector);
        dao.propose(Draft(CidAction.Renew, piece, 1 << 20, 0, abi.encode(uint40(block.timestamp + 9 days))));
        assertEq(dao.propose(Draft(CidAction.Remove, piece, 1 << 20, 0, "")), id + 1);
        vm.stopPrank();
    }

    function test_Propose_RevertWhen_TermsOutOfRange() public {
        _accept(_cid(1));
        vm.startPrank(founders[0]);
        bytes32[11] memory fields = [
            bytes32("replicas"),
            "replicas",
            "term",
            "term",
            "sealWindow",
            "renewWindow",
            "ramp",
            "baseBounty",
            "bondFloor",
            "endpoint",
            "maxBounty"
        ];
        for (uint256 i = 0; i < 11; ++i) {
            DealTerms memory t = _dealTerms();
            if (i == 0) t.replicas = 0;
            else if (i == 1) t.replicas = 17;
            else if (i == 2) t.term = 518_399;
            else if (i == 3) t.term = 1278 * 2880 + 1;
            else if (i == 4) t.sealWindow = 2879;
            else if (i == 5) t.renewWindow = t.term;
            else if (i == 6) t.ramp = 1278 * 2880 + 1;
            else if (i == 7) t.baseBounty = t.maxBounty + 1;
            else if (i == 8) t.bondFloor = 0.1 ether - 1;
            else if (i == 9) t.endpoint = string(new bytes(257));
            else t.maxBounty = type(uint80).max - t.bondFloor + 1;
            _refusedTerms(fields[i], CidAction.Store, abi.encode(StoreData(AMOUNT, t)));
        }
        _refusedTerms("replicas", CidAction.ChangeReplicas, abi.encode(uint8(0)));
        _refusedTerms("replicas", CidAction.ChangeReplicas, abi.encode(uint8(17)));
        _refusedTerms("ramp", CidAction.ChangeBounty, abi.encode(uint80(0), uint32(1278 * 2880 + 1)));
        _refusedTerms("expiry", CidAction.Renew, abi.encode(uint40(block.timestamp + 2 days)));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_BudgetExceeded.selector, AMOUNT, AMOUNT - 1));
        dao.propose(_draft(CidAction.Store, _cid(1), AMOUNT - 1, _storeData(AMOUNT)));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_BudgetExceeded.selector, AMOUNT, AMOUNT - 1));
        dao.propose(_draft(CidAction.RenewStorage, _cid(1), AMOUNT - 1, abi.encode(AMOUNT, uint32(0))));
        AddData memory add;
        add.origins = new string[](6);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_TermsOutOfRange.selector, bytes32("origins")));
        dao.propose(_draft(CidAction.Add, _cid(2), 1 ether, abi.encode(add)));
        add.origins = new string[](1);
        add.origins[0] = string(new bytes(257));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_TermsOutOfRange.selector, bytes32("origins")));
        dao.propose(_draft(CidAction.Add, _cid(2), 1 ether, abi.encode(add)));
        vm.stopPrank();
    }

    /// @dev What could be executed when it was proposed and cannot be now has one end, and its deposit too.
    function test_Execute_WhatCannotBeDoneAnyMoreExpires() public {
        bytes memory data = abi.encode(uint8(5));
        _accept(_cid(1));
        vm.prank(sp); // never stored
        uint256 id = dao.propose{ value: 0.5 ether }(_draft(CidAction.ChangeReplicas, _cid(1), 0, data));
        _vote(id, 0, 3, true);
        _untilReady(id);
        uint256 credit = dao.creditOf(sp);
        _says(IDataDAO.DataDAO_NotStored.selector);
        dao.executeCIDProposal(id, data);
        _stateIs(id, ProposalState.Ready);
        vm.warp(block.timestamp + 7 days);
        _stateIs(id, ProposalState.Expired);
        dao.closeProposal(id);
        assertEq(dao.creditOf(sp) - credit, 0.5 ether, "the quorum had voted");
        _stateIs(id, ProposalState.Expired);
        _says(IDataDAO.DataDAO_NotClosable.selector);
        dao.closeProposal(id);
        _says(IDataDAO.DataDAO_NotReady.selector);
        dao.executeCIDProposal(id, data);
    }

    // ----------------------------------------------------------------- storing

    function test_Add_StoresWhatOperatorsAttested() public {
        bytes memory data = _addData(_storeData(AMOUNT));
        uint256 id = _pass(_draft(CidAction.Add, _cid(1), 1 ether, data));
        _says(IDataDAO.DataDAO_NotAttested.selector);
        dao.executeCIDProposal(id, data);
        _attest(id, SIZE);
        uint256 before = dao.treasury();
        uint256 left = dao.spendable();
        _execute(id, data);

        uint64 dealId = dao.storageOf(_cid(1));
        DealView memory deal = store.dealOf(dealId);
        assertEq(deal.client, address(dao));
        assertEq(deal.cid, _cid(1));
        assertEq(deal.commP, PIECE_ROOT);
        assertEq(deal.paddedSize, 2 << 20);
        assertEq(deal.carSize, SIZE + 100);
        assertEq(deal.free, AMOUNT);
        assertEq(deal.terms.replicas, 2);
        assertEq(uint8(deal.status), uint8(IPerpetualStorage.DealStatus.Open));
        (uint96 fee,) = pinning.quotePin(SIZE, uint40(block.timestamp) + 180 days);
        assertEq(before - dao.treasury(), AMOUNT + fee, "pin and deal");
        assertEq(left - dao.spendable(), AMOUNT + fee, "both under the cap");
        assertEq(dao.creditOf(keeper), 5 ether, "the executor pays nothing");
    }

    function test_Add_WithoutABudgetIsPaidByTheExecutor() public {
        bytes memory data = _addData(_storeData(AMOUNT));
        uint256 id = _proposeBy(founders[4], _draft(CidAction.Add, _cid(1), 0, data));
        _vote(id, 0, 1, true);
        vm.warp(block.timestamp + 1 hours);
        _attest(id, SIZE);
        (uint96 fee,) = pinning.quotePin(SIZE, uint40(block.timestamp) + 180 days);
        uint256 all = AMOUNT + fee;
        uint256 before = dao.treasury();
        vm.startPrank(keeper);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_Underpaid.selector, all - 1, all));
        dao.executeCIDProposal{ value: all - 1 }(id, data);
        dao.executeCIDProposal{ value: all + 7 }(id, data);
        vm.stopPrank();
        assertEq(dao.creditOf(keeper), 7);
        assertEq(dao.treasury(), before);
        assertEq(store.dealOf(dao.storageOf(_cid(1))).free, AMOUNT);
    }

    function test_Store_RevertWhen_AnotherSizeWasAttested() public {
        uint256 by = _accept(_cid(1));
        _attest(by, SIZE + 1); // after it was accepted
        uint256 id = _pass(_draft(CidAction.Store, _cid(1), 1 ether, _storeData(AMOUNT)));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_WrongSize.selector, SIZE, SIZE + 1));
        dao.executeCIDProposal(id, _storeData(AMOUNT));
        assertEq(dao.storageOf(_cid(1)), 0);
    }

    function test_Store_RevertWhen_AboveTheBudget() public {
        bytes memory data = _addData(_storeData(AMOUNT));
        // The budget is for the pin too.
        uint256 id = _pass(_draft(CidAction.Add, _cid(1), AMOUNT, data));
        _attest(id, SIZE);
        _says(IDataDAO.DataDAO_BudgetExceeded.selector);
        dao.executeCIDProposal(id, data);
        _attest(_accept(_cid(2)), SIZE);
        _do(CidAction.Store, _cid(2), AMOUNT, _storeData(AMOUNT)); // here there is no pin
        assertEq(store.dealOf(dao.storageOf(_cid(2))).free, AMOUNT);
    }

    function test_Store_RevertWhen_TheCapIsReached() public {
        for (uint256 i = 1; i <= 4; ++i) {
            _attest(_accept(_cid(i)), SIZE);
        }
        uint256[] memory ids = new uint256[](5);
        bytes memory data = _storeData(1 ether);
        for (uint256 i = 1; i <= 4; ++i) {
            ids[i] = _proposeBy(founders[4], _draft(CidAction.Store, _cid(i), 1 ether, data));
            _vote(ids[i], 0, 3, true);
        }
        _untilReady(ids[4]);
        for (uint256 i = 1; i <= 3; ++i) {
            _execute(ids[i], data);
        }
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_CapReached.selector, 1 ether, 0));
        dao.executeCIDProposal(ids[4], data);
        assertEq(address(store).balance, 3 ether);
    }

    function test_Store_RevertWhen_AlreadyStored() public {
        uint64 dealId = _stored(_cid(1));
        bytes memory data = _storeData(AMOUNT + 1);
        uint256 id = _pass(_draft(CidAction.Store, _cid(1), 1 ether, data));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_AlreadyStored.selector, Cids.hashOf(_cid(1)), dealId));
        dao.executeCIDProposal(id, data);
    }

    function test_Store_RevertWhen_ThereIsNoStorage() public {
        pinning = factory.pinning(provider, _pinningConfig());
        daos = DaoMaker(vm.deployCode("DaoMaker.sol:DaoMaker")).make(provider, pinning, 150_000, 1 days);
        dao = _makeDao(_params(), founders, address(0));
        _attest(_accept(_cid(1)), SIZE);
        uint256 id = _pass(_draft(CidAction.Store, _cid(1), 1 ether, _storeData(AMOUNT)));
        _says(IDataDAO.DataDAO_NoStorage.selector);
        dao.executeCIDProposal(id, _storeData(AMOUNT));
        assertFalse(dao.cidProviders(_cid(1), hex"00e907"));
        vm.expectRevert(); // nothing was credited anywhere
        dao.collectRefunds();
    }

    // ---------------------------------------------------------------- changing

    function test_RenewStorage_GivesMoneyAndAnEnd() public {
        uint64 dealId = _stored(_cid(1));
        uint256 before = dao.treasury();
        _do(CidAction.RenewStorage, _cid(1), 1 ether, abi.encode(uint96(0.25 ether), uint32(9_000_000)));
        assertEq(store.dealOf(dealId).free, AMOUNT + 0.25 ether);
        assertEq(store.dealOf(dealId).terms.endEpoch, 9_000_000);
        assertEq(before - dao.treasury(), 0.25 ether);
        _do(CidAction.RenewStorage, _cid(1), 0, abi.encode(uint96(0), uint32(0)));
        assertEq(store.dealOf(dealId).terms.endEpoch, 0);
    }

    function test_RenewStorage_RevertWhen_TheCapIsReached() public {
        uint64 dealId = _stored(_cid(1)); // which took AMOUNT of 3 FIL
        bytes memory data = abi.encode(uint96(1 ether), uint32(0));
        _do(CidAction.RenewStorage, _cid(1), 1 ether, data);
        _do(CidAction.RenewStorage, _cid(1), 1 ether, data);
        uint256 id = _pass(_draft(CidAction.RenewStorage, _cid(1), 1 ether, data));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_CapReached.selector, 1 ether, 1 ether - AMOUNT));
        dao.executeCIDProposal(id, data);
        assertEq(store.dealOf(dealId).free, AMOUNT + 2 ether);
    }

    function test_RenewStorage_WithoutABudgetIsPaidByTheExecutor() public {
        uint64 dealId = _stored(_cid(1));
        uint256 before = dao.treasury();
        bytes memory data = abi.encode(uint96(1 ether), uint32(0));
        uint256 id = _pass(_draft(CidAction.RenewStorage, _cid(1), 0, data));
        vm.startPrank(keeper);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_Underpaid.selector, 1 ether - 1, 1 ether));
        dao.executeCIDProposal{ value: 1 ether - 1 }(id, data);
        dao.executeCIDProposal{ value: 1 ether }(id, data);
        vm.stopPrank();
        assertEq(dao.treasury(), before);
        assertEq(store.dealOf(dealId).free, AMOUNT + 1 ether);
    }

    function test_RenewStorage_RevertWhen_AboveTheBudget() public {
        uint64 dealId = _stored(_cid(1));
        uint256 before = dao.treasury();
        bytes memory data = abi.encode(uint96(0.25 ether), uint32(9_000_000));
        vm.prank(founders[0]);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_BudgetExceeded.selector, 0.25 ether, 0.25 ether - 1));
        dao.propose(_draft(CidAction.RenewStorage, _cid(1), 0.25 ether - 1, data));
        _do(CidAction.RenewStorage, _cid(1), 0.25 ether, data); // the budget to the last attoFIL
        assertEq(dao.treasury(), before - 0.25 ether);
        assertEq(store.dealOf(dealId).free, AMOUNT + 0.25 ether);
    }

    function test_ChangeBountyAndReplicas() public {
        uint64 dealId = _stored(_cid(1));
        _do(CidAction.ChangeBounty, _cid(1), 0, abi.encode(uint80(0.02 ether), uint32(1000)));
        _do(CidAction.ChangeReplicas, _cid(1), 0, abi.encode(uint8(5)));
        DealView memory deal = store.dealOf(dealId);
        assertEq(deal.terms.baseBounty, 0.02 ether);
        assertEq(deal.terms.ramp, 1000);
        assertEq(deal.terms.replicas, 5);
    }

    function test_Change_RevertWhen_NotStored() public {
        _accept(_cid(1));
        uint256 id = _pass(_draft(CidAction.ChangeReplicas, _cid(1), 0, abi.encode(uint8(5))));
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_NotStored.selector, Cids.hashOf(_cid(1))));
        dao.executeCIDProposal(id, abi.encode(uint8(5)));
    }

    function test_Remove_BringsTheMoneyBack() public {
        uint64 dealId = _stored(_cid(1));
        uint256 before = dao.treasury();
        _do(CidAction.Remove, _cid(1), 1 ether, "");
        assertEq(uint8(store.dealOf(dealId).status), uint8(IPerpetualStorage.DealStatus.Cancelled));
        assertEq(dao.storageOf(_cid(1)), 0);
        assertEq(dao.collectRefunds(), AMOUNT);
        assertEq(dao.treasury(), before + AMOUNT);
        vm.expectRevert();
        dao.collectRefunds();

        bytes memory data = _addData(_storeData(AMOUNT));
        uint256 id = _pass(_draft(CidAction.Add, _cid(1), 1 ether, data));
        _attest(id, SIZE);
        _execute(id, data);
        assertGt(dao.storageOf(_cid(1)), dealId);
    }

    // --------------------------------------------------------------- providers

    function test_CidProviders_AreThoseWithAnActiveSlot() public {
        uint64 dealId = _stored(_cid(1));
        address worker = address(uint160(0xff) << 152 | 3001);
        facts.setMiner(1001, 2001, worker);
        vm.deal(worker, 10 ether);
        vm.prank(owner);
        provider.setPrice(Actions.SERVED, Price(0.01 ether, 0, 0, 1000, true));
        uint96 fee = store.quoteServed(dealId);
        vm.recordLogs();
        store.requestServed{ value: fee }(dealId);
        _fulfill(_success(_lastAsk(), ""));
        assertFalse(dao.cidProviders(_cid(1), hex"00e907"));
        vm.prank(worker);
        store.claimDeal{ value: 1 ether }(dealId, 0, 1001);
        facts.setSector(1001, 7, 1, uint64(block.number) + 3_000_000);
        SectorPiece memory piece = SectorPiece(1001, 7, PIECE_ROOT, 2 << 20, int64(uint64(block.number)) + 3_000_000, 0);
        assertTrue(facts.activate(store, dealId << 24, piece));
        assertTrue(dao.cidProviders(_cid(1), hex"00e907"), "f01001");
        assertFalse(dao.cidProviders(_cid(1), hex"00e98700"), "no shortest form");
        assertFalse(dao.cidProviders(_cid(1), hex"00ea07"), "f01002");
        assertFalse(dao.cidProviders(_cid(2), hex"00e907"), "another CID");
        assertFalse(dao.cidProviders(_cid(1), ""));
    }
}
