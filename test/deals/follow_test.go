package deals

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/market/deals"
)

// one makes a world with one active deal.
func one(t *testing.T) (*world, func(uint64) job.Offer, uint64) {
	w := newWorld(t, &sp{id: 1001})
	id := w.openSlot(1, 0, 0)
	m := w.maker()
	w.run(m, 80, w.allActive)
	look := func(epochs uint64) job.Offer {
		t.Helper()
		w.epoch += epochs
		w.event("SlotFaulty", id) // a hint: look at once
		if err := w.step(m, 1); err != nil {
			t.Fatal(err)
		}
		all, err := w.ledger.Offers(t.Context(), job.OfferFilter{Slot: id})
		if err != nil {
			t.Fatal(err)
		}
		return all[len(all)-1] // the first that was made
	}
	return w, look, id
}

// TestStatesAreReportedAsTheChainHasThem goes through the table of
// reference/filecoin-fevm.md, section 2.4, as IFilecoinFacts tells its exit codes,
// and through the states of a slot.
func TestStatesAreReportedAsTheChainHasThem(t *testing.T) {
	for _, c := range []struct {
		name  string
		slot  uint8
		fact  uint8
		want  job.OfferState
		words string
	}{
		{"active", active, factActive, job.OfferActive, ""},
		{"active, f05 says nothing now", active, factUnknown, job.OfferActive, ""},
		{"active, f05 exits 32 before the end", active, factGone, job.OfferActive, "f05 has the deal no more"},
		{"ended", ended, factGone, job.OfferEnded, ""},
		{"lost", lost, factGone, job.OfferFailed, "lost"},
		{"given up", terminated, factGone, job.OfferFailed, "terminated"},
		{"open again", open, factGone, job.OfferFailed, "open again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, look, id := one(t)
			w.slots[id].State = c.slot
			w.facts[w.slots[id].F05DealId] = c.fact
			o := look(1)
			if o.State != c.want || !strings.Contains(o.Reason+o.Alarm, c.words) || c.words == "" && o.Reason+o.Alarm != "" {
				t.Fatalf("%s, reason %q, alarm %q", o.State, o.Reason, o.Alarm)
			}
		})
	}
	t.Run("faulty", func(t *testing.T) {
		w, look, id := one(t)
		w.slots[id].Faulty = true
		if o := look(1); !o.Faulty || o.State != job.OfferActive {
			t.Fatalf("%+v", o)
		}
	})
	t.Run("published, and its start is missed", func(t *testing.T) {
		w := newWorld(t, &sp{id: 1001})
		id := w.openSlot(1, 0, 0)
		m := w.maker()
		w.run(m, 20, func() bool { return w.slots[id].State == published })
		w.facts[w.slots[id].F05DealId] = factGone
		w.sps[1001].work = nil
		if err := w.step(m, 20); err != nil {
			t.Fatal(err)
		}
		got, err := w.ledger.Offers(t.Context(), job.OfferFilter{State: job.OfferPublished})
		if err != nil || len(got) != 1 || !strings.Contains(got[0].Alarm, "not active by its start") {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}

// lotus is the Filecoin node.
type lotus struct{ w *world }

func (lotus) Addrs(context.Context, uint64) ([]string, error) { return nil, nil }

func (lotus) Collateral(context.Context, uint64, bool) (*big.Int, error) { return new(big.Int), nil }

func (l lotus) Locate(context.Context, uint64, uint64) (market.Location, error) {
	return market.Location{Status: *l.w.sector}, nil
}

// TestTheActorsAreAskedWhatADealIs goes through the table of reference/filecoin-fevm.md,
// section 2.4, and through what a miner says of a sector: the words are those that
// DealStatusOracle has for the same.
func TestTheActorsAreAskedWhatADealIs(t *testing.T) {
	const dead, proven, faulty = 0, 1, 2
	for _, c := range []struct {
		name        string
		fact        uint8
		start, term int64 // from now
		sector      uint64
		later       uint64 // epochs
		want        string
	}{
		{"exit 17", factUnknown, 0, 0, proven, 0, "none"},
		{"not activated", factPublished, 1, term, dead, 0, "published"},
		{"not activated, and its start has passed", factPublished, -1, term, dead, 0, "lost"},
		{"active", factActive, -1, term, proven, 0, "active"},
		{"active, its sector is faulty", factActive, -1, term, faulty, 0, "faulty"},
		{"active, its sector is dead", factActive, -1, term, dead, 0, "lost"},
		{"past its end, not settled", factActive, -9, 9, proven, 0, "ended"},
		{"exit 32 before its end", factGone, 0, 0, dead, 0, "lost"},
		{"exit 32 after its end", factGone, 0, 0, dead, 5760 + term, "ended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, look, id := one(t)
			o := look(1)
			w.epoch += c.later
			w.sector, w.factStart, w.factTerm = &c.sector, int64(w.epoch)+c.start, c.term
			w.facts[w.slots[id].F05DealId] = c.fact
			got, err := w.maker().OnChain(t.Context(), o)
			if err != nil || got.Status != c.want || got.Epoch != w.epoch || got.Words == "" {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	w := newWorld(t, &sp{id: 1001, conduct: "refuse"})
	w.openSlot(1, 0, 0)
	m := w.maker()
	var failed []job.Offer
	w.run(m, 20, func() bool {
		var err error
		if failed, err = w.ledger.Offers(t.Context(), job.OfferFilter{State: job.OfferFailed}); err != nil {
			t.Fatal(err)
		}
		return len(failed) == 1
	})
	if got, err := m.OnChain(t.Context(), failed[0]); err != nil || got.Status != "none" {
		t.Errorf("of what was refused: %+v, %v", got, err)
	}
}

// TestWhatIsAheadAlarmsInTime goes on to 50 days before a slot's end.
func TestWhatIsAheadAlarmsInTime(t *testing.T) {
	w, look, id := one(t)
	end := uint64(w.slots[id].End)
	if o := look(end - 70*2880 - w.epoch); o.Alarm != "" {
		t.Fatalf("70 days before: %q", o.Alarm)
	}
	w.free = big.NewInt(1)
	o := look(end - 50*2880 - w.epoch)
	if !strings.Contains(o.Alarm, "0.000000000000000001 FIL free") {
		t.Fatalf("50 days before, without money: %q", o.Alarm)
	}
	w.free = big.NewInt(9e18)
	if o = look(1); o.Alarm != "" {
		t.Fatalf("with money: %q", o.Alarm)
	}
	w.refused[1001] = "taken elsewhere" // nobody else is there
	if o = look(end - 41*2880 - w.epoch); o.Alarm != "" {
		t.Fatalf("41 days before, in first refusal: %q", o.Alarm)
	}
	if o = look(end - 39*2880 - w.epoch); !strings.Contains(o.Alarm, "nobody has taken the renewal") {
		t.Fatalf("39 days before, without a taker: %q", o.Alarm)
	}
	if o = look(end - 20*2880 - w.epoch); !strings.Contains(o.Alarm, "nobody has taken the renewal") {
		t.Fatalf("20 days before, without a taker: %q", o.Alarm)
	}
}

// TestAnAlarmSaysThatTheIncumbentMayExtend has nobody take a renewal: where the miner could
// have it by its sector the alarm says so, whether it is opened or not.
func TestAnAlarmSaysThatTheIncumbentMayExtend(t *testing.T) {
	w, look, id := one(t)
	end := uint64(w.slots[id].End)
	w.refused[1001] = "taken elsewhere" // nobody takes it
	may := fmt.Sprintf("; the incumbent f01001 may extend until epoch %d (tidegate sp renew %d, its sector %d committed until epoch %d)", end-1, id, id, end+term)
	told := func(o job.Offer) bool {
		t.Helper()
		if !strings.HasPrefix(o.Alarm, "nobody has taken the renewal") {
			t.Fatalf("the alarm is %q", o.Alarm)
		}
		return strings.HasSuffix(o.Alarm, may)
	}
	if told(look(end - 39*2880 - w.epoch)) {
		t.Error("an f05 deal ends with its term")
	}
	w.slots[id].Route = 2 // by its sector
	if !told(look(1)) {
		t.Error("it is not told")
	}
	w.openSlot(1, 0, 1)
	if !told(look(1)) {
		t.Error("it is not told of what is opened")
	}
	w.paused = true
	if told(look(1)) {
		t.Error("the contract is paused")
	}
	delete(w.slots, id|1)
	w.seats[id>>16] = perpetualstorage.SeatOfOutput{Current: id}
	if told(look(1)) {
		t.Error("the contract is paused, and nothing is opened")
	}
	w.paused, w.slots[id].Faulty = false, true
	if told(look(1)) {
		t.Error("the sector is faulty")
	}
	w.slots[id].Faulty = false
	if !told(look(1)) {
		t.Error("it is not told any more")
	}
}

// TestMoneyForOneCopyIsNotMoneyForTwo has a deal whose copies end together, with the money to
// renew one of them: both alarm, long before the first is renewed and takes all there is.
func TestMoneyForOneCopyIsNotMoneyForTwo(t *testing.T) {
	w, look, id := one(t)
	end := w.slots[id].End
	copyAt := func(index uint8, generation uint16, state uint8, end uint32) {
		other := w.openSlot(1, index, generation)
		w.slots[other].State, w.slots[other].MinerId, w.slots[other].End = state, 2000+uint64(index), end
	}
	copyAt(1, 0, active, end)
	copyAt(2, 0, active, end)
	copyAt(2, 1, published, end+term) // is renewed already
	each := new(big.Int).Add(w.terms.BaseBounty, new(big.Int).Mul(big.NewInt(int64(w.terms.Term)), new(big.Int).SetUint64(w.terms.Rate)))
	w.free = new(big.Int).Sub(new(big.Int).Mul(each, big.NewInt(2)), big.NewInt(1))
	o := look(uint64(end) - 59*2880 - w.epoch)
	if !strings.Contains(o.Alarm, "2 copies") || !strings.HasSuffix(o.Alarm, "tidegate deals fund 1 0.000000000000000001") {
		t.Errorf("with money for one of two: %q", o.Alarm)
	}
	w.free.Add(w.free, big.NewInt(1))
	if o = look(1); o.Alarm != "" {
		t.Errorf("with money for both: %q", o.Alarm)
	}
	w.slots[1<<24|1<<16].End = end + 1 // its renewal is due later, and has an alarm of its own
	w.free = each
	if o = look(1); o.Alarm != "" {
		t.Errorf("with money for the one that is due: %q", o.Alarm)
	}
	w.slots[1<<24|1<<16].State = open // nobody has it: it takes the money first
	if o = look(1); !strings.Contains(o.Alarm, "2 copies") {
		t.Errorf("beside an open slot: %q", o.Alarm)
	}
	w.slots[1<<24|1<<16].State = active
	copyAt(0, 1, open, 0)
	w.bounty, w.terms.MaxBounty = big.NewInt(2e15), big.NewInt(5e15)
	if o = look(1); !strings.Contains(o.Alarm, "1 copy,") || !strings.HasSuffix(o.Alarm, "tidegate deals fund 1 0.004") {
		t.Errorf("the bounty of what follows has risen to twice the base, and may to five times: %q", o.Alarm)
	}
}

// TestWhoPublishesAfterItWasGivenUpIsFollowed lets a provider that was given up show its
// deal to the contract after all: the deal is followed, and nobody is asked once more.
func TestWhoPublishesAfterItWasGivenUpIsFollowed(t *testing.T) {
	w := newWorld(t, &sp{id: 1001, conduct: "idle"})
	id := w.openSlot(1, 0, 0)
	m := w.maker(func(c *deals.Config) { c.PublishWithin = 20 })
	of := func(state job.OfferState) []job.Offer {
		got, err := w.ledger.Offers(t.Context(), job.OfferFilter{State: state})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	w.run(m, 60, func() bool { return len(of(job.OfferFailed)) == 1 })
	asked := w.sps[1001].asked
	s := w.slots[id]
	s.State, s.MinerId, s.F05DealId, s.Route, s.SealDeadline = published, 1001, 7, 1, uint32(w.epoch+5760)
	w.facts[7] = factActive
	w.epoch++ // the events of this one were read
	w.event("SlotPublished", id)
	w.run(m, 60, func() bool { return len(of(job.OfferActive)) == 1 })
	if got := of(job.OfferActive)[0]; got.ID != of(job.OfferFailed)[0].ID+"-late" || got.Evidence != 7 || w.sps[1001].asked != asked {
		t.Errorf("%+v, asked %d times and then %d", got, asked, w.sps[1001].asked)
	}
}

// TestARenewalIsMade lets a keeper open what follows a slot: it is proposed, to the
// provider that stores it now too.
func TestARenewalIsMade(t *testing.T) {
	w := newWorld(t, &sp{id: 1001})
	id := w.openSlot(1, 0, 0)
	m := w.maker()
	w.run(m, 80, w.allActive)
	w.epoch = uint64(w.slots[id].End) - 60*2880
	w.openSlot(1, 0, 1)
	w.run(m, 80, func() bool { return len(w.slots) == 2 && w.allActive() })
}

// TestCallsAreBounded tracks 1,000 active deals: a pass costs a constant, and each
// deal that is due no more than three calls.
func TestCallsAreBounded(t *testing.T) {
	w := newWorld(t, &sp{id: 1001})
	m := w.maker()
	w.track(1000)
	if err := w.step(m, 1); err != nil { // what is asked once
		t.Fatal(err)
	}
	for _, due := range []int{0, 1, 1, 1} {
		w.calls = 0
		if err := w.step(m, 1); err != nil {
			t.Fatal(err)
		}
		t.Logf("epoch %d: %d calls, %d due", w.epoch, w.calls, due)
		if w.calls > passCalls+dueCalls*due {
			t.Fatalf("%d calls with %d due, at most %d", w.calls, due, passCalls+dueCalls*due)
		}
	}
}
