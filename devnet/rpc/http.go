package rpc

import (
	"context"
	"mime"
	"net"
	"net/http"
	"strings"

	"github.com/filecoin-project/go-jsonrpc"
)

// connection is one WebSocket connection: what lives as long as it.
type connection struct{ gone context.Context }

type connectionKey struct{}

// connectionOf is the WebSocket connection that a call came over, nil over HTTP.
func connectionOf(ctx context.Context) *connection {
	c, _ := ctx.Value(connectionKey{}).(*connection)
	return c
}

// handler routes, checks who calls, and bounds what is read.
func (s *Server) handler(byLevel []*jsonrpc.RPCServer) http.Handler {
	mux := http.NewServeMux()
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		level, err := s.config.levelOf(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		calls := byLevel[level]
		if isUpgrade(r) {
			s.serveSocket(w, r, calls)
			return
		}
		s.serveHTTP(w, r, calls)
	})
	mux.Handle("/rpc/v1", answer)
	mux.Handle("/{$}", answer)
	ready := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }
	mux.HandleFunc("GET /health/livez", ready)
	mux.HandleFunc("GET /health/readyz", ready)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !hostAllowed(s.config.AllowedHosts, r.Host) {
			http.Error(w, "invalid host specified", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func isUpgrade(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") &&
		strings.Contains(strings.ToLower(r.Header.Get("Connection")), "upgrade")
}

func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request, calls *jsonrpc.RPCServer) {
	if origin := r.Header.Get("Origin"); origin != "" && !originAllowed(s.config.AllowedOrigins, origin) {
		http.Error(w, "origin not allowed", http.StatusForbidden)
		return
	}
	s.sockets.Add(1)
	defer s.sockets.Done()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	calls.ServeHTTP(w, r.WithContext(context.WithValue(ctx, connectionKey{}, &connection{gone: ctx})))
}

func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request, calls *jsonrpc.RPCServer) {
	origin := r.Header.Get("Origin")
	foreign := origin != "" && !originAllowed(s.config.AllowedOrigins, origin)
	if origin != "" && !foreign {
		w.Header().Add("Vary", "Origin")
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
	switch r.Method {
	case http.MethodOptions:
		if !foreign {
			w.Header().Set("Access-Control-Allow-Methods", "POST, GET")
			w.Header().Set("Access-Control-Allow-Headers", "*, Authorization, Content-Type")
			w.Header().Set("Access-Control-Max-Age", "600")
		}
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodGet, http.MethodHead: // a health check of browsers and balancers
		w.WriteHeader(http.StatusOK)
		return
	case http.MethodPost:
	default:
		http.Error(w, "POST a JSON-RPC request", http.StatusMethodNotAllowed)
		return
	}
	// A foreign page may send simple requests without asking. It cannot give them this
	// type without a preflight, which it does not pass.
	if foreign && !isJSON(r.Header.Get("Content-Type")) {
		http.Error(w, "origin not allowed", http.StatusForbidden)
		return
	}
	s.answer(w, r, calls)
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/json"
}

// originAllowed is the CORS rule, also for WebSocket, which CORS does not cover.
// Programs that are no browsers send no origin.
func originAllowed(allowed []string, origin string) bool {
	origin = strings.ToLower(origin)
	for _, pattern := range allowed {
		before, after, wildcard := strings.Cut(strings.ToLower(pattern), "*")
		switch {
		case !wildcard && origin == before,
			wildcard && len(origin) >= len(before)+len(after) && strings.HasPrefix(origin, before) && strings.HasSuffix(origin, after):
			return true
		}
	}
	return false
}

// hostAllowed keeps pages away that reach this port by a name of their own (DNS
// rebinding). IP addresses cannot be rebound.
func hostAllowed(allowed []string, host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "" || net.ParseIP(strings.Trim(host, "[]")) != nil {
		return true
	}
	for _, name := range allowed {
		if name == "*" || strings.EqualFold(name, host) {
			return true
		}
	}
	return false
}
