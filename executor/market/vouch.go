package market

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
)

const epochsInDay = 2880

// Unvouched looks for deals of these clients that have a slot to be claimed, and the money
// for it, but no operators' word that their piece is served: for want of it nobody can
// claim, a renewal neither. Asking for it costs the quoted fee, and is due once a day
// until the word is there.
func (s *Storage) Unvouched(clients map[common.Address]bool) Look {
	return func(ctx context.Context, height, deal uint64, d perpetualstorage.DealView) ([]Due, error) {
		if !clients[d.Client] || d.Status != dealOpen || d.Suspended || uint64(d.ServedUntil) >= height {
			return nil, nil
		}
		return s.unvouched(ctx, height, deal, d)
	}
}

func (s *Storage) unvouched(ctx context.Context, height, deal uint64, d perpetualstorage.DealView) ([]Due, error) {
	for index := range d.Terms.Replicas {
		open, err := s.lacksOnlyWord(ctx, height, deal, index, d)
		if err != nil {
			return nil, err
		}
		if !open {
			continue
		}
		fee, err := view(ctx, s, height, "quoteServed", s.abi.PackQuoteServed(deal), s.abi.UnpackQuoteServed)
		if err != nil {
			return nil, err
		}
		return []Due{{
			Fn: "requestServed", Subject: fmt.Sprint(deal), At: fmt.Sprintf("%d.%d", d.ServedUntil, height/epochsInDay), Value: fee, Tip: new(big.Int),
			Call: Call{To: s.at, Data: s.abi.PackRequestServed(deal)},
		}}, nil
	}
	return nil, nil
}

// lacksOnlyWord reports whether somebody could claim a slot of a seat if the deal's piece
// were served. What else may stand against it is what contracts/storage/Offers.sol says.
func (s *Storage) lacksOnlyWord(ctx context.Context, height, deal uint64, index uint8, d perpetualstorage.DealView) (bool, error) {
	seat, err := view(ctx, s, height, "seatOf", s.abi.PackSeatOf(deal, index), s.abi.UnpackSeatOf)
	if err != nil {
		return false, err
	}
	id, begins := seat.Current, height
	slot, err := view(ctx, s, height, "slotOf", s.abi.PackSlotOf(id), s.abi.UnpackSlotOf)
	if err != nil {
		return false, err
	}
	if SlotState(slot.State) != SlotOpen {
		if seat.Next == 0 {
			return false, nil
		}
		id, begins = seat.Next, uint64(slot.End)
		if slot, err = view(ctx, s, height, "slotOf", s.abi.PackSlotOf(id), s.abi.UnpackSlotOf); err != nil || SlotState(slot.State) != SlotOpen {
			return false, err
		}
	}
	if d.Terms.EndEpoch != 0 && begins >= uint64(d.Terms.EndEpoch) {
		return false, nil
	}
	bounty, err := view(ctx, s, height, "quoteBounty", s.abi.PackQuoteBounty(id), s.abi.UnpackQuoteBounty)
	if err != nil {
		return false, err
	}
	need := new(big.Int).Mul(new(big.Int).SetUint64(d.Terms.Rate), new(big.Int).SetUint64(uint64(d.Terms.Term)))
	return d.Free.Cmp(need.Add(need, bounty)) >= 0, nil // what a claim reserves: Books.obligationOf
}
