package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/tidegate/tidegate/oracle/chain"
)

// maxBody bounds one answer: an endpoint cannot fill our memory.
const maxBody = 256 << 20

// RPC is the Client over an Ethereum JSON-RPC endpoint. It connects when it is
// first used, so that an endpoint which is down is an error of a call.
type RPC struct {
	url  string
	name string
	http *http.Client

	mu   sync.Mutex
	conn *rpc.Client
}

// NewClient gives a client of the endpoint at rawURL (http, https, ws or wss).
// It does not connect. Close it when done.
func NewClient(rawURL string) (*RPC, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("chain endpoint: not a URL; use http(s):// or ws(s)://")
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
	default:
		return nil, fmt.Errorf("chain endpoint: scheme %q is not supported; use http(s):// or ws(s)://", u.Scheme)
	}
	if u.Host == "" {
		return nil, errors.New("chain endpoint: the URL has no host")
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	return &RPC{
		url: rawURL, name: u.Scheme + "://" + u.Host,
		http: &http.Client{Transport: &transport{next: t}},
	}, nil
}

// Endpoint names the endpoint without what might be secret.
func (c *RPC) Endpoint() string { return c.name }

// Close drops the connection. The client must not be used afterwards.
func (c *RPC) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
	c.http.CloseIdleConnections()
}

// ChainID asks eth_chainId.
func (c *RPC) ChainID(ctx context.Context) (uint64, error) {
	const method = "eth_chainId"
	raw, err := c.call(ctx, method)
	if err != nil {
		return 0, err
	}
	id, err := decodeQuantity(raw)
	if err != nil {
		return 0, c.garbage(method, err)
	}
	return id, nil
}

// HeaderByTag gives the block behind "latest" or "finalized". FaultNotYet when
// the endpoint knows the tag and has no such block yet.
func (c *RPC) HeaderByTag(ctx context.Context, tag string) (Header, error) {
	return c.header(ctx, "eth_getBlockByNumber", tag)
}

// HeaderByNumber gives the canonical block at a height. FaultNullRound when the
// height has none, for which older versions of Forest and Venus give the block before it
// (forest#7276, venus#6564); FaultNotYet when the endpoint has not come so far.
func (c *RPC) HeaderByNumber(ctx context.Context, height uint64) (Header, error) {
	const method = "eth_getBlockByNumber"
	h, err := c.header(ctx, method, hexutil.EncodeUint64(height))
	switch why := fmt.Errorf("asked for block %d and got %d", height, h.Height); {
	case err == nil && h.Height > height:
		return Header{}, c.garbage(method, why)
	case err == nil && h.Height < height:
		return Header{}, &Fault{Kind: FaultNullRound, Endpoint: c.name, Method: method, Err: why}
	}
	return h, err
}

// HeaderByHash gives a block, canonical or not. FaultNotYet when the endpoint does not
// have it.
func (c *RPC) HeaderByHash(ctx context.Context, hash common.Hash) (Header, error) {
	const method = "eth_getBlockByHash"
	h, err := c.header(ctx, method, hash.Hex())
	if err == nil && h.Hash != hash {
		return Header{}, c.garbage(method, fmt.Errorf("asked for block %s and got %s", hash, h.Hash))
	}
	return h, err
}

func (c *RPC) header(ctx context.Context, method, ref string) (Header, error) {
	raw, err := c.call(ctx, method, ref, false)
	if err != nil {
		return Header{}, err
	}
	h, err := decodeHeader(raw)
	switch {
	case errors.Is(err, errNull):
		return Header{}, &Fault{Kind: FaultNotYet, Endpoint: c.name, Method: method, Err: fmt.Errorf("no block %s", ref)}
	case err != nil:
		return Header{}, c.garbage(method, err)
	}
	return h, nil
}

// LogsByRange gives the logs of addrs in the canonical blocks from..to, both
// inclusive. FaultTooMany when the range should be cut.
func (c *RPC) LogsByRange(ctx context.Context, from, to uint64, addrs []common.Address) ([]chain.Log, error) {
	return c.logs(ctx, map[string]any{
		"fromBlock": hexutil.EncodeUint64(from), "toBlock": hexutil.EncodeUint64(to), "address": addrs,
	})
}

// LogsByBlock gives the logs of addrs in one block, named by its hash.
func (c *RPC) LogsByBlock(ctx context.Context, block common.Hash, addrs []common.Address) ([]chain.Log, error) {
	return c.logs(ctx, map[string]any{"blockHash": block, "address": addrs})
}

func (c *RPC) logs(ctx context.Context, filter map[string]any) ([]chain.Log, error) {
	const method = "eth_getLogs"
	if strings.HasPrefix(c.url, "http") {
		return c.postLogs(ctx, filter)
	}
	raw, err := c.call(ctx, method, filter)
	if err != nil {
		return nil, err
	}
	logs, err := decodeLogs(raw)
	if err != nil {
		return nil, c.garbage(method, err)
	}
	return logs, nil
}

// Call runs a contract's function on the state after the block at a height, and gives
// what it returns, not decoded.
func (c *RPC) Call(ctx context.Context, to common.Address, data []byte, height uint64) ([]byte, error) {
	const method = "eth_call"
	raw, err := c.call(ctx, method, map[string]any{"to": to, "data": hexutil.Bytes(data)}, hexutil.EncodeUint64(height))
	if err != nil {
		return nil, err
	}
	var out hexutil.Bytes
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, c.garbage(method, fmt.Errorf("not bytes: %w", err))
	}
	return out, nil
}

// HasReceipt reports whether the endpoint has a transaction's receipt.
func (c *RPC) HasReceipt(ctx context.Context, tx common.Hash) (bool, error) {
	raw, err := c.call(ctx, "eth_getTransactionReceipt", tx)
	return err == nil && !isNull(raw), err
}

// LogsByReceipts gives the logs of addrs in the receipts of the canonical block at a
// height. Lotus keeps receipts apart from its index of events, so one may have what
// the other lacks. FaultRefused where the endpoint does not serve eth_getBlockReceipts.
func (c *RPC) LogsByReceipts(ctx context.Context, height uint64, addrs []common.Address) ([]chain.Log, error) {
	const method = "eth_getBlockReceipts"
	raw, err := c.call(ctx, method, hexutil.EncodeUint64(height))
	if err != nil {
		return nil, err
	}
	var receipts []struct {
		Logs json.RawMessage `json:"logs"`
	}
	if err := json.Unmarshal(raw, &receipts); err != nil {
		return nil, c.garbage(method, fmt.Errorf("not a list of receipts: %w", err))
	}
	var out []chain.Log
	for _, r := range receipts {
		if isNull(r.Logs) {
			continue
		}
		logs, err := decodeLogs(r.Logs)
		if err != nil {
			return nil, c.garbage(method, err)
		}
		for _, l := range logs {
			if slices.Contains(addrs, l.Address) {
				out = append(out, l)
			}
		}
	}
	return out, nil
}

func (c *RPC) garbage(method string, err error) error {
	return &Fault{Kind: FaultGarbage, Endpoint: c.name, Method: method, Err: err}
}

func (c *RPC) call(ctx context.Context, method string, args ...any) (json.RawMessage, error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, &Fault{Kind: FaultTransport, Endpoint: c.name, Method: method, Err: withoutURL(err)}
	}
	var raw json.RawMessage
	if err := conn.CallContext(ctx, &raw, method, args...); err != nil {
		return nil, c.fault(ctx, method, err)
	}
	return raw, nil
}

func (c *RPC) dial(ctx context.Context) (*rpc.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		conn, err := rpc.DialOptions(ctx, c.url, rpc.WithHTTPClient(c.http), rpc.WithWebsocketMessageSizeLimit(maxBody))
		if err != nil {
			return nil, err
		}
		c.conn = conn
	}
	return c.conn, nil
}

// fault says what kind of failure err is.
func (c *RPC) fault(ctx context.Context, method string, err error) error {
	f := &Fault{Endpoint: c.name, Method: method, Kind: FaultTransport}
	var (
		slow   *throttled
		status rpc.HTTPError
		answer rpc.Error
		syntax *json.SyntaxError
		typ    *json.UnmarshalTypeError
	)
	switch {
	case ctx.Err() != nil:
		f.Err = ctx.Err()
		if errors.Is(f.Err, context.DeadlineExceeded) {
			f.Err = fmt.Errorf("no answer in time: %w", f.Err)
		}
		return f
	case errors.As(err, &slow):
		f.Kind, f.After, f.Err = FaultThrottled, slow.after, slow
		return f
	case errors.As(err, &status):
		f.Err = fmt.Errorf("HTTP %s: %s", status.Status, clip(string(status.Body)))
		if k := classify(0, string(status.Body)); k == FaultTooMany {
			f.Kind = k
		} else if status.StatusCode < 500 {
			f.Kind = FaultRefused
		}
		return f
	case errors.As(err, &answer):
		f.Code = answer.ErrorCode()
		f.Kind = classify(f.Code, answer.Error())
		f.Err = fmt.Errorf("code %d: %s", f.Code, clip(answer.Error()))
		return f
	case errors.As(err, &syntax), errors.As(err, &typ), errors.Is(err, rpc.ErrNoResult), errors.Is(err, errTooLong):
		f.Kind, f.Err = FaultGarbage, fmt.Errorf("not a JSON-RPC answer: %w", err)
		return f
	}
	f.Err = withoutURL(err)
	return f
}

// clip keeps what an endpoint says short enough for a log line.
func clip(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return s
}

// withoutURL drops the URL that net/http puts into its errors.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// throttled is a 429, or a 503 that names a time.
type throttled struct {
	status string
	after  time.Duration
}

func (t *throttled) Error() string { return "HTTP " + t.status }

var errTooLong = fmt.Errorf("the answer is longer than %d MiB", maxBody>>20)

// transport keeps Retry-After, which the JSON-RPC client drops, and bounds bodies.
type transport struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	retry := resp.Header.Get("Retry-After")
	if resp.StatusCode == http.StatusTooManyRequests || (resp.StatusCode == http.StatusServiceUnavailable && retry != "") {
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // lets the connection be used again
		_ = resp.Body.Close()
		return nil, &throttled{status: resp.Status, after: retryAfter(retry, time.Now())}
	}
	resp.Body = &bounded{ReadCloser: resp.Body, left: maxBody}
	return resp, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// retryAfter reads both forms of the header; 0 when it says nothing of use.
func retryAfter(v string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(strings.TrimSpace(v)); err == nil && s > 0 && s <= 24*3600 {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil && at.After(now) && at.Sub(now) <= 24*time.Hour {
		return at.Sub(now)
	}
	return 0
}

type bounded struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}
