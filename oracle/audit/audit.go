// Package audit proves that nothing was missed, or says what was. Every event of
// ours carries its contract's own count, seq, and the contract says at any block how
// many it has emitted, nextSeq(). When the ledger's final logs of a contract carry
// exactly 0..nextSeq()-1 at the ledger's final height, none is missing, whatever the
// endpoints left out; otherwise the missing numbers name what to fetch again.
//
// It decodes nothing and follows no chain; what it fetches goes the same way into the
// ledger as everything else (watch.Sink).
//
// Map:
//
//	audit.go   Check: the proof; Run: the proof again and again
//	repair.go  Repair: the blocks around missing numbers, read again
//
// Invariants: a proof compares ledger and chain at one height, the ledger's final one;
// repairing adds final logs only, and never moves a cursor.
package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate/tidegate/oracle/chain"
)

// Chain reads contracts and logs at blocks.
type Chain interface {
	// NextSeq is the contract's nextSeq() at a height. ErrNoSeq for a contract
	// without one, or that is not deployed there; ErrNoState where no endpoint has the
	// state of that height any more.
	NextSeq(ctx context.Context, contract common.Address, height uint64) (uint64, error)
	// Everywhere gives the logs of addrs in the canonical blocks from..to that any
	// endpoint shows, in any way it has.
	Everywhere(ctx context.Context, from, to uint64, addrs []common.Address) ([]chain.Log, error)
}

// ErrNoSeq is returned by a Chain for a contract that does not count its events.
var ErrNoSeq = errors.New("the contract has no nextSeq()")

// ErrNoState is returned by a Chain for heights whose state the endpoints dropped.
var ErrNoState = errors.New("the endpoints have no state of that height")

// Ledger is what is audited.
type Ledger interface {
	Cursor(ctx context.Context, filter string) (chain.Cursor, bool, error)
	SeqAuditFrom(ctx context.Context, contract common.Address, first int64) (count int64, missing []int64, highest int64, err error)
	SeqHeights(ctx context.Context, contract common.Address, seq int64) (below, above uint64, err error)
}

// Sink takes in what was missing.
type Sink interface {
	Apply(ctx context.Context, u chain.Update) error
}

// Config says what is audited.
type Config struct {
	Filter    string // the cursor at whose final height the proof is made
	Contracts func(context.Context) ([]chain.Contract, error)
	Every     time.Duration // pause of Run; default 1 minute
	Pause     time.Duration // before a call of a repair that failed is made again, doubling; default 500 ms
}

// Deps is what an Auditor works with. Sink may be nil for one that never repairs;
// Logger, Now and Metrics have defaults.
type Deps struct {
	Chain   Chain
	Ledger  Ledger
	Sink    Sink
	Logger  *slog.Logger
	Now     func() time.Time
	Metrics prometheus.Registerer
}

// Auditor makes proofs. It is safe for concurrent use.
type Auditor struct {
	cfg     Config
	d       Deps
	missing *prometheus.GaugeVec

	mu    sync.Mutex
	last  []Proof
	first map[common.Address]uint64 // what each contract had counted before it was watched
}

// Proof is what an audit of one contract found.
type Proof struct {
	Contract  common.Address `json:"contract"`
	Height    uint64         `json:"height"`    // at which it was made
	First     uint64         `json:"first"`     // number of the first event that is watched
	NextSeq   uint64         `json:"nextSeq"`   // events that the contract has emitted
	Have      int64          `json:"have"`      // of which the ledger has final
	Missing   []int64        `json:"missing"`   // numbers, at most 1000
	Complete  bool           `json:"complete"`  // Have = NextSeq and nothing is missing
	Uncounted bool           `json:"uncounted"` // the contract does not count: nothing can be proven
	Joining   bool           `json:"joining"`   // its past is still being read
	Error     string         `json:"error,omitempty"`
	At        time.Time      `json:"at"`
}

// New checks the configuration and fills its defaults.
func New(cfg Config, d Deps) (*Auditor, error) {
	switch {
	case cfg.Filter == "" || cfg.Contracts == nil:
		return nil, errors.New("audit: Filter and Contracts are needed")
	case d.Chain == nil || d.Ledger == nil:
		return nil, errors.New("audit: Chain and Ledger are needed")
	}
	if cfg.Every <= 0 {
		cfg.Every = time.Minute
	}
	if cfg.Pause <= 0 {
		cfg.Pause = 500 * time.Millisecond
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	a := &Auditor{cfg: cfg, d: d, first: map[common.Address]uint64{}, missing: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "tidegate", Subsystem: "audit", Name: "missing_events", Help: "Events that a contract counted and the ledger lacks.",
	}, []string{"contract"})}
	if d.Metrics != nil {
		if err := d.Metrics.Register(a.missing); err != nil {
			return nil, fmt.Errorf("audit: registering metrics: %w", err)
		}
	}
	return a, nil
}

// Last gives the newest proofs that Run made.
func (a *Auditor) Last() []Proof {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// Run audits every Config.Every until ctx ends, and repairs what it finds missing.
func (a *Auditor) Run(ctx context.Context) error {
	for {
		proofs, err := a.Check(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			a.d.Logger.Warn("cannot audit, trying again", "error", err)
		default:
			a.repairAll(ctx, proofs)
		}
		if !sleep(ctx, a.cfg.Every) {
			return nil
		}
	}
}

// sleep reports whether the time passed before ctx ended.
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

func (a *Auditor) repairAll(ctx context.Context, proofs []Proof) {
	for i, p := range proofs {
		a.missing.WithLabelValues(p.Contract.Hex()).Set(float64(len(p.Missing)))
		if p.Complete || len(p.Missing) == 0 || a.d.Sink == nil {
			continue
		}
		a.d.Logger.Warn("events are missing: an endpoint left them out; fetching them", "contract", p.Contract, "missing", len(p.Missing), "first", p.Missing[0])
		if _, err := a.Repair(ctx, p); err != nil {
			a.d.Logger.Warn("cannot fetch missing events, trying again", "contract", p.Contract, "error", err)
			continue
		}
		if again, err := a.prove(ctx, chain.Contract{Address: p.Contract, Joined: -1}, p.Height); err == nil {
			proofs[i] = again
			a.missing.WithLabelValues(p.Contract.Hex()).Set(float64(len(again.Missing)))
		}
	}
	a.mu.Lock()
	a.last = proofs
	a.mu.Unlock()
}

// Check makes the proof for every contract at the ledger's final height.
func (a *Auditor) Check(ctx context.Context) ([]Proof, error) {
	cur, ok, err := a.d.Ledger.Cursor(ctx, a.cfg.Filter)
	if err != nil {
		return nil, fmt.Errorf("reading the cursor: %w", err)
	}
	if !ok || cur.Final == 0 {
		return nil, errors.New("the ledger has no final block yet: nothing was watched, or the daemon is still finding its place")
	}
	contracts, err := a.cfg.Contracts(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing contracts: %w", err)
	}
	out := make([]Proof, 0, len(contracts))
	for _, c := range contracts {
		p, err := a.prove(ctx, c, cur.Final)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			p.Error = err.Error()
		}
		out = append(out, p)
	}
	return out, nil
}

// prove compares one contract's count at height with the ledger. The ledger may
// have moved on meanwhile: what it has beyond the count is not counted.
func (a *Auditor) prove(ctx context.Context, c chain.Contract, height uint64) (Proof, error) {
	p := Proof{Contract: c.Address, Height: height, Missing: []int64{}, At: a.d.Now()}
	if c.Joined >= 0 && c.Start <= uint64(c.Joined) {
		past, ok, err := a.d.Ledger.Cursor(ctx, ContractFilter(c.Address))
		if err != nil {
			return p, fmt.Errorf("reading the cursor of its past: %w", err)
		}
		p.Joining = !ok || past.Height < past.Head
	}
	var err error
	if p.NextSeq, err = a.d.Chain.NextSeq(ctx, c.Address, height); errors.Is(err, ErrNoSeq) {
		p.Uncounted = true
		return p, nil
	} else if err != nil {
		return p, fmt.Errorf("reading nextSeq() of %s at height %d: %w", c.Address, height, err)
	}
	if p.First, err = a.before(ctx, c); err != nil {
		return p, err
	}
	have, missing, highest, err := a.d.Ledger.SeqAuditFrom(ctx, c.Address, int64(p.First))
	if err != nil {
		return p, err
	}
	next := int64(p.NextSeq)
	for _, m := range missing {
		if m < next {
			p.Missing = append(p.Missing, m)
		}
	}
	for m := highest + 1; m < next && len(p.Missing) < 1000; m++ {
		p.Missing = append(p.Missing, m)
	}
	p.Have = min(have, next-int64(p.First))
	p.Complete = len(p.Missing) == 0 && have >= next-int64(p.First)
	return p, nil
}

// before is what a contract had counted at the height before it is watched from:
// nothing, where that is its deployment. Where no endpoint can say, it is taken for
// the deployment, as the settings ask for.
func (a *Auditor) before(ctx context.Context, c chain.Contract) (uint64, error) {
	a.mu.Lock()
	first, known := a.first[c.Address]
	a.mu.Unlock()
	if known || c.Start == 0 {
		return first, nil
	}
	first, err := a.d.Chain.NextSeq(ctx, c.Address, c.Start-1)
	switch {
	case errors.Is(err, ErrNoSeq) || errors.Is(err, ErrNoState):
		first = 0
	case err != nil:
		return 0, fmt.Errorf("reading nextSeq() of %s at height %d: %w", c.Address, c.Start-1, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.first[c.Address] = first
	return first, nil
}
