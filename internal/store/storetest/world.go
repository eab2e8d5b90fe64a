package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

const filter = "provider"

var (
	provider = common.HexToAddress("0x1000000000000000000000000000000000000001")
	consumer = common.HexToAddress("0x2000000000000000000000000000000000000002")
	sender   = common.HexToAddress("0x3000000000000000000000000000000000000003")
	epoch    = time.UnixMilli(1_700_000_000_000).UTC()
)

// world is a ledger with an imaginary chain beside it.
type world struct {
	testing.TB
	ctx context.Context
	l   Ledger
	now time.Time
}

func newWorld(t testing.TB, open Opener) *world {
	w := &world{TB: t, ctx: context.Background(), now: epoch}
	w.l = open(t, func() time.Time { return w.now })
	return w
}

// ---- asserting ----

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("unexpected error: %v", err)
	}
}

func (w *world) is(err, want error) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Fatalf("got error %v, want %v", err, want)
	}
}

func equal[T comparable](w *world, what string, got, want T) {
	w.Helper()
	if got != want {
		w.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// ---- the chain ----

// branch is a chain that leaves its base at height from.
type branch struct {
	name string
	from uint64
	base *branch
}

var mainBranch = &branch{name: "main"}

func (b *branch) fork(name string, from uint64) *branch { return &branch{name, from, b} }

func (b *branch) hash(h uint64) common.Hash {
	for b.base != nil && h < b.from {
		b = b.base
	}
	return crypto.Keccak256Hash(fmt.Appendf(nil, "%s/%d", b.name, h))
}

func (b *branch) block(h uint64) chain.Block {
	blk := chain.Block{Height: h, Hash: b.hash(h), Time: epoch.Add(time.Duration(h) * time.Second)}
	if h > 0 {
		blk.Parent = b.hash(h - 1)
	}
	return blk
}

// asked is request number n of the world: its id, terms and job are the same on
// every branch.
func requestID(n int) common.Hash { return crypto.Keccak256Hash(fmt.Appendf(nil, "request %d", n)) }

func requestKey(n int) string { return job.RequestKey(1, provider.Hex(), requestID(n).Hex(), 1) }

func requesterOf(n int) common.Address {
	a := common.BigToAddress(common.Big1)
	a[0] = byte(n % 3)
	return a
}

func logAt(b *branch, h uint64, index uint) chain.Log {
	return chain.Log{Height: h, Block: b.hash(h), Index: index, Tx: crypto.Keccak256Hash(fmt.Appendf(nil, "tx %s %d", b.hash(h), index)),
		Address: provider, Topics: []common.Hash{{0xaa}, {0xbb}}, Data: []byte{1, 2, 3}}
}

// step is a batch in the making.
type step struct {
	chain.Batch
	w     *world
	b     *branch
	index uint
}

// on covers heights from..to of a branch with all its blocks.
func (w *world) on(b *branch, from, to uint64) *step {
	s := &step{w: w, b: b}
	s.Filter, s.Now, s.UndoAt = filter, w.now, w.now.Add(10*time.Second)
	s.From, s.To = from, to
	for h := from; h <= to; h++ {
		s.Blocks = append(s.Blocks, b.block(h))
	}
	s.Head = b.block(to)
	s.Soft = to
	return s
}

// back rolls back everything above a height of the branch first.
func (s *step) back(ancestor uint64) *step {
	s.Reorg, s.Ancestor = true, s.b.block(ancestor)
	return s
}

func (s *step) final(h uint64) *step { s.Final = s.b.block(h); return s }

// by has the step go by a cursor.
func (s *step) by(c chain.Cursor) *step { s.After = &c; return s }

func (w *world) cursor() chain.Cursor {
	w.Helper()
	c, _, err := w.l.Cursor(w.ctx, filter)
	w.ok(err)
	return c
}

func (s *step) softAt(h uint64) *step { s.Soft = h; return s }

func (s *step) log(h uint64, seq int64) chain.Log {
	l := logAt(s.b, h, s.index)
	s.index++
	s.Logs, s.Seq = append(s.Logs, l), append(s.Seq, seq)
	return l
}

// ask puts request n, with a pin job, at a height.
func (s *step) ask(n int, h uint64) *step {
	return s.askFor(n, h, job.KindPin, job.LaneSoft)
}

func (s *step) askFor(n int, h uint64, kind job.Kind, lane job.Lane) *step {
	l := s.log(h, int64(n))
	deadline := epoch.Add(time.Hour + time.Duration(n)*time.Second)
	s.Requests = append(s.Requests, chain.Request{ID: requestID(n), Chain: 1, Provider: provider, Consumer: consumer, Requester: requesterOf(n),
		Action: 1, Seq: uint64(n), Terms: fmt.Appendf(nil, "terms %d", n), Payload: []byte("payload"), Context: []byte("context"),
		Deadline: deadline, AttemptUntil: epoch.Add(time.Minute), Log: l})
	s.Jobs = append(s.Jobs, job.New{Key: requestKey(n), Kind: kind, Class: job.ClassPaid, Request: requestID(n).Hex(), Requester: requesterOf(n).Hex(),
		Payload: job.Encode(job.Pin{CID: []byte{1}, Owner: "x", Seq: uint64(n)}), Lane: lane, Height: h, RunAt: s.w.now, Deadline: deadline,
		NotBefore: epoch.Add(time.Minute), Trace: "00-trace"})
	return s
}

func (s *step) answered(n int, h uint64) *step {
	return s.closed(n, h, chain.RequestAnswered, job.Succeeded)
}

func (s *step) failed(n int, h uint64) *step {
	return s.closed(n, h, chain.RequestAnswered, job.Failed)
}

func (s *step) refunded(n int, h uint64) *step {
	return s.closed(n, h, chain.RequestRefunded, job.OutcomeNone)
}

func (s *step) closed(n int, h uint64, how chain.RequestState, o job.Outcome) *step {
	c := chain.Closing{Request: requestID(n), State: how, Outcome: o, Log: s.log(h, -1)}
	if o == job.Failed {
		c.Reason = job.ReasonStalled
	}
	s.Closings = append(s.Closings, c)
	return s
}

func (s *step) callback(n int, h uint64, failed bool) *step {
	s.Callbacks = append(s.Callbacks, chain.Callback{Request: requestID(n), Failed: failed, Log: s.log(h, -1)})
	return s
}

func (s *step) commit() chain.Committed {
	s.w.Helper()
	c, err := s.w.l.CommitBatch(s.w.ctx, s.Batch)
	s.w.ok(err)
	return c
}

func (s *step) refused(want error) {
	s.w.Helper()
	_, err := s.w.l.CommitBatch(s.w.ctx, s.Batch)
	s.w.is(err, want)
}

// freeze stops the money lane as the filter's cursor stands.
func (w *world) freeze(why string) error {
	w.Helper()
	c, _, err := w.l.Cursor(w.ctx, filter)
	w.ok(err)
	return w.l.Freeze(w.ctx, filter, chain.Block{Height: c.Final, Hash: c.FinalHash}, why)
}

// ---- looking ----

func (w *world) job(n int) job.Job {
	w.Helper()
	j, err := w.l.JobByKey(w.ctx, requestKey(n))
	w.ok(err)
	return j
}

// comp gives the release job of request n's pin; ok is false when there is none.
func (w *world) comp(n int) (job.Job, bool) {
	w.Helper()
	j, err := w.l.JobByKey(w.ctx, job.CompensationKey(requestKey(n)))
	if errors.Is(err, job.ErrNotFound) {
		return job.Job{}, false
	}
	w.ok(err)
	return j, true
}

// compState is the state of request n's release job, "" when there is none.
func (w *world) compState(n int) job.State {
	w.Helper()
	j, _ := w.comp(n)
	return j.State
}

func (w *world) request(n int) chain.Request {
	w.Helper()
	r, err := w.l.Request(w.ctx, requestID(n))
	w.ok(err)
	return r
}

// pending lists the numbers of requests with an answer to seal, of those under 64.
func (w *world) pending() []int {
	w.Helper()
	as, err := w.l.PendingAnswers(w.ctx, w.now, w.now, 100)
	w.ok(err)
	var out []int
	for _, a := range as {
		for n := range 64 {
			if requestID(n) == a.Request {
				out = append(out, n)
			}
		}
	}
	slices.Sort(out)
	return out
}

// ---- working ----

func (w *world) try(kind job.Kind) (job.Job, bool) {
	w.Helper()
	j, ok, err := w.l.Claim(w.ctx, job.ClaimRequest{Kind: kind, Owner: "worker", Lease: time.Minute, Now: w.now, NodeID: "node"})
	w.ok(err)
	return j, ok
}

func (w *world) claim(kind job.Kind) job.Job {
	w.Helper()
	j, ok := w.try(kind)
	if !ok {
		w.Fatalf("no %s job to claim", kind)
	}
	return j
}

func (w *world) none(kind job.Kind) {
	w.Helper()
	if j, ok := w.try(kind); ok {
		w.Fatalf("claimed %s, want none", j.Key)
	}
}

var pinned = job.Result{Outcome: job.Succeeded, Answer: []byte("ok"), Held: true, NodeID: "node"}

var stalled = job.Result{Outcome: job.Failed, Reason: job.ReasonStalled}

func (w *world) finish(j job.Job, r job.Result) job.Committed {
	w.Helper()
	c, err := w.l.FinishJob(w.ctx, j.ID, j.Fence, r, w.now)
	w.ok(err)
	return c
}

// seal seals the given pending requests' answers into a batch with threshold 1.
func (w *world) seal(digest byte, ns ...int) int64 {
	w.Helper()
	id, err := w.l.SealBatch(w.ctx, chain.Seal{ConfigDigest: common.Hash{1}, Digest: common.Hash{digest}, Threshold: 1, Answers: w.answers(ns...)}, w.now)
	w.ok(err)
	return id
}

func (w *world) answers(ns ...int) []chain.Answer {
	w.Helper()
	as, err := w.l.PendingAnswers(w.ctx, w.now, w.now, 100)
	w.ok(err)
	var out []chain.Answer
	for _, n := range ns {
		i := slices.IndexFunc(as, func(a chain.Answer) bool { return a.Request == requestID(n) })
		if i < 0 {
			w.Fatalf("request %d has no answer to seal", n)
		}
		out = append(out, as[i])
	}
	return out
}

func (w *world) sign(batch int64) {
	w.Helper()
	signed, err := w.l.AddSignature(w.ctx, batch, chain.Signature{Signer: sender, Sig: make([]byte, 65)}, w.now)
	w.ok(err)
	equal(w, "signed", signed, true)
}

func intent(key string) chain.Intent {
	return chain.Intent{Key: key, Sender: sender, To: provider, Data: []byte("call " + key)}
}

// submit hands a sealed batch to the sender and gives the transaction.
func (w *world) submit(batch int64) int64 {
	w.Helper()
	w.sign(batch)
	id, err := w.l.SubmitBatch(w.ctx, batch, intent(fmt.Sprintf("batch:%d", batch)), w.now)
	w.ok(err)
	return id
}

func (w *world) lease(owner string) int64 {
	w.Helper()
	fence, _, err := w.l.AcquireSender(w.ctx, sender, owner, time.Minute, w.now)
	w.ok(err)
	return fence
}

func attempt(id int64, nonce uint64, name string) chain.Attempt {
	return chain.Attempt{Hash: crypto.Keccak256Hash([]byte(name)), Tx: id, Raw: []byte(name), Nonce: nonce, Tip: common.Big1, FeeCap: common.Big2}
}

// send takes a queued transaction to sent under nonce.
func (w *world) send(id, fence int64, nonce uint64) chain.Attempt {
	w.Helper()
	a := attempt(id, nonce, fmt.Sprintf("attempt %d %d", id, nonce))
	w.ok(w.l.PrepareTx(w.ctx, id, fence, nonce, 21000, w.now))
	w.ok(w.l.SignTx(w.ctx, id, fence, a, w.now))
	w.ok(w.l.MarkBroadcast(w.ctx, a.Hash, fence, chain.ReplyAccepted, true, w.now))
	return a
}

// land takes a sent transaction to final at a height.
func (w *world) land(id, fence int64, a chain.Attempt, height uint64, reverted bool) {
	w.Helper()
	w.ok(w.l.MarkMined(w.ctx, id, fence, chain.Mined{Hash: a.Hash, Block: mainBranch.hash(height), Height: height, GasUsed: 7, FeePaid: common.Big3, Reverted: reverted}, w.now))
	w.ok(w.l.MarkFinal(w.ctx, id, fence, w.now))
}

func contextWithCancel(w *world) (context.Context, context.CancelFunc) {
	return context.WithCancel(w.ctx)
}
