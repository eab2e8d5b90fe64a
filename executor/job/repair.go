package job

import "time"

// RepairState is where the fetching back of a piece is.
type RepairState string

const (
	RepairWanted   RepairState = "wanted"   // a slot needs the piece, and it is not here; nobody was asked yet
	RepairFetching RepairState = "fetching" // a provider that stores it was asked
	RepairStuck    RepairState = "stuck"    // nobody gave it; tried again, and a person should know
	RepairRestored RepairState = "restored" // it is here again
	RepairDropped  RepairState = "dropped"  // nobody needs it any more
)

// RepairStates lists every state, in the order of docs/state-machines.md.
func RepairStates() []RepairState {
	return []RepairState{RepairWanted, RepairFetching, RepairStuck, RepairRestored, RepairDropped}
}

// RepairTransitions is the whole machine; the schema's trigger holds the same. A piece may
// come back without being fetched: somebody prepares it again.
var RepairTransitions = map[RepairState][]RepairState{
	RepairWanted:   {RepairFetching, RepairStuck, RepairRestored, RepairDropped},
	RepairFetching: {RepairStuck, RepairRestored, RepairDropped},
	RepairStuck:    {RepairFetching, RepairRestored, RepairDropped},
}

// Over reports whether nothing more happens to a repair in s.
func (s RepairState) Over() bool { return s == RepairRestored || s == RepairDropped }

// Repair is the fetching back of a piece that a slot needs and that is not here any more.
// A piece has at most one that is not over.
type Repair struct {
	ID    int64
	Piece string // piece CID v1
	Deal  uint64
	Slot  uint64 // which needed it first
	Size  uint64 // bytes to fetch

	State  RepairState
	Miner  uint64 // who was asked last; 0: nobody
	Got    uint64 // bytes that came from it
	Rounds int    // times that all were asked in vain
	Words  string // what is to be said of the state
	DueAt  time.Time

	CreatedAt time.Time
	UpdatedAt time.Time
}

// RepairEvent is one step of a repair.
type RepairEvent struct {
	At    time.Time
	State RepairState
	Miner uint64 // 0: none
	Words string
}

// RepairFilter narrows a listing; zero fields do not. Newest first.
type RepairFilter struct {
	Piece string
	Live  bool      // only such as are not over
	DueBy time.Time // live ones whose time has come
	Limit int       // 0 for 100, at most 1000
}
