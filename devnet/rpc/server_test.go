package rpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	gethrpc "github.com/ethereum/go-ethereum/rpc"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/rpc"
)

// post sends a body as it is.
func (n *net) post(tb testing.TB, body string, headers ...string) (int, string) {
	tb.Helper()
	request, err := http.NewRequestWithContext(within(tb), http.MethodPost, n.server.URL(), strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			request.Host = headers[i+1]
			continue
		}
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return response.StatusCode, string(answer)
}

func TestBatches(t *testing.T) {
	n := start(t, func(_ *chain.Config, c *rpc.Config) { c.MaxBatch, c.MaxBody = 4, 4096 })
	const one = `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}`
	status, answer := n.post(t, "["+one+`,{"jsonrpc":"2.0","method":"eth_chainId","params":[]},{"jsonrpc":"2.0","id":"x","method":"no_such","params":[]},7]`)
	var answers []struct {
		ID     any
		Result any
		Error  *struct{ Code int }
	}
	if err := json.Unmarshal([]byte(answer), &answers); err != nil || status != http.StatusOK || len(answers) != 3 {
		t.Fatalf("%d %s, %v", status, answer, err)
	}
	if answers[0].Result != "0x1df5e76" || answers[1].Error == nil || answers[1].Error.Code != -32601 || answers[2].Error.Code != -32600 {
		t.Fatalf("answers %s", answer)
	}
	for body, want := range map[string]string{
		"[" + strings.Repeat(one+",", 4) + one + "]": "batch of 5 calls is too large",
		"[]": "Invalid request",
		"[{": "Parse error",
		"{":  "Parse error",
		"":   "Invalid request",
		one[:len(one)-2] + `"` + strings.Repeat("a", 5000) + `"]}`: "request bigger than maximum",
	} {
		if status, answer := n.post(t, body); status < 400 || !strings.Contains(answer, want) {
			t.Errorf("%.60q: %d %s, want %q", body, status, answer, want)
		}
	}
}

func TestAccess(t *testing.T) {
	n := start(t)
	const body = `{"jsonrpc":"2.0","id":1,"method":"devnet_status","params":[]}`
	for _, c := range []struct {
		want    int
		headers []string
	}{
		{200, nil},
		{200, []string{"Host", "localhost:99"}},
		{403, []string{"Host", "evil.example"}},
		{200, []string{"Origin", "http://localhost:3000"}},
		{403, []string{"Origin", "https://evil.example", "Content-Type", "text/plain"}},
	} {
		if status, answer := n.post(t, body, c.headers...); status != c.want {
			t.Errorf("%v: %d %s, want %d", c.headers, status, answer, c.want)
		}
	}
	url := strings.Replace(n.server.URL(), "http", "ws", 1)
	if _, err := gethrpc.DialWebsocket(within(t), url, "https://evil.example"); err == nil {
		t.Error("a foreign page's WebSocket was accepted")
	}
	open := start(t, func(_ *chain.Config, c *rpc.Config) { c.Host = "0.0.0.0" })
	if _, answer := open.post(t, body); !strings.Contains(answer, "-32601") || !strings.Contains(answer, "devnet_status") {
		t.Errorf("controls on an open port: %s", answer)
	}
	if _, err := rpc.New(rpc.Config{Port: portOf(t, n.server)}, n.Chain); !errors.Is(err, rpc.ErrPortInUse) {
		t.Errorf("a second server on the port: %v", err)
	}
	if _, err := rpc.New(rpc.Config{Port: 70_000}, n.Chain); !errors.Is(err, rpc.ErrConfig) {
		t.Errorf("an impossible port: %v", err)
	}
}

func TestBareURL(t *testing.T) {
	n := start(t)
	client, err := gethrpc.DialContext(within(t), "http://"+n.server.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var id string
	if err := client.CallContext(within(t), &id, "eth_chainId"); err != nil || id != "0x1df5e76" {
		t.Fatalf("%s, %v", id, err)
	}
}

func TestControls(t *testing.T) {
	n := start(t)
	var block rpc.Block
	n.call(t, &block, "devnet_mine", 3)
	n.call(t, &block, "devnet_nullRounds", "0x2")
	if block.Number != 6 {
		t.Fatalf("block %+v, want epoch 6", block)
	}
	var id string
	n.call(t, &id, "evm_snapshot")
	n.call(t, nil, "anvil_mine", "0x5")
	n.call(t, nil, "evm_mine")
	var ok bool
	if n.call(t, &ok, "evm_revert", id); !ok || n.Head().Height() != 6 {
		t.Fatalf("reverted %v to %d", ok, n.Head().Height())
	}
	if n.call(t, &ok, "evm_revert", id); ok {
		t.Fatal("reverted twice to one snapshot")
	}
	before := n.Head().MinTimestamp()
	var seconds uint64
	n.call(t, &seconds, "evm_increaseTime", 100)
	if seconds != 120 || n.Head().MinTimestamp() != before+120 {
		t.Fatalf("increased by %d, the head's time by %d, want four epochs", seconds, n.Head().MinTimestamp()-before)
	}
	n.call(t, nil, "evm_setNextBlockTimestamp", before+150)
	if n.Head().MinTimestamp() != before+150 {
		t.Fatalf("head at %d", n.Head().MinTimestamp()-before)
	}
	n.refused(t, -32602, "is not after the head's", "evm_setNextBlockTimestamp", before)
	target := common.HexToAddress("0x00000000000000000000000000000000000a11ce")
	n.call(t, nil, "anvil_setBalance", target, "0xde0b6b3a7640000")
	n.call(t, &block, "devnet_fund", target, "1")
	balance, err := n.eth.BalanceAt(within(t), target, nil)
	if err != nil || balance.Cmp(new(big.Int).Add(big.NewInt(1e18), big.NewInt(1))) != 0 {
		t.Fatalf("balance %v, %v", balance, err)
	}
	var status rpc.Status
	n.call(t, &status, "devnet_pause")
	if !status.Paused {
		t.Fatalf("status %+v", status)
	}
	to := common.Address{19: 9}
	tx := n.sign(t, 0, &to, big.NewInt(1), nil, 50_000_000)
	if err := n.eth.SendTransaction(within(t), tx); err != nil {
		t.Fatal(err)
	}
	var dropped int
	if n.call(t, &dropped, "devnet_dropPending", []common.Hash{{1}}); dropped != 0 {
		t.Fatalf("dropped %d of none", dropped)
	}
	if n.call(t, &dropped, "devnet_dropPending"); dropped != 1 {
		t.Fatalf("dropped %d", dropped)
	}
	n.call(t, &status, "devnet_resume")
	var accounts []rpc.Account
	n.call(t, &accounts, "devnet_accounts")
	if len(accounts) < 12 || accounts[0].Address != "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266" ||
		accounts[0].PrivateKey.String() != "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80" {
		t.Fatalf("accounts %+v", accounts)
	}
	var info rpc.NodeInfo
	n.call(t, &info, "anvil_nodeInfo")
	if info.Environment.ChainID != n.ChainID() {
		t.Fatalf("info %+v", info)
	}
	n.refused(t, -32602, "want a whole number", "devnet_mine", "many")
	n.refused(t, -32602, "at most", "devnet_mine", 1<<40)
	var reorged rpc.Reorged
	n.call(t, &reorged, "devnet_reorg", 1)
	if reorged.Head.Number != reorged.OldHead.Number+1 {
		t.Fatalf("reorged %+v", reorged)
	}
}

func TestFullBlooms(t *testing.T) {
	n := start(t)
	n.mine(t, 2)
	for _, full := range []bool{true, false} {
		var block struct{ LogsBloom hexutil.Bytes }
		n.call(t, nil, "devnet_fullBlooms", full)
		if n.call(t, &block, "eth_getBlockByNumber", "latest", false); len(block.LogsBloom) != 256 || (block.LogsBloom[0] == 0xff) != full {
			t.Errorf("full %t: the bloom is %s", full, block.LogsBloom)
		}
	}
}

// Whatever comes as a request is answered, and with JSON.
func FuzzRequests(f *testing.F) {
	for _, method := range []string{"eth_getLogs", "eth_call", "eth_getBlockByNumber", "eth_estimateGas", "eth_feeHistory", "eth_getStorageAt", "eth_sendRawTransaction",
		"Filecoin.StateGetActor", "Filecoin.StateCall", "Filecoin.MpoolPush", "Filecoin.ChainGetTipSet", "Filecoin.StateSearchMsg", "Filecoin.GetActorEventsRaw", "devnet_setBalance"} {
		for _, params := range []string{`[]`, `[null]`, `[{}]`, `["0x1","latest"]`, `[{"to":"0x00000000000000000000000000000000000a11ce"},"latest"]`, `["0x02c0"]`, `[{"Message":{}}]`, `[{"/":"bafy2bzacea"},1,2,3]`, `[{},[]]`} {
			f.Add(method, params)
		}
	}
	n := start(f, func(c *chain.Config, _ *rpc.Config) { c.AutoMine = false })
	n.mine(f, 3)
	f.Fuzz(func(t *testing.T, method, params string) {
		if strings.HasPrefix(method, "devnet_") || strings.HasPrefix(method, "anvil_") || strings.HasPrefix(method, "evm_") || strings.Contains(method, "Wait") {
			if !strings.HasPrefix(method, "devnet_setBalance") {
				return // may mine for a year, or wait
			}
		}
		name, err := json.Marshal(method)
		if err != nil {
			t.Fatal(err)
		}
		request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, n.server.URL(), strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":`+string(name)+`,"params":`+params+`}`))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		var decoded struct{ Error *struct{ Message string } }
		if err := json.Unmarshal(bytes.TrimSpace(answer), &decoded); err != nil {
			t.Fatalf("%s(%s) answered %q: %v", method, params, answer, err)
		}
		if decoded.Error != nil && (strings.Contains(decoded.Error.Message, "panic") || decoded.Error.Message == "") {
			t.Fatalf("%s(%s): %s", method, params, decoded.Error.Message)
		}
	})
}

func portOf(tb testing.TB, s *rpc.Server) int {
	tb.Helper()
	_, port, _ := strings.Cut(s.Address(), ":")
	n, ok := new(big.Int).SetString(port, 10)
	if !ok {
		tb.Fatalf("address %s", s.Address())
	}
	return int(n.Int64())
}
