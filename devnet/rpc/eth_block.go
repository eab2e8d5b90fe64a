package rpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/chain"
)

// EthBlockNumber is eth_blockNumber: the head's parent, which is the newest tipset
// whose messages have run.
func (n *node) EthBlockNumber(context.Context) (ethtypes.EthUint64, error) {
	parent, err := n.parent(n.chain.Head())
	if err != nil {
		return 0, err
	}
	return ethtypes.EthUint64(parent.Height()), nil
}

// EthGetBlockTransactionCountByNumber is eth_getBlockTransactionCountByNumber.
func (n *node) EthGetBlockTransactionCountByNumber(_ context.Context, param string) (ethtypes.EthUint64, error) {
	ts, err := n.tipsetByNumber(param, true)
	if err != nil {
		return 0, err
	}
	return n.countMessages(ts)
}

// EthGetBlockTransactionCountByHash is eth_getBlockTransactionCountByHash.
func (n *node) EthGetBlockTransactionCountByHash(_ context.Context, hash ethtypes.EthHash) (ethtypes.EthUint64, error) {
	ts, err := n.tipsetByHash(hash)
	if err != nil {
		return 0, err
	}
	return n.countMessages(ts)
}

func (n *node) countMessages(ts *types.TipSet) (ethtypes.EthUint64, error) {
	messages, err := n.chain.Messages(ts)
	if err != nil {
		return 0, fmt.Errorf("error loading messages for tipset: %v: %w", ts, err)
	}
	return ethtypes.EthUint64(len(messages)), nil
}

// EthGetBlockByHash is eth_getBlockByHash.
func (n *node) EthGetBlockByHash(ctx context.Context, hash ethtypes.EthHash, full bool) (ethtypes.EthBlock, error) {
	ts, err := n.tipsetByHash(hash)
	if err != nil {
		return ethtypes.EthBlock{}, err
	}
	return n.block(ctx, ts, full)
}

// EthGetBlockByNumber is eth_getBlockByNumber. A null round is error 12.
func (n *node) EthGetBlockByNumber(ctx context.Context, param string, full bool) (ethtypes.EthBlock, error) {
	ts, err := n.tipsetByNumber(param, true)
	if err != nil {
		return ethtypes.EthBlock{}, err
	}
	return n.block(ctx, ts, full)
}

// EthGetTransactionByHash is eth_getTransactionByHash: executed ones, then pending
// Ethereum ones; null for others.
func (n *node) EthGetTransactionByHash(ctx context.Context, hash *ethtypes.EthHash) (*ethtypes.EthTx, error) {
	if hash == nil {
		return nil, nil
	}
	message := n.messageCid(*hash)
	if found, err := n.search(ctx, n.chain.Head(), message, api.LookbackNoLimit, true); err == nil && found != nil {
		if tx, err := n.foundTx(ctx, found); err == nil {
			return &tx, nil
		}
	}
	for _, pending := range n.chain.Pending() {
		if pending.Cid() != message {
			continue
		}
		tx, err := n.codec.EthTx(pending)
		if err != nil {
			return nil, fmt.Errorf("could not convert Filecoin message into tx: %w", err)
		}
		return &tx, nil
	}
	return nil, nil
}

// foundTx is the transaction of a message that was found on chain.
func (n *node) foundTx(ctx context.Context, found *chain.Found) (ethtypes.EthTx, error) {
	hash, err := blockHash(found.TipSet.Key())
	if err != nil {
		return ethtypes.EthTx{}, err
	}
	return n.placed(ctx, found.Message, found.TipSet, place{hash, found.TipSet.Height(), found.Index})
}

// EthGetTransactionByBlockHashAndIndex is eth_getTransactionByBlockHashAndIndex.
func (n *node) EthGetTransactionByBlockHashAndIndex(ctx context.Context, hash ethtypes.EthHash, index ethtypes.EthUint64) (*ethtypes.EthTx, error) {
	ts, err := n.tipsetByHash(hash)
	if err != nil {
		return nil, err
	}
	return n.transactionAt(ctx, ts, index)
}

// EthGetTransactionByBlockNumberAndIndex is eth_getTransactionByBlockNumberAndIndex.
func (n *node) EthGetTransactionByBlockNumberAndIndex(ctx context.Context, param string, index ethtypes.EthUint64) (*ethtypes.EthTx, error) {
	ts, err := n.tipsetByNumber(param, true)
	if err != nil {
		return nil, err
	}
	return n.transactionAt(ctx, ts, index)
}

// transactionAt looks addresses up in the state before the tipset's messages, as
// Lotus does: a recipient that they created shows as nobody.
func (n *node) transactionAt(ctx context.Context, ts *types.TipSet, index ethtypes.EthUint64) (*ethtypes.EthTx, error) {
	messages, err := n.chain.Messages(ts)
	if err != nil {
		return nil, fmt.Errorf("failed to get messages for tipset: %w", err)
	}
	if uint64(index) >= uint64(len(messages)) {
		return nil, fmt.Errorf("index %d out of range: tipset contains %d messages", index, len(messages))
	}
	hash, err := blockHash(ts.Key())
	if err != nil {
		return nil, err
	}
	before, err := n.parent(ts)
	if err != nil {
		return nil, err
	}
	tx, err := n.placed(ctx, messages[index], before, place{hash, ts.Height(), int(index)})
	if err != nil {
		return nil, fmt.Errorf("failed to create Ethereum transaction: %w", err)
	}
	return &tx, nil
}

// EthGetTransactionReceipt is eth_getTransactionReceipt: null until the next tipset
// has executed the message, and for a message that another has replaced.
func (n *node) EthGetTransactionReceipt(ctx context.Context, hash ethtypes.EthHash) (*ethtypes.EthTxReceipt, error) {
	message := n.messageCid(hash)
	found, err := n.search(ctx, n.chain.Head(), message, api.LookbackNoLimit, true)
	if err != nil {
		if errors.Is(err, errFailedToLoad) {
			return nil, nil
		}
		return nil, fmt.Errorf("could not find transaction %s: %w", hash, err)
	}
	if found == nil || found.Message.Cid() != message {
		return nil, nil
	}
	tx, err := n.foundTx(ctx, found)
	if err != nil {
		return nil, fmt.Errorf("failed to convert %s into an Eth Txn: %w", hash, err)
	}
	receipt, err := n.receipt(ctx, found.TipSet, tx, found.Result)
	if err != nil {
		return nil, fmt.Errorf("failed to create Eth receipt: %w", err)
	}
	return receipt, nil
}

func (n *node) receipt(ctx context.Context, ts *types.TipSet, tx ethtypes.EthTx, result chain.Result) (*ethtypes.EthTxReceipt, error) {
	var logs []ethtypes.EthLog
	if result.Receipt.EventsRoot != nil {
		events, err := n.ofMessage(ctx, ts, result.Message.Cid())
		if err != nil {
			return nil, fmt.Errorf("failed to get eth logs for block and transaction: %w", err)
		}
		if logs, err = n.logs(events); err != nil {
			return nil, fmt.Errorf("failed to get eth logs for block and transaction: %w", err)
		}
	}
	return newReceipt(tx, ts.Blocks()[0].ParentBaseFee, result.Receipt, logs)
}

// EthGetBlockReceipts is eth_getBlockReceipts.
func (n *node) EthGetBlockReceipts(ctx context.Context, param ethtypes.EthBlockNumberOrHash) ([]*ethtypes.EthTxReceipt, error) {
	ts, err := n.tipsetByParam(param)
	if err != nil {
		return nil, err
	}
	if param.BlockNumber != nil && uint64(ts.Height()) != uint64(*param.BlockNumber) {
		return nil, api.NewErrNullRound(abi.ChainEpoch(*param.BlockNumber))
	}
	hash, err := blockHash(ts.Key())
	if err != nil {
		return nil, err
	}
	done, err := n.execution(ts)
	if err != nil {
		return nil, err
	}
	receipts := make([]*ethtypes.EthTxReceipt, 0, len(done.Results))
	for i, result := range done.Results {
		tx, err := n.placed(ctx, result.Message, ts, place{hash, ts.Height(), i})
		if err != nil {
			return nil, fmt.Errorf("failed to create EthTx: %w", err)
		}
		receipt, err := n.receipt(ctx, ts, tx, result)
		if err != nil {
			return nil, fmt.Errorf("failed to create Eth receipt: %w", err)
		}
		receipts = append(receipts, receipt)
	}
	return receipts, nil
}

// messageCid is the message of a transaction hash. A hash that is not known is taken
// for a message CID's digest.
func (n *node) messageCid(hash ethtypes.EthHash) cid.Cid {
	if c, ok := n.chain.MessageOf(common.Hash(hash)); ok {
		return c
	}
	return hash.ToCid()
}

// EthGetMessageCidByTransactionHash is Filecoin.EthGetMessageCidByTransactionHash.
func (n *node) EthGetMessageCidByTransactionHash(_ context.Context, hash *ethtypes.EthHash) (*cid.Cid, error) {
	if hash == nil {
		return nil, nil
	}
	c := n.messageCid(*hash)
	if _, ok := n.chain.Message(c); !ok {
		return nil, nil
	}
	return &c, nil
}

// EthGetTransactionHashByCid is Filecoin.EthGetTransactionHashByCid.
func (n *node) EthGetTransactionHashByCid(_ context.Context, c cid.Cid) (*ethtypes.EthHash, error) {
	message, ok := n.chain.Message(c)
	if !ok {
		return nil, nil
	}
	hash, err := n.txHash(message)
	if err != nil {
		return nil, err
	}
	return &hash, nil
}
