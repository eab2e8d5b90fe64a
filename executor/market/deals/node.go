package deals

import (
	"context"
	"fmt"
	"math/big"

	"github.com/multiformats/go-multiaddr"
)

// RPC calls JSON-RPC; go-ethereum's rpc.Client is one.
type RPC interface {
	CallContext(ctx context.Context, result any, method string, args ...any) error
}

// Node asks Lotus, or what speaks its API, for what contracts cannot say.
type Node struct{ RPC RPC }

// Addrs gives where a miner says on chain that it is reached over libp2p.
func (n Node) Addrs(ctx context.Context, miner uint64) ([]string, error) {
	var info struct {
		PeerID     *string `json:"PeerId"`
		Multiaddrs [][]byte
	}
	if err := n.RPC.CallContext(ctx, &info, "Filecoin.StateMinerInfo", fmt.Sprintf("f0%d", miner), nil); err != nil {
		return nil, fmt.Errorf("asking where miner %d is: %w", miner, err)
	}
	if info.PeerID == nil {
		return nil, nil
	}
	var out []string
	for _, b := range info.Multiaddrs[:min(len(info.Multiaddrs), 8)] {
		if a, err := multiaddr.NewMultiaddrBytes(b); err == nil { // many miners' are malformed
			out = append(out, a.String()+"/p2p/"+*info.PeerID)
		}
	}
	return out, nil
}

// Collateral gives the least collateral that f05 wants of a provider, with the
// margin that Lotus adds.
func (n Node) Collateral(ctx context.Context, padded uint64, verified bool) (*big.Int, error) {
	var bounds struct{ Min string }
	if err := n.RPC.CallContext(ctx, &bounds, "Filecoin.StateDealProviderCollateralBounds", padded, verified, nil); err != nil {
		return nil, fmt.Errorf("asking for the bounds of collateral: %w", err)
	}
	least, ok := new(big.Int).SetString(bounds.Min, 10)
	if !ok {
		return nil, fmt.Errorf("asking for the bounds of collateral: %q is no amount", bounds.Min)
	}
	return least, nil
}
