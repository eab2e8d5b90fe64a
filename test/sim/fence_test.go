package sim

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
)

// guarded is the ledger as the runner has it. It looks at each write under a fence:
// one that is let through although the row had a newer fence already is the verdict,
// whether it did harm in this world or not.
type guarded struct {
	*store.Store
	w *world
}

// under makes a write and says what it should have met.
func (g guarded) under(doing string, id, fence int64, write func() error) error {
	g.w.turns.wait(fmt.Sprint(doing, " ", id, " ", fence))
	before, unread := g.Store.Job(context.Background(), id)
	err := write()
	if err == nil && unread == nil && before.Fence > fence {
		g.w.mu.Lock()
		defer g.w.mu.Unlock()
		if g.w.stale == nil {
			g.w.stale = fmt.Errorf("%s job %s went through under fence %d, which was %d already", doing, before.Key, fence, before.Fence)
		}
	}
	return err
}

// Claim implements runner.Leases. Whoever had the job before comes back, late, each time,
// and wants to put it off: that must change nothing.
func (g guarded) Claim(ctx context.Context, r job.ClaimRequest) (job.Job, bool, error) {
	g.w.turns.wait("claim " + string(r.Kind))
	j, ok, err := g.Store.Claim(ctx, r)
	if err == nil && ok && j.Fence > 1 {
		_ = g.RetryJob(ctx, j.ID, j.Fence-1, r.Now, "whoever had it before", job.Progress{})
	}
	return j, ok, err
}

// Heartbeat implements runner.Leases, as the following do.
func (g guarded) Heartbeat(ctx context.Context, id, fence int64, lease time.Duration, now time.Time, p job.Progress) error {
	return g.under("the heartbeat of", id, fence, func() error { return g.Store.Heartbeat(ctx, id, fence, lease, now, p) })
}

func (g guarded) RetryJob(ctx context.Context, id, fence int64, runAt time.Time, lastErr string, p job.Progress) error {
	return g.under("putting off", id, fence, func() error { return g.Store.RetryJob(ctx, id, fence, runAt, lastErr, p) })
}

func (g guarded) SnoozeJob(ctx context.Context, id, fence int64, runAt time.Time, why string) error {
	return g.under("snoozing", id, fence, func() error { return g.Store.SnoozeJob(ctx, id, fence, runAt, why) })
}

func (g guarded) ReleaseJob(ctx context.Context, id, fence int64) error {
	return g.under("releasing", id, fence, func() error { return g.Store.ReleaseJob(ctx, id, fence) })
}

func (g guarded) KillJob(ctx context.Context, id, fence int64, lastErr string) error {
	return g.under("giving up", id, fence, func() error { return g.Store.KillJob(ctx, id, fence, lastErr) })
}

func (g guarded) FinishJob(ctx context.Context, id, fence int64, r job.Result, now time.Time) (out job.Committed, err error) {
	err = g.under("finishing", id, fence, func() error {
		out, err = g.Store.FinishJob(ctx, id, fence, r, now)
		return err
	})
	return out, err
}
