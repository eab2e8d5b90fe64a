package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/tidegate/tidegate/bindings/dealstatusoracle"
	"github.com/tidegate/tidegate/devnet/chain"
	providers "github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
)

// Exit codes of the market actor, and what its getters answer in each state, by section 2.4 of
// reference/filecoin-fevm.md. Any epoch of activation is 0 here.
const (
	notFound     = exitcode.ErrNotFound // 17
	dealExpired  = exitcode.ExitCode(32)
	notActivated = exitcode.ExitCode(33)
)

var (
	neverPublished = getters{notFound, notFound, notFound, 0}
	inactive       = getters{exitcode.Ok, exitcode.Ok, notActivated, -1}
	gone           = getters{dealExpired, dealExpired, dealExpired, 0}
)

// What DealStatusOracle has.
const (
	oracleNone uint8 = iota
	oraclePublished
	oracleActive
	oracleFaulty
	oracleEnded
	oracleLost
)

// followed is a deal that the test follows.
type followed struct {
	p      *providers.Provider
	id     string // of the offer
	slot   uint64
	deal   *uint64 // of f05; nil for direct data
	sector *abi.SectorNumber
}

// reading is what is to be said of a deal: by f05, by DealStatusOracle, by the slot of
// PerpetualStorage, and by `tidegate deals show`: its state, whether it is faulty, what Filecoin says of it now.
type reading struct {
	f05    getters
	oracle uint8
	slot   market.SlotState
	state  job.OfferState
	faulty bool
	chain  string
	words  string // of the chain, the reason and the alarm
}

// is compares. First anybody tells the slot what the miner says of its sector, as keepers
// do, and the maker looks.
func (w *dealsWorld) is(what string, f *followed, want reading) {
	w.Helper()
	var location []byte
	if f.sector != nil {
		status, aux, err := f.p.Miner().Status(w.ctx, *f.sector)
		w.must(err)
		location = aux
		slots, aux2 := []uint64{f.slot}, [][]byte{aux}
		if status == abi.SectorStatusCodeActive && market.SlotState(w.slot(f.slot).State) == market.SlotActive {
			w.send(w.net.Accounts()[4], w.at, nil, w.storage.PackProveActive(slots, aux2))
		}
		w.send(w.net.Accounts()[4], w.at, nil, w.storage.PackCheckMany(slots, []uint8{uint8(status)}, aux2))
	}
	w.pass(121) // a faulty slot is looked at each hour
	w.pass(1)   // what was executed is what the tipset before the head has
	w.look()
	var got reading
	if f.deal != nil {
		got.f05 = w.f05(*f.deal)
		got.oracle = w.status(dealstatusoracle.DealRef{DealId: *f.deal}, location)
	} else {
		want.oracle = oracleNone // it was not told
	}
	v := w.slot(f.slot)
	got.slot = market.SlotState(v.State)
	d := w.show(f.id)
	if d.Chain == nil {
		w.Fatalf("%s: the chain was not asked", what)
	}
	got.state, got.faulty, got.chain = job.OfferState(d.State), d.Faulty, d.Chain.Status
	said := d.Chain.Words + "\n" + d.Reason + "\n" + d.Alarm
	if want.words != "" && strings.Contains(said, want.words) {
		got.words = want.words
	}
	if f.sector != nil && v.Faulty != d.Faulty && !job.OfferState(d.State).Over() {
		w.Errorf("%s: the slot is faulty: %t, as shown: %t", what, v.Faulty, d.Faulty)
	}
	if f.deal != nil && (d.Evidence == nil || *d.Evidence != *f.deal) {
		w.Errorf("%s: shown of f05 deal %v, which is %d", what, d.Evidence, *f.deal)
	}
	if got != want {
		w.Errorf("%s, at epoch %d:\n got %+v\nwant %+v\nsaid %s", what, d.Chain.Epoch, got, want, said)
	} else {
		w.Logf("%-40s f05 %v  oracle %d  slot %-10s  deals show: %s, chain %s: %s", what, got.f05, got.oracle, got.slot, got.state, got.chain, d.Chain.Words)
	}
}

// follow fills in what a provider's deal has become.
func (w *dealsWorld) follow(p *providers.Provider) *followed {
	w.Helper()
	o, found := w.offer(p.Endpoints().ID)
	if !found {
		w.Fatalf("f0%d has no deal", p.Endpoints().ID)
	}
	f := &followed{p: p, id: o.ID, slot: o.Slot}
	for _, d := range p.Deals() {
		if d.ChainDeal != nil {
			id := uint64(*d.ChainDeal)
			f.deal = &id
		}
	}
	if v := w.slot(o.Slot); v.MinerId == o.Miner && market.SlotState(v.State) == market.SlotActive {
		sector := abi.SectorNumber(v.Sector)
		f.sector = &sector
	}
	return f
}

// TestEveryStateOfADealIsToldRightly produces each row of the table of section 2.4 of
// reference/filecoin-fevm.md, and what a sector can be, with the official actors and
// providers that misbehave, and wants `tidegate deals show`, DealStatusOracle and PerpetualStorage to
// say what the table means, all on one devnet. What takes more than days, f05's own cleaning,
// faults for 42 days, and the end of deals, which f05 wants to last half a year, is make soak.
func TestEveryStateOfADealIsToldRightly(t *testing.T) {
	soak := os.Getenv("TIDEGATE_SOAK") != ""
	w := newDealsWorld(t, 5)
	direct, err := w.market.Create(w.ctx, provider.Creation{Signer: w.funded(chain.Secp256k1, 0)})
	w.must(err)
	w.market.Allow(w.made.Contracts["StorageGate"])
	w.begin()
	before, err := w.net.Chain().Snapshot(w.ctx)
	w.must(err)
	made := w.four(w.market.Providers()[:5])
	refused, pending, kept, quit, failed := made[0], made[1], made[2], made[3], made[4]

	w.is("a refused proposal", refused, reading{slot: market.SlotState(w.slot(refused.slot).State), state: job.OfferFailed, chain: "none", words: "refused"})
	if got := w.f05(99); got != neverPublished {
		t.Errorf("a deal that was never published: %v", got)
	}
	if got := w.status(dealstatusoracle.DealRef{DealId: 99}, nil); got != oracleNone {
		t.Errorf("a deal that was never published: status %d", got)
	}
	w.is("published and pending", pending, reading{f05: inactive, oracle: oraclePublished, slot: market.SlotPublished, state: job.OfferPublished, chain: "published", words: "waits"})
	isActive := reading{oracle: oracleActive, slot: market.SlotActive, state: job.OfferActive, chain: "active"}
	for name, f := range map[string]*followed{"active": kept, "active, to be terminated": quit, "active, to fail": failed} {
		w.is(name, f, isActive)
	}
	handed := w.claimed(direct)
	w.is("direct data, active", handed, isActive)

	w.must(kept.p.Miner().DeclareFaulty(w.ctx, *kept.sector))
	w.must(handed.p.Miner().DeclareFaulty(w.ctx, *handed.sector))
	isFaulty := reading{oracle: oracleFaulty, slot: market.SlotActive, state: job.OfferActive, faulty: true, chain: "faulty"}
	w.is("declared faulty", kept, isFaulty)
	w.is("direct data, declared faulty", handed, isFaulty)
	failed.p.Miner().Skip(*failed.sector)
	w.must(quit.p.Miner().Terminate(w.ctx, *quit.sector))
	w.is("terminated", quit, reading{f05: gone, oracle: oracleLost, slot: market.SlotLost, state: job.OfferFailed, chain: "lost", words: "exit code 32"})

	w.pass(day + 200)
	w.is("not proven for a day", failed, isFaulty)
	w.is("its start is missed", pending, reading{f05: inactive, oracle: oracleLost, slot: market.SlotPublished, state: job.OfferPublished, chain: "lost", words: "not active by its start"})
	if d := w.show(pending.id); !strings.Contains(d.Alarm, "can be activated no more") {
		t.Errorf("its start is missed: alarm %q", d.Alarm)
	}
	w.must(kept.p.Miner().Recover(w.ctx, *kept.sector))
	w.must(handed.p.Miner().Recover(w.ctx, *handed.sector))
	w.pass(day)
	w.is("recovered", kept, isActive)
	w.is("direct data, recovered", handed, isActive)
	w.pass(day)
	w.is("its start is missed, and the slot is open again", pending, reading{f05: inactive, oracle: oracleLost, slot: market.SlotOpen, state: job.OfferFailed, chain: "lost", words: "never active"})

	w.over(kept, handed, failed, pending, soak)

	w.must(w.net.Chain().Revert(w.ctx, before))
	if got := w.f05(*kept.deal); got != neverPublished {
		t.Errorf("taken back by a reorg: f05 says %v", got)
	}
	if d := w.show(kept.id); d.Chain == nil || d.Chain.Status != "none" || !strings.Contains(d.Chain.Words, "exit code 17") {
		t.Errorf("taken back by a reorg: %+v", d.Chain)
	}
	if got := w.status(dealstatusoracle.DealRef{DealId: *kept.deal}, nil); got != oracleNone {
		t.Errorf("taken back by a reorg: status %d", got)
	}
}

// four has four copies made among five providers, of whom the first refuses and the second
// never seals; it gives what became of each one's proposal. What opens again nobody takes.
func (w *dealsWorld) four(all []*providers.Provider) (made []*followed) {
	w.Helper()
	w.must(all[0].Behave(w.ctx, providers.Refuse))
	w.must(all[1].Behave(w.ctx, providers.NeverSeal))
	w.order(4)
	w.until("four copies", 200, 5, func() bool {
		states := map[job.OfferState]int{}
		for _, p := range all {
			if o, found := w.offer(p.Endpoints().ID); found {
				states[o.State]++
			}
		}
		return states[job.OfferActive] == 3 && states[job.OfferPublished] == 1 && states[job.OfferFailed] >= 1
	})
	w.must(all[1].Behave(w.ctx, providers.NeverSeal, providers.Refuse))
	for _, p := range all[2:] {
		w.must(p.Behave(w.ctx, providers.Refuse))
	}
	for _, p := range all {
		made = append(made, w.follow(p))
	}
	return made
}

// over lets deals come to their ends; those that take months if there is time for it.
func (w *dealsWorld) over(kept, handed, failed, pending *followed, soak bool) {
	w.Helper()
	isLost := reading{f05: gone, oracle: oracleLost, slot: market.SlotLost, state: job.OfferFailed, chain: "lost", words: "exit code 32"}
	cleaned := isLost
	cleaned.slot = market.SlotOpen
	if soak {
		w.pass(43 * day)
		w.is("timed out and cleaned up by cron", pending, cleaned)
		w.is("faulty for 42 days", failed, isLost)
		w.overAndSettled(kept, handed)
	} else {
		w.settle(pending)
		w.is("timed out and settled", pending, cleaned)
		w.must(failed.p.Miner().Terminate(w.ctx, *failed.sector))
		w.is("terminated while faulty", failed, isLost)
		w.must(handed.p.Miner().Terminate(w.ctx, *handed.sector))
		w.is("direct data, terminated", handed, reading{slot: market.SlotLost, state: job.OfferFailed, chain: "lost", words: "is dead"})
	}
}

// claimed has a provider claim a slot, to which the maker hands the piece over MK20.
func (w *dealsWorld) claimed(p *providers.Provider) *followed {
	w.Helper()
	deal := w.order(1)
	owner := w.funded(chain.Secp256k1, 0)
	miner := p.Endpoints().ID
	name := "SP_KEY_DIRECT"
	w.TB.(*testing.T).Setenv(name, hexKey(owner))
	var done spDone
	w.do(&done, "claim", decimal(deal), "--miner", decimal(uint64(miner)), "--rpc", w.net.HTTPURL(), "--key-env", name, "--from", market.Text(owner.Address))
	w.until("direct data", 200, 5, func() bool {
		o, found := w.offer(miner)
		return found && o.State == job.OfferActive
	})
	return w.follow(p)
}

// settle has f05 pay and clean up a deal, as anybody may.
func (w *dealsWorld) settle(f *followed) {
	w.Helper()
	_, err := w.net.Providers().Settle(w.ctx, w.funded(chain.Secp256k1, 0), abi.DealID(*f.deal))
	w.must(err)
}

// overAndSettled goes on to the end of two deals, one of f05 and one of direct data, and to
// where both are cleaned up.
func (w *dealsWorld) overAndSettled(kept, handed *followed) {
	w.Helper()
	end := max(w.slot(kept.slot).End, w.slot(handed.slot).End)
	w.pass(int(uint64(end) - w.height()))
	isEnded := reading{oracle: oracleEnded, slot: market.SlotEnded, state: job.OfferEnded, chain: "ended"}
	over := isEnded
	over.words = "until it is settled"
	w.is("past its end, not settled", kept, over)
	over.words = "is active"
	w.is("direct data, past its end", handed, over)
	w.settle(kept)
	over.f05, over.words = gone, "exit code 32"
	w.is("settled and cleaned up", kept, over)
	w.pass(60 * day)
	over = isEnded
	over.words = "is dead"
	w.is("direct data, its sector expired", handed, over)
}
