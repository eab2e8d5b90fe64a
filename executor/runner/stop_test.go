package runner

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

func TestAGracefulStopWaitsThenReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(pinJob(), pinJob(), pinJob())
		b := run(t, l, handlerFunc(func(ctx context.Context, j job.Job, _ func(job.Progress)) (job.Result, error) {
			if j.ID == 1 { // nearly done
				time.Sleep(5 * time.Second)
				return success, nil
			}
			<-ctx.Done()
			return job.Result{}, ctx.Err()
		}))
		start := time.Now()
		b.stop()
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("the stop took %s, want the grace of 10s", took)
		}
		wantState(t, l.get(1), job.Done, "finish")
		wantState(t, l.get(2), job.Available, "release")
		wantState(t, l.get(3), job.Available)
		if r := l.get(2); r.Attempt != 0 || l.get(3).Fence != 0 {
			t.Errorf("attempt %d was spent, or job 3 was claimed", r.Attempt)
		}
		if !b.Status().Stopping {
			t.Error("status does not say that it stops")
		}
	})
}

func TestHastenCutsTheGraceShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := run(t, newLedger(pinJob()), handlerFunc(func(ctx context.Context, _ job.Job, _ func(job.Progress)) (job.Result, error) {
			<-ctx.Done()
			return job.Result{}, ctx.Err()
		}))
		b.cancel()
		time.Sleep(time.Second)
		b.Hasten()
		b.Hasten()
		start := time.Now()
		b.stop()
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %s more", took)
		}
		wantState(t, b.ledger.get(1), job.Available, "release")
	})
}

func TestAHangingHandlerDoesNotHoldUpAStopAndKeepsItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		defer close(hang)
		b := run(t, newLedger(pinJob()), handlerFunc(func(context.Context, job.Job, func(job.Progress)) (job.Result, error) {
			<-hang
			return success, nil
		}))
		start := time.Now()
		b.stop()
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("the stop took %s, want grace + linger = 20s", took)
		}
		wantState(t, b.ledger.get(1), job.Running) // nobody may claim it before its lease ends
	})
}
