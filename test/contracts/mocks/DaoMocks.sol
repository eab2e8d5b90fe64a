// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { DataDAO } from "../../../contracts/dao/DataDAO.sol";
import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import { ERC20 } from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import { ERC20Votes } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @notice A wallet that takes what its signer signed.
contract Wallet1271 is IERC1271 {
    address private immutable SIGNER;

    constructor(address signer) {
        SIGNER = signer;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return ECDSA.recover(hash, signature) == SIGNER ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @notice A token that votes, in the clock of blocks.
contract BlockToken is ERC20, ERC20Votes {
    constructor() ERC20("Blocks", "BLK") EIP712("Blocks", "1") { }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }
}

/// @notice The same in the clock of timestamps.
contract TimeToken is BlockToken {
    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }
}

/// @notice Calls a DAO again whenever the DAO pays it.
contract DaoGreedy {
    DataDAO private immutable DAO;
    bytes public err;

    constructor(DataDAO dao) {
        DAO = dao;
    }

    function execute(uint256 id) external payable {
        DAO.executeCIDProposal{ value: msg.value }(id);
    }

    function take() external {
        DAO.withdraw(payable(address(this)));
    }

    receive() external payable {
        try DAO.withdraw(payable(address(this))) { }
        catch (bytes memory e) {
            err = e;
        }
    }
}

/// @notice Executes, and takes no money.
contract DaoDeaf {
    DataDAO private immutable DAO;

    constructor(DataDAO dao) {
        DAO = dao;
    }

    function execute(uint256 id) external payable {
        DAO.executeCIDProposal{ value: msg.value }(id);
    }

    function take(address payable to) external {
        DAO.withdraw(to);
    }
}
