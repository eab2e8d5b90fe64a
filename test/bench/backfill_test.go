package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/intake"
	"github.com/tidegate/tidegate/oracle/watch"
)

const (
	backfillEvents = 200_000
	perBlock       = 40
	mostResults    = 10_000 // Lotus's MaxFilterResults
	benchChain     = 31415926
)

var (
	benchProvider = common.HexToAddress("0x1000000000000000000000000000000000000001")
	benchContract = estuaryprovider.NewEstuaryProvider()
)

// archive is a node with a long past: it keeps logs as nodes do and writes them as
// JSON for each answer, as nodes do.
type archive struct {
	mu     sync.Mutex
	logs   [][]types.Log // by height
	final  uint64
	calls  atomic.Int64
	shown  map[uint64]time.Time // when a height was first said to be final
	action uint16
}

func blockHash(h uint64) common.Hash { return crypto.Keccak256Hash(fmt.Appendf(nil, "block %d", h)) }

// samplePin is what the pinning contract asks of the provider.
func samplePin(b testing.TB) []byte {
	t, err := abi.NewType("tuple", "", []abi.ArgumentMarshaling{
		{Name: "cid", Type: "bytes"}, {Name: "requester", Type: "address"}, {Name: "maxBytes", Type: "uint64"},
		{Name: "expiry", Type: "uint40"}, {Name: "origins", Type: "string[]"}, {Name: "name", Type: "string"},
	})
	if err != nil {
		b.Fatal(err)
	}
	raw, err := abi.Arguments{{Type: t}}.Pack(struct {
		Cid       []byte
		Requester common.Address
		MaxBytes  uint64
		Expiry    *big.Int
		Origins   []string
		Name      string
	}{append([]byte{1, 0x55, 0x12, 0x20}, make([]byte, 32)...), common.Address{4}, 1 << 30, big.NewInt(4_000_000_000), []string{}, "a name"})
	if err != nil {
		b.Fatal(err)
	}
	return raw
}

// fill makes blocks with n requests each.
func (a *archive) fill(b testing.TB, blocks, n int) {
	spec := benchContract.GetABI().Events["OracleRequested"]
	payload := samplePin(b)
	a.mu.Lock()
	defer a.mu.Unlock()
	for range blocks {
		h := uint64(len(a.logs))
		var logs []types.Log
		for i := range n {
			seq := h*uint64(n) + uint64(i)
			terms := estuaryprovider.Terms{
				Seq: seq, Consumer: common.Address{2}, Action: a.action, Deadline: big.NewInt(4_000_000_000), AttemptUntil: big.NewInt(3_900_000_000),
				RefundTo: common.Address{3}, Fee: big.NewInt(1e15), AttemptFee: big.NewInt(1e13),
				PayloadHash: crypto.Keccak256Hash(payload), ContextHash: crypto.Keccak256Hash(nil),
			}
			enc := benchContract.PackIdOf(terms)[4:]
			id := crypto.Keccak256Hash(common.BigToHash(big.NewInt(benchChain)).Bytes(), common.BytesToHash(benchProvider[:]).Bytes(), enc)
			data, err := spec.Inputs.NonIndexed().Pack(terms, payload, []byte{})
			if err != nil {
				b.Fatal(err)
			}
			logs = append(logs, types.Log{
				Address: benchProvider, Topics: []common.Hash{spec.ID, id, common.BytesToHash(terms.Consumer[:]), {31: byte(a.action)}}, Data: data,
				BlockNumber: h, BlockHash: blockHash(h), TxHash: id, TxIndex: uint(i), Index: uint(i),
			})
		}
		a.logs = append(a.logs, logs)
	}
}

// ServeHTTP implements http.Handler.
func (a *archive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c struct {
		ID     json.RawMessage   `json:"id"`
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
	}
	_ = json.NewDecoder(r.Body).Decode(&c)
	a.calls.Add(1)
	out := map[string]any{"jsonrpc": "2.0", "id": c.ID}
	switch c.Method {
	case "eth_chainId":
		out["result"] = hexutil.Uint64(benchChain)
	case "eth_getBlockByNumber":
		out["result"] = a.header(string(c.Params[0]))
	case "bench_calls":
		out["result"] = a.calls.Swap(0) - 1
	case "eth_getLogs":
		logs, ok := a.find(c.Params[0])
		out["result"] = logs
		if !ok {
			delete(out, "result")
			out["error"] = map[string]any{"code": 1, "message": "filter matches too many events, try a more restricted filter"}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

func (a *archive) header(ref string) any {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := uint64(len(a.logs) - 1)
	switch ref {
	case `"latest"`:
	case `"finalized"`:
		h = a.final
		if _, known := a.shown[h]; !known && a.shown != nil {
			a.shown[h] = time.Now()
		}
	default:
		var v hexutil.Uint64
		_ = json.Unmarshal([]byte(ref), &v)
		h = uint64(v)
	}
	parent := common.Hash{}
	if h > 0 {
		parent = blockHash(h - 1)
	}
	return map[string]any{"number": hexutil.Uint64(h), "hash": blockHash(h), "parentHash": parent, "timestamp": hexutil.Uint64(1_700_000_000 + h)}
}

func (a *archive) find(raw json.RawMessage) ([]*types.Log, bool) {
	var f struct {
		FromBlock, ToBlock *hexutil.Uint64
		BlockHash          *common.Hash
	}
	_ = json.Unmarshal(raw, &f)
	a.mu.Lock()
	defer a.mu.Unlock()
	out := []*types.Log{}
	if f.BlockHash != nil {
		for h := len(a.logs) - 1; h >= 0; h-- {
			if blockHash(uint64(h)) == *f.BlockHash {
				for i := range a.logs[h] {
					out = append(out, &a.logs[h][i])
				}
				return out, true
			}
		}
	}
	for h := uint64(*f.FromBlock); h <= uint64(*f.ToBlock) && h < uint64(len(a.logs)); h++ {
		for i := range a.logs[h] {
			out = append(out, &a.logs[h][i])
		}
		if len(out) > mostResults {
			return nil, false
		}
	}
	return out, true
}

// idle is a queue that nobody waits at.
type idle struct{}

// Notify implements intake.Notifier.
func (idle) Notify(job.Kind) {}

// timed is a sink that takes down when a height became final in the ledger.
type timed struct {
	watch.Sink
	mu   sync.Mutex
	done map[uint64]time.Time
	last uint64
}

// Apply implements watch.Sink.
func (t *timed) Apply(ctx context.Context, u chain.Update) error {
	err := t.Sink.Apply(ctx, u)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = u.To
	if _, known := t.done[u.Final.Height]; !known && err == nil {
		t.done[u.Final.Height] = time.Now()
	}
	return err
}

// follower is watch, intake and a ledger on disk behind an archive.
func follower(b *testing.B, url string) (*watch.Watcher, *store.Store, *timed) {
	ledger, err := store.Open(b.Context(), store.Config{Path: filepath.Join(b.TempDir(), "ledger.db"), NodeID: "node"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = ledger.Close() })
	in, err := intake.New(intake.Config{ChainID: benchChain, Providers: []common.Address{benchProvider}}, intake.Deps{Ledger: ledger, Notifier: idle{}})
	if err != nil {
		b.Fatal(err)
	}
	client, err := watch.NewClient(url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	sink := &timed{Sink: in, done: map[uint64]time.Time{}}
	w, err := watch.New(watch.Config{
		Filter: "provider", Addresses: []common.Address{benchProvider}, ChainID: benchChain, SoftDepth: 1, PollInterval: 20 * time.Millisecond,
	}, watch.Deps{RPC: client, Ledger: ledger, Sink: sink})
	if err != nil {
		b.Fatal(err)
	}
	return w, ledger, sink
}

// archiveProcess makes a process of this program a node with the past of BenchmarkBackfill.
const archiveProcess = "TIDEGATE_BENCH_ARCHIVE"

func TestMain(m *testing.M) {
	if os.Getenv(archiveProcess) == "" {
		os.Exit(m.Run())
	}
	a := &archive{action: 1}
	a.fill(&testing.B{}, backfillEvents/perBlock, perBlock)
	a.final = uint64(len(a.logs) - 1)
	runtime.GC()
	srv := httptest.NewServer(a)
	fmt.Println(srv.URL)
	_, _ = io.Copy(io.Discard, os.Stdin) // until who started it is gone
}

// startArchive runs the node in a process of its own, so that its memory is not ours.
func startArchive(b *testing.B) (url string) {
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), archiveProcess+"=1"), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// BenchmarkBackfill reads 200,000 request events: only fetched, as any client does,
// and watched, decoded into jobs and durable. Memory is what this process holds more at
// its largest than before; quarter is the same after a quarter of the events, so that
// what does not grow shows.
func BenchmarkBackfill(b *testing.B) {
	url := startArchive(b)
	client, err := ethclient.Dial(url)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	b.Run("fetch", func(b *testing.B) {
		for b.Loop() {
			began, got := time.Now(), 0
			const step = mostResults / perBlock
			for from := int64(0); from < backfillEvents/perBlock; from += step {
				logs, err := client.FilterLogs(b.Context(), ethereum.FilterQuery{
					FromBlock: big.NewInt(from), ToBlock: big.NewInt(from + step - 1), Addresses: []common.Address{benchProvider},
				})
				if err != nil {
					b.Fatal(err)
				}
				got += len(logs)
			}
			if got != backfillEvents {
				b.Fatalf("%d events", got)
			}
			b.ReportMetric(backfillEvents/time.Since(began).Seconds(), "events/s")
		}
	})
	b.Run("tidegate", func(b *testing.B) {
		for b.Loop() {
			var calls int64
			if err := client.Client().CallContext(b.Context(), &calls, "bench_calls"); err != nil {
				b.Fatal(err)
			}
			debug.FreeOSMemory()
			base, peak, quarter := resident(b), uint64(0), uint64(0)
			w, ledger, sink := follower(b, url)
			began := time.Now()
			for progress := true; progress; {
				var err error
				if progress, err = w.Step(b.Context()); err != nil {
					b.Fatal(err)
				}
				peak = max(peak, resident(b))
				if sink.last < backfillEvents/perBlock/4 {
					quarter = peak
				}
			}
			took := time.Since(began)
			if err := client.Client().CallContext(b.Context(), &calls, "bench_calls"); err != nil {
				b.Fatal(err)
			}
			count, missing, _, err := ledger.SeqAudit(b.Context(), benchProvider)
			if err != nil || count != backfillEvents || len(missing) > 0 {
				b.Fatalf("%d events in the ledger, %d missing, %v", count, len(missing), err)
			}
			b.ReportMetric(backfillEvents/took.Seconds(), "events/s")
			b.ReportMetric(float64(calls)/(backfillEvents/1000), "calls/1000events")
			b.ReportMetric(float64(peak-base)/(1<<20), "MiB")
			b.ReportMetric(float64(quarter-min(quarter, base))/(1<<20), "MiB-quarter")
		}
	})
}

// resident is how much memory this process holds, SQLite's included.
func resident(b *testing.B) uint64 {
	raw, err := os.ReadFile("/proc/self/statm")
	var size, pages uint64
	if err == nil {
		_, err = fmt.Sscan(string(raw), &size, &pages)
	}
	if err != nil {
		b.Skipf("what a process holds is not to be had here: %v", err)
	}
	return pages * uint64(os.Getpagesize())
}

// BenchmarkFinalLag brings 100 requests a second and measures our own time from the
// answer in which a block is first final to its jobs being claimable.
func BenchmarkFinalLag(b *testing.B) {
	const blocks, perSecond, every = 100, 100, 200 * time.Millisecond
	for b.Loop() {
		a := &archive{action: 2, shown: map[uint64]time.Time{}}
		a.fill(b, 4, 0)
		srv := httptest.NewServer(a)
		w, _, sink := follower(b, srv.URL)
		ctx, stop := context.WithCancel(b.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = w.Run(ctx) })
		tick := time.NewTicker(every)
		for range blocks {
			<-tick.C
			a.fill(b, 1, int(perSecond*every/time.Second))
			a.mu.Lock()
			a.final = uint64(len(a.logs) - 4)
			a.mu.Unlock()
		}
		tick.Stop()
		time.Sleep(time.Second)
		stop()
		wg.Wait()
		srv.Close()
		var lags []time.Duration
		for h, at := range a.shown {
			if done, ok := sink.done[h]; ok && h > 4 {
				lags = append(lags, done.Sub(at))
			}
		}
		if len(lags) < blocks/2 {
			b.Fatalf("only %d of %d blocks were measured", len(lags), blocks)
		}
		slices.Sort(lags)
		b.ReportMetric(float64(lags[len(lags)*99/100].Microseconds())/1000, "ms-p99")
		b.ReportMetric(float64(lags[len(lags)/2].Microseconds())/1000, "ms-p50")
	}
}
