package gas

import (
	"errors"
	"strings"
	"testing"
)

// add: 3 paid instructions.
var addOne = fn{params: 1, results: 1, export: "add", code: cat(opLocalGet, 0, i32(1), opI32Add, opEnd)}

func TestStraightCode(t *testing.T) {
	r := start(t, assembleTest(false, nil, addOne))
	r.mustUse("add", 42, 3, 41)
}

func TestIfElseChargesTheArmTaken(t *testing.T) {
	// local.get, if: 2; then: const, const, add: 3; else: const: 1; the constant and addition after: 2.
	code := cat(opLocalGet, 0, opIf, typeI32, i32(1), i32(2), opI32Add, opElse, i32(9), opEnd, i32(1), opI32Add, opEnd)
	r := start(t, assembleTest(false, nil, fn{params: 1, results: 1, export: "f", code: code}))
	r.mustUse("f", 4, 2+3+2, 1)
	r.mustUse("f", 10, 2+1+2, 0)
}

func TestLoopChargesEachRound(t *testing.T) {
	// Before: const, set: 2. Round: get, get, add, set (sum += n), get, const, sub, tee, br_if: 9. After: get: 1.
	code := cat(
		i32(0), 0x21, 1,
		opLoop, blockEmpty,
		opLocalGet, 1, opLocalGet, 0, opI32Add, 0x21, 1,
		opLocalGet, 0, i32(1), opI32Sub, opLocalTee, 0, opBrIf, 0,
		opEnd,
		opLocalGet, 1, opEnd)
	r := start(t, assembleTest(false, nil, fn{params: 1, locals: 1, results: 1, export: "sum", code: code}))
	r.mustUse("sum", 1, 2+9+1, 1)
	r.mustUse("sum", 5050, 2+100*9+1, 100)
}

func TestBranchTable(t *testing.T) {
	// block { block { block { get 0; br_table 0 1 2 } const 10; return } const 20; return } const 30
	code := cat(
		opBlock, blockEmpty, opBlock, blockEmpty, opBlock, blockEmpty,
		opLocalGet, 0, opBrTable, 2, 0, 1, 2,
		opEnd, i32(10), opReturn,
		opEnd, i32(20), opReturn,
		opEnd, i32(30), opEnd)
	r := start(t, assembleTest(false, nil, fn{params: 1, results: 1, export: "pick", code: code}))
	// The three constants are blocks of their own: get and br_table, then one constant.
	r.mustUse("pick", 10, 2+1, 0)
	r.mustUse("pick", 20, 2+1, 1)
	r.mustUse("pick", 30, 2+1, 2)
	r.mustUse("pick", 30, 2+1, 99)
}

func TestCallsCountTheStack(t *testing.T) {
	// f: get, call add, const, add: 4, and 8+4 around the call; add: 3.
	f := fn{params: 1, results: 1, export: "f", code: cat(opLocalGet, 0, opCall, 0, i32(5), opI32Add, opEnd)}
	r := start(t, assembleTest(false, nil, addOne, f))
	r.mustUse("f", 12, 4+12+3, 6)
}

func TestIndirectCallsGoThroughThunks(t *testing.T) {
	// f: get, const, call_indirect: 3; then the entry of add with one argument, and add.
	f := fn{params: 1, results: 1, export: "f", code: cat(opLocalGet, 0, i32(0), opCallIndirect, 1, 0, opEnd)}
	r := start(t, assembleTest(false, []uint32{0}, addOne, f))
	r.mustUse("f", 7, 3+entry(1)+3, 6)
}

func TestMemoryIsPaidBySize(t *testing.T) {
	grow := fn{params: 1, results: 1, export: "grow", code: cat(opLocalGet, 0, opMemoryGrow, 0, opEnd)}
	growConst := fn{results: 1, export: "grow2", code: cat(i32(2), opMemoryGrow, 0, opEnd)}
	fill := fn{params: 1, export: "fill", code: cat(i32(0), i32(7), opLocalGet, 0, opPrefix, 11, 0, opEnd)}
	copies := fn{params: 1, export: "copy", code: cat(i32(0), i32(100), opLocalGet, 0, opPrefix, 10, 0, 0, opEnd)}
	r := start(t, assembleTest(false, nil, grow, growConst, fill, copies))
	for _, c := range []struct {
		name    string
		args    []uint64
		instrs  int64
		bySize  int64
		outcome uint64
	}{
		{"grow", []uint64{3}, 2, 3 * 65536 * 400, 1},
		{"grow", []uint64{0}, 2, 0, 4},
		{"grow2", nil, 2, 2 * 65536 * 400, 4},
		{"grow", []uint64{100}, 2, 100 * 65536 * 400, 0xffffffff},
		{"fill", []uint64{1000}, 4, 1000 * 400, 0},
		{"copy", []uint64{512}, 4, 512 * 400, 0},
	} {
		got, used, err := r.call(1<<50, c.name, c.args...)
		if err != nil || got != c.outcome {
			t.Errorf("%s%v = %d, %v; want %d", c.name, c.args, got, err, c.outcome)
		}
		if want := (c.instrs+entry(len(c.args)))*4000 + c.bySize; used != want {
			t.Errorf("%s%v used %d milligas, want %d", c.name, c.args, used, want)
		}
	}
	// A size that is negative as a signed number counts as 4 Gi, and costs more than there is.
	_, _, err := r.call(1<<40, "fill", 0xffffffff)
	if err == nil || int64(r.counter.Get()) >= 0 {
		t.Errorf("fill of 2^32-1 bytes: error %v with %d milligas left, want exhaustion", err, int64(r.counter.Get()))
	}
}

func TestLoopWithoutEndRunsOut(t *testing.T) {
	r := start(t, assembleTest(false, nil, fn{export: "spin", code: cat(opLoop, blockEmpty, opBr, 0, opEnd, opEnd)}))
	_, _, err := r.call(1_000_000_000, "spin")
	if err == nil || !strings.Contains(err.Error(), "unreachable") {
		t.Fatalf("error %v, want the trap of unreachable", err)
	}
	left := int64(r.counter.Get())
	if left >= 0 || left < -4000 {
		t.Errorf("counter is %d, want just below zero", left)
	}
	tr := NewTracker(New(1_000_000), 0, false)
	if err := tr.ChargeExec(tr.Counter(), left); !errors.Is(err, ErrOutOfGas) || tr.Available() != 0 {
		t.Errorf("charging it: %v with %s left, want out of gas with nothing", err, tr.Available())
	}
}

func TestRecursionWithoutEndTrapsWithGasLeft(t *testing.T) {
	r := start(t, assembleTest(false, nil, fn{export: "deep", code: cat(opCall, 0, opEnd)}))
	_, used, err := r.call(1<<40, "deep")
	if err == nil || !strings.Contains(err.Error(), "unreachable") {
		t.Fatalf("error %v, want the trap of unreachable", err)
	}
	// The function costs two values of the stack: the 1025th call is one too many. It was paid by the 1024th execution.
	if want := (entry(0) + 1024*(8+1+4)) * int64(4000); used != want {
		t.Errorf("used %d milligas, want %d", used, want)
	}
}

func TestCounterOnlyFalls(t *testing.T) {
	// for n times: call look
	code := cat(opLoop, blockEmpty, opCall, 0, opLocalGet, 0, i32(1), opI32Sub, opLocalTee, 0, opBrIf, 0, opEnd, opEnd)
	r := start(t, assembleTest(true, nil, fn{params: 1, export: "f", code: code}))
	if _, _, err := r.call(1<<30, "f", 50); err != nil {
		t.Fatal(err)
	}
	if len(r.looked) != 50 {
		t.Fatalf("looked %d times, want 50", len(r.looked))
	}
	for i := 1; i < len(r.looked); i++ {
		// A round: call, get, const, sub, tee, br_if. Imported functions do not count for the stack.
		if d := r.looked[i-1] - r.looked[i]; d != 6*4000 {
			t.Fatalf("round %d took %d milligas, want %d", i, d, 6*4000)
		}
	}
}

func TestHostMaySetTheCounterBetween(t *testing.T) {
	// What the host takes in a system call is gone for the module: it sets the counter.
	r := start(t, assembleTest(true, nil, fn{export: "f", code: cat(opCall, 0, opCall, 0, opEnd)}))
	if _, _, err := r.call((entry(0)+2)*4000, "f"); err != nil {
		t.Errorf("with the exact gas: %v", err)
	}
	if _, _, err := r.call((entry(0)+2)*4000-1, "f"); err == nil {
		t.Error("with a milligas less it still ran")
	}
}

func TestRefused(t *testing.T) {
	good := assembleTest(false, nil, addOne)
	code := func(c ...any) []byte { return assembleTest(false, nil, fn{export: "f", code: cat(c...)}) }
	for name, wasm := range map[string][]byte{
		"nothing":              {},
		"header only in part":  wasmHeader[:6],
		"other version":        append([]byte("\x00asm\x02\x00\x00\x00"), good[8:]...),
		"cut":                  good[:len(good)-3],
		"left over":            append(append([]byte(nil), good...), 1),
		"sections doubled":     append(append([]byte(nil), good...), good[8:]...),
		"unknown section":      append(append([]byte(nil), good...), 77, 0),
		"unknown opcode":       code(0xff, opEnd),
		"vector instruction":   code(0xfd, 0x0c, opEnd),
		"tail call":            code(0x12, 0, opEnd),
		"typed select":         code(i32(1), i32(1), i32(1), 0x1c, 1, typeI32, opDrop, opEnd),
		"no end":               code(opLoop, blockEmpty, opEnd),
		"code after the end":   code(opEnd, 0x01),
		"label too far":        code(opBr, 1, opEnd),
		"table label too far":  code(i32(0), opBrTable, 1, 0, 5, opEnd),
		"function of nowhere":  code(opCall, 9, opEnd),
		"the charge function":  code(i32(1), opCall, 1, opEnd),
		"the gas counter":      code(opGlobalGet, 1, opDrop, opEnd),
		"the stack counter":    code(i32(0), opGlobalSet, 0, opEnd),
		"local of nowhere":     code(opLocalGet, 0, opDrop, opEnd),
		"type of nowhere":      code(i32(0), opCallIndirect, 9, 0, opEnd),
		"block of many values": code(opBlock, 0, opEnd, opEnd),
		"stack underflow":      code(opDrop, opDrop, opDrop, opEnd),
		"negative size":        code(i32(0), i32(0), i32(-1), opPrefix, 11, 0, opEnd),
		"number too long":      code(opBr, 0x80, 0x80, 0x80, 0x80, 0x80, 0, opEnd),
		"constant too big":     code(opI32Const, 0xff, 0xff, 0xff, 0xff, 0x4f, opDrop, opEnd),
	} {
		if _, err := Instrument(wasm); !errors.Is(err, ErrModule) {
			t.Errorf("%s: error %v, want ErrModule", name, err)
		}
	}
	taken := assembleTest(false, nil, fn{export: CounterExport, code: cat(opEnd)})
	if _, err := Instrument(taken); !errors.Is(err, ErrModule) {
		t.Errorf("the counter's name taken: error %v, want ErrModule", err)
	}
	out, err := Instrument(good)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Instrument(out); !errors.Is(err, ErrModule) {
		t.Errorf("instrumented twice: error %v, want ErrModule", err)
	}
}

func TestInspect(t *testing.T) {
	info, err := Inspect(assembleTest(false, []uint32{0, 0, 0}, addOne))
	if err != nil {
		t.Fatal(err)
	}
	if info != (ModuleInfo{MemoryBytes: 65536}) {
		t.Errorf("got %+v, want a page of memory and no exported table", info)
	}
	if _, err := Inspect(wasmHeader); !errors.Is(err, ErrModule) {
		t.Errorf("a module without memory: error %v, want ErrModule", err)
	}
}
