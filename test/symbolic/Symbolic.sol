// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice The cheat codes of Foundry that halmos knows and these checks use.
interface Vm {
    function assume(bool condition) external pure;
    function etch(address account, bytes calldata code) external;
    function prank(address sender) external;
    function roll(uint256 block_) external;
}

/// @notice What all symbolic checks start from. Every parameter of a `check_` stands for all its values at once.
abstract contract Symbolic {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev Gives a library the code that links to it expect at its place; see `libraries` in foundry.toml.
    function _place(address at, bytes memory creation) internal {
        address made;
        assembly ("memory-safe") {
            made := create(0, add(creation, 32), mload(creation))
        }
        vm.etch(at, made.code);
    }
}
