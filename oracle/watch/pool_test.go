package watch

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// pooled is a rig whose watcher reads through a pool of endpoints before one chain,
// each with switches of its own.
type pooled struct {
	*rig
	pool  *Pool
	doors []*door
	clock time.Time
}

// door is an endpoint before the rig's chain.
type door struct {
	*RPC
	name  string
	chain *fakeChain
	lag   uint64
	fail  func(method string, w http.ResponseWriter) bool
	calls int
	hide  map[common.Hash]bool // blocks whose logs it does not have
	id    uint64
}

func (d *door) Endpoint() string { return d.name }

// RoundTrip implements http.RoundTripper: the chain as this door shows it.
func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	c := d.chain
	d.calls++
	c.set(func() {
		c.lag = d.lag
		if d.id != 0 {
			c.id = d.id
		}
		c.intercept = func(method string, _ []json.RawMessage, w http.ResponseWriter) bool {
			return d.fail != nil && d.fail(method, w)
		}
		for h := range d.hide {
			c.lie[h] = 1 << 20
		}
	})
	defer c.set(func() { c.lag, c.intercept, c.id = 0, nil, 31415926; clear(c.lie) })
	return c.RoundTrip(r)
}

func newPooled(t *testing.T, quorum, n int) *pooled {
	p := &pooled{rig: newRig(t, 4, nil), clock: time.Unix(1_700_000_000, 0)}
	var named []Named
	for i := range n {
		d := &door{name: string(rune('a' + i)), chain: p.chain, hide: map[common.Hash]bool{}}
		d.RPC = &RPC{url: "http://fake", name: d.name, http: &http.Client{Transport: &transport{next: d}}}
		p.doors, named = append(p.doors, d), append(named, d)
	}
	var err error
	p.pool, err = NewPool(PoolConfig{ChainID: 31415926, Quorum: quorum, BackoffMin: time.Second, BackoffMax: time.Minute,
		Now: func() time.Time { return p.clock }, Jitter: func(time.Duration) time.Duration { return 0 }}, named...)
	if err != nil {
		t.Fatal(err)
	}
	if p.w, err = New(p.cfg, Deps{RPC: p.pool, Ledger: p.ledger, Sink: p.ledger}); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pooled) trouble(i int, kind string) *Trouble {
	for _, tr := range p.pool.Status()[i].Troubles {
		if tr.Kind == kind {
			return &tr
		}
	}
	return nil
}

func answers(code int, header string) func(string, http.ResponseWriter) bool {
	return func(_ string, w http.ResponseWriter) bool {
		if header != "" {
			w.Header().Set("Retry-After", header)
		}
		w.WriteHeader(code)
		return true
	}
}

func TestPoolFailsOverAndLeavesTheFailedOneAlone(t *testing.T) {
	p := newPooled(t, 1, 2)
	for range 10 {
		p.chain.mine(1)
	}
	p.doors[0].fail = answers(http.StatusTooManyRequests, "30")
	p.settle()
	p.agree()
	if tr := p.trouble(0, string(FaultThrottled)); tr == nil || tr.Count != 1 {
		t.Fatalf("trouble %+v: it should have been asked once", p.pool.Status()[0])
	}
	if s := p.pool.Status(); !s[1].Current || !s[0].Until.Equal(p.clock.Add(30*time.Second)) {
		t.Fatalf("status %+v", s)
	}
	before := p.doors[0].calls
	p.clock = p.clock.Add(31 * time.Second)
	p.doors[0].fail, p.doors[1].fail = nil, answers(http.StatusBadGateway, "")
	p.chain.mine(2)
	p.settle()
	p.agree()
	if p.doors[0].calls == before {
		t.Fatal("the first endpoint was not asked again")
	}
}

func TestPoolNeverGoesBackInTime(t *testing.T) {
	p := newPooled(t, 1, 2)
	for range 10 {
		p.chain.mine(1)
	}
	p.settle()
	p.doors[1].lag = 6
	p.doors[0].fail = answers(http.StatusBadGateway, "")
	updates := len(p.ledger.all)
	for range 5 {
		if _, err := p.w.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.ledger.all) != updates || !p.w.Status().Lagging {
		t.Fatalf("%d updates from a lagging endpoint", len(p.ledger.all)-updates)
	}
	p.doors[0].fail = nil
	p.clock = p.clock.Add(time.Hour)
	p.chain.mine(1)
	p.settle()
	p.agree()
	p.doors[0].lag, p.doors[1].lag = 9, 0 // the one in use falls behind: the other is asked
	p.chain.mine(1)
	p.settle()
	p.agree()
	if p.trouble(0, TroubleWentBack) == nil || p.trouble(0, TroubleLagging) == nil {
		t.Fatalf("troubles %+v", p.pool.Status()[0].Troubles)
	}
}

func TestPoolExcludesAnotherChain(t *testing.T) {
	p := newPooled(t, 1, 2)
	p.chain.mine(1)
	p.doors[0].id = 5
	p.settle()
	p.agree()
	if p.trouble(0, TroubleWrongChain) == nil {
		t.Fatal("not said")
	}
	p.doors[1].id = 5
	p.clock = p.clock.Add(time.Hour)
	fresh, err := NewPool(p.pool.cfg, p.doors[0], p.doors[1])
	if err != nil {
		t.Fatal(err)
	}
	if id, err := fresh.ChainID(t.Context()); err != nil || id != 5 {
		t.Fatalf("id %d, %v: all serve chain 5", id, err)
	}
}

func TestQuorumDecidesWhatIsFinal(t *testing.T) {
	p := newPooled(t, 2, 3)
	for range 12 {
		p.chain.mine(1)
	}
	p.doors[2].fail = func(method string, w http.ResponseWriter) bool { return false }
	p.settle()
	p.agree()
	final := p.ledger.cursor().Final
	liar := &lyingFinal{p.doors[0]}
	p.pool.members[0].c = liar
	p.chain.mine(1)
	p.settle()
	if got := p.ledger.cursor().Final; got != final+1 {
		t.Fatalf("final %d, want %d: one endpoint of three calls its head final", got, final+1)
	}
	p.pool.Look(t.Context())
	if p.trouble(0, TroubleHeadFinal) == nil {
		t.Fatalf("not said: %+v", p.pool.Status()[0])
	}
}

// lyingFinal calls its head final.
type lyingFinal struct{ *door }

func (l *lyingFinal) HeaderByTag(ctx context.Context, _ string) (Header, error) {
	return l.door.HeaderByTag(ctx, "latest")
}

func TestQuorumOutvotesAnIndexWithHoles(t *testing.T) {
	p := newPooled(t, 2, 3)
	var b chain.Block
	for range 9 {
		b = p.chain.mine(2)
	}
	for range 9 {
		p.chain.mine(0)
	}
	p.doors[1].hide[b.Hash] = true
	p.settle()
	p.agree()
	if p.trouble(1, TroubleUntrue) == nil {
		t.Fatalf("not said: %+v", p.pool.Status())
	}
	p.doors[0].hide[b.Hash], p.doors[2].fail = true, answers(502, "")
	if _, err := p.pool.LogsByRange(t.Context(), 0, 12, []common.Address{ours}); err != nil {
		t.Fatalf("two endpoints agree on too little, which a seq shows: %v", err)
	}
	p.doors[0].hide = map[common.Hash]bool{}
	p.clock = p.clock.Add(time.Hour)
	if _, err := p.pool.LogsByRange(t.Context(), 0, 12, []common.Address{ours}); kindOf(err) != FaultGarbage {
		t.Fatalf("two endpoints that differ decide: %v", err)
	}
}

func TestAnotherEndpointIsAskedWhenOneDeniesWhatItShowed(t *testing.T) {
	p := newPooled(t, 1, 2)
	var b chain.Block
	for range 8 {
		b = p.chain.mine(1)
	}
	p.settle()
	p.doors[0].hide[b.Hash] = true // ever after
	for range 5 {
		p.chain.mine(0)
	}
	failed := 0
	for range 50 {
		if _, err := p.w.Step(t.Context()); err != nil {
			failed++
		}
		p.clock = p.clock.Add(100 * time.Millisecond)
	}
	p.agree()
	if cur := p.ledger.cursor(); cur.Final != p.chain.final || failed == 0 {
		t.Fatalf("final %d of %d after %d failures", cur.Final, p.chain.final, failed)
	}
	if p.trouble(0, TroubleUntrue) == nil {
		t.Fatal("not said")
	}
}

func TestEverywhereFindsWhatAnyShows(t *testing.T) {
	p := newPooled(t, 1, 2)
	var b chain.Block
	for range 8 {
		b = p.chain.mine(3)
	}
	p.doors[0].hide[b.Hash] = true
	logs, err := p.pool.Everywhere(t.Context(), b.Height, b.Height, []common.Address{ours})
	if err != nil || len(logs) != 3 {
		t.Fatalf("%d logs, %v", len(logs), err)
	}
	p.doors[1].fail = answers(502, "")
	if logs, err = p.pool.Everywhere(t.Context(), b.Height, b.Height, []common.Address{ours}); err != nil || len(logs) != 0 {
		t.Fatalf("%d logs, %v", len(logs), err)
	}
	p.doors[0].fail = answers(502, "")
	if _, err = p.pool.Everywhere(t.Context(), b.Height, b.Height, []common.Address{ours}); err == nil {
		t.Fatal("nobody answered, and that is no answer")
	}
}

func TestPoolSaysWhenAllAreLeftAlone(t *testing.T) {
	p := newPooled(t, 1, 2)
	for _, d := range p.doors {
		d.fail = answers(http.StatusServiceUnavailable, "9")
	}
	if _, err := p.pool.HeaderByTag(t.Context(), "latest"); err == nil {
		t.Fatal("no error")
	}
	_, err := p.pool.HeaderByTag(t.Context(), "latest")
	var f *Fault
	if !errors.As(err, &f) || f.After != 9*time.Second || !strings.Contains(err.Error(), "all endpoints") {
		t.Fatalf("got %v", err)
	}
	for _, bad := range []PoolConfig{{}, {ChainID: 1, Quorum: 3}, {ChainID: 1, Timeout: -1}} {
		if _, err := NewPool(bad, p.doors[0]); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// An endpoint that fell behind and stays so lags for as long as that lasts, also when
// its head is higher than it ever was and there is no other to compare it with.
func TestAnEndpointThatFellBehindLagsUntilItCatchesUp(t *testing.T) {
	p := newPooled(t, 1, 1)
	goOn := func(blocks int) {
		for range blocks {
			p.chain.mine(0)
			p.clock = p.clock.Add(time.Second)
			p.pool.Look(t.Context())
		}
	}
	goOn(20)
	if tr := p.trouble(0, TroubleLagging); tr != nil {
		t.Fatalf("it kept up, and %+v", tr)
	}
	p.doors[0].lag = 12
	goOn(100)
	if tr := p.trouble(0, TroubleLagging); tr == nil || !tr.Last.Equal(p.clock) {
		t.Fatalf("100 blocks later it lags as much, and %+v", tr)
	}
	p.doors[0].lag = 0
	goOn(1)
	since := p.clock
	goOn(60)
	if tr := p.trouble(0, TroubleLagging); tr != nil && tr.Last.After(since) {
		t.Fatalf("it caught up, and %+v", tr)
	}
	p.doors[0].lag = 12
	goOn(5)
	for lag := uint64(12); lag > 0; lag-- { // as a node that is syncing
		p.doors[0].lag = lag - 1
		goOn(2)
	}
	since = p.clock
	goOn(5)
	if tr := p.trouble(0, TroubleLagging); tr != nil && tr.Last.After(since) {
		t.Fatalf("it caught up by and by, and %+v", tr)
	}
}

// One name for several nodes, some of which are behind, leaps to and fro. It does not lag
// any more when all have caught up, whatever was drawn.
func TestAnEndpointThatWentToAndFroDoesNotLagAfterwards(t *testing.T) {
	for seed := range uint64(5) {
		p, r := newPooled(t, 1, 1), rand.New(rand.NewPCG(seed, 9))
		goOn := func(blocks int, often float64) {
			for range blocks {
				p.chain.mine(0)
				for range 4 {
					if p.doors[0].lag = 0; r.Float64() < often {
						p.doors[0].lag = 1 + r.Uint64N(20)
					}
					p.clock = p.clock.Add(time.Duration(20+r.IntN(60)) * time.Millisecond)
					p.pool.Look(t.Context())
				}
			}
		}
		goOn(50, 0)
		goOn(100, 0.4)
		if tr := p.trouble(0, TroubleWentBack); tr == nil {
			t.Fatal("it leapt, and nothing is said")
		}
		goOn(1, 0)
		since := p.clock
		goOn(50, 0)
		if tr := p.trouble(0, TroubleLagging); tr != nil && tr.Last.After(since) {
			t.Errorf("seed %d: it caught up %s ago, and %+v", seed, p.clock.Sub(since), tr)
		}
	}
}
