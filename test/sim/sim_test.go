package sim

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// epochs of one seed's faulty part; what follows is calm.
const epochs = 150

// once are seeds that failed while Tidegate or this simulation was made.
var once = []uint64{15, 44}

// ramDir keeps the ledger off the disk where the system has a place for that: a
// seed commits some thousand times.
func ramDir(t *testing.T) string {
	for _, at := range []string{"/dev/shm", ""} {
		if dir, err := os.MkdirTemp(at, "tidegate-sim"); err == nil {
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			return dir
		}
	}
	t.Fatal("no directory for a ledger")
	return ""
}

// number reads a number from the environment.
func number(t *testing.T, name string, or uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return or
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestSeeds runs seeds that failed once, and fresh ones: three here, SEEDS=n of them
// where that is set (make sim), beginning at FIRST where that is.
func TestSeeds(t *testing.T) {
	seeds := once
	if os.Getenv("ONLY") != "" {
		seeds = nil
	}
	first := number(t, "FIRST", uint64(time.Now().UnixNano()%1_000_000_000))
	for i := range number(t, "SEEDS", 3) {
		seeds = append(seeds[:len(seeds):len(seeds)], first+i)
	}
	failed := 0
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			started := time.Now()
			w, err := run(t, seed, epochs)
			if err != nil {
				failed++
				t.Fatalf("seed %d: %v\nits world: %+v\nagain: ONLY=1 SEEDS=1 FIRST=%d go test -count=1 -run TestSeeds ./test/sim", seed, err, w.rates, seed)
			}
			t.Logf("%d requests, %d reorgs, %d of them deep, %d crashes, %d blocks, %s", len(w.chain.head().after.open), w.reorgs, w.deep, w.crashes, len(w.chain.blocks), time.Since(started).Round(time.Millisecond))
		})
	}
}
