package ipfs

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/prometheus/client_golang/prometheus"
)

// Routing modes of Config.
const (
	RoutingNone = "none" // no DHT, no announcements; origins, static peers and whoever connects
	RoutingDHT  = "dht"  // public DHT client, roots of pins are announced
)

// Config is what an operator decides. The zero value of a field means its
// default, except DataDir, which is required.
type Config struct {
	// DataDir holds blocks/, meta/, identity.key and a lock. One process at a time.
	DataDir string
	// Listen are the multiaddrs to listen on.
	Listen []string
	// Peers are kept connected: multiaddrs ending in /p2p/<id>. The dialling
	// policy does not apply to them.
	Peers []string
	// Routing is RoutingNone or RoutingDHT.
	Routing string
	// Bootstrap are the DHT's first contacts, multiaddrs ending in /p2p/<id>.
	Bootstrap []string
	// DelegatedRouters are base URLs of /routing/v1 servers.
	DelegatedRouters []string
	// Gateways are base URLs of trustless gateways, asked last.
	Gateways []string
	// AllowPrivatePeers lifts the ban on private, loopback and similar addresses.
	AllowPrivatePeers bool
	Limits            Limits
	// DiskReserve refuses new blocks when free space would fall below it, bytes.
	DiskReserve uint64
	// StallTimeout ends a pin that got no new block for this long. Halfway
	// through, the providers are rotated.
	StallTimeout time.Duration
	// DialTimeout bounds one dial, public or private; of an origin, name resolution
	// included.
	DialTimeout time.Duration
	// DialsPerNetwork is how many origin dials a second one /24 (IPv4) or /48
	// (IPv6) may see; DialBurst is how many at once. Private networks, when
	// allowed, are not limited.
	DialsPerNetwork float64
	DialBurst       int
	// MaxWantsPerPin and MaxWants bound the blocks being waited for, by one pin
	// and by the node.
	MaxWantsPerPin int
	MaxWants       int
	// LowWater and HighWater are the connection manager's.
	LowWater, HighWater int
}

// Limits bound one DAG. All are inclusive.
type Limits struct {
	MaxBytes        uint64 // unique block bytes
	MaxLogicalBytes uint64 // block bytes counted once per path from the root
	MaxBlocks       uint64 // unique blocks
	MaxDepth        int    // links on the longest path from the root
	MaxLinks        int    // links of one block
	MaxBlockSize    int    // bytes of one block
	MaxOrigins      int    // origins of one request
}

// Defaults of Config and Limits.
const (
	DefaultMaxBytes        = 32 << 30
	DefaultMaxLogicalBytes = 64 << 30
	DefaultMaxBlocks       = 1 << 20
	DefaultMaxDepth        = 1024
	DefaultMaxLinks        = 8192
	DefaultMaxBlockSize    = 2 << 20
	DefaultMaxOrigins      = 5
	DefaultDiskReserve     = 1 << 30
	DefaultStallTimeout    = time.Minute
	DefaultDialTimeout     = 10 * time.Second
	DefaultWantsPerPin     = 64
	DefaultWants           = 1024
)

// Resolver looks names up; *net.Resolver is one.
type Resolver = resolver

// Deps are what a Node uses of its surroundings. All may be zero.
type Deps struct {
	Logger   *slog.Logger          // default: discard
	Now      func() time.Time      // default: time.Now
	Metrics  prometheus.Registerer // default: not registered
	Resolver Resolver              // default: net.DefaultResolver
}

func (l Limits) withDefaults() Limits {
	def := func(v *uint64, d uint64) {
		if *v == 0 {
			*v = d
		}
	}
	defInt := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&l.MaxBytes, DefaultMaxBytes)
	def(&l.MaxLogicalBytes, DefaultMaxLogicalBytes)
	def(&l.MaxBlocks, DefaultMaxBlocks)
	defInt(&l.MaxDepth, DefaultMaxDepth)
	defInt(&l.MaxLinks, DefaultMaxLinks)
	defInt(&l.MaxBlockSize, DefaultMaxBlockSize)
	defInt(&l.MaxOrigins, DefaultMaxOrigins)
	return l
}

func (c Config) withDefaults() Config {
	c.Limits = c.Limits.withDefaults()
	if c.Listen == nil {
		c.Listen = []string{"/ip4/127.0.0.1/tcp/4790", "/ip4/127.0.0.1/udp/4790/quic-v1"}
	}
	if c.Routing == "" {
		c.Routing = RoutingNone
	}
	if c.DiskReserve == 0 {
		c.DiskReserve = DefaultDiskReserve
	}
	if c.StallTimeout == 0 {
		c.StallTimeout = DefaultStallTimeout
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = DefaultDialTimeout
	}
	if c.DialsPerNetwork == 0 {
		c.DialsPerNetwork = 1
	}
	if c.DialBurst == 0 {
		c.DialBurst = 20
	}
	if c.MaxWantsPerPin == 0 {
		c.MaxWantsPerPin = DefaultWantsPerPin
	}
	if c.MaxWants == 0 {
		c.MaxWants = DefaultWants
	}
	if c.LowWater == 0 {
		c.LowWater = 64
	}
	if c.HighWater == 0 {
		c.HighWater = 160
	}
	return c
}

// Check reports every problem of the configuration at once, joined.
func (c Config) Check() error {
	c = c.withDefaults()
	var errs []error
	if c.DataDir == "" {
		errs = append(errs, errors.New("ipfs data directory is empty"))
	}
	for _, s := range c.Listen {
		if _, err := ma.NewMultiaddr(s); err != nil {
			errs = append(errs, fmt.Errorf("ipfs listen address %q: %w", s, err))
		}
	}
	if _, err := parsePeers(c.Peers); err != nil {
		errs = append(errs, fmt.Errorf("ipfs peers: %w", err))
	}
	if _, err := parsePeers(c.Bootstrap); err != nil {
		errs = append(errs, fmt.Errorf("ipfs bootstrap: %w", err))
	}
	if c.Routing != RoutingNone && c.Routing != RoutingDHT {
		errs = append(errs, fmt.Errorf("ipfs routing %q is neither %q nor %q", c.Routing, RoutingNone, RoutingDHT))
	}
	if c.Routing == RoutingDHT && len(c.Bootstrap) == 0 {
		errs = append(errs, errors.New("ipfs routing \"dht\" needs at least one bootstrap peer"))
	}
	for _, list := range [][]string{c.DelegatedRouters, c.Gateways} {
		for _, s := range list {
			if u, err := url.Parse(s); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
				errs = append(errs, fmt.Errorf("ipfs router or gateway %q is not an http(s) URL", s))
			}
		}
	}
	l := c.Limits
	if l.MaxDepth < 0 || l.MaxDepth > 1<<20 || l.MaxLinks < 0 || l.MaxBlockSize < 0 || l.MaxBlockSize > 2<<20 || l.MaxOrigins < 0 || c.MaxWantsPerPin < 1 || c.MaxWants < 1 {
		errs = append(errs, errors.New("ipfs limits: depth, links, origins and wants must be positive, block size at most 2 MiB (bitswap carries no more), depth at most 1048576"))
	}
	if c.StallTimeout < 0 || c.DialTimeout < 0 || c.DialsPerNetwork < 0 || c.DialBurst < 0 {
		errs = append(errs, errors.New("ipfs timeouts and rates must not be negative"))
	}
	return errors.Join(errs...)
}

// parsePeers reads multiaddrs ending in /p2p/<id> and merges those of one peer.
func parsePeers(list []string) ([]peer.AddrInfo, error) {
	addrs := make([]ma.Multiaddr, 0, len(list))
	for _, s := range list {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", s, err)
		}
		if _, err := peer.AddrInfoFromP2pAddr(a); err != nil {
			return nil, fmt.Errorf("%q does not end in /p2p/<peer id>: %w", s, err)
		}
		addrs = append(addrs, a)
	}
	return peer.AddrInfosFromP2pAddrs(addrs...)
}
