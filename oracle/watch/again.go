package watch

import (
	"context"
	"maps"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tidegate/tidegate/oracle/chain"
)

// window is how many heights are read again with each new head. An index that is behind
// the blocks is so by an epoch or two (lotus#12078), and the soft lane starts 5 behind.
const window = 10

// farthest is how far behind the cursor a block that is in doubt is read again.
const farthest = 100

// tries is how often the reading again is tried at one head.
const tries = 2

// late is what is remembered of blocks above finality whose logs may come late.
type late struct {
	tip    common.Hash            // newest block when it was last done, or given up
	failed int                    // tries at the newest block
	size   uint64                 // heights that the endpoint takes at once, at most window; 0 for all
	doubts map[uint64]common.Hash // blocks whose blooms speak against what was shown, by height
}

// shower is a Client that tells what one endpoint shows, where Client asks for what
// several agree on.
type shower interface {
	LogsShown(ctx context.Context, from, to uint64, addrs []common.Address) ([]chain.Log, error)
}

// readAgain reads the newest heights again, once for each head and by one range: logs
// that come late are found before work that may start early would have, and not only
// when they are final. A block in doubt is read again for longer, and once by its
// receipts, which are kept apart from the index. It is no part of what must succeed: where
// it fails, the second read at finality finds what is missing.
func (w *Watcher) readAgain(ctx context.Context, s sight) (bool, error) {
	if !s.has || w.cfg.until > 0 || s.cur.Height <= s.cur.Final || w.late.tip == s.cur.Hash {
		return false, nil
	}
	maps.DeleteFunc(w.late.doubts, func(h uint64, _ common.Hash) bool {
		return h <= s.cur.Final || h > s.cur.Height || h+farthest < s.cur.Height
	})
	blocks, err := w.ledger.BlocksFrom(ctx, w.againFrom(s.cur), farthest+1)
	if err != nil {
		return false, err
	}
	at := hashAt(slices.DeleteFunc(blocks, func(b chain.Block) bool { return b.Height > s.cur.Height }))
	shown, ok := w.shownAgain(ctx, s.cur)
	if w.late.failed++; !ok && w.late.failed < tries {
		return false, nil
	}
	w.late.tip, w.late.failed = s.cur.Hash, 0
	shown = append(shown, w.receiptsAgain(ctx, at, shown)...)
	have, err := w.held(ctx, s.cur.Final+1, s.cur.Height)
	if err != nil {
		return false, err
	}
	var missing []chain.Log
	for _, l := range shown {
		id := identOf(l)
		if at[l.Height] != l.Block || !w.wanted[l.Address] || have[id] {
			continue // of a branch that we are not on, or known
		}
		have[id] = true
		missing = append(missing, l)
	}
	if len(missing) == 0 {
		return false, nil
	}
	slices.SortStableFunc(missing, inOrder)
	w.m.repaired.Add(float64(len(missing)))
	w.noteLate(len(missing))
	w.log.Warn("logs came later than their block", "logs", len(missing), "block", missing[0].Height)
	u := w.update(s)
	u.Logs, u.Soft = missing, w.soft(s, s.cur.Height)
	return true, w.emit(ctx, u)
}

// againFrom is the lowest height that is read again.
func (w *Watcher) againFrom(cur chain.Cursor) uint64 {
	size := uint64(window)
	if w.late.size > 0 {
		size = w.late.size
	}
	from := cur.Height + 1 - min(size, cur.Height)
	if w.late.size == 0 {
		for h := range w.late.doubts {
			from = min(from, h)
		}
	}
	return max(from, cur.Final+1)
}

// shownAgain reads the newest heights; fewer, where the endpoint takes no more.
func (w *Watcher) shownAgain(ctx context.Context, cur chain.Cursor) ([]chain.Log, bool) {
	read := w.rpc.LogsByRange
	if one, ok := w.rpc.(shower); ok {
		read = one.LogsShown
	}
	for {
		from := w.againFrom(cur)
		logs, err := once(ctx, w.cfg.Timeout, func(ctx context.Context) ([]chain.Log, error) {
			return read(ctx, from, cur.Height, w.cfg.Addresses)
		})
		if kindOf(err) == FaultTooMany && from < cur.Height {
			w.late.size = (cur.Height - from + 1) / 2
			continue
		}
		if err != nil {
			return nil, false
		}
		if w.late.size++; w.late.size >= window || w.late.size == 1 {
			w.late.size = 0
		}
		return logs, true
	}
}

// receiptsAgain looks into the receipts of the oldest block in doubt, if what was shown
// again does not end its doubt. Each block is looked at once.
func (w *Watcher) receiptsAgain(ctx context.Context, at map[uint64]common.Hash, shown []chain.Log) []chain.Log {
	for _, l := range shown {
		if w.late.doubts[l.Height] == l.Block {
			delete(w.late.doubts, l.Height)
		}
	}
	m, ok := w.rpc.(more)
	if !ok || len(w.late.doubts) == 0 {
		return nil
	}
	h := slices.Min(slices.Collect(maps.Keys(w.late.doubts)))
	if at[h] != w.late.doubts[h] {
		delete(w.late.doubts, h) // it was replaced
		return nil
	}
	logs, err := once(ctx, w.cfg.Timeout, func(ctx context.Context) ([]chain.Log, error) {
		return m.LogsByReceipts(ctx, h, w.cfg.Addresses)
	})
	if err == nil || kindOf(err) == FaultRefused {
		delete(w.late.doubts, h)
	}
	return logs
}

// inReceipts gives what the receipts of blocks with lost logs have: where the index has a
// hole, receipts may be how those logs were found.
func (w *Watcher) inReceipts(ctx context.Context, lost map[ident]bool, blocks []chain.Block) []chain.Log {
	m, ok := w.rpc.(more)
	if !ok {
		return nil
	}
	var out []chain.Log
	for _, b := range blocks {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(lost)), func(id ident) bool { return id.block == b.Hash }) {
			continue
		}
		logs, err := ask(ctx, w, func(ctx context.Context) ([]chain.Log, error) {
			return m.LogsByReceipts(ctx, b.Height, w.cfg.Addresses)
		})
		if err == nil {
			out = append(out, logs...)
		}
	}
	return out
}

// doubt takes down that a block's bloom speaks against what was shown of it.
func (w *Watcher) doubt(b chain.Block) {
	if w.late.doubts == nil {
		w.late.doubts = map[uint64]common.Hash{}
	}
	w.late.doubts[b.Height] = b.Hash
}

// contradicts reports whether the bloom of a block proves that it has a log of ours,
// where none was shown. Each address is found in a bloom by chance, the fuller it is the
// sooner; among many addresses, and in the blooms of busy blocks, one is. Then a bloom
// proves nothing, or watching many contracts would cost more calls than watching one.
func (w *Watcher) contradicts(h Header) bool {
	const byChance = 0.1
	if h.Bloom == nil || h.BloomUnknown() || h.chance()*float64(len(w.cfg.Addresses)) > byChance {
		return false
	}
	return slices.ContainsFunc(w.cfg.Addresses, h.says)
}

// chance is how likely a bloom has the three bits of an address that is not in it.
func (h Header) chance() float64 {
	ones := 0
	for _, b := range h.Bloom {
		for ; b > 0; b &= b - 1 {
			ones++
		}
	}
	full := float64(ones) / (8 * types.BloomByteLength)
	return full * full * full
}
