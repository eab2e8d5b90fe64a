package daemon_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/filecoin-project/go-state-types/abi"
	fbig "github.com/filecoin-project/go-state-types/big"

	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/bindings/statusdesk"
	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/cmd/tidegate/daemon"
	"github.com/tidegate/tidegate/devnet"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/job"
	commitment "github.com/tidegate/tidegate/executor/piece"
	"github.com/tidegate/tidegate/oracle/signer"
)

// dealsWorld is a daemon that makes deals, on a real FEVM with real providers.
type dealsWorld struct {
	testing.TB
	ctx     context.Context
	net     *devnet.Devnet
	client  *ethclient.Client
	made    deploy.Deployment
	market  *market.Market
	daemon  *daemon.Daemon
	public  string
	pinning *estuarypinning.EstuaryPinning
	storage *perpetualstorage.PerpetualStorage
	pieces  byte // that were stored without the daemon
}

func (w *dealsWorld) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func newDealsWorld(t testing.TB, providers int, change ...func(*config.Config)) *dealsWorld {
	t.Helper()
	w := &dealsWorld{TB: t, pinning: estuarypinning.NewEstuaryPinning(), storage: perpetualstorage.NewPerpetualStorage()}
	var cancel context.CancelFunc
	w.ctx, cancel = context.WithTimeout(context.Background(), 130*time.Second)
	t.Cleanup(cancel)
	w.net = devnet.Start(t, func(c *devnet.Config) { c.Unmetered = true })
	var err error
	w.client, err = ethclient.DialContext(w.ctx, w.net.HTTPURL())
	w.must(err)
	t.Cleanup(w.client.Close)
	w.made, err = deploy.OnDevnet(w.ctx, w.client, w.net.Accounts()[0].Key(), w.net.Accounts()[1].Address)
	w.must(err)
	w.market, err = market.New(w.net.Chain(), w.net.Providers(), market.Config{RetryPause: time.Millisecond})
	w.must(err)
	t.Cleanup(func() { w.must(w.market.Close()) })
	for range providers {
		_, err := w.market.Create(w.ctx, provider.Creation{})
		w.must(err)
	}
	w.startDaemon(change...)
	return w
}

func (w *dealsWorld) startDaemon(change ...func(*config.Config)) {
	w.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	w.public = l.Addr().String()
	w.must(l.Close())
	c := config.Devnet()
	c.DataDir = w.TempDir()
	c.Chain.RPC, c.Chain.Start = []string{w.net.HTTPURL()}, w.made.StartBlock
	c.Chain.Provider, c.Chain.Pinning = w.made.Contracts["EstuaryProvider"].Hex(), w.made.Contracts["EstuaryPinning"].Hex()
	c.Chain.Storage = w.made.Contracts["PerpetualStorage"].Hex()
	c.IPFS.Listen = []string{"/ip4/127.0.0.1/tcp/0"}
	c.HTTP.Listen, c.HTTP.Admin, c.Public.Listen = "127.0.0.1:0", "127.0.0.1:0", w.public
	c.Public.RequestsPerSecond = 1000
	c.Deals.Enabled, c.Deals.PollInterval = true, config.Duration(50*time.Millisecond)
	for _, p := range w.market.Providers() {
		e := p.Endpoints()
		c.Deals.Providers = append(c.Deals.Providers, fmt.Sprintf("f0%d %s %s", e.ID, e.URL, e.Multiaddr))
	}
	for _, f := range change {
		f(&c)
	}
	sender, err := signer.FromHex(w.net.Accounts()[3].PrivateKey)
	w.must(err)
	report, err := signer.FromHex(w.net.Accounts()[1].PrivateKey)
	w.must(err)
	logs := new(bytes.Buffer)
	w.daemon, err = daemon.New(w.ctx, c, daemon.Deps{Log: daemon.NewLogger(logs, "info", "text"), SenderKeys: []signer.TxSigner{sender}, ReportSigner: report})
	w.must(err)
	ctx, cancel := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.daemon.Run(ctx, ctx) }()
	w.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			w.Errorf("the daemon: %v", err)
		}
		w.must(w.daemon.Close())
		if w.Failed() {
			w.Logf("the daemon said\n%s", logs)
		}
	})
}

// until lets epochs pass until done.
func (w *dealsWorld) until(what string, done func() bool) {
	w.Helper()
	for !done() {
		_, err := w.net.Chain().Advance(w.ctx, 3)
		if err == nil {
			err = w.ctx.Err()
		}
		if err != nil {
			all, _ := w.daemon.Ledger().Offers(context.Background(), job.OfferFilter{})
			for _, o := range all {
				w.Logf("%s slot %d miner %d %s %q %q", o.ID, o.Slot, o.Miner, o.State, o.Reason, o.Alarm)
			}
			w.Fatalf("%s did not come about: %v", what, err)
		}
		time.Sleep(50 * time.Millisecond) // daemon and providers work by themselves
	}
}

func (w *dealsWorld) send(to string, value *big.Int, data []byte) *types.Receipt {
	w.Helper()
	opts := bind.NewKeyedTransactor(w.net.Accounts()[2].Key(), big.NewInt(devnet.ChainID))
	opts.Context, opts.Value = w.ctx, value
	tx, err := bind.Transact(w.storage.Instance(w.client, w.made.Contracts[to]), opts, data)
	w.must(err)
	receipt, err := bind.WaitMined(w.ctx, w.client, tx.Hash())
	w.must(err)
	if receipt.Status != types.ReceiptStatusSuccessful {
		w.Fatalf("transaction %s failed", tx.Hash())
	}
	return receipt
}

func read[T any](w *dealsWorld, of string, call []byte, unpack func([]byte) (T, error)) T {
	w.Helper()
	v, err := bind.Call(w.storage.Instance(w.client, w.made.Contracts[of]), &bind.CallOpts{Context: w.ctx}, call, unpack)
	w.must(err)
	return v
}

// order makes deals for content as a wallet does, and gives the deal's id once it is
// open and its piece is vouched for.
func (w *dealsWorld) order(content []byte, terms estuarypinning.DealTerms) uint64 {
	w.Helper()
	root, _, err := w.daemon.Node().AddFile(w.ctx, "local:test", "test", bytes.NewReader(content))
	w.must(err)
	fee := read(w, "EstuaryPinning", w.pinning.PackQuoteDeals(), w.pinning.UnpackQuoteDeals)
	value := new(big.Int).Add(fee, new(big.Int).Mul(big.NewInt(100), big.NewInt(1e18)))
	receipt := w.send("EstuaryPinning", value, w.pinning.PackMakeDealsForCid(root.Bytes(), terms))
	var request common.Hash
	for _, l := range receipt.Logs {
		if e, err := w.pinning.UnpackDealsRequestedEvent(l); err == nil && l.Address == w.made.Contracts["EstuaryPinning"] {
			request = e.RequestId
		}
	}
	w.until("the piece", func() bool {
		const prepared = 2
		return read(w, "EstuaryPinning", w.pinning.PackDealsOf(request), w.pinning.UnpackDealsOf).State == prepared
	})
	receipt = w.send("EstuaryPinning", nil, w.pinning.PackOpenDeal(request, root.Bytes(), terms))
	var deal uint64
	for _, l := range receipt.Logs {
		if e, err := w.pinning.UnpackDealOpenedEvent(l); err == nil && l.Address == w.made.Contracts["EstuaryPinning"] {
			deal = e.DealId
		}
	}
	served := read(w, "PerpetualStorage", w.storage.PackQuoteServed(deal), w.storage.UnpackQuoteServed)
	w.send("PerpetualStorage", served, w.storage.PackRequestServed(deal))
	w.until("the word of operators", func() bool {
		return read(w, "PerpetualStorage", w.storage.PackDealOf(deal), w.storage.UnpackDealOf).ServedUntil > 0
	})
	return deal
}

// TestMakeDealsForCidEndsInSlotsProvenActive orders two copies from a wallet; of three
// providers one misbehaves.
func TestMakeDealsForCidEndsInSlotsProvenActive(t *testing.T) {
	w := newDealsWorld(t, 3)
	culprit := w.market.Providers()[0]
	w.must(culprit.Behave(w.ctx, market.Refuse))
	deal := w.order(bytes.Repeat([]byte("tidegate "), 2000), estuarypinning.DealTerms{
		Replicas: 2, Term: 180 * 2880, SealWindow: 2880, RenewWindow: 100 * 2880, Ramp: 10 * 2880, Rate: 2e12, Endpoint: "http://" + w.public + "/piece/",
		BaseBounty: big.NewInt(1e18), MaxBounty: big.NewInt(1e18), BondFloor: big.NewInt(2e18), MinCollateral: new(big.Int),
	})
	var active []job.Offer
	w.until("two active copies", func() bool {
		var err error
		active, err = w.daemon.Ledger().Offers(w.ctx, job.OfferFilter{State: job.OfferActive})
		w.must(err)
		return len(active) == 2
	})
	if active[0].Miner == active[1].Miner {
		t.Error("both copies are with one provider")
	}
	for _, o := range active {
		v := read(w, "PerpetualStorage", w.storage.PackSlotOf(o.Slot), w.storage.UnpackSlotOf)
		const slotActive = 3
		if o.Slot>>24 != deal || v.State != slotActive || v.MinerId != o.Miner || o.Miner == uint64(culprit.Endpoints().ID) {
			t.Errorf("the contract has %+v, the ledger %+v", v, o)
		}
		want := w.get("http://" + w.public + "/piece/" + o.Piece)
		for _, p := range w.market.Providers() {
			if uint64(p.Endpoints().ID) != o.Miner {
				continue
			}
			if got := w.get(p.Endpoints().URL + "/piece/" + o.Piece); len(want) == 0 || !bytes.HasPrefix(got, want) {
				t.Errorf("miner %d gives %d bytes that are not the piece's %d", o.Miner, len(got), len(want))
			}
		}
	}
	failed, err := w.daemon.Ledger().Offers(w.ctx, job.OfferFilter{State: job.OfferFailed})
	w.must(err)
	for _, o := range failed {
		if o.Miner != uint64(culprit.Endpoints().ID) {
			t.Errorf("an offer to an honest provider failed: %s", o.Reason)
		}
	}
}

func (w *dealsWorld) get(url string) []byte {
	w.Helper()
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, url, nil)
	w.must(err)
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	w.must(err)
	b, err := io.ReadAll(res.Body)
	w.must(errors.Join(err, res.Body.Close()))
	if res.StatusCode != http.StatusOK {
		w.Fatalf("%s: %s", url, res.Status)
	}
	return b
}

// TestWhoAsksForADealIsAnsweredWithProof has a wallet ask StatusDesk for a deal of f05: the
// daemon finds where its sector is and answers, and in that very call DealStatusOracle asks the actors. So a fault is
// told, which the deal alone does not show. What nobody can prove is the operators' word or unknown.
func TestWhoAsksForADealIsAnsweredWithProof(t *testing.T) {
	w := newDealsWorld(t, 0)
	miner, err := w.net.Providers().Create(w.ctx, provider.Creation{})
	w.must(err)
	deal, sector := w.stored(miner)
	ref := statusdesk.DealRef{DealId: uint64(deal)}
	w.answered("active", ref, statusdesk.IStatusDeskAnswer{Status: uint8(job.StatusActive), Proven: true})
	w.must(miner.DeclareFaulty(w.ctx, sector))
	w.answered("faulty", ref, statusdesk.IStatusDeskAnswer{Status: uint8(job.StatusFaulty), Proven: true})
	w.must(miner.Terminate(w.ctx, sector))
	w.answered("lost", ref, statusdesk.IStatusDeskAnswer{Status: uint8(job.StatusLost), Proven: true})
	w.answered("never published", statusdesk.DealRef{DealId: 999}, statusdesk.IStatusDeskAnswer{Proven: true})
	other, sector := w.stored(miner)
	w.must(miner.Terminate(w.ctx, sector))
	w.answered("gone before anybody looked", statusdesk.DealRef{DealId: uint64(other)}, statusdesk.IStatusDeskAnswer{})
	w.answered("a sector that was never shown", statusdesk.DealRef{Miner: uint64(miner.ID()), Sector: uint64(sector), Commitment: [32]byte{1}}, statusdesk.IStatusDeskAnswer{})
}

// stored publishes a deal of an account and seals it.
func (w *dealsWorld) stored(miner *provider.Miner) (abi.DealID, abi.SectorNumber) {
	w.Helper()
	w.pieces++
	piece := commitment.Commitment{Root: [32]byte{31: 0, 0: w.pieces}, Padded: 2048, Payload: 2000}.CID()
	start := w.net.Chain().Head().Height() + 2880
	client := w.net.Chain().Accounts()[0]
	for _, a := range w.net.Chain().Accounts() {
		if a.Kind == chain.Secp256k1 {
			client = a
		}
	}
	least, err := w.net.Providers().LeastCollateral(w.ctx, 2048, false)
	w.must(err)
	w.must(w.net.Providers().AddBalance(w.ctx, miner.Worker(), miner.Address(), provider.Fil(1)))
	proposal, err := miner.FromAccount(client, provider.Proposal{
		PieceCID: piece, PieceSize: 2048, Start: start, End: start + 520_000, ProviderCollateral: fbig.Add(least, least),
	})
	w.must(err)
	ids, err := miner.Publish(w.ctx, proposal)
	w.must(err)
	sectors, err := miner.Seal(w.ctx, provider.Sector{Pieces: []provider.Piece{{CID: piece, Size: 2048, Deal: &ids[0]}}})
	w.must(err)
	return ids[0], sectors[0]
}

// answered asks and waits for what the desk says.
func (w *dealsWorld) answered(what string, ref statusdesk.DealRef, want statusdesk.IStatusDeskAnswer) {
	w.Helper()
	const gas = 900_000_000
	desk, from := statusdesk.NewStatusDesk(), w.net.Accounts()[2].Address
	fee := read(w, "StatusDesk", desk.PackQuote(gas), desk.UnpackQuote)
	asked := w.send("StatusDesk", fee, desk.PackAsk(ref, gas, from)).BlockNumber.Uint64()
	var told *types.Log
	w.until(what, func() bool {
		logs, err := w.client.FilterLogs(w.ctx, ethereum.FilterQuery{FromBlock: new(big.Int).SetUint64(asked), Addresses: []common.Address{w.made.Contracts["StatusDesk"]}})
		w.must(err)
		if len(logs) == 0 {
			return false
		}
		told = &logs[len(logs)-1]
		_, question := desk.UnpackStatusRequestedEvent(told)
		return question != nil
	})
	got := read(w, "StatusDesk", desk.PackAnswerOf(ref), desk.UnpackAnswerOf)
	if _, err := desk.UnpackStatusUnknownEvent(told); (err == nil) != (want == statusdesk.IStatusDeskAnswer{}) {
		w.Errorf("%s: said to be unknown: %t", what, err == nil)
	}
	if want.Proven {
		want.Epoch = told.BlockNumber
	}
	if got != want {
		w.Errorf("%s: %+v, want %+v", what, got, want)
	}
}
