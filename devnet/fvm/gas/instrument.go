package gas

import (
	"fmt"
	"slices"
	"strings"
)

// CounterExport is the name under which an instrumented module exports its gas counter, a mutable i64 of milligas left. Set it from
// [Tracker.Counter] before the module runs, read it for [Tracker.ChargeExec] in every system call and at the end. When gas runs out
// the module traps (unreachable) and the counter is negative; a trap with a counter of zero or more has another cause.
const CounterExport = "gas_counter"

// ModuleInfo is what a module takes before it executes anything, for [Prices.OnInit].
type ModuleInfo struct {
	// MemoryBytes is the initial size of the memory exported as "memory".
	MemoryBytes uint64
	// TableElements is the initial size of the table exported as "table", TableExported whether there is one: ref-fvm charges for no other.
	TableElements uint64
	TableExported bool
}

// InstrumentVersion names what [Instrument] makes of a module, for those who keep it. It rises with every change of the result.
const InstrumentVersion = 1

// Inspect reads what a module takes from the start. A module must export its memory; the error wraps [ErrModule].
func Inspect(wasm []byte) (ModuleInfo, error) {
	m, err := parseModule(wasm)
	if err != nil {
		return ModuleInfo{}, err
	}
	var info ModuleInfo
	found := false
	for _, e := range m.exports {
		switch {
		case e.name == "memory" && e.kind == kindMemory:
			info.MemoryBytes, found = uint64(m.mems[e.index])*wasmPageSize, true
		case e.name == "table" && e.kind == kindTable:
			info.TableElements, info.TableExported = uint64(m.tables[e.index]), true
		}
	}
	if !found {
		return ModuleInfo{}, fmt.Errorf("%w: it exports no memory", ErrModule)
	}
	return info, nil
}

// Instrument rewrites a module so that it pays for what it executes, and traps when its stack grows beyond ref-fvm's limit. It does to
// the module what ref-fvm does (crate fvm-wasm-instrument: first src/stack_limiter, then src/gas_metering), so the milligas taken are
// the same; other than there the counter is not imported but a global of the module, exported as [CounterExport]. Prices of instructions
// are the same in all network versions. Debugging sections, whose offsets would be wrong, are dropped.
//
// The types of the code are not checked here but when the result is compiled. The error wraps [ErrModule].
func Instrument(wasm []byte) ([]byte, error) {
	m, err := parseModule(wasm)
	if err != nil {
		return nil, err
	}
	rw := &rewriter{module: m, limiter: newLimiter(uint32(m.importedFuncs), m.globals)}
	if err := rw.measure(); err != nil {
		return nil, err
	}
	rw.replaceEntries()
	if rw.chargeFunc = uint32(len(m.funcs) + len(rw.thunks)); m.chargeType < 0 {
		m.chargeType = len(m.types)
		rw.newType = true
	}
	if err := rw.rewriteCode(); err != nil {
		return nil, err
	}
	return rw.assemble(), nil
}

// rewriter holds what is made of a module. New functions are the thunks and then the charge function, new globals the stack's height
// and then the gas counter.
type rewriter struct {
	*module
	limiter
	thunks     []uint32 // the functions that they call, rising
	chargeFunc uint32
	newType    bool
	code       [][]byte
	// scratch and limited hold the instructions of one function at a time.
	scratch, limited []instr
}

// measure finds the stack costs.
func (w *rewriter) measure() error {
	for place := range w.bodies {
		b, err := w.parse(place)
		if err != nil {
			return err
		}
		cost, err := w.stackCost(place, b)
		if err != nil {
			return fmt.Errorf("function %d: %w", w.importedFuncs+place, err)
		}
		w.costs = append(w.costs, constI32(int32(cost)))
	}
	return nil
}

// parse reads a body into the scratch space, where it stays until the next.
func (w *rewriter) parse(place int) (*body, error) {
	b, err := w.parseBody(place, w.scratch)
	if err != nil {
		return nil, fmt.Errorf("function %d: %w", w.importedFuncs+place, err)
	}
	w.scratch = b.code
	return b, nil
}

// replaceEntries finds the functions that are called from outside or through tables, and puts thunks in their places.
func (w *rewriter) replaceEntries() {
	entry := func(f uint32) {
		if f >= w.imported {
			w.thunks = append(w.thunks, f)
		}
	}
	for _, e := range w.exports {
		if e.kind == kindFunc {
			entry(e.index)
		}
	}
	for _, s := range w.segments {
		for _, f := range s.funcs {
			entry(f)
		}
	}
	if w.start >= 0 {
		entry(uint32(w.start))
	}
	slices.Sort(w.thunks)
	w.thunks = slices.Compact(w.thunks)
}

// thunkOf is the function that stands for f in exports and tables.
func (w *rewriter) thunkOf(f uint32) uint32 {
	if i, ok := slices.BinarySearch(w.thunks, f); ok {
		return uint32(len(w.funcs) + i)
	}
	return f
}

func (w *rewriter) rewriteCode() error {
	for place := range w.bodies {
		b, err := w.parse(place)
		if err != nil {
			return err
		}
		w.limited = w.limit(w.limited[:0], b.code)
		if err := w.emitBody(b, w.limited); err != nil {
			return fmt.Errorf("function %d: %w", w.importedFuncs+place, err)
		}
	}
	for _, f := range w.thunks {
		params := w.types[w.funcs[f]].params
		w.limited = w.thunk(w.limited[:0], f, params)
		if err := w.emitBody(&body{params: params}, w.limited); err != nil {
			return fmt.Errorf("entry of function %d: %w", f, err)
		}
	}
	w.code = append(w.code, chargeBody(w.globals+1))
	return nil
}

func (w *rewriter) emitBody(b *body, code []instr) error {
	spare := uint32(b.params) + b.locals
	out, usesSpare, err := emit(make([]byte, 0, 4*len(code)), code, w.chargeFunc, spare)
	if err != nil {
		return err
	}
	groups, extra := b.groups, []byte(nil)
	if usesSpare {
		groups, extra = groups+1, []byte{1, typeI32}
	}
	head := append(append(appendU32(nil, groups), b.localsRaw...), extra...)
	w.code = append(w.code, append(head, out...))
	return nil
}

// chargeBody takes its argument from the counter and traps when that is negative then.
func chargeBody(counter uint32) []byte {
	var b []byte
	get := func(op byte) { b = appendU32(append(b, op), counter) }
	b = append(b, 0) // no locals
	get(opGlobalGet)
	b = append(b, opLocalGet, 0, opI64Sub)
	get(opGlobalSet)
	get(opGlobalGet)
	return append(b, opI64Const, 0, opI64LtS, opIf, blockEmpty, opUnreachable, opEnd, opEnd)
}

// assemble writes the module: sections in their order, those that were missing where they belong.
func (w *rewriter) assemble() []byte {
	out := append([]byte(nil), wasmHeader...)
	missing := map[byte]bool{secType: w.newType, secFunction: true, secGlobal: true, secExport: true, secCode: true}
	for _, s := range w.sections {
		delete(missing, s.id)
	}
	add := func(below int) {
		for _, id := range []byte{secType, secFunction, secGlobal, secExport, secCode} {
			if missing[id] && sectionRank[id] < below {
				out = appendSection(out, id, w.sectionBody(section{id: id}))
				delete(missing, id)
			}
		}
	}
	for _, s := range w.sections {
		if s.id == secCustom {
			r := &reader{b: s.body}
			if name := r.name(); r.err != nil || strings.HasPrefix(name, ".debug") || strings.HasPrefix(name, "reloc") || name == "linking" {
				continue
			}
		} else {
			add(sectionRank[s.id])
		}
		out = appendSection(out, s.id, w.sectionBody(s))
	}
	add(len(sectionRank) + 1)
	return out
}

func appendSection(out []byte, id byte, body []byte) []byte {
	out = appendU32(append(out, id), uint32(len(body)))
	return append(out, body...)
}

// sectionBody is the section with what was added or replaced.
func (w *rewriter) sectionBody(s section) []byte {
	more := func(n int) []byte { return append(appendU32(nil, s.count+uint32(n)), s.items...) }
	switch s.id {
	case secType:
		if w.newType {
			return append(more(1), 0x60, 1, typeI64, 0)
		}
	case secFunction:
		b := more(len(w.thunks) + 1)
		for _, f := range w.thunks {
			b = appendU32(b, w.funcs[f])
		}
		return appendU32(b, uint32(w.chargeType))
	case secGlobal:
		return append(more(2), typeI32, 1, opI32Const, 0, opEnd, typeI64, 1, opI64Const, 0, opEnd)
	case secExport:
		b := appendU32(nil, uint32(len(w.exports)+1))
		for _, e := range append(slices.Clone(w.exports), export{CounterExport, kindGlobal, w.globals + 1}) {
			if e.kind == kindFunc {
				e.index = w.thunkOf(e.index)
			}
			b = append(appendU32(b, uint32(len(e.name))), e.name...)
			b = appendU32(append(b, e.kind), e.index)
		}
		return b
	case secStart:
		return appendU32(nil, w.thunkOf(uint32(w.start)))
	case secElement:
		b := appendU32(nil, uint32(len(w.segments)))
		for _, g := range w.segments {
			if g.funcs == nil {
				b = append(b, g.raw...)
				continue
			}
			b = appendU32(append(b, g.head...), uint32(len(g.funcs)))
			for _, f := range g.funcs {
				b = appendU32(b, w.thunkOf(f))
			}
		}
		return b
	case secCode:
		b := appendU32(nil, uint32(len(w.code)))
		for _, c := range w.code {
			b = append(appendU32(b, uint32(len(c))), c...)
		}
		return b
	}
	return s.body
}
