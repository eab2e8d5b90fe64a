package fevm

import (
	"fmt"
	"math/big"
	"os"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings"
)

// soak says that there is time: TIDEGATE_SOAK=1.
var soak = os.Getenv("TIDEGATE_SOAK") != ""

// States of a slot, as IPerpetualStorage numbers them.
const (
	open = iota
	claimed
	published
	active
	ended
	lost
	terminated
)

// books are what PerpetualStorage must hold: all that was sent to it, less what it paid
// and burnt. Each audit counts the same money three times more: by its balance, by what its
// deals, slots and accounts say, and by its events alone.
type books struct {
	in, out, burnt *big.Int
	known          []party
	rows           []entry
	heard          *heard
}

// entry is the money after a step, in attoFIL.
type entry struct {
	epoch                                   int64
	step                                    string
	in, out, burnt                          *big.Int
	free, reserved, bonds, credit, burnable *big.Int
}

func newBooks(w *world) *books {
	return &books{
		in: new(big.Int), out: new(big.Int), burnt: new(big.Int),
		known: []party{w.owner, w.operator, w.client, w.keeper, w.stranger},
		heard: newHeard(),
	}
}

// knows adds parties who may have a credit.
func (b *books) knows(p ...party) { b.known = append(b.known, p...) }

// note writes down what a call moved into the contract and out of it.
func (b *books) note(w *world, to common.Address, value *big.Int, data []byte, out outcome) {
	w.Helper()
	store := w.at[bindings.PerpetualStorage]
	for _, log := range out.logs {
		if e, err := w.s.UnpackWithdrawnEvent(log); err == nil && log.Address == store {
			b.out.Add(b.out, e.Amount)
		}
		if e, err := w.s.UnpackBurntEvent(log); err == nil && log.Address == store {
			b.burnt.Add(b.burnt, e.Amount)
		}
	}
	if to == w.at[bindings.StoragePools] && value != nil { // all of it is paid on
		b.in.Add(b.in, value)
	}
	if to != store || value == nil {
		return
	}
	method, err := w.abis[to].MethodById(data)
	w.must(err)
	switch method.Name {
	case "requestServed": // all of it is the operators'
	case "prepareDeal":
		args, err := method.Inputs.Unpack(data[4:])
		w.must(err)
		b.in.Add(b.in, new(big.Int).Sub(value, args[2].(*big.Int)))
	default:
		b.in.Add(b.in, value)
	}
}

// audit counts the money after a step and fails where an attoFIL is missing or too much.
func (w *world) audit(step string, args ...any) entry {
	w.Helper()
	b, store := w.books, w.at[bindings.PerpetualStorage]
	e := entry{
		epoch: w.epoch(), step: fmt.Sprintf(step, args...),
		in: new(big.Int).Set(b.in), out: new(big.Int).Set(b.out), burnt: new(big.Int).Set(b.burnt),
		free: new(big.Int), reserved: new(big.Int), bonds: new(big.Int), credit: new(big.Int),
		burnable: read(w, store, w.s.PackBurnable(), w.s.UnpackBurnable),
	}
	for deal := range read(w, store, w.s.PackNextDeal(), w.s.UnpackNextDeal) {
		w.count(deal, &e)
	}
	for _, p := range b.known {
		e.credit.Add(e.credit, w.credit(p))
	}
	b.rows = append(b.rows, e)
	held := new(big.Int).Sub(new(big.Int).Sub(e.in, e.out), e.burnt)
	if has := w.balance(filecoinOf(store)); has.Cmp(held) != 0 {
		w.Fatalf("%s: PerpetualStorage has %s, of what came and went %s are left\n%s", e.step, fil(has), fil(held), w.books)
	}
	if owed := e.owed(); owed.Cmp(held) != 0 {
		w.Fatalf("%s: PerpetualStorage has %s and owes %s\n%s", e.step, fil(held), fil(owed), w.books)
	}
	w.replayed(e)
	return e
}

// count adds what is in a deal. Only slots of its seats hold money.
func (w *world) count(deal uint64, e *entry) {
	w.Helper()
	store := w.at[bindings.PerpetualStorage]
	d := read(w, store, w.s.PackDealOf(deal), w.s.UnpackDealOf)
	e.free.Add(e.free, d.Free)
	for index := range uint8(5) { // no test has a deal with more seats
		seat := read(w, store, w.s.PackSeatOf(deal, index), w.s.UnpackSeatOf)
		for _, id := range []uint64{seat.Current, seat.Next} {
			if id == 0 {
				continue
			}
			s := w.slot(id)
			e.bonds.Add(e.bonds, s.Bond)
			if s.State == claimed || s.State == published || s.State == active {
				e.reserved.Add(e.reserved, new(big.Int).Sub(s.Obligation, s.Earned))
			}
		}
	}
}

func (e entry) owed() *big.Int {
	sum := new(big.Int)
	for _, part := range []*big.Int{e.free, e.reserved, e.bonds, e.credit, e.burnable} {
		sum.Add(sum, part)
	}
	return sum
}

// credit is what the contract owes a party.
func (w *world) credit(p party) *big.Int {
	w.Helper()
	return read(w, w.at[bindings.PerpetualStorage], w.s.PackCreditOf(p.as), w.s.UnpackCreditOf)
}

// fil writes attoFIL as FIL, exactly.
func fil(atto *big.Int) string {
	whole, rest := new(big.Int).QuoRem(atto, big.NewInt(1e18), new(big.Int))
	sign := ""
	if atto.Sign() < 0 {
		sign, whole, rest = "-", whole.Abs(whole), rest.Abs(rest)
	}
	return fmt.Sprintf("%s%d.%018d", sign, whole, rest)
}

// String is the ledger as a table for people, in FIL.
func (b *books) String() string {
	var out strings.Builder
	columns := []string{"came in", "paid out", "burnt", "deals: free", "slots: reserved", "bonds", "credits", "to burn"}
	fmt.Fprintf(&out, "%7s  %-52s", "epoch", "after")
	for _, c := range columns {
		fmt.Fprintf(&out, " %23s", c)
	}
	for _, e := range b.rows {
		fmt.Fprintf(&out, "\n%7d  %-52s", e.epoch, e.step)
		for _, v := range []*big.Int{e.in, e.out, e.burnt, e.free, e.reserved, e.bonds, e.credit, e.burnable} {
			fmt.Fprintf(&out, " %23s", fil(v))
		}
	}
	return out.String()
}
