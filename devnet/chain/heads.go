package chain

import (
	"context"
	"sync"

	"github.com/filecoin-project/lotus/chain/types"
)

// Heads gives every move of the head, beginning with the current one, until ctx
// ends or the chain is closed; then the channel closes. It never misses one and
// never holds the producer up: what is not read waits in memory, so end ctx when
// you stop reading.
func (c *Chain) Heads(ctx context.Context) <-chan HeadChange {
	c.mu.RLock() // head changes are published under the write lock: none is missed or seen twice
	defer c.mu.RUnlock()
	return c.heads.subscribe(ctx, HeadChange{Current: true, Apply: []*types.TipSet{c.head.ts}})
}

// MempoolChanges gives every change of the pool in the same manner; it begins with
// the first change after the call.
func (c *Chain) MempoolChanges(ctx context.Context) <-chan MempoolChange {
	return c.pool.changes.subscribe(ctx)
}

// feed hands values to subscribers that each have their own unbounded queue.
type feed[T any] struct {
	mu     sync.Mutex
	queues map[*queue[T]]struct{}
	closed bool
	pumps  sync.WaitGroup
}

type queue[T any] struct {
	mu    sync.Mutex
	items []T
	more  chan struct{} // one slot: items are there
	end   chan struct{} // closed by feed.close
}

func (f *feed[T]) subscribe(ctx context.Context, first ...T) <-chan T {
	out := make(chan T)
	q := &queue[T]{items: first, more: make(chan struct{}, 1), end: make(chan struct{})}
	if len(first) > 0 {
		q.more <- struct{}{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		close(out)
		return out
	}
	if f.queues == nil {
		f.queues = make(map[*queue[T]]struct{})
	}
	f.queues[q] = struct{}{}
	f.pumps.Add(1)
	go func() {
		defer f.pumps.Done()
		defer close(out)
		defer f.leave(q)
		q.pump(ctx, out)
	}()
	return out
}

func (f *feed[T]) leave(q *queue[T]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.queues, q)
}

// publish never waits for a reader.
func (f *feed[T]) publish(value T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for q := range f.queues {
		q.mu.Lock()
		q.items = append(q.items, value)
		q.mu.Unlock()
		select {
		case q.more <- struct{}{}:
		default:
		}
	}
}

// close ends all subscriptions and waits for them.
func (f *feed[T]) close() {
	f.mu.Lock()
	f.closed = true
	for q := range f.queues {
		close(q.end)
	}
	f.queues = nil
	f.mu.Unlock()
	f.pumps.Wait()
}

func (q *queue[T]) pump(ctx context.Context, out chan<- T) {
	for {
		select {
		case <-q.more:
		case <-ctx.Done():
			return
		case <-q.end:
			return
		}
		q.mu.Lock()
		items := q.items
		q.items = nil
		q.mu.Unlock()
		for _, item := range items {
			select {
			case out <- item:
			case <-ctx.Done():
				return
			case <-q.end:
				return
			}
		}
	}
}
