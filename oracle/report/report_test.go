package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sizes(w *world) (out []int) {
	for _, b := range w.batches {
		out = append(out, len(b.Items))
	}
	return out
}

func TestAnswersWaitForCompanyAndAFullBatchDoesNot(t *testing.T) {
	w := newWorld(t, Config{BatchWindow: time.Second, MaxBatch: 5})
	w.several(2)
	w.must()
	if len(w.batches) != 0 {
		t.Fatal("sealed before the window passed")
	}
	w.later(time.Second)
	w.must()
	w.several(12)
	w.must() // no window for full ones
	if got := fmt.Sprint(sizes(w)); got != "[2 5 5 2]" {
		t.Errorf("batches of %s", got)
	}
	w.land()
	w.must()
	w.must()
	for _, a := range w.answers {
		if a.state != chain.AnswerSettled {
			t.Errorf("answer %d is %s", a.Job, a.state)
		}
	}
	if st := w.r.Status(); st.Open != 0 || !st.Operator || st.Threshold != 1 || st.Error != "" {
		t.Errorf("status %+v", st)
	}
}

func TestAStopAtAnyCallSubmitsEachAnswerOnce(t *testing.T) {
	story := func(stopAt int, after bool) *world {
		w := newWorld(t, Config{BatchWindow: time.Nanosecond, MaxBatch: 2})
		w.stopAt, w.after = stopAt, after
		w.several(3)
		for range 8 {
			_ = w.pass()
			w.later(time.Second)
		}
		w.land()
		for range 3 {
			_ = w.pass()
		}
		return w
	}
	calls := story(0, false).calls
	if calls < 20 {
		t.Fatalf("the story has only %d calls", calls)
	}
	for i := range calls + 1 {
		for _, after := range []bool{false, true} {
			w := story(i, after)
			total := 0
			for _, n := range w.intents {
				total += n
			}
			for _, a := range w.answers {
				if total != 3 || a.state != chain.AnswerSettled {
					t.Fatalf("stop at %d after=%t: %d answers in intents, answer %d is %s", i, after, total, a.Job, a.state)
				}
			}
		}
	}
}

func TestNothingIsSealedCloseToItsDeadlineOrTooEarly(t *testing.T) {
	w := newWorld(t, Config{BatchWindow: time.Nanosecond, DeadlineMargin: time.Minute})
	late := w.answered(func(_ *estuaryprovider.Terms, a *chain.Answer) { a.Deadline = w.now.Add(59 * time.Second) })
	early := w.answered(func(terms *estuaryprovider.Terms, a *chain.Answer) {
		terms.AttemptUntil = big.NewInt(w.now.Unix() + 10)
		a.Outcome, a.Reason, a.Result = job.Failed, job.ReasonNotFound, nil
	})
	final := w.answered(func(terms *estuaryprovider.Terms, a *chain.Answer) {
		terms.AttemptUntil = big.NewInt(w.now.Unix() + 10)
		a.Outcome, a.Reason, a.Result = job.Failed, job.ReasonInvalidContent, nil
	})
	w.must()
	w.later(time.Millisecond)
	w.must()
	if late.state != chain.AnswerPending || early.state != chain.AnswerPending || final.state != chain.AnswerSealed {
		t.Fatalf("%s %s %s", late.state, early.state, final.state)
	}
	w.later(13 * time.Second)
	w.must()
	w.later(time.Millisecond)
	w.must()
	if early.state != chain.AnswerSealed {
		t.Error("the failure was not sealed when its time had come")
	}
}

func TestABatchThatCanOnlyFailDoesNotPoisonItsNeighbours(t *testing.T) {
	w := newWorld(t, Config{BatchWindow: time.Nanosecond})
	all := w.several(16)
	bad := all[11]
	w.poison[bad.Request] = true
	for range 20 {
		w.must()
		w.land()
		w.later(time.Second)
	}
	for _, a := range all {
		if a != bad && a.state != chain.AnswerSettled {
			t.Errorf("answer %d is %s", a.Job, a.state)
		}
	}
	held := w.r.Status().Held
	if bad.state != chain.AnswerPending || len(held) != 1 || held[0].Request != bad.Request || !held[0].Alarm || !strings.Contains(held[0].Why, "out of gas") {
		t.Fatalf("the bad one is %s, held: %+v", bad.state, held)
	}
	tries := len(w.batches)
	if tries > 2*5+1 {
		t.Errorf("%d batches for one bad answer of 16", tries)
	}
	w.later(31 * time.Second)
	for range 3 {
		w.must()
		w.land()
		w.later(time.Second)
	}
	if got := len(w.batches); got != tries+1 {
		t.Errorf("%d more tries after its pause", got-tries)
	}
	delete(w.poison, bad.Request) // the block got larger
	w.later(2 * time.Hour)
	bad.Deadline = w.now.Add(time.Hour)
	for range 4 {
		w.must()
		w.land()
		w.later(time.Second)
	}
	if bad.state != chain.AnswerSettled || len(w.r.Status().Held) != 0 {
		t.Errorf("it is %s, held: %+v", bad.state, w.r.Status().Held)
	}
}

func TestWhatTheContractWouldSkipIsNotPaidFor(t *testing.T) {
	w := newWorld(t, Config{BatchWindow: time.Nanosecond})
	closed, unknown, good := w.answered(nil), w.answered(nil), w.answered(nil)
	cancelling := w.answered(nil)
	w.states[closed.Request], w.states[unknown.Request], w.states[cancelling.Request] = 5, stateNone, stateCancelling
	elsewhere := w.answered(nil)
	elsewhere.Request[0] ^= 1
	forged := w.answered(func(_ *estuaryprovider.Terms, a *chain.Answer) { a.Reason = job.ReasonStalled })
	w.must()
	w.later(time.Second)
	w.must()
	for a, want := range map[*answer]chain.AnswerState{
		closed: chain.AnswerPending, unknown: chain.AnswerPending, elsewhere: chain.AnswerPending, forged: chain.AnswerPending,
		good: chain.AnswerSealed, cancelling: chain.AnswerSealed,
	} {
		if a.state != want {
			t.Errorf("answer %d is %s, want %s", a.Job, a.state, want)
		}
	}
	if alarms := w.r.trouble.alarms(); alarms != 3 {
		t.Errorf("%d alarms, want 3: %+v", alarms, w.r.Status().Held)
	}
	// A skipped answer of a batch that landed is held back as well.
	for _, b := range w.batches {
		b.TxState = chain.TxFinal
	}
	w.states[cancelling.Request] = 3
	w.must()
	w.later(time.Second)
	w.must()
	if good.state != chain.AnswerPending || w.r.trouble.released(good.Request, w.now) {
		t.Errorf("the skipped answer is %s and free to be paid for again", good.state)
	}
	if w.limit <= w.cfg.MaxBatch*4 {
		t.Errorf("held answers may hide others: only %d are read", w.limit)
	}
}

func TestAnotherResultOfARequestIsNeverSigned(t *testing.T) {
	w := newWorld(t, Config{BatchWindow: time.Nanosecond})
	bound, free := w.answered(nil), w.answered(nil)
	w.signed[bound.Request] = crypto.Keccak256Hash([]byte("another result"))
	for range 4 {
		w.must()
		w.later(time.Second)
	}
	if bound.state != chain.AnswerPending || free.state != chain.AnswerSealed {
		t.Fatalf("%s and %s", bound.state, free.state)
	}
	for _, b := range w.batches {
		for _, a := range b.Items {
			if a.Request == bound.Request && len(b.Signatures) > 0 {
				t.Fatal("a contradicting result was signed")
			}
		}
	}
	if held := w.r.Status().Held; len(held) != 1 || !strings.Contains(held[0].Why, "never signs two") {
		t.Errorf("held: %+v", held)
	}
}

func TestABatchOfAnOldConfigurationIsSealedAnew(t *testing.T) {
	w := newWorld(t, Config{BatchWindow: time.Nanosecond})
	w.several(2)
	w.must()
	w.later(time.Second)
	w.stopAt = w.calls + 4 // sealed, not yet signed
	w.must()
	w.stopAt = 0
	if w.batches[0].State != chain.BatchSealed {
		t.Fatalf("the story changed: %s", w.batches[0].State)
	}
	w.digest = common.HexToHash("0xc1")
	for range 4 {
		w.must()
		w.later(20 * time.Second)
	}
	if w.batches[0].State != chain.BatchFailed || w.batches[1].State != chain.BatchSubmitted || w.batches[1].ConfigDigest != w.digest {
		t.Errorf("%+v", w.batches)
	}
	// One that reverts because the configuration changed says nothing about answers.
	w.batches[1].TxState, w.batches[1].TxWhy = chain.TxCancelled, chain.WhyReverts+": OperatorSet_UnknownConfig"
	w.digest = common.HexToHash("0xc2")
	for range 4 {
		w.must()
		w.later(time.Second)
	}
	if len(w.batches) != 3 || len(w.batches[2].Items) != 2 || w.batches[2].ConfigDigest != w.digest {
		t.Errorf("sealed anew as %v", sizes(w))
	}
}

func TestAThresholdAboveOneWaitsAndSaysSo(t *testing.T) {
	w := newWorld(t, Config{BatchWindow: time.Nanosecond})
	w.threshold, w.operators = 2, append(w.operators, senderAt)
	w.several(1)
	w.must()
	if st := w.r.Status(); !strings.Contains(st.Waiting, "needs signatures of other operators") || len(w.batches) != 0 || w.signs != 0 {
		t.Errorf("%d batches, %d signatures, status %+v", len(w.batches), w.signs, st)
	}
}

func TestTroubleOfTheSetupIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		breakIt func(*world)
		want    string
		is      error
	}{
		"not an operator": {func(w *world) { w.operators = []common.Address{senderAt} }, "proposeOperators", ErrNotOperator},
		"no contract":     {func(w *world) { w.cfg.Provider = senderAt; w.start(); w.r.cfg.Provider = senderAt }, "check the address", ErrNoProvider},
		"endpoint down":   {func(w *world) { w.down = true }, "connection refused", nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{BatchWindow: time.Nanosecond})
			a := w.answered(nil)
			c.breakIt(w)
			if w.cfg.Provider != providerAt {
				a.Request = requestID(testChain, w.cfg.Provider, a.Terms)
			}
			err := w.pass()
			if err == nil || !strings.Contains(err.Error(), c.want) || (c.is != nil && !errors.Is(err, c.is)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if w.r.Status().Error == "" {
				t.Error("the status does not say so")
			}
		})
	}
}

func TestAnswersGatherWhileTheSenderIsBusy(t *testing.T) {
	w := newWorld(t, Config{BatchWindow: time.Nanosecond, MaxBatch: 2, MaxQueued: 2})
	w.several(7)
	for range 4 {
		w.must()
		w.later(time.Second)
	}
	if got := fmt.Sprint(sizes(w)); got != "[2 2]" || !strings.Contains(w.r.Status().Waiting, "wait for the sender") {
		t.Fatalf("batches of %s, status %+v", got, w.r.Status())
	}
	w.batches[0].TxState = chain.TxSent
	for range 3 {
		w.must()
		w.later(time.Second)
	}
	if got := fmt.Sprint(sizes(w)); got != "[2 2 2]" {
		t.Errorf("batches of %s", got)
	}
}

func TestBatchesStayUnderTheLimitsOfBytesAndGas(t *testing.T) {
	w := newWorld(t, Config{BatchWindow: time.Nanosecond, MaxBytes: 6000, MaxCallbackGas: 100})
	for range 8 {
		w.answered(func(_ *estuaryprovider.Terms, a *chain.Answer) { a.Result = make([]byte, 1000) })
	}
	for range 4 {
		w.answered(func(terms *estuaryprovider.Terms, _ *chain.Answer) { terms.CallbackGas = 50 })
	}
	w.must()
	w.later(time.Second)
	w.must()
	total := 0
	for _, b := range w.batches {
		data, err := w.r.calldata(b)
		if err != nil {
			t.Fatal(err)
		}
		gas := 0
		for _, a := range b.Items {
			terms, err := w.r.termsOf(a)
			if err != nil {
				t.Fatal(err)
			}
			gas += int(terms.CallbackGas)
		}
		if len(data) > 6000 || gas > 100 {
			t.Errorf("a batch of %d answers takes %d bytes and promises %d gas", len(b.Items), len(data), gas)
		}
		total += len(b.Items)
	}
	if total != 12 {
		t.Errorf("%d answers sealed", total)
	}
}

func TestAResolvedBatchWaitsForTheWatcher(t *testing.T) {
	w := newWorld(t, Config{BatchWindow: time.Nanosecond})
	w.several(2)
	w.must()
	w.later(time.Second)
	w.must()
	w.unread = true
	w.land()
	for range 3 {
		w.must()
	}
	if w.batches[0].State != chain.BatchSubmitted || len(w.batches) != 1 {
		t.Fatal("resolved before its block was read")
	}
	w.unread = false
	w.must()
	w.must()
	if w.batches[0].State != chain.BatchFinal || len(w.r.ending) != 0 {
		t.Errorf("%s, ending %v", w.batches[0].State, w.r.ending)
	}
}

func TestSignaturesAreAscendingAndExactlyTheThreshold(t *testing.T) {
	sig := func(b byte) chain.Signature {
		return chain.Signature{Signer: common.BytesToAddress([]byte{b}), Sig: bytes.Repeat([]byte{b}, 65)}
	}
	got, err := inOrder([]chain.Signature{sig(3), sig(1), sig(2)}, 2)
	if err != nil || len(got) != 2 || got[0][0] != 1 || got[1][0] != 2 {
		t.Errorf("%v, %v", got, err)
	}
	for name, in := range map[string][]chain.Signature{
		"too few": {sig(1)},
		"twice":   {sig(1), sig(1)},
		"short":   {sig(1), {Signer: common.BytesToAddress([]byte{2}), Sig: []byte{2}}},
	} {
		if _, err := inOrder(in, 2); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestTheDigestIsEIP712 writes the encoding of IOperatorSet out by hand.
func TestTheDigestIsEIP712(t *testing.T) {
	w := newWorld(t, Config{})
	w.several(2)
	w.answered(func(_ *estuaryprovider.Terms, a *chain.Answer) {
		a.Outcome, a.Reason, a.Result = job.Failed, job.ReasonTooLarge, nil
	})
	var answers []chain.Answer
	for _, a := range w.answers {
		answers = append(answers, a.Answer)
	}
	word := func(n uint64) []byte { return common.BigToHash(new(big.Int).SetUint64(n)).Bytes() }
	k := func(s string) []byte { return crypto.Keccak256([]byte(s)) }
	const item = "ReportItem(bytes32 requestId,uint8 outcome,uint8 reason,bytes32 resultHash)"
	var items []byte
	for _, a := range answers {
		items = append(items, crypto.Keccak256(k(item), a.Request[:], word(uint64(a.Outcome)), word(uint64(a.Reason)), crypto.Keccak256(a.Result))...)
	}
	domain := crypto.Keccak256(k("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
		k("Tidegate"), k("1"), word(testChain), common.LeftPadBytes(providerAt[:], 32))
	batch := crypto.Keccak256(k("ReportBatch(bytes32 configDigest,ReportItem[] reports)"+item), w.digest[:], crypto.Keccak256(items))
	want := crypto.Keccak256Hash([]byte{0x19, 0x01}, domain, batch)
	got, err := Digest(testChain, providerAt, w.digest, answers)
	if err != nil || got != want {
		t.Errorf("%s, want %s, %v", got, want, err)
	}
}

func TestRunStopsCleanly(t *testing.T) {
	w := newWorld(t, Config{BatchWindow: time.Nanosecond, Poll: time.Hour})
	w.r.metrics = newMetrics(prometheus.NewRegistry())
	w.several(1)
	submitted := make(chan struct{})
	w.r.queued = func() { close(submitted) }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	w.r.now = time.Now
	w.answers[0].Deadline = time.Now().Add(time.Hour)
	go func() { done <- w.r.Run(ctx) }()
	<-submitted
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	w := newWorld(t, Config{})
	good := Config{ChainID: 1, Provider: providerAt}
	deps := Deps{Ledger: w, Chain: w, Signer: w, Sender: func() common.Address { return senderAt }}
	for name, breakIt := range map[string]func(*Config, *Deps){
		"ledger":   func(_ *Config, d *Deps) { d.Ledger = nil },
		"chain":    func(_ *Config, d *Deps) { d.Chain = nil },
		"signer":   func(_ *Config, d *Deps) { d.Signer = nil },
		"chain id": func(c *Config, _ *Deps) { c.ChainID = 0 },
		"provider": func(c *Config, _ *Deps) { c.Provider = common.Address{} },
		"sender":   func(_ *Config, d *Deps) { d.Sender = nil },
	} {
		c, d := good, deps
		breakIt(&c, &d)
		if _, err := New(c, d); err == nil {
			t.Errorf("without %s: accepted", name)
		}
	}
}
