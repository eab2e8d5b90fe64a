package rpc

import (
	"bytes"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin/v10/eam"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
)

// newReceipt is the receipt of a placed transaction. baseFee is that of the tipset
// which has the message. CumulativeGasUsed is 0, as in Lotus.
func newReceipt(tx ethtypes.EthTx, baseFee abi.TokenAmount, r types.MessageReceipt, logs []ethtypes.EthLog) (*ethtypes.EthTxReceipt, error) {
	out := &ethtypes.EthTxReceipt{
		TransactionHash:   tx.Hash,
		TransactionIndex:  *tx.TransactionIndex,
		BlockHash:         *tx.BlockHash,
		BlockNumber:       *tx.BlockNumber,
		From:              tx.From,
		To:                tx.To,
		Type:              tx.Type,
		GasUsed:           ethtypes.EthUint64(r.GasUsed),
		CumulativeGasUsed: ethtypes.EmptyEthInt,
		LogsBloom:         ethtypes.NewEmptyEthBloom(),
		Logs:              []ethtypes.EthLog{}, // clients break on null
	}
	if r.ExitCode.IsSuccess() {
		out.Status = 1
	}
	price, err := effectiveGasPrice(tx, baseFee, r.GasUsed)
	if err != nil {
		return nil, err
	}
	out.EffectiveGasPrice = ethtypes.EthBigInt(price)
	if tx.To == nil && r.ExitCode.IsSuccess() {
		var created eam.CreateExternalReturn
		if err := created.UnmarshalCBOR(bytes.NewReader(r.Return)); err != nil {
			return nil, fmt.Errorf("failed to parse contract creation result: %w", err)
		}
		address := ethtypes.EthAddress(created.EthAddress)
		out.ContractAddress = &address
	}
	if len(logs) > 0 {
		out.Logs = logs
	}
	for _, log := range out.Logs {
		addToBloom(out.LogsBloom, log.Address, log.Topics)
	}
	return out, nil
}

// effectiveGasPrice is all that the sender paid for gas, over-estimation included,
// per unit used.
func effectiveGasPrice(tx ethtypes.EthTx, baseFee abi.TokenAmount, gasUsed int64) (abi.TokenAmount, error) {
	if gasUsed <= 0 {
		return big.Zero(), nil
	}
	feeCap, err := tx.GasFeeCap()
	if err != nil {
		return big.Int{}, fmt.Errorf("failed to get gas fee cap: %w", err)
	}
	premium, err := tx.GasPremium()
	if err != nil {
		return big.Int{}, fmt.Errorf("failed to get gas premium: %w", err)
	}
	return big.Div(gasSpent(gasUsed, int64(tx.Gas), baseFee, big.Int(feeCap), big.Int(premium)), big.NewInt(gasUsed)), nil
}

// gasSpent is base fee burn, tip and over-estimation burn of a message.
func gasSpent(used, limit int64, baseFee, feeCap, premium abi.TokenAmount) abi.TokenAmount {
	paid := big.Min(baseFee, feeCap)
	tip := big.Min(premium, big.Sub(feeCap, paid))
	if tip.Sign() < 0 {
		tip = big.Zero()
	}
	_, burned := overEstimation(used, limit)
	spent := big.Mul(paid, big.NewInt(used))
	spent = big.Add(spent, big.Mul(tip, big.NewInt(limit)))
	return big.Add(spent, big.Mul(paid, big.NewInt(burned)))
}

// overEstimation splits the gas that was not used into what is refunded and what is
// burnt: nothing up to 10 % above the use, everything from 110 % above it.
func overEstimation(used, limit int64) (refund, burn int64) {
	if used == 0 {
		return 0, limit
	}
	over := min(max(limit-used-used/10, 0), used)
	unused := big.NewInt(limit - used)
	burned := big.Div(big.Mul(unused, big.NewInt(over)), big.NewInt(used)).Int64()
	return limit - used - burned, burned
}
