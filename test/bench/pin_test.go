package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/ipfs"
	"github.com/tidegate/tidegate/test/kubo"
)

const (
	smallPins   = 3000 // DAGs of one block
	smallSize   = 1 << 10
	parallel    = 16
	largeSize   = 512 << 20
	pinDeadline = 5 * time.Minute
)

// BenchmarkPinSmall pins DAGs of 1 KiB from a Kubo on loopback, 16 at a time,
// durably: with a second Kubo over its RPC, and with our node.
func BenchmarkPinSmall(b *testing.B) {
	source := kubo.Start(b)
	cids := addSmall(b, source)
	b.Run("kubo", func(b *testing.B) {
		for b.Loop() {
			sink := kubo.Start(b)
			sink.Run("swarm", "connect", source.Addr)
			began := time.Now()
			pinAll(b, cids, sink.Pin)
			b.ReportMetric(float64(len(cids))/time.Since(began).Seconds(), "pins/s")
		}
	})
	b.Run("tidegate", func(b *testing.B) {
		for b.Loop() {
			node := open(b, source)
			began := time.Now()
			pinAll(b, cids, func(ctx context.Context, text string) error { return pinOne(ctx, node, text) })
			b.ReportMetric(float64(len(cids))/time.Since(began).Seconds(), "pins/s")
		}
	})
}

// BenchmarkPinLarge pins one file of 512 MiB, with a second Kubo and with our node in
// turn, so that what else the machine does hits both. Kubo's default does not sync
// block files; ours are on disk when the pin ends.
func BenchmarkPinLarge(b *testing.B) {
	source := kubo.Start(b)
	path := filepath.Join(b.TempDir(), "large")
	writeRandom(b, path, largeSize)
	text := source.Run("add", "-Q", "--pin", "--raw-leaves", "--cid-version=1", path)
	rate := func(began time.Time) float64 { return largeSize / (1 << 20) / time.Since(began).Seconds() }
	for b.Loop() {
		sink := kubo.Start(b)
		sink.Run("swarm", "connect", source.Addr)
		syscall.Sync() // neither side waits for what was written before
		began := time.Now()
		pinAll(b, []string{text}, sink.Pin)
		b.ReportMetric(rate(began), "kubo-MiB/s")

		node := open(b, source)
		syscall.Sync()
		began = time.Now()
		pinAll(b, []string{text}, func(ctx context.Context, text string) error { return pinOne(ctx, node, text) })
		b.ReportMetric(rate(began), "MiB/s")
	}
}

func open(b *testing.B, source *kubo.Node) *ipfs.Node {
	b.Helper()
	node, err := ipfs.New(b.Context(), ipfs.Config{
		DataDir: filepath.Join(b.TempDir(), "node"), Listen: []string{"/ip4/127.0.0.1/tcp/0"},
		Peers: []string{source.Addr}, AllowPrivatePeers: true,
	}, ipfs.Deps{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := node.Close(); err != nil {
			b.Error(err)
		}
	})
	return node
}

func pinOne(ctx context.Context, node *ipfs.Node, text string) error {
	root, err := cid.Decode(text)
	if err != nil {
		return err
	}
	_, err = node.Pin(ctx, ipfs.PinSpec{Ref: "bench/" + text, Owner: "bench", Root: root}, nil)
	return err
}

// pinAll pins every CID, parallel at a time.
func pinAll(b *testing.B, cids []string, pin func(context.Context, string) error) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), pinDeadline)
	defer cancel()
	next := make(chan string)
	errs := make(chan error, parallel)
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for text := range next {
				if err := pin(ctx, text); err != nil {
					errs <- fmt.Errorf("pinning %s: %w", text, err)
					cancel()
					return
				}
			}
		})
	}
feed:
	for _, text := range cids {
		select {
		case next <- text:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	wg.Wait()
	select {
	case err := <-errs:
		b.Fatal(err)
	default:
	}
}

// addSmall adds many small files to the source and gives their CIDs.
func addSmall(b *testing.B, source *kubo.Node) []string {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "small")
	if err := os.Mkdir(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	for i := range smallPins {
		writeRandom(b, filepath.Join(dir, fmt.Sprintf("%05d", i)), smallSize)
	}
	lines := strings.Fields(source.Run("add", "-r", "-q", "--raw-leaves", "--cid-version=1", dir))
	return lines[:len(lines)-1] // the last is the directory
}

func writeRandom(b *testing.B, path string, size int) {
	b.Helper()
	data := make([]byte, size)
	var key [32]byte
	copy(key[:], path[max(0, len(path)-32):])
	_, _ = rand.NewChaCha8(key).Read(data)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		b.Fatal(err)
	}
}
