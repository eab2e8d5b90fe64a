package bench

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/intake"
	"github.com/tidegate/tidegate/oracle/watch"
)

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
	}, watch.Deps{RPC: client, Ledger: ledger, Sink: sink, Ahead: in.Ahead})
	if err != nil {
		b.Fatal(err)
	}
	return w, ledger, sink
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
			began, before, got := time.Now(), computed(b, os.Getpid()), 0
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
			b.ReportMetric((computed(b, os.Getpid())-before)*1e6/backfillEvents, "cpu-µs/event")
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
			began, before := time.Now(), computed(b, os.Getpid())
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
			took, cpu := time.Since(began), computed(b, os.Getpid())-before
			if err := client.Client().CallContext(b.Context(), &calls, "bench_calls"); err != nil {
				b.Fatal(err)
			}
			count, missing, _, err := ledger.SeqAudit(b.Context(), benchProvider)
			if err != nil || count != backfillEvents || len(missing) > 0 {
				b.Fatalf("%d events in the ledger, %d missing, %v", count, len(missing), err)
			}
			b.ReportMetric(backfillEvents/took.Seconds(), "events/s")
			b.ReportMetric(cpu*1e6/backfillEvents, "cpu-µs/event")
			b.ReportMetric(float64(calls)/(backfillEvents/1000), "calls/1000events")
			b.ReportMetric(float64(peak-base)/(1<<20), "MiB")
			b.ReportMetric(float64(quarter-min(quarter, base))/(1<<20), "MiB-quarter")
		}
	})
	b.Run("ponder", func(b *testing.B) {
		for b.Loop() {
			took, cpu := ponder(b, url)
			b.ReportMetric(ponderEvents/took.Seconds(), "events/s")
			b.ReportMetric(cpu*1e6/ponderEvents, "cpu-µs/event")
		}
	})
}

// computed is how much processor time a process of ours has taken, in seconds.
func computed(b *testing.B, pid int) float64 {
	const ticks = 100 // a second, on every Linux
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skipf("what a process computes is not to be had here: %v", err)
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:])) // from the third field, its state
	var user, system float64
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		b.Fatal(err)
	}
	return (user + system) / ticks
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
