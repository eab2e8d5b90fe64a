package devnet

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/devnet/rpc"
)

// Devnet is a running chain and its port.
type Devnet struct {
	log       *slog.Logger
	chain     *chain.Chain
	providers *provider.Fleet
	market    *market.Market // nil without Config.Market
	server    *rpc.Server
}

// New makes the chain's first epochs and takes the port, so that the URLs are valid
// and a taken port is known at once; nothing is answered before Run. The caller must
// call Close, or Run and end its context. Errors: ErrConfig, ErrPortInUse, each with
// a remedy; chain.ErrDump for a Load that is none.
func New(ctx context.Context, config Config) (*Devnet, error) {
	config, err := config.withDefaults(time.Now())
	if err != nil {
		return nil, err
	}
	d := &Devnet{log: config.Logger}
	if config.Load == nil {
		err = d.begin(ctx, config)
	} else {
		err = d.load(ctx, config)
	}
	if err != nil {
		return nil, fmt.Errorf("start devnet: %w", err)
	}
	controls := []any{provider.NewControls(d.providers)}
	if d.market != nil {
		controls = append(controls, market.NewControls(d.market))
	}
	d.server, err = rpc.New(rpc.Config{
		Host: config.Host, Port: config.Port, AllowedOrigins: config.AllowedOrigins, AllowedHosts: config.AllowedHosts,
		TokenSecret: config.TokenSecret, Controls: controls, Log: config.Logger,
	}, d.chain)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start devnet: %w", err), d.closeMarket(), d.chain.Close())
	}
	return d, nil
}

func (c Config) chain() chain.Config {
	return chain.Config{
		Seed: c.Seed, GenesisTime: c.GenesisTime, Epoch: c.Epoch, BlockTime: c.BlockTime, AutoMine: c.BlockTime == 0,
		Settle: c.FinalityDepth, FinalityDepth: c.FinalityDepth, CacheDir: c.CacheDir, Unmetered: c.Unmetered,
		AcceptProofs: c.AcceptProofs, Engine: c.Engine, Log: c.Logger,
	}
}

// begin makes a chain from its genesis on, with its first miners.
func (d *Devnet) begin(ctx context.Context, config Config) error {
	c, err := chain.New(ctx, config.chain())
	if err != nil {
		return err
	}
	d.chain = c
	if err := d.atOnce(func() error { return d.first(ctx, config) }); err != nil {
		return errors.Join(err, d.closeMarket(), c.Close())
	}
	return nil
}

// atOnce does something that sends messages, which are mined as they come whatever the
// pace is, as nobody makes epochs before Run.
func (d *Devnet) atOnce(do func() error) error {
	pace := d.chain.Pace()
	if err := d.chain.SetPace(chain.Pace{}); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return d.chain.SetPace(pace)
}

// first makes the miners and the first epochs.
func (d *Devnet) first(ctx context.Context, config Config) (err error) {
	if d.providers, err = provider.New(ctx, d.chain, provider.Config{Seed: config.Seed, Log: config.Logger}); err != nil {
		return err
	}
	if err := d.openMarket(config); err != nil {
		return err
	}
	for range config.Miners {
		if d.market != nil {
			_, err = d.market.Create(ctx, provider.Creation{})
		} else {
			_, err = d.providers.Create(ctx, provider.Creation{})
		}
		if err != nil {
			return err
		}
	}
	if left := config.firstEpochs() - int(d.chain.Head().Height()); left > 0 {
		if _, err := d.chain.Mine(ctx, left); err != nil {
			return fmt.Errorf("first epochs: %w", err)
		}
	}
	return nil
}

// openMarket makes the market, if there is to be one.
func (d *Devnet) openMarket(config Config) (err error) {
	if config.Market != nil {
		d.market, err = market.New(d.chain, d.providers, config.market())
	}
	return err
}

func (d *Devnet) closeMarket() error {
	if d.market == nil {
		return nil
	}
	return d.market.Close()
}

// load makes the chain and the miners of a dump.
func (d *Devnet) load(ctx context.Context, config Config) error {
	packed, err := gzip.NewReader(config.Load)
	if err != nil {
		return fmt.Errorf("%w: %w", chain.ErrDump, err)
	}
	in := bufio.NewReader(packed)
	fleet, err := in.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%w: %w", chain.ErrDump, err)
	}
	if d.chain, err = chain.Load(ctx, config.chain(), in); err != nil {
		return err
	}
	if d.providers, err = provider.Load(ctx, d.chain, provider.Config{Log: config.Logger}, fleet); err == nil && config.Market != nil {
		err = d.atOnce(func() error { return d.attach(ctx, config) })
	}
	if err != nil {
		return errors.Join(err, d.closeMarket(), d.chain.Close())
	}
	return nil
}

// attach lets loaded miners answer deals.
func (d *Devnet) attach(ctx context.Context, config Config) error {
	if err := d.openMarket(config); err != nil {
		return err
	}
	for _, m := range d.providers.Miners() {
		if _, err := d.market.Attach(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// Dump writes the whole devnet, chain and miners, for Config.Load. Snapshots are not
// part of it.
func (d *Devnet) Dump(ctx context.Context, w io.Writer) error {
	out := gzip.NewWriter(w)
	fleet, err := d.providers.Dump()
	if err == nil {
		_, err = out.Write(append(fleet, '\n'))
	}
	if err == nil {
		err = d.chain.Dump(ctx, out)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("dump devnet: %w", err)
	}
	return nil
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
func (d *Devnet) Close() error {
	return errors.Join(d.closeMarket(), d.server.Close(), d.chain.Close())
}

// Chain is the chain itself, which a test steers: epochs, null rounds, reorgs,
// snapshots, balances, the mempool.
func (d *Devnet) Chain() *chain.Chain { return d.chain }

// Providers are the storage providers, which a test lets seal, prove and misbehave.
func (d *Devnet) Providers() *provider.Fleet { return d.providers }

// Market is the providers that answer deals; nil without Config.Market.
func (d *Devnet) Market() *market.Market { return d.market }

// Token is a token that allows everything, for a devnet with Config.TokenSecret.
func (d *Devnet) Token() (string, error) { return d.server.Token("read", "write", "sign", "admin") }

// HTTPURL is the JSON-RPC address over HTTP.
func (d *Devnet) HTTPURL() string { return d.server.URL() }

// WSURL is the JSON-RPC address over WebSocket; the port is that of HTTPURL.
func (d *Devnet) WSURL() string { return "ws" + strings.TrimPrefix(d.server.URL(), "http") }

// Accounts returns the ten funded Ethereum accounts; [chain.Chain.Accounts] has
// those with Filecoin's own addresses too.
func (d *Devnet) Accounts() []Account { return Accounts() }
