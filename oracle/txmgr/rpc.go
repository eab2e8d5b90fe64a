package txmgr

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// RPC is an Endpoint over JSON-RPC. It reads the few fields it needs itself,
// because Filecoin nodes fill in headers and receipts that go-ethereum's types
// hash or refuse.
type RPC struct {
	name   string
	client *rpc.Client
}

// NewRPC makes an endpoint for rawURL (http, https, ws, wss). Over HTTP nothing is
// dialled yet.
func NewRPC(ctx context.Context, rawURL string) (*RPC, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return nil, errors.New("an RPC URL needs a scheme and a host, as in http://127.0.0.1:8545")
	}
	client, err := rpc.DialContext(ctx, rawURL)
	if err != nil {
		return nil, fmt.Errorf("dialling RPC endpoint %s: %w", u.Host, hideURL(err))
	}
	return &RPC{name: u.Host, client: client}, nil
}

// FromClient makes an endpoint of a client that the caller owns.
func FromClient(name string, client *rpc.Client) *RPC { return &RPC{name: name, client: client} }

// Close frees the connection.
func (r *RPC) Close() { r.client.Close() }

// Name is the URL's host.
func (r *RPC) Name() string { return r.name }

// call makes a call, and a read again where its failure may pass: a look at the chain is
// many calls, of which each must succeed, so that an endpoint which fails one in five
// would hardly ever let one through.
func (r *RPC) call(ctx context.Context, out any, method string, args ...any) error {
	const tries, pause = 3, 100 * time.Millisecond
	for n := 1; ; n++ {
		err := r.client.CallContext(ctx, out, method, args...)
		if err == nil {
			return nil
		}
		if n == tries || method == methodSend || !passes(err) || !rest(ctx, pause<<n/2+rand.N(pause)) {
			return fmt.Errorf("%s: %w", method, hideURL(err))
		}
	}
}

// passes reports whether a call failed on its way, not by what the endpoint made of it.
func passes(err error) bool {
	var status rpc.HTTPError
	var answer rpc.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.As(err, &status):
		return status.StatusCode == http.StatusTooManyRequests || status.StatusCode >= http.StatusInternalServerError
	}
	return !errors.As(err, &answer)
}

func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

const methodSend = "eth_sendRawTransaction"

// hideURL keeps keys in URLs out of errors and logs.
func hideURL(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

// ChainID is eth_chainId.
func (r *RPC) ChainID(ctx context.Context) (uint64, error) {
	var id hexutil.Uint64
	err := r.call(ctx, &id, "eth_chainId")
	return uint64(id), err
}

// Nonce is eth_getTransactionCount. It is never asked for "pending": Filecoin
// nodes fail that for a fresh key, and others count what may vanish.
func (r *RPC) Nonce(ctx context.Context, addr common.Address, at Tag) (uint64, error) {
	var n hexutil.Uint64
	err := r.call(ctx, &n, "eth_getTransactionCount", addr, at)
	return uint64(n), err
}

// Balance is eth_getBalance at the latest block.
func (r *RPC) Balance(ctx context.Context, addr common.Address) (*big.Int, error) {
	var b hexutil.Big
	if err := r.call(ctx, &b, "eth_getBalance", addr, Latest); err != nil {
		return nil, err
	}
	return b.ToInt(), nil
}

// Head is eth_getBlockByNumber without transactions.
func (r *RPC) Head(ctx context.Context, at Tag) (Head, error) {
	var raw json.RawMessage
	if err := r.call(ctx, &raw, "eth_getBlockByNumber", at, false); err != nil {
		return Head{}, noBlock(err)
	}
	if len(raw) == 0 || string(raw) == "null" {
		return Head{}, ErrNoBlock
	}
	var b struct {
		Number   *hexutil.Uint64 `json:"number"`
		Hash     *common.Hash    `json:"hash"`
		BaseFee  *hexutil.Big    `json:"baseFeePerGas"`
		GasLimit hexutil.Uint64  `json:"gasLimit"`
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		return Head{}, fmt.Errorf("eth_getBlockByNumber: not a block: %w", err)
	}
	if b.Number == nil || b.Hash == nil {
		return Head{}, errors.New("eth_getBlockByNumber: a block without number or hash")
	}
	h := Head{Height: uint64(*b.Number), Hash: *b.Hash, GasLimit: uint64(b.GasLimit)}
	if b.BaseFee != nil {
		h.BaseFee = b.BaseFee.ToInt()
	}
	return h, nil
}

// noBlock recognises the ways in which nodes say that a tag has no block.
func noBlock(err error) error {
	low := strings.ToLower(err.Error())
	for _, p := range []string{"null round", "block not found", "header not found", "requested a future epoch", "looking for tipset with height greater", "finalized block not"} {
		if strings.Contains(low, p) {
			return fmt.Errorf("%w: %w", ErrNoBlock, err)
		}
	}
	var coded rpc.Error
	if errors.As(err, &coded) && coded.ErrorCode() == 12 { // Lotus: null round
		return fmt.Errorf("%w: %w", ErrNoBlock, err)
	}
	return err
}

// Receipt is eth_getTransactionReceipt.
func (r *RPC) Receipt(ctx context.Context, hash common.Hash) (Receipt, bool, error) {
	var raw json.RawMessage
	if err := r.call(ctx, &raw, "eth_getTransactionReceipt", hash); err != nil {
		return Receipt{}, false, err
	}
	if len(raw) == 0 || string(raw) == "null" {
		return Receipt{}, false, nil
	}
	var b struct {
		Block   *common.Hash    `json:"blockHash"`
		Number  *hexutil.Uint64 `json:"blockNumber"`
		Status  *hexutil.Uint64 `json:"status"`
		GasUsed hexutil.Uint64  `json:"gasUsed"`
		Price   *hexutil.Big    `json:"effectiveGasPrice"`
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		return Receipt{}, false, fmt.Errorf("eth_getTransactionReceipt: not a receipt: %w", err)
	}
	if b.Block == nil || b.Number == nil {
		return Receipt{}, false, nil // pending
	}
	if b.Status == nil {
		return Receipt{}, false, errors.New("eth_getTransactionReceipt: a receipt without status")
	}
	out := Receipt{Block: *b.Block, Height: uint64(*b.Number), GasUsed: uint64(b.GasUsed), Success: *b.Status == 1}
	if b.Price != nil {
		out.Price = b.Price.ToInt()
	}
	return out, true, nil
}

func callArgs(m ethereum.CallMsg) map[string]any {
	args := map[string]any{"from": m.From}
	if m.To != nil {
		args["to"] = m.To
	}
	if len(m.Data) > 0 {
		args["data"] = hexutil.Bytes(m.Data)
	}
	if m.Value != nil {
		args["value"] = (*hexutil.Big)(m.Value)
	}
	if m.GasFeeCap != nil {
		args["maxFeePerGas"] = (*hexutil.Big)(m.GasFeeCap)
		args["maxPriorityFeePerGas"] = (*hexutil.Big)(m.GasTipCap)
	}
	if m.Gas != 0 {
		args["gas"] = hexutil.Uint64(m.Gas)
	}
	return args
}

// Call is eth_call.
func (r *RPC) Call(ctx context.Context, m ethereum.CallMsg, at Tag) error {
	var out hexutil.Bytes
	return asVerdict(r.call(ctx, &out, "eth_call", callArgs(m), at))
}

// EstimateGas is eth_estimateGas at the latest block.
func (r *RPC) EstimateGas(ctx context.Context, m ethereum.CallMsg) (uint64, error) {
	var n hexutil.Uint64
	if err := r.call(ctx, &n, "eth_estimateGas", callArgs(m)); err != nil {
		return 0, asVerdict(err)
	}
	return uint64(n), nil
}

// Tip is eth_maxPriorityFeePerGas.
func (r *RPC) Tip(ctx context.Context) (*big.Int, error) {
	var b hexutil.Big
	if err := r.call(ctx, &b, "eth_maxPriorityFeePerGas"); err != nil {
		return nil, err
	}
	return b.ToInt(), nil
}

// SendRaw is eth_sendRawTransaction.
func (r *RPC) SendRaw(ctx context.Context, raw []byte) error {
	var hash common.Hash
	return r.call(ctx, &hash, methodSend, hexutil.Bytes(raw))
}
