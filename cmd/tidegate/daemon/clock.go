package daemon

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/watch"
)

// clockSlack is a lead of the chain's clock that means nothing: timestamps are
// whole seconds, and an epoch's may be a little early.
const clockSlack = 5 * time.Second

// chainClock is the time that contracts compare with: ours, or later where the
// chain's is ahead. That is never so on a public chain, and always on a
// development chain whose blocks come faster than their whole-second timestamps.
type chainClock struct{ ahead atomic.Int64 }

// Now gives that time.
func (c *chainClock) Now() time.Time { return time.Now().Add(c.Ahead()) }

// Ahead is how far that is from ours.
func (c *chainClock) Ahead() time.Duration { return time.Duration(c.ahead.Load()) }

// saw sets the clock by the time of the newest block.
func (c *chainClock) saw(newest time.Time) {
	c.ahead.Store(int64(max(0, time.Until(newest)-clockSlack)))
}

// through is a sink that reads the clock off the updates that pass.
func (c *chainClock) through(next watch.Sink) watch.Sink { return clockedSink{c, next} }

type clockedSink struct {
	clock *chainClock
	next  watch.Sink
}

// Apply implements watch.Sink.
func (s clockedSink) Apply(ctx context.Context, u chain.Update) error {
	s.clock.saw(u.Head.Time)
	return s.next.Apply(ctx, u)
}
