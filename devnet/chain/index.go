package chain

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	ethcrypto "github.com/ethereum/go-ethereum/crypto"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/fvm/sig"
)

// Execution is what the messages of a tipset led to.
type Execution struct {
	Root     cid.Cid // state after the tipset, StateRoot v5
	Receipts cid.Cid // AMT of the receipts
	Results  []Result
}

// Result is what became of one message of a tipset.
type Result struct {
	Message types.ChainMsg // *types.SignedMessage, or *types.Message for BLS senders
	Receipt types.MessageReceipt
	Events  []types.Event
	Costs   fvm.GasOutputs
	Error   string // why it failed, in words; empty if it did not
}

// Found says where a message is.
type Found struct {
	TipSet *types.TipSet // the tipset that includes it; its child has the receipt's root
	Index  int           // among the tipset's messages, in the order they run
	Result
}

// place is a message in a tipset, canonical or not.
type place struct {
	n     *node
	index int
}

// index knows messages by every name. Chain.mu guards it.
type index struct {
	messages map[cid.Cid]types.ChainMsg // by their CID; all that were ever pending or mined
	places   map[cid.Cid][]place        // by CID, and by the CID of the unsigned message
	byHash   map[common.Hash]cid.Cid    // by the hash that eth_* gives them
}

func newIndex() index {
	return index{messages: map[cid.Cid]types.ChainMsg{}, places: map[cid.Cid][]place{}, byHash: map[common.Hash]cid.Cid{}}
}

func (x *index) learn(id cid.Cid, hash common.Hash, msg types.ChainMsg) {
	x.messages[id] = msg
	x.byHash[hash] = id
}

func (x *index) place(n *node) {
	for i, signed := range n.all() {
		id, bare := signed.Cid(), signed.Message.Cid()
		x.places[id] = append(x.places[id], place{n, i})
		if bare != id {
			x.places[bare] = append(x.places[bare], place{n, i})
		}
	}
}

// Lookup finds a message, by its CID or that of the unsigned message, on the
// canonical chain. A replacement (same sender and nonce) is not looked for.
func (c *Chain) Lookup(msg cid.Cid) (*Found, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, p := range c.index.places[msg] {
		if c.head.has(p.n) {
			return &Found{TipSet: p.n.ts, Index: p.index, Result: p.n.execution.Results[p.index]}, true
		}
	}
	return nil, false
}

// Message is a message that the chain has seen, pending, mined or dropped: signed,
// unless it is a BLS message that was mined.
func (c *Chain) Message(msg cid.Cid) (types.ChainMsg, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	m, ok := c.index.messages[msg]
	return m, ok
}

// MessageOf finds the message of an Ethereum transaction hash, pending or mined;
// for messages that are not delegated it is the CID's digest.
func (c *Chain) MessageOf(hash common.Hash) (cid.Cid, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	id, ok := c.index.byHash[hash]
	return id, ok
}

// HashOf is the hash by which eth_* knows a message: the transaction's for delegated
// ones, the CID's digest for others.
func (c *Chain) HashOf(msg types.ChainMsg) (common.Hash, error) {
	if signed, ok := msg.(*types.SignedMessage); ok && signed.Signature.Type == crypto.SigTypeDelegated {
		raw, err := sig.EthRaw(signed, c.config.ChainID)
		if err != nil {
			return common.Hash{}, fmt.Errorf("hash of message %s: %w", msg.Cid(), err)
		}
		return ethcrypto.Keccak256Hash(raw), nil
	}
	hash, err := ethtypes.EthHashFromCid(msg.Cid())
	if err != nil {
		return common.Hash{}, fmt.Errorf("hash of message %s: %w", msg.Cid(), err)
	}
	return common.Hash(hash), nil
}

// Messages are those of a tipset in the order they run: BLS first.
func (c *Chain) Messages(ts *types.TipSet) ([]types.ChainMsg, error) {
	n, err := c.nodeOf(ts)
	if err != nil {
		return nil, err
	}
	signed := n.all()
	out := make([]types.ChainMsg, len(signed))
	for i, m := range signed {
		out[i] = onChain(m)
	}
	return out, nil
}

// BlockMessages are the messages of a block. Errors: ErrNotFound.
func (c *Chain) BlockMessages(block cid.Cid) ([]*types.Message, []*types.SignedMessage, error) {
	n, err := c.nodeOfBlock(block)
	if err != nil {
		return nil, nil, err
	}
	bls := make([]*types.Message, len(n.bls))
	for i, m := range n.bls {
		bls[i] = &m.Message
	}
	return bls, append([]*types.SignedMessage{}, n.secp...), nil
}

// Execution is what a tipset's messages led to, known as soon as the tipset is.
func (c *Chain) Execution(ts *types.TipSet) (*Execution, error) {
	n, err := c.nodeOf(ts)
	if err != nil {
		return nil, err
	}
	return c.executionOf(n), nil
}

func (c *Chain) executionOf(n *node) *Execution {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return n.execution
}

// StateAt is the state after a tipset's messages and the root of their receipts.
func (c *Chain) StateAt(ts *types.TipSet) (root, receipts cid.Cid, err error) {
	execution, err := c.Execution(ts)
	if err != nil {
		return cid.Undef, cid.Undef, err
	}
	return execution.Root, execution.Receipts, nil
}
