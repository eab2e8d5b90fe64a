package ipfs

import (
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// streamTag is what connections for streams are protected under while one is opened.
const streamTag = "stream"

// Stream opens a stream to a peer that a stranger named, under the dialling policy:
// to the first address of at most five that is reached, and with the first of the
// protocols that it speaks. Addresses are as origins are; see CheckOrigin.
func (n *Node) Stream(ctx context.Context, addrs []string, protocols ...protocol.ID) (network.Stream, error) {
	if err := n.begin(); err != nil {
		return nil, err
	}
	defer n.end()
	errs := []error{errors.New("no address of the peer was reached")}
	for _, a := range addrs[:min(len(addrs), 5)] {
		id, err := n.dialOrigin(ctx, a, streamTag)
		if id != "" {
			defer n.host.ConnManager().Unprotect(id, streamTag)
		}
		if err == nil {
			s, err := n.host.NewStream(network.WithNoDial(ctx, "checked above"), id, protocols...)
			if err != nil {
				return nil, fmt.Errorf("opening a stream to %s: %w", id, err)
			}
			return s, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}
