package fevm

import (
	filabi "github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin/v18/verifreg"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/devnet/provider"
)

// allocated gives a deal of its own DataCap and makes the allocation for a claim of it.
func (a *attacked) allocated(by *sp, name string) (slot uint64, id verifreg.AllocationId) {
	a.Helper()
	slot = a.claim(by.party, by.m, a.verified(name, 2048), 0)
	out := a.do(by.party, a.at[bindings.StorageGate], nil, a.g.PackAllocateDataCap(slot))
	return slot, verifreg.AllocationId(event(a.world, out, a.g.UnpackDataCapSpentEvent).AllocationId)
}

// comesBack has the DataCap of an allocation that ran out come back to the gate, where it
// waits until somebody says which slot it was of.
func (a *attacked) comesBack(id verifreg.AllocationId) {
	a.Helper()
	client, err := a.chain.Resolve(a.ctx, filecoinOf(a.at[bindings.StorageGate]), nil)
	a.must(err)
	_, err = a.fleet.RemoveExpiredAllocations(a.ctx, a.secp.key, client, id)
	a.must(err)
}

// returned is the DataCap that came back and was given to no deal.
func (a *attacked) returned() uint64 {
	a.Helper()
	return read(a.world, a.at[bindings.StorageGate], a.g.PackReturnedDataCap(), a.g.UnpackReturnedDataCap).Uint64()
}

// A claim that is given back after a day leaves its allocation open until the deadline: as
// long as it can be sealed, nothing is given back for it.
func (a *attacked) giveBackEarly() {
	gate, store := a.at[bindings.StorageGate], a.at[bindings.PerpetualStorage]
	victim, ranOut := a.allocated(a.secp, "ran out before")
	a.until(int64(a.slot(victim).SealDeadline) + day + 1)
	a.do(a.keeper, store, nil, a.s.PackExpireClaim(victim))
	a.comesBack(ranOut)
	if got := a.returned(); got != 2048 {
		a.Fatalf("%d bytes came back", got)
	}
	mine, id := a.allocated(a.shared, "given back early")
	a.do(a.shared.party, store, nil, a.s.PackReleaseClaim(mine))
	a.refused(a.shared.party, gate, nil, a.g.PackReclaimDataCap(mine), "StorageGate_WrongState")
	client, err := a.chain.Resolve(a.ctx, filecoinOf(gate), nil)
	a.must(err)
	p := pieceOf("given back early")
	sector := a.seal(a.shared.m, provider.Sector{Pieces: []provider.Piece{{
		CID: p.commP, Size: p.size, Allocation: &provider.Allocation{Client: client, ID: id},
	}}})[0]
	a.do(a.keeper, gate, nil, a.g.PackReclaimDataCap(victim))
	a.must(a.shared.m.Terminate(a.ctx, sector))
}

// A deal of f05 that was activated has spent its DataCap, though it died before anybody
// told its slot: what came back is another's. The market forgets the one like the other,
// so only for a deal that it still has, and that missed its start, is anything given back.
func (a *attacked) giveBackDead() {
	gate, store := a.at[bindings.StorageGate], a.at[bindings.PerpetualStorage]
	victim, ranOut := a.allocated(a.secp, "ran out, and another lived and died")
	slots := map[string]uint64{}
	ids := map[string]filabi.DealID{}
	for _, name := range []string{"lived and died", "missed its start"} {
		slots[name] = a.claim(a.shared.party, a.shared.m, a.verified(name, 2048), 0)
		a.do(a.shared.party, gate, nil, a.g.PackGrantDataCap(slots[name]))
		ids[name] = a.publish(a.shared.m, slots[name])
	}
	sector := a.seal(a.shared.m, a.ofDeal(pieceOf("lived and died"), ids["lived and died"]))[0]
	a.must(a.shared.m.Terminate(a.ctx, sector))
	a.until(int64(a.slot(slots["missed its start"]).SealDeadline) + day + 1)
	for _, slot := range []uint64{victim, slots["lived and died"], slots["missed its start"]} {
		a.do(a.keeper, store, nil, a.s.PackExpireClaim(slot))
	}
	a.comesBack(ranOut)
	reclaim := func(name string) []byte { return a.g.PackReclaimDataCap(slots[name]) }
	a.refused(a.shared.party, gate, nil, reclaim("lived and died"), "StorageGate_WrongState")
	// What missed its start draws on the same: it is as good as the victim's, whose own is still to come.
	a.do(a.keeper, gate, nil, reclaim("missed its start"))
	a.refused(a.keeper, gate, nil, a.g.PackReclaimDataCap(victim), "StorageGate_NoDataCap")
	a.comesBack(ranOut + 2)
	a.do(a.keeper, gate, nil, a.g.PackReclaimDataCap(victim))
	// The steward alone could say otherwise.
	a.refused(a.keeper, gate, nil, reclaim("lived and died"), "StorageGate_WrongState")
}

// A sector that does not claim the allocation is not taken for a slot with DataCap, though
// its miner tells of it; one that does is, by the same notification.
func (a *attacked) plain() {
	slot, id := a.allocated(a.bls, "sealed without DataCap")
	p := pieceOf("sealed without DataCap")
	a.seal(a.bls.m, a.direct(p, 0, slot))
	a.wants(slot, claimed)
	client, err := a.chain.Resolve(a.ctx, filecoinOf(a.at[bindings.StorageGate]), nil)
	a.must(err)
	with := a.direct(p, 0, slot)
	with.Pieces[0].Allocation = &provider.Allocation{Client: client, ID: id}
	a.seal(a.bls.m, with)
	if s := a.wants(slot, active); s.Route != 2 {
		a.Fatalf("activated %+v", s)
	}
}
