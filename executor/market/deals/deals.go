// Package deals gets storage providers to store what PerpetualStorage pays for: it
// proposes open slots to providers (MK12) and hands the piece to providers that
// claimed one (MK20), follows what becomes of it on chain, and alarms ahead of
// renewals. The keeper (executor/market) opens these; they are open slots then.
//
// It moves no money: the contract is the client of every deal, f05 deals are at
// price 0, and slots pay providers by themselves. It sends nothing by itself but
// the proof of an active f05 deal. It packs and serves no piece, and fetches
// but samples, and whole pieces that a slot needs and that are lost here.
//
// Map:
//
//	deals.go      Config, Deps, Maker: Run, one pass
//	contracts.go  views of the storage contracts
//	directory.go  who the providers are, and where
//	score.go      what is known of a provider, and its score
//	choose.go     the choice among providers
//	propose.go    offers: made, stored, sent, sent again
//	claims.go     slots that were claimed, and what they wait for
//	datacap.go    offers for slots with DataCap: allocations and claims of verified data
//	preflight.go  what is looked at before an offer is sent for the first time: money, DataCap, bounds
//	status.go     what providers say of deals that they took
//	follow.go     what the chain says of an offer; alarms
//	onchain.go    what the actors say of a deal when a person asks
//	sample.go     random ranges of pieces, fetched from who stores them
//	repair.go     pieces that are lost here, from who is proven to store them; refetch.go one of them
//	stats.go      what became of offers, counted
//	hints.go      events that say which slots to look at
//
// Invariants: an offer is stored before anybody hears of it, and what is sent is
// what was stored; a slot has one live offer at most; a provider's word moves an
// offer up to sealing, the contract's alone beyond, read at final blocks; a pass
// costs a number of calls that is bounded by a constant plus the offers that are due.
package deals

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	"github.com/oklog/ulid/v2"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/market/mk12"
	"github.com/tidegate/tidegate/executor/market/mk20"
)

const (
	day = 2880 // epochs

	pageDeals  = 64  // deals of one openSlots call
	mostDue    = 200 // offers that one pass looks at
	mostClaims = 50  // claimed slots that one pass looks at
	mostHints  = 10  // ranges of events that one pass reads
	sendTries  = 8   // after which a provider that was never reached is given up
	lookPeriod = 20  // epochs between looks at a pending offer, hints apart
)

// Config says what is served.
type Config struct {
	Storage   common.Address // PerpetualStorage
	Start     uint64         // height from which its events are read
	MaxRange  uint64         // heights of one reading of events
	Poll      time.Duration
	Providers []Provider // beside those of ProviderRegistry, over their entries
	// MaxPending is how many deals of one provider may be pending at once.
	MaxPending int
	// PublishWithin is how many epochs a provider has to publish a deal that it took.
	PublishWithin uint64
	// Activate shows the contract f05 deals that became active: for what their providers
	// would else have to send.
	Activate bool
	// AnswerWithin bounds what a provider is waited for; 0: as its protocol has it.
	AnswerWithin time.Duration
	// SampleEvery is how often a provider with active deals is asked for a range of a
	// piece; 0: never. Trees is the folder of what ranges are checked by.
	SampleEvery time.Duration
	Trees       string
	// Repairs is the folder of pieces that are fetched back because a slot needs them and
	// they are lost here; "": none is. All else in it is removed.
	Repairs string
	// RepairRate is what a provider has to give on the whole, bytes a second, beside
	// RepairGrace (0: 5 min); RepairWait is waited before one is asked again (0: 2 s).
	RepairRate  uint64
	RepairGrace time.Duration
	RepairWait  time.Duration
	MaxPiece    uint64 // padded size of the largest that is fetched back
	// Endpoint begins the endpoints of deals whose pieces are to be here even where the
	// ledger knows nothing of them; "": none.
	Endpoint string
}

// Ledger keeps offers; internal/store is one.
type Ledger interface {
	AddOffer(ctx context.Context, o job.Offer, now time.Time) error
	UpdateOffer(ctx context.Context, o job.Offer, from job.OfferState, words string, now time.Time) error
	Offers(ctx context.Context, f job.OfferFilter) ([]job.Offer, error)
	PutClaim(ctx context.Context, c job.Claim) error
	DropClaim(ctx context.Context, slot uint64) error
	Claims(ctx context.Context, due uint64, n int) ([]job.Claim, error) // due by an epoch; 0: all
	AddSample(ctx context.Context, s job.Sample, forget time.Time) error
	Samples(ctx context.Context, f job.SampleFilter) ([]job.Sample, error)
	SampleDays(ctx context.Context, since time.Time) ([]job.SampleDay, error)
	AddRepair(ctx context.Context, r job.Repair, now time.Time) error
	UpdateRepair(ctx context.Context, r job.Repair, from job.RepairState, words string, now time.Time) error
	Repairs(ctx context.Context, f job.RepairFilter) ([]job.Repair, error)
	SetMeta(ctx context.Context, key, value string) error
	GetMeta(ctx context.Context, key string) (string, error) // job.ErrNotFound
}

// Log is an event of PerpetualStorage or of its gate.
type Log struct{ Topics []common.Hash }

// Chain reads what is final.
type Chain interface {
	// Final is the newest height that is final, as the daemon has it.
	Final(ctx context.Context) (uint64, error)
	// Call runs a contract's function at a height. Errors: market.ErrReverted where it refused.
	Call(ctx context.Context, to common.Address, data []byte, height uint64) ([]byte, error)
	Logs(ctx context.Context, from, to uint64, of ...common.Address) ([]Log, error)
}

// Piece is one that can be fetched from here.
type Piece struct {
	Root string // payload CID
	Size uint64 // bytes of the CAR
}

// Pieces says what is on offer here. Errors: job.ErrNotFound.
type Pieces interface {
	Piece(ctx context.Context, pieceCID string) (Piece, error)
}

// MK12 proposes over libp2p; *mk12.Client is one.
type MK12 interface {
	Propose(ctx context.Context, addrs []string, p mk12.DealParams) (mk12.DealResponse, error)
	Status(ctx context.Context, addrs []string, q mk12.DealStatusRequest) (mk12.DealStatusResponse, error)
}

// MK20 offers over HTTP; *mk20.Client is one.
type MK20 interface {
	Offer(ctx context.Context, base string, d mk20.Deal) error
	Status(ctx context.Context, base string, id ulid.ULID) (mk20.Status, error)
	Contracts(ctx context.Context, base string) ([]string, error)
}

// Node knows what contracts cannot say; *market.Node is one.
type Node interface {
	Addrs(ctx context.Context, miner uint64) ([]string, error)
	Collateral(ctx context.Context, padded uint64, verified bool) (*big.Int, error)
	Locate(ctx context.Context, miner, sector uint64) (market.Location, error)
}

// Funds says what is there for a deal before anybody is promised one; *market.Node is one.
type Funds interface {
	Allocations(ctx context.Context, client common.Address) ([]market.Allocation, error)
	// Authenticates puts the market actor's question to a contract: would it be the client?
	Authenticates(ctx context.Context, client common.Address, proposal []byte) (bool, error)
	Known(ctx context.Context, account string) (bool, error)          // has it an actor?
	Escrow(ctx context.Context, of address.Address) (*big.Int, error) // attoFIL that no deal has locked
}

// Deps are what a Maker works with.
type Deps struct {
	Ledger Ledger
	Chain  Chain
	Pieces Pieces
	MK12   MK12
	MK20   MK20
	Node   Node // nil: providers' addresses are configured, and the deal's collateral is enough
	// Funds; nil: slots with DataCap are left to their providers, and no wallet is a client.
	Funds Funds
	// Door and Open are for samples: how a provider is asked, and the piece as it is here
	// (job.ErrNotFound).
	Door  Door
	Shelf Shelf // for repairs
	Open  func(ctx context.Context, pieceCID string) (io.ReadCloser, error)
	// Online tells whether anybody but a provider answers from the network now: what no
	// provider answered while we are cut off is held against none. nil: always.
	Online func(ctx context.Context) bool
	Client string // the address by which MK20 providers know us
	// Send makes a call of a contract happen once for each key.
	Send func(ctx context.Context, key string, to common.Address, data []byte) error
	Now  func() time.Time
	Rand io.Reader // of ids, and of how much later than asked for something is tried again
	Log  *slog.Logger
}

// Maker makes deals and follows them.
type Maker struct {
	cfg Config
	d   Deps
	c   *contracts

	events map[common.Hash]string // by topic
	listed time.Time              // when the providers were
	open   uint64                 // deal from which open slots are listed next
	seen   uint64                 // newest final height that was looked at
	vain   map[uint64]uint64      // slots that nobody was found for, and when to try again

	mu        sync.Mutex
	providers map[uint64]Provider // replaced, never changed
	said      map[string]string   // by live offer over MK12: the newest words that were written down
	looked    map[string]looked   // by piece: whether it is here
	fetching  map[int64]bool      // repairs at work
	back      []string            // pieces that came back
}

// New gives a Maker.
func New(cfg Config, d Deps) (*Maker, error) {
	if cfg.Storage == (common.Address{}) || cfg.Poll <= 0 || cfg.MaxPending <= 0 || cfg.MaxRange == 0 {
		return nil, errors.New("deals: a contract, a poll interval, a range and a number of pending deals are needed")
	}
	events, err := eventIDs()
	if err != nil {
		return nil, fmt.Errorf("deals: %w", err)
	}
	if cfg.SampleEvery > 0 && (cfg.Trees == "" || d.Door == nil || d.Open == nil) {
		return nil, errors.New("deals: samples need a folder, a door and the pieces")
	}
	if cfg.Repairs != "" && (cfg.RepairRate == 0 || cfg.MaxPiece == 0 || d.Door == nil || d.Shelf == nil) {
		return nil, errors.New("deals: repairs need a rate, a largest piece, a door and a shelf")
	}
	return &Maker{cfg: cfg, d: d, c: newContracts(d.Chain, cfg.Storage), events: events, vain: map[uint64]uint64{}, said: map[string]string{}, looked: map[string]looked{}, fetching: map[int64]bool{}}, nil
}

// Run passes until ctx ends. What goes wrong in a pass is logged, and done by the next.
func (m *Maker) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	defer beside.Wait()
	if m.cfg.SampleEvery > 0 {
		if err := m.forgetTrees(ctx); err != nil && ctx.Err() == nil {
			m.d.Log.Warn("deals: trees of pieces are not cleaned", "error", err)
		}
		beside.Go(func() { m.sampling(ctx) })
	}
	if m.cfg.Repairs != "" {
		if err := m.clearRepairs(); err != nil {
			return fmt.Errorf("clearing the folder of pieces that are fetched back: %w", err)
		}
		for range repairsAtOnce {
			beside.Go(func() { m.repairing(ctx) })
		}
	}
	for {
		if err := m.Pass(ctx); err != nil && ctx.Err() == nil {
			m.d.Log.Warn("deals: trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(m.cfg.Poll):
		}
	}
}

// Pass does what is due now.
func (m *Maker) Pass(ctx context.Context) error {
	epoch, err := m.d.Chain.Final(ctx)
	if err != nil {
		return fmt.Errorf("asking what is final: %w", err)
	}
	if epoch == 0 {
		return nil // nothing yet
	}
	if err := m.c.open(ctx, epoch); err != nil {
		return err
	}
	var errs []error
	if epoch > m.seen { // the chain has news
		errs = append(errs, m.list(ctx, epoch), m.hints(ctx, epoch), m.revisit(ctx, epoch), m.dueClaims(ctx, epoch))
	}
	errs = append(errs, m.dueOffers(ctx, epoch))
	if epoch > m.seen {
		errs = append(errs, m.fill(ctx, epoch))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	m.seen = epoch
	return nil
}

// dueOffers looks at offers whose time or epoch has come.
func (m *Maker) dueOffers(ctx context.Context, epoch uint64) error {
	due, err := m.d.Ledger.Offers(ctx, job.OfferFilter{DueBy: m.d.Now(), DueEpoch: epoch, Limit: mostDue})
	if err != nil {
		return err
	}
	var errs []error
	var toAsk []job.Offer
	for _, o := range due {
		if o.DueEpoch <= epoch {
			if o, err = m.follow(ctx, o, epoch); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		if !o.State.Over() && !o.DueAt.After(m.d.Now()) {
			toAsk = append(toAsk, o)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(append(errs, m.askAll(ctx, toAsk, epoch))...)
}

// asksAtOnce is how many providers are asked at a time, so that one that does not answer
// does not make all others wait.
const asksAtOnce = 16

func (m *Maker) askAll(ctx context.Context, offers []job.Offer, epoch uint64) error {
	errs := make([]error, len(offers))
	free := make(chan struct{}, asksAtOnce)
	var asking sync.WaitGroup
	for i, o := range offers {
		free <- struct{}{}
		asking.Go(func() {
			defer func() { <-free }()
			errs[i] = m.ask(ctx, o, epoch)
		})
	}
	asking.Wait()
	return errors.Join(errs...)
}

// update stores what changed of an offer. One that somebody else moved is left.
func (m *Maker) update(ctx context.Context, o job.Offer, from job.OfferState, words string) error {
	err := m.d.Ledger.UpdateOffer(ctx, o, from, words, m.d.Now())
	if o.State.Over() {
		m.mu.Lock()
		delete(m.said, o.ID)
		m.mu.Unlock()
	}
	if errors.Is(err, job.ErrConflict) {
		return nil
	}
	if err == nil && o.State != from {
		m.d.Log.Info("deal", "deal", o.ID, "slot", o.Slot, "miner", o.Miner, "state", string(o.State), "words", words)
	}
	return err
}
