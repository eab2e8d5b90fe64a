package httpapi

import (
	"context"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// adminHandler is the admin port.
func (s *Server) adminHandler() http.Handler {
	r := chi.NewRouter()
	r.Use(s.recoverPanics, s.checkHost)
	if s.deps.Metrics != nil {
		r.Handle("/metrics", promhttp.HandlerFor(s.deps.Metrics, promhttp.HandlerOpts{}))
	}
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { s.ok(w, http.StatusOK, map[string]bool{"ok": true}) })
	r.Get("/readyz", s.readyz)
	if s.cfg.Pprof {
		r.HandleFunc("/debug/pprof/*", pprof.Index)
		r.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		r.HandleFunc("/debug/pprof/profile", pprof.Profile)
		r.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		r.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return r
}

// checkTime bounds one readiness check.
const checkTime = 3 * time.Second

// readiness is the body of /readyz.
type readiness struct {
	OK     bool              `json:"ok"`
	Checks map[string]string `json:"checks"` // "ok", or why not
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	out := readiness{OK: true, Checks: map[string]string{}}
	for _, c := range s.deps.Checks {
		out.Checks[c.Name] = "ok"
		ctx, cancel := context.WithTimeout(r.Context(), checkTime)
		err := c.Ready(ctx)
		cancel()
		if err != nil {
			out.OK, out.Checks[c.Name] = false, err.Error()
		}
	}
	status := http.StatusOK
	if !out.OK {
		status = http.StatusServiceUnavailable
	}
	s.ok(w, status, out)
}
