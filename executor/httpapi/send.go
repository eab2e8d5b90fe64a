package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

// pageOf reads ?limit= and ?before=.
func pageOf(r *http.Request) (limit int, before int64, err error) {
	limit = defaultLimit
	q := r.URL.Query()
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxLimit {
			return 0, 0, fmt.Errorf("limit %q", text)
		}
	}
	if text := q.Get("before"); text != "" {
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before < 1 {
			return 0, 0, fmt.Errorf("before %q", text)
		}
	}
	return limit, before, nil
}

// tokenOf is the bearer's token, from the header or ?token= for programs that
// only take a URL.
func tokenOf(r *http.Request) string {
	if given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return strings.TrimSpace(given)
	}
	return r.URL.Query().Get("token")
}

// sends answers with what open finds: ranges, If-Range and ETag by the piece CID,
// which names the bytes for ever.
func (p *Public) sends(open func(ctx context.Context, id string) (Content, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leave, ok := p.enter(w, r)
		if !ok {
			return
		}
		defer leave()
		c, err := open(r.Context(), chi.URLParam(r, "id"))
		if err != nil {
			p.failWith(w, r, err)
			return
		}
		defer c.Close()
		if !p.allowed(w, r, c.Piece) {
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/octet-stream")
		name := c.Piece
		if c.CAR {
			h.Set("Content-Type", "application/vnd.ipld.car; version=1")
			name += ".car"
		}
		h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("ETag", `"`+c.Piece+`"`)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		if p.cfg.RequireToken {
			h.Set("Cache-Control", "private, max-age=31536000, immutable")
		}
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "Content-Length, Content-Range, ETag")
		watched := &watchedReader{ReadSeeker: c}
		defer func() { _ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) }() // the connection is used again
		http.ServeContent(p.writer(w, r), r, "", time.Time{}, watched)
		if watched.err != nil && r.Context().Err() == nil {
			p.deps.Log.Warn("a piece could not be read to the end while it was sent", "piece", c.Piece, "error", watched.err)
			panic(http.ErrAbortHandler) // the client must not take it for whole
		}
	})
}

// watchedReader remembers why reading failed: http.ServeContent does not tell.
type watchedReader struct {
	io.ReadSeeker
	err error
}

func (w *watchedReader) Read(b []byte) (int, error) {
	n, err := w.ReadSeeker.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}

// allowed asks for a token where one is needed; false means that it answered.
func (p *Public) allowed(w http.ResponseWriter, r *http.Request, piece string) bool {
	token := tokenOf(r)
	if token == "" && !p.cfg.RequireToken {
		return true
	}
	ok := false
	if token != "" {
		var err error
		if ok, err = p.deps.Pieces.CheckToken(r.Context(), token, piece); err != nil {
			p.failWith(w, r, err)
			return false
		}
	}
	if ok || !p.cfg.RequireToken {
		return true
	}
	w.Header().Set("WWW-Authenticate", "Bearer")
	publicFail(w, http.StatusUnauthorized, "this piece needs its token, as Authorization: Bearer … or ?token=…", "")
	return false
}

// writer is w with the client's rate and a deadline for each write.
func (p *Public) writer(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
	return &pacedWriter{ResponseWriter: w, ctx: r.Context(), c: http.NewResponseController(w), pace: p.clients.pace(clientOf(r)), timeout: p.cfg.WriteTimeout}
}

// pacedWriter hides ReadFrom, so that every byte passes Write.
type pacedWriter struct {
	http.ResponseWriter
	ctx     context.Context
	c       *http.ResponseController
	pace    *pace
	timeout time.Duration
}

// Unwrap serves http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *pacedWriter) Write(b []byte) (int, error) {
	if err := w.pace.wait(w.ctx, len(b)); err != nil {
		return 0, err
	}
	if err := w.c.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return w.ResponseWriter.Write(b)
}
