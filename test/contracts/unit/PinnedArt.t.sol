// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IExecutionProvider, PinPayload, Reasons } from "../../../contracts/interfaces/IExecutionProvider.sol";
import { DealView, IPerpetualStorage } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { Cids } from "../../../contracts/pinning/Cids.sol";
import { PinnedArt } from "../../../contracts/samples/PinnedArt.sol";
import { StorageBase } from "../storage/StorageBase.sol";

contract PinnedArtTest is StorageBase {
    PinnedArt private art;

    function setUp() public override {
        super.setUp();
        art = new PinnedArt(provider, 100_000, store, _terms());
    }

    /// @dev Both requests of a mint: the pin and the piece.
    function _mintBoth(bytes memory cid) private returns (Ask memory pin, Ask memory piece) {
        uint256 fee = art.quote();
        vm.recordLogs();
        vm.prank(alice);
        art.mint{ value: fee }(cid);
        Ask[] memory asks = _asks();
        assertEq(asks.length, 2);
        return (asks[0], asks[1]);
    }

    function _mint(bytes memory cid) private returns (Ask memory pin) {
        (pin,) = _mintBoth(cid);
    }

    function _mediaIs(uint256 tokenId, PinnedArt.Media media, uint8 reason) private view {
        PinnedArt.Piece memory piece = art.stateOf(tokenId);
        assertEq(uint8(piece.media), uint8(media));
        assertEq(piece.reason, reason);
    }

    function test_Mint_PinsTheMedia() public {
        Ask memory ask = _mint(HELLO_BYTES);
        assertEq(art.ownerOf(1), alice);
        _mediaIs(1, PinnedArt.Media.Waiting, 0);
        PinPayload memory pin = abi.decode(ask.payload, (PinPayload));
        assertEq(pin.cid, HELLO_BYTES);
        assertEq(pin.requester, address(art));
        assertEq(pin.expiry, block.timestamp + 365 days);
        _fulfill(_pinned(ask));
        _stateIs(ask.id, IExecutionProvider.RequestState.Answered); // and the callback went through
        _mediaIs(1, PinnedArt.Media.Pinned, 0);
        assertEq(art.tokenURI(1), "ipfs://f01551220b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9");
    }

    function test_Mint_RevertWhen_MalformedOrUnderpaid() public {
        vm.expectRevert(Cids.Cids_Empty.selector);
        art.mint{ value: 1 ether }("");
        uint256 fee = art.quote();
        uint256 pin = art.quotePin();
        vm.expectRevert(abi.encodeWithSelector(PinnedArt.PinnedArt_Underpaid.selector, fee - pin - 1, fee - pin));
        art.mint{ value: fee - 1 }(HELLO_BYTES);
        vm.expectRevert(abi.encodeWithSelector(PinnedArt.PinnedArt_Underpaid.selector, pin - 1, pin));
        art.mint{ value: pin - 1 }(HELLO_BYTES);
    }

    function test_Mint_StoresTheMediaForAsLongAsItsMoneyLasts() public {
        (, Ask memory ask) = _mintBoth(HELLO_BYTES);
        PinnedArt.Piece memory piece = art.stateOf(1);
        DealView memory deal = store.dealOf(piece.dealId);
        assertEq(deal.client, address(art));
        assertEq(deal.cid, HELLO_BYTES);
        assertEq(deal.free, piece.endowment);
        assertEq(piece.endowment, 3 * (MAX + uint256(RATE) * TERM));
        assertEq(uint8(deal.status), uint8(IPerpetualStorage.DealStatus.Preparing));
        _fulfill(_success(ask, abi.encode(PIECE, GIB, CAR_SIZE, uint64(1000))));
        assertEq(uint8(store.dealOf(piece.dealId).status), uint8(IPerpetualStorage.DealStatus.Open));
        // Others give more, and nobody takes it out: not by the contract, not by PerpetualStorage.
        vm.prank(bob);
        store.fund{ value: 1 ether }(piece.dealId);
        assertEq(store.dealOf(piece.dealId).free, piece.endowment + 1 ether);
        vm.expectRevert(abi.encodeWithSelector(PinnedArt.PinnedArt_StillStored.selector, 1, piece.dealId));
        art.reclaim(1);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IPerpetualStorage.PerpetualStorage_NotClient.selector, alice));
        store.cancel(piece.dealId);
    }

    function test_Reclaim_WhereTheMediaCouldNotBePrepared() public {
        (, Ask memory first) = _mintBoth(HELLO_BYTES);
        (, Ask memory second) = _mintBoth(HELLO_BYTES);
        (uint64 dealId, uint96 endowment) = (art.stateOf(1).dealId, art.stateOf(1).endowment);
        vm.warp(block.timestamp + 31 minutes);
        _fulfill(_failure(first, Reasons.NOT_FOUND));
        _fulfill(_failure(second, Reasons.NOT_FOUND));
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(PinnedArt.PinnedArt_StillStored.selector, 1, dealId));
        art.preserve{ value: 100 ether }(1);
        // The credit of both comes at once; each gets its own, and once.
        uint256 before = alice.balance;
        art.reclaim(1);
        assertEq(alice.balance - before, endowment);
        art.reclaim(2);
        assertEq(alice.balance - before, 2 * uint256(endowment));
        assertEq(address(art).balance, 0);
        vm.expectRevert(abi.encodeWithSelector(PinnedArt.PinnedArt_StillStored.selector, 1, 0));
        art.reclaim(1);

        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(PinnedArt.PinnedArt_NotOwner.selector, bob));
        art.preserve{ value: 100 ether }(1);
        uint256 needed = store.quotePrepare(art.MAX_BYTES()) + art.leastEndowment();
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(PinnedArt.PinnedArt_Underpaid.selector, needed - 1, needed));
        art.preserve{ value: needed - 1 }(1);
        art.preserve{ value: needed }(1);
        vm.stopPrank();
        assertEq(store.dealOf(art.stateOf(1).dealId).free, art.leastEndowment());
    }

    function test_Receive_RevertWhen_NotStorage() public {
        vm.prank(alice);
        (bool sent,) = address(art).call{ value: 1 ether }("");
        assertFalse(sent);
    }

    function test_Repin_AfterAFailure() public {
        Ask memory first = _mint(HELLO_BYTES);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(PinnedArt.PinnedArt_StillHeld.selector, 1));
        art.repin{ value: 1 ether }(1);
        vm.stopPrank();
        vm.warp(block.timestamp + 31 minutes);
        _fulfill(_failure(first, Reasons.NOT_FOUND));
        _mediaIs(1, PinnedArt.Media.Failed, Reasons.NOT_FOUND);
        vm.expectRevert(abi.encodeWithSelector(PinnedArt.PinnedArt_NotOwner.selector, bob));
        vm.prank(bob);
        art.repin{ value: 1 ether }(1);
        vm.recordLogs();
        vm.prank(alice);
        art.repin{ value: 1 ether }(1);
        _fulfill(_pinned(_lastAsk()));
        _mediaIs(1, PinnedArt.Media.Pinned, 0);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(PinnedArt.PinnedArt_StillHeld.selector, 1));
        art.repin{ value: 1 ether }(1);
    }

    function test_Unanswered_IsRefundedAndAskedAgain() public {
        Ask memory ask = _mint(HELLO_BYTES);
        vm.warp(ask.terms.deadline + 1);
        provider.refund(ask.terms);
        assertEq(provider.creditOf(alice), ask.terms.fee);
        vm.warp(block.timestamp + 365 days);
        vm.prank(alice);
        art.repin{ value: 1 ether }(1);
        _mediaIs(1, PinnedArt.Media.Waiting, 0);
    }

    function test_TokenUri_OfCidV0() public {
        (, bytes memory v0) = pinning.cidHashOf(EMPTY_V0);
        _mint(v0);
        (, bytes memory v1) = pinning.cidHashOf(EMPTY_V1);
        string memory hexes = vm.toString(v1);
        // vm.toString writes 0x…; the URI writes f…
        bytes memory want = bytes(hexes);
        bytes memory uri = bytes(art.tokenURI(1));
        assertEq(uri.length, want.length - 2 + 8);
        for (uint256 i = 2; i < want.length; ++i) {
            assertEq(uri[i + 6], want[i]);
        }
        vm.expectRevert();
        art.tokenURI(2);
    }
}
