package piece

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/filecoin-project/go-data-segment/datasegment"
	"github.com/filecoin-project/go-data-segment/merkletree"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
)

func infoOf(c Commitment) abi.PieceInfo {
	return abi.PieceInfo{Size: abi.PaddedPieceSize(c.Padded), PieceCID: c.CID()}
}

func theirs(p MerklePath) merkletree.ProofData {
	out := merkletree.ProofData{Index: p.Index}
	for _, n := range p.Path {
		out.Path = append(out.Path, merkletree.Node(n))
	}
	return out
}

// pieces are payloads of some sizes with their commitments.
func pieces(t testing.TB, sizes ...int) ([][]byte, []Commitment) {
	t.Helper()
	var data [][]byte
	var out []Commitment
	for i, n := range sizes {
		b := random(uint64(i+100), n)
		data, out = append(data, b), append(out, commitTo(t, b))
	}
	return data, out
}

func opener(data [][]byte) func(context.Context, int) (io.ReadCloser, error) {
	return func(_ context.Context, i int) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data[i])), nil
	}
}

// TestAggregate compares root, bytes, index and every proof with go-data-segment.
func TestAggregate(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	many := make([]int, 50)
	for i := range many {
		many[i] = MinPayload + rnd.IntN(20_000)
	}
	for _, c := range []struct {
		sizes  []int
		padded uint64
	}{
		{[]int{100}, 0}, {[]int{100}, 1 << 12}, {[]int{127, 127, 254}, 0}, {[]int{65, 5000, 127, 300}, 0},
		{[]int{1000, 70, 70, 70}, 1 << 14}, {many, 1 << 23}, {many, 32 << 30}, {[]int{70, 60_000}, 64 << 30},
	} {
		data, list := pieces(t, c.sizes...)
		a, err := NewAggregate(list, c.padded)
		if err != nil {
			t.Fatal(err)
		}
		whole := a.Commitment()
		var infos []abi.PieceInfo
		for _, p := range list {
			infos = append(infos, infoOf(p))
		}
		want, err := datasegment.NewAggregate(abi.PaddedPieceSize(whole.Padded), infos)
		if err != nil {
			t.Fatal(err)
		}
		if root, err := want.PieceCID(); err != nil || !root.Equals(whole.CID()) {
			t.Errorf("%v in %d: %s, want %s, %v", c.sizes, whole.Padded, whole.CID(), root, err)
		}
		for i, p := range list {
			checkProof(t, a, i, p, infos[i])
		}
		if whole.Padded <= 1<<23 {
			checkBytes(t, a, want, data)
		}
	}
}

func checkProof(t *testing.T, a *Aggregate, i int, p Commitment, info abi.PieceInfo) {
	t.Helper()
	whole := a.Commitment()
	proof, err := a.Proof(i)
	if err != nil {
		t.Fatal(err)
	}
	if err := proof.Verify(p, whole); err != nil {
		t.Errorf("proof of segment %d: %v", i, err)
	}
	aux, err := datasegment.InclusionProof{ProofSubtree: theirs(proof.Subtree), ProofIndex: theirs(proof.Index)}.
		ComputeExpectedAuxData(datasegment.VerifierDataForPieceInfo(info))
	if err != nil || !aux.CommPa.Equals(whole.CID()) || uint64(aux.SizePa) != whole.Padded {
		t.Errorf("go-data-segment says of the proof of segment %d: %v, %v", i, aux, err)
	}
	b, err := json.Marshal(proof)
	if err != nil {
		t.Fatal(err)
	}
	var back InclusionProof
	if err := json.Unmarshal(b, &back); err != nil || back.Verify(p, whole) != nil {
		t.Errorf("%s reads as %v, %v", b, back, err)
	}
}

func checkBytes(t *testing.T, a *Aggregate, want *datasegment.Aggregate, data [][]byte) {
	t.Helper()
	var out bytes.Buffer
	if err := a.WriteTo(t.Context(), &out, opener(data)); err != nil {
		t.Fatal(err)
	}
	if got := reference(t, out.Bytes()); got != a.Commitment() {
		t.Errorf("its bytes have %v, not %v", got, a.Commitment())
	}
	var readers []io.Reader
	for _, b := range data {
		readers = append(readers, bytes.NewReader(b))
	}
	r, err := want.AggregateObjectReader(readers)
	if err != nil {
		t.Fatal(err)
	}
	if theirs, err := io.ReadAll(r); err != nil || !bytes.Equal(theirs, out.Bytes()) {
		t.Errorf("our %d bytes are not go-data-segment's %d, %v", out.Len(), len(theirs), err)
	}
	ours := a.Reader(func(i int) (io.ReadSeekCloser, error) { return closer{bytes.NewReader(data[i])}, nil })
	if all, err := io.ReadAll(ours); err != nil || !bytes.Equal(all, out.Bytes()) {
		t.Errorf("read back %d bytes, %v", len(all), err)
	}
	rnd := rand.New(rand.NewPCG(1, 9))
	for range 300 {
		from := rnd.IntN(out.Len())
		got := make([]byte, rnd.IntN(min(5000, out.Len()-from)+1))
		if _, err := ours.Seek(int64(from), io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(ours, got); err != nil || !bytes.Equal(got, out.Bytes()[from:][:len(got)]) {
			t.Fatalf("%d bytes at %d: %v", len(got), from, err)
		}
	}
	if err := ours.Close(); err != nil {
		t.Error(err)
	}
}

type closer struct{ *bytes.Reader }

func (closer) Close() error { return nil }

// TestForgedProofs changes every part of a proof.
func TestForgedProofs(t *testing.T) {
	_, list := pieces(t, 100, 5000, 300, 127)
	a, err := NewAggregate(list, 0)
	if err != nil {
		t.Fatal(err)
	}
	whole := a.Commitment()
	fresh := func() InclusionProof {
		p, err := a.Proof(1)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for name, change := range map[string]func(p *InclusionProof, piece, whole *Commitment){
		"other piece":       func(_ *InclusionProof, piece, _ *Commitment) { *piece = list[0] },
		"other size":        func(_ *InclusionProof, piece, _ *Commitment) { piece.Padded *= 2 },
		"no size":           func(_ *InclusionProof, piece, _ *Commitment) { piece.Padded = 0 },
		"other aggregate":   func(_ *InclusionProof, _, whole *Commitment) { whole.Root[0] ^= 1 },
		"larger aggregate":  func(_ *InclusionProof, _, whole *Commitment) { whole.Padded *= 2 },
		"other place":       func(p *InclusionProof, _, _ *Commitment) { p.Subtree.Index ^= 1 },
		"place outside":     func(p *InclusionProof, _, _ *Commitment) { p.Subtree.Index = 1 << 40 },
		"other entry":       func(p *InclusionProof, _, _ *Commitment) { p.Index.Index ^= 1 },
		"short path":        func(p *InclusionProof, _, _ *Commitment) { p.Subtree.Path = p.Subtree.Path[1:] },
		"short index path":  func(p *InclusionProof, _, _ *Commitment) { p.Index.Path = p.Index.Path[1:] },
		"changed sibling":   func(p *InclusionProof, _, _ *Commitment) { p.Subtree.Path[0][5] ^= 1 },
		"changed in index":  func(p *InclusionProof, _, _ *Commitment) { p.Index.Path[3][5] ^= 1 },
		"paths interchange": func(p *InclusionProof, _, _ *Commitment) { p.Subtree, p.Index = p.Index, p.Subtree },
	} {
		p, piece, aggregate := fresh(), list[1], whole
		change(&p, &piece, &aggregate)
		if err := p.Verify(piece, aggregate); !errors.Is(err, ErrNotIncluded) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Data that looks like an index entry is not in the index.
	e := entryOf(a.Segments[0])
	fake := InclusionProof{Index: a.path(1, 0)}
	if err := fake.Verify(Commitment{Root: [32]byte(e[:32]), Padded: 128}, whole); !errors.Is(err, ErrNotIncluded) {
		t.Errorf("an entry among the data: %v", err)
	}
}

// TestBadSegments: one that is not what it should be is named.
func TestBadSegments(t *testing.T) {
	data, list := pieces(t, 100, 5000, 300)
	a, err := NewAggregate(list, 0)
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	for name, bad := range map[string]struct {
		b    []byte
		want error
	}{
		"changed": {append([]byte{data[1][0] ^ 1}, data[1][1:]...), ErrMismatch}, "short": {data[1][:4000], ErrMismatch},
		"long": {append(bytes.Clone(data[1]), 0), ErrMismatch}, "gone": {nil, gone},
	} {
		err := a.WriteTo(t.Context(), io.Discard, func(ctx context.Context, i int) (io.ReadCloser, error) {
			if i != 1 {
				return opener(data)(ctx, i)
			}
			if bad.b == nil {
				return nil, gone
			}
			return io.NopCloser(bytes.NewReader(bad.b)), nil
		})
		var which *SegmentError
		if !errors.As(err, &which) || which.Segment != 1 || !errors.Is(err, bad.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := a.WriteTo(t.Context(), failing{}, opener(data)); !errors.Is(err, errDisk) || errors.As(err, new(*SegmentError)) {
		t.Errorf("a full disk: %v", err)
	}
}

func TestAggregateLimits(t *testing.T) {
	_, list := pieces(t, 100, 5000)
	if _, err := NewAggregate(list, 8192); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too small: %v", err)
	}
	if _, err := NewAggregate(nil, 0); err == nil {
		t.Error("no segments")
	}
	for _, bad := range []Commitment{{}, {Padded: 128}, {Payload: 200, Padded: 128}, {Payload: 100, Padded: 100}} {
		if _, err := NewAggregate([]Commitment{bad}, 0); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
	if _, err := AggregateSize([]uint64{32 << 30, 32 << 30}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("no room for the index: %v", err)
	}
	if n, err := AggregateSize([]uint64{16 << 30, 16 << 30}); err != nil || n != 64<<30 {
		t.Errorf("%d, %v", n, err)
	}
	a, err := NewAggregate(list, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Proof(2); err == nil {
		t.Error("a proof of nothing")
	}
}

func TestSortForAggregate(t *testing.T) {
	_, list := pieces(t, 100, 5000, 127, 70, 300, 4000)
	SortForAggregate(list)
	var end uint64
	a, err := NewAggregate(list, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range a.Segments {
		if s.Offset != end {
			t.Errorf("segment %d is at %d, want %d", i, s.Offset, end)
		}
		end += s.Padded
	}
}

func TestManifest(t *testing.T) {
	m := newMemory()
	_, list := pieces(t, 100, 5000)
	root := m.raw([]byte("x"))
	for _, want := range []Manifest{
		{FormatPoDSI, 1 << 15, []ManifestItem{{root, list[0]}, {cid.NewCidV0(root.Hash()), list[1]}}},
		{FormatCAR, 1 << 20, []ManifestItem{{Root: root}}},
	} {
		b, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeManifest(b)
		if err != nil || got.Format != want.Format || got.Padded != want.Padded || len(got.Items) != len(want.Items) || got.Items[0] != want.Items[0] {
			t.Errorf("%x reads as %v, %v", b, got, err)
		}
		c1, err1 := want.CID()
		c2, err2 := got.CID()
		if err := errors.Join(err1, err2); err != nil || !c1.Equals(c2) {
			t.Error(c1, c2, err)
		}
		if below, err := linksOf(c1, b); err != nil || len(below) > 0 {
			t.Errorf("as dag-cbor: %v, %v", below, err)
		}
		for i := range b {
			bad := bytes.Clone(b)
			bad[i] ^= 0x20
			if got, err := DecodeManifest(bad); err == nil {
				if again, err := got.Encode(); err != nil || !bytes.Equal(again, bad) {
					t.Errorf("byte %d changed: %v, %v", i, got, err)
				}
			}
			if _, err := DecodeManifest(b[:i]); !errors.Is(err, ErrBadManifest) {
				t.Errorf("the first %d bytes: %v", i, err)
			}
		}
		if _, err := DecodeManifest(append(b, 0)); !errors.Is(err, ErrBadManifest) {
			t.Errorf("with a byte behind: %v", err)
		}
	}
	a, err := Manifest{FormatPoDSI, 1 << 15, []ManifestItem{{root, list[0]}, {root, list[1]}}}.Aggregate()
	if err != nil || len(a.Segments) != 2 || a.Commitment().Padded != 1<<15 {
		t.Errorf("%v, %v", a, err)
	}
	for _, bad := range []Manifest{{}, {Format: FormatCAR, Padded: 128}, {Format: "zip", Padded: 128, Items: []ManifestItem{{Root: root}}},
		{Format: FormatPoDSI, Padded: 128, Items: []ManifestItem{{Root: root}}}, {Format: FormatCAR, Padded: 128, Items: []ManifestItem{{root, list[0]}}},
		{Format: FormatCAR, Padded: 128, Items: []ManifestItem{{}}}} {
		if _, err := bad.Encode(); err == nil {
			t.Errorf("%v is encoded", bad)
		}
	}
}
