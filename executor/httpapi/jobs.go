package httpapi

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/tidegate/tidegate/executor/job"
)

const (
	defaultLimit = 50
	maxLimit     = 1000
)

var hash32 = regexp.MustCompile(`^0x[0-9a-f]{64}$`)

// limit reads ?limit=; false means that it answered the mistake.
func (s *Server) limit(w http.ResponseWriter, r *http.Request) (int, bool) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return defaultLimit, true
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		s.fail(w, http.StatusBadRequest, "limit is a number from 1 to 1000", text)
		return 0, false
	}
	return n, true
}

// before reads ?before=, what the last page gave as next.
func (s *Server) before(w http.ResponseWriter, r *http.Request) (uint64, bool) {
	text := r.URL.Query().Get("before")
	if text == "" {
		return 0, true
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n == 0 {
		s.fail(w, http.StatusBadRequest, "before is the next of the page before", text)
		return 0, false
	}
	return n, true
}

func (s *Server) listJobs(w http.ResponseWriter, r *http.Request) {
	limit, ok := s.limit(w, r)
	if !ok {
		return
	}
	before, ok := s.before(w, r)
	if !ok {
		return
	}
	q := r.URL.Query()
	f := job.Filter{Kind: job.Kind(q.Get("kind")), State: job.State(q.Get("state")), Request: q.Get("request"), Before: int64(before), Limit: limit}
	switch {
	case f.Kind != "" && !slices.Contains(job.Kinds(), f.Kind):
		s.fail(w, http.StatusBadRequest, "there is no such kind", string(f.Kind))
		return
	case f.State != "" && !slices.Contains(job.States(), f.State):
		s.fail(w, http.StatusBadRequest, "there is no such state", string(f.State))
		return
	case f.Request != "" && !hash32.MatchString(f.Request):
		s.fail(w, http.StatusBadRequest, "request is 0x and 64 lower-case hex digits", f.Request)
		return
	}
	rows, err := s.deps.Jobs.Jobs(r.Context(), f)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	page := Page[Job]{Items: []Job{}}
	for _, j := range rows {
		page.Items = append(page.Items, viewJob(j))
	}
	if len(rows) == limit {
		page.Next = strconv.FormatInt(rows[len(rows)-1].ID, 10)
	}
	s.ok(w, http.StatusOK, page)
}

// jobID reads the path; false means that it answered the mistake.
func (s *Server) jobID(w http.ResponseWriter, r *http.Request) (int64, bool) {
	id, err := strconv.ParseInt(chi.URLParam(r, "id"), 10, 64)
	if err != nil || id < 1 {
		s.fail(w, http.StatusBadRequest, "a job's id is a positive number", chi.URLParam(r, "id"))
		return 0, false
	}
	return id, true
}

func (s *Server) getJob(w http.ResponseWriter, r *http.Request) {
	id, ok := s.jobID(w, r)
	if !ok {
		return
	}
	j, err := s.deps.Jobs.Job(r.Context(), id)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	v := viewJob(j)
	if v.Detail, err = s.deps.Jobs.JobDetail(r.Context(), id); err != nil {
		s.failWith(w, r, err)
		return
	}
	s.ok(w, http.StatusOK, v)
}

func (s *Server) retryJob(w http.ResponseWriter, r *http.Request) {
	id, ok := s.jobID(w, r)
	if !ok {
		return
	}
	j, err := s.deps.Jobs.RetryNow(r.Context(), id, s.deps.Now())
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.deps.Notify(j.Kind)
	s.ok(w, http.StatusOK, viewJob(j))
}

func (s *Server) dropJob(w http.ResponseWriter, r *http.Request) {
	id, ok := s.jobID(w, r)
	if !ok {
		return
	}
	if err := s.deps.Jobs.DropJob(r.Context(), id, s.deps.Now()); err != nil {
		s.failWith(w, r, err)
		return
	}
	s.deps.Notify(job.KindRelease)
	s.getJob(w, r)
}

func (s *Server) listRequests(w http.ResponseWriter, r *http.Request) {
	limit, ok := s.limit(w, r)
	if !ok {
		return
	}
	before, ok := s.before(w, r)
	if !ok {
		return
	}
	query := RequestQuery{State: r.URL.Query().Get("state"), Requester: r.URL.Query().Get("requester"), BeforeSeq: before, Limit: limit}
	if query.State != "" && !slices.Contains([]string{"open", "answered", "refunded", "retracted"}, query.State) {
		s.fail(w, http.StatusBadRequest, "state is open, answered, refunded or retracted", query.State)
		return
	}
	rows, err := s.deps.Requests.Requests(r.Context(), query)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	page := Page[Request]{Items: append([]Request{}, rows...)}
	if len(rows) == limit {
		page.Next = strconv.FormatUint(rows[len(rows)-1].Seq, 10)
	}
	s.ok(w, http.StatusOK, page)
}

// requestDetail is one request with the jobs that serve it.
type requestDetail struct {
	Request
	Jobs []Job `json:"jobs"`
}

func (s *Server) getRequest(w http.ResponseWriter, r *http.Request) {
	id := chi.URLParam(r, "id")
	if !hash32.MatchString(id) {
		s.fail(w, http.StatusBadRequest, "a request's id is 0x and 64 lower-case hex digits", id)
		return
	}
	request, err := s.deps.Requests.Request(r.Context(), id)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	rows, err := s.deps.Jobs.Jobs(r.Context(), job.Filter{Request: id})
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	detail := requestDetail{Request: request, Jobs: []Job{}}
	for _, j := range rows {
		detail.Jobs = append(detail.Jobs, viewJob(j))
	}
	s.ok(w, http.StatusOK, detail)
}

func (s *Server) getStatus(w http.ResponseWriter, r *http.Request) {
	status, err := s.deps.Status(r.Context())
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.ok(w, http.StatusOK, status)
}
