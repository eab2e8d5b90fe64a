package ipfs

import (
	"fmt"
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
)

// kin are the nodes of the operator's other daemons, as they come and go.
type kin struct {
	mu    sync.RWMutex
	peers []peer.AddrInfo
}

func (k *kin) has(id peer.ID) bool {
	if k == nil {
		return false
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	return slices.ContainsFunc(k.peers, func(p peer.AddrInfo) bool { return p.ID == id })
}

// Know names the nodes that are the operator's own from now on, instead of those of
// the call before: multiaddrs ending in /p2p/<id>. Like Config.Peers they are kept
// connected, always asked for blocks, and exempt from the dialling policy.
func (n *Node) Know(addrs []string) error {
	peers, err := parsePeers(addrs)
	if err != nil {
		return fmt.Errorf("nodes of one's own: %w", err)
	}
	if err := n.begin(); err != nil {
		return err
	}
	defer n.end()
	self := n.host.ID()
	peers = slices.DeleteFunc(peers, func(p peer.AddrInfo) bool { return p.ID == self })
	n.kin.mu.Lock()
	before := n.kin.peers
	n.kin.peers = peers
	n.kin.mu.Unlock()
	for _, p := range before {
		if !n.isFriend(p.ID) {
			n.peering.RemovePeer(p.ID)
		}
	}
	for _, p := range peers {
		n.peering.AddPeer(p) // dials, and again whenever the connection breaks
	}
	return nil
}

// friends are the static peers and the nodes of one's own.
func (n *Node) friends() []peer.AddrInfo {
	n.kin.mu.RLock()
	defer n.kin.mu.RUnlock()
	if len(n.kin.peers) == 0 {
		return n.static
	}
	return slices.Concat(n.static, n.kin.peers)
}

func (n *Node) isFriend(id peer.ID) bool {
	return slices.ContainsFunc(n.friends(), func(p peer.AddrInfo) bool { return p.ID == id })
}
