package intake

import (
	"context"
	"math/big"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// mixed are logs of every sort, more than one share of decodeAll: requests with and
// without a job, closings, and what does not decode.
func mixed(t testing.TB) []chain.Log {
	t.Helper()
	var logs []chain.Log
	for i := range 600 {
		ctx := []byte{byte(i), byte(i >> 8)}
		payload := pack(t, pinPayload{Cid: cidBytes, Requester: wallet, Expiry: new(big.Int), Name: string(ctx)})
		a := []uint16{actionPin, actionUnpin, actionPrepare, 99}[i%4]
		tr := terms(a, payload, ctx)
		tr.Seq = uint64(2 * i)
		id := idOf(t, tr)
		l := eventLog(t, "OracleRequested", []common.Hash{id, common.BytesToHash(consumer[:]), action(a)}, tr, payload, ctx)
		l.Index = uint(2 * i)
		if i%7 == 0 {
			l.Data = l.Data[:len(l.Data)-1-32*(i%3)]
		}
		closing := eventLog(t, "OracleRefunded", []common.Hash{id, common.BytesToHash(wallet[:])}, tr.Seq+1, big.NewInt(1), false)
		closing.Index = uint(2*i + 1)
		logs = append(logs, l, closing)
	}
	return logs
}

// What was decoded ahead makes the batch that decoding when it is applied makes.
func TestWhatIsDecodedAheadIsWhatIsAppliedAnyway(t *testing.T) {
	logs := mixed(t)
	u := chain.Update{Filter: "f", From: 77, To: 77, Logs: logs}
	plain, early := newRig(t), newRig(t)
	early.in.Ahead(logs)
	for _, r := range []*rig{plain, early} {
		if err := r.in.Apply(context.Background(), u); err != nil {
			t.Fatal(err)
		}
	}
	want, got := plain.ledger.batches[0], early.ledger.batches[0]
	if len(want.Jobs) < 300 || len(want.Requests) <= len(want.Jobs) || len(want.Closings) != 600 {
		t.Fatalf("%d jobs, %d requests, %d closings: the logs are not mixed", len(want.Jobs), len(want.Requests), len(want.Closings))
	}
	if !reflect.DeepEqual(want, got) {
		t.Fatal("the batches differ")
	}
	if plain.refused(t, "undecodable") == 0 || plain.refused(t, "undecodable") != early.refused(t, "undecodable") {
		t.Fatal("what was refused differs")
	}
	if n := len(early.in.ahead.parts); n != 0 {
		t.Fatalf("%d parts are kept after they were applied", n)
	}
}

// An update takes what was decoded of its own logs only, and what is never applied goes.
func TestOtherLogsThanThoseAheadAreDecoded(t *testing.T) {
	r := newRig(t)
	logs := mixed(t)
	for from := range 3 * mostAhead {
		r.in.Ahead(logs[from : from+10])
	}
	if n := len(r.in.ahead.parts); n != mostAhead {
		t.Fatalf("%d parts are kept", n)
	}
	for _, u := range [][]chain.Log{slices.Clone(logs[3*mostAhead-1:][:10]), logs[3*mostAhead-1:][:9], logs[:10]} {
		if err := r.in.Apply(context.Background(), chain.Update{Filter: "f", From: 77, To: 77, Logs: u}); err != nil {
			t.Fatal(err)
		}
		got := r.ledger.batches[len(r.ledger.batches)-1]
		want := newRig(t)
		if err := want.in.Apply(context.Background(), chain.Update{Filter: "f", From: 77, To: 77, Logs: slices.Clone(u)}); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want.ledger.batches[0]) {
			t.Fatal("the batch is of other logs")
		}
	}
}

// deaf is a ledger that keeps nothing, and a lane that nobody works.
type deaf struct{}

// CommitBatch implements Ledger.
func (deaf) CommitBatch(context.Context, chain.Batch) (chain.Committed, error) {
	return chain.Committed{}, nil
}

// Notify implements Notifier.
func (deaf) Notify(job.Kind) {}

// Readers of several contracts tell of logs and apply them at the same time.
func TestAheadBesideApply(t *testing.T) {
	in, err := New(Config{ChainID: chainID, Providers: []common.Address{provider}}, Deps{Ledger: deaf{}, Notifier: deaf{}})
	if err != nil {
		t.Fatal(err)
	}
	logs := mixed(t)
	var all sync.WaitGroup
	for i := range 2 * mostAhead {
		all.Go(func() {
			for from := i; from < 200; from += 40 {
				part := slices.Clone(logs[from : from+20])
				in.Ahead(part)
				if err := in.Apply(context.Background(), chain.Update{Filter: "f", From: 77, To: 77, Logs: part}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
