package chain_test

import (
	"context"
	"testing"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm/fvmtest"
)

// BenchmarkUp is a chain from nothing, with the modules compiled and cached on disk.
func BenchmarkUp(b *testing.B) {
	fvmtest.Engine(b) // the cache is warm after this
	for b.Loop() {
		c, err := chain.New(context.Background(), chain.Config{})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIdleEpoch is an epoch without messages: reward, cron, header.
func BenchmarkIdleEpoch(b *testing.B) {
	n := start(b)
	for b.Loop() {
		n.mine(1)
	}
}

// BenchmarkNullRound is the cron of one null round, of a hundred at a time.
func BenchmarkNullRound(b *testing.B) {
	n := start(b)
	for b.Loop() {
		if _, err := n.NullRounds(n.ctx, 99); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/100, "µs/epoch")
}

// BenchmarkTransfer is one transfer: checked, mined with 99 others, executed.
func BenchmarkTransfer(b *testing.B) {
	n := start(b)
	accounts := n.Accounts()
	to := fresh(b, 1)
	for b.Loop() {
		for i := range 100 {
			n.send(accounts[i%len(accounts)], to)
		}
		n.mine(1)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/100, "µs/message")
}
