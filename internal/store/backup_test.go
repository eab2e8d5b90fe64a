package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/chain"
)

// diesAt names what a process of this binary does until it kills itself: an action,
// the step, a ledger and a backup.
const diesAt = "TIDEGATE_TEST_DIES_AT"

// dieAt is that process; it ends by itself when there are fewer steps.
func dieAt(order string) error {
	parts := strings.SplitN(order, "|", 4)
	left, err := strconv.Atoi(parts[1])
	if err != nil {
		return err
	}
	step := func(string) {
		if left--; left == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	if parts[0] == "restore" {
		_, err := store.Restore(context.Background(), restoration(parts[2], parts[3], step))
		return err
	}
	s, err := store.Open(context.Background(), store.Config{Path: parts[2]})
	if err != nil {
		return err
	}
	return errors.Join(s.Backup(context.Background(), parts[3], step), s.Close())
}

func restoration(ledger, backup string, step func(string)) store.Restoration {
	return store.Restoration{
		From: backup, To: ledger, Now: time.Now(), Replace: true, Step: step,
		Park: func(_ context.Context, _ common.Address, next uint64) (string, error) {
			if next == 2 {
				return "", nil
			}
			return fmt.Sprintf("the next nonce is %d", next), nil
		},
	}
}

// killedAt runs an action until its step; false when it has fewer.
func killedAt(t *testing.T, action string, step int, ledger, backup string) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%d|%s|%s", diesAt, action, step, ledger, backup))
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	var ended *exec.ExitError
	if !errors.As(err, &ended) || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("%s, killed at step %d: %v\n%s", action, step, err, out)
	}
	return true
}

var spender = common.Address{7}

// fillLedger gives a ledger something of everything that is easily had: answered requests,
// an unfinished job, a key with two nonces, of which one is in flight.
func fillLedger(t *testing.T, s *store.Store) {
	t.Helper()
	ctx, now := t.Context(), time.Unix(1_700_000_100, 0)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	answeredAndFinal(t, s, now)
	must(s.SetMeta(ctx, "mark", "old"))
	_, ok, err := s.Claim(ctx, job.ClaimRequest{Kind: job.KindPin, Owner: "gone", Lease: time.Hour, Now: now})
	must(err)
	if !ok {
		t.Fatal("no job")
	}
	fence, _, err := s.AcquireSender(ctx, spender, "gone", time.Millisecond, now)
	must(err)
	for nonce := range uint64(2) {
		x, _, err := s.QueueIntent(ctx, chain.Intent{Key: fmt.Sprint("intent ", nonce), Sender: spender, Data: []byte{1, 2, 0, 255}}, now)
		must(err)
		must(s.PrepareTx(ctx, x.ID, fence, nonce, 21_000, now))
		for i := range 3 {
			a := chain.Attempt{Hash: common.Hash{byte(nonce), byte(9 - i)}, Tx: x.ID, Raw: []byte{byte(nonce), byte(i)}, Nonce: nonce}
			must(s.SignTx(ctx, x.ID, fence, a, now))
			must(s.MarkBroadcast(ctx, a.Hash, fence, chain.ReplyAccepted, true, now))
		}
	}
}

// told is what two ledgers with the same rows say alike, besides leases.
func told(t *testing.T, s *store.Store) string {
	t.Helper()
	ctx := t.Context()
	requests, err1 := s.Requests(ctx, chain.RequestFilter{})
	logs, err2 := s.Logs(ctx, chain.LogFilter{})
	batches, err3 := s.OpenBatches(ctx)
	txs, err4 := s.OpenTxs(ctx, spender)
	cursor, _, err5 := s.Cursor(ctx, "bench")
	jobs, err6 := s.Jobs(ctx, job.Filter{Limit: 1000})
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	var states []string
	for _, j := range jobs {
		if j.State == job.Running {
			j.State = job.Available // as a restore leaves it
		}
		states = append(states, fmt.Sprint(j.ID, j.Key, j.State, string(j.Payload), j.NodeID))
	}
	return fmt.Sprintf("%+v\n%+v\n%+v\n%+v\n%+v\n%v", requests, logs, batches, txs, cursor, states)
}

// ledgers are one of each driver, filled, and how to get an empty one.
func ledgers(t *testing.T) map[string]func() string {
	empty := emptyLedgers(t)
	return map[string]func() string{
		"SQLite":   func() string { return filepath.Join(t.TempDir(), "ledger.db") },
		"Postgres": func() string { return empty(t) },
	}
}

// A backup of either driver, restored to either, is the same ledger; keys that
// have sent more since are parked, nothing is leased, and ids go on counting.
func TestABackupIsTheLedger(t *testing.T) {
	oneGoroutine(t)
	for from, makeFrom := range ledgers(t) {
		s := mustOpen(t, makeFrom())
		fillLedger(t, s)
		want := told(t, s)
		backup := filepath.Join(t.TempDir(), "backup")
		if err := s.Backup(t.Context(), backup, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Backup(t.Context(), backup, nil); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a backup was replaced: %v", err)
		}
		for to, makeTo := range ledgers(t) {
			t.Run(from+" to "+to, func(t *testing.T) {
				path := makeTo()
				r := restoration(path, backup, nil)
				r.Replace = false
				out, err := store.Restore(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				if len(out.Parked) != 0 || out.Jobs != 1 {
					t.Errorf("%+v", out)
				}
				got := mustOpen(t, path)
				if b := told(t, got); want != b {
					t.Errorf("the ledgers differ:\n%s\n\n%s", want, b)
				}
				if wrong, err := store.Turns(t.Context(), got); err != nil || wrong != 0 {
					t.Errorf("%d turns are miscounted, %v", wrong, err)
				}
				before, err := got.Jobs(t.Context(), job.Filter{Limit: 1})
				if err != nil {
					t.Fatal(err)
				}
				now := time.Now()
				j, _, err := got.InsertJob(t.Context(), job.New{Key: "local:new", Kind: job.KindPin, Lane: job.LaneNow, Payload: []byte("{}"), RunAt: now}, now)
				if err != nil || j.ID <= before[0].ID {
					t.Errorf("a new job has the id %d after %d: %v", j.ID, before[0].ID, err)
				}
				if _, err := store.Restore(t.Context(), r); !errors.Is(err, fs.ErrExist) {
					t.Errorf("a ledger was replaced without being asked to: %v", err)
				}
			})
		}
	}
}

func TestARestoreParksKeysAndRefusesWhatIsNoBackup(t *testing.T) {
	oneGoroutine(t)
	dir := t.TempDir()
	s := mustOpen(t, filepath.Join(dir, "ledger.db"))
	if _, _, err := s.AcquireSender(t.Context(), spender, "x", time.Hour, time.Now()); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(dir, "backup")
	if err := s.Backup(t.Context(), backup, nil); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "new.db")
	out, err := store.Restore(t.Context(), restoration(to, backup, nil)) // the next nonce is 0
	if err != nil || out.Parked[spender] == "" {
		t.Fatalf("%+v, %v", out, err)
	}
	got := mustOpen(t, to)
	if _, parked, err := got.AcquireSender(t.Context(), spender, "y", time.Hour, time.Now()); err != nil || parked != out.Parked[spender] {
		t.Errorf("parked: %q, %v", parked, err)
	}
	garbage := filepath.Join(dir, "garbage")
	for _, text := range []string{"", "not a database", strings.Repeat("x", 8192)} {
		if err := os.WriteFile(garbage, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Restore(t.Context(), restoration(filepath.Join(dir, "other.db"), garbage, nil)); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%.10q was restored: %v", text, err)
		}
	}
	database := emptyLedgers(t)(t)
	used := mustOpen(t, database)
	if _, err := used.AcquireLease(t.Context(), "watch", "a", time.Hour, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(t.Context(), restoration(database, backup, nil)); !errors.Is(err, store.ErrInUse) {
		t.Errorf("a ledger in use was replaced: %v", err)
	}
}

// A backup that is killed at any of its steps leaves a whole file or none, and the
// next one works.
func TestABackupIsKilledAtEachStep(t *testing.T) {
	oneGoroutine(t)
	for driver, make := range ledgers(t) {
		t.Run(driver, func(t *testing.T) {
			path := make()
			s := mustOpen(t, path)
			fillLedger(t, s)
			backup := filepath.Join(t.TempDir(), "backup")
			step := 1
			for ; killedAt(t, "backup", step, path, backup); step++ {
				if _, err := os.Stat(backup); err == nil {
					r := restoration(filepath.Join(t.TempDir(), "again.db"), backup, nil)
					if _, err := store.Restore(t.Context(), r); err != nil {
						t.Errorf("killed at step %d, the file is there and no backup: %v", step, err)
					}
					if err := os.Remove(backup); err != nil {
						t.Fatal(err)
					}
				}
			}
			if step < 6 {
				t.Errorf("there are only %d steps", step-1)
			}
			if _, err := os.Stat(backup); err != nil {
				t.Error(err)
			}
		})
	}
}

// A restore that is killed at any of its steps leaves the old ledger, or the new
// one, or one that no daemon opens; run again it ends well, and what it replaced is
// still there.
func TestARestoreIsKilledAtEachStep(t *testing.T) {
	oneGoroutine(t)
	for driver, make := range ledgers(t) {
		t.Run(driver, func(t *testing.T) {
			source := mustOpen(t, filepath.Join(t.TempDir(), "source.db"))
			fillLedger(t, source)
			if err := source.SetMeta(t.Context(), "mark", "backup"); err != nil {
				t.Fatal(err)
			}
			backup := filepath.Join(t.TempDir(), "backup")
			if err := source.Backup(t.Context(), backup, nil); err != nil {
				t.Fatal(err)
			}
			mark := func(path string) string {
				t.Helper()
				s, err := store.Open(t.Context(), store.Config{Path: path})
				if errors.Is(err, store.ErrRestoring) {
					return "refused"
				}
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				v, err := s.GetMeta(t.Context(), "mark")
				if err != nil {
					return err.Error()
				}
				return v
			}
			seen := map[string]int{}
			for step := 1; ; step++ {
				path := make()
				old := mustOpen(t, path)
				if err := old.SetMeta(t.Context(), "mark", "old"); err != nil {
					t.Fatal(err)
				}
				if err := old.Close(); err != nil {
					t.Fatal(err)
				}
				killed := killedAt(t, "restore", step, path, backup)
				found := mark(path)
				seen[found]++
				if found != "old" && found != "backup" && found != "refused" || !killed && found != "backup" {
					t.Fatalf("after step %d: %s", step, found)
				}
				if !killed {
					break
				}
				out, err := store.Restore(t.Context(), restoration(path, backup, nil))
				if err != nil {
					t.Fatalf("again after step %d: %v", step, err)
				}
				if got := mark(path); got != "backup" {
					t.Errorf("again after step %d: %s", step, got)
				}
				if driver == "SQLite" {
					kept, err := filepath.Glob(path + ".replaced-*[0-9]")
					whole := false
					for _, k := range kept {
						whole = whole || mark(k) == "old"
					}
					if err != nil || !whole {
						t.Errorf("after step %d the old ledger is gone: %v %v %+v", step, kept, err, out)
					}
				}
			}
			if driver == "SQLite" && seen["refused"] == 0 || seen["old"] < 5 {
				t.Errorf("seen: %v", seen)
			}
		})
	}
}

// A migration from the first schema is killed at random moments: the ledger opens,
// and what was in it is there.
func TestAMigrationIsKilledAtRandomMoments(t *testing.T) {
	oneGoroutine(t)
	path := filepath.Join(t.TempDir(), "ledger.db")
	store.OpenAt(t, path, 1)
	for i := range 12 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=backup|1|%s|%s", diesAt, path, filepath.Join(t.TempDir(), "none")))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pause := time.NewTimer(time.Duration(20+8*i) * time.Millisecond)
		<-pause.C
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	s := mustOpen(t, path)
	fillLedger(t, s)
	v, err := s.SchemaVersion(t.Context())
	if mark, err := s.GetMeta(t.Context(), "first"); err != nil || mark != "schema" {
		t.Errorf("what was there: %q, %v", mark, err)
	}
	if err != nil || v < 5 {
		t.Errorf("version %d, %v", v, err)
	}
}

func TestABackupHoldsEveryTable(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		missing, err := store.TablesNotBackedUp(t.Context(), s)
		if err != nil || len(missing) > 0 {
			t.Errorf("a backup leaves out %v (%v)", missing, err)
		}
	})
}
