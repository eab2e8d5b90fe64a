package gas

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/filecoin-project/go-state-types/actors"
	"github.com/filecoin-project/lotus/build"
	"github.com/ipld/go-car"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// actorModules are the modules of the official bundle.
func actorModules(t testing.TB, version actors.Version, network string) [][]byte {
	t.Helper()
	raw, ok := build.GetEmbeddedBuiltinActorsBundle(version, network)
	if !ok {
		t.Fatalf("lotus has no bundle %q of version %d", network, version)
	}
	r, err := car.NewCarReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(b.RawData(), wasmHeader) {
			out = append(out, b.RawData())
		}
	}
}

func TestOfficialActors(t *testing.T) {
	for _, c := range []struct {
		version actors.Version
		network string
		modules int
	}{{actors.Version18, "testing", 16}, {actors.Version10, "mainnet", 16}} {
		mods := actorModules(t, c.version, c.network)
		if len(mods) != c.modules {
			t.Errorf("bundle %d has %d modules, want %d", c.version, len(mods), c.modules)
		}
		idle := 0
		for i, wasm := range mods {
			if checkActor(t, i, wasm) {
				idle++
			}
		}
		if idle != 1 {
			t.Errorf("bundle %d: %d actors return without a system call, want the placeholder alone", c.version, idle)
		}
	}
}

// What Instrument makes is kept on disk by its version: a change of one without the other would run old code.
func TestInstrumentVersion(t *testing.T) {
	all := sha256.New()
	for _, wasm := range actorModules(t, actors.Version18, "testing") {
		out, err := Instrument(wasm)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(out)
	}
	const version, want = 1, "0cdb05bedbb056b3d4aa3ded6f9efae14892234edb3f4de2b81a991075b389b0"
	if got := hex.EncodeToString(all.Sum(nil)); InstrumentVersion != version || got != want {
		t.Errorf("version %d of the instrumented actors hashes to %s; version %d hashed to %s: raise InstrumentVersion and state both here",
			InstrumentVersion, got, version, want)
	}
}

// checkActor instruments an actor, instantiates it and runs its entry without gas and with some. It tells whether the actor came to its
// end without a system call.
func checkActor(t *testing.T, place int, wasm []byte) (idle bool) {
	t.Helper()
	out, err := Instrument(wasm)
	if err != nil {
		t.Errorf("actor %d: %v", place, err)
		return false
	}
	if info, err := Inspect(wasm); err != nil || info.MemoryBytes == 0 || info.MemoryBytes%wasmPageSize != 0 {
		t.Errorf("actor %d takes %+v (error %v), want pages of memory", place, info, err)
	}
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer func() { _ = rt.Close(ctx) }()
	compiled, err := rt.CompileModule(ctx, out)
	if err != nil {
		t.Errorf("actor %d: compile: %v", place, err)
		return false
	}
	calls := stubImports(ctx, t, rt, compiled)
	mod, err := rt.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		t.Errorf("actor %d: instantiate: %v", place, err)
		return false
	}
	counter := mod.ExportedGlobal(CounterExport).(api.MutableGlobal)
	counter.Set(1000)
	if _, err := mod.ExportedFunction("invoke").Call(ctx, 0); err == nil || int64(counter.Get()) >= 0 || *calls != 0 {
		t.Errorf("actor %d with one gas: error %v, counter %d, %d calls; want exhaustion before anything", place, err, int64(counter.Get()), *calls)
	}
	counter.Set(1 << 40)
	_, err = mod.ExportedFunction("invoke").Call(ctx, 0)
	if left := int64(counter.Get()); left <= 0 || left >= 1<<40 || (err != nil && !errors.Is(err, errStub)) {
		t.Errorf("actor %d: error %v with %d left, want its first system call with most gas left", place, err, left)
	}
	return err == nil
}

var errStub = errors.New("first system call")

// stubImports defines all that the module imports by functions that stop it.
func stubImports(ctx context.Context, t *testing.T, rt wazero.Runtime, m wazero.CompiledModule) *int {
	t.Helper()
	calls := new(int)
	builders := map[string]wazero.HostModuleBuilder{}
	for _, f := range m.ImportedFunctions() {
		module, name, _ := f.Import()
		if builders[module] == nil {
			builders[module] = rt.NewHostModuleBuilder(module)
		}
		builders[module].NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(context.Context, api.Module, []uint64) {
			*calls++
			panic(errStub)
		}), f.ParamTypes(), f.ResultTypes()).Export(name)
	}
	for name, b := range builders {
		if _, err := b.Instantiate(ctx); err != nil {
			t.Fatalf("host module %s: %v", name, err)
		}
	}
	return calls
}

func TestInstrumentIsDeterministic(t *testing.T) {
	wasm := actorModules(t, actors.Version10, "mainnet")[0]
	a, err := Instrument(wasm)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := Instrument(wasm); err != nil || !bytes.Equal(a, b) {
		t.Errorf("a second time gives other bytes (error %v)", err)
	}
}

// A damaged actor gives an error or a module, never a panic.
func TestDamagedActor(t *testing.T) {
	mods := actorModules(t, actors.Version18, "testing")
	smallest := mods[0]
	for _, m := range mods {
		if len(m) < len(smallest) {
			smallest = m
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	refused := 0
	const tries = 60
	for range tries {
		bad := bytes.Clone(smallest)
		for range 1 + rng.IntN(4) {
			bad[8+rng.IntN(len(bad)-8)] = byte(rng.Uint32())
		}
		if rng.IntN(2) == 0 {
			bad = bad[:rng.IntN(len(bad))]
		}
		if _, err := Instrument(bad); err != nil {
			if refused++; !errors.Is(err, ErrModule) {
				t.Fatalf("error %v does not wrap ErrModule", err)
			}
		}
	}
	if refused < tries/2 {
		t.Errorf("%d of %d damaged modules refused, want most", refused, tries)
	}
}

func FuzzInstrument(f *testing.F) {
	f.Add(assembleTest(false, nil, addOne))
	f.Add(assembleTest(true, []uint32{0, 1}, addOne, fn{params: 1, export: "f", code: cat(
		opLoop, blockEmpty, opCall, 0, opLocalGet, 0, i32(1), opI32Sub, opLocalTee, 0, opBrIf, 0, opEnd, opEnd)}))
	f.Add(assembleTest(false, nil, fn{params: 1, results: 1, export: "grow", code: cat(
		opLocalGet, 0, opMemoryGrow, 0, i32(0), i32(7), i32(9), opPrefix, 11, 0, opEnd)}))
	f.Add(assembleTest(false, nil, fn{params: 1, results: 1, export: "pick", code: cat(
		opBlock, blockEmpty, opLocalGet, 0, opBrTable, 1, 0, 0, opEnd, i32(10), opReturn, opEnd)}))
	ctx := context.Background()
	cfg := wazero.NewRuntimeConfigInterpreter()
	f.Fuzz(func(t *testing.T, wasm []byte) {
		out, err := Instrument(wasm)
		if _, ierr := Inspect(wasm); err == nil && ierr != nil && !errors.Is(ierr, ErrModule) {
			t.Fatalf("inspect: %v", ierr)
		}
		if err != nil {
			if !errors.Is(err, ErrModule) {
				t.Fatalf("error %v does not wrap ErrModule", err)
			}
			return
		}
		rt := wazero.NewRuntimeWithConfig(ctx, cfg)
		defer func() { _ = rt.Close(ctx) }()
		if _, err := rt.CompileModule(ctx, wasm); err != nil {
			return
		}
		if _, err := rt.CompileModule(ctx, out); err != nil {
			t.Fatalf("the original is valid, instrumented it is not: %v\n% x", err, wasm)
		}
	})
}

func BenchmarkInstrument(b *testing.B) {
	mods := actorModules(b, actors.Version18, "testing")
	largest := mods[0]
	for _, m := range mods {
		if len(m) > len(largest) {
			largest = m
		}
	}
	b.SetBytes(int64(len(largest)))
	for b.Loop() {
		if _, err := Instrument(largest); err != nil {
			b.Fatal(err)
		}
	}
}
