// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { FilAddress } from "../fvm/FilAddress.sol";
import { PieceCid } from "../fvm/PieceCid.sol";
import { Attested, CidAction, IDataDAO, StoreData } from "../interfaces/IDataDAO.sol";
import { IDealDesk } from "../interfaces/IDealDesk.sol";
import { CidHash, IEstuaryPinning } from "../interfaces/IEstuaryPinning.sol";
import { IPerpetualStorage } from "../interfaces/IPerpetualStorage.sol";
import { Cids } from "../pinning/Cids.sol";
import { Accepted, Dao, DaoState } from "./DaoState.sol";
import { DaoTreasury, Order } from "./DaoTreasury.sol";

/// @title DaoStorage
/// @notice Deals of a DAO. It owns one at most for each accepted CID, with the piece that operators attested for the very proposal by
/// which the CID was accepted; there is no other way by which a DAO makes one. What providers then offer for it, StorageGate
/// authorises for a slot of that deal alone, at no price of f05's.
library DaoStorage {
    using Dao for DaoState;

    /// @notice Makes the deal of an accepted CID.
    function open(DaoState storage s, IEstuaryPinning pinning, Order memory o, bytes memory data) internal {
        Accepted memory a = s.cids[o.cidHash];
        if (a.dealId != 0) revert IDataDAO.DataDAO_AlreadyStored(o.cidHash, a.dealId);
        Attested memory is_ = s.attested[a.proposalId];
        if (is_.size == 0) revert IDataDAO.DataDAO_NotAttested(a.proposalId);
        if (is_.size != a.size) revert IDataDAO.DataDAO_WrongSize(a.size, is_.size);
        StoreData memory d = abi.decode(data, (StoreData));
        DaoTreasury.pay(s, o, d.amount);
        uint64 dealId = at(pinning).createDeal{ value: d.amount }(
            s.cidOf(a.proposalId), PieceCid.v1(is_.commitment), is_.paddedSize, is_.carSize, d.terms
        );
        s.cids[o.cidHash].dealId = dealId;
        emit IDataDAO.StorageOpened(o.id, o.cidHash, dealId, s.takeSeq(), d.amount);
    }

    /// @notice Changes the deal of an accepted CID.
    function change(DaoState storage s, IEstuaryPinning pinning, Order memory o, bytes memory data) internal {
        uint64 dealId = s.cids[o.cidHash].dealId;
        if (dealId == 0) revert IDataDAO.DataDAO_NotStored(o.cidHash);
        IPerpetualStorage deals = at(pinning);
        if (o.action == CidAction.ChangeBounty) {
            (uint80 baseBounty, uint32 ramp) = abi.decode(data, (uint80, uint32));
            deals.changeBounty(dealId, baseBounty, ramp);
        } else if (o.action == CidAction.ChangeReplicas) {
            deals.changeReplicas(dealId, abi.decode(data, (uint8)));
        } else {
            (uint96 amount, uint32 endEpoch) = abi.decode(data, (uint96, uint32));
            deals.changeEndEpoch(dealId, endEpoch);
            if (amount == 0) return;
            DaoTreasury.pay(s, o, amount);
            deals.fund{ value: amount }(dealId);
        }
    }

    /// @notice No slot of the deal opens any more; what is not reserved is the DAO's credit, which `collectRefunds` brings in.
    function cancel(uint64 dealId, IEstuaryPinning pinning) internal {
        if (dealId != 0) at(pinning).cancel(dealId);
    }

    /// @notice Whether a miner, by any of its addresses, has an active slot of the deal.
    function isProvider(uint64 dealId, IEstuaryPinning pinning, bytes memory provider) internal view returns (bool) {
        if (dealId == 0) return false;
        (bool known, uint64 id) = FilAddress.readId(provider);
        if (!known) (known, id) = FilAddress.resolve(provider);
        if (!known) return false;
        (uint64[] memory miners,) = at(pinning).sourcesOf(dealId); // at most two a replica
        for (uint256 i = 0; i < miners.length; ++i) {
            if (miners[i] == id) return true;
        }
        return false;
    }

    /// @notice The contract of deals, which is the one that EstuaryPinning makes deals with.
    function at(IEstuaryPinning pinning) internal view returns (IPerpetualStorage deals) {
        deals = IDealDesk(address(pinning)).perpetualStorage();
        if (address(deals) == address(0)) revert IDataDAO.DataDAO_NoStorage();
    }
}
