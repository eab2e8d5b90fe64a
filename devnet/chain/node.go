package chain

import (
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
)

// node is a tipset with its place in the tree of tipsets. All but execution is
// fixed when it is made; execution is replaced by SetBalance, under Chain.mu.
type node struct {
	ts     *types.TipSet
	parent *node // nil at the genesis
	jump   *node // an ancestor far back, so that ancestor is logarithmic; itself at the genesis
	index  int   // number of ancestors

	bls, secp []*types.SignedMessage // of the one block, with the signatures that BLS messages lose on chain
	begin     cid.Cid                // the state in which the messages run: the parent's, after the cron of null rounds
	execution *Execution
}

func newNode(ts *types.TipSet, parent *node) *node {
	n := &node{ts: ts, parent: parent}
	if parent == nil {
		n.jump = n
		return n
	}
	n.index = parent.index + 1
	n.jump = parent
	if far := parent.jump; parent.index-far.index == far.index-far.jump.index {
		n.jump = far.jump
	}
	return n
}

func (n *node) height() abi.ChainEpoch { return n.ts.Height() }

func (n *node) header() *types.BlockHeader { return n.ts.Blocks()[0] }

// ancestor is the tipset at an epoch that is not after n's own; at a null round the
// one before it or the one after.
func (n *node) ancestor(epoch abi.ChainEpoch, before bool) *node {
	after := n
	for n.height() > epoch && n.parent != nil {
		if n.jump.height() > epoch {
			n = n.jump
			continue
		}
		after, n = n, n.parent
	}
	if n.height() == epoch || before {
		return n
	}
	return after
}

// back is the ancestor depth tipsets back, nil beyond the genesis.
func (n *node) back(depth int) *node {
	if depth < 0 || depth > n.index {
		return nil
	}
	target := n.index - depth
	for n.index > target {
		if n.jump.index >= target {
			n = n.jump
		} else {
			n = n.parent
		}
	}
	return n
}

// has tells whether m is n or an ancestor of it.
func (n *node) has(m *node) bool {
	return m.index <= n.index && n.back(n.index-m.index) == m
}

// path lists the tipsets between two nodes: those to leave, from the first down,
// and those to enter, up to the second.
func path(from, to *node) (leave, enter []*node) {
	for !to.has(from) {
		leave = append(leave, from)
		from = from.parent
	}
	for n := to; n != from; n = n.parent {
		enter = append(enter, n)
	}
	for i, j := 0, len(enter)-1; i < j; i, j = i+1, j-1 {
		enter[i], enter[j] = enter[j], enter[i]
	}
	return leave, enter
}

func tipsets(nodes []*node) []*types.TipSet {
	out := make([]*types.TipSet, len(nodes))
	for i, n := range nodes {
		out[i] = n.ts
	}
	return out
}

// all are the signed messages of the tipset in the order they run.
func (n *node) all() []*types.SignedMessage {
	out := make([]*types.SignedMessage, 0, len(n.bls)+len(n.secp))
	return append(append(out, n.bls...), n.secp...)
}

// onChain is a message as a block carries it: without signature if that is BLS.
func onChain(m *types.SignedMessage) types.ChainMsg {
	if isBLS(m) {
		return &m.Message
	}
	return m
}
