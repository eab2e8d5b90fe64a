// Package store is the durable ledger: what was seen on chain, the work that
// follows from it, the answers, and the transactions that carry them. It is the
// only truth of the daemon; queues, caches and nodes can be rebuilt from it.
//
// It is not a cache, knows no contract, no network and no clock but the one it
// is given, and holds no database transaction while anything else happens: a
// change of several rows is one method.
//
// Map:
//
//	store.go      Open, the connections, the transaction runner
//	dialect.go    all that only SQLite understands
//	statement.go  SQLite's statements, prepared once
//	insert.go     inserting many rows into SQLite
//	checkpoint.go what was committed goes from SQLite's log into its file
//	postgres.go   all that only Postgres understands
//	migrate.go    the embedded schema (migrations/) and its version
//	chain.go      cursor, blocks, logs, requests, audit, meta
//	commit.go     CommitBatch: roll back, add, advance
//	rollback.go   its first part: retraction
//	add.go        its second part: blocks, logs, requests, closings
//	addjob.go     its second part: jobs
//	advance.go    its third part: what became soft or final
//	accept.go     taking back what was final, when a person says so
//	contract.go   contracts that were added at run time
//	job.go        inserting, listing, retrying, dropping jobs
//	lease.go      who leads what, writing only while leading, leases of a daemon that ended
//	node.go       the content nodes of the daemons that share the ledger
//	claim.go      claiming, and every write under a job's fence
//	undo.go       compensating jobs
//	report.go     answers, batches, signatures
//	tx.go         senders and intents
//	purpose.go    what the sender asks before it sends: purpose, spending
//	attempt.go    every write under a sender's fence: nonces, signed bytes, blocks
//	backup.go     the whole ledger into a file; restore.go puts such a file in place
//	item.go       CARs of prepared DAGs, and the buckets they go into
//	bucket.go     buckets on their way to a piece, files, tokens
//	offer.go      deals that are proposed to storage providers, and their steps
//	repair.go     pieces that are fetched back from who stores them
//	sample.go     ranges of pieces that were asked of them
//	query.go      mapping between rows and types
//	storetest/    the conformance suite that every driver passes
//
// Invariants: they are in the schema: CHECKs tie columns to states, partial
// UNIQUE indexes bound what may be undecided at once, triggers hold the edges of
// the state machines (docs/state-machines.md). A write under a stale fence
// changes nothing and returns job.ErrFenced.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Config says where the ledger is.
type Config struct {
	// Path is a file, made when absent; ":memory:" for a ledger that dies with the
	// Store; or postgres://… for a database that several daemons may share.
	Path   string
	NodeID string           // the node whose jobs Claim offers when the ClaimRequest names none
	Now    func() time.Time // clock of writes that are not given a time; nil for time.Now
	// Before is called before each statement that is run, and with AfterCommit when
	// a transaction is on disk; nil for never. Tests stop the process there.
	Before func(statement string)
}

// AfterCommit is what Config.Before is called with after a COMMIT.
const AfterCommit = "after COMMIT"

// Store is an open ledger. Its methods may be called from many goroutines.
type Store struct {
	*core
	lead *lead // under whose lease it writes; nil for no one's
}

type core struct {
	cfg      Config
	now      func() time.Time
	turn     chan struct{} // one token: who holds it may write
	closed   atomic.Bool
	sharing  sync.RWMutex // read-locked by each shared write
	postgres bool
	writer   *writer
	read     *sql.DB // nil for a ledger in memory, which has one connection
	dbs      []*sql.DB
	wrap     func(conn) conn // nil but in tests, which look at the statements

	checkpoint checkpoint
}

// writer is one connection that writes; the token in Store.turn guards it.
type writer struct {
	db   *sql.DB
	conn *sql.Conn // nil on Postgres, whose connections may break: one for each turn
	kept *keeper   // nil on Postgres, and where the driver has another form
	mode syncMode  // of conn: "" on Postgres, which is durable at COMMIT
}

// take gives the connection for one transaction, which is as durable as mode says.
func (w *writer) take(ctx context.Context, mode syncMode) (c *sql.Conn, done func(), err error) {
	if w.conn != nil {
		if w.mode != mode {
			if _, err := w.conn.ExecContext(ctx, "PRAGMA synchronous = "+string(mode)); err != nil {
				return nil, nil, err
			}
			w.mode = mode
		}
		return w.conn, func() {}, nil
	}
	if c, err = w.db.Conn(ctx); err != nil {
		return nil, nil, err
	}
	return c, func() { _ = c.Close() }, nil // back to the pool; what failed was told before
}

// conn is what a statement needs; a write transaction or a read transaction.
type conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Open opens the ledger, makes it when absent, and brings its schema up to
// date. It returns ErrNewerSchema for a ledger that a newer binary wrote,
// ErrUnwritable or ErrCorrupt for a file it cannot use. Two daemons on one
// ledger are kept apart by the daemon's directory lock, not here.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Path == "" {
		return nil, errors.New("opening the ledger: no path given")
	}
	s := &Store{core: &core{cfg: cfg, now: cfg.Now, turn: make(chan struct{}, 1), postgres: isPostgres(cfg.Path)}}
	if s.now == nil {
		s.now = time.Now
	}
	s.turn <- struct{}{}
	if err := s.connect(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the ledger %s: %w", s.name(), explain(err)), s.Close())
	}
	return s, nil
}

// name is the ledger's path without credentials.
func (s *Store) name() string {
	if s.postgres {
		return "in Postgres"
	}
	return s.cfg.Path
}

func (s *Store) connectPostgres(ctx context.Context) error {
	db, err := openPostgres(s.cfg.Path, false, 8)
	if err != nil {
		return err
	}
	s.dbs = append(s.dbs, db)
	if err := migrate(ctx, db, true); err != nil {
		return err
	}
	s.writer = &writer{db: db}
	if s.read, err = openPostgres(s.cfg.Path, true, max(4, runtime.GOMAXPROCS(0))); err != nil {
		return err
	}
	s.dbs = append(s.dbs, s.read)
	return nil
}

func (s *Store) connect(ctx context.Context) error {
	if s.postgres {
		return s.connectPostgres(ctx)
	}
	if err := refuseHalf(s.cfg.Path); err != nil {
		return err
	}
	db := s.open(syncNormal, false, 1)
	err := migrate(ctx, db, false)
	if err != nil {
		return err
	}
	if s.writer, err = newWriter(ctx, db); err != nil || isMemory(s.cfg.Path) {
		return err
	}
	s.read = s.open(syncNormal, true, max(4, runtime.GOMAXPROCS(0)))
	return s.checkpointBeside(ctx)
}

func (s *Store) open(mode syncMode, readOnly bool, conns int) *sql.DB {
	db := open(s.cfg.Path, mode, readOnly, conns)
	s.dbs = append(s.dbs, db)
	return db
}

func newWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &writer{db: db, conn: c, kept: keeperOf(c), mode: syncNormal}, nil
}

// Close waits for the write under way and closes the ledger; later calls of any
// method fail. Closing twice is harmless.
func (s *Store) Close() error {
	if _, open := <-s.turn; !open {
		return nil
	}
	s.sharing.Lock()
	s.closed.Store(true)
	s.sharing.Unlock()
	close(s.turn)
	s.checkpoint.running.Wait()
	var errs []error
	if w := s.writer; w != nil && w.conn != nil {
		errs = append(errs, w.conn.Close())
	}
	for i := len(s.dbs) - 1; i >= 0; i-- {
		errs = append(errs, s.dbs[i].Close())
	}
	return errors.Join(errs...)
}

// ErrClosed is returned by every method of a closed Store.
var ErrClosed = errors.New("the ledger is closed")

// write runs fn in a transaction of chain or job rows.
func (s *Store) write(ctx context.Context, fn func(ctx context.Context, t conn) error) error {
	return s.transact(ctx, syncNormal, beginWrite, fn)
}

// writeBeside runs fn in a transaction that, on Postgres, goes beside others of
// its sort, while writers wait: fn locks the rows that it writes. It may run twice.
func (s *Store) writeBeside(ctx context.Context, fn func(ctx context.Context, t conn) error) error {
	if !s.postgres {
		return s.write(ctx, fn)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.sharing.RLock()
	defer s.sharing.RUnlock()
	if s.closed.Load() {
		return ErrClosed
	}
	for try := 1; ; try++ {
		err := s.run(ctx, syncNormal, beginWrite, besideWriters, fn)
		if try == 3 || !isDeadlock(err) {
			return err
		}
	}
}

// writeFull runs fn in a transaction that is on disk when writeFull returns.
func (s *Store) writeFull(ctx context.Context, fn func(ctx context.Context, t conn) error) error {
	return s.transact(ctx, syncFull, beginWrite, fn)
}

// view runs fn in a read transaction: all its reads see one moment.
func (s *Store) view(ctx context.Context, fn func(ctx context.Context, t conn) error) error {
	if s.read == nil {
		return s.transact(ctx, syncNormal, "BEGIN", fn)
	}
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil && s.closed.Load() {
		return ErrClosed
	}
	if err != nil {
		return explain(err)
	}
	err = fn(ctx, s.wrapped(tx))
	if end := tx.Rollback(); err == nil && !errors.Is(end, sql.ErrTxDone) {
		err = end
	}
	return explain(err)
}

// transact waits for the writers' token, which ctx bounds; from then on the
// transaction, being short, runs to its end whatever becomes of ctx: a caller
// that got an error, but for ErrInDoubt, knows that nothing was applied.
func (s *Store) transact(ctx context.Context, mode syncMode, begin string, fn func(context.Context, conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case _, open := <-s.turn:
		if !open {
			return ErrClosed
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.turn <- struct{}{} }()
	return s.run(ctx, mode, begin, amongWriters, fn)
}

// run is one transaction from BEGIN to COMMIT; place is the writers' lock that it
// takes on Postgres. Of patience only the wait to hear of a lost COMMIT is bound.
func (s *Store) run(patience context.Context, mode syncMode, begin, place string, fn func(context.Context, conn) error) error {
	ctx := context.WithoutCancel(patience)
	w := s.writer
	c, release, err := w.take(ctx, mode)
	if err != nil {
		return explain(err)
	}
	defer release()
	statement := begin
	if s.postgres {
		statement = "BEGIN"
	}
	s.before(statement)
	if _, err := c.ExecContext(ctx, statement); err != nil {
		return explain(err)
	}
	done := false
	defer func() {
		if !done { // after an error or a panic; SQLite may have rolled back by itself already
			_, _ = c.ExecContext(ctx, "ROLLBACK")
		}
	}()
	var xid string
	if s.postgres {
		if err := c.QueryRowContext(ctx, place).Scan(new(any), &xid); err != nil {
			return explain(err)
		}
	}
	t := conn(c)
	if w.kept != nil {
		t = inserting{c, w.kept}
	}
	t = s.wrapped(t)
	if s.lead != nil && begin != "BEGIN" {
		if err := s.lead.check(ctx, t); err != nil {
			return explain(err)
		}
	}
	if err := fn(ctx, t); err != nil {
		return explain(err)
	}
	s.before("COMMIT")
	_, err = c.ExecContext(ctx, "COMMIT")
	if err != nil && s.postgres {
		err = s.becameOf(patience, xid, err)
	}
	if err != nil {
		return explain(err)
	}
	done = true
	s.wrote()
	s.before(AfterCommit)
	return nil
}

func (s *Store) before(statement string) {
	if s.cfg.Before != nil {
		s.cfg.Before(statement)
	}
}

func (s *Store) wrapped(t conn) conn {
	if s.postgres {
		t = numbered{t}
	}
	if s.cfg.Before != nil {
		t = told{t, s}
	}
	if s.wrap == nil {
		return t
	}
	return s.wrap(t)
}

// told is a connection that says what it is about to do.
type told struct {
	conn
	s *Store
}

func (t told) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	t.s.before(q)
	return t.conn.ExecContext(ctx, q, args...)
}

func (t told) insertRows(ctx context.Context, head string, cols int, vals []any) error {
	in, ok := t.conn.(rowInserter)
	if !ok {
		return insertTogether(ctx, t, head, cols, vals)
	}
	t.s.before(insertMany + head)
	return in.insertRows(ctx, head, cols, vals)
}

func (t told) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	t.s.before(q)
	return t.conn.QueryContext(ctx, q, args...)
}

func (t told) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	t.s.before(q)
	return t.conn.QueryRowContext(ctx, q, args...)
}
