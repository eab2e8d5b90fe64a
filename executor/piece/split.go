package piece

import (
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
)

// Part is one CAR of content that is too large for one piece: whole sub-DAGs, and
// in the last parts the blocks above them, alone.
type Part struct {
	Contents
	Size   uint64 // of its CAR, bytes
	Blocks uint64
}

// fullEnough is how full a part must be, in sixteenths, to be closed before a
// sub-DAG that does not fit whole; else that one is taken apart.
const fullEnough = 15

// Split plans the parts of the DAG under root, each with a CAR of at most limit
// bytes. Together they hold every block; one that several sub-DAGs share may be in
// several parts. It reads no leaves where src is a Sizer. ErrTooLarge says that one
// block does not fit.
func Split(ctx context.Context, src Blocks, root cid.Cid, limit uint64) ([]Part, error) {
	if limit == 0 || limit > MaxPayload(MaxPadded) {
		return nil, fmt.Errorf("splitting %s: parts of %d bytes: want up to %d", root, limit, MaxPayload(MaxPadded))
	}
	s := &splitter{src: src, limit: limit, above: new(seenSet), whole: new(seenSet)}
	s.begin()
	if err := s.add(ctx, root); err != nil {
		return nil, fmt.Errorf("splitting %s: %w", root, err)
	}
	if err := s.finish(); err != nil {
		return nil, fmt.Errorf("splitting %s: %w", root, err)
	}
	return s.parts, nil
}

// splitter fills one part after the other.
type splitter struct {
	src   Blocks
	limit uint64
	parts []Part
	spine []cid.Cid // blocks that were taken apart, parents first
	sizes []uint64  // theirs
	above *seenSet  // the spine's
	whole *seenSet  // blocks of earlier parts, with all below them in the same part
	held  *seenSet  // the current part's
	part  Part
}

const carHeadMost = 48 // a CARv1 header without roots, at most

func (s *splitter) begin() {
	s.part = Part{Size: carHeadMost}
	s.held = new(seenSet)
}

func (s *splitter) end() {
	if s.part.Blocks > 0 {
		s.whole.merge(s.held)
		s.parts = append(s.parts, s.part)
	}
	s.begin()
}

// rootSize is what a root adds to a header.
func rootSize(c cid.Cid) uint64 { return uint64(c.ByteLen()) + 8 }

var errNoFit = errors.New("does not fit")

// add places the DAG under c: whole in the current part, or in the next one, or
// its parts by themselves.
func (s *splitter) add(ctx context.Context, c cid.Cid) error {
	k := keyOf(c)
	if s.whole.has(k) || s.held.has(k) || s.above.has(k) {
		return nil
	}
	_, identity := identityData(c)
	if !identity {
		err := s.try(ctx, c)
		if err == nil || !errors.Is(err, errNoFit) {
			return err
		}
		if len(s.part.Roots) > 0 && s.part.Size >= s.limit/16*fullEnough {
			s.end()
			return s.add(ctx, c)
		}
	}
	v, links, err := s.block(ctx, c)
	if err != nil {
		return err
	}
	if len(links) == 0 && !identity {
		if len(s.part.Roots) == 0 {
			return fmt.Errorf("block %s of %d bytes does not fit into a part of %d: %w", c, v.size, s.limit, ErrTooLarge)
		}
		s.end()
		return s.add(ctx, c)
	}
	s.above.add(k)
	if !identity {
		s.spine, s.sizes = append(s.spine, c), append(s.sizes, v.size)
	}
	for _, l := range links {
		if err := s.add(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// try adds the whole DAG under c to the current part, or nothing and errNoFit.
func (s *splitter) try(ctx context.Context, c cid.Cid) error {
	size, blocks := s.part.Size+rootSize(c), s.part.Blocks
	fresh := new(seenSet)
	w := newWalker(s.src, 0)
	w.sizer, _ = s.src.(Sizer)
	w.met = func(k cidKey) bool { return fresh.has(k) || s.held.has(k) }
	w.visited = func(k cidKey) { fresh.add(k) }
	w.each = func(v visit) error {
		blocks++
		if size += sectionSize(v.c, v.size); size > s.limit {
			return errNoFit
		}
		return nil
	}
	if err := w.run(ctx, c); err != nil {
		return err
	}
	s.part.Roots = append(s.part.Roots, c)
	s.part.Size, s.part.Blocks = size, blocks
	s.held.merge(fresh)
	return nil
}

// block reads one block and its links.
func (s *splitter) block(ctx context.Context, c cid.Cid) (v visit, links []cid.Cid, err error) {
	w := newWalker(s.src, 0)
	w.sizer, _ = s.src.(Sizer)
	p := &fetch{}
	w.ctx = ctx
	err = w.load(c, p)
	return visit{c: c, data: p.data, size: p.size}, p.links, err
}

// finish adds the spine to the last part, and to further ones if it does not fit,
// and makes the sizes exact.
func (s *splitter) finish() error {
	for i, c := range s.spine {
		size := sectionSize(c, s.sizes[i])
		if len(s.part.Alone) == 0 {
			size += rootSize(c)
		}
		if s.part.Size+size > s.limit && s.part.Blocks > 0 {
			s.end()
			size = sectionSize(c, s.sizes[i]) + rootSize(c)
		}
		if s.part.Size += size; s.part.Size > s.limit {
			return fmt.Errorf("block %s does not fit into a part of %d: %w", c, s.limit, ErrTooLarge)
		}
		s.part.Alone = append(s.part.Alone, c)
		s.part.Blocks++
	}
	s.end()
	for i := range s.parts {
		p := &s.parts[i]
		header, err := carHeader(p.headerRoots())
		if err != nil {
			return err
		}
		p.Size -= carHeadMost
		for _, c := range p.headerRoots() {
			p.Size -= rootSize(c)
		}
		p.Size += uint64(len(header))
	}
	return nil
}
