package ipfs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
)

// dropChunk is how many blocks one batch lets go.
const dropChunk = 512

// UnpinStat is what letting go freed. BlocksFreed and BytesFreed count blocks
// that nobody refers to any more and that are gone.
type UnpinStat struct{ Refs, BlocksFreed, BytesFreed uint64 }

func (u *UnpinStat) add(o UnpinStat) {
	u.Refs += o.Refs
	u.BlocksFreed += o.BlocksFreed
	u.BytesFreed += o.BytesFreed
}

// Release drops what one request holds, half-done work included; an unknown ref
// is not an error. Work in progress on ref is stopped first: its Pin returns
// ErrReleased. Release is idempotent; after an error, or a crash, calling it
// again (or New) finishes the rest.
func (n *Node) Release(ctx context.Context, ref string) (UnpinStat, error) {
	if err := n.begin(); err != nil {
		return UnpinStat{}, err
	}
	defer n.end()
	return n.release(ctx, ref)
}

func (n *Node) release(ctx context.Context, ref string) (UnpinStat, error) {
	ctx, done, err := n.claims.take(ctx, ref, claim{}, ErrReleased)
	if err != nil {
		return UnpinStat{}, err
	}
	defer done()
	rec, err := n.store.pin(ref)
	if err != nil {
		return UnpinStat{}, fmt.Errorf("releasing %s: %w", ref, err)
	}
	if rec == nil {
		return UnpinStat{}, nil
	}
	st, err := n.store.drop(ctx, rec)
	n.metrics.freed(st)
	if err != nil {
		return st, fmt.Errorf("releasing %s: %w", ref, err)
	}
	n.log.Debug("released", "request", ref, "blocks", st.BlocksFreed, "bytes", st.BytesFreed)
	return st, nil
}

// Unpin drops all that owner holds of root through requests with a Seq below
// beforeSeq, pins in progress included (their Pin returns ErrReleased). Content
// that any other request refers to stays. A request that is older and has not
// begun holds nothing later either. Refs counts the requests let go.
func (n *Node) Unpin(ctx context.Context, owner string, root cid.Cid, beforeSeq uint64) (UnpinStat, error) {
	if err := n.begin(); err != nil {
		return UnpinStat{}, err
	}
	defer n.end()
	if !root.Defined() {
		return UnpinStat{}, errors.New("unpin: root is undefined")
	}
	// Before anything is looked for: a Pin that starts meanwhile reads this after
	// it can be found.
	if err := n.store.forbid(owner, root.Hash(), beforeSeq); err != nil {
		return UnpinStat{}, fmt.Errorf("unpinning %s: %w", root, err)
	}
	refs := n.claims.find(owner, string(root.Hash()), beforeSeq)
	prefix := keyOwners(owner, root.Hash())
	err := n.store.scan(prefix, func(k, _ []byte) error {
		refs = append(refs, string(k[len(prefix):]))
		return nil
	})
	if err != nil {
		return UnpinStat{}, fmt.Errorf("unpinning %s: %w", root, err)
	}
	var total UnpinStat
	seen := make(map[string]bool, len(refs))
	for _, ref := range refs {
		if seen[ref] {
			continue
		}
		seen[ref] = true
		rec, err := n.store.pin(ref)
		if err != nil {
			return total, fmt.Errorf("unpinning %s: %w", root, err)
		}
		if rec != nil && rec.Seq >= beforeSeq {
			continue
		}
		st, err := n.release(ctx, ref)
		total.add(st)
		if err != nil {
			return total, fmt.Errorf("unpinning %s: %w", root, err)
		}
	}
	return total, nil
}

// manifest reads up to max block hashes of a pin that come after `after`.
func (s *store) manifest(num pinNum, after mh.Multihash, max int) ([]mh.Multihash, error) {
	o := prefixRange(keyManifests(num))
	if after != nil {
		o.LowerBound = append(keyManifest(num, after), 0)
	}
	var hs []mh.Multihash
	err := scanFrom(s.db, o, func(k, _ []byte) error {
		hs = append(hs, append(mh.Multihash(nil), k[9:]...))
		if len(hs) == max {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return hs, err
}

var errStop = errors.New("stop")

// drop lets go of everything a pin holds, then of the pin. It may be called
// again on the same record until it returns nil.
func (s *store) drop(ctx context.Context, rec *pinRecord) (UnpinStat, error) {
	var total UnpinStat
	hs, err := s.manifest(rec.Num, nil, dropChunk)
	if err != nil {
		return total, err
	}
	if len(hs) == dropChunk && rec.State != StateDropping {
		rec.State = StateDropping
		b := s.db.NewBatch()
		defer b.Close()
		if err := setPin(b, rec); err != nil {
			return total, err
		}
		if err := s.commit(b, totals{}, true); err != nil {
			return total, err
		}
	}
	for {
		if err := ctx.Err(); err != nil {
			return total, context.Cause(ctx)
		}
		last := len(hs) < dropChunk
		st, err := s.dropBlocks(ctx, rec, hs, last)
		total.add(st)
		if err != nil {
			return total, err
		}
		if last {
			total.Refs = 1
			return total, nil
		}
		if hs, err = s.manifest(rec.Num, hs[len(hs)-1], dropChunk); err != nil {
			return total, err
		}
	}
}

// dropBlocks drops the pin's references to hs and deletes the blocks that this
// leaves without any; with last, the pin record too.
func (s *store) dropBlocks(ctx context.Context, rec *pinRecord, hs []mh.Multihash, last bool) (UnpinStat, error) {
	defer s.locks.lock(hs)()
	ctx = context.WithoutCancel(ctx) // from here on it is done whole
	var st UnpinStat
	var files []mh.Multihash
	b := s.db.NewBatch()
	defer b.Close()
	for _, h := range hs {
		b.Delete(keyRef(h, rec.Num), nil)
		b.Delete(keyManifest(rec.Num, h), nil)
		shared, err := s.sharedRef(h, rec.Num)
		if err != nil {
			return UnpinStat{}, err
		}
		if shared {
			continue
		}
		v, err := s.get(keyBlock(h))
		if err != nil {
			return UnpinStat{}, err
		}
		if v == nil {
			continue
		}
		size, err := blockSize(v)
		if err != nil {
			return UnpinStat{}, err
		}
		if v[0] == onFile {
			files = append(files, h)
		}
		b.Delete(keyBlock(h), nil)
		st.BlocksFreed++
		st.BytesFreed += size
	}
	d := totals{Blocks: -int64(st.BlocksFreed), Bytes: -int64(st.BytesFreed)}
	if last {
		d.Pins = -1
		b.Delete(keyPin(rec.Ref), nil)
		if root, err := rec.root(); err == nil && root.Defined() {
			b.Delete(keyOwner(rec.Owner, root.Hash(), rec.Ref), nil)
		}
	}
	var intent []byte
	if len(files) > 0 {
		intent = keyIntent(s.intents.Add(1))
		b.Set(intent, encodeHashes(files), nil)
	}
	if err := s.commit(b, d, last || len(files) > 0); err != nil {
		return UnpinStat{}, err
	}
	for _, h := range files {
		if err := s.files.Delete(ctx, fileKey(h)); err != nil {
			// The intent stays: the next start tries again.
			return st, fmt.Errorf("deleting block file: %w", err)
		}
	}
	if intent != nil {
		if err := s.at("unlinked"); err != nil {
			return st, err
		}
		if err := s.db.Delete(intent, pebble.NoSync); err != nil {
			return st, fmt.Errorf("clearing an intent: %w", err)
		}
	}
	return st, nil
}

// sharedRef tells whether any pin but this one refers to the block.
func (s *store) sharedRef(h mh.Multihash, but pinNum) (bool, error) {
	found := false
	err := s.scan(keyRefs(h), func(k, _ []byte) error {
		_, num, err := splitRef(k)
		if err != nil {
			return err
		}
		if num != but {
			found = true
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return found, err
}

// finishDrops completes the drops that a crash cut short.
func (s *store) finishDrops(ctx context.Context, recs []*pinRecord) error {
	for _, rec := range recs {
		if rec.State != StateDropping {
			continue
		}
		st, err := s.drop(ctx, rec)
		if err != nil {
			return fmt.Errorf("finishing the release of %s: %w", rec.Ref, err)
		}
		s.log.Info("finished a release that was cut short", "request", rec.Ref, "blocks", st.BlocksFreed, "bytes", st.BytesFreed)
	}
	return nil
}

// forbid records that owner's requests for root with a seq below before hold
// nothing any more, also those that have not begun.
func (s *store) forbid(owner string, root mh.Multihash, before uint64) error {
	s.unpinMu.Lock()
	defer s.unpinMu.Unlock()
	have, err := s.forbidden(owner, root)
	if err != nil || have >= before {
		return err
	}
	if err := s.db.Set(keyUnpin(owner, root), binary.BigEndian.AppendUint64(nil, before), pebble.Sync); err != nil {
		return fmt.Errorf("recording an unpin: %w", err)
	}
	return nil
}

// forbidden is the seq below which owner's requests for root hold nothing.
func (s *store) forbidden(owner string, root mh.Multihash) (uint64, error) {
	v, err := s.get(keyUnpin(owner, root))
	if err != nil || v == nil {
		return 0, err
	}
	if len(v) != 8 {
		return 0, fmt.Errorf("the record of an unpin has %d bytes", len(v))
	}
	return binary.BigEndian.Uint64(v), nil
}
