package fvm_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"os"
	"sync"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	actorstypes "github.com/filecoin-project/go-state-types/actors"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/fxamacker/cbor/v2"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/fvm/sig"
)

// Engines are shared by all tests of a process: compiled actors take memory.
var (
	engineMu sync.Mutex
	engines  = map[string]*fvm.Engine{}
)

func engineFor(tb testing.TB, cfg fvm.EngineConfig) *fvm.Engine {
	tb.Helper()
	engineMu.Lock()
	defer engineMu.Unlock()
	key := cfg.Bundle + string(rune('0'+cfg.ActorsVersion))
	if cfg.Unmetered {
		key += "u"
	}
	if e, ok := engines[key]; ok {
		return e
	}
	cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	e, err := fvm.NewEngine(context.Background(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	engines[key] = e
	return e
}

func testEngine(tb testing.TB) *fvm.Engine {
	return engineFor(tb, fvm.EngineConfig{ActorsVersion: actorstypes.Version18})
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, e := range engines {
		if err := e.Close(context.Background()); err != nil {
			code = 1
		}
	}
	os.Exit(code)
}

// externs answers as a chain without null rounds would.
type externs struct{}

func (externs) ChainRandomness(_ context.Context, epoch abi.ChainEpoch) ([32]byte, error) {
	return digest("chain", epoch), nil
}

func (externs) BeaconRandomness(_ context.Context, epoch abi.ChainEpoch) ([32]byte, error) {
	return digest("beacon", epoch), nil
}

func (externs) TipsetCID(_ context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	d := digest("tipset", epoch)
	return fvm.BlockCID(0x71, d[:])
}

func digest(kind string, epoch abi.ChainEpoch) (out [32]byte) {
	h, err := sig.Hash(sig.Blake2b256, binary.BigEndian.AppendUint64([]byte(kind), uint64(epoch)))
	if err != nil {
		panic(err)
	}
	copy(out[:], h)
	return out
}

// world is a small chain state with all singletons, made by their own constructors.
type world struct {
	tb     testing.TB
	engine *fvm.Engine
	store  fvm.Blockstore
	root   cid.Cid
	epoch  abi.ChainEpoch
	base   big.Int
	trace  bool
	debug  bool
	proofs func(string) bool
	// Accounts: a BLS and a secp256k1 key, and an Ethereum account; all rich.
	bls, secp, eth *sig.Key
	nonces         map[address.Address]uint64
	recorder       *recorder
}

const (
	blsID  abi.ActorID = 200
	secpID abi.ActorID = 201
	ethID  abi.ActorID = 202
)

func key(tb testing.TB, kind crypto.SigType, n uint64) *sig.Key {
	tb.Helper()
	k, err := sig.GenerateKey(kind, [32]byte{1, 2, 3}, n)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func encode(tb testing.TB, v any) []byte {
	tb.Helper()
	return must[[]byte](tb)(cbor.Marshal(v))
}

// fil is n FIL in attoFIL.
func fil(n int64) big.Int { return big.Mul(big.NewInt(n), big.NewInt(1e18)) }

func idAddr(id abi.ActorID) address.Address {
	a, err := address.NewIDAddress(uint64(id))
	if err != nil {
		panic(err)
	}
	return a
}

func link(c cid.Cid) cbor.Tag { return cbor.Tag{Number: 42, Content: append([]byte{0}, c.Bytes()...)} }

// newWorld makes a genesis.
func newWorld(tb testing.TB) *world {
	tb.Helper()
	ctx := context.Background()
	w := &world{tb: tb, engine: testEngine(tb), store: fvm.NewMemory(), base: big.NewInt(100), nonces: map[address.Address]uint64{},
		bls: key(tb, crypto.SigTypeBLS, 1), secp: key(tb, crypto.SigTypeSecp256k1, 2), eth: key(tb, crypto.SigTypeDelegated, 3)}
	for c, data := range w.engine.Blocks() {
		if err := w.store.Put(ctx, c, data); err != nil {
			tb.Fatal(err)
		}
	}
	tree := must[*fvm.StateTree](tb)(fvm.NewStateTree(ctx, w.store))
	put := func(v any) cid.Cid { return must[cid.Cid](tb)(fvm.PutBlock(ctx, w.store, 0x71, encode(tb, v))) }
	empty := put([]any{})
	hamt := must[cid.Cid](tb)(fvm.PutBlock(ctx, w.store, 0x71, []byte{0x82, 0x40, 0x80}))
	set := func(id abi.ActorID, name string, head cid.Cid, balance big.Int, delegated *address.Address) {
		tree.SetActor(id, &types.Actor{Code: w.engine.Code(name), Head: head, Balance: balance, DelegatedAddress: delegated})
	}
	set(0, "system", put([]any{link(w.engine.Manifest())}), big.Zero(), nil)
	set(1, "init", put([]any{link(hamt), uint64(1000), "devnet"}), big.Zero(), nil)
	for id, name := range map[abi.ActorID]string{3: "cron", 4: "storagepower", 5: "storagemarket", 6: "verifiedregistry", 7: "datacap", 10: "eam"} {
		set(id, name, empty, big.Zero(), nil)
	}
	set(2, "reward", empty, fil(1_100_000_000), nil)
	set(80, "account", put([]any{idAddr(80).Bytes()}), big.Zero(), nil)
	set(99, "account", put([]any{idAddr(99).Bytes()}), big.Zero(), nil)
	for id, k := range map[abi.ActorID]*sig.Key{blsID: w.bls, secpID: w.secp} {
		set(id, "account", put([]any{k.Address().Bytes()}), fil(1_000_000), nil)
		if err := tree.Bind(ctx, k.Address(), id); err != nil {
			tb.Fatal(err)
		}
	}
	ethAddr := w.eth.Address()
	set(ethID, "ethaccount", empty, fil(1_000_000), &ethAddr)
	if err := tree.Bind(ctx, ethAddr, ethID); err != nil {
		tb.Fatal(err)
	}
	w.root = must[cid.Cid](tb)(tree.Flush(ctx))
	w.construct()
	return w
}

func (w *world) construct() {
	w.tb.Helper()
	for _, c := range []struct {
		id     abi.ActorID
		params any
	}{
		{2, []byte{}},
		{3, []any{[]any{[]any{idAddr(4).Bytes(), uint64(5)}, []any{idAddr(5).Bytes(), uint64(9)}}}},
		{4, nil}, {5, nil}, {6, idAddr(80).Bytes()}, {7, idAddr(6).Bytes()},
	} {
		var params []byte
		if c.params != nil {
			params = encode(w.tb, c.params)
		}
		if r := w.implicit(0, idAddr(c.id), 1, params); r.Receipt.ExitCode != 0 {
			w.tb.Fatalf("construct f0%d: exit %d: %s", c.id, r.Receipt.ExitCode, r.Error)
		}
	}
	w.tick()
}

// machine opens the current state.
func (w *world) machine() *fvm.Machine {
	w.tb.Helper()
	return must[*fvm.Machine](w.tb)(w.engine.NewMachine(context.Background(), w.config(w.root)))
}

func (w *world) config(root cid.Cid) fvm.MachineConfig {
	return fvm.MachineConfig{Store: w.store, Root: root, Epoch: w.epoch, Timestamp: 1_700_000_000 + 30*uint64(w.epoch), BaseFee: w.base,
		CircSupply: fil(600_000_000), ChainID: 31415926, Externs: externs{}, AcceptProofs: w.proofs, Trace: w.trace, Debug: w.debug}
}

// apply runs a message and keeps the state it leads to.
func (w *world) apply(msg *types.Message, kind fvm.ApplyKind) *fvm.Result {
	w.tb.Helper()
	ctx := context.Background()
	m := w.machine()
	pre := w.root
	res := must[*fvm.Result](w.tb)(m.Apply(ctx, msg, kind, messageSize(w.tb, msg)))
	w.root = must[cid.Cid](w.tb)(m.Flush(ctx))
	if w.recorder != nil {
		w.record(w.recorder, pre, msg, kind, res)
	}
	return res
}

func messageSize(tb testing.TB, msg *types.Message) int {
	tb.Helper()
	var b bytes.Buffer
	if err := msg.MarshalCBOR(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Len() + 68
}

// implicit sends from an actor by its id without validation and payment.
func (w *world) implicit(from abi.ActorID, to address.Address, method abi.MethodNum, params []byte) *fvm.Result {
	w.tb.Helper()
	return w.apply(&types.Message{From: idAddr(from), To: to, Method: method, Params: params, Value: big.Zero(),
		GasLimit: 100e9, GasFeeCap: big.Zero(), GasPremium: big.Zero()}, fvm.Implicit)
}

// send sends an explicit message with the sender's next nonce.
func (w *world) send(from, to address.Address, method abi.MethodNum, value big.Int, params []byte) *fvm.Result {
	w.tb.Helper()
	res := w.apply(w.message(from, to, method, value, params), fvm.Explicit)
	w.nonces[from]++
	return res
}

func (w *world) message(from, to address.Address, method abi.MethodNum, value big.Int, params []byte) *types.Message {
	return &types.Message{From: from, To: to, Method: method, Value: value, Params: params, Nonce: w.nonces[from],
		GasLimit: 5e9, GasFeeCap: big.NewInt(1000), GasPremium: big.NewInt(10)}
}

// ok fails the test unless the message succeeded.
func (w *world) ok(r *fvm.Result) *fvm.Result {
	w.tb.Helper()
	if !r.Receipt.ExitCode.IsSuccess() {
		w.tb.Fatalf("exit %d: %s", r.Receipt.ExitCode, r.Error)
	}
	return r
}

// exit fails the test unless the message ended with this exit code.
func (w *world) exit(r *fvm.Result, want exitcode.ExitCode) {
	w.tb.Helper()
	if r.Receipt.ExitCode != want {
		w.tb.Fatalf("exit %d instead of %d: %s", r.Receipt.ExitCode, want, r.Error)
	}
}

// tick runs cron for the current epoch and goes to the next.
func (w *world) tick() {
	w.tb.Helper()
	w.ok(w.implicit(0, idAddr(3), 2, nil))
	w.epoch++
}

func (w *world) actor(a address.Address) *types.Actor {
	w.tb.Helper()
	act, ok, err := w.machine().Actor(context.Background(), a)
	if err != nil || !ok {
		w.tb.Fatalf("actor %s: found %v, error %v", a, ok, err)
	}
	return act
}
