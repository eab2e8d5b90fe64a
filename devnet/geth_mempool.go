package devnet

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
)

// Submit implements Mempool. Errors of the pool (nonce too low, underpriced, …)
// keep their text, which wallets look at.
func (g *geth) Submit(_ context.Context, raw []byte) (common.Hash, error) {
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(raw); err != nil {
		return common.Hash{}, fmt.Errorf("decode transaction: %w", err)
	}
	if tx.Type() == types.BlobTxType {
		return common.Hash{}, fmt.Errorf("%w: Filecoin has no blob transactions", core.ErrTxTypeNotSupported)
	}
	if !tx.Protected() {
		return common.Hash{}, errors.New("only replay-protected (EIP-155) transactions allowed over RPC")
	}
	g.gate.RLock()
	defer g.gate.RUnlock()
	if g.stale.Load() {
		if err := g.syncPool(); err != nil {
			return common.Hash{}, err
		}
	}
	if err := g.eth.TxPool().Add([]*types.Transaction{tx}, true)[0]; err != nil {
		return common.Hash{}, err
	}
	return tx.Hash(), nil
}

// Drop implements Mempool.
func (g *geth) Drop(match func(common.Hash) bool) (int, error) {
	g.gate.Lock()
	defer g.gate.Unlock()
	return g.drop(match)
}

// drop empties the pool and puts back what does not match; go-ethereum's pool
// cannot remove a single transaction. The caller holds the gate, so nothing is
// submitted meanwhile.
func (g *geth) drop(match func(common.Hash) bool) (int, error) {
	if err := g.syncPool(); err != nil {
		return 0, err
	}
	pool := g.eth.TxPool()
	var keep []*types.Transaction
	dropped := 0
	pending, queued := pool.Content()
	for _, content := range []map[common.Address][]*types.Transaction{pending, queued} {
		for _, txs := range content {
			for _, tx := range txs {
				if match(tx.Hash()) {
					dropped++
				} else {
					keep = append(keep, tx)
				}
			}
		}
	}
	if dropped == 0 {
		return 0, nil
	}
	g.pool.Lock()
	pool.Clear()
	g.pool.Unlock()
	// A transaction that the pool refuses now would have left it at its next check.
	pool.Add(keep, true)
	return dropped, nil
}

// Arrivals implements Mempool.
func (g *geth) Arrivals() <-chan struct{} { return g.arrived }

func (g *geth) watchArrivals(incoming <-chan core.NewTxsEvent) {
	for {
		select {
		case <-incoming:
			select {
			case g.arrived <- struct{}{}:
			default:
			}
		case <-g.txs.Err():
			return
		}
	}
}

// syncPool waits until the pool has caught up with the head.
func (g *geth) syncPool() error {
	g.pool.Lock()
	defer g.pool.Unlock()
	g.stale.Store(false)
	if err := g.eth.TxPool().Sync(); err != nil {
		g.stale.Store(true)
		return fmt.Errorf("bring the mempool up to the head: %w", err)
	}
	return nil
}
