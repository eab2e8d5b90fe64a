package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/filecoin-project/go-address"

	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/cmd/tidegate/daemon"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/handler/prepare"
	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/oracle/signer"
)

// A daemon expires a claim, opens a renewal, opens a deal that was ordered, and shows that
// a sector is gone; each once, and what does not pay only when it is told to.
func TestTheDaemonKeepsContracts(t *testing.T) {
	w := newSpWorld(t)
	f1, f3 := w.funded(chain.Secp256k1, 0), w.funded(chain.BLS, 0)
	stores, promises, breaks := w.miner(address.Undef, f1), w.miner(address.Undef, f3), w.miner(address.Undef, w.funded(chain.Secp256k1, 1))
	rules := terms(3)
	rules.RenewWindow = rules.Term - 1
	deal := w.deal(rules, new(big.Int).Mul(big.NewInt(20), big.NewInt(1e18)))
	claim := func(i uint8, m *provider.Miner, from chain.Account) uint64 {
		var done spDone
		slot := market.SlotID(deal, i, 0)
		w.do(&done, "claim", fmt.Sprint(slot), "--miner", id(m), "--from", market.Text(from.Address), "--node", w.net.HTTPURL())
		return slot
	}
	kept, expired, broken := claim(0, stores, f1), claim(1, promises, f3), claim(2, breaks, w.funded(chain.Secp256k1, 1))
	w.sealFor(stores, kept, 220*day)
	sector := w.seal(breaks, broken)
	w.pass(2*day + 10) // the seal deadline, and a day of grace
	w.must(breaks.Terminate(w.ctx, sector))

	cfg := w.keeperConfig(t)
	order := w.order(rules)
	expire, check := fmt.Sprint("expireClaim ", expired), fmt.Sprint("checkDeal ", broken)
	renew, renewBroken, open := fmt.Sprintf("openRenewal %d.0", deal), fmt.Sprintf("openRenewal %d.2", deal), "openDeal "+order.Hex()
	w.runDaemon(t, cfg, func(d *daemon.Daemon) {
		w.until(t, d, func(jobs map[string]job.Job) bool {
			return jobs[expire].State == job.Done && jobs[check].State == job.Done && jobs[renewBroken].State == job.Done &&
				strings.Contains(jobs[renew].LastError, "does not pay") && strings.Contains(jobs[open].LastError, "does not pay")
		})
		w.state(market.SlotID(deal, 1, 0), market.SlotOpen)
		w.state(broken, market.SlotLost)
		w.listed(t, d, market.SlotID(deal, 1, 0), promises)
		if w.expired(expired) != 1 || w.opened(order) {
			t.Errorf("expired %d times; the order is opened: %t", w.expired(expired), w.opened(order))
		}
	})
	cfg.Keeper.MaxCost = "1"
	w.runDaemon(t, cfg, func(d *daemon.Daemon) {
		jobs := w.until(t, d, func(jobs map[string]job.Job) bool {
			return jobs[renew].State == job.Done && jobs[open].State == job.Done
		})
		for what, j := range jobs {
			// The seat whose sector is gone was due until that was shown.
			if want := what != renewBroken; (j.Outcome == job.Succeeded) != want {
				t.Errorf("%s: %s (%s)", what, j.Outcome, j.LastError)
			}
		}
		w.state(market.SlotID(deal, 0, 1), market.SlotOpen)
		if w.expired(expired) != 1 || !w.opened(order) || len(jobs) != 5 {
			t.Errorf("expired %d times; the order is opened: %t; jobs %v", w.expired(expired), w.opened(order), jobs)
		}
		w.extendsAsTold(t, d, f1, stores)
	})
	// The tips are the sender's: a tenth of what was left of each bond.
	credit, err := market.NewStorage(contractsOf{w.client}, w.at).Credit(w.ctx, w.height(), w.net.Accounts()[3].Address)
	if want := big.NewInt(2e17 + 4e16); err != nil || credit.Cmp(want) != 0 {
		t.Errorf("the keeper was credited %s, want %s (%v)", credit, want, err)
	}
}

// listed compares the daemon's list with the contract's, and asks it about a slot.
func (w *spWorld) listed(t *testing.T, d *daemon.Daemon, slot uint64, m *provider.Miner) {
	t.Helper()
	var there, here httpapi.SlotPage
	w.do(&there, "slots", "--url", "http://"+d.Public())
	w.do(&here, "slots", "--rpc", w.net.HTTPURL())
	if len(there.Items) == 0 || !reflect.DeepEqual(there.Items, here.Items) {
		t.Errorf("the daemon lists %v, the contract %v", there.Items, here.Items)
	}
	res, err := http.Get(fmt.Sprintf("http://%s/slots/%d?miner=%s&caller=f0%d", d.Public(), slot, id(m), w.funded(chain.BLS, 0).ID))
	w.must(err)
	defer res.Body.Close()
	var got httpapi.SlotDetail
	w.must(json.NewDecoder(res.Body).Decode(&got))
	if got.State != "open" || got.Preview == nil || got.Preview.Reason != "" || got.Preview.Bond != "2000000000000000000" || len(got.Sources) != 1 {
		t.Errorf("slot %d: %+v %+v", slot, got, got.Preview)
	}
}

func (w *spWorld) state(slot uint64, want market.SlotState) {
	w.Helper()
	d, err := market.NewStorage(contractsOf{w.client}, w.at).Slot(w.ctx, w.height(), slot)
	if err != nil || d.State != want {
		w.Errorf("slot %d is %s, want %s (%v)", slot, d.State, want, err)
	}
}

// order orders a deal and has the operator say which piece it is; it gives the request.
func (w *spWorld) order(rules any) common.Hash {
	w.Helper()
	raw, err := json.Marshal(rules)
	w.must(err)
	var own estuarypinning.DealTerms
	w.must(json.Unmarshal(raw, &own))
	pins := estuarypinning.NewEstuaryPinning()
	content := append([]byte{0x01, 0x55, 0x12, 0x20}, crypto.Keccak256([]byte{2})...)
	receipt := w.send(w.net.Accounts()[2], w.made.Contracts["EstuaryPinning"], new(big.Int).Mul(big.NewInt(9), big.NewInt(1e18)), pins.PackMakeDealsForCid(content, own))
	w.answer(receipt, prepare.Answer(w.piece.CID(), w.piece.Padded, w.piece.Payload, 1000))
	for _, log := range receipt.Logs {
		if e, err := pins.UnpackDealsRequestedEvent(log); err == nil {
			return e.RequestId
		}
	}
	w.Fatal("nothing was ordered")
	return common.Hash{}
}

func (w *spWorld) opened(order common.Hash) bool {
	w.Helper()
	pins, at := estuarypinning.NewEstuaryPinning(), w.made.Contracts["EstuaryPinning"]
	raw, err := w.client.CallContract(w.ctx, ethereum.CallMsg{To: &at, Data: pins.PackDealsOf(order)}, nil)
	w.must(err)
	now, err := pins.UnpackDealsOf(raw)
	w.must(err)
	return now.State == 3
}

// expired counts the ClaimExpired events of a slot in the last thousand epochs.
func (w *spWorld) expired(slot uint64) (n int) {
	w.Helper()
	logs, err := w.client.FilterLogs(w.ctx, ethereum.FilterQuery{Addresses: []common.Address{w.at}, FromBlock: new(big.Int).SetUint64(w.height() - 1000)})
	w.must(err)
	for _, log := range logs {
		if e, err := w.storage.UnpackClaimExpiredEvent(&log); err == nil && e.SlotId == slot {
			n++
		}
	}
	return n
}

func (w *spWorld) keeperConfig(t *testing.T) config.Config {
	c := config.Devnet()
	c.DataDir = t.TempDir()
	c.Chain.RPC, c.Chain.Start = []string{w.net.HTTPURL()}, w.height()-1
	c.Chain.Provider, c.Chain.Pinning, c.Chain.Storage = w.made.Contracts["EstuaryProvider"].Hex(), w.made.Contracts["EstuaryPinning"].Hex(), w.at.Hex()
	c.HTTP.Listen, c.HTTP.Admin, c.Public.Listen, c.IPFS.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", []string{"/ip4/127.0.0.1/tcp/0"}
	c.Keys.Sender.Env, c.Keys.Report.Env = "UNUSED", "UNUSED"
	c.Keeper.Enabled, c.Keeper.Node, c.Keeper.Every, c.Keeper.TryAgain = true, w.net.HTTPURL(), config.Duration(200*time.Millisecond), config.Duration(time.Second)
	w.must(c.Check())
	return c
}

// runDaemon runs a daemon whose sender is the devnet's account 3, while f looks at it.
func (w *spWorld) runDaemon(t *testing.T, cfg config.Config, f func(*daemon.Daemon)) {
	t.Helper()
	sender, err := signer.FromHex(w.net.Accounts()[3].PrivateKey)
	w.must(err)
	reports, err := signer.FromHex(w.net.Accounts()[1].PrivateKey)
	w.must(err)
	d, err := daemon.New(w.ctx, cfg, daemon.Deps{Log: daemon.NewLogger(t.Output(), "info", "text"), SenderKeys: []signer.TxSigner{sender}, ReportSigner: reports})
	w.must(err)
	ctx, stop := context.WithCancel(w.ctx)
	var running sync.WaitGroup
	running.Go(func() {
		if err := d.Run(ctx, w.ctx); err != nil {
			t.Error(err)
		}
	})
	f(d)
	stop()
	running.Wait()
	w.must(d.Close())
}

// until waits for the keep jobs, by function, to be as they should.
func (w *spWorld) until(t *testing.T, d *daemon.Daemon, as func(map[string]job.Job) bool) map[string]job.Job {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		all, err := d.Ledger().Jobs(w.ctx, job.Filter{Kind: job.KindKeep})
		w.must(err)
		jobs := map[string]job.Job{}
		for _, j := range all {
			part := strings.Split(j.Key, ":")
			jobs[part[3]+" "+part[4]] = j
		}
		if as(jobs) {
			return jobs
		}
		if time.Now().After(end) {
			for fn, j := range jobs {
				t.Errorf("%s is %s %s: %s", fn, j.State, j.Outcome, j.LastError)
			}
			t.Fatal("the jobs did not come to what they should")
		}
	}
}
