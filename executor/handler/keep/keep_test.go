package keep

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/executor/job"
)

// world is a contract with one call, and a ledger whose sender makes it.
type world struct {
	cost    int64 // milliFIL
	due     bool
	down    bool
	tip     int64 // of a DAO now, milliFIL
	intents map[string]*Sent
	queued  int // distinct intents
	made    int // times that the call was made
	sent    Call
}

var milli = big.NewInt(1e15)

func (w *world) Cost(context.Context, string, []byte, *big.Int) (*big.Int, error) {
	switch {
	case w.down:
		return nil, errors.New("connection refused")
	case !w.due:
		return nil, fmt.Errorf("%w: slot 1 is open", ErrNotDue)
	}
	return new(big.Int).Mul(big.NewInt(w.cost), milli), nil
}

func (w *world) Tip(context.Context, string, []byte) (*big.Int, error) {
	if w.down {
		return nil, errors.New("connection refused")
	}
	return new(big.Int).Mul(big.NewInt(w.tip), milli), nil
}

func (w *world) Find(_ context.Context, key string) (Sent, error) {
	if s, ok := w.intents[key]; ok {
		return *s, nil
	}
	return Sent{}, job.ErrNotFound
}

func (w *world) Queue(_ context.Context, key string, c Call, _ time.Time) error {
	w.sent = c
	if _, ok := w.intents[key]; !ok {
		w.intents[key] = &Sent{Waits: "queued"}
		w.queued++
	}
	return nil
}

// final lets the sender do its work.
func (w *world) final(reverted bool) {
	for _, s := range w.intents {
		if s.Over {
			continue
		}
		s.Over, s.Done, s.Hash, s.Paid = true, !reverted, "0xab", new(big.Int).Mul(big.NewInt(w.cost), milli)
		if reverted {
			s.Why = "reverts: WrongState"
		} else {
			w.made++
			w.due = false
		}
	}
}

func (w *world) handler(t testing.TB, most int64) *Handler {
	h, err := New(Config{MaxCost: new(big.Int).Mul(big.NewInt(most), milli)}, Deps{Chain: w, Sender: w, Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func call(tip int64) job.Job {
	return job.Job{Key: "keep:1:0xa:f:1:2", Payload: job.Encode(job.Keep{To: "0xa", Data: []byte{1}, Tip: new(big.Int).Mul(big.NewInt(tip), milli).String(), What: "expireClaim 1"})}
}

func TestWhatPaysIsSentOnceAndFollowed(t *testing.T) {
	w := &world{cost: 10, due: true, intents: map[string]*Sent{}}
	h := w.handler(t, 0)
	var snoozed *job.Snooze
	for range 3 { // the runner dies between any two steps
		if _, err := h.Handle(t.Context(), call(10), nil); !errors.As(err, &snoozed) || snoozed.For != 15*time.Second {
			t.Fatal(err)
		}
	}
	w.final(false)
	r, err := h.Handle(t.Context(), call(10), nil)
	if err != nil || r.Outcome != job.Succeeded || w.queued != 1 || !strings.Contains(string(r.Detail), `"tx":"0xab"`) || !strings.Contains(string(r.Detail), `"paid":"10000000000000000"`) {
		t.Errorf("%+v %s %v, queued %d", r, r.Detail, err, w.queued)
	}
}

func TestWhatDoesNotPayWaitsAndSaysWhy(t *testing.T) {
	w := &world{cost: 11, due: true, intents: map[string]*Sent{}}
	var snoozed *job.Snooze
	_, err := w.handler(t, 0).Handle(t.Context(), call(10), nil)
	if !errors.As(err, &snoozed) || snoozed.For != time.Hour || w.queued != 0 ||
		snoozed.Why != "expireClaim 1 does not pay: its gas costs 0.011 FIL, its tip is 0.01 FIL, and keeper.max_cost_fil is 0" {
		t.Errorf("%v, queued %d", err, w.queued)
	}
	if _, err = w.handler(t, 1).Handle(t.Context(), call(10), nil); !errors.As(err, &snoozed) || w.queued != 1 {
		t.Errorf("with a milliFIL to spare: %v, queued %d", err, w.queued)
	}
}

// What must pay is sent for the tip that there is now, not for what it was found with, and
// at no loss, whatever other calls may cost.
func TestWhatMustPayIsLookedAtAgain(t *testing.T) {
	w := &world{cost: 10, tip: 9, due: true, intents: map[string]*Sent{}}
	h := w.handler(t, 1000)
	j := job.Job{Key: "keep:1:0xa:f:1:3", Payload: job.Encode(job.Keep{To: "0xa", Data: []byte{1}, Tip: "20000000000000000", Pays: true, What: "executeCIDProposal 1"})}
	var snoozed *job.Snooze
	_, err := h.Handle(t.Context(), j, nil)
	if !errors.As(err, &snoozed) || snoozed.For != time.Hour || w.queued != 0 ||
		snoozed.Why != "executeCIDProposal 1 does not pay: its gas costs 0.01 FIL, its tip is 0.009 FIL, and nothing else is paid for it" {
		t.Errorf("%v, queued %d", err, w.queued)
	}
	w.tip = 10
	if _, err = h.Handle(t.Context(), j, nil); !errors.As(err, &snoozed) || w.queued != 1 {
		t.Errorf("%v, queued %d", err, w.queued)
	}
}

// A value is sent, and counts as cost.
func TestAValueIsCost(t *testing.T) {
	w := &world{cost: 1, due: true, intents: map[string]*Sent{}}
	var snoozed *job.Snooze
	j := job.Job{Key: "keep:1:0xa:f:1:0", Payload: job.Encode(job.Keep{To: "0xa", Data: []byte{1}, Tip: "0", Value: "5000000000000000", What: "executeCIDProposal 1"})}
	_, err := w.handler(t, 5).Handle(t.Context(), j, nil)
	if !errors.As(err, &snoozed) || w.queued != 0 ||
		snoozed.Why != "executeCIDProposal 1 does not pay: it sends 0.005 FIL, its gas costs 0.001 FIL, its tip is 0 FIL, and keeper.max_cost_fil is 0.005" {
		t.Errorf("%v, queued %d", err, w.queued)
	}
	if _, err = w.handler(t, 6).Handle(t.Context(), j, nil); !errors.As(err, &snoozed) || w.queued != 1 || w.sent.Value.Cmp(big.NewInt(5e15)) != 0 || w.sent.To != "0xa" {
		t.Errorf("%v, queued %d: %+v", err, w.queued, w.sent)
	}
	j.Payload = job.Encode(job.Keep{To: "0xa", Tip: "0", Value: "-1"})
	if _, err := w.handler(t, 6).Handle(t.Context(), job.Job{Key: "other", Payload: j.Payload}, nil); err == nil {
		t.Error("a negative value is taken")
	}
}

func TestWhatCannotBeMadeEnds(t *testing.T) {
	w := &world{cost: 1, intents: map[string]*Sent{}}
	r, err := w.handler(t, 0).Handle(t.Context(), call(10), nil)
	if err != nil || r.Outcome != job.Failed || r.Reason != job.ReasonRefused || !strings.Contains(string(r.Detail), "slot 1 is open") || w.queued != 0 {
		t.Errorf("somebody else made it: %+v %v", r, err)
	}
	w = &world{cost: 1, due: true, intents: map[string]*Sent{}}
	h := w.handler(t, 0)
	_, _ = h.Handle(t.Context(), call(10), nil) // queued
	w.final(true)
	if r, err = h.Handle(t.Context(), call(10), nil); err != nil || r.Outcome != job.Failed || !strings.Contains(string(r.Detail), "WrongState") {
		t.Errorf("it reverted: %+v %v", r, err)
	}
	w.down = true
	w.intents = map[string]*Sent{}
	if _, err = h.Handle(t.Context(), call(10), nil); err == nil || errors.As(err, new(*job.Snooze)) {
		t.Errorf("an endpoint that is down is an error to retry: %v", err)
	}
	for _, bad := range []string{"", "-1", "1.5", "x"} {
		j := call(1)
		j.Payload = job.Encode(job.Keep{To: "0xa", Tip: bad})
		if _, err := h.Handle(t.Context(), j, nil); err == nil {
			t.Errorf("tip %q", bad)
		}
	}
}

// Whatever happens between steps, the call is made at most once, only while it pays, and
// an ended job stays ended for a reason.
func TestOnceWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{cost: 5, due: true, intents: map[string]*Sent{}}
		h, err := New(Config{}, Deps{Chain: w, Sender: w})
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0:
				w.cost = rapid.Int64Range(1, 20).Draw(t, "cost")
			case 1:
				w.down = !w.down
			case 2:
				w.due = false // by somebody else
			case 3:
				w.final(rapid.Bool().Draw(t, "reverted"))
			case 4:
				queued, cost := w.queued, w.cost
				r, err := h.Handle(t.Context(), call(10), nil)
				if w.queued > queued && cost > 10 {
					t.Fatal("queued at a loss")
				}
				if err == nil && r.Outcome == job.Succeeded && w.made != 1 {
					t.Fatalf("succeeded, made %d times", w.made)
				}
			}
			if w.made > 1 || w.queued > 1 {
				t.Fatalf("made %d times, queued %d times", w.made, w.queued)
			}
		}
	})
}
