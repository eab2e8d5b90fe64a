package fevm

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	filabi "github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/bindings/filecoinfacts"
	"github.com/tidegate/tidegate/bindings/statusdesk"
	"github.com/tidegate/tidegate/executor/job"
)

const (
	desk   = bindings.StatusDesk
	oracle = bindings.EstuaryProvider
	facts  = bindings.FilecoinFacts
)

// now is the time of the head, in seconds.
func (f *functions) now() int64 { return int64(f.chain.Head().MinTimestamp()) }

// constants asks views that take nothing, of which the rest is that they answer.
func (f *functions) constants(contract string) {
	f.Helper()
	for name, m := range f.abis[f.at[contract]].Methods {
		if m.IsConstant() && len(m.Inputs) == 0 {
			f.calls(row{by: f.stranger, to: contract, fn: name})
		}
	}
}

// statusWord is an answer to StatusDesk.
func (f *functions) statusWord(word uint8, location []byte) []byte {
	f.Helper()
	var args abi.Arguments
	for _, name := range []string{"uint8", "uint64", "bytes"} {
		typ, err := abi.NewType(name, "", nil)
		f.must(err)
		args = append(args, abi.Argument{Type: typ})
	}
	out, err := args.Pack(word, uint64(f.epoch()), location)
	f.must(err)
	return out
}

// desk is asked by an f1 key and by a contract's kind of account; the answer is proven, or
// too short of gas and tried again by anybody.
func (f *functions) desk() {
	d := statusdesk.NewStatusDesk()
	const ample, scant = uint32(900_000_000), uint32(5_000_000)
	fee := read(f.world, f.at[desk], d.PackQuote(ample), d.UnpackQuote)
	ref, bad := statusdesk.DealRef{DealId: f.published}, statusdesk.DealRef{DealId: 1, Sector: 2}
	ask := func(by party, ref statusdesk.DealRef, gas uint32, refundee common.Address, value *big.Int, want string) row {
		return row{by: by, to: desk, fn: "ask", args: with(ref, gas, refundee), value: value, want: want}
	}
	asked := f.calls(
		ask(f.client, bad, ample, f.client.as, fee, "DealStatusOracle_BadRef"),
		ask(f.client, ref, ample, common.Address{}, fee, "StatusDesk_NoRefundee"),
		ask(f.client, ref, ample, f.client.as, milli(1), "EstuaryProvider_Underpaid"),
		ask(f.client, ref, 2_000_000_000, f.client.as, fee, "EstuaryProvider_CallbackGasTooHigh"),
		row{by: f.stranger, to: desk, fn: "answerOf", args: with(ref), want: "{0 0 false}"},
		ask(f.native, ref, ample, f.native.as, fee, ""),
	)
	out := f.answer(asked, job.Succeeded, f.statusWord(5, nil)) // whatever operators say
	if e := event(f.world, out, d.UnpackStatusAnsweredEvent); e.Status != uint8(job.StatusActive) || !e.Proven || int64(e.Epoch) != out.epoch {
		f.Fatalf("answered %+v", e)
	}
	f.byActor(desk, "onOracleResult") // that is, by the provider
	f.calls(
		row{by: f.stranger, to: desk, fn: "answerOf", args: with(ref), want: " true}"},
		row{by: f.stranger, to: desk, fn: "answerOf", args: with(bad), want: "!DealStatusOracle_BadRef"},
		row{by: f.stranger, to: desk, fn: "status", want: f.at[status].Hex()},
		row{by: f.stranger, to: desk, fn: "provider", want: f.at[oracle].Hex()},
		row{by: f.stranger, to: desk, fn: "nextSeq", want: "=2"},
		row{by: f.stranger, to: desk, fn: "onOracleResult", args: with([32]byte{1}, []byte{}, uint8(1), uint8(0), []byte{}), want: "Oracle_NotProvider"},
	)
	kept := f.calls(ask(f.client, ref, scant, f.client.as, read(f.world, f.at[desk], d.PackQuote(scant), d.UnpackQuote), ""))
	data, reports := f.signed([]*estuaryprovider.EstuaryProviderOracleRequested{f.asked(kept)}, job.Succeeded, f.statusWord(2, nil))
	retry := row{by: f.keeper, to: oracle, fn: "retryCallback", args: with(reports[0]), want: "EstuaryProvider_NoKeptCallback"}
	f.calls(retry)
	out = f.do(f.operator, f.at[oracle], nil, data)
	event(f.world, out, f.x.UnpackCallbackFailedEvent)
	retry.want = ""
	out = f.calls(retry)
	if e := event(f.world, out, d.UnpackStatusAnsweredEvent); !e.Proven {
		f.Fatalf("tried again: %+v", e)
	}
	retry.want = "EstuaryProvider_NoKeptCallback"
	f.calls(retry)
}

// provider takes a request of an account without a contract, which cancels it; what is its
// owner's is refused to others.
func (f *functions) provider() {
	quoted := read(f.world, f.at[oracle], f.x.PackQuote(2, 0, new(big.Int), 0), f.x.UnpackQuote)
	options := estuaryprovider.RequestOptions{Deadline: big.NewInt(f.now() + 7200), RefundTo: f.client.as}
	soon := options
	soon.Deadline = big.NewInt(f.now() + 40)
	request := func(options estuaryprovider.RequestOptions, value *big.Int, want string) row {
		return row{by: f.client, to: oracle, fn: "request", args: with(uint16(2), uint64(0), new(big.Int), []byte{1}, []byte{2}, options), value: value, want: want}
	}
	out := f.calls(
		request(options, new(big.Int), "EstuaryProvider_Underpaid"),
		request(soon, quoted.Fee, "EstuaryProvider_DeadlineTooNear"),
		request(options, quoted.Fee, ""),
	)
	asked := f.asked(out)
	config := read(f.world, f.at[oracle], f.x.PackConfigDigest(), f.x.UnpackConfigDigest)
	cancel := row{by: f.client, to: oracle, fn: "cancel", args: with(asked.Terms)}
	refund := row{by: f.keeper, to: oracle, fn: "refund", args: with(asked.Terms)}
	notYet, closed, byStranger := refund, refund, cancel
	notYet.want, closed.want = "EstuaryProvider_NotRefundable", "EstuaryProvider_NotOpen"
	byStranger.by, byStranger.want = f.stranger, "EstuaryProvider_NotConsumer"
	f.calls(notYet, byStranger, cancel, notYet)
	f.pass(4)
	f.calls(refund, closed,
		row{by: f.stranger, to: oracle, fn: "stateOf", args: with(asked.RequestId), want: "=5"},
		row{by: f.stranger, to: oracle, fn: "idOf", args: with(asked.Terms), want: fmt.Sprint(asked.RequestId)},
		row{by: f.stranger, to: oracle, fn: "priceOf", args: with(uint16(5)), want: "true"},
		row{by: f.stranger, to: oracle, fn: "quote", args: with(uint16(99), uint64(0), new(big.Int), uint32(0)), want: "!EstuaryProvider_NotOffered"},
		row{by: f.stranger, to: oracle, fn: "signsUntil", args: with(config), want: "1099511627775"},
		row{by: f.stranger, to: oracle, fn: "withdraw", args: with(f.stranger.as), want: "EstuaryProvider_NothingToWithdraw"},
		row{by: f.client, to: oracle, fn: "withdraw", args: with(f.client.as)},
		row{by: f.client, to: oracle, fn: "withdraw", args: with(f.client.as), want: "EstuaryProvider_NothingToWithdraw"},
		row{by: f.stranger, to: oracle, fn: "creditOf", args: with(f.client.as), want: "=0"},
		row{by: f.operator, to: oracle, fn: "fulfill", args: with(config, []estuaryprovider.Report{}, [][]byte{}), want: "EstuaryProvider_EmptyBatch"},
	)
	f.constants(oracle)
}

// provided is what the provider's owner does, the last of it to go.
func (f *functions) provided() {
	price := read(f.world, f.at[oracle], f.x.PackPriceOf(1), f.x.UnpackPriceOf)
	limit := read(f.world, f.at[oracle], f.x.PackGasPriceCap(), f.x.UnpackGasPriceCap)
	operators := []common.Address{f.operator.as, f.keeper.as}
	for _, r := range []row{
		{fn: "setPrice", args: with(uint16(1), price)}, {fn: "setGasPriceCap", args: with(limit)}, {fn: "setIntakePaused", args: with(true)},
		{fn: "proposeOperators", args: with(operators, uint8(2))}, {fn: "transferOwnership", args: with(f.keeper.as)},
	} {
		r.to, r.by, r.want = oracle, f.stranger, "OwnableUnauthorizedAccount"
		f.calls(r)
		if r.fn == "proposeOperators" {
			f.calls(row{by: f.keeper, to: oracle, fn: "activateOperators", want: "OperatorSet_NothingProposed"})
		}
		r.by, r.want = f.owner, ""
		f.calls(r)
		if r.fn == "proposeOperators" {
			f.calls(row{by: f.keeper, to: oracle, fn: "activateOperators", want: "OperatorSet_TooEarly"})
		}
	}
	f.calls(
		row{by: f.client, to: oracle, fn: "request", args: with(uint16(2), uint64(0), new(big.Int), []byte{1}, []byte{}, estuaryprovider.RequestOptions{
			Deadline: big.NewInt(f.now() + 7200), RefundTo: f.client.as,
		}), value: milli(100), want: "EstuaryProvider_IntakePaused"},
	)
	f.pass(4)
	f.calls(
		row{by: f.stranger, to: oracle, fn: "activateOperators"},
		row{by: f.stranger, to: oracle, fn: "operators", want: f.keeper.as.Hex()},
		row{by: f.stranger, to: oracle, fn: "threshold", want: "=2"},
		row{by: f.stranger, to: oracle, fn: "acceptOwnership", want: "OwnableUnauthorizedAccount"},
		row{by: f.keeper, to: oracle, fn: "acceptOwnership"},
		row{by: f.owner, to: oracle, fn: "renounceOwnership", want: "OwnableUnauthorizedAccount"},
		row{by: f.keeper, to: oracle, fn: "renounceOwnership"},
		row{by: f.stranger, to: oracle, fn: "owner", want: common.Address{}.Hex()},
	)
}

// pins are asked for, lengthened, given up, cancelled, and run out.
func (f *functions) pins() {
	quoted := read(f.world, f.at[pinning], f.p.PackQuotePin(), f.p.UnpackQuotePin)
	unpin := read(f.world, f.at[pinning], f.p.PackQuoteUnpin(), f.p.UnpackQuoteUnpin)
	one, two := pieceOf("pins, one"), pieceOf("pins, two")
	content, err := cid.Cast(one.cid)
	f.must(err)
	text, fee, ample := content.String(), quoted.Fee, new(big.Int).Mul(quoted.Fee, big.NewInt(3))
	call := func(by party, fn string, value *big.Int, want string, args ...any) row {
		return row{by: by, to: pinning, fn: fn, args: args, value: value, want: want}
	}
	const text0, bytes0, byExpiry = "pinToEstuary0", "pinToEstuary", "extend0" // as go-ethereum tells overloads apart
	options := estuarypinning.PinOptions{Expiry: big.NewInt(f.now() + 400*86400)}
	longer := options
	longer.Expiry = big.NewInt(f.now() + 420*86400)
	stays := f.calls(
		call(f.client, text0, fee, "Cids_", "no CID"),
		call(f.client, text0, milli(1), "EstuaryProvider_Underpaid", text),
		call(f.client, text0, fee, "", text),
	)
	f.calls(call(f.client, bytes0, ample, "EstuaryPinning_AlreadyRequested", one.cid, options))
	goes := f.calls(call(f.native, bytes0, ample, "", one.cid, options))
	f.answer(stays, job.Succeeded, nil)
	f.byActor(pinning, "onOracleResult")
	f.calls(
		row{by: f.stranger, to: pinning, fn: "statusOf0", args: with(one.cid, f.client.as), want: "2 "}, // pinned
		call(f.stranger, "onOracleResult", nil, "Oracle_NotProvider", [32]byte{1}, []byte{}, uint8(1), uint8(0), []byte{}),
		call(f.stranger, byExpiry, ample, "EstuaryPinning_NothingToExtend", one.cid, options.Expiry),
		call(f.client, byExpiry, ample, "", one.cid, options.Expiry),
		call(f.client, "extend", ample, "EstuaryPinning_ExpiryOutOfRange", one.cid, estuarypinning.PinOptions{Expiry: big.NewInt(1)}),
		call(f.client, "extend", ample, "", one.cid, longer),
		call(f.client, "pinBatch", fee, "EstuaryPinning_EmptyBatch", [][]byte{}),
		call(f.client, "pinBatch", fee, "", [][]byte{two.cid}),
		call(f.keeper, "expire", nil, "EstuaryPinning_NotExpired", two.cid, f.client.as),
		call(f.stranger, "unpin", unpin.Fee, "EstuaryPinning_NothingToUnpin", one.cid),
		call(f.client, "unpin", unpin.Fee, "", one.cid),
	)
	f.cancelled(goes)
	f.calls(
		row{by: f.stranger, to: pinning, fn: "statusOf", args: with(two.cid), want: "=1"},
		row{by: f.stranger, to: pinning, fn: "statusOf1", args: with(text), want: "=0"},
		row{by: f.stranger, to: pinning, fn: "statusOf1", args: with("no CID"), want: "!Cids_"},
		row{by: f.stranger, to: pinning, fn: "cidHashOf", args: with(text)},
		row{by: f.stranger, to: pinning, fn: "cidHashOf", args: with(""), want: "!Cids_"},
		row{by: f.stranger, to: pinning, fn: "quotePin0", args: with(uint64(1<<20), options.Expiry)},
	)
	f.pass(130) // more than an hour
	f.calls(
		call(f.keeper, "expire", nil, "", two.cid, f.client.as),
		row{by: f.stranger, to: pinning, fn: "statusOf0", args: with(two.cid, f.client.as), want: "=3 0 7"}, // failed: expired
	)
	f.constants(pinning)
}

// cancelled has the request of the client by f1 be given up.
func (f *functions) cancelled(goes outcome) {
	asked := f.asked(goes)
	terms := estuarypinning.Terms(asked.Terms)
	settle := row{by: f.keeper, to: pinning, fn: "settleRequest", args: with(terms, asked.Context), want: "EstuaryProvider_NotRefundable"}
	f.calls(
		settle,
		row{by: f.stranger, to: pinning, fn: "cancelRequest", args: with(terms, asked.Context), want: "EstuaryPinning_NotRequester"},
		row{by: f.native, to: pinning, fn: "cancelRequest", args: with(terms, asked.Context)},
	)
	f.pass(4)
	settle.want = ""
	f.calls(settle)
}

// actors are what the contracts of storage ask of Filecoin's actors, for anyone to ask.
func (f *functions) actors() {
	claim := f.slotOf(f.verifiedSlot)
	aux := f.location(f.bls.m, filabi.SectorNumber(claim.Sector), filabi.SectorStatusCodeActive)
	f.calls(
		row{by: f.stranger, to: facts, fn: "minerFacts", args: with(f.bls.miner(), f.bls.as), want: " true"},
		row{by: f.stranger, to: facts, fn: "minerFacts", args: with(f.bls.miner(), f.stranger.as), want: " false"},
		row{by: f.stranger, to: facts, fn: "sectorIs", args: with(f.bls.miner(), claim.Sector, uint8(1), aux), want: "true"},
		row{by: f.stranger, to: facts, fn: "sectorIs", args: with(f.bls.miner(), claim.Sector, uint8(0), aux), want: "false"},
		row{by: f.stranger, to: facts, fn: "sectorIs", args: with(f.bls.miner(), claim.Sector, uint8(9), aux), want: "false"},
		row{by: f.stranger, to: facts, fn: "sectorExpiration", args: with(f.bls.miner(), uint64(1<<40)), want: "=0"},
		row{by: f.stranger, to: facts, fn: "dealFacts", args: with(f.published), want: "{2 true false " + spelled(f.shared.miner())},
		row{by: f.stranger, to: facts, fn: "dealFacts", args: with(uint64(999)), want: "{0 false"},
		row{by: f.stranger, to: facts, fn: "missedStart", args: with(f.published), want: "false"},
		row{by: f.stranger, to: facts, fn: "claimFacts", args: with(f.bls.miner(), f.allocation), want: "{true true"},
		row{by: f.stranger, to: facts, fn: "claimFacts", args: with(f.bls.miner(), f.allocation+9), want: "{false false"},
		row{by: f.stranger, to: facts, fn: "gate", want: f.at[gate].Hex()},
	)
	c := filecoinfacts.NewFilecoinFacts()
	if end := read(f.world, f.at[facts], c.PackSectorExpiration(f.bls.miner(), claim.Sector), c.UnpackSectorExpiration); end < uint64(claim.End) {
		f.Fatalf("the sector ends at %d, and its slot at %d", end, claim.End)
	}
}
