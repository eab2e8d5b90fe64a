package storetest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// walk is a random walk of a ledger and its model.
type walk struct {
	*world
	m     *model
	forks int
	held  []job.Job      // every claim so far, stale ones too
	seen  []chain.Cursor // every cursor so far
}

// commit rolls back to ancestor, adds a few blocks, and advances.
func (k *walk) commit(r *rapid.T, ancestor uint64) {
	b := mainBranch
	if n := len(k.m.blocks); n > 0 {
		b = k.m.blocks[n-1].b
	}
	reorg := ancestor < k.m.head()
	k.forks++ // blocks with other logs have other hashes
	b = b.fork(fmt.Sprint("fork ", k.forks), ancestor+1)
	grow := rapid.IntRange(flagInt(!reorg), 4).Draw(r, "blocks")
	s := k.on(b, ancestor+1, ancestor+uint64(grow))
	if grow == 0 {
		s.Head = b.block(ancestor)
	}
	if reorg {
		s.back(ancestor)
		k.m.rollback(ancestor, s.UndoAt)
	}
	for h := ancestor + 1; h <= ancestor+uint64(grow); h++ {
		k.m.blocks = append(k.m.blocks, mblock{b, nil})
		s.index = 0
		for range rapid.IntRange(0, 3).Draw(r, "events") {
			k.event(r, s, h)
		}
	}
	s.Soft = uint64(max(0, int(k.m.head())-rapid.IntRange(0, 2).Draw(r, "soft lag")))
	k.m.soft = max(s.Soft, flagUint(!reorg)*k.m.soft)
	if rapid.IntRange(0, 3).Draw(r, "finalise") == 0 && k.m.head() > k.m.final {
		k.m.final = uint64(rapid.IntRange(int(k.m.final)+1, int(k.m.head())).Draw(r, "final"))
		s.Final = k.m.blocks[k.m.final-1].b.block(k.m.final)
	}
	k.m.soft = max(k.m.soft, k.m.final)
	k.seen = append(k.seen, k.cursor())
	s.by(k.seen[len(k.seen)-1]).commit()
	k.m.advance(s.UndoAt)
}

// outdated commits a step that went by a cursor of before, as a watcher does whose
// lease another one has taken meanwhile; nothing may change.
func (k *walk) outdated(r *rapid.T) {
	now := k.cursor()
	if len(k.seen) == 0 {
		return
	}
	was := rapid.SampledFrom(k.seen).Draw(r, "cursor")
	if was.Same(now) {
		return
	}
	b := mainBranch.fork("outdated", was.Height+1)
	s := k.on(b, was.Height+1, was.Height+2).ask(11, was.Height+1).by(was)
	if rapid.Bool().Draw(r, "back") && was.Height > 0 {
		s.back(uint64(rapid.IntRange(0, int(was.Height)-1).Draw(r, "ancestor")))
	}
	s.refused(job.ErrConflict)
	equal(k.world, "cursor", k.cursor(), now)
}

func flagInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func flagUint(b bool) uint64 { return uint64(flagInt(b)) }

// event puts one log at height h: a new request, a lost one again, or a closing.
func (k *walk) event(r *rapid.T, s *step, h uint64) {
	requests := k.m.requests()
	n := rapid.IntRange(0, 11).Draw(r, "request")
	e := mevent{n: n, what: chain.RequestOpen}
	q, canonical := requests[n]
	switch {
	case !canonical:
		s.ask(n, h)
		k.m.ask(n, h, k.now)
	case q.how == chain.RequestOpen && rapid.IntRange(0, 2).Draw(r, "close") == 0:
		switch rapid.IntRange(0, 2).Draw(r, "how") {
		case 0:
			s.answered(n, h)
			e.what, e.good = chain.RequestAnswered, true
		case 1:
			s.failed(n, h)
			e.what = chain.RequestAnswered
		default:
			s.refunded(n, h)
			e.what = chain.RequestRefunded
		}
	default:
		return
	}
	k.m.blocks[h-1].events = append(k.m.blocks[h-1].events, e)
}

func (k *walk) reorg(r *rapid.T) {
	if k.m.head() <= k.m.final {
		return
	}
	k.commit(r, uint64(rapid.IntRange(int(k.m.final), int(k.m.head())-1).Draw(r, "ancestor")))
}

// deep asks for a rollback of what is final; nothing may change.
func (k *walk) deep(r *rapid.T) {
	if k.m.final == 0 {
		return
	}
	ancestor := uint64(rapid.IntRange(0, int(k.m.final)-1).Draw(r, "ancestor"))
	b := k.m.blocks[len(k.m.blocks)-1].b.fork("deep", ancestor+1)
	k.on(b, ancestor+1, ancestor+2).back(ancestor).refused(chain.ErrDeepReorg)
}

func (k *walk) claim(r *rapid.T) {
	kind := rapid.SampledFrom([]job.Kind{job.KindPin, job.KindPin, job.KindRelease}).Draw(r, "kind")
	want := k.m.best(kind, k.now)
	got, ok := k.try(kind)
	if !ok {
		if want != nil {
			k.Fatalf("claimed nothing, want %s", want.key)
		}
		return
	}
	if want == nil {
		k.Fatalf("claimed %s, want nothing", got.Key)
	}
	equal(k.world, "claimed", got.Key, want.key)
	want.state, want.attempt, want.started, want.lease, want.fence = job.Running, want.attempt+1, true, k.now.Add(time.Minute), got.Fence
	k.m.turn[kind]++
	k.m.served[string(kind)+want.requester] = k.m.turn[kind]
	k.held = append(k.held, got)
}

// work ends or extends a claim, perhaps one that is void.
func (k *walk) work(r *rapid.T) {
	if len(k.held) == 0 {
		return
	}
	// mostly the newest: old ones are void
	j := k.held[max(0, len(k.held)-1-rapid.IntRange(0, 4).Draw(r, "claim"))]
	m := k.m.jobs[j.Key]
	valid := m.state == job.Running && m.fence == j.Fence
	var err error
	var then func()
	later := k.now.Add(20 * time.Second)
	switch rapid.IntRange(0, 7).Draw(r, "end") {
	case 0:
		err = k.l.Heartbeat(k.ctx, j.ID, j.Fence, time.Minute, k.now, job.Progress{Blocks: 1})
		then = func() { m.lease = k.now.Add(time.Minute) }
	case 1:
		err = k.l.RetryJob(k.ctx, j.ID, j.Fence, later, "x", job.Progress{})
		then = func() { m.end(job.Retrying); m.runAt = later }
	case 2:
		err = k.l.SnoozeJob(k.ctx, j.ID, j.Fence, later, "x")
		then = func() { m.end(job.Snoozed); m.runAt = later; m.attempt-- }
	case 3:
		err = k.l.ReleaseJob(k.ctx, j.ID, j.Fence)
		then = func() { m.end(job.Available); m.attempt-- }
	case 4:
		err = k.l.KillJob(k.ctx, j.ID, j.Fence, "x")
		then = func() { m.end(job.Dead) }
	default:
		then, err = k.end(r, j, m)
	}
	if !valid {
		k.is(err, job.ErrFenced)
		return
	}
	k.ok(err)
	then()
}

// end finishes a claim with a random result.
func (k *walk) end(r *rapid.T, j job.Job, m *mjob) (func(), error) {
	result := rapid.SampledFrom([]job.Result{pinned, stalled}).Draw(r, "result")
	if m.kind == job.KindRelease {
		result = job.Result{Outcome: job.Succeeded}
	}
	if result.Held && rapid.Bool().Draw(r, "expires") {
		result.ReleaseAt = k.now.Add(5 * time.Minute)
	}
	_, err := k.l.FinishJob(k.ctx, j.ID, j.Fence, result, k.now)
	return func() {
		m.end(job.Done)
		m.outcome = result.Outcome
		if m.kind == job.KindRelease {
			return
		}
		if !result.ReleaseAt.IsZero() {
			k.m.undo(m.n, result.ReleaseAt, true)
		}
		a := &manswer{notBefore: k.now, outcome: result.Outcome}
		if until := epoch.Add(time.Minute); result.Outcome == job.Failed && until.After(k.now) {
			a.notBefore = until
		}
		k.m.answers[m.n] = a
	}, err
}

// operate does what a person may do to a request's job.
func (k *walk) operate(r *rapid.T) {
	n := rapid.IntRange(0, 11).Draw(r, "request")
	j := k.m.jobs[requestKey(n)]
	if j == nil {
		return
	}
	id := k.job(n).ID
	if rapid.Bool().Draw(r, "drop") {
		err := k.l.DropJob(k.ctx, id, k.now)
		switch {
		case j.state == job.Cancelled:
			k.ok(err)
		case job.CanMove(j.state, job.Cancelled):
			k.ok(err)
			j.end(job.Cancelled)
			if j.started {
				k.m.undo(n, k.now, false)
			}
		default:
			k.is(err, job.ErrConflict)
		}
		return
	}
	_, err := k.l.RetryNow(k.ctx, id, k.now)
	q, canonical := k.m.requests()[n]
	switch {
	case j.state == job.Retrying || j.state == job.Snoozed:
		k.ok(err)
		j.state, j.runAt = job.Available, k.now
	case (j.state == job.Dead || j.state == job.Cancelled) && canonical && q.how == chain.RequestOpen:
		k.ok(err)
		j.state, j.attempt, j.runAt = job.Available, 0, k.now
		k.m.cancelUndo(n)
	default:
		k.is(err, job.ErrConflict)
	}
}
