package bucket

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// Drop ends what ref asked for. An item that nobody else asked for leaves a bucket
// that is still open; from then on its piece stays by policy.
func (s *Shelf) Drop(ctx context.Context, ref string) error {
	left, err := s.d.Ledger.DropItemRef(ctx, ref)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	for _, it := range left {
		if err := s.letGo(ctx, it); err != nil {
			return err
		}
	}
	return nil
}

// Clean takes a piece off offer and gives back what is held for it.
func (s *Shelf) Clean(ctx context.Context, id int64) error {
	b, err := s.d.Ledger.Bucket(ctx, id)
	if err != nil {
		return err
	}
	if err := s.d.Ledger.CleanBucket(ctx, id, s.d.Now()); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // what is off offer is given back, whoever stops waiting
	items, err := s.d.Ledger.BucketItems(ctx, id)
	if err != nil {
		return err
	}
	for _, it := range items {
		if err := s.letGo(ctx, it); err != nil {
			return err
		}
	}
	if err := s.removeFiles(ctx, b.Piece); err != nil {
		return err
	}
	s.lay.forget(bucketKey(id))
	s.d.Log.Info("a piece is no longer on offer", "bucket", id, "piece", b.Piece, "items", len(items))
	return nil
}

func (s *Shelf) cleanOld(ctx context.Context, now time.Time) error {
	due, err := s.d.Ledger.OverdueBuckets(ctx, now.Add(-s.cfg.Keep), now)
	if err != nil {
		return err
	}
	for _, b := range due {
		if err := s.Clean(ctx, b.ID); err != nil {
			return err
		}
	}
	return nil
}

// letGo gives back the blocks and files of an item, unless it is on the shelf
// again.
func (s *Shelf) letGo(ctx context.Context, it job.Item) error {
	unlock, err := s.one.lock(ctx, it.Root)
	if err != nil {
		return err
	}
	defer unlock()
	wanted, err := s.wanted(ctx, it.Piece)
	if err != nil || wanted {
		return err
	}
	if err := s.d.Node.Release(ctx, refOf(it.Root)); err != nil {
		return fmt.Errorf("letting go of %s: %w", it.Root, err)
	}
	s.lay.forget(it.Root)
	return s.removeFiles(ctx, it.Piece)
}

// wanted tells whether an item is on the shelf.
func (s *Shelf) wanted(ctx context.Context, piece string) (bool, error) {
	it, err := s.d.Ledger.Item(ctx, piece)
	if errors.Is(err, job.ErrNotFound) {
		return false, nil
	}
	if err != nil || it.State == job.ItemBad {
		return err == nil, err
	}
	b, err := s.d.Ledger.Bucket(ctx, it.Bucket)
	return err == nil && b.State != job.BucketCleaned, err
}

// sweep mends what a crash has left: blocks held for no item, files that no row
// knows or that were not completed, rows whose file is gone.
func (s *Shelf) sweep(ctx context.Context) error {
	items, err := s.d.Ledger.ItemRoots(ctx)
	if err != nil {
		return err
	}
	roots := make(map[string]bool, len(items))
	for _, root := range items {
		roots[root] = true
	}
	refs, err := s.d.Node.Refs(ctx, refPrefix)
	if err != nil {
		return fmt.Errorf("listing what is held for items: %w", err)
	}
	freed := 0
	for _, ref := range refs {
		if roots[strings.TrimPrefix(ref, refPrefix)] {
			continue
		}
		if err := s.d.Node.Release(ctx, ref); err != nil {
			return fmt.Errorf("letting go of %s: %w", ref, err)
		}
		freed++
	}
	removed, err := s.sweepFiles(ctx, items)
	if freed+removed > 0 {
		s.d.Log.Info("mended what the daemon before left of pieces", "freed", freed, "files", removed)
	}
	return err
}

func (s *Shelf) sweepFiles(ctx context.Context, items map[string]string) (removed int, err error) {
	rows, err := s.d.Ledger.PieceFiles(ctx, "")
	if err != nil {
		return 0, err
	}
	known := make(map[string]bool, len(rows))
	for _, row := range rows {
		keep := row.Complete
		if keep {
			if keep, err = s.stays(ctx, row, items); err != nil {
				return removed, err
			}
		}
		if !keep {
			if err := s.remove(ctx, row.Name); err != nil {
				return removed, err
			}
			removed++
			continue
		}
		known[row.Name] = true
	}
	entries, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		return removed, fmt.Errorf("reading the piece directory: %w", err)
	}
	for _, e := range entries {
		if known[e.Name()] {
			continue
		}
		if err := os.RemoveAll(s.path(e.Name())); err != nil {
			return removed, fmt.Errorf("removing what no row knows: %w", err)
		}
		removed++
	}
	return removed, nil
}

// stays tells whether a complete file is there, and of something on the shelf.
func (s *Shelf) stays(ctx context.Context, row job.PieceFile, items map[string]string) (bool, error) {
	info, err := os.Stat(s.path(row.Name))
	if err != nil || uint64(info.Size()) != row.Size {
		return false, nil
	}
	if _, ok := items[row.Piece]; ok {
		return true, nil
	}
	_, err = s.d.Ledger.BucketOf(ctx, row.Piece)
	if errors.Is(err, job.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
