package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/nsqio/go-nsq"
)

// publish sends what Notify asks for until ctx ends. When no nsqd takes a
// message the lane is woken inside the process.
func (q *Queue) publish(ctx context.Context, addrs []string, cfg *nsq.Config, refused func(error)) error {
	f := &failover{queue: q, cfg: cfg, addrs: addrs, conns: make(map[string]*connection)}
	defer f.close()
	// Lanes that were asked for before the connection, and one wake-up for each
	// lane, since those of an earlier nsqd may be lost.
	for _, l := range q.lanes {
		l.wake()
	}
	for {
		q.publishPending(ctx, f, refused)
		select {
		case <-ctx.Done():
			return nil
		case <-q.dirty:
		}
	}
}

func (q *Queue) publishPending(ctx context.Context, f *failover, refused func(error)) {
	for _, l := range q.lanes {
		if ctx.Err() != nil || !l.pending.Swap(false) {
			continue
		}
		err := f.send(ctx, l.topic, []byte(l.kind))
		if err == nil {
			q.metrics.published.WithLabelValues(string(l.kind)).Inc()
			q.health.good("publishing", "")
			continue
		}
		l.wake()
		if ctx.Err() != nil {
			continue
		}
		q.metrics.failed.WithLabelValues(string(l.kind)).Inc()
		q.health.bad("publishing", "", "no nsqd takes messages; lanes are woken in the process and swept from the ledger until one does", err)
		if protocolError(err) && refused != nil {
			refused(fmt.Errorf("nsqd refuses messages: %w", err))
		}
	}
}

func (q *Queue) wakeLocally() {
	for _, l := range q.lanes {
		if l.pending.Swap(false) {
			l.wake()
		}
	}
}

func protocolError(err error) bool {
	_, ok := errors.AsType[nsq.ErrProtocol](err)
	return ok
}

// failover publishes to the first nsqd that takes a message, beginning with the
// one that did last.
type failover struct {
	queue *Queue
	cfg   *nsq.Config
	addrs []string
	at    int
	conns map[string]*connection // live ones
}

func (f *failover) send(ctx context.Context, topic string, body []byte) error {
	var errs []error
	for range f.addrs {
		addr := f.addrs[f.at]
		err := f.sendTo(addr, topic, body)
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("publishing to nsqd %s: %w", addr, err))
		if ctx.Err() != nil {
			break
		}
		f.at = (f.at + 1) % len(f.addrs)
	}
	return errors.Join(errs...)
}

func (f *failover) sendTo(addr, topic string, body []byte) error {
	c := f.conns[addr]
	if c != nil {
		select {
		case <-c.closed: // since the last message
			c = nil
		default:
		}
	}
	if c == nil {
		var err error
		if c, err = f.queue.dial(addr, f.cfg, nil); err != nil {
			return err
		}
		f.conns[addr] = c
	}
	err := c.ask(nsq.Publish(topic, body))
	if err != nil {
		delete(f.conns, addr)
		c.close()
	}
	return err
}

func (f *failover) close() {
	for _, c := range f.conns {
		c.close()
	}
}
