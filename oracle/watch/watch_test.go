package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/tidegate/tidegate/oracle/chain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type rig struct {
	t      testing.TB
	chain  *fakeChain
	ledger *fakeLedger
	w      *Watcher
	cfg    Config
	client *RPC
	late   []lateBlock
}

func newRig(t testing.TB, depth uint64, edit func(*Config)) *rig {
	t.Helper()
	c := newFakeChain(depth)
	cfg := Config{
		Filter: "provider", Addresses: []common.Address{ours}, ChainID: 31415926, SoftDepth: 1, MaxRange: 50, TailBatch: 4,
		PollInterval: time.Millisecond, BackoffMin: time.Millisecond, BackoffMax: 5 * time.Millisecond, Timeout: 5 * time.Second,
	}
	if edit != nil {
		edit(&cfg)
	}
	r := &rig{t: t, chain: c, ledger: newFakeLedger(t), cfg: cfg, client: c.serve(t)}
	r.restart()
	return r
}

// restart forgets all that is not in the ledger.
func (r *rig) restart() {
	r.t.Helper()
	w, err := New(r.cfg, Deps{RPC: r.client, Ledger: r.ledger, Sink: r.ledger, Metrics: prometheus.NewRegistry()})
	if err != nil {
		r.t.Fatal(err)
	}
	r.w = w
}

// settle steps until there is nothing to do.
func (r *rig) settle() {
	r.t.Helper()
	idle := 0
	for range 5000 {
		progress, err := r.w.Step(context.Background())
		if err != nil {
			r.t.Fatalf("step: %v", err)
		}
		if idle++; progress {
			idle = 0
		}
		if idle == 3 { // a reorg is a step without progress
			return
		}
	}
	r.t.Fatal("does not settle")
}

// agree checks that the ledger has exactly the canonical logs.
func (r *rig) agree() {
	r.t.Helper()
	want, got := r.chain.canonical(r.cfg.Start), r.ledger.live()
	if !slices.Equal(got, want) {
		r.t.Fatalf("the ledger has %d logs, the chain %d:\n got %v\nwant %v", len(got), len(want), got, want)
	}
}

func TestFollowsFromStartToHead(t *testing.T) {
	for _, depth := range []uint64{0, 3, 30} {
		for _, start := range []uint64{0, 1, 100, 119} {
			t.Run(fmt.Sprintf("finality %d start %d", depth, start), func(t *testing.T) {
				r := newRig(t, depth, func(c *Config) { c.Start = start })
				for i := range 119 {
					r.chain.mine(map[bool]int{true: i % 3}[uint64(i+1) >= start])
				}
				r.settle()
				r.agree()
				cur := r.ledger.cursor()
				if cur.Height != 119 || cur.Final != 119-depth || cur.Head != 119 {
					t.Fatalf("cursor %+v", cur)
				}
				if want := max(uint64(118), 119-depth); cur.Soft != want {
					t.Fatalf("soft %d, want %d", cur.Soft, want)
				}
				r.restart()
				r.chain.mine(2)
				r.settle()
				r.agree()
			})
		}
	}
}

func TestStartAboveTheHeadWaitsAndLinks(t *testing.T) {
	r := newRig(t, 5, func(c *Config) { c.Start = 20 })
	for range 10 {
		r.chain.mine(0)
	}
	r.settle()
	r.chain.reorg(3, 0)
	for range 15 {
		r.chain.mine(1)
	}
	r.settle()
	if got, want := r.ledger.live(), r.chain.canonical(0); len(got) < len(r.chain.canonical(20)) || len(got) > len(want) {
		t.Fatalf("%d logs, between %d and %d expected", len(got), len(r.chain.canonical(20)), len(want))
	}
}

func TestNothingNewNothingEmitted(t *testing.T) {
	r := newRig(t, 2, nil)
	for range 6 {
		r.chain.mine(1)
	}
	r.settle()
	before := len(r.ledger.all)
	for range 10 {
		if progress, err := r.w.Step(context.Background()); err != nil || progress {
			t.Fatalf("progress %v, error %v", progress, err)
		}
	}
	if len(r.ledger.all) != before {
		t.Fatalf("%d updates on an idle chain", len(r.ledger.all)-before)
	}
}

func TestBackfillHoldsTheSoftLane(t *testing.T) {
	r := newRig(t, 3, nil)
	for range 200 {
		r.chain.mine(1)
	}
	r.settle()
	for _, u := range r.ledger.all {
		if u.To < 197 && u.From <= u.To && u.Soft != 0 {
			t.Fatalf("heights %d..%d became soft at %d while history was being read", u.From, u.To, u.Soft)
		}
	}
	if cur := r.ledger.cursor(); cur.Soft != 199 {
		t.Fatalf("soft %d at the end", cur.Soft)
	}
}

// Far behind, whoever wants to know is told of logs before they are applied: of the very
// same ones, so that what was computed of them can be found again.
func TestAheadIsToldOfLogsBeforeTheyAreApplied(t *testing.T) {
	r := newRig(t, 3, func(c *Config) { c.MaxRange = 20 })
	var told [][]chain.Log
	var err error
	r.w, err = New(r.cfg, Deps{RPC: r.client, Ledger: r.ledger, Sink: r.ledger, Ahead: func(logs []chain.Log) { told = append(told, logs) }})
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		r.chain.mine(1)
	}
	r.settle()
	r.agree()
	if len(told) < 5 {
		t.Fatalf("told of %d ranges", len(told))
	}
	for _, logs := range told {
		if !slices.ContainsFunc(r.ledger.all, func(u chain.Update) bool { return len(u.Logs) == len(logs) && &u.Logs[0] == &logs[0] }) {
			t.Fatalf("told of %d logs from height %d on, which were not applied", len(logs), logs[0].Height)
		}
	}
}

func TestReorgRollsBackToTheCommonAncestor(t *testing.T) {
	r := newRig(t, 10, nil)
	for range 20 {
		r.chain.mine(2)
	}
	r.settle()
	r.chain.reorg(4, 1)
	r.settle()
	r.agree()
	i := slices.IndexFunc(r.ledger.all, func(u chain.Update) bool { return u.Reorg })
	if i < 0 || r.ledger.all[i].Ancestor.Height != 16 || len(r.ledger.all[i].Blocks) == 0 {
		t.Fatalf("no rollback to 16 with what replaced it: %+v", r.ledger.all)
	}
	if s := r.w.Status(); s.Cursor != 21 || s.LastError != "" {
		t.Fatalf("status %+v", s)
	}
}

func TestReorgAtEqualHeight(t *testing.T) {
	r := newRig(t, 10, nil)
	for range 12 {
		r.chain.mine(1)
	}
	r.settle()
	r.chain.drop(2)
	r.chain.mine(3)
	r.chain.mine(0)
	r.settle()
	r.agree()
}

func TestReorgWhileAwayBeyondFinality(t *testing.T) {
	r := newRig(t, 4, nil)
	for range 12 {
		r.chain.mine(1)
	}
	r.settle()
	r.chain.drop(3)
	for range 40 { // what we had read is now far below the final block, and another branch
		r.chain.mine(1)
	}
	r.restart()
	r.settle()
	r.agree()
}

func TestNullRounds(t *testing.T) {
	r := newRig(t, 4, func(c *Config) { c.MaxRange = 3 })
	for i := range 40 {
		for range i % 5 {
			r.chain.null()
		}
		r.chain.mine(1)
		if i%3 == 0 {
			r.settle()
		}
	}
	r.settle()
	r.agree()
	r.chain.mine(1)
	r.chain.mine(1)
	r.settle()
	r.chain.drop(2) // the new branch has null rounds where the old one had blocks
	r.chain.null()
	r.chain.null()
	r.chain.null()
	for range 9 {
		r.chain.mine(2)
	}
	r.settle()
	r.agree()
}

// More null rounds in a row than the endpoint takes as a range are no obstacle.
func TestNullRoundsBeyondTheRangeLimit(t *testing.T) {
	r := newRig(t, 2, func(c *Config) { c.MaxRange = 20 })
	r.chain.set(func() { r.chain.maxRange = 20 })
	for _, gap := range []int{0, 0, 19, 20, 21, 30, 70, 0} {
		for range gap {
			r.chain.null()
		}
		r.chain.mine(2)
		if gap%2 == 0 {
			r.settle()
		}
	}
	r.settle()
	r.agree()
}

func TestNullRoundAtTheStart(t *testing.T) {
	r := newRig(t, 2, func(c *Config) { c.Start = 3 })
	r.chain.mine(0)
	r.chain.mine(0)
	r.chain.null()
	r.chain.null()
	for range 10 {
		r.chain.mine(1)
	}
	r.settle()
	r.agree()
	if _, ok := r.ledger.meta["watch.block.5"]; !ok {
		t.Fatalf("the first block after the start is not bound: %v", r.ledger.meta)
	}
}

func TestDeepReorgFreezesAndThawsByItself(t *testing.T) {
	ctx := context.Background()
	for _, depth := range []uint64{0, 3} {
		t.Run(fmt.Sprint("finality ", depth), func(t *testing.T) {
			r := newRig(t, depth, func(c *Config) { c.Start = 1 })
			for range 20 {
				r.chain.mine(1)
			}
			r.settle()
			good := slices.Clone(r.chain.blocks)
			before := r.ledger.live()
			r.chain.drop(8)
			for range 9 {
				r.chain.mine(1)
			}
			if _, err := r.w.Step(ctx); kindOf(err) != FaultGarbage || r.ledger.cursor().Frozen != "" {
				t.Fatalf("first sight: %v, frozen %q", err, r.ledger.cursor().Frozen)
			}
			for range 3 {
				if progress, err := r.w.Step(ctx); !errors.Is(err, chain.ErrDeepReorg) || progress {
					t.Fatalf("progress %v, error %v", progress, err)
				}
			}
			why := r.ledger.cursor().Frozen
			if !strings.Contains(why, chain.ErrDeepReorg.Error()) {
				t.Fatalf("frozen: %q", why)
			}
			if !slices.Equal(before, r.ledger.live()) {
				t.Fatal("what was final was rolled back")
			}
			r.chain.set(func() { r.chain.blocks, r.chain.next = good, good[len(good)-1].Height+1 })
			r.chain.mine(1)
			r.settle()
			r.agree()
			if r.ledger.cursor().Frozen == "" {
				t.Fatal("only a person unfreezes")
			}
		})
	}
}

// A person accepts a deep reorg while a step is under way that still goes by what was
// final before: what it saw says nothing any more, and the money lane stays open.
func TestADeepReorgThatIsAcceptedDuringAStepIsNotFrozenAgain(t *testing.T) {
	for name, seen := range map[string]bool{"after a step saw it frozen": true, "before any did": false} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 3, func(c *Config) { c.Start = 1 })
			for range 20 {
				r.chain.mine(1)
			}
			r.settle()
			r.chain.drop(8)
			for range 9 {
				r.chain.mine(1)
			}
			steps := 1
			if seen {
				steps = 3
			}
			for range steps {
				if _, err := r.w.Step(t.Context()); err == nil {
					t.Fatal("it is not seen")
				}
			}
			if frozen := r.ledger.cursor().Frozen != ""; frozen != seen {
				t.Fatalf("frozen: %t", frozen)
			}
			accepted := false
			r.chain.set(func() {
				ancestor := r.chain.blocks[len(r.chain.blocks)-10].Block
				r.chain.intercept = func(_ string, params []json.RawMessage, _ http.ResponseWriter) bool {
					if byNumber := len(params) > 0 && strings.HasPrefix(string(params[0]), `"0x`); byNumber && !accepted {
						accepted = true // the cursor is read before any block is asked for by its number
						r.ledger.accept(ancestor)
					}
					return false
				}
			})
			_, _ = r.w.Step(t.Context())
			if why := r.ledger.cursor().Frozen; !accepted || why != "" {
				t.Fatalf("accepted %t, frozen again: %q", accepted, why)
			}
			r.settle()
			r.agree()
			if why := r.ledger.cursor().Frozen; why != "" {
				t.Fatalf("frozen later: %q", why)
			}
		})
	}
}

func TestSinkThatFindsADeepReorgFreezesToo(t *testing.T) {
	r := newRig(t, 3, nil)
	r.chain.mine(1)
	r.settle()
	for range 2 {
		r.chain.mine(1)
		r.ledger.fail = fmt.Errorf("committing: %w", chain.ErrDeepReorg)
		if _, err := r.w.Step(context.Background()); err == nil {
			t.Fatal("no error")
		}
	}
	if r.ledger.cursor().Frozen == "" {
		t.Fatal("not frozen")
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	l := newFakeLedger(t)
	good := Config{Filter: "f", Addresses: []common.Address{ours}, ChainID: 1}
	d := Deps{RPC: &RPC{}, Ledger: l, Sink: l}
	for name, edit := range map[string]func(*Config, *Deps){
		"no filter": func(c *Config, _ *Deps) { c.Filter = "" }, "no addresses": func(c *Config, _ *Deps) { c.Addresses = nil },
		"no chain": func(c *Config, _ *Deps) { c.ChainID = 0 }, "no sink": func(_ *Config, d *Deps) { d.Sink = nil },
		"min over max": func(c *Config, _ *Deps) { c.MinRange, c.MaxRange = 9, 3 },
	} {
		c, dd := good, d
		edit(&c, &dd)
		if _, err := New(c, dd); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New(good, d); err != nil {
		t.Error(err)
	}
}
