package job

// Claim is a slot of PerpetualStorage that a provider has claimed, and what is known of
// handing it the deal. It is kept for as long as the claim stands. Epochs are heights.
type Claim struct {
	Slot     uint64
	Miner    uint64
	Piece    string // v1
	Deadline uint64 // epoch by which the provider must have sealed it
	DueEpoch uint64 // when it is looked at again
	Looks    int    // that led to nothing, or to an offer that failed
	Why      string // what it waits for; "" while the provider has an offer
	Alarm    string // what a person should see to; "" for nothing
}
