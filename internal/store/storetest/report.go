package storetest

import (
	"fmt"
	"reflect"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// answeredHere brings n requests of one final batch to a pending answer.
func (w *world) answeredHere(n int) {
	w.Helper()
	s := w.on(mainBranch, 1, 5)
	for i := range n {
		s.ask(i, 3)
	}
	s.final(5).commit()
	for range n {
		w.finish(w.claim(job.KindPin), pinned)
	}
}

func (w *world) openBatches() []chain.ReportBatch {
	w.Helper()
	bs, err := w.l.OpenBatches(w.ctx)
	w.ok(err)
	return bs
}

func (w *world) resolve(batch int64) int {
	w.Helper()
	n, err := w.l.ResolveBatch(w.ctx, batch, w.now)
	w.ok(err)
	return n
}

var reportTests = []test{
	{"answers wait for a final request, and come by deadline", func(w *world) {
		w.on(mainBranch, 1, 5).ask(2, 3).ask(1, 3).ask(0, 5).final(4).commit()
		for range 3 {
			w.finish(w.claim(job.KindPin), pinned)
		}
		as, err := w.l.PendingAnswers(w.ctx, w.now, w.now, 10)
		w.ok(err)
		equal(w, "answers", len(as), 2)
		equal(w, "first", as[0].Request, requestID(1))
		as, err = w.l.PendingAnswers(w.ctx, w.now, w.now, 1)
		w.ok(err)
		equal(w, "limited", len(as), 1)
		as, err = w.l.PendingAnswers(w.ctx, w.now, epoch.Add(time.Hour+time.Second), 10)
		w.ok(err)
		equal(w, "with time left", len(as), 1)
		equal(w, "which", as[0].Request, requestID(2))
	}},
	{"an answer is shown to other operators while its request is final and open", func(w *world) {
		w.on(mainBranch, 1, 5).ask(0, 3).ask(1, 5).final(4).commit()
		shown := func(n int) bool {
			w.Helper()
			a, ok, err := w.l.AnswerTo(w.ctx, requestID(n))
			w.ok(err)
			if ok && (a.Request != requestID(n) || a.Outcome != job.Succeeded || string(a.Result) != "ok" || len(a.Terms) == 0) {
				w.Fatalf("request %d: %+v", n, a)
			}
			return ok
		}
		equal(w, "no answer yet", shown(0), false)
		for range 2 {
			w.finish(w.claim(job.KindPin), pinned)
		}
		equal(w, "final", shown(0), true)
		equal(w, "not final", shown(1), false)
		w.seal(1, 0)
		equal(w, "sealed", shown(0), true)
		w.ok(w.freeze("block 3 was final"))
		equal(w, "frozen", shown(0), false)
		w.ok(w.l.Unfreeze(w.ctx, filter))
		w.on(mainBranch, 6, 6).answered(0, 6).commit()
		equal(w, "closed", shown(0), false)
	}},
	{"a sealed batch reads back whole", func(w *world) {
		w.answeredHere(3)
		items := w.answers(2, 0)
		id := w.seal(9, 2, 0)
		equal(w, "left", fmt.Sprint(w.pending()), "[1]")
		for i := range items {
			items[i].Batch, items[i].Position = id, i
		}
		want := []chain.ReportBatch{{ID: id, ConfigDigest: common.Hash{1}, Digest: common.Hash{9}, State: chain.BatchSealed, Threshold: 1,
			Items: items, CreatedAt: w.now, UpdatedAt: w.now}}
		if got := w.openBatches(); !reflect.DeepEqual(got, want) {
			w.Fatalf("got  %+v\nwant %+v", got, want)
		}
	}},
	{"what is not pending is not sealed, and nothing beside it", func(w *world) {
		w.answeredHere(2)
		as := w.answers(0, 1)
		w.seal(1, 1)
		_, err := w.l.SealBatch(w.ctx, chain.Seal{Digest: common.Hash{2}, Threshold: 1, Answers: as}, w.now)
		w.is(err, job.ErrConflict)
		equal(w, "pending", fmt.Sprint(w.pending()), "[0]")
		equal(w, "batches", len(w.openBatches()), 1)
	}},
	{"an answer that differs from the stored one is not sealed", func(w *world) {
		w.answeredHere(1)
		for _, change := range []func(*chain.Answer){
			func(a *chain.Answer) { a.Result = []byte("other") },
			func(a *chain.Answer) { a.Outcome, a.Reason = job.Failed, job.ReasonStalled },
			func(a *chain.Answer) { a.Request = common.Hash{1} },
		} {
			as := w.answers(0)
			change(&as[0])
			_, err := w.l.SealBatch(w.ctx, chain.Seal{Digest: common.Hash{1}, Threshold: 1, Answers: as}, w.now)
			w.is(err, job.ErrConflict)
		}
	}},
	{"a digest is sealed once", func(w *world) {
		w.answeredHere(2)
		w.seal(1, 0)
		_, err := w.l.SealBatch(w.ctx, chain.Seal{Digest: common.Hash{1}, Threshold: 1, Answers: w.answers(1)}, w.now)
		w.is(err, job.ErrConflict)
	}},
	{"a batch has answers and a threshold", func(w *world) {
		w.answeredHere(1)
		for _, s := range []chain.Seal{{Threshold: 1}, {Answers: w.answers(0)}} {
			if _, err := w.l.SealBatch(w.ctx, s, w.now); err == nil {
				w.Fatalf("%+v was accepted", s)
			}
		}
	}},
	{"a threshold of signatures signs the batch", func(w *world) {
		w.answeredHere(1)
		id, err := w.l.SealBatch(w.ctx, chain.Seal{Digest: common.Hash{1}, Threshold: 2, Answers: w.answers(0)}, w.now)
		w.ok(err)
		add := func(signer common.Address, size int) (bool, error) {
			return w.l.AddSignature(w.ctx, id, chain.Signature{Signer: signer, Sig: make([]byte, size)}, w.now)
		}
		if _, err := add(sender, 64); err == nil {
			w.Fatal("accepted 64 bytes")
		}
		for _, c := range []struct {
			signer common.Address
			signed bool
		}{{sender, false}, {sender, false}, {provider, true}, {consumer, true}} {
			signed, err := add(c.signer, 65)
			w.ok(err)
			equal(w, "signed", signed, c.signed)
		}
		b := w.openBatches()[0]
		equal(w, "state", b.State, chain.BatchSigned)
		equal(w, "signatures", len(b.Signatures), 2)
		_, err = w.l.AddSignature(w.ctx, 99, chain.Signature{Sig: make([]byte, 65)}, w.now)
		w.is(err, job.ErrNotFound)
	}},
	{"a signer is bound to one result of a request, all or nothing", func(w *world) {
		one, two := chain.SignedResult{Request: common.Hash{1}, ResultHash: common.Hash{10}}, chain.SignedResult{Request: common.Hash{2}, ResultHash: common.Hash{20}}
		w.ok(w.l.RecordSigned(w.ctx, sender, []chain.SignedResult{one}, w.now))
		w.ok(w.l.RecordSigned(w.ctx, sender, []chain.SignedResult{one}, w.now))
		other := one
		other.ResultHash = common.Hash{11}
		w.is(w.l.RecordSigned(w.ctx, sender, []chain.SignedResult{two, other}, w.now), chain.ErrConflictingResult)
		two.ResultHash = common.Hash{21} // the refused call bound nothing
		w.ok(w.l.RecordSigned(w.ctx, sender, []chain.SignedResult{two}, w.now))
		w.ok(w.l.RecordSigned(w.ctx, provider, []chain.SignedResult{other}, w.now))
	}},
	{"submitting needs a signed batch and is idempotent", func(w *world) {
		w.answeredHere(1)
		id := w.seal(1, 0)
		_, err := w.l.SubmitBatch(w.ctx, id, intent("a"), w.now)
		w.is(err, job.ErrConflict)
		open, err := w.l.OpenTxs(w.ctx, sender)
		w.ok(err)
		equal(w, "intents", len(open), 0)
		w.sign(id)
		tx, err := w.l.SubmitBatch(w.ctx, id, intent("a"), w.now)
		w.ok(err)
		again, err := w.l.SubmitBatch(w.ctx, id, intent("a"), w.now)
		w.ok(err)
		equal(w, "tx", again, tx)
		_, err = w.l.SubmitBatch(w.ctx, id, intent("b"), w.now)
		w.is(err, job.ErrConflict)
		b := w.openBatches()[0]
		equal(w, "state", b.State, chain.BatchSubmitted)
		equal(w, "tx", b.Tx, tx)
		equal(w, "tx state", b.TxState, chain.TxQueued)
		_, err = w.l.SubmitBatch(w.ctx, 99, intent("c"), w.now)
		w.is(err, job.ErrNotFound)
	}},
	{"a batch resolves only when its transaction has ended", func(w *world) {
		w.answeredHere(1)
		id := w.seal(1, 0)
		_, err := w.l.ResolveBatch(w.ctx, id, w.now)
		w.is(err, job.ErrConflict)
		w.submit(id)
		_, err = w.l.ResolveBatch(w.ctx, id, w.now)
		w.is(err, job.ErrConflict)
		_, err = w.l.ResolveBatch(w.ctx, 99, w.now)
		w.is(err, job.ErrNotFound)
	}},
	{"a final batch settles what it closed and offers the rest again", func(w *world) {
		w.answeredHere(3)
		id := w.seal(1, 0, 1)
		tx := w.submit(id)
		fence := w.lease("me")
		a := w.send(tx, fence, 0)
		w.land(tx, fence, a, 7, false)
		equal(w, "before the watcher has read it", w.resolve(id), 0)
		equal(w, "state", w.openBatches()[0].State, chain.BatchSubmitted)
		out := w.on(mainBranch, 6, 8).answered(0, 7).final(8).commit() // 1 was skipped
		equal(w, "settled", out.Settled, 1)
		equal(w, "reopened", w.resolve(id), 1)
		equal(w, "again", w.resolve(id), 0)
		equal(w, "open batches", len(w.openBatches()), 0)
		equal(w, "pending", fmt.Sprint(w.pending()), "[1 2]")
		w.seal(2, 1, 2)
	}},
	{"a reverted batch fails and its answers are offered again", func(w *world) {
		w.answeredHere(1)
		id := w.seal(1, 0)
		tx := w.submit(id)
		fence := w.lease("me")
		w.land(tx, fence, w.send(tx, fence, 0), 7, true)
		equal(w, "reopened", w.resolve(id), 1)
		equal(w, "pending", fmt.Sprint(w.pending()), "[0]")
	}},
	{"a cancelled transaction fails its batch", func(w *world) {
		w.answeredHere(1)
		id := w.seal(1, 0)
		w.ok(w.l.CancelTx(w.ctx, w.submit(id), w.lease("me"), "expired", w.now))
		equal(w, "reopened", w.resolve(id), 1)
		equal(w, "pending", fmt.Sprint(w.pending()), "[0]")
	}},
	{"a replaced transaction fails its batch; what others closed waits for finality", func(w *world) {
		w.answeredHere(3)
		id := w.seal(1, 0, 1, 2)
		tx := w.submit(id)
		fence := w.lease("me")
		w.send(tx, fence, 0)
		w.on(mainBranch, 6, 6).answered(0, 6).refunded(2, 6).final(6).commit()
		w.on(mainBranch, 7, 8).answered(1, 8).commit()
		w.ok(w.l.MarkReplaced(w.ctx, tx, fence, "foreign nonce", w.now))
		equal(w, "reopened", w.resolve(id), 0)
		equal(w, "pending", len(w.pending()), 0)
		w.on(mainBranch.fork("other", 8), 8, 9).back(7).commit()
		equal(w, "pending after the closing was rolled back", fmt.Sprint(w.pending()), "[1]")
	}},
	{"a batch that was never submitted can be abandoned", func(w *world) {
		w.answeredHere(2)
		sealed, signed := w.seal(1, 0), w.seal(2, 1)
		w.sign(signed)
		for _, id := range []int64{sealed, signed} {
			n, err := w.l.AbandonBatch(w.ctx, id, w.now)
			w.ok(err)
			equal(w, "reopened", n, 1)
			_, err = w.l.AddSignature(w.ctx, id, chain.Signature{Signer: sender, Sig: make([]byte, 65)}, w.now)
			w.is(err, job.ErrConflict)
			n, err = w.l.AbandonBatch(w.ctx, id, w.now)
			w.ok(err)
			equal(w, "again", n, 0)
		}
		equal(w, "pending", fmt.Sprint(w.pending()), "[0 1]")
		id := w.seal(3, 0)
		w.submit(id)
		_, err := w.l.AbandonBatch(w.ctx, id, w.now)
		w.is(err, job.ErrConflict)
	}},
	{"a settled request's answer is not offered", func(w *world) {
		w.answeredHere(1)
		out := w.on(mainBranch, 6, 7).answered(0, 6).final(7).commit()
		equal(w, "settled", out.Settled, 1)
		equal(w, "answers", out.Answers, true)
		equal(w, "pending", len(w.pending()), 0)
		equal(w, "job", w.job(0).State, job.Settled)
	}},
	{"a refunded request's answer is withdrawn", func(w *world) {
		w.answeredHere(1)
		w.on(mainBranch, 6, 7).refunded(0, 6).final(7).commit()
		equal(w, "pending", len(w.pending()), 0)
		equal(w, "job", w.job(0).State, job.Settled)
	}},
}
