package devnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/rpc"
)

const (
	maxBatchItems    = 1000
	maxBatchResponse = 64 << 20
	maxBody          = 16 << 20
	shutdownGrace    = 2 * time.Second
)

// server answers JSON-RPC over HTTP and WebSocket on one port.
type server struct {
	config   Config
	listener net.Listener
	rpc      *rpc.Server
	http     *http.Server
	sockets  sync.WaitGroup // WebSocket connections, which http.Server does not wait for
}

// listen takes the port.
func listen(c Config) (*server, error) {
	address := net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w: %s is taken, perhaps by another devnet, anvil or geth: stop it or choose another port (0 picks a free one)", ErrPortInUse, address)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	s := &server{config: c, listener: listener, rpc: rpc.NewServer()}
	s.rpc.SetBatchLimits(maxBatchItems, maxBatchResponse)
	s.rpc.SetHTTPBodyLimit(maxBody)
	s.rpc.SetWebsocketReadLimit(maxBody)
	calls := node.NewHTTPHandlerStack(s.rpc, c.AllowedOrigins, c.AllowedHosts, nil, false)
	sockets := s.rpc.WebsocketHandler([]string{"*"})
	s.http = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
				calls.ServeHTTP(w, r)
				return
			}
			if origin := r.Header.Get("Origin"); origin != "" && !originAllowed(c.AllowedOrigins, origin) {
				http.Error(w, "origin not allowed", http.StatusForbidden)
				return
			}
			s.sockets.Add(1)
			defer s.sockets.Done()
			sockets.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}
	return s, nil
}

// originAllowed is the CORS rule for WebSocket, which CORS itself does not cover.
// Programs that are no browsers send no origin. The check is ours because
// go-ethereum's leaves a goroutine behind for every origin it accepts.
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

// register adds the services; a later method replaces an earlier one of the same name.
func (s *server) register(apis []rpc.API) error {
	for _, api := range apis {
		if err := s.rpc.RegisterName(api.Namespace, api.Service); err != nil {
			return fmt.Errorf("serve %s_*: %w", api.Namespace, err)
		}
	}
	return nil
}

// serve answers until ctx ends or close is called.
func (s *server) serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.shut)
	defer stop()
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve JSON-RPC on %s: %w", s.address(), err)
	}
	return nil
}

// shut ends the open calls and the listener.
func (s *server) shut() {
	s.rpc.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // calls that outlive the grace are cut off
	}
}

// close is shut, and waits for the WebSocket connections too.
func (s *server) close() error {
	s.shut()
	s.sockets.Wait()
	if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("release %s: %w", s.address(), err)
	}
	return nil
}

// address is host:port as a client on this machine reaches it.
func (s *server) address() string {
	host := s.config.Host
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, strconv.Itoa(s.port()))
}

func (s *server) port() int {
	if tcp, ok := s.listener.Addr().(*net.TCPAddr); ok {
		return tcp.Port
	}
	return s.config.Port
}
