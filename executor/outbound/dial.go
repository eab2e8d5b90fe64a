package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// dial resolves, checks and connects: what is connected to is what was checked.
func (c *Client) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	ips, err := c.resolve(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("resolving %s: %w", host, err)
	}
	var errs []error
	for _, ip := range ips {
		if err := c.check(ip); err != nil {
			errs = append(errs, err)
			continue
		}
		if err := c.nets.allow(ip); err != nil {
			errs = append(errs, err)
			continue
		}
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, net.JoinHostPort(ip.String(), port))
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, fmt.Errorf("no address of %s could be connected to: %w", host, errors.Join(errs...))
}

// mostAddrs bounds the addresses of one name that are tried.
const mostAddrs = 8

func (c *Client) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	ips, err := c.d.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	if len(ips) == 0 {
		return nil, errors.New("the name has no address")
	}
	return ips[:min(len(ips), mostAddrs)], nil
}

func (c *Client) check(ip netip.Addr) error {
	if c.cfg.AllowPrivate {
		if ip.Unmap().IsMulticast() || ip.Unmap().IsUnspecified() {
			return fmt.Errorf("%s cannot be dialled", ip)
		}
		return nil
	}
	return c.d.Check(ip)
}

// limits bound connections per target network.
type limits struct {
	rate  rate.Limit
	burst int

	mu   sync.Mutex
	nets map[netip.Prefix]*netLimit
}

type netLimit struct {
	*rate.Limiter
	last time.Time
}

// mostNets bounds the networks that are remembered.
const mostNets = 4096

func (l *limits) allow(ip netip.Addr) error {
	ip = ip.Unmap()
	if ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return nil // reached only where private networks are allowed
	}
	bits := 24
	if ip.Is6() {
		bits = 48
	}
	net, err := ip.Prefix(bits)
	if err != nil {
		return err
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nets == nil {
		l.nets = map[netip.Prefix]*netLimit{}
	}
	n := l.nets[net]
	if n == nil {
		if len(l.nets) >= mostNets {
			l.forget()
		}
		n = &netLimit{Limiter: rate.NewLimiter(l.rate, l.burst)}
		l.nets[net] = n
	}
	n.last = now
	if !n.AllowN(now, 1) {
		return fmt.Errorf("too many connections to %s of late", net)
	}
	return nil
}

// forget drops the older half of what is remembered.
func (l *limits) forget() {
	var oldest, newest time.Time
	for _, n := range l.nets {
		if oldest.IsZero() || n.last.Before(oldest) {
			oldest = n.last
		}
		if n.last.After(newest) {
			newest = n.last
		}
	}
	middle := oldest.Add(newest.Sub(oldest) / 2)
	for net, n := range l.nets {
		if !n.last.After(middle) {
			delete(l.nets, net)
		}
	}
}
