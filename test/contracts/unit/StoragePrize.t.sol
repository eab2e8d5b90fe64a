// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DealRef, IDealStatusOracle } from "../../../contracts/interfaces/IDealStatusOracle.sol";
import { StoragePrize } from "../../../contracts/samples/StoragePrize.sol";
import { StatusBase } from "../status/StatusBase.sol";

contract StoragePrizeTest is StatusBase {
    uint64 private constant HELD_AT = 20_000;
    uint64 private constant DEADLINE = 30_000;

    StoragePrize private prizes;
    address payable private keeper = payable(makeAddr("keeper"));
    address private sponsor = makeAddr("sponsor");

    function setUp() public override {
        super.setUp();
        prizes = new StoragePrize(oracle);
        vm.deal(sponsor, 10 ether);
    }

    function _offer(DealRef memory ref) private returns (uint256) {
        vm.prank(sponsor);
        return prizes.offer{ value: 1 ether }(ref, keeper, HELD_AT, DEADLINE);
    }

    function _notStored(IDealStatusOracle.Status status, uint64 epoch) private {
        vm.expectRevert(abi.encodeWithSelector(StoragePrize.StoragePrize_NotStored.selector, status, epoch));
    }

    function test_Offer_RevertWhen_BadTerms() public {
        DealRef memory ref = _deal(1);
        bytes4 bad = StoragePrize.StoragePrize_BadTerms.selector;
        vm.startPrank(sponsor);
        vm.expectRevert(bad);
        prizes.offer(ref, keeper, HELD_AT, DEADLINE);
        vm.expectRevert(bad);
        prizes.offer{ value: 1 }(ref, payable(0), HELD_AT, DEADLINE);
        vm.expectRevert(bad);
        prizes.offer{ value: 1 }(ref, keeper, HELD_AT, HELD_AT);
        vm.stopPrank();
    }

    function test_Claim_PaysWhatIsStoredLateEnough() public {
        uint64 id = _active();
        uint256 prize = _offer(_deal(id));
        // Stored, but too early to count.
        vm.roll(START + 1);
        _notStored(IDealStatusOracle.Status.Active, START + 1);
        prizes.claim(prize, "");
        vm.roll(HELD_AT);
        prizes.claim(prize, ""); // by anyone
        assertEq(keeper.balance, 1 ether);
        assertEq(prizes.prizeOf(prize).amount, 0);
        vm.expectRevert(abi.encodeWithSelector(StoragePrize.StoragePrize_Over.selector, prize));
        prizes.claim(prize, "");
        vm.roll(DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(StoragePrize.StoragePrize_Over.selector, prize));
        prizes.takeBack(prize);
    }

    function test_Claim_RevertWhen_NotStored() public {
        uint64 id = _put(ROOT, 1 << 20);
        uint256 prize = _offer(_deal(id));
        vm.roll(START - 1);
        _notStored(IDealStatusOracle.Status.Published, START - 1);
        prizes.claim(prize, "");
        vm.roll(HELD_AT);
        _notStored(IDealStatusOracle.Status.Lost, HELD_AT);
        prizes.claim(prize, "");
    }

    function test_Claim_RevertWhen_TheLocationShowsNothing() public {
        assertTrue(_tell(7, END)); // found Active now, which is early
        uint256 prize = _offer(_sector(7));
        vm.roll(HELD_AT);
        _notStored(IDealStatusOracle.Status.Active, 10_000);
        prizes.claim(prize, hex"ff");
    }

    function test_TakeBack_FromTheDeadlineOn() public {
        uint256 prize = _offer(_deal(_put(ROOT, 1 << 20)));
        vm.roll(DEADLINE - 1);
        vm.expectRevert(abi.encodeWithSelector(StoragePrize.StoragePrize_TooEarly.selector, DEADLINE));
        prizes.takeBack(prize);
        vm.roll(DEADLINE);
        prizes.takeBack(prize);
        assertEq(sponsor.balance, 10 ether);
        vm.expectRevert(abi.encodeWithSelector(StoragePrize.StoragePrize_Over.selector, prize));
        prizes.claim(prize, "");
    }
}
