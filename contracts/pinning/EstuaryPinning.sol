// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IDealDesk } from "../interfaces/IDealDesk.sol";
import { CidHash, IEstuaryPinning, PinOptions } from "../interfaces/IEstuaryPinning.sol";
import {
    Actions,
    IExecutionProvider,
    Outcomes,
    PinPayload,
    Reasons,
    RequestOptions,
    Terms,
    UnpinPayload
} from "../interfaces/IExecutionProvider.sol";
import { DealTerms, IPerpetualStorage } from "../interfaces/IPerpetualStorage.sol";
import { Oracle } from "../oracle/Oracle.sol";
import { Cids } from "./Cids.sol";
import { DealDesk } from "./DealDesk.sol";
import { Pin, PinBook, Pins } from "./PinBook.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @notice What EstuaryPinning is built with; none of it changes later.
struct PinningConfig {
    uint64 defaultMaxBytes; // size cap of `pinToEstuary(string)`
    uint64 mostMaxBytes; // highest size cap that may be asked for
    uint40 defaultTerm; // seconds from the request to the expiry of a default pin
    uint40 minTerm; // shortest and
    uint40 maxTerm; // longest term that may be asked for
    uint40 requestTerm; // seconds until a request that was not answered is refunded
    uint32 callbackGas; // promised to the callback of a pin, in the chain's own unit: 80,000 on an EVM
}

/// @title EstuaryPinning
/// @notice See IEstuaryPinning and IDealDesk. For pins this contract holds no money: what is sent goes to the provider with the
/// request, and what comes back is the requester's credit there (`withdraw` at the provider). For deals it holds what will
/// fund them until they are opened.
/// @dev The context of a pin's request is two words: the CID's hash, and requester | expiry | seq. `seq` orders requests:
/// an answer counts only when its seq is not below the `since` of the pin, which a new request and an unpin raise.
contract EstuaryPinning is IEstuaryPinning, DealDesk, ReentrancyGuardTransient {
    using PinBook for PinBook.Book;

    uint256 public constant MAX_ORIGINS = 5;
    uint256 public constant MAX_ORIGIN_SIZE = 256;
    uint256 public constant MAX_NAME_SIZE = 255;
    uint256 public constant MAX_BATCH = 64;

    /// @inheritdoc IEstuaryPinning
    uint64 public immutable defaultMaxBytes;
    /// @inheritdoc IEstuaryPinning
    uint40 public immutable defaultTerm;
    uint64 public immutable mostMaxBytes;
    uint40 public immutable minTerm;
    uint40 public immutable maxTerm;
    uint40 public immutable requestTerm;
    uint32 public immutable pinCallbackGas;

    /// @inheritdoc IEstuaryPinning
    uint64 public nextSeq;
    PinBook.Book private _book;

    /// @dev What the context of a pin's request says.
    struct Asked {
        CidHash cidHash;
        address requester;
        uint40 expiry;
        uint48 seq;
    }

    /// @param perpetualStorage_ where deals are opened; 0 = none are offered
    constructor(IExecutionProvider provider_, PinningConfig memory c, IPerpetualStorage perpetualStorage_)
        Oracle(provider_)
        DealDesk(perpetualStorage_)
    {
        if (c.defaultMaxBytes == 0 || c.defaultMaxBytes > c.mostMaxBytes) {
            revert EstuaryPinning_ConfigOutOfRange("defaultMaxBytes");
        }
        if (c.minTerm == 0 || c.minTerm > c.maxTerm) revert EstuaryPinning_ConfigOutOfRange("minTerm");
        if (c.defaultTerm < c.minTerm || c.defaultTerm > c.maxTerm) {
            revert EstuaryPinning_ConfigOutOfRange("defaultTerm");
        }
        if (c.maxTerm > 36_500 days) revert EstuaryPinning_ConfigOutOfRange("maxTerm");
        if (c.requestTerm < provider_.minDeadline()) revert EstuaryPinning_ConfigOutOfRange("requestTerm");
        if (c.callbackGas == 0 || c.callbackGas > provider_.maxCallbackGas()) {
            revert EstuaryPinning_ConfigOutOfRange("callbackGas");
        }
        defaultMaxBytes = c.defaultMaxBytes;
        mostMaxBytes = c.mostMaxBytes;
        defaultTerm = c.defaultTerm;
        minTerm = c.minTerm;
        maxTerm = c.maxTerm;
        requestTerm = c.requestTerm;
        pinCallbackGas = c.callbackGas;
    }

    // ------------------------------------------------------------- requesters

    /// @inheritdoc IEstuaryPinning
    function pinToEstuary(string calldata cid) external payable nonReentrant returns (bytes32) {
        (bytes memory canonical, CidHash cidHash) = Cids.fromText(bytes(cid));
        return _pin(_defaultPin(canonical), cidHash, msg.value);
    }

    /// @inheritdoc IEstuaryPinning
    function pinToEstuary(bytes calldata cid, PinOptions calldata options)
        external
        payable
        nonReentrant
        returns (bytes32)
    {
        PinPayload memory pin = _defaultPin(cid);
        _apply(options, pin);
        return _pin(pin, Cids.hashOf(pin.cid), msg.value);
    }

    /// @inheritdoc IEstuaryPinning
    /// @dev What was sent above the quotes goes with the last request and is credited to the caller at the provider.
    function pinBatch(bytes[] calldata cids) external payable nonReentrant returns (bytes32[] memory requestIds) {
        uint256 count = cids.length;
        if (count == 0) revert EstuaryPinning_EmptyBatch();
        if (count > MAX_BATCH) revert EstuaryPinning_BatchTooLarge(count, MAX_BATCH);
        (uint96 fee,) = quotePin();
        uint256 needed = fee * count;
        if (msg.value < needed) revert IExecutionProvider.EstuaryProvider_Underpaid(msg.value, needed);
        requestIds = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            PinPayload memory pin = _defaultPin(cids[i]);
            uint256 value = i + 1 == count ? msg.value - fee * i : fee;
            requestIds[i] = _pin(pin, Cids.hashOf(pin.cid), value);
        }
    }

    /// @inheritdoc IEstuaryPinning
    function extend(bytes calldata cid, uint40 expiry) external payable nonReentrant returns (bytes32) {
        PinPayload memory pin = _defaultPin(cid);
        pin.expiry = expiry;
        return _extend(pin);
    }

    /// @inheritdoc IEstuaryPinning
    function extend(bytes calldata cid, PinOptions calldata options) external payable nonReentrant returns (bytes32) {
        PinPayload memory pin = _defaultPin(cid);
        _apply(options, pin);
        pin.expiry = options.expiry;
        return _extend(pin);
    }

    /// @inheritdoc IEstuaryPinning
    function unpin(bytes calldata cid) external payable nonReentrant returns (bytes32 requestId) {
        CidHash cidHash = Cids.hashOf(cid);
        Pin pin = _book.get(cidHash, msg.sender);
        if (pin.status() == PinStatus.None || pin.status() == PinStatus.Failed) {
            revert EstuaryPinning_NothingToUnpin(cidHash, msg.sender);
        }
        uint64 seq = nextSeq;
        nextSeq = seq + 2;
        _book.set(cidHash, pin, Pins.make(msg.sender, PinStatus.None, 0, 0, uint48(seq)));
        requestId = _requestUnpin(UnpinPayload(cid, msg.sender), "", _options(0), msg.value);
        emit UnpinRequested(requestId, cidHash, msg.sender, seq, cid);
        emit PinStatusChanged(cidHash, msg.sender, requestId, seq + 1, PinStatus.None, Reasons.NONE, 0);
    }

    /// @inheritdoc IEstuaryPinning
    function cancelRequest(Terms calldata terms, bytes calldata context) external nonReentrant {
        Asked memory asked = _askedIn(terms, context);
        if (asked.requester != msg.sender) revert EstuaryPinning_NotRequester(msg.sender, asked.requester);
        _cancel(terms);
    }

    /// @inheritdoc IEstuaryPinning
    function settleRequest(Terms calldata terms, bytes calldata context) external nonReentrant {
        Asked memory asked = _askedIn(terms, context);
        bytes32 requestId = provider.idOf(terms);
        if (provider.stateOf(requestId) != IExecutionProvider.RequestState.Refunded) _refund(terms);

        Pin pin = _book.get(asked.cidHash, asked.requester);
        if (pin.status() != PinStatus.Requested || pin.since() != asked.seq) return;
        bool late = block.timestamp > terms.deadline;
        PinStatus status = late ? PinStatus.Failed : PinStatus.None;
        uint8 reason = late ? Reasons.EXPIRED : Reasons.NONE;
        _book.set(asked.cidHash, pin, Pins.make(asked.requester, status, reason, 0, pin.since()));
        emit PinStatusChanged(asked.cidHash, asked.requester, requestId, nextSeq++, status, reason, 0);
    }

    /// @inheritdoc IEstuaryPinning
    function expire(bytes calldata cid, address requester) external nonReentrant {
        CidHash cidHash = Cids.hashOf(cid);
        Pin pin = _book.get(cidHash, requester);
        (PinStatus status, uint8 reason) = pin.nowIs();
        if (status == pin.status()) revert EstuaryPinning_NotExpired(cidHash, requester);
        uint40 expiry = status == PinStatus.Expired ? pin.until() : 0;
        _book.set(cidHash, pin, Pins.make(requester, status, reason, expiry, pin.since()));
        emit PinStatusChanged(cidHash, requester, bytes32(0), nextSeq++, status, reason, expiry);
    }

    // ------------------------------------------------------------------ deals

    /// @inheritdoc IDealDesk
    function makeDealsForCid(bytes calldata cid, DealTerms calldata terms)
        external
        payable
        nonReentrant
        returns (bytes32)
    {
        return _makeDeals(cid, terms, defaultMaxBytes, _options(pinCallbackGas), nextSeq++);
    }

    /// @inheritdoc IDealDesk
    function openDeal(bytes32 requestId, bytes calldata cid, DealTerms calldata terms)
        external
        nonReentrant
        returns (uint64)
    {
        return _openDeal(requestId, cid, terms, nextSeq++);
    }

    /// @inheritdoc IDealDesk
    function settleDeals(Terms calldata terms) external nonReentrant {
        _settleDeals(terms, nextSeq++);
    }

    /// @inheritdoc IDealDesk
    function abandonDeals(bytes32 requestId) external nonReentrant {
        _abandonDeals(requestId, nextSeq++);
    }

    /// @inheritdoc IDealDesk
    function withdrawEscrow(address to) external nonReentrant returns (uint256) {
        return _withdrawEscrow(to, nextSeq++);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IDealDesk
    function quoteDeals() external view returns (uint96 fee) {
        (fee,) = _quote(Actions.PREPARE, defaultMaxBytes, 0, pinCallbackGas);
    }

    /// @inheritdoc IEstuaryPinning
    function quotePin() public view returns (uint96 fee, uint96 attemptFee) {
        return _quote(Actions.PIN, defaultMaxBytes, uint40(block.timestamp) + defaultTerm, pinCallbackGas);
    }

    /// @inheritdoc IEstuaryPinning
    function quotePin(uint64 maxBytes, uint40 expiry) external view returns (uint96 fee, uint96 attemptFee) {
        if (maxBytes == 0) maxBytes = defaultMaxBytes;
        if (expiry == 0) expiry = uint40(block.timestamp) + defaultTerm;
        return _quote(Actions.PIN, maxBytes, expiry, pinCallbackGas);
    }

    /// @inheritdoc IEstuaryPinning
    function quoteUnpin() external view returns (uint96 fee, uint96 attemptFee) {
        return _quote(Actions.UNPIN, 0, 0, 0);
    }

    /// @inheritdoc IEstuaryPinning
    function statusOf(string calldata cid) external view returns (PinStatus) {
        (, CidHash cidHash) = Cids.fromText(bytes(cid));
        return _book.best(cidHash);
    }

    /// @inheritdoc IEstuaryPinning
    function statusOf(bytes calldata cid) external view returns (PinStatus) {
        return _book.best(Cids.hashOf(cid));
    }

    /// @inheritdoc IEstuaryPinning
    function statusOf(bytes calldata cid, address requester)
        external
        view
        returns (PinStatus status, uint40 expiry, uint8 reason)
    {
        Pin pin = _book.get(Cids.hashOf(cid), requester);
        (status, reason) = pin.nowIs();
        if (status == PinStatus.Pinned || status == PinStatus.Expired) expiry = pin.until();
    }

    /// @inheritdoc IEstuaryPinning
    function cidHashOf(string calldata cid) external pure returns (CidHash cidHash, bytes memory canonical) {
        (canonical, cidHash) = Cids.fromText(bytes(cid));
    }

    // ----------------------------------------------------------------- inside

    function _pin(PinPayload memory pin, CidHash cidHash, uint256 value) private returns (bytes32) {
        Pin old = _book.get(cidHash, msg.sender);
        (PinStatus status,) = old.nowIs();
        if (status == PinStatus.Requested || status == PinStatus.Pinned) {
            revert EstuaryPinning_AlreadyRequested(cidHash, msg.sender);
        }
        uint64 seq = nextSeq;
        uint40 deadline = uint40(block.timestamp) + requestTerm;
        _book.set(cidHash, old, Pins.make(msg.sender, PinStatus.Requested, Reasons.NONE, deadline, uint48(seq)));
        return _ask(pin, cidHash, seq, value);
    }

    function _extend(PinPayload memory pin) private returns (bytes32) {
        CidHash cidHash = Cids.hashOf(pin.cid);
        Pin old = _book.get(cidHash, msg.sender);
        (PinStatus status,) = old.nowIs();
        if (status != PinStatus.Pinned) revert EstuaryPinning_NothingToExtend(cidHash, msg.sender);
        uint40 latest = uint40(block.timestamp) + maxTerm;
        if (pin.expiry <= old.until()) revert EstuaryPinning_ExpiryOutOfRange(pin.expiry, old.until() + 1, latest);
        return _ask(pin, cidHash, nextSeq, msg.value);
    }

    function _ask(PinPayload memory pin, CidHash cidHash, uint64 seq, uint256 value)
        private
        returns (bytes32 requestId)
    {
        uint40 earliest = uint40(block.timestamp) + minTerm;
        uint40 latest = uint40(block.timestamp) + maxTerm;
        if (pin.expiry < earliest || pin.expiry > latest) {
            revert EstuaryPinning_ExpiryOutOfRange(pin.expiry, earliest, latest);
        }
        nextSeq = seq + 1;
        uint256 word = uint256(uint160(msg.sender)) << 96 | uint256(pin.expiry) << 56 | uint256(seq) << 8;
        requestId = _request(
            Actions.PIN,
            pin.maxBytes,
            pin.expiry,
            _encode(pin),
            abi.encode(cidHash, word),
            _options(pinCallbackGas),
            value
        );
        emit PinRequested(requestId, cidHash, msg.sender, seq, pin.cid, pin.maxBytes, pin.expiry);
    }

    /// @dev abi.encode(pin), by a shorter way when there are neither origins nor a name, which is nearly always.
    function _encode(PinPayload memory pin) private pure returns (bytes memory payload) {
        if (pin.origins.length != 0 || bytes(pin.name).length != 0) return abi.encode(pin);
        assembly ("memory-safe") {
            let cid := mload(pin)
            let size := and(add(mload(cid), 0x3f), not(0x1f)) // with its length
            payload := mload(0x40)
            let body := add(payload, 0x40)
            mstore(add(payload, 0x20), 0x20)
            mcopy(add(body, 0x20), add(pin, 0x20), 0x60) // requester, maxBytes, expiry
            mstore(body, 0xc0)
            mstore(add(body, 0x80), add(0xc0, size))
            mstore(add(body, 0xa0), add(0xe0, size))
            let to := add(body, 0xc0)
            mstore(add(to, sub(size, 0x20)), 0)
            mcopy(to, cid, add(mload(cid), 0x20))
            to := add(to, size)
            mstore(to, 0)
            mstore(add(to, 0x20), 0)
            mstore(payload, sub(add(to, 0x20), payload))
            mstore(0x40, add(to, 0x40))
        }
    }

    /// @dev Answers to requests older than the pin's `since` change nothing.
    /// The context of a pin is two words, that of an order of deals one.
    function _onResult(bytes32 requestId, bytes calldata context, uint8 outcome, uint8 reason, bytes calldata result)
        internal
        override
    {
        if (context.length == 32) return _prepared(requestId, outcome, result, nextSeq++);
        (CidHash cidHash, uint256 word) = abi.decode(context, (CidHash, uint256));
        address requester = address(uint160(word >> 96));
        Pin old = _book.get(cidHash, requester);
        if (uint48(word >> 8) < old.since()) return;
        Pin pin = _answered(old, word, outcome, reason);
        _book.set(cidHash, old, pin);
        emit PinStatusChanged(cidHash, requester, requestId, nextSeq++, pin.status(), reason, pin.until());
    }

    /// @dev What an answer makes of a pin. A success makes it last until the later of its expiries. A failure ends its request;
    /// that of an extension leaves the pin as it is.
    function _answered(Pin old, uint256 word, uint8 outcome, uint8 reason) private pure returns (Pin) {
        PinStatus status = old.status();
        uint40 until = old.until();
        if (outcome == Outcomes.SUCCEEDED) {
            uint40 expiry = uint40(word >> 56);
            bool had = status == PinStatus.Pinned || status == PinStatus.Expired;
            if (!had || until < expiry) until = expiry;
            return Pins.make(old.requester(), PinStatus.Pinned, Reasons.NONE, until, old.since());
        }
        if (uint48(word >> 8) != old.since()) return old;
        return Pins.make(old.requester(), PinStatus.Failed, reason, 0, old.since());
    }

    function _defaultPin(bytes memory cid) private view returns (PinPayload memory pin) {
        pin.cid = cid;
        pin.requester = msg.sender;
        pin.maxBytes = defaultMaxBytes;
        pin.expiry = uint40(block.timestamp) + defaultTerm;
    }

    /// @dev Puts into `pin`, which has the defaults, what the options say.
    function _apply(PinOptions calldata options, PinPayload memory pin) private view {
        uint64 maxBytes = options.maxBytes;
        if (maxBytes != 0) {
            if (maxBytes > mostMaxBytes) revert EstuaryPinning_SizeOutOfRange(maxBytes, mostMaxBytes);
            pin.maxBytes = maxBytes;
        }
        if (options.expiry != 0) pin.expiry = options.expiry;
        if (options.replicas > 1) revert EstuaryPinning_ReplicasUnsupported(options.replicas);
        string calldata name = options.name;
        if (bytes(name).length != 0) {
            if (bytes(name).length > MAX_NAME_SIZE) {
                revert EstuaryPinning_NameTooLong(bytes(name).length, MAX_NAME_SIZE);
            }
            pin.name = name;
        }
        string[] calldata origins = options.origins;
        if (origins.length == 0) return;
        if (origins.length > MAX_ORIGINS) revert EstuaryPinning_TooManyOrigins(origins.length, MAX_ORIGINS);
        for (uint256 i = 0; i < origins.length; ++i) {
            uint256 size = bytes(origins[i]).length;
            if (size > MAX_ORIGIN_SIZE) revert EstuaryPinning_OriginTooLong(size, MAX_ORIGIN_SIZE);
        }
        pin.origins = origins;
    }

    function _options(uint32 callbackGas) private view returns (RequestOptions memory options) {
        options.callbackGas = callbackGas;
        options.deadline = uint40(block.timestamp) + requestTerm;
        options.refundTo = msg.sender;
    }

    /// @dev What a request of a pin asked, with the proof that `context` is its own.
    function _askedIn(Terms calldata terms, bytes calldata context) private view returns (Asked memory) {
        if (
            terms.consumer != address(this) || terms.action != Actions.PIN || context.length != 64
                || keccak256(context) != terms.contextHash
        ) revert EstuaryPinning_ContextMismatch();
        return _decode(context);
    }

    function _decode(bytes calldata context) private pure returns (Asked memory asked) {
        (CidHash cidHash, uint256 word) = abi.decode(context, (CidHash, uint256));
        return Asked(cidHash, address(uint160(word >> 96)), uint40(word >> 56), uint48(word >> 8));
    }
}
