// Package pin runs jobs of kind pin: the whole DAG under a CID is fetched and
// held for one request until the request's expiry.
//
// It is not the node (executor/ipfs fetches, caps and refers to blocks), nor
// does it retry or answer: it says how one attempt ended, and executor/runner
// does the rest.
//
// Map: pin.go is all of it.
//
// Invariants: what is held is held under the request's own reference, so an
// attempt may be repeated after any step; the answer is a pure function of the
// content; before a failure is answered nothing is held (Abandon).
package pin

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/job"
)

// Spec is what the node is asked to hold.
type Spec struct {
	Ref      string // holder of the references: the request, or a local job's key
	Owner    string // scope of unpin
	Seq      uint64 // order of the requests of one provider; 0 for local work
	Root     cid.Cid
	Origins  []string // multiaddrs ending in /p2p/…, asked first
	MaxBytes uint64   // cap on unique block bytes; 0 for the operator's cap
	Name     string
}

// Stat is what the node holds. Blocks and Bytes count each block once,
// LogicalBytes once per path from the root; Fetched are blocks this call brought.
type Stat struct{ Blocks, Bytes, LogicalBytes, Fetched uint64 }

var (
	// ErrReleased is what a Node's Pin returns when a later unpin of the same
	// owner, or a release, ended it.
	ErrReleased = errors.New("released while it was being pinned")
	// ErrNoRoom is what a Node's Pin returns when the disk reserve is reached:
	// nothing is wrong with the content.
	ErrNoRoom = errors.New("no room on disk")
)

// Node is what the handler needs of the content node.
type Node interface {
	// Pin holds the DAG under s.Root for s.Ref and returns when all of it is
	// durable. It is idempotent and resumes. Failures of the content or its
	// providers are *job.Fault.
	Pin(ctx context.Context, s Spec, progress func(job.Progress)) (Stat, error)
	// Release drops whatever ref holds; an unknown ref is no error.
	Release(ctx context.Context, ref string) error
}

// Config is the handler's own.
type Config struct {
	NodeID string // of the Node, written to the ledger with what it holds
	// RoomEvery is how long a job waits for room on disk; 1 min if zero.
	RoomEvery time.Duration
}

// Deps are what the handler uses.
type Deps struct {
	Node Node
	Now  func() time.Time // nil: time.Now
}

// Handler runs pin jobs; it fits runner.Handler and runner.Abandoner.
type Handler struct {
	cfg Config
	d   Deps
}

// New checks that nothing is missing.
func New(cfg Config, d Deps) (*Handler, error) {
	if cfg.NodeID == "" || d.Node == nil {
		return nil, errors.New("pin handler: a node and its id are needed")
	}
	if cfg.RoomEvery <= 0 {
		cfg.RoomEvery = time.Minute
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Handler{cfg: cfg, d: d}, nil
}

// detail is Result.Detail, for people and the API.
type detail struct {
	CID          string `json:"cid"`
	Blocks       uint64 `json:"blocks"`
	Bytes        uint64 `json:"bytes"`
	LogicalBytes uint64 `json:"logicalBytes"`
	Fetched      uint64 `json:"fetched"`
}

// Handle pins j's CID. A CID that cannot be one, and a pin whose expiry or
// deadline has passed, are answered as failed; the node's errors are passed on.
func (h *Handler) Handle(ctx context.Context, j job.Job, report func(job.Progress)) (job.Result, error) {
	p, err := job.Decode[job.Pin](j.Payload)
	if err != nil {
		return job.Result{}, err
	}
	root, err := cid.Cast(p.CID)
	if err != nil || !bytes.Equal(root.Bytes(), p.CID) {
		return failed(job.ReasonInvalidContent), nil
	}
	expiry := time.Time{}
	if p.Expiry > 0 {
		expiry = time.Unix(p.Expiry, 0)
	}
	if over(expiry, h.d.Now()) || over(j.Deadline, h.d.Now()) {
		return failed(job.ReasonExpired), nil
	}
	st, err := h.d.Node.Pin(ctx, Spec{
		Ref: Ref(j), Owner: p.Owner, Seq: p.Seq, Root: root,
		Origins: p.Origins, MaxBytes: p.MaxBytes, Name: p.Name,
	}, report)
	switch {
	case errors.Is(err, ErrReleased):
		return job.Result{}, &job.Fault{Reason: job.ReasonRefused, Err: fmt.Errorf("pinning %s: %w", root, err)}
	case errors.Is(err, ErrNoRoom):
		return job.Result{}, &job.Snooze{For: h.cfg.RoomEvery, Why: fmt.Sprintf("pinning %s: %v", root, err)}
	case err != nil:
		return job.Result{}, fmt.Errorf("pinning %s: %w", root, err)
	}
	d, err := json.Marshal(detail{CID: root.String(), Blocks: st.Blocks, Bytes: st.Bytes, LogicalBytes: st.LogicalBytes, Fetched: st.Fetched})
	if err != nil {
		return job.Result{}, fmt.Errorf("encoding the detail of a pin: %w", err)
	}
	return job.Result{
		Outcome: job.Succeeded, Answer: Answer(st.Blocks, st.Bytes), Detail: d,
		Held: true, NodeID: h.cfg.NodeID, ReleaseAt: expiry,
		Progress: job.Progress{Blocks: st.Blocks, Bytes: st.Bytes, Known: st.Blocks, Phase: "pinned"},
	}, nil
}

// Abandon drops what attempts at j have fetched so far.
func (h *Handler) Abandon(ctx context.Context, j job.Job) error {
	if err := h.d.Node.Release(ctx, Ref(j)); err != nil {
		return fmt.Errorf("releasing %s: %w", Ref(j), err)
	}
	return nil
}

// Ref is what j's content is held under: the on-chain request, or the key of a
// local job.
func Ref(j job.Job) string {
	if j.Request != "" {
		return j.Request
	}
	return j.Key
}

// Answer is the on-chain result of a pin: abi.encode(uint64 blocks, uint64 bytes).
func Answer(blocks, bytes uint64) []byte {
	out := make([]byte, 64)
	binary.BigEndian.PutUint64(out[24:], blocks)
	binary.BigEndian.PutUint64(out[56:], bytes)
	return out
}

func failed(r job.Reason) job.Result { return job.Result{Outcome: job.Failed, Reason: r} }

func over(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }
