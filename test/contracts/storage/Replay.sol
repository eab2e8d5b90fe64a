// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DealTerms, DealView, IPerpetualStorage, SlotView } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { BountyCurve } from "../../../contracts/storage/BountyCurve.sol";
import { Vm } from "forge-std/Vm.sol";

/// @notice PerpetualStorage as its events tell it. It is told of nothing else, and asks the contract only when it is compared.
contract Replay {
    struct Clock {
        uint32 read;
        uint32 since;
    }

    struct Places {
        uint16 current;
        uint16 next;
        uint16 last;
        bool hasNext;
    }

    uint256 private constant SEATS = 16;

    IPerpetualStorage private immutable STORE;
    /// @dev The event of which it takes no more notice than that there was one; 0 = it hears all.
    bytes32 private immutable DEAF_TO;
    string private _baseUrl; // of deals that name no endpoint: of the contract's construction, in no event

    mapping(uint64 dealId => DealView) private _deals;
    mapping(uint64 dealId => Clock) private _clocks;
    mapping(uint64 slotId => SlotView) private _slots;
    mapping(uint64 slotId => uint32) private _marks;
    mapping(uint64 seatKey => Places) private _seats;
    mapping(address account => uint256) private _credits;
    uint256 private _burnable;
    uint64 private _nextDeal = 1;
    uint64 private _seq;
    bool public gap;

    constructor(IPerpetualStorage store_, string memory baseUrl, bytes32 deafTo) {
        (STORE, _baseUrl, DEAF_TO) = (store_, baseUrl, deafTo);
    }

    /// @notice Takes in what was logged in the block that is now.
    function hear(Vm.Log[] calldata logs) external {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != address(STORE)) continue;
            // What every event of the contract begins with, behind what is indexed.
            if (uint64(uint256(bytes32(logs[i].data))) != _seq++) gap = true;
            if (logs[i].topics[0] != DEAF_TO) _take(logs[i].topics, logs[i].data);
        }
    }

    /// @notice What the contract shows otherwise; empty where nothing is.
    function differs(address[] calldata accounts) external view returns (string memory) {
        if (gap || STORE.nextSeq() != _seq) return "seq";
        if (STORE.nextDeal() != _nextDeal) return "nextDeal";
        if (STORE.burnable() != _burnable) return "burnable";
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (STORE.creditOf(accounts[i]) != _credits[accounts[i]]) return "credit";
        }
        for (uint64 id = 1; id < _nextDeal; ++id) {
            DealView memory d = _deals[id];
            d.clock = _clockOf(id);
            if (keccak256(abi.encode(d)) != keccak256(abi.encode(STORE.dealOf(id)))) return "deal";
            for (uint8 index = 0; index < SEATS; ++index) {
                string memory what = _seatDiffers(id, index, d);
                if (bytes(what).length != 0) return what;
                if (_seats[id << 8 | index].last == 0 && index >= d.terms.replicas) break;
            }
        }
        return "";
    }

    // ------------------------------------------------------------- comparing

    function _seatDiffers(uint64 dealId, uint8 index, DealView memory d) private view returns (string memory) {
        Places memory seat = _seats[dealId << 8 | index];
        uint64 base = (dealId << 8 | index) << 16;
        (uint64 current, uint64 next) = STORE.seatOf(dealId, index);
        if (current != base | seat.current || next != (seat.hasNext ? base | seat.next : 0)) return "seat";
        for (uint64 id = base; id <= base | seat.last; ++id) {
            SlotView memory s = _slots[id];
            if (keccak256(abi.encode(s)) != keccak256(abi.encode(STORE.slotOf(id)))) return "slot";
            if (s.state == IPerpetualStorage.SlotState.Open && STORE.quoteBounty(id) != _bountyOf(id, d)) {
                return "bounty";
            }
        }
        return "";
    }

    function _bountyOf(uint64 slotId, DealView memory d) private view returns (uint256) {
        return BountyCurve.at(d.terms.baseBounty, d.terms.maxBounty, d.terms.ramp, d.clock - _marks[slotId]);
    }

    // --------------------------------------------------------------- hearing

    function _take(bytes32[] calldata topics, bytes calldata data) private {
        uint64 dealId = topics.length > 1 ? uint64(uint256(topics[1])) : 0;
        uint64 slotId = topics.length > 2 ? uint64(uint256(topics[2])) : 0;
        bytes32 what = topics[0];
        if (_ofMoney(what, topics, data)) return;
        if (what == IPerpetualStorage.DealCreated.selector) {
            return _created(dealId, address(uint160(uint256(topics[2]))), data);
        }
        if (_ofTerms(what, dealId, data) || _ofDeal(what, dealId, data)) return;
        if (what == IPerpetualStorage.SlotOpened.selector) return _opened(dealId, slotId, data);
        if (what == IPerpetualStorage.SlotClosed.selector) return _closed(dealId, slotId, data);
        if (_ofClaim(what, dealId, slotId, topics, data)) return;
        _ofSlot(what, slotId, data);
    }

    function _ofMoney(bytes32 what, bytes32[] calldata topics, bytes calldata data) private returns (bool) {
        address account = topics.length > 1 ? address(uint160(uint256(topics[1]))) : address(0);
        if (what == IPerpetualStorage.Credited.selector) {
            (, uint256 amount) = abi.decode(data, (uint64, uint256));
            _credits[account] += amount;
        } else if (what == IPerpetualStorage.Withdrawn.selector) {
            (,, uint256 amount) = abi.decode(data, (uint64, address, uint256));
            _credits[account] -= amount;
        } else if (what == IPerpetualStorage.Burnt.selector) {
            (, uint256 amount) = abi.decode(data, (uint64, uint256));
            _burnable -= amount;
        } else {
            return false;
        }
        return true;
    }

    function _created(uint64 dealId, address client, bytes calldata data) private {
        DealView memory d;
        d.client = client;
        (, d.cid, d.commP, d.paddedSize, d.carSize, d.free, d.terms) =
            abi.decode(data, (uint64, bytes, bytes32, uint64, uint64, uint96, DealTerms));
        if (bytes(d.terms.endpoint).length == 0) d.terms.endpoint = _baseUrl;
        bool whole = d.commP != 0;
        d.status = whole ? IPerpetualStorage.DealStatus.Open : IPerpetualStorage.DealStatus.Preparing;
        _deals[dealId] = d;
        if (whole) _clocks[dealId].since = uint32(block.number);
        _nextDeal = dealId + 1;
    }

    function _ofTerms(bytes32 what, uint64 dealId, bytes calldata data) private returns (bool) {
        DealTerms storage t = _deals[dealId].terms;
        if (what == IPerpetualStorage.BountyChanged.selector) {
            (, t.baseBounty, t.ramp) = abi.decode(data, (uint64, uint80, uint32));
        } else if (what == IPerpetualStorage.MaxPriceChanged.selector) {
            (, t.maxBounty, t.rate) = abi.decode(data, (uint64, uint80, uint64));
        } else if (what == IPerpetualStorage.EndEpochChanged.selector) {
            (, t.endEpoch) = abi.decode(data, (uint64, uint32));
        } else if (what == IPerpetualStorage.DataCapChanged.selector) {
            (, t.verified) = abi.decode(data, (uint64, bool));
        } else if (what == IPerpetualStorage.ReplicasChanged.selector) {
            (, uint8 replicas) = abi.decode(data, (uint64, uint8));
            for (uint8 index = t.replicas; index < replicas; ++index) {
                Places memory seat = _seats[dealId << 8 | index];
                uint64 base = (dealId << 8 | index) << 16;
                _remark(dealId, base | seat.current);
                if (seat.hasNext) _remark(dealId, base | seat.next);
            }
            t.replicas = replicas;
        } else {
            return false;
        }
        return true;
    }

    function _ofDeal(bytes32 what, uint64 dealId, bytes calldata data) private returns (bool) {
        DealView storage d = _deals[dealId];
        if (what == IPerpetualStorage.DealPrepared.selector) {
            (, bytes32 commP, uint64 paddedSize, uint64 carSize) = abi.decode(data, (uint64, bytes32, uint64, uint64));
            if (commP == 0) return true;
            (d.status, d.commP, d.paddedSize, d.carSize) =
            (IPerpetualStorage.DealStatus.Open, commP, paddedSize, carSize);
            _clocks[dealId].since = uint32(block.number);
        } else if (what == IPerpetualStorage.DealFunded.selector) {
            (, uint96 amount) = abi.decode(data, (uint64, uint96));
            d.free += amount;
        } else if (what == IPerpetualStorage.SurplusWithdrawn.selector) {
            (, uint96 amount) = abi.decode(data, (uint64, uint96));
            d.free -= amount;
            _credits[d.client] += amount;
        } else if (what == IPerpetualStorage.DealServed.selector) {
            _settle(dealId);
            (, d.servedUntil) = abi.decode(data, (uint64, uint32));
        } else if (what == IPerpetualStorage.DealSuspended.selector) {
            _settle(dealId);
            d.suspended = true;
        } else if (what == IPerpetualStorage.DealResumed.selector) {
            _settle(dealId);
            d.suspended = false;
        } else if (what == IPerpetualStorage.DealCancelled.selector) {
            _settle(dealId);
            (, uint96 refund) = abi.decode(data, (uint64, uint96));
            (d.status, d.free) = (IPerpetualStorage.DealStatus.Cancelled, 0);
            _credits[d.client] += refund;
        } else {
            return false;
        }
        return true;
    }

    function _opened(uint64 dealId, uint64 slotId, bytes calldata data) private {
        (, bool next) = abi.decode(data, (uint64, bool));
        Places storage seat = _seats[slotId >> 16];
        seat.last = uint16(slotId);
        if (next) (seat.next, seat.hasNext) = (uint16(slotId), true);
        else seat.current = uint16(slotId);
        _marks[slotId] = _clockOf(dealId);
    }

    function _ofClaim(bytes32 what, uint64 dealId, uint64 slotId, bytes32[] calldata topics, bytes calldata data)
        private
        returns (bool)
    {
        SlotView storage s = _slots[slotId];
        if (what == IPerpetualStorage.SlotClaimed.selector) {
            (s.payee, s.obligation, s.bond) = abi.decode(data[32:128], (address, uint96, uint80));
            (s.sealDeadline, s.ownerId, s.organisation) = abi.decode(data[128:], (uint32, uint64, uint24));
            (s.state, s.minerId) = (IPerpetualStorage.SlotState.Claimed, uint64(uint256(topics[3])));
            s.term = _deals[dealId].terms.term;
            _deals[dealId].free -= s.obligation;
            _marks[slotId] = _clockOf(dealId) - _marks[slotId];
        } else if (what == IPerpetualStorage.ClaimReleased.selector) {
            (, uint96 fee) = abi.decode(data, (uint64, uint96));
            _burnable += fee;
            _credits[s.payee] += s.bond - fee;
            s.minerId = 0;
            _reopen(dealId, slotId);
        } else if (what == IPerpetualStorage.ClaimExpired.selector) {
            (, uint96 burnt,) = abi.decode(data, (uint64, uint96, uint96));
            _burnable += burnt;
            // Who claimed in vain may still come late; who published may not.
            if (s.state == IPerpetualStorage.SlotState.Published) s.minerId = 0;
            _reopen(dealId, slotId);
        } else {
            return false;
        }
        return true;
    }

    function _ofSlot(bytes32 what, uint64 slotId, bytes calldata data) private {
        SlotView storage s = _slots[slotId];
        if (what == IPerpetualStorage.SlotPublished.selector) {
            (, s.f05DealId, s.start, s.end) = abi.decode(data, (uint64, uint64, uint32, uint32));
            s.state = IPerpetualStorage.SlotState.Published;
        } else if (what == IPerpetualStorage.SlotActivated.selector) {
            uint80 had = s.bond;
            (s.route, s.sector, s.start, s.end) =
                abi.decode(data[32:160], (IPerpetualStorage.Route, uint64, uint32, uint32));
            (s.f05DealId, s.lastProof, s.bond) = abi.decode(data[160:], (uint64, uint32, uint80));
            s.state = IPerpetualStorage.SlotState.Active;
            _credits[s.payee] += had - s.bond;
        } else if (what == IPerpetualStorage.SlotProven.selector) {
            uint96 had = s.earned;
            (, s.lastProof, s.proven, s.earned) = abi.decode(data, (uint64, uint32, uint32, uint96));
            s.faulty = false;
            _credits[s.payee] += s.earned - had;
        } else if (what == IPerpetualStorage.SlotFaulty.selector) {
            s.faulty = true;
        } else if (what == IPerpetualStorage.PayeeChanged.selector) {
            (, s.payee) = abi.decode(data, (uint64, address));
        }
    }

    function _closed(uint64 dealId, uint64 slotId, bytes calldata data) private {
        SlotView storage s = _slots[slotId];
        uint96 refund;
        uint96 returned;
        uint96 burnt;
        (, s.state, refund, returned, burnt,) =
            abi.decode(data, (uint64, IPerpetualStorage.SlotState, uint96, uint96, uint96, uint96));
        (s.faulty, s.bond) = (false, 0);
        _giveBack(dealId, refund);
        _credits[s.payee] += returned;
        _burnable += burnt;
        Places storage seat = _seats[slotId >> 16];
        if (seat.current == uint16(slotId) && seat.hasNext) seat.current = seat.next;
        seat.hasNext = false;
    }

    // ---------------------------------------------------------------- inside

    function _reopen(uint64 dealId, uint64 slotId) private {
        SlotView storage s = _slots[slotId];
        _giveBack(dealId, s.obligation);
        (s.state, s.bond) = (IPerpetualStorage.SlotState.Open, 0);
        (s.start, s.end, s.f05DealId) = (0, 0, 0);
        _marks[slotId] = _clockOf(dealId) - _marks[slotId];
    }

    function _giveBack(uint64 dealId, uint96 amount) private {
        DealView storage d = _deals[dealId];
        if (d.status == IPerpetualStorage.DealStatus.Cancelled) _credits[d.client] += amount;
        else d.free += amount;
    }

    function _remark(uint64 dealId, uint64 slotId) private {
        if (_slots[slotId].state == IPerpetualStorage.SlotState.Open) _marks[slotId] = _clockOf(dealId);
    }

    function _settle(uint64 dealId) private {
        _clocks[dealId] = Clock(_clockOf(dealId), uint32(block.number));
    }

    function _clockOf(uint64 dealId) private view returns (uint32) {
        DealView storage d = _deals[dealId];
        Clock memory c = _clocks[dealId];
        if (d.status != IPerpetualStorage.DealStatus.Open || d.suspended) return c.read;
        uint256 until = block.number < d.servedUntil ? block.number : d.servedUntil;
        return until > c.since ? c.read + uint32(until - c.since) : c.read;
    }
}
