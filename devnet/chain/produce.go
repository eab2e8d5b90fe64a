package chain

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	"golang.org/x/sync/errgroup"
)

// Pace is how epochs come about.
type Pace struct {
	BlockTime time.Duration // between epochs that Run makes; 0: none
	AutoMine  bool          // two epochs for each accepted message
	Settle    int           // and as many more
	Paused    bool          // none of them
}

// pacer keeps the pace and tells Run of changes.
type pacer struct {
	mu      sync.Mutex
	pace    Pace
	changed chan struct{} // one slot
}

func newPacer(p Pace) pacer { return pacer{pace: p, changed: make(chan struct{}, 1)} }

// Pace tells how epochs come about.
func (c *Chain) Pace() Pace {
	c.pace.mu.Lock()
	defer c.pace.mu.Unlock()
	return c.pace.pace
}

// SetPace changes it. When it has returned from a pause, no tipset is made but by those
// who ask for one.
func (c *Chain) SetPace(p Pace) error {
	if p.BlockTime < 0 || p.Settle < 0 {
		return fmt.Errorf("block time %s, %d epochs to settle: give 0 or more", p.BlockTime, p.Settle)
	}
	c.pace.mu.Lock()
	c.pace.pace = p
	c.pace.mu.Unlock()
	select {
	case c.pace.changed <- struct{}{}:
	default:
	}
	if !p.Paused {
		return nil
	}
	select { // for the tipset that is being made
	case c.changes <- struct{}{}:
		<-c.changes
	case <-c.life.Done():
	}
	return nil
}

// Run makes an epoch every BlockTime until ctx ends or Close is called; nil then.
func (c *Chain) Run(ctx context.Context) error {
	for {
		var ticks <-chan time.Time
		stop := func() {}
		if p := c.Pace(); p.BlockTime > 0 && !p.Paused {
			ticker := time.NewTicker(p.BlockTime)
			ticks, stop = ticker.C, ticker.Stop
		}
		err := c.runAtPace(ctx, ticks)
		stop()
		if !errors.Is(err, errPaceChanged) {
			return err
		}
	}
}

var errPaceChanged = errors.New("the pace has changed")

func (c *Chain) runAtPace(ctx context.Context, ticks <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.life.Done():
			return nil
		case <-c.pace.changed:
			return errPaceChanged
		case <-ticks:
			if err := c.tick(ctx); err != nil && ctx.Err() == nil && c.life.Err() == nil {
				return fmt.Errorf("devnet chain: %w", err)
			}
		}
	}
}

// tick makes the next tipset, unless the chain was paused meanwhile.
func (c *Chain) tick(ctx context.Context) error {
	ctx, release, err := c.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	if c.Pace().Paused {
		return nil
	}
	return c.step(ctx, c.headNode().height()+1)
}

// hold takes the right to change the chain. The context it gives also ends with
// Close; call release when done.
func (c *Chain) hold(ctx context.Context) (held context.Context, release func(), err error) {
	if c.life.Err() != nil {
		return nil, nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	select {
	case c.changes <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	case <-c.life.Done():
		return nil, nil, ErrClosed
	}
	held, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.life, cancel)
	return held, func() {
		stop()
		cancel()
		<-c.changes
	}, nil
}

// Mine makes n tipsets, each in the next epoch, and gives the head.
func (c *Chain) Mine(ctx context.Context, n int) (*types.TipSet, error) {
	ctx, release, err := c.hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	for range n {
		if err := c.step(ctx, c.headNode().height()+1); err != nil {
			return nil, err
		}
	}
	return c.Head(), nil
}

// NullRounds skips n epochs, in which nobody can send anything, and makes the tipset
// after them. Cron runs for each.
func (c *Chain) NullRounds(ctx context.Context, n int) (*types.TipSet, error) {
	if n < 0 {
		return nil, fmt.Errorf("%d null rounds: give 0 or more", n)
	}
	ctx, release, err := c.hold(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := c.step(ctx, c.headNode().height()+1+abi.ChainEpoch(n)); err != nil {
		return nil, err
	}
	return c.Head(), nil
}

// AdvanceTime makes a tipset whose timestamp is at least d after the head's, as
// Advance does.
func (c *Chain) AdvanceTime(ctx context.Context, d time.Duration) (*types.TipSet, error) {
	if d < 0 {
		return nil, fmt.Errorf("advance time by %s: time only goes forward", d)
	}
	epochs := int((d + c.config.Epoch - 1) / c.config.Epoch)
	return c.Advance(ctx, max(epochs, 1))
}

// step makes the next tipset from the pool. The caller holds the chain.
func (c *Chain) step(ctx context.Context, height abi.ChainEpoch) error {
	parent := c.headNode()
	n, err := c.extend(ctx, parent, height)
	if err != nil {
		return err
	}
	if err := c.pool.move(context.WithoutCancel(ctx), n, nil, []*node{n}, true); err != nil {
		return err
	}
	return c.publish(nil, []*node{n})
}

// extend makes a tipset on the parent at which the pool is, from what the pool holds
// and the crews add to it, and runs it. It does not change the head.
func (c *Chain) extend(ctx context.Context, parent *node, height abi.ChainEpoch) (*node, error) {
	c.muster(ctx, parent, height)
	bls, secp, err := c.pool.selection(ctx, c.baseFeeAfter(parent))
	if err != nil {
		return nil, fmt.Errorf("epoch %d: select messages: %w", height, err)
	}
	header, err := c.header(ctx, parent, height, c.fork, bls, secp)
	if err != nil {
		return nil, fmt.Errorf("epoch %d: %w", height, err)
	}
	// Signing takes a millisecond and goes on beside the execution, which reads all of
	// the header but its signature and CID.
	var signing errgroup.Group
	var signed *types.BlockHeader
	signing.Go(func() (err error) {
		signed, err = c.signed(ctx, *header)
		return err
	})
	unsigned, err := types.NewTipSet([]*types.BlockHeader{header})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("epoch %d: %w", height, err), signing.Wait())
	}
	n := newNode(unsigned, parent)
	n.bls, n.secp = bls, secp
	if err := errors.Join(c.execute(ctx, n), signing.Wait()); err != nil {
		return nil, err
	}
	if n.ts, err = types.NewTipSet([]*types.BlockHeader{signed}); err != nil {
		return nil, fmt.Errorf("epoch %d: %w", height, err)
	}
	return n, nil
}

// publish moves the head: down by leave, up by enter. Readers see all of it or
// nothing.
func (c *Chain) publish(leave, enter []*node) error {
	type named struct {
		id  cid.Cid
		msg types.ChainMsg
	}
	learned := make([]func(), 0, len(enter))
	for _, n := range enter {
		for _, signed := range n.all() {
			hash, err := c.HashOf(signed)
			if err != nil {
				return err
			}
			entry := named{signed.Cid(), onChain(signed)}
			learned = append(learned, func() { c.index.learn(entry.id, hash, entry.msg) })
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, learn := range learned {
		learn()
	}
	for _, n := range enter {
		if c.nodes[n.ts.Key()] == n {
			continue // a revert to a branch that a reorg had dropped
		}
		c.nodes[n.ts.Key()] = n
		c.blocks[n.ts.Cids()[0]] = n
		c.index.place(n)
	}
	switch {
	case len(enter) > 0:
		c.head = enter[len(enter)-1]
	case len(leave) > 0:
		c.head = leave[len(leave)-1].parent
	}
	c.finalize()
	c.heads.publish(HeadChange{Revert: tipsets(leave), Apply: tipsets(enter)})
	return nil
}
