package piece

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ipfs/go-cid"
)

const (
	defaultReadAhead = 16
	// aheadBytes is how much of what was read ahead may wait for its turn.
	aheadBytes = 16 << 20
	// maxOpenLinks bounds the links of all blocks on the path being walked.
	maxOpenLinks = 8 << 20
)

// visit is one block at its turn. data is nil for a leaf of which only the size
// was asked for.
type visit struct {
	c    cid.Cid
	data []byte
	size uint64
}

// walker visits DAGs depth first, parents before their links, each CID once,
// reading ahead on the path. It is for one goroutine.
type walker struct {
	src   Blocks
	sizer Sizer // for leaves, instead of reading them; nil: read all
	ahead int
	// met tells whether a CID was visited, visited notes that it was.
	met     func(cidKey) bool
	visited func(cidKey)
	// each takes a block; not those of identity CIDs, which have no section.
	each func(visit) error
	// shallow visits the roots only.
	shallow bool
	// atRoot, if not nil, is told before each root, by its number.
	atRoot func(int)

	ctx     context.Context
	stack   []*frame
	open    int // links of all frames
	pend    map[cid.Cid]*fetch
	waiting atomic.Int64 // bytes read and not yet visited
	busy    sync.WaitGroup
}

// frame is a block on the path: its links, the next to visit, the next to ask for.
type frame struct {
	links       []cid.Cid
	next, ahead int
	asked       int // of its links, not yet visited
}

// fetch is a block asked for.
type fetch struct {
	from  *frame
	done  chan struct{}
	data  []byte
	size  uint64
	links []cid.Cid
	err   error
}

func newWalker(src Blocks, ahead int) *walker {
	if ahead <= 0 {
		ahead = defaultReadAhead
	}
	return &walker{src: src, ahead: ahead}
}

// run visits the DAGs under roots, one after the other. It may be called again for
// further roots; no goroutine outlives it.
func (w *walker) run(ctx context.Context, roots ...cid.Cid) error {
	ctx, cancel := context.WithCancel(ctx)
	w.ctx, w.pend = ctx, make(map[cid.Cid]*fetch)
	top := &frame{links: roots}
	w.stack, w.open = append(w.stack[:0], top), len(roots)
	w.waiting.Store(0)
	defer func() {
		cancel()
		w.busy.Wait()
	}()
	for len(w.stack) > 0 {
		f := w.stack[len(w.stack)-1]
		if f.next == len(f.links) {
			w.stack = w.stack[:len(w.stack)-1]
			w.open -= len(f.links)
			continue
		}
		if f == top && w.atRoot != nil {
			w.atRoot(f.next)
		}
		c := f.links[f.next]
		f.next++
		if err := w.step(c, f); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) step(c cid.Cid, from *frame) error {
	if err := w.ctx.Err(); err != nil {
		return context.Cause(w.ctx)
	}
	k := keyOf(c)
	if w.met(k) {
		return nil
	}
	p := w.pend[c]
	if p == nil {
		p = w.ask(c, from)
	}
	w.askAhead()
	select {
	case <-p.done:
	case <-w.ctx.Done():
		return context.Cause(w.ctx)
	}
	delete(w.pend, c)
	p.from.asked--
	w.waiting.Add(-int64(len(p.data)))
	if p.err != nil {
		return p.err
	}
	w.visited(k)
	if _, id := identityData(c); !id {
		if err := w.each(visit{c: c, data: p.data, size: p.size}); err != nil {
			return err
		}
	}
	if len(p.links) == 0 || w.shallow {
		return nil
	}
	if w.open += len(p.links); w.open > maxOpenLinks {
		return fmt.Errorf("walking %s: more than %d links are open on one path", c, maxOpenLinks)
	}
	if from.next == len(from.links) { // nothing more to do there: long chains stay short
		w.stack = w.stack[:len(w.stack)-1]
		w.open -= len(from.links)
	}
	w.stack = append(w.stack, &frame{links: p.links})
	return nil
}

// askAhead asks for what comes next: up to w.ahead links of the block being
// walked, and further ones of those above it if fewer are underway in all.
func (w *walker) askAhead() {
	for i := len(w.stack) - 1; i >= 0; i-- {
		f := w.stack[i]
		f.ahead = max(f.ahead, f.next)
		for ; f.ahead < len(f.links); f.ahead++ {
			top := i == len(w.stack)-1
			if top && f.asked >= w.ahead || !top && len(w.pend) >= w.ahead || w.waiting.Load() > aheadBytes {
				return
			}
			c := f.links[f.ahead]
			if w.pend[c] == nil && !w.met(keyOf(c)) {
				w.ask(c, f)
			}
		}
	}
}

func (w *walker) ask(c cid.Cid, from *frame) *fetch {
	p := &fetch{from: from, done: make(chan struct{})}
	w.pend[c] = p
	from.asked++
	w.busy.Go(func() {
		defer close(p.done)
		p.err = w.load(c, p)
	})
	return p
}

// load reads and verifies one block. It runs beside the walk.
func (w *walker) load(c cid.Cid, p *fetch) (err error) {
	if data, id := identityData(c); id {
		p.links, err = linksOf(c, data)
		return err
	}
	if w.sizer != nil && c.Prefix().Codec == cid.Raw {
		if p.size, err = w.sizer.Size(w.ctx, c); err != nil {
			return fmt.Errorf("size of %s: %w", c, err)
		}
		return nil
	}
	data, err := w.src.Get(w.ctx, c)
	if err != nil {
		return fmt.Errorf("reading %s: %w", c, err)
	}
	if err := verify(c, data); err != nil {
		return err
	}
	p.data, p.size = data, uint64(len(data))
	w.waiting.Add(int64(len(data)))
	p.links, err = linksOf(c, data)
	return err
}
