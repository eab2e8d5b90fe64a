package bucket

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
)

// member is an item of a bucket on its way into a piece.
type member struct {
	job.Item
	root   cid.Cid
	commit piece.Commitment
}

// seal makes a sealing bucket a piece. Items whose blocks are not all here are
// taken out first. It may be repeated after any step.
func (s *Shelf) seal(ctx context.Context, id int64) error {
	s.sealMu.Lock()
	defer s.sealMu.Unlock()
	b, err := s.d.Ledger.Bucket(ctx, id)
	if err != nil || b.State != job.BucketSealing {
		return err
	}
	items, err := s.goodItems(ctx, id)
	if err != nil {
		return err
	}
	var made job.Seal
	switch {
	case len(items) == 0:
	case b.Format == job.FormatPoDSI:
		made, err = s.sealPoDSI(ctx, id, items)
	default:
		made, err = s.sealCAR(ctx, id, items)
	}
	if err != nil {
		return err
	}
	if err := s.d.Ledger.SealBucket(ctx, id, made, s.d.Now()); err != nil {
		return err
	}
	s.d.Log.Info("a bucket became a piece", "bucket", id, "items", len(made.Slots), "piece", made.Piece, "padded", made.Padded, "why", b.Why)
	return nil
}

// goodItems gives the items that can be part of a piece, in the order of its
// manifest: largest first, so that no space is lost between them, then by root.
func (s *Shelf) goodItems(ctx context.Context, id int64) ([]member, error) {
	items, err := s.d.Ledger.BucketItems(ctx, id)
	if err != nil {
		return nil, err
	}
	var good []member
	for _, it := range items {
		m, why, err := s.examine(ctx, it)
		if err != nil {
			return nil, err
		}
		if why == "" {
			good = append(good, m)
			continue
		}
		if err := s.d.Ledger.MarkItemBad(ctx, id, it.Piece, why, s.d.Now()); err != nil {
			return nil, err
		}
		s.d.Log.Warn("an item is left out of its bucket: see it with `tidegate bucket show 0`, and ask for it again", "bucket", id, "cid", it.Root, "why", why)
	}
	pieces := make([]piece.Commitment, len(good))
	for i, m := range good {
		pieces[i] = m.commit
	}
	piece.SortForAggregate(pieces)
	place := make(map[[32]byte]int, len(good))
	for i, c := range pieces {
		place[c.Root] = i
	}
	slices.SortFunc(good, func(a, b member) int { return cmp.Compare(place[a.commit.Root], place[b.commit.Root]) })
	return good, nil
}

// examine says why an item cannot be part of a piece, "" if it can.
func (s *Shelf) examine(ctx context.Context, it job.Item) (m member, why string, err error) {
	m = member{Item: it}
	if m.root, err = cid.Decode(it.Root); err != nil {
		return m, fmt.Sprintf("its payload CID in the ledger is none: %v", err), nil
	}
	if m.commit, err = commitment(it.Piece, it.CARSize, it.Padded); err != nil {
		return m, err.Error(), nil
	}
	all, err := s.d.Node.HasAll(ctx, m.root)
	switch {
	case ctx.Err() != nil:
		return m, "", context.Cause(ctx)
	case err != nil:
		return m, fmt.Sprintf("its blocks cannot be read: %v", err), nil
	case !all:
		return m, "not all of its blocks are here", nil
	}
	return m, "", nil
}

// sealPoDSI computes an aggregate from commitments alone; no block is read. With
// Config.KeepFiles its bytes are then written.
func (s *Shelf) sealPoDSI(ctx context.Context, id int64, items []member) (job.Seal, error) {
	m := piece.Manifest{Format: piece.FormatPoDSI}
	sizes := make([]uint64, len(items))
	for i, it := range items {
		sizes[i] = it.Padded
		m.Items = append(m.Items, piece.ManifestItem{Root: it.root, Piece: it.commit})
	}
	least, err := piece.AggregateSize(sizes)
	if err != nil {
		return job.Seal{}, fmt.Errorf("sealing bucket %d: %w", id, err)
	}
	m.Padded = max(least, s.cfg.MinPiece)
	a, err := m.Aggregate()
	if err != nil {
		return job.Seal{}, fmt.Errorf("sealing bucket %d: %w", id, err)
	}
	c := a.Commitment()
	out := job.Seal{Piece: c.CID().String(), Padded: c.Padded, Size: c.Payload}
	for i, it := range items {
		out.Slots = append(out.Slots, slot(i, a.Segments[i].Offset, it))
	}
	if out.Manifest, err = manifestID(m); err != nil {
		return job.Seal{}, err
	}
	return out, s.keepAggregate(ctx, id, a, out)
}

func slot(i int, offset uint64, it member) job.Slot {
	return job.Slot{Position: i, Offset: offset, Piece: it.Piece, Root: it.Root, Padded: it.Padded, CARSize: it.CARSize}
}

func manifestID(m piece.Manifest) (string, error) {
	c, err := m.CID()
	if err != nil {
		return "", fmt.Errorf("naming a manifest: %w", err)
	}
	return c.String(), nil
}

// keepAggregate writes an aggregate's bytes where the policy wants them.
func (s *Shelf) keepAggregate(ctx context.Context, id int64, a *piece.Aggregate, made job.Seal) error {
	if !s.cfg.KeepFiles {
		return nil
	}
	done, err := s.pool.take(ctx, made.Size)
	if err != nil {
		return err
	}
	defer done()
	f, err := s.create(ctx, job.PieceFile{Name: fmt.Sprintf("bucket-%d%s", id, carSuffix), Bucket: id, Piece: made.Piece, Size: made.Size})
	if err != nil {
		return err
	}
	defer f.abort()
	r := a.Reader(s.segments(ctx, made.Slots))
	defer r.Close()
	if err := copyAll(ctx, f.f, r); err != nil {
		return fmt.Errorf("writing the piece of bucket %d: %w", id, err)
	}
	return f.complete(ctx, made.Piece)
}

// sealCAR computes the one CAR of all items, in one pass over their blocks.
func (s *Shelf) sealCAR(ctx context.Context, id int64, items []member) (job.Seal, error) {
	m := piece.Manifest{Format: piece.FormatCAR}
	var what piece.Contents
	need := uint64(0)
	for _, it := range items {
		m.Items = append(m.Items, piece.ManifestItem{Root: it.root})
		what.Roots = append(what.Roots, it.root)
		need += it.CARSize
	}
	if !s.cfg.KeepFiles {
		need = 0
	}
	done, err := s.pool.take(ctx, need)
	if err != nil {
		return job.Seal{}, err
	}
	defer done()
	name := fmt.Sprintf("bucket-%d", id)
	car, err := s.keepCAR(ctx, name)
	if err != nil {
		return job.Seal{}, err
	}
	defer car.abort()
	p, lay, err := s.packed(ctx, what, car.writer(), nil)
	if err != nil {
		return job.Seal{}, fmt.Errorf("sealing bucket %d: %w", id, err)
	}
	c := p.Commitment
	if c.Padded < s.cfg.MinPiece {
		if c, err = c.Pad(s.cfg.MinPiece); err != nil {
			return job.Seal{}, fmt.Errorf("sealing bucket %d: %w", id, err)
		}
	}
	m.Padded = c.Padded
	out := job.Seal{Piece: c.CID().String(), Padded: c.Padded, Size: p.Payload}
	for i, it := range items {
		out.Slots = append(out.Slots, slot(i, p.Items[i].Offset, it))
	}
	if out.Manifest, err = manifestID(m); err != nil {
		return job.Seal{}, err
	}
	if err := s.keepLayout(ctx, name, out.Piece, p.Payload, lay); err != nil {
		return job.Seal{}, err
	}
	return out, car.complete(ctx, out.Piece)
}
