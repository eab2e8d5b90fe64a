package deals

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
)

const (
	// sealTime is how many epochs before its start Curio takes a deal at the latest: 8 hours
	// (curio, deps/config/types.go, commit 566e93df, ExpectedPoRepSealDuration).
	sealTime = 960
	// claimAlarm is how long before that a claim without a deal is a person's.
	claimAlarm = 960

	// mostDoublings bounds how far looks in vain get apart: 20 epochs first, 320 in the end,
	// and up to a quarter more.
	mostDoublings = 4
)

// What a claimed slot waits for.
const (
	whyNotHere = "the piece is not here"
	whyAway    = "the piece is lost here, and is fetched back"
	whyNowhere = "it is not known where the provider takes deals"
)

// claim is a claimed slot whose piece is here.
type claim struct {
	slot  uint64
	v     perpetualstorage.SlotView
	deal  perpetualstorage.DealView
	piece piece.Commitment
	here  Piece
	to    Provider // who claimed it
}

// claimed writes down that a provider has a slot, or has it anew. It is due at once.
func (m *Maker) claimed(ctx context.Context, epoch, slot uint64, v perpetualstorage.SlotView) error {
	deal, err := m.c.deal(ctx, epoch, slot>>24)
	if err != nil {
		return err
	}
	c := piece.Commitment{Root: deal.CommP, Padded: deal.PaddedSize, Payload: deal.CarSize}
	if _, err := m.present(ctx, epoch, slot, c); err != nil { // what is lost is on its way from now on
		return err
	}
	return m.d.Ledger.PutClaim(ctx, job.Claim{Slot: slot, Miner: v.MinerId, Piece: c.CID().String(), Deadline: uint64(v.SealDeadline), DueEpoch: epoch})
}

// dueClaims looks at claimed slots whose epoch has come.
func (m *Maker) dueClaims(ctx context.Context, epoch uint64) error {
	due, err := m.d.Ledger.Claims(ctx, epoch, mostClaims)
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range due {
		if err := m.lookAtClaim(ctx, epoch, c); err != nil {
			errs = append(errs, fmt.Errorf("claimed slot %d: %w", c.Slot, err))
		}
	}
	return errors.Join(errs...)
}

// lookAtClaim sees to it that who claimed a slot is offered the deal. What fails for a reason
// that may pass is tried again, ever more rarely, until nobody could seal it in time any
// more; while an offer is live, or the piece is not here, that asks the chain nothing.
func (m *Maker) lookAtClaim(ctx context.Context, epoch uint64, c job.Claim) error {
	live, err := m.d.Ledger.Offers(ctx, job.OfferFilter{Slot: c.Slot, Live: true, Limit: 1})
	if err != nil {
		return err
	}
	if len(live) > 0 {
		switch live[0].State {
		case job.OfferPublished, job.OfferActive:
			return m.d.Ledger.DropClaim(ctx, c.Slot)
		case job.OfferProposing:
			m.alarmOfClaim(epoch, &c, "the provider has not taken the deal that it is offered")
		default:
			c.Alarm = ""
		}
		c.Why, c.DueEpoch = "", epoch+lookPeriod
		return m.d.Ledger.PutClaim(ctx, c)
	}
	if c.Why == "" && c.Looks > 0 { // it had one
		last, err := m.d.Ledger.Offers(ctx, job.OfferFilter{Slot: c.Slot, Miner: c.Miner, State: job.OfferFailed, Limit: 1})
		if err != nil {
			return err
		}
		if len(last) > 0 {
			return m.inVain(ctx, epoch, c, last[0].Reason)
		}
	}
	if _, err := m.d.Pieces.Piece(ctx, c.Piece); errors.Is(err, job.ErrNotFound) && epoch <= c.Deadline {
		return m.inVain(ctx, epoch, c, whyNotHere)
	}
	v, err := m.c.slot(ctx, epoch, c.Slot)
	switch {
	case err != nil:
		return err
	case v.State != slotClaimed: // whatever it is now, its events or its offer tell of it
		return m.d.Ledger.DropClaim(ctx, c.Slot)
	case v.MinerId != c.Miner || uint64(v.SealDeadline) != c.Deadline:
		c = job.Claim{Slot: c.Slot, Miner: v.MinerId, Piece: c.Piece, Deadline: uint64(v.SealDeadline)}
	case epoch+sealTime > c.Deadline && c.Looks > 0: // it stands, and nobody could seal in time any more
		c.DueEpoch = epoch + day
		m.alarmOfClaim(epoch, &c, c.Why)
		return m.d.Ledger.PutClaim(ctx, c)
	}
	why, err := m.handOver(ctx, epoch, c.Slot, v)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil: // another claim may fare better
		why = err.Error()
	case why == "":
		c.Why, c.DueEpoch, c.Looks = "", epoch+lookPeriod, c.Looks+1
		return m.d.Ledger.PutClaim(ctx, c)
	}
	return m.inVain(ctx, epoch, c, why)
}

// inVain puts a look at a claimed slot off.
func (m *Maker) inVain(ctx context.Context, epoch uint64, c job.Claim, why string) error {
	wait := uint64(lookPeriod) << min(c.Looks, mostDoublings)
	late, err := m.upTo(wait / 4)
	if err != nil {
		return err
	}
	if c.Why != why {
		m.d.Log.Info("a claimed slot waits", "slot", c.Slot, "miner", c.Miner, "why", why)
	}
	c.Why, c.DueEpoch, c.Looks = why, epoch+wait+late, c.Looks+1
	m.alarmOfClaim(epoch, &c, why)
	return m.d.Ledger.PutClaim(ctx, c)
}

// upTo draws a number from 0 to most.
func (m *Maker) upTo(most uint64) (uint64, error) {
	var b [8]byte
	if _, err := io.ReadFull(m.random(), b[:]); err != nil {
		return 0, fmt.Errorf("drawing when to look again: %w", err)
	}
	return binary.BigEndian.Uint64(b[:]) % (most + 1), nil
}

// alarmOfClaim tells once that a claim is about to come to nothing. A piece that is not here
// is somebody else's to offer, as far as anybody knows.
func (m *Maker) alarmOfClaim(epoch uint64, c *job.Claim, why string) {
	if epoch+sealTime+claimAlarm <= c.Deadline || why == whyNotHere {
		return
	}
	before := c.Alarm
	c.Alarm = fmt.Sprintf("f0%d has claimed slot %d, has to have sealed it by epoch %d, and has no deal yet: %s", c.Miner, c.Slot, c.Deadline, why)
	if before == "" {
		m.d.Log.Error("a claim needs a person", "slot", c.Slot, "miner", c.Miner, "alarm", c.Alarm)
	}
}

// handOver offers the piece to a provider that claimed a slot: to be sealed as direct data, or
// with DataCap. why says what there is to wait for where nothing was offered.
func (m *Maker) handOver(ctx context.Context, epoch, slot uint64, v perpetualstorage.SlotView) (why string, err error) {
	c := claim{slot: slot, v: v, to: m.known()[v.MinerId]}
	if c.deal, err = m.c.deal(ctx, epoch, slot>>24); err != nil {
		return "", err
	}
	c.piece = piece.Commitment{Root: c.deal.CommP, Padded: c.deal.PaddedSize, Payload: c.deal.CarSize}
	if ok, err := m.present(ctx, epoch, slot, c.piece); err != nil {
		return "", err
	} else if !ok {
		return whyAway, nil
	}
	c.here, err = m.d.Pieces.Piece(ctx, c.piece.CID().String())
	switch {
	case errors.Is(err, job.ErrNotFound):
		return whyNotHere, nil
	case err != nil:
		return "", err
	case c.deal.Terms.Verified:
		return m.withDataCap(ctx, epoch, c)
	case c.to.Market == "":
		return whyNowhere, nil
	}
	request, err := m.offerFor(ctx, epoch, c)
	if err != nil {
		return "", err
	}
	ok, err := m.verifies(ctx, epoch, c, request.Deal)
	if err == nil && !ok {
		return "the contract does not want the deal as it is", nil
	}
	if err != nil {
		return "", err
	}
	return "", m.add20(ctx, epoch, c, request)
}
