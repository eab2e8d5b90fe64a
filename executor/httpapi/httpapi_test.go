package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/ipfs/go-cid"
	"go.uber.org/goleak"

	"github.com/tidegate/tidegate/executor/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const knownCID = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"

// ledger is a small ledger in memory.
type ledger struct {
	mu   sync.Mutex
	rows []job.Job
}

func (l *ledger) Jobs(_ context.Context, f job.Filter) ([]job.Job, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []job.Job
	for _, j := range slices.Backward(l.rows) {
		if (f.Kind == "" || j.Kind == f.Kind) && (f.State == "" || j.State == f.State) && (f.Request == "" || j.Request == f.Request) &&
			(f.Before == 0 || j.ID < f.Before) && (f.Limit == 0 || len(out) < f.Limit) {
			out = append(out, j)
		}
	}
	return out, nil
}

func (l *ledger) Job(_ context.Context, id int64) (job.Job, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id < 1 || id > int64(len(l.rows)) {
		return job.Job{}, fmt.Errorf("job %d: %w", id, job.ErrNotFound)
	}
	return l.rows[id-1], nil
}

func (l *ledger) set(id int64, to job.State, from ...job.State) (job.Job, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id < 1 || id > int64(len(l.rows)) {
		return job.Job{}, job.ErrNotFound
	}
	if !slices.Contains(from, l.rows[id-1].State) {
		return job.Job{}, job.ErrConflict
	}
	l.rows[id-1].State = to
	return l.rows[id-1], nil
}

func (l *ledger) JobDetail(context.Context, int64) ([]byte, error) { return nil, nil }

func (l *ledger) RetryNow(_ context.Context, id int64, _ time.Time) (job.Job, error) {
	return l.set(id, job.Available, job.Dead, job.Retrying)
}

func (l *ledger) DropJob(_ context.Context, id int64, _ time.Time) error {
	_, err := l.set(id, job.Cancelled, job.Available, job.Running)
	return err
}

func (l *ledger) InsertJob(_ context.Context, n job.New, now time.Time) (job.Job, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	j := job.Job{ID: int64(len(l.rows) + 1), Key: n.Key, Kind: n.Kind, Payload: n.Payload, State: job.Available, Request: n.Request, CreatedAt: now}
	l.rows = append(l.rows, j)
	return j, true, nil
}

// node holds one file.
type node struct {
	released []string
	adding   atomic.Bool
}

func (n *node) Pins(context.Context) ([]Pin, error) {
	return []Pin{{Ref: "local:1", CID: knownCID, State: "pinned"}}, nil
}

func (n *node) Release(_ context.Context, ref string) (uint64, error) {
	n.released = append(n.released, ref)
	return 3, nil
}
func (n *node) Verify(context.Context) (Verification, error) {
	return Verification{OK: true, Pins: 1}, nil
}

func (n *node) Add(_ context.Context, ref, _ string, tar bool, body io.Reader) (Added, error) {
	n.adding.Store(true)
	b, err := io.ReadAll(body)
	if err != nil {
		return Added{}, fmt.Errorf("reading: %w", err)
	}
	if tar {
		ref += "/tar"
	}
	return Added{CID: knownCID, Ref: ref, Bytes: uint64(len(b))}, nil
}

type file struct{ *bytes.Reader }

func (file) Close() error { return nil }

func (n *node) Open(_ context.Context, root, path string) (io.ReadSeekCloser, error) {
	if path == "missing" {
		return nil, fs.ErrNotExist
	}
	return file{bytes.NewReader([]byte("0123456789"))}, nil
}

type requests struct{}

func (requests) Requests(_ context.Context, q RequestQuery) ([]Request, error) {
	return []Request{{ID: "0x" + strings.Repeat("1", 64), Seq: 9, State: q.State}}, nil
}

func (requests) Request(_ context.Context, id string) (Request, error) {
	if strings.HasSuffix(id, "2") {
		return Request{}, job.ErrNotFound
	}
	return Request{ID: id}, nil
}

type rig struct {
	t      *testing.T
	s      *Server
	jobs   *ledger
	node   *node
	woken  []job.Kind
	ready  error
	stop   func() // begins the end of Run
	client *http.Client
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, jobs: &ledger{}, node: &node{}, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	var err error
	r.s, err = New(Config{Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", AllowedHosts: []string{"box.example"}, KeyFile: filepath.Join(t.TempDir(), "api.key"), MaxUpload: 1000},
		Deps{
			Jobs: r.jobs, Requests: requests{}, Node: r.node, Notify: func(k job.Kind) { r.woken = append(r.woken, k) },
			Status: func(context.Context) (any, error) { return map[string]int{"head": 7}, nil },
			Checks: []Check{{"chain", func(context.Context) error { return r.ready }}},
		})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	done := make(chan error, 1)
	go func() { done <- r.s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *rig) do(method, path, body string, change func(*http.Request)) (int, string, http.Header) {
	r.t.Helper()
	req, err := http.NewRequest(method, "http://"+r.s.Addr()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

func (r *rig) withKey(req *http.Request) { req.Header.Set("Authorization", "Bearer "+r.s.key) }

func TestEveryMutationNeedsTheKeyAndNoReadDoes(t *testing.T) {
	r := newRig(t)
	routes := r.s.Handler().(chi.Routes)
	count := 0
	err := chi.Walk(routes, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		count++
		path := strings.NewReplacer("{id}", "1", "{ref}", "local:1", "{cid}", knownCID, "/*", "/x").Replace(route)
		if strings.HasSuffix(route, "/events") {
			return nil // a stream; see TestEventsTellOfChanges
		}
		status, _, _ := r.do(method, path, "", nil)
		if wantKey := method != http.MethodGet; wantKey != (status == http.StatusUnauthorized) {
			t.Errorf("%s %s without the key: %d", method, path, status)
		}
		if method != http.MethodGet {
			for _, bad := range []string{"Bearer ", "Bearer wrong", "Basic " + r.s.key, r.s.key} {
				if status, _, _ := r.do(method, path, "", func(q *http.Request) { q.Header.Set("Authorization", bad) }); status != http.StatusUnauthorized {
					t.Errorf("%s %s with %.12q: %d", method, path, bad, status)
				}
			}
			if status, _, _ := r.do(method, path, "", r.withKey); status == http.StatusUnauthorized {
				t.Errorf("%s %s with the key is refused", method, path)
			}
		}
		return nil
	})
	if err != nil || count < 15 {
		t.Fatalf("%d routes walked: %v", count, err)
	}
}

func TestTheDocumentDescribesExactlyTheRoutes(t *testing.T) {
	r := newRig(t)
	var doc struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(openAPI, &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatalf("openapi.json: %v %q", err, doc.OpenAPI)
	}
	described := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			described[strings.ToUpper(method)+" "+path] = true
			_, secured := op.(map[string]any)["security"]
			if secured != (method != "get") {
				t.Errorf("%s %s: security is %v", method, path, secured)
			}
		}
	}
	err := chi.Walk(r.s.Handler().(chi.Routes), func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		what := method + " " + strings.TrimPrefix(route, "/api/v1")
		if !described[what] {
			t.Errorf("%s is not in openapi.json", what)
		}
		delete(described, what)
		return nil
	})
	if err != nil || len(described) > 0 {
		t.Errorf("described but not served: %v (%v)", described, err)
	}
}

func TestForeignHostsAreRefused(t *testing.T) {
	r := newRig(t)
	for host, want := range map[string]int{
		"evil.example": 421, "evil.example:4780": 421, "10.0.0.1": 421, "127.0.0.1.evil.example": 421,
		"localhost:4780": 200, "[::1]:4780": 200, "127.0.0.1": 200, "box.example": 200, "box.example:1": 200,
	} {
		if got, _, _ := r.do("GET", "/api/v1/jobs", "", func(q *http.Request) { q.Host = host }); got != want {
			t.Errorf("Host %s: %d, want %d", host, got, want)
		}
	}
}

func TestBadInputIsAProblemThatSaysWhatToDo(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/api/v1/jobs?limit=0", "", 400},
		{"GET", "/api/v1/jobs?limit=x", "", 400},
		{"GET", "/api/v1/jobs?before=-1", "", 400},
		{"GET", "/api/v1/jobs?kind=dance", "", 400},
		{"GET", "/api/v1/jobs?state=happy", "", 400},
		{"GET", "/api/v1/jobs?request=0x12", "", 400},
		{"GET", "/api/v1/jobs/abc", "", 400},
		{"GET", "/api/v1/jobs/77", "", 404},
		{"GET", "/api/v1/requests?state=lost", "", 400},
		{"GET", "/api/v1/requests/0x1", "", 400},
		{"GET", "/api/v1/requests/0x" + strings.Repeat("0", 63) + "2", "", 404},
		{"GET", "/api/v1/content/notacid", "", 400},
		{"GET", "/api/v1/content/" + knownCID + "/missing", "", 404},
		{"GET", "/nowhere", "", 404},
		{"PUT", "/api/v1/jobs", "", 405},
		{"POST", "/api/v1/jobs/77/retry", "", 404},
		{"POST", "/api/v1/pins", "{", 400},
		{"POST", "/api/v1/pins", `{"cid":"x"}`, 400},
		{"POST", "/api/v1/pins", `{"cid":"` + knownCID + `","more":1}`, 400},
		{"POST", "/api/v1/files", "x", 415},
		{"DELETE", "/api/v1/pins/0x1234", "", 409},
	} {
		status, body, header := r.do(c.method, c.path, c.body, r.withKey)
		var p Problem
		if err := json.Unmarshal([]byte(body), &p); err != nil || status != c.status || p.Status != c.status || p.Title == "" ||
			header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %d %s (%v)", c.method, c.path, status, body, err)
		}
	}
	status, _, _ := r.do("POST", "/api/v1/files", strings.Repeat("x", 1001), func(q *http.Request) {
		r.withKey(q)
		q.Header.Set("Content-Type", "application/octet-stream")
	})
	if status != http.StatusRequestEntityTooLarge {
		t.Errorf("an upload over the limit: %d", status)
	}
}

func TestPinsJobsAndPages(t *testing.T) {
	r := newRig(t)
	for range 3 {
		status, body, _ := r.do("POST", "/api/v1/pins", `{"cid":"`+knownCID+`","name":"n"}`, r.withKey)
		if status != http.StatusAccepted {
			t.Fatalf("POST /pins: %d %s", status, body)
		}
	}
	want, _ := cid.Decode(knownCID)
	p, err := job.Decode[job.Pin](r.jobs.rows[0].Payload)
	if err != nil || !bytes.Equal(p.CID, want.Bytes()) || p.Owner != LocalOwner || p.Name != "n" {
		t.Fatalf("payload %+v (%v)", p, err)
	}
	if len(r.woken) != 3 || r.woken[0] != job.KindPin {
		t.Errorf("woken: %v", r.woken)
	}
	var ids []int64
	for before := ""; ; {
		_, body, _ := r.do("GET", "/api/v1/jobs?limit=2"+before, "", nil)
		var page Page[Job]
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatal(err)
		}
		for _, j := range page.Items {
			ids = append(ids, j.ID)
		}
		if page.Next == "" {
			break
		}
		before = "&before=" + page.Next
	}
	if !slices.Equal(ids, []int64{3, 2, 1}) {
		t.Errorf("pages gave %v", ids)
	}
	if status, _, _ := r.do("POST", "/api/v1/jobs/1/drop", "", r.withKey); status != 200 || r.jobs.rows[0].State != job.Cancelled {
		t.Errorf("drop: %d, %s", status, r.jobs.rows[0].State)
	}
	if status, _, _ := r.do("POST", "/api/v1/jobs/1/drop", "", r.withKey); status != http.StatusConflict {
		t.Errorf("a second drop: %d", status)
	}
	if status, _, _ := r.do("DELETE", "/api/v1/pins/local%3A1", "", r.withKey); status != 200 || !slices.Equal(r.node.released, []string{"local:1"}) {
		t.Errorf("release: %d %v", status, r.node.released)
	}
	status, body, _ := r.do("GET", "/api/v1/content/"+knownCID+"/a/b", "", func(q *http.Request) { q.Header.Set("Range", "bytes=2-4") })
	if status != http.StatusPartialContent || body != "234" {
		t.Errorf("a range: %d %q", status, body)
	}
}

func TestEventsTellOfChanges(t *testing.T) {
	r := newRig(t)
	if _, _, err := r.jobs.InsertJob(t.Context(), job.New{Key: "local:a", Kind: job.KindPin}, time.Now()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://"+r.s.Addr()+"/api/v1/events", nil)
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func() (j Job) {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(data), &j); err != nil {
					t.Fatal(err)
				}
				return j
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return j
	}
	if j := next(); j.State != job.Available {
		t.Fatalf("first event: %+v", j)
	}
	if err := r.jobs.DropJob(ctx, 1, time.Now()); err != nil {
		t.Fatal(err)
	}
	if j := next(); j.State != job.Cancelled {
		t.Fatalf("second event: %+v", j)
	}
}

func TestReadinessNamesWhatIsWrong(t *testing.T) {
	r := newRig(t)
	get := func(path string) (int, string) {
		resp, err := r.client.Get("http://" + r.s.AdminAddr() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	if status, _ := get("/readyz"); status != 200 {
		t.Errorf("ready: %d", status)
	}
	r.ready = errors.New("the endpoint is silent")
	if status, body := get("/readyz"); status != 503 || !strings.Contains(body, "silent") {
		t.Errorf("not ready: %d %s", status, body)
	}
	if status, _ := get("/healthz"); status != 200 {
		t.Errorf("health: %d", status)
	}
	if status, _ := get("/debug/pprof/"); status != 404 {
		t.Errorf("profiles are served unasked: %d", status)
	}
}

func TestPortInUseNamesTheSetting(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for setting, cfg := range map[string]Config{
		"http.listen": {Listen: l.Addr().String(), Admin: "127.0.0.1:0"},
		"http.admin":  {Listen: "127.0.0.1:0", Admin: l.Addr().String()},
	} {
		cfg.KeyFile = filepath.Join(t.TempDir(), "k")
		if _, err := New(cfg, Deps{}); !errors.Is(err, ErrPortInUse) || !strings.Contains(err.Error(), setting) {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

func TestTheKeyFileIsPrivateAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.key")
	first, err := loadKey(path)
	if err != nil || len(first) != 64 {
		t.Fatalf("%q %v", first, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v)", info.Mode(), err)
	}
	if again, err := loadKey(path); err != nil || again != first {
		t.Errorf("the key changed: %v", err)
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadKey(path); err == nil {
		t.Error("a short key is taken")
	}
}
