// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { AddData, CidAction, Draft, IDataDAO, StoreData } from "../interfaces/IDataDAO.sol";
import { DealTerms } from "../interfaces/IPerpetualStorage.sol";
import { Rules } from "../storage/Rules.sol";
import { PackedCid } from "./PackedCid.sol";

/// @title DaoTerms
/// @notice Reads what a draft carries, and refuses what could not be executed whatever is voted: what cannot be read, terms that PerpetualStorage never
/// takes, and pins that end before the execution may begin.
library DaoTerms {
    uint256 private constant MAX_ORIGINS = 5; // of EstuaryPinning
    uint256 private constant MAX_ORIGIN_BYTES = 256;

    /// @param earliest when the proposal may be executed at the earliest
    function check(Draft memory draft, uint256 earliest) internal pure {
        (CidAction action, bytes memory data) = (draft.action, draft.data);
        if (action == CidAction.Add) {
            if (data.length != 0) _checkAdd(draft, earliest);
        } else if (action == CidAction.Store) {
            _checkStore(abi.decode(data, (StoreData)), draft.budget);
        } else if (action == CidAction.Remove) {
            if (data.length != 0) revert IDataDAO.DataDAO_BadData();
        } else if (action == CidAction.Renew) {
            _sized(data, 32);
            if (abi.decode(data, (uint40)) <= earliest) _outOfRange("expiry");
        } else if (action == CidAction.ChangeReplicas) {
            _sized(data, 32);
            _checkReplicas(abi.decode(data, (uint8)));
        } else if (action == CidAction.RenewStorage) {
            _sized(data, 64);
            (uint96 amount,) = abi.decode(data, (uint96, uint32));
            _checkAmount(amount, draft.budget);
        } else {
            _sized(data, 64);
            (, uint32 ramp) = abi.decode(data, (uint80, uint32));
            if (ramp > Rules.MAX_TERM) _outOfRange("ramp");
        }
    }

    function _checkAdd(Draft memory draft, uint256 earliest) private pure {
        AddData memory add = abi.decode(draft.data, (AddData));
        if (add.expiry != 0 && add.expiry <= earliest) _outOfRange("expiry");
        if (add.origins.length > MAX_ORIGINS) _outOfRange("origins");
        for (uint256 i = 0; i < add.origins.length; ++i) {
            if (bytes(add.origins[i]).length > MAX_ORIGIN_BYTES) _outOfRange("origins");
        }
        if (add.store.length == 0) return;
        // A piece says nothing of a CAR.
        if (PackedCid.isPiece(draft.cid)) revert IDataDAO.DataDAO_BadData();
        _checkStore(abi.decode(add.store, (StoreData)), draft.budget);
    }

    /// @dev As `Deals.create` does; a fuzz test compares the two.
    function _checkStore(StoreData memory store, uint96 budget) private pure {
        _checkAmount(store.amount, budget);
        DealTerms memory t = store.terms;
        _checkReplicas(t.replicas);
        if (t.term < Rules.MIN_TERM || t.term > Rules.MAX_TERM) _outOfRange("term");
        if (t.sealWindow < Rules.MIN_SEAL_WINDOW || t.sealWindow > Rules.MAX_SEAL_WINDOW) _outOfRange("sealWindow");
        if (t.renewWindow >= t.term) _outOfRange("renewWindow");
        if (t.ramp > Rules.MAX_TERM) _outOfRange("ramp");
        if (t.baseBounty > t.maxBounty) _outOfRange("baseBounty");
        if (t.bondFloor < Rules.MIN_BOND) _outOfRange("bondFloor");
        if (bytes(t.endpoint).length > Rules.MAX_ENDPOINT) _outOfRange("endpoint");
        if (uint256(t.maxBounty) + t.bondFloor > type(uint80).max) _outOfRange("maxBounty");
    }

    function _checkReplicas(uint8 replicas) private pure {
        if (replicas == 0 || replicas > Rules.MAX_REPLICAS) _outOfRange("replicas");
    }

    /// @dev Without a budget whoever executes pays, whatever it is.
    function _checkAmount(uint96 amount, uint96 budget) private pure {
        if (budget != 0 && amount > budget) revert IDataDAO.DataDAO_BudgetExceeded(amount, budget);
    }

    function _sized(bytes memory data, uint256 size) private pure {
        if (data.length != size) revert IDataDAO.DataDAO_BadData();
    }

    function _outOfRange(bytes32 field) private pure {
        revert IDataDAO.DataDAO_TermsOutOfRange(field);
    }
}
