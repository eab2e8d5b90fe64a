package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

const itemColumns = "piece, root, padded, car, blocks, state, coalesce(bucket, 0), error, until, created, updated"

func scanItem(s scanner) (i job.Item, err error) {
	var until, created, updated int64
	err = s.Scan(&i.Piece, &i.Root, &i.Padded, &i.CARSize, &i.Blocks, &i.State, &i.Bucket, &i.Error, &until, &created, &updated)
	i.Until, i.CreatedAt, i.UpdatedAt = at(until), at(created), at(updated)
	return i, err
}

const bucketColumns = `id, format, state, why, (SELECT count(*) FROM item WHERE item.bucket = bucket.id),
	(SELECT coalesce(sum(padded), 0) FROM item WHERE item.bucket = bucket.id), manifest, piece, padded, size, created, updated`

func scanBucket(s scanner) (b job.Bucket, err error) {
	var created, updated int64
	err = s.Scan(&b.ID, &b.Format, &b.State, &b.Why, &b.Items, &b.Bytes, &b.Manifest, &b.Piece, &b.Padded, &b.Size, &created, &updated)
	b.CreatedAt, b.UpdatedAt = at(created), at(updated)
	return b, err
}

// PlaceItem gives an item its bucket, on behalf of ref: one that is in a bucket
// stays there, one that is large enough becomes a piece of its own (single is
// then its manifest), any other goes into the open bucket, which is sealed when
// the rule says so. Doing it twice is doing it once.
func (s *Store) PlaceItem(ctx context.Context, it job.Item, ref, single string, rule job.Placing, now time.Time) (out job.Placed, err error) {
	err = s.write(ctx, func(ctx context.Context, t conn) error {
		out = job.Placed{}
		have, found, err := one(ctx, t, scanItem, "SELECT "+itemColumns+" FROM item WHERE piece = ?", it.Piece)
		if err != nil {
			return err
		}
		stays := false
		if found && have.State != job.ItemBad {
			b, err := bucketWhere(ctx, t, have.Bucket)
			if err != nil {
				return err
			}
			stays = b.State != job.BucketCleaned
		}
		if !stays {
			p := placing{ctx: ctx, t: t, rule: rule, now: ms(now), out: &out}
			if err := p.place(it, single); err != nil {
				return err
			}
		}
		if _, err := exec(ctx, t, "UPDATE item SET until = ? WHERE piece = ? AND until < ?", ms(it.Until), it.Piece, ms(it.Until)); err != nil {
			return err
		}
		if _, err := exec(ctx, t, "INSERT INTO item_ref (ref, piece) VALUES (?, ?) ON CONFLICT DO NOTHING", ref, it.Piece); err != nil {
			return err
		}
		out.Item, _, err = one(ctx, t, scanItem, "SELECT "+itemColumns+" FROM item WHERE piece = ?", it.Piece)
		return err
	})
	if err != nil {
		return job.Placed{}, fmt.Errorf("placing the item of %s: %w", it.Root, err)
	}
	return out, nil
}

// placing is one item on its way into a bucket, inside a transaction.
type placing struct {
	ctx  context.Context
	t    conn
	rule job.Placing
	now  int64
	out  *job.Placed
}

func (p placing) place(it job.Item, single string) error {
	if it.Padded >= p.rule.MinPadded {
		return p.alone(it, single)
	}
	id, items, bytes, err := p.open()
	if err != nil {
		return err
	}
	if items > 0 && (items >= p.rule.MaxItems || uint64(bytes)+it.Padded > p.rule.MaxBytes) {
		if err := p.seal(id, "size"); err != nil {
			return err
		}
		if id, items, bytes, err = p.open(); err != nil {
			return err
		}
	}
	if err := p.put(it, id, job.ItemWaiting); err != nil {
		return err
	}
	switch {
	case items+1 >= p.rule.MaxItems:
		return p.seal(id, "count")
	case uint64(bytes)+it.Padded >= p.rule.FullBytes:
		return p.seal(id, "size")
	}
	return nil
}

// open gives the bucket that takes items, a new one if need be.
func (p placing) open() (id int64, items int, bytes int64, err error) {
	b, found, err := one(p.ctx, p.t, scanBucket, "SELECT "+bucketColumns+" FROM bucket WHERE format = ? AND state = 'open'", string(p.rule.Format))
	if err != nil || found {
		return b.ID, b.Items, int64(b.Bytes), err
	}
	id, _, err = one(p.ctx, p.t, value[int64], "INSERT INTO bucket (format, state, created, updated) VALUES (?, 'open', ?, ?) RETURNING id",
		string(p.rule.Format), p.now, p.now)
	return id, 0, 0, err
}

func (p placing) seal(id int64, why string) error {
	p.out.Sealed = append(p.out.Sealed, id)
	_, err := exec(p.ctx, p.t, "UPDATE bucket SET state = 'sealing', why = ?, updated = ? WHERE id = ?", why, p.now, id)
	return err
}

// alone makes the item a piece of its own.
func (p placing) alone(it job.Item, manifest string) error {
	id, _, err := one(p.ctx, p.t, value[int64], `INSERT INTO bucket (format, state, why, manifest, piece, padded, size, created, updated)
		VALUES ('single', 'ready', 'size', ?, ?, ?, ?, ?, ?) RETURNING id`, manifest, it.Piece, int64(it.Padded), int64(it.CARSize), p.now, p.now)
	if err != nil {
		return err
	}
	if err := p.put(it, id, job.ItemPlaced); err != nil {
		return err
	}
	return addSlots(p.ctx, p.t, id, []job.Slot{{Piece: it.Piece, Root: it.Root, Padded: it.Padded, CARSize: it.CARSize}})
}

func (p placing) put(it job.Item, bucket int64, state job.ItemState) error {
	_, err := exec(p.ctx, p.t, `INSERT INTO item (piece, root, padded, car, blocks, state, bucket, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (piece) DO UPDATE SET state = excluded.state, bucket = excluded.bucket, error = '', updated = excluded.updated`,
		it.Piece, it.Root, int64(it.Padded), int64(it.CARSize), int64(it.Blocks), string(state), bucket, p.now, p.now)
	return err
}

func addSlots(ctx context.Context, t conn, bucket int64, slots []job.Slot) error {
	const cols = 7
	vals := make([]any, 0, cols*len(slots))
	for _, s := range slots {
		vals = append(vals, bucket, s.Position, int64(s.Offset), s.Piece, s.Root, int64(s.Padded), int64(s.CARSize))
	}
	return bulk(ctx, t, `bucket_item (bucket, position, "offset", piece, root, padded, car)`, cols, vals)
}

// DropItemRef ends what ref asked for. Items that nobody asks for any more leave
// a bucket that is still open; they are returned, for their blocks to be given
// back.
func (s *Store) DropItemRef(ctx context.Context, ref string) (left []job.Item, err error) {
	err = s.write(ctx, func(ctx context.Context, t conn) error {
		left, err = list(ctx, t, scanItem, "SELECT "+prefixedItem+` FROM item_ref r JOIN item ON item.piece = r.piece LEFT JOIN bucket b ON b.id = item.bucket
			WHERE r.ref = ? AND (b.id IS NULL OR b.state = 'open')
			AND NOT EXISTS (SELECT 1 FROM item_ref other WHERE other.piece = item.piece AND other.ref <> r.ref)`, ref)
		if err != nil {
			return err
		}
		for _, i := range left {
			if _, err := exec(ctx, t, "DELETE FROM item WHERE piece = ?", i.Piece); err != nil {
				return err
			}
		}
		_, err = exec(ctx, t, "DELETE FROM item_ref WHERE ref = ?", ref)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("dropping what %s prepared: %w", ref, err)
	}
	return left, nil
}

const prefixedItem = `item.piece, item.root, item.padded, item.car, item.blocks, item.state, coalesce(item.bucket, 0), item.error, item.until,
	item.created, item.updated`

// MarkItemBad takes an item out of its sealing bucket. It does nothing to an item
// that is not in that bucket.
func (s *Store) MarkItemBad(ctx context.Context, bucket int64, piece, why string, now time.Time) error {
	if why == "" {
		return errors.New("marking an item bad: no reason given")
	}
	err := s.write(ctx, func(ctx context.Context, t conn) error {
		_, err := exec(ctx, t, `UPDATE item SET state = 'bad', bucket = NULL, error = ?, updated = ? WHERE piece = ? AND bucket = ?
			AND EXISTS (SELECT 1 FROM bucket WHERE id = ? AND state = 'sealing')`, why, ms(now), piece, bucket, bucket)
		return err
	})
	if err != nil {
		return fmt.Errorf("marking item %s bad: %w", piece, err)
	}
	return nil
}

// Item gives the item whose own piece CID or payload CID is id, or
// job.ErrNotFound.
func (s *Store) Item(ctx context.Context, id string) (i job.Item, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		var ok bool
		for _, by := range []string{"piece", "root"} {
			if i, ok, err = one(ctx, t, scanItem, "SELECT "+itemColumns+" FROM item WHERE "+by+" = ?", id); err != nil || ok {
				return err
			}
		}
		return job.ErrNotFound
	})
	if err != nil {
		return job.Item{}, fmt.Errorf("reading item %s: %w", id, err)
	}
	return i, nil
}

// BucketItems lists the items of a bucket by piece CID; of bucket 0 the bad ones.
func (s *Store) BucketItems(ctx context.Context, bucket int64) (out []job.Item, err error) {
	q, args := "SELECT "+itemColumns+" FROM item WHERE bucket = ? ORDER BY piece", []any{bucket}
	if bucket == 0 {
		q, args = "SELECT "+itemColumns+" FROM item WHERE state = 'bad' ORDER BY updated, piece", nil
	}
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, scanItem, q, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the items of bucket %d: %w", bucket, err)
	}
	return out, nil
}

// ItemRoots lists the piece CID and the payload CID of every item whose blocks
// are to be here: all but those of cleaned buckets.
func (s *Store) ItemRoots(ctx context.Context) (out map[string]string, err error) {
	type pair struct{ piece, root string }
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		rows, err := list(ctx, t, func(s scanner) (p pair, err error) {
			err = s.Scan(&p.piece, &p.root)
			return p, err
		}, "SELECT item.piece, item.root FROM item LEFT JOIN bucket b ON b.id = item.bucket WHERE b.id IS NULL OR b.state <> 'cleaned'")
		out = make(map[string]string, len(rows))
		for _, r := range rows {
			out[r.piece] = r.root
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing items: %w", err)
	}
	return out, nil
}
