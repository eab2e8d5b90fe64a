package fvm

import (
	"bytes"
	"math/bits"
	"slices"
	"sync"

	"github.com/tetratelabs/wazero/experimental"
)

// Memory of actors comes from pools by size, so that calls do not leave megabytes of
// garbage behind. Buffers in a pool are all zero.
const (
	minMemoryBits = 21 // 2 MiB
	maxPooledBits = 26 // 64 MiB; larger ones are left to the garbage collector
)

var memoryPools [maxPooledBits - minMemoryBits + 1]sync.Pool

// memoryClass is the pool for buffers of at least n bytes, and their size.
func memoryClass(n uint64) (class int, size uint64) {
	b := max(bits.Len64(max(n, 1)-1), minMemoryBits)
	return b - minMemoryBits, 1 << b
}

func takeMemory(n uint64) []byte {
	class, size := memoryClass(n)
	if class < len(memoryPools) {
		if b, ok := memoryPools[class].Get().(*[]byte); ok {
			return (*b)[:n]
		}
	}
	return make([]byte, n, size)
}

// giveMemory returns a buffer. An actor writes to a small part of its memory, most of
// which is the room for a deep stack: looking is cheaper than writing zeros everywhere.
func giveMemory(b []byte) {
	class, size := memoryClass(uint64(cap(b)))
	if class >= len(memoryPools) || uint64(cap(b)) != size {
		return
	}
	for page := range slices.Chunk(b, len(zeroPage)) {
		if !bytes.Equal(page, zeroPage[:len(page)]) {
			clear(page)
		}
	}
	b = b[:0]
	memoryPools[class].Put(&b)
}

var zeroPage [4096]byte

// linear is the memory of one running actor.
type linear struct {
	cm  *callManager
	buf []byte
}

// Allocate implements [experimental.MemoryAllocator]: all the actors of a call stack share
// its limit.
func (cm *callManager) Allocate(_, _ uint64) experimental.LinearMemory { return &linear{cm: cm} }

// Reallocate implements [experimental.LinearMemory]; nil makes the actor's memory.grow fail.
func (l *linear) Reallocate(size uint64) []byte {
	have := uint64(len(l.buf))
	if size <= have {
		return l.buf
	}
	if l.cm.memory+size-have > maxCallMemory {
		return nil
	}
	l.cm.memory += size - have
	if size <= uint64(cap(l.buf)) {
		l.buf = l.buf[:size]
		return l.buf
	}
	bigger := takeMemory(size)
	copy(bigger, l.buf)
	giveMemory(l.buf)
	l.buf = bigger
	return l.buf
}

// Free implements [experimental.LinearMemory].
func (l *linear) Free() {
	giveMemory(l.buf)
	l.buf = nil
}
