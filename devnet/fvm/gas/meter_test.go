package gas

import (
	"fmt"
	"strings"
	"testing"
)

// script writes code as words: get, drop, block, loop, if, else, end, return, unreachable, const:N, br:N, br_if:N, table:N,M,…(last is the
// default), grow.
func script(t *testing.T, s string) []instr {
	t.Helper()
	names := map[string]uint16{"get": opGlobalGet, "drop": opDrop, "block": opBlock, "loop": opLoop, "if": opIf, "else": opElse, "end": opEnd,
		"return": opReturn, "unreachable": opUnreachable, "const": opI32Const, "br": opBr, "br_if": opBrIf, "table": opBrTable, "grow": opMemoryGrow}
	var out []instr
	for _, word := range strings.Fields(s) {
		name, arg, _ := strings.Cut(word, ":")
		op, ok := names[name]
		if !ok {
			t.Fatalf("no word %q", name)
		}
		in := instr{op: op}
		var args []uint32
		for _, a := range strings.Split(arg, ",") {
			var n int32
			if a != "" {
				if _, err := fmt.Sscan(a, &n); err != nil {
					t.Fatal(err)
				}
				args = append(args, uint32(n))
			}
		}
		if len(args) > 0 {
			in.arg, in.targets = args[len(args)-1], args[:len(args)-1]
		}
		out = append(out, in)
	}
	return out
}

// The programs are those of fvm-wasm-instrument's own tests (src/gas_metering/mod.rs); the expected blocks are its, in paid
// instructions by the FVM's rules: "start:instructions".
func TestMeteredBlocks(t *testing.T) {
	for _, c := range []struct{ name, code, want string }{
		{"simple", "get end", "0:1"},
		{"nested", "get block get get get end get end", "0:5"},
		{"ifelse", "get if get get get else get get end get end", "0:3 2:3 6:2"},
		{"branch innermost", "get block get drop br:0 get drop end get end", "0:4 5:1"},
		{"branch outer block", "get block get if get get drop br_if:1 end get drop end get end", "0:4 4:3 9:1"},
		{"branch outer loop", "get loop get if get br_if:0 else get get drop br_if:1 end get drop end get end", "0:2 2:3 4:2 7:3"},
		{"return from function", "get if return end get end", "0:2 4:1"},
		{"branch from if not else", "get block get if br:1 else br:0 end get drop end get end", "0:4 4:1 6:1 8:1"},
		{"empty loop", "loop br:0 end unreachable end", "1:1"},
		// A default target does not split the block around, another target does.
		{"table by default", "block block get table:1 end get end get end", "0:4"},
		{"table by target", "block block get table:1,0 end get end get end", "0:3 5:1"},
	} {
		blocks, dynamic, err := meterCode(script(t, c.code))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for _, b := range blocks {
			got = append(got, fmt.Sprintf("%d:%g", b.start, float64(b.cost)/4000))
		}
		if g := strings.Join(got, " "); g != c.want || len(dynamic) != 0 {
			t.Errorf("%s: blocks %s (dynamic %v), want %s", c.name, g, dynamic, c.want)
		}
	}
}

func TestConstantBeforeASizedInstruction(t *testing.T) {
	blocks, dynamic, err := meterCode(script(t, "const:3 grow drop end"))
	if err != nil || len(dynamic) != 0 || len(blocks) != 1 || blocks[0].cost != 2*4000+3*65536*400 {
		t.Errorf("blocks %v, dynamic %v, error %v; want the pages in the block's price", blocks, dynamic, err)
	}
	blocks, dynamic, err = meterCode(script(t, "const:3 get grow drop end"))
	if err != nil || len(dynamic) != 1 || dynamic[0] != 2 || blocks[0].cost != 3*4000 {
		t.Errorf("blocks %v, dynamic %v, error %v; want a charge at instruction 2", blocks, dynamic, err)
	}
	if _, _, err = meterCode(script(t, "const:-3 grow drop end")); err == nil {
		t.Error("growing by a negative constant is accepted")
	}
}
