// Package watch follows the logs of some contracts over one chain endpoint and
// hands what it finds, step by step, to a Sink: new blocks and logs, rollbacks,
// and how far the chain is final. It knows no contract and no job, keeps no
// state that a restart would miss (the ledger's cursor and blocks are its
// memory), and never depends on a push from the endpoint.
//
// At or below the final block it reads ranges; above it, block by block, each
// linked to the one before by parent hash, with the logs asked for by that
// block's hash. When finality passes over blocks that were read near the head,
// their logs are read a second time and compared before they count as final:
// an endpoint that answered too early is put right, not believed. The newest of
// them are read again with each head, so that work which may start early does.
//
// Map:
//
//	watch.go   Config, Deps, interfaces, Run: waiting, backing off, reporting
//	step.go    Step: one look at the chain and what to do about it
//	ranges.go  range reads at or below finality, halving, checks of answers
//	tail.go    block by block above finality, and the second read
//	again.go   logs that come late, found before they are final
//	nulls.go   over null rounds, however many
//	identity.go what tells logs apart
//	contracts.go contracts added at run time, and their pasts
//	reorg.go   the common ancestor, and rollbacks that would undo what was final
//	bind.go    the ledger belongs to one chain
//	status.go  Status and metrics
//	rpc.go     Client over JSON-RPC; decode.go: its strict decoding; logs.go: long lists of logs; fault.go: errors
//	dialects.go what clients and hosted endpoints say when they refuse
//	pool.go    Client over several endpoints; member.go: one of them; agree.go: reads that decide money;
//	everywhere.go: what any of them shows
//
// Invariants: an update is emitted only for heights next to those the ledger
// has; every block above the final one links to a block in the ledger; nothing
// at or below the ledger's final block is ever rolled back; an endpoint that
// lags, lies or fails moves nothing.
package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate/tidegate/oracle/chain"
)

// Config says what to watch and how.
type Config struct {
	Filter    string           // name of the cursor in the ledger
	Addresses []common.Address // contracts whose logs are wanted
	Start     uint64           // height of the first deployment; nothing before it is read for logs
	ChainID   uint64           // what the endpoint must serve

	SoftDepth     uint64 // blocks behind the head at which reversible work may start: 5 on Filecoin, 1 on a devnet
	FinalityDepth uint64 // stands in where the endpoint does not know the finalized tag; 0 trusts the tag only

	PollInterval time.Duration // default 1 s, less where blocks come faster
	Timeout      time.Duration // of one call; default 20 s
	MaxRange     uint64        // most heights of one range read; default 2880
	MinRange     uint64        // fewest; default 1
	TailBatch    int           // most blocks of one step above finality; default 32
	BackoffMin   time.Duration // first wait after a failure; default 500 ms
	BackoffMax   time.Duration // longest wait after failures; default 30 s

	until uint64 // a reader of an added contract's past ends here; 0 follows the head
}

// Deps is what a Watcher works with. Ahead, Registry and Metrics may be nil; Now and
// Logger have defaults.
type Deps struct {
	RPC      Client
	Ledger   Ledger
	Sink     Sink
	Ahead    func(logs []chain.Log) // told of logs that an Update may bring soon, by another goroutine than Sink; nil for nobody
	Registry Registry               // contracts added at run time
	Logger   *slog.Logger
	Now      func() time.Time
	Jitter   func(time.Duration) time.Duration // in [0, d); nil for random
	Metrics  prometheus.Registerer
}

// Client reads one chain endpoint. Its errors are *Fault.
type Client interface {
	ChainID(ctx context.Context) (uint64, error)
	HeaderByTag(ctx context.Context, tag string) (Header, error)
	HeaderByNumber(ctx context.Context, height uint64) (Header, error)
	HeaderByHash(ctx context.Context, hash common.Hash) (Header, error)
	LogsByRange(ctx context.Context, from, to uint64, addrs []common.Address) ([]chain.Log, error)
	LogsByBlock(ctx context.Context, block common.Hash, addrs []common.Address) ([]chain.Log, error)
}

// Judge is a Client that can do something about an answer that was found untrue
// after it was given, and about a block that must be believed: ask others. Doubt
// puts off the endpoint that gave the last answer; Agree fails where too few
// endpoints have the block.
type Judge interface {
	Doubt(err error)
	Agree(ctx context.Context, b chain.Block) error
}

// Ledger is what the Watcher remembers. SetMetaOnce refuses to change a value
// with job.ErrConflict.
type Ledger interface {
	Cursor(ctx context.Context, filter string) (chain.Cursor, bool, error)
	BlocksFrom(ctx context.Context, height uint64, limit int) ([]chain.Block, error)
	Logs(ctx context.Context, f chain.LogFilter) ([]chain.StoredLog, error)
	// Freeze stops the money lane; job.ErrConflict when final is not the cursor's any more.
	Freeze(ctx context.Context, filter string, final chain.Block, why string) error
	SetMetaOnce(ctx context.Context, key, value string) error
}

// Sink takes an update whole, durably, or not at all. When it has, the ledger's
// cursor has moved: to Update.To (or Ancestor, when a rollback covers no
// heights), Final, Soft and Head.
type Sink interface {
	Apply(ctx context.Context, u chain.Update) error
}

// Watcher follows one filter. Step and Run must not be called concurrently;
// Status may be at any time.
type Watcher struct {
	cfg    Config
	rpc    Client
	ledger Ledger
	sink   Sink
	told   func(logs []chain.Log) // Deps.Ahead
	log    *slog.Logger
	logger *slog.Logger // without our attributes
	now    func() time.Time
	jitter func(time.Duration) time.Duration
	m      *metrics
	wanted map[common.Address]bool

	registry Registry
	looked   time.Time // when the registry was last looked at
	end      *Header   // of a reader of the past
	far      *sight    // the last look, while far behind it
	farAt    time.Time
	ahead    chan chunk // being read while the one before is stored

	shaken    atomic.Bool  // a call failed on its way since the last step began
	connected bool         // chain id and binding checked since the last transport failure
	anchored  bool         // the block at Start is bound
	size      uint64       // heights of the next range read
	deep      int          // successive sights of a rollback below the final block
	judged    chain.Cursor // what the step goes by
	last      mark         // of the last accepted update
	late      late         // blocks that are read again before they are final
	spacing   time.Duration
	seen      chain.Block // last head, for spacing
	cond      string      // condition last logged

	mu      sync.Mutex
	status  Status
	moves   finality
	pasts   []*Watcher
	started func(*Watcher) // runs a reader of the past; set by Run
}

// New checks the configuration and fills its defaults.
func New(cfg Config, d Deps) (*Watcher, error) {
	switch {
	case cfg.Filter == "":
		return nil, errors.New("watch: Filter is empty")
	case len(cfg.Addresses) == 0:
		return nil, errors.New("watch: no addresses to watch")
	case cfg.ChainID == 0:
		return nil, errors.New("watch: ChainID is zero")
	case d.RPC == nil || d.Ledger == nil || d.Sink == nil:
		return nil, errors.New("watch: RPC, Ledger and Sink are needed")
	}
	defaults(&cfg)
	if cfg.MinRange > cfg.MaxRange {
		return nil, fmt.Errorf("watch: MinRange %d is above MaxRange %d", cfg.MinRange, cfg.MaxRange)
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Jitter == nil {
		d.Jitter = func(d time.Duration) time.Duration { return rand.N(d) }
	}
	w := &Watcher{
		cfg: cfg, rpc: d.RPC, ledger: d.Ledger, sink: d.Sink, told: d.Ahead, now: d.Now, jitter: d.Jitter, size: cfg.MaxRange,
		log: d.Logger.With("filter", cfg.Filter), logger: d.Logger, wanted: map[common.Address]bool{}, cond: "ok",
		registry: d.Registry,
	}
	for _, a := range cfg.Addresses {
		w.wanted[a] = true
	}
	w.status.Filter = cfg.Filter
	var err error
	if w.m, err = newMetrics(d.Metrics, cfg.Filter); err != nil {
		return nil, fmt.Errorf("watch: registering metrics: %w", err)
	}
	return w, nil
}

func defaults(cfg *Config) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 20 * time.Second
	}
	if cfg.MaxRange == 0 {
		cfg.MaxRange = 2880
	}
	if cfg.MinRange == 0 {
		cfg.MinRange = 1
	}
	if cfg.TailBatch <= 0 {
		cfg.TailBatch = 32
	}
	if cfg.BackoffMin <= 0 {
		cfg.BackoffMin = 500 * time.Millisecond
	}
	if cfg.BackoffMax < cfg.BackoffMin {
		cfg.BackoffMax = max(30*time.Second, cfg.BackoffMin)
	}
}

// Run follows the chain until ctx ends, and then returns nil. It outlives every
// failure of the endpoint, the ledger and the sink, waiting longer after each;
// it returns only ErrWrongChain and ErrOtherChain.
func (w *Watcher) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var pasts sync.WaitGroup
	defer pasts.Wait()
	defer w.forget()
	defer cancel()
	w.mu.Lock()
	w.started = func(past *Watcher) {
		pasts.Go(func() { _ = past.Run(ctx) }) // what is fatal to it is so to us
	}
	for _, past := range w.pasts {
		w.started(past)
	}
	w.mu.Unlock()
	return w.follows(ctx)
}

func (w *Watcher) follows(ctx context.Context) error {
	failures := 0
	for ctx.Err() == nil {
		progress, err := w.Step(ctx)
		if ctx.Err() != nil || errors.Is(err, errPast) {
			return nil
		}
		if fatal(err) {
			return err
		}
		var pause time.Duration
		switch {
		case err != nil:
			failures++
			pause = w.backoff(failures, err)
		case progress:
			failures = 0
		default:
			failures = 0
			pause = w.poll()
		}
		w.report(err, pause)
		if pause > 0 && !sleep(ctx, pause) {
			return nil
		}
	}
	return nil
}

// report logs a change of condition, once.
func (w *Watcher) report(err error, pause time.Duration) {
	c := condition(err)
	if err == nil && w.Status().Lagging {
		c = "lagging"
	}
	if c == w.cond {
		return
	}
	was := w.cond
	w.cond = c
	switch c {
	case "ok":
		w.log.Info("following the chain again", "was", was)
	case "lagging":
		s := w.Status()
		w.log.Warn("the endpoint is behind what it showed before; waiting for it", "head", s.EndpointHead, "cursor", s.Cursor)
	case "deep_reorg":
		w.log.Error("the chain below the final block has changed: answers and payments are frozen until a person decides; "+
			"compare the endpoint with another one, then unfreeze", "error", err)
	case "no_finality":
		w.log.Error("finality is unknown: use another endpoint, or set the finality depth", "error", err)
	default:
		w.log.Warn("cannot follow the chain, trying again", "condition", c, "pause", pause.Round(time.Millisecond), "error", err)
	}
}

// backoff doubles with each failure in a row, with jitter, and never waits less
// than the endpoint asked for.
func (w *Watcher) backoff(failures int, err error) time.Duration {
	d := w.cfg.BackoffMax
	if shift := failures - 1; shift < 16 {
		d = min(d, w.cfg.BackoffMin<<shift)
	}
	d = d*3/4 + w.jitter(d/2+1)
	var f *Fault
	if errors.As(err, &f) && f.After > d {
		d = f.After
	}
	return d
}

// poll is how long to wait when nothing was new.
func (w *Watcher) poll() time.Duration {
	if w.cfg.PollInterval > 0 {
		return w.cfg.PollInterval
	}
	const most, least = time.Second, 100 * time.Millisecond
	if w.spacing == 0 {
		return most
	}
	return min(most, max(least, w.spacing/2))
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
