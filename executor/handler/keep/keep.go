// Package keep runs jobs of kind keep: calls that anyone may make for a contract when
// they are due. It tries a call, sends it if that pays, and follows it until it is final.
//
// It does not find what is due (executor/market) and sends nothing itself: it queues an
// intent, which the ledger's sender makes happen once.
//
// Map: keep.go is all of it.
//
// Invariants: an intent has the job's key, so however often a step is repeated, there is
// one transaction; nothing is queued that was not tried a moment before, or does not pay.
package keep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate/tidegate/executor/job"
)

// ErrNotDue is returned by Chain.Cost for a call that would revert: somebody else made it,
// or it is not possible any more.
var ErrNotDue = errors.New("the call is not due")

// Chain prices calls.
type Chain interface {
	// Cost tries a call with a value, in attoFIL, from the sender at the newest state and
	// gives what its gas costs now, in attoFIL. Errors: ErrNotDue.
	Cost(ctx context.Context, to string, data []byte, value *big.Int) (*big.Int, error)
	// Tip gives what a call of a DAO would be tipped now, in attoFIL: others may have taken
	// of its treasury since the call was found due.
	Tip(ctx context.Context, to string, data []byte) (*big.Int, error)
}

// Sent is an intent that was queued.
type Sent struct {
	Over   bool   // nothing more happens to it
	Done   bool   // it is final and did what it should
	Why    string // why not
	Hash   string // of the transaction that is in a block
	Paid   *big.Int
	Waits  string // what it waits for, where it is not over
	Sender string
}

// Call is a call of a contract.
type Call struct {
	To    string // 0x…
	Data  []byte
	Value *big.Int // attoFIL
}

// Sender makes calls happen once.
type Sender interface {
	// Find gives what became of the intent of a key; job.ErrNotFound when there is none.
	Find(ctx context.Context, key string) (Sent, error)
	// Queue stores an intent; the same key again changes nothing.
	Queue(ctx context.Context, key string, c Call, expiry time.Time) error
}

// Config says what is paid for. Zero durations take the defaults given.
type Config struct {
	MaxCost  *big.Int      // attoFIL that a call may cost, its value included, beyond its tip; nil for 0
	TryAgain time.Duration // when what did not pay is priced again: 1 h
	Look     time.Duration // how often what was sent is looked at: 15 s
	Expiry   time.Duration // an intent that was not broadcast by then is dropped: 1 h
}

// Deps are what the handler uses. Metrics may be nil.
type Deps struct {
	Chain   Chain
	Sender  Sender
	Metrics prometheus.Registerer
	Now     func() time.Time
}

// Handler runs keep jobs; it fits runner.Handler.
type Handler struct {
	cfg   Config
	deps  Deps
	calls *prometheus.CounterVec
	tips  prometheus.Counter
	spent prometheus.Counter
}

// New checks that nothing is missing.
func New(cfg Config, deps Deps) (*Handler, error) {
	if deps.Chain == nil || deps.Sender == nil {
		return nil, errors.New("keep handler: a chain and a sender are needed")
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if cfg.MaxCost == nil {
		cfg.MaxCost = new(big.Int)
	}
	for _, d := range []struct {
		at *time.Duration
		or time.Duration
	}{{&cfg.TryAgain, time.Hour}, {&cfg.Look, 15 * time.Second}, {&cfg.Expiry, time.Hour}} {
		if *d.at <= 0 {
			*d.at = d.or
		}
	}
	h := &Handler{
		cfg: cfg, deps: deps,
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tidegate_keeper_calls_total", Help: "Due calls by what became of them: done, not_due, unprofitable (each pricing), failed."}, []string{"outcome"}),
		tips:  prometheus.NewCounter(prometheus.CounterOpts{Name: "tidegate_keeper_tips_fil_total", Help: "Tips of calls that were made, in FIL."}),
		spent: prometheus.NewCounter(prometheus.CounterOpts{Name: "tidegate_keeper_spent_fil_total", Help: "Fees of calls that were made, in FIL."}),
	}
	if deps.Metrics != nil {
		for _, c := range []prometheus.Collector{h.calls, h.tips, h.spent} {
			if err := deps.Metrics.Register(c); err != nil {
				return nil, fmt.Errorf("keep handler: %w", err)
			}
		}
	}
	return h, nil
}

// detail is Result.Detail, for people and the API.
type detail struct {
	What   string `json:"what"`
	Tip    string `json:"tip"`
	Why    string `json:"why,omitempty"`
	Tx     string `json:"tx,omitempty"`
	Paid   string `json:"paid,omitempty"`
	Sender string `json:"sender,omitempty"`
}

// Handle does the next step of a call: price and queue it, or follow it. A call that is
// not due any more is failed(refused): others may make it too.
func (h *Handler) Handle(ctx context.Context, j job.Job, _ func(job.Progress)) (job.Result, error) {
	p, err := job.Decode[job.Keep](j.Payload)
	if err != nil {
		return job.Result{}, err
	}
	tip, err := amount(p.Tip)
	if err != nil {
		return job.Result{}, fmt.Errorf("the tip: %w", err)
	}
	value := new(big.Int)
	if p.Value != "" {
		if value, err = amount(p.Value); err != nil {
			return job.Result{}, fmt.Errorf("the value: %w", err)
		}
	}
	sent, err := h.deps.Sender.Find(ctx, j.Key)
	switch {
	case errors.Is(err, job.ErrNotFound):
		return h.begin(ctx, j, p, tip, value)
	case err != nil:
		return job.Result{}, err
	case !sent.Over:
		return job.Result{}, &job.Snooze{For: h.cfg.Look, Why: p.What + " is " + sent.Waits}
	}
	d := detail{What: p.What, Tip: tip.String(), Why: sent.Why, Tx: sent.Hash, Sender: sent.Sender}
	if sent.Paid != nil {
		d.Paid = sent.Paid.String()
		h.spent.Add(fil(sent.Paid))
	}
	if !sent.Done {
		h.calls.WithLabelValues("failed").Inc()
		return ended(job.Result{Outcome: job.Failed, Reason: job.ReasonRefused}, d)
	}
	h.calls.WithLabelValues("done").Inc()
	h.tips.Add(fil(tip))
	return ended(job.Result{Outcome: job.Succeeded}, d)
}

// begin tries and prices a call, and queues it where it pays.
func (h *Handler) begin(ctx context.Context, j job.Job, p job.Keep, tip, value *big.Int) (job.Result, error) {
	gas, err := h.deps.Chain.Cost(ctx, p.To, p.Data, value)
	if errors.Is(err, ErrNotDue) {
		h.calls.WithLabelValues("not_due").Inc()
		return ended(job.Result{Outcome: job.Failed, Reason: job.ReasonRefused}, detail{What: p.What, Tip: tip.String(), Why: err.Error()})
	}
	if err != nil {
		return job.Result{}, fmt.Errorf("pricing %s: %w", p.What, err)
	}
	most, limit := h.cfg.MaxCost, fmt.Sprintf("and keeper.max_cost_fil is %g", fil(h.cfg.MaxCost))
	if p.Pays {
		most, limit = new(big.Int), "and nothing else is paid for it"
		if tip, err = h.deps.Chain.Tip(ctx, p.To, p.Data); err != nil {
			return job.Result{}, fmt.Errorf("asking for the tip of %s: %w", p.What, err)
		}
	}
	if loss := new(big.Int).Sub(new(big.Int).Add(gas, value), tip); loss.Cmp(most) > 0 {
		h.calls.WithLabelValues("unprofitable").Inc()
		sends := ""
		if value.Sign() > 0 {
			sends = fmt.Sprintf("it sends %g FIL, ", fil(value))
		}
		return job.Result{}, &job.Snooze{For: h.cfg.TryAgain, Why: fmt.Sprintf(
			"%s does not pay: %sits gas costs %g FIL, its tip is %g FIL, %s", p.What, sends, fil(gas), fil(tip), limit)}
	}
	if err := h.deps.Sender.Queue(ctx, j.Key, Call{p.To, p.Data, value}, h.deps.Now().Add(h.cfg.Expiry)); err != nil {
		return job.Result{}, fmt.Errorf("queueing %s: %w", p.What, err)
	}
	return job.Result{}, &job.Snooze{For: h.cfg.Look, Why: p.What + " is queued"}
}

func ended(r job.Result, d detail) (job.Result, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return job.Result{}, fmt.Errorf("encoding the detail of a call: %w", err)
	}
	r.Detail = raw
	return r, nil
}

func amount(text string) (*big.Int, error) {
	n, ok := new(big.Int).SetString(text, 10)
	if !ok || n.Sign() < 0 {
		return nil, fmt.Errorf("%q is no amount", text)
	}
	return n, nil
}

func fil(atto *big.Int) float64 {
	f, _ := new(big.Float).Quo(new(big.Float).SetInt(atto), big.NewFloat(1e18)).Float64()
	return f
}
