package piece

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/prysmaticlabs/gohashtree"
)

const (
	subtreeHeight = 15                 // of the tree hashed in one go
	subtreeNodes  = 1 << subtreeHeight // 1 MiB of padded bytes
	subtreeBytes  = subtreeNodes * nodeSize
	maxHeight     = 31 // of a 64 GiB piece
	maxTop        = maxHeight - subtreeHeight + 1
)

// leaves are the padded bytes of one sub-tree, hashed in place by layers.
type leaves [subtreeBytes]byte

// half is where every other layer goes.
type half [subtreeBytes / 2]byte

// subtree is the root of one, once done is closed; done is nil if it was hashed at once.
type subtree struct {
	done chan struct{}
	root [32]byte
}

var (
	leavesPool = sync.Pool{New: func() any { return new(leaves) }}
	halfPool   = sync.Pool{New: func() any { return new(half) }}
	coresTaken atomic.Int64
	// zeroRoots are the roots of trees over zeros, by height.
	zeroRoots = makeZeroRoots()
)

func getLeaves() *leaves  { return leavesPool.Get().(*leaves) }
func putLeaves(l *leaves) { leavesPool.Put(l) }

// takeCore reserves one of the cores on which sub-trees are hashed beside their
// writers; all writers of the process share them.
func takeCore() bool {
	n := runtime.GOMAXPROCS(0)
	if n == 1 {
		return false
	}
	if coresTaken.Add(1) > int64(n) {
		coresTaken.Add(-1)
		return false
	}
	return true
}

func giveCore() { coresTaken.Add(-1) }

// root hashes the first n nodes up to the given level; what is missing is zero.
func (l *leaves) root(n, level int) [32]byte {
	if l.zero(n) {
		return zeroRoots[level]
	}
	h := halfPool.Get().(*half)
	defer halfPool.Put(h)
	from, to := l[:], h[:]
	for at := range level {
		if n%2 == 1 {
			copy(from[n*nodeSize:], zeroRoots[at][:])
			n++
		}
		hashLayer(to, from[:n*nodeSize])
		n /= 2
		from, to = to, from
	}
	return [32]byte(from[:nodeSize])
}

// zero tells whether the first n nodes are zero: holes of sparse files are long.
func (l *leaves) zero(n int) bool {
	b := l[:n*nodeSize]
	for len(b) > 0 {
		k := min(len(b), len(zeros))
		if !bytes.Equal(b[:k], zeros[:k]) {
			return false
		}
		b = b[k:]
	}
	return true
}

var zeros [4096]byte

// hashLayer hashes pairs of nodes and truncates each digest to 254 bits.
func hashLayer(to, from []byte) {
	to = to[:len(from)/2]
	if err := gohashtree.HashByteSlice(to, from); err != nil {
		panic("piece: layer of an odd length: " + err.Error()) // its callers give whole pairs
	}
	for i := nodeSize - 1; i < len(to); i += nodeSize {
		to[i] &= 0x3f
	}
}

// hashPair is one inner node.
func hashPair(left, right *[32]byte) [32]byte {
	var b [64]byte
	copy(b[:], left[:])
	copy(b[32:], right[:])
	out := sha256.Sum256(b[:])
	out[31] &= 0x3f
	return out
}

func makeZeroRoots() (roots [maxHeight + 1][32]byte) {
	for i := range maxHeight {
		roots[i+1] = hashPair(&roots[i], &roots[i])
	}
	return roots
}

// padQuads spreads n quads of 127 bytes over 128 each: after every 254 bits come
// two zero bits.
func padQuads(to, from []byte, n int) {
	for range n {
		padQuad((*[paddedQuad]byte)(to), (*[quad]byte)(from))
		to, from = to[paddedQuad:], from[quad:]
	}
}

func padQuad(to *[paddedQuad]byte, from *[quad]byte) {
	const top = 1<<62 - 1
	le := binary.LittleEndian
	a, b, c, d := le.Uint64(from[0:]), le.Uint64(from[8:]), le.Uint64(from[16:]), le.Uint64(from[24:])
	le.PutUint64(to[0:], a)
	le.PutUint64(to[8:], b)
	le.PutUint64(to[16:], c)
	le.PutUint64(to[24:], d&top)
	a, b, c, p := le.Uint64(from[32:]), le.Uint64(from[40:]), le.Uint64(from[48:]), d
	d = le.Uint64(from[56:])
	le.PutUint64(to[32:], a<<2|p>>62)
	le.PutUint64(to[40:], b<<2|a>>62)
	le.PutUint64(to[48:], c<<2|b>>62)
	le.PutUint64(to[56:], (d<<2|c>>62)&top)
	a, b, c, p = le.Uint64(from[64:]), le.Uint64(from[72:]), le.Uint64(from[80:]), d
	d = le.Uint64(from[88:])
	le.PutUint64(to[64:], a<<4|p>>60)
	le.PutUint64(to[72:], b<<4|a>>60)
	le.PutUint64(to[80:], c<<4|b>>60)
	le.PutUint64(to[88:], (d<<4|c>>60)&top)
	a, b, c, p = le.Uint64(from[96:]), le.Uint64(from[104:]), le.Uint64(from[112:]), d
	d = le.Uint64(from[119:]) >> 8
	le.PutUint64(to[96:], a<<6|p>>58)
	le.PutUint64(to[104:], b<<6|a>>58)
	le.PutUint64(to[112:], c<<6|b>>58)
	le.PutUint64(to[120:], (d<<6|c>>58)&top)
}

// unpadQuad is the inverse of padQuad.
func unpadQuad(to *[quad]byte, from *[paddedQuad]byte) {
	le := binary.LittleEndian
	var w [17]uint64
	for i := range 16 {
		w[i] = le.Uint64(from[8*i:])
	}
	for i := range 15 {
		shift := 2 * (i / 4)
		v := w[i] >> shift
		if i%4 == 3 {
			v |= w[i+1] << (62 - shift)
		} else {
			v |= w[i+1] << (64 - shift)
		}
		le.PutUint64(to[8*i:], v)
	}
	v := w[15] >> 6
	for i := 120; i < quad; i++ {
		to[i] = byte(v)
		v >>= 8
	}
}

// log2Ceil is the least k with 2^k ≥ n; n is not 0.
func log2Ceil(n uint64) int { return bits.Len64(n - 1) }
