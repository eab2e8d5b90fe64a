package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	commp "github.com/filecoin-project/go-fil-commp-hashhash"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/piece"
	"github.com/tidegate/tidegate/test/kubo"
)

// A real Kubo exports the CAR that we pack, byte for byte, and imports ours: as
// CARv1, as CARv2 and as the parts of a split.
func TestPiecesAndKubo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tree := filepath.Join(dir, "content")
	for i := range 24 {
		sub := filepath.Join(tree, fmt.Sprint(i%3))
		if err := os.MkdirAll(sub, 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, sub, fmt.Sprint("file", i), content(uint64(i), 100+i*i*2000))
	}
	from := kubo.Start(t)
	text := from.Run("add", "-r", "-Q", "--cid-version=1", tree)
	root := cid.MustParse(text)
	var theirs bytes.Buffer
	if err := from.Export(t.Context(), text, &theirs); err != nil {
		t.Fatal(err)
	}
	src, err := piece.OpenCAR(bytes.NewReader(theirs.Bytes()), int64(theirs.Len()))
	if err != nil {
		t.Fatal(err)
	}
	v1, v2 := filepath.Join(dir, "1.car"), filepath.Join(dir, "2.car")
	packed := writePiece(t, src, piece.Contents{Roots: []cid.Cid{root}}, v1, false)
	ours, err := os.ReadFile(v1)
	if err != nil || !bytes.Equal(ours, theirs.Bytes()) {
		t.Errorf("our CAR of %d bytes is not Kubo's of %d, %v", len(ours), theirs.Len(), err)
	}
	var calc commp.Calc
	_, _ = calc.Write(theirs.Bytes())
	if want, padded, err := calc.Digest(); err != nil || !bytes.Equal(want, packed.Root[:]) || padded != packed.Padded {
		t.Errorf("commitment %x in %d, want %x in %d, %v", packed.Root, packed.Padded, want, padded, err)
	}
	writePiece(t, src, piece.Contents{Roots: []cid.Cid{root}}, v2, true)
	into := kubo.Start(t) // has no peers: what it shows, it was given
	for _, path := range []string{v1, v2} {
		into.Run("dag", "import", "--pin-roots=true", path)
		if got, want := into.Run("--timeout=60s", "ls", text+"/1"), from.Run("ls", text+"/1"); got != want {
			t.Errorf("%s: %s\nwant %s", path, got, want)
		}
		into.Forget(text)
	}
	if out, err := into.Try("--timeout=2s", "pin", "add", text); err == nil {
		t.Fatalf("it forgot nothing: %s", out)
	}
	parts, err := piece.Split(t.Context(), src, root, 4<<20)
	if err != nil || len(parts) < 2 {
		t.Fatal(len(parts), err)
	}
	for i, part := range parts {
		path := filepath.Join(dir, fmt.Sprintf("part%d.car", i))
		writePiece(t, src, part.Contents, path, false)
		into.Run("dag", "import", "--pin-roots=false", path)
	}
	into.Run("--timeout=60s", "pin", "add", text)
}

func writePiece(t *testing.T, src piece.Blocks, what piece.Contents, path string, v2 bool) piece.Packed {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var p piece.Packed
	if v2 {
		p, err = piece.PackV2(t.Context(), src, what, f, piece.PackOptions{})
	} else {
		p, err = piece.Pack(t.Context(), src, what, f, piece.PackOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}
