package storetest

import (
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// leads takes the lease "watch" for owner, for ten seconds.
func (w *world) leads(owner string) (int64, error) {
	return w.l.AcquireLease(w.ctx, "watch", owner, 10*time.Second, w.now)
}

var leaseTests = []test{
	{"one owner leads at a time", func(w *world) {
		first, err := w.leads("a/1")
		w.ok(err)
		equal(w, "fence", first, 1)
		_, err = w.leads("b/1")
		w.is(err, job.ErrFenced)
		w.now = w.now.Add(9 * time.Second)
		again, err := w.leads("a/1") // renewed
		w.ok(err)
		equal(w, "fence after renewing", again, first)
		w.now = w.now.Add(9 * time.Second)
		_, err = w.leads("b/1")
		w.is(err, job.ErrFenced)
		w.now = w.now.Add(time.Second)
		second, err := w.leads("b/1")
		w.ok(err)
		equal(w, "fence of the next", second, first+1)
		_, err = w.leads("a/1")
		w.is(err, job.ErrFenced)
		_, err = w.l.AcquireLease(w.ctx, "report", "a/1", time.Second, w.now)
		w.ok(err) // another lease
		for _, bad := range []struct {
			name, owner string
			length      time.Duration
		}{{"", "a", 1}, {"watch", "", 1}, {"watch", "a", 0}} {
			if _, err := w.l.AcquireLease(w.ctx, bad.name, bad.owner, bad.length, w.now); err == nil {
				w.Fatalf("%+v was leased", bad)
			}
		}
	}},
	{"what ended leaves its leases, its keys and its jobs to the others", func(w *world) {
		w.local("a", "r", job.ClassPaid, w.now)
		w.local("b", "r", job.ClassPaid, w.now)
		w.local("c", "r", job.ClassPaid, w.now)
		claim := func(owner string) job.Job {
			w.Helper()
			j, ok, err := w.l.Claim(w.ctx, job.ClaimRequest{Kind: job.KindPin, Owner: owner, Lease: time.Hour, Now: w.now})
			w.ok(err)
			equal(w, "claimed", ok, true)
			return j
		}
		mine, other, longer := claim("d/1"), claim("e/1"), claim("dd/1")
		before, err := w.leads("d/1")
		w.ok(err)
		fence, _, err := w.l.AcquireSender(w.ctx, sender, "d/1", time.Hour, w.now)
		w.ok(err)
		n, err := w.l.FreeLeases(w.ctx, "d")
		w.ok(err)
		equal(w, "freed", n, 1)
		w.is(w.l.ReleaseJob(w.ctx, mine.ID, mine.Fence), job.ErrFenced)
		w.ok(w.l.ReleaseJob(w.ctx, other.ID, other.Fence))
		w.ok(w.l.ReleaseJob(w.ctx, longer.ID, longer.Fence))
		j, err := w.l.Job(w.ctx, mine.ID)
		w.ok(err)
		equal(w, "state", j.State, job.Available)
		equal(w, "attempt", j.Attempt, 0)
		after, err := w.leads("e/1")
		w.ok(err)
		equal(w, "a higher fence", after > before, true)
		next, _, err := w.l.AcquireSender(w.ctx, sender, "e/1", time.Hour, w.now)
		w.ok(err)
		equal(w, "a higher fence of the key", next > fence, true)
		w.is(w.l.ParkSender(w.ctx, sender, fence, "stale"), job.ErrFenced)
		n, err = w.l.FreeLeases(w.ctx, "") // everyone's
		w.ok(err)
		equal(w, "freed of all", n, 0)
		_, err = w.leads("f/1")
		w.ok(err)
	}},
	{"an unpin is done by every node", func(w *world) {
		equal(w, "nodes at first", len(nodes(w)), 0)
		for _, id := range []string{"node", "far", "old"} {
			w.ok(w.l.SeeNode(w.ctx, job.Node{ID: id, Addrs: []string{"/dns4/" + id}}, w.now))
		}
		w.ok(w.l.SeeNode(w.ctx, job.Node{ID: "far", Addrs: []string{"/dns4/moved"}}, w.now.Add(time.Second)))
		all := nodes(w)
		equal(w, "nodes", len(all), 3)
		equal(w, "address", all[0].Addrs[0], "/dns4/moved")
		equal(w, "seen", all[0].Seen, w.now.Add(time.Second))
		unpin := job.New{Key: job.LocalKey("u"), Kind: job.KindUnpin, Class: job.ClassPaid, Requester: "r", Lane: job.LaneNow, RunAt: w.now,
			Payload: job.Encode(job.Unpin{CID: []byte{1}, Owner: "o", Seq: 7})}
		_, _, err := w.l.InsertJob(w.ctx, unpin, w.now)
		w.ok(err)
		w.finish(w.claim(job.KindUnpin), job.Result{Outcome: job.Succeeded})
		w.none(job.KindUnpin) // the rest is for the others
		for _, node := range []string{"far", "old"} {
			j, ok, err := w.l.Claim(w.ctx, job.ClaimRequest{Kind: job.KindUnpin, Owner: "x", Lease: time.Minute, Now: w.now, NodeID: node})
			w.ok(err)
			equal(w, "claimed by "+node, ok, true)
			equal(w, "key", j.Key, job.ElsewherePrefix+node+"/local:u")
			equal(w, "payload", string(j.Payload), string(unpin.Payload))
			w.finish(j, job.Result{Outcome: job.Succeeded})
		}
		counts, err := w.l.JobCounts(w.ctx)
		w.ok(err)
		equal(w, "unpins, once a node", counts[job.KindUnpin][job.Done], 3)
	}},
}

func nodes(w *world) []job.Node {
	w.Helper()
	all, err := w.l.Nodes(w.ctx)
	w.ok(err)
	return all
}
