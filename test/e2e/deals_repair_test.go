package e2e

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tidegate/tidegate/executor/httpapi"
)

// toll stands before what providers serve. Each answer with a piece stops, once, at the byte
// that is next among stops; with none left, pieces pass.
type toll struct {
	mu      sync.Mutex
	stops   []int64
	answers int
	reached chan struct{}
}

// before puts the toll before a provider and gives the URL to ask it at.
func (h *toll) before(t *testing.T, provider string) string {
	t.Helper()
	to, err := url.Parse(provider)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, ErrorLog: log.New(io.Discard, "", 0)}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/piece/") {
			w = &tolled{ResponseWriter: w, toll: h, gone: r.Context().Done(), left: h.next()}
		}
		proxy.ServeHTTP(w, r)
		if last, ok := w.(*tolled); ok && last.left == math.MaxInt64 {
			h.reach()
		}
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(srv.Close)
	return srv.URL
}

// next takes a stop: -1 for none, and math.MaxInt64 for the end of the answer.
func (h *toll) next() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers++
	if len(h.stops) == 0 {
		return -1
	}
	at := h.stops[0]
	h.stops = h.stops[1:]
	return at
}

func (h *toll) reach() { h.reached <- struct{}{} }

// passed tells, once, that an answer has come to its stop.
func (h *toll) passed() bool {
	select {
	case <-h.reached:
		return true
	default:
		return false
	}
}

// tolled is an answer that stops.
type tolled struct {
	http.ResponseWriter
	toll *toll
	gone <-chan struct{}
	left int64 // bytes until the stop
}

func (w *tolled) Write(p []byte) (n int, err error) {
	switch {
	case w.left < 0 || w.left == math.MaxInt64:
		return w.ResponseWriter.Write(p)
	case int64(len(p)) > w.left:
		n, _ = w.ResponseWriter.Write(p[:w.left])
		_ = http.NewResponseController(w.ResponseWriter).Flush()
		w.toll.reach()
		<-w.gone
		return n, http.ErrAbortHandler
	}
	w.left -= int64(len(p))
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *tolled) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// repaired has the daemon lose all that it holds while a slot is stored, and the slot's
// renewal begin: it fetches the piece back for what follows. It is killed at a byte of that, and
// once more when the last byte has come, as it compares and puts the piece back, or when it has.
// The piece is served whole or not at all.
func (k *dealsKilled) repaired(t *testing.T, first uint64) {
	t.Helper()
	at := "http://" + k.public + "/piece/" + k.offers(first)[0].Piece
	whole, err := fetched(at)
	if err != nil {
		t.Fatal(err)
	}
	k.d.kill()
	for _, part := range []string{"blocks", "meta"} {
		if err := os.RemoveAll(filepath.Join(k.d.dir, "ipfs", part)); err != nil {
			t.Fatal(err)
		}
	}
	k.d.start(t)
	served := func() bool {
		got, err := fetched(at)
		if err == nil && !bytes.Equal(got, whole) {
			t.Fatalf("%d bytes are served that are not the piece's %d", len(got), len(whole))
		}
		return err == nil
	}
	if served() {
		t.Fatal("the piece is not lost")
	}
	k.toll.mu.Lock()
	k.toll.stops, k.toll.answers = []int64{k.random.Int64N(int64(len(whole))), math.MaxInt64}, 0
	k.toll.mu.Unlock()
	if _, err := k.net.Chain().Advance(t.Context(), aDay); err != nil { // the renewal may begin when the term has
		t.Fatal(err)
	}
	k.killWhen(t, "a part of the piece has come", 5, k.toll.passed)
	if served() {
		t.Error("the piece is served, of which a part has come")
	}
	k.killWhen(t, "all of the piece has come", 60, k.toll.passed)
	k.await(t, "the piece is here again", served)
	k.await(t, "the repair is over", func() bool { return k.repairOf(at)[0].State == "restored" })
	if r := k.repairOf(at); len(r) != 1 || r[0].Slot != first|1 {
		t.Errorf("slot %d needed the piece; the repairs are %+v", first|1, r)
	}
	k.toll.mu.Lock()
	answers := k.toll.answers
	k.toll.mu.Unlock()
	k.fetches[answers]++
	if answers > 3 {
		t.Errorf("the piece was fetched %d times, with two kills", answers)
	}
	if left, err := os.ReadDir(filepath.Join(k.d.dir, "repairs")); err != nil && !os.IsNotExist(err) || len(left) > 0 {
		t.Errorf("left of repairs: %v %v", left, err)
	}
}

// repairOf are the repairs of the piece that is served at a URL; one that says nothing where
// there is none, or no daemon.
func (k *dealsKilled) repairOf(at string) (out []httpapi.Repair) {
	var page struct{ Items []httpapi.Repair }
	if err := k.d.ask(http.MethodGet, "/deals/repairs?limit=200", nil, &page); err != nil {
		return []httpapi.Repair{{Words: fmt.Sprint(err)}}
	}
	for _, r := range page.Items {
		if strings.HasSuffix(at, "/"+r.Piece) {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		out = []httpapi.Repair{{}}
	}
	return out
}
