package market

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/bindings/storagegate"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
)

// Chain reads contracts.
type Chain interface {
	// Head is the height of the newest block whose state can be read.
	Head(ctx context.Context) (uint64, error)
	// Call runs a view of a contract on the state after the block at a height.
	Call(ctx context.Context, to common.Address, data []byte, height uint64) ([]byte, error)
}

// SlotState is a slot's state as IPerpetualStorage.SlotState numbers it.
type SlotState uint8

// States of a slot.
const (
	SlotOpen SlotState = iota
	SlotClaimed
	SlotPublished
	SlotActive
	SlotEnded
	SlotLost
	SlotTerminated
)

// String gives the name used in JSON and on the command line.
func (s SlotState) String() string {
	names := [...]string{"open", "claimed", "published", "active", "ended", "lost", "terminated"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// SlotID is where a slot is: its deal, its seat, and its number on that seat.
func SlotID(deal uint64, index uint8, generation uint16) uint64 {
	return deal<<24 | uint64(index)<<16 | uint64(generation)
}

// SplitSlot is the contrary of SlotID.
func SplitSlot(id uint64) (deal uint64, index uint8, generation uint16) {
	return id >> 24, uint8(id >> 16), uint16(id)
}

// Slot is one that can be claimed now. Amounts are attoFIL, times epochs, sizes bytes.
type Slot struct {
	ID         uint64
	Deal       uint64
	Index      uint8
	Generation uint16
	CID        string // of the content
	Piece      string // piece CID v1
	PieceV2    string // "" where the CAR's size does not fit the piece
	Padded     uint64
	CARSize    uint64
	URL        string // where the piece is fetched
	Verified   bool   // DataCap is spent for it
	Term       uint32 // epochs that are paid for
	SealWindow uint32 // epochs from the claim to the latest start
	Bounty     *big.Int
	Rate       *big.Int // for each epoch that is proven
	Obligation *big.Int // bounty + rate × term
	Bond       *big.Int // to be sent with the claim
	Incumbent  uint64   // miner with first refusal now; 0 = whoever comes first
	Client     common.Address
	Money      string     // what pays: MoneyDeal, MoneyPool; "" where the pools are not known
	Extend     *Extension // of a slot that is to follow another: how who stores that may have it; nil where it may not
}

// What a slot is paid out of.
const (
	MoneyDeal = "deal" // its client may cancel, suspend and change it, and takes what is left
	MoneyPool = "pool" // members' shares: nobody may, but members leave with their part of what is free
)

// Source is a miner that stores a piece now, and where it can be fetched there.
type Source struct {
	Miner uint64
	URL   string // "" where the miner registered none
}

// Preview is what a claim would do now.
type Preview struct {
	// Reason is "" or why it would not go through, as the contract spells it; or "datacap",
	// where the deal has too little for the slot to be sealed.
	Reason     string
	Bond       *big.Int
	Obligation *big.Int
}

// Detail is a slot as it stands, open or not. What a state has not yet set is zero.
type Detail struct {
	ID           uint64
	Deal         uint64
	State        SlotState
	Faulty       bool
	Miner        uint64
	Payee        common.Address
	Bond         *big.Int // what is left of it
	Obligation   *big.Int
	Earned       *big.Int
	SealDeadline uint32
	Start, End   uint32
	LastProof    uint32
	Evidence     uint64 // f05 deal, or claim of verified data
	Sector       uint64
	NextOpening  uint32 // when the next slot of the deal opens; 0 = not foreseen
	Sources      []Source
	Extend       *Extension // of an active slot; nil where its miner may not extend it now
	Preview      *Preview   // where a miner was named
}

// Storage reads a PerpetualStorage.
type Storage struct {
	chain Chain
	at    common.Address
	pools common.Address // StoragePools, or zero
	abi   *perpetualstorage.PerpetualStorage
}

// NewStorage is the PerpetualStorage at an address.
func NewStorage(chain Chain, at common.Address) *Storage {
	return &Storage{chain: chain, at: at, abi: perpetualstorage.NewPerpetualStorage()}
}

// WithPools is the same, which knows the deals of a StoragePools from others.
func (s *Storage) WithPools(at common.Address) *Storage {
	known := *s
	known.pools = at
	return &known
}

// Address is the contract's.
func (s *Storage) Address() common.Address { return s.at }

// view calls a view at a height.
func view[T any](ctx context.Context, s *Storage, height uint64, what string, call []byte, unpack func([]byte) (T, error)) (T, error) {
	var none T
	out, err := s.chain.Call(ctx, s.at, call, height)
	if err != nil {
		return none, fmt.Errorf("reading %s of PerpetualStorage %s: %w", what, s.at, err)
	}
	if len(out) == 0 {
		return none, fmt.Errorf("reading %s: there is no PerpetualStorage at %s", what, s.at)
	}
	v, err := unpack(out)
	if err != nil {
		return none, fmt.Errorf("reading %s: is %s a PerpetualStorage? %w", what, s.at, err)
	}
	return v, nil
}

// Head is the height that the views are read at when it is not said.
func (s *Storage) Head(ctx context.Context) (uint64, error) {
	head, err := s.chain.Head(ctx)
	if err != nil {
		return 0, fmt.Errorf("asking for the chain's head: %w", err)
	}
	return head, nil
}

// NextDeal is the id that the next deal will have.
func (s *Storage) NextDeal(ctx context.Context, height uint64) (uint64, error) {
	return view(ctx, s, height, "nextDeal", s.abi.PackNextDeal(), s.abi.UnpackNextDeal)
}

// Open gives the open slots among `deals` deals from `from` on, and the deal to go on
// with, 0 at the end.
func (s *Storage) Open(ctx context.Context, height, from uint64, deals int) ([]Slot, uint64, error) {
	out, err := view(ctx, s, height, "openSlots", s.abi.PackOpenSlots(from, big.NewInt(int64(deals))), s.abi.UnpackOpenSlots)
	if err != nil {
		return nil, 0, err
	}
	slots := make([]Slot, 0, len(out.List))
	for _, o := range out.List {
		slots = append(slots, openSlot(o))
	}
	return slots, out.Next, nil
}

func openSlot(o perpetualstorage.OpenSlot) Slot {
	s := Slot{
		ID: o.SlotId, Padded: o.PaddedSize, CARSize: o.CarSize, Verified: o.Verified, Term: o.Term, Incumbent: o.Incumbent,
		Bounty: o.Bounty, Obligation: o.Obligation, Bond: o.Bond, Rate: new(big.Int),
	}
	s.Deal, s.Index, s.Generation = SplitSlot(o.SlotId)
	if o.Term != 0 {
		s.Rate.Quo(s.Rate.Sub(o.Obligation, o.Bounty), big.NewInt(int64(o.Term)))
	}
	c := piece.Commitment{Root: o.CommP, Padded: o.PaddedSize, Payload: o.CarSize}
	s.Piece = c.CID().String()
	if v2, err := c.CIDv2(); err == nil {
		s.PieceV2 = v2.String()
	}
	return s
}

// Deal reads a deal. Errors: job.ErrNotFound.
func (s *Storage) Deal(ctx context.Context, height, id uint64) (perpetualstorage.DealView, error) {
	d, err := view(ctx, s, height, "dealOf", s.abi.PackDealOf(id), s.abi.UnpackDealOf)
	if err == nil && d.Client == (common.Address{}) {
		err = fmt.Errorf("deal %d: %w", id, job.ErrNotFound)
	}
	return d, err
}

// complete adds to an open slot what only its deal says.
func (s *Slot) complete(d perpetualstorage.DealView, pools common.Address) {
	switch s.Client = d.Client; pools {
	case common.Address{}:
	case d.Client:
		s.Money = MoneyPool
	default:
		s.Money = MoneyDeal
	}
	s.SealWindow = d.Terms.SealWindow
	s.URL = d.Terms.Endpoint + s.Piece
	if c, err := cid.Cast(d.Cid); err == nil {
		s.CID = c.String()
	}
}

// Slot reads a slot alone. Errors: job.ErrNotFound for one that there never was.
func (s *Storage) Slot(ctx context.Context, height, id uint64) (Detail, error) {
	deal, index, _ := SplitSlot(id)
	seat, err := view(ctx, s, height, "seatOf", s.abi.PackSeatOf(deal, index), s.abi.UnpackSeatOf)
	if err != nil {
		return Detail{}, err
	}
	v, err := view(ctx, s, height, "slotOf", s.abi.PackSlotOf(id), s.abi.UnpackSlotOf)
	if err != nil {
		return Detail{}, err
	}
	if v.MinerId == 0 {
		// Never claimed: it exists where it is one of its seat's, in a deal that exists.
		if _, err := s.Deal(ctx, height, deal); errors.Is(err, job.ErrNotFound) || err == nil && id != seat.Current && id != seat.Next {
			return Detail{}, fmt.Errorf("slot %d: %w", id, job.ErrNotFound)
		} else if err != nil {
			return Detail{}, err
		}
	}
	return Detail{
		ID: id, Deal: deal, State: SlotState(v.State), Faulty: v.Faulty, Miner: v.MinerId, Payee: v.Payee, Bond: v.Bond, Obligation: v.Obligation,
		Earned: v.Earned, SealDeadline: v.SealDeadline, Start: v.Start, End: v.End, LastProof: v.LastProof, Evidence: v.F05DealId, Sector: v.Sector,
	}, nil
}

// Whole reads a slot with who stores the deal's piece and when something of it opens;
// with a miner, also what its claim from `caller` would do.
func (s *Storage) Whole(ctx context.Context, height, id, miner uint64, caller common.Address) (Detail, error) {
	d, err := s.Slot(ctx, height, id)
	if err != nil {
		return d, err
	}
	if d.NextOpening, err = s.NextOpening(ctx, height, d.Deal); err != nil {
		return d, err
	}
	if d.Sources, err = s.Sources(ctx, height, d.Deal); err != nil {
		return d, err
	}
	if d.Extend, err = s.Extension(ctx, height, id); err != nil {
		return d, err
	}
	if miner == 0 {
		return d, nil
	}
	p, err := s.Preview(ctx, height, id, miner, caller)
	d.Preview = &p
	return d, err
}

// NextOpening is the epoch at which the next slot of a deal opens; 0 where none is
// foreseen.
func (s *Storage) NextOpening(ctx context.Context, height, deal uint64) (uint32, error) {
	return view(ctx, s, height, "nextOpening", s.abi.PackNextOpening(deal), s.abi.UnpackNextOpening)
}

// Sources are those who store the deal's piece now.
func (s *Storage) Sources(ctx context.Context, height, deal uint64) ([]Source, error) {
	out, err := view(ctx, s, height, "sourcesOf", s.abi.PackSourcesOf(deal), s.abi.UnpackSourcesOf)
	if err != nil {
		return nil, err
	}
	if len(out.MinerIds) != len(out.Endpoints) {
		return nil, fmt.Errorf("reading sourcesOf: %d miners and %d endpoints", len(out.MinerIds), len(out.Endpoints))
	}
	list := make([]Source, len(out.MinerIds))
	for i, m := range out.MinerIds {
		list[i] = Source{Miner: m, URL: out.Endpoints[i]}
	}
	return list, nil
}

// Preview says what a miner's claim of a slot from an address would do.
func (s *Storage) Preview(ctx context.Context, height, id, miner uint64, caller common.Address) (Preview, error) {
	out, err := view(ctx, s, height, "previewClaim", s.abi.PackPreviewClaim(id, miner, caller), s.abi.UnpackPreviewClaim)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Reason: word(out.Reason), Bond: out.Bond, Obligation: out.Obligation}
	if p.Reason != "" {
		return p, nil
	}
	deal, err := s.Deal(ctx, height, id>>24)
	if err != nil || !deal.Terms.Verified {
		return p, err
	}
	// The contract lets it be claimed all the same; but there is nothing to seal it with.
	has, err := s.DataCap(ctx, height, id>>24)
	if err == nil && has.Cmp(new(big.Int).SetUint64(deal.PaddedSize)) < 0 {
		p.Reason = reasonDataCap
	}
	return p, err
}

// DataCap is what the gate has for a deal and no claim has taken, in bytes.
func (s *Storage) DataCap(ctx context.Context, height, deal uint64) (*big.Int, error) {
	at, err := s.Gate(ctx, height)
	if err != nil {
		return nil, err
	}
	gate := *s
	gate.at = at
	abi := storagegate.NewStorageGate()
	return view(ctx, &gate, height, "dataCapOf", abi.PackDataCapOf(deal), abi.UnpackDataCapOf)
}

// Credit is what an account can withdraw.
func (s *Storage) Credit(ctx context.Context, height uint64, account common.Address) (*big.Int, error) {
	return view(ctx, s, height, "creditOf", s.abi.PackCreditOf(account), s.abi.UnpackCreditOf)
}

// Gate is the StorageGate, which sealing notifies.
func (s *Storage) Gate(ctx context.Context, height uint64) (common.Address, error) {
	return view(ctx, s, height, "gate", s.abi.PackGate(), s.abi.UnpackGate)
}
