// Package unpin runs jobs of kind unpin: what earlier requests of one owner hold
// of a CID is dropped.
//
// It is not executor/handler/release, which drops what a single request holds
// and answers nobody.
//
// Map: unpin.go is all of it.
//
// Invariants: content that another owner's or a later request refers to stays;
// an attempt may be repeated after any step.
package unpin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/job"
)

// Stat is what was dropped: requests, and blocks and bytes that nobody else
// refers to.
type Stat struct{ Refs, BlocksFreed, BytesFreed uint64 }

// Node is what the handler needs of the content node.
type Node interface {
	// Unpin drops what requests of owner with a seq below before hold of root.
	Unpin(ctx context.Context, owner string, root cid.Cid, before uint64) (Stat, error)
}

// Deps are what the handler uses.
type Deps struct{ Node Node }

// Handler runs unpin jobs; it fits runner.Handler.
type Handler struct{ node Node }

// New checks that nothing is missing.
func New(d Deps) (*Handler, error) {
	if d.Node == nil {
		return nil, errors.New("unpin handler: a node is needed")
	}
	return &Handler{node: d.Node}, nil
}

// detail is Result.Detail, for people and the API.
type detail struct {
	CID         string `json:"cid"`
	Refs        uint64 `json:"refs"`
	BlocksFreed uint64 `json:"blocksFreed"`
	BytesFreed  uint64 `json:"bytesFreed"`
}

// Handle unpins; the answer is a success with an empty result, also when nothing
// was held.
func (h *Handler) Handle(ctx context.Context, j job.Job, _ func(job.Progress)) (job.Result, error) {
	p, err := job.Decode[job.Unpin](j.Payload)
	if err != nil {
		return job.Result{}, err
	}
	root, err := cid.Cast(p.CID)
	if err != nil || !bytes.Equal(root.Bytes(), p.CID) {
		return job.Result{Outcome: job.Failed, Reason: job.ReasonInvalidContent}, nil
	}
	st, err := h.node.Unpin(ctx, p.Owner, root, p.Seq)
	if err != nil {
		return job.Result{}, fmt.Errorf("unpinning %s: %w", root, err)
	}
	d, err := json.Marshal(detail{CID: root.String(), Refs: st.Refs, BlocksFreed: st.BlocksFreed, BytesFreed: st.BytesFreed})
	if err != nil {
		return job.Result{}, fmt.Errorf("encoding the detail of an unpin: %w", err)
	}
	return job.Result{Outcome: job.Succeeded, Detail: d}, nil
}
