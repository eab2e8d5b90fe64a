package chain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/filecoin-project/go-address"
	actorstypes "github.com/filecoin-project/go-state-types/actors"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// ErrDump is wrapped when a stream is no dump of a chain, or of another version's.
var ErrDump = errors.New("not a dump of a devnet chain")

const dumpVersion = 1

// A dump is a stream of JSON values: dumpHead, then so many dumpNode, parents before
// children and dropped branches too, then so many dumpBlock.
type dumpHead struct {
	Dump           int    `json:"tidegateDevnetDump"` // the version
	Seed           []byte `json:"seed"`
	ChainID        uint64 `json:"chainId"`
	NetworkName    string `json:"networkName"`
	GenesisTime    int64  `json:"genesisTime"`
	EpochSeconds   int64  `json:"epochSeconds"`
	Secp256k1, BLS int    // accounts
	Actors         actorstypes.Version
	Network        network.Version
	Manifest       cid.Cid // of the actors
	Miner          address.Address
	Fork           uint64
	Finality       int
	Stalled        bool
	Instance       uint64
	Base, Final    int // nodes; Base is -1 if there is no certificate
	Head           int
	Refused        []string
	Pool           [][]byte // signed messages
	Nodes, Blocks  int
}

type dumpNode struct {
	Header    []byte   `json:"header"`
	Parent    int      `json:"parent"` // -1 for the genesis
	BLS, Secp [][]byte // signed messages
	Begin     cid.Cid
	Root      cid.Cid
	Receipts  cid.Cid
	Results   []dumpResult
}

type dumpResult struct {
	Receipt []byte
	Events  [][]byte
	Costs   fvm.GasOutputs
	Error   string
}

type dumpBlock struct {
	CID  cid.Cid `json:"c"`
	Data []byte  `json:"d"`
}

// Dump writes the whole chain: state, all branches, the pool, what is final. Snapshots
// and the pace are not part of it. [Load] makes the same chain of it.
func (c *Chain) Dump(ctx context.Context, w io.Writer) error {
	_, release, err := c.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := c.dump(ctx, json.NewEncoder(w)); err != nil {
		return fmt.Errorf("dump the chain: %w", err)
	}
	return nil
}

func (c *Chain) dump(ctx context.Context, to *json.Encoder) error {
	nodes, places := c.ordered()
	var blocks []dumpBlock
	code := map[cid.Cid]bool{}
	for id := range c.engine.Blocks() {
		code[id] = true
	}
	c.store.ForEach(func(id cid.Cid, data []byte) {
		if !code[id] {
			blocks = append(blocks, dumpBlock{id, data})
		}
	})
	slices.SortFunc(blocks, func(a, b dumpBlock) int { return strings.Compare(a.CID.KeyString(), b.CID.KeyString()) })
	head, err := c.dumpHead(places, len(nodes), len(blocks))
	if err != nil {
		return err
	}
	if err := to.Encode(head); err != nil {
		return err
	}
	for _, n := range nodes {
		value, err := c.dumpNode(n, places)
		if err != nil {
			return fmt.Errorf("tipset %s: %w", n.ts.Key(), err)
		}
		if err := errors.Join(ctx.Err(), to.Encode(value)); err != nil {
			return err
		}
	}
	for _, b := range blocks {
		if err := errors.Join(ctx.Err(), to.Encode(b)); err != nil {
			return err
		}
	}
	return nil
}

// ordered are all tipsets, parents first, and their places.
func (c *Chain) ordered() ([]*node, map[*node]int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	nodes := make([]*node, 0, len(c.nodes))
	for _, n := range c.nodes {
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b *node) int {
		if a.index != b.index {
			return a.index - b.index
		}
		return bytes.Compare(a.ts.Key().Bytes(), b.ts.Key().Bytes())
	})
	places := make(map[*node]int, len(nodes))
	for i, n := range nodes {
		places[n] = i
	}
	return nodes, places
}

func (c *Chain) dumpHead(places map[*node]int, nodes, blocks int) (dumpHead, error) {
	pool, err := encodeAll(c.pool.pending())
	c.mu.RLock()
	defer c.mu.RUnlock()
	head := dumpHead{
		Dump: dumpVersion, Seed: c.config.Seed[:], ChainID: c.config.ChainID, NetworkName: c.config.NetworkName,
		GenesisTime: c.config.GenesisTime.Unix(), EpochSeconds: int64(c.config.Epoch.Seconds()),
		Secp256k1: c.config.Secp256k1Accounts, BLS: c.config.BLSAccounts,
		Actors: c.config.ActorsVersion, Network: c.config.NetworkVersion, Manifest: c.engine.Manifest(), Miner: c.miner,
		Fork: c.fork, Finality: c.finality, Stalled: c.final.stalled, Instance: c.final.instance, Base: -1,
		Final: places[c.final.node], Head: places[c.head], Refused: c.RefusedProofs(), Pool: pool, Nodes: nodes, Blocks: blocks,
	}
	if c.final.base != nil {
		head.Base = places[c.final.base]
	}
	return head, err
}

func (c *Chain) dumpNode(n *node, places map[*node]int) (dumpNode, error) {
	execution := c.executionOf(n)
	out := dumpNode{Parent: -1, Begin: n.begin, Root: execution.Root, Receipts: execution.Receipts}
	if n.parent != nil {
		out.Parent = places[n.parent]
	}
	var err error
	if out.Header, err = n.header().Serialize(); err != nil {
		return out, err
	}
	if out.BLS, err = encodeAll(n.bls); err != nil {
		return out, err
	}
	if out.Secp, err = encodeAll(n.secp); err != nil {
		return out, err
	}
	for _, r := range execution.Results {
		result := dumpResult{Costs: r.Costs, Error: r.Error}
		if result.Receipt, err = encode(&r.Receipt); err != nil {
			return out, err
		}
		for i := range r.Events {
			event, err := encode(&r.Events[i])
			if err != nil {
				return out, err
			}
			result.Events = append(result.Events, event)
		}
		out.Results = append(out.Results, result)
	}
	return out, nil
}

func encodeAll(messages []*types.SignedMessage) ([][]byte, error) {
	var out [][]byte
	for _, m := range messages {
		b, err := encode(m)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func decodeAll[T any, P interface {
	*T
	cbg.CBORUnmarshaler
}](encoded [][]byte) ([]*T, error) {
	var out []*T
	for _, b := range encoded {
		value := new(T)
		if err := decode(b, P(value)); err != nil {
			return nil, err
		}
		out = append(out, value)
	}
	return out, nil
}

// Load makes a chain of a dump. What the dump says of identity (seed, ids, times,
// accounts, versions) replaces what config says; pace, logs and the engine are
// config's. Errors: ErrDump.
func Load(ctx context.Context, config Config, r io.Reader) (*Chain, error) {
	from := json.NewDecoder(r)
	var head dumpHead
	if err := from.Decode(&head); err != nil {
		return nil, fmt.Errorf("devnet chain: %w: %w", ErrDump, err)
	}
	if head.Dump != dumpVersion || len(head.Seed) != len(config.Seed) || head.Nodes < 1 {
		return nil, fmt.Errorf("devnet chain: %w of version %d", ErrDump, dumpVersion)
	}
	copy(config.Seed[:], head.Seed)
	config.ChainID, config.NetworkName = head.ChainID, head.NetworkName
	config.GenesisTime, config.Epoch = time.Unix(head.GenesisTime, 0).UTC(), time.Duration(head.EpochSeconds)*time.Second
	config.Secp256k1Accounts, config.BLSAccounts = head.Secp256k1, head.BLS
	config.ActorsVersion, config.NetworkVersion, config.FinalityDepth = head.Actors, head.Network, head.Finality
	return open(ctx, config, func(c *Chain) error { return c.restore(ctx, head, from) })
}

// restore fills a chain that has nothing yet.
func (c *Chain) restore(ctx context.Context, head dumpHead, from *json.Decoder) error {
	if manifest := c.engine.Manifest(); manifest != head.Manifest {
		return fmt.Errorf("%w: it has the actors %s, these are %s", ErrDump, head.Manifest, manifest)
	}
	c.miner, c.fork = head.Miner, head.Fork
	nodes := make([]*node, 0, head.Nodes)
	for range head.Nodes {
		var value dumpNode
		if err := from.Decode(&value); err != nil {
			return fmt.Errorf("%w: %w", ErrDump, err)
		}
		n, err := c.loadNode(value, nodes)
		if err != nil {
			return fmt.Errorf("%w: tipset %d: %w", ErrDump, len(nodes), err)
		}
		nodes = append(nodes, n)
	}
	for range head.Blocks {
		var b dumpBlock
		if err := from.Decode(&b); err != nil {
			return fmt.Errorf("%w: %w", ErrDump, err)
		}
		if sum, err := b.CID.Prefix().Sum(b.Data); err != nil || sum != b.CID {
			return fmt.Errorf("%w: block %s has other bytes (%w)", ErrDump, b.CID, err)
		}
		if err := c.store.Put(ctx, b.CID, b.Data); err != nil {
			return err
		}
	}
	for _, i := range []int{head.Head, head.Final, max(head.Base, 0)} {
		if i < 0 || i >= len(nodes) {
			return fmt.Errorf("%w: tipset %d of %d", ErrDump, i, len(nodes))
		}
	}
	c.genesis, c.head = nodes[0], nodes[head.Head]
	c.final = finalState{node: nodes[head.Final], stalled: head.Stalled, instance: head.Instance}
	if head.Base >= 0 {
		c.final.base = nodes[head.Base]
	}
	return c.reindex(ctx, nodes, head)
}

func (c *Chain) loadNode(value dumpNode, before []*node) (*node, error) {
	var parent *node
	if value.Parent >= 0 {
		if value.Parent >= len(before) {
			return nil, fmt.Errorf("its parent %d comes after it", value.Parent)
		}
		parent = before[value.Parent]
	} else if len(before) > 0 {
		return nil, errors.New("a second genesis")
	}
	header, err := types.DecodeBlock(value.Header)
	if err != nil {
		return nil, err
	}
	ts, err := types.NewTipSet([]*types.BlockHeader{header})
	if err != nil {
		return nil, err
	}
	if parent != nil && parent.ts.Key() != ts.Parents() {
		return nil, errors.New("its parent is another")
	}
	n := newNode(ts, parent)
	if n.bls, err = decodeAll[types.SignedMessage](value.BLS); err != nil {
		return nil, err
	}
	if n.secp, err = decodeAll[types.SignedMessage](value.Secp); err != nil {
		return nil, err
	}
	n.begin = value.Begin
	n.execution, err = loadExecution(value, n.all())
	return n, err
}

func loadExecution(value dumpNode, messages []*types.SignedMessage) (*Execution, error) {
	out := &Execution{Root: value.Root, Receipts: value.Receipts}
	if len(value.Results) != len(messages) {
		return nil, fmt.Errorf("%d results of %d messages", len(value.Results), len(messages))
	}
	for i, r := range value.Results {
		result := Result{Message: onChain(messages[i]), Costs: r.Costs, Error: r.Error}
		if err := decode(r.Receipt, &result.Receipt); err != nil {
			return nil, err
		}
		events, err := decodeAll[types.Event](r.Events)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			result.Events = append(result.Events, *e)
		}
		out.Results = append(out.Results, result)
	}
	return out, nil
}

// reindex makes everything known that can be looked up, and the pool.
func (c *Chain) reindex(ctx context.Context, nodes []*node, head dumpHead) error {
	for _, n := range nodes {
		c.nodes[n.ts.Key()] = n
		c.blocks[n.ts.Cids()[0]] = n
		c.index.place(n)
		for _, m := range n.all() {
			hash, err := c.HashOf(m)
			if err != nil {
				return err
			}
			c.index.learn(m.Cid(), hash, onChain(m))
		}
	}
	pool, err := decodeAll[types.SignedMessage](head.Pool)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDump, err)
	}
	for _, m := range pool {
		hash, err := c.HashOf(m)
		if err != nil {
			return err
		}
		c.index.learn(m.Cid(), hash, m)
	}
	if c.pool, err = newMempool(ctx, c, c.head); err != nil {
		return err
	}
	if err := c.RefuseProofs(head.Refused...); err != nil {
		return fmt.Errorf("%w: %w", ErrDump, err)
	}
	return c.pool.restore(ctx, c.head, pool)
}
