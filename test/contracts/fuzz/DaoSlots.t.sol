// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Dao, Member, Proposal, Seat } from "../../../contracts/dao/DaoState.sol";
import { DataDAO } from "../../../contracts/dao/DataDAO.sol";
import { DaoParams } from "../../../contracts/interfaces/IDataDAO.sol";
import { DaoBase } from "../DaoBase.t.sol";
import { BlockToken } from "../mocks/DaoMocks.sol";

/// @notice Where a DAO keeps what is not in the compiler's layout. The regions, by the five highest bits of a slot: 1 of accounts,
/// 2 of seats, 16 and above of proposals.
contract DaoSlotsTest is DaoBase {
    uint256 private constant STEP = 5;
    uint256 private constant ACCOUNTS = 1 << 251;

    function _record(address account) private pure returns (uint256 slot) {
        Member storage m = Dao.accountOf(account);
        assembly ("memory-safe") {
            slot := m.slot
        }
    }

    function _seat(uint256 place) private pure returns (uint256 slot) {
        Seat storage s = Dao.seatAt(place);
        assembly ("memory-safe") {
            slot := s.slot
        }
    }

    function _proposal(uint256 id) private pure returns (uint256 slot) {
        Proposal storage p = Dao.proposalOf(id);
        assembly ("memory-safe") {
            slot := p.slot
        }
    }

    /// @dev The bits of a slot at a step of the tree from the top.
    function _at(uint256 slot, uint256 step) private pure returns (uint256) {
        return (slot >> (251 - STEP * step)) & 31;
    }

    /// @dev The stake beside a record: the same three steps.
    function _stakeOf(address account) private pure returns (uint256) {
        uint256 slot = _record(account);
        return ACCOUNTS | _at(slot, 1) << 246 | _at(slot, 2) << 241;
    }

    function _has(DataDAO d, uint256 slot) private view returns (uint256) {
        return uint256(vm.load(address(d), bytes32(slot)));
    }

    function testFuzz_NoSlotIsTwoThings(address a, address b, uint32 place, uint32 other, uint256 id, uint24 number)
        public
        pure
    {
        vm.assume(a != b && place != other);
        uint256 record = _record(a);
        assertNotEq(record, _record(b));
        assertEq(_at(record, 0), 1);
        assertLt(_at(record, 1), 16);
        assertLt(_at(record, 2), 8);
        assertEq(record & 1, 1, "a stake's is 0");
        assertEq(_stakeOf(b) & (1 << 241) - 1, 0);
        assertEq(_at(_stakeOf(b), 0), 1);
        assertLt(_at(_stakeOf(b), 2), 8, "the other stakes have 16 here");

        assertNotEq(_seat(place), _seat(other));
        assertEq(_at(_seat(place), 0), 2);
        (uint256 vote,) = Dao.bitOf(id, a, false, number);
        assertGe(_at(_proposal(id), 0), 16);
        assertEq(vote >> 21, _proposal(id) >> 21, "votes are in their proposal");
        assertGe(vote - _proposal(id), 6, "and not its head");
        assertEq(vote & 1, 0);
    }

    function testFuzz_ARegisterHasItsStakes(uint256 seed, uint8 count) public {
        address[] memory who = new address[](bound(count, 1, 32));
        for (uint256 i = 0; i < who.length; ++i) {
            who[i] = vm.addr(uint256(keccak256(abi.encode(seed, i))) >> 8 | 1);
        }
        DataDAO d = _makeDao(_params(), who, address(0));
        uint256 stakes;
        for (uint256 i = 0; i < 16; ++i) {
            assertEq(_has(d, ACCOUNTS | i << 246 | 16 << 241), 1);
            for (uint256 j = 0; j < 8; ++j) {
                stakes += _has(d, ACCOUNTS | i << 246 | j << 241);
            }
        }
        // One for each pair of branches that members have, and no more.
        for (uint256 i = 0; i < who.length; ++i) {
            assertEq(_has(d, _stakeOf(who[i])), 1);
            bool first = true;
            for (uint256 j = 0; j < i; ++j) {
                first = first && _stakeOf(who[i]) != _stakeOf(who[j]);
            }
            if (first) --stakes;
            assertTrue(d.isMember(who[i]));
            assertEq(d.placeOf(who[i]), i);
        }
        assertEq(stakes, 0);
        vm.prank(who[0]);
        d.leave();
        assertEq(_has(d, _stakeOf(who[0])), 1);
        assertNotEq(_has(d, _record(who[0])), 0, "its number stays, and so the nodes on the way");
    }

    function test_ATokensDaoHasNoStakes() public {
        DataDAO d = _makeDao(_params(), new address[](0), address(new BlockToken()));
        for (uint256 i = 0; i < 16; ++i) {
            assertEq(_has(d, ACCOUNTS | i << 246 | 16 << 241), 0);
        }
    }

    /// @dev A model: who is a member, and since when.
    struct Known {
        address account;
        uint40 joinedAt;
        uint256 number;
        bool voted;
    }

    function testFuzz_RecordsStayTheirMembers(uint256 seed) public {
        dao = _makeDao(_open(), founders, address(0));
        Known[] memory known = new Known[](6);
        uint256 numbers = 5;
        for (uint256 i = 0; i < 6; ++i) {
            known[i].account = vm.addr(uint256(keccak256(abi.encode(seed, i))) >> 8 | 1);
        }
        uint256 id = _propose(_cid(1));
        for (uint256 turn = 0; turn < 16; ++turn) {
            Known memory k = known[uint256(keccak256(abi.encode(seed, "who", turn))) % 6];
            vm.warp(block.timestamp + 1 days);
            if (k.joinedAt != 0) {
                if (!k.voted && dao.powerOf(id, k.account) == 1) {
                    vm.prank(k.account);
                    dao.voteCIDProposal(id, true);
                    k.voted = true;
                    continue;
                }
                vm.prank(k.account);
                dao.leave();
                k.joinedAt = 0;
            } else {
                vm.prank(founders[0]);
                dao.invite(k.account);
                vm.prank(k.account);
                dao.join();
                k.joinedAt = uint40(block.timestamp);
                if (k.number == 0) k.number = ++numbers;
            }
            if (turn % 8 == 7) id = _again(known);
            _same(known, id);
        }
    }

    function _open() private view returns (DaoParams memory p) {
        p = _params();
        (p.inviteLimit, p.votingPeriod) = (255, 30 days);
    }

    /// @dev Another proposal, on which nobody has voted.
    function _again(Known[] memory known) private returns (uint256) {
        for (uint256 i = 0; i < known.length; ++i) {
            known[i].voted = false;
        }
        return _propose(_cid(block.timestamp));
    }

    function _same(Known[] memory known, uint256 id) private view {
        uint256 members = 5;
        for (uint256 i = 0; i < known.length; ++i) {
            Known memory k = known[i];
            (uint40 joinedAt,) = dao.memberOf(k.account);
            assertEq(joinedAt, k.joinedAt);
            assertEq(dao.hasVotedForProposal(k.account, id), k.voted);
            assertEq(_has(dao, _record(k.account)) >> 160 & 0xffffff, k.number);
            assertEq(_has(dao, _stakeOf(k.account)) != 0, k.number != 0 || _shared(k.account, known));
            if (k.joinedAt == 0) continue;
            ++members;
            assertEq(dao.membersPage(dao.placeOf(k.account), 1)[0], k.account);
        }
        for (uint256 i = 0; i < 5; ++i) {
            assertTrue(dao.isMember(founders[i]));
        }
        assertEq(dao.memberCount(), members);
    }

    /// @dev Whether somebody who was a member has the stake that this account would have.
    function _shared(address account, Known[] memory known) private view returns (bool) {
        for (uint256 i = 0; i < known.length; ++i) {
            if (known[i].number != 0 && _stakeOf(known[i].account) == _stakeOf(account)) return true;
        }
        for (uint256 i = 0; i < 5; ++i) {
            if (_stakeOf(founders[i]) == _stakeOf(account)) return true;
        }
        return false;
    }
}
