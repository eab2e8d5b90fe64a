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

/// @dev What is kept of an account, in one slot; see `Dao.accountOf`.
struct Member {
    uint40 joinedAt; // 0 for who is none
    uint40 votesFrom;
    uint40 invitesFrom; // when the period of `invites` began
    uint8 invites; // made in that period
    uint32 place; // of its seat
    uint24 number; // from 1; of its bit in the votes. It stays an account's, which may leave and come back
}

/// @dev What a vote needs of a member, at its place: 0 to members − 1, the last taking the place of who leaves; see `Dao.seatAt`.
struct Seat {
    address account;
    uint40 votesFrom; // that of Member
    uint24 number; // that of Member
}

struct Invitation {
    address inviter;
    uint40 until;
}

/// @dev Three slots: what votes change, who and what, the CID; and, next to them, who voted. `Dao.write` and `Dao.bitOf` know their layout. Every
/// other slot is empty, as Filecoin's tree would give two neighbours a node of their own; see `Dao.proposalOf`.
struct Proposal {
    uint96 up;
    uint96 down;
    uint40 deadline;
    uint8 form; // of the CID (PackedCid)
    uint8 kind; // a CidAction and flags
    ProposalState closed; // None until the end is recorded
    uint256 empty1;
    address proposer;
    uint64 size;
    uint32 quorum; // in a register; that of a token is in Detail
    uint256 empty2;
    bytes32 digest; // of the CID; 0 where it is in `longCids`
    uint256 empty3;
    uint256[1 << 17] voted; // in a register, a bit for each member's number: 256 in every other
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
    mapping(uint256 proposalId => Detail) details;
    mapping(uint256 proposalId => bytes) longCids;
    mapping(uint256 proposalId => Attested) attested;
    mapping(bytes32 key => uint256 proposalId) live;
    mapping(CidHash => Accepted) cids;
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
    /// @dev Bits of a hash that a member's record has: four of the tree's first step below ACCOUNTS, three of the second, all from the
    /// third on but the lowest, which is 1 in every record and 0 in every stake.
    uint256 private constant HASHED = 0xf << 246 | 0x7 << 241 | (1 << 241) - 2;
    /// @dev In the second step, of stakes and of no record.
    uint256 private constant ASIDE = 1 << 245;
    uint256 private constant SEATS = 2 << 251;
    uint256 private constant PROPOSALS = 1 << 255;

    /// @dev A place where nobody sits.
    uint256 internal constant NOWHERE = type(uint256).max;

    /// @notice A member's record. Filecoin keeps a contract's slots in a tree of 32 branches by the bits of their numbers, five at a step from the top, makes
    /// a node where two slots share all bits before, and stores the nodes above what was written anew, by the byte. All records are below one branch, so
    /// that a transaction that writes none of them costs the same however many there are; and on a way of three nodes among ten members as among a
    /// thousand, of 16, 8 and 32 branches: the stakes beside the way see to it (docs/decisions).
    function accountOf(address account) internal pure returns (Member storage m) {
        assembly ("memory-safe") {
            mstore(0, account)
            m.slot := or(or(ACCOUNTS, 1), and(HASHED, keccak256(0, 0x20)))
        }
    }

    /// @notice Stakes for a register that begins: below each of the first step's branches a slot that no record is at, so that who comes first to a
    /// branch has the second node on its way.
    function stake() internal {
        for (uint256 i = 0; i < 16; ++i) {
            uint256 slot = ACCOUNTS | i << 246 | ASIDE;
            assembly ("memory-safe") {
                sstore(slot, 1)
            }
        }
    }

    /// @notice The stake for a record, which makes the third node on its way: at the same branches of two steps, and 0 from the third on. There are 128.
    function stakeFor(Member storage m) internal {
        assembly ("memory-safe") {
            sstore(shl(241, shr(241, m.slot)), 1)
        }
    }

    /// @notice A proposal. Its slots, and the bits of 7,424 members, are in one node of the tree: they differ in five bits that are one step in it. They
    /// are below the other half of the root, each proposal wherever its hash is.
    function proposalOf(uint256 id) internal pure returns (Proposal storage p) {
        assembly ("memory-safe") {
            mstore(0, id)
            p.slot := or(PROPOSALS, shl(21, keccak256(0, 0x20)))
        }
    }

    /// @notice The seat at a place. Whoever names its place is found without a search, and on a way of as many nodes of the tree among ten members as
    /// among 1,024: the two lowest bits of a place are taken first, one at a step. Then four bits at a step, and two at each before: nodes of 16
    /// seats below nodes of 8, as Filecoin counts each link and seat of a node that it reads. The tree takes five bits at a step from the
    /// top of 256: the one that is left at the bottom is 0, or each two seats would have a node of their own.
    function seatAt(uint256 place) internal pure returns (Seat storage s) {
        uint256 slot = SEATS | (place & 0x3c) >> 1; // 16 seats
        slot |= (place & 0x2) << 5 | (place & 0xc0) << 1; // in 8 nodes
        slot |= (place & 0x1) << 11 | (place & 0x300) << 4; // in 8 nodes
        slot |= place >> 10 << 16;
        assembly ("memory-safe") {
            s.slot := slot
        }
    }

    /// @notice Gives a place to a member; to 0, to nobody.
    function seat(uint256 place, address account, uint40 votesFrom, uint24 number) internal {
        Seat storage s = seatAt(place);
        (s.account, s.votesFrom, s.number) = (account, votesFrom, number);
    }

    /// @notice A member's number, and from when on it votes: at the place that is named, or wherever it is. Zeros for others, and where a token votes.
    function seatOf(Head memory head, address voter, uint256 place)
        internal
        view
        returns (uint256 number, uint256 votesFrom)
    {
        if (head.byToken) return (0, 0);
        if (place < head.members) {
            Seat memory sits = seatAt(place);
            if (sits.account == voter) return (sits.number, sits.votesFrom);
        }
        Member storage m = accountOf(voter);
        return (m.number, m.votesFrom);
    }

    /// @notice The bit that says whether a voter voted on a proposal: in a register beside the proposal's votes, by the member's number; of a token's
    /// holder in words of its own, by the proposal's. These are where records are in a register: no DAO has both.
    function bitOf(uint256 id, address voter, bool byToken, uint256 number)
        internal
        pure
        returns (uint256 slot, uint256 bit)
    {
        if (byToken) return (_wordOf(voter, id >> 8), 1 << (id & 0xff));
        Proposal storage p = proposalOf(id);
        uint256 word = 6 + (number >> 8 << 1);
        assembly ("memory-safe") {
            slot := add(p.slot, word)
        }
        bit = 1 << (number & 0xff);
    }

    /// @notice Whether a voter voted on a proposal.
    function hasVoted(DaoState storage s, uint256 id, address voter) internal view returns (bool) {
        (uint256 slot, uint256 bit) = bitOf(id, voter, s.head.byToken, accountOf(voter).number);
        uint256 word;
        assembly ("memory-safe") {
            word := sload(slot)
        }
        return word & bit != 0;
    }

    function _wordOf(address account, uint256 n) private pure returns (uint256 slot) {
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
        Proposal storage p = proposalOf(id);
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
            sstore(add(p.slot, 2), source)
            sstore(add(p.slot, 4), digest)
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
        uint256 quorum = proposalOf(id).quorum;
        return quorum == 0 ? s.details[id].quorum : quorum;
    }

    function quorumMet(DaoState storage s, uint256 id) internal view returns (bool) {
        Proposal storage p = proposalOf(id);
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
        Proposal storage p = proposalOf(id);
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
