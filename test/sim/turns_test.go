package sim

import (
	"cmp"
	"context"
	"fmt"
	"hash"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"
)

// turns lets one goroutine of the bubble go on at a time, where it would touch what others
// touch: a statement of the ledger, a call to the world, a draw. Whoever comes there waits
// until nobody runs any more; then one of those that wait goes on, which the seed chooses.
// So neither the Go scheduler nor the speed of the machine has a say in what happens next,
// and a run is a function of its seed.
type turns struct {
	mu      sync.Mutex
	waiting []*waiter
	come    chan struct{}
	turn    uint64
	r       *rand.Rand
	trace   hash.Hash64
	told    io.Writer // every turn in words, nil for nobody
	unsure  int       // turns in which nothing but their order of coming told two apart
}

type waiter struct {
	turn uint64 // in which it came
	what string
	on   chan struct{}
}

func newTurns(seed uint64) *turns {
	return &turns{come: make(chan struct{}, 1), r: rand.New(rand.NewPCG(seed, 0)), trace: fnv.New64a()}
}

// wait returns when it is this goroutine's turn. The caller holds no lock.
func (t *turns) wait(what string) {
	w := &waiter{what: what, on: make(chan struct{})}
	t.mu.Lock()
	w.turn = t.turn
	t.waiting = append(t.waiting, w)
	t.mu.Unlock()
	select {
	case t.come <- struct{}{}:
	default:
	}
	<-w.on
}

// statement waits for the turn of a statement of the ledger. What is written in a
// transaction is seen by nobody until its COMMIT, which has its own turn.
func (t *turns) statement(s string) {
	for _, writes := range []string{"INSERT", "UPDATE", "DELETE"} {
		if strings.HasPrefix(s, writes) {
			return
		}
	}
	t.wait(s)
}

// run gives turns until ctx ends.
func (t *turns) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.come:
		}
		for next := true; next; {
			synctest.Wait()
			next = t.give()
		}
	}
}

// give lets one go on, and reports whether there was one.
func (t *turns) give() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		return false
	}
	slices.SortStableFunc(t.waiting, func(a, b *waiter) int {
		return cmp.Or(cmp.Compare(a.turn, b.turn), cmp.Compare(a.what, b.what))
	})
	i := t.r.IntN(len(t.waiting))
	w := t.waiting[i]
	for _, k := range []int{i - 1, i + 1} {
		if k >= 0 && k < len(t.waiting) && t.waiting[k].turn == w.turn && t.waiting[k].what == w.what {
			t.unsure++
			t.note("unsure: " + w.what)
			break
		}
	}
	t.waiting = slices.Delete(t.waiting, i, i+1)
	t.turn++
	t.note(w.what)
	close(w.on)
	return true
}

// note adds to the trace.
func (t *turns) note(what string) {
	line := fmt.Appendf(nil, "%d %d %q\n", t.turn, time.Now().UnixNano(), what)
	_, _ = t.trace.Write(line)
	if t.told != nil {
		_, _ = t.told.Write(line)
	}
}
