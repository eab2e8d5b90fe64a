package job

import "time"

// Sample is one attempt at fetching a random range of a piece from a provider that is
// paid to store it.
type Sample struct {
	At        time.Time     `json:"at"`
	Miner     uint64        `json:"miner"`
	Slot      uint64        `json:"slot,string"`
	Piece     string        `json:"pieceCid"` // v1
	URL       string        `json:"url"`
	Offset    uint64        `json:"offset"` // of the range in the payload
	Length    uint64        `json:"length"`
	Good      bool          `json:"good"` // it came, whole, and its Merkle path ends in the piece's commitment
	FirstByte time.Duration `json:"firstByteNs"`
	Took      time.Duration `json:"tookNs"`
	Words     string        `json:"words,omitempty"` // what was wrong
}

// SampleFilter narrows a listing; zero fields do not. Newest first.
type SampleFilter struct {
	Miner uint64
	Since time.Time
	Limit int // 0 for 100, at most 1000
}

// SampleDay is what became of a provider's samples of one day, UTC.
type SampleDay struct {
	Miner     uint64
	Day       time.Time // its begin
	Good, Bad int
	FirstByte time.Duration // of the good ones, on average
}
