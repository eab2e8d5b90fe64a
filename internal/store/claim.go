package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// Claiming costs the same with ten rows as with a million. A job whose run_at
// has passed is marked due by the next claim of its kind (dueAhead rows a claim,
// oldest first), and the turn table counts due and running jobs per requester.
// The next job is then the first of an index walk: class, fewest running, longest
// unserved, age. Only what is blocked, because its counterpart runs or its
// content is on another node, is stepped over, at most turnsAhead requesters and
// rowsAhead rows of each; what lies beyond waits for a later claim.
const (
	expiredAhead = 64
	dueAhead     = 256
	turnsAhead   = 64
	rowsAhead    = 64
)

const claimable = "state IN ('available', 'retrying', 'snoozed')"

// Claim leases the best due job of a kind: lowest class first, then the
// requester with the fewest running jobs of that kind and, among these, the one
// that was served longest ago, then the oldest. Jobs whose lease ran out count as
// due. A job is passed over while its compensation, or the job it compensates,
// runs. The claim spends an attempt and grows the fence. False when nothing is
// due.
func (s *Store) Claim(ctx context.Context, r job.ClaimRequest) (j job.Job, ok bool, err error) {
	if r.Owner == "" || r.Lease <= 0 {
		return job.Job{}, false, fmt.Errorf("claiming a %s job: an owner and a lease are needed", r.Kind)
	}
	if r.NodeID == "" {
		r.NodeID = s.cfg.NodeID
	}
	if s.postgres {
		err = s.markBefore(ctx, r)
	}
	if err == nil {
		err = s.writeBeside(ctx, func(ctx context.Context, t conn) error {
			j, ok, err = s.claim(ctx, t, r)
			return err
		})
	}
	if err != nil {
		return job.Job{}, false, fmt.Errorf("claiming a %s job: %w", r.Kind, err)
	}
	return j, ok, nil
}

func (s *Store) claim(ctx context.Context, t conn, r job.ClaimRequest) (j job.Job, ok bool, err error) {
	choose := pickLocked
	if !s.postgres {
		choose = pick
		if err := markDue(ctx, t, r); err != nil {
			return j, false, err
		}
	}
	id, found, err := choose(ctx, t, r)
	if err != nil || !found {
		return j, false, err
	}
	j, ok, err = one(ctx, t, scanJob, `UPDATE job SET state = 'running', due = 0, started = 1, attempt = attempt + 1, fence = fence + 1,
		claim_node = ?, lease_owner = ?, lease_until = ?, updated = ? WHERE id = ? RETURNING `+jobColumns,
		r.NodeID, r.Owner, ms(r.Now.Add(r.Lease)), ms(r.Now), id)
	if err != nil {
		return j, false, err
	}
	_, err = exec(ctx, t, "UPDATE turn SET served = (SELECT coalesce(max(served), 0) + 1 FROM turn WHERE kind = ?) WHERE kind = ? AND requester = ?",
		string(j.Kind), string(j.Kind), j.Requester)
	return j, ok, err
}

const (
	expired = "FROM job WHERE kind = ? AND state = 'running' AND lease_until <= ?"
	timely  = "FROM job WHERE kind = ? AND ready = 1 AND due = 0 AND " + claimable + " AND run_at <= ? AND node_id IN ('', ?)"
)

func unmarked(ctx context.Context, t conn, r job.ClaimRequest) (isExpired, isTimely bool, err error) {
	kind, now := string(r.Kind), ms(r.Now)
	err = t.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 "+expired+"), EXISTS (SELECT 1 "+timely+")", kind, now, kind, now, r.NodeID).Scan(&isExpired, &isTimely)
	return isExpired, isTimely, err
}

// markBefore marks in a transaction of its own, among the writers: it writes many
// rows, which beside others would be locked in any order.
func (s *Store) markBefore(ctx context.Context, r job.ClaimRequest) error {
	var found bool
	err := s.view(ctx, func(ctx context.Context, t conn) error {
		isExpired, isTimely, err := unmarked(ctx, t, r)
		found = isExpired || isTimely
		return err
	})
	if err != nil || !found {
		return err
	}
	return s.write(ctx, func(ctx context.Context, t conn) error { return markDue(ctx, t, r) })
}

// markDue takes back expired leases and marks rows whose time has come. Most
// claims find neither, and looking is cheaper than writing nothing.
func markDue(ctx context.Context, t conn, r job.ClaimRequest) error {
	kind, now := string(r.Kind), ms(r.Now)
	isExpired, isTimely, err := unmarked(ctx, t, r)
	if err != nil {
		return err
	}
	if isExpired {
		if _, err := exec(ctx, t, "UPDATE job SET state = 'available', lease_owner = '', lease_until = 0 WHERE id IN (SELECT id "+expired+" ORDER BY lease_until LIMIT ?)",
			kind, now, expiredAhead); err != nil {
			return err
		}
	}
	if isExpired || isTimely {
		_, err = exec(ctx, t, "UPDATE job SET due = 1 WHERE id IN (SELECT id "+timely+" ORDER BY run_at LIMIT ?)", kind, now, r.NodeID, dueAhead)
	}
	return err
}

// turn is a requester with due jobs of a class.
type turn struct {
	class     int
	requester string
}

func turns(ctx context.Context, t conn, kind job.Kind) ([]turn, error) {
	return list(ctx, t, func(s scanner) (v turn, err error) {
		err = s.Scan(&v.class, &v.requester)
		return v, err
	}, "SELECT class, requester FROM turn WHERE kind = ? AND due > 0 ORDER BY class, running, served, requester LIMIT ?", string(kind), turnsAhead)
}

// unblocked is true of a job whose compensation, or which it compensates, is not
// running.
const unblocked = `NOT EXISTS (SELECT 1 FROM job AS parent WHERE parent.request = j.request AND parent.answers = 1
		AND parent.state = 'running' AND j.key = 'comp:' || parent.key)
	AND NOT EXISTS (SELECT 1 FROM job AS other WHERE other.state = 'running' AND other.answers = 0
		AND other.key = CASE WHEN substr(j.key, 1, 5) = 'comp:' THEN substr(j.key, 6) ELSE 'comp:' || j.key END)`

// pick walks the turns and gives the first job that nothing blocks.
func pick(ctx context.Context, t conn, r job.ClaimRequest) (int64, bool, error) {
	turns, err := turns(ctx, t, r.Kind)
	if err != nil {
		return 0, false, err
	}
	for _, v := range turns {
		id, found, err := one(ctx, t, value[int64], `SELECT id FROM (SELECT id, key, request, node_id, run_at FROM job
				WHERE kind = ? AND class = ? AND requester = ? AND due = 1 ORDER BY run_at, id LIMIT ?) AS j
			WHERE node_id IN ('', ?) AND `+unblocked+` ORDER BY run_at, id LIMIT 1`, string(r.Kind), v.class, v.requester, rowsAhead, r.NodeID)
		if err != nil || found {
			return id, found, err
		}
	}
	return 0, false, nil
}

// DueKinds lists the kinds in which a claim may find something at now.
func (s *Store) DueKinds(ctx context.Context, now time.Time) (kinds []job.Kind, err error) {
	// each step of the walk is one seek to the next kind of an index
	const walk = `WITH RECURSIVE k(kind) AS (
		SELECT min(kind) FROM job WHERE %[1]s
		UNION ALL SELECT (SELECT min(kind) FROM job WHERE %[1]s AND job.kind > k.kind) FROM k WHERE k.kind IS NOT NULL)
		SELECT kind FROM k WHERE kind IS NOT NULL AND EXISTS (SELECT 1 FROM job WHERE %[1]s AND job.kind = k.kind %[2]s)`
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		seen := map[job.Kind]bool{}
		for _, q := range []string{
			fmt.Sprintf(walk, "ready = 1 AND due = 0 AND "+claimable, "AND run_at <= ?"),
			fmt.Sprintf(walk, "due = 1", "AND CAST(? AS BIGINT) > 0"),
			fmt.Sprintf(walk, "state = 'running'", "AND lease_until <= ?"),
		} {
			found, err := list(ctx, t, value[job.Kind], q, ms(now))
			if err != nil {
				return err
			}
			for _, k := range found {
				if !seen[k] {
					seen[k], kinds = true, append(kinds, k)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for due jobs: %w", err)
	}
	return kinds, nil
}

// fenced runs one UPDATE of a running job under its fence and tells a stale
// fence from a job that never was.
func (s *Store) fenced(ctx context.Context, doing string, id, fence int64, set string, args ...any) error {
	err := s.writeBeside(ctx, func(ctx context.Context, t conn) error {
		return fencedJob(ctx, t, id, fence, set, args...)
	})
	if err != nil {
		return fmt.Errorf("%s job %d: %w", doing, id, err)
	}
	return nil
}

func fencedJob(ctx context.Context, t conn, id, fence int64, set string, args ...any) error {
	n, err := exec(ctx, t, "UPDATE job SET "+set+" WHERE id = ? AND fence = ? AND state = 'running'", append(args, id, fence)...)
	if err != nil || n == 1 {
		return err
	}
	return fencedOrGone(ctx, t, id)
}

// fencedOrGone tells why a write under a fence met no row.
func fencedOrGone(ctx context.Context, t conn, id int64) error {
	_, found, err := one(ctx, t, value[int64], "SELECT fence FROM job WHERE id = ?", id)
	switch {
	case err != nil:
		return err
	case found:
		return job.ErrFenced
	default:
		return job.ErrNotFound
	}
}

const unleased = ", lease_owner = '', lease_until = 0, updated = ?"

// Heartbeat extends the lease of a running job and stores its progress. It
// returns job.ErrFenced when the job was taken away: stop working on it.
func (s *Store) Heartbeat(ctx context.Context, id, fence int64, lease time.Duration, now time.Time, p job.Progress) error {
	progress, err := encodeProgress(p)
	if err != nil {
		return fmt.Errorf("extending the lease of job %d: %w", id, err)
	}
	return s.fenced(ctx, "extending the lease of", id, fence, "lease_until = ?, progress = ?, updated = ?", ms(now.Add(lease)), progress, ms(now))
}

// RetryJob puts a failed attempt off to runAt.
func (s *Store) RetryJob(ctx context.Context, id, fence int64, runAt time.Time, lastErr string, p job.Progress) error {
	progress, err := encodeProgress(p)
	if err != nil {
		return fmt.Errorf("putting off job %d: %w", id, err)
	}
	return s.fenced(ctx, "putting off", id, fence, "state = 'retrying', run_at = ?, last_error = ?, progress = ?"+unleased, ms(runAt), lastErr, progress, ms(s.now()))
}

// SnoozeJob puts a job off to runAt and gives the attempt back.
func (s *Store) SnoozeJob(ctx context.Context, id, fence int64, runAt time.Time, why string) error {
	return s.fenced(ctx, "snoozing", id, fence, "state = 'snoozed', attempt = CASE WHEN attempt > 0 THEN attempt - 1 ELSE 0 END, run_at = ?, last_error = ?"+unleased, ms(runAt), why, ms(s.now()))
}

// ReleaseJob makes a running job available again and gives the attempt back: the
// daemon stops, nothing is wrong with the job.
func (s *Store) ReleaseJob(ctx context.Context, id, fence int64) error {
	return s.fenced(ctx, "releasing", id, fence, "state = 'available', attempt = CASE WHEN attempt > 0 THEN attempt - 1 ELSE 0 END"+unleased, ms(s.now()))
}

// KillJob gives a job up: it stays dead until a person retries or drops it.
func (s *Store) KillJob(ctx context.Context, id, fence int64, lastErr string) error {
	return s.fenced(ctx, "giving up", id, fence, "state = 'dead', last_error = ?"+unleased, lastErr, ms(s.now()))
}

// FinishJob ends a running job with a result, in one transaction: the job is
// done, its answer is pending (when it answers a request that still waits for
// one), and the release of held content is scheduled.
func (s *Store) FinishJob(ctx context.Context, id, fence int64, r job.Result, now time.Time) (out job.Committed, err error) {
	if err := checkResult(r); err != nil {
		return job.Committed{}, fmt.Errorf("finishing job %d: %w", id, err)
	}
	progress, err := encodeProgress(r.Progress)
	if err != nil {
		return job.Committed{}, fmt.Errorf("finishing job %d: %w", id, err)
	}
	node := ""
	if r.Held {
		node = r.NodeID
	}
	err = s.writeBeside(ctx, func(ctx context.Context, t conn) error {
		var answers bool
		out = job.Committed{}
		j, ok, err := one(ctx, t, func(s scanner) (started, error) { return scanStarted(scanWith{s, []any{&answers}}) }, `UPDATE job SET
				state = 'done', outcome = ?, reason = ?, detail = ?, progress = ?, last_error = '', node_id = CASE WHEN ? <> '' THEN ? ELSE node_id END`+unleased+`
			WHERE id = ? AND fence = ? AND state = 'running' RETURNING `+startedColumns+", answers",
			int64(r.Outcome), int64(r.Reason), string(r.Detail), progress, node, node, ms(now), id, fence)
		if err != nil {
			return err
		}
		if !ok {
			return fencedOrGone(ctx, t, id)
		}
		if err := finish(ctx, t, j, answers, r, now, &out); err != nil {
			return err
		}
		if j.Kind != job.KindUnpin {
			return nil
		}
		return elsewhere(ctx, t, id, ms(now))
	})
	if err != nil {
		return job.Committed{}, fmt.Errorf("finishing job %d: %w", id, err)
	}
	return out, nil
}

func checkResult(r job.Result) error {
	switch {
	case r.Outcome != job.Succeeded && r.Outcome != job.Failed:
		return fmt.Errorf("a result needs an outcome, not %d", r.Outcome)
	case (r.Outcome == job.Failed) != (r.Reason != job.ReasonNone):
		return fmt.Errorf("outcome %s with reason %q", r.Outcome, r.Reason)
	case len(r.Answer) > 1024:
		return fmt.Errorf("the answer has %d bytes, at most 1024 go on chain", len(r.Answer))
	case r.Held && r.NodeID == "":
		return fmt.Errorf("content is held, but by no node")
	}
	return nil
}

// finish does what follows from a job that has just become done.
func finish(ctx context.Context, t conn, j started, answers bool, r job.Result, now time.Time, out *job.Committed) error {
	if answers {
		gone, _, err := one(ctx, t, value[string], "SELECT state FROM request WHERE id = ? AND (state = 'retracted' OR closed_final = 1)", j.Request)
		if err != nil {
			return err
		}
		if gone == "answered" && r.Outcome == job.Succeeded {
			// our own answer came before the job was done again: what it says stays true
			n, err := exec(ctx, t, "UPDATE job SET state = 'settled' WHERE id = ? AND "+kept, j.ID)
			if err != nil {
				return err
			}
			answers = n == 0
		}
		if gone != "" && answers { // nobody waits for it
			if !r.Held {
				return nil
			}
			return scheduleUndo(ctx, t, j, ms(now), gone, ms(now), func(k job.Kind) { out.Ready = append(out.Ready, k) })
		}
	}
	if r.Held && !r.ReleaseAt.IsZero() {
		if err := scheduleExpiry(ctx, t, j, ms(r.ReleaseAt), ms(now)); err != nil {
			return err
		}
	}
	if !answers {
		return nil
	}
	notBefore := now
	if r.Outcome == job.Failed && r.Reason != job.ReasonInvalidContent && j.NotBefore.After(now) {
		notBefore = j.NotBefore
	}
	out.Answer = true
	return putAnswer(ctx, t, j, r, ms(notBefore), ms(now))
}

// putAnswer stores what a job that is done answers. After a deep reorg a job is done again
// while a batch may still have the answer of its earlier life: the row stays with that
// batch, which keeps what was sealed, and says the newer from when the batch lets it go.
func putAnswer(ctx context.Context, t conn, j started, r job.Result, notBefore, now int64) error {
	n, err := exec(ctx, t, `INSERT INTO answer (job, request, outcome, reason, result, state, not_before, deadline, created, updated)
		VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?)
		ON CONFLICT (job) DO UPDATE SET outcome = excluded.outcome, reason = excluded.reason, result = excluded.result,
			not_before = excluded.not_before, deadline = excluded.deadline, updated = excluded.updated
		WHERE answer.state IN ('pending', 'sealed')`,
		j.ID, j.Request, int64(r.Outcome), int64(r.Reason), blob(r.Answer), notBefore, ms(j.Deadline), now, now)
	if err == nil && n != 1 {
		return fmt.Errorf("the answer to %s is over: %w", j.Request, job.ErrConflict)
	}
	return err
}
