// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DaoParams, IDataDAO } from "../interfaces/IDataDAO.sol";
import { IERC6372 } from "@openzeppelin/contracts/interfaces/IERC6372.sol";

/// @title DaoRules
/// @notice What a DAO may be made with, and what time it is for a token. Linked to DataDAO.
library DaoRules {
    /// @notice Refuses parameters under which a treasury could be taken over quickly, or nothing could ever pass.
    function check(DaoParams calldata p, address token) external view {
        _within("votingPeriod", p.votingPeriod, 10 minutes, 90 days);
        _within("weightyPeriod", p.weightyPeriod, 1 days, 90 days);
        _within("executionDelay", p.executionDelay, 1 days, 90 days);
        _within("executionWindow", p.executionWindow, 1 days, 90 days);
        _within("membershipAge", p.membershipAge, 1 days, 90 days);
        _within("invitePeriod", p.invitePeriod, 1 days, 365 days);
        _within("quorumBps", p.quorumBps, 1, 10_000);
        _within("weightyQuorumBps", p.weightyQuorumBps, 2000, 10_000);
        _within("maxPerProposal", p.maxPerProposal, 0, p.maxPer30Days);
        _within("tip", p.tip, 0, p.maxPerProposal);
        if (p.guardian == address(0)) _within("guardianUntil", p.guardianUntil, 0, 0);
        else _within("guardianUntil", p.guardianUntil, block.timestamp + 1, block.timestamp + 3 * 365 days);
        if (token != address(0) && (token.code.length == 0 || clockOf(token) == 0)) {
            revert IDataDAO.DataDAO_ParamOutOfRange("token");
        }
    }

    /// @notice Now, in the clock of a token: its own (ERC-6372), or the number of the block where it has none.
    function clockOf(address token) public view returns (uint256) {
        try IERC6372(token).clock() returns (uint48 now_) {
            return now_;
        } catch {
            return block.number;
        }
    }

    function _within(bytes32 field, uint256 value, uint256 least, uint256 most) private pure {
        if (value < least || value > most) revert IDataDAO.DataDAO_ParamOutOfRange(field);
    }
}
