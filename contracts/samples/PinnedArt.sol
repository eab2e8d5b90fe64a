// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    Actions,
    IExecutionProvider,
    Outcomes,
    PinPayload,
    RequestOptions
} from "../interfaces/IExecutionProvider.sol";
import { Oracle } from "../oracle/Oracle.sol";
import { Cids } from "../pinning/Cids.sol";
import { ERC721 } from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// @title PinnedArt
/// @notice A token whose media is asked to be pinned when it is minted: a sample.
/// @dev `mint{value: quote()}(cid)`. The token exists at once; whether its media is held, `stateOf` says when operators have answered. A
/// failure loses nothing but the attempt: the owner asks again with `repin`.
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
        bytes cid;
    }

    event MediaAsked(uint256 indexed tokenId, bytes32 indexed requestId, bytes cid);
    event MediaAnswered(uint256 indexed tokenId, bytes32 indexed requestId, Media media, uint8 reason);

    error PinnedArt_NotOwner(address caller);
    error PinnedArt_StillHeld(uint256 tokenId);

    uint64 public constant MAX_BYTES = 64 << 20;
    uint40 public constant TERM = 365 days;

    uint32 public immutable callbackGas;
    uint40 public immutable answerWithin;
    uint256 public minted;
    mapping(uint256 tokenId => Piece) private _pieces;

    /// @param callbackGas_ what `_onResult` needs, in the chain's own unit: 100,000 is ample on an EVM
    constructor(IExecutionProvider provider_, uint32 callbackGas_) ERC721("Pinned Art", "PIN") Oracle(provider_) {
        callbackGas = callbackGas_;
        answerWithin = provider_.minDeadline() + 1 hours;
    }

    /// @notice What `mint` and `repin` cost now. What is sent above it is the sender's credit at the provider.
    function quote() external view returns (uint96 fee) {
        (fee,) = _quote(Actions.PIN, MAX_BYTES, uint40(block.timestamp) + TERM, callbackGas);
    }

    /// @notice Mints a token whose media is `cid` (bytes), and asks for it to be pinned.
    function mint(bytes calldata cid) external payable returns (uint256 tokenId) {
        Cids.multihashAt(cid); // a malformed CID reverts here
        tokenId = ++minted;
        _pieces[tokenId].cid = cid;
        // Not `_safeMint`: it would call the receiver before the request is made.
        _mint(msg.sender, tokenId);
        _ask(tokenId);
    }

    /// @notice Asks again where the pin failed or its time is over. By the token's owner.
    function repin(uint256 tokenId) external payable {
        if (ownerOf(tokenId) != msg.sender) revert PinnedArt_NotOwner(msg.sender);
        Piece storage piece = _pieces[tokenId];
        bool over = piece.media == Media.Failed || block.timestamp >= piece.expiry;
        if (!over) revert PinnedArt_StillHeld(tokenId);
        _ask(tokenId);
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

    function _ask(uint256 tokenId) private {
        Piece storage piece = _pieces[tokenId];
        PinPayload memory pin;
        pin.cid = piece.cid;
        pin.requester = address(this); // one owner of all its pins, whoever owns the token
        pin.maxBytes = MAX_BYTES;
        pin.expiry = uint40(block.timestamp) + TERM;
        (piece.media, piece.reason, piece.expiry) = (Media.Waiting, 0, pin.expiry);
        RequestOptions memory options = RequestOptions(callbackGas, uint40(block.timestamp) + answerWithin, msg.sender);
        bytes32 requestId = _requestPin(pin, abi.encode(tokenId), options, msg.value);
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
