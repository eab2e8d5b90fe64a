// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Exit } from "../../../contracts/fvm/Actors.sol";
import { FilAddress } from "../../../contracts/fvm/FilAddress.sol";
import { DealRef, IDealStatusOracle } from "../../../contracts/interfaces/IDealStatusOracle.sol";
import { VerifregStandIn } from "../fvm/standins/Natives.sol";
import { ActorExit, INative } from "../fvm/standins/World.sol";
import { StatusBase } from "./StatusBase.sol";

/// @dev An actor that ends every call with one code.
contract Refusing is INative {
    uint32 private immutable CODE;

    constructor(uint32 code) {
        CODE = code;
    }

    function invoke(uint64, uint64, bytes calldata) external payable returns (uint64, bytes memory) {
        revert ActorExit(CODE);
    }
}

contract DealStatusOracleTest is StatusBase {
    IDealStatusOracle.Status private constant NONE = IDealStatusOracle.Status.None;
    IDealStatusOracle.Status private constant PUBLISHED = IDealStatusOracle.Status.Published;
    IDealStatusOracle.Status private constant ACTIVE = IDealStatusOracle.Status.Active;
    IDealStatusOracle.Status private constant FAULTY = IDealStatusOracle.Status.Faulty;
    IDealStatusOracle.Status private constant ENDED = IDealStatusOracle.Status.Ended;
    IDealStatusOracle.Status private constant LOST = IDealStatusOracle.Status.Lost;

    // -------------------------------------------------------------------- deals

    function test_ADealThatEndsInTime() public {
        _is(_deal(0), NONE);
        uint64 id = _put(ROOT, 1 << 20);
        _is(_deal(id), PUBLISHED);
        (uint64 minerId, uint64 start, uint64 end) = oracle.termOf(_deal(id));
        assertEq(minerId, MINER);
        assertEq(start, START);
        assertEq(end, END);
        market.activate(id, 7);
        vm.expectEmit(address(oracle));
        emit IDealStatusOracle.DealStatusChanged(
            oracle.refHashOf(_deal(id)),
            MINER,
            ACTIVE,
            oracle.nextSeq(),
            PUBLISHED,
            IDealStatusOracle.Source.ActorPull,
            10_000,
            START,
            END
        );
        _is(_deal(id), ACTIVE);
        vm.roll(END - 1);
        _is(_deal(id), ACTIVE);
        vm.roll(END);
        _is(_deal(id), ENDED); // though f05 still calls it active
        market.settle(id);
        _is(_deal(id), ENDED);
    }

    function test_ADealThatIsTerminated() public {
        uint64 id = _active();
        _is(_deal(id), ACTIVE);
        market.terminate(id);
        vm.roll(END - 1);
        _is(_deal(id), LOST);
        vm.roll(END + 9);
        _is(_deal(id), LOST); // for good
    }

    function test_ADealThatMissesItsStart() public {
        uint64 id = _put(ROOT, 1 << 20);
        vm.roll(START);
        _is(_deal(id), PUBLISHED); // may still be activated
        vm.roll(START + 1);
        _is(_deal(id), LOST); // f05 still has it
        market.settle(id);
        _is(_deal(id), LOST);
    }

    function test_AGoneDealThatWasNeverSeenIsNotJudged() public {
        uint64 id = _active();
        market.terminate(id);
        _is(_deal(id), NONE);
        (,, uint64 end) = oracle.termOf(_deal(id));
        assertEq(end, 0);
        assertFalse(oracle.isFresh(_deal(id), type(uint64).max));
    }

    function test_AFaultIsSeenByTheSectorsLocation() public {
        uint64 id = _active();
        miner.setFaulty(7, true);
        _is(_deal(id), ACTIVE);
        bytes memory location = miner.location(7);
        _is(_deal(id), location, FAULTY);
        // A location that holds nothing says nothing, and none does not make the fault good.
        _is(_deal(id), hex"822020", FAULTY);
        _is(_deal(id), hex"ff", FAULTY);
        _is(_deal(id), FAULTY);
        miner.setFaulty(7, false);
        _is(_deal(id), FAULTY);
        _is(_deal(id), location, ACTIVE);
    }

    function test_ARewrittenChainTakesADealBack() public {
        uint64 id = _active();
        _is(_deal(id), ACTIVE);
        // f05 without any deal, as before this one.
        vm.store(address(market), bytes32(uint256(2)), 0);
        (int256 left) = int256(uint256(market.nextId()));
        assertEq(left, 0, "the stand-in's counter is in slot 2");
        _is(_deal(id), NONE);
        (uint64 minerId,, uint64 end) = oracle.termOf(_deal(id));
        assertEq(minerId, 0);
        assertEq(end, 0);
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_AnyOtherCodeChangesNothing(uint32 code) public {
        vm.assume(code != 0 && code != 17 && code != 32);
        uint64 id = _active();
        _is(_deal(id), ACTIVE);
        vm.roll(10_500);
        uint64 seq = oracle.nextSeq();
        bytes memory market_ = address(market).code;
        vm.etch(address(market), address(new Refusing(code)).code);
        _is(_deal(id), ACTIVE);
        (, uint64 epoch,) = oracle.statusOf(_deal(id));
        assertEq(epoch, 10_000, "not fresher");
        assertEq(oracle.nextSeq(), seq, "no event");
        vm.etch(address(market), market_);
        vm.etch(0xfe00000000000000000000000000000000000005, "");
        _is(_deal(id), ACTIVE);
        assertEq(oracle.nextSeq(), seq);
    }

    // ------------------------------------------------------------------ sectors

    function test_ASectorCountsOnlyOnceItWasShown() public {
        miner.commit(7, int64(END));
        _is(_sector(7), miner.location(7), NONE);
        _is(_sector(8), hex"822020", NONE); // dead, as all that there never was
        assertTrue(_tell(7, END));
        _stored(_sector(7), ACTIVE);
        (, uint64 epoch, IDealStatusOracle.Source source) = oracle.statusOf(_sector(7));
        assertEq(epoch, 10_000);
        assertEq(uint8(source), uint8(IDealStatusOracle.Source.SectorNotify));
        _is(_sector(8), hex"822020", NONE);
    }

    function test_ASectorsLife() public {
        miner.commit(7, int64(END));
        _tell(7, END);
        bytes memory location = miner.location(7);
        _is(_sector(7), location, ACTIVE);
        miner.setFaulty(7, true);
        _is(_sector(7), location, FAULTY);
        miner.setFaulty(7, false);
        miner.extend(7, int64(END + 1000));
        _is(_sector(7), location, ACTIVE);
        (,, uint64 end) = oracle.termOf(_sector(7));
        assertEq(end, END + 1000);
        miner.compact(7);
        uint64 seq = oracle.nextSeq();
        _is(_sector(7), location, ACTIVE); // stale: says nothing
        assertEq(oracle.nextSeq(), seq);
        miner.terminate(7);
        _is(_sector(7), miner.location(7), LOST);
        miner.commit(7, int64(END));
        _is(_sector(7), miner.location(7), LOST); // for good
    }

    function test_ASectorThatEnds() public {
        miner.commit(7, int64(END));
        _tell(7, END);
        bytes memory location = miner.location(7);
        vm.roll(END - 1);
        _is(_sector(7), location, ACTIVE);
        vm.roll(END);
        miner.terminate(7);
        miner.compact(7);
        _is(_sector(7), miner.location(7), ENDED);
    }

    function test_ShownByAClaim() public {
        vm.expectRevert(
            abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_ActorRefused.selector, Exit.NOT_FOUND)
        );
        oracle.proveByClaim(MINER, 1);
        VerifregStandIn.Entry memory e;
        (e.provider, e.client, e.commitment, e.size, e.sector, e.claimed) = (MINER, 1, ROOT, 1 << 20, 7, true);
        uint64 id = verifreg.put(e);
        vm.expectRevert(
            abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_ActorRefused.selector, Exit.NOT_FOUND)
        );
        oracle.proveByClaim(MINER, id); // the sector is gone
        miner.commit(7, int64(END));
        DealRef memory ref = oracle.proveByClaim(MINER, id);
        assertEq(abi.encode(ref), abi.encode(_sector(7)));
        _is(ref, miner.location(7), ACTIVE);
    }

    function test_ShownByADeal() public {
        uint64 id = _put(ROOT, 1 << 20);
        vm.expectRevert(
            abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_ActorRefused.selector, Exit.DEAL_NOT_ACTIVATED)
        );
        oracle.proveByDeal(id);
        miner.commit(7, int64(END));
        market.activate(id, 7);
        DealRef memory ref = oracle.proveByDeal(id);
        assertEq(abi.encode(ref), abi.encode(_sector(7)));
        market.terminate(id);
        _is(ref, miner.location(7), ACTIVE);
    }

    // ------------------------------------------------------------ notifications

    function test_OnlyMinersTell() public {
        bytes memory params = hex"80";
        uint64 seq = oracle.nextSeq();
        (uint32 exit,,) = oracle.handle_filecoin_method(2_034_386_435, 0x51, params);
        assertEq(exit, 18, "a contract");
        vm.prank(FilAddress.masked(3000));
        (exit,,) = oracle.handle_filecoin_method(2_034_386_435, 0x51, params);
        assertEq(exit, 18, "an actor that is no miner");
        vm.startPrank(address(miner));
        (exit,,) = oracle.handle_filecoin_method(2_643_134_072, 0x51, params);
        assertEq(exit, 22, "another method");
        (exit,,) = oracle.handle_filecoin_method(2_034_386_435, 0, "");
        assertEq(exit, 21, "no CBOR");
        bytes memory reply;
        (exit,, reply) = oracle.handle_filecoin_method(2_034_386_435, 0x51, params);
        assertEq(exit, 0);
        assertEq(reply, hex"80");
        vm.stopPrank();
        assertEq(oracle.nextSeq(), seq);
    }

    function test_ToldTwiceIsStoredOnce() public {
        assertTrue(_tell(7, END));
        uint64 seq = oracle.nextSeq();
        vm.roll(10_100);
        assertTrue(_tell(7, END + 50));
        assertEq(oracle.nextSeq(), seq);
        (, uint64 start, uint64 end) = oracle.termOf(_sector(7));
        assertEq(start, 10_000);
        assertEq(end, END);
    }

    function testFuzz_NotificationsNeverRevert(uint64 method, uint64 codec, bytes calldata params) public {
        vm.startPrank(address(miner));
        oracle.handle_filecoin_method(method, codec, params);
        oracle.handle_filecoin_method(2_034_386_435, 0x51, params);
    }

    // ----------------------------------------------------------------- the rest

    function test_RefreshManyIsEachByItself() public {
        uint64 id = _active();
        miner.commit(8, int64(END));
        _tell(8, END);
        DealRef[] memory refs = new DealRef[](3);
        (refs[0], refs[1], refs[2]) = (_deal(id), _deal(99), _sector(8));
        bytes[] memory locations = new bytes[](3);
        locations[2] = miner.location(8);
        IDealStatusOracle.Status[] memory got = oracle.refreshMany(refs, locations);
        assertEq(uint8(got[0]), uint8(ACTIVE));
        assertEq(uint8(got[1]), uint8(NONE));
        assertEq(uint8(got[2]), uint8(ACTIVE));
        vm.expectRevert(abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_LengthsDiffer.selector, 3, 2));
        oracle.refreshMany(refs, new bytes[](2));
    }

    function test_RevertWhen_AReferenceMixesTheKinds() public {
        DealRef[3] memory refs = [DealRef(1, MINER, 7, ROOT), DealRef(1, 0, 7, 0), DealRef(1, 0, 0, ROOT)];
        for (uint256 i = 0; i < refs.length; ++i) {
            vm.expectRevert(IDealStatusOracle.DealStatusOracle_BadRef.selector);
            oracle.refresh(refs[i], "");
        }
    }

    function test_Freshness() public {
        uint64 id = _active();
        assertFalse(oracle.isFresh(_deal(id), 1_000_000), "never looked");
        _is(_deal(id), ACTIVE);
        vm.roll(10_100);
        assertTrue(oracle.isFresh(_deal(id), 100));
        assertFalse(oracle.isFresh(_deal(id), 99));
        market.terminate(id);
        _is(_deal(id), LOST);
        vm.roll(900_000);
        assertTrue(oracle.isFresh(_deal(id), 0), "cannot change");
    }
}
