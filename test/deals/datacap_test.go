package deals

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	fbig "github.com/filecoin-project/go-state-types/big"
	"github.com/google/uuid"

	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/bindings/storagegate"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/handler/prepare"
	"github.com/tidegate/tidegate/executor/job"
	filecoin "github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/market/mk12"
)

// capped is a real world with a provider whose owner's key is at hand, and a deal whose
// slot is to be sealed with DataCap.
type capped struct {
	*real
	gate   common.Address
	gateID abi.ActorID
	g      *storagegate.StorageGate
	miner  abi.ActorID
	owner  chain.Account
	deal   uint64
}

// newCapped orders one copy of a piece of about so many bytes by makeDealsForCid, with as
// much collateral as a deal with DataCap has to have to the letter.
func newCapped(t *testing.T, size int, collateral func(least *big.Int) *big.Int) *capped {
	t.Helper()
	c := newStranger(t, size, collateral)
	us, err := address.NewFromString(c.us)
	c.must(err)
	_, err = c.net.Providers().Send(c.ctx, c.owner, provider.Call{To: us, Value: provider.Fil(1)})
	c.must(err)
	return c
}

// newStranger is newCapped where our key is no actor of the chain yet.
func newStranger(t *testing.T, size int, collateral func(least *big.Int) *big.Int) *capped {
	t.Helper()
	r := newReal(t, 0)
	r.content(size)
	c := &capped{real: r, gate: r.made.Contracts["StorageGate"], g: storagegate.NewStorageGate()}
	p, owner := r.owned()
	c.owner, c.miner = owner, p.Endpoints().ID
	at, err := filecoin.FromEth(c.gate)
	r.must(err)
	c.gateID, err = r.net.Chain().Resolve(r.ctx, at, nil)
	r.must(err)
	least, err := r.net.Providers().LeastCollateral(r.ctx, abi.PaddedPieceSize(r.piece.Padded), true)
	r.must(err)
	if least.Sign() <= 0 {
		t.Fatalf("the least collateral is %s", least)
	}
	terms := r.terms(100*2880, 1)
	terms.Verified, terms.MinCollateral = true, collateral(least.Int)
	c.deal = c.makeDeals(terms)
	return c
}

func half(least *big.Int) *big.Int { return new(big.Int).Div(least, big.NewInt(2)) }
func enough(least *big.Int) *big.Int {
	return new(big.Int).Div(new(big.Int).Mul(least, big.NewInt(3)), big.NewInt(2))
}

const budget = 100 // FIL

// makeDeals calls makeDealsForCid, has operators name the piece, and opens the deal.
func (c *capped) makeDeals(terms perpetualstorage.DealTerms) uint64 {
	c.Helper()
	pins, at, client := estuarypinning.NewEstuaryPinning(), c.made.Contracts["EstuaryPinning"], c.net.Accounts()[2]
	fee, err := bind.Call(c.storage.Instance(c.client, at), &bind.CallOpts{Context: c.ctx}, pins.PackQuoteDeals(), pins.UnpackQuoteDeals)
	c.must(err)
	asked := c.send(client, at, new(big.Int).Add(fee, fil(budget)), pins.PackMakeDealsForCid(c.root.Bytes(), estuarypinning.DealTerms(terms)))
	id := c.answer(asked, prepare.Answer(c.piece.CID(), c.piece.Padded, c.piece.Payload, c.piece.Payload))
	deal := c.created(c.send(client, at, nil, pins.PackOpenDeal(id, c.root.Bytes(), estuarypinning.DealTerms(terms))))
	c.serve(deal)
	return deal
}

// dataCap has a notary give the gate DataCap, and its steward say which deal it is for.
func (c *capped) dataCap() {
	c.Helper()
	fleet, notary, size := c.net.Providers(), c.owner, fbig.NewIntUnsigned(c.piece.Padded)
	at, err := filecoin.FromEth(c.gate)
	c.must(err)
	c.must(fleet.AddNotary(c.ctx, notary.Address, size))
	c.must(fleet.GrantDataCap(c.ctx, notary, at, size))
	c.send(c.net.Accounts()[0], c.gate, nil, c.g.PackAssignDataCap(c.deal, size.Int))
	c.hasDataCap(c.piece.Padded, c.piece.Padded)
}

// hasDataCap compares the gate's DataCap, and what of it the deal can still set aside.
func (c *capped) hasDataCap(all, free uint64) {
	c.Helper()
	at, err := filecoin.FromEth(c.gate)
	c.must(err)
	has, err := c.net.Providers().DataCap(c.ctx, at)
	c.must(err)
	of, err := bind.Call(c.storage.Instance(c.client, c.gate), &bind.CallOpts{Context: c.ctx}, c.g.PackDataCapOf(c.deal), c.g.UnpackDataCapOf)
	c.must(err)
	if has.Uint64() != all || of.Uint64() != free {
		c.Errorf("the gate has %s bytes of DataCap, the deal %s; want %d and %d", has, of, all, free)
	}
}

func (c *capped) slot() uint64 { return c.deal << 24 }

func (c *capped) claimIt() {
	c.Helper()
	c.claim(c.owner, uint64(c.miner), c.deal)
}

// onGate sends a call of the gate by the provider's owner.
func (c *capped) onGate(data []byte) {
	c.Helper()
	c.push(c.owner, filecoin.Call{To: c.gate, Value: new(big.Int), Data: data})
}

// passes lets so many passes happen, and gives all offers.
func (c *capped) passes(n int) []job.Offer {
	c.Helper()
	for range n {
		_, err := c.net.Chain().Advance(c.ctx, 2)
		c.must(err)
		c.now = c.now.Add(time.Minute)
		c.must(c.maker.Pass(c.ctx))
	}
	all, err := c.ledger.Offers(c.ctx, job.OfferFilter{})
	c.must(err)
	return all
}

// claims are what the verified registry has of the provider; it must be one, the deal's.
func (c *capped) claims(o job.Offer) (id uint64) {
	c.Helper()
	all, err := c.net.Providers().Claims(c.ctx, c.miner)
	c.must(err)
	left, err := c.net.Providers().Allocations(c.ctx, c.gateID)
	c.must(err)
	if len(all) != 1 || len(left) != 0 {
		c.Fatalf("claims %+v, allocations %+v", all, left)
	}
	for n, claim := range all {
		if claim.Client != c.gateID || claim.Data != c.piece.CID() || uint64(claim.Size) != c.piece.Padded || uint64(claim.Sector) != o.Sector {
			c.Errorf("claim %d is %+v; the offer is of sector %d", n, claim, o.Sector)
		}
		id = uint64(n)
	}
	return id
}

// conserved compares the contract's books: what the client and the provider put in is
// there, to the attoFIL, and nothing was burnt.
func (c *capped) conserved() {
	c.Helper()
	opts, at := &bind.CallOpts{Context: c.ctx}, c.storage.Instance(c.client, c.at)
	deal, err := bind.Call(at, opts, c.storage.PackDealOf(c.deal), c.storage.UnpackDealOf)
	c.must(err)
	slot, err := bind.Call(at, opts, c.storage.PackSlotOf(c.slot()), c.storage.UnpackSlotOf)
	c.must(err)
	credit, err := bind.Call(at, opts, c.storage.PackCreditOf(slot.Payee), c.storage.UnpackCreditOf)
	c.must(err)
	burnable, err := bind.Call(at, opts, c.storage.PackBurnable(), c.storage.UnpackBurnable)
	c.must(err)
	has, err := c.client.BalanceAt(c.ctx, c.at, nil)
	c.must(err)
	books := new(big.Int)
	for _, part := range []*big.Int{deal.Free, slot.Obligation, slot.Bond, credit} {
		books.Add(books, part)
	}
	if slot.State != active || books.Cmp(fil(budget+3)) != 0 || has.Cmp(books) < 0 || burnable.Sign() != 0 {
		c.Errorf("state %d: %s free + %s reserved + %s bond + %s credit, of %d FIL; the contract has %s, %s to burn", slot.State, deal.Free, slot.Obligation, slot.Bond, credit, budget+3, has, burnable)
	}
}

// TestASlotWithDataCapIsStoredByAllocation goes from makeDealsForCid to a claim with the
// verified registry and a slot that is proven Active, over MK20: nobody can claim it
// without DataCap unwarned, and nothing is proposed before the gate has set DataCap aside.
func TestASlotWithDataCapIsStoredByAllocation(t *testing.T) {
	c := newCapped(t, 600_000, half)
	store := filecoin.NewStorage(c, c.at)
	head, err := c.Head(c.ctx)
	c.must(err)
	preview, err := store.Preview(c.ctx, head, c.slot(), uint64(c.miner), filecoin.Masked(uint64(c.owner.ID)))
	c.must(err)
	if words := filecoin.Why(preview.Reason); !strings.Contains(words, "too little DataCap") {
		t.Errorf("a claim without DataCap: %q", words)
	}
	if made := c.passes(2); len(made) != 0 {
		t.Fatalf("proposed before it was claimed: %+v", made)
	}
	c.dataCap()
	if head, err = c.Head(c.ctx); err == nil {
		preview, err = store.Preview(c.ctx, head, c.slot(), uint64(c.miner), filecoin.Masked(uint64(c.owner.ID)))
	}
	if c.must(err); preview.Reason != "" {
		t.Errorf("a claim with DataCap: %q", preview.Reason)
	}
	c.claimIt()
	if made := c.passes(3); len(made) != 0 {
		t.Fatalf("proposed without an allocation, to be sealed without DataCap: %+v", made)
	}
	c.onGate(c.g.PackAllocateDataCap(c.slot()))
	c.hasDataCap(0, 0)
	o := c.until(1, 200)[0]
	if id := c.claims(o); o.Protocol != job.ProtocolMK20 || o.Evidence != id || o.Alarm != "" {
		t.Errorf("the offer is %+v, the claim %d", o, id)
	}
	if says, err := c.maker.OnChain(c.ctx, o); err != nil || says.Status != "active" || !strings.Contains(says.Words, "of verified data is its") {
		t.Errorf("on chain: %+v, %v", says, err)
	}
	c.hasDataCap(0, 0)
	c.conserved()
	c.refetched(o)
}

// TestASlotWithDataCapIsStoredByAnF05Deal is the same over MK12: the market actor draws
// the DataCap that was granted for the claim, for the one deal that the gate stands for.
func TestASlotWithDataCapIsStoredByAnF05Deal(t *testing.T) {
	c := newCapped(t, 2700, enough)
	c.dataCap()
	c.claimIt()
	if made := c.passes(3); len(made) != 0 {
		t.Fatalf("proposed before DataCap was granted: %+v", made)
	}
	c.onGate(c.g.PackGrantDataCap(c.slot()))
	c.hasDataCap(c.piece.Padded, 0)
	o := c.until(1, 200)[0]
	c.claims(o)
	if says, err := c.maker.OnChain(c.ctx, o); o.Protocol != job.ProtocolMK12 || err != nil || says.Status != "active" {
		t.Errorf("the offer is %+v; on chain %+v, %v", o, says, err)
	}
	c.hasDataCap(0, 0)
	c.conserved()
	c.refetched(o)
	// The provider says the same of it over the status protocol.
	var r struct{ Addrs []string }
	c.must(json.Unmarshal(o.Request, &r))
	id, err := uuid.Parse(o.ID)
	c.must(err)
	says, err := c.mk12.Status(c.ctx, r.Addrs, mk12.DealStatusRequest{UUID: id})
	if err != nil || says.Status == nil || says.Status.Status != "Sealed" || says.Status.ChainDealID != o.Evidence || !says.Status.Proposal.Verified {
		t.Errorf("the provider says %+v, %v", says, err)
	}
}

// unasked wants one offer that failed before its provider heard of it.
func (c *capped) unasked(made []job.Offer, words string) {
	c.Helper()
	if len(made) != 1 || made[0].State != job.OfferFailed || !strings.Contains(made[0].Reason, words) || !strings.HasPrefix(made[0].Reason, "not asked: ") || made[0].Attempts != 0 {
		c.Fatalf("want one that was not asked, %q: %+v", words, made)
	}
	for _, p := range c.market.Providers() {
		if got := p.Deals(); len(got) != 0 {
			c.Errorf("the provider heard of %+v", got)
		}
	}
	detail, err := c.maker.Show(c.ctx, uint64(c.miner))
	c.must(err)
	if len(detail.Inputs) != 0 {
		c.Errorf("it counts against the provider: %+v", detail.Inputs)
	}
}

// TestWhatDataCapCannotDoIsSaidBefore lets an allocation be too small for Curio, our key be
// one that Curio cannot look allocations up for, an
// allocation run out before the daemon saw it, and the collateral of an f05 deal be less
// than f05 wants: the provider hears of none.
func TestWhatDataCapCannotDoIsSaidBefore(t *testing.T) {
	t.Run("size", func(t *testing.T) {
		c := newCapped(t, 2700, half)
		c.dataCap()
		c.claimIt()
		c.onGate(c.g.PackAllocateDataCap(c.slot()))
		c.unasked(c.passes(2), "too small for DataCap")
	})
	t.Run("our key", func(t *testing.T) {
		c := newStranger(t, 600_000, half)
		c.dataCap()
		c.claimIt()
		c.onGate(c.g.PackAllocateDataCap(c.slot()))
		c.unasked(c.passes(2), "which is no actor of this chain yet")
	})
	t.Run("run out", func(t *testing.T) {
		c := newCapped(t, 600_000, half)
		c.dataCap()
		c.claimIt()
		c.onGate(c.g.PackAllocateDataCap(c.slot()))
		_, err := c.net.Chain().Advance(c.ctx, 2881)
		c.must(err)
		c.unasked(c.passes(2), "ran out at epoch")
		c.hasDataCap(0, 0) // until somebody removes it: then it comes back to the gate
		_, err = c.net.Providers().RemoveExpiredAllocations(c.ctx, c.owner, c.gateID)
		c.must(err)
		c.hasDataCap(c.piece.Padded, 0)
	})
	t.Run("collateral", func(t *testing.T) {
		c := newCapped(t, 2700, half)
		c.dataCap()
		c.claimIt()
		c.onGate(c.g.PackGrantDataCap(c.slot()))
		c.unasked(c.passes(2), "no more and no less")
	})
}

// TestAWalletsEscrowIsLookedAt stores an offer whose client is an f1 wallet: while the
// wallet has too little in escrow its provider is not asked, and we put nothing there;
// once the wallet has, the provider is, and says what it thinks of the signature.
func TestAWalletsEscrowIsLookedAt(t *testing.T) {
	r := newReal(t, 1)
	deal := r.deal(1)
	wallet := r.net.Chain().Accounts()[0]
	for _, a := range r.net.Chain().Accounts() {
		if a.Kind == chain.Secp256k1 {
			wallet = a
		}
	}
	least, err := r.net.Providers().LeastCollateral(r.ctx, abi.PaddedPieceSize(r.piece.Padded), false)
	r.must(err)
	head, err := r.Head(r.ctx)
	r.must(err)
	to, err := address.NewIDAddress(uint64(r.market.Providers()[0].Endpoints().ID))
	r.must(err)
	p := mk12.DealProposal{
		PieceCID: r.piece.CID(), PaddedSize: r.piece.Padded, Client: wallet.Address, Provider: to, Label: []byte("x"), Start: int64(head) + 2500,
		End: int64(head) + 2500 + 180*2880, PricePerEpoch: fbig.NewInt(1e12), ProviderCollateral: enoughOf(least), ClientCollateral: fbig.NewInt(7),
	}
	var proposal strings.Builder
	r.must(p.MarshalCBOR(&proposal))
	request, err := json.Marshal(map[string]any{
		"addrs": r.reach()[0].Addrs, "proposal": []byte(proposal.String()), "root": r.root.String(), "url": "http://127.0.0.1:1/", "size": len(r.car),
	})
	r.must(err)
	offer := func() job.Offer {
		id := uuid.NewString()
		r.must(r.ledger.AddOffer(r.ctx, job.Offer{
			ID: id, Slot: deal << 24, Miner: uint64(r.market.Providers()[0].Endpoints().ID), Protocol: job.ProtocolMK12, Piece: r.piece.CID().String(), Request: request,
			Choice: []byte("[]"), Deadline: head + 2000, DueAt: r.now, DueEpoch: head + 1000,
		}, r.now))
		r.must(r.maker.Pass(r.ctx))
		o, _, err := r.ledger.Offer(r.ctx, id)
		r.must(err)
		return o
	}
	needs := new(big.Int).Add(new(big.Int).Mul(big.NewInt(1e12), big.NewInt(180*2880)), big.NewInt(7))
	escrow := func(want *big.Int) {
		t.Helper()
		has, locked, err := r.net.Providers().Escrow(r.ctx, wallet.Address)
		if err != nil || has.Int.Cmp(want) != 0 || locked.Sign() != 0 {
			t.Errorf("escrow of %s, %s locked, want %s: %v", has, locked, want, err)
		}
	}
	short := new(big.Int).Sub(needs, big.NewInt(1))
	r.must(r.net.Providers().AddBalance(r.ctx, wallet, wallet.Address, fbig.NewFromGo(short)))
	_, err = r.net.Chain().Advance(r.ctx, 1) // Lotus shows the state before the head's messages
	r.must(err)
	if o := offer(); o.State != job.OfferFailed || o.Attempts != 0 || !strings.Contains(o.Reason, short.String()+" attoFIL free in escrow") || !strings.Contains(o.Reason, "locks "+needs.String()) {
		t.Fatalf("short by one: %+v", o)
	}
	escrow(short)
	r.must(r.net.Providers().AddBalance(r.ctx, wallet, wallet.Address, fbig.NewInt(1)))
	_, err = r.net.Chain().Advance(r.ctx, 1)
	r.must(err)
	if o := offer(); o.Attempts != 1 || !strings.HasPrefix(o.Reason, "refused: ") || !strings.Contains(o.Reason, "validating signature") {
		t.Fatalf("with enough in escrow: %+v", o)
	}
	escrow(needs)
}

func enoughOf(least abi.TokenAmount) fbig.Int { return fbig.NewFromGo(enough(least.Int)) }
