package report

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/signer"
)

const testChain = 31415926

var (
	providerAt = common.HexToAddress("0x1000000000000000000000000000000000000001")
	senderAt   = common.HexToAddress("0x2000000000000000000000000000000000000002")
	contract   = estuaryprovider.NewEstuaryProvider()
)

// stop is what a planned end of the process panics with.
type stop struct{}

// world is the ledger and the chain of one test, and the Reporter at work.
type world struct {
	t   *testing.T
	now time.Time
	cfg Config
	key signer.Signer
	r   *Reporter

	calls, stopAt int
	after         bool

	// ledger
	answers []*answer
	batches []*chain.ReportBatch
	intents map[string]int // by key, with the number of answers
	signed  map[common.Hash]common.Hash
	unfinal map[common.Hash]bool // requests that this ledger does not see final
	unread  bool                 // the watcher is behind: ResolveBatch does nothing
	limit   int                  // of the last PendingAnswers

	// chain
	digest    common.Hash
	threshold uint8
	peers     Peers
	inBatches Batcher
	quorum    Agreed
	callMu    sync.Mutex
	calledOf  int // calls of stateOf, each by itself
	operators []common.Address
	states    map[common.Hash]uint8
	poison    map[common.Hash]bool
	down      bool
	signs     int
}

type answer struct {
	chain.Answer
	state chain.AnswerState
}

func newWorld(t *testing.T, cfg Config) *world {
	t.Helper()
	key, err := signer.FromHex("0101010101010101010101010101010101010101010101010101010101010101")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, now: time.Unix(1_800_000_000, 0), cfg: cfg, key: key, intents: map[string]int{}, signed: map[common.Hash]common.Hash{},
		digest: common.HexToHash("0xc0"), threshold: 1, operators: []common.Address{key.Address()},
		states: map[common.Hash]uint8{}, poison: map[common.Hash]bool{},
	}
	w.cfg.ChainID, w.cfg.Provider = testChain, providerAt
	w.start()
	return w
}

func (w *world) start() {
	r, err := New(w.cfg, Deps{Ledger: w, Chain: w, Batches: w.inBatches, Agreed: w.quorum, Signer: w, Peers: w.peers, Sender: func() common.Address { return senderAt }, Now: func() time.Time { return w.now }})
	if err != nil {
		w.t.Fatal(err)
	}
	w.r = r
}

// pass runs one pass; a planned stop leaves the work to a new Reporter.
func (w *world) pass() (err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, planned := r.(stop); !planned {
				panic(r)
			}
			w.start()
		}
	}()
	_, err = w.r.pass(context.Background())
	w.r.tell(err)
	return err
}

func (w *world) must() {
	w.t.Helper()
	if err := w.pass(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) later(d time.Duration) { w.now = w.now.Add(d) }

// step is one call that a plan may interrupt, before or after its effect.
func (w *world) step(fn func() error) error {
	w.calls++
	if w.calls == w.stopAt && !w.after {
		panic(stop{})
	}
	err := fn()
	if w.calls == w.stopAt {
		panic(stop{})
	}
	return err
}

// answered adds a pending answer to an open request.
func (w *world) answered(change func(*estuaryprovider.Terms, *chain.Answer)) *answer {
	w.t.Helper()
	n := len(w.answers) + 1
	a := &answer{state: chain.AnswerPending}
	a.Job, a.Outcome, a.Result = int64(n), job.Succeeded, []byte{byte(n)}
	a.Context, a.Deadline = []byte("context"), w.now.Add(time.Hour)
	terms := estuaryprovider.Terms{
		Seq: uint64(n), Consumer: senderAt, Action: 1, Deadline: big.NewInt(0), AttemptUntil: big.NewInt(w.now.Unix()),
		RefundTo: senderAt, Fee: big.NewInt(1), AttemptFee: big.NewInt(1), ContextHash: crypto.Keccak256Hash(a.Context),
	}
	if change != nil {
		change(&terms, &a.Answer)
	}
	terms.Deadline.SetInt64(a.Deadline.Unix())
	packed, err := contract.GetABI().Methods["idOf"].Inputs.Pack(terms)
	if err != nil {
		w.t.Fatal(err)
	}
	a.Terms, a.Request = packed, requestID(testChain, providerAt, packed)
	w.answers = append(w.answers, a)
	w.states[a.Request] = stateOpen
	return a
}

func (w *world) several(n int) (out []*answer) {
	for range n {
		out = append(out, w.answered(nil))
	}
	return out
}

// land ends every submitted transaction: its answers close their requests. A batch
// that holds poison is cancelled as reverting.
func (w *world) land() {
	for _, b := range w.batches {
		if b.State != chain.BatchSubmitted || b.TxState.Ended() {
			continue
		}
		if slices.ContainsFunc(b.Items, func(a chain.Answer) bool { return w.poison[a.Request] }) {
			b.TxState, b.TxWhy = chain.TxCancelled, chain.WhyReverts+": out of gas"
			continue
		}
		b.TxState = chain.TxFinal
		for _, a := range b.Items {
			w.states[a.Request] = 3
		}
	}
}

// ---- ledger ----

func (w *world) PendingAnswers(_ context.Context, _, minDeadline time.Time, limit int) (out []chain.Answer, err error) {
	w.limit = limit
	err = w.step(func() error {
		for _, a := range w.answers {
			if a.state == chain.AnswerPending && a.Deadline.After(minDeadline) && len(out) < limit {
				out = append(out, a.Answer)
			}
		}
		return nil
	})
	return out, err
}

func (w *world) AnswerTo(_ context.Context, request common.Hash) (a chain.Answer, ok bool, err error) {
	err = w.step(func() error {
		if found := w.find(request); found != nil && !w.unfinal[request] && w.states[request] == stateOpen {
			a, ok = found.Answer, true
		}
		return nil
	})
	return a, ok, err
}

func (w *world) NextAnswerAt(context.Context) (time.Time, bool, error) {
	return time.Time{}, false, nil
}

func (w *world) RecordSigned(_ context.Context, _ common.Address, results []chain.SignedResult, _ time.Time) error {
	return w.step(func() error {
		for _, r := range results {
			if have, ok := w.signed[r.Request]; ok && have != r.ResultHash {
				return fmt.Errorf("request %s: %w", r.Request, chain.ErrConflictingResult)
			}
		}
		for _, r := range results {
			w.signed[r.Request] = r.ResultHash
		}
		return nil
	})
}

func (w *world) OpenBatches(context.Context) (out []chain.ReportBatch, err error) {
	err = w.step(func() error {
		for _, b := range w.batches {
			if b.State == chain.BatchSealed || b.State == chain.BatchSigned || b.State == chain.BatchSubmitted {
				c := *b
				c.Signatures = slices.Clone(b.Signatures)
				if c.State == chain.BatchSubmitted && !c.TxState.Ended() {
					c.Items, c.Signatures = nil, nil
				}
				out = append(out, c)
			}
		}
		return nil
	})
	return out, err
}

func (w *world) find(request common.Hash) *answer {
	for _, a := range w.answers {
		if a.Request == request {
			return a
		}
	}
	return nil
}

func (w *world) SealBatch(_ context.Context, s chain.Seal, _ time.Time) (id int64, err error) {
	err = w.step(func() error {
		for _, a := range s.Answers {
			if w.find(a.Request).state != chain.AnswerPending {
				return fmt.Errorf("request %s: %w", a.Request, job.ErrConflict)
			}
		}
		for _, a := range s.Answers {
			w.find(a.Request).state = chain.AnswerSealed
		}
		id = int64(len(w.batches) + 1)
		w.batches = append(w.batches, &chain.ReportBatch{ID: id, ConfigDigest: s.ConfigDigest, Digest: s.Digest, State: chain.BatchSealed, Threshold: s.Threshold, Items: s.Answers, CreatedAt: w.now})
		return nil
	})
	return id, err
}

func (w *world) AddSignature(_ context.Context, batch int64, s chain.Signature, _ time.Time) (signed bool, err error) {
	err = w.step(func() error {
		b := w.batches[batch-1]
		b.Signatures = append(b.Signatures, s)
		if signed = len(b.Signatures) >= b.Threshold; signed {
			b.State = chain.BatchSigned
		}
		return nil
	})
	return signed, err
}

func (w *world) SubmitBatch(_ context.Context, batch int64, in chain.Intent, _ time.Time) (int64, error) {
	return batch, w.step(func() error {
		b := w.batches[batch-1]
		if b.State != chain.BatchSigned {
			return fmt.Errorf("it is %s: %w", b.State, job.ErrConflict)
		}
		if _, twice := w.intents[in.Key]; twice {
			return fmt.Errorf("intent %s exists: %w", in.Key, job.ErrConflict)
		}
		b.State, b.Tx, b.TxState = chain.BatchSubmitted, batch, chain.TxQueued
		w.intents[in.Key] = len(b.Items)
		return nil
	})
}

func (w *world) ResolveBatch(_ context.Context, batch int64, _ time.Time) (n int, err error) {
	err = w.step(func() error {
		b := w.batches[batch-1]
		switch {
		case !b.TxState.Ended():
			return job.ErrConflict
		case b.TxState == chain.TxFinal && w.unread:
			return nil
		}
		n = w.release(b, b.TxState == chain.TxFinal && !b.TxReverted)
		return nil
	})
	return n, err
}

func (w *world) AbandonBatch(_ context.Context, batch int64, _ time.Time) (n int, err error) {
	err = w.step(func() error { n = w.release(w.batches[batch-1], false); return nil })
	return n, err
}

func (w *world) release(b *chain.ReportBatch, final bool) (n int) {
	b.State = chain.BatchFailed
	if final {
		b.State = chain.BatchFinal
	}
	for _, item := range b.Items {
		a := w.find(item.Request)
		if a.state = chain.AnswerSettled; w.states[a.Request] == stateOpen {
			a.state = chain.AnswerPending
			n++
		}
	}
	return n
}

// ---- signer ----

func (w *world) Address() common.Address { return w.key.Address() }

func (w *world) SignTyped(ctx context.Context, data apitypes.TypedData) ([]byte, error) {
	w.signs++
	for _, item := range data.Message["reports"].([]any) {
		if id := common.HexToHash(item.(map[string]any)["requestId"].(string)); w.signed[id] == (common.Hash{}) {
			w.t.Errorf("request %s was signed before it was recorded", id)
		}
	}
	return w.key.SignTyped(ctx, data)
}

// ---- chain ----

func (w *world) CallContract(_ context.Context, m ethereum.CallMsg, _ *big.Int) ([]byte, error) {
	if w.down {
		return nil, errors.New("connection refused")
	}
	a := contract.GetABI()
	method, err := a.MethodById(m.Data)
	if err != nil || *m.To != providerAt {
		return nil, nil
	}
	switch method.Name {
	case "configDigest":
		return method.Outputs.Pack([32]byte(w.digest))
	case "threshold":
		return method.Outputs.Pack(w.threshold)
	case "operators":
		return method.Outputs.Pack(w.operators)
	case "stateOf":
		w.callMu.Lock() // several are made at once
		w.calledOf++
		w.callMu.Unlock()
		return method.Outputs.Pack(w.states[common.BytesToHash(m.Data[4:])])
	}
	return nil, fmt.Errorf("unexpected call of %s", method.Name)
}
