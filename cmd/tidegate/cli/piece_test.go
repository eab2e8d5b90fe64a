package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
	carv1 "github.com/ipld/go-car"
	"github.com/ipld/go-car/util"
)

// sampleCAR writes a CAR with leaves in the wrong order and a root above them.
func sampleCAR(t *testing.T, path string, leaves int) (root cid.Cid) {
	t.Helper()
	var body bytes.Buffer
	top := merkledag.NodeWithData(nil)
	rnd := rand.NewChaCha8([32]byte{1})
	for i := range leaves {
		b := make([]byte, 2000)
		_, _ = rnd.Read(b)
		leaf := merkledag.NewRawNode(b)
		if err := top.AddRawLink(fmt.Sprintf("%04d", leaves-i), &ipld.Link{Cid: leaf.Cid(), Size: 2000}); err != nil {
			t.Fatal(err)
		}
		if err := util.LdWrite(&body, leaf.Cid().Bytes(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := util.LdWrite(&body, top.Cid().Bytes(), top.RawData()); err != nil {
		t.Fatal(err)
	}
	var head bytes.Buffer
	if err := carv1.WriteHeader(&carv1.CarHeader{Roots: []cid.Cid{top.Cid()}, Version: 1}, &head); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(head.Bytes(), body.Bytes()...), 0o600); err != nil {
		t.Fatal(err)
	}
	return top.Cid()
}

// tideJSON runs a command that must succeed, and decodes what it prints.
func tideJSON(t *testing.T, out any, args ...string) {
	t.Helper()
	code, stdout, errOut := tide(t, append(args, "--json")...)
	if code != 0 || json.Unmarshal([]byte(stdout), out) != nil {
		t.Fatalf("%v: code %d\n%s%s", args, code, stdout, errOut)
	}
}

func tideFails(t *testing.T, says string, args ...string) {
	t.Helper()
	if code, out, errOut := tide(t, args...); code != 1 || !strings.Contains(errOut, says) {
		t.Errorf("%v: code %d\n%s%s", args, code, out, errOut)
	}
}

func TestPieceCommp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "zeros")
	if err := os.WriteFile(path, make([]byte, 127), 0o600); err != nil {
		t.Fatal(err)
	}
	const v1 = "baga6ea4seaqdomn3tgwgrh3g532zopskstnbrd2n3sxfqbze7rxt7vqn7veigmy"
	var v pieceView
	tideJSON(t, &v, "piece", "commp", path)
	if v.PieceCID != v1 || v.Payload != 127 || v.Padded != 128 || v.PieceCIDv2 != "bafkzcibcaabdomn3tgwgrh3g532zopskstnbrd2n3sxfqbze7rxt7vqn7veigmy" {
		t.Errorf("%+v", v)
	}
	tideJSON(t, &v, "piece", "commp", path, "--pad-to", "1KiB")
	if v.Padded != 1024 || v.PieceCID == v1 {
		t.Errorf("padded: %+v", v)
	}
	if code, out, _ := tide(t, "piece", "commp", path); code != 0 || !strings.Contains(out, v1) {
		t.Errorf("code %d: %s", code, out)
	}
	if code, _, errOut := tide(t, "piece", "verify", path, v1); code != 0 {
		t.Error(errOut)
	}
	tideFails(t, "not those", "piece", "verify", path, v.PieceCID)
	tideFails(t, "at least 65 bytes", "piece", "commp", os.DevNull)
	for _, args := range [][]string{{"commp"}, {"commp", path, "--pad-to", "1000"}, {"car"}, {"verify", path}, {"verify", path, "x"}, {"aggregate"},
		{"car", "--from", "http://127.0.0.1:1"}, {"split", "--from", "http://127.0.0.1:1", "-o", t.TempDir()}} {
		if code, _, errOut := tide(t, append([]string{"piece"}, args...)...); code != 2 {
			t.Errorf("%v: code %d: %s", args, code, errOut)
		}
	}
}

func TestPieceCAR(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.car"), filepath.Join(dir, "out.car")
	root := sampleCAR(t, in, 30)
	var v, again pieceView
	tideJSON(t, &v, "piece", "car", "--from", in, "-o", out)
	tideJSON(t, &again, "piece", "car", root.String(), "--from", dir)
	if v.PieceCID != again.PieceCID || v.Root != root.String() || v.Blocks != 31 {
		t.Errorf("%+v, %+v", v, again)
	}
	tideJSON(t, &again, "piece", "commp", out)
	if again.PieceCID != v.PieceCID || again.Payload != v.Payload {
		t.Errorf("the file is %+v, not %+v", again, v)
	}
	tideJSON(t, &again, "piece", "car", "--from", in, "-o", filepath.Join(dir, "v2.car"), "--index")
	if again.PieceCID != v.PieceCID {
		t.Errorf("with an index: %+v", again)
	}
	// A public port, honest and not.
	serve := out
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/car/"+root.String() || r.Header.Get("Authorization") != "Bearer key" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		http.ServeFile(w, r, serve)
	}))
	defer srv.Close()
	got := filepath.Join(dir, "got")
	tideJSON(t, &again, "piece", "car", root.String(), "--from", srv.URL, "--token", "key", "-o", got)
	if again.PieceCID != v.PieceCID {
		t.Errorf("fetched: %+v", again)
	}
	tideFails(t, "403", "piece", "car", root.String(), "--from", srv.URL, "-o", got)
	serve = in // the same blocks in another order
	tideFails(t, "not its CAR", "piece", "car", root.String(), "--from", srv.URL, "--token", "key", "-o", filepath.Join(dir, "bad"))
	left, err := filepath.Glob(filepath.Join(dir, "*bad*"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

func TestPieceAggregate(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for i, n := range []int{100, 9000, 300} {
		path := filepath.Join(dir, fmt.Sprint(i))
		b := make([]byte, n)
		_, _ = rand.NewChaCha8([32]byte{byte(i)}).Read(b)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	out, proofs := filepath.Join(dir, "out"), filepath.Join(dir, "proofs.json")
	var v aggregateView
	tideJSON(t, &v, append([]string{"piece", "aggregate", "-o", out, "--proofs", proofs}, files...)...)
	if len(v.Segments) != 3 || v.Segments[0].File != files[1] || v.Aggregate.Padded != 32<<10 {
		t.Errorf("%+v", v)
	}
	if code, _, errOut := tide(t, "piece", "verify", out, v.Aggregate.PieceCID); code != 0 {
		t.Error(errOut)
	}
	if code, said, errOut := tide(t, "piece", "verify", "--proof", proofs); code != 0 || !strings.Contains(said, "3 proofs") {
		t.Error(said, errOut)
	}
	b, err := os.ReadFile(proofs)
	if err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(string(b), v.Segments[1].PieceCID, v.Segments[2].PieceCID, 1)
	if err := os.WriteFile(proofs, []byte(forged), 0o600); err != nil {
		t.Fatal(err)
	}
	tideFails(t, "segment 1", "piece", "verify", "--proof", proofs)
	tideJSON(t, &v, append([]string{"piece", "aggregate", "--keep-order", "--size", "1MiB"}, files...)...)
	if v.Segments[0].File != files[0] || v.Aggregate.Padded != 1<<20 {
		t.Errorf("%+v", v)
	}
}

func TestPieceSplit(t *testing.T) {
	dir := t.TempDir()
	in, parts := filepath.Join(dir, "in.car"), filepath.Join(dir, "parts")
	sampleCAR(t, in, 60)
	var whole pieceView
	tideJSON(t, &whole, "piece", "car", "--from", in)
	var v splitView
	tideJSON(t, &v, "piece", "split", "--from", in, "-o", parts, "--max-size", "32KiB")
	if len(v.Parts) < 4 || v.Whole.PieceCID != whole.PieceCID {
		t.Errorf("%+v, want the whole %+v", v, whole)
	}
	for _, p := range v.Parts {
		if p.Padded > 32<<10 {
			t.Errorf("part %+v is too large", p)
		}
	}
	manifest := filepath.Join(parts, "manifest.json")
	if code, _, errOut := tide(t, "piece", "verify", "--parts", manifest); code != 0 {
		t.Error(errOut)
	}
	var again pieceView
	tideJSON(t, &again, "piece", "car", v.Root, "--from", parts)
	if again.PieceCID != whole.PieceCID {
		t.Errorf("restored %+v", again)
	}
	first := filepath.Join(parts, v.Parts[0].File)
	b, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(first, b, 0o600); err != nil {
		t.Fatal(err)
	}
	tideFails(t, v.Parts[0].File, "piece", "verify", "--parts", manifest)
}
