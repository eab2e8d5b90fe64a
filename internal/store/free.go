package store

import (
	"context"
	"fmt"
)

// FreeLeases makes every job that owner holds available again, gives the
// attempts back and voids what owner may still write: for a daemon that starts
// and knows, by the lock on its data directory, that no other of its name runs.
// It tells how many there were.
func (s *Store) FreeLeases(ctx context.Context, owner string) (freed int64, err error) {
	err = s.write(ctx, func(ctx context.Context, t conn) error {
		freed, err = exec(ctx, t, "UPDATE job SET state = 'available', attempt = CASE WHEN attempt > 0 THEN attempt - 1 ELSE 0 END, fence = fence + 1"+unleased+
			" WHERE state = 'running' AND lease_owner = ?", ms(s.now()), owner)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("freeing the leases of %s: %w", owner, err)
	}
	return freed, nil
}
