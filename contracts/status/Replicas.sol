// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { Exit } from "../fvm/Actors.sol";
import { Epochs } from "../fvm/Epochs.sol";
import { MarketActor } from "../fvm/MarketActor.sol";
import { PieceCid } from "../fvm/PieceCid.sol";
import { Podsi } from "../fvm/Podsi.sol";
import { IAggregatorOracle } from "../interfaces/IAggregatorOracle.sol";
import { DealRef, IDealStatusOracle } from "../interfaces/IDealStatusOracle.sol";
import { CidHash } from "../interfaces/IEstuaryPinning.sol";
import { InclusionAuxData, InclusionProof, InclusionVerifierData } from "../interfaces/IInclusionVerifier.sol";
import { IOperatorSet } from "../interfaces/IOperatorSet.sol";
import { Cids } from "../pinning/Cids.sol";

/// @title Replicas
/// @notice The part of DealStatusOracle that lists deals and sectors under CIDs, and counts what operators say.
/// @dev Nothing is listed on anybody's word: the actors say which piece a deal has, a proof of inclusion which pieces are in that,
/// and only which piece a *payload* CID is in takes the word of k operators. Lists are append-only and anyone may add to them what
/// is true, so they are read by pages, and at most the newest 100 by the older calls.
abstract contract Replicas is IDealStatusOracle {
    /// @dev Two slots.
    struct Record {
        Status status;
        Source source;
        uint64 epoch;
        uint64 miner; // 0: never seen
        uint64 start;
        uint64 end;
        uint64 size; // padded bytes of the piece; of sectors alone
    }

    uint256 private constant MOST = 100;

    IOperatorSet public immutable operatorSet;
    mapping(bytes32 refHash => Record) internal _records;
    uint64 private _seq;

    uint256 public requestCount;
    mapping(uint256 id => bytes32) private _cidOf;
    mapping(bytes32 cidKey => DealRef[]) private _replicas;
    mapping(bytes32 cidKey => mapping(bytes32 refHash => bool)) private _listed;
    mapping(bytes32 cidKey => mapping(bytes32 commitment => bool)) private _bound;

    mapping(bytes32 topic => mapping(address operator => bool)) private _voted;
    mapping(bytes32 topic => uint256) private _votes;
    mapping(bytes32 refHash => Status) private _hints;
    mapping(bytes32 refHash => uint64) private _hintEpochs;

    constructor(IOperatorSet operators) {
        operatorSet = operators;
    }

    /// @dev Asks the actors and stores what they say.
    function _refresh(DealRef memory ref, bytes memory location) internal virtual returns (Status);

    /// @dev Whether f05 says now that a deal is active, and when it ends.
    function _live(uint64 dealId) internal view virtual returns (bool active, uint64 end);

    // ------------------------------------------------------------------- views

    /// @inheritdoc IDealStatusOracle
    function statusOf(DealRef calldata ref) external view returns (Status status, uint64 epoch, Source source) {
        Record storage r = _records[_hashOf(ref)];
        return (r.status, r.epoch, r.source);
    }

    /// @inheritdoc IDealStatusOracle
    function isFresh(DealRef calldata ref, uint64 maxAge) external view returns (bool) {
        return _isFresh(_records[_hashOf(ref)], maxAge);
    }

    /// @inheritdoc IDealStatusOracle
    function termOf(DealRef calldata ref) external view returns (uint64 minerId, uint64 start, uint64 end) {
        Record storage r = _records[_hashOf(ref)];
        return (r.miner, r.start, r.end);
    }

    /// @inheritdoc IDealStatusOracle
    function hintOf(DealRef calldata ref) external view returns (Status status, uint64 epoch) {
        bytes32 hash = _hashOf(ref);
        return (_hints[hash], _hintEpochs[hash]);
    }

    /// @inheritdoc IDealStatusOracle
    function refHashOf(DealRef calldata ref) external pure returns (bytes32) {
        return _hashOf(ref);
    }

    /// @inheritdoc IDealStatusOracle
    function cidKeyOf(bytes calldata cid) external pure returns (bytes32) {
        return _keyOf(cid);
    }

    /// @inheritdoc IDealStatusOracle
    function nextSeq() external view returns (uint64) {
        return _seq;
    }

    function _isFresh(Record memory r, uint64 maxAge) private view returns (bool) {
        if (r.status == Status.Ended || r.status == Status.Lost) return true;
        return r.epoch != 0 && Epochs.current() - r.epoch <= maxAge;
    }

    function _hashOf(DealRef memory ref) internal pure returns (bytes32) {
        bool isDeal = ref.miner == 0;
        if (isDeal ? ref.sector != 0 || ref.commitment != 0 : ref.dealId != 0) revert DealStatusOracle_BadRef();
        return keccak256(abi.encode(ref));
    }

    /// @dev A piece has one key whichever its CID; anything else that of its multihash.
    function _keyOf(bytes memory cid) private pure returns (bytes32) {
        (bool isPiece, bytes32 commitment) = _asPiece(cid);
        return isPiece ? _pieceKey(commitment) : CidHash.unwrap(Cids.hashOf(cid));
    }

    function _asPiece(bytes memory cid) private pure returns (bool isPiece, bytes32 commitment) {
        isPiece = (cid.length == PieceCid.V1_SIZE && bytes7(bytes32(cid)) == PieceCid.V1_HEAD)
            || bytes4(bytes32(cid)) == PieceCid.V2_HEAD;
        if (isPiece) (commitment,,) = PieceCid.read(cid);
    }

    function _pieceKey(bytes32 commitment) private pure returns (bytes32) {
        return keccak256(PieceCid.v1(commitment));
    }

    function _takeSeq() internal returns (uint64 seq) {
        seq = _seq;
        _seq = seq + 1;
    }

    // ---------------------------------------------------------------- requests

    /// @inheritdoc IAggregatorOracle
    function submit(bytes calldata cid) external returns (uint256 id) {
        id = _submit(cid);
    }

    /// @inheritdoc IAggregatorOracle
    function submitRaaS(
        bytes calldata cid,
        uint256 _replication_target,
        uint256 _repair_threshold,
        uint256 _renew_threshold
    ) external returns (uint256 id) {
        id = _submit(cid);
        emit SubmitAggregatorRequestWithRaaS(id, cid, _replication_target, _repair_threshold, _renew_threshold);
    }

    function _submit(bytes calldata cid) private returns (uint256 id) {
        bytes32 key = _keyOf(cid);
        id = ++requestCount;
        _cidOf[id] = key;
        emit SubmitAggregatorRequest(id, cid);
        emit ReplicasRequested(id, key, _takeSeq(), cid);
    }

    /// @inheritdoc IAggregatorOracle
    function complete(
        uint256 id,
        uint64 dealId,
        InclusionProof calldata proof,
        InclusionVerifierData calldata verifierData
    ) external returns (InclusionAuxData memory) {
        return _complete(id, dealId, proof, verifierData);
    }

    /// @inheritdoc IAggregatorOracle
    function complete(
        uint256 id,
        uint64 dealId,
        uint64 minerId,
        InclusionProof calldata proof,
        InclusionVerifierData calldata verifierData
    ) external returns (InclusionAuxData memory) {
        (int256 exit, uint64 actual) = MarketActor.dealProvider(dealId);
        if (exit != Exit.OK) revert DealStatusOracle_ActorRefused(exit);
        if (actual != minerId) revert DealStatusOracle_OtherMiner(minerId, actual);
        return _complete(id, dealId, proof, verifierData);
    }

    function _complete(
        uint256 id,
        uint64 dealId,
        InclusionProof calldata proof,
        InclusionVerifierData calldata verifierData
    ) private returns (InclusionAuxData memory) {
        bytes32 key = _cidOf[id];
        if (key == 0) revert DealStatusOracle_UnknownRequest(id);
        (bytes32 commitment, uint64 byCid,) = PieceCid.read(verifierData.commPc);
        if (byCid != 0 && byCid != verifierData.sizePc) {
            revert DealStatusOracle_SizeMismatch(byCid, verifierData.sizePc);
        }
        _requireBound(key, commitment);
        (bytes32 root, uint64 size) = _pieceOf(dealId);
        Podsi.requireIncluded(proof, commitment, verifierData.sizePc, root, size);
        _list(key, DealRef(dealId, 0, 0, 0));
        emit CompleteAggregatorRequest(id, dealId);
        return InclusionAuxData(PieceCid.v1(root), size);
    }

    /// @inheritdoc IDealStatusOracle
    function addReplica(bytes calldata cid, DealRef calldata ref) external {
        bytes32 key = _keyOf(cid);
        bytes32 commitment = ref.commitment;
        if (ref.miner == 0) (commitment,) = _pieceOf(ref.dealId);
        _requireBound(key, commitment);
        _list(key, ref);
    }

    /// @dev Lists what is published or stored now.
    function _list(bytes32 key, DealRef memory ref) private {
        bytes32 hash = _hashOf(ref);
        if (_listed[key][hash]) revert DealStatusOracle_AlreadyListed(hash);
        if (ref.miner != 0 && _records[hash].miner == 0) revert DealStatusOracle_NotProven(hash);
        Status status = ref.miner == 0 ? _refresh(ref, "") : _records[hash].status;
        if (status == Status.Ended || status == Status.Lost) revert DealStatusOracle_NotStored(status);
        _listed[key][hash] = true;
        _replicas[key].push(ref);
        emit ReplicaListed(key, hash, _takeSeq(), ref);
    }

    function _requireBound(bytes32 key, bytes32 commitment) private view {
        if (_pieceKey(commitment) != key && !_bound[key][commitment]) {
            revert DealStatusOracle_PieceNotBound(commitment);
        }
    }

    function _pieceOf(uint64 dealId) internal view returns (bytes32 commitment, uint64 size) {
        int256 exit;
        (exit, commitment, size) = MarketActor.dealPiece(dealId);
        if (exit != Exit.OK) revert DealStatusOracle_ActorRefused(exit);
    }

    // --------------------------------------------------------------- operators

    /// @inheritdoc IDealStatusOracle
    function attestPiece(bytes calldata cid, bytes calldata pieceCid) external {
        bytes32 key = _keyOf(cid);
        (bytes32 commitment,,) = PieceCid.read(pieceCid);
        if (!_vote(keccak256(abi.encode("piece", key, commitment)))) return;
        _bound[key][commitment] = true;
        emit PieceBound(key, commitment, _takeSeq());
    }

    /// @inheritdoc IDealStatusOracle
    function hint(DealRef calldata ref, Status status, uint64 epoch) external {
        bytes32 hash = _hashOf(ref);
        if (!_vote(keccak256(abi.encode("hint", hash, status, epoch)))) return;
        (_hints[hash], _hintEpochs[hash]) = (status, epoch);
        emit StatusHinted(hash, status, _takeSeq(), epoch);
    }

    /// @dev Counts an operator's word. Votes given under another configuration do not count.
    /// @return reached true for the vote with which there are enough, and for no other
    function _vote(bytes32 about) private returns (bool reached) {
        address[] memory operators = operatorSet.operators();
        uint256 i = 0;
        while (i < operators.length && operators[i] != msg.sender) ++i;
        if (i == operators.length) revert DealStatusOracle_NotAnOperator(msg.sender);
        bytes32 topic = keccak256(abi.encode(operatorSet.configDigest(), about));
        if (_voted[topic][msg.sender]) revert DealStatusOracle_AlreadyVoted(msg.sender);
        _voted[topic][msg.sender] = true;
        uint256 votes = ++_votes[topic];
        emit Voted(about, msg.sender, _takeSeq(), votes);
        return votes == operatorSet.threshold();
    }

    // ------------------------------------------------------------------- lists

    /// @inheritdoc IDealStatusOracle
    function replicasOf(bytes calldata cid, uint64 maxAge) external view returns (uint256 active, uint64 until) {
        DealRef[] storage list = _replicas[_keyOf(cid)];
        for (uint256 i = _newest(list.length); i < list.length; ++i) {
            Record memory r = _records[_hashOf(list[i])];
            if (r.status != Status.Active || r.end <= Epochs.current() || !_isFresh(r, maxAge)) continue;
            ++active;
            if (until == 0 || r.end < until) until = r.end;
        }
    }

    /// @inheritdoc IDealStatusOracle
    function replicasPage(bytes calldata cid, uint256 cursor, uint256 limit)
        external
        view
        returns (DealRef[] memory refs, uint256 next)
    {
        DealRef[] storage list = _replicas[_keyOf(cid)];
        uint256 to;
        (to, next) = _window(list.length, cursor, limit);
        refs = new DealRef[](to > cursor ? to - cursor : 0);
        for (uint256 i = 0; i < refs.length; ++i) {
            refs[i] = list[cursor + i];
        }
    }

    /// @inheritdoc IAggregatorOracle
    function getAllDeals(bytes calldata cid) external view returns (Deal[] memory) {
        return _newestDeals(cid, false, 0);
    }

    /// @inheritdoc IAggregatorOracle
    function getActiveDeals(bytes calldata cid) external view returns (Deal[] memory) {
        return _newestDeals(cid, true, type(uint64).max);
    }

    /// @inheritdoc IAggregatorOracle
    function getExpiringDeals(bytes calldata cid, uint64 epochs) external view returns (Deal[] memory) {
        return _newestDeals(cid, true, epochs);
    }

    /// @inheritdoc IDealStatusOracle
    function getAllDealsPage(bytes calldata cid, uint256 cursor, uint256 limit)
        external
        view
        returns (Deal[] memory deals, uint256 next)
    {
        return _page(cid, false, 0, cursor, limit);
    }

    /// @inheritdoc IDealStatusOracle
    function getActiveDealsPage(bytes calldata cid, uint256 cursor, uint256 limit)
        external
        view
        returns (Deal[] memory deals, uint256 next)
    {
        return _page(cid, true, type(uint64).max, cursor, limit);
    }

    /// @inheritdoc IDealStatusOracle
    function getExpiringDealsPage(bytes calldata cid, uint64 epochs, uint256 cursor, uint256 limit)
        external
        view
        returns (Deal[] memory deals, uint256 next)
    {
        return _page(cid, true, epochs, cursor, limit);
    }

    function _newestDeals(bytes calldata cid, bool active, uint64 within) private view returns (Deal[] memory) {
        DealRef[] storage list = _replicas[_keyOf(cid)];
        return _deals(list, active, within, _newest(list.length), list.length);
    }

    function _page(bytes calldata cid, bool active, uint64 within, uint256 cursor, uint256 limit)
        private
        view
        returns (Deal[] memory deals, uint256 next)
    {
        DealRef[] storage list = _replicas[_keyOf(cid)];
        uint256 to;
        (to, next) = _window(list.length, cursor, limit);
        deals = _deals(list, active, within, cursor, to);
    }

    /// @dev The deals of f05 from a place to another: all, or those active that end within so many epochs. No gaps.
    function _deals(DealRef[] storage list, bool active, uint64 within, uint256 from, uint256 to)
        private
        view
        returns (Deal[] memory deals)
    {
        deals = new Deal[](to > from ? to - from : 0);
        uint256 count = 0;
        for (uint256 i = from; i < to; ++i) {
            DealRef memory ref = list[i];
            if (ref.miner != 0) continue;
            if (active) {
                (bool live, uint64 end) = _live(ref.dealId);
                if (!live || end - Epochs.current() > within) continue;
            }
            deals[count++] = Deal(ref.dealId, _records[_hashOf(ref)].miner);
        }
        assembly ("memory-safe") {
            mstore(deals, count)
        }
    }

    function _newest(uint256 length) private pure returns (uint256) {
        return length > MOST ? length - MOST : 0;
    }

    function _window(uint256 length, uint256 cursor, uint256 limit) private pure returns (uint256 to, uint256 next) {
        if (cursor >= length) return (cursor, 0);
        to = limit < length - cursor ? cursor + limit : length;
        next = to < length ? to : 0;
    }
}
