package txmgr

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

func (s *Sender) leased(until time.Time, fence int64) {
	s.mu.Lock()
	s.until, s.kept = until, fence
	s.mu.Unlock()
}

func (s *Sender) lease() (until time.Time, fence int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.until, s.kept
}

// keep renews the lease while a pass takes long: endpoints may be slower than it.
func (s *Sender) keep(ctx context.Context) {
	tick := time.NewTicker(s.cfg.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		until, fence := s.lease()
		now := s.now()
		if !now.Before(until) || until.Sub(now) > s.cfg.Lease/2 {
			continue // not held, or renewed by a pass
		}
		got, _, err := s.ledger.AcquireSender(ctx, s.addr, s.cfg.Owner, s.cfg.Lease, now)
		s.mu.Lock()
		switch {
		case s.kept != fence: // a pass was faster
		case err == nil && got == fence:
			s.until = now.Add(s.cfg.Lease)
		case err == nil || errors.Is(err, job.ErrFenced):
			s.until = time.Time{}
		}
		s.mu.Unlock()
	}
}

// acquire takes or renews the lease, at the latest when a third of it is left.
func (s *Sender) acquire(ctx context.Context) error {
	now := s.now()
	if until, _ := s.lease(); s.parked == "" && until.Sub(now) > s.cfg.Lease/3 {
		return nil
	}
	fence, parked, err := s.ledger.AcquireSender(ctx, s.addr, s.cfg.Owner, s.cfg.Lease, now)
	if err != nil {
		s.leased(time.Time{}, 0)
		s.holding(false)
		return fmt.Errorf("taking the lease on %s: %w", s.addr, err)
	}
	if s.parked != "" && parked == "" {
		s.log.Info("the key is no longer parked")
	}
	s.fence, s.parked = fence, parked
	s.leased(now.Add(s.cfg.Lease), fence)
	s.holding(true)
	return nil
}

func (s *Sender) holding(yes bool) {
	s.mu.Lock()
	s.status.Holding, s.status.Parked = yes, s.parked
	s.mu.Unlock()
	s.metrics.parked(s.parked != "")
}

// held fails when the lease has run out in the middle of a pass: an endpoint or
// signer took longer than the lease.
func (s *Sender) held() error {
	if until, _ := s.lease(); s.now().Before(until) {
		return nil
	}
	return fmt.Errorf("the lease on %s ran out during a slow call: %w", s.addr, job.ErrFenced)
}
