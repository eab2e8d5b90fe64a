package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// local inserts a job of a requester; its name is its key.
func (w *world) local(name, requester string, class job.Class, runAt time.Time) job.Job {
	w.Helper()
	j, inserted, err := w.l.InsertJob(w.ctx, job.New{Key: job.LocalKey(name), Kind: job.KindPin, Class: class, Requester: requester,
		Payload: job.Encode(job.Pin{CID: []byte{1}, Owner: "local"}), Lane: job.LaneNow, RunAt: runAt}, w.now)
	w.ok(err)
	equal(w, "inserted", inserted, true)
	return j
}

// claims claims until nothing is due and gives the names.
func (w *world) claims() (names []string) {
	w.Helper()
	for {
		j, ok := w.try(job.KindPin)
		if !ok {
			return names
		}
		names = append(names, j.Key[len("local:"):])
	}
}

func (w *world) order(want ...string) {
	w.Helper()
	if got := w.claims(); !slices.Equal(got, want) {
		w.Fatalf("claimed %v, want %v", got, want)
	}
}

var claimTests = []test{
	{"a claim leases the job", func(w *world) {
		id := w.local("a", "r", job.ClassLocal, w.now).ID
		j := w.claim(job.KindPin)
		equal(w, "id", j.ID, id)
		equal(w, "state", j.State, job.Running)
		equal(w, "attempt", j.Attempt, 1)
		equal(w, "fence", j.Fence, 1)
		equal(w, "owner", j.LeaseOwner, "worker")
		equal(w, "until", j.LeaseUntil, w.now.Add(time.Minute))
		w.none(job.KindPin)
	}},
	{"a claim needs an owner and a lease", func(w *world) {
		w.local("a", "r", job.ClassLocal, w.now)
		for _, r := range []job.ClaimRequest{{Kind: job.KindPin, Now: w.now, Lease: time.Minute}, {Kind: job.KindPin, Now: w.now, Owner: "x"}} {
			if _, _, err := w.l.Claim(w.ctx, r); err == nil {
				w.Fatalf("%+v was accepted", r)
			}
		}
	}},
	{"lower classes go first", func(w *world) {
		w.local("local", "r", job.ClassLocal, w.now)
		w.local("undo", "s", job.ClassUndo, w.now)
		w.local("paid", "t", job.ClassPaid, w.now)
		w.order("undo", "paid", "local")
	}},
	{"requesters take turns, whatever they queue", func(w *world) {
		for i := range 5 {
			w.local(fmt.Sprintf("a%d", i), "a", job.ClassPaid, w.now)
		}
		w.local("b0", "b", job.ClassPaid, w.now.Add(-time.Second))
		w.local("c0", "c", job.ClassPaid, w.now)
		w.local("b1", "b", job.ClassPaid, w.now)
		w.order("a0", "b0", "c0", "a1", "b1", "a2", "a3", "a4")
	}},
	{"the requester with the fewest running goes first", func(w *world) {
		w.local("a0", "a", job.ClassPaid, w.now)
		w.local("b0", "b", job.ClassPaid, w.now)
		first, second := w.claim(job.KindPin), w.claim(job.KindPin)
		equal(w, "first", first.Requester, "a")
		w.finish(second, pinned) // b is idle again, though it was served last
		w.local("a1", "a", job.ClassPaid, w.now)
		w.local("b1", "b", job.ClassPaid, w.now)
		w.order("b1", "a1")
	}},
	{"running jobs of every class count", func(w *world) {
		w.local("a0", "a", job.ClassLocal, w.now)
		w.claim(job.KindPin)
		w.local("a1", "a", job.ClassPaid, w.now)
		w.local("b1", "b", job.ClassPaid, w.now)
		w.order("b1", "a1")
	}},
	{"the longest unserved goes first", func(w *world) {
		for _, r := range []string{"a", "b", "c"} {
			w.local(r+"0", r, job.ClassPaid, w.now)
		}
		for range 3 {
			w.finish(w.claim(job.KindPin), pinned)
		}
		for _, r := range []string{"c", "b", "a"} {
			w.local(r+"1", r, job.ClassPaid, w.now)
		}
		w.order("a1", "b1", "c1")
	}},
	{"of one requester the oldest goes first", func(w *world) {
		w.local("late", "a", job.ClassPaid, w.now)
		w.local("early", "a", job.ClassPaid, w.now.Add(-time.Minute))
		w.local("later", "a", job.ClassPaid, w.now)
		w.order("early", "late", "later")
	}},
	{"nothing is claimed before its time", func(w *world) {
		w.local("a", "r", job.ClassLocal, w.now.Add(time.Hour))
		w.none(job.KindPin)
		w.due()
		w.now = w.now.Add(time.Hour)
		w.due(job.KindPin)
		w.order("a")
		w.due()
	}},
	{"kinds are lanes of their own", func(w *world) {
		w.local("a", "r", job.ClassLocal, w.now)
		w.none(job.KindUnpin)
		w.due(job.KindPin)
	}},
	{"an expired lease is claimed again under a new fence", func(w *world) {
		w.local("a", "r", job.ClassLocal, w.now)
		old := w.claim(job.KindPin)
		w.now = w.now.Add(time.Minute)
		w.due(job.KindPin)
		j := w.claim(job.KindPin)
		equal(w, "id", j.ID, old.ID)
		equal(w, "fence", j.Fence, old.Fence+1)
		equal(w, "attempt", j.Attempt, 2)
		w.is(w.l.Heartbeat(w.ctx, old.ID, old.Fence, time.Minute, w.now, job.Progress{}), job.ErrFenced)
		w.finish(j, pinned)
	}},
	{"a heartbeat extends the lease and keeps progress", func(w *world) {
		w.local("a", "r", job.ClassLocal, w.now)
		j := w.claim(job.KindPin)
		p := job.Progress{Blocks: 3, Bytes: 1 << 40, Phase: "fetching"}
		w.now = w.now.Add(50 * time.Second)
		w.ok(w.l.Heartbeat(w.ctx, j.ID, j.Fence, time.Minute, w.now, p))
		w.now = w.now.Add(50 * time.Second)
		w.none(job.KindPin)
		got, err := w.l.Job(w.ctx, j.ID)
		w.ok(err)
		equal(w, "progress", got.Progress, p)
		equal(w, "state", got.State, job.Running)
	}},
	{"retry spends the attempt, snooze and release give it back", func(w *world) {
		w.local("a", "r", job.ClassLocal, w.now)
		j := w.claim(job.KindPin)
		w.ok(w.l.RetryJob(w.ctx, j.ID, j.Fence, w.now.Add(time.Second), "no peers", job.Progress{Blocks: 1}))
		got, err := w.l.Job(w.ctx, j.ID)
		w.ok(err)
		equal(w, "state", got.State, job.Retrying)
		equal(w, "attempt", got.Attempt, 1)
		equal(w, "error", got.LastError, "no peers")
		equal(w, "progress", got.Progress, job.Progress{Blocks: 1})
		w.none(job.KindPin)
		w.now = w.now.Add(time.Second)
		j = w.claim(job.KindPin)
		equal(w, "attempt", j.Attempt, 2)
		w.ok(w.l.SnoozeJob(w.ctx, j.ID, j.Fence, w.now.Add(time.Second), "disk full"))
		got, err = w.l.Job(w.ctx, j.ID)
		w.ok(err)
		equal(w, "state", got.State, job.Snoozed)
		equal(w, "attempt", got.Attempt, 1)
		w.now = w.now.Add(time.Second)
		j = w.claim(job.KindPin)
		w.ok(w.l.ReleaseJob(w.ctx, j.ID, j.Fence))
		got, err = w.l.Job(w.ctx, j.ID)
		w.ok(err)
		equal(w, "state", got.State, job.Available)
		equal(w, "attempt", got.Attempt, 1)
		j = w.claim(job.KindPin)
		w.ok(w.l.KillJob(w.ctx, j.ID, j.Fence, "bug"))
		got, err = w.l.Job(w.ctx, j.ID)
		w.ok(err)
		equal(w, "state", got.State, job.Dead)
		w.none(job.KindPin)
	}},
	{"a stale fence changes nothing", func(w *world) {
		w.local("a", "r", job.ClassLocal, w.now)
		old := w.claim(job.KindPin)
		w.now = w.now.Add(2 * time.Minute)
		w.claim(job.KindPin)
		before, err := w.l.Job(w.ctx, old.ID)
		w.ok(err)
		w.allFenced(old, job.ErrFenced)
		after, err := w.l.Job(w.ctx, old.ID)
		w.ok(err)
		equal(w, "job", fmt.Sprintf("%+v", after), fmt.Sprintf("%+v", before))
	}},
	{"a fence that is right is stale once the job is not running", func(w *world) {
		w.local("a", "r", job.ClassLocal, w.now)
		j := w.claim(job.KindPin)
		w.finish(j, pinned)
		w.allFenced(j, job.ErrFenced)
	}},
	{"a job that never was is not found", func(w *world) {
		w.allFenced(job.Job{ID: 99, Fence: 1}, job.ErrNotFound)
	}},
	{"jobs on content of another node are not offered", func(w *world) {
		w.asked()
		w.claim(job.KindPin) // on "node"
		w.retract()
		w.now = w.now.Add(time.Minute)
		_, ok, err := w.l.Claim(w.ctx, job.ClaimRequest{Kind: job.KindRelease, Owner: "other", Lease: time.Minute, Now: w.now, NodeID: "elsewhere"})
		w.ok(err)
		equal(w, "offered elsewhere", ok, false)
		w.claim(job.KindRelease)
	}},
	{"blocked jobs are stepped over", func(w *world) {
		w.asked()
		w.claim(job.KindPin)
		w.retract()
		w.now = w.now.Add(time.Minute)
		w.claim(job.KindRelease)
		w.on(side, 7, 9).ask(0, 7).ask(3, 8).commit() // both of one requester; 0 waits for its release
		equal(w, "claimed", w.claim(job.KindPin).Key, requestKey(3))
		w.none(job.KindPin)
	}},
	{"a finished job has its outcome, its answer and its release", func(w *world) {
		w.on(mainBranch, 1, 5).ask(0, 5).final(5).commit()
		r := pinned
		r.Detail, r.Progress, r.ReleaseAt = []byte(`{"blocks":3}`), job.Progress{Blocks: 3}, w.now.Add(time.Hour)
		c := w.finish(w.claim(job.KindPin), r)
		equal(w, "answer", c.Answer, true)
		j := w.job(0)
		equal(w, "state", j.State, job.Done)
		equal(w, "outcome", j.Outcome, job.Succeeded)
		equal(w, "node", j.NodeID, "node")
		equal(w, "progress", j.Progress, r.Progress)
		d, err := w.l.JobDetail(w.ctx, j.ID)
		w.ok(err)
		equal(w, "detail", string(d), string(r.Detail))
		a := w.answers(0)[0]
		equal(w, "answer", fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", chain.Answer{Job: j.ID, Request: requestID(0), Outcome: job.Succeeded,
			Result: []byte("ok"), Terms: []byte("terms 0"), Context: []byte("context"), Deadline: epoch.Add(time.Hour), Trace: j.Trace}))
		equal(w, "trace", j.Trace != "", true)
		release, _ := w.comp(0)
		equal(w, "release at", release.RunAt, r.ReleaseAt)
		w.none(job.KindRelease)
		w.now = r.ReleaseAt
		w.claim(job.KindRelease)
	}},
	{"a result must make sense", func(w *world) {
		w.local("a", "r", job.ClassLocal, w.now)
		j := w.claim(job.KindPin)
		for _, r := range []job.Result{
			{}, {Outcome: job.Failed}, {Outcome: job.Succeeded, Reason: job.ReasonStalled},
			{Outcome: job.Succeeded, Held: true}, {Outcome: job.Succeeded, Answer: make([]byte, 1025)},
		} {
			if _, err := w.l.FinishJob(w.ctx, j.ID, j.Fence, r, w.now); err == nil {
				w.Fatalf("%+v was accepted", r)
			}
		}
		w.finish(j, pinned)
	}},
	{"a local job gives no answer", func(w *world) {
		w.local("a", "r", job.ClassLocal, w.now)
		equal(w, "answer", w.finish(w.claim(job.KindPin), pinned).Answer, false)
	}},
	{"the release of a local pin names the pin", func(w *world) {
		w.local("a", "r", job.ClassLocal, w.now)
		r := pinned
		r.ReleaseAt = w.now
		w.finish(w.claim(job.KindPin), r)
		p, err := job.Decode[job.Release](w.claim(job.KindRelease).Payload)
		w.ok(err)
		equal(w, "payload", p, job.Release{Request: "local:a", Why: "expired"})
	}},
	{"a failure is answered no earlier than allowed, unless the content is invalid", func(w *world) {
		w.on(mainBranch, 1, 5).ask(0, 4).ask(1, 5).final(5).commit()
		invalid := job.Result{Outcome: job.Failed, Reason: job.ReasonInvalidContent}
		for range 2 {
			j := w.claim(job.KindPin)
			if j.Key == requestKey(0) {
				w.finish(j, stalled)
			} else {
				w.finish(j, invalid)
			}
		}
		equal(w, "now", fmt.Sprint(w.pending()), "[1]")
		at, ok, err := w.l.NextAnswerAt(w.ctx)
		w.ok(err)
		equal(w, "waits", ok, true)
		equal(w, "until", at, epoch.Add(time.Minute))
		w.now = at
		equal(w, "then", fmt.Sprint(w.pending()), "[0 1]")
		_, ok, err = w.l.NextAnswerAt(w.ctx)
		w.ok(err)
		equal(w, "waits", ok, false)
	}},
	{"many due jobs of one requester do not hide another", func(w *world) {
		s := w.on(mainBranch, 1, 9)
		for n := range 900 {
			s.ask(3*n, 1)
		}
		s.ask(1, 2).commit()
		seen := -1
		for i := range 8 {
			if j := w.claim(job.KindPin); j.Key == requestKey(1) {
				seen = i
			}
		}
		if seen < 0 {
			w.Fatal("not among the first 8 claims")
		}
	}},
}

func (w *world) due(want ...job.Kind) {
	w.Helper()
	got, err := w.l.DueKinds(w.ctx, w.now)
	w.ok(err)
	if !slices.Equal(got, want) {
		w.Fatalf("due kinds %v, want %v", got, want)
	}
}

// allFenced tries every write under a job's fence.
func (w *world) allFenced(j job.Job, want error) {
	w.Helper()
	w.is(w.l.Heartbeat(w.ctx, j.ID, j.Fence, time.Minute, w.now, job.Progress{Blocks: 9}), want)
	_, err := w.l.FinishJob(w.ctx, j.ID, j.Fence, pinned, w.now)
	w.is(err, want)
	w.is(w.l.RetryJob(w.ctx, j.ID, j.Fence, w.now, "x", job.Progress{}), want)
	w.is(w.l.SnoozeJob(w.ctx, j.ID, j.Fence, w.now, "x"), want)
	w.is(w.l.ReleaseJob(w.ctx, j.ID, j.Fence), want)
	w.is(w.l.KillJob(w.ctx, j.ID, j.Fence, "x"), want)
}
