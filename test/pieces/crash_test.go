package pieces

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidegate/tidegate/executor/bucket"
	"github.com/tidegate/tidegate/executor/job"
)

// faulty is a ledger that dies at a step, before or after what it was asked.
type faulty struct {
	bucket.Ledger
	r *rig
}

func (f faulty) PlaceItem(ctx context.Context, it job.Item, ref, single string, rule job.Placing, now time.Time) (out job.Placed, err error) {
	err = f.around("place", func() error { out, err = f.Ledger.PlaceItem(ctx, it, ref, single, rule, now); return err })
	return out, err
}

func (f faulty) SealBucket(ctx context.Context, id int64, seal job.Seal, now time.Time) error {
	return f.around("seal", func() error { return f.Ledger.SealBucket(ctx, id, seal, now) })
}

func (f faulty) AddPieceFile(ctx context.Context, file job.PieceFile, now time.Time) error {
	return f.around("add file", func() error { return f.Ledger.AddPieceFile(ctx, file, now) })
}

func (f faulty) CompletePieceFile(ctx context.Context, file job.PieceFile) error {
	return f.around("complete file", func() error { return f.Ledger.CompletePieceFile(ctx, file) })
}

// DropPieceFile fails always once dead: a killed process tidies nothing up.
func (f faulty) DropPieceFile(ctx context.Context, name string) error {
	return f.around("drop file", func() error { return f.Ledger.DropPieceFile(ctx, name) })
}

func (f faulty) around(what string, do func() error) error {
	if err := f.r.n.may("before " + what); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return f.r.n.may("after " + what)
}

// The shelf dies again and again, at any step of preparing 150 items in every form
// (1,000 items and 50 kills of the whole daemon: make soak); each item ends in one
// piece, and nothing is left that no row knows.
func TestDyingAtEveryStepLosesAndDoublesNothing(t *testing.T) {
	forms(t, func(t *testing.T, change func(*bucket.Config)) {
		r := newRig(t, func(c *bucket.Config) { change(c); c.MaxItems = 40 })
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 3))
		roots := r.small(148)
		for i := range uint64(2) { // two are pieces of their own, with layout files
			roots = append(roots, r.n.tree(bytesOf(90+i, 1<<20), bytesOf(92+i, 1<<20), bytesOf(94+i, 1<<20), bytesOf(96+i, 1<<20), bytesOf(98+i, 1<<20)))
		}
		deaths := 0
		for at := 0; at < len(roots); {
			r.restart()
			left := random.IntN(60)
			dead := false
			r.n.crash = func(string) error {
				if dead = dead || left == 0; dead {
					return errKilled
				}
				left--
				return nil
			}
			s, err := bucket.New(t.Context(), r.cfg, bucket.Deps{Node: r.n, Ledger: faulty{r.ledger, r}})
			if errors.Is(err, errKilled) {
				deaths++
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for at < len(roots) {
				_, err := s.Make(t.Context(), bucket.Order{Ref: "ask-" + roots[at].String(), Root: roots[at]}, nil)
				if errors.Is(err, errKilled) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				at++
			}
			if dead {
				deaths++
				leaveTraces(t, r)
			}
		}
		if deaths < 5 {
			t.Errorf("only %d deaths", deaths)
		}
		r.restart()
		r.flush()
		r.restart()
		r.inOnePiece(roots)
		r.clean()
		for _, b := range r.ready() {
			r.whole(b.Piece)
		}
	})
}

// leaveTraces puts what a kill in the middle of a write leaves.
func leaveTraces(t *testing.T, r *rig) {
	t.Helper()
	for _, name := range []string{"half.car.tmp", "whole.layout"} {
		if err := os.WriteFile(filepath.Join(r.cfg.Dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
