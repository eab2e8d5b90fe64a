package job

import "time"

// Span is one part of a request's way from its event to finality, told when it is
// over. The parts, each of which may be done by another process: event (in a block,
// until its job is in the ledger), job (until it has its outcome), execute (an
// attempt), report (sealed and signed, until the sender has it), send (until its
// transaction is broadcast), final (until that is final).
type Span struct {
	// Trace is the W3C traceparent in the job's row: the trace's id, and that of its
	// first span, event.
	Trace      string
	Name       string
	Start, End time.Time
	Request    string // 0x…, "" for local work
	Attempt    int    // of execute
	Error      string // why it failed, "" where it did not
}
