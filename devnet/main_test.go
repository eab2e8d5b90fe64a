package devnet_test

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"go.uber.org/goleak"

	"github.com/tidegate/tidegate/devnet"
)

// childDir makes this test binary a devnet process on that data directory, which
// prints its URL and runs until it is killed.
const childDir = "DEVNET_TEST_CHILD_DIR"

func child(dir string) error {
	chain, err := devnet.New(devnet.Config{DataDir: dir, FinalityDepth: devnet.DefaultFinalityDepth})
	if err != nil {
		return err
	}
	fmt.Println(chain.HTTPURL())
	return chain.Run(context.Background())
}

// TestMain fails when a test leaves a goroutine behind. go-ethereum keeps one pool
// of goroutines for the whole process that no chain owns, and goleveldb, which holds
// its peers, lets one goroutine live for a second after a database is closed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/ethereum/go-ethereum/core.(*txSenderCacher).cache"),
		goleak.IgnoreTopFunction("github.com/syndtr/goleveldb/leveldb.(*DB).mpoolDrain"),
	)
}

// patience bounds every wait; nothing is expected to take as long.
const patience = 20 * time.Second

// network is a devnet with a client and a wallet.
type network struct {
	tb    testing.TB
	ctx   context.Context
	chain *devnet.Devnet
	eth   *ethclient.Client
	rpc   *rpc.Client
	key   *ecdsa.PrivateKey
	from  common.Address
}

func start(tb testing.TB, options ...func(*devnet.Config)) *network {
	tb.Helper()
	return connect(tb, devnet.Start(tb, options...))
}

func connect(tb testing.TB, chain *devnet.Devnet) *network {
	tb.Helper()
	n := dial(tb, chain.HTTPURL())
	n.chain = chain
	return n
}

func dial(tb testing.TB, url string) *network {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	tb.Cleanup(cancel)
	client, err := rpc.DialContext(ctx, url)
	if err != nil {
		tb.Fatalf("dial: %v", err)
	}
	tb.Cleanup(client.Close)
	account := devnet.Accounts()[0]
	return &network{tb, ctx, nil, ethclient.NewClient(client), client, account.Key(), account.Address}
}

// every sets the pause between blocks.
func every(d time.Duration) func(*devnet.Config) {
	return func(c *devnet.Config) { c.BlockTime = d }
}

func (n *network) must(err error) {
	n.tb.Helper()
	if err != nil {
		n.tb.Fatal(err)
	}
}

func (n *network) call(out any, method string, args ...any) {
	n.tb.Helper()
	if err := n.rpc.CallContext(n.ctx, out, method, args...); err != nil {
		n.tb.Fatalf("%s: %v", method, err)
	}
}

// sign makes a transaction of the wallet with a generous fee cap.
func (n *network) sign(nonce uint64, to *common.Address, value int64, data []byte) *types.Transaction {
	n.tb.Helper()
	tx, err := types.SignNewTx(n.key, types.LatestSignerForChainID(big.NewInt(devnet.ChainID)), &types.DynamicFeeTx{
		ChainID:   big.NewInt(devnet.ChainID),
		Nonce:     nonce,
		To:        to,
		Value:     big.NewInt(value),
		Gas:       500_000,
		GasFeeCap: big.NewInt(100e9),
		GasTipCap: big.NewInt(1e6),
		Data:      data,
	})
	n.must(err)
	return tx
}

// send signs with the next nonce and sends.
func (n *network) send(to *common.Address, value int64, data []byte) *types.Transaction {
	n.tb.Helper()
	nonce, err := n.eth.PendingNonceAt(n.ctx, n.from)
	n.must(err)
	tx := n.sign(nonce, to, value, data)
	n.must(n.eth.SendTransaction(n.ctx, tx))
	return tx
}

func (n *network) receipt(tx common.Hash) *types.Receipt {
	n.tb.Helper()
	receipt, err := n.eth.TransactionReceipt(n.ctx, tx)
	if err != nil {
		n.tb.Fatalf("receipt of %s: %v", tx, err)
	}
	return receipt
}

// await polls until ok.
func (n *network) await(what string, ok func() bool) {
	n.tb.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			n.tb.Fatalf("no %s within %v", what, patience)
		}
	}
}

func (n *network) tag(tag string) uint64 {
	n.tb.Helper()
	var header struct {
		Number string `json:"number"`
	}
	n.call(&header, "eth_getBlockByNumber", tag, false)
	number, ok := new(big.Int).SetString(header.Number, 0)
	if !ok {
		n.tb.Fatalf("block %q has number %q", tag, header.Number)
	}
	return number.Uint64()
}

// deployLogger deploys a contract that emits one log with its first calldata word
// as topic:  CALLDATALOAD(0) LOG1(0,0,·) STOP.
func (n *network) deployLogger() common.Address {
	n.tb.Helper()
	tx := n.send(nil, 0, common.FromHex("0x6860003560006000a10060005260096017f3"))
	n.await("deployment", func() bool {
		_, err := n.eth.TransactionReceipt(n.ctx, tx.Hash())
		return err == nil
	})
	receipt := n.receipt(tx.Hash())
	if receipt.Status != types.ReceiptStatusSuccessful {
		n.tb.Fatal("the logger contract was not deployed")
	}
	if got := receipt.ContractAddress; got != crypto.CreateAddress(n.from, tx.Nonce()) {
		n.tb.Fatalf("contract at %s", got)
	}
	return receipt.ContractAddress
}
