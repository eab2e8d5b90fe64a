package ipfs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
)

// shelf is a source of blocks in memory, by hash.
type shelf map[string][]byte

func (s shelf) Get(_ context.Context, c cid.Cid) ([]byte, error) {
	if b, ok := s[string(c.Hash())]; ok {
		return b, nil
	}
	return nil, errors.New("the source lacks " + c.String())
}

// blocksOf is all that a pin refers to.
func blocksOf(t *testing.T, n *Node, ref string) shelf {
	t.Helper()
	rec, err := n.store.pin(ref)
	if err != nil || rec == nil {
		t.Fatalf("%v, %v", rec, err)
	}
	out := shelf{}
	err = n.store.eachHeld(t.Context(), rec.Num, func(h mh.Multihash) error {
		b, err := n.Get(t.Context(), cid.NewCidV1(cid.Raw, h))
		out[string(h)] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func held(t *testing.T, n *Node, ref string, want bool) {
	t.Helper()
	if got, err := n.Held(t.Context(), ref); err != nil || got != want {
		t.Errorf("%s is held: %t, %v", ref, got, err)
	}
}

// A node that never had a DAG, and one whose block files vanished under a pin, get it back
// from a source: once, and durably. Files are of 256 KiB, nodes and the last leaf are inline.
func TestRestore(t *testing.T) {
	n := startNode(t)
	root := addFile(t, n, "made", randBytes(1, 3<<20+5))
	from := blocksOf(t, n, "made")
	other := startNode(t)
	spec := PinSpec{Ref: "item:" + root.String(), Owner: "shelf", Root: root}
	held(t, other, spec.Ref, false)
	for range 2 {
		st, err := other.Restore(t.Context(), spec, from)
		if err != nil || st.Blocks != uint64(len(from)) {
			t.Fatalf("%+v of %d blocks, %v", st, len(from), err)
		}
	}
	held(t, other, spec.Ref, true)
	if r, err := other.Recount(t.Context()); err != nil || r.Err() != nil || r.Pins != 1 {
		t.Errorf("%+v, %v", r, err)
	}

	files, err := filepath.Glob(filepath.Join(n.cfg.DataDir, "blocks", "*", "*.data"))
	if err != nil || len(files) < 12 {
		t.Fatalf("%d block files, %v", len(files), err)
	}
	for _, f := range files[:5] {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(files[6], 7); err != nil {
		t.Fatal(err)
	}
	held(t, n, "made", false)
	st, err := n.Restore(t.Context(), PinSpec{Ref: "made", Owner: OwnerLocal, Root: root}, from)
	if err != nil || st.Fetched != 6 {
		t.Fatalf("%+v, %v", st, err)
	}
	held(t, n, "made", true)
	if r, err := n.Recount(t.Context()); err != nil || r.Err() != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if got := blocksOf(t, n, "made"); string(got[string(root.Hash())]) != string(from[string(root.Hash())]) || len(got) != len(from) {
		t.Errorf("%d blocks of %d", len(got), len(from))
	}
}

// What a source gives is checked, and what it lacks is named; nothing counts as held then.
func TestRestoreBelievesNoSource(t *testing.T) {
	n := startNode(t)
	root := addFile(t, n, "made", randBytes(2, 1<<20))
	from := blocksOf(t, n, "made")
	var leaf string
	for h, b := range from {
		if len(b) > InlineMax {
			leaf = h
		}
	}
	good := from[leaf]
	for name, change := range map[string]func(){
		"another hash": func() { from[leaf] = append([]byte{good[0] ^ 1}, good[1:]...) },
		"lacks":        func() { delete(from, leaf) },
	} {
		other := startNode(t)
		change()
		spec := PinSpec{Ref: "item:x", Owner: "shelf", Root: root}
		if _, err := other.Restore(t.Context(), spec, from); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		held(t, other, spec.Ref, false)
		from[leaf] = good
		if _, err := other.Restore(t.Context(), spec, from); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
		held(t, other, spec.Ref, true)
	}
}
