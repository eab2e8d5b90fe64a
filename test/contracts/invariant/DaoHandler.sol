// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DataDAO } from "../../../contracts/dao/DataDAO.sol";
import {
    AddData,
    Ballot,
    CidAction,
    Draft,
    IDataDAO,
    ProposalState,
    StoreData
} from "../../../contracts/interfaces/IDataDAO.sol";
import { DealTerms } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { PerpetualStorage } from "../../../contracts/storage/PerpetualStorage.sol";
import { Test } from "forge-std/Test.sol";
import { Vm } from "forge-std/Vm.sol";

/// @dev Has operators attest the size that proposals say.
interface IAttester {
    function attest(uint256 proposalId) external;
}

/// @notice Does to a DAO what members, strangers, the guardian and time may do, and counts apart from it.
contract DaoHandler is Test {
    uint256 private constant PEOPLE = 12;
    uint64 private constant SIZE = 1000;

    struct Ghost {
        uint256 up;
        uint256 down;
        uint256 createdAt;
        uint256 quorum;
        bool deposited;
        uint8 ended; // how often an end was recorded
        bool executed;
        Draft draft;
        address proposer;
    }

    DataDAO public immutable dao;
    PerpetualStorage public immutable store;
    address public immutable guard;
    IAttester private immutable ATTESTER;

    address[] public people;
    mapping(address => uint256) private _keys;
    Ghost[] private _ghosts; // by proposal id − 1
    mapping(address => uint256) public votesFrom; // 0 for no member
    mapping(address => uint256) private _invitedUntil;
    uint256 public members;
    mapping(address => mapping(uint256 => bool)) public voted;
    mapping(bytes32 => uint256) public acceptedBy; // by keccak256 of the CID
    bytes[] public cids;
    uint256 public received; // what was ever sent to the DAO, refunds by the provider included
    uint256 public paidOut;
    uint256 public spent; // by the treasury
    uint256 public stored; // given to deals
    uint256 public collected; // of that, come back
    uint256 public depositsHeld;
    uint256 public credits;
    uint256[] public spendTimes;
    uint256[] public spendAmounts;
    mapping(bytes32 => uint256) public calls;

    constructor(DataDAO dao_, PerpetualStorage store_, address guard_, address[] memory founders) {
        (dao, store, guard, ATTESTER) = (dao_, store_, guard_, IAttester(msg.sender));
        received = address(dao_).balance;
        for (uint256 i = 0; i < PEOPLE; ++i) {
            string memory name = string.concat(i < founders.length ? "founder" : "person", vm.toString(i));
            (address who, uint256 key) = makeAddrAndKey(name);
            assertTrue(i >= founders.length || who == founders[i]);
            people.push(who);
            _keys[who] = key;
            vm.deal(who, 1e6 ether);
            if (i < founders.length) votesFrom[who] = block.timestamp;
        }
        members = founders.length;
        for (uint256 i = 0; i < 4; ++i) {
            cids.push(abi.encodePacked(hex"01701220", keccak256(abi.encode("cid", i))));
        }
    }

    function count() external view returns (uint256) {
        return _ghosts.length;
    }

    function ghost(uint256 id) external view returns (Ghost memory) {
        return _ghosts[id - 1];
    }

    function spendCount() external view returns (uint256) {
        return spendTimes.length;
    }

    function passTime(uint256 by) external {
        ++calls["time"];
        // Mostly less than a vote, sometimes weeks.
        vm.warp(block.timestamp + (by % 8 == 0 ? bound(by, 1 days, 20 days) : bound(by, 1, 14 hours)));
    }

    function invite(uint256 from, uint256 to) external {
        (address a, address b) = (_who(from), _who(to));
        vm.prank(a);
        try dao.invite(b) {
            ++calls["invited"];
            assertTrue(votesFrom[a] != 0 && votesFrom[a] <= block.timestamp && votesFrom[b] == 0);
            _invitedUntil[b] = block.timestamp + 14 days;
        } catch { }
    }

    function join(uint256 who) external {
        address a = _who(who);
        vm.prank(a);
        try dao.join() {
            ++calls["joined"];
            assertLt(block.timestamp, _invitedUntil[a]);
            _invitedUntil[a] = 0;
            votesFrom[a] = block.timestamp + 1 days;
            ++members;
        } catch { }
    }

    function leave(uint256 who) external {
        address a = _who(who);
        if (votesFrom[a] == 0 || members < 4 || who % 4 != 0) return;
        ++calls["left"];
        vm.prank(a);
        dao.leave();
        votesFrom[a] = 0;
        --members;
    }

    function propose(uint256 who, uint256 n, uint256 kind) external {
        address a = _who(who);
        bytes memory cid = cids[n % cids.length];
        bool accepted = acceptedBy[keccak256(cid)] != 0;
        Draft memory draft = Draft(CidAction.Add, cid, SIZE, kind % 3 == 0 ? 0.1 ether : 0, "");
        if (accepted) _revise(draft, kind);
        else if (kind % 5 < 2) draft.data = abi.encode(AddData(new string[](0), 0, _storeData()));
        bool member = votesFrom[a] != 0 && votesFrom[a] <= block.timestamp;
        vm.prank(a);
        try dao.propose{ value: member ? 0 : 0.5 ether }(draft) returns (uint256 id) {
            ++calls["proposed"];
            assertEq(id, _ghosts.length + 1);
            Ghost storage g = _ghosts.push();
            g.createdAt = block.timestamp;
            g.deposited = !member;
            g.draft = draft;
            g.proposer = a;
            bool weighty = draft.action != CidAction.Add || draft.budget != 0;
            uint256 quorum = (members * (weighty ? 2000 : 1000) + 9999) / 10_000;
            g.quorum = weighty && quorum < 3 ? 3 : quorum == 0 ? 1 : quorum;
            if (!member) {
                received += 0.5 ether;
                depositsHeld += 0.5 ether;
            }
            _sync();
        } catch { }
    }

    function _revise(Draft memory draft, uint256 kind) private view {
        draft.budget = kind % 3 == 0 ? 0 : 0.1 ether;
        if (kind % 5 == 0) {
            draft.action = CidAction.Remove;
        } else if (kind % 5 == 1) {
            (draft.action, draft.data) = (CidAction.Renew, abi.encode(uint40(block.timestamp + 400 days)));
        } else if (kind % 5 == 2) {
            (draft.action, draft.data) = (CidAction.Store, _storeData());
        } else if (kind % 5 == 3) {
            (draft.action, draft.data) = (CidAction.RenewStorage, abi.encode(uint96(0.01 ether), uint32(0)));
        } else {
            (draft.action, draft.data) = (CidAction.ChangeReplicas, abi.encode(uint8(1 + kind % 16)));
        }
    }

    function _storeData() private pure returns (bytes memory) {
        DealTerms memory t;
        (t.replicas, t.term, t.sealWindow, t.renewWindow, t.bondFloor) = (2, 518_400, 5760, 86_400, 0.1 ether);
        return abi.encode(StoreData(0.02 ether, t));
    }

    function attest(uint256 id) external {
        if (_ghosts.length == 0) return;
        id = id % _ghosts.length + 1;
        if (dao.attestedOf(id).size != 0) return;
        ++calls["attested"];
        _sync(); // attesting reads the logs too
        ATTESTER.attest(id);
        vm.recordLogs();
    }

    /// @dev What deals did not need comes back; nothing else is ever credited to the DAO here.
    function collect() external {
        uint256 before = address(store).balance;
        try dao.collectRefunds() returns (uint256 amount) {
            ++calls["collected"];
            received += amount;
            collected += before - address(store).balance;
            assertEq(before - address(store).balance, amount);
        } catch { }
    }

    /// @dev Each of `mask` votes on one of the latest proposals, from the place that it names or without a place.
    function vote(uint256 mask, uint256 id, bool support) external {
        if (_ghosts.length == 0) return;
        id = _ghosts.length - id % 3 % _ghosts.length;
        for (uint256 i = 0; i < people.length; ++i) {
            if (mask >> i & 1 != 0) _voteAs(people[i], id, support, mask >> (16 + 4 * i) & 15);
        }
    }

    function _voteAs(address a, uint256 id, bool support, uint256 place) private {
        Ghost storage g = _ghosts[id - 1];
        bool may = votesFrom[a] != 0 && votesFrom[a] <= g.createdAt && !voted[a][id] && a != g.proposer;
        bool open = dao.stateOf(id) == ProposalState.Active;
        bytes memory call = _voteCall(a, id, support, place);
        vm.prank(a);
        (bool ok,) = address(dao).call(call);
        if (ok) {
            ++calls["voted"];
            assertTrue(may && open, "a vote that should have been refused");
            voted[a][id] = true;
            if (support) ++g.up;
            else ++g.down;
            (ok,) = address(dao).call(call); // by somebody else: a ballot that is replayed
            assertFalse(ok, "a ballot counted twice");
        } else {
            assertFalse(may && open, "a vote that should have been taken");
        }
    }

    /// @dev Of the numbers of `place` one is for votes without a place, one for ballots that are signed.
    function _voteCall(address a, uint256 id, bool support, uint256 place) private returns (bytes memory) {
        if (place == 15) return abi.encodeCall(dao.voteCIDProposal, (id, support));
        if (place < 13) return abi.encodeCall(dao.voteCIDProposalAt, (id, support, place));
        ++calls["signed"];
        Ballot[] memory list = new Ballot[](1);
        list[0] = Ballot(id, support, a, type(uint40).max, place % 13, "");
        bytes32 ballot = keccak256(
            abi.encode(
                keccak256("Ballot(uint256 proposalId,bool support,address voter,uint256 deadline)"),
                id,
                support,
                a,
                list[0].deadline
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keys[a], keccak256(abi.encodePacked(hex"1901", _domain(), ballot)));
        list[0].signature = abi.encodePacked(r, s, v);
        return abi.encodeCall(dao.voteBySignature, (list));
    }

    function _domain() private view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Tidegate DataDAO"),
                keccak256("1"),
                block.chainid,
                address(dao)
            )
        );
    }

    /// @dev Of a proposal that passed and waits for its time, it waits that time.
    function execute(uint256 who, uint256 id) external {
        if (_ghosts.length == 0) return;
        id = id % _ghosts.length + 1;
        Ghost storage g = _ghosts[id - 1];
        if (dao.stateOf(id) == ProposalState.Queued && who % 4 != 0) {
            (,,, uint40 readyAt,,) = dao.rulesOf(id);
            vm.warp(readyAt);
        }
        address a = _who(who);
        (uint256 before, uint256 inDeals) = (address(dao).balance, address(store).balance);
        (uint256 had, uint256 left) = (a.balance, dao.spendable());
        bytes32 key = keccak256(g.draft.cid);
        vm.prank(a);
        try dao.executeCIDProposal{ value: 1 ether }(id, g.draft.data) {
            ++calls["executed"];
            assertFalse(g.executed, "executed twice");
            assertTrue(g.up > g.down && g.up + g.down >= g.quorum, "passed");
            g.executed = true;
            received += 1 ether;
            uint256 fee = before + 1 ether - address(dao).balance;
            paidOut += fee;
            if (address(store).balance != inDeals) ++calls["stored"];
            stored += address(store).balance - inDeals;
            if (g.draft.budget != 0) {
                assertLe(fee, g.draft.budget);
                _tipped(fee, a.balance + 1 ether - had, g.draft.budget, left);
                spent += fee;
                spendTimes.push(block.timestamp);
                spendAmounts.push(fee);
            }
            acceptedBy[key] =
                g.draft.action == CidAction.Remove ? 0 : g.draft.action == CidAction.Add ? id : acceptedBy[key];
            _sync();
        } catch { }
    }

    /// @dev The treasury is never the limit here.
    function _tipped(uint256 paid, uint256 got, uint256 budget, uint256 left) private {
        if (got != 0) ++calls["tipped"];
        uint256 most = budget < left ? budget : left;
        uint256 tip = most - (paid - got);
        assertEq(got, tip < 0.02 ether ? tip : 0.02 ether);
    }

    function cancel(uint256 id, bool byGuardian) external {
        if (_ghosts.length == 0) return;
        id = id % _ghosts.length + 1;
        vm.prank(byGuardian ? guard : _ghosts[id - 1].proposer);
        try dao.cancelProposal(id) {
            ++calls["cancelled"];
            _sync();
        } catch { }
    }

    function close(uint256 id) external {
        if (_ghosts.length == 0) return;
        try dao.closeProposal(id % _ghosts.length + 1) {
            ++calls["closed"];
            _sync();
        } catch { }
    }

    function withdraw(uint256 who) external {
        address a = _who(who);
        uint256 credit = dao.creditOf(a);
        if (credit == 0) return;
        ++calls["withdrawn"];
        uint256 before = a.balance;
        vm.prank(a);
        dao.withdraw(payable(a)); // never refused to whom it is due
        assertEq(a.balance - before, credit);
        paidOut += credit;
        _sync();
    }

    function give(uint256 who, uint256 amount) external {
        amount = bound(amount, 0, 1 ether);
        vm.prank(_who(who));
        (bool ok,) = address(dao).call{ value: amount }("");
        assertTrue(ok);
        received += amount;
    }

    /// @dev Counts what is credited, and deposits that ended, from what everyone sees.
    function _sync() private {
        credits = 0;
        for (uint256 i = 0; i < people.length; ++i) {
            credits += dao.creditOf(people[i]);
        }
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (topic == IDataDAO.DepositSettled.selector) depositsHeld -= 0.5 ether;
            if (topic == IDataDAO.ProposalClosed.selector || topic == IDataDAO.ProposalExecuted.selector) {
                ++_ghosts[uint256(logs[i].topics[1]) - 1].ended;
            }
        }
        vm.recordLogs();
    }

    function _who(uint256 n) private view returns (address) {
        return people[n % people.length];
    }
}
