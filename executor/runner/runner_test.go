package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/tidegate/tidegate/executor/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var success = job.Result{Outcome: job.Succeeded}

type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) count(words string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.b.String(), words)
}

type bench struct {
	*Runner
	ledger *fakeLedger
	log    *journal
	waker  fakeWaker
	reg    *prometheus.Registry
	stop   func() // ends Run and waits for it
	cancel func() // begins the stop only
}

// run starts a runner with one pin lane inside a synctest bubble.
func run(t *testing.T, l *fakeLedger, h Handler, tune ...func(*Config, *Deps)) *bench {
	t.Helper()
	b := &bench{ledger: l, log: &journal{}, waker: fakeWaker{job.KindPin: make(chan struct{}, 1)}, reg: prometheus.NewRegistry()}
	cfg := Config{Owner: "test", NodeID: "node", Lanes: []Lane{{Kind: job.KindPin, Handler: h, Concurrency: 2, MaxAttempts: 3, MaxErrors: 4}}}
	deps := Deps{Ledger: l, Waker: b.waker, Log: slog.New(slog.NewTextHandler(b.log, nil)), Metrics: b.reg, Rand: func() float64 { return 0 }}
	for _, f := range tune {
		f(&cfg, &deps)
	}
	r, err := New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	b.Runner = r
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	b.cancel = cancel
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(b.stop)
	synctest.Wait()
	return b
}

func pinJob() job.Job { return job.Job{Kind: job.KindPin, Request: "0x01"} }

func wantState(t *testing.T, r row, s job.State, finals ...string) {
	t.Helper()
	if r.State != s || fmt.Sprint(r.finals) != fmt.Sprint(finals) {
		t.Errorf("job %d is %s after %v, want %s after %v (last error %q)", r.ID, r.State, r.finals, s, finals, r.LastError)
	}
}

func TestAWakeUpStartsAJobAtOnceAndASweepWithinTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := 0
		b := run(t, newLedger(), handlerFunc(func(context.Context, job.Job, func(job.Progress)) (job.Result, error) { return success, nil }),
			func(_ *Config, d *Deps) {
				d.OnFinish = func(c job.Committed) {
					if c.Answer {
						answers++
					}
				}
			})
		id := b.ledger.add(pinJob())
		b.waker[job.KindPin] <- struct{}{}
		synctest.Wait() // no time passes
		wantState(t, b.ledger.get(id), job.Done, "finish")

		id = b.ledger.add(pinJob()) // its wake-up is lost
		time.Sleep(2 * time.Second)
		synctest.Wait()
		wantState(t, b.ledger.get(id), job.Done, "finish")
		if answers != 2 {
			t.Errorf("told of %d answers, want 2", answers)
		}
		b.stop()
	})
}

func TestALaneRunsNoMoreThanItsConcurrencyAndDrainsTheLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		for range 9 {
			l.add(pinJob())
		}
		var now, most atomic.Int32
		b := run(t, l, handlerFunc(func(context.Context, job.Job, func(job.Progress)) (job.Result, error) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return success, nil
		}))
		if s := b.Status(); len(s.Running) != 2 || s.Lanes[0].Running != 2 || s.Running[0].Attempt != 1 {
			t.Errorf("status %+v", s)
		}
		time.Sleep(5*time.Second + time.Millisecond)
		synctest.Wait()
		for id := int64(1); id <= 9; id++ {
			wantState(t, l.get(id), job.Done, "finish")
		}
		if most.Load() != 2 {
			t.Errorf("%d at a time, want 2", most.Load())
		}
		b.stop()
	})
}

func TestHeartbeatsKeepTheLeaseAndWriteProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		go_ := make(chan struct{})
		b := run(t, newLedger(pinJob()), handlerFunc(func(_ context.Context, _ job.Job, report func(job.Progress)) (job.Result, error) {
			report(job.Progress{Blocks: 7})
			<-go_
			return success, nil
		}))
		time.Sleep(1500 * time.Millisecond)
		if r := b.ledger.get(1); r.Progress.Blocks != 7 {
			t.Errorf("progress %+v was not written within a second", r.Progress)
		}
		time.Sleep(2 * time.Minute) // four leases
		r := b.ledger.get(1)
		if r.Fence != 1 || r.State != job.Running {
			t.Errorf("the lease was lost: fence %d, %s", r.Fence, r.State)
		}
		if n := b.ledger.beats[1]; n < 12 || n > 14 {
			t.Errorf("%d heartbeats in two minutes, want about 13", n)
		}
		close(go_)
		synctest.Wait()
		r = b.ledger.get(1)
		wantState(t, r, job.Done, "finish")
		if r.Progress.Blocks != 7 {
			t.Errorf("progress %+v at the end", r.Progress)
		}
		b.stop()
	})
}

func TestAWithdrawnJobIsCancelledAndItsResultDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cause error
		b := run(t, newLedger(pinJob()), handlerFunc(func(ctx context.Context, _ job.Job, report func(job.Progress)) (job.Result, error) {
			report(job.Progress{Blocks: 1})
			<-ctx.Done()
			cause = context.Cause(ctx)
			return success, nil // it got done all the same
		}))
		b.ledger.cancel(1)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if !errors.Is(cause, job.ErrCancelled) {
			t.Errorf("cause %v, want job.ErrCancelled", cause)
		}
		wantState(t, b.ledger.get(1), job.Cancelled)
		if len(b.Status().Running) != 0 {
			t.Error("its slot is still taken")
		}
		b.stop()
	})
}

func TestALeaseThatCannotBeProlongedIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(pinJob())
		broken := errors.New("disk I/O error")
		l.fail = func(call string, _ int64) error {
			if call == "heartbeat" {
				return broken
			}
			return nil
		}
		var attempts atomic.Int32
		b := run(t, l, handlerFunc(func(ctx context.Context, j job.Job, _ func(job.Progress)) (job.Result, error) {
			if attempts.Add(1) == 2 {
				return success, nil
			}
			<-ctx.Done()
			return job.Result{}, ctx.Err()
		}))
		time.Sleep(35 * time.Second)
		synctest.Wait()
		r := l.get(1)
		wantState(t, r, job.Done, "finish")
		if r.Fence != 2 {
			t.Errorf("fence %d, want 2: the row was to be claimed again after its lease", r.Fence)
		}
		b.stop()
	})
}

func TestRetriesBackOffUntilTheJobIsDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		b := run(t, newLedger(pinJob()), handlerFunc(func(context.Context, job.Job, func(job.Progress)) (job.Result, error) {
			at = append(at, time.Since(start).Round(2*time.Second))
			return job.Result{}, errors.New("no route")
		}), func(c *Config, _ *Deps) { c.BackoffBase = 4 * time.Second; c.BackoffMax = 10 * time.Second })
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		r := b.ledger.get(1)
		wantState(t, r, job.Dead, "retry", "retry", "retry", "kill")
		if want := "[0s 4s 12s 22s]"; fmt.Sprint(at) != want {
			t.Errorf("attempts at %v, want %s", at, want)
		}
		if r.LastError != "no route" || b.log.count("level=ERROR") != 1 {
			t.Errorf("last error %q, %d alarms", r.LastError, b.log.count("level=ERROR"))
		}
		b.stop()
	})
}

func TestAPanicIsAnAttemptAndLeavesTheLaneRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := run(t, newLedger(pinJob(), pinJob()), handlerFunc(func(_ context.Context, j job.Job, _ func(job.Progress)) (job.Result, error) {
			if j.ID == 1 && j.Attempt == 1 {
				panic("a nil map")
			}
			return success, nil
		}))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		wantState(t, b.ledger.get(1), job.Done, "retry", "finish")
		wantState(t, b.ledger.get(2), job.Done, "finish")
		if b.ledger.get(1).Attempt != 2 || b.log.count("a nil map") == 0 || b.log.count("runner_test.go") == 0 {
			t.Error("the panic, its stack or its attempt is missing")
		}
		b.stop()
	})
}

func TestAPoisonItemNeverHoldsASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		defer close(hang)
		l := newLedger(pinJob(), pinJob(), pinJob(), pinJob())
		b := run(t, l, handlerFunc(func(_ context.Context, j job.Job, _ func(job.Progress)) (job.Result, error) {
			if j.ID == 1 {
				<-hang // heeds nothing
			}
			return success, nil
		}), func(c *Config, _ *Deps) {
			c.Lanes[0].Concurrency = 1
			c.Lanes[0].Timeout = 5 * time.Second
			c.Linger = time.Second
		})
		time.Sleep(6*time.Second + 500*time.Millisecond)
		synctest.Wait()
		for id := int64(2); id <= 4; id++ {
			wantState(t, l.get(id), job.Done, "finish")
		}
		r := l.get(1)
		if r.finals[0] != "retry" || !strings.Contains(r.LastError, "context had ended") {
			t.Errorf("the poison item: %v, %q", r.finals, r.LastError)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		wantState(t, l.get(1), job.Dead, "retry", "retry", "retry", "kill")
		b.stop()
	})
}

func TestTheDeadlineEndsAJobAsExpired(t *testing.T) {
	for name, c := range map[string]struct {
		left   time.Duration // from now to the deadline, of which a minute is margin
		h      handlerFunc
		want   job.Reason
		finals string
	}{
		"before it starts": {30 * time.Second, nil, job.ReasonExpired, "[finish]"},
		"while it works": {90 * time.Second, func(ctx context.Context, _ job.Job, _ func(job.Progress)) (job.Result, error) {
			<-ctx.Done()
			return job.Result{}, ctx.Err()
		}, job.ReasonExpired, "[finish]"},
		"while it works, with a better reason": {90 * time.Second, func(ctx context.Context, _ job.Job, _ func(job.Progress)) (job.Result, error) {
			<-ctx.Done()
			return job.Result{}, &job.Fault{Reason: job.ReasonStalled, Retry: true, Err: ctx.Err()}
		}, job.ReasonStalled, "[finish]"},
		"while it snoozes": {90 * time.Second, func(context.Context, job.Job, func(job.Progress)) (job.Result, error) {
			return job.Result{}, &job.Snooze{For: time.Hour, Why: "disk reserve"}
		}, job.ReasonExpired, "[snooze finish]"},
		"before the next retry": {66 * time.Second, func(context.Context, job.Job, func(job.Progress)) (job.Result, error) {
			return job.Result{}, &job.Fault{Reason: job.ReasonUnreachable, Retry: true, Err: errors.New("refused")}
		}, job.ReasonUnreachable, "[retry retry finish]"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := pinJob()
				j.Deadline = time.Now().Add(c.left)
				j.NotBefore = j.Deadline
				b := run(t, newLedger(j), c.h, func(c *Config, _ *Deps) { c.Lanes[0].MaxAttempts = 100 })
				time.Sleep(c.left)
				synctest.Wait()
				r := b.ledger.get(1)
				if r.State != job.Done || r.Outcome != job.Failed || r.Reason != c.want || fmt.Sprint(r.finals) != c.finals {
					t.Errorf("%s %s %s after %v, want %s after %s", r.State, r.Outcome, r.Reason, r.finals, c.want, c.finals)
				}
				b.stop()
			})
		})
	}
}

func TestOurOwnFaultAtTheDeadlineIsDeadNotAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := pinJob()
		j.Deadline = time.Now().Add(time.Minute + 3*time.Second)
		b := run(t, newLedger(j), handlerFunc(func(context.Context, job.Job, func(job.Progress)) (job.Result, error) {
			return job.Result{}, errors.New("pebble: closed")
		}), func(c *Config, _ *Deps) { c.Lanes[0].MaxErrors = 100 })
		time.Sleep(time.Minute)
		synctest.Wait()
		if r := b.ledger.get(1); r.State != job.Dead || len(r.results) != 0 {
			t.Errorf("%s after %v", r.State, r.finals)
		}
		b.stop()
	})
}

func TestPartialContentIsDroppedBeforeAFailureIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var steps []string
		h := abandoning{
			handlerFunc: func(context.Context, job.Job, func(job.Progress)) (job.Result, error) {
				steps = append(steps, "handle")
				return job.Result{}, &job.Fault{Reason: job.ReasonTooLarge, Err: errors.New("2 TiB")}
			},
			abandon: func(ctx context.Context, _ job.Job) error {
				steps = append(steps, "abandon")
				switch len(steps) {
				case 2:
					return errors.New("disk full")
				case 4:
					panic("worse")
				}
				return nil
			},
		}
		b := run(t, newLedger(pinJob()), h)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		r := b.ledger.get(1)
		wantState(t, r, job.Done, "retry", "retry", "finish")
		if r.Reason != job.ReasonTooLarge || len(steps) != 6 {
			t.Errorf("reason %s, steps %v", r.Reason, steps)
		}
		b.stop()
	})
}

func TestATransientLedgerErrorDoesNotLoseAResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(pinJob())
		broken := 3
		l.fail = func(call string, _ int64) error {
			if call == "finish" && broken > 0 {
				broken--
				return errors.New("database is locked")
			}
			return nil
		}
		b := run(t, l, handlerFunc(func(context.Context, job.Job, func(job.Progress)) (job.Result, error) { return success, nil }))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		r := l.get(1)
		wantState(t, r, job.Done, "finish")
		if r.Attempt != 1 {
			t.Errorf("attempt %d", r.Attempt)
		}
		b.stop()
	})
}

func TestAClaimThatFailsIsLoggedOnceAndRepeatedByTheSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(pinJob())
		var broken atomic.Bool
		broken.Store(true)
		l.fail = func(call string, _ int64) error {
			if call == "claim" && broken.Load() {
				return errors.New("disk I/O error")
			}
			return nil
		}
		b := run(t, l, handlerFunc(func(context.Context, job.Job, func(job.Progress)) (job.Result, error) { return success, nil }))
		time.Sleep(30 * time.Second)
		if n := b.log.count("the ledger fails"); n != 1 {
			t.Errorf("logged %d times", n)
		}
		if b.Status().Error == "" {
			t.Error("status hides it")
		}
		broken.Store(false)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		wantState(t, l.get(1), job.Done, "finish")
		if b.log.count("answers again") != 1 || b.Status().Error != "" {
			t.Error("recovery was not said")
		}
		b.stop()
	})
}

type counts struct{}

func (counts) JobCounts(context.Context) (map[job.Kind]map[job.State]int64, error) {
	return map[job.Kind]map[job.State]int64{job.KindPin: {job.Dead: 2}}, nil
}

func TestMetricsTellHowAttemptsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := run(t, newLedger(pinJob(), pinJob()), handlerFunc(func(_ context.Context, j job.Job, _ func(job.Progress)) (job.Result, error) {
			if j.ID == 1 && j.Attempt == 1 {
				return job.Result{}, errors.New("again")
			}
			return success, nil
		}), func(_ *Config, d *Deps) { d.Counter = counts{} })
		time.Sleep(5 * time.Second)
		b.stop()
		families, err := b.reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				name := f.GetName()
				for _, l := range m.GetLabel() {
					name += " " + l.GetValue()
				}
				got[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
		for name, want := range map[string]float64{
			"tidegate_jobs pin dead":                        2,
			"tidegate_runner_attempts_total retrying pin":   1,
			"tidegate_runner_attempts_total succeeded pin":  2,
			"tidegate_runner_attempt_seconds succeeded pin": 2,
			"tidegate_runner_running pin":                   0,
		} {
			if v, ok := got[name]; !ok || v != want {
				t.Errorf("%s is %v (%v), want %v", name, v, ok, want)
			}
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	h := handlerFunc(nil)
	for name, cfg := range map[string]Config{
		"no owner":       {Lanes: []Lane{{Kind: job.KindPin, Handler: h}}},
		"double lane":    {Owner: "a", Lanes: []Lane{{Kind: job.KindPin, Handler: h}, {Kind: job.KindPin, Handler: h}}},
		"no handler":     {Owner: "a", Lanes: []Lane{{Kind: job.KindPin}}},
		"slow heartbeat": {Owner: "a", Heartbeat: 20 * time.Second},
	} {
		if _, err := New(cfg, Deps{Ledger: newLedger()}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
