// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IOperatorSet
/// @notice Who may sign reports: k of n, changed only with a delay.
/// @dev EIP-712 domain: name "Tidegate", version "1", chainId, verifyingContract = the provider.
/// `ReportBatch(bytes32 configDigest,ReportItem[] reports)ReportItem(bytes32 requestId,uint8 outcome,uint8 reason,bytes32 resultHash)`
/// with `resultHash = keccak256(result)`.
interface IOperatorSet {
    /// @notice A configuration was announced; it is active from `activeAt`.
    event OperatorsProposed(
        bytes32 indexed configDigest, uint64 seq, address[] operators, uint8 threshold, uint40 activeAt
    );
    /// @notice A configuration is in force; the one before may still answer until `drainUntil`.
    event OperatorsActivated(bytes32 indexed configDigest, uint64 seq, bytes32 previous, uint40 drainUntil);

    error OperatorSet_BadThreshold(uint256 threshold, uint256 operators);
    error OperatorSet_OperatorsUnsorted();
    error OperatorSet_ZeroOperator();
    error OperatorSet_TooManyOperators(uint256 operators, uint256 most);
    error OperatorSet_NothingProposed();
    error OperatorSet_TooEarly(uint40 activeAt);
    error OperatorSet_UnknownConfig(bytes32 configDigest);
    error OperatorSet_SignaturesUnsorted();
    error OperatorSet_NotAnOperator(address signer);
    error OperatorSet_WrongSignatureCount(uint256 given, uint256 threshold);

    /// @notice Announces the next configuration (owner). Operators ascending by address.
    function proposeOperators(address[] calldata operators, uint8 threshold) external returns (bytes32 configDigest);
    /// @notice Puts the announced configuration in force after its delay. By anyone.
    function activateOperators() external;
    function configDigest() external view returns (bytes32);
    function operators() external view returns (address[] memory);
    function threshold() external view returns (uint8);
}
