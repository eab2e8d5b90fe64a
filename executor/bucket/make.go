package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
)

// Order is a DAG, all of which is held, to be put on the shelf.
type Order struct {
	Ref   string // on whose behalf
	Root  cid.Cid
	Bytes uint64    // unique block bytes
	Until time.Time // on offer at least until then; zero for Config.Keep
}

// refPrefix begins the refs under which the shelf holds blocks.
const refPrefix = "item:"

func refOf(root string) string { return refPrefix + root }

// Make gives the item of a DAG: what is known is not computed again. The DAG is
// then held by the shelf. It returns piece.ErrTooLarge and ErrNoRoom wrapped.
func (s *Shelf) Make(ctx context.Context, o Order, progress func(piece.Progress)) (job.Item, error) {
	root := o.Root.String()
	unlock, err := s.one.lock(ctx, root)
	if err != nil {
		return job.Item{}, err
	}
	defer unlock()
	it, err := s.d.Ledger.Item(ctx, root)
	if errors.Is(err, job.ErrNotFound) {
		it, err = s.pack(ctx, o, progress)
	}
	if err != nil {
		return job.Item{}, err
	}
	return s.place(ctx, o, it)
}

// place holds a DAG for the shelf and finds its item a bucket.
func (s *Shelf) place(ctx context.Context, o Order, it job.Item) (job.Item, error) {
	root := o.Root.String()
	if err := s.d.Node.Hold(ctx, refOf(root), o.Root); err != nil {
		return job.Item{}, fmt.Errorf("holding %s: %w", root, err)
	}
	it.Until = o.Until
	placed, err := s.d.Ledger.PlaceItem(ctx, it, o.Ref, root, s.rule, s.d.Now())
	if err != nil {
		return job.Item{}, err
	}
	if len(placed.Sealed) > 0 {
		s.nudge()
	}
	return placed.Item, nil
}

// pack computes the CAR of a DAG, and keeps of it what the policy wants.
func (s *Shelf) pack(ctx context.Context, o Order, progress func(piece.Progress)) (job.Item, error) {
	need := uint64(0)
	if s.cfg.KeepFiles {
		need = o.Bytes + o.Bytes/128
	}
	done, err := s.pool.take(ctx, need)
	if err != nil {
		return job.Item{}, err
	}
	defer done()
	root := o.Root.String()
	car, err := s.keepCAR(ctx, root)
	if err != nil {
		return job.Item{}, err
	}
	defer car.abort()
	p, lay, err := s.packed(ctx, piece.Contents{Roots: []cid.Cid{o.Root}}, car.writer(), progress)
	if errors.Is(err, piece.ErrTooShort) { // no block of its own: the CID carries its bytes
		err = &job.Fault{Reason: job.ReasonInvalidContent, Err: err}
	}
	if err != nil {
		return job.Item{}, err
	}
	id := p.CID().String()
	if err := s.keepLayout(ctx, root, id, p.Payload, lay); err != nil {
		return job.Item{}, err
	}
	if err := car.complete(ctx, id); err != nil {
		return job.Item{}, err
	}
	return job.Item{Piece: id, Root: root, Padded: p.Padded, CARSize: p.Payload, Blocks: p.Blocks}, nil
}

// packed is one pass over contents, with the layout of what it wrote.
func (s *Shelf) packed(ctx context.Context, what piece.Contents, out io.Writer, progress func(piece.Progress)) (piece.Packed, []byte, error) {
	var lay growing
	p, err := piece.Pack(ctx, s.d.Node, what, out, piece.PackOptions{
		Layout: &lay, MaxSize: piece.MaxPayload(s.cfg.MaxPiece), Progress: progress,
	})
	return p, lay.b, err
}

// growing collects a layout: about 40 bytes a block.
type growing struct{ b []byte }

func (g *growing) Write(p []byte) (int, error) {
	g.b = append(g.b, p...)
	return len(p), nil
}

// CIDv2 is the item's piece CID as version 2.
func CIDv2(it job.Item) (string, error) {
	c, err := commitment(it.Piece, it.CARSize, it.Padded)
	if err != nil {
		return "", err
	}
	v2, err := c.CIDv2()
	if err != nil {
		return "", err
	}
	return v2.String(), nil
}

// commitment is a piece CID of the ledger with its sizes.
func commitment(id string, payload, padded uint64) (piece.Commitment, error) {
	c, err := piece.Parse(id)
	if err != nil {
		return piece.Commitment{}, fmt.Errorf("in the ledger: %w", err)
	}
	c.Payload, c.Padded = payload, padded
	return c, nil
}
