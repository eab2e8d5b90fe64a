package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/watch"
)

// patience bounds one call: an endpoint that takes longer is said to stall.
const patience = 5 * time.Second

// looks is how often each endpoint is looked at: behind one name there may be
// several nodes.
const looks = 4

// endpoints looks at each configured endpoint by itself, and at all beside each other.
func (f *findings) endpoints(ctx context.Context, cfg config.Config, ledger *store.Store, now time.Time) {
	var named []watch.Named
	for _, url := range cfg.Chain.RPC {
		c, err := watch.NewClient(url)
		if err != nil {
			f.add(KindUnreadable, config.Redact(url), err.Error(), "correct chain.rpc")
			continue
		}
		defer c.Close()
		named = append(named, c)
		f.knows(ctx, c, cfg, ledger)
		f.shows(ctx, c, cfg, now)
	}
	if len(named) == 0 {
		return
	}
	pool, err := watch.NewPool(watch.PoolConfig{ChainID: cfg.Chain.ID, MaxLag: cfg.Chain.SoftDepth + 1, Timeout: patience, BackoffMin: time.Millisecond, BackoffMax: time.Millisecond}, named...)
	if err != nil {
		return
	}
	for range looks {
		pool.Look(ctx)
	}
	for _, e := range pool.Status() {
		for _, t := range e.Troubles {
			f.add(t.Kind, e.Name, t.Detail, remedy(t.Kind))
		}
	}
}

// staleAfter is how old the newest block of Filecoin may be: ten epochs.
const staleAfter = 5 * time.Minute

// fair is how many heights an endpoint should take in one query of logs: below that the
// past is read slowly.
const fair = 128

// shows looks at an endpoint's newest block, and at what it takes as a query.
func (f *findings) shows(ctx context.Context, c *watch.RPC, cfg config.Config, now time.Time) {
	head, err := bounded(ctx, func(ctx context.Context) (watch.Header, error) { return c.HeaderByTag(ctx, "latest") })
	if err != nil {
		return // the pool says it
	}
	if age := now.Sub(head.Time); config.Public(cfg.Chain.ID) && age > staleAfter { // elsewhere time may be anything
		f.add(KindStale, c.Endpoint(), fmt.Sprintf("its newest block, %d, is %s old", head.Height, age.Round(time.Second)),
			"a node that is syncing, or a chain that stands still: compare with another endpoint")
	}
	addrs := []common.Address{common.HexToAddress(cfg.Chain.Provider)}
	asked := min(fair, max(cfg.Chain.MaxRange, 1), head.Height)
	for n := asked; n > 0; n /= 2 {
		_, err := bounded(ctx, func(ctx context.Context) ([]chain.Log, error) {
			return c.LogsByRange(ctx, head.Height+1-n, head.Height, addrs)
		})
		var fault *watch.Fault
		if errors.As(err, &fault) && fault.Kind == watch.FaultTooMany && n > 1 {
			continue
		}
		if err == nil && n < asked {
			f.add(KindLimits, c.Endpoint(), fmt.Sprintf("it takes about %d heights in one query of logs, and refuses %d", n, 2*n),
				"nothing is lost, but the past is read slowly; prefer an endpoint that takes 2,000, or raise the limits of your node")
		}
		return
	}
}

// knows asks an endpoint for what the ledger has of it: the newest final requests'
// logs, and the receipt of a final answer.
func (f *findings) knows(ctx context.Context, c *watch.RPC, cfg config.Config, ledger *store.Store) {
	if ledger == nil {
		return
	}
	addrs := []common.Address{common.HexToAddress(cfg.Chain.Provider)}
	receipt := false
	for _, r := range latest(ctx, ledger, looks) {
		f.compares(ctx, c, r, addrs)
		if receipt || r.CloseTx == (common.Hash{}) || !r.ClosedFinal {
			continue
		}
		receipt = true
		has, err := bounded(ctx, func(ctx context.Context) (bool, error) { return c.HasReceipt(ctx, r.CloseTx) })
		if err == nil && !has {
			f.add(KindReceipts, c.Endpoint(), fmt.Sprintf("it has no receipt of the final transaction %s", r.CloseTx),
				"a gateway that looks back a few epochs only, or a node without its index: name another endpoint first in chain.rpc")
		}
	}
}

// compares asks for the block of a request in each way there is.
func (f *findings) compares(ctx context.Context, c *watch.RPC, r chain.Request, addrs []common.Address) {
	at, where := r.Log.Height, c.Endpoint()
	ours := func(l chain.Log) bool { return l.Tx == r.Log.Tx }
	block, err := bounded(ctx, func(ctx context.Context) (watch.Header, error) { return c.HeaderByNumber(ctx, at) })
	if err == nil && block.BloomUnknown() {
		f.add(KindBlooms, where, fmt.Sprintf("the bloom of block %d is all ones, though there are events in it", at),
			"nothing is lost: an empty answer is doubted less soon; on a node of your own run lotus-shed chainindex validate-backfill")
	}
	byHash, err := bounded(ctx, func(ctx context.Context) ([]chain.Log, error) { return c.LogsByBlock(ctx, r.Log.Block, addrs) })
	var fault *watch.Fault
	if errors.As(err, &fault) {
		f.add(string(fault.Kind), where, fault.Err.Error(), remedy(string(fault.Kind)))
		return
	}
	if !slices.ContainsFunc(byHash, ours) {
		f.add(KindHoles, where, fmt.Sprintf("its index lacks the event of request %s in block %d", r.ID, at),
			"the daemon asks others and repairs by seq; on a node of your own run lotus-shed chainindex validate-backfill")
	}
	inRange, err := bounded(ctx, func(ctx context.Context) ([]chain.Log, error) { return c.LogsByRange(ctx, at, at, addrs) })
	if err != nil {
		return
	}
	for i, l := range byHash {
		for _, o := range byHash[:i] {
			if same(l, o) {
				f.add(KindDouble, where, fmt.Sprintf("it shows one event of block %d twice", at), "nothing was counted twice; tell its operator")
			}
		}
		for _, o := range inRange {
			if same(l, o) && l.Index != o.Index {
				f.add(KindNumbers, where, fmt.Sprintf("it numbers an event of block %d %d by hash and %d in a range", at, l.Index, o.Index), "nothing depends on it here; other tools may count twice")
			}
		}
	}
	receipts, err := bounded(ctx, func(ctx context.Context) ([]chain.Log, error) { return c.LogsByReceipts(ctx, at, addrs) })
	if err == nil && !slices.ContainsFunc(receipts, ours) {
		f.add(KindReceipts, where, fmt.Sprintf("its receipts of block %d lack the event of request %s", at, r.ID), "a node that fills receipts in late, or lost them: name another endpoint first in chain.rpc")
	}
}

func same(a, b chain.Log) bool {
	return a.Tx == b.Tx && a.Address == b.Address && slices.Equal(a.Topics, b.Topics) && bytes.Equal(a.Data, b.Data)
}

func bounded[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return call(ctx)
}
