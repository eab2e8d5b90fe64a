package ipfs

import (
	"context"
	"fmt"
	"net/http"
	"slices"
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
	// announceQueue bounds new roots waiting to be announced. One that does not fit
	// is announced with the next round.
	announceQueue   = 4096
	announceTimeout = 2 * time.Minute
	// announceAgain is the pause while no peer is known to announce roots to; it
	// doubles up to announceSlowest.
	announceAgain   = time.Second
	announceSlowest = 10 * time.Minute
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

// announcer tells the DHT which roots are here: all of them at start and every
// announceEvery, new ones at once, or as soon as a peer is known.
func (n *Node) announcer() {
	round := time.NewTicker(announceEvery)
	defer round.Stop()
	waiting, pause := n.allRoots(), time.Duration(0)
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-n.ctx.Done():
			return
		case <-round.C:
			waiting = n.allRoots()
		case c := <-n.roots:
			if n.provide(c) {
				pause = 0
			} else if len(waiting) < announceQueue && !slices.Contains(waiting, c) {
				waiting = append(waiting, c)
				pause = max(pause, announceAgain)
			}
		case <-next.C:
			if len(waiting) == 0 {
				continue
			}
			if n.provide(waiting[0]) {
				waiting, pause = waiting[1:], 0
			} else {
				pause = min(max(2*pause, announceAgain), announceSlowest)
			}
		}
		if len(waiting) > 0 {
			next.Reset(pause)
		}
	}
}

// allRoots lists the roots of finished pins.
func (n *Node) allRoots() []cid.Cid {
	var roots []cid.Cid
	err := n.eachPin(n.ctx, func(rec *pinRecord) error {
		c, err := rec.root()
		if err == nil && rec.State == StatePinned {
			roots = append(roots, c)
		}
		return err
	})
	if err != nil && n.ctx.Err() == nil {
		n.log.Warn("listing roots to announce", "error", err)
	}
	return roots
}

// provide announces a root that is still here. It is false when no peer is known yet
// to tell it to; what fails otherwise has its turn with the next round.
func (n *Node) provide(c cid.Cid) bool {
	if n.dht.RoutingTable().Size() == 0 {
		return false
	}
	if here, err := n.store.has(c.Hash()); err == nil && !here {
		return true
	}
	ctx, cancel := context.WithTimeout(n.ctx, announceTimeout)
	defer cancel()
	if err := n.dht.Provide(ctx, c, true); err != nil && n.ctx.Err() == nil {
		n.log.Info("root not announced, trying again with the next round", "cid", c, "error", err)
	}
	return true
}
