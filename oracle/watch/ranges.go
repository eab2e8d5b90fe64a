package watch

import (
	"context"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// readChunk covers heights from next, at or below the final block, by one range
// read that ends at a block whose header is read too.
func (w *Watcher) readChunk(ctx context.Context, s sight, next uint64) (bool, error) {
	if s.has {
		same, err := w.tipStands(ctx, s)
		if err != nil {
			return false, err
		}
		if !same {
			return w.reorg(ctx, s)
		}
	}
	for {
		end, err := w.chunkEnd(ctx, s, next)
		if err != nil {
			return false, err
		}
		logs, err := w.rangeLogs(ctx, next, end)
		if kindOf(err) == FaultTooMany && w.shrink(next, end.Height) {
			continue
		}
		if err != nil {
			return false, err
		}
		w.grow()
		u := w.update(s)
		u.From, u.To, u.Blocks, u.Logs, u.Final = next, end.Height, []chain.Block{end}, logs, end
		if end.Height == s.final.Height {
			u.Soft = w.soft(s, end.Height)
		} // else far behind: work that history has already closed must not start
		return true, w.emit(ctx, u)
	}
}

// tipStands reports whether the ledger's newest block is still canonical.
func (w *Watcher) tipStands(ctx context.Context, s sight) (bool, error) {
	tip, err := w.header(ctx, s.cur.Height)
	if kindOf(err) == FaultNullRound {
		return false, nil
	}
	return err == nil && tip.Hash == s.cur.Hash, err
}

// chunkEnd gives the block that ends the next range read.
func (w *Watcher) chunkEnd(ctx context.Context, s sight, next uint64) (chain.Block, error) {
	to := next + w.size - 1
	if to >= s.final.Height {
		return s.final, nil
	}
	end, err := w.atOrBelow(ctx, to, next)
	if kindOf(err) == FaultNullRound { // all of next..to
		end, err = w.atOrAbove(ctx, to+1, s.final.Height)
	}
	return end.Block, err
}

// shrink halves the next range read after from..to was too much, and reports
// whether it is smaller now.
func (w *Watcher) shrink(from, to uint64) bool {
	half := max(w.cfg.MinRange, (to-from+1)/2)
	if half >= w.size {
		return false
	}
	w.size = half
	return true
}

// grow makes the next range read a quarter larger.
func (w *Watcher) grow() { w.size = min(w.cfg.MaxRange, w.size+w.size/4+1) }

// rangeLogs reads and checks the logs of from..end. A single block is asked for
// by its hash where the endpoint refuses it as a range; with a size of one, the
// heights before it are null rounds.
func (w *Watcher) rangeLogs(ctx context.Context, from uint64, end chain.Block) ([]chain.Log, error) {
	logs, err := ask(ctx, w, func(ctx context.Context) ([]chain.Log, error) {
		return w.rpc.LogsByRange(ctx, from, end.Height, w.cfg.Addresses)
	})
	if kindOf(err) == FaultTooMany && (from == end.Height || w.size == 1) {
		logs, err = w.logsOf(ctx, end)
	}
	if err != nil {
		return nil, err
	}
	return w.checked(logs, from, end)
}

// checked puts logs of from..end in order and refuses answers that cannot be
// true. Exact repetitions, which some endpoints give, are dropped.
func (w *Watcher) checked(logs []chain.Log, from uint64, end chain.Block) ([]chain.Log, error) {
	slices.SortStableFunc(logs, inOrder)
	out := make([]chain.Log, 0, len(logs))
	for i, l := range logs {
		switch {
		case l.Height < from || l.Height > end.Height:
			return nil, errLie("a log of height %d in the answer for %d..%d", l.Height, from, end.Height)
		case !w.wanted[l.Address]:
			return nil, errLie("a log of %s, which was not asked for", l.Address)
		case l.Height == end.Height && l.Block != end.Hash:
			return nil, errLie("a log of block %d in %s, but that block is %s", l.Height, l.Block, end.Hash)
		}
		if i > 0 {
			p := logs[i-1]
			switch {
			case p.Height == l.Height && p.Block != l.Block:
				return nil, errLie("logs of height %d in two blocks, %s and %s", l.Height, p.Block, l.Block)
			case p.Height == l.Height && p.Index == l.Index && sameLog(p, l):
				continue
			case p.Height == l.Height && p.Index == l.Index:
				return nil, errLie("two logs with index %d in block %s", l.Index, l.Block)
			case p.Height != l.Height && p.Block == l.Block:
				return nil, errLie("block %s at heights %d and %d", l.Block, p.Height, l.Height)
			}
		}
		out = append(out, l)
	}
	return out, nil
}

func inOrder(a, b chain.Log) int {
	switch {
	case a.Height != b.Height && a.Height < b.Height, a.Height == b.Height && a.Index < b.Index:
		return -1
	case a.Height == b.Height && a.Index == b.Index:
		return 0
	}
	return 1
}

func sameLog(a, b chain.Log) bool {
	return a.Block == b.Block && a.Index == b.Index && a.Tx == b.Tx && a.Address == b.Address &&
		slices.Equal(a.Topics, b.Topics) && slices.Equal(a.Data, b.Data)
}

// logsOf reads the logs of one block by its hash, unchecked.
func (w *Watcher) logsOf(ctx context.Context, b chain.Block) ([]chain.Log, error) {
	return ask(ctx, w, func(ctx context.Context) ([]chain.Log, error) {
		return w.rpc.LogsByBlock(ctx, b.Hash, w.cfg.Addresses)
	})
}

// place names a log: which block, and where in it.
type place struct {
	block common.Hash
	index uint
}

func placeOf(l chain.Log) place { return place{l.Block, l.Index} }
