package report

import (
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// trouble remembers which answers are held back, and which must not share a batch.
// It is lost with the process, which costs one more try of each: the reason of
// every failed batch is in the ledger with its transaction.
type trouble struct {
	held   map[common.Hash]Held
	times  map[common.Hash]int // how often in a row
	groups map[common.Hash]int // answers of a group are sealed together and alone
	last   int                 // the newest group
	split  map[int64]bool      // batches that were cut already
}

func newTrouble() trouble {
	return trouble{held: map[common.Hash]Held{}, times: map[common.Hash]int{}, groups: map[common.Hash]int{}, split: map[int64]bool{}}
}

const (
	holdFirst = 30 * time.Second
	holdMost  = time.Hour
)

// hold keeps an answer back, each time for longer. It reports whether this is the
// first time, or the words are new.
func (t *trouble) hold(request common.Hash, why string, alarm bool, now time.Time) (news bool) {
	was, known := t.held[request]
	n := t.times[request]
	t.times[request] = n + 1
	pause := holdMost
	if n < 7 {
		pause = min(holdFirst<<n, holdMost)
	}
	t.held[request] = Held{Request: request, Why: why, Until: now.Add(pause), Alarm: alarm}
	return !known || was.Why != why
}

// released reports whether an answer may be looked at again.
func (t *trouble) released(request common.Hash, now time.Time) bool {
	h, held := t.held[request]
	return !held || !now.Before(h.Until)
}

// settle forgets answers of a batch that landed, but not those held back since.
func (t *trouble) settle(answers []chain.Answer, now time.Time) {
	for _, a := range answers {
		if t.released(a.Request, now) {
			delete(t.held, a.Request)
			delete(t.times, a.Request)
			delete(t.groups, a.Request)
		}
	}
}

// keep forgets answers that are no longer pending: each is in a batch again, was
// settled, or was withdrawn.
func (t *trouble) keep(pending []chain.Answer, now time.Time) {
	alive := map[common.Hash]bool{}
	for _, a := range pending {
		alive[a.Request] = true
	}
	for id, h := range t.held {
		if !alive[id] && now.Sub(h.Until) > holdMost {
			delete(t.held, id)
			delete(t.times, id)
			delete(t.groups, id)
		}
	}
}

// cut puts the answers of a batch that can only fail into two groups. It reports
// false when there is only one answer: that one is the trouble.
func (t *trouble) cut(b *chain.ReportBatch) bool {
	if len(b.Items) < 2 {
		return false
	}
	half := (len(b.Items) + 1) / 2
	for i, a := range b.Items {
		if i == 0 || i == half {
			t.last++
		}
		t.groups[a.Request] = t.last
	}
	return true
}

// list is for Status, by request.
func (t *trouble) list() []Held {
	out := make([]Held, 0, len(t.held))
	for _, h := range t.held {
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b Held) int { return a.Request.Cmp(b.Request) })
	return out
}

func (t *trouble) alarms() int {
	n := 0
	for _, h := range t.held {
		if h.Alarm {
			n++
		}
	}
	return n
}
