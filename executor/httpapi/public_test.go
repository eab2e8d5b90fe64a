package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tidegate/tidegate/executor/job"
)

// stall is a shelf with one piece.
type stall struct {
	data   []byte
	token  string
	bad    bool          // reading fails in the middle
	inside chan struct{} // if not nil: told that OpenPiece was entered …
	gate   chan struct{} // … which then waits for this
}

type open struct{ *bytes.Reader }

func (open) Close() error { return nil }

type breaking struct{ open }

func (b breaking) Read(p []byte) (int, error) {
	if int64(b.Len()) < b.Size()/2 {
		return 0, errors.New("a block is gone")
	}
	return b.open.Read(p[:min(len(p), 1000)])
}

func (s *stall) OpenPiece(_ context.Context, id string) (Content, error) {
	if id != "baga1" {
		return Content{}, fmt.Errorf("%s: %w", id, job.ErrNotFound)
	}
	if s.gate != nil {
		s.inside <- struct{}{}
		<-s.gate
	}
	o := open{bytes.NewReader(s.data)}
	if s.bad {
		return Content{ReadSeekCloser: breaking{o}, Piece: id}, nil
	}
	return Content{ReadSeekCloser: o, Piece: id, CAR: true}, nil
}

func (s *stall) OpenCAR(ctx context.Context, root string) (Content, error) {
	if root != "bafy1" {
		return Content{}, job.ErrNotFound
	}
	return s.OpenPiece(ctx, "baga1")
}

func (s *stall) Offers(_ context.Context, before int64, limit int) ([]Offer, error) {
	var out []Offer
	for id := int64(5); id > 0 && len(out) < limit; id-- {
		if before == 0 || id < before {
			out = append(out, Offer{Bucket: id, Piece: fmt.Sprintf("baga%d", id), Padded: 128, Size: 127, URL: "/piece/x"})
		}
	}
	return out, nil
}

func (s *stall) CheckToken(_ context.Context, token, piece string) (bool, error) {
	return token == s.token && piece == "baga1", nil
}

func public(t *testing.T, s *stall, cfg PublicConfig) *httptest.Server {
	t.Helper()
	cfg.Listen = "127.0.0.1:0"
	if cfg.PerSecond == 0 {
		cfg.PerSecond, cfg.Burst = 10_000, 10_000
	}
	p, err := NewPublic(cfg, PublicDeps{Pieces: s})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(p.Handler())
	t.Cleanup(func() {
		srv.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return srv
}

func ask(t *testing.T, method, url string, head map[string]string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range head {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, b
}

func data(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func TestPiecesInRangesOfAnyOrderMakeTheWhole(t *testing.T) {
	s := &stall{data: data(100_003)}
	at := public(t, s, PublicConfig{}).URL
	got := make([]byte, len(s.data))
	const cut = 4099
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm((len(got) + cut - 1) / cut) {
		from, to := i*cut, min((i+1)*cut, len(got))
		res, b := ask(t, "GET", at+"/piece/baga1", map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", from, to-1), "If-Range": `"baga1"`})
		if res.StatusCode != http.StatusPartialContent || len(b) != to-from {
			t.Fatalf("%s with %d bytes", res.Status, len(b))
		}
		copy(got[from:], b)
	}
	if !bytes.Equal(got, s.data) {
		t.Error("the ranges do not make the whole")
	}
}

func TestHeadersOfAPiece(t *testing.T) {
	s := &stall{data: data(5000)}
	at := public(t, s, PublicConfig{}).URL
	for _, c := range []struct {
		name, method, path string
		head               map[string]string
		status, size       int
	}{
		{"whole", "GET", "/piece/baga1", nil, 200, 5000},
		{"CAR", "GET", "/car/bafy1", nil, 200, 5000},
		{"CAR by its file name", "GET", "/car/bafy1.car", nil, 200, 5000},
		{"head", "HEAD", "/piece/baga1", nil, 200, 0},
		{"known", "GET", "/piece/baga1", map[string]string{"If-None-Match": `"baga1"`}, 304, 0},
		{"another If-Range", "GET", "/piece/baga1", map[string]string{"Range": "bytes=0-9", "If-Range": `"other"`}, 200, 5000},
		{"resumed", "GET", "/piece/baga1", map[string]string{"Range": "bytes=4000-"}, 206, 1000},
		{"beyond", "GET", "/piece/baga1", map[string]string{"Range": "bytes=6000-"}, 416, -1},
		{"unknown", "GET", "/piece/baga2", nil, 404, -1},
		{"unknown CAR", "GET", "/car/bafy2", nil, 404, -1},
		{"no such path", "GET", "/admin", nil, 404, -1},
		{"writing", "POST", "/piece/baga1", nil, 405, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, b := ask(t, c.method, at+c.path, c.head)
			if res.StatusCode != c.status || c.size >= 0 && len(b) != c.size {
				t.Fatalf("%s, %d bytes", res.Status, len(b))
			}
			if c.status == 200 {
				if res.Header.Get("ETag") != `"baga1"` || res.Header.Get("Accept-Ranges") != "bytes" || res.ContentLength != 5000 ||
					!strings.HasPrefix(res.Header.Get("Content-Type"), "application/vnd.ipld.car") || res.Header.Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("headers: %v", res.Header)
				}
			}
		})
	}
}

func TestTokensWhereTheyAreNeeded(t *testing.T) {
	at := public(t, &stall{data: data(100), token: "secret"}, PublicConfig{RequireToken: true}).URL
	for name, c := range map[string]struct {
		query  string
		head   map[string]string
		status int
	}{
		"none":    {"", nil, 401},
		"wrong":   {"", map[string]string{"Authorization": "Bearer wrong"}, 401},
		"header":  {"", map[string]string{"Authorization": "Bearer secret"}, 200},
		"in URL":  {"?token=secret", nil, 200},
		"no list": {"", map[string]string{"Authorization": "Basic secret"}, 401},
	} {
		if res, _ := ask(t, "GET", at+"/piece/baga1"+c.query, c.head); res.StatusCode != c.status {
			t.Errorf("%s: %s", name, res.Status)
		}
	}
}

func TestAskingTooOftenIsRefused(t *testing.T) {
	at := public(t, &stall{data: data(10)}, PublicConfig{PerSecond: 0.001, Burst: 3}).URL
	for i := range 5 {
		res, _ := ask(t, "GET", at+"/buckets", nil)
		if want := i >= 3; (res.StatusCode == http.StatusTooManyRequests) != want {
			t.Errorf("request %d: %s", i, res.Status)
		}
	}
}

func TestBytesAreSentAtTheClientsRate(t *testing.T) {
	at := public(t, &stall{data: data(192 << 10)}, PublicConfig{BytesPerSecond: 128 << 10}).URL
	began := time.Now()
	if _, b := ask(t, "GET", at+"/piece/baga1", nil); len(b) != 192<<10 {
		t.Fatalf("%d bytes", len(b))
	}
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("64 KiB above the burst took %s at 128 KiB a second", took)
	}
}

func TestDownloadsAtOnceAreBounded(t *testing.T) {
	s := &stall{data: data(10), inside: make(chan struct{}), gate: make(chan struct{})}
	at := public(t, s, PublicConfig{PerClient: 1}).URL
	first := make(chan int, 1)
	go func() {
		res, err := http.Get(at + "/piece/baga1")
		if err != nil {
			first <- 0
			return
		}
		defer res.Body.Close()
		first <- res.StatusCode
	}()
	<-s.inside
	if res, _ := ask(t, "GET", at+"/piece/baga1", nil); res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Errorf("a second at once: %s", res.Status)
	}
	s.gate <- struct{}{}
	if code := <-first; code != 200 {
		t.Fatalf("the first: %d", code)
	}
}

func TestAPieceThatBreaksOffIsNotTakenForWhole(t *testing.T) {
	at := public(t, &stall{data: data(50_000), bad: true}, PublicConfig{}).URL
	res, err := http.Get(at + "/piece/baga1")
	if err != nil {
		return // broken off before the head was out
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("%d bytes came without an error", len(b))
	}
}

func TestOffersInPages(t *testing.T) {
	at := public(t, &stall{}, PublicConfig{}).URL
	var ids []int64
	for next := ""; ; {
		res, b := ask(t, "GET", at+"/buckets?limit=2&before="+next, nil)
		var page offerPage
		if err := json.Unmarshal(b, &page); err != nil || res.StatusCode != 200 {
			t.Fatalf("%s %s", res.Status, b)
		}
		for _, o := range page.Items {
			ids = append(ids, o.Bucket)
		}
		if next = page.Next; next == "" {
			break
		}
	}
	if fmt.Sprint(ids) != "[5 4 3 2 1]" {
		t.Errorf("listed %v", ids)
	}
	if res, _ := ask(t, "GET", at+"/buckets?limit=0", nil); res.StatusCode != 400 {
		t.Errorf("limit 0: %s", res.Status)
	}
}

func TestThePublicDocumentDescribesExactlyTheRoutes(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(publicAPI, &doc); err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, methods := range doc.Paths {
		for method := range methods {
			described[strings.ToUpper(method)+" "+path] = true
		}
	}
	p, err := NewPublic(PublicConfig{Listen: "127.0.0.1:0"}, PublicDeps{Pieces: &stall{}, Slots: &offering{}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	err = chi.Walk(p.Handler().(chi.Routes), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if !described[method+" "+route] {
			t.Errorf("%s %s is not described", method, route)
		}
		delete(described, method+" "+route)
		return nil
	})
	if err != nil || len(described) > 0 {
		t.Errorf("described and not there: %v (%v)", described, err)
	}
}

func TestThePublicPortEndsWithItsContext(t *testing.T) {
	p, err := NewPublic(PublicConfig{Listen: "127.0.0.1:0"}, PublicDeps{Pieces: &stall{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewPublic(PublicConfig{Listen: p.Addr()}, PublicDeps{Pieces: &stall{}}); !errors.Is(err, ErrPortInUse) {
		t.Errorf("a second on %s: %v", p.Addr(), err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	if res, _ := ask(t, "GET", "http://"+p.Addr()+"/buckets", nil); res.StatusCode != 200 {
		t.Error(res.Status)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestClientsAreForgotten(t *testing.T) {
	c := newClients(PublicConfig{PerSecond: 1, Burst: 1})
	for i := range 3 * mostClients {
		c.pace(fmt.Sprint(i))
	}
	if len(c.all) > mostClients {
		t.Errorf("%d clients are remembered", len(c.all))
	}
}
