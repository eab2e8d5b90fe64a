// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Codec, Exit, Methods } from "../fvm/Actors.sol";
import { CborReader, Reader } from "../fvm/CborReader.sol";
import { FilAddress } from "../fvm/FilAddress.sol";
import { DealProposal, Hooks, IFilecoinMethod, SectorChange, TokensReceived } from "../fvm/Hooks.sol";
import { MinerActor } from "../fvm/MinerActor.sol";
import { DealView, IPerpetualStorage, PublishedDeal, SectorPiece } from "../interfaces/IPerpetualStorage.sol";
import { IFilecoinFacts, IStorageGate } from "../interfaces/IStorageGate.sol";
import { DataCapPurse } from "./DataCapPurse.sol";
import { MarketViews } from "./MarketViews.sol";
import { Spelling } from "./Spelling.sol";

/// @title StorageGate
/// @notice See IStorageGate.
/// @dev `handle_filecoin_method` is for anyone to call, so each method looks at its sender. AuthenticateMessage comes READ_ONLY:
/// it is dispatched before anything is written, even in transient storage. MarketNotifyDeal and SectorContentChanged are told
/// to a contract in the middle of a provider's own message, which a revert here would undo together with all that is in it: so
/// they refuse by their answer. Their gas is linear in the pieces.
contract StorageGate is IFilecoinMethod, MarketViews, DataCapPurse {
    using CborReader for Reader;

    uint256 private constant ANNOUNCE_GAP = 2880;

    address private immutable DEPLOYER;
    mapping(uint64 slotId => uint32 epoch) private _announced;

    constructor(address steward_) DataCapPurse(steward_) {
        DEPLOYER = msg.sender;
    }

    /// @inheritdoc IStorageGate
    function attach(address perpetualStorage_) external {
        if (msg.sender != DEPLOYER || address(_storage) != address(0)) revert StorageGate_NotDeployer(msg.sender);
        if (IPerpetualStorage(perpetualStorage_).gate() != address(this)) {
            revert StorageGate_WrongStorage(perpetualStorage_);
        }
        _storage = IPerpetualStorage(perpetualStorage_);
        _facts = IFilecoinFacts(_storage.facts());
        emit Attached(_takeSeq(), perpetualStorage_);
    }

    /// @inheritdoc IStorageGate
    function announce(uint64 slotId) external nonReentrant {
        DealView memory deal = _storage.dealOf(slotId >> 24);
        (bytes32 why,,) = _storage.previewClaim(slotId, 0, msg.sender);
        // Nobody controls miner 0: all else has been looked at before that.
        if (why != "not controller") revert StorageGate_NotClaimable(slotId, why);
        uint32 again = _announced[slotId];
        if (again != 0 && block.number < again) revert StorageGate_AnnouncedLately(slotId, again);
        _announced[slotId] = uint32(block.number + ANNOUNCE_GAP);
        emit DealProposalCreate(bytes32(uint256(slotId)), deal.paddedSize, deal.terms.verified, 0);
    }

    /// @inheritdoc IFilecoinMethod
    function handle_filecoin_method(uint64 method, uint64, bytes calldata params)
        external
        returns (uint32 exitCode, uint64 codec, bytes memory data)
    {
        if (method == Methods.AUTHENTICATE_MESSAGE) {
            return (0, Codec.CBOR, abi.encodePacked(_authenticates(params) ? bytes1(0xf5) : bytes1(0xf4)));
        }
        if (method == Methods.MARKET_NOTIFY_DEAL) return _notified(params);
        if (method == Methods.SECTOR_CONTENT_CHANGED) return _sectorsChanged(params);
        if (method == Methods.UNIVERSAL_RECEIVER_HOOK) return (_received(params), Codec.NONE, "");
        return (uint32(uint256(Exit.UNHANDLED_MESSAGE)), Codec.NONE, "");
    }

    /// @inheritdoc IStorageGate
    function perpetualStorage() external view returns (address) {
        return address(_storage);
    }

    /// @inheritdoc IStorageGate
    function nextSeq() external view returns (uint64) {
        return _seq;
    }

    // ------------------------------------------------------------ the methods

    /// @dev Whether a proposal is just what a slot may have. Changes nothing.
    function _authenticates(bytes calldata params) private view returns (bool) {
        if (msg.sender != Hooks.MARKET || _reentrancyGuardEntered()) return false;
        (bool ok,, DealProposal memory p) = Hooks.authenticateMessage(params);
        if (!ok) return false;
        (uint64 slotId, PublishedDeal memory deal) = _dealIn(p, 0);
        if (slotId == 0 || deal.minerId == 0) return false;
        if (deal.verified && !(_isGranted(slotId) && _isLabelled(slotId, p))) return false;
        return _storage.whyNot(slotId, deal) == 0;
    }

    /// @dev Whether a label is the one that `getDealProposal` gives. It is what a provider could vary in a verified proposal, to have
    /// two for one grant.
    function _isLabelled(uint64 slotId, DealProposal memory p) private view returns (bool) {
        return
            p.labelIsText && keccak256(p.label) == keccak256(Spelling.label(slotId, _storage.dealOf(slotId >> 24).cid));
    }

    function _notified(bytes calldata params) private returns (uint32, uint64, bytes memory) {
        if (msg.sender != Hooks.MARKET) return (uint32(uint256(Exit.FORBIDDEN)), Codec.NONE, "");
        (bool ok, DealProposal memory p, uint64 f05DealId) = Hooks.marketNotifyDeal(params);
        uint64 slotId;
        if (ok) {
            PublishedDeal memory deal;
            (slotId, deal) = _dealIn(p, f05DealId);
            ok = false;
            if (slotId != 0 && deal.minerId != 0) {
                try _storage.onPublished(slotId, deal) returns (bool accepted) {
                    ok = accepted;
                } catch { }
            }
            if (p.verified) _drawn(slotId, f05DealId);
        }
        if (!ok) emit DealIgnored(f05DealId, slotId, _takeSeq());
        return (0, Codec.NONE, "");
    }

    function _sectorsChanged(bytes calldata params) private returns (uint32, uint64, bytes memory) {
        (bool isMasked, uint64 minerId) = FilAddress.unmask(msg.sender);
        if (!isMasked || !MinerActor.isMiner(minerId)) return (uint32(uint256(Exit.FORBIDDEN)), Codec.NONE, "");
        (bool ok, SectorChange[] memory sectors) = Hooks.sectorContentChanged(params);
        if (!ok) return (uint32(uint256(Exit.SERIALIZATION)), Codec.NONE, "");
        bool[][] memory accepted = new bool[][](sectors.length);
        for (uint256 i = 0; i < sectors.length; ++i) {
            accepted[i] = _sectorChanged(minerId, sectors[i]);
        }
        return (0, Codec.CBOR, Hooks.sectorContentReply(accepted));
    }

    function _sectorChanged(uint64 minerId, SectorChange memory s) private returns (bool[] memory accepted) {
        accepted = new bool[](s.added.length);
        for (uint256 i = 0; i < accepted.length; ++i) {
            Reader memory r = CborReader.open(s.added[i].payload);
            uint64 slotId = r.u64();
            if (!r.done()) slotId = 0;
            SectorPiece memory piece = SectorPiece(
                minerId, s.sector, s.added[i].commitment, s.added[i].size, s.minimumCommitmentEpoch, _grants[slotId].id
            );
            if (slotId != 0) {
                try _storage.onActivated(slotId, piece) returns (bool taken) {
                    accepted[i] = taken;
                } catch { }
            }
            if (!accepted[i]) emit PieceRefused(minerId, slotId, _takeSeq(), s.sector);
        }
    }

    /// @dev The slot that a proposal's label points to, and the proposal as PerpetualStorage takes it. A provider that is no actor has
    /// the id 0, which is no miner's.
    function _dealIn(DealProposal memory p, uint64 f05DealId)
        private
        view
        returns (uint64 slotId, PublishedDeal memory deal)
    {
        slotId = Spelling.slotIn(p.label);
        (, uint64 minerId) = FilAddress.resolve(p.provider);
        deal = PublishedDeal({
            minerId: minerId,
            f05DealId: f05DealId,
            commP: p.commitment,
            paddedSize: p.pieceSize,
            start: p.startEpoch,
            end: p.endEpoch,
            verified: p.verified,
            pricePerEpoch: p.pricePerEpoch,
            providerCollateral: p.providerCollateral,
            clientCollateral: p.clientCollateral
        });
    }

    function _received(bytes calldata params) private returns (uint32) {
        if (msg.sender != Hooks.DATACAP) return uint32(uint256(Exit.FORBIDDEN));
        (bool ok, TokensReceived memory t) = Hooks.tokensReceived(params);
        if (!ok) return uint32(uint256(Exit.SERIALIZATION));
        return _creditDataCap(t) ? 0 : uint32(uint256(Exit.ILLEGAL_ARGUMENT));
    }
}
