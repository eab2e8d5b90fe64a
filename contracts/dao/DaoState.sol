// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { Attested, CidAction, DaoParams, ProposalState } from "../interfaces/IDataDAO.sol";
import { CidHash } from "../interfaces/IEstuaryPinning.sol";
import { PackedCid } from "./PackedCid.sol";

/// @dev What nearly every call reads, and writes: in one slot, with those parameters that voting and proposing need. A DAO whose
/// `seq` is 0 is not initialised.
struct Head {
    uint48 seq;
    uint48 count; // proposals
    bool byToken;
    uint32 votingPeriod;
    uint32 weightyPeriod;
    uint16 quorumBps;
    uint16 weightyQuorumBps;
    uint32 members; // in the register
    uint24 numbers; // that were given to members, who have gone too
}

struct Member {
    uint40 joinedAt;
    uint40 votesFrom;
    uint40 invitesFrom; // when the period of `invites` began
    uint8 invites; // made in that period
    uint32 index; // in `members`
    uint24 number; // from 1; of its bit in the votes. It stays an account's, which may leave and come back
}

/// @dev What belongs to an account; see `Dao.accountOf`.
struct Account {
    Member member;
    uint256 nonce; // of the next ballot that it signs
}

struct Invitation {
    address inviter;
    uint40 until;
}

/// @dev Three slots: what votes change, who and what, the CID; and, next to them, who voted. `Dao.write` and `Dao.bitOf` know their layout.
struct Proposal {
    uint96 up;
    uint96 down;
    uint40 deadline;
    uint8 form; // of the CID (PackedCid)
    uint8 kind; // a CidAction and flags
    ProposalState closed; // None until the end is recorded
    address proposer;
    uint64 size;
    uint32 quorum; // in a register; that of a token is in Detail
    bytes32 digest; // of the CID; 0 where it is in `longCids`
    uint256[1 << 16] voted; // in a register, a bit for each member's number
}

/// @dev What proposals have that are weighty, have data, or are voted on with a token.
struct Detail {
    uint96 budget;
    uint48 snapshot;
    uint104 quorum;
    bytes32 dataHash; // keccak256 of the data; 0 where there is none
}

/// @dev An accepted CID.
struct Accepted {
    uint48 proposalId;
    uint64 size;
    uint64 dealId; // in PerpetualStorage; 0 for none
}

/// @dev All that a DAO stores. Libraries that are linked get it by reference.
struct DaoState {
    Head head;
    DaoParams params;
    address owner;
    address token; // 0 unless head.byToken
    uint256 owed; // held deposits and credits
    mapping(address account => uint256) credits;
    mapping(uint256 sixDays => uint256) spent; // from the treasury, by the number of the six days
    mapping(uint256 proposalId => Proposal) proposals;
    mapping(uint256 proposalId => Detail) details;
    mapping(uint256 proposalId => bytes) longCids;
    mapping(uint256 proposalId => Attested) attested;
    mapping(bytes32 key => uint256 proposalId) live;
    mapping(CidHash => Accepted) cids;
    address[] members;
    mapping(address account => Invitation) invitations;
}

/// @title Dao
/// @notice Reads a DaoState and keeps its counters.
library Dao {
    uint8 internal constant ACTION = 0x0f;
    uint8 internal constant WEIGHTY = 0x40;
    uint8 internal constant DEPOSITED = 0x80;

    /// @dev The cap holds in any 30 days: what was spent counts for the rest of its six days and the 30 days after.
    uint256 internal constant SIX_DAYS = 6 days;

    /// @dev What accounts have lies where the five highest bits of a slot's number are 1, wherever hashes of the compiler's happen to be.
    uint256 private constant ACCOUNTS = 1 << 251;

    /// @notice What belongs to an account. Filecoin keeps a contract's slots in a tree of 32 branches by the bits of their numbers and stores the nodes
    /// above what was written anew, by the byte. All accounts are below one branch, so that a transaction that writes none of them costs the same
    /// however many there are (docs/decisions).
    function accountOf(address account) internal pure returns (Account storage a) {
        uint256 slot = _below(account, 0);
        assembly ("memory-safe") {
            a.slot := slot
        }
    }

    /// @notice The bit that says whether a voter voted on a proposal: in a register beside the proposal's votes, by the member's number; of a token's
    /// holder beside the holder, by the proposal's.
    function bitOf(DaoState storage s, uint256 id, address voter, bool byToken)
        internal
        view
        returns (uint256 slot, uint256 bit)
    {
        if (byToken) return (_below(voter, 1 + (id >> 8)), 1 << (id & 0xff));
        Proposal storage p = s.proposals[id];
        uint256 seat = accountOf(voter).member.number;
        assembly ("memory-safe") {
            slot := add(add(p.slot, 3), shr(8, seat))
        }
        bit = 1 << (seat & 0xff);
    }

    /// @notice Whether a voter voted on a proposal.
    function hasVoted(DaoState storage s, uint256 id, address voter) internal view returns (bool) {
        (uint256 slot, uint256 bit) = bitOf(s, id, voter, s.head.byToken);
        uint256 word;
        assembly ("memory-safe") {
            word := sload(slot)
        }
        return word & bit != 0;
    }

    function _below(address account, uint256 n) private pure returns (uint256 slot) {
        assembly ("memory-safe") {
            mstore(0, account)
            mstore(0x20, n)
            slot := or(ACCOUNTS, shr(5, keccak256(0, 0x40)))
        }
    }

    /// @notice The number that the next event carries.
    function takeSeq(DaoState storage s) internal returns (uint64 seq) {
        seq = s.head.seq;
        s.head.seq = uint48(seq + 1);
    }

    function cidOf(DaoState storage s, uint256 id) internal view returns (bytes memory) {
        Proposal storage p = s.proposals[id];
        uint8 form = p.form;
        return form == PackedCid.LONG ? s.longCids[id] : PackedCid.unpack(form, p.digest);
    }

    /// @notice The first slot of a proposal: up 96 | down 96 | deadline 40 | form 8 | kind 8 | closed 8, from the lowest bit.
    function tallyOf(Proposal storage p) internal view returns (uint256 tally) {
        assembly ("memory-safe") {
            tally := sload(p.slot)
        }
    }

    /// @notice Adds votes to a tally. Who calls it has seen that they fit.
    function count(Proposal storage p, uint256 tally, uint256 power, bool support) internal {
        tally += power << (support ? 0 : 96);
        assembly ("memory-safe") {
            sstore(p.slot, tally)
        }
    }

    /// @notice Writes a proposal without votes, each slot once.
    function write(
        Proposal storage p,
        uint40 deadline,
        uint8 form,
        uint8 kind,
        address proposer,
        uint64 size,
        uint32 quorum,
        bytes32 digest
    ) internal {
        uint256 tally = uint256(deadline) << 192 | uint256(form) << 232 | uint256(kind) << 240;
        uint256 source = uint256(uint160(proposer)) | uint256(size) << 160 | uint256(quorum) << 224;
        assembly ("memory-safe") {
            sstore(p.slot, tally)
            sstore(add(p.slot, 1), source)
            sstore(add(p.slot, 2), digest)
        }
    }

    /// @notice The proposal of this content that is under way; see IDataDAO.
    function keyOf(CidHash cidHash, CidAction action, uint64 size, uint96 budget, bytes32 dataHash)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(cidHash, action, size, budget, dataHash));
    }

    function isWeighty(Proposal storage p) internal view returns (bool) {
        return p.kind & WEIGHTY != 0;
    }

    function quorumOf(DaoState storage s, uint256 id) internal view returns (uint256) {
        uint256 quorum = s.proposals[id].quorum;
        return quorum == 0 ? s.details[id].quorum : quorum;
    }

    function quorumMet(DaoState storage s, uint256 id) internal view returns (bool) {
        Proposal storage p = s.proposals[id];
        return uint256(p.up) + p.down >= quorumOf(s, id);
    }

    function createdAt(DaoState storage s, Proposal storage p) internal view returns (uint40) {
        return p.deadline - (isWeighty(p) ? s.head.weightyPeriod : s.head.votingPeriod);
    }

    /// @notice When a proposal that is made now may be executed at the earliest.
    function earliest(DaoState storage s, bool weighty) internal view returns (uint256) {
        return
            block.timestamp + (weighty ? s.head.weightyPeriod + uint256(s.params.executionDelay) : s.head.votingPeriod);
    }

    /// @notice From when to when a proposal may be executed if it passes.
    function readyBetween(DaoState storage s, Proposal storage p) internal view returns (uint40 from, uint40 until) {
        from = p.deadline + (isWeighty(p) ? s.params.executionDelay : 0);
        until = from + s.params.executionWindow;
    }

    function stateOf(DaoState storage s, uint256 id) internal view returns (ProposalState) {
        Proposal storage p = s.proposals[id];
        uint40 deadline = p.deadline;
        if (deadline == 0) return ProposalState.None;
        ProposalState closed = p.closed;
        if (closed != ProposalState.None) return closed;
        if (block.timestamp < deadline) return ProposalState.Active;
        if (p.up <= p.down || !quorumMet(s, id)) return ProposalState.Defeated;
        (uint40 from, uint40 until) = readyBetween(s, p);
        if (block.timestamp < from) return ProposalState.Queued;
        return block.timestamp < until ? ProposalState.Ready : ProposalState.Expired;
    }

    /// @notice What was taken from the treasury in the last 30 days and what is left of their six days.
    function spentLately(DaoState storage s) internal view returns (uint256 sum) {
        uint256 today = block.timestamp / SIX_DAYS;
        for (uint256 i = 0; i < 6; ++i) {
            sum += s.spent[today - i];
        }
    }
}
