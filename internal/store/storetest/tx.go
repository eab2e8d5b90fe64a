package storetest

import (
	"fmt"
	"math/big"
	"reflect"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

func (w *world) queue(key string) int64 {
	w.Helper()
	x, inserted, err := w.l.QueueIntent(w.ctx, intent(key), w.now)
	w.ok(err)
	equal(w, "inserted", inserted, true)
	return x.ID
}

func (w *world) tx(id int64) chain.Tx {
	w.Helper()
	x, err := w.l.Tx(w.ctx, id)
	w.ok(err)
	return x
}

var txTests = []test{
	{"a sender's lease keeps others out and its fence grows with owners", func(w *world) {
		fence := w.lease("a")
		equal(w, "first fence", fence, 1)
		equal(w, "renewed", w.lease("a"), fence)
		_, _, err := w.l.AcquireSender(w.ctx, sender, "b", time.Minute, w.now)
		w.is(err, job.ErrFenced)
		w.now = w.now.Add(time.Minute)
		equal(w, "next owner", w.lease("b"), fence+1)
		if _, _, err := w.l.AcquireSender(w.ctx, sender, "", time.Minute, w.now); err == nil {
			w.Fatal("leased to nobody")
		}
	}},
	{"a key is parked under its fence and unparked by a person", func(w *world) {
		fence := w.lease("a")
		w.is(w.l.ParkSender(w.ctx, sender, fence+1, "x"), job.ErrFenced)
		w.ok(w.l.ParkSender(w.ctx, sender, fence, "foreign nonce 7"))
		_, parked, err := w.l.AcquireSender(w.ctx, sender, "a", time.Minute, w.now)
		w.ok(err)
		equal(w, "parked", parked, "foreign nonce 7")
		w.ok(w.l.UnparkSender(w.ctx, sender))
		_, parked, err = w.l.AcquireSender(w.ctx, sender, "a", time.Minute, w.now)
		w.ok(err)
		equal(w, "parked", parked, "")
		w.is(w.l.UnparkSender(w.ctx, provider), job.ErrNotFound)
		if err := w.l.ParkSender(w.ctx, sender, fence, ""); err == nil {
			w.Fatal("parked without a reason")
		}
	}},
	{"an intent is one row", func(w *world) {
		i := intent("a")
		i.Value, i.Expiry = big.NewInt(1e18), w.now.Add(time.Hour)
		x, inserted, err := w.l.QueueIntent(w.ctx, i, w.now)
		w.ok(err)
		equal(w, "inserted", inserted, true)
		want := chain.Tx{ID: x.ID, Intent: i, State: chain.TxQueued, FeePaid: new(big.Int), CreatedAt: w.now, UpdatedAt: w.now}
		if !reflect.DeepEqual(x, want) {
			w.Fatalf("got  %+v\nwant %+v", x, want)
		}
		again, inserted, err := w.l.QueueIntent(w.ctx, i, w.now.Add(time.Hour))
		w.ok(err)
		equal(w, "inserted", inserted, false)
		equal(w, "row", again.ID, x.ID)
		again, err = w.l.IntentTx(w.ctx, i.Key)
		w.ok(err)
		if !reflect.DeepEqual(again, want) {
			w.Fatalf("by its key: got  %+v\nwant %+v", again, want)
		}
		_, err = w.l.IntentTx(w.ctx, "none")
		w.is(err, job.ErrNotFound)
		i.Data = []byte("other")
		_, _, err = w.l.QueueIntent(w.ctx, i, w.now)
		w.is(err, job.ErrConflict)
		if _, _, err := w.l.QueueIntent(w.ctx, chain.Intent{}, w.now); err == nil {
			w.Fatal("queued without a key")
		}
		_, err = w.l.Tx(w.ctx, 99)
		w.is(err, job.ErrNotFound)
	}},
	{"a transaction's life, with its bytes stored before they leave", func(w *world) {
		id, fence := w.queue("a"), w.lease("me")
		_, held, err := w.l.HighestNonce(w.ctx, sender)
		w.ok(err)
		equal(w, "a nonce is held", held, false)
		w.ok(w.l.PrepareTx(w.ctx, id, fence, 7, 21000, w.now))
		nonce, held, err := w.l.HighestNonce(w.ctx, sender)
		w.ok(err)
		equal(w, "highest nonce", nonce, 7)
		equal(w, "held", held, true)
		a := attempt(id, 7, "bytes")
		w.ok(w.l.SignTx(w.ctx, id, fence, a, w.now))
		w.ok(w.l.SignTx(w.ctx, id, fence, a, w.now))
		a.CreatedAt = w.now
		got, err := w.l.AttemptUnderFence(w.ctx, sender, fence, a.Hash)
		w.ok(err)
		if !reflect.DeepEqual(got, a) {
			w.Fatalf("got %+v, want %+v", got, a)
		}
		equal(w, "state", w.tx(id).State, chain.TxSigned)
		w.ok(w.l.MarkBroadcast(w.ctx, a.Hash, fence, chain.ReplyUnknown+": timeout", false, w.now))
		equal(w, "state", w.tx(id).State, chain.TxSigned)
		w.ok(w.l.MarkBroadcast(w.ctx, a.Hash, fence, chain.ReplyAccepted, true, w.now))
		x := w.tx(id)
		equal(w, "state", x.State, chain.TxSent)
		equal(w, "reply", x.Attempts[0].Reply, chain.ReplyAccepted)
		equal(w, "broadcast", x.Attempts[0].Broadcast, w.now)
		m := chain.Mined{Hash: a.Hash, Block: common.Hash{5}, Height: 9, GasUsed: 21000, FeePaid: big.NewInt(77), Reverted: true, Why: "Oracle_Closed"}
		w.ok(w.l.MarkMined(w.ctx, id, fence, m, w.now))
		x = w.tx(id)
		equal(w, "mined", fmt.Sprint(x.State, x.MinedHash, x.MinedBlock, x.MinedHeight, x.GasUsed, x.FeePaid, x.Reverted, x.Why),
			fmt.Sprint(chain.TxMined, m.Hash, m.Block, m.Height, m.GasUsed, m.FeePaid, m.Reverted, m.Why))
		w.ok(w.l.MarkUnmined(w.ctx, id, fence, w.now))
		x = w.tx(id)
		equal(w, "unmined", fmt.Sprint(x.State, x.MinedHash, x.MinedHeight, x.Reverted, x.Why), fmt.Sprint(chain.TxSent, common.Hash{}, 0, false, ""))
		m.Reverted, m.Why, m.Block = false, "", common.Hash{6}
		w.ok(w.l.MarkMined(w.ctx, id, fence, m, w.now))
		m.Block = common.Hash{7}
		w.ok(w.l.MarkMined(w.ctx, id, fence, m, w.now)) // moved without being seen unmined
		equal(w, "block", w.tx(id).MinedBlock, m.Block)
		w.ok(w.l.MarkFinal(w.ctx, id, fence, w.now))
		w.ok(w.l.MarkFinal(w.ctx, id, fence, w.now))
		equal(w, "state", w.tx(id).State, chain.TxFinal)
		open, err := w.l.OpenTxs(w.ctx, sender)
		w.ok(err)
		equal(w, "open", len(open), 0)
		nonce, _, err = w.l.HighestNonce(w.ctx, sender)
		w.ok(err)
		equal(w, "its nonce is spent", nonce, 7)
	}},
	{"at most one transaction of a key is undecided", func(w *world) {
		a, b, fence := w.queue("a"), w.queue("b"), w.lease("me")
		w.ok(w.l.PrepareTx(w.ctx, a, fence, 0, 1, w.now))
		w.is(w.l.PrepareTx(w.ctx, b, fence, 1, 1, w.now), job.ErrConflict)
		w.ok(w.l.SignTx(w.ctx, a, fence, attempt(a, 0, "a"), w.now))
		w.is(w.l.PrepareTx(w.ctx, b, fence, 1, 1, w.now), job.ErrConflict)
		w.ok(w.l.MarkBroadcast(w.ctx, attempt(a, 0, "a").Hash, fence, chain.ReplyAccepted, true, w.now))
		w.ok(w.l.PrepareTx(w.ctx, b, fence, 1, 1, w.now))
		open, err := w.l.OpenTxs(w.ctx, sender)
		w.ok(err)
		equal(w, "open", fmt.Sprint(open[0].ID, open[1].ID, len(open[0].Attempts)), fmt.Sprint(a, b, 1))
	}},
	{"a nonce belongs to one transaction", func(w *world) {
		a, b, fence := w.queue("a"), w.queue("b"), w.lease("me")
		w.send(a, fence, 3)
		w.is(w.l.PrepareTx(w.ctx, b, fence, 3, 1, w.now), job.ErrConflict)
		w.ok(w.l.MarkReplaced(w.ctx, a, fence, "foreign", w.now))
		w.ok(w.l.MarkReplaced(w.ctx, a, fence, "foreign", w.now))
		w.is(w.l.PrepareTx(w.ctx, b, fence, 3, 1, w.now), job.ErrConflict)
		w.ok(w.l.PrepareTx(w.ctx, b, fence, 4, 1, w.now))
	}},
	{"a requeued or cancelled transaction frees its nonce", func(w *world) {
		a, b, fence := w.queue("a"), w.queue("b"), w.lease("me")
		w.ok(w.l.PrepareTx(w.ctx, a, fence, 3, 1, w.now))
		w.ok(w.l.RequeueTx(w.ctx, a, fence, w.now))
		equal(w, "holds a nonce", w.tx(a).HasNonce, false)
		w.ok(w.l.PrepareTx(w.ctx, b, fence, 3, 1, w.now))
		w.ok(w.l.CancelTx(w.ctx, b, fence, "expired", w.now))
		w.ok(w.l.CancelTx(w.ctx, b, fence, "expired", w.now))
		x := w.tx(b)
		equal(w, "cancelled", fmt.Sprint(x.State, x.HasNonce, x.Why), fmt.Sprint(chain.TxCancelled, false, "expired"))
		w.ok(w.l.PrepareTx(w.ctx, a, fence, 3, 1, w.now))
		w.is(w.l.RequeueTx(w.ctx, b, fence, w.now), job.ErrConflict)
	}},
	{"a signed transaction is cancelled only when nothing of it can be out there", func(w *world) {
		fence := w.lease("me")
		for i, c := range []struct {
			replies []string
			free    bool
		}{
			{nil, false}, // signed, perhaps sent just before a crash
			{[]string{"unknown: timeout"}, false},
			{[]string{"unknown: timeout", "definitive: insufficient funds"}, false},
			{[]string{"definitive: insufficient funds"}, true},
		} {
			key := fmt.Sprint("tx", i)
			id, nonce := w.queue(key), uint64(i)
			w.ok(w.l.PrepareTx(w.ctx, id, fence, nonce, 1, w.now))
			a := attempt(id, nonce, key)
			w.ok(w.l.SignTx(w.ctx, id, fence, a, w.now))
			for _, r := range c.replies {
				w.ok(w.l.MarkBroadcast(w.ctx, a.Hash, fence, r, false, w.now))
			}
			err := w.l.CancelTx(w.ctx, id, fence, "refused", w.now)
			if c.free {
				w.ok(err)
				equal(w, "holds a nonce", w.tx(id).HasNonce, false)
				continue
			}
			w.is(err, job.ErrConflict)
			w.ok(w.l.MarkBroadcast(w.ctx, a.Hash, fence, chain.ReplyAccepted, true, w.now))
		}
	}},
	{"a sent transaction is cancelled through an empty one", func(w *world) {
		id, fence := w.queue("a"), w.lease("me")
		w.send(id, fence, 0)
		w.is(w.l.CancelTx(w.ctx, id, fence, "expired", w.now), job.ErrConflict)
		empty := attempt(id, 0, "empty")
		empty.Empty = true
		w.ok(w.l.SignTx(w.ctx, id, fence, empty, w.now))
		equal(w, "attempts", len(w.tx(id).Attempts), 2)
		w.land(id, fence, empty, 7, false)
		x := w.tx(id)
		equal(w, "state", x.State, chain.TxCancelled)
		equal(w, "its nonce is spent", x.HasNonce, true)
	}},
	{"a sent transaction whose nonce an empty one took may be cancelled at once", func(w *world) {
		id, fence := w.queue("a"), w.lease("me")
		w.send(id, fence, 0)
		empty := attempt(id, 0, "empty")
		empty.Empty = true
		w.ok(w.l.SignTx(w.ctx, id, fence, empty, w.now))
		w.ok(w.l.CancelTx(w.ctx, id, fence, "expired", w.now))
		x := w.tx(id)
		equal(w, "state", fmt.Sprint(x.State, x.HasNonce), fmt.Sprint(chain.TxCancelled, true))
	}},
	{"bytes that landed without a good reply count", func(w *world) {
		id, fence := w.queue("a"), w.lease("me")
		w.ok(w.l.PrepareTx(w.ctx, id, fence, 0, 1, w.now))
		a := attempt(id, 0, "a")
		w.ok(w.l.SignTx(w.ctx, id, fence, a, w.now))
		w.ok(w.l.MarkMined(w.ctx, id, fence, chain.Mined{Hash: a.Hash, Height: 3}, w.now))
		equal(w, "state", w.tx(id).State, chain.TxMined)
	}},
	{"bytes of another nonce or another row are refused", func(w *world) {
		a, b, fence := w.queue("a"), w.queue("b"), w.lease("me")
		sent := w.send(a, fence, 0)
		w.ok(w.l.PrepareTx(w.ctx, b, fence, 1, 1, w.now))
		w.is(w.l.SignTx(w.ctx, b, fence, attempt(b, 2, "b"), w.now), job.ErrConflict)
		stolen := sent
		stolen.Nonce = 1
		w.is(w.l.SignTx(w.ctx, b, fence, stolen, w.now), job.ErrConflict)
		if err := w.l.SignTx(w.ctx, b, fence, chain.Attempt{Hash: common.Hash{9}, Nonce: 1}, w.now); err == nil {
			w.Fatal("stored an attempt without bytes")
		}
		w.is(w.l.MarkMined(w.ctx, a, fence, chain.Mined{Hash: common.Hash{9}}, w.now), job.ErrConflict)
		_, err := w.l.Attempt(w.ctx, common.Hash{9})
		w.is(err, job.ErrNotFound)
		w.is(w.l.MarkBroadcast(w.ctx, common.Hash{9}, fence, chain.ReplyAccepted, true, w.now), job.ErrNotFound)
	}},
	{"no step is taken out of order", func(w *world) {
		id, fence := w.queue("a"), w.lease("me")
		a := attempt(id, 0, "a")
		conflicts := func(calls ...error) {
			w.Helper()
			for _, err := range calls {
				w.is(err, job.ErrConflict)
			}
		}
		conflicts(w.l.SignTx(w.ctx, id, fence, a, w.now), w.l.RequeueTx(w.ctx, id, fence, w.now), w.l.MarkUnmined(w.ctx, id, fence, w.now),
			w.l.MarkFinal(w.ctx, id, fence, w.now), w.l.MarkReplaced(w.ctx, id, fence, "x", w.now))
		w.ok(w.l.PrepareTx(w.ctx, id, fence, 0, 1, w.now))
		conflicts(w.l.PrepareTx(w.ctx, id, fence, 0, 1, w.now), w.l.MarkReplaced(w.ctx, id, fence, "x", w.now))
		w.ok(w.l.SignTx(w.ctx, id, fence, a, w.now))
		conflicts(w.l.RequeueTx(w.ctx, id, fence, w.now), w.l.MarkFinal(w.ctx, id, fence, w.now))
		w.ok(w.l.MarkBroadcast(w.ctx, a.Hash, fence, chain.ReplyAccepted, true, w.now))
		w.land(id, fence, a, 3, false)
		conflicts(w.l.CancelTx(w.ctx, id, fence, "x", w.now), w.l.MarkReplaced(w.ctx, id, fence, "x", w.now), w.l.MarkUnmined(w.ctx, id, fence, w.now),
			w.l.SignTx(w.ctx, id, fence, attempt(id, 0, "late"), w.now))
	}},
	{"a stale fence changes nothing", func(w *world) {
		ids := []int64{w.queue("queued"), w.queue("prepared")}
		old := w.lease("a")
		sent := w.queue("sent")
		a := w.send(sent, old, 0)
		w.ok(w.l.PrepareTx(w.ctx, ids[1], old, 1, 1, w.now))
		w.now = w.now.Add(time.Hour)
		w.lease("b")
		before, err := w.l.OpenTxs(w.ctx, sender)
		w.ok(err)
		for _, err := range []error{
			w.l.PrepareTx(w.ctx, ids[0], old, 2, 1, w.now), w.l.RequeueTx(w.ctx, ids[1], old, w.now),
			w.l.SignTx(w.ctx, ids[1], old, attempt(ids[1], 1, "x"), w.now), w.l.MarkBroadcast(w.ctx, a.Hash, old, "x", true, w.now),
			w.l.MarkMined(w.ctx, sent, old, chain.Mined{Hash: a.Hash}, w.now), w.l.MarkUnmined(w.ctx, sent, old, w.now),
			w.l.MarkFinal(w.ctx, sent, old, w.now), w.l.CancelTx(w.ctx, ids[0], old, "x", w.now), w.l.MarkReplaced(w.ctx, sent, old, "x", w.now),
			w.l.ParkSender(w.ctx, sender, old, "x"),
		} {
			w.is(err, job.ErrFenced)
		}
		_, err = w.l.AttemptUnderFence(w.ctx, sender, old, a.Hash)
		w.is(err, job.ErrFenced)
		_, err = w.l.Attempt(w.ctx, a.Hash) // re-broadcasting is always allowed
		w.ok(err)
		after, err := w.l.OpenTxs(w.ctx, sender)
		w.ok(err)
		if !reflect.DeepEqual(after, before) {
			w.Fatalf("got  %+v\nwant %+v", after, before)
		}
	}},
	{"a batch is for nothing once over half of its requests are closed", func(w *world) {
		w.answeredHere(3)
		batch := w.seal(1, 0, 1, 2)
		_, err := w.l.AddSignature(w.ctx, batch, chain.Signature{Signer: sender, Sig: make([]byte, 65)}, w.now)
		w.ok(err)
		id, err := w.l.SubmitBatch(w.ctx, batch, intent("batch"), w.now)
		w.ok(err)
		purpose := func() chain.Purpose {
			w.Helper()
			p, err := w.l.TxPurpose(w.ctx, id)
			w.ok(err)
			return p
		}
		equal(w, "at first", purpose(), chain.Purpose{})
		w.on(mainBranch, 6, 6).answered(0, 6).commit()
		equal(w, "one of three answered", purpose(), chain.Purpose{})
		w.on(mainBranch, 7, 7).answered(1, 7).commit()
		equal(w, "two of three answered", purpose().Gone, "of its 3 requests 2 are retracted, refunded or answered")
		w.ok(w.freeze("block 5 was final"))
		equal(w, "frozen", purpose().Frozen, "block 5 was final")
		other, err := w.l.TxPurpose(w.ctx, w.queue("no batch"))
		w.ok(err)
		equal(w, "what is no batch", other.Gone, "")
	}},
	{"what a day cost is added up", func(w *world) {
		fence := w.lease("me")
		spent := func(since time.Time) string {
			w.Helper()
			sum, err := w.l.SpentSince(w.ctx, sender, since)
			w.ok(err)
			return sum.String()
		}
		start := w.now
		for i, value := range []int64{5, 7, 11} {
			in := intent(fmt.Sprint("tx", i))
			in.Value = big.NewInt(value)
			x, _, err := w.l.QueueIntent(w.ctx, in, w.now)
			w.ok(err)
			a := w.send(x.ID, fence, uint64(i))
			if i == 2 {
				continue // in flight: it has cost nothing yet
			}
			w.now = w.now.Add(time.Hour)
			m := chain.Mined{Hash: a.Hash, Height: 3, FeePaid: big.NewInt(100 << i), Reverted: i == 1}
			w.ok(w.l.MarkMined(w.ctx, x.ID, fence, m, w.now))
		}
		equal(w, "all", spent(start), "305") // 100 + 5, and 200 for what reverted
		equal(w, "the last hour", spent(start.Add(90*time.Minute)), "200")
		equal(w, "nothing since", spent(w.now.Add(time.Minute)), "0")
	}},
}
