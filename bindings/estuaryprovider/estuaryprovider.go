// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package estuaryprovider

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// Price is an auto generated low-level Go binding around an user-defined struct.
type Price struct {
	Base        *big.Int
	PerMiB      uint64
	PerMiBMonth uint64
	AttemptBps  uint16
	Offered     bool
}

// ProviderConfig is an auto generated low-level Go binding around an user-defined struct.
type ProviderConfig struct {
	MinDeadline     *big.Int
	MaxDeadline     *big.Int
	CancelDelay     *big.Int
	MinAttempt      *big.Int
	ActivationDelay *big.Int
	DrainWindow     *big.Int
	MaxCallbackGas  uint32
	CallOverhead    uint32
	ReportGas       uint32
	BaseGas         uint32
	ByteGas         uint16
}

// Report is an auto generated low-level Go binding around an user-defined struct.
type Report struct {
	Terms   Terms
	Outcome uint8
	Reason  uint8
	Result  []byte
	Context []byte
}

// RequestOptions is an auto generated low-level Go binding around an user-defined struct.
type RequestOptions struct {
	CallbackGas uint32
	Deadline    *big.Int
	RefundTo    common.Address
}

// Terms is an auto generated low-level Go binding around an user-defined struct.
type Terms struct {
	Seq          uint64
	Consumer     common.Address
	Action       uint16
	CallbackGas  uint32
	Deadline     *big.Int
	AttemptUntil *big.Int
	RefundTo     common.Address
	Fee          *big.Int
	AttemptFee   *big.Int
	PayloadHash  [32]byte
	ContextHash  [32]byte
}

// EstuaryProviderMetaData contains all meta data concerning the EstuaryProvider contract.
var EstuaryProviderMetaData = bind.MetaData{
	ABI: "[{\"type\":\"constructor\",\"inputs\":[{\"name\":\"config_\",\"type\":\"tuple\",\"internalType\":\"structProviderConfig\",\"components\":[{\"name\":\"minDeadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"maxDeadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"cancelDelay\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"minAttempt\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"activationDelay\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"drainWindow\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"maxCallbackGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"callOverhead\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"reportGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"baseGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"byteGas\",\"type\":\"uint16\",\"internalType\":\"uint16\"}]},{\"name\":\"owner_\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"operators_\",\"type\":\"address[]\",\"internalType\":\"address[]\"},{\"name\":\"threshold_\",\"type\":\"uint8\",\"internalType\":\"uint8\"},{\"name\":\"gasPriceCap_\",\"type\":\"uint64\",\"internalType\":\"uint64\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"MAX_ATTEMPT_BPS\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint16\",\"internalType\":\"uint16\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"MAX_CONTEXT\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"MAX_GAS_PRICE_CAP\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint64\",\"internalType\":\"uint64\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"MAX_OPERATORS\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"MAX_PAYLOAD\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"MAX_RESULT\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"acceptOwnership\",\"inputs\":[],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"activateOperators\",\"inputs\":[],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"cancel\",\"inputs\":[{\"name\":\"terms\",\"type\":\"tuple\",\"internalType\":\"structTerms\",\"components\":[{\"name\":\"seq\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"consumer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"action\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"callbackGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"deadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"attemptUntil\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"refundTo\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"fee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"attemptFee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"payloadHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"contextHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"cancelDelay\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"config\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"tuple\",\"internalType\":\"structProviderConfig\",\"components\":[{\"name\":\"minDeadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"maxDeadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"cancelDelay\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"minAttempt\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"activationDelay\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"drainWindow\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"maxCallbackGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"callOverhead\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"reportGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"baseGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"byteGas\",\"type\":\"uint16\",\"internalType\":\"uint16\"}]}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"configDigest\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"creditOf\",\"inputs\":[{\"name\":\"account\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"eip712Domain\",\"inputs\":[],\"outputs\":[{\"name\":\"fields\",\"type\":\"bytes1\",\"internalType\":\"bytes1\"},{\"name\":\"name\",\"type\":\"string\",\"internalType\":\"string\"},{\"name\":\"version\",\"type\":\"string\",\"internalType\":\"string\"},{\"name\":\"chainId\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"verifyingContract\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"salt\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"extensions\",\"type\":\"uint256[]\",\"internalType\":\"uint256[]\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"fulfill\",\"inputs\":[{\"name\":\"configDigest_\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"reports\",\"type\":\"tuple[]\",\"internalType\":\"structReport[]\",\"components\":[{\"name\":\"terms\",\"type\":\"tuple\",\"internalType\":\"structTerms\",\"components\":[{\"name\":\"seq\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"consumer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"action\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"callbackGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"deadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"attemptUntil\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"refundTo\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"fee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"attemptFee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"payloadHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"contextHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]},{\"name\":\"outcome\",\"type\":\"uint8\",\"internalType\":\"uint8\"},{\"name\":\"reason\",\"type\":\"uint8\",\"internalType\":\"uint8\"},{\"name\":\"result\",\"type\":\"bytes\",\"internalType\":\"bytes\"},{\"name\":\"context\",\"type\":\"bytes\",\"internalType\":\"bytes\"}]},{\"name\":\"signatures\",\"type\":\"bytes[]\",\"internalType\":\"bytes[]\"}],\"outputs\":[{\"name\":\"applied\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"gasPriceCap\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint64\",\"internalType\":\"uint64\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"idOf\",\"inputs\":[{\"name\":\"terms\",\"type\":\"tuple\",\"internalType\":\"structTerms\",\"components\":[{\"name\":\"seq\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"consumer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"action\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"callbackGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"deadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"attemptUntil\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"refundTo\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"fee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"attemptFee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"payloadHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"contextHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]}],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"intakePaused\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"bool\",\"internalType\":\"bool\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"maxCallbackGas\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint32\",\"internalType\":\"uint32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"minAttempt\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"minDeadline\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"nextSeq\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint64\",\"internalType\":\"uint64\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"operators\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"address[]\",\"internalType\":\"address[]\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"owner\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"address\",\"internalType\":\"address\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"pendingOwner\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"address\",\"internalType\":\"address\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"priceOf\",\"inputs\":[{\"name\":\"action\",\"type\":\"uint16\",\"internalType\":\"uint16\"}],\"outputs\":[{\"name\":\"\",\"type\":\"tuple\",\"internalType\":\"structPrice\",\"components\":[{\"name\":\"base\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"perMiB\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"perMiBMonth\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"attemptBps\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"offered\",\"type\":\"bool\",\"internalType\":\"bool\"}]}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"proposeOperators\",\"inputs\":[{\"name\":\"operators_\",\"type\":\"address[]\",\"internalType\":\"address[]\"},{\"name\":\"threshold_\",\"type\":\"uint8\",\"internalType\":\"uint8\"}],\"outputs\":[{\"name\":\"\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"proposedOperators\",\"inputs\":[],\"outputs\":[{\"name\":\"digest\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"operators_\",\"type\":\"address[]\",\"internalType\":\"address[]\"},{\"name\":\"threshold_\",\"type\":\"uint8\",\"internalType\":\"uint8\"},{\"name\":\"activeAt\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"quote\",\"inputs\":[{\"name\":\"action\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"maxBytes\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"expiry\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"callbackGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"}],\"outputs\":[{\"name\":\"fee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"attemptFee\",\"type\":\"uint96\",\"internalType\":\"uint96\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"refund\",\"inputs\":[{\"name\":\"terms\",\"type\":\"tuple\",\"internalType\":\"structTerms\",\"components\":[{\"name\":\"seq\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"consumer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"action\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"callbackGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"deadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"attemptUntil\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"refundTo\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"fee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"attemptFee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"payloadHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"contextHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]}],\"outputs\":[{\"name\":\"amount\",\"type\":\"uint96\",\"internalType\":\"uint96\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"renounceOwnership\",\"inputs\":[],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"request\",\"inputs\":[{\"name\":\"action\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"maxBytes\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"expiry\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"payload\",\"type\":\"bytes\",\"internalType\":\"bytes\"},{\"name\":\"context\",\"type\":\"bytes\",\"internalType\":\"bytes\"},{\"name\":\"options\",\"type\":\"tuple\",\"internalType\":\"structRequestOptions\",\"components\":[{\"name\":\"callbackGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"deadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"refundTo\",\"type\":\"address\",\"internalType\":\"address\"}]}],\"outputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"payable\"},{\"type\":\"function\",\"name\":\"retryCallback\",\"inputs\":[{\"name\":\"report\",\"type\":\"tuple\",\"internalType\":\"structReport\",\"components\":[{\"name\":\"terms\",\"type\":\"tuple\",\"internalType\":\"structTerms\",\"components\":[{\"name\":\"seq\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"consumer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"action\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"callbackGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"deadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"attemptUntil\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"refundTo\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"fee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"attemptFee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"payloadHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"contextHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]},{\"name\":\"outcome\",\"type\":\"uint8\",\"internalType\":\"uint8\"},{\"name\":\"reason\",\"type\":\"uint8\",\"internalType\":\"uint8\"},{\"name\":\"result\",\"type\":\"bytes\",\"internalType\":\"bytes\"},{\"name\":\"context\",\"type\":\"bytes\",\"internalType\":\"bytes\"}]}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"setGasPriceCap\",\"inputs\":[{\"name\":\"gasPriceCap_\",\"type\":\"uint64\",\"internalType\":\"uint64\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"setIntakePaused\",\"inputs\":[{\"name\":\"paused\",\"type\":\"bool\",\"internalType\":\"bool\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"setPrice\",\"inputs\":[{\"name\":\"action\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"price\",\"type\":\"tuple\",\"internalType\":\"structPrice\",\"components\":[{\"name\":\"base\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"perMiB\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"perMiBMonth\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"attemptBps\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"offered\",\"type\":\"bool\",\"internalType\":\"bool\"}]}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"signsUntil\",\"inputs\":[{\"name\":\"digest\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"stateOf\",\"inputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"outputs\":[{\"name\":\"\",\"type\":\"uint8\",\"internalType\":\"enumIExecutionProvider.RequestState\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"threshold\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint8\",\"internalType\":\"uint8\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"transferOwnership\",\"inputs\":[{\"name\":\"newOwner\",\"type\":\"address\",\"internalType\":\"address\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"withdraw\",\"inputs\":[{\"name\":\"to\",\"type\":\"address\",\"internalType\":\"addresspayable\"}],\"outputs\":[{\"name\":\"amount\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"event\",\"name\":\"CallbackFailed\",\"inputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"returned\",\"type\":\"bytes\",\"indexed\":false,\"internalType\":\"bytes\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"CallbackRetried\",\"inputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"CancelRequested\",\"inputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"effectiveAt\",\"type\":\"uint40\",\"indexed\":false,\"internalType\":\"uint40\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"EIP712DomainChanged\",\"inputs\":[],\"anonymous\":false},{\"type\":\"event\",\"name\":\"FeesEarned\",\"inputs\":[{\"name\":\"sender\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"seq\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"toSender\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"},{\"name\":\"toSigners\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"},{\"name\":\"signers\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"GasPriceCapChanged\",\"inputs\":[{\"name\":\"seq\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"gasPriceCap\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"IntakePausedChanged\",\"inputs\":[{\"name\":\"seq\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"paused\",\"type\":\"bool\",\"indexed\":false,\"internalType\":\"bool\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"OperatorsActivated\",\"inputs\":[{\"name\":\"configDigest\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"previous\",\"type\":\"bytes32\",\"indexed\":false,\"internalType\":\"bytes32\"},{\"name\":\"drainUntil\",\"type\":\"uint40\",\"indexed\":false,\"internalType\":\"uint40\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"OperatorsProposed\",\"inputs\":[{\"name\":\"configDigest\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"operators\",\"type\":\"address[]\",\"indexed\":false,\"internalType\":\"address[]\"},{\"name\":\"threshold\",\"type\":\"uint8\",\"indexed\":false,\"internalType\":\"uint8\"},{\"name\":\"activeAt\",\"type\":\"uint40\",\"indexed\":false,\"internalType\":\"uint40\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"OracleAnswered\",\"inputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"outcome\",\"type\":\"uint8\",\"indexed\":false,\"internalType\":\"uint8\"},{\"name\":\"reason\",\"type\":\"uint8\",\"indexed\":false,\"internalType\":\"uint8\"},{\"name\":\"resultHash\",\"type\":\"bytes32\",\"indexed\":false,\"internalType\":\"bytes32\"},{\"name\":\"signers\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"OracleRefunded\",\"inputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"refundTo\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint96\",\"indexed\":false,\"internalType\":\"uint96\"},{\"name\":\"cancelled\",\"type\":\"bool\",\"indexed\":false,\"internalType\":\"bool\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"OracleRequested\",\"inputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"consumer\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"action\",\"type\":\"uint16\",\"indexed\":true,\"internalType\":\"uint16\"},{\"name\":\"terms\",\"type\":\"tuple\",\"indexed\":false,\"internalType\":\"structTerms\",\"components\":[{\"name\":\"seq\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"consumer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"action\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"callbackGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"deadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"attemptUntil\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"refundTo\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"fee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"attemptFee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"payloadHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"contextHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]},{\"name\":\"payload\",\"type\":\"bytes\",\"indexed\":false,\"internalType\":\"bytes\"},{\"name\":\"context\",\"type\":\"bytes\",\"indexed\":false,\"internalType\":\"bytes\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"OwnershipTransferStarted\",\"inputs\":[{\"name\":\"previousOwner\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"newOwner\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"OwnershipTransferred\",\"inputs\":[{\"name\":\"previousOwner\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"newOwner\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"PriceChanged\",\"inputs\":[{\"name\":\"action\",\"type\":\"uint16\",\"indexed\":true,\"internalType\":\"uint16\"},{\"name\":\"seq\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"price\",\"type\":\"tuple\",\"indexed\":false,\"internalType\":\"structPrice\",\"components\":[{\"name\":\"base\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"perMiB\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"perMiBMonth\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"attemptBps\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"offered\",\"type\":\"bool\",\"internalType\":\"bool\"}]}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"ReportSkipped\",\"inputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"reason\",\"type\":\"uint8\",\"indexed\":false,\"internalType\":\"enumIExecutionProvider.Skip\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"SurplusCredited\",\"inputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"seq\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"account\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"Withdrawn\",\"inputs\":[{\"name\":\"account\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"seq\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"to\",\"type\":\"address\",\"indexed\":false,\"internalType\":\"address\"},{\"name\":\"amount\",\"type\":\"uint256\",\"indexed\":false,\"internalType\":\"uint256\"}],\"anonymous\":false},{\"type\":\"error\",\"name\":\"EstuaryProvider_CallbackGasTooHigh\",\"inputs\":[{\"name\":\"asked\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"most\",\"type\":\"uint32\",\"internalType\":\"uint32\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_CallbackReverted\",\"inputs\":[{\"name\":\"returned\",\"type\":\"bytes\",\"internalType\":\"bytes\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_ConfigOutOfRange\",\"inputs\":[{\"name\":\"field\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_ContextTooLarge\",\"inputs\":[{\"name\":\"size\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"most\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_DeadlineTooFar\",\"inputs\":[{\"name\":\"deadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"latest\",\"type\":\"uint40\",\"internalType\":\"uint40\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_DeadlineTooNear\",\"inputs\":[{\"name\":\"deadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"earliest\",\"type\":\"uint40\",\"internalType\":\"uint40\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_EmptyBatch\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"EstuaryProvider_GasPriceCapOutOfRange\",\"inputs\":[{\"name\":\"gasPriceCap\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"most\",\"type\":\"uint64\",\"internalType\":\"uint64\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_GasTooLow\",\"inputs\":[{\"name\":\"left\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"needed\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_IntakePaused\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"EstuaryProvider_NoKeptCallback\",\"inputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_NotConsumer\",\"inputs\":[{\"name\":\"caller\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_NotOffered\",\"inputs\":[{\"name\":\"action\",\"type\":\"uint16\",\"internalType\":\"uint16\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_NotOpen\",\"inputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_NotRefundable\",\"inputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"from\",\"type\":\"uint40\",\"internalType\":\"uint40\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_NothingToWithdraw\",\"inputs\":[{\"name\":\"account\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_PayloadMismatch\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"EstuaryProvider_PayloadTooLarge\",\"inputs\":[{\"name\":\"size\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"most\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_PriceOutOfRange\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"EstuaryProvider_TransferFailed\",\"inputs\":[{\"name\":\"to\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_Underpaid\",\"inputs\":[{\"name\":\"sent\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"needed\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"EstuaryProvider_ZeroRefundTo\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"InvalidShortString\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"OperatorSet_BadThreshold\",\"inputs\":[{\"name\":\"threshold\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"operators\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"OperatorSet_NotAnOperator\",\"inputs\":[{\"name\":\"signer\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"OperatorSet_NothingProposed\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"OperatorSet_OperatorsUnsorted\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"OperatorSet_SignaturesUnsorted\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"OperatorSet_TooEarly\",\"inputs\":[{\"name\":\"activeAt\",\"type\":\"uint40\",\"internalType\":\"uint40\"}]},{\"type\":\"error\",\"name\":\"OperatorSet_TooManyOperators\",\"inputs\":[{\"name\":\"operators\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"most\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"OperatorSet_UnknownConfig\",\"inputs\":[{\"name\":\"configDigest\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]},{\"type\":\"error\",\"name\":\"OperatorSet_WrongSignatureCount\",\"inputs\":[{\"name\":\"given\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"threshold\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"OperatorSet_ZeroOperator\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"OwnableInvalidOwner\",\"inputs\":[{\"name\":\"owner\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"OwnableUnauthorizedAccount\",\"inputs\":[{\"name\":\"account\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"ReentrancyGuardReentrantCall\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"SafeCastOverflowedUintDowncast\",\"inputs\":[{\"name\":\"bits\",\"type\":\"uint8\",\"internalType\":\"uint8\"},{\"name\":\"value\",\"type\":\"uint256\",\"internalType\":\"uint256\"}]},{\"type\":\"error\",\"name\":\"StringTooLong\",\"inputs\":[{\"name\":\"str\",\"type\":\"string\",\"internalType\":\"string\"}]}]",
	ID:  "EstuaryProvider",
	Bin: "0x610300604052348015610010575f5ffd5b50604051615c50380380615c5083398101604081905261002f91610d91565b84608001518560a00151848460405180604001604052806008815260200167546964656761746560c01b815250604051806040016040528060018152602001603160f81b815250895f6001600160a01b0316816001600160a01b0316036100b057604051631e4fbdf760e01b81525f60048201526024015b60405180910390fd5b6100b981610238565b506100c382610254565b610120526100d081610254565b61014052815160208084019190912060e052815190820120610100524660a05261015c60e05161010051604080517f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f60208201529081019290925260608201524660808201523060a08201525f9060c00160405160208183030381529060405280519060200120905090565b60805250503060c05264ffffffffff80851661016052831661018052610183828242610291565b5061018c610518565b5050505061019f8561080160201b60201c565b845164ffffffffff9081166101a0526020860151811661022052604086015181166101c052606086015181166101e052608086015181166102405260a0860151166102605260c085015163ffffffff9081166102005260e086015181166102805261010086015181166102a052610120860151166102c05261014085015161ffff166102e05261022e81610a4a565b50505050506110af565b600180546001600160a01b031916905561025181610b1a565b50565b5f5f829050601f8151111561027e578260405163305a27a960e01b81526004016100a79190610edb565b805161028982610f10565b179392505050565b82515f9060408111156102c35760408051633926a71d60e11b81526100a7918391600401918252602082015260400190565b60ff841615806102d55750808460ff16115b156102ff576040516336c7cf9960e01b815260ff85166004820152602481018290526044016100a7565b600680545f9190600a90610326906a0100000000000000000000900463ffffffff16610f4a565b91906101000a81548163ffffffff021916908363ffffffff16021790559050463082888860405160200161035e959493929190610fb1565b60408051601f19818403018152919052805160209091012092505f805b8381101561043f575f88828151811061039657610396610ffb565b602002602001015190505f6001600160a01b0316816001600160a01b0316036103d2576040516330135bb760e21b815260040160405180910390fd5b826001600160a01b0316816001600160a01b03161161040457604051630f31428160e11b815260040160405180910390fd5b5f868152600a602090815260408083206001600160a01b0385168452909152902064ffffffff00600886901b1683179055915060010161037b565b5063ffffffff82165f9081526008602090815260409091208851610465928a0190610bae565b505f848152600960205260409020805463ffffffff191663ffffffff84169081179091556005859055600680546001600160481b03191690911764010000000064ffffffffff8816021760ff60481b1916690100000000000000000060ff891602179055837ff39b1e1f42bbc77d526ae012e2ec1a16abcd99156143b32d3a4fd4dcc25936556104f3610b69565b898989604051610506949392919061100f565b60405180910390a25050509392505050565b60408051610100810182526004546001600160401b03808216835268010000000000000000820416602083015264ffffffffff600160801b8204169282019290925263ffffffff600160a81b8304811660608301819052600160c81b8404909116608083015260ff600160e81b8404811660a0840152600160f01b8404811660c0840152600160f81b909304909216151560e08201526007546005549192909190156105f657606083015163ffffffff16608084015260a083015160ff1660c0840152610180516105e99042611053565b64ffffffffff1660408401525b60065463ffffffff811660608501526901000000000000000000900460ff1660a084015282515f908461062882611076565b6001600160401b03166001600160401b031681525090508360045f820151815f015f6101000a8154816001600160401b0302191690836001600160401b031602179055506020820151815f0160086101000a8154816001600160401b0302191690836001600160401b031602179055506040820151815f0160106101000a81548164ffffffffff021916908364ffffffffff1602179055506060820151815f0160156101000a81548163ffffffff021916908363ffffffff1602179055506080820151815f0160196101000a81548163ffffffff021916908363ffffffff16021790555060a0820151815f01601d6101000a81548160ff021916908360ff16021790555060c0820151815f01601e6101000a81548160ff021916908360ff16021790555060e0820151815f01601f6101000a81548160ff021916908315150217905550905050816007819055505f60056001015f6101000a81548163ffffffff021916908363ffffffff160217905550817f60efae4277214452531caaae309b06a76e02fec6fb1fd7a6991dcb2218be0559828587604001516040516107f3939291906001600160401b03939093168352602083019190915264ffffffffff16604082015260600190565b60405180910390a250505050565b805164ffffffffff1615806108225750624f1a00815f015164ffffffffff16115b1561085057604051633e1d83f360e21b81526a6d696e446561646c696e6560a81b60048201526024016100a7565b805f015164ffffffffff16816020015164ffffffffff16108061088a575061087c624f1a006002611098565b816020015164ffffffffff16115b156108b857604051633e1d83f360e21b81526a6d6178446561646c696e6560a81b60048201526024016100a7565b604081015164ffffffffff1615806108dd5750624f1a00816040015164ffffffffff16115b1561090b57604051633e1d83f360e21b81526a63616e63656c44656c617960a81b60048201526024016100a7565b805f015164ffffffffff16816060015164ffffffffff16111561095057604051633e1d83f360e21b8152691b5a5b905d1d195b5c1d60b21b60048201526024016100a7565b624f1a00816080015164ffffffffff16111561099357604051633e1d83f360e21b81526e61637469766174696f6e44656c617960881b60048201526024016100a7565b624f1a008160a0015164ffffffffff1611156109d257604051633e1d83f360e21b81526a647261696e57696e646f7760a81b60048201526024016100a7565b8060c0015163ffffffff165f03610a0f57604051633e1d83f360e21b81526d6d617843616c6c6261636b47617360901b60048201526024016100a7565b8060e0015163ffffffff165f0361025157604051633e1d83f360e21b81526b18d85b1b13dd995c9a19585960a21b60048201526024016100a7565b6001600160401b0381161580610a6e57506509184e72a0006001600160401b038216115b15610aa357604051630f49482160e01b81526001600160401b03821660048201526509184e72a00060248201526044016100a7565b60048054600160401b600160801b031916680100000000000000006001600160401b038416021790557f55afdedaadb489132fc3c53223a350846e521cc9af13f829f238a235679b5984610af5610b69565b604080516001600160401b03928316815291841660208301520160405180910390a150565b5f80546001600160a01b038381166001600160a01b0319831681178455604051919092169283917f8be0079c531659141344cd1fd0a4f28419497f9722a3daafe3b4186f6b6457e09190a35050565b600480545f916001600160401b039091169082610b8583611076565b91906101000a8154816001600160401b0302191690836001600160401b03160217905550905090565b828054828255905f5260205f20908101928215610c01579160200282015b82811115610c0157825182546001600160a01b0319166001600160a01b03909116178255602090920191600190910190610bcc565b50610c0d929150610c11565b5090565b5b80821115610c0d575f8155600101610c12565b634e487b7160e01b5f52604160045260245ffd5b60405161016081016001600160401b0381118282101715610c5c57610c5c610c25565b60405290565b604051601f8201601f191681016001600160401b0381118282101715610c8a57610c8a610c25565b604052919050565b805164ffffffffff81168114610ca6575f5ffd5b919050565b805163ffffffff81168114610ca6575f5ffd5b805161ffff81168114610ca6575f5ffd5b80516001600160a01b0381168114610ca6575f5ffd5b5f82601f830112610cf4575f5ffd5b81516001600160401b03811115610d0d57610d0d610c25565b8060051b610d1d60208201610c62565b91825260208185018101929081019086841115610d38575f5ffd5b6020860192505b83831015610d6157610d5083610ccf565b825260209283019290910190610d3f565b9695505050505050565b805160ff81168114610ca6575f5ffd5b80516001600160401b0381168114610ca6575f5ffd5b5f5f5f5f5f8587036101e0811215610da7575f5ffd5b610160811215610db5575f5ffd5b50610dbe610c39565b610dc787610c92565b8152610dd560208801610c92565b6020820152610de660408801610c92565b6040820152610df760608801610c92565b6060820152610e0860808801610c92565b6080820152610e1960a08801610c92565b60a0820152610e2a60c08801610cab565b60c0820152610e3b60e08801610cab565b60e0820152610e4d6101008801610cab565b610100820152610e606101208801610cab565b610120820152610e736101408801610cbe565b6101408201529450610e886101608701610ccf565b6101808701519094506001600160401b03811115610ea4575f5ffd5b610eb088828901610ce5565b935050610ec06101a08701610d6b565b9150610ecf6101c08701610d7b565b90509295509295909350565b602081525f82518060208401528060208501604085015e5f604082850101526040601f19601f83011684010191505092915050565b80516020808301519190811015610f30575f198160200360031b1b821691505b50919050565b634e487b7160e01b5f52601160045260245ffd5b5f63ffffffff821663ffffffff8103610f6557610f65610f36565b60010192915050565b5f8151808452602084019350602083015f5b82811015610fa75781516001600160a01b0316865260209586019590910190600101610f80565b5093949350505050565b8581526001600160a01b038516602082015263ffffffff8416604082015260a0606082018190525f90610fe690830185610f6e565b905060ff831660808301529695505050505050565b634e487b7160e01b5f52603260045260245ffd5b6001600160401b03851681526080602082018190525f9061103290830186610f6e565b905060ff8416604083015264ffffffffff8316606083015295945050505050565b64ffffffffff818116838216019081111561107057611070610f36565b92915050565b5f6001600160401b0382166002600160401b03198101610f6557610f65610f36565b808202811582820484141761107057611070610f36565b60805160a05160c05160e05161010051610120516101405161016051610180516101a0516101c0516101e05161020051610220516102405161026051610280516102a0516102c0516102e051614a6c6111e45f395f81816106fd015261187801525f81816106d101526118cf01525f81816106a5015261242801525f8181610679015261359601525f61062001525f6105f301525f818161056c015261267801525f818161064d0152818161091f0152818161251c015261257e01525f81816105c601528181610a3e015261134d01525f8181610421015281816105990152611aab01525f818161053f015281816109c301526125eb01525f61327c01525f610f2701525f6127fc01525f6127cc01525f613bae01525f613b8601525f613ae101525f613b0b01525f613b350152614a6c5ff3fe60806040526004361061023e575f3560e01c80637a42612511610134578063cdf4bef5116100b3578063e2ce3c6411610078578063e2ce3c6414610a91578063e30c397814610ab5578063e673df8a14610ad2578063ea1eac9214610af3578063f2fde38b14610b12578063fb6320d014610b31575f5ffd5b8063cdf4bef5146109e5578063cf5c7f7e146109f9578063cfdd2b7314610a18578063d9dc299314610a2d578063e0b6485d14610a60575f5ffd5b8063a8e224a4116100f9578063a8e224a41461090e578063ac540d4014610956578063b8bc52221461096a578063bf5fbc7a14610989578063c5549cc0146109b2575f5ffd5b80637a4261251461074957806384b0196e146107715780638da5cb5b146107985780639b1c8881146107c8578063a1836237146107ec575f5ffd5b80634bbfe860116101c0578063711a5afb11610185578063711a5afb1461046f578063715018a614610482578063758072501461049657806379502c55146104ca57806379ba509714610735575f5ffd5b80634bbfe860146103935780634bd4f47a146103d257806351cff8d9146103f1578063638a0f091461041057806364482ac414610443575f5ffd5b80632b78c9f7116102065780632b78c9f7146102fe57806330d54e9c146102635780634058794a1461031257806340b316631461034957806342cde4e814610368575f5ffd5b8063082709eb146102425780630ad1af69146102635780631bb98f021461028b578063267943c6146102c057806328307556146102df575b5f5ffd5b34801561024d575f5ffd5b5061026161025c366004613d48565b610b4e565b005b34801561026e575f5ffd5b5061027861040081565b6040519081526020015b60405180910390f35b348015610296575f5ffd5b506102aa6102a5366004613d63565b610b72565b60405164ffffffffff9091168152602001610282565b3480156102cb575f5ffd5b506102786102da366004613d7a565b610bf4565b3480156102ea575f5ffd5b506102616102f9366004613da3565b610c04565b348015610309575f5ffd5b50610278604081565b34801561031d575f5ffd5b5061033161032c366004613d7a565b610cbb565b6040516001600160601b039091168152602001610282565b348015610354575f5ffd5b50610278610363366004613e38565b610eda565b348015610373575f5ffd5b50600454600160e81b900460ff1660405160ff9091168152602001610282565b34801561039e575f5ffd5b506103b26103ad366004613eae565b610f5d565b604080516001600160601b03938416815292909116602083015201610282565b3480156103dd575f5ffd5b506102616103ec366004613f10565b610f99565b3480156103fc575f5ffd5b5061027861040b366004613f3f565b611015565b34801561041b575f5ffd5b506102aa7f000000000000000000000000000000000000000000000000000000000000000081565b34801561044e575f5ffd5b5061046261045d366004613d63565b61113b565b6040516102829190613f8a565b61027861047d366004613fda565b611152565b34801561048d575f5ffd5b50610261611575565b3480156104a1575f5ffd5b506102786104b0366004613f3f565b6001600160a01b03165f908152600c602052604090205490565b3480156104d5575f5ffd5b5061072860408051610160810182525f80825260208201819052918101829052606081018290526080810182905260a0810182905260c0810182905260e08101829052610100810182905261012081018290526101408101919091526040518061016001604052807f000000000000000000000000000000000000000000000000000000000000000064ffffffffff1681526020017f000000000000000000000000000000000000000000000000000000000000000064ffffffffff1681526020017f000000000000000000000000000000000000000000000000000000000000000064ffffffffff1681526020017f000000000000000000000000000000000000000000000000000000000000000064ffffffffff1681526020017f000000000000000000000000000000000000000000000000000000000000000064ffffffffff1681526020017f000000000000000000000000000000000000000000000000000000000000000064ffffffffff1681526020017f000000000000000000000000000000000000000000000000000000000000000063ffffffff1681526020017f000000000000000000000000000000000000000000000000000000000000000063ffffffff1681526020017f000000000000000000000000000000000000000000000000000000000000000063ffffffff1681526020017f000000000000000000000000000000000000000000000000000000000000000063ffffffff1681526020017f000000000000000000000000000000000000000000000000000000000000000061ffff16815250905090565b6040516102829190614097565b348015610740575f5ffd5b50610261611588565b348015610754575f5ffd5b5061075e6103e881565b60405161ffff9091168152602001610282565b34801561077c575f5ffd5b506107856115c9565b60405161028297969594939291906141d4565b3480156107a3575f5ffd5b505f546001600160a01b03165b6040516001600160a01b039091168152602001610282565b3480156107d3575f5ffd5b506107dc61160b565b60405161028294939291906142ad565b3480156107f7575f5ffd5b506108ac6108063660046142e6565b6040805160a0810182525f808252602082018190529181018290526060810182905260808101919091525061ffff9081165f908152600d6020908152604091829020825160a08101845290546001600160601b0381168252600160601b81046001600160401b0390811693830193909352600160a01b810490921692810192909252600160e01b81049092166060820152600160f01b90910460ff161515608082015290565b60405161028291905f60a0820190506001600160601b0383511682526001600160401b0360208401511660208301526001600160401b03604084015116604083015261ffff606084015116606083015260808301511515608083015292915050565b348015610919575f5ffd5b506109417f000000000000000000000000000000000000000000000000000000000000000081565b60405163ffffffff9091168152602001610282565b348015610961575f5ffd5b50600754610278565b348015610975575f5ffd5b50610278610984366004614301565b6116c0565b348015610994575f5ffd5b50600454600160f81b900460ff166040519015158152602001610282565b3480156109bd575f5ffd5b506102aa7f000000000000000000000000000000000000000000000000000000000000000081565b3480156109f0575f5ffd5b5061026161197d565b348015610a04575f5ffd5b50610261610a13366004613d7a565b611a03565b348015610a23575f5ffd5b5061027861100081565b348015610a38575f5ffd5b506102aa7f000000000000000000000000000000000000000000000000000000000000000081565b348015610a6b575f5ffd5b50610a796509184e72a00081565b6040516001600160401b039091168152602001610282565b348015610a9c575f5ffd5b50600454600160401b90046001600160401b0316610a79565b348015610ac0575f5ffd5b506001546001600160a01b03166107b0565b348015610add575f5ffd5b50610ae6611b4c565b6040516102829190614378565b348015610afe575f5ffd5b50610261610b0d36600461438a565b611bc3565b348015610b1d575f5ffd5b50610261610b2c366004613f3f565b611d89565b348015610b3c575f5ffd5b506004546001600160401b0316610a79565b610b56611df9565b610b5e611e25565b610b6781611e5a565b610b6f611f2b565b50565b5f8181526009602052604081205463ffffffff16808203610b9557505f92915050565b60045463ffffffff600160a81b909104811690821603610bbc575064ffffffffff92915050565b60045463ffffffff828116600160c81b9092041614610bdb575f610bed565b600454600160801b900464ffffffffff165b9392505050565b5f610bfe82611f55565b92915050565b610c0c611df9565b610c14611e25565b6103e8610c2760808301606084016142e6565b61ffff161115610c4a57604051638211af3560e01b815260040160405180910390fd5b61ffff82165f908152600d602052604090208190610c6882826143e1565b505061ffff82167f5b64df3654d51f8c5d89b171857806a033cfb3c982c3fef603b4312ece5dc1ec610c98611f76565b83604051610ca79291906144c9565b60405180910390a2610cb7611f2b565b5050565b5f610cc4611e25565b5f610cce83611f55565b5f818152600b6020526040812054919250610ce882611fbb565b90506001816005811115610cfe57610cfe613f5a565b14158015610d1e57506002816005811115610d1b57610d1b613f5a565b14155b15610d445760405163f5aa199b60e01b8152600481018490526024015b60405180910390fd5b5f610d5560a0870160808801614567565b610d60906001614594565b90505f6002836005811115610d7757610d77613f5a565b148015610d9557508164ffffffffff16600885901c64ffffffffff16105b90508015610da557600884901c91505b8164ffffffffff16421015610ddd57604051632ebbc89f60e21b81526004810186905264ffffffffff83166024820152604401610d3b565b610dee610100880160e089016145b1565b5f868152600b60205260408120600590559096506001600160601b03871690600c90610e2060e08b0160c08c01613f3f565b6001600160a01b03166001600160a01b031681526020019081526020015f205f828254610e4d91906145cc565b90915550610e63905060e0880160c08901613f3f565b6001600160a01b0316857f902182e2bfd78e19f4f70317a602a5697ee8b441374538a213ab37c48ead7a7e610e96611f76565b604080516001600160401b0390921682526001600160601b038b1660208301528515159082015260600160405180910390a35050505050610ed5611f2b565b919050565b5f610ee3611df9565b610eeb611e25565b610f538484808060200260200160405190810160405280939291908181526020018383602002808284375f92019190915250869250610f4e91507f0000000000000000000000000000000000000000000000000000000000000000905042614594565b611fd1565b9050610bed611f2b565b5f5f610f8c8686868660045f0160089054906101000a90046001600160401b03166001600160401b0316612253565b9150915094509492505050565b610fa1611df9565b610fa9611e25565b600480546001600160f81b0316600160f81b831515021790557f3d8b8d1d1a580d725c60464d23db43995efdda9bcdebe9ac8dfb1c848d450ed0610feb611f76565b604080516001600160401b03909216825283151560208301520160405180910390a1610b6f611f2b565b5f61101e611e25565b50335f908152600c60205260408120549081900361105157604051633ae906e760e11b8152336004820152602401610d3b565b6001600160a01b0382166110835760405163cd9b499f60e01b81526001600160a01b0383166004820152602401610d3b565b335f818152600c60205260408120557f8b9c1ec2cb8329093d45a22ed3159c9485f9e2c2bf2ae3991902f1d157019a4e6110bb611f76565b604080516001600160401b0390921682526001600160a01b0386166020830152810184905260600160405180910390a25f611106835a8460405180602001604052805f81525061246c565b509050806111325760405163cd9b499f60e01b81526001600160a01b0384166004820152602401610d3b565b50610ed5611f2b565b5f818152600b6020526040812054610bfe90611fbb565b5f61115b611e25565b60408051610100810182526004546001600160401b038082168352600160401b820416602083015264ffffffffff600160801b8204169282019290925263ffffffff600160a81b830481166060830152600160c81b830416608082015260ff600160e81b8304811660a0830152600160f01b8304811660c0830152600160f81b90920490911615801560e083015261120657604051634f6a885960e11b815260040160405180910390fd5b6112168a8a8a8a8a8a8a8a6124ba565b60408051610160810182525f80825260208201819052918101829052606081018290526080810182905260a0810182905260c0810182905260e08101829052610100810182905261012081018290526101408101919091526112948b8b8b61128160208901896145df565b86602001516001600160401b0316612253565b6001600160601b039081166101008401521660e082018190523410156112e45760e08101516040516346ee801160e01b81523460048201526001600160601b039091166024820152604401610d3b565b8151826112f0826145f8565b6001600160401b039081169091521681523360208083019190915261ffff8c166040830152611321908501856145df565b63ffffffff16606082015261133c6040850160208601614567565b64ffffffffff1660808201526113727f000000000000000000000000000000000000000000000000000000000000000042614594565b64ffffffffff1660a082015261138e6060850160408601613f3f565b6001600160a01b031660c08201526040516113ac9089908990614622565b6040805191829003909120610120830152516113cb9087908790614622565b6040805191829003909120610140830152516113ef90469030908490602001614723565b60408051808303601f1901815282825280516020918201205f818152600b90925291902060019055935061ffff8c1690339085907fafbb8f6aabfc1ac0762786975ab47240f97f50eb95a74c12378d5fc5638edac5906114589086908e908e908e908e9061476f565b60405180910390a45f8160e001516001600160601b03163461147a91906147a6565b9050801561153e5780600c5f6114966060890160408a01613f3f565b6001600160a01b03166001600160a01b031681526020019081526020015f205f8282546114c391906145cc565b909155506114d990506060860160408701613f3f565b6001600160a01b0316847f8721db8d5509bfe1a3849bae66877c624ebd1a1b3f3fe8e0bc6ebd81fcd2b663855f018051809190611515906145f8565b6001600160401b0390811690915260408051929091168252602082018690520160405180910390a35b5050516004805467ffffffffffffffff19166001600160401b03909216919091179055611569611f2b565b98975050505050505050565b61157d611df9565b6115865f6127ac565b565b60015433906001600160a01b031681146115c05760405163118cdaa760e01b81526001600160a01b0382166004820152602401610d3b565b610b6f816127ac565b5f6060805f5f5f60606115da6127c5565b6115e26127f5565b604080515f80825260208201909252600f60f81b9b939a50919850469750309650945092509050565b6006545f906060908290819063ffffffff16156116ba5760055460065463ffffffff81165f9081526008602090815260409182902080548351818402810184019094528084529093600160481b810460ff169364010000000090910464ffffffffff1692909185918301828280156116aa57602002820191905f5260205f20905b81546001600160a01b0316815260019091019060200180831161168c575b5050505050925093509350935093505b90919293565b5f6116c9611e25565b5f5a90505f8590036116ee5760405163bfed9fd160e01b815260040160405180910390fd5b60408051610100810182526004546001600160401b038082168352600160401b820416602083015264ffffffffff600160801b8204169282019290925263ffffffff600160a81b830481166060830152600160c81b830416608082015260ff600160e81b8304811660a0830152600160f01b8304811660c0830152600160f81b909204909116151560e08201525f80806117888a8a612820565b9250925092505f5f61179d868e858d8d612aaa565b915091506117d160405180608001604052805f6001600160401b031681526020015f81526020015f81526020015f81525090565b86516001600160401b03168152602081018290525f5b865181101561186a576118518e8e83818110611805576118056147cd565b905060200281019061181791906147e1565b888381518110611829576118296147cd565b6020026020010151888481518110611843576118436147cd565b602002602001015185612d26565b156118625761185f8a614800565b99505b6001016117e7565b50604081015115611942575f7f000000000000000000000000000000000000000000000000000000000000000061ffff168260600151855160a06118ae9190614818565b6118b99060a46145cc565b6118c391906145cc565b6118cd9190614818565b7f000000000000000000000000000000000000000000000000000000000000000063ffffffff165a6118ff908c6147a6565b61190991906145cc565b61191391906145cc565b905061194082856119313a8c602001516001600160401b0316612ffc565b61193b9085614818565b61300b565b505b516004805467ffffffffffffffff19166001600160401b03909216919091179055506119749550611f2b945050505050565b95945050505050565b611985611e25565b60065463ffffffff165f036119ad57604051631a9bb2eb60e11b815260040160405180910390fd5b600654640100000000900464ffffffffff164210156119f357600654604051631e1c30d760e21b815264010000000090910464ffffffffff166004820152602401610d3b565b6119fb6131b9565b611586611f2b565b611a0b611e25565b611a1b6040820160208301613f3f565b6001600160a01b0316336001600160a01b031614611a4e5760405163ba76db2360e01b8152336004820152602401610d3b565b5f611a5882611f55565b905060015f828152600b6020526040902054611a7390611fbb565b6005811115611a8457611a84613f5a565b14611aa55760405163f5aa199b60e01b815260048101829052602401610d3b565b5f611ad07f000000000000000000000000000000000000000000000000000000000000000042614594565b5f838152600b602052604090206002600883901b65ffffffffff00161790559050817f2db611d4c1728441c92a97d2d64a999043dc013ff574ce7b292a4b5c2954fddb611b1b611f76565b604080516001600160401b03909216825264ffffffffff851660208301520160405180910390a25050610b6f611f2b565b600454600160a81b900463ffffffff165f90815260086020908152604091829020805483518184028101840190945280845260609392830182828015611bb957602002820191905f5260205f20905b81546001600160a01b03168152600190910190602001808311611b9b575b5050505050905090565b611bcb611e25565b805f611bd682611f55565b90505f611c4f82611bef6101808701610160880161482f565b611c016101a08801610180890161482f565b611c0f6101a0890189614848565b604051611c1d929190614622565b604051908190039020611c346101c08a018a614848565b604051611c42929190614622565b60405180910390206134b3565b5f838152600b60205260409020549091508114611c82576040516315ae84cf60e01b815260048101839052602401610d3b565b60035f838152600b6020526040902055817f3a5686181882d861538472d26993ff54941056b943237dd64f34f07634b63c44611cbc611f76565b6040516001600160401b03909116815260200160405180910390a25f611ce86040850160208601613f3f565b9050806001600160a01b03163b5f03611d1d57604051631ffe4ebd60e11b8152602060048201525f6024820152604401610d3b565b5f611d288487613503565b9050611d48611d3d60808701606088016145df565b63ffffffff1661358e565b5f5f611d56845a5f8661246c565b9150915081611d7a5780604051631ffe4ebd60e11b8152600401610d3b919061488a565b50505050505050610b6f611f2b565b611d91611df9565b600180546001600160a01b0383166001600160a01b03199091168117909155611dc15f546001600160a01b031690565b6001600160a01b03167f38d16b8cac22d99fc7c124b9cd0de2d3fa1faef420bfe791d8c362d765e2270060405160405180910390a350565b5f546001600160a01b031633146115865760405163118cdaa760e01b8152336004820152602401610d3b565b611e2d61360f565b61158660017f9b779b17422d0df92223018b32b4d1fa46e071723d6817e2486d003becc55f005b9061364f565b6001600160401b0381161580611e7e57506509184e72a0006001600160401b038216115b15611eb357604051630f49482160e01b81526001600160401b03821660048201526509184e72a0006024820152604401610d3b565b600480546fffffffffffffffff00000000000000001916600160401b6001600160401b038416021790557f55afdedaadb489132fc3c53223a350846e521cc9af13f829f238a235679b5984611f06611f76565b604080516001600160401b03928316815291841660208301520160405180910390a150565b6115865f7f9b779b17422d0df92223018b32b4d1fa46e071723d6817e2486d003becc55f00611e54565b5f6040514681523060208201526101608360408301376101a0902092915050565b600480545f916001600160401b039091169082611f92836145f8565b91906101000a8154816001600160401b0302191690836001600160401b03160217905550905090565b5f8160ff166005811115610bfe57610bfe613f5a565b82515f9060408111156120035760408051633926a71d60e11b8152610d3b918391600401918252602082015260400190565b60ff841615806120155750808460ff16115b1561203f576040516336c7cf9960e01b815260ff8516600482015260248101829052604401610d3b565b600680545f9190600a9061205f90600160501b900463ffffffff1661489c565b91906101000a81548163ffffffff021916908363ffffffff1602179055905046308288886040516020016120979594939291906148b7565b60408051601f19818403018152919052805160209091012092505f805b83811015612178575f8882815181106120cf576120cf6147cd565b602002602001015190505f6001600160a01b0316816001600160a01b03160361210b576040516330135bb760e21b815260040160405180910390fd5b826001600160a01b0316816001600160a01b03161161213d57604051630f31428160e11b815260040160405180910390fd5b5f868152600a602090815260408083206001600160a01b0385168452909152902064ffffffff00600886901b168317905591506001016120b4565b5063ffffffff82165f908152600860209081526040909120885161219e928a0190613cc6565b505f848152600960205260409020805463ffffffff191663ffffffff841690811790915560058590556006805468ffffffffffffffffff191690911764010000000064ffffffffff8816021769ff0000000000000000001916600160481b60ff891602179055837ff39b1e1f42bbc77d526ae012e2ec1a16abcd99156143b32d3a4fd4dcc259365561222e611f76565b8989896040516122419493929190614901565b60405180910390a25050509392505050565b61ffff8086165f908152600d60209081526040808320815160a08101835290546001600160601b03811682526001600160401b03600160601b8204811694830194909452600160a01b810490931691810191909152600160e01b8204909316606084015260ff600160f01b90910416151560808301819052909182916122f257604051633880036160e21b815261ffff89166004820152602401610d3b565b5f62100000600161230c826001600160401b038c166145cc565b61231691906147a6565b6123209190614922565b90505f428864ffffffffff1611612337575f612348565b6123484264ffffffffff8a166147a6565b90505f61235b8763ffffffff8a16614818565b62278d00600162278d008588604001516001600160401b03168861237f9190614818565b6123899190614818565b61239391906145cc565b61239d91906147a6565b6123a79190614922565b60208601516123bf906001600160401b031686614818565b86516123d491906001600160601b03166145cc565b6123de91906145cc565b6123e891906145cc565b90506123f381613656565b955061245c612710856060015161ffff168361240f9190614818565b6124199190614922565b8861244d63ffffffff808d16907f0000000000000000000000000000000000000000000000000000000000000000166145cc565b6124579190614818565b612ffc565b9450505050509550959350505050565b5f60605f61010090505f5f855160208701888b8bf19250826124b0573d818111156124945750805b6040519250808352805f602085013e8201603f01601f19166040525b5094509492505050565b6110008411156124e8576040516310d235df60e01b8152600481018590526110006024820152604401610d3b565b61040082111561251557604051629b7cdb60e11b8152600481018390526104006024820152604401610d3b565b63ffffffff7f00000000000000000000000000000000000000000000000000000000000000001661254960208301836145df565b63ffffffff1611156125ad5761256260208201826145df565b604051635cd7661d60e11b815263ffffffff91821660048201527f00000000000000000000000000000000000000000000000000000000000000009091166024820152604401610d3b565b5f6125be6060830160408401613f3f565b6001600160a01b0316036125e5576040516303966b3360e31b815260040160405180910390fd5b5f6126107f000000000000000000000000000000000000000000000000000000000000000042614594565b905064ffffffffff811661262a6040840160208501614567565b64ffffffffff161015612672576126476040830160208401614567565b604051630faeb25960e21b815264ffffffffff91821660048201529082166024820152604401610d3b565b5f61269d7f000000000000000000000000000000000000000000000000000000000000000042614594565b905064ffffffffff81166126b76040850160208601614567565b64ffffffffff1611156126ff576126d46040840160208501614567565b60405163b205b1dd60e01b815264ffffffffff91821660048201529082166024820152604401610d3b565b5f1961ffff8b16016127a05760e0861080612730575061272260205f888a614941565b61272b91614968565b602014155b8061275a57506001600160401b03891661274e60806060898b614941565b61275791614968565b14155b80612782575064ffffffffff881661277660a06080898b614941565b61277f91614968565b14155b156127a057604051632dbb189760e11b815260040160405180910390fd5b50505050505050505050565b600180546001600160a01b0319169055610b6f8161368d565b60606127f07f00000000000000000000000000000000000000000000000000000000000000006136dc565b905090565b60606127f07f00000000000000000000000000000000000000000000000000000000000000006136dc565b6060805f83806001600160401b0381111561283d5761283d6147b9565b604051908082528060200260200182016040528015612866578160200160208202803683370190505b509350806001600160401b03811115612881576128816147b9565b6040519080825280602002602001820160405280156128aa578160200160208202803683370190505b5092505f816001600160401b038111156128c6576128c66147b9565b6040519080825280602002602001820160405280156128ef578160200160208202803683370190505b5090505f5b82811015612a77573688888381811061290f5761290f6147cd565b905060200281019061292191906147e1565b905061292c81611f55565b87838151811061293e5761293e6147cd565b60209081029190910101526129576101a0820182614848565b604051612965929190614622565b604051809103902086838151811061297f5761297f6147cd565b6020026020010181815250507f7a33b3cfc944f1afab6e113e76590739ef7c258abcc3aeacde69789b638476f58783815181106129be576129be6147cd565b6020026020010151826101600160208101906129da919061482f565b6129ec6101a08501610180860161482f565b8986815181106129fe576129fe6147cd565b6020026020010151604051602001612a3b959493929190948552602085019390935260ff9182166040850152166060830152608082015260a00190565b60405160208183030381529060405280519060200120838381518110612a6357612a636147cd565b6020908102919091010152506001016128f4565b5080604051602001612a899190614985565b60405160208183030381529060405280519060200120925050509250925092565b5f8481526009602052604081205460608781015190929163ffffffff908116918391168203612ae1575060a088015160ff16612b14565b886080015163ffffffff1682148015612b055750886040015164ffffffffff164211155b15612b14575060c088015160ff165b811580612b1f575080155b15612b40576040516353006cfb60e01b815260048101899052602401610d3b565b848114612b6a57604051632fed04e560e11b81526004810186905260248101829052604401610d3b565b604080517f3d053da0d622160ef659345ccd7f6def6a4a661d772a15ec32a9152dda3acb766020820152908101899052606081018890525f90612bc59060800160405160208183030381529060405280519060200120613719565b9050816001600160401b03811115612bdf57612bdf6147b9565b604051908082528060200260200182016040528015612c08578160200160208202803683370190505b5094505f805b83811015612d17575f612c44848b8b85818110612c2d57612c2d6147cd565b9050602002810190612c3f9190614848565b613745565b50505f8d8152600a602090815260408083206001600160a01b0385168452909152812054919250819003612c9657604051630ea4a4ff60e01b81526001600160a01b0383166004820152602401610d3b565b836001600160a01b0316826001600160a01b031611612cc85760405163d2aab12f60e01b815260040160405180910390fd5b81935081898481518110612cde57612cde6147cd565b60200260200101906001600160a01b031690816001600160a01b0316815250508060ff166001901b881797505050806001019050612c0e565b50505050509550959350505050565b5f8481612d33828761378c565b90505f816005811115612d4857612d48613f5a565b14612da957835186907fbd45a8ef54073d4048c5103537d47776799eaea254977c8a14aa1da5c14aefef9086612d7d826145f8565b6001600160401b03169052604051612d97919085906149ba565b60405180910390a25f92505050612ff4565b60035f878152600b6020526040902055835186907f079dfab37723f08b76a126f1d4e8b51e13f450eb2519d9e9bd067cef49799ac99086612de9826145f8565b6001600160401b03169052612e066101808b016101608c0161482f565b612e186101a08c016101808d0161482f565b602089810151604080516001600160401b03909616865260ff94851692860192909252929091169083015260608201899052608082015260a00160405180910390a2601f19612e6b6101c0890189614848565b612e779150601f6145cc565b16601f19612e896101a08a018a614848565b612e959150601f6145cc565b612ea291166102406145cc565b612eac91906145cc565b84606001818151612ebd91906145cc565b9052506001612ed461018089016101608a0161482f565b60ff1603612f0f57612eed610100830160e084016145b1565b6001600160601b031684604001818151612f0791906145cc565b905250612fc6565b612f21610120830161010084016145b1565b6001600160601b031684604001818151612f3b91906145cc565b9052505f612f51610120840161010085016145b1565b612f62610100850160e086016145b1565b612f6c91906149e0565b6001600160601b031690508015612fc45780600c5f612f9160e0870160c08801613f3f565b6001600160a01b03166001600160a01b031681526020019081526020015f205f828254612fbe91906145cc565b90915550505b505b612fd660808301606084016145df565b63ffffffff1615612fed57612fed87878787613999565b6001925050505b949350505050565b5f828218828410028218610bed565b5f61301a846040015183612ffc565b90505f81856040015161302d91906147a6565b9050811561305957335f908152600c6020526040812080548492906130539084906145cc565b90915550505b8015613148575f84518261306d9190614922565b90506001855161307d91906147a6565b6130879082614818565b61309190836147a6565b600c5f875f815181106130a6576130a66147cd565b60200260200101516001600160a01b03166001600160a01b031681526020019081526020015f205f8282546130db91906145cc565b90915550600190505b85518110156131455781600c5f888481518110613103576131036147cd565b60200260200101516001600160a01b03166001600160a01b031681526020019081526020015f205f82825461313891906145cc565b90915550506001016130e4565b50505b845133907f2a9b6c6e6b7b889b6a71f6e6d868755a6992193b02fbdb39d8e91cf30f18180b9087613178826145f8565b6001600160401b0390811690915260208981015160408051949093168452908301879052908201859052606082015260800160405180910390a25050505050565b60408051610100810182526004546001600160401b038082168352600160401b820416602083015264ffffffffff600160801b8204169282019290925263ffffffff600160a81b8304811660608301819052600160c81b8404909116608083015260ff600160e81b8404811660a0840152600160f01b8404811660c0840152600160f81b909304909216151560e08201526007546005549192909190156132ae57606083015163ffffffff16608084015260a083015160ff1660c08401526132a17f000000000000000000000000000000000000000000000000000000000000000042614594565b64ffffffffff1660408401525b60065463ffffffff81166060850152600160481b900460ff1660a084015282515f90846132da826145f8565b6001600160401b03166001600160401b031681525090508360045f820151815f015f6101000a8154816001600160401b0302191690836001600160401b031602179055506020820151815f0160086101000a8154816001600160401b0302191690836001600160401b031602179055506040820151815f0160106101000a81548164ffffffffff021916908364ffffffffff1602179055506060820151815f0160156101000a81548163ffffffff021916908363ffffffff1602179055506080820151815f0160196101000a81548163ffffffff021916908363ffffffff16021790555060a0820151815f01601d6101000a81548160ff021916908360ff16021790555060c0820151815f01601e6101000a81548160ff021916908360ff16021790555060e0820151815f01601f6101000a81548160ff021916908315150217905550905050816007819055505f60056001015f6101000a81548163ffffffff021916908363ffffffff160217905550817f60efae4277214452531caaae309b06a76e02fec6fb1fd7a6991dcb2218be0559828587604001516040516134a5939291906001600160401b03939093168352602083019190915264ffffffffff16604082015260600190565b60405180910390a250505050565b6040805160208082019790975260ff95861681830152939094166060840152608083019190915260a0808301919091528251808303909101815260c0909101909152805191012060081b60041790565b6060826135146101c0840184614848565b6135266101808601610160870161482f565b6135386101a08701610180880161482f565b6135466101a0880188614848565b60405160240161355c97969594939291906149ff565b60408051601f198184030181529190526020810180516001600160e01b0316637428675760e01b179052905092915050565b5f63ffffffff7f0000000000000000000000000000000000000000000000000000000000000000166135c1603f84614922565b6135cb90846145cc565b6135d69060016145cc565b6135e091906145cc565b9050805a1015610cb7575a6040516357d5ae2360e11b8152600481019190915260248101829052604401610d3b565b7f9b779b17422d0df92223018b32b4d1fa46e071723d6817e2486d003becc55f005c1561158657604051633ee5aeb560e01b815260040160405180910390fd5b80825d5050565b5f6001600160601b03821115613689576040516306dfcc6560e41b81526060600482015260248101839052604401610d3b565b5090565b5f80546001600160a01b038381166001600160a01b0319831681178455604051919092169283917f8be0079c531659141344cd1fd0a4f28419497f9722a3daafe3b4186f6b6457e09190a35050565b60605f6136e883613aae565b6040805160208082528183019092529192505f91906020820181803683375050509182525060208101929092525090565b5f610bfe613725613ad5565b8360405161190160f01b8152600281019290925260228201526042902090565b5f80806041849003613779578435602086013560408701355f1a61376b89828585613bfe565b955095509550505050613783565b505f915060029050825b93509350939050565b5f818152600b60205260408120548390826137a682611fbb565b90505f8160058111156137bb576137bb613f5a565b036137cc5760019350505050610bfe565b60028160058111156137e0576137e0613f5a565b0361380157600882901c42106137fc5760029350505050610bfe565b613826565b600181600581111561381557613815613f5a565b146138265760029350505050610bfe565b61383660a0840160808501614567565b64ffffffffff164211156138505760049350505050610bfe565b6101408301356138646101c0880188614848565b604051613872929190614622565b60405180910390201461388b5760059350505050610bfe565b5f61389e6101a08801610180890161482f565b905060016138b461018089016101608a0161482f565b60ff16036138f45760ff81161515806138dd57506104006138d96101a0890189614848565b9050115b156138ef576005945050505050610bfe565b61398d565b600261390861018089016101608a0161482f565b60ff16141580613919575060ff8116155b806139275750600860ff8216115b80613940575061393b6101a0880188614848565b151590505b15613952576005945050505050610bfe565b60ff811660011480159061397b575061397160c0850160a08601614567565b64ffffffffff1642105b1561398d576003945050505050610bfe565b505f9695505050505050565b5f6139aa6040860160208701613f3f565b90505f60606001600160a01b0383163b15613a02575f6139ca8789613503565b90505f6139dd60808a0160608b016145df565b63ffffffff1690506139ee8161358e565b6139fa85825f8561246c565b909450925050505b8115613a1057505050613aa8565b613a4486613a266101808a016101608b0161482f565b613a386101a08b016101808c0161482f565b886101408c01356134b3565b5f878152600b6020526040902055835186907f57274a645a54d49bfabc341dc3f90d00e16873c462728eb8567cc84c8a007bc89086613a82826145f8565b6001600160401b03169052604051613a9c91908590614a4b565b60405180910390a25050505b50505050565b5f60ff8216601f811115610bfe57604051632cd44ac360e21b815260040160405180910390fd5b5f306001600160a01b037f000000000000000000000000000000000000000000000000000000000000000016148015613b2d57507f000000000000000000000000000000000000000000000000000000000000000046145b15613b5757507f000000000000000000000000000000000000000000000000000000000000000090565b6127f0604080517f8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f60208201527f0000000000000000000000000000000000000000000000000000000000000000918101919091527f000000000000000000000000000000000000000000000000000000000000000060608201524660808201523060a08201525f9060c00160405160208183030381529060405280519060200120905090565b5f80807f7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0841115613c3757505f91506003905082613cbc565b604080515f808252602082018084528a905260ff891692820192909252606081018790526080810186905260019060a0016020604051602081039080840390855afa158015613c88573d5f5f3e3d5ffd5b5050604051601f1901519150506001600160a01b038116613cb357505f925060019150829050613cbc565b92505f91508190505b9450945094915050565b828054828255905f5260205f20908101928215613d19579160200282015b82811115613d1957825182546001600160a01b0319166001600160a01b03909116178255602090920191600190910190613ce4565b506136899291505b80821115613689575f8155600101613d21565b6001600160401b0381168114610b6f575f5ffd5b5f60208284031215613d58575f5ffd5b8135610bed81613d34565b5f60208284031215613d73575f5ffd5b5035919050565b5f610160828403128015613d8c575f5ffd5b509092915050565b61ffff81168114610b6f575f5ffd5b5f5f82840360c0811215613db5575f5ffd5b8335613dc081613d94565b925060a0601f1982011215613dd3575f5ffd5b506020830190509250929050565b5f5f83601f840112613df1575f5ffd5b5081356001600160401b03811115613e07575f5ffd5b6020830191508360208260051b8501011115613e21575f5ffd5b9250929050565b803560ff81168114610ed5575f5ffd5b5f5f5f60408486031215613e4a575f5ffd5b83356001600160401b03811115613e5f575f5ffd5b613e6b86828701613de1565b9094509250613e7e905060208501613e28565b90509250925092565b803564ffffffffff81168114610ed5575f5ffd5b803563ffffffff81168114610ed5575f5ffd5b5f5f5f5f60808587031215613ec1575f5ffd5b8435613ecc81613d94565b93506020850135613edc81613d34565b9250613eea60408601613e87565b9150613ef860608601613e9b565b905092959194509250565b8015158114610b6f575f5ffd5b5f60208284031215613f20575f5ffd5b8135610bed81613f03565b6001600160a01b0381168114610b6f575f5ffd5b5f60208284031215613f4f575f5ffd5b8135610bed81613f2b565b634e487b7160e01b5f52602160045260245ffd5b60068110610b6f57634e487b7160e01b5f52602160045260245ffd5b60208101613f9783613f6e565b91905290565b5f5f83601f840112613fad575f5ffd5b5081356001600160401b03811115613fc3575f5ffd5b602083019150836020828501011115613e21575f5ffd5b5f5f5f5f5f5f5f5f888a03610100811215613ff3575f5ffd5b8935613ffe81613d94565b985060208a013561400e81613d34565b975061401c60408b01613e87565b965060608a01356001600160401b03811115614036575f5ffd5b6140428c828d01613f9d565b90975095505060808a01356001600160401b03811115614060575f5ffd5b61406c8c828d01613f9d565b9095509350506060609f1982011215614083575f5ffd5b5060a0890190509295985092959890939650565b815164ffffffffff168152610160810160208301516140bf602084018264ffffffffff169052565b5060408301516140d8604084018264ffffffffff169052565b5060608301516140f1606084018264ffffffffff169052565b50608083015161410a608084018264ffffffffff169052565b5060a083015161412360a084018264ffffffffff169052565b5060c083015161413b60c084018263ffffffff169052565b5060e083015161415360e084018263ffffffff169052565b5061010083015161416d61010084018263ffffffff169052565b5061012083015161418761012084018263ffffffff169052565b5061014083015161419f61014084018261ffff169052565b5092915050565b5f81518084528060208401602086015e5f602082860101526020601f19601f83011685010191505092915050565b60ff60f81b8816815260e060208201525f6141f260e08301896141a6565b828103604084015261420481896141a6565b606084018890526001600160a01b038716608085015260a0840186905283810360c0850152845180825260208087019350909101905f5b8181101561425957835183526020938401939092019160010161423b565b50909b9a5050505050505050505050565b5f8151808452602084019350602083015f5b828110156142a35781516001600160a01b031686526020958601959091019060010161427c565b5093949350505050565b848152608060208201525f6142c5608083018661426a565b905060ff8416604083015264ffffffffff8316606083015295945050505050565b5f602082840312156142f6575f5ffd5b8135610bed81613d94565b5f5f5f5f5f60608688031215614315575f5ffd5b8535945060208601356001600160401b03811115614331575f5ffd5b61433d88828901613de1565b90955093505060408601356001600160401b0381111561435b575f5ffd5b61436788828901613de1565b969995985093965092949392505050565b602081525f610bed602083018461426a565b5f6020828403121561439a575f5ffd5b81356001600160401b038111156143af575f5ffd5b82016101e08185031215610bed575f5ffd5b6001600160601b0381168114610b6f575f5ffd5b5f8135610bfe81613f03565b81356143ec816143c1565b6001600160601b03811690508154816001600160601b03198216178355602084013561441781613d34565b6001600160a01b03199190911690911760609190911b67ffffffffffffffff60601b16178155604082013561444b81613d34565b815467ffffffffffffffff60a01b191660a09190911b67ffffffffffffffff60a01b161781555f606083013561448081613d94565b825461ffff60e01b191660e082901b61ffff60e01b16178355905050610cb76144ab608084016143d5565b82805460ff60f01b191691151560f01b60ff60f01b16919091179055565b6001600160401b038316815260c0810182356144e4816143c1565b6001600160601b038116602084015250602083013561450281613d34565b6001600160401b038116604084015250604083013561452081613d34565b6001600160401b038116606084015250606083013561453e81613d94565b61ffff8116608084015250608083013561455781613f03565b80151560a0840152509392505050565b5f60208284031215614577575f5ffd5b610bed82613e87565b634e487b7160e01b5f52601160045260245ffd5b64ffffffffff8181168382160190811115610bfe57610bfe614580565b5f602082840312156145c1575f5ffd5b8135610bed816143c1565b80820180821115610bfe57610bfe614580565b5f602082840312156145ef575f5ffd5b610bed82613e9b565b5f6001600160401b0382166001600160401b03810361461957614619614580565b60010192915050565b818382375f9101908152919050565b80516001600160401b03168252602081015161465860208401826001600160a01b03169052565b50604081015161466e604084018261ffff169052565b506060810151614686606084018263ffffffff169052565b50608081015161469f608084018264ffffffffff169052565b5060a08101516146b860a084018264ffffffffff169052565b5060c08101516146d360c08401826001600160a01b03169052565b5060e08101516146ee60e08401826001600160601b03169052565b5061010081015161470b6101008401826001600160601b03169052565b50610120818101519083015261014090810151910152565b8381526001600160a01b03831660208201526101a08101612ff46040830184614631565b81835281816020850137505f828201602090810191909152601f909101601f19169091010190565b6147798187614631565b6101a06101608201525f6147926101a083018688614747565b828103610180840152611569818587614747565b81810381811115610bfe57610bfe614580565b634e487b7160e01b5f52604160045260245ffd5b634e487b7160e01b5f52603260045260245ffd5b5f82356101de198336030181126147f6575f5ffd5b9190910192915050565b5f6001820161481157614811614580565b5060010190565b8082028115828204841417610bfe57610bfe614580565b5f6020828403121561483f575f5ffd5b610bed82613e28565b5f5f8335601e1984360301811261485d575f5ffd5b8301803591506001600160401b03821115614876575f5ffd5b602001915036819003821315613e21575f5ffd5b602081525f610bed60208301846141a6565b5f63ffffffff821663ffffffff810361461957614619614580565b8581526001600160a01b038516602082015263ffffffff8416604082015260a0606082018190525f906148ec9083018561426a565b905060ff831660808301529695505050505050565b6001600160401b0385168152608060208201525f6142c5608083018661426a565b5f8261493c57634e487b7160e01b5f52601260045260245ffd5b500490565b5f5f8585111561494f575f5ffd5b8386111561495b575f5ffd5b5050820193919092039150565b80356020831015610bfe575f19602084900360031b1b1692915050565b81515f90829060208501835b828110156149af578151845260209384019390910190600101614991565b509195945050505050565b6001600160401b0383168152604081016149d383613f6e565b8260208301529392505050565b6001600160601b038281168282160390811115610bfe57610bfe614580565b87815260a060208201525f614a1860a08301888a614747565b60ff8716604084015260ff861660608401528281036080840152614a3d818587614747565b9a9950505050505050505050565b6001600160401b0383168152604060208201525f612ff460408301846141a656",
}

// EstuaryProvider is an auto generated Go binding around an Ethereum contract.
type EstuaryProvider struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *EstuaryProvider) GetABI() abi.ABI {
	return c.abi
}

// NewEstuaryProvider creates a new instance of EstuaryProvider.
func NewEstuaryProvider() *EstuaryProvider {
	parsed, err := EstuaryProviderMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &EstuaryProvider{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *EstuaryProvider) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor((uint40,uint40,uint40,uint40,uint40,uint40,uint32,uint32,uint32,uint32,uint16) config_, address owner_, address[] operators_, uint8 threshold_, uint64 gasPriceCap_) returns()
func (estuaryProvider *EstuaryProvider) PackConstructor(config_ ProviderConfig, owner_ common.Address, operators_ []common.Address, threshold_ uint8, gasPriceCap_ uint64) []byte {
	enc, err := estuaryProvider.abi.Pack("", config_, owner_, operators_, threshold_, gasPriceCap_)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackMAXATTEMPTBPS is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7a426125.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_ATTEMPT_BPS() view returns(uint16)
func (estuaryProvider *EstuaryProvider) PackMAXATTEMPTBPS() []byte {
	enc, err := estuaryProvider.abi.Pack("MAX_ATTEMPT_BPS")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXATTEMPTBPS is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7a426125.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_ATTEMPT_BPS() view returns(uint16)
func (estuaryProvider *EstuaryProvider) TryPackMAXATTEMPTBPS() ([]byte, error) {
	return estuaryProvider.abi.Pack("MAX_ATTEMPT_BPS")
}

// UnpackMAXATTEMPTBPS is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x7a426125.
//
// Solidity: function MAX_ATTEMPT_BPS() view returns(uint16)
func (estuaryProvider *EstuaryProvider) UnpackMAXATTEMPTBPS(data []byte) (uint16, error) {
	out, err := estuaryProvider.abi.Unpack("MAX_ATTEMPT_BPS", data)
	if err != nil {
		return *new(uint16), err
	}
	out0 := *abi.ConvertType(out[0], new(uint16)).(*uint16)
	return out0, nil
}

// PackMAXCONTEXT is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x0ad1af69.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_CONTEXT() view returns(uint256)
func (estuaryProvider *EstuaryProvider) PackMAXCONTEXT() []byte {
	enc, err := estuaryProvider.abi.Pack("MAX_CONTEXT")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXCONTEXT is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x0ad1af69.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_CONTEXT() view returns(uint256)
func (estuaryProvider *EstuaryProvider) TryPackMAXCONTEXT() ([]byte, error) {
	return estuaryProvider.abi.Pack("MAX_CONTEXT")
}

// UnpackMAXCONTEXT is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x0ad1af69.
//
// Solidity: function MAX_CONTEXT() view returns(uint256)
func (estuaryProvider *EstuaryProvider) UnpackMAXCONTEXT(data []byte) (*big.Int, error) {
	out, err := estuaryProvider.abi.Unpack("MAX_CONTEXT", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMAXGASPRICECAP is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe0b6485d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_GAS_PRICE_CAP() view returns(uint64)
func (estuaryProvider *EstuaryProvider) PackMAXGASPRICECAP() []byte {
	enc, err := estuaryProvider.abi.Pack("MAX_GAS_PRICE_CAP")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXGASPRICECAP is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe0b6485d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_GAS_PRICE_CAP() view returns(uint64)
func (estuaryProvider *EstuaryProvider) TryPackMAXGASPRICECAP() ([]byte, error) {
	return estuaryProvider.abi.Pack("MAX_GAS_PRICE_CAP")
}

// UnpackMAXGASPRICECAP is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe0b6485d.
//
// Solidity: function MAX_GAS_PRICE_CAP() view returns(uint64)
func (estuaryProvider *EstuaryProvider) UnpackMAXGASPRICECAP(data []byte) (uint64, error) {
	out, err := estuaryProvider.abi.Unpack("MAX_GAS_PRICE_CAP", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackMAXOPERATORS is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2b78c9f7.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_OPERATORS() view returns(uint256)
func (estuaryProvider *EstuaryProvider) PackMAXOPERATORS() []byte {
	enc, err := estuaryProvider.abi.Pack("MAX_OPERATORS")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXOPERATORS is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2b78c9f7.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_OPERATORS() view returns(uint256)
func (estuaryProvider *EstuaryProvider) TryPackMAXOPERATORS() ([]byte, error) {
	return estuaryProvider.abi.Pack("MAX_OPERATORS")
}

// UnpackMAXOPERATORS is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x2b78c9f7.
//
// Solidity: function MAX_OPERATORS() view returns(uint256)
func (estuaryProvider *EstuaryProvider) UnpackMAXOPERATORS(data []byte) (*big.Int, error) {
	out, err := estuaryProvider.abi.Unpack("MAX_OPERATORS", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMAXPAYLOAD is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcfdd2b73.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_PAYLOAD() view returns(uint256)
func (estuaryProvider *EstuaryProvider) PackMAXPAYLOAD() []byte {
	enc, err := estuaryProvider.abi.Pack("MAX_PAYLOAD")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXPAYLOAD is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcfdd2b73.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_PAYLOAD() view returns(uint256)
func (estuaryProvider *EstuaryProvider) TryPackMAXPAYLOAD() ([]byte, error) {
	return estuaryProvider.abi.Pack("MAX_PAYLOAD")
}

// UnpackMAXPAYLOAD is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xcfdd2b73.
//
// Solidity: function MAX_PAYLOAD() view returns(uint256)
func (estuaryProvider *EstuaryProvider) UnpackMAXPAYLOAD(data []byte) (*big.Int, error) {
	out, err := estuaryProvider.abi.Unpack("MAX_PAYLOAD", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMAXRESULT is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x30d54e9c.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_RESULT() view returns(uint256)
func (estuaryProvider *EstuaryProvider) PackMAXRESULT() []byte {
	enc, err := estuaryProvider.abi.Pack("MAX_RESULT")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXRESULT is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x30d54e9c.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_RESULT() view returns(uint256)
func (estuaryProvider *EstuaryProvider) TryPackMAXRESULT() ([]byte, error) {
	return estuaryProvider.abi.Pack("MAX_RESULT")
}

// UnpackMAXRESULT is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x30d54e9c.
//
// Solidity: function MAX_RESULT() view returns(uint256)
func (estuaryProvider *EstuaryProvider) UnpackMAXRESULT(data []byte) (*big.Int, error) {
	out, err := estuaryProvider.abi.Unpack("MAX_RESULT", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackAcceptOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x79ba5097.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function acceptOwnership() returns()
func (estuaryProvider *EstuaryProvider) PackAcceptOwnership() []byte {
	enc, err := estuaryProvider.abi.Pack("acceptOwnership")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAcceptOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x79ba5097.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function acceptOwnership() returns()
func (estuaryProvider *EstuaryProvider) TryPackAcceptOwnership() ([]byte, error) {
	return estuaryProvider.abi.Pack("acceptOwnership")
}

// PackActivateOperators is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcdf4bef5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function activateOperators() returns()
func (estuaryProvider *EstuaryProvider) PackActivateOperators() []byte {
	enc, err := estuaryProvider.abi.Pack("activateOperators")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackActivateOperators is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcdf4bef5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function activateOperators() returns()
func (estuaryProvider *EstuaryProvider) TryPackActivateOperators() ([]byte, error) {
	return estuaryProvider.abi.Pack("activateOperators")
}

// PackCancel is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcf5c7f7e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function cancel((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32) terms) returns()
func (estuaryProvider *EstuaryProvider) PackCancel(terms Terms) []byte {
	enc, err := estuaryProvider.abi.Pack("cancel", terms)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCancel is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xcf5c7f7e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function cancel((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32) terms) returns()
func (estuaryProvider *EstuaryProvider) TryPackCancel(terms Terms) ([]byte, error) {
	return estuaryProvider.abi.Pack("cancel", terms)
}

// PackCancelDelay is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x638a0f09.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function cancelDelay() view returns(uint40)
func (estuaryProvider *EstuaryProvider) PackCancelDelay() []byte {
	enc, err := estuaryProvider.abi.Pack("cancelDelay")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCancelDelay is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x638a0f09.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function cancelDelay() view returns(uint40)
func (estuaryProvider *EstuaryProvider) TryPackCancelDelay() ([]byte, error) {
	return estuaryProvider.abi.Pack("cancelDelay")
}

// UnpackCancelDelay is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x638a0f09.
//
// Solidity: function cancelDelay() view returns(uint40)
func (estuaryProvider *EstuaryProvider) UnpackCancelDelay(data []byte) (*big.Int, error) {
	out, err := estuaryProvider.abi.Unpack("cancelDelay", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackConfig is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x79502c55.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function config() view returns((uint40,uint40,uint40,uint40,uint40,uint40,uint32,uint32,uint32,uint32,uint16))
func (estuaryProvider *EstuaryProvider) PackConfig() []byte {
	enc, err := estuaryProvider.abi.Pack("config")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackConfig is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x79502c55.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function config() view returns((uint40,uint40,uint40,uint40,uint40,uint40,uint32,uint32,uint32,uint32,uint16))
func (estuaryProvider *EstuaryProvider) TryPackConfig() ([]byte, error) {
	return estuaryProvider.abi.Pack("config")
}

// UnpackConfig is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x79502c55.
//
// Solidity: function config() view returns((uint40,uint40,uint40,uint40,uint40,uint40,uint32,uint32,uint32,uint32,uint16))
func (estuaryProvider *EstuaryProvider) UnpackConfig(data []byte) (ProviderConfig, error) {
	out, err := estuaryProvider.abi.Unpack("config", data)
	if err != nil {
		return *new(ProviderConfig), err
	}
	out0 := *abi.ConvertType(out[0], new(ProviderConfig)).(*ProviderConfig)
	return out0, nil
}

// PackConfigDigest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xac540d40.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function configDigest() view returns(bytes32)
func (estuaryProvider *EstuaryProvider) PackConfigDigest() []byte {
	enc, err := estuaryProvider.abi.Pack("configDigest")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackConfigDigest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xac540d40.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function configDigest() view returns(bytes32)
func (estuaryProvider *EstuaryProvider) TryPackConfigDigest() ([]byte, error) {
	return estuaryProvider.abi.Pack("configDigest")
}

// UnpackConfigDigest is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xac540d40.
//
// Solidity: function configDigest() view returns(bytes32)
func (estuaryProvider *EstuaryProvider) UnpackConfigDigest(data []byte) ([32]byte, error) {
	out, err := estuaryProvider.abi.Unpack("configDigest", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackCreditOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x75807250.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function creditOf(address account) view returns(uint256)
func (estuaryProvider *EstuaryProvider) PackCreditOf(account common.Address) []byte {
	enc, err := estuaryProvider.abi.Pack("creditOf", account)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCreditOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x75807250.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function creditOf(address account) view returns(uint256)
func (estuaryProvider *EstuaryProvider) TryPackCreditOf(account common.Address) ([]byte, error) {
	return estuaryProvider.abi.Pack("creditOf", account)
}

// UnpackCreditOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x75807250.
//
// Solidity: function creditOf(address account) view returns(uint256)
func (estuaryProvider *EstuaryProvider) UnpackCreditOf(data []byte) (*big.Int, error) {
	out, err := estuaryProvider.abi.Unpack("creditOf", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackEip712Domain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x84b0196e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (estuaryProvider *EstuaryProvider) PackEip712Domain() []byte {
	enc, err := estuaryProvider.abi.Pack("eip712Domain")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackEip712Domain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x84b0196e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (estuaryProvider *EstuaryProvider) TryPackEip712Domain() ([]byte, error) {
	return estuaryProvider.abi.Pack("eip712Domain")
}

// Eip712DomainOutput serves as a container for the return parameters of contract
// method Eip712Domain.
type Eip712DomainOutput struct {
	Fields            [1]byte
	Name              string
	Version           string
	ChainId           *big.Int
	VerifyingContract common.Address
	Salt              [32]byte
	Extensions        []*big.Int
}

// UnpackEip712Domain is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x84b0196e.
//
// Solidity: function eip712Domain() view returns(bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)
func (estuaryProvider *EstuaryProvider) UnpackEip712Domain(data []byte) (Eip712DomainOutput, error) {
	out, err := estuaryProvider.abi.Unpack("eip712Domain", data)
	outstruct := new(Eip712DomainOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Fields = *abi.ConvertType(out[0], new([1]byte)).(*[1]byte)
	outstruct.Name = *abi.ConvertType(out[1], new(string)).(*string)
	outstruct.Version = *abi.ConvertType(out[2], new(string)).(*string)
	outstruct.ChainId = abi.ConvertType(out[3], new(big.Int)).(*big.Int)
	outstruct.VerifyingContract = *abi.ConvertType(out[4], new(common.Address)).(*common.Address)
	outstruct.Salt = *abi.ConvertType(out[5], new([32]byte)).(*[32]byte)
	outstruct.Extensions = *abi.ConvertType(out[6], new([]*big.Int)).(*[]*big.Int)
	return *outstruct, nil
}

// PackFulfill is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb8bc5222.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function fulfill(bytes32 configDigest_, ((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32),uint8,uint8,bytes,bytes)[] reports, bytes[] signatures) returns(uint256 applied)
func (estuaryProvider *EstuaryProvider) PackFulfill(configDigest [32]byte, reports []Report, signatures [][]byte) []byte {
	enc, err := estuaryProvider.abi.Pack("fulfill", configDigest, reports, signatures)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackFulfill is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb8bc5222.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function fulfill(bytes32 configDigest_, ((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32),uint8,uint8,bytes,bytes)[] reports, bytes[] signatures) returns(uint256 applied)
func (estuaryProvider *EstuaryProvider) TryPackFulfill(configDigest [32]byte, reports []Report, signatures [][]byte) ([]byte, error) {
	return estuaryProvider.abi.Pack("fulfill", configDigest, reports, signatures)
}

// UnpackFulfill is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb8bc5222.
//
// Solidity: function fulfill(bytes32 configDigest_, ((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32),uint8,uint8,bytes,bytes)[] reports, bytes[] signatures) returns(uint256 applied)
func (estuaryProvider *EstuaryProvider) UnpackFulfill(data []byte) (*big.Int, error) {
	out, err := estuaryProvider.abi.Unpack("fulfill", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackGasPriceCap is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe2ce3c64.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function gasPriceCap() view returns(uint64)
func (estuaryProvider *EstuaryProvider) PackGasPriceCap() []byte {
	enc, err := estuaryProvider.abi.Pack("gasPriceCap")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackGasPriceCap is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe2ce3c64.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function gasPriceCap() view returns(uint64)
func (estuaryProvider *EstuaryProvider) TryPackGasPriceCap() ([]byte, error) {
	return estuaryProvider.abi.Pack("gasPriceCap")
}

// UnpackGasPriceCap is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe2ce3c64.
//
// Solidity: function gasPriceCap() view returns(uint64)
func (estuaryProvider *EstuaryProvider) UnpackGasPriceCap(data []byte) (uint64, error) {
	out, err := estuaryProvider.abi.Unpack("gasPriceCap", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackIdOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x267943c6.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function idOf((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32) terms) view returns(bytes32)
func (estuaryProvider *EstuaryProvider) PackIdOf(terms Terms) []byte {
	enc, err := estuaryProvider.abi.Pack("idOf", terms)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackIdOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x267943c6.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function idOf((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32) terms) view returns(bytes32)
func (estuaryProvider *EstuaryProvider) TryPackIdOf(terms Terms) ([]byte, error) {
	return estuaryProvider.abi.Pack("idOf", terms)
}

// UnpackIdOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x267943c6.
//
// Solidity: function idOf((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32) terms) view returns(bytes32)
func (estuaryProvider *EstuaryProvider) UnpackIdOf(data []byte) ([32]byte, error) {
	out, err := estuaryProvider.abi.Unpack("idOf", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackIntakePaused is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbf5fbc7a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function intakePaused() view returns(bool)
func (estuaryProvider *EstuaryProvider) PackIntakePaused() []byte {
	enc, err := estuaryProvider.abi.Pack("intakePaused")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackIntakePaused is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbf5fbc7a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function intakePaused() view returns(bool)
func (estuaryProvider *EstuaryProvider) TryPackIntakePaused() ([]byte, error) {
	return estuaryProvider.abi.Pack("intakePaused")
}

// UnpackIntakePaused is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xbf5fbc7a.
//
// Solidity: function intakePaused() view returns(bool)
func (estuaryProvider *EstuaryProvider) UnpackIntakePaused(data []byte) (bool, error) {
	out, err := estuaryProvider.abi.Unpack("intakePaused", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackMaxCallbackGas is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa8e224a4.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function maxCallbackGas() view returns(uint32)
func (estuaryProvider *EstuaryProvider) PackMaxCallbackGas() []byte {
	enc, err := estuaryProvider.abi.Pack("maxCallbackGas")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMaxCallbackGas is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa8e224a4.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function maxCallbackGas() view returns(uint32)
func (estuaryProvider *EstuaryProvider) TryPackMaxCallbackGas() ([]byte, error) {
	return estuaryProvider.abi.Pack("maxCallbackGas")
}

// UnpackMaxCallbackGas is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xa8e224a4.
//
// Solidity: function maxCallbackGas() view returns(uint32)
func (estuaryProvider *EstuaryProvider) UnpackMaxCallbackGas(data []byte) (uint32, error) {
	out, err := estuaryProvider.abi.Unpack("maxCallbackGas", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackMinAttempt is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd9dc2993.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function minAttempt() view returns(uint40)
func (estuaryProvider *EstuaryProvider) PackMinAttempt() []byte {
	enc, err := estuaryProvider.abi.Pack("minAttempt")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMinAttempt is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd9dc2993.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function minAttempt() view returns(uint40)
func (estuaryProvider *EstuaryProvider) TryPackMinAttempt() ([]byte, error) {
	return estuaryProvider.abi.Pack("minAttempt")
}

// UnpackMinAttempt is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xd9dc2993.
//
// Solidity: function minAttempt() view returns(uint40)
func (estuaryProvider *EstuaryProvider) UnpackMinAttempt(data []byte) (*big.Int, error) {
	out, err := estuaryProvider.abi.Unpack("minAttempt", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMinDeadline is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc5549cc0.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function minDeadline() view returns(uint40)
func (estuaryProvider *EstuaryProvider) PackMinDeadline() []byte {
	enc, err := estuaryProvider.abi.Pack("minDeadline")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMinDeadline is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc5549cc0.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function minDeadline() view returns(uint40)
func (estuaryProvider *EstuaryProvider) TryPackMinDeadline() ([]byte, error) {
	return estuaryProvider.abi.Pack("minDeadline")
}

// UnpackMinDeadline is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc5549cc0.
//
// Solidity: function minDeadline() view returns(uint40)
func (estuaryProvider *EstuaryProvider) UnpackMinDeadline(data []byte) (*big.Int, error) {
	out, err := estuaryProvider.abi.Unpack("minDeadline", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackNextSeq is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfb6320d0.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function nextSeq() view returns(uint64)
func (estuaryProvider *EstuaryProvider) PackNextSeq() []byte {
	enc, err := estuaryProvider.abi.Pack("nextSeq")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackNextSeq is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfb6320d0.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function nextSeq() view returns(uint64)
func (estuaryProvider *EstuaryProvider) TryPackNextSeq() ([]byte, error) {
	return estuaryProvider.abi.Pack("nextSeq")
}

// UnpackNextSeq is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xfb6320d0.
//
// Solidity: function nextSeq() view returns(uint64)
func (estuaryProvider *EstuaryProvider) UnpackNextSeq(data []byte) (uint64, error) {
	out, err := estuaryProvider.abi.Unpack("nextSeq", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackOperators is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe673df8a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function operators() view returns(address[])
func (estuaryProvider *EstuaryProvider) PackOperators() []byte {
	enc, err := estuaryProvider.abi.Pack("operators")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOperators is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe673df8a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function operators() view returns(address[])
func (estuaryProvider *EstuaryProvider) TryPackOperators() ([]byte, error) {
	return estuaryProvider.abi.Pack("operators")
}

// UnpackOperators is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe673df8a.
//
// Solidity: function operators() view returns(address[])
func (estuaryProvider *EstuaryProvider) UnpackOperators(data []byte) ([]common.Address, error) {
	out, err := estuaryProvider.abi.Unpack("operators", data)
	if err != nil {
		return *new([]common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new([]common.Address)).(*[]common.Address)
	return out0, nil
}

// PackOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8da5cb5b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function owner() view returns(address)
func (estuaryProvider *EstuaryProvider) PackOwner() []byte {
	enc, err := estuaryProvider.abi.Pack("owner")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8da5cb5b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function owner() view returns(address)
func (estuaryProvider *EstuaryProvider) TryPackOwner() ([]byte, error) {
	return estuaryProvider.abi.Pack("owner")
}

// UnpackOwner is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8da5cb5b.
//
// Solidity: function owner() view returns(address)
func (estuaryProvider *EstuaryProvider) UnpackOwner(data []byte) (common.Address, error) {
	out, err := estuaryProvider.abi.Unpack("owner", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackPendingOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe30c3978.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function pendingOwner() view returns(address)
func (estuaryProvider *EstuaryProvider) PackPendingOwner() []byte {
	enc, err := estuaryProvider.abi.Pack("pendingOwner")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPendingOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe30c3978.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function pendingOwner() view returns(address)
func (estuaryProvider *EstuaryProvider) TryPackPendingOwner() ([]byte, error) {
	return estuaryProvider.abi.Pack("pendingOwner")
}

// UnpackPendingOwner is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe30c3978.
//
// Solidity: function pendingOwner() view returns(address)
func (estuaryProvider *EstuaryProvider) UnpackPendingOwner(data []byte) (common.Address, error) {
	out, err := estuaryProvider.abi.Unpack("pendingOwner", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackPriceOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa1836237.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function priceOf(uint16 action) view returns((uint96,uint64,uint64,uint16,bool))
func (estuaryProvider *EstuaryProvider) PackPriceOf(action uint16) []byte {
	enc, err := estuaryProvider.abi.Pack("priceOf", action)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPriceOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa1836237.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function priceOf(uint16 action) view returns((uint96,uint64,uint64,uint16,bool))
func (estuaryProvider *EstuaryProvider) TryPackPriceOf(action uint16) ([]byte, error) {
	return estuaryProvider.abi.Pack("priceOf", action)
}

// UnpackPriceOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xa1836237.
//
// Solidity: function priceOf(uint16 action) view returns((uint96,uint64,uint64,uint16,bool))
func (estuaryProvider *EstuaryProvider) UnpackPriceOf(data []byte) (Price, error) {
	out, err := estuaryProvider.abi.Unpack("priceOf", data)
	if err != nil {
		return *new(Price), err
	}
	out0 := *abi.ConvertType(out[0], new(Price)).(*Price)
	return out0, nil
}

// PackProposeOperators is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x40b31663.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function proposeOperators(address[] operators_, uint8 threshold_) returns(bytes32)
func (estuaryProvider *EstuaryProvider) PackProposeOperators(operators []common.Address, threshold uint8) []byte {
	enc, err := estuaryProvider.abi.Pack("proposeOperators", operators, threshold)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackProposeOperators is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x40b31663.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function proposeOperators(address[] operators_, uint8 threshold_) returns(bytes32)
func (estuaryProvider *EstuaryProvider) TryPackProposeOperators(operators []common.Address, threshold uint8) ([]byte, error) {
	return estuaryProvider.abi.Pack("proposeOperators", operators, threshold)
}

// UnpackProposeOperators is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x40b31663.
//
// Solidity: function proposeOperators(address[] operators_, uint8 threshold_) returns(bytes32)
func (estuaryProvider *EstuaryProvider) UnpackProposeOperators(data []byte) ([32]byte, error) {
	out, err := estuaryProvider.abi.Unpack("proposeOperators", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackProposedOperators is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x9b1c8881.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function proposedOperators() view returns(bytes32 digest, address[] operators_, uint8 threshold_, uint40 activeAt)
func (estuaryProvider *EstuaryProvider) PackProposedOperators() []byte {
	enc, err := estuaryProvider.abi.Pack("proposedOperators")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackProposedOperators is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x9b1c8881.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function proposedOperators() view returns(bytes32 digest, address[] operators_, uint8 threshold_, uint40 activeAt)
func (estuaryProvider *EstuaryProvider) TryPackProposedOperators() ([]byte, error) {
	return estuaryProvider.abi.Pack("proposedOperators")
}

// ProposedOperatorsOutput serves as a container for the return parameters of contract
// method ProposedOperators.
type ProposedOperatorsOutput struct {
	Digest    [32]byte
	Operators []common.Address
	Threshold uint8
	ActiveAt  *big.Int
}

// UnpackProposedOperators is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x9b1c8881.
//
// Solidity: function proposedOperators() view returns(bytes32 digest, address[] operators_, uint8 threshold_, uint40 activeAt)
func (estuaryProvider *EstuaryProvider) UnpackProposedOperators(data []byte) (ProposedOperatorsOutput, error) {
	out, err := estuaryProvider.abi.Unpack("proposedOperators", data)
	outstruct := new(ProposedOperatorsOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Digest = *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	outstruct.Operators = *abi.ConvertType(out[1], new([]common.Address)).(*[]common.Address)
	outstruct.Threshold = *abi.ConvertType(out[2], new(uint8)).(*uint8)
	outstruct.ActiveAt = abi.ConvertType(out[3], new(big.Int)).(*big.Int)
	return *outstruct, nil
}

// PackQuote is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4bbfe860.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function quote(uint16 action, uint64 maxBytes, uint40 expiry, uint32 callbackGas) view returns(uint96 fee, uint96 attemptFee)
func (estuaryProvider *EstuaryProvider) PackQuote(action uint16, maxBytes uint64, expiry *big.Int, callbackGas uint32) []byte {
	enc, err := estuaryProvider.abi.Pack("quote", action, maxBytes, expiry, callbackGas)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackQuote is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4bbfe860.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function quote(uint16 action, uint64 maxBytes, uint40 expiry, uint32 callbackGas) view returns(uint96 fee, uint96 attemptFee)
func (estuaryProvider *EstuaryProvider) TryPackQuote(action uint16, maxBytes uint64, expiry *big.Int, callbackGas uint32) ([]byte, error) {
	return estuaryProvider.abi.Pack("quote", action, maxBytes, expiry, callbackGas)
}

// QuoteOutput serves as a container for the return parameters of contract
// method Quote.
type QuoteOutput struct {
	Fee        *big.Int
	AttemptFee *big.Int
}

// UnpackQuote is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x4bbfe860.
//
// Solidity: function quote(uint16 action, uint64 maxBytes, uint40 expiry, uint32 callbackGas) view returns(uint96 fee, uint96 attemptFee)
func (estuaryProvider *EstuaryProvider) UnpackQuote(data []byte) (QuoteOutput, error) {
	out, err := estuaryProvider.abi.Unpack("quote", data)
	outstruct := new(QuoteOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Fee = abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	outstruct.AttemptFee = abi.ConvertType(out[1], new(big.Int)).(*big.Int)
	return *outstruct, nil
}

// PackRefund is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4058794a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function refund((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32) terms) returns(uint96 amount)
func (estuaryProvider *EstuaryProvider) PackRefund(terms Terms) []byte {
	enc, err := estuaryProvider.abi.Pack("refund", terms)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRefund is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4058794a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function refund((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32) terms) returns(uint96 amount)
func (estuaryProvider *EstuaryProvider) TryPackRefund(terms Terms) ([]byte, error) {
	return estuaryProvider.abi.Pack("refund", terms)
}

// UnpackRefund is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x4058794a.
//
// Solidity: function refund((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32) terms) returns(uint96 amount)
func (estuaryProvider *EstuaryProvider) UnpackRefund(data []byte) (*big.Int, error) {
	out, err := estuaryProvider.abi.Unpack("refund", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackRenounceOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x715018a6.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function renounceOwnership() returns()
func (estuaryProvider *EstuaryProvider) PackRenounceOwnership() []byte {
	enc, err := estuaryProvider.abi.Pack("renounceOwnership")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRenounceOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x715018a6.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function renounceOwnership() returns()
func (estuaryProvider *EstuaryProvider) TryPackRenounceOwnership() ([]byte, error) {
	return estuaryProvider.abi.Pack("renounceOwnership")
}

// PackRequest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x711a5afb.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function request(uint16 action, uint64 maxBytes, uint40 expiry, bytes payload, bytes context, (uint32,uint40,address) options) payable returns(bytes32 requestId)
func (estuaryProvider *EstuaryProvider) PackRequest(action uint16, maxBytes uint64, expiry *big.Int, payload []byte, context []byte, options RequestOptions) []byte {
	enc, err := estuaryProvider.abi.Pack("request", action, maxBytes, expiry, payload, context, options)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRequest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x711a5afb.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function request(uint16 action, uint64 maxBytes, uint40 expiry, bytes payload, bytes context, (uint32,uint40,address) options) payable returns(bytes32 requestId)
func (estuaryProvider *EstuaryProvider) TryPackRequest(action uint16, maxBytes uint64, expiry *big.Int, payload []byte, context []byte, options RequestOptions) ([]byte, error) {
	return estuaryProvider.abi.Pack("request", action, maxBytes, expiry, payload, context, options)
}

// UnpackRequest is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x711a5afb.
//
// Solidity: function request(uint16 action, uint64 maxBytes, uint40 expiry, bytes payload, bytes context, (uint32,uint40,address) options) payable returns(bytes32 requestId)
func (estuaryProvider *EstuaryProvider) UnpackRequest(data []byte) ([32]byte, error) {
	out, err := estuaryProvider.abi.Unpack("request", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackRetryCallback is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xea1eac92.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function retryCallback(((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32),uint8,uint8,bytes,bytes) report) returns()
func (estuaryProvider *EstuaryProvider) PackRetryCallback(report Report) []byte {
	enc, err := estuaryProvider.abi.Pack("retryCallback", report)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRetryCallback is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xea1eac92.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function retryCallback(((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32),uint8,uint8,bytes,bytes) report) returns()
func (estuaryProvider *EstuaryProvider) TryPackRetryCallback(report Report) ([]byte, error) {
	return estuaryProvider.abi.Pack("retryCallback", report)
}

// PackSetGasPriceCap is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x082709eb.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setGasPriceCap(uint64 gasPriceCap_) returns()
func (estuaryProvider *EstuaryProvider) PackSetGasPriceCap(gasPriceCap uint64) []byte {
	enc, err := estuaryProvider.abi.Pack("setGasPriceCap", gasPriceCap)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetGasPriceCap is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x082709eb.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setGasPriceCap(uint64 gasPriceCap_) returns()
func (estuaryProvider *EstuaryProvider) TryPackSetGasPriceCap(gasPriceCap uint64) ([]byte, error) {
	return estuaryProvider.abi.Pack("setGasPriceCap", gasPriceCap)
}

// PackSetIntakePaused is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4bd4f47a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setIntakePaused(bool paused) returns()
func (estuaryProvider *EstuaryProvider) PackSetIntakePaused(paused bool) []byte {
	enc, err := estuaryProvider.abi.Pack("setIntakePaused", paused)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetIntakePaused is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4bd4f47a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setIntakePaused(bool paused) returns()
func (estuaryProvider *EstuaryProvider) TryPackSetIntakePaused(paused bool) ([]byte, error) {
	return estuaryProvider.abi.Pack("setIntakePaused", paused)
}

// PackSetPrice is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x28307556.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function setPrice(uint16 action, (uint96,uint64,uint64,uint16,bool) price) returns()
func (estuaryProvider *EstuaryProvider) PackSetPrice(action uint16, price Price) []byte {
	enc, err := estuaryProvider.abi.Pack("setPrice", action, price)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSetPrice is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x28307556.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function setPrice(uint16 action, (uint96,uint64,uint64,uint16,bool) price) returns()
func (estuaryProvider *EstuaryProvider) TryPackSetPrice(action uint16, price Price) ([]byte, error) {
	return estuaryProvider.abi.Pack("setPrice", action, price)
}

// PackSignsUntil is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x1bb98f02.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function signsUntil(bytes32 digest) view returns(uint40)
func (estuaryProvider *EstuaryProvider) PackSignsUntil(digest [32]byte) []byte {
	enc, err := estuaryProvider.abi.Pack("signsUntil", digest)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackSignsUntil is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x1bb98f02.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function signsUntil(bytes32 digest) view returns(uint40)
func (estuaryProvider *EstuaryProvider) TryPackSignsUntil(digest [32]byte) ([]byte, error) {
	return estuaryProvider.abi.Pack("signsUntil", digest)
}

// UnpackSignsUntil is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x1bb98f02.
//
// Solidity: function signsUntil(bytes32 digest) view returns(uint40)
func (estuaryProvider *EstuaryProvider) UnpackSignsUntil(data []byte) (*big.Int, error) {
	out, err := estuaryProvider.abi.Unpack("signsUntil", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackStateOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x64482ac4.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function stateOf(bytes32 requestId) view returns(uint8)
func (estuaryProvider *EstuaryProvider) PackStateOf(requestId [32]byte) []byte {
	enc, err := estuaryProvider.abi.Pack("stateOf", requestId)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackStateOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x64482ac4.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function stateOf(bytes32 requestId) view returns(uint8)
func (estuaryProvider *EstuaryProvider) TryPackStateOf(requestId [32]byte) ([]byte, error) {
	return estuaryProvider.abi.Pack("stateOf", requestId)
}

// UnpackStateOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x64482ac4.
//
// Solidity: function stateOf(bytes32 requestId) view returns(uint8)
func (estuaryProvider *EstuaryProvider) UnpackStateOf(data []byte) (uint8, error) {
	out, err := estuaryProvider.abi.Unpack("stateOf", data)
	if err != nil {
		return *new(uint8), err
	}
	out0 := *abi.ConvertType(out[0], new(uint8)).(*uint8)
	return out0, nil
}

// PackThreshold is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x42cde4e8.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function threshold() view returns(uint8)
func (estuaryProvider *EstuaryProvider) PackThreshold() []byte {
	enc, err := estuaryProvider.abi.Pack("threshold")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackThreshold is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x42cde4e8.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function threshold() view returns(uint8)
func (estuaryProvider *EstuaryProvider) TryPackThreshold() ([]byte, error) {
	return estuaryProvider.abi.Pack("threshold")
}

// UnpackThreshold is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x42cde4e8.
//
// Solidity: function threshold() view returns(uint8)
func (estuaryProvider *EstuaryProvider) UnpackThreshold(data []byte) (uint8, error) {
	out, err := estuaryProvider.abi.Unpack("threshold", data)
	if err != nil {
		return *new(uint8), err
	}
	out0 := *abi.ConvertType(out[0], new(uint8)).(*uint8)
	return out0, nil
}

// PackTransferOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf2fde38b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function transferOwnership(address newOwner) returns()
func (estuaryProvider *EstuaryProvider) PackTransferOwnership(newOwner common.Address) []byte {
	enc, err := estuaryProvider.abi.Pack("transferOwnership", newOwner)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackTransferOwnership is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf2fde38b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function transferOwnership(address newOwner) returns()
func (estuaryProvider *EstuaryProvider) TryPackTransferOwnership(newOwner common.Address) ([]byte, error) {
	return estuaryProvider.abi.Pack("transferOwnership", newOwner)
}

// PackWithdraw is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x51cff8d9.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function withdraw(address to) returns(uint256 amount)
func (estuaryProvider *EstuaryProvider) PackWithdraw(to common.Address) []byte {
	enc, err := estuaryProvider.abi.Pack("withdraw", to)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackWithdraw is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x51cff8d9.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function withdraw(address to) returns(uint256 amount)
func (estuaryProvider *EstuaryProvider) TryPackWithdraw(to common.Address) ([]byte, error) {
	return estuaryProvider.abi.Pack("withdraw", to)
}

// UnpackWithdraw is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x51cff8d9.
//
// Solidity: function withdraw(address to) returns(uint256 amount)
func (estuaryProvider *EstuaryProvider) UnpackWithdraw(data []byte) (*big.Int, error) {
	out, err := estuaryProvider.abi.Unpack("withdraw", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// EstuaryProviderCallbackFailed represents a CallbackFailed event raised by the EstuaryProvider contract.
type EstuaryProviderCallbackFailed struct {
	RequestId [32]byte
	Seq       uint64
	Returned  []byte
	Raw       *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderCallbackFailedEventName = "CallbackFailed"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderCallbackFailed) ContractEventName() string {
	return EstuaryProviderCallbackFailedEventName
}

// UnpackCallbackFailedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event CallbackFailed(bytes32 indexed requestId, uint64 seq, bytes returned)
func (estuaryProvider *EstuaryProvider) UnpackCallbackFailedEvent(log *types.Log) (*EstuaryProviderCallbackFailed, error) {
	event := "CallbackFailed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderCallbackFailed)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderCallbackRetried represents a CallbackRetried event raised by the EstuaryProvider contract.
type EstuaryProviderCallbackRetried struct {
	RequestId [32]byte
	Seq       uint64
	Raw       *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderCallbackRetriedEventName = "CallbackRetried"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderCallbackRetried) ContractEventName() string {
	return EstuaryProviderCallbackRetriedEventName
}

// UnpackCallbackRetriedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event CallbackRetried(bytes32 indexed requestId, uint64 seq)
func (estuaryProvider *EstuaryProvider) UnpackCallbackRetriedEvent(log *types.Log) (*EstuaryProviderCallbackRetried, error) {
	event := "CallbackRetried"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderCallbackRetried)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderCancelRequested represents a CancelRequested event raised by the EstuaryProvider contract.
type EstuaryProviderCancelRequested struct {
	RequestId   [32]byte
	Seq         uint64
	EffectiveAt *big.Int
	Raw         *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderCancelRequestedEventName = "CancelRequested"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderCancelRequested) ContractEventName() string {
	return EstuaryProviderCancelRequestedEventName
}

// UnpackCancelRequestedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event CancelRequested(bytes32 indexed requestId, uint64 seq, uint40 effectiveAt)
func (estuaryProvider *EstuaryProvider) UnpackCancelRequestedEvent(log *types.Log) (*EstuaryProviderCancelRequested, error) {
	event := "CancelRequested"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderCancelRequested)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderEIP712DomainChanged represents a EIP712DomainChanged event raised by the EstuaryProvider contract.
type EstuaryProviderEIP712DomainChanged struct {
	Raw *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderEIP712DomainChangedEventName = "EIP712DomainChanged"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderEIP712DomainChanged) ContractEventName() string {
	return EstuaryProviderEIP712DomainChangedEventName
}

// UnpackEIP712DomainChangedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event EIP712DomainChanged()
func (estuaryProvider *EstuaryProvider) UnpackEIP712DomainChangedEvent(log *types.Log) (*EstuaryProviderEIP712DomainChanged, error) {
	event := "EIP712DomainChanged"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderEIP712DomainChanged)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderFeesEarned represents a FeesEarned event raised by the EstuaryProvider contract.
type EstuaryProviderFeesEarned struct {
	Sender    common.Address
	Seq       uint64
	ToSender  *big.Int
	ToSigners *big.Int
	Signers   *big.Int
	Raw       *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderFeesEarnedEventName = "FeesEarned"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderFeesEarned) ContractEventName() string {
	return EstuaryProviderFeesEarnedEventName
}

// UnpackFeesEarnedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event FeesEarned(address indexed sender, uint64 seq, uint256 toSender, uint256 toSigners, uint256 signers)
func (estuaryProvider *EstuaryProvider) UnpackFeesEarnedEvent(log *types.Log) (*EstuaryProviderFeesEarned, error) {
	event := "FeesEarned"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderFeesEarned)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderGasPriceCapChanged represents a GasPriceCapChanged event raised by the EstuaryProvider contract.
type EstuaryProviderGasPriceCapChanged struct {
	Seq         uint64
	GasPriceCap uint64
	Raw         *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderGasPriceCapChangedEventName = "GasPriceCapChanged"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderGasPriceCapChanged) ContractEventName() string {
	return EstuaryProviderGasPriceCapChangedEventName
}

// UnpackGasPriceCapChangedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event GasPriceCapChanged(uint64 seq, uint64 gasPriceCap)
func (estuaryProvider *EstuaryProvider) UnpackGasPriceCapChangedEvent(log *types.Log) (*EstuaryProviderGasPriceCapChanged, error) {
	event := "GasPriceCapChanged"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderGasPriceCapChanged)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderIntakePausedChanged represents a IntakePausedChanged event raised by the EstuaryProvider contract.
type EstuaryProviderIntakePausedChanged struct {
	Seq    uint64
	Paused bool
	Raw    *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderIntakePausedChangedEventName = "IntakePausedChanged"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderIntakePausedChanged) ContractEventName() string {
	return EstuaryProviderIntakePausedChangedEventName
}

// UnpackIntakePausedChangedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event IntakePausedChanged(uint64 seq, bool paused)
func (estuaryProvider *EstuaryProvider) UnpackIntakePausedChangedEvent(log *types.Log) (*EstuaryProviderIntakePausedChanged, error) {
	event := "IntakePausedChanged"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderIntakePausedChanged)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderOperatorsActivated represents a OperatorsActivated event raised by the EstuaryProvider contract.
type EstuaryProviderOperatorsActivated struct {
	ConfigDigest [32]byte
	Seq          uint64
	Previous     [32]byte
	DrainUntil   *big.Int
	Raw          *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderOperatorsActivatedEventName = "OperatorsActivated"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderOperatorsActivated) ContractEventName() string {
	return EstuaryProviderOperatorsActivatedEventName
}

// UnpackOperatorsActivatedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OperatorsActivated(bytes32 indexed configDigest, uint64 seq, bytes32 previous, uint40 drainUntil)
func (estuaryProvider *EstuaryProvider) UnpackOperatorsActivatedEvent(log *types.Log) (*EstuaryProviderOperatorsActivated, error) {
	event := "OperatorsActivated"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderOperatorsActivated)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderOperatorsProposed represents a OperatorsProposed event raised by the EstuaryProvider contract.
type EstuaryProviderOperatorsProposed struct {
	ConfigDigest [32]byte
	Seq          uint64
	Operators    []common.Address
	Threshold    uint8
	ActiveAt     *big.Int
	Raw          *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderOperatorsProposedEventName = "OperatorsProposed"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderOperatorsProposed) ContractEventName() string {
	return EstuaryProviderOperatorsProposedEventName
}

// UnpackOperatorsProposedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OperatorsProposed(bytes32 indexed configDigest, uint64 seq, address[] operators, uint8 threshold, uint40 activeAt)
func (estuaryProvider *EstuaryProvider) UnpackOperatorsProposedEvent(log *types.Log) (*EstuaryProviderOperatorsProposed, error) {
	event := "OperatorsProposed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderOperatorsProposed)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderOracleAnswered represents a OracleAnswered event raised by the EstuaryProvider contract.
type EstuaryProviderOracleAnswered struct {
	RequestId  [32]byte
	Seq        uint64
	Outcome    uint8
	Reason     uint8
	ResultHash [32]byte
	Signers    *big.Int
	Raw        *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderOracleAnsweredEventName = "OracleAnswered"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderOracleAnswered) ContractEventName() string {
	return EstuaryProviderOracleAnsweredEventName
}

// UnpackOracleAnsweredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OracleAnswered(bytes32 indexed requestId, uint64 seq, uint8 outcome, uint8 reason, bytes32 resultHash, uint256 signers)
func (estuaryProvider *EstuaryProvider) UnpackOracleAnsweredEvent(log *types.Log) (*EstuaryProviderOracleAnswered, error) {
	event := "OracleAnswered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderOracleAnswered)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderOracleRefunded represents a OracleRefunded event raised by the EstuaryProvider contract.
type EstuaryProviderOracleRefunded struct {
	RequestId [32]byte
	Seq       uint64
	RefundTo  common.Address
	Amount    *big.Int
	Cancelled bool
	Raw       *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderOracleRefundedEventName = "OracleRefunded"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderOracleRefunded) ContractEventName() string {
	return EstuaryProviderOracleRefundedEventName
}

// UnpackOracleRefundedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OracleRefunded(bytes32 indexed requestId, uint64 seq, address indexed refundTo, uint96 amount, bool cancelled)
func (estuaryProvider *EstuaryProvider) UnpackOracleRefundedEvent(log *types.Log) (*EstuaryProviderOracleRefunded, error) {
	event := "OracleRefunded"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderOracleRefunded)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderOracleRequested represents a OracleRequested event raised by the EstuaryProvider contract.
type EstuaryProviderOracleRequested struct {
	RequestId [32]byte
	Consumer  common.Address
	Action    uint16
	Terms     Terms
	Payload   []byte
	Context   []byte
	Raw       *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderOracleRequestedEventName = "OracleRequested"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderOracleRequested) ContractEventName() string {
	return EstuaryProviderOracleRequestedEventName
}

// UnpackOracleRequestedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OracleRequested(bytes32 indexed requestId, address indexed consumer, uint16 indexed action, (uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32) terms, bytes payload, bytes context)
func (estuaryProvider *EstuaryProvider) UnpackOracleRequestedEvent(log *types.Log) (*EstuaryProviderOracleRequested, error) {
	event := "OracleRequested"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderOracleRequested)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderOwnershipTransferStarted represents a OwnershipTransferStarted event raised by the EstuaryProvider contract.
type EstuaryProviderOwnershipTransferStarted struct {
	PreviousOwner common.Address
	NewOwner      common.Address
	Raw           *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderOwnershipTransferStartedEventName = "OwnershipTransferStarted"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderOwnershipTransferStarted) ContractEventName() string {
	return EstuaryProviderOwnershipTransferStartedEventName
}

// UnpackOwnershipTransferStartedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OwnershipTransferStarted(address indexed previousOwner, address indexed newOwner)
func (estuaryProvider *EstuaryProvider) UnpackOwnershipTransferStartedEvent(log *types.Log) (*EstuaryProviderOwnershipTransferStarted, error) {
	event := "OwnershipTransferStarted"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderOwnershipTransferStarted)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderOwnershipTransferred represents a OwnershipTransferred event raised by the EstuaryProvider contract.
type EstuaryProviderOwnershipTransferred struct {
	PreviousOwner common.Address
	NewOwner      common.Address
	Raw           *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderOwnershipTransferredEventName = "OwnershipTransferred"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderOwnershipTransferred) ContractEventName() string {
	return EstuaryProviderOwnershipTransferredEventName
}

// UnpackOwnershipTransferredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OwnershipTransferred(address indexed previousOwner, address indexed newOwner)
func (estuaryProvider *EstuaryProvider) UnpackOwnershipTransferredEvent(log *types.Log) (*EstuaryProviderOwnershipTransferred, error) {
	event := "OwnershipTransferred"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderOwnershipTransferred)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderPriceChanged represents a PriceChanged event raised by the EstuaryProvider contract.
type EstuaryProviderPriceChanged struct {
	Action uint16
	Seq    uint64
	Price  Price
	Raw    *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderPriceChangedEventName = "PriceChanged"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderPriceChanged) ContractEventName() string {
	return EstuaryProviderPriceChangedEventName
}

// UnpackPriceChangedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event PriceChanged(uint16 indexed action, uint64 seq, (uint96,uint64,uint64,uint16,bool) price)
func (estuaryProvider *EstuaryProvider) UnpackPriceChangedEvent(log *types.Log) (*EstuaryProviderPriceChanged, error) {
	event := "PriceChanged"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderPriceChanged)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderReportSkipped represents a ReportSkipped event raised by the EstuaryProvider contract.
type EstuaryProviderReportSkipped struct {
	RequestId [32]byte
	Seq       uint64
	Reason    uint8
	Raw       *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderReportSkippedEventName = "ReportSkipped"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderReportSkipped) ContractEventName() string {
	return EstuaryProviderReportSkippedEventName
}

// UnpackReportSkippedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event ReportSkipped(bytes32 indexed requestId, uint64 seq, uint8 reason)
func (estuaryProvider *EstuaryProvider) UnpackReportSkippedEvent(log *types.Log) (*EstuaryProviderReportSkipped, error) {
	event := "ReportSkipped"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderReportSkipped)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderSurplusCredited represents a SurplusCredited event raised by the EstuaryProvider contract.
type EstuaryProviderSurplusCredited struct {
	RequestId [32]byte
	Seq       uint64
	Account   common.Address
	Amount    *big.Int
	Raw       *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderSurplusCreditedEventName = "SurplusCredited"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderSurplusCredited) ContractEventName() string {
	return EstuaryProviderSurplusCreditedEventName
}

// UnpackSurplusCreditedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event SurplusCredited(bytes32 indexed requestId, uint64 seq, address indexed account, uint256 amount)
func (estuaryProvider *EstuaryProvider) UnpackSurplusCreditedEvent(log *types.Log) (*EstuaryProviderSurplusCredited, error) {
	event := "SurplusCredited"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderSurplusCredited)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// EstuaryProviderWithdrawn represents a Withdrawn event raised by the EstuaryProvider contract.
type EstuaryProviderWithdrawn struct {
	Account common.Address
	Seq     uint64
	To      common.Address
	Amount  *big.Int
	Raw     *types.Log // Blockchain specific contextual infos
}

const EstuaryProviderWithdrawnEventName = "Withdrawn"

// ContractEventName returns the user-defined event name.
func (EstuaryProviderWithdrawn) ContractEventName() string {
	return EstuaryProviderWithdrawnEventName
}

// UnpackWithdrawnEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Withdrawn(address indexed account, uint64 seq, address to, uint256 amount)
func (estuaryProvider *EstuaryProvider) UnpackWithdrawnEvent(log *types.Log) (*EstuaryProviderWithdrawn, error) {
	event := "Withdrawn"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != estuaryProvider.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(EstuaryProviderWithdrawn)
	if len(log.Data) > 0 {
		if err := estuaryProvider.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range estuaryProvider.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// UnpackError attempts to decode the provided error data using user-defined
// error definitions.
func (estuaryProvider *EstuaryProvider) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_CallbackGasTooHigh"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderCallbackGasTooHighError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_CallbackReverted"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderCallbackRevertedError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_ConfigOutOfRange"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderConfigOutOfRangeError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_ContextTooLarge"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderContextTooLargeError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_DeadlineTooFar"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderDeadlineTooFarError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_DeadlineTooNear"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderDeadlineTooNearError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_EmptyBatch"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderEmptyBatchError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_GasPriceCapOutOfRange"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderGasPriceCapOutOfRangeError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_GasTooLow"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderGasTooLowError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_IntakePaused"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderIntakePausedError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_NoKeptCallback"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderNoKeptCallbackError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_NotConsumer"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderNotConsumerError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_NotOffered"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderNotOfferedError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_NotOpen"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderNotOpenError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_NotRefundable"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderNotRefundableError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_NothingToWithdraw"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderNothingToWithdrawError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_PayloadMismatch"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderPayloadMismatchError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_PayloadTooLarge"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderPayloadTooLargeError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_PriceOutOfRange"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderPriceOutOfRangeError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_TransferFailed"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderTransferFailedError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_Underpaid"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderUnderpaidError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["EstuaryProvider_ZeroRefundTo"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackEstuaryProviderZeroRefundToError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["InvalidShortString"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackInvalidShortStringError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["OperatorSet_BadThreshold"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackOperatorSetBadThresholdError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["OperatorSet_NotAnOperator"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackOperatorSetNotAnOperatorError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["OperatorSet_NothingProposed"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackOperatorSetNothingProposedError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["OperatorSet_OperatorsUnsorted"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackOperatorSetOperatorsUnsortedError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["OperatorSet_SignaturesUnsorted"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackOperatorSetSignaturesUnsortedError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["OperatorSet_TooEarly"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackOperatorSetTooEarlyError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["OperatorSet_TooManyOperators"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackOperatorSetTooManyOperatorsError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["OperatorSet_UnknownConfig"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackOperatorSetUnknownConfigError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["OperatorSet_WrongSignatureCount"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackOperatorSetWrongSignatureCountError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["OperatorSet_ZeroOperator"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackOperatorSetZeroOperatorError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["OwnableInvalidOwner"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackOwnableInvalidOwnerError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["OwnableUnauthorizedAccount"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackOwnableUnauthorizedAccountError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["ReentrancyGuardReentrantCall"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackReentrancyGuardReentrantCallError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["SafeCastOverflowedUintDowncast"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackSafeCastOverflowedUintDowncastError(raw[4:])
	}
	if bytes.Equal(raw[:4], estuaryProvider.abi.Errors["StringTooLong"].ID.Bytes()[:4]) {
		return estuaryProvider.UnpackStringTooLongError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// EstuaryProviderEstuaryProviderCallbackGasTooHigh represents a EstuaryProvider_CallbackGasTooHigh error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderCallbackGasTooHigh struct {
	Asked uint32
	Most  uint32
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_CallbackGasTooHigh(uint32 asked, uint32 most)
func EstuaryProviderEstuaryProviderCallbackGasTooHighErrorID() common.Hash {
	return common.HexToHash("0xb9aecc3a17e7439b799ef102990f1eee85e6939b534573757e91a331bd551a29")
}

// UnpackEstuaryProviderCallbackGasTooHighError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_CallbackGasTooHigh(uint32 asked, uint32 most)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderCallbackGasTooHighError(raw []byte) (*EstuaryProviderEstuaryProviderCallbackGasTooHigh, error) {
	out := new(EstuaryProviderEstuaryProviderCallbackGasTooHigh)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_CallbackGasTooHigh", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderCallbackReverted represents a EstuaryProvider_CallbackReverted error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderCallbackReverted struct {
	Returned []byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_CallbackReverted(bytes returned)
func EstuaryProviderEstuaryProviderCallbackRevertedErrorID() common.Hash {
	return common.HexToHash("0x3ffc9d7a6bf56afb6fcb9f56e644b68527aab8e7e4673f7a9642281fe68854ab")
}

// UnpackEstuaryProviderCallbackRevertedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_CallbackReverted(bytes returned)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderCallbackRevertedError(raw []byte) (*EstuaryProviderEstuaryProviderCallbackReverted, error) {
	out := new(EstuaryProviderEstuaryProviderCallbackReverted)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_CallbackReverted", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderConfigOutOfRange represents a EstuaryProvider_ConfigOutOfRange error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderConfigOutOfRange struct {
	Field [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_ConfigOutOfRange(bytes32 field)
func EstuaryProviderEstuaryProviderConfigOutOfRangeErrorID() common.Hash {
	return common.HexToHash("0xf8760fcc47f715c950db1addb7977b75c607152393c31702785e9bda9c1ea674")
}

// UnpackEstuaryProviderConfigOutOfRangeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_ConfigOutOfRange(bytes32 field)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderConfigOutOfRangeError(raw []byte) (*EstuaryProviderEstuaryProviderConfigOutOfRange, error) {
	out := new(EstuaryProviderEstuaryProviderConfigOutOfRange)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_ConfigOutOfRange", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderContextTooLarge represents a EstuaryProvider_ContextTooLarge error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderContextTooLarge struct {
	Size *big.Int
	Most *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_ContextTooLarge(uint256 size, uint256 most)
func EstuaryProviderEstuaryProviderContextTooLargeErrorID() common.Hash {
	return common.HexToHash("0x0136f9b60b5ef0c36b55a7b030d7379f7900e52e3dca3395d14d0b3a41059ad1")
}

// UnpackEstuaryProviderContextTooLargeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_ContextTooLarge(uint256 size, uint256 most)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderContextTooLargeError(raw []byte) (*EstuaryProviderEstuaryProviderContextTooLarge, error) {
	out := new(EstuaryProviderEstuaryProviderContextTooLarge)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_ContextTooLarge", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderDeadlineTooFar represents a EstuaryProvider_DeadlineTooFar error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderDeadlineTooFar struct {
	Deadline *big.Int
	Latest   *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_DeadlineTooFar(uint40 deadline, uint40 latest)
func EstuaryProviderEstuaryProviderDeadlineTooFarErrorID() common.Hash {
	return common.HexToHash("0xb205b1dd3e0916e6d770d9c25c6d78aacb4e3a88e6cac44c7e332c639008e058")
}

// UnpackEstuaryProviderDeadlineTooFarError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_DeadlineTooFar(uint40 deadline, uint40 latest)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderDeadlineTooFarError(raw []byte) (*EstuaryProviderEstuaryProviderDeadlineTooFar, error) {
	out := new(EstuaryProviderEstuaryProviderDeadlineTooFar)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_DeadlineTooFar", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderDeadlineTooNear represents a EstuaryProvider_DeadlineTooNear error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderDeadlineTooNear struct {
	Deadline *big.Int
	Earliest *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_DeadlineTooNear(uint40 deadline, uint40 earliest)
func EstuaryProviderEstuaryProviderDeadlineTooNearErrorID() common.Hash {
	return common.HexToHash("0x3ebac96404fa556c180d8c8983a9a7fab8a3fe4b807508c32680e9d0ddac46e1")
}

// UnpackEstuaryProviderDeadlineTooNearError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_DeadlineTooNear(uint40 deadline, uint40 earliest)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderDeadlineTooNearError(raw []byte) (*EstuaryProviderEstuaryProviderDeadlineTooNear, error) {
	out := new(EstuaryProviderEstuaryProviderDeadlineTooNear)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_DeadlineTooNear", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderEmptyBatch represents a EstuaryProvider_EmptyBatch error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderEmptyBatch struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_EmptyBatch()
func EstuaryProviderEstuaryProviderEmptyBatchErrorID() common.Hash {
	return common.HexToHash("0xbfed9fd1cfac9bcb71158c55cfd0978923e2a48c4041d922b8ffa1db52c9e7c7")
}

// UnpackEstuaryProviderEmptyBatchError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_EmptyBatch()
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderEmptyBatchError(raw []byte) (*EstuaryProviderEstuaryProviderEmptyBatch, error) {
	out := new(EstuaryProviderEstuaryProviderEmptyBatch)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_EmptyBatch", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderGasPriceCapOutOfRange represents a EstuaryProvider_GasPriceCapOutOfRange error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderGasPriceCapOutOfRange struct {
	GasPriceCap uint64
	Most        uint64
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_GasPriceCapOutOfRange(uint64 gasPriceCap, uint64 most)
func EstuaryProviderEstuaryProviderGasPriceCapOutOfRangeErrorID() common.Hash {
	return common.HexToHash("0x0f49482137dc39beaa50a8575d6f1a8069631cb02257b59c1c22e174cdefcb38")
}

// UnpackEstuaryProviderGasPriceCapOutOfRangeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_GasPriceCapOutOfRange(uint64 gasPriceCap, uint64 most)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderGasPriceCapOutOfRangeError(raw []byte) (*EstuaryProviderEstuaryProviderGasPriceCapOutOfRange, error) {
	out := new(EstuaryProviderEstuaryProviderGasPriceCapOutOfRange)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_GasPriceCapOutOfRange", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderGasTooLow represents a EstuaryProvider_GasTooLow error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderGasTooLow struct {
	Left   *big.Int
	Needed *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_GasTooLow(uint256 left, uint256 needed)
func EstuaryProviderEstuaryProviderGasTooLowErrorID() common.Hash {
	return common.HexToHash("0xafab5c465ae51aa4ee2f57079a81ff1b064b06f672afe7f791c2ee0eae5040b9")
}

// UnpackEstuaryProviderGasTooLowError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_GasTooLow(uint256 left, uint256 needed)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderGasTooLowError(raw []byte) (*EstuaryProviderEstuaryProviderGasTooLow, error) {
	out := new(EstuaryProviderEstuaryProviderGasTooLow)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_GasTooLow", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderIntakePaused represents a EstuaryProvider_IntakePaused error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderIntakePaused struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_IntakePaused()
func EstuaryProviderEstuaryProviderIntakePausedErrorID() common.Hash {
	return common.HexToHash("0x9ed510b247736258240890e44a79454dbdbd5544230c4b3400c2250b1ff9ca7a")
}

// UnpackEstuaryProviderIntakePausedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_IntakePaused()
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderIntakePausedError(raw []byte) (*EstuaryProviderEstuaryProviderIntakePaused, error) {
	out := new(EstuaryProviderEstuaryProviderIntakePaused)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_IntakePaused", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderNoKeptCallback represents a EstuaryProvider_NoKeptCallback error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderNoKeptCallback struct {
	RequestId [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_NoKeptCallback(bytes32 requestId)
func EstuaryProviderEstuaryProviderNoKeptCallbackErrorID() common.Hash {
	return common.HexToHash("0x15ae84cf7dd246e558bde1468386c02f3012d3e657a3044ec9e3d60c0e64af23")
}

// UnpackEstuaryProviderNoKeptCallbackError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_NoKeptCallback(bytes32 requestId)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderNoKeptCallbackError(raw []byte) (*EstuaryProviderEstuaryProviderNoKeptCallback, error) {
	out := new(EstuaryProviderEstuaryProviderNoKeptCallback)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_NoKeptCallback", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderNotConsumer represents a EstuaryProvider_NotConsumer error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderNotConsumer struct {
	Caller common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_NotConsumer(address caller)
func EstuaryProviderEstuaryProviderNotConsumerErrorID() common.Hash {
	return common.HexToHash("0xba76db238c53cc31c730c4bef76c86a00f745bb8da75f10565f5542f637bd60b")
}

// UnpackEstuaryProviderNotConsumerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_NotConsumer(address caller)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderNotConsumerError(raw []byte) (*EstuaryProviderEstuaryProviderNotConsumer, error) {
	out := new(EstuaryProviderEstuaryProviderNotConsumer)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_NotConsumer", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderNotOffered represents a EstuaryProvider_NotOffered error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderNotOffered struct {
	Action uint16
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_NotOffered(uint16 action)
func EstuaryProviderEstuaryProviderNotOfferedErrorID() common.Hash {
	return common.HexToHash("0xe2000d846015a56c66d8e9a81aa6fea39ac30e0ff8d89fcbbf3147c3fedf206f")
}

// UnpackEstuaryProviderNotOfferedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_NotOffered(uint16 action)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderNotOfferedError(raw []byte) (*EstuaryProviderEstuaryProviderNotOffered, error) {
	out := new(EstuaryProviderEstuaryProviderNotOffered)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_NotOffered", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderNotOpen represents a EstuaryProvider_NotOpen error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderNotOpen struct {
	RequestId [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_NotOpen(bytes32 requestId)
func EstuaryProviderEstuaryProviderNotOpenErrorID() common.Hash {
	return common.HexToHash("0xf5aa199b079fd72faacd9e14a615de5a973bcb803a7381eb765cb3b4b53f1978")
}

// UnpackEstuaryProviderNotOpenError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_NotOpen(bytes32 requestId)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderNotOpenError(raw []byte) (*EstuaryProviderEstuaryProviderNotOpen, error) {
	out := new(EstuaryProviderEstuaryProviderNotOpen)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_NotOpen", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderNotRefundable represents a EstuaryProvider_NotRefundable error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderNotRefundable struct {
	RequestId [32]byte
	From      *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_NotRefundable(bytes32 requestId, uint40 from)
func EstuaryProviderEstuaryProviderNotRefundableErrorID() common.Hash {
	return common.HexToHash("0xbaef227c6361e3300f26e6103a4bc6b5be37993f02bf0d6160a8dda3bf320b53")
}

// UnpackEstuaryProviderNotRefundableError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_NotRefundable(bytes32 requestId, uint40 from)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderNotRefundableError(raw []byte) (*EstuaryProviderEstuaryProviderNotRefundable, error) {
	out := new(EstuaryProviderEstuaryProviderNotRefundable)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_NotRefundable", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderNothingToWithdraw represents a EstuaryProvider_NothingToWithdraw error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderNothingToWithdraw struct {
	Account common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_NothingToWithdraw(address account)
func EstuaryProviderEstuaryProviderNothingToWithdrawErrorID() common.Hash {
	return common.HexToHash("0x75d20dcec78f47fda1c209aeb3ab6d0285fd2da2c682a93bb80a6f0f09902d7a")
}

// UnpackEstuaryProviderNothingToWithdrawError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_NothingToWithdraw(address account)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderNothingToWithdrawError(raw []byte) (*EstuaryProviderEstuaryProviderNothingToWithdraw, error) {
	out := new(EstuaryProviderEstuaryProviderNothingToWithdraw)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_NothingToWithdraw", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderPayloadMismatch represents a EstuaryProvider_PayloadMismatch error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderPayloadMismatch struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_PayloadMismatch()
func EstuaryProviderEstuaryProviderPayloadMismatchErrorID() common.Hash {
	return common.HexToHash("0x5b76312eef99be0675b64bb5c7c91d0ac34bdf5765fa01e584d22f0b319e496a")
}

// UnpackEstuaryProviderPayloadMismatchError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_PayloadMismatch()
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderPayloadMismatchError(raw []byte) (*EstuaryProviderEstuaryProviderPayloadMismatch, error) {
	out := new(EstuaryProviderEstuaryProviderPayloadMismatch)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_PayloadMismatch", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderPayloadTooLarge represents a EstuaryProvider_PayloadTooLarge error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderPayloadTooLarge struct {
	Size *big.Int
	Most *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_PayloadTooLarge(uint256 size, uint256 most)
func EstuaryProviderEstuaryProviderPayloadTooLargeErrorID() common.Hash {
	return common.HexToHash("0x10d235df12c9bd04b114d2724322d2acc61f13d30a5f9493f7b0857ec1a9e28a")
}

// UnpackEstuaryProviderPayloadTooLargeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_PayloadTooLarge(uint256 size, uint256 most)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderPayloadTooLargeError(raw []byte) (*EstuaryProviderEstuaryProviderPayloadTooLarge, error) {
	out := new(EstuaryProviderEstuaryProviderPayloadTooLarge)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_PayloadTooLarge", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderPriceOutOfRange represents a EstuaryProvider_PriceOutOfRange error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderPriceOutOfRange struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_PriceOutOfRange()
func EstuaryProviderEstuaryProviderPriceOutOfRangeErrorID() common.Hash {
	return common.HexToHash("0x8211af3571ec2b297b40f03944acad96ab8e07e9bb8422bee2f1b58d82bc6292")
}

// UnpackEstuaryProviderPriceOutOfRangeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_PriceOutOfRange()
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderPriceOutOfRangeError(raw []byte) (*EstuaryProviderEstuaryProviderPriceOutOfRange, error) {
	out := new(EstuaryProviderEstuaryProviderPriceOutOfRange)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_PriceOutOfRange", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderTransferFailed represents a EstuaryProvider_TransferFailed error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderTransferFailed struct {
	To common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_TransferFailed(address to)
func EstuaryProviderEstuaryProviderTransferFailedErrorID() common.Hash {
	return common.HexToHash("0xcd9b499f12980db8bd981a640e7a673b01611f095939d721070b87eb649cbae4")
}

// UnpackEstuaryProviderTransferFailedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_TransferFailed(address to)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderTransferFailedError(raw []byte) (*EstuaryProviderEstuaryProviderTransferFailed, error) {
	out := new(EstuaryProviderEstuaryProviderTransferFailed)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_TransferFailed", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderUnderpaid represents a EstuaryProvider_Underpaid error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderUnderpaid struct {
	Sent   *big.Int
	Needed *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_Underpaid(uint256 sent, uint256 needed)
func EstuaryProviderEstuaryProviderUnderpaidErrorID() common.Hash {
	return common.HexToHash("0x46ee80114b1a9b66bbe7eda564352366f90ac3a6313d704d28e5cc1a52687a2c")
}

// UnpackEstuaryProviderUnderpaidError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_Underpaid(uint256 sent, uint256 needed)
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderUnderpaidError(raw []byte) (*EstuaryProviderEstuaryProviderUnderpaid, error) {
	out := new(EstuaryProviderEstuaryProviderUnderpaid)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_Underpaid", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderEstuaryProviderZeroRefundTo represents a EstuaryProvider_ZeroRefundTo error raised by the EstuaryProvider contract.
type EstuaryProviderEstuaryProviderZeroRefundTo struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EstuaryProvider_ZeroRefundTo()
func EstuaryProviderEstuaryProviderZeroRefundToErrorID() common.Hash {
	return common.HexToHash("0x1cb359980b0d3f8d1154dcc4c0e1d8075ed375759bd12b6bc91700218d7001bf")
}

// UnpackEstuaryProviderZeroRefundToError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EstuaryProvider_ZeroRefundTo()
func (estuaryProvider *EstuaryProvider) UnpackEstuaryProviderZeroRefundToError(raw []byte) (*EstuaryProviderEstuaryProviderZeroRefundTo, error) {
	out := new(EstuaryProviderEstuaryProviderZeroRefundTo)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "EstuaryProvider_ZeroRefundTo", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderInvalidShortString represents a InvalidShortString error raised by the EstuaryProvider contract.
type EstuaryProviderInvalidShortString struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InvalidShortString()
func EstuaryProviderInvalidShortStringErrorID() common.Hash {
	return common.HexToHash("0xb3512b0c6163e5f0bafab72bb631b9d58cd7a731b082f910338aa21c83d5c274")
}

// UnpackInvalidShortStringError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InvalidShortString()
func (estuaryProvider *EstuaryProvider) UnpackInvalidShortStringError(raw []byte) (*EstuaryProviderInvalidShortString, error) {
	out := new(EstuaryProviderInvalidShortString)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "InvalidShortString", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderOperatorSetBadThreshold represents a OperatorSet_BadThreshold error raised by the EstuaryProvider contract.
type EstuaryProviderOperatorSetBadThreshold struct {
	Threshold *big.Int
	Operators *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OperatorSet_BadThreshold(uint256 threshold, uint256 operators)
func EstuaryProviderOperatorSetBadThresholdErrorID() common.Hash {
	return common.HexToHash("0x36c7cf99a213fb972f0f0a4123528d467bddae4881996708f43fc787b6c6fae0")
}

// UnpackOperatorSetBadThresholdError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OperatorSet_BadThreshold(uint256 threshold, uint256 operators)
func (estuaryProvider *EstuaryProvider) UnpackOperatorSetBadThresholdError(raw []byte) (*EstuaryProviderOperatorSetBadThreshold, error) {
	out := new(EstuaryProviderOperatorSetBadThreshold)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "OperatorSet_BadThreshold", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderOperatorSetNotAnOperator represents a OperatorSet_NotAnOperator error raised by the EstuaryProvider contract.
type EstuaryProviderOperatorSetNotAnOperator struct {
	Signer common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OperatorSet_NotAnOperator(address signer)
func EstuaryProviderOperatorSetNotAnOperatorErrorID() common.Hash {
	return common.HexToHash("0x0ea4a4ffe84c3054622feb1ed5e0152e45708331d38b80dd59669ffe137bbe21")
}

// UnpackOperatorSetNotAnOperatorError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OperatorSet_NotAnOperator(address signer)
func (estuaryProvider *EstuaryProvider) UnpackOperatorSetNotAnOperatorError(raw []byte) (*EstuaryProviderOperatorSetNotAnOperator, error) {
	out := new(EstuaryProviderOperatorSetNotAnOperator)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "OperatorSet_NotAnOperator", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderOperatorSetNothingProposed represents a OperatorSet_NothingProposed error raised by the EstuaryProvider contract.
type EstuaryProviderOperatorSetNothingProposed struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OperatorSet_NothingProposed()
func EstuaryProviderOperatorSetNothingProposedErrorID() common.Hash {
	return common.HexToHash("0x353765d6d11a86176be9002a1f7a97852e03ed2942652d76e3ed410bfc3ce281")
}

// UnpackOperatorSetNothingProposedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OperatorSet_NothingProposed()
func (estuaryProvider *EstuaryProvider) UnpackOperatorSetNothingProposedError(raw []byte) (*EstuaryProviderOperatorSetNothingProposed, error) {
	out := new(EstuaryProviderOperatorSetNothingProposed)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "OperatorSet_NothingProposed", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderOperatorSetOperatorsUnsorted represents a OperatorSet_OperatorsUnsorted error raised by the EstuaryProvider contract.
type EstuaryProviderOperatorSetOperatorsUnsorted struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OperatorSet_OperatorsUnsorted()
func EstuaryProviderOperatorSetOperatorsUnsortedErrorID() common.Hash {
	return common.HexToHash("0x1e628502485593b8c340d53dc7dc88b5eaec56f4923c2ba6df65b45a0ec92354")
}

// UnpackOperatorSetOperatorsUnsortedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OperatorSet_OperatorsUnsorted()
func (estuaryProvider *EstuaryProvider) UnpackOperatorSetOperatorsUnsortedError(raw []byte) (*EstuaryProviderOperatorSetOperatorsUnsorted, error) {
	out := new(EstuaryProviderOperatorSetOperatorsUnsorted)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "OperatorSet_OperatorsUnsorted", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderOperatorSetSignaturesUnsorted represents a OperatorSet_SignaturesUnsorted error raised by the EstuaryProvider contract.
type EstuaryProviderOperatorSetSignaturesUnsorted struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OperatorSet_SignaturesUnsorted()
func EstuaryProviderOperatorSetSignaturesUnsortedErrorID() common.Hash {
	return common.HexToHash("0xd2aab12f895dd88cbe76f81a243a28d8bcb9e856b95aa58ff327f68271beea00")
}

// UnpackOperatorSetSignaturesUnsortedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OperatorSet_SignaturesUnsorted()
func (estuaryProvider *EstuaryProvider) UnpackOperatorSetSignaturesUnsortedError(raw []byte) (*EstuaryProviderOperatorSetSignaturesUnsorted, error) {
	out := new(EstuaryProviderOperatorSetSignaturesUnsorted)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "OperatorSet_SignaturesUnsorted", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderOperatorSetTooEarly represents a OperatorSet_TooEarly error raised by the EstuaryProvider contract.
type EstuaryProviderOperatorSetTooEarly struct {
	ActiveAt *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OperatorSet_TooEarly(uint40 activeAt)
func EstuaryProviderOperatorSetTooEarlyErrorID() common.Hash {
	return common.HexToHash("0x7870c35c8c0a6407a01ee20a680f4a40ae40cf41d1f9b3aca9b960268c205045")
}

// UnpackOperatorSetTooEarlyError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OperatorSet_TooEarly(uint40 activeAt)
func (estuaryProvider *EstuaryProvider) UnpackOperatorSetTooEarlyError(raw []byte) (*EstuaryProviderOperatorSetTooEarly, error) {
	out := new(EstuaryProviderOperatorSetTooEarly)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "OperatorSet_TooEarly", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderOperatorSetTooManyOperators represents a OperatorSet_TooManyOperators error raised by the EstuaryProvider contract.
type EstuaryProviderOperatorSetTooManyOperators struct {
	Operators *big.Int
	Most      *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OperatorSet_TooManyOperators(uint256 operators, uint256 most)
func EstuaryProviderOperatorSetTooManyOperatorsErrorID() common.Hash {
	return common.HexToHash("0x724d4e3ae01a988db3bddae7cd71276d605c0726a0c4a02a32afae5dd849ea24")
}

// UnpackOperatorSetTooManyOperatorsError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OperatorSet_TooManyOperators(uint256 operators, uint256 most)
func (estuaryProvider *EstuaryProvider) UnpackOperatorSetTooManyOperatorsError(raw []byte) (*EstuaryProviderOperatorSetTooManyOperators, error) {
	out := new(EstuaryProviderOperatorSetTooManyOperators)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "OperatorSet_TooManyOperators", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderOperatorSetUnknownConfig represents a OperatorSet_UnknownConfig error raised by the EstuaryProvider contract.
type EstuaryProviderOperatorSetUnknownConfig struct {
	ConfigDigest [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OperatorSet_UnknownConfig(bytes32 configDigest)
func EstuaryProviderOperatorSetUnknownConfigErrorID() common.Hash {
	return common.HexToHash("0x53006cfba91fc4220f59acacf71447a2b6ffa4bf59543f01e5518321a13e8498")
}

// UnpackOperatorSetUnknownConfigError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OperatorSet_UnknownConfig(bytes32 configDigest)
func (estuaryProvider *EstuaryProvider) UnpackOperatorSetUnknownConfigError(raw []byte) (*EstuaryProviderOperatorSetUnknownConfig, error) {
	out := new(EstuaryProviderOperatorSetUnknownConfig)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "OperatorSet_UnknownConfig", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderOperatorSetWrongSignatureCount represents a OperatorSet_WrongSignatureCount error raised by the EstuaryProvider contract.
type EstuaryProviderOperatorSetWrongSignatureCount struct {
	Given     *big.Int
	Threshold *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OperatorSet_WrongSignatureCount(uint256 given, uint256 threshold)
func EstuaryProviderOperatorSetWrongSignatureCountErrorID() common.Hash {
	return common.HexToHash("0x5fda09ca07567b49d3fb935df883be1e078ecd01c8cbe7ca8629d214ed40391d")
}

// UnpackOperatorSetWrongSignatureCountError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OperatorSet_WrongSignatureCount(uint256 given, uint256 threshold)
func (estuaryProvider *EstuaryProvider) UnpackOperatorSetWrongSignatureCountError(raw []byte) (*EstuaryProviderOperatorSetWrongSignatureCount, error) {
	out := new(EstuaryProviderOperatorSetWrongSignatureCount)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "OperatorSet_WrongSignatureCount", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderOperatorSetZeroOperator represents a OperatorSet_ZeroOperator error raised by the EstuaryProvider contract.
type EstuaryProviderOperatorSetZeroOperator struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OperatorSet_ZeroOperator()
func EstuaryProviderOperatorSetZeroOperatorErrorID() common.Hash {
	return common.HexToHash("0xc04d6edc6dd1e990d086dabca4c1640fed76513b98979737cf3b202e211ff22e")
}

// UnpackOperatorSetZeroOperatorError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OperatorSet_ZeroOperator()
func (estuaryProvider *EstuaryProvider) UnpackOperatorSetZeroOperatorError(raw []byte) (*EstuaryProviderOperatorSetZeroOperator, error) {
	out := new(EstuaryProviderOperatorSetZeroOperator)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "OperatorSet_ZeroOperator", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderOwnableInvalidOwner represents a OwnableInvalidOwner error raised by the EstuaryProvider contract.
type EstuaryProviderOwnableInvalidOwner struct {
	Owner common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OwnableInvalidOwner(address owner)
func EstuaryProviderOwnableInvalidOwnerErrorID() common.Hash {
	return common.HexToHash("0x1e4fbdf7f3ef8bcaa855599e3abf48b232380f183f08f6f813d9ffa5bd585188")
}

// UnpackOwnableInvalidOwnerError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OwnableInvalidOwner(address owner)
func (estuaryProvider *EstuaryProvider) UnpackOwnableInvalidOwnerError(raw []byte) (*EstuaryProviderOwnableInvalidOwner, error) {
	out := new(EstuaryProviderOwnableInvalidOwner)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "OwnableInvalidOwner", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderOwnableUnauthorizedAccount represents a OwnableUnauthorizedAccount error raised by the EstuaryProvider contract.
type EstuaryProviderOwnableUnauthorizedAccount struct {
	Account common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error OwnableUnauthorizedAccount(address account)
func EstuaryProviderOwnableUnauthorizedAccountErrorID() common.Hash {
	return common.HexToHash("0x118cdaa7a341953d1887a2245fd6665d741c67c8c50581daa59e1d03373fa188")
}

// UnpackOwnableUnauthorizedAccountError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error OwnableUnauthorizedAccount(address account)
func (estuaryProvider *EstuaryProvider) UnpackOwnableUnauthorizedAccountError(raw []byte) (*EstuaryProviderOwnableUnauthorizedAccount, error) {
	out := new(EstuaryProviderOwnableUnauthorizedAccount)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "OwnableUnauthorizedAccount", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderReentrancyGuardReentrantCall represents a ReentrancyGuardReentrantCall error raised by the EstuaryProvider contract.
type EstuaryProviderReentrancyGuardReentrantCall struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ReentrancyGuardReentrantCall()
func EstuaryProviderReentrancyGuardReentrantCallErrorID() common.Hash {
	return common.HexToHash("0x3ee5aeb571de7fc460830b4d0017439a1ca56fb0bc39062227ade4fe4a24c1ca")
}

// UnpackReentrancyGuardReentrantCallError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ReentrancyGuardReentrantCall()
func (estuaryProvider *EstuaryProvider) UnpackReentrancyGuardReentrantCallError(raw []byte) (*EstuaryProviderReentrancyGuardReentrantCall, error) {
	out := new(EstuaryProviderReentrancyGuardReentrantCall)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "ReentrancyGuardReentrantCall", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderSafeCastOverflowedUintDowncast represents a SafeCastOverflowedUintDowncast error raised by the EstuaryProvider contract.
type EstuaryProviderSafeCastOverflowedUintDowncast struct {
	Bits  uint8
	Value *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error SafeCastOverflowedUintDowncast(uint8 bits, uint256 value)
func EstuaryProviderSafeCastOverflowedUintDowncastErrorID() common.Hash {
	return common.HexToHash("0x6dfcc6503a32754ce7a89698e18201fc5294fd4aad43edefee786f88423b1a12")
}

// UnpackSafeCastOverflowedUintDowncastError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error SafeCastOverflowedUintDowncast(uint8 bits, uint256 value)
func (estuaryProvider *EstuaryProvider) UnpackSafeCastOverflowedUintDowncastError(raw []byte) (*EstuaryProviderSafeCastOverflowedUintDowncast, error) {
	out := new(EstuaryProviderSafeCastOverflowedUintDowncast)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "SafeCastOverflowedUintDowncast", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// EstuaryProviderStringTooLong represents a StringTooLong error raised by the EstuaryProvider contract.
type EstuaryProviderStringTooLong struct {
	Str string
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error StringTooLong(string str)
func EstuaryProviderStringTooLongErrorID() common.Hash {
	return common.HexToHash("0x305a27a93f8e33b7392df0a0f91d6fc63847395853c45991eec52dbf24d72381")
}

// UnpackStringTooLongError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error StringTooLong(string str)
func (estuaryProvider *EstuaryProvider) UnpackStringTooLongError(raw []byte) (*EstuaryProviderStringTooLong, error) {
	out := new(EstuaryProviderStringTooLong)
	if err := estuaryProvider.abi.UnpackIntoInterface(out, "StringTooLong", raw); err != nil {
		return nil, err
	}
	return out, nil
}
