package devnet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/miner"
	"github.com/holiman/uint256"
)

// Head implements Chain.
func (g *geth) Head() Block { return blockOf(g.eth.BlockChain().CurrentBlock()) }

func blockOf(h *types.Header) Block {
	return Block{Number: h.Number.Uint64(), Hash: h.Hash(), Time: h.Time}
}

// Seal implements Chain.
func (g *geth) Seal(ctx context.Context, s Seal) (Sealed, error) {
	parent := g.eth.BlockChain().CurrentBlock()
	credits, err := withdrawals(s.Credits)
	if err != nil {
		return Sealed{}, err
	}
	var block *types.Block
	switch s.Take {
	case TakeNone:
		block, err = g.build(parent.Hash(), s.Time, nil, true, credits)
	case TakeAll:
		if err := g.syncPool(); err != nil {
			return Sealed{}, err
		}
		block, err = g.build(parent.Hash(), s.Time, nil, false, credits)
	case TakeOne:
		block, err = g.buildOne(parent, s.Time, credits)
	}
	if err != nil || block == nil {
		return Sealed{}, err
	}
	if err := g.insert(ctx, block); err != nil {
		return Sealed{}, err
	}
	if err := g.setHead(block); err != nil {
		return Sealed{}, err
	}
	return Sealed{Made: true, Block: blockOf(block.Header()), Txs: len(block.Transactions())}, nil
}

// build makes a block without inserting it: of exactly txs, or of nothing, or, with
// no txs and empty false, of what waits in the pool.
func (g *geth) build(parent common.Hash, time uint64, txs []*types.Transaction, empty bool, credits types.Withdrawals) (*types.Block, error) {
	var random, beaconRoot common.Hash
	if _, err := rand.Read(random[:]); err != nil {
		return nil, fmt.Errorf("draw the block's randomness: %w", err)
	}
	block, _, err := g.eth.Miner().BuildTestingPayload(&miner.BuildPayloadArgs{
		Parent:      parent,
		Timestamp:   time,
		Random:      random,
		Withdrawals: credits,
		BeaconRoot:  &beaconRoot,
	}, txs, empty, nil)
	if err != nil {
		return nil, fmt.Errorf("build a block on %s: %w", parent, err)
	}
	return block, nil
}

// buildOne makes a block of the executable transaction that waits longest. It
// returns nil when there is none.
func (g *geth) buildOne(parent *types.Header, time uint64, credits types.Withdrawals) (*types.Block, error) {
	if err := g.syncPool(); err != nil {
		return nil, err
	}
	baseFee, _ := uint256.FromBig(eip1559.CalcBaseFee(g.eth.BlockChain().Config(), parent))
	pending, _ := g.eth.TxPool().Pending(txpool.PendingFilter{BaseFee: baseFee})
	var first []*txpool.LazyTransaction
	for _, queue := range pending {
		if len(queue) > 0 {
			first = append(first, queue[0])
		}
	}
	slices.SortFunc(first, func(a, b *txpool.LazyTransaction) int { return a.Time.Compare(b.Time) })
	for _, lazy := range first {
		tx := lazy.Resolve()
		if tx == nil {
			continue
		}
		// A transaction that cannot be executed on this head keeps waiting.
		if block, err := g.build(parent.Hash(), time, []*types.Transaction{tx}, false, credits); err == nil {
			return block, nil
		}
	}
	return nil, nil
}

func (g *geth) insert(ctx context.Context, block *types.Block) error {
	if _, err := g.eth.BlockChain().InsertBlockWithoutSetHead(ctx, block, false); err != nil {
		return fmt.Errorf("insert block %d: %w", block.NumberU64(), err)
	}
	return nil
}

func (g *geth) setHead(block *types.Block) error {
	// Marked before, so that a submission that sees the new head waits for the pool.
	g.stale.Store(true)
	if _, err := g.eth.BlockChain().SetCanonical(block); err != nil {
		return fmt.Errorf("make block %d the head: %w", block.NumberU64(), err)
	}
	g.stale.Store(true)
	return nil
}

// Finalize implements Chain.
func (g *geth) Finalize(number uint64) error {
	chain := g.eth.BlockChain()
	header := chain.GetHeaderByNumber(number)
	if header == nil {
		return fmt.Errorf("finalize block %d: the chain has no such block", number)
	}
	chain.SetSafe(header)
	chain.SetFinalized(header)
	// The database keeps the tail of its log in memory otherwise.
	if err := g.eth.ChainDb().SyncKeyValue(); err != nil {
		return fmt.Errorf("write the chain to disk: %w", err)
	}
	return nil
}

// Reorg implements Chain.
func (g *geth) Reorg(ctx context.Context, r Reorg) (Reorged, error) {
	old, ancestor, err := g.replaced(r.Depth)
	if err != nil {
		return Reorged{}, err
	}
	g.gate.Lock()
	defer g.gate.Unlock()
	if err := g.syncPool(); err != nil {
		return Reorged{}, err
	}
	dropped := make(map[common.Hash]bool)
	tip := ancestor
	for i := range len(old) + 1 {
		time := r.Time
		if i < len(old) {
			time = old[i].Time()
		}
		var txs []*types.Transaction
		credits := types.Withdrawals{}
		if r.KeepTxs && i > 0 {
			txs, credits = old[i-1].Transactions(), old[i-1].Withdrawals()
		}
		if tip, err = g.branch(tip.Hash(), time, txs, credits); err != nil {
			return Reorged{}, err
		}
		if err := g.insert(ctx, tip); err != nil {
			return Reorged{}, err
		}
		for _, tx := range missing(txs, tip) {
			dropped[tx] = true
		}
	}
	if !r.KeepTxs {
		for _, block := range old {
			for _, tx := range block.Transactions() {
				dropped[tx.Hash()] = true
			}
		}
	}
	out := Reorged{
		Ancestor: blockOf(ancestor.Header()),
		OldHead:  g.Head(),
		Head:     blockOf(tip.Header()),
		Dropped:  inOrder(old, dropped),
	}
	return out, g.switchTo(tip, ancestor, dropped)
}

// replaced returns the last depth blocks, oldest first, and the block below them.
func (g *geth) replaced(depth uint64) ([]*types.Block, *types.Block, error) {
	chain := g.eth.BlockChain()
	head := chain.CurrentBlock().Number.Uint64()
	if depth == 0 || depth > head {
		return nil, nil, fmt.Errorf("%w: depth %d, but the chain has %d blocks above the first one", ErrReorgDepth, depth, head)
	}
	bottom := head - depth
	if frozen, err := g.eth.ChainDb().Ancients(); err == nil && bottom+1 < frozen {
		return nil, nil, fmt.Errorf("%w: blocks up to %d are archived in the data directory; a devnet in memory has no such limit", ErrReorgDepth, frozen-1)
	}
	blocks := make([]*types.Block, 0, depth+1)
	for n := bottom; n <= head; n++ {
		block := chain.GetBlockByNumber(n)
		if block == nil {
			return nil, nil, fmt.Errorf("reorganise: block %d is missing", n)
		}
		blocks = append(blocks, block)
	}
	return blocks[1:], blocks[0], nil
}

// branch builds a block of the given transactions. Those that cannot be executed
// in their new place are left out.
func (g *geth) branch(parent common.Hash, time uint64, txs []*types.Transaction, credits types.Withdrawals) (*types.Block, error) {
	block, err := g.build(parent, time, txs, len(txs) == 0, credits)
	if err == nil {
		return block, nil
	}
	if block, err = g.build(parent, time, nil, true, credits); err != nil {
		return nil, err
	}
	var fit []*types.Transaction
	for _, tx := range txs {
		try := append(slices.Clone(fit), tx)
		if with, err := g.build(parent, time, try, false, credits); err == nil {
			block, fit = with, try
		}
	}
	return block, nil
}

// switchTo makes the new branch canonical and forgets the dropped transactions.
func (g *geth) switchTo(tip, ancestor *types.Block, dropped map[common.Hash]bool) error {
	// The finalized block must never be on the branch that goes away.
	if final := g.eth.BlockChain().CurrentFinalBlock(); final != nil && final.Number.Cmp(ancestor.Number()) > 0 {
		if err := g.Finalize(ancestor.NumberU64()); err != nil {
			return err
		}
	}
	if err := g.setHead(tip); err != nil {
		return err
	}
	if len(dropped) == 0 {
		return nil
	}
	_, err := g.drop(func(tx common.Hash) bool { return dropped[tx] })
	return err
}

// missing lists the transactions that a block should hold and does not.
func missing(txs []*types.Transaction, block *types.Block) []common.Hash {
	var out []common.Hash
	for _, tx := range txs {
		if block.Transaction(tx.Hash()) == nil {
			out = append(out, tx.Hash())
		}
	}
	return out
}

// inOrder lists the marked transactions as the blocks held them.
func inOrder(blocks []*types.Block, marked map[common.Hash]bool) []common.Hash {
	out := []common.Hash{}
	for _, block := range blocks {
		for _, tx := range block.Transactions() {
			if marked[tx.Hash()] {
				out = append(out, tx.Hash())
			}
		}
	}
	return out
}

// errCredit is returned for credits that the chain cannot express.
var errCredit = errors.New("a credit is a positive multiple of 1e9 attoFIL, below 1.8e28")

// withdrawals expresses credits as Ethereum's withdrawals, the one way in which
// money enters a block from outside. They count in units of 1e9.
func withdrawals(credits []Credit) (types.Withdrawals, error) {
	unit := big.NewInt(1e9)
	out := types.Withdrawals{}
	for i, credit := range credits {
		if credit.Amount == nil || credit.Amount.Sign() <= 0 {
			return nil, errCredit
		}
		units, rest := new(big.Int).QuoRem(credit.Amount, unit, new(big.Int))
		if rest.Sign() != 0 || !units.IsUint64() {
			return nil, errCredit
		}
		out = append(out, &types.Withdrawal{Index: uint64(i), Address: credit.Address, Amount: units.Uint64()})
	}
	return out, nil
}
