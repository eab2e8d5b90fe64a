package deals

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market/deals"
)

// hindrances are what may stand between a claim and its deal for a while.
var hindrances = []struct {
	name     string
	verified bool
	set      func(w *world, s *sp, on bool)
	why      string // what the claim waits for; "" where it is offered, again and again
}{
	{"the piece is not ready", false, func(w *world, _ *sp, on bool) { w.unready = on }, "the piece is not here"},
	{"the provider is away", false, func(_ *world, s *sp, on bool) { s.conduct = map[bool]string{true: "away"}[on] }, ""},
	{"the provider does not know our key", false, func(_ *world, s *sp, on bool) { s.conduct = map[bool]string{true: "refuse"}[on] }, "refused: rejected by market (426)"},
	{"the provider is not known", false, func(w *world, s *sp, on bool) {
		e := w.entries[s.id]
		e.Market = map[bool]string{false: s.market}[on]
		w.entries[s.id] = e
	}, "it is not known where the provider takes deals"},
	{"what is looked at first is short", true, func(w *world, _ *sp, on bool) { w.unknown = on },
		"not asked: providers look allocations up for our key f1us first, which is no actor of this chain yet: send it any FIL"},
}

// claimOf is what the ledger has of a slot's claim.
func (w *world) claimOf(slot uint64) (job.Claim, bool) {
	w.Helper()
	all, err := w.ledger.Claims(w.Context(), 0, 1000)
	if err != nil {
		w.Fatal(err)
	}
	for _, c := range all {
		if c.Slot == slot {
			return c, true
		}
	}
	return job.Claim{}, false
}

// TestAClaimThatHasToWaitIsServedLater has a provider claim a slot that cannot be served, and
// the daemon killed meanwhile: no event comes, and once the hindrance is gone the provider
// gets the one deal. Until then few offers are made, and nothing is asked of the chain but
// what each pass and the looks at the claim cost.
func TestAClaimThatHasToWaitIsServedLater(t *testing.T) {
	for _, h := range hindrances {
		t.Run(h.name, func(t *testing.T) {
			s := &sp{id: 1001, claims: true, market: "http://one"}
			w := newWorld(t, s)
			w.terms.Verified = h.verified
			h.set(w, s, true)
			id := w.openSlot(1, 0, 0)
			m := w.maker()
			looks := func(m *deals.Maker, epochs int) {
				for n := range epochs {
					before, _ := w.claimOf(id)
					w.calls = 0
					if err := w.step(m, 1); err != nil {
						t.Fatal(err)
					}
					// A look costs at most the slot, its deal, its seat, and the contract's word; an offer the slot.
					const lookCalls, offerCalls, hintCalls, onceCalls = 4, 1, 3, 3
					after, _ := w.claimOf(id)
					may := passCalls + listCalls + providerCalls + offerCalls
					if after.Looks != before.Looks || before.Slot == 0 {
						may += lookCalls
					}
					if before.Slot == 0 {
						may += hintCalls
					}
					if n == 0 { // a process asks these once
						may += onceCalls
					}
					if w.calls > may {
						t.Fatalf("epoch %d: %d calls, at most %d", w.epoch, w.calls, may)
					}
				}
			}
			looks(m, 700)
			w.run(m, 30, func() bool { c, _ := w.claimOf(id); return h.why == "" || c.Why != "" }) // it may just have been offered again
			if c, ok := w.claimOf(id); !ok || c.Why != h.why || c.Alarm != "" || len(s.got) > 0 {
				t.Fatalf("it waits as %+v, %t; the provider has %v", c, ok, s.got)
			}
			m = w.maker() // killed, and started again
			looks(m, 300)
			made, err := w.ledger.Offers(t.Context(), job.OfferFilter{Slot: id})
			if err != nil || len(made) > 7 {
				t.Fatalf("%d offers in 1,000 epochs, %v", len(made), err)
			}
			h.set(w, s, false)
			m = w.maker()
			w.run(m, 500, w.allActive)
			if len(s.got) != 1 {
				t.Errorf("the provider has %d deals: %v", len(s.got), s.got)
			}
			w.run(m, 100, func() bool { _, ok := w.claimOf(id); return !ok })
			if ranked, err := m.Rank(t.Context()); err != nil || ranked[0].Accepted < 0.8 {
				t.Errorf("what passed is held against the provider: %+v, %v", ranked, err)
			}
		})
	}
}

// TestAClaimThatComesToNothingIsAlarmedOn leaves each hindrance where it is: a person is told
// in time, if it is for anybody here to see to, nothing is offered when it could not be
// sealed any more, and the claim is forgotten when it is over.
func TestAClaimThatComesToNothingIsAlarmedOn(t *testing.T) {
	for _, h := range hindrances {
		t.Run(h.name, func(t *testing.T) {
			s := &sp{id: 1001, claims: true, market: "http://one"}
			w := newWorld(t, s)
			w.terms.Verified = h.verified
			h.set(w, s, true)
			id := w.openSlot(1, 0, 0)
			m := w.maker()
			alarmed, last := uint64(0), 0
			var deadline uint64
			for range 400 {
				if err := w.step(m, 20); err != nil {
					t.Fatal(err)
				}
				c, ok := w.claimOf(id)
				if !ok {
					t.Fatal("the claim is forgotten")
				}
				deadline = c.Deadline
				if alarmed == 0 && c.Alarm != "" {
					alarmed = w.epoch
				}
				made, err := w.ledger.Offers(t.Context(), job.OfferFilter{Slot: id, Limit: 1000})
				if err != nil {
					t.Fatal(err)
				}
				if w.epoch > deadline-900 && len(made) > last {
					t.Fatalf("epoch %d: offered, to be sealed by %d", w.epoch, deadline)
				}
				last = len(made)
			}
			if told := alarmed != 0 && alarmed+960 < deadline; told == w.unready {
				t.Errorf("alarmed at %d, the deadline is %d", alarmed, deadline)
			}
			w.slots[id].State = open
			s.claims = false
			w.event("ClaimExpired", id)
			w.run(m, 2*2880, func() bool { _, ok := w.claimOf(id); return !ok })
		})
	}
}

// TestWhoHangsMakesNobodyWait has a provider that claimed a slot take connections and answer
// nothing: the pass in which it is handed the deal goes on all the same.
func TestWhoHangsMakesNobodyWait(t *testing.T) {
	s := &sp{id: 1001, claims: true, market: "http://one", conduct: "hang"}
	w := newWorld(t, s)
	id := w.openSlot(1, 0, 0)
	m := w.maker(func(c *deals.Config) { c.AnswerWithin = 20 * time.Millisecond })
	s.tick()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := m.Pass(ctx); err != nil {
		t.Fatal(err)
	}
	if made, err := w.ledger.Offers(t.Context(), job.OfferFilter{Slot: id}); err != nil || len(made) != 1 {
		t.Errorf("%+v, %v", made, err)
	}
}

// TestWhoWasLateIsNotSaidToHaveBeenForestalled lets a claim run out and another provider claim
// the slot before the daemon looks again.
func TestWhoWasLateIsNotSaidToHaveBeenForestalled(t *testing.T) {
	for conduct, why := range map[string]string{"idle": "too late: ", "away": "unreached: too late: "} {
		s := &sp{id: 1001, claims: true, market: "http://one", conduct: conduct}
		w := newWorld(t, s)
		id := w.openSlot(1, 0, 0)
		m := w.maker()
		w.run(m, 10, func() bool { return s.asked > 0 })
		s.claims = false
		w.epoch = uint64(w.slots[id].SealDeadline) + 2880 + 2
		w.slots[id].MinerId, w.slots[id].SealDeadline = 1002, uint32(w.epoch+5760)
		w.event("ClaimExpired", id)
		w.event("SlotClaimed", id)
		if err := w.step(m, 0); err != nil {
			t.Fatal(err)
		}
		if made, err := w.ledger.Offers(t.Context(), job.OfferFilter{Slot: id}); err != nil || len(made) != 1 || !strings.HasPrefix(made[0].Reason, why) {
			t.Errorf("%s: %+v, %v", conduct, made, err)
		}
	}
}
