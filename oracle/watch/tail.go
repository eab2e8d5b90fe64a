package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// errUnlinked is returned by tail when the first block after the ledger's newest
// is not its child.
var errUnlinked = errors.New("the next block does not link to the ledger's newest")

// follow reads the blocks above the cursor, which are above the final block.
func (w *Watcher) follow(ctx context.Context, s sight) (bool, error) {
	u, err := w.tail(ctx, s)
	switch {
	case errors.Is(err, errUnlinked):
		return w.reorg(ctx, s)
	case err != nil:
		return false, err
	case len(u.Blocks) == 0:
		return false, nil // the head is not readable yet
	}
	return true, w.emit(ctx, u)
}

// tail reads up to TailBatch blocks after the cursor, each linked to the one
// before. It stops short, without an error, where the endpoint has no more or
// changed its mind; the next step looks again.
func (w *Watcher) tail(ctx context.Context, s sight) (chain.Update, error) {
	u := w.update(s)
	parent, next := s.cur.Hash, s.cur.Height+1
	for h := next; h <= s.head.Height && len(u.Blocks) < w.cfg.TailBatch; h++ {
		b, err := w.following(ctx, h, s.head)
		if kindOf(err) == FaultNotYet {
			return u, nil
		}
		switch {
		case err != nil:
			return u, err
		case b.Parent != parent && len(u.Blocks) == 0:
			return u, errUnlinked
		case b.Parent != parent:
			return u, nil
		}
		w.noteEvent(&w.status.Gap, b.Height-h, b.Height)
		h = b.Height
		logs, err := w.blockLogs(ctx, b)
		if kindOf(err) == FaultNotYet || errors.Is(err, errRemoved) {
			return u, nil
		}
		if err != nil {
			return u, err
		}
		u.Blocks, u.Logs = append(u.Blocks, b.Block), append(u.Logs, logs...)
		u.From, u.To = next, h
		u.Soft = w.soft(s, h)
		parent = b.Hash
	}
	return u, nil
}

// blockLogs reads the logs of one block by its hash. An empty answer against the
// block's bloom is asked again by height; if that is empty too, the block stays in doubt.
func (w *Watcher) blockLogs(ctx context.Context, b Header) ([]chain.Log, error) {
	logs, err := w.logsOf(ctx, b.Block)
	if err != nil {
		return nil, err
	}
	if len(logs) > 0 || !w.contradicts(b) {
		return w.checked(logs, b.Height, b.Block)
	}
	w.m.doubted.Inc()
	w.noteLate(0)
	logs, err = w.rangeLogs(ctx, b.Height, b.Block, 1)
	if err == nil && len(logs) == 0 {
		w.doubt(b.Block)
	}
	return logs, err
}

// finalize makes what was read near the head final, after a second read of its
// logs: as far as the endpoint says, and no further than the ledger's blocks.
func (w *Watcher) finalize(ctx context.Context, s sight) (bool, error) {
	blocks, err := w.stored(ctx, s.cur)
	if err != nil {
		return false, err
	}
	upTo := s.final
	if s.final.Height > s.cur.Height {
		same, err := w.tipStands(ctx, s)
		if err != nil {
			return false, err
		}
		if !same {
			return w.reorg(ctx, s)
		}
		upTo = chain.Block{Height: s.cur.Height, Hash: s.cur.Hash}
	}
	i := slices.IndexFunc(blocks, func(b chain.Block) bool { return b.Height == upTo.Height && b.Hash == upTo.Hash })
	if i < 0 {
		return w.reorg(ctx, s) // the final block is not on the branch that we followed
	}
	upTo = blocks[i]
	missing, err := w.secondRead(ctx, s.cur.Final+1, blocks[:i+1])
	if err != nil {
		return false, err
	}
	if len(missing) > 0 {
		w.m.repaired.Add(float64(len(missing)))
		w.noteLate(len(missing))
		w.log.Warn("the second read found logs that the first answer lacked", "logs", len(missing), "block", missing[0].Height)
	}
	u := w.update(s)
	u.Final, u.Logs = upTo, missing
	done := s
	done.final = upTo
	u.Soft = w.soft(done, s.cur.Height)
	return true, w.emit(ctx, u)
}

// secondRead reads the logs of heights from..the last of blocks again and gives
// those that the ledger lacks. What the ledger has and the second answer lacks is
// asked for once more by block hash; an endpoint that denies it is an error.
func (w *Watcher) secondRead(ctx context.Context, from uint64, blocks []chain.Block) ([]chain.Log, error) {
	end := blocks[len(blocks)-1]
	have, err := w.held(ctx, from, end.Height)
	if err != nil {
		return nil, err
	}
	again, err := w.reread(ctx, from, blocks)
	if err != nil {
		return nil, err
	}
	at := hashAt(blocks)
	var missing []chain.Log
	for _, l := range again {
		if at[l.Height] != l.Block {
			return nil, errLie("a log of height %d in block %s; that height was %s", l.Height, l.Block, at[l.Height])
		}
		if id := identOf(l); !have[id] {
			missing = append(missing, l)
		} else {
			delete(have, id)
		}
	}
	return missing, w.deny(ctx, have, blocks)
}

// reread reads heights from..the last of blocks in as many pieces as the endpoint needs.
func (w *Watcher) reread(ctx context.Context, from uint64, blocks []chain.Block) ([]chain.Log, error) {
	var out []chain.Log
	for i := 0; i < len(blocks); {
		if blocks[i].Height < from {
			i++
			continue
		}
		j := i
		for j+1 < len(blocks) && blocks[j+1].Height-from < w.size {
			j++
		}
		if j == i {
			from = blocks[i].Height // null rounds before it hold no logs
		}
		logs, err := w.rangeLogs(ctx, from, blocks[j], w.size)
		if kindOf(err) == FaultTooMany && w.shrink(from, blocks[j].Height) {
			continue
		}
		if err != nil {
			return nil, err
		}
		w.grow(len(logs), blocks[j].Height-from+1)
		out = append(out, logs...)
		from, i = blocks[j].Height+1, j+1
	}
	return out, nil
}

// deny asks by block hash, and then for receipts, for logs that a range read did not show
// again.
func (w *Watcher) deny(ctx context.Context, lost map[ident]bool, blocks []chain.Block) error {
	if len(lost) == 0 {
		return nil
	}
	w.m.doubted.Inc()
	in := make(map[common.Hash]bool, len(lost))
	for id := range lost {
		in[id.block] = true
	}
	for _, b := range blocks {
		if !in[b.Hash] {
			continue
		}
		logs, err := w.logsOf(ctx, b)
		if err != nil {
			return err
		}
		for _, l := range logs {
			delete(lost, identOf(l))
		}
	}
	for _, l := range w.inReceipts(ctx, lost, blocks) {
		delete(lost, identOf(l))
	}
	if len(lost) > 0 {
		return errLie("%d logs were shown once and are denied now", len(lost))
	}
	return nil
}

// held gives the logs that the ledger holds unfinal in from..to.
func (w *Watcher) held(ctx context.Context, from, to uint64) (map[ident]bool, error) {
	const page = 1000
	have := map[ident]bool{}
	for after := int64(0); ; {
		logs, err := w.ledger.Logs(ctx, chain.LogFilter{State: chain.LogSeen, FromHeight: from, ToHeight: to, AfterID: after, Limit: page})
		if err != nil {
			return nil, fmt.Errorf("reading stored logs: %w", err)
		}
		for _, l := range logs {
			if l.Height <= to && w.wanted[l.Address] {
				have[identOf(l.Log)] = true
			}
			after = l.ID
		}
		if len(logs) < page {
			return have, nil
		}
	}
}
