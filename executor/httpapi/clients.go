package httpapi

import (
	"context"
	"math"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// clients remembers what each stranger did of late.
type clients struct {
	cfg PublicConfig

	mu  sync.Mutex
	all map[string]*pace
}

// pace is one client's.
type pace struct {
	asks    *rate.Limiter
	bytes   *rate.Limiter // nil for no bound
	streams int           // guarded by clients.mu
	last    time.Time     // guarded by clients.mu
}

// mostClients bounds the memory for them; idle ones go first.
const mostClients = 8192

func newClients(cfg PublicConfig) *clients { return &clients{cfg: cfg, all: map[string]*pace{}} }

// clientOf is the network of an IPv6 client, the address of an IPv4 one. A token
// is no identity here: whoever could invent tokens could evade the limits.
func clientOf(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip := at.Addr().Unmap().WithZone("")
	if ip.Is6() {
		if net, err := ip.Prefix(64); err == nil {
			return net.String()
		}
	}
	return ip.String()
}

func (c *clients) pace(id string) *pace {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.get(id)
}

func (c *clients) get(id string) *pace {
	now := time.Now()
	p := c.all[id]
	if p == nil {
		if len(c.all) >= mostClients {
			c.forget(now)
		}
		p = &pace{asks: rate.NewLimiter(rate.Limit(c.cfg.PerSecond), c.cfg.Burst)}
		if n := c.cfg.BytesPerSecond; n > 0 {
			p.bytes = rate.NewLimiter(rate.Limit(n), int(min(max(n, 64<<10), math.MaxInt32)))
		}
		c.all[id] = p
	}
	p.last = now
	return p
}

// forget drops clients that are gone, or, when all are at work, any that send
// nothing now.
func (c *clients) forget(now time.Time) {
	for _, idle := range []time.Duration{time.Minute, 0} {
		for id, p := range c.all {
			if p.streams == 0 && now.Sub(p.last) >= idle {
				delete(c.all, id)
			}
			if idle == 0 && len(c.all) < mostClients*3/4 {
				return
			}
		}
		if len(c.all) < mostClients {
			return
		}
	}
}

// wait lets n bytes pass at the client's rate.
func (p *pace) wait(ctx context.Context, n int) error {
	if p.bytes == nil {
		return nil
	}
	for n > 0 {
		k := min(n, p.bytes.Burst())
		if err := p.bytes.WaitN(ctx, k); err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// limited refuses clients that ask too often.
func (p *Public) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.clients.pace(clientOf(r)).asks.Allow() {
			w.Header().Set("Retry-After", "1")
			publicFail(w, http.StatusTooManyRequests, "too many requests: slow down", "")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// enter counts a body that is about to be sent; false means that it answered.
func (p *Public) enter(w http.ResponseWriter, r *http.Request) (leave func(), ok bool) {
	id := clientOf(r)
	p.clients.mu.Lock()
	mine := p.clients.get(id)
	full := mine.streams >= p.cfg.PerClient
	if !full {
		mine.streams++
	}
	p.clients.mu.Unlock()
	if full {
		w.Header().Set("Retry-After", "5")
		publicFail(w, http.StatusTooManyRequests, "too many downloads at once", "")
		return nil, false
	}
	away := func() {
		p.clients.mu.Lock()
		defer p.clients.mu.Unlock()
		mine.streams--
	}
	select {
	case p.streams <- struct{}{}:
		return func() { <-p.streams; away() }, true
	default:
		away()
		w.Header().Set("Retry-After", "30")
		publicFail(w, http.StatusServiceUnavailable, "all downloads are taken: try again soon", "")
		return nil, false
	}
}
