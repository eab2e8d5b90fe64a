// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DealRef, IDealStatusOracle } from "../interfaces/IDealStatusOracle.sol";

/// @title StoragePrize
/// @notice Pays whoever was promised it once a piece is shown to be stored at or after a certain epoch: a sample of how to use
/// DealStatusOracle.
/// @dev Three things to copy. The status is asked of the actors *in the same call* (`refresh`), so that nobody can be paid for what was
/// true last week. The epoch that counts is the one at which the status held, not the one of the call. And what cannot be shown goes
/// back, after a deadline: a question without an answer never holds money for ever.
contract StoragePrize {
    struct Prize {
        address sponsor;
        address payable to;
        uint96 amount; // 0 once it was paid or taken back
        uint64 heldAt; // epoch from which the piece must be found stored
        uint64 deadline; // epoch from which the sponsor may take it back
        DealRef ref;
    }

    event PrizeOffered(uint256 indexed prize, address indexed sponsor, address indexed to, uint96 amount, DealRef ref);
    event PrizePaid(uint256 indexed prize, address indexed to, uint96 amount, uint64 foundAt);
    event PrizeTakenBack(uint256 indexed prize, address indexed sponsor, uint96 amount);

    error StoragePrize_BadTerms();
    error StoragePrize_Over(uint256 prize);
    error StoragePrize_NotStored(IDealStatusOracle.Status status, uint64 epoch);
    error StoragePrize_TooEarly(uint64 epoch);
    error StoragePrize_TransferFailed(address to);

    IDealStatusOracle public immutable status;
    Prize[] private _prizes;

    constructor(IDealStatusOracle status_) {
        status = status_;
    }

    /// @notice Offers the value to `to` for a deal or a sector that is still stored at epoch `heldAt`.
    function offer(DealRef calldata ref, address payable to, uint64 heldAt, uint64 deadline)
        external
        payable
        returns (uint256 prize)
    {
        if (msg.value == 0 || msg.value > type(uint96).max || to == address(0) || deadline <= heldAt) {
            revert StoragePrize_BadTerms();
        }
        prize = _prizes.length;
        _prizes.push(Prize(msg.sender, to, uint96(msg.value), heldAt, deadline, ref));
        emit PrizeOffered(prize, msg.sender, to, uint96(msg.value), ref);
    }

    /// @notice Asks the actors, and pays if they say that it is stored. By anyone, also after the deadline as long as it is there.
    /// @param location of the sector, as the miner actor's GenerateSectorLocation gives it; for a deal it may be empty
    function claim(uint256 prize, bytes calldata location) external {
        Prize memory p = _prizes[prize];
        if (p.amount == 0) revert StoragePrize_Over(prize);
        status.refresh(p.ref, location);
        // What the actors did not answer changes nothing: then this is an old status, with its old epoch.
        (IDealStatusOracle.Status found, uint64 epoch,) = status.statusOf(p.ref);
        if (found != IDealStatusOracle.Status.Active || epoch < p.heldAt) revert StoragePrize_NotStored(found, epoch);
        _prizes[prize].amount = 0;
        emit PrizePaid(prize, p.to, p.amount, epoch);
        _pay(p.to, p.amount);
    }

    /// @notice Gives an unclaimed prize back to its sponsor, from the deadline on. By anyone.
    function takeBack(uint256 prize) external {
        Prize memory p = _prizes[prize];
        if (p.amount == 0) revert StoragePrize_Over(prize);
        if (block.number < p.deadline) revert StoragePrize_TooEarly(p.deadline);
        _prizes[prize].amount = 0;
        emit PrizeTakenBack(prize, p.sponsor, p.amount);
        _pay(payable(p.sponsor), p.amount);
    }

    function prizeOf(uint256 prize) external view returns (Prize memory) {
        return _prizes[prize];
    }

    function _pay(address payable to, uint256 amount) private {
        (bool sent,) = to.call{ value: amount }("");
        if (!sent) revert StoragePrize_TransferFailed(to);
    }
}
