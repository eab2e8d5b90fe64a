package intake

import (
	"context"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// Of a contract that is only watched, logs are kept with their seq and make no work.
func TestOtherContractsAreOnlyCounted(t *testing.T) {
	r := newRig(t)
	tr := terms(1, []byte("payload"), []byte("context"))
	ask := eventLog(t, "OracleRequested", []common.Hash{idOf(t, tr), common.BytesToHash(tr.Consumer[:]), {31: 1}}, tr, []byte("payload"), []byte("context"))
	ask.Address = wallet
	unknown := ask
	unknown.Topics, unknown.Index = []common.Hash{{1}}, 4
	u := chain.Update{Filter: "f", From: ask.Height, To: ask.Height, Logs: []chain.Log{ask, unknown}}
	if err := r.in.Apply(context.Background(), u); err != nil {
		t.Fatal(err)
	}
	b := r.ledger.batches[0]
	if len(b.Logs) != 2 || len(b.Requests)+len(b.Jobs)+len(b.Closings) != 0 {
		t.Fatalf("%d logs kept, %d requests, %d jobs, %d closings", len(b.Logs), len(b.Requests), len(b.Jobs), len(b.Closings))
	}
	if b.Seq[1] != -1 {
		t.Errorf("an unknown event has seq %d", b.Seq[1])
	}
}
