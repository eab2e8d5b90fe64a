package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

const repairColumns = "id, piece, deal, slot, size, state, miner, got, rounds, words, due_at, created, updated"

func scanRepair(s scanner) (r job.Repair, err error) {
	var due, created, updated int64
	err = s.Scan(&r.ID, &r.Piece, &r.Deal, &r.Slot, &r.Size, &r.State, &r.Miner, &r.Got, &r.Rounds, &r.Words, &due, &created, &updated)
	r.DueAt, r.CreatedAt, r.UpdatedAt = at(due), at(created), at(updated)
	return r, err
}

// AddRepair stores that a piece is to be fetched back, in state wanted. Where that is known
// already, it changes nothing and returns job.ErrConflict.
func (s *Store) AddRepair(ctx context.Context, r job.Repair, now time.Time) error {
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		id, found, err := one(ctx, t, value[int64], `INSERT INTO repair (piece, deal, slot, size, state, live, words, due_at, created, updated)
			VALUES (?, ?, ?, ?, 'wanted', 1, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`,
			r.Piece, int64(r.Deal), int64(r.Slot), int64(r.Size), r.Words, ms(r.DueAt), ms(now), ms(now))
		if err == nil && !found {
			err = job.ErrConflict
		}
		if err != nil {
			return err
		}
		return addRepairEvent(ctx, t, id, job.RepairWanted, 0, r.Words, now)
	})
	if err != nil {
		return fmt.Errorf("storing that piece %s is to be fetched back: %w", r.Piece, err)
	}
	return nil
}

func addRepairEvent(ctx context.Context, t conn, id int64, state job.RepairState, miner uint64, words string, now time.Time) error {
	_, err := exec(ctx, t, "INSERT INTO repair_event (repair, at, state, miner, words) VALUES (?, ?, ?, ?, ?)", id, ms(now), string(state), int64(miner), words)
	return err
}

// UpdateRepair writes what may change of a repair that was read in state from, and, with
// words, an event. One that is in another state by now is left as it is: job.ErrConflict.
func (s *Store) UpdateRepair(ctx context.Context, r job.Repair, from job.RepairState, words string, now time.Time) error {
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		n, err := exec(ctx, t, "UPDATE repair SET state = ?, live = ?, miner = ?, got = ?, rounds = ?, words = ?, due_at = ?, updated = ? WHERE id = ? AND state = ?",
			string(r.State), flag(!r.State.Over()), int64(r.Miner), int64(r.Got), r.Rounds, r.Words, ms(r.DueAt), ms(now), r.ID, string(from))
		if err == nil && n == 0 {
			err = job.ErrConflict
		}
		if err != nil || r.State == from && words == "" {
			return err
		}
		return addRepairEvent(ctx, t, r.ID, r.State, r.Miner, words, now)
	})
	if err != nil {
		return fmt.Errorf("updating repair %d: %w", r.ID, err)
	}
	return nil
}

// Repairs lists repairs, newest first.
func (s *Store) Repairs(ctx context.Context, f job.RepairFilter) (out []job.Repair, err error) {
	q, args := "SELECT "+repairColumns+" FROM repair WHERE 1 = 1", []any{}
	if f.Piece != "" {
		q, args = q+" AND piece = ?", append(args, f.Piece)
	}
	if f.Live {
		q += " AND live = 1"
	}
	if !f.DueBy.IsZero() {
		q, args = q+" AND live = 1 AND due_at <= ?", append(args, ms(f.DueBy))
	}
	q, args = q+" ORDER BY id DESC LIMIT ?", append(args, limit(f.Limit))
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, scanRepair, q, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing repairs: %w", err)
	}
	return out, nil
}

// Repair gives one repair with its steps, oldest first, or job.ErrNotFound.
func (s *Store) Repair(ctx context.Context, id int64) (r job.Repair, steps []job.RepairEvent, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		var ok bool
		if r, ok, err = one(ctx, t, scanRepair, "SELECT "+repairColumns+" FROM repair WHERE id = ?", id); err == nil && !ok {
			err = job.ErrNotFound
		}
		if err != nil {
			return err
		}
		steps, err = list(ctx, t, func(s scanner) (e job.RepairEvent, err error) {
			var when int64
			err = s.Scan(&when, &e.State, &e.Miner, &e.Words)
			e.At = at(when)
			return e, err
		}, "SELECT at, state, miner, words FROM repair_event WHERE repair = ? ORDER BY id", id)
		return err
	})
	if err != nil {
		return job.Repair{}, nil, fmt.Errorf("reading repair %d: %w", id, err)
	}
	return r, steps, nil
}
