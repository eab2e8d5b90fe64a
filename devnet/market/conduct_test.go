package market_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"

	"github.com/tidegate/tidegate/devnet/market"
)

// done is a deal that is complete, for what follows.
func (n *net) done(p *market.Provider) (*content, market.Deal) {
	n.Helper()
	c := n.content(6_000, 0)
	return c, n.take(p, n.client(), n.mk20(p, c, n.client().Address), market.Complete)
}

func TestProviderThatRefuses(t *testing.T) {
	n := start(t, 1)
	p, c := n.market.Providers()[0], n.content(3_000, 0)
	n.must(p.Behave(n.ctx, market.Refuse))
	d := n.mk20(p, c, n.client().Address)
	if code, body := n.propose(p, n.client(), d); code != http.StatusUnauthorized || body != "Reason: Client is not allowed to make deal with this provider" {
		t.Errorf("MK20: %d %s", code, body)
	}
	n.refused(n.dialer(), p, n.mk12(p, c, n.client()), "client not allowed by provider")
	n.must(p.Behave(n.ctx))
	n.take(p, n.client(), d, market.Complete)
}

func TestProviderThatHangs(t *testing.T) {
	n := start(t, 1)
	p, c := n.market.Providers()[0], n.content(3_000, 0)
	n.must(p.Behave(n.ctx, market.Hang))
	request, err := http.NewRequestWithContext(n.ctx, http.MethodGet, p.Endpoints().URL+"/piece/"+c.v1.String(), nil)
	n.must(err)
	brief, cancel := context.WithTimeout(n.ctx, 50*time.Millisecond)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if _, err := client.Do(request.WithContext(brief)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("by HTTP: %v", err)
	}
	answered := make(chan market.DealResponse, 1)
	h := n.dialer()
	go func() {
		var answer market.DealResponse
		_ = n.stream(h, p, market.DealProtocol121, n.mk12(p, c, n.client()), &answer)
		answered <- answer
	}()
	select {
	case answer := <-answered:
		t.Errorf("by libp2p: %+v", answer)
	case <-time.After(100 * time.Millisecond): // long for loopback
	}
	n.must(p.Behave(n.ctx))
	if answer := <-answered; !answer.Accepted {
		t.Errorf("afterwards: %+v", answer)
	}
	n.await(p, p.Deals()[0].ID, market.Complete)
}

func TestProviderThatStalls(t *testing.T) {
	n := start(t, 1)
	p, c := n.market.Providers()[0], n.content(6_000, 0)
	n.must(p.Behave(n.ctx, market.Stall))
	d := n.mk20(p, c, n.client().Address)
	deal := n.take(p, n.client(), d, market.Processing)
	for deal.Received == 0 { // it reads half
		time.Sleep(time.Millisecond)
		deal, _ = p.Deal(deal.ID)
	}
	if deal.Received != uint64(len(c.car)/2) || deal.State != market.Processing {
		t.Errorf("stalled as %+v", deal)
	}
	n.must(p.Behave(n.ctx))
	n.await(p, deal.ID, market.Complete)
}

// A deal that is accepted and never sealed times out on chain.
func TestProviderThatNeverSeals(t *testing.T) {
	n := start(t, 1)
	p, h, c := n.market.Providers()[0], n.dialer(), n.content(3_000, 0)
	n.must(p.Behave(n.ctx, market.NeverSeal))
	params := n.mk12(p, c, n.client())
	n.accepted(h, p, market.DealProtocol121, params)
	deal := n.await(p, params.DealUUID.String(), market.Sealing)
	if a := n.activation(*deal.ChainDeal); a.Activated != -1 {
		t.Errorf("it is activated at %d", a.Activated)
	}
	_, err := n.Advance(n.ctx, int(3*day))
	n.must(err)
	settled, err := n.fleet.Settle(n.ctx, n.client(), *deal.ChainDeal)
	n.must(err)
	if codes := settled.Results.Codes(); len(codes) != 1 || codes[0] != 32 {
		t.Errorf("after its start it is settled with %v, want 32", codes)
	}
	if deal, _ = p.Deal(deal.ID); deal.State != market.Sealing || deal.Sector != nil {
		t.Errorf("the deal is %+v", deal)
	}
	n.must(p.Behave(n.ctx)) // too late
	if deal = n.await(p, deal.ID, market.Failed); !strings.Contains(deal.Error, "sector") {
		t.Errorf("sealing it then: %+v", deal)
	}
}

func TestProviderThatStopsProving(t *testing.T) {
	n := start(t, 1)
	p := n.market.Providers()[0]
	_, deal := n.done(p)
	n.must(p.Behave(n.ctx, market.Fault))
	_, err := n.Advance(n.ctx, int(2*day))
	n.must(err)
	if status := n.sectorStatus(p, deal); status != abi.SectorStatusCodeFaulty {
		t.Errorf("the sector has status %d, want faulty", status)
	}
	n.must(p.Behave(n.ctx))
	n.must(p.Miner().Recover(n.ctx, *deal.Sector))
	_, err = n.Advance(n.ctx, int(2*day))
	n.must(err)
	if status := n.sectorStatus(p, deal); status != abi.SectorStatusCodeActive {
		t.Errorf("recovered the sector has status %d", status)
	}
}

// What is sealed is terminated, and what is sealed later too; the market ends the deals.
func TestProviderThatTerminates(t *testing.T) {
	n := start(t, 1)
	p := n.market.Providers()[0]
	h, c := n.dialer(), n.content(3_000, 0)
	params := n.mk12(p, c, n.client())
	n.accepted(h, p, market.DealProtocol121, params)
	first := n.await(p, params.DealUUID.String(), market.Complete)
	n.must(p.Behave(n.ctx, market.Terminate))
	if status := n.sectorStatus(p, first); status != abi.SectorStatusCodeDead {
		t.Errorf("the sector has status %d, want dead", status)
	}
	settled, err := n.fleet.Settle(n.ctx, n.client(), *first.ChainDeal)
	n.must(err)
	if codes := settled.Results.Codes(); codes[0] != 32 {
		t.Errorf("the market says %v of the deal", codes)
	}
	_, second := n.done(p)
	for n.sectorStatus(p, second) != abi.SectorStatusCodeDead { // comes after the deal is complete
		if n.ctx.Err() != nil {
			t.Fatal("a sector that was sealed later lives")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Offline nothing listens; back again the ports, the identity and the data are the same.
func TestProviderThatGoesOffline(t *testing.T) {
	n := start(t, 1)
	p, h := n.market.Providers()[0], n.dialer()
	c, _ := n.done(p)
	before := p.Endpoints()
	n.must(p.Behave(n.ctx, market.Offline))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if _, err := client.Get(before.URL + "/piece/" + c.v1.String()); err == nil {
		t.Error("it answers by HTTP")
	}
	if err := n.stream(h, p, market.AskProtocol, &market.AskRequest{Miner: before.Miner}, new(market.AskResponse)); err == nil {
		t.Error("it answers by libp2p")
	}
	n.must(p.Behave(n.ctx))
	if after := p.Endpoints(); after.URL != before.URL || after.Multiaddr != before.Multiaddr {
		t.Errorf("it was %+v, and is %+v", before, after)
	}
	n.served(p, c)
	h = n.dialer() // the other one backs off
	if err := n.stream(h, p, market.AskProtocol, &market.AskRequest{Miner: before.Miner}, new(market.AskResponse)); err != nil {
		t.Errorf("back again: %v", err)
	}
}

func TestProviderThatServesSomethingElse(t *testing.T) {
	n := start(t, 1)
	p := n.market.Providers()[0]
	c, _ := n.done(p)
	n.must(p.Behave(n.ctx, market.Corrupt))
	code, body := n.get(p, "/piece/"+c.v1.String())
	if code != http.StatusOK || len(body) != len(c.car) || body == string(c.car) {
		t.Errorf("corrupt: %d, %d bytes", code, len(body))
	}
	for at := 0; at+127 <= len(body); at += 500 { // a sample of 127 finds it
		_, part := n.get(p, "/piece/"+c.v1.String(), "Range", "bytes="+strconv.Itoa(at)+"-"+strconv.Itoa(at+126))
		if len(part) != 127 || part == string(c.car[at:at+127]) || part != body[at:at+127] {
			t.Errorf("corrupt, bytes from %d on: %d bytes, right: %v", at, len(part), part == string(c.car[at:at+127]))
		}
	}
	_, block := n.get(p, "/ipfs/"+c.root.String()+"?format=raw")
	_, car := n.get(p, "/ipfs/"+c.root.String()+"?format=car")
	if block == string(c.blocks[c.root]) || len(block) != len(c.blocks[c.root]) || car == string(c.car) || len(car) != len(c.car) {
		t.Errorf("corrupt, a block of %d bytes and a CAR of %d", len(block), len(car))
	}
	n.must(p.Behave(n.ctx, market.Garbage))
	for _, path := range []string{"/piece/" + c.v1.String(), "/ipfs/" + c.root.String() + "?format=car"} {
		if code, body := n.get(p, path); code != http.StatusOK || !strings.HasPrefix(body, "<!doctype html>") {
			t.Errorf("garbage at %s: %d %q", path, code, body)
		}
	}
	n.must(p.Behave(n.ctx))
	n.served(p, c)
}

func TestProviderThatLiesAboutItsPrice(t *testing.T) {
	n := start(t, 1)
	p, h, c := n.market.Providers()[0], n.dialer(), n.content(3_000, 0)
	price := big.NewInt(1 << 40)
	p.SetAsk(market.Ask{Price: price})
	n.must(n.fleet.AddBalance(n.ctx, n.client(), n.client().Address, big.NewInt(1e18)))
	n.must(p.Behave(n.ctx, market.LiePrice))
	var got market.AskResponse
	n.must(n.stream(h, p, market.AskProtocol, &market.AskRequest{Miner: p.Miner().Address()}, &got))
	fair := func(d *market18.DealProposal) {
		d.StoragePricePerEpoch = big.Div(big.Mul(got.Ask.Ask.Price, big.NewIntUnsigned(uint64(d.PieceSize))), big.NewInt(1<<30))
	}
	if !got.Ask.Ask.Price.Equals(price) {
		t.Errorf("the ask says %s", got.Ask.Ask.Price)
	}
	n.refused(h, p, n.mk12(p, c, n.client(), fair), "storage price per epoch less than asking price: 4194304 < 41943040")
	if code, body := n.propose(p, n.client(), n.mk20(p, c, n.client().Address)); code != 426 || !strings.Contains(body, "storage price per epoch less than asking price") {
		t.Errorf("MK20: %d %s", code, body)
	}
	n.must(p.Behave(n.ctx))
	params := n.mk12(p, c, n.client(), fair)
	n.accepted(h, p, market.DealProtocol121, params)
	n.await(p, params.DealUUID.String(), market.Complete)
}

func TestConductsByName(t *testing.T) {
	for _, c := range market.Conducts() {
		if got, err := market.ParseConduct(string(c)); got != c || err != nil {
			t.Errorf("%s is read as %s, %v", c, got, err)
		}
	}
	if _, err := market.ParseConduct("honest"); !errors.Is(err, market.ErrConduct) || !strings.Contains(err.Error(), "never-seal") {
		t.Errorf("an unknown one: %v", err)
	}
}

// The market closes while deals are in the middle of things.
func TestCloseInTheMiddle(t *testing.T) {
	n := start(t, 2, func(c *market.Config) { c.Conduct = [][]market.Conduct{{market.Stall}, {market.NeverSeal}} })
	for i, p := range n.market.Providers() {
		n.take(p, n.client(), n.mk20(p, n.content(3_000+i, 0), n.client().Address), market.Processing)
	}
	n.must(n.market.Close())
	n.must(n.market.Close())
	for _, p := range n.market.Providers() {
		if d := p.Deals()[0]; d.State == market.Failed || d.State == market.Complete {
			t.Errorf("the deal is %+v", d)
		}
	}
}

// Weeks after genesis a deposit is a large part of all rewards, as there are few sectors:
// a provider seals all the same.
func TestDealOnAChainThatIsWeeksOld(t *testing.T) {
	n := start(t, 1)
	p := n.market.Providers()[0]
	_, err := n.Advance(n.ctx, 15*int(day))
	n.must(err)
	before, err := n.Actor(n.ctx, p.Miner().Address(), nil)
	n.must(err)
	c := n.content(3_000, 0)
	n.take(p, n.client(), n.mk20(p, c, n.client().Address), market.Complete)
	after, err := n.Actor(n.ctx, p.Miner().Address(), nil)
	n.must(err)
	if !after.Balance.GreaterThan(before.Balance) {
		t.Errorf("it had %s and has %s: the deposit was no more than it had", before.Balance, after.Balance)
	}
}
