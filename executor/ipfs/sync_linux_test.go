package ipfs

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestFailedSyncLeavesNothing: where the disk cannot promise a batch, no reference is
// written, no file stays, and the store goes on.
func TestFailedSyncLeavesNothing(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := openTestStore(t, dir)
	if s.disk == nil {
		t.Skip("this kernel's syncfs does not report errors: flatfs syncs")
	}
	good := s.disk
	broken, err := openSync(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := broken.close(); err != nil {
		t.Fatal(err)
	}
	s.disk = broken
	items := storeItems(t, 1, 100<<10, 1000)
	rec := &pinRecord{Num: 1000, Ref: "r", State: StatePinning}
	if _, err := s.add(ctx, rec, items, true, false); err == nil || !strings.Contains(err.Error(), "syncing the filesystem") {
		t.Fatalf("got %v", err)
	}
	wantStore(t, s, 0)
	err = filepath.WalkDir(filepath.Join(dir, "blocks"), func(p string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(p, ".data") {
			t.Errorf("left behind: %s", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.disk = good
	if _, err := s.add(ctx, rec, items, true, false); err != nil {
		t.Fatal(err)
	}
	wantStore(t, s, 2)
}
