package deals

import (
	"context"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/piece"
)

// funds is the Filecoin node of a world with DataCap.
type funds struct{ w *world }

const allocation = 7

// Allocations has one for every slot that was claimed, and what the market actor made.
func (f funds) Allocations(context.Context, common.Address) (out []market.Allocation, err error) {
	if f.w.claimed {
		return nil, nil
	}
	a := market.Allocation{ID: allocation, Piece: (piece.Commitment{Root: commP, Padded: padded, Payload: car}).CID(), Padded: padded, TermMin: term, TermMax: 2 * term}
	for _, s := range f.w.slots {
		if a.Provider, a.Expiration = s.MinerId, int64(s.SealDeadline); s.State == claimed {
			out = append(out, a)
		}
	}
	if a.Expiration = f.w.drawn; a.Expiration != 0 {
		out = append(out, a)
	}
	return out, nil
}

func (funds) Authenticates(context.Context, common.Address, []byte) (bool, error) { return true, nil }

func (f funds) Known(context.Context, string) (bool, error) { return !f.w.unknown, nil }

func (funds) Escrow(context.Context, address.Address) (*big.Int, error) { return new(big.Int), nil }

// TestWhatBecomesOfDataCapIsFollowed has DataCap set aside for a claim, and what then
// happens to it: claimed with the sector, claimed unknown to the contract, sealed without,
// never sealed.
func TestWhatBecomesOfDataCapIsFollowed(t *testing.T) {
	for _, c := range []struct {
		name     string
		market   string // of an MK20 provider
		conduct  string
		claimed  bool // with the verified registry
		later    uint64
		state    job.OfferState
		evidence bool
		alarm    string
	}{
		{name: "claimed", market: "http://sp.example", claimed: true, state: job.OfferActive, evidence: true},
		{name: "sealed without", market: "http://sp.example", state: job.OfferActive, alarm: "sealed without DataCap: nobody has claimed allocation 7"},
		{name: "claimed, and nobody told the contract", market: "http://sp.example", conduct: "idle", claimed: true, state: job.OfferAccepted, alarm: "was not told: tidegate sp publish"},
		{name: "ran out", market: "http://sp.example", conduct: "idle", later: 5761, state: job.OfferAccepted, alarm: "allocation 7 ran out at epoch"},
		{name: "drawn and claimed", claimed: true, state: job.OfferActive},
		{name: "drawn, sealed without", state: job.OfferActive, alarm: "sealed without DataCap: nobody has claimed allocation 7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &sp{id: 1001, market: c.market, claims: c.market != "", conduct: c.conduct}
			w := newWorld(t, s)
			w.terms.Verified = true
			slot := w.openSlot(1, 0, 0)
			m := w.maker()
			var o job.Offer
			w.run(m, 60, func() bool {
				got, err := w.ledger.Offers(t.Context(), job.OfferFilter{Slot: slot})
				if err != nil {
					t.Fatal(err)
				}
				if len(got) > 0 {
					o = got[0]
				}
				if c.market == "" && w.drawn == 0 && len(got) > 0 {
					w.drawn = int64(w.epoch) + 5760 // as the proposal of this epoch had it
				}
				return len(got) > 0 && o.State != job.OfferProposing
			})
			w.claimed = c.claimed
			w.epoch += c.later
			for range 120 {
				if err := w.step(m, 1); err != nil {
					t.Fatal(err)
				}
			}
			o, events, err := w.ledger.Offer(t.Context(), o.ID)
			if err != nil || o.State != c.state || (c.market != "" && (o.Evidence == allocation) != c.evidence) || !strings.Contains(o.Alarm, c.alarm) || (o.Alarm == "") != (c.alarm == "") {
				t.Fatalf("%+v, %v", o, err)
			}
			if last := events[len(events)-1]; c.evidence && last.Words != "claim 7 of verified data, sector 1" {
				t.Errorf("the newest event is %+v", last)
			}
		})
	}
}
