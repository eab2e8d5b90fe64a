// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DataDAO } from "../../../contracts/dao/DataDAO.sol";
import { CidAction, DaoParams, IDataDAO, ProposalState } from "../../../contracts/interfaces/IDataDAO.sol";
import { DaoBase } from "../DaoBase.t.sol";
import { DaoDeaf, DaoGreedy } from "../mocks/DaoMocks.sol";
import { Vm } from "forge-std/Vm.sol";

contract DaoTipTest is DaoBase {
    uint96 private constant TIP = 0.01 ether;
    uint256 private fee; // of a pin

    function setUp() public override {
        super.setUp();
        dao = _withTip(TIP, 100 ether, 3 ether);
        (fee,) = pinning.quotePin(SIZE, 0);
    }

    function _withTip(uint96 tip, uint256 value, uint128 most) private returns (DataDAO) {
        DaoParams memory p = _params();
        (p.tip, p.maxPer30Days) = (tip, most);
        if (p.maxPerProposal > most) p.maxPerProposal = uint96(most);
        vm.deal(owner, value);
        vm.prank(owner);
        return DataDAO(payable(daos.createDAO{ value: value }(p, founders, address(0))));
    }

    /// @dev Passed, and ready.
    function _passed(uint256 n, uint256 budget) private returns (uint256 id) {
        id = _proposeBy(founders[0], _draft(CidAction.Add, _cid(n), uint96(budget), ""));
        _vote(id, 1, 3, true);
        _untilReady(id);
    }

    /// @dev What the keeper is given for executing.
    function _given(uint256 id) private returns (uint256 given) {
        (uint256 before, uint256 had) = (keeper.balance, dao.treasury());
        vm.recordLogs();
        _execute(id, "");
        given = keeper.balance + 5 ether - before;
        assertEq(had - dao.treasury(), given + fee, "of the treasury, with the pin's fee");
        assertEq(_told(), given, "ExecutorTipped");
        _stateIs(id, ProposalState.Executed);
    }

    /// @dev What events say of tips; each has the next number.
    function _told() private returns (uint256 amount) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 times;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IDataDAO.ExecutorTipped.selector) continue;
            uint64 seq;
            (seq, amount) = abi.decode(logs[i].data, (uint64, uint256));
            assertEq(address(uint160(uint256(logs[i].topics[2]))), keeper);
            assertEq(seq, dao.nextSeq() - 1);
            assertGt(amount, 0);
            ++times;
        }
        assertEq(times, amount == 0 ? 0 : 1);
    }

    function test_Tip_IsSentToWhoeverExecutes() public {
        assertEq(_given(_passed(1, 1 ether)), TIP);
        assertEq(dao.creditOf(keeper), 5 ether, "the value was not needed");
        assertEq(dao.spendable(), 3 ether - fee - TIP, "within the cap");
        // Also of what asks nothing, and of what is weighty otherwise.
        uint256 id = _proposeBy(founders[0], _draft(CidAction.Remove, _cid(1), 1 ether, ""));
        _vote(id, 1, 3, true);
        _untilReady(id);
        uint256 before = keeper.balance;
        vm.prank(keeper);
        dao.executeCIDProposal(id);
        assertEq(keeper.balance - before, TIP);
    }

    function test_Tip_IsWhatTheBudgetLeaves() public {
        assertEq(_given(_passed(1, fee + TIP + 1)), TIP);
        assertEq(_given(_passed(2, fee + TIP)), TIP);
        assertEq(_given(_passed(3, fee + TIP - 1)), TIP - 1);
        assertEq(_given(_passed(4, fee + 1)), 1);
        assertEq(_given(_passed(5, fee)), 0);
    }

    function test_Tip_IsWhatTheTreasuryLeaves() public {
        dao = _withTip(TIP, fee + 7, 3 ether);
        _propose(_cid(99)); // its deposit is held, and nobody's to give
        assertEq(_given(_passed(1, 1 ether)), 7);
        assertEq(dao.treasury(), 0);
        dao = _withTip(TIP, fee, 3 ether);
        assertEq(_given(_passed(1, 1 ether)), 0);
    }

    function test_Tip_IsWhatTheCapLeaves() public {
        dao = _withTip(TIP, 100 ether, uint128(2 * fee + TIP + 3));
        uint256 id = _passed(1, fee + TIP);
        assertEq(_given(id), TIP);
        assertEq(_given(_passed(2, fee + TIP)), 3);
        assertEq(dao.spendable(), 0);
        id = _passed(3, fee + TIP);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_CapReached.selector, fee, 0));
        dao.executeCIDProposal(id);
        dao = _withTip(TIP, 100 ether, uint128(2 * fee + TIP - 1));
        _execute(_passed(1, fee + TIP), "");
        id = _passed(2, fee);
        vm.expectRevert(abi.encodeWithSelector(IDataDAO.DataDAO_CapReached.selector, fee, fee - 1));
        dao.executeCIDProposal(id);

        dao = _withTip(TIP, 100 ether, uint128(2 * fee + TIP));
        assertEq(_given(_passed(1, fee + TIP)), TIP);
        assertEq(_given(_passed(2, fee + TIP)), 0);
    }

    function test_Tip_IsOfABudgetAlone() public {
        uint256 id = _propose(_cid(1));
        _vote(id, 0, 3, true);
        _untilReady(id);
        uint256 before = keeper.balance;
        _execute(id, "");
        assertEq(keeper.balance, before - 5 ether);
        assertEq(dao.creditOf(keeper), 5 ether - fee);
        assertEq(dao.treasury(), 100 ether);
    }

    function test_Tip_IsTheCreditOfWhoTakesNoMoney() public {
        DaoDeaf deaf = new DaoDeaf(dao);
        uint256 id = _passed(1, 1 ether);
        deaf.execute{ value: 1 ether }(id);
        assertEq(dao.creditOf(address(deaf)), 1 ether + TIP);
        assertEq(dao.treasury(), 100 ether - fee - TIP);
        uint256 before = alice.balance;
        deaf.take(payable(alice));
        assertEq(alice.balance - before, 1 ether + TIP);
        assertEq(dao.treasury(), 100 ether - fee - TIP);
        assertEq(address(dao).balance, dao.treasury());
    }

    function test_Tip_OfOneAttoIsOwedToo() public {
        dao = _withTip(1, 100 ether, 3 ether);
        DaoDeaf deaf = new DaoDeaf(dao);
        deaf.execute(_passed(1, 1 ether));
        assertEq(dao.creditOf(address(deaf)), 1);
        assertEq(dao.treasury(), 100 ether - fee - 1);
    }

    function test_Tip_IsGivenOnceAlsoToAReentrantCaller() public {
        DaoGreedy greedy = new DaoGreedy(dao);
        uint256 id = _passed(1, 1 ether);
        greedy.execute{ value: 1 ether }(id);
        assertNotEq(greedy.err().length, 0, "it called back, and was refused");
        assertEq(address(greedy).balance, TIP);
        assertEq(dao.creditOf(address(greedy)), 1 ether);
        assertEq(dao.treasury(), 100 ether - fee - TIP);
    }
}
