package bucket

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
)

// Proof shows that an item is in the piece of its bucket (PoDSI, FRC-0058).
type Proof struct {
	Item      job.Slot
	Piece     string // of the bucket, piece CID v1
	Padded    uint64
	Inclusion piece.InclusionProof
}

// Prove gives the proof of an item, by piece CID or payload CID. job.ErrConflict if
// its bucket is no aggregate, or none yet.
func (s *Shelf) Prove(ctx context.Context, id string) (Proof, error) {
	it, err := s.d.Ledger.Item(ctx, id)
	if err != nil {
		return Proof{}, err
	}
	if it.State != job.ItemPlaced {
		return Proof{}, fmt.Errorf("%s is %s: %w", id, it.State, job.ErrConflict)
	}
	b, err := s.d.Ledger.Bucket(ctx, it.Bucket)
	if err != nil {
		return Proof{}, err
	}
	if b.Format != job.FormatPoDSI {
		return Proof{}, fmt.Errorf("%s is in bucket %d, which is %s and not an aggregate: %w", id, b.ID, b.Format, job.ErrConflict)
	}
	slots, err := s.d.Ledger.BucketSlots(ctx, b.ID)
	if err != nil {
		return Proof{}, err
	}
	a, err := aggregateOf(b, slots)
	if err != nil {
		return Proof{}, err
	}
	for i, slot := range slots {
		if slot.Piece == it.Piece {
			p, err := a.Proof(i)
			return Proof{Item: slot, Piece: b.Piece, Padded: b.Padded, Inclusion: p}, err
		}
	}
	return Proof{}, fmt.Errorf("%s is not in the manifest of bucket %d", id, b.ID)
}
