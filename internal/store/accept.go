package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// Accepted says what AcceptReorg took back.
type Accepted struct {
	Logs      int `json:"logs"`      // retracted
	Requests  int `json:"requests"`  // retracted, with their jobs
	Reopened  int `json:"reopened"`  // whose answer or refund left the chain: their jobs run again
	Resending int `json:"resending"` // transactions that were final and are sent again, as they were signed
}

// AcceptReorg takes back what was final above ancestor, because a person decided
// that the endpoints' chain is the right one, and unfreezes the money lane. Watching
// begins again at ancestor. All or nothing; what was signed stays signed.
func (s *Store) AcceptReorg(ctx context.Context, ancestor chain.Block, undoAt, now time.Time) (out Accepted, err error) {
	if ancestor.Hash == (chain.Block{}).Hash {
		return out, errors.New("accepting a reorg: no common ancestor is given")
	}
	err = s.write(ctx, func(ctx context.Context, t conn) error {
		a := &accepting{batch: &batch{
			Batch: chain.Batch{Update: chain.Update{Reorg: true, Ancestor: ancestor}, Now: now, UndoAt: undoAt}, t: t, now: ms(now),
			fresh: map[string]bool{}, revived: map[string]bool{}, closing: map[string]*chain.Closing{},
		}}
		err := a.run(ctx)
		out = a.out
		return err
	})
	if err != nil {
		return Accepted{}, fmt.Errorf("accepting that the chain changed above %s: %w", ancestor.ID(), err)
	}
	return out, nil
}

type accepting struct {
	*batch
	out Accepted
}

func (a *accepting) run(ctx context.Context) error {
	h := int64(a.Ancestor.Height)
	stored, err := list(ctx, a.t, value[string], "SELECT hash FROM block WHERE height = ?", h)
	if err != nil {
		return err
	}
	if len(stored) != 1 || stored[0] != hash(a.Ancestor.Hash) {
		return fmt.Errorf("%s is not a block of the ledger: %w", a.Ancestor.ID(), job.ErrConflict)
	}
	if _, err := exec(ctx, a.t, "INSERT INTO reorg_accepted (one, height) VALUES (1, ?)", h); err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		do   func(context.Context, int64) error
	}{
		{"transactions", a.resend}, {"answered requests", a.reopenFinal}, {"requests", a.unfinal}, {"logs", a.logs}, {"cursors", a.cursors},
	} {
		if err := step.do(ctx, h); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	_, err = exec(ctx, a.t, "DELETE FROM reorg_accepted")
	return err
}

// resend lets txmgr send again what the old branch had mined.
func (a *accepting) resend(ctx context.Context, h int64) error {
	n, err := exec(ctx, a.t, `UPDATE tx SET state = 'sent', reverted = 0, why = '', mined_hash = '', mined_block = '', mined_height = 0,
		gas_used = 0, fee_paid = '0', updated = ? WHERE state = 'final' AND mined_height > ?`, a.now, h)
	a.out.Resending = int(n)
	return err
}

// reopenFinal opens the requests that were closed above h for good. Those that
// stay on the chain are worked on again.
func (a *accepting) reopenFinal(ctx context.Context, h int64) error {
	const gone = "FROM request WHERE closed_final = 1 AND close_height > ?"
	open, err := list(ctx, a.t, value[string], "SELECT id "+gone+" AND height <= ?", h, h)
	if err != nil {
		return err
	}
	if _, err := exec(ctx, a.t, "DELETE FROM answer WHERE state IN ('settled', 'withdrawn') AND request IN (SELECT id "+gone+")", h); err != nil {
		return err
	}
	if _, err := exec(ctx, a.t, "UPDATE request SET closed_final = 0, updated = ? WHERE closed_final = 1 AND close_height > ?", a.now, h); err != nil {
		return err
	}
	if err := a.reopen(ctx, h); err != nil {
		return err
	}
	a.out.Reopened = len(open)
	for _, id := range open {
		j, found, err := answering(ctx, a.t, id)
		if err != nil {
			return err
		}
		if !found || j.State != job.Settled && j.State != job.Cancelled {
			continue
		}
		if j.State == job.Settled {
			if err := withdraw(ctx, a.t, j.ID, job.Orphaned, a.now); err != nil {
				return err
			}
		}
		if err := revive(ctx, a.t, j.ID, a.now, a.now); err != nil {
			return err
		}
		if err := cancelUndo(ctx, a.t, j.Key, a.now); err != nil {
			return err
		}
	}
	return nil
}

// unfinal takes back the requests above h.
func (a *accepting) unfinal(ctx context.Context, h int64) error {
	if err := a.undoCallbacks(ctx, h); err != nil {
		return err
	}
	n, err := exec(ctx, a.t, "UPDATE request SET final = 0, updated = ? WHERE final = 1 AND height > ?", a.now, h)
	if err != nil {
		return err
	}
	a.out.Requests = int(n)
	return a.retract(ctx, h)
}

func (a *accepting) logs(ctx context.Context, h int64) error {
	n, err := exec(ctx, a.t, "UPDATE log SET state = 'retracted' WHERE state <> 'retracted' AND height > ?", h)
	a.out.Logs = int(n)
	return err
}

// cursors sets every filter that was further back to the ancestor.
func (a *accepting) cursors(ctx context.Context, h int64) error {
	for _, q := range []struct {
		text string
		args []any
	}{
		{"DELETE FROM block WHERE height > ?", []any{h}}, {"DELETE FROM coverage WHERE lo > ?", []any{h}},
		{"UPDATE coverage SET hi = ? WHERE hi > ?", []any{h, h}},
	} {
		if _, err := exec(ctx, a.t, q.text, q.args...); err != nil {
			return err
		}
	}
	_, err := exec(ctx, a.t, `UPDATE cursor SET hash = CASE WHEN height >= ? THEN ? ELSE hash END, final_hash = CASE WHEN final >= ? THEN ? ELSE final_hash END,
		height = CASE WHEN height > ? THEN ? ELSE height END, final = CASE WHEN final > ? THEN ? ELSE final END,
		soft = CASE WHEN soft > ? THEN ? ELSE soft END, frozen = '', updated = ?`,
		h, hash(a.Ancestor.Hash), h, hash(a.Ancestor.Hash), h, h, h, h, h, h, a.now)
	return err
}
