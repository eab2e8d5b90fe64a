package store

import (
	"bytes"
	"context"
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
