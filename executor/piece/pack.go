package piece

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"

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

// Contents says what one CAR holds: below its roots every block once, depth first,
// parents before their links in the links' order. A block that an earlier root has
// brought is not repeated. Identity CIDs carry their bytes themselves and have no
// section; what they link to has.
type Contents struct {
	Roots []cid.Cid
	// Alone are blocks written before the roots' DAGs, each without what it links
	// to. The first of them is then the CAR's first root.
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
	// TempDir is where PackV2 sorts the index of a CAR with more than a million
	// blocks; "" for the system's.
	TempDir string
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

const (
	outBuffer     = 256 << 10
	progressEvery = 8 << 20 // bytes
)

// Pack writes the CARv1 of what to out, which may be nil, and computes its
// commitment, verifying every block. The bytes depend on what alone. Memory is
// what is read ahead, the links on the path walked, and 21 to 43 bytes a block.
func Pack(ctx context.Context, src Blocks, what Contents, out io.Writer, o PackOptions) (Packed, error) {
	return pack(ctx, src, what, out, o, nil)
}

// packing is one pass.
type packing struct {
	o       PackOptions
	out     *bufio.Writer // nil if nobody wants the bytes
	commit  *Writer
	layout  *layoutWriter
	index   *indexSorter
	seen    seenSet
	head    []byte
	offset  uint64
	blocks  uint64
	told    uint64 // offset at the last progress
	largest uint64
}

func pack(ctx context.Context, src Blocks, what Contents, out io.Writer, o PackOptions, index *indexSorter) (Packed, error) {
	header, err := carHeader(what.headerRoots())
	if err != nil {
		return Packed{}, err
	}
	p := &packing{o: o, commit: NewWriter(), index: index, largest: MaxPayload(MaxPadded)}
	defer p.commit.Reset()
	if o.MaxSize > 0 {
		p.largest = min(p.largest, o.MaxSize)
	}
	if out != nil {
		p.out = bufio.NewWriterSize(out, outBuffer)
	}
	if o.Layout != nil {
		p.layout = newLayoutWriter(o.Layout, header)
	}
	if err := p.write(header); err != nil {
		return Packed{}, err
	}
	items, err := p.contents(ctx, src, what)
	if err != nil {
		return Packed{}, err
	}
	if p.out != nil {
		if err := p.out.Flush(); err != nil {
			return Packed{}, fmt.Errorf("writing the CAR: %w", err)
		}
	}
	if p.layout != nil {
		if err := p.layout.close(p.offset); err != nil {
			return Packed{}, err
		}
	}
	c, err := p.commit.Sum()
	if err != nil {
		return Packed{}, err
	}
	p.tell(true)
	return Packed{Commitment: c, Blocks: p.blocks, Items: items}, nil
}

func (what Contents) headerRoots() []cid.Cid {
	if len(what.Alone) == 0 {
		return what.Roots
	}
	return slices.Concat(what.Alone[:1], what.Roots)
}

// contents writes all sections.
func (p *packing) contents(ctx context.Context, src Blocks, what Contents) ([]Item, error) {
	w := newWalker(src, p.o.ReadAhead)
	w.met, w.visited, w.each = p.seen.has, func(k cidKey) { p.seen.add(k) }, p.section
	w.shallow = true
	if err := w.run(ctx, what.Alone...); err != nil {
		return nil, err
	}
	w.shallow = false
	items := make([]Item, len(what.Roots))
	at, before := 0, uint64(0)
	end := func() {
		if len(items) > 0 {
			items[at].Size, items[at].Blocks = p.offset-items[at].Offset, p.blocks-before
		}
	}
	w.atRoot = func(i int) {
		if i > 0 {
			end()
		}
		at, before = i, p.blocks
		items[i] = Item{Root: what.Roots[i], Offset: p.offset}
	}
	if err := w.run(ctx, what.Roots...); err != nil {
		if len(items) == 0 {
			return nil, err
		}
		return nil, fmt.Errorf("packing %s: %w", what.Roots[at], err)
	}
	end()
	return items, nil
}

// section writes one block.
func (p *packing) section(v visit) error {
	if p.offset+sectionSize(v.c, v.size) > p.largest {
		return fmt.Errorf("the CAR has more than %d bytes: %w", p.largest, ErrTooLarge)
	}
	if p.layout != nil {
		if err := p.layout.add(p.offset, v.c, v.size); err != nil {
			return err
		}
	}
	if p.index != nil {
		if err := p.index.add(v.c, p.offset); err != nil {
			return err
		}
	}
	p.head = appendSectionHead(p.head[:0], v.c, v.size)
	if err := p.write(p.head); err != nil {
		return err
	}
	p.blocks++
	if err := p.write(v.data); err != nil {
		return err
	}
	p.tell(false)
	return nil
}

func (p *packing) write(b []byte) error {
	if _, err := p.commit.Write(b); err != nil {
		return err
	}
	if p.out != nil {
		if _, err := p.out.Write(b); err != nil {
			return fmt.Errorf("writing the CAR: %w", err)
		}
	}
	p.offset += uint64(len(b))
	return nil
}

func (p *packing) tell(last bool) {
	if p.o.Progress != nil && (last || p.offset-p.told >= progressEvery) {
		p.told = p.offset
		p.o.Progress(Progress{Blocks: p.blocks, Bytes: p.offset})
	}
}

// Measured is the size of a CAR that was not made.
type Measured struct{ Size, Blocks uint64 }

// Measure computes what Pack would write, without reading leaves where src is a
// Sizer. It fails with ErrTooLarge as soon as limit is exceeded, bytes; 0 is none.
func Measure(ctx context.Context, src Blocks, what Contents, limit uint64) (Measured, error) {
	header, err := carHeader(what.headerRoots())
	if err != nil {
		return Measured{}, err
	}
	m := Measured{Size: uint64(len(header))}
	var seen seenSet
	w := newWalker(src, 0)
	w.sizer, _ = src.(Sizer)
	w.met, w.visited = seen.has, func(k cidKey) { seen.add(k) }
	w.each = func(v visit) error {
		m.Size += sectionSize(v.c, v.size)
		m.Blocks++
		if limit > 0 && m.Size > limit {
			return fmt.Errorf("the CAR has more than %d bytes: %w", limit, ErrTooLarge)
		}
		return nil
	}
	w.shallow = true
	err = w.run(ctx, what.Alone...)
	w.shallow = false
	if err == nil {
		err = w.run(ctx, what.Roots...)
	}
	if err != nil {
		return Measured{}, fmt.Errorf("measuring a CAR: %w", err)
	}
	return m, nil
}
