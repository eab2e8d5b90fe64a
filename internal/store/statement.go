package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"math"
	"strings"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// The driver parses a statement each time it runs, and looks for each value among all
// others: more than half of what the ledger computed. So statements are prepared once
// for a connection and kept, and run through SQLite's own functions on the driver's
// connection; database/sql sees a driver like any other. The driver does not show its
// handle, so it is read by reflection; where a version of it has none of that name and
// type, all goes through the driver as it is. So does what is not worth keeping, or
// must not be kept: see keepable.

// driverConn is the driver's connection.
type driverConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keeper is a connection that keeps what it prepared. As database/sql has it, one
// goroutine uses it at a time.
type keeper struct {
	driverConn
	tls    *libc.TLS
	db     uintptr
	kept   map[string]*statement
	uses   int64
	answer uintptr // where SQLite's functions put what they give by reference, outside Go's memory
	spare  uintptr // see insert.go
}

// maxKept bounds the statements of a connection: there are some 300, and those that ask
// for one of many values have a form for each number of them.
const maxKept = 400

// statement is one that is prepared.
type statement struct {
	k       *keeper
	handle  uintptr
	params  int
	columns []string
	buf     uintptr // texts and blobs of its parameters, outside Go's memory
	size    int
	running bool
	used    int64 // keeper.uses at its last use
}

// keepable says whether a statement may run more than once as it was prepared. A PRAGMA
// does some of its work while it is parsed, and what changes the schema runs once.
func keepable(query string) bool {
	word, _, _ := strings.Cut(strings.TrimLeft(query, " \t\n"), " ")
	switch word {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "COMMIT", "ROLLBACK":
		return true
	}
	return false
}

// take gives the statement of a query, to be released; nil for one that the driver is
// to run by itself.
func (k *keeper) take(query string) (*statement, error) {
	s := k.kept[query]
	if s == nil {
		if !keepable(query) {
			return nil, nil
		}
		var err error
		if s, err = k.prepare(query); s == nil || err != nil {
			return nil, err
		}
		k.makeRoom()
		k.kept[query] = s
	}
	if s.running { // among rows of its own
		return nil, nil
	}
	k.uses++
	s.running, s.used = true, k.uses
	return s, nil
}

// makeRoom lets the statement go that was not used for the longest time.
func (k *keeper) makeRoom() {
	if len(k.kept) < maxKept {
		return
	}
	oldest, at := "", int64(math.MaxInt64)
	for q, s := range k.kept {
		if !s.running && s.used < at {
			oldest, at = q, s.used
		}
	}
	if s := k.kept[oldest]; s != nil {
		s.close()
		delete(k.kept, oldest)
	}
}

const pointer = unsafe.Sizeof(uintptr(0))

// prepare gives nil for what is several statements, and for one that has columns of a
// time's type, which the driver reads in a way of its own.
func (k *keeper) prepare(query string) (*statement, error) {
	if k.answer == 0 {
		if k.answer = sqlite3.Xsqlite3_malloc(k.tls, int32(2*pointer)); k.answer == 0 {
			return nil, nil
		}
	}
	text, err := libc.CString(query)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(k.tls, text)
	rc := sqlite3.Xsqlite3_prepare_v3(k.tls, k.db, text, int32(len(query)+1), sqlite3.SQLITE_PREPARE_PERSISTENT, k.answer, k.answer+pointer)
	if rc != sqlite3.SQLITE_OK {
		return nil, k.failed(rc)
	}
	handle, rest := *(*uintptr)(outside(k.answer)), *(*uintptr)(outside(k.answer + pointer))
	if handle == 0 {
		return nil, nil
	}
	s := &statement{k: k, handle: handle, params: int(sqlite3.Xsqlite3_bind_parameter_count(k.tls, handle))}
	several := strings.TrimSpace(query[min(len(query), int(rest-text)):]) != ""
	for i := range sqlite3.Xsqlite3_column_count(k.tls, handle) {
		switch strings.ToUpper(libc.GoString(sqlite3.Xsqlite3_column_decltype(k.tls, handle, i))) {
		case "DATE", "DATETIME", "TIMESTAMP":
			several = true
		}
		s.columns = append(s.columns, libc.GoString(sqlite3.Xsqlite3_column_name(k.tls, handle, i)))
	}
	if several {
		s.close()
		return nil, nil
	}
	return s, nil
}

func (s *statement) close() {
	sqlite3.Xsqlite3_finalize(s.k.tls, s.handle)
	sqlite3.Xsqlite3_free(s.k.tls, s.buf)
	s.handle, s.buf, s.size = 0, 0, 0
}

// release ends a run: a statement that was not reset would hold its snapshot.
func (s *statement) release() {
	sqlite3.Xsqlite3_reset(s.k.tls, s.handle)
	s.running = false
	if s.size > maxBuf {
		sqlite3.Xsqlite3_free(s.k.tls, s.buf)
		s.buf, s.size = 0, 0
	}
}

// maxBuf is how much memory for its parameters a statement keeps.
const maxBuf = 64 << 10

// step runs a statement up to its next row or its end.
func (s *statement) step() (row bool, err error) {
	switch rc := sqlite3.Xsqlite3_step(s.k.tls, s.handle); rc {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, s.k.failed(rc)
	}
}

// bind gives a statement its values. Texts and blobs are copied side by side; SQLite
// reads them until the statement is bound again.
func (s *statement) bind(n int, value func(i int) any) error {
	if n != s.params {
		return fmt.Errorf("%d values for %d parameters", n, s.params)
	}
	need := 1
	for i := range n {
		switch v := value(i).(type) {
		case string:
			need += len(v)
		case []byte:
			need += len(v)
		}
	}
	room, err := s.room(need)
	if err != nil {
		return err
	}
	at, tls := 0, s.k.tls
	for i := range n {
		place, rc := int32(i+1), int32(0)
		switch v := value(i).(type) {
		case nil:
			rc = sqlite3.Xsqlite3_bind_null(tls, s.handle, place)
		case int:
			rc = sqlite3.Xsqlite3_bind_int64(tls, s.handle, place, int64(v))
		case int64:
			rc = sqlite3.Xsqlite3_bind_int64(tls, s.handle, place, v)
		case float64:
			rc = sqlite3.Xsqlite3_bind_double(tls, s.handle, place, v)
		case bool:
			rc = sqlite3.Xsqlite3_bind_int64(tls, s.handle, place, flag(v))
		case string:
			rc = sqlite3.Xsqlite3_bind_text(tls, s.handle, place, s.buf+uintptr(at), int32(len(v)), 0)
			at += copy(room[at:], v)
		case []byte:
			if v == nil {
				rc = sqlite3.Xsqlite3_bind_null(tls, s.handle, place)
				break
			}
			rc = sqlite3.Xsqlite3_bind_blob(tls, s.handle, place, s.buf+uintptr(at), int32(len(v)), 0)
			at += copy(room[at:], v)
		default:
			return fmt.Errorf("a value of type %T cannot be stored", v)
		}
		if rc != sqlite3.SQLITE_OK {
			return s.k.failed(rc)
		}
	}
	return nil
}

// room gives the memory for parameters, of at least n bytes.
func (s *statement) room(n int) ([]byte, error) {
	if n > s.size {
		if n > maxRow {
			return nil, fmt.Errorf("a row of %d bytes", n)
		}
		sqlite3.Xsqlite3_free(s.k.tls, s.buf)
		s.size = max(256, 2*n)
		if s.buf = sqlite3.Xsqlite3_malloc(s.k.tls, int32(s.size)); s.buf == 0 {
			s.size = 0
			return nil, fmt.Errorf("no memory for a row of %d bytes", n)
		}
	}
	return unsafe.Slice((*byte)(outside(s.buf)), s.size), nil
}

// maxRow bounds a row well below what SQLite takes (1,000,000,000 bytes).
const maxRow = 256 << 20

// outside makes a pointer of an address that Go's collector knows nothing of.
func outside(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// column gives a value of the row under the statement, as the driver would.
func (s *statement) column(i int) driver.Value {
	tls, v := s.k.tls, sqlite3.Xsqlite3_column_value(s.k.tls, s.handle, int32(i))
	switch sqlite3.Xsqlite3_value_type(tls, v) {
	case sqlite3.SQLITE_INTEGER:
		return sqlite3.Xsqlite3_value_int64(tls, v)
	case sqlite3.SQLITE_FLOAT:
		return sqlite3.Xsqlite3_value_double(tls, v)
	case sqlite3.SQLITE_TEXT:
		p := sqlite3.Xsqlite3_value_text(tls, v)
		return string(unsafe.Slice((*byte)(outside(p)), sqlite3.Xsqlite3_value_bytes(tls, v)))
	case sqlite3.SQLITE_BLOB:
		p, n := sqlite3.Xsqlite3_value_blob(tls, v), sqlite3.Xsqlite3_value_bytes(tls, v)
		if p == 0 || n == 0 {
			return []byte(nil)
		}
		return append([]byte(nil), unsafe.Slice((*byte)(outside(p)), n)...)
	default:
		return nil
	}
}

// failed is the error of a call that did not do what it should.
func (k *keeper) failed(rc int32) error {
	code := sqlite3.Xsqlite3_extended_errcode(k.tls, k.db)
	if code == sqlite3.SQLITE_OK {
		code = rc
	}
	return &sqliteError{code: int(code), said: libc.GoString(sqlite3.Xsqlite3_errmsg(k.tls, k.db))}
}

// sqliteError is what the driver's error is, of a call that did not go through it.
type sqliteError struct {
	code int
	said string
}

func (e *sqliteError) Error() string { return fmt.Sprintf("%s (%d)", e.said, e.code) }

// Code gives SQLite's extended result code, as the driver's errors do.
func (e *sqliteError) Code() int { return e.code }

// ---- as database/sql wants it ----

// begun starts a run: the statement with its values, at its first row or its end; nil
// when the driver is to run it. While it does that, the end of ctx interrupts it.
func (k *keeper) begun(ctx context.Context, query string, args []driver.NamedValue) (s *statement, row bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if s, err = k.take(query); s == nil || err != nil {
		return nil, false, err
	}
	if err = s.bind(len(args), func(i int) any { return args[i].Value }); err == nil {
		undisturbed := k.interruptedBy(ctx)
		row, err = s.step()
		undisturbed()
		if err != nil && ctx.Err() != nil {
			err = ctx.Err()
		}
	}
	if err != nil {
		s.release()
		return nil, false, err
	}
	return s, row, nil
}

// interruptedBy interrupts what runs when ctx ends, until the returned function is called.
func (k *keeper) interruptedBy(ctx context.Context) (until func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		sqlite3.Xsqlite3_interrupt(k.tls, k.db)
	})
	return func() {
		if !stop() {
			<-interrupted // lest it hit the statement that runs next
		}
	}
}

func (k *keeper) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, row, err := k.begun(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return k.driverConn.ExecContext(ctx, query, args)
	}
	defer s.release()
	for row {
		if row, err = s.step(); err != nil {
			return nil, err
		}
	}
	return changes(sqlite3.Xsqlite3_changes64(k.tls, k.db)), nil
}

// changes is how many rows a statement changed.
type changes int64

func (n changes) RowsAffected() (int64, error) { return int64(n), nil }

func (n changes) LastInsertId() (int64, error) {
	return 0, fmt.Errorf("the ledger asks for ids with RETURNING")
}

func (k *keeper) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, row, err := k.begun(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return k.driverConn.QueryContext(ctx, query, args)
	}
	return &rows{s, row, nil}, nil
}

// rows are what a statement gives.
type rows struct {
	s     *statement
	ready bool // the row under the statement was not given yet
	ended error
}

func (r *rows) Columns() []string { return r.s.columns }

func (r *rows) Close() error {
	if r.ended != ErrClosed {
		r.ended = ErrClosed
		r.s.release()
	}
	return nil
}

func (r *rows) Next(dest []driver.Value) (err error) {
	if r.ended != nil {
		return r.ended
	}
	if !r.ready {
		if r.ready, err = r.s.step(); err != nil {
			r.ended = err
			return err
		}
	}
	if !r.ready {
		r.ended = io.EOF
		return io.EOF
	}
	for i := range dest {
		dest[i] = r.s.column(i)
	}
	r.ready = false
	return nil
}

// BeginTx begins a transaction of readers; writers say BEGIN IMMEDIATE themselves.
func (k *keeper) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	if _, err := k.ExecContext(ctx, "BEGIN", nil); err != nil {
		return nil, err
	}
	return k, nil
}

// Commit ends the transaction that BeginTx began.
func (k *keeper) Commit() error {
	_, err := k.ExecContext(context.Background(), "COMMIT", nil)
	return err
}

// Rollback ends the transaction that BeginTx began.
func (k *keeper) Rollback() error {
	_, err := k.ExecContext(context.Background(), "ROLLBACK", nil)
	return err
}

// Close gives back what was prepared; the driver's connection cannot be closed before.
func (k *keeper) Close() error {
	for _, s := range k.kept {
		s.close()
	}
	clear(k.kept)
	sqlite3.Xsqlite3_free(k.tls, k.answer)
	sqlite3.Xsqlite3_free(k.tls, k.spare)
	k.answer, k.spare = 0, 0
	return k.driverConn.Close()
}
