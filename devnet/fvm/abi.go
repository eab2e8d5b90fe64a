package fvm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/tidegate/tidegate/devnet/fvm/gas"
)

// memory is the whole memory of a running actor, in place.
type memory []byte

// slice returns a part of the memory without copying it.
func (m memory) slice(off, n uint32) ([]byte, error) {
	if uint64(off)+uint64(n) > uint64(len(m)) {
		return nil, refuse(ErrIllegalArgument, "buffer %d (length %d) out of bounds", off, n)
	}
	return m[off : uint64(off)+uint64(n)], nil
}

// cid reads the CID at an offset; its own form says where it ends.
func (m memory) cid(off uint32) (cid.Cid, error) {
	if uint64(off) > uint64(len(m)) {
		return cid.Undef, refuse(ErrIllegalArgument, "cid at offset %d is out of bounds", off)
	}
	_, c, err := parseCID(m[off:])
	if err != nil {
		return cid.Undef, refuse(ErrIllegalArgument, "failed to parse cid: %v", err)
	}
	return c, nil
}

// address reads an address.
func (m memory) address(off, n uint32) (address.Address, error) {
	b, err := m.slice(off, n)
	if err != nil {
		return address.Undef, err
	}
	a, err := address.NewFromBytes(b)
	if err != nil {
		return address.Undef, refuse(ErrIllegalArgument, "invalid address %x: %v", b, err)
	}
	if a == address.Undef {
		return address.Undef, refuse(ErrIllegalArgument, "the address is empty")
	}
	return a, nil
}

// write puts data into a buffer of the actor and the number of bytes into ret.
func (m memory) write(ret, data []byte, off, n uint32) error {
	buf, err := m.slice(off, n)
	if err != nil {
		return err
	}
	if len(data) > len(buf) {
		return refuse(ErrBufferTooSmall, "output buffer of %d bytes is too small for %d", len(buf), len(data))
	}
	copy(buf, data)
	binary.LittleEndian.PutUint32(ret, uint32(len(data)))
	return nil
}

// putTokens writes an amount as the 16 bytes, little endian, that actors take.
func putTokens(out []byte, amount big.Int) error {
	if amount.Sign() < 0 || amount.Int != nil && amount.BitLen() > 128 {
		return fmt.Errorf("amount %s is outside of what actors can be told (0 to 2^128-1)", amount)
	}
	var be [16]byte
	if amount.Int != nil {
		amount.FillBytes(be[:])
	}
	for i, b := range be {
		out[15-i] = b
	}
	return nil
}

// putStatus writes 0 for true and -1 for false, as verifications answer.
func putStatus(out []byte, ok bool) {
	v := uint32(0)
	if !ok {
		v = ^v
	}
	binary.LittleEndian.PutUint32(out, v)
}

// args are a syscall's arguments in WebAssembly's slots, without the pointer for results.
type args []uint64

func (a args) u32(i int) uint32 { return uint32(a[i]) }

func (a args) u64(i int) uint64 { return a[i] }

func (a args) i64(i int) int64 { return int64(a[i]) }

// syscall is one function that actors import.
type syscall struct {
	module, name string
	// params are the types of the arguments, without the pointer for results: 'i' is 32
	// bits, 'l' 64.
	params string
	// out is the size in bytes of the result that is written to the actor's memory; with 0
	// there is none and no pointer for it.
	out int
	fn  func(k *kernel, mem memory, a args, ret []byte) error
}

// maxOut is the size of the largest result.
const maxOut = 80

type kernelKey struct{}

// types are those of the parameters in WebAssembly.
func (s *syscall) types() []api.ValueType {
	var params []api.ValueType
	if s.out > 0 {
		params = append(params, api.ValueTypeI32)
	}
	for _, p := range s.params {
		if p == 'i' {
			params = append(params, api.ValueTypeI32)
		} else {
			params = append(params, api.ValueTypeI64)
		}
	}
	return params
}

// export adds the syscall to its host module.
func (s *syscall) export(b wazero.HostModuleBuilder) {
	b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, mod api.Module, stack []uint64) {
		k, ok := ctx.Value(kernelKey{}).(*kernel)
		if !ok {
			panic(&abort{err: errors.New("syscall without a running actor")})
		}
		m := mod.Memory()
		mem, ok := m.Read(0, m.Size())
		if !ok {
			panic(&abort{err: errors.New("the actor's memory cannot be read")})
		}
		no, ab := s.call(k, mem, stack)
		if ab != nil {
			panic(ab)
		}
		stack[0] = uint64(no)
	}), s.types(), []api.ValueType{api.ValueTypeI32}).Export(s.name)
}

// call does what is common to all syscalls: gas, the place for the result, errors.
func (s *syscall) call(k *kernel, mem memory, stack []uint64) (Errno, *abort) {
	if err := k.cm.ctx.Err(); err != nil {
		return 0, &abort{err: fmt.Errorf("message stopped: %w", err)}
	}
	if err := k.chargeExec(); err != nil {
		return 0, &abort{err: err}
	}
	if err := k.charge(k.cm.prices.OnSyscall()); err != nil {
		return 0, &abort{err: err}
	}
	var target []byte
	if s.out > 0 {
		var err error
		if target, err = mem.slice(uint32(stack[0]), uint32(s.out)); err != nil {
			k.lastError = syscallCause(s.module, s.name, &syscallError{ErrIllegalArgument, "no space for return value"})
			return ErrIllegalArgument, nil
		}
		stack = stack[1:]
	}
	var ret [maxOut]byte
	err := s.fn(k, mem, stack, ret[:s.out])
	k.refill()
	if err == nil {
		copy(target, ret[:s.out])
		k.lastError = ""
		return 0, nil
	}
	var ab *abort
	if errors.As(err, &ab) {
		return 0, ab
	}
	refused, ok := asSyscall(err)
	if !ok {
		return 0, &abort{err: err}
	}
	k.lastError = syscallCause(s.module, s.name, refused)
	return refused.no, nil
}

// isOutOfGas tells whether an error is that of a limit reached.
func isOutOfGas(err error) bool { return errors.Is(err, gas.ErrOutOfGas) }
