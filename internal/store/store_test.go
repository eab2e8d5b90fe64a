package store_test

import (
	"context"
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
	storetest.Run(t, opener(func(t testing.TB) string { return filepath.Join(t.TempDir(), "ledger.db") }))
}

func TestSQLiteInMemoryConforms(t *testing.T) {
	storetest.Run(t, opener(func(testing.TB) string { return ":memory:" }))
}
