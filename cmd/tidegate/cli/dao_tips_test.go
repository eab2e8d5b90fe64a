package cli

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/cmd/tidegate/daemon"
	"github.com/tidegate/tidegate/devnet"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/executor/job"
)

// tipped is the world with another DAO in it, which gives such a tip.
func (w *keptDAO) tipped(atto int64) *keptDAO {
	params, other := deploy.DaoParams(), *w
	params.Tip = big.NewInt(atto)
	other.dao = w.makes(params)
	return &other
}

// spending is a proposal to add content, for at most so many milliFIL of the treasury, for
// which all members vote.
func (w *keptDAO) spending(n byte, milli int64) uint64 {
	w.Helper()
	return w.proposed(w.sp, 5e17, datadao.Draft{Cid: daoContent(n), Size: 1000, Budget: new(big.Int).Mul(big.NewInt(milli), big.NewInt(1e15))}, 0, 1, 2)
}

// tips are what the DAO's treasury gave, by proposal; all to the daemon's key.
func (w *keptDAO) tips() map[uint64]*big.Int {
	w.Helper()
	got, from := map[uint64]*big.Int{}, uint64(1)
	for height := w.height(); from <= height; from += day {
		logs, err := w.client.FilterLogs(w.ctx, ethereum.FilterQuery{
			Addresses: []common.Address{w.dao}, FromBlock: new(big.Int).SetUint64(from), ToBlock: new(big.Int).SetUint64(min(from+day-1, height)),
		})
		w.must(err)
		for i := range logs {
			e, err := w.c.UnpackExecutorTippedEvent(&logs[i])
			if err != nil {
				continue
			}
			if got[e.ProposalId.Uint64()] != nil || e.Executor != w.net.Accounts()[3].Address {
				w.Errorf("proposal %s was tipped twice, or %s was", e.ProposalId, e.Executor)
			}
			got[e.ProposalId.Uint64()] = e.Amount
		}
	}
	return got
}

func (w *keptDAO) treasury() *big.Int {
	w.Helper()
	raw, err := w.client.CallContract(w.ctx, callOf(w.dao, w.c.PackTreasury()), nil)
	w.must(err)
	has, err := w.c.UnpackTreasury(raw)
	w.must(err)
	return has
}

// kept are the keep jobs for this DAO, by proposal.
func (w *keptDAO) kept(d *daemon.Daemon) map[string]job.Job {
	w.Helper()
	all, err := d.Ledger().Jobs(w.ctx, job.Filter{Kind: job.KindKeep})
	w.must(err)
	jobs := map[string]job.Job{}
	for _, j := range all {
		if j.Requester == strings.ToLower(w.dao.Hex()) {
			part := strings.Split(j.Key, ":")
			jobs[part[3]+" "+part[4]] = j
		}
	}
	return jobs
}

// A daemon that is told the factory finds the DAOs that tip, and executes what they passed
// where that pays: not for too small a tip, not what has no budget to give one from, and
// nothing of a DAO without one, whatever it may spend on its own DAOs.
func TestTheDaemonExecutesWhereItPays(t *testing.T) {
	w := newKeptDAO(t)
	const tip = 5e16
	generous, stingy := w.tipped(tip), w.tipped(1)
	none, small := w.spending(1, 900), stingy.spending(1, 900)
	pays, tight := generous.spending(1, 900), generous.spending(2, 1)
	free := generous.proposed(w.members[0], 0, datadao.Draft{Cid: daoContent(3), Size: 1000}, 1, 2)
	w.later(24 * time.Hour)
	w.later(24*time.Hour + time.Minute)
	generous.stateIs(pays, "ready")

	cfg := w.keeperConfig(t)
	cfg.Keeper.Factory, cfg.Keeper.MaxCost = w.made.Contracts[bindings.DataDAOFactory].Hex(), "1"
	execute := func(id uint64) string { return fmt.Sprintf("executeCIDProposal %d", id) }
	before := generous.treasury()
	for range 2 { // and over a restart
		w.runDaemon(t, cfg, func(d *daemon.Daemon) {
			w.until(t, d, func(map[string]job.Job) bool {
				return generous.kept(d)[execute(pays)].State == job.Done && strings.Contains(stingy.kept(d)[execute(small)].LastError, "does not pay")
			})
			if j := generous.kept(d)[execute(pays)]; j.Outcome != job.Succeeded {
				t.Errorf("%s: %s %s", j.Key, j.Outcome, j.LastError)
			}
			if of, with := generous.kept(d), w.kept(d); len(of) != 1 || len(with) != 0 {
				t.Errorf("jobs %v of the DAO that tips, %v of the one that does not", of, with)
			}
		})
	}
	generous.stateIs(pays, "executed")
	generous.stateIs(tight, "ready")
	generous.stateIs(free, "ready")
	w.stateIs(none, "ready")
	stingy.stateIs(small, "ready")
	got, spent := generous.tips(), new(big.Int).Sub(before, generous.treasury())
	if len(got) != 1 || got[pays].Cmp(big.NewInt(tip)) != 0 || spent.Cmp(big.NewInt(tip)) <= 0 || spent.Cmp(big.NewInt(9e17)) > 0 {
		t.Errorf("tips %v, the treasury gave %s", got, spent)
	}
}

// What is executed on a branch that goes away is executed on the one that stays, once, and
// paid once; and votes of a branch that goes away execute nothing.
func TestADAOIsKeptOverReorgs(t *testing.T) {
	const final, dropped = 24, 16
	w := &keptDAO{spWorld: newSpWorld(t, func(c *devnet.Config) { c.FinalityDepth = final }), c: datadao.NewDataDAO(), final: final}
	w.members, w.sp = w.net.Accounts()[4:7], w.net.Accounts()[7]
	w.must(w.net.Chain().SetPace(chain.Pace{AutoMine: true})) // a message is executed at once, and not final
	const tip = 5e16
	w = w.tipped(tip)
	id := w.spending(1, 900)
	w.later(24 * time.Hour)
	w.later(24*time.Hour + time.Minute)
	w.stateIs(id, "ready")
	before := w.treasury()

	cfg := w.keeperConfig(t)
	cfg.Keeper.DAOs, cfg.Keeper.MaxCost = []string{w.dao.Hex()}, "1"
	execute, last := fmt.Sprintf("executeCIDProposal %d", id), uint64(0)
	w.runDaemon(t, cfg, func(d *daemon.Daemon) {
		w.until(t, d, func(jobs map[string]job.Job) bool { return strings.Contains(jobs[execute].LastError, "is mined") })
		w.stateIs(id, "executed")
		first := w.treasury()
		w.reorg(dropped)
		jobs := w.until(t, d, func(jobs map[string]job.Job) bool {
			w.pass(1)
			return jobs[execute].State == job.Done
		})
		if j := jobs[execute]; j.Outcome != job.Succeeded || len(jobs) != 1 {
			t.Errorf("%s %s, %d jobs", j.Outcome, j.LastError, len(jobs))
		}
		if again := w.treasury(); again.Cmp(first) != 0 || again.Cmp(before) >= 0 {
			t.Errorf("the treasury had %s, then %s, and has %s", before, first, again)
		}

		// Votes that no branch has in the end.
		lost := w.proposed(w.members[0], 0, datadao.Draft{Cid: daoContent(2), Size: 1000})
		w.settle()
		for _, m := range w.members[1:] {
			w.send(m, w.dao, nil, w.c.PackVoteCIDProposal(new(big.Int).SetUint64(lost), true))
		}
		w.must(w.client.Client().CallContext(w.ctx, nil, "evm_increaseTime", 3700))
		w.pass(1)
		w.stateIs(lost, "ready")
		w.reorg(dropped)
		w.stateIs(lost, "defeated")
		// The next that passes is executed after that became final.
		last = w.proposed(w.members[0], 0, datadao.Draft{Cid: daoContent(3), Size: 1000}, 1, 2)
		w.later(time.Hour + time.Minute)
		jobs = w.until(t, d, func(jobs map[string]job.Job) bool {
			w.pass(1)
			return jobs[fmt.Sprintf("executeCIDProposal %d", last)].State == job.Done
		})
		if len(jobs) != 2 {
			t.Errorf("jobs %v", jobs)
		}
	})
	w.stateIs(id, "executed")
	got, executed := w.tips(), w.happened("ProposalExecuted")
	if len(got) != 1 || got[id].Cmp(big.NewInt(tip)) != 0 || fmt.Sprint(executed) != fmt.Sprint(map[uint64]int{id: 1, last: 1}) || w.happened("DepositSettled")[id] != 1 {
		t.Errorf("tips %v, executed %v", got, executed)
	}
}

// reorg drops tipsets, with what was in them.
func (w *keptDAO) reorg(tipsets int) {
	w.Helper()
	done, err := w.net.Chain().Reorg(w.ctx, tipsets, false)
	w.must(err)
	if len(done.Dropped) == 0 {
		w.Error("nothing was dropped")
	}
}
