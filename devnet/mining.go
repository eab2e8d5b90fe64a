package devnet

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// maxMine bounds one call: a chain of this many empty blocks takes minutes.
const maxMine = 1_000_000

// mine makes blocks until ctx ends: at every tick when there is a block time, at
// every arrival of transactions when there is none.
func (d *Devnet) mine(ctx context.Context) error {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	for {
		blockTime, paused := d.pace.get()
		var ticks <-chan time.Time
		var arrivals <-chan struct{}
		switch {
		case paused:
		case blockTime > 0:
			ticker.Reset(blockTime)
			ticks = ticker.C
		default:
			arrivals = d.engine.Arrivals()
		}
		if err := d.mineAtPace(ctx, ticks, arrivals); err != nil {
			if ctx.Err() != nil || errors.Is(err, ErrClosed) {
				return nil
			}
			return fmt.Errorf("devnet cannot make blocks any more: %w", err)
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// mineAtPace makes blocks until the pace changes or ctx ends.
func (d *Devnet) mineAtPace(ctx context.Context, ticks <-chan time.Time, arrivals <-chan struct{}) error {
	if arrivals != nil { // what came while mining was paused or timed
		if err := d.settle(ctx); err != nil {
			return err
		}
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-d.pace.changed:
			return nil
		case <-ticks:
			err = d.change(func() error { return d.seal(ctx, Seal{Take: TakeAll}) })
		case <-arrivals:
			err = d.settle(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// settle is on-demand mining: each executable transaction gets its own block and
// FinalityDepth empty blocks above it. It does nothing in the other modes.
func (d *Devnet) settle(ctx context.Context) error {
	for {
		mined := false
		err := d.change(func() error {
			if blockTime, paused := d.pace.get(); paused || blockTime > 0 {
				return nil
			}
			sealed, err := d.sealed(ctx, Seal{Take: TakeOne})
			mined = sealed.Made
			for i := uint64(0); err == nil && mined && i < d.config.FinalityDepth; i++ {
				err = d.seal(ctx, Seal{Take: TakeNone})
			}
			return err
		})
		if err != nil || !mined {
			return err
		}
	}
}

// seal adds a block and moves finality. The caller holds d.mu.
func (d *Devnet) seal(ctx context.Context, s Seal) error {
	_, err := d.sealed(ctx, s)
	return err
}

func (d *Devnet) sealed(ctx context.Context, s Seal) (Sealed, error) {
	s.Time = d.clock.next(d.engine.Head().Time)
	// A block that was begun is finished even if the caller has gone.
	sealed, err := d.engine.Seal(context.WithoutCancel(ctx), s)
	if err != nil || !sealed.Made {
		return sealed, err
	}
	d.clock.used()
	if sealed.Txs > 0 {
		d.log.Debug("block made", "block", sealed.Block.Number, "txs", sealed.Txs)
	}
	return sealed, d.finalizeBehind(sealed.Block.Number)
}

func (d *Devnet) finalizeBehind(head uint64) error {
	return d.engine.Finalize(head - min(head, d.config.FinalityDepth))
}

// Mine makes n blocks at once, whatever the pace, and returns the new head. The
// first takes the waiting transactions.
func (d *Devnet) Mine(ctx context.Context, n uint64) (Block, error) {
	return d.mineEvery(ctx, n, 0)
}

// mineEvery makes n blocks, their timestamps at least interval seconds apart.
func (d *Devnet) mineEvery(ctx context.Context, n, interval uint64) (Block, error) {
	if n == 0 || n > maxMine {
		return Block{}, fmt.Errorf("mine %d blocks: give a number between 1 and %d", n, maxMine)
	}
	var head Block
	err := d.change(func() error {
		for i := range n {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("mine: stopped after %d of %d blocks: %w", i, n, err)
			}
			if i > 0 && interval > 0 {
				head := d.engine.Head().Time
				if err := d.clock.pin(max(d.clock.next(head), head+interval), head); err != nil {
					return err
				}
			}
			if err := d.seal(ctx, Seal{Take: TakeAll}); err != nil {
				return err
			}
		}
		head = d.engine.Head()
		return nil
	})
	return head, err
}

// Reorg replaces the last depth blocks by depth+1 others. With keepTxs each
// replaced block's transactions are mined again, one block later than they were;
// without, they are gone from the chain and from the mempool, and the accounts'
// nonces go back. A depth beyond the finalized block is allowed: it takes final
// blocks back, as no sound chain does. Errors: ErrReorgDepth, ErrClosed.
func (d *Devnet) Reorg(ctx context.Context, depth uint64, keepTxs bool) (Reorged, error) {
	var out Reorged
	err := d.change(func() error {
		head := d.engine.Head()
		var err error
		out, err = d.engine.Reorg(context.WithoutCancel(ctx), Reorg{Depth: depth, KeepTxs: keepTxs, Time: d.clock.next(head.Time)})
		if err != nil {
			return err
		}
		d.clock.used()
		if depth > d.config.FinalityDepth {
			d.log.Warn("final blocks were replaced", "depth", depth, "finalityDepth", d.config.FinalityDepth)
		}
		return d.finalizeBehind(out.Head.Number)
	})
	return out, err
}

// Fund pays amount attoFIL, a multiple of 1e9, to an address out of nothing, in a
// block of its own, and returns that block.
func (d *Devnet) Fund(ctx context.Context, to common.Address, amount *big.Int) (Block, error) {
	var sealed Sealed
	err := d.change(func() error {
		var err error
		sealed, err = d.sealed(ctx, Seal{Take: TakeNone, Credits: []Credit{{Address: to, Amount: amount}}})
		return err
	})
	if err != nil {
		return Block{}, fmt.Errorf("fund %s: %w", to, err)
	}
	return sealed.Block, nil
}

// SetBlockTime changes the pause between blocks; 0 is on demand. Errors: ErrConfig.
func (d *Devnet) SetBlockTime(blockTime time.Duration) error {
	if err := checkBlockTime(blockTime); err != nil {
		return err
	}
	d.pace.set(func(p *paceSetting) { p.blockTime = blockTime })
	return nil
}

// Pause stops mining until Resume; Mine, Reorg and Fund still work.
func (d *Devnet) Pause() { d.pace.set(func(p *paceSetting) { p.paused = true }) }

// Resume goes on mining at the pace it had.
func (d *Devnet) Resume() { d.pace.set(func(p *paceSetting) { p.paused = false }) }

// IncreaseTime sets the chain's clock ahead, from the next block on, and returns
// how far it is ahead of the wall clock now.
func (d *Devnet) IncreaseTime(by time.Duration) (time.Duration, error) {
	if by < 0 {
		return 0, errors.New("time cannot be turned back on a chain")
	}
	var offset int64
	err := d.change(func() (err error) {
		offset, err = d.clock.advance(uint64(by / time.Second))
		return err
	})
	return time.Duration(offset) * time.Second, err
}

// SetNextBlockTime gives the next block this timestamp; later ones go on from it.
func (d *Devnet) SetNextBlockTime(t time.Time) error {
	return d.change(func() error {
		return d.clock.pin(uint64(max(t.Unix(), 0)), d.engine.Head().Time)
	})
}

// DropPending forgets waiting transactions, as if no node had heard of them: the
// named ones, or all when none is named. It returns how many there were.
func (d *Devnet) DropPending(hashes ...common.Hash) (int, error) {
	named := make(map[common.Hash]bool, len(hashes))
	for _, h := range hashes {
		named[h] = true
	}
	dropped := 0
	err := d.change(func() (err error) {
		dropped, err = d.engine.Drop(func(h common.Hash) bool { return len(named) == 0 || named[h] })
		return err
	})
	return dropped, err
}
