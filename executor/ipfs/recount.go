package ipfs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/ipfs/boxo/datastore/dshelp"
	"github.com/ipfs/go-datastore"
	"github.com/ipfs/go-datastore/query"
	mh "github.com/multiformats/go-multihash"
)

// recountSamples is how many findings of each kind are spelled out.
const recountSamples = 10

// Recount is the store judged from scratch. All counts but the first three are
// findings, and zero in a sound store.
type Recount struct {
	Pins, Blocks, Bytes uint64 // as found by counting

	MissingRefs  uint64 // a pinned DAG has a block that its pin does not refer to
	StrayRefs    uint64 // a reference to a block outside its pin's DAG, or of no pin
	HalfRefs     uint64 // reference without manifest entry, or the reverse
	OrphanBlocks uint64 // held, and nobody refers to it
	LostBlocks   uint64 // referred to, and not held or its file is gone
	StrayFiles   uint64 // block file without a block record
	WrongTotals  bool   // the running totals differ from the count
	Samples      []string
}

// Clean tells whether nothing was found.
func (r Recount) Clean() bool {
	return r.MissingRefs+r.StrayRefs+r.HalfRefs+r.OrphanBlocks+r.LostBlocks+r.StrayFiles == 0 && !r.WrongTotals
}

// Err is nil for a sound store, else the findings in words.
func (r Recount) Err() error {
	if r.Clean() {
		return nil
	}
	return fmt.Errorf("references differ from a recount: %d missing, %d stray, %d half references; %d orphan, %d lost blocks; %d stray files; totals wrong: %t; for example %q",
		r.MissingRefs, r.StrayRefs, r.HalfRefs, r.OrphanBlocks, r.LostBlocks, r.StrayFiles, r.WrongTotals, r.Samples)
}

func (r *Recount) find(n *uint64, format string, a ...any) {
	*n++
	if *n <= recountSamples {
		r.Samples = append(r.Samples, fmt.Sprintf(format, a...))
	}
}

// Recount recomputes every reference by walking the held roots, and compares. It
// reads the whole store from one snapshot; pins and releases wait meanwhile only
// for blocks whose file is being judged. Use it to verify, not to serve.
func (n *Node) Recount(ctx context.Context) (Recount, error) {
	if err := n.begin(); err != nil {
		return Recount{}, err
	}
	defer n.end()
	r, err := n.store.recount(ctx, n.cfg.Limits)
	if err != nil {
		return r, fmt.Errorf("recounting references: %w", err)
	}
	return r, nil
}

func (s *store) recount(ctx context.Context, lim Limits) (Recount, error) {
	var r Recount
	snap := s.db.NewSnapshot()
	defer snap.Close()
	pins := make(map[pinNum]string)
	err := scanFrom(snap, prefixRange([]byte{spacePin}), func(_, v []byte) error {
		rec, err := decodePin(v)
		if err != nil {
			return err
		}
		r.Pins++
		pins[rec.Num] = rec.Ref
		return r.recountPin(ctx, s, snap, rec, lim)
	})
	if err != nil {
		return r, err
	}
	if err := r.recountRefs(ctx, snap, pins); err != nil {
		return r, err
	}
	if err := r.recountBlocks(ctx, s, snap); err != nil {
		return r, err
	}
	if err := r.recountFiles(ctx, s); err != nil {
		return r, err
	}
	v, c, err := snap.Get(keyTotals)
	var t totals
	if err == nil {
		t, err = decodeTotals(v)
		c.Close()
	} else if errors.Is(err, pebble.ErrNotFound) {
		err = nil
	}
	r.WrongTotals = t != totals{int64(r.Blocks), int64(r.Bytes), int64(r.Pins)}
	return r, err
}

// recountPin walks a pinned DAG and compares it with the pin's manifest.
func (r *Recount) recountPin(ctx context.Context, s *store, snap *pebble.Snapshot, rec *pinRecord, lim Limits) error {
	if rec.State != StatePinned {
		return nil // its manifest is whatever came so far
	}
	root, err := rec.root()
	if err != nil {
		return err
	}
	// The caps may have been lowered since; what is pinned is pinned.
	lim = Limits{MaxDepth: 1 << 20, MaxLinks: 1 << 30, MaxBlockSize: lim.MaxBlockSize}.withDefaults()
	lim.MaxBytes, lim.MaxLogicalBytes, lim.MaxBlocks = 1<<63, ^uint64(0), 1<<40
	lim.MaxBlockSize = 1 << 30
	w := newWalk(s, lim, root)
	if err := w.run(ctx); err != nil {
		var missing *missingError
		if !errors.As(err, &missing) {
			return fmt.Errorf("walking %s: %w", root, err)
		}
		if now, err := s.pin(rec.Ref); err == nil && (now == nil || now.State != StatePinned) {
			return nil // released while we looked
		}
		r.find(&r.LostBlocks, "pin %s: %v", rec.Ref, missing)
		return nil
	}
	have := uint64(0)
	err = scanFrom(snap, prefixRange(keyManifests(rec.Num)), func(k, _ []byte) error {
		if h := mh.Multihash(k[9:]); w.holds(h) {
			have++
		} else {
			r.find(&r.StrayRefs, "pin %s refers to %s outside its DAG", rec.Ref, h.B58String())
		}
		return nil
	})
	if err != nil {
		return err
	}
	if have < w.blocks {
		r.MissingRefs += w.blocks - have - 1
		r.find(&r.MissingRefs, "pin %s refers to %d of the %d blocks of %s", rec.Ref, have, w.blocks, root)
	}
	return nil
}

// recountRefs compares references, manifests and blocks with each other.
func (r *Recount) recountRefs(ctx context.Context, snap *pebble.Snapshot, pins map[pinNum]string) error {
	has := func(k []byte) (bool, error) {
		_, c, err := snap.Get(k)
		if errors.Is(err, pebble.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return true, c.Close()
	}
	err := scanFrom(snap, prefixRange([]byte{spaceRef}), func(k, _ []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, num, err := splitRef(k)
		if err != nil {
			return err
		}
		if _, ok := pins[num]; !ok {
			r.find(&r.StrayRefs, "%s is referred to by pin number %d, which does not exist", h.B58String(), num)
		}
		if ok, err := has(keyManifest(num, h)); err != nil {
			return err
		} else if !ok {
			r.find(&r.HalfRefs, "%s is not in the manifest of pin %s", h.B58String(), pins[num])
		}
		if ok, err := has(keyBlock(h)); err != nil {
			return err
		} else if !ok {
			r.find(&r.LostBlocks, "%s is referred to by pin %s and not held", h.B58String(), pins[num])
		}
		return nil
	})
	if err != nil {
		return err
	}
	return scanFrom(snap, prefixRange([]byte{spaceManifest}), func(k, _ []byte) error {
		num, h := pinNum(binary.BigEndian.Uint64(k[1:9])), mh.Multihash(k[9:])
		ok, err := has(keyRef(h, num))
		if err == nil && !ok {
			r.find(&r.HalfRefs, "%s is in the manifest of pin %s without a reference", h.B58String(), pins[num])
		}
		return err
	})
}

// recountBlocks counts blocks, and looks for those without references or files.
func (r *Recount) recountBlocks(ctx context.Context, s *store, snap *pebble.Snapshot) error {
	return scanFrom(snap, prefixRange([]byte{spaceBlock}), func(k, v []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := append(mh.Multihash(nil), k[1:]...)
		size, err := blockSize(v)
		if err != nil {
			return fmt.Errorf("%s: %w", h.B58String(), err)
		}
		r.Blocks++
		r.Bytes += size
		refs := 0
		err = scanFrom(snap, prefixRange(keyRefs(h)), func([]byte, []byte) error {
			refs++
			return errStop
		})
		if err != nil && !errors.Is(err, errStop) {
			return err
		}
		if refs == 0 {
			r.find(&r.OrphanBlocks, "%s is held for nobody", h.B58String())
		}
		if v[0] != onFile {
			return nil
		}
		defer s.locks.lock([]mh.Multihash{h})()
		held, err := s.has(h)
		if err != nil || !held {
			return err // let go since the snapshot
		}
		n, err := s.files.GetSize(ctx, fileKey(h))
		if errors.Is(err, datastore.ErrNotFound) || err == nil && uint64(n) != size {
			r.find(&r.LostBlocks, "%s: its file is gone or not of %d bytes", h.B58String(), size)
			return nil
		}
		return err
	})
}

// recountFiles looks for block files that no record knows.
func (r *Recount) recountFiles(ctx context.Context, s *store) error {
	res, err := s.files.Query(ctx, query.Query{KeysOnly: true})
	if err != nil {
		return err
	}
	defer res.Close()
	for e := range res.Next() {
		if e.Error != nil {
			return e.Error
		}
		h, err := dshelp.DsKeyToMultihash(datastore.RawKey(e.Key))
		if err != nil {
			r.find(&r.StrayFiles, "%s is not the name of a block", e.Key)
			continue
		}
		if err := r.recountFile(s, h); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (r *Recount) recountFile(s *store, h mh.Multihash) error {
	defer s.locks.lock([]mh.Multihash{h})()
	v, err := s.get(keyBlock(h))
	if err != nil {
		return err
	}
	if v != nil && v[0] == onFile {
		return nil
	}
	if ok, err := s.files.Has(context.Background(), fileKey(h)); err != nil || !ok {
		return err // deleted since it was listed
	}
	r.find(&r.StrayFiles, "%s has a file and no record", h.B58String())
	return nil
}
