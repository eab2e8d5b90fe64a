package deals

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-address"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market/deals"
)

func (w *world) idOf(a address.Address) (uint64, error) { return address.IDFromAddress(a) }

// threeOpen opens a deal with three copies to make.
func (w *world) threeOpen(deal uint64) {
	for i := range uint8(3) {
		w.openSlot(deal, i, 0)
	}
}

// TestEachMisconductIsSurvived wants three copies of four providers, the first of
// which misbehaves: they are made, and the culprit scores least.
func TestEachMisconductIsSurvived(t *testing.T) {
	for _, conduct := range []string{"refuse", "away", "idle"} {
		t.Run(conduct, func(t *testing.T) {
			culprit := &sp{id: 1001, conduct: conduct}
			w := newWorld(t, culprit, &sp{id: 1002}, &sp{id: 1003}, &sp{id: 1004})
			w.threeOpen(1)
			m := w.maker(func(c *deals.Config) { c.PublishWithin = 60 })
			w.run(m, 400, w.allActive)
			if culprit.asked == 0 {
				t.Fatal("the culprit was never asked")
			}
			ranked, err := m.Rank(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if last := ranked[len(ranked)-1]; last.Miner != culprit.id {
				t.Fatalf("the culprit is not last: %+v", ranked)
			}
			failed, err := w.ledger.Offers(t.Context(), job.OfferFilter{State: job.OfferFailed})
			if err != nil || len(failed) == 0 {
				t.Fatalf("no failure is on record: %v", err)
			}
			for _, o := range failed {
				if o.Miner != culprit.id {
					t.Errorf("an offer to %d failed: %s", o.Miner, o.Reason)
				}
			}
			if conduct == "refuse" && !strings.Contains(failed[0].Reason, "price too low") {
				t.Errorf("the provider's words are lost: %q", failed[0].Reason)
			}
		})
	}
}

// TestWhoLosesScoresLessThanWhoWasNeverTried has a provider store a copy at once, serve it,
// and lose it or be faulty; another was never asked for anything.
func TestWhoLosesScoresLessThanWhoWasNeverTried(t *testing.T) {
	for _, c := range []struct {
		name   string
		slot   uint8
		faulty bool
	}{{"lost", lost, false}, {"given up", terminated, false}, {"faulty", active, true}} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, &sp{id: 1001}, &sp{id: 1002})
			id := w.openSlot(1, 0, 0)
			m := w.maker()
			w.run(m, 80, w.allActive)
			for range 20 {
				if err := w.ledger.AddSample(t.Context(), job.Sample{Miner: 1001, Slot: id, Piece: "p", URL: "u", At: w.now, Length: 1, Good: true, FirstByte: 1, Took: 1}, time.Time{}); err != nil {
					t.Fatal(err)
				}
			}
			if ranked, err := m.Rank(t.Context()); err != nil || ranked[0].Miner != 1001 {
				t.Fatalf("who stores a copy is not first: %+v, %v", ranked, err)
			}
			w.slots[id].State, w.slots[id].Faulty = c.slot, c.faulty
			w.epoch++ // the events of this one were read
			w.event("SlotClosed", id)
			if err := w.step(m, 1); err != nil {
				t.Fatal(err)
			}
			if ranked, err := m.Rank(t.Context()); err != nil || ranked[0].Miner != 1002 {
				t.Errorf("%+v, %v", ranked, err)
			}
		})
	}
}

// TestThatACopyWasTakenAges has a copy live for 30 days, and be looked at: that it is kept is
// known anew, that it was taken and sealed is half forgotten.
func TestThatACopyWasTakenAges(t *testing.T) {
	w := newWorld(t, &sp{id: 1001})
	id := w.openSlot(1, 0, 0)
	m := w.maker()
	w.run(m, 80, w.allActive)
	w.now = w.now.Add(30 * 24 * time.Hour)
	w.epoch += 30 * 2880
	w.slots[id].Faulty = true
	w.event("SlotFaulty", id)
	if err := w.step(m, 1); err != nil {
		t.Fatal(err)
	}
	known, err := m.Show(t.Context(), 1001)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, in := range known.Inputs {
		got[in.Rate] = math.Round(100*in.Weight) / 100
	}
	if want := map[string]float64{"accepted": 0.5, "sealed": 0.5, "hours": 0.5, "kept": 8}; !maps.Equal(got, want) {
		t.Errorf("weights %v, want %v", got, want)
	}
}

func TestAContractsNoIsNotProposed(t *testing.T) {
	w := newWorld(t, &sp{id: 1001}, &sp{id: 1002})
	w.refused[1001] = "same owner"
	id := w.openSlot(1, 0, 0)
	w.run(w.maker(), 80, w.allActive)
	got, err := w.ledger.Offers(t.Context(), job.OfferFilter{Slot: id})
	if err != nil || len(got) != 1 || got[0].Miner != 1002 || !strings.Contains(string(got[0].Choice), "same owner") {
		t.Fatalf("%+v, %v", got, err)
	}
	if w.sps[1001].asked != 0 {
		t.Fatal("the provider was asked though the contract would not take its deal")
	}
}

// TestCopiesAreApart wants two copies of four miners, of which two are one owner's, and
// one of these and a third are one organisation's: nobody is asked for a second copy
// while the first is under way.
func TestCopiesAreApart(t *testing.T) {
	w := newWorld(t, &sp{id: 1001}, &sp{id: 1002}, &sp{id: 1003}, &sp{id: 1004})
	w.owners = map[uint64]uint64{1001: 50, 1002: 50, 1003: 51, 1004: 52}
	w.orgs = map[uint64]int64{1002: 9, 1003: 9}
	w.openSlot(1, 0, 0)
	w.openSlot(1, 1, 0)
	m := w.maker()
	if err := w.step(m, 1); err != nil {
		t.Fatal(err)
	}
	if err := w.step(m, 1); err != nil {
		t.Fatal(err)
	}
	live, err := w.ledger.Offers(t.Context(), job.OfferFilter{Live: true})
	if err != nil || len(live) != 2 {
		t.Fatalf("%+v, %v", live, err)
	}
	got := map[uint64]bool{live[0].Miner: true, live[1].Miner: true}
	if len(got) != 2 || got[1001] && got[1002] || got[1002] && got[1003] {
		t.Fatalf("copies are with %v", got)
	}
	w.run(m, 80, w.allActive)
}

// TestALostAnswerIsNoSecondDeal lets the first answer of each provider be lost.
func TestALostAnswerIsNoSecondDeal(t *testing.T) {
	w := newWorld(t, &sp{id: 1001, conduct: "silent"}, &sp{id: 1002, claims: true, market: "http://two", conduct: "silent"})
	w.openSlot(1, 0, 0)
	w.openSlot(1, 1, 0)
	w.run(w.maker(), 60, w.allActive)
	for _, s := range w.sps {
		if len(s.got) != 1 {
			t.Errorf("miner %d has %d deals: %v", s.id, len(s.got), s.got)
		}
	}
}

// TestDyingAtEveryStep kills the process at steps drawn at random, 100 times: each
// slot ends stored, no slot was ever with two providers at once, and no provider got
// anything that is not on record.
func TestDyingAtEveryStep(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	deaths, steps := 0, map[string]bool{}
	for deal := uint64(1); deaths < 100; deal++ {
		w := newWorld(t, &sp{id: 1001}, &sp{id: 1002}, &sp{id: 1003}, &sp{id: 1004, claims: true, market: "http://four"})
		w.threeOpen(deal)
		left, dead := 1+r.IntN(30), false
		w.die = func(step string) error {
			if left--; left <= 0 && !dead {
				dead = true
				deaths++
				steps[step] = true
			}
			if dead {
				return errDead
			}
			return nil
		}
		m := w.maker()
		for n := 0; !w.allActive(); n++ {
			if n > 600 {
				w.die = nil
				w.run(m, 1, func() bool { return false })
			}
			err := w.step(m, 1)
			if !dead && err != nil {
				t.Fatal(err)
			}
			if dead { // a new process
				dead, left = false, 1+r.IntN(30)
				m = w.maker()
			}
		}
		w.die = nil
		perSlot := map[uint64]int{}
		for _, s := range w.sps {
			for id, slot := range s.got {
				perSlot[slot]++
				if o, _, err := w.ledger.Offer(t.Context(), id); err != nil || o.Miner != s.id || o.Slot != slot {
					t.Errorf("miner %d has %s, which is not on record: %v", s.id, id, err)
				}
			}
		}
		for slot, n := range perSlot {
			live, err := w.ledger.Offers(t.Context(), job.OfferFilter{Slot: slot})
			if err != nil {
				t.Fatal(err)
			}
			failed := 0
			for _, o := range live {
				if o.State == job.OfferFailed {
					failed++
				}
			}
			if n > 1+failed {
				t.Errorf("slot %d was taken by %d, and %d of these ended: %s", slot, n, failed, fmt.Sprint(live))
			}
		}
	}
	t.Logf("%d deaths at %d kinds of steps: %v", deaths, len(steps), steps)
	for _, want := range []string{"before add", "after add", "before propose", "after propose", "before update accepted", "after update accepted", "before update published", "before update active"} {
		if !steps[want] {
			t.Logf("never died %s", want)
		}
	}
}
