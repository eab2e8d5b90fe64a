package sim

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"modernc.org/sqlite"

	"github.com/tidegate/tidegate/executor/handler/pin"
	"github.com/tidegate/tidegate/executor/handler/release"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/runner"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/intake"
	"github.com/tidegate/tidegate/oracle/report"
	"github.com/tidegate/tidegate/oracle/signer"
	"github.com/tidegate/tidegate/oracle/txmgr"
	"github.com/tidegate/tidegate/oracle/watch"
)

// draws is one stream of the seed's numbers.
type draws struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (d *draws) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n <= 0 {
		return 0
	}
	return d.r.IntN(n)
}

// rates are how bad a world is; parts of a thousand where nothing else is said.
type rates struct {
	rpc, late, receipts, pool, commit, crash, reorg, null, ask int
	most                                                       int // logs of a range answer, 0 for no limit
	fetch                                                      int // most ms of one step of a pin
	jump                                                       int // clock jumps
	full                                                       int // epochs in which the disk is full begin
	deep                                                       int // a reorg below what is final, once
	wipe                                                       int // the queue loses all it has
}

// world is everything outside of Tidegate, and the incarnation that runs in it.
type world struct {
	t                            *testing.T
	seed                         uint64
	rates                        rates
	chain                        *theChain
	doors                        []*endpoint
	node                         *node
	tx                           signer.Signer
	report                       signer.Signer
	dir                          string
	calm                         atomic.Bool  // no faults any more
	skew                         atomic.Int64 // of the daemon's clock, ns
	full                         atomic.Bool  // the disk
	now                          *incarnation
	db                           *draws
	crash                        atomic.Int64 // the incarnation dies at this many commits; 0 lives
	crashes, reorgs, deep, steps int
	frozen                       int   // epochs since the daemon froze
	stale                        error // a write under a fence that was no longer the row's
	streams                      map[string]*draws
	turns                        *turns
	mu                           sync.Mutex
}

// stream gives the draws of one part of the world.
func (w *world) stream(name string) *draws {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.streams[name] == nil {
		h := fnv.New64a()
		_, _ = h.Write([]byte(name))
		w.streams[name] = &draws{r: rand.New(rand.NewPCG(w.seed, h.Sum64()))}
	}
	return w.streams[name]
}

// incarnation is one process of the daemon.
type incarnation struct {
	w      *world
	dead   atomic.Bool
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	ledger *store.Store
	queue  *bell
	watch  *watch.Watcher
	fatal  error
}

// alive reports whether the process that makes a call still lives.
func (w *world) alive(ctx context.Context) bool { return ctx.Err() == nil && !w.now.dead.Load() }

// commits is asked before each COMMIT of the ledger in use, by SQLite itself. It is
// how a commit fails, how a disk is full, and where a process dies.
var commits atomic.Pointer[func() bool]

func init() {
	sqlite.RegisterConnectionHook(func(c sqlite.ExecQuerierContext, _ string) error {
		if h, ok := c.(sqlite.HookRegisterer); ok {
			h.RegisterCommitHook(func() int32 {
				if f := commits.Load(); f != nil && !(*f)() {
					return 1
				}
				return 0
			})
		}
		return nil
	})
}

// commit decides about a COMMIT.
func (w *world) commit(in *incarnation) bool {
	if in.dead.Load() {
		return false
	}
	if w.calm.Load() {
		return true
	}
	if left := w.crash.Load(); left > 0 && w.crash.Add(-1) == 0 {
		in.dead.Store(true) // nothing reaches the disk any more
		in.cancel()
		return false
	}
	return !w.full.Load() && w.db.n(1000) >= w.rates.commit
}

func newWorld(t *testing.T, seed uint64, dir string) *world {
	w := &world{t: t, seed: seed, dir: dir, streams: map[string]*draws{}, turns: newTurns(seed)}
	d := w.stream("rates")
	pick := func(of ...int) int { return of[d.n(len(of))] }
	w.rates = rates{
		rpc: pick(0, 20, 80), late: pick(0, 100, 400), receipts: pick(0, 100), pool: pick(0, 30, 150), commit: pick(0, 5, 30),
		crash: pick(0, 10, 40), reorg: pick(0, 60, 150), null: pick(0, 100, 300), ask: pick(150, 300), most: pick(0, 0, 3), fetch: pick(500, 5000, 20000),
		jump: pick(0, 0, 10), full: pick(0, 0, 10), deep: pick(0, 0, 60),
	}
	w.rates.wipe = []int{0, 50, 200}[w.stream("wipes").n(3)]
	w.chain = newChain(time.Now())
	w.db = w.stream("db")
	w.node = &node{w: w, d: w.stream("node"), held: map[string]bool{}}
	for i := range 2 {
		name := fmt.Sprintf("http://endpoint-%d", i+1)
		w.doors = append(w.doors, &endpoint{w: w, name: name, d: w.stream(name)})
	}
	var err, err2 error
	w.tx, err = signer.FromHex(fmt.Sprintf("%064x", 0x1234567))
	w.report, err2 = signer.FromHex(fmt.Sprintf("%064x", 0x1234568))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return w
}

// jitter draws a part of d.
func (w *world) jitter(d time.Duration) time.Duration {
	return time.Duration(w.stream("jitter").n(int(d)))
}

func (w *world) clock() time.Time { return time.Now().Add(time.Duration(w.skew.Load())) }

// meta is the ledger as txmgr reads single values.
type meta struct{ *store.Store }

func (m meta) GetMeta(ctx context.Context, key string) (string, bool, error) {
	v, err := m.Store.GetMeta(ctx, key)
	if errors.Is(err, job.ErrNotFound) {
		return "", false, nil
	}
	return v, err == nil, err
}

func (w *world) path() string { return filepath.Join(w.dir, "ledger.db") }

// live starts a process on the ledger that the one before left.
func (w *world) live() error {
	ctx, cancel := context.WithCancel(context.Background())
	in := &incarnation{w: w, ctx: ctx, cancel: cancel}
	commits.Store(nil)
	ledger, err := store.Open(ctx, store.Config{Path: w.path(), NodeID: "node", Now: w.clock, Before: w.turns.statement})
	if err != nil {
		cancel()
		return err
	}
	in.ledger = ledger
	if _, err := ledger.FreeLeases(ctx, ""); err != nil {
		cancel()
		return errors.Join(err, ledger.Close())
	}
	decide := func() bool { return w.commit(in) }
	commits.Store(&decide)
	w.now = in
	return in.wire()
}

// wire makes the parts as the daemon does, and runs them.
func (in *incarnation) wire() error {
	w := in.w
	queue := newBell(in.ctx, w)
	in.queue = queue
	var reporter *report.Reporter
	var named []watch.Named
	var doors []txmgr.Endpoint
	for _, e := range w.doors {
		named, doors = append(named, e), append(doors, sending{e})
	}
	sender, err := txmgr.New(txmgr.Config{
		ChainID: chainID, Owner: "daemon", Poll: 3*time.Second + 171*time.Millisecond, ReplaceAfter: 50 * time.Second, MaxInFlight: 1 + w.stream("flight").n(4),
	}, txmgr.Deps{
		Ledger: meta{in.ledger}, Signer: w.tx, Endpoints: doors, Changed: func() { reporter.Wake() }, Now: w.clock,
	})
	if err != nil {
		return fmt.Errorf("txmgr: %w", err)
	}
	reporter, err = report.New(report.Config{
		ChainID: chainID, Provider: provider, BatchWindow: 5 * time.Second, MaxBatch: 4, Poll: 4*time.Second + 313*time.Millisecond,
	}, report.Deps{Ledger: in.ledger, Chain: w.doors[0], Signer: w.report, Sender: w.tx.Address, Queued: sender.Wake, Now: w.clock})
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	pool, err := watch.NewPool(watch.PoolConfig{ChainID: chainID, BackoffMin: time.Second, BackoffMax: 10 * time.Second, Timeout: 10 * time.Second, Jitter: w.jitter}, named...)
	if err != nil {
		return err
	}
	sink, err := intake.New(intake.Config{ChainID: chainID, Providers: []common.Address{provider}, UndoDelay: 20 * time.Second},
		intake.Deps{Ledger: in.ledger, Notifier: queue, Answers: reporter.Wake, Now: w.clock})
	if err != nil {
		return err
	}
	in.watch, err = watch.New(watch.Config{
		Filter: "provider", Addresses: []common.Address{provider}, ChainID: chainID, SoftDepth: 1, PollInterval: 2*time.Second + 57*time.Millisecond,
		MaxRange: 20, BackoffMax: 20 * time.Second,
	}, watch.Deps{RPC: pool, Ledger: in.ledger, Sink: sink, Ahead: sink.Ahead, Now: w.clock, Jitter: w.jitter})
	if err != nil {
		return err
	}
	work, err := in.runner(queue, reporter)
	if err != nil {
		return err
	}
	for _, run := range []func(context.Context) error{sender.Run, reporter.Run, work.Run} {
		in.wg.Go(func() { _ = run(in.ctx) })
		w.turns.wait("start") // one after the other, always
	}
	in.wg.Go(func() {
		if err := in.watch.Run(in.ctx); err != nil && in.ctx.Err() == nil {
			in.fatal = err
		}
	})
	return nil
}

func (in *incarnation) runner(queue *bell, reporter *report.Reporter) (*runner.Runner, error) {
	w := in.w
	pins, err := pin.New(pin.Config{NodeID: "node"}, pin.Deps{Node: w.node, Now: w.clock})
	if err != nil {
		return nil, err
	}
	releases, err := release.New(release.Deps{Node: releaser{w.node}})
	if err != nil {
		return nil, err
	}
	random := w.stream("runner")
	return runner.New(runner.Config{
		Owner: "daemon", NodeID: "node", Grace: time.Second, BackoffBase: 2 * time.Second,
		Lanes: []runner.Lane{
			{Kind: job.KindPin, Handler: pins, Concurrency: 3, MaxAttempts: 1000, MaxErrors: 1000},
			{Kind: job.KindRelease, Handler: releases, Concurrency: 2, MaxAttempts: 1000, MaxErrors: 1000},
		},
	}, runner.Deps{Ledger: guarded{in.ledger, w}, Waker: queue, OnFinish: func(c job.Committed) {
		if c.Answer {
			reporter.Wake()
		}
		for _, k := range c.Ready {
			queue.Notify(k)
		}
	}, Now: w.clock, Log: slog.New(slog.DiscardHandler), Rand: func() float64 {
		w.turns.wait("backoff")
		return float64(random.n(1000)) / 1000
	}})
}

// die ends the process, however it stands; what was committed stays.
func (w *world) die() {
	in := w.now
	in.dead.Store(true)
	in.cancel()
	in.wg.Wait()
	if err := in.ledger.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) {
		w.t.Logf("closing the ledger of a dead process: %v", err)
	}
}

// epochs lets the world live so many epochs.
func (w *world) epochs(n int) error {
	d := w.stream("world")
	for range n {
		w.steps++
		sleep(context.Background(), epoch+time.Duration(d.n(977))*time.Microsecond)
		w.turns.wait("world")
		w.turn(d)
		if w.now.dead.Load() {
			w.crashes++
			w.die()
			sleep(context.Background(), time.Duration(d.n([]int{2000, 20000, 300000}[d.n(3)]))*time.Millisecond)
			w.turns.wait("world")
			if err := w.live(); err != nil {
				return err
			}
		}
		if err := w.decide(); err != nil {
			return err
		}
		if err := w.now.fatal; err != nil {
			return fmt.Errorf("watching ended: %w", err)
		}
	}
	return nil
}

// decide is the operator, who accepts a deep reorg after having slept on it.
func (w *world) decide() error {
	if w.now.watch.Status().Frozen == "" {
		w.frozen = 0
		return nil
	}
	if w.frozen++; w.frozen < 4 {
		return nil
	}
	ctx := context.Background()
	ancestor, err := watch.CommonAncestor(ctx, &endpoint{w: w, name: "the operator's", d: w.stream("fair"), fair: true}, w.now.ledger)
	if err != nil {
		return fmt.Errorf("looking for the common ancestor: %w", err)
	}
	if _, err := w.now.ledger.AcceptReorg(ctx, ancestor, w.clock().Add(20*time.Second), w.clock()); err != nil && w.calm.Load() {
		return err // otherwise the ledger's faults: tried again
	}
	return nil
}

// turn is what one epoch brings.
func (w *world) turn(d *draws) {
	c := w.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.calm.Load() {
		asks := c.gone
		c.gone = nil
		c.mine(asks)
		return
	}
	for _, e := range w.doors {
		if d.n(10) == 0 {
			e.lag = d.n(4)
		}
	}
	if d.n(1000) < w.rates.crash {
		w.crash.Store(int64(1 + d.n(12)))
	}
	if d.n(1000) < w.rates.jump {
		w.skew.Store(int64(time.Duration(d.n(19)-9) * time.Second)) // a jump longer than what is left of a lease lets a job run twice at once
	}
	if q := w.stream("wipe"); q.n(1000) < w.rates.wipe {
		w.now.queue.wipe()
	}
	w.full.Store(d.n(1000) < w.rates.full*20 && w.full.Load() || d.n(1000) < w.rates.full)
	if d.n(1000) < w.rates.null {
		c.next++
	}
	if d.n(1000) < w.rates.reorg {
		n := 0
		for i := len(c.blocks) - 1; i > 0 && c.blocks[i].Height > c.final; i-- {
			n++
		}
		if below := len(c.blocks) - n; d.n(1000) < w.rates.deep*10 && w.deep == 0 && below > 8 {
			w.deep++
			n += 1 + d.n(4)
			c.final = c.blocks[len(c.blocks)-n-1].Height
		} else if n > 0 {
			n = 1 + d.n(n)
		}
		if n > 0 {
			w.reorgs++
			c.reorg(n, func() bool { return d.n(4) == 0 })
			for range n + d.n(2) {
				if d.n(3) == 0 {
					c.next++
				}
				c.mine(w.due(d))
			}
		}
	}
	if d.n(20) == 0 { // a pool forgets
		for _, nonce := range slices.Sorted(maps.Keys(c.pool)) {
			if d.n(2) == 0 {
				delete(c.pool, nonce)
			}
		}
	}
	if d.n(1000) < w.rates.ask {
		for range 1 + d.n(3) {
			c.asked++
			c.gone = append(c.gone, c.asked)
		}
	}
	c.mine(w.due(d))
}

// due gives wallets' transactions that are in the next block, in any order.
func (w *world) due(d *draws) []uint64 {
	c := w.chain
	var now, later []uint64
	for _, a := range c.gone {
		if d.n(4) > 0 {
			now = append(now, a)
		} else {
			later = append(later, a)
		}
	}
	c.gone = later
	for i := len(now) - 1; i > 0; i-- {
		j := d.n(i + 1)
		now[i], now[j] = now[j], now[i]
	}
	return now
}

// run is a seed from start to verdict.
func run(t *testing.T, seed uint64, epochs int, told io.Writer) (w *world, verdict error) {
	dir := ramDir(t)
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(t, seed, dir)
		w.turns.told = told
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go w.turns.run(ctx)
		if verdict = w.live(); verdict != nil {
			w.die()
			commits.Store(nil)
			return
		}
		verdict = w.epochs(epochs)
		if verdict == nil {
			w.calm.Store(true)
			w.skew.Store(0)
			for range 60 { // until all is settled, or it never will be
				if verdict = w.epochs(5); verdict != nil || w.settled() == nil {
					break
				}
			}
		}
		if verdict == nil {
			verdict = w.check()
		}
		w.die()
		commits.Store(nil)
	})
	return w, verdict
}
