// Package daemon wires both sides of Tidegate into one process: the chain side
// (watch, intake, report, txmgr) and the executor (queue, runner, handlers,
// node, HTTP), with the ledger between them. It decides nothing: what a part
// does is in its package, what an operator chose is in config.
//
// Map:
//
//	daemon.go     Daemon: New opens and wires everything in order, Run runs it
//	parts.go      the construction of each part from its settings
//	oracle.go     the construction of what commands too use: endpoints, intake, auditor
//	pieces.go     the construction of pieces, buckets and the public port; their adapters
//	keeper.go     keepers: what finds calls that are due, prices and queues them
//	slots.go      the list of open slots on the public port; its adapters
//	deals.go      the construction of what makes deals; its adapters
//	adapters.go   what one side calls of the other, fitted to its own interface
//	lead.go       what one daemon of several on a ledger does at a time; what they know of each other
//	trace.go      a trace of each request, for OpenTelemetry
//	status.go     what /status and /readyz say
//	reads.go      reads of contracts' state at whichever endpoint answers
//	senders.go    which key sends next
//	preflight.go  the checks that need the chain, before anything is acted on
//	tar.go        directories uploaded as a tar stream
//	clock.go      the time that contracts compare with
//	tls.go        certificates for an external NSQ
//	lock.go       one daemon for a data directory, and what it is called
//	log.go        the logger
//
// Invariants: New opens what can fail for local reasons and leaves nothing open
// when it fails; nothing reads or writes the chain before preflight has passed;
// every goroutine belongs to Run's group; what only a leader may write is written
// under its lease.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/executor/bucket"
	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/ipfs"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/market/deals"
	"github.com/tidegate/tidegate/executor/queue"
	"github.com/tidegate/tidegate/executor/runner"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/audit"
	"github.com/tidegate/tidegate/oracle/peers"
	"github.com/tidegate/tidegate/oracle/report"
	"github.com/tidegate/tidegate/oracle/signer"
	"github.com/tidegate/tidegate/oracle/txmgr"
	"github.com/tidegate/tidegate/oracle/watch"
)

// Deps are what a Daemon is given. The keys are opened from the configuration
// where they are nil.
type Deps struct {
	Log          *slog.Logger
	SenderKeys   []signer.TxSigner
	ReportSigner signer.ReportSigner
}

// Daemon is an operator's running Tidegate.
type Daemon struct {
	cfg     config.Config
	log     *slog.Logger
	metrics *prometheus.Registry
	deps    Deps

	lock      *lock
	owner     string // this process in leases
	ledger    *store.Store
	node      *ipfs.Node // nil: neither does work nor serves the API
	queue     *queue.Queue
	runner    *runner.Runner   // nil: does no work
	watcher   *watch.Watcher   // nil: does not watch
	auditor   *audit.Auditor   // as watcher
	watching  *term            // as watcher
	report    *report.Reporter // nil: does not send
	reporting *term            // as report
	senders   []*txmgr.Sender  // one a key
	turns     turns            // of the keys
	operators *peers.Server    // nil: no port for other operators
	api       *httpapi.Server
	shelf     *bucket.Shelf   // nil: makes no pieces
	deals     *deals.Maker    // nil: none are made
	dealing   *term           // as deals
	public    *httpapi.Public // nil: no public port
	keeper    *market.Keeper  // nil: nothing is kept
	keeping   *term           // as keeper
	clock     chainClock
	tracing   *tracing // nil: nobody collects traces
	closers   []func() // of RPC connections

	endpoints *watch.Pool

	ready atomic.Bool // preflight has passed
}

// New opens the data directory and wires the parts; nothing runs yet. The
// configuration must have passed Check.
func New(ctx context.Context, cfg config.Config, deps Deps) (*Daemon, error) {
	d := &Daemon{cfg: cfg, log: deps.Log, deps: deps, metrics: prometheus.NewRegistry()}
	d.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"data directory", d.openDir},
		{"keys", d.openKeys},
		{"ledger", d.openLedger},
		{"trace", d.openTrace},
		{"http", d.openHTTP},
		{"node", d.openNode},
		{"pieces", d.openPieces},
		{"public port", d.openPublic},
		{"queue", d.openQueue},
		{"sender", d.openSender},
		{"report", d.openReport},
		{"runner", d.openRunner},
		{"watcher", d.openWatcher},
		{"deals", d.openDeals},
	} {
		if err := step.do(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", step.name, err), d.Close())
		}
	}
	return d, nil
}

// Run works until ctx ends, then stops gracefully: running work gets the grace
// period, unless hasten ends it earlier. A part that fails ends all.
func (d *Daemon) Run(ctx, hasten context.Context) error {
	d.log.Info("starting", "chain", d.cfg.Chain.ID, "provider", d.cfg.Chain.Provider, "dataDir", d.cfg.DataDir,
		"roles", d.cfg.Roles, "owner", d.owner, "node", d.nodeID(), "api", d.api.Addr())
	group, ctx := errgroup.WithContext(ctx)
	run := func(name string, f func(context.Context) error) {
		group.Go(func() error {
			if err := f(ctx); err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	run("http", d.api.Run)
	run("queue", d.queue.Run)
	if d.shelf != nil {
		run("pieces", d.shelf.Run)
	}
	if d.shared() {
		run("other daemons", d.follow)
	}
	if d.public != nil {
		d.log.Info("pieces are offered to strangers", "public", d.public.Addr())
		run("public port", d.public.Run)
	}
	run("chain", func(ctx context.Context) error {
		if err := preflight(ctx, d.cfg, d.log, d.checkOperator); err != nil {
			return err
		}
		d.ready.Store(true)
		d.log.Info("ready")
		if d.watcher != nil {
			run("endpoints", d.endpoints.Run)
			run("watch", func(ctx context.Context) error { return d.lead(ctx, d.watching, d.watch) })
		}
		if d.report != nil {
			run("report", func(ctx context.Context) error { return d.lead(ctx, d.reporting, d.report.Run) })
		}
		if d.operators != nil {
			d.log.Info("other operators may call", "operators", d.operators.Addr())
			run("operators' port", d.operators.Run)
		}
		for _, s := range d.senders {
			run("sender "+s.Status().Address.Hex(), s.Run)
		}
		if d.keeper != nil {
			d.log.Info("contracts are kept", "storage", d.cfg.Chain.Storage, "pinning", d.cfg.Chain.Pinning, "daos", d.cfg.Keeper.DAOs, "factory", d.cfg.Keeper.Factory)
			run("keeper", func(ctx context.Context) error { return d.lead(ctx, d.keeping, d.keeper.Run) })
		}
		if d.deals != nil {
			run("deals", func(ctx context.Context) error { return d.lead(ctx, d.dealing, d.deals.Run) })
		}
		if d.runner != nil {
			run("runner", func(ctx context.Context) error { return d.runWork(ctx, hasten) })
		}
		return nil
	})
	err := group.Wait()
	// The others need not wait for the leases to end.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if _, freeing := d.ledger.FreeLeases(end, d.owner); freeing != nil {
		d.log.Warn("the leases could not be given back; they end by themselves", "error", freeing)
	}
	d.log.Info("stopped")
	return err
}

// watch is what the daemon that leads the watch does.
func (d *Daemon) watch(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.watcher.Run(ctx) })
	group.Go(func() error {
		if err := d.auditor.Run(ctx); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		return nil
	})
	return group.Wait()
}

// shared reports whether other daemons may use the ledger.
func (d *Daemon) shared() bool { return d.cfg.Ledger.URL != "" }

func (d *Daemon) nodeID() string {
	if d.node == nil {
		return ""
	}
	return d.node.ID().String()
}

// runWork runs the runner; hasten cuts its grace period.
func (d *Daemon) runWork(ctx, hasten context.Context) error {
	stop := context.AfterFunc(hasten, d.runner.Hasten)
	defer stop()
	return d.runner.Run(ctx)
}

// Close gives back everything that New opened, in reverse order. It is called
// by a failed New, and must be called after Run.
func (d *Daemon) Close() error {
	var errs []error
	for _, f := range d.closers {
		f()
	}
	if d.tracing != nil {
		errs = append(errs, d.tracing.close())
	}
	if d.api != nil {
		errs = append(errs, d.api.Close())
	}
	if d.public != nil {
		errs = append(errs, d.public.Close())
	}
	if d.operators != nil {
		errs = append(errs, d.operators.Close())
	}
	if d.node != nil {
		errs = append(errs, d.node.Close())
	}
	if d.ledger != nil {
		errs = append(errs, d.ledger.Close())
	}
	if d.lock != nil {
		errs = append(errs, d.lock.Close())
	}
	return errors.Join(errs...)
}

// Node is the embedded IPFS node, nil in a daemon that needs none.
func (d *Daemon) Node() *ipfs.Node { return d.node }

// Ledger is the daemon's ledger, for reading.
func (d *Daemon) Ledger() *store.Store { return d.ledger }

// Ready reports whether the chain was found to be the right one.
func (d *Daemon) Ready() bool { return d.ready.Load() }

// API is where the local API listens.
func (d *Daemon) API() string { return d.api.Addr() }

// Public is where strangers read, "" where they do not.
func (d *Daemon) Public() string {
	if d.public == nil {
		return ""
	}
	return d.public.Addr()
}

// Admin is where the admin port listens.
func (d *Daemon) Admin() string { return d.api.AdminAddr() }
