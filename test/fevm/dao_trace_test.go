package fevm

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/lotus/chain/types"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// charged is what a transaction's gas went to, by the names of FVM's price list. Stored is
// gas for bytes that are written to the state, of blocks of the contract.
type charged struct {
	total int64
	by    map[string]int64
	times map[string]int
	block []int64 // each OnBlockLink, in turn
}

// charges replays a transaction with a trace.
func (w *daoWorld) charges(tx common.Hash) charged {
	w.t.Helper()
	type trace struct {
		GasCharges []struct {
			Name     string
			TotalGas int64 `json:"tg"`
		}
		Subcalls []trace
	}
	var message map[string]string
	if err := w.client.Client().CallContext(w.ctx, &message, "Filecoin.EthGetMessageCidByTransactionHash", tx); err != nil {
		w.t.Fatal(err)
	}
	var replay struct {
		ExecutionTrace trace
		MsgRct         struct{ GasUsed int64 }
	}
	if err := w.client.Client().CallContext(w.ctx, &replay, "Filecoin.StateReplay", []any{}, message); err != nil {
		w.t.Fatal(err)
	}
	c := charged{by: map[string]int64{}, times: map[string]int{}, total: replay.MsgRct.GasUsed}
	var add func(trace)
	add = func(t trace) {
		for _, g := range t.GasCharges {
			c.by[g.Name] += g.TotalGas
			c.times[g.Name]++
			if g.Name == "OnBlockLink" {
				c.block = append(c.block, g.TotalGas)
			}
		}
		for _, sub := range t.Subcalls {
			add(sub)
		}
	}
	add(replay.ExecutionTrace)
	return c
}

// costs is the gas of a call that is made and forgotten, at the head.
func (w *daoWorld) costs(t *testing.T, from common.Address, data []byte) int64 {
	t.Helper()
	var params bytes.Buffer
	if err := cbg.WriteByteArray(&params, data); err != nil {
		t.Fatal(err)
	}
	addresses := [2]address.Address{}
	for i, eth := range []common.Address{from, w.dao} {
		var err error
		if addresses[i], err = address.NewDelegatedAddress(10, eth[:]); err != nil {
			t.Fatal(err)
		}
	}
	message := types.Message{From: addresses[0], To: addresses[1], Method: builtin.MethodsEVM.InvokeContract, Params: params.Bytes()}
	var result struct {
		MsgRct struct{ ExitCode, GasUsed int64 }
		Error  string
	}
	if err := w.client.Client().CallContext(w.ctx, &result, "Filecoin.StateCall", &message, []any{}); err != nil {
		t.Fatal(err)
	}
	if result.MsgRct.ExitCode != 0 {
		t.Fatalf("exit code %d: %s", result.MsgRct.ExitCode, result.Error)
	}
	return result.MsgRct.GasUsed
}

func (c charged) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d gas:", c.total)
	names := slices.SortedFunc(maps.Keys(c.by), func(a, b string) int { return int(c.by[b] - c.by[a]) })
	for _, n := range names[:min(len(names), 9)] {
		fmt.Fprintf(&b, " %s %d (%d×),", n, c.by[n], c.times[n])
	}
	fmt.Fprintf(&b, " blocks written %d", c.block)
	return b.String()
}
