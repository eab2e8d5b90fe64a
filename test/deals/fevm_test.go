package deals

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/filecoin-project/go-fil-commp-hashhash"
	"github.com/ipfs/go-cid"
	cbor "github.com/ipfs/go-ipld-cbor"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multihash"

	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/devnet"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/job"
	filecoin "github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/market/deals"
	"github.com/tidegate/tidegate/executor/market/mk12"
	"github.com/tidegate/tidegate/executor/market/mk20"
	"github.com/tidegate/tidegate/executor/piece"
	"github.com/tidegate/tidegate/internal/store"
	oraclechain "github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/report"
)

// real is deal making on a real FEVM: the deployed contracts, providers that speak the
// real protocols, and the real ledger.
type real struct {
	testing.TB
	ctx     context.Context
	net     *devnet.Devnet
	client  *ethclient.Client
	made    deploy.Deployment
	at      common.Address
	storage *perpetualstorage.PerpetualStorage
	market  *market.Market
	ledger  *store.Store
	maker   *deals.Maker
	mk12    *mk12.Client
	us      string // as MK20 providers know us
	car     []byte
	root    cid.Cid
	piece   piece.Commitment
	sent    map[string]bool
	now     time.Time
	epochs  int // between two passes
}

func (r *real) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func newReal(t testing.TB, providers int) *real { return newRealFor(t, providers, 100*time.Second) }

// newRealFor is newReal for tests that may take so long.
func newRealFor(t testing.TB, providers int, limit time.Duration) *real {
	t.Helper()
	r := &real{TB: t, storage: perpetualstorage.NewPerpetualStorage(), sent: map[string]bool{}, epochs: 5, now: time.Unix(1_800_000_000, 0)}
	var cancel context.CancelFunc
	r.ctx, cancel = context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	r.net = devnet.Start(t, func(c *devnet.Config) { c.Unmetered = true })
	var err error
	r.client, err = ethclient.DialContext(r.ctx, r.net.HTTPURL())
	r.must(err)
	t.Cleanup(r.client.Close)
	r.made, err = deploy.OnDevnet(r.ctx, r.client, r.net.Accounts()[0].Key(), r.net.Accounts()[1].Address)
	r.must(err)
	r.at = r.made.Contracts["PerpetualStorage"]
	r.market, err = market.New(r.net.Chain(), r.net.Providers(), market.Config{RetryPause: time.Millisecond})
	r.must(err)
	t.Cleanup(func() { r.must(r.market.Close()) })
	for range providers {
		_, err := r.market.Create(r.ctx, provider.Creation{})
		r.must(err)
	}
	r.ledger, err = store.Open(r.ctx, store.Config{Path: ":memory:"})
	r.must(err)
	t.Cleanup(func() { r.must(r.ledger.Close()) })
	r.content(2700)
	r.maker = r.newMaker()
	return r
}

// content makes a CAR of one block of about so many bytes.
func (r *real) content(size int) {
	r.Helper()
	block := bytes.Repeat([]byte("tidegate "), size/9)
	r.car = nil
	sum, err := multihash.Sum(block, multihash.SHA2_256, -1)
	r.must(err)
	r.root = cid.NewCidV1(cid.Raw, sum)
	head, err := cbor.DumpObject(map[string]any{"roots": []cid.Cid{r.root}, "version": uint64(1)})
	r.must(err)
	for _, part := range [][]byte{head, append(r.root.Bytes(), block...)} {
		r.car = append(binary.AppendUvarint(r.car, uint64(len(part))), part...)
	}
	calc := new(commp.Calc)
	_, err = calc.Write(r.car)
	r.must(err)
	raw, padded, err := calc.Digest()
	r.must(err)
	r.piece = piece.Commitment{Root: [32]byte(raw), Padded: padded, Payload: uint64(len(r.car))}
}

func (r *real) newMaker() *deals.Maker {
	r.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay(), libp2p.DisableMetrics())
	r.must(err)
	r.Cleanup(func() { r.must(h.Close()) })
	key, err := crypto.GenerateKey()
	r.must(err)
	identity, err := mk20.NewIdentity(key)
	r.must(err)
	node, err := filecoin.Open(r.ctx, filecoin.Endpoint{URL: r.net.HTTPURL()})
	r.must(err)
	r.Cleanup(node.Close)
	r.us = identity.Address().String()
	r.mk12 = mk12.NewClient(streams{h})
	m, err := deals.New(deals.Config{Storage: r.at, MaxRange: 2000, Poll: time.Second, MaxPending: 8, PublishWithin: 2000, Activate: true, Providers: r.reach()}, deals.Deps{
		Ledger: r.ledger, Chain: r, Pieces: r, MK12: r.mk12, MK20: mk20.NewClient(plain{}, identity, time.Now),
		Node: node, Funds: node, Client: identity.Address().String(), Send: r.keep, Now: func() time.Time { return r.now }, Log: slog.New(slog.DiscardHandler),
	})
	r.must(err)
	return m
}

// reach is where the providers are, as an operator configures them.
func (r *real) reach() (out []deals.Provider) {
	r.Helper()
	for _, p := range r.market.Providers() {
		e := p.Endpoints()
		got, err := deals.ParseProvider(fmt.Sprintf("f0%d %s %s", e.ID, e.URL, e.Multiaddr))
		r.must(err)
		out = append(out, got)
	}
	return out
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

type plain struct{}

func (plain) Ask(_ context.Context, req *http.Request) (*http.Response, bool, error) {
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	return res, true, err
}

// Final implements deals.Chain.
func (r *real) Final(ctx context.Context) (uint64, error) { return r.client.BlockNumber(ctx) }

// Call implements deals.Chain.
func (r *real) Call(ctx context.Context, to common.Address, data []byte, height uint64) ([]byte, error) {
	return r.client.CallContract(ctx, ethereum.CallMsg{To: &to, Data: data}, new(big.Int).SetUint64(height))
}

// Logs implements deals.Chain.
func (r *real) Logs(ctx context.Context, from, to uint64, of ...common.Address) (out []deals.Log, err error) {
	logs, err := r.client.FilterLogs(ctx, ethereum.FilterQuery{FromBlock: new(big.Int).SetUint64(from), ToBlock: new(big.Int).SetUint64(to), Addresses: of})
	for _, l := range logs {
		out = append(out, deals.Log{Topics: l.Topics})
	}
	return out, err
}

// Piece implements deals.Pieces.
func (r *real) Piece(_ context.Context, id string) (deals.Piece, error) {
	if id != r.piece.CID().String() {
		return deals.Piece{}, job.ErrNotFound
	}
	return deals.Piece{Root: r.root.String(), Size: uint64(len(r.car))}, nil
}

// keep sends a call once a key.
func (r *real) keep(_ context.Context, key string, to common.Address, data []byte) error {
	if !r.sent[key] {
		r.sent[key] = true
		r.send(r.net.Accounts()[5], to, nil, data)
	}
	return nil
}

func (r *real) send(from devnet.Account, to common.Address, value *big.Int, data []byte) *types.Receipt {
	r.Helper()
	opts := bind.NewKeyedTransactor(from.Key(), big.NewInt(devnet.ChainID))
	opts.Context, opts.Value = r.ctx, value
	tx, err := bind.Transact(r.storage.Instance(r.client, to), opts, data)
	r.must(err)
	receipt, err := bind.WaitMined(r.ctx, r.client, tx.Hash())
	r.must(err)
	if receipt.Status != types.ReceiptStatusSuccessful {
		r.Fatalf("transaction %s failed", tx.Hash())
	}
	return receipt
}

// deal orders copies of the piece, which is served from here.
func (r *real) deal(replicas uint8) uint64 {
	r.Helper()
	return r.order(100*2880, replicas, new(big.Int).Mul(big.NewInt(100), big.NewInt(1e18)))
}

// order is a deal with a renewal window, in epochs, and a budget.
func (r *real) order(renewWindow uint32, replicas uint8, budget *big.Int) uint64 {
	r.Helper()
	terms := r.terms(renewWindow, replicas)
	receipt := r.send(r.net.Accounts()[2], r.at, budget,
		r.storage.PackCreateDeal(r.root.Bytes(), r.piece.CID().Bytes(), r.piece.Padded, r.piece.Payload, terms))
	deal := r.created(receipt)
	r.serve(deal)
	return deal
}

// terms are those of a deal whose piece is served from here.
func (r *real) terms(renewWindow uint32, replicas uint8) perpetualstorage.DealTerms {
	r.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/piece/"+r.piece.CID().String() {
			r.Errorf("%s was asked for", q.URL)
		}
		http.ServeContent(w, q, "", time.Time{}, bytes.NewReader(r.car))
	}))
	r.Cleanup(srv.Close)
	return perpetualstorage.DealTerms{
		Replicas: replicas, Term: 180 * 2880, SealWindow: 2880, RenewWindow: renewWindow, Ramp: 10 * 2880, Rate: 2e12, Endpoint: srv.URL + "/piece/",
		BaseBounty: big.NewInt(1e18), MaxBounty: big.NewInt(1e18), BondFloor: big.NewInt(2e18), MinCollateral: new(big.Int),
	}
}

// created is the deal that a transaction made.
func (r *real) created(receipt *types.Receipt) uint64 {
	r.Helper()
	for _, log := range receipt.Logs {
		if e, err := r.storage.UnpackDealCreatedEvent(log); err == nil && log.Address == r.at {
			return e.DealId
		}
	}
	r.Fatal("no deal was created")
	return 0
}

// serve has the operator vouch that the piece can be fetched.
func (r *real) serve(deal uint64) {
	r.Helper()
	opts := &bind.CallOpts{Context: r.ctx}
	fee, err := bind.Call(r.storage.Instance(r.client, r.at), opts, r.storage.PackQuoteServed(deal), r.storage.UnpackQuoteServed)
	r.must(err)
	r.answer(r.send(r.net.Accounts()[2], r.at, fee, r.storage.PackRequestServed(deal)), nil)
}

// answer has the operator answer what a transaction asked, and gives the request's id.
func (r *real) answer(asked *types.Receipt, result []byte) [32]byte {
	r.Helper()
	opts := &bind.CallOpts{Context: r.ctx}
	oracle, at := estuaryprovider.NewEstuaryProvider(), r.made.Contracts["EstuaryProvider"]
	config, err := bind.Call(oracle.Instance(r.client, at), opts, oracle.PackConfigDigest(), oracle.UnpackConfigDigest)
	r.must(err)
	for _, log := range asked.Logs {
		e, err := oracle.UnpackOracleRequestedEvent(log)
		if err != nil || log.Address != at {
			continue
		}
		digest, err := report.Digest(devnet.ChainID, at, config, []oraclechain.Answer{{Request: e.RequestId, Outcome: job.Succeeded, Result: result}})
		r.must(err)
		signature, err := crypto.Sign(digest[:], r.net.Accounts()[1].Key())
		r.must(err)
		signature[64] += 27
		r.send(r.net.Accounts()[1], at, nil, oracle.PackFulfill(config, []estuaryprovider.Report{
			{Terms: e.Terms, Outcome: uint8(job.Succeeded), Result: result, Context: e.Context},
		}, [][]byte{signature}))
		return e.RequestId
	}
	r.Fatal("nothing was asked")
	return [32]byte{}
}

// keepers makes the calls that are due to anybody, as the daemon's keeper finds them.
func (r *real) keepers() {
	r.Helper()
	head, err := r.Head(r.ctx)
	r.must(err)
	due, err := filecoin.NewStorage(r, r.at).Due(r.ctx, head)
	r.must(err)
	for _, d := range due {
		r.must(r.keep(r.ctx, d.Fn+d.Subject+d.At, d.Call.To, d.Call.Data))
	}
}

// Head implements executor/market's Chain.
func (r *real) Head(ctx context.Context) (uint64, error) { return r.client.BlockNumber(ctx) }

// until passes until so many offers are active, at most n times.
func (r *real) until(active, n int) []job.Offer {
	r.Helper()
	var last error
	for range n {
		last = r.maker.Pass(r.ctx)
		r.keepers()
		r.now = r.now.Add(time.Minute)
		got, err := r.ledger.Offers(r.ctx, job.OfferFilter{State: job.OfferActive})
		r.must(err)
		if len(got) == active {
			return got
		}
		_, err = r.net.Chain().Advance(r.ctx, r.epochs)
		r.must(err)
		time.Sleep(20 * time.Millisecond) // the providers work by themselves; nothing is judged by this
	}
	all, err := r.ledger.Offers(r.ctx, job.OfferFilter{})
	r.must(err)
	for _, o := range all {
		r.Logf("%s slot %d miner %d %s %q alarm %q attempts %d", o.ID, o.Slot, o.Miner, o.State, o.Reason, o.Alarm, o.Attempts)
	}
	for _, p := range r.market.Providers() {
		for _, d := range p.Deals() {
			r.Logf("at %d: %+v", p.Endpoints().ID, d)
		}
	}
	r.Fatalf("not %d active; the last pass: %v", active, last)
	return nil
}

// TestCopiesAreMadeOnTheFEVM orders two copies among three providers, one of which
// misbehaves: both are made over MK12, through the real market and miner actors, shown to
// the contract, and each piece comes back from its provider byte for byte. One that
// publishes and never seals holds its slot for 4 days: make soak.
func TestCopiesAreMadeOnTheFEVM(t *testing.T) {
	conducts := map[market.Conduct]int{market.Refuse: 5, market.Offline: 5}
	if os.Getenv("TIDEGATE_SOAK") != "" {
		conducts[market.NeverSeal] = 100
	}
	for conduct, epochs := range conducts {
		t.Run(string(conduct), func(t *testing.T) { survived(t, conduct, epochs) })
	}
}

// survived lets so many epochs go by between two passes.
func survived(t *testing.T, conduct market.Conduct, epochs int) {
	r := newReal(t, 3)
	r.epochs = epochs
	culprit := r.market.Providers()[0]
	bad := uint64(culprit.Endpoints().ID)
	r.must(culprit.Behave(r.ctx, conduct))
	deal := r.deal(2)
	active := r.until(2, 400)
	for _, o := range active {
		if o.Slot>>24 != deal || o.Miner == bad || o.Miner == active[0].Miner && o.ID != active[0].ID {
			t.Errorf("slot %d is with miner %d", o.Slot, o.Miner)
		}
		v, err := bind.Call(r.storage.Instance(r.client, r.at), &bind.CallOpts{Context: r.ctx}, r.storage.PackSlotOf(o.Slot), r.storage.UnpackSlotOf)
		r.must(err)
		if v.State != 3 || v.MinerId != o.Miner || uint64(v.End) != o.End {
			t.Errorf("the contract has %+v, the ledger %s with %d until %d", v, o.State, o.Miner, o.End)
		}
		r.refetched(o)
	}
	failed, err := r.ledger.Offers(r.ctx, job.OfferFilter{State: job.OfferFailed})
	r.must(err)
	for _, o := range failed {
		if o.Miner != bad {
			t.Errorf("an offer to %d failed: %s", o.Miner, o.Reason)
		}
	}
	ranked, err := r.maker.Rank(r.ctx)
	r.must(err)
	if last := ranked[len(ranked)-1]; last.Miner != bad || len(failed) == 0 {
		t.Errorf("the culprit is not last, of %d failures: %+v", len(failed), ranked)
	}
	burnt, err := bind.Call(r.storage.Instance(r.client, r.at), &bind.CallOpts{Context: r.ctx}, r.storage.PackBurnable(), r.storage.UnpackBurnable)
	r.must(err)
	if burnt.Sign() != 0 {
		t.Errorf("%s attoFIL are lost", burnt)
	}
}

// TestAClaimedSlotIsHandedOverOnTheFEVM lets a provider claim a slot: the daemon's side
// hands it the piece over MK20, and its miner actor tells the gate of the sector.
func TestAClaimedSlotIsHandedOverOnTheFEVM(t *testing.T) {
	r := newReal(t, 0)
	p, owner := r.owned()
	deal := r.deal(1)
	r.claim(owner, uint64(p.Endpoints().ID), deal)
	o := r.until(1, 200)[0]
	if o.Protocol != job.ProtocolMK20 || o.Miner != uint64(p.Endpoints().ID) || o.Slot>>24 != deal {
		t.Errorf("%+v", o)
	}
	r.refetched(o)
}

// refetched gets an offer's piece from its provider.
func (r *real) refetched(o job.Offer) {
	r.Helper()
	for _, p := range r.market.Providers() {
		if uint64(p.Endpoints().ID) != o.Miner {
			continue
		}
		req, err := http.NewRequestWithContext(r.ctx, http.MethodGet, strings.TrimSuffix(p.Endpoints().URL, "/")+"/piece/"+o.Piece, nil)
		r.must(err)
		res, _, err := plain{}.Ask(r.ctx, req)
		r.must(err)
		b, err := io.ReadAll(res.Body)
		r.must(errors.Join(err, res.Body.Close()))
		if len(b) < len(r.car) || sha256.Sum256(b[:len(r.car)]) != sha256.Sum256(r.car) {
			r.Errorf("miner %d gives %d bytes that are not the piece", o.Miner, len(b))
		}
		return
	}
	r.Errorf("no provider is miner %d", o.Miner)
}
