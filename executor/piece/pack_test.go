package piece

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ipfs/go-cid"
	carv1 "github.com/ipld/go-car"
	carv2 "github.com/ipld/go-car/v2"
	"github.com/ipld/go-car/v2/index"
	_ "github.com/ipld/go-codec-dagpb"
	"github.com/ipld/go-ipld-prime"
	_ "github.com/ipld/go-ipld-prime/codec/raw"
	cidlink "github.com/ipld/go-ipld-prime/linking/cid"
	selectorparse "github.com/ipld/go-ipld-prime/traversal/selector/parse"
)

// packed is the CAR of some roots, with its layout.
func packed(t testing.TB, src Blocks, what Contents) (Packed, []byte, *Layout) {
	t.Helper()
	var car, layout bytes.Buffer
	p, err := Pack(t.Context(), src, what, &car, PackOptions{Layout: &layout})
	if err != nil {
		t.Fatal(err)
	}
	l, err := OpenLayout(bytes.NewReader(layout.Bytes()), int64(layout.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return p, car.Bytes(), l
}

// visited is the order that Contents promises, computed by plain recursion.
func visited(t testing.TB, m *memory, roots ...cid.Cid) []cid.Cid {
	t.Helper()
	met := make(map[cid.Cid]bool)
	var out []cid.Cid
	var visit func(c cid.Cid)
	visit = func(c cid.Cid) {
		if met[c] {
			return
		}
		met[c] = true
		data, identity := identityData(c)
		if !identity {
			out = append(out, c)
			data = m.blocks[string(c.Hash())]
		}
		below, err := linksOf(c, data)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range below {
			visit(l)
		}
	}
	for _, c := range roots {
		visit(c)
	}
	return out
}

func sections(t testing.TB, car []byte) []cid.Cid {
	t.Helper()
	r, err := carv1.NewCarReader(bytes.NewReader(car))
	if err != nil {
		t.Fatal(err)
	}
	var out []cid.Cid
	for {
		b, err := r.Next() // verifies the block
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b.Cid())
	}
}

func TestPackOrder(t *testing.T) {
	m := newMemory()
	zoo := m.zoo(t)
	p, car, l := packed(t, m, Contents{Roots: []cid.Cid{zoo}})
	want := visited(t, m, zoo)
	if got := sections(t, car); !slices.Equal(got, want) {
		t.Errorf("order\n%v\nwant\n%v", got, want)
	}
	if p.Payload != uint64(len(car)) || p.Blocks != uint64(len(want)) || l.Size() != p.Payload || l.Blocks() != p.Blocks {
		t.Errorf("%+v for %d bytes, layout of %d", p, len(car), l.Size())
	}
	if p.Commitment != reference(t, car) {
		t.Errorf("commitment %v", p.Commitment)
	}
	if got := p.Items[0]; got.Root != zoo || got.Offset+got.Size != p.Payload || got.Blocks != p.Blocks {
		t.Errorf("item %+v", got)
	}
	size, err := Measure(t.Context(), m, Contents{Roots: []cid.Cid{zoo}}, 0)
	if err != nil || size.Size != p.Payload || size.Blocks != p.Blocks {
		t.Errorf("measured %+v, %v; packed %+v", size, err, p)
	}
	for c, n := range m.gets {
		if n > 3 {
			t.Errorf("%s was read %d times", c, n)
		}
	}
	again, _, _ := packed(t, m, Contents{Roots: []cid.Cid{zoo}})
	if again.Commitment != p.Commitment {
		t.Error("twice the same contents, two CARs")
	}
}

// TestPackEqualsGoCar compares bytes with both versions of the reference library.
func TestPackEqualsGoCar(t *testing.T) {
	m := newMemory()
	file := m.file(t, 1, 300, 700, 7)
	_, car, _ := packed(t, m, Contents{Roots: []cid.Cid{file}})
	var v1 bytes.Buffer
	if err := carv1.WriteCar(t.Context(), nodes{m}, []cid.Cid{file}, &v1); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(car, v1.Bytes()) {
		t.Errorf("our CAR of %d bytes is not go-car's of %d", len(car), v1.Len())
	}
	root := m.cbor(t, file, m.raw([]byte("x")), m.cbor(t, file, m.node(t, "y")))
	_, car, _ = packed(t, m, Contents{Roots: []cid.Cid{root}})
	ls := cidlink.DefaultLinkSystem()
	ls.TrustedStorage = true
	ls.StorageReadOpener = func(_ ipld.LinkContext, l ipld.Link) (io.Reader, error) {
		b, err := m.Get(context.Background(), l.(cidlink.Link).Cid)
		return bytes.NewReader(b), err
	}
	var v2 bytes.Buffer
	if _, err := carv2.TraverseV1(t.Context(), &ls, root, selectorparse.CommonSelector_ExploreAllRecursively, &v2); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(car, v2.Bytes()) {
		t.Errorf("our CAR of %d bytes is not go-car/v2's of %d", len(car), v2.Len())
	}
}

// TestPackV2 has go-car inspect the file, and compares its own index; the second
// run sorts in a file.
func TestPackV2(t *testing.T) {
	m := newMemory()
	// No multihash twice: the order of equal ones is nobody's.
	root := m.node(t, "both", m.cbor(t, m.file(t, 5, 70, 10, 6), m.raw([]byte("z"))), m.file(t, 3, 900, 100, 30))
	for _, limit := range []int{indexMemory, 1000} {
		path := filepath.Join(t.TempDir(), "x.car")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		x := &indexSorter{dir: t.TempDir(), memory: limit, buckets: make(map[indexBucket]*indexRows)}
		p, err := packV2(t.Context(), m, Contents{Roots: []cid.Cid{root}}, f, PackOptions{}, x)
		if err != nil {
			t.Fatal(err)
		}
		if left, _ := os.ReadDir(x.dir); len(left) > 0 {
			t.Errorf("%v is left over", left)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := carv2.OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		st, err := r.Inspect(true)
		if err != nil || st.Version != 2 || st.BlockCount != p.Blocks || !st.RootsPresent || st.Header.DataSize != p.Payload {
			t.Errorf("%+v, %v; packed %+v", st, err, p)
		}
		data, err := r.DataReader()
		if err != nil {
			t.Fatal(err)
		}
		car, err := io.ReadAll(data)
		if err != nil || reference(t, car) != p.Commitment {
			t.Errorf("the CARv1 within has %d bytes, %v", len(car), err)
		}
		want, err := carv2.GenerateIndex(bytes.NewReader(car))
		if err != nil {
			t.Fatal(err)
		}
		var ours, theirs bytes.Buffer
		ir, err := r.IndexReader()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = ours.ReadFrom(ir)
		if _, err := index.WriteTo(want, &theirs); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours.Bytes(), theirs.Bytes()) {
			t.Errorf("index of %d bytes, go-car's has %d", ours.Len(), theirs.Len())
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestItems packs many roots that share blocks.
func TestItems(t *testing.T) {
	m := newMemory()
	a, b := m.file(t, 1, 20, 100, 5), m.file(t, 2, 30, 200, 5)
	both := m.node(t, "both", a, b)
	what := Contents{Roots: []cid.Cid{a, both, b, a}}
	p, car, _ := packed(t, m, what)
	want := visited(t, m, what.Roots...)
	if got := sections(t, car); !slices.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	end := p.Items[0].Offset
	for i, it := range p.Items {
		if it.Root != what.Roots[i] || it.Offset != end {
			t.Errorf("item %d: %+v, want it at %d", i, it, end)
		}
		end += it.Size
	}
	if end != p.Payload || p.Items[2].Size != 0 || p.Items[3].Blocks != 0 || p.Items[1].Size == 0 {
		t.Errorf("items %+v of %d bytes", p.Items, p.Payload)
	}
}

// TestLayoutRanges reads ranges in random order and all of it at once.
func TestLayoutRanges(t *testing.T) {
	m := newMemory()
	_, car, l := packed(t, m, Contents{Roots: []cid.Cid{m.zoo(t), m.file(t, 9, 500, 333, 11)}})
	whole, err := io.ReadAll(l.Reader(t.Context(), m))
	if err != nil || !bytes.Equal(whole, car) {
		t.Fatalf("%d bytes, %v; want %d", len(whole), err, len(car))
	}
	r := l.Reader(t.Context(), m)
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		from := rnd.IntN(len(car))
		n := rnd.IntN(min(3000, len(car)-from) + 1)
		if _, err := r.Seek(int64(from), io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, n)
		if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, car[from:from+n]) {
			t.Fatalf("%d bytes at %d: %v", n, from, err)
		}
	}
	if at, err := r.Seek(0, io.SeekEnd); err != nil || at != int64(len(car)) {
		t.Error(at, err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("behind the end: %v", err)
	}
	if _, err := r.Seek(-1, io.SeekStart); err == nil {
		t.Error("before the beginning")
	}
}

// TestLayoutCutShort cuts and changes a layout everywhere: it must not be taken for
// another, nor end the program.
func TestLayoutCutShort(t *testing.T) {
	m := newMemory()
	var layout bytes.Buffer
	if _, err := Pack(t.Context(), m, Contents{Roots: []cid.Cid{m.file(t, 9, 130, 10, 9)}}, nil, PackOptions{Layout: &layout}); err != nil {
		t.Fatal(err)
	}
	whole := layout.Bytes()
	for n := 0; n < len(whole); n += 3 {
		if _, err := OpenLayout(bytes.NewReader(whole[:n]), int64(n)); !errors.Is(err, ErrBadLayout) {
			t.Fatalf("the first %d of %d bytes: %v", n, len(whole), err)
		}
	}
	for i := 0; i < len(whole); i += 5 {
		bad := slices.Clone(whole)
		bad[i] ^= 0x55
		l, err := OpenLayout(bytes.NewReader(bad), int64(len(bad)))
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(l.Reader(t.Context(), m), int64(len(whole))))
	}
}

func TestPackFailures(t *testing.T) {
	m := newMemory()
	root := m.file(t, 1, 50, 1000, 5)
	all := visited(t, m, root)
	what := Contents{Roots: []cid.Cid{root}}
	pack := func(o PackOptions) error {
		_, err := Pack(t.Context(), m, what, io.Discard, o)
		return err
	}
	if err := pack(PackOptions{MaxSize: 20_000}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("more than allowed: %v", err)
	}
	if _, err := Measure(t.Context(), m, what, 20_000); !errors.Is(err, ErrTooLarge) {
		t.Errorf("measured more than allowed: %v", err)
	}
	victim := all[len(all)/2]
	good := m.blocks[string(victim.Hash())]
	m.drop(victim)
	if err := pack(PackOptions{}); !errors.Is(err, ErrNoBlock) {
		t.Errorf("a missing block: %v", err)
	}
	m.put(victim, append(slices.Clone(good[:len(good)-1]), good[len(good)-1]^1))
	if err := pack(PackOptions{}); !errors.Is(err, ErrBadBlock) {
		t.Errorf("a changed block: %v", err)
	}
	m.put(victim, good)
	if _, err := Pack(t.Context(), m, what, failing{}, PackOptions{}); !errors.Is(err, errDisk) {
		t.Errorf("a full disk: %v", err)
	}
	if err := pack(PackOptions{Layout: failing{}}); !errors.Is(err, errDisk) {
		t.Errorf("a full disk for the layout: %v", err)
	}
	if _, err := Pack(t.Context(), m, Contents{}, io.Discard, PackOptions{}); err == nil {
		t.Error("no roots")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("had enough")
	err := func() error {
		_, err := Pack(ctx, m, what, writeFunc(func(b []byte) (int, error) { cancel(why); return len(b), nil }), PackOptions{})
		return err
	}()
	cancel(nil)
	if err != nil && !errors.Is(err, why) {
		t.Errorf("cancelled: %v", err)
	}
	cancelled, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Pack(cancelled, m, what, io.Discard, PackOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
}

var errDisk = errors.New("disk is full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errDisk }

type writeFunc func([]byte) (int, error)

func (f writeFunc) Write(b []byte) (int, error) { return f(b) }

// TestCARFile reads our own CARs back, of both versions, with zeros behind.
func TestCARFile(t *testing.T) {
	m := newMemory()
	root := m.node(t, "top", m.zoo(t), m.file(t, 4, 100, 3000, 10))
	p, car, _ := packed(t, m, Contents{Roots: []cid.Cid{root}})
	v2, err := os.Create(filepath.Join(t.TempDir(), "v2"))
	if err != nil {
		t.Fatal(err)
	}
	defer v2.Close()
	if _, err := PackV2(t.Context(), m, Contents{Roots: []cid.Cid{root}}, v2, PackOptions{}); err != nil {
		t.Fatal(err)
	}
	st, err := v2.Stat()
	if err != nil {
		t.Fatal(err)
	}
	behind := append(slices.Clone(car), make([]byte, 5000)...)
	for name, from := range map[string]struct {
		r io.ReaderAt
		n int64
	}{
		"v1": {bytes.NewReader(car), int64(len(car))}, "v2": {v2, st.Size()}, "piece": {bytes.NewReader(behind), int64(len(behind))},
	} {
		f, err := OpenCAR(from.r, from.n)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := Pack(t.Context(), f, Contents{Roots: f.Roots}, nil, PackOptions{})
		if err != nil || again.Commitment != p.Commitment {
			t.Errorf("%s: packed again %v, %v; want %v", name, again.Commitment, err, p.Commitment)
		}
	}
	for n := 1; n < 300; n++ {
		if _, err := OpenCAR(bytes.NewReader(car[:len(car)-n]), int64(len(car)-n)); !errors.Is(err, ErrBadCAR) {
			t.Fatalf("without the last %d bytes: %v", n, err)
		}
	}
}

func FuzzOpenCAR(f *testing.F) {
	m := newMemory()
	_, car, _ := packed(f, m, Contents{Roots: []cid.Cid{m.file(f, 4, 5, 30, 3)}})
	f.Add(car)
	f.Add([]byte(carV2Pragma))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := OpenCAR(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, root := range c.Roots {
			_, _ = Measure(t.Context(), c, Contents{Roots: []cid.Cid{root}}, 1<<20)
		}
	})
}

// TestSeenSet compares with a map.
func TestSeenSet(t *testing.T) {
	var s seenSet
	want := make(map[cidKey]bool)
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 50_000 {
		var k cidKey
		k[0], k[1], k[2], k[15] = byte(rnd.IntN(4)), byte(rnd.IntN(256)), byte(rnd.IntN(60)), 1
		if s.has(k) != want[k] || s.add(k) == want[k] {
			t.Fatalf("%x", k)
		}
		want[k] = true
	}
	if s.n != uint64(len(want)) {
		t.Errorf("%d, want %d", s.n, len(want))
	}
}

// TestChain is a DAG as deep as it has blocks.
func TestChain(t *testing.T) {
	m := newMemory()
	c := m.raw([]byte("end"))
	for range 20_000 {
		c = m.node(t, "", c)
	}
	w := newWalker(m, 0)
	var s seenSet
	deepest := 0
	w.met, w.visited = s.has, func(k cidKey) { s.add(k); deepest = max(deepest, len(w.stack)) }
	w.each = func(visit) error { return nil }
	if err := w.run(t.Context(), c); err != nil || s.n != 20_001 || deepest > 2 {
		t.Errorf("%d blocks, %d on the path, %v", s.n, deepest, err)
	}
}
