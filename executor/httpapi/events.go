package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

const (
	eventsEvery  = 500 * time.Millisecond
	eventsWindow = 200 // the newest jobs that are watched for changes, besides all running ones
	eventsBeat   = 15 * time.Second
	eventsWrite  = 10 * time.Second // a client that takes nothing for so long is dropped
)

// eventsQuery is what a stream is narrowed to; zero fields do not.
type eventsQuery struct {
	job     int64
	request string
}

// events streams a job whenever it changes: event "job", data a Job, beginning
// with the jobs as they are. ?job= and ?request= narrow it. The stream says what
// changed since the last look at the ledger; steps in between are not told.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	q, ok := s.eventsQuery(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	st := &stream{w: w, c: http.NewResponseController(w), seen: map[int64]string{}}
	tick, beat := time.NewTicker(eventsEvery), time.NewTicker(eventsBeat)
	defer tick.Stop()
	defer beat.Stop()
	for {
		if err := s.sendChanges(r, q, st); err != nil {
			s.deps.Log.Debug("an event stream ended", "err", err)
			return
		}
		select {
		case <-tick.C:
		case <-beat.C:
			if st.send(": still here\n\n") != nil || st.c.Flush() != nil {
				return
			}
		case <-r.Context().Done():
			return
		case <-s.ended:
			return
		}
	}
}

func (s *Server) eventsQuery(w http.ResponseWriter, r *http.Request) (q eventsQuery, ok bool) {
	v := r.URL.Query()
	if id := v.Get("job"); id != "" {
		var err error
		if q.job, err = strconv.ParseInt(id, 10, 64); err != nil || q.job < 1 {
			s.fail(w, http.StatusBadRequest, "a job's id is a positive number", id)
			return q, false
		}
	}
	if q.request = v.Get("request"); q.request != "" && !hash32.MatchString(q.request) {
		s.fail(w, http.StatusBadRequest, "request is 0x and 64 lower-case hex digits", q.request)
		return q, false
	}
	return q, true
}

// stream is one client and what it was told last of each job.
type stream struct {
	w    http.ResponseWriter
	c    *http.ResponseController
	seen map[int64]string
}

func (st *stream) send(text string) error {
	if err := st.c.SetWriteDeadline(time.Now().Add(eventsWrite)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	_, err := st.w.Write([]byte(text))
	return err
}

func (s *Server) sendChanges(r *http.Request, q eventsQuery, st *stream) error {
	rows, err := s.watched(r, q)
	if err != nil {
		return fmt.Errorf("reading jobs: %w", err)
	}
	now := make(map[int64]bool, len(rows))
	for _, j := range slices.Backward(rows) {
		now[j.ID] = true
		if err := st.tell(j); err != nil {
			return err
		}
	}
	// Rows that are no longer watched are told a last time.
	for id := range st.seen {
		if now[id] {
			continue
		}
		j, err := s.deps.Jobs.Job(r.Context(), id)
		if err != nil && !errors.Is(err, job.ErrNotFound) {
			return fmt.Errorf("reading job %d: %w", id, err)
		}
		if err == nil {
			if err := st.tell(j); err != nil {
				return err
			}
		}
		delete(st.seen, id)
	}
	return st.c.Flush()
}

// tell sends a job that is not as it was told last.
func (st *stream) tell(j job.Job) error {
	line, err := json.Marshal(viewJob(j))
	if err != nil {
		return fmt.Errorf("encoding job %d: %w", j.ID, err)
	}
	if st.seen[j.ID] == string(line) {
		return nil
	}
	st.seen[j.ID] = string(line)
	return st.send(fmt.Sprintf("event: job\nid: %d\ndata: %s\n\n", j.ID, line))
}

// watched reads the rows that a stream is about, newest first.
func (s *Server) watched(r *http.Request, q eventsQuery) ([]job.Job, error) {
	if q.job > 0 {
		j, err := s.deps.Jobs.Job(r.Context(), q.job)
		if errors.Is(err, job.ErrNotFound) || err == nil && q.request != "" && j.Request != q.request {
			return nil, nil
		}
		return []job.Job{j}, err
	}
	rows, err := s.deps.Jobs.Jobs(r.Context(), job.Filter{Request: q.request, Limit: eventsWindow})
	if err != nil || len(rows) < eventsWindow {
		return rows, err
	}
	running, err := s.deps.Jobs.Jobs(r.Context(), job.Filter{Request: q.request, State: job.Running, Limit: maxLimit})
	if err != nil {
		return nil, err
	}
	oldest := rows[len(rows)-1].ID
	for _, j := range running {
		if j.ID < oldest {
			rows = append(rows, j)
		}
	}
	return rows, nil
}
