package peers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// Colleague is this operator's side of the talk; *report.Reporter is one.
type Colleague interface {
	Operators(ctx context.Context) ([]common.Address, error)
	Judge(ctx context.Context, from common.Address, p chain.Proposal) ([]chain.Judgement, error)
	Countersign(ctx context.Context, from common.Address, p chain.Proposal) ([]byte, error)
}

const (
	serveTimeout     = 30 * time.Second // of one call
	atOnce           = 32               // calls
	handshakeTimeout = 10 * time.Second
)

// Server is the operators' port.
type Server struct {
	identity  *Identity
	colleague Colleague
	now       func() time.Time
	log       *slog.Logger
	nonces    nonces
	busy      chan struct{}
	listener  net.Listener
	http      *http.Server
}

// NewServer listens at addr (host:port); nothing is answered before Run.
func NewServer(addr string, identity *Identity, colleague Colleague, log *slog.Logger) (*Server, error) {
	s := &Server{
		identity: identity, colleague: colleague, now: identity.now, log: log,
		nonces: nonces{seen: map[string]time.Time{}}, busy: make(chan struct{}, atOnce),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+judgePath, serve(s, func(ctx context.Context, from common.Address, p chain.Proposal) (judged, error) {
		out, err := colleague.Judge(ctx, from, p)
		return judged{out}, err
	}))
	mux.HandleFunc("POST "+signPath, serve(s, func(ctx context.Context, from common.Address, p chain.Proposal) (signed, error) {
		out, err := colleague.Countersign(ctx, from, p)
		return signed{out}, err
	}))
	s.http = &http.Server{
		Handler: http.MaxBytesHandler(mux, maxBody), TLSConfig: identity.serverTLS(), ReadHeaderTimeout: handshakeTimeout,
		ReadTimeout: serveTimeout, WriteTimeout: 2 * serveTimeout, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	var err error
	if s.listener, err = net.Listen("tcp", addr); err != nil {
		return nil, fmt.Errorf("listening for other operators at %s: %w", addr, err)
	}
	return s, nil
}

// Addr is where the port is.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run answers until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if s.http.Shutdown(grace) != nil {
			_ = s.http.Close()
		}
	})
	err := s.http.ServeTLS(s.listener, "", "")
	if !stop() {
		<-ended
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving other operators: %w", err)
	}
	return nil
}

// Close frees the port of a Server that may not have run.
func (s *Server) Close() error {
	err := s.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// serve is one kind of call: who asks, is it taken, what is the answer.
func serve[T any](s *Server, answer func(context.Context, common.Address, chain.Proposal) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.busy <- struct{}{}:
			defer func() { <-s.busy }()
		default:
			refuse(w, http.StatusTooManyRequests, "busy: ask again later")
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), serveTimeout)
		defer cancel()
		from, status, err := s.caller(ctx, r)
		if err != nil {
			s.log.Warn("a call at the operators' port was refused", "from", r.RemoteAddr, "error", err)
			refuse(w, status, http.StatusText(status))
			return
		}
		var c call
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil || len(c.Claims) > maxClaims {
			refuse(w, http.StatusBadRequest, "not a call, or too large")
			return
		}
		if err := s.nonces.take(from, c, s.now()); err != nil {
			refuse(w, http.StatusConflict, err.Error())
			return
		}
		out, err := answer(ctx, from, c.Proposal)
		if err != nil {
			s.log.Warn("another operator's call was not met", "operator", from.Hex(), "call", r.URL.Path, "error", err)
			refuse(w, http.StatusUnprocessableEntity, err.Error())
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out) // the other side notices
	}
}

// caller is the operator who calls.
func (s *Server) caller(ctx context.Context, r *http.Request) (common.Address, int, error) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return common.Address{}, http.StatusForbidden, ErrNoOperator
	}
	from, err := operatorOf(s.identity.domain, r.TLS.PeerCertificates[0], s.now())
	if err != nil {
		return common.Address{}, http.StatusForbidden, err
	}
	operators, err := s.colleague.Operators(ctx)
	if err != nil {
		return common.Address{}, http.StatusServiceUnavailable, fmt.Errorf("reading who is an operator: %w", err)
	}
	if !slices.Contains(operators, from) {
		return common.Address{}, http.StatusForbidden, fmt.Errorf("%w: %s is not in the configuration in force", ErrNoOperator, from)
	}
	return from, 0, nil
}

func refuse(w http.ResponseWriter, status int, words string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(refusal{words}) // the other side notices
}
