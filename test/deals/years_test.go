package deals

import (
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/executor/job"
)

const oneDay = 2880

// years is deal making on a real FEVM over many days, with what a funded and an unfunded
// deal are seen to be.
type years struct {
	*real
	began    uint64 // epoch
	since    time.Time
	funded   uint64
	unfunded uint64
	every    uint64            // epochs between proofs
	proofs   map[uint64]uint64 // by slot, the epoch of the last one
	alarms   map[uint64]uint64 // by slot, the first epoch of an alarm
	ends     map[uint64]uint64 // by slot
	slots    map[uint64]perpetualstorage.SlotView
}

// TestDealsOverYears lets 400 days pass over a deal whose client pays for three terms of
// three copies, one with each provider, and another that is paid for one term: the
// first is renewed twice, and each copy's sector is active each day; of the second an
// alarm comes 30 days before it ends or earlier. That is make soak: else it is 5 days,
// and a renewal that may begin on the third.
func TestDealsOverYears(t *testing.T) {
	days, window, every, limit := 5, uint32(178*oneDay), uint64(2*oneDay), 100*time.Second
	soak := os.Getenv("TIDEGATE_SOAK") != ""
	if soak {
		days, window, every, limit = 400, 60*oneDay, 20*oneDay, time.Hour
	}
	y := &years{real: newRealFor(t, 3, limit), every: every, proofs: map[uint64]uint64{}, alarms: map[uint64]uint64{}, ends: map[uint64]uint64{}}
	// What one copy costs for one term, at the terms of order.
	once := new(big.Int).Add(big.NewInt(1e18), new(big.Int).Mul(big.NewInt(2e12), big.NewInt(180*oneDay)))
	times := func(n int64) *big.Int { return new(big.Int).Mul(once, big.NewInt(n)) }
	y.funded, y.unfunded = y.order(window, 3, times(9)), y.order(window, 1, times(1))
	y.began, y.since = y.head(), y.now
	started := time.Now()
	for day := range days {
		y.day(day)
		if y.wentWell(); t.Failed() {
			t.FailNow() // and not after hundreds of days more
		}
	}
	t.Logf("%d days in %s", days, time.Since(started).Round(time.Second))
	generations := 2
	if soak {
		generations = 3
	}
	for seat := range uint64(3) {
		y.unbroken(seat, generations)
	}
	if soak {
		y.warned()
	} else if len(y.alarms) > 0 {
		t.Errorf("alarms: %v", y.alarms)
	}
}

func (y *years) head() uint64 { return uint64(y.net.Chain().Head().Height()) }

// day lets a day pass: slowly while providers work, who do so by themselves.
func (y *years) day(n int) {
	y.Helper()
	for until := y.began + uint64(n+1)*oneDay; y.head() < until; {
		y.now = y.since.Add(time.Duration(y.head()-y.began) * 30 * time.Second)
		y.slots = y.slotsOf(y.funded, y.unfunded)
		y.vouch()
		y.must(y.maker.Pass(y.ctx))
		y.look()
		y.keepers() // after the last proof of a slot, which would be over for it
		epochs := until - y.head()
		if y.busy() {
			epochs = min(epochs, 20)
			time.Sleep(20 * time.Millisecond) // nothing is judged by this
		}
		_, err := y.net.Chain().Advance(y.ctx, int(epochs))
		y.must(err)
	}
}

// busy tells that an offer waits for a provider, or a slot that is paid for for an offer.
func (y *years) busy() bool {
	y.Helper()
	live, err := y.ledger.Offers(y.ctx, job.OfferFilter{Live: true})
	y.must(err)
	for _, o := range live {
		if o.State.Pending() {
			return true
		}
	}
	for _, s := range y.slotsOf(y.funded) { // a keeper may just have opened a renewal
		if s.State == open {
			return true
		}
	}
	return false
}

func ask[T any](y *years, call []byte, unpack func([]byte) (T, error)) T {
	y.Helper()
	v, err := bind.Call(y.storage.Instance(y.client, y.at), &bind.CallOpts{Context: y.ctx}, call, unpack)
	y.must(err)
	return v
}

// slotsOf are the slots of deals' seats, current ones and what follows them.
func (y *years) slotsOf(deals ...uint64) map[uint64]perpetualstorage.SlotView {
	y.Helper()
	out := map[uint64]perpetualstorage.SlotView{}
	for _, deal := range deals {
		for index := range ask(y, y.storage.PackDealOf(deal), y.storage.UnpackDealOf).Terms.Replicas {
			seat := ask(y, y.storage.PackSeatOf(deal, index), y.storage.UnpackSeatOf)
			for _, id := range []uint64{seat.Current, seat.Next} {
				if id != 0 {
					out[id] = ask(y, y.storage.PackSlotOf(id), y.storage.UnpackSlotOf)
				}
			}
		}
	}
	return out
}

// vouch renews the operators' word of a deal that has a slot to take, as its client asks.
func (y *years) vouch() {
	y.Helper()
	for _, deal := range []uint64{y.funded, y.unfunded} {
		for id, s := range y.slots {
			if id>>24 != deal || s.State != open {
				continue
			}
			if y.head()+oneDay > uint64(ask(y, y.storage.PackDealOf(deal), y.storage.UnpackDealOf).ServedUntil) {
				y.serve(deal)
			}
			break
		}
	}
}

// look has each active slot's sector asked, which must be active, and proven every some
// days and when its term ends. And it notes alarms.
func (y *years) look() {
	y.Helper()
	for id, s := range y.slots {
		if s.State == active {
			y.healthy(id, s)
		}
	}
	live, err := y.ledger.Offers(y.ctx, job.OfferFilter{State: job.OfferActive})
	y.must(err)
	for _, o := range live {
		y.ends[o.Slot] = o.End
		if o.Alarm != "" && y.alarms[o.Slot] == 0 {
			y.Logf("%.1f days before the end of slot %s: %s", float64(o.End-y.head())/oneDay, seatText(o.Slot), o.Alarm)
			y.alarms[o.Slot] = y.head()
			if o.Slot>>24 == y.unfunded && !strings.Contains(o.Alarm, "FIL free, and the next term of ") {
				y.Errorf("the alarm does not say that money is short: %q", o.Alarm)
			}
		}
	}
}

func (y *years) healthy(id uint64, s perpetualstorage.SlotView) {
	y.Helper()
	for _, p := range y.market.Providers() {
		if uint64(p.Endpoints().ID) != s.MinerId {
			continue
		}
		status, aux, err := p.Miner().Status(y.ctx, abi.SectorNumber(s.Sector))
		y.must(err)
		if status != abi.SectorStatusCodeActive || s.Faulty {
			y.Errorf("epoch %d: the sector of slot %s has status %d, faulty %t", y.head(), seatText(id), status, s.Faulty)
			return
		}
		over := y.head() >= uint64(s.End)
		if !over && y.head() < y.proofs[id]+y.every {
			return
		}
		y.proofs[id] = y.head()
		y.send(y.net.Accounts()[4], y.at, nil, y.storage.PackProveActive([]uint64{id}, [][]byte{aux}))
		return
	}
	y.Errorf("nobody is miner %d", s.MinerId)
}

func seatText(slot uint64) string {
	return fmt.Sprintf("%d.%d.%d", slot>>24, slot>>16&0xff, slot&0xffff)
}

// unbroken wants so many generations of a copy of the funded deal, each beginning where
// the one before it ended, proven in all of its epochs so far.
func (y *years) unbroken(seat uint64, generations int) {
	y.Helper()
	var end uint32
	for g := range uint64(generations) {
		id := y.funded<<24 | seat<<16 | g
		s := ask(y, y.storage.PackSlotOf(id), y.storage.UnpackSlotOf)
		y.Logf("slot %s: state %d, miner %d, epochs %d to %d, %d proven, last at %d", seatText(id), s.State, s.MinerId, s.Start, s.End, s.Proven, s.LastProof)
		switch {
		case s.State != active && s.State != ended:
			y.Errorf("slot %s is in state %d", seatText(id), s.State)
		case g > 0 && s.Start != end:
			y.Errorf("slot %s begins at %d, the one before it ended at %d", seatText(id), s.Start, end)
		case s.State == ended && s.Proven != s.Term:
			y.Errorf("slot %s ended with %d of %d epochs proven", seatText(id), s.Proven, s.Term)
		case s.State == active && s.LastProof > s.Start && s.Proven != s.LastProof-s.Start:
			y.Errorf("slot %s was last proven at %d and begins at %d, with %d epochs proven", seatText(id), s.LastProof, s.Start, s.Proven)
		}
		end = s.End
	}
	if last := y.began + 400*oneDay; generations == 3 && uint64(end) < last {
		y.Errorf("copy %d ends at %d, before the last day, %d", seat, end, last)
	}
}

// wentWell wants nothing that a provider gave up: none of them misbehaves.
func (y *years) wentWell() {
	y.Helper()
	for _, p := range y.market.Providers() {
		for _, d := range p.Deals() {
			if d.State == market.Failed {
				y.Errorf("%s gave deal %s up: %s", p.Endpoints().Miner, d.ID, d.Error)
			}
		}
	}
}

// warned wants alarms of the unfunded deal alone, 30 days before its end or earlier.
func (y *years) warned() {
	y.Helper()
	of := 0
	for slot, at := range y.alarms {
		if slot>>24 != y.unfunded {
			y.Errorf("an alarm of slot %s, which is paid for", seatText(slot))
			continue
		}
		of++
		if at+30*oneDay > y.ends[slot] {
			y.Errorf("the alarm of slot %s came at %d, and it ends at %d", seatText(slot), at, y.ends[slot])
		}
	}
	if of != 1 {
		y.Errorf("%d alarms of the unfunded deal", of)
	}
}
