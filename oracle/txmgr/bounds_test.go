package txmgr

import (
	"bytes"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/oracle/chain"
)

func TestWhatFitsIntoNoMessageIsCancelledUnsent(t *testing.T) {
	w := newWorld(t, Config{})
	big := w.ledger.queue(chain.Intent{Key: "big", To: target, Data: bytes.Repeat([]byte{1}, maxMessage-messageRest+1)}, w.now)
	fits := w.ledger.queue(chain.Intent{Key: "fits", To: target, Data: bytes.Repeat([]byte{2}, maxMessage-messageRest)}, w.now)
	w.must()
	wantState(t, big, chain.TxCancelled, chain.WhyRefused)
	wantState(t, fits, chain.TxSent, "")
	if n := len(fits.Attempts[0].Raw); n > maxMessage {
		t.Errorf("the largest call makes a message of %d bytes", n)
	}
}

func TestWhatIsWantedNoMoreIsNotSentAndWhatIsStuckIsEmptied(t *testing.T) {
	w := newWorld(t, Config{ReplaceAfter: 5 * time.Second})
	w.net.stuck = true
	stuck, queued := w.intent("stuck"), w.intent("queued")
	w.must()
	w.ledger.gone[stuck.ID], w.ledger.gone[queued.ID] = "refunded", "retracted"
	w.settle(8)
	wantState(t, queued, chain.TxCancelled, chain.WhyUnwanted+": retracted")
	if len(queued.Attempts) != 0 {
		t.Error("what was wanted no more was signed")
	}
	wantState(t, stuck, chain.TxSent, "")
	if a := newest(stuck); !a.Empty || a.Nonce != 0 {
		t.Fatalf("the newest attempt is %+v, want an empty one at the same nonce", a)
	}
	w.net.stuck = false
	w.settle(10)
	wantState(t, stuck, chain.TxCancelled, "")
	w.once()
}

func TestAFrozenChainHoldsWhatIsQueued(t *testing.T) {
	w := newWorld(t, Config{})
	w.ledger.frozen = "block 7 was final"
	tx := w.intent("held")
	w.settle(5)
	wantState(t, tx, chain.TxQueued, "")
	if st := w.sender.Status(); !strings.Contains(st.Waiting, "block 7 was final") {
		t.Errorf("status %+v", st)
	}
	w.ledger.frozen = ""
	w.settle(10)
	wantState(t, tx, chain.TxFinal, "")
}

func TestTheDailyCapHoldsWhatGoesBeyondIt(t *testing.T) {
	// A mined transaction costs 21000 × 7; one in flight is counted at 60000 × 210.
	w := newWorld(t, Config{MaxDailySpend: big.NewInt(60_000*210 + 21_000*7)})
	first, second, third := w.intent("first"), w.intent("second"), w.intent("third")
	w.settle(30)
	wantState(t, first, chain.TxFinal, "")
	wantState(t, second, chain.TxFinal, "")
	wantState(t, third, chain.TxQueued, "")
	if st := w.sender.Status(); !strings.Contains(st.Waiting, "daily spending cap") {
		t.Fatalf("status %+v", st)
	}
	w.now = w.now.Add(day)
	w.settle(20)
	wantState(t, third, chain.TxFinal, "")
}

func TestAReplacementStaysUnderTheDailyCap(t *testing.T) {
	w := newWorld(t, Config{ReplaceAfter: 5 * time.Second, MaxDailySpend: big.NewInt(60_000*210 + 1000)})
	w.net.stuck = true
	tx := w.intent("one")
	w.settle(20)
	if len(tx.Attempts) != 1 || !strings.Contains(w.sender.Status().Waiting, "daily spending cap") {
		t.Errorf("%d attempts, status %+v", len(tx.Attempts), w.sender.Status())
	}
}

func TestADryRunDoesAllButSend(t *testing.T) {
	w := newWorld(t, Config{DryRun: true})
	good, bad := w.intent("good"), w.intent("\xffbad")
	w.settle(10)
	wantState(t, good, chain.TxQueued, "")
	wantState(t, bad, chain.TxCancelled, chain.WhyReverts)
	if len(w.net.pool) != 0 || len(good.Attempts) != 0 || good.HasNonce || len(w.net.effects(t)) != 0 {
		t.Errorf("something was sent or stored: %+v", good)
	}
	if !w.sender.rehearsed[good.ID] || !w.sender.Status().DryRun {
		t.Error("it was not rehearsed")
	}
	w.cfg.DryRun = false
	w.start()
	w.settle(10)
	wantState(t, good, chain.TxFinal, "")
}

func TestADryRunFollowsWhatWasSentAndSendsNothingAgain(t *testing.T) {
	w := newWorld(t, Config{ReplaceAfter: 2 * time.Second, Rebroadcast: time.Second})
	w.net.stuck = true
	tx := w.intent("sent before")
	w.must()
	wantState(t, tx, chain.TxSent, "")
	w.cfg.DryRun = true
	w.start()
	clear(w.net.pool)
	w.settle(10)
	if len(w.net.pool) != 0 || len(tx.Attempts) != 1 {
		t.Errorf("%d in the pool, %d attempts", len(w.net.pool), len(tx.Attempts))
	}
}

func TestAChainWithoutBlocksIsNotAskedForABetterPrice(t *testing.T) {
	w := newWorld(t, Config{ReplaceAfter: 5 * time.Second, ReplaceBlocks: 3})
	w.net.stuck = true
	tx := w.intent("waits")
	for range 30 { // time passes, no block comes
		w.now = w.now.Add(time.Second)
		w.must()
	}
	if len(tx.Attempts) != 1 {
		t.Fatalf("%d attempts without a block", len(tx.Attempts))
	}
	for range 3 {
		w.net.mine()
	}
	w.must()
	if len(tx.Attempts) != 2 {
		t.Fatalf("%d attempts after three blocks", len(tx.Attempts))
	}
}

func TestALowBalanceAlarmsBeforeItIsEmpty(t *testing.T) {
	w := newWorld(t, Config{LowBalance: new(big.Int).Lsh(big.NewInt(1), 90)})
	tx := w.intent("paid")
	w.settle(10)
	wantState(t, tx, chain.TxFinal, "")
	if st := w.sender.Status(); !st.Low || st.Waiting != "" {
		t.Errorf("status %+v", st)
	}
}
