package store

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// AddSample stores a sample, and forgets those from before a time.
func (s *Store) AddSample(ctx context.Context, v job.Sample, forget time.Time) error {
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		if _, err := exec(ctx, t, "DELETE FROM sample WHERE at < ?", ms(forget)); err != nil {
			return err
		}
		_, err := exec(ctx, t, `INSERT INTO sample (miner, slot, piece, url, start, length, good, first_byte, took, words, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			int64(v.Miner), int64(v.Slot), v.Piece, v.URL, int64(v.Offset), int64(v.Length), flag(v.Good), v.FirstByte.Microseconds(), v.Took.Microseconds(), v.Words, ms(v.At))
		return err
	})
	if err != nil {
		return fmt.Errorf("storing a sample of miner %d: %w", v.Miner, err)
	}
	return nil
}

// Samples lists samples, newest first.
func (s *Store) Samples(ctx context.Context, f job.SampleFilter) (out []job.Sample, err error) {
	q, args := "SELECT miner, slot, piece, url, start, length, good, first_byte, took, words, at FROM sample WHERE at >= ?", []any{int64(0)}
	if !f.Since.IsZero() {
		args[0] = ms(f.Since)
	}
	if f.Miner != 0 {
		q, args = q+" AND miner = ?", append(args, int64(f.Miner))
	}
	q, args = q+" ORDER BY at DESC, id DESC LIMIT ?", append(args, limit(f.Limit))
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, func(s scanner) (v job.Sample, err error) {
			var first, took, when int64
			err = s.Scan(&v.Miner, &v.Slot, &v.Piece, &v.URL, &v.Offset, &v.Length, &v.Good, &first, &took, &v.Words, &when)
			v.FirstByte, v.Took, v.At = time.Duration(first)*time.Microsecond, time.Duration(took)*time.Microsecond, at(when)
			return v, err
		}, q, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing samples: %w", err)
	}
	return out, nil
}

// SampleDays sums samples up by provider and day, from a time on.
func (s *Store) SampleDays(ctx context.Context, since time.Time) (out []job.SampleDay, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, func(s scanner) (v job.SampleDay, err error) {
			var day, first int64
			err = s.Scan(&v.Miner, &day, &v.Good, &v.Bad, &first)
			v.Day = time.Unix(day*86400, 0).UTC()
			if v.Good > 0 {
				v.FirstByte = time.Duration(first) * time.Microsecond / time.Duration(v.Good)
			}
			return v, err
		}, `SELECT miner, at / 86400000, CAST(SUM(good) AS BIGINT), CAST(SUM(1 - good) AS BIGINT), CAST(SUM(good * first_byte) AS BIGINT)
			FROM sample WHERE at >= ? GROUP BY 1, 2 ORDER BY 1, 2`, ms(since))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("counting samples: %w", err)
	}
	return out, nil
}
