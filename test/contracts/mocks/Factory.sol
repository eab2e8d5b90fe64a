// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { ProviderConfig } from "../../../contracts/interfaces/IEstuaryProvider.sol";
import { IExecutionProvider } from "../../../contracts/interfaces/IExecutionProvider.sol";
import { IPerpetualStorage } from "../../../contracts/interfaces/IPerpetualStorage.sol";
import { EstuaryProvider } from "../../../contracts/oracle/EstuaryProvider.sol";
import { EstuaryPinning, PinningConfig } from "../../../contracts/pinning/EstuaryPinning.sol";

/// @notice Makes the large contracts. It is the only test contract that carries their code, which the compiler would
/// otherwise optimise anew inside every test.
contract Factory {
    function provider(ProviderConfig memory config, address owner, address[] memory operators, uint8 k, uint64 cap)
        external
        returns (EstuaryProvider)
    {
        return new EstuaryProvider(config, owner, operators, k, cap);
    }

    function pinning(IExecutionProvider provider_, PinningConfig memory config) external returns (EstuaryPinning) {
        return new EstuaryPinning(provider_, config, IPerpetualStorage(address(0)));
    }

    function pinning(IExecutionProvider provider_, PinningConfig memory config, IPerpetualStorage deals)
        external
        returns (EstuaryPinning)
    {
        return new EstuaryPinning(provider_, config, deals);
    }
}
