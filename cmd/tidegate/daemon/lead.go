package daemon

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
)

// What one daemon does at a time, by the names of the leases. The keys that send
// have a lease each, which txmgr keeps.
const (
	leadWatch  = "watch"
	leadReport = "report"
	leadDeals  = "deals"
	leadKeep   = "keep"
)

// A dead leader's lease ends leaseFor after it last renewed it; the others try
// every tryLead. Together with what the next leader needs to begin, that is less
// than the 15 s in which one is to be replaced.
const (
	leaseFor = 8 * time.Second
	jobLease = 10 * time.Second
	renew    = leaseFor / 3
	tryLead  = time.Second
)

// term is this daemon's part in one lease.
type term struct {
	name  string
	fence atomic.Int64 // 0: another leads
}

func (d *Daemon) newTerm(name string) *term {
	t := &term{name: name}
	d.metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "tidegate_leader", Help: "1 where this daemon leads: of those on one ledger, one watches and one reports.", ConstLabels: prometheus.Labels{"lease": name},
	}, func() float64 {
		if t.leads() {
			return 1
		}
		return 0
	}))
	return t
}

func (t *term) leads() bool { return t != nil && t.fence.Load() != 0 }

// under is the ledger for what only the leader may write.
func (t *term) under(ledger *store.Store) *store.Store { return ledger.Under(t.name, t.fence.Load) }

// errDeposed ends work whose lease is gone.
var errDeposed = errors.New("another daemon leads now")

// lead does work whenever this daemon leads, until ctx ends or work fails. What
// work still writes when it leads no more changes nothing.
func (d *Daemon) lead(ctx context.Context, t *term, work func(context.Context) error) error {
	said := ""
	for ctx.Err() == nil {
		began := time.Now()
		fence, err := d.ledger.AcquireLease(ctx, t.name, d.owner, leaseFor, began)
		switch {
		case err == nil:
			d.log.Info("this daemon leads", "lease", t.name, "fence", fence)
			said = ""
			if err := d.serve(ctx, t, fence, began, work); err != nil {
				return err
			}
		case ctx.Err() != nil:
		case errors.Is(err, job.ErrFenced) && said == "":
			said = "follows"
			d.log.Info("another daemon leads; this one stands by", "lease", t.name)
		case !errors.Is(err, job.ErrFenced) && said != "error":
			said = "error"
			d.log.Warn("the lease cannot be taken, trying again", "lease", t.name, "error", err)
		}
		pause(ctx, tryLead)
	}
	return nil
}

// serve is one term: work, and the lease renewed beside it.
func (d *Daemon) serve(ctx context.Context, t *term, fence int64, began time.Time, work func(context.Context) error) error {
	held, end := context.WithCancelCause(ctx)
	defer end(nil)
	t.fence.Store(fence)
	defer t.fence.Store(0)
	var renewing sync.WaitGroup
	defer renewing.Wait()
	defer end(nil)
	renewing.Go(func() { end(d.renew(held, t, fence, began)) })
	err := work(held)
	if errors.Is(context.Cause(held), errDeposed) {
		d.log.Warn("this daemon leads no more", "lease", t.name, "why", context.Cause(held))
		return nil
	}
	return err
}

// renew keeps a lease until ctx ends, and says how it was lost.
func (d *Daemon) renew(ctx context.Context, t *term, fence int64, renewed time.Time) error {
	for pause(ctx, renew) {
		now := time.Now()
		call, cancel := context.WithTimeout(ctx, renew)
		got, err := d.ledger.AcquireLease(call, t.name, d.owner, leaseFor, now)
		cancel()
		switch {
		case err == nil && got == fence:
			renewed = now
		case err == nil || errors.Is(err, job.ErrFenced):
			return errDeposed
		case ctx.Err() == nil && time.Since(renewed) > leaseFor:
			return fmt.Errorf("%w, perhaps: the lease could not be renewed: %w", errDeposed, err)
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// follow keeps what a daemon must know that shares its ledger with others: the
// chain's clock, which only the one that watches reads off the chain, and the
// content nodes of the others.
func (d *Daemon) follow(ctx context.Context) error {
	every := min(d.cfg.Chain.PollInterval.D(), 2*time.Second)
	var noted time.Time
	for pause(ctx, every) {
		if !d.watching.leads() {
			if newest, ok, err := d.ledger.BlockBelow(ctx, math.MaxInt64); err == nil && ok {
				d.clock.saw(newest.Time)
			}
		}
		if d.node != nil && time.Since(noted) > nodeEvery {
			if err := d.meetNodes(ctx); err != nil && ctx.Err() == nil {
				d.log.Debug("the other daemons' nodes are not known", "error", err)
			}
			noted = time.Now()
		}
	}
	return nil
}

// nodeEvery is how often a daemon says where its node is; one that was silent for
// nodeGone is not dialled any more.
const (
	nodeEvery = 10 * time.Second
	nodeGone  = time.Hour
)

func (d *Daemon) meetNodes(ctx context.Context) error {
	if err := d.ledger.SeeNode(ctx, job.Node{ID: d.node.ID().String(), Addrs: d.node.Addrs()}, time.Now()); err != nil {
		return err
	}
	nodes, err := d.ledger.Nodes(ctx)
	if err != nil {
		return err
	}
	var addrs []string
	for _, n := range nodes {
		if time.Since(n.Seen) < nodeGone {
			addrs = append(addrs, n.Addrs...)
		}
	}
	return d.node.Know(addrs)
}

// leader is who leads what, as /status has it.
type leader struct {
	store.Lease
	Here bool `json:"here"` // it is this daemon
	Live bool `json:"live"` // its lease has not ended
}

func (d *Daemon) leaders(ctx context.Context) ([]leader, error) {
	all, err := d.ledger.Leases(ctx)
	out := make([]leader, len(all))
	for i, l := range all {
		out[i] = leader{l, l.Owner == d.owner, l.Owner != "" && l.Until.After(time.Now())}
	}
	return out, err
}

// led fails where nobody leads.
func (d *Daemon) led(ctx context.Context, name string) error {
	all, err := d.leaders(ctx)
	if err != nil {
		return err
	}
	for _, l := range all {
		if l.Name == name && l.Live {
			return nil
		}
	}
	return fmt.Errorf("no daemon leads %q at present", name)
}
