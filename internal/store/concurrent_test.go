package store_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
)

// TestNoJobIsClaimedTwice lets many workers claim and finish beside a writer of
// batches and a reader, and counts.
func TestNoJobIsClaimedTwice(t *testing.T) {
	const jobs, workers, batches = 200, 8, 4
	s := mustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))
	now := time.Unix(1_700_000_000, 0)
	var (
		mu      sync.Mutex
		claimed = map[int64]int{}
		wg      sync.WaitGroup
	)
	done := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(claimed) == jobs
	}
	for w := range workers {
		wg.Go(func() {
			for !done() {
				j, ok, err := s.Claim(t.Context(), job.ClaimRequest{Kind: job.KindPin, Owner: fmt.Sprint("worker ", w), Lease: time.Hour, Now: now})
				if err != nil {
					t.Error(err)
					return
				}
				if !ok {
					continue
				}
				mu.Lock()
				claimed[j.ID]++
				mu.Unlock()
				if err := s.Heartbeat(t.Context(), j.ID, j.Fence, time.Hour, now, job.Progress{Blocks: 1}); err != nil {
					t.Error(err)
				}
				if _, err := s.FinishJob(t.Context(), j.ID, j.Fence, job.Result{Outcome: job.Succeeded, Held: true, NodeID: "node"}, now); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for i := range batches {
			if _, err := s.CommitBatch(t.Context(), benchBatch(i*jobs/batches, jobs/batches)); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for !done() && !t.Failed() {
			if _, err := s.JobCounts(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	if len(claimed) != jobs {
		t.Errorf("%d jobs were claimed, want %d", len(claimed), jobs)
	}
	for id, n := range claimed {
		if n != 1 {
			t.Errorf("job %d was claimed %d times", id, n)
		}
	}
	counts, err := s.JobCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if counts[job.KindPin][job.Done] != jobs {
		t.Errorf("counts: %v", counts)
	}
	if wrong, err := store.Turns(t.Context(), s); err != nil || wrong != 0 {
		t.Errorf("%d turns are miscounted, %v", wrong, err)
	}
}
