package job

import (
	"errors"
	"time"
)

// ErrFenced is returned by every ledger write that carries a stale fence: the
// row was claimed, cancelled or retracted since. The caller's work is void.
var ErrFenced = errors.New("fenced: the row has moved on")

// ErrNotFound is returned when the ledger has no such row.
var ErrNotFound = errors.New("not found")

// ErrConflict is returned when a row is in a state that the call cannot act on.
var ErrConflict = errors.New("conflict with the row's state")

// ClaimRequest asks the ledger for the best due job of one lane.
type ClaimRequest struct {
	Kind   Kind
	Owner  string // who holds the lease: daemon id and worker
	Lease  time.Duration
	Now    time.Time
	NodeID string // jobs on content held by another node are not offered
}

// Filter narrows a listing; zero fields do not. Newest first.
type Filter struct {
	Kind    Kind
	State   State
	Request string
	Before  int64 // only rows with a lower ID; 0 for all
	Limit   int   // 0 for 100, at most 1000
}

// Committed says what finishing a job changed besides the job: what to wake.
type Committed struct {
	Answer bool   // an answer is pending, perhaps not yet sealable
	Ready  []Kind // kinds that got a job which may be claimable now
}
