package sending

import (
	"context"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/txmgr"
)

// A call that can only revert is given up within a second, in the contract's own
// words, and no nonce is spent on it; the next one goes out.
func TestACallThatWillRevertIsKnownWithinASecond(t *testing.T) {
	b := newBench(t)
	sender, err := txmgr.New(txmgr.Config{ChainID: chainID, Owner: "daemon"}, txmgr.Deps{
		Ledger: meta{b.ledger}, Signer: b.txKey, Endpoints: []txmgr.Endpoint{txmgr.FromClient("simulated", b.rpc)},
		Decode: txmgr.ABIDecoder(contract.GetABI()), Log: b.log,
	})
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = sender.Run(ctx) }()
	defer func() { stop(); <-ended }()
	for !sender.Status().Holding {
		time.Sleep(time.Millisecond)
	}
	queue := func(key string, data []byte) chain.Tx {
		t.Helper()
		x, _, err := b.ledger.QueueIntent(t.Context(), chain.Intent{Key: key, Sender: b.txKey.Address(), To: b.provider, Data: data}, time.Now())
		must(t, err)
		sender.Wake()
		return x
	}
	began := time.Now()
	x := queue("reverts", contract.PackFulfill([32]byte{}, nil, nil))
	for x.State == chain.TxQueued {
		time.Sleep(time.Millisecond)
		x, err = b.ledger.Tx(t.Context(), x.ID)
		must(t, err)
	}
	took := time.Since(began)
	if x.State != chain.TxCancelled || !strings.Contains(x.Why, "EstuaryProvider_EmptyBatch()") || x.HasNonce {
		t.Errorf("it is %s: %s", x.State, x.Why)
	}
	if took > time.Second {
		t.Errorf("known after %s", took)
	}
	t.Logf("known after %s: %s", took.Round(time.Millisecond), x.Why)
	x, _, err = b.ledger.QueueIntent(t.Context(), chain.Intent{Key: "works", Sender: b.txKey.Address(), To: b.user.From, Value: big.NewInt(1)}, time.Now())
	must(t, err)
	sender.Wake()
	for !strings.HasPrefix(string(x.State), "s") && time.Since(began) < 20*time.Second { // signed or sent
		time.Sleep(time.Millisecond)
		x, err = b.ledger.Tx(t.Context(), x.ID)
		must(t, err)
	}
	if !x.HasNonce || x.Nonce != 0 {
		t.Errorf("the next one is %s with nonce %d: %s", x.State, x.Nonce, x.Why)
	}
}
