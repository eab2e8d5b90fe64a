package fevm

import (
	"fmt"
	"testing"

	filabi "github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/manifest"
	filtypes "github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/job"
)

// What perpetual storage costs in Filecoin's gas beside what the official actors take that
// it asks, and what these take: both as recorded. Ours may grow by slack; theirs is
// Filecoin's, and is recorded to be subtracted.
var storageGasOf = map[string]struct{ ours, actors int64 }{
	"create a deal":           {ours: 29_068_602},
	"claim":                   {ours: 41_772_094, actors: 4_264_584},
	"authenticate f05 deal":   {ours: 21_119_776},
	"told of an f05 deal":     {ours: 37_634_200},
	"activate by an f05 deal": {ours: 46_367_451, actors: 9_731_424},
	"told of 1":               {ours: 50_112_291, actors: 1_359_393}, // sectors by their miner, with 64 deals in the contract
	"told of 10":              {ours: 437_374_241, actors: 1_359_393},
	"told of 50":              {ours: 2_194_146_657, actors: 1_359_393},
	"prove and earn":          {ours: 29_678_729, actors: 2_608_338},
}

// spent is gas: our contracts', and that of the actors which they asked.
type spent struct{ ours, actors int64 }

func TestStorageGas(t *testing.T) {
	g := &gasWorld{world: newWorld(t), used: map[string]spent{}}
	_, g.other, _, g.sp = g.providers()
	g.claims()
	g.market()
	g.notifications()
	for name, recorded := range storageGasOf {
		used := g.used[name]
		t.Logf("%-25s %12d and %12d of actors", name, used.ours, used.actors)
		if most := int64(float64(recorded.ours) * slack); used.ours > most || used.ours == 0 {
			t.Errorf("%s takes %d gas beside the actors', more than %d: %d was recorded", name, used.ours, most, recorded.ours)
		}
		if most := int64(float64(recorded.actors) * slack); used.actors > most {
			t.Errorf("%s has the actors take %d gas, more than %d: %d was recorded", name, used.actors, most, recorded.actors)
		}
	}
	// Linear: nine pieces more cost as much apiece as forty more.
	few := float64(g.used["told of 10"].ours-g.used["told of 1"].ours) / 9
	many := float64(g.used["told of 50"].ours-g.used["told of 10"].ours) / 40
	if many > few*slack {
		t.Errorf("a piece costs %.0f gas among ten and %.0f among fifty", few, many)
	}
}

// gasWorld measures messages that are on the chain by running them again, traced.
type gasWorld struct {
	*world
	sp, other *sp // by an Ethereum key, and by a multisig
	used      map[string]spent
}

// trace runs the messages of the tipset at an epoch again, until the one that is asked for.
func (g *gasWorld) trace(epoch int64, is func(*filtypes.Message) bool) *filtypes.ExecutionTrace {
	g.Helper()
	ts, err := g.chain.TipSetByHeight(filabi.ChainEpoch(epoch), nil, false)
	g.must(err)
	messages, err := g.chain.Messages(ts)
	g.must(err)
	machine, err := g.chain.MachineBefore(g.ctx, ts, chain.MachineOptions{Trace: true})
	g.must(err)
	for _, m := range messages {
		result, err := machine.Apply(g.ctx, m.VMMessage(), fvm.Explicit, m.ChainLength())
		g.must(err)
		if is(m.VMMessage()) {
			if result.Receipt.ExitCode.IsError() {
				g.Fatalf("epoch %d: %s", epoch, result.Error)
			}
			return result.Trace
		}
	}
	g.Fatalf("no such message at epoch %d", epoch)
	return nil
}

// total is all gas of a call and of those within it.
func total(t *filtypes.ExecutionTrace) (gas int64) {
	for _, c := range t.GasCharges {
		gas += c.TotalGas
	}
	for i := range t.Subcalls {
		gas += total(&t.Subcalls[i])
	}
	return gas
}

// ofActors is the gas within a contract's call of those who are no contracts.
func (g *gasWorld) ofActors(t *filtypes.ExecutionTrace) (gas int64) {
	for i := range t.Subcalls {
		sub := &t.Subcalls[i]
		if sub.InvokedActor != nil && g.chain.Engine().Name(sub.InvokedActor.State.Code) == manifest.EvmKey {
			gas += g.ofActors(sub)
		} else {
			gas += total(sub)
		}
	}
	return gas
}

func (g *gasWorld) note(name string, t *filtypes.ExecutionTrace) {
	actors := g.ofActors(t)
	g.used[name] = spent{total(t) - actors, actors}
}

// measured makes a call and notes its gas.
func (g *gasWorld) measured(name string, by party, out outcome) {
	g.Helper()
	t := g.trace(out.epoch, func(m *filtypes.Message) bool { return m.From == by.key.Address })
	if all := total(t); max(all, out.gas)-min(all, out.gas) > out.gas/1000 { // in a trace each charge is rounded
		g.Fatalf("%s: the trace has %d gas, the receipt %d", name, all, out.gas)
	}
	g.note(name, t)
}

// hook finds the call of the gate by a method inside a message.
func (g *gasWorld) hook(t *filtypes.ExecutionTrace, method filabi.MethodNum) *filtypes.ExecutionTrace {
	if t.Msg.Method == method && t.InvokedActor != nil && g.byID[t.InvokedActor.Id] == g.at[bindings.StorageGate] {
		return t
	}
	for i := range t.Subcalls {
		if found := g.hook(&t.Subcalls[i], method); found != nil {
			return found
		}
	}
	return nil
}

// sent is the last message of the chain to a method.
func (g *gasWorld) sent(method filabi.MethodNum) *filtypes.ExecutionTrace {
	g.Helper()
	return g.trace(g.epoch(), func(m *filtypes.Message) bool { return m.Method == method })
}

// claims measures a deal and its claim, the second of each, so that no counter is at zero.
func (g *gasWorld) claims() {
	store := g.at[bindings.PerpetualStorage]
	for _, name := range []string{"gas, first", "gas, second"} {
		p := pieceOf(name)
		out := g.do(g.client, store, milli(20_000), g.s.PackCreateDeal(p.cid, p.commP.Bytes(), 2048, 2000, terms(1)))
		g.measured("create a deal", g.client, out)
		deal := event(g.world, out, g.s.UnpackDealCreatedEvent).DealId
		g.serve(deal)
		out = g.do(g.sp.party, store, milli(4500), g.s.PackClaimDeal(deal, 0, g.sp.miner()))
		g.measured("claim", g.sp.party, out)
		slot, _ := g.seat(deal, 0)
		sector := g.seal(g.sp.m, g.direct(p, 0, slot))[0]
		for range 2 {
			g.pass(10)
			aux := g.location(g.sp.m, sector, filabi.SectorStatusCodeActive)
			out = g.do(g.sp.party, store, nil, g.s.PackProveActive([]uint64{slot}, [][]byte{aux}))
		}
		g.measured("prove and earn", g.sp.party, out)
	}
}

// market measures what f05 asks and tells.
func (g *gasWorld) market() {
	p := pieceOf("gas, f05")
	slot := g.claim(g.other.party, g.other.m, g.deal(p, terms(1), milli(20_000)), 0)
	id := g.publish(g.other.m, slot)
	t := g.sent(builtin.MethodsMarket.PublishStorageDeals)
	const authenticateMessage, marketNotifyDeal = 2643134072, 4186741094
	g.note("authenticate f05 deal", g.hook(t, authenticateMessage))
	g.note("told of an f05 deal", g.hook(t, marketNotifyDeal))
	g.seal(g.other.m, g.ofDeal(p, id))
	g.measured("activate by an f05 deal", g.sp.party,
		g.do(g.sp.party, g.at[bindings.PerpetualStorage], nil, g.s.PackProveActive([]uint64{slot}, [][]byte{nil})))
}

// notifications measures what a miner tells of 1, 10 and 50 sectors with a piece each. All
// deals are there before the first, since what a contract has in its state costs too.
func (g *gasWorld) notifications() {
	counts := []int{1, 10, 50}
	var sectors []provider.Sector
	for _, d := range g.many(1 + 10 + 50) {
		slot := g.claim(g.other.party, g.other.m, d.id, 0)
		sectors = append(sectors, g.direct(d.piece, 0, slot))
	}
	for _, count := range counts {
		numbers, err := g.other.m.PreCommit(g.ctx, sectors[:count]...)
		g.must(err)
		_, err = g.other.m.Prove(g.ctx, numbers, sectors[:count], provider.Demands{Notification: true})
		g.must(err)
		sectors = sectors[count:]
		const sectorContentChanged = 2034386435
		g.note(fmt.Sprintf("told of %d", count), g.hook(g.sent(builtin.MethodsMiner.ProveCommitSectors3), sectorContentChanged))
	}
}

// dealWith is a deal and its piece.
type dealWith struct {
	id    uint64
	piece storedPiece
}

// many are deals, of which operators say in batches that their pieces are served.
func (g *gasWorld) many(count int) (deals []dealWith) {
	g.Helper()
	store := g.at[bindings.PerpetualStorage]
	var asked []*estuaryprovider.EstuaryProviderOracleRequested
	for i := range count {
		if len(asked) == 30 { // each takes two epochs, and a request ends after 120
			g.answerAll(asked, job.Succeeded, nil)
			asked = nil
		}
		p := pieceOf(fmt.Sprintf("gas, %d of %d", i, count))
		out := g.do(g.client, store, milli(2000), g.s.PackCreateDeal(p.cid, p.commP.Bytes(), 2048, 2000, terms(1)))
		d := dealWith{event(g.world, out, g.s.UnpackDealCreatedEvent).DealId, p}
		fee := read(g.world, store, g.s.PackQuoteServed(d.id), g.s.UnpackQuoteServed)
		asked = append(asked, g.asked(g.do(g.keeper, store, fee, g.s.PackRequestServed(d.id))))
		deals = append(deals, d)
	}
	g.answerAll(asked, job.Succeeded, nil)
	return deals
}
