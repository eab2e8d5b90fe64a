// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IExecutionProvider, Terms } from "../../../contracts/interfaces/IExecutionProvider.sol";
import { IPerpetualStorage, PublishedDeal } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { ClaimFacts, IFilecoinFacts } from "../../../contracts/interfaces/IStorageGate.sol";
import { FvmTest } from "../fvm/FvmTest.sol";
import { StorageCampaign, StorageHandler } from "./Invariants.t.sol";
import { Replay } from "./Replay.sol";
import { StorageBase } from "./StorageBase.sol";
import { Vm } from "forge-std/Vm.sol";

string constant BASE_URL = "https://gate.example/piece/"; // as StorageBase builds the contract

/// @notice The handler of the invariants with a listener, and a few calls more.
contract ReplayHandler is StorageHandler {
    Replay private _replay;
    uint64 private _claims;

    function name(uint256 seed) external {
        uint64[] memory ids = new uint64[](1);
        ids[0] = _some(seed);
        address payee = _accounts()[seed % 9];
        _do(_masked(store.slotOf(ids[0]).minerId + 1000), 0, abi.encodeCall(store.setPayee, (ids, payee)));
    }

    function show(uint256 seed) external {
        uint64 id = _some(seed);
        uint64 minerId = store.slotOf(id).minerId;
        uint64 sector = uint64(500 + seed % 50);
        facts.setSector(minerId, sector, 1, type(uint64).max);
        facts.setClaim(minerId, ++_claims, ClaimFacts(true, true, COMMP, GIB, 0, 0, sector));
        _do(_spOf(id), 0, abi.encodeCall(store.activateByClaim, (id, _claims)));
    }

    function change(uint256 seed) external {
        uint64 dealId = _dealId(seed);
        if (seed % 2 == 0) _do(client, 0, abi.encodeCall(store.changeDataCap, (dealId, seed % 4 == 0)));
        else _do(client, 0, abi.encodeCall(store.changeEndEpoch, (dealId, uint32(seed) % 3_000_000 + 1_500_000)));
    }

    function differs() external view returns (string memory) {
        address[9] memory all = _accounts();
        address[] memory accounts = new address[](9);
        for (uint256 i = 0; i < 9; ++i) {
            accounts[i] = all[i];
        }
        return _replay.differs(accounts);
    }

    function _saw(Vm.Log[] memory logs) internal override {
        if (address(_replay) == address(0)) _replay = new Replay(store, BASE_URL, 0);
        _replay.hear(logs);
    }
}

/// @notice Invariant 18 of README.md.
contract ReplayInvariants is StorageCampaign {
    ReplayHandler private _heard;

    function setUp() public {
        _heard = new ReplayHandler();
        handler = _heard;
        _target();
        bytes4[] memory more = new bytes4[](3);
        (more[0], more[1], more[2]) = (_heard.name.selector, _heard.show.selector, _heard.change.selector);
        targetSelector(FuzzSelector(address(_heard), more));
    }

    /// @dev Every view after every call takes its time: 3 s of `make test`.
    /// forge-config: default.invariant.runs = 16
    /// forge-config: soak.invariant.runs = 100
    function invariant_18_StateIsTheReplayOfTheEvents() public view {
        assertEq(_heard.differs(), "");
    }
}

/// @notice That invariant 18 can fail: a life with every event, heard by one listener that hears all, and by others that are deaf to one
/// kind of event each.
contract ReplayTest is StorageBase, FvmTest {
    Replay[] private _deaf;
    Replay private _whole;
    mapping(Replay => bool) private _wrong;
    address[] private _everyone;

    function setUp() public override {
        super.setUp();
        bytes32[26] memory kinds = _kinds();
        _whole = new Replay(store, BASE_URL, 0);
        for (uint256 i = 0; i < kinds.length; ++i) {
            _deaf.push(new Replay(store, BASE_URL, kinds[i]));
        }
        _everyone = [client, keeper, stranger, sp1, sp2, sp3, _masked(2001), _masked(2002), _masked(2003)];
        vm.recordLogs();
    }

    function test_Replay_EveryEventIsNeeded() public {
        uint64 dealId = _born();
        _managed(dealId);
        uint64 slotId = _claimed(dealId);
        _stored(dealId, slotId);
        _ended(dealId, slotId);
        bytes32[26] memory kinds = _kinds();
        for (uint256 i = 0; i < kinds.length; ++i) {
            assertTrue(_wrong[_deaf[i]], vm.toString(kinds[i]));
        }
    }

    // --------------------------------------------------------------- the life

    function _born() private returns (uint64 dealId) {
        dealId = _dealWith(_terms(), 100 ether);
        _hear();
        _serveHeard(dealId);
        _prepared(true);
        _prepared(false);
    }

    function _prepared(bool good) private {
        uint96 fee = store.quotePrepare(1 << 30);
        vm.prank(client);
        store.prepareDeal{ value: fee + 10 ether }(HELLO_BYTES, 1 << 30, fee, _terms());
        Ask memory ask = _hearAsk();
        if (good) assertEq(_fulfill(_success(ask, abi.encode(PIECE, GIB, CAR_SIZE))), 1);
        else assertEq(_fulfill(_failure(ask, 1)), 1);
        _hear();
    }

    function _managed(uint64 dealId) private {
        store.fund{ value: 50 ether }(dealId);
        _hear();
        vm.startPrank(client);
        store.changeReplicas(dealId, 2);
        _hear();
        _pass(100);
        store.changeReplicas(dealId, 4);
        _hear();
        store.changeBounty(dealId, 2 * BASE, RAMP / 2);
        _hear();
        store.changeMaxPrice(dealId, 2 * MAX, RATE / 2);
        _hear();
        store.changeEndEpoch(dealId, 3_000_000);
        _hear();
        store.changeDataCap(dealId, true);
        _hear();
        store.changeDataCap(dealId, false);
        _hear();
        store.suspend(dealId);
        _hear();
        _pass(100);
        store.resume(dealId);
        _hear();
        _pass(100);
        store.withdrawSurplus(dealId, 1 ether);
        _hear();
        vm.stopPrank();
    }

    function _claimed(uint64 dealId) private returns (uint64 slotId) {
        slotId = _slot(dealId, 0, 0);
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(sp1); // once more than it can be
            store.claimDeal{ value: 20 ether }(dealId, 0, M1);
            _hear();
        }
        _pass(10);
        vm.prank(sp1);
        store.releaseClaim(slotId);
        _hear();
        registry.attest(M1, 7);
        _claim(dealId, 0, M1, sp1);
        _hear();
        uint64 vain = _claim(dealId, 1, M2, sp2);
        _hear();
        _pass(SEAL + DAY + 1);
        vm.prank(keeper);
        store.expireClaim(vain);
        _hear();
        _serveHeard(dealId);
    }

    function _stored(uint64 dealId, uint64 slotId) private {
        _seal(slotId, M1, 42);
        _hear();
        _pass(DAY);
        store.checkDeal(_faulty(slotId), 2, AUX);
        _hear();
        _pass(DAY);
        facts.setSector(M1, 42, 1, type(uint64).max);
        for (uint256 i = 0; i < 2; ++i) {
            _prove(slotId);
            _hear();
            _pass(DAY);
        }
        uint64[] memory ids = new uint64[](1);
        ids[0] = slotId;
        vm.prank(_masked(2001));
        store.setPayee(ids, stranger);
        _hear();
        _prove(slotId);
        _hear();
        vm.prank(stranger);
        store.withdrawEarned(address(0xbeef));
        _hear();
        PublishedDeal memory p = _f05(M3, 7);
        assertTrue(facts.publish(store, _slot(dealId, 2, 0), p));
        _hear();
        _pass(SEAL);
        facts.setDeal(7, _factsOf(p, IFilecoinFacts.DealState.Active, p.start - 5, 43));
        ids[0] = _slot(dealId, 2, 0);
        store.proveActive(ids, new bytes[](1));
        _hear();
    }

    function _faulty(uint64 slotId) private returns (uint64) {
        facts.setSector(M1, 42, 2, type(uint64).max);
        return slotId;
    }

    function _ended(uint64 dealId, uint64 slotId) private {
        vm.roll(store.slotOf(slotId).end - RENEW);
        store.openRenewal(dealId, 0);
        _hear();
        vm.prank(sp1);
        store.renewByExtension{ value: 20 ether }(slotId, AUX);
        _hear();
        vm.prank(sp3);
        store.terminateDeal(_slot(dealId, 2, 0));
        _hear();
        vm.prank(client);
        store.cancel(dealId);
        _hear();
        facts.setSector(M1, 42, 0, 0);
        vm.prank(keeper);
        store.checkDeal(slotId, 0, AUX);
        _hear();
        _startFvm();
        world.register(address(store));
        store.burn();
        _hear();
    }

    // ----------------------------------------------------------------- inside

    function _serveHeard(uint64 dealId) private {
        uint96 fee = store.quoteServed(dealId);
        vm.prank(client);
        store.requestServed{ value: fee }(dealId);
        assertEq(_fulfill(_success(_hearAsk(), "")), 1);
        _hear();
    }

    function _hear() private {
        _hear(vm.getRecordedLogs());
    }

    /// @dev What was asked of operators just now.
    function _hearAsk() private returns (Ask memory ask) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        _hear(logs);
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IExecutionProvider.OracleRequested.selector) continue;
            ask.id = logs[i].topics[1];
            (ask.terms, ask.payload, ask.context) = abi.decode(logs[i].data, (Terms, bytes, bytes));
        }
        assertTrue(ask.id != 0, "nothing was asked");
    }

    function _hear(Vm.Log[] memory logs) private {
        _whole.hear(logs);
        assertEq(_whole.differs(_everyone), "");
        for (uint256 i = 0; i < _deaf.length; ++i) {
            if (_wrong[_deaf[i]]) continue;
            // One that missed something may come to take away what it does not know to be there.
            try _deaf[i].hear(logs) {
                string memory what = _deaf[i].differs(_everyone);
                assertFalse(keccak256(bytes(what)) == keccak256("seq"), "that there was an event is heard");
                _wrong[_deaf[i]] = bytes(what).length != 0;
            } catch {
                _wrong[_deaf[i]] = true;
            }
        }
    }

    /// @dev All but NothingOpen, of which nothing follows, and IntakePausedChanged, which no view shows.
    function _kinds() private pure returns (bytes32[26] memory) {
        return [
            IPerpetualStorage.DealCreated.selector,
            IPerpetualStorage.DealPrepared.selector,
            IPerpetualStorage.DealFunded.selector,
            IPerpetualStorage.BountyChanged.selector,
            IPerpetualStorage.MaxPriceChanged.selector,
            IPerpetualStorage.ReplicasChanged.selector,
            IPerpetualStorage.EndEpochChanged.selector,
            IPerpetualStorage.DataCapChanged.selector,
            IPerpetualStorage.DealSuspended.selector,
            IPerpetualStorage.DealResumed.selector,
            IPerpetualStorage.DealCancelled.selector,
            IPerpetualStorage.SurplusWithdrawn.selector,
            IPerpetualStorage.DealServed.selector,
            IPerpetualStorage.SlotOpened.selector,
            IPerpetualStorage.SlotClaimed.selector,
            IPerpetualStorage.Credited.selector,
            IPerpetualStorage.ClaimReleased.selector,
            IPerpetualStorage.ClaimExpired.selector,
            IPerpetualStorage.SlotPublished.selector,
            IPerpetualStorage.SlotActivated.selector,
            IPerpetualStorage.SlotProven.selector,
            IPerpetualStorage.SlotFaulty.selector,
            IPerpetualStorage.SlotClosed.selector,
            IPerpetualStorage.PayeeChanged.selector,
            IPerpetualStorage.Withdrawn.selector,
            IPerpetualStorage.Burnt.selector
        ];
    }
}
