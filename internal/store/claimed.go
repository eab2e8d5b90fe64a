package store

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/executor/job"
)

// PutClaim stores what is known of a claimed slot, in place of what was known before.
func (s *Store) PutClaim(ctx context.Context, c job.Claim) error {
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		_, err := exec(ctx, t, `INSERT INTO claimed (slot, miner, piece, deadline, due_epoch, looks, why, alarm) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (slot) DO UPDATE SET miner = excluded.miner, piece = excluded.piece, deadline = excluded.deadline, due_epoch = excluded.due_epoch,
			looks = excluded.looks, why = excluded.why, alarm = excluded.alarm`,
			int64(c.Slot), int64(c.Miner), c.Piece, int64(c.Deadline), int64(c.DueEpoch), c.Looks, c.Why, c.Alarm)
		return err
	})
	if err != nil {
		return fmt.Errorf("storing the claim of slot %d by miner %d: %w", c.Slot, c.Miner, err)
	}
	return nil
}

// DropClaim forgets a slot that is claimed no more. One that is not there is none the less
// forgotten.
func (s *Store) DropClaim(ctx context.Context, slot uint64) error {
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		_, err := exec(ctx, t, "DELETE FROM claimed WHERE slot = ?", int64(slot))
		return err
	})
	if err != nil {
		return fmt.Errorf("forgetting the claim of slot %d: %w", slot, err)
	}
	return nil
}

// Claims lists claimed slots that are due by an epoch, or all for 0: what is due first
// comes first. n is 0 for 100, at most 1000.
func (s *Store) Claims(ctx context.Context, due uint64, n int) (out []job.Claim, err error) {
	q, args := "SELECT slot, miner, piece, deadline, due_epoch, looks, why, alarm FROM claimed", []any{}
	if due != 0 {
		q, args = q+" WHERE due_epoch <= ?", append(args, int64(due))
	}
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, func(s scanner) (c job.Claim, err error) {
			err = s.Scan(&c.Slot, &c.Miner, &c.Piece, &c.Deadline, &c.DueEpoch, &c.Looks, &c.Why, &c.Alarm)
			return c, err
		}, q+" ORDER BY due_epoch, slot LIMIT ?", append(args, limit(n))...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing claimed slots: %w", err)
	}
	return out, nil
}
