package chain

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// Errors to compare with errors.Is.
var (
	ErrClosed      = errors.New("the chain is closed")
	ErrNotFound    = errors.New("not found on this chain")
	ErrFuture      = errors.New("looking for tipset with height greater than start point")
	ErrNoSnapshot  = errors.New("no such snapshot: it never was, or an older one was reverted to")
	ErrDeepReorg   = errors.New("a reorg drops at least one tipset and never the genesis")
	ErrUnknownAddr = errors.New("actor not found")
)

// safeDelay is how many epochs behind the head Lotus's safe tipset is at most.
const safeDelay = 200

// Chain is a running chain; all its methods may be called at the same time.
type Chain struct {
	config    Config
	engine    *fvm.Engine
	ownEngine bool
	store     *fvm.Memory
	keys      *keyring
	worker    worker
	miner     address.Address
	funded    abi.TokenAmount // what the genesis gave to accounts

	life    context.Context // ends with Close
	end     context.CancelFunc
	closing sync.Once
	changes chan struct{} // one slot, held by who changes the chain

	// What only the holder of changes touches.
	fork         uint64 // reorgs so far
	snapshots    []snapshot
	lastSnapshot uint64
	crews        []Crew
	cronAgenda   agenda
	dealAgenda   agenda

	pool  *mempool
	heads feed[HeadChange]
	pace  pacer

	proofs proofSwitch

	mu       sync.RWMutex // taken after pool.mu, never before it
	genesis  *node
	head     *node
	nodes    map[types.TipSetKey]*node
	blocks   map[cid.Cid]*node
	index    index
	finality int
}

// HeadChange is one move of the head. Revert goes from the old head down, Apply
// from the common ancestor up. The first one of a subscription has Current set,
// an empty Revert, and the head in Apply.
type HeadChange struct {
	Current       bool
	Revert, Apply []*types.TipSet
}

// New builds the genesis and gives a chain at epoch 0. Close it.
func New(ctx context.Context, config Config) (*Chain, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("devnet chain: %w", err)
	}
	keys, err := newKeyring(config)
	if err != nil {
		return nil, fmt.Errorf("devnet chain: %w", err)
	}
	c := &Chain{
		config:   config,
		engine:   config.Engine,
		store:    fvm.NewMemory(),
		keys:     keys,
		worker:   worker{keys.owner.Key},
		changes:  make(chan struct{}, 1),
		nodes:    make(map[types.TipSetKey]*node),
		blocks:   make(map[cid.Cid]*node),
		index:    newIndex(),
		finality: config.FinalityDepth,
	}
	if c.engine == nil {
		c.ownEngine = true
		if c.engine, err = fvm.NewEngine(ctx, fvm.EngineConfig{
			Bundle: config.Bundle, ActorsVersion: config.ActorsVersion,
			CacheDir: config.CacheDir, Unmetered: config.Unmetered, Log: config.Log,
		}); err != nil {
			return nil, fmt.Errorf("devnet chain: load the actors: %w", err)
		}
	}
	if c.genesis, err = c.makeGenesis(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("devnet chain: genesis: %w", err), c.closeEngine(ctx))
	}
	c.head = c.genesis
	c.nodes[c.genesis.ts.Key()] = c.genesis
	c.blocks[c.genesis.ts.Cids()[0]] = c.genesis
	if c.pool, err = newMempool(ctx, c, c.genesis); err != nil {
		return nil, errors.Join(fmt.Errorf("devnet chain: message pool: %w", err), c.closeEngine(ctx))
	}
	c.pace = newPacer(Pace{BlockTime: config.BlockTime, AutoMine: config.AutoMine, Settle: config.Settle})
	c.life, c.end = context.WithCancel(context.Background())
	return c, nil
}

// Close ends Run and subscriptions, waits for what is under way and frees what New
// made. A second Close does nothing.
func (c *Chain) Close() (err error) {
	c.closing.Do(func() {
		c.end()
		c.changes <- struct{}{} // for good: nobody changes the chain any more
		c.heads.close()
		c.pool.changes.close()
		err = c.closeEngine(context.Background())
	})
	return err
}

func (c *Chain) closeEngine(ctx context.Context) error {
	if !c.ownEngine {
		return nil
	}
	if err := c.engine.Close(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("close the engine: %w", err)
	}
	return nil
}

// Head is the newest tipset.
func (c *Chain) Head() *types.TipSet { return c.headNode().ts }

func (c *Chain) headNode() *node {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.head
}

// Genesis is the tipset of epoch 0.
func (c *Chain) Genesis() *types.TipSet { return c.genesis.ts }

// Finalized is the tipset FinalityDepth behind the head, at first the genesis.
func (c *Chain) Finalized() *types.TipSet {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.finalized().ts
}

func (c *Chain) finalized() *node {
	if n := c.head.back(c.finality); n != nil {
		return n
	}
	return c.genesis
}

// Safe is the tipset that Ethereum tools call safe: the finalized one, or the one
// 200 epochs behind the head if that is newer.
func (c *Chain) Safe() *types.TipSet {
	c.mu.RLock()
	defer c.mu.RUnlock()
	safe := c.head.ancestor(max(c.head.height()-safeDelay, 0), true)
	if final := c.finalized(); final.index > safe.index {
		safe = final
	}
	return safe.ts
}

// SetFinalityDepth changes how far behind the head the finalized tipset is.
func (c *Chain) SetFinalityDepth(depth int) error {
	if depth < 1 || depth > MaxFinalityDepth {
		return fmt.Errorf("finality depth %d: give 1 to %d", depth, MaxFinalityDepth)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finality = depth
	return nil
}

// TipSet is the tipset of a key, on the canonical chain or dropped by a reorg;
// the empty key is the head. Errors: ErrNotFound.
func (c *Chain) TipSet(key types.TipSetKey) (*types.TipSet, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if key.IsEmpty() {
		return c.head.ts, nil
	}
	n, ok := c.nodes[key]
	if !ok {
		return nil, fmt.Errorf("tipset %s: %w", key, ErrNotFound)
	}
	return n.ts, nil
}

// nodeOf is the node of a tipset; nil is the head.
func (c *Chain) nodeOf(ts *types.TipSet) (*node, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if ts == nil {
		return c.head, nil
	}
	n, ok := c.nodes[ts.Key()]
	if !ok {
		return nil, fmt.Errorf("tipset %s: %w", ts.Key(), ErrNotFound)
	}
	return n, nil
}

// TipSetByHeight is the tipset at epoch h on the chain that ends in ts (nil: the
// head). At a null round it is the tipset before with before set, else the one
// after; its height tells. Errors: ErrFuture.
func (c *Chain) TipSetByHeight(h abi.ChainEpoch, ts *types.TipSet, before bool) (*types.TipSet, error) {
	n, err := c.nodeOf(ts)
	if err != nil {
		return nil, err
	}
	if h < 0 {
		return nil, fmt.Errorf("height %d is negative", h)
	}
	if h > n.height() {
		return nil, fmt.Errorf("%w, req: %d, head: %d", ErrFuture, h, n.height())
	}
	return n.ancestor(h, before).ts, nil
}

// Child is the canonical tipset whose parent is ts. Errors: ErrNotFound at the head
// and off the canonical chain.
func (c *Chain) Child(ts *types.TipSet) (*types.TipSet, error) {
	n, err := c.nodeOf(ts)
	if err != nil {
		return nil, err
	}
	head := c.headNode()
	if n == head || !head.has(n) {
		return nil, fmt.Errorf("child of tipset %s: %w", ts.Key(), ErrNotFound)
	}
	return head.back(head.index - n.index - 1).ts, nil
}

// Canonical tells whether ts is an ancestor of the head, or the head.
func (c *Chain) Canonical(ts *types.TipSet) bool {
	n, err := c.nodeOf(ts)
	return err == nil && c.headNode().has(n)
}

// Block is a block header, and the tipset it is in. Errors: ErrNotFound.
func (c *Chain) Block(block cid.Cid) (*types.BlockHeader, *types.TipSet, error) {
	n, err := c.nodeOfBlock(block)
	if err != nil {
		return nil, nil, err
	}
	return n.header(), n.ts, nil
}

func (c *Chain) nodeOfBlock(block cid.Cid) (*node, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	n, ok := c.blocks[block]
	if !ok {
		return nil, fmt.Errorf("block %s: %w", block, ErrNotFound)
	}
	return n, nil
}

// Store holds all blocks of state, messages, receipts and headers.
func (c *Chain) Store() fvm.Blockstore { return c.store }

// Engine is the actors' code.
func (c *Chain) Engine() *fvm.Engine { return c.engine }

// ChainID is the EIP-155 number.
func (c *Chain) ChainID() uint64 { return c.config.ChainID }

// NetworkName is the name recorded in the init actor.
func (c *Chain) NetworkName() string { return c.config.NetworkName }

// NetworkVersion is that of an epoch: the same for all, there are no upgrades.
func (c *Chain) NetworkVersion(abi.ChainEpoch) network.Version { return c.config.NetworkVersion }

// Epoch is how much chain time an epoch is.
func (c *Chain) Epoch() time.Duration { return c.config.Epoch }
