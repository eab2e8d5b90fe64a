package daemon_test

import (
	"bytes"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/executor/job"
)

// Three copies of four providers are proven; then the daemon loses its own, one provider
// terminates its sector, and of the two that are left the one that is asked first
// misbehaves. The piece comes from the other, the fourth stores it, and the daemon serves it
// as before. The first misconduct here, all of them with TIDEGATE_SOAK=1.
func TestALostPieceComesBackFromItsProviders(t *testing.T) {
	conducts := []market.Conduct{market.Corrupt, market.Garbage, market.Offline}
	if os.Getenv("TIDEGATE_SOAK") == "" {
		conducts = conducts[:1]
	}
	for _, how := range conducts {
		t.Run(string(how), func(t *testing.T) { lostAndRepaired(t, how) })
	}
}

func lostAndRepaired(t *testing.T, how market.Conduct) {
	w := newDealsWorld(t, 4, func(c *config.Config) {
		c.Keeper.Enabled, c.Keeper.MaxCost, c.Keeper.Node = true, "1", c.Chain.RPC[0]
		c.Keeper.NodeEvery = config.Duration(200 * time.Millisecond)
		c.Deals.AnswerWithin, c.Deals.SampleEvery = config.Duration(2*time.Second), 0
	})
	content := make([]byte, 700<<10)
	_, _ = rand.NewChaCha8([32]byte{3}).Read(content) // it never fails
	w.order(content, estuarypinning.DealTerms{
		Replicas: 3, Term: 180 * 2880, SealWindow: 2880, RenewWindow: 100 * 2880, Ramp: 10 * 2880, Rate: 2e12, Endpoint: "http://" + w.public + "/piece/",
		BaseBounty: big.NewInt(1e18), MaxBounty: big.NewInt(1e18), BondFloor: big.NewInt(2e18), MinCollateral: new(big.Int),
	})
	first := w.active("three active copies", func(all []job.Offer) bool { return len(all) == 3 })
	id := first[0].Piece
	whole := w.get("http://" + w.public + "/piece/" + id)
	root := w.lose(id)
	gone, culprit, last := w.provider(first[0].Miner), w.provider(first[1].Miner), first[2].Miner
	// Of equals who served badly once is asked later.
	w.must(w.daemon.Ledger().AddSample(w.ctx, job.Sample{Miner: last, Slot: first[2].Slot, Piece: id, URL: "u", Length: 1, At: time.Now(), Words: "late"}, time.Time{}))
	w.must(culprit.Behave(w.ctx, how))
	w.must(gone.Behave(w.ctx, market.Terminate))
	now := w.active("three copies again, one of them with who had none", func(all []job.Offer) bool {
		holders := map[uint64]bool{}
		for _, o := range all {
			holders[o.Miner] = true
		}
		return len(all) == 3 && !holders[first[0].Miner] && holders[first[1].Miner] && holders[last]
	})
	for _, o := range now {
		v := read(w, "PerpetualStorage", w.storage.PackSlotOf(o.Slot), w.storage.UnpackSlotOf)
		const slotActive = 3
		if v.State != slotActive || v.MinerId != o.Miner || o.Piece != id {
			t.Errorf("the contract has %+v, the ledger %+v", v, o)
		}
	}
	repairs, err := w.daemon.Ledger().Repairs(w.ctx, job.RepairFilter{})
	w.must(err)
	if len(repairs) != 1 || repairs[0].State != job.RepairRestored || repairs[0].Miner != last || repairs[0].Got != uint64(len(whole)) {
		t.Fatalf("%+v", repairs)
	}
	_, steps, err := w.daemon.Ledger().Repair(w.ctx, repairs[0].ID)
	w.must(err)
	asked := false
	for _, s := range steps {
		asked = asked || s.Miner == first[1].Miner && !strings.HasPrefix(s.Words, "asked at")
	}
	bad, err := w.daemon.Ledger().Samples(w.ctx, job.SampleFilter{Miner: first[1].Miner})
	w.must(err)
	if !asked || len(bad) == 0 || bad[0].Good {
		t.Errorf("the culprit was not asked, or nothing is held against it: %+v, %+v", steps, bad)
	}
	if got := w.get("http://" + w.public + "/piece/" + id); !bytes.Equal(got, whole) {
		t.Errorf("%d bytes are served that are not the piece's %d", len(got), len(whole))
	}
	if all, err := w.daemon.Node().HasAll(w.ctx, root); err != nil || !all {
		t.Errorf("all blocks are held: %t, %v", all, err)
	}
	if r, err := w.daemon.Node().Recount(w.ctx); err != nil || r.Err() != nil || r.Pins != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// active waits for a set of active copies.
func (w *dealsWorld) active(what string, is func([]job.Offer) bool) (all []job.Offer) {
	w.Helper()
	w.until(what, func() bool {
		var err error
		all, err = w.daemon.Ledger().Offers(w.ctx, job.OfferFilter{State: job.OfferActive})
		w.must(err)
		return is(all)
	})
	return all
}

// lose drops all that the daemon's node holds of a piece.
func (w *dealsWorld) lose(id string) cid.Cid {
	w.Helper()
	it, err := w.daemon.Ledger().Item(w.ctx, id)
	w.must(err)
	root, err := cid.Decode(it.Root)
	w.must(err)
	pins, err := w.daemon.Node().ListPins(w.ctx)
	w.must(err)
	for _, p := range pins {
		_, err := w.daemon.Node().Release(w.ctx, p.Ref)
		w.must(err)
	}
	if all, err := w.daemon.Node().HasAll(w.ctx, root); err != nil || all {
		w.Fatalf("the blocks are still here: %v", err)
	}
	return root
}

func (w *dealsWorld) provider(miner uint64) *market.Provider {
	w.Helper()
	for _, p := range w.market.Providers() {
		if uint64(p.Endpoints().ID) == miner {
			return p
		}
	}
	w.Fatalf("there is no miner %d", miner)
	return nil
}
