package devnet

import (
	"fmt"
	"time"
)

// clock chooses block timestamps, in Unix seconds: the wall clock plus an offset,
// but always later than the parent. It is not safe for concurrent use.
type clock struct {
	now    func() time.Time
	offset int64  // seconds that the chain is set ahead of the wall clock
	pinned uint64 // timestamp asked for the next block; 0 means none
}

// resume sets the clock so that a chain that was ahead of the wall clock goes on
// from its head and does not crawl by one second a block.
func (c *clock) resume(head uint64) {
	if ahead := int64(head) - c.now().Unix(); ahead > 0 {
		c.offset = ahead
	}
}

// next is the timestamp of the child of a block with this timestamp.
func (c *clock) next(parent uint64) uint64 {
	if c.pinned > parent {
		return c.pinned
	}
	if t := c.now().Unix() + c.offset; t > int64(parent) {
		return uint64(t)
	}
	return parent + 1
}

// used forgets a pinned timestamp once a block carries it.
func (c *clock) used() { c.pinned = 0 }

// advance sets the clock ahead and returns the whole offset in seconds.
func (c *clock) advance(seconds uint64) (int64, error) {
	const century = 100 * 365 * 24 * 3600
	if seconds > century || c.offset+int64(seconds) > century {
		return 0, fmt.Errorf("increase time by %d seconds: the clock may be set at most %d seconds ahead", seconds, century)
	}
	c.offset += int64(seconds)
	return c.offset, nil
}

// pin fixes the next block's timestamp; later blocks go on from there.
func (c *clock) pin(timestamp, head uint64) error {
	if timestamp <= head {
		return fmt.Errorf("next block timestamp %d must be later than the head's %d", timestamp, head)
	}
	const century = 100 * 365 * 24 * 3600
	offset := int64(timestamp) - c.now().Unix()
	if timestamp > 1<<62 || offset > century {
		return fmt.Errorf("next block timestamp %d is more than %d seconds ahead", timestamp, century)
	}
	c.pinned, c.offset = timestamp, offset
	return nil
}
