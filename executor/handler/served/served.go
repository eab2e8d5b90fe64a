// Package served runs jobs of kind served: it attests that a piece can be fetched
// from an endpoint, by fetching all of it and comparing the piece CID.
//
// It keeps nothing of what it fetches, does not decide whom it may dial (its
// Fetcher does) and computes no commitment itself (its Verifier does). The answer
// is the outcome alone: operators see different networks, so nothing but success
// or failure could be compared.
//
// Map: served.go is all of it.
//
// Invariants: a success means that every byte was read and matches the piece CID;
// what is read is bounded by the size that the piece CID or the operator allows.
package served

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/job"
)

// Fetcher gets what a stranger's URL names.
type Fetcher interface {
	// Fetch gives the body, whose reading may fail with a *job.Fault, as Fetch
	// itself does: unreachable, not_found, stalled.
	Fetch(ctx context.Context, url string) (io.ReadCloser, error)
}

// ErrMismatch is what a Verifier returns for data that is not the piece.
var ErrMismatch = errors.New("the data is not that piece")

// ErrNoPiece is what a Verifier returns for a CID that is not a piece CID.
var ErrNoPiece = errors.New("not a piece CID")

// Verifier compares data with a piece CID.
type Verifier interface {
	// Check tells whether c is a piece CID that the operator would verify.
	Check(c cid.Cid) error
	// Verify reads all of r, at most the largest piece, and returns ErrMismatch if
	// it is not piece c. It returns r's errors as they are.
	Verify(ctx context.Context, c cid.Cid, r io.Reader, progress func(bytes uint64)) (bytes uint64, err error)
}

// Deps are what the handler uses.
type Deps struct {
	Fetcher  Fetcher
	Verifier Verifier
}

// Handler runs served jobs; it fits runner.Handler.
type Handler struct{ d Deps }

// New checks that nothing is missing.
func New(d Deps) (*Handler, error) {
	if d.Fetcher == nil || d.Verifier == nil {
		return nil, errors.New("served handler: a fetcher and a verifier are needed")
	}
	return &Handler{d}, nil
}

// detail is Result.Detail, for people and the API.
type detail struct {
	Piece string `json:"pieceCid"`
	URL   string `json:"url"`
	Bytes uint64 `json:"bytes"`
}

// Handle fetches and compares. A payload that names no piece CID or no http(s)
// URL, and data that is not the piece, are invalid content; the rest is the
// fetcher's to say.
func (h *Handler) Handle(ctx context.Context, j job.Job, report func(job.Progress)) (job.Result, error) {
	p, err := job.Decode[job.Served](j.Payload)
	if err != nil {
		return job.Result{}, err
	}
	piece, err := cid.Cast(p.Piece)
	if err != nil || !bytes.Equal(piece.Bytes(), p.Piece) || h.d.Verifier.Check(piece) != nil {
		return failed(job.ReasonInvalidContent), nil
	}
	from, err := URL(p.Endpoint, piece)
	if err != nil {
		return failed(job.ReasonInvalidContent), nil
	}
	report(job.Progress{Phase: "connecting"})
	body, err := h.d.Fetcher.Fetch(ctx, from)
	if err != nil {
		return job.Result{}, fmt.Errorf("fetching piece %s from %s: %w", piece, from, err)
	}
	defer body.Close()
	n, err := h.d.Verifier.Verify(ctx, piece, body, func(n uint64) { report(job.Progress{Bytes: n, Phase: "fetching"}) })
	switch {
	case errors.Is(err, ErrMismatch):
		return job.Result{}, &job.Fault{Reason: job.ReasonInvalidContent, Err: fmt.Errorf("%s sent %d bytes: %w %s", from, n, err, piece)}
	case err != nil:
		return job.Result{}, fmt.Errorf("fetching piece %s from %s, after %d bytes: %w", piece, from, n, err)
	}
	d, err := json.Marshal(detail{piece.String(), from, n})
	if err != nil {
		return job.Result{}, fmt.Errorf("encoding the detail of a fetch: %w", err)
	}
	return job.Result{Outcome: job.Succeeded, Detail: d, Progress: job.Progress{Bytes: n, Total: n, Phase: "served"}}, nil
}

// mostURL bounds an endpoint.
const mostURL = 2048

// URL is where a piece is fetched: the endpoint itself, or, when it ends in "/",
// the endpoint with the piece CID appended. Only http and https, without
// credentials or a fragment.
func URL(endpoint string, piece cid.Cid) (string, error) {
	if len(endpoint) > mostURL {
		return "", fmt.Errorf("an endpoint of %d bytes; at most %d are allowed", len(endpoint), mostURL)
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return "", fmt.Errorf("the endpoint's scheme is %q, not http or https", u.Scheme)
	case u.Hostname() == "":
		return "", errors.New("the endpoint names no host")
	case u.User != nil || u.Fragment != "":
		return "", errors.New("the endpoint carries credentials or a fragment")
	}
	if strings.HasSuffix(u.Path, "/") && u.RawQuery == "" {
		return u.JoinPath(piece.String()).String(), nil
	}
	return u.String(), nil
}

func failed(r job.Reason) job.Result { return job.Result{Outcome: job.Failed, Reason: r} }
