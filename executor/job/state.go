package job

// State is where a job is in its life.
type State string

const (
	Available State = "available" // may be claimed once RunAt has passed
	Running   State = "running"   // claimed under a lease
	Retrying  State = "retrying"  // failed; will be tried again at RunAt, spends an attempt
	Snoozed   State = "snoozed"   // put off to RunAt without spending an attempt
	Done      State = "done"      // has an Outcome; its answer may still be on its way
	Settled   State = "settled"   // the closing event is final on chain (only watch settles)
	Cancelled State = "cancelled" // withdrawn before it was done: retraction, refund, operator
	Orphaned  State = "orphaned"  // done, and then its request vanished from the chain
	Dead      State = "dead"      // no answer without a person: attempts spent on our own faults
)

// States lists every state, in the order of docs/state-machines.md.
func States() []State {
	return []State{Available, Running, Retrying, Snoozed, Done, Settled, Cancelled, Orphaned, Dead}
}

// Transitions is the whole machine. The schema's trigger on the job table holds
// the same edges; a test compares the two.
var Transitions = map[State][]State{
	Available: {Running, Cancelled},
	Running:   {Done, Retrying, Snoozed, Available, Cancelled, Dead},
	Retrying:  {Running, Cancelled, Available},
	Snoozed:   {Running, Cancelled, Available},
	Done:      {Settled, Orphaned},
	Settled:   {Orphaned},
	Cancelled: {Available, Settled},
	Orphaned:  {Available, Settled},
	Dead:      {Available, Cancelled, Settled},
}

// CanMove reports whether the machine has the edge from → to.
func CanMove(from, to State) bool {
	for _, s := range Transitions[from] {
		if s == to {
			return true
		}
	}
	return false
}

// Claimable reports whether a job in s may be claimed once its RunAt has passed.
func (s State) Claimable() bool { return s == Available || s == Retrying || s == Snoozed }

// Ended reports whether nothing more happens to a job in s unless the chain
// changes its mind or a person acts.
func (s State) Ended() bool {
	return s == Done || s == Settled || s == Cancelled || s == Orphaned || s == Dead
}
