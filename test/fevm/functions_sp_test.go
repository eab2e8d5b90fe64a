package fevm

import (
	"math/big"

	filabi "github.com/filecoin-project/go-state-types/abi"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/bindings/storagegate"
	"github.com/tidegate/tidegate/devnet/provider"
)

func (s *sp) miner() uint64 { return uint64(s.m.ID()) }

// claims are made, refused and given back by providers of all kinds.
func (f *functions) claims() {
	f.sealed = pieceOf("functions")
	f.deal = f.world.deal(f.sealed, terms(3), milli(40_000))
	own := f.calls(row{by: f.eth.party, to: storage, fn: "createDeal", args: with(f.sealed.cid, f.sealed.commP.Bytes(), uint64(2048), uint64(2000), terms(1)), value: milli(3000)})
	ofProvider := event(f.world, own, f.s.UnpackDealCreatedEvent).DealId
	f.serve(ofProvider)
	third, _ := f.seat(f.deal, 2)
	f.calls(
		row{by: f.stranger, to: storage, fn: "openSlots", args: with(f.deal, big.NewInt(1)), want: spelled(third)},
		row{by: f.stranger, to: storage, fn: "nextOpening", args: with(f.deal), want: spelled(uint64(f.epoch()))},
		row{by: f.stranger, to: storage, fn: "quoteBounty", args: with(third), want: "1000"},
		row{by: f.stranger, to: storage, fn: "claimDeal", args: with(f.deal, uint8(0), f.bls.miner()), value: milli(9000), want: "PerpetualStorage_NotController"},
		row{by: f.bls.party, to: storage, fn: "claimDeal", args: with(f.deal, uint8(0), f.bls.miner()), value: milli(400), want: "PerpetualStorage_BondTooLow"},
		row{by: f.eth.party, to: storage, fn: "claimDeal", args: with(ofProvider, uint8(0), f.eth.miner()), value: milli(9000), want: "PerpetualStorage_ClientIsProvider"},
	)
	f.slot = f.claim(f.bls.party, f.bls.m, f.deal, 0)
	f.claim(f.shared.party, f.shared.m, f.deal, 1)
	f.calls(row{by: f.eth.party, to: storage, fn: "claimDeal", args: with(f.deal, uint8(255), f.eth.miner()), value: milli(9000), want: "PerpetualStorage_NotDistinct"}) // one organisation with the second
	f.calls(
		row{by: f.keeper, to: gate, fn: "announce", args: with(third)},
		row{by: f.keeper, to: gate, fn: "announce", args: with(third), want: "StorageGate_AnnouncedLately"},
	)
	f.claim(f.secp.party, f.secp.m, f.deal, 2)
	f.calls(
		row{by: f.keeper, to: storage, fn: "releaseClaim", args: with(third), want: "PerpetualStorage_NotController"},
		row{by: f.secp.party, to: storage, fn: "releaseClaim", args: with(third)},
		row{by: f.secp.party, to: storage, fn: "releaseClaim", args: with(third), want: "PerpetualStorage_WrongState"},
		row{by: f.eth.party, to: storage, fn: "cancel", args: with(ofProvider)},
	)
}

// markets are what Boost and Curio read of a claimed slot.
func (f *functions) markets() {
	var id, none [32]byte
	new(big.Int).SetUint64(f.slot).FillBytes(id[:])
	none[31] = 5
	view := storagegate.ICurioDealViewCurioDealView{
		DealId: new(big.Int).SetUint64(f.slot), ProviderActorId: new(big.Int).SetUint64(f.bls.miner()), PieceCidV2: f.sealed.commP.Bytes(),
		StartEpoch: new(big.Int), Duration: big.NewInt(shortTerm + day), AllocationId: new(big.Int), FinalizedEpoch: new(big.Int),
	}
	short := view
	short.Duration = big.NewInt(day)
	wrong := perpetualstorage.PublishedDeal{
		MinerId: f.bls.miner(), PaddedSize: 2048, PricePerEpoch: new(big.Int), ProviderCollateral: milli(200), ClientCollateral: new(big.Int),
	}
	f.calls(
		row{by: f.stranger, to: gate, fn: "version", want: "=1"},
		row{by: f.stranger, to: gate, fn: "getDealState", args: with(view.DealId), want: "=0"},
		row{by: f.stranger, to: gate, fn: "getDealState", args: with(big.NewInt(5)), want: "!DealNotFound"},
		row{by: f.stranger, to: gate, fn: "verifyDeal", args: with(view), want: "true"},
		row{by: f.stranger, to: gate, fn: "verifyDeal", args: with(short), want: "false"},
		row{by: f.stranger, to: gate, fn: "getDealProposal", args: with(none), want: "!DealNotFound"},
		row{by: f.stranger, to: gate, fn: "getExtraParams", args: with(none), want: "!DealNotFound"},
		row{by: f.stranger, to: gate, fn: "getExtraParams", args: with(id), want: "104 116 116 112 58"},       // http:
		row{by: f.stranger, to: storage, fn: "whyNot", args: with(f.slot, wrong), want: "112 105 101 99 101"}, // piece
		row{by: f.stranger, to: gate, fn: "nextSeq"},
		row{by: f.stranger, to: gate, fn: "perpetualStorage", want: f.at[storage].Hex()},
	)
	if p := f.proposal(f.bls.m, f.slot); p.PieceCID != f.sealed.commP || p.EndEpoch != p.StartEpoch+shortTerm {
		f.Fatalf("the gate offers %+v", p)
	}
}

// verifiedData is DataCap: assigned, allocated, claimed, extended, granted, given back.
func (f *functions) verifiedData() {
	deal := f.verified("functions, verified", 4096)
	slot := f.claim(f.bls.party, f.bls.m, deal, 0)
	f.verifiedSlot = slot
	f.calls(
		row{by: f.stranger, to: gate, fn: "assignDataCap", args: with(deal, big.NewInt(1)), want: "StorageGate_NotSteward"},
		row{by: f.owner, to: gate, fn: "assignDataCap", args: with(deal, big.NewInt(1)), want: "StorageGate_NoDataCap"},
		row{by: f.stranger, to: gate, fn: "dataCapOf", args: with(deal), want: "=4096"},
		row{by: f.stranger, to: gate, fn: "unnamedDataCap", want: "=0"},
		row{by: f.stranger, to: gate, fn: "returnedDataCap", want: "=0"},
		row{by: f.stranger, to: gate, fn: "steward", want: f.owner.as.Hex()},
		row{by: f.stranger, to: gate, fn: "allocateDataCap", args: with(slot), want: "StorageGate_NotController"},
	)
	out := f.calls(row{by: f.bls.party, to: gate, fn: "allocateDataCap", args: with(slot)})
	f.allocation = event(f.world, out, f.g.UnpackDataCapSpentEvent).AllocationId
	client, err := f.chain.Resolve(f.ctx, filecoinOf(f.at[gate]), nil)
	f.must(err)
	f.seal(f.bls.m, provider.Sector{Pieces: []provider.Piece{{
		CID: pieceOf("functions, verified").commP, Size: 2048, Allocation: &provider.Allocation{Client: client, ID: verifreg.AllocationId(f.allocation)},
	}}})
	f.calls(
		row{by: f.bls.party, to: gate, fn: "allocateDataCap", args: with(slot), want: "StorageGate_WrongState"},
		row{by: f.stranger, to: storage, fn: "activateByClaim", args: with(slot, f.allocation), want: "PerpetualStorage_NotController"},
		row{by: f.bls.party, to: storage, fn: "activateByClaim", args: with(slot, f.allocation+1), want: "PerpetualStorage_NotProven"},
		row{by: f.bls.party, to: storage, fn: "activateByClaim", args: with(slot, f.allocation)},
	)
	if s := f.wants(slot, active); s.Route != 3 || s.F05DealId != f.allocation {
		f.Fatalf("activated %+v", s)
	}
	f.pass(100)
	extend := row{by: f.bls.party, to: gate, fn: "extendClaim", args: with(slot, f.allocation)}
	f.calls(row{by: f.stranger, to: gate, fn: "extendClaim", args: extend.args, want: "StorageGate_NotController"}, extend)
	extend.want = "StorageGate_NoDataCap"
	f.calls(extend)

	granted := f.verified("functions, granted", 2048)
	slot = f.claim(f.secp.party, f.secp.m, granted, 0)
	f.calls(
		row{by: f.stranger, to: gate, fn: "grantDataCap", args: with(slot), want: "StorageGate_NotController"},
		row{by: f.secp.party, to: gate, fn: "grantDataCap", args: with(slot)},
		row{by: f.keeper, to: gate, fn: "reclaimDataCap", args: with(slot), want: "StorageGate_WrongState"},
		row{by: f.secp.party, to: storage, fn: "releaseClaim", args: with(slot)},
		row{by: f.keeper, to: gate, fn: "reclaimDataCap", args: with(slot)},
		row{by: f.stranger, to: gate, fn: "dataCapOf", args: with(granted), want: "=2048"},
	)
}

// missed has a deal be published of which the contract took no notice, so that its
// provider shows it later.
func (f *functions) missed() {
	p := pieceOf("functions, missed")
	deal := f.world.deal(p, terms(1), milli(20_000))
	slot := f.claim(f.shared.party, f.shared.m, deal, 0)
	first := f.proposal(f.shared.m, slot)
	second := first
	label, err := market18.NewLabelFromString(spelled(slot) + "/again")
	f.must(err)
	second.Label, second.EndEpoch = label, second.EndEpoch+30*day
	ids, err := f.shared.m.Publish(f.ctx, signed(first), signed(second))
	f.must(err)
	f.byActor(storage, "onPublished")
	f.published = uint64(ids[1])
	f.seal(f.shared.m, f.ofDeal(p, ids[1]))
	f.until(int64(f.wants(slot, published).SealDeadline) + day)
	expire := row{by: f.keeper, to: storage, fn: "expireClaim", args: with(slot), want: "PerpetualStorage_TooEarly"}
	f.calls(expire)
	f.pass(1)
	f.calls(row{by: f.stranger, to: storage, fn: "checker", args: with(deal, big.NewInt(1)), want: "true"})
	expire.want = ""
	f.calls(expire)
	f.claim(f.shared.party, f.shared.m, deal, 0)
	f.calls(
		row{by: f.stranger, to: storage, fn: "publishDeal", args: with(slot, f.published), want: "PerpetualStorage_NotController"},
		row{by: f.shared.party, to: storage, fn: "publishDeal", args: with(slot, uint64(999)), want: "PerpetualStorage_NotProven"},
		row{by: f.shared.party, to: storage, fn: "publishDeal", args: with(slot, f.published)},
		row{by: f.keeper, to: storage, fn: "proveActive", args: with([]uint64{slot}, [][]byte{nil})},
	)
	f.wants(slot, active)
	f.serve(f.deal) // whose claims of two days ago have lapsed
	for _, index := range []uint8{0, 1} {
		lapsed, _ := f.seat(f.deal, index)
		expire.args = with(lapsed)
		f.calls(expire)
	}
}

// activeSlots are proven, found faulty, renewed and given up.
func (f *functions) activeSlots() {
	f.slot = f.claim(f.bls.party, f.bls.m, f.deal, 0)
	other := f.claim(f.shared.party, f.shared.m, f.deal, 1)
	last := f.claim(f.eth.party, f.eth.m, f.world.deal(f.sealed, terms(1), milli(20_000)), 0)
	for s, slot := range map[*sp]uint64{f.bls: f.slot, f.shared: other, f.eth: last} {
		s.sector = f.seal(s.m, f.direct(f.sealed, 0, slot))[0]
		f.wants(slot, active)
	}
	f.byActor(storage, "onActivated")
	f.byActor(gate, "handle_filecoin_method")
	f.pass(50)
	f.prove(f.bls.party, f.bls.m, f.slot, f.bls.sector)
	f.prove(f.shared.party, f.shared.m, other, f.shared.sector)
	f.prove(f.eth.party, f.eth.m, last, f.eth.sector)
	healthy := f.location(f.bls.m, f.bls.sector, filabi.SectorStatusCodeActive)
	f.calls(
		row{by: f.keeper, to: storage, fn: "proveActive", args: with([]uint64{f.slot}, [][]byte{{0x80}}), want: "PerpetualStorage_NotProven"},
		row{by: f.keeper, to: storage, fn: "proveActive", args: with([]uint64{f.slot}, [][]byte{}), want: "PerpetualStorage_LengthMismatch"},
		row{by: f.stranger, to: storage, fn: "setPayee", args: with([]uint64{other}, f.stranger.as), want: "PerpetualStorage_NotOwnerOfMiner"},
		row{by: f.bls.party, to: storage, fn: "setPayee", args: with([]uint64{f.slot}, f.bls.as), want: "PerpetualStorage_NotOwnerOfMiner"}, // a worker
		row{by: f.shared.party, to: storage, fn: "setPayee", args: with([]uint64{other}, f.secp.as)},
		row{by: f.keeper, to: storage, fn: "checkDeal", args: with(f.slot, uint8(2), healthy), want: "PerpetualStorage_NotProven"},
		row{by: f.stranger, to: storage, fn: "sourcesOf", args: with(f.deal), want: "https://sp.example/piece/"},
	)
	f.faults(other, healthy)
	f.calls(
		row{by: f.keeper, to: storage, fn: "openRenewal", args: with(f.deal, uint8(9)), want: "Refused[no such seat]"},
		row{by: f.keeper, to: storage, fn: "openRenewal", args: with(f.deal, uint8(0))},
		row{by: f.stranger, to: storage, fn: "renewByExtension", args: with(f.slot, healthy), value: milli(1000), want: "PerpetualStorage_NotController"},
		row{by: f.bls.party, to: storage, fn: "renewByExtension", args: with(f.slot, f.location(f.bls.m, f.bls.sector, filabi.SectorStatusCodeActive)), value: milli(1000)},
		row{by: f.shared.party, to: storage, fn: "terminateDeal", args: with(f.slot), want: "PerpetualStorage_NotController"},
		row{by: f.eth.party, to: storage, fn: "terminateDeal", args: with(last)},
	)
}

// faults are shown one by one and together; a batch passes over what is not shown.
func (f *functions) faults(other uint64, healthy []byte) {
	f.must(f.bls.m.DeclareFaulty(f.ctx, f.bls.sector))
	f.check(f.keeper, f.bls.m, f.slot, f.bls.sector, filabi.SectorStatusCodeFaulty)
	f.must(f.bls.m.Recover(f.ctx, f.bls.sector))
	f.pass(day)
	f.prove(f.keeper, f.bls.m, f.slot, f.bls.sector)
	f.must(f.shared.m.DeclareFaulty(f.ctx, f.shared.sector))
	aux := f.location(f.shared.m, f.shared.sector, filabi.SectorStatusCodeFaulty)
	f.calls(
		row{by: f.keeper, to: storage, fn: "checkMany", args: with([]uint64{f.slot}, []uint8{2, 2}, [][]byte{aux}), want: "PerpetualStorage_LengthMismatch"},
		row{by: f.keeper, to: storage, fn: "checkMany", args: with([]uint64{f.slot, other}, []uint8{2, 2}, [][]byte{healthy, aux})},
	)
	if f.slotOf(f.slot).Faulty || !f.slotOf(other).Faulty {
		f.Fatal("not the sector that is faulty")
	}
}

func (f *functions) slotOf(id uint64) perpetualstorage.SlotView { return f.world.slot(id) }

// hooks are for actors and the gate alone, whoever calls and however.
func (f *functions) hooks() {
	piece := perpetualstorage.SectorPiece{MinerId: f.bls.miner(), CommP: f.sealed.digest, PaddedSize: 2048, MinimumCommitment: 1 << 40}
	deal := perpetualstorage.PublishedDeal{PricePerEpoch: new(big.Int), ProviderCollateral: new(big.Int), ClientCollateral: new(big.Int)}
	for _, by := range []party{f.stranger, f.bls.party, f.shared.party, f.native} {
		f.calls(
			row{by: by, to: storage, fn: "onActivated", args: with(f.slot, piece), want: "PerpetualStorage_NotGate"},
			row{by: by, to: storage, fn: "onPublished", args: with(f.slot, deal), want: "PerpetualStorage_NotGate"},
		)
	}
	f.calls(row{by: f.stranger, to: gate, fn: "attach", args: with(f.at[storage]), want: "StorageGate_NotDeployer"})
	const sectorContentChanged, marketNotifyDeal, receive = 2034386435, 4186741094, 3726118371
	for _, contract := range []string{gate, status} {
		for _, method := range []uint64{sectorContentChanged, marketNotifyDeal, receive} {
			want := uint32(exitcode.ErrForbidden)
			if contract == status && method != sectorContentChanged {
				want = uint32(exitcode.ErrUnhandledMessage)
			}
			// As Ethereum's call, and as Filecoin's message with that method.
			out := f.calls(row{by: f.stranger, to: contract, fn: "handle_filecoin_method", args: with(method, uint64(0x51), []byte{0x80})})
			values, err := f.abis[f.at[contract]].Methods["handle_filecoin_method"].Outputs.Unpack(out.answer)
			f.must(err)
			if values[0] != want {
				f.Fatalf("%s, method %d: exit code %v, want %d", contract, method, values[0], want)
			}
			_, err = f.fleet.Send(f.ctx, f.native.key, provider.Call{To: filecoinOf(f.at[contract]), Method: filabi.MethodNum(method), Params: bytesOf(nil)})
			if !refusedBy(err, exitcode.ExitCode(want)) {
				f.Fatalf("%s, method %d by a message: %v, want exit code %d", contract, method, err, want)
			}
		}
	}
}

// money is paid to every kind of key.
func (f *functions) money() {
	f.calls(row{by: f.stranger, to: storage, fn: "withdrawEarned", args: with(f.stranger.as), want: "PerpetualStorage_NothingToWithdraw"})
	for _, s := range []*sp{f.bls, f.shared, f.secp, f.eth} {
		if f.credit(s.party).Sign() == 0 {
			f.Fatalf("nothing is owed to the %s", s.name)
		}
		f.withdraw(s.party)
	}
	f.withdraw(f.native)
	f.withdraw(f.client)
	f.calls(
		row{by: f.stranger, to: storage, fn: "creditOf", args: with(f.bls.as), want: "=0"},
		row{by: f.stranger, to: storage, fn: "burn"},
		row{by: f.stranger, to: storage, fn: "burn", want: "PerpetualStorage_ZeroAmount"},
	)
}

// ownership is handed on and given up, of both contracts that have an owner.
func (f *functions) ownership() {
	for _, c := range []string{storage, register} {
		f.calls(
			row{by: f.stranger, to: c, fn: "owner", want: f.owner.as.Hex()},
			row{by: f.stranger, to: c, fn: "transferOwnership", args: with(f.stranger.as), want: "OwnableUnauthorizedAccount"},
			row{by: f.owner, to: c, fn: "transferOwnership", args: with(f.keeper.as)},
			row{by: f.owner, to: c, fn: "renounceOwnership", want: "OwnableUnauthorizedAccount"},
			row{by: f.keeper, to: c, fn: "renounceOwnership"},
			row{by: f.stranger, to: c, fn: "owner", want: "0x0000000000000000000000000000000000000000"},
		)
	}
	f.calls(
		row{by: f.stranger, to: storage, fn: "gate", want: f.at[gate].Hex()},
		row{by: f.stranger, to: storage, fn: "facts", want: "0x"},
		row{by: f.stranger, to: storage, fn: "registry", want: f.at[register].Hex()},
		row{by: f.stranger, to: storage, fn: "provider", want: "0x"},
		row{by: f.stranger, to: storage, fn: "callbackGas", want: "150000000"},
		row{by: f.stranger, to: storage, fn: "requestTerm", want: "3600"},
		row{by: f.stranger, to: storage, fn: "mostMaxBytes", want: spelled(64 << 30)},
		row{by: f.stranger, to: storage, fn: "nextSeq"},
	)
}
