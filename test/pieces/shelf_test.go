package pieces

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/bucket"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
	"github.com/tidegate/tidegate/internal/store"
)

// rig is a shelf over a ledger and a node that both outlive it.
type rig struct {
	testing.TB
	n      *node
	ledger *store.Store
	dir    string
	cfg    bucket.Config
	now    time.Time
	shelf  *bucket.Shelf
}

func newRig(t testing.TB, change func(*bucket.Config)) *rig {
	t.Helper()
	r := &rig{TB: t, n: newNode(), dir: t.TempDir(), now: time.Now()}
	r.cfg = bucket.Config{Dir: filepath.Join(r.dir, "pieces"), MinPiece: 1 << 20, BucketSize: 16 << 20, MaxPiece: 64 << 20, MaxAge: time.Hour, Tick: time.Hour}
	if change != nil {
		change(&r.cfg)
	}
	var err error
	if r.ledger, err = store.Open(t.Context(), store.Config{Path: filepath.Join(r.dir, "ledger.db")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	r.restart()
	return r
}

// restart makes a new shelf, as a daemon does that was killed.
func (r *rig) restart() {
	r.Helper()
	r.n.crash = nil
	s, err := bucket.New(r.Context(), r.cfg, bucket.Deps{Node: r.n, Back: r.n, Ledger: r.ledger, Now: func() time.Time { return r.now }})
	if err != nil {
		r.Fatal(err)
	}
	r.shelf = s
}

func (r *rig) make(root cid.Cid) job.Item {
	r.Helper()
	it, err := r.shelf.Make(r.Context(), bucket.Order{Ref: "ask-" + root.String(), Root: root}, nil)
	if err != nil {
		r.Fatal(err)
	}
	return it
}

// tend runs the shelf until no bucket is sealing.
func (r *rig) tend() {
	r.Helper()
	ctx, stop := context.WithCancel(r.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.shelf.Run(ctx) }()
	defer func() {
		stop()
		<-ended
	}()
	for deadline := time.Now().Add(time.Minute); ; {
		left, err := r.ledger.Buckets(r.Context(), job.BucketFilter{State: job.BucketSealing})
		if err != nil {
			r.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			r.Fatalf("%d buckets are still sealing", len(left))
		}
		tick := time.NewTimer(time.Millisecond)
		<-tick.C
	}
}

func (r *rig) flush() {
	r.Helper()
	if _, err := r.shelf.Flush(r.Context(), 0); err != nil {
		r.Fatal(err)
	}
	r.tend()
}

func (r *rig) ready() []job.Bucket {
	r.Helper()
	out, err := r.ledger.Buckets(r.Context(), job.BucketFilter{State: job.BucketReady, Limit: 1000})
	if err != nil {
		r.Fatal(err)
	}
	return out
}

// whole reads a piece and checks that it is what its CID says.
func (r *rig) whole(id string) []byte {
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
	if uint64(len(b)) != c.Size {
		r.Fatalf("%s has %d bytes, said to be %d", id, len(b), c.Size)
	}
	want, err := piece.Parse(id)
	if err != nil {
		r.Fatal(err)
	}
	if _, err := (bucket.Verifier{MaxPiece: 64 << 30}).Verify(r.Context(), want.CID(), bytes.NewReader(b), nil); err != nil {
		r.Fatalf("%s: %v", id, err)
	}
	return b
}

// inOnePiece fails unless each root is in the manifest of exactly one ready bucket.
func (r *rig) inOnePiece(roots []cid.Cid) {
	r.Helper()
	found := map[string]int{}
	for _, b := range r.ready() {
		slots, err := r.ledger.BucketSlots(r.Context(), b.ID)
		if err != nil {
			r.Fatal(err)
		}
		for _, s := range slots {
			found[s.Root]++
		}
	}
	for _, root := range roots {
		if found[root.String()] != 1 {
			r.Errorf("%s is in %d pieces", root, found[root.String()])
		}
	}
	if len(found) != len(roots) {
		r.Errorf("%d items are in pieces, %d were asked for", len(found), len(roots))
	}
}

// clean fails if something is on disk or held that no row knows.
func (r *rig) clean() {
	r.Helper()
	rows, err := r.ledger.PieceFiles(r.Context(), "")
	if err != nil {
		r.Fatal(err)
	}
	known := map[string]bool{}
	for _, row := range rows {
		known[row.Name] = row.Complete
	}
	entries, err := os.ReadDir(r.cfg.Dir)
	if err != nil {
		r.Fatal(err)
	}
	for _, e := range entries {
		if !known[e.Name()] {
			r.Errorf("%s is on disk, and no row knows it", e.Name())
		}
		delete(known, e.Name())
	}
	for name := range known {
		r.Errorf("%s has a row and is not on disk", name)
	}
	items, err := r.ledger.ItemRoots(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	refs, err := r.n.Refs(r.Context(), "item:")
	if err != nil {
		r.Fatal(err)
	}
	if len(refs) != len(items) {
		r.Errorf("%d DAGs are held for %d items", len(refs), len(items))
	}
}

func (r *rig) small(count int) []cid.Cid {
	var out []cid.Cid
	for i := range count {
		out = append(out, r.n.tree(bytesOf(uint64(i), 300+i), bytesOf(uint64(1000+i), 700)))
	}
	return out
}

// forms are all ways in which small items become a piece.
func forms(t *testing.T, f func(t *testing.T, change func(*bucket.Config))) {
	for _, format := range []job.BucketFormat{job.FormatPoDSI, job.FormatCAR} {
		for _, keep := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, files kept %v", format, keep), func(t *testing.T) {
				f(t, func(c *bucket.Config) { c.Format, c.KeepFiles = format, keep })
			})
		}
	}
}

func TestItemsBecomeAPieceThatReadsBack(t *testing.T) {
	forms(t, func(t *testing.T, change func(*bucket.Config)) {
		r := newRig(t, change)
		roots := r.small(20)
		for _, root := range roots {
			r.make(root)
			r.make(root) // twice is once
		}
		r.flush()
		r.inOnePiece(roots)
		r.clean()
		b := r.ready()[0]
		if b.Padded < r.cfg.MinPiece {
			t.Errorf("a piece of %d bytes, below the smallest", b.Padded)
		}
		all := r.whole(b.Piece)
		for _, root := range roots { // an item's own CAR stays readable
			it := r.make(root)
			if own := r.whole(it.Piece); b.Format == job.FormatPoDSI && !bytes.Contains(all, own) {
				t.Errorf("the CAR of %s is not in the aggregate", root)
			}
		}
		r.restart()
		if !bytes.Equal(r.whole(b.Piece), all) {
			t.Error("after a restart the piece has other bytes")
		}
	})
}

func TestRangesInAnyOrderMakeTheWhole(t *testing.T) {
	forms(t, func(t *testing.T, change func(*bucket.Config)) {
		r := newRig(t, change)
		r.make(r.n.tree(bytesOf(7, 200_000), bytesOf(8, 150_000)))
		for _, root := range r.small(5) {
			r.make(root)
		}
		r.flush()
		all := r.whole(r.ready()[0].Piece)
		c, err := r.shelf.OpenPiece(t.Context(), r.ready()[0].Piece)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		random := rand.New(rand.NewPCG(1, 2))
		const cut = 9973
		got := make([]byte, len(all))
		for _, i := range random.Perm((len(all) + cut - 1) / cut) {
			if _, err := c.Seek(int64(i*cut), io.SeekStart); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(c, got[i*cut:min((i+1)*cut, len(all))]); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, all) {
			t.Error("the ranges do not make the whole")
		}
	})
}

func TestABadItemDoesNotBlockItsBucket(t *testing.T) {
	forms(t, func(t *testing.T, change func(*bucket.Config)) {
		r := newRig(t, change)
		roots := r.small(6)
		for _, root := range roots {
			r.make(root)
		}
		lost := r.n.kids[roots[2]][0]
		kept := r.n.blocks[lost]
		r.n.lose(lost)
		r.flush()
		r.inOnePiece(append(append([]cid.Cid{}, roots[:2]...), roots[3:]...))
		bad, err := r.ledger.BucketItems(t.Context(), 0)
		if err != nil || len(bad) != 1 || bad[0].Root != roots[2].String() {
			t.Fatalf("bad items: %v %v", bad, err)
		}
		r.n.leaf(kept) // it comes back, is asked for again, and gets its own piece
		r.make(roots[2])
		r.flush()
		r.inOnePiece(roots)
		r.clean()
	})
}

func TestABucketOfOnlyBadItemsIsVoid(t *testing.T) {
	r := newRig(t, nil)
	root := r.small(1)[0]
	it := r.make(root)
	r.n.lose(root)
	r.flush()
	b, err := r.ledger.Bucket(t.Context(), it.Bucket)
	if err != nil || b.State != job.BucketVoid {
		t.Fatalf("it is %s (%v)", b.State, err)
	}
}

func TestBucketsFlushBySizeCountAndAge(t *testing.T) {
	r := newRig(t, func(c *bucket.Config) { c.MaxItems = 4; c.BucketSize = 1 << 20 })
	roots := r.small(4)
	for _, root := range roots {
		r.make(root)
	}
	r.tend()
	if got := r.ready(); len(got) != 1 || got[0].Why != "count" {
		t.Fatalf("by count: %+v", got)
	}
	for i := range uint64(2) {
		r.make(r.n.tree(bytesOf(50+i, 400_000)))
	}
	r.tend()
	if got := r.ready(); len(got) != 2 || got[0].Why != "size" {
		t.Fatalf("by size: %+v", got)
	}
	r.now = r.now.Add(2 * time.Hour)
	if _, err := r.shelf.Flush(t.Context(), 12345); err != nil { // no such bucket: nothing happens
		t.Fatal(err)
	}
	r.tendUntil(3)
	if got := r.ready(); got[0].Why != "age" {
		t.Fatalf("by age: %+v", got)
	}
}

// tendUntil runs the shelf until so many buckets are ready.
func (r *rig) tendUntil(count int) {
	r.Helper()
	ctx, stop := context.WithTimeout(r.Context(), time.Minute)
	ended := make(chan error, 1)
	go func() { ended <- r.shelf.Run(ctx) }()
	for len(r.ready()) != count && ctx.Err() == nil {
		tick := time.NewTimer(time.Millisecond)
		<-tick.C
	}
	stop()
	<-ended
}

func TestALargeItemIsAPieceAndIsCleanedByPolicy(t *testing.T) {
	forms(t, func(t *testing.T, change func(*bucket.Config)) {
		r := newRig(t, func(c *bucket.Config) { change(c); c.Keep = time.Hour })
		root := r.n.tree(bytesOf(1, 900_000), bytesOf(2, 900_000), bytesOf(3, 900_000), bytesOf(4, 900_000), bytesOf(5, 900_000))
		it := r.make(root)
		if it.State != job.ItemPlaced {
			t.Fatalf("it is %s", it.State)
		}
		r.whole(it.Piece)
		r.clean()
		r.restart() // files that belong to an item stay
		r.whole(it.Piece)
		r.now = r.now.Add(2 * time.Hour)
		r.tendUntil(0)
		if _, err := r.shelf.OpenPiece(t.Context(), it.Piece); !errors.Is(err, job.ErrNotFound) {
			t.Fatalf("after cleaning: %v", err)
		}
		if entries, err := os.ReadDir(r.cfg.Dir); err != nil || len(entries) > 0 {
			t.Errorf("%d files are left (%v)", len(entries), err)
		}
		if refs, _ := r.n.Refs(t.Context(), ""); len(refs) > 0 {
			t.Errorf("still held: %v", refs)
		}
		r.make(root) // and on offer again
		r.clean()
		r.inOnePiece([]cid.Cid{root})
	})
}

func TestAnItemNobodyWantsLeavesAnOpenBucket(t *testing.T) {
	r := newRig(t, nil)
	roots := r.small(2)
	r.make(roots[0])
	r.make(roots[1])
	if err := r.shelf.Drop(t.Context(), "ask-"+roots[0].String()); err != nil {
		t.Fatal(err)
	}
	r.flush()
	r.inOnePiece(roots[1:])
	r.clean()
}

func TestTooLargeIsSaid(t *testing.T) {
	r := newRig(t, func(c *bucket.Config) { c.MinPiece, c.BucketSize, c.MaxPiece = 1<<20, 1<<20, 1<<20 })
	root := r.n.tree(bytesOf(1, 800_000), bytesOf(2, 800_000))
	if _, err := r.shelf.Make(t.Context(), bucket.Order{Ref: "r", Root: root}, nil); !errors.Is(err, piece.ErrTooLarge) {
		t.Fatalf("got %v", err)
	}
	r.clean()
}

func TestNoRoomIsSaid(t *testing.T) {
	r := newRig(t, nil)
	r.cfg.DiskReserve = 1
	s, err := bucket.New(t.Context(), r.cfg, bucket.Deps{Node: r.n, Back: r.n, Ledger: r.ledger, Free: func() (uint64, error) { return 0, nil }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Make(t.Context(), bucket.Order{Ref: "r", Root: r.small(1)[0]}, nil); !errors.Is(err, bucket.ErrNoRoom) {
		t.Fatalf("got %v", err)
	}
}

func TestProofsOfInclusionHold(t *testing.T) {
	r := newRig(t, nil)
	roots := r.small(9)
	for _, root := range roots {
		r.make(root)
	}
	if _, err := r.shelf.Prove(t.Context(), roots[0].String()); !errors.Is(err, job.ErrConflict) {
		t.Fatalf("before it is in a piece: %v", err)
	}
	r.flush()
	for _, root := range roots {
		p, err := r.shelf.Prove(t.Context(), root.String())
		if err != nil {
			t.Fatal(err)
		}
		item, err := piece.Parse(p.Item.Piece)
		if err != nil {
			t.Fatal(err)
		}
		of, err := piece.Parse(p.Piece)
		if err != nil {
			t.Fatal(err)
		}
		item.Padded, of.Padded = p.Item.Padded, p.Padded
		if err := p.Inclusion.Verify(item, of); err != nil {
			t.Errorf("%s: %v", root, err)
		}
	}
}

func TestTokensAreForOnePieceAndEnd(t *testing.T) {
	r := newRig(t, nil)
	roots := r.small(2)
	a, b := r.make(roots[0]), r.make(roots[1])
	token, _, err := r.shelf.MintToken(t.Context(), a.Piece, "deal 7", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what, token, piece string, want bool) {
		t.Helper()
		if ok, err := r.shelf.CheckToken(t.Context(), token, piece); err != nil || ok != want {
			t.Errorf("%s: %v %v", what, ok, err)
		}
	}
	check("its piece", token, a.Piece, true)
	check("another piece", token, b.Piece, false)
	check("another token", token+"x", a.Piece, false)
	r.now = r.now.Add(time.Hour)
	check("later", token, a.Piece, false)
}
