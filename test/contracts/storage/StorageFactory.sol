// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IExecutionProvider } from "../../../contracts/interfaces/IExecutionProvider.sol";
import { PerpetualStorage, StorageConfig } from "../../../contracts/storage/PerpetualStorage.sol";

/// @notice Makes PerpetualStorage for tests: its code is compiled here and nowhere else among them.
contract StorageFactory {
    function make(IExecutionProvider provider, StorageConfig memory config) external returns (PerpetualStorage) {
        return new PerpetualStorage(provider, config);
    }
}
