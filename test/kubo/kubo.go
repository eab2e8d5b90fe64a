// Package kubo runs a real Kubo as a test peer: a daemon on loopback, without
// the public network. The binary is built from test/peers, which has a go.mod of
// its own so that Kubo's dependencies never enter ours.
//
// Map: kubo.go only.
package kubo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Node is a running Kubo daemon.
type Node struct {
	// Addr is where it listens, a multiaddr that ends in /p2p/<id>.
	Addr string
	// API is the base URL of its RPC.
	API string

	t    testing.TB
	bin  string
	repo string
}

// Binary finds the built Kubo, or fails with what builds it.
func Binary(t testing.TB) string {
	t.Helper()
	_, self, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("no caller information")
	}
	bin := filepath.Join(filepath.Dir(self), "..", "peers", "bin", "ipfs")
	if _, err := os.Stat(bin); err != nil {
		t.Fatal("test/peers/bin/ipfs is missing: make e2e builds it")
	}
	return bin
}

// Start makes a fresh repository and runs its daemon until the test ends.
func Start(t testing.TB) *Node {
	t.Helper()
	n := &Node{t: t, bin: Binary(t), repo: filepath.Join(t.TempDir(), "kubo")}
	n.Run("init", "-e", "-p", "test")
	n.Run("bootstrap", "rm", "--all")
	port, api := freePort(t), freePort(t)
	for key, value := range map[string]any{
		"Routing.Type":              "none",
		"Addresses.Swarm":           []string{fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port)},
		"Addresses.API":             fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", api),
		"Addresses.Gateway":         []string{},
		"Swarm.RelayClient.Enabled": false,
		"Discovery.MDNS.Enabled":    false,
		"AutoConf.Enabled":          false,
		"AutoTLS.Enabled":           false,
		"Ipns.DelegatedPublishers":  []string{},
		"Routing.DelegatedRouters":  []string{},
		"DNS.Resolvers":             map[string]string{},
	} {
		b, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		n.Run("config", "--json", key, string(b))
	}
	n.serve()
	var id struct{ ID string }
	if err := json.Unmarshal([]byte(n.Run("id", "--encoding=json")), &id); err != nil {
		t.Fatal(err)
	}
	n.Addr = fmt.Sprintf("/ip4/127.0.0.1/tcp/%d/p2p/%s", port, id.ID)
	n.API = fmt.Sprintf("http://127.0.0.1:%d/api/v0", api)
	return n
}

// serve runs the daemon and waits until it says that it is ready.
func (n *Node) serve() {
	n.t.Helper()
	cmd := exec.Command(n.bin, "daemon")
	cmd.Env = n.env()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		n.t.Fatalf("starting Kubo: %v", err)
	}
	ready := make(chan struct{})
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			if strings.Contains(s.Text(), "Daemon is ready") {
				close(ready)
			}
		}
	}()
	n.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		<-drained
		_ = cmd.Wait()
		timer.Stop()
	})
	select {
	case <-ready:
	case <-drained:
		n.t.Fatalf("Kubo ended at its start: %s", stderr.String())
	case <-time.After(time.Minute):
		n.t.Fatal("Kubo was not ready within a minute")
	}
}

func (n *Node) env() []string {
	return append(os.Environ(), "IPFS_PATH="+n.repo, "IPFS_TELEMETRY=off")
}

// Try runs an ipfs command and gives its standard output.
func (n *Node) Try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, n.bin, args...)
	cmd.Env = n.env()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("ipfs %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

// Run is Try that fails the test.
func (n *Node) Run(args ...string) string {
	n.t.Helper()
	out, err := n.Try(args...)
	if err != nil {
		n.t.Fatal(err)
	}
	return out
}

// Add stores a file of the given bytes and gives its CID.
func (n *Node) Add(data []byte, flags ...string) string {
	n.t.Helper()
	path := filepath.Join(n.t.TempDir(), "file")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		n.t.Fatal(err)
	}
	return n.Run(append(append([]string{"add", "-Q", "--pin"}, flags...), path)...)
}

// Forget removes a pinned CID and everything that nothing else pins.
func (n *Node) Forget(cid string) {
	n.t.Helper()
	n.Run("pin", "rm", cid)
	n.Run("repo", "gc", "--quiet")
}

// Pin pins a CID over the RPC, without the cost of starting a process.
func (n *Node) Pin(ctx context.Context, cid string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.API+"/pin/add?arg="+url.QueryEscape(cid), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("pin/add answered %s: %s", resp.Status, body)
	}
	return err
}

// Export writes the CAR of a DAG, as ipfs dag export, over the RPC.
func (n *Node) Export(ctx context.Context, cid string, w io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.API+"/dag/export?progress=false&arg="+url.QueryEscape(cid), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		return fmt.Errorf("dag/export answered %s: %s", resp.Status, body)
	}
	_, err = io.Copy(w, resp.Body)
	return err
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
