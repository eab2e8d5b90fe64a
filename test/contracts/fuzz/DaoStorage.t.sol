// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { AddData, CidAction, IDataDAO, ProposalState, StoreData } from "../../../contracts/interfaces/IDataDAO.sol";
import { DealTerms, DealView } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { DaoBase } from "../DaoBase.t.sol";

contract DaoStorageFuzzTest is DaoBase {
    /// @dev A value at, or next to, a limit of something.
    function _edge(uint256 seed) private pure returns (uint256) {
        uint256[9] memory limits =
            [uint256(1), 16, 2880, 172_800, 518_400, 3_680_640, 0.05 ether, 0.1 ether, type(uint80).max - 0.1 ether];
        return limits[seed % 9] + (seed >> 8) % 3 - 1;
    }

    /// @dev Good terms but for one or two fields.
    function _terms(uint256 seed) private pure returns (DealTerms memory t) {
        t = _dealTerms();
        for (uint256 i = 0; i < 2; ++i) {
            uint256 value = _edge(seed >> 16);
            uint256 field = seed % 11;
            if (field == 0) t.replicas = uint8(value);
            else if (field == 1) t.term = uint32(value);
            else if (field == 2) t.sealWindow = uint32(value);
            else if (field == 3) t.renewWindow = uint32(value);
            else if (field == 4) t.ramp = uint32(value);
            else if (field == 5) t.baseBounty = uint80(value);
            else if (field == 6) t.maxBounty = uint80(value);
            else if (field == 7) t.bondFloor = uint80(value);
            else if (field == 8) t.endpoint = string(new bytes(255 + value % 3));
            else if (field == 9) t.endEpoch = uint32(value);
            else t.minCollateral = uint80(value);
            seed >>= 128;
        }
    }

    function testFuzz_TermsAreTakenWherePerpetualStorageTakesThem(uint256 seed) public {
        DealTerms memory t = _terms(seed);
        _accept(_cid(1));
        bytes memory piece = abi.encodePacked(hex"0181e203922020", PIECE_ROOT);
        bool taken = true;
        try store.createDeal{ value: 1 ether }(_cid(1), piece, 2 << 20, SIZE, t) returns (uint64) { }
        catch {
            taken = false;
        }
        bytes memory data = abi.encode(StoreData(0.1 ether, t));
        if (!taken) _says(IDataDAO.DataDAO_TermsOutOfRange.selector);
        _proposeBy(founders[4], _draft(CidAction.Store, _cid(1), 1 ether, data));
        if (!taken) _says(IDataDAO.DataDAO_TermsOutOfRange.selector);
        _proposeBy(founders[4], _draft(CidAction.Add, _cid(2), 1 ether, _addData(data)));
    }

    function testFuzz_WhatIsProposedIsExecutedWithItsTerms(uint96 amount, uint96 budget, uint256 seed) public {
        DealTerms memory t = _dealTerms();
        t.endpoint = "https://example/"; // an empty one means the gate's
        t.replicas = uint8(bound(seed, 1, 16));
        t.term = uint32(bound(seed >> 8, 518_400, 3_680_640));
        t.sealWindow = uint32(bound(seed >> 40, 2880, 172_800));
        t.renewWindow = uint32(bound(seed >> 72, 0, t.term - 1));
        t.maxBounty = uint80(bound(seed >> 104, 0, 1000 ether));
        t.baseBounty = uint80(bound(seed >> 184, 0, t.maxBounty));
        budget = uint96(bound(budget, 1, 1 ether));
        amount = uint96(bound(amount, 0, 1.1 ether));
        _attest(_accept(_cid(1)), SIZE);
        bytes memory data = abi.encode(StoreData(amount, t));
        if (amount > budget) {
            vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_BudgetExceeded.selector, amount, budget));
        }
        uint256 id = _proposeBy(founders[4], _draft(CidAction.Store, _cid(1), budget, data));
        if (amount > budget) return;
        _vote(id, 0, 3, true);
        _untilReady(id);
        uint256 before = dao.treasury();
        _execute(id, data);
        DealView memory deal = store.dealOf(dao.storageOf(_cid(1)));
        assertEq(abi.encode(deal.terms), abi.encode(t));
        assertEq(deal.free, amount);
        assertEq(before - dao.treasury(), amount);
        _says(IDataDAO.DataDAO_NotReady.selector);
        dao.executeCIDProposal(id, data);
    }

    function testFuzz_PinsEndAfterTheyMayBegin(uint40 expiry, bool weighty) public {
        uint256 earliest = block.timestamp + (weighty ? 2 days : 1 hours);
        expiry = uint40(bound(expiry, earliest - 1 days, earliest + 1 days));
        AddData memory add;
        add.expiry = expiry;
        if (expiry <= earliest) _says(IDataDAO.DataDAO_TermsOutOfRange.selector);
        _proposeBy(founders[4], _draft(CidAction.Add, _cid(1), weighty ? 1 ether : 0, abi.encode(add)));
    }

    function testFuzz_ABountyThatCannotBeSetExpires(uint80 base, uint32 ramp) public {
        bytes memory data = _storeData(0.5 ether);
        _attest(_accept(_cid(1)), SIZE);
        uint256 id = _proposeBy(founders[4], _draft(CidAction.Store, _cid(1), 1 ether, data));
        _vote(id, 0, 3, true);
        _untilReady(id);
        _execute(id, data);

        (base, ramp) = (uint80(bound(base, 0, 0.1 ether)), uint32(bound(ramp, 0, 2 * 3_680_640)));
        data = abi.encode(base, ramp);
        vm.prank(sp);
        if (ramp > 3_680_640) _says(IDataDAO.DataDAO_TermsOutOfRange.selector);
        id = dao.propose{ value: 0.5 ether }(_draft(CidAction.ChangeBounty, _cid(1), 0, data));
        if (ramp > 3_680_640) return;
        _vote(id, 0, 3, true);
        _untilReady(id);
        uint256 credit = dao.creditOf(sp);
        vm.startPrank(keeper);
        if (base > 0.05 ether) {
            // the deal's most, which no proposal changes
            vm.expectRevert();
            dao.executeCIDProposal(id, data);
            vm.warp(block.timestamp + 7 days);
            _stateIs(id, ProposalState.Expired);
            dao.closeProposal(id);
            _says(IDataDAO.DataDAO_NotClosable.selector);
            dao.closeProposal(id);
            _stateIs(id, ProposalState.Expired);
        } else {
            dao.executeCIDProposal(id, data);
            assertEq(store.dealOf(dao.storageOf(_cid(1))).terms.baseBounty, base);
            _stateIs(id, ProposalState.Executed);
        }
        assertEq(dao.creditOf(sp) - credit, 0.5 ether, "returned once");
    }

    /// @dev Whoever leaves and comes back has voted where it had, and votes on what comes after its return alone.
    function testFuzz_WhoComesBackHasOneVote(uint8 leavers, uint8 voters) public {
        uint256 first = _propose(_cid(1));
        uint256 up;
        for (uint256 i = 1; i < 5; ++i) {
            if (voters >> i & 1 == 0) continue;
            _vote(first, i, 1, true);
            ++up;
        }
        uint256 invited;
        for (uint256 i = 1; i < 5; ++i) {
            if (leavers >> i & 1 == 0 || invited == 2) continue;
            ++invited;
            vm.prank(founders[i]);
            dao.leave();
            vm.prank(founders[0]);
            dao.invite(founders[i]);
            vm.startPrank(founders[i]);
            dao.join();
            assertEq(dao.hasVotedForProposal(founders[i], first), voters >> i & 1 != 0);
            vm.expectRevert();
            dao.voteCIDProposal(first, true);
            vm.stopPrank();
        }
        (,,,, uint256 got,,,) = dao.proposals(first);
        assertEq(got, up);
        vm.warp(block.timestamp + 1 days);
        uint256 second = _propose(_cid(2));
        _vote(second, 0, 5, true);
        (,,,, got,,,) = dao.proposals(second);
        assertEq(got, 5);
        for (uint256 i = 0; i < 5; ++i) {
            assertTrue(dao.hasVotedForProposal(founders[i], second));
            vm.prank(founders[i]);
            _says(IDataDAO.DataDAO_AlreadyVoted.selector);
            dao.voteCIDProposal(second, false);
        }
    }
}
