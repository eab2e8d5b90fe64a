package watch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// fakeLedger is Ledger and Sink: it applies updates as the store does, and
// refuses those that break watch's promises.
type fakeLedger struct {
	t      reporter
	mu     sync.Mutex
	cur    chain.Cursor
	has    bool
	blocks []chain.Block
	logs   []chain.StoredLog // oldest first
	meta   map[string]string
	fail   error // of the next Apply
	all    []chain.Update
}

// reporter is what testing.TB and rapid.T have in common.
type reporter interface {
	Error(args ...any)
	Errorf(format string, args ...any)
}

func newFakeLedger(t reporter) *fakeLedger { return &fakeLedger{t: t, meta: map[string]string{}} }

// Cursor implements Ledger.
func (l *fakeLedger) Cursor(context.Context, string) (chain.Cursor, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cur, l.has, nil
}

// BlocksFrom implements Ledger.
func (l *fakeLedger) BlocksFrom(_ context.Context, height uint64, limit int) ([]chain.Block, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []chain.Block
	for _, b := range l.blocks {
		if b.Height >= height && len(out) < limit {
			out = append(out, b)
		}
	}
	return out, nil
}

// Logs implements Ledger.
func (l *fakeLedger) Logs(_ context.Context, f chain.LogFilter) ([]chain.StoredLog, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []chain.StoredLog
	for _, x := range l.logs {
		if x.Height >= f.FromHeight && (f.ToHeight == 0 || x.Height <= f.ToHeight) && x.ID > f.AfterID && (f.State == "" || f.State == x.State) {
			out = append(out, x)
		}
	}
	return out[:min(len(out), f.Limit)], nil
}

// Freeze implements Ledger.
func (l *fakeLedger) Freeze(_ context.Context, _ string, final chain.Block, why string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if final.Height != l.cur.Final || final.Hash != l.cur.FinalHash {
		return job.ErrConflict
	}
	l.cur.Frozen = why
	return nil
}

// SetMetaOnce implements Ledger.
func (l *fakeLedger) SetMetaOnce(_ context.Context, key, value string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v, ok := l.meta[key]; ok && v != value {
		return fmt.Errorf("meta %s: %w", key, job.ErrConflict)
	}
	l.meta[key] = value
	return nil
}

// Apply implements Sink.
func (l *fakeLedger) Apply(_ context.Context, u chain.Update) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.fail; err != nil {
		l.fail = nil
		return err
	}
	if u.After == nil || !u.After.Same(l.cur) {
		l.t.Errorf("the update goes by %+v, the ledger is at %+v", u.After, l.cur)
	}
	if u.Reorg {
		if u.Ancestor.Height < l.cur.Final {
			return chain.ErrDeepReorg
		}
		l.rollback(u.Ancestor)
	}
	l.checkFrame(u)
	l.blocks = append(l.blocks, u.Blocks...)
	for _, x := range u.Logs {
		l.add(x)
	}
	if u.From <= u.To {
		l.cur.Height, l.cur.Hash = u.To, u.Blocks[len(u.Blocks)-1].Hash
	}
	for i := range l.logs {
		if l.logs[i].State == chain.LogSeen && l.logs[i].Height <= u.Final.Height {
			l.logs[i].State = chain.LogFinal
		}
	}
	l.cur.Final, l.cur.FinalHash, l.cur.Soft, l.cur.Head = u.Final.Height, u.Final.Hash, u.Soft, u.Head.Height
	l.has, l.all = true, append(l.all, u)
	return nil
}

func (l *fakeLedger) rollback(a chain.Block) {
	keep := slices.IndexFunc(l.blocks, func(b chain.Block) bool { return b.Height > a.Height })
	if keep >= 0 {
		l.blocks = l.blocks[:keep]
	}
	for i, x := range l.logs {
		if x.Height > a.Height && x.State == chain.LogSeen {
			l.logs[i].State = chain.LogRetracted
		}
	}
	l.cur.Height, l.cur.Hash = a.Height, a.Hash
}

// accept rolls back to an ancestor, whatever was final, and unfreezes.
func (l *fakeLedger) accept(a chain.Block) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, x := range l.logs {
		if x.Height > a.Height {
			l.logs[i].State = chain.LogRetracted
		}
	}
	l.rollback(a)
	l.cur.Final, l.cur.FinalHash, l.cur.Soft, l.cur.Frozen = a.Height, a.Hash, a.Height, ""
}

// checkFrame holds watch to its invariants.
func (l *fakeLedger) checkFrame(u chain.Update) {
	covers := u.From <= u.To
	switch {
	case covers && l.has && u.From != l.cur.Height+1:
		l.t.Errorf("update covers %d..%d after %d", u.From, u.To, l.cur.Height)
	case covers && u.Blocks[len(u.Blocks)-1].Height != u.To:
		l.t.Errorf("update ends at %d without its block", u.To)
	case u.Final.Height < l.cur.Final:
		l.t.Errorf("final goes back from %d to %d", l.cur.Final, u.Final.Height)
	case l.has && u.Final.Height == l.cur.Final && u.Final.Hash != l.cur.FinalHash:
		l.t.Errorf("final block %d changes its hash", u.Final.Height)
	case u.Final.Hash == (common.Hash{}):
		l.t.Error("update without a final block")
	case covers && u.Soft > u.To, u.Final.Height > max(u.To, l.cur.Height):
		l.t.Errorf("soft %d or final %d above what is covered (%d, %d)", u.Soft, u.Final.Height, u.To, l.cur.Height)
	}
	parent := l.cur.Hash
	for _, b := range u.Blocks {
		if b.Height > u.Final.Height && b.Parent != parent {
			l.t.Errorf("block %s does not link to %s", b.ID(), parent)
		}
		parent = b.Hash
	}
}

func (l *fakeLedger) add(x chain.Log) {
	for i := range l.logs {
		if identOf(l.logs[i].Log) == identOf(x) {
			if l.logs[i].State != chain.LogRetracted {
				l.t.Errorf("log %d of block %s is handed over twice", x.Index, x.Block)
			}
			l.logs[i].State = chain.LogSeen
			return
		}
	}
	l.logs = append(l.logs, chain.StoredLog{Log: x, ID: int64(len(l.logs) + 1), State: chain.LogSeen, Seq: -1})
}

// live gives the logs that are not retracted, in chain order.
func (l *fakeLedger) live() []ident {
	l.mu.Lock()
	defer l.mu.Unlock()
	var logs []chain.Log
	for _, x := range l.logs {
		if x.State != chain.LogRetracted {
			logs = append(logs, x.Log)
		}
	}
	slices.SortFunc(logs, func(a, b chain.Log) int {
		return cmp.Or(cmp.Compare(a.Height, b.Height), cmp.Compare(a.TxIndex, b.TxIndex))
	})
	var out []ident
	for _, x := range logs {
		out = append(out, identOf(x))
	}
	return out
}

func (l *fakeLedger) cursor() chain.Cursor {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cur
}
