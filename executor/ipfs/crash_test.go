package ipfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
)

func openTestStore(t testing.TB, dir string) *store {
	t.Helper()
	s, err := openStore(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close() })
	return s
}

func storeItems(t testing.TB, seed uint64, sizes ...int) []item {
	var out []item
	for i, n := range sizes {
		d := randBytes(seed*1000+uint64(i), n)
		out = append(out, item{rawCID(t, d, 0x12), d, uint64(n)})
	}
	return out
}

func wantStore(t testing.TB, s *store, blocks uint64) {
	t.Helper()
	r, err := s.recount(context.Background(), Limits{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	if r.Blocks != blocks {
		t.Fatalf("%d blocks held, want %d", r.Blocks, blocks)
	}
}

func TestHalfDoneReleaseIsFinishedByNew(t *testing.T) {
	ctx := context.Background()
	cfg := testConfig(t.TempDir())
	n := openNode(t, cfg, Deps{})
	var items []item
	for i := range 3 * dropChunk {
		d := []byte(fmt.Sprint("block ", i))
		items = append(items, item{rawCID(t, d, 0x12), d, uint64(len(d))})
	}
	num, err := n.store.newNum()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.store.add(ctx, &pinRecord{Num: num, Ref: "r"}, items, true, false); err != nil {
		t.Fatal(err)
	}
	keep := addFile(t, n, "keep", []byte("block 7"))
	commits := 0
	n.store.crash = func(at string) error {
		if commits++; commits == 3 { // the state, one chunk, then the cut
			return errCut
		}
		return nil
	}
	if _, err := n.Release(ctx, "r"); !errors.Is(err, errCut) {
		t.Fatalf("got %v, want the cut", err)
	}
	if i, ok, err := n.PinByRef(ctx, "r"); err != nil || !ok || i.State != StateDropping {
		t.Fatalf("after the cut: %+v, %t, %v", i, ok, err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = openNode(t, cfg, Deps{})
	wantClean(t, n, 1)
	if has, err := n.HasAll(ctx, keep); err != nil || !has {
		t.Fatalf("shared block: %t, %v", has, err)
	}
}

// overlappingDAGs makes DAGs over a pool of shared leaves, small and large.
func overlappingDAGs(t testing.TB, src *Node, r *rand.Rand, n int) (roots []cid.Cid, members []map[string]bool) {
	var leaves []cid.Cid
	for i := range 24 {
		size := 200 + r.IntN(2000)
		if i%4 == 0 {
			size = 33<<10 + r.IntN(40<<10)
		}
		leaves = append(leaves, putRaw(t, src, "s", randBytes(uint64(5000+i), size)))
	}
	for i := range n {
		in := map[string]bool{}
		var kids []cid.Cid
		for range 3 {
			var pick []cid.Cid
			for range 1 + r.IntN(6) {
				l := leaves[r.IntN(len(leaves))]
				pick = append(pick, l)
				in[string(l.Hash())] = true
			}
			k := putNode(t, src, "s", fmt.Sprint("mid", r.IntN(4)), 1, pick...)
			in[string(k.Hash())] = true
			kids = append(kids, k)
		}
		root := putNode(t, src, "s", fmt.Sprint("root", i), 1, kids...)
		in[string(root.Hash())] = true
		roots, members = append(roots, root), append(members, in)
	}
	return roots, members
}

// TestRandomPinsAndReleasesKeepExactReferences lets workers pin, release, unpin
// and cancel over overlapping DAGs at once; then the references must equal a
// recount, and the blocks the union of what is still pinned.
func TestRandomPinsAndReleasesKeepExactReferences(t *testing.T) {
	for _, seed := range []uint64{1, 2, uint64(time.Now().UnixNano())} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			src, n := startNode(t), startNode(t)
			roots, members := overlappingDAGs(t, src, rand.New(rand.NewPCG(seed, 0)), 8)
			held := make([]map[string]int, 6) // per worker: ref → root
			var wg sync.WaitGroup
			for w := range held {
				held[w] = map[string]int{}
				wg.Go(func() { churn(t, n, src, rand.New(rand.NewPCG(seed, uint64(w)+1)), w, roots, held[w]) })
			}
			wg.Wait()
			want := map[string]bool{}
			for _, refs := range held {
				for _, i := range refs {
					for h := range members[i] {
						want[h] = true
					}
				}
			}
			wantClean(t, n, uint64(len(want)))
			for _, refs := range held {
				for ref := range refs {
					if _, err := n.Release(context.Background(), ref); err != nil {
						t.Fatal(err)
					}
				}
			}
			wantClean(t, n, 0)
		})
	}
}

func churn(t *testing.T, n, src *Node, r *rand.Rand, w int, roots []cid.Cid, held map[string]int) {
	owner := fmt.Sprint("owner", w)
	for step := range 40 {
		i := r.IntN(len(roots))
		spec := PinSpec{Ref: fmt.Sprintf("w%d-%d", w, step), Owner: owner, Seq: uint64(step) + 1, Root: roots[i], Origins: src.Addrs()}
		switch op := r.IntN(10); {
		case op < 5:
			if _, err := n.Pin(context.Background(), spec, nil); err != nil {
				t.Errorf("pin: %v", err)
				return
			}
			held[spec.Ref] = i
		case op < 7: // cut short, then let go
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.IntN(8000))*time.Microsecond)
			_, _ = n.Pin(ctx, spec, nil)
			cancel()
			if _, err := n.Release(context.Background(), spec.Ref); err != nil {
				t.Errorf("release: %v", err)
				return
			}
		case op < 9:
			for ref := range held {
				if _, err := n.Release(context.Background(), ref); err != nil {
					t.Errorf("release: %v", err)
					return
				}
				delete(held, ref)
				break
			}
		default:
			if _, err := n.Unpin(context.Background(), owner, roots[i], spec.Seq); err != nil {
				t.Errorf("unpin: %v", err)
				return
			}
			for ref, j := range held {
				if j == i {
					delete(held, ref)
				}
			}
		}
	}
}

// TestBlockReleasedUnderAPinIsFetchedAgain lets the last holder of a block go
// between the walk that saw it and the write that refers to it.
func TestBlockReleasedUnderAPinIsFetchedAgain(t *testing.T) {
	ctx := context.Background()
	src, n := startNode(t), startNode(t)
	leaf := putRaw(t, src, "s", randBytes(11, 50<<10))
	root := putNode(t, src, "s", "root", 1, leaf)
	pinOK(t, n, PinSpec{Ref: "first", Root: leaf, Origins: src.Addrs()})

	rec, stored, err := n.openRecord(ctx, PinSpec{Ref: "second", Root: root})
	if err != nil {
		t.Fatal(err)
	}
	p := n.newPinning(rec, stored, n.cfg.Limits, root)
	f := n.newFetcher(ctx, "second", root, src.Addrs())
	defer f.close()
	defer p.stop()
	f.writes, f.onWrite, f.onTick = p.out, p.wrote, func() error { return nil }
	p.f, p.w.src = f, f
	if err := p.w.run(ctx); err != nil {
		t.Fatal(err)
	}
	if u, err := n.Release(ctx, "first"); err != nil || u.BlocksFreed != 1 {
		t.Fatalf("%+v, %v", u, err)
	}
	if err := p.finish(ctx); err != nil {
		t.Fatal(err)
	}
	wantClean(t, n, 2)
	if has, err := n.HasAll(ctx, root); err != nil || !has {
		t.Fatalf("HasAll = %t, %v", has, err)
	}
}

func TestRecountFindsWhatIsWrong(t *testing.T) {
	ctx := context.Background()
	n := startNode(t)
	root, _, err := n.AddFile(ctx, "r", "f", bytes.NewReader(randBytes(1, 600<<10)))
	if err != nil {
		t.Fatal(err)
	}
	hs, err := n.store.manifest(0, nil, 10)
	if err != nil || len(hs) != 4 {
		t.Fatalf("%d blocks, %v", len(hs), err)
	}
	leaf := hs[0]
	if string(leaf) == string(root.Hash()) {
		leaf = hs[1]
	}
	n.store.db.Delete(keyRef(leaf, 0), nil)
	n.store.db.Delete(keyManifest(0, leaf), nil)
	n.store.db.Set(keyRef(leaf, 999), nil, nil)
	stray := randBytes(2, 50<<10)
	if err := n.store.files.Put(ctx, fileKey(rawCID(t, stray, 0x12).Hash()), stray); err != nil {
		t.Fatal(err)
	}
	r, err := n.Recount(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if r.Clean() || r.MissingRefs != 1 || r.StrayRefs != 1 || r.HalfRefs != 1 || r.StrayFiles != 1 || r.Err() == nil {
		t.Fatalf("%+v", r)
	}
	n.store.db.Delete(keyRef(leaf, 999), nil)
	if r, err = n.Recount(ctx); err != nil || r.OrphanBlocks != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
}

// childMain is the process that TestKill9 kills: it pins and releases for ever.
func childMain(dir string) {
	cfg := testConfig(dir)
	n, err := New(context.Background(), cfg, Deps{})
	if err != nil {
		fmt.Println("child:", err)
		os.Exit(1)
	}
	origin := os.Getenv("IPFS_TEST_ORIGIN")
	var roots []cid.Cid
	for s := range strings.SplitSeq(os.Getenv("IPFS_TEST_ROOTS"), ",") {
		roots = append(roots, cid.MustParse(s))
	}
	fmt.Println("up")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(w)))
			for {
				i := r.IntN(len(roots))
				ref := fmt.Sprintf("w%d-%d", w, i)
				if r.IntN(2) == 0 {
					_, err = n.Pin(context.Background(), PinSpec{Ref: ref, Owner: "o", Root: roots[i], Origins: []string{origin}}, nil)
				} else {
					_, err = n.Release(context.Background(), ref)
				}
				if err != nil {
					fmt.Println("child:", err)
				}
			}
		})
	}
	wg.Wait()
}

// TestKill9 kills a process that pins and releases, at random moments, and opens
// its directory: no reference may be lost or left over.
func TestKill9(t *testing.T) {
	src := startNode(t)
	roots, _ := overlappingDAGs(t, src, rand.New(rand.NewPCG(7, 7)), 6)
	roots = append(roots, addFile(t, src, "f", randBytes(8, 12<<20)))
	var names []string
	for _, c := range roots {
		names = append(names, c.String())
	}
	dir := t.TempDir()
	for round := range 6 {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), "IPFS_TEST_CHILD="+dir, "IPFS_TEST_ORIGIN="+src.Addrs()[0], "IPFS_TEST_ROOTS="+strings.Join(names, ","))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 3)
		if _, err := out.Read(line); err != nil || string(line[:2]) != "up" {
			t.Fatalf("round %d: the child did not come up: %q, %v", round, line, err)
		}
		time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond) // the moment of death is the test
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		n, err := New(context.Background(), testConfig(dir), Deps{})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		r, err := n.Recount(context.Background())
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := r.Err(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
