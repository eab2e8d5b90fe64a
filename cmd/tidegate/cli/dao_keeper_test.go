package cli

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/bindings/daodata"
	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/datadaofactory"
	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/cmd/tidegate/daemon"
	"github.com/tidegate/tidegate/devnet"
	"github.com/tidegate/tidegate/executor/handler/prepare"
	"github.com/tidegate/tidegate/executor/job"
)

// keptDAO is a DataDAO of three members on a devnet whose epochs are made on demand.
type keptDAO struct {
	*spWorld
	c       *datadao.DataDAO
	dao     common.Address
	members []devnet.Account
	sp      devnet.Account // no member
	final   int            // tipsets until one is final
}

func newKeptDAO(t *testing.T) *keptDAO {
	w := &keptDAO{spWorld: newSpWorld(t), c: datadao.NewDataDAO(), final: devnet.DefaultFinalityDepth}
	keys := w.net.Accounts()
	w.members, w.sp = keys[4:7], keys[7]
	w.dao = w.makes(deploy.DaoParams())
	return w
}

// makes a DAO of the members, with a treasury of 5 FIL.
func (w *keptDAO) makes(params datadao.DaoParams) common.Address {
	w.Helper()
	var founders []common.Address
	for _, m := range w.members {
		founders = append(founders, m.Address)
	}
	f := datadaofactory.NewDataDAOFactory()
	call := f.PackCreateDAO(datadaofactory.DaoParams(params), founders, common.Address{})
	for _, log := range w.send(w.net.Accounts()[0], w.made.Contracts["DataDAOFactory"], big.NewInt(5e18), call).Logs {
		if e, err := f.UnpackDaoCreatedEvent(log); err == nil {
			return e.Dao
		}
	}
	w.Fatal("no DAO was made")
	return common.Address{}
}

// later lets time pass, and makes it final.
func (w *keptDAO) later(d time.Duration) {
	w.Helper()
	w.must(w.client.Client().CallContext(w.ctx, nil, "evm_increaseTime", int64(d/time.Second)))
	w.settle()
}

// settle makes what is there final.
func (w *keptDAO) settle() {
	w.Helper()
	for range w.final + 2 {
		w.pass(1) // a tipset each
	}
}

func daoContent(n byte) []byte {
	return append([]byte{0x01, 0x55, 0x12, 0x20}, crypto.Keccak256([]byte{'d', n})...)
}

// proposed makes a proposal; members who are named by number vote for it.
func (w *keptDAO) proposed(by devnet.Account, deposit int64, draft datadao.Draft, yes ...int) uint64 {
	w.Helper()
	if draft.Budget == nil {
		draft.Budget = new(big.Int)
	}
	id := uint64(0)
	for _, log := range w.send(by, w.dao, big.NewInt(deposit), w.c.PackPropose(draft)).Logs {
		if e, err := w.c.UnpackProposalCreatedEvent(log); err == nil {
			id = e.ProposalId.Uint64()
		}
	}
	for _, m := range yes {
		w.send(w.members[m], w.dao, nil, w.c.PackVoteCIDProposal(new(big.Int).SetUint64(id), true))
	}
	return id
}

// storing is a proposal to add content and store it, out of a budget of 0.9 FIL.
func (w *keptDAO) storing(content []byte) datadao.Draft {
	w.Helper()
	store, err := daodata.Store{Amount: big.NewInt(1e17), Terms: usualTerms()}.Pack()
	w.must(err)
	data, err := daodata.Add{Store: store}.Pack()
	w.must(err)
	return datadao.Draft{Cid: content, Size: 1000, Budget: big.NewInt(9e17), Data: data}
}

func (w *keptDAO) stateIs(id uint64, want string) {
	w.Helper()
	raw, err := w.client.CallContract(w.ctx, callOf(w.dao, w.c.PackStateOf(new(big.Int).SetUint64(id))), nil)
	w.must(err)
	state, err := w.c.UnpackStateOf(raw)
	if w.must(err); daoWord(daoStates, state) != want {
		w.Errorf("proposal %d is %s, want %s", id, daoWord(daoStates, state), want)
	}
}

func callOf(to common.Address, data []byte) ethereum.CallMsg {
	return ethereum.CallMsg{To: &to, Data: data}
}

// happened counts the DAO's events of a name, by proposal.
func (w *keptDAO) happened(event string) map[uint64]int {
	w.Helper()
	times := map[uint64]int{}
	const atOnce = 2880
	for from := uint64(1); from <= w.height(); from += atOnce {
		logs, err := w.client.FilterLogs(w.ctx, ethereum.FilterQuery{
			Addresses: []common.Address{w.dao}, Topics: [][]common.Hash{{w.c.GetABI().Events[event].ID}},
			FromBlock: new(big.Int).SetUint64(from), ToBlock: new(big.Int).SetUint64(min(from+atOnce-1, w.height())),
		})
		w.must(err)
		for _, log := range logs {
			times[log.Topics[1].Big().Uint64()]++
		}
	}
	return times
}

// A daemon executes what a DAO passed, paying the pin of what has no budget when it is
// told to, has operators say which piece is to be stored before that, settles the deposit
// of what nobody voted on, and shows a wrong size; each once, over restarts.
func TestTheDaemonExecutesWhatADAOPassed(t *testing.T) {
	w := newKeptDAO(t)
	cfg := w.keeperConfig(t)
	cfg.Keeper.DAOs = []string{w.dao.Hex()}
	plain := w.proposed(w.members[0], 0, datadao.Draft{Cid: daoContent(1), Size: 1000}, 1, 2)
	stored := w.proposed(w.sp, 5e17, w.storing(daoContent(2)), 0, 1, 2) // weighty: three must vote
	lost := w.proposed(w.sp, 5e17, datadao.Draft{Cid: daoContent(3), Size: 1000})
	lie := w.proposed(w.sp, 5e17, datadao.Draft{Cid: daoContent(4), Size: 999}, 0, 1, 2)
	never := w.proposed(w.members[0], 0, datadao.Draft{Cid: daoContent(5), Size: 1000}) // without a deposit: nothing to settle
	fee := w.sizeFee(1998)
	w.answer(w.send(w.sp, w.dao, fee, w.c.PackRequestSize(new(big.Int).SetUint64(lie), 1998)), prepare.Answer(w.piece.CID(), w.piece.Padded, w.piece.Payload, 1000))
	w.later(time.Hour + time.Minute)
	w.stateIs(plain, "ready")
	w.stateIs(stored, "active")
	w.stateIs(lost, "defeated")

	of := func(fn string, id uint64) string { return fmt.Sprintf("%s %d", fn, id) }
	execute, settle, show := of("executeCIDProposal", plain), of("closeProposal", lost), of("reportSize", lie)
	w.runDaemon(t, cfg, func(d *daemon.Daemon) {
		w.until(t, d, func(jobs map[string]job.Job) bool {
			return strings.Contains(jobs[execute].LastError, "does not pay: it sends") && strings.Contains(jobs[settle].LastError, "does not pay") &&
				strings.Contains(jobs[show].LastError, "does not pay")
		})
		w.stateIs(plain, "ready")
	})
	cfg.Keeper.MaxCost = "1"
	w.runDaemon(t, cfg, func(d *daemon.Daemon) {
		jobs := w.until(t, d, func(jobs map[string]job.Job) bool {
			return jobs[execute].State == job.Done && jobs[settle].State == job.Done && jobs[show].State == job.Done
		})
		for what, j := range jobs {
			if j.Outcome != job.Succeeded {
				t.Errorf("%s: %s (%s)", what, j.Outcome, j.LastError)
			}
		}
		if len(jobs) != 3 {
			t.Errorf("jobs %v", jobs)
		}
	})
	w.stateIs(plain, "executed")
	w.stateIs(lie, "refuted")
	w.stateIs(never, "defeated")

	// A vote of a day: its piece is asked for in the delay of another, and then it is executed.
	w.later(24 * time.Hour)
	w.stateIs(stored, "queued")
	ask := of("requestSize", stored)
	w.runDaemon(t, cfg, func(d *daemon.Daemon) {
		jobs := w.until(t, d, func(jobs map[string]job.Job) bool { return jobs[ask].State == job.Done })
		w.answer(w.receiptOf(d, jobs[ask]), prepare.Answer(w.piece.CID(), w.piece.Padded, w.piece.Payload, 1000))
		w.stateIs(stored, "queued")
	})
	w.later(24 * time.Hour)
	execute = of("executeCIDProposal", stored)
	w.runDaemon(t, cfg, func(d *daemon.Daemon) {
		if j := w.until(t, d, func(jobs map[string]job.Job) bool { return jobs[execute].State == job.Done })[execute]; j.Outcome != job.Succeeded {
			t.Errorf("%s: %s %s", execute, j.Outcome, j.LastError)
		}
	})
	w.stateIs(stored, "executed")
	executed, opened, settled := w.happened("ProposalExecuted"), w.happened("StorageOpened"), w.happened("DepositSettled")
	if fmt.Sprint(executed) != fmt.Sprint(map[uint64]int{plain: 1, stored: 1}) || fmt.Sprint(opened) != fmt.Sprint(map[uint64]int{stored: 1}) ||
		fmt.Sprint(settled) != fmt.Sprint(map[uint64]int{lost: 1, lie: 1, stored: 1}) || w.happened("SizeRequested")[stored] != 1 {
		t.Errorf("executed %v, opened %v, settled %v", executed, opened, settled)
	}
}

func (w *keptDAO) sizeFee(bytes uint64) *big.Int {
	w.Helper()
	raw, err := w.client.CallContract(w.ctx, callOf(w.dao, w.c.PackQuoteSize(bytes)), nil)
	w.must(err)
	fee, err := w.c.UnpackQuoteSize(raw)
	w.must(err)
	return fee
}

// receiptOf is the receipt of the transaction that a job made.
func (w *keptDAO) receiptOf(d *daemon.Daemon, j job.Job) *types.Receipt {
	w.Helper()
	tx, err := d.Ledger().IntentTx(context.WithoutCancel(w.ctx), j.Key)
	w.must(err)
	receipt, err := w.client.TransactionReceipt(w.ctx, tx.MinedHash)
	w.must(err)
	return receipt
}
