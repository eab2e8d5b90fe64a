// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Governor } from "@openzeppelin/contracts/governance/Governor.sol";
import { GovernorCountingSimple } from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import { GovernorSettings } from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import { GovernorVotes } from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {
    GovernorVotesQuorumFraction
} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import { IVotes } from "@openzeppelin/contracts/governance/utils/IVotes.sol";

/// @title StorageGovernor
/// @notice OpenZeppelin's Governor, as it is, owning perpetual storage: a sample.
/// @dev There is no code of Tidegate's in it, and none is needed. A client of PerpetualStorage is whoever calls it, so the holders of
/// a token own a deal by proposing the calls of IPerpetualStorage: `prepareDeal` with a value to begin one, then `fund`, `changeBounty`,
/// `changeReplicas`, `cancel`, and `withdrawEarned(governor)` for what comes back. The money waits in the governor itself.
///
/// Between a passed vote and its execution there is no delay here. Who wants one adds GovernorTimelockControl: then the timelock is
/// the client, and holds the money.
contract StorageGovernor is
    Governor,
    GovernorSettings,
    GovernorCountingSimple,
    GovernorVotes,
    GovernorVotesQuorumFraction
{
    /// @param token whose holders vote; times are in its clock
    /// @param votingDelay_ from a proposal to its vote
    /// @param votingPeriod_ how long is voted
    /// @param threshold votes that a proposer needs
    /// @param quorumPercent of the supply that must vote for, or abstain
    constructor(IVotes token, uint48 votingDelay_, uint32 votingPeriod_, uint256 threshold, uint256 quorumPercent)
        Governor("StorageGovernor")
        GovernorSettings(votingDelay_, votingPeriod_, threshold)
        GovernorVotes(token)
        GovernorVotesQuorumFraction(quorumPercent)
    { }

    /// @inheritdoc GovernorSettings
    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }
}
