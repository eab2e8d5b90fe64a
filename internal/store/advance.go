package store

import (
	"context"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// advance makes final what has become final, settles, and lets lanes start.
func (b *batch) advance(ctx context.Context) error {
	final, soft := int64(b.cursor.Final), int64(b.cursor.Soft)
	if _, err := exec(ctx, b.t, "UPDATE log SET state = 'final' WHERE state = 'seen' AND height <= ? AND filter = ?", final, b.Filter); err != nil {
		return err
	}
	n, err := exec(ctx, b.t, "UPDATE request SET final = 1, updated = ? WHERE final = 0 AND state <> 'retracted' AND height <= ?", b.now, final)
	if err != nil {
		return err
	}
	if n > 0 {
		b.out.Answers = true
	}
	if err := b.settle(ctx, final); err != nil || b.Behind {
		return err
	}
	return b.readyJobs(ctx, soft, final)
}

// readyAtOnce bounds how many jobs one batch makes ready: after a long past was read
// there may be very many, and a transaction must stay short. The rest follow with the
// next batches.
const readyAtOnce = 10_000

func (b *batch) readyJobs(ctx context.Context, soft, final int64) error {
	for _, l := range []struct {
		lane   job.Lane
		height int64
	}{{job.LaneSoft, soft}, {job.LaneFinal, final}} {
		kinds, err := list(ctx, b.t, value[job.Kind], "SELECT DISTINCT kind FROM job WHERE ready = 0 AND lane = ? AND height <= ?", string(l.lane), l.height)
		if err != nil {
			return err
		}
		if len(kinds) == 0 {
			continue
		}
		b.out.Ready = append(b.out.Ready, kinds...)
		if _, err := exec(ctx, b.t, "UPDATE job SET ready = 1 WHERE id IN (SELECT id FROM job WHERE ready = 0 AND lane = ? AND height <= ? ORDER BY height LIMIT ?)",
			string(l.lane), l.height, readyAtOnce); err != nil {
			return err
		}
	}
	return nil
}

// closed picks the requests whose closing becomes final, closedJobs the jobs
// that answer them.
const (
	closed     = "SELECT id FROM request WHERE closed_final = 0 AND close_block <> '' AND close_height <= ? AND state = ?"
	closedJobs = "SELECT j.id FROM request r JOIN job j ON j.request = r.id AND j.answers = 1" +
		" WHERE r.closed_final = 0 AND r.close_block <> '' AND r.close_height <= ? AND r.state = ?"
)

// owed is true of a job whose request our own answer closed, as succeeded, before the
// job was done again: after a deep reorg the answer of its earlier life may land, when
// what it held was released already. It is still to be done, and then settled (finish).
const owed = "(kind IN ('pin', 'prepare') AND started = 1 AND " + kept + ")"

// kept is true of a job whose request was answered as succeeded by what we signed.
const kept = "EXISTS (SELECT 1 FROM signed_result s JOIN request r ON r.id = s.request WHERE s.request = job.request AND r.state = 'answered' AND r.outcome = 1)"

// settle ends jobs and answers of requests whose closing is final. Most rows are
// moved by whole-set statements; only pins that may hold content they should
// not are looked at one by one.
func (b *batch) settle(ctx context.Context, final int64) error {
	if err := b.settleHolders(ctx, final); err != nil {
		return err
	}
	answered, refunded := string(chain.RequestAnswered), string(chain.RequestRefunded)
	const end = ", due = 0, fence = fence + 1, lease_owner = '', lease_until = 0, updated = ? WHERE id IN (" + closedJobs + ")"
	// joined with '', state is no key of an index: the rows are found by their ids,
	// not by walking all that ever were done
	const unfinished = " AND state || '' IN ('available', 'running', 'retrying', 'snoozed', 'dead')"
	for _, q := range []struct {
		to         job.State
		which, how string
	}{
		{job.Cancelled, unfinished + " AND NOT " + owed, answered},
		{job.Cancelled, unfinished, refunded},
		{job.Settled, " AND state || '' IN ('done', 'cancelled', 'orphaned')", answered},
		{job.Settled, " AND state || '' = 'done'", refunded},
	} {
		n, err := exec(ctx, b.t, "UPDATE job SET state = ?"+end+q.which, string(q.to), b.now, final, q.how)
		if err != nil {
			return err
		}
		if q.to == job.Settled {
			b.out.Settled += int(n)
		}
	}
	n, err := exec(ctx, b.t, "UPDATE answer SET state = 'settled', batch = NULL, updated = ? WHERE state IN ('pending', 'sealed') AND request IN ("+closed+")", b.now, final, answered)
	if err != nil {
		return err
	}
	m, err := exec(ctx, b.t, "UPDATE answer SET state = 'withdrawn', updated = ? WHERE state = 'pending' AND request IN ("+closed+")", b.now, final, refunded)
	if err != nil {
		return err
	}
	b.out.Answers = b.out.Answers || n+m > 0
	_, err = exec(ctx, b.t, "UPDATE request SET closed_final = 1, updated = ? WHERE closed_final = 0 AND close_block <> '' AND close_height <= ?", b.now, final)
	return err
}

// settleHolders schedules the release of content that a closing makes nobody
// pay for: every refunded pin, a pin that others answered before it was done,
// and one that was answered as failed though it had succeeded here.
func (b *batch) settleHolders(ctx context.Context, final int64) error {
	pins, err := list(ctx, b.t, func(s scanner) (p holder, err error) {
		p.started, err = scanStarted(scanWith{s, []any{&p.how, &p.closed, &p.signed}})
		return p, err
	}, `SELECT `+prefixed("j", startedColumns)+`, r.state, r.outcome, EXISTS (SELECT 1 FROM signed_result s WHERE s.request = r.id)
		FROM request r JOIN job j ON j.request = r.id AND j.answers = 1
		WHERE r.closed_final = 0 AND r.close_block <> '' AND r.close_height <= ? AND j.started = 1 AND j.kind IN (?, ?) AND NOT `+asAnswered,
		final, string(job.KindPin), string(job.KindPrepare))
	if err != nil {
		return err
	}
	for _, p := range pins {
		if why := p.release(); why != "" {
			if err := b.undo(ctx, p.started, why); err != nil {
				return err
			}
		}
	}
	return nil
}

// asAnswered is true of what most pins are, by release to be kept: done, and answered as
// it was done.
const asAnswered = "(r.state = 'answered' AND j.state || '' IN ('done', 'settled', 'orphaned') AND j.outcome = r.outcome)"

// holder is a pin whose request's closing becomes final.
type holder struct {
	started
	how    chain.RequestState
	closed job.Outcome // as the chain has it
	signed bool        // a result of ours was signed for it
}

// release says why what the pin holds is to be dropped, "" when it is kept.
func (p holder) release() string {
	switch {
	case p.how == chain.RequestRefunded:
		return "refunded"
	case p.State == job.Done || p.State == job.Settled || p.State == job.Orphaned:
		if p.Outcome == job.Succeeded && p.closed == job.Failed {
			return "refunded"
		}
		return ""
	case p.signed && p.closed == job.Succeeded:
		return "" // our own answer, sent again after a deep reorg, came before the job was done again
	default:
		return "cancelled"
	}
}
