package ipfs

import (
	"context"
	"slices"
	"sync"

	mh "github.com/multiformats/go-multihash"
)

// blockLocks is one mutex per block in use, made when first wanted and dropped
// with its last user: no false sharing, no growth.
type blockLocks struct {
	mu   sync.Mutex
	held map[string]*blockLock
}

type blockLock struct {
	mu    sync.Mutex
	users int
}

// lock takes the locks of all hashes, in byte order so that two callers cannot
// wait for each other, and returns the unlock.
func (l *blockLocks) lock(hs []mh.Multihash) (unlock func()) {
	names := make([]string, len(hs))
	for i, h := range hs {
		names[i] = string(h)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	locks := make([]*blockLock, len(names))
	l.mu.Lock()
	if l.held == nil {
		l.held = make(map[string]*blockLock)
	}
	for i, n := range names {
		b := l.held[n]
		if b == nil {
			b = new(blockLock)
			l.held[n] = b
		}
		b.users++
		locks[i] = b
	}
	l.mu.Unlock()
	for _, b := range locks {
		b.mu.Lock()
	}
	return func() {
		for _, b := range locks {
			b.mu.Unlock()
		}
		l.mu.Lock()
		for i, b := range locks {
			if b.users--; b.users == 0 {
				delete(l.held, names[i])
			}
		}
		l.mu.Unlock()
	}
}

// claims says which request is being worked on, by one caller at a time.
type claims struct {
	mu     sync.Mutex
	active map[string]*claim
}

// claim is one caller's hold on one request.
type claim struct {
	owner  string
	root   string // multihash; "" for a release
	seq    uint64
	cancel context.CancelCauseFunc // stops the work, nil if it is not to be stopped
	done   chan struct{}
}

// take waits until ref is free and claims it. With a non-nil cause it first
// stops the work in progress on ref. The returned context ends with ctx, or with
// the cause of whoever wants the claim.
func (c *claims) take(ctx context.Context, ref string, want claim, cause error) (context.Context, func(), error) {
	for {
		c.mu.Lock()
		cur := c.active[ref]
		if cur == nil {
			if c.active == nil {
				c.active = make(map[string]*claim)
			}
			mine := want
			mine.done = make(chan struct{})
			wctx, cancel := context.WithCancelCause(ctx)
			if want.root != "" {
				mine.cancel = cancel
			}
			c.active[ref] = &mine
			c.mu.Unlock()
			return wctx, func() {
				c.mu.Lock()
				delete(c.active, ref)
				c.mu.Unlock()
				cancel(nil)
				close(mine.done)
			}, nil
		}
		c.mu.Unlock()
		if cause != nil && cur.cancel != nil {
			cur.cancel(cause)
		}
		select {
		case <-cur.done:
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

// find lists the requests being pinned by owner on root with a seq below before.
func (c *claims) find(owner, root string, before uint64) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var refs []string
	for ref, a := range c.active {
		if a.root == root && a.owner == owner && a.seq < before {
			refs = append(refs, ref)
		}
	}
	return refs
}
