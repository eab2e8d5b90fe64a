package pieces

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/bucket"
	"github.com/tidegate/tidegate/executor/piece"
)

// Held implements bucket.Restorer.
func (n *node) Held(ctx context.Context, ref string) (bool, error) {
	n.mu.Lock()
	root, ok := n.refs[ref]
	n.mu.Unlock()
	if !ok {
		return false, nil
	}
	return n.HasAll(ctx, root)
}

// Restore implements bucket.Restorer.
func (n *node) Restore(ctx context.Context, ref string, root cid.Cid, from piece.Blocks) error {
	for _, c := range append([]cid.Cid{root}, n.kids[root]...) {
		if err := n.may("block back"); err != nil {
			return err
		}
		b, err := from.Get(ctx, c)
		if err != nil {
			return err
		}
		n.mu.Lock()
		n.blocks[c] = b
		n.mu.Unlock()
	}
	return n.Hold(ctx, ref, root)
}

// forget loses everything that the node holds, but not what links to what.
func (n *node) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.blocks)
	clear(n.refs)
}

// bytesOfPiece reads a piece, and gives its commitment as a contract has it.
func (r *rig) bytesOfPiece(id string, padded uint64) (piece.Commitment, []byte) {
	r.Helper()
	c, err := r.shelf.OpenPiece(r.Context(), id)
	if err != nil {
		r.Fatal(err)
	}
	defer c.Close()
	b, err := io.ReadAll(c)
	if err != nil {
		r.Fatal(err)
	}
	want, err := piece.Parse(id)
	if err != nil {
		r.Fatal(err)
	}
	want.Padded, want.Payload = padded, uint64(len(b))
	return want, b
}

func (r *rig) looks(id string, want bucket.Presence) {
	r.Helper()
	if got, err := r.shelf.Look(r.Context(), id); err != nil || got != want {
		r.Errorf("piece %s is %d, %v; want %d", id, got, err, want)
	}
}

// A bucket's piece, of either format, and a piece of one item are put back into a node that
// lost everything, twice over. What is served then is what was served.
func TestALostPieceIsPutBack(t *testing.T) {
	forms(t, func(t *testing.T, change func(*bucket.Config)) {
		r := newRig(t, change)
		for _, root := range r.small(5) {
			r.make(root)
		}
		r.flush()
		large := r.make(r.n.tree(bytesOf(90, 600<<10), bytesOf(91, 600<<10)))
		r.tend()
		type was struct {
			want piece.Commitment
			b    []byte
		}
		all := map[string]was{}
		for _, b := range r.ready() {
			want, raw := r.bytesOfPiece(b.Piece, b.Padded)
			all[b.Piece] = was{want, raw}
			r.looks(b.Piece, bucket.Whole)
		}
		if len(all) != 2 || all[large.Piece].b == nil {
			t.Fatalf("%d pieces", len(all))
		}
		r.n.forget()
		for id, was := range all {
			if !r.cfg.KeepFiles {
				r.looks(id, bucket.Lost)
			}
			for range 2 {
				if err := r.shelf.Restore(t.Context(), was.want, cid.Undef, bytes.NewReader(was.b)); err != nil {
					t.Fatal(err)
				}
			}
			r.looks(id, bucket.Whole)
		}
		r.restart()
		for id, was := range all {
			if !bytes.Equal(r.whole(id), was.b) {
				t.Errorf("piece %s changed", id)
			}
		}
		if got := r.ready(); len(got) != 2 {
			t.Errorf("%d pieces are on offer", len(got))
		}
	})
}

// A piece that was taken off offer, and one of which a fresh ledger knows nothing, are on
// offer again; one whose CAR this shelf would make otherwise is refused, and not held.
func TestAPieceComesBackToAShelfThatForgotIt(t *testing.T) {
	r := newRig(t, nil)
	root := r.n.tree(bytesOf(7, 800<<10), bytesOf(8, 800<<10))
	it := r.make(root)
	want, b := r.bytesOfPiece(it.Piece, it.Padded)
	if err := r.shelf.Clean(t.Context(), it.Bucket); err != nil {
		t.Fatal(err)
	}
	r.n.forget()
	r.looks(it.Piece, bucket.Lost)
	if err := r.shelf.Restore(t.Context(), want, root, bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	r.looks(it.Piece, bucket.Whole)
	if !bytes.Equal(r.whole(it.Piece), b) {
		t.Error("the piece changed")
	}

	fresh := newRig(t, nil)
	fresh.n.kids = r.n.kids
	fresh.looks(it.Piece, bucket.Unknown)
	if err := fresh.shelf.Restore(t.Context(), want, root, bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	fresh.looks(it.Piece, bucket.Whole)
	if !bytes.Equal(fresh.whole(it.Piece), b) {
		t.Error("the piece is another")
	}

	padded, err := want.Pad(2 * want.Padded) // not what the shelf makes
	if err != nil {
		t.Fatal(err)
	}
	other := newRig(t, nil)
	other.n.kids = r.n.kids
	if err := other.shelf.Restore(t.Context(), padded, root, bytes.NewReader(b)); !errors.Is(err, piece.ErrMismatch) {
		t.Errorf("%v", err)
	}
	if refs, _ := other.n.Refs(t.Context(), ""); len(refs) != 0 {
		t.Errorf("%v is held for nobody", refs)
	}
}

// A restore that is killed at any step is finished by the next one, and nothing is held twice.
func TestARestoreIsKilledAtEachStep(t *testing.T) {
	r := newRig(t, nil)
	root := r.n.tree(bytesOf(7, 800<<10), bytesOf(8, 800<<10))
	it := r.make(root)
	want, b := r.bytesOfPiece(it.Piece, it.Padded)
	for at := 0; ; at++ {
		if err := r.shelf.Clean(t.Context(), r.ready()[0].ID); err != nil {
			t.Fatal(err)
		}
		r.n.forget()
		steps := 0
		r.n.crash = func(string) error {
			if steps++; steps > at {
				return errKilled
			}
			return nil
		}
		err := r.shelf.Restore(t.Context(), want, root, bytes.NewReader(b))
		killed := errors.Is(err, errKilled)
		r.restart()
		if err := r.shelf.Restore(t.Context(), want, root, bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		r.looks(it.Piece, bucket.Whole)
		if refs, err := r.n.Refs(t.Context(), ""); len(refs) != 1 || err != nil || len(r.ready()) != 1 {
			t.Fatalf("killed after %d steps: %v holds the piece, %d are on offer", at, refs, len(r.ready()))
		}
		if !killed {
			if at < 4 {
				t.Fatalf("only %d steps", at)
			}
			return
		}
	}
}
