package ipfs

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"

	"github.com/tidegate/tidegate/executor/job"
)

func linkTo(c cid.Cid) *ipld.Link { return &ipld.Link{Cid: c} }

func TestPinFetchesAFileFromItsOriginAndServesItOn(t *testing.T) {
	src, a, b := startNode(t), startNode(t), startNode(t)
	data := randBytes(1, 3<<20+12345)
	root := addFile(t, src, "file", data)
	var last job.Progress
	st, err := a.Pin(context.Background(), PinSpec{Ref: "r1", Owner: "o", Seq: 1, Root: root, Origins: src.Addrs()}, func(p job.Progress) { last = p })
	if err != nil {
		t.Fatal(err)
	}
	if st.Blocks != 14 || st.Fetched != 14 || st.LogicalBytes != st.Bytes || st.Bytes < uint64(len(data)) {
		t.Fatalf("unexpected stat %+v", st)
	}
	if last.Blocks != 14 || last.Phase != "pinned" || last.Total != st.Bytes {
		t.Fatalf("unexpected last progress %+v", last)
	}
	wantClean(t, a, 14)
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(readAll(t, a, root, ""), data) {
		t.Fatal("the pinned file differs")
	}
	pinOK(t, b, PinSpec{Ref: "r2", Root: root, Origins: a.Addrs()})
	if !bytes.Equal(readAll(t, b, root, ""), data) {
		t.Fatal("the file fetched from the pinning node differs")
	}
	again := pinOK(t, a, PinSpec{Ref: "r1", Owner: "o", Seq: 1, Root: root})
	if again.Fetched != 0 || again.Blocks != 14 {
		t.Fatalf("pinning again gave %+v", again)
	}
	if has, err := a.HasAll(context.Background(), root); err != nil || !has {
		t.Fatalf("HasAll = %t, %v", has, err)
	}
	s, err := a.Stats()
	if err != nil || s.Blocks != 14 || s.Pins != 1 || s.Bytes != st.Bytes || s.Wants != 0 {
		t.Fatalf("stats %+v, %v", s, err)
	}
}

func TestStaticPeerIsAskedWithoutOrigins(t *testing.T) {
	src := startNode(t)
	root := addFile(t, src, "f", randBytes(2, 1000))
	n := startNode(t, func(c *Config) { c.Peers = src.Addrs() })
	pinOK(t, n, PinSpec{Ref: "r", Root: root})
	wantClean(t, n, 1)
}

func TestSharedContentStaysUntilTheLastOwnerUnpins(t *testing.T) {
	ctx := context.Background()
	src, n := startNode(t), startNode(t)
	root := addFile(t, src, "f", randBytes(3, 600<<10))
	spec := func(ref, owner string, seq uint64) PinSpec {
		return PinSpec{Ref: ref, Owner: owner, Seq: seq, Root: root, Origins: src.Addrs()}
	}
	first := pinOK(t, n, spec("r1", "alice", 1))
	if st := pinOK(t, n, spec("r2", "bob", 2)); st.Fetched != 0 || st.Blocks != first.Blocks {
		t.Fatalf("second pin %+v, want nothing fetched", st)
	}
	pinOK(t, n, spec("r3", "alice", 9))
	u, err := n.Unpin(ctx, "alice", root, 5)
	if err != nil || u != (UnpinStat{Refs: 1}) {
		t.Fatalf("alice's unpin: %+v, %v", u, err)
	}
	if u, err = n.Unpin(ctx, "alice", root, 10); err != nil || u != (UnpinStat{Refs: 1}) {
		t.Fatalf("alice's second unpin: %+v, %v", u, err)
	}
	if u, err = n.Unpin(ctx, "carol", root, 10); err != nil || u != (UnpinStat{}) {
		t.Fatalf("a stranger's unpin: %+v, %v", u, err)
	}
	wantClean(t, n, first.Blocks)
	u, err = n.Unpin(ctx, "bob", root, 10)
	if err != nil || u != (UnpinStat{1, first.Blocks, first.Bytes}) {
		t.Fatalf("bob's unpin: %+v, %v", u, err)
	}
	wantClean(t, n, 0)
	if s, _ := n.Stats(); s.Blocks != 0 || s.Bytes != 0 || s.Pins != 0 {
		t.Fatalf("stats after all unpins: %+v", s)
	}
}

func TestReleaseFreesExactlyItsOwnBlocks(t *testing.T) {
	ctx := context.Background()
	src, n := startNode(t), startNode(t)
	shared := putRaw(t, src, "s", randBytes(4, 100<<10))
	a := putNode(t, src, "s", "a", 1, shared, putRaw(t, src, "s", randBytes(5, 50<<10)))
	b := putNode(t, src, "s", "b", 1, shared, putRaw(t, src, "s", randBytes(6, 1000)))
	pinOK(t, n, PinSpec{Ref: "ra", Root: a, Origins: src.Addrs()})
	pinOK(t, n, PinSpec{Ref: "rb", Root: b, Origins: src.Addrs()})
	wantClean(t, n, 5)
	u, err := n.Release(ctx, "ra")
	if err != nil || u.Refs != 1 || u.BlocksFreed != 2 {
		t.Fatalf("release: %+v, %v", u, err)
	}
	wantClean(t, n, 3)
	if has, err := n.HasAll(ctx, b); err != nil || !has {
		t.Fatalf("b after releasing a: %t, %v", has, err)
	}
	if has, err := n.HasAll(ctx, a); err != nil || has {
		t.Fatalf("a after its release: %t, %v", has, err)
	}
	if u, err = n.Release(ctx, "ra"); err != nil || u != (UnpinStat{}) {
		t.Fatalf("second release: %+v, %v", u, err)
	}
	if u, err = n.Release(ctx, "never heard of"); err != nil || u != (UnpinStat{}) {
		t.Fatalf("release of an unknown request: %+v, %v", u, err)
	}
	if u, err = n.Release(ctx, "rb"); err != nil || u.BlocksFreed != 3 {
		t.Fatalf("release: %+v, %v", u, err)
	}
	wantClean(t, n, 0)
}

func TestCIDv0AndV1OfOneHashAreOneBlock(t *testing.T) {
	src, n := startNode(t), startNode(t)
	v1 := putNode(t, src, "s", "x", 0)
	pinOK(t, n, PinSpec{Ref: "r1", Root: v1, Origins: src.Addrs()})
	if st := pinOK(t, n, PinSpec{Ref: "r0", Root: cid.NewCidV0(v1.Hash())}); st.Fetched != 0 {
		t.Fatalf("CIDv0 was fetched again: %+v", st)
	}
	wantClean(t, n, 1)
}

func TestStallNamesWhatIsMissingAndResumes(t *testing.T) {
	ctx := context.Background()
	src, n := startNode(t), startNode(t, func(c *Config) { c.StallTimeout = 3 * time.Second })
	here := putRaw(t, src, "s", randBytes(7, 40<<10))
	lostData := randBytes(8, 500)
	lost := rawCID(t, lostData, 0x12)
	root := putNode(t, src, "s", "root", 1, here, lost)
	spec := PinSpec{Ref: "r", Owner: "o", Root: root, Origins: src.Addrs()}
	_, err := n.Pin(ctx, spec, nil)
	f := wantFault(t, err, job.ReasonStalled, true)
	if !strings.Contains(f.Error(), lost.String()) || !strings.Contains(f.Error(), "connected") {
		t.Fatalf("the stall does not name %s and its origin: %v", lost, f)
	}
	if i, ok, err := n.PinByRef(ctx, "r"); err != nil || !ok || i.State != StatePinning {
		t.Fatalf("after the stall: %+v, %t, %v", i, ok, err)
	}
	wantClean(t, n, 2)
	put(t, src, "s", lost, lostData)
	if st := pinOK(t, n, spec); st.Fetched != 1 || st.Blocks != 3 {
		t.Fatalf("resumed pin: %+v, want one block fetched of three", st)
	}
	wantClean(t, n, 3)
}

func TestReleaseDropsAHalfDonePin(t *testing.T) {
	ctx := context.Background()
	src, n := startNode(t), startNode(t, func(c *Config) { c.StallTimeout = 3 * time.Second })
	root := putNode(t, src, "s", "root", 1, putRaw(t, src, "s", randBytes(9, 40<<10)), rawCID(t, []byte("nowhere"), 0x12))
	_, err := n.Pin(ctx, PinSpec{Ref: "r", Root: root, Origins: src.Addrs()}, nil)
	wantFault(t, err, job.ReasonStalled, true)
	if u, err := n.Release(ctx, "r"); err != nil || u.BlocksFreed != 2 || u.Refs != 1 {
		t.Fatalf("release: %+v, %v", u, err)
	}
	wantClean(t, n, 0)
}

func TestRootThatNobodyHasIsNotFound(t *testing.T) {
	src, n := startNode(t), startNode(t, func(c *Config) { c.StallTimeout = 3 * time.Second })
	c := rawCID(t, []byte("nobody has this"), 0x12)
	_, err := n.Pin(context.Background(), PinSpec{Ref: "r", Root: c, Origins: src.Addrs()}, nil)
	if f := wantFault(t, err, job.ReasonNotFound, true); !strings.Contains(f.Error(), c.String()) {
		t.Fatalf("%v does not name the root", f)
	}
	if _, ok, err := n.PinByRef(context.Background(), "r"); ok || err != nil {
		t.Fatalf("a record was left: %t, %v", ok, err)
	}
}

func TestUnreachableOriginEndsThePinAtOnce(t *testing.T) {
	gone, n := startNode(t), startNode(t, func(c *Config) { c.StallTimeout = time.Minute })
	addrs := gone.Addrs()
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	c := rawCID(t, []byte("x"), 0x12)
	start := time.Now()
	_, err := n.Pin(context.Background(), PinSpec{Ref: "r", Root: c, Origins: addrs}, nil)
	wantFault(t, err, job.ReasonUnreachable, true)
	_, err = n.Pin(context.Background(), PinSpec{Ref: "r", Root: c, Origins: []string{"/ip4/1.2.3.4/tcp/1"}}, nil)
	wantFault(t, err, job.ReasonUnreachable, false)
	_, err = n.Pin(context.Background(), PinSpec{Ref: "r", Root: c}, nil)
	wantFault(t, err, job.ReasonNotFound, true)
	_, err = n.Pin(context.Background(), PinSpec{Ref: "r", Root: c, Origins: make([]string, 6)}, nil)
	wantFault(t, err, job.ReasonRefused, false)
	if took := time.Since(start); took > 20*time.Second {
		t.Fatalf("took %s, though there was nobody to wait for", took)
	}
}

func TestRequestIDThatHoldsSomethingElseIsRefused(t *testing.T) {
	src, n := startNode(t), startNode(t)
	a, b := addFile(t, src, "a", []byte("a")), addFile(t, src, "b", []byte("b"))
	pinOK(t, n, PinSpec{Ref: "r", Root: a, Origins: src.Addrs()})
	if _, err := n.Pin(context.Background(), PinSpec{Ref: "r", Root: b, Origins: src.Addrs()}, nil); !errors.Is(err, ErrRefInUse) {
		t.Fatalf("got %v, want ErrRefInUse", err)
	}
}

// blocked starts a pin that waits for a block nobody has.
func blocked(t *testing.T, n, src *Node, ctx context.Context, ref, owner string, seq uint64) (cid.Cid, chan error) {
	t.Helper()
	root := putNode(t, src, "s", "blocked", 1, rawCID(t, []byte("nowhere"), 0x12))
	got := make(chan error, 1)
	waiting := make(chan struct{})
	var once atomic.Bool
	go func() {
		_, err := n.Pin(ctx, PinSpec{Ref: ref, Owner: owner, Seq: seq, Root: root, Origins: src.Addrs()}, func(p job.Progress) {
			if p.Blocks == 1 && once.CompareAndSwap(false, true) {
				close(waiting)
			}
		})
		got <- err
	}()
	select {
	case <-waiting:
	case err := <-got:
		t.Fatalf("the pin ended early: %v", err)
	case <-time.After(20 * time.Second):
		t.Fatal("the pin never got its first block")
	}
	return root, got
}

func ended(t *testing.T, got chan error) error {
	t.Helper()
	select {
	case err := <-got:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("the pin did not end")
		return nil
	}
}

func TestPinInProgressEndsWithItsContextReleaseUnpinAndClose(t *testing.T) {
	src := startNode(t)
	slow := func(c *Config) { c.StallTimeout = time.Hour }
	t.Run("context", func(t *testing.T) {
		n := startNode(t, slow)
		ctx, cancel := context.WithCancel(context.Background())
		_, got := blocked(t, n, src, ctx, "r", "o", 1)
		cancel()
		if err := ended(t, got); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want context.Canceled", err)
		}
	})
	t.Run("release", func(t *testing.T) {
		n := startNode(t, slow)
		_, got := blocked(t, n, src, context.Background(), "r", "o", 1)
		if _, err := n.Release(context.Background(), "r"); err != nil {
			t.Fatal(err)
		}
		if err := ended(t, got); !errors.Is(err, ErrReleased) {
			t.Fatalf("got %v, want ErrReleased", err)
		}
		wantClean(t, n, 0)
	})
	t.Run("unpin", func(t *testing.T) {
		n := startNode(t, slow)
		root, got := blocked(t, n, src, context.Background(), "r", "o", 1)
		if u, err := n.Unpin(context.Background(), "o", root, 1); err != nil || u.Refs != 0 {
			t.Fatalf("an unpin that is not later: %+v, %v", u, err)
		}
		if _, err := n.Unpin(context.Background(), "o", root, 2); err != nil {
			t.Fatal(err)
		}
		if err := ended(t, got); !errors.Is(err, ErrReleased) {
			t.Fatalf("got %v, want ErrReleased", err)
		}
		wantClean(t, n, 0)
	})
	t.Run("close", func(t *testing.T) {
		n := startNode(t, slow)
		_, got := blocked(t, n, src, context.Background(), "r", "o", 1)
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		if err := ended(t, got); !errors.Is(err, ErrClosed) {
			t.Fatalf("got %v, want ErrClosed", err)
		}
	})
}

func TestDiskReserveRefusesNewBlocksAsOurOwnFault(t *testing.T) {
	src := startNode(t)
	root := addFile(t, src, "f", []byte("hello"))
	n := startNode(t, func(c *Config) { c.DiskReserve = 1 << 62 })
	_, err := n.Pin(context.Background(), PinSpec{Ref: "r", Root: root, Origins: src.Addrs()}, nil)
	var f *job.Fault
	if !errors.Is(err, ErrDiskFull) || errors.As(err, &f) {
		t.Fatalf("got %v, want ErrDiskFull and no fault", err)
	}
	wantClean(t, n, 0)
}
