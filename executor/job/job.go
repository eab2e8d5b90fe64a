// Package job is the vocabulary of off-chain work: what crosses the ledger
// between the chain side, which creates jobs and reports their answers, and the
// executor, which runs them. It is a leaf: plain types, no behaviour that needs
// a database, a network or a clock of its own.
//
// It is not a queue (executor/queue), a scheduler (executor/runner) or a ledger
// (internal/store).
//
// Map:
//
//	job.go      Job, Key, Kind, Class, Payloads' envelope
//	state.go    the state machine: State, Transitions, CanMove
//	outcome.go  Outcome, Reason, Result, and the errors a handler returns
//	payload.go  typed payloads of each kind, their strict JSON form
//	piece.go    pieces: payloads, items, buckets, the bucket's state machine
//	offer.go    deals that were proposed to storage providers, their state machine
//	repair.go   pieces that are fetched back from who stores them, their state machine
//
// Invariants: a Job's key never changes; State moves only along Transitions;
// an Outcome is never a State (an honest "failed" on chain is a done job).
package job

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Kind names a lane of work. One handler package serves one kind.
type Kind string

const (
	// KindPin fetches a whole DAG and holds it for one request.
	KindPin Kind = "pin"
	// KindUnpin drops what earlier requests of the same owner hold of a CID.
	KindUnpin Kind = "unpin"
	// KindRelease drops what one request holds: the compensation of a pin whose
	// request was retracted, refunded or cancelled, and the end of an expired pin.
	KindRelease Kind = "release"
	// KindPrepare turns a DAG into the CAR of a piece and keeps it on offer.
	KindPrepare Kind = "prepare"
	// KindServed fetches a piece from an endpoint and compares it with its CID.
	KindServed Kind = "served"
	// KindStatus asks Filecoin's actors what became of a deal or a sector.
	KindStatus Kind = "status"
	// KindKeep makes a call that anyone may make for a contract when it is due.
	KindKeep Kind = "keep"
)

// Kinds lists every kind, in a fixed order.
func Kinds() []Kind {
	return []Kind{KindPin, KindUnpin, KindRelease, KindPrepare, KindServed, KindStatus, KindKeep}
}

// Lane says how settled the chain must be before a job may start.
type Lane string

const (
	LaneNow   Lane = "now"   // not tied to the chain's head: local and compensating work
	LaneSoft  Lane = "soft"  // reversible work: a few blocks behind the head
	LaneFinal Lane = "final" // irreversible work, and all that moves money
)

// Class orders work within a lane; a lower class goes first.
type Class int

const (
	// ClassUndo is compensation: it frees what nobody asks for any more.
	ClassUndo Class = 0
	// ClassPaid is work that a contract paid for.
	ClassPaid Class = 10
	// ClassLocal is work an operator asked for on the command line.
	ClassLocal Class = 20
)

// Job is one row of the ledger's job table.
type Job struct {
	ID    int64  // ledger row
	Key   string // unique; see RequestKey, LocalKey, CompensationKey
	Kind  Kind
	Class Class
	State State

	// Request names the on-chain request (0x-prefixed bytes32), "" for local work.
	Request string
	// Requester is who the lane is fair to: the consumer's requester, or "local".
	Requester string
	// Payload is the kind's payload as strict JSON (payload.go).
	Payload json.RawMessage
	// Lane says how settled the creating log must be before work may start;
	// Ready that it is. Height is where that log is, 0 for LaneNow.
	Lane   Lane
	Height uint64
	Ready  bool

	Attempt  int       // started attempts so far
	RunAt    time.Time // not claimable before
	Deadline time.Time // the request's on-chain deadline; zero for none
	// NotBefore is the earliest time at which a failure other than
	// invalid_content may be answered; zero for no limit.
	NotBefore time.Time

	// NodeID is the node that holds the content, "" until one does.
	NodeID string

	LeaseOwner string
	LeaseUntil time.Time
	// Fence grows with every claim, cancel and retraction. A write that carries
	// an older fence changes nothing.
	Fence int64

	Outcome   Outcome // set when State is done or settled
	Reason    Reason  // set when Outcome is failed
	LastError string  // words of the last failed attempt
	Progress  Progress
	Trace     string // W3C traceparent

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Progress is how far a running job is; all counts start at zero with each job,
// not with each attempt.
type Progress struct {
	Blocks  uint64 `json:"blocks"`            // blocks held so far
	Bytes   uint64 `json:"bytes"`             // unique block bytes held so far
	Known   uint64 `json:"known,omitempty"`   // blocks known to be needed
	Total   uint64 `json:"total,omitempty"`   // bytes the root claims, 0 if unknown
	Phase   string `json:"phase,omitempty"`   // connecting, fetching, committing, …
	Missing string `json:"missing,omitempty"` // a CID that is being waited for
}

// New is what intake hands to the ledger: a job that does not exist yet.
type New struct {
	Key       string
	Kind      Kind
	Class     Class
	Request   string
	Requester string
	Payload   json.RawMessage
	Lane      Lane
	Height    uint64 // of the creating log; 0 for LaneNow
	RunAt     time.Time
	Deadline  time.Time
	NotBefore time.Time
	Trace     string
}

// RequestKey is the key of the job that answers an on-chain request.
func RequestKey(chainID uint64, provider, requestID string, action uint16) string {
	return fmt.Sprintf("req:%d:%s:%s:%d", chainID, strings.ToLower(provider), strings.ToLower(requestID), action)
}

// KeepKey is the key of the job that makes a call which is due: function, its subject,
// and what makes this time another than the next.
func KeepKey(chainID uint64, contract, fn, subject, due string) string {
	return fmt.Sprintf("keep:%d:%s:%s:%s:%s", chainID, strings.ToLower(contract), fn, strings.ToLower(subject), due)
}

// LocalKey is the key of a job an operator asked for; id is a ULID.
func LocalKey(id string) string { return "local:" + id }

// ElsewherePrefix begins the keys of jobs that do on another node what a job has
// done on its own; the node's id, a slash and that job's key follow.
const ElsewherePrefix = "local:elsewhere/"

// Node is a daemon's content node, known to those that share its ledger.
type Node struct {
	ID    string    // peer id
	Addrs []string  // multiaddrs that end in /p2p/<id>
	Seen  time.Time // when its daemon last said so
}

// CompensationKey is the key of the job that undoes parent.
func CompensationKey(parent string) string { return "comp:" + parent }
