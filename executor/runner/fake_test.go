package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// row is a job in the fake ledger with what the tests ask about.
type row struct {
	job.Job
	finals  []string // every accepted final write, in order
	results []job.Result
}

// fakeLedger behaves as internal/store does towards the runner: leases, fences,
// attempts, transitions. Failures can be put into any call.
type fakeLedger struct {
	mu   sync.Mutex
	rows []*row
	// fail, when set, may make a call fail before it has any effect.
	fail func(call string, id int64) error
	// beats counts accepted heartbeats by job.
	beats map[int64]int
}

func newLedger(jobs ...job.Job) *fakeLedger {
	l := &fakeLedger{beats: make(map[int64]int)}
	for _, j := range jobs {
		l.add(j)
	}
	return l
}

func (l *fakeLedger) add(j job.Job) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	j.ID = int64(len(l.rows) + 1)
	if j.Key == "" {
		j.Key = fmt.Sprintf("local:%d", j.ID)
	}
	if j.State == "" {
		j.State = job.Available
	}
	l.rows = append(l.rows, &row{Job: j})
	return j.ID
}

func (l *fakeLedger) get(id int64) row {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *l.rows[id-1]
}

func (l *fakeLedger) failing(call string, id int64) error {
	if l.fail == nil {
		return nil
	}
	return l.fail(call, id)
}

func (l *fakeLedger) due(r *row, kind job.Kind, now time.Time) bool {
	if r.Kind != kind {
		return false
	}
	if r.State == job.Running {
		return !now.Before(r.LeaseUntil)
	}
	return r.State.Claimable() && !now.Before(r.RunAt)
}

func (l *fakeLedger) Claim(ctx context.Context, c job.ClaimRequest) (job.Job, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := errors.Join(ctx.Err(), l.failing("claim", 0)); err != nil {
		return job.Job{}, false, err
	}
	for _, r := range l.rows {
		if l.due(r, c.Kind, c.Now) {
			r.State, r.LeaseOwner, r.LeaseUntil = job.Running, c.Owner, c.Now.Add(c.Lease)
			r.Attempt++
			r.Fence++
			return r.Job, true, nil
		}
	}
	return job.Job{}, false, nil
}

func (l *fakeLedger) DueKinds(_ context.Context, now time.Time) ([]job.Kind, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.failing("due", 0); err != nil {
		return nil, err
	}
	var out []job.Kind
	for _, k := range job.Kinds() {
		for _, r := range l.rows {
			if l.due(r, k, now) {
				out = append(out, k)
				break
			}
		}
	}
	return out, nil
}

func (l *fakeLedger) Heartbeat(_ context.Context, id, fence int64, lease time.Duration, now time.Time, p job.Progress) error {
	return l.write("heartbeat", id, fence, func(r *row) {
		r.LeaseUntil, r.Progress = now.Add(lease), p
		l.beats[id]++
	})
}

// write applies do to a running row under the right fence.
func (l *fakeLedger) write(call string, id, fence int64, do func(*row)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.failing(call, id); err != nil {
		return err
	}
	r := l.rows[id-1]
	if r.State != job.Running || r.Fence != fence {
		return job.ErrFenced
	}
	do(r)
	return nil
}

func (l *fakeLedger) final(call string, id, fence int64, to job.State, do func(*row)) error {
	return l.write(call, id, fence, func(r *row) {
		r.State, r.LeaseOwner = to, ""
		r.finals = append(r.finals, call)
		do(r)
	})
}

func (l *fakeLedger) FinishJob(_ context.Context, id, fence int64, res job.Result, _ time.Time) (job.Committed, error) {
	var c job.Committed
	err := l.final("finish", id, fence, job.Done, func(r *row) {
		r.Outcome, r.Reason, r.Progress = res.Outcome, res.Reason, res.Progress
		r.results = append(r.results, res)
		c.Answer = r.Request != ""
	})
	return c, err
}

func (l *fakeLedger) RetryJob(_ context.Context, id, fence int64, at time.Time, lastErr string, p job.Progress) error {
	return l.final("retry", id, fence, job.Retrying, func(r *row) { r.RunAt, r.LastError, r.Progress = at, lastErr, p })
}

func (l *fakeLedger) SnoozeJob(_ context.Context, id, fence int64, at time.Time, why string) error {
	return l.final("snooze", id, fence, job.Snoozed, func(r *row) { r.RunAt, r.LastError = at, why; r.Attempt-- })
}

func (l *fakeLedger) ReleaseJob(_ context.Context, id, fence int64) error {
	return l.final("release", id, fence, job.Available, func(r *row) { r.Attempt-- })
}

func (l *fakeLedger) KillJob(_ context.Context, id, fence int64, lastErr string) error {
	return l.final("kill", id, fence, job.Dead, func(r *row) { r.LastError = lastErr })
}

// cancel withdraws a job as a retraction does: the fence moves.
func (l *fakeLedger) cancel(id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rows[id-1]
	r.State, r.LeaseOwner = job.Cancelled, ""
	r.Fence++
}

// fakeWaker wakes by hand.
type fakeWaker map[job.Kind]chan struct{}

func (w fakeWaker) Wakes(k job.Kind) <-chan struct{} { return w[k] }

// handlerFunc is a Handler without Abandon.
type handlerFunc func(ctx context.Context, j job.Job, report func(job.Progress)) (job.Result, error)

func (f handlerFunc) Handle(ctx context.Context, j job.Job, report func(job.Progress)) (job.Result, error) {
	return f(ctx, j, report)
}

// abandoning is a Handler with Abandon.
type abandoning struct {
	handlerFunc
	abandon func(ctx context.Context, j job.Job) error
}

func (a abandoning) Abandon(ctx context.Context, j job.Job) error { return a.abandon(ctx, j) }
