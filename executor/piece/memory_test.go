package piece

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
)

// soak tells whether tests run in full, as make soak does.
func soak() bool { return os.Getenv("TIDEGATE_SOAK") != "" }

// heapMost is what the tests below allow, bytes: a process with it, its stacks and
// its code stays under 512 MiB.
const heapMost = 440 << 20

// seeded makes the blocks of an incompressible DAG when they are asked for: leaf i
// from its number, so that nothing but the links is held.
type seeded struct {
	*memory
	mu     sync.Mutex
	number map[cid.Cid]uint64 // of each leaf; nil for a DAG that is small enough
	size   int
}

func leafOf(i uint64, size int) []byte {
	var seed [8]byte
	binary.LittleEndian.PutUint64(seed[:], i)
	return random(binary.LittleEndian.Uint64(seed[:]), size)
}

func (s *seeded) Get(ctx context.Context, c cid.Cid) ([]byte, error) {
	s.mu.Lock()
	i, ok := s.number[c]
	s.mu.Unlock()
	if ok {
		return leafOf(i, s.size), nil
	}
	return s.memory.Get(ctx, c)
}

// seededFile is a DAG of so many leaves.
func seededFile(t *testing.T, leaves, size, width int) (*seeded, cid.Cid) {
	t.Helper()
	s := &seeded{memory: newMemory(), number: make(map[cid.Cid]uint64), size: size}
	level := make([]cid.Cid, leaves)
	for i := range level {
		h, err := mh.Sum(leafOf(uint64(i), size), mh.SHA2_256, -1)
		if err != nil {
			t.Fatal(err)
		}
		level[i] = cid.NewCidV1(cid.Raw, h)
		s.number[level[i]] = uint64(i)
	}
	for n := 0; len(level) > 1; n++ {
		var up []cid.Cid
		for i := 0; i < len(level); i += width {
			up = append(up, s.node(t, fmt.Sprintf("%d/%d", n, i), level[i:min(len(level), i+width)]...))
		}
		level = up
	}
	return s, level[0]
}

// TestMemoryOfLargeDAG packs one incompressible DAG made from a seed: 96 MiB in
// blocks of 256 KiB, under make soak 4 GiB.
func TestMemoryOfLargeDAG(t *testing.T) {
	leaves := 384
	if soak() {
		leaves = 16384
	}
	s, root := seededFile(t, leaves, 256<<10, 174)
	checkMemory(t, s, []cid.Cid{root}, uint64(leaves)*256<<10)
}

// TestMemoryOfManyFiles packs 10,000 files of 1 KiB below one directory, and then
// as so many roots of one CAR.
func TestMemoryOfManyFiles(t *testing.T) {
	s, root := seededFile(t, 10_000, 1<<10, 1000)
	checkMemory(t, s, []cid.Cid{root}, 10_000<<10)
	roots := make([]cid.Cid, 0, len(s.number))
	for c := range s.number {
		roots = append(roots, c)
	}
	checkMemory(t, s, roots, 10_000<<10)
}

func checkMemory(t *testing.T, src Blocks, roots []cid.Cid, least uint64) {
	t.Helper()
	runtime.GC()
	debug.FreeOSMemory()
	p, err := Pack(t.Context(), src, Contents{Roots: roots}, nil, PackOptions{Layout: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if took := m.HeapSys - m.HeapReleased; took > heapMost {
		t.Errorf("the heap takes %d MiB for a CAR of %d MiB", took>>20, p.Payload>>20)
	}
	if p.Payload < least {
		t.Errorf("%d bytes, want at least %d", p.Payload, least)
	}
}
