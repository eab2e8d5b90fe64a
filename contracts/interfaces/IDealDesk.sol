// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { CidHash } from "./IEstuaryPinning.sol";
import { Terms } from "./IExecutionProvider.sol";
import { DealTerms, IPerpetualStorage } from "./IPerpetualStorage.sol";

/// @notice What has become of an order of deals.
enum DealsState {
    None,
    Asked, // operators are asked for the piece
    Prepared, // they said which it is; anyone may open the deal
    Opened,
    Refunded
}

/// @title IDealDesk
/// @notice Deals for a CID, in one call: operators say which piece it is, and then anyone opens the deal, which belongs to the caller.
interface IDealDesk {
    event DealsRequested(
        bytes32 indexed requestId,
        CidHash indexed cidHash,
        address indexed client,
        uint64 seq,
        bytes cid,
        uint96 value,
        DealTerms terms
    );
    event DealsPrepared(bytes32 indexed requestId, uint64 seq, bytes pieceCid, uint64 paddedSize, uint64 carSize);
    event DealOpened(bytes32 indexed requestId, uint64 indexed dealId, address indexed client, uint64 seq);
    /// @notice There will be no deal; the escrow is the client's credit here.
    event DealsRefunded(bytes32 indexed requestId, address indexed client, uint64 seq, uint96 amount);
    event EscrowWithdrawn(address indexed account, uint64 seq, address to, uint256 amount);

    error EstuaryPinning_NoDeals();
    error EstuaryPinning_ValueTooLarge(uint256 value);
    error EstuaryPinning_WrongDealsState(bytes32 requestId, DealsState state);

    /// @notice Orders a deal. Of the value, `quoteDeals` pays the operators, and the rest is held and funds the deal.
    /// @param cid bytes; see PerpetualStorage for which are taken
    function makeDealsForCid(bytes calldata cid, DealTerms calldata terms) external payable returns (bytes32 requestId);
    /// @notice Opens the deal of an order that is Prepared. By anyone; CID and terms are those of its `DealsRequested`.
    function openDeal(bytes32 requestId, bytes calldata cid, DealTerms calldata terms) external returns (uint64 dealId);
    /// @notice Refunds an order that was not answered in time. By anyone.
    function settleDeals(Terms calldata terms) external;
    /// @notice Takes the escrow of a Prepared order back instead of opening it. By the client.
    function abandonDeals(bytes32 requestId) external;
    /// @notice Pays the caller's credit here to `to`.
    function withdrawEscrow(address to) external returns (uint256 amount);

    function quoteDeals() external view returns (uint96 fee);
    function dealsOf(bytes32 requestId)
        external
        view
        returns (
            DealsState state,
            address client,
            uint96 value,
            bytes memory pieceCid,
            uint64 paddedSize,
            uint64 carSize
        );
    function escrowCreditOf(address account) external view returns (uint256);
    function perpetualStorage() external view returns (IPerpetualStorage);
}
