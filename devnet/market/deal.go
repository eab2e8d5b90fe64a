package market

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/filecoin-project/go-address"
	commcid "github.com/filecoin-project/go-fil-commcid"
	"github.com/filecoin-project/go-state-types/abi"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
)

// ErrNoDeal is returned for a deal that the provider never took.
var ErrNoDeal = errors.New("the provider has no such deal")

// errTaken is returned for an identifier or proposal that was taken before.
var errTaken = errors.New("the deal exists already")

// State is how far a deal is. It only grows.
type State int

// States, in order; Failed may follow any but Complete.
const (
	Accepted   State = iota // taken
	Processing              // the data is being fetched and checked
	Published               // MK12: f05 has it
	Sealing                 // waits for its sector, or is in one that is not proven yet
	Complete                // its sector is active, its data is served
	Failed                  // Deal.Error says why
)

var stateNames = [...]string{"accepted", "processing", "published", "sealing", "complete", "failed"}

// String is the state in a word.
func (s State) String() string { return stateNames[s] }

// MarshalText implements encoding.TextMarshaler.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// mk20 is the state in Curio's words.
func (s State) mk20() string {
	if s == Published {
		return Processing.String()
	}
	return s.String()
}

// Protocols by which a deal can come.
const (
	MK20 = "mk20"
	MK12 = "mk12"
)

// Deal is what a provider knows of a deal that it took.
type Deal struct {
	ID        string              `json:"id"` // the ULID of MK20, the UUID of MK12
	Protocol  string              `json:"protocol"`
	State     State               `json:"state"`
	Error     string              `json:"error,omitempty"`
	Client    address.Address     `json:"client"`
	PieceCID  cid.Cid             `json:"pieceCid"` // v1
	PieceSize abi.PaddedPieceSize `json:"pieceSize"`
	Size      uint64              `json:"size"`     // of the data, in bytes
	Received  uint64              `json:"received"` // of these
	Start     abi.ChainEpoch      `json:"start"`    // 0 if the deal does not say
	Duration  abi.ChainEpoch      `json:"duration"` // in epochs
	// ChainDeal and PublishCID are known from Published on, Sector from Complete on.
	ChainDeal  *abi.DealID       `json:"chainDeal,omitempty"`
	PublishCID *cid.Cid          `json:"publishCid,omitempty"`
	Sector     *abi.SectorNumber `json:"sector,omitempty"`
}

// job is a deal and what is needed to work on it. The deal is guarded by Provider.mu,
// the rest never changes.
type job struct {
	deal       Deal
	urls       []HTTPURL
	proposal   *market18.ClientDealProposal // MK12
	signedCID  cid.Cid                      // MK12: of the proposal with its signature
	allocation *provider.Allocation
	notify     []provider.Notification
	index      bool // blocks can be had by their CIDs
}

// takeMK20 begins to work on a deal that was judged.
func (p *Provider) takeMK20(d *MK20Deal) error {
	ddo := d.Products.DDOV1
	client, err := address.NewFromString(d.Client)
	if err != nil {
		return err
	}
	v1, size, err := commcid.PieceCidV1FromV2(d.Data.PieceCID)
	if err != nil {
		return err
	}
	j := &job{
		deal: Deal{
			ID: d.Identifier.String(), Protocol: MK20, Client: client, PieceCID: v1, PieceSize: paddedSize(size), Size: size, Duration: ddo.Duration,
		},
		urls: slices.Clone(d.Data.SourceHTTP.URLs), index: d.Products.RetrievalV1.Indexing && d.Data.Format.Car != nil,
	}
	slices.SortStableFunc(j.urls, func(a, b HTTPURL) int {
		if a.Fallback != b.Fallback {
			if a.Fallback {
				return 1
			}
			return -1
		}
		return a.Priority - b.Priority
	})
	if ddo.StartEpoch != nil {
		j.deal.Start = *ddo.StartEpoch
	}
	if !ddo.NotificationAddress.Empty() {
		j.notify = []provider.Notification{{To: ddo.NotificationAddress, Payload: ddo.NotificationPayload}}
	}
	if ddo.AllocationID != nil {
		owner, _, err := p.allocation(p.market.ctx, d)
		if err != nil {
			return err
		}
		j.allocation = &provider.Allocation{Client: owner, ID: *ddo.AllocationID}
	}
	return p.take(j)
}

// take records a deal and works on it until it ends or the market closes. Errors:
// errTaken, chain.ErrClosed.
func (p *Provider) take(j *job) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.deals[j.deal.ID]; known {
		return errTaken
	}
	if p.market.ctx.Err() != nil {
		return chain.ErrClosed
	}
	p.deals[j.deal.ID] = j
	p.order = append(p.order, j.deal.ID)
	p.market.work.Go(func() {
		if err := p.process(p.market.ctx, j); err != nil && p.market.ctx.Err() == nil {
			p.log.Warn("a deal failed", "deal", j.deal.ID, "err", err)
			p.update(j, func(d *Deal) { d.State, d.Error = Failed, err.Error() })
		}
	})
	return nil
}

// process is a deal's life after it was taken.
func (p *Provider) process(ctx context.Context, j *job) error {
	if err := p.while(ctx, Offline); err != nil {
		return err
	}
	p.update(j, func(d *Deal) { d.State = Processing })
	path, err := p.fetch(ctx, j)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(path) }() // unless it was stored, which renames it
	if j.proposal != nil {
		if err := p.publish(ctx, j); err != nil {
			return err
		}
	}
	p.update(j, func(d *Deal) { d.State = Sealing })
	sector, err := p.seal(ctx, j)
	if err != nil {
		return err
	}
	if err := p.store(j, path); err != nil {
		return err
	}
	p.update(j, func(d *Deal) { d.State, d.Sector = Complete, &sector })
	if p.behaves(Terminate) {
		if err := p.terminate(ctx); err != nil {
			p.log.Warn("a sector is not terminated", "sector", sector, "err", err)
		}
	}
	return nil
}

// update changes a deal and wakes those who wait for it.
func (p *Provider) update(j *job, change func(*Deal)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&j.deal)
	p.notify()
}

// Deals are all that the provider took, in order.
func (p *Provider) Deals() []Deal {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []Deal{}
	for _, id := range p.order {
		out = append(out, p.deals[id].deal)
	}
	return out
}

// Deal finds a deal by its ULID or UUID.
func (p *Provider) Deal(id string) (Deal, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j, ok := p.deals[id]; ok {
		return j.deal, true
	}
	return Deal{}, false
}

// Await waits until a deal is at a state or after it; a deal that fails is given as it
// is, whatever was waited for. Errors: ErrNoDeal, those of ctx, chain.ErrClosed.
func (p *Provider) Await(ctx context.Context, id string, state State) (Deal, error) {
	if _, ok := p.Deal(id); !ok {
		return Deal{}, fmt.Errorf("%s: %w", id, ErrNoDeal)
	}
	err := p.await(ctx, func() bool { return p.deals[id].deal.State >= state })
	d, _ := p.Deal(id)
	if err != nil {
		return d, fmt.Errorf("wait until deal %s is %s, it is %s: %w", id, state, d.State, err)
	}
	return d, nil
}
