// Package outbound is HTTP on behalf of strangers: it gets what a URL out of a
// request names, without letting the URL reach into the operator's own network.
//
// It is not a crawler and not the node's dialler (executor/ipfs has libp2p's): one
// request, for a GET a bounded number of redirects, a body that is read once.
//
// Map:
//
//	outbound.go  Config, Deps, Client, Get
//	ask.go       Ask: any method, any status, no redirects
//	dial.go      which address is dialled: resolved, checked, rate-limited
//	body.go      the body: stalls and sizes
//
// Invariants: only an address that was resolved and checked here is connected to,
// for redirects as well; no proxy, no cookies, no credentials, no decompression;
// every wait is bounded.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"golang.org/x/time/rate"

	"github.com/tidegate/tidegate/executor/job"
)

// Config bounds what a stranger may cost. Zero fields take the defaults given.
type Config struct {
	// AllowPrivate lifts the ban on private, loopback and similar addresses.
	AllowPrivate bool
	DialTimeout  time.Duration // of one connection, name resolution included; 10 s
	HeadTimeout  time.Duration // until the response's head is there; 30 s
	StallTimeout time.Duration // longest time without a byte of the body; 1 min
	MaxRedirects int           // 3
	// PerNetwork is how many connections a second one /24 (IPv4) or /48 (IPv6) may
	// see; Burst is how many at once: 1 and 20. Allowed private networks are not
	// limited.
	PerNetwork float64
	Burst      int
}

// Resolver looks names up; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Deps are what a Client uses.
type Deps struct {
	// Check refuses addresses that a stranger may not make us dial. It is needed.
	Check    func(netip.Addr) error
	Resolver Resolver     // nil: net.DefaultResolver
	Log      *slog.Logger // nil: none
}

// Client gets URLs. It is safe for concurrent use.
type Client struct {
	cfg  Config
	d    Deps
	nets limits
	http *http.Client
}

// New fills the defaults in.
func New(cfg Config, d Deps) (*Client, error) {
	if d.Check == nil {
		return nil, errors.New("outbound: a check of addresses is needed")
	}
	if cfg.DialTimeout <= 0 {
		cfg.DialTimeout = 10 * time.Second
	}
	if cfg.HeadTimeout <= 0 {
		cfg.HeadTimeout = 30 * time.Second
	}
	if cfg.StallTimeout <= 0 {
		cfg.StallTimeout = time.Minute
	}
	if cfg.MaxRedirects <= 0 {
		cfg.MaxRedirects = 3
	}
	if cfg.PerNetwork <= 0 {
		cfg.PerNetwork = 1
	}
	if cfg.Burst <= 0 {
		cfg.Burst = 20
	}
	if d.Resolver == nil {
		d.Resolver = net.DefaultResolver
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{cfg: cfg, d: d, nets: limits{rate: rate.Limit(cfg.PerNetwork), burst: cfg.Burst}}
	c.http = &http.Client{
		CheckRedirect: c.redirect,
		Transport: &http.Transport{
			DialContext: c.dial, TLSHandshakeTimeout: cfg.DialTimeout, ResponseHeaderTimeout: cfg.HeadTimeout,
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
		},
	}
	return c, nil
}

const userAgent = "tidegate"

// Get asks for a URL and gives the response when its status is 200; its body must
// be closed. Errors, also those of reading the body, are *job.Fault that may be
// tried again: unreachable (no address may be, or could be, connected to),
// not_found (any other status), stalled; or ctx's cause.
func (c *Client) Get(ctx context.Context, from string) (*http.Response, error) {
	u, err := url.Parse(from)
	if err == nil {
		err = checkURL(u)
	}
	if err != nil {
		return nil, &job.Fault{Reason: job.ReasonUnreachable, Err: err}
	}
	asked, cancel := context.WithCancelCause(ctx)
	req, err := http.NewRequestWithContext(asked, http.MethodGet, u.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, &job.Fault{Reason: job.ReasonUnreachable, Err: err}
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "application/vnd.ipld.car, application/octet-stream, */*")
	res, err := c.http.Do(req)
	if err != nil {
		cancel(nil)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &job.Fault{Reason: job.ReasonUnreachable, Retry: true, Err: err}
	}
	if res.StatusCode != http.StatusOK {
		cancel(nil)
		_ = res.Body.Close() // nothing of it is read
		return nil, &job.Fault{Reason: job.ReasonNotFound, Retry: true, Err: fmt.Errorf("%s answered %s", res.Request.URL.Host, res.Status)}
	}
	res.Body = newBody(ctx, res, cancel, c.cfg.StallTimeout)
	return res, nil
}

// redirect checks the URL of each redirect; its address is checked when dialled.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	if len(via) > c.cfg.MaxRedirects {
		return fmt.Errorf("more than %d redirects", c.cfg.MaxRedirects)
	}
	if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return fmt.Errorf("redirected from https to %s", req.URL.Scheme)
	}
	req.Header.Del("Referer")
	return checkURL(req.URL)
}

func checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("the scheme is %q, not http or https", u.Scheme)
	case u.Hostname() == "":
		return errors.New("the URL names no host")
	case u.User != nil:
		return errors.New("the URL carries credentials")
	}
	return nil
}
