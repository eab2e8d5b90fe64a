package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/test/kubo"
)

// The first three accounts that anvil funds: who asks and owns the contracts, who
// sends, who signs.
var anvilKeys = []string{
	"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
	"59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
	"5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
}

const blockTime = "0.25" // seconds, of anvil; a block is final eight blocks later

var (
	provider = estuaryprovider.NewEstuaryProvider()
	pinning  = estuarypinning.NewEstuaryPinning()
)

// bridge is anvil with the contracts, and a whole daemon beside it.
type bridge struct {
	eth   *ethclient.Client
	admin string // the daemon's, host:port
	made  deploy.Deployment
	user  *bind.TransactOpts
	nonce uint64
}

// binary finds a program of the checkout.
func binary(b *testing.B, name string) string {
	b.Helper()
	path, err := filepath.Abs(filepath.Join("../../bin", name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		b.Fatalf("bin/%s is missing: make bench makes it: %v", name, err)
	}
	return path
}

func freeAddr(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// begin runs a program until the benchmark ends.
func begin(b *testing.B, env []string, program string, args ...string) {
	b.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if b.Failed() {
			text := out.String()
			b.Logf("%s: %s", program, text[max(0, len(text)-4000):])
		}
	})
}

// until asks again and again.
func until(b *testing.B, what string, within time.Duration, ask func() error) {
	b.Helper()
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			b.Fatalf("%s: not within %s: %v", what, within, err)
		}
	}
}

// startBridge starts both; through gives the endpoint that the daemon reads, for
// anvil's own.
func startBridge(b *testing.B, source *kubo.Node, through func(url string) string, flags ...string) *bridge {
	b.Helper()
	addr := freeAddr(b)
	_, port, _ := net.SplitHostPort(addr)
	begin(b, nil, binary(b, "anvil"), "--port", port, "--block-time", blockTime, "--slots-in-an-epoch", "4", "--gas-limit", "100000000", "--silent")
	url := "http://" + addr
	s := &bridge{}
	var err error
	if s.eth, err = ethclient.Dial(url); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.eth.Close)
	var id *big.Int
	until(b, "anvil answers", 20*time.Second, func() error { id, err = s.eth.ChainID(b.Context()); return err })
	private, err := crypto.HexToECDSA(anvilKeys[0])
	if err != nil {
		b.Fatal(err)
	}
	signs, err := crypto.HexToECDSA(anvilKeys[2])
	if err != nil {
		b.Fatal(err)
	}
	s.user = bind.NewKeyedTransactor(private, id)
	operators := []common.Address{crypto.PubkeyToAddress(signs.PublicKey)}
	if s.made, err = deploy.Run(b.Context(), s.eth, s.user, deploy.Plan{Profile: deploy.Anvil(), Operators: operators, Threshold: 1}); err != nil {
		b.Fatal(err)
	}
	if s.nonce, err = s.eth.PendingNonceAt(b.Context(), s.user.From); err != nil {
		b.Fatal(err)
	}
	s.admin = freeAddr(b)
	begin(b, []string{"SENDER_KEY=" + anvilKeys[1], "REPORT_KEY=" + anvilKeys[2]}, binary(b, "tidegate"), append([]string{
		"daemon", "--devnet", "--data-dir", filepath.Join(b.TempDir(), "tidegate"), "--chain-rpc", through(url), "--chain-id", id.String(),
		"--chain-provider", s.made.Contracts["EstuaryProvider"].Hex(), "--chain-pinning", s.made.Contracts["EstuaryPinning"].Hex(), "--chain-start", fmt.Sprint(s.made.StartBlock),
		"--keys-sender-env", "SENDER_KEY", "--keys-report-env", "REPORT_KEY", "--http-listen", freeAddr(b), "--http-admin", s.admin,
		"--ipfs-listen", "/ip4/127.0.0.1/tcp/0", "--ipfs-peers", source.Addr, "--http-pprof", "true",
	}, flags...)...)
	until(b, "the daemon is ready", time.Minute, func() error {
		res, err := http.Get("http://" + s.admin + "/readyz")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return errors.New(res.Status)
		}
		return nil
	})
	return s
}

// cpu gives the seconds that the daemon has computed, in user and system mode.
func (s *bridge) cpu(b *testing.B) float64 {
	b.Helper()
	res, err := http.Get("http://" + s.admin + "/metrics")
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "process_cpu_seconds_total "); ok {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				b.Fatal(err)
			}
			return v
		}
	}
	b.Fatal("the daemon does not tell how long it computed")
	return 0
}

// profile writes what the daemon computes from now on to the file that BENCH_PROFILE
// names, until the returned function is called.
func (s *bridge) profile(b *testing.B) (done func()) {
	b.Helper()
	path := os.Getenv("BENCH_PROFILE")
	if path == "" {
		return func() {}
	}
	read := make(chan error, 1)
	go func() {
		read <- func() error {
			res, err := http.Get("http://" + s.admin + "/debug/pprof/profile?seconds=15")
			if err != nil {
				return err
			}
			defer res.Body.Close()
			f, err := os.Create(path)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = io.Copy(f, res.Body)
			return err
		}()
	}()
	return func() {
		if err := <-read; err != nil {
			b.Error(err)
		}
	}
}

// ask asks for pins in one transaction, at a price that is enough for one each.
func (s *bridge) ask(b *testing.B, price *big.Int, cids []string) {
	b.Helper()
	var raw [][]byte
	for _, text := range cids {
		c, err := cid.Decode(text)
		if err != nil {
			b.Fatal(err)
		}
		raw = append(raw, c.Bytes())
	}
	opts := *s.user
	opts.Context, opts.Nonce, opts.GasLimit = b.Context(), new(big.Int).SetUint64(s.nonce), uint64(300_000+400_000*len(raw))
	opts.Value = new(big.Int).Mul(price, big.NewInt(int64(len(raw))))
	s.nonce++
	if _, err := bind.Transact(pinning.Instance(s.eth, s.made.Contracts["EstuaryPinning"]), &opts, pinning.PackPinBatch(raw)); err != nil {
		b.Fatal(err)
	}
}

func (s *bridge) price(b *testing.B) *big.Int {
	b.Helper()
	quote, err := bind.Call(pinning.Instance(s.eth, s.made.Contracts["EstuaryPinning"]), &bind.CallOpts{Context: b.Context()},
		pinning.PackQuotePin(), pinning.UnpackQuotePin)
	if err != nil {
		b.Fatal(err)
	}
	return quote.Fee
}

// logs gives the provider's events of one kind from a height on.
func (s *bridge) logs(b *testing.B, event string, from uint64) []types.Log {
	b.Helper()
	abi := provider.GetABI()
	logs, err := s.eth.FilterLogs(b.Context(), ethereum.FilterQuery{
		FromBlock: new(big.Int).SetUint64(from), Addresses: []common.Address{s.made.Contracts["EstuaryProvider"]},
		Topics: [][]common.Hash{{abi.Events[event].ID}},
	})
	if err != nil {
		b.Fatal(err)
	}
	return logs
}

// awaitAnswers waits for n answers. It reads each block once: to list all answers
// every time would cost the machine as much as giving them.
func (s *bridge) awaitAnswers(b *testing.B, n int, within time.Duration) {
	b.Helper()
	got, from := map[common.Hash]bool{}, s.made.StartBlock
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		for _, l := range s.logs(b, "OracleAnswered", from) {
			got[l.Topics[1]] = true
			from = max(from, l.BlockNumber) // again, should the node have shown a part of it
		}
		if len(got) >= n {
			return
		}
		if time.Now().After(end) {
			b.Fatalf("%d of %d requests are answered", len(got), n)
		}
	}
}

// BenchmarkAnswered asks for pins of 1 KiB that a Kubo on loopback has, and waits
// until the last is answered on chain. The rate is that of a whole machine, with the
// chain and the other node; what the daemon computes for an answer is ours alone.
func BenchmarkAnswered(b *testing.B) {
	const each = 20 // in a transaction
	source := kubo.Start(b)
	cids := addSmall(b, source)
	for b.Loop() {
		b.StopTimer()
		s := startBridge(b, source, func(url string) string { return url })
		price, done, computed := s.price(b), s.profile(b), s.cpu(b)
		b.StartTimer()
		began := time.Now()
		for i := 0; i < len(cids); i += each {
			s.ask(b, price, cids[i:min(i+each, len(cids))])
		}
		s.awaitAnswers(b, len(cids), 5*time.Minute)
		b.ReportMetric(float64(len(cids))/time.Since(began).Seconds(), "answers/s")
		b.ReportMetric(1000*(s.cpu(b)-computed)/float64(len(cids)), "cpu-ms/answer")
		done()
	}
}

// BenchmarkAnswerLag asks for ten pins a second and measures from the answer of the
// endpoint in which a request's block is first final, to the moment at which the
// transaction with its result is given to the endpoint.
func BenchmarkAnswerLag(b *testing.B) {
	const requests = 300
	source := kubo.Start(b)
	cids := addSmall(b, source)[:requests]
	for b.Loop() {
		proxy := &timing{final: map[uint64]time.Time{}, sent: map[uint64]time.Time{}}
		srv := httptest.NewServer(proxy)
		b.Cleanup(srv.Close)
		s := startBridge(b, source, func(url string) string { proxy.to = url; return srv.URL }, "--chain-poll-interval", "100ms", "--report-batch-window", "50ms")
		price := s.price(b)
		tick := time.NewTicker(100 * time.Millisecond)
		for _, text := range cids {
			s.ask(b, price, []string{text})
			<-tick.C
		}
		tick.Stop()
		s.awaitAnswers(b, requests, time.Minute)
		var lags []time.Duration
		proxy.mu.Lock()
		for _, l := range s.logs(b, "OracleRequested", s.made.StartBlock) {
			e, err := provider.UnpackOracleRequestedEvent(&l)
			if err != nil {
				b.Fatal(err)
			}
			sent, shown := proxy.sent[e.Terms.Seq], proxy.shownFinal(l.BlockNumber)
			if sent.IsZero() || shown.IsZero() {
				b.Fatalf("request %d: final %s, sent %s", e.Terms.Seq, shown, sent)
			}
			lags = append(lags, sent.Sub(shown))
		}
		proxy.mu.Unlock()
		slices.Sort(lags)
		b.ReportMetric(float64(lags[len(lags)*99/100].Microseconds())/1000, "ms-p99")
		b.ReportMetric(float64(lags[len(lags)/2].Microseconds())/1000, "ms-p50")
	}
}

// timing is a proxy that notes when it shows which block as final, and when it is
// given the transactions that answer.
type timing struct {
	to    string
	mu    sync.Mutex
	final map[uint64]time.Time // by height
	sent  map[uint64]time.Time // by the request's seq
}

type rpcCall struct {
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

type rpcAnswer struct {
	Result json.RawMessage `json:"result"`
}

// oneOrMany reads a call or a batch of calls.
func oneOrMany[T any](text []byte) (out []T) {
	if text = bytes.TrimSpace(text); len(text) > 0 && text[0] == '[' {
		_ = json.Unmarshal(text, &out)
		return out
	}
	var v T
	_ = json.Unmarshal(text, &v)
	return []T{v}
}

func (p *timing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	calls := oneOrMany[rpcCall](body)
	for _, c := range calls {
		if c.Method == "eth_sendRawTransaction" && len(c.Params) == 1 {
			p.noteSent(c.Params[0])
		}
	}
	res, err := http.Post(p.to, "application/json", bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	for i, a := range oneOrMany[rpcAnswer](text) {
		if i < len(calls) && calls[i].Method == "eth_getBlockByNumber" && len(calls[i].Params) > 0 && string(calls[i].Params[0]) == `"finalized"` {
			p.noteFinal(a.Result)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

func (p *timing) noteFinal(block json.RawMessage) {
	var v struct {
		Number hexutil.Uint64 `json:"number"`
	}
	if json.Unmarshal(block, &v) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.final[uint64(v.Number)]; !known {
		p.final[uint64(v.Number)] = time.Now()
	}
}

// shownFinal is when a height was first seen to be final.
func (p *timing) shownFinal(height uint64) (first time.Time) {
	for h, at := range p.final {
		if h >= height && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

func (p *timing) noteSent(param json.RawMessage) {
	now := time.Now()
	var raw hexutil.Bytes
	var tx types.Transaction
	if json.Unmarshal(param, &raw) != nil || tx.UnmarshalBinary(raw) != nil {
		return
	}
	abi := provider.GetABI()
	method, err := abi.MethodById(tx.Data())
	if err != nil || method.Name != "fulfill" {
		return
	}
	values, err := method.Inputs.Unpack(tx.Data()[4:])
	if err != nil {
		return
	}
	var in struct {
		ConfigDigest [32]byte
		Reports      []estuaryprovider.Report
		Signatures   [][]byte
	}
	if method.Inputs.Copy(&in, values) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range in.Reports {
		if _, known := p.sent[r.Terms.Seq]; !known {
			p.sent[r.Terms.Seq] = now
		}
	}
}
