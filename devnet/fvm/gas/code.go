package gas

// maxLocals is how many locals a function may have, as wasmparser allows ref-fvm.
const maxLocals = 50_000

// instr is one instruction: its bytes, and what the rewriting needs of its immediates.
type instr struct {
	op uint16
	// arg is the label, function, type, local or global, or the constant's bits, or the block type (0x40 when it is empty).
	arg uint32
	// targets are those of a branch table but the last, the default.
	targets []uint32
	raw     []byte
}

// body is a function's code.
type body struct {
	params int
	// groups is the number of runs of locals of one type, locals the number of locals without parameters.
	groups, locals uint32
	localsRaw      []byte // the runs, without their count
	code           []instr
}

// parseBody reads the body of the defined function with that place into scratch, which it may grow. Every index is checked against the
// module as it came.
func (m *module) parseBody(place int, scratch []instr) (*body, error) {
	r := &reader{b: m.bodies[place]}
	b := &body{params: m.types[m.funcs[m.importedFuncs+place]].params}
	b.groups = uint32(r.count())
	begin := r.pos
	for i := uint32(0); i < b.groups && r.err == nil; i++ {
		n := r.u32()
		r.byte()
		if uint64(b.locals)+uint64(n) > maxLocals {
			r.fail("more than %d locals", maxLocals)
			break
		}
		b.locals += n
	}
	if r.err != nil {
		return nil, r.err
	}
	b.localsRaw = r.b[begin:r.pos]
	b.code = scratch[:0]
	depth := 1
	for depth > 0 && r.err == nil {
		in := m.readInstr(r, b, depth)
		switch in.op {
		case opBlock, opLoop, opIf:
			depth++
		case opEnd:
			depth--
		}
		b.code = append(b.code, in)
	}
	if r.err == nil && r.rest() != 0 {
		r.fail("code after the end of the function")
	}
	return b, r.err
}

func (m *module) readInstr(r *reader, b *body, depth int) instr {
	begin := r.pos
	in := instr{op: uint16(r.byte())}
	if in.op == opPrefix {
		sub := r.u32()
		if sub > 0xff {
			r.fail("opcode 0xfc %#x", sub)
			return in
		}
		in.op = opPrefix<<8 | uint16(sub)
	}
	info := infoOf(in.op)
	m.readImmediate(r, &in, info.imm, b, depth)
	if r.err != nil {
		return in
	}
	in.raw = r.b[begin:r.pos]
	return in
}

func (m *module) readImmediate(r *reader, in *instr, imm immediate, b *body, depth int) {
	bound := func(what string, limit uint64) {
		in.arg = r.u32()
		if r.err == nil && uint64(in.arg) >= limit {
			r.fail("%s %d, there are %d", what, in.arg, limit)
		}
	}
	switch imm {
	case immNone:
	case immBlock:
		// One byte for a value type or none; functions of several results, which would be indices, are not allowed.
		t := r.signed(33)
		in.arg = uint32(t & 0x7f)
		if t >= 0 {
			r.fail("a block of type %d; ref-fvm does not allow several values", t)
		}
	case immLabel:
		bound("label", uint64(depth))
	case immTable:
		n := r.count()
		for i := 0; i < n && r.err == nil; i++ {
			bound("label", uint64(depth))
			in.targets = append(in.targets, in.arg)
		}
		bound("label", uint64(depth))
	case immFunc:
		bound("function", uint64(len(m.funcs)))
	case immIndirect:
		bound("type", uint64(len(m.types)))
		r.u32()
	case immLocal:
		bound("local", uint64(b.params)+uint64(b.locals))
	case immGlobal:
		bound("global", uint64(m.globals))
	case immMemory, immIndices:
		r.u32()
		r.u32()
	case immIndex:
		r.u32()
	case immI32:
		in.arg = uint32(int32(r.signed(32)))
	case immI64:
		r.signed(64)
	case immF32:
		r.bytes(4)
	case immF64:
		r.bytes(8)
	default:
		r.fail("opcode %#x, which actors may not use", in.op)
	}
}

// The constructors below make instructions that were not in the module.

func plain(op uint16) instr { return instr{op: op, raw: []byte{byte(op)}} }

func indexed(op uint16, index uint32) instr {
	return instr{op: op, arg: index, raw: appendU32([]byte{byte(op)}, index)}
}

func constI32(v int32) instr {
	return instr{op: opI32Const, arg: uint32(v), raw: appendSigned([]byte{opI32Const}, int64(v))}
}

func ifEmpty() instr { return instr{op: opIf, arg: blockEmpty, raw: []byte{opIf, blockEmpty}} }
