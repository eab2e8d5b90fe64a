package runner

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// ending is what the ledger is told of an attempt.
type ending int

const (
	endDone    ending = iota // FinishJob with result
	endRetry                 // RetryJob at runAt
	endSnooze                // SnoozeJob until runAt
	endDead                  // KillJob
	endRelease               // ReleaseJob: the attempt does not count
	endVoid                  // no write: the fence is gone, or another will claim the row
)

type decision struct {
	ending ending
	result job.Result
	runAt  time.Time
	why    string
}

// rules are what decide needs to know of a lane.
type rules struct {
	maxAttempts, maxErrors  int
	backoffBase, backoffMax time.Duration
	margin                  time.Duration // before the deadline
	ahead                   time.Duration // of our clock is the one by which jobs' times are
}

// lastChance is when a job with a deadline has no time left; zero for never.
func (u rules) lastChance(j job.Job) time.Time {
	if j.Deadline.IsZero() {
		return time.Time{}
	}
	return j.Deadline.Add(-u.margin - u.ahead)
}

// mayFail is when a job's failure may be answered.
func (u rules) mayFail(j job.Job) time.Time { return j.NotBefore.Add(-u.ahead) }

func (u rules) outOfTime(j job.Job, at time.Time) bool {
	last := u.lastChance(j)
	return !last.IsZero() && !at.Before(last)
}

// decide says how an attempt at j that returned res and err ends. random is in
// [0, 1).
func (u rules) decide(j job.Job, res job.Result, err error, now time.Time, random float64) decision {
	if err == nil {
		if err = checkResult(res); err == nil {
			return decision{ending: endDone, result: res}
		}
	}
	if s, ok := errors.AsType[*job.Snooze](err); ok {
		at := now.Add(max(s.For, u.backoffBase))
		if last := u.lastChance(j); !last.IsZero() && at.After(last) {
			at = later(last, now) // claimed then, it fails as expired
		}
		return decision{ending: endSnooze, runAt: at, why: s.Why}
	}
	f, ok := errors.AsType[*job.Fault](err)
	if ok && knownReason(f.Reason) {
		return u.decideFault(j, f, now, random)
	}
	next := now.Add(u.backoff(j.Attempt, random))
	if j.Attempt >= u.maxErrors || u.outOfTime(j, next) {
		return decision{ending: endDead, why: err.Error()}
	}
	return decision{ending: endRetry, runAt: next, why: err.Error()}
}

func (u rules) decideFault(j job.Job, f *job.Fault, now time.Time, random float64) decision {
	failed := decision{ending: endDone, result: job.Result{Outcome: job.Failed, Reason: f.Reason}, why: f.Error()}
	if !f.Retry {
		return failed
	}
	next := now.Add(u.backoff(j.Attempt, random))
	if j.Attempt >= u.maxAttempts {
		from := u.mayFail(j)
		if !now.Before(from) {
			return failed
		}
		// The failure may not be answered yet: one more try then, or before.
		if next.After(from) {
			next = later(from, now.Add(u.backoffBase))
		}
	}
	if u.outOfTime(j, next) {
		return failed
	}
	return decision{ending: endRetry, runAt: next, why: f.Error()}
}

// backoff is the pause after attempt (counted from 1): between half of and the
// whole of base·2^(attempt−1), capped.
func (u rules) backoff(attempt int, random float64) time.Duration {
	d := float64(u.backoffBase) * math.Pow(2, float64(min(max(attempt, 1), 60)-1))
	d = min(d, float64(u.backoffMax))
	return time.Duration(d * (1 - random/2))
}

// expired is the answer of a job whose time is over.
func expired() job.Result { return job.Result{Outcome: job.Failed, Reason: job.ReasonExpired} }

func knownReason(r job.Reason) bool {
	for _, k := range job.Reasons() {
		if r == k {
			return true
		}
	}
	return false
}

// checkResult refuses what the ledger and the contract would refuse.
func checkResult(r job.Result) error {
	switch {
	case r.Outcome != job.Succeeded && r.Outcome != job.Failed:
		return fmt.Errorf("the handler returned a result without an outcome")
	case r.Outcome == job.Succeeded && r.Reason != job.ReasonNone:
		return fmt.Errorf("the handler returned a success with reason %s", r.Reason)
	case r.Outcome == job.Failed && !knownReason(r.Reason):
		return fmt.Errorf("the handler returned a failure with reason %d", r.Reason)
	case r.Outcome == job.Failed && (len(r.Answer) > 0 || r.Held):
		return fmt.Errorf("the handler returned a failure with an answer or held content")
	case len(r.Answer) > 1024:
		return fmt.Errorf("the handler returned an answer of %d bytes, at most 1024 fit", len(r.Answer))
	case r.Held && r.NodeID == "":
		return fmt.Errorf("the handler holds content on a node without a name")
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
