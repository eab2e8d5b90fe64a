package watch

import (
	"fmt"
	"testing"
	"time"
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
			if gap := r.w.Status().Gap; c.after == 2 && gap.Heights != nulls {
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
