package devnet_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/tidegate/tidegate/devnet"
)

// patience bounds every wait; nothing is expected to take as long.
const patience = 2 * time.Minute

// network is a devnet with a client.
type network struct {
	*devnet.Devnet
	t   testing.TB
	ctx context.Context
	eth *ethclient.Client
}

func start(t testing.TB, options ...func(*devnet.Config)) *network {
	t.Helper()
	d := devnet.Start(t, options...)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	client, err := ethclient.DialContext(ctx, d.HTTPURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &network{d, t, ctx, client}
}

func (n *network) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

// send pays 7 attoFIL to a new address with the account's next nonce.
func (n *network) send(account int, to common.Address) *types.Transaction {
	n.t.Helper()
	a := devnet.Accounts()[account]
	nonce, err := n.eth.PendingNonceAt(n.ctx, a.Address)
	n.must(err)
	id := big.NewInt(devnet.ChainID)
	tx := types.MustSignNewTx(a.Key(), types.LatestSignerForChainID(id), &types.DynamicFeeTx{
		ChainID: id, Nonce: nonce, To: &to, Value: big.NewInt(7), Gas: 10_000_000,
		GasFeeCap: big.NewInt(1e9), GasTipCap: big.NewInt(1e5),
	})
	n.must(n.eth.SendTransaction(n.ctx, tx))
	return tx
}

func (n *network) tag(tag string) uint64 {
	n.t.Helper()
	var header struct {
		Number string `json:"number"`
	}
	n.must(n.eth.Client().CallContext(n.ctx, &header, "eth_getBlockByNumber", tag, false))
	number, ok := new(big.Int).SetString(header.Number, 0)
	if !ok {
		n.t.Fatalf("block %q has number %q", tag, header.Number)
	}
	return number.Uint64()
}

// await polls until ok.
func (n *network) await(what string, ok func() bool) {
	n.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-n.ctx.Done():
			n.t.Fatalf("no %s within %v", what, patience)
		}
	}
}

func TestANewDevnetAnswersAtOnce(t *testing.T) {
	n := start(t)
	id, err := n.eth.ChainID(n.ctx)
	n.must(err)
	if id.Int64() != 31415926 {
		t.Errorf("chain id %v", id)
	}
	latest := n.tag("latest")
	for tag, want := range map[string]uint64{"safe": 2, "finalized": 2} {
		if got := n.tag(tag); got != want {
			t.Errorf("latest is %d, %s %d, want %d", latest, tag, got, want)
		}
	}
	for i, a := range n.Accounts() {
		balance, err := n.eth.BalanceAt(n.ctx, a.Address, nil)
		n.must(err)
		if balance.Cmp(devnet.AccountBalance()) != 0 {
			t.Errorf("account %d has %s attoFIL", i, balance)
		}
	}
	header, err := n.eth.HeaderByNumber(n.ctx, nil)
	n.must(err)
	if age := time.Since(time.Unix(int64(header.Time), 0)); age < -patience || age > patience {
		t.Errorf("the latest block is %v old", age)
	}
}

func TestOnDemandATransactionIsFinalWhenSendReturns(t *testing.T) {
	n := start(t)
	to := common.Address{0xaa}
	for i := range 3 {
		tx := n.send(i, to)
		receipt, err := n.eth.TransactionReceipt(n.ctx, tx.Hash())
		n.must(err)
		if receipt.Status != 1 {
			t.Errorf("transaction %d failed", i)
		}
		if final := n.tag("finalized"); final < receipt.BlockNumber.Uint64() {
			t.Errorf("finalized is %d, the transaction in %v", final, receipt.BlockNumber)
		}
	}
	balance, err := n.eth.BalanceAt(n.ctx, to, nil)
	n.must(err)
	if balance.Int64() != 21 {
		t.Errorf("balance %v", balance)
	}
}

func TestTimedEpochsTakeTransactionsAndKeepTime(t *testing.T) {
	n := start(t, func(c *devnet.Config) { c.BlockTime = 50 * time.Millisecond })
	tx := n.send(0, common.Address{2})
	n.await("receipt", func() bool {
		_, err := n.eth.TransactionReceipt(n.ctx, tx.Hash())
		return err == nil
	})
	head := n.Chain().Head()
	parent, err := n.Chain().TipSet(head.Parents())
	n.must(err)
	if took := head.MinTimestamp() - parent.MinTimestamp(); took != 1 {
		t.Errorf("an epoch took %d s of chain time", took)
	}
}

func TestSameSeedAndTimeGiveTheSameChain(t *testing.T) {
	same := func(c *devnet.Config) {
		c.Seed, c.GenesisTime = [32]byte{1}, time.Unix(1_800_000_000, 0)
	}
	a, b := start(t, same), start(t, same)
	for i := range 2 {
		if x, y := a.send(i, common.Address{9}).Hash(), b.send(i, common.Address{9}).Hash(); x != y {
			t.Fatalf("transactions %s and %s", x, y)
		}
	}
	if x, y := a.Chain().Head(), b.Chain().Head(); x.Key() != y.Key() {
		t.Errorf("heads %s and %s", x.Key(), y.Key())
	}
}

func TestPortInUseNamesThePortAndTheRemedy(t *testing.T) {
	n := start(t)
	port := n.port()
	_, err := devnet.New(n.ctx, devnet.Config{Port: port, Engine: n.Chain().Engine()})
	if !errors.Is(err, devnet.ErrPortInUse) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{fmt.Sprint(port), "choose another port"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func (n *network) port() int {
	n.t.Helper()
	host := strings.TrimSuffix(strings.TrimPrefix(n.HTTPURL(), "http://"), "/rpc/v1")
	addr, err := net.ResolveTCPAddr("tcp", host)
	n.must(err)
	return addr.Port
}

func TestCloseWithoutRunAndTwice(t *testing.T) {
	n := start(t)
	d, err := devnet.New(n.ctx, devnet.Config{Engine: n.Chain().Engine()})
	n.must(err)
	n.must(errors.Join(d.Close(), d.Close()))
	if err := d.Run(n.ctx); err == nil {
		t.Error("it ran after Close")
	}
	if _, err := d.Chain().Mine(n.ctx, 1); !errors.Is(err, devnet.ErrClosed) {
		t.Errorf("Mine after Close: %v", err)
	}
}

func TestCloseWithAnOpenSubscription(t *testing.T) {
	n := start(t, func(c *devnet.Config) { c.BlockTime = 20 * time.Millisecond })
	socket, err := rpc.DialContext(n.ctx, n.WSURL())
	n.must(err)
	defer socket.Close()
	heads := make(chan map[string]any, 1000)
	sub, err := socket.EthSubscribe(n.ctx, heads, "newHeads")
	n.must(err)
	defer sub.Unsubscribe()
	select {
	case <-heads:
	case <-n.ctx.Done():
		t.Fatal("no head")
	}
	n.must(n.Close())
	if c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", n.port()), time.Second); err == nil {
		c.Close()
		t.Error("the port is still open")
	}
}

func TestAllBadValuesAreReportedAtOnce(t *testing.T) {
	_, err := devnet.New(context.Background(), devnet.Config{Port: 70000, BlockTime: time.Microsecond, FinalityDepth: 5000, Epoch: 1500 * time.Millisecond})
	if !errors.Is(err, devnet.ErrConfig) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"port 70000", "block time", "finality depth 5000", "1.5s"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not speak of %q", err, want)
		}
	}
}
