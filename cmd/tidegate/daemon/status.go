package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/audit"
	"github.com/tidegate/tidegate/oracle/txmgr"
	"github.com/tidegate/tidegate/oracle/watch"
)

// statusView is the body of /status.
type statusView struct {
	Ready   bool                             `json:"ready"`
	Chain   chainView                        `json:"chain"`
	Sender  any                              `json:"sender"` // the first of Senders
	Senders any                              `json:"senders"`
	Report  any                              `json:"report"`
	Queue   any                              `json:"queue"`
	Runner  any                              `json:"runner"`
	Node    nodeView                         `json:"node"`
	Jobs    map[job.Kind]map[job.State]int64 `json:"jobs"`
	Owner   string                           `json:"owner"` // this daemon in leases
	Roles   []string                         `json:"roles"`
	Leaders []leader                         `json:"leaders"`
}

type chainView struct {
	ID      uint64 `json:"id"`
	Head    uint64 `json:"head"`
	Soft    uint64 `json:"soft"`
	Final   uint64 `json:"final"`
	Cursor  uint64 `json:"cursor"`
	Lagging bool   `json:"lagging"`
	Frozen  string `json:"frozen,omitempty"`
	Error   string `json:"error,omitempty"`

	LastStep  time.Time              `json:"lastStep"`
	LastGood  time.Time              `json:"lastGood"`
	LastLate  time.Time              `json:"lastLate,omitzero"` // a first answer lacked logs
	LateLogs  int                    `json:"lateLogs"`
	Unfinal   uint64                 `json:"unfinal"` // heights that the head moved since the final block last did
	Stalled   bool                   `json:"finalityStalled"`
	Gap       watch.Event            `json:"gap"`   // the last long run of null rounds
	Reorg     watch.Event            `json:"reorg"` // the last deep one
	Endpoints []watch.EndpointStatus `json:"endpoints"`
	Audit     []audit.Proof          `json:"audit"`
}

type nodeView struct {
	ID       string   `json:"id"`
	Addrs    []string `json:"addrs"`
	Pins     uint64   `json:"pins"`
	Blocks   uint64   `json:"blocks"`
	Bytes    uint64   `json:"bytes"`
	FreeDisk uint64   `json:"freeDisk"`
	Peers    int      `json:"peers"`
}

func (d *Daemon) status(ctx context.Context) (any, error) {
	counts, err := d.ledger.JobCounts(ctx)
	if err != nil {
		return nil, err
	}
	v := statusView{Ready: d.Ready(), Jobs: counts, Queue: d.queue.Status(), Owner: d.owner, Roles: d.cfg.Roles}
	if v.Leaders, err = d.leaders(ctx); err != nil {
		return nil, err
	}
	if v.Chain, err = d.chainStatus(ctx); err != nil {
		return nil, err
	}
	senders := make([]txmgr.Status, len(d.senders))
	for i, s := range d.senders {
		senders[i] = s.Status()
	}
	v.Senders = senders
	if len(senders) > 0 {
		v.Sender, v.Report = senders[0], d.report.Status()
	}
	if d.runner != nil {
		v.Runner = d.runner.Status()
	}
	if d.node != nil {
		stats, err := d.node.Stats()
		if err != nil {
			return nil, fmt.Errorf("reading the node's numbers: %w", err)
		}
		v.Node = nodeView{d.nodeID(), d.node.Addrs(), stats.Pins, stats.Blocks, stats.Bytes, stats.FreeDisk, stats.Peers}
	}
	return v, nil
}

// chainStatus is what this daemon sees of the chain, or, where another one watches,
// what that has written.
func (d *Daemon) chainStatus(ctx context.Context) (chainView, error) {
	if d.watching.leads() {
		w := d.watcher.Status()
		return chainView{
			ID: d.cfg.Chain.ID, Head: w.Head, Soft: w.Soft, Final: w.Final, Cursor: w.Cursor, Lagging: w.Lagging, Frozen: w.Frozen, Error: w.LastError,
			LastStep: w.LastStep, LastGood: w.LastGood, LastLate: w.LastLate, LateLogs: w.LateLogs, Unfinal: w.Unfinal, Stalled: w.Stalled, Gap: w.Gap,
			Reorg: w.Reorg, Endpoints: d.endpoints.Status(), Audit: d.auditor.Last(),
		}, nil
	}
	c, _, err := d.ledger.Cursor(ctx, Filter)
	return chainView{ID: d.cfg.Chain.ID, Head: c.Head, Soft: c.Soft, Final: c.Final, Cursor: c.Height, Frozen: c.Frozen, LastStep: c.Updated, LastGood: c.Updated}, err
}

// checks are the conditions of /readyz.
func (d *Daemon) checks() []httpapi.Check {
	check := func(name string, f func() string) httpapi.Check {
		return httpapi.Check{Name: name, Ready: func(context.Context) error {
			if why := f(); why != "" {
				return errors.New(why)
			}
			return nil
		}}
	}
	return []httpapi.Check{
		check("chain", func() string {
			if !d.Ready() {
				return "waiting for the chain's endpoint"
			}
			if !d.watching.leads() {
				return ""
			}
			w := d.watcher.Status()
			if w.Frozen != "" {
				return w.Frozen
			}
			return w.LastError
		}),
		{Name: "leaders", Ready: func(ctx context.Context) error { return errors.Join(d.led(ctx, leadWatch), d.led(ctx, leadReport)) }},
		check("sender", func() string {
			why := ""
			for _, sender := range d.senders {
				s := sender.Status()
				if s.Parked == "" && s.Waiting == "" {
					return "" // one that sends is enough
				}
				why = s.Parked + s.Waiting
			}
			return why
		}),
		check("runner", func() string {
			if d.runner == nil {
				return ""
			}
			return d.runner.Status().Error
		}),
	}
}
