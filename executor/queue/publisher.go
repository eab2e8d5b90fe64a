package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nsqio/go-nsq"
)

// publishTimeout bounds one publish on one nsqd; after it the next one is tried.
const publishTimeout = 3 * time.Second

// publish sends what Notify asks for until ctx ends. When no nsqd takes a
// message the lane is woken inside the process.
func (q *Queue) publish(ctx context.Context, addrs []string, cfg *nsq.Config, refused func(error)) error {
	producers := make([]*nsq.Producer, 0, len(addrs))
	defer func() {
		for _, p := range producers {
			p.Stop()
		}
	}()
	for _, a := range addrs {
		p, err := nsq.NewProducer(a, cfg)
		if err != nil {
			return fmt.Errorf("queue: making a producer for nsqd %s: %w", a, err)
		}
		p.SetLogger(&output{log: q.log.With("part", "nsq producer")}, nsq.LogLevelWarning)
		producers = append(producers, p)
	}
	f := &failover{producers: producers}
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
	producers []*nsq.Producer
	at        int
}

func (f *failover) send(ctx context.Context, topic string, body []byte) error {
	var errs []error
	for range f.producers {
		p := f.producers[f.at]
		err := publishOne(p, topic, body)
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("publishing to nsqd %s: %w", p, err))
		if ctx.Err() != nil {
			break
		}
		f.at = (f.at + 1) % len(f.producers)
	}
	return errors.Join(errs...)
}

var errNoReply = errors.New("no reply in time")

// publishOne does not heed the end of a context: a producer that is stopped with
// a reply outstanding keeps its connection for ever.
func publishOne(p *nsq.Producer, topic string, body []byte) error {
	done := make(chan *nsq.ProducerTransaction, 1)
	if err := p.PublishAsync(topic, body, done); err != nil {
		return err
	}
	t := time.NewTimer(publishTimeout)
	defer t.Stop()
	select {
	case tx := <-done:
		return tx.Error
	case <-t.C:
		return errNoReply
	}
}
