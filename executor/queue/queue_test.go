package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nsqio/go-nsq"
	"github.com/nsqio/nsq/nsqd"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"

	"github.com/tidegate/tidegate/executor/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal is a log that tests can read while it is written.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) count(words string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.b.String(), words)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// start runs a queue until the test ends.
func start(t *testing.T, cfg Config) (*Queue, *journal) {
	t.Helper()
	q, j, stop := startStop(t, cfg)
	t.Cleanup(stop)
	return q, j
}

// startStop runs a queue until stop is called: before an nsqd that was made
// after the queue ends.
func startStop(t *testing.T, cfg Config) (*Queue, *journal, func()) {
	t.Helper()
	cfg.RetryEvery = 20 * time.Millisecond
	cfg.LookupEvery = 20 * time.Millisecond
	j := &journal{}
	q, err := New(cfg, Deps{Log: slog.New(slog.NewTextHandler(j, nil)), Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx) }()
	return q, j, func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("Run did not return; log:\n%s", j)
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// quiet waits until the queue is connected and drains the wake-ups of connecting.
func quiet(t *testing.T, q *Queue) {
	t.Helper()
	eventually(t, "a connection", func() bool {
		if ok, _ := q.health.get(); !ok {
			return false
		}
		for _, k := range job.Kinds() {
			q.Notify(k)
		}
		return received(t, q, "pin") > 0 && received(t, q, "unpin") > 0 && received(t, q, "release") > 0
	})
	settle(q)
}

// settle drains wakes until none comes for a while.
func settle(q *Queue) {
	for still := 0; still < 10; {
		still++
		for _, k := range job.Kinds() {
			select {
			case <-q.Wakes(k):
				still = 0
			default:
			}
		}
		<-time.After(10 * time.Millisecond)
	}
}

func received(t *testing.T, q *Queue, kind string) int {
	t.Helper()
	return value(t, q.metrics.received.WithLabelValues(kind))
}

func wakes(t *testing.T, q *Queue, k job.Kind) {
	t.Helper()
	select {
	case <-q.Wakes(k):
	case <-time.After(10 * time.Second):
		t.Fatalf("no wake-up of %s", k)
	}
}

func TestEmbeddedWakesOnlyTheLaneThatWasAskedFor(t *testing.T) {
	q, _ := start(t, Config{DataDir: t.TempDir()})
	quiet(t, q)
	before := received(t, q, "unpin")
	q.Notify(job.KindUnpin)
	wakes(t, q, job.KindUnpin)
	eventually(t, "the message", func() bool { return received(t, q, "unpin") == before+1 })
	for _, k := range []job.Kind{job.KindPin, job.KindRelease} {
		select {
		case <-q.Wakes(k):
			t.Errorf("lane %s woke", k)
		default:
		}
	}
	s := q.Status()
	if s.Mode != "embedded" || !s.Connected || len(s.NSQD) != 1 || !strings.HasPrefix(s.NSQD[0], "127.0.0.1:") {
		t.Errorf("status %+v", s)
	}
}

func TestNotifyCoalescesAndNeverBlocks(t *testing.T) {
	q, err := New(Config{DataDir: t.TempDir()}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	for range 10_000 { // nobody runs the queue
		q.Notify(job.KindPin)
		q.Notify("unheard of")
	}
	if !q.lanes[job.KindPin].pending.Load() || q.lanes[job.KindUnpin].pending.Load() {
		t.Error("pending flags are wrong")
	}
	if q.Wakes("unheard of") != nil {
		t.Error("a lane for an unknown kind")
	}
}

func TestEmbeddedStartsOnUnusableData(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"garbage metadata": func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "nsq", "nsqd.dat"), "{{{")
		},
		"garbage disk queue": func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "nsq", "nsqd.dat"), `{"topics":[{"name":"tidegate.pin","channels":[{"name":"runner"}]}]}`)
			write(t, filepath.Join(dir, "nsq", "tidegate.pin.diskqueue.meta.dat"), "4\n0,0\n0,400\n")
			write(t, filepath.Join(dir, "nsq", "tidegate.pin.diskqueue.000000.dat"), strings.Repeat("\xff", 400))
		},
		"a file in its place": func(t *testing.T, dir string) { write(t, filepath.Join(dir, "nsq"), "not a directory") },
		"nothing":             func(*testing.T, string) {},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			spoil(t, dir)
			q, j := start(t, Config{DataDir: dir})
			quiet(t, q)
			q.Notify(job.KindPin)
			wakes(t, q, job.KindPin)
			if want := name == "garbage metadata" || name == "a file in its place"; (j.count("unusable") > 0) != want {
				t.Errorf("warned of unusable data: %v, want %v; log:\n%s", !want, want, j)
			}
		})
	}
}

func TestEmbeddedSurvivesItsDataBeingWiped(t *testing.T) {
	dir := t.TempDir()
	q, j := start(t, Config{DataDir: dir})
	quiet(t, q)
	first := q.Status().NSQD[0]
	if err := os.RemoveAll(filepath.Join(dir, "nsq")); err != nil {
		t.Fatal(err)
	}
	q.Notify(job.KindPin) // may be lost with nsqd's files: that is what sweeping is for
	eventually(t, "another nsqd", func() bool {
		s := q.Status()
		return s.Connected && len(s.NSQD) == 1 && s.NSQD[0] != first
	})
	settle(q)
	q.Notify(job.KindPin)
	wakes(t, q, job.KindPin)
	if n := j.count("embedded nsqd stopped"); n != 1 {
		t.Errorf("said %d times that nsqd stopped; log:\n%s", n, j)
	}
}

func TestEmbeddedWakesInTheProcessWhileNsqdCannotStart(t *testing.T) {
	dir := t.TempDir()
	// Another nsqd holds the directory's lock.
	other := external(t, filepath.Join(dir, "nsq"), "127.0.0.1:0")
	q, j := start(t, Config{DataDir: dir})
	eventually(t, "the failure", func() bool { return j.count("embedded nsqd stopped") == 1 })
	settle(q)
	for range 3 {
		q.Notify(job.KindPin)
		wakes(t, q, job.KindPin)
	}
	if j.count("unusable") != 0 {
		t.Error("another nsqd's data was wiped")
	}
	other.stop()
	eventually(t, "recovery", func() bool { return q.Status().Connected })
	if n := j.count("embedded nsqd stopped"); n != 1 {
		t.Errorf("the failure was logged %d times", n)
	}
}

// server is an nsqd of the test's own.
type server struct {
	addr string
	d    *nsqd.NSQD
	once sync.Once
	done chan struct{}
}

func (s *server) stop() {
	s.once.Do(func() {
		s.d.Exit()
		<-s.done
	})
}

func external(t *testing.T, dir, addr string) *server {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	opts := nsqd.NewOptions()
	opts.TCPAddress, opts.HTTPAddress, opts.HTTPSAddress = addr, "", ""
	opts.DataPath, opts.Logger = dir, &output{log: slog.New(slog.DiscardHandler)}
	var d *nsqd.NSQD
	eventually(t, "the port of nsqd", func() bool {
		var err error
		d, err = nsqd.New(opts)
		return err == nil
	})
	s := &server{addr: d.RealTCPAddr().String(), d: d, done: make(chan struct{})}
	go func() { defer close(s.done); _ = d.Main() }()
	t.Cleanup(s.stop)
	return s
}

func TestExternalFailsOverAndComesBack(t *testing.T) {
	a := external(t, t.TempDir(), "127.0.0.1:0")
	b := external(t, t.TempDir(), "127.0.0.1:0")
	q, j, stop := startStop(t, Config{NSQD: []string{a.addr, b.addr}})
	quiet(t, q)

	a.stop()
	eventually(t, "the loss to be noticed", func() bool { return !q.Status().Connected })
	settle(q)
	n := received(t, q, "pin")
	q.Notify(job.KindPin)
	eventually(t, "a message through the second nsqd", func() bool { return received(t, q, "pin") == n+1 })

	b.stop()
	eventually(t, "the second loss", func() bool { return j.count("lost nsqd") == 2 })
	settle(q)
	q.Notify(job.KindUnpin)
	wakes(t, q, job.KindUnpin) // in the process

	external(t, t.TempDir(), a.addr)
	external(t, t.TempDir(), b.addr)
	eventually(t, "recovery", func() bool {
		q.Notify(job.KindPin) // publishing is found to work by publishing
		return q.Status().Connected && received(t, q, "pin") > n+1
	})
	stop()
	if n := j.count("lost nsqd"); n != 2 {
		t.Errorf("two losses were logged %d times:\n%s", n, j)
	}
}

func TestExternalMayBeDownAtTheStart(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	q, _, stop := startStop(t, Config{NSQD: []string{addr}})
	q.Notify(job.KindPin)
	wakes(t, q, job.KindPin)
	if s := q.Status(); s.Mode != "external" {
		t.Errorf("status %+v", s)
	}
	external(t, t.TempDir(), addr)
	eventually(t, "a message", func() bool { q.Notify(job.KindPin); return received(t, q, "pin") > 0 })
	stop()
}

func TestLookupdNamesWhatToConsumeFrom(t *testing.T) {
	pub := external(t, t.TempDir(), "127.0.0.1:0")
	other := external(t, t.TempDir(), "127.0.0.1:0")
	host, port, _ := net.SplitHostPort(other.addr)
	var mu sync.Mutex
	known := false
	lookupd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path != "/lookup" || r.URL.Query().Get("topic") == "" {
			http.Error(w, "what?", http.StatusBadRequest)
			return
		}
		if !known {
			http.Error(w, `{"message":"TOPIC_NOT_FOUND"}`, http.StatusNotFound)
			return
		}
		fmt.Fprintf(w, `{"channels":[],"producers":[{"broadcast_address":%q,"tcp_port":%s}]}`, host, port)
	}))
	t.Cleanup(lookupd.Close)
	q, _ := start(t, Config{NSQD: []string{pub.addr}, Lookupd: []string{lookupd.URL}})
	quiet(t, q) // through the nsqd that is published to
	mu.Lock()
	known = true
	mu.Unlock()

	// Another program publishes on the nsqd that only lookupd names.
	n := received(t, q, "release")
	p, err := nsq.NewProducer(other.addr, nsq.NewConfig())
	if err != nil {
		t.Fatal(err)
	}
	p.SetLogger(&output{log: slog.New(slog.DiscardHandler)}, nsq.LogLevelError)
	t.Cleanup(p.Stop)
	if err := p.Publish("tidegate.release", []byte("release")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its message", func() bool { return received(t, q, "release") == n+1 })
}

func TestConfigIsChecked(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		want string
	}{
		"no directory":   {Config{}, "data directory"},
		"bad nsqd":       {Config{NSQD: []string{"nohost"}}, "queue.nsqd"},
		"bad lookupd":    {Config{NSQD: []string{"a:1"}, Lookupd: []string{"ftp://x"}}, "queue.nsqlookupd"},
		"lookupd only":   {Config{Lookupd: []string{"a:1"}}, "name at least one nsqd"},
		"bad topic name": {Config{NSQD: []string{"a:1"}, TopicPrefix: "a b"}, "not a valid NSQ topic"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(c.cfg, Deps{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want words %q", err, c.want)
			}
		})
	}
	reg := prometheus.NewRegistry()
	if _, err := New(Config{DataDir: "x"}, Deps{Metrics: reg}); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{DataDir: "x"}, Deps{Metrics: reg}); !errors.As(err, &prometheus.AlreadyRegisteredError{}) {
		t.Errorf("second registration: %v", err)
	}
}

func write(t *testing.T, path, s string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
		t.Fatal(err)
	}
}

func value(t *testing.T, c prometheus.Metric) int {
	t.Helper()
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		t.Fatal(err)
	}
	return int(m.GetCounter().GetValue())
}
