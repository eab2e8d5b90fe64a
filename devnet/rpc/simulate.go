package rpc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
)

// explicit runs a message as if it were on chain after ts, with the sender's
// nonce, after others. Gas is free if the fee cap is zero.
func (n *node) explicit(ctx context.Context, ts *types.TipSet, msg *types.Message, before []*types.SignedMessage) (*api.InvocResult, error) {
	free := msg.GasFeeCap.NilOrZero()
	machine, err := n.chain.Machine(ctx, ts, chain.MachineOptions{Free: free, Trace: true})
	if err != nil {
		return nil, fmt.Errorf("failed to set up vm: %w", err)
	}
	for i, m := range before {
		if _, err := machine.Apply(ctx, &m.Message, fvm.Explicit, m.ChainLength()); err != nil {
			return nil, fmt.Errorf("applying prior message (%d, %s): %w", i, m.Cid(), err)
		}
	}
	own := *msg
	actor, ok, err := machine.Actor(ctx, own.From)
	if err != nil {
		return nil, fmt.Errorf("call raw get actor: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("call raw get actor: resolution lookup failed (%s): %w", own.From, errActorNotFound)
	}
	own.Nonce = actor.Nonce
	size, err := n.sizeOnChain(ctx, &own, ts)
	if err != nil {
		return nil, err
	}
	return apply(ctx, machine, &own, fvm.Explicit, size)
}

// implicit runs a message without nonce, balance and gas checks after ts.
func (n *node) implicit(ctx context.Context, ts *types.TipSet, msg *types.Message) (*api.InvocResult, error) {
	machine, err := n.chain.Machine(ctx, ts, chain.MachineOptions{Free: true})
	if err != nil {
		return nil, fmt.Errorf("failed to set up vm: %w", err)
	}
	return apply(ctx, machine, msg, fvm.Implicit, 0)
}

func apply(ctx context.Context, machine *fvm.Machine, msg *types.Message, kind fvm.ApplyKind, size int) (*api.InvocResult, error) {
	start := time.Now()
	result, err := machine.Apply(ctx, msg, kind, size)
	if err != nil {
		return nil, fmt.Errorf("apply message failed: %w", err)
	}
	out := &api.InvocResult{
		MsgCid:   msg.Cid(),
		Msg:      msg,
		MsgRct:   &result.Receipt,
		Error:    result.Error,
		Duration: time.Since(start),
	}
	if result.Trace != nil {
		out.ExecutionTrace = *result.Trace
	}
	if kind == fvm.Explicit {
		out.GasCost = gasCost(msg, result)
	}
	return out, nil
}

func gasCost(msg *types.Message, result *fvm.Result) api.MsgGasCost {
	return api.MsgGasCost{
		Message:            msg.Cid(),
		GasUsed:            big.NewInt(result.Receipt.GasUsed),
		BaseFeeBurn:        result.Costs.BaseFeeBurn,
		OverEstimationBurn: result.Costs.OverEstimationBurn,
		MinerPenalty:       result.Costs.MinerPenalty,
		MinerTip:           result.Costs.MinerTip,
		Refund:             result.Costs.Refund,
		TotalCost:          big.Sub(msg.RequiredFunds(), result.Costs.Refund),
	}
}

// sizeOnChain is how long the message will be in a block: BLS messages go without
// their signatures.
func (n *node) sizeOnChain(ctx context.Context, msg *types.Message, ts *types.TipSet) (int, error) {
	key, err := n.keyAddress(ctx, msg.From, ts)
	if err != nil {
		return 0, fmt.Errorf("could not resolve key: %w", err)
	}
	kind := crypto.SigTypeSecp256k1
	switch key.Protocol() {
	case address.BLS:
		return msg.ChainLength(), nil
	case address.Delegated:
		kind = crypto.SigTypeDelegated
	}
	signed := &types.SignedMessage{Message: *msg, Signature: crypto.Signature{Type: kind, Data: make([]byte, 65)}}
	return signed.ChainLength(), nil
}

// call is what eth_call runs: a free message at the state after ts. Failing ones are
// api.ErrExecutionReverted.
func (n *node) call(ctx context.Context, ts *types.TipSet, msg *types.Message) (*api.InvocResult, error) {
	result, err := n.explicit(ctx, ts, msg, nil)
	if err != nil {
		return nil, fmt.Errorf("ApplyWithGasOnState failed: %w", err)
	}
	if result.MsgRct.ExitCode.IsError() {
		return nil, api.NewErrExecutionRevertedFromResult(result)
	}
	return result, nil
}

// StateCall is Filecoin.StateCall: the message without charge, on the state in which
// the tipset's messages begin, after those of the same sender.
func (n *node) StateCall(ctx context.Context, msg *types.Message, key types.TipSetKey) (*api.InvocResult, error) {
	if msg == nil {
		return nil, errors.New("no message")
	}
	ts, err := n.tipset(key)
	if err != nil {
		return nil, err
	}
	own := *msg
	if own.GasLimit == 0 {
		own.GasLimit = buildconstants.BlockGasLimit
	}
	for _, amount := range []*big.Int{&own.GasFeeCap, &own.GasPremium, &own.Value} {
		if amount.Int == nil {
			*amount = big.Zero()
		}
	}
	machine, err := n.chain.MachineBefore(ctx, ts, chain.MachineOptions{Trace: true, Free: own.GasFeeCap.NilOrZero()})
	if err != nil {
		return nil, fmt.Errorf("failed to set up vm: %w", err)
	}
	messages, err := n.chain.Messages(ts)
	if err != nil {
		return nil, fmt.Errorf("failed to lookup messages for parent tipset: %w", err)
	}
	for i, m := range messages {
		if m.VMMessage().From != own.From {
			continue
		}
		if _, err := machine.Apply(ctx, m.VMMessage(), fvm.Explicit, m.ChainLength()); err != nil {
			return nil, fmt.Errorf("applying prior message (%d, %s): %w", i, m.Cid(), err)
		}
	}
	actor, ok, err := machine.Actor(ctx, own.From)
	if err != nil {
		return nil, fmt.Errorf("call raw get actor: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("call raw get actor: resolution lookup failed (%s): %w", own.From, errActorNotFound)
	}
	own.Nonce = actor.Nonce
	return apply(ctx, machine, &own, fvm.Implicit, 0)
}
