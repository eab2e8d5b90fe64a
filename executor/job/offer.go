package job

import (
	"strings"
	"time"
)

// OfferState is where a deal that was proposed to a provider is.
type OfferState string

const (
	OfferProposing    OfferState = "proposing"    // stored; the provider may or may not have it
	OfferAccepted     OfferState = "accepted"     // the provider's word, for now
	OfferTransferring OfferState = "transferring" // the provider says that it fetches the piece
	OfferSealing      OfferState = "sealing"      // the provider says that it seals
	OfferPublished    OfferState = "published"    // the contract says that f05 published the deal
	OfferActive       OfferState = "active"       // the contract says that it was shown to be stored
	OfferEnded        OfferState = "ended"        // the contract says that its term was served
	OfferFailed       OfferState = "failed"       // see Offer.Reason
)

// OfferStates lists every state, in the order of docs/state-machines.md.
func OfferStates() []OfferState {
	return []OfferState{
		OfferProposing, OfferAccepted, OfferTransferring, OfferSealing, OfferPublished, OfferActive, OfferEnded, OfferFailed,
	}
}

// OfferTransitions is the whole machine; the schema's trigger holds the same. What
// the chain says may come before what the provider says.
var OfferTransitions = map[OfferState][]OfferState{
	OfferProposing:    {OfferAccepted, OfferPublished, OfferActive, OfferFailed},
	OfferAccepted:     {OfferTransferring, OfferSealing, OfferPublished, OfferActive, OfferFailed},
	OfferTransferring: {OfferSealing, OfferPublished, OfferActive, OfferFailed},
	OfferSealing:      {OfferPublished, OfferActive, OfferFailed},
	OfferPublished:    {OfferActive, OfferFailed},
	OfferActive:       {OfferEnded, OfferFailed},
}

// Over reports whether nothing more happens to an offer in s.
func (s OfferState) Over() bool { return s == OfferEnded || s == OfferFailed }

// NeverActive is what the reason of a published offer that failed before it was active
// begins with.
const NeverActive = "never active: "

// WasPublished reports whether an f05 deal, Evidence, was published for the offer; 0
// is the number of a deal.
func (o Offer) WasPublished() bool {
	return o.Protocol == ProtocolMK12 &&
		(o.State == OfferPublished || !o.ActiveAt.IsZero() || o.Evidence > 0 || strings.HasPrefix(o.Reason, NeverActive))
}

// Pending reports whether an offer in s waits to become active.
func (s OfferState) Pending() bool { return !s.Over() && s != OfferActive }

// Protocols by which deals are proposed.
const (
	ProtocolMK12 = "mk12" // libp2p, a deal of the storage market actor
	ProtocolMK20 = "mk20" // HTTP, direct data
)

// Offer is a deal that is proposed to one provider, for one slot of
// PerpetualStorage. A slot has at most one that is not over. Epochs are heights.
type Offer struct {
	ID       string // a UUID (mk12) or ULID (mk20): what the provider knows it by
	Slot     uint64
	Miner    uint64
	Protocol string
	Piece    string // piece CID v1
	// Request is what is sent, stored before it is sent for the first time, so that
	// it is the same whenever it is sent.
	Request []byte
	// Choice is why this provider: JSON of the candidates and what was known of them.
	Choice   []byte
	Deadline uint64 // epoch by which it must be active

	State    OfferState
	Reason   string // why it failed, with the provider's words
	Attempts int    // to send it
	// DueAt is when the provider is asked next; DueEpoch is when the chain is.
	DueAt    time.Time
	DueEpoch uint64

	Evidence uint64 // f05 deal (mk12), or claim of verified data (mk20)
	Sector   uint64
	Start    uint64 // of what is paid for; 0 until it is active
	End      uint64
	Faulty   bool
	Alarm    string // what a person should see to; "" for nothing

	ActiveAt  time.Time // zero until it was seen to be active
	CreatedAt time.Time
	UpdatedAt time.Time
}

// OfferEvent is one step of an offer.
type OfferEvent struct {
	At    time.Time
	State OfferState
	Words string
}

// OfferFilter narrows a listing; zero fields do not. Newest first.
type OfferFilter struct {
	Slot  uint64
	Miner uint64
	State OfferState
	Live  bool // only such as are not over
	// DueBy and DueEpoch give live offers of which either is due: the provider's time
	// or the chain's epoch has come. Both are set together.
	DueBy    time.Time
	DueEpoch uint64
	Since    time.Time // made since then
	Brief    bool      // without Request and Choice, and all of them: to count
	Limit    int       // 0 for 100, at most 1000
}
