package storetest

import (
	"slices"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

var jobTests = []test{
	{"inserting is idempotent by key", func(w *world) {
		n := job.New{Key: "local:a", Kind: job.KindPin, Class: job.ClassLocal, Requester: "local", Payload: []byte(`{"cid":"AQ=="}`), Lane: job.LaneNow}
		first, inserted, err := w.l.InsertJob(w.ctx, n, w.now)
		w.ok(err)
		equal(w, "inserted", inserted, true)
		equal(w, "runs at once", first.RunAt, w.now)
		n.Payload = []byte(`{"cid":"Ag=="}`)
		again, inserted, err := w.l.InsertJob(w.ctx, n, w.now.Add(time.Hour))
		w.ok(err)
		equal(w, "inserted", inserted, false)
		equal(w, "payload", string(again.Payload), string(first.Payload))
		equal(w, "id", again.ID, first.ID)
	}},
	{"a job needs a key, a kind and a lane", func(w *world) {
		for _, n := range []job.New{{Kind: job.KindPin, Lane: job.LaneNow}, {Key: "local:a", Lane: job.LaneNow}, {Key: "local:a", Kind: job.KindPin}, {Key: "req:1", Kind: job.KindPin, Lane: job.LaneNow}} {
			if _, _, err := w.l.InsertJob(w.ctx, n, w.now); err == nil {
				w.Fatalf("%+v was accepted", n)
			}
		}
	}},
	{"one job answers a request", func(w *world) {
		n := job.New{Key: job.RequestKey(1, "0xa", "0x01", 1), Kind: job.KindPin, Request: "0x01", Lane: job.LaneNow}
		_, _, err := w.l.InsertJob(w.ctx, n, w.now)
		w.ok(err)
		n.Key = job.RequestKey(1, "0xb", "0x01", 1)
		_, _, err = w.l.InsertJob(w.ctx, n, w.now)
		w.is(err, job.ErrConflict)
		n.Key = job.RequestKey(1, "0xa", "0x02", 1)
		if _, _, err := w.l.InsertJob(w.ctx, n, w.now); err == nil {
			w.Fatalf("%+v was accepted", n)
		}
	}},
	{"a job inserted for a height waits for the cursor", func(w *world) {
		w.on(mainBranch, 1, 9).softAt(5).commit()
		for h, ready := range map[uint64]bool{5: true, 6: false} {
			j, _, err := w.l.InsertJob(w.ctx, job.New{Key: job.LocalKey(string(rune('a' + h))), Kind: job.KindPin, Lane: job.LaneSoft, Height: h}, w.now)
			w.ok(err)
			equal(w, "ready", j.Ready, ready)
		}
	}},
	{"jobs are found by id and by key", func(w *world) {
		want := w.local("a", "r", job.ClassLocal, w.now)
		byID, err := w.l.Job(w.ctx, want.ID)
		w.ok(err)
		byKey, err := w.l.JobByKey(w.ctx, "local:a")
		w.ok(err)
		equal(w, "key", byID.Key, byKey.Key)
		_, err = w.l.Job(w.ctx, 99)
		w.is(err, job.ErrNotFound)
		_, err = w.l.JobByKey(w.ctx, "local:b")
		w.is(err, job.ErrNotFound)
		_, err = w.l.JobDetail(w.ctx, 99)
		w.is(err, job.ErrNotFound)
	}},
	{"jobs are listed newest first, narrowed, and paged", func(w *world) {
		w.asked()            // id 1
		w.claim(job.KindPin) // makes a release possible
		w.retract()          // id 2: its release
		w.local("a", "r", job.ClassLocal, w.now)
		w.local("b", "r", job.ClassLocal, w.now)
		for _, c := range []struct {
			f    job.Filter
			want []int64
		}{
			{job.Filter{}, []int64{4, 3, 2, 1}},
			{job.Filter{Limit: 1}, []int64{4}},
			{job.Filter{Before: 3}, []int64{2, 1}},
			{job.Filter{Kind: job.KindRelease}, []int64{2}},
			{job.Filter{State: job.Cancelled}, []int64{1}},
			{job.Filter{State: job.Available, Kind: job.KindPin}, []int64{4, 3}},
			{job.Filter{Request: requestID(0).Hex()}, []int64{2, 1}},
			{job.Filter{State: job.Dead}, nil},
		} {
			js, err := w.l.Jobs(w.ctx, c.f)
			w.ok(err)
			var got []int64
			for _, j := range js {
				got = append(got, j.ID)
			}
			if !slices.Equal(got, c.want) {
				w.Fatalf("%+v: %v, want %v", c.f, got, c.want)
			}
		}
		counts, err := w.l.JobCounts(w.ctx)
		w.ok(err)
		equal(w, "cancelled pins", counts[job.KindPin][job.Cancelled], 1)
		equal(w, "available pins", counts[job.KindPin][job.Available], 2)
		equal(w, "available releases", counts[job.KindRelease][job.Available], 1)
	}},
	{"a dead job is retried with all its attempts", func(w *world) {
		j := w.local("a", "r", job.ClassLocal, w.now)
		j = w.claim(job.KindPin)
		w.ok(w.l.KillJob(w.ctx, j.ID, j.Fence, "bug"))
		got, err := w.l.RetryNow(w.ctx, j.ID, w.now)
		w.ok(err)
		equal(w, "state", got.State, job.Available)
		equal(w, "attempt", got.Attempt, 0)
		equal(w, "id", w.claim(job.KindPin).ID, j.ID)
	}},
	{"a job that is put off is retried at once", func(w *world) {
		j := w.local("a", "r", job.ClassLocal, w.now)
		j = w.claim(job.KindPin)
		w.ok(w.l.RetryJob(w.ctx, j.ID, j.Fence, w.now.Add(time.Hour), "x", job.Progress{}))
		got, err := w.l.RetryNow(w.ctx, j.ID, w.now)
		w.ok(err)
		equal(w, "attempt", got.Attempt, 1)
		j = w.claim(job.KindPin)
		w.ok(w.l.SnoozeJob(w.ctx, j.ID, j.Fence, w.now.Add(time.Hour), "x"))
		_, err = w.l.RetryNow(w.ctx, j.ID, w.now)
		w.ok(err)
		j = w.claim(job.KindPin)
		_, err = w.l.RetryNow(w.ctx, j.ID, w.now)
		w.is(err, job.ErrConflict)
		w.finish(j, pinned)
		_, err = w.l.RetryNow(w.ctx, j.ID, w.now)
		w.is(err, job.ErrConflict)
		_, err = w.l.RetryNow(w.ctx, 99, w.now)
		w.is(err, job.ErrNotFound)
	}},
	{"what the chain no longer asks for is not retried", func(w *world) {
		w.asked()
		w.retract()
		_, err := w.l.RetryNow(w.ctx, w.job(0).ID, w.now)
		w.is(err, job.ErrConflict)
	}},
	{"a dropped job is fenced, released, and can be retried", func(w *world) {
		w.asked()
		j := w.claim(job.KindPin)
		w.ok(w.l.DropJob(w.ctx, j.ID, w.now))
		w.ok(w.l.DropJob(w.ctx, j.ID, w.now))
		equal(w, "state", w.job(0).State, job.Cancelled)
		w.is(w.l.Heartbeat(w.ctx, j.ID, j.Fence, time.Minute, w.now, job.Progress{}), job.ErrFenced)
		equal(w, "release", w.compState(0), job.Available)
		_, err := w.l.RetryNow(w.ctx, j.ID, w.now)
		w.ok(err)
		equal(w, "release", w.compState(0), job.Cancelled)
		release, _ := w.comp(0)
		_, err = w.l.RetryNow(w.ctx, release.ID, w.now)
		w.is(err, job.ErrConflict)
		w.finish(w.claim(job.KindPin), pinned)
	}},
	{"dropping what never started releases nothing", func(w *world) {
		w.asked()
		w.ok(w.l.DropJob(w.ctx, w.job(0).ID, w.now))
		equal(w, "release", w.compState(0), "")
	}},
	{"what is done is not dropped", func(w *world) {
		w.asked()
		w.finish(w.claim(job.KindPin), pinned)
		w.is(w.l.DropJob(w.ctx, w.job(0).ID, w.now), job.ErrConflict)
		w.is(w.l.DropJob(w.ctx, 99, w.now), job.ErrNotFound)
	}},
	{"a dropped release can be retried once its pin is gone", func(w *world) {
		w.asked()
		w.claim(job.KindPin)
		w.retract()
		release, _ := w.comp(0)
		w.ok(w.l.DropJob(w.ctx, release.ID, w.now))
		_, err := w.l.RetryNow(w.ctx, release.ID, w.now)
		w.ok(err)
		w.claim(job.KindRelease)
	}},
}
