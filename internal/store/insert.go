package store

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Inserting many rows is what reading the past consists of, and the driver parses a
// statement each time it runs, and looks for each value among all others. So rows are
// inserted by statements that are prepared once for a connection, through SQLite's own
// functions, on the driver's connection and within its transaction. The driver does not
// show its handle, so it is read by reflection; where a version of it has none of that
// name and type, rows are inserted through database/sql, as on Postgres.

// inserter prepares and runs inserts on one connection of the driver.
type inserter struct {
	tls   *libc.TLS
	db    uintptr
	stmts map[string]uintptr // by what follows INSERT INTO
	buf   uintptr            // texts and blobs of one row, outside Go's memory
	size  int
	kept  uintptr // see keep
}

// newInserter finds the driver's handle; nil where it has another form.
func newInserter(c *sql.Conn) *inserter {
	var in *inserter
	_ = c.Raw(func(driver any) error {
		v := reflect.ValueOf(driver)
		if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
			return nil
		}
		db, tls := v.Elem().FieldByName("db"), v.Elem().FieldByName("tls")
		if !db.IsValid() || db.Kind() != reflect.Uintptr || !tls.IsValid() || tls.Type() != reflect.TypeFor[*libc.TLS]() {
			return nil
		}
		in = &inserter{tls: (*libc.TLS)(tls.UnsafePointer()), db: uintptr(db.Uint()), stmts: map[string]uintptr{}}
		return nil
	})
	return in
}

// close gives back what was prepared; the connection cannot be closed before.
func (in *inserter) close() {
	for _, s := range in.stmts {
		sqlite3.Xsqlite3_finalize(in.tls, s)
	}
	clear(in.stmts)
	sqlite3.Xsqlite3_free(in.tls, in.buf)
	sqlite3.Xsqlite3_free(in.tls, in.kept)
	in.buf, in.size, in.kept = 0, 0, 0
}

// keep sees to it that SQLite finds memory for pages without asking the system. While
// it splits a page, which for an index in no order is all the time, it takes memory of
// two pages and gives it back; and the allocator gives back to the system what holds
// nothing any more: three calls of the system a split, a sixth of a commit of 4,000
// requests. What is kept here holds one place of such memory, with two free beside it.
func (in *inserter) keep() {
	var spare [3]uintptr
	for i := range spare {
		spare[i] = sqlite3.Xsqlite3_malloc(in.tls, pageSize)
	}
	sqlite3.Xsqlite3_free(in.tls, in.kept)
	sqlite3.Xsqlite3_free(in.tls, spare[0])
	sqlite3.Xsqlite3_free(in.tls, spare[1])
	in.kept = spare[2]
}

// keepFor is for how many rows keep is good: new pages take of what was free.
const keepFor = 64

// insert adds rows of cols values each to head, a table with its columns.
func (in *inserter) insert(head string, cols int, vals []any) error {
	stmt, err := in.prepared(head, cols)
	if err != nil {
		return err
	}
	for row := 0; len(vals) > 0; row, vals = row+1, vals[cols:] {
		if row%keepFor == keepFor-1 {
			in.keep()
		}
		if err := in.bind(stmt, vals[:cols]); err != nil {
			return err
		}
		rc := sqlite3.Xsqlite3_step(in.tls, stmt)
		if rc != sqlite3.SQLITE_DONE {
			err = in.failed(rc)
		}
		sqlite3.Xsqlite3_reset(in.tls, stmt)
		if err != nil {
			return err
		}
	}
	return nil
}

func (in *inserter) prepared(head string, cols int) (uintptr, error) {
	if s := in.stmts[head]; s != 0 {
		return s, nil
	}
	const pointer = int(unsafe.Sizeof(uintptr(0)))
	q := insertMany + head + " VALUES " + marks(cols) + "\x00"
	room, err := in.room(pointer + len(q))
	if err != nil {
		return 0, err
	}
	copy(room[pointer:], q)
	if rc := sqlite3.Xsqlite3_prepare_v2(in.tls, in.db, in.buf+uintptr(pointer), -1, in.buf, 0); rc != sqlite3.SQLITE_OK {
		return 0, in.failed(rc)
	}
	s := *(*uintptr)(outside(in.buf))
	in.stmts[head] = s
	return s, nil
}

// bind gives a statement the values of one row. Texts and blobs are copied side by
// side; SQLite reads them until the statement is bound again.
func (in *inserter) bind(stmt uintptr, row []any) error {
	need := 1
	for _, v := range row {
		switch v := v.(type) {
		case string:
			need += len(v)
		case []byte:
			need += len(v)
		}
	}
	room, err := in.room(need)
	if err != nil {
		return err
	}
	at := 0
	for i, v := range row {
		n, rc := int32(i+1), int32(0)
		switch v := v.(type) {
		case nil:
			rc = sqlite3.Xsqlite3_bind_null(in.tls, stmt, n)
		case int:
			rc = sqlite3.Xsqlite3_bind_int64(in.tls, stmt, n, int64(v))
		case int64:
			rc = sqlite3.Xsqlite3_bind_int64(in.tls, stmt, n, v)
		case string:
			rc = sqlite3.Xsqlite3_bind_text(in.tls, stmt, n, in.buf+uintptr(at), int32(len(v)), 0)
			at += copy(room[at:], v)
		case []byte:
			rc = sqlite3.Xsqlite3_bind_blob(in.tls, stmt, n, in.buf+uintptr(at), int32(len(v)), 0)
			at += copy(room[at:], v)
		default:
			return fmt.Errorf("a value of type %T cannot be inserted", v)
		}
		if rc != sqlite3.SQLITE_OK {
			return in.failed(rc)
		}
	}
	return nil
}

// room gives the memory for a row, of at least n bytes.
func (in *inserter) room(n int) ([]byte, error) {
	if n > in.size {
		if n > maxRow {
			return nil, fmt.Errorf("a row of %d bytes", n)
		}
		sqlite3.Xsqlite3_free(in.tls, in.buf)
		in.size = max(4<<10, 2*n)
		if in.buf = sqlite3.Xsqlite3_malloc(in.tls, int32(in.size)); in.buf == 0 {
			in.size = 0
			return nil, fmt.Errorf("no memory for a row of %d bytes", n)
		}
	}
	return unsafe.Slice((*byte)(outside(in.buf)), in.size), nil
}

// maxRow bounds a row well below what SQLite takes (1,000,000,000 bytes).
const maxRow = 256 << 20

// outside makes a pointer of an address that Go's collector knows nothing of.
func outside(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// failed is the error of a call that did not do what it should.
func (in *inserter) failed(rc int32) error {
	code := sqlite3.Xsqlite3_extended_errcode(in.tls, in.db)
	if code == sqlite3.SQLITE_OK {
		code = rc
	}
	return &sqliteError{code: int(code), said: libc.GoString(sqlite3.Xsqlite3_errmsg(in.tls, in.db))}
}

// sqliteError is what the driver's error is, of a call that did not go through it.
type sqliteError struct {
	code int
	said string
}

func (e *sqliteError) Error() string { return fmt.Sprintf("%s (%d)", e.said, e.code) }

// Code gives SQLite's extended result code, as the driver's errors do.
func (e *sqliteError) Code() int { return e.code }

// written is how many pages the connection has written since it was last asked.
func (in *inserter) written() int {
	const counters = 8 // two of them
	if _, err := in.room(counters); err != nil {
		return 0
	}
	if sqlite3.Xsqlite3_db_status(in.tls, in.db, sqlite3.SQLITE_DBSTATUS_CACHE_WRITE, in.buf, in.buf+counters/2, 1) != sqlite3.SQLITE_OK {
		return 0
	}
	return int(*(*int32)(outside(in.buf)))
}

// inserting is a connection that inserts many rows by itself.
type inserting struct {
	*sql.Conn
	in *inserter
}

func (c inserting) insertRows(_ context.Context, head string, cols int, vals []any) error {
	return c.Raw(func(any) error { return c.in.insert(head, cols, vals) })
}
