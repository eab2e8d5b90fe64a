package runner

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/executor/job"
)

func TestDecide(t *testing.T) {
	u := rules{maxAttempts: 3, maxErrors: 5, backoffBase: time.Second, backoffMax: time.Minute, margin: time.Minute}
	t0 := time.Unix(1_800_000_000, 0)
	again := &job.Fault{Reason: job.ReasonNotFound, Retry: true, Err: errors.New("nobody has it")}
	for name, c := range map[string]struct {
		j    job.Job
		res  job.Result
		err  error
		want ending
		at   time.Duration // of runAt, from t0
	}{
		"a result":                          {j: job.Job{Attempt: 1}, res: success, want: endDone},
		"an honest failure":                 {j: job.Job{Attempt: 1}, res: job.Result{Outcome: job.Failed, Reason: job.ReasonRefused}, want: endDone},
		"no outcome":                        {j: job.Job{Attempt: 1}, want: endRetry, at: time.Second},
		"failure without reason":            {j: job.Job{Attempt: 1}, res: job.Result{Outcome: job.Failed}, want: endRetry, at: time.Second},
		"failure that holds content":        {j: job.Job{Attempt: 1}, res: job.Result{Outcome: job.Failed, Reason: 1, Held: true, NodeID: "n"}, want: endRetry, at: time.Second},
		"success with reason":               {j: job.Job{Attempt: 1}, res: job.Result{Outcome: job.Succeeded, Reason: 2}, want: endRetry, at: time.Second},
		"a long answer":                     {j: job.Job{Attempt: 1}, res: job.Result{Outcome: job.Succeeded, Answer: make([]byte, 1025)}, want: endRetry, at: time.Second},
		"held nowhere":                      {j: job.Job{Attempt: 1}, res: job.Result{Outcome: job.Succeeded, Held: true}, want: endRetry, at: time.Second},
		"a fault for good":                  {j: job.Job{Attempt: 1, NotBefore: t0.Add(time.Hour)}, err: &job.Fault{Reason: job.ReasonInvalidContent, Err: errors.New("x")}, want: endDone},
		"a wrapped fault":                   {j: job.Job{Attempt: 1}, err: fmt.Errorf("pin: %w", &job.Fault{Reason: job.ReasonRefused, Err: errors.New("x")}), want: endDone},
		"a fault without a reason":          {j: job.Job{Attempt: 1}, err: &job.Fault{Err: errors.New("x")}, want: endRetry, at: time.Second},
		"a fault, first attempt":            {j: job.Job{Attempt: 1}, err: again, want: endRetry, at: time.Second},
		"a fault, second attempt":           {j: job.Job{Attempt: 2}, err: again, want: endRetry, at: 2 * time.Second},
		"a fault, last attempt":             {j: job.Job{Attempt: 3}, err: again, want: endDone},
		"a fault, last attempt, too early":  {j: job.Job{Attempt: 3, NotBefore: t0.Add(3 * time.Second)}, err: again, want: endRetry, at: 3 * time.Second},
		"a fault, too early, far off":       {j: job.Job{Attempt: 9, NotBefore: t0.Add(time.Hour)}, err: again, want: endRetry, at: time.Minute},
		"a fault, too early by a little":    {j: job.Job{Attempt: 9, NotBefore: t0.Add(time.Millisecond)}, err: again, want: endRetry, at: time.Second},
		"a fault, attempts left, time past": {j: job.Job{Attempt: 2, NotBefore: t0.Add(-time.Hour)}, err: again, want: endRetry, at: 2 * time.Second},
		"a fault, no time for another":      {j: job.Job{Attempt: 1, Deadline: t0.Add(time.Minute + time.Second), NotBefore: t0.Add(time.Minute)}, err: again, want: endDone},
		"a snooze":                          {j: job.Job{Attempt: 9}, err: &job.Snooze{For: 7 * time.Second}, want: endSnooze, at: 7 * time.Second},
		"a snooze of nothing":               {j: job.Job{Attempt: 9}, err: &job.Snooze{}, want: endSnooze, at: time.Second},
		"a snooze past the deadline":        {j: job.Job{Attempt: 9, Deadline: t0.Add(3 * time.Minute)}, err: &job.Snooze{For: time.Hour}, want: endSnooze, at: 2 * time.Minute},
		"an error":                          {j: job.Job{Attempt: 4}, err: errors.New("x"), want: endRetry, at: 8 * time.Second},
		"the last error":                    {j: job.Job{Attempt: 5, NotBefore: t0.Add(time.Hour)}, err: errors.New("x"), want: endDead},
		"an error, no time for another":     {j: job.Job{Attempt: 1, Deadline: t0.Add(time.Minute)}, err: errors.New("x"), want: endDead},
	} {
		t.Run(name, func(t *testing.T) {
			d := u.decide(c.j, c.res, c.err, t0, 0)
			if d.ending != c.want {
				t.Fatalf("ending %d, want %d (%s)", d.ending, c.want, d.why)
			}
			if c.at != 0 && !d.runAt.Equal(t0.Add(c.at)) {
				t.Errorf("next at +%s, want +%s", d.runAt.Sub(t0), c.at)
			}
		})
	}
}

// A development chain's clock may be days ahead of ours: contracts refuse what is late by
// theirs, and take what is early by ours.
func TestTimesOfJobsAreByTheContractsClock(t *testing.T) {
	const ahead = 5 * 24 * time.Hour
	u := rules{maxAttempts: 1, maxErrors: 5, backoffBase: time.Second, backoffMax: time.Minute, margin: time.Minute, ahead: ahead}
	t0 := time.Unix(1_800_000_000, 0)
	theirs := t0.Add(ahead)
	again := &job.Fault{Reason: job.ReasonNotFound, Retry: true, Err: errors.New("nobody has it")}
	if d := u.decide(job.Job{Attempt: 1, NotBefore: theirs}, job.Result{}, again, t0, 0); d.ending != endDone {
		t.Errorf("a failure that may be answered ended as %d, again at +%s", d.ending, d.runAt.Sub(t0))
	}
	if d := u.decide(job.Job{Attempt: 1, NotBefore: theirs.Add(3 * time.Second)}, job.Result{}, again, t0, 0); d.ending != endRetry || !d.runAt.Equal(t0.Add(time.Second)) {
		t.Errorf("a failure that may be answered in 3 s ended as %d, again at +%s", d.ending, d.runAt.Sub(t0))
	}
	if j := (job.Job{Deadline: theirs.Add(time.Minute)}); !u.outOfTime(j, t0) || u.outOfTime(j, t0.Add(-time.Second)) {
		t.Errorf("the last chance is %s from now", u.lastChance(j).Sub(t0))
	}
}

func TestBackoffGrowsToItsCapWithAtMostHalfOff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := rules{
			backoffBase: time.Duration(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "base")),
			backoffMax:  time.Duration(rapid.Int64Range(int64(time.Minute), int64(time.Hour)).Draw(t, "max")),
		}
		n := rapid.IntRange(-1, 1<<20).Draw(t, "attempt")
		x := rapid.Float64Range(0, 0.999).Draw(t, "random")
		full, got := u.backoff(n, 0), u.backoff(n, x)
		if got > full || got < full/2-1 || full > u.backoffMax || full < u.backoffBase-1 {
			t.Fatalf("backoff %s of %s, base %s, cap %s", got, full, u.backoffBase, u.backoffMax)
		}
		if u.backoff(n+1, 0) < full {
			t.Fatalf("it shrinks after attempt %d", n)
		}
	})
}

// Whatever handlers and the ledger do, every job ends in exactly one write that
// ends it, and no attempt in more than one.
func TestEveryJobEndsInExactlyOneFinalWrite(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(rt, "jobs")
		scripts := make([][]int, n)
		for i := range scripts {
			scripts[i] = rapid.SliceOfN(rapid.IntRange(0, 8), 1, 8).Draw(rt, fmt.Sprintf("script %d", i))
		}
		faults := rapid.SliceOfN(rapid.IntRange(0, 6), 0, 40).Draw(rt, "ledger faults")
		cancel := rapid.IntRange(0, n).Draw(rt, "cancelled job")
		cancelAfter := time.Duration(rapid.IntRange(0, 60).Draw(rt, "after")) * time.Second
		restart := time.Duration(rapid.IntRange(0, 90).Draw(rt, "restart")) * time.Second

		synctest.Test(t, func(t *testing.T) {
			l := newLedger()
			for range n {
				j := pinJob()
				j.Deadline = time.Now().Add(time.Hour)
				l.add(j)
			}
			calls := 0
			l.fail = func(string, int64) error {
				if calls++; calls <= len(faults) && faults[calls-1] == 0 {
					return errors.New("database is locked")
				}
				return nil
			}
			h := handlerFunc(func(ctx context.Context, j job.Job, report func(job.Progress)) (job.Result, error) {
				s := scripts[j.ID-1]
				return play(ctx, s[min(int(j.Fence)-1, len(s)-1)], j, report)
			})
			tune := func(c *Config, _ *Deps) { c.Lanes[0].Timeout = 20 * time.Second; c.Linger = time.Second }
			first := run(t, l, h, tune)
			if cancel > 0 {
				time.AfterFunc(cancelAfter, func() { l.cancelIfOpen(int64(cancel)) })
			}
			time.Sleep(restart)
			first.stop()
			second := run(t, l, h, tune)
			time.Sleep(2 * time.Hour)
			second.stop()
			synctest.Wait()
			for id := int64(1); id <= int64(n); id++ {
				checkEnded(t, l.get(id), int(id) == cancel)
			}
		})
	})
}

// play is one step of a handler's script.
func play(ctx context.Context, step int, j job.Job, report func(job.Progress)) (job.Result, error) {
	switch step {
	case 0:
		return success, nil
	case 1:
		return job.Result{}, errors.New("a fault of ours")
	case 2:
		return job.Result{}, &job.Fault{Reason: job.ReasonStalled, Retry: true, Err: errors.New("stalled")}
	case 3:
		return job.Result{}, &job.Fault{Reason: job.ReasonTooLarge, Err: errors.New("too large")}
	case 4:
		return job.Result{}, &job.Snooze{For: 9 * time.Minute, Why: "later"}
	case 5:
		panic("a bug")
	case 6: // until cancelled
		<-ctx.Done()
		return job.Result{}, ctx.Err()
	case 7: // slow, heeds nothing
		time.Sleep(25 * time.Second)
		return success, nil
	default:
		for i := range uint64(12) {
			report(job.Progress{Blocks: i})
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return job.Result{}, context.Cause(ctx)
			}
		}
		return success, nil
	}
}

func checkEnded(t *testing.T, r row, withdrawn bool) {
	ends := 0
	for i, f := range r.finals {
		if f == "finish" || f == "kill" {
			if ends++; i != len(r.finals)-1 {
				t.Errorf("job %d went on after its end: %v", r.ID, r.finals)
			}
		}
	}
	switch {
	case withdrawn && r.State == job.Cancelled:
		if ends != 0 {
			t.Errorf("withdrawn job %d was ended: %v", r.ID, r.finals)
		}
	case ends != 1 || (r.State != job.Done && r.State != job.Dead):
		t.Errorf("job %d is %s after %v", r.ID, r.State, r.finals)
	}
	if len(r.finals) > int(r.Fence) {
		t.Errorf("job %d: %d final writes in %d claims", r.ID, len(r.finals), r.Fence)
	}
}

// cancelIfOpen is cancel for a job that has not ended.
func (l *fakeLedger) cancelIfOpen(id int64) {
	if !l.get(id).State.Ended() {
		l.cancel(id)
	}
}
