package rpc

import (
	"context"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/chain"
)

// SubscribeActorEventsRaw is Filecoin.SubscribeActorEventsRaw: what GetActorEventsRaw
// finds, then what comes, until the filter's end; what a reorg takes back is sent again
// as reverted. Over WebSocket only.
func (n *node) SubscribeActorEventsRaw(ctx context.Context, filter *types.ActorEventFilter) (<-chan *types.ActorEvent, error) {
	if filter == nil {
		filter = &types.ActorEventFilter{}
	}
	ctx, cancel := context.WithCancel(ctx)
	heads := n.chain.Heads(ctx) // before the past is read, so that nothing falls between
	past, err := n.GetActorEventsRaw(ctx, filter)
	if err != nil {
		cancel()
		return nil, err
	}
	out := make(chan *types.ActorEvent)
	go func() {
		defer cancel()
		defer close(out)
		n.sendEvents(ctx, filter, past, heads, out)
	}()
	return out, nil
}

func (n *node) sendEvents(ctx context.Context, filter *types.ActorEventFilter, past []*types.ActorEvent, heads <-chan chain.HeadChange, out chan<- *types.ActorEvent) {
	sent := map[types.TipSetKey]bool{}
	send := func(e *types.ActorEvent) bool {
		select {
		case out <- e:
			return true
		case <-ctx.Done():
			return false
		}
	}
	for _, e := range past {
		sent[e.TipSetKey] = true
		if !send(e) {
			return
		}
	}
	if filter.TipSetKey != nil && !filter.TipSetKey.IsEmpty() {
		return
	}
	query := &eventQuery{keys: filter.Fields, addresses: filter.Addresses, from: -1, to: -1}
	if filter.FromHeight != nil {
		query.from = *filter.FromHeight
	}
	last := abi.ChainEpoch(-1)
	if filter.ToHeight != nil {
		last = *filter.ToHeight
		query.to = last
	}
	for change := range heads {
		if change.Current {
			continue
		}
		for _, step := range headChanges(change) {
			for _, e := range n.eventsBy(ctx, query, step.Val, step.Type == headRevert) {
				if !e.Reverted && sent[e.TipSetKey] {
					continue // it was part of the past
				}
				if !send(e) {
					return
				}
			}
			if step.Type == headRevert {
				delete(sent, step.Val.Parents())
			}
			if last >= 0 && step.Type == headApply && step.Val.Height() > last {
				return
			}
		}
	}
}

// eventsBy are the events that a new head shows, which are its parent's.
func (n *node) eventsBy(ctx context.Context, query *eventQuery, head *types.TipSet, reverted bool) []*types.ActorEvent {
	parent, err := n.parent(head)
	if err == nil && parent.Height() < head.Height() && query.spans(parent.Height()) {
		var events []event
		if events, err = n.matching(ctx, query, parent, reverted); err == nil {
			return actorEvents(events)
		}
	}
	if err != nil && ctx.Err() == nil {
		n.log.Error("events of a tipset cannot be read: a subscriber misses them", "block", head.Key().String(), "err", err)
	}
	return nil
}
