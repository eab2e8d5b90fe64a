package store

import (
	"context"

	"github.com/tidegate/tidegate/executor/job"
)

// started is a job with what decides whether it needs undoing.
type started struct {
	job.Job
	Started   bool   // was ever claimed
	ClaimNode string // by which node last
}

const startedColumns = jobColumns + ", started, claim_node"

func scanStarted(s scanner) (started, error) {
	var j started
	var err error
	j.Job, err = scanJob(scanWith{s, []any{&j.Started, &j.ClaimNode}})
	return j, err
}

// scanWith scans more columns after those that its caller knows of.
type scanWith struct {
	scanner
	more []any
}

func (s scanWith) Scan(dest ...any) error { return s.scanner.Scan(append(dest, s.more...)...) }

// mayHold reports whether content may be held for the job: a pin or prepare that
// was ever claimed, even when its attempt was given back.
func (j started) mayHold() bool {
	return (j.Kind == job.KindPin || j.Kind == job.KindPrepare) && j.Started
}

// answering is the job that answers a request.
func answering(ctx context.Context, t conn, request string) (started, bool, error) {
	return one(ctx, t, scanStarted, "SELECT "+startedColumns+" FROM job WHERE request = ? AND answers = 1", request)
}

// withdraw moves a job to cancelled or orphaned and voids its lease.
func withdraw(ctx context.Context, t conn, id int64, to job.State, now int64) error {
	_, err := exec(ctx, t, `UPDATE job SET state = ?, due = 0, fence = fence + 1, lease_owner = '', lease_until = 0, updated = ?
		WHERE id = ?`, string(to), now, id)
	return err
}

// revive makes an ended job available as if it were new.
func revive(ctx context.Context, t conn, id, runAt, now int64) error {
	_, err := exec(ctx, t, `UPDATE job SET state = 'available', due = 0, attempt = 0, fence = fence + 1, lease_owner = '', lease_until = 0,
		outcome = 0, reason = 0, detail = '', last_error = '', progress = '{}', run_at = ?, updated = ? WHERE id = ?`, runAt, now, id)
	return err
}

// scheduleUndo makes sure that a release of what parent holds is due at runAt or
// earlier. One row does it, whatever happened before: it is inserted, brought
// forward, or revived after it was cancelled or had run. A running one is left
// alone: parent cannot have been claimed beside it, so it drops everything.
func scheduleUndo(ctx context.Context, t conn, parent started, runAt int64, why string, now int64, wake func(job.Kind)) error {
	return schedule(ctx, t, parent, runAt, why, now, true, wake)
}

// scheduleExpiry makes the release of what parent holds due exactly at runAt.
func scheduleExpiry(ctx context.Context, t conn, parent started, runAt, now int64) error {
	return schedule(ctx, t, parent, runAt, "expired", now, false, func(job.Kind) {})
}

func schedule(ctx context.Context, t conn, parent started, runAt int64, why string, now int64, forward bool, wake func(job.Kind)) error {
	key := job.CompensationKey(parent.Key)
	c, found, err := jobByKey(ctx, t, key)
	if err != nil {
		return err
	}
	held := parent.Request
	if held == "" {
		held = parent.Key
	}
	payload := string(job.Encode(job.Release{Request: held, Why: why}))
	node := parent.NodeID
	if node == "" {
		node = parent.ClaimNode
	}
	if !found {
		wake(job.KindRelease)
		_, err := exec(ctx, t, `INSERT INTO job (key, kind, class, state, request, requester, payload, lane, ready, run_at, node_id, trace, created, updated)
			VALUES (?, ?, ?, 'available', ?, ?, ?, 'now', 1, ?, ?, ?, ?, ?)`,
			key, string(job.KindRelease), int(job.ClassUndo), parent.Request, parent.Requester, payload, runAt, node, parent.Trace, now, now)
		return err
	}
	switch {
	case c.State == job.Running:
		return nil
	case c.State.Claimable():
		if forward && ms(c.RunAt) <= runAt {
			return nil
		}
		wake(job.KindRelease)
		_, err := exec(ctx, t, "UPDATE job SET run_at = ?, due = 0, payload = ?, updated = ? WHERE id = ?", runAt, payload, now, c.ID)
		return err
	case c.State == job.Done: // it ran for an earlier life of its parent
		if err := withdraw(ctx, t, c.ID, job.Orphaned, now); err != nil {
			return err
		}
	}
	wake(job.KindRelease)
	if err := revive(ctx, t, c.ID, runAt, now); err != nil {
		return err
	}
	_, err = exec(ctx, t, "UPDATE job SET payload = ?, node_id = ? WHERE id = ?", payload, node, c.ID)
	return err
}

// cancelUndo withdraws the release of what parent holds, unless it runs: then
// Claim keeps parent waiting until it is through.
func cancelUndo(ctx context.Context, t conn, parentKey string, now int64) error {
	_, err := exec(ctx, t, `UPDATE job SET state = 'cancelled', due = 0, fence = fence + 1, updated = ?
		WHERE key = ? AND answers = 0 AND state IN ('available', 'retrying', 'snoozed', 'dead')`, now, job.CompensationKey(parentKey))
	return err
}
