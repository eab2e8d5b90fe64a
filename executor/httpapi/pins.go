package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/ipfs/go-cid"
	"github.com/oklog/ulid/v2"

	"github.com/tidegate/tidegate/executor/job"
)

// LocalOwner owns what the operator pins on the command line.
const LocalOwner = "local"

func (s *Server) listPins(w http.ResponseWriter, r *http.Request) {
	pins, err := s.deps.Node.Pins(r.Context())
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.ok(w, http.StatusOK, Page[Pin]{Items: append([]Pin{}, pins...)})
}

// pinRequest is the body of POST /pins.
type pinRequest struct {
	CID      string   `json:"cid"`
	Origins  []string `json:"origins"`
	Name     string   `json:"name"`
	MaxBytes uint64   `json:"maxBytes"`
}

func (s *Server) addPin(w http.ResponseWriter, r *http.Request) {
	var in pinRequest
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		s.fail(w, http.StatusBadRequest, "the body is {\"cid\":…,\"origins\":[…],\"name\":…,\"maxBytes\":…}", err.Error())
		return
	}
	root, err := cid.Decode(in.CID)
	if err != nil {
		s.fail(w, http.StatusBadRequest, "that is not a CID", err.Error())
		return
	}
	now := s.deps.Now()
	row, _, err := s.deps.Jobs.InsertJob(r.Context(), job.New{
		Key: job.LocalKey(ulid.Make().String()), Kind: job.KindPin, Class: job.ClassLocal, Requester: LocalOwner, Lane: job.LaneNow,
		Payload: job.Encode(job.Pin{CID: root.Bytes(), Origins: in.Origins, Name: in.Name, MaxBytes: in.MaxBytes, Owner: LocalOwner}),
		RunAt:   now,
	}, now)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.deps.Notify(job.KindPin)
	s.ok(w, http.StatusAccepted, viewJob(row))
}

func (s *Server) verifyPins(w http.ResponseWriter, r *http.Request) {
	v, err := s.deps.Node.Verify(r.Context())
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.ok(w, http.StatusOK, v)
}

// releasePin drops what the operator pinned; what a contract paid for ends
// only by its own request.
func (s *Server) releasePin(w http.ResponseWriter, r *http.Request) {
	ref, err := url.PathUnescape(chi.URLParam(r, "ref"))
	if err != nil || !strings.HasPrefix(ref, "local:") {
		s.fail(w, http.StatusConflict, "only local pins (local:…) are dropped here: a contract's pin ends with its expiry or an unpin on chain", ref)
		return
	}
	if err := s.dropOpenPin(r.Context(), ref); err != nil {
		s.failWith(w, r, err)
		return
	}
	freed, err := s.deps.Node.Release(r.Context(), ref)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.ok(w, http.StatusOK, map[string]any{"ref": ref, "blocksFreed": freed})
}

// dropOpenPin cancels the job of a local pin that has not ended, so that it does
// not pin again what is released now.
func (s *Server) dropOpenPin(ctx context.Context, ref string) error {
	for _, state := range []job.State{job.Available, job.Running, job.Retrying, job.Snoozed, job.Dead} {
		f := job.Filter{Kind: job.KindPin, State: state, Limit: maxLimit}
		for {
			rows, err := s.deps.Jobs.Jobs(ctx, f)
			if err != nil {
				return fmt.Errorf("looking for the job of %s: %w", ref, err)
			}
			for _, j := range rows {
				if j.Key != ref {
					continue
				}
				if err := s.deps.Jobs.DropJob(ctx, j.ID, s.deps.Now()); err != nil {
					return fmt.Errorf("dropping the job of %s: %w", ref, err)
				}
				s.deps.Notify(job.KindRelease)
				return nil
			}
			if len(rows) < maxLimit {
				break
			}
			f.Before = rows[len(rows)-1].ID
		}
	}
	return nil
}

func (s *Server) addFile(w http.ResponseWriter, r *http.Request) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	tar := media == "application/x-tar"
	if err != nil || (!tar && media != "application/octet-stream") {
		s.fail(w, http.StatusUnsupportedMediaType, "send a file as application/octet-stream, or a directory as application/x-tar", r.Header.Get("Content-Type"))
		return
	}
	added, err := s.deps.Node.Add(r.Context(), job.LocalKey(ulid.Make().String()), r.URL.Query().Get("name"), tar,
		http.MaxBytesReader(w, r.Body, s.cfg.MaxUpload))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		s.fail(w, http.StatusRequestEntityTooLarge, "that is larger than one upload may be", err.Error())
		return
	}
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.ok(w, http.StatusCreated, added)
}

// content gives a held file's bytes, ranges included.
func (s *Server) content(w http.ResponseWriter, r *http.Request) {
	root := chi.URLParam(r, "cid")
	if _, err := cid.Decode(root); err != nil {
		s.fail(w, http.StatusBadRequest, "that is not a CID", err.Error())
		return
	}
	path, err := url.PathUnescape(chi.URLParam(r, "*"))
	if err != nil {
		s.fail(w, http.StatusBadRequest, "that is not a path", err.Error())
		return
	}
	file, err := s.deps.Node.Open(r.Context(), root, path)
	if errors.Is(err, fs.ErrNotExist) {
		s.fail(w, http.StatusNotFound, "the node does not hold such a file", err.Error())
		return
	}
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", "attachment") // never rendered: it is a stranger's content
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, io.ReadSeeker(file))
}
