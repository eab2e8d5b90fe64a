// Package intake makes work of what watch sees: it decodes the events of the
// EstuaryProvider contracts into requests, jobs and closings, hands them to the
// ledger with the blocks and logs they came from, in one transaction, and wakes
// the lanes that got something to do.
//
// It does not read the chain (oracle/watch), decide about reorgs (the ledger
// retracts) or do any work (executor).
//
// Map:
//
//	intake.go   Config, Deps, Intake: Apply
//	event.go    one event → what follows from it; the request id recomputed
//	payload.go  the actions' payloads → jobs
//
// Invariants: a log that does not decode is stored and counted, and never makes
// a job nor stops the others; a request that was paid gets a job even when its
// content is nonsense, since it must be answered; a job's key follows from the
// request alone.
package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// Config says whose events are understood.
type Config struct {
	ChainID   uint64
	Providers []common.Address // EstuaryProvider contracts
	// UndoDelay is how long compensations wait, so that a request that a reorg
	// includes again can take over the blocks of the one it replaces.
	UndoDelay time.Duration
}

// Ledger takes a batch whole or not at all.
type Ledger interface {
	CommitBatch(ctx context.Context, b chain.Batch) (chain.Committed, error)
}

// Notifier wakes a lane; it never blocks, and a lost call costs a moment.
type Notifier interface {
	Notify(kind job.Kind)
}

// Deps are what an Intake works with.
type Deps struct {
	Ledger   Ledger
	Notifier Notifier
	// OnCommitted is told of every commit, to wake reporting; nil for nobody.
	OnCommitted func(chain.Committed)
	Log         *slog.Logger          // nil discards
	Metrics     prometheus.Registerer // nil: none
	Now         func() time.Time      // nil: time.Now
}

// Intake is a watch.Sink.
type Intake struct {
	cfg    Config
	d      Deps
	abi    *estuaryprovider.EstuaryProvider
	topics map[common.Hash]event
	counts *prometheus.CounterVec

	// skew is how far the chain's clock is ahead of ours: nothing on a public
	// chain, much on a development chain whose blocks come faster than seconds.
	// Owned by Apply, which watch calls from one goroutine.
	skew time.Duration
}

// clockSlack is a lead of the chain's clock that means nothing: a block's
// timestamp is whole seconds, and an epoch's may be a little early.
const clockSlack = 5 * time.Second

// New checks the configuration.
func New(cfg Config, d Deps) (*Intake, error) {
	if cfg.ChainID == 0 || len(cfg.Providers) == 0 || d.Ledger == nil || d.Notifier == nil {
		return nil, errors.New("intake: a chain id, a provider, a ledger and a notifier are needed")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.OnCommitted == nil {
		d.OnCommitted = func(chain.Committed) {}
	}
	in := &Intake{cfg: cfg, d: d, abi: estuaryprovider.NewEstuaryProvider()}
	in.counts = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "tidegate", Subsystem: "intake", Name: "events_total", Help: "Events seen, by name; malformed ones under that name.",
	}, []string{"event"})
	if d.Metrics != nil {
		if err := d.Metrics.Register(in.counts); err != nil {
			return nil, fmt.Errorf("intake: registering metrics: %w", err)
		}
	}
	topics, err := in.events()
	if err != nil {
		return nil, err
	}
	in.topics = topics
	return in, nil
}

// Apply implements watch.Sink: what the update brings and what follows from it
// is durable when it returns nil, and nothing of it is otherwise.
func (in *Intake) Apply(ctx context.Context, u chain.Update) error {
	now := in.d.Now()
	in.skew = max(0, u.Head.Time.Sub(now)-clockSlack)
	b := chain.Batch{Update: u, Seq: make([]int64, len(u.Logs)), UndoAt: now.Add(in.cfg.UndoDelay), Now: now}
	for i, l := range u.Logs {
		b.Seq[i] = -1
		if !slices.Contains(in.cfg.Providers, l.Address) {
			continue
		}
		seq, err := in.take(&b, l, now)
		if err != nil {
			in.counts.WithLabelValues("malformed").Inc()
			in.d.Log.Error("a log of the provider does not decode; it is stored and makes no job: compare the binary's version with the contract's",
				"block", l.Height, "tx", l.Tx.Hex(), "index", l.Index, "err", err)
			continue
		}
		b.Seq[i] = seq
	}
	done, err := in.d.Ledger.CommitBatch(ctx, b)
	if err != nil {
		return fmt.Errorf("committing blocks up to %d: %w", u.To, err)
	}
	for _, r := range b.Requests {
		in.d.Log.Info("request seen", "request", r.ID.Hex(), "seq", r.Seq, "action", r.Action, "block", r.Log.Height, "tx", r.Log.Tx.Hex())
	}
	if done.Retracted > 0 {
		in.d.Log.Warn("the chain changed its mind; logs were retracted", "logs", done.Retracted, "block", u.Ancestor.Height)
	}
	for _, kind := range done.Ready {
		in.d.Notifier.Notify(kind)
	}
	in.d.OnCommitted(done)
	return nil
}
