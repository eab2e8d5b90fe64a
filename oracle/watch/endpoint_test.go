package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

func TestRangesAreHalvedAndGrowAgain(t *testing.T) {
	for name, limit := range map[string]func(*fakeChain){
		"code -32005":    func(c *fakeChain) { c.maxRange = 9 },
		"too many logs":  func(c *fakeChain) { c.maxLogs = 7 },
		"one block only": func(c *fakeChain) { c.maxLogs = 1 }, // even a single block is over it: by hash then
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 2, nil)
			for i := range 120 {
				n := 0
				if i > 40 && i < 80 {
					n = 2
				}
				if i%7 == 0 {
					r.chain.null()
				}
				r.chain.mine(n)
			}
			r.chain.set(func() { limit(r.chain) })
			r.settle()
			r.agree()
			r.chain.set(func() {
				c := r.chain
				if w := slices.Max(c.ranges); w < 20 {
					t.Errorf("widest range %d", w)
				}
				if name == "code -32005" && c.calls["eth_getLogs"] > 60 {
					t.Errorf("%d reads for 138 heights", c.calls["eth_getLogs"])
				}
			})
		})
	}
}

func TestEmptyAnswerNearTheHeadIsRepaired(t *testing.T) {
	for name, ones := range map[string]bool{"bloom tells": false, "bloom is all ones": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 4, nil)
			r.chain.set(func() { r.chain.ones = ones })
			for range 10 {
				r.chain.mine(0)
			}
			r.settle()
			b := r.chain.mine(3)
			r.chain.set(func() { r.chain.lie[b.Hash] = 1 })
			r.settle()
			if got := len(r.ledger.live()); got != 3 {
				t.Fatalf("%d logs before they are final", got)
			}
			r.restart()
			for range 6 {
				r.chain.mine(1)
			}
			r.settle()
			r.agree()
		})
	}
}

func TestSecondReadThatHasLessIsNotBelieved(t *testing.T) {
	r := newRig(t, 4, nil)
	var b chain.Block
	for range 10 {
		b = r.chain.mine(1)
	}
	r.settle()
	r.chain.set(func() { r.chain.lie[b.Hash] = 1 }) // the range read hides it, the block read does not
	for range 4 {
		r.chain.mine(0)
	}
	r.settle()
	r.agree()
	if cur := r.ledger.cursor(); cur.Final != b.Height {
		t.Fatalf("final %d, want %d", cur.Final, b.Height)
	}
	b = r.chain.mine(1)
	r.settle()
	r.chain.set(func() { r.chain.lie[b.Hash] = 2 })
	for range 4 {
		r.chain.mine(0)
	}
	var failed error
	for range 10 {
		if _, err := r.w.Step(context.Background()); err != nil {
			failed = err
		}
	}
	if failed == nil || !strings.Contains(failed.Error(), "denied") {
		t.Fatalf("a log that is denied twice passed: %v", failed)
	}
	r.settle()
	r.agree()
}

func TestLaggingEndpointMovesNothing(t *testing.T) {
	r := newRig(t, 5, nil)
	for range 20 {
		r.chain.mine(1)
	}
	r.settle()
	before := len(r.ledger.all)
	r.chain.set(func() { r.chain.lag = 9 })
	for range 5 {
		if progress, err := r.w.Step(context.Background()); err != nil || progress {
			t.Fatalf("progress %v, error %v", progress, err)
		}
	}
	if !r.w.Status().Lagging || len(r.ledger.all) != before {
		t.Fatalf("status %+v after %d updates", r.w.Status(), len(r.ledger.all)-before)
	}
	r.chain.set(func() { r.chain.lag = 0 })
	r.chain.mine(1)
	r.settle()
	r.agree()
	if r.w.Status().Lagging {
		t.Fatal("still lagging")
	}
}

func TestFinalBlockThatChangesUnderTheSameHead(t *testing.T) {
	r := newRig(t, 3, nil)
	for range 9 {
		r.chain.mine(1)
	}
	r.settle()
	r.chain.set(func() {
		r.chain.intercept = func(_ string, params []json.RawMessage, w http.ResponseWriter) bool {
			if len(params) == 0 || string(params[0]) != `"finalized"` {
				return false
			}
			other := fakeBlock{Block: r.chain.blocks[6].Block}
			other.Hash[0] ^= 1
			_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": 1, "result": r.chain.json(other)})
			return true
		}
	})
	if _, err := r.w.Step(context.Background()); kindOf(err) != FaultGarbage {
		t.Fatalf("first sight: %v", err)
	}
	if _, err := r.w.Step(context.Background()); !errors.Is(err, chain.ErrDeepReorg) || r.ledger.cursor().Frozen == "" {
		t.Fatalf("second sight: %v, frozen %q", err, r.ledger.cursor().Frozen)
	}
}

func TestWrongChain(t *testing.T) {
	r := newRig(t, 3, func(c *Config) { c.ChainID = 314 })
	err := r.w.Run(context.Background())
	if !errors.Is(err, ErrWrongChain) || !strings.Contains(err.Error(), "31415926") || !strings.Contains(err.Error(), "says 314:") {
		t.Fatalf("got %v", err)
	}
}

func TestWrongChainAfterReconnect(t *testing.T) {
	r := newRig(t, 3, nil)
	r.chain.mine(1)
	r.settle()
	r.chain.set(func() {
		r.chain.id = 5
		once := true
		r.chain.intercept = func(_ string, _ []json.RawMessage, w http.ResponseWriter) bool {
			if once {
				once = false
				w.WriteHeader(http.StatusBadGateway)
				return true
			}
			return false
		}
	})
	if err := r.w.Run(context.Background()); !errors.Is(err, ErrWrongChain) {
		t.Fatalf("got %v", err)
	}
}

func TestOtherChainWithTheSameID(t *testing.T) {
	t.Run("another first block", func(t *testing.T) {
		r := newRig(t, 3, nil)
		r.chain.mine(1)
		r.settle()
		fresh := newFakeChain(3)
		fresh.set(func() { fresh.salt = 1000; fresh.blocks = nil; fresh.next = 0; fresh.mineLocked(0) })
		r.client = fresh.serve(t)
		r.restart()
		if err := r.w.Run(context.Background()); !errors.Is(err, ErrOtherChain) || !strings.Contains(err.Error(), "data directory") {
			t.Fatalf("got %v", err)
		}
	})
	t.Run("the same first block, another at the start", func(t *testing.T) {
		r := newRig(t, 2, func(c *Config) { c.Start = 4 })
		for range 12 {
			r.chain.mine(1)
		}
		r.settle()
		r.chain.set(func() { r.chain.blocks = r.chain.blocks[:1]; r.chain.next, r.chain.final = 1, 0 })
		for range 8 { // fewer blocks than the ledger has seen
			r.chain.mine(1)
		}
		r.restart()
		if err := r.w.Run(context.Background()); !errors.Is(err, ErrOtherChain) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestFinalityWithoutTheTag(t *testing.T) {
	t.Run("depth stands in", func(t *testing.T) {
		r := newRig(t, 0, func(c *Config) { c.FinalityDepth = 7 })
		r.chain.set(func() { r.chain.noTag = true })
		for range 5 {
			r.chain.mine(1)
		}
		r.settle()
		for range 30 {
			r.chain.null()
			r.chain.mine(1)
		}
		r.settle()
		r.agree()
		if cur := r.ledger.cursor(); cur.Head-cur.Final < 7 || cur.Head-cur.Final > 8 {
			t.Fatalf("cursor %+v", cur)
		}
	})
	t.Run("without one a long chain is an error", func(t *testing.T) {
		r := newRig(t, 0, nil)
		r.chain.set(func() { r.chain.noTag = true })
		for range 60 {
			r.chain.mine(1)
		}
		if _, err := r.w.Step(context.Background()); !errors.Is(err, ErrNoFinality) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestGarbageIsAnErrorThatNamesEndpointAndMethod(t *testing.T) {
	bodies := map[string]string{
		"html": "<html>busy</html>", "empty": "", "null": "null", "list": "[]", "cut": `{"jsonrpc":"2.0","id":1,"result":{"num`,
		"number": `{"jsonrpc":"2.0","id":1,"result":7}`, "object": `{"jsonrpc":"2.0","id":1,"result":{}}`,
		"wrong number": `{"jsonrpc":"2.0","id":1,"result":{"number":"0x5f5e100","hash":"0x` + strings.Repeat("11", 32) +
			`","parentHash":"0x` + strings.Repeat("22", 32) + `","timestamp":"0x1"}}`,
		"short hash": `{"jsonrpc":"2.0","id":1,"result":{"number":"0x1","hash":"0x11","parentHash":"0x22","timestamp":"0x1"}}`,
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 3, nil)
			r.chain.mine(1)
			r.settle()
			r.chain.mine(1)
			r.chain.set(func() {
				r.chain.intercept = func(_ string, _ []json.RawMessage, w http.ResponseWriter) bool {
					_, _ = w.Write([]byte(body))
					return true
				}
			})
			_, err := r.client.HeaderByNumber(context.Background(), 1)
			if err == nil || !strings.Contains(err.Error(), r.client.Endpoint()) || !strings.Contains(err.Error(), "eth_getBlockByNumber") {
				t.Fatalf("got %v", err)
			}
			if _, err := r.client.LogsByRange(context.Background(), 0, 1, nil); err == nil {
				t.Fatal("logs of garbage")
			}
			before := len(r.ledger.all)
			for range 3 {
				_, _ = r.w.Step(context.Background())
			}
			if len(r.ledger.all) != before {
				t.Fatal("garbage moved the ledger")
			}
			r.chain.set(func() { r.chain.intercept = nil })
			r.settle()
			r.agree()
		})
	}
}

func TestLogsThatCannotBeTrueAreRefused(t *testing.T) {
	end := chain.Block{Height: 9, Hash: common.Hash{9}}
	good := chain.Log{Height: 9, Block: end.Hash, Address: ours, Index: 1}
	edit := func(f func(*chain.Log)) chain.Log { l := good; f(&l); return l }
	cases := map[string][]chain.Log{
		"below the range":       {edit(func(l *chain.Log) { l.Height = 4 })},
		"above the range":       {edit(func(l *chain.Log) { l.Height = 10 })},
		"another contract":      {edit(func(l *chain.Log) { l.Address = others })},
		"another end block":     {edit(func(l *chain.Log) { l.Block = common.Hash{1} })},
		"two blocks, one level": {edit(func(l *chain.Log) { l.Height, l.Block = 7, common.Hash{1} }), edit(func(l *chain.Log) { l.Height, l.Block, l.Index = 7, common.Hash{2}, 2 })},
		"one block, two levels": {edit(func(l *chain.Log) { l.Height, l.Block = 7, common.Hash{1} }), edit(func(l *chain.Log) { l.Height, l.Block = 8, common.Hash{1} })},
	}
	r := newRig(t, 3, nil)
	for name, logs := range cases {
		if _, err := r.w.checked(logs, 5, end); kindOf(err) != FaultGarbage {
			t.Errorf("%s: %v", name, err)
		}
	}
	first := edit(func(l *chain.Log) { l.Index, l.Data = 0, []byte{7} })
	if got, err := r.w.checked([]chain.Log{good, good, first}, 5, end); err != nil || len(got) != 2 || got[0].Index != 0 {
		t.Errorf("repeated and unordered logs: %v, %v", got, err)
	}
}

func TestRunRecoversFromAnEndpointThatIsDown(t *testing.T) {
	r := newRig(t, 2, nil)
	for range 5 {
		r.chain.mine(1)
	}
	lines := &lineLog{}
	r.chain.set(func() {
		n := 0
		r.chain.intercept = func(_ string, _ []json.RawMessage, w http.ResponseWriter) bool {
			if n++; n > 20 {
				return false
			}
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
	})
	w, err := New(r.cfg, Deps{RPC: r.client, Ledger: r.ledger, Sink: r.ledger, Logger: slog.New(slog.NewTextHandler(lines, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	for deadline := time.Now().Add(20 * time.Second); r.ledger.cursor().Height != 5 || !strings.Contains(lines.String(), "again\""); {
		if time.Now().After(deadline) {
			t.Fatalf("did not recover: %s", lines.String())
		}
		<-time.After(time.Millisecond)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatalf("Run: %v", err)
	}
	r.agree()
	if n := strings.Count(lines.String(), "cannot follow the chain"); n != 1 {
		t.Fatalf("%d warnings for one outage:\n%s", n, lines.String())
	}
}

type lineLog struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write implements io.Writer.
func (l *lineLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lineLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestBackoffGrowsIsCappedAndHonoursRetryAfter(t *testing.T) {
	r := newRig(t, 2, func(c *Config) { c.BackoffMin, c.BackoffMax = 100*time.Millisecond, 2*time.Second })
	plain := errors.New("x")
	for failures, around := range map[int]time.Duration{1: 100, 2: 200, 3: 400, 5: 1600, 6: 2000, 500: 2000} {
		around *= time.Millisecond
		for range 50 {
			if d := r.w.backoff(failures, plain); d < around*3/4 || d > around*5/4+1 {
				t.Fatalf("failure %d: waits %s", failures, d)
			}
		}
	}
	if d := r.w.backoff(1, fmt.Errorf("reading: %w", &Fault{Kind: FaultThrottled, After: time.Minute, Err: plain})); d != time.Minute {
		t.Fatalf("waits %s although a minute was asked for", d)
	}
}

func TestThrottlingCarriesRetryAfter(t *testing.T) {
	r := newRig(t, 2, nil)
	r.chain.set(func() {
		r.chain.intercept = func(_ string, _ []json.RawMessage, w http.ResponseWriter) bool {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
	})
	_, err := r.w.Step(context.Background())
	var f *Fault
	if !errors.As(err, &f) || f.Kind != FaultThrottled || f.After != 7*time.Second {
		t.Fatalf("got %v", err)
	}
}

func TestSinkThatFailsIsTriedAgain(t *testing.T) {
	r := newRig(t, 2, nil)
	r.chain.mine(1)
	r.ledger.fail = errors.New("disk full")
	if _, err := r.w.Step(context.Background()); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Fatalf("got %v", err)
	}
	r.settle()
	r.agree()
}

type deafSink struct{}

func (deafSink) Apply(context.Context, chain.Update) error { return nil }

func TestSinkThatDoesNotMoveTheLedgerIsNoticed(t *testing.T) {
	r := newRig(t, 2, nil)
	r.chain.mine(1)
	w, err := New(r.cfg, Deps{RPC: r.client, Ledger: r.ledger, Sink: deafSink{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Step(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Step(context.Background()); !errors.Is(err, ErrStalled) {
		t.Fatalf("got %v", err)
	}
}
