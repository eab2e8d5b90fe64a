package store

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// refuseDeep fails when something above the ancestor was final. No log is final
// above its filter's final height.
func (b *batch) refuseDeep() error {
	if b.cursor.Final > b.Ancestor.Height {
		return fmt.Errorf("%w: the common ancestor is %s, but height %d was final", chain.ErrDeepReorg, b.Ancestor.ID(), b.cursor.Final)
	}
	return nil
}

// rollback takes back everything above the common ancestor.
func (b *batch) rollback(ctx context.Context) error {
	if !b.Reorg {
		return nil
	}
	h := int64(b.Ancestor.Height)
	if _, err := exec(ctx, b.t, "DELETE FROM block WHERE height > ?", h); err != nil {
		return err
	}
	n, err := exec(ctx, b.t, "UPDATE log SET state = 'retracted' WHERE state = 'seen' AND height > ? AND filter = ?", h, b.Filter)
	if err != nil {
		return err
	}
	b.out.Retracted = int(n)
	if _, err := exec(ctx, b.t, "DELETE FROM coverage WHERE filter = ? AND lo > ?", b.Filter, h); err != nil {
		return err
	}
	if _, err := exec(ctx, b.t, "UPDATE coverage SET hi = ? WHERE filter = ? AND hi > ?", h, b.Filter, h); err != nil {
		return err
	}
	if err := b.reopen(ctx, h); err != nil {
		return fmt.Errorf("reopening requests: %w", err)
	}
	if err := b.undoCallbacks(ctx, h); err != nil {
		return fmt.Errorf("callbacks: %w", err)
	}
	return b.retract(ctx, h)
}

// reopen opens the requests whose closing log is gone. Their jobs need nothing:
// only a final closing touches a job, and that is never rolled back.
func (b *batch) reopen(ctx context.Context, h int64) error {
	n, err := exec(ctx, b.t, `UPDATE request SET state = 'open', close_tx = '', close_block = '', close_idx = 0, close_height = 0,
		outcome = 0, reason = 0, updated = ? WHERE closed_final = 0 AND close_block <> '' AND close_height > ?`, b.now, h)
	if n > 0 {
		b.out.Answers = true
	}
	return err
}

// undoCallbacks lets the newest callback event that is left decide the flag.
func (b *batch) undoCallbacks(ctx context.Context, h int64) error {
	gone, err := list(ctx, b.t, value[string], "SELECT DISTINCT request FROM callback WHERE height > ?", h)
	if err != nil || len(gone) == 0 {
		return err
	}
	if _, err := exec(ctx, b.t, "DELETE FROM callback WHERE height > ?", h); err != nil {
		return err
	}
	for _, id := range gone {
		if err := b.setCallback(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// retract takes back the requests above h, with their jobs and answers.
func (b *batch) retract(ctx context.Context, h int64) error {
	ids, err := list(ctx, b.t, value[string],
		"SELECT id FROM request WHERE final = 0 AND state <> 'retracted' AND height > ? ORDER BY height", h)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := exec(ctx, b.t, "UPDATE request SET state = 'retracted', updated = ? WHERE id = ?", b.now, id); err != nil {
			return err
		}
		n, err := exec(ctx, b.t, "UPDATE answer SET state = 'withdrawn', updated = ? WHERE request = ? AND state = 'pending'", b.now, id)
		if err != nil {
			return err
		}
		if n > 0 {
			b.out.Answers = true
		}
		j, found, err := answering(ctx, b.t, id)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		if err := b.retractJob(ctx, j); err != nil {
			return fmt.Errorf("job %d: %w", j.ID, err)
		}
	}
	return nil
}

func (b *batch) retractJob(ctx context.Context, j started) error {
	switch {
	case j.State == job.Done || j.State == job.Settled:
		if err := withdraw(ctx, b.t, j.ID, job.Orphaned, b.now); err != nil {
			return err
		}
	case job.CanMove(j.State, job.Cancelled):
		if err := withdraw(ctx, b.t, j.ID, job.Cancelled, b.now); err != nil {
			return err
		}
	}
	return b.undo(ctx, j, "retracted")
}

// undo schedules the compensation of a pin that may hold content.
func (b *batch) undo(ctx context.Context, j started, why string) error {
	if !j.mayHold() {
		return nil
	}
	return scheduleUndo(ctx, b.t, j, ms(b.UndoAt), why, b.now, b.wake)
}
