package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-jsonrpc"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
)

const (
	maxFeeHistory        = 1024
	maxRewardPercentiles = 100
)

// EthCall is eth_call. A reverted call is error 3 with the revert data.
func (n *node) EthCall(ctx context.Context, tx ethtypes.EthCall, param ethtypes.EthBlockNumberOrHash) (ethtypes.EthBytes, error) {
	msg, err := callMessage(tx)
	if err != nil {
		return nil, fmt.Errorf("failed to convert ethcall to filecoin message: %w", err)
	}
	ts, err := n.tipsetByParam(param)
	if err != nil {
		return nil, err
	}
	result, err := n.call(ctx, ts, msg)
	if err != nil {
		return nil, err // unwrapped, for its code
	}
	if msg.To == builtin.EthereumAddressManagerActorAddr || len(result.MsgRct.Return) == 0 {
		return ethtypes.EthBytes{}, nil
	}
	return cbg.ReadByteArray(bytes.NewReader(result.MsgRct.Return), uint64(len(result.MsgRct.Return)))
}

func callMessage(tx ethtypes.EthCall) (*types.Message, error) {
	msg, err := tx.ToFilecoinMessage()
	if err != nil {
		return nil, err
	}
	if msg.Value.Int == nil {
		msg.Value = big.Zero()
	}
	return msg, nil
}

// EthEstimateGas is eth_estimateGas: what the message uses at the head, with Lotus's
// factor of 1.25.
func (n *node) EthEstimateGas(ctx context.Context, p jsonrpc.RawParams) (ethtypes.EthUint64, error) {
	params, err := jsonrpc.DecodeParams[ethtypes.EthEstimateGasParams](p)
	if err != nil {
		return 0, fmt.Errorf("decoding params: %w", err)
	}
	msg, err := callMessage(params.Tx)
	if err != nil {
		return 0, err
	}
	ts := n.chain.Head()
	if params.BlkParam != nil {
		if ts, err = n.tipsetByParam(*params.BlkParam); err != nil {
			return 0, err
		}
	}
	msg.GasLimit = 0
	gassed, err := n.GasEstimateMessageGas(ctx, msg, nil, ts.Key())
	if err != nil {
		return 0, n.whyNoEstimate(ctx, msg, ts, err)
	}
	limit, err := n.checkEstimate(ctx, gassed, ts)
	if err != nil {
		return 0, fmt.Errorf("gas search failed: %w", err)
	}
	return ethtypes.EthUint64(limit), nil
}

// whyNoEstimate runs the message as a call, which gives the revert data.
func (n *node) whyNoEstimate(ctx context.Context, msg *types.Message, ts *types.TipSet, err error) error {
	own := *msg
	own.GasLimit = buildconstants.BlockGasLimit
	if _, callErr := n.call(ctx, ts, &own); callErr != nil {
		if reverted := new(api.ErrExecutionReverted); errors.As(callErr, &reverted) {
			return reverted // unwrapped, for its code
		}
		err = callErr
	}
	return fmt.Errorf("failed to estimate gas: %w", err)
}

// checkEstimate runs the message with the estimated limit. Contracts that look at
// the gas they have may need more than they used without a limit.
func (n *node) checkEstimate(ctx context.Context, msg *types.Message, ts *types.TipSet) (int64, error) {
	result, err := n.callWithGas(ctx, msg, ts)
	if err != nil {
		return -1, fmt.Errorf("gas estimation failed: %w", err)
	}
	if result.MsgRct.ExitCode.IsSuccess() {
		return msg.GasLimit, nil
	}
	if !ranOutOfGas(result.ExecutionTrace) {
		return -1, api.NewErrExecutionRevertedFromResult(result)
	}
	limit, err := n.searchGas(ctx, msg, ts)
	if err != nil {
		return -1, fmt.Errorf("gas estimation search failed: %w", err)
	}
	return int64(float64(limit) * overestimation), nil
}

// EthSendRawTransaction is eth_sendRawTransaction: types 2, EIP-155 and older.
func (n *node) EthSendRawTransaction(ctx context.Context, raw ethtypes.EthBytes) (ethtypes.EthHash, error) {
	return n.sendRaw(ctx, raw, n.chain.Push)
}

// EthSendRawTransactionUntrusted is the same with the mempool rules of public nodes.
func (n *node) EthSendRawTransactionUntrusted(ctx context.Context, raw ethtypes.EthBytes) (ethtypes.EthHash, error) {
	return n.sendRaw(ctx, raw, n.chain.PushUntrusted)
}

func (n *node) sendRaw(ctx context.Context, raw ethtypes.EthBytes, push pushFunc) (ethtypes.EthHash, error) {
	msg, err := n.codec.Decode(raw)
	if err != nil {
		return ethtypes.EthHash{}, err
	}
	if _, err := checkedPush(ctx, msg, push); err != nil {
		return ethtypes.EthHash{}, err
	}
	return ethtypes.EthHashFromTxBytes(raw), nil
}

// EthBaseFee is eth_baseFee: of the tipset after the head.
func (n *node) EthBaseFee(context.Context) (ethtypes.EthBigInt, error) {
	fee, err := n.chain.NextBaseFee(n.chain.Head())
	if err != nil {
		return ethtypes.EthBigInt{}, fmt.Errorf("computing next base fee: %w", err)
	}
	return ethtypes.EthBigInt(fee), nil
}

// EthGasPrice is eth_gasPrice: base fee and premium.
func (n *node) EthGasPrice(ctx context.Context) (ethtypes.EthBigInt, error) {
	premium, err := n.EthMaxPriorityFeePerGas(ctx)
	if err != nil {
		return ethtypes.EthBigInt{}, err
	}
	return ethtypes.EthBigInt(big.Add(n.chain.Head().Blocks()[0].ParentBaseFee, big.Int(premium))), nil
}

// EthMaxPriorityFeePerGas is eth_maxPriorityFeePerGas.
func (n *node) EthMaxPriorityFeePerGas(ctx context.Context) (ethtypes.EthBigInt, error) {
	premium, err := n.GasEstimateGasPremium(ctx, 0, builtin.SystemActorAddr, 10000, types.EmptyTSK)
	return ethtypes.EthBigInt(premium), err
}

// EthFeeHistory is eth_feeHistory(count, newest, [percentiles]). Null rounds are not
// in it, and the fee after the newest block is that block's again.
func (n *node) EthFeeHistory(_ context.Context, p jsonrpc.RawParams) (ethtypes.EthFeeHistory, error) {
	params, err := jsonrpc.DecodeParams[ethtypes.EthFeeHistoryParams](p)
	if err != nil {
		return ethtypes.EthFeeHistory{}, fmt.Errorf("decoding params: %w", err)
	}
	if params.BlkCount > maxFeeHistory {
		return ethtypes.EthFeeHistory{}, errors.New("block count should be smaller than 1024")
	}
	percentiles, err := checkPercentiles(params.RewardPercentiles)
	if err != nil {
		return ethtypes.EthFeeHistory{}, err
	}
	ts, err := n.tipsetByNumber(params.NewestBlkNum, false)
	if err != nil {
		return ethtypes.EthFeeHistory{}, err
	}
	out := ethtypes.EthFeeHistory{
		OldestBlock:   1,
		BaseFeePerGas: []ethtypes.EthBigInt{ethtypes.EthBigInt(ts.Blocks()[0].ParentBaseFee)},
		GasUsedRatio:  []float64{},
	}
	rewards := [][]ethtypes.EthBigInt{}
	for range uint64(params.BlkCount) {
		if ts.Height() == 0 {
			break
		}
		done, err := n.execution(ts)
		if err != nil {
			return ethtypes.EthFeeHistory{}, fmt.Errorf("failed to retrieve messages and receipts for height %d: %w", ts.Height(), err)
		}
		baseFee := ts.Blocks()[0].ParentBaseFee
		paid, used := rewardsOf(percentiles, done.Results, baseFee)
		out.BaseFeePerGas = append(out.BaseFeePerGas, ethtypes.EthBigInt(baseFee))
		out.GasUsedRatio = append(out.GasUsedRatio, float64(used)/float64(buildconstants.BlockGasLimit*int64(len(ts.Blocks()))))
		rewards = append(rewards, paid)
		out.OldestBlock = ethtypes.EthUint64(ts.Height())
		if ts, err = n.parent(ts); err != nil {
			return ethtypes.EthFeeHistory{}, err
		}
	}
	slices.Reverse(out.BaseFeePerGas)
	slices.Reverse(out.GasUsedRatio)
	slices.Reverse(rewards)
	if params.RewardPercentiles != nil {
		out.Reward = &rewards
	}
	return out, nil
}

func checkPercentiles(asked *[]float64) ([]float64, error) {
	if asked == nil {
		return nil, nil
	}
	percentiles := *asked
	if len(percentiles) > maxRewardPercentiles {
		return nil, errors.New("length of the reward percentile array cannot be greater than 100")
	}
	for i, p := range percentiles {
		if !(p >= 0 && p <= 100) {
			return nil, fmt.Errorf("invalid reward percentile: %f should be between 0 and 100", p)
		}
		if i > 0 && p < percentiles[i-1] {
			return nil, fmt.Errorf("invalid reward percentile: %f should be larger than %f", p, percentiles[i-1])
		}
	}
	return percentiles, nil
}

// rewardsOf gives the premiums at percentiles of a tipset's gas, and that gas.
func rewardsOf(percentiles []float64, results []chain.Result, baseFee abi.TokenAmount) ([]ethtypes.EthBigInt, int64) {
	paid := make([]paidGas, len(results))
	var total int64
	for i, r := range results {
		paid[i] = paidGas{r.Message.VMMessage().EffectiveGasPremium(baseFee), r.Receipt.GasUsed}
		total += r.Receipt.GasUsed
	}
	rewards := make([]ethtypes.EthBigInt, len(percentiles))
	for i := range rewards {
		rewards[i] = ethtypes.EthBigInt(big.NewInt(minGasPremium))
	}
	if len(paid) == 0 {
		return rewards, total
	}
	slices.SortStableFunc(paid, func(a, b paidGas) int { return big.Cmp(a.price, b.price) })
	var sum int64
	at := 0
	for i, p := range percentiles {
		threshold := int64(float64(total) * p / 100)
		for sum < threshold && at < len(paid)-1 {
			sum += paid[at].gas
			at++
		}
		rewards[i] = ethtypes.EthBigInt(paid[at].price)
	}
	return rewards, total
}
