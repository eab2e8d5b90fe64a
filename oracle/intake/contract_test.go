package intake

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm/runtime"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"

	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// The contract itself, in an EVM: what it emits is understood, and our request
// id is its own.
func TestTheContractsOwnEventsAreUnderstood(t *testing.T) {
	statedb, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		t.Fatal(err)
	}
	rules := *params.MergedTestChainConfig
	rules.ChainID = big.NewInt(chainID)
	statedb.AddBalance(consumer, uint256.NewInt(5e18), 0)
	const clock = 1_800_000_000
	cfg := &runtime.Config{ChainConfig: &rules, State: statedb, Origin: consumer, GasLimit: 30_000_000, Time: clock,
		Random: &common.Hash{1}, BlockNumber: big.NewInt(1), Difficulty: new(big.Int)}
	p := deploy.Anvil()
	code := append(common.FromHex(estuaryprovider.EstuaryProviderMetaData.Bin),
		contract.PackConstructor(p.Provider, consumer, []common.Address{wallet}, 1, p.GasPriceCap)...)
	_, at, _, err := runtime.Create(code, cfg)
	if err != nil {
		t.Fatalf("deploying: %v", err)
	}
	if out, _, err := runtime.Call(at, contract.PackSetPrice(actionPin, p.Pin), cfg); err != nil {
		t.Fatalf("setting the price: %v %x", err, out)
	}
	payload := pack(t, pinPayload{Cid: cidBytes, Requester: wallet, MaxBytes: 1 << 20, Expiry: big.NewInt(clock + 86400), Name: "n"})
	options := estuaryprovider.RequestOptions{Deadline: big.NewInt(clock + 3600), RefundTo: wallet}
	cfg.Value = big.NewInt(1e18)
	before := len(statedb.Logs())
	out, _, err := runtime.Call(at, contract.PackRequest(actionPin, 1<<20, big.NewInt(clock+86400), payload, []byte("ctx"), options), cfg)
	if err != nil {
		t.Fatalf("requesting: %v %x", err, out)
	}
	in, err := New(Config{ChainID: chainID, Providers: []common.Address{at}}, Deps{Ledger: &memory{}, Notifier: &bell{}})
	if err != nil {
		t.Fatal(err)
	}
	u := chain.Update{}
	for i, l := range statedb.Logs()[before:] {
		u.Logs = append(u.Logs, chain.Log{Height: 1, Index: uint(i), Address: l.Address, Topics: l.Topics, Data: l.Data})
	}
	b := in.translate(u)
	if len(b.Requests) != 1 || len(b.Jobs) != 1 || b.Jobs[0].Kind != job.KindPin {
		t.Fatalf("batch %+v", b)
	}
	if got := common.BytesToHash(out); b.Requests[0].ID != got {
		t.Fatalf("request id %s, the contract says %s", b.Requests[0].ID, got)
	}
	for i := 1; i < len(b.Seq); i++ {
		if b.Seq[i] < 0 || b.Seq[i-1] < 0 {
			t.Fatalf("an event without seq: %v", b.Seq)
		}
	}
	if len(b.Seq) != 2 { // the surplus is an event too
		t.Fatalf("%d events", len(b.Seq))
	}
}
