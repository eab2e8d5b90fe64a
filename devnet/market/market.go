package market

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
)

// Defaults of a Config.
const (
	// DefaultSectorSize holds any piece that a test wants; nothing is really sealed.
	DefaultSectorSize = abi.SectorSize(512 << 20)
	// DefaultSealEpochs is Curio's ExpectedPoRepSealDuration, 8 hours of 30 s.
	DefaultSealEpochs = abi.ChainEpoch(960)
	// DefaultAttempts is how often a transfer is begun or resumed.
	DefaultAttempts = 10
	// DefaultRetryPause is the pause before a transfer is resumed.
	DefaultRetryPause = 100 * time.Millisecond
)

// ErrNoProvider is returned for a miner that does not answer deals.
var ErrNoProvider = errors.New("no provider of the market")

// Ask is what a provider wants by MK12, in attoFIL for a GiB and epoch. Zeros are for
// nothing, from 256 bytes to a sector.
type Ask struct {
	Price         abi.TokenAmount     `json:"price"`
	VerifiedPrice abi.TokenAmount     `json:"verifiedPrice"`
	MinPieceSize  abi.PaddedPieceSize `json:"minPieceSize"` // padded
	MaxPieceSize  abi.PaddedPieceSize `json:"maxPieceSize"`
}

// Config says how the providers of a market behave. The zero value is valid.
type Config struct {
	// Seed decides the providers' libp2p keys.
	Seed [32]byte
	// SectorSize is that of new miners; DefaultSectorSize if 0.
	SectorSize abi.SectorSize
	// Funds is what a new miner gets for collateral; 1,000 FIL if unset.
	Funds abi.TokenAmount
	// SealDelay is how many epochs pass between having a deal's data and beginning to seal.
	// On a chain on demand the provider lets them pass.
	SealDelay abi.ChainEpoch
	// SealEpochs is how far ahead the start epoch of an MK20 deal must be, and when a deal
	// without one starts; DefaultSealEpochs if 0.
	SealEpochs abi.ChainEpoch
	// Ask is every provider's; SetAsk changes one's.
	Ask Ask
	// MK20Only is for providers that speak no MK12: nobody listens for libp2p, and miners
	// name their HTTP server alone on chain.
	MK20Only bool
	// Contracts are those whose MK20 deals are taken; Allow adds more.
	Contracts []common.Address
	// Conduct is how the providers behave from the start, in the order of their creation.
	Conduct [][]Conduct
	// Attempts and RetryPause bound transfers; the defaults if 0.
	Attempts   int
	RetryPause time.Duration
	// Now is the clock by which CurioAuth is judged; nil means time.Now.
	Now func() time.Time
	// Log gets what providers do; nil discards.
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.SectorSize == 0 {
		c.SectorSize = DefaultSectorSize
	}
	if c.Funds.Int == nil {
		c.Funds = provider.Fil(1000)
	}
	if c.SealEpochs == 0 {
		c.SealEpochs = DefaultSealEpochs
	}
	if c.Attempts == 0 {
		c.Attempts = DefaultAttempts
	}
	if c.RetryPause == 0 {
		c.RetryPause = DefaultRetryPause
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Ask = c.Ask.withDefaults(c.SectorSize)
	return c
}

func (a Ask) withDefaults(sector abi.SectorSize) Ask {
	for _, price := range []*abi.TokenAmount{&a.Price, &a.VerifiedPrice} {
		if price.Int == nil {
			*price = big.Zero()
		}
	}
	if a.MinPieceSize == 0 {
		a.MinPieceSize = 256
	}
	if a.MaxPieceSize == 0 {
		a.MaxPieceSize = abi.PaddedPieceSize(sector)
	}
	return a
}

// Market is the providers of one chain. Its methods may be called at the same time.
type Market struct {
	config Config
	chain  *chain.Chain
	fleet  *provider.Fleet
	dir    string // data of all providers, a folder each

	ctx  context.Context // ends with Close; what deals are worked on in
	stop context.CancelFunc
	work sync.WaitGroup // deals in work

	mu        sync.Mutex
	providers []*Provider
	contracts []common.Address
	closed    bool
}

// New makes a market without providers. Close it before the chain.
func New(c *chain.Chain, fleet *provider.Fleet, config Config) (*Market, error) {
	dir, err := os.MkdirTemp("", "tidegate-devnet-market-")
	if err != nil {
		return nil, fmt.Errorf("market: %w", err)
	}
	m := &Market{config: config.withDefaults(), chain: c, fleet: fleet, dir: dir, contracts: slices.Clone(config.Contracts)}
	m.ctx, m.stop = context.WithCancel(context.Background())
	return m, nil
}

// Create makes a miner that says on chain where it can be reached, and lets it answer.
// Sector size and funds are the Config's unless c says otherwise; its peer id and
// addresses are the market's.
func (m *Market) Create(ctx context.Context, c provider.Creation) (*Provider, error) {
	p, err := m.open()
	if err != nil {
		return nil, fmt.Errorf("create a provider: %w", err)
	}
	if c.SectorSize == 0 {
		c.SectorSize = m.config.SectorSize
	}
	if c.Funds.Int == nil {
		c.Funds = m.config.Funds
	}
	c.PeerID, c.Multiaddrs = p.whereabouts()
	miner, err := m.fleet.Create(ctx, c)
	if err == nil {
		err = m.add(ctx, p, miner)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create a provider: %w", err), p.close())
	}
	return p, nil
}

// Attach lets a miner of the fleet answer, after it has said on chain where.
func (m *Market) Attach(ctx context.Context, miner *provider.Miner) (*Provider, error) {
	p, err := m.open()
	if err != nil {
		return nil, fmt.Errorf("attach %s to the market: %w", miner.Address(), err)
	}
	peer, addrs := p.whereabouts()
	if err = miner.SetPeer(ctx, peer, addrs...); err == nil {
		err = m.add(ctx, p, miner)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("attach %s to the market: %w", miner.Address(), err), p.close())
	}
	return p, nil
}

// add begins to answer for a miner, by the conduct that the Config wants.
func (m *Market) add(ctx context.Context, p *Provider, miner *provider.Miner) error {
	m.mu.Lock()
	number := len(m.providers)
	closed := m.closed
	if !closed {
		m.providers = append(m.providers, p)
	}
	m.mu.Unlock()
	if closed {
		return chain.ErrClosed
	}
	if err := p.begin(miner); err != nil {
		return err
	}
	if number < len(m.config.Conduct) {
		return p.Behave(ctx, m.config.Conduct[number]...)
	}
	return nil
}

// Providers are those made so far, in order.
func (m *Market) Providers() []*Provider {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.providers)
}

// Provider finds one by its miner's id address. Errors: ErrNoProvider.
func (m *Market) Provider(miner address.Address) (*Provider, error) {
	for _, p := range m.Providers() {
		if p.miner.Address() == miner {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", miner, ErrNoProvider)
}

// Allow makes all providers take MK20 deals of a contract, if it agrees to them.
func (m *Market) Allow(contract common.Address) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.contracts, contract) {
		m.contracts = append(m.contracts, contract)
	}
}

// allowed are the contracts spelled as Curio lists and compares them, with the checksum of EIP-55.
func (m *Market) allowed() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, c := range m.contracts {
		out = append(out, c.Hex())
	}
	return out
}

// Close stops all servers and all work on deals, and removes the data. It may be called
// more than once.
func (m *Market) Close() error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil
	}
	m.closed = true
	providers := slices.Clone(m.providers)
	m.mu.Unlock()
	m.stop()
	var errs []error
	for _, p := range providers {
		errs = append(errs, p.close())
	}
	m.work.Wait()
	errs = append(errs, os.RemoveAll(m.dir))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close the market: %w", err)
	}
	return nil
}
