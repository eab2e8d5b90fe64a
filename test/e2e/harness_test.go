package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// root is the checkout.
func root(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// tool finds a binary of the checkout, or fails with what makes it.
func tool(t testing.TB, rel string) string {
	t.Helper()
	path := filepath.Join(root(t), rel)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s is missing: run make e2e, which builds it", rel)
	}
	return path
}

func tidegate(t testing.TB) string { return tool(t, "bin/tidegate") }
func cast(t testing.TB) string     { return tool(t, "bin/cast") }

// proc is a running process whose output is kept for the failing test's log.
type proc struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
	err  error

	mu    sync.Mutex
	out   bytes.Buffer // standard error and, unless piped, standard output
	lines chan string  // standard output, when asked for
}

// start runs a binary until the test ends. With lines, standard output is
// delivered line by line.
func start(t testing.TB, name string, lines bool, env []string, bin string, args ...string) *proc {
	t.Helper()
	p, err := launch(name, lines, env, bin, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		p.logOf(t)
	})
	return p
}

// launch is start without an end.
func launch(name string, lines bool, env []string, bin string, args ...string) (*proc, error) {
	p := &proc{name: name, cmd: exec.Command(bin, args...), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stderr = p
	if lines {
		stdout, err := p.cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		p.lines = make(chan string, 1024)
		go p.readLines(stdout)
	} else {
		p.cmd.Stdout = p
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() { p.err = p.cmd.Wait(); close(p.done) }()
	return p, nil
}

// logOf shows the output of the process if the test failed.
func (p *proc) logOf(t testing.TB) {
	if t.Failed() {
		t.Logf("---- output of %s\n%s", p.name, p.tail(12_000))
	}
}

func (p *proc) readLines(r io.Reader) {
	defer close(p.lines)
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		_, _ = p.Write(append(s.Bytes(), '\n'))
		select {
		case p.lines <- s.Text():
		default: // nobody reads any more
		}
	}
}

// Write keeps output.
func (p *proc) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *proc) tail(n int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.out.String()
	if len(s) > n {
		s = "…" + s[len(s)-n:]
	}
	return s
}

// kill ends the process at once, as kill -9 does.
func (p *proc) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// stop asks the process to end and waits for it.
func (p *proc) stop(t testing.TB) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patient(30 * time.Second)):
		t.Errorf("%s did not end within %s of SIGTERM", p.name, patient(30*time.Second))
		p.kill()
	}
}

// line waits for a line of standard output that f accepts.
func (p *proc) line(t testing.TB, within time.Duration, f func(string) bool) string {
	t.Helper()
	within = patient(within)
	timeout := time.After(within)
	for {
		select {
		case l, ok := <-p.lines:
			if !ok {
				t.Fatalf("%s ended without the awaited line:\n%s", p.name, p.tail(4000))
			}
			if f(l) {
				return l
			}
		case <-timeout:
			t.Fatalf("%s printed no awaited line within %s:\n%s", p.name, within, p.tail(4000))
		}
	}
}

// patient gives a wait three times as long, up to five minutes, for machines that do much
// else beside: how long a thing may take is never meant, a test that means it measures it.
func patient(within time.Duration) time.Duration {
	return max(within, min(3*within, 5*time.Minute))
}

// eventually polls until f returns nil, and fails with f's last words. It rests as long
// as f takes, so that looking is not what keeps the machine busy.
func eventually(t testing.TB, within time.Duration, what string, f func() error) {
	t.Helper()
	within = patient(within)
	began := time.Now()
	for {
		looked := time.Now()
		err := f()
		if err == nil {
			return
		}
		if time.Since(began) > within {
			t.Fatalf("%s: not within %s: %v", what, within, err)
		}
		<-time.After(max(100*time.Millisecond, time.Since(looked)))
	}
}

// output runs a command to its end and gives its standard output.
func output(t testing.TB, env []string, bin string, args ...string) string {
	t.Helper()
	out, err := tryOutput(env, bin, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tryOutput(env []string, bin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(bin), strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

func decode[T any](t testing.TB, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("not the awaited JSON: %v\n%s", err, text)
	}
	return v
}

// ports counts the ports that were given out.
var ports atomic.Int64

// freePort gives a port that is free, and was given to no other test. It is below those that
// the system gives to connections (from 32768 on), which would take it before its owner does.
func freePort(t testing.TB) int {
	t.Helper()
	const lowest, many = 10_000, 22_000
	first := os.Getpid() * 97 // another run of the tests begins elsewhere
	for range many {
		port := lowest + (first+int(ports.Add(1)))%many
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

var errNotYet = errors.New("not yet")
