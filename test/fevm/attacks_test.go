package fevm

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	filabi "github.com/filecoin-project/go-state-types/abi"
	filbig "github.com/filecoin-project/go-state-types/big"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
)

// Attacks on perpetual storage, each by script against Filecoin's own actors, and each in
// vain. After each the money is counted.
func TestAttacks(t *testing.T) {
	w := newWorld(t)
	bls, shared, secp, eth := w.providers()
	a := &attacked{bls: bls, shared: shared, secp: secp, eth: eth}
	// Those that take days come first, while there are no sectors that have to be proven.
	for _, attack := range []struct {
		name string
		run  func(*attacked)
	}{
		{"the client never serves the CAR", (*attacked).unserved},
		{"accomplices ratchet the bounty", (*attacked).ratchet},
		{"a late notification is front-run by expireClaim", (*attacked).late},
		{"a provider seals with DataCap and has it given back", (*attacked).giveBack},
		{"a provider gives its claim back, has the DataCap given back, and then seals with it", (*attacked).giveBackEarly},
		{"a provider's f05 deal lives and dies unseen, and its DataCap is given back", (*attacked).giveBackDead},
		{"the client cancels right after the provider committed", (*attacked).cancelled},
		{"the label says one CID and the piece is another", (*attacked).mislabelled},
		{"a revert is provoked inside a publish batch", (*attacked).batch},
		{"one sector for two slots: one manifest, two notify entries", (*attacked).twoEntries},
		{"one sector for two slots: direct data and f05", (*attacked).twoRoutes},
		{"one sector for two slots: two deals of f05", (*attacked).twoDeals},
		{"a provider spends another deal's DataCap", (*attacked).dataCap},
		{"a provider seals a slot with DataCap without it", (*attacked).plain},
		{"a keeper shows a live sector dead or faulty", (*attacked).falselyDead},
	} {
		t.Run(attack.name, func(t *testing.T) {
			a.world = w.under(t)
			attack.run(a)
			a.audit("%s", attack.name)
		})
	}
	t.Logf("\n%s", w.books)
}

// attacked are who attack, and who are.
type attacked struct {
	*world
	bls, shared, secp, eth *sp
}

// fortune is what a party has in the contract: its credit and what its deals have free.
func (a *attacked) fortune(p party, deals ...uint64) *big.Int {
	a.Helper()
	sum := a.credit(p)
	for _, d := range deals {
		sum = new(big.Int).Add(sum, a.dealOf(d).Free)
	}
	return sum
}

// No slot opens without a fresh word of operators; who claimed in good faith gives the
// claim back for a small fee; and what others lose is burnt, not the client's.
func (a *attacked) unserved() {
	store := a.at[bindings.PerpetualStorage]
	p := pieceOf("never served")
	out := a.do(a.client, store, milli(20_000), a.s.PackCreateDeal(p.cid, p.commP.Bytes(), 2048, 2000, terms(2)))
	deal := event(a.world, out, a.s.UnpackDealCreatedEvent).DealId
	before := a.credit(a.bls.party)
	out = a.do(a.bls.party, store, milli(6000), a.s.PackClaimDeal(deal, 0, uint64(a.bls.m.ID())))
	if e := event(a.world, out, a.s.UnpackNothingOpenEvent); e.Credited.Cmp(milli(6000)) != 0 {
		a.Fatalf("%+v", e)
	}
	a.wantAmount("what the provider gets back", new(big.Int).Sub(a.credit(a.bls.party), before), milli(6000))

	a.serve(deal)
	fortune := a.fortune(a.client, deal)
	before = a.credit(a.bls.party)
	slot := a.claim(a.bls.party, a.bls.m, deal, 0)
	bond := a.slot(slot).Bond
	kept := a.claim(a.secp.party, a.secp.m, deal, 1)
	release := a.s.PackReleaseClaim(slot)
	a.refused(a.client, store, nil, release, "NotController")
	a.do(a.bls.party, store, nil, release)
	fee := milli(10)
	if got := new(big.Int).Sub(a.credit(a.bls.party), before); got.Cmp(new(big.Int).Sub(bond, fee)) < 0 {
		a.Fatalf("the provider gets %s of its bond of %s back", fil(got), fil(bond))
	}
	a.until(int64(a.slot(kept).SealDeadline) + day + 1)
	a.do(a.keeper, store, nil, a.s.PackExpireClaim(kept))
	a.wantAmount("the client's fortune", a.fortune(a.client, deal), fortune)
	a.do(a.client, store, nil, a.s.PackCancel(deal))
}

// Two accomplices claim in turn and let it lapse: the bounty stays, the bonds burn.
func (a *attacked) ratchet() {
	store := a.at[bindings.PerpetualStorage]
	t := terms(1)
	t.Ramp = 4 * day
	deal := a.deal(pieceOf("ratchet"), t, milli(20_000))
	slot, _ := a.seat(deal, 0)
	bounty := func() *big.Int { return read(a.world, store, a.s.PackQuoteBounty(slot), a.s.UnpackQuoteBounty) }
	start := bounty()
	for _, by := range []*sp{a.bls, a.secp} {
		a.claim(by.party, by.m, deal, 0)
		s := a.slot(slot)
		atClaim := new(big.Int).Sub(s.Obligation, new(big.Int).Mul(big.NewInt(int64(t.Rate)), big.NewInt(shortTerm)))
		a.until(int64(s.SealDeadline) + day + 1)
		// Even if the other of the two takes the tip, more is lost than could ever be gained.
		other := a.secp
		if by == a.secp {
			other = a.bls
		}
		e := event(a.world, a.do(other.party, store, nil, a.s.PackExpireClaim(slot)), a.s.UnpackClaimExpiredEvent)
		gain := new(big.Int).Sub(t.MaxBounty, atClaim)
		if e.Burnt.Cmp(gain) < 0 {
			a.Fatalf("burnt %s, the bounty could rise by %s", fil(e.Burnt), fil(gain))
		}
		a.wantAmount("the bounty, four days later", bounty(), atClaim)
	}
	if rise := new(big.Int).Sub(bounty(), start); rise.Cmp(milli(1)) > 0 { // the epochs between the steps
		a.Fatalf("the bounty rose by %s", fil(rise))
	}
	a.do(a.client, store, nil, a.s.PackCancel(deal))
}

// An expiration that comes before a late sector takes the bond, not the slot; only who
// claims in between does.
func (a *attacked) late() {
	store := a.at[bindings.PerpetualStorage]
	p := pieceOf("late")
	deal := a.deal(p, terms(2), milli(20_000))
	mine, other := a.claim(a.bls.party, a.bls.m, deal, 0), a.claim(a.secp.party, a.secp.m, deal, 1)
	sectors := map[*sp]provider.Sector{a.bls: a.direct(p, 0, mine), a.secp: a.direct(p, 0, other)}
	numbers := map[*sp][]filabi.SectorNumber{}
	for by, s := range sectors {
		n, err := by.m.PreCommit(a.ctx, s)
		a.must(err)
		numbers[by] = n
	}
	a.until(int64(a.slot(other).SealDeadline) + day + 1)
	a.serve(deal)
	for _, slot := range []uint64{mine, other} {
		a.do(a.keeper, store, nil, a.s.PackExpireClaim(slot))
		a.wants(slot, open)
	}
	a.claim(a.eth.party, a.eth.m, deal, 1)
	_, err := a.bls.m.Prove(a.ctx, numbers[a.bls], []provider.Sector{sectors[a.bls]}, provider.Demands{Notification: true})
	a.must(err)
	if s := a.wants(mine, active); s.Bond.Sign() != 0 || s.Payee != a.bls.as {
		a.Fatalf("taken late: %+v", s)
	}
	// The other's slot has been claimed by somebody else. Who demands that the contract accepts,
	// does not seal in vain.
	_, err = a.secp.m.Prove(a.ctx, numbers[a.secp], []provider.Sector{sectors[a.secp]}, provider.Demands{Notification: true})
	var exit *provider.ExitError
	if !errors.As(err, &exit) {
		a.Fatalf("a sector for a slot that is another's: %v", err)
	}
	if s := a.wants(other, claimed); s.MinerId != uint64(a.eth.m.ID()) {
		a.Fatalf("the slot is no longer the claimant's: %+v", s)
	}
}

// What was reserved at the claim stays so.
func (a *attacked) cancelled() {
	store := a.at[bindings.PerpetualStorage]
	p := pieceOf("cancelled")
	deal := a.deal(p, terms(2), milli(20_000))
	first, second := a.claim(a.bls.party, a.bls.m, deal, 0), a.claim(a.shared.party, a.shared.m, deal, 1)
	id := a.publish(a.shared.m, second)
	reserved := a.slot(first).Obligation
	a.do(a.client, store, nil, a.s.PackCancel(deal))
	a.refused(a.client, store, nil, a.s.PackWithdrawSurplus(deal, big.NewInt(1)), "WrongStatus")
	sector := a.seal(a.bls.m, a.direct(p, 0, first))[0]
	a.seal(a.shared.m, a.ofDeal(p, id))
	a.do(a.shared.party, store, nil, a.s.PackProveActive([]uint64{second}, [][]byte{nil}))
	a.wants(second, active)
	s := a.wants(first, active)
	a.wantAmount("what the slot pays", s.Obligation, reserved)
	a.pass(100)
	earned := a.prove(a.bls.party, a.bls.m, first, sector)
	s = a.slot(first)
	a.wantAmount("earned of a cancelled deal", earned, earnedFor(reserved, int64(s.LastProof-s.Start)))
}

// The piece counts, on both routes, not what a label says.
func (a *attacked) mislabelled() {
	p, other := pieceOf("labelled"), pieceOf("other")
	deal := a.deal(p, terms(2), milli(20_000))
	mine, direct := a.claim(a.shared.party, a.shared.m, deal, 0), a.claim(a.bls.party, a.bls.m, deal, 1)
	fake := a.proposal(a.shared.m, mine)
	fake.PieceCID = other.commP
	if _, err := a.shared.m.Publish(a.ctx, signed(fake)); !refusedBy(err, exitcode.ErrIllegalArgument) {
		a.Fatalf("published another piece under the slot's label: %v", err)
	}
	a.wants(mine, claimed)
	numbers, err := a.bls.m.PreCommit(a.ctx, a.direct(other, 0, direct))
	a.must(err)
	_, err = a.bls.m.Prove(a.ctx, numbers, []provider.Sector{a.direct(other, 0, direct)}, provider.Demands{Notification: true})
	var exit *provider.ExitError
	if !errors.As(err, &exit) {
		a.Fatalf("sealed another piece for the slot: %v", err)
	}
	a.wants(direct, claimed)
}

// refusedBy tells whether an actor refused with a code.
func refusedBy(err error, code exitcode.ExitCode) bool {
	var exit *provider.ExitError
	return errors.As(err, &exit) && exit.Code == code
}

// A provider's batch is published whole whatever our contract thinks of its parts: what
// came too late inside it is ignored.
func (a *attacked) batch() {
	p := pieceOf("batch")
	deal, own := a.deal(p, terms(2), milli(20_000)), a.deal(pieceOf("own"), terms(1), milli(20_000))
	poor := a.deal(pieceOf("poor"), terms(1), milli(20_000))
	mine := a.claim(a.shared.party, a.shared.m, own, 0)
	first, _ := a.seat(deal, 0)
	second, _ := a.seat(deal, 1) // nobody may have both
	third, _ := a.seat(poor, 0)
	label := func(d market18.DealProposal, text string) market18.DealProposal {
		l, err := market18.NewLabelFromString(text)
		a.must(err)
		d.Label = l
		return d
	}
	again := label(a.proposal(a.shared.m, mine), spelled(mine)+"/again")
	ids, err := a.shared.m.Publish(a.ctx,
		signed(a.proposal(a.shared.m, first)), signed(a.proposal(a.shared.m, second)),
		signed(a.proposal(a.shared.m, mine)), signed(again), signed(a.proposal(a.shared.m, third)))
	a.must(err)
	if len(ids) != 5 {
		a.Fatalf("published %v", ids)
	}
	for i, slot := range []uint64{first, 0, mine, 0, third} {
		if slot == 0 {
			continue
		}
		if s := a.wants(slot, published); s.F05DealId != uint64(ids[i]) || s.MinerId != uint64(a.shared.m.ID()) {
			a.Fatalf("slot %d: %+v, want deal %d", slot, s, ids[i])
		}
	}
	a.wants(second, open)
}

func spelled(n uint64) string { return new(big.Int).SetUint64(n).String() }

// One manifest with two entries for one piece: the sector backs one slot.
func (a *attacked) twoEntries() {
	store := a.at[bindings.PerpetualStorage]
	p := pieceOf("two entries")
	x, y := a.deal(p, terms(1), milli(20_000)), a.deal(p, terms(1), milli(20_000))
	one, two := a.claim(a.bls.party, a.bls.m, x, 0), a.claim(a.bls.party, a.bls.m, y, 0)
	sector := a.seal(a.bls.m, a.direct(p, 0, one, two, one))[0]
	a.wants(one, active)
	a.wants(two, claimed)
	// Nor later, by its claim: there is none; nor by another slot of the same miner.
	a.refused(a.bls.party, store, nil, a.s.PackActivateByClaim(two, 0), "NotProven")
	a.refused(a.bls.party, store, nil, a.s.PackProveActive([]uint64{two}, [][]byte{a.location(a.bls.m, sector, filabi.SectorStatusCodeActive)}), "WrongState")
}

// A sector of which the market and our contract are told: whoever is first.
func (a *attacked) twoRoutes() {
	store := a.at[bindings.PerpetualStorage]
	p := pieceOf("two routes")
	x, y := a.deal(p, terms(1), milli(20_000)), a.deal(p, terms(1), milli(20_000))
	byDeal, bySector := a.claim(a.shared.party, a.shared.m, x, 0), a.claim(a.shared.party, a.shared.m, y, 0)
	id := a.publish(a.shared.m, byDeal)
	sector := a.ofDeal(p, id)
	sector.Pieces[0].Notify = a.direct(p, 0, bySector).Pieces[0].Notify
	a.seal(a.shared.m, sector)
	a.wants(bySector, active)
	a.refused(a.shared.party, store, nil, a.s.PackProveActive([]uint64{byDeal}, [][]byte{nil}), "Refused[used]")
	a.wants(byDeal, published)
}

// Two deals in f05 for two slots, whose same piece lies in one sector twice.
func (a *attacked) twoDeals() {
	store := a.at[bindings.PerpetualStorage]
	p := pieceOf("two deals")
	p.size = 1024
	x, y := a.deal(p, terms(1), milli(20_000)), a.deal(p, terms(1), milli(20_000))
	one, two := a.claim(a.shared.party, a.shared.m, x, 0), a.claim(a.shared.party, a.shared.m, y, 0)
	first, second := a.publish(a.shared.m, one), a.publish(a.shared.m, two)
	sector := a.ofDeal(p, first)
	sector.Pieces = append(sector.Pieces, a.ofDeal(p, second).Pieces...)
	a.seal(a.shared.m, sector)
	a.do(a.shared.party, store, nil, a.s.PackProveActive([]uint64{one}, [][]byte{nil}))
	a.refused(a.shared.party, store, nil, a.s.PackProveActive([]uint64{two}, [][]byte{nil}), "Refused[used]")
	a.refused(a.shared.party, store, nil, a.s.PackPublishDeal(two, uint64(first)), "WrongState")
}

// verified gives a deal DataCap for so many bytes; a notary can name no deal, the steward
// does.
func (w *world) verified(name string, bytes int64) uint64 {
	w.Helper()
	t := terms(1)
	t.Verified = true
	deal := w.deal(pieceOf(name), t, milli(20_000))
	if bytes > 0 {
		w.dataCap(deal, bytes)
	}
	return deal
}

func (w *world) dataCap(deal uint64, bytes int64) {
	w.Helper()
	gate, notary := w.at[bindings.StorageGate], w.of(chain.Secp256k1, 2)
	w.must(w.fleet.AddNotary(w.ctx, notary.Address, filbig.NewInt(1<<20)))
	w.must(w.fleet.GrantDataCap(w.ctx, notary, filecoinOf(gate), filbig.NewInt(bytes)))
	w.do(w.owner, gate, nil, w.g.PackAssignDataCap(deal, big.NewInt(bytes)))
}

// A deal's DataCap is for its own slots, each once: not for deals without, and not twice
// under two labels.
func (a *attacked) dataCap() {
	gate := a.at[bindings.StorageGate]
	rich, poor, greedy := a.verified("rich", 2048), a.verified("poor", 0), a.verified("greedy", 2048)
	victim := a.claim(a.secp.party, a.secp.m, rich, 0)
	without := a.claim(a.shared.party, a.shared.m, poor, 0)
	attacker := a.claim(a.shared.party, a.shared.m, greedy, 0)
	grant := func(by *sp, slot uint64) { a.do(by.party, gate, nil, a.g.PackGrantDataCap(slot)) }
	a.refused(a.shared.party, gate, nil, a.g.PackGrantDataCap(without), "NoDataCap")
	a.refused(a.shared.party, gate, nil, a.g.PackGrantDataCap(victim), "NotController")
	grant(a.secp, victim)
	if _, err := a.shared.m.Publish(a.ctx, signed(a.proposal(a.shared.m, without))); !refusedBy(err, exitcode.ErrIllegalArgument) {
		a.Fatalf("published on another deal's DataCap: %v", err)
	}
	grant(a.shared, attacker)
	a.refused(a.shared.party, gate, nil, a.g.PackGrantDataCap(attacker), "WrongState")
	before, err := a.fleet.DataCap(a.ctx, filecoinOf(gate))
	a.must(err)
	had := before.Int64()
	honest := a.proposal(a.shared.m, attacker)
	all := []market18.ClientDealProposal{signed(honest)}
	for _, other := range a.variants(a.shared, honest) {
		all = append(all, signed(other))
	}
	ids, err := a.shared.m.Publish(a.ctx, all...)
	if len(ids) != 1 || !errors.Is(err, provider.ErrDealRefused) {
		a.Errorf("published %v of one grant: %v", ids, err)
	}
	a.wants(attacker, published)
	if left, err := a.fleet.DataCap(a.ctx, filecoinOf(gate)); err != nil || left.Int64() != had-2048 {
		a.Errorf("the gate has DataCap for %s bytes left, want %d: %v", left, had-2048, err)
	}
	if _, err := a.secp.m.Publish(a.ctx, signed(a.proposal(a.secp.m, victim))); err != nil {
		a.Errorf("the victim's DataCap is gone: %v", err)
	}
	for i, again := range all {
		if _, err := a.shared.m.Publish(a.ctx, again); !refusedBy(err, exitcode.ErrIllegalArgument) {
			a.Errorf("published variant %d again: %v", i, err)
		}
	}
}

// DataCap that comes back from an allocation that ran out is of the deal that it was of,
// not of one whose allocation was claimed and whose slot was let lapse.
func (a *attacked) giveBack() {
	gate, store := a.at[bindings.StorageGate], a.at[bindings.PerpetualStorage]
	slots := map[*sp]uint64{}
	allocations := map[*sp]verifreg.AllocationId{}
	for by, name := range map[*sp]string{a.secp: "ran out", a.shared: "sealed"} {
		slots[by] = a.claim(by.party, by.m, a.verified(name, 2048), 0)
		out := a.do(by.party, gate, nil, a.g.PackAllocateDataCap(slots[by]))
		allocations[by] = verifreg.AllocationId(event(a.world, out, a.g.UnpackDataCapSpentEvent).AllocationId)
	}
	client, err := a.chain.Resolve(a.ctx, filecoinOf(gate), nil)
	a.must(err)
	p := pieceOf("sealed")
	sector := a.seal(a.shared.m, provider.Sector{Pieces: []provider.Piece{{
		CID: p.commP, Size: p.size, Allocation: &provider.Allocation{Client: client, ID: allocations[a.shared]},
	}}})[0]
	a.until(int64(max(a.slot(slots[a.secp]).SealDeadline, a.slot(slots[a.shared]).SealDeadline)) + day + 1)
	for _, slot := range slots {
		a.do(a.keeper, store, nil, a.s.PackExpireClaim(slot))
	}
	reclaim := func(by *sp) []byte { return a.g.PackReclaimDataCap(slots[by]) }
	a.refused(a.keeper, gate, nil, reclaim(a.secp), "StorageGate_NoDataCap")
	_, err = a.fleet.RemoveExpiredAllocations(a.ctx, a.secp.key, client, allocations[a.secp])
	a.must(err)
	a.refused(a.shared.party, gate, nil, reclaim(a.shared), "StorageGate_WrongState")
	a.do(a.keeper, gate, nil, reclaim(a.secp))
	a.must(a.shared.m.Terminate(a.ctx, sector)) // so that it has not to be proven every day
}

// A location that is not the sector's shows nothing of it.
func (a *attacked) falselyDead() {
	p := pieceOf("alive")
	slot := a.claim(a.bls.party, a.bls.m, a.deal(p, terms(1), milli(20_000)), 0)
	sector := a.seal(a.bls.m, a.direct(p, 0, slot))[0]
	locations := [][]byte{nil, {0x80}, {0x82, 0x20, 0x20}, {0x82, 0x18, 48, 0}, a.location(a.bls.m, sector, filabi.SectorStatusCodeActive)}
	for deadline := range byte(24) { // of 48; one-byte numbers
		locations = append(locations, []byte{0x82, deadline, 0}, []byte{0x82, deadline, 1})
	}
	store := a.at[bindings.PerpetualStorage]
	for _, status := range []uint8{0, 2} {
		for _, location := range locations {
			out := a.look(a.keeper, store, a.s.PackCheckDeal(slot, status, location), false)
			if got := a.errorOf(out.answer); out.code == exitcode.Ok || !strings.Contains(got, "NotProven") {
				a.Fatalf("status %d at %x of a live sector: exit code %d, %s", status, location, out.code, got)
			}
		}
	}
	a.wants(slot, active)
}

// variants are proposals that differ from one in what a provider could change: by the
// label, by how an address is spelled, and by terms.
func (a *attacked) variants(by *sp, p market18.DealProposal) []market18.DealProposal {
	a.Helper()
	label, err := p.Label.ToString()
	a.must(err)
	var out []market18.DealProposal
	add := func(change func(*market18.DealProposal) error) {
		v := p
		a.must(change(&v))
		out = append(out, v)
	}
	add(func(v *market18.DealProposal) (err error) {
		v.Label, err = market18.NewLabelFromString(label + "?")
		return err
	})
	add(func(v *market18.DealProposal) (err error) {
		v.Label, err = market18.NewLabelFromBytes([]byte(label))
		return err
	})
	add(func(v *market18.DealProposal) (err error) {
		id, err := a.chain.Resolve(a.ctx, v.Client, nil)
		if err == nil {
			v.Client, err = address.NewIDAddress(uint64(id))
		}
		return err
	})
	add(func(v *market18.DealProposal) error { v.Provider = by.m.Robust(); return nil })
	add(func(v *market18.DealProposal) error { v.StartEpoch--; return nil })
	add(func(v *market18.DealProposal) error { v.EndEpoch++; return nil })
	add(func(v *market18.DealProposal) error {
		v.ProviderCollateral = filbig.Add(v.ProviderCollateral, filbig.NewInt(1))
		return nil
	})
	return out
}
