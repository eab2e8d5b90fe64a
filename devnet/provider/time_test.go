package provider_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	miner18 "github.com/filecoin-project/go-state-types/builtin/v18/miner"
	power18 "github.com/filecoin-project/go-state-types/builtin/v18/power"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/fvm/fvmtest"
	"github.com/tidegate/tidegate/devnet/provider"
)

// busy is a chain with two miners, one of which faults, and deals of every kind.
func busy(t *testing.T, change ...func(*chain.Config)) (*net, []*provider.Miner) {
	n := start(t, change...)
	c := n.deploy(witness)
	first, second := n.miner(provider.Creation{}), n.miner(provider.Creation{})
	n.escrow(c, first)
	id := n.publish(c, first, n.propose(1, 1500))
	var deals []market18.ClientDealProposal // never activated; those with numbers above their start are removed at that epoch
	for i := range 90 {
		p := n.propose(2, 20)
		p.Label = fmt.Sprint(i)
		deal, err := first.FromContract(c.addr, p, nil)
		n.must(err)
		deals = append(deals, deal)
	}
	if _, err := first.Publish(n.ctx, deals...); err != nil {
		t.Fatal(err)
	}
	n.seal(first, provider.Sector{Pieces: []provider.Piece{{CID: pieceCID(t, 1), Size: 2048, Deal: &id}}})
	n.seal(second, provider.Sector{}, provider.Sector{})
	second.Skip(1)
	return n, []*provider.Miner{first, second}
}

// A day in which idle epochs are skipped ends in the same state, to the bit and of
// every actor, as one in which cron ran in each of its epochs.
func TestDayWithAndWithoutSkipping(t *testing.T) {
	skipping, _ := busy(t)
	every, _ := busy(t, func(c *chain.Config) { c.EveryEpoch = true })
	for _, n := range []*net{skipping, every} {
		before := n.market().DealOpsByEpoch
		n.advance(2880)
		if n.market().DealOpsByEpoch == before {
			t.Error("the market's cron had nothing to do all day")
		}
	}
	if a, b := skipping.Head(), every.Head(); a.Key() != b.Key() || a.Height() != b.Height() {
		t.Errorf("skipping leads to %s at %d, cron in each epoch to %s at %d", a.Key(), a.Height(), b.Key(), b.Height())
	}
	a, _, err := skipping.StateAt(nil)
	skipping.must(err)
	b, _, err := every.StateAt(nil)
	every.must(err)
	if a != b {
		t.Errorf("states %s and %s", a, b)
	}
}

// heads are the states of some actors, by address.
func (n *net) head(addr address.Address) string {
	n.Helper()
	actor, err := n.Actor(n.ctx, addr, nil)
	n.must(err)
	return actor.Head.String()
}

// With a tipset in every epoch there is a block reward in every epoch too, which the
// producer locks as pledge. In all else a day ends as if its idle epochs were skipped.
func TestDayWithTipsetInEveryEpoch(t *testing.T) {
	advanced, miners := busy(t)
	mined, _ := busy(t)
	epochs := 480 // ten deadlines; make soak takes the day
	if soak {
		epochs = 2880
	}
	advanced.advance(abi.ChainEpoch(epochs))
	if _, err := mined.Mine(mined.ctx, epochs); err != nil {
		t.Fatal(err)
	}
	addresses := []address.Address{builtin.StorageMarketActorAddr}
	for _, m := range miners {
		addresses = append(addresses, m.Address())
	}
	for _, addr := range addresses {
		if a, b := advanced.head(addr), mined.head(addr); a != b {
			t.Errorf("%s is %s after skipping, %s after a tipset in each epoch", addr, a, b)
		}
	}
	states := make([]power18.State, 2)
	for i, n := range []*net{advanced, mined} {
		actor, err := n.Actor(n.ctx, builtin.StoragePowerActorAddr, nil)
		n.must(err)
		n.must(fvm.CBORStore(n.Store()).Get(n.ctx, actor.Head, &states[i]))
		producer, _ := n.Miner()
		var st miner18.State
		actor, err = n.Actor(n.ctx, producer, nil)
		n.must(err)
		n.must(fvm.CBORStore(n.Store()).Get(n.ctx, actor.Head, &st))
		locked := st.LockedFunds
		states[i].TotalPledgeCollateral = big.Sub(states[i].TotalPledgeCollateral, locked)
		states[i].ThisEpochPledgeCollateral = abi.NewTokenAmount(0)
	}
	if a, b := states[0], states[1]; !a.TotalPledgeCollateral.Equals(b.TotalPledgeCollateral) || a.Claims != b.Claims ||
		a.CronEventQueue != b.CronEventQueue || a.FirstCronEpoch != b.FirstCronEpoch ||
		!a.TotalBytesCommitted.Equals(b.TotalBytesCommitted) || !a.TotalQABytesCommitted.Equals(b.TotalQABytesCommitted) ||
		!a.ThisEpochQAPowerSmoothed.PositionEstimate.Equals(b.ThisEpochQAPowerSmoothed.PositionEstimate) ||
		!a.ThisEpochQAPowerSmoothed.VelocityEstimate.Equals(b.ThisEpochQAPowerSmoothed.VelocityEstimate) {
		t.Errorf("power after skipping\n%+v\nafter a tipset in each epoch\n%+v", a, b)
	}
}

// Half a year of three miners that prove every day takes minutes. Here it is three days;
// make soak takes all 180.
func TestHalfAYearOfProving(t *testing.T) {
	days, limit := abi.ChainEpoch(3), time.Minute
	if soak {
		days, limit = 180, 5*time.Minute
	}
	n := start(t)
	sectors := map[*provider.Miner][]abi.SectorNumber{}
	for range 3 {
		m := n.miner(provider.Creation{})
		sectors[m] = n.seal(m, provider.Sector{})
	}
	began := time.Now()
	n.advance(days * day)
	took := time.Since(began)
	t.Logf("%d days of 3 miners in %s", days, took)
	if took > limit {
		t.Errorf("%d days took %s, want at most %s", days, took, limit)
	}
	for m, numbers := range sectors {
		n.wantStatus(m, abi.SectorStatusCodeActive, numbers...)
		if sent, failed := n.posts(m); failed > 0 || sent < int(days)-1 {
			t.Errorf("%s sent %d proofs in %d days, %d failed", m.Address(), sent, days, failed)
		}
	}
}

// Miners of a loaded devnet go on where they were: they prove, and skip what they
// skipped.
func TestFleetOfLoadedChainGoesOn(t *testing.T) {
	n, miners := busy(t)
	fleet, err := n.fleet.Dump()
	n.must(err)
	var dump bytes.Buffer
	n.must(n.Dump(n.ctx, &dump))
	c, err := chain.Load(n.ctx, chain.Config{Engine: fvmtest.Engine(t)}, &dump)
	n.must(err)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	m := &net{TB: t, ctx: n.ctx, Chain: c}
	m.fleet, err = provider.Load(n.ctx, c, provider.Config{}, fleet)
	n.must(err)
	for _, n := range []*net{n, m} {
		n.advance(day)
		n.miner(provider.Creation{})
	}
	if n.Head().Key() != m.Head().Key() {
		t.Errorf("a day later the loaded devnet is at %s, the first at %s", m.Head().Key(), n.Head().Key())
	}
	second, err := m.fleet.Miner(miners[1].Address())
	n.must(err)
	m.wantStatus(second, abi.SectorStatusCodeActive, 0)
	m.wantStatus(second, abi.SectorStatusCodeFaulty, 1)
}
