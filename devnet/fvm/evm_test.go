package fvm_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm"
)

func TestContractStateEventsAndRevert(t *testing.T) {
	w := newWorld(t)
	c := w.deploy(counter)
	for i := uint64(1); i <= 3; i++ {
		res := w.ok(w.invoke(c, big.Zero(), nil))
		if out := w.output(res); !bytes.Equal(out, word(i)) {
			t.Fatalf("call %d returned %x", i, out)
		}
		if len(res.Events) != 1 || res.Events[0].Emitter != c.id || res.Receipt.EventsRoot == nil {
			t.Fatalf("call %d: events %v, root %v", i, res.Events, res.Receipt.EventsRoot)
		}
		root, err := fvm.PutEvents(context.Background(), w.store, res.Events)
		if err != nil || root != *res.Receipt.EventsRoot {
			t.Fatalf("events root %s, receipt %s, error %v", root, res.Receipt.EventsRoot, err)
		}
		var keys []string
		for _, e := range res.Events[0].Entries {
			keys = append(keys, e.Key)
		}
		if len(keys) != 3 || keys[0] != "t1" || keys[1] != "t2" || keys[2] != "d" {
			t.Fatalf("event keys %v", keys)
		}
	}
	r := w.deploy(reverter)
	res := w.invoke(r, big.Zero(), nil)
	w.exit(res, 33)
	if out := w.output(res); len(out) != 32 || out[31] != 0xad || res.Receipt.EventsRoot != nil {
		t.Fatalf("revert data %x, events root %v", out, res.Receipt.EventsRoot)
	}
	if res.Error == "" {
		t.Fatal("a failure without words")
	}
}

func TestRevertedCallLeavesNoEvents(t *testing.T) {
	w := newWorld(t)
	p, c := w.deploy(probe), w.deploy(counter)
	target := append(make([]byte, 12), c.eth[:]...)
	if ok, _, res := w.through(p, target, plainCall, big.Zero(), nil); !ok || len(res.Events) != 1 {
		t.Fatalf("call: success %v, %d events", ok, len(res.Events))
	}
	if ok, _, res := w.through(p, target, staticCall, big.Zero(), nil); ok || len(res.Events) != 0 {
		t.Fatalf("static call: success %v, %d events", ok, len(res.Events))
	}
	if out := w.output(w.ok(w.invoke(c, big.Zero(), nil))); !bytes.Equal(out, word(2)) {
		t.Fatalf("the counter is at %x after a static call failed", out)
	}
}

func TestTransientStorage(t *testing.T) {
	w := newWorld(t)
	p, c := w.deploy(probe), w.deploy(transient)
	target := append(make([]byte, 12), c.eth[:]...)
	if ok, out, _ := w.through(p, target, plainCall, big.Zero(), nil); !ok || !bytes.Equal(out, word(7)) {
		t.Fatalf("call: success %v, %x", ok, out)
	}
	if ok, _, _ := w.through(p, target, staticCall, big.Zero(), nil); ok {
		t.Fatal("TSTORE succeeded in a read-only call")
	}
}

func TestCallActorPrecompile(t *testing.T) {
	w := newWorld(t)
	p := w.deploy(probe)
	target := ethWord(t, callActorID)
	call := actorCall{actor: 5, method: getBalance, codec: 0x51, params: encode(t, idAddr(200).Bytes())}
	if ok, out, _ := w.through(p, target, delegateCall, big.Zero(), call.encode()); !ok || len(out) == 0 {
		t.Fatalf("delegate call: success %v, %x", ok, out)
	}
	for _, kind := range []uint64{plainCall, staticCall} {
		if ok, out, _ := w.through(p, target, kind, big.Zero(), call.encode()); ok || len(out) != 0 {
			t.Fatalf("kind %d: success %v, %x", kind, ok, out)
		}
	}
	readOnly := call
	readOnly.flags = 1
	w.wantAsk(p, readOnly, 0)
	bad := call
	bad.flags = 2
	if ok, _, _ := w.through(p, target, delegateCall, big.Zero(), bad.encode()); ok {
		t.Fatal("unknown flags were accepted")
	}
	w.wantAsk(p, actorCall{actor: 9999, method: getBalance, params: call.params}, -6) // no such actor
	w.wantAsk(p, actorCall{actor: 200, value: 1}, -5)                                 // no funds
	w.wantAsk(p, actorCall{actor: 200, value: 1, flags: 1}, -13)                      // value in a read-only call
	w.wantAsk(p, actorCall{actor: 5, method: 99999999}, 22)                           // no such method
}

func TestAddressPrecompiles(t *testing.T) {
	w := newWorld(t)
	p := w.deploy(probe)
	if ok, out, _ := w.through(p, ethWord(t, resolveAddress), staticCall, big.Zero(), w.bls.Address().Bytes()); !ok || !bytes.Equal(out, word(uint64(blsID))) {
		t.Fatalf("resolve: success %v, %x", ok, out)
	}
	unknown := key(t, crypto.SigTypeBLS, 77).Address()
	if ok, out, _ := w.through(p, ethWord(t, resolveAddress), staticCall, big.Zero(), unknown.Bytes()); !ok || len(out) != 0 {
		t.Fatalf("resolve of an unknown address: success %v, %x", ok, out)
	}
	if ok, out, _ := w.through(p, ethWord(t, lookupDelegated), staticCall, big.Zero(), word(uint64(ethID))); !ok || !bytes.Equal(out, w.eth.Address().Bytes()) {
		t.Fatalf("lookup: success %v, %x", ok, out)
	}
	w.epoch = 50
	want := digest("beacon", 40)
	if ok, out, _ := w.through(p, ethWord(t, randomnessPrecom), staticCall, big.Zero(), word(40)); !ok || len(out) != 32 {
		t.Fatalf("randomness: success %v, %x (digest %x)", ok, out, want)
	}
	byAddress := append([]byte{}, word(0)...)
	for _, n := range []uint64{0, 0, 0, 192, 256} {
		byAddress = append(byAddress, word(n)...)
	}
	byAddress = append(byAddress, word(0)...) // no params
	byAddress = append(byAddress, word(0)...) // padding
	a := w.secp.Address().Bytes()             // 21 bytes
	byAddress = append(byAddress, word(uint64(len(a)))...)
	byAddress = append(byAddress, append(a, make([]byte, 11)...)...)
	if ok, out, _ := w.through(p, ethWord(t, callActorByAddr), delegateCall, big.Zero(), byAddress); !ok || len(out) < 96 || binary.BigEndian.Uint64(out[24:32]) != 0 {
		t.Fatalf("call by address: success %v, %x", ok, out)
	}
}

func TestEndlessContractRunsOutOfGas(t *testing.T) {
	w := newWorld(t)
	c := w.deploy(endless)
	msg := w.message(w.eth.Address(), c.address(), builtin.MethodsEVM.InvokeContract, big.Zero(), encode(t, []byte{}))
	msg.GasLimit = 100e6
	before := w.actor(w.eth.Address())
	res := w.apply(msg, fvm.Explicit)
	w.exit(res, exitcode.SysErrOutOfGas)
	if res.Receipt.GasUsed != msg.GasLimit || res.Costs.OverEstimationBurn.Sign() != 0 {
		t.Fatalf("gas used %d of %d, over-estimation burn %s", res.Receipt.GasUsed, msg.GasLimit, res.Costs.OverEstimationBurn)
	}
	after := w.actor(w.eth.Address())
	if after.Nonce != before.Nonce+1 || !after.Balance.LessThan(before.Balance) {
		t.Fatalf("nonce %d → %d, balance %s → %s", before.Nonce, after.Nonce, before.Balance, after.Balance)
	}
}

// A placeholder comes from money sent to a new Ethereum address; its first message makes it
// an account.
func TestPlaceholderBecomesEthAccount(t *testing.T) {
	w := newWorld(t)
	fresh := key(t, crypto.SigTypeDelegated, 50).Address()
	w.ok(w.send(w.eth.Address(), fresh, 0, fil(5), nil))
	a := w.actor(fresh)
	if w.engine.Name(a.Code) != "placeholder" || !a.Balance.Equals(fil(5)) || a.DelegatedAddress == nil || *a.DelegatedAddress != fresh {
		t.Fatalf("%+v", a)
	}
	w.ok(w.send(fresh, w.secp.Address(), 0, fil(1), nil))
	if a = w.actor(fresh); w.engine.Name(a.Code) != "ethaccount" || a.Nonce != 1 {
		t.Fatalf("%+v", a)
	}
}

func TestAccountsAreCreatedBySends(t *testing.T) {
	w := newWorld(t)
	for i, kind := range []crypto.SigType{crypto.SigTypeBLS, crypto.SigTypeSecp256k1} {
		fresh := key(t, kind, uint64(60+i)).Address()
		w.ok(w.send(w.secp.Address(), fresh, 0, fil(5), nil))
		a := w.actor(fresh)
		if w.engine.Name(a.Code) != "account" || !a.Balance.Equals(fil(5)) {
			t.Fatalf("%+v", a)
		}
		w.ok(w.send(fresh, w.secp.Address(), 0, fil(1), nil))
	}
	nobody := must[address.Address](t)(address.NewActorAddress([]byte("nobody")))
	w.exit(w.send(w.secp.Address(), nobody, 0, fil(1), nil), exitcode.SysErrInvalidReceiver)
	w.exit(w.send(w.secp.Address(), idAddr(987654), 0, fil(1), nil), exitcode.SysErrInvalidReceiver)
}

// A contract that calls itself through a precompile is bounded by gas and call depth, not
// by the host's stack.
func TestDeepRecursionIsBounded(t *testing.T) {
	w := newWorld(t)
	// Calls the address in its input with the same input, and returns whether that worked.
	self := w.deploy(`0 CALLDATALOAD 0 MSTORE 0 0 32 0 0 0 CALLDATALOAD GAS CALL 0 MSTORE 32 0 RETURN`)
	msg := w.message(w.eth.Address(), self.address(), builtin.MethodsEVM.InvokeContract, big.Zero(), encode(t, append(make([]byte, 12), self.eth[:]...)))
	msg.GasLimit = 1e9 // ends long before the call depth does, at a tenth of the work
	w.ok(w.apply(msg, fvm.Explicit))
}

func TestTraceFollowsCalls(t *testing.T) {
	w := newWorld(t)
	p, c := w.deploy(probe), w.deploy(counter)
	w.trace = true
	_, _, res := w.through(p, append(make([]byte, 12), c.eth[:]...), plainCall, big.Zero(), nil)
	tr := res.Trace
	if tr == nil || tr.Msg.To != p.address() || len(tr.Subcalls) == 0 || tr.InvokedActor == nil || tr.InvokedActor.Id != p.id {
		t.Fatalf("trace %+v", tr)
	}
	found := false
	for _, s := range tr.Subcalls {
		found = found || (s.InvokedActor != nil && s.InvokedActor.Id == c.id && len(s.GasCharges) > 0 && len(s.IpldOps) > 0)
	}
	if !found {
		t.Fatalf("the call to the counter is not in the trace: %+v", tr.Subcalls)
	}
	var total int64
	for _, g := range tr.GasCharges {
		total += g.TotalGas
	}
	if total <= 0 || total > res.Receipt.GasUsed {
		t.Fatalf("gas of the outer call %d, of all %d", total, res.Receipt.GasUsed)
	}
}

// A missing block is fatal: the machine must not go on as if state were empty.
func TestMissingBlockIsFatal(t *testing.T) {
	w := newWorld(t)
	c := w.deploy(counter)
	w.ok(w.invoke(c, big.Zero(), nil))
	head := w.actor(c.address()).Head
	w.store = without{w.store, head}
	m := w.machine()
	_, err := m.Apply(context.Background(), w.message(w.eth.Address(), c.address(), builtin.MethodsEVM.InvokeContract, big.Zero(), encode(t, []byte{})), fvm.Explicit, 200)
	if err == nil {
		t.Fatal("a message ran on lost state")
	}
}

type without struct {
	fvm.Blockstore
	gone cid.Cid
}

func (w without) Get(ctx context.Context, c cid.Cid) ([]byte, error) {
	if c == w.gone {
		return nil, fvm.ErrMissingBlock
	}
	return w.Blockstore.Get(ctx, c)
}
