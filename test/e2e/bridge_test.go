package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidegate/tidegate/test/kubo"
)

// content gives bytes that no other seed gives.
func content(seed uint64, size int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), 0x7d})
	b := make([]byte, size)
	_, _ = r.Read(b)
	return b
}

// The first story: content that only a real Kubo has is asked for by a wallet,
// ends up pinned and answered, and Kubo gets it back after losing its own copy.
func bridge(t *testing.T, n *network) {
	k := kubo.Start(t)
	data := content(1, 3<<20)
	cid := k.Add(data)
	d := newDaemon(t, n, "--ipfs-peers", k.Addr)
	d.start(t)

	if got := n.status(cid); got != pinNone {
		t.Fatalf("statusOf before asking is %d", got)
	}
	n.pin(keyAlice, cid)
	n.awaitStatus(cid, pinPinned, 2*time.Minute)

	k.Forget(cid)
	if out, err := k.Try("cat", "--offline", cid); err == nil {
		t.Fatalf("Kubo still has %d bytes of it", len(out))
	}
	back := filepath.Join(t.TempDir(), "back")
	k.Run("get", "--timeout", "60s", "-o", back, cid)
	got, err := os.ReadFile(back)
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("Kubo got back %d bytes (%v), want the same %d", len(got), err, len(data))
	}
	d.stop(t)
}

func TestBridgeOnDevnetWithKubo(t *testing.T) {
	t.Parallel()
	bridge(t, startDevnet(t))
}

func TestBridgeOnAnvilWithKubo(t *testing.T) {
	t.Parallel()
	bridge(t, startAnvil(t, "--block-time", "1"))
}

// Two requesters pin one CID; the content goes only with the last.
func TestUnpinKeepsWhatAnotherStillHolds(t *testing.T) {
	n := sharedDevnet(t)
	k := kubo.Start(t)
	d := newDaemon(t, n, "--ipfs-peers", k.Addr)
	d.start(t)
	cid := k.Add(content(2, 600_000))
	other := k.Add(content(3, 300_000))

	n.pin(keyAlice, cid)
	n.pin(keyBob, cid)
	n.pin(keyBob, other)
	n.awaitStatus(other, pinPinned, time.Minute)
	eventually(t, time.Minute, "both hold it", func() error {
		if got := len(d.pins(t, cid)); got != 2 {
			return fmt.Errorf("%d hold it", got)
		}
		return nil
	})
	for _, key := range []int{keyAlice, keyBob} {
		d.awaitAnswered(t)
		if n.status(cid) != pinPinned {
			t.Fatalf("the CID is not pinned before key %d unpins", key)
		}
		n.send(key, n.quoteUnpin(), n.pinning(), "unpin(bytes)", cidHex(t, cid))
		want := 1
		if key == keyBob {
			want = 0
		}
		eventually(t, time.Minute, "its reference is gone", func() error {
			if got := len(d.pins(t, cid)); got != want {
				return fmt.Errorf("%d references left, want %d", got, want)
			}
			return nil
		})
	}
	n.awaitStatus(cid, pinNone, time.Minute)
	if len(d.pins(t, other)) != 1 {
		t.Fatal("the other CID lost its reference")
	}
	d.verify(t)
	d.stop(t)
}
