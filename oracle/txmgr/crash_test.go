package txmgr

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/oracle/chain"
)

// story is the scene of the crash test: two in flight, one that can only fail, one
// that must be replaced, and a reorg that drops two blocks.
func story(t testing.TB, f *faults) *world {
	w := newWorld(t, Config{MaxInFlight: 2, ReplaceAfter: 5 * time.Second, Rebroadcast: 3 * time.Second})
	w.faults.at, w.faults.after = f.at, f.after
	w.intent("first")
	w.intent("second")
	w.ledger.queue(chain.Intent{Key: "\xffbad", To: target, Data: []byte("\xffbad")}, w.now)
	for range 4 {
		_ = w.pass()
		w.now = w.now.Add(time.Second)
		w.net.mine()
	}
	w.net.reorg(2, true)
	w.net.baseFee = big.NewInt(300) // above the caps in the pool: they must be replaced
	w.intent("third")
	w.settle(60)
	return w
}

func TestACrashAtAnyCallChangesNoEffect(t *testing.T) {
	plain := story(t, &faults{})
	plain.once()
	calls := plain.faults.calls
	if calls < 80 {
		t.Fatalf("the story has only %d calls", calls)
	}
	for i := 1; i <= calls; i++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("call %d after=%t", i, after), func(t *testing.T) {
				w := story(t, &faults{at: i, after: after})
				w.once()
				for _, r := range w.ledger.rows {
					want := chain.TxFinal
					if r.Intent.Key == "\xffbad" {
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

// TestAnyHistoryIsOneThatTheModelAllows drives the sender on a real ledger through
// random trouble and compares with the model after each step; then the world heals,
// and nothing may have been lost.
func TestAnyHistoryIsOneThatTheModelAllows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newSite(t, Config{
			MaxInFlight:  rapid.IntRange(1, 3).Draw(rt, "in flight"),
			ReplaceAfter: 4 * time.Second, Rebroadcast: 3 * time.Second,
		})
		n := 0
		rich := new(big.Int).Set(w.net.balance)
		rt.Repeat(map[string]func(*rapid.T){
			"queue": func(rt *rapid.T) {
				n++
				in := chain.Intent{Key: fmt.Sprintf("intent %d", n), To: target}
				in.Data = []byte(in.Key)
				if rapid.Bool().Draw(rt, "expires") {
					in.Expiry = w.now.Add(time.Duration(rapid.IntRange(1, 20).Draw(rt, "seconds")) * time.Second)
				}
				w.queue(in)
			},
			"pass":  func(*rapid.T) { w.pass() },
			"mine":  func(*rapid.T) { w.net.mine() },
			"time":  func(rt *rapid.T) { w.now = w.now.Add(time.Duration(rapid.IntRange(1, 8).Draw(rt, "s")) * time.Second) },
			"reorg": func(rt *rapid.T) { w.net.reorg(rapid.IntRange(1, 2).Draw(rt, "blocks"), rapid.Bool().Draw(rt, "lose")) },
			"stop": func(rt *rapid.T) {
				w.faults.plan(rapid.IntRange(1, 80).Draw(rt, "at"), rapid.Bool().Draw(rt, "after"))
				w.pass()
			},
			"base fee": func(rt *rapid.T) { w.net.baseFee = big.NewInt(rapid.Int64Range(50, 500).Draw(rt, "fee")) },
			"balance": func(rt *rapid.T) {
				w.net.balance = big.NewInt(0)
				if rapid.Bool().Draw(rt, "rich") {
					w.net.balance.Set(rich)
				}
			},
			"door": func(rt *rapid.T) {
				w.net.down, w.net.loseReply = rapid.Bool().Draw(rt, "down"), rapid.Bool().Draw(rt, "lose reply")
			},
			"forget": func(rt *rapid.T) { clear(w.net.pool) },
			"":       func(*rapid.T) { w.check() },
		})
		w.net.down, w.net.loseReply, w.faults.at = false, false, 0
		w.net.balance.Set(rich)
		w.settle(400)
		w.check()
		for _, r := range w.rows() {
			switch {
			case !r.State.Ended():
				rt.Fatalf("intent %q never ended: it is %s, status %+v", r.Intent.Key, r.State, w.sender.Status())
			case r.State == chain.TxReplaced || (r.State == chain.TxCancelled && r.Intent.Expiry.IsZero()):
				rt.Fatalf("intent %q was lost: %s (%s)", r.Intent.Key, r.State, r.Why)
			}
		}
	})
}
