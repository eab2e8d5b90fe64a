package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

var commitTests = []test{
	{"a batch brings blocks, logs, requests, jobs and the cursor", func(w *world) {
		out := w.on(mainBranch, 1, 5).ask(0, 3).ask(1, 5).softAt(4).final(2).commit()
		if !slices.Equal(out.Ready, []job.Kind{job.KindPin}) {
			w.Fatalf("ready: %v", out.Ready)
		}
		c, found, err := w.l.Cursor(w.ctx, filter)
		w.ok(err)
		want := chain.Cursor{Filter: filter, Height: 5, Hash: mainBranch.hash(5), Final: 2, FinalHash: mainBranch.hash(2), Soft: 4, Head: 5, Updated: w.now}
		equal(w, "cursor", c, want)
		equal(w, "cursor found", found, true)
		blocks, err := w.l.BlocksFrom(w.ctx, 4, 10)
		w.ok(err)
		if !reflect.DeepEqual(blocks, []chain.Block{mainBranch.block(4), mainBranch.block(5)}) {
			w.Fatalf("blocks: %v", blocks)
		}
		b, found, err := w.l.BlockBelow(w.ctx, 4)
		w.ok(err)
		equal(w, "block below 4", b, mainBranch.block(3))
		equal(w, "found", found, true)
		_, found, err = w.l.BlockBelow(w.ctx, 1)
		w.ok(err)
		equal(w, "a block below the first", found, false)
		logs, err := w.l.Logs(w.ctx, chain.LogFilter{Address: provider, State: chain.LogSeen, FromHeight: 4})
		w.ok(err)
		wantLog := chain.StoredLog{Log: logAt(mainBranch, 5, 1), ID: 2, Filter: filter, State: chain.LogSeen, Seq: 1}
		if len(logs) != 1 || !reflect.DeepEqual(logs[0], wantLog) {
			w.Fatalf("logs: %+v, want %+v", logs, wantLog)
		}
		equal(w, "ready job", w.job(0).Ready, true)
		equal(w, "job above the soft height", w.job(1).Ready, false)
	}},
	{"an unknown filter has no cursor", func(w *world) {
		_, found, err := w.l.Cursor(w.ctx, "other")
		w.ok(err)
		equal(w, "found", found, false)
	}},
	{"a request reads back as it was written", func(w *world) {
		s := w.on(mainBranch, 1, 5).ask(7, 3)
		s.commit()
		got, want := w.request(7), s.Requests[0]
		want.Log.Topics, want.Log.Data = nil, nil
		want.State, want.CreatedAt, want.UpdatedAt = chain.RequestOpen, w.now, w.now
		if !reflect.DeepEqual(got, want) {
			w.Fatalf("got  %+v\nwant %+v", got, want)
		}
		_, err := w.l.Request(w.ctx, requestID(8))
		w.is(err, job.ErrNotFound)
	}},
	{"requests are listed newest first, narrowed, and paged", func(w *world) {
		w.on(mainBranch, 1, 9).ask(1, 1).ask(2, 2).ask(3, 3).ask(4, 4).answered(2, 5).commit()
		list := func(f chain.RequestFilter) (seqs []uint64) {
			rs, err := w.l.Requests(w.ctx, f)
			w.ok(err)
			for _, r := range rs {
				seqs = append(seqs, r.Seq)
			}
			return seqs
		}
		for _, c := range []struct {
			f    chain.RequestFilter
			want []uint64
		}{
			{chain.RequestFilter{}, []uint64{4, 3, 2, 1}},
			{chain.RequestFilter{Limit: 2}, []uint64{4, 3}},
			{chain.RequestFilter{BeforeSeq: 3}, []uint64{2, 1}},
			{chain.RequestFilter{State: chain.RequestAnswered}, []uint64{2}},
			{chain.RequestFilter{Requester: requesterOf(1)}, []uint64{4, 1}},
			{chain.RequestFilter{State: chain.RequestRefunded}, nil},
		} {
			if got := list(c.f); !slices.Equal(got, c.want) {
				w.Fatalf("%+v: %v, want %v", c.f, got, c.want)
			}
		}
	}},
	{"the same batch again changes nothing", func(w *world) {
		s := w.on(mainBranch, 1, 5).ask(0, 3).callback(0, 4, true).final(2)
		s.commit()
		j := w.claim(job.KindPin)
		before, request := w.job(0), w.request(0)
		s.commit()
		if !reflect.DeepEqual(w.job(0), before) {
			w.Fatalf("job changed: %+v", w.job(0))
		}
		after := w.request(0)
		if !reflect.DeepEqual(after, request) {
			w.Fatalf("request changed: %+v", after)
		}
		logs, err := w.l.Logs(w.ctx, chain.LogFilter{})
		w.ok(err)
		equal(w, "logs", len(logs), 2)
		w.finish(j, pinned)
	}},
	{"coverage merges into disjoint intervals", func(w *world) {
		for _, c := range []struct{ from, to uint64 }{{10, 19}, {40, 49}, {20, 24}, {30, 39}, {5, 9}, {24, 31}, {60, 60}, {58, 58}} {
			s := w.on(mainBranch, c.from, c.to)
			s.Blocks = nil
			s.commit()
		}
		w.covered([2]uint64{5, 49}, [2]uint64{58, 58}, [2]uint64{60, 60})
		w.on(mainBranch, 1, 0).back(45).commit()
		w.covered([2]uint64{5, 45})
	}},
	{"reading behind does not move the cursor back", func(w *world) {
		w.on(mainBranch, 10, 19).commit()
		w.on(mainBranch, 1, 4).commit()
		c, _, err := w.l.Cursor(w.ctx, filter)
		w.ok(err)
		equal(w, "height", c.Height, 19)
		equal(w, "hash", c.Hash, mainBranch.hash(19))
	}},
	{"null rounds leave holes", func(w *world) {
		s := w.on(mainBranch, 1, 5)
		s.Blocks = slices.Delete(s.Blocks, 2, 4) // 3 and 4 are null; 5 follows 2
		s.Blocks[2].Parent = mainBranch.hash(2)
		s.commit()
		s = w.on(mainBranch, 6, 7)
		s.Blocks = s.Blocks[:1] // 7 is null
		s.commit()
		c, _, err := w.l.Cursor(w.ctx, filter)
		w.ok(err)
		equal(w, "height", c.Height, 7)
		equal(w, "hash of a null round", c.Hash, common.Hash{})
	}},
	{"a final height that lags changes nothing", func(w *world) {
		w.on(mainBranch, 1, 9).final(6).commit()
		w.on(mainBranch, 10, 10).final(3).softAt(2).commit()
		c, _, err := w.l.Cursor(w.ctx, filter)
		w.ok(err)
		equal(w, "final", c.Final, 6)
		equal(w, "soft", c.Soft, 9)
	}},
	{"a block that displaces or does not follow is refused whole", func(w *world) {
		w.on(mainBranch, 1, 5).commit()
		side := mainBranch.fork("side", 5)
		w.on(side, 5, 6).ask(0, 6).refused(job.ErrConflict)
		w.on(side, 6, 7).ask(0, 6).refused(job.ErrConflict)
		_, err := w.l.Request(w.ctx, requestID(0))
		w.is(err, job.ErrNotFound)
	}},
	{"a step that went by another cursor is refused whole", func(w *world) {
		none := chain.Cursor{}
		w.on(mainBranch, 1, 5).ask(0, 3).by(none).commit()
		w.on(mainBranch, 1, 5).by(none).refused(job.ErrConflict)
		was := w.cursor()
		w.on(mainBranch, 6, 6).ask(1, 6).by(was).softAt(6).final(5).commit()
		w.on(mainBranch, 7, 7).ask(2, 7).by(was).refused(job.ErrConflict)
		now := w.cursor()
		for _, edit := range []func(*chain.Cursor){
			func(c *chain.Cursor) { c.Height-- },
			func(c *chain.Cursor) { c.Height++ },
			func(c *chain.Cursor) { c.Hash = mainBranch.fork("side", 6).hash(6) },
			func(c *chain.Cursor) { c.Final-- },
			func(c *chain.Cursor) { c.FinalHash = common.Hash{1} },
			func(c *chain.Cursor) { c.Filter = "other" },
			func(c *chain.Cursor) { *c = chain.Cursor{} },
		} {
			other := now
			edit(&other)
			w.on(mainBranch, 7, 7).ask(2, 7).by(other).refused(job.ErrConflict)
			// who sees that what was final is gone must see it of what is final now
			w.on(mainBranch, 1, 0).back(2).by(other).refused(job.ErrConflict)
		}
		w.on(mainBranch, 1, 0).back(2).by(now).refused(chain.ErrDeepReorg)
		_, err := w.l.Request(w.ctx, requestID(2))
		w.is(err, job.ErrNotFound)
		equal(w, "cursor", w.cursor(), now)
		s := w.on(mainBranch, 6, 6) // the same step goes by the same heights while only the head has moved
		s.Head = mainBranch.block(9)
		s.by(now).commit()
		w.on(mainBranch, 7, 7).ask(2, 7).by(now).commit()
	}},
	{"of two steps by one cursor, one is taken", func(w *world) {
		w.on(mainBranch, 1, 5).commit()
		was := w.cursor()
		results := make(chan error, 2)
		for n := range 2 {
			s := w.on(mainBranch.fork(fmt.Sprint("side ", n), 6), 6, 7).ask(n, 6).by(was)
			go func() {
				_, err := w.l.CommitBatch(w.ctx, s.Batch)
				results <- err
			}()
		}
		if a, b := <-results, <-results; (a == nil) == (b == nil) || !errors.Is(errors.Join(a, b), job.ErrConflict) {
			w.Fatalf("one: %v, the other: %v", a, b)
		}
		requests, err := w.l.Requests(w.ctx, chain.RequestFilter{})
		w.ok(err)
		equal(w, "requests", len(requests), 1)
	}},
	{"what was not covered cannot be final", func(w *world) {
		w.on(mainBranch, 1, 5).ask(0, 5).final(6).refused(job.ErrConflict)
		w.on(mainBranch, 1, 5).ask(0, 5).final(3).commit()
		w.on(mainBranch, 1, 0).final(6).refused(job.ErrConflict)
		w.on(mainBranch, 1, 0).back(4).final(5).refused(job.ErrConflict)
		equal(w, "final", w.cursor().Final, 3)
	}},
	{"two canonical logs with one seq are refused", func(w *world) {
		w.on(mainBranch, 1, 5).ask(0, 3).commit()
		s := w.on(mainBranch, 6, 7).ask(1, 6)
		s.Seq[0] = 0
		s.refused(job.ErrConflict)
		c, _, err := w.l.Cursor(w.ctx, filter)
		w.ok(err)
		equal(w, "height", c.Height, 5)
	}},
	{"seqs must match logs", func(w *world) {
		s := w.on(mainBranch, 1, 5).ask(0, 3)
		s.Seq = append(s.Seq, 1)
		if _, err := w.l.CommitBatch(w.ctx, s.Batch); err == nil {
			w.Fatal("accepted 2 seqs for 1 log")
		}
	}},
	{"a job that claims to answer must name its request", func(w *world) {
		s := w.on(mainBranch, 1, 5).ask(0, 3)
		s.Jobs[0].Request = ""
		if _, err := w.l.CommitBatch(w.ctx, s.Batch); err == nil {
			w.Fatal("accepted")
		}
	}},
	{"lanes wait for their height", func(w *world) {
		s := w.on(mainBranch, 1, 9).askFor(0, 5, "soft", job.LaneSoft).askFor(1, 5, "final", job.LaneFinal).softAt(4).final(2)
		if got := s.commit().Ready; len(got) != 0 {
			w.Fatalf("ready: %v", got)
		}
		w.none("soft")
		if got := w.on(mainBranch, 10, 10).softAt(5).final(4).commit().Ready; !slices.Equal(got, []job.Kind{"soft"}) {
			w.Fatalf("ready: %v", got)
		}
		w.claim("soft")
		w.none("final")
		if got := w.on(mainBranch, 11, 11).final(5).commit().Ready; !slices.Equal(got, []job.Kind{"final"}) {
			w.Fatalf("ready: %v", got)
		}
		w.claim("final")
	}},
	{"history that is over makes no work", func(w *world) {
		out := w.on(mainBranch, 1, 9).ask(0, 1).ask(1, 2).answered(0, 3).refunded(1, 4).ask(2, 5).answered(2, 9).final(8).commit()
		equal(w, "settled", out.Settled, 1)
		equal(w, "answered and final", w.job(0).State, job.Settled)
		equal(w, "refunded and final", w.job(1).State, job.Cancelled)
		equal(w, "answered, not final", w.job(2).State, job.Available)
		equal(w, "closed", w.request(0).ClosedFinal, true)
		equal(w, "not closed", w.request(2).ClosedFinal, false)
	}},
	{"a closing of an unknown request is of a time before ours", func(w *world) {
		w.on(mainBranch, 1, 5).answered(3, 4).final(5).commit()
	}},
	{"a closing is one of two", func(w *world) {
		s := w.on(mainBranch, 1, 5).ask(0, 1)
		s.commit()
		if _, err := w.l.CommitBatch(w.ctx, w.on(mainBranch, 6, 7).closed(0, 6, chain.RequestOpen, 0).Batch); err == nil {
			w.Fatal("accepted")
		}
	}},
	{"callbacks set and clear the flag, rolled back too", func(w *world) {
		w.on(mainBranch, 1, 9).ask(0, 1).answered(0, 4).callback(0, 4, true).callback(0, 6, false).callback(0, 8, true).commit()
		equal(w, "at 9", w.request(0).CallbackFailed, true)
		w.on(mainBranch, 1, 0).back(7).commit()
		equal(w, "at 7", w.request(0).CallbackFailed, false)
		w.on(mainBranch, 1, 0).back(5).commit()
		equal(w, "at 5", w.request(0).CallbackFailed, true)
		w.on(mainBranch, 1, 0).back(3).commit()
		equal(w, "at 3", w.request(0).CallbackFailed, false)
	}},
	{"an audit counts final logs and names what is missing", func(w *world) {
		count, missing, highest, err := w.l.SeqAudit(w.ctx, provider)
		w.ok(err)
		equal(w, "empty", [3]int64{count, int64(len(missing)), highest}, [3]int64{0, 0, -1})
		w.on(mainBranch, 1, 9).ask(1, 1).ask(2, 2).ask(5, 3).ask(6, 9).answered(1, 4).final(8).commit()
		count, missing, highest, err = w.l.SeqAudit(w.ctx, provider)
		w.ok(err)
		equal(w, "count", count, 3)
		equal(w, "highest", highest, 5)
		if !slices.Equal(missing, []int64{0, 3, 4}) {
			w.Fatalf("missing: %v", missing)
		}
		_, missing, _, err = w.l.SeqAudit(w.ctx, consumer)
		w.ok(err)
		equal(w, "other contract", len(missing), 0)
	}},
	{"meta is read, written, and bound once", func(w *world) {
		_, err := w.l.GetMeta(w.ctx, "chain")
		w.is(err, job.ErrNotFound)
		w.ok(w.l.SetMetaOnce(w.ctx, "chain", "314"))
		w.ok(w.l.SetMetaOnce(w.ctx, "chain", "314"))
		w.is(w.l.SetMetaOnce(w.ctx, "chain", "1"), job.ErrConflict)
		v, err := w.l.GetMeta(w.ctx, "chain")
		w.ok(err)
		equal(w, "chain", v, "314")
		w.ok(w.l.SetMeta(w.ctx, "chain", "1"))
		v, err = w.l.GetMeta(w.ctx, "chain")
		w.ok(err)
		equal(w, "chain", v, "1")
	}},
	{"a frozen lane hands out no answers", func(w *world) {
		w.on(mainBranch, 1, 9).ask(0, 1).final(5).commit()
		w.finish(w.claim(job.KindPin), pinned)
		equal(w, "answers", fmt.Sprint(w.pending()), "[0]")
		answers := w.answers(0)
		w.ok(w.freeze("deep reorg"))
		w.ok(w.freeze("again"))
		c, _, err := w.l.Cursor(w.ctx, filter)
		w.ok(err)
		equal(w, "first reason", c.Frozen, "deep reorg")
		equal(w, "answers", len(w.pending()), 0)
		_, err = w.l.SealBatch(w.ctx, chain.Seal{Digest: common.Hash{1}, Threshold: 1, Answers: answers}, w.now)
		w.is(err, job.ErrConflict)
		w.on(mainBranch, 10, 10).commit()
		c, _, err = w.l.Cursor(w.ctx, filter)
		w.ok(err)
		equal(w, "still frozen", c.Frozen, "deep reorg")
		w.ok(w.l.Unfreeze(w.ctx, filter))
		equal(w, "answers", fmt.Sprint(w.pending()), "[0]")
		if err := w.freeze(""); err == nil {
			w.Fatal("froze without a reason")
		}
	}},
	{"an ended context stops a call", func(w *world) {
		ctx, cancel := contextWithCancel(w)
		cancel()
		if _, err := w.l.CommitBatch(ctx, w.on(mainBranch, 1, 5).Batch); err == nil {
			w.Fatal("committed")
		}
		_, found, err := w.l.Cursor(w.ctx, filter)
		w.ok(err)
		equal(w, "found", found, false)
	}},
	{"a large batch is one batch", func(w *world) {
		s := w.on(mainBranch, 1, 200)
		for n := range 3000 {
			s.ask(n, uint64(1+n%200))
		}
		s.commit()
		counts, err := w.l.JobCounts(w.ctx)
		w.ok(err)
		equal(w, "jobs", counts[job.KindPin][job.Available], 3000)
		w.now = w.now.Add(time.Second)
		w.on(mainBranch, 1, 0).back(100).commit()
		counts, err = w.l.JobCounts(w.ctx)
		w.ok(err)
		equal(w, "cancelled", counts[job.KindPin][job.Cancelled], 1500)
	}},
}

func (w *world) covered(want ...[2]uint64) {
	w.Helper()
	got, err := w.l.Coverage(w.ctx, filter)
	w.ok(err)
	if !slices.Equal(got, want) {
		w.Fatalf("coverage %v, want %v", got, want)
	}
}
