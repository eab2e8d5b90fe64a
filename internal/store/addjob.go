package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

const jobInsert = `job (key, kind, class, state, request, requester, payload, lane, answers, height, ready,
	run_at, deadline, not_before, trace, created, updated)`

const jobInsertCols = 17

// heights say how settled the chain is.
type heights struct{ soft, final uint64 }

func (h heights) ready(lane job.Lane, height uint64) bool {
	switch lane {
	case job.LaneNow:
		return true
	case job.LaneSoft:
		return height <= h.soft
	default:
		return height <= h.final
	}
}

// checkNew refuses a job that the schema would refuse with fewer words.
func checkNew(n job.New) error {
	switch {
	case n.Key == "" || n.Kind == "":
		return fmt.Errorf("a job needs a key and a kind (key %q, kind %q)", n.Key, n.Kind)
	case n.Lane != job.LaneNow && n.Lane != job.LaneSoft && n.Lane != job.LaneFinal:
		return fmt.Errorf("job %s: no such lane %q", n.Key, n.Lane)
	case strings.HasPrefix(n.Key, answerPrefix) && n.Request == "":
		return fmt.Errorf("job %s: its key says that it answers a request, but it names none", n.Key)
	case strings.HasPrefix(n.Key, answerPrefix) && answered(n.Key) != strings.ToLower(n.Request):
		return fmt.Errorf("job %s: its key names another request than %s", n.Key, n.Request)
	}
	return nil
}

// answerPrefix begins the keys of jobs whose outcome answers a request
// (job.RequestKey).
const answerPrefix = "req:"

// answered gives the request that a job with such a key answers.
func answered(key string) string {
	if parts := strings.Split(key, ":"); len(parts) == 5 {
		return parts[3]
	}
	return ""
}

func jobValues(vals []any, n job.New, state job.State, h heights, now int64) []any {
	runAt := ms(n.RunAt)
	if runAt == 0 {
		runAt = now
	}
	payload := string(n.Payload)
	if payload == "" {
		payload = "null"
	}
	return append(vals, n.Key, string(n.Kind), int(n.Class), string(state), strings.ToLower(n.Request), n.Requester, payload,
		string(n.Lane), flag(strings.HasPrefix(n.Key, answerPrefix)), int64(n.Height), flag(h.ready(n.Lane, n.Height)),
		runAt, ms(n.Deadline), ms(n.NotBefore), n.Trace, now, now)
}

// addJobs inserts new jobs and revives those of requests that are back. A job
// whose closing is final in this same batch is inserted as ended: when history
// is read, nobody works on what is over.
func (b *batch) addJobs(ctx context.Context) error {
	known, err := b.knownJobs(ctx)
	if err != nil {
		return err
	}
	h := b.settled()
	vals := make([]any, 0, jobInsertCols*len(b.Jobs))
	for _, n := range b.Jobs {
		if known[n.Key] {
			if err := b.reviveJob(ctx, n, h); err != nil {
				return fmt.Errorf("%s: %w", n.Key, err)
			}
			continue
		}
		known[n.Key] = true
		state := b.firstState(n)
		if state == job.Settled {
			b.out.Settled++
		}
		if state == job.Available && h.ready(n.Lane, n.Height) {
			b.wake(n.Kind)
		}
		vals = jobValues(vals, n, state, h, b.now)
	}
	return bulk(ctx, b.t, jobInsert, jobInsertCols, vals)
}

// knownJobs gives the keys of the batch's jobs that are stored.
func (b *batch) knownJobs(ctx context.Context) (map[string]bool, error) {
	var keys, requests []any
	for _, n := range b.Jobs {
		if err := checkNew(n); err != nil {
			return nil, err
		}
		switch request := strings.ToLower(n.Request); {
		case !strings.HasPrefix(n.Key, answerPrefix):
			keys = append(keys, n.Key)
		case !b.fresh[request]: // what answers a request is never older than the request's row
			requests = append(requests, request)
		}
	}
	stored, err := among(ctx, b.t, value[string], "SELECT key FROM job WHERE answers = 0 AND key IN ", keys)
	if err != nil {
		return nil, err
	}
	answering, err := among(ctx, b.t, value[string], "SELECT key FROM job WHERE answers = 1 AND request IN ", requests)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(b.Jobs))
	for _, k := range append(stored, answering...) {
		known[k] = true
	}
	return known, nil
}

func (b *batch) firstState(n job.New) job.State {
	c := b.closing[strings.ToLower(n.Request)]
	switch {
	case c == nil || c.Log.Height > b.cursor.Final || !strings.HasPrefix(n.Key, answerPrefix):
		return job.Available
	case c.State == chain.RequestAnswered:
		return job.Settled
	default:
		return job.Cancelled
	}
}

// reviveJob makes the job of a re-included request available again. A job that
// is there for another reason is left alone: a step may be repeated.
func (b *batch) reviveJob(ctx context.Context, n job.New, h heights) error {
	if !b.revived[strings.ToLower(n.Request)] {
		return nil
	}
	j, found, err := answering(ctx, b.t, strings.ToLower(n.Request))
	if err != nil || !found || !job.CanMove(j.State, job.Available) {
		return err
	}
	runAt := ms(n.RunAt)
	if runAt == 0 {
		runAt = b.now
	}
	if err := revive(ctx, b.t, j.ID, runAt, b.now); err != nil {
		return err
	}
	ready := h.ready(n.Lane, n.Height)
	if _, err := exec(ctx, b.t, "UPDATE job SET lane = ?, height = ?, ready = ? WHERE id = ?", string(n.Lane), int64(n.Height), flag(ready), j.ID); err != nil {
		return err
	}
	if err := cancelUndo(ctx, b.t, j.Key, b.now); err != nil {
		return err
	}
	if _, err := exec(ctx, b.t, "DELETE FROM answer WHERE job = ? AND state = 'withdrawn'", j.ID); err != nil {
		return err
	}
	if ready {
		b.wake(j.Kind)
	}
	return nil
}
