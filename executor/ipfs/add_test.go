package ipfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/ipfs/boxo/files"

	"github.com/tidegate/tidegate/executor/job"
)

func TestAddedFilesHaveKubosCIDs(t *testing.T) {
	n := startNode(t)
	for i, c := range []struct {
		name   string
		node   func() files.Node
		v0, v1 string
	}{
		{"empty file", func() files.Node { return files.NewBytesFile(nil) },
			"QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"},
		{"hello world", func() files.Node { return files.NewBytesFile([]byte("hello world\n")) },
			"QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o", "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"},
		{"empty directory", func() files.Node { return files.NewMapDirectory(nil) },
			"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn", "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"},
	} {
		for _, v0 := range []bool{true, false} {
			want := c.v1
			if v0 {
				want = c.v0
			}
			got, _, err := n.Add(context.Background(), AddSpec{Ref: fmt.Sprint(i, v0), Owner: OwnerLocal, CIDv0: v0}, c.node())
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != want {
				t.Errorf("%s: %s, want %s", c.name, got, want)
			}
		}
	}
}

func TestAddedFileReadsBackWholeAndInPart(t *testing.T) {
	notForRace(t)
	n := startNode(t)
	data := randBytes(1, 50<<20) // more than 174 chunks: two levels of nodes
	c, st, err := n.AddFile(context.Background(), "r", "big", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if st.Blocks != 200+2+1 || st.LogicalBytes < uint64(len(data)) {
		t.Fatalf("stat %+v", st)
	}
	f, err := n.Open(context.Background(), c, "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(33<<20+17, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	part := make([]byte, 1000)
	if _, err := io.ReadFull(f, part); err != nil || !bytes.Equal(part, data[33<<20+17:][:1000]) {
		t.Fatalf("a part differs (%v)", err)
	}
	if !bytes.Equal(readAll(t, n, c, ""), data) {
		t.Fatal("the file differs")
	}
	wantClean(t, n, 203)
}

func TestAddedDirectoryKeepsHiddenFilesAndLinks(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	for name, data := range map[string]string{"a.txt": "a", ".hidden": "h", "sub/deep/b.txt": "bb", "sub/same": "a"} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.txt", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	n, b := startNode(t), startNode(t)
	c, st, err := n.AddPath(ctx, "r", dir)
	if err != nil {
		t.Fatal(err)
	}
	// root, sub, deep, empty, link, and the contents a, h, bb
	if st.Blocks != 8 {
		t.Fatalf("stat %+v, want 8 blocks", st)
	}
	wantClean(t, n, 8)
	pinOK(t, b, PinSpec{Ref: "r", Root: c, Origins: n.Addrs()})
	for name, want := range map[string]string{"a.txt": "a", ".hidden": "h", "/sub/deep/b.txt": "bb", "sub/same": "a"} {
		if got := readAll(t, b, c, name); string(got) != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, err := b.Open(ctx, c, "sub/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing name: %v", err)
	}
	if _, err := b.Open(ctx, c, "a.txt/x"); err == nil {
		t.Error("a file was opened as a directory")
	}
	if u, err := n.Unpin(ctx, OwnerLocal, c, 1); err != nil || u.BlocksFreed != 8 {
		t.Fatalf("%+v, %v", u, err)
	}
	wantClean(t, n, 0)
}

func TestLargeDirectoryIsShardedAndLeavesNothingBehind(t *testing.T) {
	notForRace(t)
	ctx := context.Background()
	n, b := startNode(t), startNode(t)
	entries := map[string]files.Node{}
	for i := range 6000 {
		entries[fmt.Sprintf("a file with a rather long name, number %05d", i)] = files.NewBytesFile([]byte(fmt.Sprint(i)))
	}
	c, st, err := n.Add(ctx, AddSpec{Ref: "r", Owner: OwnerLocal}, files.NewMapDirectory(entries))
	if err != nil {
		t.Fatal(err)
	}
	if st.Blocks <= 6001 {
		t.Fatalf("%d blocks: the directory was not sharded", st.Blocks)
	}
	wantClean(t, n, st.Blocks)
	if got := pinOK(t, b, PinSpec{Ref: "r", Root: c, Origins: n.Addrs()}); got.Blocks != st.Blocks {
		t.Fatalf("%d blocks fetched of %d", got.Blocks, st.Blocks)
	}
	if got := readAll(t, b, c, "a file with a rather long name, number 04321"); string(got) != "4321" {
		t.Fatalf("read %q", got)
	}
}

// failingReader gives some data, then an error.
type failingReader struct{ left int }

var errRead = errors.New("the disk is on fire")

func (r *failingReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, errRead
	}
	n := min(r.left, len(p))
	copy(p, randBytes(uint64(r.left), n))
	r.left -= n
	return n, nil
}

func TestFailedAddLeavesNothingBehind(t *testing.T) {
	ctx := context.Background()
	n := startNode(t, func(c *Config) { c.Limits.MaxBytes = 30 << 20 })
	if _, _, err := n.AddFile(ctx, "r", "f", &failingReader{20 << 20}); !errors.Is(err, errRead) {
		t.Fatalf("got %v, want the reader's error", err)
	}
	wantClean(t, n, 0)
	_, _, err := n.AddFile(ctx, "r", "f", bytes.NewReader(randBytes(1, 31<<20)))
	var f *job.Fault
	if !errors.As(err, &f) || f.Reason != job.ReasonTooLarge {
		t.Fatalf("got %v, want too_large", err)
	}
	wantClean(t, n, 0)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := n.AddFile(cancelled, "r", "f", bytes.NewReader([]byte("x"))); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	addFile(t, n, "r", []byte("x"))
	if _, _, err := n.AddFile(ctx, "r", "f", bytes.NewReader([]byte("y"))); !errors.Is(err, ErrRefInUse) {
		t.Fatalf("got %v, want ErrRefInUse", err)
	}
	wantClean(t, n, 1)
}
