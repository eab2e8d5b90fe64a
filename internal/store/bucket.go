package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

func bucketWhere(ctx context.Context, t conn, id int64) (job.Bucket, error) {
	b, ok, err := one(ctx, t, scanBucket, "SELECT "+bucketColumns+" FROM bucket WHERE id = ?", id)
	if err == nil && !ok {
		err = job.ErrNotFound
	}
	return b, err
}

// Bucket gives one bucket, or job.ErrNotFound.
func (s *Store) Bucket(ctx context.Context, id int64) (b job.Bucket, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		b, err = bucketWhere(ctx, t, id)
		return err
	})
	if err != nil {
		return job.Bucket{}, fmt.Errorf("reading bucket %d: %w", id, err)
	}
	return b, nil
}

// BucketOf gives the ready bucket whose piece this is, or job.ErrNotFound.
func (s *Store) BucketOf(ctx context.Context, piece string) (b job.Bucket, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		var ok bool
		if b, ok, err = one(ctx, t, scanBucket, "SELECT "+bucketColumns+" FROM bucket WHERE piece = ? AND state = 'ready'", piece); err == nil && !ok {
			err = job.ErrNotFound
		}
		return err
	})
	if err != nil {
		return job.Bucket{}, fmt.Errorf("reading the bucket of piece %s: %w", piece, err)
	}
	return b, nil
}

// Buckets lists buckets, newest first.
func (s *Store) Buckets(ctx context.Context, f job.BucketFilter) (out []job.Bucket, err error) {
	q, args := "SELECT "+bucketColumns+" FROM bucket WHERE 1 = 1", []any{}
	if f.State != "" {
		q, args = q+" AND state = ?", append(args, string(f.State))
	}
	if f.Before > 0 {
		q, args = q+" AND id < ?", append(args, f.Before)
	}
	q, args = q+" ORDER BY id DESC LIMIT ?", append(args, limit(f.Limit))
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, scanBucket, q, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing buckets: %w", err)
	}
	return out, nil
}

// BucketSlots gives the manifest of a bucket that is or was ready.
func (s *Store) BucketSlots(ctx context.Context, id int64) (out []job.Slot, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, func(s scanner) (v job.Slot, err error) {
			err = s.Scan(&v.Position, &v.Offset, &v.Piece, &v.Root, &v.Padded, &v.CARSize)
			return v, err
		}, `SELECT position, "offset", piece, root, padded, car FROM bucket_item WHERE bucket = ? ORDER BY position`, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the manifest of bucket %d: %w", id, err)
	}
	return out, nil
}

// FlushBuckets seals open buckets that hold items and were made before a time;
// with an id, that one alone. It tells which. A bucket that is not open, or
// empty, is left as it is.
func (s *Store) FlushBuckets(ctx context.Context, id int64, before time.Time, why string, now time.Time) (sealed []int64, err error) {
	q, args := `UPDATE bucket SET state = 'sealing', why = ?, updated = ? WHERE state = 'open' AND created <= ?
		AND EXISTS (SELECT 1 FROM item WHERE item.bucket = bucket.id)`, []any{why, ms(now), ms(before)}
	if id != 0 {
		q, args = q+" AND id = ?", append(args, id)
	}
	err = s.write(ctx, func(ctx context.Context, t conn) error {
		sealed, err = list(ctx, t, value[int64], q+" RETURNING id", args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("flushing buckets: %w", err)
	}
	return sealed, nil
}

// SealBucket makes a sealing bucket ready: its manifest is written and its items
// are placed, all at once. The slots must be the bucket's items, each once; else
// job.ErrConflict. Without slots, and when no item is left, the bucket is void.
func (s *Store) SealBucket(ctx context.Context, id int64, seal job.Seal, now time.Time) error {
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		items, err := list(ctx, t, value[string], "SELECT piece FROM item WHERE bucket = ?", id)
		if err != nil {
			return err
		}
		left := make(map[string]bool, len(items))
		for _, p := range items {
			left[p] = true
		}
		for _, slot := range seal.Slots {
			if !left[slot.Piece] {
				return fmt.Errorf("item %s is not in it, or twice in the manifest: %w", slot.Piece, job.ErrConflict)
			}
			delete(left, slot.Piece)
		}
		if len(left) > 0 {
			return fmt.Errorf("%d items are not in the manifest: %w", len(left), job.ErrConflict)
		}
		to := job.BucketReady
		if len(seal.Slots) == 0 {
			seal, to = job.Seal{}, job.BucketVoid
		}
		n, err := exec(ctx, t, "UPDATE bucket SET state = ?, manifest = ?, piece = ?, padded = ?, size = ?, updated = ? WHERE id = ? AND state = 'sealing'",
			string(to), seal.Manifest, seal.Piece, int64(seal.Padded), int64(seal.Size), ms(now), id)
		if err != nil {
			return err
		}
		if n != 1 {
			return fmt.Errorf("it is not sealing: %w", job.ErrConflict)
		}
		if err := addSlots(ctx, t, id, seal.Slots); err != nil {
			return err
		}
		_, err = exec(ctx, t, "UPDATE item SET state = 'placed', updated = ? WHERE bucket = ?", ms(now), id)
		return err
	})
	if isUnique(err) {
		err = fmt.Errorf("another bucket has the same piece %s: %w", seal.Piece, job.ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("sealing bucket %d: %w", id, err)
	}
	return nil
}

// CleanBucket takes a ready bucket off offer. What it held may then be given
// back. A bucket that is cleaned already is no error.
func (s *Store) CleanBucket(ctx context.Context, id int64, now time.Time) error {
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		b, err := bucketWhere(ctx, t, id)
		switch {
		case err != nil:
			return err
		case b.State == job.BucketCleaned:
			return nil
		case b.State != job.BucketReady:
			return fmt.Errorf("it is %s: %w", b.State, job.ErrConflict)
		}
		_, err = exec(ctx, t, "UPDATE bucket SET state = 'cleaned', updated = ? WHERE id = ?", ms(now), id)
		return err
	})
	if err != nil {
		return fmt.Errorf("cleaning bucket %d: %w", id, err)
	}
	return nil
}

// OverdueBuckets lists ready buckets that became so before a time and none of
// whose items is promised beyond now, oldest first.
func (s *Store) OverdueBuckets(ctx context.Context, before, now time.Time) (out []job.Bucket, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, scanBucket, "SELECT "+bucketColumns+` FROM bucket WHERE state = 'ready' AND updated <= ?
			AND NOT EXISTS (SELECT 1 FROM item WHERE item.bucket = bucket.id AND item.until > ?) ORDER BY id LIMIT ?`, ms(before), ms(now), maxLimit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for buckets to clean: %w", err)
	}
	return out, nil
}

// ---- files and tokens ----

// AddPieceFile says that a file is about to be written. One that was said before
// and is complete stays; otherwise it begins anew.
func (s *Store) AddPieceFile(ctx context.Context, f job.PieceFile, now time.Time) error {
	err := s.writeFull(ctx, func(ctx context.Context, t conn) error {
		_, err := exec(ctx, t, `INSERT INTO piece_file (name, bucket, piece, size, created) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET size = CASE WHEN piece_file.complete = 1 THEN piece_file.size ELSE excluded.size END`,
			f.Name, f.Bucket, f.Piece, int64(f.Size), ms(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("noting the file %s: %w", f.Name, err)
	}
	return nil
}

// CompletePieceFile says that a file is on disk, whole.
func (s *Store) CompletePieceFile(ctx context.Context, f job.PieceFile) error {
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		n, err := exec(ctx, t, "UPDATE piece_file SET complete = 1, size = ?, bucket = ?, piece = ? WHERE name = ?", int64(f.Size), f.Bucket, f.Piece, f.Name)
		if err == nil && n == 0 {
			err = job.ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("noting that the file %s is complete: %w", f.Name, err)
	}
	return nil
}

// DropPieceFile forgets a file that is gone from disk.
func (s *Store) DropPieceFile(ctx context.Context, name string) error {
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		_, err := exec(ctx, t, "DELETE FROM piece_file WHERE name = ?", name)
		return err
	})
	if err != nil {
		return fmt.Errorf("forgetting the file %s: %w", name, err)
	}
	return nil
}

// PieceFiles lists files; with a piece CID, that piece's.
func (s *Store) PieceFiles(ctx context.Context, piece string) (out []job.PieceFile, err error) {
	q, args := "SELECT name, bucket, piece, size, complete FROM piece_file", []any{}
	if piece != "" {
		q, args = q+" WHERE piece = ?", append(args, piece)
	}
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, func(s scanner) (f job.PieceFile, err error) {
			err = s.Scan(&f.Name, &f.Bucket, &f.Piece, &f.Size, &f.Complete)
			return f, err
		}, q, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing piece files: %w", err)
	}
	return out, nil
}

// AddPieceToken stores a token's hash and forgets those that have expired.
func (s *Store) AddPieceToken(ctx context.Context, p job.PieceToken, now time.Time) error {
	err := s.writeFull(ctx, func(ctx context.Context, t conn) error {
		if _, err := exec(ctx, t, "DELETE FROM piece_token WHERE expires <= ?", ms(now)); err != nil {
			return err
		}
		_, err := exec(ctx, t, "INSERT INTO piece_token (hash, piece, deal, expires, created) VALUES (?, ?, ?, ?, ?)", p.Hash, p.Piece, p.Deal, ms(p.Expires), ms(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("storing a token for %s: %w", p.Piece, err)
	}
	return nil
}

// PieceToken gives the token with a hash, or job.ErrNotFound.
func (s *Store) PieceToken(ctx context.Context, hash string) (p job.PieceToken, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		var ok bool
		p, ok, err = one(ctx, t, func(s scanner) (p job.PieceToken, err error) {
			var expires int64
			err = s.Scan(&p.Hash, &p.Piece, &p.Deal, &expires)
			p.Expires = at(expires)
			return p, err
		}, "SELECT hash, piece, deal, expires FROM piece_token WHERE hash = ?", hash)
		if err == nil && !ok {
			err = job.ErrNotFound
		}
		return err
	})
	if err != nil {
		return job.PieceToken{}, fmt.Errorf("reading a token: %w", err)
	}
	return p, nil
}
