package devnet_test

import (
	"context"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/tidegate/tidegate/devnet"
)

// BenchmarkStart is a devnet from nothing to the first answer of its RPC, as another
// process would start it: the compiled actors are read from disk, shared with nobody.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	up(b, dir) // compiles
	for b.Loop() {
		up(b, dir)
	}
}

// BenchmarkFirstStart is the first start on a machine, which compiles the actors.
func BenchmarkFirstStart(b *testing.B) {
	for b.Loop() {
		up(b, b.TempDir())
	}
}

func up(b *testing.B, cache string) {
	d, err := devnet.New(context.Background(), devnet.Config{CacheDir: cache})
	if err != nil {
		b.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- d.Run(context.Background()) }()
	client, err := ethclient.Dial(d.HTTPURL())
	if err != nil {
		b.Fatal(err)
	}
	if _, err := client.BlockNumber(context.Background()); err != nil {
		b.Fatal(err)
	}
	client.Close()
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
	if err := <-ran; err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSendOnDemand is a transfer from its signing until it is final.
func BenchmarkSendOnDemand(b *testing.B) {
	n := start(b)
	for b.Loop() {
		n.send(0, common.Address{1})
	}
}
