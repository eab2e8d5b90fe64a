package market

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/executor/job"
)

// Rules of contracts/storage/Rules.sol.
const (
	maxReplicas  = 16
	expireGrace  = 2880 // epochs after its deadline for which a claim is safe
	sectorDead   = uint8(0)
	sectorFaulty = uint8(2)
)

// tipOf is what the caller who ends a slot badly is credited of its bond: TIP_BPS.
func tipOf(bond *big.Int) *big.Int { return new(big.Int).Quo(bond, big.NewInt(10)) }

// Due is a call that anyone may make now.
type Due struct {
	Fn      string // of the contract
	Subject string // a slot, a seat or a request
	At      string // what tells this time from the next
	Call    Call
	Value   *big.Int // sent with it, attoFIL; nil for nothing
	Tip     *big.Int
	Pays    bool // made only where its tip pays for all of it
}

// Due lists what is due in PerpetualStorage at a height. The contract's checker() says in
// which deals anything is; all of those are looked at seat by seat, as checker() itself
// stops at the first.
func (s *Storage) Due(ctx context.Context, height uint64) ([]Due, error) {
	end, err := s.NextDeal(ctx, height)
	if err != nil {
		return nil, err
	}
	var all []Due
	for from := uint64(1); from < end; from += chunkDeals {
		found, err := s.dueIn(ctx, height, from, min(chunkDeals, end-from))
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// dueIn asks about deals from..from+n-1, halving where something is.
func (s *Storage) dueIn(ctx context.Context, height, from, n uint64) ([]Due, error) {
	out, err := view(ctx, s, height, "checker", s.abi.PackChecker(from, new(big.Int).SetUint64(n)), s.abi.UnpackChecker)
	switch {
	case err != nil && (n == 1 || ctx.Err() != nil):
		return nil, err
	case err == nil && !out.CanExec:
		return nil, nil
	case n == 1:
		return s.dueOf(ctx, height, from)
	}
	first, err := s.dueIn(ctx, height, from, n/2)
	if err != nil {
		return nil, err
	}
	second, err := s.dueIn(ctx, height, from+n/2, n-n/2)
	return append(first, second...), err
}

// dueOf looks at a deal's seats, as contracts/storage/Listing.sol does in _due.
func (s *Storage) dueOf(ctx context.Context, height, deal uint64) ([]Due, error) {
	d, err := s.Deal(ctx, height, deal)
	if err != nil {
		return nil, err
	}
	var all []Due
	for index := range uint8(maxReplicas) {
		seat, err := view(ctx, s, height, "seatOf", s.abi.PackSeatOf(deal, index), s.abi.UnpackSeatOf)
		if err != nil {
			return nil, err
		}
		for _, id := range []uint64{seat.Current, seat.Next} {
			if id == 0 {
				continue
			}
			slot, err := view(ctx, s, height, "slotOf", s.abi.PackSlotOf(id), s.abi.UnpackSlotOf)
			if err != nil {
				return nil, err
			}
			if due, ok := s.dueSlot(height, id, slot); ok {
				all = append(all, due)
			} else if id == seat.Current && seat.Next == 0 && renewable(height, index, d, slot) {
				all = append(all, Due{
					Fn: "openRenewal", Subject: fmt.Sprintf("%d.%d", deal, index), At: fmt.Sprint(slot.End), Tip: new(big.Int),
					Call: Call{To: s.at, Data: s.abi.PackOpenRenewal(deal, index)},
				})
			}
		}
	}
	return all, nil
}

func (s *Storage) dueSlot(height, id uint64, v perpetualstorage.SlotView) (Due, bool) {
	switch state := SlotState(v.State); {
	case (state == SlotClaimed || state == SlotPublished) && height > uint64(v.SealDeadline)+expireGrace:
		return Due{
			Fn: "expireClaim", Subject: fmt.Sprint(id), At: fmt.Sprint(v.SealDeadline), Tip: tipOf(v.Bond),
			Call: Call{To: s.at, Data: s.abi.PackExpireClaim(id)},
		}, true
	case state == SlotActive && height >= uint64(v.End):
		return Due{
			Fn: "checkDeal", Subject: fmt.Sprint(id), At: fmt.Sprint(v.End), Tip: new(big.Int),
			Call: Call{To: s.at, Data: s.abi.PackCheckDeal(id, sectorDead, nil)},
		}, true
	}
	return Due{}, false
}

const dealOpen = 2 // DealStatus.Open

func renewable(height uint64, index uint8, d perpetualstorage.DealView, v perpetualstorage.SlotView) bool {
	return SlotState(v.State) == SlotActive && index < d.Terms.Replicas && d.Status == dealOpen && !d.Suspended &&
		(d.Terms.EndEpoch == 0 || v.End < d.Terms.EndEpoch) && height+uint64(d.Terms.RenewWindow) >= uint64(v.End)
}

// Locator says where sectors are; *Node does.
type Locator interface {
	Locate(ctx context.Context, miner, sector uint64) (Location, error)
}

// Look finds what is due of one deal at a height.
type Look func(ctx context.Context, height, deal uint64, d perpetualstorage.DealView) ([]Due, error)

// Each reads every deal once and gives it to all looks. A deal of which a look fails is
// told of in the error, and what else is due is listed.
func (s *Storage) Each(ctx context.Context, height uint64, looks ...Look) ([]Due, error) {
	end, err := s.NextDeal(ctx, height)
	if err != nil {
		return nil, err
	}
	var all []Due
	var failed []error
	for deal := uint64(1); deal < end; deal++ {
		d, err := s.Deal(ctx, height, deal)
		if err != nil {
			return all, err
		}
		for _, look := range looks {
			found, err := look(ctx, height, deal, d)
			all, failed = append(all, found...), append(failed, err)
			if ctx.Err() != nil {
				return all, ctx.Err()
			}
		}
	}
	return all, errors.Join(failed...)
}

// Broken looks for active slots whose sectors are, as their miners say, dead or newly
// faulty. A miner that cannot be asked is passed over and told of in the error. Each is a
// call of its own, not one of checkMany: that passes over what is not shown, so that a try
// could not tell what is due from what another keeper was first to show.
func (s *Storage) Broken(at Locator) Look {
	return func(ctx context.Context, height, deal uint64, d perpetualstorage.DealView) ([]Due, error) {
		var all []Due
		var failed []error
		for index := range d.Terms.Replicas {
			found, err := s.brokenOn(ctx, height, deal, index, at)
			all, failed = append(all, found...), append(failed, err)
			if ctx.Err() != nil {
				break
			}
		}
		return all, errors.Join(failed...)
	}
}

// brokenOn looks at the slots of a seat.
func (s *Storage) brokenOn(ctx context.Context, height, deal uint64, index uint8, at Locator) ([]Due, error) {
	seat, err := view(ctx, s, height, "seatOf", s.abi.PackSeatOf(deal, index), s.abi.UnpackSeatOf)
	if err != nil {
		return nil, err
	}
	var all []Due
	for _, id := range []uint64{seat.Current, seat.Next} {
		if id == 0 {
			continue
		}
		v, err := view(ctx, s, height, "slotOf", s.abi.PackSlotOf(id), s.abi.UnpackSlotOf)
		if err != nil {
			return all, err
		}
		if SlotState(v.State) != SlotActive || height >= uint64(v.End) {
			continue
		}
		due, err := s.broken(ctx, at, id, v)
		if err != nil {
			return all, err
		}
		if due != nil {
			all = append(all, *due)
		}
	}
	return all, nil
}

func (s *Storage) broken(ctx context.Context, at Locator, id uint64, v perpetualstorage.SlotView) (*Due, error) {
	place, err := at.Locate(ctx, v.MinerId, v.Sector)
	if err != nil {
		return nil, err
	}
	// What was told to be faulty is told once more when it is dead, which it may be at the same place.
	due := Due{Fn: "checkDeal", Subject: fmt.Sprint(id), At: fmt.Sprintf("%d.%d.%s", v.LastProof, place.Status, hex.EncodeToString(place.Aux))}
	switch uint8(place.Status) {
	case sectorDead:
		due.Tip = tipOf(v.Bond)
	case sectorFaulty:
		if v.Faulty {
			return nil, nil
		}
		due.Tip = new(big.Int)
	default:
		return nil, nil
	}
	due.Call = Call{To: s.at, Data: s.abi.PackCheckDeal(id, uint8(place.Status), place.Aux)}
	return &due, nil
}

// ---- orders of deals ----

// Events gives the logs of a contract in blocks from..to, all of them final.
type Events interface {
	Events(ctx context.Context, contract common.Address, from, to uint64) ([]*types.Log, error)
}

const orderPrepared = 2 // DealsState.Prepared

// orders are the orders of makeDealsForCid that may have to be opened.
type orders struct {
	at   common.Address
	abi  *estuarypinning.EstuaryPinning
	read uint64 // up to this height
	open map[common.Hash]*estuarypinning.EstuaryPinningDealsRequested
	told map[common.Hash]bool // operators said which piece it is
}

// due reads what is new and lists the orders that are prepared at a height.
func (o *orders) due(ctx context.Context, chain Chain, events Events, height uint64) ([]Due, error) {
	if height > o.read {
		logs, err := events.Events(ctx, o.at, o.read+1, height)
		if err != nil {
			return nil, fmt.Errorf("reading the orders of deals: %w", err)
		}
		for _, log := range logs {
			if e, err := o.abi.UnpackDealsRequestedEvent(log); err == nil {
				o.open[e.RequestId] = e
			} else if e, err := o.abi.UnpackDealsPreparedEvent(log); err == nil {
				o.told[e.RequestId] = true
			}
		}
		o.read = height
	}
	var all []Due
	for id := range o.told {
		e := o.open[id]
		if e == nil {
			continue // its request was made before this ledger begins
		}
		raw, err := chain.Call(ctx, o.at, o.abi.PackDealsOf(id), height)
		if err != nil {
			return nil, fmt.Errorf("reading dealsOf: %w", err)
		}
		now, err := o.abi.UnpackDealsOf(raw)
		if err != nil {
			return nil, fmt.Errorf("reading dealsOf of %s: %w", o.at, err)
		}
		if now.State != orderPrepared {
			delete(o.told, id)
			delete(o.open, id)
			continue
		}
		all = append(all, Due{
			Fn: "openDeal", Subject: id.Hex(), At: "0", Tip: new(big.Int),
			Call: Call{To: o.at, Data: o.abi.PackOpenDeal(id, e.Cid, e.Terms)},
		})
	}
	return all, nil
}

// ---- the keeper ----

// KeeperConfig says what is kept.
type KeeperConfig struct {
	ChainID   uint64
	Storage   common.Address // PerpetualStorage; zero for none
	Pinning   common.Address // EstuaryPinning, for orders of deals; zero for none
	DAOs      []common.Address
	Factory   common.Address   // of DAOs that are served where their tips pay; zero for none
	Clients   []common.Address // of deals for which operators' word is asked
	Start     uint64           // no order is older than this height
	Every     time.Duration
	NodeEvery time.Duration // how often each deal is looked at: sectors, and the word for clients
}

// Jobs is where calls that are due are put down.
type Jobs interface {
	InsertJob(ctx context.Context, n job.New, now time.Time) (job.Job, bool, error)
}

// KeeperDeps are what a Keeper works with.
type KeeperDeps struct {
	Chain  Chain // Head is the final height
	Events Events
	Logs   Logs    // for DAOs
	Node   Locator // nil: sectors are not looked at
	Jobs   Jobs
	Wake   func() // jobs were put down
	Log    *slog.Logger
	Now    func() time.Time
}

// Keeper puts down a job for each call that is due, once.
type Keeper struct {
	cfg     KeeperConfig
	deps    KeeperDeps
	orders  orders
	daos    []*DAO
	patrons *patrons // nil: none are looked for
	clients map[common.Address]bool
	looked  time.Time
}

// NewKeeper makes a keeper.
func NewKeeper(cfg KeeperConfig, deps KeeperDeps) *Keeper {
	k := &Keeper{cfg: cfg, deps: deps, clients: map[common.Address]bool{}, orders: orders{
		at: cfg.Pinning, abi: estuarypinning.NewEstuaryPinning(), open: map[common.Hash]*estuarypinning.EstuaryPinningDealsRequested{}, told: map[common.Hash]bool{},
	}}
	if cfg.Start > 0 {
		k.orders.read = cfg.Start - 1
	}
	for _, c := range cfg.Clients {
		k.clients[c] = true
	}
	for _, at := range cfg.DAOs {
		k.daos = append(k.daos, NewDAO(deps.Chain, deps.Logs, at))
	}
	if cfg.Factory != (common.Address{}) {
		k.patrons = newPatrons(cfg.Factory, cfg.DAOs)
	}
	return k
}

// Run looks again and again until ctx ends. Trouble is logged when it begins and when it
// has passed.
func (k *Keeper) Run(ctx context.Context) error {
	troubled := false
	for {
		err := k.Look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !troubled:
			k.deps.Log.Warn("what is due could not be read, trying again", "err", err)
		case err == nil && troubled:
			k.deps.Log.Info("what is due can be read again")
		}
		troubled = err != nil
		timer := time.NewTimer(k.cfg.Every)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// Look puts down what is due at the final block.
func (k *Keeper) Look(ctx context.Context) error {
	height, err := k.deps.Chain.Head(ctx)
	if err != nil {
		return err
	}
	var all []Due
	var failed []error
	gather := func(due []Due, err error) {
		all, failed = append(all, due...), append(failed, err)
	}
	if k.cfg.Storage != (common.Address{}) {
		storage := NewStorage(k.deps.Chain, k.cfg.Storage)
		gather(storage.Due(ctx, height))
		if now := k.deps.Now(); now.Sub(k.looked) >= k.cfg.NodeEvery {
			k.looked = now
			var looks []Look
			if k.deps.Node != nil {
				looks = append(looks, storage.Broken(k.deps.Node))
			}
			if len(k.clients) > 0 {
				looks = append(looks, storage.Unvouched(k.clients))
			}
			if len(looks) > 0 {
				gather(storage.Each(ctx, height, looks...))
			}
		}
	}
	if k.cfg.Pinning != (common.Address{}) {
		gather(k.orders.due(ctx, k.deps.Chain, k.deps.Events, height))
	}
	for _, dao := range k.daos {
		gather(dao.Due(ctx, height))
	}
	if k.patrons != nil {
		gather(k.patrons.due(ctx, k.deps.Chain, k.deps.Logs, height))
	}
	for _, d := range all {
		failed = append(failed, k.put(ctx, d, height))
	}
	return errors.Join(failed...)
}

// A call that failed though it is still due is put down once more after `again`, at most
// `tries` times: what was against it may have passed.
const (
	again = 24 * time.Hour
	tries = 30
)

// put puts a call down, unless the job of it is still there.
func (k *Keeper) put(ctx context.Context, d Due, height uint64) error {
	to, at, now, value := strings.ToLower(d.Call.To.Hex()), d.At, k.deps.Now(), ""
	if d.Value != nil && d.Value.Sign() > 0 {
		value = d.Value.String()
	}
	for n := 1; n <= tries; n++ {
		j, inserted, err := k.deps.Jobs.InsertJob(ctx, job.New{
			Key: job.KeepKey(k.cfg.ChainID, to, d.Fn, d.Subject, at), Kind: job.KindKeep, Class: job.ClassPaid, Requester: to, Lane: job.LaneFinal, Height: height,
			Payload: job.Encode(job.Keep{To: to, Data: d.Call.Data, Tip: d.Tip.String(), Value: value, Pays: d.Pays, What: d.Fn + " " + d.Subject}),
		}, now)
		if err != nil {
			return err
		}
		if inserted {
			k.deps.Log.Info("a call is due", "fn", d.Fn, "subject", d.Subject, "contract", to, "value", value, "tip", d.Tip)
			k.deps.Wake()
			return nil
		}
		if j.State != job.Done || j.Outcome != job.Failed || now.Sub(j.UpdatedAt) < again {
			return nil
		}
		at = fmt.Sprintf("%s+%d", d.At, n)
	}
	return nil
}
