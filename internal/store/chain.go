package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

func readCursor(ctx context.Context, t conn, filter string) (chain.Cursor, bool, error) {
	return one(ctx, t, func(s scanner) (c chain.Cursor, err error) {
		var tip, final string
		var updated int64
		err = s.Scan(&c.Filter, &c.Height, &tip, &c.Final, &final, &c.Soft, &c.Head, &c.Frozen, &updated)
		c.Hash, c.FinalHash, c.Updated = common.HexToHash(tip), common.HexToHash(final), at(updated)
		return c, err
	}, "SELECT filter, height, hash, final, final_hash, soft, head, frozen, updated FROM cursor WHERE filter = ?", filter)
}

// Cursor says how far a filter has been read; false before its first batch.
func (s *Store) Cursor(ctx context.Context, filter string) (c chain.Cursor, ok bool, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		c, ok, err = readCursor(ctx, t, filter)
		return err
	})
	if err != nil {
		return chain.Cursor{}, false, fmt.Errorf("reading the cursor of %s: %w", filter, err)
	}
	return c, ok, nil
}

// Coverage gives the heights that a filter has been read for, as ascending,
// disjoint, inclusive intervals that do not touch.
func (s *Store) Coverage(ctx context.Context, filter string) (spans [][2]uint64, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		spans, err = list(ctx, t, func(s scanner) (span [2]uint64, err error) {
			err = s.Scan(&span[0], &span[1])
			return span, err
		}, "SELECT lo, hi FROM coverage WHERE filter = ? ORDER BY lo", filter)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the coverage of %s: %w", filter, err)
	}
	return spans, nil
}

const blockColumns = "height, hash, parent, time"

func scanBlock(s scanner) (b chain.Block, err error) {
	var own, parent string
	var time int64
	err = s.Scan(&b.Height, &own, &parent, &time)
	b.Hash, b.Parent, b.Time = common.HexToHash(own), common.HexToHash(parent), at(time)
	return b, err
}

// BlocksFrom gives stored canonical blocks at or above height, ascending.
func (s *Store) BlocksFrom(ctx context.Context, height uint64, n int) (out []chain.Block, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, scanBlock, "SELECT "+blockColumns+" FROM block WHERE height >= ? ORDER BY height LIMIT ?", int64(height), limit(n))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading blocks from height %d: %w", height, err)
	}
	return out, nil
}

// BlockBelow gives the highest stored canonical block under height.
func (s *Store) BlockBelow(ctx context.Context, height uint64) (b chain.Block, ok bool, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		b, ok, err = one(ctx, t, scanBlock, "SELECT "+blockColumns+" FROM block WHERE height < ? ORDER BY height DESC LIMIT 1", int64(height))
		return err
	})
	if err != nil {
		return chain.Block{}, false, fmt.Errorf("reading the block below height %d: %w", height, err)
	}
	return b, ok, nil
}

// Freeze stops answers from being handed out until Unfreeze or AcceptReorg. The first
// reason is kept. final is the filter's final block as whoever freezes read it: once it is
// another one, because a person accepted the reorg meanwhile, what was seen says nothing
// any more, and nothing is frozen: job.ErrConflict.
func (s *Store) Freeze(ctx context.Context, filter string, final chain.Block, why string) error {
	if why == "" {
		return errors.New("freezing the money lane: a reason is needed")
	}
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		n, err := exec(ctx, t, `UPDATE cursor SET updated = CASE WHEN frozen = '' THEN ? ELSE updated END, frozen = CASE WHEN frozen = '' THEN ? ELSE frozen END
			WHERE filter = ? AND final = ? AND final_hash = ?`, ms(s.now()), why, filter, int64(final.Height), optional(final.Hash))
		if err == nil && n == 0 {
			err = fmt.Errorf("its final block is no longer %s: %w", final.ID(), job.ErrConflict)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("freezing the money lane of %s: %w", filter, err)
	}
	return nil
}

// Unfreeze lets answers go out again.
func (s *Store) Unfreeze(ctx context.Context, filter string) error {
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		_, err := exec(ctx, t, "UPDATE cursor SET frozen = '', updated = ? WHERE filter = ?", ms(s.now()), filter)
		return err
	})
	if err != nil {
		return fmt.Errorf("unfreezing the money lane of %s: %w", filter, err)
	}
	return nil
}

// Request gives one request, or job.ErrNotFound.
func (s *Store) Request(ctx context.Context, id common.Hash) (r chain.Request, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		var ok bool
		r, ok, err = one(ctx, t, scanRequest, "SELECT "+requestColumns+" FROM request WHERE id = ?", hash(id))
		if err == nil && !ok {
			return job.ErrNotFound
		}
		return err
	})
	if err != nil {
		return chain.Request{}, fmt.Errorf("reading request %s: %w", id, err)
	}
	return r, nil
}

// Requests lists requests, newest first.
func (s *Store) Requests(ctx context.Context, f chain.RequestFilter) (out []chain.Request, err error) {
	q, args := "SELECT "+requestColumns+" FROM request WHERE 1 = 1", []any{}
	if f.State != "" {
		q, args = q+" AND state = ?", append(args, string(f.State))
	}
	if f.Requester != (common.Address{}) {
		q, args = q+" AND requester = ?", append(args, address(f.Requester))
	}
	if f.BeforeSeq > 0 {
		q, args = q+" AND seq < ?", append(args, int64(f.BeforeSeq))
	}
	q, args = q+" ORDER BY seq DESC LIMIT ?", append(args, limit(f.Limit))
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, scanRequest, q, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing requests: %w", err)
	}
	return out, nil
}

// Logs lists logs, retracted ones too, in the order in which they were stored.
func (s *Store) Logs(ctx context.Context, f chain.LogFilter) (out []chain.StoredLog, err error) {
	q, args := "SELECT "+logColumns+" FROM log WHERE height >= ?", []any{int64(f.FromHeight)}
	if f.ToHeight > 0 {
		q, args = q+" AND height <= ?", append(args, int64(f.ToHeight))
	}
	if f.Address != (common.Address{}) {
		q, args = q+" AND address = ?", append(args, address(f.Address))
	}
	switch f.State {
	case "":
	case chain.LogSeen:
		q += " AND state = 'seen'" // as log_open has it: what is not final yet is little, all logs are many
	default:
		q, args = q+" AND state = ?", append(args, string(f.State))
	}
	if f.AfterID > 0 {
		q, args = q+" AND id > ?", append(args, f.AfterID)
	}
	q, args = q+" ORDER BY id LIMIT ?", append(args, limit(f.Limit))
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, scanLog, q, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing logs: %w", err)
	}
	return out, nil
}

// maxMissing bounds the list that SeqAudit gives.
const maxMissing = 1000

// SeqAudit compares a contract's own counter with what is stored: how many final
// logs carry a seq, which seqs below the highest are missing (from 0 on, at most
// 1000 of them), and the highest, -1 for none. The count is complete when
// count = max + 1 and max + 1 = the contract's nextSeq() at the final height.
func (s *Store) SeqAudit(ctx context.Context, contract common.Address) (count int64, missing []int64, highest int64, err error) {
	return s.SeqAuditFrom(ctx, contract, 0)
}

// SeqAuditFrom is SeqAudit of a contract that counted up to first before it was
// watched: what is below first is neither counted nor missing.
func (s *Store) SeqAuditFrom(ctx context.Context, contract common.Address, first int64) (count int64, missing []int64, highest int64, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		const final = " FROM log WHERE address = ? AND state = 'final' AND state <> 'retracted' AND seq IS NOT NULL AND seq >= ?" // as log_seq has it
		err := t.QueryRowContext(ctx, "SELECT count(*), coalesce(max(seq), -1)"+final, address(contract), first).Scan(&count, &highest)
		if highest = max(highest, first-1); err != nil || count == highest+1-first {
			return err
		}
		gaps, err := list(ctx, t, func(s scanner) (g [2]int64, err error) {
			err = s.Scan(&g[0], &g[1])
			return g, err
		}, "SELECT before, seq FROM (SELECT seq, lag(seq, 1, ?) OVER (ORDER BY seq) AS before"+final+") AS s WHERE seq > before + 1 ORDER BY seq LIMIT ?",
			first-1, address(contract), first, maxMissing)
		for _, g := range gaps {
			for m := g[0] + 1; m < g[1] && len(missing) < maxMissing; m++ {
				missing = append(missing, m)
			}
		}
		return err
	})
	if err != nil {
		return 0, nil, 0, fmt.Errorf("auditing the seqs of %s: %w", contract, err)
	}
	return count, missing, highest, nil
}

// SeqHeights gives the heights of the final logs with the next lower and the next
// higher seq that are stored, 0 for none: a missing one is between them.
func (s *Store) SeqHeights(ctx context.Context, contract common.Address, seq int64) (below, above uint64, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		const at = "SELECT coalesce((SELECT height FROM log WHERE address = ? AND state = 'final' AND state <> 'retracted' AND seq "
		return t.QueryRowContext(ctx, at+"< ? ORDER BY seq DESC LIMIT 1), 0), coalesce((SELECT height FROM log WHERE address = ?"+
			" AND state = 'final' AND state <> 'retracted' AND seq > ? ORDER BY seq LIMIT 1), 0)",
			address(contract), seq, address(contract), seq).Scan(&below, &above)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("reading the heights around seq %d of %s: %w", seq, contract, err)
	}
	return below, above, nil
}

// GetMeta reads a setting of the ledger, or job.ErrNotFound.
func (s *Store) GetMeta(ctx context.Context, key string) (v string, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		var ok bool
		v, ok, err = one(ctx, t, value[string], "SELECT value FROM meta WHERE key = ?", key)
		if err == nil && !ok {
			return job.ErrNotFound
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", key, err)
	}
	return v, nil
}

// SetMeta writes a setting of the ledger.
func (s *Store) SetMeta(ctx context.Context, key, val string) error {
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		_, err := exec(ctx, t, "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, val)
		return err
	})
	if err != nil {
		return fmt.Errorf("writing %s: %w", key, err)
	}
	return nil
}

// SetMetaOnce binds the ledger to a value: it writes it when the key is new, and
// returns job.ErrConflict when another value is there.
func (s *Store) SetMetaOnce(ctx context.Context, key, val string) error {
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		if _, err := exec(ctx, t, "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING", key, val); err != nil {
			return err
		}
		have, _, err := one(ctx, t, value[string], "SELECT value FROM meta WHERE key = ?", key)
		if err == nil && have != val {
			return fmt.Errorf("this ledger belongs to %s %q, not %q; use another data directory: %w", key, have, val, job.ErrConflict)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("binding %s: %w", key, err)
	}
	return nil
}
