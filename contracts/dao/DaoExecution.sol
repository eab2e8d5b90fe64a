// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { AddData, CidAction, IDataDAO, ProposalState } from "../interfaces/IDataDAO.sol";
import { IDealDesk } from "../interfaces/IDealDesk.sol";
import { IEstuaryPinning, PinOptions } from "../interfaces/IEstuaryPinning.sol";
import { IExecutionProvider } from "../interfaces/IExecutionProvider.sol";
import { IPerpetualStorage } from "../interfaces/IPerpetualStorage.sol";
import { Cids } from "../pinning/Cids.sol";
import { DaoEnding } from "./DaoEnding.sol";
import { Accepted, Dao, DaoState } from "./DaoState.sol";
import { DaoStorage } from "./DaoStorage.sol";
import { DaoTreasury, Order } from "./DaoTreasury.sol";
import { PackedCid } from "./PackedCid.sol";

/// @title DaoExecution
/// @notice What a passed proposal does: accepts or removes a CID, asks EstuaryPinning, has it stored, and pays. Linked to DataDAO, which keeps the
/// states of proposals and checks that this one is ready.
library DaoExecution {
    using Dao for DaoState;
    using DaoEnding for DaoState;

    /// @notice Ends the proposal and does it, then settles with the caller: what is left of its value is its credit, and the tip is sent to it.
    function run(DaoState storage s, IEstuaryPinning pinning, Order memory o, bytes calldata data) external {
        s.end(o.id, o.cidHash, ProposalState.Executed, true);
        bytes32 requestId = _do(s, pinning, o, data);
        uint256 paid = o.paid;
        uint256 tip = DaoTreasury.tip(s, o);
        DaoTreasury.credit(s, msg.sender, o.budget == 0 ? o.value - paid : o.value);
        emit IDataDAO.ProposalExecuted(o.id, o.cidHash, msg.sender, s.takeSeq(), o.action, requestId, paid);
        if (tip == 0) return;
        emit IDataDAO.ExecutorTipped(o.id, msg.sender, s.takeSeq(), tip);
        bool sent;
        assembly ("memory-safe") {
            sent := call(gas(), caller(), tip, 0, 0, 0, 0)
        }
        if (!sent) DaoTreasury.credit(s, msg.sender, tip);
    }

    /// @return requestId of the pin or unpin; 0 where there is nothing to ask
    function _do(DaoState storage s, IEstuaryPinning pinning, Order memory o, bytes calldata data)
        private
        returns (bytes32 requestId)
    {
        if (o.action == CidAction.Add) {
            requestId = _add(s, pinning, o, data);
        } else {
            uint256 by = s.cids[o.cidHash].proposalId;
            if (by == 0) revert IDataDAO.DataDAO_CidNotSet(o.cidHash);
            // The CID as it was accepted: the same block under another codec is other content.
            bytes memory cid = s.cidOf(by);
            if (o.action == CidAction.Remove) requestId = _remove(s, pinning, o, cid);
            else if (o.action == CidAction.Renew) requestId = _renew(s, pinning, o, cid, abi.decode(data, (uint40)));
            else if (o.action == CidAction.Store) DaoStorage.open(s, pinning, o, data);
            else DaoStorage.change(s, pinning, o, data);
        }
    }

    /// @notice See IDataDAO.
    function cidProviders(DaoState storage s, IEstuaryPinning pinning, bytes calldata cid, bytes calldata provider)
        external
        view
        returns (bool)
    {
        return DaoStorage.isProvider(s.cids[Cids.hashOf(cid)].dealId, pinning, provider);
    }

    /// @notice See IDataDAO.
    function collectRefunds(IExecutionProvider provider, IEstuaryPinning pinning) external returns (uint256 amount) {
        IPerpetualStorage deals = IDealDesk(address(pinning)).perpetualStorage();
        if (address(deals) != address(0) && deals.creditOf(address(this)) != 0) {
            amount = deals.withdrawEarned(address(this));
            if (provider.creditOf(address(this)) == 0) return amount;
        }
        amount += provider.withdraw(payable(address(this))); // reverts where nothing was credited anywhere
    }

    function _add(DaoState storage s, IEstuaryPinning pinning, Order memory o, bytes calldata data)
        private
        returns (bytes32 requestId)
    {
        if (s.cids[o.cidHash].proposalId != 0) revert IDataDAO.DataDAO_CidAlreadySet(o.cidHash);
        uint64 size = Dao.proposalOf(o.id).size;
        s.cids[o.cidHash] = Accepted(uint48(o.id), size, 0);
        bytes memory cid = s.cidOf(o.id);
        // A piece is for storage alone: the node holds DAGs.
        if (PackedCid.isPiece(cid)) return 0;
        PinOptions memory options;
        options.maxBytes = size;
        if (data.length != 0) {
            AddData memory add = abi.decode(data, (AddData));
            options.origins = add.origins;
            options.expiry = add.expiry;
            if (add.store.length != 0) DaoStorage.open(s, pinning, o, add.store);
        }
        return _pin(s, pinning, o, cid, options);
    }

    function _remove(DaoState storage s, IEstuaryPinning pinning, Order memory o, bytes memory cid)
        private
        returns (bytes32 requestId)
    {
        DaoStorage.cancel(s.cids[o.cidHash].dealId, pinning);
        delete s.cids[o.cidHash];
        (IEstuaryPinning.PinStatus status,,) = pinning.statusOf(cid, address(this));
        if (status != IEstuaryPinning.PinStatus.Requested && status != IEstuaryPinning.PinStatus.Pinned) return 0;
        (uint256 fee,) = pinning.quoteUnpin();
        DaoTreasury.pay(s, o, fee);
        requestId = pinning.unpin{ value: fee }(cid);
    }

    /// @dev A pin that failed or expired is asked for anew.
    function _renew(DaoState storage s, IEstuaryPinning pinning, Order memory o, bytes memory cid, uint40 expiry)
        private
        returns (bytes32 requestId)
    {
        PinOptions memory options;
        options.maxBytes = s.cids[o.cidHash].size;
        options.expiry = expiry;
        (IEstuaryPinning.PinStatus status,,) = pinning.statusOf(cid, address(this));
        if (status != IEstuaryPinning.PinStatus.Pinned) return _pin(s, pinning, o, cid, options);
        (uint256 fee,) = pinning.quotePin(options.maxBytes, expiry);
        DaoTreasury.pay(s, o, fee);
        requestId = pinning.extend{ value: fee }(cid, options);
    }

    function _pin(
        DaoState storage s,
        IEstuaryPinning pinning,
        Order memory o,
        bytes memory cid,
        PinOptions memory options
    ) private returns (bytes32 requestId) {
        (uint256 fee,) = pinning.quotePin(options.maxBytes, options.expiry);
        DaoTreasury.pay(s, o, fee);
        requestId = pinning.pinToEstuary{ value: fee }(cid, options);
    }
}
