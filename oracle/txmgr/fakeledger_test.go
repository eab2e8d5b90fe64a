package txmgr

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// crash is what a planned stop of the process panics with.
type crash struct{}

// faults stops the process at the n-th call of anything, before or after the call
// has its effect. Ledger and chain share one.
type faults struct {
	mu    sync.Mutex
	calls int
	at    int // 0 for never
	after bool
	sql   map[int]bool // calls that were statements
	dead  bool         // stopped while bytes were on their way: the next call is not made
}

// plan sets the stop to a number of calls from now.
func (f *faults) plan(in int, after bool) { f.at, f.after = f.calls+in, after }

// step runs effect as one call that the plan may interrupt.
func (f *faults) step(effect func()) {
	if f.dies(effect) {
		f.dead = false
		panic(crash{})
	}
}

// statement is step for a statement of a database, which has its effect when its
// transaction is committed.
func (f *faults) statement() {
	f.mu.Lock()
	if f.sql == nil {
		f.sql = map[int]bool{}
	}
	f.sql[f.calls+1] = true
	f.mu.Unlock()
	f.step(func() {})
}

// aside is step for a call on a goroutine of its own, which cannot end the process
// itself: the next step does.
func (f *faults) aside(effect func()) {
	if f.dies(effect) {
		f.mu.Lock()
		f.dead = true
		f.mu.Unlock()
	}
}

func (f *faults) dies(effect func()) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return true
	}
	f.calls++
	now := f.at != 0 && f.calls == f.at
	if !now || f.after {
		effect()
	}
	return now
}

// fakeLedger keeps rows in memory under the ledger's rules.
type fakeLedger struct {
	faults *faults
	rows   []*chain.Tx
	loose  map[common.Hash]bool
	meta   map[string]string
	owner  string
	until  time.Time
	fence  int64
	parked string
	addr   common.Address
	gone   map[int64]string // why a row's purpose is gone
	frozen string
}

func newFakeLedger(addr common.Address) *fakeLedger {
	return &fakeLedger{loose: map[common.Hash]bool{}, meta: map[string]string{}, addr: addr, gone: map[int64]string{}}
}

func (l *fakeLedger) queue(in chain.Intent, now time.Time) *chain.Tx {
	in.Sender = l.addr
	tx := &chain.Tx{ID: int64(len(l.rows) + 1), Intent: in, State: chain.TxQueued, CreatedAt: now}
	l.rows = append(l.rows, tx)
	return tx
}

func (l *fakeLedger) do(fn func() error) (err error) {
	l.faults.step(func() { err = fn() })
	return err
}

func (l *fakeLedger) AcquireSender(_ context.Context, addr common.Address, owner string, lease time.Duration, now time.Time) (fence int64, parked string, err error) {
	err = l.do(func() error {
		if l.owner != owner {
			if l.owner != "" && l.until.After(now) {
				return fmt.Errorf("%s holds it: %w", l.owner, job.ErrFenced)
			}
			l.fence++
		}
		l.owner, l.until = owner, now.Add(lease)
		fence, parked = l.fence, l.parked
		return nil
	})
	return fence, parked, err
}

func (l *fakeLedger) ParkSender(_ context.Context, _ common.Address, fence int64, why string) error {
	return l.do(func() error {
		if fence != l.fence {
			return job.ErrFenced
		}
		l.parked = why
		return nil
	})
}

func (l *fakeLedger) UnparkSender(context.Context, common.Address) error {
	return l.do(func() error { l.parked = ""; return nil })
}

func (l *fakeLedger) GetMeta(_ context.Context, key string) (string, bool, error) {
	v, ok := l.meta[key]
	return v, ok, l.do(func() error { return nil })
}

func (l *fakeLedger) SetMeta(_ context.Context, key, value string) error {
	return l.do(func() error { l.meta[key] = value; return nil })
}

func copyTx(t *chain.Tx) chain.Tx {
	c := *t
	c.Attempts = slices.Clone(t.Attempts)
	return c
}

func (l *fakeLedger) OpenTxs(context.Context, common.Address) (out []chain.Tx, err error) {
	err = l.do(func() error {
		for _, r := range l.rows {
			if !r.State.Ended() {
				out = append(out, copyTx(r))
			}
		}
		return nil
	})
	return out, err
}

func (l *fakeLedger) HighestNonce(context.Context, common.Address) (n uint64, ok bool, err error) {
	err = l.do(func() error {
		for _, r := range l.rows {
			if r.HasNonce && (!ok || r.Nonce > n) {
				n, ok = r.Nonce, true
			}
		}
		return nil
	})
	return n, ok, err
}

func (l *fakeLedger) attempt(hash common.Hash) (*chain.Tx, *chain.Attempt) {
	for _, r := range l.rows {
		for i := range r.Attempts {
			if r.Attempts[i].Hash == hash {
				return r, &r.Attempts[i]
			}
		}
	}
	return nil, nil
}

func (l *fakeLedger) AttemptUnderFence(_ context.Context, _ common.Address, fence int64, hash common.Hash) (a chain.Attempt, err error) {
	err = l.do(func() error {
		if fence != l.fence {
			return job.ErrFenced
		}
		_, found := l.attempt(hash)
		if found == nil {
			return job.ErrNotFound
		}
		a = *found
		a.Raw = bytes.Clone(found.Raw)
		return nil
	})
	return a, err
}

// move changes a row under the fence, along the edges of chain.TxTransitions.
func (l *fakeLedger) move(id, fence int64, from []chain.TxState, to chain.TxState, change func(*chain.Tx) error) error {
	return l.do(func() error {
		r := l.rows[id-1]
		if fence != l.fence {
			return job.ErrFenced
		}
		if !slices.Contains(from, r.State) {
			return fmt.Errorf("it is %s, not one of %v: %w", r.State, from, job.ErrConflict)
		}
		if r.State != to && !slices.Contains(chain.TxTransitions[r.State], to) {
			return fmt.Errorf("no edge %s to %s", r.State, to)
		}
		if err := change(r); err != nil {
			return err
		}
		r.State = to
		return nil
	})
}

func (l *fakeLedger) PrepareTx(_ context.Context, id, fence int64, nonce, gas uint64, _ time.Time) error {
	return l.move(id, fence, []chain.TxState{chain.TxQueued}, chain.TxPrepared, func(r *chain.Tx) error {
		for _, o := range l.rows {
			if o.HasNonce && o.Nonce == nonce {
				return fmt.Errorf("nonce %d belongs to transaction %d: %w", nonce, o.ID, job.ErrConflict)
			}
			if o.State == chain.TxPrepared || o.State == chain.TxSigned {
				return fmt.Errorf("transaction %d is undecided: %w", o.ID, job.ErrConflict)
			}
		}
		r.Nonce, r.HasNonce, r.GasLimit = nonce, true, gas
		return nil
	})
}

func (l *fakeLedger) RequeueTx(_ context.Context, id, fence int64, _ time.Time) error {
	return l.move(id, fence, []chain.TxState{chain.TxPrepared}, chain.TxQueued, func(r *chain.Tx) error {
		r.HasNonce = false
		return nil
	})
}

func (l *fakeLedger) SignTx(_ context.Context, id, fence int64, a chain.Attempt, now time.Time) error {
	to := l.rows[id-1].State
	if to == chain.TxPrepared {
		to = chain.TxSigned
	}
	return l.move(id, fence, []chain.TxState{chain.TxPrepared, chain.TxSigned, chain.TxSent}, to, func(r *chain.Tx) error {
		if a.Nonce != r.Nonce {
			return fmt.Errorf("attempt with nonce %d, row with %d: %w", a.Nonce, r.Nonce, job.ErrConflict)
		}
		a.Tx, a.CreatedAt, a.Reply, a.Broadcast = id, now, "", time.Time{}
		r.Attempts = append(r.Attempts, a)
		return nil
	})
}

func (l *fakeLedger) MarkBroadcast(_ context.Context, hash common.Hash, fence int64, reply string, accepted bool, now time.Time) error {
	return l.do(func() error {
		r, a := l.attempt(hash)
		if r == nil {
			return job.ErrNotFound
		}
		if fence != l.fence {
			return job.ErrFenced
		}
		a.Reply, a.Broadcast = reply, now
		l.loose[hash] = l.loose[hash] || accepted || !strings.HasPrefix(reply, chain.ReplyDefinitive)
		if accepted && r.State == chain.TxSigned {
			r.State = chain.TxSent
		}
		return nil
	})
}

func (l *fakeLedger) MarkMined(_ context.Context, id, fence int64, m chain.Mined, now time.Time) error {
	return l.move(id, fence, []chain.TxState{chain.TxSent}, chain.TxMined, func(r *chain.Tx) error {
		if o, _ := l.attempt(m.Hash); o != r {
			return fmt.Errorf("%s is none of its attempts: %w", m.Hash, job.ErrConflict)
		}
		r.MinedHash, r.MinedBlock, r.MinedHeight, r.Reverted, r.Why = m.Hash, m.Block, m.Height, m.Reverted, m.Why
		r.GasUsed, r.FeePaid, r.UpdatedAt = m.GasUsed, m.FeePaid, now
		return nil
	})
}

func (l *fakeLedger) MarkUnmined(_ context.Context, id, fence int64, _ time.Time) error {
	return l.move(id, fence, []chain.TxState{chain.TxMined}, chain.TxSent, func(r *chain.Tx) error {
		r.MinedHash, r.MinedBlock, r.MinedHeight, r.Reverted, r.Why = common.Hash{}, common.Hash{}, 0, false, ""
		return nil
	})
}

func (l *fakeLedger) MarkFinal(_ context.Context, id, fence int64, _ time.Time) error {
	to := chain.TxFinal
	if _, a := l.attempt(l.rows[id-1].MinedHash); a != nil && a.Empty {
		to = chain.TxCancelled
	}
	return l.move(id, fence, []chain.TxState{chain.TxMined}, to, func(*chain.Tx) error { return nil })
}

func (l *fakeLedger) CancelTx(_ context.Context, id, fence int64, why string, _ time.Time) error {
	return l.move(id, fence, []chain.TxState{chain.TxQueued, chain.TxPrepared, chain.TxSigned}, chain.TxCancelled, func(r *chain.Tx) error {
		for _, a := range r.Attempts {
			if l.loose[a.Hash] || a.Broadcast.IsZero() {
				return fmt.Errorf("attempt %s may be in a pool: %w", a.Hash, job.ErrConflict)
			}
		}
		r.Why, r.HasNonce = why, false
		return nil
	})
}

func (l *fakeLedger) MarkReplaced(_ context.Context, id, fence int64, why string, _ time.Time) error {
	return l.move(id, fence, []chain.TxState{chain.TxSigned, chain.TxSent, chain.TxMined}, chain.TxReplaced, func(r *chain.Tx) error {
		r.Why = why
		return nil
	})
}

func (l *fakeLedger) TxPurpose(_ context.Context, id int64) (p chain.Purpose, err error) {
	err = l.do(func() error { p = chain.Purpose{Gone: l.gone[id], Frozen: l.frozen}; return nil })
	return p, err
}

func (l *fakeLedger) SpentSince(_ context.Context, _ common.Address, since time.Time) (sum *big.Int, err error) {
	sum = new(big.Int)
	err = l.do(func() error {
		for _, r := range l.rows {
			if r.MinedHash != (common.Hash{}) && !r.UpdatedAt.Before(since) {
				sum.Add(sum, r.FeePaid)
			}
		}
		return nil
	})
	return sum, err
}
