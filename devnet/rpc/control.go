package rpc

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-jsonrpc"
	fbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/chain"
)

// maxMined bounds how many epochs one call makes or skips: a year of them.
const maxMined = 1_051_200

// Block names a tipset in the controls' answers.
type Block struct {
	Number uint64           `json:"number"` // epoch
	Hash   ethtypes.EthHash `json:"hash"`   // as eth_getBlockByNumber has it
	Time   uint64           `json:"time"`   // Unix seconds
	Key    types.TipSetKey  `json:"key"`
}

func blockOf(ts *types.TipSet) (Block, error) {
	hash, err := blockHash(ts.Key())
	return Block{Number: uint64(ts.Height()), Hash: hash, Time: ts.MinTimestamp(), Key: ts.Key()}, err
}

func madeBlock(ts *types.TipSet, err error) (Block, error) {
	if err != nil {
		return Block{}, err
	}
	return blockOf(ts)
}

// devnetControl is devnet_*.
type devnetControl struct{ node *node }

// Mine is devnet_mine([n]): n tipsets at once, 1 if not given. It returns the head.
func (c *devnetControl) Mine(ctx context.Context, p jsonrpc.RawParams) (Block, error) {
	n, err := oneCount(p, 1)
	if err != nil {
		return Block{}, err
	}
	return madeBlock(c.node.chain.Mine(ctx, n))
}

// NullRounds is devnet_nullRounds([n]): skips n epochs, 1 if not given, and makes the
// tipset after them.
func (c *devnetControl) NullRounds(ctx context.Context, p jsonrpc.RawParams) (Block, error) {
	n, err := oneCount(p, 1)
	if err != nil {
		return Block{}, err
	}
	return madeBlock(c.node.chain.NullRounds(ctx, n))
}

func oneCount(p jsonrpc.RawParams, fallback quantity) (int, error) {
	n := fallback
	if err := optional(p, 0, &n); err != nil {
		return 0, err
	}
	return n.count(maxMined)
}

// AdvanceTime is devnet_advanceTime(milliseconds or "1h"): skips as many epochs.
func (c *devnetControl) AdvanceTime(ctx context.Context, p jsonrpc.RawParams) (Block, error) {
	var d span
	if err := optional(p, 1, &d); err != nil {
		return Block{}, err
	}
	return c.node.advance(ctx, time.Duration(d))
}

// Advance is devnet_advance(epochs): lets so many epochs pass. There are tipsets only
// where the mempool or a storage provider has something to do, and one at the end.
func (c *devnetControl) Advance(ctx context.Context, p jsonrpc.RawParams) (Block, error) {
	var epochs quantity
	if err := optional(p, 1, &epochs); err != nil {
		return Block{}, err
	}
	n, err := epochs.count(maxMined)
	if err != nil {
		return Block{}, err
	}
	return madeBlock(c.node.chain.Advance(ctx, n))
}

// RefuseProofs is devnet_refuseProofs([kinds]): the network finds proofs of these kinds
// (seal, aggregate, replica, post) invalid, and all others valid. It returns the kinds.
func (c *devnetControl) RefuseProofs(_ context.Context, p jsonrpc.RawParams) ([]string, error) {
	kinds := []string{}
	if err := optional(p, 0, &kinds); err != nil {
		return nil, err
	}
	if err := c.node.chain.RefuseProofs(kinds...); err != nil {
		return nil, badParams("%v", err)
	}
	return c.node.chain.RefusedProofs(), nil
}

// advance moves the chain's clock on by skipping epochs, within reason.
func (n *node) advance(ctx context.Context, d time.Duration) (Block, error) {
	if epochs := d / n.chain.Epoch(); epochs > maxMined {
		return Block{}, badParams("%d epochs are too many to skip: at most %d", epochs, maxMined)
	}
	return madeBlock(n.chain.AdvanceTime(ctx, d))
}

// Reorged is what devnet_reorg answers.
type Reorged struct {
	Ancestor Block              `json:"ancestor"` // the last tipset both branches share
	OldHead  Block              `json:"oldHead"`
	Head     Block              `json:"head"`
	Dropped  []ethtypes.EthHash `json:"dropped"` // transactions that are in no tipset any more and not pending
}

// Reorg is devnet_reorg(depth, [keepTxs]): replaces the last depth tipsets.
func (c *devnetControl) Reorg(ctx context.Context, p jsonrpc.RawParams) (out Reorged, err error) {
	var depth quantity
	keep := false
	if err := optional(p, 1, &depth, &keep); err != nil {
		return out, err
	}
	n, err := depth.count(maxMined)
	if err != nil {
		return out, err
	}
	done, err := c.node.chain.Reorg(ctx, n, keep)
	if err != nil {
		return out, err
	}
	for _, b := range []struct {
		to *Block
		ts *types.TipSet
	}{{&out.Ancestor, done.Ancestor}, {&out.OldHead, done.OldHead}, {&out.Head, done.Head}} {
		if *b.to, err = blockOf(b.ts); err != nil {
			return out, err
		}
	}
	out.Dropped = []ethtypes.EthHash{}
	for _, m := range done.Dropped {
		hash, err := c.node.txHash(m)
		if err != nil {
			return out, err
		}
		out.Dropped = append(out.Dropped, hash)
	}
	return out, nil
}

// SetBlockTime is devnet_setBlockTime(milliseconds or "1s"); 0 makes tipsets on
// demand: two for each transaction, one that has it and one that executes it.
func (c *devnetControl) SetBlockTime(ctx context.Context, p jsonrpc.RawParams) (Status, error) {
	var blockTime span
	if err := optional(p, 1, &blockTime); err != nil {
		return Status{}, err
	}
	if err := c.node.setBlockTime(time.Duration(blockTime)); err != nil {
		return Status{}, err
	}
	return c.Status(ctx)
}

func (n *node) setBlockTime(d time.Duration) error {
	pace := n.chain.Pace()
	pace.BlockTime, pace.AutoMine = d, d == 0
	return n.chain.SetPace(pace)
}

// Pause is devnet_pause(): no tipsets until devnet_resume, except by devnet_mine.
func (c *devnetControl) Pause(ctx context.Context) (Status, error) { return c.paused(ctx, true) }

// Resume is devnet_resume().
func (c *devnetControl) Resume(ctx context.Context) (Status, error) { return c.paused(ctx, false) }

func (c *devnetControl) paused(ctx context.Context, paused bool) (Status, error) {
	if err := c.node.setPaused(paused); err != nil {
		return Status{}, err
	}
	return c.Status(ctx)
}

func (n *node) setPaused(paused bool) error {
	pace := n.chain.Pace()
	pace.Paused = paused
	return n.chain.SetPace(pace)
}

// Status is what devnet_status answers.
type Status struct {
	ChainID      uint64 `json:"chainId"`
	NetworkName  string `json:"networkName"`
	Head         Block  `json:"head"`
	Finalized    uint64 `json:"finalized"` // epoch of the finalized tipset
	Stalled      bool   `json:"stalled"`   // finality does not advance
	BlockTime    string `json:"blockTime"` // "0s": none by themselves
	OnDemand     bool   `json:"onDemand"`  // two tipsets for each transaction
	Paused       bool   `json:"paused"`
	EpochSeconds uint64 `json:"epochSeconds"` // chain time from an epoch to the next
	Pending      int    `json:"pending"`      // messages in the mempool
}

// Status is devnet_status().
func (c *devnetControl) Status(context.Context) (Status, error) {
	source := c.node.chain
	head, err := blockOf(source.Head())
	if err != nil {
		return Status{}, err
	}
	pace := source.Pace()
	return Status{
		ChainID: source.ChainID(), NetworkName: source.NetworkName(), Head: head,
		Finalized: uint64(source.Finalized().Height()), Stalled: source.FinalityStalled(), BlockTime: pace.BlockTime.String(),
		OnDemand: pace.AutoMine, Paused: pace.Paused,
		EpochSeconds: uint64(source.Epoch().Seconds()), Pending: len(source.Pending()),
	}, nil
}

// SetFinalityDepth is devnet_setFinalityDepth(tipsets).
func (c *devnetControl) SetFinalityDepth(ctx context.Context, p jsonrpc.RawParams) (Status, error) {
	var depth quantity
	if err := optional(p, 1, &depth); err != nil {
		return Status{}, err
	}
	n, err := depth.count(maxMined)
	if err != nil {
		return Status{}, err
	}
	if err := c.node.chain.SetFinalityDepth(n); err != nil {
		return Status{}, err
	}
	return c.Status(ctx)
}

// StallFinality is devnet_stallFinality([stalled]), true if not given: the finalized
// tipset stays where it is, until devnet_stallFinality(false) lets it catch up.
func (c *devnetControl) StallFinality(ctx context.Context, p jsonrpc.RawParams) (Status, error) {
	stalled := true
	if err := optional(p, 0, &stalled); err != nil {
		return Status{}, err
	}
	c.node.chain.StallFinality(stalled)
	return c.Status(ctx)
}

// LogLimits are what devnet_setLogLimits takes and answers.
type LogLimits struct {
	Epochs int64 `json:"epochs"` // that a query of logs may span
	Events int64 `json:"events"` // that a query of several tipsets may have; filters installed before keep theirs
}

// SetLogLimits is devnet_setLogLimits([epochs], [events]): what providers change in their
// nodes' settings. Absent or 0 is what the server was started with.
func (c *devnetControl) SetLogLimits(_ context.Context, p jsonrpc.RawParams) (LogLimits, error) {
	var epochs, events quantity
	if err := optional(p, 0, &epochs, &events); err != nil {
		return LogLimits{}, err
	}
	if epochs > maxMined || events > math.MaxInt32 {
		return LogLimits{}, badParams("limits of %d epochs and %d events: at most %d and %d", epochs, events, maxMined, math.MaxInt32)
	}
	set := LogLimits{Epochs: int64(epochs), Events: int64(events)}
	setDefault(&set.Epochs, int64(c.node.config.MaxFilterRange))
	setDefault(&set.Events, int64(c.node.config.MaxFilterResults))
	c.node.logRange.Store(set.Epochs)
	c.node.logResults.Store(set.Events)
	return set, nil
}

// FullBlooms is devnet_fullBlooms([full]), true if not given: blocks have blooms of ones,
// as those that a node's index lacks.
func (c *devnetControl) FullBlooms(_ context.Context, p jsonrpc.RawParams) (bool, error) {
	full := true
	if err := optional(p, 0, &full); err != nil {
		return false, err
	}
	c.node.fullBlooms.Store(full)
	return full, nil
}

// SetBalance is devnet_setBalance(address, attoFIL), with 0x… and f… addresses.
func (c *devnetControl) SetBalance(ctx context.Context, p jsonrpc.RawParams) (Status, error) {
	if err := c.node.setBalance(ctx, p); err != nil {
		return Status{}, err
	}
	return c.Status(ctx)
}

func (n *node) setBalance(ctx context.Context, p jsonrpc.RawParams) error {
	var addr anyAddress
	var value amount
	if err := optional(p, 2, &addr, &value); err != nil {
		return err
	}
	return n.chain.SetBalance(ctx, addr.Address, fbig.NewFromGo((*big.Int)(&value)))
}

// Fund is devnet_fund(address, attoFIL): adds money to what is there. A tipset is
// made, so that the latest block has it.
func (c *devnetControl) Fund(ctx context.Context, p jsonrpc.RawParams) (Block, error) {
	var addr anyAddress
	var value amount
	if err := optional(p, 2, &addr, &value); err != nil {
		return Block{}, err
	}
	source := c.node.chain
	total := fbig.NewFromGo((*big.Int)(&value))
	actor, err := c.node.actor(ctx, addr.Address, source.Head())
	if err != nil {
		return Block{}, fmt.Errorf("balance of %s: %w", addr, err)
	}
	if actor != nil {
		total = fbig.Add(total, actor.Balance)
	}
	if err := source.SetBalance(ctx, addr.Address, total); err != nil {
		return Block{}, err
	}
	return madeBlock(source.Mine(ctx, 1))
}

// DropPending is devnet_dropPending([hashes]): those, or all pending transactions, are
// forgotten. It returns how many there were.
func (c *devnetControl) DropPending(_ context.Context, p jsonrpc.RawParams) (int, error) {
	var hashes *[]common.Hash
	if err := optional(p, 0, &hashes); err != nil {
		return 0, err
	}
	if hashes == nil {
		return c.node.chain.DropPending(), nil
	}
	return c.node.drop(*hashes...), nil
}

func (n *node) drop(hashes ...common.Hash) int {
	var messages []cid.Cid
	for _, hash := range hashes {
		if c, ok := n.chain.MessageOf(hash); ok {
			messages = append(messages, c)
		}
	}
	if len(messages) == 0 {
		return 0 // no names would mean all
	}
	return n.chain.DropPending(messages...)
}

// Account is a funded account in the controls' answers.
type Account struct {
	Kind       string           `json:"kind"`    // ethereum, secp256k1 or bls
	Address    string           `json:"address"` // 0x… for ethereum, f1… or f3… for the others
	Filecoin   address.Address  `json:"filecoin"`
	ID         uint64           `json:"id"`
	PrivateKey ethtypes.EthHash `json:"privateKey"` // 32 bytes; of bls keys in Lotus's byte order
}

// Accounts is devnet_accounts(): the funded accounts with their keys.
func (c *devnetControl) Accounts(context.Context) ([]Account, error) {
	var out []Account
	for _, a := range c.node.chain.Accounts() {
		account := Account{Kind: string(a.Kind), Address: a.Address.String(), Filecoin: a.Address, ID: uint64(a.ID)}
		if a.Kind == chain.Ethereum {
			eth, err := ethtypes.EthAddressFromFilecoinAddress(a.Address)
			if err != nil {
				return nil, fmt.Errorf("account %s: %w", a.Address, err)
			}
			account.Address = eth.String()
		}
		private := a.Key.KeyInfo().PrivateKey
		if len(private) != len(account.PrivateKey) {
			return nil, fmt.Errorf("account %s has a private key of %d bytes", a.Address, len(private))
		}
		copy(account.PrivateKey[:], private)
		out = append(out, account)
	}
	return out, nil
}

// Snapshot is devnet_snapshot(): a number to revert to.
func (c *devnetControl) Snapshot(ctx context.Context) (string, error) { return c.node.snapshot(ctx) }

// Revert is devnet_revert(number): true if there was such a snapshot.
func (c *devnetControl) Revert(ctx context.Context, p jsonrpc.RawParams) (bool, error) {
	return c.node.revert(ctx, p)
}
