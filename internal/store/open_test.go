package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
)

func mustOpen(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: path, NodeID: "node"})
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

func TestOpenMakesAnEmptyLedgerAndKeepsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a ledger?#%41.db")
	s := mustOpen(t, path)
	v, err := s.SchemaVersion(t.Context())
	if err != nil || v < 1 {
		t.Fatalf("schema version %d, %v", v, err)
	}
	if err := s.SetMeta(t.Context(), "k", "v"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	if got, err := mustOpen(t, path).GetMeta(t.Context(), "k"); err != nil || got != "v" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestSignedBytesAreWrittenDurably(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))
	normal, full, err := store.Synchronous(t.Context(), s)
	if err != nil || normal != 1 || full != 2 {
		t.Fatalf("synchronous is %d and %d, want 1 (NORMAL) and 2 (FULL), %v", normal, full, err)
	}
}

func TestOpenNeedsAPath(t *testing.T) {
	if _, err := store.Open(t.Context(), store.Config{}); err == nil {
		t.Fatal("opened")
	}
}

func TestOpenRefusesANewerSchemaAndNamesBothVersions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := mustOpen(t, path)
	known, err := s.SchemaVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db := rawDB(t, path)
	if _, err := db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9000, 1)"); err != nil {
		t.Fatal(err)
	}
	_, err = store.Open(t.Context(), store.Config{Path: path})
	if !errors.Is(err, store.ErrNewerSchema) {
		t.Fatalf("got %v", err)
	}
	for _, word := range []string{"9000", fmt.Sprintf("knows %d", known), "run that version"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

func TestOpenRefusesWhatIsNoLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("no ledger "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), store.Config{Path: path}); !errors.Is(err, store.ErrCorrupt) {
		t.Fatalf("got %v, want %v", err, store.ErrCorrupt)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(b, []byte("no ledger")) {
		t.Fatalf("the file was touched: %v", err)
	}
}

func TestDamageIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := mustOpen(t, path)
	for i := range 200 {
		insertLocal(t, s, i)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 8192; i < len(b); i++ { // all pages but the first
		b[i] = 0xff
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err = store.Open(t.Context(), store.Config{Path: path})
	if err == nil {
		_, err = s.Jobs(t.Context(), job.Filter{})
		if c := s.Close(); c != nil {
			t.Error(c)
		}
	}
	if !errors.Is(err, store.ErrCorrupt) {
		t.Fatalf("got %v, want %v", err, store.ErrCorrupt)
	}
}

func TestOpenNamesADirectoryThatIsNotThere(t *testing.T) {
	if _, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "no", "ledger.db")}); !errors.Is(err, store.ErrUnwritable) {
		t.Fatalf("got %v, want %v", err, store.ErrUnwritable)
	}
}

func insertLocal(t *testing.T, s *store.Store, i int) {
	t.Helper()
	if _, _, err := s.InsertJob(t.Context(), job.New{Key: job.LocalKey(fmt.Sprint(i)), Kind: job.KindPin, Class: job.ClassLocal, Requester: "local",
		Payload: job.Encode(job.Pin{CID: make([]byte, 400), Owner: "local"}), Lane: job.LaneNow}, time.Unix(1_700_000_000, 0)); err != nil {
		t.Fatal(err)
	}
}

// TestFullDiskIsNamedAndSurvived bounds the file by its page count, which SQLite
// reports as it reports a full disk.
func TestFullDiskIsNamedAndSurvived(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))
	insertLocal(t, s, 0)
	free := store.LimitPages(t, s)
	err := s.SetMeta(t.Context(), "big", strings.Repeat("x", 1<<20))
	if !errors.Is(err, store.ErrDiskFull) {
		t.Fatalf("got %v, want %v", err, store.ErrDiskFull)
	}
	if _, err := s.GetMeta(t.Context(), "big"); !errors.Is(err, job.ErrNotFound) {
		t.Fatalf("half of it was written: %v", err)
	}
	free()
	if err := s.SetMeta(t.Context(), "big", strings.Repeat("x", 1<<20)); err != nil {
		t.Fatalf("after space was freed: %v", err)
	}
}

func TestClosedLedgerRefuses(t *testing.T) {
	for _, path := range []string{":memory:", filepath.Join(t.TempDir(), "ledger.db")} {
		t.Run(filepath.Base(path), func(t *testing.T) { closedRefuses(t, path) })
	}
}

func closedRefuses(t *testing.T, path string) {
	s := mustOpen(t, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatalf("closing twice: %v", err)
	}
	if err := s.SetMeta(t.Context(), "k", "v"); !errors.Is(err, store.ErrClosed) {
		t.Fatalf("got %v, want %v", err, store.ErrClosed)
	}
	if _, err := s.GetMeta(t.Context(), "k"); !errors.Is(err, store.ErrClosed) {
		t.Fatalf("got %v, want %v", err, store.ErrClosed)
	}
}

// TestAWaitingWriterHonoursItsContext holds the writers' token and lets a second
// writer give up.
func TestAWaitingWriterHonoursItsContext(t *testing.T) {
	s := mustOpen(t, ":memory:")
	release := store.HoldTurn(s)
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error)
	go func() { errs <- s.SetMeta(ctx, "k", "v") }()
	cancel()
	if err := <-errs; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	release()
	if _, err := s.GetMeta(t.Context(), "k"); !errors.Is(err, job.ErrNotFound) {
		t.Fatalf("written nevertheless: %v", err)
	}
}

// TestAPanicRollsBack keeps the ledger usable after a bug in the middle of a
// transaction.
func TestAPanicRollsBack(t *testing.T) {
	s := mustOpen(t, ":memory:")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("did not panic")
			}
		}()
		store.PanicInside(s, "INSERT INTO meta VALUES ('k', 'v')")
	}()
	if _, err := s.GetMeta(t.Context(), "k"); !errors.Is(err, job.ErrNotFound) {
		t.Fatalf("half a transaction stayed: %v", err)
	}
	if err := s.SetMeta(t.Context(), "k", "v"); err != nil {
		t.Fatal(err)
	}
}
