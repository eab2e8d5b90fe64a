package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/test/kubo"
)

// Origins that point into the operator's network are not dialled unless the
// operator says so: the pin fails with a reason, and the reason says why.
func TestPrivateOriginsAreRefused(t *testing.T) {
	n := sharedDevnet(t)
	k := kubo.Start(t)
	cid := k.Add(content(60, 10_000))
	d := newDaemon(t, n, "--ipfs-allow-private-peers=false", "--ipfs-stall-timeout", "2s")
	d.start(t)
	peer := k.Addr[strings.LastIndex(k.Addr, "/p2p/"):]
	for i, origin := range []string{
		k.Addr,
		"/ip4/169.254.169.254/tcp/80" + peer,
		"/dns4/localhost/tcp/4001" + peer,
	} {
		key := keyAlice + i%2
		tx := n.signed(t, key, n.nonce(t, key), n.pinFrom(t, cid, origin))
		if err := n.client.SendTransaction(t.Context(), tx); err != nil {
			t.Fatal(err)
		}
		id, _ := n.await(t, tx.Hash())
		n.awaitAnswers(t, []common.Hash{id}, 90*time.Second)
		job := d.job(t, id)
		if job.Outcome != "failed" {
			t.Fatalf("origin %s: %+v", origin, job)
		}
		if len(d.pins(t, "")) != 0 {
			t.Fatalf("origin %s was used", origin)
		}
	}
	d.verify(t)
	d.stop(t)
}

// Forty levels that each link the next twice are 2^40 leaves of logical size
// in forty-one blocks: refused by logical size, at once.
func TestBombIsRefused(t *testing.T) {
	n := sharedDevnet(t)
	k := kubo.Start(t)
	child := k.Add([]byte("boom"), "--raw-leaves", "--cid-version=1")
	for range 40 {
		node, err := json.Marshal(map[string]any{
			"Data":  map[string]any{"/": map[string]string{"bytes": "CAE"}},
			"Links": []any{link(child), link(child)},
		})
		if err != nil {
			t.Fatal(err)
		}
		path := writeFile(t, t.TempDir(), "node.json", node)
		child = k.Run("dag", "put", "--input-codec=dag-json", "--store-codec=dag-pb", path)
	}
	d := newDaemon(t, n, "--ipfs-peers", k.Addr)
	d.start(t)
	began := time.Now()
	id := n.pin(keyAlice, child)
	n.awaitAnswers(t, []common.Hash{id}, time.Minute)
	job := d.job(t, id)
	if job.Outcome != "failed" || job.Reason != "too_large" {
		t.Fatalf("outcome %s, reason %s; want failed, too_large", job.Outcome, job.Reason)
	}
	t.Logf("refused and answered after %s", time.Since(began))
	if n.status(child) != pinFailed {
		t.Fatalf("status %d", n.status(child))
	}
	d.verify(t)
	d.stop(t)
}

func link(child string) any {
	return map[string]any{"Hash": map[string]string{"/": child}, "Name": "", "Tsize": 4}
}

// jobView is a row of `jobs show --json`.
type jobView struct {
	ID      int64  `json:"id"`
	Key     string `json:"key"`
	State   string `json:"state"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
}

// job is the job that answers a request.
func (d *daemon) job(t testing.TB, request common.Hash) jobView {
	t.Helper()
	for _, j := range decode[[]jobView](t, d.cli(t, "jobs", "ls", "--json", "--limit", "1000")) {
		if strings.HasPrefix(j.Key, "req:") && strings.Contains(j.Key, strings.ToLower(request.Hex())) {
			return j
		}
	}
	t.Fatalf("no job for %s", request)
	return jobView{}
}
