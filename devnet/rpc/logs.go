package rpc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
)

const codecRaw = 0x55 // of the events that contracts emit

// logs turns events into Ethereum logs. Events of built-in actors have none.
func (n *node) logs(events []event) ([]ethtypes.EthLog, error) {
	out := make([]ethtypes.EthLog, 0, len(events))
	for _, e := range events {
		data, topics, ok := ethtypes.EthLogFromEvent(e.entries)
		if !ok {
			continue
		}
		emitter, err := ethtypes.EthAddressFromFilecoinAddress(e.emitter)
		if err != nil {
			return nil, fmt.Errorf("address of event emitter %s: %w", e.emitter, err)
		}
		tx, err := n.txHash(e.message)
		if err != nil {
			return nil, err
		}
		block, err := blockHash(e.tipset)
		if err != nil {
			return nil, err
		}
		out = append(out, ethtypes.EthLog{
			Address:          emitter,
			Data:             data,
			Topics:           topics,
			Removed:          e.reverted,
			LogIndex:         ethtypes.EthUint64(e.index),
			TransactionIndex: ethtypes.EthUint64(e.msgIndex),
			TransactionHash:  tx,
			BlockHash:        block,
			BlockNumber:      ethtypes.EthUint64(e.height),
		})
	}
	return out, nil
}

func (n *node) logResult(events []event) (*ethtypes.EthFilterResult, error) {
	logs, err := n.logs(events)
	if err != nil {
		return nil, err
	}
	result := &ethtypes.EthFilterResult{}
	for _, log := range logs {
		result.Results = append(result.Results, log)
	}
	return result, nil
}

// EthGetLogs is eth_getLogs: at most logRange epochs, all of them executed.
func (n *node) EthGetLogs(ctx context.Context, spec *ethtypes.EthFilterSpec) (*ethtypes.EthFilterResult, error) {
	if spec == nil {
		spec = &ethtypes.EthFilterSpec{}
	}
	query, err := n.logQuery(spec)
	if err != nil {
		if tooWide := new(api.ErrBlockRangeExceeded); errors.As(err, &tooWide) {
			return nil, tooWide // unwrapped, for its code
		}
		return nil, fmt.Errorf("failed to get events for filter: failed to parse eth filter spec: %w", err)
	}
	head := n.chain.Head().Height()
	if query.tipset != nil && query.tipset.Height() >= head || query.from >= head || query.to >= head {
		return nil, fmt.Errorf("failed to get events for filter: %w", errEventsNotYet)
	}
	events, err := n.find(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("failed to get events for filter: failed to get events for filter from chain indexer: %w", err)
	}
	return n.logResult(events)
}

// logQuery reads a filter. Errors: api.ErrBlockRangeExceeded.
func (n *node) logQuery(spec *ethtypes.EthFilterSpec) (*eventQuery, error) {
	query := &eventQuery{}
	if spec.BlockHash != nil {
		if spec.FromBlock != nil || spec.ToBlock != nil {
			return nil, errors.New("must not specify block hash and from/to block")
		}
		ts, err := n.tipsetByHash(*spec.BlockHash)
		if err != nil {
			return nil, err
		}
		query.tipset = ts
	} else {
		var err error
		latest := n.chain.Head().Height() - 1
		if query.from, query.to, err = blockRange(latest, spec.FromBlock, spec.ToBlock, abi.ChainEpoch(n.logRange.Load())); err != nil {
			return nil, err
		}
	}
	return query, query.narrow(spec.Address, spec.Topics)
}

// narrow adds addresses and topics.
func (q *eventQuery) narrow(addresses ethtypes.EthAddressList, topics ethtypes.EthTopicSpec) error {
	for _, eth := range addresses {
		addr, err := eth.ToFilecoinAddress()
		if err != nil {
			return fmt.Errorf("invalid address %x", eth)
		}
		q.addresses = append(q.addresses, addr)
	}
	if len(topics) > 4 {
		return fmt.Errorf("too many topic positions: %d, at most 4", len(topics))
	}
	for i, values := range topics {
		for _, value := range values {
			if q.keys == nil {
				q.keys = map[string][]types.ActorEventBlock{}
			}
			key := fmt.Sprintf("t%d", i+1) // what the EVM's LOG writes
			q.keys[key] = append(q.keys[key], types.ActorEventBlock{Codec: codecRaw, Value: value[:]})
		}
	}
	return nil
}

// blockRange reads fromBlock and toBlock as Lotus does: hex, "latest", "earliest" or
// nothing. From defaults to the newest executed epoch; −1 as to is open.
func blockRange(latest abi.ChainEpoch, fromBlock, toBlock *string, most abi.ChainEpoch) (from, to abi.ChainEpoch, err error) {
	if from, err = rangeEnd(fromBlock, latest, "FromBlock"); err != nil {
		return 0, 0, err
	}
	if to, err = rangeEnd(toBlock, -1, "ToBlock"); err != nil {
		return 0, 0, err
	}
	return from, to, checkRange(latest, from, to, most)
}

func rangeEnd(block *string, latest abi.ChainEpoch, name string) (abi.ChainEpoch, error) {
	switch {
	case block == nil || *block == "" || *block == ethtypes.BlockTagLatest:
		return latest, nil
	case *block == ethtypes.BlockTagEarliest:
		return 0, nil
	case !strings.HasPrefix(*block, "0x"):
		return 0, fmt.Errorf("%s is not a hex", name)
	}
	epoch, err := ethtypes.EthUint64FromHex(*block)
	if err != nil || epoch > math.MaxInt64 {
		return 0, errors.New("invalid epoch")
	}
	return abi.ChainEpoch(epoch), nil
}

func checkRange(latest, from, to, most abi.ChainEpoch) error {
	span := abi.ChainEpoch(0)
	switch {
	case from < 0 && to > 0:
		span = to - latest
	case from >= 0 && to < 0:
		span = latest - from
	case from >= 0 && to >= 0:
		if from > to {
			return fmt.Errorf("invalid epoch range: to block (%d) must be after from block (%d)", to, from)
		}
		span = to - from
	}
	if span > most {
		return api.NewErrBlockRangeExceeded(uint64(most), uint64(span))
	}
	return nil
}

// GetActorEventsRaw are events of all actors, built-in ones too.
func (n *node) GetActorEventsRaw(ctx context.Context, filter *types.ActorEventFilter) ([]*types.ActorEvent, error) {
	if filter == nil {
		filter = &types.ActorEventFilter{}
	}
	query := &eventQuery{keys: filter.Fields, addresses: filter.Addresses, from: -1, to: -1}
	for _, a := range filter.Addresses {
		if a.Protocol() != address.ID && a.Protocol() != address.Delegated {
			return nil, fmt.Errorf("can only query events by ID or Delegated addresses; but request has address: %s", a)
		}
	}
	if filter.TipSetKey != nil && !filter.TipSetKey.IsEmpty() {
		if filter.FromHeight != nil || filter.ToHeight != nil {
			return nil, errors.New("cannot specify both TipSetKey and FromHeight/ToHeight")
		}
		ts, err := n.tipset(*filter.TipSetKey)
		if err != nil {
			return nil, err
		}
		query.tipset = ts
	} else if err := n.heightRange(query, filter.FromHeight, filter.ToHeight); err != nil {
		return nil, err
	}
	if query.tipset == nil && query.from < 0 {
		return nil, nil // Lotus does not look back without a beginning
	}
	events, err := n.find(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("get events for filter: %w", err)
	}
	return actorEvents(events), nil
}

func (n *node) heightRange(query *eventQuery, from, to *abi.ChainEpoch) error {
	if from != nil {
		if *from < 0 {
			return errors.New("range 'from' must be greater than or equal to 0")
		}
		query.from = *from
	}
	if to != nil {
		query.to = *to
	}
	head, most := n.chain.Head().Height(), abi.ChainEpoch(n.logRange.Load())
	switch {
	case query.from == -1 && query.to > 0 && query.to-head > most:
		return fmt.Errorf("invalid epoch range: 'to' height is too far in the future (maximum: %d)", most)
	case query.from >= 0 && query.to == -1 && head-query.from > most:
		return fmt.Errorf("invalid epoch range: 'from' height is too far in the past (maximum: %d)", most)
	case query.from >= 0 && query.to >= 0 && query.from > query.to:
		return fmt.Errorf("invalid epoch range: 'to' height (%d) must be after 'from' height (%d)", query.from, query.to)
	case query.from >= 0 && query.to >= 0 && query.to-query.from > most:
		return fmt.Errorf("invalid epoch range: range between to and 'from' heights is too large (maximum: %d)", most)
	}
	return nil
}

func actorEvents(events []event) []*types.ActorEvent {
	out := make([]*types.ActorEvent, 0, len(events))
	for _, e := range events {
		out = append(out, &types.ActorEvent{
			Entries:   e.entries,
			Emitter:   e.emitter,
			Reverted:  e.reverted,
			Height:    e.height,
			TipSetKey: e.tipset,
			MsgCid:    e.message.Cid(),
		})
	}
	return out
}
