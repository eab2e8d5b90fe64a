package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/internal/store/storetest"
	"github.com/tidegate/tidegate/test/kubo"
)

// sharedLedger is a database for several daemons; its server ends with the test.
func sharedLedger(t *testing.T) string {
	t.Helper()
	s, err := storetest.StartPostgres()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	_, url := s.Database(t)
	return url
}

// onLedger configures a daemon of several on one ledger.
func onLedger(t *testing.T, n *network, ledger string, flags ...string) *daemon {
	t.Helper()
	d := newDaemon(t, n, flags...)
	d.env = append(d.env, "TIDEGATE_LEDGER_URL="+ledger)
	return d
}

// standing is what a daemon says of who leads.
type standing struct {
	Owner   string `json:"owner"`
	Leaders []struct {
		Name string `json:"name"`
		Here bool   `json:"here"`
		Live bool   `json:"live"`
	} `json:"leaders"`
}

// leads tells whether the daemon leads all that there is to lead.
func (d *daemon) leads() error {
	var s standing
	if err := d.ask(http.MethodGet, "/status", nil, &s); err != nil {
		return err
	}
	here := 0
	for _, l := range s.Leaders {
		if l.Here && l.Live {
			here++
		}
	}
	if here < 3 { // watch, report, and the key
		return fmt.Errorf("%+v", s)
	}
	return nil
}

// The chain is read by one daemon, the work is done by another, a third one sends
// and makes pieces: of content that it fetches from the second, which alone has it.
func TestThreeDaemonsShareTheWork(t *testing.T) {
	t.Parallel()
	n := startAnvil(t, "--block-time", "0.25")
	ledger := sharedLedger(t)
	watching := onLedger(t, n, ledger, "--roles", "watch")
	working := onLedger(t, n, ledger, "--roles", "execute,api", "--kinds", "pin,served", "--log-level", "debug")
	sending := onLedger(t, n, ledger, "--roles", "execute,send,api", "--kinds", "prepare", "--piece-min-size", "1 KiB", "--bucket-size", "1 KiB")
	watching.env, working.env = watching.env[2:], working.env[2:] // no keys
	watching.proc = start(t, "the daemon that watches", false, watching.env, tidegate(t), watching.args...)
	working.start(t)
	sending.start(t)

	cid := working.add(t, "x", content(41, 700_000))
	pinned := n.pin(keyAlice, cid)
	prepared := n.ask(keyBob, actionPrepare, pinTuple, fmt.Sprintf("(%s,%s,1048576,0,[],\"\")", cidHex(t, cid), n.Keys[keyBob].Address))
	n.awaitAnswers(t, []common.Hash{pinned, prepared}, time.Minute)
	n.awaitStatus(cid, pinPinned, time.Minute)
	if r := n.answered(sending, prepared); r.Outcome != 1 {
		t.Errorf("the piece: %+v", r)
	}
	for d, want := range map[*daemon]int{working: 2, sending: 1} { // a file of its own and a pin; what the piece is made of
		if got := len(d.pins(t, cid)); got < want {
			t.Errorf("a node holds the content %d times, not %d", got, want)
		}
	}
	// The unpin is done where the content is, whoever answers it.
	n.send(keyAlice, n.quoteUnpin(), n.pinning(), "unpin(bytes)", cidHex(t, cid))
	eventually(t, time.Minute, "the pin is dropped by the node that holds it", func() error {
		if got := len(working.pins(t, cid)); got != 1 {
			return fmt.Errorf("it is held %d times", got)
		}
		return nil
	})
	for _, d := range []*daemon{watching, working, sending} {
		if text := d.tail(1 << 20); strings.Contains(text, ledger) {
			t.Error("the ledger's URL is in the log")
		}
		d.stop(t)
	}
}

// leaderDeaths are ten in make soak (TIDEGATE_SOAK=1), and two otherwise.
func leaderDeaths() int {
	if os.Getenv("TIDEGATE_SOAK") != "" {
		return 10
	}
	return 2
}

// The daemon that leads is killed again and again: the other one takes over within
// 15 seconds, and a request that was asked as the leader died is answered.
func TestTheNextDaemonTakesOver(t *testing.T) {
	n := startAnvil(t, "--block-time", "0.25")
	ledger := sharedLedger(t)
	leader, other := onLedger(t, n, ledger), onLedger(t, n, ledger)
	leader.start(t)
	eventually(t, 30*time.Second, "the first daemon leads", leader.leads)
	other.start(t)
	data := content(42, 3000)
	cid := leader.add(t, "x", data)
	if again := other.add(t, "x", data); again != cid { // each can pin it by itself
		t.Fatalf("%s is not %s", again, cid)
	}
	var asked []common.Hash
	var slowest, slowestAnswer time.Duration
	for range leaderDeaths() {
		asked = append(asked, n.askMany(t, 1, []string{cid})...)
		leader.kill()
		killed := time.Now()
		asked = append(asked, n.askMany(t, 1, []string{cid})...)
		eventually(t, 20*time.Second, "the other daemon leads", other.leads)
		took := time.Since(killed)
		slowest = max(slowest, took)
		if took > 15*time.Second {
			t.Errorf("the next leader took %s", took)
		}
		n.awaitAnswers(t, asked, time.Minute)
		slowestAnswer = max(slowestAnswer, time.Since(killed))
		leader.start(t)
		leader, other = other, leader
	}
	t.Logf("%d leaders died: the next led after at most %s, all was answered after at most %s", leaderDeaths(), slowest.Round(10*time.Millisecond), slowestAnswer.Round(10*time.Millisecond))
	leader.awaitAnswered(t)
	// One that stops gives everything back at once.
	leader.stop(t)
	stopped := time.Now()
	eventually(t, 10*time.Second, "the other daemon leads", other.leads)
	if took := time.Since(stopped); took > 5*time.Second {
		t.Errorf("after an orderly stop the next leader took %s", took)
	}
	other.stop(t)
}

// sharedCrashNumbers are 2,000 requests and 300 kills in make soak
// (TIDEGATE_SOAK=1), and 200 and 20 otherwise, which follow each other faster: a
// kill comes at any moment of life, its length in milliseconds.
func sharedCrashNumbers() (requests, kills, life int, within time.Duration) {
	if os.Getenv("TIDEGATE_SOAK") != "" {
		return 2000, 300, 1500, 40 * time.Minute
	}
	return 200, 20, 500, 4 * time.Minute
}

// Of two daemons on one ledger one after the other is killed at random moments,
// while wallets keep asking: each request is answered exactly once.
func TestKillNineWithTwoDaemonsOnOneLedger(t *testing.T) {
	t.Parallel()
	requests, kills, life, within := sharedCrashNumbers()
	n := startAnvil(t, "--block-time", "0.25", "--balance", "1000000") // each 20 requests get an account with 100
	k := kubo.Start(t)
	ledger := sharedLedger(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	var cids []string
	for i := range 20 {
		cids = append(cids, k.Add(content(2000+uint64(i), 500+r.IntN(100_000))))
	}
	daemons := []*daemon{onLedger(t, n, ledger, "--ipfs-peers", k.Addr), onLedger(t, n, ledger, "--ipfs-peers", k.Addr)}
	for _, d := range daemons {
		d.start(t)
	}
	began := time.Now()
	var asked []common.Hash
	var wg sync.WaitGroup
	wg.Go(func() { asked = n.askMany(t, requests, cids) })
	for range kills {
		d := daemons[r.IntN(len(daemons))]
		pause := time.NewTimer(time.Duration(50+r.IntN(life)) * time.Millisecond)
		select {
		case <-pause.C:
		case <-d.done:
			t.Fatalf("a daemon ended by itself: %v\n%s", d.err, d.tail(4000))
		}
		d.kill()
		d.start(t)
	}
	t.Logf("%s: %d kills are over", time.Since(began).Round(time.Second), kills)
	wg.Wait()
	if t.Failed() {
		return
	}
	n.awaitAnswers(t, asked, within)
	t.Logf("%s: all %d are answered", time.Since(began).Round(time.Second), len(asked))
	for _, d := range daemons {
		d.awaitAnswered(t)
		d.verify(t)
	}
	for _, d := range daemons {
		d.stop(t)
	}
}

// The ledger's URL may hold a password: no command prints it.
func TestTheLedgersPasswordIsNotShown(t *testing.T) {
	const url = "postgres://tide:hunter2@127.0.0.1:1/ledger?sslpassword=hunter2"
	for _, args := range [][]string{{"config", "show"}, {"config", "show", "--json"}, {"config", "show", "--toml"}, {"config", "check"}, {"doctor", "--chain-rpc", "http://127.0.0.1:1"}, {"keys", "adopt", "--chain-rpc", "http://127.0.0.1:1", common.Address{1}.Hex()}} {
		out, err := tryOutput([]string{"TIDEGATE_LEDGER_URL=" + url}, tidegate(t), args...)
		if strings.Contains(out, "hunter2") || strings.Contains(fmt.Sprint(err), "hunter2") {
			t.Errorf("%v shows the password: %s %v", args, out, err)
		}
	}
	var all []struct{ Path, Value string }
	out := output(t, []string{"TIDEGATE_LEDGER_URL=" + url}, tidegate(t), "config", "show", "--json")
	if err := json.NewDecoder(bytes.NewReader([]byte(out))).Decode(&all); err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.Path == "ledger.url" && s.Value != "" && strings.Contains(s.Value, "127.0.0.1:1/ledger") {
			return
		}
	}
	t.Error("config show does not say where the ledger is")
}

// A ledger is backed up while its daemon works, and restored over a later one: the
// key has sent more since, is parked, and sends again once adopted; nothing is
// answered twice. The same backup then moves to Postgres.
func TestBackUpRestoreAndMoveToPostgres(t *testing.T) {
	t.Parallel()
	n := startAnvil(t, "--block-time", "0.25")
	d := newDaemon(t, n)
	d.start(t)
	cid := d.add(t, "x", content(43, 3000))
	asked := n.askMany(t, 1, []string{cid})
	n.awaitAnswers(t, asked, time.Minute)
	d.awaitAnswered(t)
	settings := append(slicesWithout(d.args, "daemon"), "--json")
	file := filepath.Join(t.TempDir(), "backup")
	output(t, d.env, tidegate(t), append([]string{"db", "backup", file}, settings...)...)
	asked = append(asked, n.askMany(t, 1, []string{cid})...)
	n.awaitAnswers(t, asked, time.Minute)
	d.awaitAnswered(t)

	if _, err := tryOutput(d.env, tidegate(t), append([]string{"db", "restore", "--replace", file}, settings...)...); err == nil || !strings.Contains(err.Error(), d.dir) {
		t.Errorf("a ledger was restored under a running daemon: %v", err)
	}
	d.stop(t)
	if _, err := tryOutput(d.env, tidegate(t), append([]string{"db", "restore", file}, settings...)...); err == nil || !strings.Contains(err.Error(), "--replace") {
		t.Errorf("a ledger was replaced without being asked to: %v", err)
	}
	restore := func(flags ...string) int {
		t.Helper()
		return len(decode[struct {
			Parked map[string]string `json:"parked"`
		}](t, output(t, d.env, tidegate(t), append(append([]string{"db", "restore"}, flags...), append([]string{file}, settings...)...)...)).Parked)
	}
	if got := restore("--replace"); got != 1 {
		t.Errorf("%d keys are parked", got)
	}
	again := func() {
		t.Helper()
		asked = append(asked, n.askMany(t, 1, []string{cid})...)
		sender := n.Keys[keySender].Address
		output(t, d.env, tidegate(t), append([]string{"keys", "adopt"}, append(slicesWithout(settings, "--json"), sender)...)...)
		n.awaitAnswers(t, asked, time.Minute)
		d.awaitAnswered(t)
	}
	d.start(t)
	again()
	d.stop(t)

	d.env = append(d.env, "TIDEGATE_LEDGER_URL="+sharedLedger(t))
	if got := restore(); got != 1 {
		t.Errorf("%d keys are parked", got)
	}
	output(t, d.env, tidegate(t), append([]string{"db", "migrate"}, settings...)...)
	d.start(t)
	again()
	d.stop(t)
}

func slicesWithout(list []string, word string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == word })
}
