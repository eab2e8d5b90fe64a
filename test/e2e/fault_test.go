package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/tidegate/tidegate/devnet/fault"
)

// faulty stands a proxy before the network's endpoint.
func faulty(t testing.TB, n *network, cfg fault.Config) (*fault.Proxy, string) {
	t.Helper()
	cfg.Upstream = n.RPC
	p, err := fault.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(p)
	t.Cleanup(func() { p.Close(); srv.CloseClientConnections(); srv.Close() })
	return p, srv.URL
}

// alone are the faults, how often each is done when it is alone, and what doctor may
// call it.
var alone = []struct {
	fault fault.Fault
	rate  float64
	named []string
}{
	{fault.Lagging, 1, []string{"went_back", "lagging"}},
	{fault.Backwards, 0.4, []string{"went_back", "lagging"}},
	{fault.Throttle, 0.1, []string{"throttled"}},
	{fault.Unavailable, 0.2, []string{"transport"}},
	{fault.Garbage, 0.1, []string{"garbage"}},
	{fault.Truncated, 0.1, []string{"garbage", "transport"}},
	{fault.Stall, 0.05, []string{"transport"}},
	{fault.LateLogs, 1, []string{"late_logs"}},
	{fault.IndexHoles, 0.5, []string{"index_holes", "missing_events", "late_logs", "untrue"}},
	{fault.NoReceipts, 0.7, []string{"receipts_vanish"}},
	{fault.EmptyReceipts, 1, []string{"receipts_vanish"}},
	{fault.RemovedLogs, 0.3, []string{"garbage"}},
	{fault.DoubleLogs, 1, []string{"double_logs"}},
	{fault.LogIndex, 1, []string{"log_index"}},
	{fault.FinalityLies, 1, []string{"head_final"}},
}

// Whatever the only endpoint does, every request is answered once, the audit is
// complete, and doctor names what is wrong while it lasts: 500 requests with each
// fault alone and with all together under TIDEGATE_SOAK=1, and silence after each;
// otherwise 1 and 8, and silence at the end.
func TestEachFaultAloneAndAllTogether(t *testing.T) {
	t.Parallel()
	each, all, soak := 1, 8, os.Getenv("TIDEGATE_SOAK") != ""
	if soak {
		each, all = 500, 500
	}
	p := start(t, "devnet", true, nil, tidegate(t), devnetArgs(t, "200ms")...)
	n := devnetLine(t, p).dial(t, p)
	// A lag of four seconds shows to who looks once a second, also on a busy machine; a
	// shorter one may not.
	proxy, url := faulty(t, n, fault.Config{Seed: 9, Lag: 20, Stall: 1500 * time.Millisecond})
	n.plain = "its faults are ours"
	d := newDaemon(t, n)
	d.through(url)
	d.start(t)
	var cids []string // a requester asks for each but once
	for i := range 10 {
		cids = append(cids, d.add(t, fmt.Sprint("content-", i), content(900+uint64(i), 20_000)))
	}
	asked := map[string]int{}
	ask := func(count int) {
		for _, id := range n.askMany(t, count, cids[:min(count, len(cids))]) {
			asked[id.Hex()]++
		}
	}
	answered := func(within time.Duration) {
		eventually(t, within, "all are answered", func() error {
			if got := len(n.answers(t)); got < len(asked) {
				return fmt.Errorf("%d of %d", got, len(asked))
			}
			return nil
		})
	}
	ask(1) // before any fault: a head that goes back is known by where it was
	answered(time.Minute)
	for _, c := range alone {
		t.Run(string(c.fault), func(t *testing.T) {
			if err := proxy.Set(c.fault, c.rate); err != nil {
				t.Fatal(err)
			}
			defer proxy.Clear()
			before := proxy.Done()[c.fault]
			ask(each)
			eventually(t, time.Minute, "doctor names it", func() error {
				found := d.doctor(t)
				if slices.ContainsFunc(found, func(kind string) bool { return slices.Contains(c.named, kind) }) {
					return nil
				}
				return fmt.Errorf("it says %v, not one of %v", found, c.named)
			})
			answered(time.Duration(120+each) * time.Second)
			if proxy.Done()[c.fault] == before {
				t.Error("the fault was never done")
			}
			if soak { // what doctor says of the next fault is not left over from this one
				proxy.Clear()
				d.well(t)
			}
		})
	}
	t.Run("all together", func(t *testing.T) {
		allTogether(t, proxy)
		ask(all)
		answered(time.Duration(180+all) * time.Second)
	})
	proxy.Clear()
	d.awaitAnswered(t)
	for id, times := range n.answers(t) {
		if times != 1 || asked[id.Hex()] != 1 {
			t.Errorf("request %s, asked %d times, was answered %d times", id, asked[id.Hex()], times)
		}
	}
	d.well(t)
	d.stop(t)
}

// allTogether switches all faults on, at rates under which an endpoint is still one:
// with an index that has holes, receipts are the only way to some logs, so they must
// have logs most of the time.
func allTogether(t testing.TB, proxy *fault.Proxy) {
	for _, c := range alone {
		rate := c.rate / 5
		switch c.fault {
		case fault.Lagging, fault.LateLogs, fault.DoubleLogs, fault.LogIndex: // as alone
			rate = c.rate
		}
		if err := proxy.Set(c.fault, rate); err != nil {
			t.Fatal(err)
		}
	}
}

// well waits until audit says complete and doctor nothing.
func (d *daemon) well(t testing.TB) {
	t.Helper()
	eventually(t, 90*time.Second, "audit says complete", func() error {
		_, err := d.settings("audit")
		return err
	})
	eventually(t, 90*time.Second, "doctor is silent", func() error {
		if found := d.doctor(t); len(found) > 0 {
			return fmt.Errorf("it says %v", found)
		}
		return nil
	})
	d.verify(t)
}

// through makes the daemon read another endpoint.
func (d *daemon) through(url string) {
	d.args[slices.Index(d.args, "--chain-rpc")+1] = url
}

// settings runs a command that takes the daemon's own flags.
func (d *daemon) settings(command ...string) (string, error) {
	return tryOutput(d.env, tidegate(d.n.t), append(command, d.args[1:]...)...)
}

// doctor gives the kinds of what `tidegate doctor` finds.
func (d *daemon) doctor(t testing.TB) []string {
	t.Helper()
	cmd := exec.Command(tidegate(t), append([]string{"doctor", "--json"}, d.args[1:]...)...)
	cmd.Env = append(os.Environ(), d.env...)
	out, err := cmd.Output()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	var found []struct {
		Kind, What string
	}
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatalf("doctor: %v\n%s", err, out)
	}
	var kinds []string
	for _, f := range found {
		kinds = append(kinds, f.Kind)
	}
	return kinds
}
