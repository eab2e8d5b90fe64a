package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Outcome is the answer of a job, numbered as on chain (IExecutionProvider).
type Outcome uint8

const (
	OutcomeNone Outcome = 0
	Succeeded   Outcome = 1
	Failed      Outcome = 2
)

// String gives the name used in logs, JSON and the command line.
func (o Outcome) String() string {
	switch o {
	case Succeeded:
		return "succeeded"
	case Failed:
		return "failed"
	default:
		return "none"
	}
}

// Reason is why a job failed, a closed enum numbered as on chain.
type Reason uint8

const (
	ReasonNone           Reason = 0
	ReasonInvalidContent Reason = 1 // malformed, or a codec or hash that operators do not allow; final at once
	ReasonNotFound       Reason = 2 // no provider had even the root
	ReasonStalled        Reason = 3 // part of the DAG came, the rest did not
	ReasonTooLarge       Reason = 4 // unique or logical bytes over the cap
	ReasonTooManyBlocks  Reason = 5 // blocks, links of one block, or depth over the cap
	ReasonRefused        Reason = 6 // the operator's policy (deny list, disabled action)
	ReasonExpired        Reason = 7 // no time left before the request's deadline
	ReasonUnreachable    Reason = 8 // every origin refused or was not dialled
)

var reasonNames = [...]string{"", "invalid_content", "not_found", "stalled", "too_large", "too_many_blocks", "refused", "expired", "unreachable"}

// Reasons lists every reason but ReasonNone.
func Reasons() []Reason {
	out := make([]Reason, 0, len(reasonNames)-1)
	for i := 1; i < len(reasonNames); i++ {
		out = append(out, Reason(i))
	}
	return out
}

// String gives the name used in logs, JSON and the command line; "" for none.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// Result is what a handler gives back for a job that is answered.
type Result struct {
	Outcome Outcome
	Reason  Reason
	// Answer is the on-chain result bytes: a pure function of payload and
	// content, so that other operators can recompute it. At most 1 KiB; empty
	// for a failure.
	Answer []byte
	// Detail is for people and the API, never compared or sent on chain.
	Detail json.RawMessage
	// Held says that the node now holds content for Job.Request; NodeID is set.
	Held   bool
	NodeID string
	// ReleaseAt is when held content is to be dropped; zero for never.
	ReleaseAt time.Time
	Progress  Progress
}

// A handler returns a Result, or one of the errors below, or any other error,
// which means retry with backoff.

// ErrCancelled is returned when the job was withdrawn under the handler.
var ErrCancelled = errors.New("job cancelled")

// Snooze puts a job off without spending an attempt.
type Snooze struct {
	For time.Duration
	Why string
}

func (s *Snooze) Error() string { return fmt.Sprintf("snoozed for %s: %s", s.For, s.Why) }

// Fault is a failure of the content or the request rather than of ours: the job
// may end with this reason. Retry says whether another attempt may still help;
// the runner answers failed(reason) when attempts or time are spent, or at once
// when Retry is false.
type Fault struct {
	Reason Reason
	Retry  bool
	Err    error
}

func (f *Fault) Error() string { return fmt.Sprintf("%s: %v", f.Reason, f.Err) }
func (f *Fault) Unwrap() error { return f.Err }
