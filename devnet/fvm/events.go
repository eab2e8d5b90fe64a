package fvm

import (
	"context"
	"fmt"

	amt "github.com/filecoin-project/go-amt-ipld/v4"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// eventLog collects a message's events and forgets those of calls that failed.
type eventLog struct {
	events []types.Event
	marks  []int
}

func (l *eventLog) begin() { l.marks = append(l.marks, len(l.events)) }

func (l *eventLog) end(revert bool) {
	mark := l.marks[len(l.marks)-1]
	l.marks = l.marks[:len(l.marks)-1]
	if revert {
		clear(l.events[mark:])
		l.events = l.events[:mark]
	}
}

// PutEvents stores the AMT of events that a receipt's EventsRoot names and returns its
// root. Machines do not store it themselves; a chain that serves events by root does. No
// events have no root: [cid.Undef].
func PutEvents(ctx context.Context, bs Blockstore, events []types.Event) (cid.Cid, error) {
	if len(events) == 0 {
		return cid.Undef, nil
	}
	items := make([]cbg.CBORMarshaler, len(events))
	for i := range events {
		items[i] = &events[i]
	}
	root, err := amt.FromArray(ctx, CBORStore(bs), items, amt.UseTreeBitWidth(types.EventAMTBitwidth))
	if err != nil {
		return cid.Undef, fmt.Errorf("build the tree of %d events: %w", len(events), err)
	}
	return root, nil
}

// eventsRoot is the root of a receipt, nil without events.
func eventsRoot(ctx context.Context, events []types.Event) (*cid.Cid, error) {
	if len(events) == 0 {
		return nil, nil
	}
	root, err := PutEvents(ctx, NewMemory(), events)
	if err != nil {
		return nil, err
	}
	return &root, nil
}
