// Package release runs jobs of kind release: what one request holds is dropped,
// because the request was retracted, refunded or cancelled, or its pin expired.
//
// It is not executor/handler/unpin, which a contract asks for and which spans
// requests. Nobody is answered: the ledger makes no answer of a release.
//
// Map: release.go is all of it.
//
// Invariants: only what the named request holds is dropped; an attempt may be
// repeated after any step.
package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tidegate/tidegate/executor/job"
)

// Stat is what was dropped: blocks and bytes that no other request refers to.
type Stat struct{ BlocksFreed, BytesFreed uint64 }

// Node is what the handler needs of the content node.
type Node interface {
	// Release drops whatever ref holds; an unknown ref is no error.
	Release(ctx context.Context, ref string) (Stat, error)
}

// Deps are what the handler uses.
type Deps struct{ Node Node }

// Handler runs release jobs; it fits runner.Handler.
type Handler struct{ node Node }

// New checks that nothing is missing.
func New(d Deps) (*Handler, error) {
	if d.Node == nil {
		return nil, errors.New("release handler: a node is needed")
	}
	return &Handler{node: d.Node}, nil
}

// detail is Result.Detail, for people and the API.
type detail struct {
	Request     string `json:"request"`
	Why         string `json:"why"`
	BlocksFreed uint64 `json:"blocksFreed"`
	BytesFreed  uint64 `json:"bytesFreed"`
}

// Handle releases what the payload's request holds.
func (h *Handler) Handle(ctx context.Context, j job.Job, _ func(job.Progress)) (job.Result, error) {
	p, err := job.Decode[job.Release](j.Payload)
	if err != nil {
		return job.Result{}, err
	}
	if p.Request == "" {
		return job.Result{}, errors.New("a release job names no request")
	}
	st, err := h.node.Release(ctx, p.Request)
	if err != nil {
		return job.Result{}, fmt.Errorf("releasing what %s holds (%s): %w", p.Request, p.Why, err)
	}
	d, err := json.Marshal(detail{Request: p.Request, Why: p.Why, BlocksFreed: st.BlocksFreed, BytesFreed: st.BytesFreed})
	if err != nil {
		return job.Result{}, fmt.Errorf("encoding the detail of a release: %w", err)
	}
	return job.Result{Outcome: job.Succeeded, Detail: d}, nil
}
