package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
)

// Restorer puts blocks back; the content node is one.
type Restorer interface {
	// Held tells whether ref is held and every block of it can be read.
	Held(ctx context.Context, ref string) (bool, error)
	// Restore holds a DAG for ref with the missing blocks from a source, which it checks.
	Restore(ctx context.Context, ref string, root cid.Cid, from piece.Blocks) error
}

// Presence is what the shelf has of a piece.
type Presence int

// What the shelf may have of a piece.
const (
	Unknown Presence = iota // it never had it, or forgot
	Lost                    // it had it, and cannot serve it now
	Whole                   // it can serve it
)

// refRestored begins the refs of items that were put back.
const refRestored = "restored:"

// Look tells what there is of a piece, v1. It costs a look at each block, of which none is
// read. A piece that was taken off offer is lost.
func (s *Shelf) Look(ctx context.Context, id string) (Presence, error) {
	roots, err := s.rootsOn(ctx, id)
	if errors.Is(err, job.ErrNotFound) {
		return Unknown, nil
	}
	if err != nil || len(roots) == 0 {
		return Lost, err
	}
	path, err := s.kept(ctx, id, carSuffix)
	if err != nil {
		return Lost, err
	}
	if path != "" {
		_, err := os.Stat(path)
		if err == nil {
			return Whole, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return Lost, err
		}
		if err := s.remove(ctx, filepath.Base(path)); err != nil { // else it would be opened
			return Lost, err
		}
	}
	for _, root := range roots {
		ok, err := s.d.Back.Held(ctx, refOf(root))
		if err != nil || !ok {
			return Lost, err
		}
	}
	return Whole, nil
}

// rootsOn lists the payload CIDs of a piece that is on the shelf; none where it was taken
// off. job.ErrNotFound for one that the ledger does not know.
func (s *Shelf) rootsOn(ctx context.Context, id string) (roots []string, err error) {
	b, err := s.d.Ledger.BucketOf(ctx, id)
	if err == nil {
		slots, err := s.d.Ledger.BucketSlots(ctx, b.ID)
		for _, slot := range slots {
			roots = append(roots, slot.Root)
		}
		return roots, err
	}
	if !errors.Is(err, job.ErrNotFound) {
		return nil, err
	}
	it, err := s.d.Ledger.Item(ctx, id)
	if err != nil {
		return nil, err
	}
	if it.Piece != id {
		return nil, fmt.Errorf("%s is a payload, not a piece: %w", id, job.ErrNotFound)
	}
	if on, err := s.wanted(ctx, id); err != nil || !on {
		return nil, err
	}
	return []string{it.Root}, nil
}

// Room returns ErrNoRoom where so many bytes more would touch the disk reserve.
func (s *Shelf) Room(bytes uint64) error {
	if s.d.Free == nil {
		return nil
	}
	free, err := s.d.Free()
	if err == nil && (free < s.cfg.DiskReserve || free-s.cfg.DiskReserve < bytes) {
		err = fmt.Errorf("%w: %d bytes are needed, %d are free, of which %d are reserved", ErrNoRoom, bytes, free, s.cfg.DiskReserve)
	}
	return err
}

// Restore puts a piece back from its bytes, which the caller has compared with its
// commitment: every block is held again as before, and the piece is on offer. root is the
// payload CID of a piece that the ledger does not know. Doing it twice is doing it once.
func (s *Shelf) Restore(ctx context.Context, want piece.Commitment, root cid.Cid, from io.ReaderAt) error {
	id := want.CID().String()
	b, err := s.d.Ledger.BucketOf(ctx, id)
	switch {
	case errors.Is(err, job.ErrNotFound):
		return s.restoreItem(ctx, want, root, from)
	case err != nil:
		return err
	}
	slots, err := s.d.Ledger.BucketSlots(ctx, b.ID)
	if err != nil {
		return err
	}
	whole := job.Slot{CARSize: want.Payload}
	for _, slot := range slots {
		c, err := cid.Decode(slot.Root)
		if err != nil {
			return fmt.Errorf("in the manifest of bucket %d: %w", b.ID, err)
		}
		at := whole
		if b.Format == job.FormatPoDSI {
			at = slot
		}
		if err := s.putBack(ctx, c, at, from); err != nil {
			return err
		}
	}
	return nil
}

// putBack restores one DAG from the CAR at a place of a piece.
func (s *Shelf) putBack(ctx context.Context, root cid.Cid, at job.Slot, from io.ReaderAt) error {
	unlock, err := s.one.lock(ctx, root.String())
	if err != nil {
		return err
	}
	defer unlock()
	return s.blocksBack(ctx, root, at, from)
}

func (s *Shelf) blocksBack(ctx context.Context, root cid.Cid, at job.Slot, from io.ReaderAt) error {
	size := int64(at.CARSize)
	car, err := piece.OpenCAR(io.NewSectionReader(from, int64(piece.MaxPayload(at.Offset)), size), size)
	if err != nil {
		return fmt.Errorf("the bytes of %s: %w", root, err)
	}
	if err := s.d.Back.Restore(ctx, refOf(root.String()), root, car); err != nil {
		return err
	}
	s.lay.forget(root.String())
	return nil
}

// restoreItem puts an item back on the shelf that was taken off, or that the ledger does
// not know: then its CAR has to be what this shelf would make of the DAG, for it is made
// again from blocks. piece.ErrMismatch where it is not.
func (s *Shelf) restoreItem(ctx context.Context, want piece.Commitment, root cid.Cid, from io.ReaderAt) error {
	id := want.CID().String()
	it, err := s.d.Ledger.Item(ctx, id)
	known := err == nil
	if err != nil && !errors.Is(err, job.ErrNotFound) {
		return err
	}
	if known {
		if root, err = cid.Decode(it.Root); err != nil {
			return fmt.Errorf("in the ledger: %w", err)
		}
	}
	unlock, err := s.one.lock(ctx, root.String())
	if err != nil {
		return err
	}
	defer unlock()
	if !known {
		if other, err := s.d.Ledger.Item(ctx, root.String()); err == nil {
			return fmt.Errorf("this node made piece %s of %s: %w", other.Piece, root, piece.ErrMismatch)
		} else if !errors.Is(err, job.ErrNotFound) {
			return err
		}
	}
	if err := s.blocksBack(ctx, root, job.Slot{CARSize: want.Payload}, from); err != nil {
		return err
	}
	o := Order{Ref: refRestored + id, Root: root, Bytes: want.Payload}
	if !known {
		if it, err = s.pack(ctx, o, nil); err == nil && it.Piece != id {
			err = errors.Join(fmt.Errorf("this node makes piece %s of %s: %w", it.Piece, root, piece.ErrMismatch), s.removeFiles(ctx, it.Piece))
		}
		if err != nil { // nobody else holds it for the shelf
			return errors.Join(err, s.d.Node.Release(context.WithoutCancel(ctx), refOf(root.String())))
		}
	}
	_, err = s.place(ctx, o, it)
	return err
}
