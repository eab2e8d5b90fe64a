package cli

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/cmd/tidegate/daemon"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
)

// A deal stays claimable while its client sleeps: the operators' word of seven days is
// asked for when it is over, once a day at most, where a slot is open and paid for, and
// for named clients only.
func TestTheDaemonKeepsDealsClaimable(t *testing.T) {
	w := newSpWorld(t)
	perSlot := big.NewInt(1e18 + 2e12*180*day)
	rules := terms(1)
	rules.SealWindow = 14 * day // what is claimed stays claimed
	paid, unpaid, taken := w.deal(rules, perSlot), w.deal(rules, new(big.Int).Sub(perSlot, big.NewInt(1))), w.deal(rules, perSlot)
	f1 := w.funded(chain.Secp256k1, 0)
	var done spDone
	w.do(&done, "claim", fmt.Sprint(market.SlotID(taken, 0, 0)), "--miner", id(w.miner(address.Undef, f1)), "--from", market.Text(f1.Address), "--node", w.net.HTTPURL())
	w.pass(8 * day)
	storage := market.NewStorage(contractsOf{w.client}, w.at)
	due := func(client common.Address) (subjects []string) {
		all, err := storage.Each(w.ctx, w.height(), storage.Unvouched(map[common.Address]bool{client: true}))
		w.must(err)
		for _, d := range all {
			subjects = append(subjects, d.Subject)
		}
		return subjects
	}
	client := w.net.Accounts()[2].Address
	if ours, others := due(client), due(w.net.Accounts()[5].Address); len(ours) != 1 || ours[0] != fmt.Sprint(paid) || len(others) != 0 {
		t.Errorf("due are deals %v and, of somebody without any, %v; want %d alone (not paid: %d, taken: %d)", ours, others, paid, unpaid, taken)
	}

	cfg := w.keeperConfig(t)
	cfg.Kinds = []string{string(job.KindPin)} // the operator's word is ours to give
	cfg.Public.Listen, cfg.Keeper.MaxCost, cfg.Keeper.Clients = "", "1", []string{client.Hex()}
	asked := fmt.Sprint("requestServed ", paid)
	w.runDaemon(t, cfg, func(d *daemon.Daemon) {
		jobs := w.until(t, d, func(jobs map[string]job.Job) bool { return jobs[asked].State == job.Done })
		if j := jobs[asked]; j.Outcome != job.Succeeded {
			t.Fatalf("%s: %s (%s)", asked, j.Outcome, j.LastError)
		}
	})
	oracle, at := estuaryprovider.NewEstuaryProvider(), w.made.Contracts["EstuaryProvider"]
	logs, err := w.client.FilterLogs(w.ctx, ethereum.FilterQuery{
		Addresses: []common.Address{at}, FromBlock: new(big.Int).SetUint64(w.height() - 1000),
		Topics: [][]common.Hash{{oracle.GetABI().Events[estuaryprovider.EstuaryProviderOracleRequestedEventName].ID}},
	})
	w.must(err)
	if len(logs) != 1 {
		t.Fatalf("operators were asked %d times", len(logs))
	}
	receipt, err := w.client.TransactionReceipt(w.ctx, logs[0].TxHash)
	w.must(err)
	w.answer(receipt, nil)
	if can, err := storage.Preview(w.ctx, w.height(), market.SlotID(paid, 0, 0), 0, common.Address{}); err != nil || can.Reason == "not served" {
		t.Errorf("after the answer a claim would not go through: %q, %v", can.Reason, err)
	}
	if again := due(client); len(again) != 0 {
		t.Errorf("deals %v are due although operators vouch for them", again)
	}
}
