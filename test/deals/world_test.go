// Package deals tests deal making whole: executor/market/deals over the real ledger,
// against contracts and providers that are played, so that any state can be had and
// any step can be the last one of a process.
//
// It is not the test of wire formats (executor/market/mk12, mk20) nor of contracts.
//
// Map:
//
//	world_test.go   the contracts and the chain, played
//	sp_test.go      providers, played, with their conducts
//	making_test.go  choosing, making, dying at each step
//	sample_test.go  ranges of pieces, fetched from who stores them; what is counted and shown
//	follow_test.go  states, alarms, renewal, the number of calls
//	bench_test.go   what following 1,000 deals costs
//	status_test.go  what providers say over MK12 of deals that they took
//	fevm_test.go    the same on a real FEVM, with providers that speak the real protocols
//	waiting_test.go claimed slots that cannot be served yet
//	extension_test.go renewal by extending a sector
//	claim_test.go   what becomes of DataCap that was set aside
//	datacap_test.go slots with DataCap on a real FEVM, what is not asked for, and a wallet's escrow
//	repair_test.go  pieces that are lost here, fetched back; repair_world_test.go from whom
//	owner_test.go   a provider's owner, who claims as by the command line
//	years_test.go   400 days of it, with renewals
package deals

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	fbig "github.com/filecoin-project/go-state-types/big"

	"github.com/tidegate/tidegate/bindings/filecoinfacts"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/bindings/providerregistry"
	"github.com/tidegate/tidegate/bindings/storagegate"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/market/deals"
	"github.com/tidegate/tidegate/executor/market/mk12"
	"github.com/tidegate/tidegate/executor/piece"
	"github.com/tidegate/tidegate/internal/store"
)

// States of slots and of f05 deals, as the contracts number them.
const (
	open, claimed, published, active, ended, lost, terminated = 0, 1, 2, 3, 4, 5, 6
	factUnknown, factPublished, factActive, factGone          = 0, 1, 2, 3
)

var (
	storageAt, gateAt, factsAt, registryAt = common.Address{1}, common.Address{2}, common.Address{3}, common.Address{4}

	commP = [32]byte{31: 1, 0: 7}
	root  = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"
)

const (
	padded, car = 1 << 20, 1000000
	term        = 518_400
)

// world plays the contracts.
type world struct {
	testing.TB
	epoch uint64
	now   time.Time
	calls int // of the chain

	slots     map[uint64]*perpetualstorage.SlotView
	seats     map[uint64]perpetualstorage.SeatOfOutput // by slot without generation
	terms     perpetualstorage.DealTerms
	free      *big.Int
	bounty    *big.Int         // of open slots; nil for the base
	facts     map[uint64]uint8 // of f05 deals
	logs      []deals.Log      // at the epochs below
	logEpochs []uint64
	entries   map[uint64]providerregistry.ProviderEntry
	order     []uint64
	owners    map[uint64]uint64 // of miners
	orgs      map[uint64]int64
	refused   map[uint64]string // miners that the contract does not want, and its word
	content   []byte            // of the piece, for who reads it; nil where nobody does
	stored    *piece.Commitment // the piece of all deals; nil for one without content
	shelf     *shelf            // from which pieces are lost; nil: from none
	door      deals.Door        // nil: any server is asked
	factStart int64             // of every f05 deal
	factTerm  int64
	claimed   bool    // the verified registry has the claim of every allocation
	drawn     int64   // when what the market actor allocated runs out; 0: it allocated nothing
	cutOff    bool    // nobody else is within reach
	unready   bool    // the piece is not prepared yet
	unknown   bool    // our own key is no actor of the chain yet
	paused    bool    // the contract takes neither claims nor renewals
	sector    *uint64 // status of every sector, as FIP-0112 numbers it; nil where no node says

	abis map[common.Address]*abi.ABI

	ledger *store.Store
	sps    map[uint64]*sp
	nextID uint64                  // of f05 deals
	die    func(step string) error // nil: nobody dies
	mu     sync.Mutex              // of what providers are asked at the same time
}

func newWorld(t testing.TB, miners ...*sp) *world {
	w := &world{
		TB: t, epoch: 10_000, now: time.Unix(1_800_000_000, 0).UTC(), slots: map[uint64]*perpetualstorage.SlotView{}, seats: map[uint64]perpetualstorage.SeatOfOutput{},
		terms: perpetualstorage.DealTerms{
			Replicas: 3, Term: term, SealWindow: 5760, RenewWindow: 60 * 2880, BaseBounty: big.NewInt(1e15), MaxBounty: big.NewInt(1e15), Rate: 1e9,
			BondFloor: big.NewInt(1), MinCollateral: big.NewInt(5), Endpoint: "http://tide.example/piece/",
		},
		free: big.NewInt(9e18), facts: map[uint64]uint8{}, entries: map[uint64]providerregistry.ProviderEntry{}, refused: map[uint64]string{},
		abis: map[common.Address]*abi.ABI{}, sps: map[uint64]*sp{}, nextID: 100,
	}
	for at, parse := range map[common.Address]func() (*abi.ABI, error){
		storageAt: perpetualstorage.PerpetualStorageMetaData.ParseABI, gateAt: storagegate.StorageGateMetaData.ParseABI,
		factsAt: filecoinfacts.FilecoinFactsMetaData.ParseABI, registryAt: providerregistry.ProviderRegistryMetaData.ParseABI,
	} {
		a, err := parse()
		if err != nil {
			t.Fatal(err)
		}
		w.abis[at] = a
	}
	var err error
	if w.ledger, err = store.Open(t.Context(), store.Config{Path: ":memory:", Now: func() time.Time { return w.now }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, s := range miners {
		s.w, s.got = w, map[string]uint64{}
		w.sps[s.id] = s
		w.order = append(w.order, s.id)
		w.entries[s.id] = providerregistry.ProviderEntry{MaxPieceSize: 1 << 35, Market: s.market}
	}
	return w
}

func (w *world) organisations(miner uint64) *big.Int { return big.NewInt(w.orgs[miner]) }

// openSlot adds an open slot of a deal.
func (w *world) openSlot(deal uint64, index uint8, generation uint16) uint64 {
	id := deal<<24 | uint64(index)<<16 | uint64(generation)
	w.slots[id] = &perpetualstorage.SlotView{Organisation: new(big.Int), Bond: new(big.Int), Obligation: new(big.Int), Earned: new(big.Int), Term: term}
	seat := w.seats[id>>16]
	if generation == 0 {
		seat.Current = id
	} else {
		seat.Next = id
	}
	w.seats[id>>16] = seat
	return id
}

// maker makes a Maker as a process that starts does.
func (w *world) maker(change ...func(*deals.Config)) *deals.Maker {
	w.Helper()
	cfg := deals.Config{Storage: storageAt, Start: 9_990, MaxRange: 1 << 20, Poll: time.Second, MaxPending: 8, PublishWithin: 2880, Activate: true}
	for _, s := range w.sps {
		if !s.claims {
			cfg.Providers = append(cfg.Providers, deals.Provider{Miner: s.id, Addrs: []string{fmt.Sprint(s.id)}})
		}
	}
	for _, c := range change {
		c(&cfg)
	}
	var node deals.Node
	if w.sector != nil {
		node = lotus{w}
	}
	var have deals.Funds
	if w.terms.Verified {
		have = funds{w}
	}
	var door deals.Door = plain{}
	if w.door != nil {
		door = w.door
	}
	var from deals.Shelf
	if w.shelf != nil {
		from = w.shelf
	}
	m, err := deals.New(cfg, deals.Deps{
		Shelf: from, Node: node, Funds: have, Ledger: dying{w}, Chain: w, Pieces: w, MK12: over12{w}, MK20: over20{w}, Client: "f1us", Send: w.send, Now: func() time.Time { return w.now },
		Log: slog.New(slog.DiscardHandler), Door: door, Open: w.open,
		Online: func(context.Context) bool { return !w.cutOff },
	})
	if err != nil {
		w.Fatal(err)
	}
	return m
}

// step lets the chain go on, and one pass happen.
func (w *world) step(m *deals.Maker, epochs uint64) error {
	for range epochs {
		w.epoch++
		for _, s := range w.sps {
			s.tick()
		}
	}
	w.now = w.now.Add(time.Duration(epochs) * 30 * time.Second)
	return m.Pass(w.Context())
}

// run steps until done, at most n times.
func (w *world) run(m *deals.Maker, n int, done func() bool) {
	w.Helper()
	for range n {
		if err := w.step(m, 1); err != nil {
			w.Fatal(err)
		}
		if done() {
			return
		}
	}
	all, _ := w.ledger.Offers(w.Context(), job.OfferFilter{})
	for _, o := range all {
		w.Logf("%s slot %d miner %d %s %s %q", o.ID, o.Slot, o.Miner, o.Protocol, o.State, o.Reason)
	}
	w.Fatal("it did not come about")
}

func (w *world) allActive() bool {
	for _, s := range w.slots {
		if s.State != active {
			return false
		}
	}
	live, err := w.ledger.Offers(w.Context(), job.OfferFilter{State: job.OfferActive, Limit: 1000})
	if err != nil {
		w.Fatal(err)
	}
	return len(live) == len(w.slots)
}

// event logs that a slot changed.
func (w *world) event(name string, slot uint64) {
	var topic common.Hash
	binary.BigEndian.PutUint64(topic[24:], slot)
	w.logs = append(w.logs, deals.Log{Topics: []common.Hash{w.abis[storageAt].Events[name].ID, {}, topic}})
	w.logEpochs = append(w.logEpochs, w.epoch)
}

// called counts a call: passes and repairs make them at the same time.
func (w *world) called() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
}

// Final implements deals.Chain.
func (w *world) Final(context.Context) (uint64, error) { return w.epoch, nil }

// Logs implements deals.Chain.
func (w *world) Logs(_ context.Context, from, to uint64, _ ...common.Address) (out []deals.Log, err error) {
	w.called()
	for i, l := range w.logs {
		if w.logEpochs[i] >= from && w.logEpochs[i] <= to {
			out = append(out, l)
		}
	}
	return out, nil
}

// Piece implements deals.Pieces.
func (w *world) Piece(_ context.Context, id string) (deals.Piece, error) {
	if w.unready || id != w.piece().CID().String() {
		return deals.Piece{}, job.ErrNotFound
	}
	return deals.Piece{Root: root, Size: w.piece().Payload}, nil
}

// piece is that of all deals.
func (w *world) piece() piece.Commitment {
	if w.stored != nil {
		return *w.stored
	}
	return piece.Commitment{Root: commP, Padded: padded, Payload: car}
}

// send plays a transaction that is mined at once.
func (w *world) send(_ context.Context, key string, to common.Address, data []byte) error {
	m, err := w.abis[to].MethodById(data)
	if err != nil {
		return err
	}
	args, err := m.Inputs.Unpack(data[4:])
	if err != nil {
		return err
	}
	switch m.Name {
	case "proveActive":
		for _, id := range args[0].([]uint64) {
			s := w.slots[id]
			if s.State == published && w.facts[s.F05DealId] == factActive {
				w.activate(id)
			}
		}
	default:
		return fmt.Errorf("%s is not played", m.Name)
	}
	return nil
}

func (w *world) activate(id uint64) {
	s := w.slots[id]
	s.State, s.Start, s.End, s.Sector = active, uint32(w.epoch), uint32(w.epoch+term), id
	w.event("SlotActivated", id)
}

// Call implements deals.Chain.
func (w *world) Call(_ context.Context, to common.Address, data []byte, height uint64) ([]byte, error) {
	w.called()
	if height != w.epoch {
		return nil, fmt.Errorf("read at %d, final is %d", height, w.epoch)
	}
	m, err := w.abis[to].MethodById(data)
	if err != nil {
		return nil, err
	}
	args, err := m.Inputs.Unpack(data[4:])
	if err != nil {
		return nil, err
	}
	out, err := w.view(m.Name, args)
	if err != nil {
		return nil, err
	}
	return m.Outputs.Pack(out...)
}

func (w *world) view(name string, args []any) ([]any, error) {
	switch name {
	case "gate":
		return []any{gateAt}, nil
	case "facts":
		return []any{factsAt}, nil
	case "registry":
		return []any{registryAt}, nil
	case "providersPage":
		if args[0].(*big.Int).Sign() > 0 {
			return []any{[]uint64{}}, nil
		}
		return []any{w.order}, nil
	case "entryOf":
		return []any{w.entries[args[0].(uint64)]}, nil
	case "openSlots":
		list := []perpetualstorage.OpenSlot{}
		for id, s := range w.slots {
			if s.State == open {
				list = append(list, perpetualstorage.OpenSlot{SlotId: id, CommP: w.piece().Root, PaddedSize: w.piece().Padded, CarSize: w.piece().Payload, Term: term, Bounty: big.NewInt(1e15), Obligation: big.NewInt(2e15), Bond: big.NewInt(1)})
			}
		}
		return []any{list, uint64(0)}, nil
	case "slotOf":
		if s := w.slots[args[0].(uint64)]; s != nil {
			return []any{*s}, nil
		}
		return nil, errors.New("no such slot")
	case "quoteBounty":
		if w.bounty == nil {
			return []any{w.terms.BaseBounty}, nil
		}
		return []any{w.bounty}, nil
	case "seatOf":
		seat := w.seats[args[0].(uint64)<<8|uint64(args[1].(uint8))]
		return []any{seat.Current, seat.Next}, nil
	case "dealOf":
		c := w.piece()
		if w.content != nil {
			c = commitmentOf(w.TB, w.content)
		}
		return []any{perpetualstorage.DealView{
			Client: common.Address{9}, Status: 2, Cid: []byte{1}, CommP: c.Root, PaddedSize: c.Padded, CarSize: c.Payload, Free: w.free, Terms: w.terms,
		}}, nil
	case "dealFacts":
		f := filecoinfacts.DealFacts{State: w.facts[args[0].(uint64)], Start: w.factStart, Duration: w.factTerm, ProviderCollateral: new(big.Int)}
		return []any{f}, nil
	case "claimFacts":
		return []any{filecoinfacts.ClaimFacts{Known: w.claimed, Ours: w.claimed, CommP: commP, PaddedSize: padded, Sector: 1}}, nil
	case "minerFacts":
		return []any{w.owners[args[0].(uint64)], false}, nil
	case "organisationOf":
		return []any{w.organisations(args[0].(uint64))}, nil
	case "verifyDeal":
		return []any{true}, nil
	case "openRenewal": // tried, not sent
		if w.paused {
			return nil, fmt.Errorf("%w: IntakePaused", market.ErrReverted)
		}
		return []any{uint64(1)}, nil
	case "whyNot":
		var why [32]byte
		if w.paused {
			copy(why[:], "paused")
			return []any{why}, nil
		}
		deal := *abi.ConvertType(args[1], new(perpetualstorage.PublishedDeal)).(*perpetualstorage.PublishedDeal)
		copy(why[:], w.refused[deal.MinerId])
		return []any{why}, nil
	case "getDealProposal":
		id := args[0].([32]byte)
		return []any{w.proposal(binary.BigEndian.Uint64(id[24:]))}, nil
	}
	return nil, fmt.Errorf("%s is not played", name)
}

func (w *world) proposal(slot uint64) []byte {
	gate, err := address.NewDelegatedAddress(10, gateAt[:])
	if err != nil {
		w.Fatal(err)
	}
	nobody, err := address.NewIDAddress(0)
	if err != nil {
		w.Fatal(err)
	}
	c := w.piece()
	p := mk12.DealProposal{
		PieceCID: c.CID(), PaddedSize: c.Padded, Verified: w.terms.Verified, Client: gate, Provider: nobody, Label: fmt.Appendf(nil, "%d/ipfs/%s", slot, root),
		Start: int64(w.epoch) + 5760, End: int64(w.epoch) + 5760 + term, PricePerEpoch: fbig.Zero(), ProviderCollateral: fbig.NewInt(5), ClientCollateral: fbig.Zero(),
	}
	var b bytes.Buffer
	if err := p.MarshalCBOR(&b); err != nil {
		w.Fatal(err)
	}
	return b.Bytes()
}
