// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { PieceCid } from "../fvm/PieceCid.sol";
import { CidAction, Draft, IDataDAO, ProposalState, Rules } from "../interfaces/IDataDAO.sol";
import { CidHash } from "../interfaces/IEstuaryPinning.sol";
import { Cids } from "../pinning/Cids.sol";
import { DaoEnding } from "./DaoEnding.sol";
import { DaoRules } from "./DaoRules.sol";
import { Dao, DaoState, Detail, Head, Member } from "./DaoState.sol";
import { DaoTerms } from "./DaoTerms.sol";
import { PackedCid } from "./PackedCid.sol";
import { IVotes } from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title DaoIntake
/// @notice Takes proposals: checks the draft, and fixes until when and by whom is voted; and closes those that end without effect. Linked
/// to DataDAO.
library DaoIntake {
    using Dao for DaoState;
    using DaoEnding for DaoState;

    uint256 private constant LEAST_WEIGHTY_QUORUM = 3; // members, in a register

    /// @notice Makes a proposal of the caller, who sent its deposit.
    function propose(DaoState storage s, Draft memory draft) external returns (uint256 id) {
        return _propose(s, draft);
    }

    /// @notice The same of adding a CID, and no more.
    function add(DaoState storage s, bytes calldata cid, uint256 size) external returns (uint256 id) {
        if (size > type(uint64).max) revert IDataDAO.DataDAO_SizeOutOfRange(size);
        Draft memory draft;
        draft.cid = cid;
        draft.size = uint64(size);
        return _propose(s, draft);
    }

    /// @notice See IDataDAO.
    function cancel(DaoState storage s, uint256 id) external {
        ProposalState state = s.stateOf(id);
        bool byGuardian = msg.sender == s.params.guardian && block.timestamp < s.params.guardianUntil;
        bool active = state == ProposalState.Active;
        if (!byGuardian && !(active && msg.sender == Dao.proposalOf(id).proposer)) {
            revert IDataDAO.DataDAO_NotCanceller(msg.sender);
        }
        if (!active && state != ProposalState.Queued && state != ProposalState.Ready) {
            revert IDataDAO.DataDAO_NotClosable(id, state);
        }
        s.close(id, ProposalState.Cancelled, byGuardian || s.quorumMet(id));
    }

    /// @notice See IDataDAO.
    function settle(DaoState storage s, uint256 id) external {
        ProposalState state = s.stateOf(id);
        bool over = state == ProposalState.Defeated || state == ProposalState.Expired;
        if (!over || Dao.proposalOf(id).closed != ProposalState.None) revert IDataDAO.DataDAO_NotClosable(id, state);
        s.close(id, state, s.quorumMet(id));
    }

    /// @notice See IDataDAO.
    function reportSize(DaoState storage s, uint256 id) external {
        uint64 attested = s.attested[id].size;
        if (attested == 0) revert IDataDAO.DataDAO_NotAttested(id);
        ProposalState state = s.stateOf(id);
        if (state != ProposalState.Active && state != ProposalState.Queued && state != ProposalState.Ready) {
            revert IDataDAO.DataDAO_NotClosable(id, state);
        }
        uint64 size = Dao.proposalOf(id).size;
        emit IDataDAO.SizeReported(id, Cids.hashOf(s.cidOf(id)), s.takeSeq(), size, attested);
        if (size != attested) s.close(id, ProposalState.Refuted, false);
    }

    function _propose(DaoState storage s, Draft memory draft) private returns (uint256 id) {
        CidHash cidHash = Cids.hashOf(draft.cid);
        if (draft.size == 0) revert IDataDAO.DataDAO_ZeroSize();
        bool weighty = draft.action != CidAction.Add || draft.budget != 0;
        _check(s, draft, cidHash);
        DaoTerms.check(draft, s.earliest(weighty));
        if (draft.budget != 0 && draft.budget > s.params.maxPerProposal) {
            revert IDataDAO.DataDAO_BudgetTooHigh(draft.budget, s.params.maxPerProposal);
        }
        Head memory head = s.head;
        id = head.count + 1;
        bytes32 dataHash = draft.data.length == 0 ? bytes32(0) : keccak256(draft.data);
        _enlist(s, id, Dao.keyOf(cidHash, draft.action, draft.size, draft.budget, dataHash));

        if (draft.budget != 0) s.details[id].budget = draft.budget;
        if (dataHash != 0) s.details[id].dataHash = dataHash;
        Rules memory rules = _snapshot(s, head, id, weighty);
        if (msg.value != rules.deposit) revert IDataDAO.DataDAO_DepositMismatch(msg.value, rules.deposit);
        _write(s, id, draft, rules, weighty, head.byToken);
        s.head.count = uint48(id);
        emit IDataDAO.ProposalCreated(id, cidHash, msg.sender, s.takeSeq(), rules, draft);
    }

    /// @dev Refuses a draft that could never be executed.
    function _check(DaoState storage s, Draft memory draft, CidHash cidHash) private view {
        bytes memory cid = draft.cid;
        bool accepted = s.cids[cidHash].proposalId != 0;
        if (draft.action == CidAction.Add) {
            if (accepted) revert IDataDAO.DataDAO_CidAlreadySet(cidHash);
        } else {
            if (!accepted) revert IDataDAO.DataDAO_CidNotSet(cidHash);
            uint64 size = s.cids[cidHash].size;
            if (draft.size != size) revert IDataDAO.DataDAO_WrongSize(draft.size, size);
            // A piece is neither pinned nor, by itself, what PerpetualStorage takes: it says nothing of a CAR.
            if (draft.action != CidAction.Remove && PackedCid.isPiece(cid)) revert IDataDAO.DataDAO_BadData();
        }
        if (PackedCid.isPiece(cid)) {
            (, uint64 padded,) = PieceCid.read(cid);
            bool right = padded == 0 ? PieceCid.isPaddedSize(draft.size) : padded == draft.size;
            if (!right) revert IDataDAO.DataDAO_WrongSize(draft.size, padded);
        }
    }

    /// @dev The one live proposal of its content; what was there before must be over, and is closed.
    function _enlist(DaoState storage s, uint256 id, bytes32 key) private {
        uint256 before = s.live[key];
        if (before != 0) {
            ProposalState state = s.stateOf(before);
            if (state != ProposalState.Defeated && state != ProposalState.Expired) {
                revert IDataDAO.DataDAO_AlreadyProposed(before);
            }
            s.close(before, state, s.quorumMet(before));
        }
        s.live[key] = id;
    }

    /// @dev Fixes until when and by whom is voted, and how much must be.
    function _snapshot(DaoState storage s, Head memory head, uint256 id, bool weighty)
        private
        returns (Rules memory rules)
    {
        rules.deadline = uint40(block.timestamp) + (weighty ? head.weightyPeriod : head.votingPeriod);
        uint256 bps = weighty ? head.weightyQuorumBps : head.quorumBps;
        bool member;
        if (head.byToken) {
            member = _snapshotOfToken(s, id, rules, bps);
        } else {
            uint256 least = weighty ? LEAST_WEIGHTY_QUORUM : 1;
            rules.quorum = Math.max(least, Math.ceilDiv(head.members * bps, 10_000));
            Member storage m = Dao.accountOf(msg.sender);
            member = m.joinedAt != 0 && m.votesFrom <= block.timestamp;
        }
        if (!member) rules.deposit = s.params.deposit;
    }

    function _snapshotOfToken(DaoState storage s, uint256 id, Rules memory rules, uint256 bps)
        private
        returns (bool member)
    {
        IVotes token = IVotes(s.token);
        rules.snapshot = DaoRules.clockOf(address(token)) - 1;
        uint256 supply = token.getPastTotalSupply(rules.snapshot);
        rules.quorum = Math.max(1, Math.mulDiv(supply, bps, 10_000, Math.Rounding.Ceil));
        if (rules.quorum > type(uint104).max) revert IDataDAO.DataDAO_PowerOutOfRange(rules.quorum);
        Detail storage d = s.details[id];
        (d.snapshot, d.quorum) = (uint48(rules.snapshot), uint104(rules.quorum));
        return token.getPastVotes(msg.sender, rules.snapshot) != 0;
    }

    function _write(DaoState storage s, uint256 id, Draft memory draft, Rules memory rules, bool weighty, bool byToken)
        private
    {
        (uint8 form, bytes32 digest) = PackedCid.pack(draft.cid);
        if (form == PackedCid.LONG) s.longCids[id] = draft.cid;
        uint8 kind = uint8(draft.action);
        if (weighty) kind |= Dao.WEIGHTY;
        if (rules.deposit != 0) {
            kind |= Dao.DEPOSITED;
            s.owed += rules.deposit;
        }
        // Of a token the quorum is with the snapshot.
        uint32 quorum = byToken ? 0 : uint32(rules.quorum);
        Dao.write(Dao.proposalOf(id), rules.deadline, form, kind, msg.sender, draft.size, quorum, digest);
    }
}
