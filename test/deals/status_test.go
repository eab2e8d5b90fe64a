package deals

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market/mk12"
)

// TestWhatProvidersSayOverMK12 goes through the statuses of Boost
// (storagemarket/types/dealcheckpoints/checkpoints.go and lp2pimpl/net.go, v2.5.2) and Curio
// (market/mk12/mk12_utils.go, commit 10023260): they lead up to sealing, never beyond;
// words are kept, once; and who says nothing changes nothing.
func TestWhatProvidersSayOverMK12(t *testing.T) {
	answer := func(status, words string, received uint64) mk12.DealStatusResponse {
		return mk12.DealStatusResponse{Status: &mk12.DealStatus{Status: status, Error: words}, Size: 100, Received: received}
	}
	for _, c := range []struct {
		name   string
		says   mk12.DealStatusResponse
		err    error
		other  bool // speaks of another deal
		state  job.OfferState
		reason string
		words  string // of the newest event
	}{
		{name: "boost, taken", says: answer("Accepted", "", 0), state: job.OfferAccepted},
		{name: "boost, fetching", says: answer("Accepted", "", 40), state: job.OfferTransferring},
		{name: "boost, fetched", says: answer("Transferred", "", 100), state: job.OfferTransferring},
		{name: "boost, published", says: answer("Published", "", 100), state: job.OfferSealing},
		{name: "boost, in a sector", says: answer("AddedPiece", "", 100), state: job.OfferSealing},
		{name: "boost, done", says: answer("Complete", "", 100), state: job.OfferSealing},
		{name: "boost, failed", says: answer("Complete", "data-transfer failed: no route", 40), state: job.OfferFailed, reason: "given up: data-transfer failed: no route", words: "data-transfer failed: no route"},
		{name: "boost, trying again", says: answer("Accepted", "data-transfer failed: no route", 40), state: job.OfferTransferring, words: "data-transfer failed: no route"},
		{name: "boost, to a contract", says: mk12.DealStatusResponse{Error: "signature verification failed"}, state: job.OfferAccepted},
		{name: "boost, which has no such deal", says: mk12.DealStatusResponse{Error: "no storage deal found with deal UUID"}, state: job.OfferAccepted, words: "no storage deal found with deal UUID"},
		{name: "curio, in the pipeline", says: answer("Processing", "", 1), state: job.OfferAccepted},
		{name: "curio, trouble in the pipeline", says: answer("Processing", "piece size mismatch", 1), state: job.OfferAccepted, words: "piece size mismatch"},
		{name: "curio, sealed", says: answer("Sealed", "", 1), state: job.OfferSealing},
		{name: "a word that nobody uses", says: answer("Active", "", 100), state: job.OfferAccepted},
		{name: "another deal", says: answer("Complete", "it failed", 100), other: true, state: job.OfferAccepted},
		{name: "no answer", err: errors.New("no route"), state: job.OfferAccepted},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &sp{id: 1001, conduct: "idle"}
			w := newWorld(t, s)
			asked := 0
			s.says = func(q mk12.DealStatusRequest) (mk12.DealStatusResponse, error) {
				asked++
				if c.says.UUID = q.UUID; c.other {
					c.says.UUID = uuid.UUID{1}
				}
				return c.says, c.err
			}
			m := w.maker()
			slot := w.openSlot(1, 0, 0)
			for range 40 {
				w.now = w.now.Add(time.Minute)
				if err := w.step(m, 1); err != nil {
					t.Fatal(err)
				}
			}
			made, err := w.ledger.Offers(t.Context(), job.OfferFilter{Slot: slot})
			if err != nil || len(made) == 0 {
				t.Fatalf("%d offers: %v", len(made), err)
			}
			first := made[len(made)-1]
			o, events, err := w.ledger.Offer(t.Context(), first.ID)
			if err != nil || o.State != c.state || o.Reason != c.reason {
				t.Fatalf("%s %q, want %s %q: %v", o.State, o.Reason, c.state, c.reason, err)
			}
			said := 0
			for _, e := range events {
				if e.Words != "" {
					said++
				}
			}
			if last := events[len(events)-1]; last.Words != c.words || said > 1 || asked == 0 {
				t.Errorf("asked %d times, events %+v, want the words %q once", asked, events, c.words)
			}
		})
	}
}
