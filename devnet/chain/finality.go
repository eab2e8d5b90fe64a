package chain

import (
	"fmt"

	"github.com/filecoin-project/lotus/chain/types"
)

// safeDelay is how many epochs behind the head Lotus's safe tipset is at most.
const safeDelay = 200

// finalState is what is final, as F3 makes it: a certificate for each step, that stays.
// Chain.mu guards it.
type finalState struct {
	node     *node
	stalled  bool
	instance uint64
	base     *node // of the last certificate; nil before the first
}

// Certificate is a step of finality: the tipsets after Base up to Head became final.
type Certificate struct {
	Instance   uint64
	Base, Head *types.TipSet
	Steps      []*types.TipSet // from Base to Head, both included
}

// Finalized is the newest final tipset: FinalityDepth behind the head, at first the
// genesis. It never moves back, but for a reorg deeper than it, a snapshot's revert, or
// a greater depth that is set. While finality is stalled it stays where it is, until
// it is 900 tipsets behind, where expected consensus is final in any case.
func (c *Chain) Finalized() *types.TipSet {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.final.node.ts
}

// Safe is the tipset that Ethereum tools call safe: the finalized one, or the one
// 200 epochs behind the head if that is newer.
func (c *Chain) Safe() *types.TipSet {
	c.mu.RLock()
	defer c.mu.RUnlock()
	safe := c.head.ancestor(max(c.head.height()-safeDelay, 0), true)
	if c.final.node.index > safe.index {
		safe = c.final.node
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
	if c.finality = depth; c.final.stalled {
		return nil
	}
	if target := c.behind(depth); target.index < c.final.node.index {
		c.final.node, c.final.base = target, nil
	}
	c.finalize()
	return nil
}

// StallFinality stops the finalized tipset from advancing, or lets it go on: then it
// catches up at once.
func (c *Chain) StallFinality(stalled bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.final.stalled = stalled
	c.finalize()
}

// FinalityStalled tells whether it is.
func (c *Chain) FinalityStalled() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.final.stalled
}

// LatestCertificate is the last step of finality; false before the first.
func (c *Chain) LatestCertificate() (Certificate, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.final.base == nil {
		return Certificate{}, false
	}
	_, steps := path(c.final.base, c.final.node)
	return Certificate{
		Instance: c.final.instance, Base: c.final.base.ts, Head: c.final.node.ts,
		Steps: append([]*types.TipSet{c.final.base.ts}, tipsets(steps)...),
	}, true
}

// behind is the tipset so many behind the head, the genesis if there are fewer.
func (c *Chain) behind(depth int) *node {
	if n := c.head.back(depth); n != nil {
		return n
	}
	return c.genesis
}

// finalize follows the head. The caller holds mu.
func (c *Chain) finalize() {
	f := &c.final
	for !c.head.has(f.node) { // a reorg that real nodes would refuse
		f.node, f.base = f.node.parent, nil
	}
	if f.stalled {
		if hard := c.behind(MaxFinalityDepth); hard.index > f.node.index {
			f.node, f.base = hard, nil
		}
		return
	}
	if target := c.behind(c.finality); target.index > f.node.index {
		if f.base != nil || f.instance > 0 {
			f.instance++
		}
		f.base, f.node = f.node, target
	}
}
