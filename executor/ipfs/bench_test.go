package ipfs

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ipfs/go-cid"
)

// BenchmarkPinSmall pins 1 KiB single-block DAGs from a loopback peer, 16 at a
// time, each durable when Pin returns. It reports pins/s.
func BenchmarkPinSmall(b *testing.B) {
	src, n := startNode(b), startNode(b)
	roots := make([]cid.Cid, b.N)
	for i := range roots {
		data := randBytes(uint64(i)+1, 1024)
		roots[i] = rawCID(b, data, 0x12)
		put(b, src, "s", roots[i], data)
	}
	origins := src.Addrs()
	b.ResetTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				if _, err := n.Pin(context.Background(), PinSpec{Ref: fmt.Sprint(i), Owner: "o", Root: roots[i], Origins: origins}, nil); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pins/s")
}

// BenchmarkPinLarge pins one 512 MiB file from a loopback peer. It reports MiB/s.
func BenchmarkPinLarge(b *testing.B) {
	const size = 512 << 20
	src := startNode(b)
	root := addFile(b, src, "f", randBytes(1, size))
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		n := startNode(b)
		b.StartTimer()
		pinOK(b, n, PinSpec{Ref: "r", Root: root, Origins: src.Addrs()})
		b.StopTimer()
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(size)
	b.ReportMetric(float64(b.N)*size/(1<<20)/b.Elapsed().Seconds(), "MiB/s")
}

// BenchmarkUnpin releases DAGs of 1,000 blocks of 1 KiB from a store that holds
// a hundred others. It reports blocks/s.
func BenchmarkUnpin(b *testing.B) {
	const blocks, others = 1000, 100
	n := startNode(b)
	fill := func(ref string, seed uint64) {
		items := make([]item, blocks)
		for i := range items {
			data := randBytes(seed*blocks+uint64(i), 1024)
			items[i] = item{rawCID(b, data, 0x12), data, 1024}
		}
		num, err := n.store.newNum()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := n.store.add(context.Background(), &pinRecord{Num: num, Ref: ref}, items, true, true); err != nil {
			b.Fatal(err)
		}
	}
	for i := range others {
		fill(fmt.Sprint("other", i), uint64(i))
	}
	b.ResetTimer()
	for i := range b.N {
		b.StopTimer()
		fill("r", uint64(others+i))
		b.StartTimer()
		if u, err := n.Release(context.Background(), "r"); err != nil || u.BlocksFreed != blocks {
			b.Fatalf("%+v, %v", u, err)
		}
	}
	b.ReportMetric(float64(b.N)*blocks/b.Elapsed().Seconds(), "blocks/s")
}
