package gas

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// fn is a function of a hand-made module: parameters and locals are of type i32, a result too when there is one.
type fn struct {
	params, locals, results int
	export                  string
	code                    []byte // with its end
}

// cat joins pieces of code: bytes and slices of bytes.
func cat(parts ...any) []byte {
	var out []byte
	for _, p := range parts {
		switch v := p.(type) {
		case int:
			out = append(out, byte(v))
		case []byte:
			out = append(out, v...)
		}
	}
	return out
}

func i32(v int32) []byte { return appendSigned([]byte{opI32Const}, int64(v)) }

// assembleTest makes a module of functions with a memory of one page, at most ten. Function 0 is imported as env.look when look is set;
// funcs are then counted from 1. table lists functions in a table.
func assembleTest(look bool, table []uint32, funcs ...fn) []byte {
	out := append([]byte(nil), wasmHeader...)
	vec := func(items ...[]byte) []byte {
		b := appendU32(nil, uint32(len(items)))
		for _, i := range items {
			b = append(b, i...)
		}
		return b
	}
	types, decl, code := [][]byte{{0x60, 0, 0}}, [][]byte(nil), [][]byte(nil)
	exports := [][]byte{cat(6, []byte("memory"), kindMemory, 0)}
	first := 0
	if look {
		first = 1
	}
	for i, f := range funcs {
		t := appendU32([]byte{0x60}, uint32(f.params))
		for range f.params {
			t = append(t, typeI32)
		}
		t = append(t, byte(f.results))
		for range f.results {
			t = append(t, typeI32)
		}
		types = append(types, t)
		decl = append(decl, appendU32(nil, uint32(i+1)))
		if f.export != "" {
			exports = append(exports, cat(len(f.export), []byte(f.export), kindFunc, i+first))
		}
		b := []byte{0}
		if f.locals > 0 {
			b = cat(1, f.locals, typeI32)
		}
		b = append(b, f.code...)
		code = append(code, append(appendU32(nil, uint32(len(b))), b...))
	}
	out = appendSection(out, secType, vec(types...))
	if look {
		out = appendSection(out, secImport, vec(cat(3, []byte("env"), 4, []byte("look"), kindFunc, 0)))
	}
	out = appendSection(out, secFunction, vec(decl...))
	if table != nil {
		out = appendSection(out, secTable, vec(cat(0x70, 0, len(table))))
	}
	out = appendSection(out, secMemory, vec(cat(1, 1, 10)))
	out = appendSection(out, secExport, vec(exports...))
	if table != nil {
		var t [][]byte
		for _, f := range table {
			t = append(t, appendU32(nil, f))
		}
		out = appendSection(out, secElement, vec(cat(0, i32(0), opEnd, vec(t...))))
	}
	return appendSection(out, secCode, vec(code...))
}

// run is a running instrumented module.
type run struct {
	t       *testing.T
	mod     api.Module
	counter api.MutableGlobal
	looked  []int64 // the counter at each call of env.look
}

func start(t *testing.T, wasm []byte) *run {
	t.Helper()
	out, err := Instrument(wasm)
	if err != nil {
		t.Fatalf("instrument: %v", err)
	}
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	t.Cleanup(func() { _ = rt.Close(ctx) })
	r := &run{t: t}
	_, err = rt.NewHostModuleBuilder("env").NewFunctionBuilder().WithGoModuleFunction(
		api.GoModuleFunc(func(_ context.Context, m api.Module, _ []uint64) {
			r.looked = append(r.looked, int64(m.ExportedGlobal(CounterExport).Get()))
		}), nil, nil).Export("look").Instantiate(ctx)
	if err != nil {
		t.Fatalf("host module: %v", err)
	}
	r.mod, err = rt.Instantiate(ctx, out)
	if err != nil {
		t.Fatalf("instantiate: %v", err)
	}
	var ok bool
	if r.counter, ok = r.mod.ExportedGlobal(CounterExport).(api.MutableGlobal); !ok {
		t.Fatalf("no mutable global %q is exported", CounterExport)
	}
	return r
}

// call runs an exported function with that many milligas and gives its result, the milligas used, and the trap.
func (r *run) call(limit int64, name string, args ...uint64) (result uint64, used int64, trap error) {
	r.counter.Set(uint64(limit))
	out, err := r.mod.ExportedFunction(name).Call(context.Background(), args...)
	if len(out) > 0 {
		result = out[0]
	}
	return result, limit - int64(r.counter.Get()), err
}

// mustUse checks a call's result, and that it uses the price of that many paid instructions besides those of its entry.
func (r *run) mustUse(name string, want uint64, instructions int64, args ...uint64) {
	r.t.Helper()
	got, used, err := r.call(1<<40, name, args...)
	if err != nil {
		r.t.Fatalf("%s%v: %v", name, args, err)
	}
	if got != want {
		r.t.Errorf("%s%v = %d, want %d", name, args, got, want)
	}
	if w := (instructions + entry(len(args))) * int64(instructionDefault); used != w {
		r.t.Errorf("%s%v used %d milligas, want %d (%d instructions)", name, args, used, w, instructions+entry(len(args)))
	}
}

// entry is the number of paid instructions of a thunk: its arguments, eight that count and check the stack, the call, four that count back.
func entry(args int) int64 { return int64(args) + 8 + 1 + 4 }
