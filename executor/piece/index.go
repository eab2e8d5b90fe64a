package piece

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sort"

	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
)

const (
	codecMultihashIndexSorted = 0x0401
	// indexMemory is how much of an index is held before it goes to a file, bytes.
	indexMemory = 48 << 20
)

// PackV2 is Pack into a CARv2 file: header, the CARv1, and an index sorted by
// multihash. Offsets and the commitment are those of the CARv1 within, which
// begins CARv2Offset after where out stands. An index of more than a million
// blocks is sorted in a file of TempDir.
func PackV2(ctx context.Context, src Blocks, what Contents, out io.WriteSeeker, o PackOptions) (Packed, error) {
	index := &indexSorter{dir: o.TempDir, memory: indexMemory, buckets: make(map[indexBucket]*indexRows)}
	return packV2(ctx, src, what, out, o, index)
}

func packV2(ctx context.Context, src Blocks, what Contents, out io.WriteSeeker, o PackOptions, index *indexSorter) (Packed, error) {
	base, err := out.Seek(0, io.SeekCurrent)
	if err != nil {
		return Packed{}, fmt.Errorf("CARv2: %w", err)
	}
	if _, err := out.Write(make([]byte, CARv2Offset)); err != nil {
		return Packed{}, fmt.Errorf("writing the CARv2 header: %w", err)
	}
	defer index.close()
	p, err := pack(ctx, src, what, out, o, index)
	if err != nil {
		return Packed{}, err
	}
	if err := index.write(out); err != nil {
		return Packed{}, fmt.Errorf("writing the CARv2 index: %w", err)
	}
	head := append([]byte(carV2Pragma), make([]byte, 16)...) // no characteristics
	for _, n := range []uint64{uint64(CARv2Offset), p.Payload, uint64(CARv2Offset) + p.Payload} {
		head = binary.LittleEndian.AppendUint64(head, n)
	}
	if _, err := out.Seek(base, io.SeekStart); err != nil {
		return Packed{}, fmt.Errorf("CARv2: %w", err)
	}
	if _, err := out.Write(head); err != nil {
		return Packed{}, fmt.Errorf("writing the CARv2 header: %w", err)
	}
	return p, nil
}

// indexBucket is what has one sorted table in an index.
type indexBucket struct {
	code  uint64 // of the hash
	width int    // of a row: digest and 8 bytes of offset
}

// indexRows are rows of one bucket; runs are sorted parts of them in the file.
type indexRows struct {
	rows  []byte
	total uint64
	runs  []io.SectionReader
}

// indexSorter sorts the rows of an index, in memory until there are too many.
type indexSorter struct {
	dir     string
	memory  int
	held    int // bytes of rows
	buckets map[indexBucket]*indexRows
	file    *os.File
	end     int64 // of file
}

func (x *indexSorter) add(c cid.Cid, offset uint64) error {
	dec, err := mh.Decode(c.Hash())
	if err != nil {
		return fmt.Errorf("indexing %s: %w", c, err)
	}
	k := indexBucket{dec.Code, len(dec.Digest) + 8}
	b := x.buckets[k]
	if b == nil {
		b = &indexRows{}
		x.buckets[k] = b
	}
	b.rows = append(b.rows, dec.Digest...)
	b.rows = binary.LittleEndian.AppendUint64(b.rows, offset)
	b.total++
	if x.held += k.width; x.held >= x.memory {
		return x.spill()
	}
	return nil
}

// spill moves all rows to the file, sorted.
func (x *indexSorter) spill() error {
	if x.file == nil {
		f, err := os.CreateTemp(x.dir, "car-index-*")
		if err != nil {
			return fmt.Errorf("sorting the index: %w", err)
		}
		x.file = f
	}
	for k, b := range x.buckets {
		sort.Sort(&rowSort{b.rows, k.width, make([]byte, k.width)})
		if _, err := x.file.WriteAt(b.rows, x.end); err != nil {
			return fmt.Errorf("sorting the index: %w", err)
		}
		b.runs = append(b.runs, *io.NewSectionReader(x.file, x.end, int64(len(b.rows))))
		x.end += int64(len(b.rows))
		b.rows = b.rows[:0]
	}
	x.held = 0
	return nil
}

// close removes the file, if there is one.
func (x *indexSorter) close() {
	if x.file != nil {
		_ = x.file.Close()
		_ = os.Remove(x.file.Name())
	}
}

// write writes the index: for each hash, for each width, the sorted rows.
func (x *indexSorter) write(out io.Writer) error {
	le := binary.LittleEndian
	w := bufio.NewWriterSize(out, outBuffer)
	keys := slices.SortedFunc(maps.Keys(x.buckets), func(a, b indexBucket) int {
		return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(a.width, b.width))
	})
	widths := make(map[uint64]uint32)
	for _, k := range keys {
		widths[k.code]++
	}
	b := binary.AppendUvarint(nil, codecMultihashIndexSorted)
	b = le.AppendUint32(b, uint32(len(widths)))
	for i, k := range keys {
		if i == 0 || keys[i-1].code != k.code {
			b = le.AppendUint64(b, k.code)
			b = le.AppendUint32(b, widths[k.code])
		}
		rows := x.buckets[k]
		b = le.AppendUint32(b, uint32(k.width))
		b = le.AppendUint64(b, rows.total*uint64(k.width))
		if _, err := w.Write(b); err != nil {
			return err
		}
		b = b[:0]
		if err := rows.merge(w, k.width); err != nil {
			return err
		}
	}
	if _, err := w.Write(b); err != nil {
		return err
	}
	return w.Flush()
}

// merge writes all rows of a bucket in order.
func (b *indexRows) merge(w io.Writer, width int) error {
	sort.Sort(&rowSort{b.rows, width, make([]byte, width)})
	if len(b.runs) == 0 {
		_, err := w.Write(b.rows)
		return err
	}
	type run struct {
		r   io.Reader
		row []byte
	}
	runs := make([]*run, 0, len(b.runs)+1)
	next := func(r *run) (bool, error) {
		_, err := io.ReadFull(r.r, r.row)
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		return err == nil, err
	}
	sources := []io.Reader{bytes.NewReader(b.rows)}
	for i := range b.runs {
		sources = append(sources, bufio.NewReaderSize(&b.runs[i], outBuffer))
	}
	for _, s := range sources {
		r := &run{s, make([]byte, width)}
		if ok, err := next(r); err != nil {
			return err
		} else if ok {
			runs = append(runs, r)
		}
	}
	for len(runs) > 0 {
		least := 0
		for i := range runs {
			if bytes.Compare(runs[i].row, runs[least].row) < 0 {
				least = i
			}
		}
		if _, err := w.Write(runs[least].row); err != nil {
			return err
		}
		if ok, err := next(runs[least]); err != nil {
			return err
		} else if !ok {
			runs = slices.Delete(runs, least, least+1)
		}
	}
	return nil
}

// rowSort sorts rows of one width by digest, then offset bytes.
type rowSort struct {
	rows  []byte
	width int
	swap  []byte
}

func (s *rowSort) Len() int         { return len(s.rows) / s.width }
func (s *rowSort) row(i int) []byte { return s.rows[i*s.width : (i+1)*s.width] }

func (s *rowSort) Less(i, j int) bool { return bytes.Compare(s.row(i), s.row(j)) < 0 }

func (s *rowSort) Swap(i, j int) {
	copy(s.swap, s.row(i))
	copy(s.row(i), s.row(j))
	copy(s.row(j), s.swap)
}
