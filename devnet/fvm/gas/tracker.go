package gas

import (
	"errors"
	"math"
)

// ErrOutOfGas is returned by a charge that the limit does not cover. All gas up to the limit is used up then.
var ErrOutOfGas = errors.New("out of gas: the charge is more than what is left of the limit; raise the gas limit")

// ErrNoLimit is returned by [Tracker.PopLimit] when no limit was pushed: a mistake of the caller, fatal to a machine.
var ErrNoLimit = errors.New("no gas limit to pop: limits must be pushed and popped in pairs")

// Tracker counts the gas of one message against its limit (ref-fvm: fvm/src/gas/mod.rs, GasTracker). It is not safe for concurrent use.
type Tracker struct {
	limit, used Gas
	saved       []snapshot
	trace       []Charge
	tracing     bool
}

type snapshot struct{ limit, used Gas }

// NewTracker starts with the limit and with gas that has been used already. A limit above 2^63-1 milligas counts as that, used above
// the limit counts as the limit. With tracing every charge is kept until [Tracker.DrainTrace].
func NewTracker(limit, used Gas, tracing bool) *Tracker {
	limit = min(limit, math.MaxInt64)
	return &Tracker{limit: limit, used: min(used, limit), tracing: tracing}
}

// Apply takes the charge, or returns [ErrOutOfGas] and leaves nothing.
func (t *Tracker) Apply(c Charge) error {
	if t.tracing {
		t.trace = append(t.trace, c)
	}
	used := t.used.Add(c.Total())
	if used > t.limit {
		t.used = t.limit
		return ErrOutOfGas
	}
	t.used = used
	return nil
}

// Charge takes gas for computation under a name; it is Apply for charges that are one number.
func (t *Tracker) Charge(name string, g Gas) error { return t.Apply(Charge{Name: name, Compute: g}) }

// PushLimit lowers the limit to at most limit from here on, and to no more than what is left: a call with a gas limit of its own.
func (t *Tracker) PushLimit(limit Gas) {
	t.saved = append(t.saved, snapshot{t.limit, t.used})
	t.limit = min(t.Available(), limit)
	t.used = 0
}

// PopLimit returns to the limit before the last PushLimit; what was used since is added to what was used before.
func (t *Tracker) PopLimit() error {
	if len(t.saved) == 0 {
		return ErrNoLimit
	}
	s := t.saved[len(t.saved)-1]
	t.saved = t.saved[:len(t.saved)-1]
	t.limit = s.limit
	t.used = t.used.Add(s.used)
	return nil
}

// Limit is the limit in force.
func (t *Tracker) Limit() Gas { return t.limit }

// Used is the gas used since the limit in force began.
func (t *Tracker) Used() Gas { return t.used }

// Available is what is left of the limit in force.
func (t *Tracker) Available() Gas { return t.limit.Sub(t.used) }

// Counter is what to put into a module's gas counter ([CounterExport]) before it goes on executing: the milligas available.
func (t *Tracker) Counter() int64 {
	if a := t.Available(); a < math.MaxInt64 {
		return int64(a)
	}
	return math.MaxInt64
}

// ChargeExec takes the gas of the instructions executed while the module's counter went from before, which [Tracker.Counter] gave, to
// after. A negative counter means that the module ran out: then ErrOutOfGas is certain (ref-fvm: fvm/src/syscalls/mod.rs,
// charge_for_exec). Call it first in every system call and when a module returns or traps.
func (t *Tracker) ChargeExec(before, after int64) error {
	return t.Charge("wasm_exec", ExecGas(before, after))
}

// ExecGas is the gas of executed instructions between two readings of a module's counter, see [Tracker.ChargeExec].
func ExecGas(before, after int64) Gas {
	start := Gas(max(before, 0))
	if after < 0 {
		return start.Add(Gas(-uint64(after)))
	}
	return start.Sub(Gas(after))
}

// DrainTrace gives the charges since the last call, oldest first; nil without tracing.
func (t *Tracker) DrainTrace() []Charge {
	out := t.trace
	t.trace = nil
	return out
}
