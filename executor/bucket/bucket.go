// Package bucket is the shelf of pieces that this node offers: the CARs of
// prepared DAGs (items), the buckets in which small ones become pieces together,
// what is on disk of them, and the reading of any range of them.
//
// It computes no commitment itself (executor/piece does), fetches nothing (the
// node holds every DAG before it comes here), makes no deals and answers nobody.
//
// Map:
//
//	bucket.go  Config, Deps, Shelf, Run: age, sealing, cleaning
//	make.go    one DAG becomes an item in a bucket
//	seal.go    a full bucket becomes a piece
//	clean.go   what is given back, and the sweep at the start
//	files.go   files of the piece directory
//	pool.go    how much is computed at once, in memory and on disk
//	serve.go   reading pieces and CARs; layouts.go remembers where blocks lie
//	proof.go   that an item is in the piece of its bucket
//	token.go   tokens for fetching a piece
//	verify.go  is this stream that piece?
//	restore.go pieces whose blocks are gone, put back from their bytes
//
// Invariants:
//
//  1. An item is in one bucket, and in one piece: the ledger's column says which,
//     and the manifest is written in the transaction that makes the bucket ready.
//  2. An item's blocks are held under "item:<root>" before its row exists, and let
//     go after the row says that they may be; the sweep mends what a crash leaves
//     between the two.
//  3. A file's row is older than the file, and says that it is complete only after
//     the file was synced and renamed; the sweep removes what no row knows.
//  4. A bad item is taken out of its bucket; it never keeps the bucket from
//     becoming a piece.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
)

// Config is what an operator decides. Zero fields take the defaults given; sizes
// of pieces are padded sizes, powers of two.
type Config struct {
	Dir        string           // of the files; needed
	MaxPiece   uint64           // largest piece; 32 GiB
	MinPiece   uint64           // an item below it goes into a bucket; 1 GiB
	Format     job.BucketFormat // of buckets; FormatPoDSI
	BucketSize uint64           // largest piece that a bucket becomes; 4 GiB, and at least MinPiece
	MaxItems   int              // a bucket with so many is sealed; 1024
	MaxAge     time.Duration    // a bucket of that age is sealed; 24 h
	// Keep is how long a piece stays on offer; zero: until a person cleans it.
	Keep time.Duration
	// KeepFiles keeps the bytes of each piece on disk; otherwise they are made again
	// from blocks when they are asked for.
	KeepFiles   bool
	Workers     int           // computations at once; 2
	MaxMemory   uint64        // bytes for them; 512 MiB
	DiskReserve uint64        // free bytes that no file may touch
	Tick        time.Duration // how often ages are looked at; 1 s
}

// Node is what the shelf needs of the content node.
type Node interface {
	piece.Blocks // of what is held; never from the network
	// Hold refers to a DAG, all of which is here, for ref. It is idempotent.
	Hold(ctx context.Context, ref string, root cid.Cid) error
	// Release drops whatever ref holds; an unknown ref is no error.
	Release(ctx context.Context, ref string) error
	// HasAll walks the DAG and tells whether every block is held.
	HasAll(ctx context.Context, root cid.Cid) (bool, error)
	// Refs lists the refs that begin with prefix.
	Refs(ctx context.Context, prefix string) ([]string, error)
}

// Items is the ledger's side of items.
type Items interface {
	PlaceItem(ctx context.Context, it job.Item, ref, single string, rule job.Placing, now time.Time) (job.Placed, error)
	DropItemRef(ctx context.Context, ref string) ([]job.Item, error)
	MarkItemBad(ctx context.Context, bucket int64, piece, why string, now time.Time) error
	Item(ctx context.Context, id string) (job.Item, error)
	ItemRoots(ctx context.Context) (map[string]string, error)
}

// Buckets reads the ledger's buckets.
type Buckets interface {
	Bucket(ctx context.Context, id int64) (job.Bucket, error)
	BucketOf(ctx context.Context, piece string) (job.Bucket, error)
	Buckets(ctx context.Context, f job.BucketFilter) ([]job.Bucket, error)
	BucketItems(ctx context.Context, bucket int64) ([]job.Item, error)
	BucketSlots(ctx context.Context, id int64) ([]job.Slot, error)
}

// Changes are the moves of the ledger's buckets.
type Changes interface {
	FlushBuckets(ctx context.Context, id int64, before time.Time, why string, now time.Time) ([]int64, error)
	SealBucket(ctx context.Context, id int64, seal job.Seal, now time.Time) error
	CleanBucket(ctx context.Context, id int64, now time.Time) error
	OverdueBuckets(ctx context.Context, before, now time.Time) ([]job.Bucket, error)
}

// Files is the ledger's side of files.
type Files interface {
	AddPieceFile(ctx context.Context, f job.PieceFile, now time.Time) error
	CompletePieceFile(ctx context.Context, f job.PieceFile) error
	DropPieceFile(ctx context.Context, name string) error
	PieceFiles(ctx context.Context, piece string) ([]job.PieceFile, error)
}

// Tokens is the ledger's side of tokens.
type Tokens interface {
	AddPieceToken(ctx context.Context, p job.PieceToken, now time.Time) error
	PieceToken(ctx context.Context, hash string) (job.PieceToken, error)
}

// Ledger is what the shelf needs of the ledger.
type Ledger interface {
	Items
	Buckets
	Changes
	Files
	Tokens
}

// Deps are what a Shelf uses.
type Deps struct {
	Node   Node
	Back   Restorer // nil: nothing is put back
	Ledger Ledger
	Free   func() (uint64, error) // free bytes of the disk; nil: not looked at
	Log    *slog.Logger           // nil: none
	Now    func() time.Time       // nil: time.Now
}

// Shelf holds pieces. Its methods are safe for concurrent use.
type Shelf struct {
	cfg  Config
	d    Deps
	rule job.Placing
	pool *pool
	lay  layouts
	one  keyed // one at a time for each root
	wake chan struct{}

	mu     sync.Mutex
	sealMu sync.Mutex // one bucket is sealed at a time
	failed map[int64]string
}

// ErrNoRoom is returned when the disk reserve is reached.
var ErrNoRoom = errors.New("no room on disk for pieces")

// New checks the configuration, fills its defaults, makes the directory, and
// mends what a crash has left. ctx bounds that.
func New(ctx context.Context, cfg Config, d Deps) (*Shelf, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if d.Node == nil || d.Ledger == nil {
		return nil, errors.New("bucket: a node and a ledger are needed")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("making the piece directory: %w", err)
	}
	s := &Shelf{cfg: cfg, d: d, rule: cfg.placing(), wake: make(chan struct{}, 1), failed: map[int64]string{}}
	s.pool = newPool(cfg, d.Free)
	if err := s.sweep(ctx); err != nil {
		return nil, fmt.Errorf("sweeping pieces: %w", err)
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	size := func(v *uint64, d uint64) {
		if *v == 0 {
			*v = d
		}
	}
	size(&c.MaxPiece, 32<<30)
	size(&c.MinPiece, 1<<30)
	size(&c.BucketSize, max(4<<30, c.MinPiece))
	size(&c.MaxMemory, 512<<20)
	if c.Format == "" {
		c.Format = job.FormatPoDSI
	}
	if c.MaxItems == 0 {
		c.MaxItems = 1024
	}
	if c.MaxAge == 0 {
		c.MaxAge = 24 * time.Hour
	}
	if c.Workers == 0 {
		c.Workers = 2
	}
	if c.Tick == 0 {
		c.Tick = time.Second
	}
	return c
}

// Check reports every problem of the configuration at once, joined.
func (c Config) Check() error {
	c = c.withDefaults()
	var errs []error
	add := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("pieces: "+format, args...))
		}
	}
	add(c.Dir == "", "the directory is empty")
	for name, n := range map[string]uint64{"largest piece": c.MaxPiece, "smallest piece": c.MinPiece, "bucket": c.BucketSize} {
		add(piece.CheckPadded(n) != nil, "the %s has %d bytes, not a power of two from 128 B to 64 GiB", name, n)
	}
	add(c.MinPiece > c.BucketSize || c.BucketSize > c.MaxPiece, "smallest piece ≤ bucket ≤ largest piece does not hold: %d, %d, %d bytes",
		c.MinPiece, c.BucketSize, c.MaxPiece)
	add(c.Format != job.FormatPoDSI && c.Format != job.FormatCAR, "the format of buckets is %q, not %q or %q", c.Format, job.FormatPoDSI, job.FormatCAR)
	add(c.MaxItems < 1 || c.MaxAge < 0 || c.Keep < 0 || c.Tick < 0, "items, ages and times must not be negative")
	add(c.Workers < 1, "at least one worker is needed")
	add(c.MaxMemory < perWork, "%d bytes of memory are less than one computation needs (%d)", c.MaxMemory, uint64(perWork))
	return errors.Join(errs...)
}

// placing is the rule that fits a bucket's piece: what is beside its index.
func (c Config) placing() job.Placing {
	p := job.Placing{MinPadded: c.MinPiece, Format: c.Format, MaxItems: c.MaxItems, MaxBytes: c.BucketSize}
	if c.Format == job.FormatPoDSI {
		entries := uint64(4)
		for entries*64*2048 < c.BucketSize {
			entries *= 2
		}
		p.MaxItems = min(p.MaxItems, int(entries))
		p.MaxBytes = c.BucketSize - entries*64
	}
	p.FullBytes = p.MaxBytes / 8 * 7
	return p
}

// Run flushes buckets by age, seals full ones and cleans old ones until ctx ends.
func (s *Shelf) Run(ctx context.Context) error {
	tick := time.NewTicker(s.cfg.Tick)
	defer tick.Stop()
	for {
		s.tend(ctx)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-s.wake:
		}
	}
}

// tend does what is due. What fails is told once and tried again.
func (s *Shelf) tend(ctx context.Context) {
	now := s.d.Now()
	if _, err := s.d.Ledger.FlushBuckets(ctx, 0, now.Add(-s.cfg.MaxAge), "age", now); err != nil {
		s.tell(ctx, 0, err)
		return
	}
	full, err := s.d.Ledger.Buckets(ctx, job.BucketFilter{State: job.BucketSealing, Limit: 1000})
	if err != nil {
		s.tell(ctx, 0, err)
		return
	}
	for _, b := range full {
		s.tell(ctx, b.ID, s.seal(ctx, b.ID))
	}
	if s.cfg.Keep > 0 {
		s.tell(ctx, 0, s.cleanOld(ctx, now))
	}
}

// tell logs a new error of a bucket, and the end of one.
func (s *Shelf) tell(ctx context.Context, bucket int64, err error) {
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		delete(s.failed, bucket)
	case s.failed[bucket] != err.Error():
		s.failed[bucket] = err.Error()
		s.d.Log.Warn("tending buckets failed; trying again", "bucket", bucket, "error", err)
	}
}

// Flush seals an open bucket now, or all of them with id 0, and tells which.
func (s *Shelf) Flush(ctx context.Context, id int64) ([]int64, error) {
	now := s.d.Now()
	anyAge := now.AddDate(100, 0, 0) // also where the clock was set back
	sealed, err := s.d.Ledger.FlushBuckets(ctx, id, anyAge, "demand", now)
	if err == nil && len(sealed) > 0 {
		s.nudge()
	}
	return sealed, err
}

// nudge makes Run look at once.
func (s *Shelf) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// keyed is one lock a key, made when wanted and dropped with its last user.
type keyed struct {
	mu   sync.Mutex
	held map[string]*keyLock
}

type keyLock struct {
	turn  chan struct{}
	users int
}

// lock waits for the key's lock and gives the unlock, or ctx's cause.
func (k *keyed) lock(ctx context.Context, key string) (func(), error) {
	k.mu.Lock()
	if k.held == nil {
		k.held = map[string]*keyLock{}
	}
	l := k.held[key]
	if l == nil {
		l = &keyLock{turn: make(chan struct{}, 1)}
		k.held[key] = l
	}
	l.users++
	k.mu.Unlock()
	leave := func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(k.held, key)
		}
	}
	select {
	case l.turn <- struct{}{}:
		return func() { <-l.turn; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, context.Cause(ctx)
	}
}
