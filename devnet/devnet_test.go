package devnet_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/tidegate/tidegate/devnet"
)

func TestAYoungChainAnswersItsTags(t *testing.T) {
	n := start(t)
	id, err := n.eth.ChainID(n.ctx)
	n.must(err)
	if id.Int64() != 31415926 {
		t.Fatalf("chain id %v", id)
	}
	for head := uint64(0); head < 6; head++ {
		want := map[string]uint64{"latest": head, "finalized": head - min(head, 3), "safe": head - min(head, 3), "earliest": 0}
		for tag, number := range want {
			if got := n.tag(tag); got != number {
				t.Errorf("at head %d, %q is block %d, want %d", head, tag, got, number)
			}
		}
		if _, err := n.eth.TransactionReceipt(n.ctx, common.Hash{1}); !errors.Is(err, ethereum.NotFound) {
			t.Errorf("at head %d, the receipt of an unknown transaction: %v", head, err)
		}
		_, err := n.chain.Mine(n.ctx, 1)
		n.must(err)
	}
}

func TestTenAccountsAreFunded(t *testing.T) {
	n := start(t)
	if got := len(n.chain.Accounts()); got != 10 {
		t.Fatalf("%d accounts", got)
	}
	for _, a := range n.chain.Accounts() {
		balance, err := n.eth.BalanceAt(n.ctx, a.Address, nil)
		n.must(err)
		if balance.String() != "10000"+strings.Repeat("0", 18) {
			t.Errorf("%s has %s attoFIL", a.Address, balance)
		}
	}
}

func TestOnDemandATransactionIsMinedAndFinalWhenSendReturns(t *testing.T) {
	n := start(t)
	to := common.Address{0xaa}
	for i := range uint64(5) {
		tx := n.send(&to, 7, nil)
		receipt := n.receipt(tx.Hash())
		if want := 1 + 4*i; receipt.BlockNumber.Uint64() != want {
			t.Errorf("transaction %d is in block %v, want %d", i, receipt.BlockNumber, want)
		}
		if final := n.tag("finalized"); final != receipt.BlockNumber.Uint64() {
			t.Errorf("finalized is %d, the transaction in %v", final, receipt.BlockNumber)
		}
	}
	balance, err := n.eth.BalanceAt(n.ctx, to, nil)
	n.must(err)
	if balance.Int64() != 35 {
		t.Errorf("balance %v", balance)
	}
}

func TestOnDemandABatchOutOfOrderIsMinedOneBlockEach(t *testing.T) {
	n := start(t)
	to := common.Address{0xbb}
	var batch []rpc.BatchElem
	var hashes []common.Hash
	for _, nonce := range []uint64{2, 1, 3, 0, 4} {
		tx := n.sign(nonce, &to, 1, nil)
		raw, err := tx.MarshalBinary()
		n.must(err)
		hashes = append(hashes, tx.Hash())
		batch = append(batch, rpc.BatchElem{Method: "eth_sendRawTransaction", Args: []any{fmt.Sprintf("%#x", raw)}, Result: new(string)})
	}
	n.must(n.rpc.BatchCallContext(n.ctx, batch))
	blocks := make(map[uint64]bool)
	for i, elem := range batch {
		n.must(elem.Error)
		blocks[n.receipt(hashes[i]).BlockNumber.Uint64()] = true
	}
	if len(blocks) != 5 {
		t.Errorf("5 transactions are in %d blocks", len(blocks))
	}
	if head := n.tag("latest"); head != 20 {
		t.Errorf("head %d, want 20: five transactions and three blocks after each", head)
	}
}

func TestOnDemandManySendersAtOnce(t *testing.T) {
	n := start(t)
	errs := make(chan error)
	for _, account := range devnet.Accounts() {
		sender := *n
		sender.key, sender.from = account.Key(), account.Address
		go func() {
			for nonce := range uint64(3) {
				tx := sender.sign(nonce, &common.Address{1}, 1, nil)
				if err := sender.eth.SendTransaction(sender.ctx, tx); err != nil {
					errs <- err
					return
				}
				if _, err := sender.eth.TransactionReceipt(sender.ctx, tx.Hash()); err != nil {
					errs <- fmt.Errorf("receipt right after sending: %w", err)
					return
				}
			}
			errs <- nil
		}()
	}
	for range devnet.Accounts() {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if head := n.tag("latest"); head != 120 {
		t.Errorf("head %d, want 120", head)
	}
}

func TestTimedMiningTakesTransactionsAndKeepsTimeRising(t *testing.T) {
	n := start(t, every(50*time.Millisecond))
	tx := n.send(&common.Address{2}, 1, nil)
	n.await("receipt", func() bool {
		_, err := n.eth.TransactionReceipt(n.ctx, tx.Hash())
		return err == nil
	})
	n.await("fifth block", func() bool { return n.tag("latest") >= 5 })
	for i := int64(1); i <= 5; i++ {
		parent, err := n.eth.HeaderByNumber(n.ctx, big.NewInt(i-1))
		n.must(err)
		child, err := n.eth.HeaderByNumber(n.ctx, big.NewInt(i))
		n.must(err)
		if child.Time <= parent.Time {
			t.Errorf("block %d has time %d, its parent %d", i, child.Time, parent.Time)
		}
	}
}

func TestPauseHoldsTransactionsBackUntilResume(t *testing.T) {
	n := start(t)
	var status devnet.Status
	n.call(&status, "devnet_pause")
	if !status.Paused {
		t.Error("not paused")
	}
	tx := n.send(&common.Address{3}, 1, nil)
	if _, err := n.eth.TransactionReceipt(n.ctx, tx.Hash()); !errors.Is(err, ethereum.NotFound) {
		t.Fatalf("receipt while paused: %v", err)
	}
	n.call(&status, "devnet_resume")
	n.await("receipt", func() bool {
		_, err := n.eth.TransactionReceipt(n.ctx, tx.Hash())
		return err == nil
	})
}

func TestBlockTimeChangesWhileRunning(t *testing.T) {
	n := start(t)
	var status devnet.Status
	n.call(&status, "devnet_setBlockTime", 20)
	if status.BlockTime != "20ms" {
		t.Errorf("block time %s", status.BlockTime)
	}
	n.await("third block", func() bool { return n.tag("latest") >= 3 })
	n.call(&status, "devnet_setBlockTime", "0s")
	tx := n.send(&common.Address{4}, 1, nil)
	n.await("receipt", func() bool {
		_, err := n.eth.TransactionReceipt(n.ctx, tx.Hash())
		return err == nil
	})
	if err := n.rpc.CallContext(n.ctx, nil, "devnet_setBlockTime", 1); err == nil {
		t.Error("a block time of 1 ms was accepted")
	}
}

func TestRestartContinuesTheSameChain(t *testing.T) {
	dir := t.TempDir()
	inDir := func(c *devnet.Config) { c.DataDir, c.FinalityDepth = dir, 3 }
	config := devnet.Config{}
	inDir(&config)

	run := func(use func(*network)) {
		chain, err := devnet.New(config)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- chain.Run(ctx) }()
		use(connect(t, chain))
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	var tx *types.Transaction
	var genesis, head *types.Header
	run(func(n *network) {
		n.deployLogger()
		tx = n.send(&common.Address{5}, 1, nil)
		var err error
		genesis, err = n.eth.HeaderByNumber(n.ctx, common.Big0)
		n.must(err)
		head, err = n.eth.HeaderByNumber(n.ctx, nil)
		n.must(err)
		if _, err := devnet.New(config); !errors.Is(err, devnet.ErrDataDirInUse) {
			t.Errorf("a second devnet on the directory: %v", err)
		}
	})
	run(func(n *network) {
		again, err := n.eth.HeaderByNumber(n.ctx, common.Big0)
		n.must(err)
		if again.Hash() != genesis.Hash() {
			t.Error("another genesis after the restart")
		}
		now, err := n.eth.HeaderByNumber(n.ctx, nil)
		n.must(err)
		if now.Hash() != head.Hash() {
			t.Errorf("head %v after the restart, %v before", now.Number, head.Number)
		}
		if n.tag("finalized") != n.receipt(tx.Hash()).BlockNumber.Uint64() {
			t.Error("finality was not kept")
		}
		if next := n.send(&common.Address{5}, 1, nil); next.Nonce() != 2 {
			t.Errorf("nonce %d after two transactions", next.Nonce())
		}
	})
}

func TestAKilledDevnetLosesNothing(t *testing.T) {
	dir := t.TempDir()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childDir+"="+dir)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the child printed no URL: %v", err)
	}
	n := dial(t, strings.TrimSpace(url))
	contract := n.deployLogger()
	topic := common.Hash{1}
	tx := n.send(&contract, 0, topic[:])
	head, err := n.eth.HeaderByNumber(n.ctx, nil)
	n.must(err)
	n.must(command.Process.Kill())
	if err := command.Wait(); err == nil {
		t.Fatal("the child ended well, so it was not killed")
	}

	again := start(t, func(c *devnet.Config) { c.DataDir = dir })
	if got := again.chain.Head(); got.Hash != head.Hash() {
		t.Errorf("head %d after the kill, %v before", got.Number, head.Number)
	}
	if logs := again.logs(contract); len(logs) != 1 || logs[0].TxHash != tx.Hash() {
		t.Errorf("logs %v", logs)
	}
	if next := again.send(&contract, 0, topic[:]); next.Nonce() != 2 {
		t.Errorf("nonce %d after two transactions", next.Nonce())
	}
}

func TestAForeignDataDirectoryIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/devnet.json", []byte(`{"chainId":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := devnet.New(devnet.Config{DataDir: dir})
	if !errors.Is(err, devnet.ErrConfig) || !strings.Contains(err.Error(), "another data directory") {
		t.Errorf("got %v", err)
	}
}

func TestPortInUseNamesThePortAndTheRemedy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	_, err = devnet.New(devnet.Config{Port: port})
	if !errors.Is(err, devnet.ErrPortInUse) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{fmt.Sprint(port), "choose another port"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestLifecycle(t *testing.T) {
	t.Run("closed without Run, twice", func(t *testing.T) {
		d, err := devnet.New(devnet.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(d.Close(), d.Close()); err != nil {
			t.Error(err)
		}
		if err := d.Run(context.Background()); !errors.Is(err, devnet.ErrClosed) {
			t.Errorf("Run after Close: %v", err)
		}
		if _, err := d.Mine(context.Background(), 1); !errors.Is(err, devnet.ErrClosed) {
			t.Errorf("Mine after Close: %v", err)
		}
	})
	t.Run("closed with an open subscription and a call under way", func(t *testing.T) {
		d := devnet.Start(t, every(20*time.Millisecond))
		socket, err := rpc.Dial(d.WSURL())
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Close()
		heads := make(chan *types.Header, 100)
		sub, err := socket.EthSubscribe(context.Background(), heads, "newHeads")
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Unsubscribe()
		<-heads
		begun := time.Now()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took > patience/2 {
			t.Errorf("Close took %v", took)
		}
		if _, err := net.DialTimeout("tcp", strings.TrimPrefix(d.HTTPURL(), "http://"), time.Second); err == nil {
			t.Error("the port is still open")
		}
	})
	t.Run("all bad values at once", func(t *testing.T) {
		_, err := devnet.New(devnet.Config{Port: 70000, BlockTime: time.Microsecond, GasLimit: 5})
		if !errors.Is(err, devnet.ErrConfig) {
			t.Fatalf("got %v", err)
		}
		for _, want := range []string{"port 70000", "block time", "gas limit 5"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not speak of %q", err, want)
			}
		}
	})
}

func TestBrowsersOfOtherOriginsAndNamesAreRefused(t *testing.T) {
	n := start(t)
	post := func(host, origin string) (*http.Response, string) {
		t.Helper()
		body := `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}`
		request, err := http.NewRequestWithContext(n.ctx, http.MethodPost, n.chain.HTTPURL(), strings.NewReader(body))
		n.must(err)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Origin", origin)
		if host != "" {
			request.Host = host
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Do(request)
		n.must(err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		n.must(err)
		return response, string(text)
	}
	for _, origin := range []string{"http://localhost:5173", "http://127.0.0.1:3000", "http://localhost"} {
		response, text := post("localhost:8545", origin)
		if response.Header.Get("Access-Control-Allow-Origin") != origin || !strings.Contains(text, "0x1df5e76") {
			t.Errorf("origin %s: %d %s", origin, response.StatusCode, text)
		}
	}
	if response, _ := post("", "https://evil.example"); response.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("a foreign origin may read answers")
	}
	if response, _ := post("evil.example", "http://localhost"); response.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign host name: %d", response.StatusCode)
	}
	for origin, welcome := range map[string]bool{"http://localhost:5173": true, "https://evil.example": false} {
		socket, err := rpc.DialOptions(n.ctx, n.chain.WSURL(), rpc.WithHeader("Origin", origin))
		if (err == nil) != welcome {
			t.Errorf("WebSocket from %s: %v", origin, err)
		}
		if err == nil {
			socket.Close()
		}
	}
}
