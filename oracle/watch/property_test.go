package watch

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"pgregory.net/rapid"
)

// Whatever the chain and the endpoint do, short of rolling back what was final,
// the ledger ends up with exactly the canonical logs, and the fake ledger checks
// the promises of every update on the way.
func TestAnyHistoryEndsInTheCanonicalLogs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		depth := rapid.Uint64Range(0, 8).Draw(rt, "finality")
		r := newRig(t, depth, func(c *Config) {
			c.MaxRange = rapid.Uint64Range(1, 12).Draw(rt, "range")
			c.TailBatch = rapid.IntRange(1, 5).Draw(rt, "batch")
			c.SoftDepth = rapid.Uint64Range(0, 4).Draw(rt, "soft")
		})
		r.ledger.t = rt
		r.client = r.chain.direct()
		r.restart()
		r.chain.lateOnly = true // what is read once, below finality, is proven by seq, not by reading
		r.chain.renumber = rapid.Bool().Draw(rt, "renumber")
		r.chain.ones = rapid.Bool().Draw(rt, "ones")
		rt.Repeat(r.moves())
		r.chain.set(func() { c := r.chain; c.lag, c.maxLogs, c.maxRange, c.intercept = 0, 0, 0, nil; clear(c.lie) })
		for range depth + 10 { // everything so far becomes final, and no cursor is above the head
			r.chain.mine(1)
		}
		for range 3000 {
			progress, err := r.w.Step(context.Background())
			if err != nil && kindOf(err) != FaultGarbage {
				rt.Fatalf("step: %v", err)
			}
			if cur := r.ledger.cursor(); !progress && err == nil && cur.Height == r.chain.next-1 && cur.Final == r.chain.final {
				break
			}
		}
		if why := r.ledger.cursor().Frozen; why != "" {
			rt.Fatalf("frozen: %s", why)
		}
		want, got := r.chain.canonical(0), r.ledger.live()
		if len(want) != len(got) {
			rt.Fatalf("%d logs in the ledger, %d on the chain", len(got), len(want))
		}
		for i := range want {
			if want[i] != got[i] {
				rt.Fatalf("log %d is %v, want %v", i, got[i], want[i])
			}
		}
	})
}

// moves are what chain, endpoint and watcher may do next.
func (r *rig) moves() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"mine": func(rt *rapid.T) {
			for range rapid.IntRange(1, 6).Draw(rt, "blocks") {
				r.chain.mine(rapid.IntRange(0, 3).Draw(rt, "logs"))
			}
		},
		"null": func(*rapid.T) { r.chain.null() },
		"reorg": func(rt *rapid.T) {
			if n := r.chain.reorgable(); n > 0 {
				r.chain.drop(rapid.IntRange(1, n).Draw(rt, "depth"))
				for range rapid.IntRange(0, 4).Draw(rt, "nulls") {
					r.chain.null()
				}
				for range rapid.IntRange(1, 9).Draw(rt, "blocks") {
					r.chain.mine(rapid.IntRange(0, 2).Draw(rt, "logs"))
				}
			}
		},
		"lag": func(rt *rapid.T) {
			lag := rapid.Uint64Range(0, 5).Draw(rt, "blocks")
			r.chain.set(func() { r.chain.lag = lag })
		},
		"lie": func(rt *rapid.T) { // an empty answer for a block near the head, once
			back := rapid.IntRange(1, 3).Draw(rt, "back")
			r.chain.set(func() {
				if b := r.chain.blocks[max(0, len(r.chain.blocks)-back)]; b.Height > r.chain.final {
					r.chain.lie[b.Hash] = 1
				}
			})
		},
		"limits": func(rt *rapid.T) {
			logs, width := rapid.IntRange(0, 5).Draw(rt, "logs"), rapid.Uint64Range(0, 9).Draw(rt, "width")
			r.chain.set(func() { r.chain.maxLogs, r.chain.maxRange = logs, width })
		},
		"faults": func(rt *rapid.T) {
			n := rapid.IntRange(0, 6).Draw(rt, "calls")
			kind := rapid.SampledFrom([]string{"502", "429", "garbage", "null", "cut"}).Draw(rt, "kind")
			r.chain.set(func() { r.chain.intercept = failing(&n, kind) })
		},
		"restart": func(*rapid.T) { r.restart() },
		"step": func(rt *rapid.T) {
			for range rapid.IntRange(1, 12).Draw(rt, "steps") {
				if _, err := r.w.Step(context.Background()); fatal(err) {
					rt.Fatalf("step: %v", err)
				}
			}
		},
	}
}

// failing spoils the next n calls.
func failing(n *int, kind string) func(string, []json.RawMessage, http.ResponseWriter) bool {
	return func(_ string, _ []json.RawMessage, w http.ResponseWriter) bool {
		if *n == 0 {
			return false
		}
		*n--
		switch kind {
		case "502":
			w.WriteHeader(http.StatusBadGateway)
		case "429":
			w.WriteHeader(http.StatusTooManyRequests)
		case "garbage":
			_, _ = w.Write([]byte("<html>"))
		case "null":
			_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":1,"result":null}`))
		case "cut":
			_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":1,"result":[{"address`))
		}
		return true
	}
}
