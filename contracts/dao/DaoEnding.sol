// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { CidAction, IDataDAO, ProposalState } from "../interfaces/IDataDAO.sol";
import { CidHash } from "../interfaces/IEstuaryPinning.sol";
import { Cids } from "../pinning/Cids.sol";
import { Dao, DaoState, Detail, Proposal } from "./DaoState.sol";

/// @title DaoEnding
/// @notice The end of a proposal: recorded once, with its deposit; from then on its content may be proposed again.
library DaoEnding {
    using Dao for DaoState;

    /// @notice Ends a proposal without effect.
    function close(DaoState storage s, uint256 id, ProposalState state, bool returned) internal {
        CidHash cidHash = Cids.hashOf(s.cidOf(id));
        end(s, id, cidHash, state, returned);
        emit IDataDAO.ProposalClosed(id, cidHash, s.takeSeq(), state);
    }

    /// @notice Records the end of a proposal whose end is not recorded.
    /// @param returned whether the deposit goes back to the proposer, or else to the treasury
    function end(DaoState storage s, uint256 id, CidHash cidHash, ProposalState state, bool returned) internal {
        Proposal storage p = Dao.proposalOf(id);
        p.closed = state;
        Detail storage d = s.details[id];
        bytes32 key = Dao.keyOf(cidHash, CidAction(p.kind & Dao.ACTION), p.size, d.budget, d.dataHash);
        if (s.live[key] == id) delete s.live[key];
        if (p.kind & Dao.DEPOSITED == 0) return;
        uint256 deposit = s.params.deposit;
        if (returned) s.credits[p.proposer] += deposit; // still owed
        else s.owed -= deposit;
        emit IDataDAO.DepositSettled(id, p.proposer, s.takeSeq(), returned, deposit);
    }
}
