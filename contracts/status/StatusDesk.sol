// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { Epochs } from "../fvm/Epochs.sol";
import { DealRef, IDealStatusOracle } from "../interfaces/IDealStatusOracle.sol";
import { Actions, IExecutionProvider, Outcomes, RequestOptions } from "../interfaces/IExecutionProvider.sol";
import { IStatusDesk } from "../interfaces/IStatusDesk.sol";
import { Oracle } from "../oracle/Oracle.sol";

/// @title StatusDesk
/// @notice See IStatusDesk. It holds no money and has no owner.
contract StatusDesk is IStatusDesk, Oracle {
    uint40 private constant ANSWER_WITHIN = 1 hours; // beyond the provider's least

    IDealStatusOracle public immutable status;
    uint64 public nextSeq;
    mapping(bytes32 refHash => Answer) private _answers;

    constructor(IExecutionProvider provider_, IDealStatusOracle status_) Oracle(provider_) {
        status = status_;
    }

    /// @inheritdoc IStatusDesk
    function quote(uint32 callbackGas) external view returns (uint96 fee) {
        (fee,) = _quote(Actions.DEAL_STATUS, 0, 0, callbackGas);
    }

    /// @inheritdoc IStatusDesk
    function ask(DealRef calldata ref, uint32 callbackGas, address refundTo)
        external
        payable
        returns (bytes32 requestId)
    {
        if (refundTo == address(0)) revert StatusDesk_NoRefundee();
        bytes32 hash = status.refHashOf(ref);
        RequestOptions memory options = RequestOptions({
            callbackGas: callbackGas,
            deadline: uint40(block.timestamp) + provider.minDeadline() + ANSWER_WITHIN,
            refundTo: refundTo
        });
        bytes memory payload = abi.encode(ref);
        requestId = _request(Actions.DEAL_STATUS, 0, 0, payload, payload, options, msg.value);
        emit StatusRequested(requestId, hash, msg.sender, nextSeq++, ref);
    }

    /// @inheritdoc IStatusDesk
    function answerOf(DealRef calldata ref) external view returns (Answer memory) {
        return _answers[status.refHashOf(ref)];
    }

    /// @dev The result is `abi.encode(uint8 word, uint64 epoch, bytes location)`; a word above the last status says that operators
    /// do not know.
    function _onResult(bytes32 requestId, bytes calldata context, uint8 outcome, uint8 reason, bytes calldata result)
        internal
        override
    {
        DealRef memory ref = abi.decode(context, (DealRef));
        bytes32 hash = status.refHashOf(ref);
        if (outcome != Outcomes.SUCCEEDED) {
            emit StatusUnknown(requestId, hash, nextSeq++, reason);
            return;
        }
        (uint8 word, uint64 at, bytes memory location) = abi.decode(result, (uint8, uint64, bytes));
        status.refresh(ref, location);
        (IDealStatusOracle.Status found, uint64 epoch,) = status.statusOf(ref);
        if (status.isFresh(ref, 0)) {
            _keep(requestId, hash, Answer(found, epoch, true));
        } else if (word <= uint8(type(IDealStatusOracle.Status).max) && at <= Epochs.current()) {
            _keep(requestId, hash, Answer(IDealStatusOracle.Status(word), at, false));
        } else {
            emit StatusUnknown(requestId, hash, nextSeq++, reason);
        }
    }

    /// @dev What is older than what is known is told, and not kept.
    function _keep(bytes32 requestId, bytes32 hash, Answer memory a) private {
        if (a.epoch >= _answers[hash].epoch) _answers[hash] = a;
        emit StatusAnswered(requestId, hash, a.status, nextSeq++, a.epoch, a.proven);
    }
}
