package rpc

import (
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
)

// parent is a tipset's parent; the genesis is its own, as Lotus reads the empty key.
func (n *node) parent(ts *types.TipSet) (*types.TipSet, error) {
	if ts.Height() == 0 {
		return ts, nil
	}
	parent, err := n.chain.TipSet(ts.Parents())
	if err != nil {
		return nil, fmt.Errorf("loading tipset %s: %w", ts.Parents(), err)
	}
	return parent, nil
}

// tipset is the tipset of a key; the empty key is the head.
func (n *node) tipset(key types.TipSetKey) (*types.TipSet, error) {
	if key.IsEmpty() {
		return n.chain.Head(), nil
	}
	ts, err := n.chain.TipSet(key)
	if err != nil {
		return nil, fmt.Errorf("loading tipset %s: %w", key, err)
	}
	return ts, nil
}

func (n *node) tipsetByTag(tag string) (*types.TipSet, error) {
	switch tag {
	case ethtypes.BlockTagEarliest:
		return nil, fmt.Errorf(`block param "%s" is not supported`, ethtypes.BlockTagEarliest)
	case ethtypes.BlockTagPending:
		return n.chain.Head(), nil
	case ethtypes.BlockTagLatest:
		parent, err := n.parent(n.chain.Head())
		if err != nil {
			return nil, errors.New("failed to get parent tipset")
		}
		return parent, nil
	case ethtypes.BlockTagSafe:
		return n.chain.Safe(), nil
	case ethtypes.BlockTagFinalized:
		return n.chain.Finalized(), nil
	}
	return nil, fmt.Errorf("unknown block tag: %s", tag)
}

// tipsetByEpoch is the executed tipset at an epoch, or the one before a null round.
func (n *node) tipsetByEpoch(epoch uint64) (*types.TipSet, error) {
	head := n.chain.Head()
	if abi.ChainEpoch(epoch) > head.Height()-1 || abi.ChainEpoch(epoch) < 0 {
		return nil, errFutureEpoch
	}
	ts, err := n.chain.TipSetByHeight(abi.ChainEpoch(epoch), head, true)
	if err != nil {
		return nil, fmt.Errorf("failed to get tipset at height: %v", epoch)
	}
	return ts, nil
}

// tipsetByNumber reads the block parameter of block-level methods: a tag, hex or
// decimal. Strict makes a null round an error, code 12.
func (n *node) tipsetByNumber(param string, strict bool) (*types.TipSet, error) {
	switch param {
	case ethtypes.BlockTagEarliest, ethtypes.BlockTagPending, ethtypes.BlockTagLatest, ethtypes.BlockTagFinalized, ethtypes.BlockTagSafe:
		return n.tipsetByTag(param)
	}
	number, err := ethtypes.EthUint64FromString(param)
	if err != nil {
		return nil, fmt.Errorf("failed to parse block number: %v", err)
	}
	ts, err := n.tipsetByEpoch(uint64(number))
	if err != nil {
		return nil, err
	}
	if strict && ts.Height() != abi.ChainEpoch(number) {
		return nil, api.NewErrNullRound(abi.ChainEpoch(number))
	}
	return ts, nil
}

// tipsetByParam reads the block parameter of state methods, which take a null round
// for the tipset before it.
func (n *node) tipsetByParam(param ethtypes.EthBlockNumberOrHash) (*types.TipSet, error) {
	switch {
	case param.PredefinedBlock != nil:
		return n.tipsetByTag(*param.PredefinedBlock)
	case param.BlockNumber != nil:
		return n.tipsetByEpoch(uint64(*param.BlockNumber))
	case param.BlockHash != nil:
		ts, err := n.tipsetByHash(*param.BlockHash)
		if err != nil {
			return nil, err
		}
		if param.RequireCanonical {
			if canonical, err := n.canonical(ts); err != nil {
				return nil, err
			} else if !canonical {
				return nil, errTipsetNotOnChain
			}
		}
		return ts, nil
	}
	return nil, errors.New("invalid block param")
}

// tipsetByHash finds a tipset, on the chain or dropped, by its Ethereum block hash.
func (n *node) tipsetByHash(hash ethtypes.EthHash) (*types.TipSet, error) {
	key, ok := n.hashes.key(hash)
	if !ok {
		return nil, fmt.Errorf("failed to get tipset by hash: ipld: could not find %s", hash.ToCid())
	}
	ts, err := n.chain.TipSet(key)
	if err != nil {
		return nil, fmt.Errorf("failed to get tipset by hash: %w", err)
	}
	return ts, nil
}

// canonical tells whether a tipset is on the chain that ends in the head.
func (n *node) canonical(ts *types.TipSet) (bool, error) {
	head := n.chain.Head()
	if ts.Height() > head.Height() {
		return false, nil
	}
	there, err := n.chain.TipSetByHeight(ts.Height(), head, true)
	if err != nil {
		return false, fmt.Errorf("failed to get tipset at height: %v", ts.Height())
	}
	return there.Equals(ts), nil
}

// blockHash is the Ethereum block hash of a tipset key.
func blockHash(key types.TipSetKey) (ethtypes.EthHash, error) {
	c, err := key.Cid()
	if err != nil {
		return ethtypes.EthHash{}, fmt.Errorf("failed to get tipset key cid: %w", err)
	}
	hash, err := ethtypes.EthHashFromCid(c)
	if err != nil {
		return ethtypes.EthHash{}, fmt.Errorf("failed to parse eth hash from cid: %w", err)
	}
	return hash, nil
}
