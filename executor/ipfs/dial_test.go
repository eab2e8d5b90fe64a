package ipfs

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/tidegate/tidegate/executor/job"
)

const somePeer = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"

func TestCheckIP(t *testing.T) {
	for ip, ok := range map[string]bool{
		"1.1.1.1": true, "8.8.8.8": true, "172.32.0.1": true, "100.63.0.1": true, "100.128.0.1": true, "169.253.1.1": true,
		"2606:4700::1111": true, "2a00:1450::1": true, "::ffff:8.8.8.8": true, "64:ff9b::808:808": true, "2002:808:808::1": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "127.0.0.1": false, "127.255.0.9": false,
		"172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "100.64.0.1": false, "100.127.255.255": false,
		"169.254.169.254": false, "192.0.0.8": false, "192.0.2.1": false, "198.18.0.1": false, "198.51.100.1": false, "203.0.113.1": false,
		"224.0.0.1": false, "239.1.1.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::10.0.0.1": false, "fe80::1": false, "fec0::1": false, "fc00::1": false, "fd12::1": false, "ff02::1": false,
		"2001:db8::1": false, "2001::1": false, "100::1": false, "3fff::1": false, "4000::1": false,
		"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:10.1.1.1": false,
		"64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b::a00:1": false, "64:ff9b:1::808:808": false,
		"2002:7f00:1::1": false, "2002:a9fe:a9fe::": false, "2002:c0a8:101::": false,
		"fe80::1%eth0": false,
	} {
		err := CheckIP(netip.MustParseAddr(ip))
		if (err == nil) != ok {
			t.Errorf("%s: %v, want allowed %t", ip, err, ok)
		}
		if err != nil && !errors.Is(err, ErrRefusedAddress) {
			t.Errorf("%s: %v does not wrap ErrRefusedAddress", ip, err)
		}
	}
	if CheckIP(netip.Addr{}) == nil {
		t.Error("no address at all is allowed")
	}
}

func TestCheckOrigin(t *testing.T) {
	for s, ok := range map[string]bool{
		"/ip4/1.2.3.4/tcp/4001/p2p/" + somePeer:           true,
		"/ip6/2606::1/udp/4001/quic-v1/p2p/" + somePeer:   true,
		"/dns/example.com/tcp/4001/p2p/" + somePeer:       true,
		"/dns4/example.com/udp/1/quic-v1/p2p/" + somePeer: true,
		"/dns6/example.com/tcp/1/p2p/" + somePeer:         true,
		"/dnsaddr/example.com/p2p/" + somePeer:            true,
		"/ip4/127.0.0.1/tcp/4001/p2p/" + somePeer:         true, // syntax only
		"":                             false,
		"http://example.com":           false,
		"/ip4/1.2.3.4/tcp/4001":        false,
		"/p2p/" + somePeer:             false,
		"/ip4/1.2.3.4/p2p/" + somePeer: false,
		"/ip4/1.2.3.4/tcp/4001/ws/p2p/" + somePeer:                            false,
		"/ip4/1.2.3.4/udp/4001/p2p/" + somePeer:                               false,
		"/unix/tmp/x/p2p/" + somePeer:                                         false,
		"/dnsaddr/example.com/tcp/1/p2p/" + somePeer:                          false,
		"/ip6zone/eth0/ip6/fe80::1/tcp/1/p2p/" + somePeer:                     false,
		"/ip4/1.2.3.4/tcp/1/p2p/" + somePeer + "/p2p-circuit":                 false,
		"/ip4/1.2.3.4/tcp/1/p2p/" + somePeer + "/p2p-circuit/p2p/" + somePeer: false,
		"/dns4/" + strings.Repeat("a", 600) + "/tcp/1/p2p/" + somePeer:        false,
	} {
		if err := CheckOrigin(s); (err == nil) != ok {
			t.Errorf("%q: %v, want allowed %t", s, err, ok)
		} else if err != nil && !errors.Is(err, ErrRefusedAddress) {
			t.Errorf("%q: %v does not wrap ErrRefusedAddress", s, err)
		}
	}
}

// fakeDNS answers from tables and counts what it is asked.
type fakeDNS struct {
	ips   map[string][]string
	txts  map[string][]string
	asked map[string]int
}

func (f *fakeDNS) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	f.asked[host]++
	var out []netip.Addr
	for _, s := range f.ips[host] {
		out = append(out, netip.MustParseAddr(s))
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no such host %s", host)
	}
	return out, nil
}

func (f *fakeDNS) LookupTXT(_ context.Context, name string) ([]string, error) {
	f.asked[name]++
	return f.txts[name], nil
}

func TestOriginsThatResolveToPrivateAddressesAreNotDialled(t *testing.T) {
	target := startNode(t)
	id := target.ID().String()
	port := strings.Split(target.Addrs()[0], "/")[4]
	dns := &fakeDNS{asked: map[string]int{}, ips: map[string][]string{
		"loop.example": {"127.0.0.1"}, "mapped.example": {"::ffff:127.0.0.1"}, "nat64.example": {"64:ff9b::7f00:1"}, "meta.example": {"169.254.169.254"},
	}, txts: map[string][]string{
		"_dnsaddr.addr.example":  {"dnsaddr=/ip4/127.0.0.1/tcp/" + port + "/p2p/" + id, "noise"},
		"_dnsaddr.other.example": {"dnsaddr=/ip4/1.1.1.1/tcp/1/p2p/" + somePeer},
		"_dnsaddr.ring.example":  {"dnsaddr=/dnsaddr/ring.example/p2p/" + id},
	}}
	cfg := testConfig(t.TempDir())
	cfg.AllowPrivatePeers = false
	n := openNode(t, cfg, Deps{Resolver: dns})
	for _, origin := range []string{
		"/ip4/127.0.0.1/tcp/" + port, "/ip4/169.254.169.254/tcp/80", "/ip6/::1/tcp/" + port, "/ip6/::ffff:127.0.0.1/tcp/" + port,
		"/dns4/loop.example/tcp/" + port, "/dns/mapped.example/tcp/" + port, "/dns6/nat64.example/tcp/" + port, "/dns/meta.example/tcp/80",
		"/dnsaddr/addr.example",
	} {
		_, err := n.dialOrigin(context.Background(), origin+"/p2p/"+id, "t")
		if !errors.Is(err, ErrRefusedAddress) {
			t.Errorf("%s: %v, want it refused", origin, err)
		}
	}
	for _, origin := range []string{"/dnsaddr/other.example", "/dnsaddr/ring.example", "/dns4/none.example/tcp/1"} {
		if _, err := n.dialOrigin(context.Background(), origin+"/p2p/"+id, "t"); err == nil {
			t.Errorf("%s: no error", origin)
		}
	}
	if dns.asked["_dnsaddr.ring.example"] > dnsaddrDepth {
		t.Errorf("a dnsaddr ring was followed %d times", dns.asked["_dnsaddr.ring.example"])
	}
	if c := target.host.Network().ConnsToPeer(n.ID()); len(c) != 0 {
		t.Fatal("the target was dialled")
	}
	c := rawCID(t, []byte("x"), 0x12)
	_, err := n.Pin(context.Background(), PinSpec{Ref: "r", Root: c, Origins: []string{"/dns4/loop.example/tcp/" + port + "/p2p/" + id}}, nil)
	wantFault(t, err, job.ReasonUnreachable, false)
}

func TestANameIsResolvedOnceAndTheCheckedAddressIsDialled(t *testing.T) {
	target := startNode(t)
	port := strings.Split(target.Addrs()[0], "/")[4]
	dns := &fakeDNS{asked: map[string]int{}, ips: map[string][]string{"ok.example": {"127.0.0.1"}}}
	n := openNode(t, testConfig(t.TempDir()), Deps{Resolver: dns})
	if _, err := n.dialOrigin(context.Background(), "/dns4/ok.example/tcp/"+port+"/p2p/"+target.ID().String(), "t"); err != nil {
		t.Fatal(err)
	}
	if dns.asked["ok.example"] != 1 {
		t.Fatalf("the name was resolved %d times", dns.asked["ok.example"])
	}
	for _, a := range n.host.Peerstore().Addrs(target.ID()) {
		if strings.Contains(a.String(), "dns") {
			t.Fatalf("the name was left to be resolved again: %s", a)
		}
	}
}

func TestGaterRefusesPrivateAddressesLearnedFromPeers(t *testing.T) {
	target := startNode(t)
	n := startNode(t, func(c *Config) { c.AllowPrivatePeers = false })
	info, err := peer.AddrInfoFromString(target.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := n.host.Connect(context.Background(), *info); err == nil {
		t.Fatal("a loopback address was dialled")
	}
	if n.host.Network().Connectedness(info.ID) == network.Connected {
		t.Fatal("connected")
	}
	g := &gater{trusted: map[peer.ID]bool{info.ID: true}}
	if !g.InterceptAddrDial(info.ID, info.Addrs[0]) {
		t.Error("a static peer's private address is refused")
	}
	for _, s := range []string{"/dns4/example.com/tcp/1", "/ip4/1.1.1.1/tcp/1/p2p/" + somePeer + "/p2p-circuit"} {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			t.Fatal(err)
		}
		if g.InterceptAddrDial("someone", a) {
			t.Errorf("%s is dialled", a)
		}
	}
	// Static peers are the operator's own word.
	s := startNode(t, func(c *Config) { c.AllowPrivatePeers = false; c.Peers = target.Addrs() })
	root := addFile(t, target, "f", []byte("from a static peer"))
	pinOK(t, s, PinSpec{Ref: "r", Root: root})
}

func TestDialsPerNetworkAreLimited(t *testing.T) {
	l := &netLimits{rate: 0.001, burst: 2}
	addr := func(s string) []ma.Multiaddr {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			t.Fatal(err)
		}
		return []ma.Multiaddr{a}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for i := range 2 {
		if err := l.wait(ctx, addr(fmt.Sprintf("/ip4/1.1.1.%d/tcp/1", i))); err != nil {
			t.Fatal(err)
		}
	}
	if l.wait(ctx, addr("/ip4/1.1.1.200/tcp/9")) == nil {
		t.Error("a third dial into 1.1.1.0/24 passed")
	}
	if err := l.wait(ctx, addr("/ip4/1.1.2.1/tcp/1")); err != nil {
		t.Errorf("another network: %v", err)
	}
	for range 5 {
		if err := l.wait(ctx, addr("/ip4/127.0.0.1/tcp/1")); err != nil {
			t.Errorf("loopback is not limited where it is allowed: %v", err)
		}
	}
	for i := range networksTracked + 10 {
		l.limiter(netip.MustParsePrefix(fmt.Sprintf("%d.%d.%d.0/24", 20+i>>16, i>>8&255, i&255)))
	}
	if len(l.nets) > networksTracked+1 {
		t.Errorf("%d networks are kept", len(l.nets))
	}
}
