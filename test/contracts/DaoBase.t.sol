// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DataDAO } from "../../contracts/dao/DataDAO.sol";
import { DataDAOFactory } from "../../contracts/dao/DataDAOFactory.sol";
import { Ballot, CidAction, DaoParams, Draft, IDataDAO, ProposalState } from "../../contracts/interfaces/IDataDAO.sol";
import { Price } from "../../contracts/interfaces/IEstuaryProvider.sol";
import { Actions, Report } from "../../contracts/interfaces/IExecutionProvider.sol";
import { Base } from "./Base.t.sol";
import { DaoMaker } from "./mocks/DaoMaker.sol";

/// @notice A DAO of five founders with a full treasury, and ways to bring proposals to any state.
abstract contract DaoBase is Base {
    uint64 internal constant SIZE = 1_000_000;

    DataDAOFactory internal daos;
    DataDAO internal dao;
    address[] internal founders;
    uint256[] internal founderKeys;
    address internal guard = makeAddr("guardian");
    address internal sp = makeAddr("storage provider");
    address internal keeper = makeAddr("keeper");

    function setUp() public virtual override {
        super.setUp();
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
            guardian: guard,
            guardianUntil: uint40(block.timestamp) + 365 days
        });
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

    function _ballot(uint256 id, uint256 i, bool support, uint256 nonce) internal view returns (Ballot memory) {
        return _ballotOf(id, founders[i], founderKeys[i], support, nonce);
    }

    function _ballotOf(uint256 id, address voter, uint256 key, bool support, uint256 nonce)
        internal
        view
        returns (Ballot memory b)
    {
        b = Ballot(id, support, voter, block.timestamp + 1 hours, "");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, _ballotDigest(b, nonce));
        b.signature = abi.encodePacked(r, s, v);
    }

    /// @dev EIP-712 spelled out once more, apart from the contract.
    function _ballotDigest(Ballot memory b, uint256 nonce) internal view returns (bytes32) {
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
                keccak256("Ballot(uint256 proposalId,bool support,address voter,uint256 nonce,uint256 deadline)"),
                b.proposalId,
                b.support,
                b.voter,
                nonce,
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
        bytes memory piece = abi.encodePacked(hex"0181e203922020", bytes32(uint256(0xabc0) << 8));
        _fulfill(_success(ask, abi.encode(piece, uint64(2 << 20), size + 100, size)));
    }

    function _says(bytes4 error) internal {
        vm.expectPartialRevert(error);
    }
}
