package market

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	commcid "github.com/filecoin-project/go-fil-commcid"
	filabi "github.com/filecoin-project/go-state-types/abi"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/provider"
)

const (
	maxURLs                = 10
	maxHeaders             = 10
	minDuration            = 518400
	minVerifiedPiece       = 1 << 20
	serverError            = "Server Internal Error"
	curioInterface         = 1
	curioDealOpen    uint8 = 0
)

// refusal is why a deal is not taken: Curio's code and words.
type refusal struct {
	code   int
	reason string
}

func (r *refusal) Error() string { return r.reason }

func refuse(code int, format string, args ...any) *refusal {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// checkMK20 judges a deal as Curio does: market/mk20/utils.go (Validate), ddo_v1.go,
// mk20.go (sanitizeDDODeal). The signer is who signed the request.
func (p *Provider) checkMK20(ctx context.Context, d *MK20Deal, signer string) *refusal {
	switch {
	case d.Client == "":
		return refuse(http.StatusBadRequest, "client is empty")
	case d.Client != signer:
		return refuse(http.StatusBadRequest, "client in deal does not match client in auth header")
	}
	if r := checkProducts(&d.Products); r != nil {
		return &refusal{r.code, "products validation failed: " + r.reason}
	}
	if d.Data != nil {
		if r := checkSource(d.Data); r != nil {
			return r
		}
	}
	if r := p.checkDDO(ctx, d); r != nil {
		return r
	}
	if p.behaves(Refuse) {
		return refuse(http.StatusUnauthorized, "Client is not allowed to make deal with this provider")
	}
	if p.behaves(LiePrice) {
		return refuse(codeRejectedByMarket, "storage price per epoch less than asking price")
	}
	if r := p.checkStart(d.Products.DDOV1); r != nil {
		return r
	}
	if r := p.checkAllocation(ctx, d); r != nil {
		return r
	}
	return p.checkContract(ctx, d)
}

func checkProducts(products *MK20Products) *refusal {
	if d := products.DDOV1; d != nil {
		if r := checkTerms(d); r != nil {
			return r
		}
		switch r := products.RetrievalV1; {
		case r == nil:
			return refuse(codeProductInvalid, "retrieval v1 is required for ddo v1")
		case r.AnnouncePiece:
			return refuse(codeProductInvalid, "announce piece is not supported for ddo v1")
		}
	}
	if r := products.RetrievalV1; r != nil && !r.Indexing && r.AnnouncePayload {
		return refuse(codeProductInvalid, "deal cannot be announced to IPNI without indexing")
	}
	switch {
	case products.PDPV1 != nil:
		return refuse(codeProductDisabled, "product pdp_v1 is not enabled")
	case products.DDOV1 == nil:
		return refuse(codeProductInvalid, "no products defined")
	}
	return nil
}

func checkTerms(d *DDOV1) *refusal {
	invalid := func(reason string) *refusal { return refuse(codeProductInvalid, "%s", reason) }
	switch {
	case d.Provider.Empty():
		return invalid("provider address is not set")
	case d.StartEpoch != nil && *d.StartEpoch <= 0:
		return invalid("start epoch cannot be negative")
	case d.AllocationID != nil && *d.AllocationID == verifreg18.NoAllocationID:
		return invalid("incorrect allocation id")
	case d.AllocationID == nil && d.Duration < minDuration:
		return refuse(codeDurationTooShort, "duration must be at least %d", minDuration)
	}
	if a := d.MarketAddress; a != "" {
		switch {
		case len(a) < 2:
			return invalid("market address too short")
		case a[:2] != "0x":
			return invalid("market address must start with 0x")
		case !common.IsHexAddress(a):
			return invalid("invalid market address")
		}
	}
	switch {
	case d.NotificationAddress.Empty() && d.NotificationPayload != nil:
		return invalid("notification payload cannot be set without notification address")
	case !d.NotificationAddress.Empty() && d.NotificationPayload == nil:
		return invalid("notification payload is not set")
	}
	return nil
}

func checkSource(d *DataSource) *refusal {
	if err := checkPieceCID(d.PieceCID); err != nil {
		return refuse(http.StatusBadRequest, "%v", err)
	}
	sources := 0
	for _, set := range []bool{d.SourceHTTP != nil, d.SourceAggregate != nil, d.SourceOffline != nil, d.SourceHTTPPut != nil} {
		if set {
			sources++
		}
	}
	formats := 0
	for _, set := range []bool{d.Format.Car != nil, d.Format.Aggregate != nil, d.Format.Raw != nil} {
		if set {
			formats++
		}
	}
	switch {
	case sources > 1:
		return refuse(http.StatusBadRequest, "multiple sources defined for data source")
	case sources == 0:
		return refuse(http.StatusBadRequest, "no source defined for data source")
	case d.SourceAggregate != nil:
		return refuse(codeUnsupportedSource, "data source aggregate is not enabled")
	case d.Format.Aggregate != nil && d.Format.Aggregate.Type != 1:
		return refuse(codeMalformedSource, "aggregate type not supported")
	case d.Format.Aggregate != nil && len(d.Format.Aggregate.Sub) == 0:
		return refuse(codeMalformedSource, "no sub pieces defined under aggregate")
	case formats == 0:
		return refuse(http.StatusBadRequest, "no format defined")
	case formats > 1:
		return refuse(http.StatusBadRequest, "multiple formats defined")
	case d.SourceOffline != nil:
		return refuse(codeUnsupportedSource, "data source offline is not enabled")
	case d.SourceHTTPPut != nil:
		return refuse(codeUnsupportedSource, "data source put is not enabled")
	case len(d.SourceHTTP.URLs) == 0:
		return refuse(codeMalformedSource, "no urls defined")
	case len(d.SourceHTTP.URLs) > maxURLs:
		return refuse(codeMalformedSource, "maximum %d URLs are supported per piece", maxURLs)
	}
	for _, u := range d.SourceHTTP.URLs {
		parsed, err := url.Parse(u.URL)
		if err == nil && (parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https") {
			err = errors.New("want http or https and a host")
		}
		if err != nil {
			return refuse(http.StatusBadRequest, "invalid url: %v", err)
		}
		if len(u.Headers) > maxHeaders {
			return refuse(codeMalformedSource, "maximum %d headers are supported per piece", maxHeaders)
		}
	}
	return nil
}

func checkPieceCID(c cid.Cid) error {
	if !c.Defined() {
		return errors.New("piece cid is not defined")
	}
	if c.Prefix().Codec != cid.Raw {
		return errors.New("piece cid is not raw")
	}
	_, size, err := commcid.PieceCidV1FromV2(c)
	if err != nil {
		return fmt.Errorf("invalid piece cid: %w", err)
	}
	if size == 0 {
		return errors.New("payload size is 0")
	}
	return nil
}

// paddedSize is that of the smallest piece for so many bytes of payload: a power of two
// of which 127 parts in 128 are payload, at least 128.
func paddedSize(payload uint64) filabi.PaddedPieceSize {
	padded := filabi.PaddedPieceSize(128)
	for uint64(padded.Unpadded()) < payload {
		padded *= 2
	}
	return padded
}

// checkDDO judges what depends on the provider and the chain.
func (p *Provider) checkDDO(ctx context.Context, d *MK20Deal) *refusal {
	ddo, bad := d.Products.DDOV1, func(reason string) *refusal { return refuse(http.StatusBadRequest, "%s", reason) }
	if ddo.Provider != p.miner.Address() {
		return bad("Provider not available in Curio cluster")
	}
	if d.Data == nil {
		return bad("Data Source must be defined for a DDO deal")
	}
	_, raw, _ := commcid.PieceCidV1FromV2(d.Data.PieceCID) // checkSource did
	if paddedSize(raw) > filabi.PaddedPieceSize(p.miner.SectorSize()) {
		return bad("Deal size is larger than the miner's sector size")
	}
	if d.Data.Format.Raw != nil && d.Products.RetrievalV1.Indexing {
		return bad("Raw bytes deal cannot be indexed")
	}
	if ddo.MarketAddress != "" {
		contract, err := filecoinAddress(ddo.MarketAddress)
		if err == nil {
			_, err = p.market.chain.Resolve(ctx, contract, nil)
		}
		if err != nil {
			return bad("Market address is not valid")
		}
	}
	if a := ddo.NotificationAddress; !a.Empty() {
		if _, err := p.market.chain.Resolve(ctx, a, nil); err != nil {
			return bad("Notification address is not valid")
		}
	}
	return nil
}

// filecoinAddress is the f4 or f0 address of an 0x one.
func filecoinAddress(text string) (address.Address, error) {
	eth, err := ethtypes.ParseEthAddress(text)
	if err != nil {
		return address.Undef, err
	}
	return eth.ToFilecoinAddress()
}

func (p *Provider) checkStart(ddo *DDOV1) *refusal {
	head := p.market.chain.Head().Height()
	switch {
	case ddo.StartEpoch == nil:
		return nil
	case *ddo.StartEpoch < head:
		return refuse(http.StatusBadRequest, "Start epoch is less than the current chain height")
	case *ddo.StartEpoch < head+p.market.config.SealEpochs:
		return refuse(http.StatusBadRequest, "Start epoch is less than the current chain height plus the expected PoRep seal duration")
	}
	return nil
}

// checkAllocation judges verified data, whose allocation is the client's or the market
// contract's.
func (p *Provider) checkAllocation(ctx context.Context, d *MK20Deal) *refusal {
	ddo, bad := d.Products.DDOV1, func(reason string) *refusal { return refuse(http.StatusBadRequest, "%s", reason) }
	if ddo.AllocationID == nil {
		return nil
	}
	v1, raw, _ := commcid.PieceCidV1FromV2(d.Data.PieceCID)
	size := paddedSize(raw)
	if size < minVerifiedPiece {
		return bad("Verified piece size must be at least 1MB")
	}
	_, a, err := p.allocation(ctx, d)
	if err != nil {
		return refuse(http.StatusInternalServerError, serverError)
	}
	switch {
	case a == nil:
		return bad("Verified piece must have a valid allocation ID")
	case a.Provider != p.miner.ID():
		return bad("Allocation provider does not belong to the list of miners in Curio cluster")
	case a.Data != v1:
		return bad("Allocation data CID does not match the piece CID")
	case a.Size != size:
		return bad("Allocation size does not match the piece size")
	case a.TermMin > ddo.Duration:
		return bad("Allocation term min is greater than deal duration")
	case a.TermMax < ddo.Duration:
		return bad("Allocation term max is less than deal duration")
	case ddo.StartEpoch != nil && a.Expiration < *ddo.StartEpoch:
		return bad("Allocation expiration is less than deal start epoch")
	}
	return nil
}

// allocation is the deal's, and whose; nil if there is none.
func (p *Provider) allocation(ctx context.Context, d *MK20Deal) (filabi.ActorID, *verifreg18.Allocation, error) {
	ddo := d.Products.DDOV1
	client, err := address.NewFromString(d.Client)
	if err != nil {
		return 0, nil, err
	}
	if _, err := p.market.chain.Resolve(ctx, client, nil); err != nil {
		return 0, nil, err // Lotus has an error for an account that is no actor, and Curio then 500
	}
	owners := []address.Address{client}
	if ddo.MarketAddress != "" {
		contract, err := filecoinAddress(ddo.MarketAddress)
		if err != nil {
			return 0, nil, err
		}
		owners = append(owners, contract)
	}
	for _, owner := range owners {
		id, err := p.market.chain.Resolve(ctx, owner, nil)
		if err != nil {
			continue // who is no actor has none
		}
		all, err := p.market.fleet.Allocations(ctx, id)
		if err != nil {
			return 0, nil, err
		}
		if a, ok := all[*ddo.AllocationID]; ok {
			return id, &a, nil
		}
	}
	return 0, nil, nil
}

// curioView is the interface by which Curio asks a contract about a deal.
var curioView = func() abi.ABI {
	parsed, err := abi.JSON(strings.NewReader(`[
	{"type":"function","name":"version","stateMutability":"pure","inputs":[],"outputs":[{"type":"uint256"}]},
	{"type":"error","name":"DealNotFound","inputs":[{"name":"dealId","type":"uint256"}]},
	{"type":"function","name":"verifyDeal","stateMutability":"view","outputs":[{"type":"bool"}],"inputs":[{"name":"deal","type":"tuple","components":[
		{"name":"dealId","type":"uint256"},{"name":"state","type":"uint8"},{"name":"providerActorId","type":"uint256"},
		{"name":"clientId","type":"bytes"},{"name":"pieceCidV2","type":"bytes"},{"name":"startEpoch","type":"uint256"},
		{"name":"duration","type":"uint256"},{"name":"allocationId","type":"uint256"},{"name":"finalizedEpoch","type":"uint256"}]}]}]`))
	if err != nil {
		panic(fmt.Sprintf("market: Curio's interface: %v", err))
	}
	return parsed
}()

// dealView is the struct of verifyDeal.
type dealView struct {
	DealId          *big.Int //nolint:revive // named by the ABI
	State           uint8
	ProviderActorId *big.Int //nolint:revive // named by the ABI
	ClientId        []byte   //nolint:revive // named by the ABI
	PieceCidV2      []byte
	StartEpoch      *big.Int
	Duration        *big.Int
	AllocationId    *big.Int //nolint:revive // named by the ABI
	FinalizedEpoch  *big.Int
}

// checkContract asks the market contract whether it wants the deal.
func (p *Provider) checkContract(ctx context.Context, d *MK20Deal) *refusal {
	ddo := d.Products.DDOV1
	switch {
	case ddo.MarketAddress == "":
		return nil
	case ddo.MarketDealID == nil:
		return refuse(codeProductInvalid, "market deal id is not set")
	case !slices.Contains(p.market.allowed(), ddo.MarketAddress):
		return refuse(http.StatusBadRequest, "provider does not work with this market")
	}
	contract := common.HexToAddress(ddo.MarketAddress)
	var version *big.Int
	if err := p.call(ctx, contract, &version, "version"); err != nil {
		return refuse(http.StatusInternalServerError, serverError)
	}
	if !version.IsUint64() || version.Uint64() != curioInterface {
		return refuse(codeMarketNotEnabled, "unsupported market interface version: %v", version)
	}
	client, err := address.NewFromString(d.Client)
	if err != nil {
		return refuse(codeProductInvalid, "invalid client for market verification: %v", err)
	}
	view := dealView{
		DealId: new(big.Int).SetUint64(*ddo.MarketDealID), State: curioDealOpen, ProviderActorId: new(big.Int).SetUint64(uint64(p.miner.ID())),
		ClientId: client.Bytes(), PieceCidV2: d.Data.PieceCID.Bytes(), StartEpoch: new(big.Int), Duration: big.NewInt(int64(ddo.Duration)),
		AllocationId: new(big.Int), FinalizedEpoch: new(big.Int),
	}
	if ddo.StartEpoch != nil {
		view.StartEpoch.SetInt64(int64(*ddo.StartEpoch))
	}
	if ddo.AllocationID != nil {
		view.AllocationId.SetUint64(uint64(*ddo.AllocationID))
	}
	var wanted bool
	err = p.call(ctx, contract, &wanted, "verifyDeal", view)
	var exit *provider.ExitError
	notFound := curioView.Errors["DealNotFound"].ID
	switch {
	case errors.As(err, &exit) && bytes.HasPrefix(exit.Data, notFound[:4]):
		return refuse(codeRejectedByMarket, "deal %d not found in market", *ddo.MarketDealID)
	case err != nil:
		return refuse(http.StatusInternalServerError, serverError)
	case !wanted:
		return refuse(codeRejectedByMarket, "Deal rejected by market")
	}
	return nil
}

// call calls a view of a contract by Curio's interface.
func (p *Provider) call(ctx context.Context, contract common.Address, into any, method string, args ...any) error {
	input, err := curioView.Pack(method, args...)
	if err != nil {
		return err
	}
	output, err := p.view(ctx, contract, input)
	if err != nil {
		return err
	}
	return curioView.UnpackIntoInterface(into, method, output)
}
