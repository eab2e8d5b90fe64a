// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    DealTerms,
    IPerpetualStorage,
    PublishedDeal,
    SlotView
} from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { DealFacts, IFilecoinFacts } from "../../../contracts/interfaces/IStorageGate.sol";
import { StorageBase } from "./StorageBase.sol";
import { Test } from "forge-std/Test.sol";
import { Vm } from "forge-std/Vm.sol";

/// @notice Does with PerpetualStorage whatever clients, providers, keepers and Filecoin may do, in any order, and keeps books by what it
/// sees from outside. What is refused has to leave everything as it was, which the invariants see too.
contract StorageHandler is StorageBase {
    uint64[] public deals;
    uint256 public received;
    uint256 public paid;
    uint256 public seqSeen;
    uint256 private _nonce;
    mapping(uint64 slotId => uint8) public lastState;
    mapping(uint64 slotId => bool) public known;
    uint64[] public slots;
    bool public badEdge;

    constructor() {
        setUp();
        vm.recordLogs();
        deals.push(_dealWith(_terms(), 100 ether));
        DealTerms memory t = _terms();
        t.replicas = 2;
        deals.push(_dealWith(t, 30 ether));
        _saw(vm.getRecordedLogs());
        _serve(1);
        _saw(vm.getRecordedLogs());
        _serve(2);
        _saw(vm.getRecordedLogs());
        received = 130 ether;
        seqSeen = store.nextSeq();
        _look();
    }

    function claim(uint256 seed) external {
        (uint64 minerId, address sp) = _provider(seed);
        _do(sp, 9 ether, abi.encodeCall(store.claimDeal, (_dealId(seed), uint8((seed >> 8) % 4), minerId)));
    }

    function release(uint256 seed) external {
        uint64 id = _some(seed);
        _do(_spOf(id), 0, abi.encodeCall(store.releaseClaim, (id)));
    }

    function expire(uint256 seed) external {
        if (seed % 3 == 0) _pass(SEAL + DAY + 1);
        _do(keeper, 0, abi.encodeCall(store.expireClaim, (_some(seed))));
    }

    function seal(uint256 seed) external {
        uint64 id = _some(seed);
        uint64 minerId = store.slotOf(id).minerId;
        uint64 sector = uint64(100 + seed % 50);
        facts.setSector(minerId, sector, 1, type(uint64).max);
        bytes memory call = abi.encodeCall(store.onActivated, (id, _piece(minerId, sector)));
        _do(address(facts), 0, call);
    }

    function publish(uint256 seed) external {
        (uint64 minerId,) = _provider(seed);
        PublishedDeal memory p = _f05(minerId, uint64(++_nonce));
        p.end += int64(uint64(TERM));
        _do(address(facts), 0, abi.encodeCall(store.onPublished, (_some(seed), p)));
        uint8 fate = uint8(seed >> 16) % 3;
        IFilecoinFacts.DealState state = IFilecoinFacts.DealState(fate + 1);
        facts.setDeal(p.f05DealId, _factsOf(p, state, int64(uint64(block.number)), uint64(1000 + _nonce)));
        facts.setSector(minerId, uint64(1000 + _nonce), 1, type(uint64).max);
    }

    function prove(uint256 seed) external {
        uint64[] memory ids = new uint64[](1);
        bytes[] memory aux = new bytes[](1);
        (ids[0], aux[0]) = (_some(seed), AUX);
        SlotView memory s = store.slotOf(ids[0]);
        facts.setSector(s.minerId, s.sector, 1, type(uint64).max);
        _do(stranger, 0, abi.encodeCall(store.proveActive, (ids, aux)));
    }

    function check(uint256 seed) external {
        uint64 id = _some(seed);
        SlotView memory s = store.slotOf(id);
        uint8 status = seed % 4 == 0 ? 0 : 2;
        facts.setSector(s.minerId, s.sector, status, type(uint64).max);
        _do(keeper, 0, abi.encodeCall(store.checkDeal, (id, status, AUX)));
    }

    function terminate(uint256 seed) external {
        uint64 id = _some(seed);
        if (seed % 3 == 0) _do(_spOf(id), 0, abi.encodeCall(store.terminateDeal, (id)));
    }

    function renew(uint256 seed) external {
        uint64 id = _some(seed);
        SlotView memory s = store.slotOf(id);
        if (s.end > block.number + RENEW) vm.roll(s.end - RENEW + seed % RENEW);
        facts.setSector(s.minerId, s.sector, 1, type(uint64).max);
        if (seed % 2 == 0) _do(keeper, 0, abi.encodeCall(store.openRenewal, (id >> 24, uint8(id >> 16))));
        else _do(_spOf(id), 2 ether, abi.encodeCall(store.renewByExtension, (id, AUX)));
    }

    function manage(uint256 seed) external {
        uint64 dealId = _dealId(seed);
        uint256 act = (seed >> 8) % 8;
        bytes memory call;
        if (act == 0) call = abi.encodeCall(store.fund, (dealId));
        if (act == 1) call = abi.encodeCall(store.withdrawSurplus, (dealId, uint96(seed % 3 ether)));
        if (act == 2) call = abi.encodeCall(store.suspend, (dealId));
        if (act == 3) call = abi.encodeCall(store.resume, (dealId));
        if (act == 4) call = abi.encodeCall(store.changeBounty, (dealId, uint80(seed % MAX), RAMP));
        if (act == 5) call = abi.encodeCall(store.changeMaxPrice, (dealId, MAX + uint80(seed % 1 ether), RATE));
        if (act == 6) call = abi.encodeCall(store.changeReplicas, (dealId, uint8(1 + seed % 4)));
        if (act == 7 && seed % 23 == 0) call = abi.encodeCall(store.cancel, (dealId));
        if (call.length != 0) _do(client, act == 0 ? 5 ether : 0, call);
    }

    function serve(uint256 seed) external {
        uint64 dealId = _dealId(seed);
        if (store.dealOf(dealId).status != IPerpetualStorage.DealStatus.Open) return;
        vm.deal(client, 1 ether);
        _serve(dealId);
        _saw(vm.getRecordedLogs());
        ++seqSeen;
    }

    function take(uint256 seed) external {
        address who = _accounts()[seed % 9];
        uint256 credit = store.creditOf(who);
        _do(who, 0, abi.encodeCall(store.withdrawEarned, (address(uint160(0xcafe)))));
        if (credit != 0) paid += credit;
    }

    function pass(uint256 seed) external {
        _pass(seed % (40 * DAY));
    }

    // ------------------------------------------------------------------ books

    /// @notice What has to be there, counted slot by slot and account by account.
    function owed() external view returns (uint256 sum) {
        sum = store.burnable();
        for (uint256 i = 0; i < deals.length; ++i) {
            sum += _free(deals[i]);
        }
        for (uint256 i = 0; i < slots.length; ++i) {
            SlotView memory s = store.slotOf(slots[i]);
            sum += s.bond;
            if (_holds(s.state)) sum += s.obligation - s.earned;
        }
        address[9] memory accounts = _accounts();
        for (uint256 i = 0; i < accounts.length; ++i) {
            sum += store.creditOf(accounts[i]);
        }
    }

    function store_() external view returns (IPerpetualStorage) {
        return store;
    }

    function held() external view returns (uint256) {
        return address(store).balance;
    }

    function slotCount() external view returns (uint256) {
        return slots.length;
    }

    function view_(uint256 i) external view returns (SlotView memory) {
        return store.slotOf(slots[i]);
    }

    /// @notice Whether two live slots of a deal in different seats have one owner.
    function doubled() external view returns (bool) {
        for (uint256 i = 0; i < slots.length; ++i) {
            SlotView memory a = store.slotOf(slots[i]);
            if (!_holds(a.state)) continue;
            for (uint256 j = 0; j < i; ++j) {
                if (slots[i] >> 24 != slots[j] >> 24 || slots[i] >> 16 == slots[j] >> 16) continue;
                SlotView memory b = store.slotOf(slots[j]);
                if (_holds(b.state) && a.ownerId == b.ownerId) return true;
            }
        }
        return false;
    }

    /// @notice Everyone takes what is theirs, whatever the state: nothing can be bricked.
    function everyoneLeaves() external {
        for (uint256 i = 0; i < deals.length; ++i) {
            if (store.dealOf(deals[i]).status == IPerpetualStorage.DealStatus.Cancelled) continue;
            vm.prank(client);
            store.cancel(deals[i]);
        }
        _pass(4 * uint256(TERM));
        for (uint256 i = 0; i < slots.length; ++i) {
            SlotView memory s = store.slotOf(slots[i]);
            if (s.state == IPerpetualStorage.SlotState.Active) store.checkDeal(slots[i], 0, "");
            if (s.state == IPerpetualStorage.SlotState.Claimed) store.expireClaim(slots[i]);
            if (s.state == IPerpetualStorage.SlotState.Published) {
                DealFacts memory gone;
                gone.state = IFilecoinFacts.DealState.Gone;
                facts.setDeal(s.f05DealId, gone);
                store.expireClaim(slots[i]);
            }
        }
        address[9] memory accounts = _accounts();
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (store.creditOf(accounts[i]) == 0) continue;
            vm.prank(accounts[i]);
            store.withdrawEarned(address(0xcafe));
        }
        if (store.creditOf(address(this)) != 0) store.withdrawEarned(address(0xcafe));
        assertEq(address(store).balance, store.burnable(), "only what is to be burnt is left");
    }

    // ----------------------------------------------------------------- inside

    function _do(address who, uint256 value, bytes memory call) internal {
        vm.deal(who, value);
        vm.recordLogs();
        vm.prank(who);
        (bool ok,) = address(store).call{ value: value }(call);
        if (ok) received += value;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == address(store)) ++seqSeen;
        }
        _saw(logs);
        _look();
    }

    /// @dev What was logged in this block, once.
    function _saw(Vm.Log[] memory) internal virtual { }

    /// @dev Finds slots that are new and checks how states moved.
    function _look() private {
        for (uint256 i = 0; i < deals.length; ++i) {
            for (uint8 index = 0; index < 4; ++index) {
                (uint64 current, uint64 next) = store.seatOf(deals[i], index);
                _remember(current);
                if (next != 0) _remember(next);
            }
        }
        for (uint256 i = 0; i < slots.length; ++i) {
            uint8 now_ = uint8(store.slotOf(slots[i]).state);
            uint8 was = lastState[slots[i]];
            if (!_edge(was, now_)) badEdge = true;
            lastState[slots[i]] = now_;
        }
    }

    function _remember(uint64 id) private {
        if (known[id]) return;
        known[id] = true;
        slots.push(id);
        lastState[id] = uint8(store.slotOf(id).state);
    }

    /// @dev The arrows that one call may follow. A call may both publish and claim, or take a late claim and activate it.
    function _edge(uint8 a, uint8 b) private pure returns (bool) {
        if (a == b) return true;
        if (a == 0) return b <= 3;
        if (a == 1) return b == 0 || b == 2 || b == 3;
        if (a == 2) return b == 0 || b == 3 || b == 4;
        return a == 3 && b >= 4;
    }

    function _holds(IPerpetualStorage.SlotState state) private pure returns (bool) {
        return state > IPerpetualStorage.SlotState.Open && state < IPerpetualStorage.SlotState.Ended;
    }

    function _accounts() internal view returns (address[9] memory) {
        return [client, keeper, stranger, sp1, sp2, sp3, _masked(2001), _masked(2002), _masked(2003)];
    }

    function _dealId(uint256 seed) internal view returns (uint64) {
        return deals[seed % deals.length];
    }

    function _provider(uint256 seed) private pure returns (uint64, address) {
        uint64 n = uint64(seed >> 4) % 3;
        return (M1 + n, _masked(3001 + n));
    }

    function _some(uint256 seed) internal view returns (uint64) {
        return slots[(seed >> 24) % slots.length];
    }

    function _spOf(uint64 id) internal view returns (address) {
        return _masked(store.slotOf(id).minerId + 2000);
    }
}

/// @notice Calls whatever the handler does.
abstract contract StorageCampaign is Test {
    StorageHandler internal handler;

    function _target() internal {
        bytes4[] memory actions = new bytes4[](13);
        actions[0] = handler.claim.selector;
        actions[1] = handler.release.selector;
        actions[2] = handler.expire.selector;
        actions[3] = handler.seal.selector;
        actions[4] = handler.publish.selector;
        actions[5] = handler.prove.selector;
        actions[6] = handler.check.selector;
        actions[7] = handler.terminate.selector;
        actions[8] = handler.renew.selector;
        actions[9] = handler.manage.selector;
        actions[10] = handler.serve.selector;
        actions[11] = handler.take.selector;
        actions[12] = handler.pass.selector;
        targetSelector(FuzzSelector(address(handler), actions));
        targetContract(address(handler));
    }
}

/// @notice Invariants 11 to 17 of README.md.
contract StorageInvariants is StorageCampaign {
    function setUp() public {
        handler = new StorageHandler();
        _target();
    }

    function invariant_11_HeldIsOwed() public view {
        assertEq(handler.held(), handler.owed());
    }

    function invariant_12_Conservation() public view {
        assertEq(handler.received(), handler.held() + handler.paid());
    }

    function invariant_13_EarnedIsProven() public view {
        for (uint256 i = 0; i < handler.slotCount(); ++i) {
            SlotView memory s = handler.view_(i);
            assertLe(s.proven, s.term);
            if (s.term != 0) assertEq(s.earned, uint256(s.obligation) * s.proven / s.term);
        }
    }

    function invariant_14_CopiesHaveDifferentOwners() public view {
        assertFalse(handler.doubled());
    }

    function invariant_15_SeqHasNoGap() public view {
        assertEq(handler.seqSeen(), handler.store_().nextSeq());
    }

    function invariant_16_StatesFollowTheArrows() public view {
        assertFalse(handler.badEdge());
    }

    function invariant_17_NothingIsBricked() public {
        uint256 snapshot = vm.snapshotState();
        handler.everyoneLeaves();
        vm.revertToState(snapshot);
    }
}
