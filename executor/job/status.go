package job

// ChainStatus is what Filecoin's actors say of a deal or a sector, as IDealStatusOracle
// numbers it.
type ChainStatus uint8

// Statuses.
const (
	StatusNone ChainStatus = iota
	StatusPublished
	StatusActive
	StatusFaulty
	StatusEnded
	StatusLost
	StatusUnknown ChainStatus = 255 // they do not say
)

// String gives the name used in JSON and on the command line.
func (s ChainStatus) String() string {
	names := [...]string{"none", "published", "active", "faulty", "ended", "lost"}
	if int(s) < len(names) {
		return names[s]
	}
	return "unknown"
}

// Status is the payload of KindStatus: IDealStatusOracle's DealRef. A deal of f05, or a
// sector with a piece.
type Status struct {
	Deal       uint64   `json:"deal"`
	Miner      uint64   `json:"miner"` // 0 for a deal
	Sector     uint64   `json:"sector"`
	Commitment [32]byte `json:"commitment"`
	// Malformed marks a payload that could not be read.
	Malformed bool `json:"malformed,omitempty"`
}

// Valid reports whether it names one deal, or one sector with its piece.
func (s Status) Valid() bool {
	if s.Malformed {
		return false
	}
	if s.Miner == 0 {
		return s.Sector == 0 && s.Commitment == [32]byte{}
	}
	return s.Deal == 0
}

// StatusFound is what the actors say.
type StatusFound struct {
	Status   ChainStatus
	Location []byte // of the sector, for ValidateSectorStatus; none where there is none
	Words    string // what they said
}
