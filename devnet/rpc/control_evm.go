package rpc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-jsonrpc"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"

	"github.com/tidegate/tidegate/devnet/chain"
)

// evmControl is evm_*, as Ethereum's test chains have it. Filecoin's clock is its
// epochs, so that setting time means skipping epochs, whose cron runs.
type evmControl struct{ node *node }

// Mine is evm_mine([timestamp]): one tipset.
func (c *evmControl) Mine(ctx context.Context, p jsonrpc.RawParams) (string, error) {
	var timestamp *quantity
	if err := optional(p, 0, &timestamp); err != nil {
		return "", err
	}
	if timestamp != nil {
		return "0x0", c.node.advanceTo(ctx, *timestamp)
	}
	_, err := c.node.chain.Mine(ctx, 1)
	return "0x0", err
}

// Snapshot is evm_snapshot().
func (c *evmControl) Snapshot(ctx context.Context) (string, error) { return c.node.snapshot(ctx) }

// Revert is evm_revert(id): true if there was such a snapshot.
func (c *evmControl) Revert(ctx context.Context, p jsonrpc.RawParams) (bool, error) {
	return c.node.revert(ctx, p)
}

func (n *node) snapshot(ctx context.Context) (string, error) {
	id, err := n.chain.Snapshot(ctx)
	return ethtypes.EthUint64(id).Hex(), err
}

func (n *node) revert(ctx context.Context, p jsonrpc.RawParams) (bool, error) {
	var id quantity
	if err := optional(p, 1, &id); err != nil {
		return false, err
	}
	err := n.chain.Revert(ctx, uint64(id))
	if errors.Is(err, chain.ErrNoSnapshot) {
		return false, nil
	}
	return err == nil, err
}

// IncreaseTime is evm_increaseTime(seconds): makes the tipset that many seconds later
// at once, and returns how many seconds that was.
func (c *evmControl) IncreaseTime(ctx context.Context, p jsonrpc.RawParams) (uint64, error) {
	var seconds quantity
	if err := optional(p, 1, &seconds); err != nil {
		return 0, err
	}
	if seconds > math.MaxInt64/quantity(time.Second) {
		return 0, badParams("%d seconds are too many", seconds)
	}
	before := c.node.chain.Head().MinTimestamp()
	block, err := c.node.advance(ctx, time.Duration(seconds)*time.Second)
	return block.Time - min(before, block.Time), err
}

// SetNextBlockTimestamp is evm_setNextBlockTimestamp(seconds since 1970): makes the
// tipset of that time at once, or the first one after it.
func (c *evmControl) SetNextBlockTimestamp(ctx context.Context, p jsonrpc.RawParams) (any, error) {
	var timestamp quantity
	if err := optional(p, 1, &timestamp); err != nil {
		return nil, err
	}
	return nil, c.node.advanceTo(ctx, timestamp)
}

func (n *node) advanceTo(ctx context.Context, timestamp quantity) error {
	now := n.chain.Head().MinTimestamp()
	if uint64(timestamp) <= now {
		return badParams("timestamp %d is not after the head's, %d", timestamp, now)
	}
	ahead := uint64(timestamp) - now
	if ahead > math.MaxInt64/uint64(time.Second) {
		return badParams("timestamp %d is too far in the future", timestamp)
	}
	_, err := n.advance(ctx, time.Duration(ahead)*time.Second)
	return err
}

// SetAutomine is evm_setAutomine(on): true makes tipsets on demand, false pauses.
func (c *evmControl) SetAutomine(_ context.Context, p jsonrpc.RawParams) (bool, error) {
	on := true
	if err := optional(p, 1, &on); err != nil {
		return false, err
	}
	if !on {
		return true, c.node.setPaused(true)
	}
	if err := c.node.setBlockTime(0); err != nil {
		return false, err
	}
	return true, c.node.setPaused(false)
}

// SetIntervalMining is evm_setIntervalMining(seconds), as anvil has it: 0 pauses.
func (c *evmControl) SetIntervalMining(_ context.Context, p jsonrpc.RawParams) (any, error) {
	return nil, c.node.setInterval(p)
}

func (n *node) setInterval(p jsonrpc.RawParams) error {
	var seconds quantity
	if err := optional(p, 1, &seconds); err != nil {
		return err
	}
	if seconds > math.MaxInt64/quantity(time.Second) {
		return badParams("%d seconds between blocks is too long", seconds)
	}
	if seconds == 0 {
		return n.setPaused(true)
	}
	if err := n.setBlockTime(time.Duration(seconds) * time.Second); err != nil {
		return err
	}
	return n.setPaused(false)
}

// anvilControl is the part of anvil's namespace that has a meaning here.
type anvilControl struct{ node *node }

// Mine is anvil_mine([n], [seconds between them]).
func (c *anvilControl) Mine(ctx context.Context, p jsonrpc.RawParams) (any, error) {
	var n, seconds quantity = 1, 0
	if err := optional(p, 0, &n, &seconds); err != nil {
		return nil, err
	}
	count, err := n.count(maxMined)
	if err != nil {
		return nil, err
	}
	if seconds > math.MaxInt64/quantity(time.Second) {
		return nil, badParams("%d seconds between blocks is too long", seconds)
	}
	if time.Duration(seconds)*time.Second <= c.node.chain.Epoch() {
		_, err = c.node.chain.Mine(ctx, count)
		return nil, err
	}
	for i := range count {
		if _, err := c.node.advance(ctx, time.Duration(seconds)*time.Second); err != nil {
			return nil, fmt.Errorf("after %d of %d: %w", i, count, err)
		}
	}
	return nil, nil
}

// SetBalance is anvil_setBalance(address, attoFIL).
func (c *anvilControl) SetBalance(ctx context.Context, p jsonrpc.RawParams) (any, error) {
	return nil, c.node.setBalance(ctx, p)
}

// SetIntervalMining is anvil_setIntervalMining(seconds): 0 pauses.
func (c *anvilControl) SetIntervalMining(_ context.Context, p jsonrpc.RawParams) (any, error) {
	return nil, c.node.setInterval(p)
}

// GetAutomine is anvil_getAutomine().
func (c *anvilControl) GetAutomine(context.Context) (bool, error) {
	pace := c.node.chain.Pace()
	return pace.AutoMine && !pace.Paused, nil
}

// Reorg is anvil_reorg(depth, [transactions]); new transactions cannot be given.
func (c *anvilControl) Reorg(ctx context.Context, p jsonrpc.RawParams) (any, error) {
	var depth quantity
	var transactions []any
	if err := optional(p, 1, &depth, &transactions); err != nil {
		return nil, err
	}
	if len(transactions) > 0 {
		return nil, badParams("anvil_reorg with transactions is not supported by the devnet: send them after the reorg")
	}
	n, err := depth.count(maxMined)
	if err != nil {
		return nil, err
	}
	_, err = c.node.chain.Reorg(ctx, n, false)
	return nil, err
}

// DropTransaction is anvil_dropTransaction(hash): the hash, or null if it was not
// pending.
func (c *anvilControl) DropTransaction(_ context.Context, p jsonrpc.RawParams) (*common.Hash, error) {
	var hash common.Hash
	if err := optional(p, 1, &hash); err != nil {
		return nil, err
	}
	if c.node.drop(hash) == 0 {
		return nil, nil
	}
	return &hash, nil
}

// DropAllTransactions is anvil_dropAllTransactions().
func (c *anvilControl) DropAllTransactions(context.Context) (any, error) {
	c.node.chain.DropPending()
	return nil, nil
}

// NodeInfo is what anvil_nodeInfo answers.
type NodeInfo struct {
	CurrentBlockNumber    ethtypes.EthUint64 `json:"currentBlockNumber"`
	CurrentBlockTimestamp uint64             `json:"currentBlockTimestamp"`
	CurrentBlockHash      ethtypes.EthHash   `json:"currentBlockHash"`
	HardFork              string             `json:"hardFork"`
	TransactionOrder      string             `json:"transactionOrder"`
	Environment           NodeEnvironment    `json:"environment"`
}

// NodeEnvironment is the part of NodeInfo about fees.
type NodeEnvironment struct {
	BaseFee  ethtypes.EthBigInt `json:"baseFee"`
	ChainID  uint64             `json:"chainId"`
	GasLimit ethtypes.EthUint64 `json:"gasLimit"`
	GasPrice ethtypes.EthBigInt `json:"gasPrice"`
}

// NodeInfo is anvil_nodeInfo().
func (c *anvilControl) NodeInfo(ctx context.Context) (NodeInfo, error) {
	latest, err := c.node.parent(c.node.chain.Head())
	if err != nil {
		return NodeInfo{}, err
	}
	block, err := c.node.block(ctx, latest, false)
	if err != nil {
		return NodeInfo{}, err
	}
	price, err := c.node.EthGasPrice(ctx)
	if err != nil {
		return NodeInfo{}, err
	}
	return NodeInfo{
		CurrentBlockNumber: block.Number, CurrentBlockTimestamp: uint64(block.Timestamp), CurrentBlockHash: block.Hash,
		HardFork: "cancun", TransactionOrder: "fees",
		Environment: NodeEnvironment{BaseFee: block.BaseFeePerGas, ChainID: c.node.chain.ChainID(), GasLimit: block.GasLimit, GasPrice: price},
	}, nil
}
