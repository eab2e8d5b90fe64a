package devnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/rpc"
)

// Devnet is a running chain and its port.
type Devnet struct {
	log    *slog.Logger
	chain  *chain.Chain
	server *rpc.Server
}

// New makes the chain's first epochs and takes the port, so that the URLs are valid
// and a taken port is known at once; nothing is answered before Run. The caller must
// call Close, or Run and end its context. Errors: ErrConfig, ErrPortInUse, each with
// a remedy.
func New(ctx context.Context, config Config) (*Devnet, error) {
	config, err := config.withDefaults(time.Now())
	if err != nil {
		return nil, err
	}
	c, err := chain.New(ctx, chain.Config{
		Seed: config.Seed, GenesisTime: config.GenesisTime, Epoch: config.Epoch,
		BlockTime: config.BlockTime, AutoMine: config.BlockTime == 0, Settle: config.FinalityDepth,
		FinalityDepth: config.FinalityDepth, CacheDir: config.CacheDir, Unmetered: config.Unmetered,
		AcceptProofs: config.AcceptProofs, Engine: config.Engine, Log: config.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("start devnet: %w", err)
	}
	d := &Devnet{log: config.Logger, chain: c}
	if _, err := c.Mine(ctx, config.firstEpochs()); err != nil {
		return nil, errors.Join(fmt.Errorf("start devnet: first epochs: %w", err), c.Close())
	}
	d.server, err = rpc.New(rpc.Config{
		Host: config.Host, Port: config.Port, AllowedOrigins: config.AllowedOrigins, AllowedHosts: config.AllowedHosts, Log: config.Logger,
	}, c)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start devnet: %w", err), c.Close())
	}
	return d, nil
}

// Run answers requests and makes epochs until ctx ends or Close is called, then
// releases everything. It returns nil after such an end and an error when the
// chain or the port failed. It may be called once; after Close it is [rpc.ErrRan].
func (d *Devnet) Run(ctx context.Context) error {
	d.log.Info("devnet is up", "http", d.HTTPURL(), "ws", d.WSURL(), "chain", ChainID, "epoch", d.chain.Head().Height())
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.server.Run(ctx) })
	group.Go(func() error { return d.chain.Run(ctx) })
	return errors.Join(group.Wait(), d.Close())
}

// Close stops the devnet, waits until everything is released and returns what
// failed doing so. It may be called more than once and at any time after New.
func (d *Devnet) Close() error { return errors.Join(d.server.Close(), d.chain.Close()) }

// Chain is the chain itself, which a test steers: epochs, null rounds, reorgs,
// snapshots, balances, the mempool.
func (d *Devnet) Chain() *chain.Chain { return d.chain }

// HTTPURL is the JSON-RPC address over HTTP.
func (d *Devnet) HTTPURL() string { return d.server.URL() }

// WSURL is the JSON-RPC address over WebSocket; the port is that of HTTPURL.
func (d *Devnet) WSURL() string { return "ws" + strings.TrimPrefix(d.server.URL(), "http") }

// Accounts returns the ten funded Ethereum accounts; [chain.Chain.Accounts] has
// those with Filecoin's own addresses too.
func (d *Devnet) Accounts() []Account { return Accounts() }
