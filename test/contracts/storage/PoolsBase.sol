// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { PieceCid } from "../../../contracts/fvm/PieceCid.sol";
import {
    DealTerms,
    IPerpetualStorage,
    SectorPiece,
    SlotView
} from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { PooledPiece } from "../../../contracts/interfaces/IStoragePools.sol";
import { StoragePools } from "../../../contracts/storage/StoragePools.sol";
import { Vectors } from "../fvm/Vectors.sol";
import { StorageBase } from "./StorageBase.sol";

/// @notice What tests of StoragePools start from: an aggregate of four pieces with its proofs, as the reference makes them.
abstract contract PoolsBase is StorageBase, Vectors {
    StoragePools internal pools;
    Inclusion[] internal pieces; // of one aggregate of 1 MiB
    bytes32 internal whole;
    uint64 internal wholeSize;

    function setUp() public virtual override {
        super.setUp();
        pools = new StoragePools(store);
        Inclusion[] memory all = _inclusions(".cases");
        for (uint256 i = 3; i < 7; ++i) {
            pieces.push(all[i]);
        }
        (whole, wholeSize) = (pieces[0].commPa, pieces[0].sizePa);
    }

    function _poolTerms() internal pure returns (DealTerms memory t) {
        t = _terms();
        t.replicas = 2;
    }

    function _open(DealTerms memory t, uint256 value) internal returns (uint64 dealId) {
        vm.prank(stranger);
        return pools.openPool{ value: value }(HELLO_BYTES, PieceCid.v1(whole), wholeSize, 900_000, t);
    }

    /// @dev A pool into which alice and bob paid, with a piece each, and which operators have just fetched.
    function _funded(uint256 ofAlice, uint256 ofBob) internal returns (uint64 dealId) {
        dealId = _open(_poolTerms(), 0);
        _join(dealId, alice, 0, ofAlice);
        _join(dealId, bob, 1, ofBob);
        _serve(dealId);
    }

    function _join(uint64 dealId, address member, uint256 which, uint256 value) internal {
        PooledPiece memory piece = _pooled(pieces[which]);
        vm.prank(member);
        pools.join{ value: value }(dealId, piece, _proof(pieces[which]));
    }

    function _pooled(Inclusion memory v) internal pure returns (PooledPiece memory) {
        return PooledPiece(HELLO_BYTES, PieceCid.v1(v.commPc), v.sizePc);
    }

    function _copyOf(Inclusion memory v) internal pure returns (Inclusion memory) {
        return abi.decode(abi.encode(v), (Inclusion));
    }

    function _pay(uint64 dealId, address member, uint256 amount) internal {
        vm.deal(member, member.balance + amount);
        vm.prank(member);
        pools.pay{ value: amount }(dealId, member);
    }

    /// @dev A gift, which is nobody's share.
    function _payTo(uint64 dealId, uint256 amount) internal {
        vm.prank(client);
        store.fund{ value: amount }(dealId);
    }

    function _claimed(uint64 dealId, uint8 index, uint64 minerId, address by) internal returns (uint64 slotId) {
        return _claim(dealId, index, minerId, by);
    }

    /// @dev A miner says that the aggregate is in a sector, for a slot.
    function _tell(uint64 slotId, uint64 minerId, uint64 sector) internal returns (bool) {
        facts.setSector(minerId, sector, 1, type(uint64).max);
        return
            facts.activate(store, slotId, SectorPiece(minerId, sector, whole, wholeSize, int64(type(int64).max / 2), 0));
    }

    function _tail(bytes memory cid) internal pure returns (bytes memory out) {
        out = new bytes(34);
        for (uint256 i = 0; i < 34; ++i) {
            out[i] = cid[cid.length - 34 + i];
        }
    }

    /// @dev Proves an Active slot to its end.
    function _earnAll(uint64 slotId) internal {
        while (store.slotOf(slotId).state == IPerpetualStorage.SlotState.Active) {
            _pass(29 * DAY);
            _prove(slotId);
        }
        _stateOf(slotId, IPerpetualStorage.SlotState.Ended);
    }

    // ------------------------------------------------------- what may be tried

    function _leaveSome(uint64 dealId, address who, uint256 seed) internal {
        uint256 held = pools.sharesOf(dealId, who);
        if (held == 0) return;
        uint256 shares = seed % 4 == 0 ? held : 1 + seed % held;
        vm.prank(who);
        try pools.leave(dealId, shares) { } catch { }
    }

    function _claimAny(uint64 dealId, uint256 seed) internal {
        uint8 seat = uint8(seed) % 2;
        (uint64 slotId,) = store.seatOf(dealId, seat);
        uint64 minerId = seed % 3 == 0 ? M2 : M1;
        address by = minerId == M1 ? sp1 : sp2;
        (bytes32 why, uint96 bond,) = store.previewClaim(slotId, minerId, by);
        if (why != 0) return;
        vm.prank(by);
        store.claimDeal{ value: bond }(dealId, seat, minerId);
    }

    /// @dev Something becomes of a slot: it is sealed and earns, dies, or is given back; or time passes until it is expired.
    function _turn(uint64 dealId, uint8 act, uint256 seed, uint64 sector) internal {
        (uint64 slotId,) = store.seatOf(dealId, uint8(seed) % 2);
        SlotView memory s = store.slotOf(slotId);
        if (s.state == IPerpetualStorage.SlotState.Claimed) {
            if (act == 3) {
                _tell(slotId, s.minerId, sector);
            } else if (act == 4) {
                vm.prank(s.minerId == M1 ? sp1 : sp2);
                try store.releaseClaim(slotId) { } catch { }
            } else {
                _pass(SEAL + DAY + 1);
                try store.expireClaim(slotId) { } catch { }
                _serve(dealId);
            }
        } else if (s.state == IPerpetualStorage.SlotState.Active) {
            if (act == 5) {
                facts.setSector(s.minerId, s.sector, 0, 0);
                store.checkDeal(slotId, 0, AUX);
            } else {
                _pass(1 + seed % (10 * DAY));
                _prove(slotId);
                _serve(dealId);
            }
        }
    }
}
