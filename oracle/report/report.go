// Package report carries answers of done jobs to the chain: it collects those
// whose request is final and open, agrees on them with the other operators, seals
// them into batches, collects k signatures, and hands each batch to the sender as
// one intent. It also judges and countersigns the batches of other operators.
//
// It does not do work or retry it (executor/runner), does not send or retry
// transactions (oracle/txmgr), and does not settle jobs: only the watcher does,
// when it sees the closing event final.
//
// Map:
//
//	report.go     Config, Deps, Reporter, the loop and its Status
//	ledger.go     what is needed of the ledger and of the chain
//	operators.go  who may sign: the configuration in force on chain
//	collect.go    pending answers → batches to be sealed
//	state.go      which requests are still open on chain
//	batch.go      sealed → signed → submitted → resolved
//	peers.go      whose turn it is; what the same k operators agree on; their signatures
//	judge.go      what this operator answers when another one leads
//	trouble.go    answers that wait, batches that are cut in two
//	digest.go     terms, EIP-712 digest, calldata
//	span.go       what is told of each answer's way, for traces
//	metrics.go    Prometheus
//
// Invariants: what is signed was recorded before, and another result of the same
// request is never signed; a sealed batch is never edited, only given up and
// sealed anew; nothing is sealed close to its deadline, or while fewer than the
// threshold of operators can sign; an answer that cannot land never holds up the
// answers beside it; nothing is signed for another operator that this one did not
// find itself and does not see final. Two leaders at a time cost gas and nothing
// else: the contract takes the first answer of a request.
package report

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// Signer signs batches with the operator's key.
type Signer interface {
	Address() common.Address
	// SignTyped returns 65 bytes, v 27 or 28.
	SignTyped(ctx context.Context, data apitypes.TypedData) ([]byte, error)
}

// Config is fixed for the life of a Reporter. Zero values give the defaults.
type Config struct {
	ChainID  uint64
	Provider common.Address // the EstuaryProvider contract

	// BatchWindow is how long the first answer waits for company: 250 ms; 30 s on
	// Filecoin, where an epoch is as long.
	BatchWindow time.Duration
	MaxBatch    int // most answers in a batch: 50
	// MaxBytes bounds a batch's calldata: 56 KiB, under Filecoin's 64 KiB message.
	MaxBytes int
	// MaxCallbackGas bounds the sum of promised callback gas in a batch; 0 for no
	// bound. A batch that a block has no room for is found out and cut in two anyway.
	MaxCallbackGas uint64
	// MaxQueued is how many batches may wait for the sender before answers rather
	// wait for a larger batch: 4.
	MaxQueued int
	// DeadlineMargin is how far off a deadline must be at sealing: 30 s; on
	// Filecoin some epochs more than a transaction takes to land.
	DeadlineMargin time.Duration
	// Skew is how much later than the request's attempt time a failure is sealed,
	// for clocks that differ from the chain's: 2 s.
	Skew time.Duration
	// Poll is how often open batches and the ledger are looked at without a Wake: 2 s.
	Poll time.Duration
	// CallTimeout bounds one read of the chain: 10 s.
	CallTimeout time.Duration

	// Takeover is how long each operator leaves to the one before it: 5 min, more
	// than a transaction takes to be seen.
	Takeover time.Duration
	// SignWithin is how long the signatures of a sealed batch are waited for: 30 s.
	SignWithin time.Duration
	// AskAgain is when operators without an answer are asked again: 15 s.
	AskAgain time.Duration
}

func (c Config) withDefaults() Config {
	duration := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	number := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	duration(&c.BatchWindow, 250*time.Millisecond)
	duration(&c.DeadlineMargin, 30*time.Second)
	duration(&c.Skew, 2*time.Second)
	duration(&c.Poll, 2*time.Second)
	duration(&c.CallTimeout, 10*time.Second)
	duration(&c.Takeover, 5*time.Minute)
	duration(&c.SignWithin, 30*time.Second)
	duration(&c.AskAgain, 15*time.Second)
	number(&c.MaxBatch, 50)
	number(&c.MaxBytes, 56<<10)
	number(&c.MaxQueued, 4)
	return c
}

// Deps are the parts a Reporter works with. Ledger, Chain, Signer and Sender are needed.
type Deps struct {
	Ledger  Ledger
	Chain   Caller
	Batches Batcher // of the same chain; nil to make each call by itself
	Agreed  Agreed  // nil where the word of one endpoint is enough
	Signer  Signer
	Peers   Peers                 // the other operators; nil for none
	Sender  func() common.Address // the key whose transactions carry the next batch
	Span    func(job.Span)        // told of each answer's way; must not block; nil for nobody
	Queued  func()                // called after an intent was queued; must not block; may be nil
	Now     func() time.Time      // nil for time.Now
	Log     *slog.Logger          // nil for silence
	Metrics prometheus.Registerer // nil for none
}

// Status is a snapshot for people and health checks.
type Status struct {
	Signer       common.Address `json:"signer"`
	Operator     bool           `json:"operator"` // Signer is in the configuration in force
	Threshold    int            `json:"threshold"`
	ConfigDigest common.Hash    `json:"configDigest"`
	// Waiting is why nothing is sealed for now; "" when nothing is in the way.
	Waiting string `json:"waiting,omitempty"`
	// Error is the last pass's trouble, "" after a pass without.
	Error   string `json:"error,omitempty"`
	Pending int    `json:"pending"` // answers that wait to be sealed, at the last look
	Open    int    `json:"open"`    // batches that are not resolved
	Held    []Held `json:"held,omitempty"`
	// Disagreements are the newest requests of which another operator found
	// something else.
	Disagreements []Disagreement `json:"disagreements,omitempty"`
	Passed        time.Time      `json:"passed"` // end of the last pass
}

// Held is an answer that is not sealed before Until, and why.
type Held struct {
	Request common.Hash `json:"request"`
	Why     string      `json:"why"`
	Until   time.Time   `json:"until"`
	Alarm   bool        `json:"alarm"` // a person should look
}

// Reporter is made with New, then Run.
type Reporter struct {
	cfg      Config
	ledger   Ledger
	chain    Caller
	batches  Batcher
	quorum   Agreed
	signer   Signer
	sender   func() common.Address
	peers    Peers
	queued   func()
	span     func(job.Span)
	now      func() time.Time
	log      *slog.Logger
	metrics  *metrics
	contract *estuaryprovider.EstuaryProvider
	wake     chan struct{}

	setMu sync.Mutex // one read of the configuration at a time
	set   operatorSet

	// Owned by the goroutine of Run.
	since      time.Time // when the first answer of the next batch was seen
	trouble    trouble
	ending     map[int64]chain.ReportBatch // their transaction has ended, they are not resolved
	said       string
	batchAgain time.Time                    // when the endpoint, which refused a batch of calls, is given one again
	unreliable map[common.Address]time.Time // operators that come last in choosing, until when

	mu            sync.Mutex
	status        Status
	seen          map[common.Hash]time.Time // since when an answer waits for its operator's turn
	disagreements []Disagreement
}

// New makes a Reporter.
func New(cfg Config, deps Deps) (*Reporter, error) {
	switch {
	case deps.Ledger == nil || deps.Chain == nil || deps.Signer == nil || deps.Sender == nil:
		return nil, errors.New("report: needs a ledger, a chain, a signer and a sender")
	case cfg.ChainID == 0:
		return nil, errors.New("report: needs a chain id")
	case cfg.Provider == (common.Address{}):
		return nil, errors.New("report: needs the provider's address")
	}
	r := &Reporter{
		cfg: cfg.withDefaults(), ledger: deps.Ledger, chain: deps.Chain, batches: deps.Batches, quorum: deps.Agreed, signer: deps.Signer, sender: deps.Sender, peers: deps.Peers,
		queued: deps.Queued, span: deps.Span, now: deps.Now, log: deps.Log, metrics: newMetrics(deps.Metrics),
		contract: estuaryprovider.NewEstuaryProvider(), wake: make(chan struct{}, 1),
		trouble: newTrouble(), ending: map[int64]chain.ReportBatch{},
		unreliable: map[common.Address]time.Time{}, seen: map[common.Hash]time.Time{},
	}
	if r.queued == nil {
		r.queued = func() {}
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	r.status.Signer = deps.Signer.Address()
	return r, nil
}

// Wake makes the next pass start now: an answer is pending or a transaction ended.
func (r *Reporter) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Status is safe to call at any time.
func (r *Reporter) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.status
	s.Held = append([]Held(nil), s.Held...)
	s.Disagreements = append([]Disagreement(nil), r.disagreements...)
	return s
}

// Run works until ctx ends and then returns nil: whatever is open is in the
// ledger, and the next Run goes on from there.
func (r *Reporter) Run(ctx context.Context) error {
	pause := r.cfg.Poll
	for {
		wait, err := r.pass(ctx)
		if ctx.Err() != nil {
			return nil
		}
		r.tell(err)
		if err != nil {
			pause = min(2*pause, 30*time.Second)
			wait = pause
		} else {
			pause = r.cfg.Poll
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-r.wake:
			timer.Stop()
			if !r.awaitMore(ctx) {
				return nil
			}
		case <-timer.C:
		}
	}
}

// awaitMore lets a few more answers come before the ledger is read for one: while work
// ends all the time, a pass for each would cost more than the work. It reports
// false when ctx ended.
func (r *Reporter) awaitMore(ctx context.Context) bool {
	timer := time.NewTimer(min(r.cfg.BatchWindow/10, 25*time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	}
	select {
	case <-r.wake: // the pass that follows sees it too
	default:
	}
	return true
}

// tell logs trouble once for as long as it stays the same.
func (r *Reporter) tell(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	r.mu.Lock()
	r.status.Error, r.status.Passed = text, r.now()
	r.mu.Unlock()
	if text == r.said {
		return
	}
	r.said = text
	switch {
	case text == "":
		r.log.Info("reporting works again")
	case errors.Is(err, ErrNotOperator):
		r.log.Error("nothing can be reported", "error", text)
	default:
		r.log.Warn("reporting is held up, trying again", "error", text)
	}
}

// pass does all that can be done now and says when to look again.
func (r *Reporter) pass(ctx context.Context) (time.Duration, error) {
	open, err := r.ledger.OpenBatches(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading open batches: %w", err)
	}
	r.finish(open)
	var trouble []error
	for i := range open {
		// One batch's trouble does not hold up the others, nor new ones.
		if err := r.advance(ctx, &open[i]); err != nil {
			trouble = append(trouble, fmt.Errorf("batch %d: %w", open[i].ID, err))
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
	next, err := r.collect(ctx, waitingForSender(open))
	if err != nil {
		trouble = append(trouble, err)
	}
	r.mu.Lock()
	r.status.Open = len(open)
	r.status.Held = r.trouble.list()
	r.mu.Unlock()
	r.metrics.held(r.trouble.alarms())
	return next, errors.Join(trouble...)
}

// waitingForSender counts batches whose transaction has not been sent.
func waitingForSender(open []chain.ReportBatch) int {
	n := 0
	for _, b := range open {
		switch {
		case b.State == chain.BatchSealed || b.State == chain.BatchSigned:
			n++
		case b.TxState == chain.TxQueued || b.TxState == chain.TxPrepared || b.TxState == chain.TxSigned:
			n++
		}
	}
	return n
}

func (r *Reporter) waiting(why string) {
	r.mu.Lock()
	was := r.status.Waiting
	r.status.Waiting = why
	r.mu.Unlock()
	if why != "" && why != was {
		r.log.Warn("answers wait", "why", why)
	}
}
