// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IPerpetualStorage } from "../../contracts/interfaces/IPerpetualStorage.sol";
import { Deal, Slot } from "../../contracts/storage/Book.sol";
import { Proofs } from "../../contracts/storage/Proofs.sol";
import { Rules } from "../../contracts/storage/Rules.sol";
import { StorageBook } from "./StorageBook.sol";

/// @notice An Active slot, as activation and earlier proofs leave it: `lastProof` is anywhere, `proven` at most what has passed.
struct Vested {
    uint96 obligation;
    uint32 term;
    uint32 start;
    uint32 lastProof;
    uint32 proven;
    uint32 now_;
    bool faulty;
}

/// @notice What a slot earns: in proportion to what was proven, never more than it reserved, and all of it in the end.
contract VestingChecks is StorageBook {
    /// A proof fails for no reason of arithmetic, and counts what has passed since the last one within the term, up to the longest gap.
    function check_Prove_CountsWhatPassed(Vested calldata v) external {
        uint32 before = _active(v);
        _prove();
        Slot storage s = b.slots[SLOT];
        uint256 end = uint256(v.start) + v.term;
        uint256 to = v.now_ < end ? v.now_ : end;
        assert(s.proven >= before && s.proven - before <= Rules.MAX_PROOF_GAP);
        assert(to <= v.start ? s.proven == before : s.proven <= to - v.start);
        if (v.faulty) assert(s.proven == before);
        assert(s.proven <= s.term);
    }

    /// What is earned is the share of what is proven, and the payee is credited with what is new of it.
    function check_Prove_PaysTheShare(Vested calldata v) external {
        _active(v);
        uint256 was = b.slots[SLOT].earned;
        _prove();
        Slot storage s = b.slots[SLOT];
        assert(s.earned >= was && s.earned <= s.obligation);
        assert(uint256(s.earned) * s.term <= uint256(s.obligation) * s.proven);
        assert(uint256(s.obligation) * s.proven < (uint256(s.earned) + 1) * s.term);
        if (v.now_ < uint256(v.start) + v.term) assert(b.credits[PAYEE] == s.earned - was);
        if (s.proven == s.term) assert(s.earned == s.obligation);
    }

    /// Of a slot that is over the deal gets back all that was not earned, and the payee what is left of the bond: parts sum to the whole.
    function check_Prove_TheEndSharesAll(Vested calldata v, uint80 bond) external {
        vm.assume(v.now_ >= uint256(v.start) + v.term);
        _active(v);
        b.slots[SLOT].bond = bond;
        uint256 was = b.slots[SLOT].earned;
        _prove();
        Slot storage s = b.slots[SLOT];
        assert(s.state == IPerpetualStorage.SlotState.Ended && s.bond == 0);
        assert(uint256(b.deals[DEAL].free) + s.earned == s.obligation);
        assert(b.credits[PAYEE] == s.earned - was + bond);
    }

    /// Nothing that `_active` allows keeps a slot from being proven.
    function check_Prove_NeverReverts(Vested calldata v) external {
        _active(v);
        try this.prove() { }
        catch {
            assert(false);
        }
    }

    function prove() external {
        _prove();
    }

    /// @dev Any Active slot that could be; `earned` is what `_prove` says for `proven`.
    function _active(Vested calldata v) private returns (uint32 proven) {
        vm.assume(v.term >= Rules.MIN_TERM);
        vm.assume(v.term <= Rules.MAX_TERM);
        vm.assume(uint256(v.start) + v.term <= type(uint32).max);
        vm.assume(v.lastProof <= v.now_);
        vm.assume(v.proven <= v.term);
        uint256 end = uint256(v.start) + v.term;
        uint256 passed = v.lastProof < end ? v.lastProof : end;
        if (passed < v.start) vm.assume(v.proven == 0);
        else vm.assume(v.proven <= passed - v.start);
        vm.roll(v.now_);
        facts.say(_said());
        Deal storage d = b.deals[DEAL];
        (d.client, d.status) = (CLIENT, IPerpetualStorage.DealStatus.Open);
        Slot storage s = b.slots[SLOT];
        (s.state, s.faulty, s.payee, s.minerId) = (IPerpetualStorage.SlotState.Active, v.faulty, PAYEE, MINER);
        (s.obligation, s.term, s.proven) = (v.obligation, v.term, v.proven);
        s.earned = uint96(uint256(v.obligation) * v.proven / v.term);
        (s.start, s.end, s.lastProof) = (v.start, v.start + v.term, v.lastProof);
        return v.proven;
    }
}
