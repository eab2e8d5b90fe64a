package ipfs

import (
	"context"
	"testing"
	"time"
)

func TestNodesOfOnesOwnAreAskedAsLongAsTheyAreKnown(t *testing.T) {
	src, n := startNode(t), startNode(t)
	root := addFile(t, src, "file", randBytes(9, 300_000))
	if err := n.Know(append(src.Addrs(), n.Addrs()...)); err != nil {
		t.Fatal(err)
	}
	if got := n.friends(); len(got) != 1 || got[0].ID != src.ID() {
		t.Fatalf("friends %v", got)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := n.Pin(ctx, PinSpec{Ref: "r", Owner: "o", Seq: 1, Root: root}, nil); err != nil {
		t.Fatal(err)
	}
	if !n.kin.has(src.ID()) {
		t.Error("the dialling policy holds for a node of one's own")
	}
	if err := n.Know(nil); err != nil {
		t.Fatal(err)
	}
	if len(n.friends()) != 0 || n.kin.has(src.ID()) {
		t.Error("a node is known that is no longer named")
	}
	if err := n.Know([]string{"/ip4/127.0.0.1/tcp/1"}); err == nil {
		t.Error("an address without a peer was taken")
	}
}
