package piece

import (
	"context"
	"errors"
	"io"
)

// Aggregate is an FRC-0058 aggregate: pieces at offsets aligned to their own size,
// in a piece that ends with an index of them. It holds commitments, not content.
type Aggregate struct{ Segments []Segment }

// Segment is one piece within an aggregate. Offset is in padded bytes.
type Segment struct {
	Commitment
	Offset uint64
}

// NewAggregate places the pieces in the order given. padded is the size of the
// aggregate, 0 for the least that fits; ErrTooLarge says that they do not fit.
// Both sizes of every piece must be known.
func NewAggregate(pieces []Commitment, padded uint64) (*Aggregate, error) {
	return nil, errors.New("being built")
}

// AggregateSize is the least padded size for pieces of the given padded sizes in
// this order; ErrTooLarge if there is none.
func AggregateSize(padded []uint64) (uint64, error) { return 0, errors.New("being built") }

// SortForAggregate orders pieces so that no space is lost between them: largest
// first, then by root. The order is part of an aggregate's identity.
func SortForAggregate(pieces []Commitment) {}

// Commitment is that of the whole aggregate. Its payload is all that it holds.
func (a *Aggregate) Commitment() Commitment { return Commitment{} }

// Proof shows that segment i is in the aggregate and in its index.
func (a *Aggregate) Proof(i int) (InclusionProof, error) { return InclusionProof{}, nil }

// SegmentError says which segment could not be read, or was not what its
// commitment says.
type SegmentError struct {
	Segment int
	Err     error
}

func (e *SegmentError) Error() string { return e.Err.Error() }
func (e *SegmentError) Unwrap() error { return e.Err }

// WriteTo writes the aggregate's bytes, before padding, in one pass. open gives the
// payload of a segment; each is compared with its commitment. Errors of segments
// are *SegmentError.
func (a *Aggregate) WriteTo(ctx context.Context, w io.Writer, open func(ctx context.Context, segment int) (io.ReadCloser, error)) error {
	return errors.New("being built")
}

// Reader reads any range of the aggregate's bytes, before padding; open gives a
// segment's payload. It does not verify. Close it.
func (a *Aggregate) Reader(open func(segment int) (io.ReadSeekCloser, error)) io.ReadSeekCloser {
	return nil
}

// MerklePath leads from a node to a root: its siblings from below, and its index
// among the nodes of its level.
type MerklePath struct {
	Index uint64     `json:"index"`
	Path  []HexBytes `json:"path"`
}

// HexBytes are 32 bytes, 0x… in JSON.
type HexBytes [32]byte

// InclusionProof is FRC-0058's proof of data segment inclusion (PoDSI), with the
// fields that contracts take.
type InclusionProof struct {
	Subtree MerklePath `json:"proofSubtree"` // the segment in the aggregate
	Index   MerklePath `json:"proofIndex"`   // its entry in the aggregate's index
}

// Verify tells whether the proof shows that the aggregate holds the piece. Of both
// the root and the padded size count.
func (p InclusionProof) Verify(piece, aggregate Commitment) error { return errors.New("being built") }
