// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    Actions,
    IExecutionProvider,
    Outcomes,
    PinPayload,
    RequestOptions,
    Terms
} from "../interfaces/IExecutionProvider.sol";
import { Oracle } from "../oracle/Oracle.sol";

/// @title PinnedNote
/// @notice A small contract that asks for a CID to be pinned and remembers the answer: copy it to begin your own.
/// @dev Asking: `publish{value: quote()}(cid)`. The answer arrives some time later in `_onResult`. The number of the note
/// travels as the context, so nothing is stored to find the note again.
contract PinnedNote is Oracle {
    enum State {
        Waiting,
        Pinned,
        Failed
    }

    struct Note {
        address author;
        State state;
        uint8 reason; // one of `Reasons` when Failed
        uint64 blocks; // of the pinned DAG, counted once each
        uint64 size; // their bytes
        bytes cid;
    }

    event NotePublished(uint256 indexed note, address indexed author, bytes32 indexed requestId, bytes cid);
    event NoteAnswered(uint256 indexed note, State state, uint8 reason, uint64 blocks, uint64 size);

    error PinnedNote_NotAuthor(address caller);

    uint64 public constant MAX_BYTES = 32 << 20;
    uint40 public constant TERM = 180 days;

    uint32 public immutable callbackGas;
    uint40 public immutable answerWithin;

    Note[] private _notes;

    /// @param callbackGas_ what `_onResult` needs, in the chain's own unit: 100,000 is ample on an EVM
    constructor(IExecutionProvider provider_, uint32 callbackGas_) Oracle(provider_) {
        callbackGas = callbackGas_;
        answerWithin = provider_.minDeadline() + 1 hours;
    }

    /// @notice What `publish` costs now. Sending more does no harm: the rest is the author's credit at the provider.
    function quote() external view returns (uint96 fee) {
        (fee,) = _quote(Actions.PIN, MAX_BYTES, uint40(block.timestamp) + TERM, callbackGas);
    }

    /// @notice Publishes a note: asks the operators to pin its CID, given as bytes.
    function publish(bytes calldata cid) external payable returns (uint256 note, bytes32 requestId) {
        note = _notes.length;
        _notes.push(Note(msg.sender, State.Waiting, 0, 0, 0, cid));

        PinPayload memory pin;
        pin.cid = cid;
        pin.requester = msg.sender;
        pin.maxBytes = MAX_BYTES;
        pin.expiry = uint40(block.timestamp) + TERM;
        RequestOptions memory options = RequestOptions({
            callbackGas: callbackGas, deadline: uint40(block.timestamp) + answerWithin, refundTo: msg.sender
        });
        requestId = _requestPin(pin, abi.encode(note), options, msg.value);
        emit NotePublished(note, msg.sender, requestId, cid);
    }

    /// @notice Withdraws the request of a note. Only this contract may cancel what it asked, so it lets the author ask for it.
    /// @param terms as in the `OracleRequested` event; after the provider's cancel delay anyone may `refund` them there
    function withdrawRequest(Terms calldata terms) external {
        if (terms.refundTo != msg.sender) revert PinnedNote_NotAuthor(msg.sender);
        _cancel(terms);
    }

    function noteOf(uint256 note) external view returns (Note memory) {
        return _notes[note];
    }

    function count() external view returns (uint256) {
        return _notes.length;
    }

    /// @dev The provider calls this once for each request. Look at the outcome first: a failure has no result to decode.
    function _onResult(bytes32, bytes calldata context, uint8 outcome, uint8 reason, bytes calldata result)
        internal
        virtual
        override
    {
        uint256 number = abi.decode(context, (uint256));
        Note storage note = _notes[number];
        if (outcome == Outcomes.SUCCEEDED) {
            note.state = State.Pinned;
            (note.blocks, note.size) = abi.decode(result, (uint64, uint64));
        } else {
            note.state = State.Failed;
            note.reason = reason;
        }
        emit NoteAnswered(number, note.state, reason, note.blocks, note.size);
    }
}
