// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice Money to deposit: the part of ERC-20 that a deposit needs.
contract Coin {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    uint256 public totalSupply;

    constructor(uint256 supply) {
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        allowance[from][msg.sender] -= value;
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
        return true;
    }
}

/// @notice Accounts that are paid into in a token, with what a payment rail keeps of
/// each: funds, what is locked of them, the rate, and when that was settled. Its deposit
/// does what FilecoinPay's does, whose gas is published.
contract Payments {
    struct Account {
        uint256 funds;
        uint256 lockupCurrent;
        uint256 lockupRate;
        uint256 lockupLastSettledAt;
    }

    event DepositRecorded(address indexed token, address indexed from, address indexed to, uint256 amount);
    event AccountLockupSettled(
        address indexed token, address indexed owner, uint256 lockupCurrent, uint256 lockupRate, uint256 settledAt
    );

    error NoAmount();
    error NotPaid(uint256 wanted, uint256 got);
    error Reentered();

    mapping(address token => mapping(address owner => Account)) public accounts;
    uint256 private entered = 1;

    function deposit(address token, address to, uint256 amount) external {
        if (entered != 1) revert Reentered();
        entered = 2;
        if (amount == 0) revert NoAmount();
        Account storage account = accounts[token][to];
        uint256 due = account.lockupRate * (block.number - account.lockupLastSettledAt);
        account.lockupCurrent += due;
        account.lockupLastSettledAt = block.number;
        emit AccountLockupSettled(token, to, account.lockupCurrent, account.lockupRate, block.number);

        uint256 before = Coin(token).balanceOf(address(this));
        require(Coin(token).transferFrom(msg.sender, address(this), amount));
        uint256 got = Coin(token).balanceOf(address(this)) - before;
        if (got < amount) revert NotPaid(amount, got);
        account.funds += got;
        emit DepositRecorded(token, msg.sender, to, got);
        entered = 1;
    }
}
