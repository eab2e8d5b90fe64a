// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IPerpetualStorage } from "../../contracts/interfaces/IPerpetualStorage.sol";
import { Book, Books, Deal } from "../../contracts/storage/Book.sol";
import { BountyCurve } from "../../contracts/storage/BountyCurve.sol";
import { Symbolic } from "./Symbolic.sol";

/// @notice What a slot's bounty does while it waits, and that a bond takes from a claimant all that the bounty may still rise by.
contract BountyChecks is Symbolic {
    using Books for Deal;

    Book internal b;

    /// At no point of the curve does anything overflow: no view of a price and no claim reverts for its sake.
    function check_Curve_NeverReverts(uint80 base, uint80 max, uint32 ramp, uint32 t) external view {
        vm.assume(base <= max);
        try this.at(base, max, ramp, t) { }
        catch {
            assert(false);
        }
    }

    function check_Curve_LiesBetweenBaseAndMax(uint80 base, uint80 max, uint32 ramp, uint32 t) external pure {
        vm.assume(base <= max);
        uint80 bounty = BountyCurve.at(base, max, ramp, t);
        assert(bounty >= base && bounty <= max);
    }

    function check_Curve_NeverFalls(uint80 base, uint80 max, uint32 ramp, uint32 t, uint32 later) external pure {
        vm.assume(base <= max && t <= later);
        assert(BountyCurve.at(base, max, ramp, t) <= BountyCurve.at(base, max, ramp, later));
    }

    function check_Curve_GoesFromBaseToMax(uint80 base, uint80 max, uint32 ramp, uint32 t) external pure {
        vm.assume(base <= max);
        if (ramp != 0) assert(BountyCurve.at(base, max, ramp, 0) == base);
        if (t >= ramp) assert(BountyCurve.at(base, max, ramp, t) == max);
    }

    /// It is slow at first: until half of the ramp it has risen by a quarter at most.
    function check_Curve_IsSlowAtFirst(uint80 base, uint80 max, uint32 ramp, uint32 t) external pure {
        vm.assume(base <= max && uint256(t) * 2 <= ramp && ramp != 0);
        assert(4 * uint256(BountyCurve.at(base, max, ramp, t) - base) <= max - base);
    }

    /// What a claimant puts in is what the bounty may still rise by, and the floor: letting a claim lapse so as to take a higher bounty
    /// later loses as much as it brings.
    function check_Bond_IsWhatTheBountyMayStillRiseBy(uint80 base, uint80 max, uint80 floor, uint32 ramp, uint32 t)
        external
    {
        vm.assume(base <= max && uint256(max) + floor <= type(uint80).max);
        Deal storage d = b.deals[1];
        (d.baseBounty, d.maxBounty, d.bondFloor, d.ramp) = (base, max, floor, ramp);
        uint80 bounty = BountyCurve.at(base, max, ramp, t);
        uint80 bond = d.bondOf(bounty);
        assert(uint256(bounty) + bond == uint256(max) + floor);
        assert(bond >= floor);
    }

    /// The clock counts no epoch twice and none that the deal was not on offer: settling it changes no reading, then or later.
    function check_Clock_SettlingChangesNoReading(
        uint32 clock,
        uint32 since,
        uint32 servedUntil,
        uint32 now_,
        uint32 later,
        bool suspended
    ) external {
        vm.assume(since <= now_ && now_ <= later && uint256(clock) + later < type(uint32).max);
        Deal storage d = b.deals[1];
        d.status = IPerpetualStorage.DealStatus.Open;
        d.flags = suspended ? Books.SUSPENDED : 0;
        (d.clock, d.since, d.servedUntil) = (clock, since, servedUntil);
        vm.roll(later);
        uint32 wanted = d.clockOf();
        vm.roll(now_);
        uint32 before = d.clockOf();
        d.settleClock();
        assert(d.clockOf() == before);
        vm.roll(later);
        assert(d.clockOf() == wanted);
        assert(wanted >= before && wanted - before <= later - now_);
        if (suspended) assert(wanted == clock);
    }

    function at(uint80 base, uint80 max, uint32 ramp, uint32 t) external pure returns (uint80) {
        return BountyCurve.at(base, max, ramp, t);
    }
}
