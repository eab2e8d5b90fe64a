package ipfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/ipfs/go-cid"
)

// copyDir is what a power cut leaves: the files as they are at this moment. A
// writer may rename or unlink one between its listing and its reading: then it was
// already gone. It runs on writers' goroutines too, so it must not end the test.
func copyDir(from, to string) error {
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from, p)
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		b, err := os.ReadFile(p)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	})
}

func powerCut(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := copyDir(dir, to); err != nil {
		t.Fatal(err)
	}
	return to
}

var errCut = errors.New("power cut")

// TestPowerCutAtEachStep cuts a write and a drop of large and small blocks at
// every step, and opens what the cut left.
func TestPowerCutAtEachStep(t *testing.T) {
	ctx := context.Background()
	items := storeItems(t, 1, 100<<10, 1000, 200<<10)
	other := storeItems(t, 2, 70<<10)
	for _, step := range []string{"intent", "files", "commit"} {
		t.Run("add cut after "+step, func(t *testing.T) {
			dir := t.TempDir()
			s := openTestStore(t, dir)
			if _, err := s.add(ctx, &pinRecord{Num: 1000, Ref: "other", State: StatePinning}, append(other, items[1]), true, false); err != nil {
				t.Fatal(err)
			}
			s.crash = func(at string) error {
				if at == step {
					return errCut
				}
				return nil
			}
			rec := &pinRecord{Num: 1001, Ref: "r", State: StatePinning}
			if _, err := s.add(ctx, rec, items, true, false); !errors.Is(err, errCut) {
				t.Fatalf("got %v, want the cut", err)
			}
			s2 := openTestStore(t, powerCut(t, dir))
			got, err := s2.pin("r")
			if err != nil {
				t.Fatal(err)
			}
			want := uint64(2)
			if got != nil {
				want = 4
			}
			wantStore(t, s2, want)
			if _, err := s2.add(ctx, rec, items, got == nil, false); err != nil {
				t.Fatal(err)
			}
			wantStore(t, s2, 4)
			if st, err := s2.drop(ctx, rec); err != nil || st.BlocksFreed != 2 {
				t.Fatalf("%+v, %v", st, err)
			}
			wantStore(t, s2, 2)
		})
	}
	for _, step := range []string{"commit", "unlinked"} {
		t.Run("drop cut after "+step, func(t *testing.T) {
			dir := t.TempDir()
			s := openTestStore(t, dir)
			rec := &pinRecord{Num: 1001, Ref: "r", State: StatePinning}
			if _, err := s.add(ctx, rec, items, true, false); err != nil {
				t.Fatal(err)
			}
			s.crash = func(at string) error {
				if at == step {
					return errCut
				}
				return nil
			}
			if _, err := s.drop(ctx, rec); !errors.Is(err, errCut) {
				t.Fatalf("got %v, want the cut", err)
			}
			wantStore(t, openTestStore(t, powerCut(t, dir)), 0)
		})
	}
}

// TestPinResumesAfterAPowerCut copies the directory while a pin is under way. The
// copy is of one moment: a writer that waits at the mutex has its files, or has
// not yet committed what refers to them.
func TestPinResumesAfterAPowerCut(t *testing.T) {
	ctx := context.Background()
	src := startNode(t)
	cfg := testConfig(t.TempDir())
	n := openNode(t, cfg, Deps{})
	var mids, all []cid.Cid
	for i := range uint64(40) {
		leaves := []cid.Cid{putRaw(t, src, "s", randBytes(100*i, 40<<10))}
		for j := range uint64(40) {
			leaves = append(leaves, putRaw(t, src, "s", randBytes(100*i+j+1, 300)))
		}
		mids = append(mids, putNode(t, src, "s", fmt.Sprint("mid", i), 1, leaves...))
		all = append(all, leaves...)
	}
	root := putNode(t, src, "s", "root", 1, mids...)
	all = append(append(all, mids...), root)
	cut, copied := t.TempDir(), ""
	var mu sync.Mutex // several writers commit at a time
	commits := 0
	n.store.crash = func(at string) error {
		mu.Lock()
		defer mu.Unlock()
		if at == "commit" && copied == "" {
			if commits++; commits == 3 {
				copied = filepath.Join(cut, "data")
				// Batches are not synced one by one; a cut may lose those that
				// were not, and then there is nothing to resume from.
				if err := n.store.db.LogData(nil, pebble.Sync); err != nil {
					return err
				}
				return copyDir(cfg.DataDir, copied)
			}
		}
		return nil
	}
	spec := PinSpec{Ref: "r", Root: root, Origins: src.Addrs()}
	whole := pinOK(t, n, spec)
	if copied == "" {
		t.Fatal("the pin was written in fewer than three batches")
	}
	cfg.DataDir = copied
	n2 := openNode(t, cfg, Deps{})
	st := pinOK(t, n2, spec)
	if st.Fetched == 0 || st.Fetched >= whole.Fetched {
		t.Fatalf("resumed pin fetched %d blocks of %d", st.Fetched, whole.Fetched)
	}
	for _, c := range all {
		want, err := src.store.data(ctx, c.Hash())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := n2.store.data(ctx, c.Hash()); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("block %s differs after the resumed pin (%v)", c, err)
		}
	}
	wantClean(t, n2, whole.Blocks)
}
