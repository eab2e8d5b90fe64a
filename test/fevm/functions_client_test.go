package fevm

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/bindings/providerregistry"
	"github.com/tidegate/tidegate/executor/handler/prepare"
	"github.com/tidegate/tidegate/executor/job"
)

const (
	storage  = bindings.PerpetualStorage
	gate     = bindings.StorageGate
	register = bindings.ProviderRegistry
	status   = bindings.DealStatusOracle
	pinning  = bindings.EstuaryPinning
	pools    = bindings.StoragePools
)

// registry has providers of all kinds enter themselves.
func (f *functions) registry() {
	entry := providerregistry.ProviderEntry{
		MinPieceSize: 128, MaxPieceSize: 2048, MinRate: 1, Region: [2]byte{'C', 'H'}, Market: "https://sp.example", Retrieval: "https://sp.example/piece/",
	}
	wrong := entry
	wrong.MinPieceSize = 4096
	id := func(s *sp) uint64 { return uint64(s.m.ID()) }
	for _, s := range []*sp{f.bls, f.shared, f.secp, f.eth} {
		f.calls(row{by: s.party, to: register, fn: "register", args: with(id(s), entry)})
	}
	all := []uint64{id(f.shared), id(f.eth)}
	f.calls(
		row{by: f.stranger, to: register, fn: "register", args: with(id(f.bls), entry), want: "ProviderRegistry_NotController"},
		row{by: f.shared.party, to: register, fn: "register", args: with(id(f.bls), entry), want: "ProviderRegistry_NotController"},
		row{by: f.bls.party, to: register, fn: "register", args: with(id(f.bls), wrong), want: "OutOfRange[minPieceSize]"},
		row{by: f.stranger, to: register, fn: "providerCount", want: "=4"},
		row{by: f.stranger, to: register, fn: "entryOf", args: with(id(f.eth)), want: "https://sp.example "},
		row{by: f.stranger, to: register, fn: "entryOf", args: with(uint64(5)), want: "!ProviderRegistry_Unknown"},
		row{by: f.stranger, to: register, fn: "retrievalOf", args: with(id(f.bls)), want: "https://sp.example/piece/"},
		row{by: f.stranger, to: register, fn: "providersPage", args: with(big.NewInt(1), big.NewInt(1)), want: spelled(id(f.shared))},
		row{by: f.stranger, to: register, fn: "MAX_URL", want: "=256"},
		row{by: f.stranger, to: register, fn: "facts", want: f.at[bindings.FilecoinFacts].Hex()},
		row{by: f.stranger, to: register, fn: "remove", args: with(id(f.secp)), want: "ProviderRegistry_NotController"},
		row{by: f.secp.party, to: register, fn: "remove", args: with(id(f.secp))},
		row{by: f.secp.party, to: register, fn: "remove", args: with(id(f.secp)), want: "ProviderRegistry_Unknown"},
		row{by: f.stranger, to: register, fn: "attest", args: with(all, big.NewInt(7)), want: "OwnableUnauthorizedAccount"},
		row{by: f.owner, to: register, fn: "attest", args: with(all, big.NewInt(7))},
		row{by: f.stranger, to: register, fn: "organisationOf", args: with(id(f.eth)), want: "=7"},
		row{by: f.stranger, to: register, fn: "nextSeq", want: "=7"},
	)
}

// clients create deals, change all that can be changed, and end them.
func (f *functions) clients() {
	p, t := pieceOf("clients"), terms(2)
	create := with(p.cid, p.commP.Bytes(), uint64(2048), uint64(2000), t)
	short, unfunded := t, t
	short.Term = day
	unfunded.BaseBounty, unfunded.MaxBounty = milli(2000), milli(2000)
	next := read(f.world, f.at[storage], f.s.PackNextDeal(), f.s.UnpackNextDeal)
	mine, natives, given := next, next+1, next+2
	f.calls(
		row{by: f.stranger, to: storage, fn: "setIntakePaused", args: with(true), want: "OwnableUnauthorizedAccount"},
		row{by: f.owner, to: storage, fn: "setIntakePaused", args: with(true)},
		row{by: f.client, to: storage, fn: "createDeal", args: create, value: milli(1), want: "PerpetualStorage_IntakePaused"},
		row{by: f.owner, to: storage, fn: "setIntakePaused", args: with(false)},
		row{by: f.client, to: storage, fn: "createDeal", args: create, value: milli(9000)},
		row{by: f.native, to: storage, fn: "createDeal", args: create, value: milli(9000)},
		row{by: f.client, to: storage, fn: "createDeal", args: with(p.cid, p.commP.Bytes(), uint64(2048), uint64(2000), short), want: "TermsOutOfRange[term]"},
		row{by: f.client, to: storage, fn: "createDeal", args: with(p.cid[1:], p.commP.Bytes(), uint64(2048), uint64(2000), t), want: "PerpetualStorage_UnsupportedCid"},
		row{by: f.client, to: storage, fn: "createDeal", args: with(p.cid, p.commP.Bytes(), uint64(2047), uint64(2000), t), want: "TermsOutOfRange[paddedSize]"},
		row{by: f.stranger, to: storage, fn: "createDealFor", args: append(with(f.client.as), create...), value: milli(5)},
		row{by: f.stranger, to: storage, fn: "createDealFor", args: append(with(common.Address{}), create...), want: "PerpetualStorage_NotClient"},
		row{by: f.stranger, to: storage, fn: "dealOf", args: with(natives), want: f.native.as.Hex()},
		row{by: f.stranger, to: storage, fn: "fund", args: with(given), value: milli(5)},
		row{by: f.stranger, to: storage, fn: "fund", args: with(given), want: "PerpetualStorage_ZeroAmount"},
		row{by: f.client, to: storage, fn: "fundMany", args: with([]uint64{mine, given}, []*big.Int{milli(1), milli(2)}), value: milli(3)},
		row{by: f.client, to: storage, fn: "fundMany", args: with([]uint64{mine, given}, []*big.Int{milli(1), milli(2)}), value: milli(4), want: "PerpetualStorage_AmountTooLarge"},
	)
	type change struct {
		fn   string
		args []any
	}
	for _, c := range []change{
		{"changeBounty", with(mine, milli(900), uint32(2*day))}, {"changeMaxPrice", with(mine, milli(4000), uint64(2e12))},
		{"changeReplicas", with(mine, uint8(3))}, {"changeEndEpoch", with(mine, uint32(9_000_000))}, {"changeDataCap", with(mine, true)},
		{"suspend", with(mine)}, {"resume", with(mine)}, {"withdrawSurplus", with(mine, milli(100))}, {"cancel", with(mine)},
	} {
		f.calls(row{by: f.stranger, to: storage, fn: c.fn, args: c.args, want: "PerpetualStorage_NotClient"})
		f.calls(row{by: f.client, to: storage, fn: c.fn, args: c.args})
		c.args[0] = natives
		f.calls(row{by: f.native, to: storage, fn: c.fn, args: c.args})
	}
	f.calls(
		row{by: f.client, to: storage, fn: "cancel", args: with(mine), want: "PerpetualStorage_WrongStatus"},
		row{by: f.keeper, to: storage, fn: "requestServed", args: with(mine), want: "PerpetualStorage_WrongStatus"},
		row{by: f.stranger, to: storage, fn: "quoteServed", args: with(given)},
		row{by: f.client, to: storage, fn: "cancel", args: with(given)},
	)
}

// preparing is about deals whose piece operators are to name.
func (f *functions) preparing() {
	p := pieceOf("preparing")
	fee := read(f.world, f.at[storage], f.s.PackQuotePrepare(1<<20), f.s.UnpackQuotePrepare)
	value := new(big.Int).Add(fee, milli(3000))
	next := read(f.world, f.at[storage], f.s.PackNextDeal(), f.s.UnpackNextDeal)
	args := with(p.cid, uint64(1<<20), fee, terms(1))
	first := f.calls(
		row{by: f.client, to: storage, fn: "prepareDeal", args: args, value: milli(1), want: "PerpetualStorage_AmountTooLarge"},
		row{by: f.client, to: storage, fn: "prepareDeal", args: args, value: value},
	)
	second := f.calls(row{by: f.native, to: storage, fn: "prepareDeal", args: args, value: value})
	f.answer(first, job.Succeeded, prepare.Answer(p.commP, 2048, 2000, 1900))
	if d := f.dealOf(next); d.Status != 2 || d.CommP != p.digest || d.PaddedSize != 2048 || d.CarSize != 2000 {
		f.Fatalf("prepared %+v", d)
	}
	asked := f.asked(second)
	late := perpetualstorage.Terms(asked.Terms)
	early := row{by: f.keeper, to: storage, fn: "settlePrepare", args: with(late, asked.Context), want: "EstuaryProvider_NotRefundable"}
	f.calls(early)
	f.calls(row{by: f.keeper, to: storage, fn: "settlePrepare", args: with(late, []byte{1}), want: "Refused[context]"})
	f.pass(130) // an hour
	f.calls(row{by: f.keeper, to: storage, fn: "settlePrepare", args: early.args})
	if d := f.dealOf(next + 1); d.Status != 3 || d.Free.Sign() != 0 {
		f.Fatalf("settled %+v", d)
	}
	f.wantAmount("what the client gets back", f.credit(f.native), new(big.Int).Add(milli(3000), milli(9000)))
	f.calls(row{by: f.stranger, to: storage, fn: "onOracleResult", args: with([32]byte{1}, asked.Context, uint8(1), uint8(0), []byte{}), want: "Oracle_NotProvider"})
	f.byActor(storage, "onOracleResult") // that is, by the provider
	f.calls(row{by: f.client, to: storage, fn: "cancel", args: with(next)})
}

// orders is makeDealsForCid and what becomes of it: opened, abandoned, not answered.
func (f *functions) orders() {
	p, t := pieceOf("orders"), terms(1)
	fee := read(f.world, f.at[pinning], f.p.PackQuoteDeals(), f.p.UnpackQuoteDeals)
	value := new(big.Int).Add(fee, milli(3000))
	order := row{by: f.client, to: pinning, fn: "makeDealsForCid", args: with(p.cid, t), value: value}
	f.calls(row{by: f.client, to: pinning, fn: "makeDealsForCid", args: with(p.cid, t), value: milli(1), want: "EstuaryProvider_Underpaid"})
	opened, abandoned, late := f.calls(order), f.calls(order), f.calls(order)
	id := func(out outcome) [32]byte { return f.asked(out).RequestId }
	answer := prepare.Answer(p.commP, 2048, 2000, 1900)
	f.calls(row{by: f.keeper, to: pinning, fn: "openDeal", args: with(id(opened), p.cid, t), want: "EstuaryPinning_WrongDealsState"})
	f.answer(opened, job.Succeeded, answer)
	f.answer(abandoned, job.Succeeded, answer)
	other := terms(2)
	next := read(f.world, f.at[storage], f.s.PackNextDeal(), f.s.UnpackNextDeal)
	f.calls(
		row{by: f.stranger, to: pinning, fn: "dealsOf", args: with(id(opened)), want: f.client.as.Hex()},
		row{by: f.keeper, to: pinning, fn: "openDeal", args: with(id(opened), p.cid, other), want: "EstuaryPinning_ContextMismatch"},
		row{by: f.keeper, to: pinning, fn: "openDeal", args: with(id(opened), p.cid, t)},
	)
	f.books.in.Add(f.books.in, milli(3000)) // sent by EstuaryPinning
	if d := f.dealOf(next); d.Client != f.client.as || d.CommP != p.digest || d.Free.Cmp(milli(3000)) != 0 {
		f.Fatalf("opened %+v", d)
	}
	lateTerms := estuarypinning.Terms(f.asked(late).Terms)
	f.calls(
		row{by: f.stranger, to: pinning, fn: "abandonDeals", args: with(id(abandoned)), want: "EstuaryPinning_NotRequester"},
		row{by: f.client, to: pinning, fn: "abandonDeals", args: with(id(abandoned))},
		row{by: f.keeper, to: pinning, fn: "settleDeals", args: with(lateTerms), want: "EstuaryProvider_NotRefundable"},
	)
	f.pass(130)
	before := f.balance(f.client.key.Address)
	f.calls(
		row{by: f.keeper, to: pinning, fn: "settleDeals", args: with(lateTerms)},
		row{by: f.stranger, to: pinning, fn: "escrowCreditOf", args: with(f.client.as), want: milli(6000).String()},
		row{by: f.stranger, to: pinning, fn: "withdrawEscrow", args: with(f.stranger.as), want: "EstuaryProvider_NothingToWithdraw"},
		row{by: f.client, to: pinning, fn: "withdrawEscrow", args: with(f.client.as)},
		row{by: f.stranger, to: pinning, fn: "perpetualStorage", want: f.at[storage].Hex()},
		row{by: f.client, to: storage, fn: "cancel", args: with(next)},
	)
	if got := new(big.Int).Sub(f.balance(f.client.key.Address), before); got.Cmp(milli(5990)) < 0 {
		f.Fatalf("the client got %s", fil(got))
	}
}
