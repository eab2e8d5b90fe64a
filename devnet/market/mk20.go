package market

import (
	"net/http"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/ipfs/go-cid"
	"github.com/oklog/ulid/v2"
)

// MK20Version is the version of Curio's OpenAPI document that is spoken here
// (curio market/mk20/http/http.go), MK20Path the path below which it is.
const (
	MK20Version = "1.0.0"
	MK20Path    = "/market/mk20"
)

// MK20Deal is the body of POST /deal: mk20.Deal of that document and of curio
// market/mk20/types.go, as are all types here.
type MK20Deal struct {
	Identifier ulid.ULID    `json:"identifier"`
	Client     string       `json:"client"`
	Data       *DataSource  `json:"data,omitempty"`
	Products   MK20Products `json:"products"`
}

// DataSource says which piece it is, its format, and where it comes from.
type DataSource struct {
	PieceCID        cid.Cid     `json:"piece_cid"` // v2
	Format          DataFormat  `json:"format"`
	SourceHTTP      *HTTPSource `json:"source_http,omitempty"`
	SourceAggregate *struct{}   `json:"source_aggregate,omitempty"`
	SourceOffline   *struct{}   `json:"source_offline,omitempty"`
	SourceHTTPPut   *struct{}   `json:"source_http_put,omitempty"`
}

// DataFormat has one of the formats set.
type DataFormat struct {
	Car       *struct{}        `json:"car,omitempty"`
	Aggregate *AggregateFormat `json:"aggregate,omitempty"`
	Raw       *struct{}        `json:"raw,omitempty"`
}

// AggregateFormat is a piece of pieces, by FRC-0058 if its type is 1.
type AggregateFormat struct {
	Type int          `json:"type"`
	Sub  []DataSource `json:"sub"`
}

// HTTPSource is where the data can be fetched, at any of the URLs.
type HTTPSource struct {
	URLs []HTTPURL `json:"urls"`
}

// HTTPURL is tried before those of higher priority numbers, and before all fallbacks.
type HTTPURL struct {
	URL      string      `json:"url"`
	Headers  http.Header `json:"headers"`
	Priority int         `json:"priority"`
	Fallback bool        `json:"fallback"`
}

// MK20Products are what is wanted of the provider.
type MK20Products struct {
	DDOV1       *DDOV1       `json:"ddo_v1,omitempty"`
	RetrievalV1 *RetrievalV1 `json:"retrieval_v1,omitempty"`
	PDPV1       *struct{}    `json:"pdp_v1,omitempty"`
}

// DDOV1 is direct data onboarding: a sector, and who is told of it.
type DDOV1 struct {
	Provider            address.Address          `json:"provider"`
	StartEpoch          *abi.ChainEpoch          `json:"start_epoch"`
	Duration            abi.ChainEpoch           `json:"duration"`
	AllocationID        *verifreg18.AllocationId `json:"allocation_id,omitempty"`
	MarketAddress       string                   `json:"market_address"` // 0x…
	MarketDealID        *uint64                  `json:"market_deal_id"`
	NotificationAddress address.Address          `json:"notification_address"`
	NotificationPayload []byte                   `json:"notification_payload,omitempty"`
}

// RetrievalV1 says how the data is to be found.
type RetrievalV1 struct {
	Indexing        bool `json:"indexing"`
	AnnouncePayload bool `json:"announce_payload"`
	AnnouncePiece   bool `json:"announce_piece"`
}

// MK20Status answers GET /status: per product.
type MK20Status struct {
	DDOV1 *ProductStatus `json:"ddo_v1,omitempty"`
}

// ProductStatus is accepted, processing, sealing, indexing, failed or complete.
type ProductStatus struct {
	State    string `json:"status"`
	ErrorMsg string `json:"errorMsg"`
}

// Codes of answers that are HTTP's own in no other place.
const (
	codeMalformedSource   = 430
	codeUnsupportedSource = 422
	codeProductDisabled   = 424
	codeProductInvalid    = 425
	codeRejectedByMarket  = 426
	codeMarketNotEnabled  = 440
	codeDurationTooShort  = 441
)
