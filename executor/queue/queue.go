// Package queue wakes lanes of work over NSQ. A message means "something may be
// due in this lane": it carries no job, is finished as soon as it arrives, and
// may be lost, doubled or late, because the ledger alone says what is due and
// the runner's sweep finds it within seconds.
//
// It is not a work queue: attempts, delays, order and dead letters are rows of
// the ledger (internal/store), and claiming them is executor/runner's.
//
// Map:
//
//	queue.go       Queue: Notify, Wakes, Run, Status; one topic per lane
//	embedded.go    nsqd inside the process, kept up and its data directory kept usable
//	publisher.go   publishing with failover over several nsqd
//	subscriber.go  one subscription per nsqd and lane, discovery through nsqlookupd
//	connection.go  one connection to one nsqd
//	log.go         the words of NSQ as slog records, and health that is logged once
//	metrics.go     counters
//
// Invariants: Notify never blocks; a broken NSQ never ends Run and never loses
// more than wake-ups; REQ, TOUCH and DPUB are not used.
package queue

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/nsqio/go-nsq"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/tidegate/tidegate/executor/job"
)

// Config says where NSQ is. With neither NSQD nor Lookupd set, nsqd runs inside
// the process.
type Config struct {
	// DataDir is the daemon's data directory; the embedded nsqd keeps its files
	// in its folder "nsq". Needed in embedded mode only.
	DataDir string
	// NSQD lists host:port of external nsqd to publish to, in order of
	// preference. Messages are consumed from all of them unless Lookupd is set.
	NSQD []string
	// Lookupd lists host:port or URLs of nsqlookupd (their HTTP side) to find
	// the nsqd to consume from. NSQD must be set too: something has to be
	// published to.
	Lookupd []string
	// TLS, when set, is used towards external nsqd.
	TLS *tls.Config
	// AuthSecret is sent to external nsqd that ask for it. Never logged.
	AuthSecret string
	// TopicPrefix comes before the kind in topic names; "tidegate." if empty.
	TopicPrefix string
	// RetryEvery is the pause between attempts to reach a broken nsqd, 1 s if
	// zero; LookupEvery the interval of asking nsqlookupd, 15 s if zero.
	RetryEvery, LookupEvery time.Duration
}

// Deps are what a Queue uses.
type Deps struct {
	Log     *slog.Logger          // nil: slog.Default()
	Metrics prometheus.Registerer // nil: none
}

const channelName = "runner"

// Queue publishes and receives wake-ups. Notify and Wakes work before, during
// and after Run.
type Queue struct {
	cfg     Config
	log     *slog.Logger
	metrics *metrics

	// fixed after New
	lanes map[job.Kind]*lane
	dirty chan struct{} // some lane's pending is set; capacity 1

	health *health
	addr   atomic.Pointer[string] // of the embedded nsqd
}

type lane struct {
	kind    job.Kind
	topic   string
	pending atomic.Bool   // asked for, not yet published
	wakes   chan struct{} // capacity 1
}

// New checks the configuration; nothing is started before Run.
func New(cfg Config, deps Deps) (*Queue, error) {
	if cfg.TopicPrefix == "" {
		cfg.TopicPrefix = "tidegate."
	}
	if cfg.RetryEvery <= 0 {
		cfg.RetryEvery = time.Second
	}
	if cfg.LookupEvery <= 0 {
		cfg.LookupEvery = 15 * time.Second
	}
	if deps.Log == nil {
		deps.Log = slog.Default()
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	q := &Queue{
		cfg: cfg, log: deps.Log,
		lanes: make(map[job.Kind]*lane), dirty: make(chan struct{}, 1),
	}
	for _, k := range job.Kinds() {
		l := &lane{kind: k, topic: cfg.TopicPrefix + string(k), wakes: make(chan struct{}, 1)}
		if !nsq.IsValidTopicName(l.topic) {
			return nil, fmt.Errorf("queue: %q is not a valid NSQ topic name: set queue.topic_prefix to at most 48 of a-z, 0-9, '.', '_', '-'", l.topic)
		}
		q.lanes[k] = l
	}
	var err error
	if q.metrics, err = newMetrics(deps.Metrics); err != nil {
		return nil, fmt.Errorf("queue: registering metrics: %w", err)
	}
	q.health = newHealth(q.log, q.metrics.connected)
	return q, nil
}

func (c Config) embedded() bool { return len(c.NSQD) == 0 && len(c.Lookupd) == 0 }

func (c Config) check() error {
	var errs []error
	for _, a := range c.NSQD {
		if _, _, err := net.SplitHostPort(a); err != nil {
			errs = append(errs, fmt.Errorf("queue.nsqd: %q is not host:port: %w", a, err))
		}
	}
	for _, a := range c.Lookupd {
		if _, err := lookupURL(a, "topic"); err != nil {
			errs = append(errs, fmt.Errorf("queue.nsqlookupd: %w", err))
		}
	}
	switch {
	case len(c.Lookupd) > 0 && len(c.NSQD) == 0:
		errs = append(errs, errors.New("queue.nsqlookupd is set but queue.nsqd is not: name at least one nsqd to publish to"))
	case c.embedded() && c.DataDir == "":
		errs = append(errs, errors.New("queue: the embedded nsqd needs a data directory"))
	}
	return errors.Join(errs...)
}

// Notify asks for a wake-up of kind's lane. It never blocks; several calls may
// become one message. A kind that has no lane is ignored.
func (q *Queue) Notify(kind job.Kind) {
	l := q.lanes[kind]
	if l == nil || l.pending.Swap(true) {
		return
	}
	select {
	case q.dirty <- struct{}{}:
	default:
	}
}

// Wakes gives the lane's wake-ups, coalesced: one value may stand for many
// messages. It has one reader. The channel is never closed; it is nil for a
// kind that has no lane.
func (q *Queue) Wakes(kind job.Kind) <-chan struct{} {
	if l := q.lanes[kind]; l != nil {
		return l.wakes
	}
	return nil
}

func (l *lane) wake() {
	select {
	case l.wakes <- struct{}{}:
	default:
	}
}

// Run keeps NSQ connected (and up, when embedded) until ctx ends; then it
// returns nil. A broken NSQ is logged once and retried for ever.
func (q *Queue) Run(ctx context.Context) error {
	if q.cfg.embedded() {
		return q.runEmbedded(ctx)
	}
	return q.session(ctx, q.cfg.NSQD, nil)
}

// session publishes to addrs and consumes until ctx ends. refused, when not
// nil, is told when an nsqd that answers will not take a message.
func (q *Queue) session(ctx context.Context, addrs []string, refused func(error)) error {
	cfg, err := q.clientConfig()
	if err != nil {
		return fmt.Errorf("queue: configuring the NSQ client: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return q.publish(ctx, addrs, cfg, refused) })
	for _, l := range q.lanes {
		g.Go(func() error { return q.subscribe(ctx, l, addrs, cfg) })
	}
	return g.Wait()
}

func (q *Queue) clientConfig() (*nsq.Config, error) {
	cfg := nsq.NewConfig()
	cfg.UserAgent = "tidegate"
	cfg.HeartbeatInterval = 5 * time.Second
	cfg.ReadTimeout = 15 * time.Second
	cfg.MaxInFlight = 1
	cfg.AuthSecret = q.cfg.AuthSecret
	if !q.cfg.embedded() && q.cfg.TLS != nil {
		cfg.TlsV1, cfg.TlsConfig = true, q.cfg.TLS
	}
	return cfg, cfg.Validate()
}

// Status is how the queue is doing, for people and readiness checks.
type Status struct {
	Mode      string   `json:"mode"`           // embedded or external
	NSQD      []string `json:"nsqd,omitempty"` // addresses published to
	Connected bool     `json:"connected"`      // something has worked and nothing is broken
	Error     string   `json:"error,omitempty"`
}

// Status reports the present state.
func (q *Queue) Status() Status {
	ok, why := q.health.get()
	s := Status{Mode: "external", NSQD: q.cfg.NSQD, Connected: ok, Error: why}
	if q.cfg.embedded() {
		s.Mode, s.NSQD = "embedded", nil
		if a := q.addr.Load(); a != nil {
			s.NSQD = []string{*a}
		}
	}
	return s
}

func (q *Queue) nsqdDir() string { return filepath.Join(q.cfg.DataDir, "nsq") }

// sleep waits for d or the end of ctx and reports whether ctx lives.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func exists(dir string) bool {
	fi, err := os.Stat(dir)
	return err == nil && fi.IsDir()
}
