package deals

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/filecoin-project/go-address"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/market/mk12"
)

// lacking says once a day that an open slot cannot be sealed as it is to be: its deal has
// too little DataCap. Whoever looks at it before a claim is told the same (market.Preview).
func (m *Maker) lacking(ctx context.Context, epoch uint64, s perpetualstorage.OpenSlot) error {
	has, err := m.c.dataCap(ctx, epoch, s.SlotId>>24)
	if err != nil {
		return err
	}
	m.vain[s.SlotId] = epoch + lookPeriod
	if has.Cmp(new(big.Int).SetUint64(s.PaddedSize)) < 0 {
		m.vain[s.SlotId] = epoch + day
		m.d.Log.Warn("an open slot has no DataCap to be sealed with", "slot", s.SlotId, "has", has.String(), "needs", s.PaddedSize)
	}
	return nil
}

// withDataCap hands the piece of a verified slot to who claimed it, once the gate has set
// DataCap aside for the claim: over MK20 with its allocation, or over MK12 where the
// market may draw it. Until then nothing is proposed, as it would be sealed without; the
// gate's event leads here again. why says what there is to wait for.
func (m *Maker) withDataCap(ctx context.Context, epoch uint64, c claim) (why string, err error) {
	if m.d.Funds == nil {
		return "no Filecoin node says whether DataCap was set aside", nil
	}
	all, err := m.d.Funds.Allocations(ctx, m.c.gate)
	if err != nil {
		return "", err
	}
	for _, a := range all {
		if a.Provider != c.v.MinerId || a.Piece != c.piece.CID() || a.Expiration != int64(c.v.SealDeadline) || c.to.Market == "" {
			continue
		}
		request, err := m.offerFor(ctx, epoch, c)
		if err != nil {
			return "", err
		}
		// The term of an allocation begins when it is made, that of a deal when it starts at the latest.
		ddo := &request.Deal.Products.DDO
		ddo.AllocationID, ddo.Duration = &a.ID, max(ddo.Duration, a.TermMin)
		ok, err := m.verifies(ctx, epoch, c, request.Deal)
		if err != nil {
			return "", err
		}
		if ok || epoch > uint64(a.Expiration) { // what ran out is told of before it is sent
			return "", m.add20(ctx, epoch, c, request)
		}
	}
	return m.toDraw(ctx, epoch, c)
}

// toDraw proposes the f05 deal that a claim was granted DataCap for: to the letter as the
// gate has it, which authenticates no other.
func (m *Maker) toDraw(ctx context.Context, epoch uint64, c claim) (why string, err error) {
	if len(c.to.Addrs) == 0 && c.to.Market == "" {
		return whyNowhere, nil
	}
	raw, err := m.c.proposal(ctx, epoch, c.slot)
	if err != nil {
		return "", err
	}
	p, err := mk12.ParseDealProposal(raw)
	if err != nil {
		return "", err
	}
	granted, err := m.authenticates(ctx, p, c.v.MinerId)
	switch {
	case err != nil:
		return "", err
	case !granted:
		return "the provider has taken no DataCap for it: tidegate sp datacap", nil
	case len(c.to.Addrs) == 0:
		return "its DataCap is for an f05 deal, and the provider's libp2p address is not known", nil
	}
	return "", m.add12(ctx, epoch, c.slot, uint64(c.v.SealDeadline), p, c.to, placeOf(c.deal.Terms.Endpoint, c.piece), c.here, claimedIt(c))
}

// authenticates asks the gate what the market will ask it.
func (m *Maker) authenticates(ctx context.Context, p mk12.DealProposal, miner uint64) (ok bool, err error) {
	if p.Provider, err = address.NewIDAddress(miner); err != nil {
		return false, err
	}
	b, err := encoded(&p)
	if err != nil {
		return false, err
	}
	return m.d.Funds.Authenticates(ctx, m.c.gate, b)
}

// What Curio wants of allocations (curio, market/mk20/mk20.go, commit 566e93df, sanitizeDDODeal).
const (
	// leastVerified is the smallest piece, padded; f06 has the same but on devnets
	// (builtin-actors, runtime/src/runtime/policy.rs, MINIMUM_VERIFIED_ALLOCATION_SIZE).
	leastVerified = 1 << 20
	// mostTerm is MaxSectorExpirationExtension less SealRandomnessLookback.
	mostTerm = 1278*day - 900
)

// whyNotAllocated says why a deal cannot be sealed with its allocation; "" where it can. It
// is what Curio looks at, and what f06 does.
func (m *Maker) whyNotAllocated(ctx context.Context, o job.Offer, r offer20, epoch uint64) (string, error) {
	ddo := r.Deal.Products.DDO
	known, err := m.d.Funds.Known(ctx, r.Deal.Client)
	if err != nil {
		return "", err
	}
	if !known { // Lotus has an error for it, and Curio then one for the deal
		return fmt.Sprintf("providers look allocations up for our key %s first, which is no actor of this chain yet: send it any FIL", r.Deal.Client), nil
	}
	all, err := m.d.Funds.Allocations(ctx, m.c.gate)
	if err != nil {
		return "", err
	}
	var a *market.Allocation
	for i := range all {
		if all[i].ID == *ddo.AllocationID {
			a = &all[i]
		}
	}
	switch {
	case a == nil:
		return fmt.Sprintf("allocation %d is no more: it was claimed, or ran out and was removed", *ddo.AllocationID), nil
	case epoch > uint64(a.Expiration):
		return fmt.Sprintf("allocation %d ran out at epoch %d", a.ID, a.Expiration), nil
	case a.Provider != o.Miner || a.Piece.String() != o.Piece:
		return fmt.Sprintf("allocation %d is for piece %s of f0%d", a.ID, a.Piece, a.Provider), nil
	case a.Padded < leastVerified:
		return fmt.Sprintf("a piece of %d bytes, padded, is too small for DataCap: Curio takes such from %d on", a.Padded, leastVerified), nil
	case a.TermMin > mostTerm:
		return fmt.Sprintf("allocation %d is for %d epochs at least, more than a sector can be committed for", a.ID, a.TermMin), nil
	case ddo.Duration < a.TermMin || ddo.Duration > a.TermMax:
		return fmt.Sprintf("allocation %d is for %d to %d epochs, the deal for %d", a.ID, a.TermMin, a.TermMax, ddo.Duration), nil
	}
	return "", nil
}

// allocationOf is the allocation that an offer is to be sealed with; 0 where there is none.
func allocationOf(o job.Offer) (uint64, error) {
	if o.Protocol != job.ProtocolMK20 {
		return 0, nil
	}
	var r offer20
	if err := json.Unmarshal(o.Request, &r); err != nil {
		return 0, fmt.Errorf("reading the stored offer: %w", err)
	}
	if id := r.Deal.Products.DDO.AllocationID; id != nil {
		return *id, nil
	}
	return 0, nil
}

// followClaim compares an offer that has an allocation with what the verified registry
// made of it: a claim has the id of its allocation. words are of what is new.
func (m *Maker) followClaim(ctx context.Context, o *job.Offer, v perpetualstorage.SlotView, epoch uint64) (words string, err error) {
	if o.Protocol == job.ProtocolMK12 {
		return "", m.followDrawn(ctx, o)
	}
	id, err := allocationOf(*o)
	if err != nil || id == 0 || o.Evidence != 0 {
		return "", err
	}
	f, err := m.c.claimFacts(ctx, epoch, o.Miner, id)
	if err != nil {
		return "", err
	}
	alarm := ""
	switch {
	case f.Known && o.State == job.OfferActive:
		o.Evidence = id
		return fmt.Sprintf("claim %d of verified data, sector %d", id, f.Sector), nil
	case f.Known:
		alarm = fmt.Sprintf("claim %d of verified data holds the piece in sector %d, and the contract was not told: tidegate sp publish %d --claim %d", id, f.Sector, o.Slot, id)
	case o.State == job.OfferActive:
		alarm = fmt.Sprintf("the sector was sealed without DataCap: nobody has claimed allocation %d", id)
	case epoch > uint64(v.SealDeadline):
		alarm = fmt.Sprintf("allocation %d ran out at epoch %d, and nobody has claimed it", id, v.SealDeadline)
	}
	if o.Alarm == "" || o.State != job.OfferActive {
		o.Alarm = alarm
	}
	return "", nil
}

// followDrawn alarms on an active verified deal whose sector has not claimed what f05
// allocated for it: f05 takes such a sector too.
func (m *Maker) followDrawn(ctx context.Context, o *job.Offer) error {
	if o.State != job.OfferActive || o.Alarm != "" || m.d.Funds == nil {
		return nil
	}
	p, err := proposed(*o)
	if err != nil || !p.Verified {
		return err
	}
	all, err := m.d.Funds.Allocations(ctx, m.c.gate)
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.Provider == o.Miner && a.Piece == p.PieceCID && a.Expiration == p.Start { // the market actor's, actors/market/src/lib.rs
			o.Alarm = fmt.Sprintf("the sector was sealed without DataCap: nobody has claimed allocation %d", a.ID)
		}
	}
	return nil
}
