package piece

import (
	"context"
	"errors"
	"io"

	"github.com/ipfs/go-cid"
)

// Blocks gives the bytes of blocks. Implementations must allow concurrent calls;
// Pack verifies every block, so they need not.
type Blocks interface {
	Get(ctx context.Context, c cid.Cid) ([]byte, error)
}

// Sizer gives the sizes of blocks without reading them. A Blocks that has it too
// is measured faster.
type Sizer interface {
	Size(ctx context.Context, c cid.Cid) (uint64, error)
}

// Contents says what one CAR holds: its header's roots, and below them every block
// once, depth first, parents before their links in the links' order. A block that
// an earlier root has brought is not repeated. Identity CIDs carry their bytes
// themselves and have no section; what they link to has.
type Contents struct {
	Roots []cid.Cid
	// Alone are blocks written before the roots' DAGs, each without what it links to.
	Alone []cid.Cid
}

// PackOptions are the optional outputs and bounds of one pass.
type PackOptions struct {
	// Layout, if not nil, receives what OpenLayout reads: which block is where, so
	// that any range of the CAR can be made again without keeping it.
	Layout io.Writer
	// MaxSize ends the pass with ErrTooLarge when the CAR would exceed it, bytes; 0
	// is what the largest piece holds.
	MaxSize uint64
	// ReadAhead is how many blocks are asked for before they are needed; 16 if 0.
	ReadAhead int
	// Progress, if not nil, is called now and then, from the calling goroutine.
	Progress func(Progress)
}

// Progress is how far a pass is. Bytes are CAR bytes.
type Progress struct{ Blocks, Bytes uint64 }

// Packed is what one pass found.
type Packed struct {
	Commitment        // of the CARv1; Payload is its size
	Blocks     uint64 // sections of the CAR
	Items      []Item // one a root, in order
}

// Item is the part of the CAR that one root added: the sections of its DAG that no
// earlier root had brought. Offset and Size are bytes of the CARv1.
type Item struct {
	Root   cid.Cid
	Offset uint64
	Size   uint64
	Blocks uint64
}

// Pack writes the CARv1 of what to out, which may be nil, and computes its
// commitment, verifying every block. The bytes depend on what alone. Memory is
// bounded but for 16 to 32 bytes a block and the links on the path walked.
func Pack(ctx context.Context, src Blocks, what Contents, out io.Writer, o PackOptions) (Packed, error) {
	return Packed{}, errors.New("being built")
}

// PackV2 is Pack into a CARv2 file: header, the CARv1, and an index sorted by
// multihash. Offsets and the commitment are those of the CARv1 within, which
// begins at CARv2Offset.
func PackV2(ctx context.Context, src Blocks, what Contents, out io.WriteSeeker, o PackOptions) (Packed, error) {
	return Packed{}, errors.New("being built")
}

// Measured is the size of a CAR that was not made.
type Measured struct{ Size, Blocks uint64 }

// Measure computes what Pack would write, without reading leaves where src is a
// Sizer. It fails with ErrTooLarge as soon as limit is exceeded, bytes; 0 is none.
func Measure(ctx context.Context, src Blocks, what Contents, limit uint64) (Measured, error) {
	return Measured{}, errors.New("being built")
}

// Layout says which block is where in a CAR that Pack wrote.
type Layout struct{}

// OpenLayout reads what PackOptions.Layout was given. r is used as long as the
// layout is, and for concurrent calls.
func OpenLayout(r io.ReaderAt, size int64) (*Layout, error) { return nil, errors.New("being built") }

// Size is that of the CARv1, bytes.
func (l *Layout) Size() uint64 { return 0 }

// Reader reads the CAR that l describes, any range of it, by getting the blocks it
// needs and verifying them. It fits http.ServeContent. It is for one goroutine;
// a layout may have many.
func (l *Layout) Reader(ctx context.Context, src Blocks) io.ReadSeeker { return nil }
