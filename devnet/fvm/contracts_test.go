package fvm_test

import (
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	fbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/fxamacker/cbor/v2"

	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/fvm/easm"
)

func assemble(tb testing.TB, src string) []byte {
	tb.Helper()
	return must[[]byte](tb)(easm.Assemble(src))
}

// The contracts of the tests.
const (
	// probe calls what its input says: 32 bytes address, 32 bytes kind (0 DELEGATECALL,
	// 1 CALL with the value received, 2 STATICCALL), then the input of that call. It returns
	// whether the call succeeded and what it returned. As a Filecoin actor it answers every
	// method with CBOR true, which makes it a storage deal client that agrees to all.
	probe = `0 CALLDATALOAD 224 SHR 0x868e10c4 EQ @hook JUMPI
		64 CALLDATASIZE SUB DUP1 64 0 CALLDATACOPY
		32 CALLDATALOAD DUP1 1 EQ @call JUMPI DUP1 2 EQ @static JUMPI
		POP 0 0 DUP3 0 0 CALLDATALOAD GAS DELEGATECALL @done JUMP
		call: POP 0 0 DUP3 0 CALLVALUE 0 CALLDATALOAD GAS CALL @done JUMP
		static: POP 0 0 DUP3 0 0 CALLDATALOAD GAS STATICCALL
		done: 0 MSTORE RETURNDATASIZE 0 32 RETURNDATACOPY RETURNDATASIZE 32 ADD 0 RETURN
		hook: 0x51 32 MSTORE 0x60 64 MSTORE 1 96 MSTORE 0xf5 248 SHL 128 MSTORE 160 0 RETURN`
	// transient writes transient storage and returns what it then reads.
	transient = `7 1 TSTORE 1 TLOAD 0 MSTORE 32 0 RETURN`
	// counter counts its calls, logs the number and returns it.
	counter = `0 SLOAD 1 ADD DUP1 0 SSTORE DUP1 0 MSTORE 0x1234 32 0 LOG2 32 0 RETURN`
	// reverter reverts with 32 bytes.
	reverter = `0xbad 0 MSTORE 32 0 REVERT`
	// endless never ends.
	endless = `again: @again JUMP`
)

// contract is a deployed one.
type contract struct {
	id  abi.ActorID
	eth [20]byte
}

func (c contract) address() address.Address { return idAddr(c.id) }

func (c contract) f410(tb testing.TB) address.Address {
	return must[address.Address](tb)(address.NewDelegatedAddress(10, c.eth[:]))
}

// deploy creates a contract as a wallet does: a message to the Ethereum address manager.
func (w *world) deploy(src string) contract {
	w.tb.Helper()
	res := w.ok(w.send(w.eth.Address(), idAddr(10), builtin.MethodsEAM.CreateExternal, fbig.Zero(), encode(w.tb, easm.InitCode(assemble(w.tb, src)))))
	var ret struct {
		_      struct{} `cbor:",toarray"`
		ID     uint64
		Robust []byte
		Eth    []byte
	}
	if err := cbor.Unmarshal(res.Receipt.Return, &ret); err != nil {
		w.tb.Fatal(err)
	}
	c := contract{id: abi.ActorID(ret.ID)}
	copy(c.eth[:], ret.Eth)
	return c
}

// invoke calls a contract from the Ethereum account.
func (w *world) invoke(c contract, value fbig.Int, input []byte) *fvm.Result {
	w.tb.Helper()
	return w.send(w.eth.Address(), c.address(), builtin.MethodsEVM.InvokeContract, value, encode(w.tb, append([]byte{}, input...)))
}

// output is what a contract returned.
func (w *world) output(res *fvm.Result) []byte {
	w.tb.Helper()
	var out []byte
	if len(res.Receipt.Return) == 0 {
		return nil
	}
	if err := cbor.Unmarshal(res.Receipt.Return, &out); err != nil {
		w.tb.Fatalf("return %x: %v", res.Receipt.Return, err)
	}
	return out
}

func word(n uint64) []byte {
	b := make([]byte, 32)
	binary.BigEndian.PutUint64(b[24:], n)
	return b
}

func ethWord(tb testing.TB, hexAddr string) []byte {
	b := must[[]byte](tb)(hex.DecodeString(hexAddr))
	return append(make([]byte, 32-len(b)), b...)
}

// Kinds of the probe's calls.
const (
	delegateCall = iota
	plainCall
	staticCall
)

// through calls an EVM address by way of the probe.
func (w *world) through(p contract, target []byte, kind uint64, value fbig.Int, input []byte) (success bool, out []byte, res *fvm.Result) {
	w.tb.Helper()
	in := append(append(append([]byte{}, target...), word(kind)...), input...)
	res = w.ok(w.invoke(p, value, in))
	ret := w.output(res)
	if len(ret) < 32 {
		w.tb.Fatalf("the probe returned %x", ret)
	}
	return ret[31] == 1, ret[32:], res
}

// actorCall is what a contract asks of a Filecoin actor.
type actorCall struct {
	actor  abi.ActorID
	method abi.MethodNum
	value  uint64
	flags  uint64
	codec  uint64
	params []byte
}

func (a actorCall) encode() []byte {
	out := append([]byte{}, word(uint64(a.method))...)
	for _, n := range []uint64{a.value, a.flags, a.codec, 192, uint64(a.actor), uint64(len(a.params))} {
		out = append(out, word(n)...)
	}
	out = append(out, a.params...)
	return append(out, make([]byte, (32-len(a.params)%32)%32)...)
}

const (
	callActorID      = "fe00000000000000000000000000000000000005"
	resolveAddress   = "fe00000000000000000000000000000000000001"
	lookupDelegated  = "fe00000000000000000000000000000000000002"
	callActorByAddr  = "fe00000000000000000000000000000000000003"
	randomnessPrecom = "fe00000000000000000000000000000000000006"
)

// ask calls a Filecoin actor from the probe and returns its exit code, or the negative
// error number, and its answer.
func (w *world) ask(p contract, call actorCall) (int64, []byte) {
	w.tb.Helper()
	if call.params != nil && call.codec == 0 {
		call.codec = 0x51
	}
	ok, out, _ := w.through(p, ethWord(w.tb, callActorID), delegateCall, fbig.Zero(), call.encode())
	if !ok || len(out) < 128 {
		w.tb.Fatalf("call_actor_id to f0%d method %d: success %v, %d bytes", call.actor, call.method, ok, len(out))
	}
	exit := int64(binary.BigEndian.Uint64(out[24:32]))
	n := binary.BigEndian.Uint64(out[120:128])
	return exit, out[128 : 128+n]
}

// wantAsk checks the exit code of ask.
func (w *world) wantAsk(p contract, call actorCall, exit int64) []byte {
	w.tb.Helper()
	got, out := w.ask(p, call)
	if got != exit {
		w.tb.Fatalf("f0%d method %d: exit %d instead of %d, %x", call.actor, call.method, got, exit, out)
	}
	return out
}
