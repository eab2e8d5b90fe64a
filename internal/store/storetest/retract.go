package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// asked puts request 0 at height 5 of main, at soft height 5 and final height 2.
func (w *world) asked() { w.on(mainBranch, 1, 5).ask(0, 5).final(2).commit() }

// side leaves main at height 4: a batch on it retracts request 0.
var side = mainBranch.fork("side", 4)

func (w *world) retract() chain.Committed {
	w.Helper()
	return w.on(side, 4, 6).back(3).commit()
}

var retractTests = []test{
	{"blocks and logs of the lost branch go, the rows of logs stay", func(w *world) {
		w.asked()
		out := w.retract()
		equal(w, "retracted", out.Retracted, 1)
		blocks, err := w.l.BlocksFrom(w.ctx, 3, 10)
		w.ok(err)
		equal(w, "block 3", blocks[0], mainBranch.block(3))
		equal(w, "block 4", blocks[1], side.block(4))
		logs, err := w.l.Logs(w.ctx, chain.LogFilter{})
		w.ok(err)
		equal(w, "rows", len(logs), 1)
		equal(w, "state", logs[0].State, chain.LogRetracted)
		equal(w, "request", w.request(0).State, chain.RequestRetracted)
	}},
	{"a reorg below the final height is refused whole", func(w *world) {
		w.on(mainBranch, 1, 9).ask(0, 5).final(5).commit()
		w.on(side, 4, 6).back(3).ask(1, 6).refused(chain.ErrDeepReorg)
		equal(w, "request", w.request(0).State, chain.RequestOpen)
		_, err := w.l.Request(w.ctx, requestID(1))
		w.is(err, job.ErrNotFound)
		blocks, err := w.l.BlocksFrom(w.ctx, 4, 1)
		w.ok(err)
		equal(w, "block 4", blocks[0], mainBranch.block(4))
	}},
	{"a reorg at the final height is allowed", func(w *world) {
		w.on(mainBranch, 1, 5).ask(0, 5).final(3).commit()
		w.retract()
		equal(w, "request", w.request(0).State, chain.RequestRetracted)
	}},
	{"a retracted and included request is the same job, started anew", func(w *world) {
		w.asked()
		w.retract()
		first := w.job(0)
		w.on(side, 7, 8).ask(0, 7).commit()
		j := w.job(0)
		equal(w, "row", j.ID, first.ID)
		equal(w, "state", j.State, job.Available)
		equal(w, "attempt", j.Attempt, 0)
		r := w.request(0)
		equal(w, "request", r.State, chain.RequestOpen)
		equal(w, "block", r.Log.Block, side.hash(7))
		equal(w, "no compensation", w.compState(0), "")
		w.claim(job.KindPin)
	}},
	{"retraction and inclusion in one batch", func(w *world) {
		w.asked()
		j := w.claim(job.KindPin)
		out := w.on(side, 4, 6).back(3).ask(0, 6).commit()
		if !slices.Contains(out.Ready, job.KindPin) {
			w.Fatalf("ready: %v", out.Ready)
		}
		equal(w, "state", w.job(0).State, job.Available)
		equal(w, "compensation", w.compState(0), job.Cancelled)
		_, err := w.l.FinishJob(w.ctx, j.ID, j.Fence, pinned, w.now)
		w.is(err, job.ErrFenced)
	}},
	{"a re-included request waits for its lane again", func(w *world) {
		w.asked()
		w.retract()
		w.on(side, 7, 8).ask(0, 8).softAt(7).commit()
		equal(w, "ready", w.job(0).Ready, false)
		w.none(job.KindPin)
	}},
	{"the chain flips to another branch and back", func(w *world) {
		w.asked()
		w.finish(w.claim(job.KindPin), pinned)
		w.retract()
		equal(w, "job", w.job(0).State, job.Orphaned)
		s := w.on(mainBranch, 4, 5).back(3).ask(0, 5)
		s.commit()
		equal(w, "job", w.job(0).State, job.Available)
		logs, err := w.l.Logs(w.ctx, chain.LogFilter{})
		w.ok(err)
		equal(w, "rows", len(logs), 1)
		equal(w, "log", logs[0].State, chain.LogSeen)
		w.finish(w.claim(job.KindPin), pinned)
		w.on(mainBranch, 6, 6).final(6).commit()
		equal(w, "answers", fmt.Sprint(w.pending()), "[0]")
	}},
	{"the compensation waits for UndoAt and keeps the pin waiting while it runs", func(w *world) {
		w.asked()
		w.claim(job.KindPin)
		out := w.retract()
		if !slices.Contains(out.Ready, job.KindRelease) {
			w.Fatalf("ready: %v", out.Ready)
		}
		c, _ := w.comp(0)
		equal(w, "run at", c.RunAt, w.now.Add(10*time.Second))
		equal(w, "class", c.Class, job.ClassUndo)
		equal(w, "lane", c.Lane, job.LaneNow)
		equal(w, "node", c.NodeID, "node")
		p, err := job.Decode[job.Release](c.Payload)
		w.ok(err)
		equal(w, "payload", p, job.Release{Request: requestID(0).Hex(), Why: "retracted"})
		w.none(job.KindRelease)
		w.now = c.RunAt
		release := w.claim(job.KindRelease)
		w.on(side, 7, 8).ask(0, 7).commit()
		equal(w, "running compensation", w.compState(0), job.Running)
		w.none(job.KindPin)
		w.finish(release, job.Result{Outcome: job.Succeeded})
		w.finish(w.claim(job.KindPin), pinned)
	}},
	{"a compensation that has run runs again for the next retraction", func(w *world) {
		w.asked()
		w.finish(w.claim(job.KindPin), pinned)
		w.retract()
		w.now = w.now.Add(time.Minute)
		w.finish(w.claim(job.KindRelease), job.Result{Outcome: job.Succeeded})
		w.on(mainBranch, 4, 5).back(3).ask(0, 5).commit()
		w.finish(w.claim(job.KindPin), pinned)
		w.retract()
		equal(w, "compensation", w.compState(0), job.Available)
		w.now = w.now.Add(time.Minute)
		c := w.claim(job.KindRelease)
		equal(w, "attempt", c.Attempt, 1)
	}},
	{"a scheduled release is brought forward, and set again by the next run", func(w *world) {
		w.asked()
		expiry := w.now.Add(24 * time.Hour)
		result := pinned
		result.ReleaseAt = expiry
		w.finish(w.claim(job.KindPin), result)
		c, _ := w.comp(0)
		equal(w, "expiry", c.RunAt, expiry)
		w.retract()
		c, _ = w.comp(0)
		equal(w, "brought forward", c.RunAt, w.now.Add(10*time.Second))
		w.on(mainBranch, 4, 5).back(3).ask(0, 5).commit()
		equal(w, "cancelled", w.compState(0), job.Cancelled)
		w.finish(w.claim(job.KindPin), result)
		c, _ = w.comp(0)
		equal(w, "state", c.State, job.Available)
		equal(w, "expiry again", c.RunAt, expiry)
	}},
	{"an unpin leaves nothing to release", func(w *world) {
		w.on(mainBranch, 1, 5).askFor(0, 5, job.KindUnpin, job.LaneSoft).final(2).commit()
		w.finish(w.claim(job.KindUnpin), job.Result{Outcome: job.Succeeded})
		w.retract()
		equal(w, "job", w.job(0).State, job.Orphaned)
		equal(w, "compensation", w.compState(0), "")
	}},
	{"a pending answer is withdrawn, and given anew after inclusion", func(w *world) {
		w.asked()
		w.finish(w.claim(job.KindPin), pinned)
		out := w.retract()
		equal(w, "answers", out.Answers, true)
		w.on(side, 7, 8).ask(0, 7).final(8).commit()
		equal(w, "before the job ran again", len(w.pending()), 0)
		w.now = w.now.Add(2 * time.Minute)
		w.finish(w.claim(job.KindPin), stalled)
		as := w.answers(0)
		equal(w, "outcome", as[0].Outcome, job.Failed)
	}},
	{"a closing that is rolled back opens the request again", func(w *world) {
		w.on(mainBranch, 1, 3).ask(0, 1).final(2).commit()
		w.finish(w.claim(job.KindPin), pinned)
		w.on(mainBranch, 4, 5).answered(0, 5).commit()
		r := w.request(0)
		equal(w, "state", r.State, chain.RequestAnswered)
		equal(w, "close tx", r.CloseTx, logAt(mainBranch, 5, 0).Tx)
		equal(w, "not offered", len(w.pending()), 0)
		equal(w, "job", w.job(0).State, job.Done)
		w.retract()
		r = w.request(0)
		equal(w, "state", r.State, chain.RequestOpen)
		equal(w, "close tx", r.CloseTx, common.Hash{})
		equal(w, "outcome", r.Outcome, job.OutcomeNone)
		equal(w, "offered", fmt.Sprint(w.pending()), "[0]")
	}},
	{"a request and its closing go together", func(w *world) {
		w.on(mainBranch, 1, 5).ask(0, 4).answered(0, 5).final(2).commit()
		w.retract()
		equal(w, "state", w.request(0).State, chain.RequestRetracted)
		equal(w, "job", w.job(0).State, job.Cancelled)
	}},
	{"a refund that is only soft touches no job", func(w *world) {
		w.on(mainBranch, 1, 3).ask(0, 1).final(2).commit()
		j := w.claim(job.KindPin)
		w.on(mainBranch, 4, 5).refunded(0, 5).commit()
		w.ok(w.l.Heartbeat(w.ctx, j.ID, j.Fence, time.Minute, w.now, job.Progress{}))
		w.finish(j, pinned)
		equal(w, "not offered", len(w.pending()), 0)
		w.retract()
		equal(w, "offered", fmt.Sprint(w.pending()), "[0]")
	}},
	{"an answer given by others while the pin runs frees what was fetched", func(w *world) {
		w.on(mainBranch, 1, 3).ask(0, 1).final(2).commit()
		j := w.claim(job.KindPin)
		w.on(mainBranch, 4, 5).answered(0, 5).final(5).commit()
		equal(w, "job", w.job(0).State, job.Settled)
		equal(w, "compensation", w.compState(0), job.Available)
		w.is(w.l.Heartbeat(w.ctx, j.ID, j.Fence, time.Minute, w.now, job.Progress{}), job.ErrFenced)
	}},
	{"a pin that was answered as failed is not kept", func(w *world) {
		w.on(mainBranch, 1, 3).ask(0, 1).final(2).commit()
		w.finish(w.claim(job.KindPin), pinned)
		w.on(mainBranch, 4, 5).failed(0, 5).final(5).commit()
		equal(w, "job", w.job(0).State, job.Settled)
		equal(w, "compensation", w.compState(0), job.Available)
	}},
	{"nothing is sealed that could still be retracted", func(w *world) {
		w.on(mainBranch, 1, 3).ask(0, 3).final(3).commit()
		w.finish(w.claim(job.KindPin), pinned)
		answers := w.answers(0)
		w.on(mainBranch, 4, 5).ask(1, 5).commit()
		w.finish(w.claim(job.KindPin), pinned)
		equal(w, "offered", fmt.Sprint(w.pending()), "[0]")
		early := answers[0]
		early.Request = requestID(1)
		_, err := w.l.SealBatch(w.ctx, chain.Seal{Digest: common.Hash{1}, Threshold: 1, Answers: append(answers, early)}, w.now)
		w.is(err, job.ErrConflict)
		w.seal(1, 0)
		w.retract()
		equal(w, "sealed request", w.request(0).State, chain.RequestOpen)
		equal(w, "retracted request", w.request(1).State, chain.RequestRetracted)
		batches, err := w.l.OpenBatches(w.ctx)
		w.ok(err)
		equal(w, "batches", len(batches), 1)
	}},
}

// matrixStates are ways to bring request 0's pin job into a state.
var matrixStates = []struct {
	state job.State
	holds bool // content may be held
	reach func(w *world)
}{
	{job.Available, false, func(w *world) {}},
	{job.Available, true, func(w *world) {
		j := w.claim(job.KindPin)
		w.ok(w.l.ReleaseJob(w.ctx, j.ID, j.Fence))
	}},
	{job.Running, true, func(w *world) { w.claim(job.KindPin) }},
	{job.Retrying, true, func(w *world) {
		j := w.claim(job.KindPin)
		w.ok(w.l.RetryJob(w.ctx, j.ID, j.Fence, w.now.Add(time.Hour), "no peers", job.Progress{}))
	}},
	{job.Snoozed, true, func(w *world) {
		j := w.claim(job.KindPin)
		w.ok(w.l.SnoozeJob(w.ctx, j.ID, j.Fence, w.now.Add(time.Hour), "disk"))
	}},
	{job.Done, true, func(w *world) { w.finish(w.claim(job.KindPin), pinned) }},
	{job.Dead, true, func(w *world) {
		j := w.claim(job.KindPin)
		w.ok(w.l.KillJob(w.ctx, j.ID, j.Fence, "bug"))
	}},
	{job.Cancelled, false, func(w *world) { w.ok(w.l.DropJob(w.ctx, w.job(0).ID, w.now)) }},
	{job.Cancelled, true, func(w *world) {
		j := w.claim(job.KindPin)
		w.ok(w.l.DropJob(w.ctx, j.ID, w.now))
	}},
}

// matrixEvents are what the chain may do to it, with the job's state after it by
// the state before, and whether held content is to be released.
var matrixEvents = []struct {
	name    string
	do      func(w *world)
	after   func(before job.State) job.State
	release func(before job.State) bool
}{
	{"retracted", func(w *world) { w.retract() }, func(s job.State) job.State {
		if s == job.Done {
			return job.Orphaned
		}
		return job.Cancelled
	}, func(job.State) bool { return true }},
	{"retracted and included", func(w *world) { w.retract(); w.on(side, 7, 8).ask(0, 7).commit() },
		func(job.State) job.State { return job.Available }, func(job.State) bool { return false }},
	{"answered, soft", func(w *world) { w.on(mainBranch, 6, 7).answered(0, 6).commit() },
		func(s job.State) job.State { return s }, func(s job.State) bool { return s == job.Cancelled }},
	{"answered, final", func(w *world) { w.on(mainBranch, 6, 7).answered(0, 6).final(7).commit() },
		func(job.State) job.State { return job.Settled }, func(s job.State) bool { return s != job.Done }},
	{"refunded, soft", func(w *world) { w.on(mainBranch, 6, 7).refunded(0, 6).commit() },
		func(s job.State) job.State { return s }, func(s job.State) bool { return s == job.Cancelled }},
	{"refunded, final", func(w *world) { w.on(mainBranch, 6, 7).refunded(0, 6).final(7).commit() }, func(s job.State) job.State {
		if s == job.Done {
			return job.Settled
		}
		return job.Cancelled
	}, func(job.State) bool { return true }},
	{"answered, rolled back", func(w *world) {
		w.on(mainBranch, 6, 7).answered(0, 6).commit()
		w.on(mainBranch.fork("other", 6), 6, 7).back(5).commit()
	}, func(s job.State) job.State { return s }, func(s job.State) bool { return s == job.Cancelled }},
	{"refunded, rolled back", func(w *world) {
		w.on(mainBranch, 6, 7).refunded(0, 6).commit()
		w.on(mainBranch.fork("other", 6), 6, 7).back(5).commit()
	}, func(s job.State) job.State { return s }, func(s job.State) bool { return s == job.Cancelled }},
}

// runMatrix tries every state against every event, for the job and its
// compensation; a worker that was running must find itself fenced exactly when
// the job was taken from it.
func runMatrix(t *testing.T, open Opener) {
	for _, s := range matrixStates {
		for _, e := range matrixEvents {
			t.Run(fmt.Sprintf("%s holds=%t %s", s.state, s.holds, e.name), func(t *testing.T) {
				w := newWorld(t, open)
				w.asked()
				s.reach(w)
				before := w.job(0)
				equal(w, "reached", before.State, s.state)
				e.do(w)
				after := w.job(0)
				equal(w, "state", after.State, e.after(s.state))
				c, found := w.comp(0)
				if want := s.holds && e.release(s.state); want != (found && c.State.Claimable()) {
					w.Fatalf("release wanted: %t, its job: %q", want, c.State)
				}
				if s.state != job.Running {
					return
				}
				err := w.l.Heartbeat(w.ctx, before.ID, before.Fence, time.Minute, w.now, job.Progress{})
				if after.State == job.Running {
					w.ok(err)
				} else {
					w.is(err, job.ErrFenced)
				}
			})
		}
	}
}
