package store

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Everything that only SQLite understands is in this file and in
// migrations/sqlite: the driver, its pragmas, and the meaning of its error codes.
// postgres.go is the same for Postgres. Statements elsewhere use `?` marks,
// RETURNING and ON CONFLICT, which both share.

const (
	beginWrite = "BEGIN IMMEDIATE"
	// busyTimeout is how long a statement waits for another process's lock;
	// writers of this process wait in memory, without polling.
	busyTimeout = 10 * time.Second
	// cacheKiB bounds each connection's page cache: a batch of 10,000 requests
	// fits, so that it is written once, when it commits.
	cacheKiB = 64 << 10
	pageSize = 8 << 10 // of a new file: fewer, larger writes
	// maxVars bounds the parameters of one statement: long enough to spread the cost
	// of preparing it, short enough to prepare quickly.
	maxVars = 400
	// insertMany begins a bulk insert. OR FAIL spares the journal that would undo
	// half a statement: an error undoes the whole transaction anyhow.
	insertMany = "INSERT OR FAIL INTO "
)

type syncMode string

const (
	syncNormal syncMode = "NORMAL" // survives kill -9; a power cut may lose the newest commits
	syncFull   syncMode = "FULL"   // durable when COMMIT returns
)

func isMemory(path string) bool { return path == ":memory:" }

// open gives a pool of at most conns connections to the file at path.
func open(path string, mode syncMode, readOnly bool, conns int) *sql.DB {
	pragmas := []string{
		fmt.Sprintf("busy_timeout = %d", busyTimeout.Milliseconds()),
		"foreign_keys = 1",
		fmt.Sprintf("page_size = %d", pageSize), // a file that has a log keeps the size it has
		"journal_mode = WAL",
		fmt.Sprintf("synchronous = %s", mode),
		fmt.Sprintf("cache_size = -%d", cacheKiB),
		"temp_store = MEMORY",
		"wal_autocheckpoint = 4000", // pages; see checkpoint.go
	}
	if readOnly {
		pragmas = append(pragmas, "query_only = 1")
	}
	name := "file::memory:"
	if !isMemory(path) {
		name = "file:" + (&url.URL{Path: path}).EscapedPath()
	}
	db := sql.OpenDB(connector{name, pragmas})
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db
}

// ErrDiskFull is wrapped into every error that comes of a full disk or quota.
// Nothing of the failed call was applied.
var ErrDiskFull = errors.New("the disk with the ledger is full: free some space; the daemon goes on by itself")

// ErrUnwritable is wrapped into errors that come of a ledger file that may not
// be written.
var ErrUnwritable = errors.New("the ledger cannot be written: check the owner and mode of the file and of its directory, and that the file system is not mounted read-only")

// ErrCorrupt is wrapped into errors that come of a damaged file, or of a file
// that is not a ledger.
var ErrCorrupt = errors.New("the ledger is damaged or not a ledger: stop the daemon, keep the file, and restore a backup or start with a new data directory (the chain part is rebuilt from the chain)")

// ErrBusy is wrapped into errors that come of another process holding the
// ledger's lock for longer than the ledger waits.
var ErrBusy = errors.New("another process holds the ledger's lock: is a second daemon or a backup tool using the same data directory?")

// coded is an error with SQLite's extended result code: the driver's, or a keeper's.
type coded interface {
	error
	Code() int
}

var _ coded = (*sqlite.Error)(nil)

// explain wraps a driver's error with one that says what to do.
func explain(err error) error {
	var e coded
	if err == nil || !errors.As(err, &e) {
		return explainPostgres(err)
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w (%w)", ErrDiskFull, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("%w (%w)", ErrUnwritable, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w (%w)", ErrCorrupt, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%w (%w)", ErrBusy, err)
	}
	return err
}

// isUnique reports whether err comes of a UNIQUE index or a primary key.
func isUnique(err error) bool {
	var e coded
	return isUniquePostgres(err) || errors.As(err, &e) &&
		(e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// marks gives "(?,?,…)" with n question marks.
func marks(n int) string {
	return "(" + strings.TrimSuffix(strings.Repeat("?,", n), ",") + ")"
}
