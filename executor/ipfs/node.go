package ipfs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ipfs/boxo/bitswap"
	"github.com/ipfs/boxo/peering"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/routing"
	"golang.org/x/time/rate"
)

var (
	// ErrLocked is wrapped by New when another process uses the data directory.
	ErrLocked = errors.New("ipfs data directory is in use by another process")
	// ErrDiskFull is wrapped when free space would fall below Config.DiskReserve,
	// or the disk is full. It is the operator's fault, never the content's.
	ErrDiskFull = errors.New("not enough free disk space for more blocks")
	// ErrReleased is returned by a Pin that Release or Unpin stopped.
	ErrReleased = errors.New("the pin was released while it was at work")
	// ErrRefInUse is wrapped when a request id already holds something else.
	ErrRefInUse = errors.New("the request id already holds something else")
	// ErrClosed is returned by calls on a node that is closing.
	ErrClosed = errors.New("the ipfs node is closed")
)

// Node is one embedded IPFS node. Its methods are safe for concurrent use.
type Node struct {
	cfg      Config
	log      *slog.Logger
	now      func() time.Time
	resolver Resolver
	metrics  *metrics
	static   []peer.AddrInfo
	kin      kin

	lock    *os.File
	store   *store
	host    host.Host
	bswap   *bitswap.Bitswap
	direct  *direct
	peering *peering.PeeringService
	dht     *dht.IpfsDHT
	finder  routing.ContentDiscovery // nil without routing
	gates   *gatewaySet              // nil without gateways
	nets    *netLimits
	roots   chan cid.Cid // to announce; nil without a DHT

	claims   claims
	inflight atomic.Int64 // wants of all pins

	ctx    context.Context // ends with Close
	cancel context.CancelCauseFunc
	jobs   sync.WaitGroup // the node's own goroutines

	callMu sync.RWMutex // held for reading to start a call, for writing to close
	closed bool
	calls  sync.WaitGroup
	closer sync.Once
	cerr   error
}

// New opens the node's directory, finishes what a crash left half done, and
// starts the host. ctx bounds the start only. It fails with ErrLocked if the
// directory is in use, and says which setting to change if one is wrong.
func New(ctx context.Context, cfg Config, deps Deps) (*Node, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	n := &Node{cfg: cfg, log: deps.Logger, now: deps.Now, resolver: deps.Resolver}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if n.now == nil {
		n.now = time.Now
	}
	if n.resolver == nil {
		n.resolver = net.DefaultResolver
	}
	n.ctx, n.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	n.nets = &netLimits{rate: rate.Limit(cfg.DialsPerNetwork), burst: cfg.DialBurst}
	n.gates = newGateways(cfg.Gateways)
	if err := n.open(ctx, deps); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	n.log.Info("ipfs node is up", "peer", n.host.ID(), "addrs", n.Addrs(), "routing", cfg.Routing)
	return n, nil
}

func (n *Node) open(ctx context.Context, deps Deps) error {
	var err error
	if err = os.MkdirAll(n.cfg.DataDir, 0o700); err != nil {
		return fmt.Errorf("making ipfs data directory: %w", err)
	}
	if n.lock, err = lockDir(n.cfg.DataDir); err != nil {
		return err
	}
	key, err := loadIdentity(filepath.Join(n.cfg.DataDir, "identity.key"))
	if err != nil {
		return err
	}
	if n.store, err = openStore(n.cfg.DataDir, n.log); err != nil {
		return fmt.Errorf("opening ipfs store: %w", err)
	}
	if err := n.resume(ctx); err != nil {
		return err
	}
	if n.static, err = parsePeers(n.cfg.Peers); err != nil {
		return fmt.Errorf("ipfs peers: %w", err)
	}
	trusted, err := parsePeers(n.cfg.Bootstrap)
	if err != nil {
		return fmt.Errorf("ipfs bootstrap: %w", err)
	}
	if n.host, err = startHost(n.cfg, key, append(trusted, n.static...), &n.kin); err != nil {
		return err
	}
	if n.metrics, err = newMetrics(n, deps.Metrics); err != nil {
		return fmt.Errorf("registering ipfs metrics: %w", err)
	}
	return n.startNet(n.ctx)
}

// resume finishes the releases that a crash cut short. It reads pin records, not
// blocks.
func (n *Node) resume(ctx context.Context) error {
	var dropping []*pinRecord
	err := n.eachPin(ctx, func(rec *pinRecord) error {
		if rec.State == StateDropping {
			dropping = append(dropping, rec)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading pin records: %w", err)
	}
	return n.store.finishDrops(ctx, dropping)
}

// eachPin visits every pin record in the order of their refs.
func (n *Node) eachPin(ctx context.Context, f func(*pinRecord) error) error {
	return n.store.scan([]byte{spacePin}, func(_, v []byte) error {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		rec, err := decodePin(v)
		if err != nil {
			return err
		}
		return f(rec)
	})
}

// begin enters a call; end leaves it. Close waits for calls that have begun.
func (n *Node) begin() error {
	n.callMu.RLock()
	defer n.callMu.RUnlock()
	if n.closed {
		return ErrClosed
	}
	n.calls.Add(1)
	return nil
}

func (n *Node) end() { n.calls.Done() }

// bind ends ctx with the node.
func (n *Node) bind(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(n.ctx, func() { cancel(ErrClosed) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// Close stops pins at work (they return ErrClosed and can be resumed), waits for
// calls to return, and closes the host and the store. It may be called twice.
func (n *Node) Close() error {
	n.closer.Do(func() {
		n.callMu.Lock()
		n.closed = true
		n.callMu.Unlock()
		n.cancel(ErrClosed)
		n.calls.Wait()
		var errs []error
		if n.peering != nil {
			n.peering.Stop()
		}
		if n.bswap != nil {
			errs = append(errs, n.bswap.Close())
		}
		if n.direct != nil {
			n.direct.close()
		}
		n.jobs.Wait()
		if n.dht != nil {
			errs = append(errs, n.dht.Close())
		}
		if n.host != nil {
			errs = append(errs, n.host.Close())
		}
		if n.metrics != nil {
			n.metrics.unregister()
		}
		if n.store != nil {
			errs = append(errs, n.store.close())
		}
		if n.lock != nil {
			errs = append(errs, n.lock.Close())
		}
		n.cerr = errors.Join(errs...)
	})
	return n.cerr
}

// ID is the node's peer id, the same at every start.
func (n *Node) ID() peer.ID { return n.host.ID() }

// Addrs are the node's listen addresses as multiaddrs ending in /p2p/<id>.
func (n *Node) Addrs() []string {
	addrs := n.host.Network().ListenAddresses()
	if all, err := n.host.Network().InterfaceListenAddresses(); err == nil {
		addrs = all
	}
	out := make([]string, len(addrs))
	for i, a := range addrs {
		out[i] = a.String() + "/p2p/" + n.host.ID().String()
	}
	return out
}

// notify tells peers and pins that wait for these blocks that they are here.
func (n *Node) notify(ctx context.Context, bs []blocks.Block) error {
	if len(bs) == 0 {
		return nil
	}
	if err := n.bswap.NotifyNewBlocks(ctx, bs...); err != nil && ctx.Err() == nil {
		return fmt.Errorf("announcing blocks to bitswap: %w", err)
	}
	return nil
}

// checkDisk refuses work that would eat into the reserve.
func (n *Node) checkDisk(need uint64) error {
	free, err := freeSpace(n.cfg.DataDir)
	if err != nil {
		return err
	}
	if free < n.cfg.DiskReserve || free-n.cfg.DiskReserve < need {
		return fmt.Errorf("%w: %d bytes free on %s, %d reserved, %d needed (free some space or lower the reserve)", ErrDiskFull, free, n.cfg.DataDir, n.cfg.DiskReserve, need)
	}
	return nil
}
