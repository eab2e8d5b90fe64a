package ipfs

import (
	"context"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
	"github.com/ipfs/go-datastore"
	mh "github.com/multiformats/go-multihash"
)

// BlockSource has blocks, for example those of a CAR. What it gives is not believed.
type BlockSource interface {
	Get(ctx context.Context, c cid.Cid) ([]byte, error)
}

// Held tells whether ref is pinned and every block of it can be read here: its record is
// there and, for a block with a file, a file of its size. It costs the blocks of that DAG,
// and reads none. A file whose bytes have changed is not noticed.
func (n *Node) Held(ctx context.Context, ref string) (bool, error) {
	if err := n.begin(); err != nil {
		return false, err
	}
	defer n.end()
	rec, err := n.store.pin(ref)
	if err != nil || rec == nil || rec.State != StatePinned {
		return false, err
	}
	whole := true
	err = n.store.eachHeld(ctx, rec.Num, func(h mh.Multihash) error {
		ok, err := n.store.readable(ctx, h)
		if err == nil && !ok {
			whole, err = false, errStop
		}
		return err
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for what %s holds: %w", ref, err)
	}
	return whole, nil
}

// Restore is Pin with the missing blocks from a source in place of the network, each
// checked against its hash. A pin that is there already gets back what it lost: blocks
// whose files are gone. It is durable when Restore returns, and doing it twice is doing it
// once. Caps and disk reserve apply as to Pin.
func (n *Node) Restore(ctx context.Context, spec PinSpec, from BlockSource) (PinStat, error) {
	if err := n.begin(); err != nil {
		return PinStat{}, err
	}
	defer n.end()
	if spec.Ref == "" {
		return PinStat{}, errors.New("restore: the request id is empty")
	}
	if err := CheckCID(spec.Root); err != nil {
		return PinStat{}, err
	}
	ctx, stop := n.bind(ctx)
	defer stop()
	ctx, done, err := n.claims.take(ctx, spec.Ref, claim{owner: spec.Owner, root: string(spec.Root.Hash()), seq: spec.Seq}, nil)
	if err != nil {
		return PinStat{}, err
	}
	defer done()
	st, err := n.restore(ctx, spec, from)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return PinStat{}, fmt.Errorf("restoring %s: %w", spec.Root, err)
	}
	n.announce(spec.Root)
	return st, nil
}

func (n *Node) restore(ctx context.Context, spec PinSpec, from BlockSource) (PinStat, error) {
	rec, stored, err := n.openRecord(ctx, spec)
	if err != nil {
		return PinStat{}, err
	}
	var fetched uint64
	if rec.State != StatePinned {
		p := n.newPinning(rec, stored, n.cfg.Limits, spec.Root)
		p.w.src = &supply{from: from}
		defer p.stop()
		st, err := p.run(ctx)
		if err != nil {
			return PinStat{}, err
		}
		fetched = st.Fetched
	}
	mended, err := n.mend(ctx, rec, from)
	return PinStat{Blocks: rec.Blocks, Bytes: rec.Bytes, LogicalBytes: rec.Logical, Fetched: fetched + mended}, err
}

// mend writes the files that blocks of a pin have lost, and says how many.
func (n *Node) mend(ctx context.Context, rec *pinRecord, from BlockSource) (mended uint64, err error) {
	s := n.store
	err = s.eachHeld(ctx, rec.Num, func(h mh.Multihash) error {
		defer s.locks.lock([]mh.Multihash{h})()
		if ok, err := s.readable(ctx, h); err != nil || ok {
			return err
		}
		if held, err := s.has(h); err != nil || !held {
			return errors.Join(err, &missingError{cid.NewCidV1(cid.Raw, h)})
		}
		data, err := sound(ctx, from, cid.NewCidV1(cid.Raw, h))
		if err != nil {
			return err
		}
		if err := n.checkDisk(uint64(len(data))); err != nil {
			return err
		}
		mended++
		return s.files.Put(ctx, fileKey(h), data)
	})
	if err == nil && mended > 0 && s.disk != nil {
		err = s.disk.sync()
	}
	if isDiskFull(err) {
		err = fmt.Errorf("%w: %w", ErrDiskFull, err)
	}
	return mended, err
}

// eachHeld visits the blocks that a pin refers to.
func (s *store) eachHeld(ctx context.Context, num pinNum, f func(h mh.Multihash) error) error {
	var after mh.Multihash
	for {
		hs, err := s.manifest(num, after, dropChunk)
		if err != nil || len(hs) == 0 {
			return err
		}
		for _, h := range hs {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := f(h); err != nil {
				return err
			}
		}
		after = hs[len(hs)-1]
	}
}

// readable tells whether a block has a record, and the file that it may name.
func (s *store) readable(ctx context.Context, h mh.Multihash) (bool, error) {
	v, err := s.get(keyBlock(h))
	if err != nil || v == nil {
		return false, err
	}
	size, err := blockSize(v)
	if err != nil || v[0] == inline {
		return err == nil, err
	}
	n, err := s.files.GetSize(ctx, fileKey(h))
	if errors.Is(err, datastore.ErrNotFound) {
		return false, nil
	}
	return err == nil && uint64(n) == size, err
}

// sound gets a block that is what its CID says.
func sound(ctx context.Context, from BlockSource, c cid.Cid) ([]byte, error) {
	data, err := from.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	got, err := c.Prefix().Sum(data)
	if err == nil && !got.Equals(c) {
		err = fmt.Errorf("what came for block %s has another hash", c)
	}
	return data, err
}

// supply is the source of a restore.
type supply struct {
	from  BlockSource
	asked []cid.Cid
}

// suppliedAhead is how many blocks are read ahead of the walk.
const suppliedAhead = 16

func (s *supply) room() bool { return len(s.asked) < suppliedAhead }

func (s *supply) want(cs []cid.Cid) error {
	s.asked = append(s.asked, cs...)
	return nil
}

func (s *supply) wait(ctx context.Context, _ *walk) ([]arrival, error) {
	out := make([]arrival, 0, len(s.asked))
	for _, c := range s.asked {
		data, err := sound(ctx, s.from, c)
		if err != nil {
			return nil, err
		}
		out = append(out, arrival{c: c, data: data})
	}
	s.asked = s.asked[:0]
	return out, nil
}
