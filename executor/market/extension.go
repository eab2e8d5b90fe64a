package market

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
)

// Extension is the renewal of an active slot by its own sector, as the contract would take it
// now: renewByExtension. What only the miner knows is left aside: whether its sector is
// active, and lasts long enough. Amounts are attoFIL, times epochs.
type Extension struct {
	Slot       uint64 // the active one, which the call names
	Miner      uint64 // of which a controlling address sends the call
	Sector     uint64
	Before     uint32 // the call has to be in a block before this: the slot ends, and what follows is paid from here
	Others     uint32 // from here on anyone may claim what follows
	Until      uint32 // what follows ends, and the sector has to be committed until then
	Bounty     *big.Int
	Obligation *big.Int // bounty + rate × term
	Bond       *big.Int // to be sent along
}

// ExtensionBond is what an extension sends along where a claim would send a bond: as much as
// of that stays until the term ends, a fifth (Rules.RETAINED_BPS).
func ExtensionBond(bond *big.Int) *big.Int { return new(big.Int).Quo(bond, big.NewInt(5)) }

// routeMarket is IPerpetualStorage.Route.Market: shown by an f05 deal, which ends with its term.
const routeMarket = 1

// extensionOf is what Proofs.sol makes of an active slot whose follower is open, or is not
// opened yet, with such a bounty; nil where it would refuse.
func extensionOf(height, id uint64, v perpetualstorage.SlotView, d perpetualstorage.DealView, bounty *big.Int) *Extension {
	_, index, _ := SplitSlot(id)
	t := d.Terms
	pay := new(big.Int).Mul(new(big.Int).SetUint64(t.Rate), big.NewInt(int64(t.Term)))
	pay.Add(pay, bounty)
	if !renewable(height, index, d, v) || height+1 >= uint64(v.End) || v.Faulty || v.Route == routeMarket || d.Free.Cmp(pay) < 0 {
		return nil
	}
	bond := new(big.Int).Sub(t.MaxBounty, bounty)
	return &Extension{
		Slot: id, Miner: v.MinerId, Sector: v.Sector, Before: v.End, Others: v.End - t.RenewWindow + t.RenewWindow/3, Until: v.End + t.Term,
		Bounty: bounty, Obligation: pay, Bond: ExtensionBond(bond.Add(bond, t.BondFloor)),
	}
}

// Extension is how the miner of a slot may extend it now; nil where the contract would refuse.
func (s *Storage) Extension(ctx context.Context, height, id uint64) (*Extension, error) {
	deal, index, _ := SplitSlot(id)
	v, err := view(ctx, s, height, "slotOf", s.abi.PackSlotOf(id), s.abi.UnpackSlotOf)
	if err != nil || SlotState(v.State) != SlotActive {
		return nil, err
	}
	seat, err := view(ctx, s, height, "seatOf", s.abi.PackSeatOf(deal, index), s.abi.UnpackSeatOf)
	if err != nil || seat.Current != id {
		return nil, err
	}
	d, err := s.Deal(ctx, height, deal)
	if err != nil {
		return nil, err
	}
	if seat.Next == 0 {
		bounty := d.Terms.BaseBounty // of a slot that opens
		if d.Terms.Ramp == 0 {
			bounty = d.Terms.MaxBounty
		}
		e := extensionOf(height, id, v, d, bounty)
		if e == nil {
			return nil, nil
		}
		// Nothing shows whether the contract takes renewals at all but one that is tried.
		switch _, err := s.chain.Call(ctx, s.at, s.abi.PackOpenRenewal(deal, index), height); {
		case errors.Is(err, ErrReverted):
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("trying to open the renewal of slot %d: %w", id, err)
		}
		return e, nil
	}
	next, err := view(ctx, s, height, "slotOf", s.abi.PackSlotOf(seat.Next), s.abi.UnpackSlotOf)
	if err != nil || SlotState(next.State) != SlotOpen {
		return nil, err
	}
	bounty, err := view(ctx, s, height, "quoteBounty", s.abi.PackQuoteBounty(seat.Next), s.abi.UnpackQuoteBounty)
	if err != nil {
		return nil, err
	}
	return s.extended(ctx, height, seat.Next, v, id, d, bounty)
}

// extendedTo is the extension that an open slot would come about by; nil for one that
// follows none.
func (s *Storage) extendedTo(ctx context.Context, height uint64, next Slot, d perpetualstorage.DealView) (*Extension, error) {
	if next.Generation == 0 {
		return nil, nil
	}
	seat, err := view(ctx, s, height, "seatOf", s.abi.PackSeatOf(next.Deal, next.Index), s.abi.UnpackSeatOf)
	if err != nil || seat.Next != next.ID {
		return nil, err
	}
	v, err := view(ctx, s, height, "slotOf", s.abi.PackSlotOf(seat.Current), s.abi.UnpackSlotOf)
	if err != nil {
		return nil, err
	}
	return s.extended(ctx, height, next.ID, v, seat.Current, d, next.Bounty)
}

// extended is the extension of slot id to an open one, unless the contract is paused. What it
// says of the open one shows that: of verified data only while operators vouch for it.
func (s *Storage) extended(ctx context.Context, height, next uint64, v perpetualstorage.SlotView, id uint64, d perpetualstorage.DealView, bounty *big.Int) (*Extension, error) {
	e := extensionOf(height, id, v, d, bounty)
	if e == nil {
		return nil, nil
	}
	why, err := s.refusal(ctx, height, next, v.MinerId, d)
	if err != nil || why == "paused" || why == "not served" && d.Terms.Verified {
		return nil, err
	}
	return e, nil
}

// refusal is why a miner could not have an open slot.
func (s *Storage) refusal(ctx context.Context, height, id, miner uint64, d perpetualstorage.DealView) (string, error) {
	if d.Terms.Verified {
		p, err := view(ctx, s, height, "previewClaim", s.abi.PackPreviewClaim(id, miner, common.Address{}), s.abi.UnpackPreviewClaim)
		return word(p.Reason), err
	}
	why, err := view(ctx, s, height, "whyNot", s.abi.PackWhyNot(id, perpetualstorage.PublishedDeal{
		MinerId: miner, CommP: d.CommP, PaddedSize: d.PaddedSize, PricePerEpoch: new(big.Int), ClientCollateral: new(big.Int), ProviderCollateral: d.Terms.MinCollateral,
	}), s.abi.UnpackWhyNot)
	return word(why), err
}
