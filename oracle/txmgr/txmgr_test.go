package txmgr

import (
	"context"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// foreign puts a transaction of another program with the same key into the pool.
func (w *world) foreign(nonce uint64) {
	w.t.Helper()
	tx, err := types.SignNewTx(w.signer.key, w.net.rules, &types.DynamicFeeTx{
		ChainID: big.NewInt(testChain), Nonce: nonce, GasTipCap: big.NewInt(1e6), GasFeeCap: big.NewInt(1e6), Gas: 21000, To: &target, Value: new(big.Int),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.net.pool[nonce] = tx
}

func (w *world) must() {
	w.t.Helper()
	if err := w.pass(); err != nil {
		w.t.Fatal(err)
	}
}

func wantState(t *testing.T, r *chain.Tx, want chain.TxState, why string) {
	t.Helper()
	if r.State != want || !strings.Contains(r.Why, why) {
		t.Fatalf("intent %q is %s (%q), want %s with %q", r.Intent.Key, r.State, r.Why, want, why)
	}
}

func TestAnIntentThatCanOnlyFailIsCancelledInOnePass(t *testing.T) {
	w := newWorld(t, Config{})
	bad, good := w.intent("\xffbad"), w.intent("good")
	w.must()
	wantState(t, bad, chain.TxCancelled, chain.WhyReverts+": execution reverted: no such thing")
	wantState(t, good, chain.TxSent, "")
	if good.GasLimit != 60_000 {
		t.Errorf("gas limit %d: not what it takes at a price, and a fifth", good.GasLimit)
	}
	if good.Nonce != 0 || w.ended != 1 {
		t.Errorf("the good one has nonce %d, Changed was called %d times", good.Nonce, w.ended)
	}
}

func TestAnIntentThatNeedsMoreGasThanABlockIsCancelled(t *testing.T) {
	w := newWorld(t, Config{MaxGas: 40_000})
	big := w.intent("big")
	w.must()
	wantState(t, big, chain.TxCancelled, "it needs 50000 gas, a block has room for 40000")
}

func TestAFreshLedgerTakesTheChainsNonce(t *testing.T) {
	w := newWorld(t, Config{})
	w.foreign(0)
	w.net.mine()
	tx := w.intent("first")
	w.settle(10)
	wantState(t, tx, chain.TxFinal, "")
	if tx.Nonce != 1 {
		t.Errorf("nonce %d, want 1", tx.Nonce)
	}
}

func TestForeignUseOfTheKeyParksItUntilAdopted(t *testing.T) {
	w := newWorld(t, Config{})
	first := w.intent("first")
	w.settle(10)
	wantState(t, first, chain.TxFinal, "")
	w.foreign(1)
	w.net.mine()
	second := w.intent("second")
	w.settle(5)
	wantState(t, second, chain.TxQueued, "")
	if st := w.sender.Status(); !strings.Contains(st.Parked, "tidegate keys adopt") || st.Waiting != "" {
		t.Fatalf("status %+v", st)
	}
	n, err := Adopt(context.Background(), w.ledger, w.doors[0], w.signer.Address())
	if err != nil || n != 2 {
		t.Fatalf("adopted %d, %v", n, err)
	}
	w.settle(10)
	wantState(t, second, chain.TxFinal, "")
	if second.Nonce != 2 || w.sender.Status().Parked != "" {
		t.Errorf("nonce %d, status %+v", second.Nonce, w.sender.Status())
	}
}

func TestANonceThatWentToAForeignTransactionEndsAsReplaced(t *testing.T) {
	w := newWorld(t, Config{})
	w.net.stuck = true
	tx := w.intent("late")
	w.must()
	w.foreign(0)
	w.net.stuck = false
	w.settle(3)
	wantState(t, tx, chain.TxSent, "") // not before it is final, and not at first sight
	w.settle(20)
	wantState(t, tx, chain.TxReplaced, "another program uses the key")
	next := w.intent("next")
	w.settle(10)
	wantState(t, next, chain.TxFinal, "")
}

func TestWithoutBalanceTheSenderWaitsAndGoesOnWhenFunded(t *testing.T) {
	w := newWorld(t, Config{})
	rich := w.net.balance
	w.net.balance = big.NewInt(5)
	tx := w.intent("paid later")
	w.settle(5)
	wantState(t, tx, chain.TxQueued, "")
	if st := w.sender.Status(); st.Parked != "" || !strings.Contains(st.Waiting, "send it funds") {
		t.Fatalf("status %+v", st)
	}
	w.net.balance = rich
	w.settle(10)
	wantState(t, tx, chain.TxFinal, "")
	if st := w.sender.Status(); st.Waiting != "" {
		t.Errorf("still waiting: %s", st.Waiting)
	}
}

func TestATimeoutLeadsToTheSameBytesAgain(t *testing.T) {
	for _, arrives := range []bool{false, true} {
		w := newWorld(t, Config{ReplaceAfter: time.Hour})
		w.net.stuck = true
		w.net.refuse = errors.New("503 service unavailable")
		if arrives {
			w.net.refuse, w.net.loseReply = nil, true
		}
		tx, second := w.intent("once"), w.intent("second")
		w.settle(30)
		wantState(t, tx, chain.TxSigned, "")
		wantState(t, second, chain.TxQueued, "") // nothing new while one is undecided
		w.net.refuse, w.net.loseReply, w.net.stuck = nil, false, false
		w.settle(60)
		w.once()
		if len(tx.Attempts) != 1 || tx.State != chain.TxFinal {
			t.Errorf("arrives=%t: %d attempts, state %s", arrives, len(tx.Attempts), tx.State)
		}
	}
}

func TestARefusalIsNoProofWhenAnEarlierCopyMayBeOut(t *testing.T) {
	// The process dies right after the bytes arrived, before it could write that down.
	dying := func(call int) (*world, *chain.Tx) {
		w := newWorld(t, Config{})
		w.net.stuck = true
		tx := w.ledger.queue(chain.Intent{Key: "once", To: target, Data: []byte("once"), Expiry: w.now.Add(3 * time.Second)}, w.now)
		w.faults.plan(call, true)
		_ = w.pass()
		return w, tx
	}
	call := 1
	w, tx := dying(call)
	for ; tx.State != chain.TxSigned || len(w.net.pool) == 0; w, tx = dying(call) {
		if call++; call > 50 {
			t.Fatal("the bytes never left")
		}
	}
	w.faults.at = 0
	rich := w.net.balance
	w.net.balance = big.NewInt(0) // now the endpoint refuses the same bytes for good
	w.settle(10)
	if tx.State.Ended() {
		t.Fatalf("the row ended as %s (%s) while its bytes are in the pool", tx.State, tx.Why)
	}
	w.net.balance, w.net.stuck = rich, false
	w.settle(100)
	w.once()
}

func TestARefusalForGoodFreesTheNonce(t *testing.T) {
	w := newWorld(t, Config{})
	w.net.refuse = errors.New("intrinsic gas too low: gas 60000, minimum needed 61000")
	bad := w.intent("bad")
	w.must()
	wantState(t, bad, chain.TxCancelled, chain.WhyRefused+": one: intrinsic gas too low")
	w.net.refuse = nil
	good := w.intent("good")
	w.settle(10)
	wantState(t, good, chain.TxFinal, "")
	if good.Nonce != 0 {
		t.Errorf("nonce %d, want the freed 0", good.Nonce)
	}
}

func TestAReplacementPaysAQuarterMoreAndOldAttemptsStillCount(t *testing.T) {
	w := newWorld(t, Config{ReplaceAfter: 5 * time.Second})
	w.net.stuck = true
	tx := w.intent("slow")
	w.settle(12)
	if len(tx.Attempts) < 3 {
		t.Fatalf("%d attempts", len(tx.Attempts))
	}
	for i := 1; i < len(tx.Attempts); i++ {
		a, b := tx.Attempts[i-1], tx.Attempts[i]
		if less(b.Tip, a.Tip) || less(b.FeeCap, a.FeeCap) || b.Nonce != a.Nonce {
			t.Errorf("attempt %d pays %s/%s after %s/%s", i, b.Tip, b.FeeCap, a.Tip, a.FeeCap)
		}
	}
	// A miner that never saw the replacements takes the first.
	first := new(types.Transaction)
	if err := first.UnmarshalBinary(tx.Attempts[0].Raw); err != nil {
		t.Fatal(err)
	}
	w.net.pool, w.net.stuck = map[uint64]*types.Transaction{0: first}, false
	w.net.mine()
	w.settle(10)
	wantState(t, tx, chain.TxFinal, "")
	if tx.MinedHash != tx.Attempts[0].Hash {
		t.Errorf("mined %s, want the first attempt", tx.MinedHash)
	}
}

func TestAtTheFeeLimitTheOldBytesStay(t *testing.T) {
	w := newWorld(t, Config{ReplaceAfter: 2 * time.Second, MaxFeeCap: big.NewInt(220)})
	w.net.stuck = true
	tx := w.intent("dear")
	w.settle(10)
	if len(tx.Attempts) != 1 || !strings.Contains(w.sender.Status().Waiting, ErrFeeLimit.Error()) {
		t.Fatalf("%d attempts, status %+v", len(tx.Attempts), w.sender.Status())
	}
	w.net.stuck = false
	w.settle(10)
	wantState(t, tx, chain.TxFinal, "")

	w.net.baseFee = big.NewInt(1000)
	later := w.intent("later")
	w.settle(5)
	wantState(t, later, chain.TxQueued, "")
	if !strings.Contains(w.sender.Status().Waiting, "the base fee is 1000, the configured maximum 220") {
		t.Errorf("status %+v", w.sender.Status())
	}
}

func TestWhatIsTooLateIsNeverSentAndWhatIsStuckIsEmptied(t *testing.T) {
	w := newWorld(t, Config{ReplaceAfter: 4 * time.Second})
	w.net.stuck = true
	soon := w.now.Add(2 * time.Second)
	stuck := w.ledger.queue(chain.Intent{Key: "stuck", To: target, Data: []byte("stuck"), Expiry: soon}, w.now)
	never := w.ledger.queue(chain.Intent{Key: "never", To: target, Data: []byte("never"), Expiry: soon}, w.now)
	w.settle(8)
	wantState(t, never, chain.TxCancelled, chain.WhyExpired)
	wantState(t, stuck, chain.TxSent, "")
	if a := newest(stuck); !a.Empty {
		t.Fatal("no empty attempt was made")
	}
	w.net.stuck = false
	w.settle(10)
	wantState(t, stuck, chain.TxCancelled, "")
	w.once()
	next := w.intent("next")
	w.settle(10)
	wantState(t, next, chain.TxFinal, "")
	if next.Nonce != 1 {
		t.Errorf("nonce %d, want 1: the empty transaction used 0", next.Nonce)
	}
}

func TestAReorgSendsTheStoredBytesAgain(t *testing.T) {
	w := newWorld(t, Config{})
	w.net.depth = 5
	tx := w.intent("moved")
	w.must()
	w.net.mine()
	w.must()
	wantState(t, tx, chain.TxMined, "")
	hash := tx.MinedHash
	w.net.reorg(1, true)
	w.must()
	wantState(t, tx, chain.TxSent, "")
	if again := w.net.pool[0]; again == nil || again.Hash() != hash {
		t.Fatal("the stored bytes did not go out again")
	}
	w.settle(20)
	w.once()
}

func TestMinedDoesNotBlockTheNext(t *testing.T) {
	w := newWorld(t, Config{MaxInFlight: 1})
	w.net.depth = 50
	first, second := w.intent("first"), w.intent("second")
	w.must()
	wantState(t, second, chain.TxQueued, "")
	w.net.mine()
	w.must()
	wantState(t, first, chain.TxMined, "")
	wantState(t, second, chain.TxSent, "")
}

func TestOnlyTheHolderOfTheLeaseWrites(t *testing.T) {
	w := newWorld(t, Config{Lease: 10 * time.Second})
	tx := w.intent("one")
	w.must()
	old := w.sender
	w.cfg.Owner = "there"
	w.start()
	if err := w.pass(); !errors.Is(err, job.ErrFenced) {
		t.Fatalf("a second process got the key: %v", err)
	}
	w.now = w.now.Add(11 * time.Second)
	w.must()
	w.net.mine()
	// The first process wakes up from a long pause and still believes in its lease.
	old.until = w.now.Add(time.Hour)
	if _, err := old.pass(context.Background()); !errors.Is(err, job.ErrFenced) {
		t.Fatalf("the old process wrote: %v", err)
	}
	if old.Status().Holding {
		t.Error("the old process still says that it holds the key")
	}
	w.settle(10)
	wantState(t, tx, chain.TxFinal, "")
}

func TestAFailingSignerPutsTheIntentBack(t *testing.T) {
	w := newWorld(t, Config{})
	w.signer.err = errors.New("the signer is locked")
	tx := w.intent("one")
	if err := w.pass(); err == nil || !strings.Contains(err.Error(), "locked") {
		t.Fatal(err)
	}
	wantState(t, tx, chain.TxQueued, "")
	w.signer.err = nil
	w.settle(10)
	wantState(t, tx, chain.TxFinal, "")
}

func TestAnEndpointThatIsBehindMakesNothingNew(t *testing.T) {
	w := newWorld(t, Config{})
	w.intent("first")
	w.settle(10)
	w.net.blocks = w.net.blocks[:1] // another node, or a chain that was reset
	tx := w.intent("second")
	w.must()
	wantState(t, tx, chain.TxQueued, "")
	if !strings.Contains(w.sender.Status().Waiting, "it is behind") {
		t.Errorf("status %+v", w.sender.Status())
	}
}

func TestReadsMoveOnAndBytesGoToEveryEndpoint(t *testing.T) {
	w := newWorld(t, Config{})
	second := newFakeNet() // a pool of its own
	dead := &fakeEndpoint{fakeNet: w.net, name: "dead", chainID: testChain, off: true}
	wrong := &fakeEndpoint{fakeNet: second, name: "wrong", chainID: 1}
	other := &fakeEndpoint{fakeNet: second, name: "other", chainID: testChain}
	second.faults = w.faults
	w.doors = []Endpoint{dead, wrong, w.doors[0], other}
	w.start()
	tx := w.intent("one")
	w.must()
	wantState(t, tx, chain.TxSent, "")
	if len(w.net.pool) != 1 || len(second.pool) != 1 {
		t.Errorf("pools hold %d and %d transactions", len(w.net.pool), len(second.pool))
	}

	w.doors = []Endpoint{wrong}
	w.start()
	if err := w.pass(); !errors.Is(err, ErrWrongChain) {
		t.Errorf("an endpoint of another chain was used: %v", err)
	}
}

func TestAMinedRevertKeepsItsReason(t *testing.T) {
	w := newWorld(t, Config{})
	tx := w.intent("good")
	w.must()
	// What simulated well fails in its block.
	tx.Intent.Data = []byte("\xffnow it fails")
	raw, err := types.SignNewTx(w.signer.key, w.net.rules, &types.DynamicFeeTx{
		ChainID: big.NewInt(testChain), GasTipCap: big.NewInt(10), GasFeeCap: big.NewInt(1000), Gas: 60000, To: &target, Data: tx.Intent.Data,
	})
	if err != nil {
		t.Fatal(err)
	}
	tx.Attempts[0].Hash = raw.Hash()
	w.net.pool[0] = raw
	w.settle(10)
	wantState(t, tx, chain.TxFinal, "no such thing")
	if !tx.Reverted {
		t.Error("not marked as reverted")
	}
}

func TestRunStopsCleanlyAndWakes(t *testing.T) {
	w := newWorld(t, Config{Poll: time.Hour, Lease: time.Hour})
	w.sender.metrics = NewMetrics(prometheus.NewRegistry())
	w.sender.now = time.Now
	sent := make(chan struct{})
	w.intent("one")
	w.sender.changed = func() {}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.sender.Run(ctx) }()
	go func() {
		defer close(sent)
		for w.sender.Status().InFlight == 0 && ctx.Err() == nil {
			w.sender.Wake()
		}
	}()
	<-sent
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	w := newWorld(t, Config{})
	good := Config{ChainID: 1, Owner: "me"}
	deps := Deps{Ledger: w.ledger, Signer: w.signer, Endpoints: w.doors}
	for name, breakIt := range map[string]func(*Config, *Deps){
		"no ledger":    func(_ *Config, d *Deps) { d.Ledger = nil },
		"no signer":    func(_ *Config, d *Deps) { d.Signer = nil },
		"no endpoints": func(_ *Config, d *Deps) { d.Endpoints = nil },
		"no chain":     func(c *Config, _ *Deps) { c.ChainID = 0 },
		"no owner":     func(c *Config, _ *Deps) { c.Owner = "" },
	} {
		c, d := good, deps
		breakIt(&c, &d)
		if _, err := New(c, d); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := New(good, deps); err != nil {
		t.Error(err)
	}
	if c := (Config{ChainID: 314}).withDefaults(); !c.GasPadded || c.MaxGas != 10_000_000_000 {
		t.Errorf("Filecoin defaults: %+v", c)
	}
}

func TestAdoptedKeyIgnoresCase(t *testing.T) {
	a := common.HexToAddress("0xAbCdEf0000000000000000000000000000000001")
	if AdoptedKey(a) != strings.ToLower(AdoptedKey(a)) {
		t.Error(AdoptedKey(a))
	}
}
