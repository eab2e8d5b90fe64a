package provider

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	miner18 "github.com/filecoin-project/go-state-types/builtin/v18/miner"

	"github.com/tidegate/tidegate/devnet/chain"
)

// Skip leaves sectors out of the miner's proofs from now on, so that they become faulty
// at their next deadline and dead after 42 days.
func (m *Miner) Skip(sectors ...abi.SectorNumber) {
	m.f.mu.Lock()
	defer m.f.mu.Unlock()
	for _, n := range sectors {
		m.skipped[n] = true
	}
}

// StopProving makes the miner send no proofs any more: its sectors become faulty as
// their deadlines pass.
func (m *Miner) StopProving() { m.setStopped(true) }

// ResumeProving ends StopProving. What became faulty stays so until it is recovered.
func (m *Miner) ResumeProving() { m.setStopped(false) }

func (m *Miner) setStopped(stopped bool) {
	m.f.mu.Lock()
	defer m.f.mu.Unlock()
	m.stopped = stopped
}

// Recover declares faulty sectors recovered, so that the next proof of their deadline
// includes them; it skips them no longer. A declaration comes at least 70 epochs
// before the deadline: if it is too late it waits until the deadline is over.
func (m *Miner) Recover(ctx context.Context, sectors ...abi.SectorNumber) error {
	m.f.mu.Lock()
	for _, n := range sectors {
		delete(m.skipped, n)
	}
	m.f.mu.Unlock()
	err := m.byPlace(ctx, sectors, func(p place, numbers bitfield.BitField) error {
		cutoff := func(close abi.ChainEpoch) abi.ChainEpoch {
			return close - miner18.WPoStChallengeWindow - miner18.FaultDeclarationCutoff
		}
		if err := m.outside(ctx, p.Deadline, cutoff); err != nil {
			return err
		}
		_, err := m.do(ctx, builtin.MethodsMiner.DeclareFaultsRecovered, &miner18.DeclareFaultsRecoveredParams{
			Recoveries: []miner18.RecoveryDeclaration{{Deadline: p.Deadline, Partition: p.Partition, Sectors: numbers}},
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("recover sectors of %s: %w", m.id, err)
	}
	return nil
}

// DeclareFaulty says of sectors that they are faulty, before the next deadline finds
// out, and leaves them out of proofs.
func (m *Miner) DeclareFaulty(ctx context.Context, sectors ...abi.SectorNumber) error {
	m.Skip(sectors...)
	err := m.byPlace(ctx, sectors, func(p place, numbers bitfield.BitField) error {
		cutoff := func(close abi.ChainEpoch) abi.ChainEpoch {
			return close - miner18.WPoStChallengeWindow - miner18.FaultDeclarationCutoff
		}
		if err := m.outside(ctx, p.Deadline, cutoff); err != nil {
			return err
		}
		_, err := m.do(ctx, builtin.MethodsMiner.DeclareFaults, &miner18.DeclareFaultsParams{
			Faults: []miner18.FaultDeclaration{{Deadline: p.Deadline, Partition: p.Partition, Sectors: numbers}},
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("declare faults of %s: %w", m.id, err)
	}
	return nil
}

// Dispute says of the last proof of a deadline that it is false; anyone may. Window
// PoSts are checked only then: if the network refuses proofs of kind "post", the
// sectors become faulty, else the dispute fails. It is possible from the end of the
// deadline on, for 1,800 epochs.
func (m *Miner) Dispute(ctx context.Context, by chain.Account, deadline uint64) error {
	_, err := m.f.Send(ctx, by, Call{
		To: m.id, Method: builtin.MethodsMiner.DisputeWindowedPoSt, Params: &miner18.DisputeWindowedPoStParams{Deadline: deadline},
	})
	if err != nil {
		return fmt.Errorf("dispute the proof of deadline %d of %s: %w", deadline, m.id, err)
	}
	return nil
}

// others is how many blocks may come before a message is in one: others send theirs.
const others = 10

// outside waits, if now is at or after what cutoff makes of a deadline's next end, or close to
// it, until the deadline is over.
func (m *Miner) outside(ctx context.Context, deadline uint64, cutoff func(end abi.ChainEpoch) abi.ChainEpoch) error {
	st, err := m.State(ctx)
	if err != nil {
		return err
	}
	next := m.f.chain.Head().Height() + 1
	end := endOf(st, deadline, next)
	if next+others < cutoff(end) {
		return nil
	}
	return m.f.Reach(ctx, end)
}

// endOf is the first epoch after the deadline's window that is open at an epoch or comes
// next.
func endOf(st *miner18.State, deadline uint64, epoch abi.ChainEpoch) abi.ChainEpoch {
	info := deadlineAt(st, epoch)
	end := info.PeriodStart + abi.ChainEpoch(deadline+1)*miner18.WPoStChallengeWindow
	if end <= epoch {
		end += miner18.WPoStProvingPeriod
	}
	return end
}
