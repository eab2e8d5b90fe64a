package conformance

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/fvm/easm"
	"github.com/tidegate/tidegate/devnet/provider"
)

// probe is called with a precompile, an opcode (0 DELEGATECALL, 1 CALL, 2 STATICCALL),
// a word each, and an input; it gives whether the call succeeded, a word, and its
// output. As the client of deals it agrees to all, and as a receiver it takes all.
const probe = `0 CALLDATALOAD 224 SHR 0x868e10c4 EQ @hook JUMPI
	64 CALLDATASIZE SUB DUP1 64 0 CALLDATACOPY
	32 CALLDATALOAD DUP1 1 EQ @call JUMPI 2 EQ @static JUMPI
	0 0 DUP3 0 0 CALLDATALOAD GAS DELEGATECALL @done JUMP
	call: POP 0 0 DUP3 0 0 0 CALLDATALOAD GAS CALL @done JUMP
	static: 0 0 DUP3 0 0 CALLDATALOAD GAS STATICCALL
	done: 0 MSTORE RETURNDATASIZE 0 32 RETURNDATACOPY RETURNDATASIZE 32 ADD 0 RETURN
	hook: 4 CALLDATALOAD 2643134072 EQ @agree JUMPI
	0 0 MSTORE 0 32 MSTORE 0x60 64 MSTORE 0 96 MSTORE 128 0 RETURN
	agree: 0x51 32 MSTORE 0x60 64 MSTORE 1 96 MSTORE 0xf5 248 SHL 128 MSTORE 160 0 RETURN`

// net is a devnet with a miner and the probe.
type net struct {
	*testing.T
	ctx   context.Context
	chain *chain.Chain
	fleet *provider.Fleet
	miner *provider.Miner

	probe   address.Address // f410
	probeID abi.ActorID
}

func start(t *testing.T) *net {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	n := &net{T: t, ctx: ctx}
	var err error
	n.chain, err = chain.New(ctx, chain.Config{FinalityDepth: 5})
	n.must(err)
	t.Cleanup(func() {
		if err := n.chain.Close(); err != nil {
			t.Error(err)
		}
	})
	n.fleet, err = provider.New(ctx, n.chain, provider.Config{})
	n.must(err)
	n.miner, err = n.fleet.Create(ctx, provider.Creation{})
	n.must(err)

	code, err := easm.Assemble(probe)
	n.must(err)
	init := abi.CborBytes(easm.InitCode(code))
	returned, err := n.fleet.Send(ctx, n.client(), provider.Call{
		To: builtin.EthereumAddressManagerActorAddr, Method: builtin.MethodsEAM.CreateExternal, Params: &init,
	})
	n.must(err)
	r := cbg.NewCborReader(bytes.NewReader(returned))
	_, _, err = r.ReadHeader() // an array that begins with the id
	n.must(err)
	_, id, err := r.ReadHeader()
	n.must(err)
	n.probeID = abi.ActorID(id)
	actor, err := n.chain.Actor(ctx, n.id(n.probeID), nil)
	n.must(err)
	n.probe = *actor.DelegatedAddress
	return n
}

func (n *net) must(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

// client is a funded f1 account.
func (n *net) client() chain.Account {
	n.Helper()
	for _, a := range n.chain.Accounts() {
		if a.Kind == chain.Secp256k1 {
			return a
		}
	}
	n.Fatal("the devnet has no f1 account")
	return chain.Account{}
}

func (n *net) id(id abi.ActorID) address.Address {
	n.Helper()
	a, err := address.NewIDAddress(uint64(id))
	n.must(err)
	return a
}

func (n *net) resolve(a address.Address) uint64 {
	n.Helper()
	id, err := n.chain.Resolve(n.ctx, a, nil)
	n.must(err)
	return uint64(id)
}

// ask lets the probe make a call at the head's state, of which nothing stays.
func (n *net) ask(c call) (ok bool, output []byte) {
	n.Helper()
	data := append(precompile(c.Precompile), word(uint64(c.Opcode))...)
	wrapped := abi.CborBytes(append(data, c.Input...))
	params := encode(n, &wrapped)
	machine, err := n.chain.Machine(n.ctx, nil, chain.MachineOptions{Free: true})
	n.must(err)
	result, err := machine.Apply(n.ctx, &types.Message{
		From: n.client().Address, To: n.probe, Value: big.Zero(), Method: builtin.MethodsEVM.InvokeContract, Params: params,
		GasLimit: buildconstants.BlockGasLimit, GasFeeCap: big.Zero(), GasPremium: big.Zero(),
	}, fvm.Implicit, 0)
	n.must(err)
	if result.Receipt.ExitCode != 0 {
		n.Fatalf("%s: the probe: exit code %d: %s", c.Name, result.Receipt.ExitCode, result.Error)
	}
	var out abi.CborBytes
	n.must(out.UnmarshalCBOR(bytes.NewReader(result.Receipt.Return)))
	return out[31] == 1, out[32:]
}

func encode(n *net, m cbg.CBORMarshaler) []byte {
	n.Helper()
	var b bytes.Buffer
	n.must(m.MarshalCBOR(&b))
	return b.Bytes()
}

func word(n uint64) []byte {
	out := make([]byte, 32)
	binary.BigEndian.PutUint64(out[24:], n)
	return out
}

// precompile is the word of 0xfe00…00 and a number.
func precompile(number uint8) []byte {
	out := make([]byte, 32)
	out[12], out[31] = 0xfe, number
	return out
}
