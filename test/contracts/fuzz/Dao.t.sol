// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DataDAO } from "../../../contracts/dao/DataDAO.sol";
import { Ballot, CidAction, DaoParams, IDataDAO, ProposalState } from "../../../contracts/interfaces/IDataDAO.sol";
import { DaoBase } from "../DaoBase.t.sol";
import { BlockToken } from "../mocks/DaoMocks.sol";

contract DaoFuzzTest is DaoBase {
    function testFuzz_ProposalsGivesTheCidBack(uint8 codec, uint8 hash, bytes32 digest, uint256 length) public {
        length = bound(length, 1, 32);
        codec = uint8(bound(codec, 1, 127));
        hash = uint8(bound(hash, 1, 127));
        bytes memory cut = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            cut[i] = digest[i];
        }
        bytes memory cid = abi.encodePacked(uint8(1), codec, hash, uint8(length), cut);
        uint256 id = _propose(cid);
        (,, bytes memory got,,,,,) = dao.proposals(id);
        assertEq(got, cid);
    }

    function testFuzz_VotesCountedAreThePowersAtTheSnapshot(uint96[5] memory powers, uint8 support, uint96 moved)
        public
    {
        BlockToken token = new BlockToken();
        dao = _makeDao(_params(), new address[](0), address(token));
        uint256 supply;
        for (uint256 i = 0; i < 5; ++i) {
            powers[i] /= 8;
            supply += powers[i];
            token.mint(founders[i], powers[i]);
            vm.prank(founders[i]);
            token.delegate(founders[i]);
        }
        vm.roll(block.number + 1);
        uint256 id = _propose(_cid(1));
        // What moves in the block of the proposal, and later, counts where it was.
        vm.prank(founders[0]);
        assertTrue(token.transfer(founders[1], bound(moved, 0, powers[0])));
        vm.roll(block.number + 1);
        uint256 up;
        uint256 down;
        for (uint256 i = 0; i < 5; ++i) {
            bool yes = support >> i & 1 != 0;
            if (yes) up += powers[i];
            else down += powers[i];
            if (powers[i] == 0) _says(IDataDAO.DataDAO_NoPower.selector);
            vm.prank(founders[i]);
            dao.voteCIDProposal(id, yes);
        }
        (,,,, uint256 gotUp, uint256 gotDown,,) = dao.proposals(id);
        assertEq(gotUp, up);
        assertEq(gotDown, down);
        (, uint256 quorum,,,,) = dao.rulesOf(id);
        uint256 share = (supply + 9) / 10;
        assertEq(quorum, share == 0 ? 1 : share);
        _untilReady(id);
        _stateIs(id, up > down && up + down >= quorum ? ProposalState.Ready : ProposalState.Defeated);
    }

    function testFuzz_PassesExactlyWithMajorityAndQuorum(uint8 voters, uint8 support, bool weighty) public {
        uint256 id = _proposeBy(address(this), weighty);
        uint256 up;
        uint256 down;
        for (uint256 i = 0; i < 5; ++i) {
            if (voters >> i & 1 == 0) continue;
            bool yes = support >> i & 1 != 0;
            _vote(id, i, 1, yes);
            if (yes) ++up;
            else ++down;
        }
        _untilReady(id);
        bool passes = up > down && up + down >= (weighty ? 3 : 1);
        _stateIs(id, passes ? ProposalState.Ready : ProposalState.Defeated);
    }

    function _proposeBy(address who, bool weighty) private returns (uint256) {
        vm.prank(who);
        return dao.propose{ value: 0.5 ether }(_draft(CidAction.Add, _cid(1), weighty ? 1 ether : 0, ""));
    }

    function testFuzz_NoBytesAreAVote(bytes calldata signature, uint256 who) public {
        uint256 id = _propose(_cid(1));
        Ballot memory b = Ballot(id, true, founders[who % 5], block.timestamp, who % 7, signature);
        _says(IDataDAO.DataDAO_BadSignature.selector);
        dao.voteBySignature(_ballots(b));
    }

    function testFuzz_TheTipIsWhatBudgetTreasuryAndCapLeave(uint128 cap, uint96 tip, uint96 budget, uint256 has)
        public
    {
        (uint256 fee,) = pinning.quotePin(SIZE, 0);
        DaoParams memory p = _params();
        p.maxPer30Days = cap = uint128(bound(cap, 2 * fee, 10 ether));
        p.maxPerProposal = uint96(cap);
        p.tip = tip = uint96(bound(tip, 0, cap));
        budget = uint96(bound(budget, fee, cap));
        has = bound(has, 2 * fee, 2 * fee + cap);
        vm.deal(owner, has);
        vm.prank(owner);
        dao = DataDAO(payable(daos.createDAO{ value: has }(p, founders, address(0))));
        // What another execution took first, whose budget left nothing.
        uint256 first = _proposeBy(founders[0], _draft(CidAction.Add, _cid(1), uint96(fee), ""));
        uint256 id = _proposeBy(founders[0], _draft(CidAction.Add, _cid(2), budget, ""));
        _vote(first, 1, 3, true);
        _vote(id, 1, 3, true);
        _untilReady(id);
        _execute(first, "");
        uint256 most = budget - fee;
        if (has - 2 * fee < most) most = has - 2 * fee;
        if (cap - 2 * fee < most) most = cap - 2 * fee;
        if (tip < most) most = tip;
        uint256 before = keeper.balance;
        _execute(id, "");
        assertEq(keeper.balance + 5 ether - before, most);
        assertEq(dao.treasury(), has - 2 * fee - most);
        assertEq(dao.spendable(), cap - 2 * fee - most);
        assertEq(dao.creditOf(keeper), 10 ether);
        assertEq(address(dao).balance, dao.treasury() + 10 ether);
    }
}
