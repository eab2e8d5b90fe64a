package storetest

import (
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// model is what a ledger should hold, told in a few maps. Requests, logs and
// blocks are what a replay of the canonical branch gives; jobs live by the rules
// of docs/state-machines.md.
type model struct {
	blocks  []mblock // canonical, from height 1
	final   uint64
	soft    uint64
	asked   map[int]bool // ever
	jobs    map[string]*mjob
	answers map[int]*manswer // pending ones
	closed  map[int]bool     // closing is final
	served  map[string]int   // "kind requester" → number of the last turn
	turn    map[job.Kind]int
	nextID  int64
}

type mblock struct {
	b      *branch
	events []mevent
}

// mevent is what a log says of request n.
type mevent struct {
	n    int
	what chain.RequestState // RequestOpen asks
	good bool               // answered as succeeded
}

type mjob struct {
	id        int64
	n         int
	key       string
	kind      job.Kind
	class     job.Class
	requester string
	state     job.State
	attempt   int
	runAt     time.Time
	height    uint64
	ready     bool // its height was soft once
	started   bool
	outcome   job.Outcome
	lease     time.Time
	fence     int64 // of the claim that runs it, 0 for none
}

type manswer struct {
	notBefore time.Time
	outcome   job.Outcome
}

func newModel() *model {
	return &model{asked: map[int]bool{}, jobs: map[string]*mjob{}, answers: map[int]*manswer{}, closed: map[int]bool{}, served: map[string]int{}, turn: map[job.Kind]int{}}
}

func (m *model) head() uint64 { return uint64(len(m.blocks)) }

// mrequest is a request as the canonical branch tells it.
type mrequest struct {
	height, closedAt uint64 // 0: not
	how              chain.RequestState
	good             bool
}

// requests replays the canonical branch.
func (m *model) requests() map[int]mrequest {
	out := map[int]mrequest{}
	for i, b := range m.blocks {
		for _, e := range b.events {
			r := out[e.n]
			if e.what == chain.RequestOpen {
				r = mrequest{height: uint64(i + 1), how: chain.RequestOpen}
			} else {
				r.closedAt, r.how, r.good = uint64(i+1), e.what, e.good
			}
			out[e.n] = r
		}
	}
	return out
}

// other is the job that j must not run beside.
func (m *model) other(j *mjob) *mjob {
	if j.kind == job.KindRelease {
		return m.jobs[requestKey(j.n)]
	}
	return m.jobs[job.CompensationKey(j.key)]
}

// best gives the job that the next claim of a kind must get.
func (m *model) best(kind job.Kind, now time.Time) *mjob {
	running := map[string]int{}
	var due []*mjob
	for _, j := range m.jobs {
		if j.kind != kind {
			continue
		}
		if j.state == job.Running && !j.lease.After(now) {
			j.state, j.fence = job.Available, 0
		}
		if j.state == job.Running {
			running[j.requester]++
		}
		if o := m.other(j); j.state.Claimable() && !j.runAt.After(now) && j.ready && (o == nil || o.state != job.Running) {
			due = append(due, j)
		}
	}
	if len(due) == 0 {
		return nil
	}
	return slices.MinFunc(due, func(a, b *mjob) int {
		for _, d := range []int64{
			int64(a.class - b.class), int64(running[a.requester] - running[b.requester]),
			int64(m.served[string(kind)+a.requester] - m.served[string(kind)+b.requester]),
		} {
			if d != 0 {
				return int(d)
			}
		}
		if a.requester != b.requester {
			return slices.Compare([]byte(a.requester), []byte(b.requester))
		}
		if !a.runAt.Equal(b.runAt) {
			return a.runAt.Compare(b.runAt)
		}
		return int(a.id - b.id)
	})
}

// undo schedules the release of what request n's pin may hold; an exact time is
// an expiry, else only an earlier one counts.
func (m *model) undo(n int, at time.Time, exact bool) {
	parent := m.jobs[requestKey(n)]
	key := job.CompensationKey(parent.key)
	c := m.jobs[key]
	if c == nil {
		m.nextID++
		m.jobs[key] = &mjob{id: m.nextID, n: n, key: key, kind: job.KindRelease, class: job.ClassUndo, requester: parent.requester, state: job.Available, runAt: at, ready: true}
		return
	}
	switch {
	case c.state == job.Running:
	case c.state.Claimable():
		if exact || at.Before(c.runAt) {
			c.runAt = at
		}
	default:
		c.state, c.attempt, c.outcome, c.runAt = job.Available, 0, job.OutcomeNone, at
	}
}

func (m *model) cancelUndo(n int) {
	if c := m.jobs[job.CompensationKey(requestKey(n))]; c != nil && (c.state.Claimable() || c.state == job.Dead) {
		c.state = job.Cancelled
	}
}

func (j *mjob) end(s job.State) { j.state, j.fence = s, 0 }

// rollback takes back everything above height h.
func (m *model) rollback(h uint64, undoAt time.Time) {
	before := m.requests()
	m.blocks = m.blocks[:h]
	for _, n := range sortedKeys(before) {
		if before[n].height <= h {
			continue
		}
		delete(m.answers, n)
		j := m.jobs[requestKey(n)]
		switch j.state {
		case job.Done, job.Settled:
			j.end(job.Orphaned)
		case job.Orphaned:
		default:
			j.end(job.Cancelled)
		}
		if j.started {
			m.undo(n, undoAt, false)
		}
	}
}

// ask makes request n's job, or revives it.
func (m *model) ask(n int, h uint64, now time.Time) {
	key := requestKey(n)
	if !m.asked[n] {
		m.asked[n] = true
		m.nextID++
		m.jobs[key] = &mjob{id: m.nextID, n: n, key: key, kind: job.KindPin, class: job.ClassPaid, requester: requesterOf(n).Hex(), state: job.Available, runAt: now, height: h}
		return
	}
	j := m.jobs[key]
	j.state, j.attempt, j.outcome, j.runAt, j.height = job.Available, 0, job.OutcomeNone, now, h
	j.ready = false
	m.cancelUndo(n)
}

// advance starts lanes and makes closings final.
func (m *model) advance(undoAt time.Time) {
	for _, j := range m.jobs {
		j.ready = j.ready || j.height <= m.soft
	}
	requests := m.requests()
	for _, n := range sortedKeys(requests) {
		r, j := requests[n], m.jobs[requestKey(n)]
		if r.closedAt == 0 || r.closedAt > m.final || m.closed[n] {
			continue
		}
		m.closed[n] = true
		delete(m.answers, n)
		finished := j.state == job.Done
		if j.started && (r.how == chain.RequestRefunded || !finished || j.outcome == job.Succeeded && !r.good) {
			m.undo(n, undoAt, false)
		}
		if r.how == chain.RequestAnswered || finished {
			j.end(job.Settled)
		} else {
			j.end(job.Cancelled)
		}
	}
}

func sortedKeys[V any](m map[int]V) []int {
	var out []int
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// check compares the whole ledger with the model.
func (m *model) check(w *world) {
	w.Helper()
	blocks, err := w.l.BlocksFrom(w.ctx, 0, 1000)
	w.ok(err)
	equal(w, "blocks", len(blocks), len(m.blocks))
	for i, b := range m.blocks {
		h := uint64(i + 1)
		equal(w, "block", blocks[i], b.b.block(h))
	}
	m.checkLogs(w)
	m.checkRequests(w)
	m.checkJobs(w)
	if m.head() > 0 {
		w.covered([2]uint64{1, m.head()})
	}
}

// checkLogs compares the logs that are not retracted with those of the branch.
func (m *model) checkLogs(w *world) {
	w.Helper()
	want := map[string]chain.LogState{}
	for i, b := range m.blocks {
		for x := range b.events {
			state := chain.LogSeen
			if uint64(i+1) <= m.final {
				state = chain.LogFinal
			}
			want[fmt.Sprint(b.b.hash(uint64(i+1)), x)] = state
		}
	}
	logs, err := w.l.Logs(w.ctx, chain.LogFilter{Limit: 1000})
	w.ok(err)
	for _, l := range logs {
		k := fmt.Sprint(l.Block, l.Index)
		if l.State == chain.LogRetracted {
			if _, canonical := want[k]; canonical {
				w.Fatalf("log %s is retracted, but canonical", k)
			}
			continue
		}
		equal(w, "log "+k, l.State, want[k])
		delete(want, k)
	}
	equal(w, "logs missing", len(want), 0)
}

func (m *model) checkRequests(w *world) {
	w.Helper()
	replay := m.requests()
	rows, err := w.l.Requests(w.ctx, chain.RequestFilter{Limit: 1000})
	w.ok(err)
	equal(w, "requests", len(rows), len(m.asked))
	var offered []int
	for _, r := range rows {
		n := int(r.Seq)
		want, canonical := replay[n]
		if !canonical {
			equal(w, fmt.Sprint("request ", n), r.State, chain.RequestRetracted)
			continue
		}
		equal(w, fmt.Sprint("request ", n), fmt.Sprint(r.State, r.Log.Height, r.Final, r.ClosedFinal),
			fmt.Sprint(want.how, want.height, want.height <= m.final, m.closed[n]))
		if a := m.answers[n]; a != nil && want.how == chain.RequestOpen && want.height <= m.final && !a.notBefore.After(w.now) {
			offered = append(offered, n)
		}
	}
	slices.Sort(offered)
	equal(w, "answers offered", fmt.Sprint(w.pending()), fmt.Sprint(offered))
}

func (m *model) checkJobs(w *world) {
	w.Helper()
	rows, err := w.l.Jobs(w.ctx, job.Filter{Limit: 1000})
	w.ok(err)
	equal(w, "jobs", len(rows), len(m.jobs))
	for _, j := range rows {
		want := m.jobs[j.Key]
		if want == nil {
			w.Fatalf("job %s should not be", j.Key)
		}
		want.id = j.ID
		equal(w, "job "+j.Key, fmt.Sprint(j.State, j.Attempt, j.Outcome, j.Ready, j.RunAt), fmt.Sprint(want.state, want.attempt, want.outcome, want.ready, want.runAt))
	}
}

func runModel(t *testing.T, open Opener) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(checked{t, r}, open)
		if c, ok := w.l.(io.Closer); ok {
			defer func() {
				if err := c.Close(); err != nil {
					r.Error(err)
				}
			}()
		}
		k := &walk{world: w, m: newModel()}
		r.Repeat(map[string]func(*rapid.T){
			"":         func(*rapid.T) { k.m.check(w) },
			"extend":   func(r *rapid.T) { k.commit(r, k.m.head()) },
			"reorg":    k.reorg,
			"deep":     k.deep,
			"outdated": k.outdated,
			"claim":    k.claim,
			"claim2":   k.claim,
			"work":     k.work,
			"work2":    k.work,
			"operate":  k.operate,
			"wait": func(r *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(r, "seconds")) * time.Second)
			},
		})
	})
}

// checked is a test whose failures rapid sees, so that it can shrink them.
type checked struct {
	testing.TB
	r *rapid.T
}

func (c checked) Helper()                        { c.r.Helper() }
func (c checked) Fatalf(format string, a ...any) { c.r.Fatalf(format, a...) }
func (c checked) Fatal(a ...any)                 { c.r.Fatal(a...) }
