package fvm_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// randomCalls is how many calls TestRandomCallsLeaveNothingBehind makes.
const randomCalls = 10_000

// TestRandomCallsLeaveNothingBehind calls methods of all kinds of actors with random
// parameters: no panic, no fatal error, no goroutine and no memory may remain.
func TestRandomCallsLeaveNothingBehind(t *testing.T) {
	w := newWorld(t)
	targets := []abi.ActorID{1, 2, 3, 4, 5, 6, 7, 10, blsID, ethID, w.deploy(counter).id, w.deploy(probe).id, w.deploy(reverter).id, w.createMiner()}
	r := rand.New(rand.NewPCG(1, 2))
	ctx := context.Background()
	m := w.machine()
	call := func() {
		params := make([]byte, r.IntN(40))
		for i := range params {
			params[i] = byte(r.Uint32())
		}
		if len(params) > 0 && r.IntN(2) == 0 {
			params = encode(t, params)
		}
		method := abi.MethodNum(r.IntN(40))
		if r.IntN(3) == 0 {
			method = builtin.MethodsEVM.InvokeContract
		}
		msg := &types.Message{From: idAddr([]abi.ActorID{0, blsID, secpID, ethID}[r.IntN(4)]), To: idAddr(targets[r.IntN(len(targets))]),
			Method: method, Params: params, Value: big.NewInt(r.Int64N(1000) * int64(r.IntN(2))), GasLimit: 1e9, GasFeeCap: big.Zero(), GasPremium: big.Zero()}
		if _, err := m.Apply(ctx, msg, fvm.Implicit, 0); err != nil {
			t.Fatalf("to %s, method %d, params %x: %v", msg.To, msg.Method, params, err)
		}
	}
	measure := func() (goroutines int, heap uint64) {
		m = w.machine() // what a machine has written goes with it
		runtime.GC()
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return runtime.NumGoroutine(), s.HeapAlloc
	}
	for range 500 {
		call()
	}
	goroutines, heap := measure()
	start := time.Now()
	for i := range randomCalls {
		call()
		if i%1000 == 999 {
			m = w.machine()
		}
	}
	took := time.Since(start)
	afterGoroutines, afterHeap := measure()
	t.Logf("%d calls in %v (%v each); heap %d → %d KiB, goroutines %d → %d", randomCalls, took.Round(time.Millisecond), took/randomCalls,
		heap>>10, afterHeap>>10, goroutines, afterGoroutines)
	if afterGoroutines > goroutines {
		t.Errorf("goroutines %d → %d", goroutines, afterGoroutines)
	}
	if afterHeap > heap+8<<20 {
		t.Errorf("heap %d → %d KiB", heap>>10, afterHeap>>10)
	}
}

// BenchmarkContractCall is a contract that reads and writes storage and logs.
func BenchmarkContractCall(b *testing.B) {
	benchmarkCall(b, newWorld(b))
}

func benchmarkCall(b *testing.B, w *world) {
	c := w.deploy(counter)
	m := w.machine()
	msg := w.message(w.eth.Address(), c.address(), builtin.MethodsEVM.InvokeContract, big.Zero(), encode(b, []byte{}))
	b.ReportAllocs()
	b.ResetTimer()
	var gas int64
	for b.Loop() {
		res, err := m.Apply(context.Background(), msg, fvm.Explicit, 200)
		if err != nil || !res.Receipt.ExitCode.IsSuccess() {
			b.Fatalf("%v, %v", res, err)
		}
		gas = res.Receipt.GasUsed
		msg.Nonce++
	}
	b.ReportMetric(float64(gas), "gas/op")
}

// BenchmarkIdleEpoch is cron without anything to do, with the flush.
func BenchmarkIdleEpoch(b *testing.B) {
	w := newWorld(b)
	b.ResetTimer()
	for b.Loop() {
		w.tick()
	}
}

// BenchmarkEngineStart is a start with a warm cache on disk.
func BenchmarkEngineStart(b *testing.B) {
	testEngine(b) // fills the cache
	b.ResetTimer()
	for b.Loop() {
		e, err := fvm.NewEngine(context.Background(), fvm.EngineConfig{})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
