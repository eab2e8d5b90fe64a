package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// rule lets three items of 256 bytes into a bucket; 4096 bytes are a piece alone.
var rule = job.Placing{MinPadded: 4096, Format: job.FormatPoDSI, MaxItems: 3, MaxBytes: 2048, FullBytes: 2048}

func itemNo(n int, padded uint64) job.Item {
	return job.Item{Piece: fmt.Sprintf("piece%03d", n), Root: fmt.Sprintf("root%03d", n), Padded: padded, CARSize: padded / 128 * 127, Blocks: 1}
}

func (w *world) put(n int, padded uint64) job.Placed {
	w.Helper()
	p, err := w.l.PlaceItem(w.ctx, itemNo(n, padded), fmt.Sprintf("ref%d", n), "single", rule, w.now)
	w.ok(err)
	return p
}

func (w *world) bucket(id int64) job.Bucket {
	w.Helper()
	b, err := w.l.Bucket(w.ctx, id)
	w.ok(err)
	return b
}

// sealAll makes a sealing bucket ready with all its items, and gives its piece.
func (w *world) sealAll(id int64) string {
	w.Helper()
	items, err := w.l.BucketItems(w.ctx, id)
	w.ok(err)
	s := job.Seal{Manifest: fmt.Sprintf("manifest%d", id), Piece: fmt.Sprintf("aggregate%d", id), Padded: 2048, Size: 2032}
	for i, it := range items {
		s.Slots = append(s.Slots, job.Slot{Position: i, Offset: uint64(i) * 256, Piece: it.Piece, Root: it.Root, Padded: it.Padded, CARSize: it.CARSize})
	}
	w.ok(w.l.SealBucket(w.ctx, id, s, w.now))
	return s.Piece
}

var pieceTests = []test{
	{"small items gather, and the count seals", func(w *world) {
		first := w.put(1, 256)
		equal(w, "state", first.Item.State, job.ItemWaiting)
		equal(w, "again", w.put(1, 256).Item.Bucket, first.Item.Bucket)
		w.put(2, 256)
		equal(w, "items", w.bucket(first.Item.Bucket).Items, 2)
		third := w.put(3, 256)
		if !slices.Equal(third.Sealed, []int64{first.Item.Bucket}) {
			w.Fatalf("sealed %v", third.Sealed)
		}
		b := w.bucket(first.Item.Bucket)
		equal(w, "state", b.State, job.BucketSealing)
		equal(w, "why", b.Why, "count")
		if next := w.put(4, 256).Item.Bucket; next == b.ID {
			w.Fatal("a sealing bucket took an item")
		}
	}},
	{"size seals, before an item that does not fit and after one that fills", func(w *world) {
		a := w.put(1, 1024).Item.Bucket
		p := w.put(2, 2048)
		if len(p.Sealed) != 2 || p.Sealed[0] != a {
			w.Fatalf("sealed %v", p.Sealed)
		}
		equal(w, "why", w.bucket(p.Item.Bucket).Why, "size")
	}},
	{"a large item is a piece of its own", func(w *world) {
		p := w.put(1, 4096)
		equal(w, "state", p.Item.State, job.ItemPlaced)
		b := w.bucket(p.Item.Bucket)
		equal(w, "format", b.Format, job.FormatSingle)
		equal(w, "piece", b.Piece, "piece001")
		slots, err := w.l.BucketSlots(w.ctx, b.ID)
		w.ok(err)
		equal(w, "slots", len(slots), 1)
		found, err := w.l.BucketOf(w.ctx, "piece001")
		w.ok(err)
		equal(w, "bucket", found.ID, b.ID)
	}},
	{"age and demand seal what holds items", func(w *world) {
		id := w.put(1, 256).Item.Bucket
		none, err := w.l.FlushBuckets(w.ctx, 0, w.now.Add(-time.Second), "age", w.now)
		w.ok(err)
		equal(w, "too young", len(none), 0)
		some, err := w.l.FlushBuckets(w.ctx, 0, w.now, "age", w.now)
		w.ok(err)
		if !slices.Equal(some, []int64{id}) {
			w.Fatalf("sealed %v", some)
		}
		w.put(2, 256)
		none, err = w.l.FlushBuckets(w.ctx, id, w.now, "demand", w.now)
		w.ok(err)
		equal(w, "sealed before", len(none), 0)
	}},
	{"sealing writes the manifest whole or not at all", func(w *world) {
		id := w.put(1, 256).Item.Bucket
		w.put(2, 256)
		w.is(w.l.SealBucket(w.ctx, id, job.Seal{}, w.now), job.ErrConflict) // two items are left out
		_, err := w.l.FlushBuckets(w.ctx, id, w.now, "demand", w.now)
		w.ok(err)
		w.is(w.l.SealBucket(w.ctx, id, job.Seal{Manifest: "m", Piece: "p", Padded: 512, Size: 508, Slots: []job.Slot{{Piece: "piece001"}}}, w.now), job.ErrConflict)
		w.is(w.l.SealBucket(w.ctx, id, job.Seal{Manifest: "m", Piece: "p", Padded: 512, Size: 508,
			Slots: []job.Slot{{Piece: "piece001"}, {Position: 1, Piece: "piece001"}}}, w.now), job.ErrConflict)
		w.sealAll(id)
		equal(w, "state", w.bucket(id).State, job.BucketReady)
		i, err := w.l.Item(w.ctx, "root002")
		w.ok(err)
		equal(w, "item", i.State, job.ItemPlaced)
		slots, err := w.l.BucketSlots(w.ctx, id)
		w.ok(err)
		equal(w, "slots", len(slots), 2)
		w.is(w.l.SealBucket(w.ctx, id, job.Seal{}, w.now), job.ErrConflict)
	}},
	{"a bad item leaves its bucket, and comes back when it is placed again", func(w *world) {
		id := w.put(1, 256).Item.Bucket
		w.put(2, 256)
		w.ok(w.l.MarkItemBad(w.ctx, id, "piece001", "open buckets have no bad items", w.now))
		equal(w, "items", w.bucket(id).Items, 2)
		_, err := w.l.FlushBuckets(w.ctx, id, w.now, "demand", w.now)
		w.ok(err)
		w.ok(w.l.MarkItemBad(w.ctx, id, "piece001", "a block is missing", w.now))
		equal(w, "items", w.bucket(id).Items, 1)
		w.sealAll(id)
		bad, err := w.l.BucketItems(w.ctx, 0)
		w.ok(err)
		equal(w, "bad", len(bad), 1)
		equal(w, "why", bad[0].Error, "a block is missing")
		if again := w.put(1, 256).Item; again.Bucket == id || again.State != job.ItemWaiting || again.Error != "" {
			w.Fatalf("placed again: %+v", again)
		}
	}},
	{"a bucket of bad items is void", func(w *world) {
		id := w.put(1, 256).Item.Bucket
		_, err := w.l.FlushBuckets(w.ctx, id, w.now, "demand", w.now)
		w.ok(err)
		w.ok(w.l.MarkItemBad(w.ctx, id, "piece001", "gone", w.now))
		w.ok(w.l.SealBucket(w.ctx, id, job.Seal{}, w.now))
		equal(w, "state", w.bucket(id).State, job.BucketVoid)
	}},
	{"an item leaves an open bucket with the last that asked for it", func(w *world) {
		id := w.put(1, 256).Item.Bucket
		_, err := w.l.PlaceItem(w.ctx, itemNo(1, 256), "another", "single", rule, w.now)
		w.ok(err)
		left, err := w.l.DropItemRef(w.ctx, "ref1")
		w.ok(err)
		equal(w, "left", len(left), 0)
		left, err = w.l.DropItemRef(w.ctx, "another")
		w.ok(err)
		equal(w, "left", len(left), 1)
		equal(w, "items", w.bucket(id).Items, 0)
		_, err = w.l.Item(w.ctx, "piece001")
		w.is(err, job.ErrNotFound)
		w.put(2, 256)
		_, err = w.l.FlushBuckets(w.ctx, 0, w.now, "age", w.now)
		w.ok(err)
		left, err = w.l.DropItemRef(w.ctx, "ref2")
		w.ok(err)
		equal(w, "left a sealing bucket", len(left), 0)
	}},
	{"cleaning gives items back, unless they are promised", func(w *world) {
		it := itemNo(1, 4096)
		it.Until = w.now.Add(time.Hour)
		p, err := w.l.PlaceItem(w.ctx, it, "ref", "single", rule, w.now)
		w.ok(err)
		due, err := w.l.OverdueBuckets(w.ctx, w.now, w.now)
		w.ok(err)
		equal(w, "promised", len(due), 0)
		due, err = w.l.OverdueBuckets(w.ctx, w.now, it.Until)
		w.ok(err)
		equal(w, "due", len(due), 1)
		w.ok(w.l.CleanBucket(w.ctx, p.Item.Bucket, w.now))
		w.ok(w.l.CleanBucket(w.ctx, p.Item.Bucket, w.now))
		roots, err := w.l.ItemRoots(w.ctx)
		w.ok(err)
		equal(w, "held", len(roots), 0)
		_, err = w.l.BucketOf(w.ctx, "piece001")
		w.is(err, job.ErrNotFound)
		again := w.put(1, 4096)
		if again.Item.Bucket == p.Item.Bucket {
			w.Fatal("an item stayed in a cleaned bucket")
		}
		roots, err = w.l.ItemRoots(w.ctx)
		w.ok(err)
		equal(w, "held", roots["piece001"], "root001")
		w.is(w.l.CleanBucket(w.ctx, 99, w.now), job.ErrNotFound)
	}},
	{"files are known before they are complete", func(w *world) {
		f := job.PieceFile{Name: "a.car", Piece: "p", Size: 10}
		w.is(w.l.CompletePieceFile(w.ctx, f), job.ErrNotFound)
		w.ok(w.l.AddPieceFile(w.ctx, f, w.now))
		w.ok(w.l.AddPieceFile(w.ctx, f, w.now))
		got, err := w.l.PieceFiles(w.ctx, "")
		w.ok(err)
		equal(w, "files", len(got), 1)
		equal(w, "complete", got[0].Complete, false)
		w.ok(w.l.CompletePieceFile(w.ctx, f))
		got, err = w.l.PieceFiles(w.ctx, "p")
		w.ok(err)
		equal(w, "complete", got[0].Complete, true)
		w.ok(w.l.DropPieceFile(w.ctx, "a.car"))
		got, err = w.l.PieceFiles(w.ctx, "p")
		w.ok(err)
		equal(w, "files", len(got), 0)
	}},
	{"tokens end", func(w *world) {
		w.ok(w.l.AddPieceToken(w.ctx, job.PieceToken{Hash: "h", Piece: "p", Deal: "d", Expires: w.now.Add(time.Hour)}, w.now))
		got, err := w.l.PieceToken(w.ctx, "h")
		w.ok(err)
		equal(w, "deal", got.Deal, "d")
		w.ok(w.l.AddPieceToken(w.ctx, job.PieceToken{Hash: "i", Piece: "p", Expires: w.now.Add(3 * time.Hour)}, w.now.Add(2*time.Hour)))
		_, err = w.l.PieceToken(w.ctx, "h")
		w.is(err, job.ErrNotFound)
	}},
	{"listings are newest first", func(w *world) {
		for n := range 3 {
			w.put(n, 4096)
		}
		got, err := w.l.Buckets(w.ctx, job.BucketFilter{State: job.BucketReady, Limit: 2})
		w.ok(err)
		equal(w, "rows", len(got), 2)
		equal(w, "newest", got[0].Piece, "piece002")
		got, err = w.l.Buckets(w.ctx, job.BucketFilter{Before: got[1].ID})
		w.ok(err)
		equal(w, "oldest", got[0].Piece, "piece000")
	}},
}
