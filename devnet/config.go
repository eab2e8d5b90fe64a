package devnet

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/devnet/rpc"
)

const (
	// ChainID is the chain id of every devnet, that of Filecoin's development networks.
	ChainID = chain.DefaultChainID
	// DefaultPort is where DefaultConfig listens: the usual port of a local chain.
	DefaultPort = 8545
	// DefaultFinalityDepth is how many tipsets behind the head the finalized one is, if
	// Config does not say: fewer than on public networks, so that tests need not wait.
	DefaultFinalityDepth = 3
	// DefaultBlockTime is DefaultConfig's pause between epochs.
	DefaultBlockTime = time.Second

	minBlockTime = 10 * time.Millisecond

	maxMiners = 1000
	// epochsPerMiner is how many messages make a miner: its owner's and its worker's
	// accounts, the miner, its money.
	epochsPerMiner = 4
)

var (
	// ErrPortInUse is returned by New when another process holds the port.
	ErrPortInUse = rpc.ErrPortInUse
	// ErrConfig is returned by New when a field of Config has an impossible value.
	ErrConfig = errors.New("bad devnet configuration")
	// ErrClosed is returned by every operation on a devnet that was closed.
	ErrClosed = chain.ErrClosed
)

// Config says how a devnet behaves. The zero value is valid: a random port on
// loopback, epochs on demand. DefaultConfig has the values of `tidegate devnet`.
// What it does not have is in [chain.Config] and [rpc.Config], for those who put a
// chain and a server together themselves.
type Config struct {
	// Host is the address to listen on; "" means 127.0.0.1. On an address that is
	// not loopback the devnet_*, evm_* and anvil_* methods are not served.
	Host string
	// Port is the TCP port for HTTP and WebSocket; 0 picks a free one.
	Port int
	// BlockTime is the real pause between epochs, at least 10ms. 0 means on demand:
	// each message gets an epoch, one that executes it, and FinalityDepth more, so
	// that it is final when sending it returns.
	BlockTime time.Duration
	// Epoch is how much chain time one epoch is, in whole seconds; 0 means BlockTime
	// rounded up to a second, so that the chain's clock keeps up with the wall clock.
	// On Filecoin it is 30 seconds.
	Epoch time.Duration
	// FinalityDepth is how many tipsets behind the head the finalized one is; 0 means
	// DefaultFinalityDepth.
	FinalityDepth int
	// GenesisTime is the timestamp of epoch 0; zero means now, less the epochs that
	// New makes. Set it, and Seed, for the same CIDs in every run.
	GenesisTime time.Time
	// Seed decides tickets, randomness and the keys that are not of the known phrase.
	Seed [32]byte
	// Miners is how many storage providers there are from the start, without sectors;
	// more are created by devnet_createMiner or Devnet.Providers.
	Miners int
	// Market, if set, lets these miners answer deals as storage providers do, on ports of
	// loopback: Devnet.Market. Its Seed and Log are the devnet's unless it has its own.
	Market *market.Config
	// TokenSecret, at least 16 bytes, signs tokens as Lotus's are: without one a call may
	// only read then. nil asks for none. Devnet.Token makes tokens.
	TokenSecret []byte
	// Load, if set, is what Devnet.Dump wrote: the chain and its miners go on from there.
	// Seed, GenesisTime, Epoch, FinalityDepth and Miners then say nothing. With Market the
	// loaded miners say on chain where they are now; their deals and data are not in a dump.
	Load io.Reader
	// AllowedOrigins are the web origins that may call over CORS and WebSocket, each
	// with at most one "*"; nil means any port of localhost, 127.0.0.1 and [::1].
	AllowedOrigins []string
	// AllowedHosts are the names accepted in the HTTP Host header beside IP
	// addresses; nil means localhost. "*" accepts all.
	AllowedHosts []string
	// CacheDir keeps compiled actors between runs; "" is tidegate-fvm in the user's
	// cache directory.
	CacheDir string
	// Unmetered runs actors without counting their instructions: faster, and gas is
	// then less than Filecoin's.
	Unmetered bool
	// AcceptProofs says whether a proof of this kind passes; nil accepts all.
	AcceptProofs func(kind string) bool
	// Engine, if set, is used instead of a new one and is not closed by Close. CacheDir
	// and Unmetered then say nothing.
	Engine *fvm.Engine
	// Logger gets the devnet's log lines; nil discards them.
	Logger *slog.Logger
}

// DefaultConfig is what `tidegate devnet` runs without flags: port 8545 on
// loopback, an epoch a second, finality three tipsets behind.
func DefaultConfig() Config {
	return Config{Port: DefaultPort, BlockTime: DefaultBlockTime}
}

// withDefaults fills the fields whose zero value stands for something else, and
// reports every impossible one at once.
func (c Config) withDefaults(now time.Time) (Config, error) {
	var errs []error
	if c.BlockTime != 0 && c.BlockTime < minBlockTime {
		errs = append(errs, fmt.Errorf("%w: block time %v is below %v (0 means on demand)", ErrConfig, c.BlockTime, minBlockTime))
	}
	if c.Port < 0 || c.Port > 65535 {
		errs = append(errs, fmt.Errorf("%w: port %d is not between 0 and 65535", ErrConfig, c.Port))
	}
	if c.FinalityDepth == 0 {
		c.FinalityDepth = DefaultFinalityDepth
	}
	if c.FinalityDepth < 0 || c.FinalityDepth > chain.MaxFinalityDepth {
		errs = append(errs, fmt.Errorf("%w: finality depth %d is not between 1 and %d", ErrConfig, c.FinalityDepth, chain.MaxFinalityDepth))
	}
	if c.Epoch == 0 {
		c.Epoch = max(time.Second, (c.BlockTime + time.Second - 1).Truncate(time.Second))
	}
	if c.Epoch < time.Second || c.Epoch%time.Second != 0 {
		errs = append(errs, fmt.Errorf("%w: an epoch of %v is not in whole seconds", ErrConfig, c.Epoch))
	}
	if c.GenesisTime.IsZero() {
		c.GenesisTime = now.Add(-time.Duration(c.firstEpochs()) * c.Epoch).Truncate(time.Second)
	}
	if c.Miners < 0 || c.Miners > maxMiners {
		errs = append(errs, fmt.Errorf("%w: %d miners are not between 0 and %d", ErrConfig, c.Miners, maxMiners))
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, errors.Join(errs...)
}

// market is what the market is made with.
func (c Config) market() market.Config {
	out := *c.Market
	if out.Seed == [32]byte{} {
		out.Seed = c.Seed
	}
	if out.Log == nil {
		out.Log = c.Logger
	}
	return out
}

// firstEpochs is how many epochs New makes: as on a real node, the latest block is
// the head's parent, and neither it nor the finalized one may be the genesis, of
// which Lotus answers no questions.
func (c Config) firstEpochs() int { return 2 + c.FinalityDepth + c.Miners*epochsPerMiner }
