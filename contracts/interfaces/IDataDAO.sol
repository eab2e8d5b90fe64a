// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { CidHash } from "./IEstuaryPinning.sol";
import { DealTerms } from "./IPerpetualStorage.sol";

/// @notice What a DAO is made with; none of it changes later. Times in seconds, money in wei, shares in hundredths of a percent.
struct DaoParams {
    uint32 votingPeriod; // how long members vote on adding a CID; 10 minutes to 90 days, 1 hour by custom
    uint32 weightyPeriod; // the same for a weighty proposal; 1 to 90 days
    uint32 executionDelay; // from the end of a weighty vote to its execution; 1 to 90 days
    uint32 executionWindow; // how long a passed proposal may be executed; 1 to 90 days
    uint32 membershipAge; // a new member votes on, and makes, proposals created this long after it joined; 1 to 90 days
    uint32 invitePeriod; // a member may invite `inviteLimit` accounts in each; 1 to 365 days
    uint8 inviteLimit; // 0 closes the register
    uint16 quorumBps; // of the power at the snapshot, what must vote on adding a CID; 1 to 10,000
    uint16 weightyQuorumBps; // the same for a weighty proposal; 2,000 to 10,000
    uint96 deposit; // of who proposes and is no member; lost below quorum
    uint96 maxPerProposal; // most that one proposal takes from the treasury
    uint128 maxPer30Days; // most that all of them take in any 30 days
    uint96 tip; // of who executes a proposal that has a budget, out of it; at most `maxPerProposal`, 0 for none
    address guardian; // may cancel proposals until `guardianUntil`; 0 for none
    uint40 guardianUntil; // at most 3 years from now; 0 without a guardian
}

/// @notice What members decide about a CID. Adding with no budget is decided in `votingPeriod`; the rest is weighty.
enum CidAction {
    Add, // accept it, have it pinned and, if terms were given, stored
    Remove, // no longer accept it, unpin it, and let its deal run out
    Renew, // pin it until a later time
    Store, // have an accepted CID stored by a deal of PerpetualStorage, which the DAO owns
    RenewStorage, // give its deal more money, and another end
    ChangeBounty, // of its deal
    ChangeReplicas // of its deal
}

/// @notice Where a proposal stands. Executed, Cancelled and Refuted are final, Defeated and Expired too.
enum ProposalState {
    None,
    Active, // members vote
    Defeated, // too few voted, or not more for than against
    Queued, // passed; its delay runs
    Ready, // passed and may be executed
    Expired, // passed and was not executed within its window
    Executed,
    Cancelled, // by its proposer or the guardian
    Refuted // its size was shown to be wrong
}

/// @notice A proposal to be made.
struct Draft {
    CidAction action;
    bytes cid; // in bytes, as `Cids` takes them
    uint64 size; // unique block bytes of the DAG; padded bytes of a piece
    uint96 budget; // most that the treasury pays at execution, its tip included; 0: whoever executes pays
    /// Add: empty or `abi.encode(AddData)`; Remove: empty; Renew: `abi.encode(uint40 expiry)`; Store: `abi.encode(StoreData)`;
    /// RenewStorage: `abi.encode(uint96 amount, uint32 endEpoch)`; ChangeBounty: `abi.encode(uint80 baseBounty, uint32 ramp)`;
    /// ChangeReplicas: `abi.encode(uint8 replicas)`.
    bytes data;
}

/// @notice What a proposal was made under.
struct Rules {
    uint40 deadline; // votes count before it
    uint256 quorum; // of the power, what must vote
    uint256 snapshot; // in the clock of the token; 0 where members are in the register
    uint256 deposit; // held
}

/// @notice Details of adding a CID.
struct AddData {
    string[] origins; // multiaddrs ending in /p2p/…, as EstuaryPinning takes them: where the content is
    uint40 expiry; // of the pin, in unix seconds; 0: the default term of EstuaryPinning from the execution on
    bytes store; // empty, or `abi.encode(StoreData)`
}

/// @notice How a CID is to be stored. Its piece is the one that operators attested (`requestSize`): without that, and for a CID of
/// another size than was voted on, there is no deal.
struct StoreData {
    uint96 amount; // what the deal begins with, out of the budget
    DealTerms terms; // as PerpetualStorage takes them
}

/// @notice A vote that its voter signed (EIP-712 type `Ballot(uint256 proposalId,bool support,address voter,uint256 deadline)`,
/// domain "Tidegate DataDAO" version "1" at the DAO). Nobody votes twice on a proposal: so a ballot counts once, and needs no other nonce.
struct Ballot {
    uint256 proposalId;
    bool support;
    address voter;
    uint256 deadline; // unix seconds; the signature is void after it
    uint256 place; // of the voter, as in `voteCIDProposalAt`; it is not signed, as whoever sends the ballot knows it better
    bytes signature; // 65 bytes, or whatever an ERC-1271 contract takes
}

/// @notice What operators attested of a proposal's CID.
struct Attested {
    uint64 size; // unique block bytes; 0: nothing is attested
    uint64 carSize;
    uint64 paddedSize; // of the piece of that CAR
    bytes32 commitment; // root of that piece's tree: its piece CID v1 is 0x0181e203922020 and this
}

/// @title IDataDAO
/// @notice Members vote on CIDs; what they accept is pinned, stored and paid for.
/// @dev Names of the first draft are kept: `createCIDProposal`, `voteCIDProposal`, `executeCIDProposal`, `votingIsExpired`, `proposalCount`,
/// `proposals`, `cidSet`, `cidSizes`, `cidProviders`, `hasVotedForProposal`, `owner`,
/// `AUTHORIZE_MESSAGE_METHOD_NUM`.
interface IDataDAO {
    /// @notice The DAO exists. `token` is 0 where members are in the register.
    event DaoConfigured(address indexed owner, address indexed token, uint64 seq, DaoParams params);
    event MemberInvited(address indexed invitee, address indexed inviter, uint64 seq, uint40 until);
    /// @notice `member` votes on proposals created at `votesFrom` or later.
    event MemberJoined(address indexed member, address indexed inviter, uint64 seq, uint40 votesFrom);
    event MemberLeft(address indexed member, uint64 seq);
    event ProposalCreated(
        uint256 indexed proposalId,
        CidHash indexed cidHash,
        address indexed proposer,
        uint64 seq,
        Rules rules,
        Draft draft
    );
    event VoteCast(uint256 indexed proposalId, address indexed voter, uint64 seq, bool support, uint256 power);
    /// @notice A passed proposal took effect. `requestId` is of the pin or unpin, 0 where there was nothing to ask; `paid` was
    /// its fee, from the treasury if `budget` was given.
    event ProposalExecuted(
        uint256 indexed proposalId,
        CidHash indexed cidHash,
        address indexed executor,
        uint64 seq,
        CidAction action,
        bytes32 requestId,
        uint256 paid
    );
    /// @notice Whoever executed a proposal was sent `amount` by the treasury, or credited it where sending failed.
    event ExecutorTipped(uint256 indexed proposalId, address indexed executor, uint64 seq, uint256 amount);
    /// @notice A deal of the DAO stores the CID; it began with `amount`.
    event StorageOpened(
        uint256 indexed proposalId, CidHash indexed cidHash, uint64 indexed dealId, uint64 seq, uint256 amount
    );
    /// @notice A proposal ended without effect.
    event ProposalClosed(uint256 indexed proposalId, CidHash indexed cidHash, uint64 seq, ProposalState state);
    /// @notice The deposit was credited to its proposer, or lost to the treasury.
    event DepositSettled(
        uint256 indexed proposalId, address indexed proposer, uint64 seq, bool returned, uint256 amount
    );
    event SizeRequested(uint256 indexed proposalId, bytes32 indexed requestId, uint64 seq);
    event SizeAttested(uint256 indexed proposalId, bytes32 indexed requestId, uint64 seq, Attested attested);
    /// @notice `size` was proposed, `attested` is what operators say it is.
    event SizeReported(uint256 indexed proposalId, CidHash indexed cidHash, uint64 seq, uint64 size, uint64 attested);
    event TreasuryFunded(address indexed from, uint64 seq, uint256 amount);
    event GuardianResigned(address indexed guardian, uint64 seq);
    event Withdrawn(address indexed account, uint64 seq, address to, uint256 amount);

    error DataDAO_ParamOutOfRange(bytes32 field);
    error DataDAO_AlreadyInitialized();
    error DataDAO_BadFounder(address founder);
    error DataDAO_NotRegister();
    error DataDAO_NotMember(address account);
    error DataDAO_TooYoung(address account, uint40 votesFrom);
    error DataDAO_AlreadyMember(address account);
    error DataDAO_NotInvited(address account);
    error DataDAO_InvitesUsed(address account, uint40 until);
    error DataDAO_BadInvitee(address account);
    error DataDAO_ZeroSize();
    error DataDAO_WrongSize(uint64 size, uint64 is_);
    error DataDAO_SizeOutOfRange(uint256 size);
    error DataDAO_AlreadyProposed(uint256 proposalId);
    error DataDAO_CidNotSet(CidHash cidHash);
    error DataDAO_CidAlreadySet(CidHash cidHash);
    error DataDAO_BadData();
    /// @dev Terms, a duration or an origin that the execution would be refused for.
    error DataDAO_TermsOutOfRange(bytes32 field);
    error DataDAO_NoStorage();
    error DataDAO_NotStored(CidHash cidHash);
    error DataDAO_AlreadyStored(CidHash cidHash, uint64 dealId);
    error DataDAO_BudgetTooHigh(uint256 budget, uint256 most);
    error DataDAO_DepositMismatch(uint256 sent, uint256 needed);
    error DataDAO_UnknownProposal(uint256 proposalId);
    error DataDAO_OwnProposal(uint256 proposalId);
    error DataDAO_AlreadyVoted(uint256 proposalId, address voter);
    error DataDAO_VotingExpired(uint256 proposalId, uint40 deadline);
    error DataDAO_NoPower(uint256 proposalId, address voter);
    error DataDAO_PowerOutOfRange(uint256 power);
    error DataDAO_BallotExpired(uint256 deadline);
    error DataDAO_BadSignature(address voter);
    error DataDAO_LengthMismatch();
    error DataDAO_NotReady(uint256 proposalId, ProposalState state);
    error DataDAO_NotClosable(uint256 proposalId, ProposalState state);
    error DataDAO_NotCanceller(address caller);
    error DataDAO_NotAttested(uint256 proposalId);
    error DataDAO_AlreadyAttested(uint256 proposalId);
    error DataDAO_Underpaid(uint256 sent, uint256 needed);
    error DataDAO_BudgetExceeded(uint256 needed, uint256 budget);
    error DataDAO_CapReached(uint256 needed, uint256 left);
    error DataDAO_TreasuryTooSmall(uint256 needed, uint256 available);
    error DataDAO_NothingToWithdraw(address account);
    error DataDAO_TransferFailed(address to);

    // -------------------------------------------------------------- members

    /// @notice Invites an account, which becomes a member when it calls `join` within 14 days. By a member of age.
    function invite(address account) external;
    /// @notice Takes an invitation. Whoever is invited calls itself, so that an account is a member under one address only.
    function join() external;
    /// @notice Leaves. Votes that were cast stay.
    function leave() external;
    function isMember(address account) external view returns (bool);
    /// @notice When a member joined and from which creation time on it votes on proposals; zeros for others.
    function memberOf(address account) external view returns (uint40 joinedAt, uint40 votesFrom);
    function memberCount() external view returns (uint256);
    /// @notice A member's place: its vote that names it costs the same among ten members and among a thousand. It changes when another leaves.
    function placeOf(address account) external view returns (uint256 place);
    /// @notice Members at the places `from` to `from + limit − 1`, in no order that lasts.
    function membersPage(uint256 from, uint256 limit) external view returns (address[] memory);
    /// @notice The token whose holders vote, 0 where members are in the register.
    function token() external view returns (address);

    // ------------------------------------------------------------ proposals

    /// @notice Proposes to add a CID. Who is no member pays the deposit, exactly.
    /// @param cid in bytes
    /// @param size unique block bytes of the DAG; padded bytes of a piece
    function createCIDProposal(bytes calldata cid, uint256 size) external payable returns (uint256 proposalId);
    /// @notice Proposes anything. What could not be executed, whatever is voted, is refused: see `Draft.data` and PerpetualStorage's terms.
    function propose(Draft calldata draft) external payable returns (uint256 proposalId);
    /// @notice Votes. Its proposer may not, and nobody twice.
    function voteCIDProposal(uint256 proposalId, bool support) external;
    /// @notice Votes, and names the caller's place. Where that is another's, the caller is looked for, as in `voteCIDProposal`.
    function voteCIDProposalAt(uint256 proposalId, bool support, uint256 place) external;
    /// @notice Votes on several proposals; one that refuses the vote refuses all.
    function voteCIDProposals(uint256[] calldata proposalIds, bool[] calldata support) external;
    /// @notice Casts votes that others signed; one that is refused refuses all. By anyone.
    function voteBySignature(Ballot[] calldata ballots) external;
    /// @notice Executes a passed proposal. By anyone. With a budget the treasury pays the fee, else the value does; what is not
    /// needed of the value is credited to the caller. With a budget the caller is sent the DAO's tip too, as far as budget, treasury and
    /// cap leave it: it stands in nobody's way.
    /// @param data that of the draft, as in `ProposalCreated`
    function executeCIDProposal(uint256 proposalId, bytes calldata data) external payable;
    /// @notice The same for a proposal without data, as `createCIDProposal` makes it.
    function executeCIDProposal(uint256 proposalId) external payable;
    /// @notice Cancels a proposal that was not executed: its proposer while members vote, the guardian until it is over.
    function cancelProposal(uint256 proposalId) external;
    /// @notice Records that a proposal was defeated or expired and settles its deposit. By anyone; `stateOf` needs it not.
    function closeProposal(uint256 proposalId) external;
    /// @notice Has the operators say how large a CID is (`prepare`), unless they have. The value pays; what is too much is the
    /// caller's credit at the provider.
    /// @param maxBytes above it operators give up, and nothing is attested: choose more than was proposed
    function requestSize(uint256 proposalId, uint64 maxBytes) external payable returns (bytes32 requestId);
    function quoteSize(uint64 maxBytes) external view returns (uint96 fee);
    /// @notice Compares the proposed size with the attested one. A proposal that said another size is Refuted. By anyone.
    function reportSize(uint256 proposalId) external;

    function votingIsExpired(uint256 proposalId) external view returns (bool);
    function proposalCount() external view returns (uint256);
    /// @notice A proposal, in the order of the first draft.
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
        );
    function stateOf(uint256 proposalId) external view returns (ProposalState);
    /// @notice What must vote, from when to when a passed proposal may be executed, and what it may take from the treasury.
    function rulesOf(uint256 proposalId)
        external
        view
        returns (CidAction action, uint256 quorum, uint256 snapshot, uint40 readyAt, uint40 until, uint96 budget);
    function attestedOf(uint256 proposalId) external view returns (Attested memory);
    function hasVotedForProposal(address voter, uint256 proposalId) external view returns (bool);
    /// @notice What a vote of `voter` on a proposal counts.
    function powerOf(uint256 proposalId, address voter) external view returns (uint256);

    // ----------------------------------------------------------------- CIDs

    /// @notice Whether a CID was accepted (and not removed since). CIDv0 and CIDv1 of one block agree.
    function cidSet(bytes calldata cid) external view returns (bool);
    /// @notice The size with which it was accepted.
    function cidSizes(bytes calldata cid) external view returns (uint256);
    /// @notice The proposal by which it was accepted, 0 for none.
    function acceptedBy(bytes calldata cid) external view returns (uint256 proposalId);
    /// @notice The DAO's deal in PerpetualStorage that stores an accepted CID, 0 for none.
    function storageOf(bytes calldata cid) external view returns (uint64 dealId);
    /// @notice Whether a provider has an active slot of the CID's deal.
    /// @param provider a miner's address in Filecoin's bytes, of whichever kind: f0 is compared as it is, others are looked up
    function cidProviders(bytes calldata cid, bytes calldata provider) external view returns (bool);

    // ---------------------------------------------------------------- money

    /// @notice What the DAO may spend: its balance without deposits and credits.
    function treasury() external view returns (uint256);
    /// @notice What of the cap of 30 days is left now.
    function spendable() external view returns (uint256);
    /// @notice Takes to the treasury what was credited to the DAO: by the provider, fees of requests that were not answered; by
    /// PerpetualStorage, what its deals did not need. By anyone.
    function collectRefunds() external returns (uint256 amount);
    function creditOf(address account) external view returns (uint256);
    /// @notice Pays out the caller's credit.
    function withdraw(address payable to) external returns (uint256 amount);

    // --------------------------------------------------------------- others

    /// @notice Who made the DAO. An owner has no power over it.
    function owner() external view returns (address);
    function guardian() external view returns (address account, uint40 until);
    function resignGuardian() external;
    function params() external view returns (DaoParams memory);
    function nextSeq() external view returns (uint64);
}
