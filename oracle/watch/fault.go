package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/oracle/chain"
)

// ErrWrongChain is returned when the endpoint serves another chain id than the
// configuration names. It ends Run: no amount of waiting mends it.
var ErrWrongChain = errors.New("wrong chain")

// ErrOtherChain is returned when the ledger was filled from another chain than
// the endpoint serves, although the ids agree: a devnet that began anew. It ends
// Run.
var ErrOtherChain = errors.New("the ledger belongs to another chain")

// ErrNoFinality is returned while the endpoint does not say which block is final
// and Config.FinalityDepth does not stand in for it.
var ErrNoFinality = errors.New("the endpoint does not say what is final")

// ErrStalled is returned when the sink accepted an update and the ledger's
// cursor did not follow it.
var ErrStalled = errors.New("the ledger did not follow an update")

// FaultKind says what to do about a Fault.
type FaultKind string

const (
	FaultTransport FaultKind = "transport"  // not reached, cut off, 5xx or timed out
	FaultThrottled FaultKind = "throttled"  // 429 or its JSON-RPC forms
	FaultNullRound FaultKind = "null_round" // Filecoin: this height has no tipset
	FaultNotYet    FaultKind = "not_yet"    // beyond what this endpoint has, or not indexed yet
	FaultTooMany   FaultKind = "too_many"   // the range or its result is over a limit
	FaultGarbage   FaultKind = "garbage"    // an answer that is not what was asked for
	FaultRefused   FaultKind = "refused"    // a JSON-RPC error of another kind
)

// Fault is a failed call to an endpoint, as every Client returns it.
type Fault struct {
	Kind     FaultKind
	Endpoint string // scheme and host only: paths often hold keys
	Method   string
	Code     int           // JSON-RPC error code, 0 for none
	After    time.Duration // how long the endpoint asked to be left alone, 0 when it did not
	Err      error
}

func (f *Fault) Error() string {
	return fmt.Sprintf("%s at %s: %s: %v", f.Method, f.Endpoint, f.Kind, f.Err)
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// kindOf gives the kind of the Fault in err, "" when there is none.
func kindOf(err error) FaultKind {
	var f *Fault
	if errors.As(err, &f) {
		return f.Kind
	}
	return ""
}

// condition names the state of watching that err puts us in; it is what is
// logged when it changes.
func condition(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, chain.ErrDeepReorg):
		return "deep_reorg"
	case errors.Is(err, ErrNoFinality):
		return "no_finality"
	case errors.Is(err, ErrStalled):
		return "stalled"
	case errors.Is(err, context.DeadlineExceeded):
		return string(FaultTransport)
	}
	if k := kindOf(err); k != "" {
		return string(k)
	}
	return "failing"
}

// fatal reports whether err ends Run.
func fatal(err error) bool {
	return errors.Is(err, ErrWrongChain) || errors.Is(err, ErrOtherChain)
}

// These stand for a method in faults that we found in answers.
const (
	methodChecking = "checking answers"
	methodFinality = "following finality"
)

// errLie makes an error of an answer that contradicts itself or the chain.
func errLie(what string, args ...any) error {
	return &Fault{Kind: FaultGarbage, Endpoint: "the endpoint", Method: methodChecking, Err: fmt.Errorf(what, args...)}
}
