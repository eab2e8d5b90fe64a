package bucket

import (
	"bytes"
	"container/list"
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
)

// layoutMemory bounds the layouts that are remembered, bytes: those of some
// 400 GiB in blocks of 256 KiB.
const layoutMemory = 64 << 20

// layouts remembers the layouts of CARs that were read last, by name.
type layouts struct {
	mu    sync.Mutex
	order list.List // of *laid, last used first
	named map[string]*list.Element
	bytes int
}

type laid struct {
	name string
	l    *piece.Layout
	size int
}

func (c *layouts) get(name string) *piece.Layout {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.named[name]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*laid).l
}

func (c *layouts) put(name string, l *piece.Layout, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.named == nil {
		c.named = map[string]*list.Element{}
	}
	if c.named[name] != nil {
		return
	}
	c.named[name] = c.order.PushFront(&laid{name, l, size})
	c.bytes += size
	for c.bytes > layoutMemory && c.order.Len() > 1 {
		c.drop(c.order.Back())
	}
}

func (c *layouts) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.named[name]; e != nil {
		c.drop(e)
	}
}

func (c *layouts) drop(e *list.Element) {
	v := c.order.Remove(e).(*laid)
	delete(c.named, v.name)
	c.bytes -= v.size
}

// layout gives the layout of a CAR: remembered, from its file, or made again.
func (s *Shelf) layout(ctx context.Context, name, id string, what piece.Contents) (*piece.Layout, error) {
	if l := s.lay.get(name); l != nil {
		return l, nil
	}
	// The lock of the item itself may be held by a Make that waits for the pool.
	unlock, err := s.one.lock(ctx, "layout:"+name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if l := s.lay.get(name); l != nil {
		return l, nil
	}
	raw, err := s.layoutBytes(ctx, id, what)
	if err != nil {
		return nil, err
	}
	l, err := piece.OpenLayout(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, err
	}
	s.lay.put(name, l, len(raw))
	return l, nil
}

func (s *Shelf) layoutBytes(ctx context.Context, id string, what piece.Contents) ([]byte, error) {
	path, err := s.kept(ctx, id, layoutSuffix)
	if err != nil {
		return nil, err
	}
	if path != "" {
		raw, err := os.ReadFile(path)
		if err == nil {
			_, err = piece.OpenLayout(bytes.NewReader(raw), int64(len(raw)))
		}
		if err == nil {
			return raw, nil
		}
		s.d.Log.Warn("the layout of a piece cannot be read; it is made again", "piece", id, "error", err)
	}
	done, err := s.pool.take(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer done()
	p, raw, err := s.packed(ctx, what, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("making the layout of %s: %w", id, err)
	}
	want, err := piece.Parse(id)
	if err != nil {
		return nil, err
	}
	for c := p.Commitment; c.Root != want.Root; {
		if c.Padded >= s.cfg.MaxPiece {
			return nil, fmt.Errorf("the blocks of %s now make piece %s: %w", id, p.CID(), piece.ErrMismatch)
		}
		if c, err = c.Pad(2 * c.Padded); err != nil {
			return nil, err
		}
	}
	return raw, nil
}

func bucketKey(id int64) string { return fmt.Sprintf("bucket-%d", id) }

// rootsOf are the payload CIDs of a manifest, in order.
func rootsOf(slots []job.Slot) (what piece.Contents, err error) {
	for _, s := range slots {
		c, err := cid.Decode(s.Root)
		if err != nil {
			return what, fmt.Errorf("in the manifest: %w", err)
		}
		what.Roots = append(what.Roots, c)
	}
	return what, nil
}
