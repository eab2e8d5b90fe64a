package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

const (
	// writeTimeout bounds one write to the ledger.
	writeTimeout = 10 * time.Second
	// abandonTimeout bounds Abandoner.Abandon.
	abandonTimeout = time.Minute
)

var (
	errTimeout  = errors.New("the attempt took longer than its lane allows")
	errDeadline = errors.New("no time is left before the request's deadline")
	errLease    = errors.New("the lease ran out before the ledger could be told")
	errHanging  = errors.New("the handler went on after its context had ended")
)

// attempt is one claimed job on its way through its handler.
type attempt struct {
	lane  *lane
	r     *Runner
	job   job.Job
	log   *slog.Logger
	began time.Time

	mu   sync.Mutex
	prog job.Progress
}

func newAttempt(l *lane, j job.Job) *attempt {
	log := l.r.d.Log.With("job", j.ID, "kind", string(j.Kind), "attempt", j.Attempt)
	if j.Request != "" {
		log = log.With("request", j.Request)
	}
	return &attempt{lane: l, r: l.r, job: j, log: log, began: l.r.d.Now(), prog: j.Progress}
}

func (a *attempt) progress() job.Progress {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.prog
}

func (a *attempt) report(p job.Progress) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.prog = p
}

func (a *attempt) rules() rules {
	c := a.r.cfg
	return rules{
		maxAttempts: a.lane.MaxAttempts, maxErrors: a.lane.MaxErrors,
		backoffBase: c.BackoffBase, backoffMax: c.BackoffMax, margin: c.DeadlineMargin, ahead: a.r.d.Ahead(),
	}
}

// run takes the job from its claim to its final write.
func (a *attempt) run(work context.Context) {
	// held lives as long as the lease is ours.
	held, lose := context.WithCancelCause(work)
	defer lose(nil)
	beat := make(chan struct{})
	stopBeat := make(chan struct{})
	go func() { defer close(beat); a.heartbeat(held, stopBeat, lose) }()

	d := a.handle(held)
	if d.ending == endDone && d.result.Outcome == job.Failed {
		d = a.abandon(held, d)
	}
	close(stopBeat)
	<-beat
	if cause := context.Cause(held); cause != nil && !errors.Is(cause, errStopping) {
		d = decision{ending: endVoid, why: cause.Error()}
	}
	a.write(d)
}

// handle runs the handler and decides what its end means.
func (a *attempt) handle(held context.Context) decision {
	u := a.rules()
	if u.outOfTime(a.job, a.r.d.Now()) {
		return decision{ending: endDone, result: expired(), why: errDeadline.Error()}
	}
	ctx, cancel := a.bounded(held)
	defer cancel()
	res, err := a.call(ctx)
	if err == nil && res.Progress == (job.Progress{}) {
		res.Progress = a.progress()
	}
	now := a.r.d.Now()
	cause := context.Cause(ctx)
	switch {
	case err == nil:
	case errors.Is(err, errHanging) && errors.Is(cause, errStopping):
		// It may still be at work: nobody may claim the row before the lease ends.
		return decision{ending: endVoid, why: err.Error()}
	case errors.Is(cause, errStopping):
		return decision{ending: endRelease, why: cause.Error()}
	case errors.Is(cause, errDeadline):
		if f, ok := errors.AsType[*job.Fault](err); !ok || !knownReason(f.Reason) {
			return decision{ending: endDone, result: expired(), why: fmt.Sprintf("%v: %v", errDeadline, err)}
		}
	case errors.Is(cause, errTimeout):
		if _, ok := errors.AsType[*job.Fault](err); !ok {
			err = fmt.Errorf("%w (%s): %w", errTimeout, a.lane.Timeout, err)
		}
	}
	d := u.decide(a.job, res, err, now, a.r.d.Rand())
	if d.ending == endDone && d.result.Progress == (job.Progress{}) {
		d.result.Progress = a.progress()
	}
	return d
}

// bounded limits held by the lane's timeout and the job's last chance.
func (a *attempt) bounded(held context.Context) (context.Context, context.CancelFunc) {
	now := a.r.d.Now()
	limit, cause := a.lane.Timeout, errTimeout
	if last := a.rules().lastChance(a.job); !last.IsZero() && (limit <= 0 || last.Sub(now) < limit) {
		limit, cause = last.Sub(now), errDeadline
	}
	if limit <= 0 {
		return context.WithCancel(held)
	}
	return context.WithTimeoutCause(held, limit, cause)
}

type returned struct {
	res job.Result
	err error
}

// call runs the handler, catches its panic and gives up on it when it does not
// come back after ctx ended.
func (a *attempt) call(ctx context.Context) (job.Result, error) {
	done := make(chan returned, 1)
	go func() {
		var v returned
		defer func() {
			if p := recover(); p != nil {
				a.log.Error("a handler panicked; the attempt counts and the job goes on", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				v = returned{err: fmt.Errorf("the handler panicked: %v", p)}
			}
			done <- v
		}()
		v.res, v.err = a.lane.Handler.Handle(ctx, a.job, a.report)
	}()
	select {
	case v := <-done:
		return v.res, v.err
	case <-ctx.Done():
	}
	t := time.NewTimer(a.r.cfg.Linger)
	defer t.Stop()
	select {
	case v := <-done:
		return v.res, v.err
	case <-t.C:
		a.log.Error("a handler does not heed the end of its context; its slot is taken from it", "cause", context.Cause(ctx))
		return job.Result{}, fmt.Errorf("%w: %w", errHanging, context.Cause(ctx))
	}
}

// abandon lets the handler drop what it holds before a failure is answered.
func (a *attempt) abandon(held context.Context, d decision) decision {
	h, ok := a.lane.Handler.(Abandoner)
	if !ok {
		return d
	}
	ctx, cancel := context.WithTimeout(held, abandonTimeout)
	defer cancel()
	err := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				a.log.Error("a handler panicked while giving up a job", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				err = fmt.Errorf("the handler panicked: %v", p)
			}
		}()
		return h.Abandon(ctx, a.job)
	}()
	switch {
	case err == nil:
		return d
	case errors.Is(context.Cause(held), errStopping):
		return decision{ending: endRelease, why: errStopping.Error()}
	}
	err = fmt.Errorf("dropping partial content before answering %s: %w", d.result.Reason, err)
	return a.rules().decide(a.job, job.Result{}, err, a.r.d.Now(), a.r.d.Rand())
}

// heartbeat keeps the lease and writes progress until stop; it calls lose when
// the row is not ours any more.
func (a *attempt) heartbeat(ctx context.Context, stop <-chan struct{}, lose context.CancelCauseFunc) {
	c := a.r.cfg
	tick := time.NewTicker(min(c.ProgressEvery, c.Heartbeat))
	defer tick.Stop()
	written, last := a.job.Progress, a.r.d.Now() // of the claim or the last heartbeat that worked
	failed := false
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		now, p := a.r.d.Now(), a.progress()
		if now.Sub(last) < c.Heartbeat && p == written && !failed {
			continue
		}
		wctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(writeTimeout, c.Heartbeat))
		err := a.r.d.Ledger.Heartbeat(wctx, a.job.ID, a.job.Fence, c.Lease, now, p)
		cancel()
		switch {
		case err == nil:
			written, last, failed = p, now, false
		case isGone(err):
			lose(job.ErrCancelled)
			return
		case a.r.d.Now().Sub(last) >= c.Lease:
			lose(errLease)
			return
		case !failed:
			failed = true
			a.log.Warn("the lease could not be prolonged; trying on", "error", err)
		}
	}
}

func isGone(err error) bool {
	return errors.Is(err, job.ErrFenced) || errors.Is(err, job.ErrNotFound)
}

// write tells the ledger how the attempt ended, once; a write that fails is
// repeated while the lease may still be ours.
func (a *attempt) write(d decision) {
	if d.ending == endVoid {
		a.ended("void", slog.LevelInfo, "work was dropped unwritten", d)
		return
	}
	pause := 50 * time.Millisecond
	giveUp := a.r.d.Now().Add(a.r.cfg.Lease / 2)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
		committed, err := a.writeOnce(ctx, d)
		cancel()
		switch {
		case err == nil:
			a.wrote(d, committed)
			return
		case isGone(err):
			a.ended("void", slog.LevelInfo, "work was dropped: the row has moved on", d)
			return
		case !a.r.d.Now().Before(giveUp):
			d.why = err.Error()
			a.ended("unwritten", slog.LevelWarn, "the end of an attempt could not be written; it is repeated when its lease is over", d)
			return
		}
		time.Sleep(pause)
		pause = min(2*pause, time.Second)
	}
}

func (a *attempt) writeOnce(ctx context.Context, d decision) (c job.Committed, err error) {
	l, id, fence := a.r.d.Ledger, a.job.ID, a.job.Fence
	switch d.ending {
	case endDone:
		return l.FinishJob(ctx, id, fence, d.result, a.r.d.Now())
	case endRetry:
		return c, l.RetryJob(ctx, id, fence, d.runAt, d.why, a.progress())
	case endSnooze:
		return c, l.SnoozeJob(ctx, id, fence, d.runAt, d.why)
	case endRelease:
		return c, l.ReleaseJob(ctx, id, fence)
	default:
		return c, l.KillJob(ctx, id, fence, d.why)
	}
}

// wrote logs and counts an ending that the ledger has.
func (a *attempt) wrote(d decision, c job.Committed) {
	switch d.ending {
	case endDone:
		a.ended(d.result.Outcome.String(), slog.LevelInfo, "job done", d)
		if a.r.d.OnFinish != nil {
			a.r.d.OnFinish(c)
		}
	case endRetry:
		a.ended("retrying", slog.LevelInfo, "attempt failed; another follows", d)
	case endSnooze:
		a.ended("snoozed", slog.LevelInfo, "job put off", d)
	case endRelease:
		a.ended("released", slog.LevelInfo, "job given back unfinished", d)
	case endDead:
		a.ended("dead", slog.LevelError, "job is dead: see it with `tidegate jobs show`, then retry or drop it", d)
	}
}

// tell traces an attempt, and the job where it ended.
func (a *attempt) tell(d decision) {
	if a.r.d.Span == nil || a.job.Trace == "" {
		return
	}
	s := job.Span{Trace: a.job.Trace, Name: "execute", Start: a.began, End: a.r.d.Now(), Request: a.job.Request, Attempt: a.job.Attempt, Error: d.why}
	if d.ending == endDone && d.result.Outcome == job.Failed {
		s.Error = d.result.Reason.String()
	}
	a.r.d.Span(s)
	if d.ending == endDone || d.ending == endDead {
		s.Name, s.Start, s.Attempt = "job", a.job.CreatedAt, 0
		a.r.d.Span(s)
	}
}

func (a *attempt) ended(how string, level slog.Level, words string, d decision) {
	a.tell(d)
	took := a.r.d.Now().Sub(a.began)
	a.r.metrics.attempts.WithLabelValues(string(a.job.Kind), how).Inc()
	a.r.metrics.seconds.WithLabelValues(string(a.job.Kind), how).Observe(took.Seconds())
	args := []any{"took", took}
	if d.ending == endDone {
		args = append(args, "outcome", d.result.Outcome.String())
		if d.result.Reason != job.ReasonNone {
			args = append(args, "reason", d.result.Reason.String())
		}
	}
	if !d.runAt.IsZero() {
		args = append(args, "next", d.runAt)
	}
	if d.why != "" {
		args = append(args, "error", d.why)
	}
	a.log.Log(context.Background(), level, words, args...)
}
