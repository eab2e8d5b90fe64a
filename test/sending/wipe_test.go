package sending

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/queue"
	"github.com/tidegate/tidegate/executor/runner"
)

// watched is work that notices when a job is run twice at the same time.
type watched struct {
	mu      sync.Mutex
	running map[string]bool
	twice   []string
	done    int
}

func (w *watched) Handle(ctx context.Context, j job.Job, _ func(job.Progress)) (job.Result, error) {
	w.mu.Lock()
	if w.running[j.Key] {
		w.twice = append(w.twice, j.Key)
	}
	w.running[j.Key] = true
	w.mu.Unlock()
	pause := time.NewTimer(time.Duration(j.ID%20) * time.Millisecond)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
	w.mu.Lock()
	w.running[j.Key] = false
	w.done++
	w.mu.Unlock()
	return job.Result{Outcome: job.Succeeded, Answer: []byte("done")}, ctx.Err()
}

// runWork lets the runner of a daemon do the jobs until stop.
func (b *bench) runWork(h runner.Handler, dir string) (q *queue.Queue, stop func()) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	q, err := queue.New(queue.Config{DataDir: dir, RetryEvery: 50 * time.Millisecond}, queue.Deps{Log: b.log})
	must(b.t, err)
	r, err := runner.New(runner.Config{
		Owner: "daemon", NodeID: "node", Lanes: []runner.Lane{{Kind: job.KindUnpin, Handler: h, Concurrency: 8}}, DeadlineMargin: time.Second,
	}, runner.Deps{Ledger: b.ledger, Waker: q, Log: b.log})
	must(b.t, err)
	var wg sync.WaitGroup
	wg.Go(func() { _ = q.Run(ctx) })
	wg.Go(func() { _ = r.Run(ctx) })
	return q, func() { cancel(); wg.Wait() }
}

// NSQ is only what wakes workers: it dies and forgets all it has every second while
// a thousand requests are asked, done and answered.
func TestAThousandRequestsOutliveTheQueueThatForgets(t *testing.T) {
	b := newBench(t)
	b.maxBatch = 50
	const n, block = 1000, 100
	dir := t.TempDir()
	h := &watched{running: map[string]bool{}}
	q, stopWork := b.runWork(h, dir)
	defer stopWork()
	stopSending := b.run()
	defer stopSending()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	wiped, asked, last := 0, 0, time.Now()
	give := time.Now().Add(120 * time.Second)
	for !(asked == n && b.settled(n)) {
		if time.Now().After(give) {
			t.Fatalf("not settled in time: %d done, %s", h.done, b.state())
		}
		<-ticks.C
		if asked < n {
			b.ask(block)
			asked += block
		}
		b.sim.Commit()
		b.follow()
		q.Notify(job.KindUnpin)
		if time.Since(last) > time.Second {
			// The nsqd on it ends, another one starts on nothing. Renamed, as the old
			// one may be making files while it lasts.
			err := os.Rename(filepath.Join(dir, "nsq"), filepath.Join(dir, fmt.Sprintf("forgotten-%d", wiped)))
			if !errors.Is(err, fs.ErrNotExist) {
				must(t, err)
				wiped++
			}
			last = time.Now()
		}
	}
	if len(b.answers) != n || len(h.twice) > 0 {
		t.Errorf("%d answered, %d jobs ran twice at a time: %v", len(b.answers), len(h.twice), h.twice)
	}
	for id, times := range b.answers {
		if times != 1 {
			t.Errorf("request %s was answered %d times", id, times)
		}
	}
	t.Logf("%d requests, the queue wiped %d times", n, wiped)
	if wiped < 2 {
		t.Errorf("the queue was wiped %d times", wiped)
	}
}
