package chain

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// slot is a place in a sender's order.
type slot struct {
	from  address.Address
	nonce uint64
}

// move takes the pool to another tipset: the messages of those it enters leave the
// pool, those of the tipsets it leaves come back if keep is set. What the new state
// makes impossible goes.
func (p *mempool) move(ctx context.Context, to *node, leave, enter []*node, keep bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.load(ctx, to); err != nil {
		return err
	}
	freed := make(map[slot]*types.SignedMessage)
	for _, n := range leave {
		for _, m := range n.all() {
			freed[slot{m.Message.From, m.Message.Nonce}] = m
		}
	}
	for _, n := range enter {
		for _, m := range n.all() {
			delete(freed, slot{m.Message.From, m.Message.Nonce})
			p.remove(m.Message.From, m.Message.Nonce)
		}
	}
	var back []*types.SignedMessage
	for place, m := range freed {
		if keep && p.senders[place.from][place.nonce] == nil {
			back = append(back, m)
		}
	}
	for _, m := range sorted(back) {
		p.put(m)
	}
	return p.prune(ctx)
}

// restore sets the pool to these messages at a tipset.
func (p *mempool) restore(ctx context.Context, at *node, messages []*types.SignedMessage) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.load(ctx, at); err != nil {
		return err
	}
	wanted := make(map[slot]*types.SignedMessage, len(messages))
	for _, m := range messages {
		wanted[slot{m.Message.From, m.Message.Nonce}] = m
	}
	for _, m := range p.pendingLocked() {
		if wanted[slot{m.Message.From, m.Message.Nonce}] != m {
			p.remove(m.Message.From, m.Message.Nonce)
		}
	}
	for _, m := range messages {
		if p.senders[m.Message.From][m.Message.Nonce] == nil {
			p.put(m)
		}
	}
	return p.prune(ctx)
}

func (p *mempool) load(ctx context.Context, at *node) error {
	tree, err := fvm.LoadStateTree(ctx, p.c.store, p.c.executionOf(at).Root)
	if err != nil {
		return fmt.Errorf("state after epoch %d: %w", at.height(), err)
	}
	p.tree, p.at = tree, at
	return nil
}

// prune drops messages whose nonce is spent or whose sender is no more.
func (p *mempool) prune(ctx context.Context) error {
	for _, m := range p.pendingLocked() {
		actor, err := actorIn(ctx, p.tree, m.Message.From)
		if err != nil && !errors.Is(err, ErrUnknownAddr) {
			return err
		}
		if err != nil || m.Message.Nonce < actor.Nonce {
			p.remove(m.Message.From, m.Message.Nonce)
		}
	}
	return nil
}

// selection is what goes into the next block at a base fee.
func (p *mempool) selection(ctx context.Context, baseFee abi.TokenAmount) (bls, secp []*types.SignedMessage, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var queues [][]*types.SignedMessage
	for from, set := range p.senders {
		actor, err := actorIn(ctx, p.tree, from)
		if err != nil {
			return nil, nil, err
		}
		var run []*types.SignedMessage
		for nonce := actor.Nonce; set[nonce] != nil; nonce++ {
			run = append(run, set[nonce])
		}
		queues = append(queues, payable(run, actor.Balance, baseFee))
	}
	bls, secp = selection(queues, baseFee)
	return bls, secp, nil
}

// Pending are the messages in the pool, by sender and nonce.
func (c *Chain) Pending() []*types.SignedMessage { return c.pool.pending() }

// PendingAtHead are the head and the messages in the pool on top of it, by sender and nonce.
// Pending and Head asked one after the other may lack a message in both: a tipset takes
// it out of the pool before it is the head. Errors: those of ctx.
func (c *Chain) PendingAtHead(ctx context.Context) (*types.TipSet, []*types.SignedMessage, error) {
	for {
		c.pool.mu.Lock()
		at, messages := c.pool.at, c.pool.pendingLocked()
		same := at == c.headNode()
		c.pool.mu.Unlock()
		if same {
			return at.ts, messages, nil
		}
		select {
		case <-time.After(time.Millisecond): // the pool is ahead for moments
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// PendingMessage is the message with this CID in the pool.
func (c *Chain) PendingMessage(msg cid.Cid) (*types.SignedMessage, bool) {
	c.mu.RLock()
	known, ok := c.index.messages[msg]
	c.mu.RUnlock()
	if !ok {
		return nil, false
	}
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	m := c.pool.senders[known.VMMessage().From][known.VMMessage().Nonce]
	return m, m != nil && m.Cid() == msg
}

// NextNonce is the nonce of the sender's next message, after the unbroken run in the
// pool. Errors: ErrUnknownAddr.
func (c *Chain) NextNonce(ctx context.Context, addr address.Address) (uint64, error) {
	p := c.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	actor, err := actorIn(ctx, p.tree, addr)
	if err != nil {
		return 0, err
	}
	set, ok := p.senders[addr]
	if !ok && len(p.senders) > 0 {
		if set, err = p.sameActor(ctx, addr); err != nil {
			return 0, err
		}
	}
	return set.next(actor.Nonce), nil
}

// sameActor finds the messages of a sender by another of its addresses.
func (p *mempool) sameActor(ctx context.Context, addr address.Address) (bySender, error) {
	id, _, err := p.tree.Resolve(ctx, addr)
	if err != nil {
		return nil, err
	}
	for from, set := range p.senders {
		other, ok, err := p.tree.Resolve(ctx, from)
		if err != nil {
			return nil, err
		}
		if ok && other == id {
			return set, nil
		}
	}
	return nil, nil
}

// DropPending forgets these messages, or all if none are named, and tells how many
// there were.
func (c *Chain) DropPending(messages ...cid.Cid) int {
	p := c.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	named := make(map[cid.Cid]bool, len(messages))
	for _, id := range messages {
		named[id] = true
	}
	count := 0
	for _, m := range p.pendingLocked() {
		if len(messages) == 0 || named[m.Cid()] {
			p.remove(m.Message.From, m.Message.Nonce)
			count++
		}
	}
	return count
}
