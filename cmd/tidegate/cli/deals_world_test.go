package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	commp "github.com/filecoin-project/go-fil-commp-hashhash"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	builtinmarket "github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/bindings/dealstatusoracle"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/devnet/chain"
	providers "github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/market/deals"
	"github.com/tidegate/tidegate/executor/market/mk12"
	"github.com/tidegate/tidegate/executor/market/mk20"
	"github.com/tidegate/tidegate/executor/piece"
	"github.com/tidegate/tidegate/internal/store"
)

// dealsWorld is deal making on a devnet with providers that speak the real protocols,
// and the local API over it, as the daemon has them.
type dealsWorld struct {
	*spWorld
	market *providers.Market
	oracle *dealstatusoracle.DealStatusOracle
	ledger *store.Store
	maker  *deals.Maker
	node   *market.Node
	api    string // URL
	url    string // where the piece is served
	sent   map[string]bool
}

func newDealsWorld(t testing.TB, count int) *dealsWorld {
	t.Helper()
	w := &dealsWorld{spWorld: newSpWorld(t), oracle: dealstatusoracle.NewDealStatusOracle(), sent: map[string]bool{}}
	var err error
	w.market, err = providers.New(w.net.Chain(), w.net.Providers(), providers.Config{RetryPause: time.Millisecond})
	w.must(err)
	t.Cleanup(func() { w.must(w.market.Close()) })
	for range count {
		_, err := w.market.Create(w.ctx, provider.Creation{})
		w.must(err)
	}
	w.ledger, err = store.Open(w.ctx, store.Config{Path: ":memory:"})
	w.must(err)
	t.Cleanup(func() { w.must(w.ledger.Close()) })
	w.serveBytes(bytes.Repeat([]byte("tidegate"), 250))
	w.node, err = market.Open(w.ctx, market.Endpoint{URL: w.net.HTTPURL()})
	w.must(err)
	t.Cleanup(w.node.Close)
	return w
}

// serveBytes makes these bytes the piece, and serves it.
func (w *dealsWorld) serveBytes(b []byte) {
	w.Helper()
	calc := new(commp.Calc)
	_, err := calc.Write(b)
	w.must(err)
	raw, padded, err := calc.Digest()
	w.must(err)
	w.piece = piece.Commitment{Root: [32]byte(raw), Padded: padded, Payload: uint64(len(b))}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		http.ServeContent(rw, q, "", time.Time{}, bytes.NewReader(b))
	}))
	w.Cleanup(srv.Close)
	w.url = srv.URL + "/piece/"
}

// begin makes the maker, who knows the providers that there are, and its API.
func (w *dealsWorld) begin() {
	w.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay(), libp2p.DisableMetrics())
	w.must(err)
	w.Cleanup(func() { w.must(h.Close()) })
	key, err := crypto.GenerateKey()
	w.must(err)
	identity, err := mk20.NewIdentity(key)
	w.must(err)
	cfg := deals.Config{Storage: w.at, MaxRange: 2000, Poll: time.Second, MaxPending: 8, PublishWithin: 2000, Activate: true}
	for _, p := range w.market.Providers() {
		e := p.Endpoints()
		known, err := deals.ParseProvider(fmt.Sprintf("f0%d %s %s", e.ID, e.URL, e.Multiaddr))
		w.must(err)
		cfg.Providers = append(cfg.Providers, known)
	}
	w.maker, err = deals.New(cfg, deals.Deps{
		Ledger: w.ledger, Chain: w, Pieces: w, MK12: mk12.NewClient(streams{h}), MK20: mk20.NewClient(plainly{}, identity, time.Now),
		Node: w.node, Client: identity.Address().String(), Send: w.once, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	w.must(err)
	api, err := httpapi.New(httpapi.Config{Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", KeyFile: w.TB.TempDir() + "/api.key"}, httpapi.Deps{Deals: shown{w.ledger, w.maker}})
	w.must(err)
	w.Cleanup(func() { w.must(api.Close()) })
	srv := httptest.NewServer(api.Handler())
	w.Cleanup(srv.Close)
	w.api = srv.URL
}

// shown is the deals as the daemon gives them to its API.
type shown struct {
	*store.Store
	maker *deals.Maker
}

func (s shown) OnChain(ctx context.Context, o job.Offer) (job.OnChain, error) {
	return s.maker.OnChain(ctx, o)
}
func (s shown) Rank(ctx context.Context) ([]job.ProviderScore, error) { return s.maker.Rank(ctx) }
func (s shown) Provider(ctx context.Context, miner uint64) (job.ProviderDetail, error) {
	return s.maker.Show(ctx, miner)
}
func (s shown) Stats(ctx context.Context, by string, days int) ([]job.DealStats, error) {
	return s.maker.Stats(ctx, by, days)
}

type streams struct{ h host.Host }

func (s streams) Stream(ctx context.Context, addrs []string, protocols ...protocol.ID) (network.Stream, error) {
	info, err := peer.AddrInfoFromString(addrs[0])
	if err != nil {
		return nil, err
	}
	if err := s.h.Connect(ctx, *info); err != nil {
		return nil, err
	}
	return s.h.NewStream(ctx, info.ID, protocols...)
}

type plainly struct{}

func (plainly) Ask(_ context.Context, req *http.Request) (*http.Response, bool, error) {
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	return res, true, err
}

// Final implements deals.Chain: on this chain nothing is taken back unless a test does it.
func (w *dealsWorld) Final(ctx context.Context) (uint64, error) { return w.client.BlockNumber(ctx) }

// Head implements market.Chain.
func (w *dealsWorld) Head(ctx context.Context) (uint64, error) { return w.client.BlockNumber(ctx) }

// Call implements deals.Chain and market.Chain.
func (w *dealsWorld) Call(ctx context.Context, to common.Address, data []byte, height uint64) ([]byte, error) {
	return w.client.CallContract(ctx, ethereum.CallMsg{To: &to, Data: data}, new(big.Int).SetUint64(height))
}

// Logs implements deals.Chain.
func (w *dealsWorld) Logs(ctx context.Context, from, to uint64, of ...common.Address) (out []deals.Log, err error) {
	logs, err := w.client.FilterLogs(ctx, ethereum.FilterQuery{FromBlock: new(big.Int).SetUint64(from), ToBlock: new(big.Int).SetUint64(to), Addresses: of})
	for _, l := range logs {
		out = append(out, deals.Log{Topics: l.Topics})
	}
	return out, err
}

// Piece implements deals.Pieces.
func (w *dealsWorld) Piece(_ context.Context, id string) (deals.Piece, error) {
	if id != w.piece.CID().String() {
		return deals.Piece{}, job.ErrNotFound
	}
	return deals.Piece{Root: cid.NewCidV1(cid.Raw, w.content()[2:]).String(), Size: w.piece.Payload}, nil
}

// content is the CID of spWorld's deals.
func (w *dealsWorld) content() []byte {
	return append([]byte{0x01, 0x55, 0x12, 0x20}, crypto.Keccak256([]byte{1})...)
}

// once sends a call once a key.
func (w *dealsWorld) once(_ context.Context, key string, to common.Address, data []byte) error {
	if !w.sent[key] {
		w.sent[key] = true
		w.send(w.net.Accounts()[5], to, nil, data)
	}
	return nil
}

// look has the maker pass once over what is due, and the keepers do what is due to
// anybody. What a pass could not do is left to the next, as in the daemon.
func (w *dealsWorld) look() {
	w.Helper()
	if err := w.maker.Pass(w.ctx); err != nil {
		w.Logf("a pass: %v", err)
	}
	head, err := w.Head(w.ctx)
	w.must(err)
	due, err := market.NewStorage(w, w.at).Due(w.ctx, head)
	w.must(err)
	for _, d := range due {
		w.must(w.once(w.ctx, d.Fn+d.Subject+d.At, d.Call.To, d.Call.Data))
	}
}

// until looks until done, at most n times, with so many epochs between.
func (w *dealsWorld) until(what string, n, epochs int, done func() bool) {
	w.Helper()
	for range n {
		if w.look(); done() {
			return
		}
		w.pass(epochs)
		time.Sleep(20 * time.Millisecond) // the providers work by themselves; nothing is judged by this
	}
	all, err := w.ledger.Offers(w.ctx, job.OfferFilter{})
	w.must(err)
	for _, o := range all {
		w.Logf("%s slot %d miner %d %s %s %q alarm %q", o.ID, o.Slot, o.Miner, o.Protocol, o.State, o.Reason, o.Alarm)
	}
	w.Fatalf("%s: it did not come about", what)
}

// order is a deal of the piece, vouched for.
func (w *dealsWorld) order(replicas uint8) uint64 {
	w.Helper()
	t := terms(replicas)
	t.Endpoint, t.RenewWindow = w.url, 30*day
	return w.deal(t, new(big.Int).Mul(big.NewInt(100), big.NewInt(1e18)))
}

// offer is the newest of a miner.
func (w *dealsWorld) offer(miner abi.ActorID) (o job.Offer, found bool) {
	w.Helper()
	all, err := w.ledger.Offers(w.ctx, job.OfferFilter{Miner: uint64(miner), Limit: 1})
	w.must(err)
	if len(all) == 0 {
		return o, false
	}
	return all[0], true
}

// show is `tidegate deals show --json`.
func (w *dealsWorld) show(id string) (d httpapi.DealDetail) {
	w.Helper()
	var out, errOut bytes.Buffer
	args := []string{"tidegate", "deals", "show", "--api", w.api, "--data-dir", w.TB.TempDir(), "--json", id}
	if code := run(w.ctx, context.Background(), args, &out, &errOut); code != 0 {
		w.Fatalf("deals show %s: code %d: %s", id, code, errOut.String())
	}
	w.must(json.Unmarshal(out.Bytes(), &d))
	return d
}

// slot is one as the contract has it.
func (w *dealsWorld) slot(id uint64) perpetualstorage.SlotView {
	w.Helper()
	v, err := bind.Call(w.storage.Instance(w.client, w.at), &bind.CallOpts{Context: w.ctx}, w.storage.PackSlotOf(id), w.storage.UnpackSlotOf)
	w.must(err)
	return v
}

// status has DealStatusOracle ask the actors, and gives what it stored.
func (w *dealsWorld) status(ref dealstatusoracle.DealRef, location []byte) uint8 {
	w.Helper()
	at := w.made.Contracts["DealStatusOracle"]
	w.send(w.net.Accounts()[4], at, nil, w.oracle.PackRefresh(ref, location))
	got, err := bind.Call(w.oracle.Instance(w.client, at), &bind.CallOpts{Context: w.ctx}, w.oracle.PackStatusOf(ref), w.oracle.UnpackStatusOf)
	w.must(err)
	return got.Status
}

// getters are what the three getters of f05 answer for a deal: their exit codes, and since when
// it is active, −1 for never.
type getters struct {
	term, activation, sector exitcode.ExitCode
	since                    abi.ChainEpoch
}

// f05 asks the market actor.
func (w *dealsWorld) f05(deal uint64) (out getters) {
	w.Helper()
	id := cbg.CborInt(deal)
	code := func(method abi.MethodNum) (exitcode.ExitCode, []byte) {
		b, err := w.net.Providers().Query(w.ctx, w.net.Chain().Accounts()[0].Address, provider.Call{To: builtin.StorageMarketActorAddr, Method: method, Params: &id})
		var exit *provider.ExitError
		if errors.As(err, &exit) {
			return exit.Code, nil
		}
		w.must(err)
		return exitcode.Ok, b
	}
	var activation []byte
	out.term, _ = code(builtin.MethodsMarket.GetDealTermExported)
	out.activation, activation = code(builtin.MethodsMarket.GetDealActivationExported)
	out.sector, _ = code(builtin.MustGenerateFRCMethodNum("GetDealSector"))
	if activation != nil {
		var a builtinmarket.GetDealActivationReturn
		w.must(a.UnmarshalCBOR(bytes.NewReader(activation)))
		if out.since = a.Activated; out.since > 0 {
			out.since = 0 // any epoch
		}
	}
	return out
}

func hexKey(a chain.Account) string { return fmt.Sprintf("%x", a.Key.KeyInfo().PrivateKey) }

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }
