package runner

import (
	"context"
	"sync"

	"github.com/tidegate/tidegate/executor/job"
)

// lane claims jobs of one kind while it has free slots.
type lane struct {
	Lane
	r     *Runner
	slots chan struct{} // one value per running attempt
	swept chan struct{} // capacity 1
}

func newLane(r *Runner, l Lane) *lane {
	return &lane{Lane: l, r: r, slots: make(chan struct{}, l.Concurrency), swept: make(chan struct{}, 1)}
}

func (l *lane) wake() {
	select {
	case l.swept <- struct{}{}:
	default:
	}
}

// run claims until ctx ends; attempts run under work.
func (l *lane) run(ctx, work context.Context, attempts *sync.WaitGroup) {
	var wakes <-chan struct{}
	if l.r.d.Waker != nil {
		wakes = l.r.d.Waker.Wakes(l.Kind)
	}
	for {
		for l.claimOne(ctx, work, attempts) {
		}
		select {
		case <-ctx.Done():
			return
		case <-wakes:
		case <-l.swept:
		}
		l.drain(wakes)
	}
}

// drain takes the wake-ups that came while the lane was full: one look at the ledger
// finds what all of them are about.
func (l *lane) drain(wakes <-chan struct{}) {
	for {
		select {
		case <-wakes:
		case <-l.swept:
		default:
			return
		}
	}
}

// claimOne waits for a slot and fills it; it reports whether there may be more
// to claim.
func (l *lane) claimOne(ctx, work context.Context, attempts *sync.WaitGroup) bool {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	if ctx.Err() != nil {
		<-l.slots
		return false
	}
	// A claim that has begun is seen through: cancelling it half way would leave
	// a row under a lease that nobody serves.
	wctx, cancel := context.WithTimeout(work, writeTimeout)
	defer cancel()
	j, ok, err := l.r.d.Ledger.Claim(wctx, job.ClaimRequest{
		Kind: l.Kind, Owner: l.r.cfg.Owner, Lease: l.r.cfg.Lease, Now: l.r.d.Now(), NodeID: l.r.cfg.NodeID,
	})
	l.r.ledgerState("claiming "+string(l.Kind)+" jobs", err)
	if err != nil || !ok {
		<-l.slots
		return false // the sweep tries again
	}
	a := newAttempt(l, j)
	l.r.mu.Lock()
	l.r.running[j.ID] = a
	l.r.mu.Unlock()
	l.r.metrics.running.WithLabelValues(string(l.Kind)).Inc()
	attempts.Go(func() {
		defer func() {
			l.r.metrics.running.WithLabelValues(string(l.Kind)).Dec()
			l.r.mu.Lock()
			if l.r.running[j.ID] == a {
				delete(l.r.running, j.ID)
			}
			l.r.mu.Unlock()
			<-l.slots
		}()
		a.run(work)
	})
	return true
}
