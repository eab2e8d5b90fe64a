package watch

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tidegate/tidegate/oracle/chain"
)

// hide hides the logs of a block from the index until the head is so many heights above.
func (r *rig) hide(b chain.Block, until uint64) {
	r.chain.set(func() { r.chain.lie[b.Hash] = 1 << 20 })
	r.late = append(r.late, lateBlock{b.Hash, b.Height + until})
}

func (r *rig) mineLate(logs int, until uint64) {
	r.t.Helper()
	b := r.chain.mine(logs)
	r.chain.set(func() {
		for _, l := range r.late {
			if b.Height >= l.from {
				delete(r.chain.lie, l.hash)
			}
		}
	})
	if until > 0 {
		r.hide(b, until)
	}
	r.settle()
}

type lateBlock struct {
	hash common.Hash
	from uint64
}

// Logs that the index shows an epoch or more after their block are found long before
// they are final, whether a bloom told of them or not.
func TestLogsThatComeLateAreFoundBeforeTheyAreFinal(t *testing.T) {
	for name, edit := range map[string]func(*fakeChain){
		"blooms tell":      func(*fakeChain) {},
		"blooms say none":  func(c *fakeChain) { c.ones = true },
		"narrow ranges":    func(c *fakeChain) { c.ones, c.maxRange = true, 2 },
		"few logs at once": func(c *fakeChain) { c.ones, c.maxLogs = true, 2 },
	} {
		t.Run(name, func(t *testing.T) {
			const finality = 60
			r := newRig(t, finality, func(c *Config) { c.SoftDepth = 5 })
			for range 70 {
				r.chain.mine(1)
			}
			r.settle()
			r.chain.set(func() { edit(r.chain) })
			for i := range 30 {
				r.mineLate(i%2, uint64(i%3))
				soft := r.ledger.cursor().Soft
				have := map[ident]bool{}
				for _, id := range r.ledger.live() {
					have[id] = true
				}
				for _, id := range r.chain.canonical(0) {
					if b := r.chain.byHash[id.block]; b.Height <= soft && !have[id] {
						t.Fatalf("work on block %d could start, and a log of it is not known at head %d", b.Height, r.chain.next-1)
					}
				}
			}
			if s := r.w.Status(); s.LateLogs == 0 || s.LastLate.IsZero() {
				t.Errorf("nothing came late: %+v", s)
			}
			for range 3 {
				r.mineLate(0, 0)
			}
			r.agree()
		})
	}
}

// An index that never shows a block's logs is got round by receipts, where a bloom tells.
func TestABlockInDoubtIsLookedAtOnceByItsReceipts(t *testing.T) {
	r := newRig(t, 60, nil)
	receipts := map[uint64]int{}
	r.chain.set(func() {
		c := r.chain
		c.intercept = func(method string, params []json.RawMessage, w http.ResponseWriter) bool {
			if method != "eth_getBlockReceipts" {
				return false
			}
			var ref string
			_ = json.Unmarshal(params[0], &ref)
			h, _ := hexutil.DecodeUint64(ref)
			receipts[h]++
			for _, b := range c.blocks {
				if b.Height == h {
					was := c.lie
					c.lie = map[common.Hash]int{}
					logs := c.render(b, []common.Address{ours, others}, false)
					c.lie = was
					_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": 1, "result": []any{map[string]any{"logs": logs}}})
				}
			}
			return true
		}
	})
	for range 70 {
		r.chain.mine(0)
	}
	r.settle()
	var holes []uint64
	for range 5 {
		b := r.chain.mine(2)
		r.hide(b, 1000)
		holes = append(holes, b.Height)
		r.settle()
		r.chain.mine(1)
		r.settle()
	}
	r.agree()
	if len(receipts) != len(holes) {
		t.Errorf("receipts of %v were asked for, of %v they were to be", receipts, holes)
	}
	for _, h := range holes {
		if receipts[h] != 1 {
			t.Errorf("those of %d were asked for %d times", h, receipts[h])
		}
	}
	for range 70 { // a hole in the index is no denial of what receipts have: all becomes final
		r.chain.mine(0)
	}
	r.settle()
	r.agree()
	if cur := r.ledger.cursor(); cur.Final < holes[4] {
		t.Errorf("final is %d", cur.Final)
	}
}

// Reading again is one call for each head, however many blocks are read again, and is no
// step's failure.
func TestReadingAgainCostsOneCallForEachHead(t *testing.T) {
	r := newRig(t, 200, nil)
	for range 210 {
		r.chain.mine(1)
	}
	r.settle()
	r.chain.set(func() { clear(r.chain.calls); r.chain.ranges = nil })
	for range 20 {
		r.chain.mine(1)
		r.settle()
	}
	r.chain.set(func() {
		if n := len(r.chain.ranges); n != 40 { // one for what became final, one again
			t.Errorf("%d range reads at 20 heads", n)
		}
		if w := slices.Max(r.chain.ranges); w > window {
			t.Errorf("%d heights at once", w)
		}
		refuse := func(method string, params []json.RawMessage, w http.ResponseWriter) bool {
			if method != "eth_getLogs" || !isRangeOf(params[0], window) {
				return false
			}
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		r.chain.intercept = refuse
		clear(r.chain.calls)
	})
	for range 20 {
		r.chain.mine(1)
		r.settle() // fails the test on an error
	}
	r.agree()
}

// isRangeOf reports whether a filter asks for so many heights.
func isRangeOf(p json.RawMessage, heights uint64) bool {
	var f struct{ FromBlock, ToBlock *hexutil.Uint64 }
	return json.Unmarshal(p, &f) == nil && f.FromBlock != nil && uint64(*f.ToBlock-*f.FromBlock)+1 == heights
}
