package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/test/kubo"
)

// crashNumbers are 2,000 requests and 300 kills in make soak (TIDEGATE_SOAK=1), and
// 200 and 20 otherwise.
func crashNumbers() (requests, kills int, within time.Duration) {
	if os.Getenv("TIDEGATE_SOAK") != "" {
		return 2000, 300, 40 * time.Minute
	}
	return 200, 20, 4 * time.Minute
}

// The daemon is killed at random moments while wallets keep asking; in between
// nsqd's data is deleted while it is down. Each request is answered exactly once, no job
// is stuck, and the references equal a recount.
func TestKillNineAtRandomMoments(t *testing.T) {
	t.Parallel()
	requests, kills, within := crashNumbers()
	n := startDevnet(t)
	k := kubo.Start(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))

	var cids []string
	for i := range 40 {
		cids = append(cids, k.Add(content(1000+uint64(i), 500+r.IntN(400_000))))
	}
	d := newDaemon(t, n, "--ipfs-peers", k.Addr)
	d.start(t)

	began := time.Now()
	var asked []common.Hash
	var wg sync.WaitGroup
	wg.Go(func() { asked = n.askMany(t, requests, cids) })
	for range kills {
		pause := time.NewTimer(time.Duration(50+r.IntN(1500)) * time.Millisecond)
		select {
		case <-pause.C:
		case <-d.done:
			t.Fatalf("the daemon ended by itself: %v\n%s", d.err, d.tail(4000))
		}
		d.kill()
		if r.IntN(4) == 0 {
			if err := os.RemoveAll(filepath.Join(d.dir, "nsq")); err != nil {
				t.Fatal(err)
			}
		}
		d.start(t)
	}
	t.Logf("%s: the kills are over", time.Since(began).Round(time.Second))
	wg.Wait()
	if t.Failed() {
		return
	}
	t.Logf("%s: all %d requests are asked, %d answered", time.Since(began).Round(time.Second), len(asked), len(n.answers(t)))
	n.awaitAnswers(t, asked, within)
	t.Logf("%s: all are answered", time.Since(began).Round(time.Second))
	d.awaitAnswered(t)
	d.verify(t)
	d.stop(t)
}

// awaitAnswers waits until the chain has exactly one answer for each request.
func (n *network) awaitAnswers(t testing.TB, asked []common.Hash, within time.Duration) {
	t.Helper()
	eventually(t, within, "every request is answered once", func() error {
		answers := n.answers(t)
		missing := 0
		for _, id := range asked {
			switch answers[id] {
			case 0:
				missing++
			case 1:
			default:
				t.Fatalf("request %s was answered %d times", id, answers[id])
			}
		}
		if missing > 0 {
			return fmt.Errorf("%d of %d unanswered", missing, len(asked))
		}
		return nil
	})
}
