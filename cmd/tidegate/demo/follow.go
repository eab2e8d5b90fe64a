package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"golang.org/x/term"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// patience bounds how long the demo waits for one answer.
const patience = 2 * time.Minute

// follow prints a request's journey until its answer is on chain.
func (s *show) follow(ctx context.Context, id common.Hash, cid, action string, asked time.Time) (Answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("request %s was not answered within %s", id.Hex(), patience))
	defer cancel()
	seen := &journey{}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := s.showWork(ctx, id, seen); err != nil {
			return Answer{}, err
		}
		got, ok, err := s.answerOf(ctx, id)
		if err != nil {
			return Answer{}, err
		}
		if ok {
			got.CID, got.Action, got.Millis = cid, action, time.Since(asked).Milliseconds()
			got.Blocks, got.Bytes = seen.last.Blocks, seen.last.Bytes
			s.say("answer   %s%s in transaction %s, %d gas", got.Outcome, reasonText(got.Reason), got.Tx, got.Gas)
			s.answers = append(s.answers, got)
			return got, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return Answer{}, context.Cause(ctx)
		}
	}
}

// journey is what was printed of a request so far.
type journey struct {
	state  job.State
	last   job.Progress
	batch  bool
	tx     bool
	errors string
}

// showWork prints what is new of a request's job and report.
func (s *show) showWork(ctx context.Context, id common.Hash, seen *journey) error {
	jobs, err := s.daemon.Ledger().Jobs(ctx, job.Filter{Request: id.Hex()})
	if err != nil {
		return fmt.Errorf("reading the job: %w", err)
	}
	for _, j := range jobs {
		if !strings.HasPrefix(j.Key, "req:") {
			continue
		}
		if j.Progress != seen.last && j.Progress.Bytes > 0 {
			s.showBar(j.Progress)
		}
		seen.last = j.Progress
		if j.LastError != "" && j.LastError != seen.errors {
			s.say("job %-4d attempt %d: %s", j.ID, j.Attempt, j.LastError)
			seen.errors = j.LastError
		}
		if j.State != seen.state {
			s.say("job %-4d %s %s", j.ID, j.Kind, stateText(j))
			seen.state = j.State
		}
	}
	if seen.tx {
		return nil
	}
	batches, err := s.daemon.Ledger().OpenBatches(ctx)
	if err != nil {
		return fmt.Errorf("reading reports: %w", err)
	}
	for _, b := range batches {
		if !holds(b, id) {
			continue
		}
		if !seen.batch {
			s.say("report   batch %d of %d answers, digest %s", b.ID, len(b.Items), b.Digest.Hex()[:18]+"…")
			seen.batch = true
		}
		if b.TxState == chain.TxSent || b.TxState == chain.TxMined {
			tx, err := s.daemon.Ledger().Tx(ctx, b.Tx)
			if err != nil && !errors.Is(err, job.ErrNotFound) {
				return fmt.Errorf("reading the transaction: %w", err)
			}
			if n := len(tx.Attempts); n > 0 {
				s.say("send     %s, nonce %d, stored before it was broadcast", tx.Attempts[n-1].Hash.Hex(), tx.Nonce)
				seen.tx = true
			}
		}
	}
	return nil
}

func holds(b chain.ReportBatch, id common.Hash) bool {
	for _, a := range b.Items {
		if a.Request == id {
			return true
		}
	}
	return false
}

func stateText(j job.Job) string {
	switch j.State {
	case job.Done, job.Settled:
		text := string(j.State) + ": " + j.Outcome.String()
		if j.Progress.Blocks > 0 {
			text += fmt.Sprintf(", %d blocks, %d bytes", j.Progress.Blocks, j.Progress.Bytes)
		}
		return text + reasonText(j.Reason.String())
	case job.Retrying:
		return "retrying at " + j.RunAt.Format("15:04:05")
	default:
		return string(j.State)
	}
}

func reasonText(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

// showBar draws how far a fetch is: on a terminal in place, elsewhere now and then.
func (s *show) showBar(p job.Progress) {
	f, isFile := s.Log.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return
	}
	const width = 30
	filled := width
	if p.Total > 0 && p.Bytes < p.Total {
		filled = int(p.Bytes * width / p.Total)
	}
	fmt.Fprintf(s.Log, "\r%8.3fs  fetch    [%s%s] %d blocks, %.1f MiB ", time.Since(s.began).Seconds(),
		strings.Repeat("=", filled), strings.Repeat(" ", width-filled), p.Blocks, float64(p.Bytes)/(1<<20))
	s.bar = true
}
