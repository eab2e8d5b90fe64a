package provider_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	fbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/fvm/easm"
	"github.com/tidegate/tidegate/devnet/fvm/fvmtest"
	"github.com/tidegate/tidegate/devnet/provider"
)

var soak = os.Getenv("TIDEGATE_SOAK") != ""

// TestMain fails when a test leaves a goroutine behind.
func TestMain(m *testing.M) { fvmtest.Main(m) }

// patience bounds every wait; nothing is expected to take as long.
const patience = 20 * time.Minute

// net is a chain with providers under test.
type net struct {
	testing.TB
	ctx context.Context
	*chain.Chain
	fleet *provider.Fleet
}

func start(tb testing.TB, change ...func(*chain.Config)) *net {
	tb.Helper()
	config := chain.Config{Engine: fvmtest.Engine(tb), FinalityDepth: 5}
	for _, f := range change {
		f(&config)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	tb.Cleanup(cancel)
	c, err := chain.New(ctx, config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
	n := &net{TB: tb, ctx: ctx, Chain: c}
	if n.fleet, err = provider.New(ctx, c, provider.Config{}); err != nil {
		tb.Fatal(err)
	}
	return n
}

// of gives the i-th funded account of a kind.
func (n *net) of(kind chain.AccountKind, i int) chain.Account {
	n.Helper()
	for _, a := range n.Accounts() {
		if a.Kind == kind {
			if i == 0 {
				return a
			}
			i--
		}
	}
	n.Fatalf("too few %s accounts", kind)
	return chain.Account{}
}

func (n *net) client() chain.Account { return n.of(chain.Secp256k1, 0) }

func (n *net) miner(c provider.Creation) *provider.Miner {
	n.Helper()
	m, err := n.fleet.Create(n.ctx, c)
	if err != nil {
		n.Fatal(err)
	}
	return m
}

func (n *net) seal(m *provider.Miner, sectors ...provider.Sector) []abi.SectorNumber {
	n.Helper()
	numbers, err := m.Seal(n.ctx, sectors...)
	if err != nil {
		n.Fatal(err)
	}
	return numbers
}

func (n *net) advance(epochs abi.ChainEpoch) {
	n.Helper()
	if _, err := n.Advance(n.ctx, int(epochs)); err != nil {
		n.Fatal(err)
	}
}

func (n *net) must(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

const day = abi.ChainEpoch(builtin.EpochsInDay)

// pieceCID is the commitment of a piece that is unlike the others.
func pieceCID(tb testing.TB, number byte) cid.Cid {
	tb.Helper()
	digest := bytes.Repeat([]byte{number}, 32)
	digest[31] &= 0x3f
	hash, err := mh.Encode(digest, mh.SHA2_256_TRUNC254_PADDED)
	if err != nil {
		tb.Fatal(err)
	}
	return cid.NewCidV1(cid.FilCommitmentUnsealed, hash)
}

// exitCode is the code with which an actor refused, 0 if none did.
func exitCode(err error) exitcode.ExitCode {
	var exit *provider.ExitError
	if errors.As(err, &exit) {
		return exit.Code
	}
	return 0
}

// witness is the contract of the tests. Called with a word that is an address, a word
// that is a kind (0 DELEGATECALL, 2 STATICCALL) and data, it calls that and returns
// whether it succeeded, and what it returned. Kind 3 sets its answer to
// SectorContentChanged: a word of length and a word of bytes. As an actor it agrees to
// every deal, and logs the method and parameters of all other calls.
const witness = `0 CALLDATALOAD 224 SHR 0x868e10c4 EQ @hook JUMPI
	64 CALLDATASIZE SUB DUP1 64 0 CALLDATACOPY
	32 CALLDATALOAD DUP1 2 EQ @static JUMPI 3 EQ @set JUMPI
	0 0 DUP3 0 0 CALLDATALOAD GAS DELEGATECALL @done JUMP
	static: POP 0 0 DUP3 0 0 CALLDATALOAD GAS STATICCALL
	done: 0 MSTORE RETURNDATASIZE 0 32 RETURNDATACOPY RETURNDATASIZE 32 ADD 0 RETURN
	set: 64 CALLDATALOAD 0 SSTORE 96 CALLDATALOAD 1 SSTORE STOP
	hook: 4 CALLDATALOAD DUP1 2643134072 EQ @agree JUMPI
	100 CALLDATALOAD 132 0 CALLDATACOPY
	DUP1 100 CALLDATALOAD 0 LOG1
	2034386435 EQ @changed JUMPI
	nothing: 0 0 MSTORE 0 32 MSTORE 0x60 64 MSTORE 0 96 MSTORE 128 0 RETURN
	changed: 0 SLOAD DUP1 ISZERO @nothing JUMPI
	0 0 MSTORE 0x51 32 MSTORE 0x60 64 MSTORE 96 MSTORE 1 SLOAD 128 MSTORE 160 0 RETURN
	agree: 0x51 32 MSTORE 0x60 64 MSTORE 1 96 MSTORE 0xf5 248 SHL 128 MSTORE 160 0 RETURN`

// contract is a deployed one.
type contract struct {
	n    *net
	id   abi.ActorID
	addr address.Address // f410
}

func (n *net) deploy(src string) contract {
	n.Helper()
	code, err := easm.Assemble(src)
	n.must(err)
	init := abi.CborBytes(easm.InitCode(code))
	returned, err := n.fleet.Send(n.ctx, n.client(), provider.Call{
		To: builtin.EthereumAddressManagerActorAddr, Method: builtin.MethodsEAM.CreateExternal, Params: &init,
	})
	n.must(err)
	r := cbg.NewCborReader(bytes.NewReader(returned))
	_, _, err = r.ReadHeader() // an array: id, robust address, Ethereum address
	n.must(err)
	_, id, err := r.ReadHeader()
	n.must(err)
	actor, err := n.Actor(n.ctx, idAddr(n, abi.ActorID(id)), nil)
	n.must(err)
	return contract{n, abi.ActorID(id), *actor.DelegatedAddress}
}

func idAddr(tb testing.TB, id abi.ActorID) address.Address {
	tb.Helper()
	a, err := address.NewIDAddress(uint64(id))
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func word(n uint64) []byte {
	out := make([]byte, 32)
	binary.BigEndian.PutUint64(out[24:], n)
	return out
}

// callActorID is the precompile by which contracts call actors.
var callActorID = append(make([]byte, 12), 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5)

// input asks the contract to call an actor's method.
func input(tb testing.TB, actor abi.ActorID, method abi.MethodNum, params cbg.CBORMarshaler) []byte {
	tb.Helper()
	var encoded bytes.Buffer
	codec := uint64(0)
	if params != nil {
		codec = 0x51
		if err := params.MarshalCBOR(&encoded); err != nil {
			tb.Fatal(err)
		}
	}
	out := append([]byte{}, callActorID...)
	out = append(out, word(0)...) // DELEGATECALL
	for _, w := range []uint64{uint64(method), 0, 0, codec, 192, uint64(actor), uint64(encoded.Len())} {
		out = append(out, word(w)...)
	}
	out = append(out, encoded.Bytes()...)
	return append(out, make([]byte, (32-encoded.Len()%32)%32)...)
}

// ask lets the contract call an actor at the head's state, and gives the exit code that
// the contract sees, and what was returned.
func (c contract) ask(actor abi.ActorID, method abi.MethodNum, params cbg.CBORMarshaler) (int64, []byte) {
	c.n.Helper()
	data := abi.CborBytes(input(c.n, actor, method, params))
	var encoded bytes.Buffer
	c.n.must(data.MarshalCBOR(&encoded))
	machine, err := c.n.Machine(c.n.ctx, nil, chain.MachineOptions{Free: true})
	c.n.must(err)
	result, err := machine.Apply(c.n.ctx, &types.Message{
		From: c.n.client().Address, To: c.addr, Value: fbig.Zero(), Method: builtin.MethodsEVM.InvokeContract, Params: encoded.Bytes(),
		GasLimit: buildconstants.BlockGasLimit, GasFeeCap: fbig.Zero(), GasPremium: fbig.Zero(),
	}, fvm.Implicit, 0)
	c.n.must(err)
	if result.Receipt.ExitCode != 0 {
		c.n.Fatalf("contract %s: exit code %d: %s", c.addr, result.Receipt.ExitCode, result.Error)
	}
	return answered(c.n, result.Receipt.Return)
}

// answered takes apart what the witness returned.
func answered(tb testing.TB, returned []byte) (int64, []byte) {
	tb.Helper()
	var out abi.CborBytes
	if err := out.UnmarshalCBOR(bytes.NewReader(returned)); err != nil {
		tb.Fatal(err)
	}
	if len(out) < 160 || out[31] != 1 {
		tb.Fatalf("the precompile failed: %x", []byte(out))
	}
	abiData := out[32:]
	code := int64(binary.BigEndian.Uint64(abiData[24:32]))
	size := binary.BigEndian.Uint64(abiData[120:128])
	return code, abiData[128 : 128+size]
}

// send makes a transaction that calls the contract with these bytes.
func (c contract) send(data []byte) []byte {
	c.n.Helper()
	params := abi.CborBytes(data)
	returned, err := c.n.fleet.Send(c.n.ctx, c.n.client(), provider.Call{To: c.addr, Method: builtin.MethodsEVM.InvokeContract, Params: &params})
	c.n.must(err)
	return returned
}

// answers sets what the contract answers to SectorContentChanged.
func (c contract) answers(cbor ...byte) {
	c.n.Helper()
	data := append(make([]byte, 32), word(3)...)
	data = append(data, word(uint64(len(cbor)))...)
	c.send(append(data, append(cbor, make([]byte, 32-len(cbor))...)...))
}

// heard are the parameters of a method that the contract logged, in the chain's order.
func (c contract) heard(method abi.MethodNum) [][]byte {
	c.n.Helper()
	var out [][]byte
	topic := string(word(uint64(method)))
	for ts := c.n.Head(); ts.Height() > 0; {
		execution, err := c.n.Execution(ts)
		c.n.must(err)
		var here [][]byte
		for _, r := range execution.Results {
			for _, e := range r.Events {
				if e.Emitter != c.id {
					continue
				}
				values := map[string][]byte{}
				for _, entry := range e.Entries {
					values[entry.Key] = entry.Value
				}
				if string(values["t1"]) == topic {
					here = append(here, values["d"])
				}
			}
		}
		out = append(here, out...)
		ts, err = c.n.TipSet(ts.Parents())
		c.n.must(err)
	}
	return out
}
