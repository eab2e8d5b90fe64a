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
import { Head } from "./Head.sol";
import { OperatorSet } from "./OperatorSet.sol";
import { Reports } from "./Reports.sol";
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
    using Reports for Report;
    using Reports for Report[];
    using Reports for Terms;
    using Reports for bytes;

    /// @dev What is gathered while a batch is applied.
    struct Batch {
        uint64 seq;
        uint256 signers;
        uint256 earned;
        uint256 bytesIn; // calldata of the applied reports, whatever else the sender attached
    }

    uint256 public constant MAX_PAYLOAD = 4096;
    uint256 public constant MAX_CONTEXT = 1024;
    uint256 public constant MAX_RESULT = 1024;
    uint256 private constant MAX_RETURNED = 256;
    /// @dev Bytes of a fulfil call besides its reports and signatures.
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
        Head head = _head;
        if (head.paused()) revert EstuaryProvider_IntakePaused();
        uint64 seq = head.seq();
        Terms memory terms;
        terms.seq = seq++;
        terms.consumer = msg.sender;
        terms.action = action;
        terms.callbackGas = options.callbackGas;
        terms.deadline = options.deadline;
        terms.attemptUntil = uint40(block.timestamp) + minAttempt;
        terms.refundTo = options.refundTo;
        _checkTerms(terms);
        if (action == Actions.PIN) _checkPin(payload, maxBytes, expiry);
        if (context.length > MAX_CONTEXT) revert EstuaryProvider_ContextTooLarge(context.length, MAX_CONTEXT);
        if (payload.length > MAX_PAYLOAD) revert EstuaryProvider_PayloadTooLarge(payload.length, MAX_PAYLOAD);

        (uint96 fee, uint96 attemptFee) = _quote(action, maxBytes, expiry, terms.callbackGas, head.gasPriceCap());
        if (msg.value < fee) revert EstuaryProvider_Underpaid(msg.value, fee);
        (terms.fee, terms.attemptFee) = (fee, attemptFee);
        requestId = _announce(terms, payload, context);
        _requests[requestId] = uint256(RequestState.Open);
        if (msg.value != fee) {
            _credits[terms.refundTo] += msg.value - fee;
            emit SurplusCredited(requestId, seq++, terms.refundTo, msg.value - fee);
        }
        _head = head.withSeq(seq);
    }

    /// @inheritdoc IExecutionProvider
    function cancel(Terms calldata terms) external nonReentrant {
        if (msg.sender != terms.consumer) revert EstuaryProvider_NotConsumer(msg.sender);
        bytes32 requestId = terms.idOf();
        if (_stateOf(_requests[requestId]) != RequestState.Open) revert EstuaryProvider_NotOpen(requestId);
        uint40 effectiveAt = uint40(block.timestamp) + cancelDelay;
        _requests[requestId] = uint256(RequestState.Cancelling) | uint256(effectiveAt) << 8;
        emit CancelRequested(requestId, _takeSeq(), effectiveAt);
    }

    /// @inheritdoc IExecutionProvider
    function refund(Terms calldata terms) external nonReentrant returns (uint96 amount) {
        bytes32 requestId = terms.idOf();
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
        (bool sent,) = _boundedCall(to, type(uint256).max, amount, 0, 0);
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
        Head head = _head;
        (address[] memory signers, uint256 bitmap) =
            _authorise(head, configDigest_, reports.itemsHash(ITEM_TYPEHASH), signatures);

        Batch memory batch;
        batch.seq = head.seq();
        batch.signers = bitmap;
        unchecked {
            for (uint256 i = 0; i < reports.length; ++i) {
                if (_answer(reports.at(i), batch)) ++applied;
            }
            if (batch.earned != 0) {
                // Sizes are of what was read, so calldata that costs nothing to attach earns nothing.
                uint256 size = CALL_BYTES + SIGNATURE_BYTES * signers.length + batch.bytesIn;
                uint256 gasUsed = gasAtStart - gasleft() + BASE_GAS + size * BYTE_GAS;
                _payOut(batch, signers, gasUsed * Math.min(tx.gasprice, head.gasPriceCap()));
            }
        }
        _head = head.withSeq(batch.seq);
    }

    /// @inheritdoc IExecutionProvider
    function retryCallback(Report calldata report) external nonReentrant {
        Terms calldata terms = report.terms;
        bytes32 requestId = terms.idOf();
        uint256 kept = _keptSlot(report, requestId, report.resultOf().hashOf());
        if (_requests[requestId] != kept) revert EstuaryProvider_NoKeptCallback(requestId);
        _requests[requestId] = uint256(RequestState.Answered);
        emit CallbackRetried(requestId, _takeSeq());

        address consumer = terms.consumer;
        if (consumer.code.length == 0) revert EstuaryProvider_CallbackReverted("");
        (bool ok, bytes memory returned) = _callConsumer(report, requestId, terms.callbackGas, type(uint256).max);
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
        return terms.idOf();
    }

    /// @inheritdoc IExecutionProvider
    function nextSeq() external view returns (uint64) {
        return _head.seq();
    }

    // -------------------------------------------------------- intake, inside

    function _checkTerms(Terms memory terms) private view {
        if (terms.callbackGas > maxCallbackGas) {
            revert EstuaryProvider_CallbackGasTooHigh(terms.callbackGas, maxCallbackGas);
        }
        if (terms.refundTo == address(0)) revert EstuaryProvider_ZeroRefundTo();
        uint40 earliest = uint40(block.timestamp) + minDeadline;
        if (terms.deadline < earliest) revert EstuaryProvider_DeadlineTooNear(terms.deadline, earliest);
        uint40 latest = uint40(block.timestamp) + MAX_DEADLINE;
        if (terms.deadline > latest) revert EstuaryProvider_DeadlineTooFar(terms.deadline, latest);
    }

    /// @dev What is asked is what is priced: the head of abi.encode(PinPayload) is offset, cid, requester, maxBytes, expiry.
    function _checkPin(bytes calldata payload, uint64 maxBytes, uint40 expiry) private pure {
        bool matches = payload.length >= 224;
        assembly ("memory-safe") {
            let at := payload.offset
            matches := and(matches, eq(calldataload(at), 0x20))
            matches := and(matches, eq(calldataload(add(at, 0x60)), maxBytes))
            matches := and(matches, eq(calldataload(add(at, 0x80)), expiry))
        }
        if (!matches) revert EstuaryProvider_PayloadMismatch();
    }

    /// @dev Completes the terms with the hashes of payload and context, and emits
    /// OracleRequested(requestId, terms.consumer, terms.action, terms, payload, context).
    /// @return requestId keccak256(abi.encode(block.chainid, address(this), terms)), as `idOf`
    function _announce(Terms memory terms, bytes calldata payload, bytes calldata context)
        private
        returns (bytes32 requestId)
    {
        bytes32 topic = OracleRequested.selector;
        assembly ("memory-safe") {
            // Lays length and bytes out in whole words; gives the hash of the bytes and the end.
            function tail(to, offset, length) -> hash, end {
                end := add(add(to, 0x20), and(add(length, 0x1f), not(0x1f)))
                mstore(sub(end, 0x20), 0)
                mstore(to, length)
                calldatacopy(add(to, 0x20), offset, length)
                hash := keccak256(add(to, 0x20), length)
            }
            // chain id | provider | terms | offset of payload | offset of context | payload | context: what is hashed ends with
            // the terms, what is logged begins with them.
            let hashed := mload(0x40)
            let logged := add(hashed, 0x40)
            let hash, end := tail(add(logged, 0x1a0), payload.offset, payload.length)
            mstore(add(terms, 0x120), hash)
            mstore(add(logged, 0x160), 0x1a0)
            mstore(add(logged, 0x180), sub(end, logged))
            hash, end := tail(end, context.offset, context.length)
            mstore(add(terms, 0x140), hash)
            mcopy(logged, terms, 0x160)
            mstore(hashed, chainid())
            mstore(add(hashed, 0x20), address())
            requestId := keccak256(hashed, 0x1a0)
            log4(logged, sub(end, logged), topic, requestId, mload(add(terms, 0x20)), mload(add(terms, 0x40)))
        }
    }

    // ------------------------------------------------------- answers, inside

    /// @dev Applies one report of a signed batch, or skips it with an event. Reverts only for want of gas.
    function _answer(Report calldata report, Batch memory batch) private returns (bool) {
        bytes32 requestId = report.terms.idOf();
        Skip why = _whySkip(report, requestId);
        if (why != Skip.None) {
            emit ReportSkipped(requestId, batch.seq++, why);
            return false;
        }
        _requests[requestId] = uint256(RequestState.Answered);
        bytes32 resultHash = report.resultOf().hashOf();
        uint8 outcome = uint8(report.outcomeOf());
        unchecked {
            emit OracleAnswered(requestId, batch.seq++, outcome, uint8(report.reasonOf()), resultHash, batch.signers);

            // Sums of fees that were all paid in.
            Terms calldata terms = report.terms;
            if (outcome == Outcomes.SUCCEEDED) {
                batch.earned += terms.fee;
            } else {
                uint256 attemptFee = terms.attemptFee;
                batch.earned += attemptFee;
                uint256 rest = terms.fee - attemptFee;
                if (rest != 0) _credits[terms.refundTo] += rest;
            }
            batch.bytesIn += REPORT_BYTES + report.resultOf().length + report.contextOf().length;
            if (terms.callbackGas != 0) _callBack(report, requestId, resultHash, batch);
        }
        return true;
    }

    function _whySkip(Report calldata report, bytes32 requestId) private view returns (Skip) {
        uint256 slot = _requests[requestId];
        RequestState state = _stateOf(slot);
        if (state != RequestState.Open) {
            if (state == RequestState.None) return Skip.Unknown;
            if (state != RequestState.Cancelling || block.timestamp >= slot >> 8) return Skip.Closed;
        }
        Terms calldata terms = report.terms;
        if (block.timestamp > terms.deadline) return Skip.PastDeadline;
        if (report.contextOf().hashOf() != terms.contextHash) return Skip.BadReport;
        uint256 reason = report.reasonOf();
        uint256 outcome = report.outcomeOf();
        uint256 size = report.resultOf().length;
        if (outcome == Outcomes.SUCCEEDED) {
            return reason != Reasons.NONE || size > MAX_RESULT ? Skip.BadReport : Skip.None;
        }
        if (outcome != Outcomes.FAILED || reason == Reasons.NONE || reason > Reasons.UNREACHABLE || size != 0) {
            return Skip.BadReport;
        }
        if (reason != Reasons.INVALID_CONTENT && block.timestamp < terms.attemptUntil) return Skip.TooEarly;
        return Skip.None;
    }

    /// @dev The request is closed already. A consumer without code has not been told anything, so it counts as failed too.
    function _callBack(Report calldata report, bytes32 requestId, bytes32 resultHash, Batch memory batch) private {
        Terms calldata terms = report.terms;
        bool ok;
        bytes memory returned;
        if (terms.consumer.code.length != 0) {
            uint256 promised = terms.callbackGas;
            (ok, returned) = _callConsumer(report, requestId, promised, promised);
        }
        if (ok) return;
        _requests[requestId] = _keptSlot(report, requestId, resultHash);
        emit CallbackFailed(requestId, batch.seq++, returned);
    }

    /// @dev Of what a batch earned, the sender first gets its gas back, at most all; the signers share the rest.
    function _payOut(Batch memory batch, address[] memory signers, uint256 gasCost) private {
        unchecked {
            uint256 toSender = Math.min(batch.earned, gasCost);
            uint256 toSigners = batch.earned - toSender;
            // Credits are sums of what was paid in.
            if (toSender != 0) _credits[msg.sender] += toSender;
            if (toSigners != 0) {
                uint256 count = signers.length;
                uint256 share = toSigners / count;
                _credits[signers[0]] += toSigners - share * (count - 1);
                for (uint256 i = 1; i < count; ++i) {
                    _credits[signers[i]] += share;
                }
            }
            emit FeesEarned(msg.sender, batch.seq++, toSender, toSigners);
        }
    }

    /// @dev Calls the consumer back. A call passes on at most 63/64 of what is left, so with less left than is checked here
    /// the consumer would get less than it was promised.
    function _callConsumer(Report calldata report, bytes32 requestId, uint256 promised, uint256 gasLimit)
        private
        returns (bool ok, bytes memory returned)
    {
        (uint256 from, uint256 size) = report.callback(requestId, IOracleConsumer.onOracleResult.selector);
        uint256 needed = promised + promised / 63 + 1 + CALL_OVERHEAD;
        if (gasleft() < needed) {
            _runOutOfGas();
            revert EstuaryProvider_GasTooLow(gasleft(), needed);
        }
        return _boundedCall(report.terms.consumer, gasLimit, 0, from, size);
    }

    /// @dev Makes a call that runs out of gas at once. Filecoin's nodes take a revert for the last word of an estimate; only
    /// where a call inside ran out of gas do they look for a limit that suffices (Lotus, `ethGasSearch`).
    function _runOutOfGas() private view {
        assembly ("memory-safe") {
            pop(staticcall(1, address(), 0, 0, 0, 0))
        }
    }

    /// @dev Copies at most MAX_RETURNED bytes of what comes back from a call that fails, however much it is.
    function _boundedCall(address to, uint256 gasLimit, uint256 value, uint256 from, uint256 size)
        private
        returns (bool ok, bytes memory returned)
    {
        uint256 most = MAX_RETURNED;
        assembly ("memory-safe") {
            ok := call(gasLimit, to, value, from, size, 0, 0)
            if iszero(ok) {
                let count := returndatasize()
                if gt(count, most) { count := most }
                returned := mload(0x40)
                mstore(returned, count)
                returndatacopy(add(returned, 0x20), 0, count)
                mstore(0x40, and(add(add(returned, count), 0x3f), not(0x1f)))
            }
        }
    }

    /// @dev What the slot of a request holds while its callback is kept: the state and 31 bytes of the hash of the answer.
    function _keptSlot(Report calldata report, bytes32 requestId, bytes32 resultHash) private pure returns (uint256) {
        bytes32 hash = Reports.hash5(
            requestId, bytes32(report.outcomeOf()), report.reasonOf(), uint256(resultHash), report.contextOf().hashOf()
        );
        return (uint256(hash) << 8) | uint256(RequestState.CallbackFailed);
    }

    function _stateOf(uint256 slot) private pure returns (RequestState) {
        return RequestState(uint8(slot));
    }
}
