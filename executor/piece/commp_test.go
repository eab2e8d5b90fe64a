package piece

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"testing"

	commp "github.com/filecoin-project/go-fil-commp-hashhash"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// random gives n bytes that depend on seed only.
func random(seed uint64, n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24)})
	_, _ = r.Read(b)
	return b
}

// reference is what go-fil-commp-hashhash says of b.
func reference(t testing.TB, b []byte) Commitment {
	t.Helper()
	var c commp.Calc
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	root, padded, err := c.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return Commitment{Root: [32]byte(root), Payload: uint64(len(b)), Padded: padded}
}

func commitTo(t testing.TB, b []byte) Commitment {
	t.Helper()
	w := NewWriter()
	defer w.Reset()
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	c, err := w.Sum()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSizes compares a thousand sizes with the reference library: around every
// power of two, around sub-trees of 1 MiB, and random ones. Most are small, so
// that the sum of bytes stays within 110 MB.
func TestSizes(t *testing.T) {
	sizes := []int{65, 66, 126, 127, 128, 129, 253, 254, 255}
	for k := 1; k <= 13; k++ {
		for d := -2; d <= 2; d++ {
			sizes = append(sizes, quad<<k+d)
		}
	}
	const mib = quad << 13
	for _, n := range []int{1, 2, 3, 4} {
		sizes = append(sizes, n*mib-1, n*mib, n*mib+1, n*mib+127, n*mib+128)
	}
	sizes = append(sizes, 5*mib+1, 7*mib+200, 8*mib)
	r := rand.New(rand.NewPCG(1, 2))
	for len(sizes) < 1000 {
		sizes = append(sizes, MinPayload+r.IntN(1<<(7+r.IntN(11))))
	}
	data := random(1, 9*mib)
	for _, n := range sizes {
		from := r.IntN(len(data) - n)
		b := data[from : from+n]
		if got, want := commitTo(t, b), reference(t, b); got != want {
			t.Fatalf("%d bytes: got %x in %d, want %x in %d", n, got.Root, got.Padded, want.Root, want.Padded)
		}
	}
}

// TestWriteSplits cuts the same bytes into writes of every kind.
func TestWriteSplits(t *testing.T) {
	b := random(2, 3*quad<<13+1234)
	want := reference(t, b)
	r := rand.New(rand.NewPCG(3, 4))
	for _, most := range []int{1 << 6, quad, 128, 1000, 4096, 1 << 20, 5 << 20} {
		w := NewWriter()
		for rest := b; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN(most))
			if k, err := w.Write(rest[:n]); err != nil || k != n {
				t.Fatal(k, err)
			}
			rest = rest[n:]
		}
		got, err := w.Sum()
		if err != nil || got != want {
			t.Errorf("writes of up to %d bytes: %v, %v; want %v", most, got, err, want)
		}
		w.Reset()
	}
}

// TestSumGoesOn asks for the sum in between.
func TestSumGoesOn(t *testing.T) {
	if !vectors() {
		t.Log("the reference library ends with its sum")
		return
	}
	b := random(3, 2*quad<<13+777)
	w := NewWriter()
	defer w.Reset()
	done := 0
	for _, n := range []int{70, 127, 128, 4000, 127 << 13, 127<<13 + 1, 2 * 127 << 13, len(b)} {
		_, _ = w.Write(b[done:n])
		done = n
		if got, err := w.Sum(); err != nil || got != reference(t, b[:n]) {
			t.Errorf("after %d bytes: %v, %v", n, got, err)
		}
	}
}

// TestHoles are zeros, whole sub-trees of which are not hashed.
func TestHoles(t *testing.T) {
	b := make([]byte, 5*quad<<13+99)
	if got, want := commitTo(t, b), reference(t, b); got != want {
		t.Errorf("zeros: %x, want %x", got.Root, want.Root)
	}
	b[3*quad<<13+5] = 1
	if got, want := commitTo(t, b), reference(t, b); got != want {
		t.Errorf("one bit: %x, want %x", got.Root, want.Root)
	}
}

// TestReferenceVectors are commitments that the proofs library of Filecoin printed,
// of one byte repeated: byte, payload, padded size, piece CID.
func TestReferenceVectors(t *testing.T) {
	f, err := os.Open("testdata/commitments.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 36 {
		t.Fatal(len(rows), err)
	}
	for _, row := range rows {
		value, err1 := strconv.ParseUint(row[0], 0, 8)
		size, err2 := strconv.Atoi(row[1])
		padded, err3 := strconv.ParseUint(row[2], 10, 64)
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		got := commitTo(t, bytes.Repeat([]byte{byte(value)}, size))
		if got.CID().String() != row[3] || got.Padded != padded {
			t.Errorf("%s times %d: %s in %d, want %s in %d", row[0], size, got.CID(), got.Padded, row[3], padded)
		}
	}
}

func TestTooShortAndTooLong(t *testing.T) {
	for n := range MinPayload {
		w := NewWriter()
		_, _ = w.Write(make([]byte, n))
		if _, err := w.Sum(); !errors.Is(err, ErrTooShort) {
			t.Errorf("%d bytes: %v", n, err)
		}
		w.Reset()
	}
	w := NewWriter()
	defer w.Reset()
	w.size = MaxPayload(MaxPadded) - 1
	if _, err := w.Write([]byte{1, 2}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("beyond the largest piece: %v", err)
	}
	if _, err := w.Sum(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("sum after a refused write: %v", err)
	}
}

func TestPaddedSizes(t *testing.T) {
	for payload, want := range map[uint64]uint64{
		65: 128, 127: 128, 128: 256, 254: 256, 255: 512, 508: 512, 509: 1024,
		127 << 20: 128 << 20, 127<<20 + 1: 256 << 20, 127 << 28: 32 << 30, 127 << 29: 64 << 30,
	} {
		if got := PaddedSize(payload); got != want {
			t.Errorf("%d bytes: %d, want %d", payload, got, want)
		}
	}
	for _, n := range []uint64{0, 1, 64, 127, 129, 384, 128 << 30} {
		if CheckPadded(n) == nil {
			t.Errorf("%d is taken for the size of a piece", n)
		}
	}
}

func TestPadToTarget(t *testing.T) {
	b := random(5, 3000)
	c := commitTo(t, b)
	for _, target := range []uint64{4096, 8192, 1 << 20, 32 << 30} {
		got, err := c.Pad(target)
		if err != nil {
			t.Fatal(err)
		}
		want, err := commp.PadCommP(c.Root[:], c.Padded, target)
		if err != nil || !bytes.Equal(got.Root[:], want) || got.Padded != target || got.Payload != 3000 {
			t.Errorf("padded to %d: %v, %v", target, got, err)
		}
	}
	if _, err := c.Pad(2048); !errors.Is(err, ErrTooLarge) {
		t.Errorf("padded to less: %v", err)
	}
	if _, err := c.Pad(5000); err == nil {
		t.Error("padded to no power of two")
	}
}

// TestTwin runs the path for processors without vectors.
func TestTwin(t *testing.T) {
	b := random(6, 1<<20)
	w := NewWriter()
	defer w.Reset()
	for rest := b; len(rest) > 0; {
		n, err := w.writeTwin(rest[:min(len(rest), 5000)])
		if err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	for range 2 {
		if got, err := w.Sum(); err != nil || got != commitTo(t, b) {
			t.Errorf("%v, %v", got, err)
		}
	}
	if _, err := w.Write(b); err == nil {
		t.Error("written to after its sum")
	}
	w.Reset()
	// One that is given up leaves no goroutines behind.
	if _, err := w.writeTwin(b); err != nil {
		t.Fatal(err)
	}
}

func TestUnpad(t *testing.T) {
	from := random(7, quad)
	var padded [paddedQuad]byte
	var back [quad]byte
	padQuad(&padded, (*[quad]byte)(from))
	unpadQuad(&back, &padded)
	if !bytes.Equal(back[:], from) {
		t.Errorf("%x became %x", from, back)
	}
}

// TestManyAtOnce runs 200 commitments at a time and looks at the memory: each may
// hold one buffer.
func TestManyAtOnce(t *testing.T) {
	const streams, each = 200, quad<<13 + quad<<10
	b := random(8, each+streams)
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	var wg sync.WaitGroup
	got := make([]Commitment, streams)
	step := make(chan struct{})
	for i := range streams {
		wg.Go(func() {
			w := NewWriter()
			defer w.Reset()
			mine := b[i : i+each]
			_, _ = w.Write(mine[:each/2])
			<-step // all hold their buffers here
			_, _ = w.Write(mine[each/2:])
			got[i], _ = w.Sum()
		})
	}
	close(step)
	wg.Wait()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapSys > 600<<20 {
		t.Errorf("the heap took %d MiB", m.HeapSys>>20)
	}
	for i := 0; i < streams; i += 20 {
		if want := reference(t, b[i:i+each]); got[i] != want {
			t.Errorf("stream %d: %v, want %v", i, got[i], want)
		}
	}
}

// TestSparseStream reads a sparse file of 256 MiB with a little data in it; `make soak`
// does the same with 50 GiB.
func TestSparseStream(t *testing.T) {
	size := int64(256 << 20)
	if soak() {
		size = 50 << 30
	}
	f, err := os.Create(t.TempDir() + "/sparse")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	mark := random(9, 1000)
	if _, err := f.WriteAt(mark, size-5000); err != nil {
		t.Fatal(err)
	}
	w := NewWriter()
	defer w.Reset()
	if n, err := io.CopyBuffer(struct{ io.Writer }{w}, f, make([]byte, 1<<20)); err != nil || n != size {
		t.Fatal(n, err)
	}
	got, err := w.Sum()
	if err != nil {
		t.Fatal(err)
	}
	if want := sparseRoot(t, size, mark); got.Root != want {
		t.Errorf("%x, want %x", got.Root, want)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapSys > 512<<20 {
		t.Errorf("the heap took %d MiB", m.HeapSys>>20)
	}
}

// sparseRoot is the root of size zeros but for mark, 5,000 bytes before the end:
// the reference library does the sub-tree of 8 MiB that has them, and the rest is
// known.
func sparseRoot(t *testing.T, size int64, mark []byte) [32]byte {
	t.Helper()
	const sub = quad << 16 // payload of a sub-tree
	at := (size - 5000) / sub
	if (size-5000+int64(len(mark))-1)/sub != at {
		t.Fatal("the mark lies in two sub-trees")
	}
	b := make([]byte, sub)
	copy(b[(size-5000)-at*sub:], mark)
	root := reference(t, b).Root
	for level := 18; nodeSize<<level < PaddedSize(uint64(size)); level++ {
		if at&1 == 1 {
			root = hashPair(&zeroRoots[level], &root)
		} else {
			root = hashPair(&root, &zeroRoots[level])
		}
		at >>= 1
	}
	return root
}

func FuzzCommitment(f *testing.F) {
	f.Add([]byte("seed"), uint16(65), uint16(1))
	f.Add([]byte{0}, uint16(127), uint16(126))
	f.Add([]byte("abc"), uint16(65535), uint16(8128))
	f.Fuzz(func(t *testing.T, seed []byte, size, cut uint16) {
		// The seed over and over: any bytes, any length.
		n := max(MinPayload, int(size))
		b := bytes.Repeat(append(seed, 0), n/(len(seed)+1)+1)[:n]
		w := NewWriter()
		defer w.Reset()
		for rest := b; len(rest) > 0; {
			k := min(len(rest), int(cut)%4096+1)
			if _, err := w.Write(rest[:k]); err != nil {
				t.Fatal(err)
			}
			rest = rest[k:]
		}
		got, err := w.Sum()
		if err != nil || got != reference(t, b) {
			t.Errorf("%d bytes in writes of %d: %v, %v", n, int(cut)%4096+1, got, err)
		}
		v2, err := got.CIDv2()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := FromCID(v2); err != nil || back != got {
			t.Errorf("%s reads as %v, %v; want %v", v2, back, err, got)
		}
	})
}
