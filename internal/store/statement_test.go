package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver by itself, beside ours
	"pgregory.net/rapid"
)

// openKept gives a connection that keeps statements, and the keeper behind it.
func openKept(t *testing.T) (*sql.Conn, *keeper) {
	t.Helper()
	db := open(filepath.Join(t.TempDir(), "kept.db"), syncNormal, false, 1)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, keeperOf(c)
}

func mustExec(t interface {
	Helper()
	Fatal(...any)
}, c *sql.Conn, query string, args ...any) int64 {
	t.Helper()
	r, err := c.ExecContext(context.Background(), query, args...)
	if err != nil {
		t.Fatal(query, err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Values go in and come out as they do with the driver alone, whatever was bound to the
// same statement before.
func TestValuesAreThoseOfTheDriver(t *testing.T) {
	ours, _ := openKept(t)
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "driver.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	theirs, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	both := []*sql.Conn{ours, theirs}
	for _, c := range both {
		mustExec(t, c, "CREATE TABLE v (id INTEGER PRIMARY KEY, a ANY, b ANY) STRICT")
	}
	value := rapid.OneOf(
		rapid.Just[any](nil), rapid.Just[any](""), rapid.Just[any]([]byte{}), rapid.Just[any]([]byte(nil)), rapid.Just[any](math.Inf(1)),
		rapid.Just[any](int64(math.MinInt64)), rapid.Just[any]("a\x00b"), rapid.Just[any](strings.Repeat("ü", maxBuf)),
		rapid.Map(rapid.Int64(), func(v int64) any { return v }), rapid.Map(rapid.Float64(), func(v float64) any { return v }),
		rapid.Map(rapid.Bool(), func(v bool) any { return v }), rapid.Map(rapid.String(), func(v string) any { return v }),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(v []byte) any { return v }),
	)
	id := 0
	rapid.Check(t, func(t *rapid.T) {
		a, b := value.Draw(t, "a"), value.Draw(t, "b")
		id++
		var got [2][]any
		for i, c := range both {
			if n := mustExec(t, c, "INSERT INTO v VALUES (?, ?, ?)", id, a, b); n != 1 {
				t.Fatalf("%d rows are inserted", n)
			}
			got[i] = make([]any, 6)
			err := c.QueryRowContext(context.Background(), "SELECT a, b, typeof(a), typeof(b), a IS ?, length(b) FROM v WHERE id = ?", a, id).
				Scan(&got[i][0], &got[i][1], &got[i][2], &got[i][3], &got[i][4], &got[i][5])
			if err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(got[0], got[1]) {
			t.Fatalf("%#v and %#v come out as %#v, of the driver as %#v", a, b, got[0], got[1])
		}
	})
}

// A statement that is among its own rows, one that changes while it is kept, several in
// one text, and one whose values are too few: what a connection must take.
func TestKeptStatementsRunInAnyOrder(t *testing.T) {
	c, k := openKept(t)
	ctx := t.Context()
	mustExec(t, c, "CREATE TABLE n (v INTEGER PRIMARY KEY) STRICT; CREATE TABLE other (v)")
	for v := range 5 {
		mustExec(t, c, "INSERT INTO n VALUES (?)", v)
	}
	const all = "SELECT v FROM n WHERE v >= ? ORDER BY v"
	rows, err := c.QueryContext(ctx, all, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for rows.Next() {
		var v int
		if err := rows.Scan(&v); err != nil || v != seen {
			t.Fatal(v, err)
		}
		inner, err := list(ctx, c, value[int], all, v)
		if err != nil || len(inner) != 5-v {
			t.Fatalf("among rows of its own: %v, %v", inner, err)
		}
		seen++
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || seen != 5 {
		t.Fatalf("%d rows, %v", seen, err)
	}
	if k.kept[all] == nil || k.kept[all].running {
		t.Fatal("the statement is not kept, or still runs")
	}
	if err := c.QueryRowContext(ctx, all).Scan(new(int)); err == nil {
		t.Error("a statement ran without its value")
	}
	mustExec(t, c, "ALTER TABLE n ADD COLUMN w TEXT")
	if got, err := list(ctx, c, value[int], all, 3); err != nil || len(got) != 2 {
		t.Errorf("after the schema changed: %v, %v", got, err)
	}
	if _, err := c.ExecContext(ctx, "INSERT INTO n (v) VALUES (?)", 3); !isUnique(err) {
		t.Errorf("the same key twice: %v", err)
	}
	if n := mustExec(t, c, "UPDATE n SET w = 'x' WHERE v > ?", 1); n != 3 {
		t.Errorf("%d rows are changed", n)
	}
	for _, pragma := range []string{"PRAGMA user_version = 7", "PRAGMA user_version = 8"} {
		mustExec(t, c, pragma)
	}
	var version int
	if err := c.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version != 8 || k.kept["PRAGMA user_version"] != nil {
		t.Errorf("version %d, %v; PRAGMAs are not kept", version, err)
	}
}

func TestKeptStatementsAreBounded(t *testing.T) {
	c, k := openKept(t)
	often := "SELECT 'often'"
	for i := range 3 * maxKept {
		var got, text string
		if err := c.QueryRowContext(t.Context(), fmt.Sprintf("SELECT '%d' || ?", i), "x").Scan(&got); err != nil || got != fmt.Sprint(i)+"x" {
			t.Fatal(got, err)
		}
		if err := c.QueryRowContext(t.Context(), often).Scan(&text); err != nil {
			t.Fatal(err)
		}
	}
	if len(k.kept) > maxKept {
		t.Errorf("%d statements are kept", len(k.kept))
	}
	if k.kept[often] == nil {
		t.Error("what is used all the time was let go")
	}
}

// The end of its context stops what runs, and not what runs next.
func TestAKeptStatementIsInterrupted(t *testing.T) {
	c, _ := openKept(t)
	const endless = "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n) SELECT count(*) FROM n WHERE v > ?"
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		began := time.Now()
		err := c.QueryRowContext(ctx, endless, 0).Scan(new(int))
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 10*time.Second {
			t.Fatalf("%v after %s", err, time.Since(began))
		}
		var v int
		if err := c.QueryRowContext(t.Context(), "SELECT 1 + ?", 1).Scan(&v); err != nil || v != 2 {
			t.Fatalf("%d, %v", v, err)
		}
	}
}

// Rows that are left before their end hold no snapshot: the log can be begun again.
func TestRowsLeftEarlyHoldNothing(t *testing.T) {
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db"), NodeID: "node"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fillLog(t, s, 0, 2)
	err = s.view(t.Context(), func(ctx context.Context, t conn) error {
		rows, err := t.QueryContext(ctx, "SELECT id FROM log")
		if err != nil {
			return err
		}
		rows.Next()
		return rows.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	fillLog(t, s, 2, 2)
	var busy, pages, copied int
	if err := s.writer.conn.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &copied); err != nil || busy != 0 || pages != 0 {
		t.Errorf("busy %d, %d pages are left, %v", busy, pages, err)
	}
}
