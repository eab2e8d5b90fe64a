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

	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/devnet"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/executor/httpapi"
)

// dealsWorld is a daemon that makes deals, beside a devnet in this process, whose
// providers can be asked what they were sent.
type dealsWorld struct {
	*network
	net     *devnet.Devnet
	d       *daemon
	public  string
	pins    *estuarypinning.EstuaryPinning
	storage *perpetualstorage.PerpetualStorage
	ordered uint64 // deals
	size    int    // of each deal's content, bytes
}

// dealsKilled is one that is killed.
type dealsKilled struct {
	*dealsWorld
	random  *rand.Rand
	toll    *toll // before what providers serve
	kills   int
	states  map[string]int // of the latest offer when the daemon was killed
	fetches map[int]int    // of a lost piece, until it was here again
}

// The daemon is killed in each phase of a deal: as it proposes, in the middle of the transfer,
// when the provider publishes, while it follows the deal, as it fetches the piece back for what follows, and
// as it renews it. Each slot is filled all the same, and for each there is one deal with providers, one with f05 and one
// in the ledger; each piece comes back whole, and once. 140 kills in make soak (TIDEGATE_SOAK=1), 7 otherwise.
func TestDealsSurviveKillNineInEachPhase(t *testing.T) {
	t.Parallel()
	rounds := 1
	if os.Getenv("TIDEGATE_SOAK") != "" {
		rounds = 20
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	// A transfer that a kill cut is taken up again when the daemon is back.
	k := &dealsKilled{random: rand.New(rand.NewPCG(seed, 1)), toll: &toll{reached: make(chan struct{}, 100)}, states: map[string]int{}, fetches: map[int]int{}}
	k.dealsWorld = newDealsWorldVia(t, k.toll.before, 2, market.Config{RetryPause: 500 * time.Millisecond, Attempts: 240}, "--deals-sample-every", "0")
	k.size = 1 << 20
	began := time.Now()
	for range rounds {
		k.round(t)
	}
	t.Logf("%d kills in %s, the latest offer being %v; pieces fetched so often: %v", k.kills, time.Since(began).Round(time.Second), k.states, k.fetches)
	k.once(t, 2*rounds)
	k.d.stop(t)
}

func newDealsWorld(t *testing.T, miners int, sps market.Config, flags ...string) *dealsWorld {
	t.Helper()
	return newDealsWorldVia(t, func(_ *testing.T, url string) string { return url }, miners, sps, flags...)
}

// newDealsWorldVia is a daemon that asks providers at other URLs than theirs.
func newDealsWorldVia(t *testing.T, via func(t *testing.T, url string) string, miners int, sps market.Config, flags ...string) *dealsWorld {
	t.Helper()
	k := &dealsWorld{
		size:    200_000,
		network: &network{ChainID: devnet.ChainID, Keys: devKeys(), Contracts: map[string]string{}, gas: devnetGas, plain: "its epochs are half a minute apart: days pass as heights, as fast as the endpoint is asked"},
		pins:    estuarypinning.NewEstuaryPinning(), storage: perpetualstorage.NewPerpetualStorage(),
	}
	k.net = devnet.Start(t, func(c *devnet.Config) {
		c.BlockTime, c.Epoch, c.Unmetered = 100*time.Millisecond, 30*time.Second, true
		c.Miners, c.Market = miners, &sps
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
		providers = append(providers, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Miner, via(t, e.URL), e.Multiaddr)))
	}
	k.net.Market().Allow(common.HexToAddress(k.Contracts["StorageGate"]))
	k.public = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	k.d = newDaemon(t, k.network, append([]string{"--chain-storage", k.Contracts["PerpetualStorage"], "--public-listen", k.public, "--public-requests-per-second", "1000",
		"--piece-min-size", "1 KiB", "--deals-enabled", "true", "--deals-providers", strings.Join(providers, ","), "--keeper-enabled", "true", "--keeper-max-cost-fil", "1", "--keeper-node", k.RPC}, flags...)...)
	k.d.start(t)
	return k
}

// round makes and renews one deal of one copy, with seven kills.
func (k *dealsKilled) round(t *testing.T) {
	t.Helper()
	k.behave(t, market.Stall)
	const term = 180 * 2880
	first := k.order(t, 1, term-1) << 24
	k.served(t, first>>24)
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
	k.repaired(t, first)
	k.killWhen(t, "the renewal is open", 1500, func() bool {
		seat := readAt(t, k.dealsWorld, k.storage.PackSeatOf(first>>24, 0), k.storage.UnpackSeatOf)
		return seat.Next == first|1
	})
	k.active(t, first|1)
}

func (k *dealsWorld) behave(t *testing.T, how ...market.Conduct) {
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

func (k *dealsWorld) await(t *testing.T, what string, is func() bool) {
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
func (k *dealsWorld) offers(slot uint64) []httpapi.Deal {
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
func (k *dealsWorld) taken(slot uint64) (market.Deal, bool) {
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
func (k *dealsWorld) active(t *testing.T, slot uint64) {
	t.Helper()
	k.await(t, fmt.Sprintf("slot %d is active", slot), func() bool {
		o := k.offers(slot)
		return len(o) > 0 && o[0].State == "active"
	})
	v := readAt(t, k, k.storage.PackSlotOf(slot), k.storage.UnpackSlotOf)
	if o := k.offers(slot)[0]; v.State != slotActive || v.MinerId != o.Miner || uint64(v.End) != o.End || o.Evidence == nil || v.F05DealId != *o.Evidence {
		t.Errorf("the contract has %+v, the ledger %+v", v, o)
	}
}

func readAt[T any](t *testing.T, k *dealsWorld, call []byte, unpack func([]byte) (T, error)) T {
	t.Helper()
	v, err := bind.Call(k.storage.Instance(k.client, common.HexToAddress(k.Contracts["PerpetualStorage"])), &bind.CallOpts{Context: t.Context()}, call, unpack)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// order has a wallet order a deal of so many copies with cast, to be renewed so many epochs
// before they end, and waits until the keeper has opened it.
func (k *dealsWorld) order(t *testing.T, replicas, renew int) (deal uint64) {
	t.Helper()
	k.ordered++
	root := cidHex(t, k.d.add(t, "deal", content(9000+k.ordered, k.size)))
	terms := fmt.Sprintf("(%d,false,%d,2880,%d,2880,0,%s,%s,%d,%s,0,\"http://%s/piece/\")",
		replicas, 180*2880, renew, attoFIL(10), attoFIL(10), int64(1e10), attoFIL(100), k.public)
	opts := &bind.CallOpts{Context: t.Context()}
	at := k.pins.Instance(k.client, common.HexToAddress(k.pinning()))
	fee, err := bind.Call(at, opts, k.pins.PackQuoteDeals(), k.pins.UnpackQuoteDeals)
	if err != nil {
		t.Fatal(err)
	}
	k.send(keyAlice, new(big.Int).Add(fee, dealBudget), k.pinning(), "makeDealsForCid(bytes,"+termsTuple+")", root, terms)
	k.await(t, "the keeper has opened the deal", func() bool {
		v := readAt(t, k, k.storage.PackDealOf(k.ordered), k.storage.UnpackDealOf)
		const open = 2
		return v.Status == open && fmt.Sprintf("0x%x", v.Cid) == root
	})
	return k.ordered
}

// dealBudget is what a wallet sends for a deal, beside the fee.
var dealBudget = attoFIL(1000)

// served has the client ask operators whether a deal's piece is served.
func (k *dealsWorld) served(t *testing.T, deal uint64) {
	t.Helper()
	fee := readAt(t, k, k.storage.PackQuoteServed(deal), k.storage.UnpackQuoteServed)
	k.send(keyAlice, fee, k.Contracts["PerpetualStorage"], "requestServed(uint64)", fmt.Sprint(deal))
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
