package fvm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/fvm/gas"
)

// rewardActor pays miners; tips wait in it.
const rewardActor abi.ActorID = 2

// Apply executes a message. Size is the number of bytes of the signed message as it is on
// chain, which is what its inclusion is charged by; it does not matter to implicit ones.
// A message that fails, or that should not have been on chain at all, has a [Result] with
// an exit code. An error is returned only for what must not happen (a message without a gas
// limit, missing blocks, a failing store, a cancelled context): the machine is then in an
// unknown state and must be dropped.
func (m *Machine) Apply(ctx context.Context, msg *types.Message, kind ApplyKind, size int) (*Result, error) {
	res, err := m.apply(ctx, msg, kind, size)
	if err != nil {
		m.log.Error("message ended in a fatal error", slog.String("from", msg.From.String()), slog.String("to", msg.To.String()),
			slog.Uint64("nonce", msg.Nonce), slog.Any("error", err))
		return nil, fmt.Errorf("apply message from %s to %s, nonce %d, method %d, at epoch %d: %w", msg.From, msg.To, msg.Nonce, msg.Method, m.cfg.Epoch, err)
	}
	return res, nil
}

func (m *Machine) apply(ctx context.Context, msg *types.Message, kind ApplyKind, size int) (*Result, error) {
	if msg.GasLimit <= 0 {
		return nil, fmt.Errorf("the message has a gas limit of %d", msg.GasLimit)
	}
	for _, v := range []big.Int{msg.Value, msg.GasFeeCap, msg.GasPremium} {
		if v.Nil() || v.BitLen() > 128 || kind == Explicit && v.Sign() < 0 {
			return nil, errors.New("value, fee cap and premium must be amounts from 0 to 2^128-1")
		}
	}
	p, refused, err := m.preflight(ctx, msg, kind, size)
	if err != nil || refused != nil {
		return refused, err
	}
	cm, err := m.newCall(ctx, msg, p)
	if err != nil {
		return nil, err
	}
	if err := cm.charge(p.inclusion); err != nil {
		return nil, fmt.Errorf("charge for inclusion, which preflight allowed: %w", err)
	}
	var params *block
	if len(msg.Params) > 0 {
		params = &block{codec: codecCBOR, data: msg.Params}
		if msg.Method == methodSend {
			params.codec = codecRaw
		}
	}
	out, err := cm.transaction(func() (outcome, error) {
		return cm.call(p.sender, msg.To, entry{method: msg.Method}, params, msg.Value, nil, false)
	})
	res, err := cm.result(out, err, uint64(msg.GasLimit))
	if err != nil || kind == Implicit {
		return res, err
	}
	return res, m.settle(ctx, msg, p, res)
}

// preflightResult is what validation found out.
type preflightResult struct {
	sender    abi.ActorID
	prepaid   big.Int
	inclusion gas.Charge
}

// refusal is the result of a message that should not be on chain: the miner pays.
func refusal(code exitcode.ExitCode, penalty big.Int, format string, args ...any) *Result {
	return &Result{Receipt: types.NewMessageReceiptV1(code, nil, 0, nil), Penalty: penalty, MinerTip: big.Zero(),
		Costs: GasOutputs{BaseFeeBurn: big.Zero(), OverEstimationBurn: big.Zero(), MinerPenalty: penalty, MinerTip: big.Zero(), Refund: big.Zero()},
		Error: fmt.Sprintf("pre-validation failed: "+format, args...)}
}

// preflight validates a message, counts its sender's nonce up and takes the gas money.
func (m *Machine) preflight(ctx context.Context, msg *types.Message, kind ApplyKind, size int) (*preflightResult, *Result, error) {
	p := &preflightResult{prepaid: big.Zero(), inclusion: gas.Charge{Name: "none"}}
	limit := uint64(msg.GasLimit)
	penalty := big.Mul(m.cfg.BaseFee, units(limit))
	if kind == Explicit {
		p.inclusion = m.prices.OnChainMessage(size)
		if cost := p.inclusion.Total().RoundUp(); cost > limit {
			return nil, refusal(exitcode.SysErrOutOfGas, big.Mul(m.cfg.BaseFee, units(cost)), "Out of gas (%d > %d)", cost, limit), nil
		}
	}
	sender, ok, err := m.tree.Resolve(ctx, msg.From)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		return nil, refusal(exitcode.SysErrSenderInvalid, penalty, "Sender invalid"), nil
	}
	p.sender = sender
	if kind == Implicit {
		return p, nil, nil
	}
	act, ok, err := m.tree.Actor(ctx, sender)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		return nil, refusal(exitcode.SysErrSenderInvalid, penalty, "Sender invalid"), nil
	}
	if !m.maySend(act) {
		return nil, refusal(exitcode.SysErrSenderInvalid, penalty, "Send not from valid sender"), nil
	}
	if msg.Nonce != act.Nonce {
		return nil, refusal(exitcode.SysErrSenderStateInvalid, penalty, "Actor sequence invalid: %d != %d", msg.Nonce, act.Nonce), nil
	}
	act.Nonce++
	p.prepaid = big.Mul(msg.GasFeeCap, units(limit))
	if act.Balance.LessThan(p.prepaid) {
		return nil, refusal(exitcode.SysErrSenderStateInvalid, penalty, "Actor balance less than needed: %s < %s", act.Balance, p.prepaid), nil
	}
	act.Balance = big.Sub(act.Balance, p.prepaid)
	m.tree.SetActor(sender, act)
	return p, nil, nil
}

// maySend tells whether an actor may send messages. A placeholder at an Ethereum address
// becomes an Ethereum account with its first one.
func (m *Machine) maySend(a *types.Actor) bool {
	switch a.Code {
	case m.engine.account, m.engine.ethAccount:
		return true
	case m.engine.placeholder:
		if a.Nonce == 0 && a.DelegatedAddress != nil && isEthAddress(*a.DelegatedAddress) {
			a.Code = m.engine.ethAccount
			return true
		}
	}
	return false
}

// newCall prepares the stack of calls of a message.
func (m *Machine) newCall(ctx context.Context, msg *types.Message, p *preflightResult) (*callManager, error) {
	premium := big.Max(big.Zero(), big.Min(msg.GasPremium, big.Sub(msg.GasFeeCap, m.cfg.BaseFee)))
	cm := &callManager{ctx: ctx, m: m, prices: m.prices, access: newAccesses(m.prices.Preloaded),
		gas:    gas.NewTracker(gas.New(uint64(msg.GasLimit)), 0, m.cfg.Trace),
		origin: p.sender, originAddr: msg.From, nonce: msg.Nonce, premium: premium}
	cm.trace = newTracer(m.cfg.Trace, cm.gas)
	// The sender is paid for by the inclusion, the receiver is looked up ahead of time.
	cm.access.updated(p.sender)
	cm.access.resolved(msg.From)
	to, ok, err := m.tree.Resolve(ctx, msg.To)
	if err != nil {
		return nil, err
	}
	if ok {
		cm.access.read(to)
	}
	cm.access.resolved(msg.To)
	return cm, nil
}

// result makes the receipt.
func (cm *callManager) result(out outcome, err error, limit uint64) (*Result, error) {
	used := cm.gas.Used().RoundUp()
	var ret []byte
	res := &Result{Penalty: big.Zero(), MinerTip: big.Zero(), Events: cm.events.events,
		Costs: GasOutputs{BaseFeeBurn: big.Zero(), OverEstimationBurn: big.Zero(), MinerPenalty: big.Zero(), MinerTip: big.Zero(), Refund: big.Zero()}}
	switch s, refused := asSyscall(err); {
	case err == nil:
		if out.value != nil {
			ret, res.ReturnCodec = out.value.data, out.value.codec
		}
	case isOutOfGas(err):
		out.code = exitcode.SysErrOutOfGas
	case refused:
		out.code = exitOf(err)
		cm.bt.begin(syscallCause("send", "send", s))
	case errors.Is(err, errActorAssertion):
		out.code, used = sysAssertionFailed, limit
		cm.bt.cause = "[FATAL] Error: " + err.Error()
	default:
		return nil, err
	}
	root, err := eventsRoot(cm.ctx, cm.events.events)
	if err != nil {
		return nil, err
	}
	if !out.code.IsSuccess() {
		res.Error = cm.bt.String()
		if res.Error == "" {
			res.Error = fmt.Sprintf("message failed with exit code %d", out.code)
		}
	}
	res.Receipt = types.NewMessageReceiptV1(out.code, ret, int64(used), root)
	res.Trace = cm.trace.finish()
	return res, nil
}

// settle burns, tips and refunds.
func (m *Machine) settle(ctx context.Context, msg *types.Message, p *preflightResult, res *Result) error {
	c := gasOutputs(uint64(res.Receipt.GasUsed), uint64(msg.GasLimit), m.cfg.BaseFee, msg.GasFeeCap, msg.GasPremium)
	for _, t := range []struct {
		to     abi.ActorID
		amount big.Int
	}{{burntFundsActor, c.BaseFeeBurn}, {rewardActor, c.MinerTip}, {burntFundsActor, c.OverEstimationBurn}, {p.sender, c.Refund}} {
		if err := m.deposit(ctx, t.to, t.amount); err != nil {
			return err
		}
	}
	if sum := big.Add(big.Add(c.BaseFeeBurn, c.OverEstimationBurn), big.Add(c.Refund, c.MinerTip)); !sum.Equals(p.prepaid) {
		return fmt.Errorf("gas money does not add up: %s of %s", sum, p.prepaid)
	}
	res.Costs, res.Penalty, res.MinerTip = c, c.MinerPenalty, c.MinerTip
	return nil
}

func (m *Machine) deposit(ctx context.Context, to abi.ActorID, amount big.Int) error {
	switch amount.Sign() {
	case 0:
		return nil
	case -1:
		return fmt.Errorf("attempted to pay %s into actor f0%d", amount, to)
	}
	act, ok, err := m.tree.Actor(ctx, to)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("actor f0%d, which gas money goes to, does not exist", to)
	}
	act.Balance = big.Add(act.Balance, amount)
	m.tree.SetActor(to, act)
	return nil
}
