package gas

import (
	"errors"
	"fmt"
)

// ErrModule is wrapped when bytes are not a module that ref-fvm accepts: malformed, or with an instruction that actors may not use.
var ErrModule = errors.New("not a WebAssembly module that an actor may have")

// reader reads WebAssembly's binary encoding. The first error stays in err, reads after it give zeros: loops must look at err.
type reader struct {
	b   []byte
	pos int
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s (at byte %d of %d)", ErrModule, fmt.Sprintf(format, args...), r.pos, len(r.b))
	}
}

func (r *reader) rest() int { return len(r.b) - r.pos }

func (r *reader) done() bool { return r.err != nil || r.pos >= len(r.b) }

func (r *reader) byte() byte {
	if r.err != nil {
		return 0
	}
	if r.pos >= len(r.b) {
		r.fail("it ends too early")
		return 0
	}
	c := r.b[r.pos]
	r.pos++
	return c
}

func (r *reader) bytes(n uint32) []byte {
	if r.err != nil {
		return nil
	}
	if uint64(n) > uint64(r.rest()) {
		r.fail("it ends too early, %d bytes wanted", n)
		return nil
	}
	out := r.b[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return out
}

// u32 is an unsigned LEB128 number of at most 32 bits.
func (r *reader) u32() uint32 {
	var out uint64
	for shift := 0; ; shift += 7 {
		c := r.byte()
		if shift == 28 && c > 0x0f {
			r.fail("an unsigned number of more than 32 bits")
			return 0
		}
		out |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return uint32(out)
		}
	}
}

// signed is a signed LEB128 number of at most that many bits: 32, 33 or 64.
func (r *reader) signed(bits int) int64 {
	var out int64
	for shift := 0; shift < bits; shift += 7 {
		c := r.byte()
		out |= int64(c&0x7f) << shift
		if c >= 0x80 {
			continue
		}
		if shift+7 < 64 && c&0x40 != 0 {
			out |= -1 << (shift + 7)
		}
		if unused := bits - shift; unused < 7 {
			// The bits beyond the type repeat its sign.
			top := int8(c<<1) >> unused
			if top != 0 && top != -1 {
				break
			}
		}
		return out
	}
	r.fail("a signed number of more than %d bits", bits)
	return 0
}

// count is the length of a vector, whose elements take a byte or more each.
func (r *reader) count() int {
	n := r.u32()
	if r.err == nil && uint64(n) > uint64(r.rest()) {
		r.fail("a vector of %d elements in %d bytes", n, r.rest())
		return 0
	}
	return int(n)
}

func (r *reader) name() string { return string(r.bytes(r.u32())) }

func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func appendSigned(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
