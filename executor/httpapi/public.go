package httpapi

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tidegate/tidegate/executor/job"
)

//go:embed public.json
var publicAPI []byte

// PublicConfig says what strangers get. Zero fields take the defaults given.
type PublicConfig struct {
	Listen string // host:port; port 0 picks a free one
	// RequireToken gives pieces and CARs only to bearers of a token.
	RequireToken bool
	// PerSecond is how many requests a second one client (an IPv4 address, an IPv6
	// /64, or a token) may make, Burst how many at once: 10 and 50.
	PerSecond float64
	Burst     int
	// BytesPerSecond bounds what one client is sent; zero for no bound.
	BytesPerSecond uint64
	MaxStreams     int           // bodies sent at once, to all: 64
	PerClient      int           // to one client: 16
	WriteTimeout   time.Duration // a client that takes nothing for so long is dropped: 30 s
}

// Content is a piece or a CAR to send.
type Content struct {
	io.ReadSeekCloser
	Piece string // piece CID v1; names the bytes
	CAR   bool
}

// Offer is a piece that storage providers may fetch.
type Offer struct {
	Bucket    int64      `json:"bucket"`
	Piece     string     `json:"pieceCid"`
	PieceV2   string     `json:"pieceCidV2,omitempty"`
	Padded    uint64     `json:"paddedSize"`
	Size      uint64     `json:"size"` // bytes of /piece/<pieceCid>
	Format    string     `json:"format"`
	Items     int        `json:"items"`
	Manifest  string     `json:"manifest"`
	URL       string     `json:"url"` // path on this port
	CreatedAt *time.Time `json:"createdAt,omitempty"`
}

// Pieces is what the public port needs of the shelf. What is not on offer is
// job.ErrNotFound.
type Pieces interface {
	OpenPiece(ctx context.Context, id string) (Content, error)
	OpenCAR(ctx context.Context, root string) (Content, error)
	Offers(ctx context.Context, before int64, limit int) ([]Offer, error)
	CheckToken(ctx context.Context, token, piece string) (bool, error)
}

// PublicDeps are what the public port works with.
type PublicDeps struct {
	Pieces Pieces
	Slots  Slots // nil: no list of slots
	Log    *slog.Logger
}

// Public serves the port that strangers may reach.
type Public struct {
	cfg     PublicConfig
	deps    PublicDeps
	clients *clients
	streams chan struct{}
	l       net.Listener
}

// NewPublic opens the port. An occupied one is ErrPortInUse, naming the setting.
func NewPublic(cfg PublicConfig, deps PublicDeps) (*Public, error) {
	if cfg.PerSecond <= 0 {
		cfg.PerSecond = 10
	}
	if cfg.Burst <= 0 {
		cfg.Burst = 50
	}
	if cfg.MaxStreams <= 0 {
		cfg.MaxStreams = 64
	}
	if cfg.PerClient <= 0 {
		cfg.PerClient = 16
	}
	if cfg.WriteTimeout <= 0 {
		cfg.WriteTimeout = 30 * time.Second
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	p := &Public{cfg: cfg, deps: deps, clients: newClients(cfg), streams: make(chan struct{}, cfg.MaxStreams)}
	var err error
	p.l, err = listen("public.listen", cfg.Listen)
	return p, err
}

// Addr is where the port listens.
func (p *Public) Addr() string { return p.l.Addr().String() }

// Close closes the port of a server that was never run.
func (p *Public) Close() error {
	if err := p.l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Run serves once, until ctx ends; bodies under way then get a moment.
func (p *Public) Run(ctx context.Context) error {
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	srv := &http.Server{
		Handler: p.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 15 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return requests },
		ErrorLog:    slog.NewLogLogger(p.deps.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(p.l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving %s: %w", p.l.Addr(), err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	err := srv.Shutdown(end)
	if err != nil {
		cut()
		err = srv.Close()
	}
	if serr := <-ended; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

// Handler is the public port.
func (p *Public) Handler() http.Handler {
	r := chi.NewRouter()
	r.Use(p.recoverPanics, p.limited)
	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		publicFail(w, http.StatusNotFound, "nothing here: /piece/{pieceCid}, /car/{cid}, /buckets and, where it is offered, /slots are", "")
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		publicFail(w, http.StatusMethodNotAllowed, "this port is for reading", r.Method)
	})
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		r.Method(method, "/piece/{id}", p.sends(func(ctx context.Context, id string) (Content, error) { return p.deps.Pieces.OpenPiece(ctx, id) }))
		r.Method(method, "/car/{id}", p.sends(func(ctx context.Context, id string) (Content, error) {
			return p.deps.Pieces.OpenCAR(ctx, strings.TrimSuffix(id, ".car"))
		}))
		r.Method(method, "/buckets", http.HandlerFunc(p.listOffers))
		if p.deps.Slots != nil {
			r.Method(method, "/slots", http.HandlerFunc(p.listSlots))
			r.Method(method, "/slots/{id}", http.HandlerFunc(p.getSlot))
		}
	}
	r.Get("/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(publicAPI) // a client that went away is nobody's error
	})
	return r
}

// offerPage is the body of /buckets.
type offerPage struct {
	Items []Offer `json:"items"`
	Next  string  `json:"next,omitempty"` // value of ?before= for the next page
}

func (p *Public) listOffers(w http.ResponseWriter, r *http.Request) {
	limit, before, err := pageOf(r)
	if err != nil {
		publicFail(w, http.StatusBadRequest, "limit is a number from 1 to 1000, before the next of the page before", err.Error())
		return
	}
	offers, err := p.deps.Pieces.Offers(r.Context(), before, limit)
	if err != nil {
		p.failWith(w, r, err)
		return
	}
	page := offerPage{Items: append([]Offer{}, offers...)}
	if len(offers) == limit {
		page.Next = fmt.Sprint(offers[len(offers)-1].Bucket)
	}
	publicJSON(w, page)
}

func publicFail(w http.ResponseWriter, status int, title, detail string) {
	h := w.Header()
	for _, name := range []string{"ETag", "Cache-Control", "Content-Disposition"} {
		h.Del(name)
	}
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Problem{"about:blank", title, detail, status}) // the client may be gone
}

// failWith answers an error of the shelf; its words are for the log, not for
// strangers.
func (p *Public) failWith(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, job.ErrNotFound):
		publicFail(w, http.StatusNotFound, "that is not on offer here: see /buckets and /slots", "")
	case r.Context().Err() != nil: // nobody listens any more
	default:
		p.deps.Log.Warn("the public port could not answer", "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", "60")
		publicFail(w, http.StatusServiceUnavailable, "this failed here: try again later", "")
	}
}

func (p *Public) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			p.deps.Log.Error("a handler of the public port panicked", "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
			publicFail(w, http.StatusInternalServerError, "a fault of ours", "")
		}()
		next.ServeHTTP(w, r)
	})
}
