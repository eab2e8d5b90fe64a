package peers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// askTimeout bounds one call.
const askTimeout = 15 * time.Second

// Client talks to the other operators' ports.
type Client struct {
	identity *Identity
	urls     []string
	http     *http.Client
	now      func() time.Time
	log      *slog.Logger

	mu   sync.Mutex
	said map[string]string // the last trouble of each URL that was logged
}

// NewClient makes a client of the given ports (https://host:port).
func NewClient(urls []string, identity *Identity, log *slog.Logger) (*Client, error) {
	c := &Client{identity: identity, now: identity.now, log: log, said: map[string]string{}}
	for _, raw := range urls {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
			return nil, fmt.Errorf("an operator's port is https://host:port, not %q", raw)
		}
		c.urls = append(c.urls, "https://"+u.Host)
	}
	c.http = &http.Client{
		Timeout: askTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("a redirect, which no operator's port answers with")
		},
		Transport: &http.Transport{
			TLSClientConfig: identity.clientTLS(), ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
			TLSHandshakeTimeout: handshakeTimeout, ResponseHeaderTimeout: askTimeout,
		},
	}
	return c, nil
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Judge asks all operators at once what they say of a proposal.
func (c *Client) Judge(ctx context.Context, p chain.Proposal) map[common.Address][]chain.Judgement {
	got := each(ctx, c, judgePath, p, func(a judged) error {
		if len(a.Judgements) != len(p.Claims) {
			return fmt.Errorf("%d judgements of %d claims", len(a.Judgements), len(p.Claims))
		}
		return nil
	})
	out := map[common.Address][]chain.Judgement{}
	for who, a := range got {
		out[who] = a.Judgements
	}
	return out
}

// Sign asks all operators at once for their signature over a batch.
func (c *Client) Sign(ctx context.Context, p chain.Proposal) map[common.Address][]byte {
	got := each(ctx, c, signPath, p, func(signed) error { return nil })
	out := map[common.Address][]byte{}
	for who, a := range got {
		out[who] = a.Signature
	}
	return out
}

// each makes a call to every port at once and keeps the answers that came.
func each[T any](ctx context.Context, c *Client, path string, p chain.Proposal, check func(T) error) map[common.Address]T {
	var mu sync.Mutex
	var wg sync.WaitGroup
	out := map[common.Address]T{}
	for _, base := range c.urls {
		wg.Go(func() {
			var a T
			who, err := c.ask(ctx, base+path, p, &a)
			if err == nil {
				err = check(a)
			}
			c.tell(base, path, err)
			if err == nil {
				mu.Lock()
				out[who] = a
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return out
}

// ask makes one call; who answered is told by its certificate.
func (c *Client) ask(ctx context.Context, to string, p chain.Proposal, out any) (common.Address, error) {
	made, err := newCall(p, c.now())
	if err != nil {
		return common.Address{}, err
	}
	body, err := json.Marshal(made)
	if err != nil {
		return common.Address{}, fmt.Errorf("encoding a call: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return common.Address{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return common.Address{}, err
	}
	defer resp.Body.Close()
	who, err := operatorOf(c.identity.domain, resp.TLS.PeerCertificates[0], c.now())
	if err != nil {
		return common.Address{}, err
	}
	answer := json.NewDecoder(io.LimitReader(resp.Body, maxBody))
	if resp.StatusCode != http.StatusOK {
		var no refusal
		_ = answer.Decode(&no) // the status says enough
		return who, fmt.Errorf("operator %s answered %s: %.300s", who, resp.Status, no.Error)
	}
	if err := answer.Decode(out); err != nil {
		return who, fmt.Errorf("operator %s answered with what is no answer: %w", who, err)
	}
	return who, nil
}

// tell logs the trouble of a port once for as long as it stays the same.
func (c *Client) tell(base, path string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	c.mu.Lock()
	was := c.said[base+path]
	c.said[base+path] = text
	c.mu.Unlock()
	switch {
	case text == was:
	case text == "":
		c.log.Info("another operator answers again", "peer", base, "call", path)
	default:
		c.log.Warn("another operator does not answer a call", "peer", base, "call", path, "error", text)
	}
}
