package provider_test

import (
	"runtime"
	"testing"

	"github.com/tidegate/tidegate/devnet/provider"
)

// Twenty miners with fifty sectors each: how long an epoch takes, in each of which a
// tipset is made, or which are let pass, and what the process then holds.
func BenchmarkThousandSectors(b *testing.B) {
	n := start(b)
	for range 20 {
		n.seal(n.miner(provider.Creation{Funds: provider.Fil(1000)}), make([]provider.Sector, 50)...)
	}
	n.advance(day)
	b.Run("mined", func(b *testing.B) {
		for b.Loop() {
			if _, err := n.Mine(n.ctx, 1); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("passed", func(b *testing.B) {
		const epochs = 60 // a deadline
		passed := 0
		for b.Loop() {
			n.advance(epochs)
			passed += epochs
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(passed), "µs/epoch")
		runtime.GC()
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		b.ReportMetric(float64(mem.HeapAlloc)/(1<<20), "MiB")
	})
}
