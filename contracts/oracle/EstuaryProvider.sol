// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { ProviderConfig } from "../interfaces/IEstuaryProvider.sol";
import {
    Actions,
    IExecutionProvider,
    Outcomes,
    Reasons,
    Report,
    RequestOptions,
    Terms
} from "../interfaces/IExecutionProvider.sol";
import { IOracleConsumer } from "../interfaces/IOracleConsumer.sol";
import { OperatorSet } from "./OperatorSet.sol";
import { Tariff } from "./Tariff.sol";
import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title EstuaryProvider
/// @notice Takes requests for off-chain work with their fee, and answers that k operators signed.
/// @dev What is stored of a request is one slot under its id, and the id is the hash of its terms, which come back in
/// calldata. The slot is `state | detail << 8`; the detail is the time at which a cancellation takes effect, or the commitment
/// to an answer whose callback failed.
///
/// None → Open → Answered | CallbackFailed | Refunded; Open → Cancelling → the same three; CallbackFailed → Answered.
/// Each arrow into Answered, CallbackFailed (from Open or Cancelling) or Refunded moves the whole fee into credits, so that
/// balance ≥ Σ fees of Open and Cancelling + Σ credits. Money leaves by `withdraw` alone.
///
/// Every entry point that changes anything is guarded against reentrancy: a callback can change nothing here, and a view that it
/// calls shows `nextSeq` and the credits of signers as they were before the batch. The owner prices and pauses the
/// intake and announces operators; it can reach neither fees nor credits nor answers.
contract EstuaryProvider is Tariff {
    /// @dev What is gathered while a batch is applied.
    struct Batch {
        uint64 seq;
        uint256 signers;
        uint256 earned;
        uint256 bytesIn; // calldata of the reports, canonically encoded
    }

    uint256 public constant MAX_PAYLOAD = 4096;
    uint256 public constant MAX_CONTEXT = 1024;
    uint256 public constant MAX_RESULT = 1024;
    uint256 private constant MAX_RETURNED = 256;
    /// @dev Bytes of the canonical encoding of a fulfil call besides reports' own and signatures.
    uint256 private constant CALL_BYTES = 4 + 5 * 32;
    /// @dev The same for one report besides its result and context: offset, terms, outcome, reason, two offsets, two lengths.
    uint256 private constant REPORT_BYTES = 18 * 32;
    uint256 private constant SIGNATURE_BYTES = 5 * 32;

    mapping(bytes32 requestId => uint256) private _requests;
    mapping(address account => uint256) private _credits;

    constructor(
        ProviderConfig memory config_,
        address owner_,
        address[] memory operators_,
        uint8 threshold_,
        uint64 gasPriceCap_
    )
        Ownable(owner_)
        OperatorSet(config_.activationDelay, config_.drainWindow, operators_, threshold_)
        Tariff(config_, gasPriceCap_)
    { }

    // ------------------------------------------------------------- consumers

    /// @inheritdoc IExecutionProvider
    /// @dev A consumer without code must ask with `callbackGas = 0`: a promised callback that finds no code is kept as failed.
    function request(
        uint16 action,
        uint64 maxBytes,
        uint40 expiry,
        bytes calldata payload,
        bytes calldata context,
        RequestOptions calldata options
    ) external payable nonReentrant returns (bytes32 requestId) {
        Head memory head = _head;
        if (head.paused) revert EstuaryProvider_IntakePaused();
        _checkRequest(action, maxBytes, expiry, payload, context, options);

        Terms memory terms;
        (terms.fee, terms.attemptFee) = _quote(action, maxBytes, expiry, options.callbackGas, head.gasPriceCap);
        if (msg.value < terms.fee) revert EstuaryProvider_Underpaid(msg.value, terms.fee);
        terms.seq = head.seq++;
        terms.consumer = msg.sender;
        terms.action = action;
        terms.callbackGas = options.callbackGas;
        terms.deadline = options.deadline;
        terms.attemptUntil = uint40(block.timestamp) + minAttempt;
        terms.refundTo = options.refundTo;
        terms.payloadHash = keccak256(payload);
        terms.contextHash = keccak256(context);

        requestId = keccak256(abi.encode(block.chainid, address(this), terms));
        _requests[requestId] = uint256(RequestState.Open);
        emit OracleRequested(requestId, msg.sender, action, terms, payload, context);

        uint256 surplus = msg.value - terms.fee;
        if (surplus != 0) {
            _credits[options.refundTo] += surplus;
            emit SurplusCredited(requestId, head.seq++, options.refundTo, surplus);
        }
        _head.seq = head.seq;
    }

    /// @inheritdoc IExecutionProvider
    function cancel(Terms calldata terms) external nonReentrant {
        if (msg.sender != terms.consumer) revert EstuaryProvider_NotConsumer(msg.sender);
        bytes32 requestId = _idOf(terms);
        if (_stateOf(_requests[requestId]) != RequestState.Open) revert EstuaryProvider_NotOpen(requestId);
        uint40 effectiveAt = uint40(block.timestamp) + cancelDelay;
        _requests[requestId] = uint256(RequestState.Cancelling) | uint256(effectiveAt) << 8;
        emit CancelRequested(requestId, _takeSeq(), effectiveAt);
    }

    /// @inheritdoc IExecutionProvider
    function refund(Terms calldata terms) external nonReentrant returns (uint96 amount) {
        bytes32 requestId = _idOf(terms);
        uint256 slot = _requests[requestId];
        RequestState state = _stateOf(slot);
        if (state != RequestState.Open && state != RequestState.Cancelling) revert EstuaryProvider_NotOpen(requestId);

        uint40 from = terms.deadline + 1;
        bool cancelled = state == RequestState.Cancelling && uint40(slot >> 8) < from;
        if (cancelled) from = uint40(slot >> 8);
        if (block.timestamp < from) revert EstuaryProvider_NotRefundable(requestId, from);

        amount = terms.fee;
        _requests[requestId] = uint256(RequestState.Refunded);
        _credits[terms.refundTo] += amount;
        emit OracleRefunded(requestId, _takeSeq(), terms.refundTo, amount, cancelled);
    }

    /// @inheritdoc IExecutionProvider
    function withdraw(address payable to) external nonReentrant returns (uint256 amount) {
        amount = _credits[msg.sender];
        if (amount == 0) revert EstuaryProvider_NothingToWithdraw(msg.sender);
        if (to == address(0)) revert EstuaryProvider_TransferFailed(to);
        _credits[msg.sender] = 0;
        emit Withdrawn(msg.sender, _takeSeq(), to, amount);
        (bool sent,) = _boundedCall(to, gasleft(), amount, "");
        if (!sent) revert EstuaryProvider_TransferFailed(to);
    }

    // ------------------------------------------------------------- operators

    /// @inheritdoc IExecutionProvider
    /// @dev The context of a report is not signed: it is checked against the terms, which are. A report with another
    /// context, or terms that nobody signed, changes nothing.
    function fulfill(bytes32 configDigest_, Report[] calldata reports, bytes[] calldata signatures)
        external
        nonReentrant
        returns (uint256 applied)
    {
        uint256 gasAtStart = gasleft();
        if (reports.length == 0) revert EstuaryProvider_EmptyBatch();
        Head memory head = _head;
        (bytes32[] memory ids, bytes32[] memory resultHashes, bytes32 itemsHash) = _hashReports(reports);
        (address[] memory signers, uint256 bitmap) = _authorise(head, configDigest_, itemsHash, signatures);

        Batch memory batch;
        batch.seq = head.seq;
        batch.signers = bitmap;
        for (uint256 i = 0; i < ids.length; ++i) {
            if (_answer(reports[i], ids[i], resultHashes[i], batch)) ++applied;
        }
        if (batch.earned != 0) {
            uint256 gasUsed = gasAtStart - gasleft() + BASE_GAS
                + (CALL_BYTES + SIGNATURE_BYTES * signers.length + batch.bytesIn) * BYTE_GAS;
            _payOut(batch, signers, gasUsed * Math.min(tx.gasprice, head.gasPriceCap));
        }
        _head.seq = batch.seq;
    }

    /// @inheritdoc IExecutionProvider
    function retryCallback(Report calldata report) external nonReentrant {
        Terms calldata terms = report.terms;
        bytes32 requestId = _idOf(terms);
        uint256 kept = _commitment(
            requestId, report.outcome, report.reason, keccak256(report.result), keccak256(report.context)
        );
        if (_requests[requestId] != kept) revert EstuaryProvider_NoKeptCallback(requestId);
        _requests[requestId] = uint256(RequestState.Answered);
        emit CallbackRetried(requestId, _takeSeq());

        address consumer = terms.consumer;
        if (consumer.code.length == 0) revert EstuaryProvider_CallbackReverted("");
        bytes memory call = _callbackData(requestId, report);
        _requireGas(terms.callbackGas);
        (bool ok, bytes memory returned) = _boundedCall(consumer, gasleft(), 0, call);
        if (!ok) revert EstuaryProvider_CallbackReverted(returned);
    }

    // ----------------------------------------------------------------- views

    /// @inheritdoc IExecutionProvider
    function creditOf(address account) external view returns (uint256) {
        return _credits[account];
    }

    /// @inheritdoc IExecutionProvider
    function stateOf(bytes32 requestId) external view returns (RequestState) {
        return _stateOf(_requests[requestId]);
    }

    /// @inheritdoc IExecutionProvider
    function idOf(Terms calldata terms) external view returns (bytes32) {
        return _idOf(terms);
    }

    /// @inheritdoc IExecutionProvider
    function nextSeq() external view returns (uint64) {
        return _head.seq;
    }

    // -------------------------------------------------------- intake, inside

    function _checkRequest(
        uint16 action,
        uint64 maxBytes,
        uint40 expiry,
        bytes calldata payload,
        bytes calldata context,
        RequestOptions calldata options
    ) private view {
        if (payload.length > MAX_PAYLOAD) {
            revert EstuaryProvider_PayloadTooLarge(payload.length, MAX_PAYLOAD);
        }
        if (context.length > MAX_CONTEXT) revert EstuaryProvider_ContextTooLarge(context.length, MAX_CONTEXT);
        if (options.callbackGas > maxCallbackGas) {
            revert EstuaryProvider_CallbackGasTooHigh(options.callbackGas, maxCallbackGas);
        }
        if (options.refundTo == address(0)) revert EstuaryProvider_ZeroRefundTo();
        uint40 earliest = uint40(block.timestamp) + minDeadline;
        if (options.deadline < earliest) revert EstuaryProvider_DeadlineTooNear(options.deadline, earliest);
        uint40 latest = uint40(block.timestamp) + MAX_DEADLINE;
        if (options.deadline > latest) revert EstuaryProvider_DeadlineTooFar(options.deadline, latest);
        if (action == Actions.PIN) {
            // The head of abi.encode(PinPayload): offset, cid, requester, maxBytes, expiry. What is asked is what is priced.
            if (
                payload.length < 224 || uint256(bytes32(payload[:32])) != 32
                    || uint256(bytes32(payload[96:128])) != maxBytes || uint256(bytes32(payload[128:160])) != expiry
            ) revert EstuaryProvider_PayloadMismatch();
        }
    }

    // ------------------------------------------------------- answers, inside

    function _hashReports(Report[] calldata reports)
        private
        view
        returns (bytes32[] memory ids, bytes32[] memory resultHashes, bytes32 itemsHash)
    {
        uint256 count = reports.length;
        ids = new bytes32[](count);
        resultHashes = new bytes32[](count);
        bytes32[] memory items = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            Report calldata report = reports[i];
            ids[i] = _idOf(report.terms);
            resultHashes[i] = keccak256(report.result);
            items[i] = keccak256(abi.encode(ITEM_TYPEHASH, ids[i], report.outcome, report.reason, resultHashes[i]));
        }
        itemsHash = keccak256(abi.encodePacked(items));
    }

    /// @dev Applies one report of a signed batch, or skips it with an event. Reverts only for want of gas.
    function _answer(Report calldata report, bytes32 requestId, bytes32 resultHash, Batch memory batch)
        private
        returns (bool)
    {
        Terms calldata terms = report.terms;
        Skip why = _whySkip(report, requestId);
        if (why != Skip.None) {
            emit ReportSkipped(requestId, batch.seq++, why);
            return false;
        }
        _requests[requestId] = uint256(RequestState.Answered);
        emit OracleAnswered(requestId, batch.seq++, report.outcome, report.reason, resultHash, batch.signers);

        batch.bytesIn += REPORT_BYTES + ((report.result.length + 31) & ~uint256(31))
            + ((report.context.length + 31) & ~uint256(31));
        if (report.outcome == Outcomes.SUCCEEDED) {
            batch.earned += terms.fee;
        } else {
            batch.earned += terms.attemptFee;
            uint256 rest = terms.fee - terms.attemptFee;
            if (rest != 0) _credits[terms.refundTo] += rest;
        }
        if (terms.callbackGas != 0) _callBack(report, requestId, resultHash, batch);
        return true;
    }

    function _whySkip(Report calldata report, bytes32 requestId) private view returns (Skip) {
        Terms calldata terms = report.terms;
        uint256 slot = _requests[requestId];
        RequestState state = _stateOf(slot);
        if (state == RequestState.None) return Skip.Unknown;
        if (state == RequestState.Cancelling) {
            if (block.timestamp >= slot >> 8) return Skip.Closed;
        } else if (state != RequestState.Open) {
            return Skip.Closed;
        }
        if (block.timestamp > terms.deadline) return Skip.PastDeadline;
        if (keccak256(report.context) != terms.contextHash) return Skip.BadReport;
        uint8 reason = report.reason;
        if (report.outcome == Outcomes.SUCCEEDED) {
            if (reason != Reasons.NONE || report.result.length > MAX_RESULT) return Skip.BadReport;
        } else {
            if (
                report.outcome != Outcomes.FAILED || reason == Reasons.NONE || reason > Reasons.UNREACHABLE
                    || report.result.length != 0
            ) return Skip.BadReport;
            if (reason != Reasons.INVALID_CONTENT && block.timestamp < terms.attemptUntil) return Skip.TooEarly;
        }
        return Skip.None;
    }

    /// @dev The request is closed already. A consumer without code has not been told anything, so it counts as failed too.
    function _callBack(Report calldata report, bytes32 requestId, bytes32 resultHash, Batch memory batch) private {
        address consumer = report.terms.consumer;
        bool ok;
        bytes memory returned;
        if (consumer.code.length != 0) {
            bytes memory call = _callbackData(requestId, report);
            uint256 promised = report.terms.callbackGas;
            _requireGas(promised);
            (ok, returned) = _boundedCall(consumer, promised, 0, call);
        }
        if (ok) return;
        _requests[requestId] =
            _commitment(requestId, report.outcome, report.reason, resultHash, report.terms.contextHash);
        emit CallbackFailed(requestId, batch.seq++, returned);
    }

    /// @dev Of what a batch earned, the sender first gets its gas back, at most all; the signers share the rest.
    function _payOut(Batch memory batch, address[] memory signers, uint256 gasCost) private {
        uint256 toSender = Math.min(batch.earned, gasCost);
        uint256 toSigners = batch.earned - toSender;
        if (toSender != 0) _credits[msg.sender] += toSender;
        if (toSigners != 0) {
            uint256 share = toSigners / signers.length;
            _credits[signers[0]] += toSigners - share * (signers.length - 1);
            for (uint256 i = 1; i < signers.length; ++i) {
                _credits[signers[i]] += share;
            }
        }
        emit FeesEarned(msg.sender, batch.seq++, toSender, toSigners, batch.signers);
    }

    /// @dev A call passes on at most 63/64 of what is left, so with less than this the callee would get less than it was promised.
    function _requireGas(uint256 promised) private view {
        uint256 needed = promised + promised / 63 + 1 + CALL_OVERHEAD;
        if (gasleft() < needed) revert EstuaryProvider_GasTooLow(gasleft(), needed);
    }

    /// @dev Copies at most MAX_RETURNED bytes of what comes back, however much it is.
    function _boundedCall(address to, uint256 gasLimit, uint256 value, bytes memory data)
        private
        returns (bool ok, bytes memory returned)
    {
        uint256 most = MAX_RETURNED;
        assembly ("memory-safe") {
            ok := call(gasLimit, to, value, add(data, 0x20), mload(data), 0, 0)
            if iszero(ok) {
                let size := returndatasize()
                if gt(size, most) { size := most }
                returned := mload(0x40)
                mstore(returned, size)
                returndatacopy(add(returned, 0x20), 0, size)
                mstore(0x40, and(add(add(returned, size), 0x3f), not(0x1f)))
            }
        }
    }

    function _callbackData(bytes32 requestId, Report calldata report) private pure returns (bytes memory) {
        return abi.encodeCall(
            IOracleConsumer.onOracleResult, (requestId, report.context, report.outcome, report.reason, report.result)
        );
    }

    // ----------------------------------------------------------- small parts

    function _idOf(Terms calldata terms) private view returns (bytes32 requestId) {
        // keccak256(abi.encode(block.chainid, address(this), terms)): the terms are static, so they lie in calldata as encoded.
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, chainid())
            mstore(add(p, 0x20), address())
            calldatacopy(add(p, 0x40), terms, 0x160)
            requestId := keccak256(p, 0x1a0)
        }
    }

    /// @dev The slot of a request whose callback failed: the state and 31 bytes of the hash of the answer.
    function _commitment(bytes32 requestId, uint8 outcome, uint8 reason, bytes32 resultHash, bytes32 contextHash)
        private
        pure
        returns (uint256)
    {
        bytes32 hash = keccak256(abi.encode(requestId, outcome, reason, resultHash, contextHash));
        return (uint256(hash) << 8) | uint256(RequestState.CallbackFailed);
    }

    function _stateOf(uint256 slot) private pure returns (RequestState) {
        return RequestState(uint8(slot));
    }
}
