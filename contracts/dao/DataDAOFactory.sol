// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DaoParams } from "../interfaces/IDataDAO.sol";
import { IDataDAOFactory } from "../interfaces/IDataDAOFactory.sol";
import { DataDAO } from "./DataDAO.sol";
import { Clones } from "@openzeppelin/contracts/proxy/Clones.sol";

/// @title DataDAOFactory
/// @notice See IDataDAOFactory. Nobody owns it.
contract DataDAOFactory is IDataDAOFactory {
    /// @inheritdoc IDataDAOFactory
    address public immutable implementation;
    /// @inheritdoc IDataDAOFactory
    mapping(address dao => bool) public isDAO;
    /// @inheritdoc IDataDAOFactory
    uint64 public nextSeq;
    address[] private _daos;

    error DataDAOFactory_NoImplementation();

    constructor(address implementation_) {
        if (implementation_.code.length == 0) revert DataDAOFactory_NoImplementation();
        implementation = implementation_;
    }

    /// @inheritdoc IDataDAOFactory
    function createDAO(DaoParams calldata params, address[] calldata founders, address token)
        external
        payable
        returns (address dao)
    {
        dao = Clones.clone(implementation);
        isDAO[dao] = true;
        _daos.push(dao);
        emit DaoCreated(dao, msg.sender, token, nextSeq++);
        DataDAO(payable(dao)).initialize{ value: msg.value }(params, msg.sender, founders, token);
    }

    /// @inheritdoc IDataDAOFactory
    function daoCount() external view returns (uint256) {
        return _daos.length;
    }

    /// @inheritdoc IDataDAOFactory
    function daoAt(uint256 index) external view returns (address) {
        return _daos[index];
    }
}
