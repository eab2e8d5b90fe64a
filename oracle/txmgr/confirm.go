package txmgr

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/tidegate/tidegate/oracle/chain"
)

// view is what one endpoint says of the chain in one pass. Canonical checks go to
// the endpoint that gave the head, so that no decision mixes two nodes' chains.
type view struct {
	endpoint Endpoint
	head     Head
	final    Head
	hasFinal bool
	nonce    uint64 // count at head
}

// look reads a view from the first endpoint that gives one whole.
func (s *Sender) look(ctx context.Context) (view, error) {
	var v view
	err := s.pool.read(ctx, func(ctx context.Context, e Endpoint) error {
		head, err := e.Head(ctx, Latest)
		if err != nil {
			return err
		}
		nonce, err := e.Nonce(ctx, s.addr, Latest)
		if err != nil {
			return err
		}
		final, err := e.Head(ctx, Finalized)
		if err != nil && !errors.Is(err, ErrNoBlock) {
			return err
		}
		v = view{endpoint: e, head: head, nonce: nonce, final: final, hasFinal: err == nil}
		return nil
	})
	if err != nil {
		return view{}, fmt.Errorf("no endpoint tells the state of the chain: %w", err)
	}
	s.mu.Lock()
	s.status.Nonce = v.nonce
	s.mu.Unlock()
	return v, nil
}

// call runs fn against the view's endpoint under the call timeout.
func (t *turn) call(ctx context.Context, fn func(context.Context, Endpoint) error) error {
	return t.s.pool.ask(ctx, t.view.endpoint, fn)
}

// canonical reports whether block is the one at height. sure is false when the
// endpoint's head is below height: it may be lagging.
func (t *turn) canonical(ctx context.Context, height uint64, block [32]byte) (yes, sure bool, err error) {
	if t.view.head.Height < height {
		return false, false, nil
	}
	err = t.call(ctx, func(ctx context.Context, e Endpoint) error {
		h, err := e.Head(ctx, At(height))
		if errors.Is(err, ErrNoBlock) {
			return nil // a null round now, or pruned by a rollback
		}
		yes = err == nil && h.Hash == block
		return err
	})
	if err != nil {
		return false, false, fmt.Errorf("reading the block at height %d: %w", height, err)
	}
	return yes, true, nil
}

// confirm finds out what became of every row that holds a nonce.
func (t *turn) confirm(ctx context.Context) error {
	for i := range t.rows {
		row := &t.rows[i]
		var err error
		switch row.State {
		case chain.TxMined:
			err = t.checkMined(ctx, row)
		case chain.TxSigned, chain.TxSent:
			if t.view.nonce > row.Nonce {
				err = t.checkUsed(ctx, row)
			}
		}
		if err != nil {
			return fmt.Errorf("confirming transaction %d: %w", row.ID, err)
		}
	}
	return nil
}

// checkMined follows a mined row to finality, or back out of its block.
func (t *turn) checkMined(ctx context.Context, row *chain.Tx) error {
	s := t.s
	yes, sure, err := t.canonical(ctx, row.MinedHeight, row.MinedBlock)
	if err != nil || !sure {
		return err
	}
	if !yes {
		s.log.Warn("transaction left its block in a reorg", "tx", row.MinedHash.Hex(), "block", row.MinedHeight, "intent", row.Intent.Key)
		if err := s.ledger.MarkUnmined(ctx, row.ID, s.fence, s.now()); err != nil {
			return fmt.Errorf("taking it out of its block: %w", err)
		}
		row.State = chain.TxSent
		if t.view.nonce > row.Nonce {
			if err := t.checkUsed(ctx, row); err != nil {
				return err
			}
		}
		if row.State == chain.TxSent && t.view.nonce <= row.Nonce && !s.cfg.DryRun {
			return t.send(ctx, row, false)
		}
		return nil
	}
	if !t.view.hasFinal || row.MinedHeight > t.view.final.Height || t.view.nonce <= row.Nonce {
		return nil
	}
	if err := s.ledger.MarkFinal(ctx, row.ID, s.fence, s.now()); err != nil {
		return fmt.Errorf("marking it final: %w", err)
	}
	row.State = chain.TxFinal
	for _, a := range row.Attempts {
		if a.Hash == row.MinedHash && a.Empty {
			row.State = chain.TxCancelled
		}
	}
	t.ended = true
	s.metrics.final(row.State, s.now().Sub(row.CreatedAt))
	s.log.Info("transaction final", "tx", row.MinedHash.Hex(), "block", row.MinedHeight, "intent", row.Intent.Key, "state", string(row.State), "reverted", row.Reverted)
	return nil
}

// sureAfter is how many passes in a row must find a nonce final and no receipt
// before it is taken as somebody else's.
const sureAfter = 3

// checkUsed looks for the attempt that used a row's nonce.
func (t *turn) checkUsed(ctx context.Context, row *chain.Tx) error {
	s := t.s
	a, rec, silent, err := t.landed(ctx, row)
	if err != nil {
		return err
	}
	if a != nil {
		delete(s.misses, row.ID)
		return t.mined(ctx, row, a, rec)
	}
	if silent {
		return nil
	}
	gone, err := t.finallyUsed(ctx, row.Nonce)
	if err != nil || !gone {
		return err
	}
	if s.misses[row.ID]++; s.misses[row.ID] < sureAfter {
		return nil
	}
	why := fmt.Sprintf("nonce %d of %s went to a transaction that this ledger did not send: another program uses the key", row.Nonce, s.addr)
	if err := s.ledger.MarkReplaced(ctx, row.ID, s.fence, why, s.now()); err != nil {
		return fmt.Errorf("marking it replaced: %w", err)
	}
	row.State, row.Why = chain.TxReplaced, why
	t.ended = true
	s.metrics.ended(chain.TxReplaced)
	s.log.Error("a transaction of another program took a nonce: stop it, or two senders will lose transactions to each other", "intent", row.Intent.Key, "nonce", row.Nonce)
	return nil
}

// landed finds the attempt with a receipt in a canonical block. silent is true
// when the answer is no answer: an endpoint failed, or showed a receipt in a block
// that the view does not have.
func (t *turn) landed(ctx context.Context, row *chain.Tx) (a *chain.Attempt, rec Receipt, silent bool, err error) {
	for i := len(row.Attempts) - 1; i >= 0; i-- {
		for _, e := range t.order() {
			var ok bool
			err := t.s.pool.ask(ctx, e, func(ctx context.Context, e Endpoint) (err error) {
				rec, ok, err = e.Receipt(ctx, row.Attempts[i].Hash)
				return err
			})
			if ctx.Err() != nil {
				return nil, rec, true, ctx.Err()
			}
			if err != nil {
				silent = true
				continue
			}
			if !ok {
				continue
			}
			yes, _, err := t.canonical(ctx, rec.Height, rec.Block)
			if err != nil {
				return nil, rec, true, err
			}
			if yes {
				return &row.Attempts[i], rec, false, nil
			}
			silent = true
		}
	}
	return nil, Receipt{}, silent, nil
}

// order is all endpoints, the view's first.
func (t *turn) order() []Endpoint {
	out := []Endpoint{t.view.endpoint}
	for _, e := range t.s.pool.endpoints {
		if e != t.view.endpoint {
			out = append(out, e)
		}
	}
	return out
}

// finallyUsed reports whether nonce is counted at the final block.
func (t *turn) finallyUsed(ctx context.Context, nonce uint64) (used bool, err error) {
	if !t.view.hasFinal {
		return false, nil
	}
	err = t.call(ctx, func(ctx context.Context, e Endpoint) error {
		count, err := e.Nonce(ctx, t.s.addr, At(t.view.final.Height))
		used = err == nil && count > nonce
		return err
	})
	if err != nil {
		return false, fmt.Errorf("reading the final nonce: %w", err)
	}
	return used, nil
}

// mined records the block that a row's attempt is in.
func (t *turn) mined(ctx context.Context, row *chain.Tx, a *chain.Attempt, rec Receipt) error {
	s := t.s
	if row.State == chain.TxSigned {
		// It was broadcast before a crash or a lost reply: the block is the reply.
		r := reply{class: accepted, words: fmt.Sprintf("found in the block at height %d", rec.Height)}
		if err := s.ledger.MarkBroadcast(ctx, a.Hash, s.fence, r.String(), true, s.now()); err != nil {
			return fmt.Errorf("noting that it was sent: %w", err)
		}
		row.State = chain.TxSent
	}
	m := chain.Mined{Hash: a.Hash, Block: rec.Block, Height: rec.Height, GasUsed: rec.GasUsed, FeePaid: new(big.Int), Reverted: !rec.Success}
	if rec.Price != nil {
		m.FeePaid.Mul(rec.Price, new(big.Int).SetUint64(rec.GasUsed))
	}
	if m.Reverted && !a.Empty {
		m.Why = t.replay(ctx, row, rec)
	}
	if err := s.ledger.MarkMined(ctx, row.ID, s.fence, m, s.now()); err != nil {
		return fmt.Errorf("recording its block: %w", err)
	}
	row.State, row.MinedHash, row.MinedBlock, row.MinedHeight, row.Reverted, row.Why = chain.TxMined, m.Hash, m.Block, m.Height, m.Reverted, m.Why
	s.metrics.landed(s.now().Sub(row.CreatedAt), rec.GasUsed, m.Reverted)
	log := s.log.Info
	if m.Reverted {
		log = s.log.Error
	}
	log("transaction mined", "tx", a.Hash.Hex(), "block", rec.Height, "intent", row.Intent.Key, "gas", rec.GasUsed, "reverted", m.Reverted, "why", m.Why)
	// At once final where the endpoint's finality is that fast.
	return t.checkMined(ctx, row)
}

// replay asks for the reason of a reverted transaction; the words are a best
// effort, as the state before its block may differ from what it ran on.
func (t *turn) replay(ctx context.Context, row *chain.Tx, rec Receipt) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	msg := message(t.s.addr, row.Intent)
	msg.Gas = row.GasLimit
	err := t.call(ctx, func(ctx context.Context, e Endpoint) error { return e.Call(ctx, msg, At(rec.Height)) })
	var r *Revert
	if errors.As(err, &r) {
		return describe(r, t.s.decode)
	}
	if rec.GasUsed >= row.GasLimit {
		return "out of gas"
	}
	return "the reason is not known: a replay did not fail"
}
