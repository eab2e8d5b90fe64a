package piece

import (
	"errors"
	"fmt"
	"math/bits"

	commp "github.com/filecoin-project/go-fil-commp-hashhash"
)

const (
	// MinPayload is the least payload that has a commitment, bytes.
	MinPayload = 65
	// MaxPadded is the largest padded piece, bytes: 64 GiB.
	MaxPadded = 64 << 30

	quad       = 127 // payload bytes that become 128 padded ones
	paddedQuad = 128
	nodeSize   = 32
)

var (
	// ErrTooShort is returned by Sum when less than MinPayload bytes were written.
	ErrTooShort = errors.New("a piece commitment needs at least 65 bytes")
	// ErrTooLarge is returned when content exceeds what a piece may hold.
	ErrTooLarge = errors.New("too large for a piece")
)

// Commitment names a piece: the root of the binary Merkle tree over its padded
// bytes, and the two sizes that belong to it.
type Commitment struct {
	Root    [32]byte // top two bits of the last byte are zero
	Payload uint64   // bytes before padding: the size of the CAR; 0 if unknown
	Padded  uint64   // bytes after padding, a power of two, at least 128; 0 if unknown
}

// PaddedSize is the size of the smallest piece that holds payload bytes: the
// next power of two of payload · 128/127.
func PaddedSize(payload uint64) uint64 {
	quads := max(1, payload/quad)
	if payload > quads*quad {
		quads++
	}
	return paddedQuad << bits.Len64(quads-1)
}

// MaxPayload is how many bytes a piece of the given padded size holds.
func MaxPayload(padded uint64) uint64 { return padded / paddedQuad * quad }

// CheckPadded tells whether padded is the size of a piece: a power of two from
// 128 bytes to MaxPadded.
func CheckPadded(padded uint64) error {
	if padded < paddedQuad || padded > MaxPadded || bits.OnesCount64(padded) != 1 {
		return fmt.Errorf("padded piece size %d: want a power of two from 128 to %d", padded, uint64(MaxPadded))
	}
	return nil
}

// Pad gives the commitment of the same payload in a larger piece, zeros behind it.
func (c Commitment) Pad(target uint64) (Commitment, error) {
	if err := errors.Join(CheckPadded(c.Padded), CheckPadded(target)); err != nil {
		return Commitment{}, err
	}
	if target < c.Padded {
		return Commitment{}, fmt.Errorf("padding a piece of %d bytes to %d: %w", c.Padded, target, ErrTooLarge)
	}
	for level := height(c.Padded); level < height(target); level++ {
		c.Root = hashPair(&c.Root, &zeroRoots[level])
	}
	c.Padded = target
	return c, nil
}

// Writer computes the commitment of what is written to it. It needs one buffer of
// 1 MiB from a pool that all writers share, and hashes on as many cores as are
// free. The result does not depend on how the bytes are cut into writes. A Writer
// is for one goroutine; one that was written to should be read by Sum or given
// back by Reset.
type Writer struct {
	carry   [quad]byte
	carried int
	leaves  *leaves // nil until a quad is complete
	fill    int     // bytes of leaves that are in use
	size    uint64
	pending []*subtree       // handed over, oldest first
	count   uint64           // sub-trees in stack
	stack   [maxTop][32]byte // roots of 2^i sub-trees where count has bit i
	twin    *commp.Calc      // instead of all above where there are no vectors
	reused  *Commitment      // what twin gave: it can be asked once
	err     error            // of a write that was refused
}

// NewWriter is a writer without any bytes.
func NewWriter() *Writer { return &Writer{} }

// Write adds bytes. It fails with ErrTooLarge beyond the largest piece.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	if w.reused != nil {
		return 0, errors.New("piece commitment: written to after Sum; call Reset first")
	}
	if uint64(len(p)) > MaxPayload(MaxPadded)-w.size {
		w.err = fmt.Errorf("piece commitment: more than %d bytes: %w", MaxPayload(MaxPadded), ErrTooLarge)
		return 0, w.err
	}
	if !vectors() {
		return w.writeTwin(p)
	}
	w.size += uint64(len(p))
	n := len(p)
	if w.carried > 0 {
		k := copy(w.carry[w.carried:], p)
		w.carried += k
		p = p[k:]
		if w.carried < quad {
			return n, nil
		}
		w.pad(w.carry[:])
		w.carried = 0
	}
	for len(p) >= quad {
		p = p[w.pad(p):]
	}
	w.carried = copy(w.carry[:], p)
	return n, nil
}

// pad takes whole quads from p until the buffer is full, and says how many bytes
// that were.
func (w *Writer) pad(p []byte) int {
	if w.leaves == nil {
		w.leaves, w.fill = getLeaves(), 0
	}
	n := min(len(p)/quad, (len(w.leaves)-w.fill)/paddedQuad)
	padQuads(w.leaves[w.fill:], p, n)
	w.fill += n * paddedQuad
	if w.fill == len(w.leaves) {
		w.submit()
	}
	return n * quad
}

// Size is how many bytes were written.
func (w *Writer) Size() uint64 { return w.size }

// Sum is the commitment of what was written so far, in the smallest piece that
// holds it. Where the processor has vectors more may be written afterwards; call
// Reset before using the writer for something else.
func (w *Writer) Sum() (Commitment, error) {
	switch {
	case w.err != nil:
		return Commitment{}, w.err
	case w.size < MinPayload:
		return Commitment{}, fmt.Errorf("%w: only %d were written", ErrTooShort, w.size)
	case w.twin != nil || w.reused != nil:
		return w.sumTwin()
	}
	w.collect(true)
	out := Commitment{Payload: w.size, Padded: PaddedSize(w.size)}
	h := height(out.Padded)
	var last [32]byte
	have := w.fill > 0 && w.leaves != nil || w.carried > 0
	if have {
		last = w.tail(min(h, subtreeHeight))
	}
	if h <= subtreeHeight && have {
		out.Root = last
		return out, nil
	}
	for level := subtreeHeight; level < h; level++ {
		in := w.count>>(level-subtreeHeight)&1 == 1
		at := level - subtreeHeight
		switch {
		case in && have:
			last = hashPair(&w.stack[at], &last)
		case in:
			last, have = hashPair(&w.stack[at], &zeroRoots[level]), true
		case have:
			last = hashPair(&last, &zeroRoots[level])
		}
	}
	if !have {
		last = w.stack[h-subtreeHeight]
	}
	out.Root = last
	return out, nil
}

// tail hashes what has not filled a sub-tree, up to the given level.
func (w *Writer) tail(level int) [32]byte {
	l := getLeaves()
	defer putLeaves(l)
	n := 0
	if w.leaves != nil {
		n = copy(l[:], w.leaves[:w.fill])
	}
	if w.carried > 0 {
		var last [quad]byte
		copy(last[:], w.carry[:w.carried])
		padQuads(l[n:], last[:], 1)
		n += paddedQuad
	}
	return l.root(n/nodeSize, level)
}

// Reset makes the writer empty again and gives back its buffer.
func (w *Writer) Reset() {
	if w.leaves != nil {
		putLeaves(w.leaves)
	}
	if w.twin != nil {
		w.twin.Reset()
	}
	*w = Writer{}
}

// submit hands a full buffer over: to another core if one is free, else it is
// hashed here, so that what is in flight stays bounded.
func (w *Writer) submit() {
	l := w.leaves
	w.leaves, w.fill = nil, 0
	t := &subtree{}
	if takeCore() {
		t.done = make(chan struct{})
		go func() {
			t.root = l.root(subtreeNodes, subtreeHeight)
			putLeaves(l)
			giveCore()
			close(t.done)
		}()
	} else {
		t.root = l.root(subtreeNodes, subtreeHeight)
		putLeaves(l)
	}
	w.pending = append(w.pending, t)
	w.collect(false)
}

// collect moves finished sub-trees to the stack, in order; with wait, all.
func (w *Writer) collect(wait bool) {
	done := 0
	for _, t := range w.pending {
		if t.done != nil {
			if wait {
				<-t.done
			} else {
				select {
				case <-t.done:
				default:
					w.pending = w.pending[:copy(w.pending, w.pending[done:])]
					return
				}
			}
		}
		w.push(t.root)
		done++
	}
	w.pending = w.pending[:0]
}

// push adds one sub-tree's root, as one adds one to a binary number.
func (w *Writer) push(root [32]byte) {
	level := 0
	for ; w.count>>level&1 == 1; level++ {
		root = hashPair(&w.stack[level], &root)
	}
	w.stack[level] = root
	w.count++
}

// height is the level of the root of a piece above its nodes.
func height(padded uint64) int { return bits.TrailingZeros64(padded / nodeSize) }
