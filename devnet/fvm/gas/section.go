package gas

import "fmt"

// Identifiers of sections.
const (
	secCustom   = 0
	secType     = 1
	secImport   = 2
	secFunction = 3
	secTable    = 4
	secMemory   = 5
	secGlobal   = 6
	secExport   = 7
	secStart    = 8
	secElement  = 9
	secCode     = 10
	secData     = 11
	secCount    = 12
)

// sectionRank is the place of each section in a module; the count of data segments comes before the code.
var sectionRank = [13]int{secType: 1, secImport: 2, secFunction: 3, secTable: 4, secMemory: 5, secGlobal: 6, secExport: 7, secStart: 8,
	secElement: 9, secCount: 10, secCode: 11, secData: 12}

// Kinds of imports and exports.
const (
	kindFunc   = 0
	kindTable  = 1
	kindMemory = 2
	kindGlobal = 3
)

var wasmHeader = []byte("\x00asm\x01\x00\x00\x00")

type funcType struct{ params, results int }

// section is a section as it was read; for vectors count and items are apart, so that elements can be appended.
type section struct {
	id    byte
	body  []byte
	count uint32
	items []byte
}

type export struct {
	name  string
	kind  byte
	index uint32
}

// segment is an element segment of functions: what comes before their vector, and the vector. One of expressions is only raw.
type segment struct {
	head  []byte
	funcs []uint32
	raw   []byte
}

// module is what the rewriting knows of a module. Index spaces count imports first.
type module struct {
	sections []section
	types    []funcType
	// chargeType is the index of the type (i64) → (), or -1.
	chargeType      int
	funcs           []uint32
	importedFuncs   int
	globals         uint32
	importedGlobals uint32
	tables, mems    []uint32 // initial sizes
	exports         []export
	segments        []segment
	start           int64 // function, or -1
	bodies          [][]byte
}

// parseModule reads all that has to be known before function bodies are rewritten.
func parseModule(wasm []byte) (*module, error) {
	if len(wasm) < len(wasmHeader) || string(wasm[:len(wasmHeader)]) != string(wasmHeader) {
		return nil, fmt.Errorf("%w: it does not begin as one of version 1", ErrModule)
	}
	m := &module{chargeType: -1, start: -1}
	r := &reader{b: wasm, pos: len(wasmHeader)}
	last := 0
	for !r.done() {
		s := section{id: r.byte()}
		s.body = r.bytes(r.u32())
		if r.err != nil {
			break
		}
		if s.id != secCustom {
			if int(s.id) >= len(sectionRank) || sectionRank[s.id] <= last {
				r.fail("section %d is unknown, doubled or out of order", s.id)
				break
			}
			last = sectionRank[s.id]
		}
		if err := m.read(&s); err != nil {
			return nil, err
		}
		m.sections = append(m.sections, s)
	}
	if r.err != nil {
		return nil, r.err
	}
	if len(m.bodies) != len(m.funcs)-m.importedFuncs {
		return nil, fmt.Errorf("%w: %d functions but %d bodies", ErrModule, len(m.funcs)-m.importedFuncs, len(m.bodies))
	}
	return m, nil
}

func (m *module) read(s *section) error {
	r := &reader{b: s.body}
	switch s.id {
	case secCustom:
		return nil
	case secCount:
		r.u32()
	case secStart:
		f := r.u32()
		m.start = int64(f)
		m.checkFunc(r, f)
	default:
		n := r.count()
		s.count, s.items = uint32(n), s.body[min(r.pos, len(s.body)):]
		item := m.itemReader(s.id)
		for i := 0; i < n && r.err == nil; i++ {
			item(r)
		}
	}
	if r.err == nil && r.rest() != 0 {
		r.fail("bytes left over")
	}
	if r.err != nil {
		return fmt.Errorf("section %d: %w", s.id, r.err)
	}
	return nil
}

func (m *module) itemReader(id byte) func(*reader) {
	switch id {
	case secType:
		return m.readType
	case secImport:
		return m.readImport
	case secFunction:
		return m.readFunction
	case secTable:
		return m.readTable
	case secMemory:
		return m.readMemory
	case secGlobal:
		return m.readGlobal
	case secExport:
		return m.readExport
	case secElement:
		return m.readSegment
	case secCode:
		return func(r *reader) { m.bodies = append(m.bodies, r.bytes(r.u32())) }
	default:
		return m.readData
	}
}

func (m *module) readType(r *reader) {
	if form := r.byte(); r.err == nil && form != 0x60 {
		r.fail("type form %#x, only functions have types", form)
	}
	params := r.bytes(uint32(r.count()))
	results := r.bytes(uint32(r.count()))
	if len(results) > 1 {
		r.fail("a function with %d results; ref-fvm does not allow several", len(results))
	}
	if len(params) == 1 && params[0] == typeI64 && len(results) == 0 && m.chargeType < 0 {
		m.chargeType = len(m.types)
	}
	m.types = append(m.types, funcType{len(params), len(results)})
}

func (m *module) readImport(r *reader) {
	r.name()
	r.name()
	switch kind := r.byte(); kind {
	case kindFunc:
		m.readFunction(r)
		m.importedFuncs++
	case kindTable:
		m.readTable(r)
	case kindMemory:
		m.readMemory(r)
	case kindGlobal:
		r.bytes(2)
		m.globals++
		m.importedGlobals++
	default:
		r.fail("an import of kind %d", kind)
	}
}

func (m *module) readFunction(r *reader) {
	t := r.u32()
	if r.err == nil && uint64(t) >= uint64(len(m.types)) {
		r.fail("function of type %d, there are %d", t, len(m.types))
	}
	m.funcs = append(m.funcs, t)
}

func (m *module) readTable(r *reader) {
	r.byte()
	m.tables = append(m.tables, limits(r))
}

func (m *module) readMemory(r *reader) { m.mems = append(m.mems, limits(r)) }

// limits gives the initial size.
func limits(r *reader) uint32 {
	flags := r.byte()
	if flags > 1 {
		r.fail("limits with flags %#x; shared and 64-bit memories are not supported", flags)
	}
	n := r.u32()
	if flags == 1 {
		r.u32()
	}
	return n
}

func (m *module) readGlobal(r *reader) {
	r.bytes(2)
	m.constExpr(r)
	m.globals++
}

func (m *module) readExport(r *reader) {
	e := export{name: r.name(), kind: r.byte(), index: r.u32()}
	if e.name == CounterExport {
		r.fail("it exports %q itself", CounterExport)
	}
	switch {
	case e.kind == kindFunc:
		m.checkFunc(r, e.index)
	case e.kind == kindTable && uint64(e.index) >= uint64(len(m.tables)),
		e.kind == kindMemory && uint64(e.index) >= uint64(len(m.mems)),
		e.kind == kindGlobal && e.index >= m.globals, e.kind > kindGlobal:
		r.fail("export %q of kind %d and index %d does not exist", e.name, e.kind, e.index)
	}
	m.exports = append(m.exports, e)
}

func (m *module) checkFunc(r *reader, f uint32) {
	if r.err == nil && uint64(f) >= uint64(len(m.funcs)) {
		r.fail("function %d, there are %d", f, len(m.funcs))
	}
}

// readSegment reads an element segment. Bit 0 of its flags: not active; bit 1: with a table's index, or declared; bit 2: expressions.
func (m *module) readSegment(r *reader) {
	begin := r.pos
	flags := r.u32()
	if flags > 7 {
		r.fail("an element segment with flags %#x", flags)
		return
	}
	if flags&1 == 0 {
		if flags&2 != 0 {
			r.u32()
		}
		m.constExpr(r)
	}
	if flags&3 != 0 {
		r.byte() // kind or type of its elements
	}
	s := segment{head: r.b[begin:r.pos]}
	n := r.count()
	for i := 0; i < n && r.err == nil; i++ {
		if flags&4 != 0 {
			r.fail("an element segment of expressions; ref-fvm does not allow them")
			break
		}
		f := r.u32()
		m.checkFunc(r, f)
		s.funcs = append(s.funcs, f)
	}
	s.raw = r.b[begin:r.pos]
	m.segments = append(m.segments, s)
}

// readData reads a data segment; where it is active ref-fvm wants its offset to be a constant.
func (m *module) readData(r *reader) {
	flags := r.u32()
	if flags > 2 {
		r.fail("a data segment with flags %#x", flags)
		return
	}
	if flags == 2 {
		r.u32()
	}
	if flags != 1 {
		if op := r.byte(); op != opI32Const {
			r.fail("a data segment whose offset is not a constant")
		}
		r.signed(32)
		if end := r.byte(); end != opEnd {
			r.fail("a data segment whose offset is not a constant")
		}
	}
	r.bytes(r.u32())
}

// constExpr skips an initial value; what it refers to must exist in the original.
func (m *module) constExpr(r *reader) {
	switch op := r.byte(); op {
	case opI32Const:
		r.signed(32)
	case opI64Const:
		r.signed(64)
	case opF32Const:
		r.bytes(4)
	case opF64Const:
		r.bytes(8)
	case opGlobalGet:
		if g := r.u32(); r.err == nil && g >= m.importedGlobals {
			r.fail("an initial value from global %d, %d are imported", g, m.importedGlobals)
		}
	case 0xd0: // ref.null
		r.byte()
	case 0xd2: // ref.func
		m.checkFunc(r, r.u32())
	default:
		r.fail("an initial value by opcode %#x", op)
	}
	if end := r.byte(); r.err == nil && end != opEnd {
		r.fail("an initial value of several instructions")
	}
}
