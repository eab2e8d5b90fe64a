// Package prepare runs jobs of kind prepare: the DAG under a CID is fetched,
// turned into the CAR of a piece, and put on offer.
//
// It is not the node (executor/ipfs fetches), not the computation (executor/piece)
// and not the shelf on which pieces stand (executor/bucket): it says how one
// attempt ended, and executor/runner does the rest.
//
// Map: prepare.go is all of it.
//
// Invariants: the answer is about the item's own CAR, never about a bucket, and a
// pure function of the DAG; while an attempt runs the DAG is held under the
// request's own reference, afterwards by the shelf, so an attempt may be repeated
// after any step; before a failure is answered nothing is held (Abandon).
package prepare

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

// Spec is what the node is asked to fetch and hold.
type Spec struct {
	Ref      string // holder of the references: the request, or a local job's key
	Owner    string
	Root     cid.Cid
	Origins  []string // multiaddrs ending in /p2p/…, asked first
	MaxBytes uint64   // cap on unique block bytes; 0 for the operator's cap
}

// Order is a DAG, all of which is held, to be made into a piece.
type Order struct {
	Ref   string
	Root  cid.Cid
	Bytes uint64    // unique block bytes of the DAG
	Until time.Time // on offer at least until then; zero for the operator's policy
}

// Made is the item that came of an Order.
type Made struct {
	Piece   cid.Cid // piece CID v1
	PieceV2 string  // the same as v2, which carries the size
	Padded  uint64  // padded size
	CARSize uint64
	Blocks  uint64
	Bucket  int64
}

var (
	// ErrNoRoom is what a Node or a Maker returns when the disk reserve is
	// reached: nothing is wrong with the content.
	ErrNoRoom = errors.New("no room on disk")
	// ErrTooLarge is what a Maker returns for a CAR above the largest piece.
	ErrTooLarge = errors.New("larger than the largest piece")
)

// Node is what the handler needs of the content node.
type Node interface {
	// Fetch holds the DAG under s.Root for s.Ref and returns its unique block
	// bytes. It is idempotent and resumes. Failures of the content or its
	// providers are *job.Fault.
	Fetch(ctx context.Context, s Spec, progress func(job.Progress)) (bytes uint64, err error)
	// Release drops whatever ref holds; an unknown ref is no error.
	Release(ctx context.Context, ref string) error
}

// Maker makes items and keeps them on offer.
type Maker interface {
	// Make is idempotent; what it was asked before it answers from memory.
	Make(ctx context.Context, o Order, progress func(job.Progress)) (Made, error)
	// Drop ends what ref asked for; an unknown ref is no error.
	Drop(ctx context.Context, ref string) error
}

// Config is the handler's own.
type Config struct {
	// MaxPiece is the padded size of the largest piece; 32 GiB if zero.
	MaxPiece uint64
	// RoomEvery is how long a job waits for room on disk; 1 min if zero.
	RoomEvery time.Duration
}

// Deps are what the handler uses.
type Deps struct {
	Node  Node
	Maker Maker
	Now   func() time.Time // nil: time.Now
}

// Handler runs prepare jobs; it fits runner.Handler and runner.Abandoner.
type Handler struct {
	cfg Config
	d   Deps
}

// New checks that nothing is missing.
func New(cfg Config, d Deps) (*Handler, error) {
	if d.Node == nil || d.Maker == nil {
		return nil, errors.New("prepare handler: a node and a maker are needed")
	}
	if cfg.MaxPiece == 0 {
		cfg.MaxPiece = 32 << 30
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
	CID     string `json:"cid"`
	Piece   string `json:"pieceCid"`
	PieceV2 string `json:"pieceCidV2"`
	Padded  uint64 `json:"paddedSize"`
	CARSize uint64 `json:"carSize"`
	Blocks  uint64 `json:"blocks"`
	Bucket  int64  `json:"bucket"`
}

// Handle prepares j's CID. A CID that cannot be one, and a piece whose term or
// deadline has passed, are answered as failed; a DAG above the largest piece is a
// *job.Fault (too_large); the node's errors are passed on.
func (h *Handler) Handle(ctx context.Context, j job.Job, report func(job.Progress)) (job.Result, error) {
	p, err := job.Decode[job.Prepare](j.Payload)
	if err != nil {
		return job.Result{}, err
	}
	root, err := cid.Cast(p.CID)
	if err != nil || !bytes.Equal(root.Bytes(), p.CID) {
		return failed(job.ReasonInvalidContent), nil
	}
	until := time.Time{}
	if p.Until > 0 {
		until = time.Unix(p.Until, 0)
	}
	if over(until, h.d.Now()) || over(j.Deadline, h.d.Now()) {
		return failed(job.ReasonExpired), nil
	}
	made, total, err := h.make(ctx, j, p, root, until, report)
	switch {
	case errors.Is(err, ErrNoRoom):
		return job.Result{}, &job.Snooze{For: h.cfg.RoomEvery, Why: fmt.Sprintf("preparing %s: %v", root, err)}
	case errors.Is(err, ErrTooLarge):
		return job.Result{}, &job.Fault{Reason: job.ReasonTooLarge, Err: fmt.Errorf("preparing %s: %w", root, err)}
	case err != nil:
		return job.Result{}, fmt.Errorf("preparing %s: %w", root, err)
	}
	d, err := json.Marshal(detail{
		CID: root.String(), Piece: made.Piece.String(), PieceV2: made.PieceV2, Padded: made.Padded, CARSize: made.CARSize,
		Blocks: made.Blocks, Bucket: made.Bucket,
	})
	if err != nil {
		return job.Result{}, fmt.Errorf("encoding the detail of a piece: %w", err)
	}
	return job.Result{
		Outcome: job.Succeeded, Answer: Answer(made.Piece, made.Padded, made.CARSize, total), Detail: d,
		Progress: job.Progress{Blocks: made.Blocks, Bytes: made.CARSize, Known: made.Blocks, Total: made.CARSize, Phase: "prepared"},
	}, nil
}

// make fetches the DAG, has the item made, and lets go of the request's own
// reference once the shelf holds the DAG. It also says how many bytes the DAG's
// blocks have, each counted once.
func (h *Handler) make(ctx context.Context, j job.Job, p job.Prepare, root cid.Cid, until time.Time, report func(job.Progress)) (Made, uint64, error) {
	most := h.cfg.MaxPiece / 128 * 127 // a CAR is larger than its blocks
	if p.MaxBytes > 0 {
		most = min(most, p.MaxBytes)
	}
	total, err := h.d.Node.Fetch(ctx, Spec{Ref: Ref(j), Owner: p.Owner, Root: root, Origins: p.Origins, MaxBytes: most}, report)
	if err != nil {
		return Made{}, 0, err
	}
	made, err := h.d.Maker.Make(ctx, Order{Ref: Ref(j), Root: root, Bytes: total, Until: until}, func(p job.Progress) {
		p.Total = max(total, p.Bytes)
		report(p)
	})
	if err != nil {
		return Made{}, 0, err
	}
	if err := h.d.Node.Release(ctx, Ref(j)); err != nil {
		return Made{}, 0, fmt.Errorf("letting go of %s: %w", Ref(j), err)
	}
	return made, total, nil
}

// Abandon drops what attempts at j have fetched and made so far.
func (h *Handler) Abandon(ctx context.Context, j job.Job) error {
	if err := errors.Join(h.d.Maker.Drop(ctx, Ref(j)), h.d.Node.Release(ctx, Ref(j))); err != nil {
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

// Answer is the on-chain result: abi.encode(bytes pieceCid, uint64 paddedSize,
// uint64 carSize, uint64 blockBytes), the piece CID being v1 and blockBytes the
// sum over the DAG's unique blocks. Who wants the first three decodes three.
func Answer(piece cid.Cid, padded, car, blocks uint64) []byte {
	const word = 32
	raw := piece.Bytes()
	out := make([]byte, 5*word+(len(raw)+word-1)/word*word)
	out[word-1] = 4 * word // where the bytes begin
	for i, n := range []uint64{padded, car, blocks, uint64(len(raw))} {
		binary.BigEndian.PutUint64(out[(i+2)*word-8:], n)
	}
	copy(out[5*word:], raw)
	return out
}

func failed(r job.Reason) job.Result { return job.Result{Outcome: job.Failed, Reason: r} }

func over(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }
