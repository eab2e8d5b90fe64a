package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/piece"
)

// Verifier compares streams with piece CIDs.
type Verifier struct {
	// MaxPiece is the padded size of the largest piece that is read.
	MaxPiece uint64
}

// Check tells whether c is a piece CID of a piece that is not too large.
func (v Verifier) Check(c cid.Cid) error {
	want, err := piece.FromCID(c)
	if err != nil {
		return err
	}
	if want.Padded > v.MaxPiece {
		return fmt.Errorf("a piece of %d bytes: %w", want.Padded, piece.ErrTooLarge)
	}
	return nil
}

// Verify reads all of r. It returns piece.ErrMismatch if that is not piece c, and
// r's errors as they are. A piece CID v1 says nothing of sizes: the smallest piece
// that holds r and every larger one with zeros behind it match.
func (v Verifier) Verify(ctx context.Context, c cid.Cid, r io.Reader, progress func(bytes uint64)) (uint64, error) {
	want, err := piece.FromCID(c)
	if err != nil {
		return 0, err
	}
	most := piece.MaxPayload(v.MaxPiece)
	if want.Payload > 0 {
		most = min(most, want.Payload)
	}
	w := piece.NewWriter()
	defer w.Reset()
	if err := copyAll(ctx, counting{w, progress}, io.LimitReader(r, int64(most)+1)); err != nil {
		return w.Size(), err
	}
	if w.Size() > most {
		return w.Size(), fmt.Errorf("more than %d bytes: %w", most, piece.ErrMismatch)
	}
	got, err := w.Sum()
	if errors.Is(err, piece.ErrTooShort) {
		return w.Size(), fmt.Errorf("%w: %w", piece.ErrMismatch, err)
	}
	if err != nil {
		return w.Size(), err
	}
	for want.Root != got.Root {
		if got.Padded >= v.MaxPiece || want.Padded != 0 && got.Padded >= want.Padded {
			return w.Size(), piece.ErrMismatch
		}
		if got, err = got.Pad(2 * got.Padded); err != nil {
			return w.Size(), err
		}
	}
	if want.Padded != 0 && want.Padded != got.Padded {
		return w.Size(), piece.ErrMismatch
	}
	return w.Size(), nil
}

// counting tells how much has passed.
type counting struct {
	w    *piece.Writer
	tell func(uint64)
}

func (c counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if c.tell != nil {
		c.tell(c.w.Size())
	}
	return n, err
}
