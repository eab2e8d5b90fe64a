package fvm

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm/gas"
)

// noCode is an engine that knows the actors but runs none: what is under test is the host's
// side.
var noCode = sync.OnceValues(func() (*Engine, error) {
	e := &Engine{cfg: EngineConfig{ActorsVersion: maxActors, Bundle: defaultBundle, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}}
	var err error
	e.bundle, err = loadBundle(context.Background(), maxActors, defaultBundle)
	if err != nil {
		return nil, err
	}
	e.account, e.ethAccount, e.placeholder = e.Code("account"), e.Code("ethaccount"), e.Code("placeholder")
	return e, nil
})

type fixedExterns struct{}

func (fixedExterns) ChainRandomness(context.Context, abi.ChainEpoch) ([32]byte, error) {
	return [32]byte{1}, nil
}

func (fixedExterns) BeaconRandomness(context.Context, abi.ChainEpoch) ([32]byte, error) {
	return [32]byte{2}, errors.New("no beacon")
}

func (fixedExterns) TipsetCID(context.Context, abi.ChainEpoch) (cid.Cid, error) {
	return emptyArrayCID, nil
}

// stubMachine is a machine with a few actors, none of which can run.
func stubMachine(tb testing.TB) *Machine {
	tb.Helper()
	ctx := context.Background()
	e, err := noCode()
	if err != nil {
		tb.Fatal(err)
	}
	store := NewMemory()
	tree, err := NewStateTree(ctx, store)
	if err != nil {
		tb.Fatal(err)
	}
	hamt, err := PutBlock(ctx, store, codecDagCBOR, []byte{0x82, 0x40, 0x80})
	if err != nil {
		tb.Fatal(err)
	}
	state := append([]byte{0x83, 0xd8, 0x2a, 0x58, byte(len(hamt.Bytes()) + 1), 0}, hamt.Bytes()...)
	state = append(state, 0x19, 0x03, 0xe8, 0x61, 'x') // next id 1000, network "x"
	head, err := PutBlock(ctx, store, codecDagCBOR, state)
	if err != nil {
		tb.Fatal(err)
	}
	for id, name := range map[abi.ActorID]string{0: "system", 1: "init", 2: "reward", 99: "account", 100: "account", 101: "evm"} {
		tree.SetActor(id, &types.Actor{Code: e.Code(name), Head: head, Balance: big.NewInt(1e15)})
	}
	root, err := tree.Flush(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	m, err := e.NewMachine(ctx, MachineConfig{Store: store, Root: root, Epoch: 1000, Timestamp: 1, BaseFee: big.NewInt(1), CircSupply: big.NewInt(1),
		ChainID: 1, NetworkVersion: network.Version28, Externs: fixedExterns{}, Debug: true})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// stubKernel is the kernel of a running actor, with a few blocks open.
func stubKernel(tb testing.TB, self abi.ActorID, readOnly bool) *kernel {
	tb.Helper()
	m := stubMachine(tb)
	from, err := address.NewIDAddress(100)
	if err != nil {
		tb.Fatal(err)
	}
	cm := &callManager{ctx: context.Background(), m: m, prices: m.prices, access: newAccesses(m.prices.Preloaded),
		gas: gas.NewTracker(gas.New(10e9), 0, false), origin: 100, originAddr: from, premium: big.Zero()}
	k := &kernel{cm: cm, caller: 100, self: self, method: 2, value: big.NewInt(5), readOnly: readOnly, blocks: newRegistry(false)}
	if _, err := k.blocks.put(&block{codec: codecDagCBOR, data: []byte{0x81, 0x01}}); err != nil {
		tb.Fatal(err)
	}
	k.blocks.mark(emptyArrayCID)
	return k
}

// stubMemory is an actor's memory with useful things at known places: a CID at 0, an
// address at 64, events and CBOR further on.
func stubMemory(junk []byte) memory {
	mem := make(memory, 4096)
	copy(mem, emptyArrayCID.Bytes())
	copy(mem[64:], []byte{0, 100})
	copy(mem[128:], []byte("key"))
	binary.LittleEndian.PutUint64(mem[256:], 3)
	binary.LittleEndian.PutUint64(mem[264:], codecRaw)
	binary.LittleEndian.PutUint32(mem[272:], 3)
	binary.LittleEndian.PutUint32(mem[276:], 4)
	copy(mem[512:], junk)
	return mem
}

// FuzzSyscalls calls any syscall with any arguments on any memory. Errors are numbers or
// aborts; nothing may panic, write outside of the memory, or be fatal without the machine
// being at fault.
func FuzzSyscalls(f *testing.F) {
	for i := range syscallsOf(abiV4) {
		f.Add(uint8(i), false, []byte{}, []byte{0x80})
		f.Add(uint8(i), true, bytes.Repeat([]byte{0xff}, 72), []byte{0x81, 0xd8, 0x2a, 0x41, 0})
		f.Add(uint8(i), false, bytes.Repeat([]byte{64, 0, 0, 0, 0, 0, 0, 0}, 9), []byte{})
		f.Add(uint8(i), false, bytes.Repeat([]byte{0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0}, 5), []byte{1})
		f.Add(uint8(i), false, bytes.Repeat([]byte{0, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, 5), []byte{0x80})
	}
	for i := range syscallsOf(abiV3) {
		f.Add(uint8(128+i), false, bytes.Repeat([]byte{0, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, 5), []byte{0x80})
	}
	f.Fuzz(func(t *testing.T, which uint8, readOnly bool, raw, junk []byte) {
		all := syscallsOf(abiV4)
		if which >= 128 {
			all = syscallsOf(abiV3)
		}
		s := all[int(which%128)%len(all)]
		self := abi.ActorID(101)
		if len(junk)%2 == 0 {
			self = initActor
		}
		k := stubKernel(t, self, readOnly)
		mem := stubMemory(junk)
		var slots [10]uint64
		for i := range slots {
			if len(raw) >= 8*(i+1) {
				slots[i] = binary.LittleEndian.Uint64(raw[8*i:])
			}
		}
		no, ab := s.call(k, mem, slots[:])
		if ab == nil {
			if no > ErrReadOnly {
				t.Fatalf("%s.%s: error number %d", s.module, s.name, no)
			}
			return
		}
		if ab.err != nil && !isOutOfGas(ab.err) && s.name != "send" {
			t.Fatalf("%s.%s(%x): fatal: %v", s.module, s.name, slots, ab.err)
		}
	})
}

// FuzzMessage decodes any bytes as a message and applies what comes out.
func FuzzMessage(f *testing.F) {
	to, err := address.NewIDAddress(2)
	if err != nil {
		f.Fatal(err)
	}
	from, err := address.NewIDAddress(100)
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range []types.Message{
		{From: from, To: to, Value: big.NewInt(5), GasLimit: 1e9, GasFeeCap: big.NewInt(2), GasPremium: big.NewInt(1)},
		{From: from, To: to, Value: big.Zero(), GasLimit: 1, GasFeeCap: big.Zero(), GasPremium: big.Zero(), Nonce: 3, Method: 7, Params: []byte("x")},
		{From: to, To: from, Value: big.NewInt(1e18), GasLimit: 1 << 62, GasFeeCap: big.NewInt(1), GasPremium: big.NewInt(9)},
	} {
		var b bytes.Buffer
		if err := m.MarshalCBOR(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes(), true)
		f.Add(b.Bytes(), false)
	}
	f.Fuzz(func(t *testing.T, raw []byte, explicit bool) {
		msg, err := types.DecodeMessage(raw)
		if err != nil {
			return
		}
		kind := Implicit
		if explicit {
			kind = Explicit
		}
		m := stubMachine(t)
		res, err := m.Apply(context.Background(), msg, kind, len(raw))
		if (res == nil) == (err == nil) {
			t.Fatalf("result %v, error %v", res, err)
		}
		if err == nil && res.Receipt.GasUsed > msg.GasLimit {
			t.Fatalf("gas used %d of %d", res.Receipt.GasUsed, msg.GasLimit)
		}
	})
}

// FuzzLinks walks any bytes as a block.
func FuzzLinks(f *testing.F) {
	f.Add([]byte{0x80})
	f.Add(append([]byte{0xd8, 0x2a, 0x58, byte(len(emptyArrayCID.Bytes()) + 1), 0}, emptyArrayCID.Bytes()...))
	f.Add([]byte{0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0xa1, 0x01, 0xd8, 0x2a, 0x45, 0, 1, 0x71, 0, 1, 0x80})
	f.Fuzz(func(t *testing.T, raw []byte) {
		links, err := Links(raw)
		if err != nil {
			if _, ok := asSyscall(err); !ok {
				t.Fatalf("error %v has no number", err)
			}
			return
		}
		for _, l := range links {
			if p := l.Prefix(); p.MhType != hashBlake2b256 || p.MhLength != 32 {
				t.Fatalf("link %s is no block of state", l)
			}
		}
	})
}
