package fvm

import (
	"math"

	"github.com/ipfs/go-cid"
)

// block is one block of state, parameters or return values. It does not change once made.
type block struct {
	codec uint64
	data  []byte
	links []cid.Cid
}

// noBlock is the handle that means "no data".
const noBlock uint32 = 0

// registry is the table of blocks that one running actor has open, and what it may open.
type registry struct {
	blocks    []*block
	reachable map[cid.Cid]struct{}
	// open lets every block be opened, as before network version 21.
	open bool
}

func newRegistry(open bool) *registry {
	return &registry{reachable: make(map[cid.Cid]struct{}), open: open}
}

func (r *registry) full() bool { return len(r.blocks) >= math.MaxInt32 }

func (r *registry) mark(c cid.Cid) {
	if !r.open {
		r.reachable[c] = struct{}{}
	}
}

func (r *registry) canReach(c cid.Cid) bool {
	if r.open {
		return true
	}
	_, ok := r.reachable[c]
	return ok
}

// put adds a block that is itself reachable, and with it all it links to.
func (r *registry) put(b *block) (uint32, error) {
	if r.full() {
		return 0, refuse(ErrLimitExceeded, "too many blocks")
	}
	for _, l := range b.links {
		r.mark(l)
	}
	return r.add(b), nil
}

// putNew adds a block that the actor made, which may link only to what it can reach.
func (r *registry) putNew(b *block) (uint32, error) {
	if r.full() {
		return 0, refuse(ErrLimitExceeded, "too many blocks")
	}
	for _, l := range b.links {
		if !r.canReach(l) {
			return 0, refuse(ErrNotFound, "cannot put block: %s is not reachable", l)
		}
	}
	return r.add(b), nil
}

func (r *registry) add(b *block) uint32 {
	r.blocks = append(r.blocks, b)
	return uint32(len(r.blocks))
}

// get returns the block behind a handle.
func (r *registry) get(id uint32) (*block, error) {
	if id == noBlock || uint64(id) > uint64(len(r.blocks)) {
		return nil, refuse(ErrInvalidHandle, "invalid block handle %d", id)
	}
	return r.blocks[id-1], nil
}
