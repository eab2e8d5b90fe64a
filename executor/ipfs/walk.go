package ipfs

import (
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
	mh "github.com/multiformats/go-multihash"

	"github.com/tidegate/tidegate/executor/job"
)

const (
	// maxReady and maxReadyLinks bound what was fetched ahead of the walk.
	maxReady      = 256
	maxReadyLinks = 1 << 16
	// maxOpenLinks bounds the links of all blocks on the path being walked.
	maxOpenLinks = 1 << 20
	// flushItems and flushBytes bound one batch of blocks on its way to disk.
	flushItems = 512
	flushBytes = 8 << 20
	// flushWriters is how many batches of one pin are written at a time.
	flushWriters = 2
)

// source brings blocks that the store does not hold. The walk calls it from one
// goroutine.
type source interface {
	// room tells whether another want may be sent.
	room() bool
	// want asks for blocks; they come to the walk through deliver.
	want(cs []cid.Cid) error
	// wait blocks until something happened, and returns blocks that came, if any.
	wait(ctx context.Context, w *walk) ([]arrival, error)
}

// arrival is a block that came, or with miss the news that a peer lacks it.
type arrival struct {
	c    cid.Cid
	data []byte
	from peer.ID // "" if it came through a session or a gateway
	miss bool
}

// walk visits one DAG depth first, each block once, asking ahead for what comes
// next. In memory it keeps a few words per block visited, the links of the blocks
// on the path, and a bounded number of blocks fetched ahead.
type walk struct {
	st  *store
	lim Limits
	src source // nil: only what is held
	// sink takes the blocks to be referenced; nil: only look.
	sink func(ctx context.Context, it item) error

	root      cid.Cid
	done      map[string]visited
	pend      map[string]*pending
	ready     int // pend entries that arrived
	readyLink int
	openLink  int
	stack     []*frame
	asking    []cid.Cid

	blocks, bytes, logical uint64
	inlined                uint64 // identity CIDs visited
	total                  uint64 // what the root claims to weigh
}

// visited is what remains of a block once its sub-DAG is complete.
type visited struct {
	logical uint64
	height  int32 // links on the longest path below
}

// pending is a block asked for, or read and not yet walked.
type pending struct {
	c       cid.Cid
	arrived bool
	size    uint64
	links   links
}

type frame struct {
	key     string
	size    uint64
	kids    []link
	next    int // kid being walked
	ahead   int // first kid not yet asked for
	logical uint64
	height  int32
}

func newWalk(st *store, lim Limits, root cid.Cid) *walk {
	return &walk{
		st: st, lim: lim, root: root,
		done:  make(map[string]visited),
		pend:  make(map[string]*pending),
		stack: []*frame{{kids: []link{{root, 1}}}},
	}
}

// codecs in a fixed order; a block is read once per codec that names it.
var codecOrder = [...]uint64{cid.DagProtobuf, cid.Raw, cid.DagCBOR, cid.DagJSON}

func codecIndex(codec uint64) byte {
	for i, c := range codecOrder {
		if c == codec {
			return byte(i)
		}
	}
	return byte(len(codecOrder))
}

func walkKey(c cid.Cid) string {
	h := c.Hash()
	b := make([]byte, 1+len(h))
	b[0] = codecIndex(c.Type())
	copy(b[1:], h)
	return string(b)
}

// missingError says that a walk without a source met a block that is not held.
type missingError struct{ c cid.Cid }

func (e *missingError) Error() string { return fmt.Sprintf("block %s is not held", e.c) }

// run walks the whole DAG.
func (w *walk) run(ctx context.Context) error {
	if err := CheckCID(w.root); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := w.fill(ctx); err != nil {
			return err
		}
		moved, done, err := w.advance()
		if err != nil || done {
			return err
		}
		if moved {
			continue
		}
		if w.src == nil {
			return errors.New("walk stopped without a block to wait for")
		}
		got, err := w.src.wait(ctx, w)
		if err != nil {
			return err
		}
		for _, a := range got {
			if err := w.deliver(ctx, a); err != nil {
				return err
			}
		}
	}
}

// fill asks for the blocks that the walk meets next: the kids of the block being
// walked, then the further kids of the blocks above it.
func (w *walk) fill(ctx context.Context) error {
	w.asking = w.asking[:0]
	for i := len(w.stack) - 1; i >= 0; i-- {
		f := w.stack[i]
		f.ahead = max(f.ahead, f.next)
		for ; f.ahead < len(f.kids); f.ahead++ {
			front := i == len(w.stack)-1 && f.ahead == f.next
			if !front && (w.ready >= maxReady || w.readyLink >= maxReadyLinks) || w.src != nil && !w.src.room() {
				return w.ask()
			}
			if err := w.request(ctx, f.kids[f.ahead].c); err != nil {
				return err
			}
		}
	}
	return w.ask()
}

func (w *walk) ask() error {
	if len(w.asking) == 0 {
		return nil
	}
	return w.src.want(w.asking)
}

// request reads a block from the store, or puts it among those asked for.
func (w *walk) request(ctx context.Context, c cid.Cid) error {
	k := walkKey(c)
	if _, ok := w.done[k]; ok {
		return nil
	}
	if _, ok := w.pend[k]; ok {
		return nil
	}
	p := &pending{c: c}
	if d, ok := identityData(c); ok {
		w.pend[k] = p
		return w.arrive(ctx, p, d, uint64(len(d)), false)
	}
	var data []byte
	var size uint64
	var err error
	if c.Type() == cid.Raw {
		size, err = w.st.size(c.Hash())
	} else {
		data, err = w.st.data(ctx, c.Hash())
		size = uint64(len(data))
	}
	switch {
	case err == nil:
		w.pend[k] = p
		return w.arrive(ctx, p, data, size, true)
	case !errors.Is(err, errNotHeld):
		return fmt.Errorf("reading %s: %w", c, err)
	case w.src == nil:
		return &missingError{c}
	}
	w.pend[k] = p
	w.asking = append(w.asking, c)
	return nil
}

// deliver takes a block from the source; one that is not waited for is ignored.
func (w *walk) deliver(ctx context.Context, a arrival) error {
	p := w.pend[walkKey(a.c)]
	if p == nil || p.arrived {
		return nil
	}
	return w.arrive(ctx, p, a.data, uint64(len(a.data)), false)
}

// arrive accounts for a block, checks the caps, and hands it to the sink.
func (w *walk) arrive(ctx context.Context, p *pending, data []byte, size uint64, held bool) error {
	if size > uint64(w.lim.MaxBlockSize) {
		return fault(job.ReasonInvalidContent, false, "block %s has %d bytes; at most %d are allowed", p.c, size, w.lim.MaxBlockSize)
	}
	var err error
	if p.links, err = decodeLinks(p.c, data, w.lim.MaxLinks); err != nil {
		return err
	}
	if p.c.Equals(w.root) {
		w.total = satAdd(size, p.links.declared)
		if w.total > w.lim.MaxLogicalBytes {
			return fault(job.ReasonTooLarge, false, "%s claims %d bytes in all; at most %d are allowed", w.root, w.total, w.lim.MaxLogicalBytes)
		}
	}
	counted := w.counted(p.c)
	p.arrived, p.size = true, size
	w.ready++
	w.readyLink += len(p.links.list)
	if _, id := identityData(p.c); id {
		w.inlined++
	} else if !counted {
		w.blocks++
		w.bytes = satAdd(w.bytes, size)
	}
	if w.blocks+w.inlined > w.lim.MaxBlocks {
		return fault(job.ReasonTooManyBlocks, false, "%s has more than %d blocks", w.root, w.lim.MaxBlocks)
	}
	if w.bytes > w.lim.MaxBytes {
		return fault(job.ReasonTooLarge, false, "%s has more than %d bytes; %d blocks were read", w.root, w.lim.MaxBytes, w.blocks)
	}
	if _, id := identityData(p.c); id || counted || w.sink == nil {
		return nil
	}
	if held {
		return w.sink(ctx, item{c: p.c, size: size})
	}
	return w.sink(ctx, newItem(p.c, data))
}

// counted tells whether the block was met before under another codec.
func (w *walk) counted(c cid.Cid) bool {
	k := []byte(walkKey(c))
	own := k[0]
	for i := range codecOrder {
		if byte(i) == own {
			continue
		}
		k[0] = byte(i)
		if _, ok := w.done[string(k)]; ok {
			return true
		}
		if p := w.pend[string(k)]; p != nil && p.arrived {
			return true
		}
	}
	return false
}

// advance walks as far as the blocks at hand allow.
func (w *walk) advance() (moved, done bool, err error) {
	for {
		top := w.stack[len(w.stack)-1]
		depth := len(w.stack) - 1 // of top's kids; the root's is 0
		if top.next == len(top.kids) {
			if len(w.stack) == 1 {
				w.logical = top.logical
				return true, true, nil
			}
			w.stack = w.stack[:len(w.stack)-1]
			w.openLink -= len(top.kids)
			v := visited{satAdd(top.size, top.logical), top.height}
			w.done[top.key] = v
			if err := w.absorb(v); err != nil {
				return true, false, err
			}
			moved = true
			continue
		}
		c := top.kids[top.next].c
		k := walkKey(c)
		if v, ok := w.done[k]; ok {
			if depth+int(v.height) > w.lim.MaxDepth {
				return moved, false, w.tooDeep(c)
			}
			if err := w.absorb(v); err != nil {
				return moved, false, err
			}
			moved = true
			continue
		}
		p := w.pend[k]
		if p == nil || !p.arrived {
			return moved, false, nil
		}
		if depth > w.lim.MaxDepth {
			return moved, false, w.tooDeep(c)
		}
		delete(w.pend, k)
		w.ready--
		w.readyLink -= len(p.links.list)
		w.openLink += len(p.links.list)
		if w.openLink > maxOpenLinks {
			return moved, false, fault(job.ReasonTooManyBlocks, false, "%s: more than %d links are open on one path, at depth %d", w.root, maxOpenLinks, depth)
		}
		w.stack = append(w.stack, &frame{key: k, size: p.size, kids: p.links.list})
		moved = true
		if len(p.links.list) > 0 {
			// Its kids come before what was asked ahead on the levels above.
			return true, false, nil
		}
	}
}

// absorb adds a complete kid to the block being walked.
func (w *walk) absorb(v visited) error {
	f := w.stack[len(w.stack)-1]
	f.logical = satAdd(f.logical, satMul(f.kids[f.next].n, v.logical))
	if len(w.stack) > 1 {
		f.height = max(f.height, v.height+1)
	}
	f.next++
	if f.logical > w.lim.MaxLogicalBytes {
		return fault(job.ReasonTooLarge, false, "%s is more than %d bytes when unfolded (%d distinct blocks of %d bytes read)", w.root, w.lim.MaxLogicalBytes, w.blocks, w.bytes)
	}
	return nil
}

func (w *walk) tooDeep(c cid.Cid) error {
	return fault(job.ReasonTooManyBlocks, false, "%s is more than %d levels deep, at %s", w.root, w.lim.MaxDepth, c)
}

// missing lists up to max blocks that are being waited for, the next one first.
func (w *walk) missing(max int) []cid.Cid {
	var out []cid.Cid
	top := w.stack[len(w.stack)-1]
	if top.next < len(top.kids) {
		c := top.kids[top.next].c
		if p := w.pend[walkKey(c)]; p == nil || !p.arrived {
			out = append(out, c)
		}
	}
	for _, p := range w.pend {
		if len(out) >= max {
			break
		}
		if !p.arrived && (len(out) == 0 || !p.c.Equals(out[0])) {
			out = append(out, p.c)
		}
	}
	return out
}

// waiting is how many blocks are asked for and have not come.
func (w *walk) waiting() int { return len(w.pend) - w.ready }

// holds tells whether a finished walk met the block under any codec.
func (w *walk) holds(h mh.Multihash) bool {
	k := make([]byte, 1+len(h))
	copy(k[1:], h)
	for i := range codecOrder {
		k[0] = byte(i)
		if _, ok := w.done[string(k)]; ok {
			return true
		}
	}
	return false
}
