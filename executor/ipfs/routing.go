package ipfs

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/ipfs/boxo/routing/http/client"
	"github.com/ipfs/boxo/routing/http/contentrouter"
	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/routing"
)

const (
	// announceEvery is how often the roots of all pins are announced again; a
	// provider record lives 48 hours.
	announceEvery = 22 * time.Hour
	// announceQueue bounds roots waiting to be announced. One that does not fit
	// is announced with the next round.
	announceQueue   = 4096
	announceTimeout = 2 * time.Minute
	routerTimeout   = 15 * time.Second
)

// finders asks several content routers at once.
type finders []routing.ContentDiscovery

// FindProvidersAsync merges the answers, each peer once.
func (fs finders) FindProvidersAsync(ctx context.Context, c cid.Cid, count int) <-chan peer.AddrInfo {
	out := make(chan peer.AddrInfo)
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := make(map[peer.ID]bool)
	ctx, cancel := context.WithCancel(ctx)
	for _, f := range fs {
		wg.Go(func() {
			for p := range f.FindProvidersAsync(ctx, c, count) {
				mu.Lock()
				skip := seen[p.ID] || count > 0 && len(seen) >= count
				seen[p.ID] = true
				mu.Unlock()
				if skip {
					continue
				}
				select {
				case out <- p:
				case <-ctx.Done():
				}
			}
		})
	}
	go func() {
		wg.Wait()
		cancel()
		close(out)
	}()
	return out
}

// startRouting sets n.finder (nil when there is no routing) and the announcer.
func (n *Node) startRouting(ctx context.Context) error {
	var fs finders
	if n.cfg.Routing == RoutingDHT {
		boot, err := parsePeers(n.cfg.Bootstrap)
		if err != nil {
			return fmt.Errorf("bootstrap peers: %w", err)
		}
		n.dht, err = dht.New(n.host, dht.Mode(dht.ModeClient), dht.BootstrapPeers(boot...))
		if err != nil {
			return fmt.Errorf("starting the DHT: %w", err)
		}
		if err := n.dht.Bootstrap(ctx); err != nil {
			return fmt.Errorf("bootstrapping the DHT: %w", err)
		}
		fs = append(fs, n.dht)
		n.roots = make(chan cid.Cid, announceQueue)
		n.jobs.Go(n.announcer)
	}
	for _, u := range n.cfg.DelegatedRouters {
		c, err := client.New(u, client.WithUserAgent(userAgent), client.WithHTTPClient(&http.Client{Timeout: routerTimeout}))
		if err != nil {
			return fmt.Errorf("delegated router %s: %w", u, err)
		}
		fs = append(fs, contentrouter.NewContentRoutingClient(c))
	}
	if len(fs) > 0 {
		n.finder = fs
	}
	return nil
}

// announce queues a root for the DHT; it never blocks.
func (n *Node) announce(c cid.Cid) {
	if n.roots == nil {
		return
	}
	select {
	case n.roots <- c:
	default:
	}
}

// announcer tells the DHT which roots are here, new ones at once, all of them
// every announceEvery.
func (n *Node) announcer() {
	tick := time.NewTicker(announceEvery)
	defer tick.Stop()
	for {
		select {
		case <-n.ctx.Done():
			return
		case c := <-n.roots:
			n.provide(c)
		case <-tick.C:
			err := n.eachPin(n.ctx, func(rec *pinRecord) error {
				c, err := rec.root()
				if err == nil && rec.State == StatePinned {
					n.provide(c)
				}
				return err
			})
			if err != nil && n.ctx.Err() == nil {
				n.log.Warn("announcing pins again", "error", err)
			}
		}
	}
}

func (n *Node) provide(c cid.Cid) {
	ctx, cancel := context.WithTimeout(n.ctx, announceTimeout)
	defer cancel()
	if err := n.dht.Provide(ctx, c, true); err != nil && n.ctx.Err() == nil {
		n.log.Info("root not announced, trying again with the next round", "cid", c, "error", err)
	}
}
