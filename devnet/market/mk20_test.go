package market_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/ipfs/go-cid"
	"github.com/ipld/go-car/v2/storage"
	"github.com/oklog/ulid/v2"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/market"
)

var sectorContentChanged = builtin.MustGenerateFRCMethodNum("SectorContentChanged")

// ofGate makes a deal one of the contract's.
func ofGate(d *market.MK20Deal, g gate, slot uint64) {
	ddo := d.Products.DDOV1
	ddo.MarketAddress, ddo.MarketDealID, ddo.NotificationAddress, ddo.NotificationPayload = g.eth.Hex(), &slot, g.addr, []byte{0x1a, 1, 0, 0, 0}
}

// A contract's deal by MK20, over a source that is cut once: taken, fetched, sealed, the
// contract notified, proven, and served back byte for byte.
func TestContractsDealByMK20(t *testing.T) {
	n := start(t, 1)
	p, g, c := n.market.Providers()[0], n.gate(), n.content(20_000, 7_777)
	n.market.Allow(g.eth)
	g.set(2, 1) // it wants the deal
	d := n.mk20(p, c, n.client().Address)
	ofGate(d, g, 16777216)
	deal := n.take(p, n.client(), d, market.Complete)

	if got := c.asked.Load(); got != 2 {
		t.Errorf("the source was asked %d times, want once more after the cut", got)
	}
	if deal.Received != uint64(len(c.car)) || deal.PieceCID != c.v1 || deal.PieceSize != c.padded {
		t.Errorf("the deal is %+v", deal)
	}
	if status := n.sectorStatus(p, deal); status != abi.SectorStatusCodeActive {
		t.Errorf("the sector has status %d", status)
	}
	heard := g.heard(sectorContentChanged)
	if len(heard) != 1 || !bytes.Contains(heard[0], []byte{0x1a, 1, 0, 0, 0}) || !bytes.Contains(heard[0], c.v1.Bytes()) {
		t.Errorf("the contract heard %x", heard)
	}
	info, err := p.Miner().Sector(n.ctx, *deal.Sector)
	n.must(err)
	if least := n.Head().Height() + 180*day; info.Expiration < least {
		t.Errorf("the sector expires at %d, the deal may end at %d", info.Expiration, least)
	}
	code, body := n.call(p, curioAuth(n.client(), time.Now()), http.MethodGet, market.MK20Path+"/status/"+d.Identifier.String(), nil)
	if code != http.StatusOK || body != `{"ddo_v1":{"status":"complete","errorMsg":""}}` {
		t.Errorf("status %d %s", code, body)
	}
	n.served(p, c)
	_, err = n.Advance(n.ctx, int(day))
	n.must(err)
	if status := n.sectorStatus(p, deal); status != abi.SectorStatusCodeActive {
		t.Errorf("a day later the sector has status %d", status)
	}
}

// served checks everything that can be had of a piece.
func (n *net) served(p *market.Provider, c *content) {
	n.Helper()
	for _, id := range []cid.Cid{c.v1, c.v2} {
		if code, body := n.get(p, "/piece/"+id.String()); code != http.StatusOK || body != string(c.car) {
			n.Errorf("piece %s: %d, %d bytes", id, code, len(body))
		}
	}
	if code, body := n.get(p, "/piece/"+c.v1.String(), "Range", "bytes=1000-1999"); code != http.StatusPartialContent || body != string(c.car[1000:2000]) {
		n.Errorf("a range: %d, %d bytes", code, len(body))
	}
	for id, data := range c.blocks {
		if code, body := n.get(p, "/ipfs/"+id.String()+"?format=raw"); code != http.StatusOK || body != string(data) {
			n.Errorf("block %s: %d, %d bytes", id, code, len(body))
		}
	}
	code, body := n.get(p, "/ipfs/"+c.root.String(), "Accept", "application/vnd.ipld.car; version=1")
	if code != http.StatusOK || body != string(c.car) {
		n.Errorf("the CAR: %d, %d bytes of %d", code, len(body), len(c.car))
	}
	_, body = n.get(p, "/ipfs/"+c.root.String()+"?format=car&dag-scope=block")
	car, err := storage.OpenReadable(strings.NewReader(body))
	n.must(err)
	for id := range c.blocks {
		if has, _ := car.Has(n.ctx, id.KeyString()); has != (id == c.root) {
			n.Errorf("block %s is in the CAR of the root alone: %v", id, has)
		}
	}
	for path, want := range map[string]int{
		"/piece/bafy": 400, "/piece/" + c.root.String(): 404, "/ipfs/nothing": 400, "/ipfs/" + c.root.String(): 400,
		"/ipfs/" + c.root.String() + "?format=car&dag-scope=entity":                    501,
		"/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy?format=raw": 404,
	} {
		if code, _ := n.get(p, path); code != want {
			n.Errorf("%s: %d, want %d", path, code, want)
		}
	}
}

// What Curio refuses is refused with its code and words.
func TestRefusalsByMK20(t *testing.T) {
	n := start(t, 1)
	p, g, c := n.market.Providers()[0], n.gate(), n.content(3_000, 0)
	other := n.gate()
	n.market.Allow(g.eth)
	head := n.Head().Height()
	epoch := func(e abi.ChainEpoch) *abi.ChainEpoch { return &e }
	allocation := func(id uint64) *verifreg18.AllocationId { a := verifreg18.AllocationId(id); return &a }
	for name, one := range map[string]struct {
		change func(*market.MK20Deal)
		code   int
		reason string
	}{
		"of another client":  {func(d *market.MK20Deal) { d.Client = n.of(chain.BLS, 0).Address.String() }, 400, "client in deal does not match client in auth header"},
		"without a client":   {func(d *market.MK20Deal) { d.Client = "" }, 400, "client is empty"},
		"without a product":  {func(d *market.MK20Deal) { d.Products.DDOV1 = nil }, 425, "products validation failed: no products defined"},
		"without retrieval":  {func(d *market.MK20Deal) { d.Products.RetrievalV1 = nil }, 425, "products validation failed: retrieval v1 is required for ddo v1"},
		"with PDP":           {func(d *market.MK20Deal) { d.Products.PDPV1 = &struct{}{} }, 424, "products validation failed: product pdp_v1 is not enabled"},
		"announcing a piece": {func(d *market.MK20Deal) { d.Products.RetrievalV1.AnnouncePiece = true }, 425, "announce piece is not supported"},
		"announcing without index": {func(d *market.MK20Deal) {
			d.Products.RetrievalV1.AnnouncePayload, d.Products.RetrievalV1.Indexing = true, false
		}, 425, "cannot be announced to IPNI without indexing"},
		"too short":             {func(d *market.MK20Deal) { d.Products.DDOV1.Duration = 518399 }, 441, "duration must be at least 518400"},
		"to nobody":             {func(d *market.MK20Deal) { d.Products.DDOV1.Provider = address.Undef }, 425, "provider address is not set"},
		"to somebody else":      {func(d *market.MK20Deal) { d.Products.DDOV1.Provider = builtin.StorageMarketActorAddr }, 400, "Provider not available in Curio cluster"},
		"payload for nobody":    {func(d *market.MK20Deal) { d.Products.DDOV1.NotificationPayload = []byte{1} }, 425, "notification payload cannot be set without notification address"},
		"nothing for a notifee": {func(d *market.MK20Deal) { d.Products.DDOV1.NotificationAddress = g.addr }, 425, "notification payload is not set"},
		"a notifee that is not": {func(d *market.MK20Deal) {
			d.Products.DDOV1.NotificationAddress, _ = address.NewSecp256k1Address([]byte("nobody"))
			d.Products.DDOV1.NotificationPayload = []byte{1}
		}, 400, "Notification address is not valid"},
		"without data":     {func(d *market.MK20Deal) { d.Data = nil }, 400, "Data Source must be defined for a DDO deal"},
		"piece CID v1":     {func(d *market.MK20Deal) { d.Data.PieceCID = c.v1 }, 400, "piece cid is not raw"},
		"without a source": {func(d *market.MK20Deal) { d.Data.SourceHTTP = nil }, 400, "no source defined for data source"},
		"two sources":      {func(d *market.MK20Deal) { d.Data.SourceOffline = &struct{}{} }, 400, "multiple sources defined"},
		"to be uploaded": {func(d *market.MK20Deal) {
			d.Data.SourceHTTP, d.Data.SourceHTTPPut = nil, &struct{}{}
		}, 422, "data source put is not enabled"},
		"without URLs":     {func(d *market.MK20Deal) { d.Data.SourceHTTP.URLs = nil }, 430, "no urls defined"},
		"no URL":           {func(d *market.MK20Deal) { d.Data.SourceHTTP.URLs[0].URL = "ftp://x/y" }, 400, "invalid url"},
		"without a format": {func(d *market.MK20Deal) { d.Data.Format.Car = nil }, 400, "no format defined"},
		"raw and indexed": {func(d *market.MK20Deal) {
			d.Data.Format = market.DataFormat{Raw: &struct{}{}}
		}, 400, "Raw bytes deal cannot be indexed"},
		"in the past":            {func(d *market.MK20Deal) { d.Products.DDOV1.StartEpoch = epoch(head - 1) }, 400, "less than the current chain height"},
		"too soon":               {func(d *market.MK20Deal) { d.Products.DDOV1.StartEpoch = epoch(head + 900) }, 400, "plus the expected PoRep seal duration"},
		"small and verified":     {func(d *market.MK20Deal) { d.Products.DDOV1.AllocationID = allocation(1) }, 400, "Verified piece size must be at least 1MB"},
		"of no contract":         {func(d *market.MK20Deal) { ofGate(d, g, 1); d.Products.DDOV1.MarketAddress = "gate" }, 425, "market address must start with 0x"},
		"without a slot":         {func(d *market.MK20Deal) { ofGate(d, g, 1); d.Products.DDOV1.MarketDealID = nil }, 425, "market deal id is not set"},
		"of an unknown contract": {func(d *market.MK20Deal) { ofGate(d, other, 1) }, 400, "provider does not work with this market"},
		"in the wrong spelling": {func(d *market.MK20Deal) {
			ofGate(d, g, 1)
			d.Products.DDOV1.MarketAddress = strings.ToLower(d.Products.DDOV1.MarketAddress)
		}, 400, "provider does not work with this market"},
		"that the contract does not want": {func(d *market.MK20Deal) { ofGate(d, g, 1) }, 426, "Deal rejected by market"},
	} {
		d := n.mk20(p, c, n.client().Address)
		one.change(d)
		code, body := n.propose(p, n.client(), d)
		if code != one.code || !strings.HasPrefix(body, "Reason: ") || !strings.Contains(body, one.reason) {
			t.Errorf("a deal %s: %d %q, want %d %q", name, code, body, one.code, one.reason)
		}
	}
	want := func(reason string, code int) {
		t.Helper()
		d := n.mk20(p, c, n.client().Address)
		ofGate(d, g, 1)
		if got, body := n.propose(p, n.client(), d); got != code || !strings.Contains(body, reason) {
			t.Errorf("%d %q, want %d %q", got, body, code, reason)
		}
	}
	g.set(2, 2)
	want("deal 1 not found in market", 426)
	g.set(4, 1)
	want("unsupported market interface version: 2", 440)
	if deals := p.Deals(); len(deals) != 0 {
		t.Errorf("refused deals were taken: %+v", deals)
	}
}

// CurioAuth: three kinds of keys, a minute of patience, this path and method alone.
func TestAuthenticationOfMK20(t *testing.T) {
	n := start(t, 1)
	p, path, now := n.market.Providers()[0], market.MK20Path+"/contracts", time.Now()
	n.market.Allow(n.gate().eth)
	for _, kind := range []chain.AccountKind{chain.Secp256k1, chain.BLS, chain.Ethereum} {
		if code, body := n.call(p, curioAuth(n.of(kind, 0), now), http.MethodGet, path, nil); code != http.StatusOK || !strings.HasPrefix(body, `{"contracts":["0x`) {
			t.Errorf("%s: %d %s", kind, code, body)
		}
	}
	me := curioAuth(n.client(), now)
	for name, sign := range map[string]signer{
		"unsigned":           nil,
		"of another path":    func(method, _ string) string { return me(method, market.MK20Path+"/products") },
		"of another method":  func(_, path string) string { return me(http.MethodPost, path) },
		"five minutes old":   curioAuth(n.client(), now.Add(-5*time.Minute)),
		"five minutes early": curioAuth(n.client(), now.Add(5*time.Minute)),
		"of another kind":    func(m, p string) string { return strings.Replace(me(m, p), "secp256k1", "ed25519", 1) },
		"cut":                func(m, p string) string { return me(m, p)[:40] },
		"of another scheme":  func(m, p string) string { return "Bearer x" },
	} {
		if code, _ := n.call(p, sign, http.MethodGet, path, nil); code != http.StatusUnauthorized {
			t.Errorf("a request %s: %d", name, code)
		}
	}
	for _, late := range []time.Duration{-time.Minute, time.Minute} {
		if code, _ := n.call(p, curioAuth(n.client(), now.Add(late)), http.MethodGet, path, nil); code != http.StatusOK {
			t.Errorf("%v late: %d", late, code)
		}
	}
	for path, want := range map[string]string{"/products": `{"products":["ddo_v1","retrieval_v1"]}`, "/sources": `{"sources":["http"]}`} {
		if code, body := n.call(p, me, http.MethodGet, market.MK20Path+path, nil); code != http.StatusOK || body != want {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

// The same ULID again is 500 without words, as Curio's data base has it; its status is
// known to its client alone, and one that never was is 401.
func TestIdentifiersOfMK20(t *testing.T) {
	n := start(t, 1)
	p, c := n.market.Providers()[0], n.content(3_000, 0)
	d := n.mk20(p, c, n.client().Address)
	n.take(p, n.client(), d, market.Complete)
	if code, body := n.propose(p, n.client(), d); code != http.StatusInternalServerError || body != "Reason:" {
		t.Errorf("again: %d %q", code, body)
	}
	if got := len(p.Deals()); got != 1 {
		t.Errorf("%d deals", got)
	}
	for name, one := range map[string]struct {
		id   string
		as   chain.Account
		code int
	}{
		"the client's": {d.Identifier.String(), n.client(), 200}, "another's": {d.Identifier.String(), n.of(chain.BLS, 0), 401},
		"none": {ulid.Make().String(), n.client(), 401}, "nonsense": {"x", n.client(), 401},
	} {
		if code, _ := n.call(p, curioAuth(one.as, time.Now()), http.MethodGet, market.MK20Path+"/status/"+one.id, nil); code != one.code {
			t.Errorf("status of %s: %d, want %d", name, code, one.code)
		}
	}
	request, err := http.NewRequest(http.MethodPost, p.Endpoints().URL+market.MK20Path+"/deal", strings.NewReader("{}"))
	n.must(err)
	request.Header.Set("Authorization", curioAuth(n.client(), time.Now())(http.MethodPost, market.MK20Path+"/deal"))
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	if code, body, _ := n.do(request); code != http.StatusBadRequest || body != "invalid content type" {
		t.Errorf("another content type: %d %s", code, body)
	}
}

// Data that is not the piece is neither sealed nor served; the status says why.
func TestWrongDataByMK20(t *testing.T) {
	n := start(t, 1)
	p, c, other := n.market.Providers()[0], n.content(3_000, 0), n.content(3_001, 0)
	for name, one := range map[string]struct {
		change func(*market.MK20Deal)
		reason string
	}{
		"other bytes": {func(d *market.MK20Deal) {
			c.car, d.Data.SourceHTTP.URLs[0].URL = append([]byte{c.car[0] ^ 1}, c.car[1:]...), c.url
		}, "commP mismatch"},
		"too many": {func(d *market.MK20Deal) { d.Data.SourceHTTP.URLs[0].URL = other.url }, "the source sends more than the deal says"},
	} {
		d := n.mk20(p, c, n.client().Address)
		one.change(d)
		deal := n.take(p, n.client(), d, market.Failed)
		if !strings.Contains(deal.Error, one.reason) || deal.Sector != nil {
			t.Errorf("%s: %+v", name, deal)
		}
		_, body := n.call(p, curioAuth(n.client(), time.Now()), http.MethodGet, market.MK20Path+"/status/"+d.Identifier.String(), nil)
		var status market.MK20Status
		n.must(json.Unmarshal([]byte(body), &status))
		if status.DDOV1.State != "failed" || !strings.Contains(status.DDOV1.ErrorMsg, one.reason) {
			t.Errorf("%s: status %s", name, body)
		}
	}
	if code, _ := n.get(p, "/piece/"+c.v1.String()); code != http.StatusNotFound {
		t.Errorf("the piece is served: %d", code)
	}
}

// A source that is gone for good is given up; a fallback is used.
func TestSourcesOfMK20(t *testing.T) {
	n := start(t, 1, func(c *market.Config) { c.Attempts = 3 })
	p, c := n.market.Providers()[0], n.content(3_000, 0)
	gone := market.HTTPURL{URL: "http://127.0.0.1:1/car"}
	d := n.mk20(p, c, n.client().Address)
	d.Data.SourceHTTP.URLs = []market.HTTPURL{gone}
	if deal := n.take(p, n.client(), d, market.Failed); !strings.Contains(deal.Error, "given up after 3 attempts") {
		t.Errorf("a source that is gone: %+v", deal)
	}
	d = n.mk20(p, c, n.client().Address)
	gone.Priority = 5
	d.Data.SourceHTTP.URLs = []market.HTTPURL{{URL: c.url, Fallback: true}, gone}
	n.take(p, n.client(), d, market.Complete)
}

// A contract that refuses to be notified has no sector, as Curio demands success.
func TestContractThatRefusesNotification(t *testing.T) {
	n := start(t, 1)
	p, g, c := n.market.Providers()[0], n.gate(), n.content(3_000, 0)
	g.set(1, 0x81, 0x81, 0xf4)
	d := n.mk20(p, c, n.client().Address)
	d.Products.DDOV1.NotificationAddress, d.Products.DDOV1.NotificationPayload = g.addr, []byte{1}
	if deal := n.take(p, n.client(), d, market.Failed); deal.Sector != nil || !strings.Contains(deal.Error, "prove sectors") {
		t.Errorf("the deal is %+v", deal)
	}
}

// Verified data: the allocation is claimed by the sector.
func TestVerifiedDealByMK20(t *testing.T) {
	n := start(t, 1)
	p, c, client := n.market.Providers()[0], n.content(1<<20, 0), n.client()
	notary := n.of(chain.Secp256k1, 2)
	n.must(n.fleet.AddNotary(n.ctx, notary.Address, big.NewInt(1<<30)))
	n.must(n.fleet.GrantDataCap(n.ctx, notary, client.Address, big.NewInt(1<<22)))
	ids, err := n.fleet.Allocate(n.ctx, client, verifreg18.AllocationRequest{
		Provider: p.Miner().ID(), Data: c.v1, Size: c.padded, TermMin: 180 * day, TermMax: 600 * day, Expiration: n.Head().Height() + 30*day,
	})
	n.must(err)
	d := n.mk20(p, c, client.Address)
	d.Products.DDOV1.Duration, d.Products.DDOV1.AllocationID = 190*day, &ids[0]
	short := *d.Products.DDOV1
	short.Duration = 100 * day
	ddo := d.Products.DDOV1
	d.Products.DDOV1 = &short
	if code, body := n.propose(p, client, d); code != 400 || !strings.Contains(body, "Allocation term min is greater than deal duration") {
		t.Errorf("shorter than the allocation: %d %s", code, body)
	}
	d.Products.DDOV1 = ddo
	deal := n.take(p, client, d, market.Complete)
	claims, err := n.fleet.Claims(n.ctx, p.Miner().ID())
	n.must(err)
	claim, ok := claims[verifreg18.ClaimId(ids[0])]
	if !ok || claim.Data != c.v1 || claim.Sector != *deal.Sector {
		t.Errorf("claims %+v", claims)
	}
}
