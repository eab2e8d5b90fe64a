package daemon

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/executor/bucket"
	"github.com/tidegate/tidegate/executor/ipfs"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/market/deals"
	"github.com/tidegate/tidegate/executor/market/mk12"
	"github.com/tidegate/tidegate/executor/market/mk20"
	"github.com/tidegate/tidegate/executor/outbound"
	"github.com/tidegate/tidegate/oracle/chain"
)

// fullNode names a Filecoin node, as Lotus' own commands do; without it the first of
// chain.rpc is asked, which is Lotus' too on Filecoin.
const fullNode = "FULLNODE_API_INFO"

// openDeals makes what makes deals, where that is switched on.
func (d *Daemon) openDeals(ctx context.Context) error {
	c := d.cfg.Deals
	if !c.Enabled || d.shelf == nil || !d.cfg.Has(config.RoleSend) {
		return nil
	}
	d.dealing = d.newTerm(leadDeals)
	key, err := dealsKey(filepath.Join(d.cfg.DataDir, "deals.key"))
	if err != nil {
		return err
	}
	identity, err := mk20.NewIdentity(key)
	if err != nil {
		return err
	}
	// Each has its own rate: what is asked of one protocol is no reason to find a provider silent.
	var doors [2]*outbound.Client
	for i := range doors {
		if doors[i], err = outbound.New(outbound.Config{AllowPrivate: d.cfg.IPFS.AllowPrivatePeers}, outbound.Deps{Check: ipfs.CheckIP, Log: d.log}); err != nil {
			return err
		}
	}
	node, err := d.filecoin(ctx)
	if err != nil {
		return err
	}
	cfg := deals.Config{
		Storage: common.HexToAddress(d.cfg.Chain.Storage), Start: d.cfg.Chain.Start, MaxRange: d.cfg.Chain.MaxRange, Poll: c.PollInterval.D(),
		MaxPending: c.MaxPending, PublishWithin: c.PublishWithin, Activate: c.Activate, AnswerWithin: c.AnswerWithin.D(), SampleEvery: c.SampleEvery.D(), Trees: filepath.Join(d.cfg.DataDir, "trees"),
	}
	if c.Repair {
		cfg.Repairs, cfg.RepairRate, cfg.MaxPiece, cfg.Endpoint = filepath.Join(d.cfg.DataDir, "repairs"), uint64(c.RepairRate), uint64(d.cfg.Piece.MaxSize), c.Endpoint
	}
	for _, text := range c.Providers {
		p, err := deals.ParseProvider(text)
		if err != nil {
			return fmt.Errorf("deals.providers: %w", err)
		}
		cfg.Providers = append(cfg.Providers, p)
	}
	d.deals, err = deals.New(cfg, deals.Deps{
		Ledger: d.dealing.under(d.ledger), Chain: finalChain{d}, Pieces: onOffer{d}, MK12: mk12.NewClient(d.node), MK20: mk20.NewClient(doors[0], identity, time.Now), Node: node, Funds: node,
		Client: identity.Address().String(), Send: d.activations, Now: d.clock.Now, Log: d.log,
		Online: d.online, Door: doors[1], Shelf: lostAndFound{d.shelf}, Open: func(ctx context.Context, id string) (io.ReadCloser, error) { return d.shelf.OpenPiece(ctx, id) },
	})
	return err
}

// filecoin connects to a node that speaks Lotus' API.
func (d *Daemon) filecoin(ctx context.Context) (*market.Node, error) {
	at := market.Endpoint{URL: d.cfg.Chain.RPC[0]}
	if info := os.Getenv(fullNode); info != "" {
		var err error
		if at, err = market.ParseInfo(info); err != nil {
			return nil, fmt.Errorf("%s: %w", fullNode, err)
		}
	}
	node, err := market.Open(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("%s, or chain.rpc: %w", fullNode, err)
	}
	d.closers = append(d.closers, node.Close)
	return node, nil
}

// staleHead is how old the newest block may be while the chain goes on: Filecoin has one
// every 30 s, and a node beside us answers without a network too, with ever older ones.
const staleHead = 10 * time.Minute

// online tells whether the chain reaches us.
func (d *Daemon) online(ctx context.Context) bool {
	newest, err := d.endpoints.HeaderByTag(ctx, "latest")
	return err == nil && time.Since(newest.Time) < staleHead
}

// dealsKey is the key by which MK20 providers know this daemon, made when absent. It
// holds no money and signs nothing but requests for deals.
func dealsKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := crypto.LoadECDSA(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if key, err = crypto.GenerateKey(); err != nil {
		return nil, err
	}
	return key, crypto.SaveECDSA(path, key)
}

// activations queues a call of deal making.
func (d *Daemon) activations(ctx context.Context, key string, to common.Address, data []byte) error {
	return d.queueOnce(ctx, chain.Intent{Key: key, To: to, Data: data}, d.clock.Now())
}

// finalChain is the chain as deals read it: up to what the ledger has as final.
type finalChain struct{ d *Daemon }

// Final implements deals.Chain.
func (c finalChain) Final(ctx context.Context) (uint64, error) { return c.d.finalHeight(ctx) }

// Call implements deals.Chain.
func (c finalChain) Call(ctx context.Context, to common.Address, data []byte, height uint64) ([]byte, error) {
	return contracts(c).Call(ctx, to, data, height)
}

// Logs implements deals.Chain.
func (c finalChain) Logs(ctx context.Context, from, to uint64, of ...common.Address) ([]deals.Log, error) {
	logs, err := c.d.endpoints.LogsByRange(ctx, from, to, of)
	out := make([]deals.Log, 0, len(logs))
	for _, l := range logs {
		out = append(out, deals.Log{Topics: l.Topics})
	}
	return out, err
}

// onOffer is what the shelf holds, as deals ask for it.
type onOffer struct{ d *Daemon }

// Piece implements deals.Pieces.
func (o onOffer) Piece(ctx context.Context, id string) (deals.Piece, error) {
	i, err := o.d.ledger.Item(ctx, id)
	if err == nil && i.State == job.ItemBad {
		err = fmt.Errorf("piece %s is not whole: %s: %w", id, i.Error, job.ErrNotFound)
	}
	return deals.Piece{Root: i.Root, Size: i.CARSize}, err
}

// lostAndFound is the shelf as repairs see it.
type lostAndFound struct{ *bucket.Shelf }

// Look implements deals.Shelf.
func (l lostAndFound) Look(ctx context.Context, id string) (whole, known bool, err error) {
	p, err := l.Shelf.Look(ctx, id)
	return p == bucket.Whole, p != bucket.Unknown, err
}

// apiDeals is the deals as the local API shows them.
type apiDeals struct{ d *Daemon }

// Offers implements httpapi.Deals.
func (a apiDeals) Offers(ctx context.Context, f job.OfferFilter) ([]job.Offer, error) {
	return a.d.ledger.Offers(ctx, f)
}

// Offer implements httpapi.Deals.
func (a apiDeals) Offer(ctx context.Context, id string) (job.Offer, []job.OfferEvent, error) {
	return a.d.ledger.Offer(ctx, id)
}

// Repairs implements httpapi.Deals.
func (a apiDeals) Repairs(ctx context.Context, f job.RepairFilter) ([]job.Repair, error) {
	return a.d.ledger.Repairs(ctx, f)
}

// Repair implements httpapi.Deals.
func (a apiDeals) Repair(ctx context.Context, id int64) (job.Repair, []job.RepairEvent, error) {
	return a.d.ledger.Repair(ctx, id)
}

// Claims implements httpapi.Deals.
func (a apiDeals) Claims(ctx context.Context, due uint64, n int) ([]job.Claim, error) {
	return a.d.ledger.Claims(ctx, due, n)
}

// OnChain implements httpapi.Deals.
func (a apiDeals) OnChain(ctx context.Context, o job.Offer) (job.OnChain, error) {
	if a.d.deals == nil {
		return job.OnChain{}, errNoDeals
	}
	return a.d.deals.OnChain(ctx, o)
}

// Rank implements httpapi.Deals.
func (a apiDeals) Rank(ctx context.Context) ([]job.ProviderScore, error) {
	if a.d.deals == nil {
		return []job.ProviderScore{}, nil
	}
	return a.d.deals.Rank(ctx)
}

// Provider implements httpapi.Deals.
func (a apiDeals) Provider(ctx context.Context, miner uint64) (job.ProviderDetail, error) {
	if a.d.deals == nil {
		return job.ProviderDetail{}, fmt.Errorf("%w: %w", errNoDeals, job.ErrNotFound)
	}
	return a.d.deals.Show(ctx, miner)
}

// Stats implements httpapi.Deals.
func (a apiDeals) Stats(ctx context.Context, by string, days int) ([]job.DealStats, error) {
	if a.d.deals == nil {
		return []job.DealStats{}, nil
	}
	return a.d.deals.Stats(ctx, by, days)
}

var errNoDeals = errors.New("this daemon makes no deals")
