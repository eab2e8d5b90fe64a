package chain

// LogTransitions is the life of a log. A retracted log is seen again when the
// chain flips back to the very block it was in.
var LogTransitions = map[LogState][]LogState{
	LogSeen:      {LogFinal, LogRetracted},
	LogRetracted: {LogSeen},
}

// LogStates lists every state.
func LogStates() []LogState { return []LogState{LogSeen, LogFinal, LogRetracted} }

// RequestTransitions is the life of a request as the canonical chain tells it.
// A rollback reopens before it retracts, so a closed request has one way back.
var RequestTransitions = map[RequestState][]RequestState{
	RequestOpen:      {RequestAnswered, RequestRefunded, RequestRetracted},
	RequestAnswered:  {RequestOpen},
	RequestRefunded:  {RequestOpen},
	RequestRetracted: {RequestOpen},
}

// RequestStates lists every state.
func RequestStates() []RequestState {
	return []RequestState{RequestOpen, RequestAnswered, RequestRefunded, RequestRetracted}
}

// AnswerState is where a done job's answer is on its way to the chain.
type AnswerState string

const (
	AnswerPending   AnswerState = "pending"   // waits to be sealed
	AnswerSealed    AnswerState = "sealed"    // in a batch that is not resolved
	AnswerSettled   AnswerState = "settled"   // its request is closed for good
	AnswerWithdrawn AnswerState = "withdrawn" // its request left the chain or was refunded
)

// AnswerTransitions is the life of an answer. A withdrawn answer whose request
// comes back is deleted: the job runs again and gives another.
var AnswerTransitions = map[AnswerState][]AnswerState{
	AnswerPending: {AnswerSealed, AnswerSettled, AnswerWithdrawn},
	AnswerSealed:  {AnswerPending, AnswerSettled, AnswerWithdrawn},
}

// AnswerStates lists every state.
func AnswerStates() []AnswerState {
	return []AnswerState{AnswerPending, AnswerSealed, AnswerSettled, AnswerWithdrawn}
}

// BatchTransitions is the life of a sealed batch.
var BatchTransitions = map[BatchState][]BatchState{
	BatchSealed:    {BatchSigned, BatchFailed},
	BatchSigned:    {BatchSubmitted, BatchFailed},
	BatchSubmitted: {BatchFinal, BatchFailed},
}

// BatchStates lists every state.
func BatchStates() []BatchState {
	return []BatchState{BatchSealed, BatchSigned, BatchSubmitted, BatchFinal, BatchFailed}
}
