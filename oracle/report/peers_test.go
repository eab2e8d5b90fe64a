package report

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/signer"
)

// peer is another operator as the fake network shows it.
type peer struct {
	key     signer.Signer
	down    bool
	says    func(i int, c chain.Claim) chain.Judgement // nil: agrees
	signs   func(sig []byte) []byte                    // nil: honestly; giving nil: not at all
	asked   int                                        // to judge
	askedTo int                                        // to sign
}

// fakePeers are the other operators of a world.
type fakePeers struct {
	w   *world
	all []*peer
}

func (f *fakePeers) Judge(_ context.Context, p chain.Proposal) map[common.Address][]chain.Judgement {
	out := map[common.Address][]chain.Judgement{}
	for _, o := range f.all {
		if o.down {
			continue
		}
		o.asked++
		for i, c := range p.Claims {
			j := chain.Judgement{Verdict: chain.Agree}
			if o.says != nil {
				j = o.says(i, c)
			}
			out[o.key.Address()] = append(out[o.key.Address()], j)
		}
	}
	return out
}

func (f *fakePeers) Sign(ctx context.Context, p chain.Proposal) map[common.Address][]byte {
	out := map[common.Address][]byte{}
	for _, o := range f.all {
		if o.down {
			continue
		}
		o.askedTo++
		sig, err := o.key.SignTyped(ctx, typedData(testChain, providerAt, p.ConfigDigest, p.Claims))
		if err != nil {
			f.w.t.Fatal(err)
		}
		if o.signs != nil {
			sig = o.signs(sig)
		}
		if sig != nil {
			out[o.key.Address()] = sig
		}
	}
	return out
}

// among makes the world's operator one of n who need k signatures.
func among(t *testing.T, n int, k uint8, cfg Config) (*world, []*peer) {
	t.Helper()
	cfg.BatchWindow = time.Nanosecond
	w := newWorld(t, cfg)
	f := &fakePeers{w: w}
	for i := range n - 1 {
		key, err := signer.FromHex(fmt.Sprintf("%064x", 77+i))
		if err != nil {
			t.Fatal(err)
		}
		f.all = append(f.all, &peer{key: key})
		w.operators = append(w.operators, key.Address())
	}
	w.threshold, w.peers = k, f
	w.now = time.Unix(int64(n)*3600*100_000, 0) // the first operator leads
	w.start()
	return w, f.all
}

// soon lets the batch window pass.
func (w *world) soon() {
	w.t.Helper()
	w.must()
	w.later(time.Millisecond)
	w.must()
}

func disagreement(_ int, c chain.Claim) chain.Judgement {
	return chain.Judgement{Verdict: chain.Disagree, Own: &chain.Claim{Request: c.Request, Outcome: job.Failed, Reason: job.ReasonStalled}}
}

func TestABatchHoldsWhatTheSameOperatorsAgreeOn(t *testing.T) {
	w, others := among(t, 4, 3, Config{AskAgain: time.Minute})
	w.several(6)
	lacks := func(missing ...int) func(int, chain.Claim) chain.Judgement {
		return func(i int, _ chain.Claim) chain.Judgement {
			for _, m := range missing {
				if i == m {
					return chain.Judgement{Verdict: chain.Unknown}
				}
			}
			return chain.Judgement{Verdict: chain.Agree}
		}
	}
	others[0].says, others[1].says, others[2].says = lacks(0, 1, 2), lacks(4), lacks(5)
	w.soon()
	if len(w.batches) != 1 || len(w.batches[0].Items) != 4 || w.batches[0].State != chain.BatchSubmitted {
		t.Fatalf("batches of %v", sizes(w))
	}
	if n := len(w.batches[0].Signatures); n != 3 {
		t.Errorf("%d signatures", n)
	}
	if held := w.r.Status().Held; len(held) != 2 || held[0].Alarm {
		t.Errorf("held %+v", held)
	}
}

func TestALiarHoldsUpNobodyAndIsReported(t *testing.T) {
	w, others := among(t, 3, 2, Config{AskAgain: 10 * time.Second})
	w.several(2)
	others[0].says, others[1].down = disagreement, true
	w.soon()
	st := w.r.Status()
	if len(w.batches) != 0 || len(st.Disagreements) != 2 || st.Disagreements[0].Operator != others[0].key.Address() || st.Disagreements[0].Theirs == nil {
		t.Fatalf("%d batches, status %+v", len(w.batches), st)
	}
	others[1].down = false
	w.later(11 * time.Second)
	w.soon()
	if len(w.batches) != 1 || len(w.batches[0].Items) != 2 {
		t.Errorf("batches of %v", sizes(w))
	}
	if n := len(w.r.Status().Disagreements); n != 2 {
		t.Errorf("%d disagreements, told again", n)
	}
}

func TestWithoutHopeOfAgreementAPersonIsCalled(t *testing.T) {
	w, others := among(t, 3, 2, Config{})
	w.several(1)
	others[0].says, others[1].says = disagreement, disagreement
	w.soon()
	if st := w.r.Status(); len(w.batches) != 0 || len(st.Held) != 1 || !st.Held[0].Alarm || !strings.Contains(st.Held[0].Why, "2 of 2") {
		t.Errorf("status %+v", st)
	}
}

func TestWhoAgreesAndDoesNotSignIsReliedOnLast(t *testing.T) {
	for name, signs := range map[string]func([]byte) []byte{
		"no signature":          func([]byte) []byte { return nil },
		"a signature of others": func(sig []byte) []byte { sig[5]++; return sig },
	} {
		t.Run(name, func(t *testing.T) {
			w, others := among(t, 3, 2, Config{SignWithin: 10 * time.Second})
			w.several(3)
			cheat, honest := others[0], others[1]
			cheat.signs = signs
			honest.says = func(i int, _ chain.Claim) chain.Judgement { // has less than the cheat says it has
				if i == 0 {
					return chain.Judgement{Verdict: chain.Unknown}
				}
				return chain.Judgement{Verdict: chain.Agree}
			}
			honest.signs = func(sig []byte) []byte {
				if len(w.batches) == 1 { // the batch of three, of which it lacks one
					return nil
				}
				return sig
			}
			for range 15 {
				w.must()
				w.later(2 * time.Second)
			}
			if len(w.batches) < 2 || w.batches[0].State != chain.BatchFailed || w.batches[1].State != chain.BatchSubmitted || len(w.batches[1].Items) != 2 {
				t.Fatalf("batches of %v: %+v", sizes(w), w.batches)
			}
		})
	}
}

func TestOperatorsSealInTurn(t *testing.T) {
	w, others := among(t, 3, 2, Config{Takeover: time.Minute})
	operators := w.operators
	for i := range 3 {
		now := w.now.Add(time.Duration(i) * termOfOffice)
		seen := map[int]bool{}
		for _, who := range operators {
			seen[rank(operators, who, now)] = true
		}
		if len(seen) != 3 || rank(operators, operators[i], now) != 0 {
			t.Errorf("hour %d: operator %d is not first", i, i)
		}
	}
	w.later(termOfOffice) // another one leads: this one is last
	w.several(1)
	w.soon()
	if len(w.batches) != 0 || others[0].asked != 0 {
		t.Fatal("sealed out of turn")
	}
	w.later(119 * time.Second)
	w.soon()
	if len(w.batches) != 0 {
		t.Fatal("sealed before the two others had their time")
	}
	w.later(2 * time.Second)
	w.soon()
	if len(w.batches) != 1 {
		t.Fatal("did not take over")
	}
}

// proposalOf is what another operator would show of answers.
func (w *world) proposalOf(answers ...*answer) chain.Proposal {
	p := chain.Proposal{ConfigDigest: w.digest}
	for _, a := range answers {
		p.Claims = append(p.Claims, claimOf(a.Answer))
	}
	return p
}

func TestOnlyWhatThisOperatorFoundAndSeesFinalIsCountersigned(t *testing.T) {
	w, others := among(t, 3, 2, Config{})
	leader := others[0].key.Address()
	all := w.several(5)
	good := w.proposalOf(all[0], all[1])
	sig, err := w.r.Countersign(t.Context(), leader, good)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := Digest(testChain, providerAt, w.digest, []chain.Answer{all[0].Answer, all[1].Answer})
	if err != nil {
		t.Fatal(err)
	}
	if from, err := signer.Recover(digest[:], sig); err != nil || from != w.key.Address() {
		t.Errorf("signed by %s, %v", from, err)
	}
	signs := w.signs
	w.unfinal = map[common.Hash]bool{all[2].Request: true}
	w.states[all[3].Request] = 3
	for name, change := range map[string]func(*chain.Proposal){
		"not final":                func(p *chain.Proposal) { *p = w.proposalOf(all[2]) },
		"closed":                   func(p *chain.Proposal) { *p = w.proposalOf(all[3]) },
		"unknown":                  func(p *chain.Proposal) { p.Claims[0].Request = common.Hash{1} },
		"another result":           func(p *chain.Proposal) { p.Claims[0].ResultHash = common.Hash{1} },
		"another outcome":          func(p *chain.Proposal) { p.Claims[0].Outcome = job.Failed },
		"twice the same":           func(p *chain.Proposal) { p.Claims[1] = p.Claims[0] },
		"an old configuration":     func(p *chain.Proposal) { p.ConfigDigest = common.Hash{1} },
		"nothing":                  func(p *chain.Proposal) { p.Claims = nil },
		"one good and one unknown": func(p *chain.Proposal) { p.Claims[1].Request = common.Hash{2} },
	} {
		p := w.proposalOf(all[0], all[1])
		change(&p)
		if _, err := w.r.Countersign(t.Context(), leader, p); !errors.Is(err, ErrNotAgreed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.signs != signs {
		t.Error("something else was signed")
	}
	if got := w.r.Status().Disagreements; len(got) != 1 || got[0].Operator != leader {
		t.Errorf("disagreements %+v", got)
	}
}

func TestNoSecondResultIsCountersigned(t *testing.T) {
	w, others := among(t, 3, 2, Config{})
	a := w.several(1)[0]
	if _, err := w.r.Countersign(t.Context(), others[0].key.Address(), w.proposalOf(a)); err != nil {
		t.Fatal(err)
	}
	a.Result = []byte("found anew") // the work was done again, with another end
	if _, err := w.r.Countersign(t.Context(), others[1].key.Address(), w.proposalOf(a)); !errors.Is(err, ErrNotAgreed) || !errors.Is(err, chain.ErrConflictingResult) {
		t.Errorf("%v", err)
	}
	if w.signs != 1 {
		t.Errorf("%d signatures", w.signs)
	}
}

func TestFailuresAreComparedByOutcomeOnceTheyMayBe(t *testing.T) {
	w, others := among(t, 3, 2, Config{Skew: time.Second})
	leader := others[0].key.Address()
	failed := func(reason job.Reason) *answer {
		return w.answered(func(terms *estuaryprovider.Terms, a *chain.Answer) {
			a.Outcome, a.Reason, a.Result = job.Failed, reason, nil
			terms.AttemptUntil = big.NewInt(w.now.Unix() + 60)
		})
	}
	stalled, invalid := failed(job.ReasonStalled), failed(job.ReasonInvalidContent)
	verdict := func(a *answer, reason job.Reason) chain.Verdict {
		t.Helper()
		p := w.proposalOf(a)
		p.Claims[0].Reason = reason
		j, err := w.r.Judge(t.Context(), leader, p)
		if err != nil {
			t.Fatal(err)
		}
		return j[0].Verdict
	}
	for _, c := range []struct {
		when   time.Duration
		a      *answer
		reason job.Reason
		want   chain.Verdict
	}{
		{0, stalled, job.ReasonStalled, chain.Unknown},
		{0, invalid, job.ReasonInvalidContent, chain.Agree},
		{0, stalled, job.ReasonInvalidContent, chain.Unknown},
		{0, invalid, job.ReasonStalled, chain.Unknown},
		{62 * time.Second, stalled, job.ReasonNotFound, chain.Agree},
		{0, stalled, job.ReasonInvalidContent, chain.Unknown},
		{0, stalled, job.ReasonNone, chain.Unknown},
		{0, invalid, job.ReasonStalled, chain.Agree},
	} {
		w.later(c.when)
		if got := verdict(c.a, c.reason); got != c.want {
			t.Errorf("own %s, claimed %s: %s, want %s", c.a.Reason, c.reason, got, c.want)
		}
	}
	// Another reason for the same failure is no second result.
	for _, reason := range []job.Reason{job.ReasonNotFound, job.ReasonStalled} {
		p := w.proposalOf(stalled)
		p.Claims[0].Reason = reason
		if _, err := w.r.Countersign(t.Context(), leader, p); err != nil {
			t.Errorf("%s: %v", reason, err)
		}
	}
}
