package chain

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	power18 "github.com/filecoin-project/go-state-types/builtin/v18/power"
	reward18 "github.com/filecoin-project/go-state-types/builtin/v18/reward"
	adt18 "github.com/filecoin-project/go-state-types/builtin/v18/util/adt"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// Null rounds in which cron has nothing to do need no actor: the only traces that such
// an epoch leaves are the power actor's averages, the market's date and the reward
// actor's sums, and idle.go and idle_math.go compute these as the actors do, to the
// bit. An epoch is idle when the power actor's cron queue and the market's queue of
// deals have nothing for it. (docs/decisions/0008)

// agenda is when cron has work: the epochs in a queue, by the queue's root. Queues
// change rarely, so they are read once.
type agenda struct {
	root   cid.Cid
	epochs []abi.ChainEpoch
}

// first is the first epoch on or after from; false if there is none.
func (a *agenda) first(from abi.ChainEpoch) (abi.ChainEpoch, bool) {
	var out abi.ChainEpoch
	found := false
	for _, epoch := range a.epochs {
		if epoch >= from && (!found || epoch < out) {
			out, found = epoch, true
		}
	}
	return out, found
}

// read fills the agenda from a HAMT whose keys are epochs.
func (a *agenda) read(store adt18.Store, root cid.Cid, width int) error {
	if a.root == root {
		return nil
	}
	queue, err := adt18.AsMap(store, root, width)
	if err != nil {
		return err
	}
	epochs := a.epochs[:0]
	var value cbg.Deferred
	if err := queue.ForEach(&value, func(key string) error {
		epoch, err := abi.ParseIntKey(key)
		epochs = append(epochs, abi.ChainEpoch(epoch))
		return err
	}); err != nil {
		return err
	}
	a.root, a.epochs = root, epochs
	return nil
}

// idle is a state in which cron may have nothing to do for a while.
type idle struct {
	tree   *fvm.StateTree
	actors [3]*types.Actor // power, market, reward
	power  power18.State
	market market18.State
	reward reward18.State
}

var idleActors = [3]abi.ActorID{4, 5, 2}

// skipIdle passes over the epochs from first on, and before end, in which cron has
// nothing to do. It gives the state after them and the first epoch that is left. The
// caller holds the chain.
func (c *Chain) skipIdle(ctx context.Context, store fvm.Blockstore, root cid.Cid, first, end abi.ChainEpoch) (cid.Cid, abi.ChainEpoch, error) {
	if c.config.EveryEpoch || first >= end {
		return root, first, nil
	}
	s, err := loadIdle(ctx, store, root)
	if err != nil {
		return cid.Undef, 0, fmt.Errorf("epoch %d: %w", first, err)
	}
	until, err := c.idleUntil(ctx, store, s, first, end)
	if err != nil {
		return cid.Undef, 0, fmt.Errorf("epoch %d: what cron has to do: %w", first, err)
	}
	if until <= first {
		return root, first, nil
	}
	for epoch := first; epoch < until; epoch++ {
		s.tick(epoch)
	}
	if root, err = s.save(ctx, store); err != nil {
		return cid.Undef, 0, fmt.Errorf("epoch %d: %w", until, err)
	}
	return root, until, nil
}

func loadIdle(ctx context.Context, store fvm.Blockstore, root cid.Cid) (*idle, error) {
	tree, err := fvm.LoadStateTree(ctx, store, root)
	if err != nil {
		return nil, err
	}
	s := &idle{tree: tree}
	for i, state := range []cbg.CBORUnmarshaler{&s.power, &s.market, &s.reward} {
		actor, ok, err := tree.Actor(ctx, idleActors[i])
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("f0%d: %w", idleActors[i], ErrUnknownAddr)
		}
		if err := fvm.CBORStore(store).Get(ctx, actor.Head, state); err != nil {
			return nil, fmt.Errorf("state of f0%d: %w", idleActors[i], err)
		}
		s.actors[i] = actor
	}
	return s, nil
}

// idleUntil is the first epoch from first on in which cron has something to do, at
// most end; first itself if the state is not as a cron of the epoch before leaves it.
func (c *Chain) idleUntil(ctx context.Context, store fvm.Blockstore, s *idle, first, end abi.ChainEpoch) (abi.ChainEpoch, error) {
	if s.power.FirstCronEpoch != first || s.market.LastCron != first-1 || s.reward.Epoch != first || s.power.ProofValidationBatch != nil {
		return first, nil
	}
	adt := adt18.WrapStore(ctx, fvm.CBORStore(store))
	if err := c.cronAgenda.read(adt, s.power.CronEventQueue, power18.CronQueueHamtBitwidth); err != nil {
		return 0, fmt.Errorf("the power actor's cron queue: %w", err)
	}
	if err := c.dealAgenda.read(adt, s.market.DealOpsByEpoch, builtin.DefaultHamtBitwidth); err != nil {
		return 0, fmt.Errorf("the market's deals by epoch: %w", err)
	}
	for _, a := range []*agenda{&c.cronAgenda, &c.dealAgenda} {
		if next, ok := a.first(first); ok && next < end {
			end = next
		}
	}
	return end, nil
}

// save writes the three actors' states and gives the root.
func (s *idle) save(ctx context.Context, store fvm.Blockstore) (cid.Cid, error) {
	for i, state := range []cbg.CBORMarshaler{&s.power, &s.market, &s.reward} {
		head, err := fvm.CBORStore(store).Put(ctx, state)
		if err != nil {
			return cid.Undef, fmt.Errorf("state of f0%d: %w", idleActors[i], err)
		}
		s.actors[i].Head = head
		s.tree.SetActor(idleActors[i], s.actors[i])
	}
	return s.tree.Flush(ctx)
}
