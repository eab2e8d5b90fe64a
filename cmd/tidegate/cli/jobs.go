package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// jobView is a job as the API gives it.
type jobView struct {
	ID        int64           `json:"id"`
	Key       string          `json:"key"`
	Kind      string          `json:"kind"`
	State     string          `json:"state"`
	Request   string          `json:"request"`
	Requester string          `json:"requester"`
	Attempt   int             `json:"attempt"`
	RunAt     string          `json:"runAt"`
	Deadline  string          `json:"deadline"`
	Outcome   string          `json:"outcome"`
	Reason    string          `json:"reason"`
	LastError string          `json:"lastError"`
	Detail    json.RawMessage `json:"detail,omitempty"`
	NodeID    string          `json:"nodeId"`
	Progress  progress        `json:"progress"`
	CreatedAt string          `json:"createdAt"`
	UpdatedAt string          `json:"updatedAt"`
}

type progress struct {
	Blocks  uint64 `json:"blocks"`
	Bytes   uint64 `json:"bytes"`
	Known   uint64 `json:"known"`
	Total   uint64 `json:"total"`
	Phase   string `json:"phase"`
	Missing string `json:"missing"`
}

func (p progress) String() string {
	if p.Blocks == 0 && p.Phase == "" {
		return ""
	}
	s := fmt.Sprintf("%d blocks, %s", p.Blocks, bytesText(p.Bytes))
	if p.Total > p.Bytes {
		s += " of " + bytesText(p.Total)
	}
	if p.Phase != "" {
		s += ", " + p.Phase
	}
	return s
}

// keptCall says what a keeper's job calls, and of what: its key is keep:chain:contract:call:subject:occasion.
func keptCall(j jobView) string {
	parts := strings.Split(j.Key, ":")
	if j.Kind != "keep" || len(parts) < 5 {
		return ""
	}
	return parts[3] + " " + short(parts[4])
}

// page is a listing as the API gives it.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

func jobsCommand() *cli.Command {
	return &cli.Command{
		Name:  "jobs",
		Usage: "see and steer the daemon's work",
		Commands: []*cli.Command{
			{
				Name: "ls", Usage: "list jobs, newest first",
				Flags: clientFlags(
					&cli.StringFlag{Name: "state", Usage: "only this state (available, running, retrying, snoozed, done, settled, cancelled, orphaned, dead)"},
					&cli.StringFlag{Name: "kind", Usage: "only this kind (pin, unpin, release, prepare, served, status, keep)"},
					&cli.StringFlag{Name: "request", Usage: "only jobs of this request id"},
					&cli.IntFlag{Name: "limit", Value: 50, Usage: "most rows"},
				),
				Action: jobsList,
			},
			{Name: "show", Usage: "show one job with its progress", ArgsUsage: "ID", Flags: clientFlags(), Action: jobsShow},
			{
				Name: "retry", Usage: "make a dead, waiting or cancelled job due now", ArgsUsage: "ID", Flags: clientFlags(),
				Action: func(ctx context.Context, c *cli.Command) error { return jobsPost(ctx, c, "retry", "is due now") },
			},
			{
				Name: "drop", Usage: "cancel a job and release what it holds", ArgsUsage: "ID", Flags: clientFlags(),
				Action: func(ctx context.Context, c *cli.Command) error { return jobsPost(ctx, c, "drop", "is dropped") },
			},
		},
	}
}

func jobsList(ctx context.Context, c *cli.Command) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	query := url.Values{"limit": {strconv.Itoa(c.Int("limit"))}}
	for _, name := range []string{"state", "kind", "request"} {
		if v := c.String(name); v != "" {
			query.Set(name, v)
		}
	}
	var got page[jobView]
	if err := cl.get(ctx, "/jobs", query, &got); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, append([]jobView{}, got.Items...))
	}
	var rows [][]string
	for _, j := range got.Items {
		what := j.Outcome
		if j.Reason != "" {
			what += ": " + j.Reason
		}
		progress := j.Progress.String()
		if progress == "" {
			progress = cmp.Or(j.LastError, keptCall(j)) // what it waits for, or is
		}
		rows = append(rows, []string{
			strconv.FormatInt(j.ID, 10), j.Kind, j.State, what, strconv.Itoa(j.Attempt), age(j.CreatedAt), short(j.Request), progress,
		})
	}
	return table(c.Root().Writer, []string{"id", "kind", "state", "outcome", "attempt", "age", "request", "progress"}, rows)
}

func jobsShow(ctx context.Context, c *cli.Command) error {
	id, err := jobID(c)
	if err != nil {
		return err
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var j jobView
	if err := cl.get(ctx, "/jobs/"+id, nil, &j); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, j)
	}
	return pairs(c.Root().Writer, "id", id, "key", j.Key, "kind", j.Kind, "state", j.State, "outcome", j.Outcome, "reason", j.Reason,
		"request", j.Request, "requester", j.Requester, "attempt", strconv.Itoa(j.Attempt), "next run", j.RunAt, "deadline", j.Deadline,
		"progress", j.Progress.String(), "waiting for", j.Progress.Missing, "last error", j.LastError, "detail", string(j.Detail), "node", j.NodeID,
		"created", j.CreatedAt, "updated", j.UpdatedAt)
}

func jobsPost(ctx context.Context, c *cli.Command, verb, said string) error {
	id, err := jobID(c)
	if err != nil {
		return err
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	if err := cl.send(ctx, http.MethodPost, "/jobs/"+id+"/"+verb, nil, nil); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, map[string]any{"ok": true, "id": id})
	}
	_, err = fmt.Fprintf(c.Root().Writer, "Job %s %s.\n", id, said)
	return err
}

func jobID(c *cli.Command) (string, error) {
	if c.Args().Len() != 1 {
		return "", usage("%s needs one job id (tidegate jobs ls)", c.Name)
	}
	id := c.Args().First()
	if _, err := strconv.ParseInt(id, 10, 64); err != nil {
		return "", usage("%q is not a job id (tidegate jobs ls)", id)
	}
	return id, nil
}

// requestView is a request as the API gives it.
type requestView struct {
	ID        string `json:"id"`
	Action    string `json:"action"`
	Seq       uint64 `json:"seq"`
	State     string `json:"state"`
	Final     bool   `json:"final"`
	Consumer  string `json:"consumer"`
	Requester string `json:"requester"`
	Outcome   string `json:"outcome"`
	Reason    string `json:"reason"`
	Deadline  string `json:"deadline"`
	Tx        string `json:"tx"`
	CloseTx   string `json:"closeTx"`
	CreatedAt string `json:"createdAt"`
}

func requestsCommand() *cli.Command {
	return &cli.Command{
		Name: "requests", Usage: "what the chain asked for, and what comes back of what was paid for it",
		Commands: append([]*cli.Command{
			{
				Name: "ls", Usage: "list requests, newest first",
				Flags: clientFlags(&cli.StringFlag{Name: "state", Usage: "only open, answered, refunded or retracted"},
					&cli.IntFlag{Name: "limit", Value: 50, Usage: "most rows"}),
				Action: requestsList,
			},
		}, requestMoneyCommands()...),
	}
}

func requestsList(ctx context.Context, c *cli.Command) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	query := url.Values{"limit": {strconv.Itoa(c.Int("limit"))}}
	if v := c.String("state"); v != "" {
		query.Set("state", v)
	}
	var got page[requestView]
	if err := cl.get(ctx, "/requests", query, &got); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, append([]requestView{}, got.Items...))
	}
	var rows [][]string
	for _, r := range got.Items {
		rows = append(rows, []string{strconv.FormatUint(r.Seq, 10), r.ID, r.Action, r.State, r.Outcome, r.Reason, r.Requester, age(r.CreatedAt)})
	}
	return table(c.Root().Writer, []string{"seq", "request", "action", "state", "outcome", "reason", "requester", "age"}, rows)
}

// age gives how long ago an RFC 3339 time was.
func age(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	d := time.Since(t)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}

func short(id string) string {
	if len(id) > 14 {
		return id[:10] + "…"
	}
	return id
}
