package rpc

import (
	"context"
	"sync"
	"time"

	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/chain"
)

// follow feeds filters and subscriptions from the chain until ctx ends.
func (n *node) follow(ctx context.Context) {
	var feeds sync.WaitGroup
	defer feeds.Wait()
	heads, pool := n.chain.Heads(ctx), n.chain.MempoolChanges(ctx)
	feeds.Go(func() {
		for change := range heads {
			n.headChanged(ctx, change)
		}
	})
	feeds.Go(func() {
		for change := range pool {
			n.poolChanged(change)
		}
	})
	collect := time.NewTicker(n.config.FilterTTL / 2)
	defer collect.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-collect.C:
			n.filters.collect(n.config.FilterTTL)
		}
	}
}

// headChanged tells of the messages that a head change executed or took back: those
// of the parents of the tipsets that came or went.
func (n *node) headChanged(ctx context.Context, change chain.HeadChange) {
	if change.Current {
		for _, ts := range change.Apply {
			n.hashes.see(ts)
		}
		return
	}
	for _, ts := range change.Revert {
		n.hashes.see(ts)
		n.executedBy(ctx, ts, true)
	}
	for _, ts := range change.Apply {
		n.hashes.see(ts)
		n.executedBy(ctx, ts, false)
		n.newHead(ctx, ts)
	}
}

func (n *node) executedBy(ctx context.Context, ts *types.TipSet, reverted bool) {
	if ts.Height() == 0 {
		return
	}
	parent, err := n.parent(ts)
	if err != nil {
		n.log.Error("parent of a new head is missing: filters miss its events", "block", ts.Key().String(), "err", err)
		return
	}
	events, err := n.events.of(ctx, parent)
	if err != nil {
		if ctx.Err() == nil {
			n.log.Error("events of a tipset cannot be read: filters miss them", "block", parent.Key().String(), "err", err)
		}
		return
	}
	n.filters.each(func(f *filter) { f.collect(events, reverted) })
	n.subs.each(func(s *subscription) {
		for _, e := range events {
			if s.query != nil && s.query.matches(e) {
				e.reverted = reverted
				n.pushEvent(s, e)
			}
		}
	})
}

// covers is matches within the query's tipsets.
func (q *eventQuery) covers(e event) bool {
	if q.tipset != nil {
		return q.tipset.Key() == e.tipset && q.matches(e)
	}
	return q.spans(e.height) && q.matches(e)
}

// pushEvent sends one log. Pushed logs have index 0 whatever they are in their
// tipset, as in Lotus.
func (n *node) pushEvent(s *subscription, e event) {
	e.index = 0
	logs, err := n.logs([]event{e})
	if err != nil {
		n.log.Error("an event cannot be shown as a log: a subscriber misses it", "err", err)
		return
	}
	for _, log := range logs {
		if err := s.push(log); err != nil {
			n.log.Error("a log cannot be sent", "err", err)
		}
	}
}

// newHead tells block filters of the head and newHeads of its parent, which is the
// latest block now.
func (n *node) newHead(ctx context.Context, ts *types.TipSet) {
	n.filters.each(func(f *filter) {
		if f.tipsets {
			f.addTipset(ts)
		}
	})
	if ts.Height() == 0 {
		return
	}
	n.subs.each(func(s *subscription) {
		if !s.heads || s.lastHead == ts.Parents() {
			return
		}
		parent, err := n.parent(ts)
		if err == nil {
			block, blockErr := n.block(ctx, parent, true)
			if err = blockErr; err == nil {
				err = s.push(block)
			}
		}
		if err != nil && ctx.Err() == nil {
			n.log.Error("a new head cannot be sent: a subscriber misses it", "block", ts.Key().String(), "err", err)
			return
		}
		s.lastHead = ts.Parents()
	})
}

func (n *node) poolChanged(change chain.MempoolChange) {
	if change.Removed || change.Message == nil {
		return
	}
	n.filters.each(func(f *filter) {
		if f.messages {
			f.addMessage(change.Message)
		}
	})
	n.subs.each(func(s *subscription) {
		if !s.messages {
			return
		}
		hash, err := n.txHash(change.Message)
		if err == nil {
			err = s.push(hash)
		}
		if err != nil {
			n.log.Error("a pending transaction cannot be sent: a subscriber misses it", "err", err)
		}
	})
}
