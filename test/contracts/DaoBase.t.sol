// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DataDAO } from "../../contracts/dao/DataDAO.sol";
import { DataDAOFactory } from "../../contracts/dao/DataDAOFactory.sol";
import {
    AddData,
    Ballot,
    CidAction,
    DaoParams,
    Draft,
    IDataDAO,
    ProposalState,
    StoreData
} from "../../contracts/interfaces/IDataDAO.sol";
import { Price } from "../../contracts/interfaces/IEstuaryProvider.sol";
import { Actions, Report } from "../../contracts/interfaces/IExecutionProvider.sol";
import { DealTerms } from "../../contracts/interfaces/IPerpetualStorage.sol";
import { IProviderRegistry } from "../../contracts/interfaces/IProviderRegistry.sol";
import { PerpetualStorage, StorageConfig } from "../../contracts/storage/PerpetualStorage.sol";
import { Base } from "./Base.t.sol";
import { DaoMaker } from "./mocks/DaoMaker.sol";
import { FactsFake, RegistryFake } from "./storage/FactsFake.sol";
import { StorageFactory } from "./storage/StorageFactory.sol";

/// @notice A DAO of five founders with a full treasury, and ways to bring proposals to any state.
abstract contract DaoBase is Base {
    uint64 internal constant SIZE = 1_000_000;

    bytes32 internal constant PIECE_ROOT = bytes32(uint256(0xabc0) << 8);

    FactsFake internal facts;
    PerpetualStorage internal store;
    DataDAOFactory internal daos;
    DataDAO internal dao;
    address[] internal founders;
    uint256[] internal founderKeys;
    address internal guard = makeAddr("guardian");
    address internal sp = makeAddr("storage provider");
    address internal keeper = makeAddr("keeper");

    function setUp() public virtual override {
        super.setUp();
        vm.roll(1_000_000);
        facts = new FactsFake();
        store = StorageFactory(vm.deployCode("StorageFactory.sol:StorageFactory")).make(provider, _storageConfig());
        pinning = factory.pinning(provider, _pinningConfig(), store);
        vm.startPrank(owner);
        provider.setPrice(Actions.PREPARE, Price(0.02 ether, 0.0001 ether, 0, 1000, true));
        vm.stopPrank();
        daos = DaoMaker(vm.deployCode("DaoMaker.sol:DaoMaker")).make(provider, pinning, 150_000, 1 days);
        for (uint256 i = 0; i < 5; ++i) {
            (address a, uint256 k) = makeAddrAndKey(string.concat("founder", vm.toString(i)));
            founders.push(a);
            founderKeys.push(k);
            vm.deal(a, 100 ether);
        }
        vm.deal(sp, 100 ether);
        vm.deal(keeper, 100 ether);
        dao = _makeDao(_params(), founders, address(0));
    }

    function _makeDao(DaoParams memory p, address[] memory who, address token) internal returns (DataDAO) {
        vm.deal(owner, 1000 ether);
        vm.prank(owner);
        return DataDAO(payable(daos.createDAO{ value: 100 ether }(p, who, token)));
    }

    function _params() internal view returns (DaoParams memory) {
        return DaoParams({
            votingPeriod: 1 hours,
            weightyPeriod: 1 days,
            executionDelay: 1 days,
            executionWindow: 7 days,
            membershipAge: 1 days,
            invitePeriod: 7 days,
            inviteLimit: 2,
            quorumBps: 1000,
            weightyQuorumBps: 2000,
            deposit: 0.5 ether,
            maxPerProposal: 1 ether,
            maxPer30Days: 3 ether,
            tip: 0,
            guardian: guard,
            guardianUntil: uint40(block.timestamp) + 365 days
        });
    }

    function _storageConfig() private returns (StorageConfig memory) {
        return StorageConfig({
            gate: address(facts),
            facts: facts,
            registry: IProviderRegistry(address(new RegistryFake())),
            owner: owner,
            baseUrl: "https://gate.example/piece/",
            mostMaxBytes: 32 << 30,
            requestTerm: 1 days,
            callbackGas: 300_000
        });
    }

    /// @dev Two replicas, each for half a year.
    function _dealTerms() internal pure returns (DealTerms memory t) {
        (t.replicas, t.term, t.sealWindow, t.renewWindow, t.ramp) = (2, 518_400, 5760, 86_400, 28_800);
        (t.baseBounty, t.maxBounty, t.rate, t.bondFloor) = (0.01 ether, 0.05 ether, 1e10, 0.1 ether);
    }

    function _storeData(uint96 amount) internal pure returns (bytes memory) {
        return abi.encode(StoreData(amount, _dealTerms()));
    }

    function _addData(bytes memory toStore) internal pure returns (bytes memory) {
        AddData memory add;
        add.store = toStore;
        return abi.encode(add);
    }

    function _cid(uint256 n) internal pure returns (bytes memory) {
        return abi.encodePacked(hex"01701220", keccak256(abi.encode(n)));
    }

    function _draft(CidAction action, bytes memory cid, uint96 budget, bytes memory data)
        internal
        pure
        returns (Draft memory)
    {
        return Draft(action, cid, SIZE, budget, data);
    }

    /// @dev Proposed by the storage provider, who pays the deposit.
    function _propose(bytes memory cid) internal returns (uint256) {
        vm.prank(sp);
        return dao.createCIDProposal{ value: 0.5 ether }(cid, SIZE);
    }

    function _proposeBy(address who, Draft memory draft) internal returns (uint256) {
        vm.prank(who);
        return dao.propose(draft);
    }

    /// @dev The founders `from` to `from + count − 1` vote.
    function _vote(uint256 id, uint256 from, uint256 count, bool support) internal {
        for (uint256 i = from; i < from + count; ++i) {
            vm.prank(founders[i]);
            dao.voteCIDProposal(id, support);
        }
    }

    function _untilReady(uint256 id) internal {
        (,,, uint40 readyAt,,) = dao.rulesOf(id);
        vm.warp(readyAt);
    }

    function _execute(uint256 id, bytes memory data) internal {
        vm.prank(keeper);
        dao.executeCIDProposal{ value: 5 ether }(id, data);
    }

    /// @dev A CID that is proposed, accepted and asked to be pinned.
    function _accept(bytes memory cid) internal returns (uint256 id) {
        id = _propose(cid);
        _vote(id, 0, 3, true);
        _untilReady(id);
        _execute(id, "");
    }

    function _stateIs(uint256 id, ProposalState state) internal view {
        assertEq(uint8(dao.stateOf(id)), uint8(state), "state of the proposal");
    }

    function _ballot(uint256 id, uint256 i, bool support) internal view returns (Ballot memory) {
        return _ballotOf(id, founders[i], founderKeys[i], support);
    }

    /// @dev Names no place.
    function _ballotOf(uint256 id, address voter, uint256 key, bool support) internal view returns (Ballot memory b) {
        b = Ballot(id, support, voter, block.timestamp + 1 hours, type(uint256).max, "");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _ballotDigest(b));
        b.signature = abi.encodePacked(r, s, v);
    }

    /// @dev EIP-712 spelled out once more, apart from the contract.
    function _ballotDigest(Ballot memory b) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Tidegate DataDAO"),
                keccak256("1"),
                block.chainid,
                address(dao)
            )
        );
        bytes32 ballot = keccak256(
            abi.encode(
                keccak256("Ballot(uint256 proposalId,bool support,address voter,uint256 deadline)"),
                b.proposalId,
                b.support,
                b.voter,
                b.deadline
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, ballot));
    }

    function _ballots(Ballot memory b) internal pure returns (Ballot[] memory list) {
        list = new Ballot[](1);
        list[0] = b;
    }

    /// @dev Operators say that the CID of a proposal has `size` bytes in its blocks.
    function _attest(uint256 id, uint64 size) internal {
        uint96 fee = dao.quoteSize(2 * SIZE);
        vm.recordLogs();
        vm.prank(keeper);
        dao.requestSize{ value: fee }(id, 2 * SIZE);
        Ask memory ask = _lastAsk();
        bytes memory piece = abi.encodePacked(hex"0181e203922020", PIECE_ROOT);
        _fulfill(_success(ask, abi.encode(piece, uint64(2 << 20), size + 100, size)));
    }

    function _says(bytes4 error) internal {
        vm.expectPartialRevert(error);
    }
}
