package deals

import (
	"math/big"
	"testing"

	"github.com/tidegate/tidegate/executor/job"
)

// What following deals costs at most: calls of a pass, of each deal that is due in it, and
// every 20 epochs those of listing the providers, one and of each provider.
const passCalls, dueCalls, listCalls, providerCalls, listEvery = 2, 3, 1, 3, 20

// track gives the ledger so many active deals, each due on its own epoch of a day.
func (w *world) track(deals uint64) {
	w.Helper()
	for i := range deals {
		id := w.openSlot(i+1, 0, 0)
		s := w.slots[id]
		s.State, s.MinerId, s.Route, s.F05DealId, s.Start, s.End = active, 1001, 1, i+1, uint32(w.epoch), uint32(w.epoch+term)
		w.facts[i+1] = factActive
		o := job.Offer{
			ID: job.LocalKey(new(big.Int).SetUint64(i).String()), Slot: id, Miner: 1001, Protocol: job.ProtocolMK12, Piece: "p",
			Deadline: 1e6, DueAt: w.now.Add(1e15), DueEpoch: w.epoch + 3 + i%2880,
		}
		if err := w.ledger.AddOffer(w.Context(), o, w.now); err != nil {
			w.Fatal(err)
		}
		o.State, o.ActiveAt, o.End = job.OfferActive, w.now, uint64(s.End)
		if err := w.ledger.UpdateOffer(w.Context(), o, job.OfferProposing, "", w.now); err != nil {
			w.Fatal(err)
		}
	}
}

// BenchmarkTracking follows 1,000 active deals for a day of epochs, each of which is
// final by itself, and counts the calls of the chain's endpoint.
func BenchmarkTracking(b *testing.B) {
	const deals, epochs, providers = 1000, 2880, 3
	const listing = listCalls + providerCalls*providers
	for range b.N {
		w := newWorld(b, &sp{id: 1001}, &sp{id: 1002}, &sp{id: 1003})
		m := w.maker()
		w.track(deals)
		if err := w.step(m, 1); err != nil { // what is asked once
			b.Fatal(err)
		}
		calls, due, most := 0, 0, 0
		for range epochs {
			w.calls = 0
			now, err := w.ledger.Offers(w.Context(), job.OfferFilter{DueBy: w.now, DueEpoch: w.epoch + 1, Limit: deals})
			if err != nil {
				b.Fatal(err)
			}
			if err := w.step(m, 1); err != nil {
				b.Fatal(err)
			}
			if may := passCalls + listing + dueCalls*len(now); w.calls > may {
				b.Fatalf("epoch %d: %d calls with %d deals due, at most %d", w.epoch, w.calls, len(now), may)
			}
			calls, due, most = calls+w.calls, due+len(now), max(most, w.calls)
		}
		b.ReportMetric(float64(calls)/epochs, "calls/epoch")
		b.ReportMetric(passCalls+float64(listing)/listEvery+dueCalls*float64(due)/epochs, "bound-calls/epoch")
		b.ReportMetric(float64(most), "most-calls")
	}
}
