package e2e

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/test/kubo"
	_ "modernc.org/sqlite" // to write a schema version that is too new
)

// A daemon that cannot work says why and what to do, and ends.
func TestDaemonRefusesBadSurroundings(t *testing.T) {
	n := sharedDevnet(t)
	n.plain = "what the daemon says of its surroundings must not be what a fault makes of them"
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for name, c := range map[string]struct {
		flags []string
		env   []string
		setUp func(t *testing.T, d *daemon)
		says  []string
	}{
		"wrong chain id":   {flags: []string{"--chain-id", "31337"}, says: []string{"31337", "31415926"}},
		"no key":           {env: []string{"SENDER_KEY="}, says: []string{"SENDER_KEY"}},
		"malformed key":    {env: []string{"SENDER_KEY=0x1234"}, says: []string{"SENDER_KEY"}},
		"not an operator":  {env: []string{"REPORT_KEY=" + n.Keys[keyBob].PrivateKey}, says: []string{"operator"}},
		"API port in use":  {flags: []string{"--http-listen", busy.Addr().String()}, says: []string{"http.listen", busy.Addr().String()}},
		"p2p port in use":  {flags: []string{"--ipfs-listen", p2pAddr(busy)}, says: []string{"ipfs.listen"}},
		"no such contract": {flags: []string{"--chain-provider", "0x00000000000000000000000000000000000000aa"}, says: []string{"no contract"}},
		"two settings wrong": {
			flags: []string{"--log-level", "loud", "--runner-pin-workers", "0"}, says: []string{"log.level", "runner.pin_workers"},
		},
		"newer schema": {setUp: writeNewerSchema, says: []string{"newer"}},
		"data directory is a file": {
			setUp: func(t *testing.T, d *daemon) { writeFile(t, filepath.Dir(d.dir), filepath.Base(d.dir), nil) }, says: []string{"data"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDaemon(t, n, c.flags...)
			d.env = append(d.env, c.env...)
			if c.setUp != nil {
				c.setUp(t, d)
			}
			p := start(t, "daemon", false, d.env, tidegate(t), d.args...)
			select {
			case <-p.done:
			case <-time.After(patient(30 * time.Second)):
				t.Fatalf("it did not end:\n%s", p.tail(3000))
			}
			if p.err == nil {
				t.Error("it ended with code 0")
			}
			text := p.tail(6000)
			for _, word := range c.says {
				if !strings.Contains(text, word) {
					t.Errorf("it does not say %q:\n%s", word, text)
				}
			}
			for _, secret := range n.Keys {
				if strings.Contains(text, strings.TrimPrefix(secret.PrivateKey, "0x")) {
					t.Error("a private key is in the output")
				}
			}
		})
	}
}

func p2pAddr(l net.Listener) string {
	return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", l.Addr().(*net.TCPAddr).Port)
}

func writeNewerSchema(t *testing.T, d *daemon) {
	d.start(t)
	d.stop(t)
	files, err := filepath.Glob(filepath.Join(d.dir, "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("ledger files: %v (%v)", files, err)
	}
	db, err := sql.Open("sqlite", files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)"); err != nil {
		t.Fatal(err)
	}
}

func TestSecondDaemonOnTheSameDirectoryIsRefused(t *testing.T) {
	n := sharedDevnet(t)
	first := newDaemon(t, n)
	first.start(t)
	second := newDaemon(t, n, "--data-dir", first.dir)
	p := start(t, "second daemon", false, second.env, tidegate(t), second.args...)
	select {
	case <-p.done:
	case <-time.After(patient(30 * time.Second)):
		t.Fatal("the second daemon runs")
	}
	if text := p.tail(4000); p.err == nil || !strings.Contains(text, first.dir) {
		t.Errorf("it does not name the directory: %v\n%s", p.err, text)
	}
	first.cli(t, "jobs", "ls", "--json") // the first is unharmed
	first.stop(t)
}

// The endpoint is down when the daemon starts, comes up, answers garbage for a
// while, goes down, and comes back: the daemon waits each time and loses nothing.
func TestEndpointThatComesAndGoes(t *testing.T) {
	n := sharedDevnet(t)
	n.plain = "the endpoint fails when the test says so"
	mode := newProxy(t, n.RPC)
	mode.set(proxyDown)
	direct := n.RPC
	n.RPC = mode.url
	d := newDaemon(t, n)
	n.RPC = direct
	d.proc = start(t, "daemon", false, d.env, tidegate(t), d.args...)
	eventually(t, 20*time.Second, "it says that it waits for the endpoint", func() error {
		if !strings.Contains(d.tail(8000), mode.host) {
			return errNotYet
		}
		return nil
	})
	mode.set(proxyUp)
	d.awaitReady(t)

	local := writeFile(t, t.TempDir(), "local.bin", content(7, 200_000))
	cid := strings.Fields(d.cli(t, "pin", "add", "--file", local, "--quiet"))[0]
	for i, m := range []int{proxyGarbage, proxyDown, proxyBusy} {
		mode.set(m)
		key := keyAlice + i%2
		id := n.pin(key, cid)
		timer := time.NewTimer(2 * time.Second) // the fault must last over several polls
		<-timer.C
		if n.answers(t)[id] != 0 {
			t.Fatalf("answered through a broken endpoint")
		}
		mode.set(proxyUp)
		eventually(t, time.Minute, "answered after the endpoint is back", func() error {
			if n.answers(t)[id] != 1 {
				return errNotYet
			}
			return nil
		})
		n.send(key, n.quoteUnpin(), n.pinning(), "unpin(bytes)", cidHex(t, cid))
		d.awaitAnswered(t)
	}
	if lines := strings.Count(d.tail(1<<20), "\n"); lines > 600 {
		t.Errorf("%d log lines: a busy loop", lines)
	}
	d.stop(t)
}

// An empty sender key parks the sender and says so; funding it resumes.
func TestEmptyBalanceParksAndResumes(t *testing.T) {
	n := sharedDevnet(t)
	poor := account{"0x68F8b0Bf8DA4EC9AB95B4cE4B2A2C6bEEcb0b0F2", "0x" + strings.Repeat("5a", 32)}
	poor.Address = strings.TrimSpace(output(t, nil, cast(t), "wallet", "address", poor.PrivateKey))
	d := newDaemon(t, n)
	d.env = append(d.env, "SENDER_KEY="+poor.PrivateKey)
	d.start(t)
	local := writeFile(t, t.TempDir(), "x", content(8, 1000))
	cid := strings.Fields(d.cli(t, "pin", "add", "--file", local, "--quiet"))[0]
	id := n.pin(keyAlice, cid)
	eventually(t, time.Minute, "it says that the balance is too low", func() error {
		if !strings.Contains(strings.ToLower(d.tail(20_000)), "balance") {
			return errNotYet
		}
		return nil
	})
	output(t, nil, cast(t), "send", "--rpc-url", n.RPC, "--private-key", n.Keys[keyBob].PrivateKey, "--value", "10ether", poor.Address)
	n.awaitAnswers(t, []common.Hash{id}, time.Minute)
	d.stop(t)
}

// A disk that is too full keeps a request waiting, says why and what to do, and
// loses nothing: with room again, the same request is answered as pinned.
func TestFullDiskKeepsTheRequestWaiting(t *testing.T) {
	n := sharedDevnet(t)
	k := kubo.Start(t)
	cid := k.Add(content(21, 300_000))
	d := newDaemon(t, n, "--ipfs-peers", k.Addr)
	roomy := d.args
	d.args = append(append([]string{}, roomy...), "--ipfs-disk-reserve", "1048576 GiB")
	d.start(t)
	id := n.pin(keyAlice, cid)
	eventually(t, time.Minute, "it says that the disk is too full", func() error {
		if !strings.Contains(d.tail(20_000), "free some space or lower the reserve") {
			return errNotYet
		}
		return nil
	})
	waiting := d.job(t, id)
	if waiting.State != "snoozed" {
		t.Fatalf("the job is %s", waiting.State)
	}
	if n.answers(t)[id] != 0 || n.status(cid) != pinRequested {
		t.Fatalf("answered though the disk, not the content, is at fault; status %d", n.status(cid))
	}
	d.stop(t)

	d.args = roomy
	d.start(t)
	d.cli(t, "jobs", "retry", fmt.Sprint(waiting.ID)) // it would be tried again by itself, in a minute
	n.awaitStatus(cid, pinPinned, time.Minute)
	d.verify(t)
	d.stop(t)
}

// proxy is an endpoint in front of the chain's whose manners can be switched.
type proxy struct {
	url, host string
	modes     chan int
}

const (
	proxyUp = iota
	proxyDown
	proxyGarbage
	proxyBusy
)

func newProxy(t *testing.T, upstream string) *proxy {
	t.Helper()
	p := &proxy{modes: make(chan int, 1)}
	p.modes <- proxyUp
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mode := <-p.modes
		p.modes <- mode
		switch mode {
		case proxyDown:
			panic(http.ErrAbortHandler)
		case proxyGarbage:
			fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":{"number":"banana"}`)
		case proxyBusy:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			forward(w, r, upstream)
		}
	}))
	t.Cleanup(s.Close)
	p.url = s.URL
	p.host = strings.TrimPrefix(s.URL, "http://")
	return p
}

func (p *proxy) set(mode int) {
	<-p.modes
	p.modes <- mode
}

func forward(w http.ResponseWriter, r *http.Request, upstream string) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, upstream, r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	req.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}
