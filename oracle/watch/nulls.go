package watch

import (
	"context"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// A chain that stood still leaves thousands of null rounds, and a devnet whose clock
// was set forward half a million. They are not asked for one by one: each block names
// its parent, and so what is below a block is found without the heights between.

// few is how many null rounds in a row are asked for by height: more are rare.
const few = 3

// around gives the highest block at or below a height and the lowest at or above it:
// the same one, unless the height is a null round. top is a block that is not below it.
func (w *Watcher) around(ctx context.Context, height uint64, top Header) (below, above Header, err error) {
	above = top
	for h, stride := height, uint64(1); h < top.Height; h, stride = h+stride, 2*stride {
		b, err := w.header(ctx, h)
		if err == nil {
			above = b
			break
		}
		if kindOf(err) != FaultNullRound {
			return below, above, err
		}
	}
	if above.Height > height && above.Parent == (common.Hash{}) { // of the ledger's cursor only hash and height are known
		above, err = w.byHash(ctx, above.Hash)
	}
	for err == nil && above.Height > height {
		if below, err = w.byHash(ctx, above.Parent); err == nil && below.Height >= above.Height {
			err = errLie("block %s is the parent of %s", below.ID(), above.ID())
		}
		if err != nil || below.Height <= height {
			return below, above, err
		}
		above = below
	}
	return above, above, err
}

func (w *Watcher) byHash(ctx context.Context, hash common.Hash) (Header, error) {
	return ask(ctx, w, func(ctx context.Context) (Header, error) { return w.rpc.HeaderByHash(ctx, hash) })
}

// atOrBelow gives the highest block at or below a height, above which is top.
func (w *Watcher) atOrBelow(ctx context.Context, height uint64, top Header) (Header, error) {
	b, _, err := w.around(ctx, height, top)
	return b, err
}

// atOrAbove gives the lowest block at or above a height, of which top is one.
func (w *Watcher) atOrAbove(ctx context.Context, height uint64, top Header) (Header, error) {
	if height == 0 { // what is below the first block nobody knows
		if b, err := w.header(ctx, 0); kindOf(err) != FaultNullRound {
			return b, err
		}
	}
	_, b, err := w.around(ctx, height, top)
	return b, err
}

// following gives the lowest block at or above a height, up to the head.
func (w *Watcher) following(ctx context.Context, height uint64, head Header) (Header, error) {
	for h := height; h < head.Height; h++ {
		if h == height+few {
			return w.atOrAbove(ctx, h, head)
		}
		if b, err := w.header(ctx, h); kindOf(err) != FaultNullRound {
			return b, err
		}
	}
	return head, nil
}

// tellGap takes down the newest run of null rounds that is more than usual among heights
// that were read as a range, where they are near enough to the head to be news. A block
// of which logs came is there, and so is a parent that is known by its hash: calls are
// made only where what lies between two known blocks may be such a run, and then not for
// every height of it, for a run so long has one of every so many heights. It is no part
// of what must succeed.
func (w *Watcher) tellGap(ctx context.Context, s sight, c *chunk) {
	if w.cfg.until > 0 || c.end.Height+News <= s.head.Height {
		return
	}
	low := chain.Block{Height: s.cur.Height, Hash: s.cur.Hash}
	if !s.has {
		low = chain.Block{Height: max(c.from, 1) - 1}
	}
	floor := max(low.Height, s.head.Height-min(News, s.head.Height))
	top := Header{Block: c.end}
	for i := len(c.logs) - 1; top.Height > floor; i-- {
		next := low
		if i >= 0 && c.logs[i].Height > floor {
			next = chain.Block{Height: c.logs[i].Height, Hash: c.logs[i].Block}
		}
		gap, err := w.newestGap(ctx, top, next, floor)
		if w.noteEvent(&w.status.Gap, gap.Heights, gap.Before) || err != nil || next == low {
			return
		}
		top = Header{Block: next}
	}
}

// newestGap looks between two blocks, and not below a floor.
func (w *Watcher) newestGap(ctx context.Context, top Header, low chain.Block, floor uint64) (Event, error) {
	usual := w.cfg.SoftDepth + 1 // heights from one block to the next
	for {
		if low.Hash != (common.Hash{}) && top.Parent == low.Hash {
			return Event{Heights: top.Height - low.Height - 1, Before: top.Height}, nil
		}
		if top.Height <= max(low.Height, floor)+usual {
			return Event{}, nil
		}
		below, above, err := w.around(ctx, top.Height-usual, top)
		if err != nil {
			return Event{}, err
		}
		if above.Height > below.Height+usual {
			return Event{Heights: above.Height - below.Height - 1, Before: above.Height}, nil
		}
		top = below
	}
}
