package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tidegate/tidegate/executor/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// names resolves every name to loopback.
type names struct{}

func (names) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

var errLoopback = errors.New("loopback is refused")

func client(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := New(cfg, Deps{Resolver: names{}, Check: func(ip netip.Addr) error {
		if ip.IsLoopback() {
			return errLoopback
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// server answers until the test ends; paths: /ok, /to?=URL, /loop, /404, /stall, /cut.
func server(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			fmt.Fprint(w, "fine")
		case "/to":
			http.Redirect(w, r, r.URL.Query().Get("url"), http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/stall":
			fmt.Fprint(w, "some")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/cut":
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "some")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func get(ctx context.Context, c *Client, url string) (string, error) {
	res, err := c.Get(ctx, url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func TestReasons(t *testing.T) {
	at := server(t)
	open := client(t, Config{AllowPrivate: true, StallTimeout: 200 * time.Millisecond})
	closed := client(t, Config{})
	for name, c := range map[string]struct {
		c      *Client
		url    string
		reason job.Reason // none: it is fine
	}{
		"fine":                   {open, at + "/ok", 0},
		"redirected":             {open, at + "/to?url=/ok", 0},
		"loopback by address":    {closed, at + "/ok", job.ReasonUnreachable},
		"loopback by name":       {closed, strings.Replace(at, "127.0.0.1", "public.example", 1) + "/ok", job.ReasonUnreachable},
		"redirected to a scheme": {open, at + "/to?url=file:///etc/passwd", job.ReasonUnreachable},
		"redirected for ever":    {open, at + "/loop", job.ReasonUnreachable},
		"multicast":              {open, "http://224.0.0.1/", job.ReasonUnreachable},
		"not there":              {open, at + "/nothing", job.ReasonNotFound},
		"stalled":                {open, at + "/stall", job.ReasonStalled},
		"cut":                    {open, at + "/cut", job.ReasonStalled},
		"credentials":            {open, "http://a:b@127.0.0.1/", job.ReasonUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := get(t.Context(), c.c, c.url)
			var f *job.Fault
			switch {
			case c.reason == 0 && (err != nil || body != "fine"):
				t.Fatalf("%q %v", body, err)
			case c.reason != 0 && (!errors.As(err, &f) || f.Reason != c.reason):
				t.Fatalf("%q %v, want %s", body, err, c.reason)
			}
		})
	}
}

// A public server that redirects inwards: the redirect's address is checked too.
func TestRedirectsAreChecked(t *testing.T) {
	at := server(t)
	passed := 0
	c, err := New(Config{}, Deps{Resolver: names{}, Check: func(netip.Addr) error {
		if passed++; passed > 1 {
			return errLoopback
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if body, err := get(t.Context(), c, at+"/to?url=/ok"); !errors.Is(err, errLoopback) {
		t.Fatalf("%q %v", body, err)
	}
}

func TestTheCallersEndIsNoFault(t *testing.T) {
	at := server(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	res, err := client(t, Config{AllowPrivate: true}).Get(ctx, at+"/stall")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	gone := errors.New("gone")
	cancel(gone)
	if _, err := io.ReadAll(res.Body); !errors.Is(err, gone) {
		t.Fatal(err)
	}
}

func TestConnectionsPerNetworkAreLimited(t *testing.T) {
	l := limits{rate: 0.001, burst: 2}
	a, b := netip.MustParseAddr("8.8.8.1"), netip.MustParseAddr("8.8.9.1")
	for i, want := range []bool{true, true, false} {
		if ok := l.allow(a) == nil; ok != want {
			t.Errorf("connection %d: %v", i, ok)
		}
	}
	if err := l.allow(b); err != nil {
		t.Errorf("another network: %v", err)
	}
	for i := range 2 * mostNets {
		if err := l.allow(netip.AddrFrom4([4]byte{9, byte(i >> 8), byte(i), 1})); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.nets) > mostNets {
		t.Errorf("%d networks are remembered", len(l.nets))
	}
}

func TestAskTellsWhatCanHaveArrived(t *testing.T) {
	var hits atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch hits.Add(1); r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		case "/cut":
			panic(http.ErrAbortHandler)
		default:
			http.Error(w, "no", http.StatusTeapot)
		}
	}))
	defer srv.Close()
	ask := func(c *Client, url string) (int, bool, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		res, sent, err := c.Ask(t.Context(), req)
		if err != nil {
			return 0, sent, err
		}
		return res.StatusCode, sent, res.Body.Close()
	}
	open := client(t, Config{AllowPrivate: true})
	for path, want := range map[string]int{"/": http.StatusTeapot, "/moved": http.StatusTemporaryRedirect} {
		if code, sent, err := ask(open, srv.URL+path); code != want || !sent || err != nil {
			t.Errorf("%s: %d, %v, %v", path, code, sent, err)
		}
	}
	if hits.Load() != 2 {
		t.Errorf("a redirect was followed: %d requests", hits.Load())
	}
	if _, sent, err := ask(open, srv.URL+"/cut"); err == nil || !sent {
		t.Errorf("an answer that was lost: sent %v, %v", sent, err)
	}
	before := hits.Load()
	if _, sent, err := ask(client(t, Config{}), srv.URL); err == nil || sent || hits.Load() != before {
		t.Errorf("a private address: sent %v, %v", sent, err)
	}
}
