package rpc

import (
	"context"
	"fmt"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
)

// event is one event of a tipset's messages.
type event struct {
	entries  []types.EventEntry
	emitter  address.Address // f410 if the actor has one, else f0
	index    int             // among all events of the tipset
	reverted bool
	height   abi.ChainEpoch
	tipset   types.TipSetKey
	message  types.ChainMsg
	msgIndex int
}

// maxCachedTipsets bounds the event index. Filters and queries go over the same few.
const maxCachedTipsets = 4096

// eventIndex reads the events of tipsets and keeps what it read.
type eventIndex struct {
	chain interface {
		Contents
		States
	}

	mu   sync.Mutex
	read map[types.TipSetKey][]event
	age  []types.TipSetKey // oldest first
}

func newEventIndex(source Chain) *eventIndex {
	return &eventIndex{chain: source, read: map[types.TipSetKey][]event{}}
}

// of gives the events of a tipset's messages in order. Callers must not change them.
// Events whose emitter is gone by the end of the tipset are left out and not counted.
func (x *eventIndex) of(ctx context.Context, ts *types.TipSet) ([]event, error) {
	x.mu.Lock()
	events, ok := x.read[ts.Key()]
	x.mu.Unlock()
	if ok {
		return events, nil
	}
	done, err := x.chain.Execution(ts)
	if err != nil {
		return nil, fmt.Errorf("failed to load executed messages: %w", err)
	}
	emitters := map[abi.ActorID]address.Address{}
	for i, result := range done.Results {
		for _, e := range result.Events {
			emitter, known := emitters[e.Emitter]
			if !known {
				var there bool
				if emitter, there, err = emitterOf(ctx, x.chain, e.Emitter, ts); err != nil {
					return nil, fmt.Errorf("resolve event emitter: %w", err)
				}
				if !there {
					emitter = address.Undef
				}
				emitters[e.Emitter] = emitter
			}
			if emitter == address.Undef {
				continue
			}
			events = append(events, event{
				entries: e.Entries, emitter: emitter, index: len(events), height: ts.Height(),
				tipset: ts.Key(), message: result.Message, msgIndex: i,
			})
		}
	}
	x.keep(ts.Key(), events)
	return events, nil
}

func (x *eventIndex) keep(key types.TipSetKey, events []event) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, ok := x.read[key]; ok {
		return
	}
	for len(x.age) >= maxCachedTipsets {
		delete(x.read, x.age[0])
		x.age = x.age[1:]
	}
	x.read[key] = events
	x.age = append(x.age, key)
}

// eventQuery says which events are wanted.
type eventQuery struct {
	from, to  abi.ChainEpoch // inclusive; −1 is open
	tipset    *types.TipSet  // instead of from and to
	addresses []address.Address
	keys      map[string][]types.ActorEventBlock // per key: the values that match; all keys must
}

func (q *eventQuery) spans(height abi.ChainEpoch) bool {
	return (q.from < 0 || height >= q.from) && (q.to < 0 || height <= q.to)
}

func (q *eventQuery) matches(e event) bool {
	if len(q.addresses) > 0 && !q.addressed(e) {
		return false
	}
	for key, values := range q.keys {
		if len(values) > 0 && !hasEntry(e.entries, key, values) {
			return false
		}
	}
	return true
}

// addressed compares the emitter's address in the form that events carry.
func (q *eventQuery) addressed(e event) bool {
	for _, a := range q.addresses {
		if a == e.emitter {
			return true
		}
	}
	return false
}

const indexedFlags = types.EventFlagIndexedKey | types.EventFlagIndexedValue

func hasEntry(entries []types.EventEntry, key string, values []types.ActorEventBlock) bool {
	for _, entry := range entries {
		if entry.Key != key || entry.Flags&indexedFlags == 0 {
			continue
		}
		for _, want := range values {
			if want.Codec == entry.Codec && string(want.Value) == string(entry.Value) {
				return true
			}
		}
	}
	return false
}

// find gives the events that a query matches, in the chain's order. Past the
// configured number of results it gives up, unless they are all of one tipset.
func (n *node) find(ctx context.Context, q *eventQuery) ([]event, error) {
	if q.tipset != nil {
		canonical, err := n.canonical(q.tipset)
		if err != nil {
			return nil, err
		}
		if !n.hashes.executed(q.tipset) {
			return nil, nil
		}
		return n.matching(ctx, q, q.tipset, !canonical)
	}
	tipsets, err := n.executedBetween(ctx, q)
	if err != nil {
		return nil, err
	}
	var found []event
	contributing := 0
	for i := len(tipsets) - 1; i >= 0; i-- {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		events, err := n.matching(ctx, q, tipsets[i], false)
		if err != nil {
			return nil, err
		}
		if len(events) > 0 {
			contributing++
		}
		found = append(found, events...)
		if contributing > 1 && len(found) > int(n.logResults.Load()) {
			return nil, errTooManyEvents
		}
	}
	return found, nil
}

// executedBetween are the canonical tipsets of a query that have been executed, the
// newest first.
func (n *node) executedBetween(ctx context.Context, q *eventQuery) ([]*types.TipSet, error) {
	head := n.chain.Head()
	if head.Height() == 0 {
		return nil, nil
	}
	ts, err := n.parent(head)
	if err != nil {
		return nil, err
	}
	if q.to >= 0 && q.to < ts.Height() {
		if ts, err = n.chain.TipSetByHeight(q.to, head, true); err != nil {
			return nil, fmt.Errorf("failed to get tipset at height: %v", q.to)
		}
	}
	var out []*types.TipSet
	for ts.Height() >= max(q.from, 0) {
		out = append(out, ts)
		if ts.Height() == 0 {
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if ts, err = n.parent(ts); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (n *node) matching(ctx context.Context, q *eventQuery, ts *types.TipSet, reverted bool) ([]event, error) {
	events, err := n.events.of(ctx, ts)
	if err != nil {
		return nil, err
	}
	var out []event
	for _, e := range events {
		if q.matches(e) {
			e.reverted = reverted
			out = append(out, e)
		}
	}
	return out, nil
}

// ofMessage are the events of one message of a tipset.
func (n *node) ofMessage(ctx context.Context, ts *types.TipSet, message cid.Cid) ([]event, error) {
	events, err := n.events.of(ctx, ts)
	if err != nil {
		return nil, err
	}
	var out []event
	for _, e := range events {
		if e.message.Cid() == message {
			out = append(out, e)
		}
	}
	return out, nil
}
