package txmgr

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/chain"
)

// durable is the real ledger as the daemon hands it to the sender.
type durable struct{ *store.Store }

func (d durable) GetMeta(ctx context.Context, key string) (string, bool, error) {
	v, err := d.Store.GetMeta(ctx, key)
	if errors.Is(err, job.ErrNotFound) {
		return "", false, nil
	}
	return v, err == nil, err
}

// site is a sender on a real ledger in front of the fake chain, with a stop
// possible at every SQL statement and every RPC call.
type site struct {
	t      testing.TB
	faults *faults
	net    *fakeNet
	ledger durable
	signer *fakeSigner
	cfg    Config
	now    time.Time
	sender *Sender
	ids    []int64
	quiet  bool // the test itself is reading
}

func newSite(t testing.TB, cfg Config) *site {
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("a key for tests")))
	if err != nil {
		t.Fatal(err)
	}
	w := &site{t: t, faults: &faults{}, net: newFakeNet(), signer: &fakeSigner{key: key}, cfg: cfg, now: time.Unix(1_700_000_000, 0)}
	w.cfg.ChainID, w.cfg.Owner = testChain, "here"
	s, err := store.Open(context.Background(), store.Config{Path: ":memory:", Now: func() time.Time { return w.now }, Before: func(string) {
		if !w.quiet {
			w.faults.statement()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w.ledger = durable{s}
	w.net.faults = w.faults
	w.net.durable = func(hash common.Hash) (yes bool) {
		w.aside(func() { _, err := s.Attempt(context.Background(), hash); yes = err == nil })
		return yes
	}
	w.start()
	return w
}

// aside lets the test use the ledger without that being a step.
func (w *site) aside(fn func()) {
	was := w.quiet
	w.quiet = true
	fn()
	w.quiet = was
}

func (w *site) start() {
	s, err := New(w.cfg, Deps{
		Ledger: w.ledger, Signer: w.signer, Now: func() time.Time { return w.now },
		Endpoints: []Endpoint{&fakeEndpoint{fakeNet: w.net, name: "one", chainID: testChain}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.sender = s
}

func (w *site) queue(in chain.Intent) {
	w.t.Helper()
	w.aside(func() {
		in.Sender = w.signer.Address()
		x, _, err := w.ledger.QueueIntent(context.Background(), in, w.now)
		if err != nil {
			w.t.Fatal(err)
		}
		w.ids = append(w.ids, x.ID)
	})
}

func (w *site) intent(name string) {
	w.t.Helper()
	w.queue(chain.Intent{Key: name, To: target, Data: []byte(name)})
}

func (w *site) pass() {
	defer func() {
		if r := recover(); r != nil {
			if _, planned := r.(crash); !planned {
				panic(r)
			}
			w.start()
		}
	}()
	_, _ = w.sender.pass(context.Background()) // trouble is part of the world; what counts is where it ends
}

func (w *site) rows() (out []chain.Tx) {
	w.t.Helper()
	w.aside(func() {
		for _, id := range w.ids {
			x, err := w.ledger.Tx(context.Background(), id)
			if err != nil {
				w.t.Fatal(err)
			}
			out = append(out, x)
		}
	})
	return out
}

func (w *site) settle(seconds int) {
	for range seconds {
		w.now = w.now.Add(time.Second)
		w.pass()
		w.net.mine()
		open := 0
		for _, r := range w.rows() {
			if !r.State.Ended() {
				open++
			}
		}
		if open == 0 {
			return
		}
	}
}

// model is all that sending promises.
type model map[string]chain.TxState // of each intent, as the ledger has it

// allows fails unless a chain may look like this: each intent had its effect once
// if it is final, never if it ended otherwise, and at most once while it is open.
func (m model) allows(effects map[string]int) error {
	for key, state := range m {
		n := effects[key]
		if n > 1 || (state == chain.TxFinal && n != 1) || (state.Ended() && state != chain.TxFinal && n != 0) {
			return fmt.Errorf("intent %q is %s and had %d effects", key, state, n)
		}
	}
	return nil
}

func (w *site) check() {
	w.t.Helper()
	m, nonces := model{}, map[uint64]string{}
	for _, r := range w.rows() {
		m[r.Intent.Key] = r.State
		if other := nonces[r.Nonce]; r.HasNonce && other != "" {
			w.t.Fatalf("nonce %d belongs to %q and %q", r.Nonce, other, r.Intent.Key)
		}
		if r.HasNonce {
			nonces[r.Nonce] = r.Intent.Key
		}
	}
	if err := m.allows(w.net.effects(w.t)); err != nil {
		w.t.Fatal(err)
	}
	if len(w.net.loose) > 0 {
		w.t.Fatalf("%d broadcasts of bytes that were not stored", len(w.net.loose))
	}
}

// sqlStory is the scene of the crash test on the real ledger: two in flight, one
// that can only fail, one that must be replaced, and a reorg that drops two blocks.
func sqlStory(t testing.TB, at int, after bool) *site {
	w := newSite(t, Config{MaxInFlight: 2, ReplaceAfter: 3 * time.Second, Rebroadcast: 2 * time.Second})
	w.faults.at, w.faults.after = at, after
	w.intent("first")
	w.intent("second")
	w.queue(chain.Intent{Key: "bad", To: target, Data: []byte("\xffbad")})
	for range 4 {
		w.pass()
		w.now = w.now.Add(time.Second)
		w.net.mine()
	}
	w.net.reorg(2, true)
	w.net.baseFee = big.NewInt(300) // above the caps in the pool: they must be replaced
	w.intent("third")
	w.settle(60)
	return w
}

// Every SQL statement and every RPC call of the sender is a point at which the
// process may stop; each point is a test of its own.
func TestAStopAtAnyStatementOrCallChangesNoEffect(t *testing.T) {
	plain := sqlStory(t, 0, false)
	plain.check()
	points, statements := plain.faults.calls, len(plain.faults.sql)
	t.Logf("%d points, %d of them SQL statements", points, statements)
	if statements < 150 || points-statements < 40 {
		t.Fatal("the story is too short")
	}
	step := 1
	if testing.Short() { // the race detector makes SQLite slow, and finds nothing new at each point
		step = 23
	}
	for i := 1; i <= points; i += step {
		for _, after := range []bool{false, true} {
			if after && plain.faults.sql[i] {
				continue // after a statement is before the next one
			}
			t.Run(fmt.Sprintf("point %d after=%t", i, after), func(t *testing.T) {
				w := sqlStory(t, i, after)
				w.check()
				for _, r := range w.rows() {
					want := chain.TxFinal
					if r.Intent.Key == "bad" {
						want = chain.TxCancelled
					}
					if r.State != want {
						t.Errorf("intent %q ended %s (%s)", r.Intent.Key, r.State, r.Why)
					}
				}
			})
		}
	}
}
