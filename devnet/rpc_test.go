package devnet_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/log"
	"github.com/holiman/uint256"

	"github.com/tidegate/tidegate/devnet"
)

func TestMethodsThatWalletsAndDaemonsUse(t *testing.T) {
	n := start(t)
	contract := n.deployLogger()
	topic := common.Hash{0x42}
	tx := n.send(&contract, 0, topic[:])
	mined := n.receipt(tx.Hash())
	to := devnet.Accounts()[1].Address.Hex()
	from := n.from.Hex()

	// Overriding the code at an unused address with "return 42" proves state overrides.
	answer := map[string]any{"0x00000000000000000000000000000000000000cc": map[string]any{"code": "0x602a60005260206000f3"}}
	cases := []struct {
		method string
		args   []any
		want   string // in the answer's JSON
	}{
		{"eth_getBlockByHash", []any{mined.BlockHash, false}, tx.Hash().Hex()},
		{"eth_getBlockByNumber", []any{"latest", false}, `"baseFeePerGas"`},
		{"eth_getBlockReceipts", []any{mined.BlockHash}, tx.Hash().Hex()},
		{"eth_getTransactionReceipt", []any{tx.Hash()}, `"effectiveGasPrice"`},
		{"eth_getLogs", []any{map[string]any{"fromBlock": "0x0", "toBlock": "latest", "topics": []any{topic}}}, tx.Hash().Hex()},
		{"eth_getLogs", []any{map[string]any{"blockHash": mined.BlockHash}}, tx.Hash().Hex()},
		{"eth_feeHistory", []any{"0x4", "latest", []int{50}}, `"gasUsedRatio"`},
		{"eth_maxPriorityFeePerGas", nil, `0x`},
		{"eth_gasPrice", nil, `0x`},
		{"eth_estimateGas", []any{map[string]any{"from": from, "to": to, "value": "0x1"}}, `"0x5208"`},
		{"eth_call", []any{map[string]any{"to": "0x00000000000000000000000000000000000000cc"}, "latest", answer}, "2a\""},
		{"eth_getCode", []any{contract, "latest"}, "600035"},
		{"eth_getTransactionCount", []any{from, "pending"}, `"0x2"`},
		{"eth_getBalance", []any{to, "0x0"}, "0x"},
		{"eth_getStorageAt", []any{contract, "0x0", "latest"}, "0x0"},
		{"eth_syncing", nil, "false"},
		{"eth_accounts", nil, "[]"},
		{"net_version", nil, `"31415926"`},
		{"web3_clientVersion", nil, "devnet"},
		{"web3_sha3", []any{"0x"}, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
		{"txpool_status", nil, `"pending"`},
	}
	for _, c := range cases {
		var raw json.RawMessage
		n.call(&raw, c.method, c.args...)
		if !strings.Contains(string(raw), c.want) {
			t.Errorf("%s answers %s, want something with %s", c.method, raw, c.want)
		}
	}
	for _, method := range []string{"admin_nodeInfo", "debug_setHead", "miner_setExtra", "personal_listAccounts", "engine_exchangeCapabilities"} {
		if err := n.rpc.CallContext(n.ctx, nil, method); err == nil || !strings.Contains(err.Error(), "does not exist") {
			t.Errorf("%s: %v, want no such method", method, err)
		}
	}
}

func TestTransactionsThatFilecoinWouldRefuse(t *testing.T) {
	n := start(t)
	n.chain.Pause()
	to := common.Address{1}
	first := n.sign(0, &to, 1, nil)
	n.must(n.eth.SendTransaction(n.ctx, first))
	replace := func(percent int64) error {
		bump := func(v *big.Int) *big.Int { return v.Div(v.Mul(v, big.NewInt(percent)), big.NewInt(100)) }
		tx, err := types.SignNewTx(n.key, types.LatestSignerForChainID(first.ChainId()), &types.DynamicFeeTx{
			ChainID: first.ChainId(), Nonce: 0, To: &to, Gas: first.Gas(),
			GasFeeCap: bump(first.GasFeeCap()), GasTipCap: bump(first.GasTipCap()),
		})
		n.must(err)
		return n.eth.SendTransaction(n.ctx, tx)
	}
	if err := replace(124); err == nil || !strings.Contains(err.Error(), "underpriced") {
		t.Errorf("a replacement that pays 24 %% more: %v", err)
	}
	if err := replace(125); err != nil {
		t.Errorf("a replacement that pays 25 %% more: %v", err)
	}
	legacy, err := types.SignNewTx(n.key, types.HomesteadSigner{}, &types.LegacyTx{Nonce: 1, To: &to, Gas: 21000, GasPrice: big.NewInt(2e9)})
	n.must(err)
	if err := n.eth.SendTransaction(n.ctx, legacy); err == nil || !strings.Contains(err.Error(), "replay-protected") {
		t.Errorf("a transaction without a chain id: %v", err)
	}
	for name, inner := range map[string]types.TxData{
		"a blob transaction":     &types.BlobTx{ChainID: uint256.NewInt(devnet.ChainID), Nonce: 1, Gas: 21000, GasFeeCap: uint256.NewInt(2e9), BlobFeeCap: uint256.NewInt(1), BlobHashes: []common.Hash{{1}}},
		"a set-code transaction": &types.SetCodeTx{ChainID: uint256.NewInt(devnet.ChainID), Nonce: 1, Gas: 100000, GasFeeCap: uint256.NewInt(2e9), AuthList: []types.SetCodeAuthorization{{}}},
	} {
		tx, err := types.SignNewTx(n.key, types.LatestSignerForChainID(first.ChainId()), inner)
		n.must(err)
		if err := n.eth.SendTransaction(n.ctx, tx); err == nil || !strings.Contains(err.Error(), "type not supported") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := n.rpc.CallContext(n.ctx, nil, "eth_sendRawTransaction", "0xdead"); err == nil {
		t.Error("garbage was accepted")
	}
}

func TestTimeControls(t *testing.T) {
	n := start(t)
	header := func() *types.Header {
		t.Helper()
		h, err := n.eth.HeaderByNumber(n.ctx, nil)
		n.must(err)
		return h
	}
	var offset int64
	n.call(&offset, "evm_increaseTime", 86400)
	n.call(nil, "evm_mine")
	if got, least := header().Time, uint64(time.Now().Unix()+86400-5); offset != 86400 || got < least {
		t.Errorf("offset %d, block time %d, want at least %d", offset, got, least)
	}
	pinned := header().Time + 1000
	n.call(nil, "evm_setNextBlockTimestamp", pinned)
	tx := n.send(&common.Address{1}, 1, nil)
	at, err := n.eth.HeaderByHash(n.ctx, n.receipt(tx.Hash()).BlockHash)
	n.must(err)
	if at.Time != pinned {
		t.Errorf("block time %d, want %d", at.Time, pinned)
	}
	if err := n.rpc.CallContext(n.ctx, nil, "evm_setNextBlockTimestamp", pinned); err == nil {
		t.Error("a timestamp in the past was accepted")
	}
	before := header()
	n.call(nil, "anvil_mine", "0x3", 100)
	if h := header(); h.Number.Uint64() != before.Number.Uint64()+3 || h.Time < before.Time+200 {
		t.Errorf("block %v at %d after block %v at %d", h.Number, h.Time, before.Number, before.Time)
	}
	var head devnet.Block
	n.call(&head, "devnet_mine", 10)
	if head.Number != before.Number.Uint64()+13 {
		t.Errorf("head %d", head.Number)
	}
}

func TestFundPaysOutOfNothing(t *testing.T) {
	n := start(t)
	poor := common.Address{0xdd}
	var block devnet.Block
	n.call(&block, "devnet_fund", poor, "1000000000000000000")
	balance, err := n.eth.BalanceAt(n.ctx, poor, new(big.Int).SetUint64(block.Number))
	n.must(err)
	if balance.Cmp(big.NewInt(1e18)) != 0 {
		t.Errorf("balance %v", balance)
	}
	if err := n.rpc.CallContext(n.ctx, nil, "devnet_fund", poor, 1); err == nil {
		t.Error("one attoFIL was paid; the chain counts in 1e9")
	}
}

func TestDropPendingForgets(t *testing.T) {
	n := start(t)
	n.chain.Pause()
	first, second := n.send(&common.Address{1}, 1, nil), n.send(&common.Address{1}, 2, nil)
	var dropped *common.Hash
	n.call(&dropped, "anvil_dropTransaction", second.Hash())
	if dropped == nil || *dropped != second.Hash() {
		t.Errorf("dropped %v", dropped)
	}
	n.call(&dropped, "anvil_dropTransaction", common.Hash{1})
	if dropped != nil {
		t.Errorf("dropped %v, which was never there", dropped)
	}
	n.call(nil, "evm_mine")
	n.receipt(first.Hash())
	if _, _, err := n.eth.TransactionByHash(n.ctx, second.Hash()); err == nil {
		t.Error("the dropped transaction is still known")
	}
}

func TestControlsOnlyOnLoopback(t *testing.T) {
	n := start(t, func(c *devnet.Config) { c.Host = "0.0.0.0" })
	if n.tag("latest") != 0 {
		t.Error("reads do not work")
	}
	for _, method := range []string{"devnet_mine", "devnet_accounts", "evm_mine", "anvil_mine"} {
		if err := n.rpc.CallContext(n.ctx, nil, method); err == nil || !strings.Contains(err.Error(), "does not exist") {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// lines is a log target.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func TestLogsGoToTheLoggerAndNowhereElse(t *testing.T) {
	standard, before := slog.Default(), log.Root()
	devnet.Start(t)
	if log.Root() != before {
		t.Error("go-ethereum's logger was touched without a Logger")
	}
	var out lines
	d := devnet.Start(t, func(c *devnet.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&out, nil))
	})
	if _, err := d.Mine(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"component=geth", "Chain head was updated"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no line with %q in:\n%s", want, out.String())
		}
	}
	if slog.Default() != standard {
		t.Error("the standard library's default logger was replaced")
	}
	length := len(out.String())
	log.Error("after close")
	if len(out.String()) != length {
		t.Error("go-ethereum still logs to a closed devnet's logger")
	}
}

// BenchmarkStart is a devnet from nothing to its first answer, and gone again.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		d, err := devnet.New(devnet.Config{})
		if err != nil {
			b.Fatal(err)
		}
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSendOnDemand is one eth_sendRawTransaction over HTTP and its receipt:
// one block with the transaction and three empty ones.
func BenchmarkSendOnDemand(b *testing.B) {
	n := start(b)
	to, nonce := common.Address{1}, uint64(0)
	for b.Loop() {
		tx := n.sign(nonce, &to, 1, nil)
		n.must(n.eth.SendTransaction(n.ctx, tx))
		n.receipt(tx.Hash())
		nonce++
	}
}
