package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	miner18 "github.com/filecoin-project/go-state-types/builtin/v18/miner"
	adt18 "github.com/filecoin-project/go-state-types/builtin/v18/util/adt"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/dline"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/chain"
)

// Gas limits of a window PoSt, above what it uses, and the epochs after which a refused
// one is sent again.
const (
	postGas          = 300_000_000
	postPartitionGas = 150_000_000
	postAgain        = abi.ChainEpoch(20)
)

// attempt is the last PoSt that a miner sent.
type attempt struct{ open, at abi.ChainEpoch }

// deadlineKey is a deadline's content, and what a miner skips of it.
type deadlineKey struct {
	deadline cid.Cid
	skipping bool
}

// maxEmpty bounds what the fleet remembers of deadlines.
const maxEmpty = 1 << 14

// crew is the fleet as those who act by themselves.
type crew struct{ f *Fleet }

// Due is the next epoch at which a miner has to prove, or the one before it, whose
// ticket a proof names.
func (w crew) Due(ctx context.Context, at chain.View) (abi.ChainEpoch, error) {
	var next abi.ChainEpoch
	var errs []error
	for _, m := range w.f.Miners() {
		due, err := m.due(ctx, at)
		if err != nil {
			errs = append(errs, fmt.Errorf("when %s proves: %w", m.id, err))
			continue
		}
		if due > 0 && (next == 0 || due < next) {
			next = due
		}
	}
	return next, errors.Join(errs...)
}

// Messages are the window PoSts of the miners whose deadline is open.
func (w crew) Messages(ctx context.Context, at chain.View, epoch abi.ChainEpoch) ([]*types.SignedMessage, error) {
	var out []*types.SignedMessage
	var errs []error
	for _, m := range w.f.Miners() {
		messages, err := m.posts(ctx, at, epoch)
		if err != nil {
			errs = append(errs, fmt.Errorf("window post of %s: %w", m.id, err))
			continue
		}
		out = append(out, messages...)
	}
	return out, errors.Join(errs...)
}

// deadlineAt is the deadline that is open at an epoch. Its period begins at a multiple of
// the proving period from any that the miner ever had.
func deadlineAt(st *miner18.State, epoch abi.ChainEpoch) *dline.Info {
	period := miner18.WPoStProvingPeriod
	into := ((epoch-st.ProvingPeriodStart)%period + period) % period
	return miner18.NewDeadlineInfo(epoch-into, uint64(into/miner18.WPoStChallengeWindow), epoch)
}

// plan is what a miner proves of a deadline: the partitions that it did not prove yet
// and that have sectors to prove, each with those that it skips.
func (m *Miner) plan(store adt18.Store, dl *miner18.Deadline, skipped map[abi.SectorNumber]bool, again bool) ([]miner18.PoStPartition, error) {
	if dl.LiveSectors == 0 {
		return nil, nil
	}
	partitions, err := adt18.AsArray(store, dl.Partitions, miner18.DeadlinePartitionsAmtBitwidth)
	if err != nil {
		return nil, err
	}
	var out []miner18.PoStPartition
	var p miner18.Partition
	err = partitions.ForEach(&p, func(i int64) error {
		posted, err := dl.PartitionsPoSted.IsSet(uint64(i))
		if err != nil || posted && !again {
			return err
		}
		provable, err := provableOf(&p)
		if err != nil {
			return err
		}
		skip, left := bitfield.New(), 0
		if err := provable.ForEach(func(n uint64) error {
			if skipped[abi.SectorNumber(n)] {
				skip.Set(n)
			} else {
				left++
			}
			return nil
		}); err != nil {
			return err
		}
		if left > 0 {
			out = append(out, miner18.PoStPartition{Index: uint64(i), Skipped: skip})
		}
		return nil
	})
	return out, err
}

// provableOf are the sectors of a partition that are neither dead nor faulty, and those
// that were declared recovered.
func provableOf(p *miner18.Partition) (bitfield.BitField, error) {
	live, err := p.LiveSectors()
	if err != nil {
		return live, err
	}
	healthy, err := bitfield.SubtractBitField(live, p.Faults)
	if err != nil {
		return healthy, err
	}
	return bitfield.MergeBitFields(healthy, p.Recoveries)
}

// resting tells that the miner sends nothing, and what it skips.
func (m *Miner) resting() (stopped bool, skipped map[abi.SectorNumber]bool, tried attempt) {
	m.f.mu.Lock()
	defer m.f.mu.Unlock()
	skipped = make(map[abi.SectorNumber]bool, len(m.skipped))
	for n := range m.skipped {
		skipped[n] = true
	}
	return m.stopped, skipped, m.tried
}

// mayTry tells from when a PoSt may be sent in a window: at once, or some epochs after
// one that had no effect. An attempt at or after the epoch was on a branch that is gone.
func (a attempt) mayTry(info *dline.Info, epoch abi.ChainEpoch) abi.ChainEpoch {
	if a.open != info.Open || a.at >= epoch {
		return epoch
	}
	return max(epoch, a.at+postAgain)
}

// due is the next epoch after the view's at which the miner wants a tipset, 0 if none.
func (m *Miner) due(ctx context.Context, at chain.View) (abi.ChainEpoch, error) {
	stopped, skipped, tried := m.resting()
	if stopped {
		return 0, nil
	}
	st := new(miner18.State)
	store, err := load(ctx, at, m.id, st)
	if err != nil || !st.DeadlineCronActive {
		return 0, notThere(err)
	}
	deadlines, err := st.LoadDeadlines(store)
	if err != nil {
		return 0, err
	}
	next := at.TipSet().Height() + 1
	info := deadlineAt(st, next)
	for day := range miner18.WPoStPeriodDeadlines + 1 {
		has, err := m.provable(store, deadlines, info.Index, skipped, day > 0)
		if err != nil {
			return 0, err
		}
		when := tried.mayTry(info, max(info.Open, next))
		switch {
		case !has || when >= info.Close:
		case when == info.Open && next < info.Open:
			return info.Open - 1, nil
		default:
			return when, nil
		}
		info = deadlineAt(st, info.Close)
	}
	return 0, nil
}

// notThere forgives a miner that does not exist on the branch that is being built.
func notThere(err error) error {
	if errors.Is(err, chain.ErrUnknownAddr) {
		return nil
	}
	return err
}

// provable tells whether a deadline has something to prove. Deadlines that never have
// are remembered.
func (m *Miner) provable(store adt18.Store, deadlines *miner18.Deadlines, index uint64, skipped map[abi.SectorNumber]bool, again bool) (bool, error) {
	key := deadlineKey{deadlines.Due[index], len(skipped) > 0}
	m.f.mu.Lock()
	known := m.f.empty[key]
	m.f.mu.Unlock()
	if known && !key.skipping {
		return false, nil
	}
	dl, err := deadlines.LoadDeadline(store, index)
	if err != nil {
		return false, err
	}
	partitions, err := m.plan(store, dl, skipped, again)
	if err == nil && len(partitions) == 0 && dl.LiveSectors == 0 {
		m.f.mu.Lock()
		if len(m.f.empty) >= maxEmpty {
			clear(m.f.empty)
		}
		m.f.empty[key] = true
		m.f.mu.Unlock()
	}
	return len(partitions) > 0, err
}

// posts are the messages that prove what is open at an epoch.
func (m *Miner) posts(ctx context.Context, at chain.View, epoch abi.ChainEpoch) ([]*types.SignedMessage, error) {
	stopped, skipped, tried := m.resting()
	if stopped {
		return nil, nil
	}
	st := new(miner18.State)
	store, err := load(ctx, at, m.id, st)
	if err != nil || !st.DeadlineCronActive {
		return nil, notThere(err)
	}
	info := deadlineAt(st, epoch)
	commit := at.TipSet().Height()
	if commit < info.Challenge || tried.mayTry(info, epoch) > epoch ||
		at.Pending(m.worker.Address, m.id, builtin.MethodsMiner.SubmitWindowedPoSt) {
		return nil, nil
	}
	deadlines, err := st.LoadDeadlines(store)
	if err != nil {
		return nil, err
	}
	dl, err := deadlines.LoadDeadline(store, info.Index)
	if err != nil {
		return nil, err
	}
	partitions, err := m.plan(store, dl, skipped, false)
	if err != nil || len(partitions) == 0 {
		return nil, err
	}
	m.f.mu.Lock()
	m.tried = attempt{open: info.Open, at: epoch}
	m.f.mu.Unlock()
	return m.signPosts(ctx, at, info, commit, partitions)
}

// signPosts makes the messages, each with as many partitions as the actor takes.
func (m *Miner) signPosts(ctx context.Context, at chain.View, info *dline.Info, commit abi.ChainEpoch, partitions []miner18.PoStPartition) ([]*types.SignedMessage, error) {
	ticket, err := at.TicketRandomness(ctx, crypto.DomainSeparationTag_PoStChainCommit, commit, nil)
	if err != nil {
		return nil, err
	}
	nonce, err := at.NextNonce(ctx, m.worker.Address)
	if err != nil {
		return nil, err
	}
	size, err := m.post.ProofSize()
	if err != nil {
		return nil, err
	}
	fee := big.Add(big.Mul(at.TipSet().Blocks()[0].ParentBaseFee, big.NewInt(10)), big.NewInt(leastCap))
	var out []*types.SignedMessage
	for len(partitions) > 0 {
		now := partitions[:min(len(partitions), miner18.PoStedPartitionsMax)]
		partitions = partitions[len(now):]
		params, err := encode(&miner18.SubmitWindowedPoStParams{
			Deadline: info.Index, Partitions: now, ChainCommitEpoch: commit, ChainCommitRand: ticket,
			Proofs: []proof.PoStProof{{PoStProof: m.post, ProofBytes: m.f.bytesFor(int(size), "post", uint64(m.ID()), uint64(info.Open), now[0].Index)}},
		})
		if err != nil {
			return nil, err
		}
		signed, err := m.worker.Key.SignMessage(&types.Message{
			From: m.worker.Address, To: m.id, Nonce: nonce, Value: big.Zero(), Method: builtin.MethodsMiner.SubmitWindowedPoSt, Params: params,
			GasLimit: postGas + postPartitionGas*int64(len(now)), GasFeeCap: fee, GasPremium: big.NewInt(gasPremium),
		}, m.f.chain.ChainID())
		if err != nil {
			return nil, err
		}
		out = append(out, signed)
		nonce++
	}
	return out, nil
}
