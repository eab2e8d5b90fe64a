package deals

import (
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/tidegate/tidegate/executor/job"
	filecoin "github.com/tidegate/tidegate/executor/market"
)

// TestARenewalByExtensionIsFollowed has a provider that claimed a slot extend its sector and
// renew by that, on Filecoin's actors: the next slot is Active without an offer, and is
// followed from then on as any other, by a daemon that was killed too.
func TestARenewalByExtensionIsFollowed(t *testing.T) {
	r := newReal(t, 0)
	p, owner := r.owned()
	const term = 180 * 2880
	deal := r.order(term-1, 1, fil(100))
	miner := uint64(p.Endpoints().ID)
	r.claim(owner, miner, deal)
	first := r.until(1, 200)[0]
	_, err := r.net.Chain().Advance(r.ctx, 2881) // a sector is extended once it was proven
	r.must(err)
	r.must(p.Miner().Extend(r.ctx, abi.ChainEpoch(first.End+term), abi.SectorNumber(first.Sector)))
	node, err := filecoin.Open(r.ctx, filecoin.Endpoint{URL: r.net.HTTPURL()})
	r.must(err)
	defer node.Close()
	at, err := node.Locate(r.ctx, miner, first.Sector)
	r.must(err)
	r.push(owner, filecoin.Call{To: r.at, Value: fil(1), Data: r.storage.PackRenewByExtension(first.Slot, at.Aux)})
	r.maker = r.newMaker() // killed, and started again
	for _, o := range r.until(2, 50) {
		if o.Slot == first.Slot {
			continue
		}
		v, err := bind.Call(r.storage.Instance(r.client, r.at), &bind.CallOpts{Context: r.ctx}, r.storage.PackSlotOf(o.Slot), r.storage.UnpackSlotOf)
		r.must(err)
		if o.Slot != first.Slot+1 || o.Miner != miner || o.Start != first.End || o.End != first.End+term || o.Sector != first.Sector || o.Alarm != "" || v.State != active || uint64(v.End) != o.End {
			t.Errorf("after %+v: %+v; the contract has %+v", first, o, v)
		}
		if _, err := r.maker.OnChain(r.ctx, o); err != nil {
			t.Error(err)
		}
	}
	if claims, err := r.ledger.Claims(r.ctx, 0, 10); err != nil || len(claims) != 0 {
		t.Errorf("claims that are over: %+v, %v", claims, err)
	}
	if taken := p.Deals(); len(taken) != 1 {
		t.Errorf("the provider was offered %d deals", len(taken))
	}
	if all, err := r.ledger.Offers(r.ctx, job.OfferFilter{}); err != nil || len(all) != 2 {
		t.Errorf("%d offers, %v", len(all), err)
	}
}
