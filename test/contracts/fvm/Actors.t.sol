// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Exit } from "../../../contracts/fvm/Actors.sol";
import { Allocation } from "../../../contracts/fvm/DataCapActor.sol";
import { FilAddress } from "../../../contracts/fvm/FilAddress.sol";
import { DealProposal, SectorChange } from "../../../contracts/fvm/Hooks.sol";
import { SectorStatus } from "../../../contracts/fvm/MinerActor.sol";
import { Claim } from "../../../contracts/fvm/VerifregActor.sol";
import { ActorHarness } from "./ActorHarness.sol";
import { FvmTest } from "./FvmTest.sol";
import { MinerStandIn } from "./standins/MinerStandIn.sol";
import { INative } from "./standins/World.sol";

/// @dev An actor that answers what it was told to.
contract Babbler is INative {
    uint64 private _codec;
    bytes private _data;

    function say(uint64 codec, bytes calldata data) external {
        (_codec, _data) = (codec, data);
    }

    function invoke(uint64, uint64, bytes calldata) external payable returns (uint64, bytes memory) {
        return (_codec, _data);
    }
}

/// @dev A payee that counts.
contract Till {
    uint256 public rings;

    receive() external payable {
        ++rings;
    }
}

contract ActorsTest is FvmTest {
    bytes32 private constant ROOT = bytes32(uint256(0x1234) << 200);
    uint64 private constant MINER = 2000;
    ActorHarness private harness = new ActorHarness();
    MinerStandIn private miner;
    uint64 private selfId;
    uint64 private ownerId;
    address private owner;

    function setUp() public {
        _startFvm();
        vm.roll(10_000);
        selfId = world.register(address(harness));
        (ownerId, owner) = _newAccount("owner");
        miner = _newMiner(MINER, ownerId, ownerId);
    }

    function _proposal() private view returns (DealProposal memory p) {
        p.commitment = ROOT;
        p.pieceSize = 1 << 20;
        p.client = FilAddress.toBytes(address(harness));
        p.provider = FilAddress.fromId(MINER);
        (p.label, p.labelIsText) = ("baf", true);
        (p.startEpoch, p.endEpoch) = (12_000, 12_000 + 600_000);
        p.providerCollateral = 7 ether;
    }

    function _publish() private returns (uint64) {
        DealProposal[] memory list = new DealProposal[](1);
        list[0] = _proposal();
        return market.publish(list)[0];
    }

    // -------------------------------------------------------------------- deals

    function test_ADealNeverPublished() public view {
        _everyGetter(0, Exit.NOT_FOUND);
        _everyGetter(type(uint64).max - 1, Exit.NOT_FOUND);
        _everyGetter(type(uint64).max, Exit.ILLEGAL_STATE);
    }

    function test_ADealThatIsGone() public {
        uint64 id = _publish();
        market.activate(id, 5);
        market.terminate(id);
        _everyGetter(id, Exit.DEAL_EXPIRED);
    }

    function test_APublishedDeal() public {
        uint64 id = _publish();
        (int256 exit, bytes32 root, uint64 size) = harness.dealPiece(id);
        assertEq(exit, 0);
        assertEq(root, ROOT);
        assertEq(size, 1 << 20);
        uint64 n;
        (exit, n) = harness.dealClient(id);
        assertEq(n, selfId);
        (exit, n) = harness.dealProvider(id);
        assertEq(n, MINER);
        (, bytes memory label, bool isText) = harness.dealLabel(id);
        assertEq(label, "baf");
        assertTrue(isText);
        (, int64 start, int64 duration) = harness.dealTerm(id);
        assertEq(start, 12_000);
        assertEq(duration, 600_000);
        uint256 amount;
        (exit, amount) = harness.dealProviderCollateral(id);
        assertEq(amount, 7 ether);
        (exit, amount) = harness.dealClientCollateral(id);
        assertEq(amount, 0);
        (exit, amount) = harness.dealTotalPrice(id);
        assertEq(exit, 0);
    }

    function test_APublishedDealIsNotActive() public {
        uint64 id = _publish();
        (int256 exit, bool verified) = harness.dealVerified(id);
        assertEq(exit, 0);
        assertFalse(verified);
        (int256 exit2, int64 activated, int64 terminated) = harness.dealActivation(id);
        assertEq(exit2, 0);
        assertEq(activated, -1);
        assertEq(terminated, -1);
        (exit,) = harness.dealSector(id);
        assertEq(exit, Exit.DEAL_NOT_ACTIVATED);
    }

    function test_AnActiveDealStaysPastItsEndUntilSettled() public {
        uint64 id = _publish();
        market.activate(id, 77);
        (int256 exit, uint64 sector) = harness.dealSector(id);
        assertEq(exit, 0);
        assertEq(sector, 77);
        vm.roll(612_000);
        int64 activated;
        (exit, activated,) = harness.dealActivation(id);
        assertEq(exit, 0, "stale");
        assertEq(activated, 10_000);
        market.settle(id);
        _everyGetter(id, Exit.DEAL_EXPIRED);
    }

    function test_ADealThatMissedItsStartStaysUntilSettled() public {
        uint64 id = _publish();
        vm.roll(12_001);
        (int256 exit, int64 activated,) = harness.dealActivation(id);
        assertEq(exit, 0, "stale");
        assertEq(activated, -1);
        market.settle(id);
        _everyGetter(id, Exit.DEAL_EXPIRED);
    }

    function _everyGetter(uint64 id, int256 wanted) private view {
        int256[11] memory exits;
        (exits[0],,) = harness.dealPiece(id);
        (exits[1],) = harness.dealClient(id);
        (exits[2],) = harness.dealProvider(id);
        (exits[3],,) = harness.dealLabel(id);
        (exits[4],,) = harness.dealTerm(id);
        (exits[5],) = harness.dealTotalPrice(id);
        (exits[6],) = harness.dealClientCollateral(id);
        (exits[7],) = harness.dealProviderCollateral(id);
        (exits[8],) = harness.dealVerified(id);
        (exits[9],,) = harness.dealActivation(id);
        (exits[10],) = harness.dealSector(id);
        for (uint256 i = 0; i < 11; ++i) {
            assertEq(exits[i], wanted);
        }
    }

    // ------------------------------------------------------------------- miners

    function test_OnlyWhomThePowerActorKnowsIsAMiner() public {
        assertTrue(harness.isMiner(MINER));
        // One that answers like a miner, and has the form of a native actor's address.
        MinerStandIn fake = _newMiner(2001, selfId, selfId);
        vm.etch(address(power), address(power).code);
        assertTrue(harness.isMiner(2001));
        vm.etch(FilAddress.masked(2002), address(fake).code);
        world.found(2002);
        assertFalse(harness.isMiner(2002));
        assertFalse(harness.isMiner(3000));
        assertFalse(harness.isMiner(type(uint64).max));
    }

    function test_WhoControlsAMiner() public {
        (uint64 controlId, address control) = _newAccount("control");
        miner.setControl(controlId, true);
        miner.setControl(selfId, true);
        (int256 exit, uint64 id) = harness.owner(MINER);
        assertEq(exit, 0);
        assertEq(id, ownerId);
        _controls(owner, true);
        _controls(control, true);
        _controls(address(harness), true);
        _controls(FilAddress.masked(selfId), true);
        _controls(FilAddress.masked(controlId + 50), false);
        _controls(address(this), false); // an address that no actor has
        (exit,) = harness.owner(3000);
        assertEq(exit, Exit.NO_ACTOR);
    }

    function _controls(address account, bool wanted) private view {
        (int256 exit, bool controlling) = harness.isControlling(MINER, account);
        assertEq(exit, 0);
        assertEq(controlling, wanted);
    }

    function test_ASectorsLife() public {
        assertEq(harness.sectorLocation(9, 0), hex"820900");
        _isOnly(9, hex"822020", SectorStatus.Dead); // there never was one
        miner.commit(9, 700_000);
        bytes memory place = miner.location(9);
        _isOnly(9, place, SectorStatus.Active);
        _fails(9, hex"822020", Exit.NOT_FOUND);
        miner.setFaulty(9, true);
        _isOnly(9, place, SectorStatus.Faulty);
        miner.terminate(9);
        _isOnly(9, place, SectorStatus.Dead);
        (int256 exit, int64 expiration) = harness.sectorExpiration(MINER, 9);
        assertEq(exit, 0);
        assertEq(expiration, 700_000, "as before");
        miner.compact(9);
        _fails(9, place, Exit.NOT_FOUND);
        _isOnly(9, hex"822020", SectorStatus.Dead);
        (exit,) = harness.sectorExpiration(MINER, 9);
        assertEq(exit, Exit.NOT_FOUND);

        miner.commit(10, 700_000);
        place = miner.location(10);
        miner.compact(10);
        _fails(10, place, Exit.NOT_FOUND);
        _isOnly(10, miner.location(10), SectorStatus.Active);
        _fails(10, hex"8200", Exit.ILLEGAL_ARGUMENT);
        _fails(10, hex"822000", Exit.ILLEGAL_ARGUMENT);
        _fails(10, harness.sectorLocation(48, 0), Exit.ILLEGAL_ARGUMENT);
    }

    function _isOnly(uint64 sector, bytes memory place, SectorStatus wanted) private view {
        for (uint8 s = 0; s < 3; ++s) {
            (int256 exit, bool holds) = harness.hasStatus(MINER, sector, SectorStatus(s), place);
            assertEq(exit, 0);
            assertEq(holds, SectorStatus(s) == wanted);
        }
    }

    function _fails(uint64 sector, bytes memory place, int256 wanted) private view {
        (int256 exit, bool holds) = harness.hasStatus(MINER, sector, SectorStatus.Active, place);
        assertEq(exit, wanted);
        assertFalse(holds);
    }

    // ------------------------------------------------------------------ DataCap

    function test_DataCapIsSpentOnAPieceAndOnALongerTerm() public {
        uint256 unit = 1e18;
        datacap.mint(selfId, 3 * (1 << 20) * unit, "");
        (int256 exit, uint256 units) = harness.balance(address(harness));
        assertEq(exit, 0);
        assertEq(units, 3 * (1 << 20) * unit);

        uint64 id;
        Allocation memory a = Allocation(MINER, ROOT, 1 << 20, 518_400, 600_000, 20_000);
        (exit, id) = harness.allocate(a);
        assertEq(exit, 0);
        assertEq(id, 1);
        (exit,) = harness.claim(MINER, id);
        assertEq(exit, Exit.NOT_FOUND, "allocated only");
        verifreg.seal(id, 44);
        Claim memory c;
        (exit, c) = harness.claim(MINER, id);
        assertEq(exit, 0);
        assertEq(abi.encode(c), abi.encode(Claim(MINER, selfId, ROOT, 1 << 20, 518_400, 600_000, 10_000, 44)));
        (exit,) = harness.claim(MINER + 1, id);
        assertEq(exit, Exit.NOT_FOUND, "another's");

        assertEq(harness.extend(MINER, id, 1 << 20, 700_000), 0);
        assertEq(harness.extendClaim(MINER, id, 800_000), 0);
        (, c) = harness.claim(MINER, id);
        assertEq(c.termMax, 800_000);
        assertEq(harness.extendClaim(MINER, id, 700_000), Exit.ILLEGAL_ARGUMENT, "shorter");
        assertEq(harness.extendClaim(MINER, id + 1, 700_000), Exit.NOT_FOUND);
        (, units) = harness.balance(address(harness));
        assertEq(units, (1 << 20) * unit);

        a.termMin = 1;
        (exit,) = harness.allocate(a);
        assertEq(exit, Exit.ILLEGAL_ARGUMENT, "too short");
        a.termMin = 518_400;
        a.size = 1 << 21;
        (exit, id) = harness.allocate(a);
        assertEq(exit, Exit.INSUFFICIENT_FUNDS);
        assertEq(id, 0);
        (, units) = harness.balance(address(harness));
        assertEq(units, (1 << 20) * unit, "nothing moved");
    }

    function test_TheMarketsAllowance() public {
        (int256 exit, uint256 units) = harness.increaseMarketAllowance(10);
        assertEq(exit, 0);
        assertEq(units, 10);
        (exit, units) = harness.decreaseMarketAllowance(4);
        assertEq(units, 6);
        (exit, units) = harness.marketAllowance(address(harness));
        assertEq(exit, 0);
        assertEq(units, 6);
        (exit, units) = harness.decreaseMarketAllowance(40);
        assertEq(exit, 0);
        assertEq(units, 0);
    }

    // ---------------------------------------------------------------- addresses

    function test_BothAddressesOfAContractHaveOneNormalForm() public view {
        address masked = FilAddress.masked(selfId);
        assertEq(harness.normalize(masked), address(harness));
        assertEq(harness.normalize(address(harness)), address(harness));
        assertEq(harness.normalize(owner), owner, "a native account");
        assertEq(harness.normalize(address(0)), address(0));
        (bool found, uint64 id) = harness.idOf(address(harness));
        assertTrue(found);
        assertEq(id, selfId);
        (found, id) = harness.idOf(masked);
        assertEq(id, selfId);
        (found, id) = harness.idOf(address(0xdead));
        assertFalse(found);
        (found, id) = harness.resolve(abi.encodePacked(bytes1(0x01), bytes20("owner")));
        assertTrue(found);
        assertEq(id, ownerId);
        (found,) = harness.resolve(hex"0102");
        assertFalse(found, "no address");
        (found,) = harness.resolve("");
        assertFalse(found, "nothing");
        address eth;
        (found, eth) = harness.ethOf(ownerId);
        assertFalse(found);
        (found, eth) = harness.ethOf(selfId);
        assertTrue(found);
        assertEq(eth, address(harness));
    }

    function testFuzz_MaskedIds(uint64 id, address account) public pure {
        (bool isMasked, uint64 back) = FilAddress.unmask(FilAddress.masked(id));
        assertTrue(isMasked);
        assertEq(back, id);
        (isMasked, back) = FilAddress.unmask(account);
        assertEq(isMasked, bytes12(bytes20(account)) == 0xff0000000000000000000000);
        if (isMasked) assertEq(FilAddress.masked(back), account);
    }

    // ------------------------------------------------------------------- paying

    function test_Paying() public {
        vm.deal(address(harness), 10 ether);
        Till till = new Till();
        assertEq(harness.pay(owner, 1 ether), 0);
        assertEq(owner.balance, 1 ether);
        assertEq(harness.pay(address(till), 1 ether), 0);
        assertEq(till.rings(), 1);
        uint64 tillId = world.register(address(till));
        assertEq(harness.pay(FilAddress.masked(tillId), 1 ether), 0);
        assertEq(address(till).balance, 2 ether);
        assertEq(till.rings(), 1, "no code ran");
        assertEq(harness.burn(1 ether), 0);
        assertEq(FilAddress.masked(99).balance, 1 ether);
        assertEq(harness.sendTo(abi.encodePacked(bytes1(0x01), bytes20("new")), 1 ether), 0);
        assertEq(harness.pay(FilAddress.masked(99_999), 1 ether), Exit.NO_ACTOR);
        assertEq(harness.pay(owner, 100 ether), Exit.NO_FUNDS);
        assertEq(harness.pay(address(market), 1 ether), 0, "a bare transfer");
        assertEq(harness.pay(address(codeless()), 0), 0);
        assertEq(harness.pay(address(new Babbler()), 1 ether), Exit.REVERTED, "takes nothing");
        assertEq(address(harness).balance, 4 ether);
    }

    function codeless() public pure returns (address) {
        return address(0xbeef);
    }

    // ------------------------------------------------------ notifications' rules

    function test_ARefusedNotificationUndoesTheCallOnlyIfAsked() public {
        SectorChange[] memory none = new SectorChange[](1);
        assertFalse(miner.notify(address(harness), none, false), "no reply");
        vm.expectRevert();
        miner.notify(address(harness), none, true);
    }

    // --------------------------------------------------------------- precompile

    function test_ThePrecompileIsForDelegateCallOnly() public {
        bytes memory input = _input(36_284_446, 0, 1, 0x51, hex"1907d0");
        (bool ok, bytes memory out) = harness.raw(CALL_BY_ID, 0, input);
        assertTrue(ok);
        (int256 exit,,) = abi.decode(out, (int256, uint64, bytes));
        assertEq(exit, 0);
        for (uint8 opcode = 1; opcode < 3; ++opcode) {
            (ok, out) = harness.raw(CALL_BY_ID, opcode, input);
            assertFalse(ok);
            assertEq(out.length, 0);
        }
    }

    function test_ThePrecompileRefusesWhatThereIsNot() public {
        bytes[5] memory inputs = [
            _input(36_284_446, 0, 2, 0x51, hex"01"),
            _input(36_284_446, 0, 0, 0x71, hex"01"),
            _input(36_284_446, 0, 0, 0x00, hex"01"),
            _input(1, 0, 0, 0x51, hex"01"),
            _input(1023, 0, 0, 0x51, hex"01")
        ];
        for (uint256 i = 0; i < inputs.length; ++i) {
            (bool ok, bytes memory out) = harness.raw(CALL_BY_ID, 0, inputs[i]);
            assertFalse(ok);
            assertEq(out.length, 0);
        }
        (bool sent, bytes memory answer) = harness.raw(CALL_BY_ID, 0, _input(1024, 0, 0, 0x00, ""));
        assertTrue(sent);
        (int256 exit,,) = abi.decode(answer, (int256, uint64, bytes));
        assertEq(exit, Exit.FORBIDDEN, "not exported");
    }

    function test_NothingAtThePrecompile() public {
        vm.etch(CALL_BY_ID, "");
        (int256 exit, uint64 n) = harness.dealSector(1);
        assertEq(exit, Exit.NO_CALL);
        assertEq(n, 0);
        assertFalse(harness.isMiner(MINER));
        assertEq(harness.burn(0), Exit.NO_CALL);
        vm.etch(CALL_BY_ID, hex"fe");
        (exit,) = harness.dealSector(1);
        assertEq(exit, Exit.NO_CALL);
    }

    // ------------------------------------------------------------------ babble

    /// @dev Whatever an actor answers, no call reverts, and what is not understood is a code and zeros.
    function testFuzz_Babble(bool cbor, bytes calldata data) public {
        _babble(cbor ? 0x51 : 0x55, data);
        (int256 exit, uint64 n) = harness.dealClient(0);
        assertTrue(exit == 0 || (exit == Exit.BAD_REPLY && n == 0));
        if (!cbor && data.length != 0) assertEq(exit, Exit.BAD_REPLY);
        bytes32 root;
        (exit, root, n) = harness.dealPiece(0);
        assertTrue(exit == 0 || (exit == Exit.BAD_REPLY && n == 0 && root == 0));
        harness.dealLabel(0);
        harness.dealTerm(0);
        harness.dealTotalPrice(0);
        harness.dealVerified(0);
        harness.owner(5);
        harness.isControlling(5, address(this));
        harness.claim(1, 1);
        Claim memory c;
        (exit, c) = harness.claim(6, 1);
        assertTrue(exit == 0 || c.provider == 0);
        (exit, n) = harness.allocate(Allocation(1, ROOT, 1, 1, 1, 1));
        assertTrue(exit == 0 || n == 0);
        harness.extend(1, 1, 1, 1);
        harness.extendClaim(1, 1, 1);
    }

    function test_ABatchThatDoesNotAddUpIsNotUnderstood() public {
        bytes[6] memory replies = [
            bytes(hex"8282008080"), // nothing done
            hex"8282028080", // two done
            hex"828201818200118080", // one done, one failed
            hex"828200818201118080", // another one failed
            hex"828200818200008080", // failed with 0
            hex"82820181820011"
        ];
        for (uint256 i = 0; i < replies.length; ++i) {
            _babble(0x51, replies[i]);
            (int256 code,) = harness.claim(1, 1);
            assertEq(code, Exit.BAD_REPLY);
        }
        _babble(0x51, hex"82820081820011" hex"80");
        (int256 exit,) = harness.claim(1, 1);
        assertEq(exit, Exit.NOT_FOUND);
    }

    function _babble(uint64 codec, bytes memory data) private {
        bytes memory code = address(new Babbler()).code;
        for (uint64 id = 4; id < 8; ++id) {
            vm.etch(FilAddress.masked(id), code);
            Babbler(FilAddress.masked(id)).say(codec, data);
        }
    }

    address private constant CALL_BY_ID = 0xfe00000000000000000000000000000000000005;

    function _input(uint64 method, uint256 value, uint64 flags, uint64 codec, bytes memory params)
        private
        pure
        returns (bytes memory)
    {
        return abi.encode(method, value, flags, codec, params, uint64(4));
    }
}
