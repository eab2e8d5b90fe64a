package ipfs

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/time/rate"
)

const (
	// originMaxLen bounds an origin, characters.
	originMaxLen = 512
	// dnsaddrDepth and resolvedMax bound what one name may lead to.
	dnsaddrDepth = 4
	resolvedMax  = 16
	// networksTracked bounds the rate limiters kept.
	networksTracked = 4096
)

type resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// CheckOrigin tells whether s may be the origin of a request: a multiaddr that
// starts with /ip4, /ip6, /dns, /dns4, /dns6 or /dnsaddr, speaks TCP or QUIC v1,
// passes no relay, and ends in /p2p/<peer id>. It looks nothing up, and does not
// judge the address: that is done when it is dialled. The error wraps
// ErrRefusedAddress.
func CheckOrigin(s string) error {
	_, _, err := parseOrigin(s)
	return err
}

// parseOrigin splits an origin into transport address and peer.
func parseOrigin(s string) (ma.Multiaddr, peer.ID, error) {
	refuse := func(format string, a ...any) (ma.Multiaddr, peer.ID, error) {
		return nil, "", fmt.Errorf("%w: origin %.80q %s", ErrRefusedAddress, s, fmt.Sprintf(format, a...))
	}
	if len(s) > originMaxLen {
		return refuse("is longer than %d characters", originMaxLen)
	}
	a, err := ma.NewMultiaddr(s)
	if err != nil {
		return refuse("is not a multiaddr: %v", err)
	}
	addr, id := peer.SplitAddr(a)
	if id == "" {
		return refuse("does not end in /p2p/<peer id>")
	}
	if len(addr) == 0 {
		return refuse("has no transport address")
	}
	var shape []string
	for i, c := range addr {
		if c.Protocol().Code == ma.P_CIRCUIT {
			return refuse("goes through a relay")
		}
		if i > 0 {
			shape = append(shape, c.Protocol().Name)
		}
	}
	switch transport := strings.Join(shape, "/"); addr[0].Protocol().Code {
	case ma.P_DNSADDR:
		if transport != "" {
			return refuse("has something between /dnsaddr and /p2p")
		}
	case ma.P_IP4, ma.P_IP6, ma.P_DNS, ma.P_DNS4, ma.P_DNS6:
		if transport != "tcp" && transport != "udp/quic-v1" {
			return refuse("has transport %q; allowed are tcp and udp/quic-v1", transport)
		}
	default:
		return refuse("starts with /%s; allowed are ip4, ip6, dns, dns4, dns6 and dnsaddr", addr[0].Protocol().Name)
	}
	return addr, id, nil
}

// dialOrigin connects to an origin under the dialling policy, unless it is
// connected already, and protects it under tag. The peer is known even when the
// dial fails, if the origin is well formed.
func (n *Node) dialOrigin(ctx context.Context, origin, tag string) (peer.ID, error) {
	addr, id, err := parseOrigin(origin)
	if err != nil {
		return "", err
	}
	if id == n.host.ID() {
		return "", fmt.Errorf("%w: origin is this node", ErrRefusedAddress)
	}
	n.host.ConnManager().Protect(id, tag)
	if n.host.Network().Connectedness(id) == network.Connected {
		return id, nil
	}
	ctx, cancel := context.WithTimeout(ctx, n.cfg.DialTimeout)
	defer cancel()
	addrs, err := n.resolve(ctx, addr, id, dnsaddrDepth)
	if err != nil {
		return id, err
	}
	var good []ma.Multiaddr
	var refused []error
	for _, a := range addrs {
		if err := checkResolved(a, n.cfg.AllowPrivatePeers); err != nil {
			refused = append(refused, err)
			continue
		}
		good = append(good, a)
	}
	if len(good) == 0 {
		return id, errors.Join(refused...)
	}
	if err := n.nets.wait(ctx, good); err != nil {
		return id, err
	}
	if err := n.host.Connect(ctx, peer.AddrInfo{ID: id, Addrs: good}); err != nil {
		return id, fmt.Errorf("dialling: %w", err)
	}
	return id, nil
}

// resolve turns names into addresses. What it returns starts with an IP address;
// nothing resolves it again, so a name cannot change its mind after the check.
func (n *Node) resolve(ctx context.Context, a ma.Multiaddr, id peer.ID, depth int) ([]ma.Multiaddr, error) {
	var nets string
	switch a[0].Protocol().Code {
	case ma.P_DNS:
		nets = "ip"
	case ma.P_DNS4:
		nets = "ip4"
	case ma.P_DNS6:
		nets = "ip6"
	case ma.P_DNSADDR:
		return n.resolveDNSAddr(ctx, a[0].Value(), id, depth)
	default:
		return []ma.Multiaddr{a}, nil
	}
	ips, err := n.resolver.LookupNetIP(ctx, nets, a[0].Value())
	if err != nil {
		return nil, fmt.Errorf("resolving %s: %w", a[0].Value(), err)
	}
	var out []ma.Multiaddr
	for _, ip := range ips[:min(len(ips), resolvedMax)] {
		proto := "ip6"
		if ip = ip.Unmap(); ip.Is4() {
			proto = "ip4"
		}
		if ip.Zone() != "" {
			return nil, fmt.Errorf("%w: %s resolves to %s", ErrRefusedAddress, a[0].Value(), ip)
		}
		c, err := ma.NewComponent(proto, ip.String())
		if err != nil {
			return nil, fmt.Errorf("resolving %s: %w", a[0].Value(), err)
		}
		out = append(out, append(ma.Multiaddr{*c}, a[1:]...))
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("resolving %s: no address", a[0].Value())
	}
	return out, nil
}

// resolveDNSAddr reads the TXT records of /dnsaddr and keeps those of the peer.
func (n *Node) resolveDNSAddr(ctx context.Context, name string, id peer.ID, depth int) ([]ma.Multiaddr, error) {
	if depth == 0 {
		return nil, fmt.Errorf("%w: dnsaddr %s is nested too deep", ErrRefusedAddress, name)
	}
	txts, err := n.resolver.LookupTXT(ctx, "_dnsaddr."+name)
	if err != nil {
		return nil, fmt.Errorf("resolving dnsaddr %s: %w", name, err)
	}
	var out []ma.Multiaddr
	var last error
	for i, txt := range txts {
		if i == 4*resolvedMax || len(out) >= resolvedMax {
			break
		}
		s, ok := strings.CutPrefix(txt, "dnsaddr=")
		if !ok {
			continue
		}
		a, p, err := parseOrigin(s)
		if err != nil || p != id {
			continue
		}
		more, err := n.resolve(ctx, a, id, depth-1)
		if err != nil {
			last = err
			continue
		}
		out = append(out, more...)
	}
	if len(out) == 0 {
		return nil, errors.Join(fmt.Errorf("dnsaddr %s names no usable address of %s", name, id), last)
	}
	return out[:min(len(out), resolvedMax)], nil
}

// netLimits holds how often each target network is dialled.
type netLimits struct {
	rate  rate.Limit
	burst int

	mu   sync.Mutex
	nets map[netip.Prefix]*rate.Limiter
}

// wait blocks until every public network among addrs may be dialled once more.
func (l *netLimits) wait(ctx context.Context, addrs []ma.Multiaddr) error {
	seen := make(map[netip.Prefix]bool)
	for _, a := range addrs {
		ip, ok := addrIP(a)
		if !ok || CheckIP(ip) != nil {
			continue
		}
		bits := 48
		if ip = ip.Unmap(); ip.Is4() {
			bits = 24
		}
		net, err := ip.Prefix(bits)
		if err != nil || seen[net] {
			continue
		}
		seen[net] = true
		if err := l.limiter(net).Wait(ctx); err != nil {
			return fmt.Errorf("network %s is being dialled too often: %w", net, err)
		}
	}
	return nil
}

func (l *netLimits) limiter(net netip.Prefix) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nets == nil {
		l.nets = make(map[netip.Prefix]*rate.Limiter)
	}
	if len(l.nets) >= networksTracked {
		now := time.Now()
		for k, v := range l.nets {
			if v.TokensAt(now) >= float64(l.burst) {
				delete(l.nets, k)
			}
		}
	}
	lim := l.nets[net]
	if lim == nil {
		lim = rate.NewLimiter(l.rate, l.burst)
		l.nets[net] = lim
	}
	return lim
}

// gater repeats the policy on every outbound dial, so that addresses learned
// from peers, routers and the DHT obey it too. Peers the operator configured, and
// nodes of the operator's other daemons, are exempt.
type gater struct {
	allowPrivate bool
	trusted      map[peer.ID]bool
	kin          *kin // may be nil
}

func (g *gater) InterceptPeerDial(peer.ID) bool { return true }

func (g *gater) InterceptAddrDial(p peer.ID, a ma.Multiaddr) bool {
	return g.trusted[p] || g.kin.has(p) || checkResolved(a, g.allowPrivate) == nil
}

func (g *gater) InterceptAccept(network.ConnMultiaddrs) bool { return true }

func (g *gater) InterceptSecured(network.Direction, peer.ID, network.ConnMultiaddrs) bool {
	return true
}

func (g *gater) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }
