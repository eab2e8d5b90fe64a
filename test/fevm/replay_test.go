package fevm

import (
	"encoding/binary"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
)

// heard is the money of PerpetualStorage as its events alone tell it, read over eth_getLogs
// as any ledger beside the chain would. Each audit compares it with what the contract shows.
type heard struct {
	from, seq uint64 // the next epoch to be read, and the next event's number
	deals     map[uint64]*heardDeal
	slots     map[uint64]*heardSlot
	credits   map[common.Address]*big.Int
	burnable  *big.Int
	due       []shown // audits that are not compared yet
}

type heardDeal struct {
	client    common.Address
	cancelled bool
	free      *big.Int
}

type heardSlot struct {
	payee                    common.Address
	holds                    bool // is claimed, published or active
	bond, obligation, earned *big.Int
}

func newHeard() *heard {
	return &heard{
		deals: map[uint64]*heardDeal{}, slots: map[uint64]*heardSlot{},
		credits: map[common.Address]*big.Int{}, burnable: new(big.Int),
	}
}

// atOnce is how many epochs are asked for in one call; Lotus gives 2,880.
const atOnce = 2000

// shown is what the contract showed in an audit, before its event number seq.
type shown struct {
	seq     uint64
	entry   entry
	credits []*big.Int // of those that the books know
}

// replayed reads what is new. Lotus answers for the epoch before the head, so an audit is
// compared when the events before it are all there, the last one at the end of the test.
func (w *world) replayed(e entry) {
	w.Helper()
	s := shown{seq: read(w, w.at[bindings.PerpetualStorage], w.s.PackNextSeq(), w.s.UnpackNextSeq), entry: e}
	for _, p := range w.books.known {
		s.credits = append(s.credits, w.credit(p))
	}
	w.books.heard.due = append(w.books.heard.due, s)
	w.listen()
}

// hearsAll compares what is left to be compared.
func (w *world) hearsAll() {
	if w.Failed() || len(w.books.heard.due) == 0 {
		return
	}
	_, err := w.chain.Mine(w.ctx, 1)
	w.must(err)
	if w.listen(); len(w.books.heard.due) != 0 {
		w.Errorf("%s: %d events were read, the contract counted %d", w.books.heard.due[0].entry.step, w.books.heard.seq, w.books.heard.due[0].seq)
	}
}

func (w *world) listen() {
	w.Helper()
	h := w.books.heard
	head, err := w.eth.BlockNumber(w.ctx)
	w.must(err)
	for ; h.from <= head; h.from = min(h.from+atOnce, head+1) {
		logs, err := w.eth.FilterLogs(w.ctx, ethereum.FilterQuery{
			FromBlock: new(big.Int).SetUint64(h.from), ToBlock: new(big.Int).SetUint64(min(h.from+atOnce-1, head)),
			Addresses: []common.Address{w.at[bindings.PerpetualStorage]},
		})
		w.must(err)
		for i := range logs {
			w.compared(h)
			w.hear(h, &logs[i])
		}
	}
	w.compared(h)
}

// compared fails where the events so far say other money than the views did after them.
func (w *world) compared(h *heard) {
	w.Helper()
	for len(h.due) > 0 && h.due[0].seq == h.seq {
		s := h.due[0]
		h.due = h.due[1:]
		var free, reserved, bonds, credit big.Int
		for _, d := range h.deals {
			free.Add(&free, d.free)
		}
		for _, slot := range h.slots {
			bonds.Add(&bonds, slot.bond)
			if slot.holds {
				reserved.Add(&reserved, new(big.Int).Sub(slot.obligation, slot.earned))
			}
		}
		for _, c := range h.credits {
			credit.Add(&credit, c)
		}
		for i, had := range s.credits {
			w.wantAmount(s.entry.step+": by its events, the credit of "+w.books.known[i].name, h.credit(w.books.known[i].as), had)
		}
		w.wantAmount(s.entry.step+": by its events, what deals have free", &free, s.entry.free)
		w.wantAmount(s.entry.step+": by its events, what slots reserve", &reserved, s.entry.reserved)
		w.wantAmount(s.entry.step+": by its events, bonds", &bonds, s.entry.bonds)
		w.wantAmount(s.entry.step+": by its events, credits", &credit, s.entry.credit)
		w.wantAmount(s.entry.step+": by its events, what is to be burnt", h.burnable, s.entry.burnable)
	}
}

func (h *heard) credit(account common.Address) *big.Int {
	if h.credits[account] == nil {
		h.credits[account] = new(big.Int)
	}
	return h.credits[account]
}

// back gives to a deal what a slot reserved and did not earn, or to its client.
func (h *heard) back(deal uint64, amount *big.Int) {
	d := h.deals[deal]
	to := d.free
	if d.cancelled {
		to = h.credit(d.client)
	}
	to.Add(to, amount)
}

// told unpacks an event of which the name is known.
func told[T any](w *world, log *types.Log, unpack func(*types.Log) (*T, error)) *T {
	w.Helper()
	e, err := unpack(log)
	w.must(err)
	return e
}

// hear takes in one event.
func (w *world) hear(h *heard, log *types.Log) {
	w.Helper()
	event, err := w.abis[log.Address].EventByID(log.Topics[0])
	w.must(err)
	if event.Name == perpetualstorage.PerpetualStorageOwnershipTransferredEventName { // OpenZeppelin's, without seq
		return
	}
	if seq := binary.BigEndian.Uint64(log.Data[24:32]); seq != h.seq { // each begins with it
		w.Fatalf("%s has seq %d, want %d", event.Name, seq, h.seq)
	}
	h.seq++
	switch event.Name {
	case perpetualstorage.PerpetualStorageCreditedEventName:
		e := told(w, log, w.s.UnpackCreditedEvent)
		h.credit(e.Account).Add(h.credit(e.Account), e.Amount)
	case perpetualstorage.PerpetualStorageWithdrawnEventName:
		e := told(w, log, w.s.UnpackWithdrawnEvent)
		h.credit(e.Account).Sub(h.credit(e.Account), e.Amount)
	case perpetualstorage.PerpetualStorageBurntEventName:
		h.burnable.Sub(h.burnable, told(w, log, w.s.UnpackBurntEvent).Amount)
	default:
		w.hearDeal(h, event.Name, log)
		w.hearSlot(h, event.Name, log)
	}
}

func (w *world) hearDeal(h *heard, name string, log *types.Log) {
	w.Helper()
	switch name {
	case perpetualstorage.PerpetualStorageDealCreatedEventName:
		e := told(w, log, w.s.UnpackDealCreatedEvent)
		h.deals[e.DealId] = &heardDeal{client: e.Client, free: e.Funded}
	case perpetualstorage.PerpetualStorageDealFundedEventName:
		e := told(w, log, w.s.UnpackDealFundedEvent)
		h.deals[e.DealId].free.Add(h.deals[e.DealId].free, e.Amount)
	case perpetualstorage.PerpetualStorageSurplusWithdrawnEventName:
		e := told(w, log, w.s.UnpackSurplusWithdrawnEvent)
		d := h.deals[e.DealId]
		d.free.Sub(d.free, e.Amount)
		h.credit(d.client).Add(h.credit(d.client), e.Amount)
	case perpetualstorage.PerpetualStorageDealCancelledEventName:
		e := told(w, log, w.s.UnpackDealCancelledEvent)
		d := h.deals[e.DealId]
		d.cancelled, d.free = true, new(big.Int)
		h.credit(d.client).Add(h.credit(d.client), e.Refund)
	}
}

func (w *world) hearSlot(h *heard, name string, log *types.Log) {
	w.Helper()
	// over ends a claim or a slot, with what its bond became.
	over := func(deal, slot uint64, refund, returned, burnt *big.Int) {
		s := h.slots[slot]
		h.credit(s.payee).Add(h.credit(s.payee), returned)
		h.burnable.Add(h.burnable, burnt)
		h.back(deal, refund)
		s.bond, s.holds = new(big.Int), false
	}
	switch name {
	case perpetualstorage.PerpetualStorageSlotClaimedEventName:
		e := told(w, log, w.s.UnpackSlotClaimedEvent)
		h.deals[e.DealId].free.Sub(h.deals[e.DealId].free, e.Obligation)
		h.slots[e.SlotId] = &heardSlot{payee: e.Payee, holds: true, bond: e.Bond, obligation: e.Obligation, earned: new(big.Int)}
	case perpetualstorage.PerpetualStorageClaimReleasedEventName:
		e := told(w, log, w.s.UnpackClaimReleasedEvent)
		s := h.slots[e.SlotId]
		over(e.DealId, e.SlotId, s.obligation, new(big.Int).Sub(s.bond, e.Fee), e.Fee)
	case perpetualstorage.PerpetualStorageClaimExpiredEventName:
		e := told(w, log, w.s.UnpackClaimExpiredEvent)
		over(e.DealId, e.SlotId, h.slots[e.SlotId].obligation, new(big.Int), e.Burnt)
	case perpetualstorage.PerpetualStorageSlotActivatedEventName:
		e := told(w, log, w.s.UnpackSlotActivatedEvent)
		s := h.slots[e.SlotId]
		h.credit(s.payee).Add(h.credit(s.payee), new(big.Int).Sub(s.bond, e.Bond))
		s.bond = e.Bond
	case perpetualstorage.PerpetualStorageSlotProvenEventName:
		e := told(w, log, w.s.UnpackSlotProvenEvent)
		s := h.slots[e.SlotId]
		h.credit(s.payee).Add(h.credit(s.payee), new(big.Int).Sub(e.Earned, s.earned))
		s.earned = e.Earned
	case perpetualstorage.PerpetualStorageSlotClosedEventName:
		e := told(w, log, w.s.UnpackSlotClosedEvent)
		over(e.DealId, e.SlotId, e.Refund, e.Returned, e.Burnt)
	case perpetualstorage.PerpetualStoragePayeeChangedEventName:
		e := told(w, log, w.s.UnpackPayeeChangedEvent)
		h.slots[e.SlotId].payee = e.Payee
	}
}
