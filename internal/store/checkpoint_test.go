package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fillLog commits so many transactions of 100 logs of a kilobyte each, from number from on.
func fillLog(t *testing.T, s *Store, from, transactions int) {
	t.Helper()
	const rows, cols = 100, 11
	text := strings.Repeat("x", 1000)
	for n := from; n < from+transactions; n++ {
		vals := make([]any, 0, rows*cols)
		for i := range rows {
			vals = append(vals, "f", int64(n), fmt.Sprintf("%x", n*7919%104729), int64(i), "tx", int64(i), "a", text, []byte{1}, "final", nil)
		}
		err := s.write(t.Context(), func(ctx context.Context, c conn) error {
			return bulk(ctx, c, "log (filter, height, block, idx, tx, tx_index, address, topics, data, state, seq)", cols, vals)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// While one transaction follows the other, what they write goes into the database, and
// the log begins again: it stays far smaller than what was written. Nothing is lost.
func TestCheckpointsRunBesideTheWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := Open(t.Context(), Config{Path: path, NodeID: "node"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := &s.checkpoint
	if c.every != checkpointEvery || c.long != longLog {
		t.Fatalf("checkpoints after %d pages, the log begun again at %d", c.every, c.long)
	}
	c.every, c.long = 40, 80
	const transactions, rowPages = 600, 100 * 1000 / pageSize
	before, largest := size(t, path), int64(0)
	for n := 0; n < transactions; n += 10 {
		fillLog(t, s, n, 10)
		largest = max(largest, size(t, path+"-wal"))
	}
	c.running.Wait()
	if written := int64(transactions * rowPages * pageSize); largest > written*2/3 {
		t.Errorf("the log grew to %d bytes while %d were written", largest, written)
	}
	if grown := size(t, path) - before; grown < transactions*rowPages*pageSize/2 {
		t.Errorf("the database grew by %d bytes only: nothing was copied into it", grown)
	}
	var auto int
	if err := s.writer.conn.QueryRowContext(t.Context(), "PRAGMA wal_autocheckpoint").Scan(&auto); err != nil || auto != longestLog {
		t.Errorf("commits copy at %d pages, %v", auto, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), Config{Path: path, NodeID: "node"}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var rows int
	var whole string
	if err := s.read.QueryRowContext(t.Context(), "SELECT count(*) FROM log").Scan(&rows); err != nil || rows != 100*transactions {
		t.Errorf("%d rows, %v", rows, err)
	}
	if err := s.read.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&whole); err != nil || whole != "ok" {
		t.Errorf("%s, %v", whole, err)
	}
}

// A ledger is closed while a checkpoint runs or waits for its turn.
func TestClosingWaitsForACheckpoint(t *testing.T) {
	for range 10 {
		s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "ledger.db"), NodeID: "node"})
		if err != nil {
			t.Fatal(err)
		}
		s.checkpoint.every, s.checkpoint.long = 1, 1
		fillLog(t, s, 0, 3)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s.checkpoint.busy.Load() {
			t.Fatal("a checkpoint outlives its ledger")
		}
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return fi.Size()
}
