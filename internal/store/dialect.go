package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"time"

	"modernc.org/libc"
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

// connector opens connections that keep their statements, each after the pragmas, which
// run in their order: those of a DSN the driver sorts, and no page size comes after the
// journal mode, with which the file is made.
type connector struct {
	dsn     string
	pragmas []string
}

// Driver is the one that is registered, with the hooks that others may have given it.
func (c connector) Driver() driver.Driver { return registered() }

var registered = sync.OnceValue(func() driver.Driver {
	db, err := sql.Open("sqlite", "")
	if err != nil {
		panic(err) // the driver registers itself when it is imported
	}
	defer db.Close()
	return db.Driver()
})

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Driver().Open(c.dsn)
	if err != nil {
		return nil, err
	}
	full, ok := conn.(driverConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's %T is no connection as database/sql wants it", conn), conn.Close())
	}
	for _, p := range c.pragmas {
		if _, err := full.ExecContext(ctx, "PRAGMA "+p, nil); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	v := reflect.ValueOf(conn)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return conn, nil
	}
	db, tls := v.Elem().FieldByName("db"), v.Elem().FieldByName("tls")
	if !db.IsValid() || db.Kind() != reflect.Uintptr || !tls.IsValid() || tls.Type() != reflect.TypeFor[*libc.TLS]() {
		return conn, nil
	}
	k := &keeper{driverConn: full, tls: (*libc.TLS)(tls.UnsafePointer()), db: uintptr(db.Uint()), kept: map[string]*statement{}}
	// else a statement with LIMIT ? is planned anew each time that its value is bound
	on := libc.NewVaList(int32(1), uintptr(0))
	defer libc.Xfree(k.tls, on)
	if rc := sqlite3.Xsqlite3_db_config(k.tls, k.db, sqlite3.SQLITE_DBCONFIG_ENABLE_QPSG, on); rc != sqlite3.SQLITE_OK {
		return nil, errors.Join(k.failed(rc), k.Close())
	}
	return k, nil
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
