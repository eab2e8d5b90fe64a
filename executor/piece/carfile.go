package piece

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"
	"github.com/ipfs/go-cid"
)

var (
	// ErrBadCAR is returned for a file that is not a CAR, or is cut short.
	ErrBadCAR = errors.New("not a CAR, or cut short")
	// ErrNoBlock is returned by CARFile.Get and by Join for a block that is absent.
	ErrNoBlock = errors.New("block not found")
)

// CARFile is a CAR that can be read at any place, as Blocks and as a Sizer. It may
// be used concurrently. In memory it has about 50 bytes a block.
type CARFile struct {
	Roots  []cid.Cid
	r      io.ReaderAt
	blocks map[cidKey]span
}

// span is where a block's bytes are in the file.
type span struct {
	at   uint64
	size uint32
}

// OpenCAR scans a CARv1 or CARv2. Zeros behind its last section, as in a piece read
// back from a provider, are no error. Blocks are not verified: Pack and Measure do.
func OpenCAR(r io.ReaderAt, size int64) (*CARFile, error) {
	s := &carScan{r: r, end: uint64(max(size, 0))}
	head, err := s.header()
	if err != nil {
		return nil, err
	}
	if head.Version == 2 {
		b, err := s.bytes(carV2Header)
		if err != nil {
			return nil, err
		}
		from, n := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
		if from > s.end || n > s.end-from {
			return nil, fmt.Errorf("%w: its CARv2 header points outside of it", ErrBadCAR)
		}
		s.at, s.end = from, from+n
		if head, err = s.header(); err != nil {
			return nil, err
		}
	}
	if head.Version != 1 {
		return nil, fmt.Errorf("%w: version %d", ErrBadCAR, head.Version)
	}
	f := &CARFile{r: r, blocks: make(map[cidKey]span)}
	if f.Roots, err = head.cids(); err != nil {
		return nil, err
	}
	return f, s.sections(func(c cid.Cid, at, size uint64) {
		f.blocks[blockKey(c)] = span{at, uint32(size)}
	})
}

// blockKey is the same for all CIDs of one block.
func blockKey(c cid.Cid) cidKey { return keyOf(cid.NewCidV1(cid.Raw, c.Hash())) }

// Blocks is how many the file has.
func (f *CARFile) Blocks() int { return len(f.blocks) }

// Get reads a block; it wraps ErrNoBlock if the file has it not.
func (f *CARFile) Get(_ context.Context, c cid.Cid) ([]byte, error) {
	at, ok := f.blocks[blockKey(c)]
	if !ok {
		return nil, fmt.Errorf("%s: %w", c, ErrNoBlock)
	}
	b := make([]byte, at.size)
	if n, err := f.r.ReadAt(b, int64(at.at)); n < len(b) {
		return nil, fmt.Errorf("reading the CAR at %d: %w", at.at, err)
	}
	return b, nil
}

// Size is that of a block; it wraps ErrNoBlock if the file has it not.
func (f *CARFile) Size(_ context.Context, c cid.Cid) (uint64, error) {
	at, ok := f.blocks[blockKey(c)]
	if !ok {
		return 0, fmt.Errorf("%s: %w", c, ErrNoBlock)
	}
	return uint64(at.size), nil
}

// Join gives each block from the first source that has it.
func Join(sources ...Blocks) Blocks { return joined(sources) }

type joined []Blocks

func (j joined) Get(ctx context.Context, c cid.Cid) ([]byte, error) {
	for _, s := range j {
		b, err := s.Get(ctx, c)
		if err == nil || !errors.Is(err, ErrNoBlock) {
			return b, err
		}
	}
	return nil, fmt.Errorf("%s: %w", c, ErrNoBlock)
}

// carHead is a CAR's header.
type carHead struct {
	Version uint64     `cbor:"version"`
	Roots   []cbor.Tag `cbor:"roots"`
}

func (h carHead) cids() ([]cid.Cid, error) {
	out := make([]cid.Cid, 0, len(h.Roots))
	for _, tag := range h.Roots {
		b, ok := tag.Content.([]byte)
		if !ok || tag.Number != 42 || len(b) == 0 || b[0] != 0 {
			return nil, fmt.Errorf("%w: a root in its header is no CID", ErrBadCAR)
		}
		c, err := cid.Cast(b[1:])
		if err != nil {
			return nil, fmt.Errorf("%w: a root in its header: %w", ErrBadCAR, err)
		}
		out = append(out, c)
	}
	return out, nil
}

var headerMode = func() cbor.DecMode {
	m, err := cbor.DecOptions{MaxArrayElements: 1 << 20}.DecMode()
	if err != nil {
		panic("piece: " + err.Error()) // the options are constants
	}
	return m
}()

// carScan reads a CAR from front to back by a window, and passes over blocks.
type carScan struct {
	r       io.ReaderAt
	at, end uint64
	window  []byte
	from    uint64
}

// peek gives up to n bytes at the current place; fewer only at the end.
func (s *carScan) peek(n int) ([]byte, error) {
	n = int(min(uint64(n), s.end-s.at))
	if s.at < s.from || s.at+uint64(n) > s.from+uint64(len(s.window)) {
		s.window = s.window[:cap(s.window)]
		if want := max(n, 16<<10); len(s.window) < want {
			s.window = make([]byte, want)
		}
		s.window, s.from = s.window[:min(uint64(len(s.window)), s.end-s.at)], s.at
		if k, err := s.r.ReadAt(s.window, int64(s.at)); k < len(s.window) {
			if errors.Is(err, io.EOF) {
				err = ErrBadCAR
			}
			return nil, fmt.Errorf("reading the CAR at %d: %w", s.at, err)
		}
	}
	return s.window[s.at-s.from:][:n], nil
}

func (s *carScan) bytes(n int) ([]byte, error) {
	b, err := s.peek(n)
	if err == nil && len(b) < n {
		err = fmt.Errorf("%w: %d bytes are missing at %d", ErrBadCAR, n-len(b), s.at)
	}
	s.at += uint64(len(b))
	return b, err
}

func (s *carScan) header() (h carHead, err error) {
	n, err := s.uvarint()
	if err != nil || n == 0 || n > maxHeader {
		return h, errors.Join(err, fmt.Errorf("%w: its header has %d bytes", ErrBadCAR, n))
	}
	b, err := s.bytes(int(n))
	if err != nil {
		return h, err
	}
	if err := headerMode.Unmarshal(b, &h); err != nil {
		return h, fmt.Errorf("%w: its header: %w", ErrBadCAR, err)
	}
	return h, nil
}

func (s *carScan) uvarint() (uint64, error) {
	b, err := s.peek(binary.MaxVarintLen64)
	if err != nil {
		return 0, err
	}
	n, k := binary.Uvarint(b)
	if k <= 0 {
		return 0, fmt.Errorf("%w: no length at %d", ErrBadCAR, s.at)
	}
	s.at += uint64(k)
	return n, nil
}

// sections visits every section until the end, or until zeros.
func (s *carScan) sections(f func(c cid.Cid, at, size uint64)) error {
	for s.at < s.end {
		start := s.at
		n, err := s.uvarint()
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		if n > maxSection || n > s.end-s.at {
			return fmt.Errorf("%w: a section of %d bytes at %d", ErrBadCAR, n, start)
		}
		b, err := s.peek(int(min(n, 256)))
		if err != nil {
			return err
		}
		k, c, err := cid.CidFromBytes(b)
		if err != nil {
			return fmt.Errorf("%w: the section at %d: %w", ErrBadCAR, start, err)
		}
		f(c, s.at+uint64(k), n-uint64(k))
		s.at += n
	}
	return nil
}
