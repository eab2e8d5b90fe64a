package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/chain"
)

func onBoth(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Run("SQLite", func(t *testing.T) { test(t, mustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))) })
	t.Run("Postgres", func(t *testing.T) { test(t, mustOpen(t, emptyLedgers(t)(t))) })
}

// Whatever a leader that was replaced still writes changes nothing.
func TestAStaleLeaderWritesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), time.Now()
		lead := func(owner string, at time.Time) int64 {
			t.Helper()
			fence, err := s.AcquireLease(ctx, "watch", owner, time.Second, at)
			if err != nil {
				t.Fatal(err)
			}
			return fence
		}
		var fence int64
		old := s.Under("watch", func() int64 { return fence })
		if err := old.SetMeta(ctx, "k", "before"); !errors.Is(err, job.ErrFenced) {
			t.Fatalf("written without a lease: %v", err)
		}
		fence = lead("a", now)
		if err := old.SetMeta(ctx, "k", "a"); err != nil {
			t.Fatal(err)
		}
		next := lead("b", now.Add(time.Minute))
		young := s.Under("watch", func() int64 { return next })
		stale := map[string]error{
			"a setting": old.SetMeta(ctx, "k", "stale"), "a freeze": old.Freeze(ctx, "f", chain.Block{}, "stale"),
			"a key": func() error {
				_, _, err := old.QueueIntent(ctx, chain.Intent{Key: "stale"}, now)
				return err
			}(),
			"a batch": func() error { _, err := old.CommitBatch(ctx, benchBatch(0, 2)); return err }(),
		}
		for what, err := range stale {
			if !errors.Is(err, job.ErrFenced) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if v, err := old.GetMeta(ctx, "k"); err != nil || v != "a" {
			t.Errorf("read %q, %v", v, err)
		}
		if _, found, err := s.Cursor(ctx, "bench"); err != nil || found {
			t.Errorf("a stale batch moved the cursor: %v", err)
		}
		if _, err := young.CommitBatch(ctx, benchBatch(0, 2)); err != nil {
			t.Error(err)
		}
		if err := s.SetMeta(ctx, "k", "no one's"); err != nil {
			t.Error(err)
		}
		leases, err := s.Leases(ctx)
		if err != nil || len(leases) != 1 || leases[0].Owner != "b" || leases[0].Fence != next || next != fence+1 {
			t.Errorf("%+v, %v", leases, err)
		}
	})
}

// Many try to lead at once: at each moment one does, and each write is of the
// newest leader.
func TestLeadersTakeTurns(t *testing.T) {
	url := emptyLedgers(t)(t)
	daemons := []*store.Store{mustOpen(t, url), mustOpen(t, url)}
	var mu sync.Mutex
	owners := map[int64]string{}
	var wg sync.WaitGroup
	for i := range 4 {
		s, owner := daemons[i%2], fmt.Sprint("daemon ", i)
		wg.Go(func() {
			for range 25 {
				fence, err := s.AcquireLease(t.Context(), "watch", owner, time.Millisecond, time.Now())
				if errors.Is(err, job.ErrFenced) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if other := owners[fence]; other != "" && other != owner {
					t.Errorf("fence %d went to %s and %s", fence, other, owner)
				}
				owners[fence] = owner
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(owners) == 0 {
		t.Error("nobody led")
	}
}

// Claims of two daemons go beside each other and beside batches: each job once, its
// compensation never at the same time, and the turns are counted right.
func TestClaimsBesideEachOtherOnPostgres(t *testing.T) {
	const jobs, batches = 120, 4
	url := emptyLedgers(t)(t)
	daemons := []*store.Store{mustOpen(t, url), mustOpen(t, url)}
	now := time.Unix(1_700_007_200, 0) // two hours after the batches: releases are due as soon as they are there
	var mu sync.Mutex
	running, ended := map[string]bool{}, map[string]int{}
	pins := func() int {
		mu.Lock()
		defer mu.Unlock()
		return ended["pins"]
	}
	var wg sync.WaitGroup
	for i := range 8 {
		s, kind := daemons[i%2], job.KindPin
		if i >= 6 {
			kind = job.KindRelease
		}
		wg.Go(func() {
			for pins() < jobs && !t.Failed() {
				j, ok, err := s.Claim(t.Context(), job.ClaimRequest{Kind: kind, Owner: fmt.Sprint("worker ", i), Lease: time.Hour, Now: now, NodeID: "node"})
				if err != nil {
					t.Error(err)
					return
				}
				if !ok {
					time.Sleep(time.Millisecond)
					continue
				}
				base := j.Key
				if kind == job.KindRelease {
					base = j.Key[len("comp:"):]
				}
				mu.Lock()
				if running[base] {
					t.Errorf("%s runs beside its counterpart, or twice", j.Key)
				}
				running[base] = true
				ended[j.Key]++
				mu.Unlock()
				if err := s.Heartbeat(t.Context(), j.ID, j.Fence, time.Hour, now, job.Progress{Blocks: 1}); err != nil {
					t.Error(err)
				}
				mu.Lock()
				running[base] = false
				if kind == job.KindPin {
					ended["pins"]++
				}
				mu.Unlock()
				r := job.Result{Outcome: job.Succeeded}
				if kind == job.KindPin {
					r = job.Result{Outcome: job.Succeeded, Held: true, NodeID: "node", ReleaseAt: now.Add(-time.Hour)}
				}
				if _, err := s.FinishJob(t.Context(), j.ID, j.Fence, r, now); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for i := range batches {
			if _, err := daemons[0].CommitBatch(t.Context(), benchBatch(i*jobs/batches, jobs/batches)); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	for key, n := range ended {
		if key != "pins" && n != 1 {
			t.Errorf("%s was claimed %d times", key, n)
		}
	}
	if wrong, err := store.Turns(t.Context(), daemons[1]); err != nil || wrong != 0 {
		t.Errorf("%d turns are miscounted, %v", wrong, err)
	}
}
