// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IOperatorSet } from "../interfaces/IOperatorSet.sol";
import { Head } from "./Head.sol";
import { Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title OperatorSet
/// @notice Who may sign for the provider that inherits this: k of n, changed by the owner and only with a delay.
/// @dev A configuration is numbered, and its digest commits to chain, provider, number, operators and threshold, so
/// that a signature is worth nothing elsewhere or under another configuration. Two configurations may sign: the one
/// in force and, inside its drain window, the one before. Announcing again replaces what was announced; putting a third
/// configuration in force ends the drain of the first.
///
/// `_head` is the one slot that every event and every answer touches: it holds the event counter of the whole contract
/// and all that an answer has to know of configurations and prices.
abstract contract OperatorSet is IOperatorSet, Ownable2Step, EIP712, ReentrancyGuardTransient {
    struct Proposed {
        bytes32 digest;
        uint32 number; // 0 = nothing proposed
        uint40 activeAt;
        uint8 threshold;
        uint32 last; // the highest number ever given
    }

    uint256 public constant MAX_OPERATORS = 64;

    bytes32 internal constant ITEM_TYPEHASH =
        keccak256("ReportItem(bytes32 requestId,uint8 outcome,uint8 reason,bytes32 resultHash)");
    bytes32 internal constant BATCH_TYPEHASH = keccak256(
        "ReportBatch(bytes32 configDigest,ReportItem[] reports)ReportItem(bytes32 requestId,uint8 outcome,uint8 reason,bytes32 resultHash)"
    );

    uint40 internal immutable ACTIVATION_DELAY;
    uint40 internal immutable DRAIN_WINDOW;

    Head internal _head;
    Proposed private _proposed;
    bytes32 private _configDigest;
    mapping(uint32 number => address[]) private _operators;
    mapping(bytes32 digest => uint32) private _numberOf;
    /// @dev number << 8 | place, so that one read tells whether a signer belongs to a configuration, which and where.
    mapping(bytes32 digest => mapping(address operator => uint256)) private _members;

    constructor(uint40 activationDelay_, uint40 drainWindow_, address[] memory first, uint8 threshold_)
        EIP712("Tidegate", "1")
    {
        ACTIVATION_DELAY = activationDelay_;
        DRAIN_WINDOW = drainWindow_;
        _propose(first, threshold_, uint40(block.timestamp));
        _activate();
    }

    /// @inheritdoc IOperatorSet
    function proposeOperators(address[] calldata operators_, uint8 threshold_)
        external
        onlyOwner
        nonReentrant
        returns (bytes32)
    {
        return _propose(operators_, threshold_, uint40(block.timestamp) + ACTIVATION_DELAY);
    }

    /// @inheritdoc IOperatorSet
    function activateOperators() external nonReentrant {
        if (_proposed.number == 0) revert OperatorSet_NothingProposed();
        if (block.timestamp < _proposed.activeAt) revert OperatorSet_TooEarly(_proposed.activeAt);
        _activate();
    }

    /// @inheritdoc IOperatorSet
    function configDigest() external view returns (bytes32) {
        return _configDigest;
    }

    /// @inheritdoc IOperatorSet
    function operators() external view returns (address[] memory) {
        return _operators[_head.current()];
    }

    /// @inheritdoc IOperatorSet
    function threshold() external view returns (uint8) {
        return _head.threshold();
    }

    /// @notice The configuration that was announced and is not yet in force; zeros when there is none.
    function proposedOperators()
        external
        view
        returns (bytes32 digest, address[] memory operators_, uint8 threshold_, uint40 activeAt)
    {
        if (_proposed.number == 0) return (digest, operators_, threshold_, activeAt);
        return (_proposed.digest, _operators[_proposed.number], _proposed.threshold, _proposed.activeAt);
    }

    /// @notice Until when `digest` may sign: the end of time for the configuration in force, the end of the drain window
    /// for the one before, 0 for any other.
    function signsUntil(bytes32 digest) external view returns (uint40) {
        uint32 number = _numberOf[digest];
        if (number == 0) return 0;
        if (number == _head.current()) return type(uint40).max;
        return number == _head.previous() ? _head.drainUntil() : 0;
    }

    /// @dev The seq of the event that is about to be emitted.
    function _takeSeq() internal returns (uint64 seq) {
        Head head = _head;
        seq = head.seq();
        _head = head.withSeq(seq + 1);
    }

    /// @dev Checks that `signatures` are exactly k, by distinct operators of a configuration that may sign now, over the
    /// batch whose items hash to `itemsHash`.
    /// @return signers ascending
    /// @return bitmap one bit for the place of each signer in its configuration
    function _authorise(Head head, bytes32 digest, bytes32 itemsHash, bytes[] calldata signatures)
        internal
        view
        returns (address[] memory signers, uint256 bitmap)
    {
        bytes32 signed = _hashTypedDataV4(_hash3(BATCH_TYPEHASH, digest, itemsHash));
        uint256 count = signatures.length;
        if (count > MAX_OPERATORS) revert OperatorSet_TooManyOperators(count, MAX_OPERATORS);
        signers = new address[](count);
        uint256 number;
        address last;
        for (uint256 i = 0; i < count; ++i) {
            (address signer, uint256 member) = _signerOf(digest, signed, signatures[i]);
            if (signer <= last) revert OperatorSet_SignaturesUnsorted();
            last = signer;
            signers[i] = signer;
            bitmap |= 1 << (member & 0xff);
            number = member >> 8;
        }
        if (count == 0) number = _numberOf[digest];
        uint256 needed = _needed(head, digest, number);
        if (count != needed) revert OperatorSet_WrongSignatureCount(count, needed);
    }

    /// @dev Who signed, and its entry in `_members`.
    function _signerOf(bytes32 digest, bytes32 signed, bytes calldata signature)
        private
        view
        returns (address signer, uint256 member)
    {
        signer = _recover(signed, signature);
        member = _members[digest][signer];
        if (member == 0) {
            _needed(_head, digest, _numberOf[digest]);
            revert OperatorSet_NotAnOperator(signer);
        }
    }

    /// @dev How many must sign under configuration `number`, whose digest is `digest`; reverts when it may not sign now.
    function _needed(Head head, bytes32 digest, uint256 number) private view returns (uint256) {
        if (number == 0) revert OperatorSet_UnknownConfig(digest);
        if (number == head.current()) return head.threshold();
        if (number == head.previous() && block.timestamp <= head.drainUntil()) return head.previousThreshold();
        revert OperatorSet_UnknownConfig(digest);
    }

    /// @dev The signer of a signature r | s | v of 65 bytes, or 0: for another length, an s in the upper half (the second
    /// form that every signature has), a v other than 27 or 28, and what recovers to nobody. 0 is never an operator.
    function _recover(bytes32 signed, bytes calldata signature) private view returns (address signer) {
        if (signature.length != 65) return address(0);
        assembly ("memory-safe") {
            let p := mload(0x40)
            let s := calldataload(add(signature.offset, 0x20))
            mstore(p, signed)
            mstore(add(p, 0x20), byte(0, calldataload(add(signature.offset, 0x40))))
            mstore(add(p, 0x40), calldataload(signature.offset))
            mstore(add(p, 0x60), s)
            if iszero(gt(s, 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0)) {
                mstore(0, 0)
                pop(staticcall(gas(), 1, p, 0x80, 0, 0x20))
                signer := mload(0)
            }
        }
    }

    function _hash3(bytes32 a, bytes32 b, bytes32 c) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, a)
            mstore(add(p, 0x20), b)
            mstore(add(p, 0x40), c)
            hash := keccak256(p, 0x60)
        }
    }

    function _propose(address[] memory list, uint8 threshold_, uint40 activeAt) private returns (bytes32 digest) {
        uint256 count = list.length;
        if (count > MAX_OPERATORS) revert OperatorSet_TooManyOperators(count, MAX_OPERATORS);
        if (threshold_ == 0 || threshold_ > count) revert OperatorSet_BadThreshold(threshold_, count);

        uint32 number = ++_proposed.last;
        digest = keccak256(abi.encode(block.chainid, address(this), number, list, threshold_));
        address last;
        for (uint256 i = 0; i < count; ++i) {
            address operator = list[i];
            if (operator == address(0)) revert OperatorSet_ZeroOperator();
            if (operator <= last) revert OperatorSet_OperatorsUnsorted();
            last = operator;
            _members[digest][operator] = uint256(number) << 8 | i;
        }
        _operators[number] = list;
        _numberOf[digest] = number;
        _proposed.digest = digest;
        _proposed.number = number;
        _proposed.activeAt = activeAt;
        _proposed.threshold = threshold_;
        emit OperatorsProposed(digest, _takeSeq(), list, threshold_, activeAt);
    }

    function _activate() private {
        Head head = _head;
        bytes32 before = _configDigest;
        bytes32 digest = _proposed.digest;
        uint40 drainUntil = before == 0 ? 0 : uint40(block.timestamp) + DRAIN_WINDOW;
        uint64 seq = head.seq();
        _head = head.withConfiguration(_proposed.number, _proposed.threshold, drainUntil).withSeq(seq + 1);
        _configDigest = digest;
        _proposed.number = 0;
        emit OperatorsActivated(digest, seq, before, drainUntil);
    }
}
