// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { FilAddress } from "../../../contracts/fvm/FilAddress.sol";
import { DealProposal } from "../../../contracts/fvm/Hooks.sol";
import { ActorHarness } from "./ActorHarness.sol";
import { FvmTest } from "./FvmTest.sol";
import { MinerStandIn } from "./standins/MinerStandIn.sol";

/// @notice The stand-ins answer as Filecoin's own actors did, byte by byte: every call that test/conformance made on a devnet is
/// made here, at the same stage in the life of a deal and its sector.
contract ConformanceTest is FvmTest {
    string private constant FILE = "test/contracts/fvm/vectors/conformance.json";

    struct ConfFacts {
        uint64 miner;
        uint64 owner;
        bytes ownerKey;
        uint64 worker;
        uint64 contractId;
        bytes client;
        uint64 power;
        bytes32 commitment;
        uint64 pieceSize;
        string label;
    }

    struct ConfTerms {
        int64 start;
        int64 end;
        uint64 deal;
        uint64 late;
        int64 lateStart;
        int64 lateEnd;
    }

    struct ConfSeal {
        uint64 sector;
        int64 activated;
        int64 expiration;
        int64 deadline;
        int64 partition;
    }

    struct ConfGrant {
        int64 epoch;
        uint64 size;
        uint64 sector;
        int64 termStart;
        uint64 leastSize;
    }

    struct ConfCall {
        string stage;
        string name;
        uint8 precompile;
        uint8 opcode;
        bytes input;
        bool ok;
        bytes output;
    }

    string private constant FACTS =
        "ConfFacts(uint64 miner,uint64 owner,bytes ownerKey,uint64 worker,uint64 contractId,bytes client,uint64 power,bytes32 commitment,uint64 pieceSize,string label)";
    string private constant TERMS =
        "ConfTerms(int64 start,int64 end,uint64 deal,uint64 late,int64 lateStart,int64 lateEnd)";
    string private constant SEAL =
        "ConfSeal(uint64 sector,int64 activated,int64 expiration,int64 deadline,int64 partition)";
    string private constant GRANT = "ConfGrant(int64 epoch,uint64 size,uint64 sector,int64 termStart,uint64 leastSize)";
    string private constant CALL =
        "ConfCall(string stage,string name,uint8 precompile,uint8 opcode,bytes input,bool ok,bytes output)";

    ConfFacts private facts;
    ConfTerms private terms;
    ConfSeal private seal;
    ConfGrant private grant;
    MinerStandIn private miner;
    ActorHarness private probe;
    uint256 private asked;
    uint256 private wrong;

    function setUp() public {
        _startFvm();
        string memory json = vm.readFile(FILE);
        facts = abi.decode(vm.parseJsonType(json, ".facts", FACTS), (ConfFacts));
        terms = abi.decode(vm.parseJsonType(json, ".terms", TERMS), (ConfTerms));
        seal = abi.decode(vm.parseJsonType(json, ".seal", SEAL), (ConfSeal));
        grant = abi.decode(vm.parseJsonType(json, ".grant", GRANT), (ConfGrant));
        miner = _newMiner(facts.miner, facts.owner, facts.worker);
        world.put(facts.owner, facts.ownerKey);
        probe = ActorHarness(payable(address(bytes20(_tail(facts.client)))));
        vm.etch(address(probe), address(new ActorHarness()).code);
        world.put(facts.contractId, facts.client);
    }

    function test_StandInsAnswerAsTheActorsDid() public {
        ConfCall[] memory calls = abi.decode(vm.parseJsonTypeArray(vm.readFile(FILE), ".calls", CALL), (ConfCall[]));
        assertGt(calls.length, 200);
        _ask(calls, "begun");
        vm.roll(uint64(terms.start - 2000));
        market.put(_proposal(terms.start, terms.end));
        _ask(calls, "published");
        vm.roll(uint64(seal.activated));
        miner.commit(seal.sector, seal.expiration);
        miner.setPlace(seal.sector, seal.deadline, seal.partition);
        market.activate(terms.deal, seal.sector);
        _ask(calls, "active");
        market.put(_proposal(terms.lateStart, terms.lateEnd));
        vm.roll(uint64(terms.lateStart + 1));
        _ask(calls, "begun to run");
        market.settle(terms.late);
        _ask(calls, "settled");
        miner.setFaulty(seal.sector, true);
        _ask(calls, "faulty");
        miner.terminate(seal.sector);
        market.terminate(terms.deal);
        _ask(calls, "terminated");
        vm.roll(uint64(grant.epoch));
        verifreg.setLeastSize(grant.leastSize);
        datacap.mint(facts.contractId, uint256(grant.size) * 1e18, "");
        _ask(calls, "granted");
        _again(calls, "granted", "allocate");
        vm.roll(uint64(grant.termStart));
        verifreg.seal(1, grant.sector);
        _ask(calls, "claimed");
        assertEq(asked, calls.length, "stages that were not reached");
        assertEq(wrong, 0, "calls that were answered otherwise");
    }

    /// @dev Makes a call again, and what it writes stays.
    function _again(ConfCall[] memory calls, string memory stage, string memory name) private {
        for (uint256 i = 0; i < calls.length; ++i) {
            ConfCall memory c = calls[i];
            if (keccak256(abi.encode(c.stage, c.name)) != keccak256(abi.encode(stage, name))) continue;
            probe.raw(address((uint160(0xfe) << 152) | c.precompile), c.opcode, c.input);
        }
    }

    function _ask(ConfCall[] memory calls, string memory stage) private {
        for (uint256 i = 0; i < calls.length; ++i) {
            ConfCall memory c = calls[i];
            if (keccak256(bytes(c.stage)) != keccak256(bytes(stage))) continue;
            uint256 before = vm.snapshotState();
            (bool ok, bytes memory output) =
                probe.raw(address((uint160(0xfe) << 152) | c.precompile), c.opcode, c.input);
            vm.revertToState(before);
            ++asked;
            if (ok == c.ok && keccak256(output) == keccak256(c.output)) continue;
            ++wrong;
            emit log_named_string("differs", string.concat(stage, ": ", c.name));
            emit log_named_bytes(c.ok ? "  actors: ok    " : "  actors: failed", c.output);
            emit log_named_bytes(ok ? "  here:   ok    " : "  here:   failed", output);
        }
    }

    function _proposal(int64 start, int64 end) private view returns (DealProposal memory p) {
        (p.commitment, p.pieceSize) = (facts.commitment, facts.pieceSize);
        (p.client, p.provider) = (facts.client, FilAddress.fromId(facts.miner));
        (p.label, p.labelIsText, p.startEpoch, p.endEpoch) = (bytes(facts.label), true, start, end);
    }

    function _tail(bytes memory addr) private pure returns (bytes memory out) {
        out = new bytes(20);
        for (uint256 i = 0; i < 20; ++i) {
            out[i] = addr[i + 2];
        }
    }
}
