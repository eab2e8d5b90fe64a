package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
)

// Content is a piece or a CAR to read; close it. Reading may fail if it leaves the
// shelf meanwhile.
type Content struct {
	io.ReadSeekCloser
	Piece string // piece CID v1; it names the bytes
	Root  string // payload CID, "" for a bucket of many
	Size  uint64
	CAR   bool // the bytes are a CAR
}

// OpenPiece reads the piece with a piece CID, v1 or v2: of a bucket on offer, or an
// item's own CAR. job.ErrNotFound if it is not on the shelf.
func (s *Shelf) OpenPiece(ctx context.Context, id string) (*Content, error) {
	want, err := piece.Parse(id)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", job.ErrNotFound, err)
	}
	v1 := want.CID().String()
	b, err := s.d.Ledger.BucketOf(ctx, v1)
	switch {
	case errors.Is(err, job.ErrNotFound):
		it, err := s.d.Ledger.Item(ctx, v1)
		if err != nil {
			return nil, err
		}
		if want.Padded != 0 && (want.Padded != it.Padded || want.Payload != it.CARSize) {
			return nil, fmt.Errorf("%s has other sizes: %w", id, job.ErrNotFound)
		}
		return s.openItem(ctx, it)
	case err != nil:
		return nil, err
	}
	if want.Padded != 0 && want.Padded != b.Padded {
		return nil, fmt.Errorf("%s has another size: %w", id, job.ErrNotFound)
	}
	return s.openBucket(ctx, b)
}

// OpenCAR reads the CAR of a payload CID that was prepared.
func (s *Shelf) OpenCAR(ctx context.Context, root string) (*Content, error) {
	it, err := s.d.Ledger.Item(ctx, root)
	if err != nil {
		return nil, err
	}
	if it.Root != root {
		return nil, fmt.Errorf("%s is a piece, not a payload: %w", root, job.ErrNotFound)
	}
	return s.openItem(ctx, it)
}

func (s *Shelf) openItem(ctx context.Context, it job.Item) (*Content, error) {
	wanted, err := s.wanted(ctx, it.Piece)
	if err != nil {
		return nil, err
	}
	if !wanted {
		return nil, fmt.Errorf("%s is no longer on offer: %w", it.Root, job.ErrNotFound)
	}
	r, err := s.itemReader(ctx, job.Slot{Piece: it.Piece, Root: it.Root, CARSize: it.CARSize})
	if err != nil {
		return nil, err
	}
	return &Content{ReadSeekCloser: r, Piece: it.Piece, Root: it.Root, Size: it.CARSize, CAR: true}, nil
}

func (s *Shelf) openBucket(ctx context.Context, b job.Bucket) (*Content, error) {
	slots, err := s.d.Ledger.BucketSlots(ctx, b.ID)
	if err != nil {
		return nil, err
	}
	if len(slots) == 0 {
		return nil, fmt.Errorf("bucket %d has no manifest in the ledger", b.ID)
	}
	out := &Content{Piece: b.Piece, Size: b.Size, CAR: b.Format != job.FormatPoDSI}
	if b.Format == job.FormatSingle {
		out.Root = slots[0].Root
	}
	path, err := s.kept(ctx, b.Piece, carSuffix)
	if err != nil {
		return nil, err
	}
	switch {
	case path != "":
		out.ReadSeekCloser, err = os.Open(path)
	case b.Format == job.FormatSingle:
		out.ReadSeekCloser, err = s.itemReader(ctx, slots[0])
	case b.Format == job.FormatCAR:
		out.ReadSeekCloser, err = s.carReader(ctx, b, slots)
	default:
		out.ReadSeekCloser, err = s.aggregateReader(ctx, b, slots)
	}
	if err != nil {
		return nil, fmt.Errorf("opening piece %s: %w", b.Piece, err)
	}
	return out, nil
}

func (s *Shelf) carReader(ctx context.Context, b job.Bucket, slots []job.Slot) (io.ReadSeekCloser, error) {
	what, err := rootsOf(slots)
	if err != nil {
		return nil, err
	}
	l, err := s.layout(ctx, bucketKey(b.ID), b.Piece, what)
	if err != nil {
		return nil, err
	}
	return unclosed{l.Reader(ctx, s.d.Node)}, nil
}

func (s *Shelf) aggregateReader(ctx context.Context, b job.Bucket, slots []job.Slot) (io.ReadSeekCloser, error) {
	a, err := aggregateOf(b, slots)
	if err != nil {
		return nil, err
	}
	return a.Reader(s.segments(ctx, slots)), nil
}

// aggregateOf builds the aggregate of a manifest again.
func aggregateOf(b job.Bucket, slots []job.Slot) (*piece.Aggregate, error) {
	pieces := make([]piece.Commitment, len(slots))
	for i, slot := range slots {
		var err error
		if pieces[i], err = commitment(slot.Piece, slot.CARSize, slot.Padded); err != nil {
			return nil, err
		}
	}
	a, err := piece.NewAggregate(pieces, b.Padded)
	if err != nil {
		return nil, err
	}
	if got := a.Commitment().CID().String(); got != b.Piece {
		return nil, fmt.Errorf("the manifest of bucket %d makes %s: %w", b.ID, got, piece.ErrMismatch)
	}
	return a, nil
}

// segments opens the items of an aggregate.
func (s *Shelf) segments(ctx context.Context, slots []job.Slot) func(int) (io.ReadSeekCloser, error) {
	return func(i int) (io.ReadSeekCloser, error) { return s.itemReader(ctx, slots[i]) }
}

// itemReader reads an item's CAR, from its file or from blocks.
func (s *Shelf) itemReader(ctx context.Context, slot job.Slot) (io.ReadSeekCloser, error) {
	path, err := s.kept(ctx, slot.Piece, carSuffix)
	if err != nil {
		return nil, err
	}
	if path != "" {
		f, err := os.Open(path)
		if err == nil {
			return f, nil
		}
		s.d.Log.Warn("the file of a CAR cannot be read; it is made from blocks", "piece", slot.Piece, "error", err)
	}
	what, err := rootsOf([]job.Slot{slot})
	if err != nil {
		return nil, err
	}
	l, err := s.layout(ctx, slot.Root, slot.Piece, what)
	if err != nil {
		return nil, err
	}
	return unclosed{l.Reader(ctx, s.d.Node)}, nil
}

// unclosed has nothing to close.
type unclosed struct{ io.ReadSeeker }

func (unclosed) Close() error { return nil }

// copyAll copies until the end or until ctx ends.
func copyAll(ctx context.Context, w io.Writer, r io.Reader) error {
	buf := make([]byte, 256<<10)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := r.Read(buf)
		if _, werr := w.Write(buf[:n]); werr != nil {
			return werr
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Offers lists pieces on offer, newest first, below a bucket's id if before is not
// zero.
func (s *Shelf) Offers(ctx context.Context, before int64, limit int) ([]job.Bucket, error) {
	return s.d.Ledger.Buckets(ctx, job.BucketFilter{State: job.BucketReady, Before: before, Limit: limit})
}
