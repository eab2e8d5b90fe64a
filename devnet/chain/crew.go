package chain

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/chain/types"
	"golang.org/x/crypto/blake2b"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// Crew are those who act on the chain by themselves, as storage providers prove every
// day. They are asked while the chain is being changed, so they must not call the
// chain's methods that change it, and must judge by the view alone: after a reorg they
// are asked again, on the other branch.
type Crew interface {
	// Due is the next epoch after the view's in which they have something to do. Advance
	// makes a tipset there. 0 means none is known.
	Due(ctx context.Context, at View) (abi.ChainEpoch, error)
	// Messages go to the pool before the tipset at epoch is made on top of the view.
	Messages(ctx context.Context, at View, epoch abi.ChainEpoch) ([]*types.SignedMessage, error)
}

// Join adds a crew. Errors: ErrClosed.
func (c *Chain) Join(ctx context.Context, crew Crew) error {
	_, release, err := c.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	c.crews = append(c.crews, crew)
	return nil
}

// View is the chain as who makes the next tipset sees it: what a tipset, on any
// branch, led to. The messages in the pool are those pending on it.
type View struct {
	c *Chain
	n *node
}

// TipSet is the tipset.
func (v View) TipSet() *types.TipSet { return v.n.ts }

// Actor is an actor after the tipset. Errors: ErrUnknownAddr.
func (v View) Actor(ctx context.Context, addr address.Address) (*types.Actor, error) {
	tree, err := fvm.LoadStateTree(ctx, v.c.store, v.c.executionOf(v.n).Root)
	if err != nil {
		return nil, err
	}
	return actorIn(ctx, tree, addr)
}

// Store holds the blocks of state.
func (v View) Store() fvm.Blockstore { return v.c.store }

// NextNonce is that of the sender's next message. Errors: ErrUnknownAddr.
func (v View) NextNonce(ctx context.Context, addr address.Address) (uint64, error) {
	return v.c.NextNonce(ctx, addr)
}

// Pending tells whether the pool holds a message of the sender to an actor's method.
func (v View) Pending(from, to address.Address, method abi.MethodNum) bool {
	v.c.pool.mu.Lock()
	defer v.c.pool.mu.Unlock()
	for _, m := range v.c.pool.senders[from] {
		if m.Message.To == to && m.Message.Method == method {
			return true
		}
	}
	return false
}

// TicketRandomness is what an actor gets that draws from the tickets at an epoch of
// the past.
func (v View) TicketRandomness(ctx context.Context, tag crypto.DomainSeparationTag, epoch abi.ChainEpoch, entropy []byte) (abi.Randomness, error) {
	digest, err := externs{v.c.config.Seed, v.n}.ChainRandomness(ctx, epoch)
	if err != nil {
		return nil, err
	}
	var in bytes.Buffer
	for _, part := range []any{int64(tag), digest[:], int64(epoch), entropy} {
		if err := binary.Write(&in, binary.BigEndian, part); err != nil {
			return nil, fmt.Errorf("draw randomness: %w", err)
		}
	}
	drawn := blake2b.Sum256(in.Bytes())
	return drawn[:], nil
}

// muster puts what the crews send into the pool. What a crew cannot do is its own
// affair: epochs go on.
func (c *Chain) muster(ctx context.Context, parent *node, height abi.ChainEpoch) {
	for _, crew := range c.crews {
		messages, err := crew.Messages(ctx, View{c, parent}, height)
		if err != nil && ctx.Err() == nil {
			c.config.Log.Warn("a crew has an error", "epoch", height, "err", err)
		}
		for _, m := range messages {
			err := c.pool.check(m)
			if err == nil {
				err = c.pool.add(ctx, m, false)
			}
			if err != nil && !errors.Is(err, ErrExistingNonce) {
				c.config.Log.Warn("a crew's message was refused", "epoch", height, "message", m.Cid(), "err", err)
			}
		}
	}
}

// Advance lets n epochs pass and gives the tipset at the last of them. On the way
// there are tipsets only where a crew or the pool has something to do; the epochs
// between are null rounds, whose cron runs. It costs by what happens: an epoch in
// which cron has nothing to do takes microseconds.
func (c *Chain) Advance(ctx context.Context, n int) (*types.TipSet, error) {
	if n < 0 {
		return nil, fmt.Errorf("advance %d epochs: time only goes forward", n)
	}
	ctx, release, err := c.hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	target := c.headNode().height() + abi.ChainEpoch(n)
	for c.headNode().height() < target {
		next, err := c.nextDue(ctx, target)
		if err != nil {
			return nil, err
		}
		if err := c.step(ctx, next); err != nil {
			return nil, err
		}
	}
	return c.Head(), nil
}

// nextDue is the epoch of the next tipset on the way to a target.
func (c *Chain) nextDue(ctx context.Context, target abi.ChainEpoch) (abi.ChainEpoch, error) {
	head := c.headNode()
	bls, secp, err := c.pool.selection(ctx, c.baseFeeAfter(head))
	if err != nil {
		return 0, fmt.Errorf("epoch %d: select messages: %w", head.height()+1, err)
	}
	if len(bls)+len(secp) > 0 {
		return head.height() + 1, nil
	}
	for _, crew := range c.crews {
		due, err := crew.Due(ctx, View{c, head})
		if err != nil {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			c.config.Log.Warn("a crew has an error", "epoch", head.height(), "err", err)
			continue
		}
		if due > head.height() && due < target {
			target = due
		}
	}
	return target, nil
}
