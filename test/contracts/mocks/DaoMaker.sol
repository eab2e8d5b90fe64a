// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DataDAO } from "../../../contracts/dao/DataDAO.sol";
import { DataDAOFactory } from "../../../contracts/dao/DataDAOFactory.sol";
import { IEstuaryPinning } from "../../../contracts/interfaces/IEstuaryPinning.sol";
import { IExecutionProvider } from "../../../contracts/interfaces/IExecutionProvider.sol";

/// @notice Makes the factory of DAOs, so that the tests need not carry their code.
contract DaoMaker {
    function make(IExecutionProvider provider, IEstuaryPinning pinning, uint32 callbackGas, uint40 term)
        external
        returns (DataDAOFactory)
    {
        return new DataDAOFactory(address(new DataDAO(provider, pinning, callbackGas, term)));
    }
}
