package watch

import (
	"context"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// chunk is a range that was read: from..end, and what came before it.
type chunk struct {
	after common.Hash // the tip that it follows
	from  uint64
	end   chain.Block
	logs  []chain.Log
	err   error
}

// readChunk covers heights from next, at or below the final block, by one range
// read that ends at a block whose header is read too. With a glance, the tip is what
// was read a moment ago.
func (w *Watcher) readChunk(ctx context.Context, s sight, next uint64, glance bool) (bool, error) {
	if s.has && !glance {
		same, err := w.tipStands(ctx, s)
		if err != nil {
			return false, err
		}
		if !same {
			return w.reorg(ctx, s)
		}
	}
	c := w.takeAhead(s, next)
	for c == nil {
		got := w.fetch(ctx, s.cur.Hash, next, s.final, w.size)
		if kindOf(got.err) == FaultTooMany && w.shrink(next, got.end.Height) {
			continue
		}
		c = &got
	}
	if c.err != nil {
		return false, c.err
	}
	w.grow(len(c.logs), c.end.Height-next+1)
	u := w.update(s)
	u.From, u.To, u.Blocks, u.Logs, u.Final = next, c.end.Height, []chain.Block{c.end}, c.logs, c.end
	u.Behind = c.end.Height < s.final.Height || w.cfg.until > 0
	if !u.Behind {
		u.Soft = w.soft(s, c.end.Height)
	}
	if c.end.Height < s.final.Height {
		w.readAhead(ctx, s, c.end)
		if w.far = &s; !glance {
			w.farAt = w.now()
		}
	}
	if err := w.emit(ctx, u); err != nil {
		return true, err
	}
	w.tellGap(ctx, s, c)
	return true, nil
}

// fetch reads one range and the block that ends it; it changes nothing of w.
func (w *Watcher) fetch(ctx context.Context, after common.Hash, next uint64, final chain.Block, size uint64) chunk {
	c := chunk{after: after, from: next}
	if c.end, c.err = w.chunkEnd(ctx, final, next, size); c.err != nil {
		return c
	}
	if c.end.Height-next >= size { // null rounds before it hold no logs, and may be more than a range read takes
		next = c.end.Height
	}
	c.logs, c.err = w.rangeLogs(ctx, next, c.end, size)
	return c
}

// readAhead begins to read what follows end, while the ledger takes in what was
// read. At most one range is ahead, so memory is bounded by two.
func (w *Watcher) readAhead(ctx context.Context, s sight, end chain.Block) {
	w.forget()
	ahead, size := make(chan chunk, 1), w.size
	go func() {
		c := w.fetch(ctx, end.Hash, end.Height+1, s.final, size)
		if w.told != nil && c.err == nil {
			w.told(c.logs)
		}
		ahead <- c
	}()
	w.ahead = ahead
}

// takeAhead gives what was read ahead where it fits; nil sends the caller to read.
func (w *Watcher) takeAhead(s sight, next uint64) *chunk {
	if w.ahead == nil {
		return nil
	}
	c := <-w.ahead
	w.ahead = nil
	if kindOf(c.err) == FaultTooMany && c.from == next {
		w.shrink(c.from, c.end.Height)
	}
	if c.err != nil || c.from != next || c.after != s.cur.Hash || c.end.Height > s.final.Height {
		return nil
	}
	return &c
}

// forget waits for what is being read ahead and drops it.
func (w *Watcher) forget() {
	if w.ahead != nil {
		<-w.ahead
		w.ahead = nil
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
func (w *Watcher) chunkEnd(ctx context.Context, final chain.Block, next, size uint64) (chain.Block, error) {
	to := next + size - 1
	if to >= final.Height {
		return final, nil
	}
	below, above, err := w.around(ctx, to, Header{Block: final})
	if err == nil && below.Height < next { // all of next..to are null rounds
		return above.Block, nil
	}
	return below.Block, err
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

// enough is how many logs an answer should hold where logs are many: so few that what
// is read and not yet stored is little, and a transaction short; so many that calls for
// blocks are few beside them.
const enough = 4000

// grow makes the next range read a quarter larger, after a range of so many heights
// held so many logs, or smaller where it would hold more than enough.
func (w *Watcher) grow(logs int, heights uint64) {
	w.size = min(w.cfg.MaxRange, w.size+w.size/4+1)
	if logs > 0 {
		w.size = min(w.size, max(w.cfg.MinRange, heights*enough/uint64(logs)))
	}
}

// rangeLogs reads and checks the logs of from..end. A single block is asked for
// by its hash where the endpoint refuses it as a range; with a size of one, the
// heights before it are null rounds.
func (w *Watcher) rangeLogs(ctx context.Context, from uint64, end chain.Block, size uint64) ([]chain.Log, error) {
	logs, err := ask(ctx, w, func(ctx context.Context) ([]chain.Log, error) {
		return w.rpc.LogsByRange(ctx, from, end.Height, w.cfg.Addresses)
	})
	if kindOf(err) == FaultTooMany && (from == end.Height || size == 1) {
		logs, err = w.logsOf(ctx, end)
	}
	if err != nil {
		return nil, err
	}
	return w.checked(logs, from, end)
}

// checked puts logs of from..end in order and refuses answers that cannot be
// true. Repetitions, which some endpoints give, are dropped.
func (w *Watcher) checked(logs []chain.Log, from uint64, end chain.Block) ([]chain.Log, error) {
	slices.SortStableFunc(logs, inOrder)
	out, shown, ofTx := make([]chain.Log, 0, len(logs)), map[ident]bool{}, make(map[txIn]int, len(logs))
	for _, l := range logs {
		ofTx[txIn{l.Block, l.Tx}]++
	}
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
			case p.Height != l.Height && p.Block == l.Block:
				return nil, errLie("block %s at heights %d and %d", l.Block, p.Height, l.Height)
			}
		}
		if ofTx[txIn{l.Block, l.Tx}] > 1 { // only then may it have been shown before
			id := identOf(l)
			if shown[id] {
				continue
			}
			shown[id] = true
		}
		out = append(out, l)
	}
	return out, nil
}

// txIn is a transaction in a block.
type txIn struct{ block, tx common.Hash }

func inOrder(a, b chain.Log) int {
	switch {
	case a.Height != b.Height && a.Height < b.Height, a.Height == b.Height && a.Index < b.Index:
		return -1
	case a.Height == b.Height && a.Index == b.Index:
		return 0
	}
	return 1
}

// logsOf reads the logs of one block by its hash, unchecked.
func (w *Watcher) logsOf(ctx context.Context, b chain.Block) ([]chain.Log, error) {
	return ask(ctx, w, func(ctx context.Context) ([]chain.Log, error) {
		return w.rpc.LogsByBlock(ctx, b.Hash, w.cfg.Addresses)
	})
}
