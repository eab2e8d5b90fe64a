package store_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/internal/store/storetest"
)

func opener(path func(t testing.TB) string) storetest.Opener {
	return func(t testing.TB, clock func() time.Time) storetest.Ledger {
		t.Helper()
		s, err := store.Open(context.Background(), store.Config{Path: path(t), NodeID: "node", Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	}
}

func TestSQLiteFileConforms(t *testing.T) {
	oneGoroutine(t)
	// an empty ledger, copied for each test: faster than making the schema anew
	path := filepath.Join(t.TempDir(), "empty.db")
	if err := mustOpen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	empty, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Run(t, opener(func(t testing.TB) string {
		path := filepath.Join(t.TempDir(), "ledger.db")
		if err := os.WriteFile(path, empty, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}))
}

// oneGoroutine leaves a test out of -short runs, which is what the race detector
// gets: it finds nothing where one goroutine calls one connection after the other,
// and SQLite in Go is tens of times slower under it.
func oneGoroutine(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("one goroutine: nothing to find for the race detector")
	}
}

func TestSQLiteFollowsTheModel(t *testing.T) {
	oneGoroutine(t)
	storetest.RunModel(t, opener(func(testing.TB) string { return ":memory:" }))
}
