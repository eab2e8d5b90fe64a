package rpc

import (
	"sync"

	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
)

// hashIndex knows every tipset that was on the chain by its Ethereum hash, which is
// a digest and cannot be turned back. It fills itself from the head downwards, so
// that it works without a feed; the feed adds the tipsets that reorgs drop.
type hashIndex struct {
	chain Tipsets

	mu    sync.Mutex
	known map[ethtypes.EthHash]*knownTipset
}

type knownTipset struct {
	key      types.TipSetKey
	executed bool // a tipset was made on top
}

func newHashIndex(chain Tipsets) *hashIndex {
	return &hashIndex{chain: chain, known: map[ethtypes.EthHash]*knownTipset{}}
}

// key is the tipset key of a block hash.
func (x *hashIndex) key(hash ethtypes.EthHash) (types.TipSetKey, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if known := x.known[hash]; known != nil {
		return known.key, true
	}
	x.add(x.chain.Head())
	if known := x.known[hash]; known != nil {
		return known.key, true
	}
	return types.EmptyTSK, false
}

// executed tells whether the tipset's messages were run by a later one.
func (x *hashIndex) executed(ts *types.TipSet) bool {
	hash, err := blockHash(ts.Key())
	if err != nil {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.add(x.chain.Head())
	known := x.known[hash]
	return known != nil && known.executed
}

// see adds a tipset and what is below it.
func (x *hashIndex) see(ts *types.TipSet) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.add(ts)
}

// add goes down to the first tipset that is known as executed. The caller holds mu.
func (x *hashIndex) add(ts *types.TipSet) {
	for executed := false; ; executed = true {
		hash, err := blockHash(ts.Key())
		if err != nil {
			return // a tipset whose key has no CID cannot be asked for
		}
		known := x.known[hash]
		switch {
		case known == nil:
			x.known[hash] = &knownTipset{key: ts.Key(), executed: executed}
		case known.executed || !executed:
			return
		default:
			known.executed = true
			return // what is below was added with it
		}
		if ts.Height() == 0 {
			return
		}
		if ts, err = x.chain.TipSet(ts.Parents()); err != nil {
			return
		}
	}
}
