// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    Actions,
    IExecutionProvider,
    Outcomes,
    PinPayload,
    RequestOptions
} from "../interfaces/IExecutionProvider.sol";
import { DealTerms, IPerpetualStorage } from "../interfaces/IPerpetualStorage.sol";
import { Oracle } from "../oracle/Oracle.sol";
import { Cids } from "../pinning/Cids.sol";
import { ERC721 } from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// @title PinnedArt
/// @notice A token whose media is asked to be pinned when it is minted, and stored on Filecoin for as long as its endowment lasts: a
/// sample.
/// @dev `mint{value: quote()}(cid)`. The token exists at once; whether its media is held, `stateOf` says when operators have answered. A
/// failure loses nothing but the attempt: the owner asks again with `repin`.
///
/// The pin makes the media available now, the deal keeps it. This contract is the deal's client and has no function that cancels or
/// withdraws: what was given to store a token's media goes to who stores it. Anyone gives more with `fund(dealId)` at
/// PerpetualStorage, once the deal is Open. Only where operators could not prepare the media, so that there is nothing to store, does the
/// owner get the endowment back (`reclaim`), or begins again (`preserve`).
contract PinnedArt is ERC721, Oracle {
    enum Media {
        None,
        Waiting,
        Pinned,
        Failed
    }

    struct Piece {
        Media media;
        uint8 reason; // one of `Reasons` when Failed
        uint40 expiry; // until when the pin was paid
        uint64 dealId; // in PerpetualStorage; 0 for none
        uint96 endowment; // what the deal began with
        bytes cid;
    }

    event MediaAsked(uint256 indexed tokenId, bytes32 indexed requestId, bytes cid);
    /// @notice The media is to be stored by a deal; operators say which piece it is.
    event MediaEndowed(uint256 indexed tokenId, uint64 indexed dealId, uint96 endowment);
    event EndowmentReclaimed(uint256 indexed tokenId, uint64 indexed dealId, address to, uint96 amount);
    event MediaAnswered(uint256 indexed tokenId, bytes32 indexed requestId, Media media, uint8 reason);

    error PinnedArt_NotOwner(address caller);
    error PinnedArt_StillHeld(uint256 tokenId);
    error PinnedArt_StillStored(uint256 tokenId, uint64 dealId);
    error PinnedArt_Underpaid(uint256 sent, uint256 needed);
    error PinnedArt_NotStorage(address caller);
    error PinnedArt_TransferFailed(address to);

    uint64 public constant MAX_BYTES = 64 << 20;
    uint40 public constant TERM = 365 days;

    IPerpetualStorage public immutable perpetualStorage;
    uint32 public immutable callbackGas;
    uint40 public immutable answerWithin;
    uint256 public minted;
    DealTerms private _terms;
    mapping(uint256 tokenId => Piece) private _pieces;

    /// @param callbackGas_ what `_onResult` needs, in the chain's own unit: 100,000 is ample on an EVM
    /// @param terms how the media of every token is stored
    constructor(
        IExecutionProvider provider_,
        uint32 callbackGas_,
        IPerpetualStorage perpetualStorage_,
        DealTerms memory terms
    ) ERC721("Pinned Art", "PIN") Oracle(provider_) {
        callbackGas = callbackGas_;
        answerWithin = provider_.minDeadline() + 1 hours;
        perpetualStorage = perpetualStorage_;
        _terms = terms;
    }

    /// @dev What comes back of a deal that was not to be.
    receive() external payable {
        if (msg.sender != address(perpetualStorage)) revert PinnedArt_NotStorage(msg.sender);
    }

    /// @notice What `mint` costs at least: the pin, the question which piece the media is, and a term of every replica. What is sent
    /// above it stores the media for longer.
    function quote() external view returns (uint256 fee) {
        return uint256(quotePin()) + perpetualStorage.quotePrepare(MAX_BYTES) + leastEndowment();
    }

    /// @notice What `repin` costs now. What is sent above it is the sender's credit at the provider.
    function quotePin() public view returns (uint96 fee) {
        (fee,) = _quote(Actions.PIN, MAX_BYTES, uint40(block.timestamp) + TERM, callbackGas);
    }

    /// @notice What a term of every replica costs at most.
    function leastEndowment() public view returns (uint256) {
        return _terms.replicas * (_terms.maxBounty + uint256(_terms.rate) * _terms.term);
    }

    /// @notice Mints a token whose media is `cid` (bytes), and asks for it to be pinned and stored.
    function mint(bytes calldata cid) external payable returns (uint256 tokenId) {
        Cids.multihashAt(cid); // a malformed CID reverts here
        tokenId = ++minted;
        _pieces[tokenId].cid = cid;
        // Not `_safeMint`: it would call the receiver before the requests are made.
        _mint(msg.sender, tokenId);
        uint96 pinFee = quotePin();
        if (msg.value < pinFee) revert PinnedArt_Underpaid(msg.value, pinFee);
        _ask(tokenId, pinFee);
        _preserve(tokenId, msg.value - pinFee);
    }

    /// @notice Has the media stored where it is not: its first deal could not be prepared. By the token's owner.
    function preserve(uint256 tokenId) external payable {
        if (ownerOf(tokenId) != msg.sender) revert PinnedArt_NotOwner(msg.sender);
        uint64 dealId = _pieces[tokenId].dealId;
        if (dealId != 0) revert PinnedArt_StillStored(tokenId, dealId);
        _preserve(tokenId, msg.value);
    }

    /// @notice Gives the endowment back to the token's owner where operators could not prepare the media. By anyone.
    function reclaim(uint256 tokenId) external {
        address owner = ownerOf(tokenId);
        Piece storage piece = _pieces[tokenId];
        (uint64 dealId, uint96 amount) = (piece.dealId, piece.endowment);
        // The money of a deal that is cancelled is credited to this contract, with that of others in like case.
        bool over = perpetualStorage.dealOf(dealId).status == IPerpetualStorage.DealStatus.Cancelled;
        if (!over) revert PinnedArt_StillStored(tokenId, dealId);
        (piece.dealId, piece.endowment) = (0, 0);
        emit EndowmentReclaimed(tokenId, dealId, owner, amount);
        if (perpetualStorage.creditOf(address(this)) != 0) perpetualStorage.withdrawEarned(address(this));
        (bool sent,) = owner.call{ value: amount }("");
        if (!sent) revert PinnedArt_TransferFailed(owner);
    }

    /// @notice Asks again where the pin failed or its time is over. By the token's owner.
    function repin(uint256 tokenId) external payable {
        if (ownerOf(tokenId) != msg.sender) revert PinnedArt_NotOwner(msg.sender);
        Piece storage piece = _pieces[tokenId];
        bool over = piece.media == Media.Failed || block.timestamp >= piece.expiry;
        if (!over) revert PinnedArt_StillHeld(tokenId);
        _ask(tokenId, msg.value);
    }

    /// @notice The media of a token as last answered.
    function stateOf(uint256 tokenId) external view returns (Piece memory) {
        _requireOwned(tokenId);
        return _pieces[tokenId];
    }

    /// @notice `ipfs://f…`: the media's CID in base16, which is the bytes as they are.
    /// @dev A CIDv0 is spelled as the CIDv1 of the same block.
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        _requireOwned(tokenId);
        bytes memory cid = _pieces[tokenId].cid;
        if (cid[0] == 0x12) cid = bytes.concat(hex"0170", cid);
        bytes memory text = new bytes(2 * cid.length);
        bytes16 digits = "0123456789abcdef";
        for (uint256 i = 0; i < cid.length; ++i) {
            text[2 * i] = digits[uint8(cid[i]) >> 4];
            text[2 * i + 1] = digits[uint8(cid[i]) & 15];
        }
        return string.concat("ipfs://f", string(text));
    }

    function _preserve(uint256 tokenId, uint256 value) private {
        uint96 fee = perpetualStorage.quotePrepare(MAX_BYTES);
        uint256 needed = fee + leastEndowment();
        if (value < needed || value > type(uint96).max) revert PinnedArt_Underpaid(value, needed);
        Piece storage piece = _pieces[tokenId];
        piece.endowment = uint96(value - fee);
        (piece.dealId,) = perpetualStorage.prepareDeal{ value: value }(piece.cid, MAX_BYTES, fee, _terms);
        emit MediaEndowed(tokenId, piece.dealId, piece.endowment);
    }

    function _ask(uint256 tokenId, uint256 fee) private {
        Piece storage piece = _pieces[tokenId];
        PinPayload memory pin;
        pin.cid = piece.cid;
        pin.requester = address(this); // one owner of all its pins, whoever owns the token
        pin.maxBytes = MAX_BYTES;
        pin.expiry = uint40(block.timestamp) + TERM;
        (piece.media, piece.reason, piece.expiry) = (Media.Waiting, 0, pin.expiry);
        RequestOptions memory options = RequestOptions(callbackGas, uint40(block.timestamp) + answerWithin, msg.sender);
        bytes32 requestId = _requestPin(pin, abi.encode(tokenId), options, fee);
        emit MediaAsked(tokenId, requestId, pin.cid);
    }

    function _onResult(bytes32 requestId, bytes calldata context, uint8 outcome, uint8 reason, bytes calldata)
        internal
        override
    {
        // A request ends long before its term does, so that there is one at a time.
        uint256 tokenId = abi.decode(context, (uint256));
        Piece storage piece = _pieces[tokenId];
        piece.media = outcome == Outcomes.SUCCEEDED ? Media.Pinned : Media.Failed;
        piece.reason = reason;
        emit MediaAnswered(tokenId, requestId, piece.media, reason);
    }
}
