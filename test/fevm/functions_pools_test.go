package fevm

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	filabi "github.com/filecoin-project/go-state-types/abi"

	"github.com/tidegate/tidegate/bindings/storagepools"
)

// pools are clients whose small pieces lie in one aggregate: two join, by keys of both
// kinds, one provider seals the aggregate, another shows the same sector in vain, the
// sector is terminated, and both take their part of what came back.
func (f *functions) pools() {
	whole, parts, proof := f.aggregated("functions, pooled by 0x", "functions, pooled by f1")
	piece := func(i int) storagepools.PooledPiece {
		return storagepools.PooledPiece{Cid: parts[i].cid, PieceCid: parts[i].commP.Bytes(), PaddedSize: 256}
	}
	bad := terms(1)
	bad.Term = day
	create := with(whole.cid, whole.commP.Bytes(), uint64(2048), uint64(2000), terms(1))
	out := f.calls(
		row{by: f.stranger, to: pools, fn: "openPool", args: with(whole.cid, whole.commP.Bytes(), uint64(2048), uint64(2000), bad), want: "TermsOutOfRange[term]"},
		row{by: f.stranger, to: pools, fn: "openPool", args: create, value: milli(1)},
	)
	deal := event(f.world, out, f.l.UnpackPoolOpenedEvent).DealId
	price := read(f.world, f.at[pools], f.l.PackPriceOf(deal, 256), f.l.UnpackPriceOf)
	f.calls(
		row{by: f.stranger, to: pools, fn: "priceOf", args: with(deal+1, uint64(256)), want: "!StoragePools_UnknownPool"},
		row{by: f.client, to: pools, fn: "join", args: with(deal, piece(0), proof(0)), value: milli(1), want: "StoragePools_PriceNotPaid"},
		row{by: f.client, to: pools, fn: "join", args: with(deal, piece(0), proof(1)), value: price, want: "Podsi_"},
		row{by: f.client, to: pools, fn: "join", args: with(f.deal, piece(0), proof(0)), value: price, want: "StoragePools_UnknownPool"},
		row{by: f.client, to: pools, fn: "join", args: with(deal, piece(0), proof(0)), value: milli(6000)},
		row{by: f.client, to: pools, fn: "join", args: with(deal, piece(0), proof(0)), value: price, want: "StoragePools_AlreadyJoined"},
		row{by: f.native, to: pools, fn: "join", args: with(deal, piece(1), proof(1)), value: milli(6000)},
		row{by: f.stranger, to: pools, fn: "pay", args: with(deal, f.native.as), value: milli(6000)},
		row{by: f.stranger, to: pools, fn: "pay", args: with(deal, f.native.as), want: "PerpetualStorage_ZeroAmount"},
		row{by: f.stranger, to: pools, fn: "pieceOf", args: with(deal, f.native.as, parts[1].digest), want: "true 256"},
		row{by: f.stranger, to: pools, fn: "sharesOf", args: with(deal, f.client.as), want: "6000"},
		row{by: f.client, to: storage, fn: "cancel", args: with(deal), want: "PerpetualStorage_NotClient"},
		row{by: f.stranger, to: pools, fn: "perpetualStorage", want: f.at[storage].Hex()},
		row{by: f.stranger, to: pools, fn: "nextSeq"},
	)
	f.serve(deal)
	f.pooledSector(deal, whole)

	f.calls(row{by: f.keeper, to: pools, fn: "leave", args: with(deal, big.NewInt(1)), want: "StoragePools_NoShares"})
	taken := new(big.Int)
	for _, member := range []party{f.client, f.native, f.stranger} {
		shares := read(f.world, f.at[pools], f.l.PackSharesOf(deal, member.as), f.l.UnpackSharesOf)
		out := f.calls(row{by: member, to: pools, fn: "leave", args: with(deal, shares)})
		left := event(f.world, out, f.l.UnpackShareLeftEvent)
		taken.Add(taken, left.Amount)
		f.calls(
			row{by: f.stranger, to: pools, fn: "creditOf", args: with(member.as), want: left.Amount.String()},
			row{by: member, to: pools, fn: "withdraw", args: with(common.Address{}), want: "StoragePools_TransferFailed"},
			row{by: member, to: pools, fn: "withdraw", args: with(member.as)},
			row{by: member, to: pools, fn: "withdraw", args: with(member.as), want: "StoragePools_NothingToWithdraw"},
		)
	}
	slot, _ := f.seat(deal, 0)
	earned := f.slotOf(slot - 1).Earned
	f.wantAmount("what members took", taken, new(big.Int).Sub(milli(18_001), earned))
	f.wantAmount("what is left in the pools", f.balance(filecoinOf(f.at[pools])), new(big.Int))
}

// pooledSector has a pool's slot be sealed, proven and lost.
func (f *functions) pooledSector(deal uint64, whole storedPiece) {
	slot := f.claim(f.secp.party, f.secp.m, deal, 0)
	twin := f.claim(f.secp.party, f.secp.m, f.world.deal(whole, terms(1), milli(20_000)), 0)
	sector := f.seal(f.secp.m, f.direct(whole, 0, slot, twin))[0]
	f.wants(slot, active)
	f.wants(twin, claimed) // the sector backs one slot
	f.pass(100)
	f.prove(f.keeper, f.secp.m, slot, sector)
	view := read(f.world, f.at[pools], f.l.PackPoolOf(deal), f.l.UnpackPoolOf)
	s := f.slotOf(slot)
	if view.Active != 1 || view.Until != s.End || view.Pieces != 2 || view.CommP != whole.digest {
		f.Fatalf("the pool of an active slot: %+v", view)
	}
	f.wantAmount("the pool's worth", view.Value, new(big.Int).Sub(milli(18_001), s.Earned))
	f.must(f.secp.m.Terminate(f.ctx, sector))
	f.check(f.keeper, f.secp.m, slot, sector, filabi.SectorStatusCodeDead)
	f.wants(slot, lost)
	view = read(f.world, f.at[pools], f.l.PackPoolOf(deal), f.l.UnpackPoolOf)
	if view.Active != 0 || view.Free.Cmp(view.Value) != 0 {
		f.Fatalf("the pool of a lost slot: %+v", view)
	}
	f.calls(row{by: f.secp.party, to: storage, fn: "releaseClaim", args: with(twin)})
}
