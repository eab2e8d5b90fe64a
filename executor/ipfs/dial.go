package ipfs

import (
	"errors"
	"fmt"
	"net/netip"

	ma "github.com/multiformats/go-multiaddr"
)

// ErrRefusedAddress is wrapped by every refusal of the dialling policy.
var ErrRefusedAddress = errors.New("address refused")

// refusedNets are the networks a stranger cannot make us dial, with the words for
// it. The longest prefix wins.
var refusedNets = []struct {
	net  netip.Prefix
	name string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "unspecified"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "carrier-grade NAT"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignments"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved or broadcast"},
	{netip.MustParsePrefix("::/96"), "unspecified, loopback or IPv4-compatible"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "local NAT64"},
	{netip.MustParsePrefix("100::/64"), "discard"},
	{netip.MustParsePrefix("2001::/23"), "Teredo and protocol assignments"},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
	{netip.MustParsePrefix("3fff::/20"), "documentation"},
	{netip.MustParsePrefix("5f00::/16"), "segment routing"},
	{netip.MustParsePrefix("fc00::/7"), "unique local"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("fec0::/10"), "site-local"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

var (
	nat64   = netip.MustParsePrefix("64:ff9b::/96")
	sixTo4  = netip.MustParsePrefix("2002::/16")
	globalU = netip.MustParsePrefix("2000::/3")
)

// CheckIP tells whether the policy lets a stranger make us dial ip: public
// unicast only. IPv4 inside IPv6 (mapped, NAT64, 6to4) is judged as IPv4. The
// error wraps ErrRefusedAddress.
func CheckIP(ip netip.Addr) error {
	if !ip.IsValid() {
		return fmt.Errorf("%w: not an IP address", ErrRefusedAddress)
	}
	if ip.Zone() != "" {
		return fmt.Errorf("%w: %s has a zone", ErrRefusedAddress, ip)
	}
	if ip.Is4In6() {
		return embedded(ip, ip.Unmap())
	}
	for _, r := range refusedNets {
		if r.net.Contains(ip) {
			return fmt.Errorf("%w: %s is %s (%s)", ErrRefusedAddress, ip, r.name, r.net)
		}
	}
	b := ip.As16()
	switch {
	case ip.Is4():
		return nil
	case nat64.Contains(ip):
		return embedded(ip, netip.AddrFrom4([4]byte(b[12:16])))
	case sixTo4.Contains(ip):
		return embedded(ip, netip.AddrFrom4([4]byte(b[2:6])))
	case !globalU.Contains(ip):
		return fmt.Errorf("%w: %s is not global unicast", ErrRefusedAddress, ip)
	}
	return nil
}

func embedded(ip, v4 netip.Addr) error {
	if err := CheckIP(v4); err != nil {
		return fmt.Errorf("%s carries %s: %w", ip, v4, err)
	}
	return nil
}

// addrIP is the IP address a multiaddr starts with; false if it starts with
// something else, or has a zone.
func addrIP(a ma.Multiaddr) (netip.Addr, bool) {
	if len(a) == 0 {
		return netip.Addr{}, false
	}
	switch a[0].Protocol().Code {
	case ma.P_IP4, ma.P_IP6:
		return netip.AddrFromSlice(a[0].RawValue())
	default:
		return netip.Addr{}, false
	}
}

// checkResolved judges a multiaddr that is about to be dialled: it must start
// with an IP address, not pass through a relay, and obey CheckIP unless private
// peers are allowed.
func checkResolved(a ma.Multiaddr, allowPrivate bool) error {
	ip, ok := addrIP(a)
	if !ok {
		return fmt.Errorf("%w: %s does not start with an IP address", ErrRefusedAddress, a)
	}
	for _, c := range a {
		if c.Protocol().Code == ma.P_CIRCUIT {
			return fmt.Errorf("%w: %s goes through a relay", ErrRefusedAddress, a)
		}
	}
	if allowPrivate {
		if ip.Unmap().IsMulticast() || ip.Unmap().IsUnspecified() {
			return fmt.Errorf("%w: %s cannot be dialled", ErrRefusedAddress, ip)
		}
		return nil
	}
	return CheckIP(ip)
}
