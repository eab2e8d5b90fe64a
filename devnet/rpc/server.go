package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
)

// Limits that a Config with zeros stands for. The first three are Lotus's.
const (
	DefaultMaxFilterRange   = abi.ChainEpoch(2880)
	DefaultMaxFilterResults = 10_000
	DefaultMaxFilters       = 100
	DefaultFilterTTL        = time.Hour
	DefaultMaxBody          = 16 << 20
	DefaultMaxBatch         = 1000
	DefaultMaxResponse      = 64 << 20

	shutdownGrace = 2 * time.Second
)

// Errors of New and Run.
var (
	// ErrPortInUse means that another process holds the port.
	ErrPortInUse = errors.New("port in use")
	// ErrRan means that the server ran already, or was closed: make a new one.
	ErrRan = errors.New("the RPC server ran already or is closed")
	// ErrConfig means that a field of Config has an impossible value.
	ErrConfig = errors.New("bad RPC configuration")
)

// Config says how the server behaves. The zero value listens on a free port of
// 127.0.0.1 with Lotus's limits.
type Config struct {
	// Host is the address to listen on; "" means 127.0.0.1. On an address that is not
	// loopback the devnet_*, evm_* and anvil_* methods are not served.
	Host string
	// Port is the TCP port for HTTP and WebSocket; 0 picks a free one.
	Port int
	// AllowedOrigins are the web origins that may call over CORS and WebSocket, each
	// with at most one "*"; nil means any port of localhost, 127.0.0.1 and [::1].
	AllowedOrigins []string
	// AllowedHosts are the names accepted in the HTTP Host header beside IP addresses;
	// nil means localhost. "*" accepts all.
	AllowedHosts []string

	// TokenSecret signs tokens as Lotus's are, at least 16 bytes. With it, calls without a
	// token may only read; devnet_*, evm_* and anvil_* need admin. nil asks for none.
	TokenSecret []byte
	// Controls are values whose exported methods are served as devnet_<method>, as long
	// as only this machine can reach the port.
	Controls []any

	MaxFilterRange   abi.ChainEpoch // epochs that eth_getLogs may span
	MaxFilterResults int            // events that a filter or a query of several tipsets may have
	MaxFilters       int            // filters installed at a time
	FilterTTL        time.Duration  // how long a filter that nobody reads is kept
	MaxBody          int64          // bytes of an HTTP request
	MaxBatch         int            // calls in one HTTP request
	MaxResponse      int            // bytes of the answer to a batch

	Now func() time.Time // clock of FilterTTL; nil means time.Now
	Log *slog.Logger     // nil discards
}

func (c Config) withDefaults() Config {
	setDefault(&c.Host, "127.0.0.1")
	setDefault(&c.MaxFilterRange, DefaultMaxFilterRange)
	setDefault(&c.MaxFilterResults, DefaultMaxFilterResults)
	setDefault(&c.MaxFilters, DefaultMaxFilters)
	setDefault(&c.FilterTTL, DefaultFilterTTL)
	setDefault(&c.MaxBody, DefaultMaxBody)
	setDefault(&c.MaxBatch, DefaultMaxBatch)
	setDefault(&c.MaxResponse, DefaultMaxResponse)
	if c.AllowedOrigins == nil {
		c.AllowedOrigins = []string{
			"http://localhost", "http://localhost:*", "https://localhost", "https://localhost:*",
			"http://127.0.0.1", "http://127.0.0.1:*", "http://[::1]", "http://[::1]:*",
		}
	}
	if c.AllowedHosts == nil {
		c.AllowedHosts = []string{"localhost"}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) check() error {
	switch {
	case c.Port < 0 || c.Port > 65535:
		return fmt.Errorf("%w: port %d: give 0 to 65535", ErrConfig, c.Port)
	case len(c.TokenSecret) > 0 && len(c.TokenSecret) < 16:
		return fmt.Errorf("%w: a token secret of %d bytes: give at least 16", ErrConfig, len(c.TokenSecret))
	case c.MaxFilterRange < 0 || c.MaxFilterResults < 0 || c.MaxFilters < 0 || c.FilterTTL < 0 || c.MaxBody < 0 || c.MaxBatch < 0 || c.MaxResponse < 0:
		return fmt.Errorf("%w: a limit is negative: give 0 for Lotus's, or more", ErrConfig)
	}
	return nil
}

// loopback tells whether only this machine can reach the port.
func (c Config) loopback() bool {
	if c.Host == "localhost" {
		return true
	}
	ip := net.ParseIP(c.Host)
	return ip != nil && ip.IsLoopback()
}

// Server answers JSON-RPC for one chain.
type Server struct {
	config   Config
	node     *node
	listener net.Listener
	http     *http.Server
	sockets  sync.WaitGroup // WebSocket connections, which http.Server does not wait for
	stop     context.CancelFunc
	ended    chan struct{} // closed when Run has returned
	started  sync.Once
	closed   sync.Once
	closeErr error
}

// New takes the port; Run answers on it. Errors: ErrPortInUse, ErrConfig.
func New(config Config, source Chain) (*Server, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	listener, err := listen(config)
	if err != nil {
		return nil, err
	}
	base, stop := context.WithCancel(context.Background())
	s := &Server{config: config, node: newNode(config, source), listener: listener, stop: stop, ended: make(chan struct{})}
	s.http = &http.Server{
		Handler:           s.handler(s.node.byLevel()),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		BaseContext:       func(net.Listener) context.Context { return base },
		ErrorLog:          slog.NewLogLogger(config.Log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

func listen(c Config) (net.Listener, error) {
	address := net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	listener, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w: %s is taken, perhaps by another devnet, anvil or a node: stop it or choose another port (0 picks a free one)", ErrPortInUse, address)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return listener, nil
}

// Run follows the chain and answers until ctx ends or Close is called; nil then. It
// can be called once: ErrRan.
func (s *Server) Run(ctx context.Context) error {
	err := ErrRan
	s.started.Do(func() { err = s.run(ctx) })
	return err
}

func (s *Server) run(ctx context.Context) error {
	defer close(s.ended)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, s.shut)
	defer stop()
	var followers sync.WaitGroup
	followers.Go(func() { s.node.follow(ctx) })
	defer followers.Wait()
	defer cancel()
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve JSON-RPC on %s: %w", s.Address(), err)
	}
	return nil
}

// shut ends the open calls and the listener.
func (s *Server) shut() {
	s.stop() // ends WebSocket connections and calls
	ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // calls that outlive the grace are cut off
	}
}

// Close ends Run and waits until nothing of the server is left.
func (s *Server) Close() error {
	s.closed.Do(func() {
		s.shut()
		s.started.Do(func() { close(s.ended) })
		<-s.ended
		s.sockets.Wait()
		if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			s.closeErr = fmt.Errorf("release %s: %w", s.Address(), err)
		}
	})
	return s.closeErr
}

// Address is host:port as a client on this machine reaches it.
func (s *Server) Address() string {
	host, port := s.config.Host, s.config.Port
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	if tcp, ok := s.listener.Addr().(*net.TCPAddr); ok {
		port = tcp.Port
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// URL is the endpoint for HTTP; with ws:// in place of http:// it is the one for
// WebSocket.
func (s *Server) URL() string { return "http://" + s.Address() + "/rpc/v1" }
