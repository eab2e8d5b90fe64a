package rpc_test

import (
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	gethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	gethrpc "github.com/ethereum/go-ethereum/rpc"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm/fvmtest"
	"github.com/tidegate/tidegate/devnet/rpc"
)

// patience bounds every wait; nothing is expected to take as long.
const patience = 2 * time.Minute

// TestMain fails when a test leaves a goroutine behind.
func TestMain(m *testing.M) { fvmtest.Main(m) }

// net is a running chain with its server and an Ethereum client.
type net struct {
	*chain.Chain
	server *rpc.Server
	rpc    *gethrpc.Client
	eth    *ethclient.Client
}

// start runs a chain on demand and a server for it, until the test ends.
func start(tb testing.TB, configure ...func(*chain.Config, *rpc.Config)) *net {
	tb.Helper()
	config, served := chain.Config{AutoMine: true, Engine: fvmtest.Engine(tb)}, rpc.Config{}
	for _, f := range configure {
		f(&config, &served)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c, err := chain.New(ctx, config)
	if err != nil {
		cancel()
		tb.Fatal(err)
	}
	s, err := rpc.New(served, c)
	if err != nil {
		cancel()
		tb.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(ctx); err != nil {
			tb.Error(err)
		}
	})
	client, err := gethrpc.DialContext(ctx, s.URL())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		client.Close()
		cancel()
		if err := errors.Join(s.Close(), c.Close()); err != nil {
			tb.Error(err)
		}
		running.Wait()
	})
	return &net{Chain: c, server: s, rpc: client, eth: ethclient.NewClient(client)}
}

// within is a context that ends with the test's patience.
func within(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	tb.Cleanup(cancel)
	return ctx
}

// call is a call that must work.
func (n *net) call(tb testing.TB, result any, method string, params ...any) {
	tb.Helper()
	if err := n.rpc.CallContext(within(tb), result, method, params...); err != nil {
		tb.Fatalf("%s%v: %v", method, params, err)
	}
}

// refused is a call that must fail, with this code (unless 0) and these words.
func (n *net) refused(tb testing.TB, code int, words, method string, params ...any) error {
	tb.Helper()
	var ignored json.RawMessage
	err := n.rpc.CallContext(within(tb), &ignored, method, params...)
	if err == nil {
		tb.Fatalf("%s%v: answered %s, want an error with %q", method, params, ignored, words)
	}
	if coded := gethrpc.Error(nil); code != 0 && (!errors.As(err, &coded) || coded.ErrorCode() != code) {
		tb.Fatalf("%s%v: %v (%T), want code %d", method, params, err, err, code)
	}
	if !strings.Contains(err.Error(), words) {
		tb.Fatalf("%s%v: %v, want %q", method, params, err, words)
	}
	return err
}

// wallet is the key and address of a funded Ethereum account.
func (n *net) wallet(tb testing.TB, i int) (*ecdsa.PrivateKey, common.Address) {
	tb.Helper()
	key, err := crypto.ToECDSA(n.Accounts()[i].Key.KeyInfo().PrivateKey)
	if err != nil {
		tb.Fatal(err)
	}
	return key, crypto.PubkeyToAddress(key.PublicKey)
}

// send signs and sends a type-2 transaction with an estimated limit (or gas), and gives its receipt.
func (n *net) send(tb testing.TB, i int, to *common.Address, value *big.Int, data []byte, gas uint64) *gethtypes.Receipt {
	tb.Helper()
	tx := n.sign(tb, i, to, value, data, gas)
	ctx := within(tb)
	if err := n.eth.SendTransaction(ctx, tx); err != nil {
		tb.Fatal(err)
	}
	receipt, err := n.eth.TransactionReceipt(ctx, tx.Hash())
	if err != nil {
		tb.Fatal(err)
	}
	return receipt
}

func (n *net) sign(tb testing.TB, i int, to *common.Address, value *big.Int, data []byte, gas uint64) *gethtypes.Transaction {
	tb.Helper()
	ctx := within(tb)
	key, from := n.wallet(tb, i)
	nonce, err := n.eth.PendingNonceAt(ctx, from)
	if err != nil {
		tb.Fatal(err)
	}
	if gas == 0 {
		var estimate string
		call := map[string]any{"from": from, "value": "0x" + value.Text(16), "data": "0x" + hex.EncodeToString(data)}
		if to != nil {
			call["to"] = to
		}
		n.call(tb, &estimate, "eth_estimateGas", call)
		gas = common.HexToHash(estimate).Big().Uint64()
	}
	tip, err := n.eth.SuggestGasTipCap(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	id := new(big.Int).SetUint64(n.ChainID())
	return gethtypes.MustSignNewTx(key, gethtypes.NewLondonSigner(id), &gethtypes.DynamicFeeTx{
		ChainID: id, Nonce: nonce, To: to, Value: value, Data: data, Gas: gas,
		GasTipCap: tip, GasFeeCap: new(big.Int).Add(tip, big.NewInt(1e9)),
	})
}

// A contract in bytes. Called without data it stores 5 in slot 1, emits LOG1(topic 7,
// data 42) and returns 42; with data it reverts with 0xdeadbeef.
var (
	sampleRuntime = common.FromHex("3615601257" + "63deadbeef600052" + "6004601cfd" + "5b" + "602a600052" + "600760206000a1" + "6005600155" + "60206000f3")
	sampleTopic   = common.BigToHash(big.NewInt(7))
)

// sample deploys the contract.
func (n *net) sample(tb testing.TB) common.Address {
	tb.Helper()
	size := byte(len(sampleRuntime))
	initcode := append([]byte{0x60, size, 0x60, 12, 0x60, 0, 0x39, 0x60, size, 0x60, 0, 0xf3}, sampleRuntime...)
	receipt := n.send(tb, 0, nil, new(big.Int), initcode, 0)
	if receipt.Status != 1 || receipt.ContractAddress == (common.Address{}) {
		tb.Fatalf("deployment: %+v", receipt)
	}
	return receipt.ContractAddress
}

// mine makes n tipsets.
func (n *net) mine(tb testing.TB, count int) {
	tb.Helper()
	if _, err := n.Mine(within(tb), count); err != nil {
		tb.Fatal(err)
	}
}

// eventually waits for a condition that another goroutine brings about.
func eventually(tb testing.TB, condition func() bool) {
	tb.Helper()
	ctx := within(tb)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			tb.Fatal("waited too long")
		case <-tick.C:
		}
	}
}

func receive[T any](tb testing.TB, from <-chan T) T {
	tb.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		tb.Fatal("waited too long")
	}
	panic("unreachable")
}
