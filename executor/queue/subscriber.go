package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nsqio/go-nsq"
)

// subscribe consumes a lane's topic until ctx ends: from addrs, or from what
// nsqlookupd names.
func (q *Queue) subscribe(ctx context.Context, l *lane, addrs []string, cfg *nsq.Config) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	if len(q.cfg.Lookupd) == 0 {
		for _, a := range addrs {
			wg.Go(func() { q.stayConnected(ctx, l, a, cfg) })
		}
		<-ctx.Done()
		return nil
	}
	live := make(map[string]context.CancelFunc)
	defer func() {
		for _, stop := range live {
			stop()
		}
	}()
	for {
		found, err := q.discover(ctx, l.topic)
		switch {
		case err != nil && ctx.Err() == nil:
			q.health.bad("nsqlookupd", l.topic, "no nsqlookupd answers; lanes are swept from the ledger meanwhile", err)
		case err == nil:
			// The nsqd that are published to count too: their topic may be too
			// young to be registered.
			q.health.good("nsqlookupd", l.topic)
			q.reconcile(ctx, &wg, live, append(found, addrs...), l, cfg)
		}
		if !sleep(ctx, q.cfg.LookupEvery) {
			return nil
		}
	}
}

func (q *Queue) reconcile(ctx context.Context, wg *sync.WaitGroup, live map[string]context.CancelFunc, want []string, l *lane, cfg *nsq.Config) {
	keep := make(map[string]bool, len(want))
	for _, a := range want {
		keep[a] = true
		if live[a] != nil {
			continue
		}
		cctx, cancel := context.WithCancel(ctx)
		live[a] = cancel
		wg.Go(func() { q.stayConnected(cctx, l, a, cfg) })
	}
	for a, stop := range live {
		if !keep[a] {
			stop()
			delete(live, a)
		}
	}
}

// stayConnected keeps one subscription to one nsqd until ctx ends.
func (q *Queue) stayConnected(ctx context.Context, l *lane, addr string, cfg *nsq.Config) {
	pause := q.cfg.RetryEvery
	defer q.health.forget("nsqd "+addr, l.topic)
	for ctx.Err() == nil {
		began := time.Now()
		err := q.consume(ctx, l, addr, cfg)
		if ctx.Err() != nil {
			return
		}
		q.health.bad("nsqd "+addr, l.topic, "lost nsqd; lanes are swept from the ledger until it is back", fmt.Errorf("consuming %s from nsqd %s: %w", l.topic, addr, err))
		if time.Since(began) > maxPause {
			pause = q.cfg.RetryEvery
		}
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, 10*q.cfg.RetryEvery)
	}
}

// consume subscribes once and returns when the connection is over.
func (q *Queue) consume(ctx context.Context, l *lane, addr string, cfg *nsq.Config) error {
	c, err := q.dial(addr, cfg, func(m *nsq.Message) {
		q.metrics.received.WithLabelValues(string(l.kind)).Inc()
		l.wake()
		m.Finish()
	})
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.ask(nsq.Subscribe(l.topic, channelName)); err != nil {
		return fmt.Errorf("subscribing: %w", err)
	}
	if err := c.conn.WriteCommand(nsq.Ready(1)); err != nil {
		return fmt.Errorf("declaring readiness: %w", err)
	}
	q.health.good("nsqd "+addr, l.topic)
	l.wake() // whatever was missed while there was no connection
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.closed:
			return errClosed
		case err := <-c.replies:
			if err != nil {
				return err
			}
		}
	}
}

// discover asks every nsqlookupd for the nsqd that have topic. It fails only
// when none answers.
func (q *Queue) discover(ctx context.Context, topic string) ([]string, error) {
	var (
		found []string
		errs  []error
	)
	for _, l := range q.cfg.Lookupd {
		a, err := q.lookup(ctx, l, topic)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		found = append(found, a...)
	}
	if len(errs) == len(q.cfg.Lookupd) {
		return nil, errors.Join(errs...)
	}
	return found, nil
}

func (q *Queue) lookup(ctx context.Context, lookupd, topic string) ([]string, error) {
	u, err := lookupURL(lookupd, topic)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, fmt.Errorf("asking nsqlookupd %s: %w", lookupd, err)
	}
	req.Header.Set("Accept", "application/vnd.nsq; version=1.0")
	if q.cfg.AuthSecret != "" {
		req.Header.Set("Authorization", "Bearer "+q.cfg.AuthSecret)
	}
	tr := &http.Transport{DisableKeepAlives: true, TLSClientConfig: q.cfg.TLS}
	res, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking nsqlookupd: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNotFound {
		return nil, nil // no nsqd has the topic yet
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking nsqlookupd %s: it answers %s", lookupd, res.Status)
	}
	var body struct {
		Producers []struct {
			Address string `json:"broadcast_address"`
			Port    int    `json:"tcp_port"`
		} `json:"producers"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&body); err != nil {
		return nil, fmt.Errorf("reading the answer of nsqlookupd %s: %w", lookupd, err)
	}
	var out []string
	for _, p := range body.Producers {
		out = append(out, net.JoinHostPort(p.Address, strconv.Itoa(p.Port)))
	}
	return out, nil
}

// lookupURL makes the query of a topic from host:port or an http(s) URL.
func lookupURL(addr, topic string) (string, error) {
	if !strings.Contains(addr, "://") {
		addr = "http://" + addr
	}
	u, err := url.Parse(addr)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "", fmt.Errorf("%q is neither host:port nor an http URL", addr)
	}
	u = u.JoinPath("lookup")
	u.RawQuery = url.Values{"topic": {topic}}.Encode()
	return u.String(), nil
}
