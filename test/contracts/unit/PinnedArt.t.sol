// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IExecutionProvider, PinPayload, Reasons } from "../../../contracts/interfaces/IExecutionProvider.sol";
import { Cids } from "../../../contracts/pinning/Cids.sol";
import { PinnedArt } from "../../../contracts/samples/PinnedArt.sol";
import { Base } from "../Base.t.sol";

contract PinnedArtTest is Base {
    PinnedArt private art;

    function setUp() public override {
        super.setUp();
        art = new PinnedArt(provider, 100_000);
    }

    function _mint(bytes memory cid) private returns (Ask memory) {
        uint96 fee = art.quote();
        vm.recordLogs();
        vm.prank(alice);
        art.mint{ value: fee }(cid);
        return _lastAsk();
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
        uint96 fee = art.quote();
        vm.expectRevert(abi.encodeWithSelector(IExecutionProvider.EstuaryProvider_Underpaid.selector, fee - 1, fee));
        art.mint{ value: fee - 1 }(HELLO_BYTES);
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
