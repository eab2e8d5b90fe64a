// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {
    Actions,
    IExecutionProvider,
    Report,
    RequestOptions,
    Terms
} from "../../../contracts/interfaces/IExecutionProvider.sol";
import { Oracle } from "../../../contracts/oracle/Oracle.sol";

/// @notice A consumer that does in its callback what the test tells it to.
contract Consumer is Oracle {
    enum Mood {
        Record,
        Revert,
        Bomb, // reverts with a megabyte
        BombSuccess, // succeeds with a megabyte
        BurnAll,
        Call // makes `reentry`
    }

    Mood public mood;
    address private _target;
    bytes public reentry;
    bytes public reentryError;

    uint256 public calls;
    mapping(bytes32 requestId => uint256) public callsOf;
    bytes32 public lastId;
    bytes public lastContext;
    uint8 public lastOutcome;
    uint8 public lastReason;
    bytes public lastResult;
    uint256 public gasSeen;

    error Consumer_Refuses(uint256 code);

    constructor(IExecutionProvider provider_) Oracle(provider_) { }

    function setMood(Mood mood_) external {
        mood = mood_;
    }

    function setReentry(address target, bytes calldata data) external {
        mood = Mood.Call;
        _target = target;
        reentry = data;
    }

    function ask(bytes calldata context, RequestOptions calldata options) external payable returns (bytes32) {
        return _request(Actions.UNPIN, 0, 0, hex"01", context, options, msg.value);
    }

    function askQuoted(bytes calldata context, RequestOptions calldata options) external returns (bytes32, uint96) {
        return _requestQuoted(Actions.UNPIN, 0, 0, hex"01", context, options);
    }

    function cancel(Terms calldata terms) external {
        _cancel(terms);
    }

    function refund(Terms calldata terms) external returns (uint96) {
        return _refund(terms);
    }

    function withdrawCredit(address payable to) external returns (uint256) {
        return _withdrawCredit(to);
    }

    function _onResult(bytes32 id, bytes calldata context, uint8 outcome, uint8 reason, bytes calldata result)
        internal
        override
    {
        gasSeen = gasleft();
        if (mood == Mood.Revert) revert Consumer_Refuses(42);
        if (mood == Mood.BurnAll) {
            assembly {
                invalid()
            }
        }
        if (mood == Mood.Bomb) {
            assembly {
                revert(0, 0x100000)
            }
        }
        ++calls;
        ++callsOf[id];
        (lastId, lastContext, lastOutcome, lastReason, lastResult) = (id, context, outcome, reason, result);
        if (mood == Mood.BombSuccess) {
            assembly {
                return(0, 0x100000)
            }
        }
        if (mood == Mood.Call) {
            (bool ok, bytes memory err) = _target.call(reentry);
            if (!ok) reentryError = err;
        }
    }

    receive() external payable { }
}

/// @notice Takes no money.
contract Miser {
    function withdrawFrom(IExecutionProvider provider) external {
        provider.withdraw(payable(address(this)));
    }
}

/// @notice Tries to be paid twice by asking again when it is paid.
contract Greedy {
    IExecutionProvider private immutable PROVIDER;
    bytes public err;

    constructor(IExecutionProvider provider) {
        PROVIDER = provider;
    }

    function take() external {
        PROVIDER.withdraw(payable(address(this)));
    }

    receive() external payable {
        try PROVIDER.withdraw(payable(address(this))) { }
        catch (bytes memory e) {
            err = e;
        }
    }
}
