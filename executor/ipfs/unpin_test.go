package ipfs

import (
	"errors"
	"testing"
)

// An unpin that comes before the pin it revokes has begun, as when the pin was
// still waiting for a peer, leaves nothing pinned; a later pin is another thing.
func TestUnpinRevokesPinsThatHaveNotBegun(t *testing.T) {
	src, n := startNode(t), startNode(t)
	root := addFile(t, src, "f", randBytes(77, 300<<10))
	spec := func(ref, owner string, seq uint64) PinSpec {
		return PinSpec{Ref: ref, Owner: owner, Seq: seq, Root: root, Origins: src.Addrs()}
	}
	if _, err := n.Unpin(t.Context(), "alice", root, 5); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Unpin(t.Context(), "alice", root, 3); err != nil { // an older one changes nothing
		t.Fatal(err)
	}
	if _, err := n.Pin(t.Context(), spec("r4", "alice", 4), nil); !errors.Is(err, ErrReleased) {
		t.Fatalf("a pin older than the unpin: %v, want ErrReleased", err)
	}
	wantClean(t, n, 0)
	held := pinOK(t, n, spec("r5", "alice", 5))
	pinOK(t, n, spec("r2", "bob", 2))
	wantClean(t, n, held.Blocks)
}
