// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import { DaoParams } from "./IDataDAO.sol";

/// @title IDataDAOFactory
/// @notice Makes DAOs: small proxies (EIP-1167) of one implementation that nobody can change.
interface IDataDAOFactory {
    event DaoCreated(address indexed dao, address indexed owner, address indexed token, uint64 seq);

    /// @notice Makes a DAO of the caller in one transaction. The value is its first treasury.
    /// @param founders members from the start, for a DAO with a register; at most 64, the caller only if listed
    /// @param token whose holders vote (IVotes); 0 for a register
    function createDAO(DaoParams calldata params, address[] calldata founders, address token)
        external
        payable
        returns (address dao);

    function implementation() external view returns (address);
    function daoCount() external view returns (uint256);
    /// @notice DAO number `index`, from 0.
    function daoAt(uint256 index) external view returns (address);
    function isDAO(address dao) external view returns (bool);
    function nextSeq() external view returns (uint64);
}
