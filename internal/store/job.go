package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// InsertJob adds a job. When its key exists already the stored job comes back,
// unchanged, with false.
func (s *Store) InsertJob(ctx context.Context, n job.New, now time.Time) (j job.Job, inserted bool, err error) {
	if err := checkNew(n); err != nil {
		return job.Job{}, false, fmt.Errorf("inserting a job: %w", err)
	}
	err = s.write(ctx, func(ctx context.Context, t conn) error {
		var h heights
		if err := t.QueryRowContext(ctx, "SELECT coalesce(max(soft), 0), coalesce(max(final), 0) FROM cursor").Scan(&h.soft, &h.final); err != nil {
			return err
		}
		var known bool
		if j, known, err = jobByKey(ctx, t, n.Key); err != nil || known {
			return err
		}
		_, err := exec(ctx, t, "INSERT INTO "+jobInsert+" VALUES "+marks(jobInsertCols), jobValues(nil, n, job.Available, h, ms(now))...)
		if err != nil {
			return err
		}
		inserted = true
		j, _, err = jobByKey(ctx, t, n.Key)
		return err
	})
	if isUnique(err) {
		err = fmt.Errorf("another job answers request %s: %w", n.Request, job.ErrConflict)
	}
	if err != nil {
		return job.Job{}, false, fmt.Errorf("inserting job %s: %w", n.Key, err)
	}
	return j, inserted, nil
}

// jobByKey finds a job: one that answers a request by that, all others by their keys.
func jobByKey(ctx context.Context, t conn, key string) (job.Job, bool, error) {
	if strings.HasPrefix(key, answerPrefix) {
		return one(ctx, t, scanJob, "SELECT "+jobColumns+" FROM job WHERE request = ? AND answers = 1 AND key = ?", answered(key), key)
	}
	return one(ctx, t, scanJob, "SELECT "+jobColumns+" FROM job WHERE key = ? AND answers = 0", key)
}

func jobWithID(ctx context.Context, t conn, id int64) (job.Job, error) {
	j, ok, err := one(ctx, t, scanJob, "SELECT "+jobColumns+" FROM job WHERE id = ?", id)
	if err == nil && !ok {
		err = job.ErrNotFound
	}
	return j, err
}

// Job gives one job, or job.ErrNotFound.
func (s *Store) Job(ctx context.Context, id int64) (j job.Job, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		j, err = jobWithID(ctx, t, id)
		return err
	})
	if err != nil {
		return job.Job{}, fmt.Errorf("reading job %d: %w", id, err)
	}
	return j, nil
}

// JobByKey gives one job, or job.ErrNotFound.
func (s *Store) JobByKey(ctx context.Context, key string) (j job.Job, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		var ok bool
		if j, ok, err = jobByKey(ctx, t, key); err == nil && !ok {
			err = job.ErrNotFound
		}
		return err
	})
	if err != nil {
		return job.Job{}, fmt.Errorf("reading job %s: %w", key, err)
	}
	return j, nil
}

// JobDetail gives what the handler had to say to people (job.Result.Detail), or
// job.ErrNotFound.
func (s *Store) JobDetail(ctx context.Context, id int64) (detail []byte, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		d, ok, err := one(ctx, t, value[string], "SELECT detail FROM job WHERE id = ?", id)
		if err == nil && !ok {
			return job.ErrNotFound
		}
		detail = []byte(d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the detail of job %d: %w", id, err)
	}
	return detail, nil
}

// Jobs lists jobs, newest first.
func (s *Store) Jobs(ctx context.Context, f job.Filter) (out []job.Job, err error) {
	q, args := "SELECT "+jobColumns+" FROM job WHERE 1 = 1", []any{}
	if f.Kind != "" {
		q, args = q+" AND kind = ?", append(args, string(f.Kind))
	}
	if f.State != "" {
		q, args = q+" AND state = ?", append(args, string(f.State))
	}
	if f.Request != "" {
		id := strings.ToLower(f.Request) // each half has its own partial index
		q += " AND id IN (SELECT id FROM job WHERE answers = 1 AND request = ? UNION ALL SELECT id FROM job WHERE answers = 0 AND request <> '' AND request = ?)"
		args = append(args, id, id)
	}
	if f.Before > 0 {
		q, args = q+" AND id < ?", append(args, f.Before)
	}
	q, args = q+" ORDER BY id DESC LIMIT ?", append(args, limit(f.Limit))
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, scanJob, q, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing jobs: %w", err)
	}
	return out, nil
}

// JobCounts counts jobs by kind and state.
func (s *Store) JobCounts(ctx context.Context) (map[job.Kind]map[job.State]int64, error) {
	type row struct {
		kind  job.Kind
		state job.State
		n     int64
	}
	out := map[job.Kind]map[job.State]int64{}
	err := s.view(ctx, func(ctx context.Context, t conn) error {
		rows, err := list(ctx, t, func(s scanner) (r row, err error) {
			err = s.Scan(&r.kind, &r.state, &r.n)
			return r, err
		}, "SELECT kind, state, count(*) FROM job GROUP BY state, kind")
		for _, r := range rows {
			if out[r.kind] == nil {
				out[r.kind] = map[job.State]int64{}
			}
			out[r.kind][r.state] = r.n
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("counting jobs: %w", err)
	}
	return out, nil
}

// RetryNow lets a person start a job again: a dead, retrying, snoozed or
// cancelled one becomes available at once, the first and last with all its
// attempts. It returns job.ErrConflict for any other state, and when the chain no
// longer asks for the job.
func (s *Store) RetryNow(ctx context.Context, id int64, now time.Time) (j job.Job, err error) {
	err = s.write(ctx, func(ctx context.Context, t conn) error {
		if j, err = jobWithID(ctx, t, id); err != nil {
			return err
		}
		switch j.State {
		case job.Retrying, job.Snoozed:
			_, err = exec(ctx, t, "UPDATE job SET state = 'available', due = 0, run_at = ?, updated = ? WHERE id = ?", ms(now), ms(now), id)
		case job.Dead, job.Cancelled:
			if err := stillAsked(ctx, t, j); err != nil {
				return err
			}
			if err = revive(ctx, t, id, ms(now), ms(now)); err == nil {
				err = cancelUndo(ctx, t, j.Key, ms(now))
			}
		default:
			return fmt.Errorf("it is %s: %w", j.State, job.ErrConflict)
		}
		if err != nil {
			return err
		}
		j, err = jobWithID(ctx, t, id)
		return err
	})
	if err != nil {
		return job.Job{}, fmt.Errorf("retrying job %d: %w", id, err)
	}
	return j, nil
}

// stillAsked fails when the job's request is off the chain or closed, and for
// the compensation of a job that is wanted again.
func stillAsked(ctx context.Context, t conn, j job.Job) error {
	if parent, undoes := strings.CutPrefix(j.Key, job.CompensationKey("")); undoes && j.State == job.Cancelled {
		p, found, err := jobByKey(ctx, t, parent)
		if err == nil && found && (!p.State.Ended() || p.State == job.Done) {
			return fmt.Errorf("it undoes %s, which is %s: %w", parent, p.State, job.ErrConflict)
		}
		return err
	}
	if j.Request == "" || !strings.HasPrefix(j.Key, answerPrefix) {
		return nil
	}
	state, found, err := one(ctx, t, value[chain.RequestState], "SELECT state FROM request WHERE id = ?", j.Request)
	if err == nil && found && state != chain.RequestOpen {
		return fmt.Errorf("its request is %s: %w", state, job.ErrConflict)
	}
	return err
}

// DropJob lets a person cancel a job that is not done; what a pin holds already
// is released. The request, if any, stays open until it is refunded. It returns
// job.ErrConflict for a job that has ended otherwise.
func (s *Store) DropJob(ctx context.Context, id int64, now time.Time) error {
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		j, ok, err := one(ctx, t, scanStarted, "SELECT "+startedColumns+" FROM job WHERE id = ?", id)
		switch {
		case err != nil:
			return err
		case !ok:
			return job.ErrNotFound
		case j.State == job.Cancelled:
			return nil
		case !job.CanMove(j.State, job.Cancelled):
			return fmt.Errorf("it is %s: %w", j.State, job.ErrConflict)
		}
		if err := withdraw(ctx, t, id, job.Cancelled, ms(now)); err != nil || !j.mayHold() {
			return err
		}
		return scheduleUndo(ctx, t, j, ms(now), "cancelled", ms(now), func(job.Kind) {})
	})
	if err != nil {
		return fmt.Errorf("dropping job %d: %w", id, err)
	}
	return nil
}
