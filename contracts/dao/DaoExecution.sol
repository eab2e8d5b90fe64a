// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { AddData, CidAction, IDataDAO } from "../interfaces/IDataDAO.sol";
import { CidHash, IEstuaryPinning, PinOptions } from "../interfaces/IEstuaryPinning.sol";
import { Accepted, Dao, DaoState } from "./DaoState.sol";
import { PackedCid } from "./PackedCid.sol";

/// @title DaoExecution
/// @notice What a passed proposal does: accepts or removes a CID, asks EstuaryPinning, and pays. Linked to DataDAO, which keeps the
/// states of proposals and checks that this one is ready.
library DaoExecution {
    using Dao for DaoState;

    /// @notice What a proposal is executed with.
    struct Order {
        uint256 id;
        CidHash cidHash;
        CidAction action;
        uint96 budget; // 0: the value pays
        uint256 value; // of the call; it is no part of the treasury
    }

    /// @notice Does it.
    /// @return requestId of the pin or unpin; 0 where there is nothing to ask
    /// @return paid its fee
    function run(DaoState storage s, IEstuaryPinning pinning, Order calldata o, bytes calldata data)
        external
        returns (bytes32 requestId, uint256 paid)
    {
        if (o.action == CidAction.Add) return _add(s, pinning, o, data);
        uint256 by = s.cids[o.cidHash].proposalId;
        if (by == 0) revert IDataDAO.DataDAO_CidNotSet(o.cidHash);
        // The CID as it was accepted: the same block under another codec is other content.
        bytes memory cid = s.cidOf(by);
        if (o.action == CidAction.Remove) return _remove(s, pinning, o, cid);
        return _renew(s, pinning, o, cid, abi.decode(data, (uint40)));
    }

    function _add(DaoState storage s, IEstuaryPinning pinning, Order calldata o, bytes calldata data)
        private
        returns (bytes32 requestId, uint256 paid)
    {
        if (s.cids[o.cidHash].proposalId != 0) revert IDataDAO.DataDAO_CidAlreadySet(o.cidHash);
        uint64 size = s.proposals[o.id].size;
        s.cids[o.cidHash] = Accepted(uint48(o.id), size);
        bytes memory cid = s.cidOf(o.id);
        // A piece is for storage alone: the node holds DAGs.
        if (PackedCid.isPiece(cid)) return (0, 0);
        PinOptions memory options;
        options.maxBytes = size;
        if (data.length != 0) {
            AddData memory add = abi.decode(data, (AddData));
            options.origins = add.origins;
            options.expiry = add.expiry;
        }
        return _pin(s, pinning, o, cid, options);
    }

    function _remove(DaoState storage s, IEstuaryPinning pinning, Order calldata o, bytes memory cid)
        private
        returns (bytes32 requestId, uint256 paid)
    {
        delete s.cids[o.cidHash];
        (IEstuaryPinning.PinStatus status,,) = pinning.statusOf(cid, address(this));
        if (status != IEstuaryPinning.PinStatus.Requested && status != IEstuaryPinning.PinStatus.Pinned) return (0, 0);
        (paid,) = pinning.quoteUnpin();
        _pay(s, o, paid);
        requestId = pinning.unpin{ value: paid }(cid);
    }

    /// @dev A pin that failed or expired is asked for anew.
    function _renew(DaoState storage s, IEstuaryPinning pinning, Order calldata o, bytes memory cid, uint40 expiry)
        private
        returns (bytes32 requestId, uint256 paid)
    {
        PinOptions memory options;
        options.maxBytes = s.cids[o.cidHash].size;
        options.expiry = expiry;
        (IEstuaryPinning.PinStatus status,,) = pinning.statusOf(cid, address(this));
        if (status != IEstuaryPinning.PinStatus.Pinned) return _pin(s, pinning, o, cid, options);
        (paid,) = pinning.quotePin(options.maxBytes, expiry);
        _pay(s, o, paid);
        requestId = pinning.extend{ value: paid }(cid, options);
    }

    function _pin(
        DaoState storage s,
        IEstuaryPinning pinning,
        Order calldata o,
        bytes memory cid,
        PinOptions memory options
    ) private returns (bytes32 requestId, uint256 paid) {
        uint40 expiry = options.expiry;
        if (expiry == 0) expiry = uint40(block.timestamp) + pinning.defaultTerm();
        (paid,) = pinning.quotePin(options.maxBytes, expiry);
        _pay(s, o, paid);
        requestId = pinning.pinToEstuary{ value: paid }(cid, options);
    }

    /// @dev Takes the fee from the value of the call or, within budget and caps, from the treasury. Accounts only.
    function _pay(DaoState storage s, Order calldata o, uint256 amount) private {
        if (o.budget == 0) {
            if (o.value < amount) revert IDataDAO.DataDAO_Underpaid(o.value, amount);
            return;
        }
        if (amount > o.budget) revert IDataDAO.DataDAO_BudgetExceeded(amount, o.budget);
        uint256 free = address(this).balance - o.value - s.owed;
        if (amount > free) revert IDataDAO.DataDAO_TreasuryTooSmall(amount, free);
        uint256 most = s.params.maxPer30Days;
        uint256 spent = s.spentLately();
        if (spent + amount > most) revert IDataDAO.DataDAO_CapReached(amount, most > spent ? most - spent : 0);
        s.spent[block.timestamp / Dao.SIX_DAYS] += amount;
    }
}
