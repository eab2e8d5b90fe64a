package job

import "time"

// ProviderScore is what is known of a storage provider. Rates are from 0 to 1: (good + 1) /
// (all + 2), older things counting less, so that who is unknown has a half.
type ProviderScore struct {
	Miner     uint64  `json:"miner"`
	Score     float64 `json:"score"`     // product of the rates, and of how fast it is
	Accepted  float64 `json:"accepted"`  // offers that were taken
	Sealed    float64 `json:"sealed"`    // taken offers that became active
	Kept      float64 `json:"kept"`      // active deals that are neither lost nor faulty
	Served    float64 `json:"served"`    // random ranges of pieces that came, and were right
	Hours     float64 `json:"hours"`     // from the offer to active, on average; 0: not known
	FirstByte float64 `json:"firstByte"` // seconds until a range began to come, on average; 0: not known
	Pending   int     `json:"pending"`
	Deals     int     `json:"deals"`   // active ones
	Offers    int     `json:"offers"`  // of half a year, that all this is from
	Samples   int     `json:"samples"` // of half a year
	Why       string  `json:"why,omitempty"`
}

// ProviderInput is one thing that a score is made of.
type ProviderInput struct {
	Rate   string    `json:"rate"`   // accepted, sealed, kept, served; hours and firstByte are measures
	Good   float64   `json:"good"`   // of all, or the sum of what was measured
	All    float64   `json:"all"`    // how many
	Weight float64   `json:"weight"` // 1 when new, 8 for what was lost or not served; half after 30 days
	At     time.Time `json:"at"`
	Of     string    `json:"of"` // an offer's id, or "samples"
	Words  string    `json:"words,omitempty"`
}

// ProviderChoice is one time at which a provider was thought of for a slot.
type ProviderChoice struct {
	At     time.Time     `json:"at"`
	Deal   string        `json:"deal"` // the offer's id
	Slot   uint64        `json:"slot,string"`
	Chosen bool          `json:"chosen"`
	Place  int           `json:"place"` // among the candidates, from 1
	Of     int           `json:"of"`
	Score  ProviderScore `json:"score"` // as it stood then
}

// ProviderDetail is all that is known of a provider.
type ProviderDetail struct {
	Score        ProviderScore    `json:"score"`
	Market       string           `json:"market,omitempty"`    // MK20
	Retrieval    string           `json:"retrieval,omitempty"` // pieces by HTTP
	Addrs        []string         `json:"addrs"`               // MK12
	MinPiece     uint64           `json:"minPiece,omitempty"`  // padded bytes
	MaxPiece     uint64           `json:"maxPiece,omitempty"`
	MinRate      uint64           `json:"minRate,omitempty"` // attoFIL an epoch for a GiB
	Owner        uint64           `json:"owner,omitempty"`
	Organisation uint64           `json:"organisation,omitempty"`
	Inputs       []ProviderInput  `json:"inputs"`  // newest first
	Choices      []ProviderChoice `json:"choices"` // newest first
	Samples      []Sample         `json:"samples"` // newest first
}

// DealStats is what became of the offers of one day, week or provider.
type DealStats struct {
	Key       string         `json:"key"`       // 2026-11-22, 2026-W47 or f01004
	Attempted int            `json:"attempted"` // offers
	Accepted  int            `json:"accepted"`
	Active    int            `json:"active"`  // that ever were
	Ended     int            `json:"ended"`   // with their term served
	Pending   int            `json:"pending"` // not active yet, nor failed
	Failed    int            `json:"failed"`
	Reasons   map[string]int `json:"reasons"` // of failures, by kind
	Hours     float64        `json:"hours"`   // from the offer to active: mean
	MostHours float64        `json:"mostHours"`
}

// OnChain is what Filecoin's actors say of a deal at an epoch.
type OnChain struct {
	Status string `json:"status"` // none, published, active, faulty, ended, lost: those of IDealStatusOracle
	Epoch  uint64 `json:"epoch"`
	Words  string `json:"words"` // who says so
}
