package ipfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
	"go.uber.org/goleak"

	"github.com/tidegate/tidegate/executor/job"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("IPFS_TEST_CHILD"); dir != "" {
		childMain(dir)
		return
	}
	goleak.VerifyTestMain(m,
		// Started once by imported packages, for the life of the process.
		goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"),
		goleak.IgnoreTopFunction("github.com/ipfs/go-log/v2/writer.(*MirrorWriter).logRoutine"),
	)
}

// notForRace leaves a test out of -short runs, which is what the race detector
// gets: it is large, and what it does at once smaller tests do too.
func notForRace(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("large, and no more concurrent than others")
	}
}

// testConfig is a loopback node in its own directory.
func testConfig(dir string) Config {
	return Config{
		DataDir: dir, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, AllowPrivatePeers: true,
		StallTimeout: time.Minute, DialTimeout: 30 * time.Second, DiskReserve: 1 << 20,
	}
}

func startNode(t testing.TB, edit ...func(*Config)) *Node {
	t.Helper()
	cfg := testConfig(t.TempDir())
	for _, e := range edit {
		e(&cfg)
	}
	return openNode(t, cfg, Deps{})
}

func openNode(t testing.TB, cfg Config, deps Deps) *Node {
	t.Helper()
	n, err := New(context.Background(), cfg, deps)
	if err != nil {
		t.Fatalf("starting node: %v", err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("closing node: %v", err)
		}
	})
	return n
}

func randBytes(seed uint64, n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24)})
	r.Read(b)
	return b
}

// addFile adds seeded bytes to a node and returns their root.
func addFile(t testing.TB, n *Node, ref string, data []byte) cid.Cid {
	t.Helper()
	c, _, err := n.AddFile(context.Background(), ref, ref, bytes.NewReader(data))
	if err != nil {
		t.Fatalf("adding %s: %v", ref, err)
	}
	return c
}

// put stores one block of any kind in a node, bypassing the allow-list, as a
// hostile peer's node would.
func put(t testing.TB, n *Node, ref string, c cid.Cid, data []byte) {
	t.Helper()
	rec, err := n.store.pin(ref)
	if err != nil {
		t.Fatal(err)
	}
	fresh := rec == nil
	if fresh {
		num, err := n.store.newNum()
		if err != nil {
			t.Fatal(err)
		}
		rec = &pinRecord{Num: num, Ref: ref, State: StatePinning}
	}
	if _, err := n.store.add(context.Background(), rec, []item{{c, data, uint64(len(data))}}, fresh, false); err != nil {
		t.Fatal(err)
	}
}

// putNode stores a dag-pb block with the given children, each linked times times.
func putNode(t testing.TB, n *Node, ref, salt string, times int, kids ...cid.Cid) cid.Cid {
	t.Helper()
	nd := merkledag.NodeWithData([]byte(salt))
	if err := nd.SetCidBuilder(merkledag.V1CidPrefix()); err != nil {
		t.Fatal(err)
	}
	for i, k := range kids {
		for j := range times {
			if err := nd.AddRawLink(fmt.Sprintf("%d-%d", i, j), linkTo(k)); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(t, n, ref, nd.Cid(), nd.RawData())
	return nd.Cid()
}

func putRaw(t testing.TB, n *Node, ref string, data []byte) cid.Cid {
	t.Helper()
	c := rawCID(t, data, mh.SHA2_256)
	put(t, n, ref, c, data)
	return c
}

func rawCID(t testing.TB, data []byte, hash uint64) cid.Cid {
	t.Helper()
	c, err := cid.Prefix{Version: 1, Codec: cid.Raw, MhType: hash, MhLength: -1}.Sum(data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func pinOK(t testing.TB, n *Node, spec PinSpec) PinStat {
	t.Helper()
	st, err := n.Pin(context.Background(), spec, nil)
	if err != nil {
		t.Fatalf("pinning %s for %s: %v", spec.Root, spec.Ref, err)
	}
	return st
}

func wantFault(t testing.TB, err error, r job.Reason, retry bool) *job.Fault {
	t.Helper()
	f, ok := err.(*job.Fault)
	if !ok {
		t.Fatalf("got %v (%T), want a fault %s", err, err, r)
	}
	if f.Reason != r || f.Retry != retry {
		t.Fatalf("got fault %s (retry %t), want %s (retry %t): %v", f.Reason, f.Retry, r, retry, f.Err)
	}
	return f
}

// wantClean checks the references against a recount, and the number of blocks.
func wantClean(t testing.TB, n *Node, blocks uint64) {
	t.Helper()
	r, err := n.Recount(context.Background())
	if err != nil {
		t.Fatalf("recount: %v", err)
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	if r.Blocks != blocks {
		t.Fatalf("the store has %d blocks, want %d", r.Blocks, blocks)
	}
}

func readAll(t testing.TB, n *Node, root cid.Cid, path string) []byte {
	t.Helper()
	f, err := n.Open(context.Background(), root, path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSecondOpenerOfADirectoryGetsErrLocked(t *testing.T) {
	n := startNode(t)
	_, err := New(context.Background(), testConfig(n.cfg.DataDir), Deps{})
	if !errors.Is(err, ErrLocked) || !bytes.Contains([]byte(err.Error()), []byte(n.cfg.DataDir)) {
		t.Fatalf("got %v, want ErrLocked naming %s", err, n.cfg.DataDir)
	}
}

func TestIdentityPersistsAndIsPrivate(t *testing.T) {
	cfg := testConfig(t.TempDir())
	n := openNode(t, cfg, Deps{})
	id := n.ID()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = openNode(t, cfg, Deps{})
	if n.ID() != id {
		t.Fatalf("peer id changed from %s to %s", id, n.ID())
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	key := cfg.DataDir + "/identity.key"
	st, err := os.Stat(key)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("identity has mode %v (%v), want 0600", st.Mode(), err)
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := New(context.Background(), cfg, Deps{}); err == nil {
		t.Fatal("a key that others can read was accepted")
	}
}

func TestConfigCheckReportsEverything(t *testing.T) {
	err := Config{Routing: "magic", Peers: []string{"/ip4/1.2.3.4/tcp/1"}, Gateways: []string{"ftp://x"}, Listen: []string{"nonsense"}}.Check()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"data directory", "magic", "/p2p/", "ftp://x", "nonsense"} {
		if !bytes.Contains([]byte(err.Error()), []byte(want)) {
			t.Errorf("%q does not mention %q", err, want)
		}
	}
	if err := (Config{DataDir: "x"}).Check(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
}

func TestCallsAfterCloseSayClosed(t *testing.T) {
	n := startNode(t)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Pin(context.Background(), PinSpec{Ref: "a"}, nil); !errors.Is(err, ErrClosed) {
		t.Fatalf("got %v, want ErrClosed", err)
	}
	if err := n.Close(); err != nil {
		t.Fatalf("closing twice: %v", err)
	}
}
