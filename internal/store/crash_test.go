package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/chain"
)

const crashPath = "TIDEGATE_TEST_CRASH_LEDGER"

// TestMain turns this binary into the process that the crash test kills.
func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		if err := workUntilKilled(path, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if order := os.Getenv(diesAt); order != "" {
		if err := dieAt(order); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	stopPostgres()
	os.Exit(code)
}

// workUntilKilled commits a batch, claims, finishes and signs, over and over, and
// says what it has been told is done.
func workUntilKilled(path string, said io.Writer) error {
	ctx, now := context.Background(), time.Unix(1_700_000_000, 0)
	s, err := store.Open(ctx, store.Config{Path: path, NodeID: "node"})
	if err != nil {
		return err
	}
	sender := common.Address{1}
	fence, _, err := s.AcquireSender(ctx, sender, fmt.Sprint("process ", os.Getpid()), time.Nanosecond, now)
	if err != nil {
		return err
	}
	first, err := nextRequest(ctx, s)
	if err != nil {
		return err
	}
	for i := first; ; i += 2 {
		if _, err := s.CommitBatch(ctx, benchBatch(i, 2)); err != nil {
			return err
		}
		fmt.Fprintln(said, "batch", i)
		j, ok, err := s.Claim(ctx, job.ClaimRequest{Kind: job.KindPin, Owner: "w", Lease: time.Hour, Now: now})
		if err != nil || !ok {
			return fmt.Errorf("claim: %t, %w", ok, err)
		}
		if _, err := s.FinishJob(ctx, j.ID, j.Fence, job.Result{Outcome: job.Succeeded, Held: true, NodeID: "node"}, now); err != nil {
			return err
		}
		fmt.Fprintln(said, "done", j.ID)
		if err := signOne(ctx, s, sender, fence, i, said); err != nil {
			return err
		}
	}
}

func nextRequest(ctx context.Context, s *store.Store) (int, error) {
	rs, err := s.Requests(ctx, chain.RequestFilter{Limit: 1})
	if err != nil || len(rs) == 0 {
		return 0, err
	}
	return int(rs[0].Seq) + 1, nil
}

func signOne(ctx context.Context, s *store.Store, sender common.Address, fence int64, i int, said io.Writer) error {
	now := time.Unix(1_700_000_000, 0)
	open, err := s.OpenTxs(ctx, sender)
	if err != nil {
		return err
	}
	for _, x := range open { // what a killed process left undecided
		if x.State == chain.TxSigned {
			if err := s.MarkBroadcast(ctx, x.Attempts[0].Hash, fence, chain.ReplyAccepted, true, now); err != nil {
				return err
			}
		} else if x.State == chain.TxPrepared {
			if err := s.RequeueTx(ctx, x.ID, fence, now); err != nil {
				return err
			}
		}
	}
	x, _, err := s.QueueIntent(ctx, chain.Intent{Key: fmt.Sprint("intent ", i), Sender: sender}, now)
	if err != nil {
		return err
	}
	nonce, held, err := s.HighestNonce(ctx, sender)
	if err != nil {
		return err
	}
	if held {
		nonce++
	}
	if err := s.PrepareTx(ctx, x.ID, fence, nonce, 1, now); err != nil {
		return err
	}
	a := chain.Attempt{Hash: common.BigToHash(common.Big1), Tx: x.ID, Raw: fmt.Appendf(nil, "bytes %d", i), Nonce: nonce}
	a.Hash = common.BytesToHash(a.Raw)
	if err := s.SignTx(ctx, x.ID, fence, a, now); err != nil {
		return err
	}
	fmt.Fprintln(said, "signed", i)
	return s.MarkBroadcast(ctx, a.Hash, fence, chain.ReplyAccepted, true, now)
}

// TestKilledProcessLosesNothingItWasToldIsDone kills a working process with
// SIGKILL again and again and looks for everything it had been told is done.
func TestKilledProcessLosesNothingItWasToldIsDone(t *testing.T) {
	const kills = 6
	path := filepath.Join(t.TempDir(), "ledger.db")
	var said []string
	for kill := range kills {
		said = append(said, runAndKill(t, path, 3+7*kill)...)
	}
	s := mustOpen(t, path)
	for _, line := range said {
		what, n := "", 0
		if _, err := fmt.Sscan(line, &what, &n); err != nil {
			t.Fatalf("the process said %q: %v", line, err)
		}
		switch what {
		case "batch":
			for _, r := range benchBatch(n, 2).Requests {
				if _, err := s.Request(t.Context(), r.ID); err != nil {
					t.Error(err)
				}
				if _, err := s.JobByKey(t.Context(), job.RequestKey(r.Chain, r.Provider.Hex(), r.ID.Hex(), r.Action)); err != nil {
					t.Error(err)
				}
			}
		case "done":
			if j, err := s.Job(t.Context(), int64(n)); err != nil || j.State != job.Done {
				t.Errorf("job %d is %s, %v", n, j.State, err)
			}
		case "signed":
			raw := fmt.Appendf(nil, "bytes %d", n)
			if a, err := s.Attempt(t.Context(), common.BytesToHash(raw)); err != nil || string(a.Raw) != string(raw) {
				t.Errorf("signed bytes %d: %v", n, err)
			}
		}
	}
	checkWhole(t, s, path)
}

// checkWhole looks for half a transaction: requests without jobs, done jobs
// without answers, a cursor that is not the newest request's.
func checkWhole(t *testing.T, s *store.Store, path string) {
	t.Helper()
	db := rawDB(t, path)
	for name, q := range map[string]string{
		"requests without a job":         "SELECT count(*) FROM request r WHERE NOT EXISTS (SELECT 1 FROM job j WHERE j.request = r.id)",
		"requests without a log":         "SELECT count(*) FROM request r WHERE NOT EXISTS (SELECT 1 FROM log l WHERE l.block = r.log_block AND l.idx = r.log_idx)",
		"done jobs without an answer":    "SELECT count(*) FROM job j WHERE j.state = 'done' AND j.answers = 1 AND NOT EXISTS (SELECT 1 FROM answer a WHERE a.job = j.id)",
		"cursors behind their logs":      "SELECT count(*) FROM cursor WHERE height <> (SELECT max(height) FROM log)",
		"broken foreign keys":            "SELECT count(*) FROM pragma_foreign_key_check",
		"signed rows without an attempt": "SELECT count(*) FROM tx WHERE state IN ('signed', 'sent') AND NOT EXISTS (SELECT 1 FROM tx_attempt a WHERE a.tx = tx.id)",
	} {
		var n int
		if err := db.QueryRowContext(t.Context(), q).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	var verdict string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity: %s, %v", verdict, err)
	}
	if wrong, err := store.Turns(t.Context(), s); err != nil || wrong != 0 {
		t.Errorf("%d turns are miscounted, %v", wrong, err)
	}
}

// runAndKill lets a process work until it has said n lines, kills it, and gives
// all it said.
func runAndKill(t *testing.T, path string, n int) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashPath+"="+path)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		said = append(said, lines.Text())
		if len(said) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	if len(said) < n {
		t.Fatalf("the process ended by itself after %d lines: %v %s", len(said), err, complaint.String())
	}
	if last := said[len(said)-1]; len(strings.Fields(last)) != 2 { // cut off in the middle
		said = said[:len(said)-1]
	}
	return said
}
