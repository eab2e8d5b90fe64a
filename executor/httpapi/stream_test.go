package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// follow opens an event stream and gives its jobs one by one.
func (r *rig) follow(ctx context.Context, query string) (next func() Job) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+r.s.Addr()+"/api/v1/events"+query, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	return func() (j Job) {
		r.t.Helper()
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if err := json.Unmarshal([]byte(data), &j); err != nil {
					r.t.Fatal(err)
				}
				return j
			}
		}
		r.t.Fatalf("the stream ended: %v", lines.Err())
		return j
	}
}

func (l *ledger) edit(id int64, f func(*job.Job)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.rows[id-1])
}

func (r *rig) insert(n int, request string) {
	r.t.Helper()
	for range n {
		if _, _, err := r.jobs.InsertJob(r.t.Context(), job.New{Kind: job.KindPin, Request: request}, time.Now()); err != nil {
			r.t.Fatal(err)
		}
	}
}

func TestAStreamIsNarrowedToAJobOrARequest(t *testing.T) {
	r := newRig(t)
	request := "0x" + strings.Repeat("ab", 32)
	r.insert(2, "")
	r.insert(1, request)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	one, asked := r.follow(ctx, "?job=2"), r.follow(ctx, "?request="+request)
	if j := one(); j.ID != 2 {
		t.Errorf("job %d, want 2", j.ID)
	}
	if j := asked(); j.ID != 3 {
		t.Errorf("job %d, want 3", j.ID)
	}
	r.jobs.edit(1, func(j *job.Job) { j.Attempt = 1 })
	r.jobs.edit(2, func(j *job.Job) { j.Progress.Blocks = 5 })
	r.jobs.edit(3, func(j *job.Job) { j.State = job.Running })
	if j := one(); j.ID != 2 || j.Progress.Blocks != 5 {
		t.Errorf("got %+v", j)
	}
	if j := asked(); j.ID != 3 || j.State != job.Running {
		t.Errorf("got %+v", j)
	}
	for _, query := range []string{"?job=x", "?job=0", "?request=0x12"} {
		if status, _, _ := r.do("GET", "/api/v1/events"+query, "", nil); status != http.StatusBadRequest {
			t.Errorf("%s: %d", query, status)
		}
	}
}

func TestAStreamTellsOfOldJobsThatRunAndOfTheirEnd(t *testing.T) {
	r := newRig(t)
	r.insert(1+eventsWindow, "")
	r.jobs.edit(1, func(j *job.Job) { j.State = job.Running })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	next := r.follow(ctx, "")
	if j := next(); j.ID != 1 || j.State != job.Running {
		t.Fatalf("first comes %+v", j)
	}
	for range eventsWindow {
		next()
	}
	r.jobs.edit(1, func(j *job.Job) { j.State = job.Done; j.Outcome = job.Succeeded })
	if j := next(); j.ID != 1 || j.State != job.Done {
		t.Errorf("then comes %+v", j)
	}
}

func TestDroppingALocalPinCancelsItsJobFirst(t *testing.T) {
	r := newRig(t)
	if status, body, _ := r.do("POST", "/api/v1/pins", `{"cid":"`+knownCID+`"}`, r.withKey); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, body)
	}
	ref := r.jobs.rows[0].Key
	if status, body, _ := r.do("DELETE", "/api/v1/pins/"+ref, "", r.withKey); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if r.jobs.rows[0].State != job.Cancelled || !slices.Equal(r.node.released, []string{ref}) {
		t.Errorf("job %s, released %v", r.jobs.rows[0].State, r.node.released)
	}
	if !slices.Contains(r.woken, job.KindRelease) {
		t.Errorf("woken: %v", r.woken)
	}
}

// An upload that is under way when the daemon stops is not cut off.
func TestAStopLetsRequestsFinishAndEndsStreams(t *testing.T) {
	r := newRig(t)
	r.insert(1, "")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	next := r.follow(ctx, "")
	next()
	body, send := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, "POST", "http://"+r.s.Addr()+"/api/v1/files", body)
	if err != nil {
		t.Fatal(err)
	}
	r.withKey(req)
	req.Header.Set("Content-Type", "application/octet-stream")
	answer := make(chan int, 1)
	go func() {
		resp, err := r.client.Do(req)
		if err != nil {
			answer <- 0
			return
		}
		resp.Body.Close()
		answer <- resp.StatusCode
	}()
	if _, err := io.WriteString(send, "first half"); err != nil {
		t.Fatal(err)
	}
	for !r.node.adding.Load() { // its handler is at work
		<-time.After(time.Millisecond)
	}
	r.stop()
	<-r.s.ended
	if _, err := io.WriteString(send, "second half"); err != nil {
		t.Fatal(err)
	}
	if err := send.Close(); err != nil {
		t.Fatal(err)
	}
	if status := <-answer; status != http.StatusCreated {
		t.Errorf("the upload ended with %d", status)
	}
}

func TestAKeyFileThatOthersCanReadIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.key")
	if _, err := loadKey(path); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := loadKey(path); (err == nil) != want || (err != nil && !strings.Contains(err.Error(), "chmod 600")) {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}
