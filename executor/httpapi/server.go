package httpapi

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/tidegate/tidegate/executor/job"
)

//go:embed openapi.json
var openAPI []byte

// ErrPortInUse is returned by New when another process has a port.
var ErrPortInUse = errors.New("port in use")

// Config says where to listen and whom to serve.
type Config struct {
	Listen       string   // local API, host:port; port 0 picks a free one; empty: none
	Admin        string   // admin port, host:port
	AllowedHosts []string // Host names served besides loopback names
	KeyFile      string   // holds the API key; made with a new key when missing
	Pprof        bool
	MaxUpload    int64 // bytes of one uploaded file or tree; 0 for 64 GiB
}

// Jobs is what the API needs of the ledger.
type Jobs interface {
	Jobs(ctx context.Context, f job.Filter) ([]job.Job, error)
	Job(ctx context.Context, id int64) (job.Job, error)
	JobDetail(ctx context.Context, id int64) ([]byte, error) // JSON; empty for none
	RetryNow(ctx context.Context, id int64, now time.Time) (job.Job, error)
	DropJob(ctx context.Context, id int64, now time.Time) error
	InsertJob(ctx context.Context, n job.New, now time.Time) (job.Job, bool, error)
}

// Requests reads what the chain asked for.
type Requests interface {
	Requests(ctx context.Context, q RequestQuery) ([]Request, error)
	Request(ctx context.Context, id string) (Request, error)
}

// Node is what the API needs of the IPFS node.
type Node interface {
	Pins(ctx context.Context) ([]Pin, error)
	Release(ctx context.Context, ref string) (freed uint64, err error)
	Verify(ctx context.Context) (Verification, error)
	Add(ctx context.Context, ref, name string, tar bool, body io.Reader) (Added, error)
	Open(ctx context.Context, cid, path string) (io.ReadSeekCloser, error)
}

// Check is one condition of readiness.
type Check struct {
	Name  string
	Ready func(context.Context) error
}

// Deps are what the server works with.
type Deps struct {
	Jobs     Jobs
	Requests Requests
	Node     Node
	Shelf    Shelf                              // nil: no pieces
	Proofs   Proofs                             // nil: no pieces
	Deals    Deals                              // nil: no deals
	Notify   func(job.Kind)                     // wakes a lane
	Status   func(context.Context) (any, error) // the body of /status
	Checks   []Check
	Metrics  prometheus.Gatherer
	Log      *slog.Logger
	Now      func() time.Time
}

// Server serves both ports.
type Server struct {
	cfg   Config
	deps  Deps
	key   string
	ended chan struct{} // closed when Run begins to end: streams end then
	local net.Listener
	admin net.Listener
}

// New opens both ports and the key file. An occupied port is ErrPortInUse,
// naming the setting.
func New(cfg Config, deps Deps) (*Server, error) {
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if cfg.MaxUpload == 0 {
		cfg.MaxUpload = 64 << 30
	}
	key, err := loadKey(cfg.KeyFile)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, deps: deps, key: key, ended: make(chan struct{})}
	if cfg.Listen != "" {
		if s.local, err = listen("http.listen", cfg.Listen); err != nil {
			return nil, err
		}
	}
	if s.admin, err = listen("http.admin", cfg.Admin); err != nil {
		if s.local != nil {
			err = errors.Join(err, s.local.Close())
		}
		return nil, err
	}
	return s, nil
}

func listen(setting, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w: %s = %s: stop what listens there, or set %s to another port", ErrPortInUse, setting, addr, setting)
	}
	if err != nil {
		return nil, fmt.Errorf("%s = %s: %w", setting, addr, err)
	}
	return l, nil
}

// Addr is where the local API listens, "" where it does not.
func (s *Server) Addr() string {
	if s.local == nil {
		return ""
	}
	return s.local.Addr().String()
}

// AdminAddr is where the admin port listens.
func (s *Server) AdminAddr() string { return s.admin.Addr().String() }

// Close closes the ports of a server that was never run.
func (s *Server) Close() error {
	err := s.admin.Close()
	if s.local != nil {
		err = errors.Join(s.local.Close(), err)
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Run serves once, until ctx ends, then lets requests under way finish for a moment.
func (s *Server) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	// Requests outlive ctx by the time that Shutdown gives them.
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	context.AfterFunc(ctx, func() { close(s.ended) })
	for _, part := range []struct {
		l net.Listener
		h http.Handler
	}{{s.local, s.Handler()}, {s.admin, s.adminHandler()}} {
		if part.l == nil {
			continue
		}
		srv := &http.Server{
			Handler: part.h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
			BaseContext: func(net.Listener) context.Context { return requests },
			ErrorLog:    slog.NewLogLogger(s.deps.Log.Handler(), slog.LevelDebug),
		}
		group.Go(func() error {
			if err := srv.Serve(part.l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serving %s: %w", part.l.Addr(), err)
			}
			return nil
		})
		group.Go(func() error {
			<-ctx.Done()
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			if srv.Shutdown(end) == nil {
				return nil
			}
			cut()
			return srv.Close()
		})
	}
	return group.Wait()
}

// Handler is the local API.
func (s *Server) Handler() http.Handler {
	r := chi.NewRouter()
	r.Use(s.recoverPanics, s.checkHost)
	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, http.StatusNotFound, "nothing here: see /api/v1/openapi.json", r.URL.Path)
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, http.StatusMethodNotAllowed, "this method is not offered here: see /api/v1/openapi.json", r.Method+" "+r.URL.Path)
	})
	r.Route("/api/v1", func(r chi.Router) {
		r.Get("/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(openAPI) // a client that went away is nobody's error
		})
		r.Group(func(r chi.Router) {
			r.Use(bounded)
			r.Get("/status", s.getStatus)
			r.Get("/requests", s.listRequests)
			r.Get("/requests/{id}", s.getRequest)
			r.Get("/jobs", s.listJobs)
			r.Get("/jobs/{id}", s.getJob)
			r.Get("/pins", s.listPins)
			s.readPieces(r)
			s.readDeals(r)
		})
		r.Get("/events", s.events)
		r.Get("/content/{cid}", s.content)
		r.Get("/content/{cid}/*", s.content)
		r.Group(func(r chi.Router) {
			r.Use(s.needKey)
			r.With(bounded).Post("/jobs/{id}/retry", s.retryJob)
			r.With(bounded).Post("/jobs/{id}/drop", s.dropJob)
			r.With(bounded).Post("/pins", s.addPin)
			s.changePieces(r.With(bounded))
			r.Delete("/buckets/{id}", s.withShelf(s.cleanBucket)) // as long as its items are many
			r.Post("/pins/verify", s.verifyPins)
			r.Delete("/pins/{ref}", s.releasePin) // as long as the DAG is large
			r.Post("/files", s.addFile)
		})
	})
	return r
}
