// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { PieceCid } from "../fvm/PieceCid.sol";
import {
    Attested,
    Ballot,
    CidAction,
    DaoParams,
    Draft,
    IDataDAO,
    ProposalState,
    Rules
} from "../interfaces/IDataDAO.sol";
import { CidHash, IEstuaryPinning } from "../interfaces/IEstuaryPinning.sol";
import {
    Actions,
    IExecutionProvider,
    Outcomes,
    PinPayload,
    RequestOptions
} from "../interfaces/IExecutionProvider.sol";
import { Oracle } from "../oracle/Oracle.sol";
import { Cids } from "../pinning/Cids.sol";
import { DaoExecution } from "./DaoExecution.sol";
import { DaoIntake } from "./DaoIntake.sol";
import { DaoRules } from "./DaoRules.sol";
import { Dao, DaoState, Head, Member, Proposal } from "./DaoState.sol";
import { Order } from "./DaoTreasury.sol";
import { Membership } from "./Membership.sol";
import { PackedCid } from "./PackedCid.sol";
import { IVotes } from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title DataDAO
/// @notice See IDataDAO. One implementation for each provider; DAOs are clones of it (DataDAOFactory).
/// @dev Proposals go None → Active → Defeated | Queued → Ready → Expired by time alone, and to Executed, Cancelled or Refuted by a call.
/// A proposal's end is recorded once (`closed`), with its deposit; then its content may be proposed again. Who only looks
/// uses `stateOf`.
///
/// Money: balance ≥ owed = Σ deposits held + Σ credits; the rest is the treasury, which only execution takes from, within the
/// proposal's budget and the cap of 30 days. There are no arbitrary calls: what a DAO can do is in CidAction.
contract DataDAO is Membership, Oracle, EIP712 {
    using Dao for DaoState;

    /// @notice What f05 calls its client's authorisation with (FRC-0042); kept from the first draft.
    uint64 public constant AUTHORIZE_MESSAGE_METHOD_NUM = 2_643_134_072;
    bytes32 private constant BALLOT_TYPEHASH =
        keccak256("Ballot(uint256 proposalId,bool support,address voter,uint256 deadline)");

    IEstuaryPinning public immutable pinning;
    uint32 public immutable sizeCallbackGas;
    uint40 public immutable sizeTerm;

    /// @param callbackGas what the answer to `requestSize` needs, in the chain's own unit: 150,000 on an EVM
    /// @param sizeTerm_ seconds that operators have for it
    constructor(IExecutionProvider provider_, IEstuaryPinning pinning_, uint32 callbackGas, uint40 sizeTerm_)
        Oracle(provider_)
        EIP712("Tidegate DataDAO", "1")
    {
        if (address(pinning_) == address(0)) revert DataDAO_ParamOutOfRange("pinning");
        if (sizeTerm_ < provider_.minDeadline()) revert DataDAO_ParamOutOfRange("sizeTerm");
        pinning = pinning_;
        sizeCallbackGas = callbackGas;
        sizeTerm = sizeTerm_;
        _s.head.seq = 1; // the implementation is no DAO
    }

    /// @notice Makes a clone a DAO. The factory calls it in the transaction that makes the clone.
    function initialize(DaoParams calldata params_, address owner_, address[] calldata founders, address token_)
        external
        payable
    {
        if (_s.head.seq != 0) revert DataDAO_AlreadyInitialized();
        DaoRules.check(params_, token_);
        _s.params = params_;
        _s.owner = owner_;
        _s.token = token_;
        Head storage head = _s.head;
        head.byToken = token_ != address(0);
        (head.votingPeriod, head.weightyPeriod) = (params_.votingPeriod, params_.weightyPeriod);
        (head.quorumBps, head.weightyQuorumBps) = (params_.quorumBps, params_.weightyQuorumBps);
        emit DaoConfigured(owner_, token_, _s.takeSeq(), params_);
        _found(founders);
        if (msg.value != 0) emit TreasuryFunded(owner_, _s.takeSeq(), msg.value);
    }

    receive() external payable {
        emit TreasuryFunded(msg.sender, _s.takeSeq(), msg.value);
    }

    // ------------------------------------------------------------- proposing

    /// @inheritdoc IDataDAO
    function createCIDProposal(bytes calldata cid, uint256 size) external payable nonReentrant returns (uint256) {
        return DaoIntake.add(_s, cid, size);
    }

    /// @inheritdoc IDataDAO
    function propose(Draft calldata draft) external payable nonReentrant returns (uint256) {
        return DaoIntake.propose(_s, draft);
    }

    // ---------------------------------------------------------------- voting

    /// @inheritdoc IDataDAO
    function voteCIDProposal(uint256 proposalId, bool support) external nonReentrant {
        _vote(proposalId, msg.sender, support, Dao.NOWHERE);
    }

    /// @inheritdoc IDataDAO
    function voteCIDProposalAt(uint256 proposalId, bool support, uint256 place) external nonReentrant {
        _vote(proposalId, msg.sender, support, place);
    }

    /// @inheritdoc IDataDAO
    function voteCIDProposals(uint256[] calldata proposalIds, bool[] calldata support) external nonReentrant {
        if (proposalIds.length != support.length) revert DataDAO_LengthMismatch();
        for (uint256 i = 0; i < proposalIds.length; ++i) {
            _vote(proposalIds[i], msg.sender, support[i], Dao.NOWHERE);
        }
    }

    /// @inheritdoc IDataDAO
    /// @dev A masked ID address (Filecoin's form of accounts that are not Ethereum's) signs nothing; of a contract it would be a
    /// second name, with a second vote. What is replayed is refused by the bit that says who voted.
    function voteBySignature(Ballot[] calldata ballots) external nonReentrant {
        for (uint256 i = 0; i < ballots.length; ++i) {
            Ballot calldata b = ballots[i];
            if (block.timestamp > b.deadline) revert DataDAO_BallotExpired(b.deadline);
            bytes32 digest =
                _hashTypedDataV4(keccak256(abi.encode(BALLOT_TYPEHASH, b.proposalId, b.support, b.voter, b.deadline)));
            if (
                uint160(b.voter) >> 64 == 0xff0000000000000000000000
                    || !SignatureChecker.isValidSignatureNow(b.voter, digest, b.signature)
            ) revert DataDAO_BadSignature(b.voter);
            _vote(b.proposalId, b.voter, b.support, b.place);
        }
    }

    function _vote(uint256 id, address voter, bool support, uint256 place) private {
        Proposal storage p = Dao.proposalOf(id);
        uint256 tally = Dao.tallyOf(p);
        uint40 deadline = uint40(tally >> 192);
        if (deadline == 0) revert DataDAO_UnknownProposal(id);
        if (block.timestamp >= deadline || tally >> 248 != 0) revert DataDAO_VotingExpired(id, deadline);
        if (voter == p.proposer) revert DataDAO_OwnProposal(id);
        Head memory head = _s.head;
        (uint256 number, uint256 votesFrom) = Dao.seatOf(head, voter, place);
        _mark(id, voter, head.byToken, number);
        uint256 power = _powerOf(head, id, tally, voter, votesFrom);
        if (power == 0) _refuse(head.byToken, id, voter);
        uint256 sum = power + uint96(support ? tally : tally >> 96);
        if (sum > type(uint96).max) revert DataDAO_PowerOutOfRange(sum);
        Dao.count(p, tally, power, support);
        _s.head.seq = head.seq + 1;
        emit VoteCast(id, voter, head.seq, support, power);
    }

    /// @dev Records that a voter voted, once.
    function _mark(uint256 id, address voter, bool byToken, uint256 number) private {
        (uint256 slot, uint256 bit) = Dao.bitOf(id, voter, byToken, number);
        uint256 word;
        assembly ("memory-safe") {
            word := sload(slot)
        }
        if (word & bit != 0) revert DataDAO_AlreadyVoted(id, voter);
        assembly ("memory-safe") {
            sstore(slot, or(word, bit))
        }
    }

    function _refuse(bool byToken, uint256 id, address voter) private view {
        Member storage m = Dao.accountOf(voter);
        if (byToken) revert DataDAO_NoPower(id, voter);
        if (m.joinedAt == 0) revert DataDAO_NotMember(voter);
        revert DataDAO_TooYoung(voter, m.votesFrom);
    }

    function _powerOf(Head memory head, uint256 id, uint256 tally, address voter, uint256 votesFrom)
        private
        view
        returns (uint256)
    {
        if (head.byToken) return IVotes(_s.token).getPastVotes(voter, _s.details[id].snapshot);
        uint256 period = (tally >> 240) & Dao.WEIGHTY != 0 ? head.weightyPeriod : head.votingPeriod;
        return votesFrom != 0 && votesFrom + period <= uint40(tally >> 192) ? 1 : 0;
    }

    // ---------------------------------------------------------------- ending

    /// @inheritdoc IDataDAO
    function executeCIDProposal(uint256 proposalId, bytes calldata data) external payable nonReentrant {
        _execute(proposalId, data);
    }

    /// @inheritdoc IDataDAO
    function executeCIDProposal(uint256 proposalId) external payable nonReentrant {
        _execute(proposalId, msg.data[:0]);
    }

    function _execute(uint256 id, bytes calldata data) private {
        ProposalState state = _s.stateOf(id);
        if (state != ProposalState.Ready) revert DataDAO_NotReady(id, state);
        bytes32 dataHash = data.length == 0 ? bytes32(0) : keccak256(data);
        if (dataHash != _s.details[id].dataHash) revert DataDAO_BadData();
        Proposal storage p = Dao.proposalOf(id);
        uint64 said = p.size;
        uint64 is_ = _s.attested[id].size;
        if (is_ != 0 && is_ != said) revert DataDAO_WrongSize(said, is_);

        Order memory order = Order({
            id: id,
            cidHash: Cids.hashOf(_s.cidOf(id)),
            action: CidAction(p.kind & Dao.ACTION),
            budget: _s.details[id].budget,
            value: msg.value,
            paid: 0
        });
        DaoExecution.run(_s, pinning, order, data);
    }

    /// @inheritdoc IDataDAO
    function cancelProposal(uint256 proposalId) external nonReentrant {
        DaoIntake.cancel(_s, proposalId);
    }

    /// @inheritdoc IDataDAO
    function closeProposal(uint256 proposalId) external nonReentrant {
        DaoIntake.settle(_s, proposalId);
    }

    // ------------------------------------------------------------------ size

    /// @inheritdoc IDataDAO
    function requestSize(uint256 proposalId, uint64 maxBytes)
        external
        payable
        nonReentrant
        returns (bytes32 requestId)
    {
        if (_s.stateOf(proposalId) == ProposalState.None) {
            revert DataDAO_UnknownProposal(proposalId);
        }
        if (_s.attested[proposalId].size != 0) revert DataDAO_AlreadyAttested(proposalId);
        PinPayload memory payload;
        payload.cid = _s.cidOf(proposalId);
        payload.requester = address(this);
        payload.maxBytes = maxBytes;
        requestId = _request(
            Actions.PREPARE,
            maxBytes,
            0,
            abi.encode(payload),
            abi.encode(proposalId),
            RequestOptions(sizeCallbackGas, uint40(block.timestamp) + sizeTerm, msg.sender),
            msg.value
        );
        emit SizeRequested(proposalId, requestId, _s.takeSeq());
    }

    /// @inheritdoc IDataDAO
    function quoteSize(uint64 maxBytes) external view returns (uint96 fee) {
        (fee,) = _quote(Actions.PREPARE, maxBytes, 0, sizeCallbackGas);
    }

    /// @dev An answer is kept and judged by nobody here: `reportSize` compares.
    function _onResult(bytes32 requestId, bytes calldata context, uint8 outcome, uint8, bytes calldata result)
        internal
        override
    {
        uint256 id = abi.decode(context, (uint256));
        if (outcome != Outcomes.SUCCEEDED || _s.attested[id].size != 0) return;
        Attested memory attested;
        bytes memory piece;
        (piece, attested.paddedSize, attested.carSize, attested.size) =
            abi.decode(result, (bytes, uint64, uint64, uint64));
        (attested.commitment,,) = PieceCid.read(piece);
        _s.attested[id] = attested;
        emit SizeAttested(id, requestId, _s.takeSeq(), attested);
    }

    /// @inheritdoc IDataDAO
    function reportSize(uint256 proposalId) external nonReentrant {
        DaoIntake.reportSize(_s, proposalId);
    }

    // ----------------------------------------------------------------- money

    /// @inheritdoc IDataDAO
    function treasury() public view returns (uint256) {
        return address(this).balance - _s.owed;
    }

    /// @inheritdoc IDataDAO
    function spendable() external view returns (uint256) {
        uint256 spent = _s.spentLately();
        uint256 most = _s.params.maxPer30Days;
        return most > spent ? most - spent : 0;
    }

    /// @inheritdoc IDataDAO
    function collectRefunds() external nonReentrant returns (uint256 amount) {
        return DaoExecution.collectRefunds(provider, pinning);
    }

    /// @inheritdoc IDataDAO
    function creditOf(address account) external view returns (uint256) {
        return _s.credits[account];
    }

    /// @inheritdoc IDataDAO
    function withdraw(address payable to) external nonReentrant returns (uint256 amount) {
        amount = _s.credits[msg.sender];
        if (amount == 0) revert DataDAO_NothingToWithdraw(msg.sender);
        if (to == address(0)) revert DataDAO_TransferFailed(to);
        _s.credits[msg.sender] = 0;
        _s.owed -= amount;
        emit Withdrawn(msg.sender, _s.takeSeq(), to, amount);
        bool sent;
        assembly ("memory-safe") {
            sent := call(gas(), to, amount, 0, 0, 0, 0)
        }
        if (!sent) revert DataDAO_TransferFailed(to);
    }

    /// @inheritdoc IDataDAO
    function resignGuardian() external nonReentrant {
        if (msg.sender != _s.params.guardian) revert DataDAO_NotCanceller(msg.sender);
        (_s.params.guardian, _s.params.guardianUntil) = (address(0), 0);
        emit GuardianResigned(msg.sender, _s.takeSeq());
    }

    // ----------------------------------------------------------------- views

    /// @inheritdoc IDataDAO
    function votingIsExpired(uint256 proposalId) external view returns (bool) {
        uint40 deadline = Dao.proposalOf(proposalId).deadline;
        if (deadline == 0) revert DataDAO_UnknownProposal(proposalId);
        return block.timestamp >= deadline;
    }

    /// @inheritdoc IDataDAO
    function proposalCount() external view returns (uint256) {
        return _s.head.count;
    }

    /// @inheritdoc IDataDAO
    function proposals(uint256 id)
        external
        view
        returns (
            uint256 proposalID,
            address storageProvider,
            bytes memory cidraw,
            uint256 size,
            uint256 upVoteCount,
            uint256 downVoteCount,
            uint256 proposedAt,
            uint256 proposalExpireAt
        )
    {
        Proposal storage p = Dao.proposalOf(id);
        proposalExpireAt = p.deadline;
        if (proposalExpireAt == 0) revert DataDAO_UnknownProposal(id);
        (proposalID, storageProvider, cidraw, size) = (id, p.proposer, _s.cidOf(id), p.size);
        (upVoteCount, downVoteCount, proposedAt) = (p.up, p.down, _s.createdAt(p));
    }

    /// @inheritdoc IDataDAO
    function stateOf(uint256 proposalId) external view returns (ProposalState) {
        return _s.stateOf(proposalId);
    }

    /// @inheritdoc IDataDAO
    function rulesOf(uint256 proposalId)
        external
        view
        returns (CidAction action, uint256 quorum, uint256 snapshot, uint40 readyAt, uint40 until, uint96 budget)
    {
        Proposal storage p = Dao.proposalOf(proposalId);
        if (p.deadline == 0) revert DataDAO_UnknownProposal(proposalId);
        action = CidAction(p.kind & Dao.ACTION);
        quorum = _s.quorumOf(proposalId);
        (snapshot, budget) = (_s.details[proposalId].snapshot, _s.details[proposalId].budget);
        (readyAt, until) = _s.readyBetween(p);
    }

    /// @inheritdoc IDataDAO
    function attestedOf(uint256 proposalId) external view returns (Attested memory) {
        return _s.attested[proposalId];
    }

    /// @inheritdoc IDataDAO
    function hasVotedForProposal(address voter, uint256 proposalId) external view returns (bool) {
        return _s.hasVoted(proposalId, voter);
    }

    /// @inheritdoc IDataDAO
    function powerOf(uint256 proposalId, address voter) external view returns (uint256) {
        Proposal storage p = Dao.proposalOf(proposalId);
        if (p.deadline == 0) revert DataDAO_UnknownProposal(proposalId);
        if (voter == p.proposer) return 0;
        return _powerOf(_s.head, proposalId, Dao.tallyOf(p), voter, Dao.accountOf(voter).votesFrom);
    }

    /// @inheritdoc IDataDAO
    function cidSet(bytes calldata cid) external view returns (bool) {
        return _s.cids[Cids.hashOf(cid)].proposalId != 0;
    }

    /// @inheritdoc IDataDAO
    function cidSizes(bytes calldata cid) external view returns (uint256) {
        return _s.cids[Cids.hashOf(cid)].size;
    }

    /// @inheritdoc IDataDAO
    function acceptedBy(bytes calldata cid) external view returns (uint256 proposalId) {
        return _s.cids[Cids.hashOf(cid)].proposalId;
    }

    /// @inheritdoc IDataDAO
    function storageOf(bytes calldata cid) external view returns (uint64 dealId) {
        return _s.cids[Cids.hashOf(cid)].dealId;
    }

    /// @inheritdoc IDataDAO
    function cidProviders(bytes calldata cid, bytes calldata storageProvider) external view returns (bool) {
        return DaoExecution.cidProviders(_s, pinning, cid, storageProvider);
    }

    /// @inheritdoc IDataDAO
    function token() external view returns (address) {
        return _s.token;
    }

    /// @inheritdoc IDataDAO
    function owner() external view returns (address) {
        return _s.owner;
    }

    /// @inheritdoc IDataDAO
    function guardian() external view returns (address account, uint40 until) {
        return (_s.params.guardian, _s.params.guardianUntil);
    }

    /// @inheritdoc IDataDAO
    function params() external view returns (DaoParams memory) {
        return _s.params;
    }

    /// @inheritdoc IDataDAO
    function nextSeq() external view returns (uint64) {
        return _s.head.seq;
    }
}
