package watch

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/tidegate/tidegate/executor/job"
)

// connect checks, at start and after each transport failure, that the endpoint
// serves the configured chain and that the ledger was filled from this very one.
func (w *Watcher) connect(ctx context.Context) error {
	id, err := ask(ctx, w, w.rpc.ChainID)
	if err != nil {
		return err
	}
	if id != w.cfg.ChainID {
		return fmt.Errorf("%w: the endpoint serves chain id %d, the configuration says %d: correct the RPC URL or the chain id",
			ErrWrongChain, id, w.cfg.ChainID)
	}
	if err := w.bind(ctx, "watch.chain", strconv.FormatUint(id, 10)); err != nil {
		return err
	}
	genesis, err := w.header(ctx, 0)
	switch kindOf(err) {
	case FaultNotYet, FaultNullRound, FaultRefused:
		return w.connectedNow() // endpoints that keep only recent history do not show it
	}
	if err != nil {
		return err
	}
	if err := w.bind(ctx, blockKey(0), genesis.Hash.Hex()); err != nil {
		return err
	}
	return w.connectedNow()
}

func (w *Watcher) connectedNow() error {
	w.connected, w.anchored = true, false
	return nil
}

// anchor binds the ledger to the first block at or after Start, once it is
// final: a devnet may begin anew with the same first block.
func (w *Watcher) anchor(ctx context.Context, s sight) error {
	if w.anchored || s.final.Height < w.cfg.Start {
		return nil
	}
	b, err := w.atOrAbove(ctx, w.cfg.Start, Header{Block: s.final})
	switch kindOf(err) {
	case FaultNotYet, FaultRefused:
		w.anchored = true // pruned here; the parent links still bind us
		return nil
	}
	if err != nil {
		return err
	}
	if err := w.bind(ctx, blockKey(b.Height), b.Hash.Hex()); err != nil {
		return err
	}
	w.anchored = true
	return nil
}

func blockKey(height uint64) string { return "watch.block." + strconv.FormatUint(height, 10) }

func (w *Watcher) bind(ctx context.Context, key, value string) error {
	err := w.ledger.SetMetaOnce(ctx, key, value)
	switch {
	case errors.Is(err, job.ErrConflict):
		return fmt.Errorf("%w: the endpoint says %s is %s and the ledger remembers another value: use another data directory for this chain",
			ErrOtherChain, key, value)
	case err != nil:
		return fmt.Errorf("binding the ledger to the chain: %w", err)
	}
	return nil
}
