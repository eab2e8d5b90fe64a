package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	miner18 "github.com/filecoin-project/go-state-types/builtin/v18/miner"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
)

// place is where a sector is proven.
type place struct{ Deadline, Partition uint64 }

// Methods of the miner actor that FIP-0112 added and go-state-types does not list.
var (
	MethodGenerateSectorLocation = builtin.MustGenerateFRCMethodNum("GenerateSectorLocation")
	MethodValidateSectorStatus   = builtin.MustGenerateFRCMethodNum("ValidateSectorStatus")
)

// ErrNoSector is returned for a sector that the miner does not have any more, or never
// had.
var ErrNoSector = errors.New("the miner has no such sector")

// Sector is what the chain knows of a sector. Errors: ErrNoSector.
func (m *Miner) Sector(ctx context.Context, number abi.SectorNumber) (*miner18.SectorOnChainInfo, error) {
	st := new(miner18.State)
	store, err := load(ctx, atHead{m.f.chain}, m.id, st)
	if err != nil {
		return nil, err
	}
	info, ok, err := st.GetSector(store, number)
	if err == nil && !ok {
		err = ErrNoSector
	}
	if err != nil {
		return nil, fmt.Errorf("sector %d of %s: %w", number, m.id, err)
	}
	return info, nil
}

// Place is the deadline and partition that a sector is proven in.
func (m *Miner) Place(ctx context.Context, number abi.SectorNumber) (deadline, partition uint64, err error) {
	st := new(miner18.State)
	store, err := load(ctx, atHead{m.f.chain}, m.id, st)
	if err == nil {
		deadline, partition, err = st.FindSector(store, number)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("place of sector %d of %s: %w", number, m.id, err)
	}
	return deadline, partition, nil
}

// Status is what the miner actor says of a sector by FIP-0112: its status and the
// auxiliary data with which a contract can have it validated.
func (m *Miner) Status(ctx context.Context, number abi.SectorNumber) (abi.SectorStatusCode, []byte, error) {
	returned, err := m.f.Query(ctx, m.worker.Address, Call{
		To: m.id, Method: MethodGenerateSectorLocation, Params: &miner18.GenerateSectorLocationParams{SectorNumber: number},
	})
	if err != nil {
		return 0, nil, fmt.Errorf("status of sector %d of %s: %w", number, m.id, err)
	}
	var out miner18.GenerateSectorLocationReturn
	if err := decode(returned, &out); err != nil {
		return 0, nil, err
	}
	return out.Status, out.AuxData, nil
}

// byPlace does something for the sectors of each partition, in order.
func (m *Miner) byPlace(ctx context.Context, numbers []abi.SectorNumber, do func(place, bitfield.BitField) error) error {
	sets := map[place]bitfield.BitField{}
	for _, n := range numbers {
		deadline, partition, err := m.Place(ctx, n)
		if err != nil {
			return err
		}
		p := place{deadline, partition}
		set, ok := sets[p]
		if !ok {
			set = bitfield.New()
			sets[p] = set
		}
		set.Set(uint64(n))
	}
	places := make([]place, 0, len(sets))
	for p := range sets {
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b place) int {
		if a.Deadline != b.Deadline {
			return int(a.Deadline) - int(b.Deadline)
		}
		return int(a.Partition) - int(b.Partition)
	})
	for _, p := range places {
		if err := do(p, sets[p]); err != nil {
			return err
		}
	}
	return nil
}

// mutable waits until a deadline can be changed: not while it or the one before it is
// open.
func (m *Miner) mutable(ctx context.Context, deadline uint64) error {
	return m.outside(ctx, deadline, func(end abi.ChainEpoch) abi.ChainEpoch { return end - 2*miner18.WPoStChallengeWindow })
}

// Terminate gives sectors up before their time, at the price of a fee. Their deals end.
func (m *Miner) Terminate(ctx context.Context, sectors ...abi.SectorNumber) error {
	err := m.byPlace(ctx, sectors, func(p place, numbers bitfield.BitField) error {
		if err := m.mutable(ctx, p.Deadline); err != nil {
			return err
		}
		_, err := m.do(ctx, builtin.MethodsMiner.TerminateSectors, &miner18.TerminateSectorsParams{
			Terminations: []miner18.TerminationDeclaration{{Deadline: p.Deadline, Partition: p.Partition, Sectors: numbers}},
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("terminate sectors of %s: %w", m.id, err)
	}
	return nil
}

// Extend moves the expiration of sectors; the claims of verified data in them are
// kept.
func (m *Miner) Extend(ctx context.Context, expiration abi.ChainEpoch, sectors ...abi.SectorNumber) error {
	claims, err := m.f.Claims(ctx, m.ID())
	if err != nil {
		return fmt.Errorf("extend sectors of %s: %w", m.id, err)
	}
	kept := map[abi.SectorNumber][]verifreg18.ClaimId{}
	for id, c := range claims {
		kept[c.Sector] = append(kept[c.Sector], id)
	}
	err = m.byPlace(ctx, sectors, func(p place, numbers bitfield.BitField) error {
		extension := miner18.ExpirationExtension2{
			Deadline: p.Deadline, Partition: p.Partition, Sectors: numbers, NewExpiration: expiration,
		}
		if err := numbers.ForEach(func(n uint64) error {
			number := abi.SectorNumber(n)
			if ids := kept[number]; len(ids) > 0 {
				slices.Sort(ids)
				extension.SectorsWithClaims = append(extension.SectorsWithClaims, miner18.SectorClaim{SectorNumber: number, MaintainClaims: ids})
			}
			return nil
		}); err != nil {
			return err
		}
		for _, s := range extension.SectorsWithClaims { // each sector is named once
			extension.Sectors.Unset(uint64(s.SectorNumber))
		}
		if err := m.mutable(ctx, p.Deadline); err != nil {
			return err
		}
		_, err := m.do(ctx, builtin.MethodsMiner.ExtendSectorExpiration2, &miner18.ExtendSectorExpiration2Params{
			Extensions: []miner18.ExpirationExtension2{extension},
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("extend sectors of %s: %w", m.id, err)
	}
	return nil
}

// Compact drops dead sectors from partitions of a deadline, which changes the places of
// the others. It waits until the deadline's last proof cannot be disputed any more.
func (m *Miner) Compact(ctx context.Context, deadline uint64, partitions ...uint64) error {
	if err := m.compact(ctx, deadline, partitions); err != nil {
		return fmt.Errorf("compact deadline %d of %s: %w", deadline, m.id, err)
	}
	return nil
}

func (m *Miner) compact(ctx context.Context, deadline uint64, partitions []uint64) error {
	if deadline >= miner18.WPoStPeriodDeadlines {
		return fmt.Errorf("deadlines count from 0 to %d", miner18.WPoStPeriodDeadlines-1)
	}
	if err := m.mutable(ctx, deadline); err != nil {
		return err
	}
	st, err := m.State(ctx)
	if err != nil {
		return err
	}
	closed := endOf(st, deadline, m.f.chain.Head().Height()+1) - miner18.WPoStProvingPeriod
	if err := m.f.Reach(ctx, closed+miner18.WPoStDisputeWindow); err != nil {
		return err
	}
	_, err = m.do(ctx, builtin.MethodsMiner.CompactPartitions, &miner18.CompactPartitionsParams{
		Deadline: deadline, Partitions: bitfield.NewFromSet(partitions),
	})
	return err
}
