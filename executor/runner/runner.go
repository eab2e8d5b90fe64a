// Package runner runs the ledger's due jobs: it claims rows one by one under a
// lease and a fence, hands each to the handler of its kind, and writes exactly
// one end of each attempt back (done, retrying, snoozed, available or dead).
//
// It is not a queue (executor/queue wakes it), not a ledger (internal/store
// orders the rows and schedules compensations) and knows nothing of chains:
// what becomes of an answer is oracle/report's.
//
// Map:
//
//	runner.go   Config, Deps, the interfaces, New, Run, Status
//	lane.go     one lane: claiming while slots are free, the sweep
//	attempt.go  one attempt: lease, heartbeat, timeout, panic, the final write
//	decide.go   what the end of an attempt means, as a pure function
//	metrics.go  counters, durations and the rows by kind and state
//
// Invariants: a row is written only under the fence of its claim, and a refused
// fence voids the attempt; an attempt ends in at most one final write; a failing
// or hanging item gives its slot back; nothing is claimed after the stop began.
package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate/tidegate/executor/job"
)

// Handler does one kind of work. It returns a Result; a *job.Snooze, *job.Fault;
// or any other error, which is tried again. It must return soon after ctx ends,
// and be idempotent: an attempt may be repeated after any step. report may be
// called at any time and any rate, also concurrently.
type Handler interface {
	Handle(ctx context.Context, j job.Job, report func(job.Progress)) (job.Result, error)
}

// Abandoner is a Handler that drops what it holds of a job before that job is
// answered as failed. An error means the answer has to wait.
type Abandoner interface {
	Abandon(ctx context.Context, j job.Job) error
}

// Leases is the ledger's side of claiming.
type Leases interface {
	Claim(ctx context.Context, r job.ClaimRequest) (job.Job, bool, error)
	Heartbeat(ctx context.Context, id, fence int64, lease time.Duration, now time.Time, p job.Progress) error
	DueKinds(ctx context.Context, now time.Time) ([]job.Kind, error)
}

// Endings are the ledger's final writes of an attempt.
type Endings interface {
	FinishJob(ctx context.Context, id, fence int64, r job.Result, now time.Time) (job.Committed, error)
	RetryJob(ctx context.Context, id, fence int64, runAt time.Time, lastErr string, p job.Progress) error
	SnoozeJob(ctx context.Context, id, fence int64, runAt time.Time, why string) error
	ReleaseJob(ctx context.Context, id, fence int64) error
	KillJob(ctx context.Context, id, fence int64, lastErr string) error
}

// Ledger is what the runner needs of the ledger.
type Ledger interface {
	Leases
	Endings
}

// Waker tells that a lane may have work; nil channels are fine.
type Waker interface {
	Wakes(kind job.Kind) <-chan struct{}
}

// Counter counts the ledger's rows for the metrics.
type Counter interface {
	JobCounts(ctx context.Context) (map[job.Kind]map[job.State]int64, error)
}

// Lane is one kind of work. Zero fields take the defaults given.
type Lane struct {
	Kind        job.Kind
	Handler     Handler
	Concurrency int           // attempts at a time; 4
	Timeout     time.Duration // of one attempt; zero for none but the job's deadline
	// MaxAttempts bounds attempts that end in a *job.Fault with Retry: after
	// them, and not before the job's NotBefore, the job fails; 5.
	MaxAttempts int
	// MaxErrors bounds attempts that end in any other error: after them the job
	// is dead; 12.
	MaxErrors int
}

// Config tunes the runner. Zero fields take the defaults given.
type Config struct {
	Owner  string // names this daemon in leases; needed
	NodeID string // the content node whose jobs are claimed
	Lanes  []Lane

	Lease     time.Duration // 30 s
	Heartbeat time.Duration // 10 s
	// ProgressEvery is the least time between two writes of changed progress; 1 s.
	ProgressEvery time.Duration
	Sweep         time.Duration // 2 s
	// Backoff of retries: BackoffBase doubled by each attempt up to BackoffMax,
	// of which a random half is taken off; 1 s and 5 min.
	BackoffBase, BackoffMax time.Duration
	// DeadlineMargin before a job's deadline is when its last chance is over:
	// an answer needs that long to reach the chain; 1 min.
	DeadlineMargin time.Duration
	Grace          time.Duration // how long a stop waits for running work; 10 s
	// Linger is how long a handler may go on after its context ended before its
	// slot is taken from it; 10 s.
	Linger time.Duration
}

// Deps are what a Runner uses.
type Deps struct {
	Ledger Ledger
	Waker  Waker // nil: the sweep alone
	// OnFinish is told what a finished job changed in the ledger, to wake
	// reporting and lanes; it must not block. May be nil.
	OnFinish func(job.Committed)
	Counter  Counter // nil: rows are not counted
	// Span is told of each attempt, and of each job that has its outcome; it must not
	// block. May be nil.
	Span    func(job.Span)
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil: none
	Now     func() time.Time      // nil: time.Now
	// Ahead is how far before Now the clock is by which jobs have their Deadline and
	// NotBefore: that of contracts on a development chain. nil: it is the same.
	Ahead func() time.Duration
	Rand  func() float64 // in [0, 1); nil: math/rand
}

// Runner runs lanes. Run is called once.
type Runner struct {
	cfg     Config
	d       Deps
	metrics *metrics
	lanes   []*lane

	hasten     chan struct{}
	hastenOnce sync.Once
	stopping   atomic.Bool

	mu      sync.Mutex
	running map[int64]*attempt // by job id
	failing map[string]error   // what the ledger refuses at present, and why
}

// New checks the configuration and fills in defaults.
func New(cfg Config, d Deps) (*Runner, error) {
	if cfg.Owner == "" || d.Ledger == nil {
		return nil, errors.New("runner: an owner and a ledger are needed")
	}
	setDefaults(&cfg)
	if cfg.Heartbeat*2 > cfg.Lease {
		return nil, fmt.Errorf("runner: the heartbeat (%s) must be at most half of the lease (%s)", cfg.Heartbeat, cfg.Lease)
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Ahead == nil {
		d.Ahead = func() time.Duration { return 0 }
	}
	if d.Rand == nil {
		d.Rand = rand.Float64
	}
	r := &Runner{cfg: cfg, d: d, hasten: make(chan struct{}), running: make(map[int64]*attempt), failing: make(map[string]error)}
	seen := make(map[job.Kind]bool)
	for _, l := range cfg.Lanes {
		if l.Handler == nil || l.Kind == "" || seen[l.Kind] {
			return nil, fmt.Errorf("runner: lane %q is double, unnamed or has no handler", l.Kind)
		}
		seen[l.Kind] = true
		r.lanes = append(r.lanes, newLane(r, l))
	}
	var err error
	if r.metrics, err = newMetrics(d.Metrics, d.Counter, d.Log); err != nil {
		return nil, fmt.Errorf("runner: registering metrics: %w", err)
	}
	return r, nil
}

func setDefaults(c *Config) {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.Lease, 30*time.Second)
	def(&c.Heartbeat, c.Lease/3)
	def(&c.ProgressEvery, time.Second)
	def(&c.Sweep, 2*time.Second)
	def(&c.BackoffBase, time.Second)
	def(&c.BackoffMax, 5*time.Minute)
	def(&c.DeadlineMargin, time.Minute)
	def(&c.Grace, 10*time.Second)
	def(&c.Linger, 10*time.Second)
	c.Lanes = append([]Lane(nil), c.Lanes...)
	for i := range c.Lanes {
		l := &c.Lanes[i]
		if l.Concurrency <= 0 {
			l.Concurrency = 4
		}
		if l.MaxAttempts <= 0 {
			l.MaxAttempts = 5
		}
		if l.MaxErrors <= 0 {
			l.MaxErrors = 12
		}
	}
}

// errStopping is the cause that ends handlers when a stop's grace is over.
var errStopping = errors.New("the daemon is stopping")

// Run claims and runs jobs until ctx ends, then stops gracefully: running
// handlers get Config.Grace (see Hasten), after that their contexts end and what
// they did not finish is released without spending an attempt. It returns nil.
func (r *Runner) Run(ctx context.Context) error {
	// Attempts outlive ctx by the grace.
	work, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	var loops, attempts sync.WaitGroup
	for _, l := range r.lanes {
		loops.Go(func() { l.run(ctx, work, &attempts) })
	}
	loops.Go(func() { r.sweep(ctx) })
	<-ctx.Done()
	r.stopping.Store(true)
	loops.Wait() // nothing is claimed from here on

	idle := make(chan struct{})
	go func() { attempts.Wait(); close(idle) }()
	grace := time.NewTimer(r.cfg.Grace)
	defer grace.Stop()
	select {
	case <-idle:
		return nil
	case <-grace.C:
	case <-r.hasten:
	}
	end(errStopping)
	<-idle // bounded by Linger and the time of the last writes
	return nil
}

// Hasten ends the grace of a stop, now or when one begins.
func (r *Runner) Hasten() { r.hastenOnce.Do(func() { close(r.hasten) }) }

// sweep looks for due lanes, for wake-ups that were lost and times that came.
func (r *Runner) sweep(ctx context.Context) {
	t := time.NewTicker(r.cfg.Sweep)
	defer t.Stop()
	for {
		kinds, err := r.d.Ledger.DueKinds(ctx, r.d.Now())
		if ctx.Err() != nil {
			return
		}
		r.ledgerState("looking for due work", err)
		for _, k := range kinds {
			for _, l := range r.lanes {
				if l.Kind == k {
					l.wake()
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// ledgerState logs when claiming begins to fail and when it works again.
func (r *Runner) ledgerState(doing string, err error) {
	r.mu.Lock()
	before := r.failing[doing]
	if err == nil {
		delete(r.failing, doing)
	} else {
		r.failing[doing] = err
	}
	r.mu.Unlock()
	switch {
	case err != nil && before == nil:
		r.d.Log.Warn("the ledger fails; no job is started until it answers", "doing", doing, "error", err)
	case err == nil && before != nil:
		r.d.Log.Info("the ledger answers again", "doing", doing)
	}
}

// Running is one attempt in progress.
type Running struct {
	Job      int64        `json:"job"`
	Kind     job.Kind     `json:"kind"`
	Request  string       `json:"request,omitempty"`
	Attempt  int          `json:"attempt"`
	Since    time.Time    `json:"since"`
	Progress job.Progress `json:"progress"`
}

// LaneStatus is how one lane is doing.
type LaneStatus struct {
	Kind        job.Kind `json:"kind"`
	Concurrency int      `json:"concurrency"`
	Running     int      `json:"running"`
}

// Status is how the runner is doing.
type Status struct {
	Stopping bool         `json:"stopping"`
	Error    string       `json:"error,omitempty"` // why nothing can be claimed
	Lanes    []LaneStatus `json:"lanes"`
	Running  []Running    `json:"running"` // oldest first
}

// Status reports the present state.
func (r *Runner) Status() Status {
	s := Status{Stopping: r.stopping.Load(), Lanes: []LaneStatus{}, Running: []Running{}}
	for _, l := range r.lanes {
		s.Lanes = append(s.Lanes, LaneStatus{Kind: l.Kind, Concurrency: l.Concurrency, Running: len(l.slots)})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for doing, err := range r.failing {
		s.Error = doing + ": " + err.Error()
	}
	for _, a := range r.running {
		s.Running = append(s.Running, Running{
			Job: a.job.ID, Kind: a.job.Kind, Request: a.job.Request, Attempt: a.job.Attempt,
			Since: a.began, Progress: a.progress(),
		})
	}
	sort.Slice(s.Running, func(i, k int) bool { return s.Running[i].Since.Before(s.Running[k].Since) })
	return s
}
