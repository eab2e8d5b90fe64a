package mk12

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// direct opens streams without a policy.
type direct struct{ h host.Host }

func (d direct) Stream(ctx context.Context, addrs []string, protocols ...protocol.ID) (network.Stream, error) {
	info, err := peer.AddrInfoFromString(addrs[0])
	if err != nil {
		return nil, err
	}
	if err := d.h.Connect(ctx, *info); err != nil {
		return nil, err
	}
	return d.h.NewStream(ctx, info.ID, protocols...)
}

func newHost(t *testing.T) host.Host {
	t.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay(), libp2p.DisableMetrics())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func addrs(h host.Host) []string {
	return []string{h.Addrs()[0].String() + "/p2p/" + h.ID().String()}
}

func TestProposeOverLibp2p(t *testing.T) {
	us := newHost(t)
	params := DealParams{UUID: testUUID, Proposal: ourProposal(t), Root: testRoot, Transfer: Transfer{URL: "http://x/", Size: 1}}
	for _, version := range []protocol.ID{Propose120, Propose121} {
		them := newHost(t) // whose protocols are asked for anew
		got := make(chan []byte, 1)
		them.SetStreamHandler(version, func(s network.Stream) {
			defer s.Close()
			b, err := io.ReadAll(s)
			if err != nil {
				t.Error(err)
			}
			got <- b
			if _, err := s.Write(golden(t, map[string][]byte{"Accepted": cbg.CborBoolTrue, "Message": str("")})); err != nil {
				t.Error(err)
			}
		})
		out, err := NewClient(direct{us}).Propose(t.Context(), addrs(them), params)
		if err != nil || !out.Accepted {
			t.Fatalf("%s: %+v, %v", version, out, err)
		}
		want, err := params.encode(version == Propose121)
		if err != nil {
			t.Fatal(err)
		}
		if b := <-got; !bytes.Equal(b, want) {
			t.Fatalf("%s: the provider got %x, not %x", version, b, want)
		}
	}
}

func TestWhatMayHaveArrivedIsTold(t *testing.T) {
	us, them := newHost(t), newHost(t)
	c := NewClient(direct{us})
	params := DealParams{UUID: testUUID, Proposal: ourProposal(t), Root: testRoot, Transfer: Transfer{URL: "http://x/", Size: 1}}
	if _, err := c.Propose(t.Context(), addrs(them), params); !errors.Is(err, ErrUnsent) {
		t.Fatalf("a provider without the protocol: %v", err)
	}
	them.SetStreamHandler(Propose121, func(s network.Stream) {
		_, _ = io.ReadAll(s) // the proposal is here, the answer never comes
		_ = s.Reset()
	})
	if _, err := c.Propose(t.Context(), addrs(them), params); err == nil || errors.Is(err, ErrUnsent) {
		t.Fatalf("a lost answer: %v", err)
	}
	them.SetStreamHandler(Propose121, func(s network.Stream) {
		for { // more than any answer has
			if _, err := s.Write(bytes.Repeat([]byte{0xbf}, 1<<16)); err != nil {
				return
			}
		}
	})
	if _, err := c.Propose(t.Context(), addrs(them), params); err == nil {
		t.Fatal("garbage was taken")
	}
	stalled := make(chan struct{})
	them.SetStreamHandler(Propose121, func(s network.Stream) { <-stalled; _ = s.Reset() })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.Propose(ctx, addrs(them), params); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrUnsent) {
		t.Fatalf("a provider that says nothing: %v", err)
	}
	close(stalled)
}
