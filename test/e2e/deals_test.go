package e2e

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/devnet"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/executor/httpapi"
)

// dealsKilled is a daemon that makes deals and is killed, beside a devnet in this
// process, whose providers can be asked what they were sent.
type dealsKilled struct {
	*network
	net     *devnet.Devnet
	d       *daemon
	public  string
	pins    *estuarypinning.EstuaryPinning
	storage *perpetualstorage.PerpetualStorage
	random  *rand.Rand
	kills   int
	states  map[string]int // of the latest offer when the daemon was killed
}

// The daemon is killed in each phase of a deal: as it proposes, in the middle of the transfer,
// when the provider publishes, while it follows the deal, and as it renews it. Each slot is
// filled all the same, and for each there is one deal with providers, one with f05 and one
// in the ledger. 100 kills in make soak (TIDEGATE_SOAK=1), 5 otherwise.
func TestDealsSurviveKillNineInEachPhase(t *testing.T) {
	t.Parallel()
	rounds := 1
	if os.Getenv("TIDEGATE_SOAK") != "" {
		rounds = 20
	}
	k := newDealsKilled(t)
	began := time.Now()
	for round := range rounds {
		k.round(t, uint64(round))
	}
	t.Logf("%d kills in %s, the latest offer being %v", k.kills, time.Since(began).Round(time.Second), k.states)
	k.once(t, 2*rounds)
	k.d.stop(t)
}

func newDealsKilled(t *testing.T) *dealsKilled {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	k := &dealsKilled{
		network: &network{ChainID: devnet.ChainID, Keys: devKeys(), Contracts: map[string]string{}, gas: devnetGas, plain: "its epochs are half a minute apart: days pass as heights, as fast as the endpoint is asked"},
		pins:    estuarypinning.NewEstuaryPinning(), storage: perpetualstorage.NewPerpetualStorage(), random: rand.New(rand.NewPCG(seed, 1)), states: map[string]int{},
	}
	k.net = devnet.Start(t, func(c *devnet.Config) {
		c.BlockTime, c.Epoch, c.Unmetered = 100*time.Millisecond, 30*time.Second, true
		// A transfer that a kill cut is taken up again when the daemon is back.
		c.Miners, c.Market = 2, &market.Config{RetryPause: 500 * time.Millisecond, Attempts: 240}
	})
	k.RPC = k.net.HTTPURL()
	k.dial(t, nil)
	keys := k.net.Accounts()
	made, err := deploy.OnDevnet(t.Context(), k.client, keys[keyDeployer].Key(), keys[keyReport].Address)
	if err != nil {
		t.Fatal(err)
	}
	k.Start = made.StartBlock
	for name, at := range made.Contracts {
		k.Contracts[name] = at.Hex()
	}
	var providers []string
	for _, p := range k.net.Market().Providers() {
		e := p.Endpoints()
		providers = append(providers, fmt.Sprintf("%s %s %s", e.Miner, e.URL, e.Multiaddr))
	}
	k.public = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	k.d = newDaemon(t, k.network, "--chain-storage", k.Contracts["PerpetualStorage"], "--public-listen", k.public, "--public-requests-per-second", "1000",
		"--piece-min-size", "1 KiB", "--deals-enabled", "true", "--deals-providers", strings.Join(providers, ","), "--keeper-enabled", "true", "--keeper-max-cost-fil", "1")
	k.d.start(t)
	return k
}

// round makes and renews one deal of one copy, with five kills.
func (k *dealsKilled) round(t *testing.T, n uint64) {
	t.Helper()
	k.behave(t, market.Stall)
	first := k.order(t, n) << 24
	k.killWhen(t, "it proposes", 700, func() bool { return len(k.offers(first)) > 0 })
	k.killWhen(t, "the piece is transferred", 100, func() bool {
		d, ok := k.taken(first)
		return ok && d.State == market.Processing && d.Received > 0
	})
	k.behave(t)
	k.killWhen(t, "the provider publishes", 300, func() bool {
		d, ok := k.taken(first)
		return ok && d.State >= market.Published
	})
	k.killWhen(t, "it follows the deal", 1500, func() bool {
		o := k.offers(first)
		return len(o) > 0 && (o[0].State == "published" || o[0].State == "active")
	})
	k.active(t, first)
	// The renewal may begin when the term has.
	if _, err := k.net.Chain().Advance(t.Context(), 2880); err != nil {
		t.Fatal(err)
	}
	k.killWhen(t, "the renewal is open", 1500, func() bool {
		seat := readAt(t, k, k.storage.PackSeatOf(first>>24, 0), k.storage.UnpackSeatOf)
		return seat.Next == first|1
	})
	k.active(t, first|1)
}

func (k *dealsKilled) behave(t *testing.T, how ...market.Conduct) {
	t.Helper()
	for _, p := range k.net.Market().Providers() {
		if err := p.Behave(t.Context(), how...); err != nil {
			t.Fatal(err)
		}
	}
}

// killWhen kills the daemon up to so many milliseconds after something is so, and starts
// it again.
func (k *dealsKilled) killWhen(t *testing.T, what string, most int, is func() bool) {
	t.Helper()
	k.await(t, what, is)
	state := "none"
	if o := k.offers(0); len(o) > 0 {
		state = o[0].State
	}
	pause := time.NewTimer(time.Duration(k.random.IntN(most)) * time.Millisecond) // which moment is what is tried
	select {
	case <-pause.C:
	case <-k.d.done:
		t.Fatalf("the daemon ended by itself: %v\n%s", k.d.err, k.d.tail(4000))
	}
	k.d.kill()
	k.kills++
	k.states[state]++
	k.d.start(t)
}

func (k *dealsKilled) await(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); !is(); <-tick.C {
		if time.Now().After(end) {
			for _, p := range k.net.Market().Providers() {
				t.Logf("%s took %+v", p.Endpoints().Miner, p.Deals())
			}
			t.Fatalf("it did not come about that %s; the ledger has %+v", what, k.offers(0))
		}
	}
}

// offers are those of a slot, the latest first, or all. While the daemon is not
// there it has none.
func (k *dealsKilled) offers(slot uint64) []httpapi.Deal {
	path := "/deals?limit=200"
	if slot != 0 {
		path += fmt.Sprintf("&slot=%d", slot)
	}
	var page struct{ Items []httpapi.Deal }
	if err := k.d.ask(http.MethodGet, path, nil, &page); err != nil {
		return nil
	}
	return page.Items
}

// taken is what a provider has of a slot's offer.
func (k *dealsKilled) taken(slot uint64) (market.Deal, bool) {
	for _, o := range k.offers(slot) {
		for _, p := range k.net.Market().Providers() {
			if d, ok := p.Deal(o.ID); ok {
				return d, true
			}
		}
	}
	return market.Deal{}, false
}

// active waits until the daemon has a slot as active, as which the contract must have it.
func (k *dealsKilled) active(t *testing.T, slot uint64) {
	t.Helper()
	k.await(t, fmt.Sprintf("slot %d is active", slot), func() bool {
		o := k.offers(slot)
		return len(o) > 0 && o[0].State == "active"
	})
	v := readAt(t, k, k.storage.PackSlotOf(slot), k.storage.UnpackSlotOf)
	const slotActive = 3
	if o := k.offers(slot)[0]; v.State != slotActive || v.MinerId != o.Miner || uint64(v.End) != o.End || o.Evidence == nil || v.F05DealId != *o.Evidence {
		t.Errorf("the contract has %+v, the ledger %+v", v, o)
	}
}

func readAt[T any](t *testing.T, k *dealsKilled, call []byte, unpack func([]byte) (T, error)) T {
	t.Helper()
	v, err := bind.Call(k.storage.Instance(k.client, common.HexToAddress(k.Contracts["PerpetualStorage"])), &bind.CallOpts{Context: t.Context()}, call, unpack)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// transact sends as a wallet does.
func (k *dealsKilled) transact(t *testing.T, to string, value *big.Int, data []byte) *types.Receipt {
	t.Helper()
	opts := bind.NewKeyedTransactor(k.net.Accounts()[keyAlice].Key(), big.NewInt(devnet.ChainID))
	opts.Context, opts.Value = t.Context(), value
	tx, err := bind.Transact(k.storage.Instance(k.client, common.HexToAddress(to)), opts, data)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := bind.WaitMined(t.Context(), k.client, tx.Hash())
	if err != nil || receipt.Status != types.ReceiptStatusSuccessful {
		t.Fatalf("transaction %s: %v", tx.Hash(), err)
	}
	return receipt
}

// order has a deal of one copy made, up to the word of operators that its piece is served.
func (k *dealsKilled) order(t *testing.T, n uint64) (deal uint64) {
	t.Helper()
	root, err := cid.Decode(k.d.add(t, "deal", content(9000+n, 200_000)))
	if err != nil {
		t.Fatal(err)
	}
	const term = 180 * 2880
	terms := estuarypinning.DealTerms{
		Replicas: 1, Term: term, SealWindow: 2880, RenewWindow: term - 1, Ramp: 2880, Rate: 1e10, Endpoint: "http://" + k.public + "/piece/",
		BaseBounty: attoFIL(10), MaxBounty: attoFIL(10), BondFloor: attoFIL(100), MinCollateral: new(big.Int),
	}
	opts := &bind.CallOpts{Context: t.Context()}
	at := k.pins.Instance(k.client, common.HexToAddress(k.pinning()))
	fee, err := bind.Call(at, opts, k.pins.PackQuoteDeals(), k.pins.UnpackQuoteDeals)
	if err != nil {
		t.Fatal(err)
	}
	k.transact(t, k.pinning(), new(big.Int).Add(fee, attoFIL(1000)), k.pins.PackMakeDealsForCid(root.Bytes(), terms))
	deal = n + 1
	k.await(t, "the keeper has opened the deal", func() bool {
		v := readAt(t, k, k.storage.PackDealOf(deal), k.storage.UnpackDealOf)
		const open = 2
		return v.Status == open && string(v.Cid) == string(root.Bytes())
	})
	fee = readAt(t, k, k.storage.PackQuoteServed(deal), k.storage.UnpackQuoteServed)
	k.transact(t, k.Contracts["PerpetualStorage"], fee, k.storage.PackRequestServed(deal))
	return deal
}

// once wants so many deals: each slot's one, with one provider, in f05 and in the ledger.
func (k *dealsKilled) once(t *testing.T, slots int) {
	t.Helper()
	bySlot, byID := map[string]bool{}, map[string]httpapi.Deal{}
	for _, o := range k.offers(0) {
		if bySlot[o.Slot] || o.State != "active" {
			t.Errorf("slot %s has more than one offer, or one that is not active: %+v", o.Slot, o)
		}
		bySlot[o.Slot], byID[o.ID] = true, o
	}
	taken := 0
	for _, p := range k.net.Market().Providers() {
		for _, d := range p.Deals() {
			taken++
			if o, ok := byID[d.ID]; !ok || o.Miner != uint64(p.Endpoints().ID) || d.State != market.Complete {
				t.Errorf("%s has a deal that the ledger does not have so: %+v, %+v", p.Endpoints().Miner, d, o)
			}
		}
	}
	var onChain map[string]struct{}
	if err := k.client.Client().Call(&onChain, "Filecoin.StateMarketDeals", nil); err != nil {
		t.Fatal(err)
	}
	if len(bySlot) != slots || taken != slots || len(onChain) != slots {
		t.Errorf("%d slots: %d in the ledger, %d deals with providers, %d in f05", slots, len(bySlot), taken, len(onChain))
	}
}
