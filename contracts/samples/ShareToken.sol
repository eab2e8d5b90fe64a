// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Votes } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title ShareToken
/// @notice A token whose holders vote, with time as its clock: a sample, for StorageGovernor or a DataDAO by token.
/// @dev Who wants its balance to count calls `delegate(itself)` first. Epochs may be null on Filecoin, so that their number says little
/// about when; seconds do.
contract ShareToken is ERC20, ERC20Votes {
    /// @param supply all that there ever is, in 1e-18
    constructor(address[] memory holders, uint256 supply) ERC20("Share", "SHARE") EIP712("Share", "1") {
        for (uint256 i = 0; i < holders.length; ++i) {
            _mint(holders[i], supply / holders.length);
        }
    }

    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }
}
