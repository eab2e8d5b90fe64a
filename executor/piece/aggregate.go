package piece

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
)

const (
	entrySize    = 64 // of the index of an aggregate, padded bytes
	checksumSize = 16
	minEntries   = 4
)

// Aggregate is an FRC-0058 aggregate: pieces at offsets aligned to their own size,
// in a piece that ends with an index of them. It holds commitments, not content.
type Aggregate struct {
	Segments []Segment
	padded   uint64
	entries  [][entrySize]byte
	levels   [][]treeNode // of each level the nodes that are not over zeros only
}

// Segment is one piece within an aggregate. Offset is in padded bytes.
type Segment struct {
	Commitment
	Offset uint64
}

// treeNode is one node, at its place among those of its level.
type treeNode struct {
	at   uint64
	hash [32]byte
}

// maxEntriesOf is how many entries the index of an aggregate of this size has.
func maxEntriesOf(padded uint64) uint64 {
	n := padded / 2048 / entrySize
	if n <= minEntries {
		return minEntries
	}
	return 1 << log2Ceil(n)
}

// indexStart is where the index begins, padded bytes.
func indexStart(padded uint64) uint64 { return padded - maxEntriesOf(padded)*entrySize }

// place gives each size its aligned offset, and the end of all.
func place(sizes []uint64) (offsets []uint64, end uint64, err error) {
	offsets = make([]uint64, len(sizes))
	for i, n := range sizes {
		if err := CheckPadded(n); err != nil {
			return nil, 0, fmt.Errorf("segment %d: %w", i, err)
		}
		offsets[i] = (end + n - 1) / n * n
		if end = offsets[i] + n; end > MaxPadded {
			return nil, 0, fmt.Errorf("segment %d ends beyond %d bytes: %w", i, uint64(MaxPadded), ErrTooLarge)
		}
	}
	return offsets, end, nil
}

// AggregateSize is the least padded size for pieces of the given padded sizes in
// this order; ErrTooLarge if there is none.
func AggregateSize(padded []uint64) (uint64, error) {
	_, end, err := place(padded)
	if err != nil {
		return 0, err
	}
	for size := uint64(2 * minEntries * entrySize); size <= MaxPadded; size *= 2 {
		if size > end && indexStart(size) >= end && uint64(len(padded)) <= maxEntriesOf(size) {
			return size, nil
		}
	}
	return 0, fmt.Errorf("aggregate of %d segments in %d bytes: %w", len(padded), end, ErrTooLarge)
}

// SortForAggregate orders pieces so that no space is lost between them: largest
// first, then by root, then by payload. The order is part of an aggregate's
// identity.
func SortForAggregate(pieces []Commitment) { slices.SortFunc(pieces, CompareForAggregate) }

// CompareForAggregate is the order of SortForAggregate.
func CompareForAggregate(a, b Commitment) int {
	return cmp.Or(cmp.Compare(b.Padded, a.Padded), bytes.Compare(a.Root[:], b.Root[:]), cmp.Compare(a.Payload, b.Payload))
}

// NewAggregate places the pieces in the order given. padded is the size of the
// aggregate, 0 for the least that fits; ErrTooLarge says that they do not fit.
// Both sizes of every piece must be known.
func NewAggregate(pieces []Commitment, padded uint64) (*Aggregate, error) {
	if len(pieces) == 0 {
		return nil, errors.New("an aggregate needs a segment")
	}
	sizes := make([]uint64, len(pieces))
	for i, p := range pieces {
		sizes[i] = p.Padded
		if p.Payload == 0 || p.Payload > MaxPayload(p.Padded) || p.Root[31]&0xc0 != 0 {
			return nil, fmt.Errorf("segment %d: a payload of %d bytes in a piece of %d is none", i, p.Payload, p.Padded)
		}
	}
	least, err := AggregateSize(sizes)
	if err != nil {
		return nil, err
	}
	if padded == 0 {
		padded = least
	}
	if err := CheckPadded(padded); err != nil {
		return nil, err
	}
	if padded < least {
		return nil, fmt.Errorf("%d segments need an aggregate of %d bytes, not of %d: %w", len(pieces), least, padded, ErrTooLarge)
	}
	offsets, _, err := place(sizes)
	if err != nil {
		return nil, err
	}
	a := &Aggregate{padded: padded, Segments: make([]Segment, len(pieces)), entries: make([][entrySize]byte, len(pieces))}
	for i, p := range pieces {
		a.Segments[i] = Segment{p, offsets[i]}
		a.entries[i] = entryOf(a.Segments[i])
	}
	a.hash()
	return a, nil
}

// entryOf is a segment's entry in the index, padded: two nodes.
func entryOf(s Segment) (e [entrySize]byte) {
	copy(e[:], s.Root[:])
	binary.LittleEndian.PutUint64(e[32:], s.Offset)
	binary.LittleEndian.PutUint64(e[40:], s.Padded)
	sum := sha256.Sum256(e[:])
	sum[checksumSize-1] &= 0x3f
	copy(e[48:], sum[:checksumSize])
	return e
}

// hash computes the tree above segments and index.
func (a *Aggregate) hash() {
	h := height(a.padded)
	a.levels = make([][]treeNode, h+1)
	first := indexStart(a.padded) / nodeSize
	for i := range a.entries {
		e := &a.entries[i]
		at := first + 2*uint64(i)
		a.levels[0] = append(a.levels[0], treeNode{at, [32]byte(e[:32])}, treeNode{at + 1, [32]byte(e[32:])})
	}
	for _, s := range a.Segments {
		level := height(s.Padded)
		a.levels[level] = append(a.levels[level], treeNode{s.Offset / s.Padded, s.Root})
	}
	for level := range h {
		nodes := a.levels[level]
		slices.SortFunc(nodes, func(x, y treeNode) int { return cmp.Compare(x.at, y.at) })
		for i := 0; i < len(nodes); i++ {
			n := nodes[i]
			left, right := &n.hash, &zeroRoots[level]
			switch {
			case n.at%2 == 1:
				left, right = right, left
			case i+1 < len(nodes) && nodes[i+1].at == n.at+1:
				i++
				right = &nodes[i].hash
			}
			a.levels[level+1] = append(a.levels[level+1], treeNode{n.at / 2, hashPair(left, right)})
		}
	}
}

// node is any node of the tree, also one over zeros.
func (a *Aggregate) node(level int, at uint64) [32]byte {
	nodes := a.levels[level]
	i := sort.Search(len(nodes), func(i int) bool { return nodes[i].at >= at })
	if i < len(nodes) && nodes[i].at == at {
		return nodes[i].hash
	}
	return zeroRoots[level]
}

// Commitment is that of the whole aggregate. Its payload is all that it holds.
func (a *Aggregate) Commitment() Commitment {
	return Commitment{Root: a.levels[len(a.levels)-1][0].hash, Payload: MaxPayload(a.padded), Padded: a.padded}
}

// SegmentError says which segment could not be read, or was not what its
// commitment says.
type SegmentError struct {
	Segment int
	Err     error
}

func (e *SegmentError) Error() string { return fmt.Sprintf("segment %d: %v", e.Segment, e.Err) }
func (e *SegmentError) Unwrap() error { return e.Err }

// ErrMismatch is returned when bytes are not those that a commitment names.
var ErrMismatch = errors.New("the bytes are not those of the piece commitment")

// WriteTo writes the aggregate's bytes, before padding, in one pass. open gives the
// payload of a segment; each is compared with its commitment. Errors of segments
// are *SegmentError.
func (a *Aggregate) WriteTo(ctx context.Context, w io.Writer, open func(ctx context.Context, segment int) (io.ReadCloser, error)) error {
	at := uint64(0)
	for i, s := range a.Segments {
		begin := MaxPayload(s.Offset)
		if err := writeZeros(ctx, w, begin-at); err != nil {
			return err
		}
		if err := a.writeSegment(ctx, w, i, open); err != nil {
			return err
		}
		at = begin + s.Payload
	}
	begin := MaxPayload(indexStart(a.padded))
	if err := writeZeros(ctx, w, begin-at); err != nil {
		return err
	}
	index := a.index()
	if _, err := w.Write(index); err != nil {
		return fmt.Errorf("writing the index of an aggregate: %w", err)
	}
	return writeZeros(ctx, w, MaxPayload(a.padded)-begin-uint64(len(index)))
}

func (a *Aggregate) writeSegment(ctx context.Context, w io.Writer, i int, open func(context.Context, int) (io.ReadCloser, error)) (err error) {
	bad := func(err error) error { return &SegmentError{i, err} }
	r, err := open(ctx, i)
	if err != nil {
		return bad(err)
	}
	defer func() {
		if cerr := r.Close(); err == nil && cerr != nil {
			err = bad(cerr)
		}
	}()
	s, c := a.Segments[i], NewWriter()
	defer c.Reset()
	buf := make([]byte, outBuffer)
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		n, rerr := r.Read(buf)
		if c.Size()+uint64(n) > s.Payload {
			return bad(fmt.Errorf("more than %d bytes: %w", s.Payload, ErrMismatch))
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return bad(err)
		}
		if _, err := w.Write(buf[:n]); err != nil {
			return fmt.Errorf("writing an aggregate: %w", err)
		}
		if errors.Is(rerr, io.EOF) {
			break
		}
		if rerr != nil {
			return bad(rerr)
		}
	}
	got, err := c.Sum()
	if err == nil && got.Padded < s.Padded {
		got, err = got.Pad(s.Padded)
	}
	if err != nil {
		return bad(err)
	}
	if got != s.Commitment {
		return bad(fmt.Errorf("%d bytes with commitment %s instead of %d with %s: %w", got.Payload, got.CID(), s.Payload, s.CID(), ErrMismatch))
	}
	return nil
}

// index is the index's payload; zeros behind its last entry are left out.
func (a *Aggregate) index() []byte {
	padded := make([]byte, (len(a.entries)+1)/2*paddedQuad)
	for i := range a.entries {
		copy(padded[i*entrySize:], a.entries[i][:])
	}
	out := make([]byte, MaxPayload(uint64(len(padded))))
	for i := range len(padded) / paddedQuad {
		unpadQuad((*[quad]byte)(out[i*quad:]), (*[paddedQuad]byte)(padded[i*paddedQuad:]))
	}
	return out
}

func writeZeros(ctx context.Context, w io.Writer, n uint64) error {
	var zero [32 << 10]byte
	for n > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		k, err := w.Write(zero[:min(n, uint64(len(zero)))])
		if err != nil {
			return fmt.Errorf("writing an aggregate: %w", err)
		}
		n -= uint64(k)
	}
	return nil
}

// Reader reads any range of the aggregate's bytes, before padding; open gives a
// segment's payload. It verifies nothing but that segments have their sizes.
// Close it.
func (a *Aggregate) Reader(open func(segment int) (io.ReadSeekCloser, error)) io.ReadSeekCloser {
	return &aggregateReader{a: a, open: open, index: a.index(), segment: -1}
}

// aggregateReader keeps the segment open that was read last.
type aggregateReader struct {
	a       *Aggregate
	open    func(int) (io.ReadSeekCloser, error)
	index   []byte
	at      int64
	segment int
	from    io.ReadSeekCloser
	pos     uint64 // of from
}

func (r *aggregateReader) Seek(offset int64, whence int) (int64, error) {
	at, err := seek(r.at, int64(MaxPayload(r.a.padded)), offset, whence)
	if err == nil {
		r.at = at
	}
	return at, err
}

func (r *aggregateReader) Close() error {
	if r.from == nil {
		return nil
	}
	err := r.from.Close()
	r.from, r.segment = nil, -1
	return err
}

func (r *aggregateReader) Read(b []byte) (int, error) {
	at, total := uint64(r.at), MaxPayload(r.a.padded)
	if at >= total {
		return 0, io.EOF
	}
	if len(b) == 0 {
		return 0, nil
	}
	next := MaxPayload(indexStart(r.a.padded))
	segs := r.a.Segments
	i := sort.Search(len(segs), func(i int) bool { return MaxPayload(segs[i].Offset) > at })
	if i < len(segs) {
		next = MaxPayload(segs[i].Offset)
	}
	if at >= next { // in the index, or behind it
		if in := at - next; in < uint64(len(r.index)) {
			return r.moved(copy(b, r.index[in:])), nil
		}
		return r.zeros(b, total-at), nil
	}
	if i > 0 {
		if in := at - MaxPayload(segs[i-1].Offset); in < segs[i-1].Payload {
			n, err := r.segmentAt(i-1, in, b)
			return r.moved(n), err
		}
	}
	return r.zeros(b, next-at), nil
}

func (r *aggregateReader) moved(n int) int {
	r.at += int64(n)
	return n
}

func (r *aggregateReader) zeros(b []byte, n uint64) int {
	b = b[:min(uint64(len(b)), n)]
	clear(b)
	return r.moved(len(b))
}

func (r *aggregateReader) segmentAt(i int, in uint64, b []byte) (int, error) {
	if r.segment != i {
		if err := r.Close(); err != nil {
			return 0, &SegmentError{i, err}
		}
		from, err := r.open(i)
		if err != nil {
			return 0, &SegmentError{i, err}
		}
		r.from, r.segment, r.pos = from, i, 0
	}
	if r.pos != in {
		if _, err := r.from.Seek(int64(in), io.SeekStart); err != nil {
			return 0, &SegmentError{i, err}
		}
		r.pos = in
	}
	n, err := r.from.Read(b[:min(uint64(len(b)), r.a.Segments[i].Payload-in)])
	r.pos += uint64(n)
	switch {
	case n > 0:
		return n, nil
	case errors.Is(err, io.EOF):
		return 0, &SegmentError{i, fmt.Errorf("ends after %d bytes: %w", in, ErrMismatch)}
	case err != nil:
		return 0, &SegmentError{i, err}
	}
	return 0, nil
}
