package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/ipfs/go-cid"
	"github.com/oklog/ulid/v2"

	"github.com/tidegate/tidegate/executor/job"
)

// Shelf is what the local API needs of the pieces on offer. What there is not is
// job.ErrNotFound, what cannot be done now job.ErrConflict.
type Shelf interface {
	Buckets(ctx context.Context, f job.BucketFilter) ([]job.Bucket, error)
	// Bucket gives a bucket, its items and, once it is ready, its manifest; bucket 0
	// stands for the bad items.
	Bucket(ctx context.Context, id int64) (job.Bucket, []job.Item, []job.Slot, error)
	Flush(ctx context.Context, id int64) ([]int64, error) // 0: all
	Clean(ctx context.Context, id int64) error
	Item(ctx context.Context, id string) (job.Item, error)
}

// Proofs gives proofs of inclusion and tokens.
type Proofs interface {
	Prove(ctx context.Context, id string) (any, error)
	MintToken(ctx context.Context, piece, deal string, ttl time.Duration) (token string, expires time.Time, err error)
}

// Bucket is a piece on offer, or one in the making.
type Bucket struct {
	ID        int64      `json:"id"`
	Format    string     `json:"format"`
	State     string     `json:"state"`
	Why       string     `json:"why,omitempty"` // what sealed it
	Items     int        `json:"items"`
	Bytes     uint64     `json:"bytes"` // padded sizes of its items
	Manifest  string     `json:"manifest,omitempty"`
	Piece     string     `json:"pieceCid,omitempty"`
	Padded    uint64     `json:"paddedSize,omitempty"`
	Size      uint64     `json:"size,omitempty"`
	CreatedAt *time.Time `json:"createdAt,omitempty"`
	UpdatedAt *time.Time `json:"updatedAt,omitempty"`
}

// Item is the CAR of one prepared DAG.
type Item struct {
	CID     string     `json:"cid"`
	Piece   string     `json:"pieceCid"`
	Padded  uint64     `json:"paddedSize"`
	CARSize uint64     `json:"carSize"`
	Blocks  uint64     `json:"blocks,omitempty"`
	State   string     `json:"state,omitempty"`
	Bucket  int64      `json:"bucket,omitempty"`
	Error   string     `json:"error,omitempty"`
	Until   *time.Time `json:"until,omitempty"`
}

// Slot is a row of a bucket's manifest.
type Slot struct {
	Position int    `json:"position"`
	Offset   uint64 `json:"offset"`
	CID      string `json:"cid"`
	Piece    string `json:"pieceCid"`
	Padded   uint64 `json:"paddedSize"`
	CARSize  uint64 `json:"carSize"`
}

func viewBucket(b job.Bucket) Bucket {
	return Bucket{
		ID: b.ID, Format: string(b.Format), State: string(b.State), Why: b.Why, Items: b.Items, Bytes: b.Bytes, Manifest: b.Manifest,
		Piece: b.Piece, Padded: b.Padded, Size: b.Size, CreatedAt: when(b.CreatedAt), UpdatedAt: when(b.UpdatedAt),
	}
}

func viewItem(i job.Item) Item {
	return Item{
		CID: i.Root, Piece: i.Piece, Padded: i.Padded, CARSize: i.CARSize, Blocks: i.Blocks, State: string(i.State), Bucket: i.Bucket,
		Error: i.Error, Until: when(i.Until),
	}
}

// withShelf answers for a daemon without pieces.
func (s *Server) withShelf(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.deps.Shelf == nil || s.deps.Proofs == nil {
			s.fail(w, http.StatusServiceUnavailable, "this daemon keeps no pieces", "")
			return
		}
		next(w, r)
	}
}

func (s *Server) readPieces(r chi.Router) {
	r.Get("/buckets", s.withShelf(s.listBuckets))
	r.Get("/buckets/{id}", s.withShelf(s.getBucket))
	r.Get("/pieces/{cid}", s.withShelf(s.getItem))
	r.Get("/pieces/{cid}/proof", s.withShelf(s.getProof))
}

func (s *Server) changePieces(r chi.Router) {
	r.Post("/buckets/flush", s.withShelf(s.flushBuckets))
	r.Post("/buckets/{id}/flush", s.withShelf(s.flushBuckets))
	r.Post("/pieces", s.withShelf(s.preparePiece))
	r.Post("/pieces/{cid}/tokens", s.withShelf(s.mintToken))
}

func (s *Server) listBuckets(w http.ResponseWriter, r *http.Request) {
	limit, before, err := pageOf(r)
	if err != nil {
		s.fail(w, http.StatusBadRequest, "limit is a number from 1 to 1000, before the next of the page before", err.Error())
		return
	}
	f := job.BucketFilter{State: job.BucketState(r.URL.Query().Get("state")), Before: before, Limit: limit}
	rows, err := s.deps.Shelf.Buckets(r.Context(), f)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	page := Page[Bucket]{Items: []Bucket{}}
	for _, b := range rows {
		page.Items = append(page.Items, viewBucket(b))
	}
	if len(rows) == limit {
		page.Next = strconv.FormatInt(rows[len(rows)-1].ID, 10)
	}
	s.ok(w, http.StatusOK, page)
}

// bucketDetail is one bucket with what is in it.
type bucketDetail struct {
	Bucket
	Contents []Item `json:"contents"`
	Slots    []Slot `json:"slots"`
}

// bucketID reads the path; false means that it answered the mistake.
func (s *Server) bucketID(w http.ResponseWriter, r *http.Request) (int64, bool) {
	text := chi.URLParam(r, "id")
	if text == "" {
		return 0, true
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 0 {
		s.fail(w, http.StatusBadRequest, "a bucket's id is a number", text)
		return 0, false
	}
	return id, true
}

func (s *Server) getBucket(w http.ResponseWriter, r *http.Request) {
	id, ok := s.bucketID(w, r)
	if !ok {
		return
	}
	b, items, slots, err := s.deps.Shelf.Bucket(r.Context(), id)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	detail := bucketDetail{Bucket: viewBucket(b), Contents: []Item{}, Slots: []Slot{}}
	for _, i := range items {
		detail.Contents = append(detail.Contents, viewItem(i))
	}
	for _, v := range slots {
		detail.Slots = append(detail.Slots, Slot{v.Position, v.Offset, v.Root, v.Piece, v.Padded, v.CARSize})
	}
	s.ok(w, http.StatusOK, detail)
}

func (s *Server) flushBuckets(w http.ResponseWriter, r *http.Request) {
	id, ok := s.bucketID(w, r)
	if !ok {
		return
	}
	sealed, err := s.deps.Shelf.Flush(r.Context(), id)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	if id != 0 && len(sealed) == 0 {
		s.fail(w, http.StatusConflict, "that bucket is not open, or holds nothing", fmt.Sprint(id))
		return
	}
	s.ok(w, http.StatusOK, map[string][]int64{"sealed": append([]int64{}, sealed...)})
}

func (s *Server) cleanBucket(w http.ResponseWriter, r *http.Request) {
	id, ok := s.bucketID(w, r)
	if !ok {
		return
	}
	if err := s.deps.Shelf.Clean(r.Context(), id); err != nil {
		s.failWith(w, r, err)
		return
	}
	s.getBucket(w, r)
}

func (s *Server) getItem(w http.ResponseWriter, r *http.Request) {
	it, err := s.deps.Shelf.Item(r.Context(), chi.URLParam(r, "cid"))
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.ok(w, http.StatusOK, viewItem(it))
}

func (s *Server) getProof(w http.ResponseWriter, r *http.Request) {
	p, err := s.deps.Proofs.Prove(r.Context(), chi.URLParam(r, "cid"))
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.ok(w, http.StatusOK, p)
}

// pieceRequest is the body of POST /pieces.
type pieceRequest struct {
	CID      string   `json:"cid"`
	Origins  []string `json:"origins"`
	MaxBytes uint64   `json:"maxBytes"`
}

func (s *Server) preparePiece(w http.ResponseWriter, r *http.Request) {
	var in pieceRequest
	if !s.body(w, r, &in, "the body is {\"cid\":…,\"origins\":[…],\"maxBytes\":…}") {
		return
	}
	root, err := cid.Decode(in.CID)
	if err != nil {
		s.fail(w, http.StatusBadRequest, "that is not a CID", err.Error())
		return
	}
	now := s.deps.Now()
	row, _, err := s.deps.Jobs.InsertJob(r.Context(), job.New{
		Key: job.LocalKey(ulid.Make().String()), Kind: job.KindPrepare, Class: job.ClassLocal, Requester: LocalOwner, Lane: job.LaneNow,
		Payload: job.Encode(job.Prepare{CID: root.Bytes(), Origins: in.Origins, MaxBytes: in.MaxBytes, Owner: LocalOwner}),
		RunAt:   now,
	}, now)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.deps.Notify(job.KindPrepare)
	s.ok(w, http.StatusAccepted, viewJob(row))
}

// body reads a small JSON body strictly; false means that it answered.
func (s *Server) body(w http.ResponseWriter, r *http.Request, into any, form string) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		s.fail(w, http.StatusBadRequest, form, err.Error())
		return false
	}
	return true
}

// tokenRequest is the body of POST /pieces/{cid}/tokens.
type tokenRequest struct {
	Deal string `json:"deal"`
	TTL  string `json:"ttl"` // as Go writes durations; 720h if empty
}

const (
	defaultTokenTTL = 720 * time.Hour
	mostTokenTTL    = 5 * 365 * 24 * time.Hour
)

func (s *Server) mintToken(w http.ResponseWriter, r *http.Request) {
	var in tokenRequest
	if !s.body(w, r, &in, "the body is {\"deal\":…,\"ttl\":\"720h\"}") {
		return
	}
	ttl := defaultTokenTTL
	if in.TTL != "" {
		var err error
		if ttl, err = time.ParseDuration(in.TTL); err != nil || ttl <= 0 || ttl > mostTokenTTL {
			s.fail(w, http.StatusBadRequest, "ttl is a duration like 720h, at most five years", in.TTL)
			return
		}
	}
	token, expires, err := s.deps.Proofs.MintToken(r.Context(), chi.URLParam(r, "cid"), in.Deal, ttl)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.ok(w, http.StatusCreated, map[string]any{"token": token, "expires": when(expires), "deal": in.Deal})
}
