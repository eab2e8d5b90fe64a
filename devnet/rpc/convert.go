package rpc

import (
	"context"
	"fmt"

	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"

	"github.com/tidegate/tidegate/devnet/chain"
)

// execution is what a tipset's messages led to.
func (n *node) execution(ts *types.TipSet) (*chain.Execution, error) {
	done, err := n.chain.Execution(ts)
	if err != nil {
		return nil, fmt.Errorf("failed to execute tipset: %w", err)
	}
	return done, nil
}

// block is a tipset as an Ethereum block, with whole transactions or their hashes.
func (n *node) block(ctx context.Context, ts *types.TipSet, full bool) (ethtypes.EthBlock, error) {
	hash, err := blockHash(ts.Key())
	if err != nil {
		return ethtypes.EthBlock{}, err
	}
	parentHash, err := blockHash(ts.Parents())
	if err != nil {
		return ethtypes.EthBlock{}, err
	}
	done, err := n.execution(ts)
	if err != nil {
		return ethtypes.EthBlock{}, err
	}
	block := ethtypes.NewEthBlock(len(done.Results) > 0, len(ts.Blocks()))
	if ts.Height() < n.chain.Head().Height() && n.hashes.executed(ts) && !n.fullBlooms.Load() {
		if block.LogsBloom, err = n.bloom(ctx, ts); err != nil {
			return ethtypes.EthBlock{}, err
		}
	}
	var gasUsed int64
	for i, result := range done.Results {
		gasUsed += result.Receipt.GasUsed
		if !full {
			hash, err := n.txHash(result.Message)
			if err != nil {
				return ethtypes.EthBlock{}, fmt.Errorf("failed to convert msg to ethTx: %w", err)
			}
			block.Transactions = append(block.Transactions, hash.String())
			continue
		}
		tx, err := n.placed(ctx, result.Message, ts, place{hash, ts.Height(), i})
		if err != nil {
			return ethtypes.EthBlock{}, fmt.Errorf("failed to convert msg to ethTx: %w", err)
		}
		block.Transactions = append(block.Transactions, tx)
	}
	header := ts.Blocks()[0]
	block.Hash = hash
	block.Number = ethtypes.EthUint64(ts.Height())
	block.ParentHash = parentHash
	block.Timestamp = ethtypes.EthUint64(header.Timestamp)
	block.BaseFeePerGas = ethtypes.EthBigInt{Int: header.ParentBaseFee.Int}
	block.GasUsed = ethtypes.EthUint64(gasUsed)
	return block, nil
}

// bloom is that of a tipset's Ethereum logs.
func (n *node) bloom(ctx context.Context, ts *types.TipSet) (ethtypes.EthBytes, error) {
	events, err := n.events.of(ctx, ts)
	if err != nil {
		return nil, err
	}
	bloom := ethtypes.EthBytes(ethtypes.NewEmptyEthBloom())
	for _, e := range events {
		_, topics, ok := ethtypes.EthLogFromEvent(e.entries)
		if !ok {
			continue
		}
		emitter, err := ethtypes.EthAddressFromFilecoinAddress(e.emitter)
		if err != nil {
			return nil, fmt.Errorf("address of event emitter %s: %w", e.emitter, err)
		}
		addToBloom(bloom, emitter, topics)
	}
	return bloom, nil
}

func addToBloom(bloom ethtypes.EthBytes, emitter ethtypes.EthAddress, topics []ethtypes.EthHash) {
	ethtypes.EthBloomSet(bloom, emitter[:])
	for _, topic := range topics {
		ethtypes.EthBloomSet(bloom, topic[:])
	}
}
