package ipfs

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	dshelp "github.com/ipfs/boxo/datastore/dshelp"
	"github.com/ipfs/go-cid"
	"github.com/ipfs/go-datastore"
	flatfs "github.com/ipfs/go-ds-flatfs"
	mh "github.com/multiformats/go-multihash"
)

const (
	inline byte = 0
	onFile byte = 1

	// pinNumStep is how many pin numbers one synced write reserves.
	pinNumStep = 1 << 16
)

// errNotHeld says that a block is not in the store.
var errNotHeld = errors.New("block not held")

// store is the node's durable state: blocks, references, pin records.
type store struct {
	dir   string
	log   *slog.Logger
	db    *pebble.DB
	files *flatfs.Datastore
	disk  *fsSync // nil: files syncs by itself
	locks blockLocks

	intents atomic.Uint64 // last intent number used

	numMu             sync.Mutex
	nextNum, numLimit pinNum

	unpinMu sync.Mutex // guards the reading and writing of one unpin record

	totMu sync.Mutex
	tot   totals

	// crash, in tests, is called between the steps of a write and may end it
	// there, as a power cut would.
	crash func(step string) error
}

// item is one block to be referenced: with data if it may be new, without if it
// was seen in the store.
type item struct {
	c    cid.Cid
	data []byte
	size uint64
}

// openStore opens blocks/ and meta/ under dir and finishes what a crash left.
func openStore(dir string, log *slog.Logger) (*store, error) {
	s := &store{dir: dir, log: log}
	shard, err := flatfs.ParseShardFunc("/repo/flatfs/shard/v1/next-to-last/2")
	if err != nil {
		return nil, fmt.Errorf("flatfs layout: %w", err)
	}
	if s.disk, err = openSync(dir); err != nil {
		return nil, err
	}
	if s.files, err = flatfs.CreateOrOpen(filepath.Join(dir, "blocks"), shard, s.disk == nil); err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", filepath.Join(dir, "blocks"), err), s.closeDisk())
	}
	cache := pebble.NewCache(64 << 20)
	defer cache.Unref()
	opts := &pebble.Options{
		Cache:        cache,
		MemTableSize: 16 << 20,
		Merger:       sumMerger,
		Logger:       pebbleLog{log},
	}
	opts.EnsureDefaults()
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	if s.db, err = pebble.Open(filepath.Join(dir, "meta"), opts); err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", filepath.Join(dir, "meta"), err), s.files.Close(), s.closeDisk())
	}
	if err := s.recover(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *store) close() error {
	return errors.Join(s.db.Close(), s.files.Close(), s.closeDisk())
}

func (s *store) closeDisk() error {
	if s.disk == nil {
		return nil
	}
	return s.disk.close()
}

// recover loads the counters and clears the files of intents left over.
func (s *store) recover() error {
	v, err := s.get(keyTotals)
	if err != nil {
		return err
	}
	if v != nil {
		if s.tot, err = decodeTotals(v); err != nil {
			return err
		}
	}
	if v, err = s.get(keyPinNum); err != nil {
		return err
	}
	if len(v) == 8 {
		s.nextNum = pinNum(binary.BigEndian.Uint64(v))
		s.numLimit = s.nextNum
	}
	var left [][]byte
	err = s.scan([]byte{spaceIntent}, func(k, v []byte) error {
		s.intents.Store(binary.BigEndian.Uint64(k[1:]))
		hs, err := decodeHashes(v)
		if err != nil {
			return err
		}
		for _, h := range hs {
			held, err := s.has(h)
			if err != nil {
				return err
			}
			if held {
				continue
			}
			if err := s.files.Delete(context.Background(), fileKey(h)); err != nil {
				return fmt.Errorf("deleting stray block file: %w", err)
			}
		}
		left = append(left, append([]byte(nil), k...))
		return nil
	})
	if err != nil {
		return fmt.Errorf("clearing unfinished block writes: %w", err)
	}
	for _, k := range left {
		if err := s.db.Delete(k, pebble.Sync); err != nil {
			return fmt.Errorf("clearing an intent: %w", err)
		}
	}
	return nil
}

// newNum gives a pin number that was never given before.
func (s *store) newNum() (pinNum, error) {
	s.numMu.Lock()
	defer s.numMu.Unlock()
	if s.nextNum >= s.numLimit {
		limit := s.nextNum + pinNumStep
		if err := s.db.Set(keyPinNum, binary.BigEndian.AppendUint64(nil, uint64(limit)), pebble.Sync); err != nil {
			return 0, fmt.Errorf("reserving pin numbers: %w", err)
		}
		s.numLimit = limit
	}
	s.nextNum++
	return s.nextNum - 1, nil
}

// get reads a copy of a value, nil if there is none.
func (s *store) get(k []byte) ([]byte, error) {
	v, c, err := s.db.Get(k)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading metadata: %w", err)
	}
	defer c.Close()
	return append(make([]byte, 0, len(v)), v...), nil
}

// scan calls f with each key and value under prefix; both are valid only during
// the call.
func (s *store) scan(prefix []byte, f func(k, v []byte) error) error {
	return scanFrom(s.db, prefixRange(prefix), f)
}

func scanFrom(r pebble.Reader, o *pebble.IterOptions, f func(k, v []byte) error) (err error) {
	it, err := r.NewIter(o)
	if err != nil {
		return fmt.Errorf("reading metadata: %w", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return fmt.Errorf("reading metadata: %w", err)
		}
		if err := f(it.Key(), v); err != nil {
			return err
		}
	}
	return it.Error()
}

// exists tells whether a metadata key is there.
func (s *store) exists(k []byte) (bool, error) {
	_, c, err := s.db.Get(k)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading metadata: %w", err)
	}
	return true, c.Close()
}

func (s *store) has(h mh.Multihash) (bool, error) { return s.exists(keyBlock(h)) }

// size is the length of a held block, errNotHeld if it is not held.
func (s *store) size(h mh.Multihash) (uint64, error) {
	v, c, err := s.db.Get(keyBlock(h))
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, errNotHeld
	}
	if err != nil {
		return 0, fmt.Errorf("reading metadata: %w", err)
	}
	defer c.Close()
	return blockSize(v)
}

func blockSize(v []byte) (uint64, error) {
	if len(v) > 0 && v[0] == inline {
		return uint64(len(v) - 1), nil
	}
	if len(v) > 1 && v[0] == onFile {
		if n, w := binary.Uvarint(v[1:]); w > 0 {
			return n, nil
		}
	}
	return 0, fmt.Errorf("malformed block record of %d bytes", len(v))
}

// data is the content of a held block, errNotHeld if it is not held.
func (s *store) data(ctx context.Context, h mh.Multihash) ([]byte, error) {
	v, c, err := s.db.Get(keyBlock(h))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, errNotHeld
	}
	if err != nil {
		return nil, fmt.Errorf("reading metadata: %w", err)
	}
	if _, err := blockSize(v); err != nil {
		c.Close()
		return nil, err
	}
	if v[0] == inline {
		d := append(make([]byte, 0, len(v)-1), v[1:]...)
		return d, c.Close()
	}
	c.Close()
	d, err := s.files.Get(ctx, fileKey(h))
	if errors.Is(err, datastore.ErrNotFound) {
		return nil, errNotHeld
	}
	if err != nil {
		return nil, fmt.Errorf("reading block file: %w", err)
	}
	return d, nil
}

func fileKey(h mh.Multihash) datastore.Key { return dshelp.MultihashToDsKey(h) }

// newItem is an item with data; an empty block has data too.
func newItem(c cid.Cid, data []byte) item {
	if data == nil {
		data = []byte{}
	}
	return item{c, data, uint64(len(data))}
}

// added is what one add did.
type added struct {
	blocks, bytes uint64 // new to the store
	lost          []item // came without data and are not held any more
}

// add references items for the pin and stores those that are new. rec is written
// with the first items (fresh) and again, synced, in the batch that ends the pin
// (final). If anything was lost, final is left for the caller's next call.
func (s *store) add(ctx context.Context, rec *pinRecord, items []item, fresh, final bool) (added, error) {
	hs := make([]mh.Multihash, len(items))
	for i := range items {
		hs[i] = items[i].c.Hash()
	}
	defer s.locks.lock(hs)()

	var out added
	var delta totals
	b := s.db.NewBatch()
	defer b.Close()
	var files []item
	for _, it := range items {
		h := it.c.Hash()
		k := keyBlock(h)
		held, err := s.exists(k)
		if err != nil {
			return added{}, err
		}
		if !held {
			if it.data == nil {
				out.lost = append(out.lost, it)
				continue
			}
			out.blocks++
			out.bytes += it.size
			if len(it.data) <= InlineMax {
				op := b.SetDeferred(len(k), 1+len(it.data))
				copy(op.Key, k)
				op.Value[0] = inline
				copy(op.Value[1:], it.data)
				if err := op.Finish(); err != nil {
					return added{}, fmt.Errorf("writing block: %w", err)
				}
			} else {
				files = append(files, it)
				b.Set(k, binary.AppendUvarint([]byte{onFile}, it.size), nil)
			}
		}
		b.Set(keyRef(h, rec.Num), nil, nil)
		b.Set(keyManifest(rec.Num, h), binary.AppendUvarint(nil, it.size), nil)
	}
	final = final && len(out.lost) == 0
	delta.Blocks, delta.Bytes = int64(out.blocks), int64(out.bytes)
	if fresh {
		delta.Pins = 1
		if root, err := rec.root(); err == nil && root.Defined() {
			b.Set(keyOwner(rec.Owner, root.Hash(), rec.Ref), nil, nil)
		}
	}
	if fresh || final {
		w := *rec
		w.State = StatePinning
		if final {
			w.State = StatePinned
		}
		if err := setPin(b, &w); err != nil {
			return added{}, err
		}
	}
	if err := s.writeFiles(ctx, b, files); err != nil {
		return added{}, err
	}
	if err := s.commit(b, delta, final); err != nil {
		return added{}, err
	}
	if final {
		rec.State = StatePinned
	}
	return out, nil
}

func setPin(b *pebble.Batch, rec *pinRecord) error {
	v, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("encoding pin record: %w", err)
	}
	return b.Set(keyPin(rec.Ref), v, nil)
}

// writeFiles makes large blocks durable under an intent that b then deletes.
func (s *store) writeFiles(ctx context.Context, b *pebble.Batch, files []item) error {
	if len(files) == 0 {
		return nil
	}
	hs := make([]mh.Multihash, len(files))
	for i := range files {
		hs[i] = files[i].c.Hash()
	}
	intent := keyIntent(s.intents.Add(1))
	if err := s.db.Set(intent, encodeHashes(hs), pebble.Sync); err != nil {
		return fmt.Errorf("writing intent: %w", err)
	}
	if err := s.at("intent"); err != nil {
		return err
	}
	fb, err := s.files.Batch(ctx)
	if err != nil {
		return fmt.Errorf("writing blocks: %w", err)
	}
	for _, f := range files {
		if err := fb.Put(ctx, fileKey(f.c.Hash()), f.data); err != nil {
			return s.abandon(ctx, fb, intent, hs, err)
		}
	}
	if err := fb.Commit(ctx); err != nil {
		return s.abandon(ctx, fb, intent, hs, err)
	}
	if s.disk != nil {
		if err := s.disk.sync(); err != nil {
			return s.abandon(ctx, fb, intent, hs, err)
		}
	}
	if err := s.at("files"); err != nil {
		return err
	}
	return b.Delete(intent, nil)
}

// abandon undoes a failed write of files; what it cannot undo, the intent tells
// to the next start.
func (s *store) abandon(ctx context.Context, fb datastore.Batch, intent []byte, hs []mh.Multihash, cause error) error {
	ctx = context.WithoutCancel(ctx)
	errs := []error{fmt.Errorf("writing blocks: %w", cause)}
	if d, ok := fb.(interface{ Discard(context.Context) error }); ok {
		errs = append(errs, d.Discard(ctx))
	}
	clean := true
	for _, h := range hs {
		if err := s.files.Delete(ctx, fileKey(h)); err != nil && !errors.Is(err, os.ErrNotExist) {
			clean = false
			errs = append(errs, err)
		}
	}
	if clean {
		errs = append(errs, s.db.Delete(intent, pebble.NoSync))
	}
	return errors.Join(errs...)
}

// commit applies a batch with its change of the totals.
func (s *store) commit(b *pebble.Batch, d totals, sync bool) error {
	if d != (totals{}) {
		b.Merge(keyTotals, d.encode(), nil)
	}
	wo := pebble.NoSync
	if sync {
		wo = pebble.Sync
	}
	if err := s.db.Apply(b, wo); err != nil {
		return fmt.Errorf("writing metadata: %w", err)
	}
	s.totMu.Lock()
	s.tot.add(d)
	s.totMu.Unlock()
	return s.at("commit")
}

func (s *store) at(step string) error {
	if s.crash == nil {
		return nil
	}
	return s.crash(step)
}

func (s *store) totals() totals {
	s.totMu.Lock()
	defer s.totMu.Unlock()
	return s.tot
}

// pin reads a pin record, nil if there is none.
func (s *store) pin(ref string) (*pinRecord, error) {
	v, err := s.get(keyPin(ref))
	if err != nil || v == nil {
		return nil, err
	}
	return decodePin(v)
}

// pebbleLog passes pebble's messages on; its routine ones are debug.
type pebbleLog struct{ log *slog.Logger }

func (l pebbleLog) Infof(f string, a ...any)  { l.log.Debug("pebble: " + fmt.Sprintf(f, a...)) }
func (l pebbleLog) Errorf(f string, a ...any) { l.log.Error("pebble: " + fmt.Sprintf(f, a...)) }
func (l pebbleLog) Fatalf(f string, a ...any) {
	l.log.Error("pebble: " + fmt.Sprintf(f, a...))
	panic("pebble: " + fmt.Sprintf(f, a...))
}
