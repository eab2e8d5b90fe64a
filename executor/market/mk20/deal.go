package mk20

import (
	"net/http"

	"github.com/filecoin-project/go-address"
	"github.com/ipfs/go-cid"
	"github.com/oklog/ulid/v2"
)

// Deal is the body of POST /deal: curio, market/mk20/types.go, Deal. What Tidegate
// never offers (uploads, aggregates, proofs of data possession) is left out.
type Deal struct {
	Identifier ulid.ULID `json:"identifier"` // the same for the same deal, whenever it is sent
	Client     string    `json:"client"`     // the address of who asks
	Data       Data      `json:"data"`
	Products   Products  `json:"products"`
}

// Data is a CAR that the provider fetches.
type Data struct {
	PieceCID   cid.Cid    `json:"piece_cid"` // v2: it carries the size
	Format     Format     `json:"format"`
	SourceHTTP SourceHTTP `json:"source_http"`
}

// Format says what the bytes are: a CAR.
type Format struct {
	Car struct{} `json:"car"`
}

// SourceHTTP says where the bytes are.
type SourceHTTP struct {
	URLs []URL `json:"urls"`
}

// URL is one place. Lower priorities go first.
type URL struct {
	URL      string      `json:"url"`
	Headers  http.Header `json:"headers"`
	Priority int         `json:"priority"`
	Fallback bool        `json:"fallback"`
}

// Products says what is to be done with the data.
type Products struct {
	DDO       DDO       `json:"ddo_v1"`
	Retrieval Retrieval `json:"retrieval_v1"`
}

// DDO is direct data onboarding for a contract: curio, market/mk20/ddo_v1.go.
// Before a provider takes the deal it asks MarketAddress whether it should
// (verifyDeal), and its miner tells NotificationAddress of the sector.
type DDO struct {
	Provider     address.Address `json:"provider"`
	StartEpoch   *int64          `json:"start_epoch"` // active by then; nil: not said
	Duration     int64           `json:"duration"`    // epochs from the start
	AllocationID *uint64         `json:"allocation_id,omitempty"`
	// MarketAddress is the contract, as 0x….
	MarketAddress string  `json:"market_address"`
	MarketDealID  *uint64 `json:"market_deal_id"` // what it calls the deal

	NotificationAddress address.Address `json:"notification_address"`
	NotificationPayload []byte          `json:"notification_payload,omitempty"`
}

// Retrieval is what the provider serves. For direct data Curio wants it said, and
// announce_piece to be false.
type Retrieval struct {
	Indexing        bool `json:"indexing"`
	AnnouncePayload bool `json:"announce_payload"`
	AnnouncePiece   bool `json:"announce_piece"`
}
