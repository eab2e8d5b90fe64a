package rpc

import (
	"context"
	"errors"
	"fmt"
	"math"
	gobig "math/big"
	"slices"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
)

// Lotus's numbers for estimates.
const (
	minGasPremium      = 100_000 // attoFIL
	overestimation     = 1.25    // on gas limits
	maxGasHistory      = 128     // epochs of premiums that an estimate looks at, halved
	defaultMaxFee      = 7e16    // attoFIL
	maxFeeCapQueue     = 1000
	premiumEpochs      = 10
	feeCapQueueEpochs  = 20
	searchResolution   = 100 // a hundredth
	premiumPercentBase = 20
)

// callWithGas runs a message at the head after the sender's pending ones.
func (n *node) callWithGas(ctx context.Context, msg *types.Message, at *types.TipSet) (*api.InvocResult, error) {
	from, err := n.keyAddress(ctx, msg.From, at)
	if err != nil {
		return nil, fmt.Errorf("getting key address: %w", err)
	}
	head, all, err := n.chain.PendingAtHead(ctx)
	if err != nil {
		return nil, err
	}
	var before []*types.SignedMessage
	for _, pending := range all {
		if pending.Message.From != from {
			continue
		}
		if pending.Message.Nonce == msg.Nonce {
			break
		}
		before = append(before, pending)
	}
	result, err := n.explicit(ctx, head, msg, before)
	if err != nil {
		return nil, fmt.Errorf("CallWithGas failed: %w", err)
	}
	return result, nil
}

// GasEstimateGasLimit is Filecoin.GasEstimateGasLimit: what the message uses, without
// a factor.
func (n *node) GasEstimateGasLimit(ctx context.Context, msg *types.Message, key types.TipSetKey) (int64, error) {
	if msg == nil {
		return -1, errors.New("no message")
	}
	ts, err := n.tipset(key)
	if err != nil {
		return -1, fmt.Errorf("getting tipset: %w", err)
	}
	own := *msg
	own.GasLimit = buildconstants.BlockGasLimit
	own.GasFeeCap, own.GasPremium = big.Zero(), big.Zero()
	if own.Value.Int == nil {
		own.Value = big.Zero()
	}
	result, err := n.callWithGas(ctx, &own, ts)
	if err != nil {
		return -1, fmt.Errorf("gas estimation failed: %w", err)
	}
	switch {
	case result.MsgRct.ExitCode == exitcode.SysErrOutOfGas:
		return -1, &api.ErrOutOfGas{}
	case result.MsgRct.ExitCode != exitcode.Ok:
		return -1, api.NewErrExecutionRevertedFromResult(result)
	}
	return result.MsgRct.GasUsed, nil
}

// GasEstimateMessageGas is Filecoin.GasEstimateMessageGas: fills in limit, premium
// and fee cap where they are zero.
func (n *node) GasEstimateMessageGas(ctx context.Context, msg *types.Message, spec *api.MessageSendSpec, key types.TipSetKey) (*types.Message, error) {
	switch {
	case msg == nil:
		return nil, errors.New("no message")
	case msg.To == address.Undef:
		return nil, errors.New("message To address is undefined")
	case msg.From == address.Undef:
		return nil, errors.New("message From address is undefined")
	}
	own := *msg
	if own.Value.Int == nil {
		own.Value = big.Zero()
	}
	if own.GasLimit == 0 {
		used, err := n.GasEstimateGasLimit(ctx, &own, key)
		if err != nil {
			return nil, err // unwrapped, for its code
		}
		own.GasLimit = min(int64(float64(used)*overestimation), buildconstants.BlockGasLimit)
	}
	if own.GasPremium.NilOrZero() {
		premium, err := n.GasEstimateGasPremium(ctx, premiumEpochs, own.From, own.GasLimit, key)
		if err != nil {
			return nil, fmt.Errorf("estimating gas price: %w", err)
		}
		own.GasPremium = premium
	}
	if own.GasFeeCap.NilOrZero() {
		feeCap, err := n.GasEstimateFeeCap(ctx, &own, feeCapQueueEpochs, key)
		if err != nil {
			return nil, fmt.Errorf("estimating fee cap: %w", err)
		}
		own.GasFeeCap = feeCap
	}
	capFee(&own, spec)
	return &own, nil
}

// capFee keeps what a message may cost for gas under the caller's maximum, 0.07 FIL
// if it gives none, and the premium under the fee cap.
func capFee(msg *types.Message, spec *api.MessageSendSpec) {
	most, maximize := big.Zero(), false
	if spec != nil {
		maximize = spec.MaximizeFeeCap
		if spec.MaxFee.Int != nil {
			most = spec.MaxFee
		}
	}
	if most.IsZero() {
		most = big.NewInt(defaultMaxFee)
	}
	limit := big.NewInt(msg.GasLimit)
	if msg.GasLimit > 0 && (maximize || big.Mul(msg.GasFeeCap, limit).GreaterThan(most)) {
		msg.GasFeeCap = big.Div(most, limit)
	}
	msg.GasPremium = big.Min(msg.GasFeeCap, msg.GasPremium)
}

// GasEstimateFeeCap is Filecoin.GasEstimateFeeCap: the base fee after so many full
// epochs, and the premium.
func (n *node) GasEstimateFeeCap(_ context.Context, msg *types.Message, queue int64, key types.TipSetKey) (types.BigInt, error) {
	ts, err := n.tipset(key)
	if err != nil {
		return types.BigInt{}, fmt.Errorf("getting tipset from key: %w", err)
	}
	if queue < 0 || queue > maxFeeCapQueue {
		return types.BigInt{}, fmt.Errorf("queue of %d epochs: give 0 to %d", queue, maxFeeCapQueue)
	}
	growth := math.Pow(1+1/float64(buildconstants.BaseFeeMaxChangeDenom), float64(queue))
	scaled, _ := new(gobig.Float).SetFloat64(growth * (1 << 8)).Int(nil)
	fee := big.Div(big.Mul(ts.Blocks()[0].ParentBaseFee, big.NewFromGo(scaled)), big.NewInt(1<<8))
	if msg != nil && msg.GasPremium.Int != nil {
		fee = big.Add(fee, msg.GasPremium)
	}
	return fee, nil
}

// GasEstimateGasPremium is Filecoin.GasEstimateGasPremium: the median of what recent
// messages paid, weighted by their gas. Lotus adds noise of a percent; the devnet
// does not.
func (n *node) GasEstimateGasPremium(_ context.Context, epochs uint64, _ address.Address, _ int64, key types.TipSetKey) (types.BigInt, error) {
	epochs = min(max(epochs, 1), maxGasHistory)
	ts, err := n.tipset(key)
	if err != nil {
		return types.BigInt{}, fmt.Errorf("getting tipset from key: %w", err)
	}
	var paid []paidGas
	blocks := 0
	for range epochs * 2 {
		if ts.Height() == 0 {
			break
		}
		if ts, err = n.parent(ts); err != nil {
			return types.BigInt{}, err
		}
		blocks += len(ts.Blocks())
		messages, err := n.chain.Messages(ts)
		if err != nil {
			return types.BigInt{}, fmt.Errorf("loading messages: %w", err)
		}
		for _, m := range messages {
			paid = append(paid, paidGas{m.VMMessage().GasPremium, m.VMMessage().GasLimit})
		}
	}
	premium := medianPremium(paid, blocks)
	if premium.LessThan(big.NewInt(minGasPremium)) {
		switch epochs {
		case 1:
			premium = big.NewInt(2 * minGasPremium)
		case 2:
			premium = big.NewInt(minGasPremium + minGasPremium/2)
		default:
			premium = big.NewInt(minGasPremium)
		}
	}
	return premium, nil
}

type paidGas struct {
	price abi.TokenAmount
	gas   int64
}

// medianPremium goes down from the dearest gas through 52.5 % of what the blocks
// could hold.
func medianPremium(paid []paidGas, blocks int) abi.TokenAmount {
	slices.SortStableFunc(paid, func(a, b paidGas) int { return big.Cmp(b.price, a.price) })
	capacity := buildconstants.BlockGasTarget * int64(blocks)
	left := capacity/2 + capacity/(2*premiumPercentBase)
	last, before := big.Zero(), big.Zero()
	for _, p := range paid {
		before, last = last, p.price
		if left -= p.gas; left < 0 {
			break
		}
	}
	if before.Sign() != 0 {
		return big.Div(big.Add(last, before), big.NewInt(2))
	}
	return last
}

// searchGas raises a limit that runs out of gas somewhere inside until it does not,
// and then lowers it to within a hundredth.
func (n *node) searchGas(ctx context.Context, msg *types.Message, at *types.TipSet) (int64, error) {
	enough := func(limit int64) (bool, error) {
		own := *msg
		own.GasLimit = limit
		result, err := n.callWithGas(ctx, &own, at)
		if err != nil {
			return false, err
		}
		return result.MsgRct.ExitCode.IsSuccess(), nil
	}
	low, high := msg.GasLimit, msg.GasLimit
	for {
		ok, err := enough(high)
		if err != nil {
			return -1, fmt.Errorf("searching for high gas limit failed: %w", err)
		}
		if ok {
			break
		}
		low, high = high, high*2
		if high > buildconstants.BlockGasLimit {
			high = buildconstants.BlockGasLimit
			break
		}
	}
	threshold := high / searchResolution
	for high-low > threshold {
		middle := (low + high) / 2
		ok, err := enough(middle)
		if err != nil {
			return -1, fmt.Errorf("searching for optimal gas limit failed: %w", err)
		}
		if ok {
			high = middle
		} else {
			low = middle
		}
		threshold = middle / searchResolution
	}
	return high, nil
}

// ranOutOfGas tells whether any call of a trace did.
func ranOutOfGas(trace types.ExecutionTrace) bool {
	return trace.MsgRct.ExitCode == exitcode.SysErrOutOfGas || slices.ContainsFunc(trace.Subcalls, ranOutOfGas)
}
