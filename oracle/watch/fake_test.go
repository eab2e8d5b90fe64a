package watch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/oracle/chain"
)

var (
	ours   = common.HexToAddress("0x00000000000000000000000000000000000000aa")
	others = common.HexToAddress("0x00000000000000000000000000000000000000bb")
)

type fakeBlock struct {
	chain.Block
	logs  []chain.Log
	bloom types.Bloom
}

// fakeChain is a chain of blocks, with null rounds, reorgs and finality, behind
// a JSON-RPC server that misbehaves on demand. Heights that are not in blocks are
// null rounds.
type fakeChain struct {
	mu     sync.Mutex
	id     uint64
	blocks []fakeBlock // canonical, ascending
	byHash map[common.Hash]fakeBlock
	next   uint64 // height of the next block
	salt   uint64 // makes every block's hash its own
	depth  uint64 // finality
	final  uint64 // never goes back

	noTag     bool                // finalized is not known
	before    bool                // a null round shows the block before it, as older Forest and Venus do
	ones      bool                // blooms are all ones, as Lotus gives them
	lag       uint64              // blocks that the endpoint is behind
	maxLogs   int                 // of a range answer; 0 for no limit
	maxRange  uint64              // of a range; 0 for no limit
	lie       map[common.Hash]int // empty answers to come, by block
	lateOnly  bool                // lies end with finality: an index that is late, not holed
	renumber  bool                // logs have other indices by block hash than in ranges
	intercept func(method string, params []json.RawMessage, w http.ResponseWriter) bool
	calls     map[string]int
	ranges    []uint64 // widths asked for
}

func newFakeChain(depth uint64) *fakeChain {
	c := &fakeChain{id: 31415926, depth: depth, byHash: map[common.Hash]fakeBlock{}, lie: map[common.Hash]int{}, calls: map[string]int{}}
	c.mine(0)
	return c
}

// mine adds a block with n logs of ours and one of another contract.
func (c *fakeChain) mine(n int) chain.Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mineLocked(n)
}

func (c *fakeChain) mineLocked(n int) chain.Block {
	c.salt++
	b := fakeBlock{Block: chain.Block{Height: c.next, Time: time.Unix(1_700_000_000+int64(c.next)*30, 0).UTC()}}
	if len(c.blocks) > 0 {
		b.Parent = c.blocks[len(c.blocks)-1].Hash
	}
	b.Hash = crypto.Keccak256Hash(fmt.Appendf(nil, "block %d %d", c.id, c.salt))
	for i := range n + 1 {
		addr := ours
		if i == 0 {
			addr = others
		}
		b.logs = append(b.logs, chain.Log{
			Height: b.Height, Block: b.Hash, Index: uint(i), Tx: crypto.Keccak256Hash(b.Hash[:], []byte{byte(i)}), TxIndex: uint(i),
			Address: addr, Topics: []common.Hash{crypto.Keccak256Hash([]byte("Event"))}, Data: []byte{byte(i)},
		})
		b.bloom.Add(addr.Bytes())
	}
	c.blocks, c.byHash[b.Hash], c.next = append(c.blocks, b), b, c.next+1
	if b.Height > c.depth {
		for _, x := range c.blocks {
			if x.Height <= b.Height-c.depth {
				c.final = max(c.final, x.Height)
			}
		}
	}
	return b.Block
}

// null leaves a hole in heights.
func (c *fakeChain) null() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
}

// drop removes the newest n blocks, final ones too.
func (c *fakeChain) drop(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blocks = c.blocks[:len(c.blocks)-n]
	c.next = c.blocks[len(c.blocks)-1].Height + 1
}

// reorg replaces the newest n blocks by as many and one more, each with logs.
func (c *fakeChain) reorg(n, logs int) {
	c.drop(n)
	for range n + 1 {
		c.mine(logs)
	}
}

// reorgable is how many blocks are above the final one.
func (c *fakeChain) reorgable() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, b := range c.blocks {
		if b.Height > c.final {
			n++
		}
	}
	return n
}

func (c *fakeChain) set(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// canonical gives our logs in blocks from height start on.
func (c *fakeChain) canonical(start uint64) []ident {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []ident
	for _, b := range c.blocks {
		for _, l := range b.logs {
			if l.Address == ours && l.Height >= start {
				out = append(out, identOf(l))
			}
		}
	}
	return out
}

func (c *fakeChain) serve(t testing.TB) *RPC {
	srv := httptest.NewServer(c)
	client, err := NewClient(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); srv.Close() })
	return client
}

// direct serves without sockets, for tests that make many calls.
func (c *fakeChain) direct() *RPC {
	return &RPC{url: "http://fake", name: "http://fake", http: &http.Client{Transport: &transport{next: c}}}
}

// RoundTrip implements http.RoundTripper.
func (c *fakeChain) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	c.ServeHTTP(rec, r)
	return rec.Result(), r.Body.Close()
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// ServeHTTP implements http.Handler.
func (c *fakeChain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var req struct {
		ID     json.RawMessage   `json:"id"`
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[req.Method]++
	if c.intercept != nil && c.intercept(req.Method, req.Params, w) {
		return
	}
	result, fault := c.answer(req.Method, req.Params)
	out := map[string]any{"jsonrpc": "2.0", "id": req.ID, "result": result}
	if fault != nil {
		delete(out, "result")
		out["error"] = fault
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

func (c *fakeChain) answer(method string, params []json.RawMessage) (any, *rpcError) {
	switch method {
	case "eth_chainId":
		return hexutil.Uint64(c.id), nil
	case "eth_getBlockByNumber":
		var ref string
		_ = json.Unmarshal(params[0], &ref)
		return c.block(ref)
	case "eth_getBlockByHash":
		var hash common.Hash
		_ = json.Unmarshal(params[0], &hash)
		if b, ok := c.byHash[hash]; ok {
			return c.json(b), nil
		}
		return nil, nil
	case "eth_getLogs":
		var f struct {
			FromBlock *hexutil.Uint64  `json:"fromBlock"`
			ToBlock   *hexutil.Uint64  `json:"toBlock"`
			BlockHash *common.Hash     `json:"blockHash"`
			Address   []common.Address `json:"address"`
		}
		if err := json.Unmarshal(params[0], &f); err != nil {
			return nil, &rpcError{-32602, err.Error()}
		}
		if f.BlockHash != nil {
			return c.logsByHash(*f.BlockHash, f.Address)
		}
		return c.logsByRange(uint64(*f.FromBlock), uint64(*f.ToBlock), f.Address)
	}
	return nil, &rpcError{-32601, "method not found"}
}

func (c *fakeChain) shown() []fakeBlock { return c.blocks[:max(1, len(c.blocks)-int(c.lag))] }

func (c *fakeChain) block(ref string) (any, *rpcError) {
	shown := c.shown()
	head := shown[len(shown)-1]
	switch ref {
	case "latest":
		return c.json(head), nil
	case "finalized":
		if c.noTag {
			return nil, &rpcError{-32602, "invalid argument 0: unknown tag"}
		}
		for i := len(shown) - 1; i >= 0; i-- {
			if shown[i].Height <= c.final {
				return c.json(shown[i]), nil
			}
		}
	}
	h, err := hexutil.DecodeUint64(ref)
	if err != nil {
		return nil, &rpcError{-32602, err.Error()}
	}
	for _, b := range shown {
		if b.Height == h {
			return c.json(b), nil
		}
	}
	if h > head.Height {
		return nil, &rpcError{1, "requested a future epoch (beyond 'latest')"}
	}
	for i := len(shown) - 1; c.before && i >= 0; i-- {
		if shown[i].Height < h {
			return c.json(shown[i]), nil
		}
	}
	return nil, &rpcError{12, fmt.Sprintf("requested epoch was a null round (%d)", h)}
}

func (c *fakeChain) json(b fakeBlock) any {
	bloom := b.bloom
	if c.ones {
		for i := range bloom {
			bloom[i] = 0xff
		}
	}
	return map[string]any{
		"number": hexutil.Uint64(b.Height), "hash": b.Hash, "parentHash": b.Parent,
		"timestamp": hexutil.Uint64(b.Time.Unix()), "logsBloom": bloom, "transactions": []string{},
	}
}

func (c *fakeChain) logsByHash(hash common.Hash, addrs []common.Address) (any, *rpcError) {
	b, ok := c.byHash[hash]
	if !ok {
		return nil, &rpcError{-32000, "unknown block"}
	}
	canonical := slices.ContainsFunc(c.blocks, func(x fakeBlock) bool { return x.Hash == hash })
	if c.renumber {
		b.logs = slices.Clone(b.logs)
		for i := range b.logs {
			b.logs[i].Index = uint(len(b.logs) - 1 - i)
		}
	}
	return c.render(b, addrs, !canonical), nil
}

func (c *fakeChain) logsByRange(from, to uint64, addrs []common.Address) (any, *rpcError) {
	c.ranges = append(c.ranges, to-from+1)
	shown := c.shown()
	switch {
	case to > shown[len(shown)-1].Height:
		return nil, &rpcError{1, "requested a future epoch"}
	case c.maxRange > 0 && to-from > c.maxRange:
		return nil, &rpcError{-32005, fmt.Sprintf("block range exceeds maximum of %d (got %d)", c.maxRange, to-from)}
	}
	out := []any{}
	for _, b := range shown {
		if b.Height >= from && b.Height <= to {
			out = append(out, c.render(b, addrs, false)...)
		}
	}
	if c.maxLogs > 0 && len(out) > c.maxLogs {
		return nil, &rpcError{1, "filter matches too many events, try a more restricted filter"}
	}
	return out, nil
}

// render gives a block's logs, or nothing as often as it is told to lie.
func (c *fakeChain) render(b fakeBlock, addrs []common.Address, removed bool) []any {
	out := []any{}
	if c.lie[b.Hash] > 0 && (!c.lateOnly || b.Height > c.final) {
		c.lie[b.Hash]--
		return out
	}
	for _, l := range b.logs {
		if slices.Contains(addrs, l.Address) {
			out = append(out, map[string]any{
				"address": l.Address, "topics": l.Topics, "data": hexutil.Bytes(l.Data), "blockNumber": hexutil.Uint64(l.Height),
				"blockHash": l.Block, "transactionHash": l.Tx, "transactionIndex": hexutil.Uint64(l.TxIndex),
				"logIndex": hexutil.Uint64(l.Index), "removed": removed,
			})
		}
	}
	return out
}
