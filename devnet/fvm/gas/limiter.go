package gas

import (
	"fmt"
	"math"
)

// maxStack is the height of the stack, in values, beyond which a module traps (ref-fvm: fvm/src/machine/mod.rs, max_wasm_stack). Every
// call adds the callee's cost to a counter before and takes it off after; those instructions are paid like all others, so gas could not
// equal ref-fvm's without them (crate fvm-wasm-instrument: src/stack_limiter).
const maxStack = 2048

// frameCost is what a call takes of the stack whatever the function does (src/stack_limiter/max_height.rs, ACTIVATION_FRAME_COST).
const frameCost = 2

// frame is a block in the walk over a function.
type frame struct {
	unreachable           bool
	endArity, branchArity uint32
	start                 uint32
}

// heights walks over a function and follows the height of its stack, as src/stack_limiter/max_height.rs does, peculiarities included:
// code that cannot be reached may take from below its block, and a branch on a table does not take its index.
type heights struct {
	m      *module
	frames []frame
	height uint32
	err    error
}

func (h *heights) fail(format string, args ...any) {
	if h.err == nil {
		h.err = fmt.Errorf("%w: %s", ErrModule, fmt.Sprintf(format, args...))
	}
}

func (h *heights) top() *frame { return &h.frames[len(h.frames)-1] }

func (h *heights) push(n uint32) {
	if h.height > math.MaxInt32-n {
		h.fail("a stack too high to count")
		return
	}
	h.height += n
}

func (h *heights) pop(n uint32) {
	if n == 0 {
		return
	}
	if f := h.top(); h.height == f.start {
		if !f.unreachable {
			h.fail("more values taken from the stack than put there")
		}
		return
	}
	if n > h.height {
		h.fail("more values taken from the stack than put there")
		return
	}
	h.height -= n
}

// stackCost is what a call of the defined function adds to the counter: its runs of locals (src/stack_limiter/mod.rs counts runs, not
// locals) and the greatest height of its stack.
func (m *module) stackCost(place int, b *body) (uint32, error) {
	t := m.types[m.funcs[m.importedFuncs+place]]
	arity := uint32(t.results)
	h := &heights{m: m, height: frameCost, frames: []frame{{endArity: arity, branchArity: arity}}}
	var highest uint32
	for i := range b.code {
		if h.height > highest && !h.top().unreachable {
			highest = h.height
		}
		h.step(&b.code[i], arity)
		if h.err != nil {
			return 0, h.err
		}
	}
	return b.groups + highest, nil
}

func (h *heights) step(in *instr, arity uint32) {
	switch in.op {
	case opBlock, opLoop, opIf:
		h.open(in)
	case opElse:
	case opEnd:
		f := *h.top()
		h.frames = h.frames[:len(h.frames)-1]
		h.height = f.start
		h.push(f.endArity)
	case opUnreachable:
		h.top().unreachable = true
	case opBr:
		h.pop(h.label(in.arg).branchArity)
		h.top().unreachable = true
	case opBrIf:
		n := h.label(in.arg).branchArity
		h.pop(n)
		h.pop(1)
		h.push(n)
	case opBrTable:
		n := h.label(in.arg).branchArity
		for _, t := range in.targets {
			if h.label(t).branchArity != n {
				h.fail("a branch table whose targets take different numbers of values")
				return
			}
		}
		h.pop(n)
		h.top().unreachable = true
	case opReturn:
		h.pop(arity)
		h.top().unreachable = true
	case opCall:
		h.call(h.m.types[h.m.funcs[in.arg]])
	case opCallIndirect:
		h.pop(1)
		h.call(h.m.types[in.arg])
	case opSelect:
		h.pop(2)
		h.pop(1)
		h.push(1)
	default:
		info := infoOf(in.op)
		h.pop(uint32(info.pops))
		h.push(uint32(info.pushs))
	}
}

func (h *heights) open(in *instr) {
	var f frame
	if in.arg != blockEmpty {
		f.endArity = 1
	}
	if in.op != opLoop {
		f.branchArity = f.endArity
	}
	if in.op == opIf {
		h.pop(1)
	}
	f.start = h.height
	h.frames = append(h.frames, f)
}

// label is the frame that a label names; parseBody made sure that it is there.
func (h *heights) label(n uint32) *frame { return &h.frames[len(h.frames)-1-int(n)] }

func (h *heights) call(t funcType) {
	h.pop(uint32(t.params))
	h.push(uint32(t.results))
}

// limiter inserts the counting of the stack's height around calls.
type limiter struct {
	imported uint32
	// costs are the constants of defined functions' stack costs.
	costs []instr
	// before and after a call: what comes with the cost's constant left out of its place.
	get, set, add, sub instr
	check              []instr
}

// newLimiter counts in the global with that index, for functions after the imported ones.
func newLimiter(imported, global uint32) limiter {
	get := indexed(opGlobalGet, global)
	return limiter{
		imported: imported, get: get, set: indexed(opGlobalSet, global), add: plain(opI32Add), sub: plain(opI32Sub),
		check: []instr{get, constI32(maxStack), plain(opI32GtU), ifEmpty(), plain(opUnreachable), plain(opEnd)},
	}
}

// around is the call with what comes before and after it (src/stack_limiter/mod.rs, instrument_call).
func (l *limiter) around(out []instr, f uint32, call instr) []instr {
	cost := l.costs[f-l.imported]
	out = append(out, l.get, cost, l.add, l.set)
	out = append(out, l.check...)
	return append(out, call, l.get, cost, l.sub, l.set)
}

// limit appends the code with every call of a defined function surrounded.
func (l *limiter) limit(out, code []instr) []instr {
	for _, in := range code {
		if in.op == opCall && in.arg >= l.imported {
			out = l.around(out, in.arg, in)
		} else {
			out = append(out, in)
		}
	}
	return out
}

// thunk calls a function that the host, the start section or a table calls, and counts the stack's height for it.
func (l *limiter) thunk(out []instr, f uint32, params int) []instr {
	for i := range params {
		out = append(out, indexed(opLocalGet, uint32(i)))
	}
	return append(l.around(out, f, indexed(opCall, f)), plain(opEnd))
}
