// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DataDAO } from "../../../contracts/dao/DataDAO.sol";
import { Ballot, CidAction, IDataDAO } from "../../../contracts/interfaces/IDataDAO.sol";
import { DaoBase } from "../DaoBase.t.sol";
import { BlockToken } from "../mocks/DaoMocks.sol";
import { PlainGovernor } from "../mocks/PlainGovernor.sol";
import { IGovernor } from "@openzeppelin/contracts/governance/IGovernor.sol";

/// @notice What whole transactions with a DAO cost: execution from cold storage, base cost and calldata; and what the same costs
/// with OpenZeppelin's Governor and its token. All is prepared in `setUp`, which is another transaction.
contract DaoGasTest is DaoBase {
    BlockToken private token;
    DataDAO private byToken;
    DataDAO private large;
    PlainGovernor private governor;
    uint256 private ozFirst;
    uint256 private ozSecond;

    function setUp() public override {
        super.setUp();
        _propose(_cid(1));
        _propose(_cid(2));
        _vote(1, 0, 1, true); // somebody voted before, and this one voted here before
        // A thousand members, each invited and of age.
        address[] memory many = new address[](64);
        for (uint256 i = 0; i < 64; ++i) {
            many[i] = i == 0 ? founders[0] : makeAddr(string.concat("many", vm.toString(i)));
        }
        large = _makeDao(_params(), many, address(0));
        for (uint256 i = 0; i < 936; ++i) {
            if (i % 128 == 0) vm.warp(block.timestamp + 7 days);
            address a = makeAddr(string.concat("more", vm.toString(i)));
            vm.prank(many[i / 2 % 64]);
            large.invite(a);
            vm.prank(a);
            large.join();
        }
        assertEq(large.memberCount(), 1000);
        vm.warp(block.timestamp + 1 days);
        for (uint256 i = 1; i < 3; ++i) {
            vm.prank(sp);
            large.createCIDProposal{ value: 0.5 ether }(_cid(i), SIZE);
        }
        vm.prank(many[1]);
        large.voteCIDProposal(1, true);

        token = new BlockToken();
        governor = new PlainGovernor(token);
        for (uint256 i = 0; i < 2; ++i) {
            token.mint(founders[i], 1e18);
            vm.prank(founders[i]);
            token.delegate(founders[i]);
        }
        byToken = _makeDao(_params(), new address[](0), address(token));
        vm.roll(block.number + 1);
        vm.prank(sp);
        byToken.createCIDProposal{ value: 0.5 ether }(_cid(1), SIZE);
        _voteIn(byToken, founders[1], 1);
        ozFirst = _ozPropose(1);
        ozSecond = _ozPropose(2);
        vm.roll(block.number + 1);
        vm.prank(founders[1]);
        governor.castVote(ozFirst, 1);
        vm.prank(founders[1]);
        governor.castVote(ozSecond, 1);
        vm.prank(founders[0]);
        governor.castVote(ozFirst, 1);
        // Again, so that the votes measured are open.
        vm.warp(block.timestamp + 1 days);
        vm.startPrank(sp);
        dao.createCIDProposal{ value: 0.5 ether }(_cid(3), SIZE);
        dao.createCIDProposal{ value: 0.5 ether }(_cid(4), SIZE);
        large.createCIDProposal{ value: 0.5 ether }(_cid(3), SIZE);
        byToken.createCIDProposal{ value: 0.5 ether }(_cid(3), SIZE);
        vm.stopPrank();
        for (uint256 i = 3; i < 5; ++i) {
            _voteIn(dao, founders[1], i);
        }
        _voteIn(large, many[1], 3);
        _voteIn(byToken, founders[1], 2);
    }

    function _voteIn(DataDAO d, address who, uint256 id) private {
        vm.prank(who);
        d.voteCIDProposal(id, true);
    }

    function _ozCall(uint256 n)
        private
        view
        returns (address[] memory, uint256[] memory, bytes[] memory, string memory)
    {
        address[] memory to = new address[](1);
        uint256[] memory values = new uint256[](1);
        bytes[] memory data = new bytes[](1);
        (to[0], data[0]) = (address(pinning), abi.encodeWithSignature("pinToEstuary(bytes)", _cid(n)));
        return (to, values, data, "pin it");
    }

    function _ozPropose(uint256 n) private returns (uint256) {
        (address[] memory to, uint256[] memory values, bytes[] memory data, string memory why) = _ozCall(n);
        vm.prank(founders[0]);
        return governor.propose(to, values, data, why);
    }

    // ------------------------------------------------------------------- ours

    function test_Vote_First() public {
        uint256 gas = _measure("vote, a voter's first", founders[2], address(dao), 0, _voteCall(3));
        assertLe(gas, 82_000);
    }

    function test_Vote_Later() public {
        assertLe(_measure("vote", founders[0], address(dao), 0, _voteCall(3)), 60_000);
    }

    function test_Vote_AmongAThousandMembers() public {
        // One is measured after the other: what they share is warm for both.
        assertEq(dao.memberCount(), 5);
        assertEq(large.memberCount(), 1000);
        uint256 few = _gas(founders[2], address(dao), 0, _voteCall(3));
        uint256 many = _measure(
            "vote, a voter's first, among 1,000 members (code warm)", founders[0], address(large), 0, _voteCall(3)
        );
        assertApproxEqRel(many, few, 0.03e18, "independent of the number of members");
    }

    function test_VoteAt_AmongAThousandMembers() public {
        assertEq(dao.memberCount(), 5);
        assertEq(large.memberCount(), 1000);
        uint256 few = _gas(founders[2], address(dao), 0, abi.encodeCall(IDataDAO.voteCIDProposalAt, (3, true, 2)));
        uint256 many = _measure(
            "vote that names its place, among 1,000 members (code warm)",
            founders[0],
            address(large),
            0,
            abi.encodeCall(IDataDAO.voteCIDProposalAt, (3, true, 0))
        );
        assertApproxEqRel(many, few, 0.03e18, "independent of the number of members");
    }

    function test_VoteAt() public {
        bytes memory data = abi.encodeCall(IDataDAO.voteCIDProposalAt, (3, true, 0));
        assertLe(_measure("vote that names its place", founders[0], address(dao), 0, data), 60_000);
    }

    function test_Vote_ByToken() public {
        assertLe(_measure("vote, a voter's first, by token", founders[0], address(byToken), 0, _voteCall(2)), 95_000);
    }

    function test_Vote_BySignature() public {
        assertLe(_measure("vote by signature", keeper, address(dao), 0, _signed(dao, 2)), 70_000);
    }

    function test_VoteBySignature_AmongAThousandMembers() public {
        uint256 few = _gas(keeper, address(dao), 0, _signed(dao, 2));
        uint256 many = _measure(
            "vote by signature, among 1,000 members (code warm)", keeper, address(large), 0, _signed(large, 0)
        );
        assertApproxEqRel(many, few, 0.03e18, "independent of the number of members");
    }

    /// @dev A ballot that names its voter's place, on proposal 3.
    function _signed(DataDAO in_, uint256 i) private returns (bytes memory) {
        dao = in_; // whose domain is signed for
        Ballot memory b = _ballot(3, i, true);
        b.place = in_.placeOf(founders[i]);
        return abi.encodeCall(IDataDAO.voteBySignature, _ballots(b));
    }

    function test_Vote_TwentyBySignature() public {
        // Five voters, four proposals each, in one call.
        for (uint256 i = 5; i < 9; ++i) {
            _propose(_cid(i));
        }
        Ballot[] memory list = new Ballot[](20);
        for (uint256 i = 0; i < 20; ++i) {
            list[i] = _ballot(5 + i / 5, i % 5, true);
            list[i].place = i % 5;
        }
        uint256 gas = _gas(keeper, address(dao), 0, abi.encodeCall(IDataDAO.voteBySignature, list));
        vm.snapshotValue("Dao", "twenty votes by signature", gas);
    }

    function test_Propose() public {
        bytes memory data = abi.encodeCall(IDataDAO.createCIDProposal, (_cid(99), SIZE));
        assertLe(_measure("propose a CID", founders[0], address(dao), 0, data), 140_000);
    }

    function test_Propose_WithDeposit() public {
        bytes memory data = abi.encodeCall(IDataDAO.createCIDProposal, (_cid(99), SIZE));
        assertLe(_measure("propose a CID, with a deposit", sp, address(dao), 0.5 ether, data), 150_000);
    }

    function test_Execute() public {
        _vote(3, 0, 1, true);
        _untilReady(3);
        bytes memory data = abi.encodeWithSignature("executeCIDProposal(uint256)", 3);
        vm.snapshotValue("Dao", "execute, with the pin", _gas(keeper, address(dao), 1 ether, data));
    }

    function test_Create() public {
        bytes memory data = abi.encodeCall(daos.createDAO, (_params(), founders, address(0)));
        vm.snapshotValue("Dao", "create a DAO of five", _gas(owner, address(daos), 1 ether, data));
    }

    // ---------------------------------------------------------- OpenZeppelin's

    function test_OpenZeppelin_Vote() public {
        uint256 ours = _gas(founders[2], address(dao), 0, _voteCall(3));
        uint256 theirs = _measure(
            "OpenZeppelin Governor: vote",
            founders[0],
            address(governor),
            0,
            abi.encodeCall(IGovernor.castVote, (ozSecond, 1))
        );
        assertLt(ours, theirs, "ours costs less, also a voter's first");
    }

    function test_OpenZeppelin_Propose() public {
        (address[] memory to, uint256[] memory values, bytes[] memory data, string memory why) = _ozCall(99);
        _measure(
            "OpenZeppelin Governor: propose (no CID kept)",
            founders[0],
            address(governor),
            0,
            abi.encodeCall(IGovernor.propose, (to, values, data, why))
        );
    }

    function test_Sizes() public {
        _size("DataDAO", daos.implementation());
        _size("DataDAOFactory", address(daos));
        vm.snapshotValue("Dao", "OpenZeppelin Governor: bytes of code", address(governor).code.length);
    }

    function _size(string memory name, address where) private {
        vm.snapshotValue("Dao", string.concat(name, ": bytes of code"), where.code.length);
        assertLt(where.code.length, 24_576);
    }

    function _voteCall(uint256 id) private pure returns (bytes memory) {
        return abi.encodeCall(IDataDAO.voteCIDProposal, (id, true));
    }

    function _measure(string memory name, address from, address to, uint256 value, bytes memory data)
        private
        returns (uint256 gas)
    {
        gas = _gas(from, to, value, data);
        vm.snapshotValue("Dao", name, gas);
    }

    function _gas(address from, address to, uint256 value, bytes memory data) private returns (uint256 gas) {
        vm.prank(from);
        (bool ok,) = to.call{ value: value }(data);
        gas = vm.lastCallGas().gasTotalUsed + 21_000;
        assertTrue(ok, "call");
        for (uint256 i = 0; i < data.length; ++i) {
            gas += data[i] == 0 ? 4 : 16;
        }
    }
}
