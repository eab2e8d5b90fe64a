package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// The driver's connection has what is needed to keep statements: without it the ledger
// works, but computes twice as much.
func TestTheDriverShowsItsHandle(t *testing.T) {
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db"), NodeID: "node"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.writer.kept == nil {
		t.Fatal("the driver's connection has no fields db and tls of the types that statement.go reads")
	}
}

// Whatever a row holds, it is stored as the driver would store it, and an error says
// what the driver's would.
func TestRowsArriveAsTheyAre(t *testing.T) {
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db"), NodeID: "node"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	long := strings.Repeat("ü", 70_000)
	rows := []any{
		"f", int64(1), "b", int64(0), "", int64(-1), "a", "[]", []byte{}, "seen", nil,
		"f", int64(1), "b", int64(1), "\x00t", int64(1 << 62), "a", long, bytes.Repeat([]byte{0, 255}, 200_000), "final", int64(7),
	}
	insert := func(rows []any) error {
		return s.write(t.Context(), func(ctx context.Context, c conn) error {
			if _, direct := c.(rowInserter); !direct {
				t.Fatal("rows do not go past the driver")
			}
			return bulk(ctx, c, "log (filter, height, block, idx, tx, tx_index, address, topics, data, state, seq)", 11, rows)
		})
	}
	if err := insert(rows); err != nil {
		t.Fatal(err)
	}
	type row struct {
		tx, topics, kind string
		index            int64
		data             []byte
	}
	got, err := list(t.Context(), s.writer.conn, func(sc scanner) (r row, err error) {
		err = sc.Scan(&r.tx, &r.index, &r.topics, &r.data, &r.kind)
		return r, err
	}, "SELECT tx, tx_index, topics, data, typeof(data) || typeof(tx) || typeof(seq) FROM log ORDER BY idx")
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	if g := got[0]; g.tx != "" || g.index != -1 || len(g.data) != 0 || g.kind != "blobtextnull" {
		t.Errorf("%+v", g)
	}
	if g := got[1]; g.tx != "\x00t" || g.index != 1<<62 || g.topics != long || !bytes.Equal(g.data, rows[19].([]byte)) || g.kind != "blobtextinteger" {
		t.Errorf("tx %q, index %d, %d and %d bytes, %s", g.tx, g.index, len(g.topics), len(g.data), g.kind)
	}
	if err := insert(rows); !isUnique(err) {
		t.Errorf("the same place twice: %v", err)
	}
	bad := append([]any{}, rows[:11]...)
	bad[3], bad[9] = int64(5), "no state"
	if err := insert(bad); err == nil || isUnique(err) || !strings.Contains(err.Error(), "CHECK") {
		t.Errorf("a row that the schema forbids: %v", err)
	}
	bad[9] = 1.5
	if err := insert(bad); err == nil {
		t.Error("a value of a type that nobody inserts was taken")
	}
	rows[3], rows[14] = int64(8), int64(9)
	rows[10], rows[21] = nil, nil
	if err := insert(rows); err != nil { // the statement is as good as before
		t.Error(err)
	}
}

// Rows go some at a time and the rest one by one; all arrive, in their order, and of
// those before one that is refused nothing is left.
func TestAnyNumberOfRowsArrives(t *testing.T) {
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db"), NodeID: "node"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	next := int64(0)
	insert := func(first, n int64) error {
		var vals []any
		for i := first; i < first+n; i++ {
			vals = append(vals, fmt.Sprintf("%064x", uint64(i)*0x9e3779b97f4a7c15), i, strings.Repeat("p", int(i%900)), i)
		}
		return s.write(t.Context(), func(ctx context.Context, c conn) error {
			return bulk(ctx, c, "block (hash, height, parent, time)", 4, vals)
		})
	}
	for _, n := range []int64{1, together - 1, together, together + 1, 3*together + 5, reserveFor * together} {
		if err := insert(next, n); err != nil {
			t.Fatalf("%d rows: %v", n, err)
		}
		next += n
	}
	if err := insert(next-together-2, together+2); !isUnique(err) {
		t.Errorf("rows that are there already: %v", err)
	}
	if err := insert(next, 0); err != nil {
		t.Error(err)
	}
	last := append([]any{}, "x", next, "", int64(0), "y", next+1, "", int64(0))
	for i := int64(2); i < together; i++ {
		last = append(last, fmt.Sprint(i), next+i, "", int64(0))
	}
	last = append(last, "x", next+together, "", int64(0)) // alone, after the others
	err = s.write(t.Context(), func(ctx context.Context, c conn) error {
		return bulk(ctx, c, "block (hash, height, parent, time)", 4, last)
	})
	if !isUnique(err) {
		t.Errorf("one hash twice: %v", err)
	}
	type row struct{ height, time, rowid, parent int64 }
	got, err := list(t.Context(), s.writer.conn, func(sc scanner) (r row, err error) {
		err = sc.Scan(&r.height, &r.time, &r.rowid, &r.parent)
		return r, err
	}, "SELECT height, time, rowid, length(parent) FROM block ORDER BY rowid")
	if err != nil || int64(len(got)) != next {
		t.Fatalf("%d rows of %d, %v", len(got), next, err)
	}
	for i, r := range got {
		if n := int64(i); r != (row{n, n, n + 1, n % 900}) {
			t.Fatalf("row %d is %+v", i, r)
		}
	}
}

// Each connection is set up as dialect.go says; a file that was made with other pages
// keeps them.
func TestConnectionsAreSetUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := Open(t.Context(), Config{Path: path, NodeID: "node"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, c := range map[string]interface {
		QueryRowContext(context.Context, string, ...any) *sql.Row
	}{"writer": s.writer.conn, "readers": s.read} {
		for pragma, want := range map[string]string{
			"page_size": fmt.Sprint(pageSize), "journal_mode": "wal", "foreign_keys": "1", "synchronous": "1", "temp_store": "2",
			"cache_size": fmt.Sprint(-cacheKiB), "busy_timeout": fmt.Sprint(busyTimeout.Milliseconds()),
			"query_only": map[string]string{"writer": "0", "readers": "1"}[name],
		} {
			var got string
			if err := c.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %s is %s, want %s, %v", name, pragma, got, want, err)
			}
		}
	}
	old := filepath.Join(t.TempDir(), "old.db")
	db := sql.OpenDB(connector{"file:" + old, []string{"page_size = 4096", "journal_mode = WAL"}})
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE t (a)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(old, syncNormal, false, 1)
	defer again.Close()
	var size int
	if err := again.QueryRowContext(t.Context(), "PRAGMA page_size").Scan(&size); err != nil || size != 4096 {
		t.Errorf("pages of %d bytes, %v", size, err)
	}
}
