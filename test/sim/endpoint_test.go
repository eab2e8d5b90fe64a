package sim

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/txmgr"
	"github.com/tidegate/tidegate/oracle/watch"
)

// endpoint is one way to the chain, with its own faults.
type endpoint struct {
	w    *world
	name string
	d    *draws
	lag  int  // blocks behind, drawn anew now and then
	fair bool // never fails: for the replay
}

var errTransport = errors.New("HTTP 502 Bad Gateway")

// fails lets time pass as a call does, and draws whether it fails.
func (e *endpoint) fails(ctx context.Context, method string, of ...any) error {
	if e.fair {
		return nil
	}
	if !e.w.alive(ctx) {
		return &watch.Fault{Kind: watch.FaultTransport, Endpoint: e.name, Method: method, Err: context.Canceled}
	}
	call := fmt.Sprint(e.name, " ", method, " ", of)
	e.w.turns.wait(call)
	sleep(ctx, time.Duration(1+e.d.n(50))*time.Millisecond+time.Duration(e.d.n(1000))*time.Microsecond)
	e.w.turns.wait(call)
	if e.w.calm.Load() {
		return nil
	}
	kind := watch.FaultTransport
	switch x := e.d.n(1000); {
	case x < e.w.rates.rpc:
		kind = []watch.FaultKind{watch.FaultTransport, watch.FaultThrottled, watch.FaultGarbage}[e.d.n(3)]
	case x < e.w.rates.rpc+2:
		sleep(ctx, 15*time.Second) // a stall
		e.w.turns.wait(call)
	default:
		return nil
	}
	return &watch.Fault{Kind: kind, Endpoint: e.name, Method: method, Err: errTransport}
}

func fault(kind watch.FaultKind, name, method, why string) error {
	return &watch.Fault{Kind: kind, Endpoint: name, Method: method, Err: errors.New(why)}
}

// shown is the canonical chain as this endpoint has it.
func (e *endpoint) shown() []*block {
	c := e.w.chain
	if e.fair || e.w.calm.Load() {
		return c.blocks
	}
	return c.blocks[:max(1, len(c.blocks)-e.lag)]
}

func (e *endpoint) Endpoint() string { return e.name }
func (e *endpoint) Name() string     { return e.name }

func (e *endpoint) ChainID(ctx context.Context) (uint64, error) {
	return chainID, e.fails(ctx, "eth_chainId")
}

func (e *endpoint) HeaderByTag(ctx context.Context, tag string) (watch.Header, error) {
	if err := e.fails(ctx, "eth_getBlockByNumber", tag); err != nil {
		return watch.Header{}, err
	}
	c := e.w.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	shown := e.shown()
	b := shown[len(shown)-1]
	if tag == "finalized" {
		if f := c.finalBlock(); f.Height < b.Height {
			b = f
		}
	}
	return watch.Header{Block: b.Block}, nil
}

func (e *endpoint) HeaderByNumber(ctx context.Context, height uint64) (watch.Header, error) {
	const method = "eth_getBlockByNumber"
	if err := e.fails(ctx, method, height); err != nil {
		return watch.Header{}, err
	}
	c := e.w.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	shown := e.shown()
	if height > shown[len(shown)-1].Height {
		return watch.Header{}, fault(watch.FaultNotYet, e.name, method, "requested a future epoch")
	}
	if b := c.at(height); b != nil {
		return watch.Header{Block: b.Block}, nil
	}
	return watch.Header{}, fault(watch.FaultNullRound, e.name, method, "requested epoch was a null round")
}

func (e *endpoint) HeaderByHash(ctx context.Context, hash common.Hash) (watch.Header, error) {
	const method = "eth_getBlockByHash"
	if err := e.fails(ctx, method, hash); err != nil {
		return watch.Header{}, err
	}
	c := e.w.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	shown := e.shown()
	if b := c.byHash[hash]; b != nil && b.Height <= shown[len(shown)-1].Height {
		return watch.Header{Block: b.Block}, nil
	}
	return watch.Header{}, fault(watch.FaultNotYet, e.name, method, "unknown block")
}

func (e *endpoint) LogsByRange(ctx context.Context, from, to uint64, addrs []common.Address) ([]chain.Log, error) {
	const method = "eth_getLogs"
	if err := e.fails(ctx, method); err != nil {
		return nil, err
	}
	c := e.w.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	shown := e.shown()
	if to > shown[len(shown)-1].Height {
		return nil, fault(watch.FaultNotYet, e.name, method, "requested a future epoch")
	}
	var out []chain.Log
	for _, b := range shown {
		if b.Height >= from && b.Height <= to && !e.late(b) {
			out = append(out, b.logs...)
		}
	}
	if !e.fair && e.w.rates.most > 0 && len(out) > e.w.rates.most && from < to {
		return nil, fault(watch.FaultTooMany, e.name, method, "filter matches too many events")
	}
	return slices.DeleteFunc(out, func(l chain.Log) bool { return !slices.Contains(addrs, l.Address) }), nil
}

// late reports whether the index has not come to a block yet: it has by the time that
// the block is final.
func (e *endpoint) late(b *block) bool {
	return !e.fair && !e.w.calm.Load() && b.Height > e.w.chain.final && e.d.n(1000) < e.w.rates.late
}

func (e *endpoint) LogsByBlock(ctx context.Context, hash common.Hash, addrs []common.Address) ([]chain.Log, error) {
	const method = "eth_getLogs"
	if err := e.fails(ctx, method); err != nil {
		return nil, err
	}
	c := e.w.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.byHash[hash]
	switch {
	case b == nil || b.Height > e.shown()[len(e.shown())-1].Height:
		return nil, fault(watch.FaultNotYet, e.name, method, "unknown block")
	case c.at(b.Height) != b:
		return nil, fault(watch.FaultGarbage, e.name, method, "a log is marked removed")
	case e.late(b):
		return nil, nil
	}
	out := slices.DeleteFunc(slices.Clone(b.logs), func(l chain.Log) bool { return !slices.Contains(addrs, l.Address) })
	for i := range out { // numbered otherwise than in ranges
		out[i].Index += 100
	}
	return out, nil
}

// ---- report ----

func (e *endpoint) CallContract(ctx context.Context, msg ethereum.CallMsg, _ *big.Int) ([]byte, error) {
	if err := e.fails(ctx, "eth_call", common.Bytes2Hex(msg.Data)); err != nil {
		return nil, err
	}
	c := e.w.chain
	c.mu.Lock()
	defer c.mu.Unlock()
	shown := e.shown()
	now := shown[len(shown)-1].after
	abi := contract.GetABI()
	m, err := abi.MethodById(msg.Data)
	if err != nil {
		return nil, err
	}
	switch m.Name {
	case "configDigest":
		return m.Outputs.Pack([32]byte{7})
	case "threshold":
		return m.Outputs.Pack(uint8(1))
	case "operators":
		return m.Outputs.Pack([]common.Address{e.w.report.Address()})
	case "nextSeq":
		return m.Outputs.Pack(now.seq)
	case "stateOf":
		in, err := m.Inputs.Unpack(msg.Data[4:])
		if err != nil {
			return nil, err
		}
		return m.Outputs.Pack(now.open[common.Hash(in[0].([32]byte))])
	}
	return nil, fmt.Errorf("the simulated contract has no %s", m.Name)
}

// ---- txmgr ----

// sending is the endpoint as txmgr has it, which asks for the chain's id as watch does.
type sending struct{ *endpoint }

func (s sending) ChainID(ctx context.Context) (uint64, error) {
	return chainID, s.fails(ctx, "eth_chainId", "to send")
}

func (e *endpoint) block(at txmgr.Tag) (*block, error) {
	shown := e.shown()
	switch at {
	case txmgr.Latest:
		return shown[len(shown)-1], nil
	case txmgr.Finalized:
		f := e.w.chain.finalBlock()
		if top := shown[len(shown)-1]; top.Height < f.Height {
			return top, nil
		}
		return f, nil
	}
	h, err := strconv.ParseUint(strings.TrimPrefix(string(at), "0x"), 16, 64)
	if err != nil {
		return nil, err
	}
	if b := e.w.chain.at(h); b != nil && h <= shown[len(shown)-1].Height {
		return b, nil
	}
	return nil, txmgr.ErrNoBlock
}

// read makes a call of txmgr's.
func (e *endpoint) read(ctx context.Context, method string, f func() error) error {
	if err := e.fails(ctx, method); err != nil {
		return err
	}
	e.w.chain.mu.Lock()
	defer e.w.chain.mu.Unlock()
	return f()
}

func (e *endpoint) Nonce(ctx context.Context, addr common.Address, at txmgr.Tag) (n uint64, err error) {
	err = e.read(ctx, "eth_getTransactionCount", func() error {
		b, err := e.block(at)
		if err == nil {
			n = b.after.nonces[addr]
		}
		return err
	})
	return n, err
}

func (e *endpoint) Balance(ctx context.Context, _ common.Address) (*big.Int, error) {
	return new(big.Int).Lsh(big.NewInt(1), 80), e.fails(ctx, "eth_getBalance")
}

func (e *endpoint) Head(ctx context.Context, at txmgr.Tag) (h txmgr.Head, err error) {
	err = e.read(ctx, "eth_getBlockByNumber", func() error {
		b, err := e.block(at)
		if err == nil {
			h = txmgr.Head{Height: b.Height, Hash: b.Hash, BaseFee: big.NewInt(100), GasLimit: 10_000_000_000}
		}
		return err
	})
	return h, err
}

func (e *endpoint) Receipt(ctx context.Context, hash common.Hash) (r txmgr.Receipt, ok bool, err error) {
	err = e.read(ctx, "eth_getTransactionReceipt", func() error {
		if !e.w.calm.Load() && e.d.n(1000) < e.w.rates.receipts {
			return nil
		}
		for _, b := range e.shown() {
			for _, tx := range b.txs {
				if tx.Hash() == hash {
					r, ok = txmgr.Receipt{Block: b.Hash, Height: b.Height, GasUsed: 21000, Price: big.NewInt(100), Success: true}, true
				}
			}
		}
		return nil
	})
	return r, ok, err
}

func (e *endpoint) Call(ctx context.Context, _ ethereum.CallMsg, _ txmgr.Tag) error {
	return e.fails(ctx, "eth_call")
}

func (e *endpoint) EstimateGas(ctx context.Context, _ ethereum.CallMsg) (uint64, error) {
	return 1_000_000, e.fails(ctx, "eth_estimateGas")
}

func (e *endpoint) Tip(ctx context.Context) (*big.Int, error) {
	return big.NewInt(10), e.fails(ctx, "eth_maxPriorityFeePerGas")
}

// SendRaw takes a transaction in, loses it, or loses the reply.
func (e *endpoint) SendRaw(ctx context.Context, raw []byte) error {
	if !e.w.alive(ctx) {
		return context.Canceled
	}
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(raw); err != nil {
		return err
	}
	if err := e.fails(ctx, "eth_sendRawTransaction"); err != nil {
		return err
	}
	if !e.w.alive(ctx) {
		return context.Canceled
	}
	e.w.chain.mu.Lock()
	defer e.w.chain.mu.Unlock()
	if !e.w.calm.Load() && e.d.n(1000) < e.w.rates.pool {
		return errTransport // dropped on the way
	}
	err := e.w.chain.admit(tx)
	if !e.w.calm.Load() && e.d.n(1000) < e.w.rates.pool {
		return errTransport // taken in; the reply is lost
	}
	return err
}
