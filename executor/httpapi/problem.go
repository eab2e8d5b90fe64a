package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/tidegate/tidegate/executor/job"
)

// Problem is an error's body, as RFC 9457 has it.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
	Status int    `json:"status"`
}

func (s *Server) fail(w http.ResponseWriter, status int, title, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Problem{"about:blank", title, detail, status}) // the client may be gone
}

// failWith answers an error of a dependency. Only what is not the caller's
// fault is logged.
func (s *Server) failWith(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, job.ErrNotFound):
		s.fail(w, http.StatusNotFound, "there is no such row", err.Error())
	case errors.Is(err, job.ErrConflict), errors.Is(err, job.ErrFenced):
		s.fail(w, http.StatusConflict, "its state does not allow that", err.Error())
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		return // nobody listens any more
	default:
		s.deps.Log.Warn("the local API could not answer", "path", r.URL.Path, "err", err)
		s.fail(w, http.StatusInternalServerError, "this failed", err.Error())
	}
}

func (s *Server) ok(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}
