package bucket

import (
	"context"
	"fmt"
)

// perWork is the memory that one computation is counted with: blocks read ahead,
// buffers, and the set of blocks seen (21 to 43 bytes each) of a large DAG.
const perWork = 64 << 20

// pool bounds computations, all of the daemon's: items, buckets, and layouts that
// are made again.
type pool struct {
	slots   chan struct{}
	reserve uint64
	free    func() (uint64, error)
}

func newPool(c Config, free func() (uint64, error)) *pool {
	n := min(uint64(c.Workers), c.MaxMemory/perWork)
	return &pool{slots: make(chan struct{}, n), reserve: c.DiskReserve, free: free}
}

// take waits for a slot, and makes sure that the disk has room for need bytes
// beside the reserve. What it gives ends the use of the slot.
func (p *pool) take(ctx context.Context, need uint64) (func(), error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	done := func() { <-p.slots }
	if p.free == nil {
		return done, nil
	}
	free, err := p.free()
	if err == nil && (free < p.reserve || free-p.reserve < need) {
		err = fmt.Errorf("%w: %d bytes free, %d reserved, %d needed", ErrNoRoom, free, p.reserve, need)
	}
	if err != nil {
		done()
		return nil, err
	}
	return done, nil
}
