// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Exit } from "../../../contracts/fvm/Actors.sol";
import { PieceCid } from "../../../contracts/fvm/PieceCid.sol";
import { Podsi } from "../../../contracts/fvm/Podsi.sol";
import { IAggregatorOracle } from "../../../contracts/interfaces/IAggregatorOracle.sol";
import { DealRef, IDealStatusOracle } from "../../../contracts/interfaces/IDealStatusOracle.sol";
import {
    InclusionAuxData,
    InclusionProof,
    InclusionVerifierData
} from "../../../contracts/interfaces/IInclusionVerifier.sol";
import { Cids } from "../../../contracts/pinning/Cids.sol";
import { Vectors } from "../fvm/Vectors.sol";
import { StatusBase } from "./StatusBase.sol";

contract ReplicasTest is StatusBase, Vectors {
    bytes private payload = hex"12201111111111111111111111111111111111111111111111111111111111111111";
    Inclusion private proofOf;
    uint64 private aggregate;

    function setUp() public override {
        super.setUp();
        Inclusion[] memory list = _inclusions(".cases");
        proofOf = list[3];
        aggregate = _put(proofOf.commPa, proofOf.sizePa);
    }

    function _piece() private view returns (InclusionVerifierData memory) {
        return InclusionVerifierData(PieceCid.v1(proofOf.commPc), proofOf.sizePc);
    }

    function _proofs() private view returns (InclusionProof memory) {
        return _proof(proofOf);
    }

    // ----------------------------------------------------------------- requests

    function test_SelectorsAreThoseThatClientsKnow() public pure {
        assertEq(IAggregatorOracle.submit.selector, bytes4(keccak256("submit(bytes)")));
        assertEq(IAggregatorOracle.submitRaaS.selector, bytes4(keccak256("submitRaaS(bytes,uint256,uint256,uint256)")));
        assertEq(IAggregatorOracle.getAllDeals.selector, bytes4(keccak256("getAllDeals(bytes)")));
        assertEq(IAggregatorOracle.getActiveDeals.selector, bytes4(keccak256("getActiveDeals(bytes)")));
        assertEq(IAggregatorOracle.getExpiringDeals.selector, bytes4(keccak256("getExpiringDeals(bytes,uint64)")));
        string memory proof = "((uint64,bytes32[]),(uint64,bytes32[])),(bytes,uint64))";
        bytes4 both = bytes4(keccak256(bytes(string.concat("complete(uint256,uint64,", proof))))
            ^ bytes4(keccak256(bytes(string.concat("complete(uint256,uint64,uint64,", proof))));
        assertEq(
            both ^ IAggregatorOracle.submit.selector ^ IAggregatorOracle.submitRaaS.selector
                ^ IAggregatorOracle.getAllDeals.selector ^ IAggregatorOracle.getActiveDeals.selector
                ^ IAggregatorOracle.getExpiringDeals.selector,
            type(IAggregatorOracle).interfaceId
        );
    }

    function test_Submit() public {
        vm.expectEmit(address(oracle));
        emit IAggregatorOracle.SubmitAggregatorRequest(1, payload);
        assertEq(oracle.submit(payload), 1);
        vm.expectEmit(address(oracle));
        emit IAggregatorOracle.SubmitAggregatorRequestWithRaaS(2, payload, 3, 100, 200);
        assertEq(oracle.submitRaaS(payload, 3, 100, 200), 2);
        vm.expectRevert();
        oracle.submit("no CID");
        vm.expectRevert(abi.encodeWithSelector(Cids.Cids_TooLong.selector, 206, 149));
        oracle.submit(bytes.concat(hex"015500c801", new bytes(201)));
    }

    function test_CompleteOfAPieceCid() public {
        uint256 id = oracle.submit(PieceCid.v2(proofOf.commPc, proofOf.sizePc / 128 * 127));
        vm.expectEmit(address(oracle));
        emit IAggregatorOracle.CompleteAggregatorRequest(id, aggregate);
        InclusionAuxData memory aux = oracle.complete(id, aggregate, MINER, _proofs(), _piece());
        assertEq(aux.commPa, PieceCid.v1(proofOf.commPa));
        assertEq(aux.sizePa, proofOf.sizePa);
        IAggregatorOracle.Deal[] memory deals = oracle.getAllDeals(PieceCid.v1(proofOf.commPc));
        assertEq(deals.length, 1);
        assertEq(deals[0].dealId, aggregate);
        assertEq(deals[0].minerId, MINER);
        _stored(_deal(aggregate), IDealStatusOracle.Status.Published);

        bytes32 hash = oracle.refHashOf(_deal(aggregate));
        vm.expectRevert(abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_AlreadyListed.selector, hash));
        oracle.complete(id, aggregate, _proofs(), _piece());
    }

    function test_RevertWhen_CompleteIsNotTrue() public {
        InclusionProof memory p = _proofs();
        InclusionVerifierData memory v = _piece();
        uint256 id = oracle.submit(v.commPc);
        vm.expectRevert(abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_UnknownRequest.selector, 0));
        oracle.complete(0, aggregate, p, v);
        vm.expectRevert(abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_UnknownRequest.selector, id + 1));
        oracle.complete(id + 1, aggregate, p, v);
        vm.expectRevert(
            abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_OtherMiner.selector, MINER + 1, MINER)
        );
        oracle.complete(id, aggregate, MINER + 1, p, v);
        vm.expectRevert(
            abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_ActorRefused.selector, Exit.NOT_FOUND)
        );
        oracle.complete(id, aggregate + 1, p, v);
        uint64 other = _put(ROOT, proofOf.sizePa);
        vm.expectRevert(abi.encodeWithSelector(Podsi.Podsi_OtherAggregate.selector, proofOf.commPa, proofOf.sizePa));
        oracle.complete(id, other, p, v);
        v.commPc = piece;
        vm.expectRevert(abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_PieceNotBound.selector, ROOT));
        oracle.complete(id, aggregate, p, v);
        v.commPc = PieceCid.v2(proofOf.commPc, proofOf.sizePc);
        vm.expectRevert(
            abi.encodeWithSelector(
                IDealStatusOracle.DealStatusOracle_SizeMismatch.selector, proofOf.sizePc * 2, proofOf.sizePc
            )
        );
        oracle.complete(id, aggregate, p, v);
        v = _piece();
        vm.roll(START + 1); // and it was never activated
        vm.expectRevert(
            abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_NotStored.selector, IDealStatusOracle.Status.Lost)
        );
        oracle.complete(id, aggregate, p, v);
        market.terminate(aggregate);
        vm.expectRevert(
            abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_ActorRefused.selector, Exit.DEAL_EXPIRED)
        );
        oracle.complete(id, aggregate, p, v);
        assertEq(oracle.getAllDeals(_piece().commPc).length, 0);
    }

    // ---------------------------------------------------------------- operators

    function test_APayloadCidNeedsKOperators() public {
        uint256 id = oracle.submit(payload);
        bytes memory cid = PieceCid.v1(proofOf.commPc);
        vm.expectRevert(
            abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_NotAnOperator.selector, address(this))
        );
        oracle.attestPiece(payload, cid);
        vm.prank(address(0xa1));
        oracle.attestPiece(payload, cid);
        vm.prank(address(0xa1));
        vm.expectRevert(abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_AlreadyVoted.selector, address(0xa1)));
        oracle.attestPiece(payload, cid);
        operators.rotate();
        vm.prank(address(0xa2));
        oracle.attestPiece(payload, cid);
        InclusionProof memory p = _proofs();
        InclusionVerifierData memory v = _piece();
        vm.expectRevert(
            abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_PieceNotBound.selector, proofOf.commPc)
        );
        oracle.complete(id, aggregate, p, v); // one of each configuration
        vm.prank(address(0xa3));
        oracle.attestPiece(payload, cid);
        oracle.complete(id, aggregate, p, v);
        assertEq(oracle.getAllDeals(payload).length, 1);
        // The same block as CIDv1.
        assertEq(oracle.cidKeyOf(payload), oracle.cidKeyOf(bytes.concat(hex"0170", payload)));
    }

    function test_AHintChangesNoStatus() public {
        uint64 id = _active();
        _is(_deal(id), IDealStatusOracle.Status.Active);
        for (uint160 who = 0xa1; who < 0xa3; ++who) {
            vm.prank(address(who));
            oracle.hint(_deal(id), IDealStatusOracle.Status.Lost, 9999);
        }
        (IDealStatusOracle.Status hinted, uint64 epoch) = oracle.hintOf(_deal(id));
        assertEq(uint8(hinted), uint8(IDealStatusOracle.Status.Lost));
        assertEq(epoch, 9999);
        _stored(_deal(id), IDealStatusOracle.Status.Active);
    }

    // -------------------------------------------------------------------- lists

    function test_AddReplica() public {
        uint64 id = _active();
        oracle.addReplica(piece, _deal(id));
        DealRef memory sector = _sector(9);
        vm.expectRevert(
            abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_NotProven.selector, oracle.refHashOf(sector))
        );
        oracle.addReplica(piece, sector);
        _tell(9, END - 100);
        oracle.addReplica(piece, sector);
        vm.expectRevert(abi.encodeWithSelector(IDealStatusOracle.DealStatusOracle_PieceNotBound.selector, ROOT));
        oracle.addReplica(payload, sector);

        (uint256 active, uint64 until) = oracle.replicasOf(piece, 0);
        assertEq(active, 2);
        assertEq(until, END - 100);
        vm.roll(10_001);
        (active, until) = oracle.replicasOf(piece, 0);
        assertEq(active, 0, "nothing is so fresh");
        assertEq(until, 0);
        (active,) = oracle.replicasOf(piece, 1);
        assertEq(active, 2);
        vm.roll(END - 100);
        (active, until) = oracle.replicasOf(piece, type(uint64).max);
        assertEq(active, 1);
        assertEq(until, END);
        assertEq(oracle.getAllDeals(piece).length, 1, "a sector is no deal");
        (DealRef[] memory refs, uint256 next) = oracle.replicasPage(piece, 0, 1);
        assertEq(refs.length, 1);
        assertEq(next, 1);
        (refs, next) = oracle.replicasPage(piece, next, 5);
        assertEq(abi.encode(refs[0]), abi.encode(sector));
        assertEq(next, 0);
        (refs, next) = oracle.replicasPage(piece, 7, 5);
        assertEq(refs.length, 0);
    }

    function test_ListsHaveNoGapsAndOnlyWhatIsAsked() public {
        uint64[] memory ids = new uint64[](6);
        for (uint256 i = 0; i < 6; ++i) {
            ids[i] = _active();
            oracle.addReplica(piece, _deal(ids[i]));
        }
        market.terminate(ids[1]);
        market.terminate(ids[4]);
        assertEq(oracle.getAllDeals(piece).length, 6);
        IAggregatorOracle.Deal[] memory deals = oracle.getActiveDeals(piece);
        assertEq(deals.length, 4);
        assertEq(deals[1].dealId, ids[2]);
        assertEq(deals[3].dealId, ids[5]);
        vm.roll(END - 50);
        assertEq(oracle.getExpiringDeals(piece, 49).length, 0);
        assertEq(oracle.getExpiringDeals(piece, 50).length, 4);
        uint256 next;
        (deals, next) = oracle.getExpiringDealsPage(piece, 50, 0, 3);
        assertEq(deals.length, 2);
        assertEq(next, 3);
        (deals, next) = oracle.getActiveDealsPage(piece, next, 3);
        assertEq(deals.length, 2);
        assertEq(next, 0);
        (deals, next) = oracle.getAllDealsPage(piece, 5, type(uint256).max);
        assertEq(deals.length, 1);
        vm.roll(END);
        assertEq(oracle.getActiveDeals(piece).length, 0, "past its end, though f05 has it");
    }

    function test_TheNewestHundred() public {
        for (uint256 i = 0; i < 103; ++i) {
            oracle.addReplica(piece, _deal(_active()));
        }
        IAggregatorOracle.Deal[] memory deals = oracle.getAllDeals(piece);
        assertEq(deals.length, 100);
        assertEq(deals[99].dealId - deals[0].dealId, 99);
        (deals,) = oracle.getAllDealsPage(piece, 0, 1000);
        assertEq(deals.length, 103);
    }
}
