package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// batch is one CommitBatch under way.
type batch struct {
	chain.Batch
	t       conn
	now     int64
	cursor  chain.Cursor // as it will be when the batch is in
	out     chain.Committed
	fresh   map[string]bool // requests that this batch inserted
	revived map[string]bool // requests that were retracted before this batch and are open again
	closing map[string]*chain.Closing
}

// CommitBatch applies one step of watching in one transaction: first it rolls
// back what is above b.Ancestor (when b.Reorg), then it adds blocks, logs,
// requests, jobs and closings, then it advances the soft and final heights.
// Adding what is there already changes nothing, so a step may be repeated.
//
// It returns chain.ErrDeepReorg, with nothing applied, when the rollback would
// undo what was final, and job.ErrConflict, with nothing applied, when the batch
// went by a cursor (b.After) that is no longer the filter's, for another watcher or a
// person has moved it, or contradicts the stored branch: a block that does not follow
// its stored parent, two logs with one seq, a final block above what was covered.
func (s *Store) CommitBatch(ctx context.Context, b chain.Batch) (chain.Committed, error) {
	if len(b.Seq) != 0 && len(b.Seq) != len(b.Logs) {
		return chain.Committed{}, fmt.Errorf("committing a batch: %d seqs for %d logs", len(b.Seq), len(b.Logs))
	}
	var out chain.Committed
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		c := &batch{Batch: b, t: t, now: ms(b.Now), fresh: map[string]bool{}, revived: map[string]bool{}, closing: map[string]*chain.Closing{}}
		if err := c.run(ctx); err != nil {
			return err
		}
		out = c.out
		return nil
	})
	if err != nil {
		return chain.Committed{}, fmt.Errorf("committing %s up to height %d: %w", b.Filter, b.To, err)
	}
	return out, nil
}

func (b *batch) run(ctx context.Context) error {
	if err := b.advanceCursor(ctx); err != nil {
		return fmt.Errorf("cursor: %w", err)
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"rolling back", b.rollback},
		{"blocks", b.addBlocks},
		{"logs", b.addLogs},
		{"coverage", b.addCoverage},
		{"requests", b.addRequests},
		{"jobs", b.addJobs},
		{"closings", b.addClosings},
		{"callbacks", b.addCallbacks},
		{"advancing", b.advance},
		{"cursor", b.putCursor},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	slices.Sort(b.out.Ready)
	b.out.Ready = slices.Compact(b.out.Ready)
	return nil
}

// settled says how settled the chain is for work that wants to start.
func (b *batch) settled() heights {
	if b.Behind {
		return heights{}
	}
	return heights{b.cursor.Soft, b.cursor.Final}
}

func (b *batch) wake(k job.Kind) { b.out.Ready = append(b.out.Ready, k) }

// advanceCursor works out where the filter stands once the batch is in. The
// final height never goes back, for a node that lags does not undo finality; the
// soft one does so only with a rollback.
func (b *batch) advanceCursor(ctx context.Context) error {
	c, ok, err := readCursor(ctx, b.t, b.Filter)
	if err != nil {
		return err
	}
	if !ok {
		c = chain.Cursor{Filter: b.Filter}
	}
	if b.After != nil && !b.After.Same(c) && (ok || *b.After != (chain.Cursor{})) {
		return fmt.Errorf("the step went by height %d, final %d, and the ledger is at height %d, final %d: %w",
			b.After.Height, b.After.Final, c.Height, c.Final, job.ErrConflict)
	}
	b.cursor = c
	if b.Reorg {
		if err := b.refuseDeep(); err != nil {
			return err
		}
		b.cursor.Height = min(c.Height, b.Ancestor.Height)
	}
	if b.From <= b.To && b.covers() {
		b.cursor.Height = max(b.cursor.Height, b.To)
	}
	if b.Head != (chain.Block{}) {
		b.cursor.Head = b.Head.Height
	}
	if b.Final != (chain.Block{}) && b.Final.Height >= c.Final {
		b.cursor.Final, b.cursor.FinalHash = b.Final.Height, b.Final.Hash
	}
	if b.cursor.Final > b.cursor.Height {
		return fmt.Errorf("height %d cannot be final: heights up to %d are covered: %w", b.cursor.Final, b.cursor.Height, job.ErrConflict)
	}
	if b.Reorg {
		b.cursor.Soft = max(b.Soft, b.cursor.Final)
	} else {
		b.cursor.Soft = max(c.Soft, b.Soft, b.cursor.Final)
	}
	b.cursor.Updated = b.Now
	return nil
}

// covers reports whether the batch reads any height: From and To are both zero
// in a step that only rolls back or advances, unless it brings block 0.
func (b *batch) covers() bool {
	return b.From > 0 || b.To > 0 || len(b.Blocks) > 0 || len(b.Logs) > 0
}

func (b *batch) putCursor(ctx context.Context) error {
	hashes, err := list(ctx, b.t, value[string], "SELECT hash FROM block WHERE height = ?", b.cursor.Height)
	if err != nil {
		return err
	}
	tip := ""
	if len(hashes) == 1 {
		tip = hashes[0]
	}
	c := b.cursor
	_, err = exec(ctx, b.t, `INSERT INTO cursor (filter, height, hash, final, final_hash, soft, head, frozen, updated)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (filter) DO UPDATE SET height = excluded.height, hash = excluded.hash, final = excluded.final,
			final_hash = excluded.final_hash, soft = excluded.soft, head = excluded.head, updated = excluded.updated`,
		c.Filter, int64(c.Height), tip, int64(c.Final), optional(c.FinalHash), int64(c.Soft), int64(c.Head), c.Frozen, b.now)
	return err
}
