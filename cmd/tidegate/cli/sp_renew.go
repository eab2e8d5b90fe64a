package cli

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/executor/market"
)

// spRenew renews a slot by its sector.
func spRenew(ctx context.Context, s *spAt, slot uint64, d market.Detail) (spStep, error) {
	if d.State != market.SlotActive {
		return spStep{}, fmt.Errorf("slot %d is %s: only active slots are renewed", slot, d.State)
	}
	deal, err := s.storage.Deal(ctx, s.height, slot>>24)
	if err != nil {
		return spStep{}, err
	}
	until := uint64(d.End) + uint64(deal.Terms.Term)
	committed, err := s.node.Committed(ctx, d.Miner, d.Sector)
	if err != nil {
		return spStep{}, err
	}
	if committed < until {
		return spStep{}, fmt.Errorf("sector %d of f0%d is committed until epoch %d, and slot %d would be renewed until %d: extend the sector to that epoch or later first (lotus-miner sectors extend, or Curio's own way)",
			d.Sector, d.Miner, committed, slot, until)
	}
	at, err := s.node.Locate(ctx, d.Miner, d.Sector)
	if err != nil {
		return spStep{}, err
	}
	if at.Status != market.SectorActive {
		return spStep{}, fmt.Errorf("slot %d cannot be renewed: f0%d says that its sector %d is %s", slot, d.Miner, d.Sector, market.SectorWords(at.Status))
	}
	// The bounty of a slot that opens is the least; what a higher one asks less of is credited.
	bond := new(big.Int).Sub(deal.Terms.MaxBounty, deal.Terms.BaseBounty)
	bond = market.ExtensionBond(bond.Add(bond, deal.Terms.BondFloor))
	abi := perpetualstorage.NewPerpetualStorage()
	return spStep{
		data: abi.PackRenewByExtension(slot, at.Aux), value: bond,
		before: []string{
			"renews", fmt.Sprintf("slot %d by sector %d of f0%d, committed until epoch %d", slot, d.Sector, d.Miner, committed),
			"paid until", s.at(uint32(until)), "bond", filText(bond) + ", until the new term ends",
		},
		after: func(ctx context.Context, height uint64, logs []*types.Log, done *spDone) error {
			e := eventIn(logs, s.storage.Address(), abi.UnpackSlotActivatedEvent)
			if e == nil {
				return fmt.Errorf("transaction %s does not say that the slot is renewed: is %s a PerpetualStorage?", done.Transaction, s.storage.Address())
			}
			done.words = fmt.Sprintf("Slot %d follows slot %d: it is active, and paid from %s to %s. Prove it as the one before.", e.SlotId, slot, s.at(e.Start), s.at(e.End))
			return s.tell(ctx, height, done, d.Payee, slot, e.SlotId)
		},
	}, nil
}

// spTerminate gives an active slot up.
func spTerminate(_ context.Context, s *spAt, slot uint64, d market.Detail) (spStep, error) {
	if d.State != market.SlotActive {
		return spStep{}, fmt.Errorf("slot %d is %s: only active slots are given up (tidegate sp release gives a claim back)", slot, d.State)
	}
	before := []string{
		"gives up", fmt.Sprintf("slot %d of f0%d for good; it keeps the %s that are proven and no more of %s", slot, d.Miner, filText(d.Earned), filText(d.Obligation)),
		"burns", "what is left of the bond, " + filText(d.Bond),
	}
	if s.height >= uint64(d.End) {
		before = []string{"ends", fmt.Sprintf("slot %d of f0%d, whose term is over; prove it first if there is more to earn", slot, d.Miner)}
	}
	return spStep{
		data: perpetualstorage.NewPerpetualStorage().PackTerminateDeal(slot), before: before,
		after: func(ctx context.Context, height uint64, _ []*types.Log, done *spDone) error {
			if err := s.tell(ctx, height, done, d.Payee, slot); err != nil {
				return err
			}
			done.words = fmt.Sprintf("Slot %d is %s. The payee %s can withdraw %s.", slot, done.Slots[0].State, d.Payee, filOf(done.Credit))
			return nil
		},
	}, nil
}

// spPayee names who is paid for slots from now on.
func spPayee(ctx context.Context, c *cli.Command) error {
	ids, err := slotArgs(c)
	if err != nil {
		return err
	}
	s, err := openSp(ctx, c)
	if err != nil {
		return err
	}
	defer s.close()
	to, words, err := s.payTo(ctx)
	if err != nil {
		return err
	}
	before := []string{"names", fmt.Sprintf("%s, whom the contract knows as %s", words, to)}
	for _, id := range ids {
		d, err := s.storage.Slot(ctx, s.height, id)
		if err != nil {
			return err
		}
		before = append(before, "in place of", fmt.Sprintf("%s for slot %d of f0%d", d.Payee, id, d.Miner))
	}
	return s.perform(ctx, spStep{
		data: perpetualstorage.NewPerpetualStorage().PackSetPayee(ids, to), before: before,
		after: func(ctx context.Context, height uint64, _ []*types.Log, done *spDone) error {
			if err := s.tell(ctx, height, done, to, ids...); err != nil {
				return err
			}
			for _, now := range done.Slots {
				done.words += fmt.Sprintf("Slot %s pays %s from now on.\n", now.ID, now.Payee)
			}
			done.words += "What was credited before stays with whom it was credited to."
			return nil
		},
	})
}
