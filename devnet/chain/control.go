package chain

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	account18 "github.com/filecoin-project/go-state-types/builtin/v18/account"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// snapshot is the chain at one moment. State is kept by its root, so it is cheap.
type snapshot struct {
	id        uint64
	head      *node
	execution *Execution
	pool      []*types.SignedMessage
	finality  int
	final     finalState
}

// Snapshot keeps the head, the pool and the finality depth; ids count from 1.
func (c *Chain) Snapshot(ctx context.Context) (uint64, error) {
	_, release, err := c.hold(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	head := c.headNode()
	c.lastSnapshot++
	s := snapshot{id: c.lastSnapshot, head: head, execution: c.executionOf(head), pool: c.pool.pending()}
	c.mu.RLock()
	s.finality, s.final = c.finality, c.final
	c.mu.RUnlock()
	c.snapshots = append(c.snapshots, s)
	return s.id, nil
}

// Revert goes back to a snapshot and forgets it and all later ones. Subscribers see
// the tipsets since then reverted. Errors: ErrNoSnapshot.
func (c *Chain) Revert(ctx context.Context, id uint64) error {
	ctx, release, err := c.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	for i, s := range c.snapshots {
		if s.id != id {
			continue
		}
		leave, enter := path(c.headNode(), s.head)
		c.mu.Lock()
		s.head.execution = s.execution
		c.finality, c.final = s.finality, s.final
		c.mu.Unlock()
		if err := c.pool.restore(ctx, s.head, s.pool); err != nil {
			return fmt.Errorf("revert to snapshot %d: %w", id, err)
		}
		c.snapshots = c.snapshots[:i]
		if len(leave)+len(enter) == 0 {
			return nil
		}
		return c.publish(leave, enter)
	}
	return fmt.Errorf("snapshot %d: %w", id, ErrNoSnapshot)
}

// Reorged tells what a reorg did.
type Reorged struct {
	Ancestor, OldHead, Head *types.TipSet
	Dropped                 []*types.SignedMessage // messages that are in no tipset any more and not in the pool
}

// Reorg drops depth tipsets and makes others at the same epochs, and one more, since
// only the heavier branch wins. Their messages go back to the pool if keep is set,
// else they are forgotten; pending messages go into the new tipsets either way.
// Subscribers see one head change. Errors: ErrDeepReorg.
func (c *Chain) Reorg(ctx context.Context, depth int, keep bool) (Reorged, error) {
	ctx, release, err := c.hold(ctx)
	if err != nil {
		return Reorged{}, err
	}
	defer release()
	old := c.headNode()
	base := old.back(depth)
	if depth < 1 || base == nil {
		return Reorged{}, fmt.Errorf("reorg of %d tipsets, there are %d after the genesis: %w", depth, old.index, ErrDeepReorg)
	}
	before := c.pool.pending()
	leave, enter, err := c.rebuild(ctx, old, base, keep)
	if err == nil {
		err = c.publish(leave, enter)
	}
	if err != nil {
		if undo := c.pool.restore(context.WithoutCancel(ctx), old, before); undo != nil {
			err = fmt.Errorf("%w; and the pool was not restored: %w", err, undo)
		}
		return Reorged{}, fmt.Errorf("reorg of %d tipsets: %w", depth, err)
	}
	return Reorged{Ancestor: base.ts, OldHead: old.ts, Head: c.Head(), Dropped: c.lost(leave)}, nil
}

// rebuild makes the other branch; the pool moves along, the head does not.
func (c *Chain) rebuild(ctx context.Context, old, base *node, keep bool) (leave, enter []*node, err error) {
	leave, _ = path(old, base)
	c.fork++
	if err := c.pool.move(ctx, base, leave, nil, keep); err != nil {
		return nil, nil, err
	}
	heights := make([]abi.ChainEpoch, 0, len(leave)+1)
	for i := len(leave) - 1; i >= 0; i-- {
		heights = append(heights, leave[i].height())
	}
	heights = append(heights, old.height()+1)
	parent := base
	for _, height := range heights {
		n, err := c.extend(ctx, parent, height)
		if err != nil {
			return nil, nil, err
		}
		if err := c.pool.move(ctx, n, nil, []*node{n}, true); err != nil {
			return nil, nil, err
		}
		enter = append(enter, n)
		parent = n
	}
	return leave, enter, nil
}

// lost are the messages of dropped tipsets that are neither in others nor pending.
func (c *Chain) lost(dropped []*node) []*types.SignedMessage {
	var out []*types.SignedMessage
	for _, n := range dropped {
		for _, m := range n.all() {
			id := m.Cid()
			_, mined := c.Lookup(id)
			if _, pending := c.PendingMessage(id); !mined && !pending {
				out = append(out, m)
			}
		}
	}
	return out
}

// SetBalance changes an actor's balance, creating a placeholder or account if
// there is none; the reward actor gives or takes the difference, so that the total
// supply stays. It is part of the state after the head.
func (c *Chain) SetBalance(ctx context.Context, addr address.Address, amount abi.TokenAmount) error {
	if amount.Sign() < 0 {
		return fmt.Errorf("set balance of %s to %s: give 0 or more", addr, amount)
	}
	ctx, release, err := c.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	head := c.headNode()
	execution := *c.executionOf(head)
	if execution.Root, err = c.withBalance(ctx, execution.Root, addr, amount); err != nil {
		return fmt.Errorf("set balance of %s: %w", addr, err)
	}
	c.mu.Lock()
	head.execution = &execution
	c.mu.Unlock()
	return c.pool.restore(ctx, head, c.pool.pending())
}

func (c *Chain) withBalance(ctx context.Context, root cid.Cid, addr address.Address, amount abi.TokenAmount) (cid.Cid, error) {
	tree, err := fvm.LoadStateTree(ctx, c.store, root)
	if err != nil {
		return cid.Undef, err
	}
	id, err := c.ensureActor(ctx, tree, addr)
	if err != nil {
		return cid.Undef, err
	}
	rewardID, err := address.IDFromAddress(builtin.RewardActorAddr)
	if err != nil {
		return cid.Undef, err
	}
	if id == abi.ActorID(rewardID) {
		return cid.Undef, fmt.Errorf("it is the reward actor, which balances the others")
	}
	actor, ok, err := tree.Actor(ctx, id)
	if err != nil {
		return cid.Undef, err
	}
	if !ok {
		return cid.Undef, ErrUnknownAddr
	}
	reward, err := actorIn(ctx, tree, builtin.RewardActorAddr)
	if err != nil {
		return cid.Undef, err
	}
	reward.Balance = big.Sub(reward.Balance, big.Sub(amount, actor.Balance))
	if reward.Balance.Sign() < 0 {
		return cid.Undef, fmt.Errorf("%s is more than is left to give (%s short)", types.FIL(amount), types.FIL(reward.Balance.Neg()))
	}
	actor.Balance = amount
	tree.SetActor(id, actor)
	tree.SetActor(abi.ActorID(rewardID), reward)
	return tree.Flush(ctx)
}

// ensureActor is the id behind an address, which gets an actor as it would by
// receiving money.
func (c *Chain) ensureActor(ctx context.Context, tree *fvm.StateTree, addr address.Address) (abi.ActorID, error) {
	id, ok, err := tree.Resolve(ctx, addr)
	if err != nil || ok {
		return id, err
	}
	actor := &types.Actor{Balance: big.Zero()}
	switch addr.Protocol() {
	case address.Delegated:
		actor.Code, actor.DelegatedAddress = c.engine.Code("placeholder"), &addr
		actor.Head, err = (&genesis{c: c}).emptyState(ctx)
	case address.SECP256K1, address.BLS:
		actor.Code = c.engine.Code("account")
		actor.Head, err = fvm.CBORStore(c.store).Put(ctx, &account18.State{Address: addr})
	default:
		return 0, ErrUnknownAddr
	}
	if err != nil {
		return 0, err
	}
	if id, err = tree.Register(ctx, addr); err != nil {
		return 0, err
	}
	tree.SetActor(id, actor)
	return id, nil
}
