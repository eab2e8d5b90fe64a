package ipfs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ipfs/boxo/bitswap"
	bsclient "github.com/ipfs/boxo/bitswap/client"
	"github.com/ipfs/boxo/bitswap/network/bsnet"
	"github.com/ipfs/boxo/peering"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

const (
	// libp2pMemory and libp2pFDs are what connections and streams may use:
	// modest, for a machine of two cores that does other work.
	libp2pMemory = 1 << 30
	libp2pFDs    = 2048
	// serveWorkers is how many goroutines read blocks for other peers.
	serveWorkers = 16
	userAgent    = "tidegate"
)

// loadIdentity reads the node's key, or makes it. The file is the node's name on
// the network; whoever has it can pose as the node.
func loadIdentity(path string) (crypto.PrivKey, error) {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newIdentity(path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading identity: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("identity %s can be read by others (mode %o): chmod 600 it", path, st.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading identity: %w", err)
	}
	k, err := crypto.UnmarshalPrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("identity %s is damaged (restore it, or delete it to become a new peer): %w", path, err)
	}
	return k, nil
}

func newIdentity(path string) (crypto.PrivKey, error) {
	k, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making identity: %w", err)
	}
	b, err := crypto.MarshalPrivateKey(k)
	if err != nil {
		return nil, fmt.Errorf("making identity: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "identity-*.tmp") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("making identity: %w", err)
	}
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making identity: %w", err), os.Remove(tmp.Name()))
	}
	return k, nil
}

// startHost opens the libp2p host: TCP and QUIC only, no relay, no discovery on
// the local network.
func startHost(cfg Config, key crypto.PrivKey, trusted []peer.AddrInfo, k *kin) (host.Host, error) {
	scaling := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&scaling)
	rm, err := rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(scaling.Scale(libp2pMemory, libp2pFDs)), rcmgr.WithMetricsDisabled())
	if err != nil {
		return nil, fmt.Errorf("resource manager: %w", err)
	}
	cm, err := connmgr.NewConnManager(cfg.LowWater, cfg.HighWater, connmgr.WithGracePeriod(30*time.Second))
	if err != nil {
		return nil, fmt.Errorf("connection manager: %w", err)
	}
	g := &gater{allowPrivate: cfg.AllowPrivatePeers, trusted: make(map[peer.ID]bool), kin: k}
	for _, p := range trusted {
		g.trusted[p.ID] = true
	}
	h, err := libp2p.New(
		libp2p.Identity(key),
		libp2p.ListenAddrStrings(cfg.Listen...),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Transport(quic.NewTransport),
		libp2p.ResourceManager(rm),
		libp2p.ConnectionManager(cm),
		libp2p.ConnectionGater(g),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
		libp2p.UserAgent(userAgent),
		libp2p.NonPublicAddrPublishing(cfg.AllowPrivatePeers),
		// libp2p would give up private addresses after 5 s, whatever was configured.
		libp2p.SwarmOpts(swarm.WithDialTimeout(cfg.DialTimeout), swarm.WithDialTimeoutLocal(cfg.DialTimeout)),
	)
	if err != nil {
		return nil, fmt.Errorf("starting libp2p on %v (is another daemon using the port?): %w", cfg.Listen, err)
	}
	return h, nil
}

// startNet starts what needs the host: routing, bitswap, static peers.
func (n *Node) startNet(ctx context.Context) error {
	if err := n.startRouting(ctx); err != nil {
		return err
	}
	net := bsnet.NewFromIpfsHost(n.host)
	n.direct = newDirect(ctx, net)
	n.bswap = bitswap.New(ctx, &tap{net, n.direct}, n.finder, &blockstore{n.store},
		bitswap.WithClientOption(bsclient.WithoutDuplicatedBlockStats()),
		bitswap.ProviderSearchDelay(time.Second),
		bitswap.EngineBlockstoreWorkerCount(serveWorkers),
		bitswap.WithWantHaveReplaceSize(1024),
		bitswap.MaxOutstandingBytesPerPeer(4<<20),
	)
	n.peering = peering.NewPeeringService(n.host)
	for _, p := range n.static {
		n.peering.AddPeer(p)
	}
	if err := n.peering.Start(); err != nil {
		return fmt.Errorf("keeping static peers connected: %w", err)
	}
	for _, p := range n.static {
		n.jobs.Go(func() {
			ctx, cancel := context.WithTimeout(n.ctx, n.cfg.DialTimeout)
			defer cancel()
			if err := n.host.Connect(ctx, p); err != nil && n.ctx.Err() == nil {
				n.log.Warn("static peer not reached, trying on", "peer", p.ID, "error", err)
			}
		})
	}
	return nil
}
