package watch

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"pgregory.net/rapid"
)

// The clock of a devnet that was set forward by half a year leaves half a million null
// rounds: they cost some calls, near the head, far behind it, at the start, and where
// finality is counted.
func TestHalfAMillionNullRoundsCostSomeCalls(t *testing.T) {
	const nulls = 500_000
	for name, c := range map[string]struct {
		start uint64
		after int // blocks after the gap
		edit  func(*fakeChain, *Config)
	}{
		"above finality":         {after: 2},
		"below it":               {after: 40},
		"before the start":       {after: 40, start: 1000},
		"finality without a tag": {after: 2, edit: func(f *fakeChain, c *Config) { f.noTag = true; c.FinalityDepth = 10 }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 4, func(cfg *Config) {
				cfg.Start, cfg.MaxRange = c.start, 2880
			})
			if c.edit != nil {
				c.edit(r.chain, &r.cfg)
				r.restart()
			}
			for range 20 {
				r.chain.mine(map[bool]int{true: 1}[c.start == 0])
			}
			if c.start == 0 {
				r.settle()
			}
			r.chain.set(func() { r.chain.next += nulls; clear(r.chain.calls) })
			for range c.after {
				r.chain.mine(1)
			}
			r.settle()
			r.agree()
			total := 0
			r.chain.set(func() {
				for _, n := range r.chain.calls {
					total += n
				}
			})
			if total > 60+6*c.after {
				t.Errorf("%d calls", total)
			}
			if gap := r.w.Status().Gap; c.start == 0 && gap.Heights != nulls {
				t.Errorf("the gap is %+v", gap)
			}
		})
	}
}

// Blocks that stand in the middle of null rounds are not passed over, also where a null
// round is no error but shows the block before it (forest#7276, venus#6564).
func TestBlocksBetweenNullRoundsAreRead(t *testing.T) {
	for gap := range 24 {
		t.Run(fmt.Sprint(gap), func(t *testing.T) {
			r := newRig(t, 30, func(c *Config) { c.TailBatch = 3 })
			r.chain.before = gap >= 12
			gap %= 12
			for range 5 {
				r.chain.mine(1)
			}
			r.settle()
			for i := range 8 {
				for range gap * (i % 3) {
					r.chain.null()
				}
				r.chain.mine(1)
			}
			r.settle()
			r.agree()
			for range 40 { // what was above finality is below it now
				for range gap {
					r.chain.null()
				}
				r.chain.mine(1)
			}
			r.settle()
			r.agree()
		})
	}
}

// A long run of null rounds is told by a watcher that was behind and reads it as a part
// of a range, wherever it is in that range and whatever is known of the blocks beside it;
// a shorter one is not, nor one that is long ago; and where blocks are known by their
// logs, no call is made for it.
func TestAGapInARangeIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		soft, gap, before, after uint64 // null rounds, and blocks on both sides of them
		logs                     int    // of each block
		more                     uint64 // null rounds now and then, which are usual
		before7276               bool
		most                     int // calls for headers by number and hash, besides the head, the final block, and whether the tip stands
		silent                   bool
	}{
		"after the tip":          {soft: 5, gap: 9, after: 1, most: 0},
		"between quiet blocks":   {soft: 5, gap: 6, before: 8, after: 7, most: 14},
		"among short ones":       {soft: 5, gap: 6, before: 4, after: 3, more: 2, most: 24},
		"shown as another block": {soft: 5, gap: 6, before: 8, after: 7, before7276: true, most: 14},
		"of a fast chain":        {soft: 1, gap: 2, before: 6, after: 6, most: 14},
		"between busy blocks":    {soft: 5, gap: 12, before: 10, after: 10, logs: 2, most: 8},
		"a usual one":            {soft: 5, gap: 5, before: 8, after: 8, most: 14, silent: true},
		"none, busy blocks":      {soft: 5, before: 20, after: 20, logs: 1, most: 0, silent: true},
		"none, quiet blocks":     {soft: 5, before: 10, after: 10, most: 4, silent: true},
		"long ago":               {soft: 5, gap: 9, before: 10, after: 60, most: 8, silent: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 0, func(cfg *Config) { cfg.SoftDepth, cfg.MaxRange = c.soft, 2880 })
			r.chain.before = c.before7276
			for range 5 {
				r.chain.mine(0)
			}
			r.settle()
			r.chain.set(func() { clear(r.chain.calls) })
			for i := range c.before {
				r.chain.set(func() { r.chain.next += c.more * (i % 2) })
				r.chain.mine(c.logs)
			}
			r.chain.set(func() { r.chain.next += c.gap })
			first := r.chain.mine(c.logs)
			for i := range c.after - min(1, c.after) {
				r.chain.set(func() { r.chain.next += c.more * (i % 2) })
				r.chain.mine(c.logs)
			}
			if _, err := r.w.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.agree()
			if cur := r.ledger.cursor(); cur.Height != r.chain.next-1 {
				t.Fatalf("it is at %d: not one range", cur.Height)
			}
			gap, calls := r.w.Status().Gap, 0
			r.chain.set(func() { calls = r.chain.calls["eth_getBlockByNumber"] - 3 + r.chain.calls["eth_getBlockByHash"] })
			if c.silent && gap != (Event{}) || !c.silent && (gap.Heights != c.gap || gap.Before != first.Height) {
				t.Errorf("the gap is %+v", gap)
			}
			if calls > c.most {
				t.Errorf("%d calls", calls)
			}
		})
	}
}

// A gap between two blocks of a range is found whatever is around it, with fewer calls
// than there are heights.
func TestAnyGapInARangeIsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chain, ledger := newFakeChain(0), newFakeLedger(t)
		soft := rapid.Uint64Range(0, 6).Draw(t, "soft depth")
		chain.before = rapid.Bool().Draw(t, "null rounds show the block before")
		w, err := New(Config{Filter: "provider", Addresses: []common.Address{ours}, ChainID: chain.id, SoftDepth: soft},
			Deps{RPC: chain.direct(), Ledger: ledger, Sink: ledger})
		if err != nil {
			t.Fatal(err)
		}
		for chain.next < 60 {
			chain.mine(0)
		}
		for range 3 {
			if _, err := w.Step(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		clear(chain.calls)
		var want Event
		at, end := chain.next-1, chain.next+rapid.Uint64Range(1, News).Draw(t, "heights")
		for chain.next < end {
			nulls := rapid.Uint64Range(0, 2*soft+2).Draw(t, "null rounds") * rapid.Uint64Range(0, 1).Draw(t, "any")
			chain.next += nulls
			b := chain.mine(rapid.IntRange(0, 1).Draw(t, "logs"))
			if nulls > soft {
				want = Event{Heights: nulls, Before: b.Height}
			}
		}
		head := chain.next - 1
		if head > at+News {
			return // its oldest heights are no news
		}
		if _, err := w.Step(context.Background()); err != nil || ledger.cursor().Height != head {
			t.Fatalf("at %d of %d: %v", ledger.cursor().Height, head, err)
		}
		got := w.Status().Gap
		if got.Seen = (Event{}).Seen; got != want {
			t.Fatalf("told %+v, is %+v", got, want)
		}
		if calls := chain.calls["eth_getBlockByNumber"] + chain.calls["eth_getBlockByHash"]; uint64(calls) > 8+head-at {
			t.Fatalf("%d calls for %d heights", calls, head-at)
		}
	})
}

// Finality that stands still is told, after longer than it usually does.
func TestFinalityThatStandsStillIsTold(t *testing.T) {
	r := newRig(t, 4, nil)
	for range 40 {
		r.chain.mine(1)
		r.settle()
		if s := r.w.Status(); s.Stalled {
			t.Fatalf("all is well, and %+v", s)
		}
	}
	r.chain.set(func() { r.chain.depth = 1000 })
	for range 9 {
		r.chain.mine(1)
		r.settle()
	}
	if s := r.w.Status(); !s.Stalled || s.Unfinal != 9 {
		t.Fatalf("9 blocks later: %+v", s)
	}
	r.chain.set(func() { r.chain.depth = 4 })
	r.chain.mine(1)
	r.settle()
	if s := r.w.Status(); s.Stalled || s.Unfinal != 0 {
		t.Fatalf("it goes on, and %+v", s)
	}
	for range 10 { // in steps of 32, as where an epoch becomes final at once
		r.chain.set(func() { r.chain.depth = 1000 })
		for range 31 {
			r.chain.mine(0)
			r.settle()
		}
		r.chain.set(func() { r.chain.depth = 4 })
		r.chain.mine(0)
		r.settle()
	}
	r.chain.set(func() { r.chain.depth = 1000 })
	for range 31 {
		r.chain.mine(0)
		r.settle()
	}
	if s := r.w.Status(); s.Stalled {
		t.Fatalf("it moves by 32 blocks, and %+v", s)
	}
	r.chain.set(func() { r.chain.depth = 4 })
	for range 40 {
		r.chain.mine(0)
		r.settle()
	}
	r.chain.set(func() { r.chain.depth = 1000 })
	for range 9 {
		r.chain.mine(0)
		r.settle()
	}
	if s := r.w.Status(); !s.Stalled {
		t.Fatalf("it moved by single blocks for long, stands still for 9, and %+v", s)
	}
}

// A reorg as deep as work that starts early is told, a shallower one is not.
func TestADeepReorgIsTold(t *testing.T) {
	r := newRig(t, 10, func(c *Config) { c.SoftDepth = 3 })
	for range 30 {
		r.chain.mine(1)
	}
	r.settle()
	r.chain.reorg(2, 1)
	r.settle()
	if e := r.w.Status().Reorg; e.Heights != 0 {
		t.Errorf("a shallow one: %+v", e)
	}
	r.chain.reorg(4, 1)
	r.settle()
	if e := r.w.Status().Reorg; e.Heights != 4 || time.Since(e.Seen) > time.Minute {
		t.Errorf("a deep one: %+v", e)
	}
}
