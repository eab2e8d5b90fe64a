package sim

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// epochs of one seed's faulty part; what follows is calm.
const epochs = 150

// once are seeds that failed while Tidegate or this simulation was made.
var once = []uint64{15, 44, 982200013}

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

// fresh is the first of the seeds that are drawn: FIRST, or by the clock.
func fresh(t *testing.T) uint64 {
	return number(t, "FIRST", uint64(time.Now().UnixNano()%1_000_000_000))
}

// steps is where TRACE=<folder> wants every turn of a seed written down.
func steps(t *testing.T, seed uint64) io.Writer {
	dir := os.Getenv("TRACE")
	if dir == "" {
		return nil
	}
	f, err := os.Create(filepath.Join(dir, fmt.Sprint(seed)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// TestSeeds runs seeds that failed once, and fresh ones: three here, SEEDS=n of them
// where that is set (make sim), beginning at FIRST where that is.
func TestSeeds(t *testing.T) {
	seeds := once
	if os.Getenv("ONLY") != "" {
		seeds = nil
	}
	first := fresh(t)
	for i := range number(t, "SEEDS", 3) {
		seeds = append(seeds[:len(seeds):len(seeds)], first+i)
	}
	failed := 0
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			started := time.Now()
			w, err := run(t, seed, epochs, steps(t, seed))
			if err != nil {
				failed++
				t.Fatalf("seed %d: %v\nits world: %+v\nagain: ONLY=1 SEEDS=1 FIRST=%d go test -count=1 -run TestSeeds ./test/sim", seed, err, w.rates, seed)
			}
			t.Logf("%d requests, %d reorgs, %d of them deep, %d crashes, %d blocks, %d turns, %d unsure, trace %x, %s", len(w.chain.head().after.open), w.reorgs, w.deep, w.crashes, len(w.chain.blocks), w.turns.turn, w.turns.unsure, w.turns.trace.Sum64(), time.Since(started).Round(time.Millisecond))
		})
	}
}
