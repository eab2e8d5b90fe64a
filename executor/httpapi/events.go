package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

const (
	eventsEvery  = 500 * time.Millisecond
	eventsWindow = 200 // the newest jobs that are watched for changes
	eventsBeat   = 15 * time.Second
)

// events streams a job whenever it changes: event "job", data a Job. The stream
// says what changed since the last look at the ledger; a client that was away
// reads /jobs first.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	flusher, ok := w.(http.Flusher)
	if !ok {
		s.fail(w, http.StatusInternalServerError, "this connection cannot stream", "")
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	flusher.Flush()
	tick, beat := time.NewTicker(eventsEvery), time.NewTicker(eventsBeat)
	defer tick.Stop()
	defer beat.Stop()
	seen := map[int64]string{}
	for {
		if err := s.sendChanges(w, r, seen); err != nil {
			s.deps.Log.Debug("an event stream ended", "err", err)
			return
		}
		flusher.Flush()
		select {
		case <-tick.C:
		case <-beat.C:
			if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

func (s *Server) sendChanges(w http.ResponseWriter, r *http.Request, seen map[int64]string) error {
	rows, err := s.deps.Jobs.Jobs(r.Context(), job.Filter{Limit: eventsWindow})
	if err != nil {
		return fmt.Errorf("reading jobs: %w", err)
	}
	inWindow := make(map[int64]bool, len(rows))
	for i := len(rows) - 1; i >= 0; i-- {
		j := rows[i]
		inWindow[j.ID] = true
		line, err := json.Marshal(viewJob(j))
		if err != nil {
			return fmt.Errorf("encoding job %d: %w", j.ID, err)
		}
		if seen[j.ID] == string(line) {
			continue
		}
		seen[j.ID] = string(line)
		if _, err := fmt.Fprintf(w, "event: job\nid: %d\ndata: %s\n\n", j.ID, line); err != nil {
			return err
		}
	}
	for id := range seen {
		if !inWindow[id] {
			delete(seen, id)
		}
	}
	return nil
}
