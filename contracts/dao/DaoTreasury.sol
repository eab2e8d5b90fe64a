// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { CidAction, IDataDAO } from "../interfaces/IDataDAO.sol";
import { CidHash } from "../interfaces/IEstuaryPinning.sol";
import { Dao, DaoState } from "./DaoState.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

/// @notice What a proposal is executed with.
struct Order {
    uint256 id;
    CidHash cidHash;
    CidAction action;
    uint96 budget; // 0: the value pays
    uint256 value; // of the call; it is no part of the treasury
    uint256 paid; // so far
}

/// @title DaoTreasury
/// @notice What an execution may pay, and of what. The only place where a treasury gives money.
library DaoTreasury {
    using Dao for DaoState;

    /// @notice Takes an amount from the value of the call or, within budget and caps, from the treasury. Accounts only; the caller
    /// sends it at once.
    function pay(DaoState storage s, Order memory o, uint256 amount) internal {
        o.paid += amount;
        if (o.budget == 0) {
            if (o.value < o.paid) revert IDataDAO.DataDAO_Underpaid(o.value, o.paid);
            return;
        }
        if (o.paid > o.budget) revert IDataDAO.DataDAO_BudgetExceeded(o.paid, o.budget);
        uint256 free = address(this).balance - o.value - s.owed;
        if (amount > free) revert IDataDAO.DataDAO_TreasuryTooSmall(amount, free);
        uint256 most = s.params.maxPer30Days;
        uint256 spent = s.spentLately();
        if (spent + amount > most) revert IDataDAO.DataDAO_CapReached(amount, most > spent ? most - spent : 0);
        s.spent[block.timestamp / Dao.SIX_DAYS] += amount;
    }

    /// @notice What whoever executes is given, after all else was paid: the DAO's tip, as far as budget, treasury and cap leave it. Accounts
    /// only: the caller sends it at once.
    function tip(DaoState storage s, Order memory o) internal returns (uint256 amount) {
        amount = s.params.tip;
        if (amount == 0 || o.budget == 0) return 0;
        (uint256 most, uint256 spent) = (s.params.maxPer30Days, s.spentLately());
        amount = Math.min(amount, o.budget - o.paid);
        amount = Math.min(amount, address(this).balance - o.value - s.owed);
        amount = Math.min(amount, most > spent ? most - spent : 0);
        s.spent[block.timestamp / Dao.SIX_DAYS] += amount;
    }

    /// @notice Owes an amount to an account.
    function credit(DaoState storage s, address account, uint256 amount) internal {
        if (amount == 0) return;
        s.credits[account] += amount;
        s.owed += amount;
    }
}
