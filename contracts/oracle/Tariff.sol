// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import { IEstuaryProvider, Price, ProviderConfig } from "../interfaces/IEstuaryProvider.sol";
import { IExecutionProvider } from "../interfaces/IExecutionProvider.sol";
import { OperatorSet } from "./OperatorSet.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Tariff
/// @notice On what terms a provider works: what it was built with, what its owner prices, and whether it takes requests.
/// @dev Nothing here touches a request that was made: its fee is in its terms.
abstract contract Tariff is IEstuaryProvider, OperatorSet {
    uint16 public constant MAX_ATTEMPT_BPS = 1000;
    uint64 public constant MAX_GAS_PRICE_CAP = 10_000 gwei;

    uint256 private constant MAX_DELAY = 60 days;
    uint256 private constant MONTH = 30 days;
    uint256 private constant MIB = 1 << 20;

    /// @inheritdoc IExecutionProvider
    uint40 public immutable minDeadline;
    /// @inheritdoc IExecutionProvider
    uint40 public immutable cancelDelay;
    /// @inheritdoc IExecutionProvider
    uint40 public immutable minAttempt;
    /// @inheritdoc IExecutionProvider
    uint32 public immutable maxCallbackGas;

    uint40 internal immutable MAX_DEADLINE;
    uint32 internal immutable CALL_OVERHEAD;
    uint32 internal immutable REPORT_GAS;
    uint32 internal immutable BASE_GAS;
    uint16 internal immutable BYTE_GAS;

    mapping(uint16 action => Price) private _prices;

    constructor(ProviderConfig memory c, uint64 gasPriceCap_) {
        _checkConfig(c);
        minDeadline = c.minDeadline;
        MAX_DEADLINE = c.maxDeadline;
        cancelDelay = c.cancelDelay;
        minAttempt = c.minAttempt;
        maxCallbackGas = c.maxCallbackGas;
        CALL_OVERHEAD = c.callOverhead;
        REPORT_GAS = c.reportGas;
        BASE_GAS = c.baseGas;
        BYTE_GAS = c.byteGas;
        _setGasPriceCap(gasPriceCap_);
    }

    /// @inheritdoc IEstuaryProvider
    function setPrice(uint16 action, Price calldata price) external onlyOwner nonReentrant {
        if (price.attemptBps > MAX_ATTEMPT_BPS) revert EstuaryProvider_PriceOutOfRange();
        _prices[action] = price;
        emit PriceChanged(action, _takeSeq(), price);
    }

    /// @inheritdoc IEstuaryProvider
    function setGasPriceCap(uint64 gasPriceCap_) external onlyOwner nonReentrant {
        _setGasPriceCap(gasPriceCap_);
    }

    /// @inheritdoc IEstuaryProvider
    function setIntakePaused(bool paused) external onlyOwner nonReentrant {
        _head = _head.withPaused(paused);
        emit IntakePausedChanged(_takeSeq(), paused);
    }

    /// @inheritdoc IExecutionProvider
    function quote(uint16 action, uint64 maxBytes, uint40 expiry, uint32 callbackGas)
        external
        view
        returns (uint96 fee, uint96 attemptFee)
    {
        return _quote(action, maxBytes, expiry, callbackGas, _head.gasPriceCap());
    }

    /// @inheritdoc IEstuaryProvider
    function priceOf(uint16 action) external view returns (Price memory) {
        return _prices[action];
    }

    /// @inheritdoc IEstuaryProvider
    function gasPriceCap() external view returns (uint64) {
        return _head.gasPriceCap();
    }

    /// @inheritdoc IEstuaryProvider
    function intakePaused() external view returns (bool) {
        return _head.paused();
    }

    /// @inheritdoc IEstuaryProvider
    function config() external view returns (ProviderConfig memory) {
        return ProviderConfig({
            minDeadline: minDeadline,
            maxDeadline: MAX_DEADLINE,
            cancelDelay: cancelDelay,
            minAttempt: minAttempt,
            activationDelay: ACTIVATION_DELAY,
            drainWindow: DRAIN_WINDOW,
            maxCallbackGas: maxCallbackGas,
            callOverhead: CALL_OVERHEAD,
            reportGas: REPORT_GAS,
            baseGas: BASE_GAS,
            byteGas: BYTE_GAS
        });
    }

    function _quote(uint16 action, uint64 maxBytes, uint40 expiry, uint32 callbackGas, uint256 cap)
        internal
        view
        returns (uint96 fee, uint96 attemptFee)
    {
        // base 96 | perMiB 64 | perMiBMonth 64 | attemptBps 16 | offered 8, least first: one read instead of five.
        Price storage price = _prices[action];
        uint256 word;
        assembly ("memory-safe") {
            word := sload(price.slot)
        }
        if (word >> 240 == 0) revert EstuaryProvider_NotOffered(action);
        uint256 total;
        unchecked {
            // Nothing overflows: the largest term is below 2^44 · 2^64 · 2^40.
            uint256 mebibytes = (uint256(maxBytes) + MIB - 1) / MIB;
            uint256 term = expiry > block.timestamp ? expiry - block.timestamp : 0;
            total = uint96(word) + mebibytes * uint64(word >> 96) + (mebibytes * uint64(word >> 160) * term + MONTH - 1)
                / MONTH + callbackGas * cap;
            fee = SafeCast.toUint96(total);
            attemptFee =
                uint96(Math.min(total * uint16(word >> 224) / 10_000, (uint256(REPORT_GAS) + callbackGas) * cap));
        }
    }

    function _setGasPriceCap(uint64 gasPriceCap_) private {
        if (gasPriceCap_ == 0 || gasPriceCap_ > MAX_GAS_PRICE_CAP) {
            revert EstuaryProvider_GasPriceCapOutOfRange(gasPriceCap_, MAX_GAS_PRICE_CAP);
        }
        _head = _head.withGasPriceCap(gasPriceCap_);
        emit GasPriceCapChanged(_takeSeq(), gasPriceCap_);
    }

    function _checkConfig(ProviderConfig memory c) private pure {
        if (c.minDeadline == 0 || c.minDeadline > MAX_DELAY) revert EstuaryProvider_ConfigOutOfRange("minDeadline");
        if (c.maxDeadline < c.minDeadline || c.maxDeadline > 2 * MAX_DELAY) {
            revert EstuaryProvider_ConfigOutOfRange("maxDeadline");
        }
        if (c.cancelDelay == 0 || c.cancelDelay > MAX_DELAY) revert EstuaryProvider_ConfigOutOfRange("cancelDelay");
        if (c.minAttempt > c.minDeadline) revert EstuaryProvider_ConfigOutOfRange("minAttempt");
        if (c.activationDelay > MAX_DELAY) revert EstuaryProvider_ConfigOutOfRange("activationDelay");
        if (c.drainWindow > MAX_DELAY) revert EstuaryProvider_ConfigOutOfRange("drainWindow");
        if (c.maxCallbackGas == 0) revert EstuaryProvider_ConfigOutOfRange("maxCallbackGas");
        if (c.callOverhead == 0) revert EstuaryProvider_ConfigOutOfRange("callOverhead");
    }
}
