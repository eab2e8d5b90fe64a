package watch

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// reorg rolls the ledger back to the newest of its blocks that is still
// canonical, and takes what replaced the others in the same update where it can,
// so that what was included again is not undone first.
func (w *Watcher) reorg(ctx context.Context, s sight) (bool, error) {
	ancestor, err := w.ancestor(ctx, s)
	if kindOf(err) == FaultNotYet {
		w.noteLag(true)
		return false, nil // a node that has less than we do proves nothing
	}
	if err != nil {
		return false, err
	}
	if ancestor.Hash == s.cur.Hash {
		return false, errLie("block %s is canonical, and yet not on the branch of the newer blocks that were shown", ancestor.ID())
	}
	dropped := s.cur.Height - ancestor.Height
	after := s
	after.cur.Height, after.cur.Hash = ancestor.Height, ancestor.Hash
	u := w.update(s)
	if found, err := w.tail(ctx, after); err == nil && len(found.Blocks) > 0 && ancestor.Height >= s.final.Height {
		u = found
	}
	u.Reorg, u.Ancestor, u.After = true, ancestor, &s.cur
	u.Soft = w.soft(after, max(ancestor.Height, u.To))
	if err := w.emit(ctx, u); err != nil {
		return false, err
	}
	w.noteEvent(&w.status.Reorg, dropped, ancestor.Height+1)
	w.m.reorgs.Inc()
	w.m.depth.Observe(float64(dropped))
	w.log.Info("the chain reorganised", "ancestor", ancestor.ID(), "depth", dropped, "blocks", len(u.Blocks))
	// not at once again: an endpoint that flips between branches must not make us spin
	return false, nil
}

// ancestor walks back through the ledger's blocks, and no further than its
// final one.
func (w *Watcher) ancestor(ctx context.Context, s sight) (chain.Block, error) {
	blocks, err := w.stored(ctx, s.cur)
	if err != nil {
		return chain.Block{}, err
	}
	final := chain.Block{Height: s.cur.Final, Hash: s.cur.FinalHash}
	if len(blocks) == 0 || blocks[0].Height > final.Height {
		blocks = append([]chain.Block{final}, blocks...)
	}
	for i := len(blocks) - 1; i >= 0; i-- {
		b := blocks[i]
		h, err := w.header(ctx, b.Height)
		switch {
		case kindOf(err) == FaultNullRound:
		case err != nil:
			return chain.Block{}, err
		case h.Hash == b.Hash:
			return b, nil
		}
	}
	return chain.Block{}, fmt.Errorf("%w: the endpoint no longer has %s, which was final", chain.ErrDeepReorg, final.ID())
}

// stored gives the ledger's blocks from the final one to the cursor, ascending.
func (w *Watcher) stored(ctx context.Context, cur chain.Cursor) ([]chain.Block, error) {
	const page = 1000
	var out []chain.Block
	for from := cur.Final; ; {
		blocks, err := w.ledger.BlocksFrom(ctx, from, page)
		if err != nil {
			return nil, fmt.Errorf("reading stored blocks: %w", err)
		}
		for _, b := range blocks {
			if b.Height > cur.Height {
				return out, nil
			}
			out = append(out, b)
		}
		if len(blocks) < page {
			return out, nil
		}
		from = out[len(out)-1].Height + 1
	}
}

// freeze stops the money lane when a rollback below the final block has been
// seen twice in a row: once may be one bad node behind a name. What was seen holds for
// the cursor that the step went by, and for no other: a person may accept the reorg
// while a step is under way.
func (w *Watcher) freeze(ctx context.Context, cause error) error {
	if w.deep++; w.deep < 2 {
		return &Fault{Kind: FaultGarbage, Endpoint: "the endpoint", Method: methodFinality,
			Err: fmt.Errorf("looking again before believing it: %s", cause)}
	}
	if w.judged.Frozen != "" {
		return cause
	}
	final := chain.Block{Height: w.judged.Final, Hash: w.judged.FinalHash}
	err := w.ledger.Freeze(ctx, w.cfg.Filter, final, cause.Error())
	if errors.Is(err, job.ErrConflict) {
		w.deep = 0
		return nil // a person has decided since the step began: the next one sees what is so now
	}
	if err != nil {
		return errors.Join(cause, fmt.Errorf("freezing the money lane: %w", err))
	}
	w.m.frozen.Set(1)
	return cause
}

// Below gives the ledger's newest block below a height.
type Below interface {
	BlockBelow(ctx context.Context, height uint64) (chain.Block, bool, error)
}

// CommonAncestor gives the newest of the ledger's blocks that the endpoint has too,
// however final what is above it was: where a person who accepts the endpoint's chain
// lets watching begin again.
func CommonAncestor(ctx context.Context, rpc Client, ledger Below) (chain.Block, error) {
	for below := uint64(math.MaxInt64); ; {
		b, ok, err := ledger.BlockBelow(ctx, below)
		if err != nil {
			return chain.Block{}, fmt.Errorf("reading stored blocks: %w", err)
		}
		if !ok {
			return chain.Block{}, fmt.Errorf("%w: the endpoint has no block that the ledger has", ErrOtherChain)
		}
		h, err := rpc.HeaderByNumber(ctx, b.Height)
		switch kindOf(err) {
		case "":
		case FaultNullRound, FaultNotYet: // replaced, or beyond the new head
			below = b.Height
			continue
		}
		if err != nil {
			return chain.Block{}, err
		}
		if h.Hash == b.Hash {
			return b, nil
		}
		below = b.Height
	}
}

// hashAt indexes blocks by height.
func hashAt(blocks []chain.Block) map[uint64]common.Hash {
	out := make(map[uint64]common.Hash, len(blocks))
	for _, b := range blocks {
		out[b.Height] = b.Hash
	}
	return out
}
