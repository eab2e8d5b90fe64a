package fvm_test

import (
	"context"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// total is all the money of some actors.
func (w *world) total(ids ...abi.ActorID) big.Int {
	sum := big.Zero()
	for _, id := range ids {
		sum = big.Add(sum, w.actor(idAddr(id)).Balance)
	}
	return sum
}

func TestMessageValidation(t *testing.T) {
	w := newWorld(t)
	c := w.deploy(counter)
	from := w.secp.Address()
	for _, tc := range []struct {
		name string
		edit func(*types.Message)
		exit exitcode.ExitCode
	}{
		{"unknown sender", func(m *types.Message) { m.From = key(t, crypto.SigTypeBLS, 99).Address() }, exitcode.SysErrSenderInvalid},
		{"sender id without actor", func(m *types.Message) { m.From = idAddr(5555) }, exitcode.SysErrSenderInvalid},
		{"a contract as sender", func(m *types.Message) { m.From = c.address() }, exitcode.SysErrSenderInvalid},
		{"a singleton as sender", func(m *types.Message) { m.From = idAddr(5) }, exitcode.SysErrSenderInvalid},
		{"nonce too high", func(m *types.Message) { m.Nonce++ }, exitcode.SysErrSenderStateInvalid},
		{"cannot prepay gas", func(m *types.Message) { m.GasFeeCap = fil(1000) }, exitcode.SysErrSenderStateInvalid},
		{"gas below inclusion", func(m *types.Message) { m.GasLimit = 1000 }, exitcode.SysErrOutOfGas},
	} {
		t.Run(tc.name, func(t *testing.T) {
			msg := w.message(from, w.bls.Address(), 0, fil(1), nil)
			tc.edit(msg)
			before := w.root
			res := w.apply(msg, fvm.Explicit)
			if res.Receipt.ExitCode != tc.exit || res.Penalty.Sign() <= 0 || res.Receipt.GasUsed != 0 || res.MinerTip.Sign() != 0 {
				t.Fatalf("exit %d (%s), penalty %s, gas %d", res.Receipt.ExitCode, res.Error, res.Penalty, res.Receipt.GasUsed)
			}
			if w.root != before {
				t.Fatal("a message that may not be on chain changed the state")
			}
		})
	}
}

func TestFatalMessages(t *testing.T) {
	w := newWorld(t)
	for name, edit := range map[string]func(*types.Message){
		"no gas limit":       func(m *types.Message) { m.GasLimit = 0 },
		"negative gas limit": func(m *types.Message) { m.GasLimit = -5 },
		"negative value":     func(m *types.Message) { m.Value = big.NewInt(-1) },
		"no fee cap":         func(m *types.Message) { m.GasFeeCap = big.Int{} },
	} {
		msg := w.message(w.secp.Address(), w.bls.Address(), 0, fil(1), nil)
		edit(msg)
		if _, err := w.machine().Apply(context.Background(), msg, fvm.Explicit, 100); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := w.deploy(counter)
	msg := w.message(w.eth.Address(), c.address(), 3844450837, big.Zero(), encode(t, []byte{}))
	if _, err := w.machine().Apply(ctx, msg, fvm.Explicit, 100); err == nil {
		t.Error("a cancelled message had a result")
	}
}

func TestMoneyIsNeitherMadeNorLost(t *testing.T) {
	w := newWorld(t)
	ids := []abi.ActorID{2, 99, blsID, secpID}
	before := w.total(ids...)
	burnt, reward := w.actor(idAddr(99)).Balance, w.actor(idAddr(2)).Balance
	msg := w.message(w.secp.Address(), w.bls.Address(), 0, fil(1), nil)
	msg.GasLimit = 100e6 // far too much: the rest burns
	res := w.ok(w.apply(msg, fvm.Explicit))
	if after := w.total(ids...); !after.Equals(before) {
		t.Fatalf("%s before, %s after", before, after)
	}
	c := res.Costs
	if got := big.Sub(w.actor(idAddr(99)).Balance, burnt); !got.Equals(big.Add(c.BaseFeeBurn, c.OverEstimationBurn)) || c.OverEstimationBurn.Sign() <= 0 {
		t.Fatalf("burnt %s, base fee %s, over-estimation %s", got, c.BaseFeeBurn, c.OverEstimationBurn)
	}
	if got := big.Sub(w.actor(idAddr(2)).Balance, reward); !got.Equals(res.MinerTip) || !got.Equals(big.NewInt(10*100e6)) {
		t.Fatalf("tip %s, result %s", got, res.MinerTip)
	}
	if want := big.Mul(w.base, big.NewInt(res.Receipt.GasUsed)); !c.BaseFeeBurn.Equals(want) {
		t.Fatalf("base fee burn %s, want %s", c.BaseFeeBurn, want)
	}
}

// A transfer that fails costs gas and nothing else.
func TestInsufficientFunds(t *testing.T) {
	w := newWorld(t)
	to := w.actor(w.bls.Address()).Balance
	res := w.send(w.secp.Address(), w.bls.Address(), 0, fil(2_000_000), nil)
	w.exit(res, exitcode.SysErrInsufficientFunds)
	if !w.actor(w.bls.Address()).Balance.Equals(to) || res.Receipt.GasUsed == 0 {
		t.Fatalf("receiver %s → %s, gas %d", to, w.actor(w.bls.Address()).Balance, res.Receipt.GasUsed)
	}
}

func TestFeeCapBelowBaseFeePunishesMiner(t *testing.T) {
	w := newWorld(t)
	msg := w.message(w.secp.Address(), w.bls.Address(), 0, fil(1), nil)
	msg.GasFeeCap, msg.GasPremium = big.NewInt(40), big.NewInt(1)
	res := w.ok(w.apply(msg, fvm.Explicit))
	if res.MinerTip.Sign() != 0 || res.Penalty.Sign() <= 0 || !res.Costs.BaseFeeBurn.Equals(big.NewInt(40*res.Receipt.GasUsed)) {
		t.Fatalf("%+v", res.Costs)
	}
}

func TestSimulationLeavesStoreAlone(t *testing.T) {
	w := newWorld(t)
	mem := w.store.(*fvm.Memory)
	n := mem.Len()
	m := w.machine()
	res := must[*fvm.Result](t)(m.Apply(context.Background(), w.message(w.secp.Address(), key(t, crypto.SigTypeBLS, 44).Address(), 0, fil(1), nil), fvm.Implicit, 0))
	w.ok(res)
	if mem.Len() != n {
		t.Fatalf("a simulation wrote %d blocks", mem.Len()-n)
	}
	if res.Costs.BaseFeeBurn.Sign() != 0 {
		t.Fatal("a simulation paid")
	}
	if w.actor(w.secp.Address()).Nonce != 0 {
		t.Fatal("a simulation counted a nonce")
	}
}

// Everything that a flush writes can be read back from the store alone.
func TestFlushIsComplete(t *testing.T) {
	w := newWorld(t)
	s := w.storageScenario()
	tree := must[*fvm.StateTree](t)(fvm.LoadStateTree(context.Background(), w.store, w.root))
	actors := 0
	err := tree.ForEach(context.Background(), func(id abi.ActorID, a *types.Actor) error {
		actors++
		return walk(w.store, a.Head, map[cid.Cid]bool{})
	})
	if err != nil || actors < 15 {
		t.Fatalf("%d actors, error %v", actors, err)
	}
	if id, ok, err := tree.Resolve(context.Background(), s.client.f410(t)); err != nil || !ok || id != s.client.id {
		t.Fatalf("resolve: f0%d, %v, %v", id, ok, err)
	}
}

func TestSameMessagesSameRoots(t *testing.T) {
	var roots []cid.Cid
	for range 2 {
		w := newWorld(t)
		w.storageScenario()
		roots = append(roots, w.root)
	}
	if roots[0] != roots[1] {
		t.Fatalf("roots %s and %s", roots[0], roots[1])
	}
}

func TestStateTreeRoundTrip(t *testing.T) {
	ctx := context.Background()
	store := fvm.NewMemory()
	tree := must[*fvm.StateTree](t)(fvm.NewStateTree(ctx, store))
	code := must[cid.Cid](t)(fvm.BlockCID(0x55, []byte("code")))
	for i := range abi.ActorID(500) {
		tree.SetActor(i, &types.Actor{Code: code, Head: code, Nonce: uint64(i), Balance: big.NewInt(int64(i))})
	}
	first := must[cid.Cid](t)(tree.Flush(ctx))
	for i := range abi.ActorID(500) {
		if i%3 == 0 {
			tree.DeleteActor(i)
		}
	}
	if second := must[cid.Cid](t)(tree.Flush(ctx)); second == first {
		t.Fatal("deleting actors did not change the root")
	}
	for i := range abi.ActorID(500) {
		_, ok, err := tree.Actor(ctx, i)
		if err != nil || ok != (i%3 != 0) {
			t.Fatalf("actor %d: %v, %v", i, ok, err)
		}
		if i%3 == 0 {
			tree.SetActor(i, &types.Actor{Code: code, Head: code, Nonce: uint64(i), Balance: big.NewInt(int64(i))})
		}
	}
	if again := must[cid.Cid](t)(tree.Flush(ctx)); again != first {
		t.Fatalf("the same actors have roots %s and %s", first, again)
	}
	loaded := must[*fvm.StateTree](t)(fvm.LoadStateTree(ctx, store, first))
	a, ok, err := loaded.Actor(ctx, 77)
	if err != nil || !ok || a.Nonce != 77 {
		t.Fatalf("%+v, %v, %v", a, ok, err)
	}
	if _, _, err := loaded.Resolve(ctx, must[address.Address](t)(address.NewActorAddress([]byte("x")))); err == nil {
		t.Fatal("an address was resolved without an init actor")
	}
}
