package sim

import (
	"bytes"
	"os"
	"runtime"
	"testing"
)

// TestASeedIsOneRun runs seeds twice, on one core and on four with goroutines
// beside it that keep cores busy, and compares every turn: drawn worlds of a fifth of the
// length, and 20 of the whole under TIDEGATE_SOAK=1.
func TestASeedIsOneRun(t *testing.T) {
	seeds, length := uint64(2), epochs/5
	if os.Getenv("TIDEGATE_SOAK") != "" {
		seeds, length = 20, epochs
	}
	first := fresh(t)
	for seed := first; seed < first+seeds; seed++ {
		alone, said := traced(t, seed, length, 1)
		stop := make(chan struct{})
		for range 2 {
			go spin(stop)
		}
		pressed, saidThen := traced(t, seed, length, 4)
		close(stop)
		if said != saidThen {
			t.Errorf("seed %d: the verdict was %q alone, and %q under load", seed, said, saidThen)
		}
		if len(alone) == 0 {
			t.Fatalf("seed %d took no turn", seed)
		}
		differs(t, seed, alone, pressed)
	}
}

// traced runs a seed on so many cores and gives its turns and its verdict.
func traced(t *testing.T, seed uint64, length, cores int) (turns []byte, verdict string) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	var told bytes.Buffer
	w, err := run(t, seed, length, &told)
	if err != nil {
		verdict = err.Error()
	}
	if w.turns.unsure > 0 {
		t.Errorf("seed %d: %d turns went by who came first", seed, w.turns.unsure)
	}
	return told.Bytes(), verdict
}

// spin keeps a core busy.
func spin(stop <-chan struct{}) {
	for n := 0; ; n++ {
		if n%1000 == 0 {
			select {
			case <-stop:
				return
			default:
				runtime.Gosched()
			}
		}
	}
}

// differs tells the first turn in which two runs are not the same.
func differs(t *testing.T, seed uint64, a, b []byte) {
	t.Helper()
	if bytes.Equal(a, b) {
		return
	}
	one, other := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(one), len(other)) {
		if !bytes.Equal(one[i], other[i]) {
			t.Errorf("seed %d is two runs:\nalone:      %s\nunder load: %s", seed, one[i], other[i])
			return
		}
	}
	t.Errorf("seed %d is two runs: %d turns alone, %d under load", seed, len(one), len(other))
}
