package fvm_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm"
)

func TestEngineRefusesWhatItCannotRun(t *testing.T) {
	for _, cfg := range []fvm.EngineConfig{{ActorsVersion: 9}, {ActorsVersion: 19}, {Bundle: "no such bundle"}, {CacheDir: "/dev/null/x"}} {
		if e, err := fvm.NewEngine(context.Background(), cfg); err == nil {
			t.Errorf("%+v: accepted", cfg)
			_ = e.Close(context.Background())
		}
	}
}

func TestEngineNamesItsActors(t *testing.T) {
	e := testEngine(t)
	blocks := 0
	for range e.Blocks() {
		blocks++
	}
	for _, name := range []string{"system", "init", "cron", "account", "storagepower", "storageminer", "storagemarket", "paymentchannel",
		"multisig", "reward", "verifiedregistry", "datacap", "placeholder", "evm", "eam", "ethaccount"} {
		if c := e.Code(name); !c.Defined() || e.Name(c) != name {
			t.Errorf("%s: code %s is %q", name, c, e.Name(c))
		}
	}
	if blocks < 18 || !e.Manifest().Defined() || e.Code("nothing").Defined() || e.Name(e.Manifest()) != "" {
		t.Errorf("%d blocks, manifest %s", blocks, e.Manifest())
	}
}

func TestMachineRefusesBadConfigurations(t *testing.T) {
	w := newWorld(t)
	for name, edit := range map[string]func(*fvm.MachineConfig){
		"no store":          func(c *fvm.MachineConfig) { c.Store = nil },
		"no externs":        func(c *fvm.MachineConfig) { c.Externs = nil },
		"no root":           func(c *fvm.MachineConfig) { c.Root = cid.Undef },
		"unknown root":      func(c *fvm.MachineConfig) { c.Store = fvm.NewMemory() },
		"negative epoch":    func(c *fvm.MachineConfig) { c.Epoch = -1 },
		"negative base fee": func(c *fvm.MachineConfig) { c.BaseFee = big.NewInt(-1) },
		"not a state root":  func(c *fvm.MachineConfig) { c.Root = w.engine.Manifest() },
	} {
		cfg := w.config(w.root)
		edit(&cfg)
		if _, err := w.engine.NewMachine(context.Background(), cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// Example makes a state with two accounts and sends between them.
func Example() {
	ctx := context.Background()
	engine, err := fvm.NewEngine(ctx, fvm.EngineConfig{Bundle: "testing"})
	if err != nil {
		panic(err)
	}
	defer engine.Close(ctx)

	// A state with the actors that a plain transfer needs.
	store := fvm.NewMemory()
	tree, err := fvm.NewStateTree(ctx, store)
	if err != nil {
		panic(err)
	}
	head, err := fvm.PutBlock(ctx, store, 0x71, []byte{0x80})
	if err != nil {
		panic(err)
	}
	for _, id := range []abi.ActorID{2, 99, 100, 101} { // reward, burnt funds, and two accounts
		tree.SetActor(id, &types.Actor{Code: engine.Code("account"), Head: head, Balance: big.NewInt(1e18)})
	}
	root, err := tree.Flush(ctx)
	if err != nil {
		panic(err)
	}

	machine, err := engine.NewMachine(ctx, fvm.MachineConfig{Store: store, Root: root, Epoch: 1, BaseFee: big.NewInt(100),
		ChainID: 31415926, Externs: externs{}})
	if err != nil {
		panic(err)
	}
	from, _ := address.NewIDAddress(100)
	to, _ := address.NewIDAddress(101)
	res, err := machine.Apply(ctx, &types.Message{From: from, To: to, Value: big.NewInt(5), GasLimit: 10_000_000,
		GasFeeCap: big.NewInt(200), GasPremium: big.NewInt(1)}, fvm.Explicit, 120)
	if err != nil {
		panic(err)
	}
	receiver, _, err := machine.Actor(ctx, to)
	if err != nil {
		panic(err)
	}
	fmt.Println("exit", res.Receipt.ExitCode, "balance", receiver.Balance)
	// Output: exit Ok(0) balance 1000000000000000005
}
