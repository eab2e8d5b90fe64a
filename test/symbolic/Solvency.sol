// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    DealTerms,
    IPerpetualStorage,
    PublishedDeal,
    SectorPiece
} from "../../contracts/interfaces/IPerpetualStorage.sol";
import { Deals, Piece } from "../../contracts/storage/Deals.sol";
import { Proofs } from "../../contracts/storage/Proofs.sol";
import { Slots } from "../../contracts/storage/Slots.sol";
import { Said, Start, StorageBook } from "./StorageBook.sol";

/// @notice Solvency, step by step: whatever the state before, no step makes PerpetualStorage owe more or less than it did, but for
/// the value that came with it. A step that reverts changes nothing, and is none.
contract SolvencyChecks is StorageBook {
    /// Of a deal as long as there is none: with a piece, or without as `prepareDeal` creates it.
    function check_Create(Start calldata x, bytes32 digest, bool prepared, uint256 value) external {
        _fillMoney(x);
        b.nextDeal = DEAL;
        uint256 owed = _owed();
        Piece memory piece = prepared ? Piece(bytes32(uint256(1)), 1 << 30, 1e9) : Piece(0, 0, 0);
        Deals.create(b, CLIENT, abi.encodePacked(bytes4(0x01551220), digest), piece, value, _terms(x));
        assert(_owed() == owed + value);
        assert(b.deals[DEAL].client == CLIENT && b.nextDeal == DEAL + 1);
    }

    /// Of a deal that was being prepared: with its piece, or cancelled where there is none.
    function check_BindPiece(Start calldata x, Said calldata said, bool found) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Open);
        b.deals[DEAL].status = IPerpetualStorage.DealStatus.Preparing;
        Deals.bindPiece(b, DEAL, found ? Piece(bytes32(uint256(1)), 1 << 30, 1e9) : Piece(0, 0, 0));
        assert(_owed() == owed);
    }

    function check_Claim(Start calldata x, Said calldata said, uint96 value) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Open);
        Slots.claim(b, DEAL, 0, MINER, value);
        assert(_owed() == owed + value);
    }

    function check_Release(Start calldata x, Said calldata said) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Claimed);
        Slots.release(b, SLOT);
        assert(_owed() == owed);
    }

    function check_Expire_Claimed(Start calldata x, Said calldata said) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Claimed);
        Slots.expire(b, SLOT);
        assert(_owed() == owed);
    }

    function check_Expire_Published(Start calldata x, Said calldata said) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Published);
        Slots.expire(b, SLOT);
        assert(_owed() == owed);
    }

    function check_Published_Claimed(Start calldata x, Said calldata said, PublishedDeal calldata p) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Claimed);
        Slots.published(b, SLOT, p);
        assert(_owed() == owed);
    }

    /// f05 says that it published a deal for a slot that nobody had claimed.
    function check_Published_Open(Start calldata x, Said calldata said, PublishedDeal calldata p) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Open);
        Slots.published(b, SLOT, p);
        assert(_owed() == owed);
    }

    function check_PublishDeal(Start calldata x, Said calldata said) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Claimed);
        Slots.publishDeal(b, SLOT, 9);
        assert(_owed() == owed);
    }

    function check_Activated_Claimed(Start calldata x, Said calldata said, SectorPiece calldata p) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Claimed);
        Slots.activated(b, SLOT, p);
        assert(_owed() == owed);
    }

    function check_Activated_Late(Start calldata x, Said calldata said, SectorPiece calldata p) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Open);
        Slots.activated(b, SLOT, p);
        assert(_owed() == owed);
    }

    function check_ActivateByClaim(Start calldata x, Said calldata said) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Claimed);
        Slots.activateByClaim(b, SLOT, 5);
        assert(_owed() == owed);
    }

    function check_ActivateMarket(Start calldata x, Said calldata said) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Published);
        Slots.activateMarket(b, SLOT);
        assert(_owed() == owed);
    }

    function check_CheckDeal(Start calldata x, Said calldata said, uint8 status) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Active);
        Proofs.check(b, SLOT, status, "");
        assert(_owed() == owed);
    }

    function check_Terminate(Start calldata x, Said calldata said) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Active);
        Proofs.terminate(b, SLOT);
        assert(_owed() == owed);
    }

    function check_RenewByExtension(Start calldata x, Said calldata said, uint96 value) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Active);
        Proofs.renewByExtension(b, SLOT, "", value);
        assert(_owed() == owed + value);
    }

    function check_Fund(Start calldata x, Said calldata said, uint256 value) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Open);
        Deals.fund(b, DEAL, value);
        assert(_owed() == owed + value);
    }

    function check_FundMany(Start calldata x, Said calldata said, uint96 one, uint96 other, uint256 value) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Open);
        (uint64[] memory ids, uint96[] memory amounts) = (new uint64[](2), new uint96[](2));
        (ids[0], ids[1], amounts[0], amounts[1]) = (DEAL, DEAL, one, other);
        Deals.fundMany(b, ids, amounts, value);
        assert(_owed() == owed + value);
    }

    function check_WithdrawSurplus(Start calldata x, Said calldata said, uint96 amount) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Open);
        vm.prank(CLIENT);
        this.withdrawSurplus(amount);
        assert(_owed() == owed);
        assert(b.deals[DEAL].free == x.free - amount);
    }

    function check_Cancel(Start calldata x, Said calldata said) external {
        uint256 owed = _start(x, said, IPerpetualStorage.SlotState.Open);
        vm.prank(CLIENT);
        this.cancel();
        assert(_owed() == owed);
        assert(b.credits[CLIENT] == uint256(x.clientCredit) + x.free);
    }

    function withdrawSurplus(uint96 amount) external {
        Deals.withdrawSurplus(b, DEAL, amount);
    }

    function cancel() external {
        Deals.cancel(b, DEAL);
    }

    function _terms(Start calldata x) private pure returns (DealTerms memory t) {
        (t.replicas, t.verified, t.term, t.sealWindow, t.renewWindow) =
        (1, x.faulty, x.term, x.sealDeadline, x.slotTerm);
        (t.endEpoch, t.ramp, t.baseBounty, t.maxBounty, t.rate) = (x.end, x.ramp, x.baseBounty, x.maxBounty, x.rate);
        (t.bondFloor, t.minCollateral) = (x.bondFloor, x.bond);
    }

    function _start(Start calldata x, Said calldata said, IPerpetualStorage.SlotState state) private returns (uint256) {
        _fill(x, said, state);
        return _owed();
    }
}
