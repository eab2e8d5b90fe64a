package chain

import (
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
)

// RequestState is what the canonical chain says of a request.
type RequestState string

const (
	RequestOpen      RequestState = "open"
	RequestAnswered  RequestState = "answered"
	RequestRefunded  RequestState = "refunded" // after its deadline, or cancelled
	RequestRetracted RequestState = "retracted"
)

// Request is an on-chain request as its OracleRequested event describes it.
type Request struct {
	ID        common.Hash
	Chain     uint64
	Provider  common.Address
	Consumer  common.Address
	Requester common.Address // who asked the consumer; the consumer itself when the payload names nobody
	Action    uint16
	Seq       uint64
	Terms     []byte // abi-encoded Terms: what fulfill takes back
	Payload   []byte
	Context   []byte
	Deadline  time.Time
	// AttemptUntil: before it a failure other than invalid_content is refused.
	AttemptUntil time.Time

	Log Log // the creating log (Topics and Data may be empty when read back)

	State          RequestState
	Final          bool // the creating log is final
	ClosedFinal    bool
	CloseTx        common.Hash
	Outcome        job.Outcome
	Reason         job.Reason
	CallbackFailed bool
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Closing is an event that ends a request: answered or refunded.
type Closing struct {
	Request common.Hash
	State   RequestState // RequestAnswered or RequestRefunded
	Outcome job.Outcome
	Reason  job.Reason
	Log     Log
}

// Callback is a CallbackFailed (Failed true) or CallbackRetried event.
type Callback struct {
	Request common.Hash
	Failed  bool
	Log     Log
}

// Batch is one step of watching with everything that follows from it, applied
// to the ledger in one transaction.
type Batch struct {
	Update
	// Seq gives the contract's own counter of each log in Update.Logs that has
	// one, by position; -1 for none.
	Seq       []int64
	Requests  []Request
	Jobs      []job.New // at most one per request, in any order
	Closings  []Closing
	Callbacks []Callback
	// UndoAt is when compensations caused by this batch may start: a little in
	// the future, so that a re-included request can take over shared blocks.
	UndoAt time.Time
	Now    time.Time
}

// Committed says what a batch changed.
type Committed struct {
	Ready     []job.Kind // kinds that may have become claimable
	Retracted int        // logs
	Settled   int        // jobs
	Answers   bool       // an answer may have become sealable or was withdrawn
}

// Cursor is how far a filter has been read.
type Cursor struct {
	Filter    string
	Height    uint64
	Hash      common.Hash // zero when the block's header was not read
	Final     uint64
	FinalHash common.Hash
	Soft      uint64
	Head      uint64
	Frozen    string // why the money lane is frozen, "" when it is not
	Updated   time.Time
}

// Same reports whether two cursors stand at one place of one branch, with the same final
// block. Height and Hash are not enough: who accepted a reorg moved only what was final.
func (c Cursor) Same(o Cursor) bool {
	return c.Filter == o.Filter && c.Height == o.Height && c.Hash == o.Hash && c.Final == o.Final && c.FinalHash == o.FinalHash
}

// RequestFilter narrows a listing of requests; zero fields do not. Newest first.
type RequestFilter struct {
	State     RequestState
	Requester common.Address
	BeforeSeq uint64
	Limit     int // 0 for 100, at most 1000
}

// LogFilter narrows a listing of logs; zero fields do not. Oldest first.
type LogFilter struct {
	Address    common.Address
	State      LogState
	FromHeight uint64
	ToHeight   uint64 // 0 for no bound
	AfterID    int64  // only rows stored after this one: the next page
	Limit      int    // 0 for 100, at most 1000
}

// StoredLog is a log with what the ledger says of it.
type StoredLog struct {
	Log
	ID     int64 // ledger row
	Filter string
	State  LogState
	Seq    int64 // the contract's own counter; -1 for none
}

// ErrFrozen is returned when the money lane is frozen by a deep reorg.
var ErrFrozen = errors.New("the money lane is frozen")

// ErrDeepReorg is returned when a rollback would undo what was final. Nothing
// is applied; the money lane stays frozen until a person decides.
var ErrDeepReorg = errors.New("reorg below the final block")

// ErrConflictingResult is returned when a signer has signed another result of
// the same request before.
var ErrConflictingResult = errors.New("another result of this request was signed before")
