package watch

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tidegate/tidegate/oracle/chain"
)

// added is a Registry in memory.
type added struct{ list []chain.Contract }

func (a *added) Contracts(context.Context) ([]chain.Contract, error) { return a.list, nil }

func (a *added) JoinContract(_ context.Context, c common.Address, height uint64) (uint64, error) {
	for i := range a.list {
		if a.list[i].Address == c && a.list[i].Joined < 0 {
			a.list[i].Joined = int64(height)
		}
		if a.list[i].Address == c {
			return uint64(a.list[i].Joined), nil
		}
	}
	return 0, fmt.Errorf("no contract %s", c)
}

// perFilter is a ledger for each filter, as the cursors of added contracts' pasts are
// apart from the main one.
type perFilter struct {
	*fakeLedger
	pasts map[string]*fakeLedger
}

func (p *perFilter) of(filter string) *fakeLedger {
	if filter == p.cursorName() {
		return p.fakeLedger
	}
	if p.pasts[filter] == nil {
		p.pasts[filter] = newFakeLedger(p.t)
	}
	return p.pasts[filter]
}

func (p *perFilter) cursorName() string { return "provider" }

func (p *perFilter) Cursor(ctx context.Context, filter string) (chain.Cursor, bool, error) {
	return p.of(filter).Cursor(ctx, filter)
}

func (p *perFilter) Apply(ctx context.Context, u chain.Update) error {
	return p.of(u.Filter).Apply(ctx, u)
}

// both gives the heights of a contract's logs in all filters.
func (p *perFilter) both(a common.Address) map[uint64]int {
	out := map[uint64]int{}
	for _, l := range append([]*fakeLedger{p.fakeLedger}, p.pastList()...) {
		for _, x := range l.logs {
			if x.Address == a && x.State != chain.LogRetracted {
				out[x.Height]++
			}
		}
	}
	return out
}

func (p *perFilter) pastList() []*fakeLedger {
	var out []*fakeLedger
	for _, l := range p.pasts {
		out = append(out, l)
	}
	return out
}

// One added at run time is read from its deployment on, while the others go on; a
// restart in the middle of its past changes nothing.
func TestContractAddedAtRunTimeReadsItsPast(t *testing.T) {
	for _, restartAfter := range []int{-1, 1, 3} {
		t.Run(fmt.Sprint("restart after ", restartAfter), func(t *testing.T) {
			r := newRig(t, 4, func(c *Config) { c.MaxRange = 7 })
			ledger := &perFilter{r.ledger, map[string]*fakeLedger{}}
			registry := &added{}
			clock := time.Unix(1_700_000_000, 0)
			open := func() {
				var err error
				r.w, err = New(r.cfg, Deps{RPC: r.client, Ledger: ledger, Sink: ledger, Registry: registry, Now: func() time.Time { return clock }})
				if err != nil {
					t.Fatal(err)
				}
			}
			open()
			for range 40 {
				r.chain.mine(1) // and one log of the other contract
			}
			r.settle()
			registry.list = []chain.Contract{{Address: others, Start: 3, Joined: -1}}
			clock = clock.Add(time.Minute)
			r.settle()
			joined := registry.list[0].Joined
			if joined != int64(r.ledger.cursor().Final) {
				t.Fatalf("joined at %d, final was %d", joined, r.ledger.cursor().Final)
			}
			past := r.w.Pasts()
			if len(past) != 1 {
				t.Fatalf("%d pasts are read", len(past))
			}
			for i := 0; ; i++ {
				if i == restartAfter {
					clock = clock.Add(time.Minute)
					open()
					r.settle()
					past = r.w.Pasts()
				}
				if _, err := past[0].Step(t.Context()); err == errPast {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				r.chain.mine(1) // the rest goes on meanwhile
				r.settle()
			}
			for range 8 {
				r.chain.mine(1)
			}
			r.settle()
			got := ledger.both(others)
			for h := uint64(3); h < r.chain.next; h++ {
				if got[h] != 1 {
					t.Errorf("height %d has %d of its logs", h, got[h])
				}
			}
			if got[2] != 0 {
				t.Error("a log before its deployment was read")
			}
			if ours := ledger.both(ours); len(ours) != int(r.chain.next)-1 {
				t.Errorf("%d logs of the first contract at %d heights", len(ours), r.chain.next-1)
			}
		})
	}
}

// A hundred contracts cost as many calls per epoch as one.
func TestAHundredContractsCostAsManyCallsAsOne(t *testing.T) {
	cost := func(n int) map[string]int {
		r := newRig(t, 4, func(c *Config) {
			for i := 1; i < n; i++ {
				c.Addresses = append(c.Addresses, common.BytesToAddress(hexutil.MustDecode(fmt.Sprintf("0x%040x", 0x5000+i))))
			}
		})
		for range 20 {
			r.chain.mine(1)
		}
		r.settle()
		r.chain.set(func() { clear(r.chain.calls) })
		for range 30 {
			r.chain.mine(1)
			r.settle()
		}
		r.agree()
		return r.chain.calls
	}
	one, hundred := cost(1), cost(100)
	for method, n := range one {
		if hundred[method] != n {
			t.Errorf("%s: %d calls for one contract, %d for a hundred", method, n, hundred[method])
		}
	}
	t.Logf("calls in 30 epochs: %v", hundred)
}

// Far behind, a range costs two calls: its end and its logs.
func TestFarBehindARangeCostsTwoCalls(t *testing.T) {
	r := newRig(t, 2, func(c *Config) { c.MaxRange = 10 })
	for range 500 {
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
	if total > 2*50+30 {
		t.Errorf("%d calls for 50 ranges", total)
	}
}

func TestWorkDoesNotStartBeforeThePastIsRead(t *testing.T) {
	r := newRig(t, 2, func(c *Config) { c.MaxRange = 10 })
	for range 100 {
		r.chain.mine(1)
	}
	r.settle()
	for i, u := range r.ledger.all {
		if want := u.From <= u.To && u.To < 98; u.Behind != want {
			t.Errorf("update %d covers %d..%d, behind %v", i, u.From, u.To, u.Behind)
		}
	}
}
