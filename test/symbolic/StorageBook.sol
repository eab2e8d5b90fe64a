// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IPerpetualStorage } from "../../contracts/interfaces/IPerpetualStorage.sol";
import { IProviderRegistry } from "../../contracts/interfaces/IProviderRegistry.sol";
import { ClaimFacts, DealFacts, IFilecoinFacts } from "../../contracts/interfaces/IStorageGate.sol";
import { Book, Books, Deal, Seat, Slot } from "../../contracts/storage/Book.sol";
import { Deals } from "../../contracts/storage/Deals.sol";
import { Proofs } from "../../contracts/storage/Proofs.sol";
import { Slots } from "../../contracts/storage/Slots.sol";
import { Symbolic } from "./Symbolic.sol";

/// @notice Whatever Filecoin may say.
struct Said {
    uint64 ownerId;
    bool controls;
    bool sectorIs;
    uint64 expiration;
    uint8 dealState;
    uint64 provider;
    int64 start;
    int64 duration;
    int64 activated;
}

/// @notice Filecoin, which says what a check has it say.
contract SaidFacts is IFilecoinFacts {
    Said private _said;
    bytes32 private constant PIECE = bytes32(uint256(1));

    function say(Said memory said) external {
        _said = said;
    }

    function minerFacts(uint64, address) external view returns (uint64, bool) {
        return (_said.ownerId, _said.controls);
    }

    function sectorIs(uint64, uint64, uint8, bytes calldata) external view returns (bool) {
        return _said.sectorIs;
    }

    function sectorExpiration(uint64, uint64) external view returns (uint64) {
        return _said.expiration;
    }

    function dealFacts(uint64) external view returns (DealFacts memory f) {
        (f.state, f.ours, f.provider, f.commP) = (DealState(_said.dealState), true, _said.provider, PIECE);
        (f.paddedSize, f.start, f.duration, f.activated) = (1 << 30, _said.start, _said.duration, _said.activated);
        (f.providerCollateral, f.sector) = (type(uint256).max, 7);
    }

    function missedStart(uint64) external pure returns (bool) {
        return false;
    }

    function claimFacts(uint64, uint64) external view returns (ClaimFacts memory f) {
        (f.known, f.ours, f.commP, f.paddedSize, f.sector) = (_said.sectorIs, true, PIECE, 1 << 30, 7);
        (f.termStart, f.termMin) = (_said.start, _said.duration);
    }

    /// @notice As the registry of providers: nobody is of an organisation.
    function organisationOf(uint64) external pure returns (uint24) {
        return 0;
    }
}

/// @notice A deal and the slot of its one seat, in any state that the fields can be in.
struct Start {
    bool cancelled;
    uint96 free;
    uint80 baseBounty;
    uint80 maxBounty;
    uint80 bondFloor;
    uint64 rate;
    uint32 ramp;
    uint32 term;
    bool faulty;
    bool byPayee; // the caller is the payee
    uint80 bond;
    uint96 obligation;
    uint96 earned;
    uint32 proven;
    uint32 slotTerm;
    uint32 start;
    uint32 end;
    uint32 lastProof;
    uint32 sealDeadline;
    bool hasNext;
    uint96 burnable;
    uint96 payeeCredit;
    uint96 clientCredit;
    uint96 callerCredit;
    uint32 now_;
}

/// @notice PerpetualStorage's libraries on a Book that a check fills.
abstract contract StorageBook is Symbolic {
    // Not constants: of a constant key the compiler would work out the place, and halmos not know it for that of a mapping.
    uint64 internal immutable DEAL = 1;
    uint64 internal immutable SLOT = 1 << 24;
    uint64 internal immutable NEXT = (1 << 24) + 1; // the one that follows, or that is opened
    uint64 internal immutable MINER = 1001;
    address internal immutable PAYEE = address(0xa1);
    address internal immutable CLIENT = address(0xc1);
    address internal immutable CALLER = 0x1804c8AB1F12E6bbf3894d4083f33e07309d1f38; // who calls checks

    Book internal b;
    SaidFacts internal facts;

    function setUp() public virtual {
        _place(address(0xdEa15), type(Deals).creationCode);
        _place(address(0x510750), type(Slots).creationCode);
        _place(address(0x900F50), type(Proofs).creationCode);
        facts = new SaidFacts();
        (b.facts, b.registry) = (facts, IProviderRegistry(address(facts)));
    }

    /// @dev What is true of every Book, as far as a step needs it: the bounds that Deals.create sets, that a slot earns at most what
    /// it reserved (VestingChecks), nothing before it is Active, and that an open slot has no bond. Everything else may be anything.
    function _fill(Start calldata x, Said calldata said, IPerpetualStorage.SlotState state) internal {
        vm.assume(x.earned <= x.obligation);
        vm.assume(x.baseBounty <= x.maxBounty);
        vm.assume(uint256(x.maxBounty) + x.bondFloor <= type(uint80).max);
        if (state != IPerpetualStorage.SlotState.Active) vm.assume(x.earned == 0);
        if (state == IPerpetualStorage.SlotState.Open) vm.assume(x.bond == 0);
        vm.assume(said.dealState <= uint8(IFilecoinFacts.DealState.Gone));
        facts.say(said);
        vm.roll(x.now_);
        _fillDeal(x);
        _fillSlot(x, state);
        Seat storage seat = Books.seatAt(b, DEAL, 0);
        if (x.hasNext) (seat.hasNext, seat.next, seat.last) = (true, 1, 1);
        _fillMoney(x);
    }

    /// @dev What there is beside deals.
    function _fillMoney(Start calldata x) internal {
        b.burnable = x.burnable;
        (b.credits[PAYEE], b.credits[CLIENT], b.credits[CALLER]) = (x.payeeCredit, x.clientCredit, x.callerCredit);
    }

    function _fillDeal(Start calldata x) private {
        Deal storage d = b.deals[DEAL];
        d.client = CLIENT;
        d.status = x.cancelled ? IPerpetualStorage.DealStatus.Cancelled : IPerpetualStorage.DealStatus.Open;
        (d.replicas, d.seats, d.log2Size, d.commP) = (1, 1, 30, bytes32(uint256(1)));
        (d.free, d.term, d.sealWindow, d.renewWindow) = (x.free, x.term, 5760, 2880);
        (d.baseBounty, d.maxBounty, d.bondFloor, d.rate, d.ramp) =
        (x.baseBounty, x.maxBounty, x.bondFloor, x.rate, x.ramp);
        // On offer, for x.now_ epochs: what the clock does is a matter of BountyChecks.
        d.servedUntil = type(uint32).max;
    }

    function _fillSlot(Start calldata x, IPerpetualStorage.SlotState state) private {
        Slot storage s = b.slots[SLOT];
        (s.state, s.faulty, s.minerId, s.ownerId) = (state, x.faulty, MINER, 2001);
        (s.payee, s.bond, s.obligation, s.earned) = (x.byPayee ? CALLER : PAYEE, x.bond, x.obligation, x.earned);
        (s.proven, s.term) = (x.proven, x.slotTerm);
        (s.start, s.end, s.lastProof, s.sealDeadline) = (x.start, x.end, x.lastProof, x.sealDeadline);
        (s.evidence, s.sector) = (9, 7);
    }

    function _prove() internal {
        uint64[] memory ids = new uint64[](1);
        ids[0] = SLOT;
        Proofs.proveActive(b, ids, new bytes[](1));
    }

    /// @dev Filecoin confirms what it is asked.
    function _said() internal pure returns (Said memory said) {
        (said.ownerId, said.controls, said.sectorIs) = (2001, true, true);
    }

    /// @dev What has to be there: what is free, reserved and not earned, staked, credited, and to be burnt.
    function _owed() internal view returns (uint256 sum) {
        unchecked {
            sum = uint256(b.deals[DEAL].free) + b.burnable + b.credits[PAYEE] + b.credits[CLIENT] + b.credits[CALLER];
            sum += _owedFor(b.slots[SLOT]) + _owedFor(b.slots[NEXT]);
        }
    }

    function _owedFor(Slot storage s) private view returns (uint256) {
        unchecked {
            uint256 state = uint256(s.state);
            uint256 holds;
            assembly ("memory-safe") {
                holds := and(gt(state, 0), lt(state, 4)) // Claimed, Published, Active
            }
            return uint256(s.bond) + holds * (s.obligation - s.earned);
        }
    }
}
