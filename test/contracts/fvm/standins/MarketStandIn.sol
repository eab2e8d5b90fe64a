// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Actors, Methods } from "../../../../contracts/fvm/Actors.sol";
import { CborReader, Reader } from "../../../../contracts/fvm/CborReader.sol";
import { CborWriter } from "../../../../contracts/fvm/CborWriter.sol";
import { FilAddress } from "../../../../contracts/fvm/FilAddress.sol";
import { DealProposal, Hooks } from "../../../../contracts/fvm/Hooks.sol";
import { Native } from "./Natives.sol";

/// @title MarketStandIn
/// @notice f05: deals, how they are published with a contract as the client, and what is said of them at each stage.
/// @dev As in f05, time alone changes nothing: a deal past its end stays until `settle`, one that missed its start until `clean`.
/// Money is not modelled: our deals have no price and no client's collateral.
contract MarketStandIn is Native {
    using CborReader for Reader;

    enum Stage {
        None,
        Published,
        Active,
        Gone
    }

    struct Deal {
        Stage stage;
        uint64 client;
        uint64 provider;
        uint64 sector;
        int64 activated;
        DealProposal proposal;
    }

    mapping(uint64 id => Deal) private _deals;
    mapping(bytes32 proposalHash => bool) private _pending;
    uint64 public nextId;

    uint32 private constant ILLEGAL_STATE = 20;
    uint32 private constant DEAL_EXPIRED = 32;
    uint32 private constant DEAL_NOT_ACTIVATED = 33;

    // ---------------------------------------------------------------- lifecycle

    /// @notice PublishStorageDeals. Deals whose client does not authorise them are dropped; a client that fails when it is told
    /// fails the whole batch.
    /// @return ids of those published
    function publish(DealProposal[] calldata proposals) external returns (uint64[] memory ids) {
        bool[] memory valid = new bool[](proposals.length);
        uint256 count = 0;
        for (uint256 i = 0; i < proposals.length; ++i) {
            valid[i] = _authorised(proposals[i]) && !_seen(proposals[i]);
            if (valid[i]) ++count;
        }
        if (count == 0) _exit(ILLEGAL_ARGUMENT);
        ids = new uint64[](count);
        uint256 at = 0;
        for (uint256 i = 0; i < proposals.length; ++i) {
            if (valid[i]) ids[at++] = _store(proposals[i]);
        }
        for (uint256 i = 0; i < count; ++i) {
            _notify(ids[i]);
        }
    }

    /// @notice Puts a deal there without asking its client.
    function put(DealProposal calldata proposal) external returns (uint64 id) {
        return _store(proposal);
    }

    /// @notice The deal's sector was proven.
    function activate(uint64 id, uint64 sector) external {
        Deal storage d = _deals[id];
        (d.stage, d.sector, d.activated) = (Stage.Active, sector, int64(uint64(block.number)));
    }

    /// @notice The deal's sector was terminated, or ran out: f05 forgets the deal at once.
    function terminate(uint64 id) external {
        _deals[id].stage = Stage.Gone;
    }

    /// @notice SettleDealPayments: forgets a deal past its end, and one that missed its start.
    function settle(uint64 id) public {
        Deal storage d = _deals[id];
        int64 epoch = int64(uint64(block.number));
        bool over = d.stage == Stage.Active && epoch >= d.proposal.endEpoch;
        if (over || (d.stage == Stage.Published && epoch > d.proposal.startEpoch)) d.stage = Stage.Gone;
    }

    function stageOf(uint64 id) external view returns (Stage) {
        return _deals[id].stage;
    }

    function proposalOf(uint64 id) external view returns (DealProposal memory) {
        return _deals[id].proposal;
    }

    function _authorised(DealProposal calldata p) private returns (bool) {
        address client = _world().placeOf(_world().idOf(p.client));
        bytes memory params = abi.encodePacked(
            bytes1(0x82),
            CborWriter.byteString(hex"0200"), // what stands where a client's signature would be
            CborWriter.byteString(Hooks.encode(p))
        );
        (bool ok, bytes memory reply) = _tell(client, Methods.AUTHENTICATE_MESSAGE, params, true);
        return ok && keccak256(reply) == keccak256(hex"f5") && _plausible(p);
    }

    /// @dev The checks of f05 that a contract may rely on.
    function _plausible(DealProposal calldata p) private view returns (bool) {
        int64 duration = p.endEpoch - p.startEpoch;
        return p.label.length <= 256 && p.pieceSize >= 128 && p.pieceSize & (p.pieceSize - 1) == 0
            && p.startEpoch >= int64(uint64(block.number)) && duration >= 518_400 && duration <= 3_680_640;
    }

    function _seen(DealProposal calldata p) private returns (bool seen) {
        bytes32 hash = keccak256(Hooks.encode(_normal(p)));
        seen = _pending[hash];
        _pending[hash] = true;
    }

    function _store(DealProposal calldata p) private returns (uint64 id) {
        id = nextId++;
        Deal storage d = _deals[id];
        (d.stage, d.client, d.provider) = (Stage.Published, _world().idOf(p.client), _world().idOf(p.provider));
        d.proposal = _normal(p);
    }

    function _notify(uint64 id) private {
        Deal storage d = _deals[id];
        bytes memory params =
            abi.encodePacked(bytes1(0x82), CborWriter.byteString(Hooks.encode(d.proposal)), CborWriter.u64(id));
        (bool ok,) = _tell(_world().placeOf(d.client), Methods.MARKET_NOTIFY_DEAL, params, false);
        if (!ok) _exit(ILLEGAL_ARGUMENT);
    }

    /// @dev With ids for addresses, as f05 keeps a proposal.
    function _normal(DealProposal memory p) private view returns (DealProposal memory) {
        p.client = FilAddress.fromId(_world().idOf(p.client));
        p.provider = FilAddress.fromId(_world().idOf(p.provider));
        return p;
    }

    // ------------------------------------------------------------------ methods

    function _invoke(uint64 method, bytes calldata params) internal view override returns (bytes memory) {
        if (!_isGetter(method)) _exit(UNHANDLED);
        uint64 id = _id(params);
        if (id == type(uint64).max) _exit(ILLEGAL_STATE); // more than f05 can have
        if (id >= nextId) _exit(NOT_FOUND);
        Deal storage d = _deals[id];
        if (d.stage == Stage.Gone) _exit(DEAL_EXPIRED);
        if (method == Methods.GET_DEAL_ACTIVATION) {
            int64 at = d.stage == Stage.Active ? d.activated : -1;
            return abi.encodePacked(bytes1(0x82), CborWriter.i64(at), CborWriter.i64(-1));
        }
        if (method == Methods.GET_DEAL_SECTOR) {
            if (d.stage != Stage.Active) _exit(DEAL_NOT_ACTIVATED);
            return CborWriter.u64(d.sector);
        }
        if (method == Methods.GET_DEAL_CLIENT) return CborWriter.u64(d.client);
        if (method == Methods.GET_DEAL_PROVIDER) return CborWriter.u64(d.provider);
        return _ofProposal(method, d.proposal);
    }

    function _ofProposal(uint64 method, DealProposal memory p) private pure returns (bytes memory) {
        if (method == Methods.GET_DEAL_DATA_COMMITMENT) {
            return abi.encodePacked(bytes1(0x82), CborWriter.pieceCid(p.commitment), CborWriter.u64(p.pieceSize));
        }
        if (method == Methods.GET_DEAL_LABEL) {
            return p.labelIsText ? CborWriter.text(p.label) : CborWriter.byteString(p.label);
        }
        if (method == Methods.GET_DEAL_TERM) {
            return
                abi.encodePacked(bytes1(0x82), CborWriter.i64(p.startEpoch), CborWriter.i64(p.endEpoch - p.startEpoch));
        }
        if (method == Methods.GET_DEAL_VERIFIED) return CborWriter.boolean(p.verified);
        if (method == Methods.GET_DEAL_CLIENT_COLLATERAL) return CborWriter.amount(p.clientCollateral);
        if (method == Methods.GET_DEAL_PROVIDER_COLLATERAL) return CborWriter.amount(p.providerCollateral);
        return CborWriter.amount(p.pricePerEpoch * uint64(p.endEpoch - p.startEpoch));
    }

    function _isGetter(uint64 m) private pure returns (bool) {
        return m == Methods.GET_DEAL_ACTIVATION || m == Methods.GET_DEAL_SECTOR || m == Methods.GET_DEAL_CLIENT
            || m == Methods.GET_DEAL_PROVIDER || m == Methods.GET_DEAL_DATA_COMMITMENT || m == Methods.GET_DEAL_LABEL
            || m == Methods.GET_DEAL_TERM || m == Methods.GET_DEAL_VERIFIED || m == Methods.GET_DEAL_TOTAL_PRICE
            || m == Methods.GET_DEAL_CLIENT_COLLATERAL || m == Methods.GET_DEAL_PROVIDER_COLLATERAL;
    }
}
