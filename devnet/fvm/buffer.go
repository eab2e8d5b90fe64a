package fvm

import (
	"context"
	"fmt"

	"github.com/ipfs/go-cid"
)

// buffer holds what a machine wrote until it is flushed: reads fall through to the store
// below, and a flush writes only what the new root reaches. It is not safe for concurrent
// use.
type buffer struct {
	below   Blockstore
	written map[cid.Cid][]byte
}

func newBuffer(below Blockstore) *buffer {
	return &buffer{below: below, written: make(map[cid.Cid][]byte)}
}

// Draft is a [Blockstore] whose blocks reach the store below only if they are part of
// what is flushed in the end: for states on the way to another. It is not safe for
// concurrent use.
type Draft struct{ b *buffer }

// NewDraft returns an empty draft over a store.
func NewDraft(below Blockstore) *Draft { return &Draft{newBuffer(below)} }

// Get implements [Blockstore].
func (d *Draft) Get(ctx context.Context, c cid.Cid) ([]byte, error) { return d.b.Get(ctx, c) }

// Put implements [Blockstore].
func (d *Draft) Put(ctx context.Context, c cid.Cid, data []byte) error { return d.b.Put(ctx, c, data) }

// Flush writes the blocks that root reaches to the store below and forgets the others.
func (d *Draft) Flush(ctx context.Context, root cid.Cid) error { return d.b.flush(ctx, root) }

// Get implements [Blockstore].
func (b *buffer) Get(ctx context.Context, c cid.Cid) ([]byte, error) {
	if data, ok := b.written[c]; ok {
		return data, nil
	}
	return b.below.Get(ctx, c)
}

// Put implements [Blockstore].
func (b *buffer) Put(_ context.Context, c cid.Cid, data []byte) error {
	b.written[c] = data
	return nil
}

// flush writes every buffered block that root reaches to the store below, children first
// so that a crash leaves no dangling link, and forgets all of the buffer.
func (b *buffer) flush(ctx context.Context, root cid.Cid) error {
	type step struct {
		c    cid.Cid
		done bool
	}
	seen := make(map[cid.Cid]bool)
	stack := []step{{c: root}}
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		data, ok := b.written[top.c]
		if !ok {
			continue
		}
		if top.done {
			if err := b.below.Put(ctx, top.c, data); err != nil {
				return fmt.Errorf("flush block %s: %w", top.c, err)
			}
			continue
		}
		if seen[top.c] {
			continue
		}
		seen[top.c] = true
		stack = append(stack, step{c: top.c, done: true})
		if top.c.Prefix().Codec != codecDagCBOR {
			continue
		}
		links, err := scanLinks(codecDagCBOR, data, nil)
		if err != nil {
			return fmt.Errorf("flush block %s: links: %w", top.c, err)
		}
		for _, l := range links {
			stack = append(stack, step{c: l})
		}
	}
	b.written = make(map[cid.Cid][]byte)
	return nil
}
