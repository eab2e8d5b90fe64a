package txmgr

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tidegate/tidegate/oracle/chain"
)

// start turns queued intents into transactions, oldest first, up to the limit.
func (t *turn) start(ctx context.Context) error {
	s := t.s
	for i := range t.rows {
		row := &t.rows[i]
		if row.State != chain.TxQueued {
			continue
		}
		why, err := t.pointless(ctx, row)
		if err != nil {
			return err
		}
		if why == "" {
			why = tooLarge(row.Intent)
		}
		if why != "" {
			if err := t.cancel(ctx, row, why); err != nil {
				return err
			}
			continue
		}
		if s.rehearsed[row.ID] || s.parked != "" || t.waiting != "" || t.undecided() != nil || t.inFlight() >= s.cfg.MaxInFlight {
			continue // later rows may still be of no use
		}
		if err := t.begin(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

// undecided is the row whose bytes may or may not be in a pool, or that was
// stopped between nonce and signature. There is at most one.
func (t *turn) undecided() *chain.Tx {
	for i := range t.rows {
		if st := t.rows[i].State; st == chain.TxPrepared || st == chain.TxSigned {
			return &t.rows[i]
		}
	}
	return nil
}

// begin takes one queued intent as far as it goes: cancelled when it can only
// fail, left queued when it must wait, otherwise signed and broadcast.
func (t *turn) begin(ctx context.Context, row *chain.Tx) error {
	s := t.s
	if err := s.simulate(ctx, row.Intent); err != nil {
		return t.unfit(ctx, row, err)
	}
	fee, err := s.fee(ctx, t.view.head)
	if errors.Is(err, ErrFeeLimit) {
		t.waiting = err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	gas, err := s.gasFor(ctx, row.Intent, fee, t.view.head)
	if err != nil {
		return t.unfit(ctx, row, err)
	}
	need := cost(gas, fee.Cap, row.Intent.Value)
	if enough, err := t.affordable(ctx, need); err != nil || !enough {
		return err
	}
	if within, err := t.withinCap(ctx, need); err != nil || !within {
		return err
	}
	if s.cfg.DryRun {
		return t.rehearse(ctx, row, fee, gas)
	}
	nonce, ok, err := t.nextNonce(ctx)
	if err != nil || !ok {
		return err
	}
	if err := s.held(); err != nil {
		return err
	}
	if err := s.ledger.PrepareTx(ctx, row.ID, s.fence, nonce, gas, s.now()); err != nil {
		return fmt.Errorf("giving transaction %d the nonce %d: %w", row.ID, nonce, err)
	}
	row.State, row.Nonce, row.HasNonce, row.GasLimit = chain.TxPrepared, nonce, true, gas
	if err := t.sign(ctx, row, fee, false); err != nil {
		return err
	}
	return t.send(ctx, row, true)
}

// unfit handles an intent whose simulation says no: it is cancelled when it can
// only fail, and waits when there is no money for it.
func (t *turn) unfit(ctx context.Context, row *chain.Tx, err error) error {
	s := t.s
	var fails *Revert
	switch {
	case errors.As(err, &fails):
		s.metrics.reverted()
		return t.cancel(ctx, row, chain.WhyReverts+": "+describe(fails, s.decode))
	case errors.Is(err, ErrFunds):
		t.waiting = fmt.Sprintf("balance: %s cannot pay for a transaction: send it funds", s.addr)
		return nil
	default:
		return fmt.Errorf("simulating transaction %d: %w", row.ID, err)
	}
}

// simulate runs an intent without a price, so that an empty balance does not hide
// a revert.
func (s *Sender) simulate(ctx context.Context, in chain.Intent) error {
	return s.pool.read(ctx, func(ctx context.Context, e Endpoint) error {
		return e.Call(ctx, message(s.addr, in), Latest)
	})
}

// gasFor gives the gas limit that an intent needs at a price. The price matters: a
// contract that pays its sender's gas back does less when gas is free.
func (s *Sender) gasFor(ctx context.Context, in chain.Intent, fee Fee, head Head) (uint64, error) {
	free := message(s.addr, in)
	priced := free
	priced.GasFeeCap, priced.GasTipCap = fee.Cap, fee.Tip
	var gas uint64
	err := s.pool.read(ctx, func(ctx context.Context, e Endpoint) (err error) {
		gas, err = e.EstimateGas(ctx, priced)
		var fails *Revert
		if !errors.As(err, &fails) {
			return err
		}
		// Nodes try no more gas than the balance buys: what goes well for nothing
		// lacks only money.
		if _, again := e.EstimateGas(ctx, free); again != nil {
			return again
		}
		return fmt.Errorf("%w: %v", ErrFunds, err) // not a *Revert to anyone
	})
	if err != nil {
		return 0, err
	}
	return s.limitGas(gas, head)
}

// limitGas adds the margin to an estimate and holds it under a block's room.
func (s *Sender) limitGas(gas uint64, head Head) (uint64, error) {
	most := s.cfg.MaxGas
	if head.GasLimit != 0 && (most == 0 || head.GasLimit < most) {
		most = head.GasLimit
	}
	if most != 0 && gas > most {
		return 0, &Revert{Words: fmt.Sprintf("it needs %d gas, a block has room for %d", gas, most)}
	}
	if !s.cfg.GasPadded {
		gas += gas / 100 * s.cfg.GasMargin
	}
	if most != 0 {
		gas = min(gas, most)
	}
	return gas, nil
}

func message(from common.Address, in chain.Intent) ethereum.CallMsg {
	to := in.To
	return ethereum.CallMsg{From: from, To: &to, Data: in.Data, Value: in.Value}
}

// fee is the market's price under the configured limits.
func (s *Sender) fee(ctx context.Context, head Head) (Fee, error) {
	now, err := s.market(ctx, head)
	if err != nil {
		return Fee{}, err
	}
	return limit(now, base(head), s.cfg.MaxTip, s.cfg.MaxFeeCap)
}

func (s *Sender) market(ctx context.Context, head Head) (Fee, error) {
	var tip *big.Int
	err := s.pool.read(ctx, func(ctx context.Context, e Endpoint) (err error) {
		tip, err = e.Tip(ctx)
		return err
	})
	if err != nil {
		return Fee{}, fmt.Errorf("asking for the going tip: %w", err)
	}
	return market(base(head), tip), nil
}

func base(head Head) *big.Int {
	if head.BaseFee == nil {
		return new(big.Int)
	}
	return head.BaseFee
}

// affordable checks that the balance covers need on top of all that is in flight.
func (t *turn) affordable(ctx context.Context, need *big.Int) (bool, error) {
	s := t.s
	var have *big.Int
	err := s.pool.read(ctx, func(ctx context.Context, e Endpoint) (err error) {
		have, err = e.Balance(ctx, s.addr)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("reading the balance of %s: %w", s.addr, err)
	}
	s.saw(have)
	total := new(big.Int).Add(need, t.committed())
	if have.Cmp(total) >= 0 {
		return true, nil
	}
	t.waiting = fmt.Sprintf("balance: %s has %s attoFIL and may need %s: send it funds", s.addr, have, total)
	return false, nil
}

// saw notes the balance, and alarms once when it has become low.
func (s *Sender) saw(balance *big.Int) {
	low := s.cfg.LowBalance != nil && balance.Cmp(s.cfg.LowBalance) < 0
	s.mu.Lock()
	was := s.status.Low
	s.status.Balance, s.status.Low = balance, low
	s.mu.Unlock()
	if low && !was {
		s.log.Error("the balance is low: send the key funds", "balance", balance, "alarm", s.cfg.LowBalance)
	}
}

// draft is a transaction before it is signed.
type draft struct {
	to    common.Address
	data  []byte
	value *big.Int // nil for zero
	nonce uint64
	gas   uint64
	fee   Fee
}

// signed has the signer sign a draft, and guards against a signer that answers
// with another key or nonce.
func (s *Sender) signed(ctx context.Context, d draft) (*types.Transaction, error) {
	if d.value == nil {
		d.value = new(big.Int)
	}
	id := new(big.Int).SetUint64(s.cfg.ChainID)
	tx, err := s.signer.SignTx(ctx, types.NewTx(&types.DynamicFeeTx{
		ChainID: id, Nonce: d.nonce, GasTipCap: d.fee.Tip, GasFeeCap: d.fee.Cap, Gas: d.gas, To: &d.to, Value: d.value, Data: d.data,
	}), id)
	if err != nil {
		return nil, err
	}
	from, err := types.Sender(s.rules, tx)
	if err != nil {
		return nil, fmt.Errorf("the signer's answer has no valid signature: %w", err)
	}
	if from != s.addr || tx.Nonce() != d.nonce {
		return nil, fmt.Errorf("the signer signed nonce %d of %s instead of nonce %d of %s", tx.Nonce(), from, d.nonce, s.addr)
	}
	return tx, nil
}

// sign makes and stores an attempt of a row. A row without bytes goes back to the
// queue when its signer fails.
func (t *turn) sign(ctx context.Context, row *chain.Tx, fee Fee, empty bool) error {
	s := t.s
	d := draft{to: row.Intent.To, data: row.Intent.Data, value: row.Intent.Value, nonce: row.Nonce, gas: row.GasLimit, fee: fee}
	if empty {
		d.to, d.data, d.value = s.addr, nil, nil
		var err error
		if d.gas, err = s.emptyGas(ctx); err != nil {
			return err
		}
	}
	signed, err := s.signed(ctx, d)
	if err != nil {
		err = fmt.Errorf("signing transaction %d: %w", row.ID, err)
		if row.State != chain.TxPrepared {
			return err
		}
		return errors.Join(err, t.requeue(ctx, row))
	}
	raw, err := signed.MarshalBinary()
	if err != nil {
		return fmt.Errorf("encoding transaction %d: %w", row.ID, err)
	}
	a := chain.Attempt{
		Hash: signed.Hash(), Tx: row.ID, Raw: raw, Nonce: row.Nonce, Tip: fee.Tip, FeeCap: fee.Cap,
		Empty: empty, CreatedAt: s.now(),
	}
	if err := s.ledger.SignTx(ctx, row.ID, s.fence, a, s.now()); err != nil {
		return fmt.Errorf("storing the signed bytes of transaction %d: %w", row.ID, err)
	}
	row.Attempts = append(row.Attempts, a)
	if row.State == chain.TxPrepared {
		row.State = chain.TxSigned
	}
	return nil
}

func (s *Sender) emptyGas(ctx context.Context) (uint64, error) {
	self := s.addr
	var gas uint64
	err := s.pool.read(ctx, func(ctx context.Context, e Endpoint) (err error) {
		gas, err = e.EstimateGas(ctx, ethereum.CallMsg{From: self, To: &self})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("estimating an empty transfer: %w", err)
	}
	return gas, nil
}

func (t *turn) requeue(ctx context.Context, row *chain.Tx) error {
	if err := t.s.ledger.RequeueTx(ctx, row.ID, t.s.fence, t.s.now()); err != nil {
		return fmt.Errorf("putting transaction %d back: %w", row.ID, err)
	}
	row.State, row.HasNonce = chain.TxQueued, false
	return nil
}

// resending is stored before bytes leave for a second time, or for a first time
// that this process cannot vouch for: after a crash in between nobody must take a
// later refusal for proof that no copy exists. Only the broadcast right after the
// signature can prove that there is none.
var resending = reply{class: unknown, why: whyNoAnswer, words: "being sent, or sent by a process that stopped"}

// send broadcasts a row's newest attempt and stores what that proves. first says
// that its bytes were stored a moment ago, by this turn. For a signed row it
// decides what comes next.
func (t *turn) send(ctx context.Context, row *chain.Tx, first bool) error {
	s := t.s
	last := newest(row)
	a, err := s.ledger.AttemptUnderFence(ctx, s.addr, s.fence, last.Hash)
	if err != nil {
		return fmt.Errorf("reading back the bytes of transaction %d: %w", row.ID, err)
	}
	mayBeOut := a.Reply != "" && !strings.HasPrefix(a.Reply, chain.ReplyDefinitive)
	if !first && !mayBeOut {
		if err := s.ledger.MarkBroadcast(ctx, a.Hash, s.fence, resending.String(), false, s.now()); err != nil {
			return fmt.Errorf("noting that transaction %d is being sent: %w", row.ID, err)
		}
		mayBeOut = true
	}
	if err := s.held(); err != nil {
		return err
	}
	r := s.pool.broadcast(ctx, a.Raw)
	s.metrics.broadcast(r.class)
	if ctx.Err() != nil {
		return ctx.Err() // stopped: what is stored says that the bytes may be out
	}
	if r.class == refused && mayBeOut {
		r.class = unknown
	}
	if err := s.ledger.MarkBroadcast(ctx, a.Hash, s.fence, r.String(), r.class == accepted, s.now()); err != nil {
		return fmt.Errorf("noting the reply to transaction %d: %w", row.ID, err)
	}
	last.Reply, last.Broadcast = r.String(), s.now()
	if r.class == accepted {
		delete(s.retries, row.ID)
		if row.State == chain.TxSigned {
			row.State = chain.TxSent
			s.log.Info("transaction sent", "tx", a.Hash.Hex(), "intent", row.Intent.Key, "nonce", row.Nonce, "gas", row.GasLimit, "tip", a.Tip, "cap", a.FeeCap)
		}
		return nil
	}
	s.log.Debug("broadcast not accepted", "tx", a.Hash.Hex(), "nonce", row.Nonce, "reply", r.String())
	if row.State != chain.TxSigned {
		return nil
	}
	return t.afterRefusal(ctx, row, r)
}

// afterRefusal decides about a signed row that no endpoint has accepted.
func (t *turn) afterRefusal(ctx context.Context, row *chain.Tx, r reply) error {
	s := t.s
	s.backOff(row.ID)
	if r.class == refused && r.why != whyFunds && allRefused(row) {
		return t.cancel(ctx, row, chain.WhyRefused+": "+clip(r.words, 500))
	}
	if r.why == whyFunds {
		t.waiting = fmt.Sprintf("balance: %s cannot pay for transaction %s: send it funds (%s)", s.addr, newest(row).Hash, clip(r.words, 200))
		s.retries[row.ID] = retry{at: s.retries[row.ID].at, pause: s.retries[row.ID].pause, why: t.waiting}
		return nil
	}
	// The nonce is taken: confirm finds out by whom. No answer: the same bytes again.
	if r.why == whyNonceTooLow || r.why == whyNoAnswer || s.now().Sub(newest(row).CreatedAt) < s.cfg.ReplaceAfter {
		return nil
	}
	// An answer that stays no: another price, or nothing at all under this nonce.
	why, err := t.pointless(ctx, row)
	if err != nil {
		return err
	}
	return t.replace(ctx, row, r.why == whyOther || why != "")
}

// allRefused reports whether no bytes of a row can be anywhere.
func allRefused(row *chain.Tx) bool {
	for _, a := range row.Attempts {
		if !strings.HasPrefix(a.Reply, chain.ReplyDefinitive) {
			return false
		}
	}
	return true
}

// backOff doubles the pause before the same bytes go out again, from 1 to 15 s.
func (s *Sender) backOff(id int64) {
	r := s.retries[id]
	r.why = ""
	r.pause = min(max(2*r.pause, time.Second), 15*time.Second)
	r.at = s.now().Add(r.pause)
	s.retries[id] = r
}

// decide finishes what an earlier pass, or an earlier process, left undecided.
func (t *turn) decide(ctx context.Context) error {
	row := t.undecided()
	if row == nil {
		return nil
	}
	if row.State == chain.TxPrepared {
		// No bytes were stored, so none have left: the nonce is free again.
		return t.requeue(ctx, row)
	}
	if allRefused(row) {
		if why, err := t.pointless(ctx, row); err != nil || why != "" {
			if err != nil {
				return err
			}
			return t.cancel(ctx, row, why+"; every endpoint had refused it")
		}
	}
	if t.s.now().Before(t.s.retries[row.ID].at) {
		t.waiting = t.s.retries[row.ID].why
		return nil
	}
	return t.send(ctx, row, false)
}
