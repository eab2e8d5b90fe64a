package ipfs

import (
	"errors"
	"io"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
)

// TestStreamsObeyTheDiallingPolicy opens a stream to a node on loopback, where that is
// allowed and where it is not.
func TestStreamsObeyTheDiallingPolicy(t *testing.T) {
	const echo = "/test/echo/1"
	them := startNode(t)
	them.host.SetStreamHandler(echo, func(s network.Stream) {
		_, _ = io.Copy(s, s)
		_ = s.Close()
	})
	s, err := startNode(t).Stream(t.Context(), append([]string{"/ip4/127.0.0.1/tcp/1/p2p/" + somePeer}, them.Addrs()...), "/test/newer/1", echo)
	if err != nil || s.Protocol() != echo {
		t.Fatalf("no stream: %v", err)
	}
	if _, err := s.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(s); err != nil || string(b) != "hello" {
		t.Fatalf("%q, %v", b, err)
	}
	strict := startNode(t, func(c *Config) { c.AllowPrivatePeers = false })
	if _, err := strict.Stream(t.Context(), them.Addrs(), echo); !errors.Is(err, ErrRefusedAddress) {
		t.Fatalf("loopback was dialled: %v", err)
	}
}
