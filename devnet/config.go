package devnet

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
)

const (
	// ChainID is the chain id of every devnet, that of a local Filecoin network.
	ChainID = 31415926
	// DefaultPort is where DefaultConfig listens: the usual port of a local chain.
	DefaultPort = 8545
	// DefaultFinalityDepth is how far DefaultConfig's finalized tag trails the head.
	DefaultFinalityDepth = 3
	// DefaultBlockTime is DefaultConfig's pause between blocks.
	DefaultBlockTime = time.Second
	// DefaultGasLimit is the block gas limit when Config gives none.
	DefaultGasLimit = 60_000_000

	minBlockTime     = 10 * time.Millisecond
	maxFinalityDepth = 100_000
)

var (
	// ErrPortInUse is returned by New when another process holds the port.
	ErrPortInUse = errors.New("port in use")
	// ErrDataDirInUse is returned by New when another devnet holds the data directory.
	ErrDataDirInUse = errors.New("data directory in use")
	// ErrConfig is returned by New when a field of Config has an impossible value.
	ErrConfig = errors.New("bad devnet configuration")
	// ErrClosed is returned by every operation on a devnet that was closed.
	ErrClosed = errors.New("devnet is closed")
	// ErrReorgDepth is returned by Reorg when the chain is shorter than the depth,
	// or when the blocks are too old to be replaced.
	ErrReorgDepth = errors.New("cannot reorganise that deep")
)

// Config says how a devnet behaves. The zero value is valid: memory only, a
// random port on loopback, blocks on demand, every block final at once.
// DefaultConfig has the values of `tidegate devnet`.
type Config struct {
	// Host is the address to listen on; "" means 127.0.0.1. On an address that is
	// not loopback the devnet_*, evm_* and anvil_* methods are not served.
	Host string
	// Port is the TCP port for HTTP and WebSocket; 0 picks a free one.
	Port int
	// BlockTime is the pause between blocks, at least 10ms. 0 means on demand: each
	// transaction is mined at once, in its own block, followed by FinalityDepth
	// empty blocks. Timestamps are whole seconds, so a pause below one second makes
	// the chain's clock run faster than the wall clock.
	BlockTime time.Duration
	// FinalityDepth is how many blocks the finalized and safe tags trail the head.
	FinalityDepth uint64
	// GasLimit is the gas limit of a block; 0 means DefaultGasLimit.
	GasLimit uint64
	// DataDir keeps the chain over restarts; "" keeps it in memory.
	DataDir string
	// AllowedOrigins are the web origins that may call over CORS and WebSocket, each
	// with at most one "*"; nil means any port of localhost, 127.0.0.1 and [::1].
	AllowedOrigins []string
	// AllowedHosts are the names accepted in the HTTP Host header beside IP
	// addresses; nil means localhost. "*" accepts all.
	AllowedHosts []string
	// Logger gets the devnet's log lines and the engine's; nil discards them. With a
	// Logger, go-ethereum's process-wide default logger points here until Close.
	Logger *slog.Logger
	// EngineLogLevel is the lowest level of the engine's own lines that reach Logger;
	// the zero value is slog.LevelInfo, which is talkative; DefaultConfig uses
	// slog.LevelWarn.
	EngineLogLevel slog.Level
	// Now is the wall clock; nil means time.Now.
	Now func() time.Time
}

// DefaultConfig is what `tidegate devnet` runs without flags: port 8545 on
// loopback, a block a second, finality three blocks behind, memory only.
func DefaultConfig() Config {
	return Config{
		Port:           DefaultPort,
		BlockTime:      DefaultBlockTime,
		FinalityDepth:  DefaultFinalityDepth,
		EngineLogLevel: slog.LevelWarn,
	}
}

// withDefaults fills the fields whose zero value stands for something else.
func (c Config) withDefaults() Config {
	if c.Host == "" {
		c.Host = "127.0.0.1"
	}
	if c.GasLimit == 0 {
		c.GasLimit = DefaultGasLimit
	}
	if c.AllowedOrigins == nil {
		c.AllowedOrigins = []string{
			"http://localhost", "http://localhost:*", "https://localhost", "https://localhost:*",
			"http://127.0.0.1", "http://127.0.0.1:*", "http://[::1]", "http://[::1]:*",
		}
	}
	if c.AllowedHosts == nil {
		c.AllowedHosts = []string{"localhost"}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// check reports every impossible value at once.
func (c Config) check() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
	}
	if c.Port < 0 || c.Port > 65535 {
		bad("port %d is not between 0 and 65535", c.Port)
	}
	if err := checkBlockTime(c.BlockTime); err != nil {
		errs = append(errs, err)
	}
	if c.FinalityDepth > maxFinalityDepth {
		bad("finality depth %d is over %d", c.FinalityDepth, maxFinalityDepth)
	}
	if c.GasLimit < 1_000_000 || c.GasLimit > 1<<40 {
		bad("gas limit %d is not between 1,000,000 and 2^40", c.GasLimit)
	}
	return errors.Join(errs...)
}

func checkBlockTime(d time.Duration) error {
	if d != 0 && d < minBlockTime {
		return fmt.Errorf("%w: block time %v is below %v (0 means on demand)", ErrConfig, d, minBlockTime)
	}
	return nil
}

// loopback reports whether the listener can be reached only from this machine.
func (c Config) loopback() bool {
	if c.Host == "localhost" {
		return true
	}
	ip := net.ParseIP(c.Host)
	return ip != nil && ip.IsLoopback()
}
