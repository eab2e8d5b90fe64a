package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// Lease says who leads: at most one owner at a time, until a moment. A new owner
// has a higher fence.
type Lease struct {
	Name  string    `json:"name"`
	Owner string    `json:"owner"` // "" when it was given back
	Until time.Time `json:"until"`
	Fence int64     `json:"fence"`
}

// AcquireLease takes or extends the lease of a name. A new owner gets a higher
// fence, which voids all that is still to be written Under an older one. It
// returns job.ErrFenced while another owner's lease is live.
func (s *Store) AcquireLease(ctx context.Context, name, owner string, length time.Duration, now time.Time) (fence int64, err error) {
	if name == "" || owner == "" || length <= 0 {
		return 0, fmt.Errorf("leasing %q: a name, an owner and a length are needed", name)
	}
	err = s.write(ctx, func(ctx context.Context, t conn) error {
		l, found, err := one(ctx, t, scanLease, "SELECT name, owner, until, fence FROM lease WHERE name = ?", name)
		switch {
		case err != nil:
			return err
		case l.Owner != owner && l.Owner != "" && l.Until.After(now):
			return fmt.Errorf("%s holds it until %s: %w", l.Owner, l.Until.Format(time.RFC3339), job.ErrFenced)
		case l.Owner != owner:
			l.Fence++
		}
		fence = l.Fence
		if !found {
			_, err = exec(ctx, t, "INSERT INTO lease (name, owner, until, fence) VALUES (?, ?, ?, ?)", name, owner, ms(now.Add(length)), fence)
			return err
		}
		_, err = exec(ctx, t, "UPDATE lease SET owner = ?, until = ?, fence = ? WHERE name = ?", owner, ms(now.Add(length)), fence, name)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("leasing %s: %w", name, err)
	}
	return fence, nil
}

func scanLease(s scanner) (l Lease, err error) {
	var until int64
	err = s.Scan(&l.Name, &l.Owner, &until, &l.Fence)
	l.Until = at(until)
	return l, err
}

// SenderLease begins the name of a sending key's lease in Leases; its address follows.
const SenderLease = "sender "

// Leases lists who leads what, the keys that send among them, by name.
func (s *Store) Leases(ctx context.Context) (out []Lease, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, scanLease, `SELECT name, owner, until, fence FROM lease
			UNION ALL SELECT '`+SenderLease+`' || address, owner, until, fence FROM sender WHERE fence > 0 ORDER BY 1`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing leases: %w", err)
	}
	return out, nil
}

// lead is a lease under which is written.
type lead struct {
	name  string
	fence func() int64
}

// Under gives the same ledger for the work that a lease is needed for: each of its
// writes is applied only if fence, asked when the write begins, is the lease's
// newest; the check and the write are one transaction. Otherwise it changes
// nothing and returns job.ErrFenced. Reads are not bound.
func (s *Store) Under(lease string, fence func() int64) *Store {
	return &Store{core: s.core, lead: &lead{lease, fence}}
}

func (l *lead) check(ctx context.Context, t conn) error {
	mine := l.fence()
	newest, _, err := one(ctx, t, value[int64], "SELECT fence FROM lease WHERE name = ?", l.name)
	if err == nil && (mine == 0 || newest != mine) {
		err = fmt.Errorf("the fence of %s is %d, not %d: %w", l.name, newest, mine, job.ErrFenced)
	}
	return err
}

// owned picks the rows whose owner is a daemon, in any of its lives: the name
// alone, or the name and more after a slash. "" picks all that have an owner.
func owned(column, name string) (where string, args []any) {
	if name == "" {
		return column + " <> ''", nil
	}
	return "(" + column + " = ? OR substr(" + column + ", 1, " + fmt.Sprint(len(name)+1) + ") = ?)", []any{name, name + "/"}
}

// FreeLeases ends all that owner, or owner followed by a slash and anything,
// holds: its running jobs are available again with their attempts given back, what
// it leads and the keys that it sends with may be taken at once, and whatever it
// may still write is void. It is for a daemon that stops, and for one that starts
// and knows, by the lock on its data directory, that no other of its name runs.
// With "" it frees everyone's. It tells how many jobs there were.
func (s *Store) FreeLeases(ctx context.Context, owner string) (freed int64, err error) {
	if strings.HasSuffix(owner, "/") {
		return 0, errors.New("freeing leases: the owner's name ends in a slash")
	}
	err = s.writeFull(ctx, func(ctx context.Context, t conn) error {
		where, args := owned("lease_owner", owner)
		freed, err = exec(ctx, t, "UPDATE job SET state = 'available', attempt = CASE WHEN attempt > 0 THEN attempt - 1 ELSE 0 END, fence = fence + 1"+unleased+
			" WHERE state = 'running' AND "+where, append([]any{ms(s.now())}, args...)...)
		if err != nil {
			return err
		}
		where, args = owned("owner", owner)
		for _, table := range []string{"lease", "sender"} {
			if _, err := exec(ctx, t, "UPDATE "+table+" SET owner = '', until = 0, fence = fence + 1 WHERE "+where, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("freeing the leases of %q: %w", owner, err)
	}
	return freed, nil
}
