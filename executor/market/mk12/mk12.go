// Package mk12 speaks market protocol 1.2 of Boost and Curio: a deal proposal, or
// a question for a deal's status, over one libp2p stream.
//
// It decides nothing: which deal is proposed to whom, and what becomes of it, is
// executor/market/deals. It connects to nobody by itself: streams are opened by
// who knows whom it may dial. It has no server.
//
// Map:
//
//	mk12.go      the protocols, Client: Propose, Status
//	proposal.go  DealProposal and its signature: tuples, as actors have them
//	params.go    DealParams, Transfer, DealStatusRequest: what is sent
//	answer.go    DealResponse, DealStatusResponse: what is answered
//	cbor.go      maps with names as keys, bounded
//
// Invariants: what is encoded is byte for byte what cbor-gen makes of Curio's and
// Boost's types; what is decoded is bounded before memory is taken for it; a
// provider's words are kept, shortened and made printable, in every refusal.
package mk12

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// The protocols, newest first. boost, storagemarket/lp2pimpl/net.go at v2.5.2;
// curio, market/libp2p/libp2p.go.
const (
	Propose121 protocol.ID = "/fil/storage/mk/1.2.1"
	Propose120 protocol.ID = "/fil/storage/mk/1.2.0" // without the last two of DealParams
	Status120  protocol.ID = "/fil/storage/status/1.2.0"
)

// Timeout bounds a question and its answer; what providers' own clients allow.
const Timeout = 60 * time.Second

// mostAnswer bounds the bytes of an answer.
const mostAnswer = 64 << 10

// Streams opens a stream to a provider, which speaks one of the protocols: the
// first that it knows.
type Streams interface {
	Stream(ctx context.Context, addrs []string, protocols ...protocol.ID) (network.Stream, error)
}

// Client asks providers. It is safe for concurrent use.
type Client struct{ streams Streams }

// NewClient gives a Client over streams.
func NewClient(streams Streams) *Client { return &Client{streams} }

// ErrUnsent is wrapped by errors after which the provider cannot have the
// proposal: it was not connected to, or knows none of the protocols.
var ErrUnsent = errors.New("the provider was not reached")

// Propose sends a proposal. An error that does not wrap ErrUnsent leaves it open
// whether the provider has it: the same proposal, with the same UUID, may be sent
// again. Acceptance is no promise: Boost and Curio look at the rest later.
func (c *Client) Propose(ctx context.Context, addrs []string, p DealParams) (DealResponse, error) {
	var out DealResponse
	err := c.ask(ctx, addrs, []protocol.ID{Propose121, Propose120}, func(id protocol.ID) ([]byte, error) {
		return p.encode(id == Propose121)
	}, out.decode)
	if err != nil {
		return DealResponse{}, fmt.Errorf("proposing deal %s: %w", p.UUID, err)
	}
	return out, nil
}

// Status asks what became of a deal. Curio answers anybody (market/mk12/mk12_utils.go,
// GetDealStatus); Boost only whom the client's signature over the UUID shows to be the
// client (storagemarket/lp2pimpl/net.go, getDealStatus), and so nothing of deals whose
// client is a contract but that it has them.
func (c *Client) Status(ctx context.Context, addrs []string, q DealStatusRequest) (DealStatusResponse, error) {
	var out DealStatusResponse
	err := c.ask(ctx, addrs, []protocol.ID{Status120}, func(protocol.ID) ([]byte, error) { return q.encode() }, out.decode)
	if err != nil {
		return DealStatusResponse{}, fmt.Errorf("asking for the status of deal %s: %w", q.UUID, err)
	}
	return out, nil
}

func (c *Client) ask(ctx context.Context, addrs []string, protocols []protocol.ID, question func(protocol.ID) ([]byte, error), answer func(io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	s, err := c.streams.Stream(ctx, addrs, protocols...)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsent, err)
	}
	defer func() { _ = s.Reset() }() // harmless after both sides are closed
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer stop()
	b, err := question(s.Protocol())
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsent, err)
	}
	if _, err := s.Write(b); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	if err := s.CloseWrite(); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	if err := answer(io.LimitReader(s, mostAnswer)); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}
