// Package intake translates what watch found into what the ledger keeps: logs of
// EstuaryProvider contracts become requests, jobs, closings and callback flags,
// those of other watched contracts are kept with their seq, for audits; all is
// handed to the ledger with its blocks in one batch. When the batch is in, it
// wakes the lanes that may have work.
//
// It decides nothing about reorgs, lanes' progress or settlement (the ledger
// does, from the batch), reads no chain, and runs no job.
//
// Map:
//
//	intake.go   Config, Deps, Apply: an update becomes a batch
//	ahead.go    logs are decoded on all cores, and before they are applied
//	event.go    one log becomes an event, strictly
//	plain.go    requests in the form that the contract writes, read in place
//	payload.go  what a request's payload asks for becomes a job
//
// Invariants: every log is kept, whatever it says; a log that does not decode,
// or whose terms do not hash to the request id in its topic, is counted and
// never a job; a request for an action that is offered always becomes a job,
// however malformed its payload, for it was paid and must be answered.
package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// Config says whose logs are translated.
type Config struct {
	ChainID   uint64
	Providers []common.Address // EstuaryProvider contracts
	// UndoDelay is how long compensations caused by a batch wait, so that a
	// request that comes back after a reorg finds its blocks. Default 30 s.
	UndoDelay time.Duration
}

// Ledger takes a batch whole or not at all.
type Ledger interface {
	CommitBatch(ctx context.Context, b chain.Batch) (chain.Committed, error)
}

// Notifier wakes the lane of a kind. It must not block; a lost wake-up costs
// only time.
type Notifier interface {
	Notify(kind job.Kind)
}

// Deps is what an Intake works with. Answers, Metrics, Logger and Now may be nil.
type Deps struct {
	Ledger   Ledger
	Notifier Notifier
	// Answers is called when an answer may have become sealable or was
	// withdrawn. It must not block.
	Answers func()
	Span    func(job.Span) // told of each request's event; must not block; nil for nobody
	Logger  *slog.Logger
	Now     func() time.Time
	Metrics prometheus.Registerer
}

// Intake implements watch.Sink. It is safe for concurrent use.
type Intake struct {
	cfg       Config
	ledger    Ledger
	notifier  Notifier
	span      func(job.Span)
	answers   func()
	log       *slog.Logger
	now       func() time.Time
	providers map[common.Address]bool
	contract  *estuaryprovider.EstuaryProvider
	requested common.Hash // the first topic of OracleRequested
	others    []*abi.ABI  // whose events may carry a seq, of contracts that are only watched
	events    *prometheus.CounterVec
	refused   *prometheus.CounterVec
	ahead     ahead
}

// New checks the configuration and fills its defaults.
func New(cfg Config, d Deps) (*Intake, error) {
	switch {
	case cfg.ChainID == 0:
		return nil, errors.New("intake: ChainID is zero")
	case len(cfg.Providers) == 0:
		return nil, errors.New("intake: no providers")
	case d.Ledger == nil || d.Notifier == nil:
		return nil, errors.New("intake: Ledger and Notifier are needed")
	case cfg.UndoDelay < 0:
		return nil, errors.New("intake: UndoDelay is negative")
	}
	if cfg.UndoDelay == 0 {
		cfg.UndoDelay = 30 * time.Second
	}
	in := &Intake{
		cfg: cfg, ledger: d.Ledger, notifier: d.Notifier, answers: d.Answers, span: d.Span, log: d.Logger, now: d.Now,
		providers: map[common.Address]bool{}, contract: estuaryprovider.NewEstuaryProvider(),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tidegate", Subsystem: "intake", Name: "events_total", Help: "Logs that were translated, by event.",
		}, []string{"event"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tidegate", Subsystem: "intake", Name: "refused_total", Help: "Logs and requests that made no job, by why.",
		}, []string{"why"}),
	}
	for _, p := range cfg.Providers {
		in.providers[p] = true
	}
	pinning, err := estuarypinning.EstuaryPinningMetaData.ParseABI()
	if err != nil {
		return nil, fmt.Errorf("intake: the pinning contract's ABI: %w", err)
	}
	provider := in.contract.GetABI()
	in.requested = provider.Events[estuaryprovider.EstuaryProviderOracleRequestedEventName].ID
	in.others = []*abi.ABI{&provider, pinning}
	if in.log == nil {
		in.log = slog.New(slog.DiscardHandler)
	}
	if in.now == nil {
		in.now = time.Now
	}
	if in.answers == nil {
		in.answers = func() {}
	}
	if d.Metrics != nil {
		for _, c := range []prometheus.Collector{in.events, in.refused} {
			if err := d.Metrics.Register(c); err != nil {
				return nil, fmt.Errorf("intake: registering metrics: %w", err)
			}
		}
	}
	return in, nil
}

// Apply implements watch.Sink: it commits the update with what follows from its
// logs, then wakes whom that concerns. It returns the ledger's errors, of which
// chain.ErrDeepReorg means that nothing may be applied before a person decides.
func (in *Intake) Apply(ctx context.Context, u chain.Update) error {
	b := in.translate(u)
	done, err := in.ledger.CommitBatch(ctx, b)
	if err != nil {
		return fmt.Errorf("committing %d logs: %w", len(u.Logs), err)
	}
	if done.Retracted > 0 {
		in.log.Info("events left the chain", "logs", done.Retracted, "block", u.Ancestor.ID())
	}
	for _, k := range done.Ready {
		in.notifier.Notify(k)
	}
	if done.Answers {
		in.answers()
	}
	if in.span != nil {
		in.tellEvents(b)
	}
	return nil
}

func (in *Intake) tellEvents(b chain.Batch) {
	times := map[common.Hash]time.Time{}
	for _, block := range b.Blocks {
		times[block.Hash] = block.Time
	}
	end := in.now()
	for _, r := range b.Requests {
		start, known := times[r.Log.Block]
		if !known || start.After(end) {
			start = b.Now
		}
		in.span(job.Span{Trace: traceOf(r.ID), Name: "event", Start: start, End: end, Request: strings.ToLower(r.ID.Hex())})
	}
}

// translate makes the batch of an update. It does not fail: what cannot be
// understood is kept as a log, counted and reported.
func (in *Intake) translate(u chain.Update) chain.Batch {
	now := in.now()
	b := chain.Batch{Update: u, Seq: make([]int64, len(u.Logs)), Now: now, UndoAt: now.Add(in.cfg.UndoDelay)}
	known, counted := map[common.Hash]bool{}, map[count]bool{}
	events, ok := in.ahead.take(u.Logs)
	if !ok {
		events = in.decodeAll(u.Logs)
	}
	for i, l := range u.Logs {
		b.Seq[i] = -1
		e, err := events[i].event, events[i].err
		if err != nil {
			in.refused.WithLabelValues("undecodable").Inc()
			in.log.Error("a log of a watched contract is not what the contract emits: is the address right, and the contract this version's?",
				"address", l.Address, "tx", l.Tx, "block", chain.Block{Height: l.Height, Hash: l.Block}.ID(), "index", l.Index, "error", err)
			continue
		}
		if n := (count{l.Address, e.seq}); e.seq != noSeq && !counted[n] {
			counted[n] = true
			b.Seq[i] = int64(e.seq)
		}
		in.events.WithLabelValues(e.name).Inc()
		switch {
		case e.request != nil && known[e.request.ID]:
			b.Seq[i] = -1
			in.refused.WithLabelValues("twice").Inc()
			in.log.Error("a request is announced twice in one step: is the endpoint lying?", "request", e.request.ID, "tx", l.Tx)
		case e.request != nil:
			known[e.request.ID] = true
			in.addRequest(&b, *e.request, events[i].work)
		case e.closing != nil:
			b.Closings = append(b.Closings, *e.closing)
		case e.callback != nil:
			b.Callbacks = append(b.Callbacks, *e.callback)
		}
	}
	return b
}

// count is one number of a contract's own counting.
type count struct {
	contract common.Address
	seq      uint64
}

// addRequest adds a request and the job that answers it.
func (in *Intake) addRequest(b *chain.Batch, r chain.Request, w work) {
	r.CreatedAt, r.UpdatedAt, r.Requester = b.Now, b.Now, w.requester
	b.Requests = append(b.Requests, r)
	if !w.offered {
		in.refused.WithLabelValues("action").Inc()
		in.log.Warn("a request for an action that is not offered here gets no job; it can be refunded after its deadline",
			"request", r.ID, "action", r.Action, "tx", r.Log.Tx)
		return
	}
	n := w.job
	n.RunAt = b.Now
	b.Jobs = append(b.Jobs, n)
	level := slog.LevelInfo
	if b.Behind {
		level = slog.LevelDebug // far behind, they come by the thousand
	}
	if !in.log.Enabled(context.Background(), level) {
		return
	}
	in.log.Log(context.Background(), level, "request seen", "request", r.ID, "kind", n.Kind, "requester", w.requester, "tx", r.Log.Tx,
		"block", chain.Block{Height: r.Log.Height, Hash: r.Log.Block}.ID())
}
