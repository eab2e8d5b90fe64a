package piece

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/ipfs/go-cid"
)

// A layout file is
//
//	magic, the CAR's header with its length before it as a 32-bit number,
//	groups of 64 records: size of the block, length of its CID, the CID,
//	a directory: for each group its offset in the CAR and its place in the file,
//	trailer: blocks, size of the CAR, place of the directory, magic.
//
// Numbers of records are varints, the others little-endian and 64 bits wide. It
// costs about 40 bytes a block.
const (
	layoutMagic   = "tdglay01"
	layoutGroup   = 64
	layoutTrailer = 3*8 + len(layoutMagic)
	layoutDirRow  = 16
)

// ErrBadLayout is returned for a file that is not a whole layout.
var ErrBadLayout = errors.New("not a layout of a CAR, or cut short")

// layoutWriter writes one; its errors come from close at the latest.
type layoutWriter struct {
	w      *bufio.Writer
	at     uint64
	blocks uint64
	dir    []byte
	row    []byte
	err    error
}

func newLayoutWriter(w io.Writer, header []byte) *layoutWriter {
	l := &layoutWriter{w: bufio.NewWriter(w)}
	b := binary.LittleEndian.AppendUint32([]byte(layoutMagic), uint32(len(header)))
	l.put(append(b, header...))
	return l
}

func (l *layoutWriter) put(b []byte) {
	if l.err == nil {
		_, l.err = l.w.Write(b)
		l.at += uint64(len(b))
	}
}

func (l *layoutWriter) add(offset uint64, c cid.Cid, size uint64) error {
	if l.blocks%layoutGroup == 0 {
		l.dir = binary.LittleEndian.AppendUint64(l.dir, offset)
		l.dir = binary.LittleEndian.AppendUint64(l.dir, l.at)
	}
	l.blocks++
	l.row = binary.AppendUvarint(l.row[:0], size)
	l.row = binary.AppendUvarint(l.row, uint64(c.ByteLen()))
	l.put(append(l.row, c.KeyString()...))
	return l.failed()
}

func (l *layoutWriter) close(size uint64) error {
	at := l.at
	l.put(l.dir)
	var b []byte
	for _, n := range []uint64{l.blocks, size, at} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	l.put(append(b, layoutMagic...))
	if l.err == nil {
		l.err = l.w.Flush()
	}
	return l.failed()
}

func (l *layoutWriter) failed() error {
	if l.err != nil {
		return fmt.Errorf("writing the layout: %w", l.err)
	}
	return nil
}

// Layout says which block is where in a CAR that Pack wrote. In memory it has 16
// bytes for each 64 blocks. It may be used concurrently.
type Layout struct {
	r      io.ReaderAt
	header []byte
	dir    []byte
	groups int
	end    uint64 // of the groups in the file
	blocks uint64
	size   uint64
}

// OpenLayout reads what PackOptions.Layout was given. r is used as long as the
// layout is, and for concurrent calls.
func OpenLayout(r io.ReaderAt, size int64) (*Layout, error) {
	head := make([]byte, len(layoutMagic)+4)
	tail := make([]byte, layoutTrailer)
	if size < int64(len(head)+len(tail)) {
		return nil, ErrBadLayout
	}
	if err := errors.Join(readAt(r, head, 0), readAt(r, tail, size-int64(len(tail)))); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	if string(head[:len(layoutMagic)]) != layoutMagic || string(tail[24:]) != layoutMagic {
		return nil, ErrBadLayout
	}
	l := &Layout{r: r, blocks: le.Uint64(tail), size: le.Uint64(tail[8:]), end: le.Uint64(tail[16:])}
	l.groups = int((l.blocks + layoutGroup - 1) / layoutGroup)
	headerSize := uint64(le.Uint32(head[len(layoutMagic):]))
	first := uint64(len(head)) + headerSize
	if headerSize > maxHeader+8 || l.blocks > uint64(size) || l.end < first ||
		l.end+uint64(l.groups)*layoutDirRow+uint64(layoutTrailer) != uint64(size) {
		return nil, ErrBadLayout
	}
	l.header, l.dir = make([]byte, headerSize), make([]byte, l.groups*layoutDirRow)
	if err := errors.Join(readAt(r, l.header, int64(len(head))), readAt(r, l.dir, int64(l.end))); err != nil {
		return nil, err
	}
	offset, at := headerSize, first
	for i := range l.groups {
		o, a := l.row(i)
		if o < offset || a < at || o >= l.size || a >= l.end {
			return nil, ErrBadLayout
		}
		offset, at = o, a
	}
	return l, nil
}

func readAt(r io.ReaderAt, b []byte, at int64) error {
	if n, err := r.ReadAt(b, at); n < len(b) {
		if err == nil || errors.Is(err, io.EOF) {
			return ErrBadLayout
		}
		return fmt.Errorf("reading the layout: %w", err)
	}
	return nil
}

// row is where a group begins in the CAR and in the file.
func (l *Layout) row(i int) (offset, at uint64) {
	b := l.dir[i*layoutDirRow:]
	return binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
}

// Size is that of the CARv1, bytes.
func (l *Layout) Size() uint64 { return l.size }

// Blocks is how many sections the CAR has.
func (l *Layout) Blocks() uint64 { return l.blocks }

// placed is a section of the CAR.
type placed struct {
	c      cid.Cid
	offset uint64 // of its head
	size   uint64 // of the block
}

// group reads one group's records.
func (l *Layout) group(i int, into []placed) ([]placed, error) {
	offset, at := l.row(i)
	end := l.end
	if i+1 < l.groups {
		_, end = l.row(i + 1)
	}
	if end < at || end-at > layoutGroup<<10 {
		return nil, ErrBadLayout
	}
	b := make([]byte, end-at)
	if err := readAt(l.r, b, int64(at)); err != nil {
		return nil, err
	}
	into = into[:0]
	for len(b) > 0 {
		size, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, ErrBadLayout
		}
		b = b[n:]
		k, n := binary.Uvarint(b)
		if n <= 0 || k > uint64(len(b)-n) {
			return nil, ErrBadLayout
		}
		c, err := cid.Cast(b[n : n+int(k)])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBadLayout, err)
		}
		b = b[n+int(k):]
		into = append(into, placed{c, offset, size})
		offset += sectionSize(c, size)
	}
	return into, nil
}

// Each visits the sections of the CAR in order.
func (l *Layout) Each(f func(c cid.Cid, offset, size uint64) error) error {
	var rows []placed
	var err error
	for i := range l.groups {
		if rows, err = l.group(i, rows); err != nil {
			return err
		}
		for _, p := range rows {
			if err := f(p.c, p.offset, p.size); err != nil {
				return err
			}
		}
	}
	return nil
}

// Reader reads the CAR that l describes, any range of it, by getting the blocks it
// needs and verifying them. It fits http.ServeContent. It is for one goroutine;
// a layout may have many.
func (l *Layout) Reader(ctx context.Context, src Blocks) io.ReadSeeker {
	return &layoutReader{ctx: ctx, l: l, src: src, group: -1}
}

// layoutReader keeps the group and the section that were read last.
type layoutReader struct {
	ctx     context.Context
	l       *Layout
	src     Blocks
	at      int64
	group   int
	rows    []placed
	section []byte
	from    uint64 // of section in the CAR
}

func (r *layoutReader) Seek(offset int64, whence int) (int64, error) {
	at, err := seek(r.at, int64(r.l.size), offset, whence)
	if err == nil {
		r.at = at
	}
	return at, err
}

func seek(at, size, offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += at
	case io.SeekEnd:
		offset += size
	case io.SeekStart:
	default:
		return at, fmt.Errorf("seek: whence %d", whence)
	}
	if offset < 0 {
		return at, errors.New("seek before the beginning")
	}
	return offset, nil
}

func (r *layoutReader) Read(b []byte) (int, error) {
	if uint64(r.at) >= r.l.size {
		return 0, io.EOF
	}
	if len(b) == 0 {
		return 0, nil
	}
	at := uint64(r.at)
	if at < r.from || at >= r.from+uint64(len(r.section)) {
		if err := r.load(at); err != nil {
			return 0, fmt.Errorf("reading a CAR at %d: %w", at, err)
		}
	}
	n := copy(b, r.section[at-r.from:])
	r.at += int64(n)
	return n, nil
}

// load makes the section that holds the byte at the current one.
func (r *layoutReader) load(at uint64) error {
	if at < uint64(len(r.l.header)) {
		r.section, r.from = r.l.header, 0
		return nil
	}
	i := sort.Search(r.l.groups, func(i int) bool { o, _ := r.l.row(i); return o > at }) - 1
	if i < 0 {
		return ErrBadLayout
	}
	if i != r.group {
		rows, err := r.l.group(i, r.rows)
		if err != nil {
			r.group = -1
			return err
		}
		r.rows, r.group = rows, i
	}
	j := sort.Search(len(r.rows), func(j int) bool { return r.rows[j].offset > at }) - 1
	if j < 0 {
		return ErrBadLayout
	}
	p := r.rows[j]
	data, err := r.src.Get(r.ctx, p.c)
	if err != nil {
		return fmt.Errorf("reading %s: %w", p.c, err)
	}
	if err := verify(p.c, data); err != nil {
		return err
	}
	if uint64(len(data)) != p.size || at >= p.offset+sectionSize(p.c, p.size) {
		return ErrBadLayout
	}
	// A new slice: the last one may be the layout's header.
	section := make([]byte, 0, sectionSize(p.c, p.size))
	r.section, r.from = append(appendSectionHead(section, p.c, p.size), data...), p.offset
	return nil
}
