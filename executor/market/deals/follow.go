package deals

import (
	"context"
	"fmt"
	"math/big"
	"strings"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
)

const (
	fundsAhead  = 60 * day // how long before a slot's end its renewal's money is looked at
	takersAhead = 45 * day // and whether somebody has taken it, once first refusal is over

	faultyPeriod = 120 // epochs between looks at a faulty slot
)

// follow writes down what the contract says of an offer's slot at a final epoch.
func (m *Maker) follow(ctx context.Context, o job.Offer, epoch uint64) (job.Offer, error) {
	v, err := m.c.slot(ctx, epoch, o.Slot)
	if err != nil {
		return o, err
	}
	return m.followAt(ctx, o, v, epoch)
}

func (m *Maker) followAt(ctx context.Context, o job.Offer, v perpetualstorage.SlotView, epoch uint64) (job.Offer, error) {
	next, words := o, ""
	next.DueEpoch = epoch + lookPeriod
	fail := func(format string, a ...any) {
		next.State, next.Reason, next.Faulty, next.Alarm = job.OfferFailed, fmt.Sprintf(format, a...), false, ""
		words = next.Reason
	}
	mine := v.MinerId == o.Miner
	late := func() {
		fail(whyLate+"neither published nor sealed by epoch %d", o.Deadline)
		if o.State == job.OfferProposing {
			next.Reason = whyUnreached + next.Reason
		}
	}
	switch {
	case !mine && v.State != slotOpen && epoch > o.Deadline && o.State.Pending() && o.State != job.OfferPublished:
		late() // and somebody else was in time
	case !mine && v.State != slotOpen:
		fail(whyTaken+"miner f0%d has the slot", v.MinerId)
	case v.State == slotPublished:
		next.State, next.Evidence, next.Deadline = job.OfferPublished, v.F05DealId, uint64(v.SealDeadline)+day
		if o.State != job.OfferPublished {
			words = fmt.Sprintf("f05 deal %d", v.F05DealId)
		}
	case v.State == slotActive:
		m.active(&next, v, epoch)
	case v.State == slotEnded:
		next.Start, next.End = uint64(v.Start), uint64(v.End)
		next.State, next.Faulty, next.Alarm = job.OfferEnded, false, ""
		if o.State != job.OfferActive { // it was never seen active: both steps
			mid := next
			mid.State, mid.ActiveAt = job.OfferActive, m.d.Now()
			if err := m.update(ctx, mid, o.State, ""); err != nil {
				return o, err
			}
			next.ActiveAt = mid.ActiveAt
			return next, m.update(ctx, next, mid.State, "")
		}
	case v.State == slotLost:
		fail(whyLost + "its sector was shown to be dead before the end")
	case v.State == slotTerminated:
		fail(whyTerminated + "the provider gave it up")
	case v.State == slotOpen && (o.State == job.OfferPublished || o.State == job.OfferActive):
		fail(whyInactive + "the slot is open again, the deal was not active by its start")
	case epoch > o.Deadline:
		late()
	}
	if !next.State.Over() && (next.State == job.OfferPublished || next.State == job.OfferActive) {
		if err := m.look(ctx, &next, v, epoch); err != nil {
			return o, err
		}
	}
	if !next.State.Over() {
		claimed, err := m.followClaim(ctx, &next, v, epoch)
		if err != nil {
			return o, err
		}
		if claimed != "" {
			words = claimed
		}
	}
	if next.Alarm != "" && next.Alarm != o.Alarm {
		words = next.Alarm
		m.d.Log.Error("a deal needs a person", "deal", o.ID, "slot", o.Slot, "miner", o.Miner, "alarm", next.Alarm)
	}
	return next, m.update(ctx, next, o.State, words)
}

// active writes down an Active slot, and when it is looked at next: each day, each
// hour while it is faulty, for no event says that it no longer is, and when it ends.
func (m *Maker) active(next *job.Offer, v perpetualstorage.SlotView, epoch uint64) {
	if next.State != job.OfferActive {
		next.State, next.ActiveAt = job.OfferActive, m.d.Now()
	}
	next.Start, next.End, next.Sector, next.Faulty = uint64(v.Start), uint64(v.End), v.Sector, v.Faulty
	if v.Route == routeMarket || v.Route == routeClaim && next.Protocol == job.ProtocolMK20 {
		next.Evidence = v.F05DealId
	}
	switch next.DueEpoch = epoch + day; {
	case next.End <= epoch:
		next.DueEpoch = epoch + lookPeriod
	case v.Faulty:
		next.DueEpoch = min(epoch+faultyPeriod, next.End)
	default:
		next.DueEpoch = min(next.DueEpoch, next.End)
	}
}

// look compares what the contract has with what f05 has, and what is ahead with what
// there is for it.
func (m *Maker) look(ctx context.Context, o *job.Offer, v perpetualstorage.SlotView, epoch uint64) error {
	o.Alarm = ""
	if v.Route == routeMarket || o.State == job.OfferPublished {
		f, err := m.c.dealFacts(ctx, epoch, v.F05DealId)
		if err != nil {
			return err
		}
		switch {
		case f.State == factGone && o.State == job.OfferActive && epoch < o.End:
			// Exit code 32 before the end says that the deal is gone, not why: its sector is to be asked.
			o.Alarm = "f05 has the deal no more, before its end: terminated, or never active"
		case f.State == factGone && o.State == job.OfferPublished:
			o.Alarm = "f05 has the deal no more: it was not active by its start"
		case f.State == factPublished && o.State == job.OfferPublished && epoch > uint64(max(f.Start, 0)):
			// f05 shows it as published for up to 30 days more.
			o.Alarm = fmt.Sprintf("its deal was not active by its start %d and can be activated no more", f.Start)
		case f.State == factActive && o.State == job.OfferPublished && m.cfg.Activate:
			if err := m.activate(ctx, o.Slot, epoch); err != nil {
				return err
			}
		}
	}
	if o.State != job.OfferActive || o.Alarm != "" || o.End > epoch+fundsAhead {
		return nil
	}
	return m.ahead(ctx, o, v, epoch)
}

// activateAgain is how many epochs a proof has to be in effect, before it is sent again.
const activateAgain = 120

// activate shows the contract that a published slot's f05 deal is active. It needs no
// location of the sector for that.
func (m *Maker) activate(ctx context.Context, slot, epoch uint64) error {
	key := fmt.Sprintf("deal:%s:proveActive:%d:%d", strings.ToLower(m.cfg.Storage.Hex()), slot, epoch/activateAgain)
	if err := m.d.Send(ctx, key, m.cfg.Storage, m.c.storage.PackProveActive([]uint64{slot}, [][]byte{{}})); err != nil {
		return fmt.Errorf("queueing a proof of slot %d: %w", slot, err)
	}
	return nil
}

// ahead looks whether a slot that ends soon will have a successor.
func (m *Maker) ahead(ctx context.Context, o *job.Offer, v perpetualstorage.SlotView, epoch uint64) error {
	seat, err := m.c.seat(ctx, epoch, o.Slot)
	if err != nil || seat.Current != o.Slot {
		return err
	}
	deal, err := m.c.deal(ctx, epoch, o.Slot>>24)
	if err != nil {
		return err
	}
	if deal.Status != dealOpen || deal.Terms.EndEpoch != 0 && uint64(deal.Terms.EndEpoch) <= o.End {
		return nil // nothing is to follow
	}
	bounty := deal.Terms.BaseBounty
	if seat.Next != 0 {
		next, err := m.c.slot(ctx, epoch, seat.Next)
		if err != nil || next.State != slotOpen {
			return err
		}
		if bounty, err = m.c.bounty(ctx, epoch, seat.Next); err != nil { // it rises while nobody takes the slot
			return err
		}
	}
	copies, err := m.renewals(ctx, o, deal, bounty, epoch)
	if err != nil {
		return err
	}
	needed, most := termsCost(deal, bounty, copies), termsCost(deal, deal.Terms.MaxBounty, copies)
	switch {
	case deal.Free.Cmp(needed) < 0:
		o.Alarm = fmt.Sprintf("deal %d has %s free, and the next term of %s, due by epoch %d, needs %s now, and %s when the bounty has risen: tidegate deals fund %d %s",
			o.Slot>>24, market.FIL(deal.Free), copiesText(copies), o.End, market.FIL(needed), market.FIL(most), o.Slot>>24, strings.TrimSuffix(market.FIL(most.Sub(most, deal.Free)), " FIL"))
	case o.End <= epoch+min(takersAhead, uint64(deal.Terms.RenewWindow)*2/3):
		o.Alarm = fmt.Sprintf("nobody has taken the renewal of a slot that ends at epoch %d", o.End)
		e, err := market.NewStorage(atFinal{m.d.Chain}, m.cfg.Storage).Extension(ctx, epoch, o.Slot)
		if err != nil {
			return err
		}
		if e != nil {
			o.Alarm += fmt.Sprintf("; the incumbent f0%d may extend until epoch %d (tidegate sp renew %d, its sector %d committed until epoch %d)", e.Miner, e.Before-1, e.Slot, e.Sector, e.Until)
		}
	}
	return nil
}

// atFinal is the chain as market reads contracts.
type atFinal struct{ Chain }

// Head implements market.Chain.
func (c atFinal) Head(ctx context.Context) (uint64, error) { return c.Final(ctx) }

func copiesText(n int64) string {
	if n == 1 {
		return "1 copy"
	}
	return fmt.Sprintf("%d copies", n)
}

// termsCost is what one term of so many copies costs at a bounty, in attoFIL.
func termsCost(deal perpetualstorage.DealView, bounty *big.Int, copies int64) *big.Int {
	one := new(big.Int).Mul(new(big.Int).SetUint64(deal.Terms.Rate), big.NewInt(int64(deal.Terms.Term)))
	return one.Mul(one.Add(one, bounty), big.NewInt(copies))
}

// renewals counts the copies that the deal's money has to cover by the end of an offer's
// slot: that slot, and each other that is not taken and begins no later. The others are
// asked about only where there is not money for all.
func (m *Maker) renewals(ctx context.Context, o *job.Offer, deal perpetualstorage.DealView, bounty *big.Int, epoch uint64) (int64, error) {
	if all := int64(deal.Terms.Replicas); deal.Free.Cmp(termsCost(deal, bounty, all)) >= 0 {
		return all, nil
	}
	copies := int64(1)
	for i := range uint64(deal.Terms.Replicas) {
		if i == o.Slot>>16&0xff {
			continue
		}
		seat, err := m.c.seat(ctx, epoch, o.Slot>>24<<24|i<<16)
		if err != nil {
			return 0, err
		}
		waits, err := m.waits(ctx, seat, o.End, epoch)
		if err != nil {
			return 0, err
		}
		if waits {
			copies++
		}
	}
	return copies, nil
}

// waits tells whether a seat takes a term's money by an epoch: its slot is open, or ends by
// then and nobody has taken what follows.
func (m *Maker) waits(ctx context.Context, seat perpetualstorage.SeatOfOutput, by, epoch uint64) (bool, error) {
	if seat.Current == 0 {
		return false, nil
	}
	current, err := m.c.slot(ctx, epoch, seat.Current)
	if err != nil || current.State == slotOpen {
		return err == nil, err
	}
	if current.End == 0 || uint64(current.End) > by {
		return false, nil
	}
	if seat.Next == 0 {
		return true, nil
	}
	next, err := m.c.slot(ctx, epoch, seat.Next)
	return err == nil && next.State == slotOpen, err
}

// dealOpen is IPerpetualStorage.DealStatus.Open.
const dealOpen = 2
