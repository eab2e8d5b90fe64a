package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"unsafe"

	sqlite3 "modernc.org/sqlite/lib"
)

// Inserting many rows is what reading the past consists of. They go to SQLite some at a
// time with a statement that is kept (statement.go), past database/sql.

// keeperOf gives what a connection keeps; nil where the driver has another form.
func keeperOf(c *sql.Conn) (k *keeper) {
	_ = c.Raw(func(driver any) error {
		k, _ = driver.(*keeper)
		return nil
	})
	return k
}

// reserve sees to it that SQLite finds memory for pages without asking the system. While
// it splits a page, which for an index in no order is all the time, it takes memory of
// two pages and gives it back; and the allocator gives back to the system what holds
// nothing any more: three calls of the system a split, a sixth of a commit of 4,000
// requests. What is kept here holds one place of such memory, with two free beside it.
func (k *keeper) reserve() {
	var spare [3]uintptr
	for i := range spare {
		spare[i] = sqlite3.Xsqlite3_malloc(k.tls, pageSize)
	}
	sqlite3.Xsqlite3_free(k.tls, k.spare)
	sqlite3.Xsqlite3_free(k.tls, spare[0])
	sqlite3.Xsqlite3_free(k.tls, spare[1])
	k.spare = spare[2]
}

// reserveFor is for how many rows reserve is good: new pages take of what was free.
const reserveFor = 64

// together is how many rows one statement inserts: SQLite finds its way to the end of
// each table and of each index that grows at its end once for all of them.
const together = 16

// insert adds rows of cols values each to head, a table with its columns. It reports
// false when it did nothing, the driver being needed for it.
func (k *keeper) insert(head string, cols int, vals []any) (bool, error) {
	for row := 0; len(vals) > 0; {
		n := 1
		if len(vals) >= together*cols {
			n = together
		}
		s, err := k.take(insertMany + head + " VALUES " + strings.Repeat(marks(cols)+",", n-1) + marks(cols))
		if s == nil && err == nil && row > 0 {
			err = fmt.Errorf("inserting the last %d rows: no memory for their statement", len(vals)/cols)
		}
		if s == nil || err != nil {
			return row > 0, err
		}
		for ; len(vals) >= n*cols && err == nil; row, vals = row+n, vals[n*cols:] {
			if row%reserveFor == 0 {
				k.reserve()
			}
			if err = s.bind(n*cols, func(i int) any { return vals[i] }); err == nil {
				_, err = s.step()
				sqlite3.Xsqlite3_reset(k.tls, s.handle)
			}
		}
		s.release()
		if err != nil {
			return true, err
		}
	}
	return true, nil
}

// written is how many pages the connection has written since it was last asked.
func (k *keeper) written() int {
	const counter = unsafe.Sizeof(int32(0))
	if k.answer == 0 || sqlite3.Xsqlite3_db_status(k.tls, k.db, sqlite3.SQLITE_DBSTATUS_CACHE_WRITE, k.answer, k.answer+counter, 1) != sqlite3.SQLITE_OK {
		return 0
	}
	return int(*(*int32)(outside(k.answer)))
}

// inserting is a connection that inserts many rows by itself.
type inserting struct {
	*sql.Conn
	k *keeper
}

func (c inserting) insertRows(ctx context.Context, head string, cols int, vals []any) error {
	var done bool
	err := c.Raw(func(any) (err error) {
		done, err = c.k.insert(head, cols, vals)
		return err
	})
	if err != nil || done {
		return err
	}
	return insertTogether(ctx, c.Conn, head, cols, vals)
}
