package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	commp "github.com/filecoin-project/go-fil-commp-hashhash"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"

	"github.com/tidegate/tidegate/executor/ipfs"
	"github.com/tidegate/tidegate/executor/piece"
	"github.com/tidegate/tidegate/test/kubo"
)

const (
	commpBytes  = 127 << 21 // 254 MiB of random data, larger than any cache
	commpAtOnce = 200
	commpEach   = 127 << 16
	carLeaf     = 256 << 10
	carLeaves   = 1024
	carFile     = 256 << 20
)

// onCores runs f with so many cores.
func onCores(n int, f func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
	f()
}

func commit(b *testing.B, data []byte) {
	w := piece.NewWriter()
	defer w.Reset()
	for len(data) > 0 {
		n, err := w.Write(data[:min(len(data), 1<<20)])
		if err != nil {
			b.Error(err)
			return
		}
		data = data[n:]
	}
	if _, err := w.Sum(); err != nil {
		b.Error(err)
	}
}

// BenchmarkCommp computes commitments of random data: with the reference library on
// one core, with ours on one and on two, and 200 at once on two. The sides take
// turns, so that what else the machine does hits all of them.
func BenchmarkCommp(b *testing.B) {
	data := make([]byte, commpBytes)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data)
	rate := func(b *testing.B, cores int, total int, f func()) {
		for b.Loop() {
			onCores(cores, func() {
				began := time.Now()
				f()
				b.ReportMetric(float64(total)/1e6/time.Since(began).Seconds(), "MB/s")
			})
		}
	}
	b.Run("hashhash", func(b *testing.B) {
		some := data[:commpBytes/4]
		rate(b, 1, len(some), func() {
			var c commp.Calc
			_, _ = c.Write(some)
			if _, _, err := c.Digest(); err != nil {
				b.Error(err)
			}
		})
	})
	b.Run("one", func(b *testing.B) { rate(b, 1, len(data), func() { commit(b, data) }) })
	b.Run("two", func(b *testing.B) { rate(b, 2, len(data), func() { commit(b, data) }) })
	b.Run("many", func(b *testing.B) {
		rate(b, 2, commpAtOnce*commpEach, func() {
			var wg sync.WaitGroup
			for i := range commpAtOnce {
				from := i * 1_000_003 % (commpBytes - commpEach)
				wg.Go(func() { commit(b, data[from:from+commpEach]) })
			}
			wg.Wait()
		})
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapSys-commpBytes)/(1<<20), "MiB")
	})
}

// leaves are blocks in memory below one root.
type leaves map[string][]byte

func (l leaves) Get(_ context.Context, c cid.Cid) ([]byte, error) {
	data, ok := l[string(c.Hash())]
	if !ok {
		return nil, fmt.Errorf("%s: %w", c, piece.ErrNoBlock)
	}
	return data, nil
}

// BenchmarkCAR packs 256 MiB in blocks of 256 KiB that lie in memory: CAR, hashes of
// all blocks and commitment in one pass.
func BenchmarkCAR(b *testing.B) {
	src := leaves{}
	var roots []cid.Cid
	rnd := rand.NewChaCha8([32]byte{2})
	for range carLeaves {
		data := make([]byte, carLeaf)
		_, _ = rnd.Read(data)
		h, err := mh.Sum(data, mh.SHA2_256, -1)
		if err != nil {
			b.Fatal(err)
		}
		src[string(h)] = data
		roots = append(roots, cid.NewCidV1(cid.Raw, h))
	}
	for cores, name := range map[int]string{1: "one", 2: "two"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				onCores(cores, func() {
					began := time.Now()
					p, err := piece.Pack(b.Context(), src, piece.Contents{Roots: roots}, io.Discard, piece.PackOptions{})
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(float64(p.Payload)/1e6/time.Since(began).Seconds(), "MB/s")
				})
			}
		})
	}
}

// BenchmarkExport makes the CAR of one file that a node holds on disk: Kubo's dag
// export, and our pass over our node's blocks, which also computes the commitment.
func BenchmarkExport(b *testing.B) {
	path := filepath.Join(b.TempDir(), "file")
	writeRandom(b, path, carFile)
	source := kubo.Start(b)
	text := source.Run("add", "-Q", "--pin", "--raw-leaves", "--cid-version=1", path)
	node := open(b, source)
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	root, _, err := node.AddFile(b.Context(), "bench/export", "file", f)
	if err != nil || root.String() != text {
		b.Fatal(root, text, err)
	}
	mb := float64(carFile) / 1e6
	b.Run("kubo", func(b *testing.B) {
		for b.Loop() {
			began := time.Now()
			if err := source.Export(b.Context(), text, io.Discard); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(mb/time.Since(began).Seconds(), "MB/s")
		}
	})
	b.Run("tidegate", func(b *testing.B) {
		for b.Loop() {
			began := time.Now()
			if _, err := piece.Pack(b.Context(), node, piece.Contents{Roots: []cid.Cid{root}}, io.Discard, piece.PackOptions{}); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(mb/time.Since(began).Seconds(), "MB/s")
		}
	})
}

var _ piece.Blocks = (*ipfs.Node)(nil)
