// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { CidHash } from "./IEstuaryPinning.sol";
import { Terms } from "./IExecutionProvider.sol";

/// @notice How a client wants a piece stored. Epochs are `block.number`; money is in attoFIL.
struct DealTerms {
    uint8 replicas; // copies, each by another provider; 1 to 16
    bool verified; // DataCap is spent for it
    uint32 term; // epochs that a slot is paid for; 518,400 to 3,680,640
    uint32 sealWindow; // epochs from a claim to the latest start; 2,880 to 172,800
    uint32 renewWindow; // epochs before a slot's end from which its successor may be claimed; below `term`
    uint32 ramp; // epochs on offer until the bounty is `maxBounty`
    uint32 endEpoch; // no slot is opened from here on; 0 = none
    uint80 baseBounty; // what a slot pays beside its rate, at first
    uint80 maxBounty; // and at last
    uint64 rate; // for each epoch that is proven
    uint80 bondFloor; // what a claim costs at least, given back by parts; at least 0.1 FIL
    uint80 minCollateral; // provider collateral of an f05 deal
    string endpoint; // where providers fetch the piece; ends in '/': the piece CID is appended. Empty: the suite's own.
}

/// @notice A deal as it stands.
struct DealView {
    address client;
    IPerpetualStorage.DealStatus status;
    bool suspended;
    bytes cid;
    bytes32 commP;
    uint64 paddedSize;
    uint64 carSize;
    uint96 free; // what is neither reserved nor paid
    uint32 servedUntil; // epoch until which operators vouch that the piece can be fetched
    uint32 clock; // epochs that the deal has been on offer
    DealTerms terms;
}

/// @notice A slot as it stands. What a state has not yet set is 0.
struct SlotView {
    IPerpetualStorage.SlotState state;
    IPerpetualStorage.Route route;
    bool faulty;
    uint64 minerId;
    uint64 ownerId; // actor that owned the miner at the claim
    uint24 organisation; // attested at the claim; 0 = none
    address payee;
    uint80 bond; // what is left of it
    uint96 obligation; // reserved at the claim: bounty + rate × term
    uint96 earned;
    uint32 proven; // epochs counted
    uint32 term;
    uint32 sealDeadline;
    uint32 start; // pay begins
    uint32 end; // and ends
    uint32 lastProof;
    uint64 f05DealId; // or the claim's id where the route is Claim
    uint64 sector;
}

/// @notice A line of the list that providers read.
struct OpenSlot {
    uint64 slotId;
    uint64 incumbent; // miner with first refusal now; 0 = whoever comes first
    bytes32 commP;
    uint64 paddedSize;
    uint64 carSize;
    bool verified;
    uint32 term;
    uint96 bounty; // now
    uint96 obligation; // bounty + rate × term
    uint96 bond; // to be sent with the claim
}

/// @title IPerpetualStorage
/// @notice Pays storage providers for pieces that are proven to be stored, copy by copy and term after term, for as long as
/// the client's money lasts.
///
/// A deal wants `replicas` copies. Each is a seat (index) with a slot that is current and, in its renewal window, one that
/// follows (next). A slot's id is `dealId << 24 | index << 16 | generation`. Slots go
/// Open → Claimed → Published → Active → Ended | Lost | Terminated, and from Claimed or Published back to Open; a direct
/// data sector activates a Claimed slot at once. Faulty is a flag on Active.
///
/// Money: at its claim a slot reserves bounty + rate × term of the deal. It is earned evenly over the proven epochs; what is
/// not earned goes back to the deal. Bonds go back to the provider, or are burnt but for a tip; never to the client.
/// Everything is paid by `withdrawEarned`.
interface IPerpetualStorage {
    enum DealStatus {
        None,
        Preparing, // until operators say which piece the CID is
        Open,
        Cancelled
    }

    enum SlotState {
        Open,
        Claimed,
        Published,
        Active,
        Ended,
        Lost,
        Terminated
    }

    /// @notice How a slot was shown to be stored.
    enum Route {
        None,
        Market, // f05 deal
        Sector, // SectorContentChanged
        Claim, // verified claim
        Extension // the sector of the slot before it
    }

    // The events say everything that the views show: a replay of them is the state (docs/decisions, "Events that a ledger can be
    // rebuilt from"). What follows from an event by these rules is said by no other: the deal's client is credited with what is
    // refunded when the deal is cancelled, the payee of a slot with what is earned and what of the bond goes back.

    /// @notice `funded` of the value is the deal's: of `prepareDeal`, without the fee.
    event DealCreated(
        uint64 indexed dealId,
        address indexed client,
        CidHash indexed cidHash,
        uint64 seq,
        bytes cid,
        bytes32 commP,
        uint64 paddedSize,
        uint64 carSize,
        uint96 funded,
        DealTerms terms
    );
    /// @notice Operators said which piece the CID is (`commP` 0: they could not, and the deal is cancelled).
    event DealPrepared(uint64 indexed dealId, uint64 seq, bytes32 commP, uint64 paddedSize, uint64 carSize);
    event DealFunded(uint64 indexed dealId, address indexed from, uint64 seq, uint96 amount);
    event BountyChanged(uint64 indexed dealId, uint64 seq, uint80 baseBounty, uint32 ramp);
    event MaxPriceChanged(uint64 indexed dealId, uint64 seq, uint80 maxBounty, uint64 rate);
    event ReplicasChanged(uint64 indexed dealId, uint64 seq, uint8 replicas);
    event EndEpochChanged(uint64 indexed dealId, uint64 seq, uint32 endEpoch);
    event DataCapChanged(uint64 indexed dealId, uint64 seq, bool verified);
    event DealSuspended(uint64 indexed dealId, uint64 seq);
    event DealResumed(uint64 indexed dealId, uint64 seq);
    /// @notice No slot opens any more; `refund` was credited to the client.
    event DealCancelled(uint64 indexed dealId, uint64 seq, uint96 refund);
    event SurplusWithdrawn(uint64 indexed dealId, uint64 seq, uint96 amount);
    /// @notice Until epoch `until` operators vouch that the piece can be fetched.
    event DealServed(uint64 indexed dealId, uint64 seq, uint32 until);

    event SlotOpened(uint64 indexed dealId, uint64 indexed slotId, uint64 seq, bool next);
    /// @notice `ownerId` and `organisation` are the miner's at the claim; copies are told apart by them.
    event SlotClaimed(
        uint64 indexed dealId,
        uint64 indexed slotId,
        uint64 indexed minerId,
        uint64 seq,
        address payee,
        uint96 obligation,
        uint80 bond,
        uint32 sealDeadline,
        uint64 ownerId,
        uint24 organisation
    );
    /// @notice An account was credited beside what it has a right to as client or payee: with what it sent and was not needed, or
    /// with a tip.
    event Credited(address indexed account, uint64 seq, uint256 amount);
    /// @notice Nothing could be claimed; what was sent is the sender's credit, which Credited says. Something may open at `nextEpoch` (0: not foreseen).
    event NothingOpen(uint64 indexed dealId, uint64 indexed minerId, uint64 seq, uint32 nextEpoch, uint256 credited);
    event ClaimReleased(uint64 indexed dealId, uint64 indexed slotId, uint64 indexed minerId, uint64 seq, uint96 fee);
    event ClaimExpired(
        uint64 indexed dealId, uint64 indexed slotId, uint64 indexed minerId, uint64 seq, uint96 burnt, uint96 tip
    );
    event SlotPublished(
        uint64 indexed dealId,
        uint64 indexed slotId,
        uint64 indexed minerId,
        uint64 seq,
        uint64 f05DealId,
        uint32 start,
        uint32 end
    );
    /// @notice The slot is stored. `bond` is what is left of the bond, the rest is the payee's credit; `evidence` the f05 deal or the
    /// claim of verified data, 0 where there is none; `since` the epoch from which proofs count.
    event SlotActivated(
        uint64 indexed dealId,
        uint64 indexed slotId,
        uint64 indexed minerId,
        uint64 seq,
        Route route,
        uint64 sector,
        uint32 start,
        uint32 end,
        uint64 evidence,
        uint32 since,
        uint80 bond
    );
    /// @notice Proven Active at `epoch`; `proven` epochs and `earned` are all that the slot has so far.
    event SlotProven(
        uint64 indexed dealId, uint64 indexed slotId, uint64 seq, uint32 epoch, uint32 proven, uint96 earned
    );
    event SlotFaulty(uint64 indexed dealId, uint64 indexed slotId, uint64 seq, uint32 epoch);
    /// @notice The slot is over. `refund` went back to the deal, `returned` of the bond to the payee; the rest was burnt but for `tip`.
    event SlotClosed(
        uint64 indexed dealId,
        uint64 indexed slotId,
        uint64 indexed minerId,
        uint64 seq,
        SlotState state,
        uint96 refund,
        uint96 returned,
        uint96 burnt,
        uint96 tip
    );
    event PayeeChanged(uint64 indexed dealId, uint64 indexed slotId, uint64 seq, address payee);
    event Withdrawn(address indexed account, uint64 seq, address to, uint256 amount);
    event Burnt(uint64 seq, uint256 amount);
    event IntakePausedChanged(uint64 seq, bool paused);

    error PerpetualStorage_NotClient(address caller);
    error PerpetualStorage_NotGate(address caller);
    error PerpetualStorage_NotOwnerOfMiner(uint64 minerId, address caller);
    error PerpetualStorage_NotController(uint64 minerId, address caller);
    error PerpetualStorage_TermsOutOfRange(bytes32 field);
    error PerpetualStorage_UnsupportedCid(bytes cid);
    error PerpetualStorage_WrongStatus(uint64 dealId, DealStatus status);
    error PerpetualStorage_WrongState(uint64 slotId, SlotState state);
    error PerpetualStorage_IntakePaused();
    error PerpetualStorage_ZeroAmount();
    error PerpetualStorage_AmountTooLarge(uint256 amount, uint256 most);
    error PerpetualStorage_LengthMismatch();
    error PerpetualStorage_ClientIsProvider(uint64 ownerId);
    error PerpetualStorage_NotDistinct(uint64 dealId, uint64 minerId, uint8 otherIndex);
    error PerpetualStorage_BondTooLow(uint256 sent, uint256 needed);
    error PerpetualStorage_FetchWindowOver(uint32 since);
    error PerpetualStorage_TooEarly(uint32 epoch);
    error PerpetualStorage_Refused(bytes32 why);
    error PerpetualStorage_NotProven(uint64 slotId);
    error PerpetualStorage_NothingToWithdraw(address account);
    error PerpetualStorage_TransferFailed(address to);

    // ---------------------------------------------------------------- clients

    /// @notice Creates a deal for a piece that the client names; the value funds it. That the piece holds the CID is then the
    /// client's word: use `prepareDeal` for that of operators.
    /// @param cid bytes of a CID with a SHA-256 multihash
    /// @param pieceCid v1 or v2
    function createDeal(
        bytes calldata cid,
        bytes calldata pieceCid,
        uint64 paddedSize,
        uint64 carSize,
        DealTerms calldata terms
    ) external payable returns (uint64 dealId);
    /// @notice The same on behalf of `client`, who owns the deal.
    function createDealFor(
        address client,
        bytes calldata cid,
        bytes calldata pieceCid,
        uint64 paddedSize,
        uint64 carSize,
        DealTerms calldata terms
    ) external payable returns (uint64 dealId);
    /// @notice Creates a deal and asks operators for the piece; the deal is Preparing until they answer. `prepareFee` of the value
    /// pays them (see `quotePrepare`), the rest funds the deal. When they fail, or the request is refunded, the deal is cancelled.
    function prepareDeal(bytes calldata cid, uint64 maxBytes, uint96 prepareFee, DealTerms calldata terms)
        external
        payable
        returns (uint64 dealId, bytes32 requestId);
    /// @notice Cancels a deal whose `prepare` was not answered in time. By anyone.
    function settlePrepare(Terms calldata terms, bytes calldata context) external;
    /// @notice Asks operators whether the piece can be fetched; the value pays them. By anyone. While their last answer is at most
    /// 20,160 epochs old, slots can be claimed.
    function requestServed(uint64 dealId) external payable returns (bytes32 requestId);
    /// @notice Adds to a deal. By anyone; what is left of it goes back to the client.
    function fund(uint64 dealId) external payable;
    /// @notice Adds to several deals; the amounts sum to the value.
    function fundMany(uint64[] calldata dealIds, uint96[] calldata amounts) external payable;
    /// @notice Changes what open and future slots pay. Claimed ones keep what they reserved.
    function changeBounty(uint64 dealId, uint80 baseBounty, uint32 ramp) external;
    function changeMaxPrice(uint64 dealId, uint80 maxBounty, uint64 rate) external;
    /// @notice Opens further seats, or lets those above end without a successor.
    function changeReplicas(uint64 dealId, uint8 replicas) external;
    function changeEndEpoch(uint64 dealId, uint32 endEpoch) external;
    /// @notice Says whether DataCap is spent for what is claimed from now on. Refused while a slot is Claimed, whose provider may be
    /// sealing by what it was told.
    function changeDataCap(uint64 dealId, bool verified) external;
    /// @notice Stops claims and renewals, and the clock of the bounty; running slots go on.
    function suspend(uint64 dealId) external;
    function resume(uint64 dealId) external;
    /// @notice Stops claims and renewals for good and credits what is not reserved. Running slots go on; what they do not earn is
    /// credited later.
    function cancel(uint64 dealId) external;
    /// @notice Credits up to `amount` of what is not reserved to the client.
    function withdrawSurplus(uint64 dealId, uint96 amount) external;

    // -------------------------------------------------------------- providers

    /// @notice Claims a slot for a miner that the caller controls; the value is the bond, and what is above the needed one is
    /// credited. The caller is the payee until the miner's owner names another. Where that slot is not to be had,
    /// the value is credited to the caller and `NothingOpen` says so.
    /// @param index seat, or 255 for the first that is open
    function claimDeal(uint64 dealId, uint8 index, uint64 minerId) external payable;
    /// @notice Gives a claim back within 2,880 epochs, for a fee of 0.01 FIL of the bond.
    function releaseClaim(uint64 slotId) external;
    /// @notice Shows an f05 deal whose notification was missed. By a controller of the miner.
    function publishDeal(uint64 slotId, uint64 f05DealId) external;
    /// @notice Shows that a verified claim of the slot's miner holds the piece. By a controller of the miner.
    function activateByClaim(uint64 slotId, uint64 claimId) external;
    /// @notice Proves slots Active now, and credits what that earns; activates Published slots whose f05 deal is active; ends those
    /// whose end has come. By anyone who brings the proofs; the payees are paid.
    /// @param aux as from the miner actor's GenerateSectorLocation, one for each slot; empty for a slot that only activates
    function proveActive(uint64[] calldata slotIds, bytes[] calldata aux) external;
    /// @notice The provider gives up an Active slot: it keeps what it earned, the rest of its bond is burnt.
    function terminateDeal(uint64 slotId) external;
    /// @notice A slot that lies in a sector which lasts long enough follows itself, without sealing anew. By a controller, in the
    /// renewal window; the value is a fifth of the bond.
    function renewByExtension(uint64 slotId, bytes calldata aux) external payable;
    /// @notice Names who is paid. By the owner of the miner.
    function setPayee(uint64[] calldata slotIds, address payee) external;
    /// @notice Pays all of the caller's credit to `to`, which may be a masked ID address.
    function withdrawEarned(address to) external returns (uint256 amount);

    // ----------------------------------------------------------------- anyone

    /// @notice Takes a claim back that was not sealed by its deadline + 2,880 epochs. The bond is burnt but for a tip of a tenth.
    function expireClaim(uint64 slotId) external;
    /// @notice Shows that a slot is no longer what it says: faulty (status 2), dead (status 0), or over. Shown dead before its end it
    /// is Lost; from its end on it is Ended, whatever `status` and `aux` are.
    function checkDeal(uint64 slotId, uint8 status, bytes calldata aux) external;
    /// @notice The same for several; those of which nothing is shown are passed over.
    function checkMany(uint64[] calldata slotIds, uint8[] calldata statuses, bytes[] calldata aux) external;
    /// @notice Opens the successor of an Active slot in its renewal window. For the first third of it, only the incumbent may claim.
    function openRenewal(uint64 dealId, uint8 index) external returns (uint64 slotId);
    /// @notice Sends what was burnt to f099.
    function burn() external;

    // --------------------------------------------------------------- the gate

    /// @notice f05 published a deal of the gate for a slot. Claims the slot where it is open.
    /// @return accepted whether the slot is Published by it now
    function onPublished(uint64 slotId, PublishedDeal calldata deal) external returns (bool accepted);
    /// @notice A miner's sector now holds a piece for a slot. Of a deal with DataCap only a sector that has claimed the allocation
    /// which the gate made is taken.
    /// @return accepted whether the slot is Active by this very sector
    function onActivated(uint64 slotId, SectorPiece calldata piece) external returns (bool accepted);
    /// @notice What AuthenticateMessage asks: would `onPublished` accept this deal? 0, or why not.
    function whyNot(uint64 slotId, PublishedDeal calldata deal) external view returns (bytes32 reason);

    // ------------------------------------------------------------------ views

    function dealOf(uint64 dealId) external view returns (DealView memory);
    function slotOf(uint64 slotId) external view returns (SlotView memory);
    /// @notice The slots of a seat; `next` is 0 where there is none.
    function seatOf(uint64 dealId, uint8 index) external view returns (uint64 current, uint64 next);
    function creditOf(address account) external view returns (uint256);
    function quoteBounty(uint64 slotId) external view returns (uint96 bounty);
    /// @notice What a claim would do now: 0, or why it would not go through; and what it costs and pays.
    function previewClaim(uint64 slotId, uint64 minerId, address caller)
        external
        view
        returns (bytes32 reason, uint96 bond, uint96 obligation);
    /// @notice Slots that can be claimed now and that the deals' money covers.
    /// @param cursor deal to begin with; 0 = the first
    /// @param limit deals to look at, at most 256
    /// @return list of open slots; `next` where to go on, 0 at the end
    function openSlots(uint64 cursor, uint256 limit) external view returns (OpenSlot[] memory list, uint64 next);
    /// @notice Epoch at which the next slot of the deal opens; 0 where none is foreseen.
    function nextOpening(uint64 dealId) external view returns (uint32 epoch);
    /// @notice Who stores the deal's piece now, and where they registered that it can be fetched.
    function sourcesOf(uint64 dealId) external view returns (uint64[] memory minerIds, string[] memory endpoints);
    /// @notice For keepers: whether a claim is to be expired, a renewal to be opened or an ended slot to be closed among `limit` deals
    /// from `cursor` on, and the call that does it.
    function checker(uint64 cursor, uint256 limit) external view returns (bool canExec, bytes memory execPayload);
    function quotePrepare(uint64 maxBytes) external view returns (uint96 fee);
    function quoteServed(uint64 dealId) external view returns (uint96 fee);
    function burnable() external view returns (uint256);
    /// @notice The seq that the next event will carry. Events have no gap below it.
    function nextSeq() external view returns (uint64);
    function nextDeal() external view returns (uint64);
    function gate() external view returns (address);
    function facts() external view returns (address);
    function registry() external view returns (address);
}

/// @notice What is known of an f05 deal.
struct PublishedDeal {
    uint64 minerId;
    uint64 f05DealId; // not known while it is authenticated: 0
    bytes32 commP;
    uint64 paddedSize;
    int64 start;
    int64 end;
    bool verified;
    uint256 pricePerEpoch;
    uint256 providerCollateral;
    uint256 clientCollateral;
}

/// @notice A piece that a miner says to have put into a sector.
struct SectorPiece {
    uint64 minerId;
    uint64 sector;
    bytes32 commP;
    uint64 paddedSize;
    int64 minimumCommitment; // epoch until which the sector is committed at least
    uint64 allocationId; // what the gate made for the slot's claim, by which the claim of verified data goes; 0 = nothing
}
