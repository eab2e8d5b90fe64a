package piece

import (
	"bytes"
	"errors"
	"testing"

	"github.com/ipfs/go-cid"
)

// TestSplit makes parts of every size, and restores the whole from their CARs.
func TestSplit(t *testing.T) {
	m := newMemory()
	a := m.file(t, 1, 400, 1500, 8)
	root := m.node(t, "top", m.zoo(t), a, m.file(t, 2, 30, 9000, 30), m.node(t, "again", a))
	whole, car, _ := packed(t, m, Contents{Roots: []cid.Cid{root}})
	for _, limit := range []uint64{20_000, 65_000, 200_000, 600_000, whole.Payload + 100} {
		parts, err := Split(t.Context(), m, root, limit)
		if err != nil {
			t.Fatal(err)
		}
		least := int((whole.Payload + limit - 1) / limit)
		if len(parts) < least || len(parts) > 2*least+2 {
			t.Errorf("parts of %d: %d, for %d bytes", limit, len(parts), whole.Payload)
		}
		var sources []Blocks
		for i, part := range parts {
			p, b, _ := packed(t, m, part.Contents)
			if p.Payload != part.Size || p.Blocks != part.Blocks || p.Payload > limit {
				t.Errorf("part %d of %d: planned %d bytes and %d blocks, packed %d and %d", i, limit, part.Size, part.Blocks, p.Payload, p.Blocks)
			}
			f, err := OpenCAR(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range part.Roots { // each is whole within its part
				if _, err := Measure(t.Context(), f, Contents{Roots: []cid.Cid{c}}, 0); err != nil {
					t.Errorf("part %d of %d: %v", i, limit, err)
				}
			}
			sources = append(sources, f)
		}
		var again bytes.Buffer
		restored, err := Pack(t.Context(), Join(sources...), Contents{Roots: []cid.Cid{root}}, &again, PackOptions{})
		if err != nil || restored.Commitment != whole.Commitment || !bytes.Equal(again.Bytes(), car) {
			t.Errorf("parts of %d restore %v, %v; want %v", limit, restored.Commitment, err, whole.Commitment)
		}
		if len(parts) > 1 {
			if _, err := Pack(t.Context(), Join(sources[1:]...), Contents{Roots: []cid.Cid{root}}, nil, PackOptions{}); !errors.Is(err, ErrNoBlock) {
				t.Errorf("parts of %d without the first: %v", limit, err)
			}
		}
	}
}

func TestSplitReadsNoLeaves(t *testing.T) {
	m := newMemory()
	root := m.file(t, 1, 500, 1000, 10)
	if _, err := Split(t.Context(), m, root, 50_000); err != nil {
		t.Fatal(err)
	}
	for c := range m.gets {
		if c.Type() == cid.Raw {
			t.Fatalf("leaf %s was read", c)
		}
	}
}

func TestSplitTooSmall(t *testing.T) {
	m := newMemory()
	root := m.file(t, 1, 50, 1000, 10)
	for _, limit := range []uint64{900, 0} {
		if _, err := Split(t.Context(), m, root, limit); err == nil || limit > 0 && !errors.Is(err, ErrTooLarge) {
			t.Errorf("parts of %d: %v", limit, err)
		}
	}
	m.drop(visited(t, m, root)[7])
	if _, err := Split(t.Context(), m, root, 10_000); !errors.Is(err, ErrNoBlock) {
		t.Errorf("a missing block: %v", err)
	}
}
