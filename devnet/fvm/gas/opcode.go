package gas

// Opcodes that the rewriting treats by name; those after the prefix 0xfc have it as their high byte.
const (
	opUnreachable  = 0x00
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opDrop         = 0x1a
	opSelect       = 0x1b
	opLocalGet     = 0x20
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32GtU       = 0x4b
	opI64LtS       = 0x53
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI64Sub       = 0x7d
	opI64Mul       = 0x7e
	opI64ExtendU   = 0xad
	opPrefix       = 0xfc
	opMemoryInit   = 0xfc08
	opMemoryCopy   = 0xfc0a
	opMemoryFill   = 0xfc0b
	opTableInit    = 0xfc0c
	opTableCopy    = 0xfc0e
	opTableGrow    = 0xfc0f
	opTableFill    = 0xfc11
	opMemoryGrow   = 0x40
	blockEmpty     = 0x40
	typeI32        = 0x7f
	typeI64        = 0x7e
)

// immediate is what follows an opcode.
type immediate byte

const (
	immUnsupported immediate = iota
	immNone
	immBlock    // block type
	immLabel    // label
	immTable    // branch table
	immFunc     // function
	immIndirect // type and table
	immLocal    // local
	immGlobal   // global
	immMemory   // alignment and offset
	immIndex    // one index of another space
	immIndices  // two indices of other spaces
	immI32
	immI64
	immF32
	immF64
)

// opInfo is what is known of an opcode: what it pops and pushes besides control flow and calls, and its price: instructionDefault when
// paid is set, and for each unit of the number on top of the stack unit milligas (ref-fvm: fvm/src/gas/price_list.rs, the
// implementation of Rules for WasmGasPrices).
type opInfo struct {
	imm         immediate
	pops, pushs uint8
	paid        bool
	unit        uint32
}

// base is the fixed part of the price.
func (o opInfo) base() uint64 {
	if o.paid {
		return uint64(instructionDefault)
	}
	return 0
}

var opcodes, prefixed = buildOpcodes()

func buildOpcodes() (one [256]opInfo, fc [18]opInfo) {
	set := func(from, to int, imm immediate, pops, pushs uint8, paid bool) {
		for i := from; i <= to; i++ {
			one[i] = opInfo{imm: imm, pops: pops, pushs: pushs, paid: paid}
		}
	}
	// Control flow, which FIP-0032 makes free but for the jumps. What it does to the stack is in limiter.go.
	set(0x00, 0x01, immNone, 0, 0, false) // unreachable, nop
	set(opBlock, opLoop, immBlock, 0, 0, false)
	set(opIf, opIf, immBlock, 0, 0, true)
	set(opElse, opElse, immNone, 0, 0, false)
	set(opEnd, opEnd, immNone, 0, 0, false)
	set(opBr, opBrIf, immLabel, 0, 0, true)
	set(opBrTable, opBrTable, immTable, 0, 0, true)
	set(opReturn, opReturn, immNone, 0, 0, false)
	set(opCall, opCall, immFunc, 0, 0, true)
	set(opCallIndirect, opCallIndirect, immIndirect, 0, 0, true)
	set(opDrop, opDrop, immNone, 1, 0, false)
	set(opSelect, opSelect, immNone, 3, 1, true)
	// Locals, globals, tables.
	set(opLocalGet, opLocalGet, immLocal, 0, 1, true)
	set(0x21, 0x21, immLocal, 1, 0, true)
	set(opLocalTee, opLocalTee, immLocal, 1, 1, true)
	set(opGlobalGet, opGlobalGet, immGlobal, 0, 1, true)
	set(opGlobalSet, opGlobalSet, immGlobal, 1, 0, true)
	set(0x25, 0x25, immIndex, 1, 1, true) // table.get
	set(0x26, 0x26, immIndex, 2, 0, true) // table.set
	// Memory.
	set(0x28, 0x35, immMemory, 1, 1, true) // loads
	set(0x36, 0x3e, immMemory, 2, 0, true) // stores
	set(0x3f, 0x3f, immIndex, 0, 1, true)  // memory.size
	set(opMemoryGrow, opMemoryGrow, immIndex, 1, 1, true)
	one[opMemoryGrow].unit = uint32(memoryFillScale) * wasmPageSize
	// Constants and arithmetic.
	set(opI32Const, opI32Const, immI32, 0, 1, true)
	set(opI64Const, opI64Const, immI64, 0, 1, true)
	set(opF32Const, opF32Const, immF32, 0, 1, true)
	set(opF64Const, opF64Const, immF64, 0, 1, true)
	set(0x45, 0x45, immNone, 1, 1, true) // i32.eqz
	set(0x46, 0x4f, immNone, 2, 1, true) // i32 comparisons
	set(0x50, 0x50, immNone, 1, 1, true) // i64.eqz
	set(0x51, 0x66, immNone, 2, 1, true) // i64, f32, f64 comparisons
	set(0x67, 0x69, immNone, 1, 1, true) // i32 clz, ctz, popcnt
	set(0x6a, 0x78, immNone, 2, 1, true)
	set(0x79, 0x7b, immNone, 1, 1, true) // i64 clz, ctz, popcnt
	set(0x7c, 0x8a, immNone, 2, 1, true)
	set(0x8b, 0x91, immNone, 1, 1, true) // f32 abs to sqrt
	set(0x92, 0x98, immNone, 2, 1, true)
	set(0x99, 0x9f, immNone, 1, 1, true) // f64 abs to sqrt
	set(0xa0, 0xa6, immNone, 2, 1, true)
	set(0xa7, 0xc4, immNone, 1, 1, true) // conversions, reinterpretations, sign extensions

	bulk := func(op int, imm immediate, pops, pushs uint8, unit Gas) {
		fc[op&0xff] = opInfo{imm: imm, pops: pops, pushs: pushs, paid: true, unit: uint32(unit)}
	}
	for op := 0xfc00; op <= 0xfc07; op++ {
		bulk(op, immNone, 1, 1, 0) // saturating truncations
	}
	bulk(opMemoryInit, immIndices, 3, 0, memoryCopyScale)
	bulk(0xfc09, immIndex, 0, 0, 0) // data.drop
	bulk(opMemoryCopy, immIndices, 3, 0, memoryCopyScale)
	bulk(opMemoryFill, immIndex, 3, 0, memoryFillScale)
	bulk(opTableInit, immIndices, 3, 0, memoryCopyScale*tableElementSize)
	bulk(0xfc0d, immIndex, 0, 0, 0) // elem.drop
	bulk(opTableCopy, immIndices, 3, 0, memoryCopyScale*tableElementSize)
	bulk(opTableGrow, immIndex, 2, 1, memoryFillScale*tableElementSize)
	bulk(0xfc10, immIndex, 0, 1, 0) // table.size
	bulk(opTableFill, immIndex, 3, 0, memoryFillScale*tableElementSize)
	return one, fc
}

// infoOf is what is known of an opcode, supported or not.
func infoOf(op uint16) opInfo {
	if op < 0x100 {
		return opcodes[op]
	}
	if int(op&0xff) < len(prefixed) && op>>8 == opPrefix {
		return prefixed[op&0xff]
	}
	return opInfo{}
}
