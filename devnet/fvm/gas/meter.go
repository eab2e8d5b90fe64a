package gas

import (
	"fmt"
	"sort"
)

// This file finds the metered blocks of a function: runs of instructions of which, unless there is a trap, all or none are executed. Each
// is paid at its start. Which instructions make a block is consensus, so this follows crate fvm-wasm-instrument, src/gas_metering/mod.rs,
// to the letter; what looks odd in it is marked.

// meteredBlock begins at an instruction and costs what its instructions cost, in milligas.
type meteredBlock struct {
	start int
	cost  uint64
}

// controlBlock is a function's body, block, loop or if.
type controlBlock struct {
	// lowest is the outermost block that is not a loop and that a branch within this one goes to; itself when there is none.
	lowest int
	active meteredBlock
	loop   bool
}

type meter struct {
	stack     []controlBlock
	finished  []meteredBlock
	dynamic   []int // instructions that pay for the number on top of the stack
	lastConst int64 // constant of the instruction before, or -1<<63
}

const noConst = -1 << 63

// meterCode finds the blocks of code, sorted by start, and the instructions with a price known only when they are executed.
func meterCode(code []instr) ([]meteredBlock, []int, error) {
	m := &meter{lastConst: noConst}
	m.begin(0, false)
	for at := range code {
		if err := m.step(at, &code[at]); err != nil {
			return nil, nil, err
		}
	}
	sort.Slice(m.finished, func(i, j int) bool { return m.finished[i].start < m.finished[j].start })
	for i := 1; i < len(m.finished); i++ {
		if m.finished[i].start == m.finished[i-1].start {
			return nil, nil, fmt.Errorf("%w: two metered blocks begin at instruction %d", ErrModule, m.finished[i].start)
		}
	}
	return m.finished, m.dynamic, nil
}

func (m *meter) step(at int, in *instr) error {
	cost, err := m.cost(at, in)
	if err != nil {
		return err
	}
	m.lastConst = noConst
	top := func() *controlBlock { return &m.stack[len(m.stack)-1] }
	switch in.op {
	case opEnd:
		m.end(at)
		return nil
	case opElse:
		m.finish(at)
		return nil
	}
	top().active.cost += cost
	switch in.op {
	case opBlock:
		// It goes on in the metered block around it: the same start tells that they are merged.
		m.begin(top().active.start, false)
	case opIf, opLoop:
		m.begin(at+1, in.op == opLoop)
	case opBr, opBrIf:
		m.branch(at, in.arg)
	case opBrTable:
		// The default target is left out, as there.
		m.branch(at, in.targets...)
	case opReturn:
		m.branch(at, uint32(len(m.stack)-1))
	case opI32Const:
		m.lastConst = int64(int32(in.arg))
	}
	return nil
}

// cost is the price known before execution: for an instruction paid by size the price of the constant before it, if there is one.
func (m *meter) cost(at int, in *instr) (uint64, error) {
	info := infoOf(in.op)
	cost := info.base()
	if info.unit == 0 {
		return cost, nil
	}
	switch {
	case m.lastConst == noConst:
		m.dynamic = append(m.dynamic, at)
	case m.lastConst < 0:
		return 0, fmt.Errorf("%w: opcode %#x of a negative size", ErrModule, in.op)
	default:
		cost += uint64(m.lastConst) * uint64(info.unit)
	}
	return cost, nil
}

func (m *meter) begin(start int, loop bool) {
	m.stack = append(m.stack, controlBlock{lowest: len(m.stack), active: meteredBlock{start: start}, loop: loop})
}

// end closes the innermost block at the instruction.
func (m *meter) end(at int) {
	m.finish(at)
	index := len(m.stack) - 1
	closed := m.stack[index]
	m.stack = m.stack[:index]
	if index == 0 {
		return
	}
	outer := &m.stack[index-1]
	outer.lowest = min(outer.lowest, closed.lowest)
	if closed.lowest < index {
		m.finish(at)
	}
}

// finish ends the active metered block of the innermost block; the next one begins after the instruction. A block that shares its start
// with the one around it adds its cost there instead.
func (m *meter) finish(at int) {
	index := len(m.stack) - 1
	done := m.stack[index].active
	m.stack[index].active = meteredBlock{start: at + 1}
	if index > 0 {
		if outer := &m.stack[index-1].active; outer.start == done.start {
			outer.cost += done.cost
			return
		}
	}
	if done.cost > 0 {
		m.finished = append(m.finished, done)
	}
}

// branch ends the metered block at a branch to the labels.
func (m *meter) branch(at int, labels ...uint32) {
	m.finish(at)
	last := len(m.stack) - 1
	for _, label := range labels {
		if target := last - int(label); !m.stack[target].loop {
			m.stack[last].lowest = min(m.stack[last].lowest, target)
		}
	}
}

// emit writes the code with its charges. charge is the function that takes a number of milligas; spare is a local of type i32 that the
// code does not use.
func emit(out []byte, code []instr, charge, spare uint32) (_ []byte, usesSpare bool, err error) {
	blocks, dynamic, err := meterCode(code)
	if err != nil {
		return nil, false, err
	}
	usesSpare = len(dynamic) > 0
	for at := range code {
		if len(blocks) > 0 && blocks[0].start == at {
			out = appendSigned(append(out, opI64Const), int64(blocks[0].cost))
			out = appendU32(append(out, opCall), charge)
			blocks = blocks[1:]
		}
		if len(dynamic) > 0 && dynamic[0] == at {
			// The number on top of the stack, taken as unsigned, times the price of a unit.
			out = appendU32(append(out, opLocalTee), spare)
			out = appendU32(append(out, opLocalGet), spare)
			out = append(out, opI64ExtendU, opI64Const)
			out = appendSigned(out, int64(infoOf(code[at].op).unit))
			out = appendU32(append(out, opI64Mul, opCall), charge)
			dynamic = dynamic[1:]
		}
		out = append(out, code[at].raw...)
	}
	if len(blocks) != 0 {
		return nil, false, fmt.Errorf("%w: a metered block begins after the code", ErrModule)
	}
	return out, usesSpare, nil
}
